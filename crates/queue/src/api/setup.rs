//! Setting up areas, rooms and lines.

use axum::Json;
use axum::extract::State;
use base::{Problem, Text2};
use edge::schema::Text2Schema;
use edge::{ApiJson, ApiPath, ApiResult, Staff};
use http::HeaderMap;
use http::header::IF_MATCH;
use schedule::{CampusId, DepartmentId, DoctorId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::{Area, AreaId, PolicyName, Queue, QueueId, QueueKind, QueueState, Room, RoomId};
use crate::setup::{self as things, Thing};
use crate::{QueueDeps, place_code, problems};

/// The longest code and name, in characters.
const LONGEST: usize = 40;
const LONGEST_WAY: usize = 300;
const LONGEST_PREFIX: usize = 3;

/// An area, to be added or changed.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PutQueueArea)]
pub struct AreaBody {
    /// The hospital's code for it.
    pub code: String,
    /// What it is called.
    #[schema(value_type = Text2Schema)]
    pub name: Text2,
    /// How to get there.
    #[schema(value_type = Text2Schema)]
    pub way: Text2,
    /// On which campus.
    #[schema(value_type = Option<String>)]
    pub campus_id: Option<CampusId>,
    /// Where it is, degrees north …
    pub latitude: Option<f64>,
    /// … and east …
    pub longitude: Option<f64>,
    /// … and how wide, in metres: all three, or none.
    pub radius_m: Option<u32>,
}

/// A room, to be added or changed.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PutQueueRoom)]
pub struct RoomBody {
    /// The hospital's code for it.
    pub code: String,
    /// What stands on its door.
    #[schema(value_type = Text2Schema)]
    pub name: Text2,
    /// In which area.
    #[schema(value_type = String)]
    pub area_id: AreaId,
}

/// A line, to be added or changed.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PutQueue)]
pub struct QueueBody {
    /// The hospital's code for it.
    pub code: String,
    /// What for.
    pub kind: QueueKind,
    /// What it is called.
    #[schema(value_type = Text2Schema)]
    pub name: Text2,
    /// What its numbers begin with, at most three letters or digits.
    pub prefix: String,
    /// Where its people wait.
    #[schema(value_type = Option<String>)]
    pub area_id: Option<AreaId>,
    /// Of which department.
    #[schema(value_type = Option<String>)]
    pub department_id: Option<DepartmentId>,
    /// Of which doctor.
    #[schema(value_type = Option<String>)]
    pub doctor_id: Option<DoctorId>,
    /// How the next is found.
    pub policy: PolicyName,
    /// In which rooms it is served.
    #[schema(value_type = Vec<String>)]
    pub room_ids: Vec<RoomId>,
    /// How long service usually takes, in minutes.
    pub service_minutes: f64,
    /// Whether it is in use.
    pub active: bool,
}

/// An area as it is set up.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SetUpArea)]
pub struct AreaSetup {
    /// Its id.
    #[schema(value_type = String)]
    pub id: AreaId,
    /// What is set.
    #[serde(flatten)]
    pub set: AreaBody,
    /// What its poster carries.
    pub place_code: String,
    /// For `If-Match`.
    pub version: i64,
}

/// A room as it is set up.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SetUpRoom)]
pub struct RoomSetup {
    /// Its id.
    #[schema(value_type = String)]
    pub id: RoomId,
    /// What is set.
    #[serde(flatten)]
    pub set: RoomBody,
    /// For `If-Match`.
    pub version: i64,
}

/// A line as it is set up.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SetUpQueue)]
pub struct QueueSetup {
    /// Its id.
    #[schema(value_type = String)]
    pub id: QueueId,
    /// What is set.
    #[serde(flatten)]
    pub set: QueueBody,
    /// Whether it moves.
    pub state: QueueState,
    /// For `If-Match`.
    pub version: i64,
}

/// A policy in words.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueuePolicyText)]
pub struct PolicyText {
    /// Which.
    pub code: PolicyName,
    /// What it is called.
    #[schema(value_type = Text2Schema)]
    pub name: Text2,
    /// What it does.
    #[schema(value_type = Text2Schema)]
    pub text: Text2,
}

/// All that is set up.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueueSetUp)]
pub struct SetupBody {
    /// The areas.
    pub areas: Vec<AreaSetup>,
    /// The rooms.
    pub rooms: Vec<RoomSetup>,
    /// The lines.
    pub queues: Vec<QueueSetup>,
    /// The policies.
    pub policies: Vec<PolicyText>,
}

/// A poster's code.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PlaceCode)]
pub struct CodeBody {
    /// What the poster carries.
    pub place_code: String,
}

fn policies() -> Vec<PolicyText> {
    let text = |code, name: (&str, &str), text: (&str, &str)| PolicyText {
        code,
        name: Text2::new(name.0, name.1),
        text: Text2::new(text.0, text.1),
    };
    vec![
        text(
            PolicyName::Clinic,
            ("门诊", "Clinic"),
            (
                "先按预约时段，同一时段按报到先后；优先人群和检查后回诊者各每三位穿插一位；过号者再叫五位后重排。",
                "By time segment, then by check-in. Priority groups and people back from an exam get one turn of three each. A missed call comes again after five.",
            ),
        ),
        text(
            PolicyName::FirstCome,
            ("先到先办", "First come"),
            (
                "按取号先后；优先人群每三位穿插一位；过号者再叫五位后重排。",
                "By arrival. Priority groups get one turn of three. A missed call comes again after five.",
            ),
        ),
        text(
            PolicyName::Triage,
            ("急诊分级", "Triage"),
            ("危急者最先，其余按到达先后。", "Emergencies first, then by arrival."),
        ),
    ]
}

fn degrees(millionths: i64) -> Option<f64> {
    i32::try_from(millionths).ok().map(|n| f64::from(n) / 1e6)
}

/// All areas, rooms and lines.
#[utoipa::path(get, path = "/api/v1/desk/setup", tag = "desk", responses((status = 200, body = SetupBody)))]
pub async fn all(State(deps): State<QueueDeps>, staff: Staff) -> ApiResult<Json<SetupBody>> {
    let h = staff.caller.hospital.id;
    let setup = deps.pictures.setup(h).await?;
    let areas = setup.areas.iter().map(|a| AreaSetup {
        id: a.id,
        set: AreaBody {
            code: a.code.clone(),
            name: a.name.clone(),
            way: a.way.clone(),
            campus_id: a.campus,
            latitude: a.circle.and_then(|c| degrees(c.0)),
            longitude: a.circle.and_then(|c| degrees(c.1)),
            radius_m: a.circle.and_then(|c| u32::try_from(c.2).ok()),
        },
        place_code: place_code::make(&deps.vault, h, a, None),
        version: a.version,
    });
    let rooms = setup.rooms.iter().map(|r| RoomSetup {
        id: r.id,
        set: RoomBody { code: r.code.clone(), name: r.name.clone(), area_id: r.area },
        version: r.version,
    });
    let queues = setup.queues.iter().map(|q| QueueSetup {
        id: q.id,
        set: QueueBody {
            code: q.code.clone(),
            kind: q.kind,
            name: q.name.clone(),
            prefix: q.prefix.clone(),
            area_id: q.area,
            department_id: q.department,
            doctor_id: q.doctor,
            policy: q.policy,
            room_ids: setup.rooms_of(q).iter().map(|r| r.id).collect(),
            service_minutes: f64::from(i32::try_from(q.service_seconds).unwrap_or(0)) / 60.0,
            active: q.active,
        },
        state: q.state,
        version: q.version,
    });
    Ok(Json(SetupBody {
        areas: areas.collect(),
        rooms: rooms.collect(),
        queues: queues.collect(),
        policies: policies(),
    }))
}

fn text(field: &str, text: &str, longest: usize) -> Result<String, Problem> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > longest {
        return Err(problems::invalid(field, "不能为空，也不能太长", "must not be empty nor too long"));
    }
    Ok(text.to_owned())
}

fn both(field: &str, texts: &Text2, longest: usize) -> Result<Text2, Problem> {
    Ok(Text2::new(text(field, &texts.zh, longest)?, text(field, &texts.en, longest)?))
}

/// The version that the caller saw.
fn seen(headers: &HeaderMap) -> Result<i64, Problem> {
    let value = headers.get(IF_MATCH).and_then(|v| v.to_str().ok()).ok_or_else(problems::version_missing)?;
    value.trim().trim_matches('"').parse().map_err(|_| problems::version_missing())
}

fn millionths(field: &str, value: f64, most: f64) -> Result<i64, Problem> {
    if !(-most..=most).contains(&value) {
        return Err(problems::invalid(field, "超出范围", "out of range"));
    }
    // Rounded to a millionth by its decimal form: there is no other way from a real number to a whole one without a cast.
    format!("{:.0}", value * 1e6).parse().map_err(|_| Problem::internal())
}

fn area(id: AreaId, body: &AreaBody) -> Result<Thing, Problem> {
    let circle = match (body.latitude, body.longitude, body.radius_m) {
        (None, None, None) => None,
        (Some(latitude), Some(longitude), Some(radius)) if (10..=5_000).contains(&radius) => Some((
            millionths("latitude", latitude, 90.0)?,
            millionths("longitude", longitude, 180.0)?,
            i64::from(radius),
        )),
        _ => {
            let (zh, en) = (
                "经纬度和半径（10–5000 米）要么都填，要么都不填",
                "latitude, longitude and a radius of 10 to 5000 m, or none of them",
            );
            return Err(problems::invalid("radius_m", zh, en));
        }
    };
    Ok(Thing::Area(Area {
        id,
        code: text("code", &body.code, LONGEST)?,
        campus: body.campus_id,
        name: both("name", &body.name, LONGEST)?,
        way: if body.way == Text2::default() {
            Text2::default()
        } else {
            both("way", &body.way, LONGEST_WAY)?
        },
        circle,
        epoch: 1,
        version: 1,
    }))
}

fn room(id: RoomId, body: &RoomBody) -> Result<Thing, Problem> {
    Ok(Thing::Room(Room {
        id,
        area: body.area_id,
        code: text("code", &body.code, LONGEST)?,
        name: both("name", &body.name, LONGEST)?,
        version: 1,
    }))
}

fn queue(id: QueueId, body: &QueueBody) -> Result<Thing, Problem> {
    let plain = body.prefix.len() <= LONGEST_PREFIX && body.prefix.bytes().all(|b| b.is_ascii_alphanumeric());
    if !plain {
        return Err(problems::invalid("prefix", "最多三个字母或数字", "at most three letters or digits"));
    }
    if !(0.2..=240.0).contains(&body.service_minutes) {
        return Err(problems::invalid("service_minutes", "应为 0.2 到 240 分钟", "0.2 to 240 minutes"));
    }
    if body.room_ids.len() > 50 {
        return Err(problems::invalid("room_ids", "最多 50 间", "at most 50 rooms"));
    }
    let seconds = std::time::Duration::try_from_secs_f64(body.service_minutes * 60.0).unwrap_or_default();
    Ok(Thing::Queue(
        Queue {
            id,
            code: text("code", &body.code, LONGEST)?,
            kind: body.kind,
            name: both("name", &body.name, LONGEST)?,
            prefix: body.prefix.clone(),
            area: body.area_id,
            department: body.department_id,
            doctor: body.doctor_id,
            policy: body.policy,
            service_seconds: i64::try_from(seconds.as_secs()).unwrap_or(300).max(10),
            state: QueueState::Open,
            paused_until: None,
            note: None,
            active: body.active,
            version: 1,
        },
        body.room_ids.clone(),
    ))
}

async fn put(
    deps: &QueueDeps,
    staff: &Staff,
    thing: Thing,
    version: Option<i64>,
) -> ApiResult<Json<SetupBody>> {
    things::put(deps, &staff.caller, &thing, version).await?;
    all(State(deps.clone()), staff.clone()).await
}

/// Adds a waiting room.
#[utoipa::path(post, path = "/api/v1/desk/setup/areas", tag = "desk", request_body = AreaBody, responses((status = 200, body = SetupBody), (status = 409, description = "code_taken", body = edge::problem::ProblemBody)))]
pub async fn add_area(
    State(deps): State<QueueDeps>,
    staff: Staff,
    ApiJson(body): ApiJson<AreaBody>,
) -> ApiResult<Json<SetupBody>> {
    put(&deps, &staff, area(AreaId::new(), &body)?, None).await
}

/// Changes a waiting room.
#[utoipa::path(put, path = "/api/v1/desk/setup/areas/{id}", tag = "desk", params(("id" = String, Path), ("If-Match" = String, Header)), request_body = AreaBody, responses((status = 200, body = SetupBody), (status = 409, description = "changed_meanwhile, code_taken", body = edge::problem::ProblemBody), (status = 428, description = "if_match_required", body = edge::problem::ProblemBody)))]
pub async fn set_area(
    State(deps): State<QueueDeps>,
    staff: Staff,
    ApiPath(id): ApiPath<AreaId>,
    headers: HeaderMap,
    ApiJson(body): ApiJson<AreaBody>,
) -> ApiResult<Json<SetupBody>> {
    let version = seen(&headers)?;
    put(&deps, &staff, area(id, &body)?, Some(version)).await
}

/// A new code for the poster of a waiting room: all printed before are void.
#[utoipa::path(post, path = "/api/v1/desk/setup/areas/{id}/code", tag = "desk", params(("id" = String, Path)), responses((status = 200, body = CodeBody), (status = 404, body = edge::problem::ProblemBody)))]
pub async fn new_code(
    State(deps): State<QueueDeps>,
    staff: Staff,
    ApiPath(id): ApiPath<AreaId>,
) -> ApiResult<Json<CodeBody>> {
    let place_code = things::renew_code(&deps, &staff.caller, id).await?;
    Ok(Json(CodeBody { place_code }))
}

/// Adds a room.
#[utoipa::path(post, path = "/api/v1/desk/setup/rooms", tag = "desk", request_body = RoomBody, responses((status = 200, body = SetupBody), (status = 409, description = "code_taken", body = edge::problem::ProblemBody)))]
pub async fn add_room(
    State(deps): State<QueueDeps>,
    staff: Staff,
    ApiJson(body): ApiJson<RoomBody>,
) -> ApiResult<Json<SetupBody>> {
    put(&deps, &staff, room(RoomId::new(), &body)?, None).await
}

/// Changes a room.
#[utoipa::path(put, path = "/api/v1/desk/setup/rooms/{id}", tag = "desk", params(("id" = String, Path), ("If-Match" = String, Header)), request_body = RoomBody, responses((status = 200, body = SetupBody), (status = 409, description = "changed_meanwhile, code_taken", body = edge::problem::ProblemBody), (status = 428, description = "if_match_required", body = edge::problem::ProblemBody)))]
pub async fn set_room(
    State(deps): State<QueueDeps>,
    staff: Staff,
    ApiPath(id): ApiPath<RoomId>,
    headers: HeaderMap,
    ApiJson(body): ApiJson<RoomBody>,
) -> ApiResult<Json<SetupBody>> {
    let version = seen(&headers)?;
    put(&deps, &staff, room(id, &body)?, Some(version)).await
}

/// Adds a line.
#[utoipa::path(post, path = "/api/v1/desk/setup/queues", tag = "desk", request_body = QueueBody, responses((status = 200, body = SetupBody), (status = 409, description = "code_taken", body = edge::problem::ProblemBody)))]
pub async fn add_queue(
    State(deps): State<QueueDeps>,
    staff: Staff,
    ApiJson(body): ApiJson<QueueBody>,
) -> ApiResult<Json<SetupBody>> {
    put(&deps, &staff, queue(QueueId::new(), &body)?, None).await
}

/// Changes a line.
#[utoipa::path(put, path = "/api/v1/desk/setup/queues/{id}", tag = "desk", params(("id" = String, Path), ("If-Match" = String, Header)), request_body = QueueBody, responses((status = 200, body = SetupBody), (status = 409, description = "changed_meanwhile, code_taken", body = edge::problem::ProblemBody), (status = 428, description = "if_match_required", body = edge::problem::ProblemBody)))]
pub async fn set_queue(
    State(deps): State<QueueDeps>,
    staff: Staff,
    ApiPath(id): ApiPath<QueueId>,
    headers: HeaderMap,
    ApiJson(body): ApiJson<QueueBody>,
) -> ApiResult<Json<SetupBody>> {
    let version = seen(&headers)?;
    put(&deps, &staff, queue(id, &body)?, Some(version)).await
}
