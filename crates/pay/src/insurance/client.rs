//! Seals, signs, sends, reads.

use std::sync::Arc;
use std::time::Duration;

use base::Clock;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use serde_json::Value;

use super::envelope::{self, Province};
use super::messages::Message;
use crate::crypto::sm::{Sm2PublicKey, Sm2Signer};
use crate::outcome::{Doubt, Outcome, Refusal, Retry, Why};
use crate::{Verified, wire};

/// Where the bureau is, and how patient we are.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its address, without a path.
    pub base: String,
    /// For one call.
    pub timeout: Duration,
}

/// One hospital's line to its bureau.
pub struct Client {
    http: reqwest::Client,
    config: Config,
    clock: Clock,
    province: Province,
    signer: Arc<dyn Sm2Signer>,
    bureau: Sm2PublicKey,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("insurance::Client").field("base", &self.config.base).finish_non_exhaustive()
    }
}

impl Client {
    /// A client that sends through `http` and signs by `signer`, which may be a hardware module.
    #[must_use]
    pub fn new(
        http: reqwest::Client,
        config: Config,
        clock: Clock,
        province: Province,
        signer: Arc<dyn Sm2Signer>,
        bureau: Sm2PublicKey,
    ) -> Self {
        Self { http, config, clock, province, signer, bureau }
    }

    /// Sends a message once. Its own number (bill, refund) makes a second try harmless; ask 6301 first all the same.
    pub async fn send<M: Message>(&self, message: &M) -> Outcome<M::Answer> {
        if let Err(invalid) = message.check() {
            return Outcome::Refused(invalid.refusal());
        }
        match self.exchange(message).await {
            Ok(opened) => judge(opened),
            Err(doubt) => Outcome::Unknown(doubt),
        }
    }

    async fn exchange<M: Message>(
        &self,
        message: &M,
    ) -> Result<Verified<serde_json::Map<String, Value>>, Doubt> {
        let doubt = |why, retry| Doubt { why, retry, request_id: None };
        let not_sent = |why: String| doubt(Why::NotSent(why), Retry::SameNumber);
        let data = serde_json::to_value(message).map_err(|error| not_sent(error.to_string()))?;
        let sealed = envelope::seal(&self.province, self.signer.as_ref(), &data, &[], self.clock.now().0)
            .map_err(|error| not_sent(error.to_string()))?;
        let path = self.province.paths.get(M::NUMBER).map_or(M::PATH, String::as_str);
        let url = Url::parse(&format!("{}{path}", self.config.base.trim_end_matches('/')))
            .map_err(|_| not_sent("no usable address".into()))?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        let body = sealed.to_string().into_bytes();
        let retry = if M::READS { Retry::SameNumber } else { Retry::QueryThenSame };
        let answer = wire::send(&self.http, Method::POST, url, headers, body, self.config.timeout).await?;
        if answer.status != 200 {
            return Err(doubt(Why::Trouble { status: answer.status, code: String::new() }, retry));
        }
        envelope::open(&self.province, &self.bureau, &answer.body)
            .map_err(|error| doubt(Why::NotProved(error.to_string()), retry))
    }
}

/// `code` 0 is done; −1 and 5xx-like numbers are trouble; anything else is an explicit no.
fn judge<T: serde::de::DeserializeOwned>(opened: Verified<serde_json::Map<String, Value>>) -> Outcome<T> {
    let text = |name: &str| match opened.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let (code, message) = (text("code"), text("message"));
    match code.as_str() {
        "0" => {
            let data = opened.map(|mut members| members.remove("data").unwrap_or_default());
            Outcome::Done(data).and_read(|data| {
                serde_json::from_value(data).map_err(|_| "not what this message is answered with")
            })
        }
        "" | "-1" | "500" | "9999" => {
            Outcome::unknown(Why::Trouble { status: 200, code }, Retry::QueryThenSame, None)
        }
        _ => Outcome::Refused(Refusal { code, message, status: 200, retry: Retry::Never, request_id: None }),
    }
}
