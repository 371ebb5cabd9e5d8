//! For the finance office: what came in, the bill behind a number, and who did what.

use axum::Json;
use axum::extract::State;
use base::{Date, Fen, Problem, Text2};
use edge::schema::Text2Schema;
use edge::{ApiPath, ApiQuery, ApiResult, Hospital, Page, Staff, StaffId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::wire::{self, ChargeBody, LedgerEntry};
use crate::BillingDeps;
use crate::model::{Charge, ChargeId, ChargeState, PaymentId, RefundId};
use crate::problems;
use crate::store::takings::{self, OfAccount, OfPlace, Sums};
use crate::store::{charge as charges, ledger as books, payment as payments, refund as refunds};

/// The longest time that is summed: a quarter.
const MOST_DAYS: usize = 93;
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

/// Which days.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SumsQuery {
    /// The first day.
    #[param(value_type = String)]
    from: Date,
    /// The last day.
    #[param(value_type = String)]
    to: Date,
}

/// What came in and went back under one heading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct TakingsSum {
    /// A channel (`wechatpay`, `alipay`, `insurance_gov`, `insurance_own`, `insurance_other`, `card`, `cash`), a department's id or a
    /// member of staff's. Absent for what belongs to no department, or was paid without a cashier.
    #[schema(required = false)]
    key: Option<String>,
    /// How many payments.
    payments: i64,
    /// What they brought.
    #[schema(value_type = i64)]
    received_fen: Fen,
    /// How many refunds.
    refunds: i64,
    /// What they took back.
    #[schema(value_type = i64)]
    returned_fen: Fen,
    /// What is left.
    #[schema(value_type = i64)]
    net_fen: Fen,
}

/// What came in and went back in some days, by the ledger. The same money three times: by who holds it, by who earns it, by who took it.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Takings {
    /// By channel. Each part of an insured payment counts in its own.
    channels: Vec<TakingsSum>,
    /// By department.
    departments: Vec<TakingsSum>,
    /// By cashier; without one: online.
    cashiers: Vec<TakingsSum>,
    /// Everything.
    total: TakingsSum,
}

/// What came in and went back, by channel, department and cashier.
#[utoipa::path(get, path = "/api/v1/staff/billing/sums", tag = "billing", params(SumsQuery),
    responses((status = 200, body = Takings), (status = 422, description = "range_invalid", body = edge::problem::ProblemBody)))]
pub(super) async fn sums(
    State(deps): State<BillingDeps>,
    staff: Staff,
    ApiQuery(query): ApiQuery<SumsQuery>,
) -> ApiResult<Json<Takings>> {
    let h = &staff.caller.hospital;
    let end = end_of(query.from, query.to)?;
    let wall = base::WallTime::default();
    let time = (h.zone.at(query.from, wall), h.zone.at(end, wall));
    let accounts = takings::by_account(&deps.db, h.id, time).await?;
    let places = takings::by_place(&deps.db, h.id, time).await?;
    Ok(Json(added_up(&accounts, &places)))
}

/// The day after the last one, when the days are in order and not too many.
fn end_of(from: Date, to: Date) -> Result<Date, Problem> {
    let mut end = from;
    for _ in 0..MOST_DAYS {
        let next = end.tomorrow().map_err(|_| problems::range_invalid())?;
        if end == to {
            return Ok(next);
        }
        end = next;
    }
    Err(problems::range_invalid())
}

/// The channel that an account of the ledger belongs to.
fn channel(account: &str) -> &'static str {
    let mut parts = account.split(':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("cash-desk"), ..) => "cash",
        (_, Some("wechatpay"), _) => "wechatpay",
        (_, Some("alipay"), _) => "alipay",
        (_, Some("insurance"), Some("gov")) => "insurance_gov",
        (_, Some("insurance"), Some("own")) => "insurance_own",
        (_, Some("insurance"), _) => "insurance_other",
        (_, Some("card"), _) => "card",
        _ => "other",
    }
}

fn added_up(accounts: &[OfAccount], places: &[OfPlace]) -> Takings {
    let of_channels = accounts.iter().map(|one| (Some(channel(&one.0).to_owned()), one.1));
    let of_departments = places.iter().map(|one| (one.department.clone(), one.sums));
    let of_cashiers = places.iter().map(|one| (one.staff.map(|id| id.to_string()), one.sums));
    let total = places.iter().map(|one| (None, one.sums));
    Takings {
        channels: grouped(of_channels),
        departments: grouped(of_departments),
        cashiers: grouped(of_cashiers),
        total: grouped(total).pop().unwrap_or_else(|| heading(None, Sums::default())),
    }
}

fn heading(key: Option<String>, sums: Sums) -> TakingsSum {
    TakingsSum {
        key,
        payments: sums.payments,
        received_fen: sums.received,
        refunds: sums.refunds,
        returned_fen: sums.returned,
        net_fen: Fen(sums.received.0.saturating_sub(sums.returned.0)),
    }
}

/// Sums under the same heading added, the largest first.
fn grouped(rows: impl Iterator<Item = (Option<String>, Sums)>) -> Vec<TakingsSum> {
    let mut found = std::collections::BTreeMap::<Option<String>, Sums>::new();
    for (key, more) in rows {
        let sum = found.entry(key).or_default();
        sum.payments = sum.payments.saturating_add(more.payments);
        sum.received = Fen(sum.received.0.saturating_add(more.received.0));
        sum.refunds = sum.refunds.saturating_add(more.refunds);
        sum.returned = Fen(sum.returned.0.saturating_add(more.returned.0));
    }
    let mut found: Vec<_> = found.into_iter().map(|(key, sums)| heading(key, sums)).collect();
    found.sort_by_key(|one| std::cmp::Reverse(one.received_fen));
    found
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

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(payments: i64, received: i64, returned: i64) -> Sums {
        Sums { payments, received: Fen(received), refunds: 1, returned: Fen(returned) }
    }

    #[test]
    fn the_same_money_adds_up_three_times() {
        let clerk = StaffId::new();
        let place = |department: Option<&str>, staff: Option<StaffId>, sums: Sums| OfPlace {
            department: department.map(str::to_owned),
            staff,
            sums,
        };
        let accounts = [
            OfAccount("cash-desk:sft_1".into(), sums(1, 1000, 0)),
            OfAccount("cash-desk:sft_2".into(), sums(2, 500, 100)),
            OfAccount("clearing:wechatpay:1900".into(), sums(3, 9000, 0)),
            OfAccount("clearing:insurance:gov".into(), sums(1, 700, 0)),
        ];
        let places = [
            place(Some("dep_a"), None, sums(4, 9700, 0)),
            place(Some("dep_a"), Some(clerk), sums(1, 1000, 0)),
            place(None, Some(clerk), sums(2, 500, 100)),
        ];
        let all = added_up(&accounts, &places);
        let keys = |rows: &[TakingsSum]| -> Vec<String> {
            rows.iter().map(|one| one.key.clone().unwrap_or_default()).collect()
        };
        assert_eq!(keys(&all.channels), ["wechatpay", "cash", "insurance_gov"]);
        assert_eq!(keys(&all.departments), ["dep_a".to_owned(), String::new()]);
        assert_eq!(keys(&all.cashiers), [String::new(), clerk.to_string()]);
        assert_eq!(
            (all.total.payments, all.total.received_fen, all.total.net_fen),
            (7, Fen(11_200), Fen(11_100))
        );
        for rows in [&all.channels, &all.departments, &all.cashiers] {
            assert_eq!(rows.iter().map(|one| one.net_fen.0).sum::<i64>(), all.total.net_fen.0);
        }
        assert_eq!(added_up(&[], &[]).total, heading(None, Sums::default()));
    }

    #[test]
    fn days_are_in_order_and_a_quarter_at_most() {
        let date = |text: &str| text.parse::<Date>().unwrap();
        assert_eq!(end_of(date("2026-11-30"), date("2026-11-30")).unwrap(), date("2026-12-01"));
        assert_eq!(end_of(date("2026-10-01"), date("2026-12-31")).unwrap(), date("2027-01-01"));
        assert_eq!(end_of(date("2026-12-01"), date("2026-11-30")).unwrap_err().code, "range_invalid");
        assert!(end_of(date("2026-01-01"), date("2026-12-31")).is_err());
    }

    #[test]
    fn every_account_that_holds_money_has_its_channel() {
        let accounts = [
            ("clearing:wechatpay:1", "wechatpay"),
            ("clearing:alipay:2", "alipay"),
            ("clearing:insurance:own", "insurance_own"),
            ("clearing:insurance:other", "insurance_other"),
            ("clearing:card", "card"),
            ("cash-desk:none", "cash"),
            ("bank", "other"),
        ];
        for (account, name) in accounts {
            assert_eq!(channel(account), name);
        }
    }
}
