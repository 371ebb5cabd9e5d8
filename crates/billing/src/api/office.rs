//! For the finance office: the bill behind a number, what is to be paid for a code, and who did what.

use axum::Json;
use axum::extract::State;
use base::{Fen, Problem, Text2};
use edge::schema::Text2Schema;
use edge::{ApiPath, ApiQuery, ApiResult, Hospital, Page, Staff, StaffId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::wire::{self, ChargeBody, LedgerEntry};
use crate::BillingDeps;
use crate::model::{Charge, ChargeId, ChargeState, PaymentId, RefundId};
use crate::problems;
use crate::store::takings;
use crate::store::{charge as charges, ledger as books, payment as payments, refund as refunds};

/// So many colleagues are named at a time.
const MOST_NAMES: usize = 50;

/// A charge as the office sees it: with every row of the ledger.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChargeFile {
    /// The charge; all attempts to pay it are in it.
    charge: ChargeBody,
    /// What was booked for it, the first first.
    ledger: Vec<LedgerEntry>,
}

/// All that is known of a charge.
pub(super) async fn file(deps: &BillingDeps, h: &Hospital, found: &Charge) -> Result<ChargeFile, Problem> {
    let mut body = wire::charge(h, found);
    let items = charges::items(&deps.db, h.id, found.id).await?;
    body.items = items.into_iter().map(Into::into).collect();
    let all = payments::read_of_charge(&deps.db, h.id, found.id).await?;
    body.payments = all.iter().map(|one| wire::payment(h, one)).collect();
    let back = refunds::read_of_charge(&deps.db, h.id, found.id).await?;
    body.refunds = back.iter().map(|one| wire::refund_for_staff(h, one)).collect();
    let invoice = charges::invoice(&deps.db, h.id, found.id).await?;
    body.invoice = invoice.map(|one| wire::invoice(h, one));
    let rows = books::of_charge(&deps.db, h.id, found.id).await?;
    Ok(ChargeFile { charge: body, ledger: rows.into_iter().map(|row| wire::entry(h, row)).collect() })
}

/// A charge by its own id, with all attempts, refunds and rows of the ledger.
#[utoipa::path(get, path = "/api/v1/staff/billing/charges/{id}", tag = "billing", params(("id" = String, Path)),
    responses((status = 200, body = ChargeFile), (status = 404, body = edge::problem::ProblemBody)))]
pub(super) async fn charge_of_id(
    State(deps): State<BillingDeps>,
    staff: Staff,
    ApiPath(id): ApiPath<ChargeId>,
) -> ApiResult<Json<ChargeFile>> {
    let h = &staff.caller.hospital;
    let found = charges::read(&deps.db, h.id, id).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(file(&deps, h, &found).await?))
}

/// A number to look for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct NumberQuery {
    /// A payment's, refund's, charge's or appointment's id, our order number at a platform, or the platform's own number.
    number: String,
}

/// The charges that a number belongs to: what stands on a phone's receipt, in a platform's bill, on a slip.
#[utoipa::path(get, path = "/api/v1/staff/billing/charges", tag = "billing", params(NumberQuery), responses((status = 200, body = Page<ChargeBody>)))]
pub(super) async fn find_charges(
    State(deps): State<BillingDeps>,
    staff: Staff,
    ApiQuery(query): ApiQuery<NumberQuery>,
) -> ApiResult<Json<Page<ChargeBody>>> {
    let h = &staff.caller.hospital;
    let number = query.number.trim();
    if number.is_empty() || number.chars().count() > 64 {
        return Err(problems::text_length("number", 64).into());
    }
    let mut found = Vec::new();
    if let Ok(id) = number.parse::<ChargeId>() {
        found.push(id);
    } else if let Some(payable) = deps.payables.of_subject(number) {
        let of = charges::read_of_subject(&deps.db, h.id, payable.kind(), number).await?;
        found.extend(of.map(|charge| charge.id));
    } else {
        // Ours without its prefix is the number that platforms know it by.
        let payment = number.parse::<PaymentId>().map(|id| id.db());
        let known = payment.or_else(|_| number.parse::<RefundId>().map(|id| id.db()));
        found = takings::find(&deps.db, h.id, known.as_deref().unwrap_or(number)).await?;
    }
    let mut items = Vec::with_capacity(found.len());
    for id in found {
        items.extend(charges::read(&deps.db, h.id, id).await?.map(|charge| wire::charge(h, &charge)));
    }
    Ok(Json(Page { items, next: None }))
}

/// Which thing.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ToPayQuery {
    /// What is to be paid for: an appointment's id, or the code that the patient shows for checking in.
    code: String,
}

/// What a cashier would take for a thing.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ToPay {
    /// What it is for: an appointment's id.
    subject_id: String,
    /// What it is.
    #[schema(value_type = Text2Schema)]
    title: Text2,
    /// Who is treated, with all but the first character covered.
    person_name_masked: String,
    /// The department that earns it.
    #[schema(required = false)]
    department_id: Option<String>,
    /// The day of the service.
    due_date: String,
    /// How much.
    #[schema(value_type = i64)]
    amount_fen: Fen,
    /// Until when it is kept for who has not paid.
    #[schema(required = false)]
    pay_until: Option<String>,
}

/// What is to be paid for a thing, looked at before money is taken. Nothing is written.
#[utoipa::path(get, path = "/api/v1/staff/billing/to-pay", tag = "billing", params(ToPayQuery),
    responses((status = 200, body = ToPay), (status = 404, body = edge::problem::ProblemBody), (status = 409, description = "nothing_to_pay, already_paid", body = edge::problem::ProblemBody)))]
pub(super) async fn to_pay(
    State(deps): State<BillingDeps>,
    staff: Staff,
    ApiQuery(query): ApiQuery<ToPayQuery>,
) -> ApiResult<Json<ToPay>> {
    let h = &staff.caller.hospital;
    let mut tx = deps.db.begin().await?;
    let subject = deps.payables.meant(&mut tx, h, query.code.trim()).await?.ok_or_else(Problem::not_found)?;
    let payable = deps.payables.of_subject(&subject).ok_or_else(Problem::not_found)?;
    let known = charges::of_subject(&mut tx, h.id, payable.kind(), &subject).await?;
    if known.is_some_and(|charge| charge.state == ChargeState::Settled) {
        return Err(problems::already_paid().into());
    }
    let bill = payable.bill(&mut tx, h, &subject, None).await?.ok_or_else(problems::nothing_to_pay)?;
    let facts = people::patients::facts(&mut tx, h.id, bill.person).await?;
    tx.rollback().await?;
    let amount = bill.items.iter().try_fold(Fen::ZERO, |sum, item| sum.checked_add(item.amount()?));
    Ok(Json(ToPay {
        subject_id: subject,
        title: bill.title,
        person_name_masked: facts.map(|one| one.name_masked).unwrap_or_default(),
        department_id: bill.department,
        due_date: bill.due.to_string(),
        amount_fen: amount.ok_or_else(Problem::internal)?,
        pay_until: bill.pay_until.map(|at| h.rfc3339(at)),
    }))
}

/// Whose names.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ColleaguesQuery {
    /// Ids of staff (`stf_…`), joined by commas; at most fifty.
    ids: String,
}

/// A colleague who took, gave back or decided something.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Colleague {
    /// The id.
    id: String,
    /// The name to sign in with.
    login: String,
    /// The real name with all but its first character covered.
    name_masked: String,
}

/// Who members of staff are that stand in shifts, refunds and explanations. Unknown ids are left out.
#[utoipa::path(get, path = "/api/v1/staff/billing/colleagues", tag = "billing", params(ColleaguesQuery), responses((status = 200, body = Page<Colleague>)))]
pub(super) async fn colleagues(
    State(deps): State<BillingDeps>,
    staff: Staff,
    ApiQuery(query): ApiQuery<ColleaguesQuery>,
) -> ApiResult<Json<Page<Colleague>>> {
    let h = &staff.caller.hospital;
    let mut items = Vec::new();
    for id in query.ids.split(',').take(MOST_NAMES).filter_map(|id| id.trim().parse::<StaffId>().ok()) {
        if let Some(brief) = people::staff::brief(&deps.db, h.id, id).await? {
            let (login, name_masked) = (brief.login, brief.name_masked);
            items.push(Colleague { id: id.to_string(), login, name_masked });
        }
    }
    Ok(Json(Page { items, next: None }))
}
