//! Jobs, which are due at a time, and sweeps, which look for what is due by the state itself.
//!
//! A job row is for what can't be found otherwise; what follows from the state (holds that run out, reminders of the day
//! before) is a [`Sweep`] over an index. Both are leased: one node does it, and when that dies another takes over.
//! Handlers are idempotent: a job may run again when a node dies between its work and the mark.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base::{HospitalId, UnixMs};
use tokio_util::sync::CancellationToken;

use crate::caught::calmly;
use crate::events::{Failure, pause, said};
use crate::fault::{self, Point};
use crate::value::{FromRow, One, Row};
use crate::{Db, Result, StoreError, Tx, args, lease};

const LEASE: Duration = Duration::from_secs(60);
const ATTEMPTS: i64 = 20;
/// While people wait in numbers a sweep begins after so long at the latest.
const PEOPLE_FIRST: Duration = Duration::from_secs(2);

crate::statements! {
    ADD = "INSERT INTO job (hospital_id, id, kind, dedupe, payload, due_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
           ON CONFLICT (hospital_id, kind, dedupe) WHERE state = 'waiting' DO UPDATE
           SET again_at = CASE WHEN job.again_at < excluded.due_at THEN job.again_at ELSE excluded.due_at END
           WHERE job.leased_until >= $7";
    CLAIM_LOCK = sqlite "SELECT 1" postgres "SELECT CAST(1 AS BIGINT) FROM (SELECT pg_advisory_xact_lock(7240933)) AS held";
    CLAIM = "UPDATE job SET leased_until = $2, attempts = attempts + 1 WHERE (hospital_id, id) IN (
                 SELECT hospital_id, id FROM job WHERE state = 'waiting' AND due_at <= $1 AND leased_until < $1 ORDER BY due_at LIMIT 64)
             RETURNING hospital_id, id, kind, dedupe, payload, due_at, attempts";
    DONE = "UPDATE job SET state = CASE WHEN again_at IS NULL THEN 'done' ELSE 'waiting' END, due_at = COALESCE(again_at, due_at),
            attempts = CASE WHEN again_at IS NULL THEN attempts ELSE 0 END, again_at = NULL, leased_until = 0, error = NULL
            WHERE hospital_id = $1 AND id = $2 AND state = 'waiting' AND attempts = $3";
    AGAIN = "UPDATE job SET state = $4, due_at = $5, error = $6, leased_until = 0
             WHERE hospital_id = $1 AND id = $2 AND state = 'waiting' AND attempts = $3";
    WAITING = "SELECT CAST(COUNT(*) AS BIGINT) FROM job WHERE state = 'waiting' AND due_at <= $1";
    FORGET = "DELETE FROM job WHERE state = 'done' AND due_at < $1";
}

/// A job to be done at a time.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// In which hospital.
    pub hospital: HospitalId,
    /// Which handler does it.
    pub kind: &'static str,
    /// While a job of this kind and text waits, another is not added.
    pub dedupe: String,
    /// Ids and figures only.
    pub payload: serde_json::Value,
}

/// A job that is due.
#[derive(Debug, Clone)]
pub struct Job {
    /// In which hospital.
    pub hospital: HospitalId,
    /// Its id.
    pub id: String,
    /// Which handler does it.
    pub kind: String,
    /// See [`NewJob::dedupe`].
    pub dedupe: String,
    /// What it needs to know.
    pub payload: serde_json::Value,
    /// When it was due.
    pub due: UnixMs,
    /// Which attempt this is, from 1.
    pub attempts: i64,
}

/// Does jobs of one kind. Idempotent.
#[async_trait]
pub trait JobHandler: Send + Sync {
    /// The kind.
    fn kind(&self) -> &'static str;
    /// Does it.
    ///
    /// # Errors
    /// [`Failure`] says whether another try may help.
    async fn run(&self, db: &Db, job: &Job) -> Result<(), Failure>;
}

/// Looks now and then for what is due by the state itself. Idempotent; one node at a time.
#[async_trait]
pub trait Sweep: Send + Sync {
    /// Its name, also that of its lease.
    fn name(&self) -> &'static str;
    /// How often it looks, by the injected clock.
    fn every(&self) -> Duration;
    /// Looks, and does it. Gives whether there is more to do at once.
    ///
    /// # Errors
    /// [`Failure`]; it looks again at the next time.
    async fn run(&self, db: &Db) -> Result<bool, Failure>;
}

impl Tx {
    /// Has a job done at `due`, with this transaction. The same kind and dedupe text waits only once; when it is just being
    /// done (perhaps by the one who asks), it is done once more at `due`.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn at(&mut self, due: UnixMs, job: NewJob) -> Result<()> {
        let now = self.now();
        let id = uuid::Uuid::now_v7().simple().to_string();
        self.exec(ADD, args![job.hospital, id, job.kind, job.dedupe, job.payload, due, now]).await?;
        self.will_wake_jobs();
        Ok(())
    }
}

/// How many jobs are due and wait.
///
/// # Errors
/// Any [`StoreError`].
pub async fn waiting(db: &Db) -> Result<i64> {
    Ok(db.one::<One<i64>>(WAITING, args![db.now()]).await?.0)
}

/// Removes done jobs that were due before `before`; gives how many.
///
/// # Errors
/// Any [`StoreError`].
pub async fn forget(db: &Db, before: UnixMs) -> Result<u64> {
    let mut tx = db.begin().await?;
    let n = tx.exec(FORGET, args![before]).await?;
    tx.commit().await?;
    Ok(n)
}

/// Does due jobs until `stop`.
pub async fn run(db: Db, handlers: Arc<[Arc<dyn JobHandler>]>, tick: Duration, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match turn(&db, &handlers).await {
            Ok(n) if n > 0 => continue,
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "jobs could not be read"),
        }
        tokio::select! {
            () = db.jobs_woken(tick) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// One turn: takes what is due and does it. Gives how many.
///
/// # Errors
/// When the database can't be read; single jobs that fail do not end the turn.
pub async fn turn(db: &Db, handlers: &[Arc<dyn JobHandler>]) -> Result<usize> {
    let mut tx = db.begin().await?;
    let _: Vec<Row> = tx.all(CLAIM_LOCK, args![]).await?;
    let now = tx.now();
    let lease_ends = now.plus(LEASE);
    let mut jobs: Vec<Job> = tx.all(CLAIM, args![now, lease_ends]).await?;
    tx.commit().await?;
    if !jobs.is_empty() {
        fault::pass(Point::JobTaken);
    }
    jobs.sort_by_key(|job| job.due);
    let mut done = 0;
    for job in &jobs {
        if db.now() >= lease_ends {
            // The jobs before took so long that others may have taken this one; it waits for its turn again.
            break;
        }
        done += 1;
        let outcome = match handlers.iter().find(|h| h.kind() == job.kind) {
            Some(handler) => calmly(handler.run(db, job)).await,
            None => Err(Failure::Final("this program has no such handler".into())),
        };
        let mut tx = db.begin().await?;
        match outcome {
            Ok(()) => tx.exec(DONE, args![job.hospital, &job.id, job.attempts]).await?,
            Err(failure) => {
                tracing::warn!(error = %failure, kind = job.kind, job = job.id, attempts = job.attempts, "a job failed");
                let over = job.attempts >= ATTEMPTS || matches!(failure, Failure::Final(_));
                let state = if over { "failed" } else { "waiting" };
                let next = tx.now().plus(pause(job.attempts));
                tx.exec(AGAIN, args![job.hospital, &job.id, job.attempts, state, next, said(&failure)])
                    .await?
            }
        };
        fault::pass(Point::JobDoneBefore);
        tx.commit().await?;
        fault::pass(Point::JobDoneAfter);
    }
    Ok(done)
}

/// Runs sweeps until `stop`, each under a lease of its own.
pub async fn sweep(db: Db, sweeps: Arc<[Arc<dyn Sweep>]>, tick: Duration, stop: CancellationToken) {
    let mut last: Vec<Option<UnixMs>> = vec![None; sweeps.len()];
    while !stop.is_cancelled() {
        for (sweep, last) in sweeps.iter().zip(last.iter_mut()) {
            let now = db.now();
            // A clock that was set back (in a test, by an administrator) must not silence a sweep.
            if last.is_some_and(|l| now >= l && now.since(l) < sweep.every()) {
                continue;
            }
            *last = Some(now);
            if let Err(failure) = sweep_once(&db, &**sweep, &stop).await {
                tracing::warn!(error = %failure, sweep = sweep.name(), "a sweep failed; it looks again");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(tick) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn sweep_once(db: &Db, sweep: &dyn Sweep, stop: &CancellationToken) -> Result<(), Failure> {
    let name = format!("sweep:{}", sweep.name());
    while !stop.is_cancelled() {
        db.after_people(PEOPLE_FIRST).await;
        if lease::take(db, &name, LEASE).await?.is_none() {
            return Ok(());
        }
        let more = calmly(sweep.run(db)).await;
        lease::give_back(db, &name).await?;
        if !more? {
            return Ok(());
        }
    }
    Ok(())
}

impl FromRow for Job {
    fn from_row(row: &Row) -> Result<Self> {
        let payload: String = row.get("payload")?;
        Ok(Self {
            hospital: row.get("hospital_id")?,
            id: row.get("id")?,
            kind: row.get("kind")?,
            dedupe: row.get("dedupe")?,
            payload: serde_json::from_str(&payload)
                .map_err(|e| StoreError::Decode { column: "payload".into(), what: e.to_string() })?,
            due: row.get("due_at")?,
            attempts: row.get("attempts")?,
        })
    }
}
