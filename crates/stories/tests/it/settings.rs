//! H7: settings that an administrator changes in the console: each with its meaning, its default, where it comes from, and a way
//! back.

use edge::Role;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, Browser, Hospital, each_hospital};

const LIMITS: &str = "/api/v1/staff/settings/booking.limits";

async fn section(browser: &Browser, name: &str) -> Value {
    let all = browser.get("/api/v1/staff/settings").await.good();
    let found = all.json["sections"].as_array().unwrap().iter().find(|s| s["name"] == name).cloned();
    found.unwrap_or_else(|| panic!("no section {name}"))
}

fn key<'a>(section: &'a Value, name: &str) -> &'a Value {
    section["keys"].as_array().unwrap().iter().find(|k| k["name"] == name).unwrap()
}

async fn set(browser: &Browser, version: i64, values: Value) -> Answer {
    browser.patch(LIMITS, json!({"version": version, "values": values})).await
}

/// Names of sections as they stand in the program's own sources.
fn named_in_the_sources() -> Vec<String> {
    let crates = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let mut found = Vec::new();
    let mut folders = vec![std::path::PathBuf::from(crates)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("tests") {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                for part in text.split("const SECTION: &'static str = \"").skip(1) {
                    found.push(part.split('"').next().unwrap().to_owned());
                }
            }
        }
    }
    assert!(found.len() > 5, "{found:?}");
    found
}

/// Whoever looks sees every section that the program reads, and every key of it with its meaning in both languages.
#[tokio::test(flavor = "multi_thread")]
async fn every_setting_is_shown_with_its_meaning() {
    each_hospital(async |hospital: &Hospital| {
        let admin = hospital.staff(&[Role::SystemAdmin]).await;
        let all = admin.get("/api/v1/staff/settings").await.good().json;
        let sections = all["sections"].as_array().unwrap();
        for name in named_in_the_sources() {
            assert!(
                sections.iter().any(|s| s["name"] == name.as_str()),
                "the section {name} is read somewhere, but no capability hands it in: describe it in its crate's sections.rs"
            );
        }
        for section in sections {
            assert!(section["title"]["zh"] != "" && section["title"]["en"] != "", "{section}");
            for key in section["keys"].as_array().unwrap() {
                assert!(key["meaning"]["zh"] != "" && key["meaning"]["en"] != "", "{key}");
                assert!(!key["default"].is_null() || section["name"] != "notify", "{key}");
                // What the hospitals of these stories have set says so.
                let set = key["changed_by"] == "test";
                let (value, source) = if set { (&key["value"], "database") } else { (&key["default"], "default") };
                assert_eq!((&key["value"], &key["source"]), (value, &json!(source)), "{key}");
            }
        }
        let program = all["program"].as_array().unwrap();
        let listen = program.iter().find(|k| k["name"] == "server.listen").unwrap();
        assert!(listen["meaning"]["en"].as_str().unwrap().contains("port"));
        // What it is connected to is a secret: at most that there is something.
        let url = program.iter().find(|k| k["name"] == "database.url").unwrap();
        assert!(["", "***"].contains(&url["value"].as_str().unwrap()), "{url}");
    })
    .await;
}

/// Every key that a capability's struct has is described, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_those_of_the_program() {
    each_hospital(async |hospital: &Hospital| {
        let admin = hospital.staff(&[Role::SystemAdmin]).await;
        for one in server::app::description().await.unwrap().settings {
            assert_eq!(one.undescribed(), Vec::<String>::new(), "{}", one.name);
            // What the program says of itself it also takes.
            assert_eq!(one.faults(&one.defaults).len(), 0, "{}", one.name);
            let path = format!("/api/v1/staff/settings/{}", one.name);
            let version = section(&admin, one.name).await["version"].clone();
            let defaults = json!({"version": version, "values": one.defaults});
            let _set = admin.patch(&path, defaults).await.good();
        }
    })
    .await;
}

/// A change holds at once, is told with who and when, and can be taken back.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_holds_at_once_and_can_be_taken_back() {
    each_hospital(async |hospital: &Hospital| {
        let admin = hospital.staff(&[Role::SystemAdmin]).await;
        let before = section(&admin, "booking.limits").await;
        assert_eq!((before["version"].as_i64(), &key(&before, "per_week")["value"]), (Some(0), &json!(3)));

        let changed = set(&admin, 0, json!({"per_week": 1, "remind_at": "17:30"})).await.good().json;
        let per_week = key(&changed, "per_week");
        assert_eq!(
            (&per_week["value"], &per_week["default"], &per_week["source"]),
            (&json!(1), &json!(3), &json!("database"))
        );
        assert!(per_week["changed_by"].as_str().unwrap().starts_with("stf_"));
        assert_eq!(per_week["changed_at"].as_str().unwrap()[..10], hospital.today().to_string());
        assert_eq!(key(&changed, "per_day")["source"], "default");

        // The second place within a week is refused now.
        let phone = hospital.patient("李娜").await;
        let _first = phone.gets(&hospital.slot(&hospital.site.dr_li, 1, "08:00").await).await;
        let other = hospital.slot(&hospital.site.dr_li, 3, "08:00").await;
        let _no = phone.takes(&other).await.refused(409, "limit_week");

        // Whoever has not seen that does not overwrite it.
        let stale = set(&admin, 0, json!({"per_day": 4})).await.refused(409, "settings_changed");
        assert!(stale.text.contains("刚刚被别人改过"), "{}", stale.text);
        let again = set(&admin, 1, json!({"per_quarter": 9})).await.good().json;
        assert_eq!(again["version"], 2);

        let history = admin.get(&format!("{LIMITS}/changes")).await.good().json["items"].clone();
        assert_eq!(history.as_array().unwrap().len(), 2);
        assert_eq!(history[0]["keys"][0], json!({"name": "per_quarter", "before": null, "after": 9}));
        let first = history[1]["id"].as_str().unwrap();

        let undone = admin.post(&format!("{LIMITS}/changes/{first}/undo"), json!({})).await.good().json;
        assert_eq!(
            (&key(&undone, "per_week")["value"], &key(&undone, "per_quarter")["value"]),
            (&json!(3), &json!(9))
        );
        assert_eq!(key(&undone, "per_week")["source"], "default");
        let twice = admin.post(&format!("{LIMITS}/changes/{first}/undo"), json!({})).await;
        let _no = twice.refused(409, "settings_changed_since");
        let history = admin.get(&format!("{LIMITS}/changes")).await.good().json["items"].clone();
        assert_eq!((&history[0]["undoes"], &history[2]["undone"]), (&json!(first), &json!(true)));
        let _second = phone.gets(&other).await;

        // All of it stands in the audit log.
        let auditor = hospital.staff(&[Role::AuditAdmin]).await;
        let log = auditor.get("/api/v1/audit?action=settings.change").await.good();
        assert_eq!(log.items().len(), 3);
        assert_eq!(log.items()[0]["entity"], "settings:booking.limits");
    })
    .await;
}

/// What can't be is refused with the key's name, in the caller's language, and nothing of it is kept.
#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_is_named_by_key() {
    each_hospital(async |hospital: &Hospital| {
        let admin = hospital.staff(&[Role::SystemAdmin]).await;
        let wrong = json!({"per_day": 0, "per_week": "many", "remind_at": "25:00", "per_moon": 3, "hold_minutes": 20});
        let answer = set(&admin, 0, wrong).await.refused(422, "settings_invalid");
        let mut fields = answer.fields();
        fields.sort_unstable();
        assert_eq!(fields, ["per_day", "per_moon", "per_week", "remind_at"]);
        assert!(answer.text.contains("应在 1 到 20 之间"), "{}", answer.text);
        admin.reads(base::Lang::En);
        let answer = set(&admin, 0, json!({"per_day": 0})).await.refused(422, "settings_invalid");
        assert!(answer.text.contains("per_day: must be 1 to 20"), "{}", answer.text);
        let _unknown = set(&admin, 0, json!({"per_moon": null})).await.refused(422, "settings_invalid");
        for path in ["nothing", "booking.limit"] {
            let body = json!({"version": 0, "values": {}});
            let _no = admin.patch(&format!("/api/v1/staff/settings/{path}"), body).await.refused(404, "not_found");
        }
        let _no = admin.patch(LIMITS, json!({"values": {}})).await.refused(422, "missing_field");
        assert_eq!(section(&admin, "booking.limits").await["version"], 0);

        // Operations look, and leave it alone.
        let operations = hospital.staff(&[Role::Operations]).await;
        let _seen = section(&operations, "booking.limits").await;
        let _no = set(&operations, 0, json!({"per_day": 1})).await.refused(403, "forbidden");
        let nurse = hospital.staff(&[Role::Nurse]).await;
        let _no = nurse.call(Method::GET, "/api/v1/staff/settings").send().await.refused(403, "forbidden");
    })
    .await;
}
