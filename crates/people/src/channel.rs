//! Our own WeChat accounts: their secrets, sealed, and a client for each.
//!
//! A hospital may have several: a service account for functions, a subscription account for articles, a mini program, WeCom.
//! [`Channels`] keeps all of them in memory and looks every few seconds whether an administrator changed one.

mod tokens;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ::store::vault::Purpose;
use ::store::{Db, Result, Sealed, StoreError, Tx, Vault};
use base::{HospitalId, Secret};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use wechat::api::{Bases, Client, Config};
use wechat::callback::{AesKey, Credentials, Format, Keys, Mode};

use crate::cover::reveal;
use crate::model::ChannelAccountId;
use crate::store::CHANNEL;
use crate::store::channel::{self, ChannelRow};

pub use tokens::DbTokenStore;

/// Where WeChat keeps its JavaScript for pages.
pub const JS_SDK: &str = "https://res.wx.qq.com/open/js/jweixin-1.6.0.js";

::store::text_enum! {
    /// What sort of account it is.
    pub enum ChannelKind {
        /// 服务号
        Service = "service",
        /// 订阅号
        Subscription = "subscription",
        /// 小程序
        Mini = "mini",
        /// 企业微信
        Wecom = "wecom",
    }
}

::store::text_enum! {
    /// How WeChat's pushes are encrypted, as set on the platform's page; see [`wechat::callback::Mode`].
    pub enum CallbackMode {
        /// 明文模式
        Plain = "plain",
        /// 兼容模式
        Compatible = "compatible",
        /// 安全模式
        Safe = "safe",
        /// WeCom's only one.
        Wecom = "wecom",
    }
}

::store::text_enum! {
    /// The format of WeChat's pushes, as set on the platform's page.
    pub enum CallbackFormat {
        /// The default.
        Xml = "xml",
        /// A choice.
        Json = "json",
    }
}

/// One of our accounts, ready to use.
#[derive(Debug)]
pub struct Channel {
    /// Its id.
    pub id: ChannelAccountId,
    /// Whose it is.
    pub hospital: HospitalId,
    /// Its segment in the callback's address: `/wechat/{name}`.
    pub name: String,
    /// What it is.
    pub kind: ChannelKind,
    /// WeChat's id of it, `wx…`; for WeCom the corporation's.
    pub app_id: String,
    /// The name under which pushes come, `gh_…`; for WeCom the application's number.
    pub original_id: String,
    /// How pushes are encrypted.
    pub mode: CallbackMode,
    /// Calls WeChat for it.
    pub client: Client,
    /// Opens WeChat's pushes.
    pub credentials: Credentials,
    /// Where WeChat is.
    pub bases: Bases,
    /// The JavaScript for pages.
    pub js_sdk_url: String,
    /// Files by which WeChat sees that a domain is ours: name (`MP_verify_….txt`) and content.
    pub verify_files: BTreeMap<String, String>,
    revision: i64,
}

/// Where WeChat is, as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hosts {
    /// The interfaces.
    pub api: String,
    /// Another region's interfaces.
    #[serde(default)]
    pub api_backup: Option<String>,
    /// The pages on which people agree to sign in.
    pub open: String,
    /// Pictures of codes.
    pub mp: String,
    /// WeCom's page with a code to scan; the real one when left out.
    #[serde(default)]
    pub login: Option<String>,
}

impl Hosts {
    /// Everything at one address, as a simulator has it.
    #[must_use]
    pub fn all_at(base: &str) -> Self {
        let here = || base.to_owned();
        Self { api: here(), api_backup: None, open: here(), mp: here(), login: Some(here()) }
    }
}

impl From<Hosts> for Bases {
    fn from(hosts: Hosts) -> Self {
        let login = hosts.login.unwrap_or_else(|| Self::default().login);
        Self { api: hosts.api, api_backup: hosts.api_backup, open: hosts.open, mp: hosts.mp, login }
    }
}

/// An account to be set up, as its administrator finds it on WeChat's page.
#[derive(Debug, Clone)]
pub struct NewChannel {
    /// Whose it is.
    pub hospital: HospitalId,
    /// Its segment in the callback's address: 1 to 32 lower-case letters, digits and hyphens; unique over all hospitals.
    pub name: String,
    /// What it is.
    pub kind: ChannelKind,
    /// WeChat's id of it; for WeCom the corporation's (企业 ID).
    pub app_id: String,
    /// The name under which pushes come; for WeCom the application's number (AgentId).
    pub original_id: String,
    /// The AppSecret; for WeCom the application's secret.
    pub secret: Secret,
    /// The token of the callback.
    pub token: Secret,
    /// The EncodingAESKey; may be missing in plain mode only.
    pub aes_key: Option<Secret>,
    /// The EncodingAESKey before it, while WeChat changes over.
    pub aes_key_previous: Option<Secret>,
    /// How pushes are encrypted.
    pub mode: CallbackMode,
    /// Their format.
    pub format: CallbackFormat,
    /// Where WeChat is; the real hosts when `None`.
    pub hosts: Option<Hosts>,
    /// The JavaScript for pages; WeChat's own when `None`.
    pub js_sdk_url: Option<String>,
    /// Files by which WeChat sees that a domain is ours: name and content.
    pub verify_files: BTreeMap<String, String>,
}

/// Sets an account up, or changes the one of this name; with the same values it may be called any number of times.
/// [`Channels::reload`] makes it known on this node at once.
///
/// # Errors
/// [`StoreError::Config`] says what is wrong with it; any other [`StoreError`].
pub async fn add_channel(tx: &mut Tx, vault: &Vault, new: &NewChannel) -> Result<ChannelAccountId> {
    check(new)?;
    let seal = |secret: &Secret| vault.seal(new.hospital, CHANNEL, secret.expose());
    let json = |what: std::result::Result<String, serde_json::Error>| {
        what.map_err(|e| StoreError::Config(format!("channel {}: {e}", new.name)))
    };
    let row = ChannelRow {
        hospital: new.hospital,
        id: ChannelAccountId::new(),
        name: new.name.clone(),
        kind: new.kind,
        app_id: new.app_id.clone(),
        original_id: new.original_id.clone(),
        mode: new.mode,
        format: new.format,
        secret: seal(&new.secret)?,
        token: seal(&new.token)?,
        aes_key: new.aes_key.as_ref().map(seal).transpose()?,
        aes_key_previous: new.aes_key_previous.as_ref().map(seal).transpose()?,
        bases: new.hosts.as_ref().map(|hosts| json(serde_json::to_string(hosts))).transpose()?,
        js_sdk_url: new.js_sdk_url.clone(),
        verify_files: json(serde_json::to_string(&new.verify_files))?,
        revision: 1,
    };
    let taken = || StoreError::Config(format!("channel {}: another hospital has this name", new.name));
    channel::put(tx, row).await?.ok_or_else(taken)
}

fn check(new: &NewChannel) -> Result<()> {
    let bad = |what: &str| Err(StoreError::Config(format!("channel {}: {what}", new.name)));
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !(1..=32).contains(&new.name.len()) || !new.name.bytes().all(plain) {
        return bad("a name has 1 to 32 lower-case letters, digits and hyphens");
    }
    if new.app_id.trim().is_empty() || new.secret.expose().is_empty() {
        return bad("the app id or its secret is missing");
    }
    if new.kind == ChannelKind::Wecom && !new.original_id.bytes().all(|b| b.is_ascii_digit()) {
        return bad("the original id of an application in WeCom is its AgentId, a number");
    }
    if new.token.expose().is_empty() {
        return bad("the token of the callback is missing");
    }
    if new.aes_key.is_none() && new.mode != CallbackMode::Plain {
        return bad("the EncodingAESKey is missing; only plain mode does without");
    }
    if new.aes_key.iter().chain(&new.aes_key_previous).any(|k| AesKey::parse(k.expose()).is_err()) {
        return bad("an EncodingAESKey has 43 letters and digits");
    }
    let file = |name: &String| {
        let stem = name.strip_prefix("MP_verify_").and_then(|rest| rest.strip_suffix(".txt"));
        stem.is_some_and(|s| (1..=64).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric()))
    };
    if !new.verify_files.keys().all(file) {
        return bad("a file of WeChat's is called MP_verify_….txt");
    }
    Ok(())
}

/// All of our accounts. Cheap to clone; clones see the same.
#[derive(Clone)]
pub struct Channels {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    vault: Arc<Vault>,
    http: reqwest::Client,
    known: RwLock<Vec<Arc<Channel>>>,
}

impl std::fmt::Debug for Channels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.all().iter().map(|c| c.name.clone())).finish()
    }
}

impl Channels {
    /// Reads them from the database. `http` should come from [`wechat::api::http_client`].
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn load(db: &Db, vault: Arc<Vault>, http: reqwest::Client) -> Result<Self> {
        let inner = Inner { db: db.clone(), vault, http, known: RwLock::default() };
        let all = Self { inner: Arc::new(inner) };
        all.reload().await?;
        Ok(all)
    }

    /// Reads them again. An account that did not change keeps its client, and with it the token in memory.
    ///
    /// # Errors
    /// Any [`StoreError`]; what was known stays. One account that can't be read is logged and left out.
    pub async fn reload(&self) -> Result<()> {
        let rows = channel::list(&self.inner.db).await?;
        let before = self.all();
        let mut fresh = Vec::with_capacity(rows.len());
        for row in rows {
            match before.iter().find(|c| c.id == row.id && c.revision == row.revision) {
                Some(same) => fresh.push(same.clone()),
                None => {
                    let name = row.name.clone();
                    match self.open(row) {
                        Ok(channel) => fresh.push(Arc::new(channel)),
                        Err(error) => {
                            tracing::error!(%error, channel = name, "a WeChat account can't be read and is left out");
                        }
                    }
                }
            }
        }
        *self.inner.known.write() = fresh;
        Ok(())
    }

    /// Reads them again every five seconds until `stop`.
    pub async fn keep_fresh(self, stop: tokio_util::sync::CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(Duration::from_secs(5)) => {}
            }
            if let Err(error) = self.reload().await {
                tracing::warn!(%error, "WeChat accounts could not be read again");
            }
        }
    }

    /// All of them, in the order in which they were set up.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Channel>> {
        self.inner.known.read().clone()
    }

    /// The one with this name in the callback's address.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<Arc<Channel>> {
        self.inner.known.read().iter().find(|c| c.name == name).cloned()
    }

    /// The one with this id.
    #[must_use]
    pub fn get(&self, id: ChannelAccountId) -> Option<Arc<Channel>> {
        self.inner.known.read().iter().find(|c| c.id == id).cloned()
    }

    /// A hospital's service account, by which people sign in and are told things: the first that was set up.
    #[must_use]
    pub fn service(&self, hospital: HospitalId) -> Option<Arc<Channel>> {
        let known = self.inner.known.read();
        known.iter().find(|c| c.hospital == hospital && c.kind == ChannelKind::Service).cloned()
    }

    /// A hospital's application in WeCom, by which staff sign in: the first that was set up.
    #[must_use]
    pub fn wecom(&self, hospital: HospitalId) -> Option<Arc<Channel>> {
        let known = self.inner.known.read();
        known.iter().find(|c| c.hospital == hospital && c.kind == ChannelKind::Wecom).cloned()
    }

    fn open(&self, row: ChannelRow) -> Result<Channel> {
        let inner = &self.inner;
        let open = |sealed: &Sealed| {
            let text = inner.vault.open_sealed(row.hospital, CHANNEL, sealed, Purpose::Maintain)?;
            Ok::<_, StoreError>(Secret::new(text))
        };
        let key = |sealed: &Option<Sealed>| -> Result<Option<AesKey>> {
            let Some(sealed) = sealed else { return Ok(None) };
            let text = open(sealed)?;
            AesKey::parse(text.expose()).map(Some).map_err(|e| StoreError::Config(e.to_string()))
        };
        let decode = |column: &str, e: serde_json::Error| StoreError::Decode {
            column: column.into(),
            what: e.to_string(),
        };
        let bases = match &row.bases {
            Some(text) => serde_json::from_str::<Hosts>(text).map_err(|e| decode("bases", e))?.into(),
            None if row.kind == ChannelKind::Wecom => Bases::wecom(),
            None => Bases::default(),
        };
        let agent = (row.kind == ChannelKind::Wecom).then(|| row.original_id.clone());
        let keys = key(&row.aes_key)?
            .map(|current| key(&row.aes_key_previous).map(|previous| Keys { current, previous }))
            .transpose()?;
        let credentials = Credentials {
            token: reveal(&open(&row.token)?),
            keys,
            receive_id: row.app_id.clone(),
            mode: match row.mode {
                CallbackMode::Plain => Mode::Plain,
                CallbackMode::Compatible => Mode::Compatible,
                CallbackMode::Safe => Mode::Safe,
                CallbackMode::Wecom => Mode::WeCom,
            },
            format: match row.format {
                CallbackFormat::Xml => Format::Xml,
                CallbackFormat::Json => Format::Json,
            },
        };
        let config = Config { bases, agent, ..Config::new(&row.app_id, reveal(&open(&row.secret)?)) };
        let bases = config.bases.clone();
        let clock = inner.db.clock().clone();
        let tokens = DbTokenStore::new(inner.db.clone(), inner.vault.clone(), row.hospital);
        let client =
            Client::new(inner.http.clone(), config, Arc::new(tokens), Arc::new(move || clock.now().0));
        Ok(Channel {
            id: row.id,
            hospital: row.hospital,
            name: row.name,
            kind: row.kind,
            app_id: row.app_id,
            original_id: row.original_id,
            mode: row.mode,
            client,
            credentials,
            bases,
            js_sdk_url: row.js_sdk_url.unwrap_or_else(|| JS_SDK.into()),
            verify_files: serde_json::from_str(&row.verify_files).map_err(|e| decode("verify_files", e))?,
            revision: row.revision,
        })
    }
}
