//! `bench day`: a hospital's day, twice: everybody comes early and takes a number; and with appointments, check-in, calls.
//!
//! The program is a process of its own that serves by a clock which we set (`xinglin rehearse`); what happens in the hospital happens
//! through its API, asked by desks and phones with sessions of their own. Both days have the same people, doctors, consultations,
//! exams and breaks, drawn from a seed ([`plan`]). The first day is also what the program knows of the doctors' pace on the second.
//!
//! Waits are from being there to the first call: whoever comes twenty minutes before their segment waits those too.
//! What is told of a wait when somebody checks in is held against when they are called.

mod chance;
mod clock;
mod floor;
mod phones;
mod picture;
mod plan;
mod play;
mod prepare;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use base::{Clock, Date};
use serde::Serialize;

use crate::child::Server;
use crate::machine::{self, Machine};
use crate::proc::{self, Memory};
use crate::rush::round::settings;
use crate::{out, places};
use clock::Hands;
use phones::{Phones, Shown};
use plan::{Day, HOUR, SEGMENT, SITTINGS};
use play::{Play, Played};

/// How it is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many come on the day.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(50..=50_000))]
    outpatients: u32,
    /// What chance begins with: the same seed is the same day.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Of those who have booked every so manieth looks at their phone while they wait.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    watch_every: u32,
    /// Where the database lies: a folder on a real disk.
    #[arg(long)]
    folder: Option<PathBuf>,
}

const COVERAGE: (f64, f64) = (0.75, 0.85);
const MISSED_EARLIEST: f64 = 0.02;
const PATIENCE: Duration = Duration::from_secs(120);
/// The day on which everybody takes a number, and the one with appointments: two working days.
const WITHOUT: Date = Date::constant(2027, 3, 2);
const WITH: Date = Date::constant(2027, 3, 3);

/// One of both days.
#[derive(Debug, Clone, Serialize)]
struct Figures {
    came: usize,
    /// Seen to the end.
    seen: usize,
    wait_p50_min: f64,
    wait_p90_min: f64,
    /// From the start of the segment, or from check-in when that was later, of those who had booked.
    after_start_p50_min: f64,
    after_start_p90_min: f64,
    /// The most people who waited at one moment.
    most_waiting: u32,
    /// How often the call came within what was told at check-in …
    range_coverage: f64,
    /// … of so many who were told.
    told: usize,
    /// How long the range that was told is, in minutes.
    range_p50_min: f64,
    /// How often it came before what was told …
    before_range: f64,
    /// … and after.
    after_range: f64,
    /// How often it came before the moment until which they were told they may be away …
    missed_earliest: f64,
    /// … of so many who were told one.
    told_earliest: usize,
    utilisation: f64,
    requests: u32,
    took_s: f64,
    /// How many times as fast as the hospital.
    speed: f64,
    server_cpu_s: f64,
}

/// `target/bench/day.json`
#[derive(Debug, Serialize)]
struct Report {
    wait_p50_without_min: f64,
    wait_p50_with_min: f64,
    wait_p90_without_min: f64,
    wait_p90_with_min: f64,
    range_coverage: f64,
    missed_earliest: f64,
    /// From the sending of a call to the phone's stream showing it.
    push_p50_ms: f64,
    push_p99_ms: f64,
    pushes: usize,
    /// Phones that watched and never showed their call.
    never_shown: usize,
    utilisation: f64,
    server_cpu_s: f64,
    rss_peak_mb: f64,
    missed: Vec<&'static str>,
    without: Figures,
    with: Figures,
    outpatients: u32,
    doctors: usize,
    seed: u64,
    profile: &'static str,
    storage: String,
    machine: Machine,
    versions: BTreeMap<&'static str, String>,
    commit: String,
}

/// Plays both days, prints, writes.
pub(crate) async fn run(options: &Options) -> Result<bool> {
    let mut machine = Machine::look();
    let parent = options.folder.clone().unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::Builder::new().prefix("xinglin-bench-").tempdir_in(&parent)?;
    let day = Day::of(options.seed, options.outpatients);
    eprintln!("{} doctors, {} patients", day.doctors.len(), day.patients.len());
    let at = |date: Date, hour: u32| prepare::instant(date, hour * HOUR);
    let made = prepare::hospital(folder.path(), &day, WITH, Clock::manual(at(WITHOUT, 5))).await?;
    prepare::complete(&made, &day)?;
    let port = places::free_ports(1)?.first().copied().unwrap_or_default();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let start = at(WITHOUT, 5).0.to_string();
    let args = ["rehearse", "--at", &start];
    let (server, input, output) =
        Server::start_talking(folder.path(), address, &args, &settings(&made.config, address), PATIENCE)
            .await?;
    let mut hands = Hands::new(input, output);
    eprintln!("making {} lines", made.doctors.len());
    let queues = floor::lines(address, &made, &day).await?;
    floor::seats(address, &made, &queues).await?;
    let watch_every = usize::try_from(options.watch_every)?;
    eprintln!("the day on which everybody takes a number");
    let spent = proc::cpu(server.pid())?;
    let play =
        Play { day: &day, made: &made, queues: &queues, address, date: WITHOUT, booked: false, watch_every };
    let first = play.run(&mut hands, &mut Phones::new(address)).await?;
    let without = figures(&day, &first, false, proc::cpu(server.pid())?.saturating_sub(spent))?;
    eprintln!("{}", without.line());
    hands.set(at(WITHOUT, 22))?;
    eprintln!("booking for the next day");
    floor::book(address, &made, &day).await?;
    floor::by_segment(address, &made, &queues).await?;
    hands.set(at(WITH, 5))?;
    floor::seats(address, &made, &queues).await?;
    eprintln!("the day with appointments");
    let spent = proc::cpu(server.pid())?;
    let mut phones = Phones::new(address);
    let play = Play { queues: &queues, date: WITH, booked: true, ..play };
    let second = play.run(&mut hands, &mut phones).await?;
    let with = figures(&day, &second, true, proc::cpu(server.pid())?.saturating_sub(spent))?;
    eprintln!("{}", with.line());
    let shown = phones.end().await;
    let peak = f64::from(Memory::of(server.pid())?.peak) / 1024.0;
    drop(hands);
    server.stop()?;
    machine.look_again();
    let report =
        report(options, &day, (without, with), &shown, peak, (machine, machine::file_system(&parent)))?;
    report.print();
    let file = places::write("day", &report)?;
    std::fs::write(places::root("target/bench/day.svg"), picture::draw(&first.stays, &second.stays))?;
    out(&format!("\nwritten to {file} and target/bench/day.svg"));
    for name in &report.missed {
        out(&format!("not met: {name}"));
    }
    Ok(report.missed.is_empty())
}

fn figures(day: &Day, played: &Played, booked: bool, cpu: Duration) -> Result<Figures> {
    let came = || played.stays.iter().zip(&day.patients).filter(|(stay, _)| stay.arrived.is_some());
    let mut waits = Vec::new();
    let mut after_start = Vec::new();
    let mut ranges = Vec::new();
    let (mut within, mut before, mut after, mut told, mut told_earliest, mut too_early) = (0, 0, 0, 0, 0, 0);
    for (stay, patient) in came() {
        let (Some(arrived), Some(called)) = (stay.arrived, stay.called) else { continue };
        waits.push(minutes(called - arrived));
        if let Some(segment) = patient.segment.filter(|_| booked) {
            let (start, _) = SITTINGS.get(patient.sitting).copied().unwrap_or_default();
            let start = start + SEGMENT * u32::try_from(segment)?;
            after_start.push(minutes(called.saturating_sub(arrived.max(start))));
        }
        let Some(said) = stay.told else { continue };
        let called = i64::from(called);
        told += 1;
        within += usize::from((said.low..=said.high).contains(&called));
        before += usize::from(called < said.low);
        after += usize::from(called > said.high);
        ranges.push(minutes(u32::try_from((said.high - said.low).max(0))?));
        if let Some(earliest) = said.earliest {
            told_earliest += 1;
            too_early += usize::from(called < earliest);
        }
    }
    let seconds = played.took.as_secs_f64();
    Ok(Figures {
        came: came().count(),
        seen: played.stays.iter().filter(|stay| stay.seen).count(),
        wait_p50_min: tenth(quantile(&mut waits, 0.5)),
        wait_p90_min: tenth(quantile(&mut waits, 0.9)),
        after_start_p50_min: tenth(quantile(&mut after_start, 0.5)),
        after_start_p90_min: tenth(quantile(&mut after_start, 0.9)),
        most_waiting: picture::waiting(&played.stays).into_iter().max().unwrap_or(0),
        range_coverage: share(within, told)?,
        told,
        range_p50_min: tenth(quantile(&mut ranges, 0.5)),
        before_range: share(before, told)?,
        after_range: share(after, told)?,
        missed_earliest: share(too_early, told_earliest)?,
        told_earliest,
        utilisation: (played.utilisation * 1e3).round() / 1e3,
        requests: played.requests,
        took_s: tenth(seconds),
        speed: tenth(f64::from(played.seconds) / seconds.max(0.001)),
        server_cpu_s: tenth(cpu.as_secs_f64()),
    })
}

fn report(
    options: &Options,
    day: &Day,
    (without, with): (Figures, Figures),
    shown: &Shown,
    rss_peak_mb: f64,
    (machine, storage): (Machine, String),
) -> Result<Report> {
    ensure!(with.told > 0, "nobody was told how long they will wait");
    let mut took: Vec<f64> = shown.took.iter().map(|took| took.as_secs_f64() * 1e3).collect();
    let covered = (COVERAGE.0..=COVERAGE.1).contains(&with.range_coverage);
    let asked = [
        ("range_coverage", covered),
        ("missed_earliest", with.missed_earliest < MISSED_EARLIEST),
        ("wait_p50_with_min", with.wait_p50_min < without.wait_p50_min),
        ("never_shown", shown.never == 0),
    ];
    Ok(Report {
        wait_p50_without_min: without.wait_p50_min,
        wait_p50_with_min: with.wait_p50_min,
        wait_p90_without_min: without.wait_p90_min,
        wait_p90_with_min: with.wait_p90_min,
        range_coverage: with.range_coverage,
        missed_earliest: with.missed_earliest,
        push_p50_ms: tenth(quantile(&mut took, 0.5)),
        push_p99_ms: tenth(quantile(&mut took, 0.99)),
        pushes: took.len(),
        never_shown: shown.never,
        utilisation: with.utilisation,
        server_cpu_s: with.server_cpu_s,
        rss_peak_mb: tenth(rss_peak_mb),
        missed: asked.iter().filter(|(_, well)| !well).map(|(name, _)| *name).collect(),
        without,
        with,
        outpatients: options.outpatients,
        doctors: day.doctors.len(),
        seed: options.seed,
        profile: places::profile(),
        storage,
        machine,
        versions: BTreeMap::from([("xinglin", machine::version(&places::program()?))]),
        commit: machine::commit(),
    })
}

impl Figures {
    fn line(&self) -> String {
        format!(
            "{} came, {} seen; wait p50 {} min, p90 {} min; at most {} waited; called within the range told {:.1} % \
             ({:.1} % before, {:.1} % after, range p50 {} min), before the earliest {:.1} % of {}; doctors busy {:.1} %; \
             {} requests, {} s CPU, {} times as fast as the hospital",
            self.came,
            self.seen,
            self.wait_p50_min,
            self.wait_p90_min,
            self.most_waiting,
            self.range_coverage * 1e2,
            self.before_range * 1e2,
            self.after_range * 1e2,
            self.range_p50_min,
            self.missed_earliest * 1e2,
            self.told_earliest,
            self.utilisation * 1e2,
            self.requests,
            self.server_cpu_s,
            self.speed
        )
    }
}

impl Report {
    fn print(&self) {
        out(&format!("everybody takes a number: {}", self.without.line()));
        out(&format!("with appointments: {}", self.with.line()));
        out(&format!(
            "from the start of the segment: p50 {} min, p90 {} min",
            self.with.after_start_p50_min, self.with.after_start_p90_min
        ));
        out(&format!(
            "a call on the phone: p50 {} ms, p99 {} ms, of {} phones that were looked at; {} never showed it; at most {} MiB",
            self.push_p50_ms, self.push_p99_ms, self.pushes, self.never_shown, self.rss_peak_mb
        ));
        out(&format!(
            "{} outpatients, {} doctors, seed {}; {} build; {}; storage {}",
            self.outpatients, self.doctors, self.seed, self.profile, self.commit, self.storage
        ));
        out(&self.machine.line());
    }
}

fn minutes(seconds: u32) -> f64 {
    f64::from(seconds) / 60.0
}

fn share(some: usize, all: usize) -> Result<f64> {
    let (some, all) = (u32::try_from(some)?, u32::try_from(all.max(1))?);
    Ok((f64::from(some) / f64::from(all) * 1e4).round() / 1e4)
}

/// The value that so large a part of all is not above; 0 of none. Sorts them.
fn quantile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = f64::from(u32::try_from(values.len().saturating_sub(1)).unwrap_or(0));
    let nth = usize::try_from(chance::whole((last * part).round())).unwrap_or(0);
    values.get(nth).copied().unwrap_or(0.0)
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_sorted_values() {
        let mut values = [5.0, 1.0, 3.0, 2.0, 4.0];
        assert_eq!(quantile(&mut values, 0.5), 3.0);
        assert_eq!(quantile(&mut values, 0.9), 5.0);
        assert_eq!(quantile(&mut [], 0.5), 0.0);
        assert_eq!(share(1, 3).unwrap(), 0.3333);
    }
}
