//! Events: what happened, told to whoever must do something about it.
//!
//! [`Tx::publish`] writes one row in the caller's transaction, so that an event exists exactly when the change does. The
//! relay leases new events in batches, hands each to its subscribers in one transaction and marks it done in the same one:
//! what a subscriber writes to the database happens once. Events of one key are handled in order; different keys run side
//! by side. A subscriber that fails gets a row of its own with growing pauses; the others are not held up. What fails for
//! good stays visible.

mod relay;

use std::collections::HashSet;
use std::time::Duration;

use async_trait::async_trait;
use base::{HospitalId, UnixMs};

pub use self::relay::{relay, turn};
use crate::value::{FromRow, One, Row};
use crate::{Db, Result, StoreError, Tx, args};

/// After a failure of the database an event is left alone for so long, so that the relay does not spin.
const BREATH: Duration = Duration::from_secs(1);
/// How many events a node takes at a time, and for how long.
const BATCH: i64 = 128;
const LEASE: Duration = Duration::from_secs(30);
/// A subscriber is tried so often, with pauses of 2, 4, 8 … seconds up to an hour (about ten hours in all).
const ATTEMPTS: i64 = 20;

crate::statements! {
    PUBLISH = "INSERT INTO event (hospital_id, kind, key, payload, created_at) VALUES ($1, $2, $3, $4, $5)";
    PUBLISH_ALL = sqlite "WITH r(value) AS MATERIALIZED (SELECT jsonb(value) FROM json_each($1))
             INSERT INTO event (hospital_id, kind, key, payload, created_at)
             SELECT CAST(value->>0 AS BIGINT), value->>1, value->>2, value->>3, $2 FROM r"
         postgres "INSERT INTO event (hospital_id, kind, key, payload, created_at)
             SELECT hospital, kind, key, payload, $2
             FROM unnest(CAST($1 AS BIGINT[]), CAST($3 AS TEXT[]), CAST($4 AS TEXT[]), CAST($5 AS TEXT[])) WITH ORDINALITY
                 AS t(hospital, kind, key, payload, n) ORDER BY n";
    CLAIM_LOCK = sqlite "SELECT 1" postgres "SELECT CAST(1 AS BIGINT) FROM (SELECT pg_advisory_xact_lock(7240932)) AS held";
    CLAIM = "UPDATE event SET leased_until = $2, leased_by = $3, attempts = attempts + 1
             WHERE (hospital_id, seq) IN (
                 SELECT e.hospital_id, e.seq FROM event e
                 WHERE e.state = 'new' AND e.leased_until < $1 AND NOT EXISTS (
                     SELECT 1 FROM event o WHERE o.hospital_id = e.hospital_id AND o.key = e.key AND o.state = 'new'
                     AND o.seq < e.seq AND o.leased_until >= $1)
                 ORDER BY e.seq LIMIT $4)
             RETURNING hospital_id, seq, kind, key, payload, created_at";
    DONE_ALL = sqlite "UPDATE event SET state = 'done' WHERE state = 'new' AND leased_by = $1 AND (hospital_id, seq) IN (
                 SELECT h.value, s.value FROM json_each($2) AS h JOIN json_each($3) AS s ON s.key = h.key)"
         postgres "UPDATE event SET state = 'done' WHERE state = 'new' AND leased_by = $1 AND (hospital_id, seq) IN (
                 SELECT h, s FROM unnest(CAST($2 AS BIGINT[]), CAST($3 AS BIGINT[])) AS t(h, s))";
    DONE = "UPDATE event SET state = 'done' WHERE hospital_id = $1 AND seq = $2 AND state = 'new' AND leased_by = $3";
    LET_GO = "UPDATE event SET leased_until = $4, leased_by = NULL WHERE hospital_id = $1 AND seq = $2 AND state = 'new' AND leased_by = $3";
    LET_ALL_GO = "UPDATE event SET leased_until = 0, leased_by = NULL WHERE state = 'new' AND leased_by = $1";
    FAILED = "INSERT INTO event_failure (hospital_id, seq, subscriber, kind, key, payload, created_at, attempts, next_at, state, error)
              VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9, $10) ON CONFLICT DO NOTHING";
    CLAIM_FAILURES = "UPDATE event_failure SET leased_until = $2 WHERE (hospital_id, seq, subscriber) IN (
                 SELECT hospital_id, seq, subscriber FROM event_failure
                 WHERE state = 'waiting' AND next_at <= $1 AND leased_until < $1 ORDER BY next_at LIMIT 32)
             RETURNING hospital_id, seq, subscriber, kind, key, payload, created_at, attempts";
    FAILURE_DONE = "UPDATE event_failure SET state = 'done' WHERE hospital_id = $1 AND seq = $2 AND subscriber = $3 AND state = 'waiting'";
    FAILURE_AGAIN = "UPDATE event_failure SET attempts = $4, next_at = $5, state = $6, error = $7, leased_until = 0
              WHERE hospital_id = $1 AND seq = $2 AND subscriber = $3 AND state = 'waiting'";
    BACKLOG = "SELECT CAST(COUNT(*) AS BIGINT) FROM event WHERE state = 'new'";
    FAILURES = "SELECT CAST(COUNT(*) AS BIGINT) FROM event_failure WHERE state <> 'done'";
    PUBLISHED = sqlite "SELECT json_extract(payload, '$.' || $2) AS field FROM event WHERE kind = $1 AND created_at >= $3"
         postgres "SELECT CAST(payload AS jsonb)->>$2 AS field FROM event WHERE kind = $1 AND created_at >= $3";
    FORGET = "DELETE FROM event WHERE (hospital_id, seq) IN (SELECT hospital_id, seq FROM event WHERE state = 'done' AND created_at < $1 LIMIT 5000)";
    FORGET_FAILURES = "DELETE FROM event_failure WHERE state = 'done' AND created_at < $1";
}

/// An event to be published.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// In which hospital it happened.
    pub hospital: HospitalId,
    /// What happened: `booking.booked`.
    pub kind: &'static str,
    /// Events of one key keep their order: a person, a slot.
    pub key: String,
    /// Ids and figures only, nothing personal: this is kept for a week in the clear.
    pub payload: serde_json::Value,
}

/// An event that happened.
#[derive(Debug, Clone)]
pub struct Event {
    /// In which hospital.
    pub hospital: HospitalId,
    /// Its number; unique within a hospital, and what makes a subscriber's own rows unique.
    pub seq: i64,
    /// What happened.
    pub kind: String,
    /// Whose order it keeps.
    pub key: String,
    /// What the publisher told.
    pub payload: serde_json::Value,
    /// When.
    pub at: UnixMs,
}

/// Why a subscriber, job or sweep did not get through.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Worth another try later.
    #[error("{0}")]
    Again(String),
    /// No use trying again; a person must look.
    #[error("{0}")]
    Final(String),
}

/// Does something about events. Its changes are committed together with the event's mark, so they happen once.
#[async_trait]
pub trait Subscriber: Send + Sync {
    /// Its name; it marks the rows of failures, so it does not change.
    fn name(&self) -> &'static str;
    /// Whether it wants events of this kind.
    fn wants(&self, kind: &str) -> bool;
    /// Does it.
    ///
    /// # Errors
    /// [`Failure`] says whether another try may help; nothing that was done in `tx` stays.
    async fn handle(&self, tx: &mut Tx, event: &Event) -> Result<(), Failure>;
}

impl Tx {
    /// Tells what happened, with this transaction.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn publish(&mut self, event: NewEvent) -> Result<()> {
        let now = self.now();
        self.exec(PUBLISH, args![event.hospital, event.kind, event.key, event.payload, now]).await?;
        self.will_wake_relay();
        Ok(())
    }

    /// Tells many things that happened in one statement, in this order.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn publish_all(&mut self, events: &[NewEvent]) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let now = self.now();
        self.will_wake_relay();
        if self.is_postgres() {
            let hospitals: Vec<i64> = events.iter().map(|e| e.hospital.0).collect();
            let texts = |of: fn(&NewEvent) -> String| -> Vec<Option<String>> {
                events.iter().map(|e| Some(of(e))).collect()
            };
            let kinds = texts(|e| e.kind.to_owned());
            let (keys, payloads) = (texts(|e| e.key.clone()), texts(|e| e.payload.to_string()));
            return self.exec(PUBLISH_ALL, args![hospitals, now, kinds, keys, payloads]).await.map(drop);
        }
        let rows: Vec<_> =
            events.iter().map(|e| (e.hospital.0, e.kind, &e.key, e.payload.to_string())).collect();
        self.exec(PUBLISH_ALL, args![serde_json::json!(rows), now]).await.map(drop)
    }
}

/// How many events wait for the relay.
///
/// # Errors
/// Any [`StoreError`].
pub async fn backlog(db: &Db) -> Result<i64> {
    Ok(db.one::<One<i64>>(BACKLOG, args![]).await?.0)
}

/// How many deliveries to subscribers failed and wait or were given up.
///
/// # Errors
/// Any [`StoreError`].
pub async fn failures(db: &Db) -> Result<i64> {
    Ok(db.one::<One<i64>>(FAILURES, args![]).await?.0)
}

/// What stands in a field of the payload of each event of a kind since `since`: whether all that happened was told. Reads the
/// whole table; for checks.
///
/// # Errors
/// Any [`StoreError`].
pub async fn published(db: &Db, kind: &str, field: &str, since: UnixMs) -> Result<HashSet<String>> {
    let rows = db.all::<One<Option<String>>>(PUBLISHED, args![kind, field, since]).await?;
    Ok(rows.into_iter().filter_map(|one| one.0).collect())
}

/// Removes done events that are older than `before`, a few thousand at a time; gives how many.
///
/// # Errors
/// Any [`StoreError`].
pub async fn forget(db: &Db, before: UnixMs) -> Result<u64> {
    let mut tx = db.begin().await?;
    let n = tx.exec(FORGET, args![before]).await?;
    tx.exec(FORGET_FAILURES, args![before]).await?;
    tx.commit().await?;
    Ok(n)
}

/// What a failure says, in a shape that the database takes.
pub(crate) fn said(failure: &Failure) -> String {
    failure.to_string().replace('\0', "")
}

/// The pause before attempt `n + 1`: 2, 4, 8 … seconds, at most an hour.
pub(crate) fn pause(n: i64) -> Duration {
    let doublings = u32::try_from(n.clamp(1, 11)).unwrap_or(11);
    Duration::from_secs((1_u64 << doublings).min(3600))
}

impl FromRow for Event {
    fn from_row(row: &Row) -> Result<Self> {
        let payload: String = row.get("payload")?;
        Ok(Self {
            hospital: row.get("hospital_id")?,
            seq: row.get("seq")?,
            kind: row.get("kind")?,
            key: row.get("key")?,
            payload: serde_json::from_str(&payload)
                .map_err(|e| StoreError::Decode { column: "payload".into(), what: e.to_string() })?,
            at: row.get("created_at")?,
        })
    }
}
