//! One's own sign-in.

use axum::Extension;
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse, Response};
use edge::layers::SeenAs;
use edge::problem::ProblemBody;
use edge::{ApiJson, ApiPath, ApiResult, Staff};
use http::StatusCode;
use http::header::SET_COOKIE;

use super::session::{opened, private};
use super::wire::{
    OwnCode, OwnPassword, PasswordChange, RecoveryCodes, SessionList, SessionsEnded, SignInStep,
    StaffSession, TicketCode,
};
use crate::staff::{StaffDeps, own};

/// Changes one's own password. All sessions end; this browser gets a new one.
#[utoipa::path(put, path = "/api/v1/staff/me/password", tag = "staff", request_body = PasswordChange, responses(
    (status = 200, body = StaffSession), (status = 422, body = ProblemBody), (status = 429, body = ProblemBody)))]
pub(super) async fn change_password(
    State(deps): State<StaffDeps>,
    who: Staff,
    Extension(seen): Extension<SeenAs>,
    ApiJson(body): ApiJson<PasswordChange>,
) -> ApiResult<Response> {
    let token = own::change_password(&deps, &who, &body.current, &body.password).await?;
    let session = opened(&deps, &who.caller, &token).await?;
    let cookie = seen.cookies().cookie(token).to_string();
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), private(session)).into_response())
}

/// Begins to change the second factor: gives a new secret, which holds once its first code is typed.
#[utoipa::path(post, path = "/api/v1/staff/me/second-factor", tag = "staff", request_body = OwnPassword, responses(
    (status = 200, body = SignInStep), (status = 422, body = ProblemBody), (status = 429, body = ProblemBody)))]
pub(super) async fn begin_second_factor(
    State(deps): State<StaffDeps>,
    who: Staff,
    ApiJson(body): ApiJson<OwnPassword>,
) -> ApiResult<Response> {
    let next = own::begin_second_factor(&deps, &who, &body.password).await?;
    Ok(private(SignInStep::new(&who.caller.hospital, next)))
}

/// Takes the new secret; gives new recovery codes. Other sessions end.
#[utoipa::path(put, path = "/api/v1/staff/me/second-factor", tag = "staff", request_body = TicketCode, responses(
    (status = 200, body = RecoveryCodes), (status = 410, body = ProblemBody), (status = 422, body = ProblemBody),
    (status = 429, body = ProblemBody)))]
pub(super) async fn confirm_second_factor(
    State(deps): State<StaffDeps>,
    who: Staff,
    ApiJson(body): ApiJson<TicketCode>,
) -> ApiResult<Response> {
    let recovery_codes = own::confirm_second_factor(&deps, &who, &body.ticket, &body.code).await?;
    Ok(private(RecoveryCodes { recovery_codes }))
}

/// Makes new recovery codes.
#[utoipa::path(post, path = "/api/v1/staff/me/recovery-codes", tag = "staff", request_body = OwnCode, responses(
    (status = 200, body = RecoveryCodes), (status = 422, body = ProblemBody), (status = 429, body = ProblemBody)))]
pub(super) async fn renew_recovery(
    State(deps): State<StaffDeps>,
    who: Staff,
    ApiJson(body): ApiJson<OwnCode>,
) -> ApiResult<Response> {
    let recovery_codes = own::renew_recovery(&deps, &who, &body.code).await?;
    Ok(private(RecoveryCodes { recovery_codes }))
}

/// Unties one's account from WeCom.
#[utoipa::path(delete, path = "/api/v1/staff/me/wecom", tag = "staff", responses((status = 204)))]
pub(super) async fn leave_wecom(State(deps): State<StaffDeps>, who: Staff) -> ApiResult<StatusCode> {
    own::leave_wecom(&deps, &who).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One's own sessions.
#[utoipa::path(get, path = "/api/v1/staff/me/sessions", tag = "staff", responses((status = 200, body = SessionList)))]
pub(super) async fn sessions(State(deps): State<StaffDeps>, who: Staff) -> ApiResult<Response> {
    let theirs = own::sessions(&deps, &who.caller, who.id).await?;
    Ok(private(SessionList::new(&who.caller.hospital, theirs)))
}

/// Ends one of one's own sessions.
#[utoipa::path(delete, path = "/api/v1/staff/me/sessions/{name}", tag = "staff", params(("name" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemBody)))]
pub(super) async fn end_session(
    State(deps): State<StaffDeps>,
    who: Staff,
    ApiPath(name): ApiPath<String>,
) -> ApiResult<StatusCode> {
    own::end_session(&deps, &who.caller, who.id, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends all of one's own sessions but this one.
#[utoipa::path(delete, path = "/api/v1/staff/me/sessions", tag = "staff", responses((status = 200, body = SessionsEnded)))]
pub(super) async fn end_others(State(deps): State<StaffDeps>, who: Staff) -> ApiResult<Response> {
    let ended = own::end_others(&deps, &who).await?;
    Ok(private(SessionsEnded { ended: u64::try_from(ended).unwrap_or(u64::MAX) }))
}
