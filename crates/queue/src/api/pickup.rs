//! For those who hand things over.

use axum::Json;
use axum::extract::State;
use base::{Problem, UnixMs};
use edge::{ApiJson, ApiPath, ApiQuery, ApiResult, Caller, Staff};
use people::PersonId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::All;
use super::wire::{self, PickUpBody};
use crate::QueueDeps;
use crate::model::{AreaId, PickUp, PickUpId, PickUpKind, PickUpState};
use crate::pickup as things;
use crate::problems;
use crate::store::pickup as sql;

/// `POST /desk/pickups`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPickUp)]
pub struct NewBody {
    /// What.
    pub kind: PickUpKind,
    /// The workshop's, pharmacy's or laboratory's own number: what its label carries.
    #[serde(rename = "ref")]
    pub reference: String,
    /// For whom …
    #[schema(value_type = Option<String>)]
    pub person_id: Option<PersonId>,
    /// … or the code of their visit.
    pub code: Option<String>,
    /// Where it will be handed over.
    #[schema(value_type = Option<String>)]
    pub area_id: Option<AreaId>,
}

/// `POST /desk/pickups/ready`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PickUpReady)]
pub struct ReadyBody {
    /// What.
    pub kind: PickUpKind,
    /// Its number, as scanned.
    #[serde(rename = "ref")]
    pub reference: String,
}

/// `POST /desk/pickups/collect`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PickUpCollect)]
pub struct CollectBody {
    /// The code off the phone.
    pub code: String,
}

/// Something to be picked up, for staff.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeskPickUp)]
pub struct StaffBody {
    /// As its owner sees it; the code is left out.
    #[serde(flatten)]
    pub shown: PickUpBody,
    /// The workshop's own number.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Where.
    #[schema(value_type = Option<String>)]
    pub area_id: Option<AreaId>,
    /// How often the person was reminded.
    pub reminded: i64,
    /// For how many days it has been ready.
    pub days: u64,
}

async fn shown(deps: &QueueDeps, caller: &Caller, all: Vec<PickUp>) -> Result<Vec<StaffBody>, Problem> {
    let setup = deps.pictures.setup(caller.hospital.id).await?;
    let now = deps.db.now();
    let days = |at: Option<UnixMs>| at.map_or(0, |at| now.since(at).as_secs() / 86_400);
    let body = |p: PickUp| StaffBody {
        shown: PickUpBody { code: None, ..wire::pick_up(&caller.hospital, &setup, &p) },
        area_id: p.area,
        reminded: p.reminded,
        days: days(p.ready_at),
        reference: p.reference,
    };
    Ok(all.into_iter().map(body).collect())
}

async fn one(deps: &QueueDeps, caller: &Caller, pick_up: PickUp) -> ApiResult<Json<StaffBody>> {
    let body = shown(deps, caller, vec![pick_up]).await?.pop();
    Ok(Json(body.ok_or_else(Problem::internal)?))
}

/// Puts something on the list: its owner sees that it is being made. Again gives what is there.
#[utoipa::path(post, path = "/api/v1/desk/pickups", tag = "desk", request_body = NewBody, responses((status = 200, body = StaffBody), (status = 404, body = edge::problem::ProblemBody)))]
pub async fn expect(
    State(deps): State<QueueDeps>,
    staff: Staff,
    ApiJson(body): ApiJson<NewBody>,
) -> ApiResult<Json<StaffBody>> {
    let person = match (body.person_id, body.code) {
        (Some(person), _) => person,
        (None, Some(code)) => {
            let mut tx = deps.db.begin().await?;
            let code = code.trim().to_ascii_uppercase();
            let visit = booking::arrive::by_code(&mut tx, staff.caller.hospital.id, &code).await?;
            tx.rollback().await?;
            visit.ok_or_else(problems::code_unknown)?.person
        }
        (None, None) => {
            return Err(problems::invalid("person_id", "请选择就诊人", "say for whom").into());
        }
    };
    let new = things::New { kind: body.kind, reference: body.reference, person, area: body.area_id };
    let pick_up = things::expect(&deps, &staff.caller, new).await?;
    one(&deps, &staff.caller, pick_up).await
}

/// Marks something as ready, by scan: its owner is told at once.
#[utoipa::path(post, path = "/api/v1/desk/pickups/ready", tag = "desk", request_body = ReadyBody,
    responses((status = 200, body = StaffBody), (status = 404, description = "code_unknown", body = edge::problem::ProblemBody), (status = 409, description = "code_used", body = edge::problem::ProblemBody)))]
pub async fn ready(
    State(deps): State<QueueDeps>,
    staff: Staff,
    ApiJson(body): ApiJson<ReadyBody>,
) -> ApiResult<Json<StaffBody>> {
    let pick_up = things::ready(&deps, &staff.caller, body.kind, &body.reference).await?;
    one(&deps, &staff.caller, pick_up).await
}

/// Hands something over against the code on the owner's phone.
#[utoipa::path(post, path = "/api/v1/desk/pickups/collect", tag = "desk", request_body = CollectBody,
    responses((status = 200, body = StaffBody), (status = 404, description = "code_unknown", body = edge::problem::ProblemBody), (status = 409, description = "code_used, not_ready", body = edge::problem::ProblemBody)))]
pub async fn collect(
    State(deps): State<QueueDeps>,
    staff: Staff,
    ApiJson(body): ApiJson<CollectBody>,
) -> ApiResult<Json<StaffBody>> {
    let pick_up = things::collect(&deps, &staff.caller, &body.code).await?;
    one(&deps, &staff.caller, pick_up).await
}

/// Takes something off the shelf that nobody came for.
#[utoipa::path(post, path = "/api/v1/desk/pickups/{id}/put-back", tag = "desk", params(("id" = String, Path)), responses((status = 200, body = StaffBody), (status = 409, description = "not_ready", body = edge::problem::ProblemBody)))]
pub async fn put_back(
    State(deps): State<QueueDeps>,
    staff: Staff,
    ApiPath(id): ApiPath<PickUpId>,
) -> ApiResult<Json<StaffBody>> {
    let pick_up = things::put_back(&deps, &staff.caller, id).await?;
    one(&deps, &staff.caller, pick_up).await
}

/// Which ones.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// In which state; `ready` (the uncollected) without.
    state: Option<PickUpState>,
    /// Of which kind.
    kind: Option<PickUpKind>,
}

/// What is on the list, the longest ready first: the uncollected.
#[utoipa::path(get, path = "/api/v1/desk/pickups", tag = "desk", params(ListQuery), responses((status = 200, body = All<StaffBody>)))]
pub async fn list(
    State(deps): State<QueueDeps>,
    staff: Staff,
    ApiQuery(query): ApiQuery<ListQuery>,
) -> ApiResult<Json<All<StaffBody>>> {
    let state = query.state.unwrap_or(PickUpState::Ready);
    let found = sql::in_state(&deps.db, staff.caller.hospital.id, state, query.kind).await?;
    Ok(Json(All { items: shown(&deps, &staff.caller, found).await? }))
}
