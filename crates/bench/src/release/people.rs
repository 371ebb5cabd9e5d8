//! People who want a number at the moment of release.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use base::{Clock, UnixMs};
use hyper::Request;
use hyper::header::{CONTENT_TYPE, COOKIE, HOST};
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::must;
use super::prepare::Hospital;
use crate::load::{Line, Phone};

/// So many connections are opened at the same time beforehand.
const OPENING: usize = 64;
/// Whoever is put off asks again after this.
const PAUSE: Duration = Duration::from_millis(100);
/// Nobody waits longer than this.
const PATIENCE: Duration = Duration::from_secs(30);

/// What somebody was told in the end.
pub(super) struct Told {
    /// They have a number.
    pub(super) booked: bool,
    /// When they knew.
    pub(super) answered_at: UnixMs,
    /// How long it took until they had their ticket.
    pub(super) ticket_ms: i64,
    /// Whether they took part in the draw.
    pub(super) draw: bool,
    /// What should not have been answered.
    pub(super) wrong: Option<String>,
}

#[derive(Deserialize)]
struct Ticket {
    id: String,
    state: String,
    draw: bool,
    appointment: Option<serde_json::Value>,
    problem: Option<Problem>,
}

#[derive(Deserialize)]
struct Problem {
    code: String,
}

/// Lets them all come: each on a connection of their own, spread over the nodes.
pub(super) async fn rush(
    addresses: &[SocketAddr],
    hospital: &Hospital,
    opens_at: UnixMs,
) -> Result<Vec<Told>> {
    let opening = Arc::new(Semaphore::new(OPENING));
    let mut people = JoinSet::new();
    for (nth, phone) in hospital.phones.iter().cloned().enumerate() {
        let address = *must(addresses.get(nth % addresses.len().max(1)), "no nodes")?;
        let slot = must(hospital.slots.get(nth % hospital.slots.len().max(1)), "no slots")?.clone();
        let (opening, comes) = (opening.clone(), opens_at.plus(comes_after(nth)));
        people.spawn(async move {
            let permit = opening.acquire().await?;
            let line = Line::open(address).await?;
            drop(permit);
            // Everybody has looked at their page before: they are known.
            let mut person = Person { line, host: address.to_string(), phone, nth };
            person.looks().await?;
            // The server has closed lines on which nobody said anything; browsers open them anew, as people wake their phones.
            let awake = Duration::from_millis(2_000 + u64::try_from(nth % 2_000)?);
            until(comes.minus(awake)).await;
            person.line = Line::open(address).await?;
            person.wants(&slot, comes).await
        });
    }
    let mut told = Vec::new();
    while let Some(one) = people.join_next().await {
        told.push(one??);
    }
    Ok(told)
}

/// Waits until then, to the millisecond.
async fn until(at: UnixMs) {
    let clock = Clock::machine();
    while clock.now() < at {
        tokio::time::sleep(at.since(clock.now()).max(Duration::from_millis(1))).await;
    }
}

/// How long after the release somebody comes: nine in ten within the first second, more of them in its first half; the others
/// in the second after that.
fn comes_after(nth: usize) -> Duration {
    let chance = u64::try_from(nth).unwrap_or(0).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    let part = chance % 1_000;
    if nth % 10 == 9 {
        Duration::from_millis(1_000 + part)
    } else {
        Duration::from_millis(part * part / 1_020)
    }
}

struct Person {
    line: Line,
    host: String,
    phone: Phone,
    nth: usize,
}

impl Person {
    async fn looks(&mut self) -> Result<()> {
        let _page = self.get("/api/v1/persons").await?;
        Ok(())
    }

    async fn get(&mut self, path: &str) -> Result<(u16, String)> {
        let request = Request::get(path).header(HOST, &self.host).header(COOKIE, &self.phone.cookie);
        let request = request.header("x-forwarded-for", self.from()).body(String::new())?;
        let answer = self.line.send(request).await?;
        Ok((answer.status, answer.text()))
    }

    /// A household of its own.
    fn from(&self) -> String {
        format!("10.{}.{}.{}", self.nth / 62_500, self.nth / 250 % 250, self.nth % 250 + 1)
    }

    async fn wants(&mut self, slot: &str, comes: UnixMs) -> Result<Told> {
        until(comes).await;
        let clock = Clock::machine();
        let asked = clock.now();
        let (status, text) = self.asks(slot).await?;
        let ticket_ms = clock.now().0 - asked.0;
        let told = |booked, draw, wrong| Told { booked, answered_at: clock.now(), ticket_ms, draw, wrong };
        if status != 202 {
            let full = status == 409 && text.contains("slot_full");
            let wrong = (status != 201 && !full).then(|| format!("asking: {status} {text}"));
            return Ok(told(status == 201, false, wrong));
        }
        let ticket: Ticket = serde_json::from_str(&text).context("a ticket")?;
        let path = format!("/api/v1/rush/tickets/{}?wait=15", ticket.id);
        while clock.now() < comes.plus(PATIENCE) {
            let (status, text) = self.get(&path).await?;
            if status == 503 {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            let Ok(now) = serde_json::from_str::<Ticket>(&text) else {
                return Ok(told(false, ticket.draw, Some(format!("the ticket: {status} {text}"))));
            };
            if now.state != "done" {
                continue;
            }
            let wrong = match (&now.appointment, &now.problem) {
                (Some(_), None) => None,
                (None, Some(problem)) if problem.code == "slot_full" => None,
                _ => Some(format!("served: {text}")),
            };
            return Ok(told(now.appointment.is_some(), ticket.draw, wrong));
        }
        Ok(told(false, ticket.draw, Some("no answer".into())))
    }

    /// Asks for a number, again while it is put off.
    async fn asks(&mut self, slot: &str) -> Result<(u16, String)> {
        loop {
            let request = Request::post("/api/v1/appointments")
                .header(HOST, &self.host)
                .header(COOKIE, &self.phone.cookie)
                .header("x-csrf", &self.phone.csrf)
                .header("x-forwarded-for", self.from())
                .header("idempotency-key", format!("release-{}", self.nth))
                .header(CONTENT_TYPE, "application/json")
                .body(format!(r#"{{"slot_id":"{slot}","person_id":"{}"}}"#, self.phone.person))?;
            let answer = self.line.send(request).await?;
            if answer.status != 503 {
                return Ok((answer.status, answer.text()));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
