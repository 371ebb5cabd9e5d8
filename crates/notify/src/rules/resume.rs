//! What to do with an attempt of which it is not known whether it arrived: the answer did not come, or the node died
//! between writing it down and writing down its outcome.

use std::time::Duration;

use base::UnixMs;

use crate::model::Channel;

/// WeChat remembers a `client_msg_id` for ten minutes from the call that it took; the repeat must arrive within that.
const REMEMBERED: Duration = Duration::from_secs(600);
/// The longest that a repeat may take to arrive, and as much again for clocks that differ.
const SLACK: Duration = Duration::from_secs(60);
/// How long a vendor is asked about an SMS.
const ASKED: Duration = Duration::from_secs(24 * 3600);

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// Send it again under the same reference: the other side drops what it has.
    Repeat,
    /// Ask the other side by our reference.
    Ask,
    /// Nobody will ever know. It is not sent again.
    GiveUp,
}

/// What to do with an attempt that was written down at `started`.
#[must_use]
pub fn resume(channel: Channel, started: UnixMs, now: UnixMs, expires: UnixMs) -> Resume {
    match channel {
        // Counted from before the first call: WeChat's ten minutes end later than ours. Past its end a message that may not
        // have arrived must not be sent, and whether it has can't be asked.
        Channel::Template if now.plus(SLACK) < started.plus(REMEMBERED) && now < expires => Resume::Repeat,
        Channel::Sms if now < started.plus(ASKED) => Resume::Ask,
        Channel::Template | Channel::Custom | Channel::Sms => Resume::GiveUp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_repeated() {
        let started = UnixMs(1_000_000);
        let far = UnixMs(i64::MAX);
        let after = |s| started.plus(Duration::from_secs(s));
        for (channel, now, expires, want) in [
            (Channel::Template, after(0), far, Resume::Repeat),
            (Channel::Template, after(539), far, Resume::Repeat),
            (Channel::Template, after(540), far, Resume::GiveUp),
            (Channel::Template, after(120), after(120), Resume::GiveUp),
            (Channel::Custom, after(0), far, Resume::GiveUp),
            (Channel::Sms, after(0), far, Resume::Ask),
            (Channel::Sms, after(3600), after(60), Resume::Ask),
            (Channel::Sms, after(24 * 3600), far, Resume::GiveUp),
        ] {
            assert_eq!(resume(channel, started, now, expires), want, "{channel:?} {now:?}");
        }
    }
}
