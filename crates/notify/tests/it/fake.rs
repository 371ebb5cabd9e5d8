//! The other sides: WeChat and an SMS vendor, which remember references as the real ones do.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

/// How a call is answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Say {
    /// It is taken.
    Yes,
    /// It is taken, but the answer gets lost.
    YesButLost,
    /// It gets lost on its way.
    Lost,
    /// It is refused with a code: WeChat's number, or the vendor's word.
    No(&'static str),
}

/// A call that arrived.
#[derive(Debug, Clone)]
pub struct Call {
    pub path: String,
    pub body: Value,
}

#[derive(Default)]
pub struct Seen {
    /// How the next calls are answered; then all with yes.
    say: VecDeque<Say>,
    /// How all calls are answered, when set.
    pub always: Option<Say>,
    /// Every call.
    pub calls: Vec<Call>,
    /// What reached a phone.
    pub arrived: Vec<Value>,
    /// Reference → number.
    known: HashMap<String, u64>,
    /// What the vendor says became of its messages.
    pub sms_state: String,
    pub templates: Vec<Value>,
    /// The headers of the latest call.
    pub headers: HeaderMap,
    next: u64,
}

/// WeChat and the vendor on one address, seen together.
#[derive(Clone)]
pub struct Fake {
    pub base: String,
    seen: Arc<Mutex<Seen>>,
}

impl Fake {
    pub async fn start() -> Self {
        let seen = Arc::new(Mutex::new(Seen { sms_state: "sending".into(), next: 9_000, ..Seen::default() }));
        let app = Router::new()
            .route("/cgi-bin/stable_token", post(token))
            .route("/cgi-bin/message/template/send", post(template))
            .route("/cgi-bin/message/custom/send", post(custom))
            .route("/cgi-bin/template/get_all_private_template", get(templates))
            .route("/sms/v1/send", post(sms))
            .route("/sms/v1/query", get(query))
            .with_state(seen.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { base, seen }
    }

    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    /// The next calls are answered like this.
    pub fn say(&self, answers: &[Say]) {
        self.seen().say.extend(answers.iter().cloned());
    }

    /// What reached phones by a path.
    pub fn arrived(&self, path: &str) -> Vec<Value> {
        let seen = self.seen();
        seen.arrived.iter().filter(|v| v["path"] == path).map(|v| v["body"].clone()).collect()
    }

    pub fn templates(&self) -> Vec<Value> {
        self.arrived("template")
    }

    pub fn chats(&self) -> Vec<Value> {
        self.arrived("custom")
    }

    pub fn texts(&self) -> Vec<Value> {
        self.arrived("sms")
    }

    /// How many calls came by a path.
    pub fn calls(&self, path: &str) -> usize {
        self.seen().calls.iter().filter(|c| c.path == path).count()
    }
}

type Shared = State<Arc<Mutex<Seen>>>;

async fn token() -> Json<Value> {
    Json(json!({ "access_token": "t", "expires_in": 7200 }))
}

async fn templates(State(seen): Shared) -> Json<Value> {
    Json(json!({ "template_list": seen.lock().unwrap().templates }))
}

async fn template(State(seen): Shared, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let reference = format!("{}/{}", body["touser"], body["client_msg_id"]);
    take(
        &seen,
        "template",
        body,
        Some(reference),
        |code| json!({ "errcode": number(code), "errmsg": "no" }),
        |n| json!({ "errcode": 0, "errmsg": "ok", "msgid": n }),
    )
}

async fn custom(State(seen): Shared, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap();
    take(
        &seen,
        "custom",
        body,
        None,
        |code| json!({ "errcode": number(code), "errmsg": "no" }),
        |_| json!({ "errcode": 0, "errmsg": "ok" }),
    )
}

async fn sms(State(seen): Shared, headers: HeaderMap, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap();
    seen.lock().unwrap().headers = headers;
    let reference = body["out_id"].as_str().unwrap().to_owned();
    take(
        &seen,
        "sms",
        body,
        Some(reference),
        |code| json!({ "code": code, "message": "no" }),
        |n| json!({ "code": "OK", "message": "OK", "biz_id": n.to_string() }),
    )
}

async fn query(State(seen): Shared, Query(query): Query<HashMap<String, String>>) -> Response {
    let mut seen = seen.lock().unwrap();
    seen.calls.push(Call { path: "query".into(), body: json!(query) });
    if seen.always == Some(Say::Lost) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let known = seen.known.get(&query["out_id"]);
    let state = if known.is_some() { seen.sms_state.clone() } else { "unknown".to_owned() };
    Json(json!({ "code": "OK", "message": "OK", "state": state, "biz_id": known.map(u64::to_string) }))
        .into_response()
}

fn number(code: &str) -> i64 {
    code.parse().unwrap()
}

fn take(
    seen: &Mutex<Seen>,
    path: &str,
    body: Value,
    reference: Option<String>,
    no: impl Fn(&str) -> Value,
    yes: impl Fn(u64) -> Value,
) -> Response {
    let mut seen = seen.lock().unwrap();
    seen.calls.push(Call { path: path.into(), body: body.clone() });
    let queued = seen.say.pop_front();
    let say = queued.or_else(|| seen.always.clone()).unwrap_or(Say::Yes);
    match &say {
        Say::No(code) => return Json(no(code)).into_response(),
        Say::Lost => return StatusCode::BAD_GATEWAY.into_response(),
        Say::Yes | Say::YesButLost => {}
    }
    let known = reference.as_ref().and_then(|r| seen.known.get(r).copied());
    let number = known.unwrap_or_else(|| {
        seen.next += 1;
        let number = seen.next;
        seen.arrived.push(json!({ "path": path, "body": body }));
        if let Some(reference) = reference {
            seen.known.insert(reference, number);
        }
        number
    });
    if say == Say::YesButLost {
        StatusCode::BAD_GATEWAY.into_response()
    } else {
        Json(yes(number)).into_response()
    }
}
