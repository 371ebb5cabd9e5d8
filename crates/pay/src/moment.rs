//! Instants as the platforms write them. All of them mean Beijing time.

use base::calendar::Zone;
use base::{Date, UnixMs};
use jiff::civil::DateTime;
use jiff::tz;

/// `2026-09-21T22:13:20+08:00`: WeChat Pay. The one formatter with an offset; a time without one is refused there.
#[must_use]
pub fn rfc3339(at: UnixMs) -> String {
    Zone::china().rfc3339(at)
}

/// Reads what [`rfc3339`] writes, with any offset.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<UnixMs> {
    text.parse::<jiff::Timestamp>().ok().map(|at| UnixMs(at.as_millisecond()))
}

/// `2026-09-21 22:13:20`: Alipay, and WeChat's bills.
#[must_use]
pub fn beijing(at: UnixMs) -> String {
    civil(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `20260921221320`: the insurance bureau.
#[must_use]
pub fn compact(at: UnixMs) -> String {
    civil(at).strftime("%Y%m%d%H%M%S").to_string()
}

/// Reads what [`beijing`] writes.
#[must_use]
pub fn parse_beijing(text: &str) -> Option<UnixMs> {
    // Length first: the reader would take other forms too.
    let civil: DateTime = (text.len() == 19).then(|| text.parse().ok()).flatten()?;
    let zoned = civil.to_zoned(tz::TimeZone::fixed(tz::offset(8))).ok()?;
    Some(UnixMs(zoned.timestamp().as_millisecond()))
}

/// The Beijing day of an instant.
#[must_use]
pub fn day(at: UnixMs) -> Date {
    civil(at).date()
}

fn civil(at: UnixMs) -> DateTime {
    let stamp = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    tz::offset(8).to_datetime(stamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_instant_in_all_forms() {
        let at = UnixMs(1_790_000_000_000);
        assert_eq!(rfc3339(at), "2026-09-21T22:13:20+08:00");
        assert_eq!(beijing(at), "2026-09-21 22:13:20");
        assert_eq!(compact(at), "20260921221320");
        assert_eq!(parse_rfc3339("2026-09-21T14:13:20Z"), Some(at));
        assert_eq!(parse_beijing("2026-09-21 22:13:20"), Some(at));
        assert_eq!(parse_beijing("2026-09-21"), None);
        assert_eq!(day(at).to_string(), "2026-09-21");
    }
}
