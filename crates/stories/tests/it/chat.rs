//! The chat, and the entrance where WeChat's pushes come in.

use std::time::Duration;

use serde_json::{Value, json};
use store::args;
use store::value::One;
use testkit::setup::{AES_KEY, APPID, VERIFY_FILE};
use testkit::{Hospital, Phone, each_hospital};

store::statements! {
    PUSHES = "SELECT CAST(COUNT(*) AS BIGINT) FROM wechat_push";
}

async fn pushes(hospital: &Hospital) -> i64 {
    hospital.node().db().one::<One<i64>>(PUSHES, args![]).await.unwrap().0
}

/// Words in the chat are answered with the page that is meant, in the account's language.
#[tokio::test(flavor = "multi_thread")]
async fn words_lead_to_pages() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.phone("李娜").await;
        phone.follows().await;
        for (word, page) in [
            ("挂号", "/departments"),
            ("我要预约", "/departments"),
            ("book", "/departments"),
            ("我的", "/appointments"),
            ("取消预约", "/appointments"),
            ("mine", "/appointments"),
            ("帮助", "/help"),
            ("help", "/help"),
            ("你们食堂几点开门？", "/departments"),
        ] {
            let answer = phone.says(word).await;
            assert!(answer.contains(&format!("{page}\"")), "{word}: {answer}");
            assert!(
                answer.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)),
                "in Chinese by default: {answer}"
            );
            // The links open.
            for link in answer.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
                let opened = phone.opens(link).await;
                assert!(
                    opened.at.starts_with('/') && opened.answer.status != 404,
                    "{link}: {:?}",
                    opened.answer
                );
            }
        }
        phone.says("English").await;
        assert!(phone.says("挂号").await.starts_with("Choose a department and a doctor here:"));
    })
    .await;
}

/// A push that comes a hundred times at once has one effect and the same answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_copies_of_a_push_are_one() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.phone("李娜").await;
        hospital.sim.faults(json!({"duplicate_push": 99})).await;
        let done = phone.does("follow", json!({})).await;
        assert_eq!(done["push"]["copies"].as_array().unwrap().len(), 99);
        let attempts = done["push"]["copies"].as_array().unwrap().iter().chain([&done["push"]["attempts"]]);
        for attempt in attempts {
            let attempt = attempt.as_array().unwrap();
            assert_eq!(
                (attempt.len(), &attempt[0]["outcome"]),
                (1, &json!("replied")),
                "at the first try: {attempt:?}"
            );
        }
        hospital.settle().await;
        assert_eq!(pushes(hospital).await, 1);
        hospital.sim.behaves().await;
        // One effect: the account is one, and follows.
        assert_eq!(phone.signs_in().await["reachable"], true);
    })
    .await;
}

/// Pushes come late, in the wrong order and with fields that nobody knows; what counts is when it happened.
#[tokio::test(flavor = "multi_thread")]
async fn pushes_come_in_any_order() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.phone("李娜").await;
        phone.follows().await;
        hospital.passes(Duration::from_secs(60)).await;
        hospital.sim.faults(json!({"unknown_fields": true})).await;
        phone.unfollows().await;
        let _session = phone.signs_in().await;
        assert_eq!(phone.looks_who_it_is().await["reachable"], false);
        // What happened before that comes after it, as WeChat's third attempt may.
        let earlier = hospital.now().minus(Duration::from_secs(30)).seconds();
        let late = push(hospital, &phone, &event("subscribe", earlier)).await;
        assert_eq!(late["attempts"][0]["status"], 200, "{late}");
        hospital.settle().await;
        assert_eq!(phone.looks_who_it_is().await["reachable"], false, "the later event stands");
        hospital.sim.behaves().await;
        phone.follows().await;
        assert_eq!(phone.looks_who_it_is().await["reachable"], true);
    })
    .await;
}

/// Whoever is not WeChat is refused and leaves no trace, however they try.
#[tokio::test(flavor = "multi_thread")]
async fn forged_expired_and_broken_pushes_are_refused() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.phone("李娜").await;
        phone.follows().await;
        let before = pushes(hospital).await;
        let now = hospital.now().seconds();
        let good = event("unsubscribe", now);
        let send = async |change: Value| {
            let mut body = json!({"account": APPID, "phone": phone.id, "xml": good, "attempts": 1});
            body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            let done = hospital.sim.post("/sim/v1/push", body).await;
            let attempt = &done["attempts"][0];
            let problem: Value = serde_json::from_str(attempt["body"].as_str().unwrap()).unwrap_or_default();
            (attempt["status"].clone(), problem["code"].clone())
        };
        assert_eq!(send(json!({"forge": true})).await, (json!(403), json!("wechat_signature")));
        let week = 7 * 86_400;
        assert_eq!(send(json!({"timestamp": now - week})).await, (json!(403), json!("wechat_expired")));
        assert_eq!(send(json!({"timestamp": now + week})).await, (json!(403), json!("wechat_expired")));
        let other_key = AES_KEY.chars().rev().collect::<String>();
        let with_other_key =
            send(json!({"key": other_key.replace(|c: char| !c.is_ascii_alphanumeric(), "A")})).await;
        assert_eq!(with_other_key, (json!(403), json!("wechat_signature")));
        // Straight at the door, without any envelope.
        let stranger = hospital.browser().await;
        let post = async |path: &str, kind: &str, body: String| {
            // Whoever sends too much is hung up on.
            let call = stranger.call(reqwest::Method::POST, path).header("connection", "close");
            call.body(kind, body).send().await
        };
        let _bare = post("/wechat/main", "text/xml", good.clone()).await.refused(400, "wechat_malformed");
        let _no_such = post("/wechat/nobody", "text/xml", good.clone()).await.refused(404, "not_found");
        let _huge =
            post("/wechat/main", "text/xml", "x".repeat(65 * 1024)).await.refused(413, "body_too_large");
        let asked = stranger.get("/wechat/main?signature=0&timestamp=0&nonce=0&echostr=1").await;
        let _forged = asked.refused(403, "wechat_signature");
        hospital.settle().await;
        assert_eq!(pushes(hospital).await, before, "nothing was kept");
        let _session = phone.signs_in().await;
        assert_eq!(phone.looks_who_it_is().await["reachable"], true, "they follow as before");
        // What WeChat really sent, but nobody can read, is kept and acknowledged: it would only come again.
        let odd = push(hospital, &phone, "<xml><MsgType>").await;
        assert_eq!(
            (&odd["attempts"][0]["status"], &odd["attempts"][0]["outcome"]),
            (&json!(200), &json!("acknowledged"))
        );
        hospital.settle().await;
        assert_eq!(pushes(hospital).await, before + 1);
    })
    .await;
}

/// What an administrator does on WeChat's page: the address is asked for, and the file that proves whose the domain is.
#[tokio::test(flavor = "multi_thread")]
async fn wechat_sees_that_the_address_is_ours() {
    each_hospital(async |hospital: &Hospital| {
        let verified = hospital.sim.post(&format!("/sim/v1/accounts/{APPID}/verify"), json!({})).await;
        assert_eq!(verified["ok"], true, "{verified}");
        let browser = hospital.browser().await;
        let file = browser.get(&format!("/{}", VERIFY_FILE.0)).await.good();
        assert_eq!(
            (file.text.as_str(), file.header("content-type")),
            (VERIFY_FILE.1, "text/plain; charset=utf-8")
        );
        let _other = browser.get("/MP_verify_nobody.txt").await.refused(404, "not_found");
    })
    .await;
}

/// While the server is away WeChat tries again; after the restart nothing is missing and nothing is doubled.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_loses_no_push() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.phone("李娜").await;
        phone.follows().await;
        let _session = phone.signs_in().await;
        hospital.node().stop().await;
        let missed = push(hospital, &phone, &event("unsubscribe", hospital.now().seconds())).await;
        assert_eq!(
            missed["attempts"].as_array().unwrap().len(),
            3,
            "three attempts, as WeChat does: {missed}"
        );
        hospital.node().starts_again().await;
        assert_eq!(phone.looks_who_it_is().await["signed_in"], true, "sessions outlive the program");
        phone.unfollows().await;
        assert_eq!(phone.looks_who_it_is().await["reachable"], false);
    })
    .await;
}

fn event(name: &str, created_s: i64) -> String {
    format!(
        "<xml><ToUserName><![CDATA[{{gh_id}}]]></ToUserName><FromUserName><![CDATA[{{openid}}]]></FromUserName>\
         <CreateTime>{created_s}</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[{name}]]></Event></xml>"
    )
}

/// Sends a push as WeChat would, sealed and signed.
async fn push(hospital: &Hospital, phone: &Phone, xml: &str) -> Value {
    hospital.sim.post("/sim/v1/push", json!({"account": APPID, "phone": phone.id, "xml": xml})).await
}
