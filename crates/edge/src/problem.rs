//! Problems on the wire.
//!
//! A handler fails with [`ApiError`]. The answer leaves it without a body: the layer around all routes writes the body in
//! the caller's language and with the request's id (see [`crate::layers`]).

use axum::response::{IntoResponse, Response};
use base::Problem;
use http::StatusCode;

/// A handler's failure.
#[derive(Debug, Clone)]
pub struct ApiError(pub Box<Problem>);

/// What a handler gives.
pub type ApiResult<T> = Result<T, ApiError>;

impl<E: Into<Problem>> From<E> for ApiError {
    fn from(error: E) -> Self {
        Self(Box::new(error.into()))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The wire form of a problem, for the API description.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Always `about:blank`; programs go by `code`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status again.
    pub status: u16,
    /// Stable code.
    pub code: String,
    /// One sentence in the caller's language.
    pub title: String,
    /// The same, or more of it.
    pub detail: String,
    /// What the person can quote to the hospital.
    pub request_id: String,
    /// The fields at fault.
    #[schema(required = false)]
    pub fields: Vec<FieldBody>,
}

/// A field at fault.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = ProblemField)]
pub struct FieldBody {
    /// Its path in the request.
    pub field: String,
    /// What is wrong with it.
    pub code: String,
    /// The same for people.
    pub detail: String,
}
