//! Places on hold (锁号): kept for a person until a time, for whatever they must do first.
//!
//! A place on hold is taken like any other: nobody else can have it, it counts for the limits of its person, and the slot
//! counts it in `taken` and in `held`. It is made by a [`Request`](crate::model::Request) with a [`Hold`], at the one desk.
//! From there it goes one of three ways, each once, whoever is faster:
//!
//! - [`confirm`], in the transaction of whoever took the money or the yes: it is booked, and `booking.booked` follows;
//! - given up by the person, as any appointment ([`Desk::cancel`](crate::Desk::cancel));
//! - nothing happens until its time: [`Expire`] ends it, its place goes back, and `booking.expired` follows.
//!
//! Expiry is a sweep over an index, not a job for each hold: what is due follows from the rows.

use std::time::Duration;

use async_trait::async_trait;
use base::UnixMs;
use edge::{Caller, Hospital};
use store::events::Failure;
use store::{Db, NewEvent, Sweep, Tx};

use crate::BookingDeps;
use crate::model::{Appointment, AppointmentId, State};
use crate::store::hold as own_sql;
use crate::{free, store as sql};

/// A place is on hold for somebody: `{"appointment", "moved_from"}`.
pub const HELD: &str = "booking.held";
/// A hold is over and came to nothing: `{"appointment", "hold_for"}`.
pub const EXPIRED: &str = "booking.expired";

/// How many holds one look ends.
const AT_ONCE: i64 = 100;

store::text_enum! {
    /// What must happen before a place on hold is booked.
    #[derive(utoipa::ToSchema)]
    #[schema(as = HoldFor)]
    pub enum HoldFor {
        /// It must be paid.
        Payment = "payment",
        /// Who was offered it from the waitlist must say yes.
        Waitlist = "waitlist",
    }
}

/// How long a place is kept, and for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// Until when: from that instant on it may be gone.
    pub until: UnixMs,
    /// What must happen before.
    pub why: HoldFor,
}

/// What came of confirming.
#[derive(Debug, Clone, PartialEq)]
pub enum Confirmed {
    /// It is booked now.
    Booked(Box<Appointment>),
    /// It was booked before: confirming twice is the same as once.
    Already(Box<Appointment>),
    /// The hold is over, or the place was given up or stopped: as it stands.
    Gone(Box<Appointment>),
    /// There is no such appointment.
    NotThere,
}

/// Books a place that is on hold, in the caller's transaction. A hold whose time is over, but which nobody has ended yet, is
/// booked all the same: its place is still there. Who must be stricter looks at `hold_until` before.
///
/// Locks the slot of the appointment: whoever locks persons or slots besides does that before, in that order.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn confirm(tx: &mut Tx, caller: &Caller, id: AppointmentId) -> store::Result<Confirmed> {
    let hospital = caller.hospital.id;
    let Some(found) = sql::get(tx, hospital, id).await? else { return Ok(Confirmed::NotThere) };
    let _ = schedule::stock::lock(tx, hospital, &[found.slot]).await?;
    // Read again under the lock: the sweep may have been faster.
    let Some(found) = sql::get(tx, hospital, id).await? else { return Ok(Confirmed::NotThere) };
    match found.state {
        State::Held => {}
        State::Booked | State::CheckedIn | State::Seen => return Ok(Confirmed::Already(Box::new(found))),
        _ => return Ok(Confirmed::Gone(Box::new(found))),
    }
    let now = tx.now();
    if !own_sql::confirm(tx, hospital, id).await? {
        return Ok(Confirmed::Gone(Box::new(found)));
    }
    schedule::stock::hold(tx, hospital, found.slot, -1).await?;
    tx.publish(NewEvent {
        hospital,
        kind: "booking.booked",
        key: found.person.to_string(),
        payload: serde_json::json!({"appointment": id, "moved_from": found.moved_from}),
    })
    .await?;
    let detail = serde_json::json!({"slot": found.slot, "number": found.number, "person": found.person, "held_for": found.hold_for});
    tx.audit(caller.audit("booking.book", id, detail)).await?;
    tx.touch(store::Topic::new("appointment", id));
    metrics::counter!("booking_booked").increment(1);
    Ok(Confirmed::Booked(Box::new(Appointment { state: State::Booked, confirmed_at: Some(now), ..found })))
}

/// Ends holds whose time is over.
pub struct Expire {
    deps: BookingDeps,
}

impl Expire {
    /// With what it needs.
    #[must_use]
    pub fn new(deps: BookingDeps) -> Self {
        Self { deps }
    }

    async fn end(
        &self,
        db: &Db,
        hospital: &std::sync::Arc<Hospital>,
        id: AppointmentId,
    ) -> Result<(), Failure> {
        let mut tx = db.begin().await?;
        let Some(found) = sql::get(&mut tx, hospital.id, id).await? else { return Ok(()) };
        let stock = schedule::stock::lock(&mut tx, hospital.id, &[found.slot]).await?;
        // Paid or given up in the last moment: then there is nothing to end.
        if !own_sql::expire(&mut tx, hospital.id, id).await? {
            return Ok(());
        }
        for one in &stock {
            free::place(&mut tx, self.deps.desk.counter(), hospital, one, &found).await?;
        }
        let reason = billing::RefundReason::Cancelled;
        crate::pay::given_up(&mut tx, hospital.id, id, reason, "system").await?;
        let detail = serde_json::json!({"slot": found.slot, "held_for": found.hold_for});
        tx.publish(NewEvent {
            hospital: hospital.id,
            kind: EXPIRED,
            key: found.person.to_string(),
            payload: serde_json::json!({"appointment": id, "hold_for": found.hold_for}),
        })
        .await?;
        tx.audit(Caller::system(hospital.clone()).audit("booking.expire", id, detail)).await?;
        tx.touch(store::Topic::new("appointment", id));
        tx.commit().await?;
        metrics::counter!("booking_expired").increment(1);
        Ok(())
    }
}

#[async_trait]
impl Sweep for Expire {
    fn name(&self) -> &'static str {
        "booking.expire"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(5)
    }

    async fn run(&self, db: &Db) -> Result<bool, Failure> {
        let mut more = false;
        for hospital in self.deps.hospitals.all() {
            let due = own_sql::due(db, hospital.id, db.now(), AT_ONCE).await?;
            more |= i64::try_from(due.len()).unwrap_or(0) == AT_ONCE;
            for id in due {
                self.end(db, &hospital, id).await?;
            }
        }
        Ok(more)
    }
}
