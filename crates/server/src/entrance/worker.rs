//! What is done about a push after it was acknowledged.
//!
//! A node takes a batch under a lease. The pushes of one person are worked on one after the other. The change and the mark
//! that the push is done are one transaction, and the mark is only made by whoever still has the lease: so it happens once,
//! whichever node dies when.
//!
//! [`together`] works on a whole batch in one transaction, which costs a tenth. When anything is in the way of that (one push
//! fails, another node was faster), nothing of it stays, and each push of the batch is worked on by itself.
//!
//! While many come in, the worker rests after each batch: answers within a second go before what follows from them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use ::store::fault::{self, Point};
use ::store::vault::Purpose;
use ::store::{Result, StoreError, Tx};
use base::{Lang, UnixMs};
use edge::{AccountId, Actor, Caller, Hospital};
use people::refusal::Refusal;
use people::wechat_user::{self, Seen};
use people::{Channel, ChannelAccountId, accounts};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Deps;
use super::model::{PushState, TakenPush};
use super::rules::{self, Effect};
use super::store;

/// The longest pause between looks: what another node left behind, or what is to be tried again, is found by looking.
const TICK: Duration = Duration::from_secs(1);
/// So many people's pushes are worked on at the same time.
const SIDE_BY_SIDE: usize = 16;

/// While more than so many pushes come in during a turn …
const STORM: u64 = 64;
/// … the worker rests so many times as long as the turn took, at most [`TICK`].
const REST: u32 = 4;

/// Works until `stop`, and finishes what it has begun.
pub async fn run(deps: Deps, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let (begun, kept) = (Instant::now(), deps.intake.kept());
        match turn(&deps).await {
            Ok(0) => {
                tokio::select! {
                    () = deps.wake.notified() => {}
                    () = tokio::time::sleep(TICK) => {}
                    () = stop.cancelled() => {}
                }
            }
            Ok(_) if deps.intake.kept().saturating_sub(kept) > STORM => {
                let rest = (begun.elapsed() * REST).min(TICK);
                tokio::select! {
                    () = tokio::time::sleep(rest) => {}
                    () = stop.cancelled() => {}
                }
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "pushes of WeChat could not be read");
                tokio::select! {
                    () = tokio::time::sleep(TICK) => {}
                    () = stop.cancelled() => {}
                }
            }
        }
    }
}

/// One turn: takes a batch and works on it. Gives how many pushes it took.
///
/// # Errors
/// When the database can't be read; single pushes that fail do not end the turn.
pub async fn turn(deps: &Deps) -> Result<usize> {
    let taken = store::claim(&deps.db).await?;
    let count = taken.len();
    if count > 0 {
        fault::pass(Point::PushTaken);
    }
    let (first, mut alone): (Vec<_>, Vec<_>) = taken.into_iter().partition(|push| push.attempts == 1);
    if first.len() > 1 {
        let batch = Arc::<[TakenPush]>::from(first);
        if !try_together(deps, &batch).await {
            alone.extend(batch.iter().cloned());
        }
    } else {
        alone.extend(first);
    }
    alone.sort_by_key(|push| (push.received_at, push.id));
    let mut by_person: BTreeMap<_, Vec<TakenPush>> = BTreeMap::new();
    for push in alone {
        by_person.entry((push.hospital, push.channel, push.openid.clone())).or_default().push(push);
    }
    let mut running = JoinSet::new();
    for pushes in by_person.into_values() {
        while running.len() >= SIDE_BY_SIDE {
            over(running.join_next().await);
        }
        let deps = deps.clone();
        running.spawn(async move {
            for push in &pushes {
                if let Err(error) = work_on(&deps, push).await {
                    tracing::warn!(%error, push = %push.id, "a push could not be put back; its lease runs out");
                }
            }
        });
    }
    while let Some(ended) = running.join_next().await {
        over(Some(ended));
    }
    Ok(count)
}

/// Works on pushes together, in a task of its own: one that panics must not take the worker along. False when nothing of it
/// stays and each has to be tried by itself.
async fn try_together(deps: &Deps, batch: &Arc<[TakenPush]>) -> bool {
    let (deps, shared) = (deps.clone(), batch.clone());
    let reason = match tokio::spawn(async move { together(&deps, &shared).await }).await {
        Ok(Ok(done)) => return done,
        Ok(Err(Failed::Store(error))) => error.to_string(),
        Ok(Err(Failed::ForGood(reason))) => reason,
        Err(error) => error.to_string(),
    };
    tracing::warn!(
        reason,
        pushes = batch.len(),
        "pushes could not be worked on together; each is tried by itself"
    );
    false
}

/// A task that panicked leaves its pushes under their lease, and their next attempt counts.
fn over(ended: Option<std::result::Result<(), tokio::task::JoinError>>) {
    if let Some(Err(error)) = ended {
        tracing::error!(%error, "working on a push broke off");
    }
}

async fn work_on(deps: &Deps, push: &TakenPush) -> Result<()> {
    let failed = if push.attempts > rules::BROKEN_OFF {
        // Attempts that ended with the program itself are not recorded anywhere else.
        Failed::ForGood("each attempt broke off".into())
    } else {
        match carry_out(deps, push).await {
            Ok(()) => return Ok(()),
            Err(failed) => failed,
        }
    };
    let (state, reason) = match failed {
        Failed::Store(error) if error.is_transient() => (PushState::New, error.to_string()),
        Failed::Store(error) if push.attempts < rules::ATTEMPTS => (PushState::New, error.to_string()),
        Failed::Store(error) => (PushState::Failed, error.to_string()),
        Failed::ForGood(reason) => (PushState::Failed, reason),
    };
    if state == PushState::Failed {
        tracing::error!(push = %push.id, attempts = push.attempts, reason, "a push was given up");
    } else {
        tracing::warn!(push = %push.id, attempts = push.attempts, reason, "a push failed; it is tried again");
    }
    metrics::counter!("wechat_push_failures", "state" => state.code()).increment(1);
    let mut tx = deps.db.begin().await?;
    let due = tx.now().plus(rules::pause(push.attempts));
    store::again(&mut tx, push, state, due, &reason).await?;
    tx.commit().await
}

/// Why a push was not worked on.
enum Failed {
    Store(StoreError),
    ForGood(String),
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A push that was read, and what has to be done about it.
struct Read<'a> {
    on: On<'a>,
    effect: Effect,
}

/// Opens and reads a push. `None` when it is unreadable, or its account was taken out of the settings meanwhile: kept, like an
/// event that we do not know.
fn read<'a>(deps: &Deps, taken: &'a TakenPush) -> Result<Option<Read<'a>>> {
    let text = deps.vault.open_sealed(taken.hospital, "wechat_push.body", &taken.body, Purpose::Maintain)?;
    let hospital = deps.hospitals.get(taken.hospital).ok_or(StoreError::NoRow)?;
    let channel = deps.channels.get(taken.channel).filter(|channel| channel.hospital == taken.hospital);
    let (Ok(push), Some(channel)) = (wechat::message::parse(&text), channel) else { return Ok(None) };
    let at = rules::happened_at(push.created_s, taken.received_at);
    Ok(Some(Read { on: On { hospital, channel, taken, at }, effect: rules::effect(&push) }))
}

/// Does what a push asks for, and marks it, in one transaction.
async fn carry_out(deps: &Deps, taken: &TakenPush) -> Result<(), Failed> {
    let read = read(deps, taken)?;
    let mut tx = deps.db.begin().await?;
    if let Some(Read { on, effect }) = read {
        on.apply(&mut tx, effect).await?;
    }
    if store::done(&mut tx, taken).await? {
        fault::pass(Point::PushDoneBefore);
        tx.commit().await?;
        fault::pass(Point::PushDoneAfter);
    } else {
        tracing::debug!(push = %taken.id, "another node has taken this push; nothing of ours stays");
        tx.rollback().await?;
    }
    Ok(())
}

/// Does what all of these ask for, and marks them, in one transaction. False when somebody else has one of them meanwhile; then
/// nothing of it stays.
///
/// Most people only did something in the chat: when they were last seen is written for all of them at once, as the latest
/// counts and no order matters. Of anybody who did more than that, all pushes are worked on in their order.
async fn together(deps: &Deps, taken: &[TakenPush]) -> Result<bool, Failed> {
    let read: Vec<Read<'_>> =
        taken.iter().filter_map(|push| read(deps, push).transpose()).collect::<Result<_>>()?;
    let who = |on: &On<'_>| (on.taken.channel, on.taken.openid.clone());
    let eventful: HashSet<_> =
        read.iter().filter(|one| !one.effect.is_only_seen()).map(|one| who(&one.on)).collect();
    let mut seen: HashMap<ChannelAccountId, (Arc<Channel>, BTreeMap<&str, Seen>)> = HashMap::new();
    let mut tx = deps.db.begin().await?;
    for Read { on, effect } in read {
        match effect {
            Effect::Kept => {}
            Effect::Acted { activity, lang: None } if !eventful.contains(&who(&on)) => {
                // A push that names nobody is about nobody.
                if !on.taken.openid.is_empty() {
                    let people = &mut seen.entry(on.taken.channel).or_insert((on.channel, BTreeMap::new())).1;
                    let new = Seen::new(on.at, activity);
                    people.entry(&on.taken.openid).and_modify(|seen| *seen = seen.and(new)).or_insert(new);
                }
            }
            effect => on.apply(&mut tx, effect).await?,
        }
    }
    for (channel, people) in seen.values() {
        wechat_user::seen_all(&mut tx, channel, people).await?;
    }
    if store::done_all(&mut tx, taken).await? {
        fault::pass(Point::PushDoneBefore);
        tx.commit().await?;
        fault::pass(Point::PushDoneAfter);
        return Ok(true);
    }
    tracing::debug!("another node has taken one of these pushes; nothing of ours stays");
    tx.rollback().await?;
    Ok(false)
}

/// What a push is about.
struct On<'a> {
    hospital: Arc<Hospital>,
    channel: Arc<Channel>,
    taken: &'a TakenPush,
    at: UnixMs,
}

impl On<'_> {
    async fn apply(&self, tx: &mut Tx, effect: Effect) -> Result<(), Failed> {
        let (channel, openid) = (&*self.channel, self.taken.openid.as_str());
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
        let push = self.taken.id.db();
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
            request_id: self.taken.id.to_string().into(),
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
