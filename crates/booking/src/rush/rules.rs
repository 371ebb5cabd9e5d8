//! When there is a line, who stands where, and how long it takes: pure functions.

use std::time::Duration;

use base::UnixMs;
use serde::{Deserialize, Serialize};

/// The settings section `booking.rush`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rush {
    /// Who comes within so many milliseconds after a release is served in random order. Default 1000; 0 for no line at releases.
    pub draw_ms: u32,
    /// For so many seconds after a release wishes for its numbers stand in line. Default 30.
    pub period_s: u32,
    /// With so many wishes at the desk further ones stand in line, whatever time it is; 0 for never. Default 5,000.
    pub backlog: u32,
    /// So many tickets an account may draw within a minute, and so many … Default 12.
    pub per_account: u32,
    /// … an address may, behind which a household, a company or a whole mobile network may be. Default 600.
    pub per_address: u32,
}

impl Rush {
    /// The name of the settings section.
    pub const SECTION: &'static str = "booking.rush";
}

impl Default for Rush {
    fn default() -> Self {
        Self { draw_ms: 1_000, period_s: 30, backlog: 5_000, per_account: 12, per_address: 600 }
    }
}

/// Where somebody stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wave {
    /// In the draw, or behind it.
    pub draw: bool,
    /// From when on tickets are served.
    pub due_at: UnixMs,
}

/// In which line a wish for a slot stands that was released at `opens_at`; `None` when it is decided at once.
#[must_use]
pub fn wave(rules: &Rush, opens_at: UnixMs, now: UnixMs) -> Option<Wave> {
    if rules.draw_ms == 0 || now < opens_at {
        return None;
    }
    let due_at = opens_at.plus(Duration::from_millis(u64::from(rules.draw_ms)));
    if now < due_at {
        return Some(Wave { draw: true, due_at });
    }
    let over = opens_at.plus(Duration::from_secs(u64::from(rules.period_s)));
    (now < over).then_some(Wave { draw: false, due_at })
}

/// How many whole seconds it takes until somebody is served, rounded up: until the line moves, then those in front.
#[must_use]
pub fn estimate_s(due_at: UnixMs, ahead: i64, per_second: i64, now: UnixMs) -> i64 {
    let until_ms = (due_at.0 - now.0).max(0);
    let ahead_ms = ahead.max(0).saturating_mul(1_000) / per_second.max(1);
    (until_ms.saturating_add(ahead_ms) + 999) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_second_is_a_draw_and_the_rest_a_line() {
        let rules = Rush::default();
        let opens = UnixMs(1_000_000);
        let due_at = UnixMs(1_001_000);
        assert_eq!(wave(&rules, opens, UnixMs(999_999)), None, "not released: the desk says so");
        assert_eq!(wave(&rules, opens, opens), Some(Wave { draw: true, due_at }));
        assert_eq!(wave(&rules, opens, UnixMs(1_000_999)), Some(Wave { draw: true, due_at }));
        assert_eq!(wave(&rules, opens, due_at), Some(Wave { draw: false, due_at }));
        assert_eq!(wave(&rules, opens, UnixMs(1_030_000)), None, "half a minute later all is as usual");
        assert_eq!(wave(&Rush { draw_ms: 0, ..rules }, opens, opens), None);
    }

    #[test]
    fn an_estimate_is_the_wait_for_the_draw_and_those_in_front() {
        assert_eq!(estimate_s(UnixMs(1_000), 0, 500, UnixMs(0)), 1);
        assert_eq!(estimate_s(UnixMs(1_000), 1_000, 500, UnixMs(0)), 3);
        assert_eq!(estimate_s(UnixMs(0), 1, 500, UnixMs(9_000)), 1);
        assert_eq!(estimate_s(UnixMs(0), 0, 0, UnixMs(9_000)), 0);
    }
}
