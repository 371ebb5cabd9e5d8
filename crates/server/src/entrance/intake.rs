//! Pushes that arrive while the last commit runs are kept together: one statement, one commit, and then each its answer.
//!
//! There is no timer: a batch is what is waiting. A single push is kept alone and at once; in a storm hundreds share one fsync
//! and on PostgreSQL four round trips. A batch that fails for a reason of one of its pushes is cut in halves until that one
//! stands alone. Whoever hung up meanwhile is kept all the same, and known for a copy when WeChat sends again.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use ::store::fault::{self, Point};
use ::store::{Db, Result, StoreError};
use base::{HospitalId, Lang};
use people::ChannelAccountId;
use tokio::sync::{Notify, mpsc, oneshot};

use super::model::{NewPush, PushId};
use super::store;

/// The most pushes of one commit.
const BATCH: usize = 512;
/// So many may wait for the batch before theirs; who comes then waits for room, and is asked to send again in the end.
const WAITING: usize = 4096;

/// What became of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept {
    /// It was not here before.
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
#[derive(Clone, Default)]
pub(super) struct Intake {
    lane: Arc<OnceLock<mpsc::Sender<Arrived>>>,
    kept: Arc<AtomicU64>,
}

impl Intake {
    /// Keeps a push and, in the same breath, learns its sender's language if `asks_lang`. When this returns well, the push
    /// survives anything.
    ///
    /// # Errors
    /// When the database did not keep it.
    pub(super) async fn keep(
        &self,
        db: &Db,
        wake: &Arc<Notify>,
        push: NewPush,
        asks_lang: bool,
    ) -> Result<Kept> {
        let lane = self.lane.get_or_init(|| {
            let (sender, arriving) = mpsc::channel(WAITING);
            let lane = Lane { db: db.clone(), wake: wake.clone(), kept: self.kept.clone() };
            tokio::spawn(lane.serve(arriving));
            sender
        });
        let (answer, answered) = oneshot::channel();
        let gone = || StoreError::SharedCommit("the lane of pushes went away".into());
        lane.send(Arrived { push, asks_lang, answer }).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// How many pushes this node has kept since it was started.
    pub(super) fn kept(&self) -> u64 {
        self.kept.load(Ordering::Relaxed)
    }
}

struct Lane {
    db: Db,
    wake: Arc<Notify>,
    kept: Arc<AtomicU64>,
}

impl Lane {
    async fn serve(self, mut arriving: mpsc::Receiver<Arrived>) {
        let mut waiting = Vec::with_capacity(BATCH);
        while arriving.recv_many(&mut waiting, BATCH).await > 0 {
            metrics::histogram!("wechat_push_batch").record(u32::try_from(waiting.len()).unwrap_or(u32::MAX));
            // Copies on two nodes must meet in the same order, or PostgreSQL would find them waiting for each other.
            waiting.sort_unstable_by(|a: &Arrived, b| a.push.key().cmp(&b.push.key()));
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
        let mut tx = self.db.begin().await?;
        let rows: Vec<&NewPush> = pushes.iter().map(|(push, _)| push).collect();
        let mut is_new = vec![true; rows.len()];
        let kept = store::keep_all(&mut tx, &rows).await?;
        if kept < u64::try_from(rows.len()).unwrap_or(u64::MAX) {
            let there: HashSet<PushId> = store::there(&mut tx, &rows).await?;
            is_new = rows.iter().map(|row| there.contains(&row.id)).collect();
        }
        fault::pass(Point::KeepBefore);
        tx.commit().await?;
        fault::pass(Point::KeepAfter);
        self.kept.fetch_add(kept, Ordering::Relaxed);
        Ok(is_new)
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
