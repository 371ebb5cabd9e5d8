//! Dates and wall times of a hospital. A hospital lives in one zone (`Asia/Shanghai` unless told otherwise), whatever the
//! phone believes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::clock::UnixMs;

/// A civil date, `YYYY-MM-DD`.
pub use jiff::civil::Date;

/// The zone in which a hospital's dates and wall times are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(jiff::tz::TimeZone);

/// A zone name that the bundled zone database does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time zone")]
pub struct UnknownZone(pub String);

impl Zone {
    /// The zone of mainland China.
    #[must_use]
    pub fn china() -> Self {
        Self::named("Asia/Shanghai").unwrap_or_else(|_| Self(jiff::tz::TimeZone::fixed(jiff::tz::offset(8))))
    }

    /// A zone by its IANA name.
    ///
    /// # Errors
    /// [`UnknownZone`] when the bundled database has none of that name.
    pub fn named(name: &str) -> Result<Self, UnknownZone> {
        jiff::tz::TimeZone::get(name).map(Self).map_err(|_| UnknownZone(name.to_owned()))
    }

    /// The hospital's date at an instant.
    #[must_use]
    pub fn date(&self, at: UnixMs) -> Date {
        self.zoned(at).date()
    }

    /// The hospital's wall time at an instant, to the minute.
    #[must_use]
    pub fn wall(&self, at: UnixMs) -> WallTime {
        let time = self.zoned(at).time();
        WallTime::from_minutes(
            u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs()),
        )
    }

    /// The instant at which a date and a wall time come. `24:00` is the start of the next day.
    #[must_use]
    pub fn at(&self, date: Date, wall: WallTime) -> UnixMs {
        let midnight = date.to_zoned(self.0.clone()).map_or(0, |z| z.timestamp().as_millisecond());
        // Through civil time rather than by adding minutes: in zones with summer time they differ.
        let minutes = i64::from(wall.minutes());
        let civil = date
            .to_datetime(jiff::civil::Time::midnight())
            .checked_add(jiff::SignedDuration::from_mins(minutes));
        let exact = civil.and_then(|c| c.to_zoned(self.0.clone())).map(|z| z.timestamp().as_millisecond());
        UnixMs(exact.unwrap_or(midnight.saturating_add(minutes * 60_000)))
    }

    /// An instant in RFC 3339 with the hospital's offset: `2026-11-21T08:00:00+08:00`.
    #[must_use]
    pub fn rfc3339(&self, at: UnixMs) -> String {
        let zoned = self.zoned(at);
        let offset = zoned.offset().seconds();
        let sign = if offset < 0 { '-' } else { '+' };
        let (h, m) = (offset.abs() / 3600, offset.abs() % 3600 / 60);
        format!("{}{sign}{h:02}:{m:02}", zoned.datetime().strftime("%Y-%m-%dT%H:%M:%S"))
    }

    fn zoned(&self, at: UnixMs) -> jiff::Zoned {
        jiff::Timestamp::from_millisecond(at.0).unwrap_or_default().to_zoned(self.0.clone())
    }
}

/// A wall time to the minute, `00:00` to `24:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct WallTime(u16);

/// A text that is no wall time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a time is written HH:MM, from 00:00 to 24:00")]
pub struct WrongTime;

impl WallTime {
    /// So many minutes after midnight; more than a day counts as `24:00`.
    #[must_use]
    pub fn from_minutes(minutes: u16) -> Self {
        Self(minutes.min(24 * 60))
    }

    /// Minutes after midnight, 0 to 1,440.
    #[must_use]
    pub fn minutes(self) -> u16 {
        self.0
    }
}

impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl FromStr for WallTime {
    type Err = WrongTime;
    fn from_str(text: &str) -> Result<Self, WrongTime> {
        let (h, m) = text.split_once(':').ok_or(WrongTime)?;
        let digits = |s: &str| s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(h) || !digits(m) {
            return Err(WrongTime);
        }
        let (h, m): (u16, u16) = (h.parse().map_err(|_| WrongTime)?, m.parse().map_err(|_| WrongTime)?);
        if m > 59 || h > 24 || (h == 24 && m > 0) { Err(WrongTime) } else { Ok(Self(h * 60 + m)) }
    }
}

impl Serialize for WallTime {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WallTime {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The half of a day in which a clinic sits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HalfDay {
    /// 上午
    Am,
    /// 下午
    Pm,
    /// 夜门诊
    Night,
}

impl HalfDay {
    /// `am`, `pm` or `night`, as the database and the API write it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Am => "am",
            Self::Pm => "pm",
            Self::Night => "night",
        }
    }

    /// Reads [`Self::code`].
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Am, Self::Pm, Self::Night].into_iter().find(|h| h.code() == code)
    }
}

/// Whole years from birth to `on`; the birthday counts from its first minute. A 29 February birthday comes on 1 March
/// in other years.
#[must_use]
pub fn age_on(birth: Date, on: Date) -> i16 {
    let years = on.year() - birth.year();
    let had_birthday = (on.month(), on.day()) >= (birth.month(), birth.day());
    if had_birthday { years } else { years - 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn instants_and_wall_times() {
        let zone = Zone::china();
        let at = zone.at(date("2026-11-21"), "07:00".parse().unwrap());
        assert_eq!(at, UnixMs(1_795_215_600_000));
        assert_eq!(zone.rfc3339(at), "2026-11-21T07:00:00+08:00");
        assert_eq!(zone.date(at), date("2026-11-21"));
        assert_eq!(zone.wall(at).to_string(), "07:00");
        assert_eq!(
            zone.at(date("2026-11-21"), WallTime::from_minutes(1440)),
            zone.at(date("2026-11-22"), WallTime::default())
        );
        assert_eq!(zone.date(UnixMs(at.0 - 8 * 3_600_000)), date("2026-11-20"));
    }

    #[test]
    fn wall_times_are_strict() {
        for bad in ["", "7:00", "24:01", "25:00", "12:60", "12-00", "１２:00", "+1:00"] {
            assert!(bad.parse::<WallTime>().is_err(), "{bad}");
        }
    }

    #[test]
    fn ages() {
        assert_eq!(age_on(date("2008-11-22"), date("2026-11-21")), 17);
        assert_eq!(age_on(date("2008-11-21"), date("2026-11-21")), 18);
        assert_eq!(age_on(date("2008-02-29"), date("2026-02-28")), 17);
        assert_eq!(age_on(date("2008-02-29"), date("2026-03-01")), 18);
    }
}
