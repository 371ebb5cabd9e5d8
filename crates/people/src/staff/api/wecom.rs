//! Signing in through WeCom: two addresses that a browser is sent to, outside the API's own.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use axum_extra::extract::CookieJar;
use edge::layers::{NamedHospital, SeenAs};
use edge::{Actor, ApiQuery, Caller, Staff};
use percent_encoding::utf8_percent_encode;
use serde::Deserialize;
use utoipa::IntoParams;

use super::session::end_old;
use crate::api::auth::{VALUE, is_mark, mark, mark_name, prefix, redirect};
use crate::rules::local_path;
use crate::signin::wechat::{Return, Trouble, browser};
use crate::staff::StaffDeps;
use crate::staff::wecom::{self, Outcome, Purpose, WecomTrouble};

/// Where to go afterwards, and what for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct WecomOutward {
    /// A path of ours.
    #[serde(default)]
    to: Option<String>,
    /// `1` to tie the account of who has signed in.
    #[serde(default)]
    bind: Option<String>,
}

/// What WeCom sends the browser back with.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct WecomHomeward {
    /// WeCom's code; missing when the person did not agree.
    #[serde(default)]
    code: Option<String>,
    /// Our state.
    #[serde(default)]
    state: Option<String>,
    /// A path of ours.
    #[serde(default)]
    to: Option<String>,
    /// `1` to tie the account of who has signed in.
    #[serde(default)]
    bind: Option<String>,
}

/// Sends the browser to WeCom's sign-in page.
#[utoipa::path(get, path = "/auth/wecom", tag = "staff", params(WecomOutward), responses((status = 302)))]
pub(super) async fn to_wecom(
    State(deps): State<StaffDeps>,
    caller: Caller,
    Extension(seen): Extension<SeenAs>,
    named: Option<Extension<NamedHospital>>,
    jar: CookieJar,
    ApiQuery(query): ApiQuery<WecomOutward>,
) -> Response {
    let prefix = prefix(named.as_deref());
    let to = target(&prefix, query.to.as_deref());
    let binds = query.bind.as_deref() == Some("1");
    let known = jar.get(mark_name(&seen)).map(|c| c.value().to_owned()).filter(|v| is_mark(v));
    let bind = if binds { "&bind=1" } else { "" };
    let back =
        format!("{}{prefix}/auth/wecom/callback?to={}{bind}", seen.origin(), utf8_percent_encode(&to, VALUE));
    let begun = known.map_or_else(browser, Ok).map_err(WecomTrouble::from).and_then(|browser| {
        let purpose = purpose(&caller, binds)?;
        Ok((wecom::page(&deps, &caller, &purpose, &browser, &to, &back)?, browser))
    });
    match begun {
        Ok((page, browser)) => redirect(&page, Some(mark(&seen, browser))),
        Err(trouble) => problem(&prefix, &to, binds, &trouble),
    }
}

/// Does what somebody came for, with what WeCom sent the browser back with.
#[utoipa::path(get, path = "/auth/wecom/callback", tag = "staff", params(WecomHomeward), responses((status = 302)))]
pub(super) async fn from_wecom(
    State(deps): State<StaffDeps>,
    caller: Caller,
    Extension(seen): Extension<SeenAs>,
    named: Option<Extension<NamedHospital>>,
    jar: CookieJar,
    ApiQuery(query): ApiQuery<WecomHomeward>,
) -> Response {
    let prefix = prefix(named.as_deref());
    let to = target(&prefix, query.to.as_deref());
    let binds = query.bind.as_deref() == Some("1");
    let brought = Return {
        code: query.code.as_deref().unwrap_or(""),
        state: query.state.as_deref().unwrap_or(""),
        to: &to,
        browser: jar.get(mark_name(&seen)).map_or("", |c| c.value()),
    };
    let came_for = match purpose(&caller, binds) {
        Ok(purpose) => purpose,
        Err(trouble) => return problem(&prefix, &to, binds, &trouble),
    };
    match wecom::back(&deps, &caller, &came_for, brought).await {
        Ok(Outcome::SignedIn(token)) => {
            // A return that is asked for again may come with the cookie of the session that it gave: that one stays.
            let is_new = jar.get(seen.cookies().name()).is_none_or(|old| old.value() != token);
            if is_new && let Err(error) = end_old(&deps, &seen, &jar).await {
                tracing::warn!(code = error.0.code, "the session before this sign-in was not ended");
            }
            redirect(&to, Some(seen.cookies().cookie(token).to_string()))
        }
        // Behind the `#`, which browsers keep to themselves.
        Ok(Outcome::SecondFactor(ticket)) => {
            let to = utf8_percent_encode(&to, VALUE);
            redirect(&format!("{prefix}/console/sign-in?to={to}#ticket={ticket}"), None)
        }
        Ok(Outcome::Bound) => redirect(&to, None),
        Err(trouble) => problem(&prefix, &to, binds, &trouble),
    }
}

fn purpose(caller: &Caller, binds: bool) -> Result<Purpose, WecomTrouble> {
    match (&caller.actor, binds) {
        (_, false) => Ok(Purpose::SignIn),
        (Actor::Staff(id, roles), true) => {
            Ok(Purpose::Bind(Box::new(Staff { id: *id, roles: roles.clone(), caller: caller.clone() })))
        }
        (_, true) => Err(Trouble::Stale.into()),
    }
}

/// A path of the console, or its beginning.
fn target(prefix: &str, to: Option<&str>) -> String {
    let to = local_path(to);
    let inside = to.strip_prefix(prefix).unwrap_or(to);
    if inside.starts_with("/console/") { to.to_owned() } else { format!("{prefix}/console/") }
}

/// The page that finds words for a trouble.
fn problem(prefix: &str, to: &str, binds: bool, trouble: &WecomTrouble) -> Response {
    if let WecomTrouble::Same(Trouble::Busy(Some(error))) = trouble {
        tracing::error!(%error, "a sign-in through WeCom failed in the database");
    }
    let code = trouble.code();
    if binds {
        return redirect(&format!("{prefix}/console/me?problem={code}"), None);
    }
    redirect(&format!("{prefix}/console/sign-in?problem={code}&to={}", utf8_percent_encode(to, VALUE)), None)
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn only_the_console_is_come_back_to() {
        assert_eq!(target("", Some("/console/staff?role=nurse")), "/console/staff?role=nurse");
        assert_eq!(target("/h/child", Some("/h/child/console/me")), "/h/child/console/me");
        for other in
            [None, Some("/"), Some("/console"), Some("//evil.cn/console/"), Some("/me"), Some("/consoles/")]
        {
            assert_eq!(target("", other), "/console/", "{other:?}");
        }
    }
}
