//! On which days a template's clinic takes place.

use super::*;
use crate::calendar::Calendar;

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn template() -> NewTemplate {
    NewTemplate {
        department_id: DepartmentId::new(),
        doctor_id: None,
        campus_id: CampusId::new(),
        weekday: 1,
        weeks: Weeks::Every,
        every_weeks: 1,
        half_day: HalfDay::Am,
        kind: ClinicKind::General,
        online: false,
        fee_fen: Fen(1_400),
        room: None,
        segments: vec![SegmentPlaces {
            start: "08:00".parse().unwrap(),
            end: "08:30".parse().unwrap(),
            capacity: 3,
        }],
        cutoff_minutes: None,
        valid_from: date("2026-01-01"),
        valid_until: None,
        holidays: Holidays::Closed,
        make_up: MakeUp::Follow,
    }
}

fn days(template: &NewTemplate, first: &str, last: &str) -> Vec<String> {
    let calendar = Calendar::shipped();
    let mut found = Vec::new();
    let mut day = date(first);
    while day <= date(last) {
        if template.sits(day, calendar.kind(day)) {
            found.push(day.to_string());
        }
        day = day.tomorrow().unwrap();
    }
    found
}

#[test]
fn weeks_odd_even_and_counted() {
    let mondays =
        ["2026-11-23", "2026-11-30", "2026-12-07", "2026-12-14", "2026-12-21", "2026-12-28", "2027-01-04"];
    let of = |weeks, every_weeks, valid_from: &str| {
        let t = NewTemplate { weeks, every_weeks, valid_from: date(valid_from), ..template() };
        days(&t, "2026-11-23", "2027-01-10")
    };
    assert_eq!(of(Weeks::Every, 1, "2026-01-01"), mondays);
    // 2026 has 53 weeks: 28 December (week 53) and 4 January (week 1) are both odd.
    assert_eq!(of(Weeks::Odd, 1, "2026-01-01"), ["2026-11-30", "2026-12-14", "2026-12-28", "2027-01-04"]);
    assert_eq!(of(Weeks::Even, 1, "2026-01-01"), ["2026-11-23", "2026-12-07", "2026-12-21"]);
    // Counted from the week of Thursday, 26 November: no leap at the year's end.
    assert_eq!(of(Weeks::Counted, 2, "2026-11-26"), ["2026-12-07", "2026-12-21", "2027-01-04"]);
    assert_eq!(of(Weeks::Counted, 3, "2026-11-23"), ["2026-11-23", "2026-12-14", "2027-01-04"]);
}

#[test]
fn holidays_and_the_days_worked_in_their_place() {
    // National Day 2026: 1 to 7 October off (Thursday to Wednesday), 20 September (Sunday) and 10 October (Saturday) worked.
    let monday = template();
    assert_eq!(days(&monday, "2026-09-28", "2026-10-12"), ["2026-09-28", "2026-10-12"]);
    let open = NewTemplate { holidays: Holidays::Open, ..template() };
    assert_eq!(days(&open, "2026-09-28", "2026-10-12"), ["2026-09-28", "2026-10-05", "2026-10-12"]);
    let saturday = |make_up| NewTemplate { weekday: 6, make_up, ..template() };
    assert_eq!(days(&saturday(MakeUp::Own), "2026-10-08", "2026-10-18"), ["2026-10-10", "2026-10-17"]);
    assert_eq!(
        days(&saturday(MakeUp::Follow), "2026-10-08", "2026-10-18"),
        ["2026-10-10", "2026-10-17"],
        "not named"
    );
    assert_eq!(days(&saturday(MakeUp::Closed), "2026-10-08", "2026-10-18"), ["2026-10-17"]);
    // The hospital runs 10 October as a Wednesday.
    let day = DayKind::MakeUp { stands_for: Some(3) };
    let wednesday = |make_up| NewTemplate { weekday: 3, make_up, ..template() };
    assert!(wednesday(MakeUp::Follow).sits(date("2026-10-10"), day));
    assert!(!wednesday(MakeUp::Own).sits(date("2026-10-10"), day));
    assert!(!saturday(MakeUp::Follow).sits(date("2026-10-10"), day));
}

#[test]
fn from_and_until() {
    let t =
        NewTemplate { valid_from: date("2026-11-24"), valid_until: Some(date("2026-12-07")), ..template() };
    assert_eq!(days(&t, "2026-11-01", "2026-12-31"), ["2026-11-30", "2026-12-07"]);
}

#[test]
fn an_exception_goes_before_all_else() {
    let t = Template { id: TemplateId::new(), says: template(), active: true };
    let other =
        vec![SegmentPlaces { start: "09:00".parse().unwrap(), end: "09:20".parse().unwrap(), capacity: 1 }];
    let exception =
        |segments| Exception { template: t.id, date: date("2026-11-23"), segments, note: String::new() };
    let on = |exception: Option<&Exception>| {
        t.on(date("2026-11-23"), DayKind::Workday, exception).map(<[_]>::to_vec)
    };
    assert_eq!(on(None), Some(t.says.segments.clone()));
    assert_eq!(on(Some(&exception(None))), None);
    assert_eq!(on(Some(&exception(Some(other.clone())))), Some(other.clone()));
    // Once, on a day that is not its own.
    let extra = exception(Some(other.clone()));
    assert_eq!(t.on(date("2026-11-24"), DayKind::Workday, Some(&extra)), Some(other.as_slice()));
    let ended = Template { active: false, ..t.clone() };
    assert_eq!(ended.on(date("2026-11-23"), DayKind::Workday, Some(&extra)), None);
}

#[test]
fn what_is_wrong_is_named() {
    let codes = |t: NewTemplate| t.faults().iter().map(|f| f.field.clone()).collect::<Vec<_>>();
    assert!(codes(template()).is_empty());
    assert_eq!(codes(NewTemplate { weekday: 8, every_weeks: 0, ..template() }), ["weekday", "every_weeks"]);
    assert_eq!(codes(NewTemplate { segments: Vec::new(), ..template() }), ["slots"]);
    let backwards = NewTemplate { valid_until: Some(date("2025-12-31")), ..template() };
    assert_eq!(codes(backwards), ["valid_until"]);
}
