//! What was called off: taking the stop back, and saying that one needs no other place.

use std::collections::HashMap;

use base::Problem;
use edge::Caller;
use people::PersonId;
use schedule::stock::Stock;
use schedule::{ChangeId, ClinicId, SlotId, plan};
use store::{Topic, Tx};

use super::Desk;
use crate::model::{Appointment, AppointmentId, CallState, State};
use crate::store as sql;
use crate::{free, problems, reacts};

/// What became of taking a stop back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undone {
    /// The clinic.
    pub clinic: ClinicId,
    /// So many have their places back.
    pub restored: u32,
    /// So many did without: they have booked again, or need none.
    pub let_go: u32,
}

impl Desk {
    /// Takes a stop back: whoever has done nothing has the same place and number again and is told; whoever has booked again or
    /// needs no place keeps it so, and their old place is free.
    ///
    /// # Errors
    /// 404 when there is no such stop or it was taken back; 409 `too_late_to_undo`; 503.
    pub async fn undo_stop(&self, caller: &Caller, change: ChangeId) -> Result<Undone, Problem> {
        let hospital = &caller.hospital;
        let mut tx = self.counter.db.begin().await?;
        // The change first, as whoever ends its appointments does; then persons before slots, as everywhere.
        if !plan::was_stopped_by(&mut tx, hospital.id, change).await? {
            return Err(Problem::not_found());
        }
        let (persons, slots) = sql::desk::touched_by(&mut tx, hospital.id, change).await?;
        sql::lock_persons(&mut tx, hospital.id, &persons).await?;
        let clinic = plan::resume(&mut tx, caller, change).await?;
        let stock = schedule::stock::lock(&mut tx, hospital.id, &slots).await?;
        let mut stock: HashMap<SlotId, Stock> = stock.into_iter().map(|s| (s.slot, s)).collect();
        let mut undone = Undone { clinic, restored: 0, let_go: 0 };
        // Once more under the persons' locks: somebody may just have booked again.
        for one in sql::desk::of_stop(&mut tx, hospital.id, change).await? {
            if self.put_back(&mut tx, caller, &one, &mut stock).await? {
                undone.restored += 1;
            } else {
                undone.let_go += 1;
            }
            tx.touch(Topic::new("appointment", one.id));
        }
        tx.commit().await?;
        self.counter.board.wake();
        Ok(undone)
    }

    /// Gives one their place back; false when they have another, or said that they need none: then it is free.
    async fn put_back(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        a: &Appointment,
        stock: &mut HashMap<SlotId, Stock>,
    ) -> Result<bool, Problem> {
        let hospital = &caller.hospital;
        let call = sql::calls::get(tx, hospital.id, a.id).await?;
        let unwanted = call.as_ref().is_some_and(|c| c.state == CallState::GaveUp);
        let by = caller.actor.to_string();
        let known = sql::known(tx, hospital.id, &[a.person], a.date).await?.remove(&a.person);
        let known: Vec<_> = known.unwrap_or_default().into_iter().filter(|k| k.state.is_live()).collect();
        let that_day = || known.iter().filter(|k| k.date == a.date);
        let twice = that_day().any(|k| k.half_day == a.half_day && k.provider == a.provider());
        let ordinal = (1..).find(|n| !that_day().any(|k| k.day_ordinal == *n)).unwrap_or(1);
        // What was only kept, and never confirmed, is not booked by this.
        let booked = a.hold_for.is_none() || a.confirmed_at.is_some();
        let back = a.moved_to.is_none()
            && booked
            && !unwanted
            && !twice
            && sql::desk::restore(tx, hospital.id, a.id, ordinal).await?;
        if back {
            sql::calls::set(tx, hospital.id, a.id, CallState::Undone, false, &by).await?;
            let detail = serde_json::json!({"slot": a.slot, "change": a.marks.stop});
            tx.audit(caller.audit("booking.restore", a.id, detail)).await?;
            reacts::stops::tell_restored(&self.counter.board, tx, hospital, a).await?;
            return Ok(true);
        }
        if sql::desk::let_go(tx, hospital.id, a.id).await?
            && let Some(stock) = stock.get_mut(&a.slot)
        {
            free::place(tx, &self.counter, hospital, stock, a).await?;
            stock.taken -= 1;
        }
        if a.moved_to.is_none() {
            tx.publish(super::single::cancelled(hospital.id, a)).await?;
            tx.audit(caller.audit("booking.cancel", a.id, serde_json::json!({"slot": a.slot}))).await?;
        }
        Ok(false)
    }

    /// The person needs no other place for what was called off. Saying so again is the same again.
    ///
    /// # Errors
    /// 404; 409 `not_stopped`, `already_rebooked`; 503.
    pub async fn needs_none(
        &self,
        caller: &Caller,
        persons: &[PersonId],
        id: AppointmentId,
    ) -> Result<Appointment, Problem> {
        let hospital = caller.hospital.id;
        let mut tx = self.counter.db.begin().await?;
        let found = sql::get(&mut tx, hospital, id).await?.filter(|a| persons.contains(&a.person));
        let person = found.ok_or_else(Problem::not_found)?.person;
        sql::lock_persons(&mut tx, hospital, &[person]).await?;
        let a = sql::get(&mut tx, hospital, id).await?.ok_or_else(Problem::not_found)?;
        if let Some(appointment) = a.moved_to {
            return Err(problems::refused(
                &caller.hospital,
                &[crate::model::Refusal::Rebooked { appointment }],
            ));
        }
        if a.state != State::Stopped {
            return Err(problems::refused(&caller.hospital, &[crate::model::Refusal::NotStopped]));
        }
        let by = caller.actor.to_string();
        sql::calls::set(&mut tx, hospital, id, CallState::GaveUp, false, &by).await?;
        tx.audit(caller.audit("booking.needs_none", id, serde_json::json!({}))).await?;
        tx.touch(Topic::new("appointment", id));
        tx.commit().await?;
        Ok(a)
    }
}
