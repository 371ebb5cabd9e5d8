//! What can be watched: walls, doors, lines, desks, one's own place. All that watch the same get one text, rendered once.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use base::{HospitalId, Problem};
use edge::live::TopicSource;
use edge::{Account, Actor, Caller};
use parking_lot::Mutex;
use store::{Topic, Tx};

use crate::QueueDeps;
use crate::api::wire;
use crate::model::{Queue, Ticket};
use crate::picture::{LinePicture, Setup};

/// Wakes everybody who watches a line, or a place in it.
pub(crate) fn touch_line(tx: &mut Tx, queue: &Queue, open: &[Ticket]) {
    tx.touch(Topic::new("queue", queue.id));
    tx.touch(Topic::new("desk", queue.id));
    if let Some(area) = queue.area {
        tx.touch(Topic::new("area", area));
    }
    tx.touch(Topic::new("waiting", "all"));
    if let Some(department) = queue.department {
        tx.touch(Topic::new("waiting", department));
    }
    for ticket in open {
        tx.touch(Topic::new("ticket", ticket.id));
        if let Some(room) = ticket.room {
            tx.touch(Topic::new("room", room));
        }
    }
}

/// Wakes everybody who watches what is set up.
pub(crate) fn touch_setup(tx: &mut Tx, h: HospitalId) {
    tx.touch(Topic::new("setup", h));
}

/// What is watched by many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// A wall.
    Area,
    /// A door.
    Room,
    /// A line.
    Queue,
    /// How many wait.
    Waiting,
    /// A line as the desk sees it.
    Desk,
}

/// A topic that many watch.
pub(crate) struct Shared {
    deps: QueueDeps,
    shown: Shown,
    kept: Mutex<HashMap<(HospitalId, String), Kept>>,
}

/// A text and what it was made of: as long as these are the same pictures, it is the same text.
struct Kept {
    setup: Arc<Setup>,
    lines: Vec<Arc<LinePicture>>,
    text: Arc<str>,
}

impl Shared {
    pub(crate) fn new(deps: QueueDeps, shown: Shown) -> Self {
        Self { deps, shown, kept: Mutex::default() }
    }

    fn kept(
        &self,
        key: &(HospitalId, String),
        setup: &Arc<Setup>,
        lines: &[Arc<LinePicture>],
    ) -> Option<Arc<str>> {
        let all = self.kept.lock();
        let kept = all.get(key)?;
        let same = Arc::ptr_eq(&kept.setup, setup)
            && kept.lines.len() == lines.len()
            && kept.lines.iter().zip(lines).all(|(one, other)| Arc::ptr_eq(one, other));
        same.then(|| kept.text.clone())
    }
}

#[async_trait]
impl TopicSource for Shared {
    fn kind(&self) -> &'static str {
        match self.shown {
            Shown::Area => "area",
            Shown::Room => "room",
            Shown::Queue => "queue",
            Shown::Waiting => "waiting",
            Shown::Desk => "desk",
        }
    }

    async fn snapshot(&self, caller: &Caller, id: &str) -> Result<serde_json::Value, Problem> {
        let text = self.rendered(caller, id).await?;
        serde_json::from_str(&text).map_err(|_| Problem::internal())
    }

    async fn rendered(&self, caller: &Caller, id: &str) -> Result<Arc<str>, Problem> {
        if self.shown == Shown::Desk && !<crate::api::CallNext as edge::Permission>::WHO.admits(&caller.actor)
        {
            return Err(Problem::forbidden());
        }
        let h = caller.hospital.id;
        let setup = self.deps.pictures.setup(h).await?;
        let queues = wire::queues_shown(self.shown, &setup, id)?;
        let lines = self.deps.pictures.lines(h, &setup, queues).await?;
        let key = (h, id.to_owned());
        // Pick-ups are not part of the pictures: a wall is rendered anew, which costs little and is compared as text.
        if self.shown != Shown::Area
            && let Some(text) = self.kept(&key, &setup, &lines)
        {
            return Ok(text);
        }
        let body = wire::shown(&self.deps, &caller.hospital, self.shown, &setup, &lines, id).await?;
        let text: Arc<str> = serde_json::to_string(&body).map_err(|_| Problem::internal())?.into();
        let mut all = self.kept.lock();
        if all.len() > 4_096 {
            all.clear();
        }
        all.insert(key, Kept { setup, lines, text: text.clone() });
        Ok(text)
    }
}

/// One's own place in a line.
pub(crate) struct Place {
    pub(crate) deps: QueueDeps,
}

#[async_trait]
impl TopicSource for Place {
    fn kind(&self) -> &'static str {
        "ticket"
    }

    async fn snapshot(&self, caller: &Caller, id: &str) -> Result<serde_json::Value, Problem> {
        let id = id.parse().map_err(|_| Problem::not_found())?;
        let account = account(caller)?;
        let place = crate::places::own(&self.deps, &account, id).await?;
        serde_json::to_value(place).map_err(|_| Problem::internal())
    }

    async fn rendered(&self, caller: &Caller, id: &str) -> Result<Arc<str>, Problem> {
        let id = id.parse().map_err(|_| Problem::not_found())?;
        let place = crate::places::own(&self.deps, &account(caller)?, id).await?;
        Ok(serde_json::to_string(&place).map_err(|_| Problem::internal())?.into())
    }
}

/// Something to be picked up.
pub(crate) struct PickUp {
    pub(crate) deps: QueueDeps,
}

#[async_trait]
impl TopicSource for PickUp {
    fn kind(&self) -> &'static str {
        "pickup"
    }

    async fn snapshot(&self, caller: &Caller, id: &str) -> Result<serde_json::Value, Problem> {
        let id = id.parse().map_err(|_| Problem::not_found())?;
        let body = crate::pickup::own(&self.deps, &account(caller)?, id).await?;
        serde_json::to_value(body).map_err(|_| Problem::internal())
    }
}

fn account(caller: &Caller) -> Result<Account, Problem> {
    match caller.actor {
        Actor::Account(id) => Ok(Account { id, caller: caller.clone() }),
        Actor::Nobody => Err(Problem::sign_in()),
        _ => Err(Problem::not_found()),
    }
}
