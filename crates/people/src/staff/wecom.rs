//! Signing in through WeCom (企业微信), and tying one's account to it.
//!
//! It goes as through WeChat: a signed state that is bound to the browser and used once, a code that is exchanged once, and the same outcome for
//! a browser that asks twice. Only those whose id in WeCom stands on the list come in. The three administrators show their second factor,
//! too, unless the hospital has it otherwise.

use ::store::StoreError;
use edge::{Caller, Staff};
use serde_json::json;
use wechat::Secret;
use wechat::api::wecom::Visitor;

use super::model::{StaffState, StaffWay, Step};
use super::settings::StaffSignIn;
use super::store::member;
use super::{StaffDeps, StaffRefusal, rules, signin};
use crate::channel::Channel;
use crate::signin::state::{self, Bound};
use crate::signin::wechat::{self as by_wechat, Return, Trouble};
use crate::store::{RETURN, STATE, wechat_return};

/// Why somebody could not sign in through WeCom. The console's sign-in page is told the code and finds words for it.
#[derive(Debug, thiserror::Error)]
pub enum WecomTrouble {
    /// As through WeChat.
    #[error(transparent)]
    Same(#[from] Trouble),
    /// Nobody on the list has this id in WeCom, or whoever comes is no member of the corporation.
    #[error("not on the list")]
    Unknown,
    /// Locked or disabled by an administrator.
    #[error("locked or disabled")]
    NotActive,
    /// Another member of staff has this id in WeCom.
    #[error("tied to another member of staff")]
    Taken,
}

impl From<StoreError> for WecomTrouble {
    fn from(error: StoreError) -> Self {
        Self::Same(error.into())
    }
}

impl From<StaffRefusal> for WecomTrouble {
    fn from(refusal: StaffRefusal) -> Self {
        match refusal {
            StaffRefusal::NotActive => Self::NotActive,
            StaffRefusal::Store(error) => error.into(),
            _ => Self::Same(Trouble::Busy(None)),
        }
    }
}

impl WecomTrouble {
    /// The code behind `?problem=`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Same(Trouble::Off) => "wecom_off",
            Self::Same(Trouble::Wechat) => "wecom",
            Self::Same(other) => other.code(),
            Self::Unknown => "wecom_unknown",
            Self::NotActive => "not_active",
            Self::Taken => "wecom_taken",
        }
    }

    fn from_code(code: &str) -> Self {
        match code {
            "wecom" => Self::Same(Trouble::Wechat),
            "wecom_unknown" => Self::Unknown,
            "not_active" => Self::NotActive,
            "wecom_taken" => Self::Taken,
            _ => Self::Same(Trouble::Busy(None)),
        }
    }
}

/// What somebody comes for.
#[derive(Debug, Clone)]
pub enum Purpose {
    /// To sign in.
    SignIn,
    /// To tie the account of who has signed in.
    Bind(Box<Staff>),
}

impl Purpose {
    /// What the state is bound to beside the browser: a return for one purpose is none for another.
    fn mark(&self, to: &str) -> String {
        match self {
            Self::SignIn => format!("wecom {to}"),
            Self::Bind(who) => format!("wecom {} {to}", who.id),
        }
    }
}

/// What came of it.
pub enum Outcome {
    /// A session: its token.
    SignedIn(String),
    /// The second factor is still to be shown: the ticket.
    SecondFactor(String),
    /// The account is tied.
    Bound,
}

/// The hospital's application in WeCom, when staff may sign in by it.
///
/// # Errors
/// [`Trouble::Off`].
pub fn application(deps: &StaffDeps, caller: &Caller) -> Result<std::sync::Arc<Channel>, WecomTrouble> {
    let rules: StaffSignIn = caller.hospital.settings(StaffSignIn::SECTION);
    let channel = deps.people.channels.wecom(caller.hospital.id).filter(|_| rules.wecom);
    channel.ok_or(WecomTrouble::Same(Trouble::Off))
}

/// Where to send the browser. `back` is the address of our callback, with the path behind it that `to` names. WeCom's own browser
/// comes back by itself; others show a code to scan.
///
/// # Errors
/// [`WecomTrouble`].
pub fn page(
    deps: &StaffDeps,
    caller: &Caller,
    purpose: &Purpose,
    browser: &str,
    to: &str,
    back: &str,
) -> Result<String, WecomTrouble> {
    let channel = application(deps, caller)?;
    let nonce = by_wechat::browser()?;
    let mark = purpose.mark(to);
    let bound = Bound { hospital: caller.hospital.id, browser, to: &mark };
    let state = state::make(&deps.people.vault, bound, &nonce, deps.people.db.now());
    let page = if caller.user_agent.contains("wxwork") {
        channel.client.member_page(back, &state)
    } else {
        channel.client.member_page_on_desk(back, &state)
    };
    page.map_err(|error| {
        tracing::error!(%error, channel = channel.name, "the address of WeCom's sign-in page can't be built");
        WecomTrouble::Same(Trouble::Wechat)
    })
}

/// Does what somebody came for, with what WeCom sent the browser back with.
///
/// # Errors
/// [`WecomTrouble`].
pub async fn back(
    deps: &StaffDeps,
    caller: &Caller,
    purpose: &Purpose,
    brought: Return<'_>,
) -> Result<Outcome, WecomTrouble> {
    let (people, h) = (&deps.people, caller.hospital.id);
    let channel = application(deps, caller)?;
    let mark = purpose.mark(brought.to);
    let bound = Bound { hospital: h, browser: brought.browser, to: &mark };
    let nonce =
        state::check(&people.vault, bound, brought.state, people.db.now()).map_err(|_| Trouble::Stale)?;
    if brought.code.is_empty() || brought.code.len() > 512 {
        return Err(Trouble::Denied.into());
    }
    let code_hash = people.vault.blind(h, STATE, brought.code);
    let mut tx = people.db.begin().await?;
    let first = wechat_return::claim(&mut tx, h, nonce, &code_hash).await?;
    tx.commit().await?;
    if !first {
        let earlier = by_wechat::earlier(people, caller, nonce, &code_hash).await?;
        return read(&earlier.map_err(|problem| WecomTrouble::from_code(&problem))?);
    }
    let outcome = carry_out(deps, caller, purpose, &channel, brought.code).await;
    let (text, problem) = match &outcome {
        Ok(outcome) => (Some(people.vault.seal(h, RETURN, &write(outcome))?), None),
        Err(trouble) => (None, Some(trouble.code())),
    };
    let mut tx = people.db.begin().await?;
    wechat_return::done(&mut tx, h, nonce, text, problem).await?;
    tx.commit().await?;
    outcome
}

fn write(outcome: &Outcome) -> String {
    match outcome {
        Outcome::SignedIn(token) => format!("session {token}"),
        Outcome::SecondFactor(ticket) => format!("ticket {ticket}"),
        Outcome::Bound => "bound ".into(),
    }
}

fn read(text: &str) -> Result<Outcome, WecomTrouble> {
    match text.split_once(' ') {
        Some(("session", token)) => Ok(Outcome::SignedIn(token.to_owned())),
        Some(("ticket", ticket)) => Ok(Outcome::SecondFactor(ticket.to_owned())),
        Some(("bound", _)) => Ok(Outcome::Bound),
        _ => Err(Trouble::Stale.into()),
    }
}

async fn carry_out(
    deps: &StaffDeps,
    caller: &Caller,
    purpose: &Purpose,
    channel: &Channel,
    code: &str,
) -> Result<Outcome, WecomTrouble> {
    let visitor = channel.client.visitor_of_code(&Secret::new(code)).await.map_err(|error| {
        tracing::warn!(%error, channel = channel.name, "a code of WeCom's sign-in page was not exchanged");
        metrics::counter!("staff_sign_in_wrong", "what" => "wecom").increment(1);
        Trouble::Wechat
    })?;
    let Visitor::Member { userid } = visitor else { return Err(WecomTrouble::Unknown) };
    match purpose {
        Purpose::SignIn => sign_in(deps, caller, &userid).await,
        Purpose::Bind(who) => bind(deps, who, &userid).await,
    }
}

async fn sign_in(deps: &StaffDeps, caller: &Caller, userid: &str) -> Result<Outcome, WecomTrouble> {
    let (people, h) = (&deps.people, caller.hospital.id);
    let Some(member) = member::by_wecom(&people.db, h, userid).await? else {
        signin::wrong(deps, caller, None, "wecom_unknown").await?;
        return Err(WecomTrouble::Unknown);
    };
    if member.state != StaffState::Active {
        signin::wrong(deps, caller, Some(member.id), "not_active").await?;
        return Err(WecomTrouble::NotActive);
    }
    let roles = member::roles_of(&people.db, h, member.id).await?;
    let rules: StaffSignIn = caller.hospital.settings(StaffSignIn::SECTION);
    let alone = !rules::is_administrator(&roles) || rules.wecom_alone_for_administrators;
    let mut tx = people.db.begin().await?;
    let outcome = if alone {
        Outcome::SignedIn(signin::finish(deps, caller, &mut tx, member.id, StaffWay::Wecom, "wecom").await?)
    } else if member.has_second_factor() {
        let (step, way) = (Step::SecondFactor, StaffWay::Wecom);
        let next = signin::give_ticket(deps, caller, &mut tx, &member, step, way, None).await?;
        Outcome::SecondFactor(next.ticket)
    } else {
        // An administrator sets the account up with a password first.
        return Err(WecomTrouble::Unknown);
    };
    tx.commit().await?;
    Ok(outcome)
}

async fn bind(deps: &StaffDeps, who: &Staff, userid: &str) -> Result<Outcome, WecomTrouble> {
    let mut tx = deps.people.db.begin().await?;
    if !member::set_wecom(&mut tx, who.caller.hospital.id, who.id, Some(userid)).await? {
        return Err(WecomTrouble::Taken);
    }
    tx.audit(who.caller.audit("staff.wecom.bind", who.id, json!({}))).await?;
    tx.commit().await?;
    Ok(Outcome::Bound)
}
