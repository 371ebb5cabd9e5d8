//! What the product receives, and what becomes of its answers.

use std::time::Duration;

use serde_json::{Value, json};
use sim::{PushFormat, PushMode};
use wechat::callback::{AesKey, Query};

use crate::lab::{Does, lab, lab_with};

fn outcomes(push: &Value) -> Vec<&str> {
    push["attempts"].as_array().unwrap().iter().map(|attempt| attempt["outcome"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_mode_and_format_is_opened_and_answered() {
    for mode in [PushMode::Plain, PushMode::Compatible, PushMode::Safe] {
        for format in [PushFormat::Xml, PushFormat::Json] {
            let lab = lab_with(|config| {
                config.accounts[0].mode = mode;
                config.accounts[0].format = format;
            })
            .await;
            let (phone, _) = lab.follower().await;
            lab.receiver.next(Does::Says("您好 ]] <b>&".to_owned()));
            let said = lab.does(&phone, "say", json!({ "text": "你好 <&>" })).await;
            assert_eq!(outcomes(&said["push"]), ["replied"], "{mode:?} {format:?} {said}");
            assert!(lab.receiver.last().contains("你好 <&>"));
            let chat = lab.get(&format!("/sim/v1/phones/{phone}/chat")).await;
            assert_eq!(chat["items"][0]["from"], "me");
            assert_eq!(chat["items"][1]["text"], "您好 ]] <b>&");
            let body = &lab.receiver.arrived()[0].body;
            assert_eq!(body.contains("Encrypt"), mode != PushMode::Plain);
            assert_eq!(body.contains("MsgType"), mode != PushMode::Safe);
        }
    }
}

#[tokio::test]
async fn texts_of_every_length_are_opened() {
    let lab = lab().await;
    let (phone, _) = lab.follower().await;
    for length in 1..=33 {
        let text = "x".repeat(length);
        let said = lab.does(&phone, "say", json!({ "text": text })).await;
        assert_eq!(outcomes(&said["push"]), ["acknowledged"], "{length}");
    }
    let long = "长".repeat(6_000);
    assert_eq!(outcomes(&lab.does(&phone, "say", json!({ "text": long })).await["push"]), ["acknowledged"]);
    assert!(lab.receiver.last().contains(&long));
}

#[tokio::test]
async fn silence_is_tried_three_times_with_a_new_envelope_and_ends_in_an_error_line() {
    let lab = lab_with(|config| config.push_timeout = Duration::from_millis(400)).await;
    let (phone, _) = lab.follower().await;
    for _ in 0..3 {
        lab.receiver.next(Does::Hangs);
    }
    let said = lab.does(&phone, "say", json!({ "text": "在吗" })).await;
    assert_eq!(outcomes(&said["push"]), ["timeout", "timeout", "timeout"]);
    assert_eq!(said["push"]["error_line"], true);
    let arrived = lab.receiver.arrived();
    assert_eq!(arrived.len(), 3);
    for pair in arrived.windows(2) {
        assert_eq!(pair[0].opened, pair[1].opened, "the same message");
        let (a, b) = (Query::parse(&pair[0].query), Query::parse(&pair[1].query));
        assert_ne!(a.nonce, b.nonce);
        assert_ne!(a.msg_signature, b.msg_signature);
        assert!(pair[0].query.starts_with("tenant=1&"), "the address keeps its own query");
    }
    let chat = lab.get(&format!("/sim/v1/phones/{phone}/chat")).await;
    assert_eq!(chat["items"][1]["kind"], "error");
}

#[tokio::test]
async fn an_answer_at_the_second_attempt_is_enough() {
    let lab = lab().await;
    let (phone, _) = lab.follower().await;
    lab.receiver.next(Does::Answers(500, "boom".to_owned()));
    lab.receiver.next(Does::Says("来了".to_owned()));
    let said = lab.does(&phone, "say", json!({ "text": "在吗" })).await;
    assert_eq!(outcomes(&said["push"]), ["http_status", "replied"]);
    assert_eq!(said["push"]["error_line"], false);
}

#[tokio::test]
async fn a_body_that_makes_no_sense_is_an_error_line_at_once() {
    let lab = lab().await;
    let (phone, _) = lab.follower().await;
    for body in ["{\"ok\":true}", "<html></html>", "OK", "<xml><MsgType>text</MsgType></xml>"] {
        lab.receiver.next(Does::Answers(200, body.to_owned()));
        let said = lab.does(&phone, "say", json!({ "text": "在吗" })).await;
        assert_eq!(outcomes(&said["push"]), ["bad_body"], "{body}");
        assert_eq!(said["push"]["error_line"], true);
        assert_ne!(said["push"]["attempts"][0]["detail"], "");
    }
    lab.receiver.next(Does::Answers(200, String::new()));
    let said = lab.does(&phone, "say", json!({ "text": "在吗" })).await;
    assert_eq!(outcomes(&said["push"]), ["acknowledged"]);
}

#[tokio::test]
async fn following_and_leaving_are_events() {
    let lab = lab().await;
    let (phone, openid) = lab.stranger().await;
    lab.does(&phone, "follow", json!({})).await;
    let event = lab.receiver.last();
    assert!(event.contains("<Event><![CDATA[subscribe]]></Event>"), "{event}");
    assert!(event.contains("<EventKey><![CDATA[]]></EventKey>"), "there, and empty");
    assert!(event.contains(&openid) && event.contains("<CreateTime>1767571200</CreateTime>"), "{event}");
    assert_eq!(lab.does(&phone, "follow", json!({})).await["outcome"], "already_following");
    lab.does(&phone, "unfollow", json!({})).await;
    assert!(lab.receiver.last().contains("unsubscribe"));
    assert_eq!(lab.does(&phone, "say", json!({ "text": "x" })).await["code"], "not_following");
    assert_eq!(lab.receiver.arrived().len(), 2);
}

#[tokio::test]
async fn copies_forgeries_and_strange_fields_come_on_demand() {
    let lab = lab().await;
    let (phone, _) = lab.follower().await;
    lab.put("/sim/v1/faults", json!({ "duplicate_push": 9, "forge_push": true, "unknown_fields": true }))
        .await;
    let said = lab.does(&phone, "say", json!({ "text": "一次" })).await;
    let arrived = lab.receiver.arrived();
    assert_eq!(arrived.len(), 11);
    let opened: Vec<&String> = arrived.iter().filter_map(|push| push.opened.as_ref()).collect();
    assert_eq!(opened.len(), 10, "the forgery could not be opened");
    assert!(opened.iter().all(|text| *text == opened[0] && text.contains("SimUnknownField")));
    assert_eq!(said["push"]["forged"]["status"], 403);
    assert_eq!(said["push"]["copies"].as_array().unwrap().len(), 9);
}

#[tokio::test]
async fn the_order_can_be_turned_round() {
    let lab = lab().await;
    let (phone, _) = lab.follower().await;
    lab.put("/sim/v1/faults", json!({ "reorder_push": true })).await;
    let first = lab.does(&phone, "say", json!({ "text": "first", "wait": false })).await;
    assert_eq!(first["push"], Value::Null);
    lab.does(&phone, "say", json!({ "text": "second" })).await;
    lab.inbox("push", 3).await;
    let order: Vec<bool> =
        lab.receiver.arrived().iter().map(|push| push.opened.as_ref().unwrap().contains("second")).collect();
    assert_eq!(order, [true, false]);
}

#[tokio::test]
async fn anything_can_be_pushed_by_hand() {
    let lab = lab().await;
    let (phone, openid) = lab.follower().await;
    let xml = "<xml><ToUserName>{gh_id}</ToUserName><FromUserName>{openid}</FromUserName><Odd/></xml>";
    let pushed = lab.post("/sim/v1/push", json!({ "phone": phone, "xml": xml })).await;
    assert_eq!(outcomes(&pushed), ["acknowledged"]);
    assert!(lab.receiver.last().contains(&openid));
    let fields = json!({ "Event": "LOCATION", "Latitude": 30.25, "List": [{ "A": "1" }, { "A": "2" }] });
    let pushed = lab.post("/sim/v1/push", json!({ "phone": phone, "kind": "event", "fields": fields })).await;
    assert_eq!(outcomes(&pushed), ["acknowledged"]);
    assert!(lab.receiver.last().contains("<Latitude>30.25</Latitude>"));
    assert_eq!(lab.receiver.last().matches("<List>").count(), 2);
    let forged = lab
        .post("/sim/v1/push", json!({ "phone": phone, "kind": "text", "forge": true, "attempts": 1 }))
        .await;
    assert_eq!(outcomes(&forged), ["http_status"]);
    let replayed = json!({ "phone": phone, "kind": "text", "timestamp": 1, "nonce": "n", "copies": 20 });
    lab.receiver.reset();
    lab.post("/sim/v1/push", replayed).await;
    assert_eq!(lab.receiver.arrived().len(), 20);
    assert!(lab.receiver.arrived().iter().all(|push| push.query.contains("timestamp=1&nonce=n&")));
}

#[tokio::test]
async fn the_clock_of_the_platform_may_be_wrong() {
    let lab = lab().await;
    let (phone, _) = lab.follower().await;
    lab.put("/sim/v1/faults", json!({ "clock_skew_ms": -600_000 })).await;
    lab.does(&phone, "say", json!({ "text": "x" })).await;
    assert!(lab.receiver.last().contains("<CreateTime>1767570600</CreateTime>"));
    assert!(lab.receiver.arrived()[0].query.contains("timestamp=1767570600"));
}

#[tokio::test]
async fn keys_change_while_pushes_run() {
    let lab = lab().await;
    let (phone, _) = lab.follower().await;
    let old = lab.sim.encoding_aes_key("wx1f2e3d4c5b6a7980").unwrap();
    let changed =
        lab.put("/sim/v1/accounts/wx1f2e3d4c5b6a7980", json!({ "encoding_aes_key": "random" })).await;
    let new = changed["encoding_aes_key"].as_str().unwrap().to_owned();
    assert_ne!(old, new);
    let said = lab.does(&phone, "say", json!({ "text": "x" })).await;
    assert_eq!(said["push"]["error_line"], true, "the receiver does not know the new key yet");
    lab.receiver.credentials(|credentials| {
        let keys = credentials.keys.as_mut().unwrap();
        keys.previous = Some(std::mem::replace(&mut keys.current, AesKey::parse(&new).unwrap()));
    });
    lab.receiver.next(Does::Says("new".to_owned()));
    assert_eq!(outcomes(&lab.does(&phone, "say", json!({ "text": "x" })).await["push"]), ["replied"]);
    // One of the platform's servers still has the old key: the reply must come under it too.
    lab.receiver.next(Does::Says("old".to_owned()));
    let late = json!({ "phone": phone, "kind": "text", "fields": { "Content": "x" }, "key": old });
    assert_eq!(outcomes(&lab.post("/sim/v1/push", late).await), ["replied"]);
}

#[tokio::test]
async fn saving_the_address_asks_for_the_echo() {
    let lab = lab().await;
    let good = lab.post("/sim/v1/accounts/wx1f2e3d4c5b6a7980/verify", json!({})).await;
    assert_eq!(good["ok"], true, "{good}");
    lab.put("/sim/v1/accounts/gh_5f0c1a2b3d4e", json!({ "token": "Another1" })).await;
    let bad = lab.post("/sim/v1/accounts/wx1f2e3d4c5b6a7980/verify", json!({})).await;
    assert_eq!(bad["ok"], false);
    assert_eq!(bad["status"], 403);
}

#[tokio::test]
async fn the_platform_checks_the_way_to_us() {
    let lab = lab().await;
    let body = json!({ "action": "all", "check_operator": "DEFAULT" });
    let checked = lab.call("/cgi-bin/callback/check", body).await;
    assert_eq!(checked["dns"][0]["ip"], "127.0.0.1");
    assert_eq!(checked["ping"][0]["package_loss"], "0%");
    assert_eq!(lab.call("/cgi-bin/callback/check", json!({ "action": "smell" })).await["errcode"], 40097);
}
