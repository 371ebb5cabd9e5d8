//! Events: each has its effect once, in order, whoever fails or dies.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use store::events::{self, Failure};
use store::testing::{TestDb, each_db, on_postgres};
use store::value::One;
use store::{Db, Event, NewEvent, StoreError, Subscriber, Tx, args};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::support::{self, BUMP, Dice, H, N, PUT, migrations, n, words};

const SECOND: Duration = Duration::from_secs(1);
const DISORDER: &str = "disorder";

fn event(key: &str, number: i64) -> NewEvent {
    NewEvent {
        hospital: H,
        kind: "test.happened",
        key: key.into(),
        payload: serde_json::json!({"n": number}),
    }
}

async fn publish(db: &Db, key: &str, numbers: std::ops::Range<i64>) {
    let mut tx = db.begin().await.unwrap();
    for number in numbers {
        tx.publish(event(key, number)).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// What a [`Worker`] does when it is given an event, before it writes its effect.
type Mood = Box<dyn Fn(&Event) -> Result<(), Failure> + Send + Sync>;

/// Counts each event in the database, with an order kept per key, unless its mood is against it.
struct Worker {
    name: &'static str,
    mood: Mood,
    calls: AtomicUsize,
}

impl Worker {
    fn new(
        name: &'static str,
        mood: impl Fn(&Event) -> Result<(), Failure> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { name, mood: Box::new(mood), calls: AtomicUsize::new(0) })
    }

    fn willing(name: &'static str) -> Arc<Self> {
        Self::new(name, |_| Ok(()))
    }

    fn effect(&self, event: &Event) -> String {
        effect(self.name, &event.key, event.payload["n"].as_i64().unwrap())
    }
}

fn effect(name: &str, key: &str, number: i64) -> String {
    format!("{name}/{key}/{number}")
}

#[async_trait]
impl Subscriber for Worker {
    fn name(&self) -> &'static str {
        self.name
    }

    fn wants(&self, kind: &str) -> bool {
        kind == "test.happened"
    }

    async fn handle(&self, tx: &mut Tx, event: &Event) -> Result<(), Failure> {
        self.calls.fetch_add(1, SeqCst);
        tx.exec(BUMP, args![H, self.effect(event)]).await?;
        (self.mood)(event)?;
        let last = format!("{}/{}/last", self.name, event.key);
        let before = tx.opt::<One<i64>>(N, args![H, &last]).await?.map_or(0, |One(n)| n);
        if before >= event.seq {
            // With the rest of its work: a late relay may well come here, but then nothing of this stays.
            tx.exec(BUMP, args![H, DISORDER]).await?;
        }
        tx.exec(PUT, args![H, last, event.seq]).await?;
        Ok(())
    }
}

fn all(workers: &[&Arc<Worker>]) -> Vec<Arc<dyn Subscriber>> {
    workers.iter().map(|w| -> Arc<dyn Subscriber> { (*w).clone() }).collect()
}

async fn turn(db: &Db, workers: &[&Arc<Worker>]) -> usize {
    events::turn(db, &all(workers)).await.unwrap()
}

#[tokio::test]
async fn an_event_exists_exactly_when_its_change_does() {
    each_db(&migrations(), async |t: TestDb| {
        let mut tx = t.db.begin().await.unwrap();
        tx.publish(event("a", 1)).await.unwrap();
        drop(tx);
        let mut tx = t.db.begin().await.unwrap();
        tx.publish(event("a", 2)).await.unwrap();
        tx.publish_all(&[event("b", 3), event("it's \"b\" 中", 4)]).await.unwrap();
        assert_eq!(events::backlog(&t.db).await.unwrap(), 0, "nobody sees it before the commit");
        tx.commit().await.unwrap();
        assert_eq!(events::backlog(&t.db).await.unwrap(), 3);
        let worker = Worker::willing("w");
        assert_eq!(turn(&t.db, &[&worker]).await, 3);
        assert_eq!(events::backlog(&t.db).await.unwrap(), 0);
        for (key, number, times) in
            [("a", 1, None), ("a", 2, Some(1)), ("b", 3, Some(1)), ("it's \"b\" 中", 4, Some(1))]
        {
            assert_eq!(n(&t.db, &effect("w", key, number)).await, times, "{key} {number}");
        }
        assert_eq!(turn(&t.db, &[&worker]).await, 0);
        // Done events are kept for a while and then forgotten, waiting ones never.
        publish(&t.db, "c", 0..1).await;
        assert_eq!(events::forget(&t.db, t.clock.now()).await.unwrap(), 0);
        assert_eq!(events::forget(&t.db, t.clock.now().plus(SECOND)).await.unwrap(), 3);
        assert_eq!(events::backlog(&t.db).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_relays_one_effect_each_in_order() {
    each_db(&migrations(), async |t: TestDb| {
        let nodes = t.nodes(4).await;
        let (one, two) = (Worker::willing("one"), Worker::willing("two"));
        let stop = CancellationToken::new();
        let mut relays = Vec::new();
        for db in &nodes {
            let subscribers: Arc<[Arc<dyn Subscriber>]> = all(&[&one, &two]).into();
            relays.push(tokio::spawn(events::relay(
                db.clone(),
                subscribers,
                Duration::from_millis(5),
                stop.clone(),
            )));
        }
        let mut publishers = tokio::task::JoinSet::new();
        for p in 0..6_i64 {
            let db = nodes[usize::try_from(p).unwrap() % nodes.len()].clone();
            publishers.spawn(async move {
                for i in 0..50 {
                    // Two keys of its own: only one writes to a key at a time, so that there is an order to keep.
                    publish(&db, &format!("k{}", p * 2 + i % 2), i..i + 1).await;
                }
            });
        }
        // Meanwhile relays die in the middle of whatever they do; what they had leased is free when its time is over.
        let mut dice = Dice(7);
        for victim in 0..3 {
            tokio::time::sleep(Duration::from_millis(5 + dice.roll(20))).await;
            relays[victim].abort();
            t.pass(31 * SECOND);
            let subscribers: Arc<[Arc<dyn Subscriber>]> = all(&[&one, &two]).into();
            relays.push(tokio::spawn(events::relay(
                nodes[victim].clone(),
                subscribers,
                Duration::from_millis(5),
                stop.clone(),
            )));
        }
        publishers.join_all().await;
        support::until("all events are handled", async || {
            t.pass(31 * SECOND);
            events::backlog(&t.db).await.unwrap() == 0
        })
        .await;
        stop.cancel();
        for relay in relays {
            let _ = relay.await;
        }
        assert_eq!(n(&t.db, DISORDER).await, None);
        for worker in [&one, &two] {
            for p in 0..6 {
                for i in 0..50 {
                    let id = effect(worker.name, &format!("k{}", p * 2 + i % 2), i);
                    assert_eq!(n(&t.db, &id).await, Some(1), "{id} on {:?}", t.backend());
                }
            }
        }
        assert_eq!(events::failures(&t.db).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_subscriber_that_fails_holds_nobody_up() {
    each_db(&migrations(), async |t: TestDb| {
        let left = Arc::new(AtomicI64::new(2));
        let (good, other) = (Worker::willing("good"), Worker::willing("other"));
        let weak = Worker::new("weak", {
            let left = left.clone();
            move |e| match e.payload["n"].as_i64() {
                Some(1) if left.fetch_sub(1, SeqCst) > 0 => Err(Failure::Again("not yet\0".into())),
                _ => Ok(()),
            }
        });
        publish(&t.db, "a", 1..3).await;
        let workers = [&good, &weak, &other];
        turn(&t.db, &workers).await;
        // The others had both events, the weak one the second; what it began with the first left no trace.
        for name in ["good", "other"] {
            assert_eq!(
                (n(&t.db, &effect(name, "a", 1)).await, n(&t.db, &effect(name, "a", 2)).await),
                (Some(1), Some(1))
            );
        }
        assert_eq!(
            (n(&t.db, &effect("weak", "a", 1)).await, n(&t.db, &effect("weak", "a", 2)).await),
            (None, Some(1))
        );
        assert_eq!((events::backlog(&t.db).await.unwrap(), events::failures(&t.db).await.unwrap()), (0, 1));

        // It is tried again after 2 s, then after 4 s; not before.
        let calls = || weak.calls.load(SeqCst);
        let before = calls();
        assert_eq!(turn(&t.db, &workers).await, 0);
        t.pass(2 * SECOND - Duration::from_millis(1));
        assert_eq!((turn(&t.db, &workers).await, calls()), (0, before));
        t.pass(Duration::from_millis(1));
        assert_eq!((turn(&t.db, &workers).await, calls()), (1, before + 1));
        t.pass(4 * SECOND - Duration::from_millis(1));
        assert_eq!((turn(&t.db, &workers).await, calls()), (0, before + 1));
        t.pass(Duration::from_millis(1));
        assert_eq!((turn(&t.db, &workers).await, calls()), (1, before + 2));
        assert_eq!(n(&t.db, &effect("weak", "a", 1)).await, Some(1));
        assert_eq!(n(&t.db, &effect("good", "a", 1)).await, Some(1), "the good ones were not called again");
        assert_eq!(events::failures(&t.db).await.unwrap(), 0);
        t.pass(3600 * SECOND);
        assert_eq!(turn(&t.db, &workers).await, 0);
    })
    .await;
}

#[tokio::test]
async fn what_fails_for_good_stays_in_sight() {
    each_db(&migrations(), async |t: TestDb| {
        let hopeless = Worker::new("hopeless", |_| Err(Failure::Final("never".into())));
        let stubborn = Worker::new("stubborn", |_| Err(Failure::Again("later".into())));
        publish(&t.db, "a", 1..2).await;
        turn(&t.db, &[&hopeless, &stubborn]).await;
        assert_eq!((hopeless.calls.load(SeqCst), events::failures(&t.db).await.unwrap()), (1, 2));
        for _ in 0..100 {
            t.pass(3601 * SECOND);
            turn(&t.db, &[&hopeless, &stubborn]).await;
        }
        assert_eq!(hopeless.calls.load(SeqCst), 1, "no use trying it again");
        assert_eq!(stubborn.calls.load(SeqCst), 20, "tried for about ten hours, then given up");
        assert_eq!(events::failures(&t.db).await.unwrap(), 2);
        assert_eq!(support::count(&t.db).await, 0);
        let text = words("SELECT error FROM event_failure WHERE state = 'failed' ORDER BY error");
        let errors: Vec<One<String>> = t.db.all(text, args![]).await.unwrap();
        assert_eq!(errors, [One("later".to_owned()), One("never".to_owned())]);
    })
    .await;
}

#[tokio::test]
async fn a_subscriber_that_panics_or_swallows_an_error_is_one_that_fails() {
    each_db(&migrations(), async |t: TestDb| {
        struct Swallows;
        #[async_trait]
        impl Subscriber for Swallows {
            fn name(&self) -> &'static str {
                "swallows"
            }
            fn wants(&self, _: &str) -> bool {
                true
            }
            async fn handle(&self, tx: &mut Tx, _: &Event) -> Result<(), Failure> {
                support::add(tx, "half").await?;
                let _ = support::add(tx, "half").await;
                Ok(())
            }
        }
        let (panics, good) =
            (Worker::new("panics", |_| panic!("this is part of the test")), Worker::willing("good"));
        publish(&t.db, "a", 1..4).await;
        let mut workers = all(&[&panics, &good]);
        workers.insert(0, Arc::new(Swallows));
        let handled = events::turn(&t.db, &workers).await.unwrap();
        assert_eq!((handled, events::backlog(&t.db).await.unwrap()), (3, 0));
        assert_eq!(events::failures(&t.db).await.unwrap(), 6);
        for number in 1..4 {
            assert_eq!(n(&t.db, &effect("good", "a", number)).await, Some(1));
        }
        assert_eq!(n(&t.db, "half").await, None);
    })
    .await;
}

#[tokio::test]
async fn trouble_of_the_database_is_no_failure_and_keeps_the_order() {
    each_db(&migrations(), async |t: TestDb| {
        let left = Arc::new(AtomicI64::new(2));
        let worker = Worker::new("w", {
            let left = left.clone();
            move |e| match e.payload["n"].as_i64() {
                Some(2) if left.fetch_sub(1, SeqCst) > 0 => {
                    Err(StoreError::SharedCommit("busy".into()).into())
                }
                _ => Ok(()),
            }
        });
        publish(&t.db, "a", 1..5).await;
        publish(&t.db, "b", 1..2).await;
        assert_eq!(turn(&t.db, &[&worker]).await, 5);
        assert_eq!((events::backlog(&t.db).await.unwrap(), events::failures(&t.db).await.unwrap()), (3, 0));
        assert_eq!(turn(&t.db, &[&worker]).await, 0, "the relay takes a breath instead of spinning");
        t.pass(SECOND + Duration::from_millis(1));
        assert_eq!(turn(&t.db, &[&worker]).await, 3);
        t.pass(SECOND + Duration::from_millis(1));
        assert_eq!(turn(&t.db, &[&worker]).await, 3);
        assert_eq!(events::backlog(&t.db).await.unwrap(), 0);
        assert_eq!(n(&t.db, DISORDER).await, None);
        for number in 1..5 {
            assert_eq!(n(&t.db, &effect("w", "a", number)).await, Some(1), "{number}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_relay_that_stops_gives_its_leases_back() {
    each_db(&migrations(), async |t: TestDb| {
        publish(&t.db, "a", 1..3).await;
        // Somebody dies with everything leased.
        let nodes = t.nodes(2).await;
        let never: Vec<Arc<dyn Subscriber>> =
            vec![Worker::new("w", |_| Err(StoreError::SharedCommit("x".into()).into()))];
        events::turn(&nodes[0], &never).await.unwrap();
        let stop = CancellationToken::new();
        stop.cancel();
        events::relay(nodes[0].clone(), never.into(), SECOND, stop).await;
        t.pass(SECOND + Duration::from_millis(1));
        let worker = Worker::willing("w");
        assert_eq!(turn(&nodes[1], &[&worker]).await, 2);
        assert_eq!(events::backlog(&t.db).await.unwrap(), 0);
    })
    .await;
}

/// A node that is slower than its lease finds, at the end, that another one has done it: then nothing of its work stays.
#[tokio::test]
async fn a_node_that_lost_its_lease_leaves_nothing() {
    struct Slow {
        inside: Semaphore,
        go_on: Semaphore,
        fail_first: AtomicUsize,
    }
    #[async_trait]
    impl Subscriber for Slow {
        fn name(&self) -> &'static str {
            "slow"
        }
        fn wants(&self, _: &str) -> bool {
            true
        }
        async fn handle(&self, tx: &mut Tx, _: &Event) -> Result<(), Failure> {
            if self.fail_first.load(SeqCst) > 0 {
                self.fail_first.fetch_sub(1, SeqCst);
                return Err(Failure::Again("first".into()));
            }
            self.inside.add_permits(1);
            self.go_on.acquire().await.map_err(|_| Failure::Final("closed".into()))?.forget();
            tx.exec(BUMP, args![H, "effect"]).await?;
            Ok(())
        }
    }
    // On SQLite a command that takes so long holds everybody up; there is no second node that could overtake it.
    on_postgres(&migrations(), base::Clock::manual(store::testing::MORNING), &async |t: TestDb| {
        for retried in [0, 1] {
            support::change_text(&t.db, "DELETE FROM thing").await;
            let nodes = t.nodes(2).await;
            let slow = Arc::new(Slow {
                inside: Semaphore::new(0),
                go_on: Semaphore::new(0),
                fail_first: AtomicUsize::new(retried),
            });
            publish(&t.db, "a", 1..2).await;
            if retried == 1 {
                let workers: [Arc<dyn Subscriber>; 1] = [slow.clone()];
                events::turn(&nodes[0], &workers).await.unwrap();
                assert_eq!(events::failures(&t.db).await.unwrap(), 1);
                t.pass(2 * SECOND);
            }
            let first = tokio::spawn({
                let (db, slow) = (nodes[0].clone(), slow.clone());
                async move { events::turn(&db, &[slow]).await }
            });
            slow.inside.acquire().await.unwrap().forget();
            t.pass(31 * SECOND);
            let quick = Worker::new("slow", |_| Ok(()));
            assert_eq!(turn(&nodes[1], &[&quick]).await, 1, "the second node takes over");
            slow.go_on.add_permits(1);
            first.await.unwrap().unwrap();
            assert_eq!(n(&t.db, "effect").await, None, "retried {retried}: the first one came too late");
            assert_eq!(n(&t.db, &effect("slow", "a", 1)).await, Some(1));
            assert_eq!(
                (events::backlog(&t.db).await.unwrap(), events::failures(&t.db).await.unwrap()),
                (0, 0)
            );
        }
    })
    .await;
}

#[tokio::test]
async fn the_relay_wakes_at_once_on_its_own_node() {
    each_db(&migrations(), async |t: TestDb| {
        let worker = Worker::willing("w");
        let stop = CancellationToken::new();
        let relay = tokio::spawn(events::relay(
            t.db.clone(),
            all(&[&worker]).into(),
            Duration::from_secs(3600),
            stop.clone(),
        ));
        for number in 1..20 {
            publish(&t.db, "a", number..number + 1).await;
            support::until("the relay was woken", async || {
                n(&t.db, &effect("w", "a", number)).await == Some(1)
            })
            .await;
        }
        stop.cancel();
        relay.await.unwrap();
    })
    .await;
}

/// The order of a key is the order of its numbers; what waits behind one that was leased by another node waits too.
#[tokio::test]
async fn nobody_overtakes_within_a_key() {
    each_db(&migrations(), async |t: TestDb| {
        publish(&t.db, "a", 1..2).await;
        let seqs: BTreeMap<i64, i64> =
            [(1, t.db.one::<One<i64>>(words("SELECT seq FROM event"), args![]).await.unwrap().0)].into();
        let until = t.clock.now().plus(10 * SECOND).0;
        support::change_text(
            &t.db,
            &format!(
                "UPDATE event SET leased_until = {until}, leased_by = 'another' WHERE seq = {}",
                seqs[&1]
            ),
        )
        .await;
        publish(&t.db, "a", 2..4).await;
        publish(&t.db, "b", 1..2).await;
        let worker = Worker::willing("w");
        assert_eq!(turn(&t.db, &[&worker]).await, 1, "only the other key");
        assert_eq!(n(&t.db, &effect("w", "b", 1)).await, Some(1));
        t.pass(10 * SECOND + Duration::from_millis(1));
        assert_eq!(turn(&t.db, &[&worker]).await, 3);
        assert_eq!(n(&t.db, DISORDER).await, None);
    })
    .await;
}

/// When another node has taken an event over, what is behind it in its key waits for that node, too.
#[tokio::test]
async fn what_stands_behind_a_lost_event_waits() {
    struct Loses(AtomicUsize);
    #[async_trait]
    impl Subscriber for Loses {
        fn name(&self) -> &'static str {
            "loses"
        }
        fn wants(&self, _: &str) -> bool {
            true
        }
        async fn handle(&self, tx: &mut Tx, event: &Event) -> Result<(), Failure> {
            tx.exec(BUMP, args![H, format!("effect-{}", event.payload["n"])]).await?;
            if self.0.fetch_add(1, SeqCst) == 0 {
                // As if another node's claim had come in between.
                tx.exec(words("UPDATE event SET leased_by = 'another' WHERE seq = $1"), args![event.seq])
                    .await?;
            }
            Ok(())
        }
    }
    each_db(&migrations(), async |t: TestDb| {
        publish(&t.db, "a", 1..3).await;
        let workers: [Arc<dyn Subscriber>; 1] = [Arc::new(Loses(AtomicUsize::new(0)))];
        events::turn(&t.db, &workers).await.unwrap();
        assert_eq!((n(&t.db, "effect-1").await, n(&t.db, "effect-2").await), (None, None));
        t.pass(31 * SECOND);
        events::turn(&t.db, &workers).await.unwrap();
        assert_eq!((n(&t.db, "effect-1").await, n(&t.db, "effect-2").await), (Some(1), Some(1)));
        assert_eq!(events::backlog(&t.db).await.unwrap(), 0);
    })
    .await;
}
