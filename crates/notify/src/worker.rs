//! Tells what is due.
//!
//! A message is taken with a lease. Then come three steps, each on its own so that it can be tested what is left when a node
//! dies between two of them: [`prepare()`] chooses the way and writes the attempt down with its reference; [`transmit()`] sends;
//! [`settle()`] writes down what became of it. What a dead node has left behind is taken up when its lease is over:
//! [`crate::rules::resume()`] says how.

mod contact;
mod parcel;
mod prepare;
mod settle;
mod transmit;

use std::sync::Arc;
use std::time::Duration;

use edge::Hospitals;
use people::Channels;
use store::fault::{self, Point};
use store::{Db, Result, Vault};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::api::wake;
use crate::store::message;

pub use crate::store::message::Message;
pub use prepare::{Attempt, prepare};
pub use settle::settle;
pub use transmit::transmit;

/// Longer than preparing, sending and settling may take together: after this another worker takes over.
pub const LEASE: Duration = Duration::from_secs(90);
/// So many are sent at the same time by one node.
const AT_ONCE: usize = 16;
/// The longest pause between looks: what nobody woke us for (a time that came, another node's message).
const TICK: Duration = Duration::from_millis(500);
/// How often the backlog is measured.
const MEASURE: Duration = Duration::from_secs(5);
/// How long stopping may wait for what is being sent.
const STOP: Duration = Duration::from_secs(8);

/// What the worker works with.
#[derive(Clone)]
pub struct NotifyDeps {
    /// The database.
    pub db: Db,
    /// Opens phone numbers and secrets.
    pub vault: Arc<Vault>,
    /// The hospitals with their settings.
    pub hospitals: Hospitals,
    /// Our WeChat accounts.
    pub channels: Channels,
    /// For the SMS vendor.
    pub http: reqwest::Client,
    /// The address of our own pages, without a slash at its end: `https://wx.example.org`. Links in messages begin with it.
    pub public_base: String,
}

/// Sends what is due until `stop`; then finishes what it has begun, within a few seconds. What it can't finish is taken up
/// after [`LEASE`] by whoever runs then.
pub async fn run(deps: NotifyDeps, stop: CancellationToken) {
    let mut woken = deps.db.live().watch(&wake());
    let mut running = JoinSet::new();
    let measuring = tokio::spawn(measure(deps.db.clone(), stop.clone()));
    while !stop.is_cancelled() {
        while running.try_join_next().is_some() {}
        woken.mark_unchanged();
        let free = AT_ONCE.saturating_sub(running.len());
        let taken = claim(&deps, free).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "messages could not be read");
            Vec::new()
        });
        let got = taken.len();
        if got > 0 {
            fault::pass(Point::MessageTaken);
        }
        for message in taken {
            let deps = deps.clone();
            running.spawn(async move { handle(&deps, message).await });
        }
        if got > 0 && got == free {
            // There may be more: go on as soon as there is room.
            let _ = running.join_next().await;
            continue;
        }
        tokio::select! {
            _ = woken.changed() => {}
            Some(_) = running.join_next(), if !running.is_empty() => {}
            () = tokio::time::sleep(TICK) => {}
            () = stop.cancelled() => {}
        }
    }
    let _ = tokio::time::timeout(STOP, async { while running.join_next().await.is_some() {} }).await;
    let _ = measuring.await;
}

/// Takes up to `limit` messages that are due, most urgent first; nobody else takes them before [`LEASE`] is over.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn claim(deps: &NotifyDeps, limit: usize) -> Result<Vec<Message>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    if limit == 0 { Ok(Vec::new()) } else { message::claim(&deps.db, LEASE, limit).await }
}

/// All that is due now, until nothing is; gives how many messages were worked on. For tests and for tools that run once.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn drain(deps: &NotifyDeps) -> Result<usize> {
    let mut count = 0;
    loop {
        let taken = claim(deps, AT_ONCE).await?;
        if taken.is_empty() {
            return Ok(count);
        }
        for message in taken {
            count += 1;
            handle(deps, message).await;
        }
    }
}

/// Does all three steps for a message.
pub async fn handle(deps: &NotifyDeps, message: Message) {
    let id = message.id();
    let attempt = match prepare(deps, message).await {
        Ok(Some(attempt)) => attempt,
        Ok(None) => return,
        Err(error) => {
            tracing::warn!(%error, message = %id, "a message could not be prepared; it is taken up again");
            return;
        }
    };
    let outcome = transmit(&attempt).await;
    if let Err(first) = settle(deps, &attempt, &outcome).await {
        tracing::warn!(error = %first, message = %id, "an outcome could not be written down; trying once more");
        if let Err(error) = settle(deps, &attempt, &outcome).await {
            tracing::error!(%error, message = %id, outcome = outcome.word(), "an outcome was not written down");
        }
    }
}

/// How many messages are due and not taken, and for how many seconds the oldest of them has been waiting.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn backlog(db: &Db) -> Result<(i64, u64)> {
    let (waiting, oldest) = message::backlog(db).await?;
    Ok((waiting, oldest.map_or(0, |at| db.now().since(at).as_secs())))
}

async fn measure(db: Db, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Ok((waiting, oldest)) = backlog(&db).await {
            metrics::gauge!("notify_waiting").set(figure(waiting));
            metrics::gauge!("notify_oldest_wait_seconds")
                .set(figure(i64::try_from(oldest).unwrap_or(i64::MAX)));
        }
        tokio::select! {
            () = tokio::time::sleep(MEASURE) => {}
            () = stop.cancelled() => {}
        }
    }
}

fn figure(count: i64) -> f64 {
    i32::try_from(count).map_or(f64::from(i32::MAX), f64::from)
}
