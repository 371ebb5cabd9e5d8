//! Refunds: under limits, with trouble on the way, and of a whole clinic.

use std::time::Duration;

use edge::Role;
use serde_json::json;

use super::{each_paying, file, has_paid, refunds_are, until};

/// T16: parts up to the fen, a minute apart; never more than was paid, however many ask at once.
#[tokio::test(flavor = "multi_thread")]
async fn t16_parts_never_exceed_what_was_paid() {
    each_paying(async |hospital| {
        let (li_na, office) = (hospital.patient("李娜").await, hospital.staff(&[Role::Finance]).await);
        let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
        let (held, paid) = has_paid(hospital, &li_na, &slot).await;
        let total = paid.number_at("total_fen");
        let part = total / 3;
        let body = json!({"payment_id": paid.id(), "amount_fen": part, "note": "退一部分"});
        let asks = (0..6).map(|_| office.post_once("/api/v1/staff/billing/refunds", body.clone()));
        let answers = futures_util::future::join_all(asks).await;
        let good = answers.iter().filter(|answer| answer.status == 201).count();
        let fits = usize::try_from(total / part).unwrap();
        assert_eq!(good, fits, "of {total} go back {fits} times {part}");
        for _ in 0..4 {
            hospital.passes(Duration::from_secs(65)).await;
            hospital.settle().await;
        }
        let file = refunds_are(&office, held.id(), &vec!["done"; fits]).await;
        let back: i64 = file["charge"]["refunds"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["amount_fen"].as_i64().unwrap())
            .sum();
        assert!(back <= total);
        assert_eq!(hospital.books("clearing:%").await, total - back);
    })
    .await;
}

/// T17: given up by the platform, it is tried anew under a new number; what can't reach the payer is handed out; without funds
/// the same number waits for the top-up.
#[tokio::test(flavor = "multi_thread")]
async fn t17_closed_abnormal_and_without_funds() {
    each_paying(async |hospital| {
        let (li_na, office) = (hospital.patient("李娜").await, hospital.staff(&[Role::Finance]).await);
        hospital.sim.patch("/sim/v1/wechatpay", json!({"refund_takes_ms": 3_600_000_000_i64})).await;
        let slot = hospital.slot(&hospital.site.dr_li, 2, "08:00").await;
        let (held, paid) = has_paid(hospital, &li_na, &slot).await;
        // Without funds.
        hospital.sim.patch("/sim/v1/wechatpay", json!({"opening": -paid.number_at("total_fen")})).await;
        let _ = li_na.cancels(held.id()).await.expect(200);
        until("it waits for funds", async || {
            file(&office, held.id()).await["charge"]["refunds"][0]["error"] == "NOT_ENOUGH"
        })
        .await;
        hospital.sim.patch("/sim/v1/wechatpay", json!({"opening": 0})).await;
        hospital.passes(Duration::from_secs(610)).await;
        let sent = refunds_are(&office, held.id(), &["sent"]).await;
        let first =
            sent["charge"]["refunds"][0]["id"].as_str().unwrap().trim_start_matches("rfd_").to_owned();
        // Given up.
        hospital.sim.post(&format!("/sim/v1/wechatpay/refunds/{first}/closed"), json!({})).await;
        super::until("another takes its place", async || {
            let file = file(&office, held.id()).await;
            file["charge"]["refunds"].as_array().unwrap().len() == 2
        })
        .await;
        hospital.passes(Duration::from_secs(70)).await;
        let again = refunds_are(&office, held.id(), &["closed", "sent"]).await;
        let second = again["charge"]["refunds"][1]["id"].as_str().unwrap().to_owned();
        assert_ne!(second.trim_start_matches("rfd_"), first);
        // Can't reach the payer's account.
        hospital.expects_error("can't reach the payer's account");
        let number = second.trim_start_matches("rfd_");
        hospital.sim.post(&format!("/sim/v1/wechatpay/refunds/{number}/abnormal"), json!({})).await;
        refunds_are(&office, held.id(), &["closed", "abnormal"]).await;
        let _ =
            office.post_once("/api/v1/staff/billing/shift", json!({"float_fen": 10_000})).await.expect(201);
        let _ = office
            .post_once(&format!("/api/v1/staff/billing/refunds/{second}/hand-out"), json!({}))
            .await
            .expect(200);
        hospital.settle().await;
        // The platform still has the money; the drawer has given it.
        let total = paid.number_at("total_fen");
        assert_eq!(
            (hospital.books("clearing:%").await, hospital.books("cash-desk:%").await),
            (total, -total)
        );
    })
    .await;
}

/// T18: Alipay does it and its answer is lost: asked, it says that it is done. Money moves once.
#[tokio::test(flavor = "multi_thread")]
async fn t18_alipay_refund_with_a_lost_answer() {
    each_paying(async |hospital| {
        let (li_na, office) = (hospital.patient("李娜").await, hospital.staff(&[Role::Finance]).await);
        let slot = hospital.slot(&hospital.site.dr_li, 2, "08:00").await;
        let held = li_na.holds(&slot).await;
        let begun = li_na.begins_to_pay(held.id(), "alipay_code").await.expect(201);
        hospital.pays_alipay(&testkit::paying::number(&begun)).await;
        super::stands(&li_na, &begun, "paid").await;
        hospital.pay_faults(json!({"path": "alipay.trade.refund", "drop_answer": 1})).await;
        let _ = li_na.cancels(held.id()).await.expect(200);
        hospital.passes(Duration::from_secs(30)).await;
        refunds_are(&office, held.id(), &["done"]).await;
        hospital.settle().await;
        assert_eq!(hospital.books("clearing:%").await, 0);
    })
    .await;
}

/// T19: a clinic is called off: everybody who paid is paid back, each once, while the platform asks for fewer calls.
#[tokio::test(flavor = "multi_thread")]
async fn t19_a_clinic_is_called_off() {
    each_paying(async |hospital| {
        let office = hospital.staff(&[Role::Finance]).await;
        let slot = hospital.opens_evening(&hospital.site.dr_li, 1, 12).await;
        let phones = hospital.patients(12).await;
        let mut visits = Vec::new();
        for phone in &phones {
            visits.push(has_paid(hospital, phone, &slot).await.0);
        }
        let paid = hospital.books("clearing:%").await;
        assert_eq!(paid, 12 * visits[0].number_at("fee_fen"));
        hospital
            .pay_faults(json!({"path": "/v3/refund", "too_many": 3, "drop_answer": 2, "error_after": 2}))
            .await;
        hospital.stops(visits[0].text_at("clinic_id")).await;
        for _ in 0..6 {
            hospital.settle().await;
            hospital.passes(Duration::from_secs(70)).await;
        }
        for visit in &visits {
            let file = refunds_are(&office, visit.id(), &["done"]).await;
            assert_eq!(file["charge"]["refunds"][0]["reason"], "stopped");
        }
        assert_eq!(hospital.books("clearing:%").await, 0);
        let books = hospital.sim.get("/sim/v1/wechatpay").await;
        assert_eq!(books["refunds"].as_object().unwrap().len(), 12);
    })
    .await;
}
