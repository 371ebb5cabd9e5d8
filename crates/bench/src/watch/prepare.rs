//! The hospital with its lines, made through the API as its staff would; only who they are is written down before the program starts.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use base::{Clock, HospitalId, Text2};
use edge::session::{CookieStyle, NewSession, Sessions};
use edge::{Actor, Hospitals, Profile, Role, StaffId, csrf};
use hyper::Method;
use hyper::header::HeaderValue;
use schedule::plan::{self, NewCampus};
use serde_json::{Value, json};
use server::Config;
use store::{Db, Vault};

use super::Options;
use crate::load::Line;
use crate::signed::{Signed, good, text};

const HOSPITAL: HospitalId = HospitalId(1);
/// Lines to a waiting area.
const TO_AN_AREA: usize = 10;

/// What is there before the program starts.
pub(super) struct Made {
    /// The campus that areas are on.
    campus: String,
    /// Somebody who may set lines up, and one for each room.
    pub(super) staff: Vec<Signed>,
}

/// A line with the one room that it is called into.
pub(super) struct Queue {
    /// `que_…`
    pub(super) id: String,
    /// Who calls it.
    pub(super) caller: Signed,
}

/// A hospital and its staff, signed in.
pub(super) async fn hospital(config: &Config, options: &Options) -> Result<Made> {
    server::app::migrate(config, Clock::machine()).await?;
    let db = Db::open(&config.database.store(), Clock::machine()).await?;
    let _keys = Vault::open(&config.keys.file, true)?;
    let hospitals = Hospitals::load(&db).await?;
    let profile = Profile {
        name: Text2::new("测速医院", "Bench Hospital"),
        short_name: Text2::new("测速医院", "Bench"),
        phone: "021-00000000".into(),
        address: Text2::new("杏林路 1 号", "1 Xinglin Road"),
        notice: None,
    };
    hospitals.add(HOSPITAL, "bench", &profile, "Asia/Shanghai").await?;
    let mut tx = db.begin().await?;
    let campus = NewCampus {
        code: "main".into(),
        name: Text2::new("本部", "Main campus"),
        address: Text2::new("杏林路 1 号", "1 Xinglin Road"),
        position: 0,
    };
    let campus = plan::add_campus(&mut tx, HOSPITAL, &campus).await?.to_string();
    tx.commit().await?;
    let sessions = Sessions::new(db.clone());
    let style = CookieStyle { secure: true };
    let mut staff = Vec::new();
    for _ in 0..=options.queues {
        let new = NewSession {
            hospital: HOSPITAL,
            actor: Actor::Staff(StaffId::new(), vec![Role::Operations, Role::Nurse]),
            channel: "password",
            idle: Duration::from_secs(86_400),
            longest: Duration::from_secs(86_400),
            device: "bench".into(),
        };
        let token = sessions.open(new).await?;
        let found = sessions.find(&token).await?.context("the session is gone")?;
        staff.push(Signed {
            cookie: HeaderValue::from_str(&format!("{}={token}", style.name()))?,
            csrf: HeaderValue::from_str(&csrf::token(&found.token_hash))?,
        });
    }
    db.close().await;
    Ok(Made { campus, staff })
}

/// Areas, rooms, lines, and in each line so many people.
pub(super) async fn lines(
    address: SocketAddr,
    made: &Made,
    options: &Options,
    people: u32,
) -> Result<Vec<Queue>> {
    let mut line = Line::open(address).await?;
    let (boss, callers) = made.staff.split_first().context("no staff")?;
    let two = |zh: &str, nth: usize| json!({"zh": format!("{zh}{nth}"), "en": format!("{zh} {nth}")});
    let mut area = String::new();
    let mut queues = Vec::new();
    for (nth, caller) in callers.iter().enumerate() {
        let mut post = async |who: &Signed, method: Method, path: &str, body: Value| -> Result<Value> {
            good(&mut line, address, Some(who), method, path, Some(&body)).await
        };
        if nth % TO_AN_AREA == 0 {
            let code = format!("A{nth}");
            let body = json!({"code": code, "name": two("候诊区", nth), "campus_id": made.campus, "way": two("路", nth)});
            area =
                of_code(&post(boss, Method::POST, "/api/v1/desk/setup/areas", body).await?, "areas", &code)?;
        }
        let code = format!("R{nth}");
        let body = json!({"code": code, "name": two("诊室", nth), "area_id": area});
        let room =
            of_code(&post(boss, Method::POST, "/api/v1/desk/setup/rooms", body).await?, "rooms", &code)?;
        let code = format!("Q{nth}");
        let body = json!({
            "code": code, "kind": "service", "name": two("队列", nth), "prefix": "A", "area_id": area,
            "policy": "first_come", "room_ids": [room], "service_minutes": 5, "active": true,
        });
        let queue =
            of_code(&post(boss, Method::POST, "/api/v1/desk/setup/queues", body).await?, "queues", &code)?;
        for _ in 0..people {
            let body = json!({"queue_id": queue});
            post(boss, Method::POST, "/api/v1/desk/tickets", body).await?;
        }
        let body = json!({"room_id": room, "queue_ids": [queue]});
        post(caller, Method::PUT, "/api/v1/desk", body).await?;
        queues.push(Queue { id: queue, caller: caller.clone() });
    }
    let made: u32 = u32::try_from(queues.len())?;
    anyhow::ensure!(made == options.queues, "{made} lines");
    Ok(queues)
}

/// The id of what has this code in the answer to setting it up.
fn of_code(set_up: &Value, part: &str, code: &str) -> Result<String> {
    let all = set_up.get(part).and_then(Value::as_array).with_context(|| format!("no {part}"))?;
    let found = all.iter().find(|one| one.get("code").and_then(Value::as_str) == Some(code));
    Ok(text(found.with_context(|| format!("no {code}"))?, "/id")?.to_owned())
}
