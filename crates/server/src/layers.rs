//! What stands around the whole router, from the outside in.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::response::Response;
use base::Clock;
use edge::front::{Front, MachineFront};
use edge::layers::Identify;
use http::header::{CONTENT_TYPE, DATE};
use http::{Extensions, HeaderMap, HeaderValue, StatusCode, Version};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{Predicate as _, SizeAbove};

use crate::config::Config;

/// Puts the layers around the routes. A request passes: compression, all of [`Front`], body size.
pub fn around(routes: Router, config: &Config, identify: Identify) -> Router {
    let front = Front::new(identify, config.request_timeout(), config.server.max_concurrent);
    let stack = tower::ServiceBuilder::new()
        .layer(
            CompressionLayer::new()
                .quality(CompressionLevel::Fastest)
                .compress_when(SizeAbove::new(ONE_PACKET).and(is_json)),
        )
        .layer(front)
        .layer(DefaultBodyLimit::max(config.server.max_body_kib * 1024))
        // A router inside another's fallback: the path is shortened before routing.
        .service(routes);
    Router::new().fallback_service(stack)
}

/// Around routes for machines that find out by themselves who calls (WeChat's callback): outside of what people's requests pass,
/// which would cost a push more than all that is done about it.
pub fn around_machines(routes: Router, config: &Config) -> Router {
    routes.layer(MachineFront::new(config.server.max_concurrent))
}

/// Where a test or a demonstration moves the clock, answers carry its time: pages go by the `Date` that they hear.
pub fn dated(routes: Router, clock: &Clock) -> Router {
    if clock.is_machine() {
        return routes;
    }
    let clock = clock.clone();
    routes.layer(middleware::map_response(move |mut response: Response| {
        let now = clock.now().http_date();
        async move {
            if let Ok(now) = HeaderValue::from_str(&now) {
                response.headers_mut().insert(DATE, now);
            }
            response
        }
    }))
}

/// What fits into one packet gains nothing by being smaller, bytes.
const ONE_PACKET: u64 = 1_200;

/// Only JSON: the pages are compressed when they are built, answers that many read by `edge::etag`, and a live stream must not
/// wait in a compressor. Nothing of a request is repeated beside a secret in an answer, so its length tells nothing of it.
fn is_json(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_compressed_and_streams_and_pages_are_not() {
        for (kind, wanted) in [
            ("application/json", true),
            ("application/problem+json; charset=utf-8", true),
            ("text/event-stream", false),
            ("text/html; charset=utf-8", false),
            ("image/png", false),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, kind.parse().unwrap())]);
            assert_eq!(
                is_json(StatusCode::OK, Version::HTTP_11, &headers, &Extensions::new()),
                wanted,
                "{kind}"
            );
        }
    }
}
