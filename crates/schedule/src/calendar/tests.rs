//! Every case of the vectors, and what a file of years must not say.

use super::*;

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn vectors() -> serde_json::Value {
    serde_json::from_str(include_str!("../../vectors/cn_calendar.json")).unwrap()
}

#[test]
fn the_shipped_years_are_those_of_the_notices() {
    let calendar = Calendar::shipped();
    let given = Calendar::read(include_str!("../../vectors/cn_calendar.json")).unwrap();
    assert_eq!(calendar, given);
    assert_eq!(calendar.years().map(|(year, _)| year).collect::<Vec<_>>(), [2024, 2025, 2026]);
    for (year, said) in vectors()["years"].as_object().unwrap() {
        let year: i16 = year.parse().unwrap();
        let worked = every_day(year).filter(|d| calendar.kind(*d).is_workday()).count();
        assert_eq!(u64::try_from(worked).ok(), said["workdays_in_year"].as_u64(), "{year}");
        for off in said["days_off_by_notice"].as_array().unwrap() {
            assert_eq!(calendar.kind(date(off.as_str().unwrap())), DayKind::Holiday, "{off}");
        }
        for worked in said["make_up_workdays"].as_array().unwrap() {
            let kind = calendar.kind(date(worked.as_str().unwrap()));
            assert_eq!(kind, DayKind::MakeUp { stands_for: None }, "{worked}");
        }
    }
    for (year, days) in vectors()["statutory"].as_object().unwrap() {
        let year: i16 = year.parse().unwrap();
        let said: BTreeSet<Date> =
            days.as_array().unwrap().iter().map(|d| date(d.as_str().unwrap())).collect();
        let known: BTreeSet<Date> = every_day(year).filter(|d| calendar.is_statutory(*d)).collect();
        assert_eq!(known, said, "{year}");
    }
}

#[test]
fn each_sample_of_the_vectors() {
    let calendar = Calendar::shipped();
    let samples = vectors()["samples"].as_array().unwrap().clone();
    assert_eq!(samples.len(), 15);
    for sample in samples {
        let day = date(sample["date"].as_str().unwrap());
        assert_eq!(calendar.kind(day).is_workday(), sample["workday"], "{sample}");
        assert_eq!(calendar.is_statutory(day), sample["statutory"], "{sample}");
        assert_eq!(u64::from(weekday(day)), sample["weekday"], "{sample}");
    }
}

#[test]
fn a_year_that_nobody_loaded_has_weekends_only() {
    let calendar = Calendar::shipped();
    assert!(!calendar.knows(date("2027-01-01")) && calendar.knows(date("2026-12-31")));
    assert_eq!(calendar.kind(date("2027-01-01")), DayKind::Workday);
    assert_eq!(calendar.kind(date("2027-01-02")), DayKind::Weekend);
}

#[test]
fn a_file_that_contradicts_itself_is_refused() {
    let faults = |year: serde_json::Value| {
        let file = serde_json::json!({"years": {"2027": year}});
        match Calendar::read(&file.to_string()) {
            Err(PlanError::Invalid(fields)) => fields.iter().map(|f| f.code).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        }
    };
    let lists = |off: &[&str], worked: &[&str]| serde_json::json!({"days_off_by_notice": off, "make_up_workdays": worked});
    assert_eq!(faults(lists(&["2026-12-31"], &[])), ["other_year"]);
    assert_eq!(faults(lists(&[], &["2027-01-04"])), ["no_weekend"]);
    assert_eq!(faults(lists(&["2027-01-02"], &["2027-01-02"])), ["contradiction"]);
    let mut year = lists(&["2027-01-01"], &[]);
    year["workdays_in_year"] = 261.into();
    assert_eq!(faults(year), ["wrong_sum"]);
    let mut year = lists(&[], &["2027-01-02"]);
    year["stands_for"] = serde_json::json!({"2027-01-02": 8});
    assert_eq!(faults(year), ["wrong_value"]);
    let mut year = lists(&[], &[]);
    year["statutory"] = serde_json::json!(["2027-05-01"]);
    assert_eq!(faults(year), ["not_off"]);
    assert_eq!(faults(serde_json::json!({"days_off_by_notice": []})), ["unreadable"]);
    let fine = r#"{"years":{"2027":{"days_off_by_notice":["2027-01-01"],"make_up_workdays":["2027-01-02"],
        "stands_for":{"2027-01-02":5},"workdays_in_year":261}}}"#;
    let calendar = Calendar::read(fine).unwrap();
    assert_eq!(calendar.kind(date("2027-01-02")), DayKind::MakeUp { stands_for: Some(5) });
}
