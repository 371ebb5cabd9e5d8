//! The desk: booking, cancelling, moving.
//!
//! What comes in crowds goes through lanes; staff, and patients to whom the hospital has offered something, are served one by one
//! under the same locks and rules: [`single`], [`beyond`] (added numbers, return visits), [`staff`], [`stopped`].

mod asker;
pub(crate) mod beyond;
pub(crate) mod single;
pub(crate) mod staff;
pub(crate) mod stopped;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use base::{Problem, UnixMs};
use edge::{AccountId, Caller, Hospital, Hospitals};
use people::{BoundPerson, PersonId};
use schedule::Board;
use store::fault::{self, Point};
use store::{Backend, Db, StoreError};
use tokio::sync::{mpsc, oneshot};

use crate::full::Full;
use crate::lane::{self, Counter, Waiting};
use crate::model::{Appointment, AppointmentId, Limits, Outcome, PersonFacts, Refusal, Request, State};
use crate::near::Near;
use crate::rules::{self, Now, decide};
use crate::{free, quota, store as sql, window};
use staff::MovedByStaff;

pub use asker::Asker;
pub(crate) use asker::DOCTOR as WITH_DOCTOR;

/// How many requests may wait in a lane. More than any hospital has phones at one moment; beyond it people are asked to
/// try again.
const QUEUE: usize = 20_000;

/// What the desk says to a wish.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// What became of it.
    pub outcome: Outcome,
    /// For whom, when the account is bound to them.
    pub person: Option<BoundPerson>,
}

/// The desk. Cheap to clone; its lanes end with the last clone.
#[derive(Clone)]
pub struct Desk {
    lanes: Arc<[mpsc::Sender<Waiting>]>,
    /// Where wishes for slots go that are believed full: looked at without locks.
    window: mpsc::Sender<Waiting>,
    counter: Counter,
    near: Near,
}

impl Desk {
    /// Opens the desk: one lane on SQLite, which has one writer, two on PostgreSQL; and one window.
    #[must_use]
    pub fn open(db: Db, hospitals: Hospitals, board: Board) -> Self {
        let counter = Counter { db: db.clone(), hospitals, board, full: Full::default() };
        let lanes = if db.backend() == Backend::Sqlite { 1 } else { 2 };
        let lanes: Arc<[_]> = (0..lanes)
            .map(|_| {
                let (sender, arriving) = mpsc::channel(QUEUE);
                tokio::spawn(lane::serve(counter.clone(), arriving));
                sender
            })
            .collect();
        let (window, arriving) = mpsc::channel(QUEUE);
        tokio::spawn(window::serve(counter.clone(), arriving, lanes.clone()));
        Self { lanes, window, counter, near: Near::default() }
    }

    /// Asks for a place. When this gives [`Outcome::Booked`], the place is durable. Whether the account is bound to the person,
    /// and what counts about them, is read by the desk itself, together with the booking.
    ///
    /// # Errors
    /// 503 when the database or the lane can't take it now: the same key may be sent again.
    pub async fn book(&self, hospital: &Hospital, request: Request) -> Result<Reply, Problem> {
        let lane = if self.counter.full.holds(request.slot) {
            &self.window
        } else {
            lane_of(&self.lanes, request.slot).ok_or_else(Problem::internal)?
        };
        let (answer, answered) = oneshot::channel();
        lane.try_send(Waiting { hospital: hospital.id, request, answer })
            .map_err(|_| Problem::unavailable(2))?;
        let reply = answered.await.map_err(|_| Problem::unavailable(2))??;
        if let Outcome::Refused(reasons) = &reply.outcome
            && let Some(first) = reasons.first()
        {
            // Counted and logged, not audited: in a rush there are thousands.
            metrics::counter!("booking_refused", "reason" => first.code()).increment(1);
        }
        Ok(reply)
    }

    /// Free places near a slot that is full; `None` when the slot is not on the board.
    pub(crate) fn nearest(
        &self,
        hospital: base::HospitalId,
        slot: schedule::SlotId,
    ) -> Option<base::problem::Written> {
        self.near.to(&self.counter.board, hospital, slot)
    }

    /// What can be had instead of an appointment that the hospital called off: of the same doctor, then of others in the department.
    /// The board may still show for a moment what was called off just now; the database is asked.
    ///
    /// # Errors
    /// 503 when the database can't be asked now.
    pub(crate) async fn offers(
        &self,
        hospital: base::HospitalId,
        instead_of: &Appointment,
    ) -> Result<Vec<schedule::NearFree>, StoreError> {
        let around = instead_of.start_at.max(self.counter.db.now());
        let near = self.counter.board.nearest(hospital, instead_of.department, instead_of.doctor, around);
        let slots: Vec<_> = near.iter().map(|one| one.free.slot_id).collect();
        let mut tx = self.counter.db.begin().await?;
        let stock = schedule::stock::look(&mut tx, hospital, &slots).await?;
        tx.rollback().await?;
        let open = |slot| stock.iter().any(|one| one.slot == slot && !one.stopped && one.remaining() > 0);
        Ok(near.into_iter().filter(|one| open(one.free.slot_id)).collect())
    }

    /// Moves an appointment to another slot: the old place is given up in the same transaction that has the new one.
    ///
    /// # Errors
    /// 503 as [`Self::book`].
    pub async fn move_to(&self, hospital: &Arc<Hospital>, request: Request) -> Result<Outcome, Problem> {
        for _ in 0..6 {
            match self.try_move(hospital, &request, None).await {
                Ok(Some(outcome)) => return Ok(outcome),
                Ok(None) | Err(StoreError::Retry(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Problem::unavailable(1))
    }

    async fn try_move(
        &self,
        hospital: &Arc<Hospital>,
        request: &Request,
        by_staff: Option<&MovedByStaff<'_>>,
    ) -> Result<Option<Outcome>, StoreError> {
        let id = hospital.id;
        let limits: Limits = hospital.settings("booking.limits");
        let cannot = || Ok(Some(Outcome::Refused(vec![Refusal::CannotMove])));
        let Some(from) = request.replaces else { return cannot() };
        let mut tx = self.counter.db.begin().await?;
        // Persons before slots, as everywhere; then both slots in one statement, in order.
        sql::lock_persons(&mut tx, id, &[request.person.id]).await?;
        let Some(old) = sql::get(&mut tx, id, from).await? else { return cannot() };
        let stock = schedule::stock::lock(&mut tx, id, &[old.slot, request.slot]).await?;
        // The lines of both clinics in one statement, in order; within one clinic the old place is free for the new one.
        quota::lines(&mut tx, id, &stock).await?;
        let mut facts = lane::gather(&mut tx, hospital, std::slice::from_ref(request), true).await?;
        if let Some(lines) = facts.lines.get_mut(&old.clinic) {
            quota::release(&mut tx, id, lines, from).await?;
        }
        let now = Now { at: tx.now(), zone: &hospital.zone, limits: &limits };
        let replayed = facts.by_key.contains_key(&(request.account, request.key.clone()));
        let may = by_staff.map_or_else(
            || rules::can_cancel(&old, &hospital.zone, &limits, now.at),
            |_| old.state.may_become(State::Cancelled),
        ) && old.state != State::Held;
        // A place that was added for this visit goes with it: another is added, not moved to.
        if !replayed && (old.slot == request.slot || !may || old.marks.visit.is_beyond_plan()) {
            return cannot();
        }
        let (mut outcomes, plan) = decide(std::slice::from_ref(request), &mut facts, &now, lane::new_ids);
        let Some(mut new) = plan.rows.first().cloned() else {
            return Ok(outcomes.pop());
        };
        new.marks.made_by = by_staff.and_then(|by| by.asker.staff);
        // The old row leaves the unique indexes before the new one enters them.
        let ending = sql::End {
            state: State::Cancelled,
            by: &by_staff.map_or_else(|| request.account.to_string(), |by| by.asker.caller.actor.to_string()),
            reason: "moved",
            moved_to: Some(new.id),
        };
        if !sql::end(&mut tx, id, from, ending).await? {
            return Ok(None);
        }
        if !sql::desk::insert_one(&mut tx, id, &new, &request.channel).await? {
            return Ok(None);
        }
        if !crate::pay::moved(&mut tx, id, &old, &new, &request.account.to_string()).await? {
            return cannot();
        }
        match stock.iter().find(|one| one.slot == old.slot && one.clinic != new.clinic) {
            Some(left) => free::place(&mut tx, &self.counter, hospital, left, &old).await?,
            // Within a clinic one place is exchanged for another that anybody could have had.
            None => {
                schedule::stock::give_back(&mut tx, id, old.slot).await?;
                for left in stock.iter().filter(|one| one.slot == old.slot) {
                    self.counter.show(&mut tx, id, left, left.taken - 1);
                }
                self.counter.is_free_again(&mut tx, old.slot);
            }
        }
        schedule::stock::take(&mut tx, id, &plan.taken).await?;
        quota::write(&mut tx, &self.counter.board, id, &plan, &facts.lines).await?;
        tx.publish(lane::booked(id, &new)).await?;
        let asked = [((request.account, request.key.as_str()), request)].into_iter().collect();
        match by_staff {
            Some(by) => tx.audit(by.entry(&new)).await?,
            None => {
                if let Some(entry) = lane::audit(id, &asked, &new) {
                    tx.audit(entry).await?;
                }
            }
        }
        for one in stock.iter().filter(|one| one.slot != old.slot) {
            self.counter.show(&mut tx, id, one, one.taken + 1);
        }
        tx.touch(store::Topic::new("appointment", from));
        fault::pass(Point::MoveBefore);
        tx.commit().await?;
        fault::pass(Point::MoveAfter);
        Ok(Some(Outcome::Booked(Box::new(new))))
    }

    /// Gives a place up. Giving up what is given up already is the same again.
    ///
    /// # Errors
    /// 404 when it is not there for this account; 409 `too_late_to_cancel` or `not_cancellable`; 503.
    pub async fn cancel(
        &self,
        caller: &Caller,
        persons: &[PersonId],
        id: AppointmentId,
    ) -> Result<Appointment, Problem> {
        let hospital = &caller.hospital;
        let limits: Limits = hospital.settings("booking.limits");
        let mut tx = self.counter.db.begin().await?;
        let found = sql::get(&mut tx, hospital.id, id).await?.filter(|a| persons.contains(&a.person));
        let slot = found.ok_or_else(Problem::not_found)?.slot;
        let stock = schedule::stock::lock(&mut tx, hospital.id, &[slot]).await?;
        // Read again under the lock: another phone of the family may have been faster.
        let appointment = sql::get(&mut tx, hospital.id, id).await?.ok_or_else(Problem::not_found)?;
        if appointment.state == State::Cancelled {
            return Ok(appointment);
        }
        if !appointment.state.may_become(State::Cancelled) {
            return Err(crate::problems::not_cancellable());
        }
        if !rules::can_cancel(&appointment, &hospital.zone, &limits, tx.now()) {
            let until = rules::can_cancel_until(&appointment, &hospital.zone, &limits);
            return Err(crate::problems::too_late(hospital, until));
        }
        let by = caller.actor.to_string();
        let ending = sql::End { state: State::Cancelled, by: &by, reason: "patient", moved_to: None };
        if !sql::end(&mut tx, hospital.id, id, ending).await? {
            return Err(Problem::unavailable(1));
        }
        for one in &stock {
            free::place(&mut tx, &self.counter, hospital, one, &appointment).await?;
        }
        let reason = billing::RefundReason::Cancelled;
        crate::pay::given_up(&mut tx, hospital.id, id, reason, &by).await?;
        tx.publish(single::cancelled(hospital.id, &appointment)).await?;
        tx.audit(caller.audit("booking.cancel", id, serde_json::json!({"slot": slot}))).await?;
        tx.touch(store::Topic::new("appointment", id));
        let now: UnixMs = tx.now();
        fault::pass(Point::CancelBefore);
        tx.commit().await?;
        fault::pass(Point::CancelAfter);
        metrics::counter!("booking_cancelled").increment(1);
        Ok(Appointment { state: State::Cancelled, ended_at: Some(now), ended_by: Some(by), ..appointment })
    }

    /// How many wishes wait in the fullest lane.
    pub(crate) fn backlog(&self) -> usize {
        self.lanes.iter().map(|lane| lane.max_capacity() - lane.capacity()).max().unwrap_or(0)
    }

    /// What the desk works with, for what else moves places.
    pub(crate) fn counter(&self) -> &Counter {
        &self.counter
    }
}

/// The lane that all wishes for a slot go through.
pub(crate) fn lane_of(
    lanes: &[mpsc::Sender<Waiting>],
    slot: schedule::SlotId,
) -> Option<&mpsc::Sender<Waiting>> {
    let mut hasher = DefaultHasher::new();
    slot.hash(&mut hasher);
    let count = u64::try_from(lanes.len()).unwrap_or(1).max(1);
    lanes.get(usize::try_from(hasher.finish() % count).unwrap_or(0))
}

/// A request as the API and others make it.
#[must_use]
pub fn request(
    caller: &Caller,
    account: AccountId,
    person: PersonFacts,
    slot: schedule::SlotId,
    key: &str,
    replaces: Option<AppointmentId>,
) -> Request {
    let hash = edge::idempotency::request_hash("appointment", &(slot, person.id, replaces));
    Request {
        slot,
        person,
        account,
        channel: caller.session.as_ref().map_or("system", |s| s.channel.as_str()).to_owned(),
        key: key.to_owned(),
        hash,
        hold: None,
        replaces,
        request_id: caller.request_id.to_string(),
        source: caller.source.to_string(),
    }
}
