//! The SMS vendor: a plain JSON interface as Chinese vendors have it.
//!
//! `POST /sms/v1/send` with `app_key`, `app_secret` (in the body, or as `X-App-Key` and `X-App-Secret`), `phone`, `sign`,
//! `template_code`, `params`, `out_id`. The answer is always HTTP 200 with a `code`; `OK` means accepted. The same `out_id`
//! is one message, however often it is asked for. `GET /sms/v1/query?out_id=` says what became of it.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::{ConnectInfo, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::chat::Notice;
use crate::net::Wire;
use crate::run::Shared;
use crate::world::World;
use crate::wx::Params;

/// One message, as the vendor and the phone know it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Sms {
    pub(crate) biz_id: String,
    pub(crate) out_id: Option<String>,
    pub(crate) at_ms: i64,
    pub(crate) phone_number: String,
    /// The phone with that number, if there is one.
    pub(crate) phone: Option<String>,
    pub(crate) sign: String,
    pub(crate) template_code: String,
    pub(crate) params: BTreeMap<String, String>,
    /// What stands on the screen.
    pub(crate) text: String,
    /// `delivered` or `failed`.
    pub(crate) state: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Send {
    #[serde(default)]
    app_key: String,
    #[serde(default)]
    app_secret: String,
    phone: String,
    #[serde(default)]
    sign: String,
    template_code: String,
    #[serde(default)]
    params: BTreeMap<String, Value>,
    #[serde(default)]
    out_id: Option<String>,
}

/// A refusal: the vendor's code and its text.
type Refusal = (String, String);

pub(crate) fn routes() -> Router<Shared> {
    Router::new().route("/sms/v1/send", post(send)).route("/sms/v1/query", get(query))
}

async fn send(
    State(hub): State<Shared>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err(response) = disturb(&hub, "/sms/v1/send").await {
        return response;
    }
    let mut world = hub.world.lock();
    let answer = match accept(&hub, &mut world, &headers, &body) {
        Ok(biz_id) => {
            if world.faults.touches("/sms/v1/send") && world.faults.reset_after_accept > 0 {
                world.faults.reset_after_accept -= 1;
                wire.cut();
            }
            json!({ "code": "OK", "message": "OK", "biz_id": biz_id })
        }
        Err((code, message)) => json!({ "code": code, "message": message }),
    };
    Json(answer).into_response()
}

async fn query(State(hub): State<Shared>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    if let Err(response) = disturb(&hub, "/sms/v1/query").await {
        return response;
    }
    let query = Params::parse(query.as_deref().unwrap_or_default());
    let given = |name: &str, header: &str| {
        query.get(name).map(str::to_owned).unwrap_or_else(|| head(&headers, header))
    };
    let who = authenticate(&hub, &given("app_key", "x-app-key"), &given("app_secret", "x-app-secret"));
    let answer = match (who, query.get("out_id")) {
        (Err((code, message)), _) => json!({ "code": code, "message": message }),
        (Ok(()), None) => json!({ "code": "isv.INVALID_PARAMETERS", "message": "out_id missing" }),
        (Ok(()), Some(out_id)) => {
            let world = hub.world.lock();
            match world.sms.iter().find(|sms| sms.out_id.as_deref() == Some(out_id)) {
                None => json!({ "code": "OK", "message": "OK", "out_id": out_id, "state": "unknown" }),
                Some(sms) => json!({
                    "code": "OK", "message": "OK", "out_id": out_id, "state": sms.state, "biz_id": sms.biz_id,
                    "phone": sms.phone_number, "sent_at_ms": sms.at_ms,
                }),
            }
        }
    };
    Json(answer).into_response()
}

async fn disturb(hub: &Shared, path: &str) -> Result<(), Response> {
    let (slow, broken) = {
        let mut world = hub.world.lock();
        if !world.faults.touches(path) {
            return Ok(());
        }
        let rate = world.faults.http_5xx_rate;
        (world.faults.slow_ms, world.rng.chance(rate))
    };
    tokio::time::sleep(Duration::from_millis(slow)).await;
    if broken { Err(StatusCode::BAD_GATEWAY.into_response()) } else { Ok(()) }
}

fn head(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

fn refuse<T>(code: &str, message: impl Into<String>) -> Result<T, Refusal> {
    Err((code.to_owned(), message.into()))
}

fn authenticate(hub: &Shared, key: &str, secret: &str) -> Result<(), Refusal> {
    if key == hub.sms.app_key && secret == hub.sms.app_secret {
        return Ok(());
    }
    refuse("isv.ACCESS_DENIED", "app_key or app_secret wrong")
}

/// Does the work; gives the vendor's id of the message.
fn accept(hub: &Shared, world: &mut World, headers: &HeaderMap, body: &[u8]) -> Result<String, Refusal> {
    let send: Send = serde_json::from_slice(body)
        .map_err(|error| ("isv.INVALID_JSON_PARAM".to_owned(), error.to_string()))?;
    let given =
        |body: &str, header: &str| if body.is_empty() { head(headers, header) } else { body.to_owned() };
    authenticate(hub, &given(&send.app_key, "x-app-key"), &given(&send.app_secret, "x-app-secret"))?;
    let Some(number) = normal(&send.phone) else {
        return refuse("isv.MOBILE_NUMBER_ILLEGAL", "phone number wrong");
    };
    if !hub.sms.signs.is_empty() && !hub.sms.signs.contains(&send.sign) {
        return refuse("isv.SMS_SIGNATURE_ILLEGAL", "signature not approved");
    }
    let params = send.params.iter().map(|(name, value)| match value {
        Value::String(text) => Ok((name.clone(), text.clone())),
        Value::Number(number) => Ok((name.clone(), number.to_string())),
        _ => refuse("isv.INVALID_JSON_PARAM", format!("params.{name}")),
    });
    let params = params.collect::<Result<BTreeMap<_, _>, _>>()?;
    let text = compose(hub, &send, &params)?;
    let out_id = send.out_id.filter(|id| !id.is_empty());
    if out_id.as_ref().is_some_and(|id| id.len() > 256) {
        return refuse("isv.INVALID_PARAMETERS", "out_id has more than 256 bytes");
    }
    if let Some(known) = world.sms.iter().find(|sms| out_id.is_some() && sms.out_id == out_id) {
        if known.phone_number != number || known.template_code != send.template_code || known.params != params
        {
            return refuse("isv.DUPLICATE_OUT_ID", "out_id was used for another message");
        }
        return Ok(known.biz_id.clone());
    }
    if world.faults.touches("/sms/v1/send") && !world.faults.sms_fail.is_empty() {
        let code = world.faults.sms_fail.clone();
        return refuse(&code, "refused on demand");
    }
    let now = hub.now();
    let lost = world.faults.sms_lost;
    let phone = world.phones.iter().find(|phone| phone.phone_number == number).map(|phone| phone.id.clone());
    let sms = Sms {
        biz_id: format!("{}^0", world.rng.digits(18)),
        out_id,
        at_ms: now,
        phone_number: number,
        phone: phone.clone(),
        sign: send.sign,
        template_code: send.template_code,
        params,
        text,
        state: if lost { "failed" } else { "delivered" }.to_owned(),
    };
    let biz_id = sms.biz_id.clone();
    world.file("sms", now, json!(sms));
    if let Some(phone) = phone.filter(|_| !lost) {
        world.tell(&phone, "sms", json!(sms));
        let title = if sms.sign.is_empty() { "10690000".to_owned() } else { sms.sign.clone() };
        let (kind, text) = ("sms".to_owned(), sms.text.clone());
        let notice =
            Notice { id: 0, at_ms: now, kind, account: String::new(), title, text, url: String::new() };
        world.notice(&phone, notice);
    }
    world.sms.push(sms);
    let surplus = world.sms.len().saturating_sub(50_000);
    world.sms.drain(..surplus);
    Ok(biz_id)
}

/// The text on the screen: 【sign】 and the template with its parameters.
fn compose(hub: &Shared, send: &Send, params: &BTreeMap<String, String>) -> Result<String, Refusal> {
    let mut text = match hub.sms.templates.get(&send.template_code) {
        Some(template) => template.clone(),
        None if hub.sms.templates.is_empty() => {
            let pairs: Vec<String> = params.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            format!("{} {}", send.template_code, pairs.join(" · "))
        }
        None => return refuse("isv.SMS_TEMPLATE_ILLEGAL", "template not approved"),
    };
    for (name, value) in params {
        text = text.replace(&format!("${{{name}}}"), value);
    }
    if text.contains("${") {
        return refuse("isv.TEMPLATE_MISSING_PARAMETERS", "a parameter of the template is missing");
    }
    Ok(if send.sign.is_empty() { text } else { format!("【{}】{text}", send.sign) })
}

/// Eleven digits of a mainland mobile, or `+` and 7–15 digits abroad.
pub(crate) fn normal(phone: &str) -> Option<String> {
    let phone: String = phone.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let mainland = phone.strip_prefix("+86").or_else(|| phone.strip_prefix("0086")).unwrap_or(&phone);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if mainland.len() == 11 && mainland.starts_with('1') && digits(mainland) {
        return Some(mainland.to_owned());
    }
    let abroad = phone.strip_prefix('+')?;
    (digits(abroad) && (7..=15).contains(&abroad.len())).then_some(phone)
}

#[cfg(test)]
mod tests {
    use super::normal;

    #[test]
    fn numbers_are_made_alike() {
        assert_eq!(normal("+86 139-0000-0001").as_deref(), Some("13900000001"));
        assert_eq!(normal("13900000001").as_deref(), Some("13900000001"));
        assert_eq!(normal("+442071234567").as_deref(), Some("+442071234567"));
        for bad in ["", "1390000000", "23900000001", "1390000000a", "+", "+12", "汉字"] {
            assert_eq!(normal(bad), None, "{bad}");
        }
    }
}
