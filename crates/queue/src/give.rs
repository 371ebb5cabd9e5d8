//! Giving a number: the one way by which a ticket comes to be. Whoever asks twice, from two phones, or from phone and kiosk at
//! the same moment, has one: the row of the line's day is locked, and the schema holds what must never happen.

use base::{Date, Problem, UnixMs};
use booking::model::Appointment;
use edge::{AccountId, Caller};
use people::PersonId;
use store::{NewEvent, Sealed, Topic, Tx};

use crate::model::{Arrival, Class, Order, Origin, Queue, QueueState, Step, Ticket, TicketId, TicketState};
use crate::order::{self, Policy};
use crate::picture::LinePicture;
use crate::settings::Settings;
use crate::store::{line, ticket as sql};
use crate::{problems, tell, topics};

/// The event that tells of it: {ticket, queue}.
pub const CHECKED_IN: &str = "queue.checked_in";

/// For whom and for what.
#[derive(Debug, Clone)]
pub(crate) struct New<'a> {
    /// In which line.
    pub(crate) queue: &'a Queue,
    /// For which appointment …
    pub(crate) appointment: Option<&'a Appointment>,
    /// … or order.
    pub(crate) order: Option<&'a Order>,
    /// For whom.
    pub(crate) person: Option<PersonId>,
    /// Who is told.
    pub(crate) account: Option<AccountId>,
    /// The covered name.
    pub(crate) name_masked: String,
    /// Their group.
    pub(crate) class: Option<Class>,
    /// Why, as staff said.
    pub(crate) class_reason: Option<Sealed>,
    /// By which way.
    pub(crate) origin: Origin,
}

/// Gives a number, or the one that is there. `picture` is the line as it was just before: what is foretold rests on its pace.
///
/// # Errors
/// 409 `queue_closed`; any [`store::StoreError`].
pub(crate) async fn give(
    tx: &mut Tx,
    caller: &Caller,
    new: New<'_>,
    picture: &LinePicture,
) -> Result<(Ticket, bool), Problem> {
    let hospital = &caller.hospital;
    let h = hospital.id;
    let settings: Settings = hospital.settings(Settings::SECTION);
    let now = tx.now();
    let date = hospital.zone.date(now);
    if let Some(there) = existing(tx, h, &new, date).await? {
        return Ok((there, false));
    }
    // A line that is paused takes numbers; one that is closed does not, unless staff say so.
    if new.queue.state == QueueState::Closed && new.origin != Origin::Desk {
        return Err(problems::closed());
    }
    let day = line::lock(tx, h, new.queue.id, date).await?;
    // Whoever was faster has committed by now.
    if let Some(there) = existing(tx, h, &new, date).await? {
        return Ok((there, false));
    }
    let number = line::next_number(tx, h, new.queue.id, date).await?;
    let mut ticket = ticket(&new, date, number, now, &settings);
    if !sql::add(tx, h, &ticket).await? {
        let there = existing(tx, h, &new, date).await?;
        return there.map(|t| (t, false)).ok_or_else(|| Problem::unavailable(1));
    }
    sql::step(tx, h, ticket.id, Step::CheckedIn, &caller.actor.to_string(), None).await?;
    // What they see on the screen now need not be pushed again.
    let policy = Policy::named(new.queue.policy, &settings);
    let open = sql::open(tx, h, new.queue.id, date).await?;
    let placed = order::of_tickets(&open, &policy, day.turns);
    if let Some(at) = placed.iter().position(|p| p.waiting.id == ticket.id) {
        ticket.told = tell::seen_at(i64::try_from(at).unwrap_or(i64::MAX), &settings);
        sql::told(tx, h, ticket.id, ticket.told).await?;
        let wait = picture.foretell(&open, &placed, at, now);
        let foretold = (now.plus(wait.low), now.plus(wait.high), now.plus(wait.earliest));
        sql::foretold(tx, h, ticket.id, foretold).await?;
    }
    tx.publish(NewEvent {
        hospital: h,
        kind: CHECKED_IN,
        key: ticket.queue.to_string(),
        payload: serde_json::json!({"ticket": ticket.id, "queue": ticket.queue}),
    })
    .await?;
    let detail = serde_json::json!({"queue": ticket.queue, "origin": ticket.origin});
    tx.audit(caller.audit("queue.check_in", ticket.id, detail)).await?;
    topics::touch_line(tx, new.queue, &open);
    tx.touch(Topic::new("ticket", ticket.id));
    metrics::counter!("queue_tickets", "origin" => ticket.origin.code()).increment(1);
    Ok((ticket, true))
}

async fn existing(
    tx: &mut Tx,
    h: base::HospitalId,
    new: &New<'_>,
    date: Date,
) -> Result<Option<Ticket>, Problem> {
    Ok(match (new.appointment, new.order, new.person) {
        (Some(a), _, _) => sql::of_appointment(tx, h, a.id).await?,
        (None, Some(o), _) => sql::of_order(tx, h, o.id).await?,
        (None, None, Some(person)) => sql::of_person_here(tx, h, new.queue.id, date, person).await?,
        (None, None, None) => None,
    })
}

fn ticket(new: &New<'_>, date: Date, number: i64, now: UnixMs, settings: &Settings) -> Ticket {
    let segment = new.appointment.map(|a| (a.start_at, a.end_at));
    let (arrival, line_at) = order::arrival(segment, now, settings);
    debug_assert!(segment.is_some() || arrival == Arrival::None);
    Ticket {
        id: TicketId::new(),
        queue: new.queue.id,
        date,
        number,
        label: label(&new.queue.prefix, number),
        appointment: new.appointment.map(|a| a.id),
        clinic: new.appointment.map(|a| a.clinic),
        order: new.order.map(|o| o.id),
        person: new.person,
        account: new.account,
        name_masked: new.name_masked.clone(),
        class: new.class,
        class_reason: new.class_reason.clone(),
        origin: new.origin,
        arrival,
        state: TicketState::Waiting,
        segment_at: segment.map(|s| s.0),
        line_at,
        checked_in_at: now,
        returned_at: None,
        misses: 0,
        due_turn: None,
        room: None,
        called_at: None,
        times: 0,
        began_at: None,
        ended_at: None,
        told: 0,
        settled: new.order.is_none_or(|o| o.settled),
        version: 1,
    }
}

/// A number as it is called: `A012`.
pub(crate) fn label(prefix: &str, number: i64) -> String {
    format!("{prefix}{number:03}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_called_with_their_prefix() {
        assert_eq!(super::label("A", 12), "A012");
        assert_eq!(super::label("", 1_200), "1200");
    }
}
