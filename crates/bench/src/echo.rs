//! The smallest server that does anything: bare axum that gives back what it was sent. It runs as a process of its own
//! (`bench echo ADDRESS`) and is what the machine could do at most over HTTP with the same load generator beside it.

use std::net::SocketAddr;

use anyhow::Result;
use axum::body::Bytes;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;

/// Serves until the process is ended: `GET /readyz` is empty, `POST /json` reads and writes JSON, any other POST gives the
/// same bytes back.
pub(crate) async fn serve(address: SocketAddr) -> Result<bool> {
    let listener = server::http::listen(address)?;
    axum::serve(listener, routes()).await?;
    Ok(true)
}

fn routes() -> Router {
    Router::new()
        .route("/readyz", get(async || ""))
        .route("/json", post(async |body: Json<Value>| body))
        .route("/{*any}", post(async |body: Bytes| body))
}
