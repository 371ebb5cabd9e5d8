//! What staff do, through the routes: plan, look, change, stop, replace.

use axum::body::Body;
use axum::extract::Request;
use edge::Role;
use serde_json::{Value, json};
use store::testing::{TestDb, each_db};

use crate::site::Site;
use crate::support::{World, book, migrations};

fn template(w: &World) -> Value {
    json!({
        "department_id": w.cardiology, "doctor_id": w.li, "campus_id": w.main, "weekday": 4, "weeks": "every",
        "half_day": "pm", "kind": "specialist", "fee_fen": 3000, "valid_from": "2026-11-01", "holidays": "closed",
        "make_up": "follow", "segments": [{"start": "14:00", "end": "14:30", "capacity": 3}],
    })
}

#[tokio::test]
async fn a_template_from_the_first_word_to_the_last() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let site = Site::open(&w).await;
        let id =
            site.plans("POST", "/templates", Some(template(&w))).await["id"].as_str().unwrap().to_owned();
        let again = site.plans("POST", "/templates", Some(template(&w))).await;
        assert_eq!(again["id"], id.as_str(), "the same key gives the same answer");
        assert_eq!(
            site.plans("POST", "/templates/generate", None).await,
            json!({"made": 2, "there": 0, "failed": 0})
        );
        let path = format!("/clinics?from=2026-11-23&days=14&doctor_id={}", w.li);
        let items = site.plans("GET", &path, None).await["items"].clone();
        let mine: Vec<_> =
            items.as_array().unwrap().iter().filter(|c| c["template_id"] == id.as_str()).collect();
        assert_eq!(mine.len(), 2);
        assert_eq!(
            (&mine[0]["date"], &mine[0]["capacity"], &mine[0]["taken"]),
            (&json!("2026-11-26"), &json!(3), &json!(0))
        );
        let exception = site
            .plans(
                "PUT",
                &format!("/templates/{id}/exceptions/2026-12-03"),
                Some(json!({"segments": null, "note": "会议"})),
            )
            .await;
        assert_eq!(exception["exceptions"][0]["date"], "2026-12-03");
        let differs = site.plans("GET", &format!("/templates/{id}/differences"), None).await;
        assert_eq!(
            (&differs["items"][0]["effect"], differs["items"].as_array().unwrap().len()),
            (&json!("remove"), 1)
        );
        site.plans("POST", &format!("/templates/{id}/apply"), None).await;
        assert_eq!(
            site.plans("GET", &path, None).await["items"].as_array().unwrap().len(),
            items.as_array().unwrap().len() - 1
        );
        site.plans("DELETE", &format!("/templates/{id}/exceptions/2026-12-03"), None).await;
        let (status, body) = site
            .staff(Role::Operations, "DELETE", &format!("/templates/{id}/exceptions/2026-12-03"), None)
            .await;
        assert_eq!((status, &body["code"]), (404, &json!("not_found")));
        let ended =
            site.plans("PUT", &format!("/templates/{id}/active"), Some(json!({"active": false}))).await;
        assert_eq!(ended["active"], false);
        let mut wrong = template(&w);
        wrong["weekday"] = 9.into();
        wrong["doctor_id"] = json!(w.wang);
        let (status, body) =
            site.staff(Role::Operations, "PUT", &format!("/templates/{id}"), Some(wrong)).await;
        let fields: Vec<&str> =
            body["fields"].as_array().unwrap().iter().map(|f| f["field"].as_str().unwrap()).collect();
        assert_eq!((status, fields), (422, vec!["weekday", "doctor"]));
    })
    .await;
}

#[tokio::test]
async fn roles_reach_what_is_theirs() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let site = Site::open(&w).await;
        let stop = format!("/clinics/{}/stop", w.tomorrow);
        let reason = json!({"reason": {"zh": "医生临时有事", "en": "The doctor is not available"}});
        for (role, method, path, body, want) in [
            (Role::Doctor, "GET", "/clinics", None, 200),
            (Role::Doctor, "POST", "/templates/generate", None, 403),
            (Role::Triage, "POST", "/templates/generate", None, 403),
            (Role::Finance, "POST", stop.as_str(), Some(reason.clone()), 403),
            (Role::Triage, "POST", stop.as_str(), Some(reason), 200),
        ] {
            let (status, body) = site.staff(role, method, path, body).await;
            assert_eq!(status, want, "{role:?} {method} {path}: {body}");
        }
        let (status, body) = site.problem("/staff/clinics").await;
        assert_eq!((status, body.as_str()), (401, "sign_in_required"));
    })
    .await;
}

#[tokio::test]
async fn places_stopping_and_replacing() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let site = Site::open(&w).await;
        let slots = w.slots(w.tomorrow).await;
        assert_eq!(book(&w.t.db, None, slots[0]).await, Some(1));
        let path = format!("/clinics/{}", w.tomorrow);
        let fewer = json!({"slots": [{"slot_id": slots[0], "capacity": 0}]});
        let (status, body) = site.staff(Role::Operations, "PATCH", &path, Some(fewer)).await;
        assert_eq!((status, &body["code"], &body["taken"]), (409, &json!("places_taken"), &json!(1)));
        let more = json!({"slots": [{"slot_id": slots[0], "capacity": 5}], "room": {"zh": "六诊室", "en": "Room 6"}});
        let changed = site.plans("PATCH", &path, Some(more)).await;
        assert_eq!((&changed["capacity"], &changed["by_hand"], &changed["room"]["zh"]), (&json!(11), &json!(true), &json!("六诊室")));

        let part = json!({"reason": {"zh": "设备检修", "en": "Maintenance"}, "slot_ids": [slots[3]]});
        let done = site.plans("POST", &format!("{path}/stop"), Some(part.clone())).await;
        assert!(done["change_id"].as_str().unwrap().starts_with("chg_"));
        assert_eq!((&done["clinic"]["stopped"], &done["clinic"]["slots"][3]["stopped"]), (&json!(false), &json!(true)));
        assert_eq!(site.plans("POST", &format!("{path}/stop"), Some(part)).await["change_id"], Value::Null, "once");
        site.board.refresh().await.unwrap();
        let shown = site.get(&format!("/doctors/{}/clinics?from=2026-11-24&days=1", w.chen)).await;
        assert_eq!(shown["items"][0]["slots"][3]["state"], "closed");
        assert_eq!(shown["items"][0]["slots"][3]["remaining"], 0);

        let replace = |doctor: &str| json!({"doctor_id": doctor, "reason": {"zh": "换诊", "en": "Another doctor"}});
        let (status, body) =
            site.staff(Role::Operations, "POST", &format!("{path}/replace"), Some(replace(&w.wang.to_string()))).await;
        assert_eq!((status, &body["fields"][0]["code"]), (422, &json!("not_a_member")));
        let done = site.plans("POST", &format!("{path}/replace"), Some(replace(&w.li.to_string()))).await;
        assert_eq!(done["clinic"]["doctor_id"], json!(w.li));
        // On Wednesday morning Li sits already: Chen's clinic of that time can't be hers too.
        let other = json!({
            "department_id": w.cardiology, "doctor_id": w.chen, "campus_id": w.main, "date": "2026-11-25", "half_day": "am",
            "kind": "special", "fee_fen": 30000, "segments": [{"start": "08:00", "end": "08:30", "capacity": 2}],
        });
        let made = site.plans("POST", "/clinics", Some(other.clone())).await;
        let (status, body) = site.staff(Role::Operations, "POST", "/clinics", Some(other)).await;
        assert_eq!((status, &body["code"]), (409, &json!("clinic_exists")));
        let id = made["id"].as_str().unwrap();
        let (status, body) = site
            .staff(Role::Operations, "POST", &format!("/clinics/{id}/replace"), Some(replace(&w.li.to_string())))
            .await;
        assert_eq!((status, &body["code"]), (409, &json!("doctor_elsewhere")));
        let request = Request::builder().uri("/api/v1/staff/clinics.csv?from=2026-11-23&days=3").header("x-role", "director");
        let (status, file) = site.answered(request.body(Body::empty()).unwrap()).await;
        let lines: Vec<&str> = file.as_str().unwrap().split("\r\n").collect();
        assert_eq!((status, lines.len()), (200, 7), "{file}");
        assert_eq!(lines[1], "2026-11-23,am,心血管内科,陈维,本部,专家门诊,14.00,32,0,出诊");
    })
    .await;
}

#[tokio::test]
async fn quotas_in_numbers_and_in_words() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let site = Site::open(&w).await;
        let shares = json!([
            {"channel": "online", "hand_back": {"to": "window", "days_before": 0, "at": "10:00"}},
            {"channel": "window", "percent": 50, "kept": 2},
        ]);
        let rule = json!({"scope": {"department_id": w.cardiology}, "shares": shares});
        let made = site.plans("POST", "/quotas", Some(rule)).await;
        assert_eq!(made["words"][1]["zh"], "网上预约没有用完的号，就诊当天 10:00 起转给窗口挂号。");
        let preview = site.plans("GET", "/quotas/preview", None).await;
        assert_eq!(preview["items"].as_array().unwrap().len(), 4, "cardiology's clinics, not paediatrics'");
        let first = &preview["items"][0];
        assert_eq!((&first["now"], &first["wanted"][0]["capacity"]), (&json!([]), &json!(16)));
        site.plans("POST", "/quotas/apply", None).await;
        assert_eq!(site.plans("GET", "/quotas/preview", None).await["items"], json!([]), "all are in line");
        site.board.refresh().await.unwrap();
        let shown = site.get(&format!("/doctors/{}/clinics?from=2026-11-24&days=1", w.chen)).await;
        assert_eq!(shown["items"][0]["remaining"], 4, "half of eight");
        let staff = site.plans("GET", &format!("/clinics/{}", w.tomorrow), None).await;
        assert_eq!((&staff["quotas"][0]["channel"], &staff["quotas"][0]["capacity"]), (&json!("online"), &json!(4)));
        w.clock_at("2026-11-24", "10:00");
        let staff = site.plans("GET", &format!("/clinics/{}", w.tomorrow), None).await;
        assert_eq!((&staff["quotas"][0]["capacity"], &staff["quotas"][1]["capacity"]), (&json!(0), &json!(8)));
        site.board.refresh().await.unwrap();
        let shown = site.get(&format!("/doctors/{}/clinics?from=2026-11-24&days=1", w.chen)).await;
        assert_eq!((&shown["items"][0]["remaining"], &shown["items"][0]["state"]), (&json!(0), &json!("full")));

        let words = site.get(&format!("/departments/{}/rules", w.cardiology)).await;
        assert_eq!(words["clinics"][0]["division"].as_array().unwrap().len(), 3);
        assert_eq!(words["clinics"][0]["release"]["en"], "Numbers are released 14 days ahead at 07:00; same-day booking ends 30 minutes before the clinic does.");
        assert_eq!(words["limits"].as_array().unwrap().len(), 2);
        assert_eq!(site.get(&format!("/departments/{}/rules", w.paediatrics)).await["clinics"][0]["division"], json!([]));

        let id = made["id"].as_str().unwrap();
        let (status, body) = site.staff(Role::Operations, "PUT", &format!("/quotas/{id}"), Some(json!({"shares": []}))).await;
        assert_eq!((status, &body["fields"][0]["code"]), (422, &json!("no_rest")));
        site.plans("DELETE", &format!("/quotas/{id}"), None).await;
        let preview = site.plans("GET", "/quotas/preview", None).await;
        assert_eq!(preview["items"][0]["wanted"], json!([]), "without a rule nothing is divided");
        site.plans("POST", "/quotas/apply", None).await;
        let staff = site.plans("GET", &format!("/clinics/{}", w.tomorrow), None).await;
        assert_eq!(staff["quotas"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn departments_doctors_photos_and_the_calendar() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let site = Site::open(&w).await;
        let name = |zh: &str, en: &str| json!({"zh": zh, "en": en});
        site.plans("PUT", "/campuses/WEST", Some(json!({"name": name("西院", "West")}))).await;
        let department = json!({"name": name("眼科", "Ophthalmology"), "initials": "yk"});
        let places = site.plans("PUT", "/departments/YK", Some(department)).await;
        let eyes = places["departments"].as_array().unwrap().iter().find(|d| d["code"] == "YK").unwrap();
        let eyes = eyes.clone();
        let hidden = json!({"name": name("旧眼科", "Old Ophthalmology"), "active": false});
        let places = site.plans("PUT", "/departments/OLD", Some(hidden)).await;
        let old = places["departments"].as_array().unwrap().iter().find(|d| d["code"] == "OLD").unwrap();
        assert_eq!(old["active"], false);
        let doctor = json!({"name": name("赵明", "Zhao Ming"), "title_code": 2, "department_ids": [eyes["id"]]});
        site.plans("PUT", "/doctors/D9", Some(doctor.clone())).await;
        let photo = |bytes: Vec<u8>| {
            Request::builder().method("PUT").uri("/api/v1/staff/doctors/D9/photo").header("x-role", "operations").body(Body::from(bytes)).unwrap()
        };
        let (status, body) = site.answered(photo(b"<svg/>".to_vec())).await;
        assert_eq!((status, &body["code"]), (415, &json!("photo_unreadable")));
        let mut picture = b"\x89PNG\r\n\x1a\n".to_vec();
        picture.resize(300 * 1024 + 1, 7);
        let (status, body) = site.answered(photo(picture.clone())).await;
        assert_eq!((status, &body["code"]), (413, &json!("photo_too_large")));
        picture.truncate(1_000);
        let (status, places) = site.answered(photo(picture.clone())).await;
        let zhao = places["doctors"].as_array().unwrap().iter().find(|d| d["code"] == "D9").unwrap();
        let url = zhao["photo_url"].as_str().unwrap().to_owned();
        assert_eq!((status, url.ends_with(".png")), (200, true));
        let shown = site.send(url.trim_start_matches("/api/v1"), None).await;
        assert_eq!(shown.headers()["content-type"], "image/png");
        let places = site.plans("PUT", "/doctors/D9", Some(doctor)).await;
        let zhao = places["doctors"].as_array().unwrap().iter().find(|d| d["code"] == "D9").unwrap();
        assert_eq!(zhao["photo_url"], url.as_str(), "the photo stays");

        let days = site.plans("GET", "/calendar?from=2026-10-08&days=3", None).await;
        let kinds: Vec<&str> = days["items"].as_array().unwrap().iter().map(|d| d["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["workday", "workday", "make_up"]);
        let year = json!({"days_off_by_notice": ["2027-01-01"], "make_up_workdays": ["2027-01-02"], "stands_for": {"2027-01-02": 5}});
        let loaded = site.plans("PUT", "/calendar/2027", Some(year)).await;
        assert_eq!((&loaded["items"][1]["stands_for"], &loaded["years"]), (&json!(5), &json!([2024, 2025, 2026, 2027])));
        let wrong = json!({"days_off_by_notice": ["2026-01-01"], "make_up_workdays": []});
        let (status, body) = site.staff(Role::Operations, "PUT", "/calendar/2027", Some(wrong)).await;
        assert_eq!((status, &body["fields"][0]["code"]), (422, &json!("other_year")));
    })
    .await;
}
