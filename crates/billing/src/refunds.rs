//! What goes back: wished for in one transaction with its reason, sent later by [`send`], and done when the platform says so.
//!
//! The money is promised (out of what we owe, of revenue or of suspense, into `refunds-in-flight`) when the wish is written down and approved,
//! and leaves who holds it when it is done. A payment's `returning_fen` keeps all of its refunds together within
//! what was paid, by a constraint.

pub(crate) mod send;

use base::{Fen, HospitalId, Problem};
use edge::{Caller, Staff};
use store::{NewEvent, Result, StoreError, Topic, Tx};

use crate::ledger::{self, Cause, Movement};
use crate::model::{
    Charge, ChargeState, Effect, InsuranceStage, Payment, PaymentId, PaymentState, Refund, RefundId,
    RefundReason, RefundState, Shares,
};
use crate::problems;
use crate::settings::Settings;
use crate::store::{charge as charges, payment as payments, refund as sql};

/// A wish to give something back.
pub(crate) struct Wish<'a> {
    pub(crate) amount: Fen,
    pub(crate) reason: RefundReason,
    /// Out of which account of the ledger.
    pub(crate) source: String,
    pub(crate) asked_by: &'a str,
    pub(crate) needs_approval: bool,
    pub(crate) note: Option<String>,
    pub(crate) again_of: Option<&'a Refund>,
    pub(crate) cause: Cause,
}

/// Writes a wish down. `None` when there is not so much left of the payment. The caller holds the payment's lock.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) async fn wish(tx: &mut Tx, payment: &Payment, wish: Wish<'_>) -> Result<Option<Refund>> {
    let whole = wish.amount == payment.total;
    let shares = match wish.again_of {
        Some(before) => before.shares,
        None if whole => payment.shares,
        None => Shares::cash(wish.amount),
    };
    if wish.amount <= Fen::ZERO || !payments::reserve(tx, payment.hospital, payment.id, wish.amount).await? {
        return Ok(None);
    }
    let id = RefundId::new();
    // Nobody but a cashier can hand cash back; a card goes through the terminal again.
    let state = match (wish.needs_approval, payment.way.is_desk()) {
        (true, _) => RefundState::Asked,
        (false, true) => RefundState::Abnormal,
        (false, false) => RefundState::Wanted,
    };
    let insurance = match wish.again_of {
        Some(before) => before.insurance,
        None if shares.is_insured() => InsuranceStage::Wanted,
        None => InsuranceStage::None,
    };
    let refund = Refund {
        hospital: payment.hospital,
        id,
        payment: payment.id,
        charge: payment.charge,
        number: id.db(),
        amount: wish.amount,
        shares,
        reason: wish.reason,
        note: wish.note,
        source: wish.source,
        state,
        insurance,
        asked_by: wish.asked_by.to_owned(),
        approved_by: None,
        again_of: wish.again_of.map(|before| before.id),
        provider_no: None,
        next_at: (state == RefundState::Wanted).then(|| tx.now()),
        tries: 0,
        error: None,
        created_at: tx.now(),
        ended_at: None,
    };
    if !sql::insert(tx, &refund).await? {
        payments::release(tx, payment.hospital, payment.id, wish.amount).await?;
        return Ok(None);
    }
    tx.touch(Topic::new("charge", payment.charge));
    tx.touch(crate::wake());
    if state != RefundState::Asked {
        promise(tx, payment, &refund, &Cause { refund: Some(id), ..wish.cause }).await?;
    }
    Ok(Some(refund))
}

/// Books the promise, and sees whether all of the charge is going back now.
async fn promise(tx: &mut Tx, payment: &Payment, refund: &Refund, cause: &Cause) -> Result<()> {
    let row = Movement {
        once: format!("wanted:{}", refund.id),
        debit: refund.source.clone(),
        credit: ledger::IN_FLIGHT.to_owned(),
        amount: refund.in_flight(),
    };
    ledger::book(tx, refund.hospital, &[row], cause).await?;
    if payment.effect == Some(Effect::Served) {
        let all = sql::of_payment(tx, refund.hospital, payment.id).await?;
        let back: i64 = all
            .iter()
            .filter(|one| one.state.holds_amount() && one.state != RefundState::Asked)
            .map(|one| one.amount.0)
            .sum();
        if back == payment.total.0 {
            charges::set_state(tx, refund.hospital, refund.charge, ChargeState::Returned).await?;
            charges::reversed(tx, refund.hospital, refund.charge).await?;
        }
    }
    tx.publish(NewEvent {
        hospital: refund.hospital,
        kind: crate::REFUND_WANTED,
        key: refund.charge.to_string(),
        payload: serde_json::json!({"charge": refund.charge, "refund": refund.id}),
    })
    .await
}

/// Where the money of a charge that is paid stands: owed, or earned.
fn source(charge: &Charge) -> String {
    if charge.recognised_at.is_some() {
        ledger::revenue(charge.department.as_deref())
    } else {
        ledger::obligation(charge.id)
    }
}

/// The thing that was paid for is given up: what is owed for it is not owed any more, and what was paid goes back. Doing so again changes
/// nothing. The caller holds the locks of [`crate::Payable::lock`].
///
/// # Errors
/// Any [`StoreError`].
pub async fn give_up(
    tx: &mut Tx,
    hospital: HospitalId,
    kind: &str,
    subject: &str,
    reason: RefundReason,
    by: &str,
) -> Result<()> {
    let Some(found) = charges::of_subject(tx, hospital, kind, subject).await? else { return Ok(()) };
    let charge = charges::lock(tx, hospital, found.id).await?.ok_or(StoreError::NoRow)?;
    let Some(served) = charge.served_by else {
        if charge.state == ChargeState::Open {
            charges::set_state(tx, hospital, charge.id, ChargeState::Void).await?;
            payments::close_others(tx, hospital, charge.id, "").await?;
            tx.touch(crate::wake());
        }
        return Ok(());
    };
    let payment = payments::lock(tx, hospital, served).await?.ok_or(StoreError::NoRow)?;
    let left = Fen(payment.total.0.saturating_sub(payment.returning.0));
    if left <= Fen::ZERO {
        return Ok(());
    }
    let cause =
        Cause { charge: Some(charge.id), payment: Some(payment.id), by: by.to_owned(), ..Cause::default() };
    let wanted = Wish {
        amount: left,
        reason,
        source: source(&charge),
        asked_by: by,
        needs_approval: false,
        note: None,
        again_of: None,
        cause,
    };
    wish(tx, &payment, wanted).await?;
    Ok(())
}

/// What the desk asks for.
pub(crate) struct Ask {
    pub(crate) payment: PaymentId,
    pub(crate) amount: Fen,
    pub(crate) note: String,
}

/// A cashier asks for a refund, of all or a part. From the hospital's limit on it waits for a second person.
///
/// # Errors
/// 404; 409 `not_refundable`, `refund_too_much`, `insured_whole`.
pub(crate) async fn ask(tx: &mut Tx, staff: &Staff, ask: Ask) -> std::result::Result<Refund, Problem> {
    let caller = &staff.caller;
    let h = caller.hospital.id;
    let found = payments::get(tx, h, ask.payment).await?.ok_or_else(Problem::not_found)?;
    let charge = charges::lock(tx, h, found.charge).await?.ok_or_else(Problem::not_found)?;
    let payment = payments::lock(tx, h, ask.payment).await?.ok_or_else(Problem::not_found)?;
    if payment.state != PaymentState::Paid || payment.effect != Some(Effect::Served) {
        return Err(problems::not_refundable());
    }
    let left = Fen(payment.total.0.saturating_sub(payment.returning.0));
    if ask.amount <= Fen::ZERO || ask.amount > left {
        return Err(problems::refund_too_much(left));
    }
    if payment.shares.is_insured() && ask.amount != payment.total {
        return Err(problems::insured_whole());
    }
    let settings: Settings = caller.hospital.settings(Settings::SECTION);
    let asked_by = staff.id.to_string();
    let cause = Cause {
        charge: Some(charge.id),
        payment: Some(payment.id),
        by: asked_by.clone(),
        request: caller.request_id.to_string(),
        ..Cause::default()
    };
    let wanted = Wish {
        amount: ask.amount,
        reason: RefundReason::Desk,
        source: source(&charge),
        asked_by: &asked_by,
        needs_approval: ask.amount >= settings.approve_from_fen,
        note: Some(ask.note),
        again_of: None,
        cause,
    };
    let refund = wish(tx, &payment, wanted).await?.ok_or_else(|| problems::refund_too_much(left))?;
    let detail =
        serde_json::json!({"payment": payment.id, "amount_fen": refund.amount, "state": refund.state});
    tx.audit(caller.audit("billing.refund.ask", refund.id, detail)).await?;
    Ok(refund)
}

/// A second person approves a refund, or does not.
///
/// # Errors
/// 404; 403 `second_person_needed` for who asked; 409 `already_decided`.
pub(crate) async fn decide(
    tx: &mut Tx,
    staff: &Staff,
    id: RefundId,
    approve: bool,
    why: &str,
) -> std::result::Result<Refund, Problem> {
    let caller = &staff.caller;
    let h = caller.hospital.id;
    let found = sql::get(tx, h, id).await?.ok_or_else(Problem::not_found)?;
    let charge = charges::lock(tx, h, found.charge).await?.ok_or_else(Problem::not_found)?;
    let payment = payments::lock(tx, h, found.payment).await?.ok_or_else(Problem::not_found)?;
    let refund = sql::lock(tx, h, id).await?.ok_or_else(Problem::not_found)?;
    if refund.state != RefundState::Asked {
        return Err(problems::already_decided());
    }
    let by = staff.id.to_string();
    if approve && by == refund.asked_by {
        return Err(problems::second_person());
    }
    if approve {
        // Between asking and approving it may have become revenue.
        let refund = Refund { source: source(&charge), ..refund.clone() };
        approve_it(tx, &payment, &refund, &by, caller).await?;
    } else {
        sql::declined(tx, h, id, why).await?;
        payments::release(tx, h, payment.id, refund.amount).await?;
    }
    let action = if approve { "billing.refund.approve" } else { "billing.refund.decline" };
    tx.audit(caller.audit(action, id, serde_json::json!({"amount_fen": refund.amount, "why": why}))).await?;
    sql::get(tx, h, id).await?.ok_or_else(Problem::not_found)
}

async fn approve_it(
    tx: &mut Tx,
    payment: &Payment,
    refund: &Refund,
    by: &str,
    caller: &Caller,
) -> Result<()> {
    sql::approved(tx, refund, by, payment.way.is_desk()).await?;
    tx.touch(crate::wake());
    let cause = Cause {
        charge: Some(refund.charge),
        payment: Some(payment.id),
        refund: Some(refund.id),
        by: by.to_owned(),
        request: caller.request_id.to_string(),
        ..Cause::default()
    };
    let approved = Refund { state: RefundState::Wanted, ..refund.clone() };
    // Read again: the promise sums over what stands in the table now.
    promise(tx, payment, &approved, &cause).await
}

/// The bureau has its part back: it leaves the insurance's accounts.
pub(crate) async fn returned(tx: &mut Tx, refund: &Refund, by: &str) -> Result<()> {
    let insured = Shares { cash: Fen::ZERO, ..refund.shares };
    let rows: Vec<Movement> = ledger::insured_and(insured, "clearing:none".to_owned())
        .into_iter()
        .enumerate()
        .map(|(nth, (account, amount))| Movement {
            once: format!("returned:{}:{nth}", refund.again_of.unwrap_or(refund.id)),
            debit: ledger::IN_FLIGHT.to_owned(),
            credit: account,
            amount,
        })
        .collect();
    let cause = Cause {
        charge: Some(refund.charge),
        payment: Some(refund.payment),
        refund: Some(refund.id),
        by: by.to_owned(),
        ..Cause::default()
    };
    ledger::book(tx, refund.hospital, &rows, &cause).await?;
    sql::stage(tx, refund, InsuranceStage::Returned).await
}
