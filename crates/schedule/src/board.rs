//! Availability in memory: what can be had at every hospital of the installation, at most a second old on any node.
//!
//! [`Board::refresh`] reads what has changed: counts by the time of their change, everything of a hospital when its version
//! row has gone up, its date or its settings have changed, and seldom in any case. [`crate::worker`] calls it a few
//! times a second. A node's own commits are told at once by [`Board::changed`], so that whoever has booked sees it.
//!
//! The board shows; it does not decide. Whether a place is given out is decided by [`crate::stock`] under a lock.
//!
//! Nodes are expected to keep their clocks within a few seconds of each other, as NTP does much better than that. A change
//! that was stamped by a clock further behind shows within half a minute.

pub(crate) mod cell;
mod load;
mod names;
pub(crate) mod picture;
pub(crate) mod render;
pub(crate) mod search;
mod sitting;

pub use sitting::Sitting;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use base::{HospitalId, UnixMs};
use edge::{Hospital, Hospitals};
use parking_lot::{Mutex, RwLock};
use store::value::Row;
use store::{Backend, Db, Result, args};
use tokio::sync::Notify;

use self::picture::Picture;
use crate::model::{Card, ClinicId, DepartmentId, DoctorId, SlotFacts, SlotId};
use crate::quota::{self, Line};
use crate::rules::ReleaseRules;
use crate::store as sql;
use crate::wire::{DoctorSummary, NearFree, NextFree};

/// How far back counts are read: longer than a commit takes and than the clocks of two nodes differ.
const OVERLAP: Duration = Duration::from_secs(5);
/// Now and then counts are read from further back …
const WIDE_LOOK: Duration = Duration::from_secs(30);
/// … so far …
const WIDE_OVERLAP: Duration = Duration::from_secs(600);
/// … and seldom everything is read in any case.
const FULL_LOOK: Duration = Duration::from_secs(600);

/// The board. Cheap to clone; clones are the same board.
#[derive(Clone)]
pub struct Board {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    hospitals: Hospitals,
    pictures: RwLock<HashMap<HospitalId, Arc<Picture>>>,
    /// How many local commits have told their counts. Their counts are younger than any read that began before them.
    told: AtomicU64,
    /// Held while counts are set, so that a picture is not exchanged in the middle.
    setting: Mutex<()>,
    /// How many looks at the database have begun.
    begun: AtomicU64,
    looking: tokio::sync::Mutex<Looked>,
    wake: Notify,
}

struct Looked {
    /// The number of the last look that came through.
    done: u64,
    /// When it began, by the injected clock.
    at: UnixMs,
    /// When counts were last read from further back, by the machine's own steps.
    wide: Instant,
    /// When everything was last read, for each hospital.
    full: HashMap<HospitalId, Instant>,
}

impl Board {
    /// Reads the schedules of all hospitals.
    ///
    /// # Errors
    /// Any [`store::StoreError`].
    pub async fn load(db: &Db, hospitals: &Hospitals) -> Result<Self> {
        let board = Self {
            inner: Arc::new(Inner {
                db: db.clone(),
                hospitals: hospitals.clone(),
                pictures: RwLock::default(),
                told: AtomicU64::new(0),
                setting: Mutex::new(()),
                begun: AtomicU64::new(0),
                looking: tokio::sync::Mutex::new(Looked {
                    done: 0,
                    at: db.now(),
                    wide: Instant::now(),
                    full: HashMap::new(),
                }),
                wake: Notify::new(),
            }),
        };
        board.refresh().await?;
        Ok(board)
    }

    /// Looks at the database and takes over what has changed on any node.
    ///
    /// # Errors
    /// Any [`store::StoreError`]; what was known stays, and the next look takes over what this one did not.
    pub async fn refresh(&self) -> Result<()> {
        let mut looked = self.inner.looking.lock().await;
        self.look(&mut looked).await
    }

    /// Waits until the board has what was committed on any node before this call. Calls that come together share a look.
    ///
    /// # Errors
    /// As [`Self::refresh`].
    pub async fn catch_up(&self) -> Result<()> {
        // One program on SQLite tells its own commits: there is nobody to catch up with.
        if self.inner.db.backend() == Backend::Sqlite {
            return Ok(());
        }
        let begun = self.inner.begun.load(Ordering::SeqCst);
        let mut looked = self.inner.looking.lock().await;
        if looked.done > begun { Ok(()) } else { self.look(&mut looked).await }
    }

    async fn look(&self, looked: &mut Looked) -> Result<()> {
        let number = self.inner.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let db = &self.inner.db;
        let now = db.now();
        let seen = self.inner.told.load(Ordering::SeqCst);
        let mut versions: HashMap<HospitalId, i64> = HashMap::new();
        for row in db.all::<Row>(sql::VERSIONS, args![]).await? {
            versions.insert(row.get("hospital_id")?, row.get("version")?);
        }
        for hospital in self.inner.hospitals.all() {
            let version = versions.get(&hospital.id).copied().unwrap_or(0);
            let fresh = looked.full.get(&hospital.id).is_some_and(|at| at.elapsed() < FULL_LOOK);
            if !fresh || !self.still_holds(&hospital, version, now) {
                self.read(&hospital, version, now).await?;
                looked.full.insert(hospital.id, Instant::now());
            }
        }
        let wide = looked.wide.elapsed() >= WIDE_LOOK;
        let from = looked.at.min(now).minus(if wide { WIDE_OVERLAP } else { OVERLAP });
        let counts = db.all::<Row>(sql::COUNTS, args![from]).await?;
        let counts =
            counts.iter().map(|row| Ok((row.get("hospital_id")?, row.get("id")?, row.get("taken")?)));
        let counts = counts.collect::<Result<Vec<(HospitalId, SlotId, i64)>>>()?;
        // Where nothing is divided there is nothing to look for; what is divided later comes with a new version.
        let any = self.inner.pictures.read().values().any(|p| p.any_divided());
        let divided = if any { quota::keep::changed_since(db, from).await? } else { BTreeMap::new() };
        let _setting = self.inner.setting.lock();
        let pictures = self.inner.pictures.read();
        for ((hospital, clinic), lines) in divided {
            if let Some(picture) = pictures.get(&hospital) {
                picture.set_lines(clinic, lines, None, seen);
            }
        }
        for (hospital, slot, taken) in counts {
            if let Some(picture) = pictures.get(&hospital) {
                picture.read(slot, taken, seen);
            }
        }
        if wide {
            looked.wide = Instant::now();
        }
        looked.at = now;
        looked.done = number;
        Ok(())
    }

    fn still_holds(&self, hospital: &Hospital, version: i64, now: UnixMs) -> bool {
        self.picture(hospital.id).is_some_and(|picture| {
            picture.version == version
                && picture.today == hospital.zone.date(now)
                && picture.zone == hospital.zone
                && picture.rules == hospital.settings::<ReleaseRules>(ReleaseRules::SECTION)
        })
    }

    async fn read(&self, hospital: &Hospital, version: i64, now: UnixMs) -> Result<()> {
        let seen = self.inner.told.load(Ordering::SeqCst);
        let today = hospital.zone.date(now);
        let picture = Arc::new(load::picture(&self.inner.db, hospital, version, today).await?);
        metrics::counter!("schedule_board_loads").increment(1);
        let _setting = self.inner.setting.lock();
        if let Some(before) = self.picture(hospital.id) {
            picture.take_over(&before, seen);
        }
        self.inner.pictures.write().insert(hospital.id, picture);
        Ok(())
    }

    /// Tells the board of a slot's new count, after the commit that changed it: `tx.after_commit(move || board.changed(..))`.
    pub fn changed(&self, hospital: HospitalId, slot: SlotId, taken: i64) {
        let _setting = self.inner.setting.lock();
        let told = self.inner.told.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(picture) = self.picture(hospital) {
            picture.tell(slot, taken, told);
        }
    }

    /// Tells the board of a clinic's places by channel, after the commit that changed them.
    pub fn divided(&self, hospital: HospitalId, clinic: ClinicId, lines: Vec<Line>) {
        let _setting = self.inner.setting.lock();
        let told = self.inner.told.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(picture) = self.picture(hospital) {
            picture.set_lines(clinic, lines, Some(told), told);
        }
    }

    /// Has the worker look at once: after a commit that changed more than counts.
    pub fn wake(&self) {
        self.inner.wake.notify_one();
    }

    pub(crate) async fn woken(&self) {
        self.inner.wake.notified().await;
    }

    pub(crate) fn picture(&self, hospital: HospitalId) -> Option<Arc<Picture>> {
        self.inner.pictures.read().get(&hospital).cloned()
    }

    pub(crate) fn now(&self) -> UnixMs {
        self.inner.db.now()
    }

    /// A slot between today and the horizon.
    #[must_use]
    pub fn slot(&self, hospital: HospitalId, slot: SlotId) -> Option<SlotFacts> {
        let picture = self.picture(hospital)?;
        let (clinic, slot) = picture.slot(slot)?;
        let department = picture.department(clinic.department)?;
        Some(SlotFacts {
            slot: slot.id,
            clinic: clinic.id,
            doctor: clinic.doctor,
            department: clinic.department,
            campus: clinic.campus,
            date: clinic.date,
            half_day: clinic.half_day,
            kind: clinic.kind,
            online: clinic.online,
            fee: clinic.fee,
            start: slot.start,
            end: slot.end,
            start_at: slot.start_at,
            end_at: slot.end_at,
            opens_at: clinic.hours.opens_at,
            closes_at: clinic.hours.closes_at,
            stopped: clinic.hours.stopped || slot.stopped,
            capacity: slot.capacity,
            taken: slot.taken(),
            child_only: department.child_only,
            adult_only: department.adult_only,
        })
    }

    /// Places that can be had now instead of one that can't: up to three of the same doctor, then up to three of others in
    /// the department (one of each clinic), those nearest in time to `around` first.
    #[must_use]
    pub fn nearest(
        &self,
        hospital: HospitalId,
        department: DepartmentId,
        doctor: Option<DoctorId>,
        around: UnixMs,
    ) -> Vec<NearFree> {
        let Some(picture) = self.picture(hospital) else { return Vec::new() };
        render::View::new(&picture, self.now()).nearest(department, doctor, around)
    }

    /// The first place of a doctor that can be had now.
    #[must_use]
    pub fn next_free(&self, hospital: HospitalId, doctor: DoctorId) -> Option<NextFree> {
        self.doctor_summary(hospital, doctor)?.next_free
    }

    /// A doctor as in lists.
    #[must_use]
    pub fn doctor_summary(&self, hospital: HospitalId, doctor: DoctorId) -> Option<DoctorSummary> {
        let picture = self.picture(hospital)?;
        let view = render::View::new(&picture, self.now());
        view.summary(picture.doctor(doctor)?, &render::Filter::default())
    }

    /// Whether there is such a department.
    #[must_use]
    pub fn has_department(&self, hospital: HospitalId, department: DepartmentId) -> bool {
        self.picture(hospital).is_some_and(|picture| picture.department(department).is_some())
    }

    /// Whether there is such a doctor.
    #[must_use]
    pub fn has_doctor(&self, hospital: HospitalId, doctor: DoctorId) -> bool {
        self.picture(hospital).is_some_and(|picture| picture.doctor(doctor).is_some())
    }

    /// What stands on the card of an appointment in this slot, if the slot lies between today and the horizon.
    #[must_use]
    pub fn card(&self, hospital: HospitalId, slot: SlotId) -> Option<Card> {
        let picture = self.picture(hospital)?;
        render::card(&picture, slot)
    }

    /// The cards of any slots, past ones too: from memory where they are there, the others with one query.
    ///
    /// # Errors
    /// Any [`store::StoreError`].
    pub async fn cards(&self, hospital: HospitalId, slots: &[SlotId]) -> Result<HashMap<SlotId, Card>> {
        let mut cards: HashMap<SlotId, Card> = HashMap::new();
        let mut missing = Vec::new();
        for slot in slots {
            match self.card(hospital, *slot) {
                Some(card) => drop(cards.insert(*slot, card)),
                None => missing.push(Some(slot.db())),
            }
        }
        if !missing.is_empty() {
            let rest = self.inner.db.all::<Card>(sql::CARDS, args![hospital, missing]).await?;
            cards.extend(rest.into_iter().map(|card| (card.slot, card)));
        }
        Ok(cards)
    }
}

#[cfg(test)]
mod tests;
