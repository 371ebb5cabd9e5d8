//! One round: a fresh copy, a server of its own, the load, what follows from it, and the comparison.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use base::Clock;
use serde::Serialize;
use server::Config;
use store::value::One;
use store::{Db, Sql, args};

use super::prepare::Prepared;
use super::{Heat, verify};
use crate::child::Server;
use crate::load::{self, Deed, Line, Outcome, Wishes};
use crate::places;
use crate::postgres::Postgres;
use crate::proc::{self, Memory};

/// Starting takes milliseconds; a dev build on a busy machine is given more.
const PATIENCE: Duration = Duration::from_secs(60);
/// What is not worked off by then points to a fault.
const AFTERMATH: Duration = Duration::from_secs(900);
const LOOK: Duration = Duration::from_millis(100);
/// A server is idle once its workers have looked for work and what the start needed is given back.
const SETTLED: Duration = Duration::from_secs(3);

/// Events that nobody has worked off, and notices of which nobody knows yet how to send them.
const LEFT_TEXT: &str = "SELECT CAST((SELECT COUNT(*) FROM event WHERE state = 'new')
    + (SELECT COUNT(*) FROM message WHERE due_at IS NOT NULL) AS BIGINT)";
const LEFT: Sql = Sql { name: "LEFT", sqlite: LEFT_TEXT, postgres: LEFT_TEXT };

/// What a round needs.
pub(super) struct Round<'a> {
    pub(super) prepared: &'a Prepared,
    pub(super) postgres: Option<&'a Postgres>,
    pub(super) folder: &'a Path,
    /// Wait until all that follows from the bookings is done.
    pub(super) aftermath: bool,
}

/// What a round measured.
#[derive(Debug, Default, Serialize)]
pub(super) struct Figures {
    /// Bookings a second, or where nearly nothing can be booked answers a second.
    pub(super) per_s: f64,
    pub(super) bookings: f64,
    pub(super) requests: f64,
    pub(super) took_s: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) max_ms: f64,
    pub(super) server_cpu_us: f64,
    pub(super) database_cpu_us: f64,
    pub(super) load_cpu_us: f64,
    #[serde(flatten)]
    pub(super) ours: Option<Ours>,
}

/// What only our own rounds have.
#[derive(Debug, Default, Serialize)]
pub(super) struct Ours {
    pub(super) put_off: u32,
    pub(super) refused: u32,
    pub(super) requests_per_batch: Option<f64>,
    pub(super) idle_mib: f64,
    pub(super) peak_mib: f64,
    pub(super) ready_ms: f64,
    pub(super) cpu_us_with_aftermath: Option<f64>,
    pub(super) aftermath_s: Option<f64>,
}

/// Processor time at one moment.
#[derive(Clone, Copy, Default)]
pub(super) struct Spent {
    pub(super) server: Duration,
    pub(super) database: Duration,
    pub(super) load: Duration,
}

impl Figures {
    /// Of a load of ours.
    pub(super) fn of(outcome: &Outcome, before: Spent, after: Spent) -> Result<Self> {
        let requests = f64::from(outcome.requests);
        let ms = |micros: u64| u32::try_from(micros).map_or(f64::INFINITY, |micros| f64::from(micros) / 1e3);
        let took_s = outcome.took.as_secs_f64();
        Ok(Self {
            bookings: f64::from(u32::try_from(outcome.booked.len())?),
            p50_ms: ms(outcome.latency.value_at_quantile(0.5)),
            p99_ms: ms(outcome.latency.value_at_quantile(0.99)),
            max_ms: ms(outcome.latency.max()),
            ..Self::simple(requests / took_s, requests, outcome.took, before, after, 0.0)
        })
    }

    /// Of something that is done so many times.
    pub(super) fn simple(
        per_s: f64,
        done: f64,
        took: Duration,
        before: Spent,
        after: Spent,
        latency: f64,
    ) -> Self {
        let per = |from: Duration, to: Duration| to.saturating_sub(from).as_secs_f64() * 1e6 / done.max(1.0);
        Self {
            per_s,
            bookings: done,
            requests: done,
            took_s: took.as_secs_f64(),
            p50_ms: latency,
            p99_ms: 0.0,
            max_ms: 0.0,
            server_cpu_us: per(before.server, after.server),
            database_cpu_us: per(before.database, after.database),
            load_cpu_us: per(before.load, after.load),
            ours: None,
        }
    }
}

/// How many places are left for how many wishes when all is sold out: one in a hundred.
const TOO_LATE: u32 = 99;
/// Each phone wishes so often then.
const WISHES: usize = 2;

impl Round<'_> {
    /// Runs it.
    pub(super) async fn run(&self, heat: Heat, connections: u32) -> Result<Figures> {
        let config = self.prepared.copy(self.folder, self.postgres).await?;
        let wishes = self.wishes(heat);
        let places = if heat == Heat::SoldOut {
            let each = (wishes.count / usize::try_from(TOO_LATE + 1)? / wishes.slots.len().max(1)).max(1);
            self.prepared.narrow(&config, u32::try_from(each)?).await?;
            each * wishes.slots.len()
        } else {
            wishes.count
        };
        let port = places::free_ports(1)?.first().copied().context("no free port")?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let settings = settings(&config, address);
        let server = Server::start(self.folder, address, &["serve"], &settings, PATIENCE).await?;
        tokio::time::sleep(SETTLED).await;
        let idle = Memory::of(server.pid())?;
        let connections = usize::try_from(connections)?;
        // Before release everybody looks at the page: they have signed in, and the server knows it.
        let look = Deed::Look(self.prepared.phones.clone(), "/api/v1/departments");
        let looked = load::run(address, &look, connections).await.with_context(|| server.log())?;
        ensure!(looked.wrong.is_empty(), "looking at the page: {}", looked.wrong.join("; "));
        let before = self.spent(&server)?;
        let outcome = load::run(address, &Deed::Book(Arc::new(wishes)), connections).await;
        let outcome = outcome.with_context(|| server.log())?;
        let after = self.spent(&server)?;
        let requests_per_batch = per_batch(address).await?;
        let aftermath = if self.aftermath { Some(aftermath(&config).await?) } else { None };
        let end = self.spent(&server)?;
        let peak = Memory::of(server.pid())?;
        let ready_after = server.ready_after;
        let log = server.log();
        server.stop()?;
        if !outcome.wrong.is_empty() {
            bail!("answers that should not be: {}\n{log}", outcome.wrong.join("\n"));
        }
        verify::agrees(&config, &outcome.booked, places).await?;
        self.check(&settings)?;
        let mut figures = Figures::of(&outcome, before, after)?;
        if heat != Heat::SoldOut {
            figures.per_s = figures.bookings / figures.took_s;
        }
        let all = (end.server + end.database).saturating_sub(before.server + before.database);
        let mib = |kib: u32| f64::from(kib) / 1024.0;
        figures.ours = Some(Ours {
            put_off: outcome.put_off,
            refused: outcome.refused,
            requests_per_batch,
            idle_mib: mib(idle.now),
            peak_mib: mib(peak.peak),
            ready_ms: ready_after.as_secs_f64() * 1e3,
            cpu_us_with_aftermath: aftermath.map(|_| all.as_secs_f64() * 1e6 / figures.bookings.max(1.0)),
            aftermath_s: aftermath.map(|took| took.as_secs_f64()),
        });
        Ok(figures)
    }

    fn wishes(&self, heat: Heat) -> Wishes {
        let phones = self.prepared.phones.clone();
        let slots = if heat == Heat::Hot { &self.prepared.hot } else { &self.prepared.warm };
        let times = if heat == Heat::SoldOut { WISHES } else { 1 };
        Wishes { count: phones.len() * times, phones, slots: slots.clone(), too_late: heat == Heat::SoldOut }
    }

    fn spent(&self, server: &Server) -> Result<Spent> {
        Ok(Spent {
            server: proc::cpu(server.pid())?,
            database: self.postgres.map(|p| proc::cpu_of_family(p.pid())).transpose()?.unwrap_or_default(),
            load: proc::cpu(std::process::id())?,
        })
    }

    /// Has the program itself look whether its rows agree with each other.
    fn check(&self, settings: &[(&'static str, String)]) -> Result<()> {
        let mut command = Command::new(places::program()?);
        command.arg("check").current_dir(self.folder).stdin(Stdio::null());
        command.envs(settings.iter().map(|(name, value)| (*name, value)));
        let output = command.output().context("can't run xinglin check")?;
        ensure!(
            output.status.success(),
            "xinglin check is not content:\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }
}

pub(crate) fn settings(config: &Config, address: SocketAddr) -> Vec<(&'static str, String)> {
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
async fn per_batch(address: SocketAddr) -> Result<Option<f64>> {
    let metrics = Line::open(address).await?.get("/metrics").await?.text();
    let of = |name: &str| measure(&metrics, name);
    Ok(of("booking_batch_sum").zip(of("booking_batch_count")).map(|(sum, count)| sum / count))
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
