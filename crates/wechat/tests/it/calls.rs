//! What each call puts on the wire, and what it makes of the answer.

use axum::response::IntoResponse;
use serde_json::{Value, json};
use wechat::Secret;
use wechat::api::codes::Class;
use wechat::api::custom::CustomMessage;
use wechat::api::media::{Media, MediaKind};
use wechat::api::menu::{Action, Button, Menu};
use wechat::api::oauth::Scope;
use wechat::api::qrcode::Life;
use wechat::api::template::{Jump, TemplateMessage};
use wechat::api::{Client, Error};
use wechat::message::Article;

use crate::fake::{Fake, Seen, client, error, ok};

/// A client of a WeChat that gives this answer to everything but the token.
async fn answering(value: Value) -> (Fake, Client) {
    let fake = Fake::with_tokens(move |_| ok(value.clone())).await;
    let client = client(&fake.base);
    (fake, client)
}

/// The only request to a path; it had the token.
fn one(fake: &Fake, method: &str, path: &str) -> Seen {
    let mut seen = fake.seen(path);
    assert_eq!(seen.len(), 1, "{path}");
    let seen = seen.remove(0);
    assert_eq!((seen.method.as_str(), seen.token()), (method, "t1"), "{path}");
    seen
}

#[tokio::test]
async fn signing_in() {
    let (fake, client) = answering(json!({
        "access_token": "user-token", "expires_in": 7200, "refresh_token": "r", "openid": "o1",
        "scope": "snsapi_base", "is_snapshotuser": 1,
    }))
    .await;
    let url = client.authorize_url("https://h.example/back?to=/a b", Scope::Base, "s1").unwrap();
    assert_eq!(
        url,
        format!(
            "{}/connect/oauth2/authorize?appid=wx1f2e3d4c5b6a7980&redirect_uri=https%3A%2F%2Fh.example%2Fback%3Fto%3D%2Fa%20b\
             &response_type=code&scope=snsapi_base&state=s1#wechat_redirect",
            fake.base
        )
    );
    for state in ["", "a-b", &"a".repeat(129)] {
        assert!(matches!(
            client.authorize_url("https://h", Scope::UserInfo, state),
            Err(Error::Invalid { .. })
        ));
    }
    let user = client.exchange_code(&Secret::new("c0de")).await.unwrap();
    assert_eq!((user.openid.as_str(), user.unionid, user.is_snapshot), ("o1", None, true));
    let asked = fake.seen("/sns/oauth2/access_token").remove(0);
    let query = |name: &str| asked.query[name].clone();
    assert_eq!((query("code"), query("secret")), ("c0de".into(), "the-app-secret".into()));
    assert_eq!(query("grant_type"), "authorization_code");
    assert!(fake.seen("/cgi-bin/stable_token").is_empty(), "signing in needs no account token");

    for code in [40029, 40163, 42003] {
        let fake = Fake::start(move |_| error(code, "code c0de been used")).await;
        let refused = crate::fake::client(&fake.base).exchange_code(&Secret::new("c0de")).await;
        let Err(Error::Api(refused)) = refused else { panic!() };
        assert_eq!(refused.class, Class::RestartSignIn);
        assert_eq!(refused.errmsg, "code *** been used");
        assert_eq!(fake.seen("/sns/oauth2/access_token").len(), 1, "a code is never tried twice");
    }
}

#[tokio::test]
async fn template_messages() {
    let (fake, client) =
        answering(json!({ "errcode": 0, "errmsg": "ok", "msgid": 9_007_199_254_740_993_u64 })).await;
    let mut message = TemplateMessage {
        to: "o1".into(),
        template_id: "T".into(),
        client_msg_id: "row-1".into(),
        jump: Jump {
            url: Some("https://h.example/a?b=1".into()),
            mini_program: Some(("wxmini".into(), "pages/a".into())),
        },
        data: vec![("thing1".into(), "张三".into()), ("time2".into(), "2026-01-05 09:30".into())],
    };
    assert_eq!(client.send_template(&message).await.unwrap(), 9_007_199_254_740_993);
    let sent = one(&fake, "POST", "/cgi-bin/message/template/send");
    assert_eq!(
        sent.json(),
        json!({
            "touser": "o1", "template_id": "T", "client_msg_id": "row-1", "url": "https://h.example/a?b=1",
            "miniprogram": { "appid": "wxmini", "pagepath": "pages/a" },
            "data": { "thing1": { "value": "张三" }, "time2": { "value": "2026-01-05 09:30" } },
        })
    );
    assert!(sent.content_type.starts_with("application/json"));
    let body = String::from_utf8(sent.body.to_vec()).unwrap();
    assert!(body.contains("张三") && !body.contains("\\u"), "raw UTF-8: {body}");

    message.client_msg_id.clear();
    assert!(
        matches!(client.send_template(&message).await, Err(Error::Invalid { field, .. }) if field == "client_msg_id")
    );
    message.client_msg_id = "x".into();
    message.data.clear();
    assert!(
        matches!(client.send_template(&message).await, Err(Error::Invalid { field, .. }) if field == "data")
    );

    let fake = Fake::with_tokens(|_| error(47003, "argument invalid! data.time2.value rid: 1-a")).await;
    message.data = vec![("time2".into(), "soon".into())];
    let Err(Error::Api(refused)) = crate::fake::client(&fake.base).send_template(&message).await else {
        panic!()
    };
    assert_eq!((refused.field(), refused.class), (Some("time2"), Class::Content));
    assert!(refused.advice.zh.contains("字段") && refused.advice.en.contains("field"));
}

#[tokio::test]
async fn templates_of_the_account() {
    let (fake, client) = answering(json!({ "template_list": [
        { "template_id": "T", "title": "预约成功", "primary_industry": "", "content": "就诊人：{{thing1.DATA}}", "example": "" },
    ] }))
    .await;
    let templates = client.private_templates().await.unwrap();
    assert_eq!((templates[0].title.as_str(), templates[0].keys()), ("预约成功", vec!["thing1"]));
    one(&fake, "GET", "/cgi-bin/template/get_all_private_template");
}

#[tokio::test]
async fn messages_in_the_chat() {
    let article = Article {
        title: "t".into(),
        description: "d".into(),
        url: "https://h.example".into(),
        pic_url: String::new(),
    };
    let cases = [
        (CustomMessage::Text("您好".into()), "text", json!({ "content": "您好" })),
        (CustomMessage::Image("m".into()), "image", json!({ "media_id": "m" })),
        (CustomMessage::Voice("m".into()), "voice", json!({ "media_id": "m" })),
        (
            CustomMessage::News(article),
            "news",
            json!({ "articles": [{ "title": "t", "description": "d", "url": "https://h.example", "picurl": "" }] }),
        ),
        (
            CustomMessage::Menu {
                head: "h".into(),
                lines: vec![("1".into(), "是".into())],
                tail: "t".into(),
            },
            "msgmenu",
            json!({ "head_content": "h", "list": [{ "id": "1", "content": "是" }], "tail_content": "t" }),
        ),
        (
            CustomMessage::MiniProgramPage {
                title: "t".into(),
                app_id: "wx".into(),
                page_path: "p".into(),
                thumb_media_id: "m".into(),
            },
            "miniprogrampage",
            json!({ "title": "t", "appid": "wx", "pagepath": "p", "thumb_media_id": "m" }),
        ),
    ];
    for (message, kind, body) in cases {
        let (fake, client) = answering(json!({ "errcode": 0, "errmsg": "ok" })).await;
        client.send_custom("o1", &message, None).await.unwrap();
        let sent = one(&fake, "POST", "/cgi-bin/message/custom/send").json();
        assert_eq!(sent, json!({ "touser": "o1", "msgtype": kind, kind: body }));
    }
    let (fake, client) = answering(json!({ "errcode": 0 })).await;
    client.send_custom("o1", &CustomMessage::Text("x".into()), Some("kf@h")).await.unwrap();
    let sent = one(&fake, "POST", "/cgi-bin/message/custom/send").json();
    assert_eq!(sent["customservice"], json!({ "kf_account": "kf@h" }));
    client.typing("o1", false).await.unwrap();
    let sent = one(&fake, "POST", "/cgi-bin/message/custom/typing").json();
    assert_eq!(sent, json!({ "touser": "o1", "command": "CancelTyping" }));
    for bad in [
        CustomMessage::Text(String::new()),
        CustomMessage::Text("长".repeat(683)),
        CustomMessage::Menu { head: String::new(), lines: vec![], tail: String::new() },
    ] {
        assert!(matches!(client.send_custom("o1", &bad, None).await, Err(Error::Invalid { .. })));
    }
}

#[tokio::test]
async fn menus() {
    let menu = Menu {
        buttons: vec![Button { name: "挂号".into(), action: Action::View("https://h.example/".into()) }],
    };
    let (fake, client) = answering(json!({ "errcode": 0, "errmsg": "ok", "menu": menu.to_json() })).await;
    client.create_menu(&menu).await.unwrap();
    let sent = one(&fake, "POST", "/cgi-bin/menu/create");
    assert_eq!(
        sent.json(),
        json!({ "button": [{ "type": "view", "name": "挂号", "url": "https://h.example/" }] })
    );
    assert!(String::from_utf8_lossy(&sent.body).contains("挂号"));
    assert_eq!(client.menu().await.unwrap(), Some(menu));
    client.delete_menu().await.unwrap();
    one(&fake, "GET", "/cgi-bin/menu/delete");
    let bad = Menu { buttons: vec![] };
    assert!(matches!(client.create_menu(&bad).await, Err(Error::Invalid { .. })));
    assert_eq!(fake.seen("/cgi-bin/menu/create").len(), 1);

    let fake = Fake::with_tokens(|_| error(46003, "menu no exist")).await;
    assert_eq!(crate::fake::client(&fake.base).menu().await.unwrap(), None);
}

#[tokio::test]
async fn codes() {
    let (fake, client) =
        answering(json!({ "ticket": "gQ/+==", "expire_seconds": 60, "url": "http://weixin.qq.com/q/1" }))
            .await;
    let code = client.create_code("kiosk:7f3a", Life::Seconds(60)).await.unwrap();
    assert_eq!((code.expire_seconds, code.url.as_str()), (Some(60), "http://weixin.qq.com/q/1"));
    assert_eq!(
        client.code_image_url(&code.ticket),
        format!("{}/cgi-bin/showqrcode?ticket=gQ%2F%2B%3D%3D", fake.base)
    );
    client.create_code("doctor:1", Life::Permanent).await.unwrap();
    let sent: Vec<_> = fake.seen("/cgi-bin/qrcode/create").iter().map(Seen::json).collect();
    assert_eq!(
        sent,
        [
            json!({ "expire_seconds": 60, "action_name": "QR_STR_SCENE",
                "action_info": { "scene": { "scene_str": "kiosk:7f3a" } } }),
            json!({ "action_name": "QR_LIMIT_STR_SCENE", "action_info": { "scene": { "scene_str": "doctor:1" } } }),
        ]
    );
    for (scene, life) in [
        ("", Life::Permanent),
        (&*"a".repeat(65), Life::Permanent),
        ("a", Life::Seconds(0)),
        ("a", Life::Seconds(2_592_001)),
    ] {
        assert!(matches!(client.create_code(scene, life).await, Err(Error::Invalid { .. })));
    }
}

#[tokio::test]
async fn followers() {
    let (fake, client) = answering(json!({
        "subscribe": 1, "openid": "o1", "unionid": "u1", "subscribe_time": 1_767_225_600, "remark": "", "groupid": 0,
        "tagid_list": [2], "subscribe_scene": "ADD_SCENE_QR_CODE", "qr_scene": 0, "qr_scene_str": "doctor:1",
    }))
    .await;
    let user = client.user("o1").await.unwrap();
    assert_eq!((user.follows, user.unionid.as_deref(), user.tagid_list), (true, Some("u1"), vec![2]));
    assert_eq!(one(&fake, "GET", "/cgi-bin/user/info").query["openid"], "o1");
    let (_fake, client) = answering(json!({ "subscribe": 0, "openid": "o1" })).await;
    assert!(!client.user("o1").await.unwrap().follows);

    let fake = Fake::with_tokens(|seen| match seen.query.get("next_openid").map(String::as_str) {
        None => ok(json!({ "total": 3, "count": 2, "data": { "openid": ["a", "b"] }, "next_openid": "b" })),
        Some("b") => ok(json!({ "total": 3, "count": 1, "data": { "openid": ["c"] }, "next_openid": "c" })),
        _ => ok(json!({ "total": 3, "count": 0, "next_openid": "" })),
    })
    .await;
    let client = crate::fake::client(&fake.base);
    let mut all = Vec::new();
    let mut next = None;
    loop {
        let page = client.users(next.as_deref()).await.unwrap();
        assert_eq!(page.total, 3);
        all.extend(page.openids);
        match page.next {
            Some(openid) => next = Some(openid),
            None => break,
        }
    }
    assert_eq!(all, ["a", "b", "c"]);
}

#[tokio::test]
async fn media() {
    let (fake, client) = answering(json!({ "type": "image", "media_id": "m1", "created_at": 1 })).await;
    let id = client.upload_media(MediaKind::Image, "image/png", b"\x89PNG".to_vec()).await.unwrap();
    assert_eq!(id, "m1");
    let sent = one(&fake, "POST", "/cgi-bin/media/upload");
    assert_eq!(sent.query["type"], "image");
    assert!(sent.content_type.starts_with("multipart/form-data; boundary="));
    let body = String::from_utf8_lossy(&sent.body);
    assert!(
        body.contains("name=\"media\"; filename=\"media.png\"") && body.contains("Content-Type: image/png"),
        "{body}"
    );
    for (kind, mime, size) in [
        (MediaKind::Image, "text/html", 1),
        (MediaKind::Image, "image/png", 0),
        (MediaKind::Thumb, "image/jpeg", (64 << 10) + 1),
    ] {
        assert!(matches!(client.upload_media(kind, mime, vec![1; size]).await, Err(Error::Invalid { .. })));
    }

    let fake = Fake::with_tokens(|seen| match seen.query["media_id"].as_str() {
        "picture" => (
            [("content-type", "image/jpeg"), ("content-disposition", "attachment; filename=\"p.jpg\"")],
            vec![0xff, 0xd8],
        )
            .into_response(),
        "film" => ok(json!({ "video_url": "http://v.example/1" })),
        _ => error(40007, "invalid media_id"),
    })
    .await;
    let client = crate::fake::client(&fake.base);
    let picture = client.media("picture").await.unwrap();
    assert_eq!(picture, Media::File { bytes: vec![0xff, 0xd8], content_type: Some("image/jpeg".into()) });
    assert_eq!(client.media("film").await.unwrap(), Media::VideoUrl("http://v.example/1".into()));
    assert_eq!(client.media("old").await.unwrap_err().errcode(), Some(40007));
}

#[tokio::test]
async fn reach_and_anything_else() {
    let (fake, client) = answering(json!({
        "ip_list": ["101.226.103.0/25"],
        "dns": [{ "ip": "1.2.3.4", "real_operator": "UNICOM" }],
        "ping": [{ "ip": "1.2.3.4", "from_operator": "CAP", "package_loss": "0%", "time": "23.079ms" }],
        "quota": { "daily_limit": 10, "used": 1, "remain": 9 },
    }))
    .await;
    assert_eq!(client.callback_ips().await.unwrap(), ["101.226.103.0/25"]);
    let reach = client.check_callback().await.unwrap();
    assert_eq!((reach.dns[0].ip.as_str(), reach.ping[0].time.as_str()), ("1.2.3.4", "23.079ms"));
    let asked = one(&fake, "POST", "/cgi-bin/callback/check").json();
    assert_eq!(asked, json!({ "action": "all", "check_operator": "DEFAULT" }));

    let body = json!({ "cgi_path": "/cgi-bin/message/template/send" });
    let quota = client.call("/cgi-bin/openapi/quota/get", &body).await.unwrap();
    assert_eq!(quota["quota"]["remain"], 9);
    assert_eq!(one(&fake, "POST", "/cgi-bin/openapi/quota/get").json(), body);
    client.get("/cgi-bin/tags/get", &[("a", "1")]).await.unwrap();
    assert_eq!(one(&fake, "GET", "/cgi-bin/tags/get").query["a"], "1");
    assert!(matches!(client.call("evil.example", &body).await, Err(Error::Invalid { .. })));
}
