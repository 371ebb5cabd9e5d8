//! Screens and kiosks: from the code on the screen to a session, and out again.

use std::time::Duration;

use edge::Role;
use serde_json::{Value, json};
use store::testing::{TestDb, each_db};

use crate::browser::Browser;
use crate::clinic::{self, Clinic, DAY, MINUTE};

const PAIRINGS: &str = "/api/v1/devices/pairings";
const DEVICES: &str = "/api/v1/staff/devices";

fn screen(code: &Value) -> Value {
    json!({"code": code, "name": "东厅 左", "show": {"view": "area", "of": "are_1"}})
}

async fn claim(device: &mut Browser, asked: &Value) -> crate::browser::Answer {
    let path = format!("{PAIRINGS}/{}/claim", asked["id"].as_str().unwrap());
    device.post(&path, json!({"secret": asked["secret"]})).await
}

/// The token that goes with the device's own changing requests.
async fn takes_token(device: &mut Browser) -> Value {
    let own = device.get("/api/v1/device").await.is(200);
    device.csrf = own["csrf"].as_str().unwrap().to_owned();
    own
}

#[tokio::test]
async fn a_code_that_staff_type_lets_the_device_in() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut desk = clinic.at_work(&t, "lin", &[Role::Nurse]).await;
        let mut device = clinic.browser();
        let asked = device.post(PAIRINGS, json!({})).await.is(201);
        assert_eq!(claim(&mut device, &asked).await.is(200)["paired"], false);
        device.get("/api/v1/device").await.problem(401, "sign_in_required");

        // As it is read off the wall: small letters, no hyphen.
        let typed = json!(asked["code"].as_str().unwrap().to_lowercase().replace('-', " "));
        let made = desk.post(DEVICES, screen(&typed)).await.is(201);
        assert_eq!((&made["kind"], &made["show"]["view"]), (&json!("screen"), &json!("area")));
        // Twice is once.
        assert_eq!(desk.post(DEVICES, screen(&asked["code"])).await.is(201)["id"], made["id"]);
        assert_eq!(desk.get(DEVICES).await.is(200)["items"].as_array().unwrap().len(), 1);

        let paired = claim(&mut device, &asked).await.is(200);
        assert_eq!((&paired["paired"], &paired["device"]["id"]), (&json!(true), &made["id"]));
        let first = device.token().unwrap().clone();
        assert_eq!(takes_token(&mut device).await["device"]["name"], "东厅 左");

        // The answer was lost: asked again there is one session, the newer.
        claim(&mut device, &asked).await.is(200);
        assert_ne!(device.token().unwrap(), &first);
        let mut old = clinic.browser();
        old.cookies.insert("__Host-xl".into(), first);
        old.get("/api/v1/device").await.problem(401, "sign_in_required");
        assert_eq!(takes_token(&mut device).await["device"]["id"], made["id"]);

        let audited = clinic.audited(made["id"].as_str().unwrap()).await;
        let actions: Vec<_> = audited.iter().map(|(action, _)| action.as_str()).collect();
        assert_eq!(actions, ["device.add", "device.sign_in", "device.sign_in"]);
    })
    .await;
}

#[tokio::test]
async fn what_it_shows_is_changed_from_the_console_and_a_removed_one_is_out() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut desk = clinic.at_work(&t, "lin", &[Role::Operations]).await;
        let mut device = clinic.browser();
        let asked = device.post(PAIRINGS, json!({})).await.is(201);
        let made = desk.post(DEVICES, screen(&asked["code"])).await.is(201);
        claim(&mut device, &asked).await.is(200);
        let path = format!("{DEVICES}/{}", made["id"].as_str().unwrap());
        desk.patch(&path, json!({"show": {"view": "experts"}})).await.is(200);
        assert_eq!(takes_token(&mut device).await["device"]["show"], json!({"view": "experts", "of": ""}));
        desk.patch(&path, json!({"show": {"view": "kiosk"}})).await.problem(409, "device_kind_fixed");
        desk.patch(&path, json!({"show": {"view": "door"}})).await.problem(422, "device_view_invalid");
        desk.patch(&path, json!({"name": "  "})).await.problem(422, "device_name_invalid");
        desk.patch(&path, json!({"show": {"view": "moon"}})).await.problem(422, "wrong_value");

        // It is heard of about once a minute.
        t.pass(MINUTE * 2);
        takes_token(&mut device).await;
        let listed = desk.get(DEVICES).await.is(200)["items"][0].clone();
        assert_ne!(listed["seen_at"], listed["added_at"], "{listed}");

        desk.delete(&path).await.is(204);
        device.get("/api/v1/device").await.problem(401, "sign_in_required");
        claim(&mut device, &asked).await.problem(410, "pairing_over");
        desk.delete(&path).await.problem(404, "not_found");
        desk.patch(&path, json!({"name": "x"})).await.problem(404, "not_found");
    })
    .await;
}

#[tokio::test]
async fn bad_codes_foreign_secrets_and_codes_of_yesterday_let_nobody_in() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut desk = clinic.at_work(&t, "lin", &[Role::Triage]).await;
        let mut device = clinic.browser();
        let asked = device.post(PAIRINGS, json!({})).await.is(201);
        for code in ["", "AAAA-AAAA", "' OR 1=1", &"A".repeat(500)] {
            let problem = desk.post(DEVICES, screen(&json!(code))).await.problem(422, "pairing_code_unknown");
            assert_eq!(problem["fields"][0]["field"], "code");
        }
        // Whoever reads the code off the wall has no secret.
        let mut thief = clinic.browser();
        let other = thief.post(PAIRINGS, json!({})).await.is(201);
        let made = desk.post(DEVICES, screen(&asked["code"])).await.is(201);
        for secret in [json!(""), other["secret"].clone(), asked["code"].clone()] {
            let forged = json!({"id": asked["id"], "secret": secret});
            claim(&mut thief, &forged).await.problem(410, "pairing_over");
        }
        claim(&mut thief, &json!({"id": "nothing", "secret": "x"})).await.problem(410, "pairing_over");
        assert_eq!(claim(&mut device, &asked).await.is(200)["device"]["id"], made["id"]);

        t.pass(MINUTE * 16);
        claim(&mut thief, &other).await.problem(410, "pairing_over");
        desk.post(DEVICES, screen(&other["code"])).await.problem(422, "pairing_code_unknown");

        // A patient's phone manages nothing, and neither does a device.
        let mut phone = clinic.signed_in("13800138000").await;
        phone.get(DEVICES).await.problem(403, "forbidden");
        phone.get("/api/v1/device").await.problem(403, "forbidden");
        takes_token(&mut device).await;
        device.get(DEVICES).await.problem(403, "forbidden");
        device.get("/api/v1/persons").await.problem(403, "forbidden");
    })
    .await;
}

#[tokio::test]
async fn a_device_stays_in_for_months_and_codes_are_not_to_be_had_without_end() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut desk = clinic.at_work(&t, "lin", &[Role::SystemAdmin]).await;
        let mut device = clinic.browser();
        let asked = device.post(PAIRINGS, json!({})).await.is(201);
        let kiosk = json!({"code": asked["code"], "name": "K1", "show": {"view": "kiosk"}});
        assert_eq!(desk.post(DEVICES, kiosk).await.is(201)["kind"], "kiosk");
        claim(&mut device, &asked).await.is(200);
        for _ in 0..4 {
            t.pass(DAY * 60);
            takes_token(&mut device).await;
        }
        t.pass(DAY * 91);
        device.get("/api/v1/device").await.problem(401, "sign_in_required");

        let mut flood = clinic.browser();
        let mut refused = 0;
        for _ in 0..70 {
            let answer = flood.post(PAIRINGS, json!({})).await;
            if answer.status.as_u16() == 429 {
                answer.problem(429, "too_many_pairings");
                refused += 1;
            }
        }
        assert!(refused >= 8, "{refused}");
        t.pass(Duration::from_secs(20));
        flood.post(PAIRINGS, json!({})).await.is(201);
    })
    .await;
}
