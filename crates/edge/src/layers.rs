//! What [`crate::front`] asks of every request: who is calling, which language, which request; and how problems get their body.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::cookie::Cookie;
use base::{Lang, Problem};
use http::header::{
    ACCEPT_LANGUAGE, ALLOW, CACHE_CONTROL, CONTENT_TYPE, COOKIE, HOST, RETRY_AFTER, SET_COOKIE, USER_AGENT,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::actor::{Actor, Caller};
use crate::csrf;
use crate::hospital::{Hospital, Hospitals};
use crate::problem::ApiError;
use crate::session::{CookieStyle, Sessions, host_name};

/// What identifying a caller needs.
#[derive(Clone)]
pub struct Identify {
    /// All hospitals.
    pub hospitals: Hospitals,
    /// Who has signed in.
    pub sessions: Sessions,
    /// Whether a proxy in front of us tells the truth in `X-Forwarded-For` and `X-Forwarded-Proto`.
    pub trust_proxy: bool,
}

/// The hospital that the path named (`/h/{code}/…`), put there by the server before the path was shortened.
#[derive(Debug, Clone)]
pub struct NamedHospital(pub Arc<Hospital>);

/// The id of a request; from a proxy that we trust, or our own.
#[derive(Debug, Clone)]
pub struct RequestId(pub Arc<str>);

/// The host name and scheme as the browser sees them.
#[derive(Debug, Clone)]
pub struct SeenAs {
    /// With the port, if it is not the scheme's own.
    pub host: String,
    /// Whether the browser speaks https.
    pub https: bool,
}

impl SeenAs {
    /// The style of our cookies there.
    #[must_use]
    pub fn cookies(&self) -> CookieStyle {
        CookieStyle::of(self.https, &self.host)
    }

    /// `https://host`
    #[must_use]
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.https { "https" } else { "http" }, self.host)
    }
}

impl Identify {
    /// Finds out who calls. Changing requests of other sites end here.
    ///
    /// # Errors
    /// 404 at a host of no hospital; 403 for another site's form; 503 when the session can't be looked up now.
    pub(crate) async fn find(&self, request: &Parts) -> Result<(Caller, SeenAs), Problem> {
        let headers = &request.headers;
        let text = |name: http::HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
        let forwarded = |name: &'static str| {
            if self.trust_proxy { headers.get(name).and_then(|v| v.to_str().ok()) } else { None }
        };
        let host = forwarded("x-forwarded-host")
            .or_else(|| text(HOST))
            .or_else(|| request.uri.authority().map(|a| a.as_str()))
            .unwrap_or("")
            .to_ascii_lowercase();
        let seen = SeenAs { https: forwarded("x-forwarded-proto") == Some("https"), host };
        let name = host_name(&seen.host);
        let hospital = match request.extensions.get::<NamedHospital>() {
            Some(named) => named.0.clone(),
            None => self.hospitals.by_host(name)?,
        };
        let token = cookie(headers, seen.cookies().name());
        let session = match token {
            Some(token) => self.sessions.find(&token).await?.filter(|s| s.hospital == hospital.id),
            None => None,
        };
        if csrf::changes(&request.method) {
            csrf::check(headers, &seen.host, session.as_ref().map(|s| s.token_hash.as_str()))?;
        }
        let source = forwarded("x-forwarded-for")
            .and_then(|list| list.split(',').next_back())
            .map(|a| a.trim().to_owned());
        let source = source
            .or_else(|| request.extensions.get::<ConnectInfo<SocketAddr>>().map(|c| c.0.ip().to_string()));
        let request_id = request.extensions.get::<RequestId>().map_or_else(|| "-".into(), |id| id.0.clone());
        let caller = Caller {
            hospital,
            actor: session.as_ref().map_or(Actor::Nobody, |s| s.actor.clone()),
            lang: language(headers),
            request_id,
            source: source.unwrap_or_default().into(),
            user_agent: text(USER_AGENT).unwrap_or("").chars().take(200).collect::<String>().into(),
            session,
        };
        Ok((caller, seen))
    }
}

/// The language that a request asks for.
#[must_use]
pub fn language(headers: &HeaderMap) -> Lang {
    Lang::from_accept_language(headers.get(ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or(""))
}

/// The value of a cookie, if the browser has one of that name; of two the last, as in any jar.
fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let all = lines.flat_map(Cookie::split_parse).filter_map(Result::ok);
    all.filter(|one| one.name() == name).last().map(|one| one.value().to_owned())
}

/// Gives problems their body, where no [`crate::front`] does.
pub async fn problems(request: Request, next: Next) -> Response {
    let seldom = Seldom::of(&request);
    seldom.answered(next.run(request).await)
}

/// What was asked by machines that call by the thousand and are refused seldom: only then it gets an id.
pub(crate) struct Seldom {
    method: http::Method,
    uri: http::Uri,
    lang: Lang,
}

impl Seldom {
    pub(crate) fn of(request: &Request) -> Self {
        let lang = language(request.headers());
        Self { method: request.method().clone(), uri: request.uri().clone(), lang }
    }

    /// The answer; with its body and an id, if it is a problem.
    pub(crate) fn answered(self, response: Response) -> Response {
        if response.extensions().get::<ApiError>().is_none() && bare(&response).is_none() {
            return response;
        }
        let Self { method, uri, lang } = self;
        Asked { id: new_id(), lang, method, uri }.answered(response)
    }
}

fn new_id() -> Arc<str> {
    uuid::Uuid::now_v7().simple().to_string().into()
}

/// What was asked, as far as a problem's body and the log want it.
pub(crate) struct Asked {
    pub(crate) id: Arc<str>,
    lang: Lang,
    method: http::Method,
    uri: http::Uri,
}

impl Asked {
    /// With a new id.
    pub(crate) fn of(request: &Request) -> Self {
        let lang = language(request.headers());
        Self { id: new_id(), lang, method: request.method().clone(), uri: request.uri().clone() }
    }

    /// The answer with the request's id, and with its body, if it is a problem.
    pub(crate) fn answered(&self, mut response: Response) -> Response {
        let problem = response
            .extensions_mut()
            .remove::<ApiError>()
            .map(|e| e.0)
            .or_else(|| bare(&response).map(Box::new));
        if let Some(problem) = problem {
            response = self.told(&problem, response);
        }
        if let Ok(value) = HeaderValue::from_str(&self.id) {
            response.headers_mut().insert("x-request-id", value);
        }
        response
    }

    fn told(&self, problem: &Problem, before: Response) -> Response {
        let (id, method, path) = (&self.id, &self.method, route_only(self.uri.path()));
        if before.status().is_server_error() {
            tracing::warn!(request_id = %id, code = problem.code, %method, path, "a request failed");
        } else {
            tracing::debug!(request_id = %id, code = problem.code, %method, path, "a request was refused");
        }
        metrics::counter!("http_problems", "code" => problem.code).increment(1);
        let mut told = problem.told(self.lang, id);
        // The framework knows a few statuses more than we have kinds.
        told.status = before.status().as_u16();
        let body = serde_json::to_vec(&told).unwrap_or_default();
        let mut response = (before.status(), Body::from(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for name in [SET_COOKIE, ALLOW] {
            for value in before.headers().get_all(&name) {
                headers.append(&name, value.clone());
            }
        }
        if let Some(seconds) = problem.retry_after_s() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Ids in a path are no personal data, but texts that people typed might be: only what looks like ours is logged.
fn route_only(path: &str) -> &str {
    let plain = path.len() <= 120 && path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_-.".contains(&b));
    if plain { path } else { "(other)" }
}

/// The problem of an answer that the framework made by itself.
fn bare(response: &Response) -> Option<Problem> {
    use base::Kind;
    let typed =
        response.headers().get(CONTENT_TYPE).is_some_and(|v| v.as_bytes().starts_with(b"application/"));
    if typed {
        return None;
    }
    match response.status() {
        StatusCode::NOT_FOUND => Some(Problem::not_found()),
        StatusCode::METHOD_NOT_ALLOWED => Some(Problem::new(
            Kind::Method,
            "method_not_allowed",
            "不支持这种请求方法。",
            "This method is not supported here.",
        )),
        StatusCode::PAYLOAD_TOO_LARGE => Some(crate::extract::too_large()),
        StatusCode::REQUEST_TIMEOUT | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            Some(Problem::unavailable(2))
        }
        StatusCode::INTERNAL_SERVER_ERROR => Some(Problem::internal()),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Some(Problem::new(
            Kind::MediaType,
            "media_type",
            "不支持这种内容类型。",
            "This type of content is not supported here.",
        )),
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Some(Problem::new(
            Kind::Malformed,
            "malformed",
            "请求格式不正确。",
            "The request could not be read.",
        )),
        _ => None,
    }
}
