//! What booking does about its own events, and the reminder of the day before.

pub mod stops;

use std::time::Duration;

use async_trait::async_trait;
use base::UnixMs;
use edge::Hospital;
use store::events::Failure;
use store::{Db, Event, StoreError, Subscriber, Sweep, Tx};

use crate::BookingDeps;
use crate::model::{Appointment, AppointmentId, Limits, State};
use crate::store as sql;

/// How many reminders one transaction tells.
const REMIND_AT_ONCE: i64 = 200;

/// Tells people what became of their appointment.
pub struct Tell {
    deps: BookingDeps,
}

impl Tell {
    /// With what it needs.
    #[must_use]
    pub fn new(deps: BookingDeps) -> Self {
        Self { deps }
    }
}

#[async_trait]
impl Subscriber for Tell {
    fn name(&self) -> &'static str {
        "booking.tell"
    }

    fn wants(&self, kind: &str) -> bool {
        matches!(kind, "booking.booked" | "booking.cancelled")
    }

    async fn handle(&self, tx: &mut Tx, event: &Event) -> Result<(), Failure> {
        let hospital = self
            .deps
            .hospitals
            .get(event.hospital)
            .ok_or_else(|| Failure::Again("the hospital is not known here yet".into()))?;
        let id = named(&event.payload, "appointment")
            .ok_or_else(|| Failure::Final("no appointment in the event".into()))?;
        let Some(appointment) = sql::get(tx, event.hospital, id).await? else { return Ok(()) };
        let moved = named(&event.payload, "moved_from");
        let kind = match (event.kind.as_str(), moved) {
            ("booking.cancelled", _) => notify::Kind::AppointmentCancelled,
            (_, Some(_)) => notify::Kind::AppointmentMoved,
            _ => notify::Kind::AppointmentConfirmed,
        };
        if let Some(old) = moved {
            notify::cancel(
                tx,
                event.hospital,
                &old.to_string(),
                &[notify::Kind::AppointmentConfirmed, notify::Kind::AppointmentReminder],
            )
            .await?;
        }
        if kind == notify::Kind::AppointmentCancelled {
            if appointment.hold_until.is_some() && appointment.confirmed_at.is_none() {
                // It was never more than on hold: nobody was told that they have it.
                return Ok(());
            }
            let waiting = [
                notify::Kind::AppointmentConfirmed,
                notify::Kind::AppointmentMoved,
                notify::Kind::AppointmentReminder,
            ];
            notify::cancel(tx, event.hospital, &id.to_string(), &waiting).await?;
        } else if !appointment.state.is_live() {
            // Given up before we got to say that it was booked: the cancellation has its own notice.
            return Ok(());
        }
        let old_start = match moved {
            Some(old) => sql::get(tx, event.hospital, old).await?.map(|a| a.start_at),
            None => None,
        };
        tell(&self.deps.board, tx, &hospital, &appointment, kind, old_start).await
    }
}

fn named(payload: &serde_json::Value, field: &str) -> Option<AppointmentId> {
    payload.get(field)?.as_str()?.parse().ok()
}

/// Ends the appointments of a clinic that the hospital stopped, and tells everybody.
pub struct EndStopped {
    deps: BookingDeps,
}

impl EndStopped {
    /// With what it needs.
    #[must_use]
    pub fn new(deps: BookingDeps) -> Self {
        Self { deps }
    }
}

#[async_trait]
impl Subscriber for EndStopped {
    fn name(&self) -> &'static str {
        "booking.end_stopped"
    }

    fn wants(&self, kind: &str) -> bool {
        kind == schedule::plan::STOPPED
    }

    async fn handle(&self, tx: &mut Tx, event: &Event) -> Result<(), Failure> {
        let hospital = self
            .deps
            .hospitals
            .get(event.hospital)
            .ok_or_else(|| Failure::Again("the hospital is not known here yet".into()))?;
        let clinic = event.payload.get("clinic_id").and_then(|v| v.as_str()).and_then(|t| t.parse().ok());
        let clinic: schedule::ClinicId =
            clinic.ok_or_else(|| Failure::Final("no clinic in the event".into()))?;
        // Only some segments of the clinic may be called off. An event without a list means all of them.
        let segments: Option<Vec<schedule::SlotId>> =
            event.payload.get("slots").and_then(|list| serde_json::from_value(list.clone()).ok());
        let change: Option<schedule::ChangeId> =
            event.payload.get("change_id").and_then(|v| v.as_str()).and_then(|t| t.parse().ok());
        // Who takes the stop back and who ends its bookings wait for each other; it may have been taken back already.
        if let Some(change) = change
            && !schedule::plan::was_stopped_by(tx, event.hospital, change).await?
        {
            return Ok(());
        }
        let of_clinic = sql::of_clinic(tx, event.hospital, clinic).await?;
        let called_off: Vec<Appointment> = of_clinic
            .into_iter()
            .filter(|a| segments.as_ref().is_none_or(|list| list.contains(&a.slot)))
            .collect();
        // Slots before what was paid for them, as everywhere.
        schedule::stock::lock(tx, event.hospital, &crate::pay::slots(&called_off)).await?;
        for appointment in called_off {
            let ending =
                sql::End { state: State::Stopped, by: "hospital", reason: "clinic_stopped", moved_to: None };
            if !sql::end(tx, event.hospital, appointment.id, ending).await? {
                continue;
            }
            if appointment.state == State::Held {
                schedule::stock::hold(tx, event.hospital, appointment.slot, -1).await?;
            }
            let (id, reason) = (appointment.id, billing::RefundReason::Stopped);
            crate::pay::given_up(tx, event.hospital, id, reason, "hospital").await?;
            let waiting = [
                notify::Kind::AppointmentConfirmed,
                notify::Kind::AppointmentMoved,
                notify::Kind::AppointmentReminder,
            ];
            notify::cancel(tx, event.hospital, &appointment.id.to_string(), &waiting).await?;
            stops::called_off(&self.deps.board, tx, &hospital, &appointment, change).await?;
            let detail = serde_json::json!({"clinic": clinic.to_string()});
            tx.audit(edge::Caller::system(hospital.clone()).audit("booking.stop", appointment.id, detail))
                .await?;
            tx.touch(store::Topic::new("appointment", appointment.id));
        }
        Ok(())
    }
}

/// Reminds people on the evening before.
pub struct RemindTomorrow {
    deps: BookingDeps,
}

impl RemindTomorrow {
    /// With what it needs.
    #[must_use]
    pub fn new(deps: BookingDeps) -> Self {
        Self { deps }
    }

    async fn remind(&self, db: &Db, hospital: &Hospital) -> Result<bool, Failure> {
        let limits: Limits = hospital.settings("booking.limits");
        let today = hospital.zone.date(db.now());
        let since = hospital.zone.at(today, limits.remind_at);
        if db.now() < since {
            return Ok(false);
        }
        let tomorrow = today.tomorrow().map_err(|e| Failure::Final(e.to_string()))?;
        let mut tx = db.begin().await?;
        let due = sql::to_remind(&mut tx, hospital.id, tomorrow, REMIND_AT_ONCE).await?;
        for appointment in &due {
            if !sql::reminded(&mut tx, hospital.id, appointment.id).await? {
                continue;
            }
            // Whoever booked after the hour of reminders has just read the confirmation.
            if appointment.state == State::Booked && appointment.booked_at < since {
                tell(
                    &self.deps.board,
                    &mut tx,
                    hospital,
                    appointment,
                    notify::Kind::AppointmentReminder,
                    None,
                )
                .await?;
            }
        }
        tx.commit().await?;
        Ok(!due.is_empty())
    }
}

#[async_trait]
impl Sweep for RemindTomorrow {
    fn name(&self) -> &'static str {
        "booking.remind"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn run(&self, db: &Db) -> Result<bool, Failure> {
        let mut more = false;
        for hospital in self.deps.hospitals.all() {
            more |= self.remind(db, &hospital).await?;
        }
        Ok(more)
    }
}

async fn tell(
    board: &schedule::Board,
    tx: &mut Tx,
    hospital: &Hospital,
    appointment: &Appointment,
    kind: notify::Kind,
    old_start: Option<UnixMs>,
) -> Result<(), Failure> {
    if let Some(notice) = notice(board, tx, hospital, appointment, kind, old_start).await? {
        notify::tell(tx, hospital.id, notice).await?;
    }
    Ok(())
}

/// The notice about an appointment; `None` when nobody is to be told.
async fn notice(
    board: &schedule::Board,
    tx: &mut Tx,
    hospital: &Hospital,
    appointment: &Appointment,
    kind: notify::Kind,
    old_start: Option<UnixMs>,
) -> Result<Option<notify::Tell>, StoreError> {
    let bound = people::bound::find(tx, hospital.id, appointment.account, appointment.person).await?;
    // Whoever was unbound since has no claim to be told.
    let Some(person) = bound else { return Ok(None) };
    let card = board.cards(hospital.id, &[appointment.slot]).await?.remove(&appointment.slot);
    let card = card.ok_or(StoreError::NoRow)?;
    Ok(Some(crate::api::notice(card, appointment, kind, person.name_masked, old_start)))
}
