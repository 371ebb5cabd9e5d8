//! Signing in: by a phone and a code, or through WeChat.
//!
//! Browsing needs no sign-in. Each sign-in makes a new session and ends the one that the browser had.

pub mod state;
pub mod wechat;

use ::store::StoreError;
use base::Kind;
use edge::session::NewSession;
use edge::{AccountId, Actor, Caller};

use crate::PeopleDeps;
use crate::accounts;
use crate::documents::Mobile;
use crate::model::CodePurpose;
use crate::refusal::Refusal;
use crate::settings::SignInRules;
use crate::sms_code::{self, Ask};
use crate::store::account;

/// Somebody has signed in.
#[derive(Clone)]
pub struct SignedIn {
    /// For the cookie.
    pub token: String,
    /// Who.
    pub account: AccountId,
}

impl std::fmt::Debug for SignedIn {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SignedIn({})", self.account)
    }
}

/// Signs in with a phone and the code that was sent to it.
///
/// # Errors
/// [`Refusal::CodeWrong`], [`Refusal::CodeExpired`], [`Refusal::TooManyTries`].
pub async fn by_phone(
    deps: &PeopleDeps,
    caller: &Caller,
    phone: &Mobile,
    code: &str,
) -> Result<SignedIn, Refusal> {
    let hospital = &caller.hospital;
    let ask = Ask { phone, purpose: CodePurpose::SignIn, account: None, source: &caller.source };
    let right = sms_code::check(&deps.db, &deps.vault, hospital, &ask, code).await?;
    let mut tx = deps.db.begin().await?;
    let (id, new) = accounts::of_phone(&mut tx, &deps.vault, hospital.id, phone, caller.lang).await?;
    sms_code::use_up(&mut tx, hospital, &right, &id.db()).await?;
    account::guess_lang(&mut tx, hospital.id, id, caller.lang).await?;
    tx.audit(caller.audit("account.sign_in", id, serde_json::json!({"channel": "sms", "new": new}))).await?;
    tx.commit().await?;
    let token = open(deps, caller, id, "sms").await?;
    metrics::counter!("people_sign_ins", "channel" => "sms").increment(1);
    Ok(SignedIn { token, account: id })
}

/// Opens a session for an account.
async fn open(
    deps: &PeopleDeps,
    caller: &Caller,
    id: AccountId,
    channel: &'static str,
) -> Result<String, StoreError> {
    let rules: SignInRules = caller.hospital.settings(SignInRules::SECTION);
    deps.sessions
        .open(NewSession {
            hospital: caller.hospital.id,
            actor: Actor::Account(id),
            channel,
            idle: rules.idle(),
            longest: rules.longest(),
            device: caller.user_agent.to_string(),
        })
        .await
}

/// Whether the hospital lets people sign in by SMS.
///
/// # Errors
/// 404 `sms_off`: the way does not exist here.
pub fn sms_is_on(caller: &Caller) -> Result<(), base::Problem> {
    let rules: SignInRules = caller.hospital.settings(SignInRules::SECTION);
    if rules.sms {
        return Ok(());
    }
    Err(base::Problem::new(
        Kind::NotFound,
        "sms_off",
        "本院暂不支持手机号登录，请在微信中打开。",
        "Signing in by phone is not available here. Please open this page in WeChat.",
    ))
}
