//! What we are compared with, on the same machine in the same minutes: pgbench, SQLite without a server, bare axum.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, Executor as _};

use super::prepare::Prepared;
use super::round::{Figures, Spent};
use crate::load::{self, Deed, Line};
use crate::places;
use crate::postgres::Postgres;
use crate::proc;

/// The database that pgbench books in: a copy of the prepared one.
const DATABASE: &str = "pgbench";
/// Clients that are tried before the first round, hot and warm; whatever does best there is measured in all of them.
const CLIENTS: [u32; 5] = [4, 8, 16, 32, 64];
const TRIAL_S: u32 = 2;
const READY_WITHIN: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(2);

/// One booking as one transaction: the rows that ours writes, with texts of the same lengths.
const SCRIPT: &str = include_str!("book.sql");

/// pgbench on its own copy of the prepared database.
pub(super) struct Pgbench<'a> {
    server: &'a Postgres,
    script: std::path::PathBuf,
    /// How many slots there are.
    slots: u32,
    /// Clients that did best, hot and warm.
    pub(super) clients: [u32; 2],
}

impl<'a> Pgbench<'a> {
    /// Makes the copy and tries how many clients do best.
    pub(super) fn prepare(server: &'a Postgres, folder: &Path, trial: bool) -> Result<Self> {
        server.sql(
            "postgres",
            &[&format!("CREATE DATABASE {DATABASE} TEMPLATE {}", super::prepare::TEMPLATE)],
        )?;
        let slots = server.sql(
            DATABASE,
            &[
                "CREATE SEQUENCE bench_n CACHE 100",
                // Ids that a script can name, as long as ours; room for all.
                "UPDATE slot SET capacity = 1000000000, id = lpad(CAST(r.n AS TEXT), 32, '0')
                 FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM slot) AS r WHERE slot.id = r.id",
                "VACUUM ANALYZE slot",
                "SELECT count(*) FROM slot",
            ],
        )?;
        let script = folder.join("book.sql");
        std::fs::write(&script, SCRIPT)?;
        let mut this = Self { server, script, slots: slots.parse()?, clients: [8, 32] };
        if trial {
            for (nth, hot) in [(0, true), (1, false)] {
                let mut tried = Vec::new();
                for clients in CLIENTS {
                    tried.push((this.book(hot, clients, TRIAL_S)?.per_s, clients));
                }
                eprintln!("pgbench {}: {tried:.0?} (bookings/s, clients)", if hot { "hot" } else { "warm" });
                let best = tried.into_iter().max_by(|one, other| one.0.total_cmp(&other.0));
                if let (Some(place), Some((_, clients))) = (this.clients.get_mut(nth), best) {
                    *place = clients;
                }
            }
        }
        Ok(this)
    }

    /// A round: all want one slot, or all slots share the crowd.
    pub(super) fn round(&self, hot: bool, seconds: u32) -> Result<Figures> {
        let [hot_clients, warm_clients] = self.clients;
        self.book(hot, if hot { hot_clients } else { warm_clients }, seconds)
    }

    fn book(&self, hot: bool, clients: u32, seconds: u32) -> Result<Figures> {
        self.server.sql(DATABASE, &["VACUUM slot", "CHECKPOINT"])?;
        let mut command = Command::new(self.server.tool("pgbench"));
        command.args(["-n", "-M", "prepared", "-j", "2"]).arg("-f").arg(&self.script);
        command.args(["-c", &clients.to_string(), "-T", &seconds.to_string()]);
        command.args(["-D", "first=1", "-D", &format!("last={}", if hot { 1 } else { self.slots })]);
        command.arg(self.server.url(DATABASE)).env("LC_ALL", "C").stdin(Stdio::null());
        let spent = || -> Result<Spent> {
            Ok(Spent {
                server: Duration::ZERO,
                database: proc::cpu_of_family(self.server.pid())?,
                load: proc::cpu(std::process::id())?,
            })
        };
        let (before, since) = (spent()?, Instant::now());
        let output = command.output().context("can't run pgbench")?;
        let (took, after) = (since.elapsed(), spent()?);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<f64>().ok()
        };
        let done = said("number of transactions actually processed:").unwrap_or(0.0);
        let failed = said("number of failed transactions:").unwrap_or(0.0);
        let rate = said("tps =").filter(|_| output.status.success() && done > 0.0 && failed == 0.0);
        let Some(rate) = rate else {
            bail!("pgbench failed:\n{text}{}", String::from_utf8_lossy(&output.stderr));
        };
        let latency = said("latency average =").unwrap_or(0.0);
        Ok(Figures::simple(rate, done, took, before, after, latency))
    }
}

const INSERT_APPOINTMENT: &str = "INSERT INTO appointment (hospital_id, id, slot_id, clinic_id, doctor_id, provider_id, department_id, campus_id, kind, date, half_day,
    start_at, end_at, fee_fen, person_id, account_id, channel, number, day_ordinal, state, pay, key, request_hash, check_in_code, booked_at, late)
    VALUES (1, $1, $2, $2, $2, $2, $2, $2, 'specialist', '2026-11-25', 'am', 1795000000000, 1795001800000, 3800, $1, $1, 'wechat', $3, 1, 'booked',
    'counter', $1, $4, $5, 1795000000000, 0)";
const INSERT_EVENT: &str = "INSERT INTO event (hospital_id, kind, key, payload, created_at) VALUES (1, 'booking.booked', 'per_' || $1,
    '{\"appointment\":\"apt_' || $1 || '\",\"moved_from\":null}', 1795000000000)";
const INSERT_AUDIT: &str = "INSERT INTO audit (hospital_id, at, actor, action, entity, detail, request_id, source) VALUES (1, 1795000000000, 'acc_' || $1,
    'booking.book', 'apt_' || $1, '{\"moved_from\":null,\"number\":1,\"person\":\"per_' || $1 || '\",\"slot\":\"slt_' || $1 || '\"}', $1, '127.0.0.1')";
const TAKE: &str =
    "UPDATE slot SET taken = taken + 1, last_number = last_number + 1, changed_at = 1795000000000
    WHERE hospital_id = 1 AND id = $1 AND taken < capacity AND stopped = 0";

/// SQLite without a server: the same rows, one after the other by one task, so many bookings in each transaction.
pub(super) async fn raw_sqlite(
    prepared: &Prepared,
    folder: &Path,
    each: u32,
    time: Duration,
) -> Result<Figures> {
    let config = prepared.copy(folder, None).await?;
    let options = SqliteConnectOptions::new()
        .filename(&config.database.path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("cache_size", "-16000")
        .pragma("wal_autocheckpoint", "4000");
    let mut db = SqliteConnection::connect_with(&options).await?;
    let slot = prepared.hot.first().context("no slot")?.trim_start_matches("slt_").to_owned();
    let spent =
        || -> Result<Spent> { Ok(Spent { load: proc::cpu(std::process::id())?, ..Spent::default() }) };
    let (before, since) = (spent()?, Instant::now());
    let mut number = 0_u32;
    while since.elapsed() < time {
        db.execute("BEGIN IMMEDIATE").await?;
        for _ in 0..each {
            number += 1;
            let id = format!("{number:032x}");
            let changed = sqlx::query(TAKE).bind(&slot).execute(&mut db).await?.rows_affected();
            anyhow::ensure!(changed == 1, "the slot is full");
            let row = sqlx::query(INSERT_APPOINTMENT).bind(&id).bind(&slot).bind(number);
            row.bind("h".repeat(64)).bind(format!("{number:020}")).execute(&mut db).await?;
            sqlx::query(INSERT_EVENT).bind(&id).execute(&mut db).await?;
            sqlx::query(INSERT_AUDIT).bind(&id).execute(&mut db).await?;
        }
        db.execute("COMMIT").await?;
    }
    let (took, after) = (since.elapsed(), spent()?);
    db.close().await?;
    let done = f64::from(number);
    Ok(Figures::simple(done / took.as_secs_f64(), done, took, before, after, 0.0))
}

/// Bare axum that reads and writes JSON, asked by the same phones with the same bytes.
pub(super) async fn echo(prepared: &Prepared, connections: usize, count: usize) -> Result<Figures> {
    let port = places::free_ports(1)?.first().copied().context("no free port")?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let server = Echo::start(address).await?;
    let phone = prepared.phones.first().context("no phones")?.clone();
    let slot = prepared.hot.first().context("no slot")?.clone();
    let spent = || -> Result<Spent> {
        Ok(Spent {
            server: proc::cpu(server.child.id())?,
            database: Duration::ZERO,
            load: proc::cpu(std::process::id())?,
        })
    };
    // A few before it counts: connections and memory of both sides are as in the middle of a run.
    load::run(address, &Deed::Echo(phone.clone(), slot.clone(), count / 10), connections).await?;
    let before = spent()?;
    let outcome = load::run(address, &Deed::Echo(phone, slot, count), connections).await?;
    let after = spent()?;
    anyhow::ensure!(outcome.wrong.is_empty(), "the echo is wrong: {}", outcome.wrong.join("; "));
    Figures::of(&outcome, before, after)
}

/// A process of ours under another name; dropping it ends it.
pub(crate) struct Echo {
    child: Child,
}

impl Echo {
    /// Starts it and waits until it answers.
    pub(crate) async fn start(address: SocketAddr) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["echo", &address.to_string()]).stdin(Stdio::null());
        let mut this = Self { child: command.spawn().context("can't start the echo")? };
        let since = Instant::now();
        loop {
            if let Ok(mut line) = Line::open(address).await
                && line.get("/readyz").await.is_ok_and(|answer| answer.status == 200)
            {
                return Ok(this);
            }
            if let Some(status) = this.child.try_wait()? {
                bail!("the echo ended before it was ready ({status})");
            }
            if since.elapsed() > READY_WITHIN {
                bail!("the echo was not ready in time");
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        // It has nothing to finish.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_the_script_is_taken_for_a_variable_that_is_none() {
        // pgbench looks for them in texts, too.
        let mut names: Vec<&str> = SCRIPT
            .split(':')
            .skip(1)
            .filter_map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next())
            .filter(|name| !name.is_empty())
            .collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names, ["first", "last", "n", "number", "slot"]);
    }

    #[test]
    fn the_script_is_one_transaction_of_the_same_rows() {
        let lines: Vec<&str> = SCRIPT.lines().collect();
        assert_eq!((lines[1], lines[lines.len() - 1], lines.len()), ("BEGIN;", "COMMIT;", 7));
        for (line, table) in lines[2..6].iter().zip(["slot", "appointment", "event", "audit"]) {
            assert!(line.contains(&format!(" {table} ")), "{line}");
        }
    }
}
