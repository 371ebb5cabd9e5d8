//! The simulator's own interface, `/sim/v1`: people and what they do, faults, clock, inbox. JSON both ways; unknown fields,
//! paths and methods are refused in words.

mod accounts;
mod page;

use std::time::Duration;

use axum::extract::{Path, RawQuery, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post, put};
use axum::{Json, Router, middleware};
use base::UnixMs;
use bytes::Bytes;
use http::{Method, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::faults::Faults;
use crate::phone::{self, Act};
use crate::problem::{Problem, read};
use crate::push::xml::Node;
use crate::push::{self, How, PushJob, What};
use crate::run::Shared;
use crate::sms;
use crate::wx::Params;

type Answer = Result<Json<Value>, Problem>;

pub(crate) fn routes() -> Router<Shared> {
    let own = Router::new()
        .route("/sim/v1/state", get(state))
        .route("/sim/v1/phones", get(phones).post(add_phone))
        .route("/sim/v1/phones/{id}", get(one_phone).patch(change_phone))
        .route("/sim/v1/phones/{id}/chat", get(page::chat))
        .route("/sim/v1/phones/{id}/notices", get(page::notices))
        .route("/sim/v1/phones/{id}/sms", get(page::sms))
        .route("/sim/v1/phones/{id}/events", get(page::events))
        .route("/sim/v1/phones/{id}/media", post(page::media))
        .route("/sim/v1/phones/{id}/{action}", post(act))
        .route("/sim/v1/events", get(page::all_events))
        .route("/sim/v1/media/{id}", get(page::media_bytes))
        .route("/sim/v1/js-sdk", post(page::js_sdk))
        .route("/sim/v1/faults", get(faults).put(set_faults))
        .route("/sim/v1/clock", get(clock).post(move_clock))
        .route("/sim/v1/inbox", get(inbox))
        .route("/sim/v1/push", post(push_any))
        .route("/sim/v1/accounts", get(accounts::list))
        .route("/sim/v1/accounts/{account}", put(accounts::change))
        .route("/sim/v1/accounts/{account}/verify", post(accounts::verify))
        .route("/sim/v1/codes", get(accounts::codes))
        .route("/sim/{*rest}", any(unknown))
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(only_from_here));
    own.merge(sms::routes())
}

async fn unknown(request: Request) -> Problem {
    Problem::not_found("interface", request.uri().path())
}

async fn wrong_method(request: Request) -> Problem {
    let detail = format!("{} does not take {}", request.uri().path(), request.method());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", detail)
}

/// Pages of other hosts may not drive the simulator through somebody's browser.
async fn only_from_here(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let read = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    let stranger = read(header::ORIGIN).is_some_and(|origin| {
        let host = url::Url::parse(origin)
            .ok()
            .and_then(|url| url.host_str().map(str::to_owned))
            .unwrap_or_default();
        let same = read(header::HOST).is_some_and(|own| origin.ends_with(&format!("//{own}")));
        !same && !host.ends_with("localhost") && !matches!(host.as_str(), "127.0.0.1" | "[::1]")
    });
    if stranger && !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Problem::new(
            StatusCode::FORBIDDEN,
            "other_origin",
            "only the simulator's own pages may do this",
        )
        .into_response();
    }
    next.run(request).await
}

/// The number in a query, when there is one.
fn number(query: &Params, name: &str) -> Result<Option<u64>, Problem> {
    let Some(value) = query.get(name) else { return Ok(None) };
    value.parse().map(Some).map_err(|_| Problem::invalid(name, "a whole number"))
}

async fn state(State(hub): State<Shared>) -> Answer {
    let now = hub.now();
    let world = hub.world.lock();
    let accounts: Vec<Value> = world.accounts.iter().map(accounts::describe).collect();
    let phones: Vec<Value> =
        world.phones.iter().filter_map(|phone| phone::describe(&world, &phone.id).ok()).collect();
    Ok(Json(json!({
        "now_ms": now, "product_base": hub.product_base, "port": hub.addr.port(), "accounts": accounts,
        "phones": phones, "faults": world.faults, "seq": world.seq,
    })))
}

async fn phones(State(hub): State<Shared>) -> Answer {
    let world = hub.world.lock();
    let items: Vec<Value> =
        world.phones.iter().filter_map(|phone| phone::describe(&world, &phone.id).ok()).collect();
    Ok(Json(json!({ "items": items })))
}

async fn add_phone(State(hub): State<Shared>, body: Bytes) -> Result<(StatusCode, Json<Value>), Problem> {
    Ok((StatusCode::CREATED, Json(phone::add(&hub, read(&body)?)?)))
}

async fn one_phone(State(hub): State<Shared>, Path(id): Path<String>) -> Answer {
    phone::describe(&hub.world.lock(), &id).map(Json)
}

async fn change_phone(State(hub): State<Shared>, Path(id): Path<String>, body: Bytes) -> Answer {
    phone::change(&hub, &id, read(&body)?).map(Json)
}

async fn act(State(hub): State<Shared>, Path((id, action)): Path<(String, String)>, body: Bytes) -> Answer {
    let act: Act = read(&body)?;
    phone::act(&hub, &id, &action, act).await.map(Json)
}

async fn faults(State(hub): State<Shared>) -> Answer {
    Ok(Json(json!(hub.world.lock().faults)))
}

async fn set_faults(State(hub): State<Shared>, body: Bytes) -> Answer {
    let faults: Faults = read(&body)?;
    faults.check()?;
    let mut world = hub.world.lock();
    world.faults = faults;
    world.tell("", "faults", json!(world.faults));
    Ok(Json(json!(world.faults)))
}

async fn clock(State(hub): State<Shared>) -> Answer {
    Ok(Json(json!({ "now_ms": hub.now() })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MoveClock {
    now_ms: Option<i64>,
    advance_ms: Option<u64>,
}

async fn move_clock(State(hub): State<Shared>, body: Bytes) -> Answer {
    let wanted: MoveClock = read(&body)?;
    let moved = match (wanted.now_ms, wanted.advance_ms) {
        (Some(now), None) => hub.clock.set(UnixMs(now)),
        (None, Some(by)) => hub.clock.advance(Duration::from_millis(by)),
        _ => return Err(Problem::invalid("now_ms", "either now_ms or advance_ms")),
    };
    if !moved {
        return Err(Problem::conflict(
            "clock_fixed",
            "the simulator runs on the machine's clock, which can't be moved",
        ));
    }
    // Life times and the phones' clocks look different now.
    hub.world.lock().tell("", "reload", json!({}));
    Ok(Json(json!({ "now_ms": hub.now() })))
}

/// `?kind=&account=&phone=&after=`; with `wait_ms` it answers as soon as there are `count` entries (1), at the latest then.
async fn inbox(State(hub): State<Shared>, RawQuery(query): RawQuery) -> Answer {
    let query = Params::parse(query.as_deref().unwrap_or_default());
    if let Some(kind) = query.get("kind")
        && !matches!(kind, "template" | "custom" | "sms" | "menu" | "push" | "qrcode" | "pay")
    {
        return Err(Problem::invalid("kind", "template, custom, sms, menu, push, qrcode or pay"));
    }
    let after = number(&query, "after")?.unwrap_or(0);
    let wait = Duration::from_millis(number(&query, "wait_ms")?.unwrap_or(0).min(60_000));
    let count = usize::try_from(number(&query, "count")?.unwrap_or(1)).unwrap_or(usize::MAX);
    let mut arrived = hub.world.lock().arrived.subscribe();
    let deadline = tokio::time::Instant::now() + wait;
    loop {
        arrived.mark_unchanged();
        let (items, seq) = {
            let world = hub.world.lock();
            let found = world.filed(query.get("kind"), query.get("account"), query.get("phone"), after);
            (found, world.seq)
        };
        let enough = items.len() >= count || wait.is_zero();
        if enough || !matches!(tokio::time::timeout_at(deadline, arrived.changed()).await, Ok(Ok(()))) {
            return Ok(Json(json!({ "items": items, "seq": seq })));
        }
    }
}

/// `POST /sim/v1/push`: anything at all, as if WeChat had sent it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PushAny {
    account: Option<String>,
    /// Whose openid stands in it; left out, that of nobody known.
    phone: Option<String>,
    /// The whole plaintext; `{openid}` and `{gh_id}` are filled in.
    xml: Option<String>,
    /// Or a `MsgType` with its own fields: texts, numbers, objects.
    kind: Option<String>,
    #[serde(default)]
    fields: serde_json::Map<String, Value>,
    #[serde(default)]
    forge: bool,
    timestamp: Option<i64>,
    nonce: Option<String>,
    key: Option<String>,
    attempts: Option<u32>,
    #[serde(default)]
    copies: u32,
}

async fn push_any(State(hub): State<Shared>, body: Bytes) -> Answer {
    let wanted: PushAny = read(&body)?;
    if wanted.copies > 500 {
        return Err(Problem::invalid("copies", "at most 500"));
    }
    if let Some(key) = &wanted.key {
        accounts::check_key(key)?;
    }
    let what = match (wanted.xml, wanted.kind) {
        (Some(xml), None) if wanted.fields.is_empty() => What::Raw(xml),
        (None, Some(kind)) => What::Fields { kind, fields: nodes(&wanted.fields)? },
        _ => return Err(Problem::invalid("xml", "either xml, or kind with fields")),
    };
    let job = {
        let world = hub.world.lock();
        let name = wanted.account.as_deref();
        let index = world.find_account(name);
        let account = index.and_then(|index| world.accounts.get(index));
        let account = account.ok_or_else(|| Problem::not_found("account", name.unwrap_or_default()))?;
        if let Some(phone) = &wanted.phone
            && world.phone(phone).is_none()
        {
            return Err(Problem::not_found("phone", phone));
        }
        let mut job = PushJob::new(&account.set.appid, wanted.phone.as_deref().unwrap_or_default(), what);
        job.how = How {
            forge: wanted.forge,
            timestamp: wanted.timestamp,
            nonce: wanted.nonce,
            key: wanted.key,
            attempts: wanted.attempts,
            copies: wanted.copies,
        };
        job
    };
    Ok(Json(push::deliver(&hub, job).await))
}

fn nodes(fields: &serde_json::Map<String, Value>) -> Result<Vec<(String, Node)>, Problem> {
    let mut out = Vec::new();
    for (name, value) in fields {
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(Problem::invalid(name, "a field name of letters, digits and _"));
        }
        let node = match value {
            Value::String(text) => Node::text(text),
            Value::Number(number) => Node::number(number),
            Value::Object(fields) => Node::Tree(nodes(fields)?),
            // A list is the same name several times, as WeChat writes it.
            Value::Array(list) => {
                for value in list {
                    let one = serde_json::Map::from_iter([(name.clone(), value.clone())]);
                    out.extend(nodes(&one)?);
                }
                continue;
            }
            Value::Null | Value::Bool(_) => {
                return Err(Problem::invalid(name, "a text, number, object or list"));
            }
        };
        out.push((name.clone(), node));
    }
    Ok(out)
}
