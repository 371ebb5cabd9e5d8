//! `bench growth`: what a booking and a look at a doctor's free places cost when the hospital has been in use for years.
//!
//! Three databases of each kind, with a hundred thousand, a million and ten million past appointments ([`fill`]), and the same
//! phones in each. In every round they are asked in turn, each by a server of its own: bookings of 200 slots, then reads of
//! the availability of one doctor. Cost is processor time of the program and the database together; growth is the cost with the
//! most appointments over that with the fewest, round by round.

mod fill;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use base::Secret;
use serde::Serialize;
use server::Config;

use crate::child::Server;
use crate::figures::{Spread, table};
use crate::load::{self, Deed, Line, Page, Wishes};
use crate::machine::{self, Machine};
use crate::postgres::Postgres;
use crate::rush::prepare::{Prepared, TEMPLATE};
use crate::rush::round::settings;
use crate::{out, places, proc};

/// No more than so many times the cost.
const MOST: f64 = 1.3;
const CONNECTIONS: usize = 256;
const PATIENCE: Duration = Duration::from_secs(120);

/// How it is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many rounds; each books with phones of its own.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=50))]
    rounds: u32,
    /// How many phones book in each round.
    #[arg(long, default_value_t = 4_000, value_parser = clap::value_parser!(u32).range(200..=20_000))]
    phones: u32,
    /// How many reads there are in each round.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
    reads: u32,
    /// Past appointments, in thousands; the first and the last are compared.
    #[arg(long, value_delimiter = ',', default_values_t = [100, 1_000, 10_000])]
    thousands: Vec<u32>,
    /// Only this database: `sqlite` or `postgres`.
    #[arg(long)]
    only: Option<String>,
    /// Where the databases lie: a folder on a real disk that the user `postgres` can reach. Ten million take some 12 GB.
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// A database of some age.
struct Aged {
    backend: &'static str,
    thousands: u32,
    config: Config,
    filled_s: f64,
}

/// What one was measured to take.
#[derive(Debug, Clone, Copy, Serialize)]
struct Cost {
    booking_us: f64,
    booking_per_s: f64,
    booking_p50_ms: f64,
    read_us: f64,
    read_per_s: f64,
    ready_ms: f64,
}

#[derive(Debug, Serialize)]
struct Row {
    backend: &'static str,
    thousands: u32,
    filled_s: f64,
    booking_us: Spread,
    booking_per_s: Spread,
    booking_p50_ms: Spread,
    read_us: Spread,
    read_per_s: Spread,
    ready_ms: Spread,
}

/// `target/bench/growth.json`
#[derive(Debug, Serialize)]
struct Report {
    /// The larger one of both databases, as is `read_growth`.
    booking_growth: f64,
    read_growth: f64,
    growth: BTreeMap<String, Spread>,
    missed: Vec<String>,
    rows: Vec<Row>,
    rounds: u32,
    phones: u32,
    reads: u32,
    profile: &'static str,
    storage: String,
    machine: Machine,
    versions: BTreeMap<&'static str, String>,
    commit: String,
}

/// Measures, prints, writes.
pub(crate) async fn run(options: &Options) -> Result<bool> {
    let mut machine = Machine::look();
    let parent = options.folder.clone().unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::Builder::new().prefix("xinglin-bench-").tempdir_in(&parent)?;
    let wanted = |name: &str| options.only.as_deref().is_none_or(|only| only == name);
    let mut versions = BTreeMap::from([("xinglin", machine::version(&places::program()?))]);
    let (mut rows, mut growth) = (Vec::new(), BTreeMap::new());
    for backend in ["postgres", "sqlite"].into_iter().filter(|name| wanted(name)) {
        let server = if backend == "postgres" { Some(Postgres::start(&parent)?) } else { None };
        if let Some(server) = &server {
            versions.insert("postgres", machine::version(&server.program()));
        }
        let phones = options.rounds * options.phones;
        eprintln!("preparing {phones} phones on {backend}");
        let prepared = Prepared::make(folder.path(), server.as_ref(), phones).await?;
        let mut aged = Vec::new();
        for thousands in &options.thousands {
            aged.push(age(&prepared, backend, server.as_ref(), folder.path(), *thousands, phones).await?);
        }
        let mut costs: Vec<Vec<Cost>> = aged.iter().map(|_| Vec::new()).collect();
        for round in 0..options.rounds {
            let count = aged.len();
            for nth in (0..count).map(|nth| (nth + usize::try_from(round).unwrap_or(0)) % count) {
                let (Some(one), Some(costs)) = (aged.get(nth), costs.get_mut(nth)) else { continue };
                let cost = measure(&prepared, one, server.as_ref(), folder.path(), round, options).await?;
                eprintln!(
                    "round {} of {}, {backend}, {} thousand: booking {:.0} µs ({:.0}/s), read {:.1} µs ({:.0}/s), ready after {:.0} ms",
                    round + 1,
                    options.rounds,
                    one.thousands,
                    cost.booking_us,
                    cost.booking_per_s,
                    cost.read_us,
                    cost.read_per_s,
                    cost.ready_ms
                );
                costs.push(cost);
            }
        }
        if let (Some(few), Some(many)) = (costs.first(), costs.last()) {
            let ratio = |of: fn(&Cost) -> f64| {
                Spread::of(few.iter().zip(many).map(|(few, many)| of(many) / of(few)), 2)
            };
            growth.insert(format!("{backend}_booking"), ratio(|cost| cost.booking_us));
            growth.insert(format!("{backend}_read"), ratio(|cost| cost.read_us));
        }
        rows.extend(aged.iter().zip(&costs).map(|(aged, costs)| Row::of(aged, costs)));
    }
    machine.look_again();
    let worst = |what: &str| {
        growth.iter().filter(|(name, _)| name.ends_with(what)).map(|(_, of)| of.median).fold(0.0, f64::max)
    };
    let (booking_growth, read_growth) = (worst("_booking"), worst("_read"));
    let all = [("booking_growth", booking_growth), ("read_growth", read_growth)];
    let missed = all.iter().filter(|(_, growth)| *growth > MOST);
    let report = Report {
        missed: missed.map(|(name, growth)| format!("{name}: {growth} instead of at most {MOST}")).collect(),
        booking_growth,
        read_growth,
        growth,
        rows,
        rounds: options.rounds,
        phones: options.phones,
        reads: options.reads,
        profile: places::profile(),
        storage: machine::file_system(&parent),
        machine,
        versions,
        commit: machine::commit(),
    };
    report.print();
    let file = places::write("growth", &report)?;
    out(&format!("\nwritten to {file}"));
    for word in &report.missed {
        out(&format!("not met: {word}"));
    }
    Ok(report.missed.is_empty())
}

/// A copy of the prepared hospital with so many past appointments.
async fn age(
    prepared: &Prepared,
    backend: &'static str,
    server: Option<&Postgres>,
    folder: &Path,
    thousands: u32,
    phones: u32,
) -> Result<Aged> {
    eprintln!("{thousands} thousand past appointments on {backend}");
    let since = Instant::now();
    let bookings = u64::from(thousands) * 1_000;
    let mut config = prepared.config.clone();
    match server {
        Some(server) => {
            let name = format!("aged_{thousands}");
            server.sql("postgres", &[&format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}")])?;
            fill::postgres(server, &name, bookings, phones.into())?;
            config.database.url = Secret::new(server.url(&name));
        }
        None => {
            config.database.path = folder.join(format!("aged-{thousands}.db"));
            std::fs::copy(&prepared.config.database.path, &config.database.path)?;
            fill::sqlite(&config.database.path, bookings, phones.into()).await?;
        }
    }
    Ok(Aged { backend, thousands, config, filled_s: since.elapsed().as_secs_f64() })
}

async fn measure(
    prepared: &Prepared,
    aged: &Aged,
    postgres: Option<&Postgres>,
    folder: &Path,
    round: u32,
    options: &Options,
) -> Result<Cost> {
    let port = places::free_ports(1)?.first().copied().context("no free port")?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let server =
        Server::start(folder, address, &["serve"], &settings(&aged.config, address), PATIENCE).await?;
    let spent = || -> Result<Duration> {
        let database = postgres.map(|server| proc::cpu_of_family(server.pid())).transpose()?;
        Ok(proc::cpu(server.pid())? + database.unwrap_or_default())
    };
    let each = usize::try_from(options.phones)?;
    let from = usize::try_from(round)? * each;
    let phones: Arc<[_]> = prepared.phones.iter().skip(from).take(each).cloned().collect();
    let look = load::run(address, &Deed::Look(phones.clone(), "/api/v1/departments"), CONNECTIONS).await?;
    ensure!(look.wrong.is_empty(), "looking at the page: {}", look.wrong.join("; "));
    let wishes = Wishes { count: phones.len(), phones, slots: prepared.warm.clone(), too_late: false };
    let before = spent()?;
    let booked = load::run(address, &Deed::Book(Arc::new(wishes)), CONNECTIONS).await?;
    let after = spent()?;
    ensure!(booked.wrong.is_empty(), "{}\n{}", booked.wrong.join("; "), server.log());
    let (page, before_reads) = (availability(address).await?, spent()?);
    let deed = Deed::Read(page, usize::try_from(options.reads)?);
    let read = load::run(address, &deed, CONNECTIONS).await?;
    let after_reads = spent()?;
    ensure!(read.wrong.is_empty(), "{}", read.wrong.join("; "));
    let per = |from: Duration, to: Duration, count: u32| {
        to.saturating_sub(from).as_secs_f64() * 1e6 / f64::from(count.max(1))
    };
    let rate = |count: u32, took: Duration| f64::from(count) / took.as_secs_f64();
    let cost = Cost {
        booking_us: per(before, after, booked.requests),
        booking_per_s: rate(u32::try_from(booked.booked.len())?, booked.took),
        booking_p50_ms: f64::from(u32::try_from(booked.latency.value_at_quantile(0.5))?) / 1e3,
        read_us: per(before_reads, after_reads, read.requests),
        read_per_s: rate(read.requests, read.took),
        ready_ms: server.ready_after.as_secs_f64() * 1e3,
    };
    server.stop()?;
    Ok(cost)
}

/// The page of a doctor's free places, as it is once the bookings show.
async fn availability(address: SocketAddr) -> Result<Arc<Page>> {
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut line = Line::open(address).await?;
    let mut first = async |path: &str| -> Result<String> {
        let answer = line.get(path).await?;
        let list: serde_json::Value = serde_json::from_slice(answer.bytes())?;
        let id = list.pointer("/items/0/id").and_then(serde_json::Value::as_str);
        id.map(str::to_owned).with_context(|| format!("{path}: nothing there"))
    };
    let department = first("/api/v1/departments").await?;
    let doctor = first(&format!("/api/v1/doctors?department_id={department}")).await?;
    let path = format!("/api/v1/doctors/{doctor}/clinics");
    let answer = line.get(&path).await?;
    ensure!(answer.status == 200, "{path}: {}", answer.text());
    Ok(Arc::new(Page { path, if_none_match: None, status: 200, length: answer.bytes().len() }))
}

impl Row {
    fn of(aged: &Aged, costs: &[Cost]) -> Self {
        let spread = |of: fn(&Cost) -> f64, digits| Spread::of(costs.iter().map(of), digits);
        Self {
            backend: aged.backend,
            thousands: aged.thousands,
            filled_s: aged.filled_s.round(),
            booking_us: spread(|cost| cost.booking_us, 0),
            booking_per_s: spread(|cost| cost.booking_per_s, 0),
            booking_p50_ms: spread(|cost| cost.booking_p50_ms, 1),
            read_us: spread(|cost| cost.read_us, 1),
            read_per_s: spread(|cost| cost.read_per_s, 0),
            ready_ms: spread(|cost| cost.ready_ms, 0),
        }
    }
}

impl Report {
    fn print(&self) {
        let head = [
            "",
            "booking CPU µs",
            "bookings/s",
            "booking p50 ms",
            "read CPU µs",
            "reads/s",
            "ready after ms",
        ];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for row in &self.rows {
            let mut cells = vec![format!("{} {},000", row.backend, row.thousands)];
            let spreads = [
                row.booking_us,
                row.booking_per_s,
                row.booking_p50_ms,
                row.read_us,
                row.read_per_s,
                row.ready_ms,
            ];
            cells.extend(spreads.iter().map(Spread::text));
            rows.push(cells);
        }
        out(&table(&rows));
        for (name, growth) in &self.growth {
            out(&format!("{name}: {} times", growth.text()));
        }
        out(&format!(
            "booking_growth {}, read_growth {} (<= {MOST}); {} rounds of {} bookings and {} reads, median [min–max]; {} build; {}; {}",
            self.booking_growth,
            self.read_growth,
            self.rounds,
            self.phones,
            self.reads,
            self.profile,
            self.commit,
            self.storage
        ));
        out(&self.machine.line());
    }
}
