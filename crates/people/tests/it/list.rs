//! The list of an account: kept, closed to others, and unreadable in the database.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use store::testing::{TestDb, each_db};
use store::{Row, Sql, args};

use crate::clinic::{
    self, Clinic, DEFAULTS, LIVE_BINDINGS, MINUTE, PERSONS, VOIDED_BINDINGS, new_person, resident,
};

const PHONE: &str = "13800138000";
const OTHER: &str = "13900139000";

#[tokio::test]
async fn an_answer_that_was_lost_is_given_again() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut browser = clinic.signed_in(PHONE).await;
        let code = browser.person_code(OTHER).await;
        let body = new_person("张三", &resident("1990-01-01", 1), OTHER, &code, "spouse");
        let first = browser.post("/api/v1/persons", body.clone()).await.is(201);
        let second = browser.post("/api/v1/persons", body.clone()).await.is(201);
        assert_eq!(first, second);
        assert_eq!((clinic.count(PERSONS).await, clinic.count(LIVE_BINDINGS).await), (1, 1));
        assert_eq!(clinic.events("people.bound").await.len(), 1);
        // But the code brings nobody else.
        let other = new_person("李四", &resident("1990-01-01", 2), OTHER, &code, "other");
        browser.post("/api/v1/persons", other).await.problem(410, "code_expired");
    })
    .await;
}

#[tokio::test]
async fn the_list_is_kept() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut browser = clinic.signed_in(PHONE).await;
        let mut ids = Vec::new();
        for (n, name) in ["张一", "张二", "张三"].into_iter().enumerate() {
            t.pass(MINUTE);
            let number = resident("1990-01-01", u32::try_from(n).unwrap());
            let person = browser.add(name, &number, OTHER, "other").await.is(201);
            ids.push(person["id"].as_str().unwrap().to_owned());
        }
        let names = async |browser: &mut clinic::Browser| {
            let list = browser.get("/api/v1/persons").await.is(200);
            let items = list["items"].as_array().unwrap().clone();
            items
                .iter()
                .map(|p| (p["name"].as_str().unwrap().to_owned(), p["is_default"].as_bool().unwrap()))
                .collect::<Vec<_>>()
        };
        let named =
            |list: &[(&str, bool)]| list.iter().map(|(n, d)| ((*n).to_owned(), *d)).collect::<Vec<_>>();
        assert_eq!(names(&mut browser).await, named(&[("张一", true), ("张二", false), ("张三", false)]));
        let person = |n: usize| format!("/api/v1/persons/{}", ids[n]);
        let body = browser.patch(&person(2), json!({"is_default": true, "relation": "parent"})).await.is(200);
        assert_eq!((&body["is_default"], &body["relation"]), (&true.into(), &"parent".into()));
        assert_eq!(names(&mut browser).await, named(&[("张三", true), ("张一", false), ("张二", false)]));
        browser.patch(&person(0), json!({"is_default": false})).await.is(200);
        assert_eq!(clinic.count(DEFAULTS).await, 1, "who is not the default can't stop being it");
        browser.patch(&person(2), json!({"is_default": null})).await.is(200);
        browser.patch(&person(2), json!({"name": "张四"})).await.problem(422, "unknown_field");
        // Appointments to come make it ask.
        clinic.appointments.0.store(2, Ordering::SeqCst);
        assert_eq!(browser.delete(&person(2)).await.problem(409, "has_appointments")["count"], 2);
        browser.delete(&format!("{}?confirm=maybe", person(2))).await.problem(422, "query_invalid");
        assert_eq!(browser.delete(&format!("{}?confirm=true", person(2))).await.status, 204);
        assert_eq!(
            names(&mut browser).await,
            named(&[("张一", true), ("张二", false)]),
            "the oldest follows"
        );
        browser.delete(&person(2)).await.problem(404, "not_found");
        assert_eq!(
            (clinic.count(VOIDED_BINDINGS).await, clinic.count(PERSONS).await),
            (1, 3),
            "nothing is deleted"
        );
        let audited: Vec<_> = clinic.audited(&ids[2]).await.into_iter().map(|(action, _)| action).collect();
        assert_eq!(audited, ["person.add", "person.change", "person.change", "person.unbind"]);
        assert_eq!(clinic.events("people.unbound").await.len(), 1);
        // And back again, as a new tie beside the old one.
        t.pass(MINUTE);
        let again = browser.add("张三", &resident("1990-01-01", 2), OTHER, "other").await.is(201);
        assert_eq!(again["id"].as_str().unwrap(), ids[2]);
        assert_eq!((clinic.count(VOIDED_BINDINGS).await, clinic.count(LIVE_BINDINGS).await), (1, 3));
    })
    .await;
}

#[tokio::test]
async fn anothers_person_is_not_there() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut anna = clinic.signed_in(PHONE).await;
        t.pass(MINUTE);
        let id = anna.add("张安娜", &resident("1990-01-01", 1), PHONE, "self").await.is(201)["id"].clone();
        let mut ben = clinic.signed_in(OTHER).await;
        let path = format!("/api/v1/persons/{}", id.as_str().unwrap());
        ben.patch(&path, json!({"is_default": true})).await.problem(404, "not_found");
        ben.delete(&path).await.problem(404, "not_found");
        assert_eq!(ben.get("/api/v1/persons").await.is(200)["items"], json!([]));
        for id in ["x", "doc_0198c0de0000700080000000000000aa", "per_0198c0de0000700080000000000000aa"] {
            ben.delete(&format!("/api/v1/persons/{id}")).await.problem(404, "not_found");
        }
        assert_eq!(anna.get("/api/v1/persons").await.is(200)["items"][0]["is_default"], true);
    })
    .await;
}

#[tokio::test]
async fn the_account_takes_the_phone_of_its_holder() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await.with_wechat().await;
        // A WeChat user binds themselves; in a plain browser their phone then finds the same account.
        let mut phone = clinic.browser();
        crate::wechat::sign_in(&mut phone, "o-anna").await;
        assert_eq!(phone.session().await["phone_masked"], Value::Null);
        phone.add("张小宝", &resident("1990-01-01", 2), OTHER, "child").await.is(201);
        assert_eq!(phone.session().await["phone_masked"], Value::Null, "a child's phone is not the holder's");
        t.pass(MINUTE);
        phone.add("张安娜", &resident("1990-01-01", 1), PHONE, "self").await.is(201);
        let session = phone.session().await;
        assert_eq!(
            (&session["phone_masked"], &session["channel"]),
            (&"138****8000".into(), &"wechat".into())
        );
        t.pass(MINUTE);
        let mut plain = clinic.signed_in(PHONE).await;
        assert_eq!(plain.session().await["account_id"], session["account_id"]);
        // A phone that is another account's stays there.
        t.pass(MINUTE);
        let mut other = clinic.browser();
        crate::wechat::sign_in(&mut other, "o-ben").await;
        other.add("张安娜", &resident("1990-01-01", 1), PHONE, "self").await.is(201);
        assert_eq!(other.session().await["phone_masked"], Value::Null);
    })
    .await;
}

#[tokio::test]
async fn nothing_personal_is_readable_in_the_database() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await.with_wechat().await;
        let mut browser = clinic.signed_in(PHONE).await;
        browser.address = "198.51.100.77".into();
        let number = resident("1990-01-01", 1);
        t.pass(MINUTE);
        browser.add("欧阳安娜", &number, OTHER, "self").await.is(201);
        let (code, token) = (clinic.inbox.code(OTHER), browser.token().unwrap().clone());
        let account = browser.session().await["account_id"].as_str().unwrap().to_owned();
        let person =
            browser.get("/api/v1/persons").await.is(200)["items"][0]["id"].as_str().unwrap().to_owned();
        let mut seen = 0;
        let tables = [
            "account",
            "account_phone",
            "account_openid",
            "channel_account",
            "wechat_token",
            "person",
            "person_document",
            "binding",
            "consent",
            "sms_code",
            "usage_limit",
            "wechat_return",
            "event",
            "job",
            "session",
            "idempotency",
        ];
        for table in tables {
            let text: &'static str = format!("SELECT * FROM {table}").leak();
            let rows: Vec<Row> =
                t.db.all(Sql { name: "DUMP", sqlite: text, postgres: text }, args![]).await.unwrap();
            for row in &rows {
                let dump = format!("{row:?}");
                for secret in [
                    "欧阳安娜",
                    &number,
                    PHONE,
                    OTHER,
                    &token,
                    "app-secret",
                    "callback-token",
                    "abcdefghij",
                    "198.51.100.77",
                ] {
                    assert!(!dump.contains(secret), "{secret} in {table}: {dump}");
                }
                if table == "sms_code" {
                    assert!(!dump.contains(&format!("\"{code}\"")), "{dump}");
                }
                seen += 1;
            }
        }
        assert!(seen > 12, "{seen} rows");
        for entity in [account, person] {
            let dump = format!("{:?}", clinic.audited(&entity).await);
            assert!(!dump.contains("欧阳安娜") && !dump.contains(&number) && !dump.contains(PHONE), "{dump}");
        }
    })
    .await;
}
