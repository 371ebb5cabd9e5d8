//! Transactions: what stays, what does not, and who may go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use store::testing::{TestDb, each_db, on_postgres, on_sqlite};
use store::value::One;
use store::{Db, StoreError, args};

use crate::support::{self, ADD, H, N, add, change, count, ids, migrations};

#[tokio::test]
async fn what_is_committed_stays_and_the_rest_does_not() {
    each_db(&migrations(), async |t: TestDb| {
        let mut tx = t.db.begin().await.unwrap();
        add(&mut tx, "kept").await.unwrap();
        assert_eq!(
            tx.one::<One<i64>>(N, args![H, "kept"]).await.unwrap().0,
            1,
            "a command sees its own change"
        );
        assert_eq!(count(&t.db).await, 0, "nobody else does before the commit");
        tx.commit().await.unwrap();
        assert_eq!(count(&t.db).await, 1);

        let mut tx = t.db.begin().await.unwrap();
        add(&mut tx, "given up").await.unwrap();
        tx.rollback().await.unwrap();
        let mut tx = t.db.begin().await.unwrap();
        add(&mut tx, "dropped").await.unwrap();
        drop(tx);
        let empty = t.db.begin().await.unwrap();
        empty.commit().await.unwrap();
        assert_eq!(ids(&t.db).await, ["kept".to_owned()].into());
    })
    .await;
}

#[tokio::test]
async fn after_an_error_a_command_is_over() {
    each_db(&migrations(), async |t: TestDb| {
        change(&t.db, ADD, args![H, "a", 1_i64]).await.unwrap();
        let mut tx = t.db.begin().await.unwrap();
        add(&mut tx, "b").await.unwrap();
        let twice = add(&mut tx, "a").await.unwrap_err();
        assert!(matches!(twice, StoreError::Constraint { .. }), "{twice:?}");
        assert!(matches!(add(&mut tx, "c").await, Err(StoreError::Over)));
        assert!(matches!(tx.all::<One<i64>>(N, args![H, "a"]).await, Err(StoreError::Over)));
        let hooked = Arc::new(AtomicUsize::new(0));
        let hook = hooked.clone();
        tx.after_commit(move || _ = hook.fetch_add(1, SeqCst));
        assert!(matches!(tx.commit().await, Err(StoreError::Over)), "nobody is told that it was done");
        assert_eq!(ids(&t.db).await, ["a".to_owned()].into());
        assert_eq!(hooked.load(SeqCst), 0);
    })
    .await;
}

#[tokio::test]
async fn constraints_are_told_apart_from_trouble() {
    each_db(&migrations(), async |t: TestDb| {
        change(&t.db, ADD, args![H, "a", 1_i64]).await.unwrap();
        for (what, sql, values) in [
            ("unique", ADD, args![H, "a", 1_i64]),
            ("check", ADD, args![H, "b", -1_i64]),
            ("foreign key", support::ADD_PART, args![H, "p", "nothing"]),
        ] {
            let error = change(&t.db, sql, values).await.unwrap_err();
            assert!(matches!(error, StoreError::Constraint { .. }), "{what} on {:?}: {error:?}", t.backend());
            assert!(!error.is_transient());
        }
        let wrong =
            t.db.all::<store::Row>(support::words("SELECT nothing FROM nowhere"), args![]).await.unwrap_err();
        assert!(matches!(wrong, StoreError::Other(_)), "{wrong:?}");
        assert!(matches!(t.db.one::<One<i64>>(N, args![H, "zzz"]).await, Err(StoreError::NoRow)));
    })
    .await;
}

#[tokio::test]
async fn hooks_run_after_the_commit_and_a_bad_one_hurts_nobody() {
    each_db(&migrations(), async |t: TestDb| {
        let ran = Arc::new(AtomicUsize::new(0));
        let mut tx = t.db.begin().await.unwrap();
        add(&mut tx, "a").await.unwrap();
        tx.after_commit(|| panic!("this is part of the test"));
        let hook = ran.clone();
        tx.after_commit(move || _ = hook.fetch_add(1, SeqCst));
        assert_eq!(ran.load(SeqCst), 0);
        tx.commit().await.unwrap();
        assert_eq!(ran.load(SeqCst), 1);
        for give_up in [true, false] {
            let mut tx = t.db.begin().await.unwrap();
            add(&mut tx, "b").await.unwrap();
            let hook = ran.clone();
            tx.after_commit(move || _ = hook.fetch_add(1, SeqCst));
            if give_up {
                tx.rollback().await.unwrap();
            }
        }
        change(&t.db, ADD, args![H, "c", 1_i64]).await.unwrap();
        assert_eq!(ran.load(SeqCst), 1, "what is given up runs no hooks");
    })
    .await;
}

#[tokio::test]
async fn a_second_program_is_kept_off_the_file_until_the_first_has_closed_it() {
    on_sqlite(&migrations(), base::Clock::machine(), &async |t: TestDb| {
        let second = Db::open(&t.config, t.clock.clone()).await.map(drop).unwrap_err();
        assert!(matches!(second, StoreError::Config(_)), "{second:?}");
        assert!(second.to_string().contains("in use by another xinglin"), "{second}");

        // Looking at it is allowed, changing it is not.
        change(&t.db, ADD, args![H, "a", 1_i64]).await.unwrap();
        let looker = Db::open_read_only(&t.config, t.clock.clone()).await.unwrap();
        assert_eq!(count(&looker).await, 1);
        change(&t.db, ADD, args![H, "b", 1_i64]).await.unwrap();
        assert_eq!(count(&looker).await, 2);
        assert!(looker.begin().await.is_err());
        looker.close().await;

        // Some task may still hold a handle when the program closes the database.
        let left_behind = t.db.clone();
        t.db.close().await;
        assert!(left_behind.begin().await.is_err_and(|e| e.is_transient()));
        let next = Db::open(&t.config, t.clock.clone()).await.unwrap();
        assert_eq!(count(&next).await, 2);
        change(&next, ADD, args![H, "c", 1_i64]).await.unwrap();
        next.close().await;
    })
    .await;
}

#[tokio::test]
async fn whoever_holds_the_writer_for_ever_is_not_waited_for() {
    on_sqlite(&migrations(), base::Clock::machine(), &async |t: TestDb| {
        let mut held = t.db.begin().await.unwrap();
        add(&mut held, "held").await.unwrap();
        let error = t.db.begin().await.map(drop).unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        held.commit().await.unwrap();
        change(&t.db, ADD, args![H, "next", 1_i64]).await.unwrap();
        assert_eq!(count(&t.db).await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_frozen_node_loses_its_locks() {
    on_postgres(&migrations(), base::Clock::machine(), &async |t: TestDb| {
        let setting = support::words("SELECT current_setting('idle_in_transaction_session_timeout')");
        assert_eq!(t.db.one::<One<String>>(setting, args![]).await.unwrap().0, "10s");
        // The same with a shorter patience: the connection is ended, the command fails cleanly, the pool goes on.
        let mut tx = t.db.begin().await.unwrap();
        add(&mut tx, "frozen").await.unwrap();
        let short = support::words("SET LOCAL idle_in_transaction_session_timeout = '50ms'");
        tx.exec(short, args![]).await.unwrap();
        let gone = support::words(
            "SELECT CAST(COUNT(*) AS BIGINT) FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()",
        );
        support::until("the server ends the idle transaction", async || {
            t.db.one::<One<i64>>(gone, args![]).await.unwrap().0 == 0
        })
        .await;
        let error = add(&mut tx, "late").await.unwrap_err();
        assert!(error.is_transient(), "{error:?}");
        assert!(tx.commit().await.is_err());
        change(&t.db, ADD, args![H, "next", 1_i64]).await.unwrap();
        assert_eq!(ids(&t.db).await, ["next".to_owned()].into());
    })
    .await;
}

#[tokio::test]
async fn a_broken_connection_is_trouble_that_passes() {
    on_postgres(&migrations(), base::Clock::machine(), &async |t: TestDb| {
        let mut tx = t.db.begin().await.unwrap();
        add(&mut tx, "a").await.unwrap();
        let kill = support::words(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        t.db.all::<store::Row>(kill, args![]).await.unwrap();
        let error = add(&mut tx, "b").await.unwrap_err();
        assert!(error.is_transient(), "{error:?}");
        drop(tx);
        // Connections that died in the pool answer once with trouble, then they are gone from it.
        support::until("the pool recovers", async || {
            match change(&t.db, ADD, args![H, "c", 1_i64]).await {
                Ok(_) => true,
                Err(error) => {
                    assert!(error.is_transient(), "{error:?}");
                    false
                }
            }
        })
        .await;
        assert_eq!(ids(&t.db).await, ["c".to_owned()].into());
    })
    .await;
}
