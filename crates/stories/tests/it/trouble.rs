//! H7: what could not be told and work that failed for good: seen by staff, tried again or given up.

use base::UnixMs;
use edge::Role;
use serde_json::{Value, json};
use store::{Sql, args};
use testkit::setup::FIRST;
use testkit::{Answer, Browser, Hospital, Someone, each_hospital};

const DELIVERIES: &str = "/api/v1/staff/deliveries";
const TROUBLE: &str = "/api/v1/staff/trouble";

async fn does(browser: &Browser, list: &str, id: &str, act: &str) -> Answer {
    browser.post(&format!("{list}/{id}/{act}"), json!({})).await
}

/// Someone without a phone who does not follow: there is no way to tell them.
async fn untold(hospital: &Hospital, name: &str, start: &str) -> (testkit::Phone, Answer) {
    let phone = hospital.patient_who_is(Someone::adult(name).without_phone()).await;
    phone.unfollows().await;
    let visit = phone.gets(&hospital.slot(&hospital.site.dr_li, 1, start).await).await;
    hospital.settle().await;
    (phone, visit)
}

/// What could not be told is in the list with the name masked; once there is a way it goes out by hand, and only once.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_told_is_told_by_hand() {
    each_hospital(async |hospital: &Hospital| {
        hospital.expects_untold();
        let (phone, visit) = untold(hospital, "李娜", "08:00").await;
        let (_other, second) = untold(hospital, "王强", "08:30").await;
        let desk = hospital.staff(&[Role::Operations]).await;
        let list = desk.get(DELIVERIES).await.good();
        assert_eq!(list.items().len(), 2, "{}", list.text);
        assert!(!list.text.contains("李娜") && list.text.contains("李*"), "{}", list.text);
        let of = |list: &Answer, visit: &Answer| -> Value {
            list.items().iter().find(|m| m["subject"] == visit.id()).cloned().unwrap()
        };
        let mine = of(&list, &visit);
        assert_eq!(
            (&mine["kind_name"]["en"], &mine["state"], &mine["reason"], &mine["retriable"]),
            (&json!("Appointment booked"), &json!("failed"), &json!("no_way"), &json!(true))
        );
        // By filter and page by page it is the same.
        let none = desk.get(&format!("{DELIVERIES}?state=unknown")).await.good();
        assert!(none.items().is_empty());
        let one =
            desk.get(&format!("{DELIVERIES}?state=failed&kind=appointment_confirmed&limit=1")).await.good();
        let next = one.text_at("next");
        let two = desk.get(&format!("{DELIVERIES}?limit=1&after={next}")).await.good();
        assert_ne!(one.items()[0]["id"], two.items()[0]["id"]);
        assert!(two.json["next"].is_null());
        let _no = desk.get(&format!("{DELIVERIES}?after=x")).await.refused(422, "query_invalid");

        // There is still no way: it comes back into the list.
        let id = mine["id"].as_str().unwrap();
        let _asked = does(&desk, DELIVERIES, id, "retry").await.expect(204);
        hospital.settle().await;
        assert_eq!(of(&desk.get(DELIVERIES).await.good(), &visit)["reason"], "no_way");

        // Another hand gives the second one up; it is not told any more, whatever happens.
        let given = of(&list, &second)["id"].as_str().unwrap().to_owned();
        let _gone = does(&desk, DELIVERIES, &given, "give-up").await.expect(204);
        let _no = does(&desk, DELIVERIES, &given, "give-up").await.refused(409, "not_untold");
        let _no = does(&desk, DELIVERIES, &given, "retry").await.refused(409, "not_untold");
        assert_eq!(desk.get(DELIVERIES).await.good().items().len(), 1);

        hospital.passes(std::time::Duration::from_secs(2)).await;
        phone.follows().await;
        phone.receives_card("预约挂号成功通知").await;
        hospital.settle().await;
        assert!(desk.get(DELIVERIES).await.good().items().is_empty());
        let _no = does(&desk, DELIVERIES, id, "retry").await.refused(409, "not_untold");
        let _no =
            does(&desk, DELIVERIES, &id.replace("msg_", "apt_"), "retry").await.refused(404, "not_found");
        assert_eq!(phone.cards().await, ["预约挂号成功通知"]);

        let auditor = hospital.staff(&[Role::AuditAdmin]).await;
        let log = auditor.get("/api/v1/audit?action=notify.").await.good();
        assert_eq!(log.items().iter().filter(|e| e["action"] == "notify.give_up").count(), 1);
        assert_eq!(log.items().iter().filter(|e| e["action"] == "notify.retry").count(), 1);
        let nurse = hospital.staff(&[Role::Nurse]).await;
        let _no = nurse.get(DELIVERIES).await.refused(403, "forbidden");
    })
    .await;
}

const fn same(text: &'static str) -> Sql {
    Sql { name: "TROUBLE", sqlite: text, postgres: text }
}
const EVENT: Sql = same(
    "INSERT INTO event_failure (hospital_id, seq, subscriber, kind, key, payload, created_at, attempts, next_at, state, error)
     VALUES ($1, $2, 'notify.followed', 'people.followed', 'acc', $3, $4, 20, 0, 'failed', 'the event names no account')",
);
const JOB: Sql = same(
    "INSERT INTO job (hospital_id, id, kind, dedupe, payload, due_at, state, attempts, error, created_at)
     VALUES ($1, $2, 'nobody.does_this', $3, '{}', $4, 'failed', 20, 'this program has no such handler', $4)",
);
const FORGET_EVENTS: Sql = same("DELETE FROM event_failure");
const FORGET_JOBS: Sql = same("DELETE FROM job WHERE kind = 'nobody.does_this'");

/// Failures of the sort that only a slip in the program makes, as the relay and the worker would have left them.
async fn fails(hospital: &Hospital, at: UnixMs) {
    let mut tx = hospital.node().db().begin().await.unwrap();
    let fine = json!({"account": "acc_0198f0a0000070008000000000000000", "following": true});
    tx.exec(EVENT, args![FIRST, 900_001_i64, fine, at]).await.unwrap();
    tx.exec(EVENT, args![FIRST, 900_002_i64, json!({"following": true}), at]).await.unwrap();
    for (id, dedupe) in [("0198f0a0000070008000000000000001", "a"), ("0198f0a0000070008000000000000002", "b")]
    {
        tx.exec(JOB, args![FIRST, id, dedupe, at]).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// Work that failed for good stands in one list; tried again it is done or comes back; given up it is gone.
#[tokio::test(flavor = "multi_thread")]
async fn failed_work_is_tried_again_or_given_up() {
    each_hospital(async |hospital: &Hospital| {
        hospital.expects_error("a job failed");
        fails(hospital, hospital.now()).await;
        let admin = hospital.staff(&[Role::SystemAdmin]).await;
        let list = admin.get(TROUBLE).await.good();
        let shown: Vec<(&str, &str)> =
            list.items().iter().map(|t| (t["sort"].as_str().unwrap(), t["id"].as_str().unwrap())).collect();
        assert_eq!(shown.len(), 4, "{}", list.text);
        assert_eq!(admin.get(&format!("{TROUBLE}?sort=event")).await.good().items().len(), 2);
        assert_eq!(admin.get(&format!("{TROUBLE}?kind=nobody.")).await.good().items().len(), 2);
        let to = hospital.day(-1);
        assert!(admin.get(&format!("{TROUBLE}?to={to}")).await.good().items().is_empty());
        let _no = admin.get(&format!("{TROUBLE}?sort=moon")).await.refused(422, "query_invalid");
        let _no = admin.get(&format!("{TROUBLE}?after=x")).await.refused(422, "query_invalid");

        // The one that can be done now is; the other comes back.
        for id in ["900001.notify.followed", "900002.notify.followed"] {
            let _again = does(&admin, TROUBLE, &format!("event/{id}"), "retry").await.expect(204);
        }
        let _again = does(&admin, TROUBLE, "job/0198f0a0000070008000000000000001", "retry").await.expect(204);
        hospital.settles_within(std::time::Duration::from_secs(5)).await;
        let left = admin.get(TROUBLE).await.good();
        let mut ids: Vec<&str> = left.items().iter().map(|t| t["id"].as_str().unwrap()).collect();
        ids.sort_unstable();
        assert_eq!(
            ids,
            [
                "0198f0a0000070008000000000000001",
                "0198f0a0000070008000000000000002",
                "900002.notify.followed"
            ]
        );

        for path in ["event/900002.notify.followed", "job/0198f0a0000070008000000000000001"] {
            let _gone = does(&admin, TROUBLE, path, "give-up").await.expect(204);
            let _no = does(&admin, TROUBLE, path, "give-up").await.refused(409, "not_failed");
            let _no = does(&admin, TROUBLE, path, "retry").await.refused(409, "not_failed");
        }
        assert_eq!(admin.get(TROUBLE).await.good().items().len(), 1);
        for path in ["push/psh_0198f0a0000070008000000000000001", "push/x", "event/x", "job/x"] {
            let _no = does(&admin, TROUBLE, path, "retry").await.refused(409, "not_failed");
        }
        let nurse = hospital.staff(&[Role::Nurse]).await;
        let _no = nurse.get(TROUBLE).await.refused(403, "forbidden");
        let auditor = hospital.staff(&[Role::AuditAdmin]).await;
        let _no = does(&auditor, TROUBLE, "job/x", "give-up").await.refused(403, "forbidden");
        let log = auditor.get("/api/v1/audit?action=trouble.").await.good();
        assert_eq!(log.items().len(), 5);

        let mut tx = hospital.node().db().begin().await.unwrap();
        tx.exec(FORGET_EVENTS, args![]).await.unwrap();
        tx.exec(FORGET_JOBS, args![]).await.unwrap();
        tx.commit().await.unwrap();
    })
    .await;
}
