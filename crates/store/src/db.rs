//! The database handle.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base::{Clock, Secret, UnixMs};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use tokio::sync::Notify;

use crate::live::Live;
use crate::people::People;
use crate::sqlite::Sqlite;
use crate::tx::{Tx, node_name};
use crate::value::{FromRow, Row, Value, bind};
use crate::{Result, Sql, StoreError};

/// Where the data is.
#[derive(Debug, Clone)]
pub enum DbConfig {
    /// In a file of our own.
    Sqlite {
        /// The file.
        path: PathBuf,
    },
    /// On a PostgreSQL server.
    Postgres {
        /// `postgres://user:password@host:port/database`.
        url: Secret,
        /// The most connections this node keeps.
        max_connections: u32,
    },
}

/// Which of the two databases it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// Embedded.
    Sqlite,
    /// A server.
    Postgres,
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    kind: DbKind,
    clock: Clock,
    live: Live,
    relay: Notify,
    jobs: Notify,
    node: Arc<str>,
    people: People,
}

enum DbKind {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

struct Postgres {
    pool: PgPool,
    /// For the few statements that carry a rush: see [`Db::begin_planned`].
    planned: PgPool,
}

impl Db {
    /// Opens the database. Tables are not looked at: see [`crate::migrate`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it can't be reached, [`StoreError::Config`] when another program holds the file.
    pub async fn open(config: &DbConfig, clock: Clock) -> Result<Self> {
        let kind = match config {
            DbConfig::Sqlite { path } => DbKind::Sqlite(Sqlite::open(path).await?),
            DbConfig::Postgres { url, max_connections } => {
                DbKind::Postgres(Postgres::open(url, *max_connections).await?)
            }
        };
        Ok(Self::new(kind, clock))
    }

    /// Opens the database to look at it, while another program may be serving it. On SQLite nothing can be changed through
    /// this handle: [`Self::begin`] is refused.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_read_only(config: &DbConfig, clock: Clock) -> Result<Self> {
        let kind = match config {
            DbConfig::Sqlite { path } => DbKind::Sqlite(Sqlite::open_read_only(path).await?),
            DbConfig::Postgres { url, .. } => DbKind::Postgres(Postgres::open(url, 2).await?),
        };
        Ok(Self::new(kind, clock))
    }

    fn new(kind: DbKind, clock: Clock) -> Self {
        let inner = Inner {
            kind,
            clock,
            live: Live::default(),
            relay: Notify::new(),
            jobs: Notify::new(),
            node: node_name(),
            people: People::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Which of the two it is.
    #[must_use]
    pub fn backend(&self) -> Backend {
        match self.inner.kind {
            DbKind::Sqlite(_) => Backend::Sqlite,
            DbKind::Postgres(_) => Backend::Postgres,
        }
    }

    /// The instant that it is, by the injected clock.
    #[must_use]
    pub fn now(&self) -> UnixMs {
        self.inner.clock.now()
    }

    /// The injected clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Live topics of this node.
    #[must_use]
    pub fn live(&self) -> &Live {
        &self.inner.live
    }

    /// The name of this run of the program among the nodes on one database.
    #[must_use]
    pub fn node(&self) -> &str {
        &self.inner.node
    }

    /// Opens a transaction.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database can't be had within five seconds.
    pub async fn begin(&self) -> Result<Tx> {
        match &self.inner.kind {
            DbKind::Sqlite(db) => Ok(Tx::sqlite(self.clone(), db.begin().await?)),
            DbKind::Postgres(db) => Ok(Tx::postgres(self.clone(), db.pool.begin().await?)),
        }
    }

    /// Opens a transaction for statements that find their rows by a key, whatever the tables hold: on PostgreSQL they are
    /// planned each time for what the tables hold just then, and never read a table from end to end. For the few that carry a
    /// rush in batches; others may be slower for it.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub async fn begin_planned(&self) -> Result<Tx> {
        match &self.inner.kind {
            DbKind::Sqlite(db) => Ok(Tx::sqlite(self.clone(), db.begin().await?)),
            DbKind::Postgres(db) => Ok(Tx::postgres(self.clone(), db.planned.begin().await?)),
        }
    }

    /// Says that people are waiting in numbers, right now: work that can wait does so for a moment. See
    /// [`Self::after_people`].
    pub fn people_wait(&self) {
        self.inner.people.wait();
    }

    /// Whether somebody has said a moment ago that people are waiting.
    #[must_use]
    pub fn do_people_wait(&self) -> bool {
        self.inner.people.are_waiting()
    }

    /// Waits until nobody has said for a moment that people are waiting, at most so long. What nobody waits for (telling
    /// people what they see on their screens, linking the audit log) asks here before each piece of work, so that a rush
    /// has the machine for itself and is over sooner.
    pub async fn after_people(&self, at_most: Duration) {
        self.inner.people.pass(at_most).await;
    }

    /// All rows of a query, as of the last commit.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn all<T: FromRow>(&self, sql: Sql, args: Vec<Value>) -> Result<Vec<T>> {
        self.rows(sql, args).await?.iter().map(T::from_row).collect()
    }

    /// The first row of a query, if there is one.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn opt<T: FromRow>(&self, sql: Sql, args: Vec<Value>) -> Result<Option<T>> {
        self.rows(sql, args).await?.first().map(T::from_row).transpose()
    }

    /// The first row of a query that always has one.
    ///
    /// # Errors
    /// [`StoreError::NoRow`] when it has none; any other [`StoreError`].
    pub async fn one<T: FromRow>(&self, sql: Sql, args: Vec<Value>) -> Result<T> {
        self.opt(sql, args).await?.ok_or(StoreError::NoRow)
    }

    async fn rows(&self, sql: Sql, args: Vec<Value>) -> Result<Vec<Row>> {
        match &self.inner.kind {
            DbKind::Sqlite(db) => {
                bind::rows_sqlite(&bind::sqlite(sql.sqlite, args)?.fetch_all(&db.read).await?)
            }
            DbKind::Postgres(db) => {
                bind::rows_postgres(&bind::postgres(sql.postgres, args)?.fetch_all(&db.pool).await?)
            }
        }
    }

    /// Prepares a statement without running it, so that a test finds what a database would refuse.
    ///
    /// # Errors
    /// What the database says of it.
    pub async fn prepare(&self, sql: Sql) -> Result<()> {
        use sqlx::Executor as _;
        match &self.inner.kind {
            DbKind::Sqlite(db) => db.read.prepare(sqlx::SqlStr::from_static(sql.sqlite)).await.map(drop)?,
            DbKind::Postgres(db) => {
                db.pool.prepare(sqlx::SqlStr::from_static(sql.postgres)).await.map(drop)?
            }
        }
        Ok(())
    }

    /// Whether the database answers; for `/readyz`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and its kin.
    pub async fn ping(&self) -> Result<()> {
        const PING: Sql =
            Sql { name: "PING", sqlite: "SELECT CAST(1 AS BIGINT)", postgres: "SELECT CAST(1 AS BIGINT)" };
        self.one::<Row>(PING, Vec::new()).await.map(drop)
    }

    /// Waits until an event was published on this node, or `at_most`.
    pub(crate) async fn relay_woken(&self, at_most: Duration) {
        let _ = tokio::time::timeout(at_most, self.inner.relay.notified()).await;
    }

    pub(crate) fn wake_relay(&self) {
        self.inner.relay.notify_one();
    }

    pub(crate) async fn jobs_woken(&self, at_most: Duration) {
        let _ = tokio::time::timeout(at_most, self.inner.jobs.notified()).await;
    }

    pub(crate) fn wake_jobs(&self) {
        self.inner.jobs.notify_one();
    }

    /// The PostgreSQL pool, for LISTEN/NOTIFY only.
    pub(crate) fn pg(&self) -> Option<&PgPool> {
        match &self.inner.kind {
            DbKind::Postgres(db) => Some(&db.pool),
            DbKind::Sqlite(_) => None,
        }
    }

    /// Closes all connections after what is under way.
    pub async fn close(&self) {
        match &self.inner.kind {
            DbKind::Sqlite(db) => db.close().await,
            DbKind::Postgres(db) => {
                db.planned.close().await;
                db.pool.close().await;
            }
        }
    }
}

/// A node that stops in the middle of a transaction (frozen, cut off) must not hold its locks against all others until TCP
/// gives up after hours. Nothing but the database is awaited in a transaction, so ten idle seconds mean that nobody is there.
const SESSION: [(&str, &str); 4] = [
    ("idle_in_transaction_session_timeout", "10s"),
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "3"),
];

/// A plan that is kept (PostgreSQL's "generic" one) was made when the table was as empty as it is before release, when one index
/// looks as good as another, and stays while the rush fills it: measured, a booking then cost three times as much. A batch of a
/// hundred wishes can afford to be planned anew.
const PLANNED: [(&str, &str); 6] = [
    ("plan_cache_mode", "force_custom_plan"),
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("jit", "off"),
];
/// Each lane of the desk holds one; a few more for what looks beside them.
const PLANNED_AT_ONCE: u32 = 4;

impl Postgres {
    async fn open(url: &Secret, max: u32) -> Result<Self> {
        let options: PgConnectOptions = url
            .expose()
            .parse()
            .map_err(|_| StoreError::Config("the PostgreSQL address can't be read".into()))?;
        let options = options.application_name("xinglin").statement_cache_capacity(512).options(SESSION);
        let planned = pool(PLANNED_AT_ONCE).connect_lazy_with(options.clone().options(PLANNED));
        Ok(Self { pool: pool(max).connect_with(options).await?, planned })
    }
}

fn pool(max: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(max)
        .min_connections(0)
        .test_before_acquire(false)
        .acquire_timeout(Duration::from_secs(5))
}
