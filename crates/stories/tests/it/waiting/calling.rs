//! Calling, passing, going for an exam, ending; what wall, door, desk and phone say meanwhile.

use std::time::Duration;

use edge::Role;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Hospital, Setup, each_hospital};

use super::{Floor, booked, calls_next, checks_in, next_day, place, sits, steps, ticket_id, until};

fn labels(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one["label"].as_str().unwrap()).collect()
}

/// The whole way: checked in at the door, called, in the room, seen; wall, door, desk and phone agree at every step.
#[tokio::test(flavor = "multi_thread")]
async fn from_the_door_to_the_doctor() {
    each_hospital(async |hospital: &Hospital| {
        let floor = Floor::opens(hospital).await;
        let phones = booked(hospital, &hospital.site.dr_li, 4).await;
        next_day(hospital, "07:50", &phones.iter().collect::<Vec<_>>()).await;
        let mut tickets = Vec::new();
        for phone in &phones {
            let ticket = checks_in(phone, &floor.code).await;
            assert_eq!(checks_in(phone, &floor.code).await["id"], ticket["id"], "twice is once");
            tickets.push(ticket_id(&ticket));
        }
        let own = place(&phones[3], &tickets[3]).await;
        assert_eq!(
            (own.number_at("ahead"), &own["arrival"], &own["label"]),
            (3, &json!("early"), &json!("A004"))
        );
        assert_eq!(own["why"]["zh"], "您前面有 3 位：3 位比您早。");
        assert!(own["why"]["en"].as_str().unwrap().starts_with("Before you are 3:"));
        assert!(own["estimate"]["low_min"].as_i64() < own["estimate"]["high_min"].as_i64(), "{}", own.text);
        // Nobody is called before eight: until some minutes before they may walk around.
        let from = format!("{}T07:55:00+08:00", hospital.day(1));
        assert!(own["walk_until"].as_str().unwrap() >= from.as_str(), "{}", own.text);

        hospital.becomes(1, "08:00").await;
        let wall = hospital.browser().await;
        let path = format!("/api/v1/live?topic=area:{}", floor.area);
        let mut screen = wall.call(Method::GET, &path).opens_stream().await;
        let first = screen.next().await;
        let li = |wall: &Value| {
            let all = wall["data"]["queues"].as_array().unwrap();
            all.iter().find(|q| q["id"] == floor.li.as_str()).unwrap().clone()
        };
        assert_eq!(labels(&li(&first)["next"]), ["A001", "A002", "A003", "A004"]);
        assert!(!first.to_string().contains("王一"), "names are covered");
        let mut phone = phones[0]
            .call(Method::GET, &format!("/api/v1/live?topic=ticket:{}", tickets[0]))
            .opens_stream()
            .await;
        assert_eq!(phone.next().await["data"]["state"], "waiting");

        let desk = sits(hospital, &floor.rooms[0], &[&floor.li]).await;
        let done = calls_next(&desk).await;
        assert_eq!((&done["ticket"]["label"], &done["queues"][0]["waiting"]), (&json!("A001"), &json!(3)));
        let called = phone.next().await;
        assert_eq!(
            (&called["data"]["state"], &called["data"]["room"]["name"]["zh"]),
            (&json!("called"), &json!("5 诊室"))
        );
        let shown = loop {
            let shown = screen.next().await;
            if !li(&shown)["calling"].as_array().unwrap().is_empty() {
                break li(&shown);
            }
        };
        assert_eq!(shown["calling"][0]["voice"]["en"], "Number A 0 0 1, please come to Room 5");
        assert_eq!(labels(&shown["next"]), ["A002", "A003", "A004"]);
        let door = wall.get(&format!("/api/v1/queue/rooms/{}", floor.rooms[0])).await.good();
        assert_eq!((&door["now"]["label"], labels(&door["next"])[0]), (&json!("A001"), "A002"));
        // The one who is called is told to come, the next that they are next; once.
        hospital.settle().await;
        assert_eq!(phones[0].cards().await.last().unwrap(), "叫号通知");
        assert_eq!(place(&phones[1], &tickets[1]).await["why"]["en"], "You are next.");

        let _done = steps(&desk, &tickets[0], "begin").await.good();
        hospital.passes(Duration::from_secs(300)).await;
        let done = calls_next(&desk).await;
        assert_eq!((&done["ticket"]["label"], &done["ended"]["label"]), (&json!("A002"), &json!("A001")));
        let seen = place(&phones[0], &tickets[0]).await;
        assert_eq!(seen["state"], "done");
        // Seen only when it can't be taken back any more.
        hospital.passes(Duration::from_secs(7)).await;
        let visit = seen["appointment_id"].as_str().unwrap().to_owned();
        until("the visit is seen", async || phones[0].appointment(&visit).await.good()["state"] == "seen")
            .await;
        // How many wait for each specialist, for everybody.
        let public = wall.get("/api/v1/queue/waiting").await.good();
        let of_li = public.items().iter().find(|q| q["queue_id"] == floor.li.as_str()).unwrap();
        assert_eq!((&of_li["waiting"], &of_li["doctor_name"]["zh"]), (&json!(2), &json!("李明")));
    })
    .await;
}

/// Two desks that call at once never call the same; nor do two nodes.
#[tokio::test(flavor = "multi_thread")]
async fn two_desks_at_once_call_different_people() {
    Setup::default()
        .nodes(2)
        .days(3)
        .play(async |hospital: &Hospital| {
            let floor = Floor::opens(hospital).await;
            let phones = booked(hospital, &hospital.site.dr_li, 6).await;
            next_day(hospital, "08:00", &phones.iter().collect::<Vec<_>>()).await;
            for phone in &phones {
                checks_in(phone, &floor.code).await;
            }
            let desks = [
                sits(hospital, &floor.rooms[0], &[&floor.li]).await,
                sits(hospital, &floor.rooms[1], &[&floor.li]).await,
            ];
            for (n, desk) in desks.iter().enumerate() {
                desk.is_served_by(n % hospital.nodes().len());
            }
            let mut called = Vec::new();
            for _ in 0..3 {
                let both = join_all(desks.iter().map(calls_next)).await;
                called.extend(both.iter().map(|done| done["ticket"]["label"].as_str().unwrap().to_owned()));
            }
            called.sort();
            assert_eq!(called, ["A001", "A002", "A003", "A004", "A005", "A006"]);
            let last = join_all(desks.iter().map(calls_next)).await;
            assert!(last.iter().all(|done| done["ticket"].is_null() && !done["ended"].is_null()));
            let _empty = desks[0].post("/api/v1/desk/next", json!({})).await.refused(409, "nobody_waiting");
        })
        .await;
}

/// The wrong key: within five seconds everything stands as it stood; later no more.
#[tokio::test(flavor = "multi_thread")]
async fn a_step_can_be_taken_back_for_five_seconds() {
    each_hospital(async |hospital: &Hospital| {
        let floor = Floor::opens(hospital).await;
        let phones = booked(hospital, &hospital.site.dr_li, 3).await;
        next_day(hospital, "08:00", &phones.iter().collect::<Vec<_>>()).await;
        for phone in &phones {
            checks_in(phone, &floor.code).await;
        }
        let desk = sits(hospital, &floor.rooms[0], &[&floor.li]).await;
        calls_next(&desk).await;
        let done = calls_next(&desk).await;
        let undo = json!({"action_id": done["action_id"]});
        let other = sits(hospital, &floor.rooms[1], &[&floor.li]).await;
        let _not_theirs = other.post("/api/v1/desk/undo", undo.clone()).await.refused(404, "not_found");
        let back = desk.post("/api/v1/desk/undo", undo.clone()).await.good();
        let line = &back["queues"][0];
        assert_eq!((labels(&line["lines"]), labels(&line["in_rooms"])), (vec!["A002", "A003"], vec!["A001"]));
        let _once = desk.post("/api/v1/desk/undo", undo).await.refused(409, "undo_over");
        let done = calls_next(&desk).await;
        assert_eq!(done["ticket"]["label"], "A002");
        hospital.passes(Duration::from_secs(6)).await;
        let late = json!({"action_id": done["action_id"]});
        let _late = desk.post("/api/v1/desk/undo", late).await.refused(409, "undo_over");
    })
    .await;
}

/// Not there when called: five places back, again, to the end, void. Each time the person is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_missed_call_comes_again_and_ends_void() {
    each_hospital(async |hospital: &Hospital| {
        let floor = Floor::opens(hospital).await;
        let phones = booked(hospital, &hospital.site.dr_li, 9).await;
        next_day(hospital, "08:00", &phones.iter().collect::<Vec<_>>()).await;
        let mut tickets = Vec::new();
        for phone in &phones {
            tickets.push(ticket_id(&checks_in(phone, &floor.code).await));
        }
        let desk = sits(hospital, &floor.rooms[0], &[&floor.li]).await;
        calls_next(&desk).await;
        let _done = steps(&desk, &tickets[0], "recall").await.good();
        let passed = steps(&desk, &tickets[0], "pass").await.good();
        assert_eq!(passed["ticket"]["ahead"], 5);
        let own = place(&phones[0], &tickets[0]).await;
        assert!(own["why"]["zh"].as_str().unwrap().contains("再叫 5 位后重新轮到您"), "{}", own.text);
        let mut called = Vec::new();
        for _ in 0..6 {
            called.push(calls_next(&desk).await["ticket"]["label"].as_str().unwrap().to_owned());
        }
        assert_eq!(called, ["A002", "A003", "A004", "A005", "A006", "A001"]);
        // Again, and to the end, and void.
        for _ in 0..2 {
            let _done = steps(&desk, &tickets[0], "pass").await.good();
            while calls_next(&desk).await["ticket"]["label"] != "A001" {}
        }
        let void = steps(&desk, &tickets[0], "pass").await.good();
        assert_eq!(void["ticket"]["state"], "void");
        let _over = steps(&desk, &tickets[0], "recall").await.refused(409, "ticket_state");
        hospital.settle().await;
        assert_eq!(phones[0].cards().await.iter().filter(|title| *title == "过号提醒").count(), 4);
    })
    .await;
}

/// Sent for an exam, back by scanning at the door, and in between the others.
#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_from_an_exam_takes_turns() {
    each_hospital(async |hospital: &Hospital| {
        let floor = Floor::opens(hospital).await;
        let phones = booked(hospital, &hospital.site.dr_li, 5).await;
        next_day(hospital, "08:00", &phones.iter().collect::<Vec<_>>()).await;
        let mut tickets = Vec::new();
        for phone in &phones {
            tickets.push(ticket_id(&checks_in(phone, &floor.code).await));
        }
        let desk = sits(hospital, &floor.rooms[0], &[&floor.li]).await;
        calls_next(&desk).await;
        let _done = steps(&desk, &tickets[0], "exam").await.good();
        assert_eq!(place(&phones[0], &tickets[0]).await["state"], "away");
        assert_eq!(calls_next(&desk).await["ticket"]["label"], "A002");
        hospital.passes(Duration::from_secs(600)).await;
        let back = checks_in(&phones[0], &floor.code).await;
        assert_eq!((&back["id"], &back["state"]), (&json!(tickets[0]), &json!("waiting")));
        assert!(back["why"]["en"].as_str().unwrap().contains("back from an exam"), "{back}");
        assert_eq!(calls_next(&desk).await["ticket"]["label"], "A001");
    })
    .await;
}

/// An emergency, a transfer, a pause, and somebody who leaves.
#[tokio::test(flavor = "multi_thread")]
async fn staff_change_the_line() {
    each_hospital(async |hospital: &Hospital| {
        let floor = Floor::opens(hospital).await;
        let phones = booked(hospital, &hospital.site.dr_li, 4).await;
        next_day(hospital, "08:00", &phones.iter().collect::<Vec<_>>()).await;
        let mut tickets = Vec::new();
        for phone in &phones {
            tickets.push(ticket_id(&checks_in(phone, &floor.code).await));
        }
        let desk = sits(hospital, &floor.rooms[0], &[&floor.li]).await;
        let class = format!("/api/v1/desk/tickets/{}/class", tickets[3]);
        let _why =
            desk.post(&class, json!({"class": "emergency", "reason": " "})).await.refused(422, "wrong_value");
        let done = desk.post(&class, json!({"class": "emergency", "reason": "胸痛"})).await.good();
        assert_eq!(
            (labels(&done["queues"][0]["lines"])[0], &done["ticket"]["class_reason"]),
            ("A004", &json!("胸痛"))
        );
        let wall = hospital.browser().await.get(&format!("/api/v1/queue/queues/{}", floor.li)).await.good();
        assert!(!wall.text.contains("胸痛") && wall["next"][0]["class"] == "emergency", "{}", wall.text);
        let moved = desk
            .post(&format!("/api/v1/desk/tickets/{}/transfer", tickets[1]), json!({"queue_id": floor.wang}))
            .await
            .good();
        assert_eq!(
            (&moved["ticket"]["label"], moved["queues"].as_array().unwrap().len()),
            (&json!("B001"), 2)
        );
        let left =
            phones[2].post(&format!("/api/v1/queue/tickets/{}/leave", tickets[2]), json!({})).await.good();
        assert_eq!(left["state"], "left");
        let _stranger = phones[0]
            .post(&format!("/api/v1/queue/tickets/{}/leave", tickets[1]), json!({}))
            .await
            .refused(404, "not_found");
        let pause = json!({"minutes": 20, "note": {"zh": "会诊", "en": "At a consultation"}});
        let paused = desk.post(&format!("/api/v1/desk/queues/{}/pause", floor.li), pause).await.good();
        assert_eq!(paused["state"], "paused");
        let _paused = desk.post("/api/v1/desk/next", json!({})).await.refused(409, "queue_paused");
        let own = place(&phones[0], &tickets[0]).await;
        assert!(own["estimate"]["low_min"].as_i64().unwrap() >= 20, "{}", own.text);
        hospital.passes(Duration::from_secs(21 * 60)).await;
        let path = format!("/api/v1/desk/queues/{}", floor.li);
        until("the line goes on", async || desk.get(&path).await.good()["state"] == "open").await;
        assert_eq!(calls_next(&desk).await["ticket"]["label"], "A004");
    })
    .await;
}

/// A doctor who leaves without closing keeps nobody in the room for ever; whoever still waits at night is let go.
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_closes_is_closed() {
    each_hospital(async |hospital: &Hospital| {
        let floor = Floor::opens(hospital).await;
        let phones = booked(hospital, &hospital.site.dr_li, 2).await;
        next_day(hospital, "08:00", &phones.iter().collect::<Vec<_>>()).await;
        let mut tickets = Vec::new();
        for phone in &phones {
            tickets.push(ticket_id(&checks_in(phone, &floor.code).await));
        }
        let desk = sits(hospital, &floor.rooms[0], &[&floor.li]).await;
        calls_next(&desk).await;
        hospital.passes(Duration::from_secs(91 * 60)).await;
        let _signed_in = phones[0].signs_in().await;
        until("the visit ends", async || place(&phones[0], &tickets[0]).await["state"] == "done").await;
        hospital.becomes(2, "00:30").await;
        let _signed_in = phones[1].signs_in().await;
        until("the line empties", async || place(&phones[1], &tickets[1]).await["state"] == "left").await;
    })
    .await;
}

/// Two nurses who change the same line: the second is told, and nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn two_who_set_up_the_same_line_notice() {
    each_hospital(async |hospital: &Hospital| {
        let floor = Floor::opens(hospital).await;
        let office = hospital.staff(&[Role::Operations]).await;
        let setup = office.get("/api/v1/desk/setup").await.good();
        let mut queue = super::of(&setup, "queues", "LI").clone();
        let version = queue["version"].clone();
        for extra in ["id", "state", "version"] {
            queue.as_object_mut().unwrap().remove(extra);
        }
        queue["service_minutes"] = json!(9.0);
        let path = format!("/api/v1/desk/setup/queues/{}", floor.li);
        let _blind =
            office.call(Method::PUT, &path).json(&queue).send().await.refused(428, "if_match_required");
        let seen = format!("\"{version}\"");
        let _done =
            office.call(Method::PUT, &path).json(&queue).header("if-match", &seen).send().await.good();
        queue["service_minutes"] = json!(5.0);
        let late = office.call(Method::PUT, &path).json(&queue).header("if-match", &seen).send().await;
        let _late = late.refused(409, "changed_meanwhile");
        let setup = office.get("/api/v1/desk/setup").await.good();
        assert_eq!(super::of(&setup, "queues", "LI")["service_minutes"], 9.0);
    })
    .await;
}

/// Every step has its time: waiting by doctor and hour, as a list and as a file.
#[tokio::test(flavor = "multi_thread")]
async fn waiting_is_counted() {
    each_hospital(async |hospital: &Hospital| {
        let floor = Floor::opens(hospital).await;
        let phones = booked(hospital, &hospital.site.dr_li, 3).await;
        next_day(hospital, "08:00", &phones.iter().collect::<Vec<_>>()).await;
        for phone in &phones {
            checks_in(phone, &floor.code).await;
        }
        let desk = sits(hospital, &floor.rooms[0], &[&floor.li]).await;
        for _ in 0..4 {
            calls_next(&desk).await;
            hospital.passes(Duration::from_secs(300)).await;
        }
        let director = hospital.staff(&[Role::Director]).await;
        let stats = director.get("/api/v1/queue/stats?by=doctor").await.good();
        let one = &stats.items()[0];
        assert_eq!((&one["name"]["zh"], &one["n"], &one["called"]), (&json!("李明"), &json!(3), &json!(3)));
        assert_eq!(
            (&one["wait_p50_min"], &one["wait_p90_min"], &one["serve_p50_min"]),
            (&json!(5.0), &json!(10.0), &json!(5.0))
        );
        assert!(one["range_held"].is_number() && one["missed_earliest"] == 0.0, "{one}");
        let hours = director.get("/api/v1/queue/stats?by=hour").await.good();
        assert_eq!(hours.items()[0]["key"], "08");
        let file = director.get("/api/v1/queue/stats.csv?by=department").await.good();
        assert!(file.text.contains("心血管内科,3,3,5,10,10"), "{}", file.text);
        let days = format!("/api/v1/queue/stats?from={}&to={}", hospital.day(0), hospital.day(93));
        let _too_many = director.get(&days).await.refused(422, "wrong_value");
        let _nurse = desk.get("/api/v1/queue/stats").await.refused(403, "forbidden");
    })
    .await;
}
