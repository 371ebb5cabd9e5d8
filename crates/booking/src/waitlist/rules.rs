//! The waitlist's settings, and its decisions about times and targets as pure functions.

use std::time::Duration;

use base::{Date, UnixMs, WallTime, Zone};
use jiff::ToSpan as _;
use schedule::stock::Stock;
use schedule::{ClinicId, DepartmentId, DoctorId};
use serde::{Deserialize, Serialize};

/// The settings section `booking.waitlist`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// Whether there is a waitlist. Without one, places that are given up are on sale again at once. Default true.
    pub enabled: bool,
    /// A place of a full clinic that is given up is kept back for a random time of at most so many minutes. Default 10; with 0
    /// it is offered at once to who waits, and on sale again at once when nobody does.
    pub delay_minutes: u32,
    /// How long an offer is kept, in minutes. Default 15.
    pub hold_minutes: u32,
    /// From so many days before the clinic on … Default 3.
    pub far_days: u32,
    /// … an offer is kept for so many hours instead. Default 24.
    pub far_hold_hours: u32,
    /// Offers are made from this time of the day on, when people are awake … Default 07:00.
    pub offer_from: WallTime,
    /// … until this one. Default 22:00.
    pub offer_until: WallTime,
    /// The list of a clinic is closed so many days before it … Default 1; 0 for the day itself.
    pub closes_days_before: u32,
    /// … at this time, and at the clinic's cut-off at the latest. Default 21:00.
    pub closes_at: WallTime,
    /// So many things one person may wait for at the same time. Default 3.
    pub per_person: u32,
}

impl Rules {
    /// The name of the settings section.
    pub const SECTION: &'static str = "booking.waitlist";

    /// When the list for a date is closed. `cut_off` is the clinic's own, where one is meant.
    #[must_use]
    pub fn closes(&self, zone: &Zone, date: Date, cut_off: Option<UnixMs>) -> UnixMs {
        let day = date.checked_sub(i64::from(self.closes_days_before).days()).unwrap_or(date);
        let at = zone.at(day, self.closes_at);
        cut_off.map_or(at, |cut_off| cut_off.min(at))
    }

    /// Until when an offer that is made now is kept: never beyond the clinic's own cut-off.
    #[must_use]
    pub fn kept_until(&self, zone: &Zone, date: Date, cut_off: UnixMs, now: UnixMs) -> UnixMs {
        let today = zone.date(now);
        let ahead = today.until(date).map_or(0, |span| i64::from(span.get_days()));
        let far = ahead >= i64::from(self.far_days.max(1));
        let seconds =
            if far { u64::from(self.far_hold_hours) * 3600 } else { u64::from(self.hold_minutes) * 60 };
        now.plus(Duration::from_secs(seconds)).min(cut_off)
    }

    /// `None` while offers are made; else when they are made again.
    #[must_use]
    pub fn wakes_at(&self, zone: &Zone, now: UnixMs) -> Option<UnixMs> {
        let (today, wall) = (zone.date(now), zone.wall(now));
        if wall >= self.offer_from && wall < self.offer_until {
            return None;
        }
        let day = if wall < self.offer_from { today } else { today.tomorrow().unwrap_or(today) };
        Some(zone.at(day, self.offer_from))
    }

    /// The longest random delay.
    #[must_use]
    pub fn delay(&self) -> Duration {
        Duration::from_secs(u64::from(self.delay_minutes) * 60)
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            enabled: true,
            delay_minutes: 10,
            hold_minutes: 15,
            far_days: 3,
            far_hold_hours: 24,
            offer_from: WallTime::from_minutes(7 * 60),
            offer_until: WallTime::from_minutes(22 * 60),
            closes_days_before: 1,
            closes_at: WallTime::from_minutes(21 * 60),
            per_person: 3,
        }
    }
}

/// What somebody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A place of this clinic.
    Clinic(ClinicId),
    /// A place with this doctor on this day, whichever clinic.
    Doctor(DoctorId, Date),
    /// A place in this department, or one below it, on this day.
    Department(DepartmentId, Date),
}

impl Target {
    /// In one text, as it is stored.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Clinic(id) => format!("clinic:{}", id.db()),
            Self::Doctor(id, date) => format!("doctor:{}:{date}", id.db()),
            Self::Department(id, date) => format!("department:{}:{date}", id.db()),
        }
    }
}

/// Everything that somebody can wait for who would be served by a place of this stock.
#[must_use]
pub fn targets(stock: &Stock) -> Vec<String> {
    let mut all =
        vec![Target::Clinic(stock.clinic).text(), Target::Department(stock.department, stock.date).text()];
    all.extend(stock.doctor.map(|doctor| Target::Doctor(doctor, stock.date).text()));
    all.extend(stock.parent_department.map(|parent| Target::Department(parent, stock.date).text()));
    all
}

/// A moment between now and `longest` later that follows from these random bits.
#[must_use]
pub fn some_time_after(now: UnixMs, longest: Duration, random: u64) -> UnixMs {
    let most = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
    now.plus(Duration::from_millis(random % most.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(day: &str, wall: &str) -> UnixMs {
        Zone::china().at(day.parse().unwrap(), wall.parse().unwrap())
    }

    #[test]
    fn an_offer_is_kept_a_day_when_there_is_time_and_minutes_when_there_is_not() {
        let (rules, zone) = (Rules::default(), Zone::china());
        let until = |date: &str, now| rules.kept_until(&zone, date.parse().unwrap(), at(date, "11:00"), now);
        let now = at("2026-11-23", "10:00");
        assert_eq!(until("2026-11-26", now), at("2026-11-24", "10:00"), "three days ahead");
        assert_eq!(until("2026-11-25", now), at("2026-11-23", "10:15"), "two days ahead");
        assert_eq!(
            until("2026-11-23", at("2026-11-23", "10:50")),
            at("2026-11-23", "11:00"),
            "never past the cut-off"
        );
    }

    #[test]
    fn nobody_is_woken_for_an_offer() {
        let (rules, zone) = (Rules::default(), Zone::china());
        assert_eq!(rules.wakes_at(&zone, at("2026-11-23", "07:00")), None);
        assert_eq!(rules.wakes_at(&zone, at("2026-11-23", "21:59")), None);
        assert_eq!(rules.wakes_at(&zone, at("2026-11-23", "22:00")), Some(at("2026-11-24", "07:00")));
        assert_eq!(rules.wakes_at(&zone, at("2026-11-23", "06:59")), Some(at("2026-11-23", "07:00")));
    }

    #[test]
    fn the_list_closes_the_evening_before_or_at_the_cut_off() {
        let (rules, zone) = (Rules::default(), Zone::china());
        let day: Date = "2026-11-25".parse().unwrap();
        assert_eq!(rules.closes(&zone, day, None), at("2026-11-24", "21:00"));
        assert_eq!(rules.closes(&zone, day, Some(at("2026-11-24", "16:00"))), at("2026-11-24", "16:00"));
        let on_the_day = Rules { closes_days_before: 0, ..rules };
        assert_eq!(on_the_day.closes(&zone, day, Some(at("2026-11-25", "11:00"))), at("2026-11-25", "11:00"));
    }

    proptest! {
        /// The delay is within its bounds, and reaches both ends.
        #[test]
        fn the_delay_is_within_its_bounds(random: u64, minutes in 0_u32..60) {
            let rules = Rules { delay_minutes: minutes, ..Rules::default() };
            let now = UnixMs(1_000);
            let then = some_time_after(now, rules.delay(), random);
            prop_assert!(then >= now && then <= now.plus(rules.delay()));
        }
    }
}
