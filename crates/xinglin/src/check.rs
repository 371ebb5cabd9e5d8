//! `xinglin check`: looks whether all is well, read-only, on a database that another program may be serving.

use std::process::ExitCode;

use base::Clock;
use server::Config;
use server::check::rows::{self, Part};
use store::Db;

/// What to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum What {
    /// Everything that needs no network.
    All,
    /// The chain of the audit log.
    Audit,
    /// Places taken, appointments and numbers against each other; nobody has two places where one is allowed.
    Stock,
    /// The ledger: sums, parts, obligations, refunds, and whether every payment has its service or goes back.
    Ledger,
    /// Events, jobs, pushes and messages: each is done, or waits and is not stuck; whatever happened was told.
    Events,
    /// Our accounts at WeChat: asks WeChat itself.
    Wechat,
}

/// Looks; prints what is wrong, or that nothing is. Exit code 1 when something is.
pub(crate) async fn run(config: &Config, what: What) -> anyhow::Result<ExitCode> {
    let parts: &[Part] = match what {
        What::Wechat => return crate::wechat::check(config).await,
        What::All => &Part::ALL,
        What::Audit => &[Part::Audit],
        What::Stock => &[Part::Stock],
        What::Ledger => &[Part::Ledger],
        What::Events => &[Part::Events],
    };
    let db = Db::open_read_only(&config.database.store(), Clock::machine()).await?;
    store::migrate::verify(&db, &server::app::migrations()).await?;
    let mut faults = 0_usize;
    for part in parts {
        let found = rows::look(&db, *part).await?;
        for line in found.seen {
            crate::out(&format!("{}: {line}\n", part.name()));
        }
        for fault in &found.faults {
            crate::out(&format!("FAULT {}: {fault}\n", part.name()));
        }
        faults = faults.saturating_add(found.faults.len());
    }
    db.close().await;
    crate::out(if faults == 0 { "all is well\n" } else { "something is wrong: see above\n" });
    Ok(if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
