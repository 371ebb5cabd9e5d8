//! Planning: campuses, departments, doctors, clinics, and stopping a clinic.
//!
//! Everything is made by its natural key, so that saying the same twice changes nothing: campuses, departments and doctors by
//! the hospital's own code; a clinic by its doctor (or department, when it has no named doctor), campus, date, half day, kind
//! and whether it is online. Each function works in the caller's transaction; the boards of all nodes read again after it.

mod hand;
mod new;

use base::{Field, HospitalId, Kind, Problem, Text2, UnixMs};
use edge::Caller;
use edge::hospital::Hospital;
use store::value::{FromRow, One, Row};
use store::{Result as StoreResult, StoreError, Tx, args};

pub(crate) use self::hand::resize;
pub use self::hand::{
    ClinicPatch, Done, change_by_hand, changes, make_by_hand, replace_doctor, resume, stop_part,
    was_stopped_by,
};
pub(crate) use self::new::fault;
pub use self::new::{NewCampus, NewClinic, NewDepartment, NewDoctor, NewSlot};
use crate::model::{CampusId, ChangeId, ClinicId, DepartmentId, DoctorId, SlotId};
use crate::quota::{self, Kin};
use crate::rules::ReleaseRules;
pub use crate::rules::{Segment, SegmentsError, segments};
use crate::stock;
use crate::store as sql;

/// The event of a clinic that was stopped, or some of its segments: `{clinic_id, change_id, doctor_id, department_id, date,
/// half_day, slots}`, keyed by the clinic.
pub const STOPPED: &str = "schedule.stopped";
/// The event of a clinic in which another doctor sits: `{clinic_id, change_id, doctor_id, old_doctor_id, department_id, date,
/// half_day}`, keyed by the clinic.
pub const REPLACED: &str = "schedule.replaced";

/// Why something was not planned.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Values that can't be; all that were found.
    #[error("{}", .0.iter().map(|f| format!("{}: {}", f.field, f.detail.en)).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<Field>),
    /// The clinic exists with other segments, and places in them are taken or numbers were given.
    #[error("clinic {0} has appointments: its segments can't be changed")]
    InUse(ClinicId),
    /// There is no such clinic in this hospital.
    #[error("there is no clinic {0}")]
    NoClinic(ClinicId),
    /// Places can't be fewer than are taken.
    #[error("{taken} places of a segment of clinic {clinic} are taken")]
    Taken {
        /// The clinic.
        clinic: ClinicId,
        /// How many are taken in the segment that is in the way.
        taken: i64,
    },
    /// There is such a clinic already.
    #[error("there is such a clinic already")]
    Exists,
    /// The doctor has another clinic in that half day.
    #[error("the doctor has another clinic at that time")]
    Elsewhere,
    /// What was done can't be taken back any more.
    #[error("it is too late to take this back")]
    TooLate,
    /// There is no such thing in this hospital.
    #[error("there is no such thing")]
    NotFound,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<PlanError> for Problem {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Invalid(fields) => {
                let mut problem = Self::new(
                    Kind::Invalid,
                    "plan_invalid",
                    "有些内容不正确。",
                    "Some values are not right.",
                );
                problem.fields = fields;
                problem
            }
            PlanError::InUse(_) => Self::new(
                Kind::Conflict,
                "clinic_in_use",
                "这次出诊已有患者预约，不能再改时段。",
                "Patients have booked this clinic, so its segments can't be changed.",
            ),
            PlanError::Taken { taken, .. } => Self::new(
                Kind::Conflict,
                "places_taken",
                format!("这个时段已有 {taken} 个号被约走，号数不能更少。"),
                format!("{taken} places of this segment are taken, so there can't be fewer."),
            )
            .with("taken", taken),
            PlanError::Exists => Self::new(
                Kind::Conflict,
                "clinic_exists",
                "这次出诊已经在排班里了，请直接修改。",
                "This clinic is in the schedule already. Please change that one.",
            ),
            PlanError::Elsewhere => Self::new(
                Kind::Conflict,
                "doctor_elsewhere",
                "这位医生同一时段已有出诊安排。",
                "This doctor already has a clinic at that time.",
            ),
            PlanError::TooLate => Self::new(
                Kind::Conflict,
                "too_late_to_undo",
                "已超过可以撤销的时间。",
                "It is too late to take this back.",
            ),
            PlanError::NoClinic(_) | PlanError::NotFound => Self::not_found(),
            PlanError::Store(error) => error.into(),
        }
    }
}

/// Adds a campus, or changes the one of the same code.
///
/// # Errors
/// [`PlanError::Invalid`], [`PlanError::Store`].
pub async fn add_campus(tx: &mut Tx, hospital: HospitalId, new: &NewCampus) -> Result<CampusId, PlanError> {
    checked(new.faults())?;
    let values = args![
        hospital,
        CampusId::new(),
        &new.code,
        &new.name.zh,
        &new.name.en,
        &new.address.zh,
        &new.address.en,
        new.position
    ];
    let One(id) = tx.one::<One<CampusId>>(sql::ADD_CAMPUS, values).await?;
    bump(tx, hospital).await?;
    Ok(id)
}

/// Adds a department, or changes the one of the same code. There are two levels.
///
/// # Errors
/// [`PlanError::Invalid`], also when the parent is not there or not of the first level; [`PlanError::Store`].
pub async fn add_department(
    tx: &mut Tx,
    hospital: HospitalId,
    new: &NewDepartment,
) -> Result<DepartmentId, PlanError> {
    let mut faults = new.faults();
    if let Some(parent) = new.parent {
        let above = tx.opt::<Row>(sql::PARENTHOOD, args![hospital, parent]).await?;
        let code = above.as_ref().map(|row| row.get::<String>("code")).transpose()?;
        let top = above.as_ref().map(|row| row.get::<Option<DepartmentId>>("parent_id")).transpose()?;
        let children = tx.opt::<One<DepartmentId>>(sql::HAS_CHILDREN, args![hospital, &new.code]).await?;
        if top != Some(None) || code.as_deref() == Some(&new.code) || children.is_some() {
            faults.push(new::fault(
                "parent",
                "not_two_levels",
                "科室只有两级，上级科室必须是一级科室",
                "there are two levels: the parent must be a department of the first, and not this one",
            ));
        }
    }
    checked(faults)?;
    let values = args![
        hospital,
        DepartmentId::new(),
        &new.code,
        new.parent,
        &new.name.zh,
        &new.name.en,
        &new.intro.zh,
        &new.intro.en,
        &new.initials,
        &new.pinyin,
        new.child_only,
        new.adult_only,
        new.position
    ];
    let One(id) = tx.one::<One<DepartmentId>>(sql::ADD_DEPARTMENT, values).await?;
    bump(tx, hospital).await?;
    Ok(id)
}

/// Adds a doctor, or changes the one of the same code.
///
/// # Errors
/// [`PlanError::Invalid`], also when a department is not there; [`PlanError::Store`].
pub async fn add_doctor(tx: &mut Tx, hospital: HospitalId, new: &NewDoctor) -> Result<DoctorId, PlanError> {
    let mut faults = new.faults();
    for department in &new.departments {
        if tx.opt::<Row>(sql::PARENTHOOD, args![hospital, *department]).await?.is_none() {
            faults.push(new::fault("departments", "unknown", "没有这个科室", "there is no such department"));
        }
    }
    checked(faults)?;
    let values = args![
        hospital,
        DoctorId::new(),
        &new.code,
        &new.name.zh,
        &new.name.en,
        &new.initials,
        &new.pinyin,
        new.title,
        &new.specialities.zh,
        &new.specialities.en,
        &new.introduction.zh,
        &new.introduction.en,
        new.photo_url.as_deref(),
        new.position
    ];
    let One(id) = tx.one::<One<DoctorId>>(sql::ADD_DOCTOR, values).await?;
    tx.exec(sql::LEAVE_ALL, args![hospital, id]).await?;
    for (position, department) in (0_u32..).zip(&new.departments) {
        tx.exec(sql::JOIN_ONE, args![hospital, id, *department, position]).await?;
    }
    bump(tx, hospital).await?;
    Ok(id)
}

/// A slot as planning reads it.
struct Planned {
    id: SlotId,
    start_at: UnixMs,
    end_at: UnixMs,
    capacity: i64,
    /// So many of the places are beyond the plan.
    added: i64,
    taken: i64,
    last_number: i64,
    stopped: bool,
}

impl FromRow for Planned {
    fn from_row(row: &Row) -> StoreResult<Self> {
        Ok(Self {
            id: row.get("id")?,
            start_at: row.get("start_at")?,
            end_at: row.get("end_at")?,
            capacity: row.get("capacity")?,
            added: row.get("added")?,
            taken: row.get("taken")?,
            last_number: row.get("last_number")?,
            stopped: row.get("stopped")?,
        })
    }
}

/// Adds a clinic with its slots, or brings the one of the same natural key in line: fee, room and times are changed, places
/// are added or taken away (never those that are taken), and while no number was given its segments may be others. A
/// stopped clinic stays stopped.
///
/// # Errors
/// [`PlanError::Invalid`], also when campus, department or doctor are not there or do not belong together;
/// [`PlanError::InUse`]; [`PlanError::Store`].
pub async fn add_clinic(tx: &mut Tx, hospital: &Hospital, new: &NewClinic) -> Result<ClinicId, PlanError> {
    let (id, fresh) = make_clinic(tx, hospital, new).await?;
    if !fresh {
        let (opens_at, closes_at) = hours(hospital, new)?;
        let (room_zh, room_en) =
            (new.room.as_ref().map(|r| r.zh.as_str()), new.room.as_ref().map(|r| r.en.as_str()));
        let values = args![hospital.id, id, new.department, new.fee, room_zh, room_en, opens_at, closes_at];
        tx.exec(sql::CHANGE_CLINIC, values).await?;
        bring_in_line(tx, hospital, id, new).await?;
        bump(tx, hospital.id).await?;
    }
    Ok(id)
}

/// From when until when places can be had, by the clinic's own word or the hospital's rules.
fn hours(hospital: &Hospital, new: &NewClinic) -> Result<(UnixMs, UnixMs), PlanError> {
    let rules = hospital.settings::<ReleaseRules>(ReleaseRules::SECTION).of(new.department, new.kind);
    let last_end = new.slots.last().map(|s| s.segment.end).unwrap_or_default();
    let opens_at = new.opens_at.unwrap_or_else(|| rules.opens_at(&hospital.zone, new.date));
    let closes_at = new.closes_at.unwrap_or_else(|| rules.closes_at(&hospital.zone, new.date, last_end));
    if opens_at >= closes_at {
        let (zh, en) = ("放号时间必须早于截止时间", "the release must come before the cut-off");
        return Err(PlanError::Invalid(vec![new::fault("opens_at", "after_cut_off", zh, en)]));
    }
    Ok((opens_at, closes_at))
}

/// Makes a clinic with its slots, divided by channel where a rule says so; one of the same natural key is left as it is.
/// Gives whether it is new.
pub(crate) async fn make_clinic(
    tx: &mut Tx,
    hospital: &Hospital,
    new: &NewClinic,
) -> Result<(ClinicId, bool), PlanError> {
    let mut faults = new.faults();
    let parent = refer(tx, hospital.id, new, &mut faults).await?;
    checked(faults)?;
    let (opens_at, closes_at) = hours(hospital, new)?;
    let now = tx.now();
    let id = ClinicId::new();
    let (room_zh, room_en) =
        (new.room.as_ref().map(|r| r.zh.as_str()), new.room.as_ref().map(|r| r.en.as_str()));
    let values = args![
        hospital.id,
        id,
        new.department,
        new.doctor,
        new.campus,
        new.date,
        new.half_day,
        new.kind,
        new.online,
        new.fee,
        room_zh,
        room_en,
        opens_at,
        closes_at,
        now
    ];
    if tx.exec(sql::ADD_CLINIC, values).await? == 0 {
        return Ok((existing(tx, hospital.id, new).await?, false));
    }
    add_slots(tx, hospital, id, new, false).await?;
    let kin = Kin { department: new.department, parent, doctor: new.doctor, kind: new.kind };
    let capacity = new.slots.iter().map(|s| i64::from(s.capacity)).sum();
    quota::keep::divide_new(tx, hospital, id, &kin, new.date, capacity).await?;
    bump(tx, hospital.id).await?;
    stock::touch_of(tx, new.doctor, new.department);
    Ok((id, true))
}

/// Looks whether campus, department and doctor are there and belong together. Gives the department above.
pub(crate) async fn refer(
    tx: &mut Tx,
    hospital: HospitalId,
    new: &NewClinic,
    faults: &mut Vec<Field>,
) -> StoreResult<Option<DepartmentId>> {
    if tx.opt::<Row>(sql::KNOWN_CAMPUS, args![hospital, new.campus]).await?.is_none() {
        faults.push(new::fault("campus", "unknown", "没有这个院区", "there is no such campus"));
    }
    let department = tx.opt::<Row>(sql::PARENTHOOD, args![hospital, new.department]).await?;
    if department.is_none() {
        faults.push(new::fault("department", "unknown", "没有这个科室", "there is no such department"));
    }
    if let Some(doctor) = new.doctor
        && tx.opt::<Row>(sql::KNOWN_MEMBER, args![hospital, doctor, new.department]).await?.is_none()
    {
        let (zh, en) = ("该科室没有这位医生", "the doctor does not belong to this department");
        faults.push(new::fault("doctor", "not_a_member", zh, en));
    }
    department.map(|row| row.get("parent_id")).transpose().map(Option::flatten)
}

async fn existing(tx: &mut Tx, hospital: HospitalId, new: &NewClinic) -> StoreResult<ClinicId> {
    let (statement, whose) = match new.doctor {
        Some(doctor) => (sql::CLINIC_OF_DOCTOR, doctor.db()),
        None => (sql::CLINIC_OF_DEPARTMENT, new.department.db()),
    };
    let values = args![hospital, whose, new.campus, new.date, new.half_day, new.kind, new.online];
    tx.one::<One<ClinicId>>(statement, values).await.map(|one| one.0)
}

async fn add_slots(
    tx: &mut Tx,
    hospital: &Hospital,
    clinic: ClinicId,
    new: &NewClinic,
    stopped: bool,
) -> StoreResult<()> {
    let at = |wall| hospital.zone.at(new.date, wall).0;
    let ids: Vec<Option<String>> = new.slots.iter().map(|_| Some(SlotId::new().db())).collect();
    let starts_at: Vec<i64> = new.slots.iter().map(|s| at(s.segment.start)).collect();
    let ends_at: Vec<i64> = new.slots.iter().map(|s| at(s.segment.end)).collect();
    let starts: Vec<Option<String>> = new.slots.iter().map(|s| Some(s.segment.start.to_string())).collect();
    let ends: Vec<Option<String>> = new.slots.iter().map(|s| Some(s.segment.end.to_string())).collect();
    let capacities: Vec<i64> = new.slots.iter().map(|s| i64::from(s.capacity)).collect();
    let values = args![hospital.id, clinic, ids, starts_at, ends_at, starts, ends, capacities, stopped];
    tx.exec(sql::ADD_SLOTS, values).await.map(drop)
}

async fn bring_in_line(
    tx: &mut Tx,
    hospital: &Hospital,
    clinic: ClinicId,
    new: &NewClinic,
) -> Result<(), PlanError> {
    let now = tx.now();
    let mut known: Vec<Planned> = tx.all(sql::SLOTS_OF_CLINIC, args![hospital.id, clinic]).await?;
    known.sort_by_key(|s| s.start_at);
    let at = |wall| hospital.zone.at(new.date, wall);
    let same = known.len() == new.slots.len()
        && known
            .iter()
            .zip(&new.slots)
            .all(|(k, n)| k.start_at == at(n.segment.start) && k.end_at == at(n.segment.end));
    if !same {
        if known.iter().any(|s| s.last_number > 0) {
            return Err(PlanError::InUse(clinic));
        }
        let One(state) = tx.one::<One<String>>(sql::CLINIC_STATE, args![hospital.id, clinic]).await?;
        tx.exec(sql::DROP_SLOTS, args![hospital.id, clinic]).await?;
        add_slots(tx, hospital, clinic, new, state == "stopped").await?;
        let capacity: i64 = new.slots.iter().map(|s| i64::from(s.capacity)).sum();
        let before: i64 = known.iter().map(|s| s.capacity).sum();
        quota::keep::follow(tx, hospital.id, clinic, capacity - before).await?;
        return Ok(());
    }
    let mut by = 0;
    for (slot, wanted) in known.iter().zip(&new.slots) {
        let capacity = i64::from(wanted.capacity) + slot.added;
        if slot.capacity != capacity
            && tx.exec(sql::RESIZE_SLOT, args![hospital.id, slot.id, capacity, now]).await? == 0
        {
            return Err(PlanError::InUse(clinic));
        }
        by += capacity - slot.capacity;
    }
    if by != 0 {
        quota::keep::follow(tx, hospital.id, clinic, by).await?;
    }
    Ok(())
}

/// Stops a clinic: its places can't be had any more, patients who have one are to be told (the event [`STOPPED`]), and who
/// did it and why is kept. Gives the change, or `None` when the clinic was stopped already.
///
/// # Errors
/// [`PlanError::Invalid`] without a reason in both languages, [`PlanError::NoClinic`], [`PlanError::Store`].
pub async fn stop_clinic(
    tx: &mut Tx,
    caller: &Caller,
    clinic: ClinicId,
    reason: &Text2,
) -> Result<Option<ChangeId>, PlanError> {
    hand::stop(tx, caller, clinic, None, reason).await
}

/// Why a clinic was last stopped, in both languages; `None` when it never was.
///
/// # Errors
/// Any [`StoreError`].
pub async fn stop_reason(tx: &mut Tx, hospital: HospitalId, clinic: ClinicId) -> StoreResult<Option<Text2>> {
    let row = tx.opt::<Row>(sql::LAST_CHANGE, args![hospital, clinic]).await?;
    row.map(|row| Ok(Text2 { zh: row.get("reason_zh")?, en: row.get("reason_en")? })).transpose()
}

fn checked(faults: Vec<Field>) -> Result<(), PlanError> {
    if faults.is_empty() { Ok(()) } else { Err(PlanError::Invalid(faults)) }
}

/// Tells the boards of all nodes to read this hospital's schedule again.
pub(crate) async fn bump(tx: &mut Tx, hospital: HospitalId) -> StoreResult<()> {
    tx.exec(sql::BUMP, args![hospital]).await.map(drop)
}
