//! Jobs and sweeps: due by the clock, once, again when they fail, by another node when one dies.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use base::UnixMs;
use store::events::Failure;
use store::jobs;
use store::testing::{MORNING, TestDb, each_db};
use store::value::One;
use store::{Db, Job, JobHandler, NewJob, Sweep, args};
use tokio_util::sync::CancellationToken;

use crate::support::{self, BUMP, H, change, migrations, n, words};

const SECOND: Duration = Duration::from_secs(1);

fn job(dedupe: &str) -> NewJob {
    NewJob { hospital: H, kind: "test.job", dedupe: dedupe.into(), payload: serde_json::json!({"x": dedupe}) }
}

async fn at(db: &Db, due: UnixMs, dedupe: &str) {
    let mut tx = db.begin().await.unwrap();
    tx.at(due, job(dedupe)).await.unwrap();
    tx.commit().await.unwrap();
}

type Work =
    Box<dyn Fn(Db, Job) -> std::pin::Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>> + Send + Sync>;

struct Handler(Work);

impl Handler {
    fn doing<F: Future<Output = Result<(), Failure>> + Send + 'static>(
        work: impl Fn(Db, Job) -> F + Send + Sync + 'static,
    ) -> Vec<Arc<dyn JobHandler>> {
        vec![Arc::new(Self(Box::new(move |db, job| Box::pin(work(db, job)))))]
    }

    /// Counts how often each job ran.
    fn counting() -> Vec<Arc<dyn JobHandler>> {
        Self::doing(async |db: Db, job: Job| {
            bump(&db, &job.dedupe).await;
            Ok(())
        })
    }
}

async fn bump(db: &Db, id: &str) {
    change(db, BUMP, args![H, id]).await.unwrap();
}

#[async_trait]
impl JobHandler for Handler {
    fn kind(&self) -> &'static str {
        "test.job"
    }
    async fn run(&self, db: &Db, job: &Job) -> Result<(), Failure> {
        (self.0)(db.clone(), job.clone()).await
    }
}

async fn turn(db: &Db, handlers: &[Arc<dyn JobHandler>]) -> usize {
    jobs::turn(db, handlers).await.unwrap()
}

#[tokio::test]
async fn a_job_is_done_once_when_it_is_due() {
    each_db(&migrations(), async |t: TestDb| {
        let handlers = Handler::counting();
        at(&t.db, MORNING.plus(60 * SECOND), "a").await;
        at(&t.db, MORNING.plus(60 * SECOND), "a").await;
        at(&t.db, MORNING.plus(90 * SECOND), "b").await;
        let mut tx = t.db.begin().await.unwrap();
        tx.at(MORNING, job("given up")).await.unwrap();
        drop(tx);
        assert_eq!((turn(&t.db, &handlers).await, jobs::waiting(&t.db).await.unwrap()), (0, 0));
        t.pass(60 * SECOND);
        assert_eq!(jobs::waiting(&t.db).await.unwrap(), 1);
        assert_eq!(turn(&t.db, &handlers).await, 1);
        assert_eq!(turn(&t.db, &handlers).await, 0);
        t.pass(3600 * SECOND);
        assert_eq!(turn(&t.db, &handlers).await, 1);
        assert_eq!(
            (n(&t.db, "a").await, n(&t.db, "b").await, n(&t.db, "given up").await),
            (Some(1), Some(1), None)
        );
        // Once done, the same may be asked for again.
        at(&t.db, t.clock.now(), "a").await;
        assert_eq!((turn(&t.db, &handlers).await, n(&t.db, "a").await), (1, Some(2)));
        assert_eq!(jobs::forget(&t.db, MORNING.plus(61 * SECOND)).await.unwrap(), 1);
        assert_eq!(jobs::forget(&t.db, t.clock.now().plus(SECOND)).await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_job_that_fails_is_tried_again_with_pauses() {
    each_db(&migrations(), async |t: TestDb| {
        let calls = Arc::new(AtomicUsize::new(0));
        let handlers = Handler::doing({
            let calls = calls.clone();
            move |_, job| {
                let call = calls.fetch_add(1, SeqCst) + 1;
                async move {
                    assert_eq!(usize::try_from(job.attempts).unwrap(), call);
                    match call {
                        1 => Err(Failure::Again("busy".into())),
                        2 => panic!("this is part of the test"),
                        _ => Ok(()),
                    }
                }
            }
        });
        at(&t.db, MORNING, "a").await;
        for (pause, want) in [(0, 1), (1, 1), (1, 2), (3, 2), (1, 3), (3600, 3)] {
            t.pass(pause * SECOND);
            turn(&t.db, &handlers).await;
            assert_eq!(calls.load(SeqCst), want, "after {pause} s more");
        }
        let state = words("SELECT state FROM job");
        assert_eq!(t.db.one::<One<String>>(state, args![]).await.unwrap().0, "done");

        let hopeless = Handler::doing(async |_, job: Job| match job.dedupe.as_str() {
            "final" => Err(Failure::Final("never".into())),
            _ => Err(Failure::Again("later".into())),
        });
        at(&t.db, MORNING, "final").await;
        at(&t.db, MORNING, "again").await;
        let mut ran = 0;
        for _ in 0..100 {
            ran += turn(&t.db, &hopeless).await;
            t.pass(3601 * SECOND);
        }
        assert_eq!(ran, 1 + 20);
        let failed = words("SELECT CAST(COUNT(*) AS BIGINT) FROM job WHERE state = 'failed'");
        assert_eq!(t.db.one::<One<i64>>(failed, args![]).await.unwrap().0, 2, "they stay in sight");
    })
    .await;
}

#[tokio::test]
async fn a_job_that_is_asked_for_while_it_runs_runs_again() {
    each_db(&migrations(), async |t: TestDb| {
        // One that plans its own next run, as a nightly job does.
        let handlers = Handler::doing(async |db: Db, job: Job| {
            bump(&db, &job.dedupe).await;
            let mut tx = db.begin().await?;
            tx.at(job.due.plus(7200 * SECOND), self::job(&job.dedupe)).await?;
            tx.commit().await?;
            Ok(())
        });
        at(&t.db, MORNING, "nightly").await;
        for run in 1..5 {
            assert_eq!(turn(&t.db, &handlers).await, 1, "run {run}");
            assert_eq!(turn(&t.db, &handlers).await, 0);
            t.pass(7200 * SECOND);
        }
        assert_eq!(n(&t.db, "nightly").await, Some(4));
        let rows = words("SELECT CAST(COUNT(*) AS BIGINT) FROM job WHERE state = 'waiting'");
        assert_eq!(t.db.one::<One<i64>>(rows, args![]).await.unwrap().0, 1);
    })
    .await;
}

#[tokio::test]
async fn of_several_wishes_the_earliest_counts() {
    each_db(&migrations(), async |t: TestDb| {
        let first = Arc::new(AtomicBool::new(true));
        let handlers = Handler::doing(move |db: Db, job: Job| {
            let first = first.swap(false, SeqCst);
            async move {
                bump(&db, "runs").await;
                if first {
                    for later in [300, 100, 200] {
                        at(&db, job.due.plus(later * SECOND), &job.dedupe).await;
                    }
                }
                Ok(())
            }
        });
        at(&t.db, MORNING, "a").await;
        turn(&t.db, &handlers).await;
        t.pass(99 * SECOND);
        assert_eq!(turn(&t.db, &handlers).await, 0);
        t.pass(SECOND);
        assert_eq!((turn(&t.db, &handlers).await, n(&t.db, "runs").await), (1, Some(2)));
        t.pass(3600 * SECOND);
        assert_eq!(turn(&t.db, &handlers).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_nodes_do_each_job_once() {
    each_db(&migrations(), async |t: TestDb| {
        for i in 0..200 {
            at(&t.db, MORNING, &format!("j{i}")).await;
        }
        let stop = CancellationToken::new();
        let nodes = t.nodes(3).await;
        let mut running = tokio::task::JoinSet::new();
        for db in nodes {
            running.spawn(jobs::run(db, Handler::counting().into(), Duration::from_millis(5), stop.clone()));
        }
        let left = words("SELECT CAST(COUNT(*) AS BIGINT) FROM job WHERE state <> 'done'");
        support::until("all jobs are done", async || {
            t.db.one::<One<i64>>(left, args![]).await.unwrap().0 == 0
        })
        .await;
        // What is added while they run is found at once on the same node.
        at(&t.db, MORNING, "late").await;
        support::until("the late one is done", async || {
            t.db.one::<One<i64>>(left, args![]).await.unwrap().0 == 0
        })
        .await;
        stop.cancel();
        running.join_all().await;
        for i in 0..200 {
            assert_eq!(n(&t.db, &format!("j{i}")).await, Some(1), "j{i}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_dead_nodes_job_is_done_by_another() {
    each_db(&migrations(), async |t: TestDb| {
        let nodes = t.nodes(2).await;
        at(&t.db, MORNING, "a").await;
        let reached = Arc::new(tokio::sync::Notify::new());
        let dying = Handler::doing({
            let reached = reached.clone();
            move |_, _| {
                let reached = reached.clone();
                async move {
                    reached.notify_one();
                    std::future::pending().await
                }
            }
        });
        let node = nodes[0].clone();
        let death = tokio::spawn(async move { jobs::turn(&node, &dying).await });
        reached.notified().await;
        let handlers = Handler::counting();
        assert_eq!(turn(&nodes[1], &handlers).await, 0, "it is leased");
        death.abort();
        t.pass(60 * SECOND);
        assert_eq!(turn(&nodes[1], &handlers).await, 0);
        t.pass(Duration::from_millis(1));
        assert_eq!((turn(&nodes[1], &handlers).await, n(&t.db, "a").await), (1, Some(1)));
    })
    .await;
}

/// A node that was overtaken must not mark as done what the other one is still doing.
#[tokio::test]
async fn a_late_node_does_not_end_anothers_work() {
    each_db(&migrations(), async |t: TestDb| {
        let nodes = t.nodes(2).await;
        at(&t.db, MORNING, "a").await;
        at(&t.db, MORNING.plus(SECOND), "b").await;
        t.pass(SECOND);
        let (clock, second) = (t.clock.clone(), nodes[1].clone());
        let slow = Handler::doing(move |_, job: Job| {
            let (clock, second) = (clock.clone(), second.clone());
            async move {
                assert_eq!(job.dedupe, "a", "the lease of the second job is over, too: it is not begun");
                assert!(clock.advance(61 * SECOND));
                let failing =
                    Handler::doing(async |_, _| Err(Failure::Again("the second node is not through".into())));
                assert_eq!(turn(&second, &failing).await, 2);
                Ok(())
            }
        });
        assert_eq!(turn(&nodes[0], &slow).await, 1);
        let open = words("SELECT CAST(COUNT(*) AS BIGINT) FROM job WHERE state = 'waiting'");
        assert_eq!(t.db.one::<One<i64>>(open, args![]).await.unwrap().0, 2, "the second node's word counts");
    })
    .await;
}

#[tokio::test]
async fn a_job_of_an_unknown_kind_stays_in_sight() {
    each_db(&migrations(), async |t: TestDb| {
        let mut tx = t.db.begin().await.unwrap();
        tx.at(MORNING, NewJob { kind: "test.unknown", ..job("a") }).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(turn(&t.db, &Handler::counting()).await, 1);
        let error = words("SELECT error FROM job WHERE state = 'failed'");
        assert!(t.db.one::<One<String>>(error, args![]).await.unwrap().0.contains("no such handler"));
    })
    .await;
}

struct Look {
    inside: Arc<AtomicUsize>,
    runs: Arc<AtomicUsize>,
}

#[async_trait]
impl Sweep for Look {
    fn name(&self) -> &'static str {
        "test"
    }
    fn every(&self) -> Duration {
        10 * SECOND
    }
    async fn run(&self, db: &Db) -> Result<bool, Failure> {
        assert_eq!(self.inside.fetch_add(1, SeqCst), 0, "two nodes sweep at once");
        bump(db, "sweeps").await;
        let run = self.runs.fetch_add(1, SeqCst);
        self.inside.fetch_sub(1, SeqCst);
        match run % 4 {
            0 => Ok(true),
            1 => Err(Failure::Again("this is part of the test".into())),
            2 => panic!("this is part of the test"),
            _ => Ok(false),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_node_sweeps_at_a_time_and_goes_on_after_failures() {
    each_db(&migrations(), async |t: TestDb| {
        let (inside, runs) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let stop = CancellationToken::new();
        let mut running = tokio::task::JoinSet::new();
        let nodes = if t.backend() == store::Backend::Sqlite { 1 } else { 3 };
        for db in t.nodes(nodes).await {
            let sweep: Arc<dyn Sweep> = Arc::new(Look { inside: inside.clone(), runs: runs.clone() });
            running.spawn(jobs::sweep(db, vec![sweep].into(), Duration::from_millis(1), stop.clone()));
        }
        for round in 0..25 {
            let before = runs.load(SeqCst);
            if round == 20 {
                // A clock that is set back does not silence them.
                assert!(t.clock.set(MORNING));
            } else {
                t.pass(10 * SECOND);
            }
            support::until("a sweep", async || runs.load(SeqCst) > before).await;
        }
        stop.cancel();
        running.join_all().await;
    })
    .await;
}
