//! Step three: write down what became of it.

use store::fault::{self, Point};
use store::{Result, Tx};

use super::NotifyDeps;
use super::prepare::{Attempt, quota_ends};
use crate::api::wake;
use crate::model::{Channel, DeliveryState};
use crate::receipts;
use crate::rules::{Next, Outcome, Tried, after};
use crate::store::delivery::{self, Settled};
use crate::store::message::{self, Move};
use crate::store::receipt;
use crate::store::ways::{self, Pause};

/// Commits an outcome and what follows from it. An outcome that came after another worker settled the attempt changes
/// nothing, unless it clears up what was given up as unknown.
///
/// # Errors
/// Any [`store::StoreError`]; the attempt then counts as one without an outcome.
pub async fn settle(deps: &NotifyDeps, attempt: &Attempt, outcome: &Outcome) -> Result<()> {
    let (message, delivery) = (&attempt.message, &attempt.delivery);
    let mut tx = deps.db.begin().await?;
    let now = tx.now();
    let tried = Tried {
        kind: message.kind,
        channel: delivery.channel,
        attempts: attempt.attempts,
        tries: delivery.tries,
        expires: message.expires,
    };
    let next = after(outcome, tried, now);
    // That it went out is true whoever has the message by now. That it did not, only the one who has it may say: another
    // may be sending it this very moment.
    let good_news = matches!(outcome, Outcome::Accepted { .. } | Outcome::Delivered);
    let fence = if good_news { None } else { Some(message.fence) };
    let to = Move { state: next.state, reason: next.reason, due: next.due, fence };
    let moved = message::move_on(&mut tx, message.hospital, message.id, delivery.id, to).await?;
    if !(moved || good_news) || !write(&mut tx, attempt, outcome, next).await? {
        return tx.rollback().await;
    }
    close_ways(&mut tx, attempt, outcome).await?;
    if let (Outcome::Accepted { platform_id: Some(msgid) }, Channel::Template, Some(account)) =
        (outcome, delivery.channel, delivery.account)
        && let Some(status) = receipt::sent(&mut tx, message.hospital, account, msgid, delivery.id).await?
    {
        // The event was faster than the answer.
        receipts::apply(&mut tx, message.hospital, delivery.id, &status).await?;
    }
    if moved && next.due.is_some_and(|due| due <= now) {
        tx.touch(wake());
    }
    fault::pass(Point::MessageSettledBefore);
    tx.commit().await?;
    fault::pass(Point::MessageSettledAfter);
    report(attempt, outcome);
    Ok(())
}

/// The attempt's own row; false when its outcome was known already.
async fn write(tx: &mut Tx, attempt: &Attempt, outcome: &Outcome, next: Next) -> Result<bool> {
    let (hospital, id) = (attempt.message.hospital, attempt.delivery.id);
    let code = outcome.why().map(|why| why.code.clone());
    let detail = outcome.why().map(|why| why.detail.clone());
    let Some(state) = next.delivery else {
        return delivery::tried(tx, hospital, id, code.as_deref(), detail.as_deref()).await;
    };
    match outcome {
        _ if state == DeliveryState::Unknown => delivery::give_up(tx, hospital, id).await,
        Outcome::Delivered | Outcome::Bounced(_) => {
            delivery::arrived(tx, hospital, id, state, code.as_deref()).await
        }
        _ => {
            let platform_id = match outcome {
                Outcome::Accepted { platform_id } => platform_id.clone(),
                _ => None,
            };
            let settled = Settled { platform_id, code, detail, over: next.over };
            delivery::settle(tx, hospital, id, state, &settled).await
        }
    }
}

/// What the next message should know: a quota that is used up, a person out of reach.
async fn close_ways(tx: &mut Tx, attempt: &Attempt, outcome: &Outcome) -> Result<()> {
    let (hospital, delivery) = (attempt.message.hospital, &attempt.delivery);
    match outcome {
        Outcome::Quota(why) => {
            let until = quota_ends(tx.now());
            let pause = Pause { channel: delivery.channel, account: delivery.account, until };
            ways::pause(tx, hospital, &pause, &why.code).await
        }
        Outcome::Unreachable { why, lasting: true } => match (delivery.account, &delivery.openid) {
            (Some(account), Some(openid)) => ways::mark(tx, hospital, account, openid, &why.code).await,
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

fn report(attempt: &Attempt, outcome: &Outcome) {
    let channel = attempt.delivery.channel.code();
    metrics::counter!("notify_sent", "channel" => channel, "outcome" => outcome.word()).increment(1);
    let (code, detail) = outcome.why().map_or(("", ""), |why| (why.code.as_str(), why.detail.as_str()));
    let (message, delivery) = (attempt.message.id, attempt.delivery.id);
    match outcome {
        Outcome::Trouble(_) | Outcome::Quota(_) => {
            let known = code.to_owned();
            metrics::counter!("notify_trouble", "channel" => channel, "code" => known).increment(1);
            tracing::error!(%message, %delivery, channel, code, detail, "messages can't be sent: somebody must act");
        }
        Outcome::Lost => {
            tracing::warn!(%message, %delivery, channel, "nobody can say whether a message arrived");
        }
        _ => {
            tracing::debug!(%message, %delivery, channel, outcome = outcome.word(), code, "an attempt was settled")
        }
    }
}
