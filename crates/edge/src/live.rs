//! One stream of server-sent events for all that a page watches.
//!
//! `GET /api/v1/live?topic=doctor:doc_…&topic=…`: for each topic a snapshot at once and again after each change. A stream that
//! breaks is simply opened again: it starts with snapshots. Each topic is also looked at by itself now and then, so that
//! a lost wake-up is seen within seconds.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::response::sse::{Event, KeepAlive, Sse};
use base::{Kind, Problem};
use futures_util::stream::{self, Stream, StreamExt as _};
use store::{Live, Topic};

use crate::actor::Caller;

/// The most topics that one stream may watch.
pub const MOST_TOPICS: usize = 16;
/// How often a topic is looked at without having been woken.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// Gives snapshots of topics of one kind.
#[async_trait]
pub trait TopicSource: Send + Sync {
    /// The kind: the part before the colon.
    fn kind(&self) -> &'static str;
    /// What the caller may see of it now.
    ///
    /// # Errors
    /// 404 or 403 when the caller may not watch it.
    async fn snapshot(&self, caller: &Caller, id: &str) -> Result<serde_json::Value, Problem>;
}

/// Opens a stream.
///
/// # Errors
/// 422 when there are too many or malformed topics, and what the sources say of the first snapshot.
pub async fn stream(
    live: &Live,
    sources: &HashMap<&'static str, Arc<dyn TopicSource>>,
    caller: Caller,
    topics: Vec<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>> + use<>>, Problem> {
    if topics.is_empty() || topics.len() > MOST_TOPICS {
        return Err(Problem::new(
            Kind::Invalid,
            "topics_invalid",
            "请订阅 1 到 16 个主题。",
            "Watch 1 to 16 topics.",
        ));
    }
    let mut streams = Vec::new();
    for text in topics {
        let topic = Topic::parse(&text).ok_or_else(Problem::not_found)?;
        let source = sources.get(topic.kind()).cloned().ok_or_else(Problem::not_found)?;
        let changes = live.watch(&topic);
        // The first snapshot decides whether the stream opens at all.
        let first = source.snapshot(&caller, topic.id()).await?;
        let caller = caller.clone();
        let start = (source, caller, topic, changes, 0_u64, Some(first));
        streams.push(Box::pin(stream::unfold(
            start,
            |(source, caller, topic, mut changes, revision, first)| async move {
                let mut revision = revision;
                let data = match first {
                    Some(data) => data,
                    None => {
                        let woken = tokio::time::timeout(LOOK_AGAIN, changes.changed()).await;
                        if let Ok(Err(_)) = woken {
                            return None;
                        }
                        source.snapshot(&caller, topic.id()).await.ok()?
                    }
                };
                changes.borrow_and_update();
                revision += 1;
                let body = serde_json::json!({"topic": topic.as_str(), "revision": revision, "data": data});
                let event = Event::default().event("snapshot").data(body.to_string());
                Some((Ok(event), (source, caller, topic, changes, revision, None)))
            },
        )));
    }
    Ok(Sse::new(stream::select_all(streams).boxed())
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(15)).text("ping")))
}
