//! B1: having a place, or being told why not.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use testkit::browser::key;
use testkit::{Answer, Hospital, each_hospital};
use tokio::io::AsyncWriteExt as _;

/// One of two has it; the other is shown what is nearest, and has that with one tap.
#[tokio::test(flavor = "multi_thread")]
async fn two_phones_want_the_last_number() {
    each_hospital(async |hospital: &Hospital| {
        let last = hospital.opens_evening(&hospital.site.dr_li, 1, 1).await;
        let phones = hospital.patients(2).await;
        let answers: Vec<Answer> = join_all(phones.iter().map(|phone| phone.takes(&last))).await;
        let has = answers.iter().position(|a| a.status == 201).expect("one of them has it");
        assert_eq!(answers[has]["number"], 1);
        let (late, problem) = (&phones[1 - has], answers[1 - has].clone().refused(409, "slot_full"));
        assert_eq!(problem["reasons"], json!(["slot_full"]));
        let nearest = problem["nearest"].as_array().unwrap();
        assert!(!nearest.is_empty(), "{}", problem.text);
        assert_eq!(nearest[0]["doctor_id"], hospital.site.dr_li.id.to_string(), "the same doctor first");
        let other = late.gets(nearest[0]["slot_id"].as_str().unwrap()).await;
        assert_eq!(other["number"], 1);
    })
    .await;
}

/// The connection breaks when the place was just given. The phone asks again with its key and is told of that very place.
#[tokio::test(flavor = "multi_thread")]
async fn the_network_drops_after_the_commit_and_the_phone_asks_again() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.patient("李娜").await;
        let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
        let key = key();
        let session = phone.looks_who_it_is().await;
        let body = json!({"slot_id": slot, "person_id": phone.who()}).to_string();
        let request = format!(
            "POST /api/v1/appointments HTTP/1.1\r\nhost: {}\r\ncookie: __Host-xl={}\r\nx-csrf: {}\r\nidempotency-key: {key}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            phone.origin().trim_start_matches("http://"),
            phone.cookie("__Host-xl"),
            session.text_at("csrf"),
            body.len(),
        );
        let mut wire = tokio::net::TcpStream::connect(hospital.node().address).await.unwrap();
        wire.write_all(request.as_bytes()).await.unwrap();
        // Nobody reads the answer. The confirmation on the phone shows that the place was given …
        let card = phone.receives_card("预约挂号成功通知").await;
        drop(wire);
        // … and the page, which knows nothing of that, asks again.
        let again = phone.booking(&slot, phone.who(), &key).send().await.expect(201);
        assert!(card.link().ends_with(again.id()), "{card:?}");
        assert_eq!(again["number"], 1);
        let copies = join_all((0..8).map(|_| phone.booking(&slot, phone.who(), &key).send())).await;
        assert!(copies.into_iter().all(|copy| copy.expect(201).id() == again.id()));
        assert_eq!(phone.upcoming().await.items().len(), 1, "one place, however often it was asked for");
        // The same key for something else is a mistake, and said to be one.
        let other = hospital.slot(&hospital.site.dr_wang, 2, "08:00").await;
        let _problem = phone.booking(&other, phone.who(), &key).send().await.refused(422, "idempotency_key_reused");
        assert_eq!(phone.cards().await, ["预约挂号成功通知"], "told once");
    })
    .await;
}

/// The same key sent eight times at the same moment is one booking.
#[tokio::test(flavor = "multi_thread")]
async fn an_impatient_thumb_books_once() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.patient("李娜").await;
        let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
        let key = key();
        let answers = join_all((0..8).map(|_| phone.booking(&slot, phone.who(), &key).send())).await;
        let ids: std::collections::HashSet<String> =
            answers.into_iter().map(|answer| answer.expect(201).id().to_owned()).collect();
        assert_eq!(ids.len(), 1);
        assert_eq!(phone.upcoming().await.items().len(), 1);
    })
    .await;
}

/// Where a clinic stands is seen by everybody at once, in the list as on the doctor's page, and a full one names others.
#[tokio::test(flavor = "multi_thread")]
async fn a_clinic_fills_up() {
    each_hospital(async |hospital: &Hospital| {
        let doctor = hospital.site.dr_wang;
        let slot = hospital.opens_evening(&doctor, 3, 2).await;
        let watcher = hospital.browser().await;
        let path = format!("/api/v1/doctors/{}/clinics?from={}&days=1", doctor.id, hospital.day(3));
        let evening = async || {
            let answer = watcher.get(&path).await.good();
            let found = answer.items().iter().find(|c| c["half_day"] == "night").unwrap().clone();
            (found["state"].clone(), found["remaining"].clone(), found["slots"][0]["state"].clone())
        };
        assert_eq!(evening().await, (json!("open"), json!(2), json!("open")));
        let first = watcher.get(&path).await.good();
        let etag = first.header("etag").to_owned();
        let unchanged = watcher.call(reqwest::Method::GET, &path).header("if-none-match", &etag).send().await;
        assert_eq!((unchanged.status, unchanged.text.as_str()), (304, ""));
        let phones = hospital.patients(3).await;
        let _first = phones[0].gets(&slot).await;
        assert_eq!(evening().await, (json!("open"), json!(1), json!("open")));
        let changed = watcher.call(reqwest::Method::GET, &path).header("if-none-match", &etag).send().await;
        assert_eq!(changed.status, 200);
        let second = phones[1].gets(&slot).await;
        assert_eq!(evening().await, (json!("full"), json!(0), json!("full")));
        let problem = phones[2].takes(&slot).await.refused(409, "slot_full");
        let near = &problem["nearest"][0];
        assert_eq!(near["doctor_id"], doctor.id.to_string());
        assert_ne!(near["slot_id"], slot);
        let _given_up = phones[1].cancels(second.id()).await.good();
        assert_eq!(evening().await, (json!("open"), json!(1), json!("open")));
        assert_eq!(phones[2].gets(&slot).await["number"], 3);
    })
    .await;
}

/// Places are released at 07:00 fourteen days ahead: not a moment before, and then at once.
#[tokio::test(flavor = "multi_thread")]
async fn the_release_time_comes() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.patient("李娜").await;
        let seven = hospital.instant(1, "07:00");
        let doctor = hospital.site.dr_li;
        let path = format!("/api/v1/doctors/{}/clinics?from={}&days=1", doctor.id, hospital.day(15));
        // Tomorrow before seven the day is on the page, and when it opens.
        hospital.becomes_exactly(seven.minus(Duration::from_millis(1))).await;
        let _ready = phone.signs_in().await;
        let clinic = phone.get(&path).await.good().items()[0].clone();
        assert_eq!(
            (&clinic["state"], &clinic["opens_at"]),
            (&json!("not_open"), &json!("2026-11-24T07:00:00+08:00"))
        );
        let slot = hospital.slot(&doctor, 15, "08:00").await;
        let early = phone.takes(&slot).await.refused(409, "not_open_yet");
        assert_eq!(early["opens_at"], "2026-11-24T07:00:00+08:00");
        assert_eq!(early["detail"], "还没有放号，11月24日 07:00 开放预约。");
        hospital.becomes_exactly(seven).await;
        assert_eq!(phone.get(&path).await.good().items()[0]["state"], "open");
        assert_eq!(phone.gets(&slot).await["number"], 1);
    })
    .await;
}

/// Today's numbers are to be had until the clinic's cut-off, half an hour before it ends, and never for a time that has begun.
#[tokio::test(flavor = "multi_thread")]
async fn todays_numbers_are_to_be_had_until_the_cut_off() {
    each_hospital(async |hospital: &Hospital| {
        let doctor = hospital.site.dr_li;
        // It is 08:00.
        let begun = hospital.slot(&doctor, 0, "08:00").await;
        let soon = hospital.slot(&doctor, 0, "08:30").await;
        let last = hospital.slot(&doctor, 0, "10:30").await;
        let phones = hospital.patients(3).await;
        let _late = phones[0].takes(&begun).await.refused(409, "booking_closed");
        let today = phones[0].gets(&soon).await;
        assert_eq!((&today["number"], &today["can_cancel"]), (&json!(1), &json!(true)));
        assert_eq!(today["cancel_until"], "2026-11-23T08:30:00+08:00", "booked today: until it begins");
        let half_past_ten = hospital.instant(0, "10:30");
        hospital.becomes_exactly(half_past_ten.minus(Duration::from_millis(1))).await;
        let _ready = phones[1].signs_in().await;
        let _ready = phones[2].signs_in().await;
        assert_eq!(phones[1].gets(&last).await["number"], 1);
        hospital.becomes_exactly(half_past_ten).await;
        let _late = phones[2].takes(&last).await.refused(409, "booking_closed");
    })
    .await;
}

/// A returning patient books the same doctor again without typing anything.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_doctor_again_in_one_tap() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.patient("李娜").await;
        assert!(phone.get("/api/v1/appointments/again").await.good().items().is_empty());
        let slot = hospital.slot(&hospital.site.dr_wang, 1, "08:00").await;
        let visit = phone.gets(&slot).await;
        let _given_up = phone.cancels(visit.id()).await.good();
        let again = phone.get("/api/v1/appointments/again").await.good();
        let item = &again.items()[0];
        assert_eq!(item["doctor"]["name"], json!({"zh": "王芳", "en": "Wang Fang"}));
        assert_eq!((&item["person_id"], &item["last_date"]), (&json!(phone.who()), &json!(hospital.day(1))));
        let next = item["doctor"]["next_free"]["slot_id"].as_str().unwrap();
        let visit = phone.books(next, item["person_id"].as_str().unwrap()).await.expect(201);
        assert_eq!(visit["doctor_id"], hospital.site.dr_wang.id.to_string());
    })
    .await;
}

/// The hospital calls a clinic off: whoever has a place is told, nobody can have another, and nobody is blamed.
#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_can_not_come() {
    each_hospital(async |hospital: &Hospital| {
        let phones = hospital.patients(2).await;
        let slot = hospital.slot(&hospital.site.dr_li, 2, "09:00").await;
        let visit = phones[0].gets(&slot).await;
        phones[0].receives_card("预约挂号成功通知").await;
        hospital.stops(visit.text_at("clinic_id")).await;
        let card = phones[0].receives_card("停诊通知").await;
        assert_eq!((card.line("就诊医生"), card.line("就诊时间")), ("李明", "2026年11月25日 09:00"));
        hospital.settle().await;
        let page = phones[0].appointment(visit.id()).await.good();
        assert_eq!((&page["state"], &page["cancelled_by"]), (&json!("stopped"), &json!("hospital")));
        assert_eq!((&page["can_cancel"], &page["check_in_code"]), (&json!(false), &json!(null)));
        let _stopped = phones[1].takes(&slot).await.refused(409, "clinic_stopped");
        // That day's limit is free again for another doctor of the department.
        let other = hospital.slot(&hospital.site.dr_wang, 2, "09:00").await;
        let _other = phones[0].gets(&other).await;
    })
    .await;
}

/// The hospital calls one segment of a clinic off: whoever has a place in another one keeps it and hears nothing.
#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_has_to_leave_early() {
    each_hospital(async |hospital: &Hospital| {
        let phones = hospital.patients(2).await;
        let early = hospital.slot(&hospital.site.dr_li, 2, "09:00").await;
        let late = hospital.slot(&hospital.site.dr_li, 2, "09:30").await;
        let (stays, ends) = (phones[0].gets(&early).await, phones[1].gets(&late).await);
        assert_eq!(stays.text_at("clinic_id"), ends.text_at("clinic_id"));
        hospital.stops_segment(ends.text_at("clinic_id"), &late).await;
        let _told = phones[1].receives_card("停诊通知").await;
        hospital.settle().await;
        assert_eq!(phones[1].appointment(ends.id()).await.good()["state"], json!("stopped"));
        assert_eq!(phones[0].appointment(stays.id()).await.good()["state"], json!("booked"));
    })
    .await;
}

/// Nobody sees, moves or gives up what is not theirs, and learns nothing by trying.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_yours_is_not_there() {
    each_hospital(async |hospital: &Hospital| {
        let phones = hospital.patients(2).await;
        let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
        let visit = phones[0].gets(&slot).await;
        let other = hospital.slot(&hospital.site.dr_wang, 1, "08:00").await;
        let stranger = &phones[1];
        let nobody = "apt_0192f0c1000070008000000000000000";
        for (theirs, nobodys) in [
            (stranger.appointment(visit.id()).await, stranger.appointment(nobody).await),
            (stranger.cancels(visit.id()).await, stranger.cancels(nobody).await),
            (stranger.moves(visit.id(), &other).await, stranger.moves(nobody, &other).await),
        ] {
            assert_eq!(
                without_id(&theirs.refused(404, "not_found")),
                without_id(&nobodys.refused(404, "not_found"))
            );
        }
        let _not_theirs = stranger.books(&other, phones[0].who()).await.refused(404, "person_not_bound");
        assert_eq!(phones[0].appointment(visit.id()).await.good()["state"], "booked");
    })
    .await;
}

/// A problem without the one member that differs from request to request.
fn without_id(answer: &Answer) -> serde_json::Value {
    let mut body = answer.json.clone();
    body.as_object_mut().unwrap().remove("request_id");
    body
}
