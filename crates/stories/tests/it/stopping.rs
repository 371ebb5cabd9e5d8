//! B9: a clinic is called off, taken back, or another doctor sits: everybody is told, and nobody is left alone with it.

use std::time::Duration;

use base::Lang;
use edge::Role::{Operations, Triage};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::browser::key;
use testkit::{Answer, Browser, Hospital, Phone, Setup, each_hospital};

pub fn reason() -> Value {
    json!({"reason": {"zh": "医生临时有急诊手术", "en": "The doctor was called to an emergency"}})
}

/// Calls a clinic off from the console; gives the change.
async fn calls_off(hospital: &Hospital, staff: &Browser, clinic: &str) -> String {
    let path = format!("/api/v1/staff/clinics/{clinic}/stop");
    let done = staff.post(&path, reason()).await.good();
    hospital.settle().await;
    done.text_at("change_id").to_owned()
}

async fn rebooks(phone: &Phone, visit: &str, slot: &str, key: &str) -> Answer {
    let path = format!("/api/v1/appointments/{visit}/rebook");
    phone.call(Method::POST, &path).key(key).json(&json!({"slot_id": slot})).send().await
}

async fn offers(phone: &Phone, visit: &str) -> Answer {
    phone.get(&format!("/api/v1/appointments/{visit}/offers")).await.good()
}

async fn calls(staff: &Browser, query: &str) -> Vec<Value> {
    staff.get(&format!("/api/v1/staff/calls?{query}")).await.good().items().to_vec()
}

/// The link of the notice leads to the department's next numbers; one tap has one of them, once, and what was called off counts
/// for nothing.
#[tokio::test(flavor = "multi_thread")]
async fn the_next_numbers_are_one_tap_away() {
    each_hospital(async |hospital: &Hospital| {
        let phones = hospital.patients(2).await;
        let slot = hospital.slot(&hospital.site.dr_li, 2, "08:00").await;
        let (first, second) = (phones[0].gets(&slot).await, phones[1].gets(&slot).await);
        let staff = hospital.staff(&[Operations]).await;
        calls_off(hospital, &staff, first.text_at("clinic_id")).await;
        let at_once = offers(&phones[1], second.id()).await;
        assert!(at_once.items().iter().all(|i| i["slot_id"] != slot.as_str()), "{}", at_once.text);
        for (phone, visit) in phones.iter().zip([&first, &second]) {
            let card = phone.receives_card("停诊通知").await;
            assert!(
                card.link().ends_with(&format!("/appointments/{}/offers", visit.id())),
                "{}",
                card.link()
            );
        }
        let page = offers(&phones[0], first.id()).await;
        assert_eq!((&page["state"], &page["reason"]["zh"]), (&json!("open"), &json!("医生临时有急诊手术")));
        assert_eq!(page["appointment"]["state"], "stopped");
        let items = page.items();
        let cardiology: Vec<&Value> =
            items.iter().filter(|i| i["doctor_id"] == json!(hospital.site.dr_wang.id)).collect();
        assert!(!cardiology.is_empty(), "others of the department are offered: {}", page.text);
        assert!(items.iter().all(|i| i["slot_id"] != slot.as_str()), "not what was called off");
        // The same day, the same department: one a day is the limit, and the stopped one does not count.
        let next = cardiology.iter().find(|i| i["date"] == first["date"]).expect("a place on the same day");
        let next = next["slot_id"].as_str().unwrap();
        let tap = key();
        let new = rebooks(&phones[0], first.id(), next, &tap).await.expect(201);
        assert_eq!(new["moved_from"], first.id());
        assert_eq!(
            rebooks(&phones[0], first.id(), next, &tap).await.expect(201).id(),
            new.id(),
            "the same tap"
        );
        let twice = rebooks(&phones[0], first.id(), next, &key()).await.refused(409, "already_rebooked");
        assert_eq!(twice["appointment_id"], new.id());
        assert_eq!(phones[0].appointment(first.id()).await.good()["moved_to"], new.id());
        let over = offers(&phones[0], first.id()).await;
        assert_eq!((&over["state"], over.items().len()), (&json!("booked"), 0));
        phones[0].receives_card("预约变更通知").await;
        // Nobody else's: a stranger learns nothing, and a place that was not called off is not booked again.
        let path = format!("/api/v1/appointments/{}/offers", second.id());
        let _not_theirs = phones[0].get(&path).await.refused(404, "not_found");
        let _not_stopped = rebooks(&phones[0], new.id(), next, &key()).await.refused(409, "not_stopped");
        // In English, too.
        phones[1].reads(Lang::En);
        let none = format!("/api/v1/appointments/{}/needs-none", second.id());
        let _gone = phones[1].call(Method::POST, &none).key(&key()).json(&json!({})).send().await.good();
        assert_eq!(offers(&phones[1], second.id()).await["state"], "gave_up");
        let _still_may = rebooks(&phones[1], second.id(), next, &key()).await.expect(201);
        let late = phones[1].call(Method::POST, &none).key(&key()).json(&json!({})).send().await;
        let late = late.refused(409, "already_rebooked");
        assert_eq!(late["detail"], "Another appointment was booked in its place already.");
    })
    .await;
}

/// Whoever does nothing stands on the call list a day before, covered; the phone is opened with a trace, and the call ends in words.
#[tokio::test(flavor = "multi_thread")]
async fn who_does_nothing_is_called() {
    each_hospital(async |hospital: &Hospital| {
        let phones = hospital.patients(3).await;
        let slot = hospital.slot(&hospital.site.dr_li, 3, "08:00").await;
        let mut visits = Vec::new();
        for phone in &phones {
            visits.push(phone.gets(&slot).await);
        }
        let staff = hospital.staff(&[Triage]).await;
        let change = calls_off(hospital, &staff, visits[0].text_at("clinic_id")).await;
        assert!(calls(&staff, "due=true").await.is_empty(), "they have time to answer by themselves");
        assert_eq!(calls(&staff, &format!("change_id={change}")).await.len(), 3);
        let none = format!("/api/v1/appointments/{}/needs-none", visits[2].id());
        let _gone = phones[2].call(Method::POST, &none).key(&key()).json(&json!({})).send().await.good();
        // 24 hours before the start, to the minute.
        hospital.becomes(2, "07:59").await;
        let staff = hospital.staff(&[Triage]).await;
        assert!(calls(&staff, "due=true").await.is_empty());
        hospital.becomes(2, "08:00").await;
        let due = calls(&staff, "due=true").await;
        assert_eq!(due.len(), 2, "{due:?}");
        let one = due.iter().find(|d| d["appointment"]["id"] == visits[0].id()).unwrap();
        assert_eq!(
            (&one["state"], &one["tries"], &one["notice"]),
            (&json!("open"), &json!(0), &json!("delivered"))
        );
        assert_eq!(one["appointment"]["person"]["name_masked"], "王***");
        assert!(!one.to_string().contains(&phones[0].number), "covered: {one}");
        let act = async |what: &str, body: Value| {
            staff.post(&format!("/api/v1/staff/calls/{}/{what}", visits[0].id()), body).await
        };
        let opened = act("phone", json!({})).await.good();
        assert_eq!(opened.text_at("phone"), phones[0].number);
        let log = hospital.audit_of(phones[0].who()).await;
        assert!(log.iter().any(|e| e.contains("person.open") && e.contains("clinic called off")), "{log:?}");
        let wrong = act("outcome", json!({"outcome": "later"})).await;
        assert_eq!(wrong.status, 422, "{}", wrong.text);
        let tried = act("outcome", json!({"outcome": "no_answer"})).await.good();
        assert_eq!((&tried["state"], &tried["tries"]), (&json!("called"), &json!(1)));
        assert_eq!(act("outcome", json!({"outcome": "reached"})).await.good()["state"], "reached");
        let path = format!("/api/v1/staff/calls/{}/offers", visits[0].id());
        let next = staff.get(&path).await.good().items()[0]["slot_id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/staff/calls/{}/book", visits[0].id());
        let book = staff.call(Method::POST, &path).key(&key()).json(&json!({"slot_id": next})).send().await;
        let new = book.expect(201);
        assert_eq!((&new["channel"], &new["moved_from"]), (&json!("window"), &json!(visits[0].id())));
        let _over = act("phone", json!({})).await.refused(409, "call_over");
        let _over = act("outcome", json!({"outcome": "no_answer"})).await.refused(409, "call_over");
        // It is theirs as if they had booked it: told, and on their own list.
        let _ready = phones[0].signs_in().await;
        phones[0].receives_card("预约变更通知").await;
        assert_eq!(phones[0].appointment(new.id()).await.good()["state"], "booked");
        assert_eq!(calls(&staff, "due=true").await.len(), 1);
        let path = format!("/api/v1/staff/clinics/{}/changes", visits[0].text_at("clinic_id"));
        let done = staff.get(&path).await.good();
        let progress = &done.items()[0]["progress"];
        assert_eq!(
            (&progress["all"], &progress["open"], &progress["booked"], &progress["gave_up"]),
            (&json!(3), &json!(1), &json!(1), &json!(1))
        );
        let nobody = format!("/api/v1/staff/calls/{}/phone", new.id());
        let _not_on_the_list = staff.post(&nobody, json!({})).await.refused(404, "not_found");
        // A nurse reads bookings, and opens no phones.
        let nurse = hospital.staff(&[edge::Role::Nurse]).await;
        let _forbidden = nurse.get("/api/v1/staff/calls").await.refused(403, "forbidden");
    })
    .await;
}

/// A stop by mistake is taken back: who did nothing has the same place and number, who booked again or needs none keeps it so.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_is_taken_back() {
    each_hospital(async |hospital: &Hospital| {
        let phones = hospital.patients(3).await;
        let slot = hospital.slot(&hospital.site.dr_li, 2, "08:00").await;
        let mut visits = Vec::new();
        for phone in &phones {
            visits.push(phone.gets(&slot).await);
        }
        let staff = hospital.staff(&[Operations]).await;
        let change = calls_off(hospital, &staff, visits[0].text_at("clinic_id")).await;
        phones[0].receives_card("停诊通知").await;
        let elsewhere = hospital.slot(&hospital.site.dr_wang, 2, "09:00").await;
        let new = rebooks(&phones[1], visits[1].id(), &elsewhere, &key()).await.expect(201);
        let none = format!("/api/v1/appointments/{}/needs-none", visits[2].id());
        let _gone = phones[2].call(Method::POST, &none).key(&key()).json(&json!({})).send().await.good();
        let undo = format!("/api/v1/staff/clinic-changes/{change}/undo");
        let undone = staff.post(&undo, json!({})).await.good();
        assert_eq!((undone.number_at("restored"), undone.number_at("let_go")), (1, 2));
        let _once = staff.post(&undo, json!({})).await.refused(404, "not_found");
        let back = phones[0].appointment(visits[0].id()).await.good();
        assert_eq!(
            (&back["state"], &back["number"], &back["excused"]),
            (&json!("booked"), &json!(1), &json!(true))
        );
        phones[0].receives_card("恢复出诊通知").await;
        let _theirs_again =
            rebooks(&phones[0], visits[0].id(), &elsewhere, &key()).await.refused(409, "not_stopped");
        assert_eq!(phones[1].appointment(new.id()).await.good()["state"], "booked");
        assert_eq!(phones[1].appointment(visits[1].id()).await.good()["state"], "cancelled");
        // Two places are free again, with new numbers.
        hospital.settle().await;
        let others = hospital.patients(3).await;
        assert_eq!(others[0].gets(&slot).await["number"], 4);
        assert_eq!(others[1].gets(&slot).await["number"], 5);
        let _full = others[2].takes(&slot).await.refused(409, "slot_full");
        // Called off once more, everybody is told once more; too late is too late.
        let change = calls_off(hospital, &staff, visits[0].text_at("clinic_id")).await;
        phones[0].receives_card("停诊通知").await;
        hospital.passes(Duration::from_secs(601)).await;
        let late = staff.post(&format!("/api/v1/staff/clinic-changes/{change}/undo"), json!({})).await;
        let _late = late.refused(409, "too_late_to_undo");
    })
    .await;
}

/// Staff take the stop back while everybody books again: each has one place, and none is lost.
#[tokio::test(flavor = "multi_thread")]
async fn taking_back_races_with_booking_again() {
    Setup::default()
        .days(4)
        .nodes(2)
        .play(async |hospital: &Hospital| {
            let phones = hospital.patients(8).await;
            let slot = hospital.opens_evening(&hospital.site.dr_li, 2, 8).await;
            let other = hospital.opens_evening(&hospital.site.dr_wang, 2, 8).await;
            let visits: Vec<Answer> = join_all(phones.iter().map(|p| p.gets(&slot))).await;
            let staff = hospital.staff(&[Operations]).await;
            let change = calls_off(hospital, &staff, visits[0].text_at("clinic_id")).await;
            for (nth, phone) in phones.iter().enumerate() {
                phone.is_served_by(nth % hospital.nodes().len());
            }
            let undo = format!("/api/v1/staff/clinic-changes/{change}/undo");
            let taps = phones
                .iter()
                .zip(&visits)
                .map(async |(phone, visit)| rebooks(phone, visit.id(), &other, &key()).await);
            let (undone, tapped) = tokio::join!(staff.post(&undo, json!({})), join_all(taps));
            let undone = undone.good();
            let again = tapped.iter().filter(|answer| answer.status == 201).count();
            for refused in tapped.into_iter().filter(|answer| answer.status != 201) {
                let _back = refused.refused(409, "not_stopped");
            }
            let (restored, let_go) = (undone.number_at("restored"), undone.number_at("let_go"));
            assert_eq!(restored + let_go, 8);
            assert_eq!(
                usize::try_from(let_go).unwrap(),
                again,
                "whoever has another place lets the old one go"
            );
            for phone in &phones {
                assert_eq!(phone.upcoming().await.items().len(), 1, "one place each");
            }
        })
        .await;
}

/// Another doctor sits: everybody is told, keeps number and time, and may give it up after the deadline without its counting.
#[tokio::test(flavor = "multi_thread")]
async fn another_doctor_sits() {
    each_hospital(async |hospital: &Hospital| {
        let site = &hospital.site;
        let phones = hospital.patients(2).await;
        let slot = hospital.opens_evening(&site.dr_li, 1, 4).await;
        let (first, second) = (phones[0].gets(&slot).await, phones[1].gets(&slot).await);
        let staff = hospital.staff(&[Operations]).await;
        let path = format!("/api/v1/staff/clinics/{}/replace", first.text_at("clinic_id"));
        let mut body = reason();
        body["doctor_id"] = json!(site.dr_wang.id);
        let _done = staff.post(&path, body).await.good();
        hospital.settle().await;
        for phone in &phones {
            let card = phone.receives_card("就诊医生变更通知").await;
            assert_eq!(card.line("就诊医生"), "王芳");
        }
        hospital.becomes(0, "18:30").await;
        for phone in &phones {
            let _ready = phone.signs_in().await;
        }
        let page = phones[0].appointment(first.id()).await.good();
        assert_eq!(
            (&page["state"], &page["number"], &page["doctor_id"]),
            (&json!("booked"), &json!(1), &json!(site.dr_wang.id))
        );
        assert_eq!(page["former_doctor_name"]["zh"], "李明");
        assert_eq!((&page["excused"], &page["can_cancel"]), (&json!(true), &json!(true)));
        assert_eq!(page["cancel_until"], "2026-11-24T17:30:00+08:00", "until it begins");
        let _gone = phones[0].cancels(first.id()).await.good();
        // One a day in a department, and the day before is over; yet it does not count.
        let _free = phones[0].gets(&hospital.slot(&site.dr_li, 1, "08:00").await).await;
        let _kept = phones[1].appointment(second.id()).await.good();
        let moved = phones[1].moves(second.id(), &hospital.slot(&site.dr_li, 2, "08:00").await).await;
        assert_eq!(moved.expect(200)["moved_from"], second.id());
    })
    .await;
}
