//! What is answered at once, and that a push is kept once.

use std::time::Duration;

use ::store::Backend;
use ::store::testing::{MORNING, TestDb, each_db, each_db_in_real_time, on_postgres};
use axum::body::Body;
use base::Clock;
use http::{Request, StatusCode};
use people::channel::{CallbackFormat, CallbackMode, NewChannel};
use wechat::callback::signature;

use super::lab::*;
use crate::entrance;

#[tokio::test]
async fn every_statement_is_understood() {
    each_db(&migrations(), async |t: TestDb| {
        for sql in entrance::statements() {
            if let Err(error) = t.db.prepare(sql).await {
                panic!("{} on {:?}: {error}: {:?}", sql.name, t.backend(), std::error::Error::source(&error));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_address_is_confirmed() {
    each_db(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        let sign = |echo: &str| {
            format!("signature={}&timestamp=1&nonce=2&echostr={echo}", signature(&[TOKEN, "1", "2"]))
        };
        let ask = async |query: String| {
            lab.send(Request::get(format!("/wechat/main?{query}")).body(Body::empty()).unwrap()).await
        };
        let said = ask(sign("8421573349051236347")).await;
        assert_eq!((said.status, said.body.as_str()), (StatusCode::OK, "8421573349051236347"));
        assert_eq!(said.kind, "text/plain; charset=utf-8");
        assert_eq!(ask(sign("1").replace("nonce=2", "nonce=3")).await.code, Some("wechat_signature"));
        assert_eq!(ask(String::new()).await.code, Some("wechat_malformed"));
        let unknown = Request::get(format!("/wechat/other?{}", sign("1"))).body(Body::empty()).unwrap();
        assert_eq!(lab.send(unknown).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn a_new_follower_is_welcomed_and_known() {
    each_db(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        let said = lab.push(&event("<Event>subscribe</Event><EventKey>qrscene_door</EventKey>")).await;
        let welcome = lab.shown(&said, KEY);
        assert!(welcome.contains("欢迎关注杏林医院") && welcome.contains("Welcome to Xinglin"), "{welcome}");
        assert!(
            welcome.contains("<a href=\"https://wx.hospital.example/auth/wechat?to=/departments\">"),
            "{welcome}"
        );
        assert_eq!(lab.states().await, ["new"]);
        assert_eq!(entrance::backlog(&t.db).await.unwrap(), 1);
        assert_eq!(lab.following().await, None);
        assert_eq!(lab.work().await, 1);
        assert_eq!(lab.following().await, Some((1, EARLIER_S * 1000)));
        assert_eq!(lab.states().await, ["done"]);
        assert_eq!(entrance::backlog(&t.db).await.unwrap(), 0);
        assert_eq!(entrance::last_push(&t.db, &lab.channel()).await.unwrap(), Some(t.db.now()));
    })
    .await;
}

#[tokio::test]
async fn what_was_written_is_sealed() {
    each_db(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        lab.push(&text("我胸口疼", 1)).await;
        let bodies: Vec<String> = column(&t.db, BODIES, vec![]).await;
        assert_eq!(bodies.len(), 1);
        assert!(bodies[0].starts_with("1:") && !bodies[0].contains("胸"), "{bodies:?}");
    })
    .await;
}

#[tokio::test]
async fn words_are_answered_and_unknown_events_are_kept() {
    each_db(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        assert!(lab.shown(&lab.push(&text("挂号", 1)).await, KEY).contains("/departments"));
        assert!(lab.shown(&lab.push(&text("我的", 2)).await, KEY).contains("/appointments"));
        let picture =
            message("<MsgType>image</MsgType><PicUrl>http://p</PicUrl><MediaId>m</MediaId><MsgId>3</MsgId>");
        assert!(lab.shown(&lab.push(&picture).await, KEY).contains("文字消息"));
        for silent in [
            event("<Event>VIEW</Event><EventKey>https://wx.hospital.example/me</EventKey>"),
            event("<Event>of_tomorrow</Event><Deep><Deeper>1</Deeper></Deep>"),
            message("<MsgType>hologram</MsgType>"),
            // Nobody to answer.
            "<xml><ToUserName>gh_1</ToUserName><MsgType>text</MsgType><Content>1</Content></xml>".into(),
            // Rightly sealed, but no message at all.
            "nothing like XML".into(),
        ] {
            let said = lab.push(&silent).await;
            assert_eq!((said.status, said.body.as_str()), (StatusCode::OK, "success"), "{silent}");
        }
        assert_eq!(lab.states().await.len(), 8);
        assert_eq!(lab.work().await, 8);
        assert_eq!(lab.states().await, ["done"; 8]);
    })
    .await;
}

#[tokio::test]
async fn a_hundred_copies_at_once_are_one_push_with_one_effect() {
    each_db_in_real_time(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        let other = lab.node(t.node().await).await;
        let now_s = t.db.now().seconds();
        let subscribe = at(now_s, "<MsgType>event</MsgType><Event>subscribe</Event>");
        let mut copies = tokio::task::JoinSet::new();
        for copy in 0..100_i64 {
            // Each attempt of WeChat has its own timestamp and signature, and reaches any node.
            let request = sealed_with(&subscribe, KEY, now_s - copy);
            let routes = if copy % 2 == 0 { lab.routes.clone() } else { other.routes.clone() };
            copies.spawn(async move { tower::ServiceExt::oneshot(routes, request).await.unwrap() });
        }
        for response in copies.join_all().await {
            assert_eq!(response.status(), StatusCode::OK);
        }
        // Each by itself or many together: something waits, and nothing was done.
        assert!(entrance::backlog(&t.db).await.unwrap() > 0);
        assert!(column::<String>(&t.db, EVENTS, vec![]).await.is_empty());
        // Two nodes work at the same time, too.
        let _pushes = tokio::join!(lab.work(), other.work());
        lab.work().await;
        assert_eq!(lab.states().await, ["done"]);
        let events: Vec<String> = column(&t.db, EVENTS, vec![]).await;
        assert_eq!(events, ["people.followed"]);
        assert_eq!(column::<i64>(&t.db, ACCOUNTS, vec![]).await, [1]);
        // A copy that comes when everything is over gets the same answer and changes nothing.
        let late = lab.push(&subscribe).await;
        assert!(lab.shown(&late, KEY).contains("欢迎"));
        assert_eq!(lab.work().await, 0);
    })
    .await;
}

#[tokio::test]
async fn the_reply_is_sealed_with_the_key_that_opened_the_push() {
    each_db(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        let now_s = t.db.now().seconds();
        let said = lab.send(sealed_with(&text("帮助", 1), OLD_KEY, now_s)).await;
        assert!(lab.shown(&said, OLD_KEY).contains("/help"));
        let said = lab.send(sealed_with(&text("帮助", 2), KEY, now_s)).await;
        assert!(lab.shown(&said, KEY).contains("/help"));
    })
    .await;
}

#[tokio::test]
async fn plain_and_compatible_mode_and_json() {
    each_db(&migrations(), async |t: TestDb| {
        let now_s = t.db.now().seconds();
        let lab = Lab::with(&t, NewChannel { aes_key: None, aes_key_previous: None, ..channel(CallbackMode::Plain, CallbackFormat::Xml) }).await;
        let said = lab.send(post(&query("", now_s), text("挂号", 1))).await;
        assert!(content(&said.body).contains("/departments"), "{said:?}");

        let lab = reset(&lab, &t, channel(CallbackMode::Compatible, CallbackFormat::Xml)).await;
        let encrypt = wechat::callback::AesKey::parse(KEY).unwrap().encrypt([1; 16], text("帮助", 2).as_bytes(), APP).unwrap();
        // The plain copy beside it may be anybody's: it is not believed.
        let both = text("挂号", 2).replace("</xml>", &format!("<Encrypt>{encrypt}</Encrypt></xml>"));
        let said = lab.send(post(&query(&encrypt, now_s), both)).await;
        assert!(lab.shown(&said, KEY).contains("/help"));

        let lab = reset(&lab, &t, channel(CallbackMode::Safe, CallbackFormat::Json)).await;
        let message = serde_json::json!({"ToUserName": "gh_1", "FromUserName": OPENID, "CreateTime": now_s, "MsgType": "text",
            "Content": "mine", "MsgId": 3}).to_string();
        let encrypt = wechat::callback::AesKey::parse(KEY).unwrap().encrypt([1; 16], message.as_bytes(), APP).unwrap();
        let body = serde_json::json!({"ToUserName": "gh_1", "Encrypt": encrypt}).to_string();
        let said = lab.send(post(&query(&encrypt, now_s), body)).await;
        assert_eq!((said.status, said.kind.as_str()), (StatusCode::OK, "application/json"));
        let envelope: serde_json::Value = serde_json::from_str(&said.body).unwrap();
        let opened = wechat::callback::AesKey::parse(KEY).unwrap().decrypt(envelope["Encrypt"].as_str().unwrap(), APP).unwrap();
        assert!(content(&opened).contains("/appointments"));
        assert_eq!(lab.work().await, 3);
    })
    .await;
}

/// Changes the account's settings, as an administrator would.
async fn reset(lab: &Lab, t: &TestDb, new: NewChannel) -> Lab {
    let mut tx = t.db.begin().await.unwrap();
    people::channel::add_channel(&mut tx, &lab.deps.vault, &new).await.unwrap();
    tx.commit().await.unwrap();
    lab.node(t.db.clone()).await
}

#[tokio::test]
async fn a_database_that_does_not_answer_in_time_makes_wechat_ask_again() {
    each_db(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        let deps = lab.deps.clone().answering_within(Duration::from_millis(150));
        let slow = Lab { routes: entrance::routes(deps.clone()), deps };
        // Somebody holds the table (on PostgreSQL) or the only writer (on SQLite).
        let mut holder = t.db.begin().await.unwrap();
        if t.backend() == Backend::Postgres {
            let lock = "LOCK TABLE wechat_push, wechat_bundle IN ACCESS EXCLUSIVE MODE";
            holder.exec(::store::Sql { name: "LOCK", sqlite: lock, postgres: lock }, vec![]).await.unwrap();
        }
        let said = slow.push(&text("挂号", 1)).await;
        assert_eq!((said.status, said.code), (StatusCode::SERVICE_UNAVAILABLE, Some("try_again")));
        holder.rollback().await.unwrap();
        // The second attempt gets through, and the first has left nothing or the same.
        assert!(lab.shown(&lab.push(&text("挂号", 1)).await, KEY).contains("/departments"));
        assert_eq!(lab.states().await, ["new"]);
    })
    .await;
}

#[tokio::test]
async fn a_database_that_is_gone_makes_wechat_ask_again() {
    // On SQLite the database is in this very process: it can be slow, as above, but not gone.
    on_postgres(&migrations(), Clock::manual(MORNING), &async |t: TestDb| {
        let lab = Lab::open(&t).await;
        let gone = lab.node(t.node().await).await;
        gone.deps.db.close().await;
        let said = gone.push(&text("挂号", 1)).await;
        assert_eq!((said.status, said.code), (StatusCode::SERVICE_UNAVAILABLE, Some("try_again")));
        assert!(lab.states().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_file_that_proves_whose_the_domain_is() {
    each_db(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        let get = async |path: &str| lab.send(Request::get(path).body(Body::empty()).unwrap()).await;
        let file = get("/MP_verify_aBc123.txt").await;
        assert_eq!(
            (file.status, file.body.as_str(), file.kind.as_str()),
            (StatusCode::OK, "aBc123", "text/plain; charset=utf-8")
        );
        for other in ["/MP_verify_other.txt", "/MP_verify_", "/MP_verify_aBc123", "/MP_verify_..%2Fkeys"] {
            assert_eq!(get(other).await.status, StatusCode::NOT_FOUND, "{other}");
        }
    })
    .await;
}

#[tokio::test]
async fn several_hospitals_have_their_own_addresses() {
    each_db(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        lab.deps
            .hospitals
            .add(base::HospitalId(2), "east", &edge::Profile::default(), "Asia/Shanghai")
            .await
            .unwrap();
        let shown = lab.shown(&lab.push(&text("挂号", 1)).await, KEY);
        assert!(
            shown.contains("https://wx.hospital.example/h/xinglin/auth/wechat?to=/departments"),
            "{shown}"
        );
    })
    .await;
}
