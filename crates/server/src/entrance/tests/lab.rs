//! A hospital with one account, and somebody who plays WeChat.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::store::testing::TestDb;
use ::store::value::{FromValue, One};
use ::store::{Db, Migration, Sql, Value, Vault};
use axum::Router;
use axum::body::Body;
use base::{HospitalId, Secret, Text2};
use edge::{Hospitals, Profile};
use http::{Request, StatusCode};
use people::channel::{CallbackFormat, CallbackMode, ChannelKind, Hosts, NewChannel, add_channel};
use people::{Channel, Channels};
use tower::ServiceExt as _;
use wechat::callback::{AesKey, signature};

use crate::entrance::{self, Deps};

pub const H: HospitalId = HospitalId(1);
pub const TOKEN: &str = "Xinglin2026Token";
pub const APP: &str = "wx1f2e3d4c5b6a7980";
pub const KEY: &str = "7kQ2mWz9XbR4cVt1YpLs8NfGh3JdAe6UoIiMn5CqKxE";
pub const OLD_KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
pub const OPENID: &str = "oAlice_0000000000000000000001";

pub fn migrations() -> Vec<Migration> {
    crate::app::migrations()
}

/// The entrance, and WeChat in front of it.
pub struct Lab {
    pub deps: Deps,
    pub routes: Router,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub status: StatusCode,
    pub code: Option<&'static str>,
    pub kind: String,
    pub body: String,
}

/// Our accounts as they stand in the database.
pub async fn channels(db: &Db, vault: &Arc<Vault>) -> Channels {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let http = wechat::api::http_client().build().unwrap();
    Channels::load(db, vault.clone(), http).await.unwrap()
}

pub fn channel(mode: CallbackMode, format: CallbackFormat) -> NewChannel {
    NewChannel {
        hospital: H,
        name: "main".into(),
        kind: ChannelKind::Service,
        app_id: APP.into(),
        original_id: "gh_1".into(),
        secret: Secret::new("secret"),
        token: Secret::new(TOKEN),
        aes_key: Some(Secret::new(KEY)),
        aes_key_previous: Some(Secret::new(OLD_KEY)),
        mode,
        format,
        // Nothing in these tests calls WeChat.
        hosts: Some(Hosts::all_at("http://127.0.0.1:9")),
        js_sdk_url: None,
        verify_files: BTreeMap::from([("MP_verify_aBc123.txt".to_owned(), "aBc123".to_owned())]),
    }
}

/// What the entrance needs of others.
pub async fn deps(db: Db, vault: Arc<Vault>, hospitals: Hospitals, channels: people::Channels) -> Deps {
    let board = schedule::Board::load(&db, &hospitals).await.unwrap();
    let (chat, public_url) = (channel::chat::Chat::default(), "https://wx.hospital.example".into());
    Deps::new(channel::ChannelDeps { db, vault, hospitals, channels, board, chat, public_url })
}

impl Lab {
    /// In safe mode and XML, as a hospital should have it.
    pub async fn open(t: &TestDb) -> Self {
        Self::with(t, channel(CallbackMode::Safe, CallbackFormat::Xml)).await
    }

    pub async fn with(t: &TestDb, new: NewChannel) -> Self {
        let vault = Arc::new(Vault::parse(&Vault::generate().unwrap()).unwrap());
        let hospitals = Hospitals::load(&t.db).await.unwrap();
        let profile = Profile {
            name: Text2::new("杏林医院", "Xinglin Hospital"),
            short_name: Text2::new("杏林医院", "Xinglin"),
            phone: "021-5555 0100".into(),
            ..Profile::default()
        };
        hospitals.add(H, "xinglin", &profile, "Asia/Shanghai").await.unwrap();
        let mut tx = t.db.begin().await.unwrap();
        add_channel(&mut tx, &vault, &new).await.unwrap();
        tx.commit().await.unwrap();
        let channels = channels(&t.db, &vault).await;
        let deps = deps(t.db.clone(), vault, hospitals, channels).await;
        Self { routes: entrance::routes(deps.clone()), deps }
    }

    /// The same hospital as another node sees it.
    pub async fn node(&self, db: Db) -> Self {
        let hospitals = Hospitals::load(&db).await.unwrap();
        let channels = channels(&db, &self.deps.vault).await;
        let deps = deps(db, self.deps.vault.clone(), hospitals, channels).await;
        Self { routes: entrance::routes(deps.clone()), deps }
    }

    pub fn channel(&self) -> Arc<Channel> {
        self.deps.channels.by_name("main").unwrap()
    }

    pub async fn send(&self, request: Request<Body>) -> Said {
        let response = self.routes.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let code = response.extensions().get::<edge::ApiError>().map(|error| error.0.code);
        let kind = response.headers().get("content-type").map(|v| v.to_str().unwrap().to_owned());
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        Said { status, code, kind: kind.unwrap_or_default(), body: String::from_utf8(body.to_vec()).unwrap() }
    }

    /// A push as WeChat sends it in safe mode, now.
    pub async fn push(&self, message: &str) -> Said {
        self.send(self.sealed(message)).await
    }

    pub fn sealed(&self, message: &str) -> Request<Body> {
        sealed_with(message, KEY, self.deps.db.now().seconds())
    }

    /// The text that the person sees, from a reply that was sealed with `key`.
    pub fn shown(&self, said: &Said, key: &str) -> String {
        assert_eq!(said.status, StatusCode::OK, "{said:?}");
        assert_eq!(said.kind, "text/xml; charset=utf-8");
        let (_, rest) = said.body.split_once("<Encrypt><![CDATA[").unwrap();
        let encrypt = rest.split("]]>").next().unwrap();
        let opened = AesKey::parse(key).unwrap().decrypt(encrypt, APP).unwrap();
        content(&opened)
    }

    /// Works on all that waits; gives how many pushes were taken.
    pub async fn work(&self) -> usize {
        let mut all = 0;
        loop {
            match entrance::worker::turn(&self.deps).await.unwrap() {
                0 => return all,
                n => all += n,
            }
        }
    }

    pub async fn states(&self) -> Vec<String> {
        column(&self.deps.db, STATES, vec![]).await
    }

    /// Whether our person follows, and since when we know.
    pub async fn following(&self) -> Option<(i64, i64)> {
        let db = &self.deps.db;
        let follows = column(db, FOLLOWS, ::store::args![OPENID]).await;
        let since = column(db, SINCE, ::store::args![OPENID]).await;
        follows.first().copied().zip(since.first().copied())
    }
}

/// What the person sees in an opened reply.
pub fn content(xml: &str) -> String {
    let push = wechat::message::parse(xml).unwrap();
    assert_eq!((push.from.as_str(), push.to.as_str()), ("gh_1", OPENID));
    push.fields.text("Content").to_owned()
}

pub fn query(encrypt: &str, timestamp: i64) -> String {
    let time = timestamp.to_string();
    let (plain, sealed) = (signature(&[TOKEN, &time, "42"]), signature(&[TOKEN, &time, "42", encrypt]));
    format!(
        "signature={plain}&timestamp={time}&nonce=42&openid={OPENID}&encrypt_type=aes&msg_signature={sealed}"
    )
}

pub fn post(query: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(format!("/wechat/main?{query}")).body(body.into()).unwrap()
}

pub fn sealed_with(message: &str, key: &str, timestamp: i64) -> Request<Body> {
    let encrypt = AesKey::parse(key).unwrap().encrypt([7; 16], message.as_bytes(), APP).unwrap();
    let body = format!("<xml><ToUserName>gh_1</ToUserName><Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>");
    post(&query(&encrypt, timestamp), body)
}

pub fn text(content: &str, id: u64) -> String {
    message(&format!("<MsgType>text</MsgType><Content><![CDATA[{content}]]></Content><MsgId>{id}</MsgId>"))
}

pub fn event(fields: &str) -> String {
    message(&format!("<MsgType>event</MsgType>{fields}"))
}

/// Half past seven on the morning of [`store::testing::MORNING`].
pub const EARLIER_S: i64 = 1_795_390_200;

pub fn message(fields: &str) -> String {
    at(EARLIER_S, fields)
}

pub fn at(created_s: i64, fields: &str) -> String {
    format!(
        "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[{OPENID}]]></FromUserName>\
         <CreateTime>{created_s}</CreateTime>{fields}</xml>"
    )
}

const fn same(name: &'static str, text: &'static str) -> Sql {
    Sql { name, sqlite: text, postgres: text }
}

const STATES: Sql = same("STATES", "SELECT state FROM wechat_push ORDER BY received_at, id");
const FOLLOWS: Sql = same("FOLLOWS", "SELECT following FROM account_openid WHERE openid = $1");
const SINCE: Sql = same("SINCE", "SELECT follow_changed_at FROM account_openid WHERE openid = $1");
pub const LANG: Sql = same("LANG", "SELECT lang FROM account");
pub const EVENTS: Sql = same("EVENTS", "SELECT kind FROM event ORDER BY seq");
pub const ACCOUNTS: Sql = same("ACCOUNTS", "SELECT CAST(COUNT(*) AS BIGINT) FROM account");
pub const RECEIPTS: Sql = same("RECEIPTS", "SELECT status FROM template_receipt WHERE msgid = '7'");
pub const BODIES: Sql = same("BODIES", "SELECT body FROM wechat_push");
pub const ERRORS: Sql = same("ERRORS", "SELECT error FROM wechat_push WHERE error IS NOT NULL");

pub async fn column<T: FromValue>(db: &Db, sql: Sql, args: Vec<Value>) -> Vec<T> {
    db.all::<One<T>>(sql, args).await.unwrap().into_iter().map(|one| one.0).collect()
}

pub async fn change(db: &Db, text: &'static str, args: Vec<Value>) {
    let mut tx = db.begin().await.unwrap();
    tx.exec(same("CHANGE", text), args).await.unwrap();
    tx.commit().await.unwrap();
}
