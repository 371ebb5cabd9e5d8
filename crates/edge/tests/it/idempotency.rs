//! A request that is sent again gets the first answer, and nothing is done twice.

use std::time::Duration;

use store::testing::{TestDb, each_db};

use crate::rig::{Answer, Rig, account, migrations, n, open, pairs};

async fn post(b: &Rig, who: &[(String, String)], key: &str, body: &str) -> Answer {
    let headers = [pairs(who), vec![("idempotency-key", key), ("content-type", "application/json")]].concat();
    b.ask("POST", "/api/v1/things", &headers, body).await
}

#[tokio::test]
async fn the_first_answer_is_given_again() {
    each_db(&migrations(), async |t: TestDb| {
        let b = open(&t).await;
        let (me, other) = (b.sign_in(account()).await, b.sign_in(account()).await);
        let first = post(&b, &me, "key-1", r#"{"name":"bed"}"#).await;
        assert_eq!(first.status, 201, "{}", first.text);
        for same in [r#"{"name":"bed"}"#, r#"{ "count": 0, "name": "b\u0065d" }"#] {
            let again = post(&b, &me, "key-1", same).await;
            assert_eq!((again.status, &again.text), (201, &first.text), "the very same answer");
            assert_eq!(again.header("content-type"), "application/json");
        }
        assert_eq!(n(&b.db, "bed").await, 1);
        let reused = post(&b, &me, "key-1", r#"{"name":"chair"}"#).await;
        assert_eq!((reused.status, reused.code().as_str()), (422, "idempotency_key_reused"));
        assert_eq!(n(&b.db, "chair").await, 0);
        // Another key is another wish, and so is another person's same key.
        assert_eq!(post(&b, &me, "key-2", r#"{"name":"bed"}"#).await.status, 201);
        let theirs = post(&b, &other, "key-1", r#"{"name":"bed"}"#).await;
        assert!(theirs.status == 201 && theirs.text != first.text);
        assert_eq!(n(&b.db, "bed").await, 3);
        for bad in ["", &"k".repeat(65), "with space", "schlüssel"] {
            let headers = [pairs(&me), vec![("content-type", "application/json")]].concat();
            let mut request = crate::rig::request("POST", "/api/v1/things", &headers, r#"{"name":"bed"}"#);
            request
                .headers_mut()
                .insert("idempotency-key", http::HeaderValue::from_bytes(bad.as_bytes()).unwrap());
            let refused = b.send(request).await;
            assert_eq!(
                (refused.status, refused.code().as_str()),
                (422, "idempotency_key_invalid"),
                "{bad:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_refused_request_may_be_sent_again() {
    each_db(&migrations(), async |t: TestDb| {
        let b = open(&t).await;
        let me = b.sign_in(account()).await;
        let refused = post(&b, &me, "k", r#"{"name":"bed","count":13}"#).await;
        assert_eq!((refused.status, refused.code().as_str()), (409, "unlucky"));
        assert_eq!(n(&b.db, "bed").await, 0, "what it had begun is undone");
        assert_eq!(post(&b, &me, "k", r#"{"name":"bed","count":1}"#).await.status, 201);
        assert_eq!(n(&b.db, "bed").await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_copies_at_once_are_one() {
    each_db(&migrations(), async |t: TestDb| {
        let b = open(&t).await;
        let me = b.sign_in(account()).await;
        for round in 0..3 {
            let mut copies = tokio::task::JoinSet::new();
            for _ in 0..100 {
                let (b, me) = (b.clone(), me.clone());
                copies.spawn(async move { post(&b, &me, &format!("k{round}"), r#"{"name":"bed"}"#).await });
            }
            let answers = copies.join_all().await;
            let mut texts: Vec<String> = Vec::new();
            for answer in answers {
                assert_eq!(answer.status, 201, "on {:?}: {}", t.backend(), answer.text);
                texts.push(answer.text);
            }
            texts.dedup();
            assert_eq!(texts.len(), 1, "all of them got the same answer");
            assert_eq!(n(&b.db, "bed").await, round + 1);
        }
    })
    .await;
}

#[tokio::test]
async fn old_answers_are_forgotten() {
    each_db(&migrations(), async |t: TestDb| {
        let b = open(&t).await;
        let me = b.sign_in(account()).await;
        post(&b, &me, "k", r#"{"name":"bed"}"#).await;
        assert_eq!(edge::idempotency::forget(&b.db, t.clock.now()).await.unwrap(), 0);
        assert_eq!(
            edge::idempotency::forget(&b.db, t.clock.now().plus(Duration::from_millis(1))).await.unwrap(),
            1
        );
        assert_eq!(post(&b, &me, "k", r#"{"name":"bed"}"#).await.status, 201);
        assert_eq!(n(&b.db, "bed").await, 2);
    })
    .await;
}
