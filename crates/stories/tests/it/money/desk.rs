//! The cashier's desk.

use edge::Role;
use serde_json::json;

use super::{each_paying, file};

/// B4: paid at the counter it is the same registered visit; the drawer is counted at the end, and a difference is explained.
#[tokio::test(flavor = "multi_thread")]
async fn a_visit_is_paid_in_cash_and_the_drawer_is_counted() {
    each_paying(async |hospital| {
        let (li_na, desk) = (hospital.patient("李娜").await, hospital.staff(&[Role::Finance]).await);
        let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
        let booked = li_na.gets(&slot).await;
        let fee = booked.number_at("fee_fen");
        assert_eq!(li_na.appointment(booked.id()).await.json["paid"], json!(false));
        let taking = json!({"subject_id": booked.id(), "way": "cash"});
        let _ =
            desk.post_once("/api/v1/staff/billing/takings", taking.clone()).await.refused(409, "no_shift");
        let _ = desk
            .post_once("/api/v1/staff/billing/shift", json!({"float_fen": -1}))
            .await
            .refused(422, "amount_invalid");
        let _ = desk.post_once("/api/v1/staff/billing/shift", json!({"float_fen": 20_000})).await.expect(201);
        let _ = desk
            .post_once("/api/v1/staff/billing/shift", json!({"float_fen": 1}))
            .await
            .refused(409, "shift_open");
        let taken = desk.post_once("/api/v1/staff/billing/takings", taking.clone()).await.expect(201);
        assert_eq!(taken.json["charge"]["state"], "settled");
        let _ = desk.post_once("/api/v1/staff/billing/takings", taking).await.refused(409, "already_paid");
        let visit = li_na.appointment(booked.id()).await;
        assert_eq!((visit.text_at("state"), &visit.json["paid"]), ("booked", &json!(true)));
        let shift = desk.get("/api/v1/staff/billing/shift").await.expect(200);
        assert_eq!(shift.number_at("expected_fen"), 20_000 + fee);
        let count = |fen: i64, note: &str| json!({"counted_fen": fen, "note": note});
        let close = "/api/v1/staff/billing/shift/close";
        let _ = desk.post_once(close, count(20_000, "")).await.refused(422, "difference_unexplained");
        let closed = desk.post_once(close, count(20_000 + fee - 100, "少找了一元")).await.expect(200);
        assert_eq!(closed.number_at("expected_fen") - closed.number_at("counted_fen"), 100);
        assert_eq!(hospital.books("cash-desk:%").await, 0);
        assert_eq!(
            (hospital.books("bank").await, hospital.books("cash-differences").await),
            (fee - 100, 100)
        );
    })
    .await;
}

/// A place on hold can be paid at the counter, too; and who has paid in cash gets cash back, from a drawer.
#[tokio::test(flavor = "multi_thread")]
async fn cash_goes_back_over_the_counter() {
    each_paying(async |hospital| {
        let (li_na, desk) = (hospital.patient("李娜").await, hospital.staff(&[Role::Finance]).await);
        let slot = hospital.slot(&hospital.site.dr_li, 2, "08:00").await;
        let held = li_na.holds(&slot).await;
        let _ = desk.post_once("/api/v1/staff/billing/shift", json!({"float_fen": 0})).await.expect(201);
        let taking = json!({"subject_id": held.id(), "way": "cash"});
        let _ = desk.post_once("/api/v1/staff/billing/takings", taking).await.expect(201);
        assert_eq!(li_na.appointment(held.id()).await.text_at("state"), "booked");
        let _ = li_na.cancels(held.id()).await.expect(200);
        let open = desk.get("/api/v1/staff/billing/refunds?state=abnormal").await.expect(200);
        let refund = open.items()[0]["id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/staff/billing/refunds/{refund}/hand-out");
        let _ = desk.post_once(&path, json!({})).await.expect(200);
        let _ = desk.post_once(&path, json!({})).await.refused(409, "already_decided");
        assert_eq!(file(&desk, held.id()).await["charge"]["state"], "returned");
        for account in ["cash-desk:%", "refunds-in-flight", "obligation:%"] {
            assert_eq!(hospital.books(account).await, 0, "{account}");
        }
    })
    .await;
}

/// A refund from the limit on needs a second person, who is not the one who asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_refund_needs_two_people() {
    let limit = json!({"approve_from_fen": 500});
    let story = async |hospital: &testkit::Hospital| {
        let li_na = hospital.patient("李娜").await;
        let (first, second) =
            (hospital.staff(&[Role::Finance]).await, hospital.staff(&[Role::Finance]).await);
        let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
        let (held, paid) = super::has_paid(hospital, &li_na, &slot).await;
        let refund = |fen: i64| json!({"payment_id": paid.id(), "amount_fen": fen, "note": "医生临时换人"});
        let path = "/api/v1/staff/billing/refunds";
        let total = paid.number_at("total_fen");
        let _ = first.post_once(path, refund(total + 1)).await.refused(409, "refund_too_much");
        let _ = first
            .post_once(path, json!({"payment_id": paid.id(), "amount_fen": 1, "note": " "}))
            .await
            .refused(422, "text_length");
        let asked = first.post_once(path, refund(total - 100)).await.expect(201);
        assert_eq!(asked.text_at("state"), "asked");
        // What is asked for is out of reach of others.
        let _ = second.post_once(path, refund(200)).await.refused(409, "refund_too_much");
        let decide = format!("{path}/{}/decision", asked.id());
        let _ = first.post_once(&decide, json!({"approve": true})).await.refused(403, "second_person_needed");
        let _ = second.post_once(&decide, json!({"approve": true})).await.expect(200);
        let _ = second.post_once(&decide, json!({"approve": true})).await.refused(409, "already_decided");
        super::refunds_are(&first, held.id(), &["done"]).await;
        let small = first.post_once(path, refund(100)).await.expect(201);
        assert_eq!(small.text_at("state"), "wanted");
        hospital.passes(std::time::Duration::from_secs(90)).await;
        let file = super::refunds_are(&first, held.id(), &["done", "done"]).await;
        assert_eq!(file["charge"]["state"], "returned");
    };
    testkit::Setup::default().paying().days(3).with("billing", limit).play(story).await;
}
