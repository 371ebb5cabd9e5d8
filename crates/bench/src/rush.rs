//! `bench rush`: release time. Many phones that have signed in book at once, over real connections, with a server process of
//! its own and a fresh copy of the same prepared hospital for every round.
//!
//! Hot is one slot that all want; warm is 200 slots with 25 doctors. Variants are measured in turn inside each round, and the
//! turn begins with another one each time, so that what the machine does meanwhile meets them all. After each round the
//! database is compared with what the phones were told. It records where we stand; targets are not judged here.
//!
//! Not measured: sending. Nobody of the prepared hospital can be told anything (no phone number, not a follower), so notices
//! are made and found to have no way. Sessions are not in the server's memory when a round begins.

pub(crate) mod prepare;
mod round;
mod verify;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use serde::Serialize;

use crate::figures::{Spread, table};
use crate::machine::{self, Machine};
use crate::postgres::{self, Postgres};
use crate::{out, places};
use prepare::Prepared;
use round::{Figures, Round};

/// How it is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many rounds.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// How many phones; each books one place in each round.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    phones: u32,
    /// How many connections at once.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    connections: u32,
    /// Only this database.
    #[arg(long, value_enum)]
    only: Option<Backend>,
    /// Where the databases lie: a folder on a real disk that the user `postgres` can reach.
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Backend {
    /// The embedded one.
    Sqlite,
    /// A server of our own.
    Postgres,
}

/// How many slots are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Heat {
    /// One slot that all want.
    Hot,
    /// 200 slots.
    Warm,
}

type Variant = (Heat, Backend);
/// A line of the table: what it is called, and where it stands.
type Line = (&'static str, fn(&Summary) -> Spread);

fn name((heat, backend): Variant) -> String {
    let heat = if heat == Heat::Hot { "hot" } else { "warm" };
    let backend = if backend == Backend::Sqlite { "sqlite" } else { "postgres" };
    format!("{heat} {backend}")
}

/// `target/bench/rush.json`
#[derive(Debug, Serialize)]
struct Report {
    phones: u32,
    connections: u32,
    rounds: u32,
    profile: &'static str,
    /// By variant: `hot sqlite`, …
    variants: BTreeMap<String, Summary>,
    /// All rounds as they were measured, in their order.
    raw: Vec<(String, Figures)>,
    /// What each of the rounds must hold against its database; a run in which one does not holds no figures.
    checked: &'static str,
    not_measured: &'static str,
    /// What differs from PostgreSQL's defaults.
    postgres_settings: &'static [&'static str],
    /// Where the databases lay.
    storage: String,
    machine: Machine,
    versions: BTreeMap<&'static str, String>,
    commit: String,
}

/// The figures of a variant over all rounds.
#[derive(Debug, Serialize)]
struct Summary {
    bookings_per_s: Spread,
    p50_ms: Spread,
    p99_ms: Spread,
    /// Processor time of the server for each request of the load, in microseconds.
    server_cpu_us: Spread,
    /// The same of PostgreSQL.
    database_cpu_us: Spread,
    /// The same of the load generator, on the same machine.
    load_cpu_us: Spread,
    /// Server and PostgreSQL together for each booking, until all that follows from it is done.
    cpu_us_with_aftermath: Spread,
    /// How long that took after the last answer.
    aftermath_s: Spread,
    requests_per_batch: Spread,
    idle_mib: Spread,
    peak_mib: Spread,
    ready_ms: Spread,
}

impl Summary {
    fn of(rounds: &[&Figures]) -> Self {
        let of = |figure: fn(&Figures) -> f64, digits| Spread::of(rounds.iter().map(|r| figure(r)), digits);
        Self {
            bookings_per_s: of(|r| r.bookings_per_s, 0),
            p50_ms: of(|r| r.p50_ms, 1),
            p99_ms: of(|r| r.p99_ms, 1),
            server_cpu_us: of(|r| r.server_cpu_us, 0),
            database_cpu_us: of(|r| r.database_cpu_us, 0),
            load_cpu_us: of(|r| r.load_cpu_us, 0),
            cpu_us_with_aftermath: of(|r| r.cpu_us_with_aftermath, 0),
            aftermath_s: of(|r| r.aftermath_s, 1),
            requests_per_batch: of(|r| r.requests_per_batch, 0),
            idle_mib: of(|r| r.idle_mib, 1),
            peak_mib: of(|r| r.peak_mib, 1),
            ready_ms: of(|r| r.ready_ms, 0),
        }
    }
}

/// Measures, prints, writes. Anything that does not agree with the database is an error.
pub(crate) async fn run(options: &Options) -> Result<bool> {
    let mut machine = Machine::look();
    let parent = options.folder.clone().unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::Builder::new().prefix("xinglin-bench-").tempdir_in(&parent)?;
    let backends: Vec<Backend> = match options.only {
        Some(one) => vec![one],
        None => vec![Backend::Sqlite, Backend::Postgres],
    };
    let postgres = if backends.contains(&Backend::Postgres) { Some(Postgres::start(&parent)?) } else { None };
    let mut prepared = BTreeMap::new();
    for backend in &backends {
        let server = postgres.as_ref().filter(|_| *backend == Backend::Postgres);
        eprintln!(
            "preparing {} phones on {}",
            options.phones,
            name((Heat::Hot, *backend)).replace("hot ", "")
        );
        prepared.insert(*backend, Prepared::make(folder.path(), server, options.phones).await?);
    }
    let variants: Vec<Variant> =
        [Heat::Hot, Heat::Warm].iter().flat_map(|heat| backends.iter().map(|b| (*heat, *b))).collect();
    let mut raw: Vec<(Variant, Figures)> = Vec::new();
    for nth in 0..options.rounds {
        let mut turn = variants.clone();
        turn.rotate_left(usize::try_from(nth)? % variants.len().max(1));
        for variant in turn {
            let (heat, backend) = variant;
            let server = postgres.as_ref().filter(|_| backend == Backend::Postgres);
            let prepared = prepared.get(&backend).context("not prepared")?;
            let round = Round { prepared, postgres: server, folder: folder.path() };
            let figures = round.run(heat == Heat::Hot, options.connections).await;
            let figures = figures.with_context(|| format!("{}, round {}", name(variant), nth + 1))?;
            eprintln!(
                "round {} of {}, {}: {:.0} bookings/s, p99 {:.0} ms",
                nth + 1,
                options.rounds,
                name(variant),
                figures.bookings_per_s,
                figures.p99_ms
            );
            raw.push((variant, figures));
        }
    }
    machine.look_again();
    let mut versions = BTreeMap::from([("xinglin", machine::version(&places::program()?))]);
    if let Some(server) = &postgres {
        versions.insert("postgres", machine::version(&server.program()));
    }
    let report = Report {
        phones: options.phones,
        connections: options.connections,
        rounds: options.rounds,
        profile: places::profile(),
        variants: variants.iter().map(|variant| (name(*variant), summary(*variant, &raw))).collect(),
        raw: raw.into_iter().map(|(variant, figures)| (name(variant), figures)).collect(),
        checked: "every place that a phone was told is in the database with its number, and no other; each slot's places \
                  taken are its live appointments; numbers 1 to the last exist; asking again gave the same place; a second \
                  wish was refused",
        not_measured: "sending of notices (nobody can be told), TLS, a network between phones and server",
        postgres_settings: postgres::SETTINGS,
        storage: machine::file_system(&parent),
        machine,
        versions,
        commit: machine::commit(),
    };
    print(&report);
    let file = places::write("rush", &report)?;
    out(&format!("\nwritten to {file}"));
    if report.variants.is_empty() {
        bail!("nothing was measured");
    }
    Ok(true)
}

fn summary(variant: Variant, raw: &[(Variant, Figures)]) -> Summary {
    Summary::of(&raw.iter().filter(|(one, _)| *one == variant).map(|(_, f)| f).collect::<Vec<_>>())
}

fn print(report: &Report) {
    let figures: [Line; 12] = [
        ("bookings/s", |s| s.bookings_per_s),
        ("p50 ms", |s| s.p50_ms),
        ("p99 ms", |s| s.p99_ms),
        ("CPU µs/request, server", |s| s.server_cpu_us),
        ("CPU µs/request, PostgreSQL", |s| s.database_cpu_us),
        ("CPU µs/request, load generator", |s| s.load_cpu_us),
        ("CPU µs/booking with aftermath", |s| s.cpu_us_with_aftermath),
        ("aftermath s", |s| s.aftermath_s),
        ("requests decided together", |s| s.requests_per_batch),
        ("MiB idle", |s| s.idle_mib),
        ("MiB peak", |s| s.peak_mib),
        ("ready after ms", |s| s.ready_ms),
    ];
    let mut rows =
        vec![[String::new()].into_iter().chain(report.variants.keys().cloned()).collect::<Vec<_>>()];
    for (name, figure) in figures {
        let cells = report.variants.values().map(|summary| figure(summary).text());
        rows.push([name.to_owned()].into_iter().chain(cells).collect());
    }
    out(&table(&rows));
    out(&format!(
        "{} phones, {} connections, {} rounds, median [min–max]; {} build; {}; storage {}",
        report.phones, report.connections, report.rounds, report.profile, report.commit, report.storage
    ));
    out(&report.machine.line());
    out(&format!("checked after each round: {}", report.checked));
    out(&format!("not measured: {}", report.not_measured));
}
