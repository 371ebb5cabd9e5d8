//! A WeChat that answers as a test tells it, and remembers what it was asked.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use wechat::Secret;
use wechat::api::{Bases, Client, Config, MemoryTokenStore, TokenStore, http_client};

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub query: HashMap<String, String>,
    pub content_type: String,
    pub body: Bytes,
}

impl Seen {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn token(&self) -> &str {
        self.query.get("access_token").map_or("", String::as_str)
    }
}

type Answerer = dyn Fn(&Seen) -> Response + Send + Sync;

struct Shared {
    seen: Mutex<Vec<Seen>>,
    answer: Box<Answerer>,
}

pub struct Fake {
    pub base: String,
    shared: Arc<Shared>,
}

impl Fake {
    /// Answers everything by `answer`, except that unless `answer` says otherwise nothing is special.
    pub async fn start(answer: impl Fn(&Seen) -> Response + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared { seen: Mutex::default(), answer: Box::new(answer) });
        let app = Router::new().fallback(handle).with_state(shared.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { base, shared }
    }

    /// Gives tokens `t1`, `t2`, … good for two hours, and answers the rest by `answer`.
    pub async fn with_tokens(answer: impl Fn(&Seen) -> Response + Send + Sync + 'static) -> Self {
        let count = AtomicI64::new(0);
        Self::start(move |seen| {
            if seen.path == "/cgi-bin/stable_token" {
                let number = count.fetch_add(1, Ordering::SeqCst) + 1;
                return ok(json!({ "access_token": format!("t{number}"), "expires_in": 7200 }));
            }
            answer(seen)
        })
        .await
    }

    /// All requests to `path`, in order.
    pub fn seen(&self, path: &str) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().iter().filter(|seen| seen.path == path).cloned().collect()
    }
}

async fn handle(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<HashMap<String, String>>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let seen = Seen {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query,
        content_type: parts
            .headers
            .get("content-type")
            .map(|value| value.to_str().unwrap().to_owned())
            .unwrap_or_default(),
        body: axum::body::to_bytes(body, usize::MAX).await.unwrap(),
    };
    shared.seen.lock().unwrap().push(seen.clone());
    (shared.answer)(&seen)
}

/// JSON with the Content-Type that WeChat gives it now and then.
pub fn ok(value: Value) -> Response {
    ([("content-type", "text/plain")], value.to_string()).into_response()
}

pub fn error(errcode: i64, errmsg: &str) -> Response {
    ok(json!({ "errcode": errcode, "errmsg": errmsg }))
}

pub fn status(code: u16) -> Response {
    StatusCode::from_u16(code).unwrap().into_response()
}

/// A clock that stands until it is moved.
#[derive(Clone, Default)]
pub struct HandClock(Arc<AtomicI64>);

impl HandClock {
    pub fn advance_s(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl wechat::api::Clock for HandClock {
    fn now_ms(&self) -> i64 {
        1_767_225_600_000 + self.0.load(Ordering::SeqCst)
    }
}

pub fn http() -> reqwest::Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| rustls::crypto::aws_lc_rs::default_provider().install_default().unwrap());
    http_client().no_proxy().build().unwrap()
}

pub fn config(base: &str) -> Config {
    Config {
        bases: Bases::all_at(base),
        appid: "wx1f2e3d4c5b6a7980".into(),
        agent: None,
        secret: Secret::new("the-app-secret"),
        timeout: Duration::from_secs(10),
    }
}

/// A client of its own node.
pub fn node(base: &str, store: Arc<dyn TokenStore>, clock: &HandClock) -> Client {
    Client::new(http(), config(base), store, Arc::new(clock.clone()))
}

pub fn client(base: &str) -> Client {
    node(base, Arc::new(MemoryTokenStore::new()), &HandClock::default())
}
