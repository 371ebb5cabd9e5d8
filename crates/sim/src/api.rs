//! WeChat's interfaces on the wire. One table says which path wants which method and a token; one function keeps the
//! rules that all of them share.

mod custom;
mod fields;
mod media;
mod menu;
mod misc;
mod oauth;
mod qrcode;
mod tags;
mod template;
mod token;
mod user;

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit, FromRequest, Multipart, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use serde_json::json;

use crate::net::Wire;
use crate::push;
use crate::run::Shared;
use crate::world::World;
use crate::wx::{Answer, Call, Done, Params, WxError};

/// The method that an interface wants.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    Get,
    Post,
    Either,
}

/// One interface of the platform.
struct Interface {
    path: &'static str,
    want: Want,
    /// `access_token` must stand in the query.
    token: bool,
    run: fn(&Shared, &mut World, &Call) -> Result<Done, WxError>,
}

const fn get(path: &'static str, run: fn(&Shared, &mut World, &Call) -> Result<Done, WxError>) -> Interface {
    Interface { path, want: Want::Get, token: true, run }
}

const fn post(path: &'static str, run: fn(&Shared, &mut World, &Call) -> Result<Done, WxError>) -> Interface {
    Interface { path, want: Want::Post, token: true, run }
}

const INTERFACES: &[Interface] = &[
    Interface { path: "/cgi-bin/token", want: Want::Get, token: false, run: token::token },
    Interface { path: "/cgi-bin/stable_token", want: Want::Post, token: false, run: token::stable_token },
    Interface {
        path: "/sns/oauth2/access_token",
        want: Want::Either,
        token: false,
        run: oauth::access_token,
    },
    Interface {
        path: "/sns/oauth2/refresh_token",
        want: Want::Either,
        token: false,
        run: oauth::refresh_token,
    },
    Interface { path: "/sns/userinfo", want: Want::Get, token: false, run: oauth::userinfo },
    Interface { path: "/sns/auth", want: Want::Get, token: false, run: oauth::auth },
    post("/cgi-bin/message/template/send", template::send),
    get("/cgi-bin/template/get_all_private_template", template::all),
    post("/cgi-bin/template/api_add_template", template::add),
    post("/cgi-bin/template/del_private_template", template::delete),
    post("/cgi-bin/message/custom/send", custom::send),
    post("/cgi-bin/message/custom/typing", custom::typing),
    post("/cgi-bin/menu/create", menu::create),
    get("/cgi-bin/menu/get", menu::get),
    get("/cgi-bin/menu/delete", menu::delete),
    get("/cgi-bin/get_current_selfmenu_info", menu::current),
    post("/cgi-bin/menu/addconditional", tags::add_menu),
    post("/cgi-bin/menu/delconditional", tags::delete_menu),
    get("/cgi-bin/tags/get", tags::list),
    post("/cgi-bin/tags/create", tags::create),
    post("/cgi-bin/tags/members/batchtagging", tags::tag),
    post("/cgi-bin/tags/members/batchuntagging", tags::untag),
    post("/cgi-bin/qrcode/create", qrcode::create),
    Interface { path: "/cgi-bin/showqrcode", want: Want::Get, token: false, run: qrcode::show },
    get("/cgi-bin/user/get", user::list),
    get("/cgi-bin/user/info", user::info),
    post("/cgi-bin/user/info/batchget", user::batch),
    post("/cgi-bin/user/info/updateremark", user::remark),
    get("/cgi-bin/ticket/getticket", misc::ticket),
    get("/cgi-bin/getcallbackip", misc::callback_ip),
    get("/cgi-bin/get_api_domain_ip", misc::api_ip),
    post("/cgi-bin/openapi/quota/get", misc::quota),
    post("/cgi-bin/openapi/rid/get", misc::rid),
    post("/cgi-bin/clear_quota", misc::clear_quota),
    get("/cgi-bin/media/get", media::get),
    get("/cgi-bin/media/get/jssdk", media::get),
];

/// The largest body: media up to 10 MB and its wrapping.
const MAX_BODY: usize = 12 << 20;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/cgi-bin/callback/check", any(misc::callback_check))
        .route("/cgi-bin/media/upload", any(media::upload))
        .route("/cgi-bin/media/uploadimg", any(media::upload_image))
        .route("/cgi-bin/{*rest}", any(platform))
        .route("/sns/{*rest}", any(platform))
        .route("/connect/oauth2/authorize", axum::routing::get(oauth::authorize))
        .layer(DefaultBodyLimit::max(MAX_BODY))
}

/// Everything that the table knows.
async fn platform(
    State(hub): State<Shared>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
) -> Response {
    let mut entry = match Entry::take(&hub, wire, request.uri(), request.headers()).await {
        Ok(entry) => entry,
        Err(response) => return response,
    };
    let method = request.method().clone();
    let body = match Bytes::from_request(request, &()).await {
        Ok(body) => body,
        Err(refused) => return refused.into_response(),
    };
    entry.call.body = body;
    let Some(interface) = INTERFACES.iter().find(|known| known.path == entry.call.path) else {
        return entry.finish(Err(WxError::new(40066))).await;
    };
    let done = {
        let mut world = hub.world.lock();
        entry.admit(&mut world, &method, interface.want, interface.token).and_then(|()| {
            let call = &entry.call;
            (interface.run)(&hub, &mut world, call)
        })
    };
    entry.finish(done).await
}

/// A call on its way in and out: faults, the checks that all interfaces share, the `rid`.
struct Entry {
    hub: Shared,
    wire: Wire,
    call: Call,
    /// The faults are switched on for this path.
    touched: bool,
}

impl Entry {
    /// Reads what does not need the body, waits where a fault says so, and refuses where one says that.
    async fn take(hub: &Shared, wire: Wire, uri: &Uri, headers: &HeaderMap) -> Result<Self, Response> {
        let path = uri.path().to_owned();
        let (slow, broken, touched) = {
            let mut world = hub.world.lock();
            let touched = world.faults.touches(&path);
            let (slow, rate) = (world.faults.slow_ms, world.faults.http_5xx_rate);
            (if touched { slow } else { 0 }, touched && world.rng.chance(rate), touched)
        };
        if slow > 0 {
            tokio::time::sleep(Duration::from_millis(slow)).await;
        }
        if broken {
            return Err(
                (StatusCode::BAD_GATEWAY, "<html><body>502 Bad Gateway</body></html>").into_response()
            );
        }
        let call = Call {
            path,
            query: Params::parse(uri.query().unwrap_or_default()),
            body: Bytes::new(),
            account: 0,
            now: hub.now(),
            peer: wire.peer.ip(),
            origin: origin(headers, hub),
        };
        Ok(Self { hub: hub.clone(), wire, call, touched })
    }

    /// Method, token, quota: in this order, as the platform answers.
    fn admit(
        &mut self,
        world: &mut World,
        method: &Method,
        want: Want,
        needs_token: bool,
    ) -> Result<(), WxError> {
        match want {
            Want::Get if method != Method::GET => return Err(WxError::new(43001)),
            Want::Post if method != Method::POST => return Err(WxError::new(43002)),
            _ => {}
        }
        if self.touched {
            let busy = world.faults.busy_rate;
            if world.rng.chance(busy) {
                return Err(WxError::new(-1));
            }
        }
        if needs_token {
            let token = self.call.query.need("access_token", 41001)?.to_owned();
            if self.touched && world.faults.token_expired > 0 && world.tokens.contains_key(&token) {
                world.faults.token_expired -= 1;
                token::forget(world, &token, self.call.now);
                return Err(WxError::new(42001));
            }
            self.call.account = token::check(world, &token, self.call.now)?;
            self.count(world)?;
        }
        if self.touched && world.faults.rate_limited {
            return Err(WxError::new(45009));
        }
        Ok(())
    }

    fn count(&self, world: &mut World) -> Result<(), WxError> {
        let limit = self.hub.limits.daily.get(&self.call.path).copied();
        misc::count(world, self.call.account, &self.call.path, self.call.now, limit)
    }

    /// Sends the answer, the push that belongs to it, and the faults that come last.
    async fn finish(self, done: Result<Done, WxError>) -> Response {
        let (done, rid, cut) = {
            let mut world = self.hub.world.lock();
            let rid = format!("{}-{}", world.rng.alphanumeric(8).to_lowercase(), world.rng.alphanumeric(16));
            let sends = self.call.path.ends_with("/send") && done.is_ok();
            let cut = self.touched && sends && world.faults.reset_after_accept > 0;
            if cut {
                world.faults.reset_after_accept -= 1;
            }
            let answer = match &done {
                Ok(_) => json!({ "errcode": 0 }),
                Err(error) => error.json(&rid),
            };
            misc::remember(&mut world, &rid, &self.call, answer);
            (done, rid, cut)
        };
        let answer = match done {
            Ok(Done { answer, push: None }) => Ok(answer),
            Ok(Done { answer, push: Some((job, true)) }) => {
                push::deliver(&self.hub, job).await;
                Ok(answer)
            }
            Ok(Done { answer, push: Some((job, false)) }) => {
                let hub = self.hub.clone();
                self.hub.spawn(async move {
                    push::deliver(&hub, job).await;
                });
                Ok(answer)
            }
            Err(error) => Err(error),
        };
        if cut {
            self.wire.cut();
        }
        self.render(answer, &rid)
    }

    fn render(&self, answer: Result<Answer, WxError>, rid: &str) -> Response {
        // WeChat labels JSON as text/plain now and then: a client that believes the label breaks.
        let plain = self.hub.world.lock().rng.chance(0.2);
        let kind = if plain { "text/plain" } else { "application/json; encoding=utf-8" };
        let (kind, body, name) = match answer {
            Err(error) => (kind.to_owned(), error.json(rid).to_string().into_bytes().into(), None),
            Ok(Answer::Json(value)) => (kind.to_owned(), value.to_string().into_bytes().into(), None),
            Ok(Answer::File { content_type, name, bytes }) => (content_type, bytes, Some(name)),
            Ok(Answer::NotFound) => return StatusCode::NOT_FOUND.into_response(),
        };
        let mut response = Response::new(Body::from(body));
        let headers = response.headers_mut();
        if let Ok(kind) = HeaderValue::from_str(&kind) {
            headers.insert(header::CONTENT_TYPE, kind);
        }
        if let Some(name) = name
            && let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
        {
            headers.insert(header::CONTENT_DISPOSITION, value);
        }
        response
    }
}

/// `http://host:port` as the caller wrote it.
pub(crate) fn origin(headers: &HeaderMap, hub: &Shared) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    host.map_or_else(|| format!("http://{}", hub.addr), |host| format!("http://{host}"))
}

/// The first file of a multipart body, whatever else there is.
struct Upload {
    name: String,
    content_type: String,
    bytes: Bytes,
}

async fn upload(request: Request) -> Result<Option<Upload>, Response> {
    let Ok(mut form) = Multipart::from_request(request, &()).await else { return Ok(None) };
    while let Ok(Some(field)) = form.next_field().await {
        if field.name() != Some("media") {
            continue;
        }
        let name = field.file_name().unwrap_or_default().to_owned();
        let content_type = field.content_type().unwrap_or_default().to_owned();
        let bytes = field.bytes().await.map_err(IntoResponse::into_response)?;
        return Ok(Some(Upload { name, content_type, bytes }));
    }
    Ok(None)
}
