//! HTTP without meaning: send bytes, read a bounded answer.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, Url};

use crate::outcome::{Doubt, Retry, Why};

/// More than any answer that is no file.
const MAX_ANSWER: usize = 2 << 20;

/// An answer as it came.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// One header; `None` also when it is not text or comes twice, so that nobody can be shown the one and another the other.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        single(&self.headers, name)
    }
}

pub(crate) fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut all = headers.get_all(name).iter();
    let one = all.next()?.to_str().ok()?;
    all.next().is_none().then_some(one)
}

/// Sends once. The error says whether it may have arrived.
pub(crate) async fn send(
    http: &reqwest::Client,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Vec<u8>,
    timeout: Duration,
) -> Result<Answer, Doubt> {
    let mut request = http.request(method, url).headers(headers).timeout(timeout);
    if !body.is_empty() {
        request = request.body(body);
    }
    let mut response = request.send().await.map_err(|error| lost(&error))?;
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let mut body = Vec::new();
    while let Some(chunk) =
        response.chunk().await.map_err(|error| no_answer(error.without_url().to_string()))?
    {
        if body.len().saturating_add(chunk.len()) > MAX_ANSWER {
            return Err(no_answer("too large".into()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers, body })
}

/// Fetches a file piece by piece into `sink`, at most `max` bytes. Gives the status; other than 200 nothing was written.
pub(crate) async fn download(
    http: &reqwest::Client,
    url: Url,
    headers: HeaderMap,
    timeout: Duration,
    max: u64,
    sink: &mut (dyn std::io::Write + Send),
) -> Result<u16, Doubt> {
    let request = http.request(Method::GET, url).headers(headers).timeout(timeout);
    let mut response = request.send().await.map_err(|error| lost(&error))?;
    let status = response.status().as_u16();
    if status != 200 {
        return Ok(status);
    }
    let mut seen = 0_u64;
    while let Some(chunk) =
        response.chunk().await.map_err(|error| no_answer(error.without_url().to_string()))?
    {
        seen = seen.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if seen > max {
            return Err(no_answer("the file is too large".into()));
        }
        sink.write_all(&chunk).map_err(|error| no_answer(error.to_string()))?;
    }
    Ok(status)
}

fn lost(error: &reqwest::Error) -> Doubt {
    // Only a connection that was never made is known not to have carried anything.
    if error.is_connect() || error.is_builder() {
        let why = Why::NotSent(cause(error));
        return Doubt { why, retry: Retry::SameNumber, request_id: None };
    }
    no_answer(cause(error))
}

/// The innermost reason; reqwest's own words carry the address, which may hold a number.
fn cause(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    let mut text = String::from("request failed");
    while let Some(next) = inner.source() {
        text = next.to_string();
        inner = next;
    }
    text
}

fn no_answer(why: String) -> Doubt {
    Doubt { why: Why::NoAnswer(why), retry: Retry::QueryThenSame, request_id: None }
}
