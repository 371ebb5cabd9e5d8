//! After a clinic was called off: the department's next numbers, one of them with one tap.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use base::{Problem, Text2};
use edge::schema::Text2Schema;
use edge::{Account, ApiJson, ApiPath, ApiResult, IdempotencyKey};
use http::StatusCode;
use people::PersonId;
use people::bound;
use schedule::NearFree;
use serde::Serialize;
use utoipa::ToSchema;

use super::handlers::{answer, full, own};
use super::wire::{AppointmentBody, MoveBody};
use crate::BookingDeps;
use crate::desk::single::Wish;
use crate::desk::{Asker, Reply};
use crate::model::{AppointmentId, CallState};
use crate::store as sql;

/// `GET /appointments/{id}/offers`
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StopOffers)]
pub(super) struct OffersBody {
    /// What was called off.
    appointment: AppointmentBody,
    /// Why, as the hospital says.
    #[schema(value_type = Option<Text2Schema>)]
    reason: Option<Text2>,
    /// How it stands: `open` while there is something to choose.
    state: CallState,
    /// The next numbers: of the same doctor, then of others in the department. Empty when there is nothing to choose any more.
    items: Vec<NearFree>,
}

/// What can be had instead of an appointment that the hospital called off.
#[utoipa::path(get, path = "/api/v1/appointments/{id}/offers", tag = "appointments", params(("id" = String, Path)),
    responses((status = 200, body = OffersBody), (status = 404, body = edge::problem::ProblemBody)))]
pub(super) async fn offers(
    State(deps): State<BookingDeps>,
    account: Account,
    ApiPath(id): ApiPath<AppointmentId>,
) -> ApiResult<Json<OffersBody>> {
    let (a, person) = own(&deps, &account, id).await?;
    let hospital = &account.caller.hospital;
    let call = sql::calls::read(&deps.db, hospital.id, id).await?;
    // Nobody has stopped it, or not any more.
    let state = call.map_or(CallState::Undone, |c| c.state);
    let open = a.state == crate::State::Stopped && a.moved_to.is_none();
    let items = if open { deps.desk.offers(hospital.id, &a).await? } else { Vec::new() };
    let done = schedule::plan::changes(&deps.db, hospital.id, a.clinic).await?;
    let reason = done.into_iter().find(|one| Some(one.id) == a.marks.stop).map(|one| one.reason);
    let appointment = full(&deps, &account.caller, &a, &person).await?;
    Ok(Json(OffersBody { appointment, reason, state, items }))
}

/// Books one of them, or any other slot, in place of what was called off. It counts as that one would have.
#[utoipa::path(post, path = "/api/v1/appointments/{id}/rebook", tag = "appointments", request_body = MoveBody,
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 201, body = AppointmentBody), (status = 409, description = "not_stopped, already_rebooked, or as for booking", body = edge::problem::ProblemBody)))]
pub(super) async fn rebook(
    State(deps): State<BookingDeps>,
    account: Account,
    key: IdempotencyKey,
    ApiPath(id): ApiPath<AppointmentId>,
    ApiJson(to): ApiJson<MoveBody>,
) -> ApiResult<Response> {
    let (old, person) = own(&deps, &account, id).await?;
    let wish = Wish { person: old.person, slot: to.slot_id, key: &key.0, instead_of: Some(id) };
    let outcome = deps.desk.book_one(&Asker::patient(&account), wish).await?;
    let reply = Reply { outcome, person: Some(person) };
    answer(&deps, &account.caller, reply, to.slot_id, StatusCode::CREATED).await
}

/// Says that no other place is needed: nobody calls. Saying so again changes nothing.
#[utoipa::path(post, path = "/api/v1/appointments/{id}/needs-none", tag = "appointments", params(("id" = String, Path)),
    responses((status = 200, body = AppointmentBody), (status = 409, description = "not_stopped, already_rebooked", body = edge::problem::ProblemBody)))]
pub(super) async fn needs_none(
    State(deps): State<BookingDeps>,
    account: Account,
    _key: IdempotencyKey,
    ApiPath(id): ApiPath<AppointmentId>,
) -> ApiResult<Json<AppointmentBody>> {
    let persons = bound::list(&deps.db, account.caller.hospital.id, account.id).await?;
    let ids: Vec<PersonId> = persons.iter().map(|p| p.person).collect();
    let a = deps.desk.needs_none(&account.caller, &ids, id).await?;
    let person = persons.iter().find(|p| p.person == a.person).ok_or_else(Problem::not_found)?;
    full(&deps, &account.caller, &a, person).await.map(Json)
}
