//! The public routes: what stands on a wall in the hospital anyway. All of them are served from memory, most as bytes that
//! are rendered once for all readers; every answer has an ETag.

mod answers;

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use base::{Date, Kind, Problem};
use edge::hospital::Hospital;
use edge::{Anyone, ApiPath, ApiQuery, ApiResult, Caller, Capability, Hospitals, Routes};
use http::HeaderMap;
use serde::Deserialize;
use store::Db;
use utoipa::IntoParams;
use utoipa_axum::routes;

pub(crate) use self::answers::Answers;
use crate::board::Board;
use crate::board::render::Filter;
use crate::model::{CampusId, ClinicKind, DepartmentId, DoctorId};
use crate::reacts::{DepartmentTopic, DoctorTopic};
use crate::staff_api::{self, StaffDeps};
use crate::templates::generate::GenerateClinics;
use crate::wire::{
    ClinicList, DepartmentList, DepartmentRules, DoctorList, DoctorPage, Found, HospitalFacts, HospitalInfo,
};

/// The longest text that is searched for.
const LONGEST_TEXT: usize = 50;
/// The most days that clinics are asked for at once.
const MOST_DAYS: u16 = 90;

/// What the capability is put together from.
pub struct ScheduleDeps {
    /// The database.
    pub db: Db,
    /// All hospitals.
    pub hospitals: Hospitals,
    /// What can be had; the same board that the booking desk tells its commits.
    pub board: Board,
    /// What the server adds to `GET /hospital`.
    pub facts: Arc<dyn Fn(&Hospital) -> HospitalFacts + Send + Sync>,
}

/// The parts of the schedule for the server. [`crate::worker::run`] is to be started beside it.
#[must_use]
pub fn capability(deps: ScheduleDeps) -> Capability {
    let answers = Answers::new(deps.board.clone(), deps.facts);
    let generate = GenerateClinics::new(deps.hospitals.clone(), deps.board.clone());
    let staff = StaffDeps { db: deps.db, board: deps.board };
    let (staff_router, staff_rules) = staff_api::routes().with_state(staff);
    let (router, rules) = Routes::new()
        .route::<Anyone>(routes!(hospital))
        .route::<Anyone>(routes!(departments))
        .route::<Anyone>(routes!(doctors))
        .route::<Anyone>(routes!(doctor))
        .route::<Anyone>(routes!(doctor_clinics))
        .route::<Anyone>(routes!(department_clinics))
        .route::<Anyone>(routes!(department_rules))
        .route::<Anyone>(routes!(search))
        .with_state(answers.clone());
    Capability {
        name: "schedule",
        migrations: crate::migrations(),
        statements: crate::statements(),
        router: router.merge(staff_router),
        rules: [rules, staff_rules].concat(),
        sweeps: vec![generate],
        settings: crate::sections::sections(),
        topics: vec![Arc::new(DoctorTopic(answers.clone())), Arc::new(DepartmentTopic(answers))],
        ..Capability::default()
    }
}

/// No parameters: what is not known is refused rather than ignored.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Nothing {}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DoctorsQuery {
    /// Doctors of this department and those below it.
    #[param(value_type = Option<String>)]
    department_id: Option<DepartmentId>,
    /// Doctors who answer to this text: Chinese, pinyin or its initials, English.
    #[param(max_length = 50)]
    q: Option<String>,
    /// Doctors with a clinic on this date; their free places are those of the date.
    #[param(value_type = Option<String>, format = Date)]
    date: Option<Date>,
    /// Doctors with a clinic at this campus.
    #[param(value_type = Option<String>)]
    campus_id: Option<CampusId>,
    /// Doctors with a clinic of this kind.
    kind: Option<ClinicKind>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ClinicsQuery {
    /// The first date; today when it is not given.
    #[param(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// How many days, 1 to 90; up to the horizon when it is not given.
    #[param(minimum = 1, maximum = 90)]
    days: Option<u16>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SearchQuery {
    /// What is searched for: Chinese, pinyin or its initials, English.
    #[param(max_length = 50)]
    q: String,
}

fn text(q: Option<&str>) -> Result<Option<&str>, Problem> {
    let trimmed = q.map(str::trim).filter(|t| !t.is_empty());
    if trimmed.is_some_and(|t| t.chars().count() > LONGEST_TEXT) {
        return Err(wrong("q", "最多 50 个字", "at most 50 characters"));
    }
    Ok(trimmed)
}

fn wrong(field: &str, zh: &str, en: &str) -> Problem {
    Problem::new(Kind::Invalid, "query_invalid", format!("{field}：{zh}。"), format!("{field}: {en}.")).field(
        field,
        "wrong_value",
        zh,
        en,
    )
}

#[utoipa::path(get, path = "/api/v1/hospital", tag = "schedule", params(Nothing),
    responses((status = 200, body = HospitalInfo)))]
/// The hospital: names, campuses, today's date there, how booking works, how to sign in.
async fn hospital(
    State(answers): State<Answers>,
    caller: Caller,
    ApiQuery(Nothing {}): ApiQuery<Nothing>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    Ok(answers.hospital(&caller.hospital)?.answer(&headers))
}

#[utoipa::path(get, path = "/api/v1/departments", tag = "schedule", params(Nothing),
    responses((status = 200, body = DepartmentList), (status = 304, description = "The reader has it")))]
/// All departments with what can be had in the coming days.
async fn departments(
    State(answers): State<Answers>,
    caller: Caller,
    ApiQuery(Nothing {}): ApiQuery<Nothing>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    Ok(answers.departments(&caller.hospital)?.answer(&headers))
}

#[utoipa::path(get, path = "/api/v1/doctors", tag = "schedule", params(DoctorsQuery),
    responses((status = 200, body = DoctorList), (status = 304, description = "The reader has it"),
        (status = 404, body = edge::problem::ProblemBody), (status = 422, body = edge::problem::ProblemBody)))]
/// Doctors with their next free place and what can be had on each day.
async fn doctors(
    State(answers): State<Answers>,
    caller: Caller,
    ApiQuery(query): ApiQuery<DoctorsQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let wanted = text(query.q.as_deref())?;
    let filter = Filter { family: None, campus: query.campus_id, kind: query.kind, date: query.date };
    Ok(answers.doctors(&caller.hospital, query.department_id, filter, wanted)?.answer(&headers))
}

#[utoipa::path(get, path = "/api/v1/doctors/{doctor_id}", tag = "schedule",
    params(("doctor_id" = String, Path), Nothing),
    responses((status = 200, body = DoctorPage), (status = 304, description = "The reader has it"),
        (status = 404, body = edge::problem::ProblemBody)))]
/// A doctor's page.
async fn doctor(
    State(answers): State<Answers>,
    caller: Caller,
    ApiPath(id): ApiPath<DoctorId>,
    ApiQuery(Nothing {}): ApiQuery<Nothing>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    Ok(answers.doctor(&caller.hospital, id)?.answer(&headers))
}

#[utoipa::path(get, path = "/api/v1/doctors/{doctor_id}/clinics", tag = "schedule",
    params(("doctor_id" = String, Path), ClinicsQuery),
    responses((status = 200, body = ClinicList), (status = 304, description = "The reader has it"),
        (status = 404, body = edge::problem::ProblemBody), (status = 422, body = edge::problem::ProblemBody)))]
/// A doctor's clinics with their segments.
async fn doctor_clinics(
    State(answers): State<Answers>,
    caller: Caller,
    ApiPath(id): ApiPath<DoctorId>,
    ApiQuery(query): ApiQuery<ClinicsQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let answer = match span(&query)? {
        None => answers.doctor_clinics(&caller.hospital, id)?,
        Some((from, days)) => answers.doctor_clinics_in(&caller.hospital, id, from, days)?,
    };
    Ok(answer.answer(&headers))
}

#[utoipa::path(get, path = "/api/v1/departments/{department_id}/clinics", tag = "schedule",
    params(("department_id" = String, Path), ClinicsQuery),
    responses((status = 200, body = ClinicList), (status = 304, description = "The reader has it"),
        (status = 404, body = edge::problem::ProblemBody), (status = 422, body = edge::problem::ProblemBody)))]
/// A department's clinics without a named doctor (普通门诊), those of the departments below it too.
async fn department_clinics(
    State(answers): State<Answers>,
    caller: Caller,
    ApiPath(id): ApiPath<DepartmentId>,
    ApiQuery(query): ApiQuery<ClinicsQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let answer = match span(&query)? {
        None => answers.department_clinics(&caller.hospital, id)?,
        Some((from, days)) => answers.department_clinics_in(&caller.hospital, id, from, days)?,
    };
    Ok(answer.answer(&headers))
}

#[utoipa::path(get, path = "/api/v1/departments/{department_id}/rules", tag = "schedule",
    params(("department_id" = String, Path), Nothing),
    responses((status = 200, body = DepartmentRules), (status = 304, description = "The reader has it"),
        (status = 404, body = edge::problem::ProblemBody)))]
/// How a department's numbers are released and divided, in words that are made of the configuration itself.
async fn department_rules(
    State(answers): State<Answers>,
    caller: Caller,
    ApiPath(id): ApiPath<DepartmentId>,
    ApiQuery(Nothing {}): ApiQuery<Nothing>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    Ok(answers.department_rules(&caller.hospital, id)?.answer(&headers))
}

/// Which days are asked for; `None` when none were named, which is what nearly everybody asks.
fn span(query: &ClinicsQuery) -> Result<Option<(Option<Date>, u16)>, Problem> {
    match (query.from, query.days) {
        (None, None) => Ok(None),
        (_, Some(days)) if !(1..=MOST_DAYS).contains(&days) => {
            Err(wrong("days", "应为 1 到 90", "must be 1 to 90"))
        }
        (from, days) => Ok(Some((from, days.unwrap_or(MOST_DAYS)))),
    }
}

#[utoipa::path(get, path = "/api/v1/search", tag = "schedule", params(SearchQuery),
    responses((status = 200, body = Found), (status = 422, body = edge::problem::ProblemBody)))]
/// Departments and doctors by what people type.
async fn search(
    State(answers): State<Answers>,
    caller: Caller,
    ApiQuery(query): ApiQuery<SearchQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let wanted = text(Some(&query.q))?;
    Ok(answers.search(&caller.hospital, wanted)?.answer(&headers))
}
