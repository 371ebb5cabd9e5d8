//! A merchant at WeChat Pay.

use base::{Fen, UnixMs};
use pay::crypto::aead::Apiv3Key;
use pay::crypto::rsa::PrivateKey;
use pay::wechatpay::calls::{self, Call, Order, RefundOrder};
use pay::wechatpay::notice::{Event, NoticeError};
use pay::wechatpay::verify::VerifyError;
use pay::wechatpay::{Client, Config, KeyRing, Merchant, Prepay, RefundStatus, TradeState, bill};
use pay::{Expected, OutRefundNo, OutTradeNo, Outcome, Retry};
use serde_json::{Value, json};

use super::{Till, nothing, text};
use crate::lab::{APPID, Lab, START, lab, secs};

pub(crate) fn merchant(keys: &Value) -> Merchant {
    let mut ring = KeyRing::default();
    ring.add_public_key(&text(keys, "public_key_id"), &text(keys, "public_key")).unwrap();
    Merchant {
        mchid: text(keys, "mchid"),
        serial_no: text(keys, "merchant_serial"),
        private_key: PrivateKey::parse(&text(keys, "merchant_private_key")).unwrap(),
        apiv3_keys: vec![Apiv3Key::new(text(keys, "apiv3_key")).unwrap()],
        ring,
    }
}

pub(crate) async fn client(lab: &Lab) -> Client {
    let keys = lab.get("/sim/v1/wechatpay").await;
    let config = Config { base: lab.sim.base_url(), backup: None, ..Config::default() };
    Client::new(lab.http.clone(), config, lab.clock.clone(), merchant(&keys))
}

pub(crate) fn no(text: &str) -> OutTradeNo {
    OutTradeNo::new(text).unwrap()
}

pub(crate) fn place(
    mchid: &str,
    no: &OutTradeNo,
    openid: &str,
    url: &str,
    total: i64,
    now: UnixMs,
) -> Call<Prepay> {
    let order = Order {
        mchid,
        appid: APPID,
        out_trade_no: no,
        description: "挂号费, 心内科",
        expires: now.plus(secs(900)),
        notify_url: url,
        attach: Some("visit=1,2"),
        total: Fen(total),
        support_fapiao: false,
    };
    calls::jsapi(&order, openid).unwrap()
}

fn refund(
    no: &OutTradeNo,
    refund_no: &OutRefundNo,
    url: &str,
    refund: i64,
    total: i64,
) -> Call<pay::wechatpay::Refund> {
    let order = RefundOrder {
        out_trade_no: no,
        out_refund_no: refund_no,
        reason: Some("医生停诊"),
        notify_url: url,
        refund: Fen(refund),
        total: Fen(total),
    };
    calls::refund(&order).unwrap()
}

fn refused<T: std::fmt::Debug>(outcome: Outcome<T>) -> (String, Retry) {
    match outcome {
        Outcome::Refused(refusal) => (refusal.code, refusal.retry),
        other => panic!("{other:?}"),
    }
}

fn unknown<T: std::fmt::Debug>(outcome: Outcome<T>) -> Retry {
    match outcome {
        Outcome::Unknown(doubt) => doubt.retry,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_order_is_paid_told_asked_refunded_and_billed() {
    let lab = lab().await;
    let (_, openid) = lab.follower().await;
    let (till, url) = Till::open().await;
    let client = client(&lab).await;
    let mchid = client.merchant().mchid.clone();
    let order = no("REG20260105000001");
    let call = place(&mchid, &order, &openid, &url, 1250, UnixMs(START));
    let prepay = client.send(&call).await.done().unwrap().into_inner();
    assert_eq!(
        client.send(&call).await.done().unwrap().prepay_id,
        prepay.prepay_id,
        "the same again is the same"
    );
    let other = place(&mchid, &order, &openid, &url, 1251, UnixMs(START));
    assert_eq!(refused(client.send(&other).await), ("OUT_TRADE_NO_USED".into(), Retry::QueryThenSame));
    let asked = client.send(&calls::query(&mchid, &order)).await.done().unwrap();
    assert_eq!(asked.trade_state, TradeState::NotPay);

    // The phone pays by what the page was given.
    let pay = client.merchant().client_pay(APPID, &prepay.prepay_id, UnixMs(START)).unwrap();
    let prepay_id = pay.package.strip_prefix("prepay_id=").unwrap();
    till.refuses(500);
    lab.post(&format!("/sim/v1/wechatpay/orders/{prepay_id}/pay"), json!({ "coupon": 50 })).await;
    let expected = Expected { merchant: &mchid, app: APPID, out_trade_no: order.as_str(), total: Fen(1250) };
    let (headers, body) = till.next().await;
    let notice = client.receive(&headers, &body).await.unwrap();
    notice.check(&expected).unwrap();
    let Event::Transaction(told) = &notice.event else { panic!("{notice:?}") };
    assert_eq!(told.amount.as_ref().unwrap().payer_total, Some(Fen(1200)));
    // Refused, so it comes again after 15 seconds, under the same id.
    lab.told(1).await;
    lab.pass(secs(15));
    let (headers, body) = till.next().await;
    assert_eq!(client.receive(&headers, &body).await.unwrap().id, notice.id);
    let asked = client.send(&calls::query(&mchid, &order)).await.done().unwrap();
    asked.check(&expected).unwrap();
    assert!(asked.trade_state.is_paid());
    let closing = client.send(&calls::close(&mchid, &order).unwrap()).await;
    assert!(matches!(&closing, Outcome::Refused(refusal) if refusal.is_paid_already()), "{closing:?}");

    // Two parts, a minute apart; never more than was paid.
    let first = OutRefundNo::new("RF1").unwrap();
    let accepted = client.send(&refund(&order, &first, &url, 250, 1250)).await.done().unwrap();
    assert_eq!(accepted.status, RefundStatus::Processing);
    let second = OutRefundNo::new("RF2").unwrap();
    assert_eq!(refused(client.send(&refund(&order, &second, &url, 250, 1250)).await).0, "RULE_LIMIT");
    lab.pass(secs(60));
    assert_eq!(refused(client.send(&refund(&order, &second, &url, 1001, 1250)).await).0, "PARAM_ERROR");
    let (headers, body) = till.next().await;
    let notice = client.receive(&headers, &body).await.unwrap();
    let Event::Refund(done) = &notice.event else { panic!("{notice:?}") };
    done.check(&expected, "RF1", Fen(250)).unwrap();
    let asked = client.send(&calls::query_refund(&first)).await.done().unwrap();
    assert_eq!(asked.status, RefundStatus::Success);

    // The next morning's bill is ours.
    let day = pay::moment::day(UnixMs(START));
    assert_eq!(
        refused(client.send(&calls::trade_bill(day, calls::BillType::All)).await).0,
        "INVALID_REQUEST"
    );
    lab.pass(secs(24 * 3600));
    assert_eq!(
        refused(client.send(&calls::trade_bill(day, calls::BillType::All)).await),
        ("STATEMENT_CREATING".into(), Retry::SameNumber)
    );
    lab.pass(secs(3 * 3600));
    let ticket = client.send(&calls::trade_bill(day, calls::BillType::All)).await.done().unwrap();
    let mut file = Vec::new();
    client.download(&ticket, &mut file).await.unwrap();
    let mut rows = Vec::new();
    let sums = bill::trade(file.as_slice(), true, &ticket, |row| rows.push(row)).unwrap();
    assert_eq!((sums.rows, sums.order_total, sums.settled, sums.refund), (2, Fen(1250), Fen(1200), Fen(250)));
    assert_eq!((rows[0].out_trade_no.as_str(), rows[1].out_refund_no.as_str()), (order.as_str(), "RF1"));
    let ticket = client.send(&calls::fund_flow_bill(day)).await.done().unwrap();
    let mut file = Vec::new();
    client.download(&ticket, &mut file).await.unwrap();
    let sums = bill::fund_flow(file.as_slice(), true, &ticket, |_| ()).unwrap();
    assert_eq!((sums.rows, sums.income), (3, Fen(1250)));
}

#[tokio::test]
async fn an_answer_that_proves_nothing_is_an_unknown_outcome() {
    let lab = lab().await;
    let (_, openid) = lab.follower().await;
    let (_till, url) = Till::open().await;
    let client = client(&lab).await;
    let mchid = client.merchant().mchid.clone();
    for (at, fault) in [
        "unsigned",
        "wrong_key",
        "cut_body",
        "drop_answer",
        "error_after",
        "drop_request",
        "error_before",
        "too_many",
    ]
    .iter()
    .enumerate()
    {
        let order = no(&format!("REG2026000{at}"));
        let call = place(&mchid, &order, &openid, &url, 100, UnixMs(START));
        lab.pay_faults(json!({ *fault: 1 })).await;
        assert_eq!(unknown(client.send(&call).await), Retry::QueryThenSame, "{fault}");
        // Whether it was done is found out by asking; then the same bytes again.
        let asked = client.send(&calls::query(&mchid, &order)).await;
        let done = !matches!(*fault, "drop_request" | "error_before" | "too_many");
        match asked {
            Outcome::Done(found) => assert!(done && found.trade_state == TradeState::NotPay, "{fault}"),
            Outcome::Refused(refusal) => assert!(!done && refusal.is_missing(), "{fault}"),
            Outcome::Unknown(doubt) => panic!("{fault}: {doubt:?}"),
        }
        assert!(client.send(&call).await.done().is_some(), "{fault}");
    }
    let gone =
        Config { base: "http://127.0.0.1:9".into(), backup: Some(lab.sim.base_url()), ..Config::default() };
    let elsewhere =
        Client::new(lab.http.clone(), gone, lab.clock.clone(), Merchant::clone(&client.merchant()));
    assert!(
        elsewhere.send(&calls::query(&mchid, &no("REG20260000"))).await.done().is_some(),
        "the second host"
    );
}

#[tokio::test]
async fn a_wrong_clock_is_called_by_its_name() {
    let lab = lab().await;
    let client = client(&lab).await;
    let mchid = client.merchant().mchid.clone();
    let slow = base::Clock::manual(UnixMs(START - 301_000));
    let config = Config { base: lab.sim.base_url(), backup: None, ..Config::default() };
    let slow = Client::new(lab.http.clone(), config, slow, Merchant::clone(&client.merchant()));
    assert_eq!(refused(slow.send(&calls::query(&mchid, &no("REG20260000"))).await).0, "CLOCK");
}

#[tokio::test]
async fn forged_notices_and_probes_are_refused_and_copies_are_the_same() {
    let lab = lab().await;
    let (_, openid) = lab.follower().await;
    let (till, url) = Till::open().await;
    let client = client(&lab).await;
    let mchid = client.merchant().mchid.clone();
    let paid = async |name: &str| {
        let order = no(name);
        client.send(&place(&mchid, &order, &openid, &url, 100, UnixMs(START))).await.done().unwrap();
        lab.post(&format!("/sim/v1/wechatpay/orders/{name}/pay"), nothing()).await;
    };
    lab.pay_faults(json!({ "notice_forged": true })).await;
    paid("REG20260001").await;
    let (headers, body) = till.next().await;
    let refused = client.receive(&headers, &body).await.unwrap_err().to_string();
    assert!(refused.contains("signature does not fit"), "{refused}");
    lab.pay_faults(json!({ "notice_probe": true, "notice_copies": 2 })).await;
    paid("REG20260002").await;
    let (headers, body) = till.next().await;
    let probe = client.merchant().open_notice(&headers, &body, UnixMs(START)).unwrap_err();
    assert!(matches!(probe, NoticeError::Verify(VerifyError::Signature { probe: true, .. })), "{probe:?}");
    let mut ids = Vec::new();
    for _ in 0..3 {
        let (headers, body) = till.next().await;
        ids.push(client.receive(&headers, &body).await.unwrap().id.clone());
    }
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

/// T6: certificate, second certificate, public key, mixed; and a new APIv3 key while a notice waits.
#[tokio::test]
async fn keys_rotate_while_notices_flow() {
    let lab = lab().await;
    let (_, openid) = lab.follower().await;
    let (till, url) = Till::open().await;
    let client = client(&lab).await;
    let mchid = client.merchant().mchid.clone();
    lab.patch("/sim/v1/wechatpay", json!({ "mode": "certificate" })).await;
    assert_eq!(client.refresh_certificates().await.unwrap().len(), 1);
    let mut signed = Vec::new();
    for (at, mode) in ["certificate", "second_certificate", "public_key", "mixed", "mixed"].iter().enumerate()
    {
        lab.patch("/sim/v1/wechatpay", json!({ "mode": mode })).await;
        let name = format!("REG2026000{at}");
        client.send(&place(&mchid, &no(&name), &openid, &url, 100, UnixMs(START))).await.done().unwrap();
        lab.post(&format!("/sim/v1/wechatpay/orders/{name}/pay"), nothing()).await;
        let (headers, body) = till.next().await;
        // The second certificate is not held yet: it is fetched once, by itself.
        signed.push(client.receive(&headers, &body).await.unwrap().by().to_owned());
    }
    assert!(
        signed[0].starts_with("5D2B")
            && signed[1].starts_with("0A1B")
            && signed[2].starts_with("PUB_KEY_ID_")
    );

    let mut merchant = Merchant::clone(&client.merchant());
    merchant.apiv3_keys.insert(0, Apiv3Key::new("a new key that somebody has set!").unwrap());
    client.set_merchant(merchant);
    client.send(&place(&mchid, &no("REG20260009"), &openid, &url, 100, UnixMs(START))).await.done().unwrap();
    lab.post("/sim/v1/wechatpay/orders/REG20260009/pay", nothing()).await;
    let (headers, body) = till.next().await;
    assert!(client.receive(&headers, &body).await.is_ok(), "sealed under the key before");
}

#[tokio::test]
async fn refunds_fail_in_the_ways_they_can() {
    let lab = lab().await;
    let (_, openid) = lab.follower().await;
    let (_till, url) = Till::open().await;
    let client = client(&lab).await;
    let mchid = client.merchant().mchid.clone();
    let order = no("REG20260001");
    client.send(&place(&mchid, &order, &openid, &url, 1000, UnixMs(START))).await.done().unwrap();
    let first = OutRefundNo::new("RF1").unwrap();
    assert_eq!(refused(client.send(&refund(&order, &first, &url, 10, 1000)).await).0, "TRADE_ERROR");
    lab.post("/sim/v1/wechatpay/orders/REG20260001/pay", nothing()).await;
    lab.patch("/sim/v1/wechatpay", json!({ "opening": -1000, "refund_takes_ms": 3_600_000 })).await;
    let empty = refused(client.send(&refund(&order, &first, &url, 10, 1000)).await);
    assert_eq!(empty, ("NOT_ENOUGH".into(), Retry::SameNumber));
    lab.patch("/sim/v1/wechatpay", json!({ "opening": 0 })).await;
    client.send(&refund(&order, &first, &url, 10, 1000)).await.done().unwrap();
    lab.post("/sim/v1/wechatpay/refunds/RF1/closed", nothing()).await;
    let closed = client.send(&calls::query_refund(&first)).await.done().unwrap();
    assert_eq!(closed.status, RefundStatus::Closed);
    lab.post("/sim/v1/wechatpay/orders/REG20260001/close_account", nothing()).await;
    lab.pass(secs(60));
    let second = OutRefundNo::new("RF2").unwrap();
    client.send(&refund(&order, &second, &url, 1000, 1000)).await.done().unwrap();
    lab.pass(secs(3600));
    let abnormal = client.send(&calls::query_refund(&second)).await.done().unwrap();
    assert_eq!(abnormal.status, RefundStatus::Abnormal);
}
