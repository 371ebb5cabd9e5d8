use std::collections::BTreeSet;

use base::Text2;

use super::*;
use crate::model::Visit;

/// All keys with the arguments of their sentences: what both files must agree on.
fn inventory(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (mut message, mut key) = (String::new(), String::new());
    for line in text.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#')) {
        if let Some((id, _)) = line.split_once('=').filter(|_| !line.starts_with([' ', '.'])) {
            message = id.trim().to_owned();
            key.clone_from(&message);
        } else if let Some((name, _)) = line.trim_start().strip_prefix('.').and_then(|l| l.split_once('=')) {
            key = format!("{message}.{}", name.trim());
        }
        let found = all.entry(key.clone()).or_default();
        for piece in line.split('$').skip(1) {
            found.insert(piece.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect());
        }
    }
    all
}

fn words(kind: Kind, data: &BTreeMap<String, Arg>, lang: Lang, sensitive: &[String]) -> Words {
    let name = Text2::new("杏林医院", "Xinglin Hospital");
    Words::new(
        House { name: &name, phone: "021-55550100", zone: &Zone::china() },
        kind,
        data,
        lang,
        sensitive,
    )
}

fn visit() -> BTreeMap<String, Arg> {
    let visit = Visit {
        person: "张*".into(),
        department_id: "dep_1".into(),
        department: Text2::new("心血管内科", "Cardiology"),
        doctor: Some(Text2::new("李明", "Li Ming")),
        start: UnixMs(1_795_397_400_000),
        end: Some(UnixMs(1_795_399_200_000)),
        campus: Text2::new("东院区", "East Campus"),
        room: Some(Text2::new("305 诊室", "Room 305")),
        number: Some(7),
        old_start: None,
        note: None,
    };
    visit.data().into_iter().map(|(name, arg)| (name.to_owned(), arg)).collect()
}

#[test]
fn both_languages_have_the_same_sentences_with_the_same_arguments() {
    for (lang, text) in [("zh-CN", bundle::ZH), ("en-GB", bundle::EN)] {
        assert_eq!(bundle::read(lang, text).1, Vec::<String>::new());
    }
    let (mut zh, mut en) = (inventory(bundle::ZH), inventory(bundle::EN));
    assert!(zh.keys().all(|key| !key.is_empty()) && zh.len() > 35, "{zh:?}");
    // A date is put together in each language's own way, from the same parts.
    assert_eq!(zh.remove("day"), en.remove("day"));
    assert_eq!(zh, en);
}

#[test]
fn every_kind_has_every_text_and_no_gap() {
    let data = visit();
    let files = inventory(bundle::ZH);
    for kind in Kind::ALL {
        let sms: BTreeSet<&str> = files[&format!("{}.sms", kind.code())].iter().map(String::as_str).collect();
        assert_eq!(sms, sms_arguments(*kind).iter().copied().collect(), "{kind:?}");
        for key in ["chat", "sms", "note"] {
            let used = &files[&format!("{}.{key}", kind.code())];
            assert!(used.iter().all(|name| NAMES.contains(&name.as_str())), "{kind:?}.{key}: {used:?}");
        }
        for lang in [Lang::Zh, Lang::En] {
            let said = words(*kind, &data, lang, &[]);
            let chat = said.chat(*kind, "https://h.example/a?b=\"c");
            assert!(
                !chat.contains(['{', '$']) && chat.contains("href=\"https://h.example/a?b=%22c\""),
                "{chat}"
            );
            assert!(chat.len() <= wechat::message::MAX_TEXT_BYTES);
            for what in ["title", "status", "note"] {
                assert!(!said.get(what).is_empty(), "{kind:?} {what}");
            }
            // A note goes into a field of twenty characters.
            assert!(said.get("note").chars().count() <= 20, "{kind:?}");
            assert!(fit(&said, *kind, "phrase1", "status").is_ok());
        }
    }
    assert_eq!(sms_templates().len(), Kind::ALL.len() * 2);
}

#[test]
fn a_booking_in_both_languages() {
    let data = visit();
    let kind = Kind::AppointmentConfirmed;
    let zh = words(kind, &data, Lang::Zh, &[]);
    assert_eq!(zh.get("time"), "11月23日（周一）09:30–10:00");
    assert_eq!(zh.get("start"), "2026年11月23日 09:30");
    assert_eq!(
        zh.chat(kind, ""),
        "张*的预约已成功。\n时间：11月23日（周一）09:30–10:00\n医生：李明\n地点：东院区 305 诊室\n\
         请按时到院报到；来不了请提前取消，把号留给需要的人。"
    );
    let en = words(kind, &data, Lang::En, &[]);
    assert_eq!(en.get("time"), "Mon 23 Nov 09:30–10:00");
    assert_eq!(en.get("start"), "2026-11-23 09:30");
    assert_eq!(en.get("place"), "East Campus, Room 305");
    assert_eq!(
        sms_templates()["XL_APPOINTMENT_CONFIRMED_EN"],
        "Booked for ${person}: ${who}, ${time}, ${place}. Please check in on time, or cancel early if you can't come."
    );
    assert_eq!(en.sms(kind)["who"], "Li Ming");
}

#[test]
fn a_sensitive_department_is_not_named() {
    let mut data = visit();
    let hidden = ["dep_1".to_owned()];
    let said = words(Kind::AppointmentReminder, &data, Lang::Zh, &hidden);
    let chat = said.chat(Kind::AppointmentReminder, "");
    assert!(chat.contains("医生：李明") && chat.contains("地点：东院区"), "{chat}");
    assert!(!chat.contains("心血管") && !chat.contains("305"), "{chat}");
    data.remove("doctor");
    let said = words(Kind::AppointmentReminder, &data, Lang::En, &hidden);
    assert_eq!((said.get("who"), said.get("department")), ("Outpatient clinic", "Outpatient clinic"));
}

#[test]
fn fields_are_never_empty() {
    let mut data = visit();
    data.remove("doctor");
    for (lang, none) in [(Lang::Zh, "无"), (Lang::En, "–")] {
        let kind = Kind::AppointmentReminder;
        let said = words(kind, &data, lang, &[]);
        assert_eq!(fit(&said, kind, "thing3", "doctor").unwrap(), none);
        assert_eq!(fit(&said, kind, "character_string3", "doctor").unwrap(), "-");
        assert_eq!(fit(&said, kind, "thing3", "not an argument").unwrap(), none);
        assert!(fit(&said, kind, "time4", "start").is_ok());
        assert_eq!(fit(&said, kind, "phrase1", "status").unwrap(), "待就诊");
        // A field of time that is tied to a name can't be filled in: the tie must be mended.
        assert!(fit(&said, kind, "time4", "person").is_err());
        assert!(fit(&said, kind, "time5", "old_start").is_err());
    }
}

#[test]
fn months_and_days() {
    let zone = Zone::china();
    let at = |date: &str| zone.at(date.parse().unwrap(), "08:05".parse().unwrap());
    assert_eq!(spoken(Lang::En, &zone, at("2026-01-04"), None), "Sun 4 Jan 08:05");
    assert_eq!(spoken(Lang::En, &zone, at("2026-12-31"), None), "Thu 31 Dec 08:05");
    assert_eq!(spoken(Lang::Zh, &zone, at("2026-12-31"), None), "12月31日（周四）08:05");
}
