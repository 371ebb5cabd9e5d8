//! Signing in inside WeChat's browser: a page that WeChat answers with a code, and the code's exchange for an openid.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::http::Request;
use super::{Client, Error};
use crate::Secret;

/// What JavaScript's `encodeURIComponent` leaves alone, of which WeChat's page is sure to undo the rest.
pub(super) const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// How much the page asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// `snsapi_base`: the openid only, without a question.
    Base,
    /// `snsapi_userinfo`: nickname and picture too, with a question.
    UserInfo,
}

/// Who signed in. WeChat's tokens for this person are thrown away: nothing of ours needs them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthUser {
    /// The person, for this account.
    pub openid: String,
    /// The person across accounts of one owner; only with [`Scope::UserInfo`].
    pub unionid: Option<String>,
    /// True on a "snapshot page", which WeChat shows to people who have not agreed to visit: the openid is invented. Never bind,
    /// book or pay with it; ask the person to tap 使用完整服务.
    pub is_snapshot: bool,
}

#[derive(Deserialize)]
struct Exchange {
    openid: String,
    unionid: Option<String>,
    #[serde(default)]
    is_snapshotuser: i64,
}

impl Client {
    /// Where to send the browser. WeChat answers by sending it to `redirect` with `code` and `state`; the host of `redirect` must be
    /// the one registered with the account. `state` is the guard against forged returns: random, single-use, bound to the browser.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `state` is not 1 to 128 letters and digits.
    pub fn authorize_url(&self, redirect: &str, scope: Scope, state: &str) -> Result<String, Error> {
        if !(1..=128).contains(&state.len()) || !state.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Error::invalid("state", "must be 1 to 128 letters and digits"));
        }
        let scope = match scope {
            Scope::Base => "snsapi_base",
            Scope::UserInfo => "snsapi_userinfo",
        };
        // The real page minds the order, and does nothing without the fragment.
        Ok(format!(
            "{}/connect/oauth2/authorize?appid={}&redirect_uri={}&response_type=code&scope={scope}&state={state}#wechat_redirect",
            self.0.config.bases.open.trim_end_matches('/'),
            utf8_percent_encode(self.appid(), COMPONENT),
            utf8_percent_encode(redirect, COMPONENT),
        ))
    }

    /// Exchanges the code for the person. It works once and for five minutes. Browsers and proxies ask for the return page twice
    /// now and then, so remember what a code gave for its life; the second exchange fails (40163).
    ///
    /// # Errors
    /// Those of class [`super::codes::Class::RestartSignIn`] (40029, 40163, 42003) mean: begin again, never with the same code.
    pub async fn exchange_code(&self, code: &Secret) -> Result<OAuthUser, Error> {
        let config = &self.0.config;
        let request = Request::get("/sns/oauth2/access_token")
            .with("appid", &config.appid)
            .with("secret", config.secret.reveal())
            .with("code", code.reveal())
            .with("grant_type", "authorization_code")
            .repeatable(false);
        let value = self.without_token(request, &[config.secret.reveal(), code.reveal()]).await?;
        let exchange: Exchange =
            serde_json::from_value(value).map_err(|_| Error::Answer { reason: "no openid" })?;
        if exchange.openid.is_empty() {
            return Err(Error::Answer { reason: "no openid" });
        }
        Ok(OAuthUser {
            openid: exchange.openid,
            unionid: exchange.unionid.filter(|id| !id.is_empty()),
            is_snapshot: exchange.is_snapshotuser != 0,
        })
    }
}
