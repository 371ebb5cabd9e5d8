//! C1 to C7: from the door to the doctor, on the phone, the wall and the desk.

mod bad_days;
mod calling;
mod numbers;
mod places;
mod spot;

use edge::Role;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, Browser, Hospital, Phone};

/// A waiting room with two rooms, the lines of two doctors, and a laboratory beside it.
struct Floor {
    area: String,
    code: String,
    rooms: Vec<String>,
    li: String,
    wang: String,
    lab_area: String,
    lab_code: String,
    lab: String,
    lab_room: String,
}

fn text(zh: &str, en: &str) -> Value {
    json!({"zh": zh, "en": en})
}

fn of<'a>(setup: &'a Answer, list: &str, code: &str) -> &'a Value {
    let all = setup[list].as_array().unwrap();
    all.iter().find(|one| one["code"] == code).unwrap()
}

fn id(setup: &Answer, list: &str, code: &str) -> String {
    of(setup, list, code)["id"].as_str().unwrap().to_owned()
}

impl Floor {
    /// Set up as the office does it.
    async fn opens(hospital: &Hospital) -> Self {
        let office = hospital.staff(&[Role::Operations]).await;
        let at = |path: &str| format!("/api/v1/desk/setup/{path}");
        for (code, zh, en) in [("A3", "三楼候诊区", "Third floor"), ("L1", "采血处", "Blood tests")] {
            let area = json!({"code": code, "name": text(zh, en), "way": text("乘 2 号电梯", "Take lift 2"),
                "latitude": 31.2304, "longitude": 121.4737, "radius_m": 120});
            let _done = office.post(&at("areas"), area).await.good();
        }
        let setup = office.get("/api/v1/desk/setup").await.good();
        let (area, lab_area) = (id(&setup, "areas", "A3"), id(&setup, "areas", "L1"));
        for (code, zh, en, area) in [
            ("R5", "5 诊室", "Room 5", &area),
            ("R6", "6 诊室", "Room 6", &area),
            ("W1", "1 号窗口", "Window 1", &lab_area),
        ] {
            let room = json!({"code": code, "name": text(zh, en), "area_id": area});
            let _done = office.post(&at("rooms"), room).await.good();
        }
        let setup = office.get("/api/v1/desk/setup").await.good();
        let rooms = vec![id(&setup, "rooms", "R5"), id(&setup, "rooms", "R6")];
        let lab_room = id(&setup, "rooms", "W1");
        let site = &hospital.site;
        for (code, prefix, doctor) in [("LI", "A", site.dr_li), ("WANG", "B", site.dr_wang)] {
            let queue = json!({"code": code, "kind": "clinic", "name": text("心内科", "Cardiology"), "prefix": prefix,
                "area_id": area, "department_id": doctor.department.to_string(), "doctor_id": doctor.id.to_string(),
                "policy": "clinic", "room_ids": rooms, "service_minutes": 7.0, "active": true});
            let _done = office.post(&at("queues"), queue).await.good();
        }
        let queue = json!({"code": "LAB", "kind": "lab", "name": text("采血", "Blood test"), "prefix": "L", "area_id": lab_area,
            "policy": "first_come", "room_ids": [lab_room], "service_minutes": 2.0, "active": true});
        let _done = office.post(&at("queues"), queue).await.good();
        let setup = office.get("/api/v1/desk/setup").await.good();
        let code = |area: &str| of(&setup, "areas", area)["place_code"].as_str().unwrap().to_owned();
        Self {
            code: code("A3"),
            lab_code: code("L1"),
            li: id(&setup, "queues", "LI"),
            wang: id(&setup, "queues", "WANG"),
            lab: id(&setup, "queues", "LAB"),
            area,
            rooms,
            lab_area,
            lab_room,
        }
    }
}

/// A nurse at a desk, in a room, serving these lines.
async fn sits(hospital: &Hospital, room: &str, queues: &[&String]) -> Browser {
    let nurse = hospital.staff(&[Role::Nurse]).await;
    let seat = json!({"room_id": room, "queue_ids": queues});
    let _done = nurse.call(Method::PUT, "/api/v1/desk").json(&seat).send().await.good();
    nurse
}

async fn calls_next(desk: &Browser) -> Answer {
    desk.post("/api/v1/desk/next", json!({})).await.good()
}

async fn steps(desk: &Browser, ticket: &str, step: &str) -> Answer {
    desk.post(&format!("/api/v1/desk/tickets/{ticket}/{step}"), json!({})).await
}

/// It becomes this time on the next day; who was signed in the day before signs in again.
async fn next_day(hospital: &Hospital, wall: &str, phones: &[&Phone]) {
    hospital.becomes(1, wall).await;
    for phone in phones {
        let _signed_in = phone.signs_in().await;
    }
}

/// Waits until `look` says so: sweeps look by themselves.
async fn until(what: &str, look: impl AsyncFn() -> bool) {
    for _ in 0..150 {
        if look().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("{what} did not happen");
}

/// Checks in by the code at the place; gives the one ticket.
async fn checks_in(phone: &Phone, code: &str) -> Value {
    let answer = phone.post("/api/v1/queue/check-ins", json!({"code": code})).await.good();
    let tickets = answer["tickets"].as_array().unwrap();
    assert_eq!(tickets.len(), 1, "{}", answer.text);
    tickets[0].clone()
}

fn ticket_id(ticket: &Value) -> String {
    ticket["id"].as_str().unwrap().to_owned()
}

async fn place(phone: &Phone, ticket: &str) -> Answer {
    phone.get(&format!("/api/v1/queue/tickets/{ticket}")).await.good()
}

/// Patients with places of a doctor tomorrow, three in each segment from 08:00 on.
async fn booked(hospital: &Hospital, doctor: &testkit::Doctor, count: usize) -> Vec<Phone> {
    let phones = hospital.patients(count).await;
    for (n, phone) in phones.iter().enumerate() {
        let minutes = 8 * 60 + n / 3 * 30;
        let start = format!("{:02}:{:02}", minutes / 60, minutes % 60);
        phone.gets(&hospital.slot(doctor, 1, &start).await).await;
    }
    phones
}
