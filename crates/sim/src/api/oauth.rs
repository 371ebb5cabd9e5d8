//! Web authorisation: from a page in WeChat back to the page, with a code that says who it is.

use axum::extract::{RawQuery, State};
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;

use crate::config::AccountKind;
use crate::pages;
use crate::run::Shared;
use crate::wecom;
use crate::world::{OauthCode, OauthToken, World};
use crate::wx::{Call, Done, Params, WxError, ok, put};

const CODE_MS: i64 = 300_000;
const TOKEN_MS: i64 = 7_200_000;
const REFRESH_MS: i64 = 30 * 86_400_000;

/// Why the page refuses, as WeChat words it.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    NotInWeChat,
    Parameter(&'static str),
    Domain,
    Right,
}

/// `GET /connect/oauth2/authorize`: for `snsapi_base` goes back at once; for `snsapi_userinfo` asks the person.
pub(super) async fn authorize(
    State(hub): State<Shared>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = Params::parse(query.as_deref().unwrap_or_default());
    let phone = phone_of(&headers, &query);
    let corporations = hub.world.lock().corps.iter().map(|c| c.set.corpid.clone()).collect::<Vec<_>>();
    if query.get("appid").is_some_and(|id| corporations.iter().any(|known| known == id)) {
        return wecom::authorize(&hub, &query, phone.as_deref());
    }
    match decide(&hub, &query, phone.as_deref()) {
        Ok(Decision::Back(address)) => match HeaderValue::from_str(&address) {
            Ok(address) => (StatusCode::FOUND, [(header::LOCATION, address)]).into_response(),
            Err(_) => StatusCode::BAD_REQUEST.into_response(),
        },
        Ok(Decision::Ask { account, agree }) => Html(pages::consent(&account, &agree)).into_response(),
        Err(refusal) => {
            let text = match &refusal {
                Refusal::NotInWeChat => {
                    "请在微信客户端打开链接 · Please open this link in WeChat (on one of the phones)"
                        .to_owned()
                }
                Refusal::Parameter(name) => format!("{name} 参数错误 · wrong parameter {name}"),
                Refusal::Domain => {
                    "10003 redirect_uri 域名与后台配置不一致 · redirect_uri is not the registered domain"
                        .to_owned()
                }
                Refusal::Right => {
                    "10005 该公众号没有网页授权的权限 · this account may not use web authorisation".to_owned()
                }
            };
            (StatusCode::FORBIDDEN, Html(pages::message(&text))).into_response()
        }
    }
}

enum Decision {
    Back(String),
    Ask { account: String, agree: String },
}

fn decide(hub: &Shared, query: &Params, phone: Option<&str>) -> Result<Decision, Refusal> {
    let now = hub.now();
    let mut world = hub.world.lock();
    let world = &mut *world;
    let account = query.get("appid").and_then(|appid| world.by_appid(appid));
    let account = account.ok_or(Refusal::Parameter("appid"))?;
    let appid = account.set.appid.clone();
    let name = account.set.name.clone();
    if account.set.kind == AccountKind::Subscription {
        return Err(Refusal::Right);
    }
    if query.get("response_type") != Some("code") {
        return Err(Refusal::Parameter("response_type"));
    }
    let scope = query.get("scope").filter(|scope| matches!(*scope, "snsapi_base" | "snsapi_userinfo"));
    let scope = scope.ok_or(Refusal::Parameter("scope"))?.to_owned();
    let state = query.get("state").unwrap_or_default();
    if state.len() > 128 || !state.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Refusal::Parameter("state"));
    }
    let mut back = query
        .get("redirect_uri")
        .and_then(|uri| url::Url::parse(uri).ok())
        .filter(|uri| matches!(uri.scheme(), "http" | "https"))
        .ok_or(Refusal::Parameter("redirect_uri"))?;
    if !may_return(hub, world, &appid, back.host_str().unwrap_or_default()) {
        return Err(Refusal::Domain);
    }
    let phone = phone.and_then(|id| world.phone(id)).ok_or(Refusal::NotInWeChat)?;
    let openid = phone.openids.get(&appid).cloned().ok_or(Refusal::NotInWeChat)?;
    if scope == "snsapi_userinfo" && query.get("sim_agree") != Some("1") {
        let mut agree = url::form_urlencoded::Serializer::new(String::from("?"));
        for name in ["appid", "redirect_uri", "response_type", "scope", "state"] {
            agree.append_pair(name, query.get(name).unwrap_or_default());
        }
        agree.append_pair("sim_agree", "1");
        return Ok(Decision::Ask { account: name, agree: agree.finish() });
    }
    let snapshot = world.faults.snapshot_user;
    // A snapshot user is a made-up one: never the same openid as the person's.
    let openid = if snapshot { format!("o{}", world.rng.url_safe(27)) } else { openid };
    let code = format!("0{}", world.rng.alphanumeric(31));
    world.oauth.retain(|_, code| now - code.expires < 86_400_000);
    world.oauth.insert(
        code.clone(),
        OauthCode { appid, openid, scope, expires: now + CODE_MS, used: false, snapshot },
    );
    back.query_pairs_mut().append_pair("code", &code).append_pair("state", state);
    Ok(Decision::Back(back.into()))
}

/// The registered domain: the product's own host, those in the account's settings, and the phones' own (there the product
/// is framed under the phone's host). Ports do not count: WeChat allows none.
fn may_return(hub: &Shared, world: &World, appid: &str, host: &str) -> bool {
    let product = url::Url::parse(&hub.product_base).ok();
    let phone = pages::phone_of_host(host).is_some_and(|id| world.phone(&id).is_some());
    phone
        || product.as_ref().and_then(url::Url::host_str) == Some(host)
        || world
            .by_appid(appid)
            .is_some_and(|account| account.set.oauth_domains.iter().any(|known| known == host))
}

/// Whose phone this is: the host name that the page was opened under; else that of the page it goes back to.
fn phone_of(headers: &HeaderMap, query: &Params) -> Option<String> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    pages::phone_of_host(host).or_else(|| {
        let back = query.get("redirect_uri").and_then(|uri| url::Url::parse(uri).ok())?;
        pages::phone_of_host(back.host_str()?)
    })
}

/// `GET /sns/oauth2/access_token`
pub(super) fn access_token(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let appid = call.query.need("appid", 41002)?.to_owned();
    let secret = call.query.need("secret", 41004)?;
    let code = call.query.need("code", 41008)?.to_owned();
    if call.query.get("grant_type") != Some("authorization_code") {
        return Err(WxError::new(40002));
    }
    let account = world.by_appid(&appid).ok_or_else(|| WxError::new(40013))?;
    if account.set.secret != secret {
        return Err(WxError::new(40125));
    }
    let known = world.oauth.get_mut(&code).filter(|known| known.appid == appid);
    let known = known.ok_or_else(|| WxError::new(40029))?;
    if known.used {
        return Err(WxError::new(40163));
    }
    if known.expires <= call.now {
        return Err(WxError::new(42003));
    }
    known.used = true;
    let known = known.clone();
    let mut out = issue(world, call.now, &appid, &known.openid, &known.scope);
    if known.snapshot {
        put(&mut out, "is_snapshotuser", json!(1));
    }
    if known.scope == "snsapi_userinfo"
        && let Some(user) = world.by_appid(&appid).and_then(|account| account.users.get(&known.openid))
    {
        put(&mut out, "unionid", json!(user.unionid));
    }
    Ok(out.into())
}

/// `GET /sns/oauth2/refresh_token`
pub(super) fn refresh_token(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let appid = call.query.need("appid", 41002)?.to_owned();
    let refresh = call.query.need("refresh_token", 41003)?;
    if call.query.get("grant_type") != Some("refresh_token") {
        return Err(WxError::new(40002));
    }
    let known = world.oauth_tokens.get(refresh).filter(|known| known.refresh && known.appid == appid);
    let known = known.ok_or_else(|| WxError::new(40030))?.clone();
    if known.expires <= call.now {
        return Err(WxError::with(42002, "refresh_token expired"));
    }
    Ok(issue(world, call.now, &appid, &known.openid, &known.scope).into())
}

fn issue(world: &mut World, now: i64, appid: &str, openid: &str, scope: &str) -> serde_json::Value {
    let access = format!("90_{}", world.rng.url_safe(100));
    let refresh = format!("91_{}", world.rng.url_safe(100));
    world.oauth_tokens.retain(|_, token| token.expires > now);
    for (token, lasts, is_refresh) in [(&access, TOKEN_MS, false), (&refresh, REFRESH_MS, true)] {
        world.oauth_tokens.insert(
            token.clone(),
            OauthToken {
                appid: appid.to_owned(),
                openid: openid.to_owned(),
                scope: scope.to_owned(),
                expires: now + lasts,
                refresh: is_refresh,
            },
        );
    }
    json!({
        "access_token": access, "expires_in": TOKEN_MS / 1000, "refresh_token": refresh, "openid": openid, "scope": scope,
    })
}

fn page_token<'a>(world: &'a World, call: &Call) -> Result<&'a OauthToken, WxError> {
    let token = call.query.need("access_token", 41001)?;
    let openid = call.query.need("openid", 41009)?;
    let known = world.oauth_tokens.get(token).filter(|known| !known.refresh);
    let known = known.ok_or_else(|| WxError::new(40001))?;
    if known.expires <= call.now {
        return Err(WxError::new(42001));
    }
    if known.openid == openid { Ok(known) } else { Err(WxError::new(40003)) }
}

/// `GET /sns/auth`
pub(super) fn auth(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    page_token(world, call).map(|_| ok())
}

/// `GET /sns/userinfo`
pub(super) fn userinfo(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let known = page_token(world, call)?;
    if known.scope != "snsapi_userinfo" {
        return Err(WxError::new(48001));
    }
    let user = world.by_appid(&known.appid).and_then(|account| account.users.get(&known.openid));
    let phone = user.and_then(|user| world.phone(&user.phone));
    Ok(json!({
        "openid": known.openid,
        "nickname": phone.map_or("微信用户", |phone| phone.name.as_str()),
        "sex": 0, "province": "", "city": "", "country": "", "headimgurl": "", "privilege": [],
        "unionid": user.map(|user| user.unionid.as_str()),
    })
    .into())
}
