//! Alipay with one application: the gateway, trades, refunds with their running totals, notices, bills.

mod bill;
mod cashier;
mod control;
mod gateway;
mod trades;

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderValue};
use pay::crypto::rsa::PrivateKey;
use serde::{Deserialize, Serialize};

use crate::paying::{Paying, certificate};

pub(crate) use control::routes;

/// Books and keys.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Bank {
    keys: Option<Keys>,
    pub(crate) trades: BTreeMap<String, Trade>,
    pub(crate) opening: i64,
    /// Notices are written in GBK.
    pub(crate) gbk: bool,
    #[serde(skip)]
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    #[serde(skip)]
    parsed: Option<Parsed>,
}

/// Key material, made at the first use and shown under `/sim/v1/alipay`.
#[derive(Clone, Serialize, Deserialize)]
struct Keys {
    app_id: String,
    seller_id: String,
    app_private_key: String,
    app_certificate: String,
    alipay_public_key: String,
    alipay_certificate: String,
    alipay_cert_sn: String,
    roots: String,
    alipay_private: String,
}

struct Parsed {
    app: PrivateKey,
    alipay: PrivateKey,
    stranger: PrivateKey,
}

/// A trade.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Trade {
    pub(crate) content: serde_json::Value,
    pub(crate) notify_url: String,
    pub(crate) trade_no: String,
    /// The payer has opened it; before that queries do not know it (pages and codes).
    pub(crate) opened: bool,
    pub(crate) status: String,
    pub(crate) total: i64,
    pub(crate) created_ms: i64,
    pub(crate) expires_ms: i64,
    pub(crate) paid_ms: Option<i64>,
    /// out_request_no → amount and when.
    pub(crate) refunds: BTreeMap<String, (i64, i64)>,
}

impl Trade {
    pub(crate) fn refunded(&self) -> i64 {
        self.refunds.values().map(|(amount, _)| amount).sum()
    }
}

impl Bank {
    fn keys(&mut self) -> Option<Keys> {
        if self.keys.is_none() {
            self.keys = make();
        }
        let keys = self.keys.clone()?;
        if self.parsed.is_none() {
            self.parsed = Some(Parsed {
                app: PrivateKey::parse(&keys.app_private_key).ok()?,
                alipay: PrivateKey::parse(&keys.alipay_private).ok()?,
                stranger: PrivateKey::generate().ok()?,
            });
        }
        Some(keys)
    }

    fn sign(&self, text: &[u8], stranger: bool) -> Option<String> {
        let parsed = self.parsed.as_ref()?;
        let key = if stranger { &parsed.stranger } else { &parsed.alipay };
        key.sign(text).ok()
    }

    /// What the seller can give back now.
    pub(crate) fn balance(&self) -> i64 {
        let paid: i64 = self.trades.values().filter(|one| one.paid_ms.is_some()).map(|one| one.total).sum();
        self.opening + paid - self.trades.values().map(Trade::refunded).sum::<i64>()
    }
}

fn make() -> Option<Keys> {
    let key = || PrivateKey::generate().ok();
    let (root, app, alipay) = (key()?, key()?, key()?);
    let name = "Ant Financial Certification Authority R1";
    let alipay_certificate = certificate(
        "20260926090001112233445566778899",
        "支付宝(中国)网络技术有限公司",
        &alipay,
        name,
        &root,
        false,
    )?;
    Some(Keys {
        app_id: "2026092100000001".into(),
        seller_id: "2088000000000001".into(),
        app_private_key: app.to_pem().ok()?,
        app_certificate: certificate(
            "20260921000000010203040506070809",
            "2026092100000001",
            &app,
            name,
            &root,
            false,
        )?,
        alipay_public_key: alipay.public().ok()?.to_pem(),
        alipay_cert_sn: pay::crypto::cert::Certificate::parse(&alipay_certificate).ok()?.alipay_sn().ok()?,
        alipay_certificate,
        roots: certificate("4B2E3A8CFFC4C2BB90FE44E8B7BBA52C", name, &root, name, &root, true)?,
        alipay_private: alipay.to_pem().ok()?,
    })
}

/// Dresses a notice: the members, signed, as a form in its charset.
pub(crate) fn dress(paying: &mut Paying, members: &BTreeMap<String, String>) -> Option<(HeaderMap, Vec<u8>)> {
    let (forged, gbk) = (paying.faults.notice_forged, paying.alipay.gbk);
    paying.alipay.keys()?;
    let bytes = |text: &str| -> Vec<u8> {
        if gbk { encoding_rs::GBK.encode(text).0.into_owned() } else { text.as_bytes().to_vec() }
    };
    let mut members = members.clone();
    members.insert("charset".into(), if gbk { "GBK" } else { "utf-8" }.into());
    let text: Vec<Vec<u8>> =
        members.iter().map(|(name, value)| [bytes(name), b"=".to_vec(), bytes(value)].concat()).collect();
    let sign = paying.alipay.sign(&text.join(&b'&'), forged)?;
    members.insert("sign_type".into(), "RSA2".into());
    members.insert("sign".into(), sign);
    let mut body = String::new();
    for (name, value) in &members {
        if !body.is_empty() {
            body.push('&');
        }
        body.push_str(name);
        body.push('=');
        body.extend(url::form_urlencoded::byte_serialize(&bytes(value)));
    }
    let mut headers = HeaderMap::new();
    let kind = if gbk {
        "application/x-www-form-urlencoded; charset=gbk"
    } else {
        "application/x-www-form-urlencoded; charset=utf-8"
    };
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(kind));
    Some((headers, body.into_bytes()))
}
