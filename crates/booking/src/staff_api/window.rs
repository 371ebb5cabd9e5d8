//! Booking, moving and giving up for somebody at the counter.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use base::Problem;
use edge::{ApiJson, ApiPath, ApiResult, IdempotencyKey, Staff};
use people::PersonId;
use schedule::SlotId;
use serde::Deserialize;
use utoipa::ToSchema;

use super::wire::{RowBody, answer, rows};
use crate::BookingDeps;
use crate::desk::Asker;
use crate::desk::single::Wish;
use crate::model::{AppointmentId, CancelReason};

/// `POST /staff/appointments`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WindowBooking)]
pub(super) struct BookBody {
    /// The slot.
    #[schema(value_type = String)]
    slot_id: SlotId,
    /// Somebody on file.
    #[schema(value_type = String)]
    person_id: PersonId,
}

/// Books for a person at the counter, by the rules that hold for everybody; missed appointments don't count there.
#[utoipa::path(post, path = "/api/v1/staff/appointments", tag = "booking_staff", request_body = BookBody,
    params(("Idempotency-Key" = String, Header)),
    responses((status = 201, body = RowBody), (status = 404, body = edge::problem::ProblemBody), (status = 409, description = "as for booking", body = edge::problem::ProblemBody)))]
pub(super) async fn book(
    State(deps): State<BookingDeps>,
    staff: Staff,
    key: IdempotencyKey,
    ApiJson(new): ApiJson<BookBody>,
) -> ApiResult<Response> {
    let wish = Wish { person: new.person_id, slot: new.slot_id, key: &key.0, instead_of: None };
    let outcome = deps.desk.book_one(&Asker::at_window(&staff), wish).await?;
    answer(&deps, &staff.caller, outcome, new.slot_id).await
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StaffCancel)]
pub(super) struct CancelBody {
    reason: CancelReason,
}

/// Gives a place up for somebody, after the deadline of the day before too. It is free for others at once.
#[utoipa::path(post, path = "/api/v1/staff/appointments/{id}/cancel", tag = "booking_staff", request_body = CancelBody,
    params(("id" = String, Path)),
    responses((status = 200, body = RowBody), (status = 404, body = edge::problem::ProblemBody), (status = 409, description = "not_cancellable", body = edge::problem::ProblemBody)))]
pub(super) async fn cancel(
    State(deps): State<BookingDeps>,
    staff: Staff,
    ApiPath(id): ApiPath<AppointmentId>,
    ApiJson(body): ApiJson<CancelBody>,
) -> ApiResult<Json<RowBody>> {
    let a = deps.desk.cancel_by_staff(&staff, id, body.reason).await?;
    let row = rows(&deps, &staff.caller.hospital, std::slice::from_ref(&a)).await?.pop();
    Ok(Json(row.ok_or_else(Problem::internal)?))
}

/// Where to, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StaffMove)]
pub(super) struct MoveBody {
    /// The slot to move to.
    #[schema(value_type = String)]
    slot_id: SlotId,
    reason: CancelReason,
}

/// Moves a place for somebody. The old one is given up only when the new one is had.
#[utoipa::path(post, path = "/api/v1/staff/appointments/{id}/move", tag = "booking_staff", request_body = MoveBody,
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 201, body = RowBody), (status = 404, body = edge::problem::ProblemBody), (status = 409, description = "cannot_move, or as for booking", body = edge::problem::ProblemBody)))]
pub(super) async fn move_to(
    State(deps): State<BookingDeps>,
    staff: Staff,
    key: IdempotencyKey,
    ApiPath(id): ApiPath<AppointmentId>,
    ApiJson(to): ApiJson<MoveBody>,
) -> ApiResult<Response> {
    let outcome = deps.desk.move_by_staff(&staff, id, to.slot_id, &key.0, to.reason).await?;
    answer(&deps, &staff.caller, outcome, to.slot_id).await
}
