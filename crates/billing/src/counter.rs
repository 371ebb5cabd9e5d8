//! The cashier's desk: cash and cards, in a shift with a drawer that is counted at its end.
//!
//! What a cashier takes is an observation like any platform's and moves money by the same [`crate::apply()`].

use base::{Fen, Problem};
use edge::{Caller, Staff, StaffId};
use store::Tx;

use crate::BillingDeps;
use crate::inbox::at_the_desk;
use crate::ledger::{self, Cause, Movement};
use crate::model::{
    Charge, ChargeState, Payment, PaymentId, PaymentState, Refund, RefundId, RefundState, Shares, Shift,
    ShiftId, Way,
};
use crate::observation::Observation;
use crate::problems;
use crate::store::{
    charge as charges, ledger as books, payment as payments, refund as refunds, shift as sql,
};

/// No drawer holds more than this: ten million yuan.
const MOST: Fen = Fen(1_000_000_000);

/// Opens the cashier's shift.
///
/// # Errors
/// 409 `shift_open`; 422 `amount_invalid`.
pub async fn open(tx: &mut Tx, who: &Staff, float: Fen) -> Result<Shift, Problem> {
    if float < Fen::ZERO || float > MOST {
        return Err(problems::amount_invalid("float_fen"));
    }
    let shift = Shift {
        id: ShiftId::new(),
        staff: who.id,
        float,
        opened_at: tx.now(),
        closed_at: None,
        expected: None,
        counted: None,
        note: None,
    };
    if !sql::open(tx, who.caller.hospital.id, &shift).await? {
        return Err(problems::shift_open());
    }
    tx.audit(who.caller.audit("billing.shift.open", shift.id, serde_json::json!({"float_fen": float})))
        .await?;
    Ok(shift)
}

/// Closes the cashier's shift: what should lie in the drawer against what does. A difference is booked, and explained in
/// words. What was counted beyond the float goes to the bank.
///
/// # Errors
/// 409 `no_shift`; 422 `amount_invalid`, `difference_unexplained`.
pub async fn close(tx: &mut Tx, who: &Staff, counted: Fen, note: &str) -> Result<Shift, Problem> {
    let h = who.caller.hospital.id;
    let shift = sql::lock_current(tx, h, who.id).await?.ok_or_else(problems::no_shift)?;
    if counted < Fen::ZERO || counted > MOST {
        return Err(problems::amount_invalid("counted_fen"));
    }
    let drawer = ledger::cash_desk(shift.id);
    let takings = books::balance(tx, h, &drawer).await?;
    let expected = shift.float.checked_add(takings).ok_or_else(Problem::internal)?;
    let difference = counted.checked_sub(expected).ok_or_else(Problem::internal)?;
    if difference != Fen::ZERO && note.trim().is_empty() {
        return Err(problems::difference_unexplained());
    }
    let cause = Cause {
        shift: Some(shift.id),
        by: who.id.to_string(),
        request: who.caller.request_id.to_string(),
        ..Cause::default()
    };
    let row = |what: &str, debit: &str, credit: &str, amount: Fen| Movement {
        once: format!("{what}:{}", shift.id),
        debit: debit.to_owned(),
        credit: credit.to_owned(),
        amount,
    };
    let off = Fen(difference.0.saturating_abs());
    let handed = Fen(counted.0.saturating_sub(shift.float.0));
    let mut rows = vec![if difference > Fen::ZERO {
        row("counted", &drawer, ledger::CASH_DIFFERENCES, off)
    } else {
        row("counted", ledger::CASH_DIFFERENCES, &drawer, off)
    }];
    // A drawer that ends below its float is filled up again from the bank.
    rows.push(if handed >= Fen::ZERO {
        row("handed", ledger::BANK, &drawer, handed)
    } else {
        row("handed", &drawer, ledger::BANK, Fen(handed.0.saturating_abs()))
    });
    ledger::book(tx, h, &rows, &cause).await?;
    sql::close(tx, h, shift.id, (expected, counted), note).await?;
    let detail =
        serde_json::json!({"expected_fen": expected, "counted_fen": counted, "difference_fen": difference});
    tx.audit(who.caller.audit("billing.shift.close", shift.id, detail)).await?;
    Ok(Shift {
        closed_at: Some(tx.now()),
        expected: Some(expected),
        counted: Some(counted),
        note: Some(note.to_owned()),
        ..shift
    })
}

/// What should lie in a drawer now.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn expected(tx: &mut Tx, caller: &Caller, shift: &Shift) -> Result<Fen, Problem> {
    let takings = books::balance(tx, caller.hospital.id, &ledger::cash_desk(shift.id)).await?;
    shift.float.checked_add(takings).ok_or_else(Problem::internal)
}

/// What a cashier takes.
#[derive(Debug, Clone)]
pub struct Taking {
    /// The thing: `apt_…`.
    pub subject: String,
    /// Cash or card.
    pub way: Way,
    /// The terminal's slip, for a card.
    pub reference: Option<String>,
}

/// Takes money for a thing.
///
/// # Errors
/// 404; 409 `no_shift`, `nothing_to_pay`, `already_paid`; 422 `way_invalid`.
pub async fn take(
    tx: &mut Tx,
    deps: &BillingDeps,
    who: &Staff,
    taking: Taking,
) -> Result<(Charge, Payment), Problem> {
    let hospital = &who.caller.hospital;
    if !taking.way.is_desk() {
        return Err(problems::way_invalid());
    }
    let payable = deps.payables.of_subject(&taking.subject).ok_or_else(Problem::not_found)?;
    // The thing before everything else, as everywhere.
    payable.lock(tx, hospital, &taking.subject).await?;
    let known = charges::of_subject(tx, hospital.id, payable.kind(), &taking.subject).await?;
    if known.is_some_and(|charge| charge.state == ChargeState::Settled) {
        return Err(problems::already_paid());
    }
    let bill = payable.bill(tx, hospital, &taking.subject, None).await?;
    let bill = bill.ok_or_else(problems::nothing_to_pay)?;
    let charge = crate::charges::open(tx, hospital.id, payable.kind(), &taking.subject, &bill).await?;
    if charge.state != ChargeState::Open {
        return Err(problems::already_paid());
    }
    let shift = sql::lock_current(tx, hospital.id, who.id).await?.ok_or_else(problems::no_shift)?;
    let (id, now) = (PaymentId::new(), tx.now());
    let payment = Payment {
        hospital: hospital.id,
        id,
        charge: charge.id,
        way: taking.way,
        pay_account: None,
        number: id.db(),
        account: None,
        total: charge.total,
        shares: Shares::cash(charge.total),
        state: PaymentState::New,
        effect: None,
        returning: Fen::ZERO,
        request: None,
        handle: None,
        provider_no: None,
        shift: Some(shift.id),
        expires_at: now,
        closing: false,
        next_at: None,
        tries: 0,
        note: None,
        created_at: now,
        paid_at: None,
    };
    payments::insert(tx, &payment, payments::New { reference: taking.reference }).await?;
    let by = who.id.to_string();
    let observation = Observation::at_the_desk(&payment.number, charge.total, now, &by);
    at_the_desk(tx, deps, &who.caller, shift.id, &observation).await?;
    let payment = payments::get(tx, hospital.id, id).await?.ok_or_else(Problem::internal)?;
    if payment.effect != Some(crate::model::Effect::Served) {
        // The place is gone: the cashier keeps nothing. The whole command is rolled back by its caller.
        return Err(problems::nothing_to_pay());
    }
    let charge = charges::get(tx, hospital.id, charge.id).await?.ok_or_else(Problem::internal)?;
    let detail = serde_json::json!({"payment": id, "subject": taking.subject, "way": taking.way, "amount_fen": charge.total});
    tx.audit(who.caller.audit("billing.desk.take", charge.id, detail)).await?;
    Ok((charge, payment))
}

/// Hands a refund out at the desk: of what was paid there, or what the payer's account could not take.
///
/// # Errors
/// 404; 409 `no_shift`, `already_decided`.
pub async fn hand_out(tx: &mut Tx, deps: &BillingDeps, who: &Staff, id: RefundId) -> Result<Refund, Problem> {
    let h = who.caller.hospital.id;
    let refund = refunds::get(tx, h, id).await?.ok_or_else(Problem::not_found)?;
    if !matches!(refund.state, RefundState::Abnormal | RefundState::Stuck) {
        return Err(problems::already_decided());
    }
    let payment = payments::get(tx, h, refund.payment).await?.ok_or_else(Problem::internal)?;
    let by: StaffId = who.id;
    let shift = sql::lock_current(tx, h, by).await?.ok_or_else(problems::no_shift)?;
    let observation =
        Observation::handed_back(&payment.number, &refund.number, refund.shares.cash, &by.to_string());
    at_the_desk(tx, deps, &who.caller, shift.id, &observation).await?;
    let detail = serde_json::json!({"payment": payment.id, "amount_fen": refund.amount});
    tx.audit(who.caller.audit("billing.refund.hand_out", id, detail)).await?;
    refunds::get(tx, h, id).await?.ok_or_else(Problem::not_found)
}
