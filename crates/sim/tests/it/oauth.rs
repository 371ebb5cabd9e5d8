//! Web authorisation and the JS-SDK's signature.

use reqwest::header::{HOST, LOCATION};
use serde_json::{Value, json};
use wechat::callback::signature;

use crate::lab::{APPID, Lab, SECRET, code, lab, secs};

async fn authorize(lab: &Lab, host: &str, scope: &str, back: &str, state: &str) -> reqwest::Response {
    let query = [
        ("appid", APPID),
        ("redirect_uri", back),
        ("response_type", "code"),
        ("scope", scope),
        ("state", state),
    ];
    let request = lab.http.get(lab.url("/connect/oauth2/authorize")).query(&query).header(HOST, host);
    request.send().await.unwrap()
}

/// Goes through the page and gives the code that comes back.
async fn code_of(lab: &Lab, host: &str) -> String {
    let answer =
        authorize(lab, host, "snsapi_base", "http://p1.localhost:8080/auth/wechat/callback?x=1", "abc123")
            .await;
    assert_eq!(answer.status(), 302);
    let back = answer.headers()[LOCATION].to_str().unwrap();
    assert!(back.starts_with("http://p1.localhost:8080/auth/wechat/callback?x=1&code="), "{back}");
    assert!(back.ends_with("&state=abc123"), "{back}");
    back.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned()
}

async fn exchange(lab: &Lab, code: &str) -> Value {
    let query = format!("appid={APPID}&secret={SECRET}&code={code}&grant_type=authorization_code");
    lab.get(&format!("/sns/oauth2/access_token?{query}")).await
}

#[tokio::test]
async fn a_code_gives_the_openid_once() {
    let lab = lab().await;
    let (_, openid) = lab.stranger().await;
    let code1 = code_of(&lab, "p1.localhost").await;
    let who = exchange(&lab, &code1).await;
    assert_eq!(who["openid"], openid, "no need to follow");
    assert_eq!(who["scope"], "snsapi_base");
    assert!(who.get("unionid").is_none() && who.get("is_snapshotuser").is_none(), "{who}");
    assert_eq!(code(&exchange(&lab, &code1).await), 40163);
    let late = code_of(&lab, "p1.phones.localhost").await;
    lab.pass(secs(300));
    assert_eq!(code(&exchange(&lab, &late).await), 42003);
    assert_eq!(code(&exchange(&lab, "nothing").await), 40029);
    let path =
        format!("/sns/oauth2/access_token?appid={APPID}&secret=x&code=x&grant_type=authorization_code");
    assert_eq!(code(&lab.get(&path).await), 40125);
    let refresh = format!(
        "/sns/oauth2/refresh_token?appid={APPID}&grant_type=refresh_token&refresh_token={}",
        who["refresh_token"].as_str().unwrap()
    );
    let again = lab.get(&refresh).await;
    assert_eq!(again["openid"], openid);
    let auth = format!("/sns/auth?access_token={}&openid={openid}", again["access_token"].as_str().unwrap());
    assert_eq!(code(&lab.get(&auth).await), 0);
    let info =
        format!("/sns/userinfo?access_token={}&openid={openid}", again["access_token"].as_str().unwrap());
    assert_eq!(code(&lab.get(&info).await), 48001, "only after snsapi_userinfo");
}

#[tokio::test]
async fn the_phone_is_known_by_the_host_it_comes_back_to() {
    let lab = lab().await;
    lab.stranger().await;
    let answer = authorize(&lab, "127.0.0.1", "snsapi_base", "http://p1.localhost:1/x", "").await;
    assert_eq!(answer.status(), 302);
    let answer = authorize(&lab, "127.0.0.1", "snsapi_base", "http://127.0.0.1:1/x", "").await;
    assert_eq!(answer.status(), 403, "no phone, no WeChat");
    assert!(answer.text().await.unwrap().contains("微信客户端"));
}

#[tokio::test]
async fn wrong_parameters_are_refused_on_the_page() {
    let lab = lab().await;
    lab.stranger().await;
    let cases = [
        ("snsapi_base", "http://example.com/x", "a", "10003"),
        ("snsapi_base", "x", "a", "redirect_uri"),
        ("snsapi_all", "http://p1.localhost/x", "a", "scope"),
        ("snsapi_base", "http://p1.localhost/x", "a-b", "state"),
        (
            "snsapi_base",
            "http://p1.localhost/x",
            "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
            "state",
        ),
        ("snsapi_base", "http://p9.localhost/x", "a", "10003"),
    ];
    for (scope, back, state, expected) in cases {
        let answer = authorize(&lab, "p1.localhost", scope, back, state).await;
        assert_eq!(answer.status(), 403, "{back} {state}");
        let text = answer.text().await.unwrap();
        assert!(text.contains(expected), "{text}");
    }
}

#[tokio::test]
async fn names_need_a_yes() {
    let lab = lab().await;
    lab.post("/sim/v1/phones", json!({ "name": "小杏" })).await;
    let asked = authorize(&lab, "p1.localhost", "snsapi_userinfo", "http://p1.localhost/x", "s").await;
    assert_eq!(asked.status(), 200);
    let page = asked.text().await.unwrap();
    let link = page.split("href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    let agreed = lab
        .http
        .get(lab.url(&format!("/connect/oauth2/authorize{link}")))
        .header(HOST, "p1.localhost")
        .send()
        .await
        .unwrap();
    assert_eq!(agreed.status(), 302);
    let back = agreed.headers()[LOCATION].to_str().unwrap().to_owned();
    let who = exchange(&lab, back.split("code=").nth(1).unwrap().split('&').next().unwrap()).await;
    assert!(who["unionid"].is_string());
    let (token, openid) = (who["access_token"].as_str().unwrap(), who["openid"].as_str().unwrap());
    let info = lab.get(&format!("/sns/userinfo?access_token={token}&openid={openid}&lang=zh_CN")).await;
    assert_eq!(info["nickname"], "小杏");
    assert_eq!(info["sex"], 0);
}

#[tokio::test]
async fn snapshot_users_are_nobody() {
    let lab = lab().await;
    let (_, openid) = lab.stranger().await;
    lab.put("/sim/v1/faults", json!({ "snapshot_user": true })).await;
    let who = exchange(&lab, &code_of(&lab, "p1.localhost").await).await;
    assert_eq!(who["is_snapshotuser"], 1);
    assert_ne!(who["openid"], openid);
}

#[tokio::test]
async fn the_ticket_stays_two_hours_and_signs_pages() {
    let lab = lab().await;
    lab.stranger().await;
    let ticket = lab.fetch("/cgi-bin/ticket/getticket?type=jsapi").await;
    assert_eq!(ticket["expires_in"], 7200);
    lab.pass(secs(3600));
    let same = lab.fetch("/cgi-bin/ticket/getticket?type=jsapi").await;
    assert_eq!(same["ticket"], ticket["ticket"]);
    assert_eq!(same["expires_in"], 3600);
    let url = "http://p1.localhost:8080/doctors/1?code=x&state=y";
    let sign = |url: &str| {
        let ticket = ticket["ticket"].as_str().unwrap();
        signature(&[&format!("jsapi_ticket={ticket}&noncestr=n&timestamp=5&url={url}")])
    };
    let check = |url: &str, signature: String| {
        let body =
            json!({ "app_id": APPID, "timestamp": 5, "nonce_str": "n", "signature": signature, "url": url });
        lab.post("/sim/v1/js-sdk", body)
    };
    assert_eq!(check(url, sign(url)).await["ok"], true);
    assert_eq!(check("http://p1.localhost:8080/", sign(url)).await["error"], "config:invalid signature");
    let elsewhere = "http://example.com/";
    assert_eq!(check(elsewhere, sign(elsewhere)).await["error"], "config:invalid url domain");
    lab.pass(secs(3600));
    assert_eq!(check(url, sign(url)).await["error"], "config:invalid signature", "the ticket is over");
    assert_eq!(code(&lab.fetch("/cgi-bin/ticket/getticket?type=x").await), 40097);
}
