//! Stock under a lock: what the booking desk decides by, and how it takes places and gives them back.
//!
//! The order is always the same: [`lock`] the slots (in the order of their ids, so that two nodes never wait for each
//! other), decide, then one [`take`] for all that was given out. The last guard is the schema's: `CHECK (taken <= capacity)`.

use std::collections::BTreeMap;

use base::{Date, Fen, HalfDay, HospitalId, UnixMs, WallTime};
use store::value::{FromRow, One, Row};
use store::{Db, Result, Topic, Tx, args};

use crate::model::{CampusId, ClinicId, ClinicKind, DepartmentId, DoctorId, SlotId};
use crate::rules::Hours;
use crate::store as sql;

/// A slot with its clinic, locked until the transaction ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stock {
    /// The slot …
    pub slot: SlotId,
    /// … of this clinic …
    pub clinic: ClinicId,
    /// … of this doctor, if it has a named one …
    pub doctor: Option<DoctorId>,
    /// … in this department …
    pub department: DepartmentId,
    /// … which may be below another.
    pub parent_department: Option<DepartmentId>,
    /// Where.
    pub campus: CampusId,
    /// On which date of the hospital.
    pub date: Date,
    /// In which half of it.
    pub half_day: HalfDay,
    /// The kind of clinic.
    pub kind: ClinicKind,
    /// Whether it is held over the network rather than on site.
    pub online: bool,
    /// What a place costs.
    pub fee: Fen,
    /// The segment's start by the hospital's clocks …
    pub start: WallTime,
    /// … and its end …
    pub end: WallTime,
    /// … and as instants.
    pub start_at: UnixMs,
    /// See `start_at`.
    pub end_at: UnixMs,
    /// From when places can be had.
    pub opens_at: UnixMs,
    /// Until when: the clinic's cut-off.
    pub closes_at: UnixMs,
    /// The clinic does not take place.
    pub stopped: bool,
    /// How many places there are …
    pub capacity: i64,
    /// … how many are gone …
    pub taken: i64,
    /// … and how many of those are only on hold.
    pub held: i64,
    /// The highest number that was given; the next place gets the one after it.
    pub last_number: i64,
    /// The clinic's places are divided by channel: see [`crate::quota`].
    pub divided: bool,
    /// Only for children: below the age that the hospital sets, 18 as a rule.
    pub child_only: bool,
    /// Only for those who are no children any more.
    pub adult_only: bool,
}

impl Stock {
    /// When its places can be had; see [`Hours::admit`].
    #[must_use]
    pub fn hours(&self) -> Hours {
        Hours { opens_at: self.opens_at, closes_at: self.closes_at, stopped: self.stopped }
    }

    /// How many places are left.
    #[must_use]
    pub fn remaining(&self) -> i64 {
        self.capacity - self.taken
    }
}

impl FromRow for Stock {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            slot: row.get("id")?,
            clinic: row.get("clinic_id")?,
            doctor: row.get("doctor_id")?,
            department: row.get("department_id")?,
            parent_department: row.get("parent_id")?,
            campus: row.get("campus_id")?,
            date: row.get("date")?,
            half_day: row.get("half_day")?,
            kind: row.get("kind")?,
            online: row.get("online")?,
            fee: row.get("fee_fen")?,
            start: row.get("start_wall")?,
            end: row.get("end_wall")?,
            start_at: row.get("start_at")?,
            end_at: row.get("end_at")?,
            opens_at: row.get("opens_at")?,
            closes_at: row.get("closes_at")?,
            stopped: row.get("stopped")?,
            capacity: row.get("capacity")?,
            taken: row.get("taken")?,
            held: row.get("held")?,
            last_number: row.get("last_number")?,
            divided: row.get("divided")?,
            child_only: row.get("child_only")?,
            adult_only: row.get("adult_only")?,
        })
    }
}

/// Locks slots and reads them with their clinics. One statement; slots that do not exist are not in the answer.
///
/// On PostgreSQL another transaction that locks one of them waits until this one ends; on SQLite a transaction is alone
/// anyway. `stopped` is the slot's own, so that a clinic that was stopped while this call waited is seen as stopped.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn lock(tx: &mut Tx, hospital: HospitalId, slots: &[SlotId]) -> Result<Vec<Stock>> {
    if slots.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Option<String>> = slots.iter().map(|id| Some(id.db())).collect();
    tx.all(sql::LOCK, args![hospital, ids]).await
}

/// As [`lock`], without a lock: what was committed when it ran.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn look(tx: &mut Tx, hospital: HospitalId, slots: &[SlotId]) -> Result<Vec<Stock>> {
    if slots.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Option<String>> = slots.iter().map(|id| Some(id.db())).collect();
    tx.all(sql::LOOK, args![hospital, ids]).await
}

/// The segments of a department's clinics on a campus from one date to another, full ones too, as of the last commit.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn of_department(
    db: &Db,
    hospital: HospitalId,
    (department, campus): (DepartmentId, CampusId),
    from: Date,
    to: Date,
) -> Result<Vec<Stock>> {
    db.all(sql::OF_DEPARTMENT, args![hospital, department, campus, from, to]).await
}

/// Takes places: for each slot so many, with as many new numbers. One statement; gives how many slots it changed, which is
/// fewer than asked for when one does not exist or its clinic was stopped.
///
/// # Errors
/// [`store::StoreError::Constraint`] when a slot would be oversold; any other [`store::StoreError`].
pub async fn take(tx: &mut Tx, hospital: HospitalId, places: &[(SlotId, i64)]) -> Result<u64> {
    // A slot named twice would be changed once only: the places of each are summed up first.
    let mut sums: BTreeMap<SlotId, i64> = BTreeMap::new();
    for (slot, n) in places {
        *sums.entry(*slot).or_default() += n;
    }
    if sums.is_empty() {
        return Ok(0);
    }
    let now = tx.now();
    let values = if tx.is_postgres() {
        let ids: Vec<Option<String>> = sums.keys().map(|id| Some(id.db())).collect();
        let counts: Vec<i64> = sums.into_values().collect();
        args![hospital, now, ids, counts]
    } else {
        let counts: serde_json::Map<_, _> = sums.into_iter().map(|(id, n)| (id.db(), n.into())).collect();
        args![hospital, now, serde_json::Value::Object(counts)]
    };
    tx.exec(sql::TAKE, values).await
}

/// Gives one place of a slot back; its number is not used again. Gives how many places are taken now.
///
/// # Errors
/// [`store::StoreError::NoRow`] when there is no such slot or none of its places is taken; any other
/// [`store::StoreError`].
pub async fn give_back(tx: &mut Tx, hospital: HospitalId, slot: SlotId) -> Result<i64> {
    let now = tx.now();
    tx.one::<One<i64>>(sql::GIVE_BACK, args![hospital, slot, now]).await.map(|one| one.0)
}

/// Takes a place once more that was given back, for the number that it had; false when none is left.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn take_again(tx: &mut Tx, hospital: HospitalId, slot: SlotId) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(sql::TAKE_AGAIN, args![hospital, slot, now]).await? == 1)
}

/// So many more (or fewer, below 0) of a slot's taken places are only on hold. The slot is locked.
///
/// # Errors
/// [`store::StoreError::Constraint`] when that would be more than are taken, or fewer than none; any other
/// [`store::StoreError`].
pub async fn hold(tx: &mut Tx, hospital: HospitalId, slot: SlotId, by: i64) -> Result<()> {
    tx.exec(sql::HOLD, args![hospital, slot, by]).await.map(drop)
}

/// A slot with a place that can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Free {
    /// The slot …
    pub slot: SlotId,
    /// … of this clinic …
    pub clinic: ClinicId,
    /// … whose places are divided by channel.
    pub divided: bool,
}

impl FromRow for Free {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self { slot: row.get("id")?, clinic: row.get("clinic_id")?, divided: row.get("divided")? })
    }
}

/// Slots on a day that have places now: of a clinic, else of a doctor, else of a department and those below it. The earliest
/// first; whether a channel has some of them left is not asked here.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn free(
    tx: &mut Tx,
    hospital: HospitalId,
    date: Date,
    clinic: Option<ClinicId>,
    doctor: Option<DoctorId>,
    department: DepartmentId,
) -> Result<Vec<Free>> {
    let now = tx.now();
    // A clinic says all; a doctor goes before the department.
    let doctor = if clinic.is_some() { None } else { doctor };
    let department = if clinic.is_some() || doctor.is_some() { None } else { Some(department) };
    tx.all(sql::FREE, args![hospital, date, now, clinic, doctor, department]).await
}

/// Wakes everybody who watches this stock's doctor or department, once the transaction is committed.
pub fn touch(tx: &mut Tx, stock: &Stock) {
    touch_of(tx, stock.doctor, stock.department);
    if let Some(parent) = stock.parent_department {
        tx.touch(department_topic(parent));
    }
}

/// As [`touch`], for who knows the appointment but not the stock. The department above is woken by the next look.
pub fn touch_of(tx: &mut Tx, doctor: Option<DoctorId>, department: DepartmentId) {
    if let Some(doctor) = doctor {
        tx.touch(doctor_topic(doctor));
    }
    tx.touch(department_topic(department));
}

/// The live topic of a doctor's clinics.
#[must_use]
pub fn doctor_topic(doctor: DoctorId) -> Topic {
    Topic::new("doctor", doctor)
}

/// The live topic of a department's doctors and clinics.
#[must_use]
pub fn department_topic(department: DepartmentId) -> Topic {
    Topic::new("department", department)
}
