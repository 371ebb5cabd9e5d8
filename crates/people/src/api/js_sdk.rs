//! What a page needs to call WeChat's own functions (scan, choose a picture, close the window).

use axum::extract::State;
use axum::{Extension, Json};
use base::{Kind, Problem};
use edge::layers::SeenAs;
use edge::{ApiJson, ApiResult, Caller};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::PeopleDeps;
use crate::signin::wechat;

/// The longest address that is signed.
const LONGEST: usize = 2000;

/// The page to be signed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = JsSdkPage)]
pub(super) struct Page {
    /// Its address as the browser reports it; what follows a `#` does not count.
    url: String,
}

/// What goes into `wx.config`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JsSdkConfig)]
pub(super) struct Config {
    /// The account.
    app_id: String,
    /// Seconds since 1970.
    timestamp: i64,
    /// The nonce that was signed.
    nonce_str: String,
    /// The signature.
    signature: String,
}

/// Signs a page of ours for WeChat's page script. Pages of other hosts are refused: whoever has a signature acts as the
/// hospital's account on that page.
#[utoipa::path(post, path = "/api/v1/wechat/js-sdk", tag = "session", request_body = Page,
    responses((status = 200, body = Config), (status = 422, description = "url_invalid", body = edge::problem::ProblemBody),
        (status = 502, description = "wechat_failed", body = edge::problem::ProblemBody)))]
pub(super) async fn sign(
    State(deps): State<PeopleDeps>,
    caller: Caller,
    Extension(seen): Extension<SeenAs>,
    ApiJson(page): ApiJson<Page>,
) -> ApiResult<Json<Config>> {
    let channel = wechat::service(&deps, &caller).map_err(|_| Problem::not_found())?;
    if !is_ours(&page.url, &seen.origin()) {
        let (zh, en) = ("只能为本站页面签名。", "Only pages of this site can be signed.");
        return Err(Problem::new(Kind::Invalid, "url_invalid", zh, en)
            .field("url", "url_invalid", zh, en)
            .into());
    }
    let nonce = wechat::browser()?;
    let config = channel.client.js_config(&page.url, &nonce).await.map_err(|error| {
        tracing::warn!(%error, channel = channel.name, "a page could not be signed");
        Problem::new(
            Kind::Upstream,
            "wechat_failed",
            "微信暂时没有响应，请稍后再试。",
            "WeChat does not answer just now. Please try again.",
        )
    })?;
    let wechat_config = Config {
        app_id: config.app_id,
        timestamp: config.timestamp,
        nonce_str: config.nonce_str,
        signature: config.signature,
    };
    Ok(Json(wechat_config))
}

/// Whether an address lies below our own origin, as this browser sees it.
fn is_ours(url: &str, origin: &str) -> bool {
    let rest = url.strip_prefix(origin);
    url.len() <= LONGEST && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn only_our_own_pages() {
        let origin = "https://wx.hospital.example";
        for ours in ["", "/", "/visits?x=1#y", "?a=b"] {
            assert!(is_ours(&format!("{origin}{ours}"), origin), "{ours}");
        }
        for other in [
            "",
            "https://evil.example/",
            "https://wx.hospital.example.evil.com/",
            "https://wx.hospital.example:444/",
            "http://wx.hospital.example/",
            "//x",
        ] {
            assert!(!is_ours(other, origin), "{other}");
        }
        assert!(!is_ours(&format!("{origin}/{}", "a".repeat(3000)), origin));
    }
}
