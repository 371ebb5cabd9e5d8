//! Problems: what a person did wrong, or what went wrong for them (RFC 9457).
//!
//! A problem has a stable `code` that programs rely on and a sentence in both languages that people read. Which HTTP
//! status it has follows from its kind. What happened inside (a database error, a platform's answer) is never part of it.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::lang::{Lang, Text2};

/// What sort of problem it is; decides the HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// 400: the request can't be read.
    Malformed,
    /// 401: nobody is signed in.
    SignIn,
    /// 403: somebody is signed in who may not do this.
    Forbidden,
    /// 404: not there, or the caller must not know that it is.
    NotFound,
    /// 405: the address exists, the method does not.
    Method,
    /// 409: the request is fine, the state of things is against it.
    Conflict,
    /// 410: it was there and is over (an expired code).
    Gone,
    /// 413: too large.
    TooLarge,
    /// 415: a body of another type.
    MediaType,
    /// 422: the request can be read, but a value in it is wrong.
    Invalid,
    /// 428: a header that this request needs is missing.
    Required,
    /// 429: too often.
    TooMany,
    /// 500: our fault.
    Internal,
    /// 502: a system that we asked answered wrongly.
    Upstream,
    /// 503: not now; the same request may be sent again.
    Unavailable,
}

impl Kind {
    /// The HTTP status.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::SignIn => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Method => 405,
            Self::Conflict => 409,
            Self::Gone => 410,
            Self::TooLarge => 413,
            Self::MediaType => 415,
            Self::Invalid => 422,
            Self::Required => 428,
            Self::TooMany => 429,
            Self::Internal => 500,
            Self::Upstream => 502,
            Self::Unavailable => 503,
        }
    }
}

/// A field at fault.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Field {
    /// Its path in the request, `document.number`.
    pub field: String,
    /// What is wrong with it, stable.
    pub code: &'static str,
    /// The same for people.
    #[serde(skip)]
    pub detail: Text2,
}

/// A problem to be told to the caller.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{code}")]
pub struct Problem {
    /// Decides the HTTP status.
    pub kind: Kind,
    /// Stable; programs and language files know it.
    pub code: &'static str,
    /// One or two sentences: what is wrong and what to do, in both languages.
    pub detail: Text2,
    /// The fields at fault.
    pub fields: Vec<Field>,
    /// Further members of the answer (`opens_at`, `limit`, `retry_after_s`).
    pub extra: Map<String, Value>,
}

impl Problem {
    /// A problem with its sentence in Chinese and English.
    pub fn new(kind: Kind, code: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { kind, code, detail: Text2::new(zh, en), fields: Vec::new(), extra: Map::new() }
    }

    /// Adds a field at fault.
    #[must_use]
    pub fn field(
        mut self,
        field: impl Into<String>,
        code: &'static str,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        self.fields.push(Field { field: field.into(), code, detail: Text2::new(zh, en) });
        self
    }

    /// Adds a member to the answer.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(key.to_owned(), value.into());
        self
    }

    /// The body of the answer (RFC 9457) in the caller's language. `request_id` is what the person can quote.
    #[must_use]
    pub fn body(&self, lang: Lang, request_id: &str) -> Value {
        let mut body = self.extra.clone();
        body.insert("type".into(), "about:blank".into());
        body.insert("status".into(), self.kind.status().into());
        body.insert("code".into(), self.code.into());
        body.insert("title".into(), self.detail.get(lang).into());
        body.insert("detail".into(), self.detail.get(lang).into());
        body.insert("request_id".into(), request_id.into());
        if !self.fields.is_empty() {
            let fields = self
                .fields
                .iter()
                .map(|f| serde_json::json!({"field": f.field, "code": f.code, "detail": f.detail.get(lang)}));
            body.insert("fields".into(), fields.collect());
        }
        Value::Object(body)
    }

    /// 404: not there, or not for this caller.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(Kind::NotFound, "not_found", "没有找到这项内容。", "This was not found.")
    }

    /// 401: please sign in.
    #[must_use]
    pub fn sign_in() -> Self {
        Self::new(Kind::SignIn, "sign_in_required", "请先登录。", "Please sign in first.")
    }

    /// 403: signed in, but not allowed.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(
            Kind::Forbidden,
            "forbidden",
            "您没有进行这项操作的权限。",
            "You are not allowed to do this.",
        )
    }

    /// 500: our fault; the cause is in the log under the request id.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(
            Kind::Internal,
            "internal",
            "系统出了点问题，请稍后再试。如果一直这样，请把请求编号告诉医院。",
            "Something went wrong on our side. Please try again; if it persists, tell the hospital the request number.",
        )
    }

    /// 503: not now. The same request with the same idempotency key is safe to repeat.
    #[must_use]
    pub fn unavailable(retry_after_s: u32) -> Self {
        Self::new(
            Kind::Unavailable,
            "try_again",
            "系统正忙，请稍等片刻再试，不会重复办理。",
            "The system is busy. Please try again in a moment; nothing is done twice.",
        )
        .with("retry_after_s", retry_after_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_in_the_callers_language() {
        let problem =
            Problem::new(Kind::Invalid, "name_invalid", "请填写真实姓名。", "Please enter the real name.")
                .field("name", "empty", "不能为空", "must not be empty")
                .with("limit", 5);
        let zh = problem.body(Lang::Zh, "r1");
        assert_eq!(zh["detail"], "请填写真实姓名。");
        assert_eq!(zh["status"], 422);
        assert_eq!(zh["limit"], 5);
        let en = problem.body(Lang::En, "r1");
        assert_eq!(en["fields"][0]["detail"], "must not be empty");
        assert_eq!(en["request_id"], "r1");
    }
}
