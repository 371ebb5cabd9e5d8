//! C4: blood-test numbers in one action, with the machine down and the other system silent; and what is picked up (C5).

use std::time::Duration;

use edge::Role;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Browser, Hospital, Setup, each_hospital};

use super::{Floor, calls_next, place, sits, text, until};

/// The other system brings an order.
async fn brings(desk: &Browser, reference: &str, person: &str, until: &str) -> testkit::Answer {
    let order = json!({"kind": "lab", "person_id": person, "title": text("血液检查", "Blood test"), "valid_until": until});
    desk.call(Method::PUT, &format!("/api/v1/desk/orders/{reference}")).json(&order).send().await
}

const FAR: &str = "2027-12-31T00:00:00+08:00";

/// Scanned, shaken and tapped on two phones and two nodes at once: one order, one number.
#[tokio::test(flavor = "multi_thread")]
async fn one_order_has_one_number_however_often_it_is_asked_for() {
    Setup::default()
        .nodes(2)
        .days(0)
        .play(async |hospital: &Hospital| {
            let floor = Floor::opens(hospital).await;
            let mother = hospital.patient("李娜").await;
            let nurse = hospital.staff(&[Role::Nurse]).await;
            let here = json!({"code": floor.lab_code});
            let none = mother.post("/api/v1/queue/numbers", here.clone()).await;
            let _no_order = none.refused(409, "no_valid_order");
            let _done = brings(&nurse, "LAB-000001", mother.who(), FAR).await.good();
            let at = json!({"position": {"latitude": 31.2304, "longitude": 121.4737, "accuracy_m": 30.0}, "area_id": floor.lab_area});
            let asks = (0..16).map(|n| {
                mother.browser().is_served_by(n % hospital.nodes().len());
                mother.post("/api/v1/queue/numbers", if n % 2 == 0 { here.clone() } else { at.clone() })
            });
            let answers = join_all(asks).await;
            let numbers: Vec<String> =
                answers.into_iter().map(|a| a.good()["tickets"][0]["label"].as_str().unwrap().to_owned()).collect();
            assert!(numbers.iter().all(|n| n == "L001"), "{numbers:?}");
            // The same at the desk.
            let slip = nurse.post("/api/v1/desk/check-ins", json!({"code": "lab-000001"})).await.good();
            assert_eq!(slip["slip"]["label"], "L001");
            let desk = sits(hospital, &floor.lab_room, &[&floor.lab]).await;
            assert_eq!(calls_next(&desk).await["ticket"]["label"], "L001");
            assert!(calls_next(&desk).await["ticket"].is_null(), "there is one");
        })
        .await;
}

/// While the other system is silent a paper is taken at its word; when it speaks again, the number stays the same one.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_system_costs_nobody_a_number() {
    each_hospital(async |hospital: &Hospital| {
        let floor = Floor::opens(hospital).await;
        let phone = hospital.patient("李娜").await;
        let nurse = hospital.staff(&[Role::Nurse]).await;
        let paper = json!({"code": "LAB-20260105A7"});
        let given = nurse.post("/api/v1/desk/check-ins", paper.clone()).await.good();
        assert_eq!((&given["slip"]["label"], &given["ticket"]["settled"]), (&json!("L001"), &json!(false)));
        let again = nurse.post("/api/v1/desk/check-ins", paper).await.good();
        assert_eq!(again["ticket"]["id"], given["ticket"]["id"]);
        let open = nurse.get("/api/v1/desk/orders/unsettled").await.good();
        assert_eq!(open.items().len(), 1);
        // An hour later it speaks: twice, as such systems do.
        hospital.passes(Duration::from_secs(3600)).await;
        let _signed_in = phone.signs_in().await;
        let nurse = hospital.staff(&[Role::Nurse]).await;
        for _ in 0..2 {
            let _done = brings(&nurse, "LAB-20260105A7", phone.who(), FAR).await.good();
        }
        assert!(nurse.get("/api/v1/desk/orders/unsettled").await.good().items().is_empty());
        let mine = phone.get("/api/v1/queue/tickets").await.good();
        assert_eq!((mine.items().len(), &mine.items()[0]["label"]), (1, &json!("L001")));
        let same = phone.post("/api/v1/queue/numbers", json!({"code": floor.lab_code})).await.good();
        assert_eq!(same["tickets"][0]["id"], mine.items()[0]["id"]);
        // One that turns out to be none is void, and said so.
        let _done = nurse.post("/api/v1/desk/orders/LAB-20260105A7/cancel", json!({})).await.good();
        let own = place(&phone, mine.items()[0]["id"].as_str().unwrap()).await;
        assert_eq!(own["state"], "void");
        let _none = nurse
            .post("/api/v1/desk/check-ins", json!({"code": "LAB-20260105A7"}))
            .await
            .refused(409, "no_valid_order");
    })
    .await;
}

/// Orders of others, over or used up, give nothing.
#[tokio::test(flavor = "multi_thread")]
async fn only_a_valid_order_of_ones_own_gives_a_number() {
    each_hospital(async |hospital: &Hospital| {
        let floor = Floor::opens(hospital).await;
        let (phone, other) = (hospital.patient("李娜").await, hospital.patient("王强").await);
        let nurse = hospital.staff(&[Role::Nurse]).await;
        let order = brings(&nurse, "LAB-000002", other.who(), FAR).await.good();
        let theirs = json!({"code": floor.lab_code, "order_id": order["order_id"]});
        let _theirs = phone.post("/api/v1/queue/numbers", theirs).await.refused(409, "no_valid_order");
        let _done = brings(&nurse, "LAB-000003", phone.who(), "2020-01-01T00:00:00+08:00").await.good();
        let _over = phone
            .post("/api/v1/queue/numbers", json!({"code": floor.lab_code}))
            .await
            .refused(409, "no_valid_order");
        let _elsewhere = phone
            .post("/api/v1/queue/numbers", json!({"code": floor.code}))
            .await
            .refused(409, "no_valid_order");
        let _bad = brings(&nurse, "LAB 4", phone.who(), FAR).await.refused(422, "wrong_value");
        let _when = brings(&nurse, "LAB-000005", phone.who(), "tomorrow").await.refused(422, "wrong_value");
        let _who = phone
            .call(Method::PUT, "/api/v1/desk/orders/LAB-000006")
            .json(&json!({}))
            .send()
            .await
            .refused(403, "forbidden");
    })
    .await;
}

/// Glasses: being made, ready by scan, told at once, collected by code; forgotten ones are asked after and stand on a list.
#[tokio::test(flavor = "multi_thread")]
async fn glasses_are_ready_told_and_collected() {
    each_hospital(async |hospital: &Hospital| {
        let floor = Floor::opens(hospital).await;
        let phone = hospital.patient("李娜").await;
        let nurse = hospital.staff(&[Role::Nurse]).await;
        let pair = json!({"kind": "glasses", "ref": "G-77", "person_id": phone.who(), "area_id": floor.area});
        let _done = nurse.post("/api/v1/desk/pickups", pair.clone()).await.good();
        let _done = nurse.post("/api/v1/desk/pickups", pair).await.good();
        let mine = phone.get("/api/v1/queue/pickups").await.good();
        assert_eq!(
            (mine.items().len(), &mine.items()[0]["state"], &mine.items()[0]["code"]),
            (1, &json!("expected"), &Value::Null)
        );
        let scan = json!({"kind": "glasses", "ref": "G-77"});
        let _done = nurse.post("/api/v1/desk/pickups/ready", scan.clone()).await.good();
        let _done = nurse.post("/api/v1/desk/pickups/ready", scan).await.good();
        phone.receives_card("取件通知").await;
        hospital.settle().await;
        assert_eq!(phone.cards().await, ["取件通知"], "told once");
        let mine = phone.get("/api/v1/queue/pickups").await.good();
        let code = mine.items()[0]["code"].as_str().unwrap().to_owned();
        let wall = hospital.browser().await.get(&format!("/api/v1/queue/areas/{}", floor.area)).await.good();
        assert_eq!(wall["pickups"][0]["name_masked"], "李*");
        assert!(!wall.text.contains(&code), "the wall does not tell the code");
        // Not fetched: a reminder the next day, and a list of what lies there.
        hospital.passes(Duration::from_secs(25 * 3600)).await;
        until("a reminder comes", async || phone.cards().await.len() == 2).await;
        let nurse = hospital.staff(&[Role::Nurse]).await;
        let list = nurse.get("/api/v1/desk/pickups").await.good();
        assert_eq!(
            (&list.items()[0]["ref"], &list.items()[0]["days"], &list.items()[0]["code"]),
            (&json!("G-77"), &json!(1), &Value::Null)
        );
        let _none = nurse
            .post("/api/v1/desk/pickups/collect", json!({"code": "x"}))
            .await
            .refused(404, "code_unknown");
        let _done = nurse.post("/api/v1/desk/pickups/collect", json!({"code": code})).await.good();
        let _used =
            nurse.post("/api/v1/desk/pickups/collect", json!({"code": code})).await.refused(409, "code_used");
        assert!(nurse.get("/api/v1/desk/pickups").await.good().items().is_empty());
        let id = mine.items()[0]["id"].as_str().unwrap();
        let stranger = hospital.patient("王强").await;
        let _theirs = stranger.get(&format!("/api/v1/queue/pickups/{id}")).await.refused(404, "not_found");
    })
    .await;
}
