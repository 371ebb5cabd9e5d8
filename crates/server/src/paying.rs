//! The routes that payment platforms call. They stand outside `/api/v1` and know no caller: who calls is proved by the
//! signature over the bytes as they came.
//!
//! Size, signature, kept, acknowledged, in this order; whatever is not kept is refused, and comes again. What follows from a
//! notice is `billing`'s matter and happens after the answer.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use billing::BillingDeps;
use billing::inbox::{self, MAX_BODY, Refused};
use futures_util::StreamExt as _;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use store::fault::{self, Point};
use tokio::time::Instant;

/// Platforms wait five seconds.
const ANSWER_WITHIN: Duration = Duration::from_millis(4_500);

/// The notice entrances, one for each contract.
pub fn routes(deps: BillingDeps) -> Router {
    Router::new()
        .route("/pay/wechat/{account}", post(wechat))
        .route("/pay/alipay/{account}", post(alipay))
        .route("/pay/insurance/{account}", post(insurance))
        .with_state(deps)
}

/// Reads a body, and not a byte of one that says that it is too large.
async fn read(request: Request) -> Option<(HeaderMap, Vec<u8>)> {
    let (parts, body) = request.into_parts();
    let declared = parts.headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|bytes| bytes > MAX_BODY) {
        return None;
    }
    let mut chunks = Body::into_data_stream(body);
    let mut whole = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.ok()?;
        if whole.len() + chunk.len() > MAX_BODY {
            return None;
        }
        whole.extend_from_slice(&chunk);
    }
    Some((parts.headers, whole))
}

/// What came of a notice: the status for the platform, counted and logged. Nothing of what was sent is in the log.
fn status(
    platform: &'static str,
    account: &str,
    begun: Instant,
    result: &Result<bool, Refused>,
) -> StatusCode {
    let (outcome, status) = match result {
        Ok(true) => ("received", StatusCode::OK),
        Ok(false) => ("repeated", StatusCode::OK),
        Err(Refused::Account) => ("unknown_account", StatusCode::NOT_FOUND),
        Err(Refused::Forged { probe: true, .. }) => ("probe", StatusCode::UNAUTHORIZED),
        Err(Refused::Forged { .. }) => ("forged", StatusCode::UNAUTHORIZED),
        Err(Refused::NotKept(_)) => ("not_kept", StatusCode::SERVICE_UNAVAILABLE),
    };
    match result {
        // WeChat looks now and then whether we look.
        Err(Refused::Forged { probe: true, .. }) => {
            tracing::debug!(account, platform, "a test of whether signatures are checked");
        }
        Err(Refused::Forged { why, .. }) => {
            tracing::warn!(account, platform, why, "a payment notice does not prove itself and was refused");
        }
        Err(Refused::NotKept(error)) => {
            tracing::error!(account, platform, %error, "a payment notice could not be kept; the platform sends it again");
        }
        _ => {}
    }
    metrics::counter!("payment_notices", "platform" => platform, "outcome" => outcome).increment(1);
    metrics::histogram!("payment_notice_seconds").record(begun.elapsed().as_secs_f64());
    status
}

/// Takes a notice within the time that the platform waits.
async fn within<F: Future<Output = Result<bool, Refused>>>(work: F) -> Result<bool, Refused> {
    let late = || Refused::NotKept(store::StoreError::SharedCommit("not kept in time".into()));
    tokio::time::timeout(ANSWER_WITHIN, work).await.unwrap_or_else(|_| Err(late()))
}

async fn wechat(State(deps): State<BillingDeps>, Path(account): Path<String>, request: Request) -> Response {
    let begun = Instant::now();
    let Some((headers, body)) = read(request).await else { return too_large() };
    let result = within(inbox::wechatpay(&deps, &account, &headers, &body)).await;
    let status = status("wechatpay", &account, begun, &result);
    fault::pass(Point::NoticeAnswer);
    if status.is_success() {
        return StatusCode::NO_CONTENT.into_response();
    }
    let body = pay::wechatpay::notice::refusal_body("not taken");
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}

async fn alipay(State(deps): State<BillingDeps>, Path(account): Path<String>, request: Request) -> Response {
    let begun = Instant::now();
    let Some((_, body)) = read(request).await else { return too_large() };
    let result = within(inbox::alipay(&deps, &account, &body)).await;
    let status = status("alipay", &account, begun, &result);
    fault::pass(Point::NoticeAnswer);
    let said = if status.is_success() { pay::alipay::notice::ACCEPTED } else { "failure" };
    (status, [(CONTENT_TYPE, "text/plain")], said).into_response()
}

async fn insurance(
    State(deps): State<BillingDeps>,
    Path(account): Path<String>,
    request: Request,
) -> Response {
    let begun = Instant::now();
    let Some((_, body)) = read(request).await else { return too_large() };
    let result = within(inbox::insurance(&deps, &account, &body)).await;
    let status = status("insurance", &account, begun, &result);
    fault::pass(Point::NoticeAnswer);
    (status, [(CONTENT_TYPE, "application/json")], r#"{"code":0}"#).into_response()
}

fn too_large() -> Response {
    metrics::counter!("payment_notices", "platform" => "any", "outcome" => "too_large").increment(1);
    StatusCode::PAYLOAD_TOO_LARGE.into_response()
}
