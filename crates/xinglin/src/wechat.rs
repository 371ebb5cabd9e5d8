//! Our accounts at WeChat, as an administrator sets them up: `xinglin wechat …` and `xinglin check wechat`.

use std::process::ExitCode;
use std::sync::Arc;

use base::{Clock, Lang};
use people::Channels;
use server::Config;
use server::check::{self, Level};
use store::{Db, Vault};

/// The language of this program's words to an administrator.
pub(crate) fn lang() -> Lang {
    let wanted = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|v| !v.is_empty());
    if wanted.is_some_and(|v| v.to_lowercase().starts_with("zh")) { Lang::Zh } else { Lang::En }
}

/// Asks WeChat about each of our accounts and says what is wrong and what to do.
pub(crate) async fn check(config: &Config) -> anyhow::Result<ExitCode> {
    let db = Db::open_read_only(&config.database.store(), Clock::machine()).await?;
    let vault = Arc::new(Vault::open(&config.keys.file, false)?);
    let hospitals = edge::Hospitals::load(&db).await?;
    let channels = Channels::load(&db, vault, wechat::api::http_client().build()?).await?;
    let deps = check::Deps { db, hospitals, channels, public_url: config.server.public_url.as_str().into() };
    let report = check::wechat(&deps).await;
    crate::out(&report.render(lang()));
    Ok(if report.worst() == Level::Fail { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
