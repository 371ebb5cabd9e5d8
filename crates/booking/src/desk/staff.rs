//! Giving up and moving a place for somebody, with a reason that goes to the audit log.

use base::Problem;
use edge::Staff;
use schedule::SlotId;
use store::fault::{self, Point};
use store::{StoreError, Topic};

use super::Desk;
use super::asker::{self, Asker};
use super::single::{TRIES, cancelled};
use crate::model::{Appointment, AppointmentId, CancelReason, Outcome, Refusal, State};
use crate::store as sql;
use crate::{free, problems};

/// By whom a place is moved, and why.
pub(super) struct MovedByStaff<'a> {
    pub(super) asker: &'a Asker,
    pub(super) reason: CancelReason,
}

impl MovedByStaff<'_> {
    /// The entry of the audit log.
    pub(super) fn entry(&self, new: &Appointment) -> store::AuditEntry {
        let detail = serde_json::json!({
            "slot": new.slot, "number": new.number, "person": new.person, "moved_from": new.moved_from, "reason": self.reason,
        });
        self.asker.caller.audit("booking.move", new.id, detail)
    }
}

impl Desk {
    /// Gives a place up for somebody. Staff are not bound to the deadline of the day before. Doing it again is the same again.
    ///
    /// # Errors
    /// 404; 409 `not_cancellable`; 503.
    pub async fn cancel_by_staff(
        &self,
        staff: &Staff,
        id: AppointmentId,
        reason: CancelReason,
    ) -> Result<Appointment, Problem> {
        let hospital = &staff.caller.hospital;
        let mut tx = self.counter.db.begin().await?;
        let found = sql::get(&mut tx, hospital.id, id).await?.ok_or_else(Problem::not_found)?;
        let stock = schedule::stock::lock(&mut tx, hospital.id, &[found.slot]).await?;
        // Read again under the lock: the patient may have been faster.
        let appointment = sql::get(&mut tx, hospital.id, id).await?.ok_or_else(Problem::not_found)?;
        if appointment.state == State::Cancelled {
            return Ok(appointment);
        }
        if !appointment.state.may_become(State::Cancelled) {
            return Err(problems::not_cancellable());
        }
        let by = staff.caller.actor.to_string();
        let ending = sql::End { state: State::Cancelled, by: &by, reason: reason.code(), moved_to: None };
        if !reason.counts() {
            sql::desk::forgive(&mut tx, hospital.id, id).await?;
        }
        if !sql::end(&mut tx, hospital.id, id, ending).await? {
            return Err(Problem::unavailable(1));
        }
        let why = billing::RefundReason::Cancelled;
        crate::pay::given_up(&mut tx, hospital.id, id, why, &by).await?;
        for one in &stock {
            free::place(&mut tx, &self.counter, hospital, one, &appointment).await?;
        }
        tx.publish(cancelled(hospital.id, &appointment)).await?;
        let detail = serde_json::json!({"slot": appointment.slot, "reason": reason});
        tx.audit(staff.caller.audit("booking.cancel", id, detail)).await?;
        tx.touch(Topic::new("appointment", id));
        let now = tx.now();
        fault::pass(Point::CancelBefore);
        tx.commit().await?;
        fault::pass(Point::CancelAfter);
        metrics::counter!("booking_cancelled").increment(1);
        Ok(Appointment { state: State::Cancelled, ended_at: Some(now), ended_by: Some(by), ..appointment })
    }

    /// Moves a place for somebody, at any time before they have come. The rules of booking hold for the new one.
    ///
    /// # Errors
    /// 404; 503.
    pub async fn move_by_staff(
        &self,
        staff: &Staff,
        id: AppointmentId,
        slot: SlotId,
        key: &str,
        reason: CancelReason,
    ) -> Result<Outcome, Problem> {
        let asker = Asker::at_window(staff);
        let hospital = &staff.caller.hospital;
        for _ in 0..TRIES {
            let mut tx = self.counter.db.begin().await?;
            let old = sql::get(&mut tx, hospital.id, id).await?.ok_or_else(Problem::not_found)?;
            let found = people::look_up::get(&mut tx, hospital.id, old.person).await?;
            tx.rollback().await?;
            let Some(found) = found else { return Ok(Outcome::Refused(vec![Refusal::CannotMove])) };
            // It stays with the account that has it, which so is told.
            let request = asker.request(old.account, asker::facts(&found), slot, key, Some(id));
            let by = MovedByStaff { asker: &asker, reason };
            match self.try_move(hospital, &request, Some(&by)).await {
                Ok(Some(outcome)) => return Ok(outcome),
                Ok(None) | Err(StoreError::Retry(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Problem::unavailable(1))
    }
}
