//! SQLite: one writer, many readers, and one fsync for all commands that wait together.
//!
//! A [`Tx`](crate::Tx) on SQLite holds the writer's lock and runs in a SAVEPOINT of an open transaction. When it is done
//! and others are already waiting for the lock, it does not commit: it leaves its place in the transaction, hands the lock
//! on and waits. The last of the queue (or the one that finds the batch full or old enough) commits for all. So under load
//! a commit serves as many commands as arrived while the one before it ran, with no timer and no added delay when quiet.
//!
//! Whoever asked may go away at any moment (a dropped connection). Therefore everything that moves the transaction itself
//! (BEGIN, SAVEPOINT, ROLLBACK TO, COMMIT) runs to its end in a task of its own; only a command's own statements can be
//! left half way, and those stand behind a savepoint that the next one, or the keeper, rolls back.
//!
//! **Invariants:** a command is answered only after the commit that holds it. When SQLite has given the whole transaction
//! up (disk full, I/O error), everybody in it is told that nothing happened, and the next one begins anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection as _, SqliteConnection};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

use crate::fault::{self, Point};
use crate::tx::AfterCommit;
use crate::{Result, StoreError};

/// A batch is committed at the latest after so many commands …
const BATCH: usize = 512;
/// … or when it has been open so long: bounds the wait of the first.
const BATCH_AGE: Duration = Duration::from_millis(5);
/// How long a command waits for the writer before it is told to come again.
const PATIENCE: Duration = Duration::from_secs(5);

/// The embedded database.
#[derive(Clone)]
pub(crate) struct Sqlite {
    writer: Arc<Writer>,
    pub(crate) read: SqlitePool,
    /// Held as long as we are open, so that a second program can't write behind our caches.
    lock: Option<Arc<std::fs::File>>,
}

struct Writer {
    state: Arc<Mutex<State>>,
    /// How many wait for the lock: whether somebody else will commit.
    waiting: AtomicUsize,
    /// A keeper is on its way and has not looked yet: a second one would find nothing more.
    keeper: AtomicBool,
    runtime: Handle,
}

pub(crate) struct State {
    /// None when the database was closed, or opened to look at it only.
    conn: Option<SqliteConnection>,
    /// BEGIN was sent and COMMIT was not.
    open: bool,
    opened_at: Option<Instant>,
    /// The savepoint's command is under way, or was left behind by somebody who went away.
    dirty: bool,
    /// The savepoint's command is done. The next one releases it on its way; COMMIT takes it along.
    done: bool,
    pending: Vec<Pending>,
}

struct Pending {
    answer: oneshot::Sender<Result<()>>,
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
        Self::assemble(path, Some(conn), Some(Arc::new(lock))).await
    }

    /// Opens a database that another program may be serving, to look at it only.
    pub(crate) async fn open_read_only(path: &std::path::Path) -> Result<Self> {
        Self::assemble(path, None, None).await
    }

    async fn assemble(
        path: &std::path::Path,
        conn: Option<SqliteConnection>,
        lock: Option<Arc<std::fs::File>>,
    ) -> Result<Self> {
        let read = SqlitePoolOptions::new()
            .max_connections(4)
            .min_connections(0)
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_secs(5))
            .connect_with(options(path).pragma("query_only", "ON"))
            .await?;
        let state =
            State { conn, open: false, opened_at: None, dirty: false, done: false, pending: Vec::new() };
        let writer = Writer {
            state: Arc::new(Mutex::new(state)),
            waiting: AtomicUsize::new(0),
            keeper: AtomicBool::new(false),
            runtime: Handle::current(),
        };
        Ok(Self { writer: Arc::new(writer), read, lock })
    }

    /// Waits for the writer and opens a savepoint.
    pub(crate) async fn begin(&self) -> Result<SqliteTx> {
        let ticket = Ticket::take(&self.writer);
        let guard = tokio::time::timeout(PATIENCE, self.writer.state.clone().lock_owned())
            .await
            .map_err(|_| StoreError::Unavailable(sqlx::Error::PoolTimedOut))?;
        ticket.served();
        let mut tx = SqliteTx { guard: Some(guard), writer: self.writer.clone() };
        self.writer
            .to_the_end(async move {
                tx.state()?.start().await?;
                Ok(tx)
            })
            .await
    }

    /// Commits what is open, closes all connections and lets the file go.
    pub(crate) async fn close(&self) {
        let mut state = self.writer.state.clone().lock_owned().await;
        state.clean().await;
        if state.open {
            state.commit().await;
        }
        self.read.close().await;
        if let Some(conn) = state.conn.take() {
            let _ = conn.close().await;
        }
        if let Some(lock) = &self.lock {
            let _ = lock.unlock();
        }
    }
}

impl Writer {
    /// Runs `work` whether or not the caller stays to hear of it.
    async fn to_the_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        match self.runtime.spawn(work).await {
            Ok(outcome) => outcome,
            Err(_) => Err(StoreError::Unavailable(sqlx::Error::WorkerCrashed)),
        }
    }

    /// Sends a keeper: it rolls back what was left behind and commits what waits, when nobody else would.
    fn see_to(self: &Arc<Self>) {
        if self.keeper.swap(true, Ordering::SeqCst) {
            return;
        }
        let writer = self.clone();
        self.runtime.spawn(async move {
            let mut state = writer.state.clone().lock_owned().await;
            // From here on what others leave behind needs a keeper of its own.
            writer.keeper.store(false, Ordering::SeqCst);
            state.clean().await;
            if state.open && writer.waiting.load(Ordering::SeqCst) == 0 {
                state.commit().await;
            }
        });
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
            // The one before may have left its commit to us.
            self.writer.see_to();
        }
    }
}

impl State {
    fn conn(&mut self) -> Result<&mut SqliteConnection> {
        self.conn.as_mut().ok_or(StoreError::Unavailable(sqlx::Error::PoolClosed))
    }

    /// Opens a savepoint, in a new transaction or behind those who wait for the commit of this one.
    async fn start(&mut self) -> Result<()> {
        self.clean().await;
        let statements = match (self.open, self.done) {
            (false, _) => "BEGIN IMMEDIATE; SAVEPOINT command",
            (true, true) => "RELEASE command; SAVEPOINT command",
            (true, false) => "SAVEPOINT command",
        };
        if let Err(error) = sqlx::query(statements).execute(self.conn()?).await {
            self.give_up(&error).await;
            return Err(error.into());
        }
        if !self.open {
            self.open = true;
            self.opened_at = Some(Instant::now());
        }
        self.done = false;
        self.dirty = true;
        Ok(())
    }

    /// Undoes what a command left behind.
    async fn clean(&mut self) {
        if !std::mem::take(&mut self.dirty) {
            return;
        }
        let Ok(conn) = self.conn() else { return };
        // The savepoint was made, or `dirty` would not be set. If it is gone, SQLite has rolled the whole transaction back.
        if let Err(error) = sqlx::query("ROLLBACK TO command; RELEASE command").execute(conn).await {
            self.give_up(&error).await;
        }
    }

    /// Ends a transaction that can't go on and tells everybody in it.
    async fn give_up(&mut self, error: &sqlx::Error) {
        if let Ok(conn) = self.conn() {
            // It says so when there is no transaction any more; that is what we want.
            let _ = sqlx::query("ROLLBACK").execute(conn).await;
        }
        self.over();
        for one in std::mem::take(&mut self.pending) {
            let _ = one.answer.send(Err(StoreError::SharedCommit(error.to_string())));
        }
    }

    /// Commits the open transaction and answers everybody in it.
    async fn commit(&mut self) {
        let outcome = match self.conn() {
            Ok(conn) => {
                fault::pass(Point::CommitBefore);
                sqlx::query("COMMIT").execute(conn).await.map(drop)
            }
            Err(_) => Err(sqlx::Error::PoolClosed),
        };
        metrics::histogram!("store_commands_per_commit")
            .record(u32::try_from(self.pending.len()).unwrap_or(u32::MAX));
        match outcome {
            Ok(()) => {
                fault::pass(Point::CommitAfter);
                self.over();
                for one in std::mem::take(&mut self.pending) {
                    one.after.run();
                    let _ = one.answer.send(Ok(()));
                }
            }
            Err(error) => {
                if self.pending.len() == 1
                    && let Some(one) = self.pending.pop()
                {
                    self.give_up(&error).await;
                    // Nobody else was in it: it can be told what exactly was wrong.
                    let _ = one.answer.send(Err(error.into()));
                } else {
                    self.give_up(&error).await;
                }
            }
        }
    }

    fn over(&mut self) {
        self.open = false;
        self.opened_at = None;
        self.dirty = false;
        self.done = false;
    }
}

impl SqliteTx {
    fn state(&mut self) -> Result<&mut State> {
        self.guard.as_deref_mut().ok_or(StoreError::Over)
    }

    pub(crate) fn conn(&mut self) -> Result<&mut SqliteConnection> {
        self.state()?.conn()
    }

    /// Ends the command well: alone or together with others.
    pub(crate) async fn commit(mut self, after: AfterCommit) -> Result<()> {
        let Some(mut state) = self.guard.take() else { return Err(StoreError::Over) };
        let (answer, answered) = oneshot::channel();
        state.dirty = false;
        state.done = true;
        state.pending.push(Pending { answer, after });
        let full = state.pending.len() >= BATCH || state.opened_at.is_some_and(|t| t.elapsed() >= BATCH_AGE);
        if full || self.writer.waiting.load(Ordering::SeqCst) == 0 {
            self.writer.runtime.spawn(async move { state.commit().await });
        } else {
            drop(state);
        }
        match answered.await {
            Ok(outcome) => outcome,
            Err(_) => Err(StoreError::SharedCommit("the writer went away".into())),
        }
    }

    /// Ends the command without a trace.
    pub(crate) async fn rollback(mut self) -> Result<()> {
        let writer = self.writer.clone();
        writer
            .to_the_end(async move {
                self.state()?.clean().await;
                Ok(())
            })
            .await
    }
}

impl Drop for SqliteTx {
    fn drop(&mut self) {
        if self.guard.take().is_some() {
            // Rolled back or left in the middle: others may be in the open transaction and wait for its commit.
            self.writer.see_to();
        }
    }
}
