//! What WeChat said of template messages. The answer to the send and the event meet in one row, whichever is first: both
//! write it by its key, so that the second always sees what the first has written.

use base::{HospitalId, UnixMs};
use people::ChannelAccountId;
use store::value::One;
use store::{Result, Tx, args};

use crate::model::DeliveryId;

store::statements! {
    SENT = "INSERT INTO template_receipt (hospital_id, channel_account_id, msgid, delivery_id, at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (hospital_id, channel_account_id, msgid) DO UPDATE SET delivery_id = COALESCE(template_receipt.delivery_id, excluded.delivery_id)
            RETURNING status";
    FINISHED = "INSERT INTO template_receipt (hospital_id, channel_account_id, msgid, status, at) VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT (hospital_id, channel_account_id, msgid) DO UPDATE SET status = COALESCE(template_receipt.status, excluded.status)
                RETURNING delivery_id";
    FORGET = "DELETE FROM template_receipt WHERE at < $1";
}

/// Notes that a send got this number; gives the status if the event was here before.
pub(crate) async fn sent(
    tx: &mut Tx,
    hospital: HospitalId,
    account: ChannelAccountId,
    msgid: &str,
    delivery: DeliveryId,
) -> Result<Option<String>> {
    let now = tx.now();
    Ok(tx.one::<One<Option<String>>>(SENT, args![hospital, account, msgid, delivery, now]).await?.0)
}

/// Notes what became of a number; gives the attempt if the answer to its send was here before.
pub(crate) async fn finished(
    tx: &mut Tx,
    hospital: HospitalId,
    account: ChannelAccountId,
    msgid: &str,
    status: &str,
) -> Result<Option<DeliveryId>> {
    let now = tx.now();
    Ok(tx.one::<One<Option<DeliveryId>>>(FINISHED, args![hospital, account, msgid, status, now]).await?.0)
}

/// Removes receipts that came before `before`.
pub(crate) async fn forget(tx: &mut Tx, before: UnixMs) -> Result<u64> {
    tx.exec(FORGET, args![before]).await
}
