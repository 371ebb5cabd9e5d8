//! WeChat Pay, as little of it as a measurement needs: it takes orders, knows of no payment when asked, signs what it says, and serves one
//! day's bill. Notices are made here and sent by whoever measures.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result};
use aws_lc_rs::digest;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use base::{Clock, Date, Fen, UnixMs};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, StatusCode};
use parking_lot::Mutex;
use pay::crypto::aead::Apiv3Key;
use pay::crypto::rsa::PrivateKey;
use serde_json::json;

/// Our number there.
pub(super) const MCHID: &str = "1900012345";
/// The appid of its orders.
pub(super) const APP: &str = "wxbench0000000000";
const KEY_ID: &str = "PUB_KEY_ID_0119000123452026010100000000000001";
const APIV3: &str = "0123456789abcdef0123456789abcdef";

/// A day's bill as a file.
#[derive(Debug, Clone)]
pub(super) struct Bill {
    date: String,
    file: PathBuf,
    sha1: String,
}

/// The platform, listening.
pub(super) struct Platform {
    /// Where.
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    signs: PrivateKey,
    stranger: PrivateKey,
    merchant: PrivateKey,
    clock: Clock,
    address: SocketAddr,
    numbers: AtomicU64,
    bill: Mutex<Option<Bill>>,
    /// When the bill was first asked for.
    asked: Mutex<Option<Instant>>,
}

/// A notice, ready to be sent.
#[derive(Debug, Clone)]
pub(super) struct Notice {
    /// The headers that prove it.
    pub(super) headers: HeaderMap,
    /// The body.
    pub(super) body: String,
}

impl Platform {
    /// Starts it on a port of its own.
    pub(super) async fn start() -> Result<Self> {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            address,
            signs: PrivateKey::generate()?,
            stranger: PrivateKey::generate()?,
            merchant: PrivateKey::generate()?,
            clock: Clock::machine(),
            numbers: AtomicU64::new(0),
            bill: Mutex::default(),
            asked: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, shared })
    }

    /// The keys of the contract with it.
    pub(super) fn keys(&self) -> Result<billing::merchants::Keys> {
        let public = self.shared.signs.public()?.to_pem();
        Ok(billing::merchants::Keys::Wechatpay(billing::merchants::WechatKeys {
            serial_no: "3A5F0C1E77B24D90A1C6E2F8091B4D5E6F708192".into(),
            private_key: self.shared.merchant.to_pem()?,
            apiv3_key: APIV3.into(),
            apiv3_key_previous: None,
            public_keys: [(KEY_ID.to_owned(), public)].into(),
            certificates: Vec::new(),
        }))
    }

    /// Serves this bill from now on, and forgets when one was asked for.
    pub(super) fn serves(&self, bill: Option<Bill>) {
        *self.shared.bill.lock() = bill;
        *self.shared.asked.lock() = None;
    }

    /// When the bill was first asked for.
    pub(super) fn asked(&self) -> Option<Instant> {
        *self.shared.asked.lock()
    }

    /// The notice that an order is paid. `forged`: by a key that nobody knows, under the right id.
    pub(super) fn notice(&self, number: &str, total: Fen, forged: bool) -> Result<Notice> {
        let shared = &self.shared;
        let now = shared.clock.now();
        let nth = shared.numbers.fetch_add(1, Ordering::Relaxed);
        let content = json!({
            "mchid": MCHID, "appid": APP, "out_trade_no": number, "transaction_id": format!("4200{nth:024}"),
            "trade_type": "NATIVE", "trade_state": "SUCCESS", "trade_state_desc": "支付成功", "bank_type": "OTHERS",
            "success_time": pay::moment::rfc3339(now), "payer": {"openid": "o-bench"}, "attach": "",
            "amount": {"total": total.0, "payer_total": total.0, "currency": "CNY", "payer_currency": "CNY"},
        });
        let nonce = pay::crypto::nonce(12);
        let sealed = Apiv3Key::new(APIV3)?.seal(&nonce, "transaction", content.to_string().as_bytes())?;
        let body = json!({
            "id": format!("notice-{number}"), "create_time": pay::moment::rfc3339(now), "resource_type": "encrypt-resource",
            "event_type": "TRANSACTION.SUCCESS", "summary": "支付成功",
            "resource": {"original_type": "transaction", "algorithm": "AEAD_AES_256_GCM", "ciphertext": sealed,
                "associated_data": "transaction", "nonce": nonce},
        })
        .to_string();
        let key = if forged { &shared.stranger } else { &shared.signs };
        let mut headers = signed(key, body.as_bytes(), now)?;
        headers.insert(hyper::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(Notice { headers, body })
    }
}

fn signed(key: &PrivateKey, body: &[u8], now: UnixMs) -> Result<HeaderMap> {
    let (seconds, nonce) = (now.seconds().to_string(), pay::crypto::nonce(32));
    let mut text = format!("{seconds}\n{nonce}\n").into_bytes();
    text.extend_from_slice(body);
    text.push(b'\n');
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("wechatpay-timestamp", seconds),
        ("wechatpay-nonce", nonce),
        ("wechatpay-serial", KEY_ID.to_owned()),
        ("wechatpay-signature", key.sign(&text)?),
        ("wechatpay-signature-type", "WECHATPAY2-SHA256-RSA2048".to_owned()),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(&value)?);
    }
    Ok(headers)
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (path, query) =
        (request.uri().path().to_owned(), request.uri().query().unwrap_or_default().to_owned());
    let said = respond(&shared, &path, &query);
    said.unwrap_or_else(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response())
}

fn respond(shared: &Shared, path: &str, query: &str) -> Result<Response> {
    let refuse = |status: StatusCode, code: &str| {
        (status, json!({"code": code, "message": code}).to_string()).into_response()
    };
    let good = |status: StatusCode, body: String| -> Result<Response> {
        let headers = signed(&shared.signs, body.as_bytes(), shared.clock.now())?;
        Ok((status, headers, body).into_response())
    };
    if path == "/v3/pay/transactions/native" {
        let nth = shared.numbers.fetch_add(1, Ordering::Relaxed);
        return good(
            StatusCode::OK,
            json!({"code_url": format!("weixin://wxpay/bizpayurl?pr={nth}")}).to_string(),
        );
    }
    if path == "/v3/bill/tradebill" {
        let bill = shared.bill.lock().clone();
        let Some(bill) = bill.filter(|bill| query.contains(&format!("bill_date={}", bill.date))) else {
            return Ok(refuse(StatusCode::BAD_REQUEST, "NO_STATEMENT_EXIST"));
        };
        shared.asked.lock().get_or_insert_with(Instant::now);
        let address = format!("http://{}/v3/billdownload/file?token=bench", shared.address);
        let body = json!({"hash_type": "SHA1", "hash_value": bill.sha1, "download_url": address});
        return good(StatusCode::OK, body.to_string());
    }
    if path == "/v3/billdownload/file" {
        let bill = shared.bill.lock().clone().context("no bill")?;
        return Ok(Body::from(std::fs::read(bill.file)?).into_response());
    }
    if path.ends_with("/close") {
        return good(StatusCode::NO_CONTENT, String::new());
    }
    if let Some(number) = path.strip_prefix("/v3/pay/transactions/out-trade-no/") {
        // Its questions lag behind its notices: only those are measured.
        let order = json!({"mchid": MCHID, "appid": APP, "out_trade_no": number, "trade_state": "NOTPAY",
            "trade_state_desc": "订单未支付", "promotion_detail": []});
        return good(StatusCode::OK, order.to_string());
    }
    Ok(refuse(StatusCode::NOT_FOUND, "RESOURCE_NOT_EXISTS"))
}

const NAMES: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,\
应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";

/// Writes bytes to a file and hashes them on the way.
struct Hashed<W> {
    inner: W,
    hash: digest::Context,
}

impl<W: std::io::Write> std::io::Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hash.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

impl Bill {
    /// The bill of a day, of these payments: number, when, how much.
    pub(super) fn write(
        folder: &Path,
        date: Date,
        payments: impl Iterator<Item = (String, UnixMs, Fen)>,
    ) -> Result<Self> {
        let file = folder.join("bill.gz");
        let zip = flate2::write::GzEncoder::new(
            std::io::BufWriter::new(std::fs::File::create(&file)?),
            flate2::Compression::fast(),
        );
        let sha1 = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
        let mut out = std::io::BufWriter::with_capacity(1 << 20, Hashed { inner: zip, hash: sha1 });
        write!(out, "{NAMES}\r\n")?;
        let (mut rows, mut sum) = (0_u64, 0_i64);
        for (number, at, amount) in payments {
            let (time, yuan) = (pay::moment::beijing(at), amount.yuan());
            write!(
                out,
                "`{time},`{APP},`{MCHID},`0,`,`4200{number},`{number},`o-bench,`NATIVE,`SUCCESS,`OTHERS,`CNY,`{yuan},`0.00,`0,`0,`0.00,`0.00,`,`,\
                 `挂号费,`,`0.00000,`0.60%,`{yuan},`0.00,`\r\n"
            )?;
            rows += 1;
            sum += amount.0;
        }
        let sum = Fen(sum).yuan();
        write!(
            out,
            "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n`{rows},`{sum},`0.00,`0.00,`0.00000,`{sum},`0.00\r\n"
        )?;
        let hashed = out.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        let sha1 =
            hashed.hash.finish().as_ref().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        hashed.inner.finish()?.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        Ok(Self { date: date.to_string(), file, sha1 })
    }
}
