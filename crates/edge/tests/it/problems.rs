//! Every refusal is problem+json in the caller's language, with the request's id.

use store::testing::{TestDb, each_db};

use crate::rig::{Answer, account, migrations, open, pairs};

const EN: (&str, &str) = ("accept-language", "en-GB,en;q=0.9");

fn check(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (status, code), "{}", answer.text);
    let body = answer.json();
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(body["status"], status, "the body tells the same status as the answer");
    assert_eq!(body["type"], "about:blank");
    let id = body["request_id"].as_str().unwrap();
    assert!(id.len() == 32 && id == answer.header("x-request-id"), "{id}");
    for member in ["title", "detail"] {
        assert!(!body[member].as_str().unwrap().is_empty());
    }
}

fn is_chinese(answer: &Answer) -> bool {
    answer.json()["detail"].as_str().unwrap().chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

#[tokio::test]
async fn what_the_framework_refuses_is_a_problem_in_both_languages() {
    each_db(&migrations(), async |t: TestDb| {
        let b = open(&t).await;
        let signed_in = b.sign_in(account()).await;
        let with = |more: &[(&'static str, &'static str)]| -> Vec<(String, String)> {
            let more = more.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
            signed_in.iter().cloned().chain(more).collect()
        };
        let json = with(&[("content-type", "application/json"), ("idempotency-key", "k")]);
        let plain = with(&[("content-type", "text/plain"), ("idempotency-key", "k")]);
        let bare = with(&[("idempotency-key", "k")]);
        let keyless = with(&[("content-type", "application/json; charset=utf-8")]);
        let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(5000));
        for (method, path, headers, body, status, code) in [
            ("GET", "/nowhere", &json, "", 404, "not_found"),
            ("GET", "/api/v1/things/acc_1", &json, "", 404, "not_found"),
            ("DELETE", "/api/v1/who", &json, "", 405, "method_not_allowed"),
            ("POST", "/api/v1/things", &json, long.as_str(), 413, "body_too_large"),
            ("POST", "/api/v1/things", &plain, "{}", 415, "json_expected"),
            ("POST", "/api/v1/things", &bare, "{}", 415, "json_expected"),
            ("POST", "/api/v1/things", &json, "{", 400, "json_malformed"),
            ("POST", "/api/v1/things", &json, r#"{"nam":"x"}"#, 422, "unknown_field"),
            ("POST", "/api/v1/things", &json, r#"{"count":1}"#, 422, "missing_field"),
            ("POST", "/api/v1/things", &json, r#"{"name":1}"#, 422, "wrong_type"),
            ("POST", "/api/v1/things", &json, r#"{"name":"x","count":256}"#, 422, "wrong_value"),
            ("POST", "/api/v1/things", &keyless, r#"{"name":"x"}"#, 428, "idempotency_key_required"),
            ("GET", "/api/v1/find?name=a&limit=x", &json, "", 422, "query_invalid"),
            ("GET", "/api/v1/find?nam=a", &json, "", 422, "query_invalid"),
            ("GET", "/api/v1/find?name=a%00b", &json, "", 422, "text_invalid"),
            ("POST", "/api/v1/things", &json, r#"{"name":"a\u0000b"}"#, 422, "text_invalid"),
            ("GET", "/api/v1/fail/400", &json, "", 400, "malformed"),
            ("GET", "/api/v1/fail/408", &json, "", 408, "try_again"),
            ("GET", "/api/v1/fail/413", &json, "", 413, "body_too_large"),
            ("GET", "/api/v1/fail/415", &json, "", 415, "media_type"),
            ("GET", "/api/v1/fail/422", &json, "", 422, "malformed"),
            ("GET", "/api/v1/fail/500", &json, "", 500, "internal"),
            ("GET", "/api/v1/fail/503", &json, "", 503, "try_again"),
            ("GET", "/api/v1/fail/504", &json, "", 504, "try_again"),
        ] {
            let headers = pairs(headers);
            let answer = b.ask(method, path, &headers, body).await;
            check(&answer, status, code);
            assert!(is_chinese(&answer), "{path}: {}", answer.text);
            let english = b.ask(method, path, &[headers, vec![EN]].concat(), body).await;
            check(&english, status, code);
            assert!(!is_chinese(&english), "{path}: {}", english.text);
            assert!(!english.text.contains("Bare words"), "{path}: the framework's own words go to nobody");
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_problem_carries_arrives() {
    each_db(&migrations(), async |t: TestDb| {
        let b = open(&t).await;
        let busy = b.get("/api/v1/fail/busy", &[]).await;
        check(&busy, 503, "try_again");
        assert_eq!((busy.header("retry-after"), &busy.json()["retry_after_s"]), ("7", &serde_json::json!(7)));
        let fields = b.get("/api/v1/fail/fields", &[EN]).await;
        check(&fields, 422, "name_invalid");
        assert_eq!(fields.json()["limit"], 5);
        let want = serde_json::json!([{"field": "name", "code": "empty", "detail": "must not be empty"}]);
        assert_eq!(fields.json()["fields"], want);
        let wrong = b.get("/api/v1/fail/inside", &[EN]).await;
        check(&wrong, 500, "internal");
        // What else the answer said stays: cookies, and which methods there are.
        let cookies = b.get("/api/v1/fail/cookie", &[]).await;
        check(&cookies, 403, "forbidden");
        let set: Vec<_> = cookies.headers.get_all("set-cookie").iter().map(|v| v.to_str().unwrap()).collect();
        assert_eq!(set, ["a=1", "b=2"]);
        let method = b.ask("PATCH", "/api/v1/who", &[], "").await;
        check(&method, 405, "method_not_allowed");
        let allowed: Vec<&str> = method.header("allow").split(',').map(str::trim).collect();
        assert!(allowed.contains(&"GET") && allowed.contains(&"POST"), "{allowed:?}");
        // An answer that a handler wrote by itself is left as it is.
        let own = b.get("/api/v1/fail/page", &[]).await;
        assert_eq!((own.status, own.text.as_str()), (404, "<no/>"));
    })
    .await;
}

#[tokio::test]
async fn every_request_has_an_id_of_its_own() {
    each_db(&migrations(), async |t: TestDb| {
        let b = open(&t).await;
        let (first, second) =
            (b.get("/api/v1/who", &[]).await, b.get("/api/v1/who", &[("x-request-id", "mine")]).await);
        assert_eq!(first.json()["request_id"], first.header("x-request-id"));
        assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
        assert_ne!(second.header("x-request-id"), "mine", "nobody writes ids into our log");
    })
    .await;
}

#[tokio::test]
async fn every_statement_is_understood() {
    each_db(&migrations(), async |t: TestDb| {
        for sql in edge::statements() {
            if let Err(error) = t.db.prepare(sql).await {
                panic!("{} on {:?}: {error}: {:?}", sql.name, t.backend(), std::error::Error::source(&error));
            }
        }
    })
    .await;
}
