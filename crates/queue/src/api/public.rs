//! What stands on walls and doors. The same as the live topics.

use axum::Json;
use axum::extract::State;
use base::Problem;
use edge::{ApiPath, ApiQuery, ApiResult, Caller};
use schedule::DepartmentId;
use serde::Deserialize;

use super::All;
use super::wire::{self, AreaBody, DoorBody, QueueBody, ShownBody, WaitingBody, WallBody};
use crate::QueueDeps;
use crate::model::{AreaId, QueueId, RoomId};
use crate::topics::Shown;

async fn show(deps: &QueueDeps, caller: &Caller, shown: Shown, id: &str) -> Result<ShownBody, Problem> {
    let h = caller.hospital.id;
    let setup = deps.pictures.setup(h).await?;
    let queues = wire::queues_shown(shown, &setup, id)?;
    let lines = deps.pictures.lines(h, &setup, queues).await?;
    wire::shown(deps, &caller.hospital, shown, &setup, &lines, id).await
}

/// The waiting rooms.
#[utoipa::path(get, path = "/api/v1/queue/areas", tag = "queue", responses((status = 200, body = All<AreaBody>)))]
pub async fn areas(State(deps): State<QueueDeps>, caller: Caller) -> ApiResult<Json<All<AreaBody>>> {
    let setup = deps.pictures.setup(caller.hospital.id).await?;
    let items = setup.areas.iter().map(|a| wire::area_body(&deps, &caller.hospital, &setup, a)).collect();
    Ok(Json(All { items }))
}

/// What the wall of a waiting room shows.
#[utoipa::path(get, path = "/api/v1/queue/areas/{id}", tag = "queue", params(("id" = String, Path)), responses((status = 200, body = WallBody), (status = 404, body = edge::problem::ProblemBody)))]
pub async fn wall(
    State(deps): State<QueueDeps>,
    caller: Caller,
    ApiPath(id): ApiPath<AreaId>,
) -> ApiResult<Json<WallBody>> {
    match show(&deps, &caller, Shown::Area, &id.to_string()).await? {
        ShownBody::Wall(body) => Ok(Json(*body)),
        _ => Err(Problem::internal().into()),
    }
}

/// What the screen at a door shows.
#[utoipa::path(get, path = "/api/v1/queue/rooms/{id}", tag = "queue", params(("id" = String, Path)), responses((status = 200, body = DoorBody), (status = 404, body = edge::problem::ProblemBody)))]
pub async fn door(
    State(deps): State<QueueDeps>,
    caller: Caller,
    ApiPath(id): ApiPath<RoomId>,
) -> ApiResult<Json<DoorBody>> {
    match show(&deps, &caller, Shown::Room, &id.to_string()).await? {
        ShownBody::Door(body) => Ok(Json(*body)),
        _ => Err(Problem::internal().into()),
    }
}

/// A line.
#[utoipa::path(get, path = "/api/v1/queue/queues/{id}", tag = "queue", params(("id" = String, Path)), responses((status = 200, body = QueueBody), (status = 404, body = edge::problem::ProblemBody)))]
pub async fn queue(
    State(deps): State<QueueDeps>,
    caller: Caller,
    ApiPath(id): ApiPath<QueueId>,
) -> ApiResult<Json<QueueBody>> {
    match show(&deps, &caller, Shown::Queue, &id.to_string()).await? {
        ShownBody::Queue(body) => Ok(Json(*body)),
        _ => Err(Problem::internal().into()),
    }
}

/// Which lines.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WaitingQuery {
    /// Of one department; all without.
    #[param(value_type = Option<String>)]
    department_id: Option<DepartmentId>,
}

/// How many wait for each specialist, and in every other line, now.
#[utoipa::path(get, path = "/api/v1/queue/waiting", tag = "queue", params(WaitingQuery), responses((status = 200, body = WaitingBody)))]
pub async fn waiting(
    State(deps): State<QueueDeps>,
    caller: Caller,
    ApiQuery(query): ApiQuery<WaitingQuery>,
) -> ApiResult<Json<WaitingBody>> {
    let id = query.department_id.map_or_else(|| "all".to_owned(), |id| id.to_string());
    match show(&deps, &caller, Shown::Waiting, &id).await? {
        ShownBody::Waiting(body) => Ok(Json(body)),
        _ => Err(Problem::internal().into()),
    }
}
