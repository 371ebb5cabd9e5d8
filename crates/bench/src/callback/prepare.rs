//! The hospital whose account is called: its channel in safe mode, and its followers.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use base::{Clock, HospitalId, Secret, Text2};
use edge::{Hospitals, Profile};
use people::channel::{CallbackFormat, CallbackMode, ChannelKind, Hosts, NewChannel, add_channel};
use people::wechat_user;
use server::Config;
use store::{Db, Vault};

use super::pushes::{APP_ID, KEY, NAME, ORIGINAL_ID, TOKEN, openid};
use crate::postgres::Postgres;

const HOSPITAL: HospitalId = HospitalId(1);
const AT_ONCE: usize = 500;
const TEMPLATE: &str = "entrance";
const ROUND: &str = "entrance_round";

/// A prepared hospital, of which every round gets a copy.
pub(super) struct Prepared {
    config: Config,
}

impl Prepared {
    /// Makes it: on `postgres`, or else in a file under `folder`.
    pub(super) async fn make(folder: &Path, postgres: Option<&Postgres>, followers: u32) -> Result<Self> {
        let mut config = Config::default();
        let kind = if postgres.is_some() { "postgres" } else { "sqlite" };
        config.keys.file = folder.join(format!("{kind}-entrance-keys"));
        match postgres {
            Some(server) => {
                server.sql("postgres", &[&format!("CREATE DATABASE {TEMPLATE}")])?;
                config.database.url = Secret::new(server.url(TEMPLATE));
            }
            None => config.database.path = folder.join("entrance.db"),
        }
        server::app::migrate(&config, Clock::machine()).await?;
        let db = Db::open(&config.database.store(), Clock::machine()).await?;
        let vault = Vault::open(&config.keys.file, true)?;
        let hospitals = Hospitals::load(&db).await?;
        let profile = Profile {
            name: Text2::new("测速医院", "Bench Hospital"),
            short_name: Text2::new("测速医院", "Bench"),
            phone: "021-00000000".into(),
            address: Text2::new("杏林路 1 号", "1 Xinglin Road"),
            notice: None,
        };
        hospitals.add(HOSPITAL, "bench", &profile, "Asia/Shanghai").await?;
        let mut tx = db.begin().await?;
        let channel = add_channel(&mut tx, &vault, &channel()).await?;
        tx.commit().await?;
        let all: Vec<u32> = (0..followers).collect();
        for part in all.chunks(AT_ONCE) {
            let mut tx = db.begin().await?;
            for nth in part {
                wechat_user::account_of_openid(&mut tx, HOSPITAL, channel, &openid(*nth), true).await?;
            }
            tx.commit().await?;
        }
        db.close().await;
        if let Some(server) = postgres {
            server.sql(TEMPLATE, &["VACUUM ANALYZE account, account_openid, channel_account"])?;
        }
        Ok(Self { config })
    }

    /// A copy for one round.
    pub(super) fn copy(&self, folder: &Path, postgres: Option<&Postgres>) -> Result<Config> {
        let mut config = self.config.clone();
        match postgres {
            Some(server) => {
                let make = format!("CREATE DATABASE {ROUND} TEMPLATE {TEMPLATE}");
                server.sql("postgres", &[&format!("DROP DATABASE IF EXISTS {ROUND} WITH (FORCE)"), &make])?;
                server.sql("postgres", &["CHECKPOINT"])?;
                config.database.url = Secret::new(server.url(ROUND));
            }
            None => {
                config.database.path = folder.join("entrance-round.db");
                for end in ["", "-wal"] {
                    let at = |path: &Path| PathBuf::from(format!("{}{end}", path.display()));
                    let (from, to) = (at(&self.config.database.path), at(&config.database.path));
                    if from.exists() {
                        std::fs::copy(&from, &to).with_context(|| from.display().to_string())?;
                        File::open(&to)?.sync_all()?;
                    } else if to.exists() {
                        std::fs::remove_file(&to)?;
                    }
                }
            }
        }
        Ok(config)
    }
}

fn channel() -> NewChannel {
    NewChannel {
        hospital: HOSPITAL,
        name: NAME.into(),
        kind: ChannelKind::Service,
        app_id: APP_ID.into(),
        original_id: ORIGINAL_ID.into(),
        secret: Secret::new("of no use anywhere"),
        token: Secret::new(TOKEN),
        aes_key: Some(Secret::new(KEY)),
        aes_key_previous: None,
        mode: CallbackMode::Safe,
        format: CallbackFormat::Xml,
        // Nobody listens there: nothing leaves this machine.
        hosts: Some(Hosts::all_at("http://127.0.0.1:9")),
        js_sdk_url: None,
        verify_files: BTreeMap::new(),
    }
}
