//! Waiting until all that follows from what was done has been done.

use std::time::Duration;

use base::UnixMs;
use store::value::{FromRow, One, Row};
use store::{Db, NewJob, args};

use super::{Hospital, Inner};
use crate::phone::Phone;
use crate::setup::FIRST;
use crate::sim_control::SimControl;

store::statements! {
    UNDONE = "SELECT
        (SELECT CAST(COUNT(*) AS BIGINT) FROM event WHERE state = 'new') AS events,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM event_failure WHERE state = 'waiting' AND next_at <= $1) AS failures,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM job WHERE state = 'waiting' AND due_at <= $1) AS jobs,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM wechat_push WHERE state = 'new' AND due_at <= $1)
            + (SELECT CAST(COALESCE(SUM(pushes), 0) AS BIGINT) FROM wechat_bundle) AS pushes,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM observation WHERE state = 'new' AND due_at <= $1)
            + (SELECT CAST(COUNT(*) AS BIGINT) FROM payment WHERE next_at <= $1)
            + (SELECT CAST(COUNT(*) AS BIGINT) FROM refund WHERE next_at <= $1) AS money,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM message WHERE due_at <= $1 OR (due_at >= $2 AND due_at <= $3)) AS messages,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM message WHERE state = 'sent' AND channel = 'template') AS results,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM appointment WHERE state = 'held' AND hold_until <= $1)
            + (SELECT CAST(COUNT(*) AS BIGINT) FROM freed_place WHERE offer_at <= $1)
            + (SELECT CAST(COUNT(*) AS BIGINT) FROM waitlist WHERE state = 'waiting' AND closes_at <= $1) AS holds";
    EVENTS_FREE = "UPDATE event SET leased_until = 0 WHERE leased_until <> 0";
    FAILURES_FREE = "UPDATE event_failure SET leased_until = 0 WHERE leased_until <> 0";
    JOBS_FREE = "UPDATE job SET leased_until = 0 WHERE leased_until <> 0";
    PUSHES_FREE = "UPDATE wechat_push SET leased_until = 0 WHERE leased_until <> 0";
    BUNDLES_FREE = "UPDATE wechat_bundle SET leased_until = 0 WHERE leased_until <> 0";
    TOKENS_FREE = "UPDATE wechat_token SET leased_until = 0 WHERE leased_until <> 0";
    LEASES_FREE = "UPDATE lease SET until = 0 WHERE until <> 0";
    MONEY_FREE = "UPDATE observation SET leased_until = 0 WHERE leased_until <> 0";
    MESSAGES_FREE = "UPDATE message SET due_at = $1 WHERE due_at > $1 AND due_at <= $2";
    NEXT = "SELECT CAST(COALESCE(MIN(at), 0) AS BIGINT) FROM (
        SELECT next_at AS at FROM event_failure WHERE state = 'waiting'
        UNION ALL SELECT due_at FROM job WHERE state = 'waiting'
        UNION ALL SELECT due_at FROM wechat_push WHERE state = 'new'
        UNION ALL SELECT due_at FROM observation WHERE state = 'new'
        UNION ALL SELECT next_at FROM payment WHERE next_at IS NOT NULL
        UNION ALL SELECT next_at FROM refund WHERE next_at IS NOT NULL
        UNION ALL SELECT due_at FROM message WHERE due_at IS NOT NULL) AS due WHERE at > $1 AND at <= $2";
}

/// How long waiting may take. Nothing takes this long unless it is broken.
const PATIENCE: Duration = Duration::from_secs(60);
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
    /// What platforms told, what they are to be asked, what is to go back.
    money: i64,
    messages: i64,
    /// Places on hold whose time is over, places that are kept back and due, lists that are to be closed.
    holds: i64,
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
            money: row.get("money")?,
            messages: row.get("messages")?,
            results: row.get("results")?,
            holds: row.get("holds")?,
        })
    }
}

impl Inner {
    async fn undone(&self, db: &Db, results: bool) -> Undone {
        let now = self.clock.now();
        // Who works on a message has moved it ahead by the lease. Where the clock stands still that is exact; where it runs
        // a retry in a minute or more looks the same, and is waited for in vain until it comes nearer.
        let taken = now.plus(notify::worker::LEASE);
        let since = if self.real_time { taken.minus(WORKING) } else { taken };
        let mut undone: Undone = db.one(UNDONE, args![now, since, taken]).await.unwrap();
        if !results {
            undone.results = 0;
        }
        undone
    }

    pub(crate) async fn settle(&self, sim: &SimControl) {
        let faults = sim.get("/sim/v1/faults").await;
        self.settle_in(&self.nodes[0].db(), faults["template_event"] != "never").await;
    }

    async fn settle_in(&self, db: &Db, results: bool) {
        let begun = tokio::time::Instant::now();
        let mut look = tokio::time::interval(LOOK);
        let mut quiet = 0;
        loop {
            look.tick().await;
            let left = self.undone(db, results).await;
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

    /// As [`Self::settle`], while the program works on the database in a process of its own. Results of template messages
    /// are not waited for: the program may have been dead when WeChat told them.
    ///
    /// # Panics
    /// As [`Self::settle`].
    pub async fn program_settles(&self) {
        let db = self.looks_in().await;
        self.inner.settle_in(&db, false).await;
        db.close().await;
    }

    /// The database, to be read only, whoever works on it.
    ///
    /// # Panics
    /// When it can't be reached.
    pub async fn looks_in(&self) -> Db {
        let config = self.node().config().database.store();
        Db::open_read_only(&config, self.inner.clock.clone()).await.expect("open the database to read")
    }

    /// What a dead program had taken up is free again, as it would be after a minute and a half.
    ///
    /// # Panics
    /// When the database can't be written: on SQLite, while a program runs.
    pub async fn leases_run_out(&self) {
        let config = self.node().config().database.store();
        let db = Db::open(&config, self.inner.clock.clone()).await.expect("open the database");
        self.leases_run_out_on(&db).await;
        db.close().await;
    }

    /// As [`Self::leases_run_out`], for what a living node had taken up and could not finish.
    ///
    /// # Panics
    /// When the database can't be written.
    pub async fn leases_run_out_on(&self, db: &Db) {
        // A living node writes the same rows meanwhile, in its own order.
        while let Err(error) = self.run_out(db).await {
            assert!(error.is_transient(), "{error}");
        }
    }

    async fn run_out(&self, db: &Db) -> store::Result<()> {
        let mut tx = db.begin().await?;
        let now = tx.now();
        for sql in [
            EVENTS_FREE,
            FAILURES_FREE,
            JOBS_FREE,
            PUSHES_FREE,
            BUNDLES_FREE,
            MONEY_FREE,
            TOKENS_FREE,
            LEASES_FREE,
        ] {
            tx.exec(sql, args![]).await?;
        }
        tx.exec(MESSAGES_FREE, args![now, now.plus(notify::worker::LEASE)]).await?;
        tx.commit().await
    }

    /// Leaves a job for the program that starts next: to ask WeChat whether somebody follows.
    ///
    /// # Panics
    /// As [`Self::leases_run_out`].
    pub async fn asks_who_follows(&self, phone: &Phone) {
        let config = self.node().config().database.store();
        let db = Db::open(&config, self.inner.clock.clone()).await.expect("open the database");
        let channel = self.node().channels().service(FIRST).expect("a service account").id;
        let mut tx = db.begin().await.unwrap();
        let account = people::wechat_user::account_of_openid(&mut tx, FIRST, channel, &phone.openid, false);
        let account = account.await.unwrap().expect("it is known");
        let now = tx.now();
        let payload = serde_json::json!({"channel": channel, "account": account});
        let job = NewJob { hospital: FIRST, kind: "people.follower", dedupe: phone.openid.clone(), payload };
        tx.at(now, job).await.unwrap();
        tx.commit().await.unwrap();
        db.close().await;
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
