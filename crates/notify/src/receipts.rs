//! What WeChat says of template messages afterwards: accepted is not delivered.

use base::HospitalId;
use people::ChannelAccountId;
use store::{Result, Tx};
use wechat::message::Delivery as Report;

use crate::api::wake;
use crate::model::{Channel, DeliveryId, DeliveryState, State};
use crate::store::message::{self, Move};
use crate::store::{delivery, receipt, ways};

const DELIVERED: &str = "delivered";
const BLOCKED: &str = "blocked";
const FAILED: &str = "failed";

/// What became of the template message with WeChat's number `msg_id`, from the event `TEMPLATESENDJOBFINISH`. It may come
/// before the answer to the send is written down, more than once, and about messages that are not ours: all of that is
/// harmless. A message that did not arrive goes on by the next way.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn template_finished(
    tx: &mut Tx,
    hospital: HospitalId,
    account: ChannelAccountId,
    msg_id: u64,
    report: &Report,
) -> Result<()> {
    let status = match report {
        Report::Delivered => DELIVERED,
        Report::Blocked => BLOCKED,
        Report::Failed(_) => FAILED,
    };
    match receipt::finished(tx, hospital, account, &msg_id.to_string(), status).await? {
        Some(id) => apply(tx, hospital, id, status).await,
        None => Ok(()),
    }
}

/// Draws the consequences for the attempt and its message.
pub(crate) async fn apply(tx: &mut Tx, hospital: HospitalId, id: DeliveryId, status: &str) -> Result<()> {
    let Some(attempt) = delivery::get(tx, hospital, id).await? else { return Ok(()) };
    let arrived = status == DELIVERED;
    let state = if arrived { DeliveryState::Delivered } else { DeliveryState::Failed };
    if !delivery::arrived(tx, hospital, id, state, Some(status)).await? {
        return Ok(());
    }
    metrics::counter!("notify_receipts", "channel" => Channel::Template.code(), "status" => status.to_owned())
        .increment(1);
    if let (BLOCKED, Some(account), Some(openid)) = (status, attempt.account, &attempt.openid) {
        ways::mark(tx, hospital, account, openid, BLOCKED).await?;
    }
    let now = tx.now();
    let (state, due) = if arrived { (State::Delivered, None) } else { (State::Waiting, Some(now)) };
    let to = Move { state, reason: None, due, fence: None };
    if message::move_on(tx, hospital, attempt.message, id, to).await? && !arrived {
        tx.touch(wake());
    }
    Ok(())
}
