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
use hyper::header::{CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderValue, IF_NONE_MATCH};
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

/// What phones wish for: number n has phone n modulo their count ask for the next of the slots.
pub(crate) struct Wishes {
    /// The phones.
    pub(crate) phones: Arc<[Phone]>,
    /// The slots.
    pub(crate) slots: Arc<[String]>,
    /// How many wishes there are.
    pub(crate) count: usize,
    /// Most of them come too late and are told so.
    pub(crate) too_late: bool,
}

impl Wishes {
    fn phone(&self, nth: usize) -> Result<&Phone> {
        self.phones.get(nth % self.phones.len().max(1)).context("no phones")
    }

    /// Another slot each time round, so that nobody asks for the same one twice.
    fn slot(&self, nth: usize) -> Result<&str> {
        let shifted = nth + nth / self.phones.len().max(1);
        self.slots.get(shifted % self.slots.len().max(1)).map(String::as_str).context("no slots")
    }
}

/// What is asked for over and over.
#[derive(Clone)]
pub(crate) enum Deed {
    /// Each wish once.
    Book(Arc<Wishes>),
    /// Each phone looks at this page, as its owner does before release.
    Look(Arc<[Phone]>, &'static str),
    /// A page that everybody reads, so often; with the tag of what the reader has.
    Read(Arc<Page>, usize),
    /// A booking's bytes to a server that gives them back: phone, slot, how often.
    Echo(Phone, String, usize),
}

/// A page, and what it must answer.
pub(crate) struct Page {
    /// Its path.
    pub(crate) path: String,
    /// What the reader has already.
    pub(crate) if_none_match: Option<HeaderValue>,
    /// The status.
    pub(crate) status: u16,
    /// How long the body is, in bytes.
    pub(crate) length: usize,
}

impl Deed {
    fn count(&self) -> usize {
        match self {
            Self::Book(wishes) => wishes.count,
            Self::Look(phones, _) => phones.len(),
            Self::Read(_, count) | Self::Echo(_, _, count) => *count,
        }
    }
}

/// What became of a load.
pub(crate) struct Outcome {
    /// From the first request to the last answer.
    pub(crate) took: Duration,
    /// All places given.
    pub(crate) booked: Vec<Booked>,
    /// How many were told that they come too late.
    pub(crate) refused: u32,
    /// How long each answer took, in microseconds; those to phones that asked again left out.
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
/// What a phone may be told whose wish comes too late; all but the first only when it was lucky before.
const TOO_LATE: [&str; 4] = ["slot_full", "already_booked", "same_department_day", "limit_day"];

/// Has it done over so many connections at once, each waiting for its answer before it goes on.
pub(crate) async fn run(address: SocketAddr, deed: &Deed, connections: usize) -> Result<Outcome> {
    let next = Arc::new(AtomicUsize::new(0));
    let start = Arc::new(Barrier::new(connections + 1));
    let mut lines = JoinSet::new();
    for _ in 0..connections {
        let line = Line::open(address).await?;
        let (deed, next, start) = (deed.clone(), next.clone(), start.clone());
        lines.spawn(async move {
            start.wait().await;
            work(line, &deed, &next).await
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
    let Tally { booked, refused, requests, put_off, wrong, .. } = sum;
    Ok(Outcome { took, booked, refused, latency, requests, put_off, wrong })
}

#[derive(Default)]
struct Tally {
    booked: Vec<Booked>,
    refused: u32,
    micros: Vec<u64>,
    requests: u32,
    put_off: u32,
    wrong: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.booked.extend(other.booked);
        self.refused += other.refused;
        self.micros.extend(other.micros);
        self.requests += other.requests;
        self.put_off += other.put_off;
        self.say(other.wrong);
    }

    fn say(&mut self, wrong: impl IntoIterator<Item = String>) {
        let room = EXAMPLES.saturating_sub(self.wrong.len());
        self.wrong.extend(wrong.into_iter().take(room));
    }

    fn took(&mut self, since: Instant) {
        self.micros.push(u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX));
    }
}

async fn work(mut line: Line, deed: &Deed, next: &AtomicUsize) -> Result<Tally> {
    let mut tally = Tally::default();
    let count = deed.count();
    loop {
        let nth = next.fetch_add(1, Ordering::Relaxed);
        if nth >= count {
            return Ok(tally);
        }
        match deed {
            Deed::Book(wishes) => wish(&mut line, wishes, nth, &mut tally).await?,
            Deed::Look(phones, path) => {
                let phone = phones.get(nth).context("no such phone")?;
                let since = Instant::now();
                let answer = line.look(path, phone).await?;
                tally.took(since);
                tally.requests += 1;
                if answer.status != 200 {
                    tally.say([format!("phone {nth}: {}", answer.text())]);
                }
            }
            Deed::Read(page, _) => {
                let since = Instant::now();
                let answer = line.read(page).await?;
                tally.took(since);
                tally.requests += 1;
                if (answer.status, answer.body.len()) != (page.status, page.length) {
                    tally.say([format!("{}: {} and {} bytes", page.path, answer.status, answer.body.len())]);
                }
            }
            Deed::Echo(phone, slot, _) => {
                let since = Instant::now();
                let request = line.booking("/json", phone, slot, &format!("rush-{nth}"))?;
                let sent = request.body().len();
                let answer = line.send(request).await?;
                tally.took(since);
                tally.requests += 1;
                // The same JSON, its members perhaps in another order.
                if answer.body.len() != sent {
                    tally.say([format!("{} came back", answer.text())]);
                }
            }
        }
    }
}

async fn wish(line: &mut Line, wishes: &Wishes, nth: usize, tally: &mut Tally) -> Result<()> {
    let (phone, slot, key) = (wishes.phone(nth)?, wishes.slot(nth)?, format!("rush-{nth}"));
    let since = Instant::now();
    let answer = line.book(phone, slot, &key, tally).await?;
    tally.took(since);
    let Some(booked) = answer.booked() else {
        if wishes.too_late && answer.says(&TOO_LATE) {
            tally.refused += 1;
        } else {
            tally.say([format!("phone {nth}: {}", answer.text())]);
        }
        return Ok(());
    };
    if nth.is_multiple_of(100) {
        let again = line.book(phone, slot, &key, tally).await?;
        if again.booked().as_ref() != Some(&booked) {
            tally.say([format!("phone {nth} asked again: {}", again.text())]);
        }
    } else if nth % 100 == 50 {
        let second = line.book(phone, slot, &format!("{key}-2"), tally).await?;
        if !second.says(&["already_booked"]) {
            tally.say([format!("phone {nth} asked for a second place: {}", second.text())]);
        }
    }
    tally.booked.push(booked);
    Ok(())
}

/// An answer, read whole.
pub(crate) struct Answer {
    /// Its status.
    pub(crate) status: u16,
    /// Its headers.
    pub(crate) headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    /// Its body as it came.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// Its body.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Whether it refuses for one of these reasons.
    fn says(&self, codes: &[&str]) -> bool {
        #[derive(Deserialize)]
        struct Problem {
            code: String,
        }
        let problem = serde_json::from_slice::<Problem>(&self.body);
        self.status == 409 && problem.is_ok_and(|problem| codes.contains(&problem.code.as_str()))
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

    /// Whether the other side still holds it: servers close what is not used for a while.
    pub(crate) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Asks for a page.
    pub(crate) async fn get(&mut self, path: &str) -> Result<Answer> {
        let request = Request::get(path).header(HOST, &self.host).body(String::new())?;
        self.send(request).await
    }

    /// Asks for a page as its readers do.
    pub(crate) async fn read(&mut self, page: &Page) -> Result<Answer> {
        let mut request = Request::get(&page.path).header(HOST, &self.host);
        if let Some(tag) = &page.if_none_match {
            request = request.header(IF_NONE_MATCH, tag);
        }
        self.send(request.body(String::new())?).await
    }

    /// Books one place; `None` when it was refused.
    pub(crate) async fn book_one(&mut self, phone: &Phone, slot: &str, key: &str) -> Result<Option<Booked>> {
        Ok(self.book(phone, slot, key, &mut Tally::default()).await?.booked())
    }

    async fn look(&mut self, path: &str, phone: &Phone) -> Result<Answer> {
        let request = Request::get(path).header(HOST, &self.host).header(COOKIE, &phone.cookie);
        self.send(request.body(String::new())?).await
    }

    fn booking(&self, path: &str, phone: &Phone, slot: &str, key: &str) -> Result<Request<String>> {
        Ok(Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(HOST, &self.host)
            .header(COOKIE, &phone.cookie)
            .header("x-csrf", &phone.csrf)
            .header("idempotency-key", key)
            .header(CONTENT_TYPE, "application/json")
            .body(format!(r#"{{"slot_id":"{slot}","person_id":"{}"}}"#, phone.person))?)
    }

    async fn book(&mut self, phone: &Phone, slot: &str, key: &str, tally: &mut Tally) -> Result<Answer> {
        for _ in 0..TRIES {
            let request = self.booking("/api/v1/appointments", phone, slot, key)?;
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
        let (parts, mut stream) = response.into_parts();
        let mut body = Vec::new();
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut stream).poll_frame(cx)).await {
            if let Ok(data) = frame?.into_data() {
                body.extend_from_slice(&data);
            }
        }
        Ok(Answer { status, headers: parts.headers, body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec() }
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
    fn only_the_right_refusal_counts() {
        let full = answer(409, r#"{"code":"slot_full","detail":"…"}"#);
        assert!(full.says(&TOO_LATE) && !full.says(&["already_booked"]));
        assert!(!answer(409, r#"{"code":"limit_week"}"#).says(&TOO_LATE));
        assert!(!answer(503, r#"{"code":"slot_full"}"#).says(&TOO_LATE));
        assert!(!answer(409, "slot_full").says(&TOO_LATE));
    }

    #[test]
    fn a_phone_that_asks_again_asks_for_another_slot() {
        let phone = Phone {
            cookie: HeaderValue::from_static("c"),
            csrf: HeaderValue::from_static("x"),
            person: "per_1".into(),
        };
        let wishes = Wishes {
            phones: vec![phone; 4].into(),
            slots: ["a", "b"].map(str::to_owned).to_vec().into(),
            count: 8,
            too_late: true,
        };
        let first: Vec<_> = (0..4).map(|nth| wishes.slot(nth).unwrap()).collect();
        let second: Vec<_> = (4..8).map(|nth| wishes.slot(nth).unwrap()).collect();
        assert_eq!((first, second), (vec!["a", "b", "a", "b"], vec!["b", "a", "b", "a"]));
    }

    #[test]
    fn of_what_goes_wrong_a_few_examples_are_kept() {
        let many = || Tally { wrong: vec!["x".into(); 4], requests: 2, ..Tally::default() };
        let mut sum = many();
        sum.add(many());
        assert_eq!((sum.wrong.len(), sum.requests), (EXAMPLES, 4));
    }
}
