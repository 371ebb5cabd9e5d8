//! The door: who asks, is it signed, what is wanted; and the signature under the answer.

use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use serde_json::{Value, json};

use super::{bill, medins, orders, refunds};
use crate::net::Wire;
use crate::paying::{self, Fault, notices};
use crate::run::Shared;
use crate::world::World;

/// An error as WeChat Pay writes it.
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) expected: String,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), expected: String::new() }
    }

    pub(super) fn param(field: &str, issue: &str) -> Self {
        Self::new(400, "PARAM_ERROR", format!("{field}: {issue}"))
    }
}

/// An answer: JSON, nothing (204), or a file that is not signed.
pub(super) enum Reply {
    Json(Value),
    Nothing,
    File(Vec<u8>),
}

/// What a handler needs of a call.
pub(super) struct Asked<'a> {
    pub(super) query: &'a std::collections::BTreeMap<String, String>,
    pub(super) body: &'a [u8],
    pub(super) now: i64,
    pub(super) base: String,
}

pub(super) async fn serve(
    State(hub): State<Shared>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    notices::keep_running(&hub);
    let (fault, over) = paying::before(&hub, &wire, uri.path()).await;
    if let Some(response) = over {
        return response;
    }
    let mut world = hub.world.lock();
    let now = hub.now();
    let theirs = now + world.paying.faults.clock_ahead_s * 1000;
    let base = format!("http://{}", hub.addr);
    let result = if fault == Fault::TooMany {
        Err(Refusal::new(429, "FREQUENCY_LIMITED", "频率超限"))
    } else {
        let target = uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str);
        authorise(&mut world, &method, target, &headers, &body, theirs)
            .and_then(|()| run(&mut world, &method, &uri, &body, now, base))
    };
    world.paying.numbers += 1;
    let number = world.paying.numbers;
    let public = headers.get("wechatpay-serial").is_some_and(|id| id.as_bytes().starts_with(b"PUB_KEY_ID_"));
    let response = answer(&world, result, fault, theirs, number, public);
    drop(world);
    paying::after(&wire, fault, response)
}

fn answer(
    world: &World,
    result: Result<Reply, Refusal>,
    fault: Fault,
    now: i64,
    number: u64,
    public: bool,
) -> Response {
    let (status, bytes, file) = match result {
        Ok(Reply::Json(value)) => (200, value.to_string().into_bytes(), false),
        Ok(Reply::Nothing) => (204, Vec::new(), false),
        Ok(Reply::File(bytes)) => (200, bytes, true),
        Err(refusal) => {
            let body = json!({ "code": refusal.code, "message": refusal.message });
            let mut response =
                (StatusCode::from_u16(refusal.status).unwrap_or_default(), body.to_string()).into_response();
            decorate(&mut response, now, number);
            if let Ok(value) = HeaderValue::from_str(&refusal.expected.escape_default().to_string()) {
                response.headers_mut().insert("x-sim-expected", value);
            }
            return response;
        }
    };
    let signed = (!file && fault != Fault::Unsigned)
        .then(|| world.paying.wechatpay.sign(&bytes, now, number, public, fault == Fault::WrongKey))
        .flatten();
    let mut sent = bytes;
    if fault == Fault::CutBody {
        sent.pop();
    }
    let mut response = (StatusCode::from_u16(status).unwrap_or_default(), Body::from(sent)).into_response();
    response.headers_mut().extend(signed.unwrap_or_default());
    decorate(&mut response, now, number);
    response
}

fn decorate(response: &mut Response, now: i64, number: u64) {
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&format!("08SIM{number:012}-0")) {
        headers.insert("request-id", value);
    }
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    // The platform's clock, which a test may move.
    if let Ok(value) = HeaderValue::from_str(&base::UnixMs(now).http_date()) {
        headers.insert(http::header::DATE, value);
    }
}

/// Checks `Authorization` as strictly as the real one.
fn authorise(
    world: &mut World,
    method: &Method,
    target: &str,
    headers: &HeaderMap,
    body: &[u8],
    now: i64,
) -> Result<(), Refusal> {
    let refuse = |message: &str| Refusal::new(401, "SIGN_ERROR", message);
    let bank = &mut world.paying.wechatpay;
    let keys = bank.keys().ok_or_else(|| Refusal::new(500, "SYSTEM_ERROR", "no keys"))?;
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if text("user-agent").is_empty() {
        return Err(Refusal::param("User-Agent", "missing"));
    }
    let given = text("authorization")
        .strip_prefix("WECHATPAY2-SHA256-RSA2048 ")
        .ok_or_else(|| refuse("no authorization"))?;
    let part = |name: &str| {
        given
            .split(',')
            .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix("=\"")?.strip_suffix('"'))
            .unwrap_or_default()
    };
    let (nonce, timestamp) = (part("nonce_str"), part("timestamp"));
    if part("mchid") != keys.mchid || !part("serial_no").eq_ignore_ascii_case(&keys.merchant_serial) {
        return Err(refuse("mchid or serial_no unknown"));
    }
    let mut message = format!("{method}\n{target}\n{timestamp}\n{nonce}\n").into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    let expected = String::from_utf8_lossy(&message).into_owned();
    let wrong = |why: &str| Refusal { expected: expected.clone(), ..refuse(why) };
    let seconds: i64 = timestamp.parse().map_err(|_| wrong("timestamp"))?;
    if (now / 1000).abs_diff(seconds) > 300 {
        return Err(wrong("timestamp more than five minutes off"));
    }
    let key = bank.merchant_key().and_then(|key| key.public().ok());
    let fits = key.is_some_and(|key| key.verify(&message, part("signature")).is_ok());
    if !fits {
        return Err(wrong("signature"));
    }
    if !bank.nonces.insert(format!("{timestamp}{nonce}")) {
        return Err(wrong("this nonce was used"));
    }
    if bank.nonces.len() > 100_000 {
        bank.nonces.pop_first();
    }
    Ok(())
}

fn run(
    world: &mut World,
    method: &Method,
    uri: &Uri,
    body: &[u8],
    now: i64,
    base: String,
) -> Result<Reply, Refusal> {
    let query =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let asked = Asked { query: &query, body, now, base };
    let path: Vec<String> = uri
        .path()
        .split('/')
        .skip(2)
        .map(|part| {
            let part = part.replace('+', "%2B");
            let decoded = url::form_urlencoded::parse(part.as_bytes()).next();
            decoded.map(|(name, _)| name.into_owned()).unwrap_or_default()
        })
        .collect();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    settle_first(world, now);
    match (method.as_str(), path.as_slice()) {
        ("POST", ["pay", "transactions", product @ ("jsapi" | "native" | "h5" | "app")]) => {
            orders::place(world, product, &asked)
        }
        ("GET", ["pay", "transactions", "out-trade-no", no]) => orders::query(world, no, &asked),
        ("GET", ["pay", "transactions", "id", id]) => orders::query_by_id(world, id, &asked),
        ("POST", ["pay", "transactions", "out-trade-no", no, "close"]) => orders::close(world, no, &asked),
        ("POST", ["refund", "domestic", "refunds"]) => refunds::place(world, &asked),
        ("GET", ["refund", "domestic", "refunds", no]) => refunds::query(world, no),
        ("GET", ["certificates"]) => certificates(world),
        ("GET", ["bill", "tradebill"]) => bill::trade(world, &asked),
        ("GET", ["bill", "fundflowbill"]) => bill::fund(world, &asked),
        ("GET", ["billdownload", "file"]) => bill::file(world, &asked),
        ("POST", ["med-ins", "orders"]) => medins::place(world, &asked),
        ("GET", ["med-ins", "orders", "out-trade-no", no]) => medins::query(world, no),
        ("GET", ["med-ins", "orders", "mix-trade-no", no]) => medins::query_by_number(world, no),
        ("POST", ["med-ins", "refunds", "notify"]) => medins::refund_told(world, &asked),
        _ => Err(Refusal::new(404, "RESOURCE_NOT_EXISTS", format!("{method} {}", uri.path()))),
    }
}

fn settle_first(world: &mut World, now: i64) {
    refunds::settle(&mut world.paying, now);
    for order in world.paying.wechatpay.orders.values_mut() {
        if order.state == "NOTPAY" && order.expires_ms <= now {
            order.state = "CLOSED".into();
        }
    }
}

/// Merchants in public-key mode have no certificates.
fn certificates(world: &mut World) -> Result<Reply, Refusal> {
    let bank = &mut world.paying.wechatpay;
    if bank.mode == super::Mode::PublicKey {
        return Err(Refusal::new(
            404,
            "RESOURCE_NOT_EXISTS",
            "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥",
        ));
    }
    let keys = bank.keys().ok_or_else(|| Refusal::new(500, "SYSTEM_ERROR", "no keys"))?;
    let only = if bank.mode == super::Mode::SecondCertificate { 2 } else { 1 };
    let key = pay::crypto::aead::Apiv3Key::new(keys.apiv3_key.as_str())
        .map_err(|_| Refusal::new(500, "SYSTEM_ERROR", "no keys"))?;
    let list: Vec<Value> = keys
        .certificates
        .iter()
        .take(only)
        .filter_map(|one| {
            let nonce = pay::crypto::nonce(12);
            let sealed = key.seal(&nonce, "certificate", one.pem.as_bytes()).ok()?;
            Some(json!({
                "serial_no": one.serial, "effective_time": "2025-01-01T08:00:00+08:00",
                "expire_time": "2045-01-01T08:00:00+08:00",
                "encrypt_certificate": {
                    "algorithm": "AEAD_AES_256_GCM", "nonce": nonce, "associated_data": "certificate",
                    "ciphertext": sealed,
                },
            }))
        })
        .collect();
    Ok(Reply::Json(json!({ "data": list })))
}

/// Opens a field that was sealed under WeChat's public key or a certificate.
pub(super) fn open_field(world: &World, sealed: &str) -> Option<String> {
    let parsed = world.paying.wechatpay.parsed.as_ref()?;
    STANDARD.decode(sealed).ok()?;
    let keys = std::iter::once(&parsed.public).chain(&parsed.certificates);
    let opened = keys.filter_map(|key| key.open_oaep(sealed).ok()).next()?;
    String::from_utf8(opened).ok()
}
