//! What follows from offers that end, and the sweep that does what is due.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base::{Date, UnixMs};
use edge::{Caller, Hospital};
use store::events::Failure;
use store::{Db, Event, Job, JobHandler, Subscriber, Sweep, Tx};

use super::model::{Entry, EntryState};
use super::rules::Rules;
use super::store as sql;
use super::{join, offer};
use crate::BookingDeps;
use crate::model::AppointmentId;

/// How many things are done in one go.
const AT_ONCE: i64 = 50;
/// Between two looks for places that came free without anybody giving them up.
const LOOK_ROUND: Duration = Duration::from_secs(20);

/// Ends the entry of an offer whose place was let go.
pub(crate) struct EndOfOffer;

#[async_trait]
impl Subscriber for EndOfOffer {
    fn name(&self) -> &'static str {
        "booking.waitlist_end"
    }

    fn wants(&self, kind: &str) -> bool {
        matches!(kind, crate::hold::EXPIRED | "booking.cancelled")
    }

    async fn handle(&self, tx: &mut Tx, event: &Event) -> Result<(), Failure> {
        let id = event.payload.get("appointment").and_then(|v| v.as_str()).and_then(|t| t.parse().ok());
        let id: AppointmentId = id.ok_or_else(|| Failure::Final("no appointment in the event".into()))?;
        let state = if event.kind == crate::hold::EXPIRED { EntryState::Missed } else { EntryState::Left };
        sql::end_of_offer(tx, event.hospital, id, state).await?;
        notify::cancel(tx, event.hospital, &id.to_string(), &[notify::Kind::WaitlistOffer]).await?;
        Ok(())
    }
}

/// Decides what becomes of one place whose time has come.
pub(crate) struct Due {
    deps: BookingDeps,
}

impl Due {
    pub(crate) fn new(deps: BookingDeps) -> Self {
        Self { deps }
    }
}

#[async_trait]
impl JobHandler for Due {
    fn kind(&self) -> &'static str {
        super::freed::FREED
    }

    async fn run(&self, db: &Db, job: &Job) -> Result<(), Failure> {
        let hospital = self.deps.hospitals.get(job.hospital);
        let hospital = hospital.ok_or_else(|| Failure::Again("the hospital is not known here yet".into()))?;
        let id = job.payload.get("freed").and_then(|v| v.as_str()).and_then(|t| t.parse().ok());
        let id = id.ok_or_else(|| Failure::Final("no place in the job".into()))?;
        // Gone when the sweep was faster.
        if let Some(freed) = sql::freed(db, hospital.id, id).await?
            && freed.offer_at <= db.now()
        {
            offer::settle(&self.deps, &hospital, &freed).await?;
        }
        Ok(())
    }
}

/// Decides what becomes of places whose time has come, takes out what is free although somebody waits for it, and closes lists.
pub(crate) struct Tend {
    deps: BookingDeps,
    looked: parking_lot::Mutex<Option<UnixMs>>,
}

impl Tend {
    pub(crate) fn new(deps: BookingDeps) -> Self {
        Self { deps, looked: parking_lot::Mutex::default() }
    }

    /// Whether it is time for the rarer look.
    fn looks_round(&self, now: UnixMs) -> bool {
        let mut looked = self.looked.lock();
        let due = looked.is_none_or(|at| now < at || now.since(at) >= LOOK_ROUND);
        if due {
            *looked = Some(now);
        }
        due
    }

    /// A clinic may get more places, and another channel's unsold places may become online ones: they are for who waits, too.
    async fn take_out(&self, hospital: &Arc<Hospital>, db: &Db) -> Result<(), Failure> {
        for row in sql::targets(db, hospital.id, db.now()).await? {
            let date: Date = row.get("date")?;
            let (clinic, doctor, department) =
                (row.get("clinic_id")?, row.get("doctor_id")?, row.get("department_id")?);
            let mut tx = db.begin().await?;
            let free = join::free_slots(&mut tx, hospital, clinic, doctor, department, date).await?;
            tx.rollback().await?;
            if let Some(first) = free.first() {
                offer::free_one(&self.deps, hospital, first.slot).await?;
            }
        }
        Ok(())
    }

    async fn close(&self, hospital: &Arc<Hospital>, db: &Db) -> Result<bool, Failure> {
        let mut tx = db.begin().await?;
        let over = sql::to_close(&mut tx, hospital.id, AT_ONCE).await?;
        for entry in &over {
            if sql::end(&mut tx, hospital.id, entry.id, EntryState::Closed).await? {
                self.tell_closed(&mut tx, hospital, entry).await?;
                let caller = Caller::system(hospital.clone());
                tx.audit(caller.audit("waitlist.close", entry.id, serde_json::json!({}))).await?;
            }
        }
        if over.is_empty() {
            tx.rollback().await?
        } else {
            tx.commit().await?
        }
        Ok(i64::try_from(over.len()).unwrap_or(0) == AT_ONCE)
    }

    async fn tell_closed(&self, tx: &mut Tx, hospital: &Hospital, entry: &Entry) -> Result<(), Failure> {
        let person = people::bound::find(tx, hospital.id, entry.account, entry.person).await?;
        let (Some(person), Some(place)) = (person, super::api::place(&self.deps.board, hospital.id, entry))
        else {
            return Ok(());
        };
        let start = hospital.zone.at(entry.date, base::WallTime::default());
        let visit = notify::Visit {
            person: person.name_masked,
            department_id: entry.department.to_string(),
            department: place.department,
            doctor: place.doctor,
            start,
            end: None,
            campus: base::Text2::default(),
            room: None,
            number: None,
            old_start: None,
            note: None,
        };
        let tell = notify::Tell {
            kind: notify::Kind::WaitlistClosed,
            account: entry.account,
            person: Some(entry.person),
            subject: entry.id.to_string(),
            data: visit.data(),
            link: "/waitlist".into(),
            send_after: None,
            // Of use until the day is over.
            expires_at: start.plus(Duration::from_secs(86_400)),
        };
        notify::tell(tx, hospital.id, tell).await?;
        Ok(())
    }
}

#[async_trait]
impl Sweep for Tend {
    fn name(&self) -> &'static str {
        "booking.waitlist"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(10)
    }

    async fn run(&self, db: &Db) -> Result<bool, Failure> {
        let mut more = false;
        let looks_round = self.looks_round(db.now());
        for hospital in self.deps.hospitals.all() {
            let rules: Rules = hospital.settings(Rules::SECTION);
            if rules.enabled && looks_round {
                self.take_out(&hospital, db).await?;
            }
            let due = sql::due(db, hospital.id, db.now(), AT_ONCE).await?;
            more |= i64::try_from(due.len()).unwrap_or(0) == AT_ONCE;
            for freed in &due {
                offer::settle(&self.deps, &hospital, freed).await?;
            }
            more |= self.close(&hospital, db).await?;
        }
        Ok(more)
    }
}
