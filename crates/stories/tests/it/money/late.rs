//! Late, twice, by two ways at once: one is served, everything else goes back by itself.

use std::time::Duration;

use edge::Role;
use serde_json::json;
use testkit::paying::number;

use super::{each_paying, refunds_are, stands, until};

const HOLD: Duration = Duration::from_secs(16 * 60);

/// T11: the hold has run out when the money comes, and the place is still free: the person has it, with their number.
#[tokio::test(flavor = "multi_thread")]
async fn t11_paid_after_expiry_is_served_while_the_place_is_free() {
    each_paying(async |hospital| {
        let li_na = hospital.patient("李娜").await;
        let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
        let held = li_na.holds(&slot).await;
        let begun = li_na.begins_to_pay(held.id(), "wechat_jsapi").await.expect(201);
        hospital.passes(HOLD).await;
        until("the hold is over", async || li_na.appointment(held.id()).await.text_at("state") == "expired")
            .await;
        hospital.settle().await;
        hospital.pays_wechat_late(&number(&begun)).await;
        let paid = stands(&li_na, &begun, "paid").await;
        assert_eq!(paid.text_at("effect"), "served");
        let visit = li_na.appointment(held.id()).await;
        assert_eq!((visit.text_at("state"), visit.number_at("number")), ("booked", held.number_at("number")));
        hospital.settle().await;
    })
    .await;
}

/// T11: somebody else has the place by then: the money goes back once, and the person is told.
#[tokio::test(flavor = "multi_thread")]
async fn t11_paid_after_expiry_goes_back_when_the_place_is_gone() {
    each_paying(async |hospital| {
        let (li_na, office) = (hospital.patient("李娜").await, hospital.staff(&[Role::Finance]).await);
        let slot = hospital.opens_evening(&hospital.site.dr_li, 1, 1).await;
        let held = li_na.holds(&slot).await;
        let begun = li_na.begins_to_pay(held.id(), "wechat_jsapi").await.expect(201);
        hospital.passes(HOLD).await;
        until("the hold is over", async || li_na.appointment(held.id()).await.text_at("state") == "expired")
            .await;
        let zhao = hospital.patient("赵敏").await;
        zhao.gets(&slot).await;
        hospital.settle().await;
        hospital.pay_faults(json!({"notice_copies": 3})).await;
        hospital.pays_wechat_late(&number(&begun)).await;
        let paid = stands(&li_na, &begun, "paid").await;
        assert_eq!(paid.text_at("effect"), "surplus");
        let file = refunds_are(&office, held.id(), &["done"]).await;
        assert_eq!(file["charge"]["refunds"][0]["reason"], "too_late");
        hospital.settle().await;
        assert_eq!(hospital.books("clearing:%").await, 0);
        assert_eq!(hospital.books("suspense").await, 0);
        assert!(
            li_na.sms().await.iter().any(|sms| sms["text"].as_str().unwrap_or("").contains("退款"))
                || li_na.chat().await.iter().any(|said| said.to_string().contains("退款")),
            "she is told"
        );
    })
    .await;
}

/// T11: closing an order whose time is over, while its payer pays: whoever is first, both sides agree afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn t11_close_against_pay() {
    each_paying(async |hospital| {
        let li_na = hospital.patient("李娜").await;
        let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
        let held = li_na.holds(&slot).await;
        let begun = li_na.begins_to_pay(held.id(), "wechat_jsapi").await.expect(201);
        // The notice is lost on its way, and the platform can't be asked until the order's time is over.
        hospital.pay_faults(json!({"path": "/v3", "error_before": 1000, "notice_lost": 1000})).await;
        hospital.pays_wechat(&number(&begun)).await;
        hospital.passes(HOLD).await;
        hospital.pay_faults(json!({"notice_lost": 1000})).await;
        // Asked to close it, the platform says that it is paid; asked how it stands, it proves it.
        hospital.passes(Duration::from_secs(700)).await;
        let paid = stands(&li_na, &begun, "paid").await;
        assert_eq!(paid.text_at("effect"), "served");
        hospital.settle().await;
    })
    .await;
}

/// T12: WeChat and Alipay at once, and then at the counter: one is served, the other goes back.
#[tokio::test(flavor = "multi_thread")]
async fn t12_paid_twice_by_two_ways() {
    each_paying(async |hospital| {
        let (li_na, office) = (hospital.patient("李娜").await, hospital.staff(&[Role::Finance]).await);
        let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
        let held = li_na.holds(&slot).await;
        let wechat = li_na.begins_to_pay(held.id(), "wechat_jsapi").await.expect(201);
        let alipay = li_na.begins_to_pay(held.id(), "alipay_code").await.expect(201);
        let (wechat_no, alipay_no) = (number(&wechat), number(&alipay));
        tokio::join!(hospital.pays_wechat(&wechat_no), hospital.pays_alipay(&alipay_no));
        let one = stands(&li_na, &wechat, "paid").await;
        let two = stands(&li_na, &alipay, "paid").await;
        let mut effects = [one.text_at("effect"), two.text_at("effect")];
        effects.sort_unstable();
        assert_eq!(effects, ["served", "surplus"]);
        let file = refunds_are(&office, held.id(), &["done"]).await;
        assert_eq!(file["charge"]["refunds"][0]["reason"], "twice");
        assert_eq!(file["charge"]["state"], "settled");
        let _ = office.post_once("/api/v1/staff/billing/shift", json!({"float_fen": 0})).await.expect(201);
        let taking = json!({"subject_id": held.id(), "way": "cash"});
        let _ = office.post_once("/api/v1/staff/billing/takings", taking).await.refused(409, "already_paid");
        hospital.settle().await;
        assert_eq!(hospital.books("clearing:%").await, held.number_at("fee_fen"));
    })
    .await;
}
