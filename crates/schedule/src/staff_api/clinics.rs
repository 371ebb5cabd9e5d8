//! The week, and what is done to a clinic.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use base::{Date, Fen, HalfDay, HospitalId, Kind, Lang, Problem, Text2, UnixMs, WallTime};
use edge::schema::Text2Schema;
use edge::{ApiJson, ApiPath, ApiQuery, ApiResult, Caller, Hospital};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use store::value::Row;
use store::{Db, args};
use utoipa::{IntoParams, ToSchema};

use super::StaffDeps;
use super::csv;
use crate::model::{CampusId, ChangeId, ClinicId, ClinicKind, DepartmentId, DoctorId, SlotId};
use crate::plan::{self, ClinicPatch};
use crate::quota::{self, Channel, Line};
use crate::rules::days_after;
use crate::store::staff as sql;
use crate::templates::{SegmentPlaces, TemplateId};

/// The most days that are asked for at once.
const MOST_DAYS: u16 = 62;

/// A channel's part of a clinic, handed-back places counted where they are now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StaffQuotaLine)]
pub(super) struct LineBody {
    channel: Channel,
    /// Its name.
    #[schema(value_type = Text2Schema)]
    name: Text2,
    capacity: i64,
    taken: i64,
    /// So many are never handed away.
    kept: i64,
    /// Gets what the others leave.
    rest: bool,
    /// Unsold places go there …
    hand_back_to: Option<Channel>,
    /// … from then on.
    #[schema(format = DateTime)]
    hand_back_at: Option<String>,
}

pub(super) fn lines(hospital: &Hospital, mut lines: Vec<Line>, now: Option<UnixMs>) -> Vec<LineBody> {
    if let Some(now) = now {
        quota::settle(&mut lines, now);
    }
    let body = |l: &Line| LineBody {
        channel: l.channel,
        name: l.channel.name(),
        capacity: l.capacity,
        taken: l.taken,
        kept: l.kept,
        rest: l.rest,
        hand_back_to: l.hand_back_to,
        hand_back_at: l.hand_back_at.map(|at| hospital.rfc3339(at)),
    };
    lines.iter().map(body).collect()
}

/// A segment as staff see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StaffSlot)]
pub(super) struct SlotBody {
    #[schema(value_type = String)]
    id: SlotId,
    #[schema(value_type = String)]
    start: WallTime,
    #[schema(value_type = String)]
    end: WallTime,
    capacity: i64,
    /// Those on hold included.
    taken: i64,
    held: i64,
    stopped: bool,
}

/// A clinic as staff see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StaffClinic)]
pub(super) struct ClinicBody {
    #[schema(value_type = String)]
    id: ClinicId,
    #[schema(value_type = String)]
    department_id: DepartmentId,
    #[schema(value_type = Option<String>)]
    doctor_id: Option<DoctorId>,
    #[schema(value_type = String)]
    campus_id: CampusId,
    #[schema(value_type = String, format = Date)]
    date: Date,
    #[schema(value_type = String)]
    half_day: HalfDay,
    kind: ClinicKind,
    online: bool,
    #[schema(value_type = i64)]
    fee_fen: Fen,
    #[schema(value_type = Option<Text2Schema>)]
    room: Option<Text2>,
    #[schema(format = DateTime)]
    opens_at: String,
    #[schema(format = DateTime)]
    closes_at: String,
    /// The whole clinic does not take place.
    stopped: bool,
    /// A person changed it: templates leave it alone.
    by_hand: bool,
    /// The template that it was made of.
    #[schema(value_type = Option<String>)]
    template_id: Option<TemplateId>,
    /// How many numbers may be added; the hospital's setting when not given.
    add_on_limit: Option<u32>,
    /// Places of all segments …
    capacity: i64,
    /// … and how many are taken.
    taken: i64,
    slots: Vec<SlotBody>,
    /// Its places by channel; empty when they are not divided.
    quotas: Vec<LineBody>,
}

/// `GET /staff/clinics`
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StaffClinicList)]
pub(super) struct ClinicListBody {
    /// By date and half day.
    items: Vec<ClinicBody>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WeekQuery {
    /// The first date; today when it is not given.
    #[param(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// How many days, 1 to 62; seven when it is not given.
    #[param(minimum = 1, maximum = 62)]
    days: Option<u16>,
    /// Clinics of this department alone.
    #[param(value_type = Option<String>)]
    department_id: Option<DepartmentId>,
    /// Clinics of this doctor alone.
    #[param(value_type = Option<String>)]
    doctor_id: Option<DoctorId>,
    /// Clinics at this campus alone.
    #[param(value_type = Option<String>)]
    campus_id: Option<CampusId>,
}

fn clinic(hospital: &Hospital, row: &Row) -> store::Result<ClinicBody> {
    let room = row.get::<Option<String>>("room_zh")?.zip(row.get::<Option<String>>("room_en")?);
    Ok(ClinicBody {
        id: row.get("id")?,
        department_id: row.get("department_id")?,
        doctor_id: row.get("doctor_id")?,
        campus_id: row.get("campus_id")?,
        date: row.get("date")?,
        half_day: row.get("half_day")?,
        kind: row.get("kind")?,
        online: row.get("online")?,
        fee_fen: row.get("fee_fen")?,
        room: room.map(|(zh, en)| Text2 { zh, en }),
        opens_at: hospital.rfc3339(row.get("opens_at")?),
        closes_at: hospital.rfc3339(row.get("closes_at")?),
        stopped: row.get::<String>("state")? == "stopped",
        by_hand: row.get("by_hand")?,
        template_id: row.get("template_id")?,
        add_on_limit: row.get("add_on_limit")?,
        capacity: 0,
        taken: 0,
        slots: Vec::new(),
        quotas: Vec::new(),
    })
}

async fn between(db: &Db, hospital: &Hospital, first: Date, last: Date) -> store::Result<Vec<ClinicBody>> {
    let id: HospitalId = hospital.id;
    let mut slots: HashMap<ClinicId, Vec<SlotBody>> = HashMap::new();
    for row in db.all::<Row>(sql::WEEK_SLOTS, args![id, first, last]).await? {
        slots.entry(row.get("clinic_id")?).or_default().push(SlotBody {
            id: row.get("id")?,
            start: row.get("start_wall")?,
            end: row.get("end_wall")?,
            capacity: row.get("capacity")?,
            taken: row.get("taken")?,
            held: row.get("held")?,
            stopped: row.get("stopped")?,
        });
    }
    let mut divided = quota::keep::lines_between(db, id, first, last).await?;
    let now = db.now();
    let mut found = Vec::new();
    for row in db.all::<Row>(sql::WEEK, args![id, first, last]).await? {
        let mut one = clinic(hospital, &row)?;
        one.slots = slots.remove(&one.id).unwrap_or_default();
        one.capacity = one.slots.iter().map(|s| s.capacity).sum();
        one.taken = one.slots.iter().map(|s| s.taken).sum();
        one.quotas = lines(hospital, divided.remove(&one.id).unwrap_or_default(), Some(now));
        found.push(one);
    }
    let order = |half: HalfDay| match half {
        HalfDay::Am => 0,
        HalfDay::Pm => 1,
        HalfDay::Night => 2,
    };
    found.sort_by_key(|c| (c.date, order(c.half_day), c.slots.first().map(|s| s.start), c.id));
    Ok(found)
}

async fn wanted(deps: &StaffDeps, caller: &Caller, query: &WeekQuery) -> ApiResult<Vec<ClinicBody>> {
    let days = query.days.unwrap_or(7);
    if !(1..=MOST_DAYS).contains(&days) {
        let problem =
            Problem::new(Kind::Invalid, "query_invalid", "days：应为 1 到 62。", "days: must be 1 to 62.");
        return Err(problem.field("days", "wrong_value", "应为 1 到 62", "must be 1 to 62").into());
    }
    let hospital = &caller.hospital;
    let first = query.from.unwrap_or_else(|| hospital.zone.date(deps.db.now()));
    let mut found = between(&deps.db, hospital, first, days_after(first, days - 1)).await?;
    found.retain(|c| {
        query.department_id.is_none_or(|d| d == c.department_id)
            && query.doctor_id.is_none_or(|d| Some(d) == c.doctor_id)
            && query.campus_id.is_none_or(|d| d == c.campus_id)
    });
    Ok(found)
}

/// The clinics of some days with what is taken, by segment and by channel.
#[utoipa::path(get, path = "/api/v1/staff/clinics", tag = "schedule_staff", params(WeekQuery),
    responses((status = 200, body = ClinicListBody)))]
pub(super) async fn week(
    State(deps): State<StaffDeps>,
    caller: Caller,
    ApiQuery(query): ApiQuery<WeekQuery>,
) -> ApiResult<Json<ClinicListBody>> {
    Ok(Json(ClinicListBody { items: wanted(&deps, &caller, &query).await? }))
}

/// The same as a file for spreadsheets.
#[utoipa::path(get, path = "/api/v1/staff/clinics.csv", tag = "schedule_staff", params(WeekQuery),
    responses((status = 200, body = String, content_type = "text/csv")))]
pub(super) async fn week_csv(
    State(deps): State<StaffDeps>,
    caller: Caller,
    ApiQuery(query): ApiQuery<WeekQuery>,
) -> ApiResult<Response> {
    let found = wanted(&deps, &caller, &query).await?;
    let names = super::places::Names::read(&deps.db, caller.hospital.id).await?;
    let zh = caller.lang == Lang::Zh;
    let head = if zh {
        csv::line(["日期", "午别", "科室", "医生", "院区", "类别", "费用（元）", "号数", "已约", "状态"])
    } else {
        csv::line([
            "date",
            "half day",
            "department",
            "doctor",
            "campus",
            "kind",
            "fee (yuan)",
            "places",
            "taken",
            "state",
        ])
    };
    let lang = caller.lang;
    let lines = found.into_iter().map(move |c| {
        let state = match (c.stopped, zh) {
            (true, true) => "停诊",
            (true, false) => "stopped",
            (false, true) => "出诊",
            (false, false) => "open",
        };
        Ok(csv::line([
            c.date.to_string().as_str(),
            c.half_day.code(),
            names.department(c.department_id, lang),
            c.doctor_id.map_or("", |d| names.doctor(d, lang)),
            names.campus(c.campus_id, lang),
            c.kind.name().get(lang),
            &format!("{}.{:02}", c.fee_fen.0 / 100, c.fee_fen.0 % 100),
            &c.capacity.to_string(),
            &c.taken.to_string(),
            state,
        ]))
    });
    Ok(csv::file("clinics", head, stream::iter(lines.collect::<Vec<_>>())))
}

async fn read_one(deps: &StaffDeps, caller: &Caller, id: ClinicId) -> ApiResult<ClinicBody> {
    let hospital = &caller.hospital;
    let row =
        deps.db.opt::<Row>(sql::CLINIC, args![hospital.id, id]).await?.ok_or_else(Problem::not_found)?;
    let date: Date = row.get("date")?;
    let all = between(&deps.db, hospital, date, date).await?;
    all.into_iter().find(|c| c.id == id).ok_or_else(|| Problem::not_found().into())
}

/// A clinic.
#[utoipa::path(get, path = "/api/v1/staff/clinics/{clinic_id}", tag = "schedule_staff",
    params(("clinic_id" = String, Path)),
    responses((status = 200, body = ClinicBody), (status = 404, body = edge::problem::ProblemBody)))]
pub(super) async fn one(
    State(deps): State<StaffDeps>,
    caller: Caller,
    ApiPath(id): ApiPath<ClinicId>,
) -> ApiResult<Json<ClinicBody>> {
    Ok(Json(read_one(&deps, &caller, id).await?))
}

/// A clinic that is made by hand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewStaffClinic)]
pub(super) struct NewClinicBody {
    #[schema(value_type = String)]
    department_id: DepartmentId,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    doctor_id: Option<DoctorId>,
    #[schema(value_type = String)]
    campus_id: CampusId,
    #[schema(value_type = String, format = Date)]
    date: Date,
    #[schema(value_type = String)]
    half_day: HalfDay,
    kind: ClinicKind,
    #[serde(default)]
    online: bool,
    #[schema(value_type = i64)]
    fee_fen: Fen,
    #[serde(default)]
    #[schema(value_type = Option<Text2Schema>)]
    room: Option<Text2>,
    /// The segments, in order.
    segments: Vec<SegmentPlaces>,
}

/// Makes a clinic by hand. The same doctor, campus, date, half day and kind twice is a conflict.
#[utoipa::path(post, path = "/api/v1/staff/clinics", tag = "schedule_staff", request_body = NewClinicBody,
    responses((status = 201, body = ClinicBody), (status = 409, description = "clinic_exists", body = edge::problem::ProblemBody),
        (status = 422, body = edge::problem::ProblemBody)))]
pub(super) async fn add(
    State(deps): State<StaffDeps>,
    caller: Caller,
    ApiJson(new): ApiJson<NewClinicBody>,
) -> ApiResult<(http::StatusCode, Json<ClinicBody>)> {
    let new = plan::NewClinic {
        department: new.department_id,
        doctor: new.doctor_id,
        campus: new.campus_id,
        date: new.date,
        half_day: new.half_day,
        kind: new.kind,
        online: new.online,
        fee: new.fee_fen,
        room: new.room,
        slots: new.segments.into_iter().map(Into::into).collect(),
        opens_at: None,
        closes_at: None,
    };
    let mut tx = deps.db.begin().await?;
    let id = plan::make_by_hand(&mut tx, &caller, &new).await?;
    tx.commit().await?;
    deps.board.wake();
    Ok((http::StatusCode::CREATED, Json(read_one(&deps, &caller, id).await?)))
}

/// Places of a segment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SlotCapacity)]
pub(super) struct CapacityBody {
    #[schema(value_type = String)]
    slot_id: SlotId,
    /// Never below what is taken.
    capacity: u32,
}

/// What is changed; what is not named stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StaffClinicPatch)]
pub(super) struct PatchBody {
    #[serde(default)]
    slots: Vec<CapacityBody>,
    /// The room.
    #[serde(default)]
    #[schema(value_type = Option<Text2Schema>)]
    room: Option<Text2>,
    /// How many numbers may be added to this clinic.
    #[serde(default)]
    add_on_limit: Option<u32>,
}

/// Changes a clinic by hand: places, room. Templates leave it alone from then on.
#[utoipa::path(patch, path = "/api/v1/staff/clinics/{clinic_id}", tag = "schedule_staff", request_body = PatchBody,
    params(("clinic_id" = String, Path)),
    responses((status = 200, body = ClinicBody), (status = 409, description = "places_taken, with `taken`", body = edge::problem::ProblemBody),
        (status = 404, body = edge::problem::ProblemBody), (status = 422, body = edge::problem::ProblemBody)))]
pub(super) async fn change(
    State(deps): State<StaffDeps>,
    caller: Caller,
    ApiPath(id): ApiPath<ClinicId>,
    ApiJson(patch): ApiJson<PatchBody>,
) -> ApiResult<Json<ClinicBody>> {
    let patch = ClinicPatch {
        capacities: patch.slots.iter().map(|s| (s.slot_id, s.capacity)).collect(),
        room: patch.room.map(Some),
        add_on_limit: patch.add_on_limit.map(Some),
    };
    let mut tx = deps.db.begin().await?;
    plan::change_by_hand(&mut tx, &caller, id, &patch).await?;
    tx.commit().await?;
    deps.board.wake();
    Ok(Json(read_one(&deps, &caller, id).await?))
}

/// Why a clinic is stopped.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StopClinicRequest)]
pub(super) struct StopBody {
    /// What patients are told, in both languages.
    #[schema(value_type = Text2Schema)]
    reason: Text2,
    /// These segments alone; the whole clinic when not given.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    slot_ids: Option<Vec<SlotId>>,
}

/// What was done; its id takes it back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClinicChange)]
pub(super) struct ChangeBody {
    /// The change; none when the clinic was stopped already.
    #[schema(value_type = Option<String>)]
    change_id: Option<ChangeId>,
    /// The clinic as it is now.
    clinic: ClinicBody,
}

/// Stops a clinic or a part of it. Everybody who has booked is told and offered the next numbers; who does nothing stands on
/// the call list. Can be taken back for ten minutes.
#[utoipa::path(post, path = "/api/v1/staff/clinics/{clinic_id}/stop", tag = "schedule_staff", request_body = StopBody,
    params(("clinic_id" = String, Path)),
    responses((status = 200, body = ChangeBody), (status = 404, body = edge::problem::ProblemBody), (status = 422, body = edge::problem::ProblemBody)))]
pub(super) async fn stop(
    State(deps): State<StaffDeps>,
    caller: Caller,
    ApiPath(id): ApiPath<ClinicId>,
    ApiJson(body): ApiJson<StopBody>,
) -> ApiResult<Json<ChangeBody>> {
    let mut tx = deps.db.begin().await?;
    let change_id = match &body.slot_ids {
        Some(slots) => plan::stop_part(&mut tx, &caller, id, slots, &body.reason).await?,
        None => plan::stop_clinic(&mut tx, &caller, id, &body.reason).await?,
    };
    tx.commit().await?;
    deps.board.wake();
    Ok(Json(ChangeBody { change_id, clinic: read_one(&deps, &caller, id).await? }))
}

/// Who sits instead.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReplaceDoctorRequest)]
pub(super) struct ReplaceBody {
    #[schema(value_type = String)]
    doctor_id: DoctorId,
    /// What patients are told, in both languages.
    #[schema(value_type = Text2Schema)]
    reason: Text2,
}

/// Has another doctor of the department sit. Appointments stay; everybody who has booked is told and may keep, move or give up
/// the place freely.
#[utoipa::path(post, path = "/api/v1/staff/clinics/{clinic_id}/replace", tag = "schedule_staff", request_body = ReplaceBody,
    params(("clinic_id" = String, Path)),
    responses((status = 200, body = ChangeBody), (status = 409, description = "doctor_elsewhere", body = edge::problem::ProblemBody),
        (status = 404, body = edge::problem::ProblemBody), (status = 422, body = edge::problem::ProblemBody)))]
pub(super) async fn replace(
    State(deps): State<StaffDeps>,
    caller: Caller,
    ApiPath(id): ApiPath<ClinicId>,
    ApiJson(body): ApiJson<ReplaceBody>,
) -> ApiResult<Json<ChangeBody>> {
    let mut tx = deps.db.begin().await?;
    let change = plan::replace_doctor(&mut tx, &caller, id, body.doctor_id, &body.reason).await?;
    tx.commit().await?;
    deps.board.wake();
    Ok(Json(ChangeBody { change_id: Some(change), clinic: read_one(&deps, &caller, id).await? }))
}
