//! Who is signed in, and the steps of signing in.

use ::store::vault::Purpose;
use axum::Extension;
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum_extra::extract::CookieJar;
use edge::layers::SeenAs;
use edge::problem::ProblemBody;
use edge::{Actor, ApiJson, ApiResult, Caller, Role, Staff, StaffId, csrf};
use http::StatusCode;
use http::header::{CACHE_CONTROL, SET_COOKIE};
use serde::Serialize;

use super::wire::{LoginPassword, Me, SignInStep, StaffSession, StaffSignedIn, TicketCode, TicketPassword};
use crate::staff::model::StaffWay;
use crate::staff::settings::StaffSignIn;
use crate::staff::store::member;
use crate::staff::{StaffDeps, StaffRefusal, manage, own, signin, wecom};
use crate::store::STAFF_NAME;

/// Which member of staff is signed in. Never fails for want of a sign-in.
#[utoipa::path(get, path = "/api/v1/staff/session", tag = "staff", responses((status = 200, body = StaffSession)))]
pub(super) async fn show(State(deps): State<StaffDeps>, caller: Caller) -> ApiResult<Response> {
    let who = match caller.actor.clone() {
        Actor::Staff(id, roles) => Some((id, roles)),
        _ => None,
    };
    let token_hash = caller.session.as_ref().map(|s| s.token_hash.clone());
    let way = caller.session.as_ref().and_then(|s| StaffWay::from_code(&s.channel));
    Ok(private(of(&deps, &caller, who, token_hash, way).await?))
}

/// The first step: a login, and a password or the code that was handed out in its place. The answer is the same whether the login is known
/// or not.
#[utoipa::path(post, path = "/api/v1/staff/session/password", tag = "staff", request_body = LoginPassword, responses(
    (status = 200, body = SignInStep), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody),
    (status = 429, body = ProblemBody)))]
pub(super) async fn by_password(
    State(deps): State<StaffDeps>,
    caller: Caller,
    ApiJson(body): ApiJson<LoginPassword>,
) -> ApiResult<Response> {
    let next = signin::by_password(&deps, &caller, &body.login, &body.password).await?;
    Ok(private(SignInStep::new(&caller.hospital, next)))
}

/// The step of whoever came with a code: a password of their own. It holds once the last step is done.
#[utoipa::path(post, path = "/api/v1/staff/session/new-password", tag = "staff", request_body = TicketPassword, responses(
    (status = 200, body = SignInStep), (status = 410, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn choose_password(
    State(deps): State<StaffDeps>,
    caller: Caller,
    ApiJson(body): ApiJson<TicketPassword>,
) -> ApiResult<Response> {
    let next = signin::choose_password(&deps, &caller, &body.ticket, &body.password).await?;
    Ok(private(SignInStep::new(&caller.hospital, next)))
}

/// The last step: the second factor, or a recovery code. The session that the browser had ends.
#[utoipa::path(post, path = "/api/v1/staff/session/second-factor", tag = "staff", request_body = TicketCode, responses(
    (status = 200, body = StaffSignedIn), (status = 403, body = ProblemBody), (status = 410, body = ProblemBody),
    (status = 422, body = ProblemBody), (status = 429, body = ProblemBody)))]
pub(super) async fn by_second_factor(
    State(deps): State<StaffDeps>,
    caller: Caller,
    Extension(seen): Extension<SeenAs>,
    jar: CookieJar,
    ApiJson(body): ApiJson<TicketCode>,
) -> ApiResult<Response> {
    let signed = signin::by_second_factor(&deps, &caller, &body.ticket, &body.code).await?;
    end_old(&deps, &seen, &jar).await?;
    let session = opened(&deps, &caller, &signed.token).await?;
    let cookie = seen.cookies().cookie(signed.token).to_string();
    let body = StaffSignedIn { session, recovery_codes: signed.recovery_codes };
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), private(body)).into_response())
}

/// Signs out. Also right when nobody is signed in.
#[utoipa::path(delete, path = "/api/v1/staff/session", tag = "staff", responses((status = 204)))]
pub(super) async fn sign_out(
    State(deps): State<StaffDeps>,
    caller: Caller,
    Extension(seen): Extension<SeenAs>,
    jar: CookieJar,
) -> ApiResult<Response> {
    end_old(&deps, &seen, &jar).await?;
    if let Actor::Staff(id, _) = caller.actor {
        let mut tx = deps.people.db.begin().await?;
        tx.audit(caller.audit("staff.sign_out", id, serde_json::json!({}))).await?;
        tx.commit().await?;
    }
    let removal = seen.cookies().removal().to_string();
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(SET_COOKIE, removal)])).into_response())
}

/// Ends the session whose cookie the browser sent.
pub(super) async fn end_old(deps: &StaffDeps, seen: &SeenAs, jar: &CookieJar) -> ApiResult<()> {
    if let Some(old) = jar.get(seen.cookies().name()) {
        deps.people.sessions.end(old.value()).await?;
    }
    Ok(())
}

/// The session that was opened just now.
pub(super) async fn opened(deps: &StaffDeps, caller: &Caller, token: &str) -> ApiResult<StaffSession> {
    let session = deps.people.sessions.find(token).await?.ok_or(StaffRefusal::SignedOut)?;
    let Actor::Staff(id, roles) = session.actor.clone() else { return Err(StaffRefusal::SignedOut.into()) };
    let way = StaffWay::from_code(&session.channel);
    let caller = Caller { actor: session.actor.clone(), session: Some(session.clone()), ..caller.clone() };
    of(deps, &caller, Some((id, roles)), Some(session.token_hash.clone()), way).await
}

async fn of(
    deps: &StaffDeps,
    caller: &Caller,
    who: Option<(StaffId, Vec<Role>)>,
    token_hash: Option<String>,
    way: Option<StaffWay>,
) -> ApiResult<StaffSession> {
    let rules: StaffSignIn = caller.hospital.settings(StaffSignIn::SECTION);
    let me = match who {
        Some((id, roles)) => {
            let staff = Staff { id, roles, caller: caller.clone() };
            match me(deps, &staff, way).await {
                Err(StaffRefusal::SignedOut) => None,
                other => Some(other?),
            }
        }
        None => None,
    };
    Ok(StaffSession {
        signed_in: me.is_some(),
        // A browser that is signed in as a patient needs the token of that session to leave it.
        csrf: token_hash.map(|hash| csrf::token(&hash)).unwrap_or_default(),
        lang: caller.lang,
        wecom_available: wecom::application(deps, caller).is_ok(),
        idle_minutes: rules.idle_minutes,
        me,
    })
}

async fn me(deps: &StaffDeps, who: &Staff, way: Option<StaffWay>) -> Result<Me, StaffRefusal> {
    let (people, h) = (&deps.people, who.caller.hospital.id);
    let member = own::oneself(deps, who).await?;
    let left = member::recovery_left(&people.db, h, who.id).await?;
    Ok(Me {
        id: member.id,
        name: people.vault.open_sealed(h, STAFF_NAME, &member.name, Purpose::ShowOwner)?,
        roles: who.roles.clone(),
        permissions: people.granted.of(&who.caller.actor).into_iter().map(str::to_owned).collect(),
        manages_staff: manage::manages(deps, who).await?,
        way: way.unwrap_or(StaffWay::Password),
        department_ids: member::departments(&people.db, h, who.id).await?,
        wecom: member.wecom_userid.is_some(),
        second_factor: member.has_second_factor(),
        recovery_codes_left: u32::try_from(left).unwrap_or(0),
        login: member.login,
        doctor_id: member.doctor_id,
    })
}

/// An answer that no cache may keep.
pub(super) fn private(body: impl Serialize) -> Response {
    ([(CACHE_CONTROL, "no-store")], axum::Json(body)).into_response()
}
