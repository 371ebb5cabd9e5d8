//! `bench reads`: what everybody reads when booking opens (departments, a department's doctors, a doctor's page, the
//! availability of a doctor) beside bare axum that answers the same bytes with the same headers ([`plain`]), in the same rounds;
//! and how soon a booking shows to others ([`stale`]).

pub(crate) mod plain;
mod stale;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use server::Config;

use crate::child::Server;
use crate::figures::{Spread, table};
use crate::load::{self, Deed, Line, Page};
use crate::machine::{self, Machine};
use crate::postgres::Postgres;
use crate::rush::prepare::Prepared;
use crate::rush::round::settings;
use crate::{out, places, proc};
use plain::{Answers, Plain};

/// How it is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many rounds.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// How many requests for each page in each round.
    #[arg(long, default_value_t = 40_000, value_parser = clap::value_parser!(u32).range(1_000..=10_000_000))]
    requests: u32,
    /// How many connections at once.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    connections: u32,
    /// Where the databases lie: a folder on a real disk that the user `postgres` can reach.
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// Ours must be at least so much of bare axum …
const VS_STATIC: f64 = 0.5;
/// … and a booking must show within so many milliseconds, 99 times of 100.
const STALE_MS: f64 = 1_000.0;
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(2);

/// `target/bench/reads.json`
#[derive(Debug, Serialize)]
struct Report {
    /// The smallest of the pages' ratios.
    vs_static: f64,
    /// The larger one of both databases.
    stale_ms_p99: f64,
    stale_ms: BTreeMap<&'static str, Stale>,
    targets: BTreeMap<&'static str, f64>,
    over: Vec<String>,
    missed: Vec<String>,
    pages: BTreeMap<&'static str, Row>,
    rounds: u32,
    requests: u32,
    connections: u32,
    profile: &'static str,
    machine: Machine,
    versions: BTreeMap<&'static str, String>,
    commit: String,
}

#[derive(Debug, Serialize)]
struct Stale {
    bookings: usize,
    p50: f64,
    p99: f64,
    max: f64,
}

/// A page's figures over all rounds.
#[derive(Debug, Serialize)]
struct Row {
    bytes: usize,
    status: u16,
    vs_static: Spread,
    ours_per_s: Spread,
    static_per_s: Spread,
    ours_cpu_us: Spread,
    static_cpu_us: Spread,
    p99_ms: Spread,
}

#[derive(Default)]
struct Round {
    per_s: f64,
    cpu_us: f64,
    p99_ms: f64,
}

#[derive(Deserialize)]
struct Ids {
    items: Vec<Id>,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

/// Measures, prints, writes.
pub(crate) async fn run(options: &Options) -> Result<bool> {
    let mut machine = Machine::look();
    let parent = options.folder.clone().unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::Builder::new().prefix("xinglin-bench-").tempdir_in(&parent)?;
    let pages = pages(options, folder.path()).await?;
    eprintln!("how soon a booking shows");
    let mut stale_ms = BTreeMap::new();
    let sqlite = Prepared::make(folder.path(), None, 1_000).await?;
    stale_ms.insert("sqlite_one_node", Stale::of(&stale::measure(&sqlite, None, folder.path()).await?));
    let postgres = Postgres::start(&parent)?;
    let prepared = Prepared::make(folder.path(), Some(&postgres), 1_000).await?;
    let two = stale::measure(&prepared, Some(&postgres), folder.path()).await?;
    stale_ms.insert("postgres_two_nodes", Stale::of(&two));
    machine.look_again();
    let vs_static = pages.values().map(|row| row.vs_static.median).fold(f64::INFINITY, f64::min);
    let stale_ms_p99 = stale_ms.values().map(|stale| stale.p99).fold(0.0, f64::max);
    let (mut over, mut missed) = (Vec::new(), Vec::new());
    if vs_static < VS_STATIC {
        missed.push(format!("vs_static: {vs_static} instead of at least {VS_STATIC}"));
    }
    if stale_ms_p99 > STALE_MS {
        over.push(format!("stale_ms_p99: {stale_ms_p99} instead of at most {STALE_MS}"));
    }
    let report = Report {
        vs_static,
        stale_ms_p99,
        stale_ms,
        targets: BTreeMap::from([("vs_static", VS_STATIC), ("stale_ms_p99", STALE_MS)]),
        over,
        missed,
        pages,
        rounds: options.rounds,
        requests: options.requests,
        connections: options.connections,
        profile: places::profile(),
        machine,
        versions: BTreeMap::from([
            ("xinglin", machine::version(&places::program()?)),
            ("postgres", machine::version(&postgres.program())),
        ]),
        commit: machine::commit(),
    };
    report.print();
    let file = places::write("reads", &report)?;
    out(&format!("\nwritten to {file}"));
    for word in report.over.iter().chain(&report.missed) {
        out(&format!("not met: {word}"));
    }
    Ok(report.over.is_empty() && report.missed.is_empty())
}

/// The pages of the demonstration hospital, ours and bare ones in turn.
async fn pages(options: &Options, folder: &Path) -> Result<BTreeMap<&'static str, Row>> {
    let mut config = Config::default();
    config.database.path = folder.join("hospital.db");
    config.keys.file = folder.join("hospital-keys");
    let ports = places::free_ports(2)?;
    let at = |nth: usize| -> Result<SocketAddr> {
        Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, ports.get(nth).copied().context("no free port")?)))
    };
    let (ours, bare) = (at(0)?, at(1)?);
    let settings = settings(&config, ours);
    eprintln!("preparing the demonstration hospital");
    let mut seed = Command::new(places::program()?);
    seed.arg("seed").current_dir(folder).envs(settings.iter().map(|(name, value)| (*name, value)));
    let seeded = seed.stdin(Stdio::null()).output().context("can't run xinglin seed")?;
    ensure!(seeded.status.success(), "xinglin seed: {}", String::from_utf8_lossy(&seeded.stderr));
    let server = Server::start(folder, ours, &["serve"], &settings, PATIENCE).await?;
    let asked = ask(ours).await?;
    let answers: Answers = asked.iter().map(|(_, page, plain)| (page.path.clone(), plain.clone())).collect();
    let file = folder.join("answers.json");
    std::fs::write(&file, serde_json::to_vec(&answers)?)?;
    let rival = Bare::start(bare, &file).await?;
    let mut raw: BTreeMap<&'static str, (Vec<Round>, Vec<Round>)> = BTreeMap::new();
    for nth in 0..options.rounds {
        for (name, page, plain) in &asked {
            // What the bare one answers under this path is what ours answered when it was asked.
            let theirs = Page {
                path: page.path.clone(),
                if_none_match: None,
                status: plain.status,
                length: page.length,
            };
            let order = [(true, ours, page), (false, bare, &Arc::new(theirs))];
            let order: Vec<_> = if nth % 2 == 0 { order.into() } else { order.into_iter().rev().collect() };
            for (is_ours, address, page) in order {
                let pid = if is_ours { server.pid() } else { rival.child.id() };
                let round = round(address, pid, page, options).await?;
                let (of_ours, of_theirs) = raw.entry(name).or_default();
                if is_ours { of_ours.push(round) } else { of_theirs.push(round) }
            }
        }
        eprintln!("round {} of {}", nth + 1, options.rounds);
    }
    server.stop()?;
    let mut rows = BTreeMap::new();
    for (name, page, plain) in &asked {
        let Some((ours, theirs)) = raw.get(name) else { continue };
        let ratios = ours.iter().zip(theirs).map(|(ours, theirs)| ours.per_s / theirs.per_s);
        rows.insert(
            *name,
            Row {
                bytes: page.length,
                status: plain.status,
                vs_static: Spread::of(ratios, 2),
                ours_per_s: Spread::of(ours.iter().map(|r| r.per_s), 0),
                static_per_s: Spread::of(theirs.iter().map(|r| r.per_s), 0),
                ours_cpu_us: Spread::of(ours.iter().map(|r| r.cpu_us), 1),
                static_cpu_us: Spread::of(theirs.iter().map(|r| r.cpu_us), 1),
                p99_ms: Spread::of(ours.iter().map(|r| r.p99_ms), 1),
            },
        );
    }
    Ok(rows)
}

/// Asks ours for each page once; gives it with what it answered.
async fn ask(address: SocketAddr) -> Result<Vec<(&'static str, Arc<Page>, Plain)>> {
    let mut line = Line::open(address).await?;
    let departments: Ids = serde_json::from_slice(line.get("/api/v1/departments").await?.bytes())?;
    let mut found = None;
    for department in departments.items {
        let path = format!("/api/v1/doctors?department_id={}", department.id);
        let doctors: Ids = serde_json::from_slice(line.get(&path).await?.bytes())?;
        if let Some(doctor) = doctors.items.into_iter().next() {
            found = Some((path, doctor.id));
            break;
        }
    }
    let (doctors, doctor) = found.context("no department has a doctor")?;
    let page = format!("/api/v1/doctors/{doctor}");
    let availability = format!("{page}/clinics");
    let mut all = Vec::new();
    for (name, path, known) in [
        ("departments", "/api/v1/departments".to_owned(), false),
        ("doctors of a department", doctors, false),
        ("doctor", page, false),
        ("availability", availability.clone(), false),
        // Not the same path twice: the bare one knows it by that.
        ("availability, not changed (304)", format!("{availability}?"), true),
    ] {
        let mut answer = line.get(&path).await?;
        ensure!(answer.status == 200, "{path}: {}", answer.text());
        let tag = answer.headers.get("etag").cloned();
        let if_none_match = if known { Some(tag.context("no tag")?) } else { None };
        if known {
            let page =
                Page { path: path.clone(), if_none_match: if_none_match.clone(), status: 304, length: 0 };
            answer = line.read(&page).await?;
            ensure!(answer.status == 304, "{path}: {} although nothing has changed", answer.status);
        }
        let headers =
            answer.headers.iter().filter(|(name, _)| !["date", "content-length"].contains(&name.as_str()));
        let headers = headers.map(|(name, value)| Ok((name.to_string(), value.to_str()?.to_owned())));
        let plain =
            Plain { status: answer.status, headers: headers.collect::<Result<_>>()?, body: answer.text() };
        let page = Page { path, if_none_match, status: answer.status, length: answer.bytes().len() };
        all.push((name, Arc::new(page), plain));
    }
    Ok(all)
}

async fn round(address: SocketAddr, pid: u32, page: &Arc<Page>, options: &Options) -> Result<Round> {
    let connections = usize::try_from(options.connections)?;
    let before = proc::cpu(pid)?;
    let deed = Deed::Read(page.clone(), usize::try_from(options.requests)?);
    let outcome = load::run(address, &deed, connections).await?;
    let spent = proc::cpu(pid)?.saturating_sub(before);
    ensure!(outcome.wrong.is_empty(), "{}: {}", page.path, outcome.wrong.join("; "));
    let requests = f64::from(outcome.requests);
    let p99 = outcome.latency.value_at_quantile(0.99);
    Ok(Round {
        per_s: requests / outcome.took.as_secs_f64(),
        cpu_us: spent.as_secs_f64() * 1e6 / requests,
        p99_ms: f64::from(u32::try_from(p99)?) / 1e3,
    })
}

impl Stale {
    fn of(sorted: &[f64]) -> Self {
        let at = |of_100: usize| {
            let place = (sorted.len() * of_100).div_ceil(100).saturating_sub(1);
            (sorted.get(place).copied().unwrap_or(f64::INFINITY) * 10.0).round() / 10.0
        };
        Self { bookings: sorted.len(), p50: at(50), p99: at(99), max: at(100) }
    }
}

impl Report {
    fn print(&self) {
        let head =
            ["", "bytes", "ours/static", "ours/s", "static/s", "CPU µs ours", "CPU µs static", "p99 ms"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for (name, row) in &self.pages {
            let spreads = [
                row.vs_static,
                row.ours_per_s,
                row.static_per_s,
                row.ours_cpu_us,
                row.static_cpu_us,
                row.p99_ms,
            ];
            let mut cells = vec![(*name).to_owned(), row.bytes.to_string()];
            cells.extend(spreads.iter().map(Spread::text));
            rows.push(cells);
        }
        out(&table(&rows));
        for (name, stale) in &self.stale_ms {
            out(&format!(
                "a booking shows, {name}: p50 {} ms, p99 {} ms, at most {} ms ({} bookings)",
                stale.p50, stale.p99, stale.max, stale.bookings
            ));
        }
        out(&format!(
            "{} connections, {} requests, {} rounds, median [min–max]; {} build; {}",
            self.connections, self.requests, self.rounds, self.profile, self.commit
        ));
        out(&self.machine.line());
    }
}

/// The bare one as a process of its own; dropping it ends it.
struct Bare {
    child: Child,
}

impl Bare {
    async fn start(address: SocketAddr, file: &Path) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["plain", &address.to_string()]).arg(file).stdin(Stdio::null());
        let mut this = Self { child: command.spawn().context("can't start bare axum")? };
        let since = Instant::now();
        while Line::open(address).await.is_err() {
            if let Some(status) = this.child.try_wait()? {
                bail!("bare axum ended before it was ready ({status})");
            }
            ensure!(since.elapsed() < PATIENCE, "bare axum was not ready in time");
            tokio::time::sleep(LOOK).await;
        }
        Ok(this)
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // It has nothing to finish.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_99th_of_100() {
        let sorted: Vec<f64> = (1..=200_u32).map(f64::from).collect();
        let stale = Stale::of(&sorted);
        assert_eq!((stale.p50, stale.p99, stale.max, stale.bookings), (100.0, 198.0, 200.0, 200));
        assert_eq!(Stale::of(&[]).p99, f64::INFINITY, "nothing seen is not good");
    }
}
