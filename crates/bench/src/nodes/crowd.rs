//! People who book and give up at several nodes, and the list of what they were told.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use hdrhistogram::Histogram;
use hyper::Request;
use hyper::header::{CONTENT_TYPE, COOKIE, HOST};
use serde::Deserialize;
use store::value::Row;
use store::{Db, Sql, args};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::load::{Line, Phone};

const HELD_TEXT: &str = "SELECT id, slot_id, number FROM appointment WHERE state = 'booked'";
const HELD: Sql = Sql { name: "HELD", sqlite: HELD_TEXT, postgres: HELD_TEXT };
/// How often somebody who is asked to try again does so, and how long they wait before.
const TRIES: u32 = 200;
const PAUSE: Duration = Duration::from_millis(20);
/// How many people fight for the sibling slots, and how often each does something.
const PEOPLE: usize = 500;
const ACTS: u32 = 12;

/// Who wants what.
#[derive(Clone)]
pub(super) struct Load {
    phones: Arc<[Phone]>,
    slots: Arc<[String]>,
    /// How often each does something; three times in ten they give a place up, when there is more than once.
    acts: u32,
}

impl Load {
    /// Each books one place: the phone of number n in slot n modulo their count.
    pub(super) fn once(phones: &Arc<[Phone]>, slots: &Arc<[String]>) -> Self {
        Self { phones: phones.clone(), slots: slots.clone(), acts: 1 }
    }

    /// Some of them fight for these slots.
    pub(super) fn siblings(phones: &Arc<[Phone]>, slots: &Arc<[String]>) -> Self {
        let people: Vec<Phone> = phones.iter().take(PEOPLE).cloned().collect();
        Self { phones: people.into(), slots: slots.clone(), acts: ACTS }
    }
}

/// A place that somebody was told they have.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Place {
    id: String,
    #[serde(rename = "slot_id")]
    slot: String,
    number: i64,
}

/// What became of it.
pub(super) struct Outcome {
    pub(super) took: Duration,
    pub(super) requests: u32,
    pub(super) latency: Histogram<u64>,
    /// All places that people know of at the end.
    pub(super) held: Vec<Place>,
    pub(super) wrong: Vec<String>,
}

#[derive(Default)]
struct Tally {
    requests: u32,
    micros: Vec<u64>,
    held: Vec<Place>,
    wrong: Vec<String>,
}

/// Lets them loose over so many connections, spread evenly over the nodes.
pub(super) async fn run(addresses: &[SocketAddr], connections: u32, load: Load) -> Result<Outcome> {
    let connections = usize::try_from(connections)?;
    let next = Arc::new(AtomicUsize::new(0));
    let start = Arc::new(Barrier::new(connections + 1));
    let mut lines = JoinSet::new();
    for nth in 0..connections {
        let address = *addresses.get(nth % addresses.len().max(1)).context("no nodes")?;
        let line = Line::open(address).await?;
        let (load, next, start) = (load.clone(), next.clone(), start.clone());
        lines.spawn(async move {
            start.wait().await;
            work(line, address, &load, &next).await
        });
    }
    start.wait().await;
    let since = Instant::now();
    let mut sum = Tally::default();
    while let Some(tally) = lines.join_next().await {
        let tally = tally??;
        sum.requests += tally.requests;
        sum.micros.extend(tally.micros);
        sum.held.extend(tally.held);
        sum.wrong.extend(tally.wrong);
    }
    let took = since.elapsed();
    sum.wrong.truncate(5);
    let mut latency = Histogram::new_with_bounds(1, 600_000_000, 3)?;
    for micros in &sum.micros {
        latency.saturating_record(*micros);
    }
    Ok(Outcome { took, requests: sum.requests, latency, held: sum.held, wrong: sum.wrong })
}

async fn work(mut line: Line, address: SocketAddr, load: &Load, next: &AtomicUsize) -> Result<Tally> {
    let mut tally = Tally::default();
    let host = address.to_string();
    loop {
        let nth = next.fetch_add(1, Ordering::Relaxed);
        let Some(phone) = load.phones.get(nth) else { return Ok(tally) };
        let mut person = Person { line: &mut line, host: &host, phone, nth, asked: 0, held: Vec::new() };
        let mut chance = u64::try_from(nth)?.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut dice = move |end: usize| {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(chance >> 33).unwrap_or(0) % end.max(1)
        };
        for _ in 0..load.acts {
            if load.acts > 1 && !person.held.is_empty() && dice(10) < 3 {
                let which = dice(person.held.len());
                person.gives_up(which, &mut tally).await?;
            } else {
                let which =
                    if load.acts > 1 { dice(load.slots.len()) } else { nth % load.slots.len().max(1) };
                let slot = load.slots.get(which).context("no slots")?;
                person.books(slot, load.acts > 1, &mut tally).await?;
            }
        }
        tally.held.append(&mut person.held);
    }
}

/// Somebody at their phone.
struct Person<'a> {
    line: &'a mut Line,
    host: &'a str,
    phone: &'a Phone,
    nth: usize,
    asked: u32,
    held: Vec<Place>,
}

impl Person<'_> {
    /// Asks for a place; being refused is well where there are fewer places than people.
    async fn books(&mut self, slot: &str, may_be_refused: bool, tally: &mut Tally) -> Result<()> {
        let body = format!(r#"{{"slot_id":"{slot}","person_id":"{}"}}"#, self.phone.person);
        let (status, text) = self.asks("/api/v1/appointments", body, tally).await?;
        match status {
            201 => self.held.push(serde_json::from_str(&text)?),
            409 if may_be_refused && (text.contains("slot_full") || text.contains("already_booked")) => {}
            _ => tally.wrong.push(format!("booking: {status} {text}")),
        }
        Ok(())
    }

    async fn gives_up(&mut self, which: usize, tally: &mut Tally) -> Result<()> {
        let place = self.held.swap_remove(which);
        let path = format!("/api/v1/appointments/{}/cancel", place.id);
        let (status, text) = self.asks(&path, "{}".to_owned(), tally).await?;
        if status != 200 {
            tally.wrong.push(format!("giving up: {status} {text}"));
        }
        Ok(())
    }

    /// One request under a key of its own, repeated while it is put off.
    async fn asks(&mut self, path: &str, body: String, tally: &mut Tally) -> Result<(u16, String)> {
        self.asked += 1;
        let key = format!("n-{}-{}", self.nth, self.asked);
        let since = Instant::now();
        for _ in 0..TRIES {
            let request = Request::post(path)
                .header(HOST, self.host)
                .header(COOKIE, &self.phone.cookie)
                .header("x-csrf", &self.phone.csrf)
                .header("idempotency-key", &key)
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone())?;
            let answer = self.line.send(request).await?;
            tally.requests += 1;
            if answer.status != 503 {
                tally.micros.push(u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX));
                return Ok((answer.status, answer.text()));
            }
            tokio::time::sleep(PAUSE).await;
        }
        bail!("somebody was asked to try again {TRIES} times")
    }
}

/// Looks whether the database has exactly the places that people know of.
pub(super) async fn agrees(db: &Db, told: &[Place]) -> Result<()> {
    let rows: Vec<Row> = db.all(HELD, args![]).await?;
    let mut there = BTreeMap::new();
    for row in &rows {
        let place = (format!("slt_{}", row.get::<String>("slot_id")?), row.get::<i64>("number")?);
        there.insert(format!("apt_{}", row.get::<String>("id")?), place);
    }
    compare(told, &there)
}

fn compare(told: &[Place], there: &BTreeMap<String, (String, i64)>) -> Result<()> {
    for place in told {
        let found = there.get(&place.id);
        ensure!(
            found == Some(&(place.slot.clone(), place.number)),
            "somebody was told {place:?}, the database has {found:?}"
        );
    }
    let ids: BTreeSet<&String> = told.iter().map(|place| &place.id).collect();
    ensure!(ids.len() == told.len(), "one place was told twice");
    ensure!(there.len() == ids.len(), "{} places are taken, people know of {}", there.len(), ids.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_agree_is_found() {
        let place = |id: &str, number| Place { id: id.into(), slot: "s".into(), number };
        let there =
            BTreeMap::from([("a".to_owned(), ("s".to_owned(), 1)), ("b".to_owned(), ("s".to_owned(), 2))]);
        assert!(compare(&[place("a", 1), place("b", 2)], &there).is_ok());
        assert!(compare(&[place("a", 1)], &there).is_err(), "a place that nobody knows of");
        assert!(compare(&[place("a", 1), place("b", 3)], &there).is_err(), "another number");
        assert!(compare(&[place("a", 1), place("c", 2)], &there).is_err(), "told, not there");
        assert!(compare(&[place("a", 1), place("a", 1)], &there).is_err(), "told twice");
    }
}
