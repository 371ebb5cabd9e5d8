//! A transaction: the only way to change anything.

use std::sync::Arc;

use crate::db::Db;
use crate::fault::{self, Point};
use crate::live::Topic;
use crate::sqlite::SqliteTx;
use crate::value::{FromRow, Row, Value, bind};
use crate::{Result, Sql, StoreError};
use base::UnixMs;

/// An open transaction. Dropped without [`Tx::commit`] it leaves no trace. Nothing but the database may be awaited while
/// it is open: on SQLite it holds the only writer.
pub struct Tx {
    backend: TxBackend,
    pub(crate) db: Db,
    touched: Vec<Topic>,
    wakes_relay: bool,
    wakes_jobs: bool,
    hooks: Vec<Box<dyn FnOnce() + Send>>,
    /// A statement failed or was left half way: what follows can only be a rollback.
    over: bool,
}

enum TxBackend {
    Sqlite(SqliteTx),
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

/// What happens on this node once the commit is through.
#[derive(Default)]
pub(crate) struct AfterCommit {
    db: Option<Db>,
    touched: Vec<Topic>,
    wakes_relay: bool,
    wakes_jobs: bool,
    hooks: Vec<Box<dyn FnOnce() + Send>>,
}

impl AfterCommit {
    pub(crate) fn run(self) {
        let Some(db) = self.db else { return };
        if self.wakes_relay {
            db.wake_relay();
        }
        if self.wakes_jobs {
            db.wake_jobs();
        }
        for hook in self.hooks {
            // On SQLite the hooks of many commands run one after another: one that panics must not take the others along.
            if std::panic::catch_unwind(std::panic::AssertUnwindSafe(hook)).is_err() {
                tracing::error!("a hook that runs after a commit panicked");
            }
        }
        db.live().touched(self.touched);
    }
}

impl Tx {
    pub(crate) fn sqlite(db: Db, tx: SqliteTx) -> Self {
        Self::new(db, TxBackend::Sqlite(tx))
    }

    pub(crate) fn postgres(db: Db, tx: sqlx::Transaction<'static, sqlx::Postgres>) -> Self {
        Self::new(db, TxBackend::Postgres(tx))
    }

    fn new(db: Db, backend: TxBackend) -> Self {
        Self {
            backend,
            db,
            touched: Vec::new(),
            wakes_relay: false,
            wakes_jobs: false,
            hooks: Vec::new(),
            over: false,
        }
    }

    /// The instant at which the command is carried out, by the injected clock.
    #[must_use]
    pub fn now(&self) -> UnixMs {
        self.db.now()
    }

    /// Which of the two databases it is, for the few statements that come in two shapes.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        matches!(self.backend, TxBackend::Postgres(_))
    }

    /// Runs a statement; gives the number of rows that it changed.
    ///
    /// # Errors
    /// Any [`StoreError`]. After an error the transaction is over on both databases: further statements and the commit are
    /// refused with [`StoreError::Over`].
    pub async fn exec(&mut self, sql: Sql, args: Vec<Value>) -> Result<u64> {
        self.enter()?;
        let changed = match &mut self.backend {
            TxBackend::Sqlite(tx) => {
                bind::sqlite(sql.sqlite, args)?.execute(tx.conn()?).await?.rows_affected()
            }
            TxBackend::Postgres(tx) => {
                bind::postgres(sql.postgres, args)?.execute(&mut **tx).await?.rows_affected()
            }
        };
        self.over = false;
        Ok(changed)
    }

    /// Until the statement is through well, the command counts as over: nobody may go on after an error, nor after a
    /// statement whose future was dropped.
    fn enter(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.over, true) { Err(StoreError::Over) } else { Ok(()) }
    }

    /// Whether something failed in this transaction, so that only a rollback can follow.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// All rows of a query.
    ///
    /// # Errors
    /// As [`Self::exec`].
    pub async fn all<T: FromRow>(&mut self, sql: Sql, args: Vec<Value>) -> Result<Vec<T>> {
        self.rows(sql, args).await?.iter().map(T::from_row).collect()
    }

    /// The first row of a query, if there is one.
    ///
    /// # Errors
    /// As [`Self::exec`].
    pub async fn opt<T: FromRow>(&mut self, sql: Sql, args: Vec<Value>) -> Result<Option<T>> {
        self.rows(sql, args).await?.first().map(T::from_row).transpose()
    }

    /// The first row of a query that always has one.
    ///
    /// # Errors
    /// [`StoreError::NoRow`] when it has none, and as [`Self::exec`].
    pub async fn one<T: FromRow>(&mut self, sql: Sql, args: Vec<Value>) -> Result<T> {
        self.opt(sql, args).await?.ok_or(StoreError::NoRow)
    }

    async fn rows(&mut self, sql: Sql, args: Vec<Value>) -> Result<Vec<Row>> {
        self.enter()?;
        match &mut self.backend {
            TxBackend::Sqlite(tx) => {
                let rows = bind::sqlite(sql.sqlite, args)?.fetch_all(tx.conn()?).await?;
                self.over = false;
                bind::rows_sqlite(&rows)
            }
            TxBackend::Postgres(tx) => {
                let rows = bind::postgres(sql.postgres, args)?.fetch_all(&mut **tx).await?;
                self.over = false;
                bind::rows_postgres(&rows)
            }
        }
    }

    /// Wakes everybody who watches `topic`, once this transaction is committed.
    pub fn touch(&mut self, topic: Topic) {
        if !self.touched.contains(&topic) {
            self.touched.push(topic);
        }
    }

    /// Runs `hook` on this node after the commit: for caches in memory. It is not run when the program dies in between, so
    /// nothing that must happen may hang on it.
    pub fn after_commit(&mut self, hook: impl FnOnce() + Send + 'static) {
        self.hooks.push(Box::new(hook));
    }

    pub(crate) fn will_wake_relay(&mut self) {
        self.wakes_relay = true;
    }

    pub(crate) fn will_wake_jobs(&mut self) {
        self.wakes_jobs = true;
    }

    /// Makes the change durable. When this returns well, it survives anything.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Retry`], [`StoreError::SharedCommit`]: nothing was changed, or (when the
    /// connection broke in the very commit) it is not known; a repeated command with its key finds out.
    /// [`StoreError::Over`]: something in it failed before; it was rolled back.
    pub async fn commit(self) -> Result<()> {
        if self.over {
            // PostgreSQL would answer this COMMIT with a friendly ROLLBACK.
            self.rollback().await?;
            return Err(StoreError::Over);
        }
        let after = AfterCommit {
            db: Some(self.db),
            touched: self.touched,
            wakes_relay: self.wakes_relay,
            wakes_jobs: self.wakes_jobs,
            hooks: self.hooks,
        };
        match self.backend {
            TxBackend::Sqlite(tx) => tx.commit(after).await,
            TxBackend::Postgres(tx) => {
                // In a task of its own: whoever asked may go away, but what was committed must reach caches and readers.
                let committed = tokio::spawn(async move {
                    fault::pass(Point::CommitBefore);
                    tx.commit().await?;
                    fault::pass(Point::CommitAfter);
                    after.run();
                    Ok(())
                });
                committed.await.unwrap_or(Err(StoreError::Unavailable(sqlx::Error::WorkerCrashed)))
            }
        }
    }

    /// Gives the change up. Dropping does the same, a little later.
    ///
    /// # Errors
    /// When the database can't even do that; the change is lost all the same.
    pub async fn rollback(self) -> Result<()> {
        match self.backend {
            TxBackend::Sqlite(tx) => tx.rollback().await,
            TxBackend::Postgres(tx) => Ok(tx.rollback().await?),
        }
    }

    /// The database that this transaction changes.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.db
    }
}

/// The id of this program's run among all nodes on one database.
pub(crate) fn node_name() -> Arc<str> {
    uuid::Uuid::new_v4().simple().to_string().into()
}

impl Tx {
    pub(crate) async fn script(&mut self, sqlite: &'static str, postgres: &'static str) -> Result<()> {
        self.enter()?;
        match &mut self.backend {
            TxBackend::Sqlite(tx) => sqlx::raw_sql(sqlite).execute(tx.conn()?).await.map(drop)?,
            TxBackend::Postgres(tx) => sqlx::raw_sql(postgres).execute(&mut **tx).await.map(drop)?,
        }
        self.over = false;
        Ok(())
    }
}
