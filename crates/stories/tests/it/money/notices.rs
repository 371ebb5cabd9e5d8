//! Notices: many, late, lost, forged, out of order.

use std::time::Duration;

use serde_json::json;
use testkit::paying::number;

use super::{each_paying, stands, until};

/// T13, I9: a hundred copies of one notice: one effect, and all are answered well.
#[tokio::test(flavor = "multi_thread")]
async fn t13_a_hundred_copies_of_one_notice() {
    each_paying(async |hospital| {
        let li_na = hospital.patient("李娜").await;
        let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
        let held = li_na.holds(&slot).await;
        let begun = li_na.begins_to_pay(held.id(), "wechat_jsapi").await.expect(201);
        hospital.pay_faults(json!({"notice_copies": 99})).await;
        hospital.pays_wechat(&number(&begun)).await;
        stands(&li_na, &begun, "paid").await;
        until("all copies are answered", async || {
            hospital.sim.inbox("pay").await.iter().any(|one| one["taken"] == true)
        })
        .await;
        hospital.settle().await;
        assert_eq!(hospital.ledger_rows().await, 1);
    })
    .await;
}

/// T7, T10, I12, I18: what does not prove itself moves nothing, and a probe of WeChat's is refused without a word.
#[tokio::test(flavor = "multi_thread")]
async fn t07_forged_notices_and_probes_move_nothing() {
    each_paying(async |hospital| {
        let li_na = hospital.patient("李娜").await;
        let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
        let held = li_na.holds(&slot).await;
        let begun = li_na.begins_to_pay(held.id(), "wechat_jsapi").await.expect(201);
        hospital.pay_faults(json!({"notice_forged": true})).await;
        hospital.pays_wechat(&number(&begun)).await;
        until("the forged notice was refused", async || {
            hospital.sim.inbox("pay").await.iter().any(|one| one["status"] == 401)
        })
        .await;
        hospital.settle().await;
        assert_eq!(li_na.get(&format!("/api/v1/payments/{}", begun.id())).await.text_at("state"), "waiting");
        assert_eq!(hospital.ledger_rows().await, 0);
        // The repetition, fifteen seconds later, is WeChat's own, behind one of its tests.
        hospital.pay_faults(json!({"notice_probe": true})).await;
        hospital.passes(Duration::from_secs(16)).await;
        stands(&li_na, &begun, "paid").await;
        hospital.settle().await;
        assert_eq!(hospital.ledger_rows().await, 1);
    })
    .await;
}

/// T4: a proxy that writes the JSON anew on its way breaks the signature; nothing is taken.
#[tokio::test(flavor = "multi_thread")]
async fn t04_a_body_that_was_written_anew_is_refused() {
    each_paying(async |hospital| {
        let browser = hospital.browser().await;
        let body = json!({"id": "x", "event_type": "TRANSACTION.SUCCESS", "resource": {}});
        let answer = browser.call(reqwest::Method::POST, "/pay/wechat/wechat").json(&body).send().await;
        assert_eq!(answer.status, 401, "{}", answer.text);
        let answer = browser
            .call(reqwest::Method::POST, "/pay/alipay/alipay")
            .body("text/plain", "a=1&sign=x")
            .send()
            .await;
        assert_eq!(answer.status, 401, "{}", answer.text);
        let answer = browser.call(reqwest::Method::POST, "/pay/insurance/bureau").json(&body).send().await;
        assert_eq!(answer.status, 401, "{}", answer.text);
        for path in ["/pay/wechat/nobody", "/pay/alipay/wechat"] {
            assert_eq!(browser.call(reqwest::Method::POST, path).json(&body).send().await.status, 404);
        }
        let large = vec![b'x'; 200 << 10];
        let answer =
            browser.call(reqwest::Method::POST, "/pay/wechat/wechat").body("text/plain", large).send().await;
        assert_eq!(answer.status, 413);
        assert_eq!(hospital.ledger_rows().await, 0);
    })
    .await;
}

/// T15, T22: all notices are lost for longer than they are repeated: the question finds what was paid.
#[tokio::test(flavor = "multi_thread")]
async fn t15_lost_notices_are_made_good_by_asking() {
    each_paying(async |hospital| {
        let li_na = hospital.patient("李娜").await;
        let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
        let held = li_na.holds(&slot).await;
        let begun = li_na.begins_to_pay(held.id(), "wechat_jsapi").await.expect(201);
        hospital.pay_faults(json!({"notice_lost": 1000})).await;
        hospital.pays_wechat(&number(&begun)).await;
        hospital.passes(Duration::from_secs(6)).await;
        stands(&li_na, &begun, "paid").await;
        hospital.settle().await;
        // The page that comes back from the sheet need not wait for that.
        let slot = hospital.slot(&hospital.site.dr_wang, 2, "08:00").await;
        let held = li_na.holds(&slot).await;
        let begun = li_na.begins_to_pay(held.id(), "alipay_code").await.expect(201);
        hospital.pays_alipay(&number(&begun)).await;
        let _ = li_na
            .post_once(&format!("/api/v1/payments/{}/sheet-closed", begun.id()), json!({}))
            .await
            .expect(200);
        stands(&li_na, &begun, "paid").await;
        hospital.settle().await;
    })
    .await;
}

/// T10: the network does its worst while an order is placed. The person tries again; there is one order, paid once.
#[tokio::test(flavor = "multi_thread")]
async fn t10_faults_while_an_order_is_placed() {
    each_paying(async |hospital| {
        let slot = hospital.opens_evening(&hospital.site.dr_li, 1, 10).await;
        for (day, fault) in [
            "drop_request",
            "drop_answer",
            "error_before",
            "error_after",
            "too_many",
            "unsigned",
            "wrong_key",
            "cut_body",
        ]
        .into_iter()
        .enumerate()
        {
            let li_na = hospital
                .patient(&format!("李{}", ["一", "二", "三", "四", "五", "六", "七", "八"][day]))
                .await;
            let held = li_na.holds(&slot).await;
            hospital.pay_faults(json!({"path": "/v3/pay/transactions/jsapi", fault: 1})).await;
            let _ = li_na.begins_to_pay(held.id(), "wechat_jsapi").await.refused(502, "payment_unclear");
            hospital.pay_faults(json!({})).await;
            let begun = li_na.begins_to_pay(held.id(), "wechat_jsapi").await.expect(201);
            hospital.pays_wechat(&number(&begun)).await;
            let paid = stands(&li_na, &begun, "paid").await;
            assert_eq!(paid.text_at("effect"), "served", "{fault}");
        }
        hospital.settle().await;
        assert_eq!(hospital.ledger_rows().await, 8);
    })
    .await;
}
