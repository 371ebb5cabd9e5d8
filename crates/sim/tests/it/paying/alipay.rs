//! A merchant at Alipay.

use base::{Fen, UnixMs};
use pay::alipay::calls::{self, Order};
use pay::alipay::notice::Event;
use pay::alipay::{AlipayKeys, Client, Config, Merchant, TradeStatus, bill};
use pay::crypto::rsa::PrivateKey;
use pay::{Expected, OutRefundNo, OutTradeNo, Outcome, Retry};
use serde_json::{Value, json};

use super::{Till, nothing, text};
use crate::lab::{Lab, START, lab, secs};

fn merchant(state: &Value, keys: AlipayKeys) -> Merchant {
    Merchant {
        app_id: text(state, "app_id"),
        seller_id: text(state, "seller_id"),
        private_key: PrivateKey::parse(&text(state, "app_private_key")).unwrap(),
        keys,
    }
}

pub(crate) async fn client(lab: &Lab) -> Client {
    let state = lab.get("/sim/v1/alipay").await;
    with(lab, merchant(&state, AlipayKeys::key(&text(&state, "alipay_public_key")).unwrap()))
}

fn with(lab: &Lab, merchant: Merchant) -> Client {
    let config = Config { gateway: lab.url("/gateway.do"), ..Config::default() };
    Client::new(lab.http.clone(), config, lab.clock.clone(), merchant)
}

/// A browser goes where it is sent.
pub(crate) fn browser() -> reqwest::Client {
    reqwest::Client::builder().build().unwrap()
}

pub(crate) fn order<'a>(no: &'a OutTradeNo, url: &'a str) -> Order<'a> {
    Order {
        out_trade_no: no,
        total: Fen(1250),
        subject: "门诊挂号费/心内科",
        expires: UnixMs(START).plus(secs(900)),
        notify_url: url,
        passback: Some("a%3Db"),
    }
}

#[tokio::test]
async fn a_trade_is_paid_told_refunded_and_billed() {
    let lab = lab().await;
    let state = lab.get("/sim/v1/alipay").await;
    let (till, url) = Till::open().await;
    let client = with(&lab, merchant(&state, AlipayKeys::key(&text(&state, "alipay_public_key")).unwrap()));
    let no = OutTradeNo::new("REG_20260105_1").unwrap();

    // A page: nobody knows the trade until the payer opens it.
    let page = client
        .page(&calls::wap(&order(&no, &url), "http://127.0.0.1/quit", "http://127.0.0.1/back").unwrap());
    let opened = browser().get(page.unwrap()).send().await.unwrap().text().await.unwrap();
    assert!(opened.contains("2026092122001400"), "{opened}");
    let asked = client.send(&calls::query(&no)).await;
    assert!(
        matches!(&asked, Outcome::Refused(refusal) if refusal.code == "ACQ.TRADE_NOT_EXIST"),
        "{asked:?}"
    );
    lab.patch("/sim/v1/alipay", json!({ "gbk": true })).await;
    till.refuses(200);
    lab.post("/sim/v1/alipay/trades/REG_20260105_1/pay", nothing()).await;
    let seller = text(&state, "seller_id");
    let app = text(&state, "app_id");
    let expected = Expected { merchant: &seller, app: &app, out_trade_no: no.as_str(), total: Fen(1250) };
    let (_, body) = till.next().await;
    let notice = client.merchant().open_notice(&body).unwrap();
    let Event::Trade(trade) = &notice.event else { panic!("{notice:?}") };
    trade.check(&expected).unwrap();
    assert!(trade.is_payment());
    // An empty 200 is no `success`: it comes again after four minutes.
    lab.told(1).await;
    lab.pass(secs(240));
    let (_, body) = till.next().await;
    assert_eq!(client.merchant().open_notice(&body).unwrap().notify_id, notice.notify_id);
    let asked = client.send(&calls::query(&no)).await.done().unwrap();
    asked.check(&expected).unwrap();
    assert_eq!(asked.trade_status, TradeStatus::Success);

    let part = OutRefundNo::new("RF1").unwrap();
    let empty = client.send(&calls::query_refund(&no, &part)).await.done().unwrap();
    assert!(!empty.is_done(), "nothing yet: the same again");
    let first =
        client.send(&calls::refund(&no, &part, Fen(250), Some("停诊")).unwrap()).await.done().unwrap();
    assert_eq!((first.fund_change.as_str(), first.refund_fee), ("Y", Fen(250)));
    let again = client.send(&calls::refund(&no, &part, Fen(250), None).unwrap()).await.done().unwrap();
    assert_eq!((again.fund_change.as_str(), again.refund_fee), ("N", Fen(250)));
    let other = client.send(&calls::refund(&no, &part, Fen(251), None).unwrap()).await;
    assert!(
        matches!(&other, Outcome::Refused(refusal) if refusal.code == "ACQ.DISCORDANT_REPEAT_REQUEST"),
        "{other:?}"
    );
    assert!(client.send(&calls::query_refund(&no, &part)).await.done().unwrap().is_done());
    let (_, body) = till.next().await;
    let told = client.merchant().open_notice(&body).unwrap();
    assert!(matches!(&told.event, Event::Trade(trade) if trade.is_refund() && !trade.is_payment()));
    let rest = OutRefundNo::new("RF2").unwrap();
    let all = client.send(&calls::refund(&no, &rest, Fen(1000), None).unwrap()).await.done().unwrap();
    assert_eq!(all.refund_fee, Fen(1250), "a running total");
    let closed = client.send(&calls::query(&no)).await.done().unwrap();
    assert!(
        closed.trade_status == TradeStatus::Closed && closed.was_paid(),
        "closed by a full refund is still paid"
    );

    lab.pass(secs(30 * 3600));
    let address = client.send(&calls::bill(pay::moment::day(UnixMs(START)))).await.done().unwrap();
    let mut file = Vec::new();
    client.download(&address, &mut file).await.unwrap();
    let mut rows = Vec::new();
    let sums = bill::trade(std::io::Cursor::new(file), |row| rows.push(row)).unwrap();
    assert_eq!((sums.payments, sums.paid, sums.refunds, sums.refunded), (1, Fen(1250), 2, Fen(-1250)));
    // Both refunds carry one time: the bill says nothing of their order.
    let mut refunds: Vec<_> =
        rows.iter().filter(|row| row.refund).map(|row| row.out_request_no.as_str()).collect();
    refunds.sort_unstable();
    assert_eq!(refunds, ["RF1", "RF2"]);
}

#[tokio::test]
async fn certificate_mode_learns_a_new_certificate_by_its_chain() {
    let lab = lab().await;
    let state = lab.get("/sim/v1/alipay").await;
    let keys = |alipay: &str| {
        AlipayKeys::certificates(&text(&state, "app_certificate"), alipay, &text(&state, "roots")).unwrap()
    };
    let (_till, url) = Till::open().await;
    let no = OutTradeNo::new("REG_20260105_2").unwrap();
    let good = with(&lab, merchant(&state, keys(&text(&state, "alipay_certificate"))));
    assert!(good.send(&calls::precreate(&order(&no, &url)).unwrap()).await.done().is_some());
    // Holds another certificate (our own) in place of Alipay's: the answer names one that is not held.
    let stale = with(&lab, merchant(&state, keys(&text(&state, "app_certificate"))));
    let third = OutTradeNo::new("REG_20260105_3").unwrap();
    let made = stale.send(&calls::create(&order(&third, &url), "buyer", "app").unwrap()).await;
    assert!(made.done().is_some());
    // Without the right root nothing is learnt.
    let foreign = AlipayKeys::Certificates {
        app_cert_sn: "x".into(),
        root_cert_sn: "y".into(),
        roots: text(&state, "app_certificate"),
        alipay: Default::default(),
    };
    let foreign = with(&lab, merchant(&state, foreign));
    let made = foreign.send(&calls::query(&no)).await;
    assert!(matches!(made, Outcome::Unknown(_)), "{made:?}");
}

#[tokio::test]
async fn an_answer_that_proves_nothing_is_an_unknown_outcome() {
    let lab = lab().await;
    let state = lab.get("/sim/v1/alipay").await;
    let (till, url) = Till::open().await;
    let client = with(&lab, merchant(&state, AlipayKeys::key(&text(&state, "alipay_public_key")).unwrap()));
    for (at, fault) in
        ["unsigned", "wrong_key", "cut_body", "drop_answer", "error_after", "drop_request", "too_many"]
            .iter()
            .enumerate()
    {
        let no = OutTradeNo::new(format!("REG2026000{at}")).unwrap();
        let call = calls::create(&order(&no, &url), "buyer", "app").unwrap();
        lab.pay_faults(json!({ *fault: 1 })).await;
        match client.send(&call).await {
            Outcome::Unknown(doubt) => assert_eq!(doubt.retry, Retry::QueryThenSame, "{fault}"),
            other => panic!("{fault}: {other:?}"),
        }
        assert!(client.send(&call).await.done().is_some(), "{fault}: the same again");
    }
    lab.pay_faults(json!({ "notice_forged": true })).await;
    lab.post("/sim/v1/alipay/trades/REG20260000/pay", nothing()).await;
    let (_, body) = till.next().await;
    assert!(client.merchant().open_notice(&body).is_err());
}
