//! WeChat's side of the measurement: kept-alive connections, each waiting for its answer before it sends the next push.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use hdrhistogram::Histogram;
use hyper::body::Body as _;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::pushes::{self, Sealed};

/// Of every so many answers one is looked at, when all is over.
const LOOKED_AT: usize = 200;

/// What is asked of the other side.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wants {
    /// The answer of a callback entrance.
    Answers,
    /// The same bytes back.
    Echo,
}

/// What became of a load.
pub(super) struct Outcome {
    /// Answers between the two looks …
    pub(super) measured: u32,
    /// … that lay so far apart.
    pub(super) took: Duration,
    /// All answers, those before and after the measurement too.
    pub(super) all: usize,
    /// How long each took, in microseconds, from the first measured one on.
    pub(super) latency: Histogram<u64>,
    /// Answers that ask to send again.
    pub(super) put_off: usize,
}

struct Shared {
    address: SocketAddr,
    pushes: Arc<[Sealed]>,
    next: AtomicUsize,
    answers: AtomicUsize,
    measuring: AtomicBool,
    over: AtomicBool,
}

/// Sends pushes over so many connections: for `warm_up` unmeasured, then for `time`. `look` is called at both ends of the
/// measured time.
pub(super) async fn run(
    address: SocketAddr,
    pushes: &Arc<[Sealed]>,
    wants: Wants,
    connections: usize,
    (warm_up, time): (Duration, Duration),
    mut look: impl FnMut() -> Result<()>,
) -> Result<Outcome> {
    let shared = Arc::new(Shared {
        address,
        pushes: pushes.clone(),
        next: AtomicUsize::new(0),
        answers: AtomicUsize::new(0),
        measuring: AtomicBool::new(false),
        over: AtomicBool::new(false),
    });
    let mut lines = JoinSet::new();
    for _ in 0..connections {
        let sender = open(address).await?;
        let shared = shared.clone();
        lines.spawn(async move { work(sender, &shared).await });
    }
    tokio::time::sleep(warm_up).await;
    shared.measuring.store(true, Ordering::Relaxed);
    look()?;
    let (since, before) = (Instant::now(), shared.answers.load(Ordering::Relaxed));
    tokio::time::sleep(time).await;
    let (took, after) = (since.elapsed(), shared.answers.load(Ordering::Relaxed));
    look()?;
    shared.over.store(true, Ordering::Relaxed);
    let mut latency = Histogram::new_with_bounds(1, 600_000_000, 3)?;
    let (mut kept, mut put_off) = (Vec::new(), 0);
    while let Some(tally) = lines.join_next().await {
        let tally = tally??;
        latency.add(&tally.latency)?;
        put_off += tally.put_off;
        kept.extend(tally.kept);
    }
    if shared.next.load(Ordering::Relaxed) >= pushes.len() {
        bail!("{} pushes were not enough: more of them, or less time", pushes.len());
    }
    for (nth, answer) in kept {
        let push = pushes.get(nth).context("no such push")?;
        match wants {
            Wants::Answers => pushes::right(push, &answer).with_context(|| format!("push {nth}"))?,
            Wants::Echo if answer == push.body => {}
            Wants::Echo => bail!("push {nth} came back changed"),
        }
    }
    let all = shared.answers.load(Ordering::Relaxed);
    Ok(Outcome { measured: u32::try_from(after - before)?, took, all, latency, put_off })
}

async fn open(address: SocketAddr) -> Result<SendRequest<String>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move { connection.await.ok() });
    Ok(sender)
}

struct Tally {
    latency: Histogram<u64>,
    kept: Vec<(usize, String)>,
    put_off: usize,
}

async fn work(mut sender: SendRequest<String>, shared: &Shared) -> Result<Tally> {
    let host = HeaderValue::from_str(&shared.address.to_string())?;
    let kind = HeaderValue::from_static("text/xml");
    let mut tally =
        Tally { latency: Histogram::new_with_bounds(1, 600_000_000, 3)?, kept: Vec::new(), put_off: 0 };
    while !shared.over.load(Ordering::Relaxed) {
        let nth = shared.next.fetch_add(1, Ordering::Relaxed);
        let Some(push) = shared.pushes.get(nth) else { break };
        let measuring = shared.measuring.load(Ordering::Relaxed);
        let since = Instant::now();
        loop {
            let mut request = Request::new(push.body.clone());
            *request.method_mut() = Method::POST;
            *request.uri_mut() = push.uri.clone();
            request.headers_mut().insert(HOST, host.clone());
            request.headers_mut().insert(CONTENT_TYPE, kind.clone());
            // A server may close a kept-alive connection between two requests; WeChat opens another.
            if sender.ready().await.is_err() {
                sender = open(shared.address).await?;
            }
            let response = sender.send_request(request).await?;
            let status = response.status().as_u16();
            let mut stream = response.into_body();
            let mut body = Vec::new();
            while let Some(frame) = poll_fn(|cx| Pin::new(&mut stream).poll_frame(cx)).await {
                if let Ok(data) = frame?.into_data() {
                    body.extend_from_slice(&data);
                }
            }
            match status {
                200 => {
                    if nth.is_multiple_of(LOOKED_AT) {
                        tally.kept.push((nth, String::from_utf8(body)?));
                    }
                    break;
                }
                503 => {
                    tally.put_off += 1;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                _ => bail!("push {nth}: {status}: {}", String::from_utf8_lossy(&body)),
            }
        }
        shared.answers.fetch_add(1, Ordering::Relaxed);
        if measuring {
            let micros = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
            tally.latency.saturating_record(micros);
        }
    }
    Ok(tally)
}
