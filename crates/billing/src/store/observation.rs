//! What was observed: written down first, applied then, marked in the same transaction.

use base::{HospitalId, UnixMs};
use store::value::{FromRow, One, Row};
use store::{Db, Result, Sealed, StoreError, Tx, args};

use crate::model::{ObservationId, PayAccountId};
use crate::observation::{Observation, Source};

store::statements! {
    KEEP = "INSERT INTO observation (hospital_id, id, pay_account_id, dedup_key, source, number, said, raw, received_at, state, due_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $9) ON CONFLICT (hospital_id, pay_account_id, dedup_key) DO NOTHING";
    CLAIM_LOCK = sqlite "SELECT 1" postgres "SELECT CAST(1 AS BIGINT) FROM (SELECT pg_advisory_xact_lock(7240961)) AS held";
    CLAIM = "UPDATE observation SET leased_until = $2, attempts = attempts + 1 WHERE (hospital_id, id) IN (
                 SELECT hospital_id, id FROM observation WHERE state = 'new' AND due_at <= $1 AND leased_until <= $1 ORDER BY due_at, id LIMIT $3)
             RETURNING hospital_id, id, pay_account_id, source, said, attempts, received_at";
    MARK = "UPDATE observation SET state = $4, outcome = $5, leased_until = 0 WHERE hospital_id = $1 AND id = $2 AND state = 'new' AND attempts = $3";
    AGAIN = "UPDATE observation SET due_at = $4, leased_until = 0, outcome = $5 WHERE hospital_id = $1 AND id = $2 AND state = 'new' AND attempts = $3";
    INCIDENT = "UPDATE observation SET state = 'incident', outcome = $3 WHERE hospital_id = $1 AND id = $2";
    WAITING = "SELECT CAST(COUNT(*) AS BIGINT) FROM observation WHERE state = 'new' AND due_at <= $1";
    INCIDENTS = "SELECT * FROM observation WHERE hospital_id = $1 AND state = 'incident' ORDER BY received_at DESC, id DESC LIMIT 200";
    GET = "SELECT * FROM observation WHERE hospital_id = $1 AND id = $2";
}

/// An observation to be kept.
pub(crate) struct New<'a> {
    pub(crate) hospital: HospitalId,
    pub(crate) id: ObservationId,
    /// Whose; the desk has none.
    pub(crate) account: Option<PayAccountId>,
    /// What makes copies the same.
    pub(crate) dedup: &'a str,
    pub(crate) source: Source,
    pub(crate) observation: &'a Observation,
    /// As it came.
    pub(crate) raw: Option<Sealed>,
    /// Whether it is applied in this very transaction.
    pub(crate) applied: bool,
}

/// Keeps an observation; false when it is there already.
pub(crate) async fn keep(tx: &mut Tx, new: New<'_>) -> Result<bool> {
    let said = serde_json::to_string(new.observation)
        .map_err(|e| StoreError::Decode { column: "said".into(), what: e.to_string() })?;
    let now = tx.now();
    let values = args![
        new.hospital,
        new.id,
        new.account.map_or_else(|| "desk".to_owned(), |id| id.db()),
        new.dedup,
        new.source,
        &new.observation.number,
        said,
        new.raw,
        now,
        if new.applied { "applied" } else { "new" }
    ];
    Ok(tx.exec(KEEP, values).await? == 1)
}

/// An observation that a worker has taken.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) hospital: HospitalId,
    pub(crate) id: ObservationId,
    pub(crate) account: Option<PayAccountId>,
    pub(crate) observation: Observation,
    pub(crate) attempts: i64,
}

impl FromRow for Taken {
    fn from_row(row: &Row) -> Result<Self> {
        let said: String = row.get("said")?;
        let account: String = row.get("pay_account_id")?;
        Ok(Self {
            hospital: row.get("hospital_id")?,
            id: row.get("id")?,
            account: PayAccountId::from_db(&account).ok(),
            observation: serde_json::from_str(&said)
                .map_err(|e| StoreError::Decode { column: "said".into(), what: e.to_string() })?,
            attempts: row.get("attempts")?,
        })
    }
}

/// Takes what is due, under a lease.
pub(crate) async fn claim(tx: &mut Tx, until: UnixMs, most: i64) -> Result<Vec<Taken>> {
    let _: Vec<Row> = tx.all(CLAIM_LOCK, args![]).await?;
    let now = tx.now();
    tx.all(CLAIM, args![now, until, most]).await
}

/// Marks it done or an incident, with what came of it; false when another node has it meanwhile.
pub(crate) async fn mark(tx: &mut Tx, taken: &Taken, incident: bool, outcome: &str) -> Result<bool> {
    let state = if incident { "incident" } else { "applied" };
    let values = args![taken.hospital, taken.id, taken.attempts, state, outcome];
    Ok(tx.exec(MARK, values).await? == 1)
}

/// A person must look at what was kept just now.
pub(crate) async fn incident(
    tx: &mut Tx,
    hospital: HospitalId,
    id: ObservationId,
    outcome: &str,
) -> Result<()> {
    tx.exec(INCIDENT, args![hospital, id, outcome]).await.map(drop)
}

/// It failed and is tried again then.
pub(crate) async fn again(tx: &mut Tx, taken: &Taken, at: UnixMs, why: &str) -> Result<()> {
    tx.exec(AGAIN, args![taken.hospital, taken.id, taken.attempts, at, why]).await.map(drop)
}

/// How many wait to be applied.
pub(crate) async fn waiting(db: &Db) -> Result<i64> {
    Ok(db.one::<One<i64>>(WAITING, args![db.now()]).await?.0)
}

/// An observation as those who look see it.
#[derive(Debug, Clone)]
pub struct Observed {
    /// Its id.
    pub id: ObservationId,
    /// How it came.
    pub source: Source,
    /// Our order number in it.
    pub number: String,
    /// What it says, as JSON.
    pub said: String,
    /// When it came.
    pub received_at: UnixMs,
    /// `new`, `applied`, `incident`.
    pub state: String,
    /// What came of it.
    pub outcome: Option<String>,
}

impl FromRow for Observed {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            source: row.get("source")?,
            number: row.get("number")?,
            said: row.get("said")?,
            received_at: row.get("received_at")?,
            state: row.get("state")?,
            outcome: row.get("outcome")?,
        })
    }
}

/// What a person must look at, the last first.
pub(crate) async fn incidents(db: &Db, hospital: HospitalId) -> Result<Vec<Observed>> {
    db.all(INCIDENTS, args![hospital]).await
}

pub(crate) async fn read(db: &Db, hospital: HospitalId, id: ObservationId) -> Result<Option<Observed>> {
    db.opt(GET, args![hospital, id]).await
}
