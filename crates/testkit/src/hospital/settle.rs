//! Waiting until all that follows from what was done has been done.

use std::time::Duration;

use base::UnixMs;
use store::args;
use store::value::{FromRow, One, Row};

use super::{Hospital, Inner};
use crate::sim_control::SimControl;

store::statements! {
    UNDONE = "SELECT
        (SELECT CAST(COUNT(*) AS BIGINT) FROM event WHERE state = 'new') AS events,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM event_failure WHERE state = 'waiting' AND next_at <= $1) AS failures,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM job WHERE state = 'waiting' AND due_at <= $1) AS jobs,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM wechat_push WHERE state = 'new' AND due_at <= $1) AS pushes,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM message WHERE due_at <= $1 OR (due_at >= $2 AND due_at <= $3)) AS messages,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM message WHERE state = 'sent' AND channel = 'template') AS results";
    NEXT = "SELECT CAST(COALESCE(MIN(at), 0) AS BIGINT) FROM (
        SELECT next_at AS at FROM event_failure WHERE state = 'waiting'
        UNION ALL SELECT due_at FROM job WHERE state = 'waiting'
        UNION ALL SELECT due_at FROM wechat_push WHERE state = 'new'
        UNION ALL SELECT due_at FROM message WHERE due_at IS NOT NULL) AS due WHERE at > $1 AND at <= $2";
}

/// How long waiting may take. Nothing takes this long unless it is broken.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(15);
/// How long sending one message may take.
const WORKING: Duration = Duration::from_secs(30);

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

impl Inner {
    async fn undone(&self, results: bool) -> Undone {
        let now = self.clock.now();
        // Who works on a message has moved it ahead by the lease. Where the clock stands still that is exact; where it runs
        // a retry in a minute or more looks the same, and is waited for in vain until it comes nearer.
        let taken = now.plus(notify::worker::LEASE);
        let since = if self.real_time { taken.minus(WORKING) } else { taken };
        let mut undone: Undone = self.nodes[0].db().one(UNDONE, args![now, since, taken]).await.unwrap();
        if !results {
            undone.results = 0;
        }
        undone
    }

    pub(crate) async fn settle(&self, sim: &SimControl) {
        let faults = sim.get("/sim/v1/faults").await;
        let results = faults["template_event"] != "never";
        let begun = tokio::time::Instant::now();
        let mut look = tokio::time::interval(LOOK);
        let mut quiet = 0;
        loop {
            look.tick().await;
            let left = self.undone(results).await;
            // Twice, because what one worker finishes may be another's beginning.
            quiet = if left == Undone::default() { quiet + 1 } else { 0 };
            if quiet == 2 {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "this was not worked off: {left:?}");
        }
    }
}

impl Hospital {
    /// Waits until events, jobs, pushes and notices that are due have been worked off, without moving the clock.
    ///
    /// # Panics
    /// When they are not, after far longer than they may take.
    pub async fn settle(&self) {
        self.inner.settle(&self.sim).await;
    }

    /// Lets time pass, from one thing that is to be tried again to the next, until nothing is left within `ahead`.
    ///
    /// # Panics
    /// As [`Self::settle`].
    pub async fn settles_within(&self, ahead: Duration) {
        let end = self.now().plus(ahead);
        loop {
            self.settle().await;
            let One(next) = self.node().db().one::<One<i64>>(NEXT, args![self.now(), end]).await.unwrap();
            if next == 0 {
                return;
            }
            self.becomes_exactly(UnixMs(next)).await;
        }
    }
}
