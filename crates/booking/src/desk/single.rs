//! One wish in a transaction of its own, by the usual rules: at the counter, and instead of a place that the hospital called off.

use base::Problem;
use people::PersonId;
use schedule::SlotId;
use store::fault::{self, Point};
use store::{NewEvent, StoreError, Topic, Tx};

use super::Desk;
use super::asker::{self, Asker};
use crate::model::{Appointment, AppointmentId, CallState, Limits, Outcome, Refusal, State};
use crate::rules::{Now, decide};
use crate::store as sql;
use crate::{lane, quota};

/// How often it is tried again when others were in the way.
pub(super) const TRIES: usize = 6;

/// A place that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// For whom.
    pub person: PersonId,
    /// Which slot.
    pub slot: SlotId,
    /// Names the intent: asking twice does it once.
    pub key: &'a str,
    /// The appointment that the hospital called off and this one takes the place of.
    pub instead_of: Option<AppointmentId>,
}

impl Desk {
    /// Books for a person at the counter, or books again what was called off.
    ///
    /// # Errors
    /// 404 when nobody of this id is on file; 503 when the database can't take it now.
    pub async fn book_one(&self, asker: &Asker, wish: Wish<'_>) -> Result<Outcome, Problem> {
        for _ in 0..TRIES {
            match self.try_one(asker, wish).await {
                Ok(Some(outcome)) => return Ok(outcome),
                Ok(None) | Err(StoreError::Retry(_)) => {}
                Err(StoreError::NoRow) => return Err(Problem::not_found()),
                Err(error) => return Err(error.into()),
            }
        }
        Err(Problem::unavailable(1))
    }

    async fn try_one(&self, asker: &Asker, wish: Wish<'_>) -> Result<Option<Outcome>, StoreError> {
        let hospital = &asker.caller.hospital;
        let id = hospital.id;
        let limits: Limits = hospital.settings("booking.limits");
        let mut tx = self.counter.db.begin().await?;
        let found = people::look_up::get(&mut tx, id, wish.person).await?.ok_or(StoreError::NoRow)?;
        let account = asker.account_for(&mut tx, wish.person).await?;
        let request = asker.request(account, asker::facts(&found), wish.slot, wish.key, wish.instead_of);
        let mut facts = lane::gather(&mut tx, hospital, std::slice::from_ref(&request), true).await?;
        let replayed = facts.by_key.contains_key(&(request.account, request.key.clone()));
        if let Some(stopped) = wish.instead_of
            && !replayed
            && let Some(refusal) = self.not_to_be_booked_again(&mut tx, asker, stopped, wish.person).await?
        {
            return Ok(Some(Outcome::Refused(vec![refusal])));
        }
        let now = Now { at: tx.now(), zone: &hospital.zone, limits: &limits };
        let (mut outcomes, plan) = decide(std::slice::from_ref(&request), &mut facts, &now, lane::new_ids);
        let Some(mut row) = plan.rows.first().cloned() else { return Ok(outcomes.pop()) };
        row.marks.made_by = asker.staff;
        if !sql::desk::insert_one(&mut tx, id, &row, &request.channel).await? {
            return Ok(None);
        }
        if let Some(stopped) = wish.instead_of {
            if !sql::desk::tie(&mut tx, id, stopped, row.id).await? {
                return Ok(None);
            }
            let by = asker.caller.actor.to_string();
            sql::calls::set(&mut tx, id, stopped, CallState::Booked, false, &by).await?;
            tx.touch(Topic::new("appointment", stopped));
        }
        schedule::stock::take(&mut tx, id, &plan.taken).await?;
        quota::write(&mut tx, &self.counter.board, id, &plan, &facts.lines).await?;
        for stock in facts.stock.values() {
            self.counter.show(&mut tx, hospital.id, stock, stock.taken);
        }
        self.commit_new(tx, asker, &row, &request.channel).await?;
        Ok(Some(Outcome::Booked(Box::new(row))))
    }

    /// Why something that was called off can't be booked again. Under the person's lock: taking the stop back waits for it.
    async fn not_to_be_booked_again(
        &self,
        tx: &mut Tx,
        asker: &Asker,
        stopped: AppointmentId,
        person: PersonId,
    ) -> Result<Option<Refusal>, StoreError> {
        let id = asker.caller.hospital.id;
        let old = sql::get(tx, id, stopped).await?.filter(|a| a.person == person);
        Ok(match old.ok_or(StoreError::NoRow)? {
            Appointment { moved_to: Some(appointment), .. } => Some(Refusal::Rebooked { appointment }),
            Appointment { state: State::Stopped, .. } => None,
            _ => Some(Refusal::NotStopped),
        })
    }

    /// The event and the audit entry of a new appointment, and the commit.
    pub(super) async fn commit_new(
        &self,
        mut tx: Tx,
        asker: &Asker,
        row: &Appointment,
        channel: &str,
    ) -> Result<(), StoreError> {
        let hospital = asker.caller.hospital.id;
        tx.publish(lane::booked(hospital, row)).await?;
        let action = if row.moved_from.is_some() { "booking.move" } else { "booking.book" };
        let detail = serde_json::json!({
            "slot": row.slot, "number": row.number, "person": row.person, "moved_from": row.moved_from,
            "channel": channel, "visit": row.marks.visit, "return_of": row.marks.return_of,
        });
        tx.audit(asker.caller.audit(action, row.id, detail)).await?;
        fault::pass(Point::BookingBefore);
        tx.commit().await?;
        fault::pass(Point::BookingAfter);
        metrics::counter!("booking_booked").increment(1);
        Ok(())
    }
}

/// The event of an appointment that was given up.
pub(crate) fn cancelled(hospital: base::HospitalId, a: &Appointment) -> NewEvent {
    NewEvent {
        hospital,
        kind: "booking.cancelled",
        key: a.person.to_string(),
        payload: serde_json::json!({"appointment": a.id}),
    }
}
