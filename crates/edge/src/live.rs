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
use tokio_util::sync::CancellationToken;

use crate::actor::Caller;

/// The most topics that one stream may watch.
pub const MOST_TOPICS: usize = 16;
/// How often a topic is looked at without having been woken.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// So soon when the last look failed for a reason that passes.
const LOOK_SOON: Duration = Duration::from_secs(1);
/// After so long a stream ends and the browser opens it again: who has signed out or lost a right watches no longer.
const LONGEST: Duration = Duration::from_secs(600);

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

    /// The same as JSON text. Where many watch the same, a source gives all of them the one text that it has rendered: then
    /// nothing is compared or kept for each.
    ///
    /// # Errors
    /// As [`Self::snapshot`].
    async fn rendered(&self, caller: &Caller, id: &str) -> Result<Arc<str>, Problem> {
        Ok(self.snapshot(caller, id).await?.to_string().into())
    }
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
    stop: CancellationToken,
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
        // Watched from before the look: what changes while we look wakes us.
        let changes = live.watch(&topic);
        // The first snapshot decides whether the stream opens at all.
        let first = source.rendered(&caller, topic.id()).await?;
        let watched = Watched {
            source,
            caller: caller.clone(),
            topic,
            changes,
            revision: 0,
            sent: None,
            first: Some(first),
        };
        streams.push(Box::pin(stream::unfold(Some(watched), |watched| async {
            let mut watched = watched?;
            match watched.next().await {
                Some(event) => Some((Some(event), Some(watched))),
                None => Some((None, None)),
            }
        })));
    }
    // A topic that is over ends the whole stream: the browser opens it again and is told what is wrong.
    let events = stream::select_all(streams)
        .take_while(|event| std::future::ready(event.is_some()))
        .filter_map(std::future::ready)
        .map(Ok)
        // A program that stops does not wait for people to close their pages.
        .take_until(async move {
            tokio::select! {
                () = tokio::time::sleep(LONGEST) => {}
                () = stop.cancelled_owned() => {}
            }
        });
    Ok(Sse::new(events.boxed()).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)).text("ping")))
}

/// A topic on a stream.
struct Watched {
    source: Arc<dyn TopicSource>,
    caller: Caller,
    topic: Topic,
    changes: tokio::sync::watch::Receiver<u64>,
    revision: u64,
    sent: Option<Arc<str>>,
    first: Option<Arc<str>>,
}

impl Watched {
    /// The next snapshot that differs from the last; `None` when the caller may not watch any more.
    async fn next(&mut self) -> Option<Event> {
        let mut pause = LOOK_AGAIN;
        loop {
            let data = match self.first.take() {
                Some(data) => data,
                None => {
                    if let Ok(Err(_)) = tokio::time::timeout(pause, self.changes.changed()).await {
                        return None;
                    }
                    match self.source.rendered(&self.caller, self.topic.id()).await {
                        Ok(data) => data,
                        Err(problem) if passes(&problem) => {
                            pause = LOOK_SOON;
                            continue;
                        }
                        Err(_) => return None,
                    }
                }
            };
            pause = LOOK_AGAIN;
            if self.sent.as_ref().is_some_and(|sent| Arc::ptr_eq(sent, &data) || *sent == data) {
                continue;
            }
            self.revision += 1;
            // The kind and id of a topic are letters, digits, `_` and `-`.
            let (topic, revision) = (self.topic.as_str(), self.revision);
            let body = format!(r#"{{"topic":"{topic}","revision":{revision},"data":{data}}}"#);
            self.sent = Some(data);
            return Some(Event::default().event("snapshot").data(body));
        }
    }
}

fn passes(problem: &Problem) -> bool {
    matches!(problem.kind, Kind::Unavailable | Kind::Internal | Kind::Upstream | Kind::TooMany)
}
