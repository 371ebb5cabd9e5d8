//! One round of one variant: a server of its own, the load, and what the database must hold afterwards.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use base::Clock;
use serde::Serialize;
use server::Config;
use store::value::One;
use store::{Db, Sql, args};

use super::load::{self, Outcome, Wants};
use super::prepare::Prepared;
use super::pushes::Sealed;
use super::rival::Rival;
use super::{Side, Variant};
use crate::child::Server;
use crate::places;
use crate::postgres::Postgres;
use crate::proc::{self, Memory};

const PATIENCE: Duration = Duration::from_secs(60);
/// What is not worked off by then points to a fault.
const AFTERMATH: Duration = Duration::from_secs(300);
const LOOK: Duration = Duration::from_millis(50);

const fn both(name: &'static str, text: &'static str) -> Sql {
    Sql { name, sqlite: text, postgres: text }
}

const WAITING: Sql = both(
    "WAITING",
    "SELECT (SELECT CAST(COUNT(*) AS BIGINT) FROM wechat_push WHERE state = 'new')
          + (SELECT CAST(COALESCE(SUM(pushes), 0) AS BIGINT) FROM wechat_bundle)",
);
const DONE: Sql = both("DONE", "SELECT CAST(COUNT(*) AS BIGINT) FROM wechat_push WHERE state = 'done'");

/// What a round needs.
pub(super) struct Round<'a> {
    pub(super) sqlite: &'a Prepared,
    pub(super) postgres: Option<(&'a Prepared, &'a Postgres)>,
    pub(super) pushes: &'a Arc<[Sealed]>,
    pub(super) folder: &'a Path,
    /// A text as long as those of our chat.
    pub(super) text: &'a str,
    pub(super) times: (Duration, Duration),
}

/// What a round measured.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    pub(super) callbacks: u32,
    pub(super) callbacks_per_s: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) max_ms: f64,
    pub(super) server_cpu_us: f64,
    pub(super) database_cpu_us: f64,
    pub(super) load_cpu_us: f64,
    /// Server and database together for each push, from the first to the last that was worked on.
    pub(super) cpu_us_with_aftermath: f64,
    pub(super) aftermath_s: f64,
    pub(super) put_off: usize,
    pub(super) peak_mib: f64,
}

#[derive(Clone, Copy, Default)]
struct Spent {
    server: Duration,
    database: Duration,
    load: Duration,
}

impl Round<'_> {
    /// Runs it.
    pub(super) async fn run(&self, (side, connections): Variant) -> Result<Figures> {
        let port = places::free_ports(1)?.first().copied().context("no free port")?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let connections = usize::try_from(connections)?;
        match side {
            Side::Echo => {
                let rival = Rival::echo(self.folder, address).await?;
                self.other(address, &rival, Wants::Echo, connections).await
            }
            Side::Wechatpy => {
                let rival = Rival::wechatpy(self.folder, address, self.text).await?;
                self.other(address, &rival, Wants::Answers, connections).await
            }
            Side::Sqlite => self.ours(address, self.sqlite, None, connections).await,
            Side::Postgres => {
                let (prepared, server) = self.postgres.context("no PostgreSQL")?;
                self.ours(address, prepared, Some(server), connections).await
            }
        }
    }

    async fn other(
        &self,
        address: SocketAddr,
        rival: &Rival,
        wants: Wants,
        connections: usize,
    ) -> Result<Figures> {
        let mut looks = Vec::new();
        let look = || {
            let server = proc::cpu_of_family(rival.pid())?;
            looks.push(Spent { server, database: Duration::ZERO, load: proc::cpu(std::process::id())? });
            Ok(())
        };
        let outcome = load::run(address, self.pushes, wants, connections, self.times, look).await?;
        let peak = Memory::of(rival.pid())?;
        figures(&outcome, &looks, None, peak)
    }

    async fn ours(
        &self,
        address: SocketAddr,
        prepared: &Prepared,
        postgres: Option<&Postgres>,
        connections: usize,
    ) -> Result<Figures> {
        let config = prepared.copy(self.folder, postgres)?;
        let server =
            Server::start(self.folder, address, &["serve"], &settings(&config, address), PATIENCE).await?;
        let pid = server.pid();
        let spent = || -> Result<Spent> {
            let database = postgres.map(|p| proc::cpu_of_family(p.pid())).transpose()?.unwrap_or_default();
            Ok(Spent { server: proc::cpu(pid)?, database, load: proc::cpu(std::process::id())? })
        };
        let begun = spent()?;
        let mut looks = Vec::new();
        let look = || {
            looks.push(spent()?);
            Ok(())
        };
        let outcome = load::run(address, self.pushes, Wants::Answers, connections, self.times, look).await;
        let outcome = outcome.with_context(|| server.log())?;
        let since = Instant::now();
        let done = aftermath(&config).await.with_context(|| server.log())?;
        let aftermath = (begun, spent()?, since.elapsed());
        let peak = Memory::of(pid)?;
        server.stop()?;
        // Whoever was answered is there, once, and was worked on.
        ensure!(done == outcome.all, "{} pushes were acknowledged, {done} are kept and done", outcome.all);
        figures(&outcome, &looks, Some(aftermath), peak)
    }
}

fn figures(
    outcome: &Outcome,
    looks: &[Spent],
    aftermath: Option<(Spent, Spent, Duration)>,
    peak: Memory,
) -> Result<Figures> {
    let [before, after] = looks else { bail!("not looked at both ends") };
    ensure!(outcome.measured > 0, "nothing was answered");
    let per = |from: Duration, to: Duration, count: f64| to.saturating_sub(from).as_secs_f64() * 1e6 / count;
    let measured = f64::from(outcome.measured);
    let all = f64::from(u32::try_from(outcome.all)?);
    let ms = |micros: u64| u32::try_from(micros).map_or(f64::INFINITY, |micros| f64::from(micros) / 1e3);
    let server_cpu_us = per(before.server, after.server, measured);
    let (cpu_us_with_aftermath, aftermath_s) = match aftermath {
        Some((begun, end, took)) => {
            (per(begun.server, end.server, all) + per(begun.database, end.database, all), took.as_secs_f64())
        }
        None => (server_cpu_us, 0.0),
    };
    Ok(Figures {
        callbacks: outcome.measured,
        callbacks_per_s: measured / outcome.took.as_secs_f64(),
        p50_ms: ms(outcome.latency.value_at_quantile(0.5)),
        p99_ms: ms(outcome.latency.value_at_quantile(0.99)),
        max_ms: ms(outcome.latency.max()),
        server_cpu_us,
        database_cpu_us: per(before.database, after.database, measured),
        load_cpu_us: per(before.load, after.load, measured),
        cpu_us_with_aftermath,
        aftermath_s,
        put_off: outcome.put_off,
        peak_mib: f64::from(peak.peak) / 1024.0,
    })
}

fn settings(config: &Config, address: SocketAddr) -> Vec<(&'static str, String)> {
    vec![
        ("XINGLIN__SERVER__LISTEN", address.to_string()),
        ("XINGLIN__SERVER__PUBLIC_URL", "https://wx.hospital.example".to_owned()),
        ("XINGLIN__DATABASE__URL", config.database.url.expose().to_owned()),
        ("XINGLIN__DATABASE__PATH", config.database.path.display().to_string()),
        ("XINGLIN__KEYS__FILE", config.keys.file.display().to_string()),
        ("XINGLIN__LOG__LEVEL", "warn".to_owned()),
    ]
}

/// Waits until all pushes are worked on; gives how many are done.
async fn aftermath(config: &Config) -> Result<usize> {
    let since = Instant::now();
    let db = Db::open_read_only(&config.database.store(), Clock::machine()).await?;
    loop {
        let One(waiting) = db.one::<One<i64>>(WAITING, args![]).await?;
        if waiting == 0 {
            break;
        }
        if since.elapsed() > AFTERMATH {
            bail!("{waiting} pushes were not worked on within {} s", AFTERMATH.as_secs());
        }
        tokio::time::sleep(LOOK).await;
    }
    let One(done) = db.one::<One<i64>>(DONE, args![]).await?;
    db.close().await;
    Ok(usize::try_from(done)?)
}
