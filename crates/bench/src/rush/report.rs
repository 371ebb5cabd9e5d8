//! What is written to `target/bench/rush.json`, and what people read.

use std::collections::BTreeMap;

use serde::Serialize;

use super::round::Figures;
use super::{Backend, Heat, Variant, name};
use crate::figures::{Spread, table};
use crate::machine::Machine;
use crate::out;

/// A line of the table: what it is called, and where it stands.
type Line = (&'static str, fn(&Summary) -> Option<Spread>);

/// A figure that is to be reached.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Target {
    value: Option<f64>,
    /// `>=` or `<=`.
    must_be: &'static str,
    than: f64,
    met: bool,
}

/// `target/bench/rush.json`
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Ours over pgbench, medians of the ratios of each round.
    pub(super) pg_hot_vs_pgbench: Option<f64>,
    pub(super) pg_warm_vs_pgbench: Option<f64>,
    /// Bookings a second on SQLite, one slot, 256 connections.
    pub(super) sqlite_hot_per_s: Option<f64>,
    /// Requests a second when all is gone over those of the echo: the smaller one of both databases.
    pub(super) soldout_vs_echo: Option<f64>,
    pub(super) pg_soldout_vs_echo: Option<f64>,
    pub(super) sqlite_soldout_vs_echo: Option<f64>,
    pub(super) rss_idle_mb: f64,
    pub(super) rss_peak_mb: f64,
    pub(super) start_ms: f64,
    /// Each figure beside what it is to be.
    pub(super) targets: BTreeMap<&'static str, Target>,
    /// Which figures are larger than they may be …
    pub(super) over: Vec<String>,
    /// … and which did not reach what they should.
    pub(super) missed: Vec<String>,
    pub(super) phones: u32,
    pub(super) rounds: u32,
    /// Clients of pgbench, hot and warm: those that did best in a trial.
    pub(super) pgbench_clients: Option<[u32; 2]>,
    pub(super) profile: &'static str,
    /// By variant: `hot sqlite 256`, …
    pub(super) variants: BTreeMap<String, Summary>,
    /// All rounds as they were measured, in their order.
    pub(super) raw: Vec<(String, Figures)>,
    /// What each of the rounds must hold against its database; a run in which one does not holds no figures.
    pub(super) checked: &'static str,
    pub(super) not_measured: &'static str,
    /// What differs from PostgreSQL's defaults.
    pub(super) postgres_settings: &'static [&'static str],
    /// Where the databases lay.
    pub(super) storage: String,
    pub(super) machine: Machine,
    pub(super) versions: BTreeMap<&'static str, String>,
    pub(super) commit: String,
}

/// The figures of a variant over all rounds.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    /// Bookings, or where nothing is booked answers.
    per_s: Spread,
    p50_ms: Spread,
    p99_ms: Spread,
    /// Processor time of the server for each request of the load, in microseconds.
    server_cpu_us: Spread,
    /// The same of PostgreSQL.
    database_cpu_us: Spread,
    /// The same of the load generator (or of pgbench itself), on the same machine.
    load_cpu_us: Spread,
    requests_per_batch: Option<Spread>,
    idle_mib: Option<Spread>,
    peak_mib: Option<Spread>,
    ready_ms: Option<Spread>,
    /// Server and PostgreSQL together for each booking, until all that follows from it is done; where that was waited for.
    cpu_us_with_aftermath: Option<Spread>,
    aftermath_s: Option<Spread>,
}

impl Summary {
    fn of(rounds: &[&Figures]) -> Self {
        let of = |figure: fn(&Figures) -> f64, digits| Spread::of(rounds.iter().map(|r| figure(r)), digits);
        let maybe = |figure: fn(&Figures) -> Option<f64>, digits| {
            let values: Vec<f64> = rounds.iter().filter_map(|r| figure(r)).collect();
            (!values.is_empty()).then(|| Spread::of(values, digits))
        };
        Self {
            per_s: of(|r| r.per_s, 0),
            p50_ms: of(|r| r.p50_ms, 1),
            p99_ms: of(|r| r.p99_ms, 1),
            server_cpu_us: of(|r| r.server_cpu_us, 1),
            database_cpu_us: of(|r| r.database_cpu_us, 1),
            load_cpu_us: of(|r| r.load_cpu_us, 1),
            requests_per_batch: maybe(|r| r.ours.as_ref()?.requests_per_batch, 0),
            idle_mib: maybe(|r| Some(r.ours.as_ref()?.idle_mib), 1),
            peak_mib: maybe(|r| Some(r.ours.as_ref()?.peak_mib), 1),
            ready_ms: maybe(|r| Some(r.ours.as_ref()?.ready_ms), 0),
            cpu_us_with_aftermath: maybe(|r| r.ours.as_ref()?.cpu_us_with_aftermath, 0),
            aftermath_s: maybe(|r| r.ours.as_ref()?.aftermath_s, 1),
        }
    }
}

/// The variants, each with its figures of all rounds.
pub(super) fn summaries(variants: &[Variant], raw: &[(Variant, Figures)]) -> BTreeMap<String, Summary> {
    let of =
        |variant: &Variant| raw.iter().filter(|(one, _)| one == variant).map(|(_, f)| f).collect::<Vec<_>>();
    variants.iter().map(|variant| (name(*variant), Summary::of(&of(variant)))).collect()
}

/// How one variant compares with another: the median of the ratios of the same rounds.
pub(super) fn ratio(raw: &[(Variant, Figures)], one: Variant, other: Variant) -> Option<f64> {
    let of = |variant| raw.iter().filter(move |(v, _)| *v == variant).map(|(_, f)| f.per_s);
    let ratios: Vec<f64> = of(one).zip(of(other)).map(|(one, other)| one / other).collect();
    (!ratios.is_empty()).then(|| Spread::of(ratios, 2).median)
}

impl Report {
    /// Holds the figures against what they are to be.
    pub(super) fn judge(&mut self) {
        let least = [
            ("pg_hot_vs_pgbench", self.pg_hot_vs_pgbench, 12.0),
            ("pg_warm_vs_pgbench", self.pg_warm_vs_pgbench, 2.5),
            ("soldout_vs_echo", self.soldout_vs_echo, 0.5),
        ];
        for (what, value, than) in least {
            let met = value.is_some_and(|value| value >= than);
            if !met {
                self.missed.push(format!("{what}: {} instead of at least {than}", text(value)));
            }
            self.targets.insert(what, Target { value, must_be: ">=", than, met });
        }
        for (what, value, than) in
            [("start_ms", self.start_ms, 50.0), ("rss_idle_mb", self.rss_idle_mb, 30.0)]
        {
            // Nothing that was measured is 0.
            let met = value > 0.0 && value <= than;
            if !met {
                self.over.push(format!("{what}: {value} instead of at most {than}"));
            }
            self.targets.insert(what, Target { value: Some(value), must_be: "<=", than, met });
        }
    }

    /// Whether all of them are.
    pub(super) fn is_good(&self) -> bool {
        self.over.is_empty() && self.missed.is_empty()
    }

    /// For people.
    pub(super) fn print(&self) {
        let figures: [Line; 12] = [
            ("bookings/s or answers/s", |s| Some(s.per_s)),
            ("p50 ms", |s| Some(s.p50_ms)),
            ("p99 ms", |s| Some(s.p99_ms)),
            ("CPU µs/request, server", |s| Some(s.server_cpu_us)),
            ("CPU µs/request, PostgreSQL", |s| Some(s.database_cpu_us)),
            ("CPU µs/request, load", |s| Some(s.load_cpu_us)),
            ("requests decided together", |s| s.requests_per_batch),
            ("MiB idle", |s| s.idle_mib),
            ("MiB peak", |s| s.peak_mib),
            ("ready after ms", |s| s.ready_ms),
            ("CPU µs/booking with aftermath", |s| s.cpu_us_with_aftermath),
            ("aftermath s", |s| s.aftermath_s),
        ];
        // One line for each variant: there are more of them than fit side by side.
        let shown: Vec<Line> = figures
            .into_iter()
            .filter(|(_, figure)| self.variants.values().any(|s| figure(s).is_some()))
            .collect();
        let head = std::iter::once(String::new()).chain(shown.iter().map(|(name, _)| (*name).to_owned()));
        let mut rows = vec![head.collect::<Vec<_>>()];
        for (name, summary) in &self.variants {
            let cells =
                shown.iter().map(|(_, figure)| figure(summary).map_or_else(String::new, |s| s.text()));
            rows.push(std::iter::once(name.clone()).chain(cells).collect());
        }
        out(&table(&rows));
        for (what, target) in &self.targets {
            let word = if target.met { "met" } else { "NOT MET" };
            out(&format!("{what}: {} ({} {}: {word})", text(target.value), target.must_be, target.than));
        }
        out(&format!("sqlite_hot_per_s: {}; rss_peak_mb: {}", text(self.sqlite_hot_per_s), self.rss_peak_mb));
        out(&format!(
            "{} phones, {} rounds, median [min–max]; {} build; {}; storage {}",
            self.phones, self.rounds, self.profile, self.commit, self.storage
        ));
        out(&self.machine.line());
        out(&format!("checked after each round: {}", self.checked));
        out(&format!("not measured: {}", self.not_measured));
    }
}

fn text(value: Option<f64>) -> String {
    value.map_or_else(|| "not measured".to_owned(), |value| value.to_string())
}

/// The ratios that the issue is about, as far as they were measured.
pub(super) fn headline(report: &mut Report, raw: &[(Variant, Figures)]) {
    let ours = |heat, backend| Variant::Ours(heat, backend, 256);
    let vs = |heat, backend, other| ratio(raw, ours(heat, backend), other);
    report.pg_hot_vs_pgbench = vs(Heat::Hot, Backend::Postgres, Variant::Pgbench(Heat::Hot));
    report.pg_warm_vs_pgbench = vs(Heat::Warm, Backend::Postgres, Variant::Pgbench(Heat::Warm));
    report.pg_soldout_vs_echo = vs(Heat::SoldOut, Backend::Postgres, Variant::Echo(256));
    report.sqlite_soldout_vs_echo = vs(Heat::SoldOut, Backend::Sqlite, Variant::Echo(256));
    report.soldout_vs_echo =
        [report.pg_soldout_vs_echo, report.sqlite_soldout_vs_echo].into_iter().flatten().reduce(f64::min);
    let rounds = |variant: Variant| raw.iter().filter(move |(one, _)| *one == variant).map(|(_, f)| f.per_s);
    let hot: Vec<f64> = rounds(ours(Heat::Hot, Backend::Sqlite)).collect();
    report.sqlite_hot_per_s = (!hot.is_empty()).then(|| Spread::of(hot, 0).median);
    let all: Vec<_> = raw.iter().filter_map(|(_, f)| f.ours.as_ref()).collect();
    report.rss_idle_mb = Spread::of(all.iter().map(|o| o.idle_mib * MB), 1).median;
    report.rss_peak_mb = Spread::of(all.iter().map(|o| o.peak_mib * MB), 1).max;
    report.start_ms = Spread::of(all.iter().map(|o| o.ready_ms), 1).median;
}

/// A MiB in MB.
const MB: f64 = 1.048_576;

#[cfg(test)]
mod tests {
    use super::*;

    fn round(per_s: f64) -> Figures {
        Figures { per_s, ..Figures::default() }
    }

    #[test]
    fn a_ratio_is_of_the_same_rounds() {
        let (ours, theirs) = (Variant::Ours(Heat::Hot, Backend::Postgres, 256), Variant::Pgbench(Heat::Hot));
        let raw = [(ours, round(10.0)), (theirs, round(1.0)), (theirs, round(2.0)), (ours, round(40.0))];
        assert_eq!(ratio(&raw, ours, theirs), Some(15.0), "10 and 20");
        assert_eq!(ratio(&raw, ours, Variant::RawSqlite(1)), None);
    }
}
