//! Lanes: requests that arrive while the last commit runs are decided and committed together.
//!
//! There is no timer: a batch is what is waiting. When nothing waits a request is committed alone and at once; in a rush
//! hundreds share one commit. A batch that fails for a reason of one row is cut in halves until that row stands alone.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use base::{HospitalId, Problem};
use edge::{AccountId, Hospital, Hospitals};
use jiff::ToSpan as _;
use people::{BoundPerson, PersonId};
use schedule::{Board, SlotId};
use store::fault::{self, Point};
use store::{Db, NewEvent, StoreError, Topic, Tx};
use tokio::sync::{mpsc, oneshot};

use crate::desk::Reply;
use crate::full::Full;
use crate::model::{Appointment, AppointmentId, Limits, Outcome, PersonFacts, Request, State};
use crate::rules::{Facts, Now, Plan, decide};
use crate::{hold, limits, quota, store as sql};

/// The most requests of one commit.
pub(crate) const BATCH: usize = 512;
/// So many at a time are a crowd: work that nobody waits for stands back.
const CROWD: usize = 16;
/// How often a batch is tried again when other nodes were in the way.
const TRIES: usize = 6;

/// A request on its way, and where its outcome goes.
pub(crate) struct Waiting {
    pub(crate) hospital: HospitalId,
    pub(crate) request: Request,
    pub(crate) answer: Answer,
}

pub(crate) type Answer = oneshot::Sender<Result<Reply, Problem>>;
/// Who is bound to whom, of those that a batch asks for.
pub(crate) type Bound = HashMap<(AccountId, PersonId), BoundPerson>;

/// What came of wishes that were decided together.
pub(crate) struct Settled {
    /// Each one's own, in their order.
    pub(crate) replies: Vec<Reply>,
    /// How many new appointments are written.
    pub(crate) rows: usize,
}

impl Settled {
    /// Counts them, once they are committed.
    pub(crate) fn count(&self) {
        metrics::counter!("booking_booked").increment(u64::try_from(self.rows).unwrap_or(0));
    }
}

/// What a lane works with.
#[derive(Clone)]
pub(crate) struct Counter {
    pub(crate) db: Db,
    pub(crate) hospitals: Hospitals,
    pub(crate) board: Board,
    pub(crate) full: Full,
}

/// Parts what waits by hospital, each with its answers beside it.
pub(crate) fn by_hospital(waiting: &mut Vec<Waiting>) -> BTreeMap<HospitalId, (Vec<Request>, Vec<Answer>)> {
    let mut groups: BTreeMap<HospitalId, (Vec<Request>, Vec<Answer>)> = BTreeMap::new();
    for one in waiting.drain(..) {
        let group = groups.entry(one.hospital).or_default();
        group.0.push(one.request);
        group.1.push(one.answer);
    }
    groups
}

/// Each request's outcome with the person that it is about.
pub(crate) fn replies(requests: &[Request], outcomes: Vec<Outcome>, bound: &Bound) -> Vec<Reply> {
    let person = |request: &Request| bound.get(&(request.account, request.person.id)).cloned();
    requests
        .iter()
        .zip(outcomes)
        .map(|(request, outcome)| match &outcome {
            // A refusal speaks of nobody.
            Outcome::Refused(_) | Outcome::KeyReused => Reply { outcome, person: None },
            Outcome::Booked(_) | Outcome::Replay(_) => Reply { outcome, person: person(request) },
        })
        .collect()
}

/// Serves a lane until all senders are gone.
pub(crate) async fn serve(counter: Counter, mut arriving: mpsc::Receiver<Waiting>) {
    let mut buffer = Vec::with_capacity(BATCH);
    while arriving.recv_many(&mut buffer, BATCH).await > 0 {
        counter.crowd(buffer.len());
        for (hospital, (mut requests, answers)) in by_hospital(&mut buffer) {
            metrics::histogram!("booking_batch").record(u32::try_from(requests.len()).unwrap_or(u32::MAX));
            let outcomes = match counter.hospitals.get(hospital) {
                Some(hospital) => counter.work(&hospital, &mut requests).await,
                None => requests.iter().map(|_| Err(Problem::not_found())).collect(),
            };
            for (answer, outcome) in answers.into_iter().zip(outcomes) {
                let _ = answer.send(outcome);
            }
        }
    }
}

impl Counter {
    /// Says that people wait, when they are many.
    pub(crate) fn crowd(&self, waiting: usize) {
        if waiting >= CROWD {
            self.db.people_wait();
        }
    }

    /// Decides and commits requests; each gets its own outcome.
    pub(crate) async fn work(
        &self,
        hospital: &Arc<Hospital>,
        requests: &mut [Request],
    ) -> Vec<Result<Reply, Problem>> {
        let count = requests.len();
        // Halves that are still to be done, the first on top.
        let mut open: Vec<&mut [Request]> = vec![requests];
        let mut done = Vec::with_capacity(count);
        while let Some(part) = open.pop() {
            match self.try_batch(hospital, part).await {
                Ok(replies) => done.extend(replies.into_iter().map(Ok)),
                Err(error) if error.is_transient() => {
                    tracing::warn!(%error, requests = part.len(), "a batch could not be committed; its people are asked to try again");
                    done.extend(part.iter().map(|_| Err(Problem::unavailable(1))));
                }
                Err(error) if part.len() > 1 => {
                    tracing::error!(%error, requests = part.len(), "a batch failed for one of its rows; it is cut in halves");
                    let (first, second) = part.split_at_mut(part.len() / 2);
                    open.push(second);
                    open.push(first);
                }
                Err(error) => done.push(Err(error.into())),
            }
        }
        done
    }

    async fn try_batch(
        &self,
        hospital: &Arc<Hospital>,
        requests: &mut [Request],
    ) -> Result<Vec<Reply>, StoreError> {
        let mut last = None;
        for attempt in 0..TRIES {
            match self.batch(hospital, requests).await {
                Ok(Some(replies)) => return Ok(replies),
                // Another node won a place that this batch had counted on: look again.
                Ok(None) => metrics::counter!("booking_batch_lost_race").increment(1),
                Err(StoreError::Retry(error)) => last = Some(StoreError::Retry(error)),
                Err(error) => return Err(error),
            }
            tracing::debug!(attempt, requests = requests.len(), "a batch is decided again");
        }
        Err(last.unwrap_or_else(|| StoreError::SharedCommit("other nodes were faster every time".into())))
    }

    /// Reads all that a decision needs, the persons of the requests among it: whether the account is bound to them.
    pub(crate) async fn gather(
        &self,
        tx: &mut Tx,
        hospital: &Hospital,
        requests: &mut [Request],
        locked: bool,
    ) -> Result<(Facts, Bound), StoreError> {
        let facts = gather(tx, hospital, requests, locked).await?;
        let pairs: Vec<_> = requests.iter().map(|r| (r.account, r.person.id)).collect();
        let bound = people::bound::of_pairs(tx, hospital.id, &pairs).await?;
        let bound: Bound =
            bound.into_iter().map(|(account, person)| ((account, person.person), person)).collect();
        for request in requests {
            request.person = bound
                .get(&(request.account, request.person.id))
                .map_or_else(|| PersonFacts::unknown(request.person.id), PersonFacts::of);
        }
        for stock in facts.stock.values() {
            if stock.remaining() <= 0 {
                self.full.remember(stock.slot);
            }
        }
        Ok((facts, bound))
    }

    /// One try: `None` when another node was faster.
    async fn batch(
        &self,
        hospital: &Arc<Hospital>,
        requests: &mut [Request],
    ) -> Result<Option<Vec<Reply>>, StoreError> {
        let mut tx = self.db.begin_planned().await?;
        let Some(settled) = self.settle(&mut tx, hospital, requests).await? else {
            tx.rollback().await?;
            return Ok(None);
        };
        if settled.rows == 0 {
            tx.rollback().await?;
            return Ok(Some(settled.replies));
        }
        fault::pass(Point::BookingBefore);
        tx.commit().await?;
        fault::pass(Point::BookingAfter);
        settled.count();
        Ok(Some(settled.replies))
    }

    /// Decides wishes and writes what follows, in a transaction of the caller's. `None` when another node was faster: then
    /// the transaction is rolled back, and it is looked again.
    pub(crate) async fn settle(
        &self,
        tx: &mut Tx,
        hospital: &Arc<Hospital>,
        requests: &mut [Request],
    ) -> Result<Option<Settled>, StoreError> {
        let id = hospital.id;
        let limits: Limits = hospital.settings("booking.limits");
        let (mut facts, bound) = self.gather(tx, hospital, requests, true).await?;
        let requests = &*requests;
        let now = Now { at: tx.now(), zone: &hospital.zone, limits: &limits };
        let (outcomes, plan) = decide(requests, &mut facts, &now, new_ids);
        if plan.rows.is_empty() {
            return Ok(Some(Settled { replies: replies(requests, outcomes, &bound), rows: 0 }));
        }
        let asked: Asked<'_> = requests.iter().map(|r| ((r.account, r.key.as_str()), r)).collect();
        let channels: Vec<&str> =
            plan.rows.iter().map(|row| of(&asked, row).map_or("", |r| r.channel.as_str())).collect();
        if sql::insert_all(tx, id, &plan.rows, &channels).await?
            != u64::try_from(plan.rows.len()).unwrap_or(u64::MAX)
        {
            return Ok(None);
        }
        schedule::stock::take(tx, id, &plan.taken).await?;
        for (slot, held) in &plan.held {
            schedule::stock::hold(tx, id, *slot, *held).await?;
        }
        quota::write(tx, &self.board, id, &plan, &facts.lines).await?;
        tx.publish_all(&plan.rows.iter().map(|row| booked(id, row)).collect::<Vec<_>>()).await?;
        let entries: Vec<_> = plan.rows.iter().filter_map(|row| audit(id, &asked, row)).collect();
        tx.audit_all(&entries).await?;
        self.announce(tx, id, &plan, &facts);
        Ok(Some(Settled { replies: replies(requests, outcomes, &bound), rows: plan.rows.len() }))
    }

    /// What was full has a place again once this is committed. Other nodes find out when somebody asks.
    pub(crate) fn is_free_again(&self, tx: &mut Tx, slot: SlotId) {
        let full = self.full.clone();
        tx.after_commit(move || full.forget(slot));
    }

    /// Shows a slot's new count on this node's board after the commit, and wakes who watches it.
    pub(crate) fn show(&self, tx: &mut Tx, hospital: HospitalId, stock: &schedule::stock::Stock, taken: i64) {
        touch(tx, stock);
        let (board, slot) = (self.board.clone(), stock.slot);
        tx.after_commit(move || board.changed(hospital, slot, taken));
    }

    fn announce(&self, tx: &mut Tx, hospital: HospitalId, plan: &Plan, facts: &Facts) {
        for (slot, _) in &plan.taken {
            if let Some(stock) = facts.stock.get(slot) {
                touch(tx, stock);
                let (board, slot, taken) = (self.board.clone(), *slot, stock.taken);
                tx.after_commit(move || board.changed(hospital, slot, taken));
            }
        }
    }
}

/// Wakes whoever watches the doctor or department of a slot.
pub(crate) fn touch(tx: &mut Tx, stock: &schedule::stock::Stock) {
    match stock.doctor {
        Some(doctor) => tx.touch(Topic::new("doctor", doctor)),
        None => tx.touch(Topic::new("department", stock.department)),
    }
}

/// Reads what a decision needs of the slots and of what its persons have; under locks when something is to follow from it, in
/// the order that keeps nodes from waiting in a circle: persons, then slots.
pub(crate) async fn gather(
    tx: &mut Tx,
    hospital: &Hospital,
    requests: &[Request],
    locked: bool,
) -> Result<Facts, StoreError> {
    let persons: Vec<PersonId> = unique(requests.iter().map(|r| r.person.id));
    let slots: Vec<SlotId> = unique(requests.iter().map(|r| r.slot));
    let stock = if locked {
        sql::lock_persons(tx, hospital.id, &persons).await?;
        schedule::stock::lock(tx, hospital.id, &slots).await?
    } else {
        schedule::stock::look(tx, hospital.id, &slots).await?
    };
    let lines = quota::lines(tx, hospital.id, &stock).await?;
    // Only now, under the locks: what was committed before is seen. Without locks, too, the slots come first: whoever finds
    // one full because of their own booking finds that booking.
    let keys: Vec<_> = requests.iter().map(|r| (r.account, r.key.clone())).collect();
    let by_key = sql::by_keys(tx, hospital.id, &keys).await?;
    let today = hospital.zone.date(tx.now());
    let since = today.checked_sub(90.days()).unwrap_or(today);
    let known = sql::known(tx, hospital.id, &persons, since).await?;
    let booked_today = limits::booked_today(tx, hospital, requests, today).await?;
    Ok(Facts {
        booked_today,
        stock: stock.into_iter().map(|s| (s.slot, s)).collect(),
        by_key: by_key.into_iter().map(|a| ((a.account, a.key.clone()), a)).collect(),
        known,
        lines,
    })
}

fn unique<T: Copy + Eq + std::hash::Hash + Ord>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut list: Vec<T> = all.collect::<HashSet<_>>().into_iter().collect();
    list.sort_unstable();
    list
}

/// A new id and a code that can't be guessed: 100 random bits in letters and digits that are not mistaken for each other.
pub(crate) fn new_ids() -> (AppointmentId, String) {
    const LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let random = edge::session::random_token().unwrap_or_else(|_| edge::AccountId::new().db());
    let code = random.as_bytes().chunks(2).take(20).filter_map(|pair| {
        let byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        LETTERS.get(usize::from(byte % 32)).map(|letter| char::from(*letter))
    });
    (AppointmentId::new(), code.collect())
}

/// The requests of a batch by account and key.
pub(crate) type Asked<'a> = HashMap<(edge::AccountId, &'a str), &'a Request>;

fn of<'a>(asked: &Asked<'a>, row: &Appointment) -> Option<&'a Request> {
    asked.get(&(row.account, row.key.as_str())).copied()
}

/// The event of a new appointment, or of a place on hold.
pub(crate) fn booked(hospital: HospitalId, row: &Appointment) -> NewEvent {
    let payload = serde_json::json!({"appointment": row.id, "moved_from": row.moved_from});
    let kind = if row.state == State::Held { hold::HELD } else { "booking.booked" };
    NewEvent { hospital, kind, key: row.person.to_string(), payload }
}

/// The audit entry of a new appointment.
pub(crate) fn audit(hospital: HospitalId, asked: &Asked<'_>, row: &Appointment) -> Option<store::AuditEntry> {
    let request = of(asked, row)?;
    Some(store::AuditEntry {
        hospital,
        actor: row.account.to_string(),
        action: match (row.state, row.moved_from) {
            (State::Held, _) => "booking.hold",
            (_, Some(_)) => "booking.move",
            _ => "booking.book",
        },
        entity: row.id.to_string(),
        detail: serde_json::json!({"slot": row.slot, "number": row.number, "person": row.person, "moved_from": row.moved_from}),
        request_id: request.request_id.clone(),
        source: request.source.clone(),
    })
}
