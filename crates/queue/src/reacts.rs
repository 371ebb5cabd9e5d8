//! What is done later: what follows from the end of a visit, rooms that were left without closing, lines that go on after a pause,
//! reminders of what waits to be picked up.

use std::time::Duration;

use async_trait::async_trait;
use base::Problem;
use edge::{Caller, Hospital};
use notify::Kind;
use std::sync::Arc;
use store::events::Failure;
use store::{Db, Job, JobHandler, Sweep};

use crate::QueueDeps;
use crate::model::{QueueState, Step, TicketId, TicketState};
use crate::picture::band_of;
use crate::settings::Settings;
use crate::store::{desk as desk_sql, pace, pickup as pickup_sql, ticket as sql};
use crate::{desk, pickup};

fn failed(problem: Problem) -> Failure {
    Failure::Again(problem.code.to_owned())
}

/// Once the end of a visit can't be taken back any more: the appointment is seen, and its length is learned from.
pub struct MarkSeen {
    deps: QueueDeps,
}

impl MarkSeen {
    /// With what it needs.
    #[must_use]
    pub fn new(deps: QueueDeps) -> Self {
        Self { deps }
    }
}

#[async_trait]
impl JobHandler for MarkSeen {
    fn kind(&self) -> &'static str {
        desk::SEEN_JOB
    }

    async fn run(&self, db: &Db, job: &Job) -> Result<(), Failure> {
        let hospital = self.deps.hospitals.get(job.hospital);
        let hospital = hospital.ok_or_else(|| Failure::Again("the hospital is not known here yet".into()))?;
        let id = job.payload.get("ticket").and_then(|v| v.as_str()).and_then(|t| t.parse().ok());
        let id: TicketId = id.ok_or_else(|| Failure::Final("no ticket in the job".into()))?;
        let mut tx = db.begin().await?;
        let Some(ticket) = sql::get(&mut tx, hospital.id, id).await? else { return Ok(()) };
        // The end was taken back; the next end has a job of its own.
        if ticket.state != TicketState::Done {
            return Ok(());
        }
        let caller = Caller::system(hospital.clone());
        let fresh = match ticket.appointment {
            Some(appointment) => booking::arrive::seen(&mut tx, &caller, appointment).await?,
            None => job.attempts <= 1,
        };
        // Done twice, a job must not count a visit twice.
        if fresh && let (Some(called), Some(ended)) = (ticket.called_at, ticket.ended_at) {
            let took = ended.since(called).as_secs_f64();
            let band = band_of(hospital.zone.wall(called));
            pace::add(&mut tx, hospital.id, ticket.queue, band, ticket.returned_at.is_some(), took).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// Ends visits that nobody has ended: whoever sat in the room has left without closing. On the next day those who still wait are
/// let go.
pub struct Forgotten {
    deps: QueueDeps,
}

impl Forgotten {
    /// With what it needs.
    #[must_use]
    pub fn new(deps: QueueDeps) -> Self {
        Self { deps }
    }

    async fn of(&self, db: &Db, hospital: &Arc<Hospital>) -> Result<bool, Failure> {
        let settings: Settings = hospital.settings(Settings::SECTION);
        let caller = Caller::system(hospital.clone());
        let limit = Duration::from_secs(u64::from(settings.forgotten_minutes) * 60);
        let now = db.now();
        let mut some = false;
        for ticket in sql::forgotten(db, hospital.id, now.minus(limit)).await? {
            desk::close(&self.deps, &caller, &ticket, Step::Ended).await.map_err(failed)?;
            some = true;
        }
        let today = hospital.zone.date(now);
        let since = today.checked_sub(jiff::Span::new().days(3)).unwrap_or(today);
        for ticket in sql::of_days_before(db, hospital.id, since, today).await? {
            desk::close(&self.deps, &caller, &ticket, Step::Left).await.map_err(failed)?;
            some = true;
        }
        Ok(some)
    }
}

#[async_trait]
impl Sweep for Forgotten {
    fn name(&self) -> &'static str {
        "queue.forgotten"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn run(&self, db: &Db) -> Result<bool, Failure> {
        let mut some = false;
        for hospital in self.deps.hospitals.all() {
            some |= self.of(db, &hospital).await?;
        }
        // Steps can be taken back for seconds; a day later nobody asks for them.
        let mut tx = db.begin().await?;
        let before = db.now().minus(Duration::from_secs(86_400));
        desk_sql::forget(&mut tx, before).await?;
        tx.commit().await?;
        Ok(some)
    }
}

/// Lets lines go on when their pause is over, and opens those again that were closed the day before.
pub struct Resume {
    deps: QueueDeps,
}

impl Resume {
    /// With what it needs.
    #[must_use]
    pub fn new(deps: QueueDeps) -> Self {
        Self { deps }
    }
}

#[async_trait]
impl Sweep for Resume {
    fn name(&self) -> &'static str {
        "queue.resume"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(10)
    }

    async fn run(&self, db: &Db) -> Result<bool, Failure> {
        for hospital in self.deps.hospitals.all() {
            let setup = self.deps.pictures.setup(hospital.id).await?;
            let now = db.now();
            let over = |q: &&crate::model::Queue| {
                q.state != QueueState::Open && q.paused_until.is_none_or(|until| until <= now)
            };
            for queue in setup.active().filter(over) {
                let caller = Caller::system(hospital.clone());
                desk::resume(&self.deps, &caller, queue.id).await.map_err(failed)?;
            }
        }
        Ok(false)
    }
}

/// Reminds people of what waits to be picked up.
pub struct RemindPickUp {
    deps: QueueDeps,
}

impl RemindPickUp {
    /// With what it needs.
    #[must_use]
    pub fn new(deps: QueueDeps) -> Self {
        Self { deps }
    }
}

#[async_trait]
impl Sweep for RemindPickUp {
    fn name(&self) -> &'static str {
        "queue.remind_pickup"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn run(&self, db: &Db) -> Result<bool, Failure> {
        let mut some = false;
        for hospital in self.deps.hospitals.all() {
            let settings: Settings = hospital.settings(Settings::SECTION);
            for due in pickup_sql::to_remind(db, hospital.id, db.now()).await? {
                let next = due.ready_at.and_then(|at| pickup::remind_at(at, due.reminded + 1, &settings));
                let mut tx = db.begin().await?;
                if pickup_sql::reminded(&mut tx, hospital.id, &due, next).await? {
                    let subject = format!("{}:{}", due.id, due.reminded + 1);
                    let due = crate::model::PickUp { reminded: due.reminded + 1, ..due };
                    pickup::tell(&mut tx, &hospital, &due, Kind::PickUpReminder, subject)
                        .await
                        .map_err(failed)?;
                    tx.commit().await?;
                }
                some = true;
            }
        }
        Ok(some)
    }
}
