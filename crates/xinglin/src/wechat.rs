//! Our accounts at WeChat, as an administrator sets them up: `xinglin wechat …` and `xinglin check wechat`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use base::{Clock, Lang};
use people::Channels;
use server::Config;
use server::check::{self, Level};
use server::entrance::{self, setup};
use store::{Db, Vault};

/// The language of this program's words to an administrator.
pub(crate) fn lang() -> Lang {
    let wanted = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|v| !v.is_empty());
    if wanted.is_some_and(|v| v.to_lowercase().starts_with("zh")) { Lang::Zh } else { Lang::En }
}

/// What to do with WeChat accounts.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Do {
    /// Prints a file to fill in.
    Example,
    /// Enters an account, or changes the one of this name. Running servers notice within seconds.
    Set {
        /// The filled-in file.
        file: PathBuf,
    },
    /// Puts the usual menu up under the chat of each service account.
    Menu,
}

/// Does it.
pub(crate) async fn run(config: &Config, what: Do) -> anyhow::Result<ExitCode> {
    if let Do::Example = what {
        crate::out(setup::EXAMPLE);
        return Ok(ExitCode::SUCCESS);
    }
    // PostgreSQL may be served by others meanwhile; the embedded file belongs to one program at a time.
    let db = Db::open(&config.database.store(), Clock::machine()).await?;
    let vault = Arc::new(Vault::open(&config.keys.file, false)?);
    let hospitals = edge::Hospitals::load(&db).await?;
    let done = match what {
        Do::Example => ExitCode::SUCCESS,
        Do::Set { file } => {
            let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            setup::set_up(&db, &vault, &hospitals, &text)
                .await
                .with_context(|| file.display().to_string())?;
            crate::out(&format!(
                "the account is entered; delete {} now: its secrets are kept sealed in the database\n",
                file.display()
            ));
            ExitCode::SUCCESS
        }
        Do::Menu => menus(config, &db, vault, &hospitals).await?,
    };
    db.close().await;
    Ok(done)
}

async fn menus(
    config: &Config,
    db: &Db,
    vault: Arc<Vault>,
    hospitals: &edge::Hospitals,
) -> anyhow::Result<ExitCode> {
    let channels = Channels::load(db, vault.clone(), wechat::api::http_client().build()?).await?;
    let deps = entrance::Deps::new(channel::ChannelDeps {
        db: db.clone(),
        vault,
        hospitals: hospitals.clone(),
        channels: channels.clone(),
        board: schedule::Board::load(db, hospitals).await?,
        chat: channel::chat::Chat::default(),
        public_url: config.server.public_url.as_str().into(),
    });
    let mut failed = false;
    for channel in channels.all().iter().filter(|c| c.kind == people::ChannelKind::Service) {
        let Some(hospital) = hospitals.get(channel.hospital) else { continue };
        match entrance::set_menu(channel, &deps.base_url(&hospital)).await {
            Ok(()) => {
                crate::out(&format!("{}: the menu is up; phones show it within five minutes\n", channel.name))
            }
            Err(error) => {
                failed = true;
                crate::out(&format!("{}: {error}\n", channel.name));
            }
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
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
