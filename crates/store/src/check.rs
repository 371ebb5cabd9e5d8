//! What must always hold of events, jobs and the audit log, derived again from the rows. Read-only, on a database in use.
//!
//! What waits is well; what has waited for longer than [`LATE`] is stuck: either no program runs, or something is wrong with
//! it. What failed for good is a fault until somebody has looked at it.

use std::time::Duration;

use base::UnixMs;

use crate::value::{One, Row};
use crate::{Db, Result, args, audit, events};

/// What has been due for so long is not on its way any more. Longer than every lease and than the pauses between the first
/// attempts.
pub const LATE: Duration = Duration::from_secs(600);

crate::statements! {
    LATE_EVENTS = "SELECT hospital_id, seq, kind, created_at AS since FROM event WHERE state = 'new' AND created_at < $1 ORDER BY seq LIMIT 100";
    FAILED_EVENTS = "SELECT hospital_id, seq, subscriber, kind, error FROM event_failure WHERE state = 'failed' ORDER BY seq LIMIT 100";
    LATE_FAILURES = "SELECT hospital_id, seq, subscriber, kind, next_at AS since FROM event_failure WHERE state = 'waiting' AND next_at < $1 ORDER BY next_at LIMIT 100";
    RETRIED = "SELECT CAST(COUNT(*) AS BIGINT) FROM event_failure WHERE state = 'waiting'";
    JOBS = "SELECT CAST(COUNT(*) AS BIGINT) FROM job WHERE state = 'waiting'";
    LATE_JOBS = "SELECT hospital_id, id, kind, due_at AS since FROM job WHERE state = 'waiting' AND due_at < $1 ORDER BY due_at LIMIT 100";
    FAILED_JOBS = "SELECT hospital_id, id, kind, error FROM job WHERE state = 'failed' ORDER BY due_at LIMIT 100";
    LATE_LINKS = "SELECT CAST(COUNT(*) AS BIGINT) AS n, CAST(COALESCE(MIN(at), 0) AS BIGINT) AS since FROM audit WHERE link IS NULL AND at < $1";
}

/// What a look found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// What was looked at, in words and figures: `3 events wait`.
    pub seen: Vec<String>,
    /// What is wrong, in words.
    pub faults: Vec<String>,
}

impl Found {
    /// Takes another look's findings in.
    pub fn add(&mut self, other: Self) {
        self.seen.extend(other.seen);
        self.faults.extend(other.faults);
    }

    /// One fault for each row, in the words that `say` finds.
    ///
    /// # Errors
    /// What `say` gives.
    pub fn each(&mut self, rows: &[Row], say: impl Fn(&Row) -> Result<String>) -> Result<()> {
        for row in rows {
            self.faults.push(say(row)?);
        }
        Ok(())
    }
}

/// Since when, for a person who reads a terminal: `12 min`.
#[must_use]
pub fn ago(now: UnixMs, since: UnixMs) -> String {
    format!("{} min", now.since(since).as_secs() / 60)
}

/// Events and jobs: each is done, waits, or is told of here.
///
/// # Errors
/// Any [`crate::StoreError`].
pub async fn work(db: &Db) -> Result<Found> {
    let now = db.now();
    let late = now.minus(LATE);
    let mut found = Found::default();
    let (events, again) = (events::backlog(db).await?, db.one::<One<i64>>(RETRIED, args![]).await?.0);
    let jobs = db.one::<One<i64>>(JOBS, args![]).await?.0;
    found.seen.push(format!("{events} events wait, {again} are tried again, {jobs} jobs wait"));
    let named = |row: &Row| -> Result<String> {
        Ok(format!(
            "hospital {}: event {} ({})",
            row.get::<i64>("hospital_id")?,
            row.get::<i64>("seq")?,
            row.get::<String>("kind")?
        ))
    };
    let rows = db.all::<Row>(LATE_EVENTS, args![late]).await?;
    found.each(&rows, |row| {
        let since = ago(now, row.get("since")?);
        Ok(format!("{} has waited for {since}; does the program run?", named(row)?))
    })?;
    let rows = db.all::<Row>(LATE_FAILURES, args![late]).await?;
    found.each(&rows, |row| {
        let (by, since) = (row.get::<String>("subscriber")?, ago(now, row.get("since")?));
        Ok(format!("{}: another try of {by} has been due for {since}", named(row)?))
    })?;
    let rows = db.all::<Row>(FAILED_EVENTS, args![]).await?;
    found.each(&rows, |row| {
        let (by, error) = (row.get::<String>("subscriber")?, row.get::<String>("error")?);
        Ok(format!("{}: {by} has given up: {error}", named(row)?))
    })?;
    let job = |row: &Row| -> Result<String> {
        Ok(format!(
            "hospital {}: job {} ({})",
            row.get::<i64>("hospital_id")?,
            row.get::<String>("id")?,
            row.get::<String>("kind")?
        ))
    };
    let rows = db.all::<Row>(LATE_JOBS, args![late]).await?;
    found.each(&rows, |row| Ok(format!("{} has been due for {}", job(row)?, ago(now, row.get("since")?))))?;
    let rows = db.all::<Row>(FAILED_JOBS, args![]).await?;
    found.each(&rows, |row| {
        let error = row.get::<Option<String>>("error")?.unwrap_or_default();
        Ok(format!("{} was given up: {error}", job(row)?))
    })?;
    Ok(found)
}

/// The audit log: every entry's hash is computed again along the chain, and new entries do not wait long to be linked.
///
/// # Errors
/// Any [`crate::StoreError`].
pub async fn chain(db: &Db) -> Result<Found> {
    let walk = audit::walk(db).await?;
    let unlinked = audit::unlinked(db).await?;
    let mut found = Found {
        seen: vec![format!("{} linked entries, {unlinked} new ones", walk.entries)],
        faults: walk.faults,
    };
    let now = db.now();
    let row: Row = db.one(LATE_LINKS, args![now.minus(LATE)]).await?;
    let late = row.get::<i64>("n")?;
    if late > 0 {
        let since = ago(now, row.get("since")?);
        found.faults.push(format!("{late} entries wait to be linked, the oldest for {since}"));
    }
    Ok(found)
}
