//! A release: thousands of people ask for a few hundred numbers that are released at a set second, each on a connection of
//! their own, through the rush entrance; on SQLite, and on three nodes with one PostgreSQL.
//!
//! People come within the first second after the release, in the first half of it more than in the second; one in ten comes
//! within the second after that and stands behind the draw. Each asks once, gets a ticket, and asks for the ticket until it was
//! their turn. Final answers and the last number are counted from the end of the first second: before that nobody is
//! served. Afterwards the database is compared with what every phone was told, and looks at itself (`xinglin check`).

mod people;
mod prepare;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use base::{Clock, UnixMs};
use serde::Serialize;
use store::value::{One, Row};
use store::{Db, Sql, args};

use crate::child::Server;
use crate::machine::{self, Machine};
use crate::postgres::Postgres;
use crate::{out, places};
use people::Told;

/// Targets, from the end of the first second.
const P99_MS: f64 = 2_000.0;
const TO_LAST_MS: f64 = 1_000.0;
const PATIENCE: Duration = Duration::from_secs(60);

const SOLD_TEXT: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM appointment WHERE state = 'booked'";
const SOLD: Sql = Sql { name: "SOLD", sqlite: SOLD_TEXT, postgres: SOLD_TEXT };
const OVER_TEXT: &str = "SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM (
    SELECT COUNT(a.id) - s.capacity AS n FROM slot s JOIN appointment a ON a.slot_id = s.id AND a.state = 'booked'
    GROUP BY s.id, s.capacity HAVING COUNT(a.id) > s.capacity) AS o";
const OVER: Sql = Sql { name: "OVER", sqlite: OVER_TEXT, postgres: OVER_TEXT };
const LATER_TEXT: &str = "SELECT arrived_at, served FROM rush_ticket WHERE wave = 1 ORDER BY served";
const LATER: Sql = Sql { name: "LATER", sqlite: LATER_TEXT, postgres: LATER_TEXT };
const LAST_TEXT: &str =
    "SELECT CAST(COALESCE(MAX(done_at), 0) AS BIGINT) FROM rush_ticket WHERE outcome LIKE '%booked%'";
const LAST: Sql = Sql { name: "LAST", sqlite: LAST_TEXT, postgres: LAST_TEXT };

/// How it is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many people ask.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(50..=20_000))]
    people: u32,
    /// How many numbers there are.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(10..=5_000))]
    numbers: u32,
    /// How many rounds on each database.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: u32,
    /// Where the databases lie: a folder on a real disk that the user `postgres` can reach.
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// What a round measured.
#[derive(Debug, Clone, Serialize)]
struct Figures {
    /// Which database, and how many nodes.
    on: String,
    /// Numbers that were given out.
    sold: i64,
    /// Places given out beyond a slot's own.
    oversold: i64,
    /// 99 in 100 people had their final answer by then, counted from the end of the first second.
    p99_ms: f64,
    /// When the last number was given out, likewise.
    to_last_ms: f64,
    /// Of those behind the draw, how many were served before somebody who had come before them.
    tickets_out_of_order: usize,
    /// How many were told in words that all is gone.
    refused: usize,
    /// How many stood in the draw.
    in_draw: usize,
    /// Half of the people had their ticket after so long.
    ticket_ms: f64,
}

/// `target/bench/release.json`: the worst of all rounds.
#[derive(Debug, Serialize)]
struct Report {
    sold: i64,
    oversold: i64,
    p99_ms: f64,
    to_last_ms: f64,
    tickets_out_of_order: usize,
    missed: Vec<&'static str>,
    people: u32,
    numbers: u32,
    profile: &'static str,
    rounds: Vec<Figures>,
    checked: &'static str,
    storage: String,
    machine: Machine,
    versions: BTreeMap<&'static str, String>,
    commit: String,
}

/// Measures, prints, writes. Anything that does not agree with the database is an error.
pub(crate) async fn run(options: &Options) -> Result<bool> {
    let mut machine = Machine::look();
    let parent = options.folder.clone().unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::Builder::new().prefix("xinglin-bench-").tempdir_in(&parent)?;
    let mut rounds = Vec::new();
    let mut versions = BTreeMap::from([("xinglin", machine::version(&places::program()?))]);
    for on_postgres in [false, true] {
        let server = if on_postgres { Some(Postgres::start(&parent)?) } else { None };
        if let Some(server) = &server {
            versions.insert("postgres", machine::version(&server.program()));
        }
        eprintln!("preparing {} people", options.people);
        let hospital = prepare::Hospital::make(folder.path(), server.as_ref(), options).await?;
        for nth in 0..options.rounds {
            let figures = round(&hospital, server.as_ref(), folder.path(), options).await?;
            eprintln!(
                "round {} of {}, {}: {} sold, {} refused, last number after {:.0} ms, p99 {:.0} ms, {} out of order",
                nth + 1,
                options.rounds,
                figures.on,
                figures.sold,
                figures.refused,
                figures.to_last_ms,
                figures.p99_ms,
                figures.tickets_out_of_order
            );
            rounds.push(figures);
        }
    }
    machine.look_again();
    let report = report(options, rounds, machine, versions, machine::file_system(&parent));
    print(&report);
    let file = places::write("release", &report)?;
    out(&format!("\nwritten to {file}"));
    Ok(report.missed.is_empty())
}

async fn round(
    hospital: &prepare::Hospital,
    postgres: Option<&Postgres>,
    folder: &Path,
    options: &Options,
) -> Result<Figures> {
    let (config, opens_at) = hospital.round(folder, postgres, options).await?;
    let nodes = if postgres.is_some() { 3 } else { 1 };
    let mut servers = Vec::new();
    for (nth, port) in places::free_ports(nodes)?.into_iter().enumerate() {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let folder = folder.join(format!("node-{nth}"));
        std::fs::create_dir_all(&folder)?;
        let settings = prepare::settings(&config, address);
        servers.push(Server::start(&folder, address, &["serve"], &settings, PATIENCE).await?);
    }
    let addresses: Vec<SocketAddr> = servers.iter().map(|server| server.address).collect();
    let told = people::rush(&addresses, hospital, opens_at).await?;
    for server in servers {
        server.stop()?;
    }
    let db = Db::open_read_only(&config.database.store(), Clock::machine()).await?;
    let on = if postgres.is_some() { "PostgreSQL, three nodes" } else { "SQLite" };
    let figures = compare(&db, on, told, opens_at).await?;
    let faults = server::check::rows::faults(&db).await?;
    ensure!(faults.is_empty(), "xinglin check: {}", faults.join("; "));
    db.close().await;
    Ok(figures)
}

/// What was told and what is there.
async fn compare(db: &Db, on: &str, told: Vec<Told>, opens_at: UnixMs) -> Result<Figures> {
    let count = async |sql| Ok::<i64, anyhow::Error>(db.one::<One<i64>>(sql, args![]).await?.0);
    let wrong: Vec<&str> = told.iter().filter_map(|one| one.wrong.as_deref()).take(5).collect();
    ensure!(wrong.is_empty(), "answers that should not be: {}", wrong.join("\n"));
    let sold = count(SOLD).await?;
    let have = told.iter().filter(|one| one.booked).count();
    ensure!(i64::try_from(have)? == sold, "{have} people were told that they have one, {sold} are there");
    let second = opens_at.plus(Duration::from_millis(1_000));
    let mut answered: Vec<i64> = told.iter().map(|one| (one.answered_at.0 - second.0).max(0)).collect();
    answered.sort_unstable();
    let mut tickets: Vec<i64> = told.iter().map(|one| one.ticket_ms).collect();
    tickets.sort_unstable();
    let at = |list: &[i64], of_1000: usize| {
        let nth = (list.len() * of_1000 / 1_000).min(list.len().saturating_sub(1));
        list.get(nth).map_or(0.0, |ms| f64::from(i32::try_from(*ms).unwrap_or(i32::MAX)))
    };
    let last = count(LAST).await? - second.0;
    let came: Vec<i64> = db
        .all::<Row>(LATER, args![])
        .await?
        .iter()
        .map(|row| row.get::<i64>("arrived_at"))
        .collect::<store::Result<_>>()?;
    Ok(Figures {
        on: on.to_owned(),
        sold,
        oversold: count(OVER).await?,
        p99_ms: at(&answered, 990),
        to_last_ms: f64::from(i32::try_from(last.max(0)).unwrap_or(i32::MAX)),
        tickets_out_of_order: out_of_order(&came),
        refused: told.iter().filter(|one| !one.booked).count(),
        in_draw: told.iter().filter(|one| one.draw).count(),
        ticket_ms: at(&tickets, 500),
    })
}

/// How many were served before somebody who came earlier.
fn out_of_order(came: &[i64]) -> usize {
    let mut latest = i64::MIN;
    let mut wrong = 0;
    for at in came {
        wrong += usize::from(*at < latest);
        latest = latest.max(*at);
    }
    wrong
}

fn report(
    options: &Options,
    rounds: Vec<Figures>,
    machine: Machine,
    versions: BTreeMap<&'static str, String>,
    storage: String,
) -> Report {
    let worst = |figure: fn(&Figures) -> f64| rounds.iter().map(figure).fold(0.0, f64::max);
    let sold = rounds.iter().map(|one| one.sold).min().unwrap_or(0);
    let oversold = rounds.iter().map(|one| one.oversold).max().unwrap_or(0);
    let (p99_ms, to_last_ms) = (worst(|one| one.p99_ms), worst(|one| one.to_last_ms));
    let out_of_order = rounds.iter().map(|one| one.tickets_out_of_order).max().unwrap_or(0);
    let asked = [
        ("sold", sold == i64::from(options.numbers)),
        ("oversold", oversold == 0),
        ("p99_ms", p99_ms <= P99_MS),
        ("to_last_ms", to_last_ms <= TO_LAST_MS),
        ("tickets_out_of_order", out_of_order == 0),
    ];
    Report {
        sold,
        oversold,
        p99_ms,
        to_last_ms,
        tickets_out_of_order: out_of_order,
        missed: asked.iter().filter(|(_, well)| !well).map(|(name, _)| *name).collect(),
        people: options.people,
        numbers: options.numbers,
        profile: places::profile(),
        rounds,
        checked: "every number that somebody was told is in the database, and no other; everybody else was told that all is \
                  gone; xinglin check finds nothing",
        storage,
        machine,
        versions,
        commit: machine::commit(),
    }
}

fn print(report: &Report) {
    for one in &report.rounds {
        out(&format!(
            "{}: {} sold, {} oversold, {} refused; last number {:.0} ms and p99 of the final answer {:.0} ms after the first \
             second; {} of {} in the draw; {} out of order; half had their ticket within {:.0} ms",
            one.on,
            one.sold,
            one.oversold,
            one.refused,
            one.to_last_ms,
            one.p99_ms,
            one.in_draw,
            report.people,
            one.tickets_out_of_order,
            one.ticket_ms
        ));
    }
    out(&format!(
        "wanted: {} sold, 0 oversold, p99 ≤ {P99_MS:.0} ms, last ≤ {TO_LAST_MS:.0} ms, 0 out of order; missed: {:?}",
        report.numbers, report.missed
    ));
    out(&format!("{} build; {}; storage {}", report.profile, report.commit, report.storage));
    out(&report.machine.line());
    out(&format!("checked after each round: {}", report.checked));
}

/// `context` for what must be there.
fn must<T>(found: Option<T>, what: &'static str) -> Result<T> {
    found.context(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_served_too_late_is_counted() {
        assert_eq!(out_of_order(&[1, 2, 2, 3]), 0);
        assert_eq!(out_of_order(&[1, 3, 2, 4]), 1);
        assert_eq!(out_of_order(&[]), 0);
    }
}
