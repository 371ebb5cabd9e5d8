//! The plain address of a code: for cameras, Alipay and browsers, and for WeChat where it opens one.

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use edge::layers::NamedHospital;
use edge::{ApiPath, Caller};
use http::header::{CACHE_CONTROL, LOCATION};
use http::{HeaderValue, StatusCode};

use crate::ChannelDeps;
use crate::model::Purpose;
use crate::refusal::Refusal;
use crate::{links, scans};

/// Sends whoever scanned a code to its page. What is no code of ours, or none any more, leads to a page that says so.
#[utoipa::path(get, path = "/q/{scene}", tag = "codes",
    params(("scene" = String, Path, description = "what stands in the code")), responses((status = 302)))]
pub(super) async fn scan(
    State(deps): State<ChannelDeps>,
    caller: Caller,
    named: Option<Extension<NamedHospital>>,
    ApiPath(scene): ApiPath<String>,
) -> Response {
    let prefix = named.map(|Extension(n)| format!("/h/{}", n.0.code)).unwrap_or_default();
    let in_wechat = caller.user_agent.contains("MicroMessenger");
    let to = match scans::look(&deps.db, &caller.hospital, &scene).await {
        // Who is to be bound must be known, and then claims by the scene.
        Ok(code) if code.purpose == Purpose::Enrolment => {
            sign_in(&prefix, &format!("/join?scene={}", code.scene))
        }
        Ok(code) => {
            // A count that fails keeps nobody from the page.
            if let Err(error) = scans::keep_plain(&deps.db, &caller.hospital, &code).await {
                tracing::warn!(%error, "a scan was not counted");
            }
            if in_wechat { sign_in(&prefix, &code.path) } else { format!("{prefix}{}", code.path) }
        }
        Err(Refusal::Store(error)) => {
            tracing::error!(%error, "a code could not be looked up");
            format!("{prefix}/code?problem=unavailable")
        }
        Err(refusal) => format!("{prefix}/code?problem={}", base::Problem::from(refusal).code),
    };
    let location = HeaderValue::from_str(&to).unwrap_or(HeaderValue::from_static("/"));
    let headers = [(LOCATION, location), (CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (StatusCode::FOUND, headers).into_response()
}

fn sign_in(prefix: &str, path: &str) -> String {
    links::page(prefix, &format!("{prefix}{path}"))
}
