//! What is not accepted, and that it leaves nothing behind.

use ::store::Vault;
use ::store::testing::{TestDb, each_db, on_sqlite};
use axum::body::Body;
use base::Clock;
use http::{Request, StatusCode};
use people::channel::{CallbackFormat, CallbackMode};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use wechat::callback::AesKey;

use super::lab::*;
use crate::entrance::MAX_BODY;

#[tokio::test]
async fn each_wrong_push_gets_its_own_answer_and_nothing_is_kept() {
    each_db(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        let now_s = t.db.now().seconds();
        let encrypt = |key: &str, app: &str| {
            AesKey::parse(key).unwrap().encrypt([7; 16], text("挂号", 1).as_bytes(), app).unwrap()
        };
        let envelope = |encrypt: &str| format!("<xml><Encrypt>{encrypt}</Encrypt></xml>");
        let good = encrypt(KEY, APP);
        let other_key = encrypt("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", APP);
        let other_app = encrypt(KEY, "wx0000000000000000");
        let cases = [
            ("no signature", post("timestamp=1&nonce=2", envelope(&good)), 403, "wechat_signature"),
            (
                "another nonce",
                post(&query(&good, now_s).replace("nonce=42", "nonce=43"), envelope(&good)),
                403,
                "wechat_signature",
            ),
            ("another body", post(&query(&good, now_s), envelope(&other_app)), 403, "wechat_signature"),
            ("another key", post(&query(&other_key, now_s), envelope(&other_key)), 403, "wechat_signature"),
            ("another app", post(&query(&other_app, now_s), envelope(&other_app)), 403, "wechat_signature"),
            ("a plain body in safe mode", post(&query("", now_s), text("挂号", 1)), 400, "wechat_malformed"),
            (
                "both copies of Encrypt",
                post(
                    &query(&good, now_s),
                    format!("<xml><Encrypt>{good}</Encrypt><Encrypt>{good}</Encrypt></xml>"),
                ),
                400,
                "wechat_malformed",
            ),
            ("no XML", post(&query(&good, now_s), "Encrypt"), 400, "wechat_malformed"),
            (
                "JSON where XML is set",
                post(&query(&good, now_s), format!("{{\"Encrypt\":\"{good}\"}}")),
                400,
                "wechat_malformed",
            ),
            (
                "an entity",
                post(
                    &query(&good, now_s),
                    "<!DOCTYPE x [<!ENTITY e \"1\">]><xml><Encrypt>&e;</Encrypt></xml>",
                ),
                400,
                "wechat_malformed",
            ),
            ("nothing", post(&query(&good, now_s), ""), 400, "wechat_malformed"),
            ("no text", post(&query(&good, now_s), vec![0xff, 0xfe, 0x00]), 400, "wechat_malformed"),
            ("a week old", sealed_with(&text("挂号", 1), KEY, now_s - 7 * 86_400), 403, "wechat_expired"),
            ("of next week", sealed_with(&text("挂号", 1), KEY, now_s + 7 * 86_400), 403, "wechat_expired"),
            (
                "another account",
                Request::post("/wechat/nobody").body(Body::from(envelope(&good))).unwrap(),
                404,
                "not_found",
            ),
            ("too large", post(&query(&good, now_s), vec![b'x'; MAX_BODY + 1]), 413, "body_too_large"),
            ("too large in pieces", post(&query(&good, now_s), pieces(MAX_BODY + 1)), 413, "body_too_large"),
            ("too large by its own word", declared(&query(&good, now_s), u64::MAX), 413, "body_too_large"),
        ];
        for (what, request, status, code) in cases {
            let said = lab.send(request).await;
            assert_eq!((said.status.as_u16(), said.code), (status, Some(code)), "{what}: {said:?}");
            // The body is written outside, in the caller's language; here nothing is given away.
            assert_eq!(said.body, "", "{what}");
        }
        assert!(lab.states().await.is_empty());
        // The largest that is allowed is read whole: it fails for what it says, not for its size.
        let largest = lab.send(post(&query(&good, now_s), vec![b'x'; MAX_BODY])).await;
        assert_eq!(largest.code, Some("wechat_malformed"));
    })
    .await;
}

fn pieces(size: usize) -> Body {
    let chunks = std::iter::repeat_n(vec![b'x'; 1024], size / 1024 + 1);
    Body::from_stream(futures_util::stream::iter(chunks.map(Ok::<_, std::io::Error>)))
}

fn declared(query: &str, length: u64) -> Request<Body> {
    let mut request = post(query, "small");
    request.headers_mut().insert("content-length", length.into());
    request
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    each_db(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        let broken = Body::from_stream(futures_util::stream::iter([
            Ok(b"<xml>".to_vec()),
            Err(std::io::Error::other("gone")),
        ]));
        let said = lab.send(post("signature=x", broken)).await;
        assert_eq!((said.status, said.code), (StatusCode::BAD_REQUEST, Some("wechat_malformed")));
    })
    .await;
}

#[tokio::test]
async fn other_methods_are_not_served() {
    each_db(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        let put = Request::put("/wechat/main").body(Body::empty()).unwrap();
        assert_eq!(lab.send(put).await.status, StatusCode::METHOD_NOT_ALLOWED);
    })
    .await;
}

#[tokio::test]
async fn without_the_key_of_the_vault_nothing_is_lost() {
    each_db(&migrations(), async |t: TestDb| {
        let lab = Lab::open(&t).await;
        lab.push(&event("<Event>subscribe</Event>")).await;
        // Another key file: the push can't be opened, is tried again, and is there when the right one is back.
        let mut deps = lab.deps.clone();
        deps.vault = std::sync::Arc::new(Vault::parse(&Vault::generate().unwrap()).unwrap());
        assert_eq!(crate::entrance::worker::turn(&deps).await.unwrap(), 1);
        assert_eq!(lab.states().await, ["new"]);
        assert_eq!(lab.work().await, 0, "it pauses first");
        t.pass(std::time::Duration::from_secs(3));
        assert_eq!(lab.work().await, 1);
        assert_eq!(lab.states().await, ["done"]);
        assert!(lab.following().await.is_some());
    })
    .await;
}

#[test]
fn no_bytes_do_harm() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(on_sqlite(&migrations(), Clock::manual(::store::testing::MORNING), &async |t: TestDb| {
        let safe = Lab::open(&t).await;
        let now_s = t.db.now().seconds();
        let bytes = prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..400),
            "(<xml>|</xml>|<Encrypt>|</Encrypt>|<!\\[CDATA\\[|\\]\\]>|<MsgType>text</MsgType>|<Content>|&#0;|\\PC){0,20}".prop_map(String::into_bytes),
        ];
        let cases = (bytes, "[ -~]{0,60}", any::<bool>());
        let mut runner = TestRunner::deterministic();
        for _ in 0..200 {
            // The runner itself can't wait for an answer, so it only draws the cases.
            let (bytes, junk, sealed) = cases.new_tree(&mut runner).unwrap().current();
            // Half of them as they are; half as the inside of a push that is rightly sealed and signed.
            if sealed {
                let inner = String::from_utf8_lossy(&bytes).into_owned();
                let said = safe.send(sealed_with(&inner, KEY, now_s)).await;
                assert_eq!(said.status, StatusCode::OK, "{inner:?}");
            } else {
                let junk: String = junk.bytes().map(|byte| format!("%{byte:02X}")).collect();
                let query = format!("signature={junk}&timestamp={junk}&nonce=&msg_signature={junk}&&=&%zz");
                let said = safe.send(post(&query, bytes)).await;
                assert!(matches!(said.status.as_u16(), 400 | 403), "{said:?}");
            }
        }
        safe.work().await;
        assert!(safe.states().await.iter().all(|state| state == "done"));
        // The same in plain mode, where what is inside needs no key.
        let plain = Lab::with_modes(&t, CallbackMode::Plain, CallbackFormat::Xml).await;
        for inner in ["<xml/>", "<xml><MsgType>text</MsgType></xml>", "<xml><FromUserName>\u{0}</FromUserName></xml>"] {
            let said = plain.send(post(&query("", now_s), inner.to_owned())).await;
            assert_eq!((said.status, said.body.as_str()), (StatusCode::OK, "success"), "{inner:?}");
        }
    }));
}

impl Lab {
    /// The same hospital with its account set otherwise.
    async fn with_modes(t: &TestDb, mode: CallbackMode, format: CallbackFormat) -> Self {
        let vault = std::sync::Arc::new(Vault::parse(&Vault::generate().unwrap()).unwrap());
        let mut tx = t.db.begin().await.unwrap();
        people::channel::add_channel(&mut tx, &vault, &channel(mode, format)).await.unwrap();
        tx.commit().await.unwrap();
        let hospitals = edge::Hospitals::load(&t.db).await.unwrap();
        let channels = channels(&t.db, &vault).await;
        let deps = super::lab::deps(t.db.clone(), vault, hospitals, channels).await;
        Self { routes: crate::entrance::routes(deps.clone()), deps }
    }
}
