//! Every case of the vectors, and properties.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../vectors/cn_ids.json")).unwrap()
}

fn cases(section: &str) -> Vec<Value> {
    vectors()[section].as_array().unwrap().clone()
}

fn today() -> Date {
    vectors()["meta"]["as_of"].as_str().unwrap().parse().unwrap()
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or("")
}

/// The reason as the vectors name it: finer than the API's.
fn reason(fault: Fault) -> &'static str {
    match fault {
        Fault::NotADate => "birth_date_not_a_date",
        Fault::TooOld => "birth_date_too_old",
        Fault::InFuture => "birth_date_in_future",
        other => other.reason(),
    }
}

#[test]
fn every_valid_resident_number() {
    let all = cases("valid");
    assert_eq!(all.len(), 60);
    for case in &all {
        let document = Document::parse(DocumentKind::ResidentId, text(case, "input"), None, today())
            .unwrap_or_else(|fault| panic!("{case}: {fault:?}"));
        assert_eq!(document.number, text(case, "normalized"));
        assert_eq!(document.kind.code(), text(case, "kind"), "{case}");
        assert_eq!(document.birth.unwrap().to_string(), text(case, "birth_date"));
        let sex = if text(case, "sex") == "F" { Sex::Female } else { Sex::Male };
        assert_eq!(document.sex, Some(sex), "{case}");
        // As a residence permit only those of 81 to 83 pass, and they are the same document under both names.
        let permit = Document::parse(DocumentKind::HmtResidencePermit, text(case, "input"), None, today());
        if text(case, "kind") == "hmt_residence_permit" {
            assert_eq!(permit.unwrap().identity(), document.identity());
        } else {
            assert_eq!(permit.unwrap_err(), Fault::Region);
        }
    }
}

#[test]
fn every_invalid_resident_number_with_its_reason() {
    let all = cases("invalid");
    assert_eq!(all.len(), 52);
    for case in &all {
        let fault =
            Document::parse(DocumentKind::ResidentId, text(case, "input"), None, today()).unwrap_err();
        assert_eq!(reason(fault), text(case, "reason"), "{case}");
    }
}

#[test]
fn numbers_are_normalised() {
    for case in cases("normalize") {
        let document =
            Document::parse(DocumentKind::ResidentId, text(&case, "input"), None, today()).unwrap();
        assert_eq!(document.number, text(&case, "normalized"), "{case}");
    }
}

#[test]
fn fifteen_digits_are_for_matching_only() {
    for case in cases("upgrade_15_to_18") {
        let input = text(&case, "input");
        match case["upgraded"].as_str() {
            Some(upgraded) => assert_eq!(from_15_digits(input, today()).unwrap(), upgraded),
            None => assert_eq!(reason(from_15_digits(input, today()).unwrap_err()), text(&case, "reason")),
        }
        let new = Document::parse(DocumentKind::ResidentId, input, None, today());
        assert_eq!(new.unwrap_err(), Fault::Length, "not accepted as a document any more");
    }
    assert_eq!(from_15_digits("31000067040100X", today()), Err(Fault::Format));
    assert_eq!(from_15_digits("３１０００067040100", today()), Err(Fault::Length));
}

#[test]
fn permanent_residents_of_both_forms() {
    for case in cases("permanent_resident") {
        let parsed =
            Document::parse(DocumentKind::ForeignPermanentResident, text(&case, "input"), None, today());
        match parsed {
            Ok(document) => {
                assert_eq!(text(&case, "verdict"), "valid", "{case}");
                assert_eq!(document.sex, None, "no rule for it is published");
                if let Some(birth) = case.get("birth_date").and_then(Value::as_str) {
                    assert_eq!(document.birth.unwrap().to_string(), birth);
                }
            }
            Err(fault) => assert_eq!(reason(fault), text(&case, "reason"), "{case}"),
        }
    }
    // A resident's number is none, and the other way round.
    let number = "110000199703312884";
    let parsed = Document::parse(DocumentKind::ForeignPermanentResident, number, None, today());
    assert_eq!(parsed.unwrap_err(), Fault::Format);
    let parsed = Document::parse(DocumentKind::ResidentId, "931840190001010010", None, today());
    assert_eq!(parsed.unwrap_err(), Fault::Region);
}

#[test]
fn the_other_forms() {
    let mut seen = 0;
    for case in cases("other_formats") {
        let (kind, input) = (text(&case, "kind"), text(&case, "input"));
        let valid = text(&case, "verdict") == "valid";
        let kind = match kind {
            "hk_macau_mainland_travel_permit" => DocumentKind::HkMacauPermit,
            "taiwan_mainland_travel_permit" => DocumentKind::TaiwanPermit,
            "passport" => DocumentKind::Passport,
            "birth_certificate_no" => DocumentKind::BirthCertificate,
            "mobile_cn" => {
                let read = Mobile::parse(input);
                assert_eq!(read.is_some(), valid, "{case}");
                if let Some(mobile) = read {
                    assert_eq!(mobile.digits(), text(&case, "normalized"));
                }
                seen += 1;
                continue;
            }
            other => panic!("a kind that is not ours: {other}"),
        };
        let parsed = Document::parse(kind, input, Some("fra"), today());
        assert_eq!(parsed.is_ok(), valid, "{case}");
        seen += 1;
    }
    assert_eq!(seen, 23);
}

#[test]
fn a_passport_needs_its_country() {
    let parse = |country| Document::parse(DocumentKind::Passport, "e1234 5678", country, today());
    let passport = parse(Some(" fra ")).unwrap();
    assert_eq!((passport.number.as_str(), passport.country.as_deref()), ("E12345678", Some("FRA")));
    for wrong in [None, Some(""), Some("FR"), Some("法兰西"), Some("F1A")] {
        assert_eq!(parse(wrong).unwrap_err(), Fault::Country, "{wrong:?}");
    }
    let other = parse(Some("USA")).unwrap();
    assert_ne!(
        passport.identity(),
        other.identity(),
        "the same number of another country is another document"
    );
}

#[test]
fn nothing_prints_a_number() {
    let document = Document::parse(DocumentKind::ResidentId, "110000199703312884", None, today()).unwrap();
    assert_eq!(format!("{document:?}"), "Document(resident_id, 110***********2884)");
    assert_eq!(document.tail(), "2884");
    assert_eq!(format!("{:?}", Mobile::parse("13800138000").unwrap()), "138****8000");
}

proptest! {
    #[test]
    fn no_text_panics(input in "\\PC{0,40}", country in "\\PC{0,5}") {
        for kind in DocumentKind::ALL {
            let _ = Document::parse(*kind, &input, Some(&country), today());
        }
        let _ = from_15_digits(&input, today());
        let _ = Mobile::parse(&input);
        let _ = tail(&input);
    }

    /// MOD 11-2 finds every single wrong digit and every swap of neighbours.
    #[test]
    fn one_wrong_digit_never_passes(at in 0_usize..18, other in 0_u32..10) {
        let right = "320000197707070042";
        let wrong: String = right
            .chars()
            .enumerate()
            .map(|(i, c)| if i == at { char::from_digit(other, 10).unwrap() } else { c })
            .collect();
        let parsed = Document::parse(DocumentKind::ResidentId, &wrong, None, today());
        prop_assert_eq!(parsed.is_ok(), wrong == right);
    }

    #[test]
    fn what_passes_tells_a_date_that_has_been(number in "(1[1-5]|3[1-7]|8[1-3])[0-9]{4}(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9X]") {
        if let Ok(document) = Document::parse(DocumentKind::ResidentId, &number, None, today()) {
            let birth = document.birth.unwrap();
            prop_assert!(birth.year() >= 1900 && birth <= today());
            prop_assert_eq!(birth.strftime("%Y%m%d").to_string(), number.chars().skip(6).take(8).collect::<String>());
        }
    }

    #[test]
    fn normalising_twice_is_normalising_once(input in "[0-9A-Za-z０-９Ａ-ｚ \u{200b}\u{2013}-]{0,40}") {
        let once = normalise(&input);
        prop_assert_eq!(normalise(&once), once);
    }

    #[test]
    fn a_mobile_number_is_read_however_it_is_written(rest in "[3-9][0-9]{9}", style in 0_usize..6) {
        let number = format!("1{rest}");
        let (a, b) = number.split_at(3);
        let (b, c) = b.split_at(4);
        let written = match style {
            0 => number.clone(),
            1 => format!("+86 {a}-{b}-{c}"),
            2 => format!("0086{number}"),
            3 => format!("86 {a} {b} {c}"),
            4 => format!("（+86）{number}"),
            _ => number.chars().map(|c| char::from_u32(u32::from(c) + 0xfee0).unwrap()).collect(),
        };
        let mobile = Mobile::parse(&written);
        prop_assert_eq!(mobile.as_ref().map(Mobile::digits), Some(number.as_str()));
    }
}
