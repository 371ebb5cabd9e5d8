//! Places on hold: kept until a time, confirmed in somebody else's transaction, given back when nothing happens.

use std::time::Duration;

use ::booking::hold::{self, Confirmed};
use ::booking::model::{Outcome, PersonFacts};
use ::booking::{AppointmentId, Hold, HoldFor, desk};
use edge::{Actor, Caller};
use serde_json::json;
use store::args;
use store::value::Row;
use testkit::browser::key;
use testkit::{Hospital, Phone, Setup, each_hospital};

store::statements! {
    COUNTS = "SELECT taken, held FROM slot WHERE hospital_id = 1 AND id = $1";
    EVENTS = "SELECT kind FROM event WHERE kind LIKE 'booking.%' ORDER BY seq";
}

/// Somebody's place is kept for them, as whoever takes money would ask for it.
async fn is_kept_for(hospital: &Hospital, phone: &Phone, slot: &str, minutes: u64) -> AppointmentId {
    let node = hospital.node();
    let caller = Caller::system(node.hospitals().get(base::HospitalId(1)).unwrap());
    let account = account_of(hospital, phone).await;
    let person = PersonFacts::unknown(phone.who().parse().unwrap());
    let mut request = desk::request(&caller, account, person, slot.parse().unwrap(), &key(), None);
    let until = hospital.now().plus(Duration::from_secs(minutes * 60));
    request.hold = Some(Hold { until, why: HoldFor::Payment });
    let reply = node.desk().book(&caller.hospital, request).await.unwrap();
    match reply.outcome {
        Outcome::Booked(kept) => kept.id,
        other => panic!("it can't be kept: {other:?}"),
    }
}

async fn account_of(hospital: &Hospital, phone: &Phone) -> edge::AccountId {
    let node = hospital.node();
    let channel = node.channels().service(base::HospitalId(1)).unwrap();
    let mut tx = node.db().begin().await.unwrap();
    let found = people::wechat_user::account_of_openid(
        &mut tx,
        base::HospitalId(1),
        channel.id,
        &phone.openid,
        false,
    );
    let found = found.await.unwrap().unwrap();
    tx.rollback().await.unwrap();
    found
}

async fn counts(hospital: &Hospital, slot: &str) -> (i64, i64) {
    let id = slot.trim_start_matches("slt_");
    let row: Row = hospital.node().db().one(COUNTS, args![id]).await.unwrap();
    (row.get("taken").unwrap(), row.get("held").unwrap())
}

async fn confirms(hospital: &Hospital, id: AppointmentId) -> Confirmed {
    let node = hospital.node();
    let caller = Caller::system(node.hospitals().get(base::HospitalId(1)).unwrap());
    assert_eq!(caller.actor, Actor::System);
    let mut tx = node.db().begin().await.unwrap();
    let confirmed = hold::confirm(&mut tx, &caller, id).await.unwrap();
    tx.commit().await.unwrap();
    confirmed
}

/// What is kept is nobody else's; confirming it books it once, and the person is told then and not before.
#[tokio::test(flavor = "multi_thread")]
async fn a_place_is_kept_and_then_confirmed() {
    each_hospital(async |hospital: &Hospital| {
        let phones = hospital.patients(2).await;
        let slot = hospital.opens_evening(&hospital.site.dr_li, 2, 1).await;
        let kept = is_kept_for(hospital, &phones[0], &slot, 15).await;
        assert_eq!(counts(hospital, &slot).await, (1, 1));
        let _full = phones[1].takes(&slot).await.refused(409, "slot_full");
        let page = phones[0].appointment(&kept.to_string()).await.good();
        assert_eq!(
            (&page["state"], &page["hold_for"], &page["can_move"], &page["check_in_code"]),
            (&json!("held"), &json!("payment"), &json!(false), &json!(null))
        );
        hospital.settle().await;
        assert_eq!(phones[0].cards().await, [""; 0], "nothing is booked yet");
        let Confirmed::Booked(booked) = confirms(hospital, kept).await else { panic!("it was on hold") };
        assert_eq!((booked.id, booked.number), (kept, 1));
        assert_eq!(counts(hospital, &slot).await, (1, 0));
        assert!(matches!(confirms(hospital, kept).await, Confirmed::Already(_)), "twice is once");
        phones[0].receives_card("预约挂号成功通知").await;
        let page = phones[0].appointment(&kept.to_string()).await.good();
        assert_eq!((&page["state"], &page["hold_until"]), (&json!("booked"), &json!(null)));
        assert!(page["check_in_code"].is_string());
        assert!(matches!(confirms(hospital, AppointmentId::new()).await, Confirmed::NotThere));
    })
    .await;
}

/// A hold that nobody confirms is over seconds after its time and not before, its place is free again, and it counts for no limit.
#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_is_not_confirmed_ends_and_gives_its_place_back() {
    each_hospital(async |hospital: &Hospital| {
        let phones = hospital.patients(2).await;
        let slot = hospital.opens_evening(&hospital.site.dr_li, 2, 1).await;
        let kept = is_kept_for(hospital, &phones[0], &slot, 15).await;
        let over = hospital.now().plus(Duration::from_secs(15 * 60));
        hospital.becomes_exactly(over.minus(Duration::from_millis(1))).await;
        hospital.settle().await;
        assert_eq!(counts(hospital, &slot).await, (1, 1), "a millisecond is left");
        // It is looked for every five seconds.
        hospital.becomes_exactly(over.plus(Duration::from_secs(5))).await;
        hospital.settle().await;
        assert_eq!(counts(hospital, &slot).await, (0, 0));
        for phone in &phones {
            let _ready = phone.signs_in().await;
        }
        let page = phones[0].appointment(&kept.to_string()).await.good();
        assert_eq!(page["state"], "expired");
        let Confirmed::Gone(gone) = confirms(hospital, kept).await else { panic!("it is over") };
        assert_eq!(gone.state, ::booking::State::Expired);
        assert_eq!(phones[1].gets(&slot).await["number"], 2, "its number is not used again");
        let events = hospital.node().db().all::<Row>(EVENTS, args![]).await.unwrap();
        let events: Vec<String> = events.iter().map(|e| e.get("kind").unwrap()).collect();
        assert_eq!(events, ["booking.held", "booking.expired", "booking.booked"]);
    })
    .await;
}

/// Who keeps a place can let it go at any time, counts for nothing then, and is not told that something was cancelled.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_can_be_let_go_and_a_stop_ends_it() {
    let setup = Setup::default();
    setup
        .play(async |hospital: &Hospital| {
            let phones = hospital.patients(2).await;
            hospital.becomes(0, "18:00").await;
            for phone in &phones {
                let _ready = phone.signs_in().await;
            }
            // After 17:00 of the day before: a booking that is given up now would count.
            let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
            let kept = is_kept_for(hospital, &phones[0], &slot, 15).await;
            assert_eq!(counts(hospital, &slot).await, (1, 1));
            let gone = phones[0].cancels(&kept.to_string()).await.good();
            assert_eq!(gone["state"], "cancelled");
            assert_eq!(counts(hospital, &slot).await, (0, 0));
            let other = hospital.slot(&hospital.site.dr_wang, 1, "09:00").await;
            let booked = phones[0].gets(&other).await;
            phones[0].receives_card("预约挂号成功通知").await;
            assert_eq!(phones[0].cards().await.len(), 1);
            // The clinic is called off while a place in it is on hold.
            let evening = hospital.opens_evening(&hospital.site.dr_li, 3, 2).await;
            let kept = is_kept_for(hospital, &phones[1], &evening, 15).await;
            let page = phones[1].appointment(&kept.to_string()).await.good();
            hospital.stops(page["clinic_id"].as_str().unwrap()).await;
            hospital.settle().await;
            assert_eq!(counts(hospital, &evening).await, (1, 0));
            let page = phones[1].appointment(&kept.to_string()).await.good();
            assert_eq!(page["state"], "stopped");
            assert!(matches!(confirms(hospital, kept).await, Confirmed::Gone(_)));
            assert_eq!(booked["state"], "booked");
        })
        .await;
}
