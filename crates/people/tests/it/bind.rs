//! Binding persons whom the hospital has on file, by name and phone.

use base::Date;
use people::documents::{Document, Mobile};
use people::names::RealName;
use people::patients::{self, NewPatient};
use people::settings::CodeRules;
use people::{DocumentKind, PersonId, Relation, Sex};
use serde_json::{Value, json};
use store::testing::{TestDb, each_db};

use crate::clinic::{
    self, Answer, Browser, CONSENT, Clinic, DAY, H, LIVE_BINDINGS, MINUTE, PERSONS, resident, with,
};

const PHONE: &str = "13800138000";
const ON_FILE: &str = "13900139000";

fn today() -> Date {
    "2026-11-23".parse().unwrap()
}

fn patient(name: &str, number: Option<&str>, phone: Option<&str>) -> NewPatient {
    NewPatient {
        name: RealName::parse(name).unwrap(),
        document: number.map(|n| Document::parse(DocumentKind::ResidentId, n, None, today()).unwrap()),
        birth: None,
        sex: Sex::Unknown,
        phone: phone.map(|p| Mobile::parse(p).unwrap()),
        verified: true,
    }
}

async fn on_file(clinic: &Clinic, new: &NewPatient) -> PersonId {
    let mut tx = clinic.db.begin().await.unwrap();
    let id = patients::add(&mut tx, &clinic.vault, H, new).await.unwrap();
    tx.commit().await.unwrap();
    id
}

fn body(name: &str, phone: &str, code: &str) -> Value {
    json!({"name": name, "phone": phone, "code": code, "relation": "parent", "consent_version": CONSENT})
}

async fn bind(browser: &mut Browser, name: &str, phone: &str) -> Answer {
    let code = browser.person_code(phone).await;
    browser.post("/api/v1/persons/bind", body(name, phone, &code)).await
}

#[tokio::test]
async fn a_patient_on_file_is_found() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let number = resident("1950-01-01", 1);
        let id = on_file(&clinic, &patient("赵奶奶", Some(&number), Some(ON_FILE))).await;
        assert_eq!(
            on_file(&clinic, &patient("赵奶奶", Some(&number), Some(ON_FILE))).await,
            id,
            "on file once"
        );
        let mut browser = clinic.signed_in(PHONE).await;
        let person = bind(&mut browser, "赵 奶奶", "+86 139 0013 9000").await.is(200);
        assert_eq!(person["id"], id.to_string());
        assert_eq!((&person["name"], &person["verified"]), (&"赵奶奶".into(), &true.into()));
        assert_eq!((&person["relation"], &person["is_default"]), (&"parent".into(), &true.into()));
        assert_eq!((&person["age"], &person["bookable"]), (&76.into(), &true.into()));
        assert_eq!(clinic.audited(&id.to_string()).await.len(), 1);
        t.pass(MINUTE);
        bind(&mut browser, "赵奶奶", ON_FILE).await.problem(409, "already_bound");
        // The same request once more, as after a lost answer.
        let mut second = clinic.signed_in("13700137000").await;
        t.pass(MINUTE);
        let code = second.person_code(ON_FILE).await;
        let once = second.post("/api/v1/persons/bind", body("赵奶奶", ON_FILE, &code)).await.is(200);
        let twice = second.post("/api/v1/persons/bind", body("赵奶奶", ON_FILE, &code)).await.is(200);
        assert_eq!(once, twice);
        assert_eq!((clinic.count(PERSONS).await, clinic.count(LIVE_BINDINGS).await), (1, 2));
    })
    .await;
}

#[tokio::test]
async fn who_is_on_file_does_not_show() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        on_file(&clinic, &patient("赵奶奶", Some(&resident("1950-01-01", 1)), Some(ON_FILE))).await;
        let mut browser = clinic.signed_in(PHONE).await;
        let mut answers = Vec::new();
        // The phone is on file, the name is on file, neither is.
        for (name, phone) in [("赵爷爷", ON_FILE), ("赵奶奶", "13500135000"), ("孙大圣", "13600136000")]
        {
            t.pass(MINUTE);
            let answer = bind(&mut browser, name, phone).await;
            let names: Vec<_> =
                answer.headers.iter().map(|(k, _)| k.to_string()).filter(|k| k != "x-request-id").collect();
            let mut body = answer.problem(404, "no_match");
            body["request_id"] = Value::Null;
            answers.push((body, names));
        }
        assert!(answers.iter().all(|a| *a == answers[0]), "{answers:?}");
        // Sending a code is the same for all, too.
        t.pass(MINUTE);
        let known = browser.post("/api/v1/persons/code", json!({"phone": ON_FILE})).await.is(202);
        let unknown = browser.post("/api/v1/persons/code", json!({"phone": "13511111111"})).await.is(202);
        assert_eq!(known, unknown);
        assert_eq!(clinic.count(LIVE_BINDINGS).await, 0);
    })
    .await;
}

#[tokio::test]
async fn names_can_not_be_guessed() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let many = CodeRules { per_phone_day: 50, per_account_day: 50, ..CodeRules::default() };
        clinic.set(CodeRules::SECTION, &many).await;
        on_file(&clinic, &patient("赵奶奶", Some(&resident("1950-01-01", 1)), Some(ON_FILE))).await;
        let mut browser = clinic.signed_in(PHONE).await;
        let code = browser.person_code(ON_FILE).await;
        // One code serves for a slip or two: each name costs a try of it.
        for name in ["赵一", "赵二", "赵三"] {
            browser.post("/api/v1/persons/bind", body(name, ON_FILE, &code)).await.problem(404, "no_match");
        }
        t.pass(MINUTE);
        for name in ["赵四", "赵五"] {
            bind(&mut browser, name, ON_FILE).await.problem(404, "no_match");
            t.pass(MINUTE);
        }
        // Five wrong names: nothing more today, not even the right one.
        let left =
            bind(&mut browser, "赵奶奶", ON_FILE).await.problem(429, "too_many_tries")["retry_after_s"]
                .clone();
        assert_eq!(left, 86_400 - 180);
        // Nor for another account with the same phone, nor for this account with another phone.
        t.pass(MINUTE);
        let mut other = clinic.signed_in("13700137000").await;
        t.pass(MINUTE);
        bind(&mut other, "赵奶奶", ON_FILE).await.problem(429, "too_many_tries");
        bind(&mut browser, "赵奶奶", "13511111111").await.problem(429, "too_many_tries");
        t.pass(DAY);
        browser.sign_in(PHONE).await;
        t.pass(MINUTE);
        bind(&mut browser, "赵奶奶", ON_FILE).await.is(200);
    })
    .await;
}

#[tokio::test]
async fn a_household_that_shares_phone_and_name() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let (old, young) = (resident("1950-01-01", 1), resident("1980-01-01", 2));
        on_file(&clinic, &patient("王芳", Some(&old), Some(ON_FILE))).await;
        let second = on_file(&clinic, &patient("王芳", Some(&young), Some(ON_FILE))).await;
        let mut browser = clinic.signed_in(PHONE).await;
        let code = browser.person_code(ON_FILE).await;
        let path = "/api/v1/persons/bind";
        let request = body("王芳", ON_FILE, &code);
        browser.post(path, request.clone()).await.problem(409, "document_needed");
        let last4 = |text: &str| with(request.clone(), "document_last4", text.into());
        browser.post(path, last4("0000")).await.problem(404, "no_match");
        let person = browser.post(path, last4(&young[14..].to_lowercase())).await.is(200);
        assert_eq!(person["id"], second.to_string());
        // Or by the whole document, with the code that is at hand still for another person.
        t.pass(MINUTE);
        let added = browser.add("王芳", &old, ON_FILE, "parent").await.is(201);
        assert_eq!((clinic.count(PERSONS).await, &added["verified"]), (2, &true.into()));
    })
    .await;
}

#[tokio::test]
async fn whoever_has_no_document_on_file_brings_it() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let id = on_file(&clinic, &patient("周伯通", None, Some(ON_FILE))).await;
        let mut browser = clinic.signed_in(PHONE).await;
        let person = bind(&mut browser, "周伯通", ON_FILE).await.is(200);
        assert_eq!(
            (&person["bookable"], &person["why_not_bookable"]),
            (&false.into(), &"document_missing".into())
        );
        assert_eq!((&person["age"], &person["document"]), (&Value::Null, &Value::Null));
        t.pass(MINUTE);
        let number = resident("1950-01-01", 1);
        let person = browser.add("周伯通", &number, ON_FILE, "parent").await.is(201);
        assert_eq!((&person["id"], &person["bookable"]), (&id.to_string().into(), &true.into()));
        assert_eq!(person["birth_date"], "1950-01-01");
        assert_eq!((clinic.count(PERSONS).await, clinic.count(LIVE_BINDINGS).await), (1, 1));
        let actions: Vec<_> = clinic.audited(&id.to_string()).await.into_iter().map(|(a, _)| a).collect();
        assert_eq!(actions, ["person.bind", "person.complete"]);
    })
    .await;
}

#[tokio::test]
async fn a_patient_without_a_phone_on_file_is_bound_by_document() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let number = resident("1950-01-01", 1);
        let id = on_file(&clinic, &patient("周伯通", Some(&number), None)).await;
        let mut browser = clinic.signed_in(PHONE).await;
        bind(&mut browser, "周伯通", ON_FILE).await.problem(404, "no_match");
        t.pass(MINUTE);
        let person = browser.add("周伯通", &number, ON_FILE, "parent").await.is(201);
        assert_eq!((&person["id"], &person["phone_masked"]), (&id.to_string().into(), &"139****9000".into()));
        // From now on that phone is needed.
        let mut other = clinic.signed_in("13700137000").await;
        t.pass(MINUTE);
        other.add("周伯通", &number, "13700137000", "parent").await.problem(409, "document_taken");
    })
    .await;
}

#[tokio::test]
async fn a_child_on_file_needs_its_guardians_consent() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        on_file(&clinic, &patient("李小宝", Some(&resident("2015-01-01", 1)), Some(ON_FILE))).await;
        let mut browser = clinic.signed_in(PHONE).await;
        let code = browser.person_code(ON_FILE).await;
        let request = with(body("李小宝", ON_FILE, &code), "relation", "child".into());
        let path = "/api/v1/persons/bind";
        browser.post(path, request.clone()).await.problem(422, "guardian_consent_required");
        let person = browser.post(path, with(request, "guardian_consent", true.into())).await.is(200);
        assert_eq!(person["minor"], true);
        assert_eq!(clinic.count(clinic::GUARDIAN_CONSENTS).await, 1);
    })
    .await;
}

#[tokio::test]
async fn the_desk_binds_without_a_code() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let id = on_file(&clinic, &patient("赵奶奶", Some(&resident("1950-01-01", 1)), None)).await;
        let mut browser = clinic.signed_in(PHONE).await;
        let account = browser.session().await["account_id"].as_str().unwrap().parse().unwrap();
        let mut tx = t.db.begin().await.unwrap();
        assert!(patients::bind(&mut tx, H, account, id, Relation::Parent).await.unwrap());
        assert!(!patients::bind(&mut tx, H, account, id, Relation::Parent).await.unwrap());
        let bound = people::bound::find(&mut tx, H, account, id).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_eq!((bound.name_masked.as_str(), bound.verified, bound.is_default), ("赵**", true, true));
        assert_eq!(bound.document_kind, Some(DocumentKind::ResidentId));
        assert_eq!(people::bound::list(&t.db, H, account).await.unwrap(), [bound]);
        assert_eq!(people::contact::of_person(&t.db, H, id).await.unwrap(), [account]);
    })
    .await;
}
