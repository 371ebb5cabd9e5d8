//! Days on which something is broken or two people do the same thing: the line stays one line.

use std::time::Duration;

use edge::Role;
use reqwest::Method;
use serde_json::json;
use testkit::{Browser, Hospital, Setup, each_hospital};

use super::{Floor, booked, calls_next, checks_in, next_day, place, sits, steps, ticket_id};

/// A kiosk that was let in by its code.
async fn kiosk(hospital: &Hospital) -> Browser {
    let office = hospital.staff(&[Role::Operations]).await;
    let kiosk = hospital.browser().await;
    let asked = kiosk.post("/api/v1/devices/pairings", json!({})).await.good();
    let device = json!({"code": asked["code"], "name": "一楼大厅", "show": {"view": "kiosk"}});
    let _let_in = office.post("/api/v1/staff/devices", device).await.good();
    let claim = format!("/api/v1/devices/pairings/{}/claim", asked["id"].as_str().unwrap());
    let claimed = kiosk.post(&claim, json!({"secret": asked["secret"]})).await.good();
    assert_eq!(claimed["paired"], true);
    kiosk
}

/// The kiosk is dead for an hour, its last answer lost on the way: numbers go on at the desk, and when it is back it gives the same number
/// for the same paper and the next one for the next.
#[tokio::test(flavor = "multi_thread")]
async fn a_kiosk_that_was_dead_for_an_hour_goes_on() {
    each_hospital(async |hospital: &Hospital| {
        let floor = Floor::opens(hospital).await;
        let kiosk = kiosk(hospital).await;
        let paper = |nth: u32| json!({"code": format!("LAB-2026000{nth}")});
        let csrf = kiosk.get("/api/v1/device").await.good()["csrf"].as_str().unwrap().to_owned();
        let scans = async |nth: u32| {
            let call = kiosk.call(Method::POST, "/api/v1/desk/check-ins").json(&paper(nth));
            call.header("x-csrf", &csrf).send().await.good()["slip"]["label"].as_str().unwrap().to_owned()
        };
        assert_eq!(scans(1).await, "L001");
        hospital.passes(Duration::from_secs(1_800)).await;
        let nurse = hospital.staff(&[Role::Nurse]).await;
        let at_desk = nurse.post("/api/v1/desk/check-ins", paper(2)).await.good();
        assert_eq!(at_desk["slip"]["label"], "L002");
        hospital.passes(Duration::from_secs(1_800)).await;
        assert_eq!(scans(1).await, "L001", "what was lost on the way is given again");
        assert_eq!(scans(2).await, "L002", "what the desk gave meanwhile is known");
        assert_eq!(scans(3).await, "L003");
        let desk = sits(hospital, &floor.lab_room, &[&floor.lab]).await;
        for label in ["L001", "L002", "L003"] {
            assert_eq!(calls_next(&desk).await["ticket"]["label"], label);
        }
    })
    .await;
}

/// Two nurses at two nodes do different things to the same number at once: it is in one place afterwards, and whoever came too late is told.
#[tokio::test(flavor = "multi_thread")]
async fn two_nurses_at_one_number() {
    Setup::default()
        .nodes(2)
        .days(3)
        .play(async |hospital: &Hospital| {
            let floor = Floor::opens(hospital).await;
            let phones = booked(hospital, &hospital.site.dr_li, 3).await;
            next_day(hospital, "08:00", &phones.iter().collect::<Vec<_>>()).await;
            let mut tickets = Vec::new();
            for phone in &phones {
                tickets.push(ticket_id(&checks_in(phone, &floor.code).await));
            }
            let nurses = [
                sits(hospital, &floor.rooms[0], &[&floor.li]).await,
                sits(hospital, &floor.rooms[1], &[&floor.wang]).await,
            ];
            for (n, nurse) in nurses.iter().enumerate() {
                nurse.is_served_by(n % hospital.nodes().len());
            }
            assert_eq!(calls_next(&nurses[0]).await["ticket"]["id"], tickets[0].as_str());
            let transfer = format!("/api/v1/desk/tickets/{}/transfer", tickets[0]);
            let (passed, moved, left) = tokio::join!(
                steps(&nurses[0], &tickets[0], "pass"),
                nurses[1].post(&transfer, json!({"queue_id": floor.wang})),
                steps(&nurses[1], &tickets[1], "left"),
            );
            let _left = left.good();
            for answer in [&passed, &moved] {
                let told = ["ticket_state", "changed_meanwhile"].iter().any(|code| answer["code"] == *code);
                assert!(answer.status == 200 || (answer.status == 409 && told), "{}", answer.text);
            }
            assert!(passed.status == 200 || moved.status == 200, "{} {}", passed.text, moved.text);
            // What the other node did shows here within a moment.
            let mut found = 0;
            for _ in 0..50 {
                found = 0;
                for queue in [&floor.li, &floor.wang] {
                    let line = nurses[0].get(&format!("/api/v1/desk/queues/{queue}")).await.good();
                    for list in ["lines", "in_rooms", "away"] {
                        let tickets_there = line[list].as_array().unwrap();
                        found += tickets_there.iter().filter(|t| t["id"] == tickets[0].as_str()).count();
                    }
                }
                if found == 1 {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            assert_eq!(found, 1, "in one place");
            assert_eq!(place(&phones[1], &tickets[1]).await["state"], "left");
            // One pauses while the other calls: somebody was called before the pause, or nobody.
            let pause = format!("/api/v1/desk/queues/{}/pause", floor.li);
            let (called, paused) = tokio::join!(
                nurses[0].post("/api/v1/desk/next", json!({})),
                nurses[1].post(&pause, json!({"minutes": 10})),
            );
            let _paused = paused.good();
            assert!(called.status == 200 || called["code"] == "queue_paused", "{}", called.text);
            let _still = nurses[0].post("/api/v1/desk/next", json!({})).await;
            let shown = nurses[0].get(&format!("/api/v1/desk/queues/{}", floor.li)).await.good();
            assert_eq!(shown["state"], "paused");
        })
        .await;
}

/// The doctor has gone home without closing, the room is dark: whoever still waits can be moved to another line by any desk, keeps the
/// number's time, and is called there.
#[tokio::test(flavor = "multi_thread")]
async fn a_doctor_who_left_without_closing_costs_nobody_their_turn() {
    each_hospital(async |hospital: &Hospital| {
        let floor = Floor::opens(hospital).await;
        let phones = booked(hospital, &hospital.site.dr_li, 3).await;
        next_day(hospital, "08:00", &phones.iter().collect::<Vec<_>>()).await;
        let mut tickets = Vec::new();
        for phone in &phones {
            tickets.push(ticket_id(&checks_in(phone, &floor.code).await));
        }
        let gone = sits(hospital, &floor.rooms[0], &[&floor.li]).await;
        let _called = calls_next(&gone).await;
        hospital.passes(Duration::from_secs(100 * 60)).await;
        for phone in &phones {
            let _signed_in = phone.signs_in().await;
        }
        // What was begun is closed by itself; the two others still wait.
        super::until("the forgotten visit is closed", async || {
            place(&phones[0], &tickets[0]).await["state"] == "done"
        })
        .await;
        let desk = sits(hospital, &floor.rooms[1], &[&floor.wang]).await;
        for ticket in &tickets[1..] {
            let to = format!("/api/v1/desk/tickets/{ticket}/transfer");
            let _moved = desk.post(&to, json!({"queue_id": floor.wang})).await.good();
        }
        let name = json!({"queue_id": floor.wang, "name": "钱进"});
        let walked_in = desk.post("/api/v1/desk/tickets", name).await.good();
        assert_eq!(calls_next(&desk).await["ticket"]["id"], tickets[1].as_str());
        assert_eq!(calls_next(&desk).await["ticket"]["id"], tickets[2].as_str());
        assert_eq!(calls_next(&desk).await["ticket"]["id"], walked_in["ticket"]["id"]);
    })
    .await;
}
