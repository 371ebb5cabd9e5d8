//! An application in WeCom: its token, its pages, who comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;
use wechat::Secret;
use wechat::api::codes::Class;
use wechat::api::wecom::Visitor;
use wechat::api::{Client, Config, Error, MemoryTokenStore, TokenKey, TokenKind, TokenStore as _};

use crate::fake::{Fake, HandClock, Seen, config, error, http, ok};

fn application(fake: &Fake, store: Arc<MemoryTokenStore>) -> Client {
    let config = Config {
        appid: "ww0123456789abcdef".into(),
        agent: Some("1000002".into()),
        secret: Secret::new("the-app-secret"),
        ..config(&fake.base)
    };
    Client::new(http(), config, store, Arc::new(HandClock::default()))
}

/// Gives tokens `t1`, `t2`, …; knows the codes `lin` and `guest`, and no token before `from`.
async fn wecom(from: u32) -> Fake {
    let count = AtomicU32::new(0);
    Fake::start(move |seen: &Seen| match seen.path.as_str() {
        "/cgi-bin/gettoken" => {
            let n = count.fetch_add(1, Ordering::SeqCst) + 1;
            ok(json!({ "errcode": 0, "errmsg": "ok", "access_token": format!("t{n}"), "expires_in": 7200 }))
        }
        _ if seen.token() < format!("t{from}").as_str() => error(42001, "access_token expired"),
        _ => match seen.query.get("code").map_or("", String::as_str) {
            "lin" => ok(json!({ "errcode": 0, "errmsg": "ok", "userid": "LinRuoShui", "user_ticket": "" })),
            "old" => ok(json!({ "errcode": 0, "UserId": "Lin" })),
            "guest" => ok(json!({ "errcode": 0, "openid": "o1" })),
            _ => error(40029, "invalid code"),
        },
    })
    .await
}

#[tokio::test]
async fn a_code_tells_the_member() {
    let fake = wecom(1).await;
    let store = Arc::new(MemoryTokenStore::new());
    let client = application(&fake, store.clone());
    let member = |userid: &str| Visitor::Member { userid: userid.into() };
    for (code, who) in [("lin", member("linruoshui")), ("old", member("lin")), ("guest", Visitor::Outsider)] {
        assert_eq!(client.visitor_of_code(&Secret::new(code)).await.unwrap(), who);
    }
    match client.visitor_of_code(&Secret::new("used")).await {
        Err(Error::Api(error)) => assert_eq!(error.class, Class::RestartSignIn),
        other => panic!("{other:?}"),
    }
    let asked = fake.seen("/cgi-bin/gettoken");
    assert_eq!(asked.len(), 1, "one token for all");
    assert_eq!(
        (asked[0].query["corpid"].as_str(), asked[0].query["corpsecret"].as_str()),
        ("ww0123456789abcdef", "the-app-secret")
    );
    assert!(fake.seen("/cgi-bin/stable_token").is_empty());
    // Another application of the same corporation has a token of its own.
    let key =
        |appid: &str| TokenKey { base: fake.base.clone(), appid: appid.into(), kind: TokenKind::Access };
    assert!(store.load(&key("ww0123456789abcdef/1000002")).await.unwrap().is_some());
    assert!(store.load(&key("ww0123456789abcdef")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once() {
    let fake = wecom(2).await;
    let client = application(&fake, Arc::default());
    let who = client.visitor_of_code(&Secret::new("lin")).await.unwrap();
    assert_eq!(who, Visitor::Member { userid: "linruoshui".into() });
    assert_eq!(fake.seen("/cgi-bin/gettoken").len(), 2);
}

#[tokio::test]
async fn pages_are_where_wecom_has_them() {
    let fake = wecom(1).await;
    let client = application(&fake, Arc::default());
    let back = "https://h.example/auth/wecom/callback?to=/console/";
    assert_eq!(
        client.member_page(back, "s1").unwrap(),
        format!(
            "{}/connect/oauth2/authorize?appid=ww0123456789abcdef&redirect_uri=https%3A%2F%2Fh.example%2Fauth%2Fwecom%2Fcallback%3Fto%3D%2Fconsole%2F\
             &response_type=code&scope=snsapi_base&state=s1&agentid=1000002#wechat_redirect",
            fake.base
        )
    );
    let desk = client.member_page_on_desk(back, "s1").unwrap();
    assert!(
        desk.starts_with(&format!(
            "{}/wwlogin/sso/login?login_type=CorpApp&appid=ww0123456789abcdef&agentid=1000002&",
            fake.base
        )),
        "{desk}"
    );
    assert!(matches!(client.member_page(back, "a-b"), Err(Error::Invalid { .. })));
    assert!(
        matches!(crate::fake::client(&fake.base).member_page(back, "s1"), Err(Error::Invalid { .. })),
        "no application"
    );
}
