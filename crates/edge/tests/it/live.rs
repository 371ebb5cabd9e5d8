//! One stream for all that a page watches.

use std::time::Duration;

use axum::body::BodyDataStream;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use store::testing::{TestDb, each_db};
use store::{Db, Topic, args};
use tower::ServiceExt as _;

use crate::rig::{BUMP, H, Rig, account, migrations, open, pairs, request};

const SOON: Duration = Duration::from_secs(10);

struct Stream(BodyDataStream, String);

impl Stream {
    async fn open(b: &Rig, topics: &[&str], headers: &[(&str, &str)]) -> Self {
        let path = format!(
            "/api/v1/live?{}",
            topics.iter().map(|t| format!("topic={t}")).collect::<Vec<_>>().join("&")
        );
        let response = b.router.clone().oneshot(request("GET", &path, headers, "")).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self(response.into_body().into_data_stream(), String::new())
    }

    /// The next snapshot; `None` when the stream is over.
    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some((event, rest)) = self.1.split_once("\n\n") {
                let data = event.lines().find_map(|l| l.strip_prefix("data: ")).map(ToOwned::to_owned);
                let named = event.lines().any(|l| l == "event: snapshot");
                self.1 = rest.to_owned();
                match data {
                    Some(data) => {
                        assert!(named);
                        return Some(serde_json::from_str(&data).unwrap());
                    }
                    None => continue,
                }
            }
            let chunk =
                tokio::time::timeout(SOON, self.0.next()).await.unwrap_or_else(|_| panic!("nothing came"))?;
            self.1.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
        }
    }
}

async fn bump(db: &Db, id: &str) {
    let mut tx = db.begin().await.unwrap();
    tx.exec(BUMP, args![H, id]).await.unwrap();
    tx.touch(Topic::new("thing", id));
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_snapshot_at_once_and_after_each_change() {
    each_db(&migrations(), async |t: TestDb| {
        let b = open(&t).await;
        let mut stream = Stream::open(&b, &["thing:a", "thing:b"], &[]).await;
        let mut first = [stream.next().await.unwrap(), stream.next().await.unwrap()];
        first.sort_by_key(|v| v["topic"].as_str().unwrap().to_owned());
        assert_eq!(first[0], json!({"topic": "thing:a", "revision": 1, "data": {"n": 0}}));
        assert_eq!(first[1], json!({"topic": "thing:b", "revision": 1, "data": {"n": 0}}));
        bump(&b.db, "b").await;
        assert_eq!(
            stream.next().await.unwrap(),
            json!({"topic": "thing:b", "revision": 2, "data": {"n": 1}})
        );
        bump(&b.db, "a").await;
        assert_eq!(
            stream.next().await.unwrap(),
            json!({"topic": "thing:a", "revision": 2, "data": {"n": 1}})
        );
        // Who comes back is told how things are now.
        drop(stream);
        bump(&b.db, "a").await;
        let mut again = Stream::open(&b, &["thing:a"], &[]).await;
        assert_eq!(again.next().await.unwrap(), json!({"topic": "thing:a", "revision": 1, "data": {"n": 2}}));
        assert_eq!(b.db.live().watchers(), 1);
        drop(again);
        assert_eq!(b.db.live().watchers(), 0, "who went away watches nothing");
    })
    .await;
}

/// A change that comes while the stream is being opened, or while a snapshot is taken, is not slept through.
#[tokio::test]
async fn no_change_is_missed_in_between() {
    each_db(&migrations(), async |t: TestDb| {
        let b = open(&t).await;
        for round in 0..20 {
            let id = format!("r{round}");
            let mut stream = Stream::open(&b, &[&format!("thing:{id}")], &[]).await;
            // The first snapshot was taken when the stream was opened, and is read only now.
            bump(&b.db, &id).await;
            assert_eq!(stream.next().await.unwrap()["data"]["n"], 0);
            assert_eq!(stream.next().await.unwrap()["data"]["n"], 1);
            // Many changes may come as one, but the last one comes.
            for _ in 0..5 {
                bump(&b.db, &id).await;
            }
            while stream.next().await.unwrap()["data"]["n"] != 6 {}
        }
    })
    .await;
}

#[tokio::test]
async fn what_one_may_not_watch_does_not_open() {
    each_db(&migrations(), async |t: TestDb| {
        let b = open(&t).await;
        let many = (0..17).map(|i| format!("topic=thing:t{i}")).collect::<Vec<_>>().join("&");
        for (query, status, code) in [
            ("", 422, "topics_invalid"),
            (many.as_str(), 422, "topics_invalid"),
            ("topic=nonsense", 404, "not_found"),
            ("topic=secret:1", 404, "not_found"),
            ("topic=thing:a&topic=thing:mine", 403, "forbidden"),
        ] {
            let answer = b.get(&format!("/api/v1/live?{query}"), &[]).await;
            assert_eq!((answer.status, answer.code().as_str()), (status, code), "{query}");
        }
        let me = b.sign_in(account()).await;
        let mut mine = Stream::open(&b, &["thing:mine"], &pairs(&me)).await;
        assert_eq!(mine.next().await.unwrap()["data"]["n"], 0);
    })
    .await;
}

#[tokio::test]
async fn a_stream_ends_when_one_may_watch_no_longer_but_not_for_a_hiccup() {
    each_db(&migrations(), async |t: TestDb| {
        let b = open(&t).await;
        let mut stream = Stream::open(&b, &["thing:gone", "thing:busy"], &[]).await;
        stream.next().await.unwrap();
        stream.next().await.unwrap();
        bump(&b.db, "busy").await;
        assert_eq!(stream.next().await.unwrap()["data"]["n"], 1);
        // Its second state can't be read just now; it is tried again, and the third one comes.
        bump(&b.db, "busy").await;
        bump(&b.db, "busy").await;
        assert_eq!(stream.next().await.unwrap()["data"]["n"], 3);
        for _ in 0..3 {
            bump(&b.db, "gone").await;
        }
        while let Some(seen) = stream.next().await {
            assert!(seen["topic"] == "thing:gone" && seen["data"]["n"].as_i64().unwrap() < 3);
        }
    })
    .await;
}
