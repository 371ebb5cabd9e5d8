//! Signing in through WeChat: two addresses that a browser is sent to, outside the API's own.

use axum::Extension;
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use edge::layers::{NamedHospital, SeenAs};
use edge::{ApiQuery, Caller};
use http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use http::{HeaderValue, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use utoipa::IntoParams;

use super::session::end_old;
use crate::PeopleDeps;
use crate::rules::local_path;
use crate::signin::state::VALID;
use crate::signin::wechat::{self, Return, Trouble};

/// What a query value may hold as it is.
pub(crate) const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Where to go afterwards.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Outward {
    /// A path of ours.
    #[serde(default)]
    to: Option<String>,
}

/// What WeChat sends the browser back with.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Homeward {
    /// WeChat's code; missing when the person did not agree.
    #[serde(default)]
    code: Option<String>,
    /// Our state.
    #[serde(default)]
    state: Option<String>,
    /// A path of ours.
    #[serde(default)]
    to: Option<String>,
}

/// Sends the browser to WeChat's sign-in page.
#[utoipa::path(get, path = "/auth/wechat", tag = "session", params(Outward), responses((status = 302)))]
pub(super) async fn to_wechat(
    State(deps): State<PeopleDeps>,
    caller: Caller,
    Extension(seen): Extension<SeenAs>,
    named: Option<Extension<NamedHospital>>,
    jar: CookieJar,
    ApiQuery(query): ApiQuery<Outward>,
) -> Response {
    let prefix = prefix(named.as_deref());
    let to = local_path(query.to.as_deref());
    // A browser that is under way in several tabs keeps its mark.
    let known = jar.get(mark_name(&seen)).map(|c| c.value().to_owned()).filter(|v| is_mark(v));
    let back =
        format!("{}{prefix}/auth/wechat/callback?to={}", seen.origin(), utf8_percent_encode(to, VALUE));
    let browser = match known.map_or_else(wechat::browser, Ok) {
        Ok(browser) => browser,
        Err(error) => return sign_in_page(&prefix, to, &error.into()),
    };
    match wechat::page(&deps, &caller, &browser, to, &back) {
        Ok(page) => redirect(&page, Some(mark(&seen, browser))),
        Err(trouble) => sign_in_page(&prefix, to, &trouble),
    }
}

/// Signs in with what WeChat sent the browser back with, and sends it to where it wanted to go.
#[utoipa::path(get, path = "/auth/wechat/callback", tag = "session", params(Homeward), responses((status = 302)))]
pub(super) async fn from_wechat(
    State(deps): State<PeopleDeps>,
    caller: Caller,
    Extension(seen): Extension<SeenAs>,
    named: Option<Extension<NamedHospital>>,
    jar: CookieJar,
    ApiQuery(query): ApiQuery<Homeward>,
) -> Response {
    let prefix = prefix(named.as_deref());
    let to = local_path(query.to.as_deref());
    let brought = Return {
        code: query.code.as_deref().unwrap_or(""),
        state: query.state.as_deref().unwrap_or(""),
        to,
        browser: jar.get(mark_name(&seen)).map_or("", |c| c.value()),
    };
    let (signed, first) = match wechat::back(&deps, &caller, brought).await {
        Ok(signed) => signed,
        Err(trouble) => return sign_in_page(&prefix, to, &trouble),
    };
    // A return that is asked for again may come with the cookie of the session that it gave: that one stays.
    if first && let Err(error) = end_old(&deps, &seen, &jar).await {
        tracing::warn!(code = error.0.code, "the session before this sign-in was not ended");
    }
    redirect(to, Some(seen.cookies().cookie(signed.token).to_string()))
}

/// `/h/{code}` when the address named the hospital.
pub(crate) fn prefix(named: Option<&NamedHospital>) -> String {
    named.map(|n| format!("/h/{}", n.0.code)).unwrap_or_default()
}

/// Pages that anybody may read. Who comes to one of them from the chat and can't be signed in (a snapshot page, WeChat out of
/// order) reads on as a guest; WeChat asks for that, and signing in is offered again where it is needed.
fn for_guests(to: &str) -> bool {
    let path = to.split(['?', '#']).next().unwrap_or("");
    path == "/"
        || ["/departments", "/doctors", "/help"]
            .iter()
            .any(|p| path == *p || path.strip_prefix(p).is_some_and(|rest| rest.starts_with('/')))
}

/// The page that finds words for a trouble.
fn sign_in_page(prefix: &str, to: &str, trouble: &Trouble) -> Response {
    if let Trouble::Busy(Some(error)) = trouble {
        tracing::error!(%error, "a sign-in through WeChat failed in the database");
    }
    if for_guests(to.strip_prefix(prefix).unwrap_or(to)) {
        return redirect(to, None);
    }
    let to = utf8_percent_encode(to, VALUE);
    redirect(&format!("{prefix}/sign-in?problem={}&to={to}", trouble.code()), None)
}

pub(crate) fn redirect(to: &str, cookie: Option<String>) -> Response {
    let location = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    let fixed = [(LOCATION, location), (CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    let cookie = AppendHeaders(cookie.map(|c| (SET_COOKIE, c)));
    (StatusCode::FOUND, fixed, cookie).into_response()
}

pub(crate) fn mark_name(seen: &SeenAs) -> &'static str {
    if seen.cookies().secure { "__Host-xl-in" } else { "xl-in" }
}

pub(crate) fn is_mark(value: &str) -> bool {
    value.len() == 32 && value.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// The cookie that binds a sign-in to this browser for as long as it may take.
pub(crate) fn mark(seen: &SeenAs, browser: String) -> String {
    let cookie = Cookie::build((mark_name(seen), browser))
        .path("/")
        .http_only(true)
        .secure(seen.cookies().secure)
        .same_site(SameSite::Lax);
    format!("{cookie}; Max-Age={}", VALID.as_secs())
}
