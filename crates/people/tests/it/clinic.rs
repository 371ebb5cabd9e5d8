//! A small hospital in a box: our routes behind the layers that stand around all of ours, a sender of codes that only
//! remembers, and a WeChat that answers three calls.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use base::{HospitalId, Lang, Secret, Text2};
use edge::Front;
use edge::layers::Identify;
use edge::session::Sessions;
use edge::{AccountId, Granted, Hospital, Hospitals, Profile};
use http::StatusCode;
use people::channel::{CallbackFormat, CallbackMode, Hosts, NewChannel};
use people::{ChannelKind, Channels, CodePurpose, PeopleDeps, PersonId, SendCode, Upcoming};
use serde::Serialize;
use serde_json::{Value, json};
use store::testing::TestDb;
use store::{Db, Migration, StoreError, Tx, Vault};

pub use crate::browser::{Answer, Browser};

pub const H: HospitalId = HospitalId(1);
pub const MINUTE: Duration = Duration::from_secs(60);
pub const HOUR: Duration = Duration::from_secs(3600);
pub const DAY: Duration = Duration::from_secs(86_400);
/// The consent that is in force unless a test sets another.
pub const CONSENT: &str = "2026-11";

pub fn migrations() -> Vec<Migration> {
    [edge::migrations(), people::migrations()].concat()
}

/// Remembers codes instead of sending them.
#[derive(Default)]
pub struct Inbox {
    sent: Mutex<Vec<Sms>>,
    broken: AtomicU32,
}

#[derive(Debug, Clone)]
pub struct Sms {
    pub phone: String,
    pub code: String,
    pub lang: Lang,
    pub purpose: CodePurpose,
}

impl Inbox {
    /// The newest code that a phone got, however its number is written.
    pub fn code(&self, phone: &str) -> String {
        let digits = people::documents::Mobile::parse(phone).unwrap();
        self.last(digits.digits()).unwrap_or_else(|| panic!("no code was sent to {phone}")).code
    }

    pub fn last(&self, phone: &str) -> Option<Sms> {
        self.sent.lock().unwrap().iter().rev().find(|s| s.phone == phone).cloned()
    }

    pub fn count(&self) -> usize {
        self.sent.lock().unwrap().len()
    }

    /// From now on sending fails, or works again.
    pub fn break_it(&self, broken: bool) {
        self.broken.store(u32::from(broken), Ordering::SeqCst);
    }
}

#[async_trait::async_trait]
impl SendCode for Inbox {
    async fn send_code(
        &self,
        _: &mut Tx,
        _: &Hospital,
        phone: &str,
        code: &str,
        lang: Lang,
        purpose: CodePurpose,
    ) -> Result<(), StoreError> {
        if self.broken.load(Ordering::SeqCst) == 1 {
            return Err(StoreError::Config("the sender is broken".into()));
        }
        let sms = Sms { phone: phone.into(), code: code.into(), lang, purpose };
        self.sent.lock().unwrap().push(sms);
        Ok(())
    }
}

/// So many appointments are to come, for whomever.
#[derive(Default)]
pub struct Appointments(pub AtomicU32);

#[async_trait::async_trait]
impl Upcoming for Appointments {
    async fn upcoming(
        &self,
        _: &mut Tx,
        _: HospitalId,
        _: AccountId,
        _: PersonId,
    ) -> Result<u32, StoreError> {
        Ok(self.0.load(Ordering::SeqCst))
    }
}

/// One doctor and one department.
struct Wards;

pub const DOCTOR: &str = "doc_00000000000070008000000000000001";
pub const DEPARTMENT: &str = "dep_00000000000070008000000000000002";

impl people::staff::Places for Wards {
    fn has_doctor(&self, _: HospitalId, id: &str) -> bool {
        id == DOCTOR
    }

    fn has_department(&self, _: HospitalId, id: &str) -> bool {
        id == DEPARTMENT
    }
}

/// WeChat, as far as signing in needs it.
#[derive(Default)]
pub struct Wechat {
    pub exchanges: AtomicU32,
    pub tokens: AtomicU32,
    /// Openids that follow, with the second in which they began to.
    pub followers: Mutex<HashMap<String, i64>>,
}

impl Wechat {
    /// Codes say themselves whose they are: `c-{openid}~{anything}`; `snapshot` and `broken` say what they are.
    async fn exchange(
        State(wechat): State<Arc<Self>>,
        Query(query): Query<HashMap<String, String>>,
    ) -> (StatusCode, Json<Value>) {
        wechat.exchanges.fetch_add(1, Ordering::SeqCst);
        let code = query.get("code").cloned().unwrap_or_default();
        let right = query.get("secret").is_some_and(|s| s == "app-secret");
        match code.split('~').next().and_then(|c| c.strip_prefix("c-")) {
            _ if code == "broken" => (StatusCode::BAD_GATEWAY, Json(json!({}))),
            _ if !right => (StatusCode::OK, Json(json!({"errcode": 40125, "errmsg": "invalid appsecret"}))),
            Some("snapshot") => (StatusCode::OK, Json(json!({"openid": "o-invented", "is_snapshotuser": 1}))),
            Some(openid) => (StatusCode::OK, Json(json!({"openid": openid, "expires_in": 7200}))),
            None => (StatusCode::OK, Json(json!({"errcode": 40029, "errmsg": "invalid code"}))),
        }
    }

    async fn token(State(wechat): State<Arc<Self>>) -> Json<Value> {
        let n = wechat.tokens.fetch_add(1, Ordering::SeqCst);
        Json(json!({"access_token": format!("token-{n}"), "expires_in": 7200}))
    }

    async fn user(
        State(wechat): State<Arc<Self>>,
        Query(query): Query<HashMap<String, String>>,
    ) -> Json<Value> {
        let openid = query.get("openid").cloned().unwrap_or_default();
        match wechat.followers.lock().unwrap().get(&openid) {
            Some(since) => Json(json!({"subscribe": 1, "openid": openid, "subscribe_time": since})),
            None => Json(json!({"subscribe": 0, "openid": openid})),
        }
    }

    /// Starts it on a free port of loopback; gives its address. It ends with the test's runtime.
    pub async fn start(self: &Arc<Self>) -> String {
        let app = Router::new()
            .route("/sns/oauth2/access_token", get(Self::exchange))
            .route("/cgi-bin/stable_token", post(Self::token))
            .route("/cgi-bin/user/info", get(Self::user))
            .with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        address
    }
}

/// The hospital.
#[derive(Clone)]
pub struct Clinic {
    deps: PeopleDeps,
    pub db: Db,
    pub vault: Arc<Vault>,
    pub hospitals: Hospitals,
    pub channels: Channels,
    pub inbox: Arc<Inbox>,
    pub appointments: Arc<Appointments>,
    pub wechat: Arc<Wechat>,
    pub router: Router,
}

pub fn profile() -> Profile {
    Profile {
        name: Text2::new("杏林医院", "Xinglin Hospital"),
        short_name: Text2::new("杏林", "Xinglin"),
        ..Profile::default()
    }
}

pub fn http() -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    wechat::api::http_client().build().unwrap()
}

/// A service account that speaks with `base`.
pub fn service_account(base: &str) -> NewChannel {
    NewChannel {
        hospital: H,
        name: "service".into(),
        kind: ChannelKind::Service,
        app_id: "wx0123456789abcdef".into(),
        original_id: "gh_0123456789ab".into(),
        secret: Secret::new("app-secret"),
        token: Secret::new("callback-token"),
        aes_key: Some(Secret::new("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG")),
        aes_key_previous: None,
        mode: CallbackMode::Safe,
        format: CallbackFormat::Xml,
        hosts: Some(Hosts::all_at(base)),
        js_sdk_url: None,
        verify_files: BTreeMap::new(),
    }
}

impl Clinic {
    pub async fn open(t: &TestDb) -> Self {
        Self::on(&t.db, Arc::new(Vault::parse(&Vault::generate().unwrap()).unwrap())).await
    }

    /// The hospital on a database; the second on the same one is another node of it.
    pub async fn on(db: &Db, vault: Arc<Vault>) -> Self {
        let hospitals = Hospitals::load(db).await.unwrap();
        if hospitals.get(H).is_none() {
            hospitals.add(H, "xl", &profile(), "Asia/Shanghai").await.unwrap();
        }
        let sessions = Sessions::new(db.clone());
        let channels = Channels::load(db, vault.clone(), http()).await.unwrap();
        let (inbox, appointments) = (Arc::new(Inbox::default()), Arc::new(Appointments::default()));
        let deps = PeopleDeps {
            hospitals: hospitals.clone(),
            merging: Arc::new(NoVisits),
            db: db.clone(),
            vault: vault.clone(),
            sessions: sessions.clone(),
            channels: channels.clone(),
            send_code: inbox.clone(),
            upcoming: appointments.clone(),
            places: Arc::new(Wards),
            granted: Granted::default(),
        };
        let parts = people::capability(deps.clone());
        deps.granted.learn(&parts.rules);
        let layer = Identify { hospitals: hospitals.clone(), sessions: sessions.clone(), trust_proxy: true };
        let devices = people::devices::capability(deps.clone());
        let (router, _) = parts.router.merge(devices.router).split_for_parts();
        let router = router.layer(Front::new(layer, Duration::from_secs(30), 1_000));
        let db = db.clone();
        let wechat = Arc::default();
        Self { deps, db, vault, hospitals, channels, inbox, appointments, wechat, router }
    }

    /// Connects a service account to a WeChat of our own.
    pub async fn with_wechat(self) -> Self {
        let base = self.wechat.start().await;
        self.add_channel(&service_account(&base)).await;
        self
    }

    pub async fn add_channel(&self, new: &NewChannel) -> people::ChannelAccountId {
        let mut tx = self.db.begin().await.unwrap();
        let id = people::channel::add_channel(&mut tx, &self.vault, new).await.unwrap();
        tx.commit().await.unwrap();
        self.channels.reload().await.unwrap();
        id
    }

    pub async fn set(&self, section: &str, value: &impl Serialize) {
        self.hospitals.set(H, section, value, "test").await.unwrap();
    }

    /// What the capability was given.
    pub fn deps(&self) -> PeopleDeps {
        self.deps.clone()
    }

    pub fn browser(&self) -> Browser {
        Browser::new(self.clone())
    }

    /// A browser that has signed in with `phone`.
    pub async fn signed_in(&self, phone: &str) -> Browser {
        let mut browser = self.browser();
        browser.sign_in(phone).await;
        browser
    }

    /// What the audit log says of a record: action and detail.
    pub async fn audited(&self, entity: &str) -> Vec<(String, Value)> {
        let entries = store::audit::of_entity(&self.db, H, entity).await.unwrap();
        entries.into_iter().map(|e| (e.action, serde_json::from_str(&e.detail).unwrap())).collect()
    }

    /// The events of a kind, oldest first.
    pub async fn events(&self, kind: &str) -> Vec<Value> {
        let rows: Vec<store::Row> = self.db.all(EVENTS, store::args![kind]).await.unwrap();
        rows.iter().map(|r| serde_json::from_str(&r.get::<String>("payload").unwrap()).unwrap()).collect()
    }

    pub async fn count(&self, sql: store::Sql) -> i64 {
        self.db.one::<store::value::One<i64>>(sql, store::args![]).await.unwrap().0
    }
}

store::statements! {
    EVENTS = "SELECT payload FROM event WHERE kind = $1 ORDER BY seq";
    ACCOUNTS = "SELECT CAST(COUNT(*) AS BIGINT) FROM account";
    PERSONS = "SELECT CAST(COUNT(*) AS BIGINT) FROM person";
    LIVE_BINDINGS = "SELECT CAST(COUNT(*) AS BIGINT) FROM binding WHERE voided_at IS NULL";
    VOIDED_BINDINGS = "SELECT CAST(COUNT(*) AS BIGINT) FROM binding WHERE voided_at IS NOT NULL AND voided_by IS NOT NULL";
    DEFAULTS = "SELECT CAST(COUNT(*) AS BIGINT) FROM binding WHERE voided_at IS NULL AND is_default = 1";
    CONSENTS = "SELECT CAST(COUNT(*) AS BIGINT) FROM consent WHERE kind = 'personal_data' AND version = '2026-11'";
    GUARDIAN_CONSENTS = "SELECT CAST(COUNT(*) AS BIGINT) FROM consent WHERE kind = 'guardian'";
    CODES = "SELECT CAST(COUNT(*) AS BIGINT) FROM sms_code";
    COUNTS = "SELECT CAST(COUNT(*) AS BIGINT) FROM usage_limit";
    SESSIONS = "SELECT CAST(COUNT(*) AS BIGINT) FROM session";
}

pub fn new_person(name: &str, number: &str, phone: &str, code: &str, relation: &str) -> Value {
    json!({
        "name": name, "document": {"kind": "resident_id", "number": number}, "phone": phone, "code": code,
        "relation": relation, "consent_version": CONSENT,
    })
}

/// A resident number that nobody carries: the region ends in 0000.
pub fn resident(birth: &str, sequence: u32) -> String {
    let body = format!("310000{}{sequence:03}", birth.replace('-', ""));
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = body.chars().zip(weights).map(|(c, w)| c.to_digit(10).unwrap() * w).sum();
    let check = "10X98765432".chars().nth(usize::try_from(sum % 11).unwrap()).unwrap();
    format!("{body}{check}")
}

/// A value with one member changed.
pub fn with(mut value: Value, member: &str, to: Value) -> Value {
    value[member] = to;
    value
}

/// No other capability is here.
pub struct NoVisits;

#[async_trait::async_trait]
impl people::records::merge::Merging for NoVisits {
    async fn clashes(&self, _: &mut Tx, _: HospitalId, _: PersonId, _: PersonId) -> store::Result<u32> {
        Ok(0)
    }

    async fn hand_over(
        &self,
        _: &mut Tx,
        _: HospitalId,
        _: PersonId,
        _: PersonId,
        _: Option<&[String]>,
    ) -> store::Result<Vec<String>> {
        Ok(Vec::new())
    }

    async fn on_file(&self, _: &mut Tx, _: HospitalId, _: PersonId) -> store::Result<serde_json::Value> {
        Ok(serde_json::json!({}))
    }

    async fn ahead(&self, _: &mut Tx, _: HospitalId, _: PersonId) -> store::Result<u32> {
        Ok(0)
    }
}
