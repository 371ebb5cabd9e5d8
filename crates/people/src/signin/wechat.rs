//! Signing in through WeChat: to its page, and back with a code that is exchanged for who it is.
//!
//! A code works once, but browsers and proxies ask for the return page twice now and then. So the first to come takes the state
//! and the code for itself, and its session is remembered, sealed, for those who come with the same two.

use std::time::Duration;

use ::store::vault::Purpose;
use ::store::{NewJob, StoreError};
use edge::session::random_token;
use edge::{AccountId, Caller};
use wechat::Secret;
use wechat::api::oauth::Scope;

use super::SignedIn;
use super::state::{self, Bound};
use crate::PeopleDeps;
use crate::channel::Channel;
use crate::settings::SignInRules;
use crate::store::{RETURN, STATE, account, wechat_return};
use crate::wechat_user;

/// Why somebody could not sign in through WeChat. The sign-in page is told the code and finds words for it.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The hospital has no service account, or does not let people sign in by it.
    #[error("WeChat is not connected")]
    Off,
    /// The person did not agree.
    #[error("WeChat sent no code")]
    Denied,
    /// The way back is too old, was used, or is not this browser's.
    #[error("not a return that we wait for")]
    Stale,
    /// WeChat shows the page to somebody who has not agreed to visit; the identity that it gives is invented.
    #[error("a snapshot page")]
    Snapshot,
    /// WeChat did not answer as it should, or refused the code.
    #[error("WeChat could not tell who it is")]
    Wechat,
    /// The database, or an earlier request for the same return that has not finished.
    #[error("not now")]
    Busy(#[source] Option<StoreError>),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Busy(Some(error))
    }
}

impl Trouble {
    /// The code behind `/sign-in?problem=`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Off => "wechat_off",
            Self::Denied => "denied",
            Self::Stale => "expired",
            Self::Snapshot => "snapshot",
            Self::Wechat => "wechat",
            Self::Busy(_) => "busy",
        }
    }

    fn from_code(code: &str) -> Self {
        match code {
            "snapshot" => Self::Snapshot,
            "wechat" => Self::Wechat,
            _ => Self::Busy(None),
        }
    }
}

/// A random text that binds what follows to one browser: 32 hex digits.
///
/// # Errors
/// When the machine gives no random bytes.
pub fn browser() -> Result<String, StoreError> {
    Ok(random_token()?.chars().take(32).collect())
}

/// Where to send the browser. `back` is the address of our callback, with the path behind it that `to` names.
///
/// # Errors
/// [`Trouble::Off`], [`Trouble::Busy`].
pub fn page(
    deps: &PeopleDeps,
    caller: &Caller,
    browser: &str,
    to: &str,
    back: &str,
) -> Result<String, Trouble> {
    let channel = service(deps, caller)?;
    let nonce = self::browser()?;
    let bound = Bound { hospital: caller.hospital.id, browser, to };
    let state = state::make(&deps.vault, bound, &nonce, deps.db.now());
    channel.client.authorize_url(back, Scope::Base, &state).map_err(|error| {
        tracing::error!(%error, channel = channel.name, "the address of WeChat's sign-in page can't be built");
        Trouble::Wechat
    })
}

/// Whether the hospital lets people sign in through WeChat; its service account.
///
/// # Errors
/// [`Trouble::Off`].
pub fn service(deps: &PeopleDeps, caller: &Caller) -> Result<std::sync::Arc<Channel>, Trouble> {
    let rules: SignInRules = caller.hospital.settings(SignInRules::SECTION);
    let channel = deps.channels.service(caller.hospital.id).filter(|_| rules.wechat);
    channel.ok_or(Trouble::Off)
}

/// What a browser brings back from WeChat or WeCom.
#[derive(Clone, Copy)]
pub struct Return<'a> {
    /// The platform's code; empty when the person did not agree.
    pub code: &'a str,
    /// Our state.
    pub state: &'a str,
    /// The path to go to.
    pub to: &'a str,
    /// The browser's cookie.
    pub browser: &'a str,
}

/// Signs in with what came back. `fresh` tells a first return from one that was asked for again.
///
/// # Errors
/// [`Trouble`].
pub async fn back(
    deps: &PeopleDeps,
    caller: &Caller,
    brought: Return<'_>,
) -> Result<(SignedIn, bool), Trouble> {
    let h = caller.hospital.id;
    let channel = service(deps, caller)?;
    let bound = Bound { hospital: h, browser: brought.browser, to: brought.to };
    let nonce = state::check(&deps.vault, bound, brought.state, deps.db.now()).map_err(|_| Trouble::Stale)?;
    if brought.code.is_empty() || brought.code.len() > 512 {
        return Err(Trouble::Denied);
    }
    let code_hash = deps.vault.blind(h, STATE, brought.code);
    let mut tx = deps.db.begin().await?;
    let first = wechat_return::claim(&mut tx, h, nonce, &code_hash).await?;
    tx.commit().await?;
    if !first {
        return again(deps, caller, nonce, &code_hash).await.map(|signed| (signed, false));
    }
    let outcome = exchange(deps, caller, &channel, brought.code).await;
    let mut tx = deps.db.begin().await?;
    let (token, problem) = match &outcome {
        Ok(signed) => (Some(deps.vault.seal(h, RETURN, &signed.token)?), None),
        Err(trouble) => (None, Some(trouble.code())),
    };
    wechat_return::done(&mut tx, h, nonce, token, problem).await?;
    tx.commit().await?;
    outcome.map(|signed| (signed, true))
}

/// The same return once more: the session that the first one gave, or gives in a moment.
async fn again(
    deps: &PeopleDeps,
    caller: &Caller,
    nonce: &str,
    code_hash: &str,
) -> Result<SignedIn, Trouble> {
    let token =
        earlier(deps, caller, nonce, code_hash).await?.map_err(|problem| Trouble::from_code(&problem))?;
    let session = deps.sessions.find(&token).await?.ok_or(Trouble::Stale)?;
    let edge::Actor::Account(account) = session.actor else { return Err(Trouble::Stale) };
    Ok(SignedIn { token, account })
}

/// What an earlier request for the same return came to, or comes to in a moment: what it left, or the code of its problem.
pub(crate) async fn earlier(
    deps: &PeopleDeps,
    caller: &Caller,
    nonce: &str,
    code_hash: &str,
) -> Result<Result<String, String>, Trouble> {
    const LOOKS: usize = 80;
    let h = caller.hospital.id;
    for _ in 0..LOOKS {
        // No row of this state: the code came with another one.
        let Some(found) = wechat_return::get(&deps.db, h, nonce).await? else { return Err(Trouble::Stale) };
        if found.code_hash != code_hash {
            return Err(Trouble::Stale);
        }
        if let Some(problem) = found.problem {
            return Ok(Err(problem));
        }
        if let Some(sealed) = found.token {
            return Ok(Ok(deps.vault.open_sealed(h, RETURN, &sealed, Purpose::Match)?));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(Trouble::Busy(None))
}

async fn exchange(
    deps: &PeopleDeps,
    caller: &Caller,
    channel: &Channel,
    code: &str,
) -> Result<SignedIn, Trouble> {
    let user = channel.client.exchange_code(&Secret::new(code)).await.map_err(|error| {
        tracing::warn!(%error, channel = channel.name, "a code of WeChat's sign-in page was not exchanged");
        metrics::counter!("people_sign_in_troubles", "code" => "wechat").increment(1);
        Trouble::Wechat
    })?;
    if user.is_snapshot {
        metrics::counter!("people_sign_in_troubles", "code" => "snapshot").increment(1);
        return Err(Trouble::Snapshot);
    }
    let account = account_of(deps, caller, channel, &user.openid).await?;
    let token = super::open(deps, caller, account, "wechat").await?;
    metrics::counter!("people_sign_ins", "channel" => "wechat").increment(1);
    Ok(SignedIn { token, account })
}

async fn account_of(
    deps: &PeopleDeps,
    caller: &Caller,
    channel: &Channel,
    openid: &str,
) -> Result<AccountId, StoreError> {
    let h = caller.hospital.id;
    let mut tx = deps.db.begin().await?;
    let before = account::by_openid(&mut tx, h, channel.id, openid).await?;
    let found = wechat_user::account_of_openid(&mut tx, h, channel.id, openid, true).await?;
    let id = found.ok_or(StoreError::NoRow)?;
    account::guess_lang(&mut tx, h, id, caller.lang).await?;
    if before.is_none() {
        // They may have followed us long before this program came: ask WeChat, apart from the sign-in.
        let now = tx.now();
        let payload = serde_json::json!({"channel": channel.id, "account": id});
        let job = NewJob {
            hospital: h,
            kind: crate::reacts::FOLLOWER,
            dedupe: format!("{}:{id}", channel.id),
            payload,
        };
        tx.at(now, job).await?;
    }
    let detail = serde_json::json!({"channel": "wechat", "new": before.is_none()});
    tx.audit(caller.audit("account.sign_in", id, detail)).await?;
    tx.commit().await?;
    Ok(id)
}
