//! The shared commit: everybody is told the truth when it fails, and the writer goes on.

use store::testing::{TestDb, each_db_in_real_time, on_sqlite};
use store::value::One;
use store::{Db, Result, StoreError, args};

use crate::support::{self, ADD, ADD_DATA, ADD_PART, H, change, count, ids, migrations};

async fn all_at_once(
    db: &Db,
    commands: Vec<(String, store::Sql, Vec<store::Value>)>,
) -> Vec<(String, Result<u64>)> {
    // All of them wait for the writer when it is let go.
    let held = db.begin().await.unwrap();
    let mut running = tokio::task::JoinSet::new();
    for (id, sql, values) in commands {
        let db = db.clone();
        running.spawn(async move { (id, change(&db, sql, values).await) });
    }
    tokio::task::yield_now().await;
    // It may itself be in a commit that fails; nothing hangs on it.
    let _ = held.commit().await;
    running.join_all().await
}

#[tokio::test]
async fn a_commit_that_fails_is_told_to_everybody_in_it() {
    each_db_in_real_time(&migrations(), async |t: TestDb| {
        let (mut told, mut shared) = (0, 0);
        for round in 0..10 {
            let mut commands: Vec<_> = (0..20)
                .map(|i| (format!("{round}-{i}"), ADD, args![H, format!("{round}-{i}"), 1_i64]))
                .collect();
            // Its thing does not exist, which the database finds out at the commit only.
            commands
                .insert(7, (format!("bad-{round}"), ADD_PART, args![H, format!("bad-{round}"), "nothing"]));
            let outcomes = all_at_once(&t.db, commands).await;
            let there = ids(&t.db).await;
            for (id, outcome) in outcomes {
                if id.starts_with("bad-") {
                    assert!(outcome.is_err(), "{id} broke a constraint");
                    continue;
                }
                assert_eq!(outcome.is_ok(), there.contains(&id), "{id} was answered {outcome:?}");
                told += 1;
                if let Err(error) = outcome {
                    assert!(
                        matches!(error, StoreError::SharedCommit(_)) && error.is_transient(),
                        "{error:?}"
                    );
                    shared += 1;
                }
            }
        }
        assert_eq!(told, 200);
        match t.backend() {
            store::Backend::Sqlite => assert!(shared > 0, "no command ever shared the commit that failed"),
            store::Backend::Postgres => assert_eq!(shared, 0, "there each command has its own"),
        }
        let parts = support::words("SELECT CAST(COUNT(*) AS BIGINT) FROM part");
        assert_eq!(t.db.one::<One<i64>>(parts, args![]).await.unwrap().0, 0);
        change(&t.db, ADD, args![H, "end", 1_i64]).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_command_that_was_alone_in_its_commit_is_told_what_was_wrong() {
    each_db_in_real_time(&migrations(), async |t: TestDb| {
        let error = change(&t.db, ADD_PART, args![H, "p", "nothing"]).await.unwrap_err();
        assert!(matches!(error, StoreError::Constraint { .. }), "{error:?}");
        assert!(!error.is_transient(), "sending it again does not help");
    })
    .await;
}

#[tokio::test]
async fn a_full_disk_loses_nothing_that_was_answered() {
    on_sqlite(&migrations(), base::Clock::machine(), &async |t: TestDb| {
        let pages = support::words("PRAGMA page_count");
        let used = t.db.one::<One<i64>>(pages, args![]).await.unwrap().0;
        set_limit(&t.db, used + 60).await;
        let (mut full, mut fine) = (0, 0);
        for round in 0..8 {
            let commands = (0..24)
                .map(|i| {
                    let id = format!("{round}-{i}");
                    // Every third is large: some fit, some don't, small ones stand between them.
                    let size = if i % 3 == 0 { 30_000 } else { 10 };
                    (id.clone(), ADD_DATA, args![H, id, 1_i64, None::<String>, vec![7_u8; size]])
                })
                .collect();
            let outcomes = all_at_once(&t.db, commands).await;
            let there = ids(&t.db).await;
            for (id, outcome) in outcomes {
                assert_eq!(outcome.is_ok(), there.contains(&id), "{id} was answered {outcome:?}");
                match outcome {
                    Ok(_) => fine += 1,
                    Err(error) => {
                        assert!(error.is_transient(), "{error:?}");
                        full += 1;
                    }
                }
            }
        }
        assert!(full > 10 && fine > 10, "{full} did not fit, {fine} did");
        let check = support::words("PRAGMA integrity_check");
        assert_eq!(t.db.one::<One<String>>(check, args![]).await.unwrap().0, "ok");
        // Somebody makes room, and the hospital goes on without a restart.
        set_limit(&t.db, 1_000_000).await;
        change(&t.db, ADD_DATA, args![H, "end", 1_i64, None::<String>, vec![7_u8; 500_000]]).await.unwrap();
        assert_eq!(count(&t.db).await, fine + 1);
    })
    .await;
}

async fn set_limit(db: &Db, pages: i64) {
    let mut tx = db.begin().await.unwrap();
    tx.all::<store::Row>(support::words(&format!("PRAGMA max_page_count = {pages}")), args![]).await.unwrap();
    tx.commit().await.unwrap();
}

/// When SQLite itself gives the whole transaction up in the middle, those who wait for its commit must not be told "done",
/// and those who come after must not run outside of any transaction.
#[tokio::test]
async fn a_transaction_that_sqlite_gives_up_takes_nobody_by_surprise() {
    on_sqlite(&migrations(), base::Clock::machine(), &async |t: TestDb| {
        let mut lost = 0;
        for round in 0..10 {
            let mut commands: Vec<_> = (0..20)
                .map(|i| (format!("{round}-{i}"), ADD, args![H, format!("{round}-{i}"), 1_i64]))
                .collect();
            // Ends the whole transaction, savepoints and all, as a full disk or a failing one may.
            let rollback = support::words(&format!(
                "INSERT OR ROLLBACK INTO thing (hospital_id, id, n) VALUES (1, 'x{round}', -1)"
            ));
            commands.insert(9, ("rollback".into(), rollback, args![]));
            let outcomes = all_at_once(&t.db, commands).await;
            let there = ids(&t.db).await;
            for (id, outcome) in outcomes {
                if id == "rollback" {
                    assert!(outcome.is_err());
                    continue;
                }
                assert_eq!(outcome.is_ok(), there.contains(&id), "{id} was answered {outcome:?}");
                lost += i32::from(outcome.is_err());
            }
        }
        assert!(lost > 0, "nobody ever waited in a transaction that was given up");
        change(&t.db, ADD, args![H, "end", 1_i64]).await.unwrap();
    })
    .await;
}

/// Not a test of speed (machines differ), but it prints what sharing the commit is worth here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_that_wait_together_share_commits() {
    on_sqlite(&migrations(), base::Clock::machine(), &async |t: TestDb| {
        let mut rates = Vec::new();
        for tasks in [1_usize, 64] {
            let each = 1280 / tasks / if tasks == 1 { 4 } else { 1 };
            let since = std::time::Instant::now();
            let mut running = tokio::task::JoinSet::new();
            for task in 0..tasks {
                let db = t.db.clone();
                running.spawn(async move {
                    for i in 0..each {
                        change(&db, ADD, args![H, format!("{tasks}-{task}-{i}"), 1_i64]).await.unwrap();
                    }
                });
            }
            running.join_all().await;
            let rate = f64::from(u32::try_from(tasks * each).unwrap()) / since.elapsed().as_secs_f64();
            println!("{tasks} tasks: {rate:.0} commands/s");
            rates.push(rate);
        }
        assert_eq!(count(&t.db).await, 320 + 1280);
    })
    .await;
}
