//! `bench rush`: release time. Many phones that have signed in book at once, over real connections, with a server process of
//! its own and a fresh copy of the same prepared hospital for every round.
//!
//! Hot is one slot that all want; warm is 200 slots with 25 doctors; sold out is 200 slots with places for one wish in a
//! hundred. Beside them, in the same rounds: pgbench with one booking per transaction on a copy of the same database, SQLite
//! without a server, bare axum giving JSON back ([`rivals`]). Variants are measured in turn inside each round, and the turn begins
//! with another one each time, so that what the machine does meanwhile meets them all. After each round the database is
//! compared with what the phones were told ([`verify`]) and `xinglin check` looks at it. Fails when a target is missed.
//!
//! Not measured: sending. Nobody of the prepared hospital can be told anything (no phone number, not a follower). What
//! follows from a booking (notices, the chain of the audit log) stands back while people wait and is done afterwards:
//! `--aftermath` waits for it in each round and counts its processor time, too.

pub(crate) mod prepare;
mod report;
pub(crate) mod rivals;
pub(crate) mod round;
mod verify;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::ValueEnum;

use crate::machine::{self, Machine};
use crate::postgres::{self, Postgres};
use crate::{out, places};
use prepare::Prepared;
use report::Report;
use rivals::Pgbench;
use round::{Figures, Round};

/// How it is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many rounds.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// How many phones; each books one place in each round.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
    phones: u32,
    /// How long pgbench and SQLite without a server book in each round.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Only this database.
    #[arg(long, value_enum)]
    only: Option<Backend>,
    /// Only variants whose name holds this text: `hot`, `1024`, `pgbench`, ….
    #[arg(long)]
    just: Option<String>,
    /// Wait in each round until all that follows from the bookings is done, and count it.
    #[arg(long)]
    aftermath: bool,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heat {
    /// One slot that all want.
    Hot,
    /// 200 slots.
    Warm,
    /// 200 slots, with places for one wish in a hundred.
    SoldOut,
}

/// What is measured side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variant {
    /// The program, over so many connections.
    Ours(Heat, Backend, u32),
    /// One booking per transaction, without a program in between.
    Pgbench(Heat),
    /// The same on SQLite, so many bookings in each transaction.
    RawSqlite(u32),
    /// Bare axum, over so many connections.
    Echo(u32),
}

const CONNECTIONS: [u32; 2] = [256, 1_024];

fn name(variant: Variant) -> String {
    let heat = |heat| match heat {
        Heat::Hot => "hot",
        Heat::Warm => "warm",
        Heat::SoldOut => "sold out",
    };
    match variant {
        Variant::Ours(which, backend, connections) => {
            let backend = if backend == Backend::Sqlite { "sqlite" } else { "postgres" };
            format!("{} {backend} {connections}", heat(which))
        }
        Variant::Pgbench(which) => format!("{} pgbench", heat(which)),
        Variant::RawSqlite(each) => format!("raw sqlite, {each} at a time"),
        Variant::Echo(connections) => format!("echo {connections}"),
    }
}

fn variants(options: &Options) -> Vec<Variant> {
    let wanted = |backend| options.only.is_none_or(|only| only == backend);
    let mut all = Vec::new();
    for backend in [Backend::Postgres, Backend::Sqlite].into_iter().filter(|backend| wanted(*backend)) {
        for connections in CONNECTIONS {
            all.extend(
                [Heat::Hot, Heat::Warm, Heat::SoldOut].map(|heat| Variant::Ours(heat, backend, connections)),
            );
        }
    }
    if wanted(Backend::Postgres) {
        all.extend([Variant::Pgbench(Heat::Hot), Variant::Pgbench(Heat::Warm)]);
    }
    if wanted(Backend::Sqlite) {
        all.extend([Variant::RawSqlite(1), Variant::RawSqlite(100)]);
    }
    all.extend(CONNECTIONS.map(Variant::Echo));
    all.retain(|variant| options.just.as_ref().is_none_or(|text| name(*variant).contains(text)));
    all
}

/// All that is measured with.
struct Bench<'a> {
    options: &'a Options,
    prepared: BTreeMap<Backend, Prepared>,
    postgres: Option<&'a Postgres>,
    pgbench: Option<Pgbench<'a>>,
    folder: &'a Path,
}

impl Bench<'_> {
    async fn measure(&self, variant: Variant) -> Result<Figures> {
        let seconds = Duration::from_secs(self.options.seconds.into());
        let any = self.prepared.values().next().context("nothing is prepared")?;
        match variant {
            Variant::Ours(heat, backend, connections) => {
                let postgres = self.postgres.filter(|_| backend == Backend::Postgres);
                let prepared = self.prepared.get(&backend).context("not prepared")?;
                let aftermath = self.options.aftermath && heat != Heat::SoldOut;
                Round { prepared, postgres, folder: self.folder, aftermath }.run(heat, connections).await
            }
            Variant::Pgbench(heat) => {
                self.pgbench.as_ref().context("no pgbench")?.round(heat == Heat::Hot, self.options.seconds)
            }
            Variant::RawSqlite(each) => {
                let prepared = self.prepared.get(&Backend::Sqlite).context("not prepared")?;
                rivals::raw_sqlite(prepared, self.folder, each, seconds / 2).await
            }
            Variant::Echo(connections) => {
                rivals::echo(any, usize::try_from(connections)?, any.phones.len() * 2).await
            }
        }
    }
}

/// Measures, prints, writes. Anything that does not agree with the database is an error.
pub(crate) async fn run(options: &Options) -> Result<bool> {
    let mut machine = Machine::look();
    let parent = options.folder.clone().unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::Builder::new().prefix("xinglin-bench-").tempdir_in(&parent)?;
    let variants = variants(options);
    let backends = [Backend::Sqlite, Backend::Postgres];
    let backends = backends.into_iter().filter(|backend| options.only.is_none_or(|only| only == *backend));
    let server = if options.only == Some(Backend::Sqlite) { None } else { Some(Postgres::start(&parent)?) };
    let mut prepared = BTreeMap::new();
    for backend in backends {
        eprintln!("preparing {} phones on {backend:?}", options.phones);
        let server = server.as_ref().filter(|_| backend == Backend::Postgres);
        prepared.insert(backend, Prepared::make(folder.path(), server, options.phones).await?);
    }
    let has_pgbench = variants.iter().any(|variant| matches!(variant, Variant::Pgbench(_)));
    let pgbench = match &server {
        Some(server) if has_pgbench => Some(Pgbench::prepare(server, folder.path(), true)?),
        _ => None,
    };
    let bench = Bench { options, prepared, postgres: server.as_ref(), pgbench, folder: folder.path() };
    let mut raw: Vec<(Variant, Figures)> = Vec::new();
    for nth in 0..options.rounds {
        let mut turn = variants.clone();
        turn.rotate_left(usize::try_from(nth)? % variants.len().max(1));
        for variant in turn {
            let what = name(variant);
            let figures =
                bench.measure(variant).await.with_context(|| format!("{what}, round {}", nth + 1))?;
            eprintln!(
                "round {} of {}, {what}: {:.0}/s, p99 {:.0} ms, CPU {:.0} + {:.0} + {:.0} µs",
                nth + 1,
                options.rounds,
                figures.per_s,
                figures.p99_ms,
                figures.server_cpu_us,
                figures.database_cpu_us,
                figures.load_cpu_us
            );
            raw.push((variant, figures));
        }
    }
    machine.look_again();
    let mut versions = BTreeMap::from([("xinglin", machine::version(&places::program()?))]);
    if let Some(server) = &server {
        versions.insert("postgres", machine::version(&server.program()));
    }
    let mut report = Report {
        pg_hot_vs_pgbench: None,
        pg_warm_vs_pgbench: None,
        sqlite_hot_per_s: None,
        soldout_vs_echo: None,
        pg_soldout_vs_echo: None,
        sqlite_soldout_vs_echo: None,
        rss_idle_mb: 0.0,
        rss_peak_mb: 0.0,
        start_ms: 0.0,
        targets: BTreeMap::new(),
        over: Vec::new(),
        missed: Vec::new(),
        phones: options.phones,
        rounds: options.rounds,
        pgbench_clients: bench.pgbench.as_ref().map(|pgbench| pgbench.clients),
        profile: places::profile(),
        variants: report::summaries(&variants, &raw),
        raw: Vec::new(),
        checked: "every place that a phone was told is in the database with its number, and no other; as many were given as \
                  there are; asking again gave the same place; a second wish was refused for the right reason; xinglin check",
        not_measured: "sending of notices (nobody can be told), TLS, a network between phones and server",
        postgres_settings: postgres::SETTINGS,
        storage: machine::file_system(&parent),
        machine,
        versions,
        commit: machine::commit(),
    };
    report::headline(&mut report, &raw);
    report.judge();
    report.raw = raw.into_iter().map(|(variant, figures)| (name(variant), figures)).collect();
    report.print();
    let file = places::write("rush", &report)?;
    out(&format!("\nwritten to {file}"));
    for word in report.over.iter().chain(&report.missed) {
        out(&format!("not met: {word}"));
    }
    Ok(report.is_good())
}
