use proptest::prelude::*;

use super::*;

fn wall(text: &str) -> WallTime {
    text.parse().unwrap()
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

#[test]
fn release_is_a_fortnight_before_at_seven() {
    let (rules, zone) = (ReleaseRules::default(), Zone::china());
    let opens = rules.opens_at(&zone, date("2026-12-05"));
    assert_eq!(zone.rfc3339(opens), "2026-11-21T07:00:00+08:00");
    let closes = rules.closes_at(&zone, date("2026-12-05"), wall("11:30"));
    assert_eq!(zone.rfc3339(closes), "2026-12-05T11:00:00+08:00");
    assert_eq!(days_after(days_before(date("2028-03-01"), 14), 14), date("2028-03-01"));
    assert_eq!(days_before(Date::MIN, 1), Date::MIN);
}

#[test]
fn settings_have_defaults_and_refuse_what_they_do_not_know() {
    let read = |text: &str| serde_json::from_str::<ReleaseRules>(text);
    assert_eq!(read("{}").unwrap(), ReleaseRules::default());
    let rules = read(r#"{"horizon_days":7,"release_time":"05:30"}"#).unwrap();
    assert_eq!((rules.horizon_days, rules.release_time, rules.cutoff_minutes), (7, wall("05:30"), 30));
    for bad in [r#"{"horizon":7}"#, r#"{"release_time":"7"}"#, r#"{"horizon_days":-1}"#] {
        assert!(read(bad).is_err(), "{bad}");
    }
}

#[test]
fn segments_that_can_not_be() {
    let s = |start: &str, end: &str| Segment { start: wall(start), end: wall(end) };
    for (segments, error) in [
        (vec![], SegmentsError::None),
        (vec![s("09:00", "09:00")], SegmentsError::Backwards),
        (vec![s("09:00", "08:30")], SegmentsError::Backwards),
        (vec![s("09:00", "09:31")], SegmentsError::TooLong),
        (vec![s("09:00", "09:30"), s("09:29", "09:45")], SegmentsError::Overlap),
        (vec![s("09:30", "10:00"), s("09:00", "09:30")], SegmentsError::Overlap),
    ] {
        assert_eq!(check_segments(&segments), Err(error), "{segments:?}");
    }
    assert_eq!(check_segments(&[s("11:30", "12:00"), s("13:30", "14:00")]), Ok(()));
    assert_eq!(segments(wall("08:00"), wall("12:00"), 0), Err(SegmentsError::Step));
    assert_eq!(segments(wall("08:00"), wall("12:00"), 31), Err(SegmentsError::Step));
    assert_eq!(segments(wall("12:00"), wall("12:00"), 30), Err(SegmentsError::Backwards));
}

const HOURS: Hours = Hours { opens_at: UnixMs(100), closes_at: UnixMs(500), stopped: false };

#[test]
fn a_slot_by_time_and_count() {
    use SlotState::{Closed, Full, Open};
    let stopped = Hours { stopped: true, ..HOURS };
    for (hours, start, taken, now, want) in [
        (HOURS, 300, 0, 99, Closed),
        (HOURS, 300, 0, 100, Open),
        (HOURS, 300, 1, 100, Open),
        (HOURS, 300, 2, 100, Full),
        (HOURS, 300, 0, 299, Open),
        (HOURS, 300, 0, 300, Closed),
        (HOURS, 300, 2, 300, Closed),
        (HOURS, 900, 0, 499, Open),
        (HOURS, 900, 0, 500, Closed),
        (stopped, 300, 0, 200, Closed),
    ] {
        let state = slot_state(&hours, UnixMs(start), 2, taken, UnixMs(now));
        assert_eq!(state, want, "start {start} taken {taken} now {now}");
    }
}

#[test]
fn a_clinic_is_as_good_as_its_best_slot() {
    use ClinicState as C;
    use SlotState::{Closed, Full, Open};
    let stopped = Hours { stopped: true, ..HOURS };
    for (hours, slots, now, want) in [
        (HOURS, vec![Closed, Full, Open, Full], 200, C::Open),
        (HOURS, vec![Closed, Full, Closed], 200, C::Full),
        (HOURS, vec![Closed, Closed], 200, C::Closed),
        (HOURS, vec![], 200, C::Closed),
        (HOURS, vec![Closed], 50, C::NotOpen),
        (stopped, vec![Closed], 50, C::Stopped),
    ] {
        assert_eq!(clinic_state(&hours, slots.clone(), UnixMs(now)), want, "{slots:?}");
    }
}

#[test]
fn a_day_is_as_good_as_its_best_clinic() {
    use ClinicState::{Closed, Full, NotOpen, Open, Stopped};
    for (clinics, want) in [
        (vec![], DayState::None),
        (vec![Closed, Closed], DayState::None),
        (vec![Closed, Stopped], DayState::Stopped),
        (vec![Stopped, NotOpen], DayState::NotOpen),
        (vec![NotOpen, Full, Stopped], DayState::Full),
        (vec![Full, Open], DayState::Open),
    ] {
        assert_eq!(day_state(clinics.clone()), want, "{clinics:?}");
    }
}

proptest! {
    #[test]
    fn segments_cover_exactly(from in 0_u16..1440, length in 1_u16..=1440, step in 1_u16..=30) {
        let to = (from + length).min(1440);
        let cut = segments(WallTime::from_minutes(from), WallTime::from_minutes(to), step).unwrap();
        prop_assert_eq!(check_segments(&cut), Ok(()));
        prop_assert_eq!(cut.first().unwrap().start.minutes(), from);
        prop_assert_eq!(cut.last().unwrap().end.minutes(), to);
        for (a, b) in cut.iter().zip(cut.iter().skip(1)) {
            prop_assert_eq!(a.end, b.start);
            prop_assert_eq!(a.end.minutes() - a.start.minutes(), step);
        }
    }

    /// Over time a slot only goes from closed to open (or full) to closed, and what is open can be had.
    #[test]
    fn states_follow_each_other(
        opens in 0_i64..1000, length in 1_i64..1000, start in 0_i64..2500, capacity in 0_i64..4, taken in 0_i64..4,
    ) {
        let taken = taken.min(capacity);
        let hours = Hours { opens_at: UnixMs(opens), closes_at: UnixMs(opens + length), stopped: false };
        let mut changes = 0;
        let mut last = SlotState::Closed;
        for now in 0..3000 {
            let now = UnixMs(now);
            let state = slot_state(&hours, UnixMs(start), capacity, taken, now);
            changes += i32::from(state != last);
            last = state;
            prop_assert_eq!(state != SlotState::Closed, hours.admit(UnixMs(start), now));
            prop_assert_eq!(state == SlotState::Open, hours.admit(UnixMs(start), now) && taken < capacity);
            let clinic = clinic_state(&hours, [state], now);
            prop_assert_eq!(clinic == ClinicState::Open, state == SlotState::Open);
            prop_assert_eq!(clinic == ClinicState::NotOpen, now < hours.opens_at);
            if hours.admit(UnixMs(start), now) {
                prop_assert!(hours.ahead(UnixMs(start), now));
            }
        }
        prop_assert_eq!(last, SlotState::Closed);
        prop_assert!(changes == 0 || changes == 2);
    }

    /// What a person may do never depends on the order in which a day's clinics are looked at.
    #[test]
    fn a_day_does_not_depend_on_order(states in proptest::collection::vec(0_usize..5, 0..6)) {
        const ALL: [ClinicState; 5] =
            [ClinicState::Open, ClinicState::Full, ClinicState::NotOpen, ClinicState::Closed, ClinicState::Stopped];
        let forward = day_state(states.iter().map(|i| ALL[*i]));
        let backward = day_state(states.iter().rev().map(|i| ALL[*i]));
        prop_assert_eq!(forward, backward);
    }
}
