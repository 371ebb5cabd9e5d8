//! Bare axum that answers with bytes from a file: what any server could do at most with these answers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};

/// Answers by path.
pub(crate) type Answers = BTreeMap<String, Plain>;

/// An answer as it goes out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Plain {
    /// The status.
    pub(crate) status: u16,
    /// The headers, without those that any server adds by itself.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: String,
}

type Ready = (StatusCode, HeaderMap, Bytes);

/// Serves until the process is ended.
pub(crate) async fn serve(address: SocketAddr, file: &Path) -> Result<bool> {
    let answers: Answers = serde_json::from_slice(&std::fs::read(file)?)?;
    let mut ready: BTreeMap<String, Ready> = BTreeMap::new();
    for (path, plain) in answers {
        let mut headers = HeaderMap::new();
        for (name, value) in &plain.headers {
            headers.insert(HeaderName::try_from(name.as_str())?, HeaderValue::from_str(value)?);
        }
        ready.insert(path, (StatusCode::from_u16(plain.status)?, headers, plain.body.into()));
    }
    let listener = server::http::listen(address)?;
    axum::serve(listener, Router::new().fallback(answer).with_state(Arc::new(ready))).await?;
    Ok(true)
}

async fn answer(State(ready): State<Arc<BTreeMap<String, Ready>>>, uri: Uri) -> Response {
    match ready.get(uri.path_and_query().map_or("", |path| path.as_str())) {
        Some((status, headers, body)) => (*status, headers.clone(), body.clone()).into_response(),
        None => StatusCode::OK.into_response(),
    }
}
