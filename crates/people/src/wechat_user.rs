//! What a chat tells of its people, for the entrance that WeChat calls. One account stands for one WeChat user here.

use std::collections::{BTreeMap, HashMap};

use ::store::{Db, NewEvent, Result, StoreError, Tx};
use base::{HospitalId, Lang, UnixMs};
use edge::AccountId;

use crate::channel::Channel;
use crate::model::{Activity, ChannelAccountId, LangSource};
use crate::store::account;

/// Somebody follows one of our accounts. `at` is WeChat's time of it: what comes late does not undo what came after.
/// `scene` is the code by which they came, if any. Gives their account; it is made when they are new.
///
/// # Errors
/// Any [`StoreError`].
pub async fn followed(
    tx: &mut Tx,
    channel: &Channel,
    openid: &str,
    at: UnixMs,
    scene: Option<&str>,
) -> Result<AccountId> {
    let h = channel.hospital;
    let id = known(tx, h, channel.id, openid).await?;
    if account::follow(tx, h, channel.id, openid, true, at, scene).await? {
        account::seen(tx, h, channel.id, openid, at, false).await?;
        let payload = serde_json::json!({
            "account": id.to_string(), "channel": channel.id.to_string(), "following": true, "scene": scene,
        });
        tx.publish(NewEvent { hospital: h, kind: "people.followed", key: id.db(), payload }).await?;
    }
    Ok(id)
}

/// Somebody does not follow any more: nothing can be told to them there.
///
/// # Errors
/// Any [`StoreError`].
pub async fn unfollowed(tx: &mut Tx, channel: &Channel, openid: &str, at: UnixMs) -> Result<AccountId> {
    let h = channel.hospital;
    let id = known(tx, h, channel.id, openid).await?;
    if account::follow(tx, h, channel.id, openid, false, at, None).await? {
        let payload = serde_json::json!({
            "account": id.to_string(), "channel": channel.id.to_string(), "following": false,
        });
        tx.publish(NewEvent { hospital: h, kind: "people.followed", key: id.db(), payload }).await?;
    }
    Ok(id)
}

/// Somebody did something in the chat. Only followers can, so they count as following unless we know something later.
///
/// # Errors
/// Any [`StoreError`].
pub async fn seen(
    tx: &mut Tx,
    channel: &Channel,
    openid: &str,
    at: UnixMs,
    what: Activity,
) -> Result<AccountId> {
    let h = channel.hospital;
    let id = known(tx, h, channel.id, openid).await?;
    account::follow(tx, h, channel.id, openid, true, at, None).await?;
    account::seen(tx, h, channel.id, openid, at, what == Activity::Message).await?;
    Ok(id)
}

/// The account of a WeChat user. With `create` it is made when there is none, and is never `None`.
///
/// # Errors
/// Any [`StoreError`].
pub async fn account_of_openid(
    tx: &mut Tx,
    hospital: HospitalId,
    channel: ChannelAccountId,
    openid: &str,
    create: bool,
) -> Result<Option<AccountId>> {
    if create {
        return known(tx, hospital, channel, openid).await.map(Some);
    }
    account::by_openid(tx, hospital, channel, openid).await
}

/// The language of a WeChat user, if anybody knows it: the first welcome comes in both.
///
/// # Errors
/// Any [`StoreError`].
pub async fn lang_of_openid(
    tx: &mut Tx,
    hospital: HospitalId,
    channel: ChannelAccountId,
    openid: &str,
) -> Result<Option<Lang>> {
    account::lang_of_openid(tx, hospital, channel, openid).await
}

/// The languages of many WeChat users of one account, as of the last commit: as [`lang_of_openid`] of each. Who has none is
/// not among them.
///
/// # Errors
/// Any [`StoreError`].
pub async fn langs_of_openids(
    db: &Db,
    hospital: HospitalId,
    channel: ChannelAccountId,
    openids: impl Iterator<Item = &str>,
) -> Result<HashMap<String, Lang>> {
    let openids = openids.map(|openid| Some(openid.to_owned())).collect();
    account::langs_of_openids(db, hospital, channel, openids).await
}

/// When somebody was last seen in the chat, out of several things that they did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The last thing of any kind.
    pub acted: UnixMs,
    /// The last message.
    pub wrote: Option<UnixMs>,
}

impl Seen {
    /// One thing that they did.
    #[must_use]
    pub fn new(at: UnixMs, what: Activity) -> Self {
        Self { acted: at, wrote: (what == Activity::Message).then_some(at) }
    }

    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { acted: self.acted.max(other.acted), wrote: self.wrote.max(other.wrote) }
    }
}

/// As [`seen`] of each of these, by openid, in a few statements for all.
///
/// # Errors
/// Any [`StoreError`].
pub async fn seen_all(tx: &mut Tx, channel: &Channel, people: &BTreeMap<&str, Seen>) -> Result<()> {
    let h = channel.hospital;
    if people.is_empty() {
        return Ok(());
    }
    let openids = people.keys().map(|openid| Some((*openid).to_owned())).collect();
    let there = account::lock_openids(tx, h, channel.id, openids).await?;
    for openid in people.keys().filter(|openid| !there.contains(**openid)) {
        known(tx, h, channel.id, openid).await?;
    }
    let people = people.iter().map(|(openid, seen)| {
        ((*openid).to_owned(), serde_json::json!([seen.acted.0, seen.wrote.map(|at| at.0)]))
    });
    account::seen_all(tx, h, channel.id, people.collect()).await
}

async fn known(tx: &mut Tx, h: HospitalId, channel: ChannelAccountId, openid: &str) -> Result<AccountId> {
    if let Some(id) = account::by_openid(tx, h, channel, openid).await? {
        return Ok(id);
    }
    let id = account::add(tx, h, Lang::default(), LangSource::Default).await?;
    if account::add_openid(tx, h, channel, openid, id).await? {
        return Ok(id);
    }
    // Another push or sign-in of the same person was faster; theirs holds.
    account::take_back(tx, h, id).await?;
    account::by_openid(tx, h, channel, openid).await?.ok_or(StoreError::NoRow)
}
