//! Calls to WeChat on behalf of one account.
//!
//! [`Client`] holds an account's addresses, appid and secret, and gets its tokens from a [`TokenStore`] that all nodes
//! share. A call that fails because of its token is repeated by itself, at most twice ([`token`] says when); nothing else is,
//! because a message may have been sent although we saw an error. [`Error::outcome`] tells the two apart, and
//! [`ApiError::class`] says what sort of remedy an error needs.
//!
//! Any interface that has no function here can be reached with [`Client::call`] and [`Client::get`].

pub mod codes;
pub mod custom;
mod error;
mod fetch;
pub mod field;
mod http;
pub mod jssdk;
mod keeper;
pub mod media;
pub mod menu;
pub mod oauth;
pub mod qrcode;
pub mod reach;
pub mod tags;
pub mod template;
pub mod token;
pub mod user;
pub mod wecom;

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

pub use error::{ApiError, BoxError, Error, Outcome};
pub use token::{Lease, MemoryTokenStore, TokenKey, TokenKind, TokenRecord, TokenStore};

use crate::Secret;
use error::Masks;
use http::{Answer, Request, Transport};
use keeper::{Held, Keeper};

/// What every answer goes through, for the fuzz target.
pub(crate) fn read_answer(bytes: &[u8]) -> Result<Value, Error> {
    http::parse(bytes, &Masks(&["secret"]))
}

/// Tells the time, so that tests and the demo can move it.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970, UTC.
    fn now_ms(&self) -> i64;
}

impl<F: Fn() -> i64 + Send + Sync> Clock for F {
    fn now_ms(&self) -> i64 {
        self()
    }
}

/// Where WeChat is. The real hosts by default; a simulator's address in tests and the demo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bases {
    /// The interfaces.
    pub api: String,
    /// Another region's interfaces, tried when `api` cannot be reached; and, for calls that change nothing, when it does not
    /// answer.
    pub api_backup: Option<String>,
    /// The pages on which people agree to sign in.
    pub open: String,
    /// Pictures of parametric codes.
    pub mp: String,
    /// WeCom's page with a code to scan, for browsers on a desk.
    pub login: String,
}

impl Default for Bases {
    fn default() -> Self {
        Self {
            api: "https://api.weixin.qq.com".into(),
            api_backup: Some("https://api2.weixin.qq.com".into()),
            open: "https://open.weixin.qq.com".into(),
            mp: "https://mp.weixin.qq.com".into(),
            login: "https://login.work.weixin.qq.com".into(),
        }
    }
}

impl Bases {
    /// Everything at one address, as a simulator has it.
    pub fn all_at(base: &str) -> Self {
        Self { api: base.into(), api_backup: None, open: base.into(), mp: base.into(), login: base.into() }
    }

    /// The hosts of WeCom.
    pub fn wecom() -> Self {
        Self { api: "https://qyapi.weixin.qq.com".into(), api_backup: None, ..Self::default() }
    }
}

/// One account, as its administrator finds it on WeChat's page.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where WeChat is.
    pub bases: Bases,
    /// The account's id, `wx…`; WeCom's id of the corporation.
    pub appid: String,
    /// WeCom only: the number of the application (AgentId) whose secret it is.
    pub agent: Option<String>,
    /// Its secret.
    pub secret: Secret,
    /// How long one call may take.
    pub timeout: Duration,
}

impl Config {
    /// The real hosts and ten seconds for a call.
    pub fn new(appid: impl Into<String>, secret: Secret) -> Self {
        let (bases, timeout) = (Bases::default(), Duration::from_secs(10));
        Self { bases, appid: appid.into(), agent: None, secret, timeout }
    }
}

/// Calls WeChat for one account. Cheap to clone; clones share the token.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    transport: Transport,
    config: Config,
    clock: Arc<dyn Clock>,
    access: Keeper,
    ticket: Keeper,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("config", &self.0.config).finish_non_exhaustive()
    }
}

/// The settings an HTTP client for WeChat should have; change what is needed and build it once per process. No redirects: a
/// redirect would carry the token, which stands in the address, to another host.
pub fn http_client() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(Duration::from_secs(3))
        .pool_idle_timeout(Duration::from_secs(30))
}

impl Client {
    /// `http` should come from [`http_client`].
    pub fn new(
        http: reqwest::Client,
        config: Config,
        tokens: Arc<dyn TokenStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let keeper = |kind| {
            let key = TokenKey {
                base: config.bases.api.trim_end_matches('/').to_owned(),
                // One corporation's applications have a token each.
                appid: match &config.agent {
                    Some(agent) => format!("{}/{agent}", config.appid),
                    None => config.appid.clone(),
                },
                kind,
            };
            Keeper::new(key, tokens.clone(), clock.clone(), config.timeout)
        };
        let access = keeper(TokenKind::Access);
        let ticket = keeper(TokenKind::JsapiTicket);
        let transport = Transport::new(http, &config);
        Self(Arc::new(Inner { transport, config, clock, access, ticket }))
    }

    /// The account's id.
    pub fn appid(&self) -> &str {
        &self.0.config.appid
    }

    /// POSTs JSON to any interface, with the token, and gives its answer after `errcode` was found to be 0 or absent.
    /// `path` is like `/cgi-bin/openapi/quota/get` and may have a query of its own.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn call(&self, path: &str, body: &Value) -> Result<Value, Error> {
        self.json(Request::post(path, body.clone())).await
    }

    /// GETs any interface, with the token and these parameters.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Error> {
        let mut request = Request::get(path);
        for (name, value) in query {
            request = request.with(name, value);
        }
        self.json(request).await
    }

    /// The account's token, fresh, for a caller that builds its own requests. Do not keep it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn access_token(&self) -> Result<Secret, Error> {
        Ok(self.held().await?.token)
    }

    fn now_ms(&self) -> i64 {
        self.0.clock.now_ms()
    }

    async fn held(&self) -> Result<Held, Error> {
        self.0.access.get(|force| self.fetch_access(force)).await
    }

    /// A call with the token, read as `T`.
    async fn typed<T: DeserializeOwned>(&self, request: Request) -> Result<T, Error> {
        let value = self.json(request).await?;
        serde_json::from_value(value)
            .map_err(|_| Error::Answer { reason: "fields missing or of another type" })
    }

    /// A call with the token whose answer says nothing but that it worked.
    async fn done(&self, request: Request) -> Result<(), Error> {
        self.json(request).await.map(drop)
    }

    async fn json(&self, request: Request) -> Result<Value, Error> {
        self.with_token(request, |answer, masks| answer.json(masks)).await
    }

    /// Sends with the token. When WeChat says that the token is no good: once more with a newer one, and when that fails too,
    /// once more with one got by force, if the last was more than a minute ago. Never a loop.
    async fn with_token<T>(
        &self,
        request: Request,
        read: impl Fn(Answer, &Masks<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut held = self.held().await?;
        let mut force = false;
        loop {
            let answer = self.0.transport.send(&request, Some(&held.token)).await?;
            let secrets = [self.0.config.secret.reveal(), held.token.reveal()];
            let error = match read(answer, &Masks(&secrets)) {
                Err(Error::Api(error)) if error.class == codes::Class::RefreshToken => error,
                other => return other,
            };
            tracing::warn!(
                appid = self.appid(),
                errcode = error.errcode,
                rid = error.rid,
                "WeChat refused the access token"
            );
            if held.forced {
                return Err(Error::Api(error));
            }
            match self.0.access.renew(&held, force, |force| self.fetch_access(force)).await {
                Ok(Some(next)) => held = next,
                Ok(None) => return Err(Error::Api(error)),
                Err(failed) => return Err(failed),
            }
            if force {
                held.forced = true;
            }
            force = true;
        }
    }

    /// Sends without the account's token: signing in, and getting the token itself.
    async fn without_token(&self, request: Request, secrets: &[&str]) -> Result<Value, Error> {
        self.0.transport.send(&request, None).await?.json(&Masks(secrets))
    }
}
