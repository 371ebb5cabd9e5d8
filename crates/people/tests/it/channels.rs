//! Our own WeChat accounts: setting them up, and one token for all nodes.

use std::sync::Arc;

use base::{HospitalId, Secret};
use people::channel::{CallbackMode, DbTokenStore, JS_SDK, add_channel};
use people::{ChannelKind, Channels};
use store::StoreError;
use store::testing::{TestDb, each_db};
use wechat::api::{Lease, TokenKey, TokenKind, TokenRecord, TokenStore as _};
use wechat::callback::{AesKey, Query};

use crate::clinic::{self, Clinic, H, http, service_account};

#[tokio::test]
async fn an_account_is_set_up_and_changed() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        assert!(clinic.channels.service(H).is_none());
        let mut new = service_account("http://127.0.0.1:9");
        new.verify_files.insert("MP_verify_abc123.txt".into(), "abc123".into());
        let id = clinic.add_channel(&new).await;
        let first = clinic.channels.by_name("service").unwrap();
        assert_eq!((first.id, first.hospital, first.kind), (id, H, ChannelKind::Service));
        assert_eq!((first.app_id.as_str(), first.js_sdk_url.as_str()), ("wx0123456789abcdef", JS_SDK));
        assert_eq!(first.verify_files["MP_verify_abc123.txt"], "abc123");
        assert_eq!(
            (first.bases.api.as_str(), first.client.appid()),
            ("http://127.0.0.1:9", "wx0123456789abcdef")
        );
        // What did not change keeps its client, and with it the token in memory.
        clinic.channels.reload().await.unwrap();
        assert!(Arc::ptr_eq(&first, &clinic.channels.service(H).unwrap()));
        new.token = Secret::new("another-token");
        assert_eq!(clinic.add_channel(&new).await, id, "the same account");
        assert!(!Arc::ptr_eq(&first, &clinic.channels.get(id).unwrap()));
        assert_eq!(clinic.channels.all().len(), 1);
        let dump = format!("{:?} {:?}", clinic.channels, clinic.channels.all());
        for secret in ["app-secret", "callback-token", "another-token", "abcdefghij"] {
            assert!(!dump.contains(secret), "{dump}");
        }
    })
    .await;
}

#[tokio::test]
async fn its_credentials_open_pushes() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut new = service_account("http://127.0.0.1:9");
        new.aes_key_previous = Some(Secret::new("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefg"));
        clinic.add_channel(&new).await;
        let channel = clinic.channels.service(H).unwrap();
        let signature = wechat::callback::signature(&["1", "2", "callback-token"]);
        let query = Query {
            signature,
            timestamp: "1".into(),
            nonce: "2".into(),
            echostr: Some("hello".into()),
            ..Query::default()
        };
        assert_eq!(channel.credentials.verify_url(&query).unwrap(), "hello");
        let keys = channel.credentials.keys.clone().unwrap();
        assert_eq!(keys.current, AesKey::parse("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG").unwrap());
        assert!(keys.previous.is_some());
        assert_eq!(channel.credentials.receive_id, "wx0123456789abcdef");
    })
    .await;
}

#[tokio::test]
async fn what_can_not_work_is_said() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let good = service_account("http://127.0.0.1:9");
        let mut bad = vec![];
        let mut with = |change: &dyn Fn(&mut people::channel::NewChannel)| {
            let mut new = good.clone();
            change(&mut new);
            bad.push(new);
        };
        with(&|c| c.name = "Service Account".into());
        with(&|c| c.name = String::new());
        with(&|c| c.app_id = " ".into());
        with(&|c| c.secret = Secret::new(""));
        with(&|c| c.token = Secret::new(""));
        with(&|c| c.aes_key = None);
        with(&|c| c.aes_key = Some(Secret::new("short")));
        with(&|c| drop(c.verify_files.insert("../../etc/passwd".into(), String::new())));
        for new in &bad {
            let mut tx = t.db.begin().await.unwrap();
            let error = add_channel(&mut tx, &clinic.vault, new).await.unwrap_err();
            assert!(matches!(error, StoreError::Config(_)), "{error:?}");
        }
        let mut plain = good.clone();
        (plain.mode, plain.aes_key) = (CallbackMode::Plain, None);
        clinic.add_channel(&plain).await;
        // A name is one account's, over all hospitals.
        let mut tx = t.db.begin().await.unwrap();
        let other = people::channel::NewChannel { hospital: HospitalId(2), ..good };
        let error = add_channel(&mut tx, &clinic.vault, &other).await.unwrap_err();
        assert!(error.to_string().contains("another hospital"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn one_account_that_can_not_be_read_does_not_stop_the_others() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        clinic.add_channel(&service_account("http://127.0.0.1:9")).await;
        let mut second = service_account("http://127.0.0.1:9");
        (second.name, second.kind) = ("articles".into(), ChannelKind::Subscription);
        clinic.add_channel(&second).await;
        let mut tx = t.db.begin().await.unwrap();
        tx.exec(SPOIL, store::args![]).await.unwrap();
        tx.commit().await.unwrap();
        clinic.channels.reload().await.unwrap();
        let names: Vec<_> = clinic.channels.all().iter().map(|c| c.name.clone()).collect();
        assert_eq!(names, ["articles"]);
    })
    .await;
}

store::statements! {
    SPOIL = "UPDATE channel_account SET secret = 'nonsense', revision = 99 WHERE name = 'service'";
}

fn key() -> TokenKey {
    TokenKey { base: "http://h".into(), appid: "wx1".into(), kind: TokenKind::Access }
}

fn record(token: &str) -> TokenRecord {
    TokenRecord { token: token.into(), fetched_at_ms: 1, expires_in_s: 7200, forced_at_ms: Some(5) }
}

#[tokio::test]
async fn a_lease_excludes_others_and_an_old_one_can_not_save() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let store = |db: store::Db| DbTokenStore::new(db, clinic.vault.clone(), H);
        let nodes = t.nodes(2).await;
        let (a, b) = (store(nodes[0].clone()), store(nodes[1].clone()));
        assert_eq!(a.load(&key()).await.unwrap(), None);
        let first = a.try_lease(&key(), 0, 100).await.unwrap().unwrap();
        assert_eq!(b.try_lease(&key(), 99, 100).await.unwrap(), None);
        let second = b.try_lease(&key(), 100, 100).await.unwrap().unwrap();
        assert!(second.fence > first.fence);
        assert!(!a.save(&key(), first, &record("old")).await.unwrap());
        a.release(&key(), first).await.unwrap();
        assert_eq!(a.try_lease(&key(), 150, 100).await.unwrap(), None, "the second still has it");
        assert!(b.save(&key(), second, &record("new")).await.unwrap());
        assert_eq!(a.load(&key()).await.unwrap(), Some(record("new")));
        let third = a.try_lease(&key(), 150, 100).await.unwrap().unwrap();
        a.release(&key(), third).await.unwrap();
        assert_eq!(b.try_lease(&key(), 150, 100).await.unwrap(), Some(Lease { fence: third.fence + 1 }));
        // Another kind, another hospital: another token.
        let ticket = TokenKey { kind: TokenKind::JsapiTicket, ..key() };
        assert_eq!(a.load(&ticket).await.unwrap(), None);
        let elsewhere = DbTokenStore::new(t.db.clone(), clinic.vault.clone(), HospitalId(2));
        assert_eq!(elsewhere.load(&key()).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn many_nodes_fetch_one_token() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await.with_wechat().await;
        let mut calls = tokio::task::JoinSet::new();
        for node in t.nodes(4).await {
            let channels = Channels::load(&node, clinic.vault.clone(), http()).await.unwrap();
            for _ in 0..8 {
                let client = channels.service(H).unwrap().client.clone();
                calls.spawn(async move { client.access_token().await.unwrap().reveal().to_owned() });
            }
        }
        let tokens: std::collections::HashSet<_> = calls.join_all().await.into_iter().collect();
        assert_eq!(tokens.len(), 1);
        assert_eq!(clinic.wechat.tokens.load(std::sync::atomic::Ordering::SeqCst), 1);
    })
    .await;
}
