//! `bench callback`: WeChat's pushes, encrypted as in safe mode, at our entrance; beside wechatpy on gunicorn with two workers,
//! which does the same but keeps nothing, and beside bare axum, which only gives the bytes back.
//!
//! A push is verified, decrypted, parsed, **kept durably**, and only then answered: with the chat's text, encrypted, where the
//! chat has one to say (seven of ten), else with `success`. wechatpy answers the same seven with a text of the same length.
//! What is done about a push after its answer is worked off by our server in the same time and after it; the figures with
//! "aftermath" count that too. Each round has a server and a database of its own, and the variants take turns.

mod load;
mod prepare;
mod pushes;
mod rival;
mod round;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use base::Clock;
use clap::ValueEnum;
use serde::Serialize;

use crate::figures::{Spread, table};
use crate::machine::{self, Machine};
use crate::postgres::{self, Postgres};
use crate::{out, places};
use prepare::Prepared;
use round::{Figures, Round};

/// Pushes of this many followers in turn.
const FOLLOWERS: u32 = 10_000;
const WARM_UP: Duration = Duration::from_millis(500);
/// With so many connections the ratios are taken; the others are told beside.
const MANY: u32 = 256;
const CONNECTIONS: [u32; 2] = [64, MANY];
/// More than any server here can answer in a second.
const PUSHES_PER_S: u32 = 80_000;
/// What the chat answers to most words, as long as that: our wording, wechatpy's work.
const TEXT: &str = "请点这里选科室和医生：\n<a href=\"https://wx.hospital.example/auth/wechat?to=/departments\">预约挂号</a>\n\
                    已经约好的，可以发送“我的”查看。";

/// How it is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many rounds.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// How many seconds each measurement lasts, after half a second of warming up.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,
    /// Only these sides.
    #[arg(long, value_enum)]
    only: Vec<Side>,
    /// Only so many connections.
    #[arg(long)]
    connections: Option<u32>,
    /// Where the databases lie: a folder on a real disk that the user `postgres` can reach.
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// Whose server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Side {
    /// Ours on the embedded database.
    Sqlite,
    /// Ours on PostgreSQL.
    Postgres,
    /// wechatpy on gunicorn.
    Wechatpy,
    /// Bare axum.
    Echo,
}

type Variant = (Side, u32);
/// A line of the table: what it is called, and where it stands.
type Line = (&'static str, fn(&Summary) -> Spread);

fn name((side, connections): Variant) -> String {
    let side = match side {
        Side::Sqlite => "sqlite",
        Side::Postgres => "postgres",
        Side::Wechatpy => "wechatpy",
        Side::Echo => "echo",
    };
    format!("{side} {connections}")
}

/// `target/bench/callback.json`
#[derive(Debug, Serialize)]
struct Report {
    /// Their processor time for a callback over ours on SQLite, at 256 connections, the durable store included.
    cpu_vs_wechatpy: Option<f64>,
    /// The same on PostgreSQL, whose own processor time counts as ours.
    cpu_vs_wechatpy_pg: Option<f64>,
    /// The same on SQLite, with all that follows from a push.
    cpu_vs_wechatpy_with_aftermath: Option<f64>,
    /// Callbacks a second on SQLite over bare axum.
    vs_echo: Option<f64>,
    /// Callbacks a second on PostgreSQL over bare axum.
    vs_echo_pg: Option<f64>,
    targets: BTreeMap<&'static str, f64>,
    missed: Vec<&'static str>,
    rounds: u32,
    seconds: u32,
    followers: u32,
    profile: &'static str,
    /// By side and connections: `sqlite 256`, …
    variants: BTreeMap<String, Summary>,
    /// All rounds as they were measured, in their order.
    raw: Vec<(String, Figures)>,
    checked: &'static str,
    not_measured: &'static str,
    gunicorn: &'static [&'static str],
    postgres_settings: &'static [&'static str],
    storage: String,
    machine: Machine,
    versions: BTreeMap<&'static str, String>,
    commit: String,
}

/// The figures of a variant over all rounds.
#[derive(Debug, Serialize)]
struct Summary {
    callbacks_per_s: Spread,
    p50_ms: Spread,
    p99_ms: Spread,
    /// Processor time of the server for each callback, in microseconds.
    server_cpu_us: Spread,
    /// The same of PostgreSQL.
    database_cpu_us: Spread,
    /// The same of the load generator, on the same machine.
    load_cpu_us: Spread,
    /// Server and PostgreSQL for each push, until all that follows from it is done.
    cpu_us_with_aftermath: Spread,
    /// How long that took after the last answer.
    aftermath_s: Spread,
    peak_mib: Spread,
}

impl Summary {
    fn of(rounds: &[&Figures]) -> Self {
        let of = |figure: fn(&Figures) -> f64, digits| Spread::of(rounds.iter().map(|r| figure(r)), digits);
        Self {
            callbacks_per_s: of(|r| r.callbacks_per_s, 0),
            p50_ms: of(|r| r.p50_ms, 1),
            p99_ms: of(|r| r.p99_ms, 1),
            server_cpu_us: of(|r| r.server_cpu_us, 1),
            database_cpu_us: of(|r| r.database_cpu_us, 1),
            load_cpu_us: of(|r| r.load_cpu_us, 1),
            cpu_us_with_aftermath: of(|r| r.cpu_us_with_aftermath, 1),
            aftermath_s: of(|r| r.aftermath_s, 1),
            peak_mib: of(|r| r.peak_mib, 1),
        }
    }

    fn cpu(&self) -> f64 {
        self.server_cpu_us.median + self.database_cpu_us.median
    }
}

/// Measures, prints, writes. `false` when a target is missed.
pub(crate) async fn run(options: &Options) -> Result<bool> {
    let mut machine = Machine::look();
    let parent = options.folder.clone().unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::Builder::new().prefix("xinglin-bench-").tempdir_in(&parent)?;
    let all = [Side::Sqlite, Side::Wechatpy, Side::Postgres, Side::Echo];
    let sides: Vec<Side> =
        all.into_iter().filter(|side| options.only.is_empty() || options.only.contains(side)).collect();
    let variants: Vec<Variant> = CONNECTIONS
        .iter()
        .filter(|count| options.connections.is_none_or(|only| only == **count))
        .flat_map(|connections| sides.iter().map(|side| (*side, *connections)))
        .collect();
    eprintln!("preparing pushes and followers");
    let count = PUSHES_PER_S.saturating_mul(options.seconds + 1);
    let pushes = pushes::make(count, FOLLOWERS, Clock::machine().now().seconds())?.into();
    let sqlite = Prepared::make(folder.path(), None, FOLLOWERS).await?;
    let server = if sides.contains(&Side::Postgres) { Some(Postgres::start(&parent)?) } else { None };
    let on_server = match &server {
        Some(server) => Some(Prepared::make(folder.path(), Some(server), FOLLOWERS).await?),
        None => None,
    };
    let times = (WARM_UP, Duration::from_secs(u64::from(options.seconds)));
    let postgres = on_server.as_ref().zip(server.as_ref());
    let round =
        Round { sqlite: &sqlite, postgres, pushes: &pushes, folder: folder.path(), text: TEXT, times };
    let mut raw: Vec<(Variant, Figures)> = Vec::new();
    for nth in 0..options.rounds {
        let mut turn = variants.clone();
        turn.rotate_left(usize::try_from(nth)? % variants.len().max(1));
        for variant in turn {
            let figures = round.run(variant).await;
            let figures = figures.with_context(|| format!("{}, round {}", name(variant), nth + 1))?;
            eprintln!(
                "round {} of {}, {}: {:.0} callbacks/s, p99 {:.1} ms, {:.1} + {:.1} µs",
                nth + 1,
                options.rounds,
                name(variant),
                figures.callbacks_per_s,
                figures.p99_ms,
                figures.server_cpu_us,
                figures.database_cpu_us,
            );
            raw.push((variant, figures));
        }
    }
    machine.look_again();
    let mut versions = BTreeMap::from([("xinglin", machine::version(&places::program()?))]);
    if let Some(server) = &server {
        versions.insert("postgres", machine::version(&server.program()));
    }
    if sides.contains(&Side::Wechatpy) {
        versions.extend(python_versions()?);
    }
    let report = report(options, &variants, raw, machine, versions, machine::file_system(&parent));
    print(&report);
    let file = places::write("callback", &report)?;
    out(&format!("\nwritten to {file}"));
    Ok(report.missed.is_empty())
}

fn report(
    options: &Options,
    variants: &[Variant],
    raw: Vec<(Variant, Figures)>,
    machine: Machine,
    versions: BTreeMap<&'static str, String>,
    storage: String,
) -> Report {
    let summaries: BTreeMap<String, Summary> =
        variants.iter().map(|variant| (name(*variant), summary(*variant, &raw))).collect();
    let of = |side, figure: fn(&Summary) -> f64| summaries.get(&name((side, MANY))).map(figure);
    let ratio = |above: Option<f64>, below: Option<f64>| {
        above.zip(below).filter(|(_, below)| *below > 0.0).map(|(a, b)| (a / b * 100.0).round() / 100.0)
    };
    let per_s = |side| of(side, |s| s.callbacks_per_s.median);
    let theirs = of(Side::Wechatpy, Summary::cpu);
    let cpu_vs_wechatpy = ratio(theirs, of(Side::Sqlite, Summary::cpu));
    let vs_echo = ratio(per_s(Side::Sqlite), per_s(Side::Echo));
    let vs_echo_pg = ratio(per_s(Side::Postgres), per_s(Side::Echo));
    let targets = BTreeMap::from([("cpu_vs_wechatpy", 12.0), ("vs_echo", 0.4), ("vs_echo_pg", 0.25)]);
    let reached = [("cpu_vs_wechatpy", cpu_vs_wechatpy), ("vs_echo", vs_echo), ("vs_echo_pg", vs_echo_pg)];
    let missed = reached
        .into_iter()
        .filter(|(name, value)| value.zip(targets.get(name)).is_some_and(|(value, target)| value < *target))
        .map(|(name, _)| name)
        .collect();
    Report {
        cpu_vs_wechatpy,
        cpu_vs_wechatpy_pg: ratio(theirs, of(Side::Postgres, Summary::cpu)),
        cpu_vs_wechatpy_with_aftermath: ratio(theirs, of(Side::Sqlite, |s| s.cpu_us_with_aftermath.median)),
        vs_echo,
        vs_echo_pg,
        targets,
        missed,
        rounds: options.rounds,
        seconds: options.seconds,
        followers: FOLLOWERS,
        profile: places::profile(),
        variants: summaries,
        raw: raw.into_iter().map(|(variant, figures)| (name(variant), figures)).collect(),
        checked: "every push that was acknowledged is kept once and was worked on; of the answers every 200th is opened: a \
                  text for whoever wrote, or success",
        not_measured: "TLS, a network between WeChat and the server, a proxy",
        gunicorn: &rival::GUNICORN,
        postgres_settings: postgres::SETTINGS,
        storage,
        machine,
        versions,
        commit: machine::commit(),
    }
}

fn summary(variant: Variant, raw: &[(Variant, Figures)]) -> Summary {
    Summary::of(&raw.iter().filter(|(one, _)| *one == variant).map(|(_, f)| f).collect::<Vec<_>>())
}

fn python_versions() -> Result<Vec<(&'static str, String)>> {
    let python = rival::python()?;
    let mut found = vec![("python", machine::version(&python))];
    for package in ["wechatpy", "gunicorn"] {
        let ask = format!("from importlib.metadata import version; print(version('{package}'))");
        let output = Command::new(&python).args(["-c", &ask]).output()?;
        found.push((package, String::from_utf8_lossy(&output.stdout).trim().to_owned()));
    }
    Ok(found)
}

fn print(report: &Report) {
    let figures: [Line; 9] = [
        ("callbacks/s", |s| s.callbacks_per_s),
        ("p50 ms", |s| s.p50_ms),
        ("p99 ms", |s| s.p99_ms),
        ("CPU µs/callback, server", |s| s.server_cpu_us),
        ("CPU µs/callback, PostgreSQL", |s| s.database_cpu_us),
        ("CPU µs/callback, load generator", |s| s.load_cpu_us),
        ("CPU µs/push with aftermath", |s| s.cpu_us_with_aftermath),
        ("aftermath s", |s| s.aftermath_s),
        ("MiB peak", |s| s.peak_mib),
    ];
    let mut rows =
        vec![[String::new()].into_iter().chain(report.variants.keys().cloned()).collect::<Vec<_>>()];
    for (name, figure) in figures {
        let cells = report.variants.values().map(|summary| figure(summary).text());
        rows.push([name.to_owned()].into_iter().chain(cells).collect());
    }
    out(&table(&rows));
    let text =
        |value: Option<f64>| value.map_or_else(|| "not measured".to_owned(), |value| value.to_string());
    out(&format!(
        "cpu_vs_wechatpy {} (12), on PostgreSQL {}, with aftermath {}; vs_echo {} (0.4); vs_echo_pg {} (0.25); missed: {:?}",
        text(report.cpu_vs_wechatpy),
        text(report.cpu_vs_wechatpy_pg),
        text(report.cpu_vs_wechatpy_with_aftermath),
        text(report.vs_echo),
        text(report.vs_echo_pg),
        report.missed,
    ));
    out(&format!(
        "{} rounds of {} s, median [min–max]; ratios at {MANY} connections; {} build; {}; storage {}",
        report.rounds, report.seconds, report.profile, report.commit, report.storage
    ));
    out(&report.machine.line());
    out(&format!("checked after each round: {}", report.checked));
    out(&format!("not measured: {}", report.not_measured));
}
