//! JS-SDK tickets, addresses, quotas, rids, and the check of our entrance from WeChat's side.

use axum::extract::{ConnectInfo, FromRequest, Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use super::{Entry, Want};
use crate::net::Wire;
use crate::run::Shared;
use crate::world::World;
use crate::wx::{Call, Done, WxError, ok, put, text};

const TICKET_MS: i64 = 7_200_000;
const DAY_MS: i64 = 86_400_000;
/// China keeps UTC+8 all year; daily counters start again at its midnight.
const CHINA_MS: i64 = 28_800_000;
const CLEARS_A_MONTH: usize = 10;

/// `GET /cgi-bin/ticket/getticket`
pub(super) fn ticket(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    match call.query.get("type") {
        Some("jsapi" | "wx_card") => {}
        _ => return Err(WxError::args("type")),
    }
    let fresh = format!("{}-{}", world.rng.alphanumeric(20), world.rng.url_safe(65));
    let account = world.accounts.get_mut(call.account).ok_or_else(|| WxError::new(40014))?;
    let (ticket, expires) = match &account.jsapi {
        Some((ticket, expires)) if *expires > call.now => (ticket.clone(), *expires),
        _ => (fresh, call.now + TICKET_MS),
    };
    account.jsapi = Some((ticket.clone(), expires));
    let left = (expires - call.now) / 1000;
    Ok(json!({ "errcode": 0, "errmsg": "ok", "ticket": ticket, "expires_in": left }).into())
}

/// `GET /cgi-bin/getcallbackip`
pub(super) fn callback_ip(_: &Shared, _: &mut World, _: &Call) -> Result<Done, WxError> {
    Ok(json!({ "ip_list": ["127.0.0.1", "::1"] }).into())
}

/// `GET /cgi-bin/get_api_domain_ip`
pub(super) fn api_ip(hub: &Shared, _: &mut World, _: &Call) -> Result<Done, WxError> {
    Ok(json!({ "ip_list": [hub.addr.ip().to_string()] }).into())
}

/// Counts a call against its daily quota.
pub(super) fn count(
    world: &mut World,
    account: usize,
    path: &str,
    now: i64,
    limit: Option<u64>,
) -> Result<(), WxError> {
    let day = (now + CHINA_MS).div_euclid(DAY_MS);
    let Some(account) = world.accounts.get_mut(account) else { return Ok(()) };
    let used = account.used.entry(path.to_owned()).or_insert((day, 0));
    if used.0 != day {
        *used = (day, 0);
    }
    if limit.is_some_and(|limit| used.1 >= limit) {
        return Err(WxError::new(45009));
    }
    used.1 += 1;
    Ok(())
}

/// `POST /cgi-bin/openapi/quota/get`
pub(super) fn quota(hub: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let body = call.object()?;
    let path = text(&body, "cgi_path").ok_or_else(|| WxError::args("cgi_path"))?;
    let day = (call.now + CHINA_MS).div_euclid(DAY_MS);
    let limit = hub.limits.daily.get(path).copied().ok_or_else(|| WxError::args("cgi_path"))?;
    let used = world
        .accounts
        .get(call.account)
        .and_then(|account| account.used.get(path))
        .filter(|used| used.0 == day)
        .map_or(0, |used| used.1);
    let quota = json!({ "daily_limit": limit, "used": used, "remain": limit.saturating_sub(used) });
    Ok(json!({ "errcode": 0, "errmsg": "ok", "quota": quota }).into())
}

/// `POST /cgi-bin/clear_quota`
pub(super) fn clear_quota(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let body = call.object()?;
    let account = world.accounts.get_mut(call.account).ok_or_else(|| WxError::new(40013))?;
    if text(&body, "appid") != Some(account.set.appid.as_str()) {
        return Err(WxError::new(40013));
    }
    account.clears.retain(|at| call.now - at < 30 * DAY_MS);
    if account.clears.len() >= CLEARS_A_MONTH {
        return Err(WxError::new(48006));
    }
    account.clears.push(call.now);
    account.used.clear();
    Ok(ok())
}

/// `POST /cgi-bin/openapi/rid/get`
pub(super) fn rid(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let body = call.object()?;
    let rid = text(&body, "rid").ok_or_else(|| WxError::args("rid"))?;
    let found = world.rids.iter().find(|(known, _)| known == rid).map(|(_, request)| request.clone());
    let request = found.ok_or_else(|| WxError::with(76001, "rid not found"))?;
    Ok(json!({ "errcode": 0, "errmsg": "ok", "request": request }).into())
}

/// Keeps the last calls for `rid/get`. Addresses without their query: tokens and secrets stand there.
pub(super) fn remember(world: &mut World, rid: &str, call: &Call, answer: Value) {
    let request = json!({
        "invoke_time": call.now / 1000,
        "cost_in_ms": 1,
        "request_url": call.path,
        "request_body": String::from_utf8_lossy(&call.body).chars().take(2_000).collect::<String>(),
        "response_body": answer.to_string(),
        "client_ip": call.peer.to_string(),
    });
    world.rids.push_back((rid.to_owned(), request));
    if world.rids.len() > 1_000 {
        world.rids.pop_front();
    }
}

/// `POST /cgi-bin/callback/check`: really looks up the host and really connects.
pub(super) async fn callback_check(
    State(hub): State<Shared>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
) -> Response {
    let mut entry = match Entry::take(&hub, wire, request.uri(), request.headers()).await {
        Ok(entry) => entry,
        Err(response) => return response,
    };
    let method = request.method().clone();
    entry.call.body = match Bytes::from_request(request, &()).await {
        Ok(body) => body,
        Err(refused) => return refused.into_response(),
    };
    let asked = {
        let mut world = hub.world.lock();
        entry.admit(&mut world, &method, Want::Post, true).and_then(|()| {
            let body = entry.call.object()?;
            let action = text(&body, "action").filter(|action| matches!(*action, "all" | "dns" | "ping"));
            let operator = text(&body, "check_operator").unwrap_or("DEFAULT");
            if !matches!(operator, "DEFAULT" | "CHINANET" | "UNICOM" | "CAP") {
                return Err(WxError::args("check_operator"));
            }
            let action = action.ok_or_else(|| WxError::args("action"))?.to_owned();
            let address =
                world.accounts.get(entry.call.account).map(|account| account.set.callback_url.clone());
            Ok((action, operator.to_owned(), address.unwrap_or_default()))
        })
    };
    let done = match asked {
        Ok((action, operator, address)) => Ok(look(&action, &operator, &address).await.into()),
        Err(error) => Err(error),
    };
    entry.finish(done).await
}

async fn look(action: &str, operator: &str, address: &str) -> Value {
    let mut out = json!({ "errcode": 0, "errmsg": "ok" });
    let Some((host, port)) = url::Url::parse(address).ok().and_then(|url| {
        Some((url.host_str()?.trim_matches(['[', ']']).to_owned(), url.port_or_known_default()?))
    }) else {
        return out;
    };
    let found: Vec<std::net::SocketAddr> = match tokio::net::lookup_host((host, port)).await {
        Ok(found) => found.collect(),
        Err(_) => Vec::new(),
    };
    if action != "ping" {
        let dns: Vec<Value> = found
            .iter()
            .map(|addr| json!({ "ip": addr.ip().to_string(), "real_operator": operator }))
            .collect();
        put(&mut out, "dns", Value::Array(dns));
    }
    if action != "dns" {
        let mut ping = Vec::new();
        for addr in &found {
            let begun = Instant::now();
            let limit = Duration::from_secs(2);
            let reached =
                matches!(tokio::time::timeout(limit, tokio::net::TcpStream::connect(addr)).await, Ok(Ok(_)));
            ping.push(json!({
                "ip": addr.ip().to_string(),
                "from_operator": operator,
                "package_loss": if reached { "0%" } else { "100%" },
                "time": format!("{}ms", begun.elapsed().as_millis()),
            }));
        }
        put(&mut out, "ping", Value::Array(ping));
    }
    out
}
