//! The call list: whoever had a place in what was called off and has done nothing about it.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use base::{Kind, Problem};
use edge::{ApiJson, ApiPath, ApiQuery, ApiResult, Caller, IdempotencyKey, Page, Staff};
use schedule::{ChangeId, DepartmentId, NearFree, SlotId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::list::cursor;
use super::wire::{RowBody, answer, rows};
use crate::BookingDeps;
use crate::desk::Asker;
use crate::desk::single::Wish;
use crate::model::{AppointmentId, CallState, Ended};
use crate::problems;
use crate::store as sql;
use crate::store::calls::{Call, Filter};

/// So many a page.
const PAGE: usize = 50;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CallsQuery {
    /// Only who is to be called now. Without it those who still have time to answer by themselves, and those who are done with.
    #[serde(default)]
    due: bool,
    #[param(inline)]
    state: Option<CallState>,
    #[param(value_type = Option<String>)]
    department_id: Option<DepartmentId>,
    /// Of one stop.
    #[param(value_type = Option<String>)]
    change_id: Option<ChangeId>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Somebody on the call list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StopCall)]
pub(super) struct CallBody {
    /// The appointment that was called off.
    appointment: RowBody,
    state: CallState,
    /// Called so often in vain.
    tries: i64,
    /// From when on staff call.
    #[schema(format = DateTime)]
    due_at: String,
    /// It is time to call.
    due: bool,
    /// Whether the notice about the stop arrived; none when nobody could be told.
    notice: Option<notify::NoticeStatus>,
    #[schema(format = DateTime)]
    changed_at: String,
}

/// Whom to call, the next start first.
#[utoipa::path(get, path = "/api/v1/staff/calls", tag = "booking_staff", params(CallsQuery), responses((status = 200, body = Page<CallBody>)))]
pub(super) async fn list(
    State(deps): State<BookingDeps>,
    caller: Caller,
    ApiQuery(query): ApiQuery<CallsQuery>,
) -> ApiResult<Json<Page<CallBody>>> {
    let hospital = &caller.hospital;
    let now = deps.db.now();
    let today = hospital.zone.at(hospital.zone.date(now), base::WallTime::default());
    let filter = Filter {
        since: today,
        state: query.state,
        due: query.due.then_some(now),
        department: query.department_id,
        change: query.change_id,
    };
    let after = cursor(query.after.as_deref())?;
    let most = i64::try_from(PAGE + 1).unwrap_or(51);
    let mut found = sql::calls::list(&deps.db, hospital.id, &filter, after, most).await?;
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let next =
        found.last().filter(|_| more).map(|call| format!("{}.{}", call.start_at.0, call.appointment.db()));
    let mut items = Vec::with_capacity(found.len());
    for call in found {
        items.extend(shown(&deps, &caller, call).await?);
    }
    Ok(Json(Page { items, next }))
}

async fn shown(deps: &BookingDeps, caller: &Caller, call: Call) -> store::Result<Option<CallBody>> {
    let hospital = &caller.hospital;
    let Some(a) = sql::read(&deps.db, hospital.id, call.appointment).await? else { return Ok(None) };
    let row = rows(deps, hospital, std::slice::from_ref(&a)).await?.pop();
    let notices = notify::of_subject(&deps.db, hospital.id, &a.id.to_string()).await?;
    let notice = notices.iter().rev().find(|n| n.kind == notify::Kind::AppointmentStopped);
    let waits = matches!(call.state, CallState::Open | CallState::Called);
    Ok(row.map(|appointment| CallBody {
        appointment,
        state: call.state,
        tries: call.tries,
        due_at: hospital.rfc3339(call.due_at),
        due: waits && call.due_at <= deps.db.now(),
        notice: notice.map(|n| n.state),
        changed_at: hospital.rfc3339(call.changed_at),
    }))
}

/// A phone that was opened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OpenedPhone)]
pub(super) struct PhoneBody {
    /// Eleven digits.
    phone: String,
}

fn no_phone() -> Problem {
    Problem::new(Kind::NotFound, "no_phone", "没有这位患者的电话。", "No phone of this person is on file.")
}

/// Opens the phone of somebody on the call list. Who did it, and that it was for this, stands in the audit log.
#[utoipa::path(post, path = "/api/v1/staff/calls/{id}/phone", tag = "booking_staff", params(("id" = String, Path)),
    responses((status = 200, body = PhoneBody), (status = 404, description = "not_found, no_phone", body = edge::problem::ProblemBody), (status = 409, description = "call_over", body = edge::problem::ProblemBody)))]
pub(super) async fn phone(
    State(deps): State<BookingDeps>,
    caller: Caller,
    ApiPath(id): ApiPath<AppointmentId>,
) -> ApiResult<Json<PhoneBody>> {
    let hospital = caller.hospital.id;
    let mut tx = deps.db.begin().await?;
    let call = sql::calls::get(&mut tx, hospital, id).await?.ok_or_else(Problem::not_found)?;
    if !matches!(call.state, CallState::Open | CallState::Called | CallState::Reached) {
        return Err(problems::call_over().into());
    }
    let a = sql::get(&mut tx, hospital, id).await?.ok_or_else(Problem::not_found)?;
    let why = format!("clinic called off: {id}");
    let phone = people::look_up::open_phone(&mut tx, &deps.vault, &caller, a.person, &why).await?;
    tx.commit().await?;
    Ok(Json(PhoneBody { phone: phone.ok_or_else(no_phone)? }))
}

/// How a call ended.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StopCallOutcome)]
pub(super) struct OutcomeBody {
    outcome: Ended,
}

/// Writes down how a call ended.
#[utoipa::path(post, path = "/api/v1/staff/calls/{id}/outcome", tag = "booking_staff", request_body = OutcomeBody, params(("id" = String, Path)),
    responses((status = 200, body = CallBody), (status = 404, body = edge::problem::ProblemBody), (status = 409, description = "call_over", body = edge::problem::ProblemBody)))]
pub(super) async fn outcome(
    State(deps): State<BookingDeps>,
    caller: Caller,
    ApiPath(id): ApiPath<AppointmentId>,
    ApiJson(body): ApiJson<OutcomeBody>,
) -> ApiResult<Json<CallBody>> {
    let hospital = caller.hospital.id;
    let mut tx = deps.db.begin().await?;
    let call = sql::calls::get(&mut tx, hospital, id).await?.ok_or_else(Problem::not_found)?;
    if !matches!(call.state, CallState::Open | CallState::Called | CallState::Reached) {
        return Err(problems::call_over().into());
    }
    let (state, tried) = match body.outcome {
        // Whoever was reached once is not unreached by a later call.
        Ended::NoAnswer if call.state == CallState::Reached => (CallState::Reached, true),
        Ended::NoAnswer => (CallState::Called, true),
        Ended::Reached => (CallState::Reached, false),
        Ended::GaveUp => (CallState::GaveUp, false),
    };
    let by = caller.actor.to_string();
    sql::calls::set(&mut tx, hospital, id, state, tried, &by).await?;
    tx.audit(caller.audit("booking.call", id, serde_json::json!({"outcome": body.outcome}))).await?;
    tx.touch(store::Topic::new("appointment", id));
    tx.commit().await?;
    let call = sql::calls::read(&deps.db, hospital, id).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(shown(&deps, &caller, call).await?.ok_or_else(Problem::not_found)?))
}

/// The next numbers for somebody on the list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CallOffers)]
pub(super) struct OffersBody {
    /// Of the same doctor, then of others in the department.
    items: Vec<NearFree>,
}

/// What can be offered on the phone.
#[utoipa::path(get, path = "/api/v1/staff/calls/{id}/offers", tag = "booking_staff", params(("id" = String, Path)),
    responses((status = 200, body = OffersBody), (status = 404, body = edge::problem::ProblemBody)))]
pub(super) async fn offers(
    State(deps): State<BookingDeps>,
    caller: Caller,
    ApiPath(id): ApiPath<AppointmentId>,
) -> ApiResult<Json<OffersBody>> {
    let hospital = caller.hospital.id;
    let a = sql::read(&deps.db, hospital, id).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(OffersBody { items: deps.desk.offers(hospital, &a).await? }))
}

/// Which slot.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CallBooking)]
pub(super) struct BookBody {
    #[schema(value_type = String)]
    slot_id: SlotId,
}

/// Books again for somebody on the list, in place of what was called off.
#[utoipa::path(post, path = "/api/v1/staff/calls/{id}/book", tag = "booking_staff", request_body = BookBody,
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 201, body = RowBody), (status = 404, body = edge::problem::ProblemBody), (status = 409, description = "not_stopped, already_rebooked, or as for booking", body = edge::problem::ProblemBody)))]
pub(super) async fn book(
    State(deps): State<BookingDeps>,
    staff: Staff,
    key: IdempotencyKey,
    ApiPath(id): ApiPath<AppointmentId>,
    ApiJson(new): ApiJson<BookBody>,
) -> ApiResult<Response> {
    let hospital = staff.caller.hospital.id;
    let old = sql::read(&deps.db, hospital, id).await?.ok_or_else(Problem::not_found)?;
    let wish = Wish { person: old.person, slot: new.slot_id, key: &key.0, instead_of: Some(id) };
    let outcome = deps.desk.book_one(&Asker::at_window(&staff), wish).await?;
    answer(&deps, &staff.caller, outcome, new.slot_id).await
}
