//! What can go wrong with a call.

use super::codes::{self, Advice, Class};

/// Any error, for the token store's own.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a call failed. None of them holds a token, a secret or an address with one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// WeChat understood the call and refused it.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// No connection came about: the call surely did not arrive.
    #[error("WeChat could not be reached")]
    NotSent(#[source] reqwest::Error),
    /// The connection broke, or time ran out, after the call may have been sent.
    #[error("no answer from WeChat; whether the call arrived is not known")]
    NoAnswer(#[source] reqwest::Error),
    /// An HTTP status other than 200, which WeChat itself does not use for errors: a gateway or a wrong address.
    #[error("WeChat's address answered HTTP {status}")]
    Status {
        /// The status.
        status: u16,
    },
    /// The call arrived, but its answer is not what the interface promises.
    #[error("WeChat's answer could not be read: {reason}")]
    Answer {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Found before sending; nothing was sent.
    #[error("{field}: {reason}")]
    Invalid {
        /// Which part of the request, by its name on the wire.
        field: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The token store failed; nothing was sent.
    #[error("the token store failed")]
    Store(#[source] BoxError),
    /// Another node is getting the token and has not finished in time; nothing was sent.
    #[error("another node is still getting the access token")]
    TokenBusy,
}

/// Can it have happened all the same?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Surely not done: it may be tried again.
    NotDone,
    /// It may have been done: try again only what is harmless twice, or what carries an idempotency key.
    Unknown,
}

impl Error {
    /// Whether a message may have gone out although this error came back.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::NoAnswer(_) | Self::Answer { .. } => Outcome::Unknown,
            Self::Status { status } if *status >= 500 => Outcome::Unknown,
            // "Busy" has been seen for calls that had gone through.
            Self::Api(error) if error.errcode == -1 => Outcome::Unknown,
            Self::Api(_)
            | Self::NotSent(_)
            | Self::Status { .. }
            | Self::Invalid { .. }
            | Self::Store(_)
            | Self::TokenBusy => Outcome::NotDone,
        }
    }

    /// WeChat's number, if it was WeChat that refused.
    pub fn errcode(&self) -> Option<i64> {
        match self {
            Self::Api(error) => Some(error.errcode),
            _ => None,
        }
    }

    pub(super) fn invalid(field: impl Into<String>, reason: &'static str) -> Self {
        Self::Invalid { field: field.into(), reason }
    }

    /// Sorts a failure of the HTTP client, and takes the address out of it: the token stands there.
    pub(super) fn transport(error: reqwest::Error) -> Self {
        let error = error.without_url();
        if error.is_connect() || error.is_builder() || error.is_dns() {
            Self::NotSent(error)
        } else {
            Self::NoAnswer(error)
        }
    }
}

/// WeChat's own refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("WeChat error {errcode}: {errmsg}")]
pub struct ApiError {
    /// The number.
    pub errcode: i64,
    /// WeChat's text, with our secrets masked.
    pub errmsg: String,
    /// The request's id at WeChat, by which `/cgi-bin/openapi/rid/get` shows details for seven days.
    pub rid: Option<String>,
    /// What sort of remedy it needs.
    pub class: Class,
    /// What to do, for a person.
    pub advice: Advice,
}

impl ApiError {
    pub(super) fn new(errcode: i64, errmsg: &str, masks: &Masks<'_>) -> Self {
        let (class, advice) = codes::look_up(errcode);
        let errmsg = masks.apply(errmsg);
        Self { errcode, rid: rid(&errmsg), errmsg, class, advice }
    }

    /// The field at fault as 47003 names it: `thing1` in `argument invalid! data.thing1.value …`.
    pub fn field(&self) -> Option<&str> {
        let (_, rest) = self.errmsg.split_once("data.")?;
        let name = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()?;
        Some(name).filter(|name| !name.is_empty())
    }
}

/// `errmsg` often ends in `rid: 5f3a-…` or `rid=[…]`.
fn rid(errmsg: &str) -> Option<String> {
    let (_, rest) = errmsg.rsplit_once("rid")?;
    let id: String = rest
        .trim_start_matches([':', '=', ' ', '['])
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '-')
        .collect();
    Some(id).filter(|id| !id.is_empty())
}

/// Texts that must not come back to us in an error message.
pub(super) struct Masks<'a>(pub(super) &'a [&'a str]);

impl Masks<'_> {
    fn apply(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for secret in self.0.iter().filter(|secret| !secret.is_empty()) {
            out = out.replace(secret, "***");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_and_the_request_id_are_found() {
        let masks = Masks(&["t0ken", ""]);
        let error = ApiError::new(47003, "argument invalid! data.thing1.value rid: 66ab-12cd-ef", &masks);
        assert_eq!(error.field(), Some("thing1"));
        assert_eq!(error.rid.as_deref(), Some("66ab-12cd-ef"));
        let error = ApiError::new(40001, "invalid credential t0ken rid=[5f-1]", &masks);
        assert_eq!((error.field(), error.rid.as_deref()), (None, Some("5f-1")));
        assert_eq!(error.to_string(), "WeChat error 40001: invalid credential *** rid=[5f-1]");
        assert_eq!(ApiError::new(1, "rid", &masks).rid, None);
    }

    #[test]
    fn only_what_surely_was_not_done_may_be_repeated() {
        let api = |code| Error::Api(ApiError::new(code, "", &Masks(&[])));
        assert_eq!(api(-1).outcome(), Outcome::Unknown);
        assert_eq!(api(43004).outcome(), Outcome::NotDone);
        assert_eq!(Error::Status { status: 502 }.outcome(), Outcome::Unknown);
        assert_eq!(Error::Status { status: 404 }.outcome(), Outcome::NotDone);
        assert_eq!(Error::Answer { reason: "" }.outcome(), Outcome::Unknown);
        assert_eq!(Error::TokenBusy.outcome(), Outcome::NotDone);
    }
}
