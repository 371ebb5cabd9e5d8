//! Random input against the running server: whatever comes, it is answered, and never with an error of ours.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::browser::key;
use testkit::setup::APPID;
use testkit::{Hospital, Someone, each_hospital};

use super::{counts, patient, routes};

/// Texts that people and machines send, and some that they should not.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "\\PC{0,40}",
        "[a-z]{3}_[0-9a-f]{0,40}",
        "[0-9]{0,30}",
        Just("\u{0}".to_owned()),
        Just("李娜\u{202e}\u{0}".to_owned()),
        Just("'\"; DROP TABLE person; --".to_owned()),
        Just("2026-02-30".to_owned()),
        Just("x".repeat(20_000)),
    ]
}

/// Any JSON, with the names that our bodies have as often as others.
fn any_json() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "name",
        "document",
        "kind",
        "number",
        "country",
        "phone",
        "code",
        "relation",
        "consent_version",
        "guardian_consent",
        "birth_date",
        "sex",
        "slot_id",
        "person_id",
        "is_default",
        "lang",
        "elder",
        "document_last4",
        "url",
        "zzz",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|f| json!(f)),
        text().prop_map(Value::from),
        prop::sample::select(vec!["self", "child", "resident_id", "passport", "female", "en", "2026-11"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..8)
                .prop_map(|pairs| Value::Object(pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ]
    })
}

fn runner() -> TestRunner {
    // The same cases each time: a failure that comes and goes helps nobody. The fuzz targets look further.
    TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    )
}

fn one<S: Strategy>(strategy: &S, runner: &mut TestRunner) -> S::Value {
    strategy.new_tree(runner).unwrap().current()
}

/// Any JSON at any route; and good bodies of which one part was exchanged.
#[tokio::test(flavor = "multi_thread")]
async fn any_json_is_answered() {
    each_hospital(async |hospital: &Hospital| {
        let (phone, visit) = patient(hospital).await;
        // What costs something is limited by address; here it is the input that counts.
        hospital.sets("sms_codes", json!({"per_address_hour": 100_000, "per_account_day": 100_000, "resend_after_s": 0})).await;
        let mut runner = runner();
        let good = Someone::adult("李娜").form(&phone.number, "123456");
        let booking = json!({"slot_id": hospital.slot(&hospital.site.dr_li, 2, "08:00").await, "person_id": phone.who()});
        let before = counts(hospital).await;
        let routes = routes(&phone, &visit, phone.who()).await;
        for route in &routes {
            for nth in 0..40 {
                let mut body = one(&any_json(), &mut runner);
                if nth % 2 == 0 {
                    let mut changed = if route.path.contains("appointments") { booking.clone() } else { good.clone() };
                    let fields = changed.as_object_mut().unwrap();
                    let name = fields.keys().nth(nth / 2 % fields.len()).unwrap().clone();
                    fields.insert(name, body);
                    body = changed;
                }
                let call = phone.call(route.method.clone(), &route.path).key(&key()).json(&body);
                let answer = call.send().await;
                assert!(answer.status < 500, "{} {} {body}: {}", route.method, route.path, answer.text);
                if answer.status >= 400 {
                    let _told = answer.clone().refused(answer.status, answer.code());
                }
            }
        }
        let after = counts(hospital).await;
        assert_eq!(after.0[..4], before.0[..4], "no visit, no person came of nonsense");
        assert_eq!(phone.appointment(&visit).await.good()["state"], "booked");
    })
    .await;
}

/// Any text as an id, a query, a header.
#[tokio::test(flavor = "multi_thread")]
async fn any_address_is_answered() {
    each_hospital(async |hospital: &Hospital| {
        let (phone, _) = patient(hospital).await;
        let mut runner = runner();
        let encode = |text: &str| -> String { text.bytes().map(|b| format!("%{b:02X}")).collect() };
        for _ in 0..150 {
            let short: String = one(&text(), &mut runner).chars().take(200).collect();
            let id = encode(&short);
            let other = one(&"[a-z]{3}_[0-9a-f]{32}", &mut runner);
            for path in [
                format!("/api/v1/doctors/{id}"),
                format!("/api/v1/doctors/{other}/clinics?from={id}"),
                format!("/api/v1/departments/{id}/clinics?days={id}"),
                format!("/api/v1/appointments/{other}"),
                format!("/api/v1/search?q={id}"),
                format!("/api/v1/doctors?q={id}&department_id={other}"),
                format!("/api/v1/live?topic={id}"),
                format!("/auth/wechat?to={id}"),
                format!("/auth/wechat/callback?code={id}&state={id}&to={id}"),
                format!("/wechat/main?signature={id}&timestamp={id}&nonce={id}&echostr={id}"),
                format!("/h/{id}/api/v1/hospital"),
                format!("/{id}"),
            ] {
                let answer = phone.get(&path).await;
                assert!(
                    answer.status < 500 || (answer.status == 503 && path.len() == id.len() + 1),
                    "{path}: {} {}",
                    answer.status,
                    answer.text
                );
            }
            let header: String = short.chars().filter(|c| c.is_ascii_graphic()).collect();
            let call = phone
                .call(Method::GET, "/api/v1/session")
                .header("accept-language", &header)
                .header("idempotency-key", &header);
            assert_eq!(call.send().await.status, 200);
        }
    })
    .await;
}

/// Any scene in a code that is scanned, any word in a chat, any event: WeChat is answered well, and the person sees no
/// error line.
#[tokio::test(flavor = "multi_thread")]
async fn any_scene_and_word_is_answered() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.phone("李娜").await;
        phone.follows().await;
        let mut runner = runner();
        for nth in 0..60 {
            // XML can't carry control characters, so WeChat never sends them.
            let visible = |text: String| -> String {
                text.chars().filter(|c| !c.is_control() && !matches!(*c, '\u{fffe}' | '\u{ffff}')).take(300).collect()
            };
            let scene = visible(one(&text(), &mut runner));
            let fields = match nth % 4 {
                0 => json!({"Event": "SCAN", "EventKey": scene, "Ticket": "t"}),
                1 => json!({"Event": "subscribe", "EventKey": format!("qrscene_{scene}"), "Ticket": "t"}),
                2 => json!({"Event": visible(one(&text(), &mut runner)), "EventKey": scene, "MsgID": 7, "Status": scene}),
                _ => json!({"Event": "CLICK", "EventKey": scene}),
            };
            let body = json!({"account": APPID, "phone": phone.id, "kind": "event", "fields": fields});
            let done = hospital.sim.post("/sim/v1/push", body).await;
            assert_eq!((done["error_line"].clone(), done["attempts"][0]["status"].clone()), (json!(false), json!(200)), "{done}");
            let word = visible(one(&text(), &mut runner));
            if !word.is_empty() {
                phone.says(&word).await;
            }
        }
        hospital.settle().await;
        assert_eq!(phone.signs_in().await["reachable"], true);
    })
    .await;
}
