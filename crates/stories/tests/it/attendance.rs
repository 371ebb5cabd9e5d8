//! B8: who does not come, what follows from it, and how one is heard.

use base::HospitalId;
use edge::{Actor, Role, StaffId};
use reqwest::Method;
use serde_json::{Value, json};
use store::args;
use testkit::browser::key;
use testkit::{Answer, Browser, Hospital, Phone, Setup, Someone};

store::statements! {
    CHECKED_IN = "UPDATE appointment SET state = 'checked_in' WHERE id = $1";
    APPEAL_TEXT = "SELECT appeal_text FROM no_show WHERE appeal = 'open'";
}

fn with_check_in() -> Setup {
    Setup::default().with("booking.attendance", json!({"check_in": true}))
}

async fn record(phone: &Phone) -> Answer {
    phone.get("/api/v1/no-shows").await.good()
}

async fn appeals(phone: &Phone, id: &str, text: &str) -> Answer {
    let path = format!("/api/v1/no-shows/{id}/appeal");
    phone.call(Method::POST, &path).key(&key()).json(&json!({"text": text})).send().await
}

/// Books a place on each of these days, and is not there on any of them.
async fn misses(hospital: &Hospital, phone: &Phone, days: &[i64]) -> Vec<String> {
    let mut ids = Vec::new();
    for day in days {
        if hospital.now() < hospital.instant(day - 1, "09:00") {
            hospital.becomes(day - 1, "09:00").await;
        }
        let _ready = phone.signs_in().await;
        let slot = hospital.slot(&hospital.site.dr_li, *day, "08:00").await;
        ids.push(phone.gets(&slot).await.id().to_owned());
        // An hour after the morning's end.
        hospital.becomes(*day, "13:01").await;
        eventually(hospital, phone, ids.last().unwrap()).await;
    }
    let _ready = phone.signs_in().await;
    ids
}

/// Waits until the sweep has come round.
async fn eventually(hospital: &Hospital, phone: &Phone, id: &str) {
    let mut look = tokio::time::interval(std::time::Duration::from_millis(50));
    let _ready = phone.signs_in().await;
    for _ in 0..200 {
        look.tick().await;
        if phone.appointment(id).await.good()["state"] == "no_show" {
            hospital.settle().await;
            return;
        }
    }
    panic!("nobody has noticed that {} did not come", phone.name);
}

/// A browser of the experience office, with what changing requests carry.
async fn office(hospital: &Hospital) -> (Browser, String) {
    let actor = Actor::Staff(StaffId::new(), vec![Role::Experience]);
    let token = hospital.session(HospitalId(1), actor).await;
    let browser = hospital.browser().await;
    browser.has_session(&token).await;
    let session = hospital.node().sessions().find(&token).await.unwrap().unwrap();
    (browser, edge::csrf::token(&session.token_hash))
}

fn standing(record: &Answer) -> Value {
    record["persons"][0].clone()
}

/// Three in ninety days: each is told, the third blocks booking in advance but not the same day; an appeal is read, decided with a
/// reason, and lifting gives everything back.
#[tokio::test(flavor = "multi_thread")]
async fn three_missed_places_block_booking_in_advance_until_one_is_lifted() {
    with_check_in()
        .play(async |hospital: &Hospital| {
            let phone = hospital.patient("李娜").await;
            phone.unfollows().await;
            let ids = misses(hospital, &phone, &[1, 2]).await;
            let two = record(&phone).await;
            assert_eq!(
                (&standing(&two)["missed"], &standing(&two)["blocked_until"]),
                (&json!(2), &json!(null))
            );
            let third = misses(hospital, &phone, &[9]).await;
            let three = standing(&record(&phone).await);
            assert_eq!((&three["missed"], &three["blocked_until"]), (&json!(3), &json!("2027-03-02")));
            // Told each time, and what follows.
            let told: Vec<String> =
                phone.sms().await.iter().map(|sms| sms["text"].as_str().unwrap().to_owned()).collect();
            assert_eq!(told.iter().filter(|t| t.contains("没有报到")).count(), 3, "{told:?}");
            assert!(told.iter().any(|t| t.contains("满 3 次将暂停提前预约")), "{told:?}");
            assert!(told.iter().any(|t| t.contains("2027-03-02 前不能提前预约")), "{told:?}");
            let ahead = hospital.slot(&hospital.site.dr_li, 10, "08:00").await;
            let blocked = phone.takes(&ahead).await.refused(409, "no_show_blocked");
            assert_eq!(blocked["until"], "2027-03-02");
            // The same day is not blocked.
            hospital.becomes(10, "07:30").await;
            let _ready = phone.signs_in().await;
            let today = hospital.slot(&hospital.site.dr_li, 10, "10:00").await;
            let visit = phone.gets(&today).await;
            let _gone = phone.cancels(visit.id()).await;
            // An appeal, sealed where it lies.
            let _empty = appeals(&phone, &ids[0], "  ").await.refused(422, "text_invalid");
            let _not_theirs = hospital.patient("张伟").await;
            let other = hospital.patient("王芳").await;
            let _hidden = appeals(&other, &ids[0], "我来了").await.refused(404, "not_found");
            let open = appeals(&phone, &third[0], "那天地铁停运，护士站可以作证").await.good();
            assert_eq!(
                (&open["appeal"], open["appeal_text"].as_str()),
                (&json!("open"), Some("那天地铁停运，护士站可以作证"))
            );
            let sealed: store::value::One<String> =
                hospital.node().db().one(APPEAL_TEXT, args![]).await.unwrap();
            assert!(!sealed.0.contains("地铁"), "what people write is sealed");
            // The office reads it and decides.
            let nurse = hospital.staff(&[Role::Nurse]).await;
            let list = nurse.get("/api/v1/staff/no-shows?open=true").await.good();
            assert_eq!(
                (list.items().len(), &list.items()[0]["appeal_text"]),
                (1, &json!(null)),
                "not in the list"
            );
            let path = format!("/api/v1/staff/no-shows/{}", third[0]);
            let _no = nurse.get(&path).await.expect(403);
            let (office, csrf) = office(hospital).await;
            let page = office.get(&path).await.good();
            assert_eq!(page["appeal_text"], "那天地铁停运，护士站可以作证");
            assert_eq!(page["person_name_masked"], "李*");
            let decide = async |lift: bool, reason: &str| {
                let path = format!("{path}/decide");
                let body = json!({"lift": lift, "reason": reason});
                office.call(Method::POST, &path).header("x-csrf", &csrf).key(&key()).json(&body).send().await
            };
            let _why = decide(true, "").await.refused(422, "text_invalid");
            let lifted = decide(true, "核实属实，予以撤销").await.good();
            assert_eq!(lifted["appeal"], "lifted");
            assert_eq!(decide(true, "核实属实，予以撤销").await.good()["appeal"], "lifted", "twice is once");
            let _decided = decide(false, "不同意").await.refused(409, "appeal_decided");
            let mine = record(&phone).await;
            assert_eq!(
                (&standing(&mine)["missed"], &standing(&mine)["blocked_until"]),
                (&json!(2), &json!(null))
            );
            assert_eq!(mine.items()[0]["decision"], "核实属实，予以撤销");
            let ahead = hospital.slot(&hospital.site.dr_li, 12, "08:00").await;
            let _again = phone.gets(&ahead).await;
            hospital.settle().await;
            let told = phone.sms().await;
            assert!(
                told.iter().any(|sms| sms["text"].as_str().unwrap().contains("爽约申诉已处理")),
                "{told:?}"
            );
        })
        .await;
}

/// Who checked in has come; a clinic that was stopped counts for nobody; without check-in nobody ever misses anything.
#[tokio::test(flavor = "multi_thread")]
async fn only_who_could_come_and_did_not_has_missed_it() {
    with_check_in()
        .play(async |hospital: &Hospital| {
            let phones = hospital.patients(3).await;
            let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
            let came = phones[0].gets(&slot).await;
            let missed = phones[1].gets(&slot).await;
            let other = hospital.slot(&hospital.site.dr_wang, 1, "08:00").await;
            let stopped = phones[2].gets(&other).await;
            hospital.stops(stopped["clinic_id"].as_str().unwrap()).await;
            hospital.becomes(1, "08:00").await;
            let db = hospital.node().db();
            let mut tx = db.begin().await.unwrap();
            tx.exec(CHECKED_IN, args![came.id().trim_start_matches("apt_")]).await.unwrap();
            tx.commit().await.unwrap();
            hospital.becomes(1, "13:01").await;
            eventually(hospital, &phones[1], missed.id()).await;
            for phone in [&phones[0], &phones[2]] {
                let _ready = phone.signs_in().await;
            }
            let states = [(&phones[0], came.id(), "checked_in"), (&phones[2], stopped.id(), "stopped")];
            for (phone, id, state) in states {
                assert_eq!(phone.appointment(id).await.good()["state"], state);
                assert_eq!(standing(&record(phone).await)["missed"], 0);
            }
            assert_eq!(standing(&record(&phones[1]).await)["missed"], 1);
        })
        .await;
    Setup::default()
        .play_on_sqlite(async |hospital: &Hospital| {
            let phone = hospital.patient("李娜").await;
            let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
            let visit = phone.gets(&slot).await;
            hospital.becomes(1, "20:00").await;
            hospital.passes(std::time::Duration::from_secs(60)).await;
            hospital.settle().await;
            let _ready = phone.signs_in().await;
            assert_eq!(phone.appointment(visit.id()).await.good()["state"], "booked");
        })
        .await;
}

/// The old are only warned.
#[tokio::test(flavor = "multi_thread")]
async fn the_old_are_only_warned() {
    with_check_in()
        .play_on_sqlite(async |hospital: &Hospital| {
            let phone = hospital.patient_who_is(Someone::born("李娜", "1950-03-07")).await;
            let _missed = misses(hospital, &phone, &[1, 2, 9]).await;
            let old = standing(&record(&phone).await);
            assert_eq!(
                (&old["missed"], &old["spared"], &old["blocked_until"]),
                (&json!(3), &json!(true), &json!(null))
            );
            let ahead = hospital.slot(&hospital.site.dr_li, 12, "08:00").await;
            let _had = phone.gets(&ahead).await;
        })
        .await;
}
