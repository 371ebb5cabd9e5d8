//! One measurement: servers, streams, calls, and the comparison of what was called with what was shown.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use base::Secret;
use hyper::Method;
use serde::Serialize;
use serde_json::{Value, json};
use server::Config;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Options;
use super::prepare::{self, Queue};
use super::streams::{Order, Watched, mark, watch_line};
use crate::child::Server;
use crate::load::Line;
use crate::postgres::Postgres;
use crate::proc::{self, Memory};
use crate::rush::round::settings;
use crate::signed::{good, text};
use crate::{load, places};

const PATIENCE: Duration = Duration::from_secs(120);
/// After the last call everything that is to be shown is shown by then.
const SETTLE: Duration = Duration::from_secs(3);
const LOOK: Duration = Duration::from_millis(50);
/// So many streams are opened at once.
const AT_ONCE: usize = 500;

/// What was measured.
#[derive(Debug, Default, Serialize)]
pub(super) struct Figures {
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) max_ms: f64,
    pub(super) kib_per_stream: f64,
    /// Streams whose last snapshot is not how things are.
    pub(super) stale: usize,
    /// Calls that no stream ever showed.
    pub(super) never_shown: usize,
    calls: usize,
    /// How long the calls themselves took.
    call_p99_ms: f64,
    snapshots: usize,
    broken: usize,
    /// Processor time of all nodes for each call, in milliseconds.
    cpu_ms_per_call: f64,
    rss_mib: f64,
}

impl Figures {
    pub(super) fn line(&self) -> String {
        format!(
            "p50 {:.0} ms, p99 {:.0} ms, at most {:.0} ms to the last of all streams (the call itself: p99 {:.0} ms); {:.1} KiB a stream, \
             {} stale, {} never shown; {} calls, {} snapshots, {} broken lines, {:.1} ms CPU a call",
            self.p50_ms,
            self.p99_ms,
            self.max_ms,
            self.call_p99_ms,
            self.kib_per_stream,
            self.stale,
            self.never_shown,
            self.calls,
            self.snapshots,
            self.broken,
            self.cpu_ms_per_call
        )
    }
}

/// A call: which line, who, when it was sent and when it was answered.
struct Call {
    queue: usize,
    ticket: u64,
    sent: Instant,
    answered: Instant,
}

/// Measures one node on SQLite, or two on `postgres`.
pub(super) async fn measure(
    options: &Options,
    folder: &Path,
    postgres: Option<&Postgres>,
) -> Result<Figures> {
    let kind = if postgres.is_some() { "postgres" } else { "sqlite" };
    let mut config = Config::default();
    config.keys.file = folder.join(format!("{kind}-keys"));
    match postgres {
        Some(server) => {
            server.sql("postgres", &["CREATE DATABASE watch"])?;
            config.database.url = Secret::new(server.url("watch"));
        }
        None => config.database.path = folder.join("watch.db"),
    }
    eprintln!("{kind}: preparing {} lines", options.queues);
    let made = prepare::hospital(&config, options).await?;
    let nodes = if postgres.is_some() { 2 } else { 1 };
    let mut servers = Vec::new();
    for (nth, port) in places::free_ports(nodes)?.into_iter().enumerate() {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let home = folder.join(format!("{kind}-{nth}"));
        std::fs::create_dir_all(&home)?;
        servers.push(Server::start(&home, address, &["serve"], &settings(&config, address), PATIENCE).await?);
    }
    let first = servers.first().context("no node")?.address;
    let each = (options.calls * options.seconds).div_ceil(options.queues) + 3;
    let queues = prepare::lines(first, &made, options, each).await?;
    // What the making of the lines took with it is not the streams'.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = rss(&servers)?;
    eprintln!("{kind}: opening {} streams", options.streams);
    let open = Arc::new(AtomicUsize::new(0));
    let (orders, told) = watch::channel(Order::Watch);
    let mut watchers = JoinSet::new();
    for nth in 0..usize::try_from(options.streams)? {
        let at = nth % queues.len().max(1);
        let queue = queues.get(at).context("no line")?;
        // Each line is watched on every node, and of its watchers a tenth breaks.
        let round = nth / queues.len().max(1);
        let server = servers.get(round % servers.len().max(1)).context("no node")?;
        let topic = format!("queue:{}", queue.id);
        let breaks = round % 10 == 9;
        watchers.spawn(watch_line(server.address, topic, at, breaks, told.clone(), open.clone()));
        if nth % AT_ONCE == 0 {
            wait_for(&open, nth.saturating_sub(AT_ONCE)).await?;
        }
    }
    wait_for(&open, usize::try_from(options.streams)?).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let after = rss(&servers)?;
    let spent = cpu(&servers)?;
    eprintln!("{kind}: calling");
    let calls = call(options, &servers, &queues, &orders).await?;
    tokio::time::sleep(SETTLE).await;
    let spent = cpu(&servers)?.saturating_sub(spent);
    let now = shown_now(first, &queues).await?;
    orders.send(Order::Stop)?;
    let mut figures = Figures { calls: calls.len(), ..Figures::default() };
    let mut last: HashMap<(usize, u64), Instant> = HashMap::new();
    while let Some(watched) = watchers.join_next().await {
        take(&mut figures, &mut last, &now, watched??);
    }
    judge(&mut figures, &calls, &last)?;
    figures.kib_per_stream = tenth(f64::from(after.saturating_sub(before)) / f64::from(options.streams));
    figures.rss_mib = tenth(f64::from(after) / 1024.0);
    figures.cpu_ms_per_call = tenth(spent.as_secs_f64() * 1e3 / f64::from(u32::try_from(calls.len())?));
    for server in servers {
        server.stop()?;
    }
    eprintln!("{kind}: {}", figures.line());
    Ok(figures)
}

/// One stream's snapshots: when each call was shown last of all, and whether the last snapshot is how things are.
fn take(
    figures: &mut Figures,
    last: &mut HashMap<(usize, u64), Instant>,
    now: &HashMap<usize, u64>,
    watched: Watched,
) {
    figures.snapshots += watched.seen.len();
    let end = watched.seen.last().copied();
    if end.is_none_or(|one| now.get(&one.queue) != Some(&one.ticket)) {
        figures.stale += 1;
    }
    if watched.broke {
        figures.broken += 1;
        return;
    }
    let mut shown = 0;
    for one in watched.seen {
        // A snapshot may differ in something else than the call; it is the first that shows it that counts.
        if shown == one.ticket {
            continue;
        }
        shown = one.ticket;
        let at = last.entry((one.queue, one.ticket)).or_insert(one.at);
        *at = (*at).max(one.at);
    }
}

fn judge(figures: &mut Figures, calls: &[Call], last: &HashMap<(usize, u64), Instant>) -> Result<()> {
    let mut shown = hdrhistogram::Histogram::<u64>::new_with_bounds(1, 600_000_000, 3)?;
    let mut took = shown.clone();
    for call in calls {
        took.saturating_record(micros(call.answered - call.sent));
        match last.get(&(call.queue, call.ticket)) {
            Some(at) => shown.saturating_record(micros(at.saturating_duration_since(call.sent))),
            None => figures.never_shown += 1,
        }
    }
    let ms = |histogram: &hdrhistogram::Histogram<u64>, of: f64| -> Result<f64> {
        Ok(tenth(f64::from(u32::try_from(histogram.value_at_quantile(of))?) / 1e3))
    };
    (figures.p50_ms, figures.p99_ms) = (ms(&shown, 0.5)?, ms(&shown, 0.99)?);
    (figures.max_ms, figures.call_p99_ms) = (ms(&shown, 1.0)?, ms(&took, 0.99)?);
    Ok(())
}

/// Calls one line after the other at the wanted pace; halfway a tenth of the streams breaks.
async fn call(
    options: &Options,
    servers: &[Server],
    queues: &[Queue],
    orders: &watch::Sender<Order>,
) -> Result<Vec<Call>> {
    let pause = Duration::from_secs(1) / options.calls;
    let count = usize::try_from(options.calls * options.seconds)?;
    let mut tick = tokio::time::interval(pause);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    let mut deeds: JoinSet<Result<Call>> = JoinSet::new();
    for nth in 0..count {
        tick.tick().await;
        if nth == count / 2 {
            orders.send(Order::Break)?;
        }
        let at = nth % queues.len().max(1);
        let who = queues.get(at).context("no line")?.caller.clone();
        let address = servers.get(nth % servers.len().max(1)).context("no node")?.address;
        deeds.spawn(async move {
            // A desk's browser has a line of its own.
            let mut line = load::Line::open(address).await?;
            let sent = Instant::now();
            let done =
                good(&mut line, address, Some(&who), Method::POST, "/api/v1/desk/next", Some(&json!({})))
                    .await?;
            let answered = Instant::now();
            Ok(Call { queue: at, ticket: mark(text(&done, "/ticket/id")?), sent, answered })
        });
    }
    let mut calls = Vec::new();
    while let Some(call) = deeds.join_next().await {
        calls.push(call??);
    }
    Ok(calls)
}

/// Who is called in each line now, by the ordinary answer.
async fn shown_now(address: SocketAddr, queues: &[Queue]) -> Result<HashMap<usize, u64>> {
    let mut line = Line::open(address).await?;
    let mut now = HashMap::new();
    for (nth, queue) in queues.iter().enumerate() {
        let path = format!("/api/v1/queue/queues/{}", queue.id);
        let shown = good(&mut line, address, None, Method::GET, &path, None).await?;
        let ticket = shown.pointer("/calling/0/ticket_id").and_then(Value::as_str);
        now.insert(nth, ticket.map_or(0, mark));
    }
    Ok(now)
}

async fn wait_for(open: &AtomicUsize, wanted: usize) -> Result<()> {
    let since = Instant::now();
    while open.load(Ordering::Relaxed) < wanted {
        ensure!(since.elapsed() < PATIENCE, "{} of {wanted} streams are open", open.load(Ordering::Relaxed));
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

fn rss(servers: &[Server]) -> Result<u32> {
    servers.iter().map(|server| Ok(Memory::of(server.pid())?.now)).sum()
}

fn cpu(servers: &[Server]) -> Result<Duration> {
    servers.iter().map(|server| proc::cpu(server.pid())).sum()
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
