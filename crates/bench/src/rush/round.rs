//! One round: a fresh copy, a server of its own, the load, what follows from it, and the comparison.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use base::Clock;
use serde::Serialize;
use server::Config;
use store::value::One;
use store::{Db, Sql, args};

use super::prepare::Prepared;
use super::verify;
use crate::child::Server;
use crate::load::{self, Line};
use crate::places;
use crate::postgres::Postgres;
use crate::proc::{self, Memory};

/// Starting takes milliseconds; a dev build on a busy machine is given more.
const PATIENCE: Duration = Duration::from_secs(60);
/// What is not worked off by then points to a fault.
const AFTERMATH: Duration = Duration::from_secs(900);
const LOOK: Duration = Duration::from_millis(100);

/// Events that nobody has worked off, and notices of which nobody knows yet how to send them.
const LEFT_TEXT: &str = "SELECT CAST((SELECT COUNT(*) FROM event WHERE state = 'new')
    + (SELECT COUNT(*) FROM message WHERE due_at IS NOT NULL) AS BIGINT)";
const LEFT: Sql = Sql { name: "LEFT", sqlite: LEFT_TEXT, postgres: LEFT_TEXT };

/// What a round needs.
pub(super) struct Round<'a> {
    pub(super) prepared: &'a Prepared,
    pub(super) postgres: Option<&'a Postgres>,
    pub(super) folder: &'a Path,
}

/// What a round measured.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    pub(super) bookings: usize,
    pub(super) requests: u32,
    pub(super) put_off: u32,
    pub(super) took_s: f64,
    pub(super) bookings_per_s: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) max_ms: f64,
    pub(super) server_cpu_us: f64,
    pub(super) database_cpu_us: f64,
    pub(super) load_cpu_us: f64,
    pub(super) cpu_us_with_aftermath: f64,
    pub(super) aftermath_s: f64,
    pub(super) requests_per_batch: f64,
    pub(super) idle_mib: f64,
    pub(super) peak_mib: f64,
    pub(super) ready_ms: f64,
}

/// Processor time at one moment.
#[derive(Clone, Copy)]
struct Spent {
    server: Duration,
    database: Duration,
    load: Duration,
}

impl Round<'_> {
    /// Runs it: hot or warm.
    pub(super) async fn run(&self, hot: bool, connections: u32) -> Result<Figures> {
        let config = self.prepared.copy(self.folder, self.postgres).await?;
        let port = places::free_ports(1)?.first().copied().context("no free port")?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let settings = settings(&config, address);
        let server = Server::start(self.folder, address, &["serve"], &settings, PATIENCE).await?;
        let idle = Memory::of(server.pid())?;
        let slots = if hot { &self.prepared.hot } else { &self.prepared.warm };
        let before = self.spent(&server)?;
        let outcome = load::book(address, &self.prepared.phones, slots, usize::try_from(connections)?);
        let outcome = outcome.await.with_context(|| server.log())?;
        let after = self.spent(&server)?;
        let per_batch = per_batch(address).await?;
        let aftermath = aftermath(&config).await?;
        let end = self.spent(&server)?;
        let peak = Memory::of(server.pid())?;
        let ready_after = server.ready_after;
        let log = server.log();
        server.stop()?;
        if !outcome.wrong.is_empty() {
            bail!("answers that should not be: {}\n{log}", outcome.wrong.join("\n"));
        }
        verify::agrees(&config, &outcome.booked, self.prepared.phones.len()).await?;
        let bookings = f64::from(u32::try_from(outcome.booked.len())?);
        let micros = |from: Duration, to: Duration| to.saturating_sub(from).as_secs_f64() * 1e6;
        let per_request = |from, to| micros(from, to) / f64::from(outcome.requests.max(1));
        let all = micros(before.server, end.server) + micros(before.database, end.database);
        let took_s = outcome.took.as_secs_f64();
        let latency_ms =
            |micros: u64| u32::try_from(micros).map_or(f64::INFINITY, |micros| f64::from(micros) / 1e3);
        let mib = |kib: u32| f64::from(kib) / 1024.0;
        Ok(Figures {
            bookings: outcome.booked.len(),
            requests: outcome.requests,
            put_off: outcome.put_off,
            took_s,
            bookings_per_s: bookings / took_s,
            p50_ms: latency_ms(outcome.latency.value_at_quantile(0.5)),
            p99_ms: latency_ms(outcome.latency.value_at_quantile(0.99)),
            max_ms: latency_ms(outcome.latency.max()),
            server_cpu_us: per_request(before.server, after.server),
            database_cpu_us: per_request(before.database, after.database),
            load_cpu_us: per_request(before.load, after.load),
            cpu_us_with_aftermath: all / bookings,
            aftermath_s: aftermath.as_secs_f64(),
            requests_per_batch: per_batch,
            idle_mib: mib(idle.now),
            peak_mib: mib(peak.peak),
            ready_ms: ready_after.as_secs_f64() * 1e3,
        })
    }

    fn spent(&self, server: &Server) -> Result<Spent> {
        Ok(Spent {
            server: proc::cpu(server.pid())?,
            database: self.postgres.map(|p| proc::cpu_of_family(p.pid())).transpose()?.unwrap_or_default(),
            load: proc::cpu(std::process::id())?,
        })
    }
}

fn settings(config: &Config, address: SocketAddr) -> Vec<(&'static str, String)> {
    vec![
        ("XINGLIN__SERVER__LISTEN", address.to_string()),
        ("XINGLIN__SERVER__PUBLIC_URL", format!("http://{address}")),
        ("XINGLIN__DATABASE__URL", config.database.url.expose().to_owned()),
        ("XINGLIN__DATABASE__PATH", config.database.path.display().to_string()),
        ("XINGLIN__KEYS__FILE", config.keys.file.display().to_string()),
        ("XINGLIN__LOG__LEVEL", "warn".to_owned()),
    ]
}

/// Waits until all that follows from the bookings is worked off; gives how long that took.
async fn aftermath(config: &Config) -> Result<Duration> {
    let since = Instant::now();
    let db = Db::open_read_only(&config.database.store(), Clock::machine()).await?;
    loop {
        let One(left) = db.one::<One<i64>>(LEFT, args![]).await?;
        if left == 0 {
            break;
        }
        if since.elapsed() > AFTERMATH {
            bail!("{left} events and notices were not worked off within {} s", AFTERMATH.as_secs());
        }
        tokio::time::sleep(LOOK).await;
    }
    let took = since.elapsed();
    db.close().await;
    Ok(took)
}

/// How many requests were decided together and share a commit, on average.
async fn per_batch(address: SocketAddr) -> Result<f64> {
    let metrics = Line::open(address).await?.get("/metrics").await?.text();
    let of = |name: &str| measure(&metrics, name).with_context(|| format!("no {name}"));
    Ok(of("booking_batch_sum")? / of("booking_batch_count")?)
}

/// The value of a measure without labels, in Prometheus's text format.
fn measure(metrics: &str, name: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measure_is_found_by_its_whole_name() {
        let text = "# TYPE a gauge\na_b 3\na{x=\"1\"} 4\na 2.5\n";
        assert_eq!(measure(text, "a"), Some(2.5));
        assert_eq!(measure(text, "a_b"), Some(3.0));
        assert_eq!(measure(text, "b"), None);
    }
}
