//! What a person's missed places amount to.

use base::calendar::age_on;
use base::{Date, Text2};
use jiff::ToSpan as _;
use serde::{Deserialize, Serialize};

use crate::model::Limits;

/// Missed places count for so many days.
pub const WINDOW_DAYS: i64 = 90;

/// The settings section `booking.attendance`. What follows from missed places stands with the limits
/// (`booking.limits`: `no_show_*`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Attendance {
    /// Whether people check in, so that it is known who came. Default false: then nobody ever misses anything.
    pub check_in: bool,
    /// So many minutes after a clinic's end it is looked through. Default 60.
    pub after_minutes: u32,
    /// For so many days after it a no-show can be appealed against. Default 30.
    pub appeal_days: u32,
}

impl Attendance {
    /// The name of the settings section.
    pub const SECTION: &'static str = "booking.attendance";
}

impl Default for Attendance {
    fn default() -> Self {
        Self { check_in: false, after_minutes: 60, appeal_days: 30 }
    }
}

/// How somebody stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// How many places were missed within the window.
    pub missed: u32,
    /// With so many, booking in advance is blocked; 0 when it never is.
    pub limit: u32,
    /// Too old or too young to be blocked.
    pub spared: bool,
    /// Booking in advance opens again on this day.
    pub blocked_until: Option<Date>,
}

/// How somebody stands today who missed places on these days. Whoever is blocked stays so for the whole time, also while
/// places fall out of the window.
#[must_use]
pub fn standing(limits: &Limits, birth: Option<Date>, missed_on: &[Date], today: Date) -> Standing {
    let age = birth.map(|birth| u32::try_from(age_on(birth, today)).unwrap_or(0));
    let spared =
        age.is_some_and(|age| age >= limits.no_show_spares_from_age || age < limits.no_show_spares_below_age);
    let since = today.checked_sub(WINDOW_DAYS.days()).unwrap_or(today);
    let mut missed: Vec<Date> = missed_on.iter().copied().filter(|date| *date > since).collect();
    missed.sort_unstable();
    let count = u32::try_from(missed.len()).unwrap_or(u32::MAX);
    let until = missed.last().and_then(|last| last.checked_add(i64::from(limits.no_show_days).days()).ok());
    let blocked = limits.no_show_limit > 0 && count >= limits.no_show_limit && !spared;
    Standing {
        missed: count,
        limit: limits.no_show_limit,
        spared,
        blocked_until: until.filter(|until| blocked && today < *until),
    }
}

/// What follows, in a few words for a message.
#[must_use]
pub fn words(standing: &Standing) -> Text2 {
    let Standing { missed, limit, spared, blocked_until } = standing;
    match blocked_until {
        Some(until) => Text2::new(
            format!("90 天内第 {missed} 次，{until} 前不能提前预约"),
            format!("{missed} within 90 days: book ahead from {until}"),
        ),
        None if *spared || *limit == 0 => {
            Text2::new("仅作提醒，不影响预约", "A reminder only; you can book as before")
        }
        None => Text2::new(
            format!("90 天内第 {missed} 次，满 {limit} 次将暂停提前预约"),
            format!("{missed} of {limit} within 90 days"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dates(all: &[&str]) -> Vec<Date> {
        all.iter().map(|d| d.parse().unwrap()).collect()
    }

    fn on(birth: &str, missed: &[&str], today: &str) -> Standing {
        let birth = (!birth.is_empty()).then(|| birth.parse().unwrap());
        standing(&Limits::default(), birth, &dates(missed), today.parse().unwrap())
    }

    #[test]
    fn three_in_ninety_days_block_for_ninety_days() {
        let two = on("1980-01-01", &["2026-09-01", "2026-10-01"], "2026-11-01");
        assert_eq!((two.missed, two.blocked_until), (2, None));
        let three = on("1980-01-01", &["2026-09-01", "2026-10-30", "2026-10-01"], "2026-11-01");
        assert_eq!(three.blocked_until, Some("2027-01-28".parse().unwrap()));
        let old = on("1980-01-01", &["2026-08-03", "2026-10-30", "2026-10-01"], "2026-11-01");
        assert_eq!((old.missed, old.blocked_until), (2, None), "the first was 90 days ago");
        assert_eq!(
            on("", &["2026-09-01", "2026-10-30", "2026-10-01"], "2026-11-01").missed,
            3,
            "an unknown age counts"
        );
    }

    #[test]
    fn the_old_and_the_young_are_only_warned() {
        let missed = ["2026-10-29", "2026-10-30", "2026-10-31"];
        for birth in ["1961-11-01", "2012-11-02"] {
            let standing = on(birth, &missed, "2026-11-01");
            assert!(standing.spared && standing.blocked_until.is_none(), "{birth}");
            assert!(words(&standing).zh.contains("提醒"));
        }
        for birth in ["1961-11-02", "2012-11-01"] {
            assert!(on(birth, &missed, "2026-11-01").blocked_until.is_some(), "{birth}");
        }
    }
}
