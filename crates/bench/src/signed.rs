//! Whoever has signed in, and their requests: JSON there and back.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use hyper::header::{CONTENT_TYPE, COOKIE, HOST, HeaderValue};
use hyper::{Method, Request};
use serde_json::Value;

use crate::load::{Answer, Line};

/// A session as a browser holds it.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    /// `name=value`.
    pub(crate) cookie: HeaderValue,
    /// The token against other sites' requests.
    pub(crate) csrf: HeaderValue,
}

/// Asks for or sends JSON; gives the answer as it came.
pub(crate) async fn send(
    line: &mut Line,
    address: SocketAddr,
    who: Option<&Signed>,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Answer> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, HeaderValue::from_str(&address.to_string())?);
    if let Some(who) = who {
        request = request.header(COOKIE, &who.cookie).header("x-csrf", &who.csrf);
    }
    if body.is_some() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    line.send(request.body(body.map(Value::to_string).unwrap_or_default())?).await
}

/// As [`send`], and the answer must be good.
pub(crate) async fn good(
    line: &mut Line,
    address: SocketAddr,
    who: Option<&Signed>,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Value> {
    let answer = send(line, address, who, method, path, body).await?;
    ensure!((200..300).contains(&answer.status), "{path}: {} {}", answer.status, answer.text());
    serde_json::from_slice(answer.bytes()).with_context(|| path.to_owned())
}

/// A text in an answer.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> Result<&'a str> {
    value.pointer(pointer).and_then(Value::as_str).with_context(|| format!("{pointer} is not in {value}"))
}
