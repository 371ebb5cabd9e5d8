//! The table of bundles, and the marks that their pushes leave.

use std::collections::HashSet;

use base::UnixMs;
use store::value::{FromRow, One, Row};
use store::{Db, Result, StoreError, Tx, args};

use super::{CLAIM_LOCK, LEASE};
use crate::entrance::bundle::{NewBundle, TakenBundle};
use crate::entrance::model::{NewPush, PushId};

store::statements! {
    KEEP_BUNDLE = "INSERT INTO wechat_bundle (hospital_id, id, channel_account_id, received_at, pushes, body)
                   VALUES ($1, $2, $3, $4, $5, $6)";
    OLDEST = "SELECT received_at FROM wechat_bundle ORDER BY received_at, id LIMIT 1";
    // One at a time over all nodes: what a person did in two bundles is worked on in its order.
    TAKE_BUNDLE = "UPDATE wechat_bundle SET leased_until = $2, attempts = attempts + 1
                   WHERE (hospital_id, id) IN (SELECT hospital_id, id FROM wechat_bundle ORDER BY received_at, id LIMIT 1)
                   AND NOT EXISTS (SELECT 1 FROM wechat_bundle WHERE leased_until > $1)
                   RETURNING hospital_id, id, channel_account_id, received_at, attempts, body";
    REMOVE_BUNDLE = "DELETE FROM wechat_bundle WHERE hospital_id = $1 AND id = $2 AND attempts = $3";
    // No text stays of a push that is done: the mark is for its copies.
    MARK = sqlite "WITH r(value) AS MATERIALIZED (SELECT jsonb(value) FROM json_each($3))
             INSERT INTO wechat_push (hospital_id, id, channel_account_id, dedup_key, kind, openid, received_at, body, state, attempts, due_at)
             SELECT $1, value->>0, $2, value->>1, value->>2, value->>3, $4, '', 'done', 1, $4 FROM r WHERE true
             ON CONFLICT DO NOTHING RETURNING id"
         postgres "INSERT INTO wechat_push (hospital_id, id, channel_account_id, dedup_key, kind, openid, received_at, body, state, attempts, due_at)
             SELECT $1, value->>0, $2, value->>1, value->>2, value->>3, $4, '', 'done', 1, $4
             FROM jsonb_array_elements(CAST($3 AS jsonb)) AS t(value)
             ON CONFLICT DO NOTHING RETURNING id";
    BUNDLED = "SELECT CAST(COALESCE(SUM(pushes), 0) AS BIGINT) FROM wechat_bundle";
}

/// Keeps a bundle.
pub(in crate::entrance) async fn keep(tx: &mut Tx, bundle: NewBundle) -> Result<()> {
    let pushes = i64::try_from(bundle.pushes).map_err(|_| StoreError::NoRow)?;
    let now = tx.now();
    let values = args![bundle.hospital, bundle.id, bundle.channel, now, pushes, bundle.body];
    tx.exec(KEEP_BUNDLE, values).await.map(drop)
}

/// When the oldest bundle that waits came in.
pub(in crate::entrance) async fn oldest(db: &Db) -> Result<Option<UnixMs>> {
    Ok(db.opt::<One<UnixMs>>(OLDEST, args![]).await?.map(|one| one.0))
}

/// Takes the oldest bundle, unless another node has one in its hands.
pub(in crate::entrance) async fn take(db: &Db) -> Result<Option<TakenBundle>> {
    let mut tx = db.begin().await?;
    let _: Vec<Row> = tx.all(CLAIM_LOCK, args![]).await?;
    let now = tx.now();
    let taken = tx.opt(TAKE_BUNDLE, args![now, now.plus(LEASE)]).await?;
    tx.commit().await?;
    Ok(taken)
}

/// Removes a bundle whose pushes stand elsewhere now; false when somebody else has taken it meanwhile, and then nothing of ours
/// may stay.
pub(in crate::entrance) async fn remove(tx: &mut Tx, bundle: &TakenBundle) -> Result<bool> {
    Ok(tx.exec(REMOVE_BUNDLE, args![bundle.hospital, bundle.id, bundle.attempts]).await? == 1)
}

/// Marks pushes of a bundle as done; gives those of which there was no mark, the others being copies. In the order of their
/// keys, so that two nodes meet copies in the same order.
pub(in crate::entrance) async fn mark(
    tx: &mut Tx,
    bundle: &TakenBundle,
    pushes: &[NewPush],
) -> Result<HashSet<PushId>> {
    let mut rows: Vec<_> =
        pushes.iter().map(|push| (push.id.db(), &push.dedup_key, &push.kind, &push.openid)).collect();
    rows.sort_unstable_by(|a, b| a.1.cmp(b.1));
    let values = args![bundle.hospital, bundle.channel, serde_json::json!(rows), bundle.received_at];
    let new: Vec<One<PushId>> = tx.all(MARK, values).await?;
    Ok(new.into_iter().map(|one| one.0).collect())
}

/// How many pushes wait in bundles.
pub(in crate::entrance) async fn waiting(db: &Db) -> Result<i64> {
    Ok(db.one::<One<i64>>(BUNDLED, args![]).await?.0)
}

impl FromRow for TakenBundle {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            hospital: row.get("hospital_id")?,
            id: row.get("id")?,
            channel: row.get("channel_account_id")?,
            received_at: row.get("received_at")?,
            attempts: row.get("attempts")?,
            body: row.get("body")?,
        })
    }
}
