//! What a phone's page reads and needs: its chats, notices, SMS, a live stream, and the native side of the JS-SDK.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Path, RawQuery, Request, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::{HeaderValue, header};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;
use wechat::callback::signature;

use super::Answer;
use crate::pages;
use crate::problem::{Problem, read};
use crate::run::Shared;
use crate::world::Media;
use crate::wx::Params;

const MEDIA_MS: i64 = 3 * 86_400_000;

pub(super) async fn chat(
    State(hub): State<Shared>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    let query = Params::parse(query.as_deref().unwrap_or_default());
    let world = hub.world.lock();
    let name = query.get("account");
    let account = world.find_account(name).and_then(|index| world.accounts.get(index));
    let account = account.ok_or_else(|| Problem::not_found("account", name.unwrap_or_default()))?;
    let phone = world.phone(&id).ok_or_else(|| Problem::not_found("phone", &id))?;
    let items = phone.chats.get(&account.set.appid);
    Ok(Json(json!({ "account": account.set.appid, "items": items.map(Vec::as_slice).unwrap_or_default() })))
}

pub(super) async fn notices(State(hub): State<Shared>, Path(id): Path<String>) -> Answer {
    let world = hub.world.lock();
    let phone = world.phone(&id).ok_or_else(|| Problem::not_found("phone", &id))?;
    Ok(Json(json!({ "items": phone.notices })))
}

pub(super) async fn sms(State(hub): State<Shared>, Path(id): Path<String>) -> Answer {
    let world = hub.world.lock();
    let phone = world.phone(&id).ok_or_else(|| Problem::not_found("phone", &id))?;
    let items: Vec<_> = world
        .sms
        .iter()
        .filter(|sms| sms.state == "delivered" && sms.phone_number == phone.phone_number)
        .collect();
    Ok(Json(json!({ "items": items })))
}

pub(super) async fn events(State(hub): State<Shared>, Path(id): Path<String>) -> Result<Response, Problem> {
    if hub.world.lock().phone(&id).is_none() {
        return Err(Problem::not_found("phone", &id));
    }
    Ok(stream(&hub, Some(id)).into_response())
}

pub(super) async fn all_events(State(hub): State<Shared>) -> Response {
    stream(&hub, None).into_response()
}

/// Events of one phone (and those that concern all), or of all phones. `event: hello` comes first: from then on nothing
/// is missed. `event: reload` means that something was.
fn stream(
    hub: &Shared,
    phone: Option<String>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>> + Send + use<>> {
    let receiver = hub.world.lock().events.subscribe();
    let hello = futures_util::stream::iter([Ok(Event::default().event("hello").data("{}"))]);
    let events = BroadcastStream::new(receiver).filter_map(move |event| {
        let event = match event {
            Ok(event) => {
                let ours = phone.as_deref().is_none_or(|id| id == event.phone || event.phone.is_empty());
                ours.then(|| {
                    let data = json!({ "phone": event.phone, "data": event.data }).to_string();
                    Event::default().event(event.kind).data(data)
                })
            }
            Err(BroadcastStreamRecvError::Lagged(_)) => Some(Event::default().event("reload").data("{}")),
        };
        std::future::ready(event.map(Ok))
    });
    let stopped = hub.stop.clone().cancelled_owned();
    let all = hello.chain(events).take_until(Box::pin(stopped));
    Sse::new(all).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}

pub(super) async fn media_bytes(
    State(hub): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let now = hub.now();
    let world = hub.world.lock();
    let media = world.media.get(&id).filter(|media| media.expires > now);
    let media = media.ok_or_else(|| Problem::not_found("media", &id))?;
    let mut response = Response::new(Body::from(media.bytes.clone()));
    if let Ok(kind) = HeaderValue::from_str(&media.content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    Ok(response)
}

/// What `wx.uploadImage` does: `?account=`, a multipart field `media`; gives `server_id`.
pub(super) async fn media(
    State(hub): State<Shared>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Answer {
    let query = Params::parse(query.as_deref().unwrap_or_default());
    let broken = || Problem::invalid("media", "a multipart file field");
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| broken())?;
    let field = form.next_field().await.map_err(|_| broken())?.filter(|field| field.name() == Some("media"));
    let field = field.ok_or_else(broken)?;
    let name = field.file_name().unwrap_or("image.jpg").to_owned();
    let content_type = field.content_type().unwrap_or("image/jpeg").to_owned();
    if !matches!(content_type.as_str(), "image/jpeg" | "image/png" | "image/gif" | "image/webp") {
        return Err(Problem::invalid("media", "a JPEG, PNG, GIF or WebP image"));
    }
    let bytes: Bytes = field.bytes().await.map_err(|_| broken())?;
    let now = hub.now();
    let mut world = hub.world.lock();
    world.phone(&id).ok_or_else(|| Problem::not_found("phone", &id))?;
    let account = world.find_account(query.get("account")).and_then(|index| world.accounts.get(index));
    let appid = account.map(|account| account.set.appid.clone());
    let appid =
        appid.ok_or_else(|| Problem::not_found("account", query.get("account").unwrap_or_default()))?;
    let server_id = world.rng.url_safe(64);
    let media = Media { appid, kind: "image".into(), name, content_type, bytes, expires: now + MEDIA_MS };
    world.media.insert(server_id.clone(), media);
    Ok(Json(json!({ "server_id": server_id })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JsSdk {
    app_id: String,
    timestamp: Value,
    nonce_str: String,
    signature: String,
    /// The page's address without `#…`, as the browser says it.
    url: String,
}

/// What `wx.config` has the client check: the signature over exactly this address, and the address's host.
pub(super) async fn js_sdk(State(hub): State<Shared>, body: Bytes) -> Answer {
    let asked: JsSdk = read(&body)?;
    let now = hub.now();
    let world = hub.world.lock();
    let fail = |error: &str| Ok(Json(json!({ "ok": false, "error": error })));
    let Some(account) = world.by_appid(&asked.app_id) else {
        return fail("config:invalid appid");
    };
    let host = url::Url::parse(&asked.url)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_default();
    let product = url::Url::parse(&hub.product_base).ok();
    let known = pages::phone_of_host(&host).is_some()
        || product.as_ref().and_then(url::Url::host_str) == Some(host.as_str())
        || account.set.oauth_domains.contains(&host);
    if !known {
        return fail("config:invalid url domain");
    }
    let Some((ticket, _)) = account.jsapi.as_ref().filter(|(_, expires)| *expires > now) else {
        return fail("config:invalid signature");
    };
    let time = match &asked.timestamp {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let text =
        format!("jsapi_ticket={ticket}&noncestr={}&timestamp={time}&url={}", asked.nonce_str, asked.url);
    if asked.url.contains('#') || signature(&[&text]) != asked.signature {
        return fail("config:invalid signature");
    }
    Ok(Json(json!({ "ok": true })))
}
