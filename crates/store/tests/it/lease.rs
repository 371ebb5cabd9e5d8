//! Leases: one holder at a time, and whoever lost it can be told by its number.

use std::time::Duration;

use store::lease;
use store::testing::{TestDb, each_db};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn one_holds_it_and_its_number_goes_up() {
    each_db(&[], async |t: TestDb| {
        let first = lease::take(&t.db, "a", MINUTE).await.unwrap().unwrap();
        assert_eq!((first.name.as_str(), first.fence), ("a", 1));
        let longer = lease::take(&t.db, "a", MINUTE).await.unwrap().unwrap();
        assert!(longer.fence > first.fence, "the holder may prolong it");
        assert_eq!(
            lease::take(&t.db, "b", MINUTE).await.unwrap().unwrap().fence,
            1,
            "another name, another lease"
        );
        lease::give_back(&t.db, "a").await.unwrap();
        assert!(lease::take(&t.db, "a", MINUTE).await.unwrap().unwrap().fence > longer.fence);
    })
    .await;
}

#[tokio::test]
async fn another_node_gets_it_when_it_is_over() {
    // On SQLite there is one node.
    store::testing::on_postgres(&[], base::Clock::manual(store::testing::MORNING), &async |t: TestDb| {
        let nodes = t.nodes(2).await;
        let first = lease::take(&nodes[0], "a", MINUTE).await.unwrap().unwrap();
        assert_eq!(lease::take(&nodes[1], "a", MINUTE).await.unwrap(), None);
        lease::give_back(&nodes[1], "a").await.unwrap();
        lease::give_back_all(&nodes[1]).await.unwrap();
        assert_eq!(
            lease::take(&nodes[1], "a", MINUTE).await.unwrap(),
            None,
            "nobody gives back what is another's"
        );
        t.pass(MINUTE - Duration::from_millis(1));
        assert_eq!(lease::take(&nodes[1], "a", MINUTE).await.unwrap(), None);
        t.pass(Duration::from_millis(1));
        let second = lease::take(&nodes[1], "a", MINUTE).await.unwrap().unwrap();
        assert!(second.fence > first.fence);
        assert_eq!(lease::take(&nodes[0], "a", MINUTE).await.unwrap(), None, "the first has lost it");
        lease::give_back(&nodes[0], "a").await.unwrap();
        assert_eq!(lease::take(&nodes[0], "a", MINUTE).await.unwrap(), None);
        lease::give_back_all(&nodes[1]).await.unwrap();
        let third = lease::take(&nodes[0], "a", MINUTE).await.unwrap().unwrap();
        assert!(third.fence > second.fence);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_ask_together_one_gets_it() {
    each_db(&[], async |t: TestDb| {
        let nodes = t.nodes(4).await;
        let one_node = t.backend() == store::Backend::Sqlite;
        let mut highest = 0;
        for round in 1..=10 {
            let mut asking = tokio::task::JoinSet::new();
            for db in nodes.clone() {
                asking.spawn(async move { lease::take(&db, "a", MINUTE).await.unwrap() });
            }
            let mut fences: Vec<i64> =
                asking.join_all().await.into_iter().flatten().map(|l| l.fence).collect();
            assert_eq!(fences.len(), if one_node { 4 } else { 1 }, "round {round}");
            fences.sort_unstable();
            fences.dedup();
            assert!(
                fences.len() == if one_node { 4 } else { 1 } && fences[0] > highest,
                "a number is given once"
            );
            highest = fences[fences.len() - 1];
            t.pass(MINUTE);
        }
    })
    .await;
}
