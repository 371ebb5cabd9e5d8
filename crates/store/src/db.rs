//! The database handle.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base::{Clock, Secret, UnixMs};
use sqlx::postgres::{PgPool, PgPoolOptions};
use tokio::sync::Notify;

use crate::live::Live;
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
}

enum DbKind {
    Sqlite(Sqlite),
    Postgres(PgPool),
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
                DbKind::Postgres(pool(url, *max_connections).await?)
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
            DbConfig::Postgres { url, .. } => DbKind::Postgres(pool(url, 2).await?),
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
            DbKind::Postgres(pool) => Ok(Tx::postgres(self.clone(), pool.begin().await?)),
        }
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
            DbKind::Postgres(pool) => {
                bind::rows_postgres(&bind::postgres(sql.postgres, args)?.fetch_all(pool).await?)
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
            DbKind::Postgres(pool) => {
                pool.prepare(sqlx::SqlStr::from_static(sql.postgres)).await.map(drop)?
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
            DbKind::Postgres(pool) => Some(pool),
            DbKind::Sqlite(_) => None,
        }
    }

    /// Closes all connections after what is under way.
    pub async fn close(&self) {
        match &self.inner.kind {
            DbKind::Sqlite(db) => db.close().await,
            DbKind::Postgres(pool) => pool.close().await,
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

async fn pool(url: &Secret, max: u32) -> Result<PgPool> {
    let options: sqlx::postgres::PgConnectOptions = url
        .expose()
        .parse()
        .map_err(|_| StoreError::Config("the PostgreSQL address can't be read".into()))?;
    let pool = PgPoolOptions::new()
        .max_connections(max)
        .min_connections(0)
        .test_before_acquire(false)
        .acquire_timeout(Duration::from_secs(5))
        .connect_with(options.application_name("xinglin").statement_cache_capacity(512).options(SESSION))
        .await?;
    Ok(pool)
}
