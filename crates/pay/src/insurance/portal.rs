//! The authorisation of the electronic credential (电子凭证授权): where a patient is sent for it, and what the code they come back with is worth.
//!
//! Tencent's medical portal stands between: it takes the code once and gives who that is and a `pay_auth_no`, good once and for minutes.
//! From public code; the portal's answer proves itself by nothing but the line it came over, and moves no money.

use std::time::Duration;

use aws_lc_rs::hmac;
use base::UnixMs;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::json;

use crate::{Secret, crypto, wire};

/// What the portal knows us by.
#[derive(Debug, Clone)]
pub struct Portal {
    /// Its address, without a path.
    pub base: String,
    /// Our number there.
    pub partner_id: String,
    /// What only both sides know.
    pub secret: Secret,
    /// Where patients authorise: an address with all that the region wants, to which only the way back is added.
    pub page: String,
}

/// Who has authorised what.
#[derive(Debug, Clone, Deserialize)]
pub struct Authorised {
    /// The insured's name.
    pub user_name: Secret,
    /// Their identity number.
    pub user_card_no: Secret,
    /// For the payment of this person's own bill.
    pub pay_auth_no: Secret,
}

/// Why nobody has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAuthorised {
    /// The portal says so: the code is used or too old.
    #[error("refused: {0}")]
    Refused(String),
    /// Nobody knows. The code may be used by now.
    #[error("{0}")]
    Unknown(String),
}

#[derive(Deserialize)]
struct Said {
    code: serde_json::Value,
    #[serde(default)]
    message: String,
}

impl Portal {
    /// Where a patient is sent, and comes back from to `back` with `authCode` in the query.
    ///
    /// # Errors
    /// When the address in the settings is none.
    pub fn page(&self, back: &str) -> Result<String, crate::Invalid> {
        let mut url = Url::parse(&self.page).map_err(|_| crate::Invalid::new("page", "not an address"))?;
        url.query_pairs_mut().append_pair("redirectUrl", back);
        Ok(url.to_string())
    }

    /// Lower-case hex of HMAC-SHA-256 over number and time.
    #[must_use]
    pub fn sign(&self, timestamp: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.reveal().as_bytes());
        let text = format!("{}{timestamp}", self.partner_id);
        hex::encode(hmac::sign(&key, text.as_bytes()).as_ref())
    }

    /// Asks once who has authorised by a code.
    ///
    /// # Errors
    /// [`NotAuthorised`].
    pub async fn ask(
        &self,
        http: &reqwest::Client,
        now: UnixMs,
        code: &str,
        openid: &str,
        timeout: Duration,
    ) -> Result<Authorised, NotAuthorised> {
        let unknown = |why: &str| NotAuthorised::Unknown(why.to_owned());
        let url =
            format!("{}/api/mipuserquery/userQuery/{}", self.base.trim_end_matches('/'), self.partner_id);
        let url = Url::parse(&url).map_err(|_| unknown("the portal's address is none"))?;
        let timestamp = now.0.to_string();
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in [
            ("god-portal-timestamp", timestamp.clone()),
            ("god-portal-request-id", crypto::nonce(32)),
            ("god-portal-signature", self.sign(&timestamp)),
        ] {
            let value = HeaderValue::from_str(&value).map_err(|_| unknown("a header that can't be"))?;
            headers.insert(HeaderName::from_static(name), value);
        }
        let body = json!({"qrcode": code, "openid": openid}).to_string().into_bytes();
        let answer = wire::send(http, Method::POST, url, headers, body, timeout).await;
        let answer = answer.map_err(|doubt| NotAuthorised::Unknown(doubt.why.to_string()))?;
        if answer.status != 200 {
            return Err(NotAuthorised::Unknown(format!("status {}", answer.status)));
        }
        let said: Said = serde_json::from_slice(&answer.body).map_err(|_| unknown("unreadable answer"))?;
        // The number comes as a number or as text.
        if said.code != json!(0) && said.code != json!("0") {
            let words: String = said.message.chars().take(100).collect();
            return Err(NotAuthorised::Refused(format!("{} {words}", said.code)));
        }
        serde_json::from_slice(&answer.body).map_err(|_| unknown("an answer without a person"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_by_number_and_time() {
        let portal = Portal {
            base: "https://portal.example".into(),
            partner_id: "key".into(),
            secret: Secret::new("key"),
            page: "https://card.example/oauth/code?authType=2&cityCode=530100".into(),
        };
        // Reckoned by `printf key1 | openssl dgst -sha256 -hmac key`.
        assert_eq!(portal.sign("1"), "b53dae48a97cbe0d61addb5a7f8aa4bc186a2cca9e5d28e41bcc85af8e98bc4d");
        assert_ne!(portal.sign("1"), portal.sign("2"));
        let page = portal.page("https://wx.example/pay?x=1").unwrap();
        assert_eq!(
            page,
            "https://card.example/oauth/code?authType=2&cityCode=530100&redirectUrl=https%3A%2F%2Fwx.example%2Fpay%3Fx%3D1"
        );
    }
}
