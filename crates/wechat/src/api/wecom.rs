//! WeCom (企业微信): an application of the hospital's own, by which its staff sign in.
//!
//! A [`Client`] whose [`Config`](super::Config) names an `agent` speaks for such an application: its token comes from `gettoken`, and one
//! corporation's applications each have their own. Everything else (one token for all nodes, renewing it when it is refused)
//! is as for an official account.

use percent_encoding::utf8_percent_encode;
use serde::Deserialize;

use super::http::Request;
use super::oauth::COMPONENT;
use super::{Client, Error};
use crate::Secret;

/// Who came back from WeCom's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visitor {
    /// A member of the corporation. WeCom does not mind capitals in the id; this is the lower-case form.
    Member {
        /// 账号, unique in the corporation.
        userid: String,
    },
    /// Somebody else with WeChat or another corporation's WeCom.
    Outsider,
}

#[derive(Deserialize)]
struct Who {
    #[serde(default, alias = "UserId")]
    userid: String,
}

impl Client {
    /// Where to send WeCom's own browser. WeCom answers by sending it to `redirect` with `code` and `state`, without a question; the
    /// host of `redirect` must be the application's trusted domain (可信域名). `state` is the guard against forged returns.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `state` is not 1 to 128 letters and digits, or this is no client of an application.
    pub fn member_page(&self, redirect: &str, state: &str) -> Result<String, Error> {
        let (corp, agent, state) = self.application(state)?;
        Ok(format!(
            "{}/connect/oauth2/authorize?appid={corp}&redirect_uri={}&response_type=code&scope=snsapi_base&state={state}&agentid={agent}#wechat_redirect",
            self.0.config.bases.open.trim_end_matches('/'),
            utf8_percent_encode(redirect, COMPONENT),
        ))
    }

    /// Where to send any other browser: a page with a code that the member scans with WeCom on a phone. It comes back in the
    /// same way.
    ///
    /// # Errors
    /// As [`Self::member_page`].
    pub fn member_page_on_desk(&self, redirect: &str, state: &str) -> Result<String, Error> {
        let (corp, agent, state) = self.application(state)?;
        Ok(format!(
            "{}/wwlogin/sso/login?login_type=CorpApp&appid={corp}&agentid={agent}&redirect_uri={}&state={state}",
            self.0.config.bases.login.trim_end_matches('/'),
            utf8_percent_encode(redirect, COMPONENT),
        ))
    }

    fn application<'a>(&self, state: &'a str) -> Result<(String, String, &'a str), Error> {
        if !(1..=128).contains(&state.len()) || !state.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Error::invalid("state", "must be 1 to 128 letters and digits"));
        }
        let agent = self.0.config.agent.as_deref().ok_or(Error::invalid("agent", "is not set"))?;
        let plain = |text: &str| utf8_percent_encode(text, COMPONENT).to_string();
        Ok((plain(self.appid()), plain(agent), state))
    }

    /// Exchanges the code for the person. It works once and for five minutes.
    ///
    /// # Errors
    /// Those of class [`super::codes::Class::RestartSignIn`] mean: begin again, never with the same code. 60020: our address is
    /// not among those that the application trusts (企业可信 IP).
    pub async fn visitor_of_code(&self, code: &Secret) -> Result<Visitor, Error> {
        let request = Request::get("/cgi-bin/auth/getuserinfo").with("code", code.reveal()).repeatable(false);
        let who: Who = self.typed(request).await?;
        let userid = who.userid.to_lowercase();
        Ok(if userid.is_empty() { Visitor::Outsider } else { Visitor::Member { userid } })
    }
}
