//! A simulator, a clock that stands still, and a receiver that answers pushes as it is told.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base::{Clock, UnixMs};
use parking_lot::Mutex;
use serde_json::{Value, json};
use sim::{PushFormat, PushMode, Sim, SimAccount, SimConfig, SimHandle};
use wechat::callback::{AesKey, Credentials, Format, Keys, Mode, Query};

pub(crate) const APPID: &str = "wx1f2e3d4c5b6a7980";
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const TOKEN: &str = "XinglinSim";
pub(crate) const GH: &str = "gh_5f0c1a2b3d4e";
/// 2026-01-05 08:00 in China.
pub(crate) const START: i64 = 1_767_571_200_000;

pub(crate) struct Lab {
    pub(crate) sim: SimHandle,
    pub(crate) http: reqwest::Client,
    pub(crate) clock: Clock,
    pub(crate) receiver: Receiver,
}

/// What the receiver does with the next push.
#[derive(Clone)]
pub(crate) enum Does {
    Answers(u16, String),
    /// Never answers.
    Hangs,
    /// Says this text, sealed as the mode wants.
    Says(String),
}

/// One push that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) query: String,
    pub(crate) body: String,
    /// The content, when it could be opened.
    pub(crate) opened: Option<String>,
}

#[derive(Clone)]
pub(crate) struct Receiver {
    script: Arc<Mutex<VecDeque<Does>>>,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    credentials: Arc<Mutex<Credentials>>,
}

impl Receiver {
    pub(crate) fn next(&self, does: Does) {
        self.script.lock().push_back(does);
    }

    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().clone()
    }

    pub(crate) fn last(&self) -> String {
        self.arrived().last().unwrap().opened.clone().unwrap()
    }

    pub(crate) fn reset(&self) {
        self.script.lock().clear();
        self.arrived.lock().clear();
    }

    pub(crate) fn credentials(&self, change: impl FnOnce(&mut Credentials)) {
        change(&mut self.credentials.lock());
    }
}

async fn receive(State(receiver): State<Receiver>, RawQuery(query): RawQuery, body: String) -> Response {
    let query = query.unwrap_or_default();
    let credentials = receiver.credentials.lock().clone();
    let parsed = Query::parse(&query);
    if let Some(echo) = parsed.echostr.clone() {
        return match credentials.verify_url(&parsed) {
            Ok(_) => echo.into_response(),
            Err(_) => StatusCode::FORBIDDEN.into_response(),
        };
    }
    let opened = credentials.open(&parsed, body.as_bytes());
    receiver.arrived.lock().push(Arrived {
        query,
        body,
        opened: opened.as_ref().ok().map(|opened| opened.plaintext.clone()),
    });
    let Ok(opened) = opened else { return StatusCode::FORBIDDEN.into_response() };
    let next = receiver.script.lock().pop_front();
    match next {
        None => "success".into_response(),
        Some(Does::Answers(status, body)) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        Some(Does::Hangs) => std::future::pending().await,
        Some(Does::Says(text)) => {
            let openid = parsed.openid;
            let reply = match credentials.format {
                Format::Xml => format!(
                    "<xml><ToUserName><![CDATA[{openid}]]></ToUserName><FromUserName><![CDATA[{GH}]]></FromUserName>\
                     <CreateTime>1</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{text}]]></Content></xml>"
                ),
                Format::Json => json!({
                    "ToUserName": openid, "FromUserName": GH, "CreateTime": 1, "MsgType": "text", "Content": text
                })
                .to_string(),
            };
            credentials.seal_reply(&reply, opened.key, 1, "99").unwrap().into_response()
        }
    }
}

pub(crate) async fn lab() -> Lab {
    lab_with(|_| {}).await
}

pub(crate) async fn lab_with(change: impl FnOnce(&mut SimConfig)) -> Lab {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let product = format!("http://{}", listener.local_addr().unwrap());
    let clock = Clock::manual(UnixMs(START));
    let mut account = SimAccount::service(APPID, SECRET, format!("{product}/wechat/main?tenant=1"));
    account.token = TOKEN.to_owned();
    let mut config = SimConfig::new(product, clock.clone());
    config.accounts.push(account);
    config.seed = Some(7);
    config.push_gap = Duration::from_millis(1);
    change(&mut config);
    let account = config.accounts[0].clone();
    let sim = Sim::start(config).await.unwrap();
    let key = AesKey::parse(&sim.encoding_aes_key(APPID).unwrap()).unwrap();
    let receiver = Receiver {
        script: Arc::default(),
        arrived: Arc::default(),
        credentials: Arc::new(Mutex::new(Credentials {
            token: TOKEN.into(),
            keys: Some(Keys { current: key, previous: None }),
            receive_id: APPID.to_owned(),
            mode: match account.mode {
                PushMode::Plain => Mode::Plain,
                PushMode::Compatible => Mode::Compatible,
                PushMode::Safe => Mode::Safe,
            },
            format: match account.format {
                PushFormat::Xml => Format::Xml,
                PushFormat::Json => Format::Json,
            },
        })),
    };
    let app = Router::new().fallback(receive).with_state(receiver.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let http =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
    Lab { sim, http, clock, receiver }
}

impl Lab {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sim.base_url())
    }

    pub(crate) fn pass(&self, time: Duration) {
        assert!(self.clock.advance(time));
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let text = self.http.get(self.url(path)).send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: {text}"))
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        self.post_text(path, body.to_string()).await
    }

    pub(crate) async fn post_text(&self, path: &str, body: impl Into<String>) -> Value {
        let text =
            self.http.post(self.url(path)).body(body.into()).send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: {text}"))
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Value {
        let sent = self.http.put(self.url(path)).body(body.to_string()).send().await.unwrap();
        serde_json::from_str(&sent.text().await.unwrap()).unwrap()
    }

    /// A fresh access token.
    pub(crate) async fn token(&self) -> String {
        let body = json!({ "grant_type": "client_credential", "appid": APPID, "secret": SECRET });
        let answer = self.post("/cgi-bin/stable_token", body).await;
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// A platform call with a token.
    pub(crate) async fn call(&self, path: &str, body: Value) -> Value {
        let token = self.token().await;
        self.post(&format!("{path}?access_token={token}"), body).await
    }

    pub(crate) async fn fetch(&self, path: &str) -> Value {
        let token = self.token().await;
        let glue = if path.contains('?') { '&' } else { '?' };
        self.get(&format!("{path}{glue}access_token={token}")).await
    }

    /// A phone that follows already, and its openid. What was pushed for it is forgotten.
    pub(crate) async fn follower(&self) -> (String, String) {
        let (phone, openid) = self.stranger().await;
        let done = self.post(&format!("/sim/v1/phones/{phone}/follow"), json!({})).await;
        assert_eq!(done["outcome"], "following", "{done}");
        self.receiver.reset();
        (phone, openid)
    }

    /// A phone that does not follow.
    pub(crate) async fn stranger(&self) -> (String, String) {
        let phone = self.post("/sim/v1/phones", json!({})).await;
        let id = phone["id"].as_str().unwrap().to_owned();
        (id, phone["openids"][APPID].as_str().unwrap().to_owned())
    }

    pub(crate) async fn does(&self, phone: &str, action: &str, body: Value) -> Value {
        self.post(&format!("/sim/v1/phones/{phone}/{action}"), body).await
    }

    /// Waits until the inbox holds `count` of a kind, and gives them.
    pub(crate) async fn inbox(&self, kind: &str, count: usize) -> Vec<Value> {
        let path = format!("/sim/v1/inbox?kind={kind}&wait_ms=10000&count={count}");
        let answer = self.get(&path).await;
        let items = answer["items"].as_array().unwrap().clone();
        assert!(items.len() >= count, "{kind}: {items:?}");
        items
    }
}

/// The errcode of an answer; 0 when there is none.
pub(crate) fn code(answer: &Value) -> i64 {
    answer.get("errcode").and_then(Value::as_i64).unwrap_or(0)
}

pub(crate) fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}
