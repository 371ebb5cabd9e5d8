//! `/healthz` (the program runs), `/readyz` (it can serve), `/metrics` (Prometheus).

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::OnceLock;
use store::Db;

/// The three routes.
pub fn routes(db: Db) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(measured))
        .with_state(db)
}

async fn ready(State(db): State<Db>) -> Response {
    match db.ping().await {
        Ok(()) => "ready".into_response(),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, [(CONTENT_TYPE, "text/plain")], "the database does not answer")
                .into_response()
        }
    }
}

async fn measured(State(db): State<Db>) -> Response {
    // Backlogs are looked at when somebody asks: an idle program does no work for them.
    for (name, value) in [
        ("store_events_waiting", store::events::backlog(&db).await),
        ("store_event_failures", store::events::failures(&db).await),
        ("store_jobs_waiting", store::jobs::waiting(&db).await),
        ("store_audit_unlinked", store::audit::unlinked(&db).await),
        ("wechat_pushes_waiting", crate::entrance::backlog(&db).await),
    ] {
        if let Ok(value) = value {
            let value = i32::try_from(value).unwrap_or(i32::MAX);
            metrics::gauge!(name).set(f64::from(value));
        }
    }
    let live = i32::try_from(db.live().watchers()).unwrap_or(i32::MAX);
    metrics::gauge!("live_watchers").set(f64::from(live));
    match recorder() {
        Some(handle) => ([(CONTENT_TYPE, "text/plain; version=0.0.4")], handle.render()).into_response(),
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// The recorder of this process; several servers in one process (a test, the demo) share it.
pub fn recorder() -> Option<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    HANDLE
        .get_or_init(|| metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder().ok())
        .as_ref()
}
