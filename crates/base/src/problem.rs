//! Problems: what a person did wrong, or what went wrong for them (RFC 9457).
//!
//! A problem has a stable `code` that programs rely on and a sentence in both languages that people read. Which HTTP
//! status it has follows from its kind. What happened inside (a database error, a platform's answer) is never part of it.

use std::sync::Arc;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

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
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its path in the request, `document.number`.
    pub field: String,
    /// What is wrong with it, stable.
    pub code: &'static str,
    /// The same for people.
    pub detail: Text2,
}

/// JSON that has been written before and is told to many.
#[derive(Debug, Clone)]
pub struct Written(Arc<RawValue>);

impl Written {
    /// Writes it; `None` for what has no form in JSON.
    pub fn of(value: &impl Serialize) -> Option<Self> {
        to_raw_value(value).ok().map(|raw| Self(raw.into()))
    }
}

impl PartialEq for Written {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
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
    extra: Vec<(&'static str, Member)>,
}

/// A further member of the answer.
#[derive(Debug, Clone, PartialEq)]
enum Member {
    Value(Value),
    Written(Written),
}

impl Problem {
    /// A problem with its sentence in Chinese and English.
    pub fn new(kind: Kind, code: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { kind, code, detail: Text2::new(zh, en), fields: Vec::new(), extra: Vec::new() }
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

    /// Adds a member to the answer, or replaces it.
    #[must_use]
    pub fn with(self, key: &'static str, value: impl Into<Value>) -> Self {
        self.and(key, Member::Value(value.into()))
    }

    /// As [`Self::with`], of what many are told.
    #[must_use]
    pub fn with_written(self, key: &'static str, value: Written) -> Self {
        self.and(key, Member::Written(value))
    }

    fn and(mut self, key: &'static str, member: Member) -> Self {
        self.extra.retain(|(known, _)| *known != key);
        self.extra.push((key, member));
        self
    }

    /// After how many seconds the same request may be sent again, where that is said.
    #[must_use]
    pub fn retry_after_s(&self) -> Option<u64> {
        self.extra.iter().find_map(|(key, member)| match member {
            Member::Value(value) if *key == "retry_after_s" => value.as_u64(),
            _ => None,
        })
    }

    /// The body of the answer (RFC 9457) in the caller's language. `request_id` is what the person can quote.
    #[must_use]
    pub fn told<'a>(&'a self, lang: Lang, request_id: &'a str) -> Told<'a> {
        Told { problem: self, lang, request_id, status: self.kind.status() }
    }

    /// As [`Self::told`], as part of an answer.
    #[must_use]
    pub fn body(&self, lang: Lang, request_id: &str) -> Value {
        serde_json::to_value(self.told(lang, request_id)).unwrap_or_default()
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

/// A problem as it is told: see [`Problem::told`].
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    problem: &'a Problem,
    lang: Lang,
    request_id: &'a str,
    /// The HTTP status: that of the problem's kind, or a neighbour of it.
    pub status: u16,
}

impl Serialize for Told<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { problem, lang, request_id, status } = *self;
        let mut body = serializer.serialize_map(None)?;
        body.serialize_entry("type", "about:blank")?;
        body.serialize_entry("status", &status)?;
        body.serialize_entry("code", problem.code)?;
        body.serialize_entry("title", problem.detail.get(lang))?;
        body.serialize_entry("detail", problem.detail.get(lang))?;
        body.serialize_entry("request_id", request_id)?;
        if !problem.fields.is_empty() {
            let fields: Vec<_> = problem.fields.iter().map(|field| ToldField { field, lang }).collect();
            body.serialize_entry("fields", &fields)?;
        }
        for (key, member) in &problem.extra {
            match member {
                Member::Value(value) => body.serialize_entry(key, value)?,
                Member::Written(Written(value)) => body.serialize_entry(key, value.as_ref())?,
            }
        }
        body.end()
    }
}

struct ToldField<'a> {
    field: &'a Field,
    lang: Lang,
}

impl Serialize for ToldField<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { field, lang } = *self;
        let mut body = serializer.serialize_map(Some(3))?;
        body.serialize_entry("field", &field.field)?;
        body.serialize_entry("code", field.code)?;
        body.serialize_entry("detail", field.detail.get(lang))?;
        body.end()
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
        let near = Written::of(&["slt_1"]).unwrap();
        let told = problem.with_written("nearest", near).body(Lang::En, "r1");
        assert_eq!((&told["nearest"][0], &told["limit"]), (&"slt_1".into(), &5.into()));
    }
}
