//! What an answer means, and what follows from it.

use std::time::Duration;

use base::UnixMs;
use wechat::api::codes::Class;
use wechat::api::{ApiError, Error};

use crate::model::{Channel, DeliveryState, Kind, State};

/// So many attempts, with pauses that grow to half an hour, are about eight hours.
const MOST_ATTEMPTS: i64 = 20;
/// Texts from other sides are kept this long.
const DETAIL_CHARS: usize = 300;

/// What became of sending or asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The platform has taken it, under this number of its own.
    Accepted {
        /// The platform's number.
        platform_id: Option<String>,
    },
    /// The platform says that it is on the phone.
    Delivered,
    /// The platform says that it did not get there.
    Bounced(Why),
    /// Not sent: this person can't be reached by this way.
    Unreachable {
        /// Why.
        why: Why,
        /// Whether that will be the same for the next message.
        lasting: bool,
    },
    /// Not sent: too fast, or nobody there. Later.
    Later(Why),
    /// Not sent: a quota is used up.
    Quota(Why),
    /// Not sent, and a person must mend something.
    Trouble(Why),
    /// It may have been sent or not.
    Unclear(Why),
    /// Asked too late or nothing to ask: nobody will know.
    Lost,
    /// Surely not sent, and of no use any more.
    TooLate,
    /// Taken long ago, and nothing is known of its arrival yet.
    NoNews,
}

/// Why, for staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The other side's code, or a word of ours.
    pub code: String,
    /// In words. Never a name, a number or a token.
    pub detail: String,
}

impl Why {
    /// A reason; long texts are cut.
    pub fn new(code: impl Into<String>, detail: impl AsRef<str>) -> Self {
        Self { code: code.into(), detail: detail.as_ref().chars().take(DETAIL_CHARS).collect() }
    }
}

impl Outcome {
    /// A word for metrics and logs.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Delivered => "delivered",
            Self::Bounced(_) => "bounced",
            Self::Unreachable { .. } => "unreachable",
            Self::Later(_) => "later",
            Self::Quota(_) => "quota",
            Self::Trouble(_) => "trouble",
            Self::Unclear(_) => "unclear",
            Self::Lost => "unknown",
            Self::TooLate => "too_late",
            Self::NoNews => "no_news",
        }
    }

    /// The reason, where there is one.
    #[must_use]
    pub fn why(&self) -> Option<&Why> {
        match self {
            Self::Bounced(why)
            | Self::Unreachable { why, .. }
            | Self::Later(why)
            | Self::Quota(why)
            | Self::Trouble(why)
            | Self::Unclear(why) => Some(why),
            Self::Accepted { .. } | Self::Delivered | Self::Lost | Self::TooLate | Self::NoNews => None,
        }
    }
}

/// What an error of WeChat's means for a message.
pub(crate) fn wechat(error: &Error) -> Outcome {
    match error {
        Error::Api(api) => refusal(api),
        Error::NoAnswer(_) | Error::Answer { .. } => {
            Outcome::Unclear(Why::new("no_answer", error.to_string()))
        }
        Error::Status { status } if *status >= 500 => {
            Outcome::Unclear(Why::new(format!("http_{status}"), error.to_string()))
        }
        Error::Status { status } => Outcome::Trouble(Why::new(format!("http_{status}"), error.to_string())),
        Error::NotSent(_) | Error::Store(_) | Error::TokenBusy => {
            Outcome::Later(Why::new("not_sent", error.to_string()))
        }
        Error::Invalid { .. } => Outcome::Trouble(Why::new("invalid", error.to_string())),
    }
}

fn refusal(api: &ApiError) -> Outcome {
    let why = Why::new(api.errcode.to_string(), format!("{} ({})", api.advice.en, api.errmsg));
    // "Busy" has been seen for calls that had gone through.
    if api.errcode == -1 {
        return Outcome::Unclear(why);
    }
    match api.class {
        Class::AlreadyDone => Outcome::Accepted { platform_id: None },
        // The window of the chat is closed or used up: that says nothing of the next message.
        Class::UserUnreachable => {
            Outcome::Unreachable { why, lasting: !matches!(api.errcode, 45015 | 45047) }
        }
        // The client has tried to mend the token; when it could not, the next call may find it mended by another node.
        Class::RetryLater | Class::RefreshToken => Outcome::Later(why),
        Class::QuotaStop => Outcome::Quota(why),
        Class::Configuration | Class::Content | Class::Bug | Class::RestartSignIn | Class::Unknown => {
            Outcome::Trouble(why)
        }
    }
}

/// What an SMS vendor's refusal means. The codes are those of Chinese vendors, `isv.` for what we do wrong and `isp.` for
/// what goes wrong at the vendor's.
pub(crate) fn sms_refusal(code: &str, message: &str) -> Outcome {
    let why = Why::new(code, message);
    match code {
        "isv.MOBILE_NUMBER_ILLEGAL"
        | "isv.MOBILE_COUNT_OVER_LIMIT"
        | "isv.BLACK_KEY_CONTROL_LIMIT"
        | "isv.MOBILE_IN_BLACK" => Outcome::Unreachable { why, lasting: true },
        // So many to one number in a minute or an hour.
        "isv.BUSINESS_LIMIT_CONTROL" => Outcome::Later(why),
        "isv.DAY_LIMIT_CONTROL" | "isv.MONTH_LIMIT_CONTROL" => Outcome::Quota(why),
        // The reference is known there: it may have gone out. Asking tells.
        "isv.DUPLICATE_OUT_ID" => Outcome::Unclear(why),
        code if code.starts_with("isp.") => Outcome::Unclear(why),
        _ => Outcome::Trouble(why),
    }
}

/// The attempt that an outcome belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Tried {
    /// What was told.
    pub kind: Kind,
    /// By which way.
    pub channel: Channel,
    /// How many attempts the message has had, this one counted.
    pub attempts: i64,
    /// How often this attempt was repeated or asked about, before now.
    pub tries: i64,
    /// When the message is of no use any more.
    pub expires: UnixMs,
}

/// What follows from an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    /// Where the message stands now.
    pub state: State,
    /// Why, when it failed.
    pub reason: Option<&'static str>,
    /// When a worker looks at it again.
    pub due: Option<UnixMs>,
    /// Where the attempt stands now; `None` when that is still open.
    pub delivery: Option<DeliveryState>,
    /// Whether this way is not tried again for this message.
    pub over: bool,
}

/// What follows from an outcome.
#[must_use]
pub fn after(outcome: &Outcome, tried: Tried, now: UnixMs) -> Next {
    let next =
        |state, due, delivery| Next { state, reason: None, due, delivery: Some(delivery), over: false };
    let failed = |state, due| next(state, due, DeliveryState::Failed);
    match outcome {
        Outcome::Accepted { .. } => {
            // A vendor knows some seconds later whether the phone has it. For a code nobody waits that long.
            let ask = tried.channel == Channel::Sms && tried.kind != Kind::SmsCode;
            next(State::Sent, ask.then(|| now.plus(Duration::from_secs(30))), DeliveryState::Sent)
        }
        Outcome::Delivered => next(State::Delivered, None, DeliveryState::Delivered),
        Outcome::Bounced(_) | Outcome::Unreachable { .. } => {
            Next { over: true, ..failed(State::Waiting, Some(now)) }
        }
        Outcome::Later(_) | Outcome::Quota(_) if tried.attempts >= MOST_ATTEMPTS => {
            Next { reason: Some("gave_up"), ..failed(State::Failed, None) }
        }
        Outcome::Later(_) => failed(State::Waiting, Some(now.plus(growing(15, tried.attempts, 1800)))),
        // The way is closed until midnight; whether to wait or to take another is chosen anew.
        Outcome::Quota(_) => failed(State::Waiting, Some(now)),
        Outcome::Trouble(_) => {
            // Shown as failed, and tried again now and then, in case somebody mends it in time.
            let again = now.plus(growing(900, tried.attempts, 7200));
            let due = (again < tried.expires).then_some(again);
            Next { reason: Some("trouble"), ..failed(State::Failed, due) }
        }
        // Nothing guards a chat message against being sent twice, and nobody can be asked.
        Outcome::Unclear(_) if tried.channel == Channel::Custom => lost(),
        Outcome::Unclear(_) => Next {
            state: State::Sending,
            reason: None,
            due: Some(now.plus(growing(5, tried.tries.saturating_add(1), 1800))),
            delivery: None,
            over: false,
        },
        Outcome::Lost => lost(),
        Outcome::TooLate => Next { reason: Some("expired"), ..failed(State::Expired, None) },
        Outcome::NoNews => Next {
            state: State::Sent,
            reason: None,
            due: (tried.tries < 2).then(|| now.plus(Duration::from_secs(300))),
            delivery: None,
            over: false,
        },
    }
}

fn lost() -> Next {
    Next {
        state: State::Unknown,
        reason: None,
        due: None,
        delivery: Some(DeliveryState::Unknown),
        over: true,
    }
}

/// `first` seconds before the second attempt, twice as long before each further one, at most `most`.
fn growing(first: u64, attempt: i64, most: u64) -> Duration {
    let doublings = u32::try_from(attempt.saturating_sub(1).clamp(0, 20)).unwrap_or(0);
    Duration::from_secs(first.saturating_mul(2_u64.saturating_pow(doublings)).min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = UnixMs(1_000_000_000);
    const DAY: Duration = Duration::from_secs(86_400);

    fn tried(channel: Channel, attempts: i64, tries: i64) -> Tried {
        Tried { kind: Kind::AppointmentConfirmed, channel, attempts, tries, expires: NOW.plus(DAY) }
    }

    fn why() -> Why {
        Why::new("c", "d")
    }

    fn due_in(next: Next) -> Option<u64> {
        next.due.map(|due| due.since(NOW).as_secs())
    }

    #[test]
    fn only_a_person_out_of_reach_leads_to_another_way() {
        let lasting = true;
        for outcome in [
            Outcome::Bounced(why()),
            Outcome::Unreachable { why: why(), lasting },
            Outcome::Later(why()),
            Outcome::Quota(why()),
            Outcome::Trouble(why()),
            Outcome::Unclear(why()),
        ] {
            let next = after(&outcome, tried(Channel::Template, 1, 0), NOW);
            let other_way = matches!(outcome, Outcome::Bounced(_) | Outcome::Unreachable { .. });
            assert_eq!(next.over, other_way, "{outcome:?}");
        }
    }

    #[test]
    fn trouble_is_shown_and_looked_at_again_while_it_is_of_use() {
        let next = after(&Outcome::Trouble(why()), tried(Channel::Template, 1, 0), NOW);
        assert_eq!((next.state, next.reason, due_in(next)), (State::Failed, Some("trouble"), Some(900)));
        let soon = Tried { expires: NOW.plus(Duration::from_secs(600)), ..tried(Channel::Sms, 1, 0) };
        assert_eq!(after(&Outcome::Trouble(why()), soon, NOW).due, None);
        assert_eq!(due_in(after(&Outcome::Trouble(why()), tried(Channel::Sms, 9, 0), NOW)), Some(7200));
    }

    #[test]
    fn pauses_grow_and_end() {
        let later = |attempts| after(&Outcome::Later(why()), tried(Channel::Template, attempts, 0), NOW);
        assert_eq!([1, 2, 3, 9].map(|n| due_in(later(n))), [Some(15), Some(30), Some(60), Some(1800)]);
        assert_eq!(
            (later(20).state, later(20).reason, later(20).due),
            (State::Failed, Some("gave_up"), None)
        );
    }

    #[test]
    fn what_is_unclear_stays_open_where_it_can_become_clear() {
        let unclear = |channel, tries| after(&Outcome::Unclear(why()), tried(channel, 1, tries), NOW);
        assert_eq!(unclear(Channel::Custom, 0).state, State::Unknown);
        let template = unclear(Channel::Template, 0);
        assert_eq!((template.state, template.delivery, due_in(template)), (State::Sending, None, Some(5)));
        assert_eq!(due_in(unclear(Channel::Sms, 3)), Some(40));
    }

    #[test]
    fn receipts_of_sms_are_asked_for() {
        let accepted = Outcome::Accepted { platform_id: None };
        assert_eq!(due_in(after(&accepted, tried(Channel::Sms, 1, 0), NOW)), Some(30));
        assert_eq!(after(&accepted, tried(Channel::Template, 1, 0), NOW).due, None);
        let code = Tried { kind: Kind::SmsCode, ..tried(Channel::Sms, 1, 0) };
        assert_eq!(after(&accepted, code, NOW).due, None);
        assert_eq!(due_in(after(&Outcome::NoNews, tried(Channel::Sms, 1, 0), NOW)), Some(300));
        assert_eq!(after(&Outcome::NoNews, tried(Channel::Sms, 1, 2), NOW).due, None);
    }

    #[test]
    fn refusals_of_the_vendor() {
        let word = |code| sms_refusal(code, "").word();
        assert_eq!(word("isv.MOBILE_NUMBER_ILLEGAL"), "unreachable");
        assert_eq!(word("isv.BUSINESS_LIMIT_CONTROL"), "later");
        assert_eq!(word("isv.DAY_LIMIT_CONTROL"), "quota");
        assert_eq!(word("isp.SYSTEM_ERROR"), "unclear");
        assert_eq!(word("isv.DUPLICATE_OUT_ID"), "unclear");
        assert_eq!(word("isv.AMOUNT_NOT_ENOUGH"), "trouble");
        assert_eq!(word("something new"), "trouble");
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(Why::new("c", "长".repeat(400)).detail.chars().count(), 300);
    }
}
