//! What is done about a push after it was acknowledged.
//!
//! A node takes a batch under a lease. The pushes of one person are worked on one after the other, those of different
//! people side by side. The change and the mark that the push is done are one transaction, and the mark is only made by
//! whoever still has the lease: so it happens once, whichever node dies when.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ::store::fault::{self, Point};
use ::store::vault::Purpose;
use ::store::{Result, StoreError, Tx};
use base::{Lang, UnixMs};
use edge::{AccountId, Actor, Caller, Hospital};
use people::refusal::Refusal;
use people::{Channel, accounts, wechat_user};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Deps;
use super::model::{PushState, TakenPush};
use super::rules::{self, Effect};
use super::store;

/// The longest pause between looks: what another node left behind, or what is to be tried again, is found by looking.
const TICK: Duration = Duration::from_secs(1);
/// So many people's pushes are worked on at the same time.
const SIDE_BY_SIDE: usize = 16;

/// Works until `stop`, and finishes what it has begun.
pub async fn run(deps: Deps, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match turn(&deps).await {
            Ok(0) => {
                tokio::select! {
                    () = deps.wake.notified() => {}
                    () = tokio::time::sleep(TICK) => {}
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
    let mut by_person: BTreeMap<_, Vec<TakenPush>> = BTreeMap::new();
    for push in taken {
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

/// Does what a push asks for, and marks it, in one transaction.
async fn carry_out(deps: &Deps, taken: &TakenPush) -> Result<(), Failed> {
    let text = deps.vault.open_sealed(taken.hospital, "wechat_push.body", &taken.body, Purpose::Maintain)?;
    let effect = match wechat::message::parse(&text) {
        Ok(push) => Some((rules::effect(&push), rules::happened_at(push.created_s, taken.received_at))),
        Err(_) => None,
    };
    let channel = deps.channels.get(taken.channel).filter(|channel| channel.hospital == taken.hospital);
    let hospital = deps.hospitals.get(taken.hospital).ok_or(StoreError::NoRow)?;
    let mut tx = deps.db.begin().await?;
    // Unreadable, or the account was taken out of the settings meanwhile: kept, like an event that we do not know.
    if let (Some((effect, at)), Some(channel)) = (effect, channel) {
        let on = On { hospital, channel, taken, at };
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
                wechat_user::followed(tx, channel, openid, self.at, scene.as_deref()).await?;
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
