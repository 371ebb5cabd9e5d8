//! WeCom: tokens of an application, pages for phones and desks, codes that are good once.

use reqwest::header::{HOST, LOCATION};
use serde_json::{Value, json};
use sim::{SimCorp, SimMember};

use crate::lab::{Lab, code, lab_with, secs};

const CORP: &str = "ww1f2e3d4c5b6a7980";
const SECRET: &str = "corp-secret";

async fn lab() -> Lab {
    let lab = lab_with(|config| {
        config.corps.push(SimCorp {
            corpid: CORP.into(),
            agentid: 7,
            secret: SECRET.into(),
            name: "杏林".into(),
            domains: vec!["h.example".into()],
            ip_allow: Vec::new(),
            members: vec![SimMember {
                userid: "Lin".into(),
                name: "林若水".into(),
                phone: Some("p1".into()),
            }],
        });
    })
    .await;
    lab.stranger().await;
    lab
}

async fn page(lab: &Lab, path: &str, host: &str, back: &str, extra: &[(&str, &str)]) -> reqwest::Response {
    let mut query = vec![("appid", CORP), ("agentid", "7"), ("redirect_uri", back), ("state", "s1")];
    query.extend_from_slice(extra);
    lab.http.get(lab.url(path)).query(&query).header(HOST, host).send().await.unwrap()
}

const PHONE: [(&str, &str); 2] = [("response_type", "code"), ("scope", "snsapi_base")];

fn code_in(answer: &reqwest::Response) -> String {
    assert_eq!(answer.status(), 302);
    let back = answer.headers()[LOCATION].to_str().unwrap();
    assert!(back.ends_with("&state=s1"), "{back}");
    back.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned()
}

async fn token(lab: &Lab) -> String {
    let answer = lab.get(&format!("/cgi-bin/gettoken?corpid={CORP}&corpsecret={SECRET}")).await;
    assert_eq!(code(&answer), 0);
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn who(lab: &Lab, token: &str, code: &str) -> Value {
    lab.get(&format!("/cgi-bin/auth/getuserinfo?access_token={token}&code={code}")).await
}

#[tokio::test]
async fn a_member_comes_back_with_a_code_that_is_good_once() {
    let lab = lab().await;
    let token = token(&lab).await;
    let answer =
        page(&lab, "/connect/oauth2/authorize", "p1.localhost", "http://p1.localhost/back", &PHONE).await;
    let first = code_in(&answer);
    assert_eq!(who(&lab, &token, &first).await["userid"], "Lin");
    assert_eq!(code(&who(&lab, &token, &first).await), 40029);
    // A phone of somebody who does not work there.
    lab.post("/sim/v1/phones", json!({ "name": "路人" })).await;
    let answer =
        page(&lab, "/connect/oauth2/authorize", "p2.localhost", "http://p2.localhost/back", &PHONE).await;
    let outsider = who(&lab, &token, &code_in(&answer)).await;
    assert!(outsider["openid"].is_string() && outsider.get("userid").is_none(), "{outsider}");
    let late =
        code_in(&page(&lab, "/connect/oauth2/authorize", "p1.localhost", "http://h.example/x", &PHONE).await);
    lab.pass(secs(300));
    assert_eq!(code(&who(&lab, &token, &late).await), 42003);
}

#[tokio::test]
async fn on_a_desk_somebody_scans() {
    let lab = lab().await;
    let path = "/wwlogin/sso/login";
    let asked = page(&lab, path, "localhost", "https://h.example/back", &[("login_type", "CorpApp")]).await;
    let text = asked.text().await.unwrap();
    assert!(text.contains("林若水"), "{text}");
    let chosen = [("login_type", "CorpApp"), ("sim_member", "Lin")];
    let answer = page(&lab, path, "localhost", "https://h.example/back", &chosen).await;
    assert_eq!(who(&lab, &token(&lab).await, &code_in(&answer)).await["userid"], "Lin");
    for (back, extra) in [
        ("https://evil.example/back", chosen),
        ("https://h.example/back", [("login_type", "CorpApp"), ("sim_member", "Nobody")]),
        ("https://h.example/back", [("login_type", "other"), ("sim_member", "Lin")]),
    ] {
        assert_eq!(page(&lab, path, "localhost", back, &extra).await.status(), 403, "{back} {extra:?}");
    }
}

#[tokio::test]
async fn the_token_stays_the_same_for_two_hours() {
    let lab = lab().await;
    let first = token(&lab).await;
    lab.pass(secs(3600));
    assert_eq!(token(&lab).await, first);
    lab.pass(secs(3600));
    assert_eq!(code(&who(&lab, &first, "x").await), 42001);
    assert_ne!(token(&lab).await, first);
    assert_eq!(code(&who(&lab, &first, "x").await), 40014);
    assert_eq!(code(&lab.get(&format!("/cgi-bin/gettoken?corpid={CORP}&corpsecret=x")).await), 40001);
    assert_eq!(code(&lab.get(&format!("/cgi-bin/gettoken?corpid=x&corpsecret={SECRET}")).await), 40013);
}
