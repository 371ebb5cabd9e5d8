//! The accounts as an administrator sees them on WeChat's pages.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use wechat::callback::{AesKey, signature};

use super::Answer;
use crate::config::{PushFormat, PushMode};
use crate::problem::{Problem, read};
use crate::run::{Shared, token_is_valid};
use crate::world::Account;
use crate::wx::Params;

/// An account without its secret.
pub(super) fn describe(account: &Account) -> Value {
    let set = &account.set;
    json!({
        "appid": set.appid, "gh_id": set.gh_id, "name": set.name, "kind": set.kind, "mode": set.mode, "format": set.format,
        "callback_url": set.callback_url, "token": set.token, "encoding_aes_key": set.encoding_aes_key,
        "followers": account.users.values().filter(|user| user.subscribed).count(),
        "menu": account.menu, "codes": account.codes.len(), "templates": account.templates,
    })
}

pub(super) async fn list(State(hub): State<Shared>) -> Answer {
    let world = hub.world.lock();
    let items: Vec<Value> = world.accounts.iter().map(describe).collect();
    Ok(Json(json!({ "items": items })))
}

/// What may be changed while running; left out stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    mode: Option<PushMode>,
    format: Option<PushFormat>,
    token: Option<String>,
    /// 43 characters, or `random`.
    encoding_aes_key: Option<String>,
    callback_url: Option<String>,
    ip_allow: Option<Vec<String>>,
}

pub(super) fn check_key(key: &str) -> Result<(), Problem> {
    AesKey::parse(key).map(drop).map_err(|error| Problem::invalid("encoding_aes_key", &error.to_string()))
}

pub(super) async fn change(State(hub): State<Shared>, Path(name): Path<String>, body: Bytes) -> Answer {
    let change: Change = read(&body)?;
    if change.token.as_deref().is_some_and(|token| !token_is_valid(token)) {
        return Err(Problem::invalid("token", "3 to 32 letters and digits"));
    }
    if change.callback_url.as_deref().is_some_and(|address| url::Url::parse(address).is_err()) {
        return Err(Problem::invalid("callback_url", "an address"));
    }
    let mut world = hub.world.lock();
    let key = match change.encoding_aes_key {
        Some(key) if key == "random" => Some(world.rng.alphanumeric(43)),
        Some(key) => {
            check_key(&key)?;
            Some(key)
        }
        None => None,
    };
    let index = world.find_account(Some(&name)).ok_or_else(|| Problem::not_found("account", &name))?;
    let account = world.accounts.get_mut(index).ok_or_else(|| Problem::not_found("account", &name))?;
    let set = &mut account.set;
    set.mode = change.mode.unwrap_or(set.mode);
    set.format = change.format.unwrap_or(set.format);
    set.token = change.token.unwrap_or_else(|| set.token.clone());
    set.encoding_aes_key = key.unwrap_or_else(|| set.encoding_aes_key.clone());
    set.callback_url = change.callback_url.unwrap_or_else(|| set.callback_url.clone());
    set.ip_allow = change.ip_allow.unwrap_or_else(|| set.ip_allow.clone());
    Ok(Json(describe(account)))
}

/// What WeChat does when the administrator saves the address: a GET whose answer must be `echostr` and nothing else.
pub(super) async fn verify(State(hub): State<Shared>, Path(name): Path<String>) -> Answer {
    let (set, nonce, echo) = {
        let mut world = hub.world.lock();
        let index = world.find_account(Some(&name)).ok_or_else(|| Problem::not_found("account", &name))?;
        let set = world.accounts.get(index).map(|account| account.set.clone());
        (set.ok_or_else(|| Problem::not_found("account", &name))?, world.rng.digits(10), world.rng.digits(19))
    };
    let time = hub.now().div_euclid(1000).to_string();
    let query = [
        ("signature", signature(&[&set.token, &time, &nonce])),
        ("timestamp", time),
        ("nonce", nonce),
        ("echostr", echo.clone()),
    ];
    let send = async {
        let response = hub.http.get(&set.callback_url).query(&query).send().await?;
        let status = response.status().as_u16();
        Ok::<_, reqwest::Error>((status, response.text().await?))
    };
    let (ok, status, detail) = match tokio::time::timeout(hub.push_timeout, send).await {
        Err(_) => (false, None, "no answer in time".to_owned()),
        Ok(Err(error)) => (false, None, error.without_url().to_string()),
        Ok(Ok((status, body))) if status == 200 && body == echo => (true, Some(status), String::new()),
        Ok(Ok((status, body))) => {
            let start: String = body.chars().take(200).collect();
            (false, Some(status), format!("the body must be echostr and nothing else, got {start:?}"))
        }
    };
    Ok(Json(json!({ "ok": ok, "status": status, "detail": detail })))
}

/// `GET /sim/v1/codes?account=`: every parametric code, for the scanner's list.
pub(super) async fn codes(State(hub): State<Shared>, RawQuery(query): RawQuery) -> Answer {
    let query = Params::parse(query.as_deref().unwrap_or_default());
    let now = hub.now();
    let world = hub.world.lock();
    let wanted = query.get("account");
    if let Some(name) = wanted
        && world.find_account(wanted).is_none()
    {
        return Err(Problem::not_found("account", name));
    }
    let items: Vec<Value> = world
        .accounts
        .iter()
        .filter(|account| wanted.is_none_or(|name| name == account.set.appid || name == account.set.gh_id))
        .flat_map(|account| {
            account.codes.values().map(move |code| {
                json!({
                    "account": account.set.appid, "ticket": code.ticket, "url": code.url, "scene": code.scene,
                    "permanent": code.expires.is_none(), "expired": code.expires.is_some_and(|at| at <= now),
                    "created_ms": code.created,
                })
            })
        })
        .collect();
    Ok(Json(json!({ "items": items })))
}
