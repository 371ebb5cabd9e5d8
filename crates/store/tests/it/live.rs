//! Live topics: whoever watches is woken after the commit, on each node.

use std::time::Duration;

use store::testing::{TestDb, each_db, on_postgres};
use store::{Db, Topic, live};
use tokio_util::sync::CancellationToken;

use crate::support::{self, add, migrations};

async fn touch(db: &Db, topic: &Topic) {
    let mut tx = db.begin().await.unwrap();
    tx.touch(topic.clone());
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn watchers_are_woken_by_what_is_committed() {
    each_db(&migrations(), async |t: TestDb| {
        let (topic, other) = (Topic::new("queue", 1), Topic::new("queue", 2));
        let mut seen = t.db.live().watch(&topic);
        let mut again = t.db.live().watch(&topic);
        let quiet = t.db.live().watch(&other);
        let mut tx = t.db.begin().await.unwrap();
        tx.touch(topic.clone());
        tx.touch(topic.clone());
        add(&mut tx, "a").await.unwrap();
        assert!(!seen.has_changed().unwrap(), "not before the commit");
        tx.commit().await.unwrap();
        assert!(seen.has_changed().unwrap() && again.has_changed().unwrap() && !quiet.has_changed().unwrap());
        assert_eq!((*seen.borrow_and_update(), *again.borrow_and_update()), (1, 1), "one change wakes once");
        let mut tx = t.db.begin().await.unwrap();
        tx.touch(topic.clone());
        drop(tx);
        let mut tx = t.db.begin().await.unwrap();
        tx.touch(topic.clone());
        tx.rollback().await.unwrap();
        touch(&t.db, &other).await;
        assert!(
            !seen.has_changed().unwrap() && quiet.has_changed().unwrap(),
            "what is given up wakes nobody"
        );
        assert_eq!(t.db.live().watchers(), 3);
        drop((seen, again, quiet));
        assert_eq!(t.db.live().watchers(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_change_on_one_node_is_seen_on_the_others() {
    on_postgres(&migrations(), base::Clock::machine(), &async |t: TestDb| {
        let nodes = t.nodes(3).await;
        let stop = CancellationToken::new();
        let bridges: Vec<_> =
            nodes.iter().map(|db| tokio::spawn(live::bridge(db.clone(), stop.clone()))).collect();
        let topic = Topic::new("doctor", "doc_1");
        let seen: Vec<_> = nodes.iter().map(|db| db.live().watch(&topic)).collect();
        // The bridges need a moment to listen; what is said before that is lost, and said again here.
        let mut touched = 0;
        support::until("all nodes see it", async || {
            touch(&nodes[0], &topic).await;
            touched += 1;
            tokio::task::yield_now().await;
            *seen[1].borrow() > 0 && *seen[2].borrow() > 0
        })
        .await;
        // From here on each change arrives, and none comes back as an echo.
        let before = (*seen[1].borrow(), *seen[2].borrow());
        let more = touched;
        touch(&nodes[0], &topic).await;
        touch(&nodes[2], &topic).await;
        support::until("the marks arrive", async || {
            *seen[0].borrow() == more + 2 && *seen[1].borrow() > before.0 && *seen[2].borrow() > before.1
        })
        .await;
        let mark = Topic::new("mark", "end");
        let mut end = nodes[0].live().watch(&mark);
        touch(&nodes[1], &mark).await;
        tokio::time::timeout(Duration::from_secs(20), end.changed()).await.unwrap().unwrap();
        assert_eq!(*seen[0].borrow(), more + 2, "its own changes were not counted twice");
        stop.cancel();
        for bridge in bridges {
            bridge.await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn the_bridge_listens_again_after_its_connection_broke() {
    on_postgres(&migrations(), base::Clock::machine(), &async |t: TestDb| {
        let nodes = t.nodes(2).await;
        let stop = CancellationToken::new();
        let bridge = tokio::spawn(live::bridge(nodes[1].clone(), stop.clone()));
        let sender = tokio::spawn(live::bridge(nodes[0].clone(), stop.clone()));
        let topic = Topic::new("doctor", "doc_1");
        for round in 0..2 {
            let seen = nodes[1].live().watch(&topic);
            support::until("the other node sees it", async || {
                // A connection that was cut is found out by the next use of it.
                if let Ok(mut tx) = nodes[0].begin().await {
                    tx.touch(topic.clone());
                    let _ = tx.commit().await;
                }
                seen.has_changed().unwrap()
            })
            .await;
            if round == 0 {
                let kill = support::words(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
                );
                t.db.all::<store::Row>(kill, store::args![]).await.unwrap();
            }
        }
        stop.cancel();
        bridge.await.unwrap();
        sender.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn topics_that_nobody_watches_make_room() {
    each_db(&[], async |t: TestDb| {
        let kept = t.db.live().watch(&Topic::new("kept", 0));
        for i in 0..10_000 {
            drop(t.db.live().watch(&Topic::new("gone", i)));
        }
        touch(&t.db, &Topic::new("kept", 0)).await;
        assert!(kept.has_changed().unwrap(), "who watches is not forgotten");
        assert_eq!(t.db.live().watchers(), 1);
    })
    .await;
}
