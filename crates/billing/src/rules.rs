//! What follows from what was said. Pure: no clock, no database.

use std::time::Duration;

use base::{Fen, UnixMs};

use crate::model::{Payment, PaymentState, Refund, RefundState, Shares, Way};
use crate::observation::{BackState, Observation, OrderState, Said};

/// Whose contract something was said under, to hold it against what was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Contract<'a> {
    /// The merchant number.
    pub merchant: &'a str,
    /// The app.
    pub app: &'a str,
}

/// In what something differs from what we know. Never a reason to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Differs {
    /// Another merchant.
    Merchant,
    /// Another app.
    App,
    /// Another currency than yuan.
    Currency,
    /// Another amount: this one. Its parts may not make the whole.
    Amount(Fen),
    /// It says paid, and not how much.
    NoAmount,
}

/// What follows for a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: it is known, or old news.
    Nothing,
    /// Ask the platform, now: this was a hint and no proof of the whole.
    Ask,
    /// The platform waits for the payer.
    Waits,
    /// It ended unpaid.
    Closes,
    /// All of it has come, from these.
    Paid(Shares),
    /// Only the payer's own money has come; it is owed back.
    CashOnly(Fen),
    /// An incident: nothing of the order moves.
    Incident(Differs),
}

/// Holds what was said against the contract.
///
/// # Errors
/// The first difference.
pub fn fits(observation: &Observation, contract: Contract<'_>) -> Result<(), Differs> {
    // An empty field was not said: there the key alone proves whose it is.
    let other = |said: &str, ours: &str| !said.is_empty() && said != ours;
    if other(&observation.merchant, contract.merchant) {
        return Err(Differs::Merchant);
    }
    if other(&observation.app, contract.app) {
        return Err(Differs::App);
    }
    if observation.yuan { Ok(()) } else { Err(Differs::Currency) }
}

/// What follows for a payment from what was said of its order.
#[must_use]
pub fn judge(payment: &Payment, contract: Contract<'_>, observation: &Observation) -> Verdict {
    let Said::Order { state, total, shares, .. } = &observation.said else { return Verdict::Nothing };
    if let Err(differs) = fits(observation, contract) {
        return Verdict::Incident(differs);
    }
    let paid_before = payment.state == PaymentState::Paid;
    match state {
        // Paid stays paid; what else is said of it is old news or about a refund.
        _ if paid_before => Verdict::Nothing,
        OrderState::Waiting | OrderState::Paying if payment.state == PaymentState::New => Verdict::Waits,
        OrderState::Waiting | OrderState::Paying | OrderState::Unknown(_) => Verdict::Nothing,
        OrderState::Closed if payment.state == PaymentState::Closed => Verdict::Nothing,
        // The cash part of an insured order may be closed while the whole lives: only the whole's word counts.
        OrderState::Closed if payment.way == Way::Insurance && total.is_some() && shares.is_none() => {
            Verdict::Ask
        }
        OrderState::Closed => Verdict::Closes,
        OrderState::CashOnly => match shares {
            Some(shares) if shares.cash > Fen::ZERO => Verdict::CashOnly(shares.cash),
            _ => Verdict::Ask,
        },
        OrderState::Paid => paid(payment, *total, *shares),
    }
}

fn paid(payment: &Payment, total: Option<Fen>, shares: Option<Shares>) -> Verdict {
    let Some(total) = total else { return Verdict::Incident(Differs::NoAmount) };
    if payment.way == Way::Insurance {
        // A word about the cash part alone proves nothing of the whole.
        let Some(shares) = shares else { return Verdict::Ask };
        let whole = total == payment.total && shares.make(total);
        return if whole { Verdict::Paid(shares) } else { Verdict::Incident(Differs::Amount(total)) };
    }
    if total == payment.total {
        Verdict::Paid(payment.shares)
    } else {
        Verdict::Incident(Differs::Amount(total))
    }
}

/// What follows for a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundVerdict {
    /// Nothing.
    Nothing,
    /// It goes there.
    Becomes(RefundState),
    /// An incident.
    Incident(Differs),
}

/// What follows for a refund from what was said of it.
#[must_use]
pub fn judge_refund(refund: &Refund, contract: Contract<'_>, observation: &Observation) -> RefundVerdict {
    let Said::Refund { state, amount, .. } = &observation.said else { return RefundVerdict::Nothing };
    if let Err(differs) = fits(observation, contract) {
        return RefundVerdict::Incident(differs);
    }
    // Of an insured payment the bureau has had its part back before; what moves now is the cash.
    let expected = refund.shares.cash;
    if let Some(amount) = amount
        && *amount != expected
    {
        return RefundVerdict::Incident(Differs::Amount(*amount));
    }
    let next = match state {
        BackState::Processing => RefundState::Sent,
        BackState::Done => RefundState::Done,
        BackState::Closed => RefundState::Closed,
        BackState::Abnormal => RefundState::Abnormal,
        BackState::Unknown => return RefundVerdict::Nothing,
    };
    if refund.state.may_become(next) { RefundVerdict::Becomes(next) } else { RefundVerdict::Nothing }
}

const SECOND: u64 = 1000;

/// How long after the last question the platform is asked again about an open order: 5 s, 30 s, 1, 3, 5, 10 minutes, then every
/// 30, as the platforms advise.
#[must_use]
pub fn ask_again(tries: i64) -> Duration {
    let seconds = match tries {
        ..=0 => 5,
        1 => 25,
        2 => 30,
        3 => 120,
        4 => 120,
        5 => 300,
        _ => 1800,
    };
    Duration::from_millis(seconds * SECOND)
}

/// The same for a refund that is under way: each minute at first, then slower, without an end: banks take days.
#[must_use]
pub fn ask_refund_again(tries: i64) -> Duration {
    let minutes = match tries {
        ..=5 => 1,
        6..=10 => 10,
        11..=30 => 60,
        _ => 6 * 60,
    };
    Duration::from_secs(minutes * 60)
}

/// After an unclear answer: 2, 4, 8 … seconds, at most ten minutes.
#[must_use]
pub fn after_doubt(tries: i64) -> Duration {
    let power = u32::try_from(tries.clamp(0, 9)).unwrap_or(9);
    Duration::from_secs((2_u64 << power).min(600))
}

/// When an order is to be closed: at its end, never while the bureau may be settling it.
#[must_use]
pub fn is_over(payment: &Payment, settling: bool, now: UnixMs) -> bool {
    !settling && (payment.closing || now >= payment.expires_at)
}
