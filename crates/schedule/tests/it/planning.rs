//! Planning: the same twice is once, what can't be is refused with its reasons, a stop is told.

use base::{Fen, HospitalId, Problem, Text2};
use schedule::plan::{self, NewClinic, NewDepartment, NewDoctor, NewSlot, PlanError, Segment, segments};
use schedule::{ClinicId, DepartmentId, DoctorId, Title};
use store::testing::{TestDb, each_db};
use store::value::Row;
use store::{Sql, args};

use crate::support::{HOSPITAL, World, book, campus, clinic, department, doctor, migrations, text, wall};

fn same(sql: &'static str) -> Sql {
    Sql { name: "TEST", sqlite: sql, postgres: sql }
}

fn codes(error: PlanError) -> Vec<(String, &'static str)> {
    match error {
        PlanError::Invalid(fields) => fields.into_iter().map(|f| (f.field, f.code)).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_same_twice_is_once() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let mut tx = w.t.db.begin().await.unwrap();
        let again =
            plan::add_campus(&mut tx, HOSPITAL, &campus("MAIN", "总院", "Main Site", 0)).await.unwrap();
        assert_eq!(again, w.main);
        let new = department("EK", "儿科", "Paediatrics", "ek", "erke");
        assert_eq!(plan::add_department(&mut tx, HOSPITAL, &new).await.unwrap(), w.paediatrics);
        let new = doctor("D2", "李静", "Li Jing", "lj", Title::AssociateChief, &[w.paediatrics]);
        assert_eq!(plan::add_doctor(&mut tx, HOSPITAL, &new).await.unwrap(), w.li);
        let new = clinic(w.cardiology, Some(w.chen), w.east, "2026-11-24", ("13:30", "15:30"), 3);
        let new = NewClinic { fee: Fen(2500), room: None, ..new };
        assert_eq!(plan::add_clinic(&mut tx, &w.hospital(), &new).await.unwrap(), w.tomorrow);
        let new = clinic(w.paediatrics, None, w.main, "2026-11-24", ("08:00", "09:00"), 5);
        assert_eq!(plan::add_clinic(&mut tx, &w.hospital(), &new).await.unwrap(), w.general);
        tx.commit().await.unwrap();
        let board = w.board().await;
        let slot = w.slots(w.tomorrow).await[0];
        let facts = board.slot(HOSPITAL, slot).unwrap();
        assert_eq!((facts.capacity, facts.fee), (3, Fen(2500)));
        assert_eq!(board.card(HOSPITAL, slot).unwrap().room, None);
        let li = board.doctor_summary(HOSPITAL, w.li).unwrap();
        assert_eq!((li.title_code, li.department_id), (2, w.paediatrics));
        assert_eq!(board.cards(HOSPITAL, &[slot]).await.unwrap()[&slot].campus_name.zh, "东院");
    })
    .await;
}

#[tokio::test]
async fn what_is_booked_is_not_planned_away() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let slots = w.slots(w.tomorrow).await;
        let shorter = clinic(w.cardiology, Some(w.chen), w.east, "2026-11-24", ("13:30", "14:30"), 2);
        let mut tx = w.t.db.begin().await.unwrap();
        plan::add_clinic(&mut tx, &w.hospital(), &shorter).await.unwrap();
        tx.commit().await.unwrap();
        let fewer = w.slots(w.tomorrow).await;
        assert_eq!((slots.len(), fewer.len()), (4, 2), "while nobody has booked, segments may be others");

        assert_eq!(book(&w.t.db, None, fewer[0]).await, Some(1));
        let longer = clinic(w.cardiology, Some(w.chen), w.east, "2026-11-24", ("13:30", "15:30"), 2);
        for new in [longer, clinic(w.cardiology, Some(w.chen), w.east, "2026-11-24", ("13:30", "14:30"), 0)] {
            let mut tx = w.t.db.begin().await.unwrap();
            let refused = plan::add_clinic(&mut tx, &w.hospital(), &new).await;
            assert!(matches!(refused, Err(PlanError::InUse(id)) if id == w.tomorrow), "{refused:?}");
        }
        let mut tx = w.t.db.begin().await.unwrap();
        let one = clinic(w.cardiology, Some(w.chen), w.east, "2026-11-24", ("13:30", "14:30"), 1);
        plan::add_clinic(&mut tx, &w.hospital(), &one).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(book(&w.t.db, None, fewer[0]).await, None, "full now");
    })
    .await;
}

#[tokio::test]
async fn what_can_not_be_is_refused_with_all_reasons() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let mut tx = w.t.db.begin().await.unwrap();
        let q = &mut tx;
        let bad = campus("ä b", "", "X", 0);
        let refused = plan::add_campus(q, HOSPITAL, &bad).await.unwrap_err();
        let problem = Problem::from(refused);
        assert_eq!((problem.code, problem.kind.status(), problem.fields.len()), ("plan_invalid", 422, 2));

        let new = department("XX", "外科", "Surgery", "WK", "wai ke");
        let new = NewDepartment { child_only: true, adult_only: true, intro: text("有", ""), ..new };
        let refused = plan::add_department(q, HOSPITAL, &new).await.unwrap_err();
        let fields: Vec<String> = codes(refused).into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["intro", "initials", "pinyin", "child_only"]);
        for (code, parent) in [
            ("AA", DepartmentId::new()), // not there
            ("AA", w.cardiology),        // on the second level
            ("NK", w.internal),          // itself
            ("NK", w.paediatrics),       // has departments below it
        ] {
            let new = department(code, "外科", "Surgery", "wk", "waike");
            let new = NewDepartment { parent: Some(parent), ..new };
            let refused = plan::add_department(q, HOSPITAL, &new).await.unwrap_err();
            assert_eq!(codes(refused), [("parent".to_owned(), "not_two_levels")], "{code}");
        }

        let fine = doctor("D9", "赵云", "Zhao Yun", "zy", Title::Chief, &[w.internal]);
        for (new, field) in [
            (NewDoctor { departments: vec![], ..fine.clone() }, "departments"),
            (NewDoctor { departments: vec![w.internal, w.internal], ..fine.clone() }, "departments"),
            (NewDoctor { departments: vec![DepartmentId::new()], ..fine.clone() }, "departments"),
            (NewDoctor { photo_url: Some("javascript:alert(1)".into()), ..fine.clone() }, "photo_url"),
            (NewDoctor { photo_url: Some("//elsewhere/x.jpg".into()), ..fine.clone() }, "photo_url"),
        ] {
            let refused = plan::add_doctor(q, HOSPITAL, &new).await.unwrap_err();
            assert_eq!(codes(refused)[0].0, field);
        }

        let fine = clinic(w.cardiology, Some(w.chen), w.main, "2026-12-01", ("08:00", "10:00"), 2);
        let at = |text: &str| wall(text);
        let long = NewSlot { segment: Segment { start: at("08:00"), end: at("08:31") }, capacity: 1 };
        let odd = w.instant("2026-11-20", "07:00").plus(std::time::Duration::from_millis(1));
        let late = w.instant("2026-12-01", "09:30");
        for (new, field) in [
            (NewClinic { slots: vec![], ..fine.clone() }, "slots"),
            (NewClinic { slots: vec![long], ..fine.clone() }, "slots"),
            (
                NewClinic {
                    slots: NewClinic::slots(&segments(at("08:00"), at("09:00"), 30).unwrap(), 501),
                    ..fine.clone()
                },
                "slots",
            ),
            (NewClinic { fee: Fen(-1), ..fine.clone() }, "fee"),
            (NewClinic { fee: Fen(140_000_000), ..fine.clone() }, "fee"),
            (NewClinic { opens_at: Some(odd), ..fine.clone() }, "opens_at"),
            (NewClinic { opens_at: Some(late), ..fine.clone() }, "opens_at"),
            (NewClinic { room: Some(text("", "Room")), ..fine.clone() }, "room"),
            (NewClinic { campus: schedule::CampusId::new(), ..fine.clone() }, "campus"),
            (NewClinic { department: DepartmentId::new(), doctor: None, ..fine.clone() }, "department"),
            (NewClinic { doctor: Some(DoctorId::new()), ..fine.clone() }, "doctor"),
            (NewClinic { doctor: Some(w.wang), ..fine.clone() }, "doctor"),
        ] {
            let refused = plan::add_clinic(q, &w.hospital(), &new).await.unwrap_err();
            assert_eq!(codes(refused)[0].0, field, "{new:?}");
        }
        // None of it has touched the transaction: it can still be used.
        plan::add_clinic(q, &w.hospital(), &fine).await.unwrap();
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_stopped_clinic_is_told_once_and_stays_stopped() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let slots = w.slots(w.tomorrow).await;
        assert_eq!(book(&w.t.db, None, slots[0]).await, Some(1));
        let reason = text("医生出诊安排调整", "The doctor's schedule has changed");
        let stop = async |clinic: ClinicId, reason: &Text2| {
            let mut tx = w.t.db.begin().await.unwrap();
            let stopped = plan::stop_clinic(&mut tx, &w.caller(), clinic, reason).await;
            if stopped.is_ok() {
                tx.commit().await.unwrap();
            }
            stopped
        };
        let refused = stop(w.tomorrow, &text("", "")).await.unwrap_err();
        assert_eq!(codes(refused), [("reason".to_owned(), "wrong_value")]);
        assert!(matches!(stop(ClinicId::new(), &reason).await, Err(PlanError::NoClinic(_))));
        let change = stop(w.tomorrow, &reason).await.unwrap();
        assert!(change.is_some());
        assert_eq!(stop(w.tomorrow, &reason).await.unwrap(), None, "the second time nothing happens");

        let events = w.t.db.all::<Row>(same("SELECT kind, key, payload FROM event"), args![]).await.unwrap();
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].get::<String>("kind").unwrap(), plan::STOPPED);
        assert_eq!(events[0].get::<String>("key").unwrap(), w.tomorrow.to_string());
        let payload: serde_json::Value =
            serde_json::from_str(&events[0].get::<String>("payload").unwrap()).unwrap();
        assert_eq!(payload["clinic_id"], w.tomorrow.to_string());
        assert_eq!(payload["change_id"], change.unwrap().to_string());
        assert_eq!(
            (payload["date"].as_str(), payload["half_day"].as_str()),
            (Some("2026-11-24"), Some("pm"))
        );
        let audit = w.t.db.all::<Row>(same("SELECT action, entity FROM audit"), args![]).await.unwrap();
        assert_eq!(audit.len(), 1);
        let mut tx = w.t.db.begin().await.unwrap();
        assert_eq!(plan::stop_reason(&mut tx, HOSPITAL, w.tomorrow).await.unwrap(), Some(reason));
        assert_eq!(plan::stop_reason(&mut tx, HOSPITAL, w.today).await.unwrap(), None);
        drop(tx);

        assert_eq!(book(&w.t.db, None, slots[1]).await, None);
        // Planning it again changes what is planned, not that it is stopped.
        let mut tx = w.t.db.begin().await.unwrap();
        let same = clinic(w.cardiology, Some(w.chen), w.east, "2026-11-24", ("13:30", "15:30"), 9);
        plan::add_clinic(&mut tx, &w.hospital(), &same).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(book(&w.t.db, None, slots[1]).await, None);
    })
    .await;
}

#[tokio::test]
async fn hospitals_do_not_see_each_other() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let profile = w.hospital().profile.clone();
        w.hospitals.add(HospitalId(2), "other", &profile, "Asia/Shanghai").await.unwrap();
        let mut tx = w.t.db.begin().await.unwrap();
        let new = department("NK", "内科", "Internal Medicine", "nk", "neike");
        let other = plan::add_department(&mut tx, HospitalId(2), &new).await.unwrap();
        assert_ne!(other, w.internal, "the same code in another hospital is another department");
        let foreign = doctor("D1", "陈维", "Chen Wei", "cw", Title::Chief, &[w.cardiology]);
        assert!(plan::add_doctor(&mut tx, HospitalId(2), &foreign).await.is_err());
        tx.commit().await.unwrap();
        let board = w.board().await;
        assert!(board.doctor_summary(HospitalId(2), w.chen).is_none());
        let slot = w.slots(w.tomorrow).await[0];
        assert!(board.slot(HospitalId(2), slot).is_none() && board.card(HospitalId(2), slot).is_none());
        assert!(board.cards(HospitalId(2), &[slot]).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_schema_holds_the_rules_too() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        for sql in [
            "UPDATE slot SET end_at = start_at + 1800001",
            "UPDATE slot SET end_at = start_at",
            "UPDATE slot SET taken = capacity + 1, last_number = 99",
            "UPDATE slot SET taken = -1",
            "UPDATE slot SET held = 1",
            "UPDATE slot SET taken = 1",
            "UPDATE clinic SET opens_at = opens_at + 1",
            "UPDATE clinic SET closes_at = opens_at",
            "UPDATE clinic SET fee_fen = -1",
            "UPDATE clinic SET room_en = NULL",
            "UPDATE clinic SET kind = 'vip'",
            "UPDATE department SET child_only = 1, adult_only = 1",
            "UPDATE doctor SET title_code = 6",
            "INSERT INTO quota (hospital_id, clinic_id, channel, capacity, taken) SELECT hospital_id, id, 'online', 1, 2 FROM clinic",
        ] {
            let mut tx = w.t.db.begin().await.unwrap();
            let refused = tx.exec(same(sql), args![]).await;
            assert!(matches!(refused, Err(store::StoreError::Constraint { .. })), "{sql}: {refused:?}");
        }
    })
    .await;
}
