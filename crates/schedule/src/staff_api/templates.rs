//! Templates, their exceptions, and clinics made of them.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use base::{Date, Problem};
use edge::idempotency::{Begun, Once};
use edge::{ApiJson, ApiPath, ApiQuery, ApiResult, Caller, IdempotencyKey};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::StaffDeps;
use crate::model::DepartmentId;
use crate::templates::differ::{self, Difference};
use crate::templates::generate::{self, Generated};
use crate::templates::{self, Exception, NewTemplate, SegmentPlaces, Template, TemplateId};

/// A clinic that comes again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClinicTemplate)]
pub(super) struct TemplateBody {
    #[schema(value_type = String)]
    id: TemplateId,
    /// Whether clinics are made of it.
    active: bool,
    #[serde(flatten)]
    says: NewTemplate,
    /// Dates from today on that are otherwise.
    exceptions: Vec<ExceptionBody>,
}

/// A date that is otherwise.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TemplateException)]
pub(super) struct ExceptionBody {
    #[schema(value_type = String, format = Date)]
    date: Date,
    /// The segments of that date; none when there is no clinic.
    segments: Option<Vec<SegmentPlaces>>,
    /// Why, for colleagues.
    note: String,
}

/// `GET /staff/templates`
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClinicTemplateList)]
pub(super) struct TemplateListBody {
    /// By department, weekday and half day.
    items: Vec<TemplateBody>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Templates of this department and those below it.
    #[param(value_type = Option<String>)]
    department_id: Option<DepartmentId>,
}

fn body(template: Template, exceptions: &[Exception]) -> TemplateBody {
    let own = exceptions.iter().filter(|e| e.template == template.id);
    let exceptions = own
        .map(|e| ExceptionBody { date: e.date, segments: e.segments.clone(), note: e.note.clone() })
        .collect();
    TemplateBody { id: template.id, active: template.active, says: template.says, exceptions }
}

async fn read(deps: &StaffDeps, caller: &Caller, id: TemplateId) -> ApiResult<TemplateBody> {
    let hospital = &caller.hospital;
    let found = templates::read(&deps.db, hospital.id, id).await?.ok_or_else(Problem::not_found)?;
    let today = hospital.zone.date(deps.db.now());
    Ok(body(found, &templates::exceptions(&deps.db, hospital.id, today).await?))
}

/// All clinics that come again.
#[utoipa::path(get, path = "/api/v1/staff/templates", tag = "schedule_staff", params(ListQuery),
    responses((status = 200, body = TemplateListBody)))]
pub(super) async fn list(
    State(deps): State<StaffDeps>,
    caller: Caller,
    ApiQuery(query): ApiQuery<ListQuery>,
) -> ApiResult<Json<TemplateListBody>> {
    let hospital = &caller.hospital;
    let today = hospital.zone.date(deps.db.now());
    let exceptions = templates::exceptions(&deps.db, hospital.id, today).await?;
    let all = templates::list(&deps.db, hospital.id, query.department_id).await?;
    Ok(Json(TemplateListBody { items: all.into_iter().map(|t| body(t, &exceptions)).collect() }))
}

/// The id of what was made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NewTemplateId)]
pub(super) struct MadeBody {
    #[schema(value_type = String)]
    id: TemplateId,
}

/// Adds a clinic that comes again.
#[utoipa::path(post, path = "/api/v1/staff/templates", tag = "schedule_staff", request_body = NewTemplate,
    params(("Idempotency-Key" = String, Header)),
    responses((status = 201, body = MadeBody), (status = 422, body = edge::problem::ProblemBody)))]
pub(super) async fn add(
    State(deps): State<StaffDeps>,
    caller: Caller,
    key: IdempotencyKey,
    ApiJson(new): ApiJson<NewTemplate>,
) -> ApiResult<Response> {
    match Once::begin(&deps.db, &caller, &key, "staff/templates", &new).await? {
        Begun::Replay(answer) => Ok(answer),
        Begun::Fresh(mut once) => {
            let id = templates::add(once.tx(), &caller, &new).await?;
            once.finish(StatusCode::CREATED, &MadeBody { id }).await
        }
    }
}

/// Changes one. Clinics that were made of it stay until the change is applied to them.
#[utoipa::path(put, path = "/api/v1/staff/templates/{id}", tag = "schedule_staff", request_body = NewTemplate,
    params(("id" = String, Path)),
    responses((status = 200, body = TemplateBody), (status = 404, body = edge::problem::ProblemBody), (status = 422, body = edge::problem::ProblemBody)))]
pub(super) async fn change(
    State(deps): State<StaffDeps>,
    caller: Caller,
    ApiPath(id): ApiPath<TemplateId>,
    ApiJson(new): ApiJson<NewTemplate>,
) -> ApiResult<Json<TemplateBody>> {
    let mut tx = deps.db.begin().await?;
    templates::change(&mut tx, &caller, id, &new).await?;
    tx.commit().await?;
    Ok(Json(read(&deps, &caller, id).await?))
}

/// Whether clinics are made of a template.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TemplateActive)]
pub(super) struct ActiveBody {
    active: bool,
}

/// Ends one, or takes it up again.
#[utoipa::path(put, path = "/api/v1/staff/templates/{id}/active", tag = "schedule_staff", request_body = ActiveBody,
    params(("id" = String, Path)),
    responses((status = 200, body = TemplateBody), (status = 404, body = edge::problem::ProblemBody)))]
pub(super) async fn set_active(
    State(deps): State<StaffDeps>,
    caller: Caller,
    ApiPath(id): ApiPath<TemplateId>,
    ApiJson(wanted): ApiJson<ActiveBody>,
) -> ApiResult<Json<TemplateBody>> {
    let mut tx = deps.db.begin().await?;
    templates::retire(&mut tx, &caller, id, wanted.active).await?;
    tx.commit().await?;
    Ok(Json(read(&deps, &caller, id).await?))
}

/// `GET /staff/templates/{id}/differences`
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TemplateDifferences)]
pub(super) struct DifferencesBody {
    /// By date.
    items: Vec<Difference>,
}

/// Which clinics from today on differ from their template, and what applying it would do to each.
#[utoipa::path(get, path = "/api/v1/staff/templates/{id}/differences", tag = "schedule_staff", params(("id" = String, Path)),
    responses((status = 200, body = DifferencesBody), (status = 404, body = edge::problem::ProblemBody)))]
pub(super) async fn differences(
    State(deps): State<StaffDeps>,
    caller: Caller,
    ApiPath(id): ApiPath<TemplateId>,
) -> ApiResult<Json<DifferencesBody>> {
    Ok(Json(DifferencesBody { items: differ::preview(&deps.db, &caller, id).await? }))
}

/// Does it: clinics that nobody has booked become as the template says, booked ones get more places at most. Gives what was
/// done and what was left.
#[utoipa::path(post, path = "/api/v1/staff/templates/{id}/apply", tag = "schedule_staff", params(("id" = String, Path)),
    responses((status = 200, body = DifferencesBody), (status = 404, body = edge::problem::ProblemBody), (status = 409, body = edge::problem::ProblemBody)))]
pub(super) async fn apply(
    State(deps): State<StaffDeps>,
    caller: Caller,
    ApiPath(id): ApiPath<TemplateId>,
) -> ApiResult<Json<DifferencesBody>> {
    let items = differ::apply(&deps.db, &caller, id).await?;
    generate::run(&deps.db, &caller.hospital).await?;
    deps.board.wake();
    Ok(Json(DifferencesBody { items }))
}

/// What is otherwise on a date.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewTemplateException)]
pub(super) struct NewExceptionBody {
    /// The segments of that date; none when there is no clinic.
    segments: Option<Vec<SegmentPlaces>>,
    /// Why, for colleagues; at most 200 characters.
    #[serde(default)]
    note: String,
}

/// Says that the clinic does not take place on a date, or at other times.
#[utoipa::path(put, path = "/api/v1/staff/templates/{id}/exceptions/{date}", tag = "schedule_staff", request_body = NewExceptionBody,
    params(("id" = String, Path), ("date" = String, Path)),
    responses((status = 200, body = TemplateBody), (status = 404, body = edge::problem::ProblemBody), (status = 422, body = edge::problem::ProblemBody)))]
pub(super) async fn put_exception(
    State(deps): State<StaffDeps>,
    caller: Caller,
    ApiPath((template, date)): ApiPath<(TemplateId, Date)>,
    ApiJson(new): ApiJson<NewExceptionBody>,
) -> ApiResult<Json<TemplateBody>> {
    let exception = Exception { template, date, segments: new.segments, note: new.note };
    let mut tx = deps.db.begin().await?;
    templates::put_exception(&mut tx, &caller, &exception).await?;
    tx.commit().await?;
    Ok(Json(read(&deps, &caller, template).await?))
}

/// Takes an exception back.
#[utoipa::path(delete, path = "/api/v1/staff/templates/{id}/exceptions/{date}", tag = "schedule_staff",
    params(("id" = String, Path), ("date" = String, Path)),
    responses((status = 200, body = TemplateBody), (status = 404, body = edge::problem::ProblemBody)))]
pub(super) async fn delete_exception(
    State(deps): State<StaffDeps>,
    caller: Caller,
    ApiPath((template, date)): ApiPath<(TemplateId, Date)>,
) -> ApiResult<Json<TemplateBody>> {
    let mut tx = deps.db.begin().await?;
    if !templates::delete_exception(&mut tx, &caller, template, date).await? {
        return Err(Problem::not_found().into());
    }
    tx.commit().await?;
    Ok(Json(read(&deps, &caller, template).await?))
}

/// Makes clinics of all templates now, as far ahead as the setting says. What is made already stays.
#[utoipa::path(post, path = "/api/v1/staff/templates/generate", tag = "schedule_staff", responses((status = 200, body = Generated)))]
pub(super) async fn generate(State(deps): State<StaffDeps>, caller: Caller) -> ApiResult<Json<Generated>> {
    let done = generate::run(&deps.db, &caller.hospital).await?;
    deps.board.wake();
    Ok(Json(done))
}
