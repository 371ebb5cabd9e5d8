//! Strict readers of bodies, queries and paths. What is wrong is named by field, in the caller's language.

use axum::extract::{FromRequest, FromRequestParts, Request};
use base::{Kind, Problem};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::ApiError;

/// The most characters of a field's name that are told back.
const LONGEST_NAME: usize = 100;

/// A JSON body of type `T`. Unknown fields are refused when `T` says `deny_unknown_fields`, which all of ours do.
#[derive(Debug, Clone)]
pub struct ApiJson<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for ApiJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
        let essence = kind.split(';').next().unwrap_or("").trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(Problem::new(
                Kind::MediaType,
                "json_expected",
                "请求内容必须是 JSON（Content-Type: application/json）。",
                "The body must be JSON (Content-Type: application/json).",
            )
            .into());
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            if rejection.status() == http::StatusCode::PAYLOAD_TOO_LARGE { too_large() } else { cut_off() }
        })?;
        parse(&bytes).map(Self).map_err(ApiError::from)
    }
}

/// 413: the body is larger than any that we need.
#[must_use]
pub fn too_large() -> Problem {
    Problem::new(Kind::TooLarge, "body_too_large", "请求内容过大。", "The body is too large.")
}

fn cut_off() -> Problem {
    Problem::new(
        Kind::Malformed,
        "body_unreadable",
        "请求内容没有完整收到，请重试。",
        "The body did not arrive whole. Please try again.",
    )
}

/// Reads JSON strictly; the problem names the field at fault.
///
/// # Errors
/// 400 `json_malformed`; 422 `unknown_field`, `missing_field`, `wrong_type` or `wrong_value`.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // Serde would read a struct from a list of its values in their order, which nobody means.
    if bytes.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'[') {
        return Err(if is_json(bytes) { wrong_type(".") } else { malformed() });
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        from_serde(&path, error.inner(), bytes)
    })?;
    reader.end().map_err(|_| malformed())?;
    Ok(value)
}

fn malformed() -> Problem {
    Problem::new(
        Kind::Malformed,
        "json_malformed",
        "请求内容不是正确的 JSON。",
        "The body is not well-formed JSON.",
    )
}

/// Whether it is JSON at all. Only asked when something is wrong.
fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(bytes).is_ok()
}

fn wrong_type(path: &str) -> Problem {
    invalid("wrong_type", path.to_owned(), "类型不对", "this has the wrong type")
}

fn from_serde(path: &str, error: &serde_json::Error, bytes: &[u8]) -> Problem {
    use serde_json::error::Category;
    if matches!(error.classify(), Category::Syntax | Category::Eof | Category::Io) {
        // A truth value where one of several words should be is a mistake of syntax to serde, and to nobody else.
        return if is_json(bytes) { wrong_type(path) } else { malformed() };
    }
    let text = error.to_string();
    let quoted = text.split('`').nth(1).unwrap_or("").to_owned();
    let below =
        |name: &str| if path == "." || path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    if text.starts_with("unknown field") {
        let field =
            if path.ends_with(&quoted) && !quoted.is_empty() { path.to_owned() } else { below(&quoted) };
        return invalid("unknown_field", field, "没有这个字段", "there is no such field");
    }
    if text.starts_with("missing field") {
        return invalid("missing_field", below(&quoted), "缺少这个字段", "this field is missing");
    }
    if text.starts_with("invalid type") {
        return wrong_type(path);
    }
    invalid("wrong_value", path.to_owned(), "值不对", "this value is not allowed")
}

fn invalid(code: &'static str, field: String, zh: &str, en: &str) -> Problem {
    // The name may be the caller's own invention, and as long as the body.
    let field: String = field.chars().take(LONGEST_NAME).collect();
    Problem::new(Kind::Invalid, code, format!("{field}：{zh}。"), format!("{field}: {en}."))
        .field(field, code, zh, en)
}

/// A query string of type `T`.
#[derive(Debug, Clone)]
pub struct ApiQuery<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for ApiQuery<T> {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(rejection) => {
                let text = rejection.body_text();
                let field = text.split('`').nth(1).unwrap_or("query").to_owned();
                Err(invalid("query_invalid", field, "查询参数不对", "this query parameter is not allowed")
                    .into())
            }
        }
    }
}

/// A path parameter of type `T`; a text that can't be one is 404, like an id that does not exist.
#[derive(Debug, Clone)]
pub struct ApiPath<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for ApiPath<T> {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(_) => Err(Problem::not_found().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read into")]
    struct Person {
        name: String,
        document: Document,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read into")]
    struct Document {
        number: u8,
        #[serde(default)]
        kind: Option<Kind>,
    }

    #[derive(Debug, serde::Deserialize)]
    enum Kind {
        Passport,
    }

    #[test]
    fn the_field_at_fault_is_named() {
        for (body, code, field) in [
            (r#"{"name":"a","document":{"number":1},"x":1}"#, "unknown_field", "x"),
            (r#"{"name":"a","document":{"number":1,"y":2}}"#, "unknown_field", "document.y"),
            (r#"{"document":{"number":1}}"#, "missing_field", "name"),
            (r#"{"name":"a","document":{}}"#, "missing_field", "document.number"),
            (r#"{"name":1,"document":{"number":1}}"#, "wrong_type", "name"),
            (r#"{"name":"a","document":{"number":300}}"#, "wrong_value", "document.number"),
            (r#"{"name":"a","document":{"number":1,"kind":true}}"#, "wrong_type", "document.kind"),
            (r#"{"name":"a","document":{"number":1,"kind":"Card"}}"#, "wrong_value", "document.kind"),
            (r#" ["a",{"number":1}]"#, "wrong_type", "."),
            ("null", "wrong_type", "."),
        ] {
            let problem = parse::<Person>(body.as_bytes()).unwrap_err();
            assert_eq!((problem.code, problem.fields[0].field.as_str()), (code, field), "{body}");
        }
        for body in ["", "{", "nonsense", r#"{"name":"a","document":{"number":1}} x"#] {
            assert_eq!(parse::<Person>(body.as_bytes()).unwrap_err().code, "json_malformed", "{body}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_body_panics(bytes: Vec<u8>) {
            let _ = parse::<Person>(&bytes);
        }
    }
}
