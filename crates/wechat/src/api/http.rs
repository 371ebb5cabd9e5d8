//! Requests and answers on the wire, before anything is known of their meaning.

use std::time::Duration;

use reqwest::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, Url};
use serde_json::Value;

use super::error::{ApiError, Masks};
use super::{Config, Error};
use crate::Secret;

/// More than any answer we ask for: media are at most 10 MB, a page of openids a third of one.
const MAX_ANSWER: usize = 24 << 20;

/// A request that can be sent more than once (another token, another host).
#[derive(Clone)]
pub(super) struct Request {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Body,
    /// Changes nothing, or nothing more the second time: it may go to the backup host after a time-out.
    repeatable: bool,
}

#[derive(Clone)]
enum Body {
    None,
    Json(Value),
    File { name: &'static str, mime: String, bytes: Vec<u8> },
}

impl Request {
    /// Reads something.
    pub(super) fn get(path: &str) -> Self {
        Self::new(Method::GET, path, Body::None, true)
    }

    /// Does something.
    pub(super) fn post(path: &str, body: Value) -> Self {
        Self::new(Method::POST, path, Body::Json(body), false)
    }

    /// Sends a file in the multipart field `media`. `name` is what WeChat tells the type by: ASCII, with the right ending.
    pub(super) fn upload(path: &str, name: &'static str, mime: &str, bytes: Vec<u8>) -> Self {
        Self::new(Method::POST, path, Body::File { name, mime: mime.to_owned(), bytes }, true)
    }

    fn new(method: Method, path: &str, body: Body, repeatable: bool) -> Self {
        Self { method, path: path.to_owned(), query: Vec::new(), body, repeatable }
    }

    /// With a parameter in the address.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A POST that only reads, or a GET that may be done once only.
    pub(super) fn repeatable(mut self, repeatable: bool) -> Self {
        self.repeatable = repeatable;
        self
    }
}

/// The HTTP client and the two hosts.
pub(super) struct Transport {
    http: reqwest::Client,
    base: String,
    backup: Option<String>,
    timeout: Duration,
}

impl Transport {
    pub(super) fn new(http: reqwest::Client, config: &Config) -> Self {
        Self {
            http,
            base: config.bases.api.clone(),
            backup: config.bases.api_backup.clone(),
            timeout: config.timeout,
        }
    }

    /// Sends once, or to the backup host as well when that cannot do a thing twice.
    pub(super) async fn send(&self, request: &Request, token: Option<&Secret>) -> Result<Answer, Error> {
        let failed = match self.send_to(&self.base, request, token).await {
            Ok(answer) => return Ok(answer),
            Err(failed) => failed,
        };
        let elsewhere = match failed {
            Error::NotSent(_) => true,
            Error::NoAnswer(_) => request.repeatable,
            _ => false,
        };
        match &self.backup {
            Some(backup) if elsewhere => {
                tracing::warn!(path = request.path, error = %failed, "trying WeChat's other region");
                self.send_to(backup, request, token).await
            }
            _ => Err(failed),
        }
    }

    async fn send_to(&self, base: &str, request: &Request, token: Option<&Secret>) -> Result<Answer, Error> {
        let url = address(base, request, token)?;
        let mut builder = self.http.request(request.method.clone(), url).timeout(self.timeout);
        builder = match &request.body {
            Body::None => builder,
            // serde_json writes UTF-8 as it is: WeChat shows `\u4f60` as such, or refuses it (40033).
            Body::Json(value) => {
                builder.header(CONTENT_TYPE, "application/json; charset=utf-8").body(value.to_string())
            }
            Body::File { name, mime, bytes } => {
                let part = Part::bytes(bytes.clone())
                    .file_name(*name)
                    .mime_str(mime)
                    .map_err(|_| Error::invalid("media", "not a media type"))?;
                builder.multipart(Form::new().part("media", part))
            }
        };
        let mut response = builder.send().await.map_err(Error::transport)?;
        let status = response.status();
        if status.as_u16() != 200 {
            return Err(Error::Status { status: status.as_u16() });
        }
        let header =
            |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (content_type, disposition) = (header(CONTENT_TYPE), header(CONTENT_DISPOSITION));
        let mut bytes = Vec::new();
        // From here on the call has arrived, whatever breaks.
        while let Some(chunk) =
            response.chunk().await.map_err(|error| Error::NoAnswer(error.without_url()))?
        {
            if bytes.len().saturating_add(chunk.len()) > MAX_ANSWER {
                return Err(Error::Answer { reason: "too large" });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Answer { bytes, content_type, disposition })
    }
}

/// The whole address. Parameters are percent-encoded; the token comes last, as people who read logs expect.
fn address(base: &str, request: &Request, token: Option<&Secret>) -> Result<Url, Error> {
    if !request.path.starts_with('/') {
        return Err(Error::invalid("path", "must begin with /"));
    }
    let mut url = Url::parse(&format!("{}{}", base.trim_end_matches('/'), request.path))
        .map_err(|_| Error::invalid("base", "not an address"))?;
    if !request.query.is_empty() || token.is_some() {
        let mut pairs = url.query_pairs_mut();
        for (name, value) in &request.query {
            pairs.append_pair(name, value);
        }
        if let Some(token) = token {
            pairs.append_pair("access_token", token.reveal());
        }
    }
    Ok(url)
}

/// What came back with status 200. Its Content-Type proves nothing: JSON comes as `text/plain` too.
pub(super) struct Answer {
    pub(super) bytes: Vec<u8>,
    pub(super) content_type: Option<String>,
    pub(super) disposition: Option<String>,
}

impl Answer {
    /// Reads JSON. An `errcode` other than 0 is an error; a missing one is not.
    pub(super) fn json(self, masks: &Masks<'_>) -> Result<Value, Error> {
        parse(&self.bytes, masks)
    }
}

/// See [`Answer::json`].
pub(super) fn parse(bytes: &[u8], masks: &Masks<'_>) -> Result<Value, Error> {
    const NOT_JSON: Error = Error::Answer { reason: "not a JSON object" };
    let value: Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        // Remarks and templates written by people come with raw control characters in them, which JSON forbids.
        Err(_) => {
            let clean: Vec<u8> = bytes.iter().map(|byte| if *byte < 0x20 { b' ' } else { *byte }).collect();
            serde_json::from_slice(&clean).map_err(|_| NOT_JSON)?
        }
    };
    if !value.is_object() {
        return Err(NOT_JSON);
    }
    match value.get("errcode").and_then(Value::as_i64) {
        None | Some(0) => Ok(value),
        Some(errcode) => {
            let errmsg = value.get("errmsg").and_then(Value::as_str).unwrap_or_default();
            Err(Error::Api(ApiError::new(errcode, errmsg, masks)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_keep_a_query_of_the_path_and_encode_the_rest() {
        let request = Request::get("/a/b?x=1").with("openid", "o&1").with("q", "中");
        let url = address("http://h.example/base/", &request, Some(&"t+".into())).unwrap();
        assert_eq!(url.as_str(), "http://h.example/base/a/b?x=1&openid=o%261&q=%E4%B8%AD&access_token=t%2B");
        let bare = address("http://h.example", &Request::get("/a"), None).unwrap();
        assert_eq!(bare.as_str(), "http://h.example/a");
        assert!(address("http://h.example", &Request::get("evil.example/"), None).is_err());
        assert!(address("not an address", &Request::get("/a"), None).is_err());
    }

    #[test]
    fn an_answer_is_judged_by_its_errcode_only() {
        let masks = Masks(&[]);
        assert!(parse(br#"{"ticket":"x"}"#, &masks).is_ok());
        assert!(parse(br#"{"errcode":0,"errmsg":"ok"}"#, &masks).is_ok());
        assert!(parse(b"{\"remark\":\"a\tb\x01\"}", &masks).is_ok());
        assert!(matches!(parse(br#"{"errcode":40037}"#, &masks), Err(Error::Api(e)) if e.errcode == 40037));
        for bad in [&b""[..], b"<html>", b"[]", b"\"x\"", b"{", b"\xff\xfe"] {
            assert!(matches!(parse(bad, &masks), Err(Error::Answer { .. })));
        }
    }
}
