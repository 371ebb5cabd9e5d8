//! Who is signed in, signing in by SMS, signing out, and the account's choices.

use axum::Extension;
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum_extra::extract::CookieJar;
use base::Lang;
use edge::layers::SeenAs;
use edge::problem::ProblemBody;
use edge::{Account, AccountId, Actor, ApiJson, ApiResult, Caller, csrf};
use http::StatusCode;
use http::header::{CACHE_CONTROL, SET_COOKIE};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::wire::{CodeSent, LangSchema, Person, PhoneOnly, mobile};
use crate::PeopleDeps;
use crate::accounts;
use crate::channel::ChannelKind;
use crate::model::{CodePurpose, PersonId};
use crate::persons;
use crate::refusal::Refusal;
use crate::signin;
use crate::sms_code::{self, Ask};
use crate::store::account;

::store::text_enum! {
    /// A way to sign in.
    #[derive(ToSchema)]
    pub enum SignInWay {
        /// Through WeChat.
        #[schema(rename = "wechat")]
        Wechat = "wechat",
        /// By a phone and a code.
        #[schema(rename = "sms")]
        Sms = "sms",
    }
}

/// Who is signed in.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct Session {
    /// Whether somebody is.
    signed_in: bool,
    /// What changing requests carry in `X-CSRF`; empty while nobody is signed in, and then not needed.
    csrf: String,
    /// The account's language; that of the request while nobody is signed in.
    #[schema(value_type = LangSchema)]
    lang: Lang,
    /// Whether people can sign in here through WeChat.
    wechat_available: bool,
    /// Whether the account chose large type and fewer steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    elder: Option<bool>,
    /// The way of this sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<SignInWay>,
    /// The phone that the account has proven to hold.
    phone_masked: Option<String>,
    /// The account, `acc_…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    account_id: Option<AccountId>,
    /// Its persons.
    #[serde(skip_serializing_if = "Option::is_none")]
    persons: Option<Vec<Person>>,
    /// The person who is meant when none is named.
    #[schema(value_type = Option<String>)]
    default_person_id: Option<PersonId>,
    /// Whether the account can be told something through WeChat.
    #[serde(skip_serializing_if = "Option::is_none")]
    reachable: Option<bool>,
}

/// A phone and the code that was sent to it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PhoneCode {
    /// The phone.
    phone: String,
    /// Six digits.
    code: String,
}

/// The account's choices; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountPatch {
    /// `zh` or `en`.
    #[serde(default)]
    #[schema(value_type = Option<LangSchema>)]
    lang: Option<Lang>,
    /// Large type and fewer steps.
    #[serde(default)]
    elder: Option<bool>,
}

/// Who is signed in. Never fails for want of a sign-in.
#[utoipa::path(get, path = "/api/v1/session", tag = "session", responses((status = 200, body = Session)))]
pub(super) async fn show(State(deps): State<PeopleDeps>, caller: Caller) -> ApiResult<Response> {
    let session = match (&caller.actor, &caller.session) {
        (Actor::Account(id), Some(session)) => {
            match of_account(&deps, &caller, *id, &session.token_hash, &session.channel).await {
                Err(Refusal::SignedOut) => nobody(&deps, &caller),
                other => other?,
            }
        }
        _ => nobody(&deps, &caller),
    };
    Ok(private(session))
}

/// Sends a code to sign in with. The answer is the same whether the phone is known or not.
#[utoipa::path(post, path = "/api/v1/session/sms", tag = "session", request_body = PhoneOnly, responses(
    (status = 202, body = CodeSent), (status = 422, body = ProblemBody), (status = 429, body = ProblemBody)))]
pub(super) async fn send_code(
    State(deps): State<PeopleDeps>,
    caller: Caller,
    ApiJson(body): ApiJson<PhoneOnly>,
) -> ApiResult<(StatusCode, axum::Json<CodeSent>)> {
    signin::sms_is_on(&caller)?;
    let phone = mobile(&body.phone)?;
    let ask = Ask { phone: &phone, purpose: CodePurpose::SignIn, account: None, source: &caller.source };
    let sent =
        sms_code::send(&deps.db, &deps.vault, &*deps.send_code, &caller.hospital, &ask, caller.lang).await?;
    let body = CodeSent { resend_after_s: sent.resend_after_s, expires_in_s: sent.expires_in_s };
    Ok((StatusCode::ACCEPTED, axum::Json(body)))
}

/// Signs in with a phone and its code. The session that the browser had ends.
#[utoipa::path(post, path = "/api/v1/session/phone", tag = "session", request_body = PhoneCode, responses(
    (status = 200, body = Session), (status = 410, body = ProblemBody), (status = 422, body = ProblemBody),
    (status = 429, body = ProblemBody)))]
pub(super) async fn sign_in(
    State(deps): State<PeopleDeps>,
    caller: Caller,
    Extension(seen): Extension<SeenAs>,
    jar: CookieJar,
    ApiJson(body): ApiJson<PhoneCode>,
) -> ApiResult<Response> {
    signin::sms_is_on(&caller)?;
    let phone = mobile(&body.phone)?;
    let signed = signin::by_phone(&deps, &caller, &phone, &body.code).await?;
    end_old(&deps, &seen, &jar).await?;
    let opened = deps.sessions.find(&signed.token).await?.ok_or(Refusal::SignedOut)?;
    let session = of_account(&deps, &caller, signed.account, &opened.token_hash, "sms").await?;
    let cookie = seen.cookies().cookie(signed.token).to_string();
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), private(session)).into_response())
}

/// Signs out. Also right when nobody is signed in.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", responses((status = 204)))]
pub(super) async fn sign_out(
    State(deps): State<PeopleDeps>,
    caller: Caller,
    Extension(seen): Extension<SeenAs>,
    jar: CookieJar,
) -> ApiResult<Response> {
    end_old(&deps, &seen, &jar).await?;
    if let Actor::Account(id) = caller.actor {
        let mut tx = deps.db.begin().await?;
        tx.audit(caller.audit("account.sign_out", id, serde_json::json!({}))).await?;
        tx.commit().await?;
    }
    let removal = seen.cookies().removal().to_string();
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(SET_COOKIE, removal)])).into_response())
}

/// Changes the account's choices.
#[utoipa::path(patch, path = "/api/v1/account", tag = "session", request_body = AccountPatch, responses(
    (status = 200, body = Session), (status = 401, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn change_account(
    State(deps): State<PeopleDeps>,
    who: Account,
    ApiJson(body): ApiJson<AccountPatch>,
) -> ApiResult<Response> {
    let mut tx = deps.db.begin().await?;
    let change = accounts::Change { lang: body.lang, elder: body.elder };
    accounts::change(&mut tx, &who.caller, who.id, change).await?;
    tx.commit().await?;
    show(State(deps), who.caller).await
}

/// Ends the session whose cookie the browser sent.
pub(super) async fn end_old(deps: &PeopleDeps, seen: &SeenAs, jar: &CookieJar) -> ApiResult<()> {
    if let Some(old) = jar.get(seen.cookies().name()) {
        deps.sessions.end(old.value()).await?;
    }
    Ok(())
}

fn nobody(deps: &PeopleDeps, caller: &Caller) -> Session {
    let wechat_available = signin::wechat::service(deps, caller).is_ok();
    Session { lang: caller.lang, wechat_available, ..Session::default() }
}

async fn of_account(
    deps: &PeopleDeps,
    caller: &Caller,
    id: AccountId,
    token_hash: &str,
    channel: &str,
) -> Result<Session, Refusal> {
    let h = caller.hospital.id;
    let found = account::get(&deps.db, h, id).await?.ok_or(Refusal::SignedOut)?;
    let signed_in = Caller { actor: Actor::Account(id), ..caller.clone() };
    let now = deps.db.now();
    let shown = persons::list(deps, &signed_in, id).await?;
    let persons: Vec<_> = shown.into_iter().map(|s| Person::new(&caller.hospital, now, s)).collect();
    let tells = |c: &crate::WechatContact| {
        let kind = deps.channels.get(c.channel_account).map(|channel| channel.kind);
        c.following && kind == Some(ChannelKind::Service)
    };
    let reachable = account::openids(&deps.db, h, id).await?.iter().any(tells);
    Ok(Session {
        signed_in: true,
        csrf: csrf::token(token_hash),
        lang: found.lang,
        wechat_available: signin::wechat::service(deps, caller).is_ok(),
        elder: Some(found.elder),
        channel: SignInWay::from_code(channel),
        phone_masked: found.phone_masked,
        account_id: Some(id),
        default_person_id: persons.iter().find(|p| p.is_default).map(|p| p.id),
        persons: Some(persons),
        reachable: Some(reachable),
    })
}

/// An answer that no cache may keep.
fn private(session: Session) -> Response {
    ([(CACHE_CONTROL, "no-store")], axum::Json(session)).into_response()
}
