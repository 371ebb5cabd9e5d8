//! What follows from a word about an order.

use base::Fen;
use store::{Result, StoreError, Topic, Tx};

use super::{Applied, Seen, book_suspense, publish, suspend, words};
use crate::ledger;
use crate::model::{
    Charge, ChargeState, Effect, Payment, RefundReason, Shares, SuspenseReason, SuspenseState, Way,
};
use crate::observation::{OrderState, Said};
use crate::payable::{Given, Payables};
use crate::refunds::{self, Wish};
use crate::rules::{self, Differs, Verdict};
use crate::store::{charge as charges, payment as payments};

pub(super) async fn apply(tx: &mut Tx, payables: &Payables, seen: &Seen<'_>) -> Result<Applied> {
    let h = seen.hospital.id;
    let Some(found) = payments::by_number(tx, h, &seen.observation.number).await? else {
        return unknown(tx, seen).await;
    };
    if !seen.is_ours(&found) {
        return Ok(Applied::incident("another contract's word about this order"));
    }
    let charge = charges::get(tx, h, found.charge).await?.ok_or(StoreError::NoRow)?;
    // First what the thing itself needs, then the charge, then the payment: everybody in this order.
    let payable = payables.kind(&charge.kind);
    if let Some(payable) = payable {
        payable.lock(tx, seen.hospital, &charge.subject).await?;
    }
    let charge = charges::lock(tx, h, charge.id).await?.ok_or(StoreError::NoRow)?;
    let payment = payments::lock(tx, h, found.id).await?.ok_or(StoreError::NoRow)?;
    match rules::judge(&payment, seen.contract, seen.observation) {
        Verdict::Nothing => Ok(Applied::nothing("nothing new")),
        Verdict::Ask => {
            let now = tx.now();
            payments::ask_at(tx, h, payment.id, Some(now), false).await?;
            Ok(Applied::fine("a hint: the platform is asked"))
        }
        Verdict::Waits => {
            payments::placed(tx, h, payment.id, None).await?;
            Ok(Applied::fine("the platform waits for the payer"))
        }
        Verdict::Closes => close(tx, &payment).await,
        Verdict::Incident(differs) => mismatch(tx, seen, &payment, differs).await,
        Verdict::CashOnly(cash) => {
            let came = Came { shares: Shares::cash(cash), why: Some(SuspenseReason::NoService) };
            settle(tx, seen, &charge, &payment, came).await
        }
        Verdict::Paid(shares) => {
            let why = if charge.served_by.is_some() {
                Some(SuspenseReason::PaidTwice)
            } else {
                // Also for what nobody owes any more: a hold that has just run out may still be had.
                let given = match payable {
                    Some(payable) => payable.paid(tx, seen.hospital, &charge).await?,
                    // The thing's capability is gone from this installation.
                    None => Given::Gone,
                };
                (given == Given::Gone).then_some(SuspenseReason::NoService)
            };
            settle(tx, seen, &charge, &payment, Came { shares, why }).await
        }
    }
}

/// What has come, and why it can't be placed if it can't.
struct Came {
    shares: Shares,
    why: Option<SuspenseReason>,
}

async fn settle(
    tx: &mut Tx,
    seen: &Seen<'_>,
    charge: &Charge,
    payment: &Payment,
    came: Came,
) -> Result<Applied> {
    let h = seen.hospital.id;
    let at = match &seen.observation.said {
        Said::Order { paid_at: Some(at), .. } => *at,
        _ => tx.now(),
    };
    let effect = if came.why.is_some() { Effect::Surplus } else { Effect::Served };
    let insurance_failed = matches!(&seen.observation.said, Said::Order { state: OrderState::CashOnly, .. });
    let paid = payments::Paid {
        effect,
        provider_no: seen.observation.provider_no.as_deref(),
        at,
        shares: came.shares,
        note: insurance_failed.then_some("insurance_failed"),
    };
    if !payments::paid(tx, payment, paid).await? {
        return Ok(Applied::nothing("nothing new"));
    }
    if payment.way == Way::Insurance {
        payments::settling(tx, h, payment.id, false).await?;
    }
    let payment = Payment {
        shares: came.shares,
        total: came.shares.total().unwrap_or_default(),
        effect: Some(effect),
        state: crate::model::PaymentState::Paid,
        ..payment.clone()
    };
    tx.touch(Topic::new("payment", payment.id));
    tx.touch(Topic::new("charge", payment.charge));
    crate::reconcile::came_late(tx, seen.hospital, payment.pay_account, at).await?;
    metrics::counter!("billing_paid", "way" => payment.way.code(), "effect" => effect.code()).increment(1);
    match came.why {
        None => serve(tx, seen, charge, &payment).await,
        Some(why) => give_back(tx, seen, charge, &payment, why, insurance_failed).await,
    }
}

async fn serve(tx: &mut Tx, seen: &Seen<'_>, charge: &Charge, payment: &Payment) -> Result<Applied> {
    let h = seen.hospital.id;
    if !charges::served(tx, h, charge.id, payment.id).await? {
        // Under the lock it was open a moment ago.
        return Err(StoreError::NoRow);
    }
    let rows = ledger::received(payment, seen.contract.merchant, &ledger::obligation(charge.id));
    ledger::book(tx, h, &rows, &seen.cause(Some(payment))).await?;
    payments::close_others(tx, h, charge.id, &payment.id.db()).await?;
    charges::want_invoice(tx, h, charge.id).await?;
    let payload = serde_json::json!({
        "charge": charge.id, "payment": payment.id, "kind": charge.kind, "subject": charge.subject,
    });
    publish(tx, payment, crate::PAID, payload).await?;
    Ok(Applied::fine("paid, and the service given"))
}

async fn give_back(
    tx: &mut Tx,
    seen: &Seen<'_>,
    charge: &Charge,
    payment: &Payment,
    why: SuspenseReason,
    insurance_failed: bool,
) -> Result<Applied> {
    let h = seen.hospital.id;
    let rows = ledger::received(payment, seen.contract.merchant, ledger::SUSPENSE);
    ledger::book(tx, h, &rows, &seen.cause(Some(payment))).await?;
    suspend(tx, seen, Some(payment), payment.total, why, SuspenseState::Returning).await?;
    if charge.state == ChargeState::Open && why == SuspenseReason::NoService && !insurance_failed {
        // The thing is gone: nobody should pay for it by another way.
        charges::set_state(tx, h, charge.id, ChargeState::Void).await?;
        payments::close_others(tx, h, charge.id, &payment.id.db()).await?;
    }
    let reason = match (why, insurance_failed) {
        (_, true) => RefundReason::InsuranceFailed,
        (SuspenseReason::PaidTwice, _) => RefundReason::Twice,
        _ => RefundReason::TooLate,
    };
    let wish = Wish {
        amount: payment.total,
        reason,
        source: ledger::SUSPENSE.to_owned(),
        asked_by: "system",
        needs_approval: false,
        note: None,
        again_of: None,
        cause: seen.cause(Some(payment)),
    };
    refunds::wish(tx, payment, wish).await?.ok_or(StoreError::NoRow)?;
    let payload = serde_json::json!({
        "charge": charge.id, "payment": payment.id, "kind": charge.kind, "subject": charge.subject, "reason": reason,
    });
    publish(tx, payment, crate::SURPLUS, payload).await?;
    Ok(Applied::fine(format!("paid for nothing ({}): it goes back", why.code())))
}

async fn close(tx: &mut Tx, payment: &Payment) -> Result<Applied> {
    if payments::close(tx, payment.hospital, payment.id, None).await? {
        if payment.way == Way::Insurance {
            payments::settling(tx, payment.hospital, payment.id, false).await?;
        }
        tx.touch(Topic::new("payment", payment.id));
    }
    Ok(Applied::fine("closed unpaid"))
}

/// The order is ours, and what was said of it does not fit. The order stays as it is. Money that surely came to us is booked where
/// everybody sees it.
async fn mismatch(tx: &mut Tx, seen: &Seen<'_>, payment: &Payment, differs: Differs) -> Result<Applied> {
    if let Differs::Amount(amount) = differs
        && amount > Fen::ZERO
    {
        book_suspense(tx, seen, Some(payment), amount, false).await?;
    }
    // Nobody is asked again about it in a hurry; a person looks first.
    let later = tx.now().plus(std::time::Duration::from_secs(3600));
    payments::ask_at(tx, payment.hospital, payment.id, Some(later), false).await?;
    Ok(Applied::incident(words(differs)))
}

/// An order number that we never gave: another system's of the hospital under the same contract, most likely. It is not given back
/// by itself.
async fn unknown(tx: &mut Tx, seen: &Seen<'_>) -> Result<Applied> {
    let Said::Order { state: OrderState::Paid, total, .. } = &seen.observation.said else {
        return Ok(Applied::nothing("not an order of ours"));
    };
    if let Err(differs) = rules::fits(seen.observation, seen.contract) {
        return Ok(Applied::incident(words(differs)));
    }
    if let Some(amount) = total.filter(|amount| *amount > Fen::ZERO) {
        book_suspense(tx, seen, None, amount, false).await?;
    }
    Ok(Applied::incident("paid, under an order number that we never gave"))
}
