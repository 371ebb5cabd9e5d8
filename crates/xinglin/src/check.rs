//! `xinglin check`: looks whether all is well, read-only, on a database that another program may be serving.

use std::process::ExitCode;

use base::Clock;
use server::Config;
use store::Db;

/// What to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum What {
    /// Everything that needs no network.
    All,
    /// The chain of the audit log.
    Audit,
    /// Places taken, appointments and numbers against each other.
    Stock,
    /// Our accounts at WeChat: asks WeChat itself.
    Wechat,
}

/// Looks; prints what is wrong, or that nothing is. Exit code 1 when something is.
pub(crate) async fn run(config: &Config, what: What) -> anyhow::Result<ExitCode> {
    if what == What::Wechat {
        return crate::wechat::check(config).await;
    }
    let db = Db::open_read_only(&config.database.store(), Clock::machine()).await?;
    store::migrate::verify(&db, &server::app::migrations()).await?;
    let mut faults = Vec::new();
    if matches!(what, What::All | What::Audit) {
        let walk = store::audit::walk(&db).await?;
        crate::out(&format!("audit: {} linked entries\n", walk.entries));
        faults.extend(walk.faults);
    }
    if matches!(what, What::All | What::Stock) {
        let found = booking::check::stock(&db).await?;
        crate::out(&format!("stock: {} slots, {} appointments\n", found.slots, found.appointments));
        faults.extend(found.faults);
    }
    for fault in &faults {
        crate::out(&format!("FAULT {fault}\n"));
    }
    crate::out(if faults.is_empty() { "all is well\n" } else { "something is wrong: see above\n" });
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
