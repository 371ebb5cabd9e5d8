//! One attempt after the other: a new timestamp, nonce and signature each time, five seconds each.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::Instant;
use wechat::callback::{AesKey, signature};

use super::{Attempt, Expected, How, Node, Ready, Reply, reply, xml};
use crate::chat::ChatItem;
use crate::config::{PushFormat, PushMode};
use crate::run::Shared;

/// The first attempt and two more.
const ATTEMPTS: u32 = 3;
/// So much of an answer is read, and so much of it is kept.
const READ: usize = 1 << 20;
const KEPT: usize = 600;

/// The content in the account's format.
pub(super) fn plaintext(fields: &[(String, Node)], format: PushFormat) -> String {
    match format {
        PushFormat::Xml => xml::write(fields),
        PushFormat::Json => to_json(fields).to_string(),
    }
}

fn to_json(fields: &[(String, Node)]) -> Value {
    let mut out = Map::new();
    for (name, node) in fields {
        let value = match node {
            Node::Text(text) => json!(text),
            Node::Number(number) => {
                number.parse::<u64>().map_or_else(|_| json!(number), |number| json!(number))
            }
            Node::Tree(fields) => to_json(fields),
        };
        // Repeated names become a list only when there are several, as WeChat does.
        match out.get_mut(name) {
            None => {
                out.insert(name.clone(), value);
            }
            Some(Value::Array(list)) => list.push(value),
            Some(first) => {
                let both = vec![first.take(), value];
                *first = Value::Array(both);
            }
        }
    }
    Value::Object(out)
}

/// Sends until something comes back; gives all attempts and what the account says.
pub(super) async fn with_retries(
    hub: &Shared,
    ready: &Ready,
    how: &How,
) -> (Vec<Attempt>, Option<Box<ChatItem>>) {
    let most = how.attempts.unwrap_or(ATTEMPTS).clamp(1, ATTEMPTS);
    let mut attempts = Vec::new();
    for number in 1..=most {
        let (attempt, said) = once(hub, ready, how).await;
        // A body that makes no sense is final: the person sees the error line at once.
        let again = matches!(attempt.outcome, "timeout" | "no_connection" | "http_status");
        attempts.push(attempt);
        if !again || said.is_some() {
            return (attempts, said);
        }
        if number < most {
            tokio::time::sleep(hub.push_gap).await;
        }
    }
    (attempts, None)
}

/// One attempt.
pub(super) async fn once(hub: &Shared, ready: &Ready, how: &How) -> (Attempt, Option<Box<ChatItem>>) {
    let begun = Instant::now();
    let now = hub.now();
    let request = envelope(hub, ready, how, now);
    let kind = match ready.account.format {
        PushFormat::Xml => "text/xml",
        PushFormat::Json => "application/json",
    };
    let send = async {
        let mut response = hub
            .http
            .post(&request.url)
            .header(http::header::CONTENT_TYPE, kind)
            .body(request.body.clone())
            .send()
            .await?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > READ {
                break;
            }
        }
        Ok::<_, reqwest::Error>((status, body))
    };
    let answer = tokio::time::timeout(hub.push_timeout, send).await;
    let took = begun.elapsed();
    let mut attempt = Attempt {
        at_ms: now,
        took_ms: millis(took),
        status: None,
        outcome: "timeout",
        detail: String::new(),
        body: String::new(),
    };
    let (status, body) = match answer {
        Err(_) => return (attempt, None),
        Ok(Err(error)) => {
            attempt.outcome = "no_connection";
            attempt.detail = error.without_url().to_string();
            return (attempt, None);
        }
        Ok(Ok(answer)) => answer,
    };
    attempt.status = Some(status);
    attempt.body = String::from_utf8_lossy(&body).chars().take(KEPT).collect();
    if status != 200 {
        attempt.outcome = "http_status";
        return (attempt, None);
    }
    let origin = format!("http://{}", hub.addr);
    let media = |id: &str| {
        let world = hub.world.lock();
        world.media.get(id).filter(|media| media.expires > now).map(|_| format!("{origin}/sim/v1/media/{id}"))
    };
    let expected = Expected {
        openid: &ready.openid,
        gh_id: &ready.account.gh_id,
        appid: &ready.account.appid,
        token: &ready.account.token,
        key: how.key.as_deref().unwrap_or(&ready.account.encoding_aes_key),
        mode: ready.account.mode,
        format: ready.account.format,
        now,
        media: &media,
    };
    match reply::read(&body, &expected) {
        Ok(Reply::Acknowledged) => {
            attempt.outcome = "acknowledged";
            (attempt, None)
        }
        Ok(Reply::Says(item)) => {
            attempt.outcome = "replied";
            (attempt, Some(item))
        }
        Err(why) => {
            attempt.outcome = "bad_body";
            attempt.detail = why;
            (attempt, None)
        }
    }
}

fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

struct Request {
    url: String,
    body: String,
}

/// Signs, and encrypts where the mode says so.
fn envelope(hub: &Shared, ready: &Ready, how: &How, now: i64) -> Request {
    let (random, nonce) = {
        let mut world = hub.world.lock();
        (world.rng.bytes16(), world.rng.digits(10))
    };
    let account = &ready.account;
    let nonce = how.nonce.clone().unwrap_or(nonce);
    let time = how.timestamp.unwrap_or_else(|| (now + ready.skew_ms).div_euclid(1000)).to_string();
    let token = if how.forge { "ForgedToken" } else { account.token.as_str() };
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("signature", &signature(&[token, &time, &nonce]))
        .append_pair("timestamp", &time)
        .append_pair("nonce", &nonce)
        .append_pair("openid", &ready.openid);
    let key = how.key.as_deref().unwrap_or(&account.encoding_aes_key);
    // The keys were checked when the account was set up; without one the push could only go out plain.
    let encrypt = match account.mode {
        PushMode::Plain => None,
        _ => AesKey::parse(key)
            .and_then(|key| key.encrypt(random, ready.plaintext.as_bytes(), &account.appid))
            .ok(),
    };
    let body = match encrypt {
        None => ready.plaintext.clone(),
        Some(encrypt) => {
            query
                .append_pair("encrypt_type", "aes")
                .append_pair("msg_signature", &signature(&[token, &time, &nonce, &encrypt]));
            wrap(ready, &encrypt)
        }
    };
    let glue = if account.callback_url.contains('?') { '&' } else { '?' };
    Request { url: format!("{}{glue}{}", account.callback_url, query.finish()), body }
}

/// Safe mode: only `ToUserName` and `Encrypt`; compatible mode: the plain fields beside them.
fn wrap(ready: &Ready, encrypt: &str) -> String {
    let account = &ready.account;
    let compatible = account.mode == PushMode::Compatible;
    match account.format {
        PushFormat::Xml => {
            let fields = [
                ("ToUserName".to_owned(), Node::text(&account.gh_id)),
                ("Encrypt".to_owned(), Node::text(encrypt)),
            ];
            match ready.plaintext.strip_suffix("</xml>") {
                Some(open) if compatible => format!("{open}<Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>"),
                _ => xml::write(&fields),
            }
        }
        PushFormat::Json => {
            let mut fields = match serde_json::from_str(&ready.plaintext) {
                Ok(Value::Object(fields)) if compatible => fields,
                _ => Map::from_iter([("ToUserName".to_owned(), json!(account.gh_id))]),
            };
            fields.insert("Encrypt".to_owned(), json!(encrypt));
            Value::Object(fields).to_string()
        }
    }
}
