//! Rooms, lines, seats and appointments, made through the API.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use hyper::header::{CONTENT_TYPE, COOKIE, HOST, HeaderValue, IF_MATCH};
use hyper::{Method, Request};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::plan::{DEPARTMENTS, Day};
use super::prepare::Made;
use crate::load::{Line, Phone};
use crate::signed::{good, text};

/// Lines to a waiting area.
const TO_AN_AREA: usize = 10;
/// Connections over which is booked.
const TOGETHER: usize = 16;

/// A doctor's line.
pub(super) struct Queue {
    pub(super) id: String,
    room: String,
    /// What hangs on the wall where its people wait.
    pub(super) place_code: String,
    set: Value,
}

fn of_code<'a>(set_up: &'a Value, part: &str, code: &str) -> Result<&'a Value> {
    let all = set_up.get(part).and_then(Value::as_array).with_context(|| format!("no {part}"))?;
    let found = all.iter().find(|one| one.get("code").and_then(Value::as_str) == Some(code));
    found.with_context(|| format!("no {code}"))
}

/// A room and a line for each doctor, for people who take a number.
pub(super) async fn lines(address: SocketAddr, made: &Made, day: &Day) -> Result<Vec<Queue>> {
    let mut line = Line::open(address).await?;
    let two = |zh: &str, nth: usize| json!({"zh": format!("{zh}{nth}"), "en": format!("{zh} {nth}")});
    let mut post = async |path: &str, body: Value| -> Result<Value> {
        let path = format!("/api/v1/desk/setup/{path}");
        good(&mut line, address, Some(&made.office), Method::POST, &path, Some(&body)).await
    };
    let mut queues = Vec::new();
    let (mut area, mut place_code) = (String::new(), String::new());
    for (nth, doctor) in made.doctors.iter().enumerate() {
        if nth % TO_AN_AREA == 0 {
            let code = format!("A{nth}");
            let body = json!({"code": code, "name": two("候诊区", nth), "campus_id": made.campus, "way": two("路", nth)});
            let all = post("areas", body).await?;
            let one = of_code(&all, "areas", &code)?;
            area = text(one, "/id")?.to_owned();
            place_code = text(one, "/place_code")?.to_owned();
        }
        let code = format!("R{nth}");
        let all = post("rooms", json!({"code": code, "name": two("诊室", nth), "area_id": area})).await?;
        let room = text(of_code(&all, "rooms", &code)?, "/id")?.to_owned();
        let code = format!("Q{nth}");
        let department = day.doctors.get(nth).context("no such doctor")?.department;
        let about = DEPARTMENTS.get(department).context("no such department")?;
        let set = json!({
            "code": code, "kind": "clinic", "name": {"zh": about.zh, "en": about.en}, "prefix": "A", "area_id": area,
            "department_id": made.departments.get(department), "doctor_id": doctor.id,
            "policy": "first_come", "room_ids": [room], "service_minutes": about.median, "active": true,
        });
        let all = post("queues", set.clone()).await?;
        let one = of_code(&all, "queues", &code)?;
        let id = text(one, "/id")?.to_owned();
        queues.push(Queue { id, room, place_code: place_code.clone(), set });
    }
    Ok(queues)
}

/// Every doctor sits down.
pub(super) async fn seats(address: SocketAddr, made: &Made, queues: &[Queue]) -> Result<()> {
    let mut line = Line::open(address).await?;
    for (doctor, queue) in made.doctors.iter().zip(queues) {
        let body = json!({"room_id": queue.room, "queue_ids": [queue.id]});
        good(&mut line, address, Some(&doctor.signed), Method::PUT, "/api/v1/desk", Some(&body)).await?;
    }
    Ok(())
}

/// From now on lines go by time segments.
pub(super) async fn by_segment(address: SocketAddr, made: &Made, queues: &[Queue]) -> Result<()> {
    let mut line = Line::open(address).await?;
    let host = HeaderValue::from_str(&address.to_string())?;
    // Each pause and each end of a day has made a new version of a line.
    let all = good(&mut line, address, Some(&made.office), Method::GET, "/api/v1/desk/setup", None).await?;
    for queue in queues {
        let code = text(&queue.set, "/code")?;
        let version = of_code(&all, "queues", code)?.get("version").and_then(Value::as_i64);
        let version = version.context("no version")?;
        let mut set = queue.set.clone();
        if let Some(policy) = set.get_mut("policy") {
            *policy = json!("clinic");
        }
        let request = Request::put(format!("/api/v1/desk/setup/queues/{}", queue.id))
            .header(HOST, &host)
            .header(COOKIE, &made.office.cookie)
            .header("x-csrf", &made.office.csrf)
            .header(IF_MATCH, format!("\"{version}\""))
            .header(CONTENT_TYPE, "application/json")
            .body(set.to_string())?;
        let answer = line.send(request).await?;
        ensure!(answer.status == 200, "{}", answer.text());
    }
    Ok(())
}

/// Everybody who wants to books on their phone.
pub(super) async fn book(address: SocketAddr, made: &Made, day: &Day) -> Result<()> {
    let mut wishes: Vec<Vec<(Phone, String)>> = (0..TOGETHER).map(|_| Vec::new()).collect();
    for (nth, (patient, phone)) in made.phones.iter().enumerate() {
        let wish = day.patients.get(*patient).context("no such patient")?;
        let doctor = made.doctors.get(wish.doctor).context("no such doctor")?;
        let slot = wish.segment.and_then(|s| doctor.slots.get(wish.sitting)?.get(s)?.clone());
        let all = wishes.get_mut(nth % TOGETHER).context("no such line")?;
        all.push((phone.clone(), slot.context("no such slot")?));
    }
    let mut lines: JoinSet<Result<()>> = JoinSet::new();
    for part in wishes {
        lines.spawn(async move {
            let mut line = Line::open(address).await?;
            for (nth, (phone, slot)) in part.iter().enumerate() {
                let booked = line.book_one(phone, slot, &format!("day-{nth}")).await?;
                ensure!(booked.is_some(), "{slot} was planned and could not be booked");
            }
            Ok(())
        });
    }
    while let Some(done) = lines.join_next().await {
        done??;
    }
    Ok(())
}
