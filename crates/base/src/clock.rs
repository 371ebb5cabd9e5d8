//! "Now" is a parameter. This file is the only one that may ask the machine for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMs(pub i64);

impl UnixMs {
    /// The instant that lies `by` later; stays at the end of time rather than wrapping.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The instant that lies `by` earlier.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, as in the `Date` of an answer (RFC 9110, 5.6.7).
    #[must_use]
    pub fn http_date(self) -> String {
        let at = jiff::Timestamp::from_millisecond(self.0).unwrap_or_default();
        jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap_or_default()
    }

    /// Whole seconds since 1970, as WeChat counts.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

/// Where "now" comes from: the machine, or a test's own hand. Cheap to clone; clones of a manual clock move together.
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    Machine,
    /// The machine's clock moved by so many milliseconds: time goes on, but starts where a test or demo wants it.
    Shifted(Arc<AtomicI64>),
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn machine() -> Self {
        Self(Source::Machine)
    }

    /// A clock that stands still at `start` until it is moved.
    #[must_use]
    pub fn manual(start: UnixMs) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(start.0))))
    }

    /// A clock that runs like the machine's, but shows `start` now.
    #[must_use]
    pub fn starting_at(start: UnixMs) -> Self {
        Self(Source::Shifted(Arc::new(AtomicI64::new(start.0.saturating_sub(machine_ms())))))
    }

    /// The instant that it is.
    #[must_use]
    pub fn now(&self) -> UnixMs {
        UnixMs(match &self.0 {
            Source::Machine => machine_ms(),
            Source::Shifted(by) => machine_ms().saturating_add(by.load(Ordering::SeqCst)),
            Source::Manual(at) => at.load(Ordering::SeqCst),
        })
    }

    /// Whether it is the machine's own, which nobody moves.
    #[must_use]
    pub fn is_machine(&self) -> bool {
        matches!(self.0, Source::Machine)
    }

    /// Moves a manual or shifted clock; the machine's clock does not move and says so.
    #[must_use = "the machine's clock can't be moved"]
    pub fn advance(&self, by: Duration) -> bool {
        let ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        match &self.0 {
            Source::Machine => false,
            Source::Shifted(cell) | Source::Manual(cell) => {
                cell.fetch_add(ms, Ordering::SeqCst);
                true
            }
        }
    }

    /// Sets a manual or shifted clock to `to`.
    #[must_use = "the machine's clock can't be set"]
    pub fn set(&self, to: UnixMs) -> bool {
        match &self.0 {
            Source::Machine => false,
            Source::Shifted(cell) => {
                cell.store(to.0.saturating_sub(machine_ms()), Ordering::SeqCst);
                true
            }
            Source::Manual(cell) => {
                cell.store(to.0, Ordering::SeqCst);
                true
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where the machine is asked")]
fn machine_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_of_a_manual_clock_move_together() {
        let clock = Clock::manual(UnixMs(1_000));
        let other = clock.clone();
        assert!(clock.advance(Duration::from_secs(2)));
        assert_eq!(other.now(), UnixMs(3_000));
        assert!(other.set(UnixMs(5)));
        assert_eq!(clock.now(), UnixMs(5));
    }

    #[test]
    fn the_machine_is_not_moved() {
        assert!(!Clock::machine().advance(Duration::from_secs(1)));
        assert!(Clock::machine().is_machine() && !Clock::manual(UnixMs(0)).is_machine());
        assert!(Clock::machine().now() > UnixMs(1_700_000_000_000));
    }

    #[test]
    fn an_http_date_is_in_greenwich() {
        assert_eq!(UnixMs(784_111_777_999).http_date(), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn durations_never_wrap() {
        assert_eq!(UnixMs(i64::MAX).plus(Duration::MAX), UnixMs(i64::MAX));
        assert_eq!(UnixMs(5).since(UnixMs(9)), Duration::ZERO);
    }
}
