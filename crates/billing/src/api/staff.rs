//! For the cashier's office.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use base::{Fen, Problem};
use edge::{ApiJson, ApiPath, ApiQuery, ApiResult, Begun, IdempotencyKey, Once, Page, Staff};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::office::{self, ChargeFile};
use super::wire::{self, ChargeBody, ObservationBody, PaymentBody, RefundBody, ShiftBody, SuspenseBody};
use crate::BillingDeps;
use crate::counter::{self, Taking};
use crate::model::{ObservationId, PaymentId, RefundId, RefundState, SuspenseId, Way};
use crate::problems;
use crate::refunds::{self as back, Ask};
use crate::store::{charge as charges, ledger as books, observation, refund as refunds, shift as shifts};

/// A drawer at the beginning of a shift.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewShift {
    /// What lies in it.
    #[schema(value_type = i64)]
    float_fen: Fen,
}

/// A drawer at the end of a shift.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ShiftCount {
    /// What lies in it.
    #[schema(value_type = i64)]
    counted_fen: Fen,
    /// What happened, when that differs from what should.
    #[serde(default)]
    note: String,
}

/// Money that a cashier takes.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTaking {
    /// What is paid for: an appointment's id.
    subject_id: String,
    /// `cash` or `card`.
    way: Way,
    /// The terminal's slip, for a card.
    #[serde(default)]
    #[schema(required = false)]
    reference: Option<String>,
}

/// A refund that the desk asks for.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRefund {
    /// Of which payment.
    #[schema(value_type = String)]
    payment_id: PaymentId,
    /// How much: all of it, or a part.
    #[schema(value_type = i64)]
    amount_fen: Fen,
    /// Why.
    note: String,
}

/// What a second person decides.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RefundDecision {
    /// Yes or no.
    approve: bool,
    /// Why, when it is no.
    #[serde(default)]
    note: String,
}

/// Who looks after an amount, and what they found.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SuspenseNote {
    /// What was found out.
    note: String,
}

/// What came of taking money.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Taken {
    /// The charge.
    charge: ChargeBody,
    /// The payment.
    payment: PaymentBody,
}

fn text(field: &'static str, text: &str, most: usize) -> Result<String, Problem> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > most {
        return Err(problems::text_length(field, most));
    }
    Ok(text.to_owned())
}

/// One's own open shift, with what should lie in the drawer now.
#[utoipa::path(get, path = "/api/v1/staff/billing/shift", tag = "billing", responses((status = 200, body = ShiftBody), (status = 404, body = edge::problem::ProblemBody)))]
pub(super) async fn shift(State(deps): State<BillingDeps>, staff: Staff) -> ApiResult<Json<ShiftBody>> {
    let h = &staff.caller.hospital;
    let shift = shifts::current(&deps.db, h.id, staff.id).await?.ok_or_else(Problem::not_found)?;
    let mut tx = deps.db.begin().await?;
    let expected = counter::expected(&mut tx, &staff.caller, &shift).await?;
    tx.rollback().await?;
    let mut body = wire::shift(h, &shift);
    body.expected_fen = Some(expected);
    Ok(Json(body))
}

/// Opens one's shift.
#[utoipa::path(post, path = "/api/v1/staff/billing/shift", tag = "billing", request_body = NewShift, params(("Idempotency-Key" = String, Header)),
    responses((status = 201, body = ShiftBody), (status = 409, description = "shift_open", body = edge::problem::ProblemBody)))]
pub(super) async fn open_shift(
    State(deps): State<BillingDeps>,
    staff: Staff,
    key: IdempotencyKey,
    ApiJson(new): ApiJson<NewShift>,
) -> ApiResult<Response> {
    match Once::begin(&deps.db, &staff.caller, &key, "shift", &new).await? {
        Begun::Replay(response) => Ok(response),
        Begun::Fresh(mut once) => {
            let shift = counter::open(once.tx(), &staff, new.float_fen).await?;
            once.finish(StatusCode::CREATED, &wire::shift(&staff.caller.hospital, &shift)).await
        }
    }
}

/// Closes one's shift: what was counted against what should be there. A difference needs a note.
#[utoipa::path(post, path = "/api/v1/staff/billing/shift/close", tag = "billing", request_body = ShiftCount, params(("Idempotency-Key" = String, Header)),
    responses((status = 200, body = ShiftBody), (status = 409, description = "no_shift", body = edge::problem::ProblemBody), (status = 422, description = "difference_unexplained", body = edge::problem::ProblemBody)))]
pub(super) async fn close_shift(
    State(deps): State<BillingDeps>,
    staff: Staff,
    key: IdempotencyKey,
    ApiJson(count): ApiJson<ShiftCount>,
) -> ApiResult<Response> {
    if count.note.chars().count() > 200 {
        return Err(problems::text_length("note", 200).into());
    }
    match Once::begin(&deps.db, &staff.caller, &key, "shift.close", &count).await? {
        Begun::Replay(response) => Ok(response),
        Begun::Fresh(mut once) => {
            let shift = counter::close(once.tx(), &staff, count.counted_fen, &count.note).await?;
            once.finish(StatusCode::OK, &wire::shift(&staff.caller.hospital, &shift)).await
        }
    }
}

/// The last shifts of all cashiers.
#[utoipa::path(get, path = "/api/v1/staff/billing/shifts", tag = "billing", responses((status = 200, body = Page<ShiftBody>)))]
pub(super) async fn shifts(
    State(deps): State<BillingDeps>,
    staff: Staff,
) -> ApiResult<Json<Page<ShiftBody>>> {
    let h = &staff.caller.hospital;
    let last = shifts::last(&deps.db, h.id, 100).await?;
    Ok(Json(Page { items: last.iter().map(|one| wire::shift(h, one)).collect(), next: None }))
}

/// Takes cash or a card for something, in one's shift.
#[utoipa::path(post, path = "/api/v1/staff/billing/takings", tag = "billing", request_body = NewTaking, params(("Idempotency-Key" = String, Header)),
    responses((status = 201, body = Taken), (status = 409, description = "no_shift, nothing_to_pay, already_paid", body = edge::problem::ProblemBody)))]
pub(super) async fn take(
    State(deps): State<BillingDeps>,
    staff: Staff,
    key: IdempotencyKey,
    ApiJson(new): ApiJson<NewTaking>,
) -> ApiResult<Response> {
    let reference = new.reference.as_deref().map(|slip| text("reference", slip, 40)).transpose()?;
    match Once::begin(&deps.db, &staff.caller, &key, "takings", &new).await? {
        Begun::Replay(response) => Ok(response),
        Begun::Fresh(mut once) => {
            let taking = Taking { subject: new.subject_id, way: new.way, reference };
            let (charge, payment) = counter::take(once.tx(), &deps, &staff, taking).await?;
            let h = &staff.caller.hospital;
            let taken = Taken { charge: wire::charge(h, &charge), payment: wire::payment(h, &payment) };
            once.finish(StatusCode::CREATED, &taken).await
        }
    }
}

/// Asks for a refund, of all or a part. From the hospital's limit on it waits for a second person.
#[utoipa::path(post, path = "/api/v1/staff/billing/refunds", tag = "billing", request_body = NewRefund, params(("Idempotency-Key" = String, Header)),
    responses((status = 201, body = RefundBody), (status = 409, description = "not_refundable, refund_too_much, insured_whole", body = edge::problem::ProblemBody)))]
pub(super) async fn ask_refund(
    State(deps): State<BillingDeps>,
    staff: Staff,
    key: IdempotencyKey,
    ApiJson(new): ApiJson<NewRefund>,
) -> ApiResult<Response> {
    let note = text("note", &new.note, 80)?;
    match Once::begin(&deps.db, &staff.caller, &key, "refunds", &new).await? {
        Begun::Replay(response) => Ok(response),
        Begun::Fresh(mut once) => {
            let ask = Ask { payment: new.payment_id, amount: new.amount_fen, note };
            let refund = back::ask(once.tx(), &staff, ask).await?;
            once.finish(StatusCode::CREATED, &wire::refund_for_staff(&staff.caller.hospital, &refund)).await
        }
    }
}

/// Which refunds.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RefundsQuery {
    /// Only those in this state.
    state: Option<RefundState>,
}

/// The refunds that are not over, the oldest first: those that wait for approval or for a person among them.
#[utoipa::path(get, path = "/api/v1/staff/billing/refunds", tag = "billing", params(RefundsQuery), responses((status = 200, body = Page<RefundBody>)))]
pub(super) async fn refunds(
    State(deps): State<BillingDeps>,
    staff: Staff,
    ApiQuery(query): ApiQuery<RefundsQuery>,
) -> ApiResult<Json<Page<RefundBody>>> {
    let h = &staff.caller.hospital;
    let open = refunds::open(&deps.db, h.id, query.state).await?;
    Ok(Json(Page { items: open.iter().map(|one| wire::refund_for_staff(h, one)).collect(), next: None }))
}

/// Approves a refund that another has asked for, or does not.
#[utoipa::path(post, path = "/api/v1/staff/billing/refunds/{id}/decision", tag = "billing", request_body = RefundDecision,
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 200, body = RefundBody), (status = 403, description = "second_person_needed", body = edge::problem::ProblemBody), (status = 409, description = "already_decided", body = edge::problem::ProblemBody)))]
pub(super) async fn decide_refund(
    State(deps): State<BillingDeps>,
    staff: Staff,
    key: IdempotencyKey,
    ApiPath(id): ApiPath<RefundId>,
    ApiJson(decision): ApiJson<RefundDecision>,
) -> ApiResult<Response> {
    let note = if decision.approve { String::new() } else { text("note", &decision.note, 80)? };
    match Once::begin(&deps.db, &staff.caller, &key, "refunds.decision", &(id, &decision)).await? {
        Begun::Replay(response) => Ok(response),
        Begun::Fresh(mut once) => {
            let refund = back::decide(once.tx(), &staff, id, decision.approve, &note).await?;
            once.finish(StatusCode::OK, &wire::refund_for_staff(&staff.caller.hospital, &refund)).await
        }
    }
}

/// Hands a refund out at the desk, in one's shift: of what was paid there, or what the payer's account could not take.
#[utoipa::path(post, path = "/api/v1/staff/billing/refunds/{id}/hand-out", tag = "billing", params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 200, body = RefundBody), (status = 409, description = "no_shift, already_decided", body = edge::problem::ProblemBody)))]
pub(super) async fn hand_out(
    State(deps): State<BillingDeps>,
    staff: Staff,
    key: IdempotencyKey,
    ApiPath(id): ApiPath<RefundId>,
) -> ApiResult<Response> {
    match Once::begin(&deps.db, &staff.caller, &key, "refunds.hand_out", &id).await? {
        Begun::Replay(response) => Ok(response),
        Begun::Fresh(mut once) => {
            let refund = counter::hand_out(once.tx(), &deps, &staff, id).await?;
            once.finish(StatusCode::OK, &wire::refund_for_staff(&staff.caller.hospital, &refund)).await
        }
    }
}

/// Which charge.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ChargeQuery {
    /// What it is for: an appointment's id.
    subject_id: String,
}

/// The charge of a thing with all attempts, refunds and rows of the ledger.
#[utoipa::path(get, path = "/api/v1/staff/billing/charge", tag = "billing", params(ChargeQuery), responses((status = 200, body = ChargeFile), (status = 404, body = edge::problem::ProblemBody)))]
pub(super) async fn charge(
    State(deps): State<BillingDeps>,
    staff: Staff,
    ApiQuery(query): ApiQuery<ChargeQuery>,
) -> ApiResult<Json<ChargeFile>> {
    let h = &staff.caller.hospital;
    let payable = deps.payables.of_subject(&query.subject_id).ok_or_else(Problem::not_found)?;
    let found = charges::read_of_subject(&deps.db, h.id, payable.kind(), &query.subject_id).await?;
    let found = found.ok_or_else(Problem::not_found)?;
    Ok(Json(office::file(&deps, h, &found).await?))
}

/// Money that waits to be placed, the oldest first.
#[utoipa::path(get, path = "/api/v1/staff/billing/suspense", tag = "billing", responses((status = 200, body = Page<SuspenseBody>)))]
pub(super) async fn suspense(
    State(deps): State<BillingDeps>,
    staff: Staff,
) -> ApiResult<Json<Page<SuspenseBody>>> {
    let h = &staff.caller.hospital;
    let open = books::suspended(&deps.db, h.id).await?;
    Ok(Json(Page { items: open.into_iter().map(|one| wire::suspense(h, one)).collect(), next: None }))
}

/// Takes an amount that waits to be placed upon oneself, with what was found out.
#[utoipa::path(post, path = "/api/v1/staff/billing/suspense/{id}/owner", tag = "billing", request_body = SuspenseNote,
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)), responses((status = 204), (status = 404, body = edge::problem::ProblemBody)))]
pub(super) async fn own_suspense(
    State(deps): State<BillingDeps>,
    staff: Staff,
    _key: IdempotencyKey,
    ApiPath(id): ApiPath<SuspenseId>,
    ApiJson(new): ApiJson<SuspenseNote>,
) -> ApiResult<StatusCode> {
    let note = text("note", &new.note, 200)?;
    let h = &staff.caller.hospital;
    let mut tx = deps.db.begin().await?;
    if !books::own(&mut tx, h.id, id, &staff.id.to_string(), &note).await? {
        return Err(Problem::not_found().into());
    }
    tx.audit(staff.caller.audit("billing.suspense.own", id, serde_json::json!({}))).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What was observed: what a row of the ledger goes back to.
#[utoipa::path(get, path = "/api/v1/staff/billing/observations/{id}", tag = "billing", params(("id" = String, Path)),
    responses((status = 200, body = ObservationBody), (status = 404, body = edge::problem::ProblemBody)))]
pub(super) async fn observation(
    State(deps): State<BillingDeps>,
    staff: Staff,
    ApiPath(id): ApiPath<ObservationId>,
) -> ApiResult<Json<ObservationBody>> {
    let h = &staff.caller.hospital;
    let found = observation::read(&deps.db, h.id, id).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(wire::observed(h, found)))
}

/// What was observed and a person must look at, the last first.
#[utoipa::path(get, path = "/api/v1/staff/billing/incidents", tag = "billing", responses((status = 200, body = Page<ObservationBody>)))]
pub(super) async fn incidents(
    State(deps): State<BillingDeps>,
    staff: Staff,
) -> ApiResult<Json<Page<ObservationBody>>> {
    let h = &staff.caller.hospital;
    let found = observation::incidents(&deps.db, h.id).await?;
    Ok(Json(Page { items: found.into_iter().map(|one| wire::observed(h, one)).collect(), next: None }))
}
