//! What follows from a word about a refund.

use base::Fen;
use store::{Result, StoreError, Topic, Tx};

use super::{Applied, Seen, book_suspense, publish, words};
use crate::ledger::{self, Cause, Movement};
use crate::model::{InsuranceStage, Payment, PaymentState, Refund, RefundState, Shares, Way};
use crate::observation::{BackState, Said};
use crate::payable::Payables;
use crate::refunds::{self, Wish};
use crate::rules::{self, RefundVerdict};
use crate::settings::Settings;
use crate::store::{charge as charges, ledger as books, payment as payments, refund as sql};

pub(super) async fn apply(tx: &mut Tx, payables: &Payables, seen: &Seen<'_>) -> Result<Applied> {
    let h = seen.hospital.id;
    let Said::Refund { refund: number, state, amount } = &seen.observation.said else {
        return Ok(Applied::fine("not about a refund"));
    };
    let Some(found) = sql::by_number(tx, h, number).await? else {
        return foreign(tx, seen, *state, *amount).await;
    };
    let charge = charges::get(tx, h, found.charge).await?.ok_or(StoreError::NoRow)?;
    if let Some(payable) = payables.kind(&charge.kind) {
        payable.lock(tx, seen.hospital, &charge.subject).await?;
    }
    charges::lock(tx, h, found.charge).await?.ok_or(StoreError::NoRow)?;
    let payment = payments::lock(tx, h, found.payment).await?.ok_or(StoreError::NoRow)?;
    let refund = sql::lock(tx, h, found.id).await?.ok_or(StoreError::NoRow)?;
    let desk = seen.account.is_none();
    if payment.number != seen.observation.number || (!desk && !seen.is_ours(&payment)) {
        return Ok(Applied::incident("another order's word about this refund"));
    }
    let next = match rules::judge_refund(&refund, seen.contract, seen.observation) {
        RefundVerdict::Nothing => return Ok(Applied::nothing("nothing new")),
        RefundVerdict::Incident(differs) => return Ok(Applied::incident(words(differs))),
        RefundVerdict::Becomes(next) => next,
    };
    let again = rules::ask_refund_again(refund.tries);
    let next_at = match next {
        RefundState::Sent => Some(tx.now().plus(again)),
        // WeChat still has to be told what the insurance has taken back.
        RefundState::Done if refund.insurance == InsuranceStage::Returned => Some(tx.now()),
        _ => None,
    };
    let step =
        sql::Step { to: next, provider_no: seen.observation.provider_no.as_deref(), next_at, error: None };
    if !sql::step(tx, &refund, step).await? {
        return Ok(Applied::nothing("nothing new"));
    }
    tx.touch(Topic::new("charge", refund.charge));
    let cause = Cause { refund: Some(refund.id), ..seen.cause(Some(&payment)) };
    match next {
        RefundState::Done => done(tx, seen, &payment, &refund, &cause).await,
        RefundState::Closed => closed(tx, seen, &payment, &refund, cause).await,
        RefundState::Abnormal => {
            tracing::error!(refund = %refund.id, "a refund can't reach the payer's account; the desk must find another way");
            Ok(Applied::fine("the payer's account can't take it"))
        }
        _ => Ok(Applied::fine("under way")),
    }
}

/// The payer has it: it leaves who held it.
async fn done(
    tx: &mut Tx,
    seen: &Seen<'_>,
    payment: &Payment,
    refund: &Refund,
    cause: &Cause,
) -> Result<Applied> {
    let cash = match seen.shift {
        // A card goes through the terminal again, not through the drawer.
        Some(shift) if payment.way != Way::Card => ledger::cash_desk(shift),
        _ => ledger::held(payment.way, payment.shift, seen.contract.merchant),
    };
    // What the bureau has taken back left its accounts when it did: see `refunds::returned`.
    let shares = Shares::cash(refund.shares.cash);
    let rows: Vec<Movement> = ledger::insured_and(shares, cash)
        .into_iter()
        .enumerate()
        .map(|(nth, (account, amount))| Movement {
            once: format!("done:{}:{nth}", refund.id),
            debit: ledger::IN_FLIGHT.to_owned(),
            credit: account,
            amount,
        })
        .collect();
    ledger::book(tx, refund.hospital, &rows, cause).await?;
    books::clear_of_payment(tx, refund.hospital, payment.id).await?;
    metrics::counter!("billing_refunded", "reason" => refund.reason.code()).increment(1);
    let payload = serde_json::json!({"charge": refund.charge, "payment": payment.id, "refund": refund.id});
    publish(tx, payment, crate::REFUNDED, payload).await?;
    Ok(Applied::fine("the payer has it"))
}

/// The platform gave up: what was promised is promised anew, under a new number.
async fn closed(
    tx: &mut Tx,
    seen: &Seen<'_>,
    payment: &Payment,
    refund: &Refund,
    cause: Cause,
) -> Result<Applied> {
    let back = Movement {
        once: format!("closed:{}", refund.id),
        debit: ledger::IN_FLIGHT.to_owned(),
        credit: refund.source.clone(),
        amount: refund.in_flight(),
    };
    ledger::book(tx, refund.hospital, &[back], &cause).await?;
    payments::release(tx, refund.hospital, payment.id, refund.amount).await?;
    let before = sql::of_payment(tx, refund.hospital, payment.id).await?;
    let ended = before.iter().filter(|one| one.state == RefundState::Closed).count();
    let settings: Settings = seen.hospital.settings(Settings::SECTION);
    let stuck = u32::try_from(ended).unwrap_or(u32::MAX) > settings.refund_again;
    let released =
        Payment { returning: Fen(payment.returning.0.saturating_sub(refund.amount.0)), ..payment.clone() };
    let wish = Wish {
        amount: refund.amount,
        reason: refund.reason,
        source: refund.source.clone(),
        asked_by: &refund.asked_by,
        needs_approval: false,
        note: refund.note.clone(),
        again_of: Some(refund),
        cause,
    };
    let Some(new) = refunds::wish(tx, &released, wish).await? else {
        return Ok(Applied::incident("given up, and could not be tried anew"));
    };
    if stuck {
        let step = sql::Step {
            to: RefundState::Stuck,
            provider_no: None,
            next_at: None,
            error: Some("given up by the platform too often"),
        };
        sql::step(tx, &new, step).await?;
        return Ok(Applied::incident("given up by the platform too often"));
    }
    Ok(Applied::fine("given up by the platform; tried anew under a new number"))
}

/// A refund that we did not send: somebody made it in the merchant's own console. The money has left.
async fn foreign(tx: &mut Tx, seen: &Seen<'_>, state: BackState, amount: Option<Fen>) -> Result<Applied> {
    if let Err(differs) = rules::fits(seen.observation, seen.contract) {
        return Ok(Applied::incident(words(differs)));
    }
    let payment = payments::by_number(tx, seen.hospital.id, &seen.observation.number).await?;
    let payment = payment.filter(|payment| seen.is_ours(payment));
    // Whatever is refunded was paid: when we do not know that yet, we ask.
    if let Some(payment) = payment.as_ref().filter(|p| p.state != PaymentState::Paid) {
        let now = tx.now();
        payments::ask_at(tx, payment.hospital, payment.id, Some(now), false).await?;
    }
    if state != BackState::Done {
        return Ok(Applied::nothing("a refund of somebody else's, not done yet"));
    }
    if let Some(amount) = amount.filter(|amount| *amount > Fen::ZERO) {
        book_suspense(tx, seen, payment.as_ref(), amount, true).await?;
    }
    Ok(Applied::incident("a refund that we did not send"))
}
