//! The load generator: phones that book over kept-alive connections, each waiting for its answer before it goes on.
//!
//! It runs on the machine that it measures, so it is made to cost little: plain connections without pooling, redirects or
//! cookies of their own. It keeps what it was told, so that the database can be compared with it afterwards. Every hundredth
//! phone asks again with the same key, and must be given the same place; every hundredth asks with another key, and must be
//! refused.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use hdrhistogram::Histogram;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, COOKIE, HOST, HeaderValue};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// A phone that has signed in, with the one person it books for.
#[derive(Debug, Clone)]
pub(crate) struct Phone {
    /// The session's cookie, `name=value`.
    pub(crate) cookie: HeaderValue,
    /// The session's token against other sites' requests.
    pub(crate) csrf: HeaderValue,
    /// The person's id.
    pub(crate) person: String,
}

/// A place that a phone was given.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub(crate) struct Booked {
    /// The appointment's id.
    pub(crate) id: String,
    #[serde(rename = "slot_id")]
    pub(crate) slot: String,
    /// The running number in the slot.
    pub(crate) number: i64,
}

/// What became of a load.
pub(crate) struct Outcome {
    /// From the first request to the last answer.
    pub(crate) took: Duration,
    /// All places given.
    pub(crate) booked: Vec<Booked>,
    /// How long each of those took, in microseconds.
    pub(crate) latency: Histogram<u64>,
    /// All requests, those that asked again among them.
    pub(crate) requests: u32,
    /// How often a phone was asked to try again, and did.
    pub(crate) put_off: u32,
    /// What should not have been answered, in words; a few of many.
    pub(crate) wrong: Vec<String>,
}

/// How often a phone that is asked to try again does so, and how long it waits before.
const TRIES: u32 = 200;
const PAUSE: Duration = Duration::from_millis(50);
/// Of what goes wrong so many examples are kept.
const EXAMPLES: usize = 5;

/// Has every phone book one place: the phone of number n in slot n modulo their count, over so many connections at once.
pub(crate) async fn book(
    address: SocketAddr,
    phones: &Arc<[Phone]>,
    slots: &Arc<[String]>,
    connections: usize,
) -> Result<Outcome> {
    let next = Arc::new(AtomicUsize::new(0));
    let start = Arc::new(Barrier::new(connections + 1));
    let mut lines = JoinSet::new();
    for _ in 0..connections {
        let line = Line::open(address).await?;
        let (phones, slots) = (phones.clone(), slots.clone());
        let (next, start) = (next.clone(), start.clone());
        lines.spawn(async move {
            start.wait().await;
            work(line, &phones, &slots, &next).await
        });
    }
    start.wait().await;
    let since = Instant::now();
    let mut sum = Tally::default();
    while let Some(tally) = lines.join_next().await {
        sum.add(tally??);
    }
    let took = since.elapsed();
    let mut latency = Histogram::new_with_bounds(1, 600_000_000, 3)?;
    for micros in &sum.micros {
        latency.saturating_record(*micros);
    }
    let Tally { booked, requests, put_off, wrong, .. } = sum;
    Ok(Outcome { took, booked, latency, requests, put_off, wrong })
}

#[derive(Default)]
struct Tally {
    booked: Vec<Booked>,
    micros: Vec<u64>,
    requests: u32,
    put_off: u32,
    wrong: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.booked.extend(other.booked);
        self.micros.extend(other.micros);
        self.requests += other.requests;
        self.put_off += other.put_off;
        let room = EXAMPLES.saturating_sub(self.wrong.len());
        self.wrong.extend(other.wrong.into_iter().take(room));
    }
}

async fn work(mut line: Line, phones: &[Phone], slots: &[String], next: &AtomicUsize) -> Result<Tally> {
    let mut tally = Tally::default();
    loop {
        let nth = next.fetch_add(1, Ordering::Relaxed);
        let Some(phone) = phones.get(nth) else { return Ok(tally) };
        let slot = slots.get(nth % slots.len().max(1)).context("no slots")?;
        let key = format!("rush-{nth}");
        let since = Instant::now();
        let answer = line.book(phone, slot, &key, &mut tally).await?;
        let micros = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
        let Some(booked) = answer.booked() else {
            tally.wrong.push(format!("phone {nth}: {}", answer.text()));
            continue;
        };
        tally.micros.push(micros);
        if nth.is_multiple_of(100) {
            let again = line.book(phone, slot, &key, &mut tally).await?;
            if again.booked().as_ref() != Some(&booked) {
                tally.wrong.push(format!("phone {nth} asked again: {}", again.text()));
            }
        } else if nth % 100 == 50 {
            let second = line.book(phone, slot, &format!("{key}-2"), &mut tally).await?;
            if second.status != 409 || !second.text().contains("already_booked") {
                tally.wrong.push(format!("phone {nth} asked for a second place: {}", second.text()));
            }
        }
        tally.booked.push(booked);
    }
}

/// An answer, read whole.
pub(crate) struct Answer {
    /// Its status.
    pub(crate) status: u16,
    body: Vec<u8>,
}

impl Answer {
    /// Its body.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn booked(&self) -> Option<Booked> {
        if self.status != 201 {
            return None;
        }
        serde_json::from_slice(&self.body).ok()
    }
}

/// A kept-alive connection.
pub(crate) struct Line {
    host: HeaderValue,
    sender: SendRequest<String>,
}

impl Line {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // What ends a connection too early is told to the request that waits for its answer.
        tokio::spawn(async move { connection.await.ok() });
        Ok(Self { host: HeaderValue::from_str(&address.to_string())?, sender })
    }

    /// Asks for a page.
    pub(crate) async fn get(&mut self, path: &str) -> Result<Answer> {
        let request = Request::get(path).header(HOST, &self.host).body(String::new())?;
        self.send(request).await
    }

    async fn book(&mut self, phone: &Phone, slot: &str, key: &str, tally: &mut Tally) -> Result<Answer> {
        for _ in 0..TRIES {
            let request = Request::builder()
                .method(Method::POST)
                .uri("/api/v1/appointments")
                .header(HOST, &self.host)
                .header(COOKIE, &phone.cookie)
                .header("x-csrf", &phone.csrf)
                .header("idempotency-key", key)
                .header(CONTENT_TYPE, "application/json")
                .body(format!(r#"{{"slot_id":"{slot}","person_id":"{}"}}"#, phone.person))?;
            let answer = self.send(request).await?;
            tally.requests += 1;
            if answer.status != 503 {
                return Ok(answer);
            }
            tally.put_off += 1;
            tokio::time::sleep(PAUSE).await;
        }
        bail!("a phone was asked to try again {TRIES} times")
    }

    /// Sends a request and reads its answer whole.
    pub(crate) async fn send(&mut self, request: Request<String>) -> Result<Answer> {
        self.sender.ready().await?;
        let response: Response<Incoming> = self.sender.send_request(request).await?;
        let status = response.status().as_u16();
        let mut stream = response.into_body();
        let mut body = Vec::new();
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut stream).poll_frame(cx)).await {
            if let Ok(data) = frame?.into_data() {
                body.extend_from_slice(&data);
            }
        }
        Ok(Answer { status, body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn only_a_created_appointment_is_a_place() {
        let body = r#"{"id":"apt_1","slot_id":"slt_2","number":3,"state":"booked"}"#;
        let booked = Booked { id: "apt_1".into(), slot: "slt_2".into(), number: 3 };
        assert_eq!(answer(201, body).booked(), Some(booked));
        assert_eq!(answer(409, body).booked(), None);
        assert_eq!(answer(201, "{}").booked(), None);
    }

    #[test]
    fn of_what_goes_wrong_a_few_examples_are_kept() {
        let many = || Tally { wrong: vec!["x".into(); 4], requests: 2, ..Tally::default() };
        let mut sum = many();
        sum.add(many());
        assert_eq!((sum.wrong.len(), sum.requests), (EXAMPLES, 4));
    }
}
