//! Our contracts with WeChat Pay, Alipay and the insurance bureau: keys, sealed, and a line to each.
//!
//! [`Merchants`] keeps all of them in memory and looks every few seconds whether an administrator changed one, so that keys can
//! be swapped while notices flow.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base::HospitalId;
use parking_lot::RwLock;
use pay::crypto::aead::Apiv3Key;
use pay::crypto::rsa::{PrivateKey, PublicKey};
use pay::crypto::sm::{DEFAULT_USER_ID, Sm2PrivateKey, Sm2PublicKey};
use pay::{alipay, insurance, wechatpay};
use serde::{Deserialize, Serialize};
use store::vault::Purpose;
use store::{Db, Result, Sealed, StoreError, Tx, Vault};

use crate::model::{PayAccountId, Provider};
use crate::rules::Contract;
use crate::store::account::{self, AccountRow};

const FIELD: &str = "pay_account.secrets";
/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(8);

/// Keys of WeChat Pay, as the merchant's page gives them.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WechatKeys {
    /// Serial of the merchant certificate.
    pub serial_no: String,
    /// Its key, PEM.
    pub private_key: String,
    /// The APIv3 key, 32 characters.
    pub apiv3_key: String,
    /// The one before it, for some days after a change.
    #[serde(default)]
    pub apiv3_key_previous: Option<String>,
    /// WeChat's public keys by their ids (`PUB_KEY_ID_…`), PEM.
    #[serde(default)]
    pub public_keys: BTreeMap<String, String>,
    /// WeChat's platform certificates, PEM; where a merchant has them.
    #[serde(default)]
    pub certificates: Vec<String>,
}

/// Keys of Alipay, as its console gives them.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlipayKeys {
    /// The application's key, PEM.
    pub private_key: String,
    /// Alipay's public keys, the current one first; in key mode.
    #[serde(default)]
    pub public_keys: Vec<String>,
    /// The three files of certificate mode: the application's, Alipay's, the roots.
    #[serde(default)]
    pub certificates: Option<[String; 3]>,
}

/// Keys of the bureau, and its dialect.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BureauKeys {
    /// Settings of [`insurance::Province`], with app id and secret.
    pub province: serde_json::Value,
    /// Our SM2 key, hex.
    pub private_key: String,
    /// The bureau's, hex.
    pub bureau_public_key: String,
    /// The portal at which patients authorise, where their phones are sent there by us.
    #[serde(default)]
    pub portal: Option<PortalKeys>,
}

/// What Tencent's medical portal knows us by.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortalKeys {
    /// Its address, without a path.
    pub base: String,
    /// Our number there.
    pub partner_id: String,
    /// What only both sides know.
    pub secret: String,
    /// Where patients authorise, with all that the region wants in its query.
    pub page: String,
}

/// The keys of one contract.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keys {
    /// WeChat Pay's.
    Wechatpay(WechatKeys),
    /// Alipay's.
    Alipay(AlipayKeys),
    /// The bureau's.
    Insurance(BureauKeys),
}

impl Keys {
    fn provider(&self) -> Provider {
        match self {
            Self::Wechatpay(_) => Provider::Wechatpay,
            Self::Alipay(_) => Provider::Alipay,
            Self::Insurance(_) => Provider::Insurance,
        }
    }
}

/// A contract to be set up.
#[derive(Clone)]
pub struct NewPayAccount {
    /// Whose it is.
    pub hospital: HospitalId,
    /// Its segment in the address of notices: 1 to 32 lower-case letters, digits and hyphens; unique over all hospitals.
    pub name: String,
    /// WeChat's mchid, Alipay's seller id, our code at the bureau.
    pub merchant: String,
    /// The appid under which orders are placed.
    pub app: String,
    /// Where the other side is; the real one when `None`.
    pub base_url: Option<String>,
    /// The keys.
    pub keys: Keys,
}

/// A line to the other side.
pub enum Line {
    /// WeChat Pay.
    Wechatpay(wechatpay::Client),
    /// Alipay.
    Alipay(alipay::Client),
    /// The insurance bureau, with the dialect and key that its own pushes are judged by.
    Insurance(Box<Bureau>),
}

/// The bureau.
pub struct Bureau {
    /// Sends messages.
    pub client: insurance::Client,
    /// Its dialect.
    pub province: insurance::Province,
    /// What it signs with.
    pub key: Sm2PublicKey,
    /// Where patients authorise, and a line to it.
    pub portal: Option<(insurance::Portal, reqwest::Client)>,
}

/// A contract, ready to use.
pub struct Merchant {
    /// Its id.
    pub id: PayAccountId,
    /// Whose it is.
    pub hospital: HospitalId,
    /// Its segment in the address of notices.
    pub name: String,
    /// With whom.
    pub provider: Provider,
    /// What we are called there.
    pub merchant: String,
    /// Under which app.
    pub app: String,
    /// The line.
    pub line: Line,
    revision: i64,
}

impl Merchant {
    /// What its orders must say.
    #[must_use]
    pub fn contract(&self) -> Contract<'_> {
        Contract { merchant: &self.merchant, app: &self.app }
    }
}

impl std::fmt::Debug for Merchant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Merchant")
            .field("name", &self.name)
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

/// Sets a contract up, or changes the one of this name; with the same values it may be called any number of times.
///
/// # Errors
/// [`StoreError::Config`] says what is wrong with it; any other [`StoreError`].
pub async fn add_pay_account(tx: &mut Tx, vault: &Vault, new: &NewPayAccount) -> Result<PayAccountId> {
    let bad = |what: &str| StoreError::Config(format!("payment account {}: {what}", new.name));
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !(1..=32).contains(&new.name.len()) || !new.name.bytes().all(plain) {
        return Err(bad("a name has 1 to 32 lower-case letters, digits and hyphens"));
    }
    if new.merchant.trim().is_empty() {
        return Err(bad("the merchant number is missing"));
    }
    let http = reqwest::Client::new();
    // Keys that can't be used are refused here, not at the first payment.
    line(&http, tx.db(), &new.merchant, &new.app, new.base_url.as_deref(), &new.keys).map_err(|e| bad(&e))?;
    let text = serde_json::to_string(&new.keys).map_err(|e| bad(&e.to_string()))?;
    let row = AccountRow {
        hospital: new.hospital,
        id: PayAccountId::new(),
        name: new.name.clone(),
        provider: new.keys.provider(),
        merchant: new.merchant.clone(),
        app: new.app.clone(),
        base_url: new.base_url.clone(),
        secrets: vault.seal(new.hospital, FIELD, &text)?,
        revision: 1,
    };
    let id = account::put(tx, row).await?;
    id.ok_or_else(|| bad("another hospital or another kind of contract has this name"))
}

fn line(
    http: &reqwest::Client,
    db: &Db,
    merchant: &str,
    app: &str,
    base: Option<&str>,
    keys: &Keys,
) -> std::result::Result<Line, String> {
    let (http, clock) = (http.clone(), db.clock().clone());
    match keys {
        Keys::Wechatpay(keys) => {
            let mut config = wechatpay::Config { timeout: PATIENCE, ..wechatpay::Config::default() };
            if let Some(base) = base {
                config = wechatpay::Config { base: base.to_owned(), backup: None, ..config };
            }
            let merchant = wechat(merchant, keys).map_err(|e| e.to_string())?;
            Ok(Line::Wechatpay(wechatpay::Client::new(http, config, clock, merchant)))
        }
        Keys::Alipay(keys) => {
            let mut config = alipay::Config { timeout: PATIENCE, ..alipay::Config::default() };
            if let Some(base) = base {
                config.gateway = format!("{}/gateway.do", base.trim_end_matches('/'));
            }
            let merchant = alipay_merchant(merchant, app, keys).map_err(|e| e.to_string())?;
            Ok(Line::Alipay(alipay::Client::new(http, config, clock, merchant)))
        }
        Keys::Insurance(keys) => {
            let base = base.ok_or("the bureau's address is missing")?.to_owned();
            let province: insurance::Province =
                serde_json::from_value(keys.province.clone()).map_err(|e| e.to_string())?;
            let signer =
                Sm2PrivateKey::parse(&keys.private_key, DEFAULT_USER_ID).map_err(|e| e.to_string())?;
            let key =
                Sm2PublicKey::parse(&keys.bureau_public_key, DEFAULT_USER_ID).map_err(|e| e.to_string())?;
            let config = insurance::Config { base, timeout: PATIENCE };
            let signer = Arc::new(signer);
            let portal = keys.portal.clone().map(|keys| {
                let secret = pay::Secret::new(keys.secret);
                insurance::Portal { base: keys.base, partner_id: keys.partner_id, secret, page: keys.page }
            });
            if portal.as_ref().is_some_and(|portal| portal.page("https://example.org").is_err()) {
                return Err("the page on which patients authorise has no address".into());
            }
            let portal = portal.map(|portal| (portal, http.clone()));
            let client = insurance::Client::new(http, config, clock, province.clone(), signer, key.clone());
            Ok(Line::Insurance(Box::new(Bureau { client, province, key, portal })))
        }
    }
}

fn wechat(
    mchid: &str,
    keys: &WechatKeys,
) -> std::result::Result<wechatpay::Merchant, pay::crypto::CryptoError> {
    let mut ring = wechatpay::KeyRing::default();
    for (id, pem) in &keys.public_keys {
        ring.add_public_key(id, pem)?;
    }
    for pem in &keys.certificates {
        ring.add_certificate(pem)?;
    }
    let mut apiv3_keys = vec![Apiv3Key::new(keys.apiv3_key.clone())?];
    if let Some(previous) = &keys.apiv3_key_previous {
        apiv3_keys.push(Apiv3Key::new(previous.clone())?);
    }
    Ok(wechatpay::Merchant {
        mchid: mchid.to_owned(),
        serial_no: keys.serial_no.clone(),
        private_key: PrivateKey::parse(&keys.private_key)?,
        apiv3_keys,
        ring,
    })
}

fn alipay_merchant(
    seller: &str,
    app: &str,
    keys: &AlipayKeys,
) -> std::result::Result<alipay::Merchant, pay::crypto::CryptoError> {
    let theirs = match &keys.certificates {
        Some([app, alipay, roots]) => alipay::AlipayKeys::certificates(app, alipay, roots)?,
        None => alipay::AlipayKeys::Keys(
            keys.public_keys
                .iter()
                .map(|pem| PublicKey::parse(pem))
                .collect::<std::result::Result<_, _>>()?,
        ),
    };
    Ok(alipay::Merchant {
        app_id: app.to_owned(),
        seller_id: seller.to_owned(),
        private_key: PrivateKey::parse(&keys.private_key)?,
        keys: theirs,
    })
}

/// All contracts. Cheap to clone; clones see the same.
#[derive(Clone)]
pub struct Merchants {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    vault: Arc<Vault>,
    http: reqwest::Client,
    known: RwLock<Vec<Arc<Merchant>>>,
}

impl std::fmt::Debug for Merchants {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.all().iter().map(|m| m.name.clone())).finish()
    }
}

impl Merchants {
    /// Reads them from the database.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn load(db: &Db, vault: Arc<Vault>, http: reqwest::Client) -> Result<Self> {
        let inner = Inner { db: db.clone(), vault, http, known: RwLock::default() };
        let all = Self { inner: Arc::new(inner) };
        all.reload().await?;
        Ok(all)
    }

    /// Reads them again. One that did not change keeps its line, and with it what it has learned of the other side's keys.
    ///
    /// # Errors
    /// Any [`StoreError`]; what was known stays. One that can't be read is logged and left out.
    pub async fn reload(&self) -> Result<()> {
        let rows = account::list(&self.inner.db).await?;
        let before = self.all();
        let mut fresh = Vec::with_capacity(rows.len());
        for row in rows {
            if let Some(same) = before.iter().find(|m| m.id == row.id && m.revision == row.revision) {
                fresh.push(same.clone());
                continue;
            }
            let name = row.name.clone();
            match self.open(row) {
                Ok(merchant) => fresh.push(Arc::new(merchant)),
                Err(error) => {
                    tracing::error!(%error, account = name, "a payment account can't be read and is left out");
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
                tracing::warn!(%error, "payment accounts could not be read again");
            }
        }
    }

    /// All of them, in the order in which they were set up.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Merchant>> {
        self.inner.known.read().clone()
    }

    /// The one with this name in the address of notices, if it is with this provider.
    #[must_use]
    pub fn by_name(&self, provider: Provider, name: &str) -> Option<Arc<Merchant>> {
        self.inner.known.read().iter().find(|m| m.provider == provider && m.name == name).cloned()
    }

    /// The one with this id.
    #[must_use]
    pub fn get(&self, id: PayAccountId) -> Option<Arc<Merchant>> {
        self.inner.known.read().iter().find(|m| m.id == id).cloned()
    }

    /// A hospital's contract with a provider: the first that was set up.
    #[must_use]
    pub fn of(&self, hospital: HospitalId, provider: Provider) -> Option<Arc<Merchant>> {
        self.inner.known.read().iter().find(|m| m.hospital == hospital && m.provider == provider).cloned()
    }

    fn open(&self, row: AccountRow) -> Result<Merchant> {
        let inner = &self.inner;
        let text = open_secrets(&inner.vault, row.hospital, &row.secrets)?;
        let keys: Keys = serde_json::from_str(&text)
            .map_err(|e| StoreError::Decode { column: "secrets".into(), what: e.to_string() })?;
        let line = line(&inner.http, &inner.db, &row.merchant, &row.app, row.base_url.as_deref(), &keys)
            .map_err(|what| StoreError::Config(format!("payment account {}: {what}", row.name)))?;
        Ok(Merchant {
            id: row.id,
            hospital: row.hospital,
            name: row.name,
            provider: row.provider,
            merchant: row.merchant,
            app: row.app,
            line,
            revision: row.revision,
        })
    }
}

fn open_secrets(vault: &Vault, hospital: HospitalId, sealed: &Sealed) -> Result<String> {
    vault.open_sealed(hospital, FIELD, sealed, Purpose::Maintain)
}
