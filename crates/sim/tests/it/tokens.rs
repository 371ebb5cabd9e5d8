//! Access tokens and what every interface checks first.

use serde_json::{Value, json};

use crate::lab::{APPID, Lab, SECRET, code, lab, lab_with, secs};

async fn old(lab: &Lab) -> Value {
    lab.get(&format!("/cgi-bin/token?grant_type=client_credential&appid={APPID}&secret={SECRET}")).await
}

async fn stable(lab: &Lab, force: bool) -> Value {
    let body = json!({ "grant_type": "client_credential", "appid": APPID, "secret": SECRET, "force_refresh": force });
    lab.post("/cgi-bin/stable_token", body).await
}

async fn works(lab: &Lab, token: &Value) -> i64 {
    let token = token["access_token"].as_str().unwrap();
    code(&lab.get(&format!("/cgi-bin/getcallbackip?access_token={token}")).await)
}

#[tokio::test]
async fn the_old_token_is_new_each_time_and_its_predecessor_lives_five_minutes_more() {
    let lab = lab().await;
    let first = old(&lab).await;
    assert_eq!(first["expires_in"], 7200);
    let second = old(&lab).await;
    assert_ne!(first["access_token"], second["access_token"]);
    assert_eq!(works(&lab, &first).await, 0);
    lab.pass(secs(301));
    assert_eq!(works(&lab, &first).await, 42001);
    assert_eq!(works(&lab, &second).await, 0);
    lab.pass(secs(7200));
    assert_eq!(works(&lab, &second).await, 42001);
}

#[tokio::test]
async fn the_stable_token_stays_until_its_last_five_minutes() {
    let lab = lab().await;
    let first = stable(&lab, false).await;
    lab.pass(secs(3600));
    let same = stable(&lab, false).await;
    assert_eq!(same["access_token"], first["access_token"]);
    assert_eq!(same["expires_in"], 3600);
    lab.pass(secs(3301));
    let next = stable(&lab, false).await;
    assert_ne!(next["access_token"], first["access_token"]);
    assert_eq!(works(&lab, &first).await, 0, "both are good in the last five minutes");
    assert_eq!(works(&lab, &next).await, 0);
    lab.pass(secs(300));
    assert_eq!(works(&lab, &first).await, 42001);
    // The two ways do not disturb each other.
    old(&lab).await;
    assert_eq!(works(&lab, &next).await, 0);
}

#[tokio::test]
async fn force_kills_the_old_one_at_once_and_is_rationed() {
    let lab = lab().await;
    let first = stable(&lab, false).await;
    let forced = stable(&lab, true).await;
    assert_eq!(works(&lab, &first).await, 40001);
    assert_eq!(works(&lab, &forced).await, 0);
    assert_eq!(code(&stable(&lab, true).await), 45011, "30 seconds apart");
    for _ in 0..19 {
        lab.pass(secs(31));
        assert_eq!(code(&stable(&lab, true).await), 0);
    }
    lab.pass(secs(31));
    assert_eq!(code(&stable(&lab, true).await), 45009, "20 a day");
}

#[tokio::test]
async fn who_asks_wrongly_gets_no_token() {
    let lab = lab_with(|config| config.accounts[0].ip_allow = vec!["10.0.0.1".to_owned()]).await;
    let ask = |query: &'static str| lab.get(query);
    assert_eq!(code(&ask("/cgi-bin/token?grant_type=client_credential&secret=x").await), 41002);
    assert_eq!(code(&ask("/cgi-bin/token?grant_type=client_credential&appid=x").await), 41004);
    assert_eq!(code(&ask("/cgi-bin/token?grant_type=x&appid=x&secret=x").await), 40002);
    assert_eq!(code(&ask("/cgi-bin/token?grant_type=client_credential&appid=x&secret=x").await), 40013);
    let body = json!({ "grant_type": "client_credential", "appid": APPID, "secret": "x" });
    assert_eq!(code(&lab.post("/cgi-bin/stable_token", body).await), 40125);
    let refused = stable(&lab, false).await;
    assert_eq!(code(&refused), 40164);
    assert!(refused["errmsg"].as_str().unwrap().contains("127.0.0.1"), "{refused}");
    let body = json!({ "grant_type": "client_credential", "appid": APPID, "secret": SECRET, "force_refresh": "yes" });
    assert_eq!(code(&lab.post("/cgi-bin/stable_token", body).await), 47001);
}

#[tokio::test]
async fn every_interface_checks_method_token_and_body() {
    let lab = lab().await;
    let token = lab.token().await;
    let send = format!("/cgi-bin/message/custom/send?access_token={token}");
    assert_eq!(code(&lab.get(&send).await), 43002);
    assert_eq!(code(&lab.post(&format!("/cgi-bin/user/get?access_token={token}"), json!({})).await), 43001);
    assert_eq!(code(&lab.post("/cgi-bin/message/custom/send", json!({})).await), 41001);
    assert_eq!(code(&lab.post_text(&send, "").await), 44002);
    assert_eq!(code(&lab.post_text(&send, "{").await), 47001);
    assert_eq!(code(&lab.post_text(&send, "[]").await), 47001);
    assert_eq!(code(&lab.get(&format!("/cgi-bin/nothing?access_token={token}")).await), 40066);
    let mut unknown = Vec::new();
    for _ in 0..20 {
        unknown.push(code(&lab.get("/cgi-bin/user/get?access_token=nobody").await));
    }
    assert!(unknown.contains(&40001) && unknown.contains(&40014), "both are real: {unknown:?}");
    let refused = lab.get("/cgi-bin/user/get").await;
    assert!(refused["errmsg"].as_str().unwrap().contains(" rid: "), "{refused}");
}

#[tokio::test]
async fn answers_are_sometimes_labelled_as_plain_text() {
    let lab = lab().await;
    let mut labels = std::collections::BTreeSet::new();
    for _ in 0..60 {
        let response = lab.http.get(lab.url("/cgi-bin/user/get")).send().await.unwrap();
        labels.insert(response.headers()["content-type"].to_str().unwrap().to_owned());
    }
    assert_eq!(labels.len(), 2, "{labels:?}");
}

#[tokio::test]
async fn the_daily_quota_ends_at_midnight_in_china_or_when_it_is_cleared() {
    let lab = lab_with(|config| {
        config.limits.daily.insert("/cgi-bin/user/get".to_owned(), 2);
    })
    .await;
    assert_eq!(code(&lab.fetch("/cgi-bin/user/get").await), 0);
    assert_eq!(code(&lab.fetch("/cgi-bin/user/get").await), 0);
    assert_eq!(code(&lab.fetch("/cgi-bin/user/get").await), 45009);
    let quota = lab.call("/cgi-bin/openapi/quota/get", json!({ "cgi_path": "/cgi-bin/user/get" })).await;
    assert_eq!(quota["quota"], json!({ "daily_limit": 2, "used": 2, "remain": 0 }));
    assert_eq!(code(&lab.call("/cgi-bin/clear_quota", json!({ "appid": APPID })).await), 0);
    for _ in 0..2 {
        assert_eq!(code(&lab.fetch("/cgi-bin/user/get").await), 0);
    }
    assert_eq!(code(&lab.fetch("/cgi-bin/user/get").await), 45009);
    // It is eight in the morning.
    lab.pass(secs(16 * 3600 - 1));
    assert_eq!(code(&lab.fetch("/cgi-bin/user/get").await), 45009);
    lab.pass(secs(1));
    assert_eq!(code(&lab.fetch("/cgi-bin/user/get").await), 0);
    for _ in 0..9 {
        assert_eq!(code(&lab.call("/cgi-bin/clear_quota", json!({ "appid": APPID })).await), 0);
    }
    assert_eq!(code(&lab.call("/cgi-bin/clear_quota", json!({ "appid": APPID })).await), 48006);
}

#[tokio::test]
async fn a_rid_leads_to_the_call_without_the_token() {
    let lab = lab().await;
    let refused = lab.call("/cgi-bin/message/custom/send", json!({ "touser": "nobody" })).await;
    let rid = refused["errmsg"].as_str().unwrap().rsplit(' ').next().unwrap();
    let found = lab.call("/cgi-bin/openapi/rid/get", json!({ "rid": rid })).await;
    assert_eq!(found["request"]["request_url"], "/cgi-bin/message/custom/send");
    assert!(found["request"]["request_body"].as_str().unwrap().contains("nobody"));
    assert_ne!(code(&lab.call("/cgi-bin/openapi/rid/get", json!({ "rid": "x" })).await), 0);
}
