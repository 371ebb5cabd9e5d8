//! What is done about a push after it was acknowledged.
//!
//! A node takes a batch under a lease. The pushes of one person are worked on one after the other. The change and the mark
//! that the push is done are one transaction, and the mark is only made by whoever still has the lease: so it happens once,
//! whichever node dies when.
//!
//! [`together`] works on a whole batch in one transaction, which costs a tenth, and so does [`unpack`] on a bundle. When anything
//! is in the way of that (one push fails, another node was faster), nothing of it stays, and each push is worked on by itself.
//!
//! While many come in, the worker stands back for a moment before each batch: answers within a second go before what follows
//! from them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ::store::fault::{self, Point};
use ::store::vault::Purpose;
use ::store::{Result, Tx};
use base::UnixMs;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Deps;
use super::bundle::{self, TakenBundle};
use super::effects::{Failed, Kept, Read, apply_all, read};
use super::model::{NewPush, PushState, TakenPush};
use super::rules;
use super::store;

/// The longest pause between looks: what another node left behind, or what is to be tried again, is found by looking.
const TICK: Duration = Duration::from_secs(1);
/// So many people's pushes are worked on at the same time.
const SIDE_BY_SIDE: usize = 16;

/// While pushes come in a storm, the worker stands back so long before each turn.
const STAND_BACK: Duration = Duration::from_millis(500);

/// Works until `stop`, and finishes what it has begun.
pub async fn run(deps: Deps, stop: CancellationToken) {
    while !stop.is_cancelled() {
        deps.intake.after_storm(STAND_BACK).await;
        match turn(&deps).await {
            Ok(0) => tokio::select! {
                () = deps.wake.notified() => {}
                () = tokio::time::sleep(TICK) => {}
                () = stop.cancelled() => {}
            },
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

/// One turn: takes a batch of pushes and the oldest bundle, and works on both. Gives how many pushes it took, copies in the
/// bundle too.
///
/// # Errors
/// When the database can't be read; single pushes that fail do not end the turn.
pub async fn turn(deps: &Deps) -> Result<usize> {
    // What came by itself after a bundle waits for it: a person's pushes are worked on in their order.
    let oldest = store::bundles::oldest(&deps.db).await?;
    let pushes = rows(deps, oldest.unwrap_or(UnixMs(i64::MAX))).await?;
    let bundled = if oldest.is_some() { bundle(deps).await? } else { 0 };
    Ok(pushes + bundled)
}

/// Takes the oldest bundle and works on it; gives how many pushes were in it.
async fn bundle(deps: &Deps) -> Result<usize> {
    let Some(taken) = store::bundles::take(&deps.db).await? else { return Ok(0) };
    fault::pass(Point::PushTaken);
    let pushes: Arc<[NewPush]> = bundle::unpack(&deps.vault, &taken)?.into();
    let taken = Arc::new(taken);
    // An attempt that ended with the program itself is not repeated: one of the pushes may be why.
    if taken.attempts > 1 || !try_to_unpack(deps, &taken, &pushes).await {
        spread(deps, &taken, &pushes).await?;
    }
    Ok(pushes.len())
}

/// As [`try_together`], of a bundle.
async fn try_to_unpack(deps: &Deps, bundle: &Arc<TakenBundle>, pushes: &Arc<[NewPush]>) -> bool {
    let (all, taken, deps) = (pushes.clone(), bundle.clone(), deps.clone());
    went_well(tokio::spawn(async move { unpack(&deps, &taken, &all).await }).await, pushes.len())
}

async fn rows(deps: &Deps, before: UnixMs) -> Result<usize> {
    let taken = store::claim(&deps.db, before).await?;
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
    went_well(tokio::spawn(async move { together(&deps, &shared).await }).await, batch.len())
}

fn went_well(
    ended: std::result::Result<Result<bool, Failed>, tokio::task::JoinError>,
    pushes: usize,
) -> bool {
    let reason = match ended {
        Ok(Ok(done)) => return done,
        Ok(Err(Failed::Store(error))) => error.to_string(),
        Ok(Err(Failed::ForGood(reason))) => reason,
        Err(error) => error.to_string(),
    };
    tracing::warn!(reason, pushes, "pushes could not be worked on together; each is tried by itself");
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

impl TakenPush {
    fn kept(&self) -> Kept<'_> {
        let (hospital, id, channel) = (self.hospital, self.id, self.channel);
        Kept { hospital, id, channel, openid: &self.openid, received_at: self.received_at }
    }
}

fn open<'a>(deps: &Deps, taken: &'a TakenPush) -> Result<Option<Read<'a>>> {
    let text = deps.vault.open_sealed(taken.hospital, store::BODY, &taken.body, Purpose::Maintain)?;
    read(deps, taken.kept(), &text)
}

/// Does what a push asks for, and marks it, in one transaction.
async fn carry_out(deps: &Deps, taken: &TakenPush) -> Result<(), Failed> {
    let read = open(deps, taken)?;
    let mut tx = deps.db.begin().await?;
    if let Some(read) = read {
        read.apply(&mut tx).await?;
    }
    let done = store::done(&mut tx, taken).await?;
    end(tx, done).await.map(drop)
}

/// Does what all of these ask for, and marks them, in one transaction. False when somebody else has one of them meanwhile; then
/// nothing of it stays.
async fn together(deps: &Deps, taken: &[TakenPush]) -> Result<bool, Failed> {
    let read: Vec<Read<'_>> =
        taken.iter().filter_map(|push| open(deps, push).transpose()).collect::<Result<_>>()?;
    let mut tx = deps.db.begin().await?;
    apply_all(&mut tx, read).await?;
    let done = store::done_all(&mut tx, taken).await?;
    end(tx, done).await
}

/// Does what the pushes of a bundle ask for, marks them, and removes the bundle, in one transaction. False as in [`together`].
async fn unpack(deps: &Deps, bundle: &TakenBundle, pushes: &[NewPush]) -> Result<bool, Failed> {
    let mut tx = deps.db.begin().await?;
    let new = store::bundles::mark(&mut tx, bundle, pushes).await?;
    let read = pushes.iter().filter(|push| new.contains(&push.id)).filter_map(|push| {
        let (hospital, id, channel) = (push.hospital, push.id, push.channel);
        let kept = Kept { hospital, id, channel, openid: &push.openid, received_at: bundle.received_at };
        read(deps, kept, &push.body).transpose()
    });
    let read = read.collect::<Result<Vec<_>>>()?;
    apply_all(&mut tx, read).await?;
    let done = store::bundles::remove(&mut tx, bundle).await?;
    end(tx, done).await
}

/// Puts the pushes of a bundle each into a row of its own, in place of the bundle: they are worked on one by one.
async fn spread(deps: &Deps, bundle: &TakenBundle, pushes: &[NewPush]) -> Result<()> {
    let mut all: Vec<&NewPush> = pushes.iter().collect();
    all.sort_unstable_by(|a, b| a.key().cmp(&b.key()));
    let mut tx = deps.db.begin().await?;
    store::keep_all(&mut tx, &deps.vault, &all, bundle.received_at).await?;
    if store::bundles::remove(&mut tx, bundle).await? { tx.commit().await } else { tx.rollback().await }
}

/// Commits what was done, or gives it up when somebody else has taken it meanwhile.
async fn end(tx: Tx, done: bool) -> Result<bool, Failed> {
    if done {
        fault::pass(Point::PushDoneBefore);
        tx.commit().await?;
        fault::pass(Point::PushDoneAfter);
    } else {
        tracing::debug!("another node has taken these pushes; nothing of ours stays");
        tx.rollback().await?;
    }
    Ok(done)
}
