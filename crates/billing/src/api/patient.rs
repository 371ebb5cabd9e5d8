//! Paying, and what was paid.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::{Problem, UnixMs};
use edge::{Account, ApiJson, ApiPath, ApiQuery, ApiResult, IdempotencyKey, Page};
use http::StatusCode;
use people::{PersonId, bound};
use serde::Deserialize;

use super::wire::{self, AuthorisationBody, ChargeBody, NewPaymentBody, PaymentBody, PaymentWays};
use crate::BillingDeps;
use crate::checkout::{self, Wanted};
use crate::model::{Charge, ChargeId, PaymentId, PaymentState};
use crate::store::{charge as charges, payment as payments, refund as refunds};

/// How many charges a page holds.
const PAGE: i64 = 20;

/// The ways to pay online that the hospital offers.
#[utoipa::path(get, path = "/api/v1/payments/ways", tag = "payments", responses((status = 200, body = PaymentWays)))]
pub(super) async fn ways(State(deps): State<BillingDeps>, account: Account) -> ApiResult<Json<PaymentWays>> {
    Ok(Json(PaymentWays { items: checkout::ways(&deps, &account.caller.hospital) }))
}

/// Which page the patient is to come back to.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AuthorisationQuery {
    /// Its path: `/pay/apt_…`.
    back: String,
}

/// Where the patient allows the use of the electronic insurance credential, before an insured payment.
#[utoipa::path(get, path = "/api/v1/payments/insurance-authorisation", tag = "payments", params(AuthorisationQuery),
    responses((status = 200, body = AuthorisationBody), (status = 409, description = "way_not_offered", body = edge::problem::ProblemBody)))]
pub(super) async fn authorisation(
    State(deps): State<BillingDeps>,
    account: Account,
    ApiQuery(query): ApiQuery<AuthorisationQuery>,
) -> ApiResult<Json<AuthorisationBody>> {
    let url = crate::insurance::authorise::page(&deps, &account.caller.hospital, &query.back)?;
    Ok(Json(AuthorisationBody { url }))
}

/// Begins to pay for something, or goes on with what was begun by the same way: asking again never makes a second order.
#[utoipa::path(post, path = "/api/v1/payments", tag = "payments", request_body = NewPaymentBody,
    params(("Idempotency-Key" = String, Header, description = "1 to 64 letters, digits, - or _")),
    responses((status = 201, body = PaymentBody),
        (status = 409, description = "already_paid, desk_only, way_not_offered, wechat_needed, insurance_other_person", body = edge::problem::ProblemBody),
        (status = 422, description = "authorisation_needed, way_invalid", body = edge::problem::ProblemBody),
        (status = 502, description = "payment_refused, payment_unclear, insurance_refused", body = edge::problem::ProblemBody)))]
pub(super) async fn pay(
    State(deps): State<BillingDeps>,
    account: Account,
    _key: IdempotencyKey,
    ApiJson(new): ApiJson<NewPaymentBody>,
) -> ApiResult<Response> {
    let wanted = Wanted {
        subject: new.subject_id,
        way: new.way,
        pay_auth_no: new.pay_auth_no,
        auth_code: new.auth_code,
        payer_ip: account.caller.source.parse().ok(),
    };
    let (payment, sheet) = checkout::begin(&deps, &account, wanted).await?;
    let mut body = wire::payment(&account.caller.hospital, &payment);
    body.sheet = Some(wire::sheet(sheet));
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// How a payment stands.
#[utoipa::path(get, path = "/api/v1/payments/{id}", tag = "payments", params(("id" = String, Path)),
    responses((status = 200, body = PaymentBody), (status = 404, body = edge::problem::ProblemBody)))]
pub(super) async fn payment(
    State(deps): State<BillingDeps>,
    account: Account,
    ApiPath(id): ApiPath<PaymentId>,
) -> ApiResult<Json<PaymentBody>> {
    let payment = checkout::own(&deps, &account, id).await?;
    Ok(Json(wire::payment(&account.caller.hospital, &payment)))
}

/// The page says that the payment sheet has closed, however it did: the platform is asked at once. Watch the payment for the answer.
#[utoipa::path(post, path = "/api/v1/payments/{id}/sheet-closed", tag = "payments", params(("id" = String, Path)),
    responses((status = 200, body = PaymentBody), (status = 404, body = edge::problem::ProblemBody)))]
pub(super) async fn sheet_closed(
    State(deps): State<BillingDeps>,
    account: Account,
    _key: IdempotencyKey,
    ApiPath(id): ApiPath<PaymentId>,
) -> ApiResult<Json<PaymentBody>> {
    let payment = checkout::hint(&deps, &account, id).await?;
    Ok(Json(wire::payment(&account.caller.hospital, &payment)))
}

/// Where a page of charges starts.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ChargesQuery {
    /// `next` of the page before.
    after: Option<i64>,
}

/// What the account's persons owe and have paid, the last first.
#[utoipa::path(get, path = "/api/v1/charges", tag = "payments", params(ChargesQuery), responses((status = 200, body = Page<ChargeBody>)))]
pub(super) async fn charges(
    State(deps): State<BillingDeps>,
    account: Account,
    ApiQuery(query): ApiQuery<ChargesQuery>,
) -> ApiResult<Json<Page<ChargeBody>>> {
    let hospital = &account.caller.hospital;
    let persons: Vec<PersonId> =
        bound::list(&deps.db, hospital.id, account.id).await?.iter().map(|p| p.person).collect();
    let before = UnixMs(query.after.unwrap_or(i64::MAX));
    let found = charges::of_persons(&deps.db, hospital.id, &persons, before, PAGE + 1).await?;
    let most = usize::try_from(PAGE).unwrap_or(20);
    let more = found.len() > most;
    let items: Vec<&Charge> = found.iter().take(most).collect();
    let next = items.last().filter(|_| more).map(|last| last.created_at.0.to_string());
    Ok(Json(Page { items: items.into_iter().map(|one| wire::charge(hospital, one)).collect(), next }))
}

/// One charge with its lines, what was paid, what went back, and its e-invoice: the bill, and the receipt.
#[utoipa::path(get, path = "/api/v1/charges/{id}", tag = "payments", params(("id" = String, Path)),
    responses((status = 200, body = ChargeBody), (status = 404, body = edge::problem::ProblemBody)))]
pub(super) async fn charge(
    State(deps): State<BillingDeps>,
    account: Account,
    ApiPath(id): ApiPath<ChargeId>,
) -> ApiResult<Json<ChargeBody>> {
    let hospital = &account.caller.hospital;
    let found = charges::read(&deps.db, hospital.id, id).await?.ok_or_else(Problem::not_found)?;
    let persons = bound::list(&deps.db, hospital.id, account.id).await?;
    if !persons.iter().any(|p| p.person == found.person) {
        return Err(Problem::not_found().into());
    }
    let mut body = wire::charge(hospital, &found);
    let items = charges::items(&deps.db, hospital.id, id).await?;
    body.items = items.into_iter().map(Into::into).collect();
    let all = payments::read_of_charge(&deps.db, hospital.id, id).await?;
    let paid = all.iter().filter(|one| one.state == PaymentState::Paid);
    body.payments = paid.map(|one| wire::payment(hospital, one)).collect();
    let back = refunds::read_of_charge(&deps.db, hospital.id, id).await?;
    body.refunds = back.iter().map(|one| wire::refund(hospital, one)).collect();
    let invoice = charges::invoice(&deps.db, hospital.id, id).await?;
    body.invoice = invoice.map(|one| wire::invoice(hospital, one));
    Ok(Json(body))
}
