//! Broken connections: what was surely not sent, what may have been, and that nothing secret shows.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use wechat::Secret;
use wechat::api::custom::CustomMessage;
use wechat::api::{Client, Error, MemoryTokenStore, Outcome};

use crate::fake::{Fake, HandClock, config, error, http, ok, status};

/// Accepts, reads what comes, and closes without a word; counts how often.
async fn deaf() -> (String, Arc<std::sync::atomic::AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = count.clone();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut bytes = [0_u8; 4096];
            if socket.read(&mut bytes).await.unwrap() > 0 {
                counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            }
        }
    });
    (base, count)
}

/// Nothing listens there: the port was free a moment ago.
async fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// A client that has its token already, and then talks to `base`.
fn client(base: &str, backup: Option<String>, timeout: Duration) -> Client {
    let mut config = config(base);
    config.bases.api_backup = backup;
    config.timeout = timeout;
    let clock = HandClock::default();
    Client::new(http(), config, Arc::new(Ready), Arc::new(clock))
}

/// A store that always has a token.
struct Ready;

#[async_trait::async_trait]
impl wechat::api::TokenStore for Ready {
    async fn load(
        &self,
        _: &wechat::api::TokenKey,
    ) -> Result<Option<wechat::api::TokenRecord>, wechat::api::BoxError> {
        Ok(Some(wechat::api::TokenRecord {
            token: "the-access-token".into(),
            fetched_at_ms: 1_767_225_600_000,
            expires_in_s: 7200,
            forced_at_ms: None,
        }))
    }

    async fn try_lease(
        &self,
        key: &wechat::api::TokenKey,
        now_ms: i64,
        ttl_ms: i64,
    ) -> Result<Option<wechat::api::Lease>, wechat::api::BoxError> {
        MemoryTokenStore::new().try_lease(key, now_ms, ttl_ms).await
    }

    async fn save(
        &self,
        _: &wechat::api::TokenKey,
        _: wechat::api::Lease,
        _: &wechat::api::TokenRecord,
    ) -> Result<bool, wechat::api::BoxError> {
        Ok(true)
    }

    async fn release(
        &self,
        _: &wechat::api::TokenKey,
        _: wechat::api::Lease,
    ) -> Result<(), wechat::api::BoxError> {
        Ok(())
    }
}

/// The error as any log could show it: text, debug text, and all causes.
fn shown(error: &Error) -> String {
    let mut out = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        out.push_str(&format!(" {cause} {cause:?}"));
        source = cause.source();
    }
    out
}

const LONG: Duration = Duration::from_secs(10);

#[tokio::test]
async fn no_connection_means_not_sent() {
    let client = client(&nowhere().await, None, LONG);
    let error = client.send_custom("o", &CustomMessage::Text("hi".into()), None).await.unwrap_err();
    assert!(matches!(error, Error::NotSent(_)));
    assert_eq!(error.outcome(), Outcome::NotDone);
    assert!(!shown(&error).contains("the-access-token"), "{}", shown(&error));

    let error = client.exchange_code(&Secret::new("the-oauth-code")).await.unwrap_err();
    let shown = shown(&error);
    assert!(!shown.contains("the-oauth-code") && !shown.contains("the-app-secret"), "{shown}");
    assert!(!format!("{client:?}").contains("the-app-secret"));
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_the_outcome_unknown_and_a_message_is_not_sent_again() {
    let (base, count) = deaf().await;
    let client = client(&base, None, LONG);
    let error = client.send_custom("o", &CustomMessage::Text("hi".into()), None).await.unwrap_err();
    assert!(matches!(error, Error::NoAnswer(_)), "{error:?}");
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert!(!shown(&error).contains("the-access-token"));
    assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn no_answer_in_time_leaves_the_outcome_unknown() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let client = client(&base, None, Duration::from_millis(200));
    // The system accepts for the listener; nobody ever reads.
    let error = client.send_custom("o", &CustomMessage::Text("hi".into()), None).await.unwrap_err();
    assert!(matches!(error, Error::NoAnswer(_)), "{error:?}");
    assert!(!shown(&error).contains("the-access-token"));
    drop(listener);
}

#[tokio::test]
async fn the_other_region_is_tried_when_that_cannot_send_twice() {
    let backup = Fake::start(|_| ok(json!({ "errcode": 0, "subscribe": 1, "openid": "o" }))).await;
    let message = CustomMessage::Text("hi".into());

    let unreachable = client(&nowhere().await, Some(backup.base.clone()), LONG);
    unreachable.send_custom("o", &message, None).await.unwrap();
    assert_eq!(backup.seen("/cgi-bin/message/custom/send").len(), 1);

    let (base, _) = deaf().await;
    let breaking = client(&base, Some(backup.base.clone()), LONG);
    let error = breaking.send_custom("o", &message, None).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(backup.seen("/cgi-bin/message/custom/send").len(), 1, "it may have been sent already");
    assert!(breaking.user("o").await.unwrap().follows, "reading twice does no harm");
}

#[tokio::test]
async fn gateways_and_rubbish_are_told_apart_from_refusals() {
    for (code, outcome) in [(502, Outcome::Unknown), (404, Outcome::NotDone), (302, Outcome::NotDone)] {
        let fake = Fake::start(move |_| status(code)).await;
        let error = client(&fake.base, None, LONG).user("o").await.unwrap_err();
        assert!(matches!(error, Error::Status { status } if status == code));
        assert_eq!(error.outcome(), outcome);
    }
    let fake = Fake::start(|_| ok(json!(["not", "an", "object"]))).await;
    let error = client(&fake.base, None, LONG).user("o").await.unwrap_err();
    assert!(matches!(error, Error::Answer { .. }));
}

#[tokio::test]
async fn an_error_text_that_repeats_our_token_is_masked() {
    let fake = Fake::start(|seen| error(48001, &format!("no right, token {} rid: a-1", seen.token()))).await;
    let Err(Error::Api(refused)) = client(&fake.base, None, LONG).user("o").await else { panic!() };
    assert_eq!(refused.errmsg, "no right, token *** rid: a-1");
    assert_eq!(refused.rid.as_deref(), Some("a-1"));
}
