//! B1, B2: numbers that the doctor adds: never beyond the limit, never at the cost of anybody else's place.

use std::collections::BTreeSet;
use std::time::Duration;

use edge::Role::{Doctor, Operations, Triage};
use edge::{Actor, Caller};
use futures_util::future::join_all;
use people::staff::first::{Prepared, add_prepared};
use people::staff::totp::TotpSecret;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::browser::key;
use testkit::setup::FIRST;
use testkit::{Answer, Browser, Hospital, Setup, Someone, each_hospital};

pub async fn adds(staff: &Browser, slot: &str, person: &str) -> Answer {
    let body = json!({"slot_id": slot, "person_id": person});
    staff.call(Method::POST, "/api/v1/staff/add-ons").key(&key()).json(&body).send().await
}

/// A browser in which a doctor of the site has signed in.
pub async fn signed_in_doctor(hospital: &Hospital, doctor: &testkit::site::Doctor, login: &str) -> Browser {
    let deps = hospital.node().staff();
    let new = Prepared {
        login: login.into(),
        name: "李明".into(),
        roles: vec![Doctor],
        doctor_id: Some(doctor.id.to_string()),
        wecom_userid: None,
        password_hash: deps.hasher.hash("Sunny-Day-2026").await.unwrap(),
        totp: TotpSecret::parse("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap(),
    };
    let machine = Caller::system(hospital.node().hospitals().get(FIRST).unwrap());
    let id = add_prepared(&deps, &machine, &new).await.unwrap();
    let browser = hospital.browser().await;
    let token = hospital.session(FIRST, Actor::Staff(id, vec![Doctor])).await;
    browser.has_session(&token).await;
    browser
}

async fn used(staff: &Browser, clinic: &str) -> (i64, i64) {
    let answer = staff.get(&format!("/api/v1/staff/clinics/{clinic}/add-ons")).await.good();
    (answer.number_at("used"), answer.number_at("limit"))
}

/// A full segment has a number more for one person; it goes away with them, and the public never gets it.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_added_and_goes_with_its_person() {
    each_hospital(async |hospital: &Hospital| {
        let phones = hospital.patients(6).await;
        let slot = hospital.opens_evening(&hospital.site.dr_li, 2, 2).await;
        let clinic = phones[0].gets(&slot).await.text_at("clinic_id").to_owned();
        let _second = phones[1].gets(&slot).await;
        let _full = phones[2].takes(&slot).await.refused(409, "slot_full");
        let desk = hospital.staff(&[Triage, Operations]).await;
        let patch = json!({"add_on_limit": 2});
        let _set = desk.patch(&format!("/api/v1/staff/clinics/{clinic}"), patch).await.good();
        assert_eq!(used(&desk, &clinic).await, (0, 2));
        let third = adds(&desk, &slot, phones[2].who()).await.expect(201);
        assert_eq!(
            (&third["number"], &third["visit"], &third["channel"], &third["by_staff"]),
            (&json!(3), &json!("add_on"), &json!("doctor"), &json!(true))
        );
        let twice = adds(&desk, &slot, phones[2].who()).await.refused(409, "already_booked");
        assert_eq!(twice["appointment_id"], third.id());
        let _fourth = adds(&desk, &slot, phones[3].who()).await.expect(201);
        let no_more = adds(&desk, &slot, phones[4].who()).await.refused(409, "no_add_ons_left");
        assert_eq!((no_more.number_at("limit"), used(&desk, &clinic).await), (2, (2, 2)));
        phones[2].receives_card("预约挂号成功通知").await;
        let page = phones[2].appointment(third.id()).await.good();
        assert_eq!((&page["visit"], &page["can_cancel"]), (&json!("add_on"), &json!(true)));
        // It can't be moved: the place belongs to it.
        let elsewhere = hospital.slot(&hospital.site.dr_wang, 3, "08:00").await;
        let _stays = phones[2].moves(third.id(), &elsewhere).await.refused(409, "cannot_move");
        let _gone = phones[2].cancels(third.id()).await.good();
        let _still_full = phones[5].takes(&slot).await.refused(409, "slot_full");
        assert_eq!(used(&desk, &clinic).await, (1, 2));
        assert_eq!(adds(&desk, &slot, phones[4].who()).await.expect(201)["number"], 5);
        // Bad input.
        let nobody = people::PersonId::new().to_string();
        let _nobody = adds(&desk, &slot, &nobody).await.refused(404, "not_found");
        let _nowhere = adds(&desk, &schedule::SlotId::new().to_string(), phones[5].who())
            .await
            .refused(404, "not_found");
        let child = hospital.slot(&hospital.site.dr_chen, 2, "08:00").await;
        let _adult = adds(&desk, &child, phones[5].who()).await.refused(409, "not_eligible");
    })
    .await;
}

/// A doctor adds to their own clinics, by a code that one patient takes the number with, once and for half an hour.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_once_for_one_patient() {
    each_hospital(async |hospital: &Hospital| {
        let phones = hospital.patients(2).await;
        let slot = hospital.opens_evening(&hospital.site.dr_li, 1, 1).await;
        let doctor = signed_in_doctor(hospital, &hospital.site.dr_li, "li").await;
        let other = hospital.slot(&hospital.site.dr_wang, 1, "08:00").await;
        let _not_own = adds(&doctor, &other, phones[0].who()).await.refused(403, "not_your_clinic");
        let hand = async || doctor.post("/api/v1/staff/add-on-codes", json!({"slot_id": slot})).await;
        let handed = hand().await.expect(201);
        let code = handed.text_at("code").to_owned();
        assert_eq!(handed.text_at("link"), format!("/add-on/{code}"));
        let path = format!("/api/v1/add-on-codes/{code}");
        let page = phones[0].get(&path).await.good();
        assert_eq!((&page["doctor_name"]["zh"], &page["start"]), (&json!("李明"), &json!("17:30")));
        let take = async |nth: usize, key: &str| -> Answer {
            let body = json!({"person_id": phones[nth].who()});
            phones[nth].call(Method::POST, &path).key(key).json(&body).send().await
        };
        let stolen = json!({"person_id": phones[1].who()});
        let stolen = phones[0].call(Method::POST, &path).key(&key()).json(&stolen).send().await;
        let _not_theirs = stolen.refused(404, "person_not_bound");
        let tap = key();
        let visit = take(0, &tap).await.expect(201);
        assert_eq!((&visit["visit"], &visit["number"]), (&json!("add_on"), &json!(1)));
        assert_eq!(take(0, &tap).await.expect(201).id(), visit.id(), "the same tap");
        let _used = take(1, &key()).await.refused(409, "add_on_code_over");
        let _used = phones[1].get(&path).await.refused(409, "add_on_code_over");
        let unknown = phones[1].get("/api/v1/add-on-codes/2345ABCD").await;
        let _unknown = unknown.refused(404, "not_found");
        // Two phones at the same moment: one has it.
        let code = hand().await.expect(201).text_at("code").to_owned();
        let path = format!("/api/v1/add-on-codes/{code}");
        let others = hospital.patients(4).await;
        let taps = join_all(others.iter().map(async |phone| {
            let body = json!({"person_id": phone.who()});
            phone.call(Method::POST, &path).key(&key()).json(&body).send().await
        }))
        .await;
        let won = taps.iter().filter(|a| a.status == 201).count();
        assert_eq!(won, 1);
        for lost in taps.into_iter().filter(|a| a.status != 201) {
            let _lost = lost.refused(409, "add_on_code_over");
        }
        // Half an hour.
        let code = hand().await.expect(201).text_at("code").to_owned();
        hospital.passes(Duration::from_secs(1_800)).await;
        let _ready = phones[1].signs_in().await;
        let _old =
            phones[1].get(&format!("/api/v1/add-on-codes/{code}")).await.refused(409, "add_on_code_over");
    })
    .await;
}

/// Everybody books while the desk adds, at two nodes, in a clinic that is divided by channel: as many as there are places, and as
/// many more as may be added.
#[tokio::test(flavor = "multi_thread")]
async fn adding_races_with_booking() {
    Setup::default()
        .days(2)
        .nodes(2)
        .with("booking.desk", json!({"add_on_limit": 3}))
        .play(async |hospital: &Hospital| {
            let desk = hospital.staff(&[Triage, Operations]).await;
            let shares = json!([{"channel": "online"}, {"channel": "window", "count": 2}]);
            let body = json!({"scope": {}, "shares": shares});
            let rule = desk.call(Method::POST, "/api/v1/staff/quotas").key(&key()).json(&body).send().await;
            let _rule = rule.expect(201);
            let slot = hospital.opens_evening(&hospital.site.dr_li, 1, 6).await;
            let people = hospital.crowd(24).await;
            let mut walk_ins = Vec::new();
            for nth in 0..8 {
                let name = format!("赵{}", ["一", "二", "三", "四", "五", "六", "七", "八"][nth]);
                walk_ins.push(hospital.on_file(&Someone::adult(&name), None).await.to_string());
            }
            for (nth, one) in people.iter().enumerate() {
                one.browser.is_served_by(nth % hospital.nodes().len());
            }
            let books =
                join_all(people.iter().map(|one| one.browser.booking(&slot, &one.person, &key()).send()));
            let added = join_all(walk_ins.iter().map(|person| adds(&desk, &slot, person)));
            let (booked, added) = tokio::join!(books, added);
            let numbers = |answers: &[Answer]| -> Vec<i64> {
                answers.iter().filter(|a| a.status == 201).map(|a| a.number_at("number")).collect()
            };
            let (online, extra) = (numbers(&booked), numbers(&added));
            assert_eq!(
                (online.len(), extra.len()),
                (4, 3),
                "four online of six, two kept for the counter, three added"
            );
            let all: BTreeSet<i64> = online.iter().chain(&extra).copied().collect();
            assert_eq!(all, (1..=7).collect());
            for refused in booked.into_iter().filter(|a| a.status != 201) {
                let _full = refused.refused(409, "slot_full");
            }
            for refused in added.into_iter().filter(|a| a.status != 201) {
                assert_eq!(refused.refused(409, "no_add_ons_left").number_at("limit"), 3);
            }
            // The division still adds up, and the counter still has its two.
            let clinic: Value = desk
                .get(&format!("/api/v1/staff/clinics?from={}&days=1", hospital.day(1)))
                .await
                .good()
                .items()
                .iter()
                .find(|c| c["half_day"] == "night")
                .unwrap()
                .clone();
            assert_eq!((&clinic["capacity"], &clinic["taken"]), (&json!(9), &json!(7)));
            let line = |channel: &str| {
                let quotas = clinic["quotas"].as_array().unwrap();
                let line = quotas.iter().find(|q| q["channel"] == channel).unwrap();
                (line["capacity"].as_i64().unwrap(), line["taken"].as_i64().unwrap())
            };
            assert_eq!((line("online"), line("window"), line("doctor")), ((4, 4), (2, 0), (3, 3)));
        })
        .await;
}
