//! The table of pushes.

use std::time::Duration;

use base::{HospitalId, UnixMs};
use people::ChannelAccountId;
use store::value::{FromRow, One, Row};
use store::{Db, Result, Tx, args};

use super::model::{NewPush, PushId, PushState, TakenPush};

store::statements! {
    KEEP = "INSERT INTO wechat_push (hospital_id, id, channel_account_id, dedup_key, kind, openid, received_at, body, state, due_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'new', $7)
            ON CONFLICT (hospital_id, channel_account_id, dedup_key) DO NOTHING";
    CLAIM_LOCK = sqlite "SELECT 1" postgres "SELECT CAST(1 AS BIGINT) FROM (SELECT pg_advisory_xact_lock(7240951)) AS held";
    CLAIM = "UPDATE wechat_push SET leased_until = $2, attempts = attempts + 1
             WHERE (hospital_id, id) IN (
                 SELECT p.hospital_id, p.id FROM wechat_push p
                 WHERE p.state = 'new' AND p.due_at <= $1 AND p.leased_until <= $1 AND NOT EXISTS (
                     SELECT 1 FROM wechat_push o WHERE o.hospital_id = p.hospital_id
                     AND o.channel_account_id = p.channel_account_id AND o.openid = p.openid AND o.state = 'new'
                     AND (o.received_at, o.id) < (p.received_at, p.id) AND o.leased_until > $1)
                 ORDER BY p.received_at, p.id LIMIT $3)
             RETURNING hospital_id, id, channel_account_id, openid, received_at, body, attempts";
    DONE = "UPDATE wechat_push SET state = 'done', leased_until = 0, error = NULL
            WHERE hospital_id = $1 AND id = $2 AND attempts = $3 AND state = 'new'";
    AGAIN = "UPDATE wechat_push SET state = $4, due_at = $5, leased_until = 0, error = $6
             WHERE hospital_id = $1 AND id = $2 AND attempts = $3 AND state = 'new'";
    BACKLOG = "SELECT CAST(COUNT(*) AS BIGINT) FROM wechat_push WHERE state = 'new'";
    FAILED = "SELECT CAST(COUNT(*) AS BIGINT) FROM wechat_push WHERE state = 'failed'";
    LAST = "SELECT MAX(received_at) FROM wechat_push WHERE hospital_id = $1 AND channel_account_id = $2";
    FORGET_DONE = "DELETE FROM wechat_push WHERE (hospital_id, id) IN (
             SELECT hospital_id, id FROM wechat_push WHERE state = 'done' AND received_at < $1 LIMIT 5000)";
    FORGET_FAILED = "DELETE FROM wechat_push WHERE (hospital_id, id) IN (
             SELECT hospital_id, id FROM wechat_push WHERE state = 'failed' AND received_at < $1 LIMIT 5000)";
}

/// So many pushes are taken at a time …
const BATCH: i64 = 64;
/// … for so long: when the node dies, another takes them after that.
pub(super) const LEASE: Duration = Duration::from_secs(30);

/// Keeps a push; false when it was here before.
pub(super) async fn keep(tx: &mut Tx, push: NewPush) -> Result<bool> {
    let now = tx.now();
    let values = args![
        push.hospital,
        PushId::new(),
        push.channel,
        push.dedup_key,
        push.kind,
        push.openid,
        now,
        push.body
    ];
    Ok(tx.exec(KEEP, values).await? == 1)
}

/// Takes what is due, oldest first. While a person's push is being worked on, the later ones of that person stay.
pub(super) async fn claim(db: &Db) -> Result<Vec<TakenPush>> {
    let mut tx = db.begin().await?;
    let _: Vec<Row> = tx.all(CLAIM_LOCK, args![]).await?;
    let now = tx.now();
    let mut taken: Vec<TakenPush> = tx.all(CLAIM, args![now, now.plus(LEASE), BATCH]).await?;
    tx.commit().await?;
    taken.sort_by_key(|push| (push.received_at, push.id));
    Ok(taken)
}

/// Marks a push as done; false when somebody else has taken it meanwhile, and then nothing of ours may stay.
pub(super) async fn done(tx: &mut Tx, push: &TakenPush) -> Result<bool> {
    Ok(tx.exec(DONE, args![push.hospital, push.id, push.attempts]).await? == 1)
}

/// Puts a push back for another time, or away for good.
pub(super) async fn again(
    tx: &mut Tx,
    push: &TakenPush,
    state: PushState,
    due: UnixMs,
    error: &str,
) -> Result<()> {
    tx.exec(AGAIN, args![push.hospital, push.id, push.attempts, state, due, error]).await.map(drop)
}

pub(super) async fn backlog(db: &Db) -> Result<i64> {
    Ok(db.one::<One<i64>>(BACKLOG, args![]).await?.0)
}

pub(super) async fn failed(db: &Db) -> Result<i64> {
    Ok(db.one::<One<i64>>(FAILED, args![]).await?.0)
}

/// When the last push of an account came.
pub(super) async fn last(db: &Db, hospital: HospitalId, channel: ChannelAccountId) -> Result<Option<UnixMs>> {
    Ok(db.one::<One<Option<UnixMs>>>(LAST, args![hospital, channel]).await?.0)
}

/// Removes what is done or failed and older than these; gives how many.
pub(super) async fn forget(db: &Db, done_before: UnixMs, failed_before: UnixMs) -> Result<u64> {
    let mut tx = db.begin().await?;
    let removed = tx.exec(FORGET_DONE, args![done_before]).await?
        + tx.exec(FORGET_FAILED, args![failed_before]).await?;
    tx.commit().await?;
    Ok(removed)
}

impl FromRow for TakenPush {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            hospital: row.get("hospital_id")?,
            id: row.get("id")?,
            channel: row.get("channel_account_id")?,
            openid: row.get("openid")?,
            received_at: row.get("received_at")?,
            body: row.get("body")?,
            attempts: row.get("attempts")?,
        })
    }
}
