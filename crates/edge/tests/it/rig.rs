//! A small server: a few routes behind the layers that stand around all of ours.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use base::{HospitalId, Kind, Problem, Text2};
use edge::Front;
use edge::layers::{Identify, SeenAs};
use edge::live::TopicSource;
use edge::session::{NewSession, Sessions};
use edge::{
    Account, AccountId, Actor, ApiJson, ApiPath, ApiQuery, ApiResult, Begun, Caller, Hospitals,
    IdempotencyKey, Once, Profile, Role, Routes, Staff, StaffId, Who,
};
use serde_json::{Value, json};
use store::testing::TestDb;
use store::{Db, Migration, args};
use tower::ServiceExt as _;
use utoipa_axum::routes;

pub const H: HospitalId = HospitalId(1);
pub const HOUR: Duration = Duration::from_secs(3600);

pub fn migrations() -> Vec<Migration> {
    let text = "CREATE TABLE thing (hospital_id BIGINT NOT NULL, id TEXT NOT NULL, n BIGINT NOT NULL, PRIMARY KEY (hospital_id, id))";
    [
        edge::migrations(),
        vec![Migration { capability: "bench", name: "0001_bench", sqlite: text, postgres: text }],
    ]
    .concat()
}

store::statements! {
    BUMP = "INSERT INTO thing (hospital_id, id, n) VALUES ($1, $2, 1) ON CONFLICT (hospital_id, id) DO UPDATE SET n = thing.n + 1";
    N = "SELECT n FROM thing WHERE hospital_id = $1 AND id = $2";
    FIND = "SELECT id FROM thing WHERE hospital_id = $1 AND id = $2";
}

pub async fn n(db: &Db, id: &str) -> i64 {
    db.opt::<store::value::One<i64>>(N, args![H, id]).await.unwrap().map_or(0, |n| n.0)
}

edge::permission! {
    /// The triage desk and nurses.
    AtDesk = "test.desk", Who::Roles(&[Role::Triage, Role::Nurse]);
    /// Nobody at all.
    NoOne = "test.no_one", Who::Roles(&[]);
}

/// A small server.
#[derive(Clone)]
pub struct Rig {
    pub db: Db,
    pub hospitals: Hospitals,
    pub sessions: Sessions,
    pub router: Router,
    pub rules: Arc<Vec<edge::routes::Rule>>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {} {}", self.status, self.text))
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or("-").to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}

pub async fn open(t: &TestDb) -> Rig {
    let hospitals = Hospitals::load(&t.db).await.unwrap();
    let profile = Profile { name: Text2::new("杏林医院", "Xinglin Hospital"), ..Profile::default() };
    hospitals.add(H, "xl", &profile, "Asia/Shanghai").await.unwrap();
    let sessions = Sessions::new(t.db.clone());
    assemble(t.db.clone(), hospitals, sessions, false)
}

pub fn assemble(db: Db, hospitals: Hospitals, sessions: Sessions, trust_proxy: bool) -> Rig {
    let (routes, rules) = Routes::new()
        .route::<edge::Anyone>(routes!(who, write))
        .route::<edge::SignedIn>(routes!(mine))
        .route::<AtDesk>(routes!(desk))
        .route::<NoOne>(routes!(closed))
        .route::<edge::SignedIn>(routes!(add_thing))
        .route::<edge::Anyone>(routes!(count))
        .route::<AtDesk>(routes!(recount))
        .route::<edge::Anyone>(routes!(find))
        .route::<edge::Anyone>(routes!(fail))
        .route::<edge::Anyone>(routes!(watch))
        .with_state(db.clone());
    let state = Identify { hospitals: hospitals.clone(), sessions: sessions.clone(), trust_proxy };
    let (router, _api) = routes.split_for_parts();
    let router =
        router.layer(DefaultBodyLimit::max(2048)).layer(Front::new(state, Duration::from_secs(30), 1_000));
    Rig { db, hospitals, sessions, router, rules: Arc::new(rules) }
}

impl Rig {
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask("GET", path, headers, "").await
    }

    /// With `Host: h.cn` unless another is among the headers.
    pub async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.send(request(method, path, headers, body)).await
    }

    /// Signs somebody in; gives the headers that a browser then sends.
    pub async fn sign_in(&self, actor: Actor) -> [(String, String); 2] {
        let new = NewSession {
            hospital: H,
            actor,
            channel: "sms",
            idle: HOUR,
            longest: 24 * HOUR,
            device: "test".into(),
        };
        let token = self.sessions.open(new).await.unwrap();
        let hash = self.sessions.find(&token).await.unwrap().unwrap().token_hash.clone();
        [("cookie".into(), format!("xl={token}")), ("x-csrf".into(), edge::csrf::token(&hash))]
    }
}

pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if !headers.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", "h.cn");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

pub fn pairs(headers: &[(String, String)]) -> Vec<(&str, &str)> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

pub fn account() -> Actor {
    Actor::Account(AccountId::new())
}

pub fn staff(roles: &[Role]) -> Actor {
    Actor::Staff(StaffId::new(), roles.to_vec())
}

#[utoipa::path(get, path = "/api/v1/who")]
async fn who(caller: Caller, axum::Extension(seen): axum::Extension<SeenAs>) -> Json<Value> {
    Json(json!({
        "actor": caller.actor.to_string(),
        "hospital": caller.hospital.code,
        "lang": caller.lang.code(),
        "source": &*caller.source,
        "request_id": &*caller.request_id,
        "origin": seen.origin(),
        "cookie": seen.cookies().name(),
        "user_agent": caller.user_agent.chars().count(),
    }))
}

#[utoipa::path(post, path = "/api/v1/who")]
async fn write(caller: Caller) -> Json<Value> {
    Json(json!({"actor": caller.actor.to_string()}))
}

#[utoipa::path(get, path = "/api/v1/mine")]
async fn mine(account: Account) -> Json<Value> {
    Json(json!({"account": account.id.to_string()}))
}

#[utoipa::path(get, path = "/api/v1/desk")]
async fn desk(staff: Staff) -> Json<Value> {
    Json(json!({"staff": staff.id.to_string(), "roles": staff.roles.len()}))
}

#[utoipa::path(get, path = "/api/v1/closed")]
async fn closed() -> StatusCode {
    StatusCode::OK
}

#[derive(Debug, serde::Deserialize, serde::Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewThing {
    name: String,
    #[serde(default)]
    count: u8,
}

#[utoipa::path(post, path = "/api/v1/things")]
async fn add_thing(
    State(db): State<Db>,
    account: Account,
    key: IdempotencyKey,
    ApiJson(new): ApiJson<NewThing>,
) -> ApiResult<Response> {
    let mut once = match Once::begin(&db, &account.caller, &key, "POST /things", &new).await? {
        Begun::Replay(answer) => return Ok(answer),
        Begun::Fresh(once) => once,
    };
    once.tx().exec(BUMP, args![account.caller.hospital.id, &new.name]).await?;
    if new.count == 13 {
        return Err(Problem::new(Kind::Conflict, "unlucky", "不行。", "No.").into());
    }
    once.finish(StatusCode::CREATED, &json!({"name": new.name, "made": uuid::Uuid::new_v4().to_string()}))
        .await
}

#[utoipa::path(get, path = "/api/v1/things/{id}")]
async fn count(State(db): State<Db>, ApiPath(id): ApiPath<AccountId>) -> ApiResult<Json<Value>> {
    Ok(Json(json!({"n": n(&db, &id.db()).await})))
}

#[utoipa::path(put, path = "/api/v1/things/{id}")]
async fn recount(ApiPath(id): ApiPath<AccountId>) -> Json<Value> {
    Json(json!({"id": id.to_string()}))
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Find {
    name: String,
    #[serde(default)]
    limit: Option<u8>,
}

#[utoipa::path(get, path = "/api/v1/find")]
async fn find(
    State(db): State<Db>,
    caller: Caller,
    ApiQuery(find): ApiQuery<Find>,
) -> ApiResult<Json<Value>> {
    let found = db.all::<store::Row>(FIND, args![caller.hospital.id, find.name]).await?;
    Ok(Json(json!({"found": found.len(), "limit": find.limit})))
}

#[utoipa::path(get, path = "/api/v1/fail/{how}")]
async fn fail(ApiPath(how): ApiPath<String>) -> ApiResult<Response> {
    let status = |s: u16, text: &'static str| Ok((StatusCode::from_u16(s).unwrap(), text).into_response());
    match how.as_str() {
        "busy" => Err(Problem::unavailable(7).into()),
        "inside" => Err(Problem::internal().into()),
        "fields" => Err(Problem::new(
            Kind::Invalid,
            "name_invalid",
            "请填写真实姓名。",
            "Please enter the real name.",
        )
        .field("name", "empty", "不能为空", "must not be empty")
        .with("limit", 5)
        .into()),
        "cookie" => {
            let mut response = edge::ApiError::from(Problem::forbidden()).into_response();
            response.headers_mut().append("set-cookie", "a=1".parse().unwrap());
            response.headers_mut().append("set-cookie", "b=2".parse().unwrap());
            Ok(response)
        }
        "page" => Ok((StatusCode::NOT_FOUND, [("content-type", "application/xml")], "<no/>").into_response()),
        code => status(code.parse().unwrap(), "Bare words of a framework"),
    }
}

/// Topics of one kind: everybody may watch `open`, accounts `mine`, and `gone` while its thing exists.
struct Things(Db);

#[async_trait]
impl TopicSource for Things {
    fn kind(&self) -> &'static str {
        "thing"
    }
    async fn snapshot(&self, caller: &Caller, id: &str) -> Result<Value, Problem> {
        let n = n(&self.0, id).await;
        match id {
            "mine" if caller.actor == Actor::Nobody => Err(Problem::forbidden()),
            "gone" if n >= 3 => Err(Problem::not_found()),
            "busy" if n == 2 => Err(Problem::unavailable(1)),
            _ => Ok(json!({"n": n})),
        }
    }
}

#[utoipa::path(get, path = "/api/v1/live")]
async fn watch(State(db): State<Db>, caller: Caller, request: axum::extract::Request) -> ApiResult<Response> {
    let query = request.uri().query().unwrap_or("").to_owned();
    let topics = query.split('&').filter_map(|p| p.strip_prefix("topic=")).map(ToOwned::to_owned).collect();
    let source: Arc<dyn TopicSource> = Arc::new(Things(db.clone()));
    let sources = HashMap::from([("thing", source)]);
    Ok(edge::live::stream(db.live(), &sources, caller, topics, tokio_util::sync::CancellationToken::new())
        .await?
        .into_response())
}
