//! Signing in through WeCom, against a WeCom that answers two calls.

use std::collections::HashMap;

use axum::extract::Query;
use axum::routing::get;
use axum::{Json, Router};
use base::Secret;
use edge::Role;
use people::ChannelKind;
use people::channel::{CallbackMode, Hosts, NewChannel};
use people::staff::settings::StaffSignIn;
use serde_json::{Value, json};
use store::testing::{TestDb, each_db};

use super::{STEP, secret, shown};
use crate::browser::Browser;
use crate::clinic::{self, Clinic, service_account};

async fn token(Query(query): Query<HashMap<String, String>>) -> Json<Value> {
    let right = query.get("corpid").is_some_and(|c| c == "ww01")
        && query.get("corpsecret").is_some_and(|s| s == "corp-secret");
    Json(if right {
        json!({"errcode": 0, "access_token": "t", "expires_in": 7200})
    } else {
        json!({"errcode": 40001, "errmsg": "invalid credential"})
    })
}

/// Codes say themselves whose they are: `c-{userid}~{anything}`.
async fn who(Query(query): Query<HashMap<String, String>>) -> Json<Value> {
    let code = query.get("code").cloned().unwrap_or_default();
    Json(match code.split('~').next().and_then(|c| c.strip_prefix("c-")) {
        _ if query.get("access_token").is_none_or(|t| t != "t") => {
            json!({"errcode": 40014, "errmsg": "invalid access_token"})
        }
        Some("outsider") => json!({"errcode": 0, "openid": "o1"}),
        Some(userid) => json!({"errcode": 0, "userid": userid}),
        None => json!({"errcode": 40029, "errmsg": "invalid code"}),
    })
}

async fn with_wecom(clinic: Clinic) -> Clinic {
    let app =
        Router::new().route("/cgi-bin/gettoken", get(token)).route("/cgi-bin/auth/getuserinfo", get(who));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let application = NewChannel {
        name: "staff".into(),
        kind: ChannelKind::Wecom,
        app_id: "ww01".into(),
        original_id: "1000002".into(),
        secret: Secret::new("corp-secret"),
        mode: CallbackMode::Wecom,
        hosts: Some(Hosts::all_at(&base)),
        ..service_account(&base)
    };
    clinic.add_channel(&application).await;
    clinic
}

/// Sets out and comes back with a code; gives where it leads.
async fn goes(browser: &mut Browser, out: &str, code: &str) -> String {
    let page = browser.get(out).await.location();
    back(browser, &page, code).await
}

async fn back(browser: &mut Browser, page: &str, code: &str) -> String {
    let parts: HashMap<String, String> = page
        .split_once('?')
        .unwrap()
        .1
        .split(['&', '#'])
        .filter_map(|pair| pair.split_once('='))
        .map(|(k, v)| {
            (k.to_owned(), percent_encoding::percent_decode_str(v).decode_utf8().unwrap().into_owned())
        })
        .collect();
    let home = parts["redirect_uri"].clone();
    let path = home.split_once(":8080").unwrap().1;
    browser.get(&format!("{path}&code={code}&state={}", parts["state"])).await.location()
}

#[tokio::test]
async fn who_stands_on_the_list_comes_in() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = with_wecom(Clinic::open(&t).await).await;
        clinic.has_staff("lin", &[Role::Nurse]).await;
        let mut browser = clinic.browser();
        assert_eq!(browser.staff_session().await["wecom_available"], true);
        let page = browser.get("/auth/wecom?to=/console/queue").await.location();
        assert!(page.contains("/wwlogin/sso/login?login_type=CorpApp&appid=ww01&agentid=1000002"), "{page}");
        assert_eq!(back(&mut browser, &page, "c-LIN~1").await, "/console/queue");
        let session = browser.staff_session().await;
        assert_eq!((&session["me"]["login"], &session["me"]["way"]), (&json!("lin"), &json!("wecom")));
        // Asked for again: the same session.
        let token = browser.token().unwrap().clone();
        assert_eq!(back(&mut browser, &page, "c-LIN~1").await, "/console/queue");
        assert_eq!(browser.token(), Some(&token));
        assert_eq!(browser.staff_session().await["signed_in"], true);
        // Another code with the same state is none of ours.
        assert!(back(&mut browser, &page, "c-lin~2").await.contains("problem=expired"));
    })
    .await;
}

#[tokio::test]
async fn strangers_and_forged_returns_stay_out() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = with_wecom(Clinic::open(&t).await).await;
        let id = clinic.has_staff("lin", &[Role::Nurse]).await;
        let mut browser = clinic.browser();
        for (code, problem) in [
            ("c-nobody~1", "wecom_unknown"),
            ("c-outsider~1", "wecom_unknown"),
            ("bad", "wecom"),
            ("", "denied"),
        ] {
            let at = goes(&mut browser, "/auth/wecom", code).await;
            assert_eq!(at, format!("/console/sign-in?problem={problem}&to=%2Fconsole%2F"), "{code}");
        }
        // The state is bound to the browser.
        let page = browser.get("/auth/wecom").await.location();
        let mut other = clinic.browser();
        assert!(back(&mut other, &page, "c-lin~9").await.contains("problem=expired"));
        assert_eq!(other.staff_session().await["signed_in"], false);
        let mut shen = clinic.at_work(&t, "shen", &[Role::SecurityAdmin]).await;
        shen.patch(&format!("/api/v1/staff/members/{id}"), json!({"state": "locked"})).await.is(200);
        assert!(goes(&mut browser, "/auth/wecom", "c-lin~10").await.contains("problem=not_active"));
        clinic.set(StaffSignIn::SECTION, &StaffSignIn { wecom: false, ..StaffSignIn::default() }).await;
        assert!(browser.get("/auth/wecom").await.location().contains("problem=wecom_off"));
        assert_eq!(browser.staff_session().await["wecom_available"], false);
    })
    .await;
}

#[tokio::test]
async fn administrators_show_their_second_factor_too() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = with_wecom(Clinic::open(&t).await).await;
        clinic.has_staff("shen", &[Role::SecurityAdmin]).await;
        t.pass(STEP);
        let mut browser = clinic.browser();
        let at = goes(&mut browser, "/auth/wecom?to=/console/staff", "c-shen~1").await;
        let ticket = at.strip_prefix("/console/sign-in?to=%2Fconsole%2Fstaff#ticket=").unwrap();
        assert_eq!(browser.staff_session().await["signed_in"], false);
        let answer = browser.second_factor(&json!(ticket), &shown(&t, &secret())).await.is(200);
        assert_eq!(answer["session"]["me"]["way"], "wecom");
        clinic
            .set(
                StaffSignIn::SECTION,
                &StaffSignIn { wecom_alone_for_administrators: true, ..StaffSignIn::default() },
            )
            .await;
        let mut browser = clinic.browser();
        assert_eq!(goes(&mut browser, "/auth/wecom", "c-shen~2").await, "/console/");
        assert_eq!(browser.staff_session().await["signed_in"], true);
    })
    .await;
}

#[tokio::test]
async fn somebody_ties_their_own_account() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = with_wecom(Clinic::open(&t).await).await;
        let mut lin = clinic.at_work(&t, "lin", &[Role::Nurse]).await;
        clinic.has_staff("other", &[Role::Nurse]).await;
        lin.delete("/api/v1/staff/me/wecom").await.is(204);
        assert_eq!(lin.staff_session().await["me"]["wecom"], false);
        let out = "/auth/wecom?to=/console/me&bind=1";
        assert_eq!(goes(&mut lin, out, "c-other~1").await, "/console/me?problem=wecom_taken");
        assert_eq!(goes(&mut lin, out, "c-linruoshui~1").await, "/console/me");
        assert_eq!(lin.staff_session().await["me"]["wecom"], true);
        // A return for signing in is none for tying, and nobody ties without a session.
        let page = lin.get("/auth/wecom?to=/console/me").await.location();
        let page = page.replace("to%3D%252Fconsole%252Fme", "to%3D%252Fconsole%252Fme%26bind%3D1");
        assert!(back(&mut lin, &page, "c-linruoshui~2").await.contains("problem=expired"));
        let mut nobody = clinic.browser();
        assert!(nobody.get(out).await.location().contains("/console/me?problem=expired"));
        let mut browser = clinic.browser();
        assert_eq!(goes(&mut browser, "/auth/wecom", "c-linruoshui~3").await, "/console/");
    })
    .await;
}
