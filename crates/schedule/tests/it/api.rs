//! The public routes, as a browser sees them.

use axum::body::to_bytes;
use schedule::plan;
use serde_json::{Value, json};
use store::testing::{TestDb, each_db};

use crate::site::Site;
use crate::support::{HOSPITAL, World, book, clinic, migrations, text};

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_hospital() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let site = Site::open(&w).await;
        let hospital = site.get("/hospital").await;
        assert_eq!(hospital["name"], json!({"zh": "杏林医院", "en": "Xinglin Hospital"}));
        assert_eq!(
            (&hospital["today"], &hospital["now"]),
            (&json!("2026-11-23"), &json!("2026-11-23T08:00:00+08:00"))
        );
        assert_eq!(ids(&hospital["campuses"]), [w.main.to_string(), w.east.to_string()]);
        let booking = json!({
            "horizon_days": 14, "release_time": "07:00", "cancel_until": "17:00", "hold_minutes": 15,
            "per_doctor_session": 1, "per_department_day": 1, "per_day": 2, "per_week": 3, "per_quarter": 5,
        });
        assert_eq!(hospital["booking"], booking);
        assert_eq!(hospital["sign_in"], json!({"wechat": true, "sms": true}));
        assert_eq!((&hospital["notice"], &hospital["languages"]), (&Value::Null, &json!(["zh", "en"])));
    })
    .await;
}

#[tokio::test]
async fn departments_with_what_can_be_had() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let site = Site::open(&w).await;
        let departments = site.get("/departments").await;
        let order = [w.internal.to_string(), w.cardiology.to_string(), w.paediatrics.to_string()];
        assert_eq!(ids(&departments["items"]), order, "each of the first level, then those below it");
        let [internal, cardiology, paediatrics] = [0, 1, 2].map(|n| &departments["items"][n]);
        // Today 08:30 to 11:00 is six segments of four (08:00 has begun, 11:30 is cut off), tomorrow 4 × 2 less the one
        // behind its cut-off at 15:00 …
        let tomorrow = 8;
        assert_eq!(cardiology["remaining"], 7 * 4 + tomorrow + 2);
        assert_eq!(internal["remaining"], cardiology["remaining"], "a department counts those below it");
        assert_eq!((&internal["doctor_count"], &cardiology["doctor_count"]), (&json!(2), &json!(2)));
        assert_eq!((&internal["parent_id"], &cardiology["parent_id"]), (&Value::Null, &json!(w.internal)));
        assert_eq!(cardiology["next_date"], "2026-11-23");
        assert_eq!(
            (&paediatrics["remaining"], &paediatrics["next_date"]),
            (&json!(10), &json!("2026-11-24"))
        );
        assert_eq!((&paediatrics["child_only"], &paediatrics["initials"]), (&json!(true), &json!("ek")));
    })
    .await;
}

#[tokio::test]
async fn doctors_of_a_department() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let site = Site::open(&w).await;
        let list = site.get(&format!("/doctors?department_id={}", w.internal)).await;
        assert_eq!(ids(&list["items"]), [w.chen.to_string(), w.li.to_string()], "free places first");
        let chen = &list["items"][0];
        assert_eq!((&chen["department_id"], &chen["title_code"]), (&json!(w.cardiology), &json!(1)));
        let slots = w.slots(w.today).await;
        assert_eq!(
            chen["next_free"],
            json!({"clinic_id": w.today, "slot_id": slots[1], "campus_id": w.main, "date": "2026-11-23",
                "half_day": "am", "start": "08:30", "end": "09:00", "fee_fen": 1400, "kind": "specialist"})
        );
        assert_eq!(chen["days"].as_array().unwrap().len(), 15);
        assert_eq!(chen["days"][0], json!({"date": "2026-11-23", "remaining": 28, "state": "open"}));
        assert_eq!(chen["days"][2], json!({"date": "2026-11-25", "remaining": 0, "state": "none"}));
        let li = &list["items"][1];
        assert_eq!((&li["next_free"], &li["days"][2]["state"]), (&Value::Null, &json!("not_open")));
        assert_eq!(list["dates"][2], json!({"date": "2026-11-25", "remaining": 0, "state": "not_open"}));

        // Paediatrics has no doctor with a clinic, but one of its own.
        let list = site.get(&format!("/doctors?department_id={}", w.paediatrics)).await;
        assert_eq!(ids(&list["items"]), [w.li.to_string(), w.wang.to_string()]);
        assert_eq!(list["items"][0]["department_id"], json!(w.paediatrics));
        assert_eq!(
            list["items"][0]["days"][2]["state"], "none",
            "clinics of the other department do not count"
        );
        assert_eq!(list["dates"][1], json!({"date": "2026-11-24", "remaining": 10, "state": "open"}));

        for (query, want) in [
            (format!("campus_id={}", w.east), vec![w.chen]),
            ("kind=specialist".to_owned(), vec![w.chen, w.li]),
            ("kind=special".to_owned(), vec![]),
            ("date=2026-11-25".to_owned(), vec![w.li]),
            (format!("date=2026-11-24&campus_id={}", w.main), vec![]),
            ("q=cw".to_owned(), vec![w.chen]),
            ("q=%E6%9D%8E".to_owned(), vec![w.li]),
            (String::new(), vec![w.chen, w.li, w.wang]),
        ] {
            let list = site.get(&format!("/doctors?{query}")).await;
            let want: Vec<String> = want.iter().map(ToString::to_string).collect();
            assert_eq!(ids(&list["items"]), want, "{query}");
        }
        let on_date = site.get("/doctors?date=2026-11-24").await;
        assert_eq!(on_date["items"][0]["remaining"], 8, "places of that date");
        assert_eq!(on_date["items"][0]["days"][0]["remaining"], 28, "the days stay whole");
    })
    .await;
}

#[tokio::test]
async fn a_doctor_and_the_clinics() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let site = Site::open(&w).await;
        let page = site.get(&format!("/doctors/{}", w.chen)).await;
        assert_eq!((&page["name"]["zh"], &page["title"]["en"]), (&json!("陈维"), &json!("Chief Physician")));
        assert_eq!(page["introduction"]["en"], "Twenty years in practice.");
        assert_eq!(ids(&page["campuses"]), [w.main.to_string(), w.east.to_string()]);
        assert_eq!(ids(&page["departments"]), [w.cardiology.to_string()]);

        let path = format!("/doctors/{}/clinics", w.chen);
        let clinics = site.get(&path).await;
        let order = [w.today, w.tomorrow, w.far].map(|id| id.to_string());
        assert_eq!(ids(&clinics["items"]), order);
        let today = &clinics["items"][0];
        assert_eq!((&today["state"], &today["remaining"]), (&json!("open"), &json!(28)));
        assert_eq!(
            (&today["opens_at"], &today["closes_at"]),
            (&json!("2026-11-09T07:00:00+08:00"), &json!("2026-11-23T11:30:00+08:00"))
        );
        assert_eq!(
            (&today["room"]["zh"], &today["fee_fen"], &today["online"]),
            (&json!("三诊室"), &json!(1400), &json!(false))
        );
        let states: Vec<&str> =
            today["slots"].as_array().unwrap().iter().map(|s| s["state"].as_str().unwrap()).collect();
        assert_eq!(states, ["closed", "open", "open", "open", "open", "open", "open", "open"]);
        assert_eq!(today["slots"][1]["start"], "08:30");

        let narrowed = site.get(&format!("{path}?from=2026-11-24&days=1")).await;
        assert_eq!(ids(&narrowed["items"]), [w.tomorrow.to_string()]);
        let narrowed = site.get(&format!("{path}?from=2026-11-24")).await;
        assert_eq!(narrowed["items"].as_array().unwrap().len(), 2);
        let past = site.get(&format!("{path}?from=2020-01-01&days=3")).await;
        assert_eq!(past["items"], json!([]));
        let end = site.get(&format!("{path}?from=9999-12-31&days=90")).await;
        assert_eq!(end["items"], json!([]));

        let general = site.get(&format!("/departments/{}/clinics", w.paediatrics)).await;
        assert_eq!(ids(&general["items"]), [w.general.to_string()]);
        assert_eq!(
            (&general["items"][0]["doctor_id"], &general["items"][0]["kind"]),
            (&Value::Null, &json!("general"))
        );
        let none = site.get(&format!("/departments/{}/clinics?days=5", w.internal)).await;
        assert_eq!(none["items"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn time_opens_and_closes() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let site = Site::open(&w).await;
        let state = async |on: &str, at: &str, doctor: schedule::DoctorId, place: usize| {
            w.clock_at(on, at);
            site.board.refresh().await.unwrap();
            let clinics = site.get(&format!("/doctors/{doctor}/clinics")).await;
            let item = &clinics["items"][place];
            (item["state"].as_str().unwrap().to_owned(), item["remaining"].as_i64().unwrap())
        };
        let clinics = site.get(&format!("/doctors/{}/clinics", w.li)).await;
        assert_eq!(ids(&clinics["items"]), [w.later.to_string()]);
        // Li's Wednesday clinic is released at noon on Monday: four segments of three.
        assert_eq!(state("2026-11-23", "11:59", w.li, 0).await, ("not_open".into(), 12));
        assert_eq!(state("2026-11-23", "12:00", w.li, 0).await, ("open".into(), 12));
        // Its segments go by one by one, the last ends with the cut-off at 09:30.
        assert_eq!(state("2026-11-25", "08:00", w.li, 0).await, ("open".into(), 9));
        assert_eq!(state("2026-11-25", "09:00", w.li, 0).await, ("open".into(), 3));
        assert_eq!(state("2026-11-25", "09:29", w.li, 0).await, ("open".into(), 3));
        assert_eq!(state("2026-11-25", "09:30", w.li, 0).await, ("closed".into(), 0));
    })
    .await;
}

#[tokio::test]
async fn a_booking_shows_and_bytes_are_not_sent_twice() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let site = Site::open(&w).await;
        let slot = w.slots(w.far).await[0];
        let paths = [
            "/departments".to_owned(),
            "/doctors".to_owned(),
            "/hospital".to_owned(),
            "/search?q=cw".to_owned(),
            format!("/doctors?department_id={}", w.internal),
            format!("/doctors/{}", w.chen),
            format!("/doctors/{}/clinics", w.chen),
        ];
        let mut before = Vec::new();
        for path in &paths {
            let response = site.send(path, None).await;
            let etag = response.headers()["etag"].to_str().unwrap().to_owned();
            assert_eq!(response.headers()["cache-control"], "no-cache");
            let again = site.send(path, Some(&etag)).await;
            assert_eq!(again.status(), 304, "{path}");
            assert!(to_bytes(again.into_body(), 10).await.unwrap().is_empty());
            before.push(etag);
        }
        assert_eq!(book(&w.t.db, Some(&site.board), slot).await, Some(1));
        for (path, etag) in paths.iter().zip(&before) {
            let status = site.send(path, Some(etag)).await.status();
            assert_eq!(status, if path == "/hospital" { 304 } else { 200 }, "{path}");
        }
        let clinics = site.get(&paths[6]).await;
        let slots = &clinics["items"][2]["slots"];
        assert_eq!(slots[0], json!({"id": slot, "start": "08:00", "end": "08:30", "capacity": 1, "remaining": 0, "state": "full"}));
        assert_eq!(clinics["items"][2]["state"], "open", "the other segment is free");
        assert_eq!(book(&w.t.db, Some(&site.board), w.slots(w.far).await[1]).await, Some(1));
        let page = site.get(&paths[5]).await;
        assert_eq!(page["days"][14], json!({"date": "2026-12-07", "remaining": 0, "state": "full"}));
    })
    .await;
}

#[tokio::test]
async fn searching() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let site = Site::open(&w).await;
        for (typed, departments, doctors) in [
            ("%E5%86%85%E7%A7%91", vec![w.internal, w.cardiology], vec![w.chen, w.li]), // 内科
            ("nk", vec![w.internal], vec![]),
            ("XXGNK", vec![w.cardiology], vec![w.chen, w.li]),
            ("xinxueguan", vec![w.cardiology], vec![w.chen, w.li]),
            ("med", vec![w.internal], vec![]),
            ("wei", vec![], vec![w.chen]),
            ("chen+wei", vec![], vec![w.chen]),
            ("%EF%BC%A3%EF%BC%B7", vec![], vec![w.chen]), // ＣＷ, full width
            ("hypertension", vec![], vec![w.chen, w.li, w.wang]),
            ("%E5%B0%8F%E6%98%8E", vec![], vec![w.wang]), // 小明
            ("zzz", vec![], vec![]),
            ("%20", vec![], vec![]),
            ("-", vec![], vec![]),
        ] {
            let found = site.get(&format!("/search?q={typed}")).await;
            let text =
                |ids: &[schedule::DepartmentId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
            assert_eq!(ids(&found["departments"]), text(&departments), "{typed}");
            let doctors: Vec<String> = doctors.iter().map(ToString::to_string).collect();
            assert_eq!(ids(&found["doctors"]), doctors, "{typed}");
        }
    })
    .await;
}

#[tokio::test]
async fn bad_input_is_refused() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let site = Site::open(&w).await;
        let long = "x".repeat(51);
        let (chen, unknown) = (w.chen, schedule::DoctorId::new());
        for (path, want) in [
            ("/departments?x=1".to_owned(), (422, "query_invalid")),
            ("/hospital?x=1".to_owned(), (422, "query_invalid")),
            (format!("/doctors/{chen}?x=1"), (422, "query_invalid")),
            ("/doctors?departement_id=1".to_owned(), (422, "query_invalid")),
            ("/doctors?department_id=1".to_owned(), (422, "query_invalid")),
            (format!("/doctors?department_id={chen}"), (422, "query_invalid")),
            ("/doctors?date=2026-02-30".to_owned(), (422, "query_invalid")),
            ("/doctors?kind=vip".to_owned(), (422, "query_invalid")),
            (format!("/doctors?q={long}"), (422, "query_invalid")),
            (format!("/doctors?department_id={}", schedule::DepartmentId::new()), (404, "not_found")),
            (format!("/search?q={long}"), (422, "query_invalid")),
            ("/search".to_owned(), (422, "query_invalid")),
            ("/search?q=%ff%fe".to_owned(), (200, "")),
            (format!("/doctors/{unknown}"), (404, "not_found")),
            (format!("/doctors/{unknown}/clinics"), (404, "not_found")),
            (format!("/doctors/{unknown}/clinics?days=1"), (404, "not_found")),
            ("/doctors/1".to_owned(), (404, "not_found")),
            (format!("/doctors/{}", w.internal), (404, "not_found")),
            (format!("/departments/{chen}/clinics"), (404, "not_found")),
            (format!("/doctors/{chen}/clinics?days=0"), (422, "query_invalid")),
            (format!("/doctors/{chen}/clinics?days=91"), (422, "query_invalid")),
            (format!("/doctors/{chen}/clinics?days=-1"), (422, "query_invalid")),
            (format!("/doctors/{chen}/clinics?from=tomorrow"), (422, "query_invalid")),
            (format!("/doctors/{chen}/clinics?from=2026-11-24&from=2026-11-25"), (422, "query_invalid")),
            ("/nothing".to_owned(), (404, "not_found")),
        ] {
            let got = if want.0 == 200 {
                (site.any(&path).await.0, String::new())
            } else {
                site.problem(&path).await
            };
            assert_eq!((got.0, got.1.as_str()), want, "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn live_topics_show_the_same() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let site = Site::open(&w).await;
        let topic = |kind: &str| site.topics.iter().find(|s| s.kind() == kind).unwrap().clone();
        let (doctor, department) = (topic("doctor"), topic("department"));
        let id = w.chen.to_string();
        let before = doctor.snapshot(&site.caller, &id).await.unwrap();
        assert_eq!(before, site.get(&format!("/doctors/{id}/clinics")).await);

        let mut woken = w.t.db.live().watch(&schedule::stock::doctor_topic(w.chen));
        let mut above = w.t.db.live().watch(&schedule::stock::department_topic(w.internal));
        woken.borrow_and_update();
        above.borrow_and_update();
        book(&w.t.db, Some(&site.board), w.slots(w.far).await[0]).await.unwrap();
        assert!(woken.has_changed().unwrap() && above.has_changed().unwrap());
        let after = doctor.snapshot(&site.caller, &id).await.unwrap();
        assert_eq!(after["items"][2]["slots"][0]["state"], "full");

        let list = department.snapshot(&site.caller, &w.internal.to_string()).await.unwrap();
        assert_eq!(list["items"][0]["id"], json!(w.chen));
        for bad in ["", "1", &w.internal.to_string(), &schedule::DoctorId::new().to_string()] {
            assert_eq!(doctor.snapshot(&site.caller, bad).await.unwrap_err().code, "not_found");
        }
        assert_eq!(department.snapshot(&site.caller, &id).await.unwrap_err().code, "not_found");
    })
    .await;
}

#[tokio::test]
async fn a_stopped_clinic_is_shown_as_stopped() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let site = Site::open(&w).await;
        let mut tx = w.t.db.begin().await.unwrap();
        let reason = text("医生出诊安排调整", "The doctor's schedule has changed");
        plan::stop_clinic(&mut tx, &w.caller(), w.tomorrow, &reason).await.unwrap();
        let new = clinic(w.cardiology, Some(w.chen), w.main, "2026-11-26", ("08:00", "09:00"), 2);
        plan::add_clinic(&mut tx, &w.hospital(), &new).await.unwrap();
        tx.commit().await.unwrap();
        site.board.refresh().await.unwrap();
        let clinics = site.get(&format!("/doctors/{}/clinics", w.chen)).await;
        let stopped = &clinics["items"][1];
        assert_eq!((&stopped["state"], &stopped["remaining"]), (&json!("stopped"), &json!(0)));
        let slots = stopped["slots"].as_array().unwrap();
        assert!(slots.iter().all(|s| s["state"] == "closed" && s["remaining"] == 0));
        let page = site.get(&format!("/doctors/{}", w.chen)).await;
        assert_eq!(page["days"][1]["state"], "stopped");
        assert_eq!(page["days"][3], json!({"date": "2026-11-26", "remaining": 4, "state": "open"}));
        assert!(site.board.doctor_summary(HOSPITAL, w.chen).unwrap().remaining > 0);
    })
    .await;
}
