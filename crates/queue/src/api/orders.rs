//! Orders, as doctors and other systems bring them.

use axum::Json;
use axum::extract::State;
use base::{Text2, UnixMs};
use edge::schema::Text2Schema;
use edge::{ApiJson, ApiPath, ApiResult, Staff};
use people::PersonId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::All;
use crate::QueueDeps;
use crate::model::{Order, OrderId, OrderState, QueueId, QueueKind};
use crate::orders::{self as told, Told};
use crate::problems;
use crate::store::order as sql;

/// The longest title, in characters.
const LONGEST_TITLE: usize = 60;

/// `PUT /desk/orders/{ref}`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PutServiceOrder)]
pub struct PutBody {
    /// For what.
    pub kind: QueueKind,
    /// For whom.
    #[schema(value_type = String)]
    pub person_id: PersonId,
    /// What it is called on the phone; nothing clinical.
    #[schema(value_type = Text2Schema)]
    pub title: Text2,
    /// In which line alone; without in any of its kind.
    #[schema(value_type = Option<String>)]
    pub queue_id: Option<QueueId>,
    /// Until when a number can be taken.
    #[schema(format = DateTime)]
    pub valid_until: String,
}

/// An order, for staff.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeskOrder)]
pub struct StaffOrder {
    /// Its id.
    #[schema(value_type = String)]
    pub order_id: OrderId,
    /// What stands on its paper.
    #[serde(rename = "ref")]
    pub reference: String,
    /// For what.
    pub kind: QueueKind,
    /// What it is called.
    #[schema(value_type = Text2Schema)]
    pub title: Text2,
    /// For whom; unknown as long as only its paper vouches for it.
    #[schema(value_type = Option<String>)]
    pub person_id: Option<PersonId>,
    /// Where it stands.
    pub state: OrderState,
    /// Whether the system that wrote it has confirmed it.
    pub settled: bool,
}

impl From<Order> for StaffOrder {
    fn from(o: Order) -> Self {
        Self {
            order_id: o.id,
            reference: o.reference,
            kind: o.kind,
            title: o.title,
            person_id: o.person,
            state: o.state,
            settled: o.settled,
        }
    }
}

/// Brings an order. Brought again it is the same one; one that was taken on the word of its paper is settled by it.
#[utoipa::path(put, path = "/api/v1/desk/orders/{ref}", tag = "desk", params(("ref" = String, Path)), request_body = PutBody, responses((status = 200, body = StaffOrder), (status = 404, body = edge::problem::ProblemBody)))]
pub async fn put(
    State(deps): State<QueueDeps>,
    staff: Staff,
    ApiPath(reference): ApiPath<String>,
    ApiJson(body): ApiJson<PutBody>,
) -> ApiResult<Json<StaffOrder>> {
    let reference = reference.trim().to_ascii_uppercase();
    let plain = reference.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if reference.is_empty() || reference.len() > 64 || !plain {
        return Err(problems::invalid(
            "ref",
            "应为 1 到 64 个字母、数字或 -",
            "1 to 64 letters, digits or -",
        )
        .into());
    }
    let titles = [&body.title.zh, &body.title.en];
    if titles.iter().any(|t| t.trim().is_empty() || t.chars().count() > LONGEST_TITLE) {
        return Err(problems::invalid(
            "title",
            "中英文都要有，60 字以内",
            "both languages, at most 60 characters",
        )
        .into());
    }
    let until: jiff::Timestamp = body
        .valid_until
        .parse()
        .map_err(|_| problems::invalid("valid_until", "应为带时区的时间", "an instant with its offset"))?;
    let order = Told {
        reference,
        kind: body.kind,
        person: body.person_id,
        title: body.title,
        queue: body.queue_id,
        valid_until: UnixMs(until.as_millisecond()),
    };
    Ok(Json(told::put(&deps, &staff.caller, order).await?.into()))
}

/// Calls an order off; a number that was given for it is void.
#[utoipa::path(post, path = "/api/v1/desk/orders/{ref}/cancel", tag = "desk", params(("ref" = String, Path)), responses((status = 200, body = StaffOrder), (status = 404, description = "code_unknown", body = edge::problem::ProblemBody)))]
pub async fn cancel(
    State(deps): State<QueueDeps>,
    staff: Staff,
    ApiPath(reference): ApiPath<String>,
) -> ApiResult<Json<StaffOrder>> {
    let reference = reference.trim().to_ascii_uppercase();
    Ok(Json(told::cancel(&deps, &staff.caller, &reference).await?.into()))
}

/// Orders that only their paper vouches for, the oldest first.
#[utoipa::path(get, path = "/api/v1/desk/orders/unsettled", tag = "desk", responses((status = 200, body = All<StaffOrder>)))]
pub async fn list(State(deps): State<QueueDeps>, staff: Staff) -> ApiResult<Json<All<StaffOrder>>> {
    let found = sql::unsettled(&deps.db, staff.caller.hospital.id).await?;
    Ok(Json(All { items: found.into_iter().map(StaffOrder::from).collect() }))
}
