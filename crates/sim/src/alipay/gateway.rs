//! The door: parameters, signature, method; and the signature under the answer.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, Uri};
use serde_json::{Value, json};

use super::{bill, cashier, trades};
use crate::net::Wire;
use crate::paying::{self, Fault, notices};
use crate::run::Shared;
use crate::world::World;

/// A refusal: code, sub-code, words.
pub(super) struct Refusal(pub(super) &'static str, pub(super) &'static str, pub(super) String);

pub(super) fn business(sub_code: &'static str, words: &str) -> Refusal {
    Refusal("40004", sub_code, words.to_owned())
}

pub(super) type Params = BTreeMap<String, String>;

/// What a method needs of a call.
pub(super) struct Asked<'a> {
    pub(super) params: &'a Params,
    pub(super) content: Value,
    pub(super) now: i64,
    pub(super) base: String,
}

pub(super) async fn serve(
    State(hub): State<Shared>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    uri: Uri,
    body: Bytes,
) -> Response {
    notices::keep_running(&hub);
    let mut params: Params =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    params.extend(url::form_urlencoded::parse(&body).into_owned());
    let method = params.get("method").cloned().unwrap_or_default();
    let (fault, over) = paying::before(&hub, &wire, &method).await;
    if let Some(response) = over {
        return response;
    }
    let now = hub.now();
    let base = format!("http://{}", hub.addr);
    let mut world = hub.world.lock();
    let authorised = authorise(&mut world, &params, now);
    let node = if authorised.is_ok() {
        format!("{}_response", method.replace('.', "_"))
    } else {
        "error_response".into()
    };
    let result = match fault {
        Fault::TooMany => Err(Refusal("40005", "isv.call-limit", "调用频次超限".into())),
        _ => authorised.and_then(|content| {
            let asked = Asked { params: &params, content, now, base };
            run(&mut world, &method, &asked)
        }),
    };
    if method == "alipay.trade.wap.pay" {
        drop(world);
        let page = match result {
            Ok(value) => {
                let number = value.get("trade_no").and_then(Value::as_str).unwrap_or_default();
                Redirect::to(&cashier::address(number, params.get("return_url").map(String::as_str)))
                    .into_response()
            }
            Err(Refusal(_, code, words)) => {
                (StatusCode::OK, Html(format!("<p>{code} {words}</p>"))).into_response()
            }
        };
        return paying::after(&wire, fault, page);
    }
    let member = match result {
        Ok(mut value) => {
            if let Some(map) = value.as_object_mut() {
                map.insert("code".into(), json!("10000"));
                map.insert("msg".into(), json!("Success"));
            }
            value
        }
        Err(Refusal(code, sub_code, words)) => {
            let msg = if code == "40004" { "Business Failed" } else { "Invalid Arguments" };
            json!({ "code": code, "msg": msg, "sub_code": sub_code, "sub_msg": words })
        }
    };
    // As the real one writes slashes.
    let raw = member.to_string().replace('/', "\\/");
    let bank = &world.paying.alipay;
    let signature = bank.sign(raw.as_bytes(), fault == Fault::WrongKey).unwrap_or_default();
    let mut out = format!("{{\"{node}\":{raw}");
    if params.contains_key("app_cert_sn")
        && let Some(keys) = &bank.keys
    {
        out.push_str(&format!(",\"alipay_cert_sn\":\"{}\"", keys.alipay_cert_sn));
    }
    if fault != Fault::Unsigned {
        out.push_str(&format!(",\"sign\":\"{signature}\""));
    }
    out.push('}');
    if fault == Fault::CutBody {
        out.pop();
    }
    drop(world);
    let mut response = Body::from(out).into_response();
    let kind = HeaderValue::from_static("application/json;charset=utf-8");
    response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
    paying::after(&wire, fault, response)
}

/// Checks the common parameters and the signature; gives `biz_content`.
fn authorise(world: &mut World, params: &Params, now: i64) -> Result<Value, Refusal> {
    let refuse = |sub: &'static str, words: String| Refusal("40002", sub, words);
    let get = |name: &str| params.get(name).map_or("", String::as_str);
    let bank = &mut world.paying.alipay;
    let keys = bank.keys().ok_or_else(|| refuse("isp.unknow-error", "no keys".into()))?;
    if get("app_id") != keys.app_id {
        return Err(refuse("isv.invalid-app-id", "无效的AppID参数".into()));
    }
    if get("sign_type") != "RSA2" {
        return Err(refuse("isv.invalid-signature-type", "RSA2 only".into()));
    }
    if !get("charset").eq_ignore_ascii_case("utf-8") {
        return Err(refuse("isv.invalid-charset", "utf-8 only here".into()));
    }
    let at = pay::moment::parse_beijing(get("timestamp"));
    if at.is_none_or(|at| at.0.abs_diff(now) > 15 * 60_000) {
        return Err(refuse("isv.invalid-timestamp", "非法的时间戳参数".into()));
    }
    let text: Vec<String> = params
        .iter()
        .filter(|(name, value)| name.as_str() != "sign" && !value.is_empty())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let text = text.join("&");
    let key = bank.parsed.as_ref().and_then(|parsed| parsed.app.public().ok());
    if key.is_none_or(|key| key.verify(text.as_bytes(), get("sign")).is_err()) {
        return Err(refuse("isv.invalid-signature", format!("验签出错，待签名字符串为: {text}")));
    }
    if params.contains_key("app_cert_sn") {
        let own =
            pay::crypto::cert::Certificate::parse(&keys.app_certificate).and_then(|one| one.alipay_sn());
        if own.ok().as_deref() != Some(get("app_cert_sn")) {
            return Err(refuse("isv.invalid-app-cert-sn", "应用公钥证书SN不匹配".into()));
        }
        let root = pay::crypto::cert::alipay_root_sn(&keys.roots).ok();
        if root.as_deref() != Some(get("alipay_root_cert_sn")) {
            return Err(refuse("isv.invalid-alipay-root-cert-sn", "支付宝根证书SN不匹配".into()));
        }
    }
    match get("biz_content") {
        "" => Ok(json!({})),
        content => {
            serde_json::from_str(content).map_err(|error| refuse("isv.invalid-parameter", error.to_string()))
        }
    }
}

fn run(world: &mut World, method: &str, asked: &Asked<'_>) -> Result<Value, Refusal> {
    for trade in world.paying.alipay.trades.values_mut() {
        if trade.status == "WAIT_BUYER_PAY" && trade.expires_ms <= asked.now {
            trade.status = "TRADE_CLOSED".into();
        }
    }
    match method {
        "alipay.trade.create"
        | "alipay.trade.wap.pay"
        | "alipay.trade.precreate"
        | "alipay.trade.page.pay" => trades::place(world, method, asked),
        "alipay.trade.query" => trades::query(world, asked),
        "alipay.trade.close" => trades::close(world, asked),
        "alipay.trade.refund" => trades::refund(world, asked),
        "alipay.trade.fastpay.refund.query" => trades::query_refund(world, asked),
        "alipay.data.dataservice.bill.downloadurl.query" => bill::address(world, asked),
        "alipay.open.app.alipaycert.download" => {
            let keys = world.paying.alipay.keys.as_ref();
            let wanted = asked.content.get("alipay_cert_sn").and_then(Value::as_str);
            let held = keys.filter(|keys| wanted == Some(keys.alipay_cert_sn.as_str()));
            let keys = held.ok_or_else(|| business("isv.cert-not-found", "证书不存在"))?;
            let chain = format!("{}{}", keys.alipay_certificate, keys.roots);
            Ok(json!({ "alipay_cert_content": STANDARD.encode(chain) }))
        }
        _ => Err(Refusal("40002", "isv.invalid-method", "不存在的方法名".into())),
    }
}
