//! Who renews a token, when, and how often.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wechat::api::codes::Class;
use wechat::api::{
    BoxError, Client, Clock, Config, Error, Lease, MemoryTokenStore, TokenKey, TokenKind, TokenRecord,
    TokenStore,
};

use crate::fake::{Fake, HandClock, client, config, error, http, node, ok};

const TOKEN: &str = "/cgi-bin/stable_token";
const PATH: &str = "/cgi-bin/user/info";

fn key(base: &str) -> TokenKey {
    TokenKey { base: base.into(), appid: "wx1f2e3d4c5b6a7980".into(), kind: TokenKind::Access }
}

fn record(token: &str, fetched_at_ms: i64, expires_in_s: i64) -> TokenRecord {
    TokenRecord { token: token.into(), fetched_at_ms, expires_in_s, forced_at_ms: None }
}

#[tokio::test]
async fn a_hundred_callers_on_two_nodes_get_one_token() {
    let fake = Fake::with_tokens(|_| ok(json!({ "subscribe": 1, "openid": "o" }))).await;
    let store: Arc<MemoryTokenStore> = Arc::default();
    let clock = HandClock::default();
    let nodes = [node(&fake.base, store.clone(), &clock), node(&fake.base, store, &clock)];
    let calls: Vec<_> = (0..100)
        .map(|at| {
            let client = nodes[at % 2].clone();
            tokio::spawn(async move { client.user("o").await.unwrap().follows })
        })
        .collect();
    for call in calls {
        assert!(call.await.unwrap());
    }
    assert_eq!(fake.seen(TOKEN).len(), 1);
    assert_eq!(fake.seen(PATH).len(), 100);
    let asked = fake.seen(TOKEN)[0].json();
    assert_eq!(
        asked,
        json!({
            "grant_type": "client_credential", "appid": "wx1f2e3d4c5b6a7980",
            "secret": "the-app-secret", "force_refresh": false,
        })
    );
}

#[tokio::test]
async fn it_is_renewed_before_its_end_and_not_sooner() {
    let life = Arc::new(AtomicUsize::new(7200));
    let given = life.clone();
    let fake =
        Fake::start(move |_| ok(json!({ "access_token": "t", "expires_in": given.load(Ordering::SeqCst) })))
            .await;
    let clock = HandClock::default();
    let client = node(&fake.base, Arc::new(MemoryTokenStore::new()), &clock);
    client.access_token().await.unwrap();
    clock.advance_s(6899);
    client.access_token().await.unwrap();
    assert_eq!(fake.seen(TOKEN).len(), 1);
    // Five minutes before its end WeChat may still give the same one, with what is left of its life.
    life.store(300, Ordering::SeqCst);
    clock.advance_s(1);
    client.access_token().await.unwrap();
    clock.advance_s(269);
    client.access_token().await.unwrap();
    assert_eq!(fake.seen(TOKEN).len(), 2, "300 s left is not a reason to ask at every call");
    clock.advance_s(1);
    client.access_token().await.unwrap();
    assert_eq!(fake.seen(TOKEN).len(), 3);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_call_repeated_once() {
    for errcode in [42001, 40001, 40014] {
        let fake = Fake::with_tokens(move |seen| match seen.token() {
            "t1" => error(errcode, "access_token expired rid: 5f-1"),
            _ => ok(json!({ "subscribe": 1, "openid": "o" })),
        })
        .await;
        assert!(client(&fake.base).user("o").await.unwrap().follows);
        assert_eq!(fake.seen(TOKEN).len(), 2);
        assert!(fake.seen(TOKEN).iter().all(|seen| seen.json()["force_refresh"] == false));
        let tokens: Vec<_> = fake.seen(PATH).iter().map(|seen| seen.token().to_owned()).collect();
        assert_eq!(tokens, ["t1", "t2"]);
    }
}

#[tokio::test]
async fn of_many_calls_that_fail_together_one_renews() {
    let fake = Fake::with_tokens(|seen| match seen.token() {
        "t1" => error(42001, "expired"),
        _ => ok(json!({ "subscribe": 1, "openid": "o" })),
    })
    .await;
    let client = client(&fake.base);
    client.access_token().await.unwrap();
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.user("o").await.unwrap() })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!(fake.seen(TOKEN).len(), 2);
}

/// `stable_token` gives the same token again while it thinks it good; that is an answer too, for all who wait.
#[tokio::test]
async fn of_many_calls_that_fail_together_one_renews_even_if_the_token_stays_the_same() {
    let given = Arc::new(AtomicUsize::new(0));
    let fake = Fake::start(move |seen| {
        if seen.path == TOKEN {
            given.fetch_add(1, Ordering::SeqCst);
            return ok(json!({ "access_token": "same", "expires_in": 7200 }));
        }
        match given.load(Ordering::SeqCst) {
            1 => error(40001, "not yet known here"),
            _ => ok(json!({ "subscribe": 1, "openid": "o" })),
        }
    })
    .await;
    let client = client(&fake.base);
    client.access_token().await.unwrap();
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.user("o").await.unwrap() })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!(fake.seen(TOKEN).len(), 2);
}

#[tokio::test]
async fn a_token_that_another_node_has_stored_is_used_without_asking_wechat() {
    let fake = Fake::with_tokens(|seen| match seen.token() {
        "t1" => error(40001, "not latest"),
        _ => ok(json!({ "subscribe": 1, "openid": "o" })),
    })
    .await;
    let store: Arc<MemoryTokenStore> = Arc::default();
    let clock = HandClock::default();
    let here = node(&fake.base, store.clone(), &clock);
    here.access_token().await.unwrap();
    let lease = store.try_lease(&key(&fake.base), clock.now_ms(), 1000).await.unwrap().unwrap();
    store.save(&key(&fake.base), lease, &record("elsewhere", clock.now_ms(), 7200)).await.unwrap();
    here.user("o").await.unwrap();
    assert_eq!(fake.seen(TOKEN).len(), 1);
    assert_eq!(fake.seen(PATH)[1].token(), "elsewhere");
}

#[tokio::test]
async fn force_is_the_last_resort_and_not_more_than_once_a_minute() {
    let fake = Fake::with_tokens(|_| error(40001, "never content")).await;
    let clock = HandClock::default();
    let client = node(&fake.base, Arc::new(MemoryTokenStore::new()), &clock);
    let forced = || fake.seen(TOKEN).iter().filter(|seen| seen.json()["force_refresh"] == true).count();

    assert_eq!(client.user("o").await.unwrap_err().errcode(), Some(40001));
    assert_eq!((fake.seen(PATH).len(), fake.seen(TOKEN).len(), forced()), (3, 3, 1));

    clock.advance_s(59);
    assert_eq!(client.user("o").await.unwrap_err().errcode(), Some(40001));
    assert_eq!((fake.seen(PATH).len(), forced()), (5, 1), "one retry, no force");

    clock.advance_s(60);
    client.user("o").await.unwrap_err();
    assert_eq!(forced(), 2);
}

#[tokio::test]
async fn while_another_node_renews_the_old_token_is_used() {
    let fake = Fake::with_tokens(|_| ok(json!({ "subscribe": 1, "openid": "o" }))).await;
    let store: Arc<MemoryTokenStore> = Arc::default();
    let clock = HandClock::default();
    let lease = store.try_lease(&key(&fake.base), clock.now_ms(), 1000).await.unwrap().unwrap();
    store.save(&key(&fake.base), lease, &record("old", clock.now_ms(), 7200)).await.unwrap();
    clock.advance_s(7000);
    store.try_lease(&key(&fake.base), clock.now_ms(), 60_000).await.unwrap().unwrap();
    let client = node(&fake.base, store, &clock);
    assert_eq!(client.access_token().await.unwrap().reveal(), "old");
    assert!(fake.seen(TOKEN).is_empty());
}

#[tokio::test]
async fn without_an_old_token_it_waits_for_the_node_that_renews() {
    let fake = Fake::with_tokens(|_| ok(json!({}))).await;
    let store: Arc<MemoryTokenStore> = Arc::default();
    let clock = HandClock::default();
    let lease = store.try_lease(&key(&fake.base), clock.now_ms(), 60_000).await.unwrap().unwrap();
    let client = node(&fake.base, store.clone(), &clock);
    let waiting = tokio::spawn(async move { client.access_token().await.unwrap() });
    tokio::task::yield_now().await;
    store.save(&key(&fake.base), lease, &record("theirs", clock.now_ms(), 7200)).await.unwrap();
    assert_eq!(waiting.await.unwrap().reveal(), "theirs");
    assert!(fake.seen(TOKEN).is_empty());
}

#[tokio::test]
async fn it_does_not_wait_for_ever() {
    let store: Arc<MemoryTokenStore> = Arc::default();
    let clock = HandClock::default();
    let base = "http://127.0.0.1:9";
    store.try_lease(&key(base), clock.now_ms(), 60_000).await.unwrap().unwrap();
    let config = Config { timeout: Duration::from_millis(250), ..config(base) };
    let client = Client::new(http(), config, store, Arc::new(clock));
    assert!(matches!(client.access_token().await, Err(Error::TokenBusy)));
}

#[tokio::test]
async fn when_renewing_fails_the_old_token_serves_to_its_end() {
    let broken = Arc::new(AtomicBool::new(false));
    let is_broken = broken.clone();
    let fake = Fake::start(move |_| {
        if is_broken.load(Ordering::SeqCst) {
            return error(-1, "system busy");
        }
        ok(json!({ "access_token": "t", "expires_in": 7200 }))
    })
    .await;
    let clock = HandClock::default();
    let client = node(&fake.base, Arc::new(MemoryTokenStore::new()), &clock);
    client.access_token().await.unwrap();
    broken.store(true, Ordering::SeqCst);
    clock.advance_s(7199);
    assert_eq!(client.access_token().await.unwrap().reveal(), "t");
    clock.advance_s(1);
    assert_eq!(client.access_token().await.unwrap_err().errcode(), Some(-1));
    broken.store(false, Ordering::SeqCst);
    assert_eq!(client.access_token().await.unwrap().reveal(), "t", "the lease was given back");
}

#[tokio::test]
async fn a_caller_who_goes_away_in_the_middle_holds_nobody_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (asked, first_asked) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        // The first one is never answered.
        let (mut first, _) = listener.accept().await.unwrap();
        first.read_u8().await.unwrap();
        asked.send(()).unwrap();
        let (mut second, _) = listener.accept().await.unwrap();
        second.read_u8().await.unwrap();
        let body = r#"{"access_token":"t","expires_in":7200}"#;
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        second.write_all(answer.as_bytes()).await.unwrap();
        second.read_to_end(&mut Vec::new()).await.unwrap();
        drop(first);
    });
    let client = client(&base);
    let impatient = client.clone();
    let call = tokio::spawn(async move { impatient.access_token().await });
    first_asked.await.unwrap();
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    assert_eq!(client.access_token().await.unwrap().reveal(), "t");
}

#[tokio::test]
async fn a_wrong_secret_is_for_the_administrator_and_is_asked_once() {
    let fake = Fake::start(|_| error(40001, "invalid appsecret the-app-secret rid: 1-2")).await;
    let Err(Error::Api(refused)) = client(&fake.base).user("o").await else { panic!() };
    assert_eq!((refused.class, refused.errcode), (Class::Configuration, 40001));
    assert_eq!(refused.errmsg, "invalid appsecret *** rid: 1-2");
    assert_eq!(fake.seen(TOKEN).len(), 1);
}

#[tokio::test]
async fn tokens_without_life_are_not_taken() {
    for answer in [
        json!({}),
        json!({ "access_token": "", "expires_in": 7200 }),
        json!({ "access_token": "t", "expires_in": 0 }),
    ] {
        let fake = Fake::start(move |_| ok(answer.clone())).await;
        assert!(matches!(client(&fake.base).access_token().await, Err(Error::Answer { .. })));
    }
}

/// A store in which another node is always faster to save, or which fails.
#[derive(Default)]
struct Awkward {
    inner: MemoryTokenStore,
    loses_leases: AtomicBool,
    fails: AtomicBool,
}

#[async_trait]
impl TokenStore for Awkward {
    async fn load(&self, key: &TokenKey) -> Result<Option<TokenRecord>, BoxError> {
        if self.fails.load(Ordering::SeqCst) {
            return Err("no database".into());
        }
        self.inner.load(key).await
    }

    async fn try_lease(&self, key: &TokenKey, now_ms: i64, ttl_ms: i64) -> Result<Option<Lease>, BoxError> {
        self.inner.try_lease(key, now_ms, ttl_ms).await
    }

    async fn save(&self, key: &TokenKey, lease: Lease, record: &TokenRecord) -> Result<bool, BoxError> {
        if self.loses_leases.load(Ordering::SeqCst) {
            let theirs = TokenRecord { token: "theirs".into(), ..record.clone() };
            let late = self.inner.try_lease(key, i64::MAX, 1).await?.ok_or("lease")?;
            assert!(self.inner.save(key, late, &theirs).await?);
        }
        self.inner.save(key, lease, record).await
    }

    async fn release(&self, key: &TokenKey, lease: Lease) -> Result<(), BoxError> {
        self.inner.release(key, lease).await
    }
}

#[tokio::test]
async fn who_has_lost_the_lease_takes_what_the_other_stored() {
    let fake = Fake::with_tokens(|_| ok(json!({}))).await;
    let store: Arc<Awkward> = Arc::default();
    store.loses_leases.store(true, Ordering::SeqCst);
    let clock = HandClock::default();
    let client = node(&fake.base, store.clone(), &clock);
    assert_eq!(client.access_token().await.unwrap().reveal(), "theirs");
    assert_eq!(store.inner.load(&key(&fake.base)).await.unwrap().unwrap().token.reveal(), "theirs");
}

#[tokio::test]
async fn without_the_store_the_copy_in_memory_serves_to_its_end() {
    let fake = Fake::with_tokens(|_| ok(json!({}))).await;
    let store: Arc<Awkward> = Arc::default();
    let clock = HandClock::default();
    let client = node(&fake.base, store.clone(), &clock);
    client.access_token().await.unwrap();
    store.fails.store(true, Ordering::SeqCst);
    assert_eq!(client.access_token().await.unwrap().reveal(), "t1");
    clock.advance_s(7200);
    assert!(matches!(client.access_token().await, Err(Error::Store(_))));
    store.fails.store(false, Ordering::SeqCst);
    assert_eq!(client.access_token().await.unwrap().reveal(), "t2");
}

#[tokio::test]
async fn a_ticket_is_got_once_and_signs_many_pages() {
    let fake = Fake::with_tokens(|_| {
        ok(json!({ "errcode": 0, "errmsg": "ok", "ticket": "the-ticket", "expires_in": 7200 }))
    })
    .await;
    let client = client(&fake.base);
    for page in ["https://h.example/a#x", "https://h.example/b?code=1"] {
        let config = client.js_config(page, "nonce").await.unwrap();
        assert_eq!((config.timestamp, config.nonce_str.as_str()), (1_767_225_600, "nonce"));
        let expected = wechat::api::jssdk::sign("the-ticket", "nonce", 1_767_225_600, page);
        assert_eq!(config.signature, expected);
    }
    let asked = fake.seen("/cgi-bin/ticket/getticket");
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].query["type"].as_str(), asked[0].token()), ("jsapi", "t1"));
}
