//! Reads and notes that come at the same time share a statement.
//!
//! When booking opens, thousands whose sessions this node does not have in memory ask within a second. Whoever comes while a
//! read is under way waits for the next one, which serves all of them. There is no timer: one who comes alone is read alone.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base::UnixMs;
use parking_lot::Mutex;
use store::{Db, args};
use tokio::sync::oneshot;

use super::{GET_ALL, SEEN_ALL, Session};

/// The most sessions of one statement.
const AT_ONCE: usize = 500;
/// That a session was used may be written down so much later when people wait in numbers.
const PEOPLE_FIRST: Duration = Duration::from_secs(10);

/// What a shared read found: the session, or that there is none.
pub(super) type Found = Option<Arc<Session>>;

/// Whoever waits for a read, or is to be noted as seen.
#[derive(Clone, Default)]
pub(super) struct Together {
    reads: Arc<Mutex<Queue<Vec<Read>>>>,
    notes: Arc<Mutex<Queue<Vec<Note>>>>,
}

/// A session that is asked for, and who waits for it.
type Read = (String, oneshot::Sender<Found>);
/// A session that was used, when, and who wants to hear that it is written down.
type Note = (String, UnixMs, oneshot::Sender<()>);

#[derive(Default)]
struct Queue<T> {
    waiting: T,
    /// Somebody is at it, and will look again.
    busy: bool,
}

impl Together {
    /// The session of this name as the database has it now. An error when the shared read did not go through.
    pub(super) async fn read(&self, db: &Db, name: &str) -> Result<Found, oneshot::error::RecvError> {
        let (answer, answered) = oneshot::channel();
        let busy = {
            let mut queue = self.reads.lock();
            queue.waiting.push((name.to_owned(), answer));
            std::mem::replace(&mut queue.busy, true)
        };
        if !busy {
            tokio::spawn(read_all(db.clone(), self.reads.clone()));
        }
        answered.await
    }

    /// Has it written down that a session was used, and waits for that; while people wait in numbers it is written down later,
    /// and nobody waits. What can't be written is noted again when the session is read the next time.
    pub(super) async fn note(&self, db: &Db, name: &str, at: UnixMs) {
        let (answer, answered) = oneshot::channel();
        let busy = {
            let mut queue = self.notes.lock();
            queue.waiting.push((name.to_owned(), at, answer));
            std::mem::replace(&mut queue.busy, true)
        };
        if !busy {
            tokio::spawn(write_all(db.clone(), self.notes.clone()));
        }
        if !db.do_people_wait() {
            let _ = answered.await;
        }
    }
}

async fn read_all(db: Db, queue: Arc<Mutex<Queue<Vec<Read>>>>) {
    loop {
        let mut part = {
            let mut queue = queue.lock();
            queue.busy = !queue.waiting.is_empty();
            if !queue.busy {
                return;
            }
            let most = queue.waiting.len().min(AT_ONCE);
            queue.waiting.drain(..most).collect::<Vec<_>>()
        };
        let names: Vec<Option<String>> = part.iter().map(|(name, _)| Some(name.clone())).collect();
        match db.all::<Session>(GET_ALL, args![names]).await {
            Ok(rows) => {
                let found: HashMap<String, Arc<Session>> =
                    rows.into_iter().map(|session| (session.token_hash.clone(), Arc::new(session))).collect();
                for (name, answer) in part.drain(..) {
                    let _ = answer.send(found.get(&name).cloned());
                }
            }
            // Whoever waits is told by the end of their channel, and asks for themselves.
            Err(error) => tracing::debug!(%error, sessions = part.len(), "a shared read did not go through"),
        }
    }
}

async fn write_all(db: Db, queue: Arc<Mutex<Queue<Vec<Note>>>>) {
    loop {
        db.after_people(PEOPLE_FIRST).await;
        let mut part = {
            let mut queue = queue.lock();
            queue.busy = !queue.waiting.is_empty();
            if !queue.busy {
                return;
            }
            let most = queue.waiting.len().min(AT_ONCE);
            queue.waiting.drain(..most).collect::<Vec<_>>()
        };
        if let Err(error) = write(&db, &part).await {
            tracing::debug!(%error, "the use of sessions was not written down");
        }
        for (_, _, answer) in part.drain(..) {
            let _ = answer.send(());
        }
    }
}

async fn write(db: &Db, part: &[Note]) -> store::Result<()> {
    // Within seconds of each other: the latest stands for all.
    let Some(at) = part.iter().map(|(_, at, _)| *at).max() else { return Ok(()) };
    let names: Vec<Option<String>> = part.iter().map(|(name, _, _)| Some(name.clone())).collect();
    let mut tx = db.begin().await?;
    tx.exec(SEEN_ALL, args![names, at]).await?;
    tx.commit().await
}
