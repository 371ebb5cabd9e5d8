//! The one place where money changes state.
//!
//! A notice, the answer to a question, a line of a bill and a cashier's deed all come as an [`Observation`]; [`apply`] decides
//! under a lock what follows, and books it. Applying the same again, or in another order, ends in the same state and ledger:
//! moves go one way only ([`crate::model::PaymentState::may_become`]), and every row of the ledger has a name of its own.
//!
//! The service is given in the same transaction ([`crate::Payable::paid`]). What was paid for nothing (late, or twice) goes
//! back by itself: the wish for that refund is a row of this transaction, too.

mod back;
mod order;

use base::Fen;
use edge::Hospital;
use store::{NewEvent, Result, Tx};

use crate::ledger::{self, Cause, Movement};
use crate::model::{
    ObservationId, PayAccountId, Payment, ShiftId, SuspenseId, SuspenseReason, SuspenseState,
};
use crate::observation::{Observation, Said};
use crate::payable::Payables;
use crate::rules::{Contract, Differs};
use crate::store::ledger::{self as books, Suspended};

/// Something observed, with all that is needed to judge it.
pub struct Seen<'a> {
    /// In which hospital.
    pub hospital: &'a Hospital,
    /// Under which contract; `None` for the desk.
    pub account: Option<PayAccountId>,
    /// What that contract's orders must say.
    pub contract: Contract<'a>,
    /// Under which id it is kept.
    pub id: ObservationId,
    /// What.
    pub observation: &'a Observation,
    /// In whose shift, at the desk.
    pub shift: Option<ShiftId>,
    /// In which request, where a person made one.
    pub request: &'a str,
}

/// What came of an observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// A person must look.
    pub incident: bool,
    /// Something changed.
    pub changed: bool,
    /// In a few words, for those who look.
    pub outcome: String,
}

impl Applied {
    fn fine(outcome: impl Into<String>) -> Self {
        Self { incident: false, changed: true, outcome: outcome.into() }
    }

    fn nothing(outcome: &str) -> Self {
        Self { incident: false, changed: false, outcome: outcome.to_owned() }
    }

    fn incident(outcome: impl Into<String>) -> Self {
        Self { incident: true, changed: true, outcome: outcome.into() }
    }
}

/// Does what follows from an observation. The caller has written it down, and marks it in this same transaction.
///
/// # Errors
/// Any [`store::StoreError`]; nothing of it stays then, and it is applied again later.
pub async fn apply(tx: &mut Tx, payables: &Payables, seen: &Seen<'_>) -> Result<Applied> {
    let applied = match &seen.observation.said {
        Said::Order { .. } => order::apply(tx, payables, seen).await?,
        Said::Refund { .. } => back::apply(tx, payables, seen).await?,
        Said::Other(kind) => Applied::incident(format!("an event that we do not know: {kind}")),
    };
    if applied.incident {
        metrics::counter!("billing_incidents").increment(1);
        tracing::error!(observation = %seen.id, outcome = applied.outcome, "money was observed that a person must look at");
    }
    Ok(applied)
}

impl Seen<'_> {
    fn cause(&self, payment: Option<&Payment>) -> Cause {
        Cause {
            charge: payment.map(|p| p.charge),
            payment: payment.map(|p| p.id),
            refund: None,
            shift: self.shift,
            observation: Some(self.id),
            by: self.observation.by.clone(),
            request: self.request.to_owned(),
        }
    }

    /// What holds the money of this contract.
    fn holder(&self, payment: Option<&Payment>) -> String {
        match payment {
            Some(payment) => ledger::held(payment.way, payment.shift, self.contract.merchant),
            None => format!("clearing:{}", self.contract.merchant),
        }
    }

    /// Whether the number belongs to this contract: one platform's word says nothing about another's order.
    fn is_ours(&self, payment: &Payment) -> bool {
        payment.pay_account == self.account
    }
}

/// Writes down money that came and can't be placed. `held`: who holds it. When `booked` it stands in the ledger, too.
async fn suspend(
    tx: &mut Tx,
    seen: &Seen<'_>,
    payment: Option<&Payment>,
    amount: Fen,
    reason: SuspenseReason,
    state: SuspenseState,
) -> Result<bool> {
    let account = seen.holder(payment);
    let row = Suspended {
        id: SuspenseId::new(),
        observation: seen.id,
        payment: payment.map(|p| p.id),
        account: account.clone(),
        number: seen.observation.number.clone(),
        amount,
        reason,
        state,
        owner: None,
        opened_at: tx.now(),
        note: None,
    };
    books::suspend(tx, seen.hospital.id, &row).await
}

/// Books money into suspense (or out of it, for a refund that we did not send).
async fn book_suspense(
    tx: &mut Tx,
    seen: &Seen<'_>,
    payment: Option<&Payment>,
    amount: Fen,
    outwards: bool,
) -> Result<()> {
    let holder = seen.holder(payment);
    let (debit, credit) =
        if outwards { (ledger::SUSPENSE.to_owned(), holder) } else { (holder, ledger::SUSPENSE.to_owned()) };
    // The same word may come by several ways (notice, question, bill): it is about one amount of one order all the same.
    let once = match &seen.observation.said {
        Said::Refund { refund, .. } => format!("foreign:{}:{refund}", seen.contract.merchant),
        _ => format!("unplaced:{}:{}", seen.contract.merchant, seen.observation.number),
    };
    let movement = Movement { once, debit, credit, amount };
    if ledger::book(tx, seen.hospital.id, &[movement], &seen.cause(payment)).await? {
        let (reason, state) = match (&seen.observation.said, payment) {
            (Said::Refund { .. }, _) => (SuspenseReason::ForeignRefund, SuspenseState::Open),
            (_, Some(_)) => (SuspenseReason::OtherAmount, SuspenseState::Open),
            (_, None) => (SuspenseReason::UnknownOrder, SuspenseState::Open),
        };
        suspend(tx, seen, payment, amount, reason, state).await?;
    }
    Ok(())
}

/// A difference, in words.
fn words(differs: Differs) -> String {
    match differs {
        Differs::Merchant => "another merchant".into(),
        Differs::App => "another app".into(),
        Differs::Currency => "another currency".into(),
        Differs::Amount(fen) => format!("another amount: {fen}"),
        Differs::NoAmount => "paid, without an amount".into(),
    }
}

/// Tells whoever wants to know.
async fn publish(
    tx: &mut Tx,
    payment: &Payment,
    kind: &'static str,
    payload: serde_json::Value,
) -> Result<()> {
    tx.publish(NewEvent { hospital: payment.hospital, kind, key: payment.charge.to_string(), payload }).await
}
