//! The straight ways: hold, pay, booked; cancel, and it comes back.

use edge::Role;
use serde_json::json;
use testkit::paying::number;

use super::{each_paying, file, has_paid, refunds_are, stands};

/// B4, D1: a place is kept, paid in WeChat, and booked by the notice; the person is told, and sees the receipt.
#[tokio::test(flavor = "multi_thread")]
async fn a_place_is_held_paid_in_wechat_and_booked() {
    each_paying(async |hospital| {
        let li_na = hospital.patient("李娜").await;
        let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
        let held = li_na.holds(&slot).await;
        assert_eq!(held.text_at("state"), "held");
        let begun = li_na.begins_to_pay(held.id(), "wechat_jsapi").await.expect(201);
        let sheet = &begun.json["sheet"]["wechat"];
        assert!(sheet["package"].as_str().unwrap().starts_with("prepay_id="), "{sheet}");
        // A second tap opens the same order.
        let again = li_na.begins_to_pay(held.id(), "wechat_jsapi").await.expect(201);
        assert_eq!((again.id(), &again.json["sheet"]["wechat"]["package"]), (begun.id(), &sheet["package"]));
        hospital.pays_wechat(&number(&begun)).await;
        let paid = stands(&li_na, &begun, "paid").await;
        assert_eq!(paid.text_at("effect"), "served");
        assert_eq!(li_na.appointment(held.id()).await.text_at("state"), "booked");
        li_na.receives_card("预约挂号成功通知").await;
        hospital.settle().await;
        let fee = held.number_at("fee_fen");
        assert_eq!(hospital.books("clearing:wechatpay:%").await, fee);
        assert_eq!(hospital.books("obligation:%").await, -fee);
        let charges = li_na.get("/api/v1/charges").await.expect(200);
        let receipt =
            li_na.get(&format!("/api/v1/charges/{}", charges.items()[0]["id"].as_str().unwrap())).await;
        assert_eq!(receipt.text_at("state"), "settled");
        assert_eq!(receipt.json["items"][0]["amount_fen"], fee);
        assert_eq!(receipt.json["payments"][0]["id"], paid.id());
        let _ = li_na.begins_to_pay(held.id(), "alipay_wap").await.refused(409, "already_paid");
    })
    .await;
}

/// Given up in time, the whole fee goes back by itself; from the day after the visit on it would have been revenue.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_up_in_time_is_paid_back() {
    each_paying(async |hospital| {
        let (li_na, office) = (hospital.patient("李娜").await, hospital.staff(&[Role::Finance]).await);
        let slot = hospital.slot(&hospital.site.dr_li, 2, "08:00").await;
        let (held, _) = has_paid(hospital, &li_na, &slot).await;
        let _ = li_na.cancels(held.id()).await.expect(200);
        let file = refunds_are(&office, held.id(), &["done"]).await;
        assert_eq!(file["charge"]["state"], "returned");
        assert_eq!(file["charge"]["refunds"][0]["reason"], "cancelled");
        hospital.settle().await;
        for account in ["clearing:%", "obligation:%", "refunds-in-flight", "suspense", "revenue:%"] {
            assert_eq!(hospital.books(account).await, 0, "{account}");
        }
        // Every row goes back to something that was observed, or to who gave the place up.
        let rows = file["ledger"].as_array().unwrap();
        assert_eq!(rows.len(), 3, "{rows:?}");
    })
    .await;
}

/// From the day after the visit on, what was owed is earned; a refund after that comes out of revenue.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_owed_is_earned_when_the_day_is_over() {
    each_paying(async |hospital| {
        let li_na = hospital.patient("李娜").await;
        let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
        let (held, _) = has_paid(hospital, &li_na, &slot).await;
        let fee = held.number_at("fee_fen");
        hospital.becomes(2, "00:10").await;
        super::until("the fee is earned", async || hospital.books("revenue:%").await == -fee).await;
        assert_eq!(hospital.books("obligation:%").await, 0);
    })
    .await;
}

/// D1: Alipay in the browser and by a code on a screen; both are found paid by their notice.
#[tokio::test(flavor = "multi_thread")]
async fn a_place_is_paid_by_alipay() {
    each_paying(async |hospital| {
        let (li_na, office) = (hospital.patient("李娜").await, hospital.staff(&[Role::Finance]).await);
        for (way, day) in [("alipay_code", 1), ("alipay_wap", 2)] {
            let slot = hospital.slot(&hospital.site.dr_wang, day, "08:00").await;
            let held = li_na.holds(&slot).await;
            let begun = li_na.begins_to_pay(held.id(), way).await.expect(201);
            if way == "alipay_wap" {
                // The payer's browser carries the signed order to Alipay.
                let url = begun.json["sheet"]["url"].as_str().unwrap().to_owned();
                let page =
                    reqwest::Client::builder().no_proxy().build().unwrap().get(&url).send().await.unwrap();
                assert!(page.status().is_success(), "{}", page.text().await.unwrap());
            } else {
                assert!(begun.json["sheet"]["code"].as_str().unwrap().starts_with("https://"));
            }
            hospital.pays_alipay(&number(&begun)).await;
            stands(&li_na, &begun, "paid").await;
            assert_eq!(li_na.appointment(held.id()).await.text_at("state"), "booked");
            if day == 2 {
                let _ = li_na.cancels(held.id()).await.expect(200);
                refunds_are(&office, held.id(), &["done"]).await;
            }
        }
        hospital.settle().await;
        let first = file(&office, li_na.upcoming().await.items()[0]["id"].as_str().unwrap()).await;
        assert_eq!(hospital.books("clearing:alipay:%").await, first["charge"]["total_fen"].as_i64().unwrap());
    })
    .await;
}

/// The other ways of WeChat Pay, and what can't be.
#[tokio::test(flavor = "multi_thread")]
async fn ways_are_offered_and_wrong_ones_refused() {
    each_paying(async |hospital| {
        let li_na = hospital.patient("李娜").await;
        let ways = li_na.get("/api/v1/payments/ways").await.expect(200);
        assert!(ways.items().contains(&json!("wechat_jsapi")) && ways.items().contains(&json!("insurance")));
        let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
        let held = li_na.holds(&slot).await;
        let native = li_na.begins_to_pay(held.id(), "wechat_native").await.expect(201);
        assert!(native.json["sheet"]["code"].as_str().unwrap().starts_with("weixin://"));
        let h5 = li_na.begins_to_pay(held.id(), "wechat_h5").await.expect(201);
        assert!(h5.json["sheet"]["url"].as_str().unwrap().contains("/cashier/wechatpay/"));
        let _ = li_na.begins_to_pay(held.id(), "cash").await.refused(422, "way_invalid");
        let _ = li_na.begins_to_pay(held.id(), "insurance").await.refused(422, "authorisation_needed");
        let _ = li_na
            .begins_to_pay("apt_00000000000000000000000000000000", "alipay_wap")
            .await
            .refused(404, "not_found");
        let zhao = hospital.patient("赵敏").await;
        let _ = zhao.begins_to_pay(held.id(), "wechat_jsapi").await.refused(404, "not_found");
        let _ = zhao.get(&format!("/api/v1/payments/{}", native.id())).await.refused(404, "not_found");
    })
    .await;
}

/// A hospital without contracts offers nothing, and books at the counter as before.
#[tokio::test(flavor = "multi_thread")]
async fn without_contracts_nothing_is_offered() {
    testkit::each_hospital(async |hospital| {
        let li_na = hospital.patient("李娜").await;
        assert!(li_na.get("/api/v1/payments/ways").await.expect(200).items().is_empty());
        let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
        let held = li_na.holds(&slot).await;
        let _ = li_na.begins_to_pay(held.id(), "wechat_jsapi").await.refused(409, "way_not_offered");
        let _ = li_na.cancels(held.id()).await.expect(200);
    })
    .await;
}
