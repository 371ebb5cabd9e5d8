//! Waiting until all that follows from what was done has been done.

use std::time::Duration;

use store::value::{FromRow, Row};
use store::{Db, args};

use super::Hospital;

store::statements! {
    UNDONE = "SELECT
        (SELECT CAST(COUNT(*) AS BIGINT) FROM event WHERE state = 'new') AS events,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM event_failure WHERE state = 'waiting' AND next_at <= $1) AS failures,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM job WHERE state = 'waiting' AND due_at <= $1) AS jobs,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM wechat_push WHERE state = 'new' AND due_at <= $1) AS pushes,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM message WHERE due_at <= $1 OR state = 'sending'
            OR (state = 'waiting' AND fence > attempts AND due_at = $2)) AS messages,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM message WHERE state = 'sent' AND channel = 'template') AS results";
    LATER = "SELECT
        (SELECT CAST(COUNT(*) AS BIGINT) FROM event_failure WHERE state = 'waiting') AS failures,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM job WHERE state = 'waiting' AND due_at <= $1) AS jobs,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM wechat_push WHERE state = 'new') AS pushes,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM message WHERE due_at <= $1) AS messages";
}

/// How long waiting may take. Nothing takes this long unless it is broken.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(15);

/// What is not done yet.
#[derive(Debug, Default, PartialEq, Eq)]
struct Undone {
    events: i64,
    failures: i64,
    jobs: i64,
    pushes: i64,
    messages: i64,
    /// Template messages whose result WeChat has not told yet.
    results: i64,
}

impl FromRow for Undone {
    fn from_row(row: &Row) -> store::Result<Self> {
        Ok(Self {
            events: row.get("events")?,
            failures: row.get("failures")?,
            jobs: row.get("jobs")?,
            pushes: row.get("pushes")?,
            messages: row.get("messages")?,
            results: row.get("results")?,
        })
    }
}

/// What is to be tried again when its time comes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Later {
    failures: i64,
    jobs: i64,
    pushes: i64,
    messages: i64,
}

impl FromRow for Later {
    fn from_row(row: &Row) -> store::Result<Self> {
        Ok(Self {
            failures: row.get("failures")?,
            jobs: row.get("jobs")?,
            pushes: row.get("pushes")?,
            messages: row.get("messages")?,
        })
    }
}

async fn undone(db: &Db, results: bool) -> Undone {
    let now = db.now();
    // A worker that has taken a message and not begun to send it has it until its lease ends.
    let taken = now.plus(notify::worker::LEASE);
    let mut undone: Undone = db.one(UNDONE, args![now, taken]).await.unwrap();
    if !results {
        undone.results = 0;
    }
    undone
}

impl Hospital {
    /// Waits until events, jobs, pushes and notices that are due have been worked off, without moving the clock.
    ///
    /// # Panics
    /// When they are not, after far longer than they may take.
    pub async fn settle(&self) {
        let faults = self.sim.get("/sim/v1/faults").await;
        let results = faults["template_event"] != "never";
        let begun = tokio::time::Instant::now();
        let mut look = tokio::time::interval(LOOK);
        let mut quiet = 0;
        loop {
            look.tick().await;
            let left = undone(&self.node().db(), results).await;
            // Twice, because what one worker finishes may be another's beginning.
            quiet = if left == Undone::default() { quiet + 1 } else { 0 };
            if quiet == 2 {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "this was not worked off: {left:?}");
        }
    }

    /// Lets time pass, a second at a time, until nothing is left to be tried again within `ahead`; at most that long.
    ///
    /// # Panics
    /// As [`Self::settle`].
    pub async fn settles_within(&self, ahead: Duration) {
        let end = self.now().plus(ahead);
        loop {
            self.settle().await;
            let later: Later = self.node().db().one(LATER, args![end]).await.unwrap();
            if later == Later::default() || self.now() >= end {
                return;
            }
            self.passes(Duration::from_secs(1)).await;
        }
    }
}
