//! Pushes that arrive while the last commit runs are kept together: one statement, one commit, and then each its answer.
//!
//! There is no timer: a batch is what is waiting. A single push is kept alone and at once; in a storm hundreds share one row
//! ([`super::bundle`]), one fsync and on PostgreSQL four round trips. A batch that fails for a reason of one of its pushes is cut in halves until that one
//! stands alone. Whoever hung up meanwhile is kept all the same, and known for a copy when WeChat sends again.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use ::store::fault::{self, Point};
use ::store::{Db, Result, StoreError, Vault};
use base::{HospitalId, Lang};
use people::ChannelAccountId;
use tokio::sync::{Notify, mpsc, oneshot};

use super::model::{NewPush, PushId};
use super::store;
use super::{Deps, bundle};

/// The most pushes of one commit.
const BATCH: usize = 512;
/// So many may wait for the batch before theirs; who comes then waits for room, and is asked to send again in the end.
const WAITING: usize = 4096;
/// So long after the last bundle a storm counts as over.
const OVER: Duration = Duration::from_millis(100);
/// Between two looks whether it is.
const LOOK: Duration = Duration::from_millis(25);

/// What became of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept {
    /// It was not here before, as far as that is known already: copies in a bundle are found when it is unpacked.
    pub(super) is_new: bool,
    /// The sender's language, where it was asked for and anybody knows it.
    pub(super) lang: Option<Lang>,
}

/// A push on its way, and where its answer goes.
struct Arrived {
    push: NewPush,
    asks_lang: bool,
    answer: oneshot::Sender<Result<Kept>>,
}

/// Keeps pushes. Cheap to clone; all clones share one lane, which ends with the last of them.
#[derive(Clone)]
pub(super) struct Intake {
    lane: Arc<OnceLock<mpsc::Sender<Arrived>>>,
    /// When the last bundle was made: milliseconds behind `since`, and one more; 0 when there was none.
    storm: Arc<AtomicU64>,
    since: Instant,
}

impl Default for Intake {
    fn default() -> Self {
        Self { lane: Arc::default(), storm: Arc::default(), since: Instant::now() }
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX - 1)
}

impl Intake {
    /// Keeps a push and, in the same breath, learns its sender's language if `asks_lang`. When this returns well, the push
    /// survives anything.
    ///
    /// # Errors
    /// When the database did not keep it.
    pub(super) async fn keep(&self, deps: &Deps, push: NewPush, asks_lang: bool) -> Result<Kept> {
        let lane = self.lane.get_or_init(|| {
            let (sender, arriving) = mpsc::channel(WAITING);
            let (db, vault, wake) = (deps.db.clone(), deps.vault.clone(), deps.wake.clone());
            let lane = Lane { db, vault, wake, storm: self.storm.clone(), since: self.since };
            tokio::spawn(lane.serve(arriving));
            sender
        });
        let (answer, answered) = oneshot::channel();
        let gone = || StoreError::SharedCommit("the lane of pushes went away".into());
        lane.send(Arrived { push, asks_lang, answer }).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Waits until no bundle was made for a moment, at most so long.
    pub(super) async fn after_storm(&self, at_most: Duration) {
        let until = Instant::now() + at_most;
        let blows = || {
            let last = self.storm.load(Ordering::Relaxed);
            last > 0 && u128::from(millis(self.since).saturating_sub(last - 1)) < OVER.as_millis()
        };
        while blows() && Instant::now() < until {
            tokio::time::sleep(LOOK).await;
        }
    }
}

struct Lane {
    db: Db,
    vault: Arc<Vault>,
    wake: Arc<Notify>,
    storm: Arc<AtomicU64>,
    since: Instant,
}

impl Lane {
    async fn serve(self, mut arriving: mpsc::Receiver<Arrived>) {
        let mut waiting = Vec::with_capacity(BATCH);
        while arriving.recv_many(&mut waiting, BATCH).await > 0 {
            metrics::histogram!("wechat_push_batch").record(u32::try_from(waiting.len()).unwrap_or(u32::MAX));
            let mut pushes = Vec::with_capacity(waiting.len());
            let mut answers = Vec::with_capacity(waiting.len());
            for one in waiting.drain(..) {
                pushes.push((one.push, one.asks_lang));
                answers.push(one.answer);
            }
            let (outcomes, langs) = tokio::join!(self.keep(&pushes), self.langs(&pushes));
            if outcomes.iter().any(|outcome| outcome.as_ref().is_ok_and(|is_new| *is_new)) {
                self.wake.notify_one();
            }
            for (((push, _), outcome), answer) in pushes.iter().zip(outcomes).zip(answers) {
                let lang = langs.get(&(push.hospital, push.channel, push.openid.as_str())).copied();
                // Nobody listens any more when WeChat has hung up.
                let _ = answer.send(outcome.map(|is_new| Kept { is_new, lang }));
            }
        }
    }

    /// Keeps pushes; each learns whether it is new.
    async fn keep(&self, pushes: &[(NewPush, bool)]) -> Vec<Result<bool>> {
        // Halves that are still to be done, the first on top.
        let mut open = vec![pushes];
        let mut done = Vec::with_capacity(pushes.len());
        while let Some(part) = open.pop() {
            match self.batch(part).await {
                Ok(new) => done.extend(new.into_iter().map(Ok)),
                Err(error) if part.len() > 1 && !error.is_transient() => {
                    tracing::error!(%error, pushes = part.len(), "a batch of pushes failed for one of them; it is cut in halves");
                    let (first, second) = part.split_at(part.len() / 2);
                    open.push(second);
                    open.push(first);
                }
                Err(error) if part.len() > 1 => {
                    tracing::warn!(%error, pushes = part.len(), "a batch of pushes could not be kept; WeChat sends them again");
                    done.extend(part.iter().map(|_| Err(StoreError::SharedCommit(error.to_string()))));
                }
                Err(error) => done.push(Err(error)),
            }
        }
        done
    }

    async fn batch(&self, pushes: &[(NewPush, bool)]) -> Result<Vec<bool>> {
        let mut by_account: BTreeMap<_, Vec<&NewPush>> = BTreeMap::new();
        for (push, _) in pushes {
            by_account.entry((push.hospital, push.channel)).or_default().push(push);
        }
        let (many, few): (Vec<_>, Vec<_>) =
            by_account.into_iter().partition(|(_, pushes)| pushes.len() >= bundle::FROM);
        let bundles = many
            .into_iter()
            .map(|((hospital, channel), pushes)| bundle::pack(&self.vault, hospital, channel, &pushes));
        let bundles = bundles.collect::<Result<Vec<_>>>()?;
        if !bundles.is_empty() {
            self.storm.store(millis(self.since) + 1, Ordering::Relaxed);
        }
        let mut rows: Vec<&NewPush> = few.into_iter().flat_map(|(_, pushes)| pushes).collect();
        // Copies on two nodes must meet in the same order, or PostgreSQL would find them waiting for each other.
        rows.sort_unstable_by(|a, b| a.key().cmp(&b.key()));
        let mut copies = HashSet::new();
        let mut tx = self.db.begin().await?;
        for bundle in bundles {
            store::bundles::keep(&mut tx, bundle).await?;
        }
        if !rows.is_empty() {
            let now = tx.now();
            let kept = store::keep_all(&mut tx, &self.vault, &rows, now).await?;
            if kept < u64::try_from(rows.len()).unwrap_or(u64::MAX) {
                let there: HashSet<PushId> = store::there(&mut tx, &rows).await?;
                copies = rows.iter().map(|row| row.id).filter(|id| !there.contains(id)).collect();
            }
        }
        fault::pass(Point::KeepBefore);
        tx.commit().await?;
        fault::pass(Point::KeepAfter);
        Ok(pushes.iter().map(|(push, _)| !copies.contains(&push.id)).collect())
    }

    /// The languages of those who are spoken to, as of the last commit. Who can't be looked up is spoken to as a stranger is.
    async fn langs<'a>(
        &self,
        pushes: &'a [(NewPush, bool)],
    ) -> HashMap<(HospitalId, ChannelAccountId, &'a str), Lang> {
        let mut asked: BTreeMap<(HospitalId, ChannelAccountId), HashSet<&str>> = BTreeMap::new();
        for (push, _) in pushes.iter().filter(|(_, asks_lang)| *asks_lang) {
            asked.entry((push.hospital, push.channel)).or_default().insert(&push.openid);
        }
        let mut langs = HashMap::new();
        for ((hospital, channel), openids) in asked {
            let found =
                people::wechat_user::langs_of_openids(&self.db, hospital, channel, openids.iter().copied());
            match found.await {
                Ok(found) => langs.extend(openids.iter().filter_map(|openid| {
                    found.get(*openid).map(|lang| ((hospital, channel, *openid), *lang))
                })),
                Err(error) => tracing::warn!(%error, "the chat's languages could not be read"),
            }
        }
        langs
    }
}
