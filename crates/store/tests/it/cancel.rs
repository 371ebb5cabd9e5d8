//! Whoever asked may go away at any moment: hundreds of commands, dropped at random places, checked against what was answered.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::Poll;

use store::testing::{TestDb, each_db_in_real_time, on_sqlite};
use store::{Db, Result, args};

use crate::support::{self, ADD, Dice, H, add, change, count, ids, migrations};

/// Polls `work` so many times and drops it then.
async fn polled<T>(work: impl Future<Output = T>, mut times: u64) -> Option<T> {
    let mut work = pin!(work);
    std::future::poll_fn(|context| {
        if times == 0 {
            return Poll::Ready(None);
        }
        times -= 1;
        match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            // The last poll has happened: go away now, in the middle of whatever was begun.
            Poll::Pending if times == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[derive(Clone, Copy)]
enum Plan {
    Commit,
    GiveUp,
    Drop,
    Fail,
}

#[derive(Default)]
struct Seen {
    commit_asked: AtomicBool,
    hooks: AtomicUsize,
}

async fn command(db: &Db, id: &str, plan: Plan, seen: &Arc<Seen>) -> Result<()> {
    let mut tx = db.begin().await?;
    add(&mut tx, &format!("{id}.1")).await?;
    add(&mut tx, &format!("{id}.2")).await?;
    let hook = seen.clone();
    tx.after_commit(move || _ = hook.hooks.fetch_add(1, SeqCst));
    match plan {
        Plan::Commit => {
            seen.commit_asked.store(true, SeqCst);
            tx.commit().await
        }
        Plan::GiveUp => tx.rollback().await,
        Plan::Drop => Ok(()),
        Plan::Fail => {
            add(&mut tx, &format!("{id}.1")).await?;
            tx.commit().await
        }
    }
}

async fn storm(t: &TestDb, seed: u64, commands: usize) {
    let mut dice = Dice(seed);
    let mut running = tokio::task::JoinSet::new();
    for number in 0..commands {
        let plan = match dice.roll(10) {
            0 => Plan::GiveUp,
            1 => Plan::Drop,
            2 => Plan::Fail,
            _ => Plan::Commit,
        };
        let polls = if dice.roll(2) == 0 { u64::MAX } else { 1 + dice.roll(9) };
        let (db, id, seen) = (t.db.clone(), format!("{seed}-{number}"), Arc::new(Seen::default()));
        running.spawn(async move {
            let answer = polled(command(&db, &id, plan, &seen), polls).await;
            if matches!((&answer, plan), (Some(Ok(())), Plan::Commit)) {
                // Whoever was answered reads what it wrote.
                assert!(
                    support::n(&db, &format!("{id}.2")).await.is_some(),
                    "{id} was answered but is not there"
                );
            }
            (id, plan, answer, seen)
        });
    }
    let outcomes = running.join_all().await;

    // The writer goes on: a command after all of them is served, and by then nothing of them is on its way any more.
    change(&t.db, ADD, args![H, format!("{seed}-end"), 1_i64]).await.unwrap();
    let mut pairs: BTreeMap<String, usize> = BTreeMap::new();
    let mut answered = 0;
    for (id, plan, answer, seen) in &outcomes {
        let asked = seen.commit_asked.load(SeqCst);
        if asked && answer.is_none() {
            // It went away while its commit ran: either outcome is right, but it comes to rest, hook and rows alike.
            support::until("the hook and the rows agree", async || {
                (support::n(&t.db, &format!("{id}.1")).await.is_some()) == (seen.hooks.load(SeqCst) == 1)
            })
            .await;
        }
        match (answer, plan) {
            (Some(Ok(())), Plan::Commit) => answered += 1,
            (Some(Ok(())), Plan::GiveUp | Plan::Drop) | (None, _) => {}
            (Some(Err(store::StoreError::Constraint { .. })), Plan::Fail) => {}
            (Some(other), _) => panic!("seed {seed}: {id} was answered {other:?}"),
        }
    }
    for id in ids(&t.db).await {
        if let Some((command, _)) = id.rsplit_once('.') {
            *pairs.entry(command.to_owned()).or_default() += 1;
        }
    }
    for (id, plan, answer, seen) in &outcomes {
        let rows = pairs.remove(id).unwrap_or(0);
        let hooks = seen.hooks.load(SeqCst);
        assert_eq!(rows, hooks * 2, "seed {seed}: {id} has {rows} rows and ran {hooks} hooks");
        if matches!((answer, plan), (Some(Ok(())), Plan::Commit)) {
            assert_eq!(rows, 2, "seed {seed}: {id} was told that it is committed");
        } else if !seen.commit_asked.load(SeqCst) {
            assert_eq!(rows, 0, "seed {seed}: {id} never asked for its commit");
        }
    }
    assert!(
        pairs.keys().all(|id| !id.starts_with(&format!("{seed}-"))),
        "seed {seed}: rows of nobody {pairs:?}"
    );
    assert!(
        answered > commands / 8,
        "seed {seed}: only {answered} of {commands} were served: the storm tests nothing"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_answered_is_lost_and_nothing_dropped_appears() {
    each_db_in_real_time(&migrations(), async |t: TestDb| {
        for seed in 1..=12 {
            storm(&t, seed, 300).await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_same_on_one_thread() {
    each_db_in_real_time(&migrations(), async |t: TestDb| {
        for seed in 100..=106 {
            storm(&t, seed, 200).await;
        }
    })
    .await;
}

/// Each place where a lone command can be left, one after the other.
#[tokio::test]
async fn a_lone_command_can_be_left_anywhere() {
    each_db_in_real_time(&migrations(), async |t: TestDb| {
        let mut whole = 0;
        for polls in 1..60 {
            let seen = Arc::new(Seen::default());
            let id = format!("lone-{polls}");
            let answer = polled(command(&t.db, &id, Plan::Commit, &seen), polls).await;
            whole += usize::from(matches!(answer, Some(Ok(()))));
            change(&t.db, ADD, args![H, format!("after-{polls}"), 1_i64]).await.unwrap();
            support::until("the hook and the rows agree", async || {
                let rows = ids(&t.db).await.iter().filter(|i| i.starts_with(&format!("{id}."))).count();
                rows == 2 * seen.hooks.load(SeqCst)
            })
            .await;
            assert!(seen.commit_asked.load(SeqCst) || seen.hooks.load(SeqCst) == 0);
        }
        assert!(whole > 5, "with many polls a command gets through");
    })
    .await;
}

/// A crowd waits for the writer, and all of it leaves.
#[tokio::test]
async fn a_crowd_that_leaves_the_queue_takes_no_commit_with_it() {
    on_sqlite(&migrations(), base::Clock::machine(), &async |t: TestDb| {
        for round in 0..20 {
            let mut first = t.db.begin().await.unwrap();
            add(&mut first, &format!("first-{round}")).await.unwrap();
            let crowd: Vec<_> = (0..50)
                .map(|_| {
                    let db = t.db.clone();
                    tokio::spawn(async move { db.begin().await.map(drop) })
                })
                .collect();
            tokio::task::yield_now().await;
            // The first leaves its commit to the crowd, the crowd goes home.
            let (answer, ()) = tokio::join!(first.commit(), async {
                for one in &crowd {
                    one.abort();
                }
            });
            answer.unwrap();
        }
        assert_eq!(count(&t.db).await, 20);
    })
    .await;
}

/// A statement whose future was dropped may have been carried out or not: the command can't go on from there.
#[tokio::test]
async fn a_command_does_not_go_on_after_a_dropped_statement() {
    each_db_in_real_time(&migrations(), async |t: TestDb| {
        // A quick database may have answered at the first poll already: then it is tried again.
        let mut left = None;
        for attempt in 0..1000 {
            let mut tx = t.db.begin().await.unwrap();
            if polled(add(&mut tx, &format!("half-{attempt}")), 1).await.is_none() {
                left = Some(tx);
                break;
            }
        }
        let mut tx = left.expect("no statement could be left half way");
        assert!(matches!(add(&mut tx, "more").await, Err(store::StoreError::Over)));
        assert!(matches!(tx.commit().await, Err(store::StoreError::Over)));
        change(&t.db, ADD, args![H, "next", 1_i64]).await.unwrap();
        assert_eq!(ids(&t.db).await, BTreeSet::from(["next".to_owned()]));
    })
    .await;
}
