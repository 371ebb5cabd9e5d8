//! After a clinic's end: who has a place in it and did not check in.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base::HospitalId;
use edge::{Caller, Hospital};
use jiff::ToSpan as _;
use schedule::ClinicId;
use store::events::Failure;
use store::{Db, NewEvent, Sweep, Tx};

use super::rules::{Attendance, WINDOW_DAYS, standing, words};
use super::store as sql;
use crate::BookingDeps;
use crate::model::{Appointment, Limits, State};
use crate::store as own;

/// Somebody did not come: `{"appointment"}`.
pub const NO_SHOW: &str = "booking.no_show";

/// Clinics that ended longer ago are left alone, so that switching check-in on judges nobody for the past.
const LOOK_BACK_DAYS: i64 = 2;

/// Looks clinics through that are over.
pub(crate) struct Record {
    deps: BookingDeps,
}

impl Record {
    pub(crate) fn new(deps: BookingDeps) -> Self {
        Self { deps }
    }

    async fn clinic(&self, db: &Db, hospital: &Arc<Hospital>, clinic: ClinicId) -> Result<(), Failure> {
        let mut tx = db.begin().await?;
        if !sql::done(&mut tx, hospital.id, clinic).await? {
            return Ok(());
        }
        for appointment in own::of_clinic(&mut tx, hospital.id, clinic).await? {
            if appointment.state == State::Booked && sql::missed(&mut tx, hospital.id, &appointment).await? {
                self.tell(&mut tx, hospital, &appointment).await?;
                follow_up(&mut tx, hospital, &appointment).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// Tells the account that booked it what was noted and what follows.
    async fn tell(&self, tx: &mut Tx, hospital: &Hospital, missed: &Appointment) -> Result<(), Failure> {
        let person = people::bound::find(tx, hospital.id, missed.account, missed.person).await?;
        let (Some(person), Some(card)) = (person, self.deps.board.card(hospital.id, missed.slot)) else {
            return Ok(());
        };
        let limits: Limits = hospital.settings("booking.limits");
        let today = hospital.zone.date(tx.now());
        let since = today.checked_sub(WINDOW_DAYS.days()).unwrap_or(today);
        let dates = sql::counting(tx, hospital.id, missed.person, since).await?;
        let standing = standing(&limits, person.birth_date, &dates, today);
        let kind = notify::Kind::NoShow;
        let mut tell = crate::api::notice(card, missed, kind, person.name_masked, None);
        tell.data.insert("note", words(&standing).into());
        tell.link = "/no-shows".into();
        tell.expires_at = tx.now().plus(Duration::from_secs(3 * 86_400));
        notify::tell(tx, hospital.id, tell).await?;
        Ok(())
    }
}

async fn follow_up(tx: &mut Tx, hospital: &Arc<Hospital>, missed: &Appointment) -> Result<(), Failure> {
    let payload = serde_json::json!({"appointment": missed.id});
    tx.publish(NewEvent { hospital: hospital.id, kind: NO_SHOW, key: missed.person.to_string(), payload })
        .await?;
    let detail = serde_json::json!({"person": missed.person, "slot": missed.slot});
    tx.audit(Caller::system(hospital.clone()).audit("booking.no_show", missed.id, detail)).await?;
    tx.touch(store::Topic::new("appointment", missed.id));
    metrics::counter!("booking_no_show").increment(1);
    Ok(())
}

/// Clinics that are over and were not looked through.
async fn due(db: &Db, hospital: &Hospital, rules: &Attendance) -> store::Result<Vec<ClinicId>> {
    let now = db.now();
    let today = hospital.zone.date(now);
    let from = today.checked_sub(LOOK_BACK_DAYS.days()).unwrap_or(today);
    let before = now.minus(Duration::from_secs(u64::from(rules.after_minutes) * 60));
    let over = schedule::ended(db, hospital.id, from, today, before).await?;
    if over.is_empty() {
        return Ok(over);
    }
    let id: HospitalId = hospital.id;
    let since = now.minus(Duration::from_secs(u64::try_from(LOOK_BACK_DAYS + 2).unwrap_or(4) * 86_400));
    let done = sql::done_since(db, id, since).await?;
    Ok(over.into_iter().filter(|clinic| !done.contains(clinic)).collect())
}

#[async_trait]
impl Sweep for Record {
    fn name(&self) -> &'static str {
        "booking.attendance"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(30)
    }

    async fn run(&self, db: &Db) -> Result<bool, Failure> {
        for hospital in self.deps.hospitals.all() {
            let rules: Attendance = hospital.settings(Attendance::SECTION);
            if !rules.check_in {
                continue;
            }
            for clinic in due(db, &hospital, &rules).await? {
                self.clinic(db, &hospital, clinic).await?;
            }
        }
        Ok(false)
    }
}
