//! Many workers.

use std::collections::HashSet;
use std::sync::Arc;

use notify::Kind;
use notify::worker::{claim, drain, handle};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::support::{NODES, World, each_world};

async fn nodes(w: &World) -> Vec<notify::NotifyDeps> {
    let mut nodes = vec![w.deps.clone()];
    while nodes.len() < NODES {
        nodes.push(w.node().await);
    }
    nodes
}

#[tokio::test]
async fn fifty_workers_send_one_message_once() {
    each_world(async |w| {
        let account = w.follower("o1").await;
        let nodes = nodes(&w).await;
        for round in 0..5 {
            w.told_of(&format!("apt_{round}"), Kind::AppointmentConfirmed, account).await;
            let start = Arc::new(Barrier::new(50));
            let mut workers = JoinSet::new();
            for n in 0..50 {
                let (deps, start) = (nodes[n % NODES].clone(), start.clone());
                workers.spawn(async move {
                    start.wait().await;
                    let taken = claim(&deps, 4).await.unwrap();
                    let count = taken.len();
                    for message in taken {
                        handle(&deps, message).await;
                    }
                    count
                });
            }
            assert_eq!(workers.join_all().await.into_iter().sum::<usize>(), 1);
            assert_eq!(w.fake.calls("template"), round + 1);
        }
    })
    .await;
}

#[tokio::test]
async fn many_workers_share_many_messages() {
    each_world(async |w| {
        let mut accounts = Vec::new();
        for n in 0..8 {
            accounts.push(w.follower(&format!("o{n}")).await);
        }
        for n in 0..96 {
            let account = accounts[n % accounts.len()];
            w.told_of(&format!("apt_{n}"), Kind::AppointmentConfirmed, account).await;
        }
        let nodes = nodes(&w).await;
        let mut workers = JoinSet::new();
        for n in 0..12 {
            let deps = nodes[n % NODES].clone();
            workers.spawn(async move { drain(&deps).await.unwrap() });
        }
        assert_eq!(workers.join_all().await.into_iter().sum::<usize>(), 96);
        let sent = w.fake.templates();
        let ids: HashSet<String> = sent.iter().map(|t| t["client_msg_id"].to_string()).collect();
        assert_eq!((sent.len(), ids.len(), w.fake.calls("template")), (96, 96, 96));
        let rows = "SELECT CAST(COUNT(*) AS BIGINT) FROM delivery";
        assert_eq!(w.number(rows).await, 96);
    })
    .await;
}
