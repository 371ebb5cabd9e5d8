//! B1, H7: the counter: finding a person, booking, moving and giving up for them, and looking bookings up.

use edge::Role::{Nurse, Triage};
use reqwest::Method;
use serde_json::{Value, json};
use store::args;
use testkit::browser::key;
use testkit::{Answer, Browser, Hospital, Setup, Someone, each_hospital};

store::statements! {
    MISSED = "UPDATE appointment SET state = 'no_show', ended_at = start_at, ended_by = 'system' WHERE state = 'booked' AND date < $1";
}

async fn finds(staff: &Browser, by: Value) -> Answer {
    staff.post("/api/v1/staff/persons/find", by).await
}

async fn books(staff: &Browser, slot: &str, person: &str, key: &str) -> Answer {
    let body = json!({"slot_id": slot, "person_id": person});
    staff.call(Method::POST, "/api/v1/staff/appointments").key(key).json(&body).send().await
}

/// Somebody without a phone stands at the counter: found by what is on the card, booked by the rules that hold for everybody.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_found_and_booked_for() {
    each_hospital(async |hospital: &Hospital| {
        let someone = Someone::adult("欧阳春");
        let person = hospital.on_file(&someone, None).await.to_string();
        let phone = hospital.patient("李娜").await;
        let desk = hospital.staff(&[Triage]).await;
        let found = finds(&desk, json!({"number": someone.number})).await.good();
        assert_eq!((found.items().len(), &found.items()[0]["id"]), (1, &json!(person)));
        assert_eq!(found.items()[0]["name_masked"], "欧**");
        assert!(!found.text.contains(&someone.number) && !found.text.contains("欧阳春"), "{}", found.text);
        assert_eq!(finds(&desk, json!({"name": "欧阳春"})).await.good().items()[0]["id"], json!(person));
        let by_phone = finds(&desk, json!({"phone": phone.number})).await.good();
        assert_eq!(by_phone.items()[0]["id"], json!(phone.who()));
        let both = finds(&desk, json!({"phone": phone.number, "name": "王强"})).await.good();
        assert!(both.items().is_empty(), "phone and name must both be theirs");
        assert!(finds(&desk, json!({"name": "查无此人"})).await.good().items().is_empty());
        let _nothing = finds(&desk, json!({})).await.refused(422, "nothing_to_find_by");
        let wrong = finds(&desk, json!({"number": "11010519491231002"})).await;
        assert_eq!((wrong.status, wrong.fields()), (422, vec!["document.number"]), "{}", wrong.text);
        assert!(
            hospital
                .audit_of("person")
                .await
                .iter()
                .any(|e| e.contains("person.find") && e.contains(&person))
        );
        let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
        let tap = key();
        let booked = books(&desk, &slot, &person, &tap).await.expect(201);
        assert_eq!((&booked["channel"], &booked["by_staff"]), (&json!("window"), &json!(true)));
        assert_eq!(books(&desk, &slot, &person, &tap).await.expect(201).id(), booked.id(), "the same tap");
        let other = hospital.slot(&hospital.site.dr_wang, 1, "08:00").await;
        let _reused = books(&desk, &other, &person, &tap).await.refused(422, "idempotency_key_reused");
        let _limit = books(&desk, &other, &person, &key()).await.refused(409, "same_department_day");
        let nobody = people::PersonId::new().to_string();
        let _nobody = books(&desk, &slot, &nobody, &key()).await.refused(404, "not_found");
        // Whoever has a phone is told, and sees it there.
        let theirs = books(&desk, &slot, phone.who(), &key()).await.expect(201);
        phone.receives_card("预约挂号成功通知").await;
        assert_eq!(phone.appointment(theirs.id()).await.good()["state"], "booked");
        // A doctor finds people for added numbers, and does not book at the counter.
        let doctor = hospital.staff(&[edge::Role::Doctor]).await;
        let _forbidden = books(&doctor, &slot, &person, &key()).await.refused(403, "forbidden");
    })
    .await;
}

/// Staff move and give up at any time, with a reason that stays; what was a mistake counts for nothing.
#[tokio::test(flavor = "multi_thread")]
async fn staff_move_and_give_up_with_a_reason() {
    each_hospital(async |hospital: &Hospital| {
        let site = &hospital.site;
        let phone = hospital.patient("李娜").await;
        hospital.becomes(0, "17:30").await;
        let _ready = phone.signs_in().await;
        // Booked late: given up it would count.
        let slot = hospital.slot(&site.dr_li, 1, "08:00").await;
        let visit = phone.gets(&slot).await;
        let desk = hospital.staff(&[Nurse]).await;
        let path = |id: &str, what: &str| format!("/api/v1/staff/appointments/{id}/{what}");
        let move_to = async |id: &str, slot: &str, reason: &str| -> Answer {
            let body = json!({"slot_id": slot, "reason": reason});
            desk.call(Method::POST, &path(id, "move")).key(&key()).json(&body).send().await
        };
        let next = hospital.slot(&site.dr_li, 1, "10:00").await;
        let moved = move_to(visit.id(), &next, "asked").await.expect(201);
        assert_eq!((&moved["moved_from"], &moved["by_staff"]), (&json!(visit.id()), &json!(true)));
        phone.receives_card("预约变更通知").await;
        let _theirs = phone.appointment(moved.id()).await.good();
        let _over = move_to(visit.id(), &next, "asked").await.refused(409, "cannot_move");
        let wrong = desk.post(&path(moved.id(), "cancel"), json!({"reason": "because"})).await;
        assert_eq!(wrong.status, 422, "{}", wrong.text);
        let gone = desk.post(&path(moved.id(), "cancel"), json!({"reason": "mistake"})).await.good();
        assert_eq!(gone["state"], "cancelled");
        let _again = desk.post(&path(moved.id(), "cancel"), json!({"reason": "mistake"})).await.good();
        let page = phone.appointment(moved.id()).await.good();
        assert_eq!(page["cancelled_by"], "hospital");
        let _does_not_count = phone.gets(&hospital.slot(&site.dr_wang, 1, "09:00").await).await;
        let detail = desk.get(path(moved.id(), "").trim_end_matches('/')).await.good();
        let history = detail["history"].as_array().unwrap();
        let said: Vec<(&str, &str, &str)> = history
            .iter()
            .map(|e| {
                let text = |name: &str| e[name].as_str().unwrap_or("");
                (text("action"), text("by"), text("reason"))
            })
            .collect();
        assert_eq!(said, [("booking.move", "staff", "asked"), ("booking.cancel", "staff", "mistake")]);
        let unknown = desk.get("/api/v1/staff/appointments/apt_00000000000000000000000000000000").await;
        let _unknown = unknown.refused(404, "not_found");
    })
    .await;
}

/// Missed appointments block booking from home, not at the counter.
#[tokio::test(flavor = "multi_thread")]
async fn missed_appointments_do_not_count_at_the_counter() {
    Setup::default()
        .with("booking.limits", json!({"per_week": 9, "per_quarter": 99}))
        .play(async |hospital: &Hospital| {
            let phone = hospital.patient("李娜").await;
            for day in 1..=3 {
                let _visit = phone.gets(&hospital.slot(&hospital.site.dr_li, day, "08:00").await).await;
            }
            hospital.becomes(4, "08:00").await;
            let mut tx = hospital.node().db().begin().await.unwrap();
            tx.exec(MISSED, args![hospital.today()]).await.unwrap();
            tx.commit().await.unwrap();
            let _ready = phone.signs_in().await;
            let slot = hospital.slot(&hospital.site.dr_li, 8, "08:00").await;
            let _blocked = phone.takes(&slot).await.refused(409, "no_show_blocked");
            let desk = hospital.staff(&[Triage]).await;
            let _booked = books(&desk, &slot, phone.who(), &key()).await.expect(201);
        })
        .await;
}

/// Bookings are found by date, department, doctor, state, person, number and code, page by page, and leave as a covered file.
#[tokio::test(flavor = "multi_thread")]
async fn bookings_are_looked_up() {
    each_hospital(async |hospital: &Hospital| {
        let site = &hospital.site;
        let phones = hospital.patients(4).await;
        let day = hospital.day(1).to_string();
        let mut visits = Vec::new();
        for (nth, phone) in phones.iter().enumerate() {
            let doctor = if nth < 3 { &site.dr_li } else { &site.dr_wang };
            visits.push(phone.gets(&hospital.slot(doctor, 1, "08:00").await).await);
        }
        let _gone = phones[1].cancels(visits[1].id()).await.good();
        let staff = hospital.staff(&[Nurse]).await;
        let list = async |query: &str| staff.get(&format!("/api/v1/staff/appointments?{query}")).await;
        let ids = |answer: Answer| -> Vec<String> {
            answer.good().items().iter().map(|i| i["id"].as_str().unwrap().to_owned()).collect()
        };
        let of = |which: &[usize]| {
            let mut wanted: Vec<String> = which.iter().map(|n| visits[*n].id().to_owned()).collect();
            wanted.sort();
            wanted
        };
        assert_eq!(ids(list(&format!("from={day}")).await), of(&[0, 1, 2, 3]));
        assert_eq!(ids(list(&format!("from={day}&doctor_id={}", site.dr_wang.id)).await), of(&[3]));
        assert_eq!(ids(list(&format!("from={day}&state=cancelled")).await), of(&[1]));
        assert_eq!(ids(list(&format!("from={day}&number=3")).await), of(&[2]));
        assert_eq!(ids(list(&format!("from={day}&department_id={}", site.children)).await), of(&[]));
        assert_eq!(ids(list(&format!("person_id={}", phones[0].who())).await), of(&[0]));
        assert_eq!(ids(list(&format!("code={}", visits[3].text_at("check_in_code"))).await), of(&[3]));
        let first = list(&format!("from={day}&limit=3")).await.good();
        let second = list(&format!("from={day}&limit=3&after={}", first.text_at("next"))).await.good();
        assert_eq!((first.items().len(), second.items().len(), &second["next"]), (3, 1, &Value::Null));
        let before = hospital.day(0).to_string();
        for wrong in [
            format!("from={day}&to={before}"),
            format!("from={day}&limit=0"),
            format!("from={day}&after=x"),
            format!("from={day}&state=gone"),
            format!("from={day}&colour=red"),
        ] {
            let answer = list(&wrong).await;
            assert_eq!(answer.status, 422, "{wrong}: {}", answer.text);
        }
        let file = staff.get(&format!("/api/v1/staff/appointments.csv?from={day}")).await.good();
        assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
        assert!(file.text.starts_with("\u{feff}日期,开始"), "{}", file.text);
        assert_eq!(file.text.lines().count(), 5);
        assert!(file.text.contains("王***") && !file.text.contains(&phones[0].number), "{}", file.text);
        assert!(hospital.audit_of("appointments").await.iter().any(|e| e.contains("booking.export")));
        staff.reads(base::Lang::En);
        let file = staff.get(&format!("/api/v1/staff/appointments.csv?from={day}")).await.good();
        assert!(file.text.starts_with("\u{feff}date,start"), "{}", file.text);
    })
    .await;
}
