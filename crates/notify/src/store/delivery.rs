//! Attempts to tell a message.

use base::{HospitalId, Lang, UnixMs};
use people::ChannelAccountId;
use store::value::One;
use store::{Db, FromRow, Result, Row, Tx, args};

use crate::model::{Channel, DeliveryId, DeliveryState, MessageId};

store::statements! {
    ADD = "INSERT INTO delivery (hospital_id, id, message_id, ordinal, channel, channel_account_id, openid, lang, state, started_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'sending', $9)";
    OF_MESSAGE = "SELECT id, message_id, channel, channel_account_id, openid, lang, over, tries, started_at FROM delivery
                  WHERE hospital_id = $1 AND message_id = $2 ORDER BY ordinal";
    GET = "SELECT id, message_id, channel, channel_account_id, openid, lang, over, tries, started_at FROM delivery
           WHERE hospital_id = $1 AND id = $2";
    TRIED = "UPDATE delivery SET tries = tries + 1, code = $3, detail = $4 WHERE hospital_id = $1 AND id = $2 AND state IN ('sending', 'sent')";
    SETTLE = "UPDATE delivery SET state = $3, platform_id = COALESCE($4, platform_id), code = $5, detail = $6, over = $7, settled_at = $8
              WHERE hospital_id = $1 AND id = $2 AND state IN ('sending', 'unknown')";
    GIVE_UP = "UPDATE delivery SET state = 'unknown', settled_at = $3 WHERE hospital_id = $1 AND id = $2 AND state = 'sending'";
    ARRIVED = "UPDATE delivery SET state = $3, code = $4, over = $5, settled_at = $6
               WHERE hospital_id = $1 AND id = $2 AND state IN ('sending', 'sent', 'unknown')";
    CHATS = "SELECT CAST(COUNT(*) AS BIGINT) FROM delivery
             WHERE hospital_id = $1 AND openid = $2 AND started_at >= $3 AND channel = 'custom' AND state IN ('sending', 'sent', 'delivered', 'unknown')";
    FORGET = "DELETE FROM delivery WHERE hospital_id = $1 AND message_id = $2";
}

/// One attempt.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) id: DeliveryId,
    pub(crate) message: MessageId,
    pub(crate) channel: Channel,
    pub(crate) account: Option<ChannelAccountId>,
    pub(crate) openid: Option<String>,
    pub(crate) lang: Lang,
    pub(crate) over: bool,
    pub(crate) tries: i64,
    pub(crate) started: UnixMs,
}

/// What became of an attempt, as its row keeps it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settled {
    pub(crate) platform_id: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) over: bool,
}

/// Writes an attempt down before it is made.
pub(crate) async fn add(tx: &mut Tx, hospital: HospitalId, new: &Delivery, ordinal: i64) -> Result<()> {
    let values = args![
        hospital,
        new.id,
        new.message,
        ordinal,
        new.channel,
        new.account,
        new.openid.as_deref(),
        new.lang,
        new.started
    ];
    tx.exec(ADD, values).await.map(drop)
}

pub(crate) async fn of_message(db: &Db, hospital: HospitalId, message: MessageId) -> Result<Vec<Delivery>> {
    db.all(OF_MESSAGE, args![hospital, message]).await
}

pub(crate) async fn get(tx: &mut Tx, hospital: HospitalId, id: DeliveryId) -> Result<Option<Delivery>> {
    tx.opt(GET, args![hospital, id]).await
}

/// Counts a try whose outcome is still open, or a look at a receipt that was not there yet.
pub(crate) async fn tried(
    tx: &mut Tx,
    hospital: HospitalId,
    id: DeliveryId,
    code: Option<&str>,
    detail: Option<&str>,
) -> Result<bool> {
    Ok(tx.exec(TRIED, args![hospital, id, code, detail]).await? == 1)
}

/// Writes down what surely became of an attempt; false when that was known already. What was given up as unknown may
/// still become known, when a slow answer comes after all.
pub(crate) async fn settle(
    tx: &mut Tx,
    hospital: HospitalId,
    id: DeliveryId,
    state: DeliveryState,
    result: &Settled,
) -> Result<bool> {
    let now = tx.now();
    let values = args![
        hospital,
        id,
        state,
        result.platform_id.as_deref(),
        result.code.as_deref(),
        result.detail.as_deref(),
        result.over,
        now
    ];
    Ok(tx.exec(SETTLE, values).await? == 1)
}

/// Nobody will know any more; false when it was known already.
pub(crate) async fn give_up(tx: &mut Tx, hospital: HospitalId, id: DeliveryId) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(GIVE_UP, args![hospital, id, now]).await? == 1)
}

/// What a receipt said; false when the attempt was closed already.
pub(crate) async fn arrived(
    tx: &mut Tx,
    hospital: HospitalId,
    id: DeliveryId,
    state: DeliveryState,
    code: Option<&str>,
) -> Result<bool> {
    let now = tx.now();
    let over = state == DeliveryState::Failed;
    Ok(tx.exec(ARRIVED, args![hospital, id, state, code, over, now]).await? == 1)
}

/// How many chat messages went, or may have gone, to a person since an instant.
pub(crate) async fn chats(db: &Db, hospital: HospitalId, openid: &str, since: UnixMs) -> Result<i64> {
    Ok(db.one::<One<i64>>(CHATS, args![hospital, openid, since]).await?.0)
}

pub(crate) async fn forget(tx: &mut Tx, hospital: HospitalId, message: MessageId) -> Result<()> {
    tx.exec(FORGET, args![hospital, message]).await.map(drop)
}

impl FromRow for Delivery {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            message: row.get("message_id")?,
            channel: row.get("channel")?,
            account: row.get("channel_account_id")?,
            openid: row.get("openid")?,
            lang: row.get("lang")?,
            over: row.get("over")?,
            tries: row.get("tries")?,
            started: row.get("started_at")?,
        })
    }
}
