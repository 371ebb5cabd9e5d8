//! The ledger: every fen that moved, from where to where, and because of what.
//!
//! A row debits one account and credits another with the same amount, so that every transaction sums to zero by its very
//! shape. Rows are only ever added (triggers in `0002_append_only`), each under a text that says what it is about and is
//! unique: nothing is booked twice, whatever is repeated. Balances are sums.
//!
//! Accounts, as text: `clearing:wechatpay:{mchid}`, `clearing:alipay:{seller}`, `clearing:insurance:gov|own|other`,
//! `clearing:card` (what others hold for us), `cash-desk:{shift}`, `obligation:{charge}` (what we owe the patient: the service
//! or the money), `revenue:{department}`, `refunds-in-flight`, `suspense`, `cash-differences`, `bank`, `fees:{provider}`.

use base::Fen;
use store::{Result, Tx};

use crate::model::{ChargeId, EntryId, ObservationId, Payment, PaymentId, RefundId, Shares, ShiftId, Way};
use crate::store::ledger as sql;

/// What others hold for us, or we in a drawer.
pub const SUSPENSE: &str = "suspense";
/// Promised to payers, not yet with them.
pub const IN_FLIGHT: &str = "refunds-in-flight";
/// Where a drawer's count and the books differ.
pub const CASH_DIFFERENCES: &str = "cash-differences";
/// The hospital's bank account.
pub const BANK: &str = "bank";

/// What we owe for a charge that is paid: the service, or the money.
#[must_use]
pub fn obligation(charge: ChargeId) -> String {
    format!("obligation:{charge}")
}

/// What a department has earned.
#[must_use]
pub fn revenue(department: Option<&str>) -> String {
    format!("revenue:{}", department.unwrap_or("none"))
}

/// A cashier's drawer during a shift.
#[must_use]
pub fn cash_desk(shift: ShiftId) -> String {
    format!("cash-desk:{shift}")
}

/// Why a row is there, and who is behind it.
#[derive(Debug, Clone, Default)]
pub struct Cause {
    /// Of which charge.
    pub charge: Option<ChargeId>,
    /// Of which payment.
    pub payment: Option<PaymentId>,
    /// Of which refund.
    pub refund: Option<RefundId>,
    /// In which shift.
    pub shift: Option<ShiftId>,
    /// What was observed.
    pub observation: Option<ObservationId>,
    /// Who: a member of staff, or the key that proved it.
    pub by: String,
    /// In which request, where a person made one.
    pub request: String,
}

/// A movement of money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// What it is about; unique.
    pub once: String,
    /// The account that it goes to (Dr).
    pub debit: String,
    /// The account that it comes from (Cr).
    pub credit: String,
    /// How much; above zero.
    pub amount: Fen,
}

/// Books movements. Nothing is booked for parts of nothing. Gives whether they were new; those that are there already stay as
/// they are.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn book(
    tx: &mut Tx,
    hospital: base::HospitalId,
    movements: &[Movement],
    cause: &Cause,
) -> Result<bool> {
    let mut new = false;
    for movement in movements.iter().filter(|one| one.amount > Fen::ZERO) {
        new |= sql::add(tx, hospital, EntryId::new(), movement, cause).await?;
    }
    Ok(new)
}

/// Where each part of a payment's money is held.
#[must_use]
pub fn clearing(payment: &Payment, merchant: &str) -> [(String, Fen); 4] {
    let shares = payment.shares;
    insured_and(shares, held(payment.way, payment.shift, merchant))
}

/// The account in which somebody holds what came by a way.
#[must_use]
pub fn held(way: Way, shift: Option<ShiftId>, merchant: &str) -> String {
    match way {
        Way::Cash => shift.map_or_else(|| "cash-desk:none".to_owned(), cash_desk),
        Way::Card => "clearing:card".to_owned(),
        Way::AlipayWap | Way::AlipayCode => format!("clearing:alipay:{merchant}"),
        Way::WechatJsapi | Way::WechatH5 | Way::WechatNative | Way::Insurance => {
            format!("clearing:wechatpay:{merchant}")
        }
    }
}

/// The insurance's accounts for its parts, and `cash` for the rest.
#[must_use]
pub fn insured_and(shares: Shares, cash: String) -> [(String, Fen); 4] {
    [
        ("clearing:insurance:gov".to_owned(), shares.gov),
        ("clearing:insurance:own".to_owned(), shares.own),
        ("clearing:insurance:other".to_owned(), shares.other),
        (cash, shares.cash),
    ]
}

/// Money has come: out of nowhere into who holds it, owed to `credit`.
#[must_use]
pub fn received(payment: &Payment, merchant: &str, credit: &str) -> Vec<Movement> {
    let parts = clearing(payment, merchant);
    let row = |(nth, (account, amount)): (usize, (String, Fen))| Movement {
        once: format!("paid:{}:{nth}", payment.id),
        debit: account,
        credit: credit.to_owned(),
        amount,
    };
    parts.into_iter().enumerate().map(row).collect()
}
