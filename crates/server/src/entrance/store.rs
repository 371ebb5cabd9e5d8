//! The table of pushes; [`bundles`] is that of pushes kept together.

pub(super) mod bundles;
pub(crate) mod failed;

use std::collections::HashSet;
use std::time::Duration;

use base::{HospitalId, UnixMs};
use people::ChannelAccountId;
use store::value::{FromRow, One, Row};
use store::{Db, Result, Sql, ToValue, Tx, Value, Vault, args};

use super::model::{NewPush, PushId, PushState, TakenPush};

store::statements! {
    THERE = sqlite "SELECT id FROM wechat_push WHERE (hospital_id, id) IN (SELECT CAST(value->>0 AS BIGINT), value->>1 FROM json_each($1))"
         postgres "SELECT p.id FROM (SELECT CAST(value->>0 AS BIGINT) AS h, value->>1 AS id FROM jsonb_array_elements(CAST($1 AS jsonb)) AS t(value)) r
             JOIN wechat_push p ON p.hospital_id = r.h AND p.id = r.id";
    CLAIM_LOCK = sqlite "SELECT 1" postgres "SELECT CAST(1 AS BIGINT) FROM (SELECT pg_advisory_xact_lock(7240951)) AS held";
    CLAIM = "UPDATE wechat_push SET leased_until = $2, attempts = attempts + 1
             WHERE (hospital_id, id) IN (
                 SELECT p.hospital_id, p.id FROM wechat_push p
                 WHERE p.state = 'new' AND p.due_at <= $1 AND p.leased_until <= $1 AND p.received_at <= $4 AND NOT EXISTS (
                     SELECT 1 FROM wechat_push o WHERE o.hospital_id = p.hospital_id
                     AND o.channel_account_id = p.channel_account_id AND o.openid = p.openid AND o.state = 'new'
                     AND (o.received_at, o.id) < (p.received_at, p.id) AND o.leased_until > $1)
                 ORDER BY p.received_at, p.id LIMIT $3)
             RETURNING hospital_id, id, channel_account_id, openid, received_at, body, attempts";
    DONE = "UPDATE wechat_push SET state = 'done', leased_until = 0, error = NULL
            WHERE hospital_id = $1 AND id = $2 AND attempts = $3 AND state = 'new'";
    DONE_ALL = sqlite "UPDATE wechat_push SET state = 'done', leased_until = 0, error = NULL
             WHERE state = 'new' AND attempts = 1 AND (hospital_id, id) IN (SELECT CAST(value->>0 AS BIGINT), value->>1 FROM json_each($1))"
         postgres "UPDATE wechat_push p SET state = 'done', leased_until = 0, error = NULL
             FROM (SELECT CAST(value->>0 AS BIGINT) AS h, value->>1 AS id FROM jsonb_array_elements(CAST($1 AS jsonb)) AS t(value)) r
             WHERE p.hospital_id = r.h AND p.id = r.id AND p.state = 'new' AND p.attempts = 1";
    AGAIN = "UPDATE wechat_push SET state = $4, due_at = $5, leased_until = 0, error = $6
             WHERE hospital_id = $1 AND id = $2 AND attempts = $3 AND state = 'new'";
    BACKLOG = "SELECT CAST(COUNT(*) AS BIGINT) FROM wechat_push WHERE state = 'new'";
    FAILED = "SELECT CAST(COUNT(*) AS BIGINT) FROM wechat_push WHERE state = 'failed'";
    LAST = "SELECT MAX(received_at) FROM (
             SELECT MAX(received_at) AS received_at FROM wechat_push WHERE hospital_id = $1 AND channel_account_id = $2
             UNION ALL SELECT MAX(received_at) FROM wechat_bundle WHERE hospital_id = $1 AND channel_account_id = $2) AS seen";
    FORGET_DONE = "DELETE FROM wechat_push WHERE (hospital_id, id) IN (
             SELECT hospital_id, id FROM wechat_push WHERE state = 'done' AND received_at < $1 LIMIT 5000)";
    FORGET_FAILED = "DELETE FROM wechat_push WHERE (hospital_id, id) IN (
             SELECT hospital_id, id FROM wechat_push WHERE state = 'failed' AND received_at < $1 LIMIT 5000)";
}

// One row of a statement that keeps several; hundreds of kilobytes of sealed texts are cheaper bound than read from JSON.
macro_rules! row {
    () => {
        "(?, ?, ?, ?, ?, ?, ?, ?, 'new', ?)"
    };
}
macro_rules! eight {
    ($row:ident) => {
        concat!(
            $row!(),
            ", ",
            $row!(),
            ", ",
            $row!(),
            ", ",
            $row!(),
            ", ",
            $row!(),
            ", ",
            $row!(),
            ", ",
            $row!(),
            ", ",
            $row!()
        )
    };
}
macro_rules! eight_rows {
    () => {
        eight!(row)
    };
}
macro_rules! sixty_four_rows {
    () => {
        eight!(eight_rows)
    };
}
macro_rules! keep {
    ($name:ident, $rows:ident) => {
        const $name: Sql = Sql {
            name: stringify!($name),
            sqlite: concat!(
                "INSERT INTO wechat_push (hospital_id, id, channel_account_id, dedup_key, kind, openid, received_at, body, state, due_at) VALUES ",
                $rows!(),
                " ON CONFLICT DO NOTHING"
            ),
            postgres: KEEP_POSTGRES,
        };
    };
}
/// However many rows: PostgreSQL takes columns. In the order of the rows, so that two nodes meet copies in the same order.
const KEEP_POSTGRES: &str = "INSERT INTO wechat_push (hospital_id, id, channel_account_id, dedup_key, kind, openid, received_at, body, state, due_at)
     SELECT r.hospital_id, r.id, r.channel_account_id, r.dedup_key, r.kind, r.openid, $8, r.body, 'new', $8
     FROM unnest(CAST($1 AS BIGINT[]), CAST($2 AS TEXT[]), CAST($3 AS TEXT[]), CAST($4 AS TEXT[]), CAST($5 AS TEXT[]), CAST($6 AS TEXT[]),
         CAST($7 AS TEXT[])) AS r(hospital_id, id, channel_account_id, dedup_key, kind, openid, body)
     ON CONFLICT DO NOTHING";
keep!(KEEP_1, row);
keep!(KEEP_8, eight_rows);
keep!(KEEP_64, sixty_four_rows);

/// Every statement of the entrance, for the test that prepares them on both databases.
pub(super) fn all() -> Vec<Sql> {
    [ALL, bundles::ALL, failed::ALL, &[KEEP_1, KEEP_8, KEEP_64]].concat()
}

/// The name that the seal of a push's text is bound to.
pub(super) const BODY: &str = "wechat_push.body";
/// So many pushes are taken at a time …
const BATCH: i64 = 256;
/// … for so long: when the node dies, another takes them after that.
pub(super) const LEASE: Duration = Duration::from_secs(30);

fn text(value: impl ToValue) -> Option<String> {
    match value.to_value() {
        Value::Text(text) => text,
        _ => None,
    }
}

/// Keeps pushes that came at `at`; gives how many of them were not here before.
pub(super) async fn keep_all(tx: &mut Tx, vault: &Vault, pushes: &[&NewPush], at: UnixMs) -> Result<u64> {
    let seal = |push: &NewPush| vault.seal(push.hospital, BODY, &push.body);
    let bodies = pushes.iter().map(|push| seal(push)).collect::<Result<Vec<_>>>()?;
    if tx.is_postgres() {
        let texts = |of: fn(&NewPush) -> Option<String>| -> Value {
            Value::Texts(pushes.iter().map(|push| of(push)).collect())
        };
        let hospitals: Vec<i64> = pushes.iter().map(|push| push.hospital.0).collect();
        let values = vec![
            Value::Ints(hospitals),
            texts(|push| text(push.id)),
            texts(|push| text(push.channel)),
            texts(|push| text(&push.dedup_key)),
            texts(|push| text(&push.kind)),
            texts(|push| text(&push.openid)),
            Value::Texts(bodies.into_iter().map(text).collect()),
            at.to_value(),
        ];
        return tx.exec(KEEP_1, values).await;
    }
    let mut kept = 0;
    let mut bodies = bodies.into_iter();
    let mut rest = pushes;
    while !rest.is_empty() {
        let (sql, size) = match rest.len() {
            64.. => (KEEP_64, 64),
            8.. => (KEEP_8, 8),
            _ => (KEEP_1, 1),
        };
        let Some((part, others)) = rest.split_at_checked(size) else { break };
        let values = part.iter().zip(bodies.by_ref()).flat_map(|(push, body)| {
            args![
                push.hospital,
                push.id,
                push.channel,
                &push.dedup_key,
                &push.kind,
                &push.openid,
                at,
                body,
                at
            ]
        });
        kept += tx.exec(sql, values.collect()).await?;
        rest = others;
    }
    Ok(kept)
}

/// Which of these rows are there: the others are copies of earlier ones.
pub(super) async fn there(tx: &mut Tx, pushes: &[&NewPush]) -> Result<HashSet<PushId>> {
    let ids: Vec<_> = pushes.iter().map(|push| (push.hospital.0, push.id.db())).collect();
    let found: Vec<One<PushId>> = tx.all(THERE, args![serde_json::json!(ids)]).await?;
    Ok(found.into_iter().map(|one| one.0).collect())
}

/// Takes what is due and came before `before`, oldest first. While a person's push is being worked on, the later ones of that
/// person stay.
pub(super) async fn claim(db: &Db, before: UnixMs) -> Result<Vec<TakenPush>> {
    let mut tx = db.begin().await?;
    let _: Vec<Row> = tx.all(CLAIM_LOCK, args![]).await?;
    let now = tx.now();
    let mut taken: Vec<TakenPush> = tx.all(CLAIM, args![now, now.plus(LEASE), BATCH, before]).await?;
    tx.commit().await?;
    taken.sort_by_key(|push| (push.received_at, push.id));
    Ok(taken)
}

/// Marks a push as done; false when somebody else has taken it meanwhile, and then nothing of ours may stay.
pub(super) async fn done(tx: &mut Tx, push: &TakenPush) -> Result<bool> {
    Ok(tx.exec(DONE, args![push.hospital, push.id, push.attempts]).await? == 1)
}

/// Marks pushes as done that were taken for the first time; false when somebody else has taken one of them meanwhile, and then
/// nothing of ours may stay.
pub(super) async fn done_all(tx: &mut Tx, pushes: &[TakenPush]) -> Result<bool> {
    let ids: Vec<_> = pushes.iter().map(|push| (push.hospital.0, push.id.db())).collect();
    let done = tx.exec(DONE_ALL, args![serde_json::json!(ids)]).await?;
    Ok(usize::try_from(done) == Ok(pushes.len()))
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
    Ok(db.one::<One<i64>>(BACKLOG, args![]).await?.0 + bundles::waiting(db).await?)
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
