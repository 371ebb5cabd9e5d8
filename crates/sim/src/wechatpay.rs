//! WeChat Pay APIv3 with one merchant: it checks every request as the real one does, keeps orders, refunds and a balance,
//! tells the merchant, and writes bills.
//!
//! A refusal says in the header `X-Sim-Expected` what was expected (the string to sign, escaped, where the signature is
//! wrong), so that whoever writes a client need not guess.

mod bill;
mod control;
mod medins;
mod orders;
mod refunds;
mod serve;
mod sheet;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue};
use pay::crypto::aead::Apiv3Key;
use pay::crypto::rsa::PrivateKey;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::paying::notices::Pending;
use crate::paying::{Paying, certificate};

pub(crate) use control::routes;
pub(crate) use refunds::settle;

/// Books and keys.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Bank {
    pub(crate) keys: Option<Keys>,
    /// Which of its keys WeChat signs notices with.
    pub(crate) mode: Mode,
    pub(crate) orders: BTreeMap<String, Order>,
    pub(crate) refunds: BTreeMap<String, Refund>,
    pub(crate) mixed: BTreeMap<String, medins::Mixed>,
    /// What the merchant's account holds beside what was paid here: refunds need money.
    pub(crate) opening: i64,
    #[serde(skip)]
    pub(crate) nonces: BTreeSet<String>,
    /// token → (file, zipped already).
    #[serde(skip)]
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// How long a refund takes, by the virtual clock.
    pub(crate) refund_takes_ms: i64,
    #[serde(skip)]
    parsed: Option<Parsed>,
}

/// Which key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// The public key; there are no platform certificates.
    #[default]
    PublicKey,
    /// Certificates, the first of them.
    Certificate,
    /// Certificates, the second: after a rotation.
    SecondCertificate,
    /// Both in turns, as while a merchant moves over.
    Mixed,
}

/// Key material, made at the first use and shown under `/sim/v1/wechatpay`.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Keys {
    pub(crate) mchid: String,
    pub(crate) apiv3_key: String,
    pub(crate) merchant_serial: String,
    pub(crate) merchant_private_key: String,
    pub(crate) public_key_id: String,
    pub(crate) public_key: String,
    public_private: String,
    pub(crate) certificates: Vec<PlatformCertificate>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PlatformCertificate {
    pub(crate) serial: String,
    pub(crate) pem: String,
    private: String,
}

struct Parsed {
    merchant: PrivateKey,
    public: PrivateKey,
    certificates: Vec<PrivateKey>,
    stranger: PrivateKey,
}

/// An order.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Order {
    /// `jsapi`, `native`, `h5`, `app`.
    pub(crate) product: String,
    pub(crate) request: Value,
    pub(crate) prepay_id: String,
    pub(crate) state: String,
    pub(crate) total: i64,
    pub(crate) payer_total: i64,
    pub(crate) transaction_id: Option<String>,
    pub(crate) openid: Option<String>,
    pub(crate) placed_ms: i64,
    pub(crate) expires_ms: i64,
    pub(crate) paid_ms: Option<i64>,
    pub(crate) last_refund_ms: Option<i64>,
    /// Refunds of this payer end as ABNORMAL.
    pub(crate) account_closed: bool,
}

/// A refund.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Refund {
    pub(crate) request: Value,
    pub(crate) refund_id: String,
    pub(crate) out_trade_no: String,
    pub(crate) amount: i64,
    pub(crate) status: String,
    pub(crate) created_ms: i64,
    pub(crate) ended_ms: Option<i64>,
}

impl Bank {
    /// The keys, made when they are first asked for: two certificates and four keys take a second.
    pub(crate) fn keys(&mut self) -> Option<Keys> {
        if self.keys.is_none() {
            self.keys = make();
        }
        let keys = self.keys.clone()?;
        if self.parsed.is_none() {
            let parse = |pem: &str| PrivateKey::parse(pem).ok();
            self.parsed = Some(Parsed {
                merchant: parse(&keys.merchant_private_key)?,
                public: parse(&keys.public_private)?,
                certificates: keys.certificates.iter().filter_map(|one| parse(&one.private)).collect(),
                stranger: PrivateKey::generate().ok()?,
            });
        }
        Some(keys)
    }

    fn merchant_key(&self) -> Option<&PrivateKey> {
        self.parsed.as_ref().map(|parsed| &parsed.merchant)
    }

    /// Id and key that sign now; `turn` decides in mixed mode.
    fn signer(&self, turn: u64) -> Option<(String, &PrivateKey)> {
        let (keys, parsed) = (self.keys.as_ref()?, self.parsed.as_ref()?);
        let certificate =
            |at: usize| Some((keys.certificates.get(at)?.serial.clone(), parsed.certificates.get(at)?));
        match self.mode {
            Mode::Certificate => certificate(0),
            Mode::SecondCertificate => certificate(1),
            Mode::Mixed if turn.is_multiple_of(2) => certificate(0),
            Mode::PublicKey | Mode::Mixed => Some((keys.public_key_id.clone(), &parsed.public)),
        }
    }

    /// Signature headers over a body. `stranger`: by a key that nobody knows, under the right id.
    fn sign(&self, body: &[u8], now: i64, turn: u64, public: bool, stranger: bool) -> Option<HeaderMap> {
        let (keys, parsed) = (self.keys.as_ref()?, self.parsed.as_ref()?);
        let (serial, key) =
            if public { (keys.public_key_id.clone(), &parsed.public) } else { self.signer(turn)? };
        let key = if stranger { &parsed.stranger } else { key };
        let (seconds, nonce) = ((now / 1000).to_string(), pay::crypto::nonce(32));
        let mut text = format!("{seconds}\n{nonce}\n").into_bytes();
        text.extend_from_slice(body);
        text.push(b'\n');
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("wechatpay-timestamp", seconds),
            ("wechatpay-nonce", nonce),
            ("wechatpay-serial", serial),
            ("wechatpay-signature", key.sign(&text).ok()?),
            ("wechatpay-signature-type", "WECHATPAY2-SHA256-RSA2048".into()),
        ] {
            headers.insert(name, HeaderValue::from_str(&value).ok()?);
        }
        Some(headers)
    }

    /// What the merchant can give back now.
    pub(crate) fn balance(&self) -> i64 {
        let paid: i64 =
            self.orders.values().filter(|order| order.paid_ms.is_some()).map(|order| order.total).sum();
        let back: i64 =
            self.refunds.values().filter(|one| one.status != "CLOSED").map(|one| one.amount).sum();
        self.opening + paid - back
    }
}

fn make() -> Option<Keys> {
    let key = || PrivateKey::generate().ok();
    let platform = |serial: &str| {
        let own = key()?;
        let name = "Tenpay.com sign";
        Some(PlatformCertificate {
            serial: serial.to_owned(),
            pem: certificate(serial, name, &own, name, &own, false)?,
            private: own.to_pem().ok()?,
        })
    };
    let (merchant, public) = (key()?, key()?);
    Some(Keys {
        mchid: "1900012345".into(),
        apiv3_key: pay::crypto::nonce(32),
        merchant_serial: "3A5F0C1E77B24D90A1C6E2F8091B4D5E6F708192".into(),
        merchant_private_key: merchant.to_pem().ok()?,
        public_key_id: "PUB_KEY_ID_0119000123452026010100000000000001".into(),
        public_key: public.public().ok()?.to_pem(),
        public_private: public.to_pem().ok()?,
        certificates: vec![
            platform("5D2B7E91C04F4A6E8B13579BDF02468ACE13579B")?,
            platform("0A1B2C3D4E5F60718293A4B5C6D7E8F901234567")?,
        ],
    })
}

/// Dresses a notice for sending: sealed and signed anew, under the id that it has always had.
pub(crate) fn dress(
    paying: &mut Paying,
    one: &Pending,
    event: &str,
    original: &str,
    content: &str,
    now: i64,
    probe: bool,
) -> Option<(HeaderMap, Vec<u8>)> {
    let forged = paying.faults.notice_forged;
    paying.numbers += 1;
    let turn = paying.numbers;
    let keys = paying.wechatpay.keys()?;
    let nonce = pay::crypto::nonce(12);
    let sealed = Apiv3Key::new(keys.apiv3_key).ok()?.seal(&nonce, original, content.as_bytes()).ok()?;
    let body = json!({
        "id": one.id, "create_time": pay::moment::rfc3339(base::UnixMs(one.created_ms)),
        "resource_type": "encrypt-resource", "event_type": event, "summary": "通知",
        "resource": {
            "original_type": original, "algorithm": "AEAD_AES_256_GCM", "ciphertext": sealed,
            "associated_data": original, "nonce": nonce,
        },
    })
    .to_string()
    .into_bytes();
    let theirs = now + paying.faults.clock_ahead_s * 1000;
    let mut headers = paying.wechatpay.sign(&body, theirs, turn, false, forged)?;
    if probe {
        let wrong = format!("WECHATPAY/SIGNTEST/{}", STANDARD.encode([0x5a; 256]));
        headers.insert("wechatpay-signature", HeaderValue::from_str(&wrong).ok()?);
    }
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Some((headers, body))
}
