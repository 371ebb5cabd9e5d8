//! Several nodes: one, two and three processes of the program on one PostgreSQL, on the same machine.
//!
//! - hot: everybody books the one slot that all want
//! - warm: everybody books one of 200 slots
//! - siblings: 500 people and 40 slots of one doctor (8 in each of five evenings, 30 places each; one place an evening for
//!   each person), who give a place up three times in ten
//!
//! Variants are measured in turn inside each round, and the turn begins with another one each time. After each round
//! the database is compared with what every phone was told, looks at itself (`xinglin check`), and must have seen no deadlock.
//! What is asked: three nodes do at least 0.8 times what one does; the processors are the same two.

mod crowd;
mod prepare;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use base::Clock;
use serde::Serialize;
use server::Config;
use store::value::One;
use store::{Db, Sql, args};

use crate::child::Server;
use crate::figures::{Spread, table};
use crate::machine::{self, Machine};
use crate::postgres::{self, Postgres};
use crate::{out, places, proc};
use crowd::Load;
use prepare::Prepared;

/// Three nodes against one, at least.
const TARGET: f64 = 0.8;
const PATIENCE: Duration = Duration::from_secs(60);
/// What is not worked off by then points to a fault.
const AFTERMATH: Duration = Duration::from_secs(300);
const LOOK: Duration = Duration::from_millis(50);

const LEFT_TEXT: &str = "SELECT CAST((SELECT COUNT(*) FROM event WHERE state = 'new')
    + (SELECT COUNT(*) FROM message WHERE due_at IS NOT NULL) AS BIGINT)";
const LEFT: Sql = Sql { name: "LEFT", sqlite: LEFT_TEXT, postgres: LEFT_TEXT };
const DEADLOCKS_TEXT: &str =
    "SELECT CAST(deadlocks AS BIGINT) FROM pg_stat_database WHERE datname = current_database()";
const DEADLOCKS: Sql = Sql { name: "DEADLOCKS", sqlite: DEADLOCKS_TEXT, postgres: DEADLOCKS_TEXT };

/// How it is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many rounds.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// How many phones book one place each (hot and warm).
    #[arg(long, default_value_t = 6_000, value_parser = clap::value_parser!(u32).range(500..=1_000_000))]
    phones: u32,
    /// How many connections at once, over all nodes.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(3..=10_000))]
    connections: u32,
    /// Where the database lies: a folder on a real disk that the user `postgres` can reach.
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Work {
    Hot,
    Warm,
    Siblings,
}

impl Work {
    const ALL: [Self; 3] = [Self::Hot, Self::Warm, Self::Siblings];

    fn name(self) -> &'static str {
        match self {
            Self::Hot => "hot",
            Self::Warm => "warm",
            Self::Siblings => "siblings",
        }
    }
}

type Variant = (Work, usize);

fn name((work, nodes): Variant) -> String {
    format!("{} {nodes}", work.name())
}

/// What a round measured.
#[derive(Debug, Clone, Copy, Serialize)]
struct Figures {
    requests_per_s: f64,
    p99_ms: f64,
    /// Processor time of all nodes and of PostgreSQL for each request, in microseconds.
    cpu_us: f64,
    /// Resident memory of the largest node.
    peak_mib: f64,
}

/// `target/bench/nodes.json`
#[derive(Debug, Serialize)]
struct Report {
    /// Of the three workloads the one in which three nodes do worst against one.
    three_vs_one: f64,
    hot_three_vs_one: f64,
    warm_three_vs_one: f64,
    siblings_three_vs_one: f64,
    target: f64,
    missed: Vec<&'static str>,
    rounds: u32,
    phones: u32,
    connections: u32,
    profile: &'static str,
    /// By variant: `hot 1`, `hot 2`, …
    variants: BTreeMap<String, Summary>,
    raw: Vec<(String, Figures)>,
    checked: &'static str,
    postgres_settings: &'static [&'static str],
    storage: String,
    machine: Machine,
    versions: BTreeMap<&'static str, String>,
    commit: String,
}

#[derive(Debug, Serialize)]
struct Summary {
    requests_per_s: Spread,
    p99_ms: Spread,
    cpu_us: Spread,
    peak_mib: Spread,
}

/// Measures, prints, writes. Anything that does not agree with the database is an error.
pub(crate) async fn run(options: &Options) -> Result<bool> {
    let mut machine = Machine::look();
    let parent = options.folder.clone().unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::Builder::new().prefix("xinglin-bench-").tempdir_in(&parent)?;
    let server = Postgres::start(&parent)?;
    eprintln!("preparing {} phones", options.phones);
    let prepared = Prepared::make(folder.path(), &server, options.phones).await?;
    let variants: Vec<Variant> =
        Work::ALL.iter().flat_map(|work| [1, 2, 3].map(|nodes| (*work, nodes))).collect();
    let mut raw: Vec<(Variant, Figures)> = Vec::new();
    for nth in 0..options.rounds {
        let mut turn = variants.clone();
        turn.rotate_left(usize::try_from(nth)? % variants.len().max(1));
        for variant in turn {
            let round = Round { prepared: &prepared, postgres: &server, folder: folder.path() };
            let figures = round.run(variant, options.connections).await;
            let figures = figures.with_context(|| format!("{}, round {}", name(variant), nth + 1))?;
            eprintln!(
                "round {} of {}, {}: {:.0} requests/s, p99 {:.0} ms, {:.0} µs CPU a request",
                nth + 1,
                options.rounds,
                name(variant),
                figures.requests_per_s,
                figures.p99_ms,
                figures.cpu_us
            );
            raw.push((variant, figures));
        }
    }
    machine.look_again();
    let versions = BTreeMap::from([
        ("xinglin", machine::version(&places::program()?)),
        ("postgres", machine::version(&server.program())),
    ]);
    let report = report(options, &variants, &raw, machine, versions, machine::file_system(&parent));
    print(&report);
    let file = places::write("nodes", &report)?;
    out(&format!("\nwritten to {file}"));
    Ok(report.missed.is_empty())
}

fn report(
    options: &Options,
    variants: &[Variant],
    raw: &[(Variant, Figures)],
    machine: Machine,
    versions: BTreeMap<&'static str, String>,
    storage: String,
) -> Report {
    let of = |variant: Variant, figure: fn(&Figures) -> f64, digits| {
        Spread::of(raw.iter().filter(|(one, _)| *one == variant).map(|(_, figures)| figure(figures)), digits)
    };
    let ratio = |work| {
        let per_s = |nodes| of((work, nodes), |f| f.requests_per_s, 0).median;
        let one: f64 = per_s(1);
        if one > 0.0 { (per_s(3) / one * 100.0).round() / 100.0 } else { 0.0 }
    };
    let ratios = Work::ALL.map(|work| (work.name(), ratio(work)));
    let [(_, hot), (_, warm), (_, siblings)] = ratios;
    Report {
        three_vs_one: hot.min(warm).min(siblings),
        hot_three_vs_one: hot,
        warm_three_vs_one: warm,
        siblings_three_vs_one: siblings,
        target: TARGET,
        missed: ratios.iter().filter(|(_, ratio)| *ratio < TARGET).map(|(name, _)| *name).collect(),
        rounds: options.rounds,
        phones: options.phones,
        connections: options.connections,
        profile: places::profile(),
        variants: variants
            .iter()
            .map(|variant| {
                let summary = Summary {
                    requests_per_s: of(*variant, |f| f.requests_per_s, 0),
                    p99_ms: of(*variant, |f| f.p99_ms, 1),
                    cpu_us: of(*variant, |f| f.cpu_us, 0),
                    peak_mib: of(*variant, |f| f.peak_mib, 1),
                };
                (name(*variant), summary)
            })
            .collect(),
        raw: raw.iter().map(|(variant, figures)| (name(*variant), *figures)).collect(),
        checked: "every place that a phone was told is in the database with its number, and no other; nobody has two in one \
                  half day; xinglin check finds nothing; no deadlock",
        postgres_settings: postgres::SETTINGS,
        storage,
        machine,
        versions,
        commit: machine::commit(),
    }
}

/// What a round needs.
struct Round<'a> {
    prepared: &'a Prepared,
    postgres: &'a Postgres,
    folder: &'a Path,
}

impl Round<'_> {
    async fn run(&self, (work, nodes): Variant, connections: u32) -> Result<Figures> {
        let config = self.prepared.copy(self.postgres)?;
        let mut servers = Vec::new();
        for (nth, port) in places::free_ports(nodes)?.into_iter().enumerate() {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let folder = self.folder.join(format!("node-{nth}"));
            std::fs::create_dir_all(&folder)?;
            let settings = settings(&config, address);
            servers.push(Server::start(&folder, address, &["serve"], &settings, PATIENCE).await?);
        }
        let addresses: Vec<SocketAddr> = servers.iter().map(|server| server.address).collect();
        let load = match work {
            Work::Hot => Load::once(&self.prepared.phones, &self.prepared.hot),
            Work::Warm => Load::once(&self.prepared.phones, &self.prepared.warm),
            Work::Siblings => Load::siblings(&self.prepared.phones, &self.prepared.siblings),
        };
        let before = self.cpu(&servers)?;
        let outcome = crowd::run(&addresses, connections, load).await?;
        let spent = self.cpu(&servers)?.saturating_sub(before);
        let db = Db::open_read_only(&config.database.store(), Clock::machine()).await?;
        worked_off(&db).await?;
        let mut peak = 0;
        for server in &servers {
            peak = peak.max(proc::Memory::of(server.pid())?.peak);
        }
        for server in servers {
            server.stop()?;
        }
        ensure!(outcome.wrong.is_empty(), "answers that should not be: {}", outcome.wrong.join("\n"));
        crowd::agrees(&db, &outcome.held).await?;
        let faults = server::check::rows::faults(&db).await?;
        ensure!(faults.is_empty(), "xinglin check: {}", faults.join("; "));
        ensure!(db.one::<One<i64>>(DEADLOCKS, args![]).await?.0 == 0, "the database saw a deadlock");
        db.close().await;
        let requests = f64::from(outcome.requests.max(1));
        let p99 = u32::try_from(outcome.latency.value_at_quantile(0.99)).unwrap_or(u32::MAX);
        Ok(Figures {
            requests_per_s: requests / outcome.took.as_secs_f64(),
            p99_ms: f64::from(p99) / 1e3,
            cpu_us: spent.as_secs_f64() * 1e6 / requests,
            peak_mib: f64::from(peak) / 1024.0,
        })
    }

    fn cpu(&self, servers: &[Server]) -> Result<Duration> {
        let mut sum = proc::cpu_of_family(self.postgres.pid())?;
        for server in servers {
            sum += proc::cpu(server.pid())?;
        }
        Ok(sum)
    }
}

fn settings(config: &Config, address: SocketAddr) -> Vec<(&'static str, String)> {
    vec![
        ("XINGLIN__SERVER__LISTEN", address.to_string()),
        ("XINGLIN__SERVER__PUBLIC_URL", format!("http://{address}")),
        ("XINGLIN__DATABASE__URL", config.database.url.expose().to_owned()),
        ("XINGLIN__KEYS__FILE", config.keys.file.display().to_string()),
        ("XINGLIN__LOG__LEVEL", "warn".to_owned()),
    ]
}

/// Waits until all that follows from the bookings is done.
async fn worked_off(db: &Db) -> Result<()> {
    let since = std::time::Instant::now();
    while db.one::<One<i64>>(LEFT, args![]).await?.0 > 0 {
        ensure!(since.elapsed() < AFTERMATH, "not worked off within {} s", AFTERMATH.as_secs());
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

fn print(report: &Report) {
    let mut rows =
        vec![["", "requests/s", "p99 ms", "CPU µs/request", "MiB peak"].map(str::to_owned).to_vec()];
    for (name, summary) in &report.variants {
        rows.push(vec![
            name.clone(),
            summary.requests_per_s.text(),
            summary.p99_ms.text(),
            summary.cpu_us.text(),
            summary.peak_mib.text(),
        ]);
    }
    out(&table(&rows));
    out(&format!(
        "three nodes against one: hot {}, warm {}, siblings {} (at least {TARGET}); missed: {:?}",
        report.hot_three_vs_one, report.warm_three_vs_one, report.siblings_three_vs_one, report.missed
    ));
    out(&format!(
        "{} phones, {} connections, {} rounds, median [min–max]; {} build; {}; storage {}",
        report.phones, report.connections, report.rounds, report.profile, report.commit, report.storage
    ));
    out(&report.machine.line());
    out(&format!("checked after each round: {}", report.checked));
}
