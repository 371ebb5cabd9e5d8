//! Checks against an account whose WeChat is a small server of our own, on both databases; and what is thought of each
//! finding.

use std::collections::HashMap;
use std::sync::Arc;

use ::store::testing::{TestDb, each_db};
use axum::Router;
use axum::extract::{Path, State};
use base::{Lang, Text2};
use notify::{Kind, Mapping};
use parking_lot::Mutex;
use people::channel::{CallbackFormat, CallbackMode, Hosts, NewChannel};
use serde_json::{Value, json};
use wechat::api::menu::{Action, Button, Menu};
use wechat::api::reach::{Ping, Reachability, Resolved};
use wechat::api::template::PrivateTemplate;

use super::judge;
use super::{Deps, Level, Line};
use crate::entrance::tests::lab::{self, Lab};

/// What WeChat answers, by path.
type Answers = Arc<Mutex<HashMap<String, Value>>>;

async fn answer(State(answers): State<Answers>, Path(path): Path<String>) -> axum::Json<Value> {
    axum::Json(answers.lock().get(&path).cloned().unwrap_or_else(|| json!({"errcode": 404, "errmsg": path})))
}

/// An account that is connected as it should be.
fn all_well() -> Answers {
    let content = "就诊人：{{thing1.DATA}}\n时间：{{time2.DATA}}";
    Arc::new(Mutex::new(HashMap::from([
        ("cgi-bin/stable_token".to_owned(), json!({"access_token": "T", "expires_in": 7200})),
        (
            "cgi-bin/callback/check".to_owned(),
            json!({"dns": [{"ip": "203.0.113.7", "real_operator": "CHINANET"}], "ping": [{"ip": "203.0.113.7", "package_loss": "0%"}]}),
        ),
        (
            "cgi-bin/menu/get".to_owned(),
            json!({"menu": {"button": [{"type": "view", "name": "预约挂号", "url": "http://wx.hospital.example/departments"}]}}),
        ),
        (
            "cgi-bin/user/get".to_owned(),
            json!({"total": 1234, "count": 1, "data": {"openid": ["o"]}, "next_openid": "o"}),
        ),
        (
            "cgi-bin/ticket/getticket".to_owned(),
            json!({"errcode": 0, "errmsg": "ok", "ticket": "J", "expires_in": 7200}),
        ),
        (
            "cgi-bin/template/get_all_private_template".to_owned(),
            json!({"template_list": [{"template_id": "tpl", "title": "预约成功通知", "content": content, "example": ""}]}),
        ),
    ])))
}

async fn listen(routes: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    format!("http://{address}")
}

/// The lines of a report by their English texts.
async fn checked(deps: &Deps) -> Vec<(Level, String, String)> {
    let report = super::wechat(deps).await;
    for lang in [Lang::Zh, Lang::En] {
        assert!(!report.render(lang).is_empty());
    }
    let lines = report.sections.into_iter().flat_map(|s| s.lines);
    lines.map(|l| (l.level, l.found.en, l.advice.map(|a| a.en).unwrap_or_default())).collect()
}

fn has(lines: &[(Level, String, String)], level: Level, text: &str) {
    let found =
        lines.iter().any(|(l, found, advice)| *l == level && (found.contains(text) || advice.contains(text)));
    assert!(found, "no {level:?} with {text:?} in {lines:#?}");
}

/// A hospital whose account is at `answers`, served at an address of its own.
async fn hospital(t: &TestDb, answers: &Answers, mode: CallbackMode) -> (Lab, Deps) {
    let wechat =
        listen(Router::new().route("/{*path}", axum::routing::any(answer)).with_state(answers.clone())).await;
    let new = NewChannel { hosts: Some(Hosts::all_at(&wechat)), ..lab::channel(mode, CallbackFormat::Xml) };
    let lab = Lab::with(t, new).await;
    let public = listen(lab.routes.clone()).await;
    let deps = Deps {
        db: t.db.clone(),
        hospitals: lab.deps.hospitals.clone(),
        channels: lab.deps.channels.clone(),
        public_url: public.into(),
    };
    (lab, deps)
}

#[tokio::test]
async fn an_account_that_is_connected_as_it_should_be() {
    each_db(&lab::migrations(), async |t: TestDb| {
        let (lab, deps) = hospital(&t, &all_well(), CallbackMode::Safe).await;
        lab.push(&lab::text("挂号", 1)).await;
        let lines = checked(&deps).await;
        for good in [
            "safe mode",
            "The callback answers",
            "The last push came at 2026-11-23T08:00:00+08:00",
            "An access token can be had",
            "WeChat reaches us at 203.0.113.7",
            "1234 followers",
            "JS-SDK",
            "MP_verify_aBc123.txt is served",
            "1 wait to be worked on",
        ] {
            has(&lines, Level::Ok, good);
        }
        has(&lines, Level::Note, "simulator");
        has(&lines, Level::Note, "/wechat/main");
        // Nothing is mapped yet, so only SMS is left.
        has(&lines, Level::Warn, "No template for: booked, cancelled, moved, reminder, clinic called off");
        assert!(lines.iter().all(|(level, ..)| *level < Level::Fail), "{lines:#?}");
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_is_named_with_its_remedy() {
    each_db(&lab::migrations(), async |t: TestDb| {
        let answers = all_well();
        let (_lab, mut deps) = hospital(&t, &answers, CallbackMode::Plain).await;
        answers
            .lock()
            .insert("cgi-bin/menu/get".into(), json!({"errcode": 46003, "errmsg": "menu no exist"}));
        answers
            .lock()
            .insert("cgi-bin/user/get".into(), json!({"errcode": 48001, "errmsg": "api unauthorized"}));
        answers.lock().insert("cgi-bin/callback/check".into(), json!({"dns": [], "ping": []}));
        let lines = checked(&deps).await;
        has(&lines, Level::Warn, "plain mode");
        has(&lines, Level::Warn, "EncodingAESKey before this one");
        has(&lines, Level::Warn, "No push has come");
        has(&lines, Level::Warn, "xinglin wechat menu");
        has(&lines, Level::Fail, "not certified");
        has(&lines, Level::Fail, "can't resolve our host name");
        // Somebody else answers at our address.
        deps.public_url = listen(Router::new().fallback(|| async { "hello" })).await.into();
        let lines = checked(&deps).await;
        has(&lines, Level::Fail, "not as this server would");
        has(&lines, Level::Fail, "MP_verify_aBc123.txt is not what is served");
        deps.public_url = "http://127.0.0.1:9".into();
        has(&checked(&deps).await, Level::Fail, "can't be reached");
    })
    .await;
}

#[tokio::test]
async fn a_token_that_cannot_be_had() {
    each_db(&lab::migrations(), async |t: TestDb| {
        for (code, message, advice) in [
            (40013, "invalid appid rid: 1", "The AppID is wrong"),
            (40125, "invalid appsecret", "The AppSecret is wrong"),
            (40001, "invalid credential", "The AppSecret is wrong"),
            (40243, "AppSecret is frozen", "Unfreeze it"),
            (
                40164,
                "invalid ip 203.0.113.9 ipv6 ::ffff:203.0.113.9, not in whitelist rid: 2",
                "Add 203.0.113.9 to",
            ),
        ] {
            let answers = all_well();
            answers.lock().insert("cgi-bin/stable_token".into(), json!({"errcode": code, "errmsg": message}));
            let vault_db = &t;
            let lines = {
                let wechat =
                    listen(Router::new().route("/{*path}", axum::routing::any(answer)).with_state(answers))
                        .await;
                let new = NewChannel {
                    hosts: Some(Hosts::all_at(&wechat)),
                    ..lab::channel(CallbackMode::Safe, CallbackFormat::Xml)
                };
                let deps = one(vault_db, new).await;
                checked(&deps).await
            };
            has(&lines, Level::Fail, advice);
            has(&lines, Level::Fail, &format!("WeChat says {code}"));
            assert!(
                !lines.iter().any(|(_, found, _)| found.contains("followers")),
                "nothing else can be asked"
            );
        }
    })
    .await;
}

/// The one hospital of this database, with its account set anew.
async fn one(t: &TestDb, new: NewChannel) -> Deps {
    let vault = Arc::new(::store::Vault::parse(&::store::Vault::generate().unwrap()).unwrap());
    let hospitals = edge::Hospitals::load(&t.db).await.unwrap();
    if hospitals.all().is_empty() {
        hospitals.add(lab::H, "xinglin", &edge::Profile::default(), "Asia/Shanghai").await.unwrap();
    }
    let mut tx = t.db.begin().await.unwrap();
    people::channel::add_channel(&mut tx, &vault, &new).await.unwrap();
    tx.commit().await.unwrap();
    let channels = lab::channels(&t.db, &vault).await;
    Deps { db: t.db.clone(), hospitals, channels, public_url: "http://127.0.0.1:9".into() }
}

#[tokio::test]
async fn without_an_account_it_says_where_to_begin() {
    each_db(&lab::migrations(), async |t: TestDb| {
        let hospitals = edge::Hospitals::load(&t.db).await.unwrap();
        let vault = Arc::new(::store::Vault::parse(&::store::Vault::generate().unwrap()).unwrap());
        let channels = lab::channels(&t.db, &vault).await;
        let deps = Deps { db: t.db.clone(), hospitals, channels, public_url: "https://h.example.cn".into() };
        has(&checked(&deps).await, Level::Warn, "xinglin wechat set");
        let all = super::all(&deps).await;
        assert_eq!(all.sections.len(), 2);
        assert!(all.render(Lang::En).contains("0 entries, all of them whole."));
    })
    .await;
}

#[tokio::test]
async fn an_audit_log_that_was_changed_is_found() {
    each_db(&lab::migrations(), async |t: TestDb| {
        for entity in ["a", "b", "c"] {
            let mut tx = t.db.begin().await.unwrap();
            tx.audit(::store::AuditEntry {
                hospital: lab::H,
                actor: "system".into(),
                action: "test",
                entity: entity.into(),
                detail: json!({}),
                request_id: "r".into(),
                source: "s".into(),
            })
            .await
            .unwrap();
            tx.commit().await.unwrap();
        }
        while ::store::audit::link(&t.db).await.unwrap() > 0 {}
        assert_eq!(super::audit(&t.db).await.worst(), Level::Ok);
        lab::change(&t.db, "UPDATE audit SET entity = 'x' WHERE entity = 'b'", vec![]).await;
        let report = super::audit(&t.db).await;
        assert_eq!(report.worst(), Level::Fail);
        assert!(report.render(Lang::En).contains("was changed"), "{}", report.render(Lang::En));
    })
    .await;
}

#[test]
fn addresses_that_wechat_can_call() {
    let level = |url: &str| judge::public_address(url).level;
    assert_eq!(level("https://wx.hospital.cn"), Level::Ok);
    assert_eq!(level("https://wx.hospital.cn:443"), Level::Ok);
    assert_eq!(level("http://wx.hospital.cn"), Level::Warn);
    for bad in [
        "https://wx.hospital.cn:8443",
        "http://localhost:8080",
        "https://10.1.2.3",
        "https://[::1]",
        "http://p1.localhost",
        "wx.hospital.cn",
    ] {
        assert_eq!(level(bad), Level::Fail, "{bad}");
    }
}

#[test]
fn what_our_own_address_answers() {
    let level = |answer: Result<(u16, &str), &str>| {
        let answer = answer.map(|(status, body)| (status, body.to_owned())).map_err(str::to_owned);
        judge::own_call("https://h/wechat/main", "echo", answer).level
    };
    assert_eq!(level(Ok((200, "echo"))), Level::Ok);
    for bad in [
        Ok((200, "<html>")),
        Ok((301, "")),
        Ok((403, "")),
        Ok((404, "")),
        Ok((502, "")),
        Err("connection refused"),
    ] {
        assert_eq!(level(bad), Level::Fail, "{bad:?}");
    }
}

#[test]
fn a_ping_that_is_dropped_is_no_fault() {
    let dns = vec![Resolved { ip: "203.0.113.7".into(), ..Resolved::default() }];
    let ping = |loss: &str| Ping { package_loss: loss.into(), ..Ping::default() };
    let level = |pings: Vec<Ping>| judge::reach(&Reachability { dns: dns.clone(), ping: pings }).level;
    assert_eq!(level(vec![]), Level::Ok);
    assert_eq!(level(vec![ping("100%"), ping("20%")]), Level::Ok);
    assert_eq!(level(vec![ping("100%"), ping("100%")]), Level::Note);
    assert_eq!(judge::reach(&Reachability::default()).level, Level::Fail);
}

#[test]
fn templates_are_compared_field_by_field() {
    let template = |id: &str, content: &str| PrivateTemplate {
        template_id: id.into(),
        title: "预约成功通知".into(),
        content: content.into(),
        example: String::new(),
    };
    let mapping = |kind, id: &str, fields: &[&str]| Mapping {
        kind,
        template_id: id.into(),
        fields: fields.iter().map(|key| ((*key).to_owned(), "time".to_owned())).collect(),
    };
    let there = [template("a", "{{thing1.DATA}}{{time2.DATA}}"), template("b", "{{time1.DATA}}")];
    let lines = judge::templates(
        &there,
        &[
            mapping(Kind::AppointmentConfirmed, "a", &["thing1", "time2"]),
            mapping(Kind::AppointmentCancelled, "a", &["thing1", "time3"]),
            mapping(Kind::AppointmentReminder, "gone", &["time1"]),
        ],
    );
    let texts: Vec<(Level, &str)> = lines.iter().map(|line| (line.level, line.found.en.as_str())).collect();
    assert_eq!(
        texts,
        [
            (Level::Ok, "Template messages: booked"),
            (Level::Fail, "The template for “cancelled” (预约成功通知) has other fields: time2, time3"),
            (Level::Fail, "The template for “reminder” is not in the account any more"),
            (
                Level::Warn,
                "No template for: moved, clinic called off, clinic takes place after all, another doctor (only SMS is left)"
            ),
        ]
    );
}

#[test]
fn a_menu_that_leads_elsewhere_is_shown() {
    let view = |url: &str| Button { name: "n".into(), action: Action::View(url.into()) };
    let level =
        |buttons: Vec<Button>| judge::menu(Some(&Menu { buttons }), "https://wx.hospital.cn/h/east").level;
    assert_eq!(level(vec![view("https://wx.hospital.cn/departments")]), Level::Ok);
    let inside = Button { name: "m".into(), action: Action::Lines(vec![view("https://other.cn/")]) };
    assert_eq!(level(vec![view("https://wx.hospital.cn/"), inside]), Level::Note);
    assert_eq!(level(vec![]), Level::Warn);
    assert_eq!(judge::menu(None, "https://wx.hospital.cn").level, Level::Warn);
}

#[test]
fn errors_are_told_without_secrets_and_in_both_languages() {
    let what = Text2::new("取 access_token", "Getting an access token");
    let invalid =
        wechat::api::Error::Invalid { field: "button[0].name".into(), reason: "must be 1 to 16 bytes" };
    for error in [wechat::api::Error::Status { status: 502 }, wechat::api::Error::TokenBusy, invalid] {
        let Line { level, found, .. } = judge::trouble(&what, &error);
        assert!(level >= Level::Warn);
        assert!(
            found.zh.starts_with("取 access_token：") && found.en.starts_with("Getting an access token: "),
            "{found:?}"
        );
    }
    assert!(judge::is_real(&wechat::api::Bases::default()));
    assert!(!judge::is_real(&wechat::api::Bases::all_at("http://127.0.0.1:9")));
}
