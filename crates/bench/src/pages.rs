//! `bench pages`: how soon the patient app is of use on a slow phone with a slow network.
//!
//! The demonstration hospital is started with the real server and its compressed pages; `web/e2e/bench/pages.mjs` drives
//! Chromium (processor four times slower, 562 ms for each request, 1.44 Mbit/s) and measures; the weights come from
//! `web/scripts/budgets.mjs`. Budgets hold for both places where people arrive by themselves: home, and the list of
//! departments (the chat's link).

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use crate::child::Server;
use crate::figures::{Spread, table};
use crate::machine::{self, Machine};
use crate::{out, places};

/// Making the demonstration hospital takes seconds, in a dev build on a busy machine more.
const PATIENCE: Duration = Duration::from_secs(180);
/// First contentful paint, largest contentful paint, first useful row: milliseconds.
const BUDGET: [(&str, f64); 3] = [("fcp_ms", 1_500.0), ("lcp_ms", 2_000.0), ("first_useful_ms", 2_500.0)];
/// What the first screen needs, and the heaviest part that comes later: KiB after gzip.
const WEIGHT: [(&str, f64); 2] = [("entry_gz_kib", 50.0), ("worst_lazy_gz_kib", 15.0)];
/// The screens whose first load the budgets are for.
const JUDGED: [&str; 2] = ["departments", "home"];
/// In the order of the way to a booking.
const SCREENS: [&str; 6] = ["home", "departments", "doctors", "doctor", "slots", "confirm"];

/// How it is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many rounds; one more before them warms up and does not count.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// The browser.
    #[arg(long, env = "CHROMIUM", default_value = "/usr/bin/chromium")]
    chromium: PathBuf,
}

/// A first load, as the browser's script tells it.
#[derive(Debug, Deserialize)]
struct Cold {
    fcp: f64,
    lcp: f64,
    useful: f64,
    long: f64,
    kib: f64,
    kib_all: f64,
    requests: f64,
}

/// A tap, until what it leads to can be seen.
#[derive(Debug, Deserialize)]
struct Tap {
    useful: f64,
    long: f64,
    kib: f64,
}

#[derive(Debug, Deserialize)]
struct Found {
    browser: String,
    cold: BTreeMap<String, Vec<Cold>>,
    taps: BTreeMap<String, Vec<Tap>>,
    wire: Vec<serde_json::Value>,
}

/// The figures of a first load over all rounds.
#[derive(Debug, Serialize)]
struct ColdFigures {
    fcp_ms: Spread,
    lcp_ms: Spread,
    first_useful_ms: Spread,
    /// The sum of tasks of more than 50 ms until then.
    long_tasks_ms: Spread,
    /// Over the wire until then, headers counted.
    kib: Spread,
    /// Over the wire until the network is quiet: what is fetched ahead, too.
    kib_all: Spread,
    requests: Spread,
}

/// The figures of a tap over all rounds.
#[derive(Debug, Serialize)]
struct TapFigures {
    useful_ms: Spread,
    long_tasks_ms: Spread,
    kib: Spread,
}

/// `target/bench/pages.json`
#[derive(Debug, Serialize)]
struct Report {
    /// Medians of the first load of the list of departments.
    fcp_ms: f64,
    lcp_ms: f64,
    first_useful_ms: f64,
    entry_gz_kib: f64,
    worst_lazy_gz_kib: f64,
    budgets: BTreeMap<&'static str, f64>,
    /// What is over its budget, in words. Empty when all is well.
    over: Vec<String>,
    rounds: u32,
    profile: &'static str,
    /// How the phone was made slow.
    conditions: &'static str,
    /// Each screen as the first one.
    cold: BTreeMap<String, ColdFigures>,
    /// From home by taps, each once the screen before has come to rest.
    taps: BTreeMap<String, TapFigures>,
    /// Every answer of the last round's first loads, with its size before and after compression.
    wire: Vec<serde_json::Value>,
    machine: Machine,
    versions: BTreeMap<&'static str, String>,
    commit: String,
}

/// Measures, prints, writes; `false` when a budget is missed.
pub(crate) async fn run(options: &Options) -> Result<bool> {
    let mut machine = Machine::look();
    let (entry, lazy) = weights()?;
    let folder = tempfile::Builder::new().prefix("xinglin-bench-").tempdir()?;
    let ports = places::free_ports(2)?;
    let [port, sim_port] = ports.as_slice() else { bail!("two ports are needed") };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, *port));
    let data = folder.path().join("demo").display().to_string();
    let (port, sim_port) = (port.to_string(), sim_port.to_string());
    let args = ["demo", "--data", &data, "--port", &port, "--sim-port", &sim_port];
    eprintln!("starting the demonstration hospital");
    let server = Server::start(folder.path(), address, &args, &[], PATIENCE).await?;
    let found = measure(options, address, folder.path()).await?;
    server.stop()?;
    machine.look_again();
    let report = report(options, machine, found, entry, lazy)?;
    print(&report);
    let file = places::write("pages", &report)?;
    out(&format!("\nwritten to {file}"));
    Ok(report.over.is_empty())
}

/// KiB after gzip of the patient app's entry and of its heaviest later part, from the build.
fn weights() -> Result<(f64, f64)> {
    let mut command = Command::new("node");
    command.arg("scripts/budgets.mjs").current_dir(places::root("web")).stderr(Stdio::inherit());
    let output = command.output().context("node is needed")?;
    let text = String::from_utf8_lossy(&output.stdout);
    parse_weights(&text).with_context(|| format!("web/scripts/budgets.mjs said:\n{text}"))
}

/// Lines such as `patient    39.4 / 50 KiB gz  entry`.
fn parse_weights(text: &str) -> Option<(f64, f64)> {
    let mut parts = text.lines().filter_map(|line| {
        let mut words = line.strip_prefix("patient")?.split_whitespace();
        let kib: f64 = words.next()?.parse().ok()?;
        Some((words.next_back()?, kib))
    });
    let (first, entry) = parts.next()?;
    let lazy = parts.filter(|(name, _)| *name != "index.html").map(|(_, kib)| kib);
    (first == "entry").then(|| (entry, lazy.fold(0.0, f64::max)))
}

async fn measure(options: &Options, address: SocketAddr, folder: &Path) -> Result<Found> {
    let file = folder.join("pages.json");
    let mut command = tokio::process::Command::new("node");
    command.arg("e2e/bench/pages.mjs").current_dir(places::root("web"));
    command.args(["--url", &format!("http://{address}")]).arg("--out").arg(&file);
    command.args(["--rounds", &options.rounds.to_string()]).arg("--chromium").arg(&options.chromium);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let status = command.status().await.context("node is needed")?;
    if !status.success() {
        bail!("the browser could not measure ({status})");
    }
    let text = std::fs::read_to_string(&file)?;
    serde_json::from_str(&text).context("what the browser measured can't be read")
}

fn report(options: &Options, machine: Machine, found: Found, entry: f64, lazy: f64) -> Result<Report> {
    let cold: BTreeMap<String, ColdFigures> =
        found.cold.iter().map(|(name, rounds)| (name.clone(), cold_figures(rounds))).collect();
    let taps = found.taps.iter().map(|(name, rounds)| (name.clone(), tap_figures(rounds))).collect();
    let list = cold.get("departments").context("the list of departments was not measured")?;
    let (fcp_ms, lcp_ms, first_useful_ms) =
        (list.fcp_ms.median, list.lcp_ms.median, list.first_useful_ms.median);
    let versions = [
        ("xinglin", machine::version(&places::program()?)),
        ("browser", found.browser),
        ("node", machine::version(Path::new("node"))),
    ];
    let over = over(&cold, [entry, lazy]);
    Ok(Report {
        fcp_ms,
        lcp_ms,
        first_useful_ms,
        entry_gz_kib: entry,
        worst_lazy_gz_kib: lazy,
        budgets: BUDGET.into_iter().chain(WEIGHT).collect(),
        over,
        rounds: options.rounds,
        profile: places::profile(),
        conditions: "390x844, processor 4 times slower, 562.5 ms for each request, 1.44 Mbit/s, cold cache",
        cold,
        taps,
        wire: found.wire,
        machine,
        versions: versions.into_iter().collect(),
        commit: machine::commit(),
    })
}

fn cold_figures(rounds: &[Cold]) -> ColdFigures {
    let of = |figure: fn(&Cold) -> f64, digits| Spread::of(rounds.iter().map(figure), digits);
    ColdFigures {
        fcp_ms: of(|r| r.fcp, 0),
        lcp_ms: of(|r| r.lcp, 0),
        first_useful_ms: of(|r| r.useful, 0),
        long_tasks_ms: of(|r| r.long, 0),
        kib: of(|r| r.kib, 1),
        kib_all: of(|r| r.kib_all, 1),
        requests: of(|r| r.requests, 0),
    }
}

fn tap_figures(rounds: &[Tap]) -> TapFigures {
    let of = |figure: fn(&Tap) -> f64, digits| Spread::of(rounds.iter().map(figure), digits);
    TapFigures { useful_ms: of(|r| r.useful, 0), long_tasks_ms: of(|r| r.long, 0), kib: of(|r| r.kib, 1) }
}

/// What is over its budget.
fn over(cold: &BTreeMap<String, ColdFigures>, weights: [f64; 2]) -> Vec<String> {
    let mut over = Vec::new();
    for name in JUDGED {
        let Some(screen) = cold.get(name) else {
            over.push(format!("{name} was not measured"));
            continue;
        };
        for ((figure, budget), spread) in
            BUDGET.into_iter().zip([screen.fcp_ms, screen.lcp_ms, screen.first_useful_ms])
        {
            if spread.median > budget {
                over.push(format!("{name}: {figure} is {}, more than {budget}", spread.median));
            }
        }
    }
    for ((figure, budget), kib) in WEIGHT.into_iter().zip(weights) {
        if kib > budget {
            over.push(format!("{figure} is {kib}, more than {budget}"));
        }
    }
    over
}

fn print(report: &Report) {
    let head = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let mut rows = vec![head(&[
        "first load",
        "FCP ms",
        "LCP ms",
        "useful ms",
        "long tasks ms",
        "KiB",
        "KiB with ahead",
    ])];
    for name in SCREENS {
        if let Some(f) = report.cold.get(name) {
            let figures = [f.fcp_ms, f.lcp_ms, f.first_useful_ms, f.long_tasks_ms, f.kib, f.kib_all];
            rows.push([name.to_owned()].into_iter().chain(figures.iter().map(Spread::text)).collect());
        }
    }
    out(&table(&rows));
    let mut rows = vec![head(&["tap, then", "useful ms", "long tasks ms", "KiB"])];
    for name in SCREENS {
        if let Some(f) = report.taps.get(name) {
            let figures = [f.useful_ms, f.long_tasks_ms, f.kib];
            rows.push([name.to_owned()].into_iter().chain(figures.iter().map(Spread::text)).collect());
        }
    }
    out(&table(&rows));
    out(&format!(
        "entry {} KiB gz, heaviest later part {} KiB gz; budgets: {}",
        report.entry_gz_kib,
        report.worst_lazy_gz_kib,
        BUDGET
            .iter()
            .chain(&WEIGHT)
            .map(|(name, most)| format!("{name} {most}"))
            .collect::<Vec<_>>()
            .join(", ")
    ));
    out(&format!("{} rounds, median [min–max]; {} build; {}", report.rounds, report.profile, report.commit));
    out(&report.machine.line());
    match report.over.as_slice() {
        [] => out("all within budget"),
        over => over.iter().for_each(|line| out(&format!("OVER BUDGET: {line}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(fcp: f64, lcp: f64, useful: f64) -> ColdFigures {
        cold_figures(&[Cold { fcp, lcp, useful, long: 1.0, kib: 2.0, kib_all: 3.0, requests: 4.0 }])
    }

    #[test]
    fn both_places_of_arrival_are_judged() {
        let cold = |home, list| BTreeMap::from([("home".to_owned(), home), ("departments".to_owned(), list)]);
        let good = || screen(1_500.0, 2_000.0, 2_500.0);
        assert!(over(&cold(good(), good()), [50.0, 15.0]).is_empty());
        assert_eq!(over(&cold(screen(1_501.0, 1.0, 1.0), good()), [1.0, 1.0]).len(), 1);
        assert_eq!(over(&cold(good(), screen(1.0, 2_001.0, 2_501.0)), [50.1, 15.1]).len(), 4);
        assert_eq!(over(&BTreeMap::new(), [1.0, 1.0]).len(), 2);
    }

    #[test]
    fn weights_are_those_of_the_patient_app() {
        let text = "patient    39.4 / 50 KiB gz  entry\npatient     2.6 / 6 KiB gz  index.html\n\
                    patient     2.0 / 15 KiB gz  screens/Home.vue\n\
                    patient    16.1 / 15 KiB gz  OVER  screens/Confirm.vue\n\
                    simulator  60.0 / 90 KiB gz  entry\n";
        assert_eq!(parse_weights(text), Some((39.4, 16.1)));
        assert_eq!(parse_weights("simulator  60.0 / 90 KiB gz  entry\n"), None);
    }
}
