//! What the hospital changed about a clinic, told to those who have a place in it: called off, taking place after all, another
//! doctor.

use std::time::Duration;

use async_trait::async_trait;
use base::UnixMs;
use edge::Hospital;
use schedule::{Board, ChangeId, ClinicId, DoctorId};
use store::events::Failure;
use store::{Event, StoreError, Subscriber, Tx};

use super::notice;
use crate::BookingDeps;
use crate::model::{Appointment, DeskRules};
use crate::store as sql;

/// Tells somebody that their clinic is called off, with a link to the next numbers of the department, and puts them onto the call
/// list for the case that they do nothing.
pub(super) async fn called_off(
    board: &Board,
    tx: &mut Tx,
    hospital: &Hospital,
    a: &Appointment,
    change: Option<ChangeId>,
) -> Result<(), StoreError> {
    let mut first = true;
    if let Some(change) = change {
        let rules: DeskRules = hospital.settings(DeskRules::SECTION);
        sql::desk::stopped_by(tx, hospital.id, a.id, change).await?;
        let due = due_at(&rules, tx.now(), a.start_at);
        first = sql::calls::put(tx, hospital.id, a, change, due).await?;
    }
    let told = notice(board, tx, hospital, a, notify::Kind::AppointmentStopped, None).await?;
    if let Some(mut told) = told {
        told.link = format!("/appointments/{}/offers", a.id);
        // Once more for a clinic that was called off, taken back and called off again.
        if let (false, Some(change)) = (first, change) {
            told.subject = format!("{}/{change}", a.id);
            told.link = format!("{}?stop={change}", told.link);
        }
        notify::tell(tx, hospital.id, told).await?;
    }
    Ok(())
}

/// From when on staff call somebody who does nothing: so many hours before the start, but not before they had time to answer.
fn due_at(rules: &DeskRules, now: UnixMs, start: UnixMs) -> UnixMs {
    let hours = start.minus(Duration::from_secs(u64::from(rules.call_hours) * 3600));
    hours.max(now.plus(Duration::from_secs(u64::from(rules.call_grace_minutes) * 60)))
}

/// Tells somebody that their clinic takes place after all. Where they have not been told of the stop yet they never are.
pub(crate) async fn tell_restored(
    board: &Board,
    tx: &mut Tx,
    hospital: &Hospital,
    a: &Appointment,
) -> Result<(), StoreError> {
    let stop = [notify::Kind::AppointmentStopped];
    let again = a.marks.stop.map(|change| format!("{}/{change}", a.id));
    let mut unsaid = notify::cancel(tx, hospital.id, &a.id.to_string(), &stop).await?;
    if let Some(again) = &again {
        unsaid += notify::cancel(tx, hospital.id, again, &stop).await?;
    }
    if unsaid > 0 {
        return Ok(());
    }
    let told = notice(board, tx, hospital, a, notify::Kind::AppointmentRestored, None).await?;
    if let Some(mut told) = told {
        // A clinic may be called off and taken back more than once.
        if let Some(again) = again {
            told.subject = again;
        }
        notify::tell(tx, hospital.id, told).await?;
    }
    Ok(())
}

/// Puts the appointments of a clinic to the doctor who sits instead, and tells everybody: they may keep the place, move it or give
/// it up, which never counts.
pub struct TellReplaced {
    deps: BookingDeps,
}

impl TellReplaced {
    /// With what it needs.
    #[must_use]
    pub fn new(deps: BookingDeps) -> Self {
        Self { deps }
    }
}

#[async_trait]
impl Subscriber for TellReplaced {
    fn name(&self) -> &'static str {
        "booking.tell_replaced"
    }

    fn wants(&self, kind: &str) -> bool {
        kind == schedule::plan::REPLACED
    }

    async fn handle(&self, tx: &mut Tx, event: &Event) -> Result<(), Failure> {
        let hospital = self
            .deps
            .hospitals
            .get(event.hospital)
            .ok_or_else(|| Failure::Again("the hospital is not known here yet".into()))?;
        let text = |name: &str| event.payload.get(name).and_then(|v| v.as_str());
        let missing = || Failure::Final("clinic, doctor or change is not in the event".into());
        let clinic: ClinicId = text("clinic_id").and_then(|t| t.parse().ok()).ok_or_else(missing)?;
        let doctor: DoctorId = text("doctor_id").and_then(|t| t.parse().ok()).ok_or_else(missing)?;
        let change: ChangeId = text("change_id").and_then(|t| t.parse().ok()).ok_or_else(missing)?;
        // A slot's card is to show who sits now.
        self.deps.board.refresh().await?;
        for a in sql::of_clinic(tx, event.hospital, clinic).await? {
            // Booked since with the one who sits now: there is nothing to say.
            if a.doctor == Some(doctor) || !sql::desk::replace(tx, event.hospital, a.id, doctor).await? {
                continue;
            }
            let told =
                notice(&self.deps.board, tx, &hospital, &a, notify::Kind::AppointmentReplaced, None).await?;
            if let Some(mut told) = told {
                // The second time on, under a name of its own.
                if a.marks.former_doctor.is_some() {
                    told.subject = format!("{}/{change}", a.id);
                }
                notify::tell(tx, event.hospital, told).await?;
            }
            let detail =
                serde_json::json!({"clinic": clinic, "from": a.doctor, "to": doctor, "change": change});
            tx.audit(edge::Caller::system(hospital.clone()).audit("booking.replace", a.id, detail)).await?;
            tx.touch(store::Topic::new("appointment", a.id));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_nothing_is_called_in_time_but_not_at_once() {
        let rules = DeskRules { call_hours: 24, call_grace_minutes: 30, ..DeskRules::default() };
        let hour = |n: u64| UnixMs(0).plus(Duration::from_secs(n * 3600));
        assert_eq!(due_at(&rules, hour(0), hour(100)), hour(76));
        let soon = hour(10).plus(Duration::from_secs(1_800));
        assert_eq!(due_at(&rules, hour(10), hour(12)), soon, "time to answer first");
    }
}
