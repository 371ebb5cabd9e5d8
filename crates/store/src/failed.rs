//! What failed for good: subscribers that could not deal with an event, jobs that did not get through. A person looks why,
//! and then has it tried again or gives it up; what was given up counts as done, its last error stays in the row.

use base::{HospitalId, UnixMs};

use crate::value::{FromRow, Row};
use crate::{Db, Result, Tx, args};

crate::statements! {
    EVENTS = "SELECT seq, subscriber, kind, created_at AS since, attempts, error FROM event_failure
              WHERE hospital_id = $1 AND state = 'failed' AND created_at >= $2 AND created_at < $3 ORDER BY created_at DESC LIMIT $4";
    JOBS = "SELECT id, kind, due_at AS since, attempts, error FROM job
            WHERE hospital_id = $1 AND state = 'failed' AND due_at >= $2 AND due_at < $3 ORDER BY due_at DESC LIMIT $4";
    EVENT_AGAIN = "UPDATE event_failure SET state = 'waiting', attempts = 0, next_at = $4, leased_until = 0
                   WHERE hospital_id = $1 AND seq = $2 AND subscriber = $3 AND state = 'failed'";
    EVENT_OVER = "UPDATE event_failure SET state = 'done' WHERE hospital_id = $1 AND seq = $2 AND subscriber = $3 AND state = 'failed'";
    JOB_AGAIN = "UPDATE job SET state = 'waiting', attempts = 0, due_at = $3, leased_until = 0
                 WHERE hospital_id = $1 AND id = $2 AND state = 'failed' AND NOT EXISTS (
                     SELECT 1 FROM job o WHERE o.hospital_id = job.hospital_id AND o.kind = job.kind AND o.dedupe = job.dedupe AND o.state = 'waiting')";
    JOB_OVER = "UPDATE job SET state = 'done' WHERE hospital_id = $1 AND id = $2 AND state = 'failed'";
}

/// A piece of work that failed for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// What names it among its like: an event's number and its subscriber (`17.notify.followed`), a job's id.
    pub id: String,
    /// Which event, or which job.
    pub kind: String,
    /// When the event happened, when the job was due.
    pub at: UnixMs,
    /// How often it was tried.
    pub attempts: i64,
    /// Why the last attempt failed.
    pub error: String,
}

/// Which are looked for: since when, until before when, and how many of the newest.
#[derive(Debug, Clone, Copy)]
pub struct Search {
    /// From this instant on …
    pub from: UnixMs,
    /// … and before this one.
    pub before: UnixMs,
    /// The most of them.
    pub most: i64,
}

impl FromRow for Failed {
    fn from_row(row: &Row) -> Result<Self> {
        let id = match row.get::<String>("id") {
            Ok(id) => id,
            Err(_) => format!("{}.{}", row.get::<i64>("seq")?, row.get::<String>("subscriber")?),
        };
        Ok(Self {
            id,
            kind: row.get("kind")?,
            at: row.get("since")?,
            attempts: row.get("attempts")?,
            error: row.get::<Option<String>>("error")?.unwrap_or_default(),
        })
    }
}

/// Events with which a subscriber could not deal, newest first.
///
/// # Errors
/// Any [`crate::StoreError`].
pub async fn events(db: &Db, hospital: HospitalId, search: Search) -> Result<Vec<Failed>> {
    db.all(EVENTS, args![hospital, search.from, search.before, search.most]).await
}

/// Jobs that did not get through, newest first.
///
/// # Errors
/// Any [`crate::StoreError`].
pub async fn jobs(db: &Db, hospital: HospitalId, search: Search) -> Result<Vec<Failed>> {
    db.all(JOBS, args![hospital, search.from, search.before, search.most]).await
}

/// Has a subscriber try again, with as many attempts as for a new event; false when there is no such failure.
///
/// # Errors
/// Any [`crate::StoreError`].
pub async fn event_again(tx: &mut Tx, hospital: HospitalId, id: &str) -> Result<bool> {
    let Some((seq, subscriber)) = event_id(id) else { return Ok(false) };
    let now = tx.now();
    tx.will_wake_relay();
    Ok(tx.exec(EVENT_AGAIN, args![hospital, seq, subscriber, now]).await? == 1)
}

/// Gives a failure up; false when there is none of this id.
///
/// # Errors
/// Any [`crate::StoreError`].
pub async fn event_over(tx: &mut Tx, hospital: HospitalId, id: &str) -> Result<bool> {
    let Some((seq, subscriber)) = event_id(id) else { return Ok(false) };
    Ok(tx.exec(EVENT_OVER, args![hospital, seq, subscriber]).await? == 1)
}

fn event_id(id: &str) -> Option<(i64, &str)> {
    let (seq, subscriber) = id.split_once('.')?;
    Some((seq.parse().ok()?, subscriber))
}

/// Has a job done again now; false when there is no such failed job, or another for the same waits already.
///
/// # Errors
/// Any [`crate::StoreError`].
pub async fn job_again(tx: &mut Tx, hospital: HospitalId, id: &str) -> Result<bool> {
    let now = tx.now();
    tx.will_wake_jobs();
    Ok(tx.exec(JOB_AGAIN, args![hospital, id, now]).await? == 1)
}

/// Gives a job up; false when there is no failed one of this id.
///
/// # Errors
/// Any [`crate::StoreError`].
pub async fn job_over(tx: &mut Tx, hospital: HospitalId, id: &str) -> Result<bool> {
    Ok(tx.exec(JOB_OVER, args![hospital, id]).await? == 1)
}
