//! B1: cancelling and moving.

use std::time::Duration;

use base::HalfDay;
use schedule::plan::NewClinic;
use serde_json::json;
use testkit::site::sitting;
use testkit::{Hospital, each_hospital};

/// Until 17:00 on the day before, to the millisecond; then a call to the hospital is the way.
#[tokio::test(flavor = "multi_thread")]
async fn a_place_can_be_given_up_until_the_evening_before() {
    each_hospital(async |hospital: &Hospital| {
        let phones = hospital.patients(2).await;
        let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
        let (first, second) = (phones[0].gets(&slot).await, phones[1].gets(&slot).await);
        let five = hospital.instant(0, "17:00");
        hospital.becomes_exactly(five.minus(Duration::from_millis(1))).await;
        for phone in &phones {
            let _ready = phone.signs_in().await;
        }
        let gone = phones[0].cancels(first.id()).await.good();
        assert_eq!(gone["state"], "cancelled");
        hospital.becomes_exactly(five).await;
        let late = phones[1].cancels(second.id()).await.refused(409, "too_late_to_cancel");
        assert_eq!(late["cancel_until"], "2026-11-23T17:00:00+08:00");
        assert!(late.text_at("detail").contains("请致电医院"), "{}", late.text);
        let page = phones[1].appointment(second.id()).await.good();
        assert_eq!(
            (&page["state"], &page["can_cancel"], &page["can_move"]),
            (&json!("booked"), &json!(false), &json!(false))
        );
        let other = hospital.slot(&hospital.site.dr_wang, 2, "08:00").await;
        let _late = phones[1].moves(second.id(), &other).await.refused(409, "cannot_move");
        // Whoever gives up twice is told the same twice.
        let again = phones[0].cancels(first.id()).await.good();
        assert_eq!(again.json, gone_as(&gone.json, &again.json), "the same answer");
        hospital.settle().await;
        assert_eq!(phones[0].cards().await, ["预约挂号成功通知", "预约取消通知"]);
    })
    .await;
}

/// What is booked after 17:00 for the next day can be given up until it begins, and counts all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_booking_can_be_given_up_until_it_begins_but_counts() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.patient("李娜").await;
        hospital.becomes(0, "17:30").await;
        let _ready = phone.signs_in().await;
        let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
        let visit = phone.gets(&slot).await;
        assert_eq!(visit["cancel_until"], "2026-11-24T08:00:00+08:00");
        let eight = hospital.instant(1, "08:00");
        hospital.becomes_exactly(eight.minus(Duration::from_millis(1))).await;
        let _ready = phone.signs_in().await;
        let _gone = phone.cancels(visit.id()).await.good();
        // The day's place in this department is spent.
        let other = hospital.slot(&hospital.site.dr_wang, 1, "09:00").await;
        let spent = phone.takes(&other).await.refused(409, "same_department_day");
        assert_eq!((&spent["limit"], &spent["appointment_id"]), (&json!(1), &json!(visit.id())));
        // One that was booked late and kept can't be given up once it has begun.
        let next = hospital.slot(&hospital.site.dr_li, 2, "08:00").await;
        hospital.becomes(1, "20:00").await;
        let _ready = phone.signs_in().await;
        let kept = phone.gets(&next).await;
        hospital.becomes(2, "08:00").await;
        let _ready = phone.signs_in().await;
        let _begun = phone.cancels(kept.id()).await.refused(409, "too_late_to_cancel");
    })
    .await;
}

/// The old place is given up only when the new one is had.
#[tokio::test(flavor = "multi_thread")]
async fn moving_never_loses_the_old_place() {
    each_hospital(async |hospital: &Hospital| {
        let phones = hospital.patients(2).await;
        let (mover, other) = (&phones[0], &phones[1]);
        let old = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
        let visit = mover.gets(&old).await;
        mover.receives_card("预约挂号成功通知").await;
        let full = hospital.opens_evening(&hospital.site.dr_li, 1, 1).await;
        let _taken = other.gets(&full).await;
        let _full = mover.moves(visit.id(), &full).await.refused(409, "slot_full");
        assert_eq!(mover.appointment(visit.id()).await.good()["state"], "booked", "still theirs");
        let morning = hospital.site.clinic(&hospital.site.dr_li, hospital.day(3));
        let noon = hospital.instant(0, "12:00");
        hospital
            .plans(&NewClinic {
                opens_at: Some(noon),
                half_day: HalfDay::Pm,
                slots: sitting("13:30", "15:00", 3),
                ..morning
            })
            .await;
        let unreleased = hospital.slot(&hospital.site.dr_li, 3, "13:30").await;
        let _early = mover.moves(visit.id(), &unreleased).await.refused(409, "not_open_yet");
        let _nowhere = mover.moves(visit.id(), &old).await.refused(409, "cannot_move");
        // Later on the same morning: the limits of that day do not stand in the way of moving within it.
        let later = hospital.slot(&hospital.site.dr_li, 1, "10:00").await;
        let moved = mover.moves(visit.id(), &later).await.expect(200);
        assert_eq!(
            (&moved["moved_from"], &moved["start"], &moved["number"]),
            (&json!(visit.id()), &json!("10:00"), &json!(1))
        );
        let before = mover.appointment(visit.id()).await.good();
        assert_eq!(
            (&before["state"], &before["cancelled_by"], &before["moved_to"]),
            (&json!("cancelled"), &json!("moved"), &json!(moved.id()))
        );
        let card = mover.receives_card("预约变更通知").await;
        assert_eq!(card.line("原就诊时间"), "2026年11月24日 08:00");
        assert_eq!(card.line("新就诊时间"), "2026年11月24日 10:00");
        // What was left is free, and what was moved can't be moved again.
        let _again = mover.moves(visit.id(), &later).await.refused(409, "cannot_move");
        assert_eq!(hospital.patient("张伟").await.gets(&old).await["number"], 2);
        hospital.settle().await;
        assert_eq!(
            mover.cards().await,
            ["预约挂号成功通知", "预约变更通知"],
            "no cancellation is told for a move"
        );
        assert_eq!(mover.upcoming().await.items().len(), 1);
    })
    .await;
}

/// A move that was asked for twice, because the answer got lost, is one move.
#[tokio::test(flavor = "multi_thread")]
async fn a_move_is_repeated_by_its_key() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.patient("李娜").await;
        let old = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
        let new = hospital.slot(&hospital.site.dr_wang, 3, "09:00").await;
        let visit = phone.gets(&old).await;
        let path = format!("/api/v1/appointments/{}/move", visit.id());
        let send = async |slot: &str| {
            let call =
                phone.call(reqwest::Method::POST, &path).key("the-same").json(&json!({"slot_id": slot}));
            call.send().await
        };
        let moved = send(&new).await.expect(200);
        let again = send(&new).await.expect(200);
        assert_eq!(moved.id(), again.id());
        let other = hospital.slot(&hospital.site.dr_wang, 4, "09:00").await;
        let _mistake = send(&other).await.refused(422, "idempotency_key_reused");
    })
    .await;
}

/// `gone` with what may have changed since: its notices.
fn gone_as(gone: &serde_json::Value, now: &serde_json::Value) -> serde_json::Value {
    let mut gone = gone.clone();
    gone["notices"] = now["notices"].clone();
    gone
}
