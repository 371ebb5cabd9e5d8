//! Two records of one patient become one with all that other parts of the hospital keep of them, and two again.

use std::time::Duration;

use edge::Role;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::browser::key;
use testkit::paying::number;
use testkit::{Answer, Browser, Hospital, Phone, Setup};

fn text(zh: &str, en: &str) -> Value {
    json!({"zh": zh, "en": en})
}

/// A window with a line of its own and a laboratory, at one place; gives the place's code and the window's line.
async fn place(office: &Browser) -> (String, String) {
    let at = |path: &str| format!("/api/v1/desk/setup/{path}");
    let area = json!({"code": "M1", "name": text("大厅", "Hall"), "way": text("进门", "Here")});
    let setup = office.post(&at("areas"), area).await.good();
    let area = setup["areas"][0].clone();
    let room = json!({"code": "W1", "name": text("1 号窗", "Window 1"), "area_id": area["id"]});
    let setup = office.post(&at("rooms"), room).await.good();
    let room = setup["rooms"][0]["id"].clone();
    let mut setup = setup;
    for (code, kind, prefix) in [("WIN", "service", "W"), ("LAB", "lab", "L")] {
        let queue = json!({"code": code, "kind": kind, "name": text("队列", "Line"), "prefix": prefix, "area_id": area["id"],
            "policy": "first_come", "room_ids": [room], "service_minutes": 2.0, "active": true});
        setup = office.post(&at("queues"), queue).await.good();
    }
    let queues = setup["queues"].as_array().unwrap();
    let window = queues.iter().find(|one| one["code"] == "WIN").unwrap();
    (area["place_code"].as_str().unwrap().to_owned(), window["id"].as_str().unwrap().to_owned())
}

async fn merge(office: &Browser, kept: &Phone, gone: &Phone) -> Answer {
    let body = json!({"kept_id": kept.who(), "gone_id": gone.who(), "reason": "证件相同"});
    office.post("/api/v1/patients/merges", body).await
}

async fn numbers(phone: &Phone) -> Vec<String> {
    let mut labels: Vec<String> = phone
        .get("/api/v1/queue/tickets")
        .await
        .good()
        .items()
        .iter()
        .map(|one| one["label"].as_str().unwrap().to_owned())
        .collect();
    labels.sort();
    labels
}

/// Looks until it is so: the payment's notice comes by itself.
async fn is_so(what: &str, mut look: impl AsyncFnMut() -> bool) {
    let begun = tokio::time::Instant::now();
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    while !look().await {
        assert!(begun.elapsed() < Duration::from_secs(25), "this never came about: {what}");
        tick.tick().await;
    }
}

async fn charges(phone: &Phone) -> usize {
    phone.get("/api/v1/charges").await.good().items().len()
}

/// Numbers, charges and places in the waitlist go with the record, work under the other one, and come back.
#[tokio::test(flavor = "multi_thread")]
async fn what_hangs_on_a_record_goes_with_it_and_comes_back() {
    Setup::default()
        .paying()
        .days(3)
        .with("booking.waitlist", json!({}))
        .play(async |hospital: &Hospital| {
            let office = hospital.staff(&[Role::Operations]).await;
            let (code, window) = place(&office).await;
            let (kept, gone) = (hospital.patient("李娜").await, hospital.patient("李娜").await);
            // A number at the window and one for blood, a charge that is being paid, a place in the waitlist.
            let at_window = json!({"code": code, "queue_id": window});
            let _number = gone.post("/api/v1/queue/numbers", at_window.clone()).await.good();
            let nurse = hospital.staff(&[Role::Nurse]).await;
            let order = json!({"kind": "lab", "person_id": gone.who(), "title": text("血液检查", "Blood test"),
                "valid_until": "2027-12-31T00:00:00+08:00"});
            let ordered = nurse.call(Method::PUT, "/api/v1/desk/orders/LAB-000009").json(&order).send().await;
            let _ordered = ordered.good();
            let held = gone.holds(&hospital.slot(&hospital.site.dr_li, 1, "08:00").await).await;
            let begun = gone.begins_to_pay(held.id(), "wechat_jsapi").await.expect(201);
            let evening = hospital.opens_evening(&hospital.site.dr_wang, 2, 1).await;
            let first = hospital.patient("王强").await;
            let had = first.gets(&evening).await;
            let path = format!(
                "/api/v1/doctors/{}/clinics?from={}&days=1",
                hospital.site.dr_wang.id,
                hospital.day(2)
            );
            let clinics = hospital.browser().await.get(&path).await.good();
            let clinic = clinics.items().iter().find(|clinic| clinic["slots"][0]["id"] == *evening).unwrap();
            let wish = json!({"person_id": gone.who(), "clinic_id": clinic["id"]});
            let joined = gone.call(Method::POST, "/api/v1/waitlist").key(&key()).json(&wish).send().await;
            let _waits = joined.expect(201);
            assert_eq!((numbers(&kept).await, charges(&kept).await), (vec![], 0));

            // Both at the same window: that can't be one patient's. Nothing changes.
            let mine = kept.post("/api/v1/queue/numbers", at_window).await.good();
            let clash = merge(&office, &kept, &gone).await.refused(409, "merge_clash");
            assert_eq!(clash["count"], 1);
            assert_eq!((numbers(&gone).await.len(), charges(&gone).await), (1, 1));
            let mine = mine["tickets"][0]["id"].as_str().unwrap().to_owned();
            let _left = kept.post(&format!("/api/v1/queue/tickets/{mine}/leave"), json!({})).await.good();

            let merged = merge(&office, &kept, &gone).await.expect(201);
            assert!(numbers(&kept).await.contains(&"W001".to_owned()), "the number went along");
            assert_eq!(charges(&kept).await, 1);
            // What was begun goes on: the order gives a number to the record that stays, the payment is served.
            let lab = kept.post("/api/v1/queue/numbers", json!({"code": code})).await.good();
            assert_eq!(lab["tickets"][0]["label"], "L001");
            hospital.pays_wechat(&number(&begun)).await;
            is_so("the payment is served", async || {
                gone.appointment(held.id()).await.good()["state"] == "booked"
            })
            .await;
            // The place in the waitlist is offered to the record that stays.
            let _given_up = first.cancels(had.id()).await.good();
            hospital.passes(Duration::from_secs(601)).await;
            hospital.settle().await;
            let offered = gone.get("/api/v1/waitlist").await.good();
            let offered = &offered.items()[0];
            assert_eq!((&offered["state"], &offered["person_id"]), (&json!("offered"), &json!(kept.who())));

            let undo = format!("/api/v1/patients/merges/{}", merged.id());
            let office = hospital.staff(&[Role::Operations]).await;
            let _undone = office.delete(&undo).await.expect(204);
            // The number that was given for the order in between goes back with it.
            assert_eq!(numbers(&gone).await, ["L001", "W001"]);
            assert_eq!(numbers(&kept).await, ["W002"]);
            assert_eq!((charges(&gone).await, charges(&kept).await), (1, 0));
            let waits = gone.get("/api/v1/waitlist").await.good();
            assert_eq!(waits.items()[0]["person_id"], json!(gone.who()));
            assert_eq!(gone.appointment(held.id()).await.good()["person_id"], json!(gone.who()));
        })
        .await;
}
