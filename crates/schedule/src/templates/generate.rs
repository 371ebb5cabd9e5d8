//! Making clinics of templates, days ahead.
//!
//! A date of a template is made once: the mark (template, date) is a unique row of the transaction that makes the clinic.
//! Where the same clinic is there already (somebody made it by hand) the mark points to it, and it is left as it is.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base::{Date, UnixMs};
use edge::{Hospital, Hospitals};
use serde::{Deserialize, Serialize};
use store::events::Failure;
use store::value::Row;
use store::{Db, Sweep, args};

use super::{Exception, Template, TemplateId};
use crate::calendar;
use crate::plan::{self, PlanError};
use crate::rules::{ReleaseRules, days_after};
use crate::store::templates as sql;

/// How many clinics one transaction makes.
const AT_ONCE: usize = 50;

/// The settings section `schedule.generate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GenerateRules {
    /// So many days ahead clinics are made of templates; never fewer than one day more than the longest time of release, so
    /// that a clinic is there when its places are released. Default 15.
    pub days_ahead: u16,
}

impl GenerateRules {
    /// The name of the settings section.
    pub const SECTION: &'static str = "schedule.generate";
}

impl Default for GenerateRules {
    fn default() -> Self {
        Self { days_ahead: 15 }
    }
}

/// What a run has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Generated {
    /// Clinics that were made.
    pub made: u32,
    /// Clinics that were there already, made by hand; left as they are.
    pub there: u32,
    /// Dates of templates that could not be made (a doctor who left the department, a room without a name); each is logged.
    pub failed: u32,
}

/// The last date that is made now.
#[must_use]
pub fn last_date(hospital: &Hospital, now: UnixMs) -> Date {
    let rules: GenerateRules = hospital.settings(GenerateRules::SECTION);
    let release: ReleaseRules = hospital.settings(ReleaseRules::SECTION);
    let ahead = rules.days_ahead.max(release.longest_horizon().saturating_add(1));
    days_after(hospital.zone.date(now), ahead)
}

/// Makes what is not made yet, from today to [`last_date`].
///
/// # Errors
/// Any [`store::StoreError`]; what was made before it stays.
pub async fn run(db: &Db, hospital: &Hospital) -> store::Result<Generated> {
    let (today, last) = (hospital.zone.date(db.now()), last_date(hospital, db.now()));
    let templates: Vec<Template> = super::list(db, hospital.id, None).await?;
    let mut done = Generated::default();
    if !templates.iter().any(|t| t.active) {
        return Ok(done);
    }
    let calendar = calendar::of_hospital(db, hospital.id).await?;
    let exceptions: HashMap<(TemplateId, Date), Exception> = super::exceptions(db, hospital.id, today)
        .await?
        .into_iter()
        .map(|e| ((e.template, e.date), e))
        .collect();
    let marks = db.all::<Row>(sql::MADE_BETWEEN, args![hospital.id, today, last]).await?;
    let made: HashSet<(TemplateId, Date)> = marks
        .iter()
        .map(|row| Ok((row.get("template_id")?, row.get("date")?)))
        .collect::<store::Result<_>>()?;
    let mut wanted = Vec::new();
    for template in &templates {
        let mut date = today;
        while date <= last {
            let exception = exceptions.get(&(template.id, date));
            if !made.contains(&(template.id, date))
                && let Some(segments) = template.on(date, calendar.kind(date), exception)
            {
                wanted.push((template, date, segments));
            }
            let Ok(next) = date.tomorrow() else { break };
            date = next;
        }
    }
    for part in wanted.chunks(AT_ONCE) {
        make(db, hospital, part, &mut done).await?;
    }
    Ok(done)
}

type Wanted<'a> = (&'a Template, Date, &'a [super::SegmentPlaces]);

async fn make(db: &Db, hospital: &Hospital, part: &[Wanted<'_>], done: &mut Generated) -> store::Result<()> {
    let mut tx = db.begin().await?;
    let mut here = Generated::default();
    for (template, date, segments) in part {
        let now = tx.now();
        if tx.exec(sql::MARK, args![hospital.id, template.id, *date, now]).await? == 0 {
            continue;
        }
        let mut new = template.says.clinic(*date, segments);
        new.closes_at = closes_at(hospital, template, *date, segments);
        match plan::make_clinic(&mut tx, hospital, &new).await {
            Ok((clinic, fresh)) => {
                tx.exec(sql::MARK_CLINIC, args![hospital.id, template.id, *date, clinic]).await?;
                if fresh { here.made += 1 } else { here.there += 1 }
            }
            Err(PlanError::Store(error)) => return Err(error),
            Err(error) => {
                // The mark is taken back, so that the date is made once the template is right again.
                tx.exec(sql::UNMARK, args![hospital.id, template.id, *date]).await?;
                tracing::warn!(%error, template = %template.id, %date, "a clinic could not be made of its template");
                here.failed += 1;
            }
        }
    }
    tx.commit().await?;
    done.made += here.made;
    done.there += here.there;
    done.failed += here.failed;
    metrics::counter!("schedule_clinics_generated").increment(u64::from(here.made));
    Ok(())
}

/// The cut-off of a date by the template's own rule; `None` where the hospital's holds.
pub(super) fn closes_at(
    hospital: &Hospital,
    template: &Template,
    date: Date,
    segments: &[super::SegmentPlaces],
) -> Option<UnixMs> {
    let cutoff_minutes = template.says.cutoff_minutes?;
    let end = segments.last()?.end;
    Some(ReleaseRules { cutoff_minutes, ..ReleaseRules::default() }.closes_at(&hospital.zone, date, end))
}

/// Makes clinics of templates on one node, a few times an hour: the day before a release is early enough.
pub struct GenerateClinics {
    hospitals: Hospitals,
    board: crate::Board,
}

impl GenerateClinics {
    /// With the hospitals, and the board that shows what was made.
    #[must_use]
    pub fn new(hospitals: Hospitals, board: crate::Board) -> Arc<Self> {
        Arc::new(Self { hospitals, board })
    }
}

#[async_trait]
impl Sweep for GenerateClinics {
    fn name(&self) -> &'static str {
        "schedule.generate"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(600)
    }

    async fn run(&self, db: &Db) -> Result<bool, Failure> {
        for hospital in self.hospitals.all() {
            let done = run(db, &hospital).await?;
            if done.made > 0 {
                tracing::info!(
                    hospital = hospital.code,
                    made = done.made,
                    "clinics were made of their templates"
                );
                self.board.wake();
            }
        }
        Ok(false)
    }
}
