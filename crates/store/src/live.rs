//! Live topics: whoever watches something is woken when it changes, on this node at once and on others within a second.
//!
//! A topic is a short text (`doctor:doc_…`). [`Tx::touch`](crate::Tx::touch) names it; after the commit its revision on this
//! node goes up and all watchers wake. Other nodes learn of it by PostgreSQL's NOTIFY, sent outside the transaction so that a
//! hot commit does not wait for it. A lost message is covered by watchers who look again by themselves now and then.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::{Db, Result};

crate::statements! {
    NOTIFY = sqlite "SELECT $1" postgres "SELECT CAST(1 AS BIGINT) FROM (SELECT pg_notify('xinglin_live', $1)) AS sent";
}

/// Other nodes are told at most so often …
const BREATH: Duration = Duration::from_millis(50);
/// … of at most so many topics at a time, in texts of at most so many bytes: PostgreSQL takes 8,000.
const AT_ONCE: usize = 10_000;
const FITS: usize = 7_000;

/// What can be watched: `kind:id`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Topic(Arc<str>);

impl Topic {
    /// A topic of a kind.
    #[must_use]
    pub fn new(kind: &str, id: impl std::fmt::Display) -> Self {
        Self(format!("{kind}:{id}").into())
    }

    /// Reads `kind:id`; at most 100 characters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, id) = text.split_once(':')?;
        let plain =
            |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        (text.len() <= 100 && plain(kind) && plain(id)).then(|| Self(text.into()))
    }

    /// The part before the colon.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.0.split_once(':').map_or("", |(kind, _)| kind)
    }

    /// The part behind the colon.
    #[must_use]
    pub fn id(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, id)| id)
    }

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The topics that are watched on this node.
#[derive(Clone, Default)]
pub struct Live {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    watched: Mutex<HashMap<Topic, watch::Sender<u64>>>,
    outbound: Mutex<Option<mpsc::UnboundedSender<Topic>>>,
}

impl Live {
    /// Watches a topic: the receiver's value goes up with each change on any node.
    #[must_use]
    pub fn watch(&self, topic: &Topic) -> watch::Receiver<u64> {
        let mut watched = self.inner.watched.lock();
        // Topics that nobody watches any more make room for new ones.
        if watched.len() > 1024 && watched.len().is_power_of_two() {
            watched.retain(|_, sender| sender.receiver_count() > 0);
        }
        watched.entry(topic.clone()).or_insert_with(|| watch::channel(0).0).subscribe()
    }

    /// How many streams watch something on this node.
    #[must_use]
    pub fn watchers(&self) -> usize {
        self.inner.watched.lock().values().map(watch::Sender::receiver_count).sum()
    }

    pub(crate) fn touched(&self, topics: Vec<Topic>) {
        if topics.is_empty() {
            return;
        }
        let outbound = self.inner.outbound.lock().clone();
        for topic in topics {
            self.bump(&topic);
            if let Some(outbound) = &outbound {
                let _ = outbound.send(topic);
            }
        }
    }

    fn bump(&self, topic: &Topic) {
        if let Some(sender) = self.inner.watched.lock().get(topic) {
            sender.send_modify(|n| *n = n.wrapping_add(1));
        }
    }
}

/// Carries topics between the nodes of one PostgreSQL until `stop`. On SQLite there is only one node and nothing to do.
pub async fn bridge(db: Db, stop: CancellationToken) {
    let Some(pool) = db.pg().cloned() else { return };
    let (sender, mut outbound) = mpsc::unbounded_channel::<Topic>();
    *db.live().inner.outbound.lock() = Some(sender);
    let node = db.node().to_owned();
    let speak = {
        let db = db.clone();
        let node = node.clone();
        async move {
            let mut waiting = Vec::new();
            while outbound.recv_many(&mut waiting, AT_ONCE).await > 0 {
                // In a rush the same topics change with every commit: others need to hear of each but once.
                for words in sentences(waiting.drain(..).collect()) {
                    if let Err(error) = say(&db, &node, &words).await {
                        tracing::debug!(%error, "live topics were not passed on; watchers look again by themselves");
                    }
                }
                tokio::time::sleep(BREATH).await;
            }
        }
    };
    let listen = async move {
        loop {
            if let Ok(mut listener) = sqlx::postgres::PgListener::connect_with(&pool).await
                && listener.listen("xinglin_live").await.is_ok()
            {
                while let Ok(message) = listener.recv().await {
                    if let Some((from, topics)) = message.payload().split_once(' ')
                        && from != node
                    {
                        for topic in topics.split(' ').filter_map(Topic::parse) {
                            db.live().bump(&topic);
                        }
                    }
                }
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = async { tokio::join!(speak, listen); } => {}
    }
}

/// Topics parted by spaces, each once, in texts that fit into a message.
fn sentences(topics: BTreeSet<Topic>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for topic in topics {
        match all.last_mut() {
            Some(words) if words.len() + topic.as_str().len() < FITS => {
                words.push(' ');
                words.push_str(topic.as_str());
            }
            _ => all.push(topic.as_str().to_owned()),
        }
    }
    all
}

async fn say(db: &Db, node: &str, words: &str) -> Result<()> {
    db.opt::<crate::Row>(NOTIFY, crate::args![format!("{node} {words}")]).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_strict() {
        assert_eq!(Topic::parse("doctor:doc_1").unwrap().kind(), "doctor");
        for bad in ["", "doctor", "doctor:", ":x", "doctor:a b", "a:b:c"] {
            assert!(Topic::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn topics_travel_together_and_once() {
        let topics: Vec<Topic> =
            (0..500).map(|n| Topic::new("doctor", format!("doc_{:032}", n % 400))).collect();
        let texts = sentences(topics.iter().cloned().collect());
        assert!(texts.len() > 1 && texts.iter().all(|text| text.len() <= FITS));
        let told: Vec<Topic> =
            texts.iter().flat_map(|text| text.split(' ')).map(|word| Topic::parse(word).unwrap()).collect();
        assert_eq!((told.len(), told.first(), told.last()), (400, topics.first(), topics.get(399)));
        assert!(sentences(BTreeSet::new()).is_empty());
    }

    #[test]
    fn watchers_are_woken() {
        let live = Live::default();
        let topic = Topic::new("queue", 7);
        let mut seen = live.watch(&topic);
        assert!(!seen.has_changed().unwrap());
        live.touched(vec![topic.clone()]);
        assert!(seen.has_changed().unwrap());
        assert_eq!(*seen.borrow_and_update(), 1);
        drop(seen);
        assert_eq!(live.watchers(), 0);
    }
}
