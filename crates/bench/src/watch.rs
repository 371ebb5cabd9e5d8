//! `bench watch`: many people watch many lines, and the lines move.
//!
//! - a node with SQLite: 10,000 open streams over 200 lines, 50 calls a second
//! - two nodes on one PostgreSQL: half of the streams on each, calls to both in turn
//!
//! What is measured: from the sending of a call to the last stream's last byte of the snapshot that shows it (so the call's own
//! transaction is in it, and the commit itself lies somewhere after the beginning); memory for each stream that is open and quiet; and
//! whether any stream still shows an old call at the end, a tenth of them having been cut off and opened again on the way ([`streams`]).

mod prepare;
mod round;
mod streams;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;

use crate::machine::{self, Machine};
use crate::postgres::Postgres;
use crate::{out, places};
use round::{Figures, measure};

/// How it is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many streams are open.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(10..=25_000))]
    streams: u32,
    /// How many lines they watch.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    queues: u32,
    /// How many calls a second.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    calls: u32,
    /// For how many seconds.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(2..=600))]
    seconds: u32,
    /// Only the node with SQLite.
    #[arg(long)]
    one: bool,
    /// Where the databases lie: a folder on a real disk that the user `postgres` can reach.
    #[arg(long)]
    folder: Option<PathBuf>,
}

const P99_MS: f64 = 150.0;
const KIB_PER_STREAM: f64 = 20.0;

/// `target/bench/watch.json`
#[derive(Debug, Serialize)]
struct Report {
    /// The worse of both, in milliseconds: from a call to the last stream's last byte.
    p99_ms: f64,
    /// The larger of both.
    kib_per_stream: f64,
    /// Streams that showed something old at the end, of both.
    stale: usize,
    targets: BTreeMap<&'static str, f64>,
    over: Vec<String>,
    variants: BTreeMap<&'static str, Figures>,
    streams: u32,
    queues: u32,
    calls_per_s: u32,
    seconds: u32,
    profile: &'static str,
    machine: Machine,
    versions: BTreeMap<&'static str, String>,
    commit: String,
}

/// Measures, prints, writes.
pub(crate) async fn run(options: &Options) -> Result<bool> {
    let wanted = u64::from(options.streams) * 2 + 4_096;
    raise_file_limit(wanted)?;
    let mut machine = Machine::look();
    let parent = options.folder.clone().unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::Builder::new().prefix("xinglin-bench-").tempdir_in(&parent)?;
    let mut variants = BTreeMap::new();
    variants.insert("sqlite_one_node", measure(options, folder.path(), None).await?);
    let mut versions = BTreeMap::from([("xinglin", machine::version(&places::program()?))]);
    if !options.one {
        let postgres = Postgres::start(&parent)?;
        variants.insert("postgres_two_nodes", measure(options, folder.path(), Some(&postgres)).await?);
        versions.insert("postgres", machine::version(&postgres.program()));
    }
    machine.look_again();
    let worst = |figure: fn(&Figures) -> f64| variants.values().map(figure).fold(0.0, f64::max);
    let (p99_ms, kib_per_stream) = (worst(|f| f.p99_ms), worst(|f| f.kib_per_stream));
    let stale = variants.values().map(|figures| figures.stale).sum();
    let missing: usize = variants.values().map(|figures| figures.never_shown).sum();
    let mut over = Vec::new();
    if p99_ms > P99_MS {
        over.push(format!("p99_ms: {p99_ms} instead of at most {P99_MS}"));
    }
    if kib_per_stream > KIB_PER_STREAM {
        over.push(format!("kib_per_stream: {kib_per_stream} instead of at most {KIB_PER_STREAM}"));
    }
    if stale + missing > 0 {
        over.push(format!("{stale} stale streams, {missing} calls that no stream ever showed"));
    }
    let report = Report {
        p99_ms,
        kib_per_stream,
        stale,
        targets: BTreeMap::from([("p99_ms", P99_MS), ("kib_per_stream", KIB_PER_STREAM), ("stale", 0.0)]),
        over,
        variants,
        streams: options.streams,
        queues: options.queues,
        calls_per_s: options.calls,
        seconds: options.seconds,
        profile: places::profile(),
        machine,
        versions,
        commit: machine::commit(),
    };
    report.print();
    let file = places::write("watch", &report)?;
    out(&format!("\nwritten to {file}"));
    for word in &report.over {
        out(&format!("not met: {word}"));
    }
    Ok(report.over.is_empty())
}

impl Report {
    fn print(&self) {
        for (name, figures) in &self.variants {
            out(&format!("{name}: {}", figures.line()));
        }
        out(&format!(
            "{} streams over {} lines, {} calls/s for {} s; {} build; {}",
            self.streams, self.queues, self.calls_per_s, self.seconds, self.profile, self.commit
        ));
        out(&self.machine.line());
    }
}

/// Our own limit of open files; the servers that we start inherit it.
fn raise_file_limit(wanted: u64) -> Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let now = getrlimit(Resource::Nofile);
    if now.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    let maximum = now.maximum.map(|maximum| maximum.max(wanted));
    let raised = Rlimit { current: Some(wanted), maximum };
    setrlimit(Resource::Nofile, raised)
        .or_else(|_| setrlimit(Resource::Nofile, Rlimit { current: now.maximum, maximum: now.maximum }))?;
    Ok(())
}
