//! The relay: hands what happened to those who must do something about it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base::HospitalId;
use tokio_util::sync::CancellationToken;

use super::{
    ATTEMPTS, BATCH, BREATH, CLAIM, CLAIM_FAILURES, CLAIM_LOCK, DONE, DONE_ALL, Event, FAILED, FAILURE_AGAIN,
    FAILURE_DONE, Failure, LEASE, LET_ALL_GO, LET_GO, Subscriber, pause, said,
};
use crate::caught::calmly;
use crate::fault::{self, Point};
use crate::value::{FromRow as _, Row};
use crate::{Db, Result, Tx, args};

/// When at least so many wait …
const MANY: usize = 16;
/// … so many of them share a transaction.
const TOGETHER: usize = 32;
/// Chunks, or events of one key, that are under way at the same time.
const AT_ONCE: usize = 16;
/// While people wait in numbers the relay takes its next turn after so long at the latest.
const PEOPLE_FIRST: Duration = Duration::from_secs(2);

/// Hands events on until `stop`; gives its leases back at the end. `tick` is the longest pause between looks.
pub async fn relay(db: Db, subscribers: Arc<[Arc<dyn Subscriber>]>, tick: Duration, stop: CancellationToken) {
    while !stop.is_cancelled() {
        tokio::select! {
            () = db.after_people(PEOPLE_FIRST) => {}
            () = stop.cancelled() => break,
        }
        match turn(&db, &subscribers).await {
            Ok(0) => {
                tokio::select! {
                    () = db.relay_woken(tick) => {}
                    () = stop.cancelled() => {}
                }
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "the relay could not read events");
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_secs(1)) => {}
                    () = stop.cancelled() => {}
                }
            }
        }
    }
    if let Ok(mut tx) = db.begin().await {
        let _ = tx.exec(LET_ALL_GO, args![db.node()]).await;
        let _ = tx.commit().await;
    }
}

/// One turn of the relay: takes a batch, handles it, then what failed before and is due. Gives how many it handled.
///
/// # Errors
/// When the database can't be read; single events that fail do not end the turn.
pub async fn turn(db: &Db, subscribers: &[Arc<dyn Subscriber>]) -> Result<usize> {
    let events = claim(db).await?;
    let count = events.len();
    let mut by_key: BTreeMap<(HospitalId, String), Vec<Event>> = BTreeMap::new();
    for event in events {
        by_key.entry((event.hospital, event.key.clone())).or_default().push(event);
    }
    let size = if count >= MANY { TOGETHER } else { 1 };
    let mut chunks: Vec<Vec<Vec<Event>>> = Vec::new();
    for events in by_key.into_values() {
        match chunks.last_mut() {
            Some(chunk) if chunk.iter().map(Vec::len).sum::<usize>() < size => chunk.push(events),
            _ => chunks.push(vec![events]),
        }
    }
    let mut running = tokio::task::JoinSet::new();
    let subscribers: Arc<[Arc<dyn Subscriber>]> = subscribers.into();
    for chunk in chunks {
        let (db, subscribers) = (db.clone(), subscribers.clone());
        running.spawn(async move { hand_on(&db, &subscribers, &chunk).await });
        if running.len() >= AT_ONCE {
            running.join_next().await;
        }
    }
    while running.join_next().await.is_some() {}
    Ok(count + retry_failures(db, &subscribers).await?)
}

/// Handles the events of some keys: all in one transaction, or, when that does not go through, each in its own.
async fn hand_on(db: &Db, subscribers: &[Arc<dyn Subscriber>], keys: &[Vec<Event>]) {
    if keys.len() > 1 {
        let all: Vec<&Event> = keys.iter().flatten().collect();
        match together(db, subscribers, &all).await {
            Ok(true) => return,
            // Another node has taken one of them over; which one shows when each is done by itself.
            Ok(false) => tracing::debug!(events = all.len(), "events are handled one by one"),
            Err(error) => tracing::debug!(%error, events = all.len(), "events are handled one by one"),
        }
    }
    for events in keys {
        in_order(db, subscribers, events).await;
    }
}

/// Has many events handled and marked in one transaction; false when not all of them were ours to do, and then nothing stays.
async fn together(db: &Db, subscribers: &[Arc<dyn Subscriber>], events: &[&Event]) -> Result<bool, Failure> {
    let mut tx = db.begin().await?;
    for event in events {
        for subscriber in subscribers.iter().filter(|s| s.wants(&event.kind)) {
            attempt(&**subscriber, &mut tx, event).await?;
        }
    }
    let hospitals: Vec<i64> = events.iter().map(|event| event.hospital.0).collect();
    let seqs: Vec<i64> = events.iter().map(|event| event.seq).collect();
    let done = tx.exec(DONE_ALL, args![db.node(), hospitals, seqs]).await?;
    let ours = usize::try_from(done).is_ok_and(|done| done == events.len());
    if ours {
        fault::pass(Point::EventDoneBefore);
        tx.commit().await?;
        fault::pass(Point::EventDoneAfter);
    }
    Ok(ours)
}

/// Handles the events of one key, each in a transaction of its own.
async fn in_order(db: &Db, subscribers: &[Arc<dyn Subscriber>], events: &[Event]) {
    let mut waiting = events;
    while let Some((event, later)) = waiting.split_first() {
        match handle(db, subscribers, event).await {
            Ok(true) => waiting = later,
            // Another node has taken it over. What is behind it may not go before it.
            Ok(false) => break,
            Err(error) => {
                tracing::warn!(%error, kind = event.kind, seq = event.seq, "an event was not handled; it will be");
                let_go(db, waiting).await;
                break;
            }
        }
    }
}

async fn claim(db: &Db) -> Result<Vec<Event>> {
    let mut tx = db.begin().await?;
    let _: Vec<Row> = tx.all(CLAIM_LOCK, args![]).await?;
    let now = tx.now();
    let mut events: Vec<Event> = tx.all(CLAIM, args![now, now.plus(LEASE), db.node(), BATCH]).await?;
    tx.commit().await?;
    if !events.is_empty() {
        fault::pass(Point::EventTaken);
    }
    events.sort_by_key(|e| e.seq);
    Ok(events)
}

/// Runs one subscriber. A panic, and an error of the database that it swallowed, are its failures too.
async fn attempt(subscriber: &dyn Subscriber, tx: &mut Tx, event: &Event) -> Result<(), Failure> {
    calmly(subscriber.handle(tx, event)).await?;
    if tx.is_over() {
        return Err(Failure::Again("it went on after a failure of the database".into()));
    }
    Ok(())
}

/// Has an event's subscribers do their work and marks it as done, all in one. Gives whether it was still ours to do.
async fn handle(db: &Db, subscribers: &[Arc<dyn Subscriber>], event: &Event) -> Result<bool> {
    let mut failed: Vec<(&'static str, Failure)> = Vec::new();
    'again: loop {
        let mut tx = db.begin().await?;
        for subscriber in subscribers.iter().filter(|s| s.wants(&event.kind)) {
            if failed.iter().any(|(name, _)| *name == subscriber.name()) {
                continue;
            }
            match attempt(&**subscriber, &mut tx, event).await {
                Ok(()) => {}
                Err(Failure::Store(error)) if error.is_transient() => return Err(error),
                Err(failure) => {
                    tracing::error!(error = %failure, subscriber = subscriber.name(), kind = event.kind, seq = event.seq, "a subscriber failed");
                    failed.push((subscriber.name(), failure));
                    tx.rollback().await?;
                    continue 'again;
                }
            }
        }
        let now = tx.now();
        for (name, failure) in &failed {
            tx.exec(
                FAILED,
                args![
                    event.hospital,
                    event.seq,
                    *name,
                    &event.kind,
                    &event.key,
                    event.payload.clone(),
                    event.at,
                    now.plus(pause(1)),
                    state_after(failure, 1),
                    said(failure)
                ],
            )
            .await?;
        }
        // Nothing of this stays when another node has taken the event over in the meantime.
        let ours = tx.exec(DONE, args![event.hospital, event.seq, db.node()]).await? == 1;
        if ours {
            fault::pass(Point::EventDoneBefore);
            tx.commit().await?;
            fault::pass(Point::EventDoneAfter);
        }
        return Ok(ours);
    }
}

fn state_after(failure: &Failure, attempts: i64) -> &'static str {
    let over = attempts >= ATTEMPTS || matches!(failure, Failure::Final(_));
    if over { "failed" } else { "waiting" }
}

/// Gives events back, not to be had for a moment: the first of them was not handled, the others keep their order behind it.
async fn let_go(db: &Db, events: &[Event]) {
    let Ok(mut tx) = db.begin().await else { return };
    let until = tx.now().plus(BREATH);
    for event in events {
        if tx.exec(LET_GO, args![event.hospital, event.seq, db.node(), until]).await.is_err() {
            return;
        }
    }
    let _ = tx.commit().await;
}

async fn retry_failures(db: &Db, subscribers: &[Arc<dyn Subscriber>]) -> Result<usize> {
    let mut tx = db.begin().await?;
    let now = tx.now();
    let rows: Vec<Row> = tx.all(CLAIM_FAILURES, args![now, now.plus(LEASE)]).await?;
    tx.commit().await?;
    for row in &rows {
        let event = Event::from_row(row)?;
        let name: String = row.get("subscriber")?;
        let attempts = row.get::<i64>("attempts")? + 1;
        let mut tx = db.begin().await?;
        let outcome = match subscribers.iter().find(|s| s.name() == name) {
            Some(subscriber) => attempt(&**subscriber, &mut tx, &event).await,
            None => Err(Failure::Final("this program has no such subscriber".into())),
        };
        match outcome {
            Ok(()) => {
                // Another node may have done it when this one took longer than its lease: then nothing of ours stays.
                if tx.exec(FAILURE_DONE, args![event.hospital, event.seq, &name]).await? == 1 {
                    tx.commit().await?;
                }
            }
            Err(failure) => {
                tx.rollback().await?;
                let state = state_after(&failure, attempts);
                let mut tx = db.begin().await?;
                let next = tx.now().plus(pause(attempts));
                tx.exec(
                    FAILURE_AGAIN,
                    args![event.hospital, event.seq, &name, attempts, next, state, said(&failure)],
                )
                .await?;
                tx.commit().await?;
            }
        }
    }
    Ok(rows.len())
}
