//! What a call to a platform came to, and what may be done next.

use std::fmt;

use base::Fen;

use crate::Verified;

/// What became of a call. There is no shortcut past [`Outcome::Unknown`] on purpose: whoever calls must say what they do
/// when it is not known whether money moves.
#[derive(Debug)]
#[must_use = "an unknown outcome has to be asked about"]
pub enum Outcome<T> {
    /// The platform did it, and said so under its signature.
    Done(Verified<T>),
    /// The platform says no, or we did not send it: this call moves nothing.
    Refused(Refusal),
    /// Nobody can say. Query by our number, then act by [`Doubt::retry`].
    Unknown(Doubt),
}

/// When a call may be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// A mistake or a rule: repeating changes nothing; somebody must look.
    Never,
    /// The same bytes under the same number, later (after a top-up, a pause, or when it was not sent at all).
    SameNumber,
    /// Only under a new number.
    NewNumber,
    /// Query first; when the query shows that nothing was done, the same bytes under the same number.
    QueryThenSame,
}

/// An explicit no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The platform's code (`NOT_ENOUGH`, `ACQ.TRADE_HAS_FINISHED`, `40004`…); `CLOCK` and `LOCAL` are ours.
    pub code: String,
    /// The platform's words, for staff and logs.
    pub message: String,
    /// HTTP status; 0 when nothing was sent.
    pub status: u16,
    /// What may be done.
    pub retry: Retry,
    /// The platform's id of this call, for its support.
    pub request_id: Option<String>,
}

/// An outcome that is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// Why.
    pub why: Why,
    /// What may be done.
    pub retry: Retry,
    /// The platform's id of this call, when an answer came.
    pub request_id: Option<String>,
}

/// Why an outcome is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// The connection was never made: most likely nothing happened.
    NotSent(String),
    /// Sent, but no whole answer came.
    NoAnswer(String),
    /// The platform is in trouble or wants us to slow down (429).
    Trouble {
        /// HTTP status.
        status: u16,
        /// Its code, when it gave one.
        code: String,
    },
    /// An answer that does not prove itself; it may be anybody's.
    NotProved(String),
    /// Proved, but not what was asked for.
    Unreadable(&'static str),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent(why) => write!(f, "not sent: {why}"),
            Self::NoAnswer(why) => write!(f, "no answer: {why}"),
            Self::Trouble { status, code } => write!(f, "trouble over there: {status} {code}"),
            Self::NotProved(why) => write!(f, "the answer does not prove itself: {why}"),
            Self::Unreadable(why) => write!(f, "unreadable answer: {why}"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused: {} {} ({})", self.status, self.code, self.message)
    }
}

impl<T> Outcome<T> {
    pub(crate) fn unknown(why: Why, retry: Retry, request_id: Option<String>) -> Self {
        Self::Unknown(Doubt { why, retry, request_id })
    }

    /// The value, when it is done; tests and reports use it, flows match.
    #[must_use]
    pub fn done(self) -> Option<Verified<T>> {
        match self {
            Self::Done(value) => Some(value),
            Self::Refused(_) | Self::Unknown(_) => None,
        }
    }

    /// Reads on in what was proved: an answer that does not say what it must is an unknown outcome.
    pub(crate) fn and_read<U>(self, read: impl FnOnce(T) -> Result<U, &'static str>) -> Outcome<U> {
        match self {
            Self::Done(value) => {
                let by = value.by().to_owned();
                match read(value.into_inner()) {
                    Ok(value) => Outcome::Done(Verified::seal(value, by)),
                    Err(why) => Outcome::unknown(Why::Unreadable(why), Retry::QueryThenSame, None),
                }
            }
            Self::Refused(refusal) => Outcome::Refused(refusal),
            Self::Unknown(doubt) => Outcome::Unknown(doubt),
        }
    }
}

/// A call that we must not even build: the platform would refuse it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct Invalid {
    /// The field as the platform calls it.
    pub field: &'static str,
    /// What it must be.
    pub why: &'static str,
}

impl Invalid {
    pub(crate) fn new(field: &'static str, why: &'static str) -> Self {
        Self { field, why }
    }

    /// Refuses unless `fine`.
    pub(crate) fn unless(fine: bool, field: &'static str, why: &'static str) -> Result<(), Self> {
        if fine { Ok(()) } else { Err(Self::new(field, why)) }
    }

    /// As an outcome: nothing was sent.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        Refusal {
            code: "LOCAL".into(),
            message: self.to_string(),
            status: 0,
            retry: Retry::Never,
            request_id: None,
        }
    }
}

/// What we know of an order, to hold what a platform says against. Amounts are the order's total, not what is left after
/// coupons.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// WeChat's mchid, Alipay's seller_id.
    pub merchant: &'a str,
    /// WeChat's appid, Alipay's app_id.
    pub app: &'a str,
    /// Our order number.
    pub out_trade_no: &'a str,
    /// The order's total.
    pub total: Fen,
}

/// In what a platform's word differs from our order. Never a reason to try again: an incident, and nothing moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Another merchant or seller.
    #[error("another merchant")]
    Merchant,
    /// Another appid.
    #[error("another app")]
    App,
    /// Another order number.
    #[error("another order")]
    Order,
    /// Another total.
    #[error("another amount")]
    Amount,
    /// Not yuan.
    #[error("another currency")]
    Currency,
    /// The event says one thing, the state in it another.
    #[error("event and state differ")]
    State,
}
