//! The SMS vendor.

use serde_json::{Value, json};

use crate::lab::{Lab, lab, lab_with, secs};

fn body(out_id: &str, phone: &str) -> Value {
    json!({
        "app_key": "sim-sms-key", "app_secret": "sim-sms-secret", "phone": phone, "sign": "杏林医院",
        "template_code": "CODE", "params": { "code": "123456" }, "out_id": out_id
    })
}

async fn send(lab: &Lab, body: Value) -> Value {
    lab.post("/sms/v1/send", body).await
}

#[tokio::test]
async fn a_message_reaches_the_phone_with_that_number() {
    let lab = lab_with(|config| {
        config.sms.templates.insert("CODE".to_owned(), "验证码 ${code}，5 分钟内有效。".to_owned());
        config.sms.signs = vec!["杏林医院".to_owned()];
    })
    .await;
    let phone = lab.post("/sim/v1/phones", json!({ "phone_number": "13900001111" })).await;
    let sent = send(&lab, body("a", "+8613900001111")).await;
    assert_eq!(sent["code"], "OK", "{sent}");
    let sms = lab.get(&format!("/sim/v1/phones/{}/sms", phone["id"].as_str().unwrap())).await;
    assert_eq!(sms["items"][0]["text"], "【杏林医院】验证码 123456，5 分钟内有效。");
    let state = lab.http.get(lab.url("/sms/v1/query?out_id=a")).header("x-app-key", "sim-sms-key");
    let state = state.header("x-app-secret", "sim-sms-secret").send().await.unwrap().text().await.unwrap();
    let state: Value = serde_json::from_str(&state).unwrap();
    assert_eq!((state["state"].as_str(), &state["biz_id"]), (Some("delivered"), &sent["biz_id"]));
    assert_eq!(lab.inbox("sms", 1).await[0]["params"]["code"], "123456");
    let mut other = body("b", "13900001111");
    other["template_code"] = json!("NOTHING");
    assert_eq!(send(&lab, other).await["code"], "isv.SMS_TEMPLATE_ILLEGAL");
    let mut other = body("b", "13900001111");
    other["params"] = json!({});
    assert_eq!(send(&lab, other).await["code"], "isv.TEMPLATE_MISSING_PARAMETERS");
    let mut other = body("b", "13900001111");
    other["sign"] = json!("别家");
    assert_eq!(send(&lab, other).await["code"], "isv.SMS_SIGNATURE_ILLEGAL");
}

#[tokio::test]
async fn the_same_out_id_is_one_message() {
    let lab = lab().await;
    let first = send(&lab, body("row-1", "13900001111")).await;
    lab.pass(secs(86_400));
    let again = send(&lab, body("row-1", "13900001111")).await;
    assert_eq!(first["biz_id"], again["biz_id"]);
    assert_eq!(lab.inbox("sms", 1).await.len(), 1);
    let mut other = body("row-1", "13900001111");
    other["params"]["code"] = json!("999999");
    assert_eq!(send(&lab, other).await["code"], "isv.DUPLICATE_OUT_ID");
    assert_eq!(send(&lab, body("row-1", "13900002222")).await["code"], "isv.DUPLICATE_OUT_ID");
    assert_ne!(send(&lab, body("row-2", "13900001111")).await["biz_id"], first["biz_id"]);
}

#[tokio::test]
async fn the_vendor_refuses_and_fails() {
    let lab = lab().await;
    let mut wrong = body("a", "13900001111");
    wrong["app_secret"] = json!("x");
    assert_eq!(send(&lab, wrong).await["code"], "isv.ACCESS_DENIED");
    assert_eq!(send(&lab, body("a", "12")).await["code"], "isv.MOBILE_NUMBER_ILLEGAL");
    assert_eq!(send(&lab, json!({ "phone": "x" })).await["code"], "isv.INVALID_JSON_PARAM");
    let mut unknown = body("a", "13900001111");
    unknown["colour"] = json!("red");
    assert_eq!(send(&lab, unknown).await["code"], "isv.INVALID_JSON_PARAM");
    lab.put("/sim/v1/faults", json!({ "sms_fail": "isv.BUSINESS_LIMIT_CONTROL" })).await;
    assert_eq!(send(&lab, body("a", "13900001111")).await["code"], "isv.BUSINESS_LIMIT_CONTROL");
    let state = lab.get("/sms/v1/query?app_key=sim-sms-key&app_secret=sim-sms-secret&out_id=a").await;
    assert_eq!(state["state"], "unknown", "a refused one was not taken");
    lab.put("/sim/v1/faults", json!({ "sms_lost": true })).await;
    assert_eq!(send(&lab, body("a", "13900001111")).await["code"], "OK");
    let state = lab.get("/sms/v1/query?app_key=sim-sms-key&app_secret=sim-sms-secret&out_id=a").await;
    assert_eq!(state["state"], "failed");
    lab.put("/sim/v1/faults", json!({ "reset_after_accept": 1 })).await;
    let cut = lab.http.post(lab.url("/sms/v1/send")).body(body("c", "13900001111").to_string()).send().await;
    assert!(cut.is_err());
    let state = lab.get("/sms/v1/query?app_key=sim-sms-key&app_secret=sim-sms-secret&out_id=c").await;
    assert_eq!(state["state"], "delivered", "it was sent all the same");
}
