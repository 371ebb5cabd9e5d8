//! What pushes ask for, carried out.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use ::store::{Result, StoreError, Tx};
use base::{HospitalId, Lang, UnixMs};
use edge::{AccountId, Actor, Caller, Hospital};
use people::refusal::Refusal;
use people::wechat_user::{self, Seen};
use people::{Channel, ChannelAccountId, accounts};

use super::Deps;
use super::model::PushId;
use super::rules::{self, Effect};

/// Why a push was not worked on.
pub(super) enum Failed {
    Store(StoreError),
    ForGood(String),
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A push as it was kept.
#[derive(Clone, Copy)]
pub(super) struct Kept<'a> {
    pub(super) hospital: HospitalId,
    pub(super) id: PushId,
    pub(super) channel: ChannelAccountId,
    pub(super) openid: &'a str,
    pub(super) received_at: UnixMs,
}

/// A push that was read, and what has to be done about it.
pub(super) struct Read<'a> {
    on: On<'a>,
    effect: Effect,
}

/// Reads a push. `None` when it is unreadable, or its account was taken out of the settings meanwhile: kept, like an event that
/// we do not know.
pub(super) fn read<'a>(deps: &Deps, kept: Kept<'a>, text: &str) -> Result<Option<Read<'a>>> {
    let hospital = deps.hospitals.get(kept.hospital).ok_or(StoreError::NoRow)?;
    let channel = deps.channels.get(kept.channel).filter(|channel| channel.hospital == kept.hospital);
    let (Ok(push), Some(channel)) = (wechat::message::parse(text), channel) else { return Ok(None) };
    let at = rules::happened_at(push.created_s, kept.received_at);
    Ok(Some(Read { on: On { hospital, channel, kept, at }, effect: rules::effect(&push) }))
}

impl Read<'_> {
    /// Does what this push asks for.
    pub(super) async fn apply(self, tx: &mut Tx) -> Result<(), Failed> {
        self.on.apply(tx, self.effect).await
    }
}

/// Does what all of these ask for.
///
/// Most people only did something in the chat: when they were last seen is written for all of them at once, as the latest
/// counts and no order matters. Of anybody who did more than that, all pushes are worked on in their order.
pub(super) async fn apply_all(tx: &mut Tx, read: Vec<Read<'_>>) -> Result<(), Failed> {
    let who = |on: &On<'_>| (on.kept.channel, on.kept.openid.to_owned());
    let eventful: HashSet<_> =
        read.iter().filter(|one| !one.effect.is_only_seen()).map(|one| who(&one.on)).collect();
    let mut seen: HashMap<ChannelAccountId, (Arc<Channel>, BTreeMap<&str, Seen>)> = HashMap::new();
    for Read { on, effect } in read {
        match effect {
            Effect::Kept => {}
            Effect::Acted { activity, lang: None } if !eventful.contains(&who(&on)) => {
                // A push that names nobody is about nobody.
                if !on.kept.openid.is_empty() {
                    let people = &mut seen.entry(on.kept.channel).or_insert((on.channel, BTreeMap::new())).1;
                    let new = Seen::new(on.at, activity);
                    people.entry(on.kept.openid).and_modify(|seen| *seen = seen.and(new)).or_insert(new);
                }
            }
            effect => on.apply(tx, effect).await?,
        }
    }
    for (channel, people) in seen.values() {
        wechat_user::seen_all(tx, channel, people).await?;
    }
    Ok(())
}

/// What a push is about.
struct On<'a> {
    hospital: Arc<Hospital>,
    channel: Arc<Channel>,
    kept: Kept<'a>,
    at: UnixMs,
}

impl On<'_> {
    async fn apply(&self, tx: &mut Tx, effect: Effect) -> Result<(), Failed> {
        let (channel, openid) = (&*self.channel, self.kept.openid);
        if let Effect::TemplateFinished { msg_id, delivery } = &effect {
            let told = notify::template_finished(tx, channel.hospital, channel.id, *msg_id, delivery);
            return Ok(told.await?);
        }
        // A push that names nobody is about nobody.
        if openid.is_empty() {
            return Ok(());
        }
        match effect {
            Effect::Followed { scene } => {
                let account = wechat_user::followed(tx, channel, openid, self.at, scene.as_deref()).await?;
                if let Some(scene) = &scene {
                    self.scanned(tx, account, scene, true).await?;
                }
            }
            Effect::Scanned { scene } => {
                let account = wechat_user::seen(tx, channel, openid, self.at, people::Activity::Scan).await?;
                self.scanned(tx, account, &scene, false).await?;
            }
            Effect::Unfollowed => {
                wechat_user::unfollowed(tx, channel, openid, self.at).await?;
            }
            Effect::Acted { activity, lang } => {
                let account = wechat_user::seen(tx, channel, openid, self.at, activity).await?;
                if let Some(lang) = lang {
                    self.choose(tx, account, lang).await?;
                }
            }
            Effect::TemplateFinished { .. } | Effect::Kept => {}
        }
        Ok(())
    }

    /// Somebody came by one of our codes.
    async fn scanned(
        &self,
        tx: &mut Tx,
        account: AccountId,
        scene: &str,
        is_new: bool,
    ) -> Result<(), Failed> {
        let push = self.kept.id.db();
        let told = channel::scans::Told { push: &push, scene, account, is_new, at: self.at };
        match channel::scans::keep(tx, &self.hospital, told).await {
            Ok(()) => Ok(()),
            Err(channel::Refusal::Store(error)) => Err(Failed::Store(error)),
            Err(refusal) => Err(Failed::ForGood(refusal.to_string())),
        }
    }

    /// Somebody chose a language by a word in the chat: as good as a tap on the page.
    async fn choose(&self, tx: &mut Tx, account: AccountId, lang: Lang) -> Result<(), Failed> {
        let caller = Caller {
            actor: Actor::Account(account),
            lang,
            request_id: self.kept.id.to_string().into(),
            source: "wechat".into(),
            ..Caller::system(self.hospital.clone())
        };
        let change = accounts::Change { lang: Some(lang), elder: None };
        match accounts::change(tx, &caller, account, change).await {
            Ok(()) => Ok(()),
            Err(Refusal::Store(error)) => Err(Failed::Store(error)),
            Err(refusal) => Err(Failed::ForGood(refusal.to_string())),
        }
    }
}
