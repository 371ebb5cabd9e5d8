//! The waitlist's routes: for patients under `/api/v1/waitlist`, for staff under `/api/v1/staff/waitlist`.

use axum::Json;
use axum::extract::State;
use base::{Date, HalfDay, HospitalId, Kind, Problem, Text2, WallTime};
use edge::schema::Text2Schema;
use edge::{Account, ApiJson, ApiPath, ApiQuery, ApiResult, Caller, IdempotencyKey};
use http::StatusCode;
use jiff::ToSpan as _;
use people::{PersonId, bound};
use schedule::{Board, ClinicId, DepartmentId, DoctorId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::join::{self, Wanted};
use super::model::{Entry, EntryId, EntryState};
use super::rules::Target;
use super::store as sql;
use crate::BookingDeps;
use crate::model::{AppointmentId, State as AppointmentState};
use crate::store as own;

/// What is over is shown for so many days more.
const SHOWN_DAYS: u64 = 14;

/// `POST /waitlist`: a person, and one of a clinic, a doctor on a date, a department on a date.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWaitlistEntry)]
pub(crate) struct NewEntryBody {
    /// For whom: a person bound to the account.
    #[schema(value_type = String)]
    person_id: PersonId,
    /// A clinic …
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    clinic_id: Option<ClinicId>,
    /// … or a doctor …
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    doctor_id: Option<DoctorId>,
    /// … or a department …
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    department_id: Option<DepartmentId>,
    /// … on this day.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    date: Option<Date>,
}

/// An entry of the waitlist.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WaitlistEntry)]
pub(crate) struct EntryBody {
    #[schema(value_type = String)]
    id: EntryId,
    /// Where it stands.
    state: EntryState,
    /// For whom.
    #[schema(value_type = String)]
    person_id: PersonId,
    /// Their name, covered.
    person_name_masked: String,
    /// The clinic that is waited for, where it is one.
    #[schema(value_type = Option<String>)]
    clinic_id: Option<ClinicId>,
    /// The half day of that clinic.
    #[schema(value_type = Option<String>)]
    half_day: Option<HalfDay>,
    #[schema(value_type = Option<String>)]
    doctor_id: Option<DoctorId>,
    #[schema(value_type = Option<Text2Schema>)]
    doctor_name: Option<Text2>,
    #[schema(value_type = String)]
    department_id: DepartmentId,
    #[schema(value_type = Text2Schema)]
    department_name: Text2,
    #[schema(value_type = String, format = Date)]
    date: Date,
    #[schema(format = DateTime)]
    joined_at: String,
    /// Until when somebody can be offered a place.
    #[schema(format = DateTime)]
    closes_at: String,
    /// How many wait for the same and came before; while it waits.
    ahead: Option<i64>,
    /// The place that is kept, while it is, or that was had.
    offer: Option<OfferBody>,
}

/// A place that is kept for who waits.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WaitlistOffer)]
pub(crate) struct OfferBody {
    #[schema(value_type = String)]
    appointment_id: AppointmentId,
    /// The day of the place …
    #[schema(value_type = String, format = Date)]
    date: Date,
    /// … from …
    #[schema(value_type = String)]
    start: WallTime,
    /// … to.
    #[schema(value_type = String)]
    end: WallTime,
    #[schema(value_type = Option<Text2Schema>)]
    doctor_name: Option<Text2>,
    /// Until when it is kept.
    #[schema(format = DateTime)]
    kept_until: Option<String>,
    /// What it costs.
    fee_fen: i64,
}

/// `GET /waitlist`
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WaitlistEntryList)]
pub(crate) struct EntryListBody {
    items: Vec<EntryBody>,
}

/// The names of what is waited for.
pub(crate) struct Place {
    pub(crate) department: Text2,
    pub(crate) doctor: Option<Text2>,
    pub(crate) half_day: Option<HalfDay>,
}

/// The names of what an entry is about; `None` when it is not on the schedule any more.
pub(crate) fn place(board: &Board, hospital: HospitalId, entry: &Entry) -> Option<Place> {
    let department = board.department_name(hospital, entry.department)?;
    let sitting = entry.clinic.and_then(|clinic| board.sitting(hospital, clinic));
    let doctor = entry.doctor.or(sitting.as_ref().and_then(|s| s.doctor));
    Some(Place {
        department,
        doctor: doctor.and_then(|doctor| board.doctor_name(hospital, doctor)).map(|d| d.0),
        half_day: sitting.map(|s| s.half_day),
    })
}

/// Puts a person on the waitlist of a clinic that is full, of a doctor's day, or of a department's day. Whoever is on it already is
/// given back as they are.
#[utoipa::path(post, path = "/api/v1/waitlist", tag = "waitlist", request_body = NewEntryBody, params(("Idempotency-Key" = String, Header)),
    responses((status = 201, body = EntryBody), (status = 404, body = edge::problem::ProblemBody),
        (status = 409, description = "waitlist_closed, waitlist_limit, waitlist_not_full", body = edge::problem::ProblemBody),
        (status = 422, description = "waitlist_target_invalid", body = edge::problem::ProblemBody)))]
pub(crate) async fn add(
    State(deps): State<BookingDeps>,
    account: Account,
    _key: IdempotencyKey,
    ApiJson(new): ApiJson<NewEntryBody>,
) -> ApiResult<(StatusCode, Json<EntryBody>)> {
    let wanted = wanted(&deps.board, account.caller.hospital.id, &new)?;
    let entry = join::join(&deps, &account, new.person_id, &wanted).await?;
    Ok((StatusCode::CREATED, Json(one(&deps, &account, entry).await?)))
}

/// Looks on the schedule for what somebody wants to wait for.
fn wanted(board: &Board, hospital: HospitalId, new: &NewEntryBody) -> Result<Wanted, Problem> {
    match (new.clinic_id, new.doctor_id, new.department_id, new.date) {
        (Some(clinic), None, None, None) => {
            let sitting = board.sitting(hospital, clinic).ok_or_else(Problem::not_found)?;
            Ok(Wanted {
                target: Target::Clinic(clinic),
                clinic: Some(clinic),
                doctor: sitting.doctor,
                department: sitting.department,
                date: sitting.date,
                cut_off: Some(sitting.closes_at),
            })
        }
        (None, Some(doctor), None, Some(date)) => {
            let summary = board.doctor_summary(hospital, doctor).ok_or_else(Problem::not_found)?;
            if !board.sits_on(hospital, Some(doctor), summary.department_id, date) {
                return Err(nobody_sits());
            }
            Ok(Wanted {
                target: Target::Doctor(doctor, date),
                clinic: None,
                doctor: Some(doctor),
                department: summary.department_id,
                date,
                cut_off: None,
            })
        }
        (None, None, Some(department), Some(date)) => {
            if !board.has_department(hospital, department) {
                return Err(Problem::not_found());
            }
            if !board.sits_on(hospital, None, department, date) {
                return Err(nobody_sits());
            }
            let target = Target::Department(department, date);
            Ok(Wanted { target, clinic: None, doctor: None, department, date, cut_off: None })
        }
        _ => Err(Problem::new(
            Kind::Invalid,
            "waitlist_target_invalid",
            "请选择一次出诊，或者医生和日期，或者科室和日期。",
            "Choose a clinic, or a doctor and a date, or a department and a date.",
        )),
    }
}

fn nobody_sits() -> Problem {
    Problem::new(
        Kind::Conflict,
        "waitlist_closed",
        "那一天没有可以候补的门诊。",
        "There is no clinic on that day that one could wait for.",
    )
}

/// What the account waits for, and what came of it lately.
#[utoipa::path(get, path = "/api/v1/waitlist", tag = "waitlist", responses((status = 200, body = EntryListBody)))]
pub(crate) async fn list(
    State(deps): State<BookingDeps>,
    account: Account,
) -> ApiResult<Json<EntryListBody>> {
    let hospital = &account.caller.hospital;
    let since = deps.db.now().minus(std::time::Duration::from_secs(SHOWN_DAYS * 86_400));
    let entries = sql::of_account(&deps.db, hospital.id, account.id, since).await?;
    let persons = bound::list(&deps.db, hospital.id, account.id).await?;
    let mut items = Vec::new();
    for entry in entries {
        let name = persons.iter().find(|p| p.person == entry.person).map(|p| p.name_masked.clone());
        if let Some(name) = name {
            items.extend(body(&deps, &account.caller, entry, name).await?);
        }
    }
    Ok(Json(EntryListBody { items }))
}

/// Says yes to the place that is kept: it is booked. Doing so again answers the same.
#[utoipa::path(post, path = "/api/v1/waitlist/{id}/accept", tag = "waitlist", params(("id" = String, Path)),
    responses((status = 200, body = EntryBody), (status = 404, body = edge::problem::ProblemBody), (status = 409, description = "offer_over", body = edge::problem::ProblemBody)))]
pub(crate) async fn accept(
    State(deps): State<BookingDeps>,
    account: Account,
    _key: IdempotencyKey,
    ApiPath(id): ApiPath<EntryId>,
) -> ApiResult<Json<EntryBody>> {
    let entry = join::accept(&deps, &account, id).await?;
    Ok(Json(one(&deps, &account, entry).await?))
}

/// Waits no longer. A place that is kept goes to the next person. Doing so again answers the same.
#[utoipa::path(post, path = "/api/v1/waitlist/{id}/leave", tag = "waitlist", params(("id" = String, Path)),
    responses((status = 200, body = EntryBody), (status = 404, body = edge::problem::ProblemBody)))]
pub(crate) async fn leave(
    State(deps): State<BookingDeps>,
    account: Account,
    _key: IdempotencyKey,
    ApiPath(id): ApiPath<EntryId>,
) -> ApiResult<Json<EntryBody>> {
    let entry = join::leave(&deps, &account, id).await?;
    Ok(Json(one(&deps, &account, entry).await?))
}

async fn one(deps: &BookingDeps, account: &Account, entry: Entry) -> ApiResult<EntryBody> {
    let persons = bound::list(&deps.db, account.caller.hospital.id, account.id).await?;
    let name = persons.iter().find(|p| p.person == entry.person).map(|p| p.name_masked.clone());
    let name = name.ok_or_else(crate::problems::not_bound)?;
    body(deps, &account.caller, entry, name).await?.ok_or_else(|| Problem::not_found().into())
}

/// An entry as it is shown; `None` when what it is about is not on the schedule any more.
async fn body(
    deps: &BookingDeps,
    caller: &Caller,
    entry: Entry,
    name: String,
) -> ApiResult<Option<EntryBody>> {
    let hospital = &caller.hospital;
    let Some(place) = place(&deps.board, hospital.id, &entry) else { return Ok(None) };
    let ahead = match entry.state {
        EntryState::Waiting => Some(sql::before(&deps.db, hospital.id, &entry).await?),
        _ => None,
    };
    let offer = match entry.appointment {
        Some(id) => offer(deps, caller, id).await?,
        None => None,
    };
    Ok(Some(EntryBody {
        id: entry.id,
        state: entry.state,
        person_id: entry.person,
        person_name_masked: name,
        clinic_id: entry.clinic,
        half_day: place.half_day,
        doctor_id: entry.doctor,
        doctor_name: place.doctor,
        department_id: entry.department,
        department_name: place.department,
        date: entry.date,
        joined_at: hospital.rfc3339(entry.joined_at),
        closes_at: hospital.rfc3339(entry.closes_at),
        ahead,
        offer,
    }))
}

async fn offer(deps: &BookingDeps, caller: &Caller, id: AppointmentId) -> ApiResult<Option<OfferBody>> {
    let hospital = &caller.hospital;
    let Some(kept) = own::read(&deps.db, hospital.id, id).await? else { return Ok(None) };
    let Some(card) = deps.board.cards(hospital.id, &[kept.slot]).await?.remove(&kept.slot) else {
        return Ok(None);
    };
    let on_hold = kept.state == AppointmentState::Held;
    Ok(Some(OfferBody {
        appointment_id: id,
        date: kept.date,
        start: hospital.zone.wall(kept.start_at),
        end: hospital.zone.wall(kept.end_at),
        doctor_name: card.doctor_name,
        kept_until: kept.hold_until.filter(|_| on_hold).map(|at| hospital.rfc3339(at)),
        fee_fen: kept.fee.0,
    }))
}

/// Which days.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DaysQuery {
    /// The first day; today when it is not given.
    #[param(value_type = Option<String>)]
    from: Option<Date>,
    /// How many days, 1 to 31; 14 when it is not given.
    days: Option<u16>,
}

/// `GET /staff/waitlist`
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StaffWaitlist)]
pub(crate) struct StaffListBody {
    /// All entries of these days, in their order.
    items: Vec<EntryBody>,
    /// How many places are kept back just now, of whatever day.
    kept_back: usize,
}

/// Who waits for what.
#[utoipa::path(get, path = "/api/v1/staff/waitlist", tag = "attendance", params(DaysQuery), responses((status = 200, body = StaffListBody)))]
pub(crate) async fn for_staff(
    State(deps): State<BookingDeps>,
    caller: Caller,
    ApiQuery(query): ApiQuery<DaysQuery>,
) -> ApiResult<Json<StaffListBody>> {
    let hospital = caller.hospital.clone();
    let from = query.from.unwrap_or_else(|| hospital.zone.date(deps.db.now()));
    let until = from.checked_add(i64::from(query.days.unwrap_or(14).clamp(1, 31)).days()).unwrap_or(from);
    let entries = sql::of_dates(&deps.db, hospital.id, from, until).await?;
    let pairs: Vec<_> = entries.iter().map(|e| (e.account, e.person)).collect();
    let mut tx = deps.db.begin().await?;
    let names = bound::of_pairs(&mut tx, hospital.id, &pairs).await?;
    tx.rollback().await?;
    let mut items = Vec::new();
    for entry in entries {
        let name = names.iter().find(|(_, p)| p.person == entry.person).map(|(_, p)| p.name_masked.clone());
        items.extend(body(&deps, &caller, entry, name.unwrap_or_default()).await?);
    }
    let kept_back = sql::kept_back(&deps.db, hospital.id).await?.len();
    Ok(Json(StaffListBody { items, kept_back }))
}
