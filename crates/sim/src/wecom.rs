//! WeCom (企业微信): a corporation with one application of its own, by which its members sign in.
//!
//! Strict where the real one is: the token is asked for with corpid and the application's secret and stays the same for its life; pages are only
//! returned to trusted domains; a code is good once and for five minutes. Whose phone it is says the host name, as for WeChat; on a desk a
//! page stands for the scan and asks who it is.

use axum::Router;
use axum::extract::{ConnectInfo, Path, RawQuery, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, put};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

use crate::net::Wire;
use crate::pages;
use crate::problem::{Problem, read};
use crate::run::Shared;
use crate::world::World;
use crate::wx::{Params, WxError};

const CODE_MS: i64 = 300_000;
const TOKEN_MS: i64 = 7_200_000;

/// A corporation with one application, as its administrator set it up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SimCorp {
    /// 企业 ID, `ww` and 16 characters.
    pub corpid: String,
    /// The application's number.
    pub agentid: u32,
    /// The application's secret.
    pub secret: String,
    /// The name that members see.
    pub name: String,
    /// Hosts (without port) that a sign-in may return to (可信域名), beside the product's own and the phones'.
    pub domains: Vec<String>,
    /// Addresses that may call (企业可信 IP); empty allows all. Others get 60020.
    pub ip_allow: Vec<String>,
    /// Who works there.
    pub members: Vec<SimMember>,
}

/// A member of a corporation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SimMember {
    /// 账号.
    pub userid: String,
    /// The name.
    pub name: String,
    /// The phone on which this member uses WeCom, `p1`; on a desk any member may be chosen.
    #[serde(default)]
    pub phone: Option<String>,
}

/// A corporation with what the platform keeps for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Corp {
    pub(crate) set: SimCorp,
    /// The token and when it ends.
    token: Option<(String, i64)>,
    codes: BTreeMap<String, Code>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Code {
    /// `None`: somebody who is no member.
    userid: Option<String>,
    expires: i64,
    used: bool,
}

impl World {
    /// Adds a corporation, or takes new settings for one that a snapshot knows already.
    pub(crate) fn install_corp(&mut self, set: SimCorp) {
        match self.corps.iter_mut().find(|known| known.set.corpid == set.corpid) {
            Some(known) => known.set = set,
            None => self.corps.push(Corp { set, token: None, codes: BTreeMap::new() }),
        }
    }

    fn corp(&mut self, corpid: &str) -> Option<&mut Corp> {
        self.corps.iter_mut().find(|corp| corp.set.corpid == corpid)
    }
}

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/cgi-bin/gettoken", get(token))
        .route("/cgi-bin/auth/getuserinfo", get(user_info))
        .route("/cgi-bin/user/getuserinfo", get(user_info))
        .route("/wwlogin/sso/login", get(desk_page))
        .route("/sim/v1/wecom", get(list))
        .route("/sim/v1/wecom/{corpid}/members/{userid}", put(member))
}

fn answer(hub: &Shared, path: &str, outcome: impl FnOnce(&mut World) -> Result<Value, WxError>) -> Response {
    let mut world = hub.world.lock();
    let broken = world.faults.touches(path) && {
        let rate = world.faults.http_5xx_rate;
        world.rng.chance(rate)
    };
    if broken {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    // HTTP 200 for errors as well.
    let body = match outcome(&mut world) {
        Ok(mut value) => {
            crate::wx::put(&mut value, "errcode", json!(0));
            crate::wx::put(&mut value, "errmsg", json!("ok"));
            value
        }
        Err(error) => json!({ "errcode": error.code, "errmsg": error.text }),
    };
    ([(header::CONTENT_TYPE, "application/json; charset=UTF-8")], body.to_string()).into_response()
}

fn trusted(corp: &Corp, wire: &Wire) -> Result<(), WxError> {
    let peer = wire.peer.ip().to_string();
    if corp.set.ip_allow.is_empty() || corp.set.ip_allow.contains(&peer) {
        return Ok(());
    }
    Err(WxError::with(60020, format!("not allow to access from your ip, from ip: {peer}")))
}

/// `GET /cgi-bin/gettoken`: the same token for as long as it is good.
async fn token(
    State(hub): State<Shared>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    RawQuery(query): RawQuery,
) -> Response {
    let (query, now) = (Params::parse(query.as_deref().unwrap_or_default()), hub.now());
    answer(&hub, "/cgi-bin/gettoken", |world| {
        let corpid = query.need("corpid", 41002)?;
        let secret = query.need("corpsecret", 41004)?;
        let fresh = world.rng.url_safe(180);
        let corp = world.corp(corpid).ok_or_else(|| WxError::with(40013, "invalid corpid"))?;
        if corp.set.secret != secret {
            return Err(WxError::with(40001, "invalid credential"));
        }
        trusted(corp, &wire)?;
        let (token, ends) = match corp.token.clone().filter(|(_, ends)| *ends > now) {
            Some(known) => known,
            None => (fresh, now + TOKEN_MS),
        };
        corp.token = Some((token.clone(), ends));
        Ok(json!({ "access_token": token, "expires_in": (ends - now) / 1000 }))
    })
}

/// `GET /cgi-bin/auth/getuserinfo`, and its older name.
async fn user_info(
    State(hub): State<Shared>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    RawQuery(query): RawQuery,
) -> Response {
    let (query, now) = (Params::parse(query.as_deref().unwrap_or_default()), hub.now());
    answer(&hub, "/cgi-bin/auth/getuserinfo", |world| {
        let token = query.need("access_token", 41001)?;
        let code = query.need("code", 41008)?;
        let outsider = format!("o{}", world.rng.url_safe(27));
        let corp = world.corps.iter_mut().find(|c| c.token.as_ref().is_some_and(|(t, _)| t == token));
        let corp = corp.ok_or_else(|| WxError::new(40014))?;
        if corp.token.as_ref().is_none_or(|(_, ends)| *ends <= now) {
            return Err(WxError::new(42001));
        }
        trusted(corp, &wire)?;
        let known = corp.codes.get_mut(code).filter(|c| !c.used).ok_or_else(|| WxError::new(40029))?;
        if known.expires <= now {
            return Err(WxError::new(42003));
        }
        known.used = true;
        Ok(match &known.userid {
            Some(userid) => json!({ "userid": userid, "user_ticket": "" }),
            None => json!({ "openid": outsider }),
        })
    })
}

/// Why a page refuses, as WeCom words it.
pub(crate) fn refuse(text: &str) -> Response {
    (StatusCode::FORBIDDEN, Html(pages::message(text))).into_response()
}

/// `GET /connect/oauth2/authorize` with a corporation's id: back at once, as the member whose phone it is.
pub(crate) fn authorize(hub: &Shared, query: &Params, phone: Option<&str>) -> Response {
    if query.get("response_type") != Some("code") || query.get("scope") != Some("snsapi_base") {
        return refuse("scope 参数错误 · wrong parameter scope");
    }
    let member = {
        let mut world = hub.world.lock();
        let Some(corp) = query.get("appid").and_then(|id| world.corp(id)) else {
            return refuse("appid 参数错误 · wrong parameter appid");
        };
        let of_phone = |m: &&SimMember| m.phone.is_some() && m.phone.as_deref() == phone;
        corp.set.members.iter().find(of_phone).map(|m| m.userid.clone())
    };
    back(hub, query, member)
}

/// `GET /wwlogin/sso/login`: stands for the code that a member scans. Who scans is chosen on the page.
async fn desk_page(State(hub): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let query = Params::parse(query.as_deref().unwrap_or_default());
    if query.get("login_type") != Some("CorpApp") {
        return refuse("login_type 参数错误 · wrong parameter login_type");
    }
    if let Some(userid) = query.get("sim_member") {
        return back(&hub, &query, Some(userid.to_owned()));
    }
    let mut world = hub.world.lock();
    let Some(corp) = query.get("appid").and_then(|id| world.corp(id)) else {
        return refuse("appid 参数错误 · wrong parameter appid");
    };
    let link = |member: &SimMember| {
        let mut address = url::form_urlencoded::Serializer::new(String::from("?"));
        for name in ["login_type", "appid", "agentid", "redirect_uri", "state"] {
            address.append_pair(name, query.get(name).unwrap_or_default());
        }
        address.append_pair("sim_member", &member.userid);
        (member.name.clone(), address.finish())
    };
    let links: Vec<_> = corp.set.members.iter().map(link).collect();
    Html(pages::choose(&corp.set.name, &links)).into_response()
}

/// Goes back with a code for a member, or for somebody who is none.
fn back(hub: &Shared, query: &Params, userid: Option<String>) -> Response {
    let now = hub.now();
    let state = query.get("state").unwrap_or_default();
    if state.len() > 128 || !state.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return refuse("state 参数错误 · wrong parameter state");
    }
    let target = query.get("redirect_uri").and_then(|uri| url::Url::parse(uri).ok());
    let Some(mut target) = target.filter(|uri| matches!(uri.scheme(), "http" | "https")) else {
        return refuse("redirect_uri 参数错误 · wrong parameter redirect_uri");
    };
    let host = target.host_str().unwrap_or_default().to_owned();
    let product = url::Url::parse(&hub.product_base).ok().and_then(|u| u.host_str().map(str::to_owned));
    let mut world = hub.world.lock();
    let is_phone = pages::phone_of_host(&host).is_some_and(|id| world.phone(&id).is_some());
    let code = world.rng.alphanumeric(43);
    let agent = query.get("agentid").and_then(|id| id.parse::<u32>().ok());
    let Some(corp) =
        query.get("appid").and_then(|id| world.corp(id)).filter(|c| agent == Some(c.set.agentid))
    else {
        return refuse("agentid 参数错误 · wrong parameter agentid");
    };
    if !is_phone && product.as_deref() != Some(host.as_str()) && !corp.set.domains.contains(&host) {
        return refuse("50001 redirect_uri 与可信域名不一致 · redirect_uri is not a trusted domain");
    }
    if userid.as_ref().is_some_and(|id| !corp.set.members.iter().any(|m| m.userid == *id)) {
        return refuse("50002 成员不在应用的可见范围内 · this member is not in the application's scope");
    }
    corp.codes.retain(|_, code| now - code.expires < 86_400_000);
    corp.codes.insert(code.clone(), Code { userid, expires: now + CODE_MS, used: false });
    target.query_pairs_mut().append_pair("code", &code).append_pair("state", state);
    match HeaderValue::from_str(target.as_str()) {
        Ok(address) => (StatusCode::FOUND, [(header::LOCATION, address)]).into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// `GET /sim/v1/wecom`: the corporations without their secrets.
async fn list(State(hub): State<Shared>) -> axum::Json<Value> {
    let world = hub.world.lock();
    let items: Vec<Value> = world
        .corps
        .iter()
        .map(|c| json!({ "corpid": c.set.corpid, "agentid": c.set.agentid, "name": c.set.name, "members": c.set.members }))
        .collect();
    axum::Json(json!({ "items": items }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberChange {
    name: String,
    #[serde(default)]
    phone: Option<String>,
}

/// `PUT /sim/v1/wecom/{corpid}/members/{userid}`: adds a member, or changes one.
async fn member(
    State(hub): State<Shared>,
    Path((corpid, userid)): Path<(String, String)>,
    body: Bytes,
) -> Result<axum::Json<Value>, Problem> {
    let change: MemberChange = read(&body)?;
    let mut world = hub.world.lock();
    let corp = world.corp(&corpid).ok_or_else(|| Problem::not_found("corporation", &corpid))?;
    let member = SimMember { userid: userid.clone(), name: change.name, phone: change.phone };
    match corp.set.members.iter_mut().find(|known| known.userid == userid) {
        Some(known) => *known = member.clone(),
        None => corp.set.members.push(member.clone()),
    }
    Ok(axum::Json(json!(member)))
}
