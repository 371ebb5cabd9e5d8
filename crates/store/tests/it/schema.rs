//! Migrations and statements.

use store::testing::{TestDb, each_db};
use store::{Backend, Migration, StoreError, migrate};

use crate::support;

fn one(name: &'static str, text: &'static str) -> Migration {
    Migration { capability: "zoo", name, sqlite: text, postgres: text }
}

fn with_kernel(more: &[Migration]) -> Vec<Migration> {
    [store::migrations(), more.to_vec()].concat()
}

fn message(error: &StoreError) -> String {
    assert!(matches!(error, StoreError::Migration(_)), "{error:?}");
    error.to_string()
}

#[tokio::test]
async fn every_statement_is_understood() {
    each_db(&support::migrations(), async |t: TestDb| {
        for sql in store::statements().into_iter().chain(support::ALL.iter().copied()) {
            if let Err(error) = t.db.prepare(sql).await {
                panic!("{} on {:?}: {error}: {:?}", sql.name, t.backend(), std::error::Error::source(&error));
            }
        }
        assert!(
            t.db.prepare(store::Sql { name: "WRONG", sqlite: "SELECT x", postgres: "SELECT x" })
                .await
                .is_err()
        );
    })
    .await;
}

#[tokio::test]
async fn a_migration_is_applied_once() {
    each_db(&[], async |t: TestDb| {
        let first = with_kernel(&[one("0001_lion", "CREATE TABLE lion (id BIGINT NOT NULL PRIMARY KEY)")]);
        assert!(migrate::verify(&t.db, &first).await.is_err_and(|e| message(&e).contains("zoo/0001_lion")));
        assert_eq!(migrate::apply(&t.db, &first).await.unwrap(), ["zoo/0001_lion"]);
        assert!(migrate::apply(&t.db, &first).await.unwrap().is_empty());
        migrate::verify(&t.db, &first).await.unwrap();
        // What comes later is added, and the kernel alone is then too old a program for this database.
        let second = [first, vec![one("0002_mane", "ALTER TABLE lion ADD COLUMN mane TEXT")]].concat();
        assert_eq!(migrate::apply(&t.db, &second).await.unwrap(), ["zoo/0002_mane"]);
        let old = migrate::apply(&t.db, &store::migrations()).await.unwrap_err();
        assert!(message(&old).contains("a newer one was here"), "{old}");
    })
    .await;
}

#[tokio::test]
async fn a_changed_migration_is_refused() {
    each_db(&[], async |t: TestDb| {
        migrate::apply(&t.db, &with_kernel(&[one("0001_lion", "CREATE TABLE lion (id BIGINT NOT NULL)")]))
            .await
            .unwrap();
        let edited = with_kernel(&[one("0001_lion", "CREATE TABLE lion (id BIGINT NOT NULL, mane TEXT)")]);
        for error in [
            migrate::apply(&t.db, &edited).await.unwrap_err(),
            migrate::verify(&t.db, &edited).await.unwrap_err(),
        ] {
            assert!(message(&error).contains("zoo/0001_lion was changed after it was applied"), "{error}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing() {
    each_db(&[], async |t: TestDb| {
        let bad = with_kernel(&[
            one("0001_lion", "CREATE TABLE lion (id BIGINT NOT NULL)"),
            one(
                "0002_wrong",
                "CREATE TABLE bear (id BIGINT NOT NULL); CREATE TABLE lion (id BIGINT NOT NULL)",
            ),
        ]);
        let error = migrate::apply(&t.db, &bad).await.unwrap_err();
        assert!(message(&error).contains("zoo/0002_wrong"), "{error}");
        // Neither the good one before it nor half of the bad one is there.
        let good = with_kernel(&[
            one("0001_lion", "CREATE TABLE lion (id BIGINT NOT NULL)"),
            one("0002_bear", "CREATE TABLE bear (id BIGINT NOT NULL)"),
        ]);
        assert_eq!(migrate::apply(&t.db, &good).await.unwrap(), ["zoo/0001_lion", "zoo/0002_bear"]);
    })
    .await;
}

#[tokio::test]
async fn nodes_that_start_together_migrate_once() {
    each_db(&[], async |t: TestDb| {
        let all = with_kernel(&[
            one("0001_lion", "CREATE TABLE lion (id BIGINT NOT NULL)"),
            one("0002_bear", "CREATE TABLE bear (id BIGINT NOT NULL)"),
        ]);
        let mut starts = tokio::task::JoinSet::new();
        for db in t.nodes(6).await {
            let all = all.clone();
            starts.spawn(async move { migrate::apply(&db, &all).await });
        }
        let applied = starts.join_all().await.into_iter().map(Result::unwrap).collect::<Vec<_>>();
        assert_eq!(applied.iter().flatten().count(), 2, "{applied:?}");
    })
    .await;
}

#[tokio::test]
async fn nodes_that_start_together_on_an_empty_database_migrate_once() {
    each_db(&[], async |t: TestDb| {
        // As a fresh installation: not even the table of migrations is there.
        let mut tx = t.db.begin().await.unwrap();
        for table in ["schema_migration", "event", "audit", "audit_head", "event_failure", "job", "lease"] {
            let text: &'static str = format!("DROP TABLE {table}").leak();
            tx.exec(store::Sql { name: "DROP", sqlite: text, postgres: text }, Vec::new()).await.unwrap();
        }
        tx.commit().await.unwrap();
        let mut starts = tokio::task::JoinSet::new();
        for db in t.nodes(6).await {
            starts.spawn(async move { migrate::apply(&db, &store::migrations()).await });
        }
        let applied = starts.join_all().await.into_iter().map(Result::unwrap).collect::<Vec<_>>();
        assert_eq!(applied.iter().flatten().count(), store::migrations().len(), "{applied:?}");
    })
    .await;
}

#[tokio::test]
async fn verify_of_an_empty_database_says_what_to_do() {
    each_db(&[], async |t: TestDb| {
        let mut tx = t.db.begin().await.unwrap();
        let drop = "DROP TABLE schema_migration";
        tx.exec(store::Sql { name: "DROP", sqlite: drop, postgres: drop }, Vec::new()).await.unwrap();
        tx.commit().await.unwrap();
        let error = migrate::verify(&t.db, &store::migrations()).await.unwrap_err();
        assert!(message(&error).contains("xinglin migrate"), "{error} on {:?}", t.backend());
    })
    .await;
}

#[tokio::test]
async fn each_round_is_on_the_database_that_it_names() {
    let mut seen = std::sync::Mutex::new(Vec::new());
    each_db(&[], async |t: TestDb| {
        t.db.ping().await.unwrap();
        assert_eq!(t.backend() == Backend::Postgres, matches!(t.config, store::DbConfig::Postgres { .. }));
        seen.lock().unwrap().push(t.backend());
    })
    .await;
    let seen = seen.get_mut().unwrap();
    let both = std::env::var_os(store::testing::POSTGRES).is_some();
    assert_eq!(*seen, if both { vec![Backend::Sqlite, Backend::Postgres] } else { vec![Backend::Sqlite] });
}
