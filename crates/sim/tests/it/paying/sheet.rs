//! What payers see: the sheet over a page, the page of a plain browser, a code on a screen.

use base::{Fen, UnixMs};
use pay::alipay::calls as alipay;
use pay::wechatpay::calls::{self, Order};
use pay::{OutTradeNo, Outcome};
use serde_json::{Value, json};

use super::Till;
use super::alipay::{browser, client as alipay_client, order as alipay_order};
use super::wechatpay::{client, no, place};
use crate::lab::{APPID, Lab, START, lab, secs};

/// What a form on a cashier's page sends; gives the status and where the browser is sent.
async fn answer(lab: &Lab, page: &str, act: &str, back: &str) -> (u16, Option<String>) {
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let page = if page.starts_with("http") { page.to_owned() } else { lab.url(page) };
    let sent = http.post(page).form(&[("act", act), ("back", back)]).send().await.unwrap();
    let to = sent.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
    (sent.status().as_u16(), to)
}

#[tokio::test]
async fn the_sheet_is_shown_for_what_the_merchant_has_signed() {
    let lab = lab().await;
    let (_, openid) = lab.follower().await;
    let (_till, url) = Till::open().await;
    let client = client(&lab).await;
    let mchid = client.merchant().mchid.clone();
    let order = no("REG20260105000077");
    let call = place(&mchid, &order, &openid, &url, 1400, UnixMs(START));
    let prepay = client.send(&call).await.done().unwrap().into_inner();
    let signed = client.merchant().client_pay(APPID, &prepay.prepay_id, UnixMs(START)).unwrap();
    let page = json!({
        "appId": signed.app_id, "timestamp": signed.time_stamp, "nonceStr": signed.nonce_str,
        "package": signed.package, "signType": signed.sign_type, "paySign": signed.pay_sign,
    });
    let shown = lab.post("/sim/v1/wechatpay/sheet", json!({ "page": page })).await;
    assert_eq!(shown["total"], 1400);
    assert_eq!(shown["out_trade_no"], order.as_str());
    assert_eq!(shown["open"], true);

    for (member, value) in [
        ("paySign", "AAAA"),
        ("nonceStr", "other"),
        ("timestamp", "1"),
        ("package", "prepay_id=wx1"),
        ("appId", "wxother"),
        ("signType", "MD5"),
    ] {
        let mut forged = page.clone();
        forged[member] = json!(value);
        let refused = lab.post("/sim/v1/wechatpay/sheet", json!({ "page": forged })).await;
        assert_eq!(refused["code"], "sign", "{member}");
    }
    // A sheet that stands open while the order is closed says so.
    client.send(&calls::close(&mchid, &order).unwrap()).await.done().unwrap();
    let shown = lab.post("/sim/v1/wechatpay/sheet", json!({ "page": page })).await;
    assert_eq!((&shown["open"], &shown["state"]), (&json!(false), &json!("CLOSED")));
}

#[tokio::test]
async fn a_code_opens_the_sheet_and_a_browser_gets_a_page() {
    let lab = lab().await;
    let (till, url) = Till::open().await;
    let client = client(&lab).await;
    let mchid = client.merchant().mchid.clone();
    let order = |no| Order {
        mchid: &mchid,
        appid: APPID,
        out_trade_no: no,
        description: "挂号费",
        expires: UnixMs(START).plus(secs(900)),
        notify_url: &url,
        attach: None,
        total: Fen(2200),
        support_fapiao: false,
    };
    let by_code = no("NATIVE000001");
    let code = client.send(&calls::native(&order(&by_code)).unwrap()).await.done().unwrap().into_inner();
    let phone = lab.post("/sim/v1/phones", json!({ "name": "Ann" })).await;
    let id = phone["id"].as_str().unwrap();
    let scanned = lab.post(&format!("/sim/v1/phones/{id}/scan"), json!({ "content": code.code_url })).await;
    assert_eq!((&scanned["outcome"], &scanned["text"]), (&json!("pay"), &json!(code.code_url)));
    let shown = lab.post("/sim/v1/wechatpay/sheet", json!({ "code": code.code_url })).await;
    assert_eq!(shown["out_trade_no"], by_code.as_str());
    let strange = lab.post("/sim/v1/wechatpay/sheet", json!({ "code": "weixin://other" })).await;
    assert_eq!(strange["code"], "invalid_field");

    let in_browser = no("H5000000001");
    let call = calls::h5(&order(&in_browser), "127.0.0.1".parse().unwrap()).unwrap();
    let h5 = client.send(&call).await.done().unwrap().into_inner();
    let address = format!("{}&redirect_url=http%3A%2F%2F127.0.0.1%2Fback", h5.h5_url);
    let page = lab.http.get(&address).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("22.00") && page.contains("http://127.0.0.1/back"), "{page}");
    let (status, to) = answer(&lab, &h5.h5_url, "leave", "http://127.0.0.1/back").await;
    assert_eq!((status, to.as_deref()), (303, Some("http://127.0.0.1/back")));
    let asked = client.send(&calls::query(&mchid, &in_browser)).await.done().unwrap();
    assert!(!asked.trade_state.is_paid());
    assert_eq!(answer(&lab, &h5.h5_url, "pay", "javascript:alert(1)").await, (200, None));
    till.next().await;
    assert_eq!(answer(&lab, &h5.h5_url, "pay", "").await.0, 409, "paid once");
}

#[tokio::test]
async fn an_alipay_page_is_paid_or_left() {
    let lab = lab().await;
    let (till, url) = Till::open().await;
    let client = alipay_client(&lab).await;
    let number = OutTradeNo::new("REG_PAGE_1").unwrap();
    let call =
        alipay::wap(&alipay_order(&number, &url), "http://127.0.0.1/quit", "http://127.0.0.1/back").unwrap();
    let opened = browser().get(client.page(&call).unwrap()).send().await.unwrap();
    let page = opened.url().to_string();
    let html = opened.text().await.unwrap();
    assert!(html.contains("12.50") && html.contains("http://127.0.0.1/back"), "{html}");
    answer(&lab, &page, "leave", "http://127.0.0.1/back").await;
    let asked: Outcome<_> = client.send(&alipay::query(&number)).await;
    assert!(matches!(asked, Outcome::Refused(_)), "who leaves has opened no trade");
    let (status, to) = answer(&lab, &page, "pay", "http://127.0.0.1/back").await;
    assert_eq!((status, to.as_deref()), (303, Some("http://127.0.0.1/back")));
    till.next().await;
    let state: Value = lab.get("/sim/v1/alipay").await;
    assert_eq!(state["trades"]["REG_PAGE_1"]["status"], "TRADE_SUCCESS");
}
