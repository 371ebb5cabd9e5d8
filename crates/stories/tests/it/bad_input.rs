//! Bad input at every entrance: each sort has its problem code, and nothing is changed by it.

mod random;

use reqwest::Method;
use serde_json::{Value, json};
use store::args;
use store::value::{FromRow, Row};
use testkit::browser::key;
use testkit::{Browser, Hospital, Phone, each_hospital};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

store::statements! {
    COUNTS = "SELECT
        (SELECT CAST(COUNT(*) AS BIGINT) FROM appointment) AS appointments,
        (SELECT CAST(COALESCE(SUM(taken + last_number), 0) AS BIGINT) FROM slot) AS places,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM person) AS persons,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM binding WHERE voided_at IS NULL) AS bindings,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM account) AS accounts,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM message) AS messages,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM sms_code) AS codes,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM wechat_push) AS pushes,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM event) AS events";
}

/// What there is of everything that a request could make.
#[derive(Debug, PartialEq, Eq)]
struct Counts(Vec<i64>);

impl FromRow for Counts {
    fn from_row(row: &Row) -> store::Result<Self> {
        let names = [
            "appointments",
            "places",
            "persons",
            "bindings",
            "accounts",
            "messages",
            "codes",
            "pushes",
            "events",
        ];
        Ok(Self(names.iter().map(|name| row.get(name)).collect::<store::Result<_>>()?))
    }
}

async fn counts(hospital: &Hospital) -> Counts {
    hospital.node().db().one(COUNTS, args![]).await.unwrap()
}

/// A route of the API description that takes a body.
struct Route {
    method: Method,
    path: String,
    /// The schema of the body, with all of its properties.
    schema: Value,
}

/// All routes that take a JSON body, from the description that the server itself gives.
async fn routes(browser: &Browser, visit: &str, person: &str) -> Vec<Route> {
    let description = browser.get("/api/v1/openapi.json").await.good().json;
    let mut found = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let reference = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
            let Some(name) = reference.as_str().and_then(|r| r.rsplit('/').next()) else { continue };
            let id = if path.contains("appointments") { visit } else { person };
            let route = Route {
                method: method.to_uppercase().parse().unwrap(),
                path: path.replace("{id}", id),
                schema: description["components"]["schemas"][name].clone(),
            };
            // What staff send is refused before it is read when a patient sends it, and so is what is about nothing.
            if ![403, 404].contains(&route.send(browser, "text/plain", "{}").await.status) {
                found.push(route);
            }
        }
    }
    assert!(found.len() >= 9, "{}", found.len());
    found
}

impl Route {
    async fn send(&self, browser: &Browser, kind: &str, body: impl Into<reqwest::Body>) -> testkit::Answer {
        browser.call(self.method.clone(), &self.path).key(&key()).body(kind, body).send().await
    }

    async fn json(&self, browser: &Browser, body: &str) -> testkit::Answer {
        self.send(browser, "application/json", body.to_owned()).await
    }
}

/// A patient with a visit, who is about to send nonsense.
async fn patient(hospital: &Hospital) -> (Phone, String) {
    let phone = hospital.patient("李娜").await;
    let visit = phone.gets(&hospital.slot(&hospital.site.dr_li, 1, "08:00").await).await.id().to_owned();
    hospital.settle().await;
    (phone, visit)
}

/// Every body that can't be read has its code, on every route that takes one.
#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_can_not_be_read() {
    each_hospital(async |hospital: &Hospital| {
        let (phone, visit) = patient(hospital).await;
        let before = counts(hospital).await;
        for route in routes(&phone, &visit, phone.who()).await {
            let name = format!("{} {}", route.method, route.path);
            for kind in [
                "text/plain",
                "",
                "application/x-www-form-urlencoded",
                "multipart/form-data; boundary=x",
                "application/jsonp",
            ] {
                let _kind = route.send(&phone, kind, "{}").await.refused(415, "json_expected");
            }
            for body in [
                "",
                "{",
                "nul",
                "{\"a\":}",
                "{}{}",
                "{} x",
                "{\"phone\":\"\u{1}\"}",
                "{'phone':1}",
                "\u{feff}{}",
                "{\"phone\":\"\\ud800\"}",
                "{\"phone\":1e999}",
                &"[".repeat(5_000),
                &"{\"document\":".repeat(500),
            ] {
                let answer = route.json(&phone, body).await;
                assert!([400, 422].contains(&answer.status), "{name} {body:.20}: {}", answer.text);
                let _told = answer.clone().refused(answer.status, answer.code());
                assert!(
                    ["json_malformed", "unknown_field", "missing_field", "wrong_type"]
                        .contains(&answer.code()),
                    "{name} {body:.20}: {}",
                    answer.text
                );
            }
            let _broken = route.json(&phone, "{").await.refused(400, "json_malformed");
            let _bytes = route
                .send(&phone, "application/json", b"\"\xff\xfe\"".to_vec())
                .await
                .refused(400, "json_malformed");
            for body in ["[]", "null", "1", "\"x\"", "true"] {
                let _type = route.json(&phone, body).await.refused(422, "wrong_type");
            }
            let unknown = route.json(&phone, r#"{"zzz":1}"#).await.refused(422, "unknown_field");
            assert_eq!(unknown.fields(), ["zzz"], "{name}");
            if let Some(first) = route.schema["required"].as_array().and_then(|r| r.first()) {
                let missing = route.json(&phone, "{}").await.refused(422, "missing_field");
                assert_eq!(missing.fields(), [first.as_str().unwrap()], "{name}");
            }
            let large = format!("{{\"phone\":\"{}\"}}", "9".repeat(1024 * 1024));
            let _large = route.json(&phone, &large).await.refused(413, "body_too_large");
            for (property, schema) in route.schema["properties"].as_object().unwrap() {
                let is_bool = schema["type"] == "boolean"
                    || schema["type"].as_array().is_some_and(|t| t.contains(&json!("boolean")));
                let wrong = if is_bool { json!("yes") } else { json!(true) };
                let answer = route.json(&phone, &json!({property: wrong}).to_string()).await;
                let answer = answer.refused(422, "wrong_type");
                assert_eq!(answer.fields(), [property.as_str()], "{name}");
            }
            // The answer is in the language that was asked for, and in Chinese when that is none of ours.
            for (language, said) in [
                ("en", "there is no such field"),
                ("fr;q=x,*;q=0.1", "没有这个字段"),
                ("\"'<>", "没有这个字段"),
            ] {
                let call = hospital.browser().await;
                call.has_session(&phone.cookie("__Host-xl")).await;
                call.reads(if language == "en" { base::Lang::En } else { base::Lang::Zh });
                let answer = call
                    .call(route.method.clone(), &route.path)
                    .key(&key())
                    .header("accept-language", language);
                let answer = answer.json(&json!({"zzz": 1})).send().await;
                assert_eq!(answer.json["fields"][0]["detail"], said, "{name} {language}");
            }
        }
        assert_eq!(counts(hospital).await, before);
    })
    .await;
}

/// Values that can be read but can't be meant.
#[tokio::test(flavor = "multi_thread")]
async fn values_that_can_not_be_meant() {
    each_hospital(async |hospital: &Hospital| {
        let (phone, visit) = patient(hospital).await;
        let before = counts(hospital).await;
        let slot = hospital.slot(&hospital.site.dr_li, 2, "08:00").await;
        let person = phone.who();
        // Ids: another kind, another shape, nobody's.
        for (slot_id, person_id) in [
            (person, person), (slot.as_str(), slot.as_str()), ("", ""), ("slt_", "per_"), ("slt_0", person), ("slt_\u{0}", person),
            ("../../etc/passwd", person), ("slt_ZZZZ92f0c1000070008000000000000000", person), (&slot.to_uppercase(), person),
            (&format!(" {slot}"), person), (&format!("{slot}00"), person), ("'; DROP TABLE slot; --", person),
        ] {
            let _shape = phone.books(slot_id, person_id).await.refused(422, "wrong_value");
        }
        let nowhere = "slt_0192f0c1000070008000000000000000";
        let _no_such = phone.books(nowhere, person).await.refused(404, "not_found");
        let _nobody = phone.books(&slot, "per_0192f0c1000070008000000000000000").await.refused(404, "person_not_bound");
        // Keys.
        let body = json!({"slot_id": slot, "person_id": person});
        let bare = phone.call(Method::POST, "/api/v1/appointments").json(&body).send().await;
        let _missing = bare.refused(428, "idempotency_key_required");
        for bad in ["", "a b", "a.b", "键", &"x".repeat(65)] {
            let call = phone.call(Method::POST, "/api/v1/appointments").json(&body);
            let _shape = call.header("idempotency-key", bad).send().await.refused(422, "idempotency_key_invalid");
        }
        let cancel = format!("/api/v1/appointments/{visit}/cancel");
        let _missing = phone.post(&cancel, json!({})).await.refused(428, "idempotency_key_required");
        // Names, numbers, phones: one answer for all that is wrong.
        let form = json!({
            "name": "1", "document": {"kind": "resident_id", "number": "310101199003070001"}, "phone": "12345", "code": "1",
            "relation": "self", "consent_version": "2026-11",
        });
        let wrong = phone.post("/api/v1/persons", form.clone()).await.refused(422, "name_invalid");
        assert_eq!(wrong.fields(), ["name", "document.number", "phone"]);
        for (kind, number, reason) in [
            ("resident_id", "31010119900307", "length"),
            ("resident_id", "31010119900307000A", "format"),
            ("resident_id", "990101199003070028", "region_unknown_province"),
            ("resident_id", "310101199013070028", "birth_date"),
            ("resident_id", "310101209903070028", "birth_date"),
            ("resident_id", "310101199003070029", "checksum"),
            ("resident_id", "", "length"),
            ("resident_id", "\u{0}", "length"),
            ("hk_macau_permit", "H1234567X", "format"),
            ("taiwan_permit", "1234567", "length"),
            ("birth_certificate", "0123456789", "format"),
        ] {
            let mut form = form.clone();
            form["name"] = json!("李娜");
            form["phone"] = json!("13912345678");
            form["document"] = json!({"kind": kind, "number": number});
            form["birth_date"] = json!("1990-03-07");
            form["sex"] = json!("female");
            let answer = phone.post("/api/v1/persons", form).await.refused(422, "document_invalid");
            assert_eq!(answer["reason"], reason, "{kind} {number}");
        }
        for name in ["", " ", "李", "x", "123", "<script>", "李娜😀", &"李".repeat(51), &"é".repeat(10_000)] {
            let mut form = form.clone();
            form["name"] = json!(name);
            let _name = phone.post("/api/v1/persons", form).await.refused(422, "name_invalid");
        }
        let mut stale = form.clone();
        stale["name"] = json!("李娜");
        stale["document"]["number"] = json!(testkit::Someone::adult("李娜").number);
        stale["phone"] = json!(phone.number);
        stale["consent_version"] = json!("1999-01");
        let consent = phone.post("/api/v1/persons", stale).await.refused(422, "consent_required");
        assert_eq!(consent["consent_version"], "2026-11");
        for phone_number in ["", "1", "12345678901", "+1 555 0100", "138001380001", "١٣٨٠٠١٣٨٠٠٠", "1380013800\u{0}"] {
            let _phone = phone.asks_sign_in_code(phone_number).await.refused(422, "phone_invalid");
        }
        for code in ["", "1", "abcdef", "12345\u{0}", &"9".repeat(100_000)] {
            let answer = phone.signs_in_with_code("13900000001", code).await;
            let _never_sent = answer.refused(410, "code_expired");
        }
        assert_eq!(counts(hospital).await, before);
    })
    .await;
}

/// Addresses, queries and methods.
#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_lead_nowhere() {
    each_hospital(async |hospital: &Hospital| {
        let (phone, visit) = patient(hospital).await;
        let doctor = hospital.site.dr_li.id;
        for path in [
            "/api/v1/nothing",
            "/api/v2/hospital",
            "/api/v1/doctors/x",
            "/api/v1/doctors/%00",
            "/api/v1/doctors/%ff%fe",
            "/api/v1/doctors/dep_0192f0c1000070008000000000000000",
            "/api/v1/doctors/doc_0192f0c1000070008000000000000000",
            "/api/v1/doctors/..%2f..%2fetc%2fpasswd",
            "/api/v1/appointments/apt_0",
            "/api/v1/appointments/%F0%9F%98%80",
            "/api/v1/doctors//clinics",
            "/h/",
            "/h/%00/api/v1/hospital",
            "/h/nowhere/",
            "/wechat/nobody",
            "/wechat/main/x",
        ] {
            let _nowhere = phone.get(path).await.refused(404, "not_found");
        }
        for query in [
            "/api/v1/hospital?x=1",
            "/api/v1/departments?department_id=x",
            "/api/v1/doctors?department_id=doc_1",
            "/api/v1/doctors?date=2026-13-01",
            "/api/v1/doctors?date=tomorrow",
            "/api/v1/doctors?kind=best",
            "/api/v1/doctors?nope=1",
            "/api/v1/appointments?when=never",
            "/api/v1/appointments?when=past&when=past",
            "/api/v1/appointments?page=2",
        ] {
            let _query = phone.get(query).await.refused(422, "query_invalid");
        }
        for path in [
            format!("/api/v1/doctors/{doctor}/clinics?days=0"),
            format!("/api/v1/doctors/{doctor}/clinics?days=-1"),
            format!("/api/v1/doctors/{doctor}/clinics?days=1000"),
            format!("/api/v1/doctors/{doctor}/clinics?days=99999999999999999999"),
            format!("/api/v1/doctors/{doctor}/clinics?from=0000-00-00"),
            format!("/api/v1/search?q={}", "a".repeat(5_000)),
            "/api/v1/appointments?when=past&after=x".to_owned(),
            "/api/v1/appointments?when=past&after=9.9".to_owned(),
            "/api/v1/appointments?when=past&after=99999999999999999999.0192f0c1000070008000000000000000"
                .to_owned(),
        ] {
            let answer = phone.get(&path).await;
            let _refused = answer.clone().refused(422, answer.code());
        }
        // Dates at the ends of the calendar are dates.
        for path in [
            format!("/api/v1/doctors/{doctor}/clinics?from=9999-12-31&days=90"),
            "/api/v1/doctors?date=9999-12-31".to_owned(),
        ] {
            let _nothing_there = phone.get(&path).await.good();
        }
        for (method, path) in [
            (Method::PUT, "/api/v1/appointments".to_owned()),
            (Method::DELETE, format!("/api/v1/appointments/{visit}")),
            (Method::POST, "/api/v1/hospital".to_owned()),
            (Method::PATCH, "/api/v1/session".to_owned()),
            (Method::PUT, "/wechat/main".to_owned()),
        ] {
            let answer =
                phone.call(method, &path).json(&json!({})).send().await.refused(405, "method_not_allowed");
            assert!(!answer.header("allow").is_empty(), "{path}: {:?}", answer.headers);
        }
        for topics in [
            "",
            "?topic=",
            "?topic=x",
            "?topic=nothing:1",
            "?topic=doctor:x",
            "?topic=appointment:apt_0",
            &format!("?{}", "topic=doctor:x&".repeat(17)),
        ] {
            let answer = phone.get(&format!("/api/v1/live{topics}")).await;
            assert!([404, 422].contains(&answer.status), "{topics}: {}", answer.text);
            let _refused = answer.clone().refused(answer.status, answer.code());
        }
        // The visit of somebody else can't be watched.
        let stranger = hospital.patient("王强").await;
        let _not_theirs =
            stranger.get(&format!("/api/v1/live?topic=appointment:{visit}")).await.refused(404, "not_found");
        let _nobody = hospital
            .browser()
            .await
            .get(&format!("/api/v1/live?topic=appointment:{visit}"))
            .await
            .refused(401, "sign_in_required");
    })
    .await;
}

/// What is no HTTP, or too much of it, at the port itself. The server answers or hangs up, and goes on.
#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_request() {
    each_hospital(async |hospital: &Hospital| {
        let address = hospital.node().address;
        let long = format!("GET /api/v1/hospital HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "a".repeat(100_000));
        let many = format!("GET /api/v1/hospital HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(500));
        let cases: [(&[u8], &str); 8] = [
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "400"),
            (b"GET / HTTP/9.9\r\n\r\n", "400"),
            (b"POST /api/v1/session/sms HTTP/1.1\r\nhost: x\r\ncontent-length: abc\r\n\r\n", "400"),
            (b"POST /api/v1/session/sms HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n{}", "400"),
            (b"GET /api/v1/hospital\x00 HTTP/1.1\r\nhost: x\r\n\r\n", "400"),
            (b"GET /\r\n\r\n", "400"),
            (long.as_bytes(), "431"),
            (many.as_bytes(), "431"),
        ];
        for (bytes, status) in cases {
            let mut wire = tokio::net::TcpStream::connect(address).await.unwrap();
            // The server may hang up before it has taken all of it.
            let _sent = wire.write_all(bytes).await;
            let _end = wire.shutdown().await;
            let mut said = Vec::new();
            let _hung_up = wire.read_to_end(&mut said).await;
            let said = String::from_utf8_lossy(&said).into_owned();
            assert!(said.is_empty() || said.starts_with(&format!("HTTP/1.1 {status}")), "{said}");
        }
        // A body that is announced and does not come ends with the connection.
        let mut wire = tokio::net::TcpStream::connect(address).await.unwrap();
        wire.write_all(b"POST /api/v1/session/sms HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{\"pho").await.unwrap();
        drop(wire);
        let alive = hospital.browser().await;
        assert_eq!(alive.get("/healthz").await.good().text, "ok");
        assert_eq!(alive.get("/readyz").await.good().text, "ready");
        let metrics = alive.get("/metrics").await.good().text;
        for name in ["store_events_waiting", "wechat_pushes_waiting", "http_problems"] {
            assert!(metrics.contains(name), "{name} is not in the metrics");
        }
    })
    .await;
}
