//! What staff let the chat say: replies to words, the welcome, and the menu under it.
//!
//! Replies stand in memory, since WeChat gets its answer within a second: every node reads them again every few seconds, and at
//! once on the node that changed them. A text may hold links to our pages, written `[words](/path)`.

pub mod menu;
pub mod rules;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ::store::{Db, Result};
use base::{HospitalId, Lang, Text2};
use edge::{Caller, Hospital};
use parking_lot::RwLock;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::ChannelDeps;
use crate::links;
use crate::model::ReplyId;
use crate::refusal::Refusal;
use crate::store::chat as sql;
use rules::{Kind, Reply};

/// How often they are read again.
const FRESH: Duration = Duration::from_secs(5);
/// A hospital has so many replies at most: they are looked through for every message.
const MOST: usize = 500;

/// The replies of all hospitals. Cheap to clone; clones see the same.
#[derive(Clone, Default)]
pub struct Chat(Arc<RwLock<HashMap<HospitalId, Arc<Vec<Reply>>>>>);

impl Chat {
    /// Reads them again.
    ///
    /// # Errors
    /// Any [`::store::StoreError`]; what was known stays.
    pub async fn reload(&self, db: &Db) -> Result<()> {
        let mut all: HashMap<HospitalId, Vec<Reply>> = HashMap::new();
        for (hospital, reply) in sql::all(db).await? {
            all.entry(hospital).or_default().push(reply);
        }
        *self.0.write() = all.into_iter().map(|(hospital, list)| (hospital, Arc::new(list))).collect();
        Ok(())
    }

    /// Reads them again every few seconds until `stop`.
    pub async fn keep_fresh(self, db: Db, stop: CancellationToken) {
        loop {
            if let Err(error) = self.reload(&db).await {
                tracing::warn!(%error, "the chat's replies could not be read again");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(FRESH) => {}
            }
        }
    }

    fn of(&self, hospital: HospitalId) -> Arc<Vec<Reply>> {
        self.0.read().get(&hospital).cloned().unwrap_or_default()
    }

    /// What staff let the chat say to a message; `None` when they said nothing about it.
    #[must_use]
    pub fn answer(&self, hospital: HospitalId, message: &str) -> Option<Text2> {
        rules::answer(&self.of(hospital), message).map(|reply| reply.body.clone())
    }

    /// What staff let the chat say to a new follower.
    #[must_use]
    pub fn welcome(&self, hospital: HospitalId) -> Option<Text2> {
        let all = self.of(hospital);
        all.iter().find(|reply| reply.kind == Kind::Welcome).map(|reply| reply.body.clone())
    }
}

/// A text as the chat shows it. Who has no language yet reads both.
#[must_use]
pub fn shown(deps: &ChannelDeps, hospital: &Hospital, body: &Text2, lang: Option<Lang>) -> String {
    let base = deps.base_url(hospital);
    let one = |lang: Lang| rules::write(body.get(lang), |path| links::page(&base, path));
    match lang {
        Some(lang) => one(lang),
        None => format!("{}\n\n{}", one(Lang::Zh), one(Lang::En)),
    }
}

/// A reply to be kept.
#[derive(Debug, Clone)]
pub struct NewReply {
    /// To words, or the welcome.
    pub kind: Kind,
    /// The words; none for the welcome.
    pub words: Vec<String>,
    /// Whether the message must be one of them.
    pub whole: bool,
    /// What is said.
    pub body: Text2,
}

/// Keeps a reply, or changes one. The same key again changes nothing.
///
/// # Errors
/// [`Refusal::Words`], [`Refusal::Body`], [`Refusal::NotFound`].
pub async fn keep(
    deps: &ChannelDeps,
    caller: &Caller,
    id: Option<ReplyId>,
    key: &str,
    new: NewReply,
) -> std::result::Result<ReplyId, Refusal> {
    let h = caller.hospital.id;
    let words = rules::words(new.kind, &new.words).ok_or(Refusal::Words)?;
    for lang in [None, Some(Lang::Zh), Some(Lang::En)] {
        let text = shown(deps, &caller.hospital, &new.body, lang);
        if !rules::fits(&new.body) || text.len() > wechat::message::MAX_TEXT_BYTES {
            return Err(Refusal::Body);
        }
    }
    if id.is_none() && deps.chat.of(h).len() >= MOST {
        return Err(Refusal::Words);
    }
    let mut tx = deps.db.begin().await?;
    let reply = Reply { id: id.unwrap_or_default(), kind: new.kind, words, whole: new.whole, body: new.body };
    let by = caller.actor.to_string();
    let id = match id {
        Some(_) if sql::change(&mut tx, h, &reply, &by).await? => reply.id,
        Some(_) => return Err(Refusal::NotFound),
        None => sql::add(&mut tx, h, &reply, key, &by).await?,
    };
    tx.audit(caller.audit("chat.reply", id, json!({"kind": reply.kind}))).await?;
    tx.commit().await?;
    deps.chat.reload(&deps.db).await?;
    Ok(id)
}

/// Removes a reply. Twice is once.
///
/// # Errors
/// The database.
pub async fn remove(deps: &ChannelDeps, caller: &Caller, id: ReplyId) -> std::result::Result<(), Refusal> {
    let mut tx = deps.db.begin().await?;
    if sql::remove(&mut tx, caller.hospital.id, id, &caller.actor.to_string()).await? {
        tx.audit(caller.audit("chat.reply_removed", id, json!({}))).await?;
    }
    tx.commit().await?;
    deps.chat.reload(&deps.db).await?;
    Ok(())
}

/// The replies of a hospital.
///
/// # Errors
/// The database.
pub async fn list(deps: &ChannelDeps, h: HospitalId) -> Result<Vec<Reply>> {
    let all = sql::all(&deps.db).await?;
    Ok(all.into_iter().filter(|(hospital, _)| *hospital == h).map(|(_, reply)| reply).collect())
}
