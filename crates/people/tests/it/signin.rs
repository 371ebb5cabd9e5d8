//! Signing in by SMS, signing out, and what a session tells.

use people::settings::SignInRules;
use serde_json::json;
use store::testing::{TestDb, each_db};

use crate::clinic::{self, ACCOUNTS, Clinic, MINUTE, SESSIONS};

const PHONE: &str = "13800138000";

#[tokio::test]
async fn nobody_is_nobody() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut browser = clinic.browser();
        let body = browser.session().await;
        let want = json!({"signed_in": false, "csrf": "", "lang": "zh", "wechat_available": false,
                          "phone_masked": null, "default_person_id": null});
        assert_eq!(body, want);
        browser.lang = "en-GB,en";
        assert_eq!(browser.session().await["lang"], "en");
        browser.get("/api/v1/persons").await.problem(401, "sign_in_required");
        browser.post("/api/v1/persons/code", json!({"phone": PHONE})).await.problem(401, "sign_in_required");
        browser.patch("/api/v1/account", json!({"elder": true})).await.problem(401, "sign_in_required");
        assert_eq!(browser.delete("/api/v1/session").await.status, 204);
    })
    .await;
}

#[tokio::test]
async fn a_phone_finds_its_account_again() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut browser = clinic.browser();
        browser.lang = "en";
        let first = browser.sign_in(PHONE).await;
        assert_eq!((&first["signed_in"], &first["channel"]), (&true.into(), &"sms".into()));
        assert_eq!(first["phone_masked"], "138****8000");
        assert_eq!((&first["lang"], &first["elder"]), (&"en".into(), &false.into()), "as the browser speaks");
        assert_eq!((&first["persons"], &first["reachable"]), (&json!([]), &false.into()));
        let sms = clinic.inbox.last(PHONE).unwrap();
        assert_eq!((sms.lang, sms.purpose), (base::Lang::En, people::CodePurpose::SignIn));
        let session = browser.session().await;
        assert_eq!(session["account_id"], first["account_id"]);
        t.pass(MINUTE);
        let mut other = clinic.browser();
        let second = other.sign_in("008613800138000").await;
        assert_eq!(second["account_id"], first["account_id"]);
        assert_eq!(second["lang"], "en", "known by now");
        assert_ne!(other.token(), browser.token());
        assert_eq!((clinic.count(ACCOUNTS).await, clinic.count(SESSIONS).await), (1, 2));
        let audited = clinic.audited(first["account_id"].as_str().unwrap()).await;
        let signed: Vec<_> = audited.iter().map(|(a, d)| (a.as_str(), d["new"].clone())).collect();
        assert_eq!(signed, [("account.sign_in", true.into()), ("account.sign_in", false.into())]);
    })
    .await;
}

#[tokio::test]
async fn signing_in_again_ends_the_session_before() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut browser = clinic.signed_in(PHONE).await;
        let old = browser.clone();
        t.pass(MINUTE);
        browser.post("/api/v1/session/sms", json!({"phone": PHONE})).await.is(202);
        let code = clinic.inbox.code(PHONE);
        let answer = browser.post("/api/v1/session/phone", json!({"phone": PHONE, "code": code})).await;
        let cookie = answer.headers["set-cookie"].to_str().unwrap();
        for part in ["__Host-xl=", "HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
            assert!(cookie.contains(part), "{part} in {cookie}");
        }
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_ne!(old.token(), browser.token());
        let mut old = old;
        assert_eq!(old.session().await["signed_in"], false);
        assert_eq!(browser.session().await["signed_in"], true);
    })
    .await;
}

#[tokio::test]
async fn two_who_type_the_same_code_are_one() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        clinic.browser().post("/api/v1/session/sms", json!({"phone": PHONE})).await.is(202);
        let code = clinic.inbox.code(PHONE);
        let mut tries = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let (mut browser, code) = (clinic.browser(), code.clone());
            tries.spawn(async move {
                let body = json!({"phone": PHONE, "code": code});
                browser.post("/api/v1/session/phone", body).await.status.as_u16()
            });
        }
        let statuses = tries.join_all().await;
        assert_eq!(statuses.iter().filter(|s| **s == 200).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|s| **s == 410).count(), 3, "{statuses:?}");
        assert_eq!((clinic.count(ACCOUNTS).await, clinic.count(SESSIONS).await), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn signing_out() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut browser = clinic.signed_in(PHONE).await;
        let csrf = std::mem::take(&mut browser.csrf);
        browser.delete("/api/v1/session").await.problem(403, "csrf_missing");
        browser.csrf = csrf;
        assert_eq!(browser.delete("/api/v1/session").await.status, 204);
        assert_eq!(browser.token(), None, "the cookie is taken back");
        assert_eq!(clinic.count(SESSIONS).await, 0);
        assert_eq!(browser.session().await["signed_in"], false);
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut browser = clinic.signed_in(PHONE).await;
        for _ in 0..3 {
            t.pass(MINUTE * 29);
            assert_eq!(browser.session().await["signed_in"], true);
        }
        t.pass(MINUTE * 31);
        assert_eq!(browser.session().await["signed_in"], false);
        let rules = SignInRules { idle_minutes: 5, ..SignInRules::default() };
        clinic.set(SignInRules::SECTION, &rules).await;
        browser.sign_in(PHONE).await;
        t.pass(MINUTE * 6);
        assert_eq!(browser.session().await["signed_in"], false);
    })
    .await;
}

#[tokio::test]
async fn bad_input_has_its_own_problem() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut browser = clinic.browser();
        for phone in ["", "12800138000", "1380013800", "+1 212 555 0100", "一三八", &"1".repeat(5000)] {
            let body = browser.post("/api/v1/session/sms", json!({"phone": phone})).await;
            assert_eq!(body.problem(422, "phone_invalid")["fields"][0]["field"], "phone");
            let body = json!({"phone": phone, "code": "123456"});
            browser.post("/api/v1/session/phone", body).await.problem(422, "phone_invalid");
        }
        let path = "/api/v1/session/phone";
        browser.post(path, json!({"phone": PHONE})).await.problem(422, "missing_field");
        browser.post(path, json!({"phone": PHONE, "code": 123456})).await.problem(422, "wrong_type");
        browser.post(path, json!({"phone": PHONE, "code": "1", "x": 1})).await.problem(422, "unknown_field");
        browser.send_text("POST", path, Some("{".into())).await.problem(400, "json_malformed");
        browser.send("PUT", path, Some(json!({}))).await.problem(405, "method_not_allowed");
        assert_eq!(clinic.inbox.count(), 0);
        // The sentence is in the caller's language.
        browser.lang = "en";
        let body =
            browser.post("/api/v1/session/sms", json!({"phone": "1"})).await.problem(422, "phone_invalid");
        assert!(body["detail"].as_str().unwrap().starts_with("Please enter"), "{body}");
    })
    .await;
}

#[tokio::test]
async fn a_hospital_may_do_without_sms() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        clinic.set(SignInRules::SECTION, &SignInRules { sms: false, ..SignInRules::default() }).await;
        let mut browser = clinic.browser();
        browser.post("/api/v1/session/sms", json!({"phone": PHONE})).await.problem(404, "sms_off");
        let body = json!({"phone": PHONE, "code": "123456"});
        browser.post("/api/v1/session/phone", body).await.problem(404, "sms_off");
    })
    .await;
}

#[tokio::test]
async fn language_and_elder_mode_are_the_accounts() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut browser = clinic.signed_in(PHONE).await;
        let body = browser.patch("/api/v1/account", json!({"lang": "en", "elder": true})).await.is(200);
        assert_eq!((&body["lang"], &body["elder"]), (&"en".into(), &true.into()));
        let body = browser.patch("/api/v1/account", json!({"elder": false})).await.is(200);
        assert_eq!((&body["lang"], &body["elder"]), (&"en".into(), &false.into()), "what is left out stays");
        browser.patch("/api/v1/account", json!({"lang": "en"})).await.is(200);
        let events = clinic.events("people.language").await;
        assert_eq!(events, [json!({"account": body["account_id"], "lang": "en"})], "told once");
        browser.patch("/api/v1/account", json!({"lang": "fr"})).await.problem(422, "wrong_value");
        browser.patch("/api/v1/account", json!({"elder": "yes"})).await.problem(422, "wrong_type");
        browser.patch("/api/v1/account", json!({"name": "x"})).await.problem(422, "unknown_field");
        // Another browser of the same account sees it, whatever it speaks itself.
        t.pass(MINUTE);
        let mut other = clinic.browser();
        assert_eq!(other.sign_in(PHONE).await["lang"], "en");
    })
    .await;
}
