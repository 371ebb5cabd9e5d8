//! For tests of every crate: the same test on both databases, each time with a database of its own.
//!
//! ```ignore
//! // Cargo.toml: [dev-dependencies] store = { workspace = true, features = ["testing"] }
//! use store::testing::{TestDb, each_db};
//!
//! #[tokio::test]
//! async fn a_bed_is_given_once() {
//!     each_db(&wards::migrations(), async |t: TestDb| {
//!         let mut tx = t.db.begin().await.unwrap();
//!         …
//!         t.pass(Duration::from_secs(60)); // the clock stands still until it is moved
//!     })
//!     .await;
//! }
//! ```
//!
//! PostgreSQL is found through `XINGLIN_TEST_POSTGRES`, the address of a server on which databases may be made and dropped
//! (`cargo xtask postgres -- cargo nextest run` starts one). Without it a test fails and says so, unless
//! `XINGLIN_TEST_SQLITE_ONLY` is set, so that nobody takes half of a run for a whole one.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that can't be set up stops here and says why")]

use std::panic::resume_unwind;
use std::path::PathBuf;
use std::time::Duration;

use base::{Clock, Secret, UnixMs};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

use crate::caught::caught;
use crate::{Backend, Db, DbConfig, Migration, migrate};

/// The address of a PostgreSQL server for tests.
pub const POSTGRES: &str = "XINGLIN_TEST_POSTGRES";
/// Set to run tests on SQLite alone.
pub const SQLITE_ONLY: &str = "XINGLIN_TEST_SQLITE_ONLY";
/// When the clock of a test starts: Monday 2026-11-23, 08:00 in China.
pub const MORNING: UnixMs = UnixMs(1_795_392_000_000);

/// A database of its own for one test.
pub struct TestDb {
    /// The database, migrated.
    pub db: Db,
    /// Its clock. A manual one unless the test asked for another.
    pub clock: Clock,
    /// Where it is, to open it once more.
    pub config: DbConfig,
}

impl TestDb {
    /// Which of the two databases this round of the test is on.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.db.backend()
    }

    /// Moves the clock of all nodes.
    pub fn pass(&self, time: Duration) {
        assert!(self.clock.advance(time), "the machine's clock can't be moved");
    }

    /// `count` nodes of an installation: on PostgreSQL each with its own connections, caches and name; on SQLite, which
    /// one program has for itself, all of them are that one.
    pub async fn nodes(&self, count: usize) -> Vec<Db> {
        let mut nodes = vec![self.db.clone()];
        while nodes.len() < count {
            nodes.push(self.node().await);
        }
        nodes
    }

    /// One more node; see [`Self::nodes`].
    pub async fn node(&self) -> Db {
        match self.backend() {
            Backend::Sqlite => self.db.clone(),
            Backend::Postgres => {
                Db::open(&self.config, self.clock.clone()).await.expect("open another node's database")
            }
        }
    }

    /// A path in a folder of the test's own; beside the SQLite file, if that is the database.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        match &self.config {
            DbConfig::Sqlite { path } => path.with_file_name(name),
            DbConfig::Postgres { .. } => panic!("only the SQLite round of a test has a folder"),
        }
    }
}

/// Runs `test` on SQLite and on PostgreSQL, each time on a fresh database with the kernel's tables and `migrations`, and a
/// clock that stands at [`MORNING`] until the test moves it.
///
/// # Panics
/// When `test` does, when a database can't be made, and when no PostgreSQL was named (see the module).
pub async fn each_db(migrations: &[Migration], test: impl AsyncFn(TestDb)) {
    on_sqlite(migrations, Clock::manual(MORNING), &test).await;
    on_postgres(migrations, Clock::manual(MORNING), &test).await;
}

/// As [`each_db`], with the machine's clock.
///
/// # Panics
/// As [`each_db`].
pub async fn each_db_in_real_time(migrations: &[Migration], test: impl AsyncFn(TestDb)) {
    on_sqlite(migrations, Clock::machine(), &test).await;
    on_postgres(migrations, Clock::machine(), &test).await;
}

/// The SQLite half alone, for what only SQLite has.
///
/// # Panics
/// When `test` does, and when the database can't be made.
pub async fn on_sqlite(migrations: &[Migration], clock: Clock, test: &impl AsyncFn(TestDb)) {
    on_sqlite_in(&std::env::temp_dir(), migrations, clock, test).await;
}

/// As [`on_sqlite`], on a disk of one's choice.
///
/// # Panics
/// As [`on_sqlite`].
pub async fn on_sqlite_in(
    parent: &std::path::Path,
    migrations: &[Migration],
    clock: Clock,
    test: &impl AsyncFn(TestDb),
) {
    let folder = tempfile::tempdir_in(parent).expect("make a folder");
    let config = DbConfig::Sqlite { path: folder.path().join("test.db") };
    let outcome = round(config, clock, migrations, test).await;
    drop(folder);
    if let Err(panic) = outcome {
        eprintln!("— this was on SQLite");
        resume_unwind(panic);
    }
}

/// The PostgreSQL half alone, for what only PostgreSQL has.
///
/// # Panics
/// As [`each_db`].
pub async fn on_postgres(migrations: &[Migration], clock: Clock, test: &impl AsyncFn(TestDb)) {
    let Ok(admin) = std::env::var(POSTGRES) else {
        assert!(
            std::env::var_os(SQLITE_ONLY).is_some(),
            "{POSTGRES} is not set, so half of this test can't run: put `cargo xtask postgres --` before the command, \
             or set {SQLITE_ONLY}=1 to do without"
        );
        return;
    };
    on_postgres_at(&admin, migrations, clock, test).await;
}

/// As [`on_postgres`], on a server of one's choice.
///
/// # Panics
/// As [`on_postgres`].
pub async fn on_postgres_at(
    admin: &str,
    migrations: &[Migration],
    clock: Clock,
    test: &impl AsyncFn(TestDb),
) {
    let name = format!("test_{}", uuid::Uuid::new_v4().simple());
    run(admin, format!("CREATE DATABASE {name}")).await;
    let url = match admin.rsplit_once('/') {
        Some((server, _)) => format!("{server}/{name}"),
        None => panic!("{POSTGRES} has no database name at its end"),
    };
    let config = DbConfig::Postgres { url: Secret::new(url), max_connections: 16 };
    let outcome = round(config, clock, migrations, test).await;
    run(admin, format!("DROP DATABASE {name} WITH (FORCE)")).await;
    if let Err(panic) = outcome {
        eprintln!("— this was on PostgreSQL");
        resume_unwind(panic);
    }
}

/// One round. A panic is handed back, so that the database is cleared away before the test fails.
async fn round(
    config: DbConfig,
    clock: Clock,
    migrations: &[Migration],
    test: &impl AsyncFn(TestDb),
) -> std::thread::Result<()> {
    let db = Db::open(&config, clock.clone()).await.expect("open the test's database");
    let mut all = crate::migrations();
    all.extend(migrations.iter().filter(|m| m.capability != "store"));
    migrate::apply(&db, &all).await.expect("migrate the test's database");
    let outcome = caught(test(TestDb { db: db.clone(), clock, config })).await;
    if outcome.is_ok() {
        db.close().await;
    }
    outcome
}

/// What PostgreSQL makes of a statement whose values it does not know yet, where it may not read tables from end to end if
/// there is another way: its generic plan, as JSON. (The tables of a test are empty, and of those it would read all.)
///
/// # Panics
/// When it is not on PostgreSQL, or the statement can't be planned.
pub async fn postgres_plan(t: &TestDb, statement: &str) -> String {
    let DbConfig::Postgres { url, .. } = &t.config else { panic!("only PostgreSQL plans like this") };
    let count = (1..=64).take_while(|n| statement.contains(&format!("${n}"))).count();
    let nulls = vec!["NULL"; count].join(", ");
    let values = if count == 0 { String::new() } else { format!("({nulls})") };
    let text = format!(
        "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET plan_cache_mode = force_generic_plan; PREPARE planned AS {statement}; \
         EXPLAIN (FORMAT JSON) EXECUTE planned{values}"
    );
    let mut connection = PgConnection::connect(url.expose()).await.expect("connect");
    let rows = sqlx::raw_sql(AssertSqlSafe(text)).fetch_all(&mut connection).await;
    let rows = rows.unwrap_or_else(|e| panic!("{statement}: {e}"));
    let _closed = connection.close().await;
    // Of type json, in the text form of the simple protocol.
    rows.first().expect("a plan").try_get_unchecked(0).expect("a text")
}

/// How SQLite would carry a statement out, a line for each step.
///
/// # Panics
/// When it is not on SQLite, or the statement can't be planned.
pub async fn sqlite_plan(t: &TestDb, statement: &str) -> Vec<String> {
    let DbConfig::Sqlite { path } = &t.config else { panic!("only SQLite plans like this") };
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.expect("connect");
    let rows = sqlx::raw_sql(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")));
    let rows = rows.fetch_all(&mut connection).await.unwrap_or_else(|e| panic!("{statement}: {e}"));
    let _closed = connection.close().await;
    rows.iter().map(|row| row.try_get("detail").expect("a text")).collect()
}

async fn run(server: &str, statement: String) {
    let mut connection = PgConnection::connect(server).await.expect("connect to the PostgreSQL of the tests");
    let done = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await;
    done.expect("make or drop the test's database");
    let _closed = connection.close().await;
}
