//! What stands around the whole router, from the outside in.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::error_handling::HandleErrorLayer;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use base::Problem;
use edge::hospital::Hospitals;
use edge::layers::{Identify, NamedHospital};
use edge::problem::ApiError;
use http::header::CONTENT_TYPE;
use http::{Extensions, HeaderMap, StatusCode, Uri, Version};
use tokio::sync::Semaphore;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{Predicate as _, SizeAbove};

use crate::config::Config;

/// Puts the layers around the routes. A request passes: compression, problem bodies, hospital in the path, concurrency, time,
/// panic, body size, who calls.
pub fn around(routes: Router, config: &Config, identify: Identify) -> Router {
    let hospitals = identify.hospitals.clone();
    let within = config.request_timeout();
    let inner = routes
        .layer(middleware::from_fn_with_state(identify, edge::layers::identify))
        .layer(DefaultBodyLimit::max(config.server.max_body_kib * 1024));
    let outer = inner
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(move |request: Request, next: Next| in_time(within, request, next)));
    let outer = in_bounds(outer, config);
    // The path is shortened before routing: a router inside a router's fallback.
    let outer = outer.layer(
        tower::ServiceBuilder::new().layer(HandleErrorLayer::new(|_: std::convert::Infallible| async {})),
    );
    Router::new()
        .fallback_service(outer)
        .layer(middleware::from_fn(move |request: Request, next: Next| {
            let hospitals = hospitals.clone();
            async move {
                match named(&hospitals, request) {
                    Ok(request) => next.run(request).await,
                    Err(problem) => ApiError::from(problem).into_response(),
                }
            }
        }))
        .layer(middleware::from_fn(edge::layers::problems))
        .layer(
            CompressionLayer::new()
                .quality(CompressionLevel::Fastest)
                .compress_when(SizeAbove::new(ONE_PACKET).and(is_json)),
        )
}

/// Around routes that find out by themselves who calls and mind their own size and time (WeChat's callback): they stand outside of
/// what people's requests pass, which would cost a push more than all that is done about it. A request passes: problem
/// bodies, concurrency, panic.
pub fn around_machines(routes: Router, config: &Config) -> Router {
    in_bounds(routes.layer(CatchPanicLayer::custom(panicked)), config)
        .layer(middleware::from_fn(edge::layers::rare_problems))
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    ApiError::from(Problem::internal()).into_response()
}

/// No more requests at the same time than the settings say.
fn in_bounds(routes: Router, config: &Config) -> Router {
    let slots = Arc::new(Semaphore::new(config.server.max_concurrent));
    routes.layer(middleware::from_fn(move |request: Request, next: Next| {
        let slots = slots.clone();
        async move {
            // Streams of live topics give their place back as soon as they are open.
            match slots.try_acquire_owned() {
                Ok(_held) => next.run(request).await,
                Err(_) => ApiError::from(Problem::unavailable(1)).into_response(),
            }
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

async fn in_time(within: Duration, request: Request, next: Next) -> Response {
    match tokio::time::timeout(within, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            metrics::counter!("http_timed_out").increment(1);
            ApiError::from(Problem::unavailable(5)).into_response()
        }
    }
}

/// `/h/{code}/rest` is `/rest` at the hospital of that code.
fn named(hospitals: &Hospitals, mut request: Request) -> Result<Request, Problem> {
    let path = request.uri().path();
    let Some(rest) = path.strip_prefix("/h/") else { return Ok(request) };
    let (code, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let hospital = hospitals.by_code(code).ok_or_else(Problem::not_found)?;
    let query = request.uri().query().map(|q| format!("?{q}")).unwrap_or_default();
    let shorter: Uri = format!("/{rest}{query}").parse().map_err(|_| Problem::not_found())?;
    *request.uri_mut() = shorter;
    request.extensions_mut().insert(NamedHospital(hospital));
    Ok(request)
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
