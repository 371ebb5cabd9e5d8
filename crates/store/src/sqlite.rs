//! SQLite: one writer, many readers, and one fsync for all commands that wait together.
//!
//! A [`Tx`](crate::Tx) on SQLite holds the writer's lock and runs in a SAVEPOINT of an open transaction. When it is done
//! and others are already waiting for the lock, it does not commit: it leaves its place in the transaction, hands the lock
//! on and waits. The last of the queue (or the one that finds the batch full or old enough) commits for all. So under load
//! a commit serves as many commands as arrived while the one before it ran, with no timer and no added delay when quiet.
//!
//! **Invariant:** a command is answered only after the commit that holds it. Whoever goes away in the middle (a dropped
//! connection) leaves the savepoint marked as dirty; the next one, or a task that sees to it, rolls it back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

use crate::tx::AfterCommit;
use crate::{Result, StoreError};

/// A batch is committed at the latest after so many commands …
const BATCH: usize = 512;
/// … or when it has been open so long: bounds the wait of the first.
const BATCH_AGE: Duration = Duration::from_millis(5);

/// The embedded database.
#[derive(Clone)]
pub(crate) struct Sqlite {
    writer: Arc<Writer>,
    pub(crate) read: SqlitePool,
    /// Held as long as we live, so that a second program can't write behind our caches.
    _lock: Option<Arc<std::fs::File>>,
}

struct Writer {
    state: Arc<Mutex<State>>,
    waiting: AtomicUsize,
}

pub(crate) struct State {
    conn: SqliteConnection,
    /// BEGIN was sent and COMMIT was not.
    open: bool,
    opened_at: Option<Instant>,
    /// A savepoint was left behind by somebody who went away.
    dirty: bool,
    pending: Vec<Pending>,
}

struct Pending {
    answer: oneshot::Sender<std::result::Result<(), String>>,
    after: AfterCommit,
}

/// A command's hold on the writer.
pub(crate) struct SqliteTx {
    guard: Option<OwnedMutexGuard<State>>,
    writer: Arc<Writer>,
}

fn options(path: &std::path::Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .statement_cache_capacity(512)
        .pragma("cache_size", "-16000")
        .pragma("wal_autocheckpoint", "4000")
        .pragma("temp_store", "MEMORY")
}

impl Sqlite {
    /// Opens (and creates) the database for writing. The file beside it with `-lock` behind its name is locked.
    pub(crate) async fn open(path: &std::path::Path) -> Result<Self> {
        if let Some(folder) = path.parent()
            && !folder.as_os_str().is_empty()
        {
            std::fs::create_dir_all(folder)
                .map_err(|e| StoreError::Config(format!("{}: {e}", folder.display())))?;
        }
        let mut lock_name = path.as_os_str().to_owned();
        lock_name.push("-lock");
        let lock = std::fs::File::create(&lock_name)
            .map_err(|e| StoreError::Config(format!("{}: {e}", path.display())))?;
        lock.try_lock()
            .map_err(|_| StoreError::Config(format!("{} is in use by another xinglin", path.display())))?;
        let conn = SqliteConnection::connect_with(&options(path).create_if_missing(true)).await?;
        Self::assemble(path, conn, Some(Arc::new(lock))).await
    }

    /// Opens a database that another program may be serving, to look at it only.
    pub(crate) async fn open_read_only(path: &std::path::Path) -> Result<Self> {
        let conn = SqliteConnection::connect_with(&options(path).pragma("query_only", "ON")).await?;
        Self::assemble(path, conn, None).await
    }

    async fn assemble(
        path: &std::path::Path,
        conn: SqliteConnection,
        lock: Option<Arc<std::fs::File>>,
    ) -> Result<Self> {
        let read = SqlitePoolOptions::new()
            .max_connections(4)
            .min_connections(0)
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_secs(5))
            .connect_with(options(path).pragma("query_only", "ON"))
            .await?;
        let state = State { conn, open: false, opened_at: None, dirty: false, pending: Vec::new() };
        let writer = Writer { state: Arc::new(Mutex::new(state)), waiting: AtomicUsize::new(0) };
        Ok(Self { writer: Arc::new(writer), read, _lock: lock })
    }

    /// Waits for the writer and opens a savepoint.
    pub(crate) async fn begin(&self) -> Result<SqliteTx> {
        let ticket = Ticket::take(&self.writer);
        let guard = self.writer.state.clone().lock_owned().await;
        ticket.served();
        let mut tx = SqliteTx { guard: Some(guard), writer: self.writer.clone() };
        let state = tx.state()?;
        state.clean().await?;
        if !state.open {
            sqlx::query("BEGIN IMMEDIATE").execute(&mut state.conn).await?;
            state.open = true;
            state.opened_at = Some(std::time::Instant::now());
        }
        // From here on somebody must see to the savepoint: Drop marks it dirty.
        state.dirty = true;
        sqlx::query("SAVEPOINT command").execute(&mut state.conn).await?;
        Ok(tx)
    }

    /// Commits what is open, closes all connections.
    pub(crate) async fn close(&self) {
        let mut state = self.writer.state.clone().lock_owned().await;
        let _ = state.clean().await;
        if state.open {
            let _ = commit(&mut state).await;
        }
        self.read.close().await;
    }
}

/// Somebody who waits for the writer; counted, so that the one before knows whether to commit.
struct Ticket {
    writer: Arc<Writer>,
    served: bool,
}

impl Ticket {
    fn take(writer: &Arc<Writer>) -> Self {
        writer.waiting.fetch_add(1, Ordering::SeqCst);
        Self { writer: writer.clone(), served: false }
    }

    fn served(mut self) {
        self.writer.waiting.fetch_sub(1, Ordering::SeqCst);
        self.served = true;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.served {
            self.writer.waiting.fetch_sub(1, Ordering::SeqCst);
            see_to(self.writer.clone());
        }
    }
}

/// Rolls back what was left behind and commits what waits, when nobody else would.
fn see_to(writer: Arc<Writer>) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    runtime.spawn(async move {
        let mut state = writer.state.clone().lock_owned().await;
        if state.clean().await.is_ok() && state.open && writer.waiting.load(Ordering::SeqCst) == 0 {
            let _ = commit(&mut state).await;
        }
    });
}

impl State {
    async fn clean(&mut self) -> Result<()> {
        if self.dirty && self.open {
            // The savepoint may never have been made; then there is nothing to roll back to.
            let undone = sqlx::query("ROLLBACK TO command").execute(&mut self.conn).await;
            if undone.is_ok() {
                sqlx::query("RELEASE command").execute(&mut self.conn).await?;
            }
        }
        self.dirty = false;
        Ok(())
    }
}

/// Commits the open transaction and answers everybody in it.
async fn commit(state: &mut State) -> Result<()> {
    let outcome = sqlx::query("COMMIT").execute(&mut state.conn).await;
    state.open = false;
    state.opened_at = None;
    let waiting = std::mem::take(&mut state.pending);
    metrics::histogram!("store_commands_per_commit")
        .record(u32::try_from(waiting.len() + 1).unwrap_or(u32::MAX));
    match outcome {
        Ok(_) => {
            for one in waiting {
                one.after.run();
                let _ = one.answer.send(Ok(()));
            }
            Ok(())
        }
        Err(error) => {
            let _ = sqlx::query("ROLLBACK").execute(&mut state.conn).await;
            for one in waiting {
                let _ = one.answer.send(Err(error.to_string()));
            }
            Err(error.into())
        }
    }
}

impl SqliteTx {
    fn state(&mut self) -> Result<&mut State> {
        self.guard.as_deref_mut().ok_or_else(|| StoreError::Config("the transaction is over".into()))
    }

    pub(crate) fn conn(&mut self) -> Result<&mut SqliteConnection> {
        Ok(&mut self.state()?.conn)
    }

    /// Ends the command well: alone or together with others.
    pub(crate) async fn commit(mut self, after: AfterCommit) -> Result<()> {
        let state = self.state()?;
        sqlx::query("RELEASE command").execute(&mut state.conn).await?;
        state.dirty = false;
        let full =
            state.pending.len() + 1 >= BATCH || state.opened_at.is_some_and(|t| t.elapsed() >= BATCH_AGE);
        let Some(mut guard) = self.guard.take() else {
            return Err(StoreError::Config("the transaction is over".into()));
        };
        let (answer, answered) = oneshot::channel();
        guard.pending.push(Pending { answer, after });
        if full || self.writer.waiting.load(Ordering::SeqCst) == 0 {
            // In a task of its own: whoever asked may go away, the commit must not stop half way.
            tokio::spawn(async move { commit(&mut guard).await });
        } else {
            drop(guard);
        }
        match answered.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(cause)) => Err(StoreError::SharedCommit(cause)),
            Err(_) => Err(StoreError::SharedCommit("the writer went away".into())),
        }
    }

    /// Ends the command without a trace.
    pub(crate) async fn rollback(mut self) -> Result<()> {
        let outcome = self.state()?.clean().await;
        drop(self);
        outcome
    }
}

impl Drop for SqliteTx {
    fn drop(&mut self) {
        if self.guard.take().is_some() {
            // Rolled back or left in the middle: others may be in the open transaction and wait for its commit.
            see_to(self.writer.clone());
        }
    }
}
