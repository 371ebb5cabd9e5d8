//! The control interface, faults, snapshot, stopping.

use serde_json::{Value, json};
use sim::{Sim, SimAccount, SimConfig, StartError};

use crate::lab::{APPID, START, code, lab, lab_with, secs};

#[tokio::test]
async fn phones_are_made_changed_and_listed() {
    let lab = lab().await;
    let made = json!({ "name": "小杏", "lang": "en", "phone_number": "+86 139 0000 1111" });
    let first = lab.post("/sim/v1/phones", made).await;
    assert_eq!(first["id"], "p1");
    assert_eq!(first["host"], "p1.localhost");
    assert_eq!(first["phone_number"], "13900001111");
    assert_eq!(first["openids"][APPID].as_str().unwrap().len(), 28);
    let second = lab.post("/sim/v1/phones", json!({})).await;
    assert_ne!(second["openids"][APPID], first["openids"][APPID]);
    let taken = lab.post("/sim/v1/phones", json!({ "phone_number": "13900001111" })).await;
    assert_eq!(taken["code"], "phone_number_taken");
    for (body, expected) in [
        (json!({ "name": "" }), "invalid_field"),
        (json!({ "lang": "fr" }), "invalid_field"),
        (json!({ "phone_number": "1" }), "invalid_field"),
        (json!({ "colour": "red" }), "invalid_body"),
    ] {
        assert_eq!(lab.post("/sim/v1/phones", body.clone()).await["code"], expected, "{body}");
    }
    let changed = lab.http.patch(lab.url("/sim/v1/phones/p1")).body(json!({ "lang": "zh" }).to_string());
    assert!(changed.send().await.unwrap().status().is_success());
    let all = lab.get("/sim/v1/phones").await;
    assert_eq!(all["items"][0]["lang"], "zh");
    assert_eq!(all["items"][0]["name"], "小杏");
    let state = lab.get("/sim/v1/state").await;
    assert_eq!(state["now_ms"], START);
    assert_eq!(state["phones"].as_array().unwrap().len(), 2);
    assert!(!state.to_string().contains("0123456789abcdef0123456789abcdef"), "secrets are not shown");
}

#[tokio::test]
async fn what_does_not_exist_is_said_in_words() {
    let lab = lab().await;
    lab.stranger().await;
    for (path, status, expected) in [
        ("/sim/v1/nothing", 404, "not_found"),
        ("/sim/v1/phones/p9", 404, "not_found"),
        ("/sim/v1/phones/p9/chat", 404, "not_found"),
        ("/sim/v1/phones/p1/chat?account=x", 404, "not_found"),
        ("/sim/v1/phones/p1/follow", 405, "wrong_method"),
        ("/sim/v1/inbox?kind=x", 400, "invalid_field"),
        ("/sim/v1/inbox?after=x", 400, "invalid_field"),
        ("/nothing", 404, "not_found"),
    ] {
        let answer = lab.http.get(lab.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json; charset=utf-8", "{path}");
        let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(body["code"], expected, "{path}");
    }
    assert_eq!(lab.post("/sim/v1/phones/p1/fly", json!({})).await["code"], "not_found");
    assert_eq!(lab.post("/sim/v1/phones/p1/follow", json!({ "account": "x" })).await["code"], "not_found");
    assert_eq!(lab.post_text("/sim/v1/phones/p1/follow", "{").await["code"], "invalid_body");
    assert_eq!(lab.post("/sim/v1/push", json!({})).await["code"], "invalid_field");
    let stranger = lab.http.post(lab.url("/sim/v1/phones")).header("origin", "http://example.com");
    assert_eq!(stranger.send().await.unwrap().status(), 403);
    let ours = lab.http.post(lab.url("/sim/v1/phones")).header("origin", "http://p1.localhost:1");
    assert_eq!(ours.send().await.unwrap().status(), 201);
}

#[tokio::test]
async fn faults_are_checked_and_each_put_starts_from_nothing() {
    let lab = lab().await;
    for body in [
        json!({ "http_5xx_rate": 1.5 }),
        json!({ "slow_ms": 60_001 }),
        json!({ "slow_ms": -1 }),
        json!({ "paths": ["cgi-bin"] }),
        json!({ "duplicate_push": 201 }),
        json!({ "template_outcome": "lost" }),
        json!({ "unknown": true }),
    ] {
        let refused = lab.put("/sim/v1/faults", body.clone()).await;
        assert!(refused["code"].is_string(), "{body}");
    }
    lab.put("/sim/v1/faults", json!({ "rate_limited": true, "snapshot_user": true })).await;
    let now = lab.put("/sim/v1/faults", json!({ "rate_limited": true })).await;
    assert_eq!((&now["rate_limited"], &now["snapshot_user"]), (&json!(true), &json!(false)));
    assert_eq!(lab.get("/sim/v1/faults").await, now);
}

#[tokio::test]
async fn faults_disturb_the_calls_they_name() {
    let lab = lab().await;
    let token = lab.token().await;
    let list = format!("/cgi-bin/user/get?access_token={token}");
    lab.put("/sim/v1/faults", json!({ "http_5xx_rate": 1.0, "paths": ["/cgi-bin/user"] })).await;
    assert_eq!(lab.http.get(lab.url(&list)).send().await.unwrap().status(), 502);
    assert_eq!(code(&lab.get(&format!("/cgi-bin/getcallbackip?access_token={token}")).await), 0);
    lab.put("/sim/v1/faults", json!({ "busy_rate": 1.0 })).await;
    assert_eq!(code(&lab.get(&list).await), -1);
    lab.put("/sim/v1/faults", json!({ "rate_limited": true })).await;
    assert_eq!(code(&lab.get(&list).await), 45009);
    lab.put("/sim/v1/faults", json!({ "token_expired": 1 })).await;
    assert_eq!(code(&lab.get(&list).await), 42001);
    assert_eq!(code(&lab.get(&list).await), 42001, "that token is gone");
    let fresh = lab.token().await;
    assert_ne!(fresh, token);
    assert_eq!(code(&lab.get(&format!("/cgi-bin/user/get?access_token={fresh}")).await), 0);
    let begun = tokio::time::Instant::now();
    lab.put("/sim/v1/faults", json!({ "slow_ms": 120 })).await;
    lab.get(&format!("/cgi-bin/user/get?access_token={fresh}")).await;
    assert!(begun.elapsed().as_millis() >= 120);
}

#[tokio::test]
async fn the_clock_moves_for_everyone() {
    let lab = lab().await;
    assert_eq!(lab.get("/sim/v1/clock").await["now_ms"], START);
    assert_eq!(lab.post("/sim/v1/clock", json!({ "advance_ms": 5_000 })).await["now_ms"], START + 5_000);
    assert_eq!(lab.clock.now().0, START + 5_000);
    assert_eq!(lab.post("/sim/v1/clock", json!({ "now_ms": 7 })).await["now_ms"], 7);
    assert_eq!(lab.post("/sim/v1/clock", json!({})).await["code"], "invalid_field");
    let machine = lab_with(|config| config.clock = base::Clock::machine()).await;
    assert_eq!(machine.post("/sim/v1/clock", json!({ "advance_ms": 1 })).await["code"], "clock_fixed");
}

#[tokio::test]
async fn a_page_hears_at_once_what_happens() {
    let lab = lab().await;
    let (phone, _) = lab.follower().await;
    let path = lab.url(&format!("/sim/v1/phones/{phone}/events"));
    let mut stream = lab.http.get(path).send().await.unwrap();
    let mut heard = String::new();
    while !heard.contains("event: hello") {
        heard.push_str(&String::from_utf8_lossy(&stream.chunk().await.unwrap().unwrap()));
    }
    let (other, _) = lab.follower().await;
    lab.does(&other, "say", json!({ "text": "not ours" })).await;
    lab.does(&phone, "say", json!({ "text": "ours" })).await;
    while !heard.contains("\"text\":\"ours\"") {
        heard.push_str(&String::from_utf8_lossy(&stream.chunk().await.unwrap().unwrap()));
    }
    assert!(!heard.contains("not ours"), "{heard}");
    lab.post("/sim/v1/clock", json!({ "advance_ms": 1 })).await;
    while !heard.contains("event: reload") {
        heard.push_str(&String::from_utf8_lossy(&stream.chunk().await.unwrap().unwrap()));
    }
}

#[tokio::test]
async fn the_page_and_the_script_are_served() {
    let lab = lab().await;
    let page = lab.http.get(lab.url("/")).send().await.unwrap();
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(page.text().await.unwrap().contains("<!doctype html>"));
    let script = lab.http.get(lab.url("/open/js/jweixin.js")).send().await.unwrap();
    assert!(script.headers()["content-type"].to_str().unwrap().starts_with("text/javascript"));
    let upload = lab.http.post(lab.url("/")).send().await.unwrap();
    assert_eq!(upload.status(), 404);
    for path in ["/../Cargo.toml", "/assets/../../../package.json", "/%2e%2e/package.json"] {
        assert_eq!(lab.http.get(lab.url(path)).send().await.unwrap().status(), 404, "{path}");
    }
}

#[tokio::test]
async fn a_snapshot_brings_people_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sim.json");
    let first = lab_with(|config| config.snapshot = Some(file.clone())).await;
    let (phone, openid) = first.follower().await;
    let key = first.sim.encoding_aes_key(APPID);
    first.sim.stop().await;
    let second = lab_with(|config| config.snapshot = Some(file.clone())).await;
    assert_eq!(second.sim.encoding_aes_key(APPID), key);
    let found = second.get(&format!("/sim/v1/phones/{phone}")).await;
    assert_eq!(found["openids"][APPID], openid);
    assert_eq!(found["accounts"][0]["following"], true);
}

#[tokio::test]
async fn stopping_is_quick_even_with_listeners() {
    let lab = lab().await;
    let (phone, _) = lab.follower().await;
    let mut stream = lab.http.get(lab.url(&format!("/sim/v1/phones/{phone}/events"))).send().await.unwrap();
    stream.chunk().await.unwrap();
    let address = lab.sim.addr;
    let begun = tokio::time::Instant::now();
    lab.sim.stop().await;
    assert!(begun.elapsed() < secs(3), "{:?}", begun.elapsed());
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused() {
    let start = |change: fn(&mut SimConfig)| async move {
        let mut config = SimConfig::new("http://127.0.0.1:1", base::Clock::machine());
        config.accounts.push(SimAccount::service("wx1", "s", "http://127.0.0.1:1/x"));
        change(&mut config);
        Sim::start(config).await.err()
    };
    assert!(start(|_| {}).await.is_none());
    assert!(matches!(start(|c| c.product_base = "x".into()).await, Some(StartError::ProductBase(_))));
    assert!(matches!(start(|c| c.accounts[0].token = "a b".into()).await, Some(StartError::Account { .. })));
    assert!(matches!(
        start(|c| c.accounts[0].encoding_aes_key = "short".into()).await,
        Some(StartError::Account { .. })
    ));
    assert!(matches!(
        start(|c| c.accounts[0].callback_url = "/x".into()).await,
        Some(StartError::Account { .. })
    ));
    assert!(matches!(
        start(|c| c.bind = "192.0.2.1:1".parse().unwrap()).await,
        Some(StartError::Bind { .. })
    ));
}
