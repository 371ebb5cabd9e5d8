//! A3, A8, A9: the people of an account, and signing in.

use std::time::Duration;

use base::Lang;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, Hospital, Phone, Someone, each_hospital};

/// The form for somebody who is on file already.
fn on_file(name: &str, phone: &str, code: &str) -> Value {
    json!({"name": name, "phone": phone, "code": code, "relation": "self", "consent_version": "2026-11"})
}

async fn binds(phone: &Phone, name: &str) -> Answer {
    let _sent = phone.asks_person_code(&phone.number).await.expect(202);
    let code = phone.receives_code().await;
    phone.post("/api/v1/persons/bind", on_file(name, &phone.number, &code)).await
}

/// A patient whom the hospital knows is bound by name, phone and code, and nobody learns who is on file.
#[tokio::test(flavor = "multi_thread")]
async fn a_known_patient_is_bound_on_one_page() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.phone("李娜").await;
        let person = hospital.on_file(&Someone::adult("李娜"), Some(&phone.number)).await;
        let _session = phone.signs_in().await;
        let bound = binds(&phone, "李娜").await.expect(200);
        assert_eq!((bound.id(), &bound["verified"]), (person.to_string().as_str(), &json!(true)));
        hospital.passes(Duration::from_secs(61)).await;
        let _twice = binds(&phone, "李娜").await.refused(409, "already_bound");
        let visit = phone.books(&hospital.slot(&hospital.site.dr_li, 1, "08:00").await, bound.id()).await;
        assert_eq!(visit.expect(201)["person_name_masked"], "李*");
    })
    .await;
}

/// A wrong name and a phone that is on no file are answered alike, to the byte, and only so often.
#[tokio::test(flavor = "multi_thread")]
async fn guessing_who_is_on_file_leads_nowhere() {
    each_hospital(async |hospital: &Hospital| {
        let known = hospital.phone("李娜").await;
        hospital.on_file(&Someone::adult("李娜"), Some(&known.number)).await;
        let unknown = hospital.phone("王强").await;
        for phone in [&known, &unknown] {
            let _session = phone.signs_in().await;
        }
        let wrong_name = binds(&known, "赵敏").await.refused(404, "no_match");
        let no_such_phone = binds(&unknown, "赵敏").await.refused(404, "no_match");
        let body = |answer: &Answer| {
            let mut body = answer.json.clone();
            body.as_object_mut().unwrap().remove("request_id");
            body
        };
        assert_eq!(body(&wrong_name), body(&no_such_phone));
        // The same code serves a second try; after five wrong names a day's patience is over, even for the right one.
        let _sent = hospital.passes(Duration::from_secs(61)).await;
        let _sent = known.asks_person_code(&known.number).await.expect(202);
        let code = known.receives_code().await;
        let tries =
            async |name: &str| known.post("/api/v1/persons/bind", on_file(name, &known.number, &code)).await;
        for name in ["钱一", "孙二", "周三", "吴四"] {
            let _wrong = tries(name).await.refused(404, "no_match");
        }
        let over = tries("李娜").await.refused(429, "too_many_tries");
        assert!(
            over.number_at("retry_after_s") > 0 && !over.header("retry-after").is_empty(),
            "{}",
            over.text
        );
    })
    .await;
}

/// Two of the same name on one phone are told apart by the last four of the document.
#[tokio::test(flavor = "multi_thread")]
async fn two_of_the_same_name_are_told_apart() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.phone("李娜").await;
        let (one, two) = (Someone::adult("李娜"), Someone::born("李娜", "1960-01-01"));
        hospital.on_file(&one, Some(&phone.number)).await;
        let wanted = hospital.on_file(&two, Some(&phone.number)).await;
        let _session = phone.signs_in().await;
        let _which = binds(&phone, "李娜").await.refused(409, "document_needed");
        hospital.passes(Duration::from_secs(61)).await;
        let _sent = phone.asks_person_code(&phone.number).await.expect(202);
        let mut form = on_file("李娜", &phone.number, &phone.receives_code().await);
        let last4 = |who: &Someone| who.number[14..].to_owned();
        let wrong = ["0000", "1111", "2222"]
            .into_iter()
            .find(|tail| ![last4(&one), last4(&two)].contains(&(*tail).to_owned()));
        form["document_last4"] = json!(wrong.unwrap());
        let _wrong = phone.post("/api/v1/persons/bind", form.clone()).await.refused(404, "no_match");
        form["document_last4"] = json!(last4(&two).to_lowercase());
        let bound = phone.post("/api/v1/persons/bind", form).await.expect(200);
        assert_eq!(bound.id(), wanted.to_string());
    })
    .await;
}

/// Who has somebody else's document number gets no further with it, and does not learn whose it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_bound_only_by_all_that_is_on_file() {
    each_hospital(async |hospital: &Hospital| {
        let owner = Someone::adult("李娜");
        hospital.on_file(&owner, Some("13912345678")).await;
        let thief = hospital.phone("王强").await;
        let _session = thief.signs_in().await;
        let with_her_name = thief.adds(&owner).await.refused(409, "document_taken");
        hospital.passes(Duration::from_secs(61)).await;
        let with_his_name = Someone { name: "王强".into(), ..owner };
        let with_his_name = thief.adds(&with_his_name).await.refused(409, "document_taken");
        assert_eq!(with_her_name["detail"], with_his_name["detail"]);
        assert!(thief.get("/api/v1/persons").await.good().items().is_empty());
    })
    .await;
}

/// One phone, several people: relations, guardians, the default, and not more than five.
#[tokio::test(flavor = "multi_thread")]
async fn a_family_on_one_phone() {
    each_hospital(async |hospital: &Hospital| {
        let mut mother = hospital.phone("李娜").await;
        let _session = mother.signs_in().await;
        // A child under fourteen needs the guardian's separate consent, and holds no account of its own.
        let child = Someone::child("李小宝");
        let _sent = mother.asks_person_code(&mother.number).await.expect(202);
        let code = mother.receives_code().await;
        let mut form = child.form(&mother.number, &code);
        form["guardian_consent"] = json!(false);
        let _asked =
            mother.post("/api/v1/persons", form.clone()).await.refused(422, "guardian_consent_required");
        form["guardian_consent"] = json!(true);
        form["relation"] = json!("self");
        let _too_young =
            mother.post("/api/v1/persons", form.clone()).await.refused(409, "guardian_too_young");
        form["relation"] = json!("child");
        let son = mother.post("/api/v1/persons", form).await.expect(201);
        assert_eq!((&son["is_default"], &son["minor"]), (&json!(true), &json!(true)), "the first is meant");
        hospital.passes(Duration::from_secs(61)).await;
        let me = mother.adds_person(&Someone::adult("李娜")).await;
        for (name, relation) in [("李建国", "parent"), ("王秀英", "parent"), ("王强", "spouse")] {
            hospital.passes(Duration::from_secs(61)).await;
            let _added = mother.adds(&Someone::born(name, "1961-02-03").who_is(relation)).await.expect(201);
        }
        // Five codes a day for a phone: the sixth is not sent, whatever for.
        hospital.passes(Duration::from_secs(61)).await;
        let limit = mother.asks_person_code(&mother.number).await.refused(429, "sms_limit");
        assert!(limit.number_at("retry_after_s") > 3600, "{}", limit.text);
        hospital.becomes(1, "09:00").await;
        let _session = mother.signs_in().await;
        let sixth = mother
            .adds(&Someone::born("李老太", "1935-05-05").who_is("parent"))
            .await
            .refused(409, "person_limit");
        assert_eq!(sixth["limit"], 5);
        // The default person stands first, and can be another.
        let list = mother.get("/api/v1/persons").await.good();
        assert_eq!((list.items().len(), &list["limit"]), (5, &json!(5)));
        assert_eq!(list.items()[0]["id"], son.id());
        let path = format!("/api/v1/persons/{me}");
        assert_eq!(mother.patch(&path, json!({"is_default": true})).await.good()["is_default"], true);
        let list = mother.get("/api/v1/persons").await.good();
        assert_eq!(list.items()[0]["id"], me);
        assert_eq!(list.items().iter().filter(|p| p["is_default"] == true).count(), 1);
    })
    .await;
}

/// Unbinding warns when visits lie ahead; they stay valid, and whoever else is bound to the person still has them.
#[tokio::test(flavor = "multi_thread")]
async fn unbinding_keeps_the_visits() {
    each_hospital(async |hospital: &Hospital| {
        let grandmother = Someone::born("王秀英", "1950-06-01");
        let own = hospital.patient_who_is(grandmother.clone()).await;
        let mut daughter = hospital.phone("李娜").await;
        let _session = daughter.signs_in().await;
        // The daughter adds her with the phone that is on file; the code comes to the grandmother, who reads it out.
        let _sent = daughter.asks_person_code(&own.number).await.expect(202);
        let code = own.receives_code().await;
        let form = grandmother.clone().who_is("parent").form(&own.number, &code);
        let bound = daughter.post("/api/v1/persons", form).await.expect(201);
        assert_eq!(bound.id(), own.who(), "the same person, not another record");
        daughter.person = Some(bound.id().to_owned());
        let visit = daughter.gets(&hospital.slot(&hospital.site.dr_li, 2, "08:00").await).await;
        let path = format!("/api/v1/persons/{}", bound.id());
        let warned = daughter.delete(&path).await.refused(409, "has_appointments");
        assert_eq!(warned["count"], 1);
        let _gone = daughter.delete(&format!("{path}?confirm=true")).await.expect(204);
        let _nothing = daughter.appointment(visit.id()).await.refused(404, "not_found");
        assert!(daughter.upcoming().await.items().is_empty());
        let _not_theirs = daughter
            .takes(&hospital.slot(&hospital.site.dr_li, 4, "08:00").await)
            .await
            .refused(404, "person_not_bound");
        let _gone_already = daughter.delete(&path).await.refused(404, "not_found");
        let hers = own.appointment(visit.id()).await.good();
        assert_eq!(hers["state"], "booked");
        // Whoever is not bound any more is told nothing more.
        hospital.settle().await;
        let told = daughter.cards().await.len() + daughter.sms().await.len();
        let _cancelled = own.cancels(visit.id()).await.good();
        hospital.settle().await;
        assert_eq!(daughter.cards().await.len() + daughter.sms().await.len(), told);
    })
    .await;
}

/// In a plain browser the same pages sign in by phone and code, to the same kind of account.
#[tokio::test(flavor = "multi_thread")]
async fn a_plain_browser_signs_in_by_sms() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.phone("李娜").await;
        let browser = hospital.browser().await;
        let _bad = browser.asks_sign_in_code("12345").await.refused(422, "phone_invalid");
        let sent = browser.asks_sign_in_code(&format!("+86 {}", phone.number)).await.expect(202);
        assert_eq!((&sent["resend_after_s"], &sent["expires_in_s"]), (&json!(60), &json!(300)));
        let soon = browser.asks_sign_in_code(&phone.number).await.refused(429, "sms_too_soon");
        assert_eq!(soon["retry_after_s"], 60);
        let code = phone.receives_code().await;
        let wrong = if code == "000000" { "111111" } else { "000000" };
        let missed = browser.signs_in_with_code(&phone.number, wrong).await.refused(422, "code_wrong");
        assert_eq!(missed["tries_left"], 4);
        let session = browser.signs_in_with_code(&phone.number, &code).await.expect(200);
        assert_eq!((&session["channel"], &session["reachable"]), (&json!("sms"), &json!(false)));
        assert_eq!(session["phone_masked"], format!("{}****{}", &phone.number[..3], &phone.number[7..]));
        // A code serves once, also for whoever looked over the shoulder.
        let other = hospital.browser().await;
        let _used = other.signs_in_with_code(&phone.number, &code).await.refused(410, "code_expired");
        // Signing out ends it for good: the cookie is worth nothing any more.
        let cookie = browser.cookie("__Host-xl");
        let _out = browser.delete("/api/v1/session").await.expect(204);
        assert_eq!(browser.cookie("__Host-xl"), "");
        other.has_session(&cookie).await;
        let _over = other.get("/api/v1/persons").await.refused(401, "sign_in_required");
    })
    .await;
}

/// Codes run out after five minutes and five tries, and a stranger's phone can't be flooded.
#[tokio::test(flavor = "multi_thread")]
async fn codes_run_out() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.phone("李娜").await;
        let browser = hospital.browser().await;
        let _sent = browser.asks_sign_in_code(&phone.number).await.expect(202);
        let code = phone.receives_code().await;
        hospital.passes(Duration::from_secs(300)).await;
        let _late = browser.signs_in_with_code(&phone.number, &code).await.refused(410, "code_expired");
        let _sent = browser.asks_sign_in_code(&phone.number).await.expect(202);
        let code = phone.receives_code().await;
        let wrong = if code == "000000" { "111111" } else { "000000" };
        for left in [4, 3, 2, 1] {
            assert_eq!(browser.signs_in_with_code(&phone.number, wrong).await.refused(422, "code_wrong")["tries_left"], left);
        }
        let _fifth = browser.signs_in_with_code(&phone.number, wrong).await.refused(429, "too_many_tries");
        let _right_but_late = browser.signs_in_with_code(&phone.number, &code).await.refused(429, "too_many_tries");
        for _ in 0..3 {
            hospital.passes(Duration::from_secs(61)).await;
            let _sent = browser.asks_sign_in_code(&phone.number).await.expect(202);
        }
        hospital.passes(Duration::from_secs(61)).await;
        // From wherever it is asked: five a day is enough for a phone.
        let elsewhere = hospital.browser().await;
        let _enough = elsewhere.asks_sign_in_code(&phone.number).await.refused(429, "sms_limit");
        // And from one address twenty an hour, for whatever phones.
        let mut sent = 5;
        loop {
            let answer = browser.asks_sign_in_code(&format!("1380000{sent:04}")).await;
            if answer.status == 429 {
                let _limit = answer.refused(429, "sms_limit");
                break;
            }
            let _sent = answer.expect(202);
            sent += 1;
        }
        assert_eq!(sent, 20);
    })
    .await;
}

/// The choice of language is the account's: it holds on every device and in every message from then on.
#[tokio::test(flavor = "multi_thread")]
async fn language_is_the_accounts_choice() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.patient("李娜").await;
        assert_eq!(phone.looks_who_it_is().await["lang"], "zh");
        let changed = phone.patch("/api/v1/account", json!({"lang": "en", "elder": true})).await.good();
        assert_eq!((&changed["lang"], &changed["elder"]), (&json!("en"), &json!(true)));
        let _visit = phone.gets(&hospital.slot(&hospital.site.dr_li, 1, "08:00").await).await;
        assert_eq!(phone.receives_card("预约挂号成功通知").await.line("就诊医生"), "Li Ming");
        hospital.settle().await;
        assert!(phone.says("中文").await.starts_with("好的"), "in Chinese from now on");
        hospital.settle().await;
        assert_eq!(phone.looks_who_it_is().await["lang"], "zh");
        let _nonsense =
            phone.patch("/api/v1/account", json!({"lang": "fr"})).await.refused(422, "wrong_value");
        // Who has not signed in yet is answered in the browser's language.
        let browser = hospital.browser().await;
        browser.reads(Lang::En);
        assert_eq!(
            browser.get("/api/v1/persons").await.refused(401, "sign_in_required")["detail"],
            "Please sign in first."
        );
    })
    .await;
}

/// A session in the browser: its cookie, its end, and what a page of another site can do with it (nothing).
#[tokio::test(flavor = "multi_thread")]
async fn a_session_and_its_end() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.phone("李娜").await;
        let _session = phone.signs_in().await;
        let token = phone.cookie("__Host-xl");
        let _again = phone.signs_in().await;
        assert_ne!(phone.cookie("__Host-xl"), token, "a new token at every sign-in");
        let other = hospital.phone("王强").await;
        other.has_session(&token).await;
        let _old = other.get("/api/v1/persons").await.refused(401, "sign_in_required");
        // Changing requests carry the page's token.
        let patch = |csrf: &str| {
            phone.call(Method::PATCH, "/api/v1/account").header("x-csrf", csrf).json(&json!({"elder": true}))
        };
        let plain = hospital.phone("赵敏").await;
        let _no_page = {
            let _session = plain.signs_in().await;
            plain
                .call(Method::PATCH, "/api/v1/account")
                .header("origin", "https://evil.example")
                .json(&json!({}))
                .send()
                .await
                .refused(403, "cross_site")
        };
        let _two_tokens = patch("00000000000000000000000000000000").send().await;
        assert_eq!(phone.looks_who_it_is().await["elder"], true, "the page's own token came first");
        // Half an hour without a tap, and it is over; in WeChat the next one begins by itself.
        hospital.passes(Duration::from_secs(30 * 60)).await;
        let _over = phone.get("/api/v1/persons").await.refused(401, "sign_in_required");
        let _again = phone.signs_in().await;
    })
    .await;
}

/// What comes back from WeChat's page counts once, here, and in time.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_can_not_be_stolen_or_repeated() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.phone("李娜").await;
        // Out to WeChat's page …
        let out = phone.get("/auth/wechat?to=%2Fme").await.expect(302);
        let authorize = out.header("location").to_owned();
        let back = {
            let host = phone.origin().trim_start_matches("http://").split(':').next().unwrap().to_owned();
            let http = reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .build()
                .unwrap();
            let page = http.get(&authorize).header("host", host).send().await.unwrap();
            page.headers()["location"].to_str().unwrap().replace(&phone.origin(), "")
        };
        assert!(back.starts_with("/auth/wechat/callback?"), "{back}");
        // … and back in another browser: it is not the one that set out.
        let thief = hospital.browser().await;
        assert_eq!(problem_of(&thief.get(&back).await), "expired");
        let forged = back.replace("state=", "state=0");
        assert_eq!(problem_of(&phone.get(&forged).await), "expired");
        // In the right one it signs in, also when the browser asks twice …
        assert_eq!(phone.get(&back).await.expect(302).header("location"), "/me");
        let first = phone.looks_who_it_is().await;
        assert_eq!(phone.get(&back).await.expect(302).header("location"), "/me");
        assert_eq!(phone.looks_who_it_is().await["account_id"], first["account_id"]);
        // … but never with another's code, nor after the time for it.
        assert_eq!(problem_of(&phone.get(&back.replace("code=", "code=0")).await), "expired");
        let out = phone.get("/auth/wechat?to=%2Fme").await.expect(302);
        let state = out
            .header("location")
            .split("state=")
            .nth(1)
            .unwrap()
            .split(['&', '#'])
            .next()
            .unwrap()
            .to_owned();
        hospital.passes(Duration::from_secs(3600)).await;
        let late = format!("/auth/wechat/callback?to=%2Fme&code=whatever&state={state}");
        assert_eq!(problem_of(&phone.get(&late).await), "expired");
        // Nobody is sent elsewhere.
        let opened = phone.opens_signed_in("//evil.example/x").await;
        assert_eq!(opened.at, "/");
        // A snapshot page of WeChat's shows somebody who is nobody.
        hospital.sim.faults(json!({"snapshot_user": true})).await;
        let snapshot = hospital.phone("路人").await;
        let opened = snapshot.opens_signed_in("/me").await;
        assert!(opened.at.starts_with("/sign-in?problem=snapshot"), "{}", opened.at);
        assert_eq!(snapshot.looks_who_it_is().await["signed_in"], false);
        hospital.sim.behaves().await;
    })
    .await;
}

/// The code behind `/sign-in?problem=` that a redirect leads to.
fn problem_of(answer: &Answer) -> String {
    let to = answer.clone().expect(302).header("location").to_owned();
    let rest = to.strip_prefix("/sign-in?problem=").unwrap_or_else(|| panic!("{to}"));
    rest.split('&').next().unwrap().to_owned()
}
