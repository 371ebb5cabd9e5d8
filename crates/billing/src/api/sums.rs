//! For the finance office: what came in and went back, by the ledger.

use axum::Json;
use axum::extract::State;
use base::{Date, Fen, Problem};
use edge::{ApiQuery, ApiResult, Staff};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::BillingDeps;
use crate::problems;
use crate::store::takings::{self, OfAccount, OfPlace, Sums};

/// The longest time that is summed: a quarter.
const MOST_DAYS: usize = 93;

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

#[cfg(test)]
mod tests {
    use edge::StaffId;

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
