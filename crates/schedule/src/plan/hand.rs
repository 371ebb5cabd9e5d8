//! What people do to a clinic that is there: other places, another room, stopping it or a part of it, taking that back,
//! another doctor. What was touched by hand is left alone by templates.

use std::time::Duration;

use base::{HospitalId, Text2, UnixMs};
use edge::{Caller, Hospital};
use serde_json::json;
use store::value::{FromRow, One, Row};
use store::{NewEvent, Result as StoreResult, Tx, args};

use super::{NewClinic, PlanError, Planned, REPLACED, STOPPED, bump, checked, make_clinic, new};
use crate::model::{ChangeId, ClinicId, ClinicKind, DepartmentId, DoctorId, SlotId};
use crate::quota;
use crate::stock;
use crate::store as sql;
use crate::templates::SegmentPlaces;

/// A stop can be taken back for so long, while nobody has made use of what was offered instead.
const UNDO: Duration = Duration::from_secs(600);

/// What is changed on a clinic; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClinicPatch {
    /// How many places segments have from now on.
    pub capacities: Vec<(SlotId, u32)>,
    /// The room; `Some(None)` when it is not known any more.
    pub room: Option<Option<Text2>>,
    /// How many numbers may be added to it; `Some(None)` for the hospital's setting.
    pub add_on_limit: Option<Option<u32>>,
}

/// A clinic as it stands, with what decides who is to be told of a change.
struct Standing {
    doctor: Option<DoctorId>,
    department: DepartmentId,
    date: String,
    half_day: String,
    state: String,
}

async fn standing(tx: &mut Tx, hospital: HospitalId, clinic: ClinicId) -> Result<Standing, PlanError> {
    let row = tx.opt::<Row>(sql::CLINIC_FACTS, args![hospital, clinic]).await?;
    let row = row.ok_or(PlanError::NoClinic(clinic))?;
    Ok(Standing {
        doctor: row.get("doctor_id")?,
        department: row.get("department_id")?,
        date: row.get("date")?,
        half_day: row.get("half_day")?,
        state: row.get("state")?,
    })
}

/// Makes a clinic by hand.
///
/// # Errors
/// [`PlanError::Exists`] when there is one of the same doctor (or department), campus, date, half day and kind;
/// [`PlanError::Invalid`], [`PlanError::Store`].
pub async fn make_by_hand(tx: &mut Tx, caller: &Caller, new: &NewClinic) -> Result<ClinicId, PlanError> {
    let (id, fresh) = make_clinic(tx, &caller.hospital, new).await?;
    if !fresh {
        return Err(PlanError::Exists);
    }
    tx.exec(sql::BY_HAND, args![caller.hospital.id, id]).await?;
    let detail = json!({"date": new.date, "half_day": new.half_day, "doctor": new.doctor, "department": new.department});
    tx.audit(caller.audit("schedule.make", id, detail)).await?;
    Ok(id)
}

/// Changes a clinic by hand.
///
/// # Errors
/// [`PlanError::Taken`] when a segment would have fewer places than are taken; [`PlanError::Invalid`],
/// [`PlanError::NoClinic`], [`PlanError::Store`].
pub async fn change_by_hand(
    tx: &mut Tx,
    caller: &Caller,
    clinic: ClinicId,
    patch: &ClinicPatch,
) -> Result<(), PlanError> {
    let hospital = caller.hospital.id;
    let facts = standing(tx, hospital, clinic).await?;
    let mut faults = Vec::new();
    if patch.capacities.iter().any(|(_, n)| *n > new::MOST_PLACES) {
        faults.push(new::fault(
            "slots",
            "too_many",
            "每个时段最多 500 个号",
            "a segment has at most 500 places",
        ));
    }
    if let Some(Some(room)) = &patch.room {
        new::name(&mut faults, "room", room);
    }
    let known: Vec<Planned> = tx.all(sql::SLOTS_OF_CLINIC, args![hospital, clinic]).await?;
    if patch.capacities.iter().any(|(id, _)| !known.iter().any(|s| s.id == *id)) {
        faults.push(new::fault("slots", "unknown", "没有这个时段", "there is no such segment"));
    }
    checked(faults)?;
    let now = tx.now();
    let mut by = 0;
    let mut changed = Vec::new();
    for slot in &known {
        let Some((_, capacity)) = patch.capacities.iter().find(|(id, _)| *id == slot.id) else { continue };
        let capacity = i64::from(*capacity);
        if capacity < slot.taken {
            return Err(PlanError::Taken { clinic, taken: slot.taken });
        }
        tx.exec(sql::RESIZE_SLOT, args![hospital, slot.id, capacity, now]).await?;
        changed.push(json!({"slot": slot.id, "from": slot.capacity, "to": capacity}));
        by += capacity - slot.capacity;
    }
    if by != 0 {
        quota::keep::follow(tx, hospital, clinic, by).await?;
    }
    if let Some(room) = &patch.room {
        let (zh, en) = (room.as_ref().map(|r| r.zh.as_str()), room.as_ref().map(|r| r.en.as_str()));
        tx.exec(sql::SET_ROOM, args![hospital, clinic, zh, en]).await?;
    }
    if let Some(limit) = patch.add_on_limit {
        tx.exec(sql::SET_ADD_ON_LIMIT, args![hospital, clinic, limit]).await?;
    }
    tx.exec(sql::BY_HAND, args![hospital, clinic]).await?;
    let detail = json!({"slots": changed, "room": patch.room, "add_on_limit": patch.add_on_limit});
    tx.audit(caller.audit("schedule.change", clinic, detail)).await?;
    bump(tx, hospital).await?;
    stock::touch_of(tx, facts.doctor, facts.department);
    Ok(())
}

/// Gives segments, in order, at least so many places; their times are the same. For templates.
pub(crate) async fn resize(
    tx: &mut Tx,
    hospital: &Hospital,
    clinic: ClinicId,
    wanted: &[SegmentPlaces],
) -> Result<(), PlanError> {
    let mut known: Vec<Planned> = tx.all(sql::SLOTS_OF_CLINIC, args![hospital.id, clinic]).await?;
    known.sort_by_key(|s| s.start_at);
    let now = tx.now();
    let mut by = 0;
    for (slot, wanted) in known.iter().zip(wanted) {
        let capacity = i64::from(wanted.capacity) + slot.added;
        if tx.exec(sql::RESIZE_SLOT, args![hospital.id, slot.id, capacity, now]).await? == 0 {
            return Err(PlanError::InUse(clinic));
        }
        by += capacity - slot.capacity;
    }
    quota::keep::follow(tx, hospital.id, clinic, by).await?;
    Ok(bump(tx, hospital.id).await?)
}

/// Stops a clinic, or some of its segments: see [`super::stop_clinic`] and [`stop_part`].
pub(super) async fn stop(
    tx: &mut Tx,
    caller: &Caller,
    clinic: ClinicId,
    part: Option<&[SlotId]>,
    reason: &Text2,
) -> Result<Option<ChangeId>, PlanError> {
    checked(new::reason_faults(reason))?;
    let hospital = caller.hospital.id;
    let facts = standing(tx, hospital, clinic).await?;
    // In the order in which bookings lock them, so that a booking under way ends first and the next one sees `stopped`.
    let known: Vec<Planned> = tx.all(sql::SLOTS_OF_CLINIC, args![hospital, clinic]).await?;
    if let Some(wanted) = part
        && wanted.iter().any(|id| !known.iter().any(|s| s.id == *id))
    {
        let (zh, en) = ("没有这个时段", "there is no such segment");
        return Err(PlanError::Invalid(vec![new::fault("slot_ids", "unknown", zh, en)]));
    }
    let running = known.iter().filter(|s| !s.stopped);
    let ending: Vec<SlotId> =
        running.map(|s| s.id).filter(|id| part.is_none_or(|wanted| wanted.contains(id))).collect();
    let whole = known.iter().all(|s| s.stopped || ending.contains(&s.id));
    let closed = whole && tx.exec(sql::STOP_CLINIC, args![hospital, clinic]).await? == 1;
    if ending.is_empty() && !closed {
        return Ok(None);
    }
    let now = tx.now();
    let ids: Vec<Option<String>> = ending.iter().map(|id| Some(id.db())).collect();
    tx.exec(sql::STOP_SOME, args![hospital, ids, true, now]).await?;
    let change = ChangeId::new();
    let (actor, kind) = (caller.actor.to_string(), if closed { "stopped" } else { "part_stopped" });
    let slots = serde_json::to_value(&ending).unwrap_or_default();
    let values = args![
        hospital,
        change,
        clinic,
        kind,
        &reason.zh,
        &reason.en,
        actor,
        now,
        Some(slots.to_string()),
        NONE,
        NONE
    ];
    tx.exec(sql::RECORD_CHANGE, values).await?;
    tx.audit(caller.audit("schedule.stop", clinic, json!({"change_id": change, "slots": ending}))).await?;
    tx.publish(NewEvent {
        hospital,
        kind: STOPPED,
        key: clinic.to_string(),
        payload: json!({
            "clinic_id": clinic, "change_id": change, "doctor_id": facts.doctor, "department_id": facts.department,
            "date": facts.date, "half_day": facts.half_day, "slots": ending,
        }),
    })
    .await?;
    bump(tx, hospital).await?;
    stock::touch_of(tx, facts.doctor, facts.department);
    Ok(Some(change))
}

const NONE: Option<String> = None;

/// Stops some segments of a clinic; the others take place. What is stopped already stays so; `None` when all of them are.
///
/// # Errors
/// [`PlanError::Invalid`] without a reason in both languages or with a segment of another clinic;
/// [`PlanError::NoClinic`], [`PlanError::Store`].
pub async fn stop_part(
    tx: &mut Tx,
    caller: &Caller,
    clinic: ClinicId,
    slots: &[SlotId],
    reason: &Text2,
) -> Result<Option<ChangeId>, PlanError> {
    stop(tx, caller, clinic, Some(slots), reason).await
}

/// What was done to a clinic that patients must hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Its id.
    pub id: ChangeId,
    /// `stopped`, `part_stopped` or `replaced`.
    pub kind: String,
    /// Why, as patients are told.
    pub reason: Text2,
    /// By whom, in the form of the audit log.
    pub actor: String,
    /// When.
    pub at: UnixMs,
    /// The segments that were called off.
    pub slots: Vec<SlotId>,
    /// Who sat before, where another doctor sits.
    pub old_doctor: Option<DoctorId>,
    /// Who sits instead.
    pub new_doctor: Option<DoctorId>,
    /// When it was taken back.
    pub undone_at: Option<UnixMs>,
}

impl Done {
    /// Until when it can be taken back; `None` for what can't be, or was already.
    #[must_use]
    pub fn undo_until(&self) -> Option<UnixMs> {
        (self.kind.ends_with("stopped") && self.undone_at.is_none()).then(|| self.at.plus(UNDO))
    }
}

impl FromRow for Done {
    fn from_row(row: &Row) -> StoreResult<Self> {
        let slots: Option<String> = row.get("slots")?;
        Ok(Self {
            id: row.get("id")?,
            kind: row.get("kind")?,
            reason: Text2 { zh: row.get("reason_zh")?, en: row.get("reason_en")? },
            actor: row.get("actor")?,
            at: row.get("at")?,
            slots: slots.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
            old_doctor: row.get("old_doctor_id")?,
            new_doctor: row.get("new_doctor_id")?,
            undone_at: row.get("undone_at")?,
        })
    }
}

/// What was done to a clinic, the newest first; the last twenty.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn changes(db: &store::Db, hospital: HospitalId, clinic: ClinicId) -> StoreResult<Vec<Done>> {
    db.all(sql::CHANGES, args![hospital, clinic]).await
}

/// A change as it was recorded.
struct Recorded {
    clinic: ClinicId,
    kind: String,
    at: UnixMs,
    slots: Vec<SlotId>,
    undone: bool,
}

impl FromRow for Recorded {
    fn from_row(row: &Row) -> StoreResult<Self> {
        let slots: Option<String> = row.get("slots")?;
        Ok(Self {
            clinic: row.get("clinic_id")?,
            kind: row.get("kind")?,
            at: row.get("at")?,
            slots: slots.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
            undone: row.get::<Option<UnixMs>>("undone_at")?.is_some(),
        })
    }
}

/// Whether this change still stands; whoever acts on it and whoever takes it back wait for each other here.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn was_stopped_by(tx: &mut Tx, hospital: HospitalId, change: ChangeId) -> StoreResult<bool> {
    let found = tx.opt::<Recorded>(sql::LOCK_CHANGE, args![hospital, change]).await?;
    Ok(found.is_some_and(|c| !c.undone))
}

/// Takes a stop back: its segments can be booked again. Gives the clinic. Whoever holds the appointments looks before whether
/// anybody has moved, and brings them back.
///
/// # Errors
/// [`PlanError::NotFound`] when there is no such stop, or it was taken back; [`PlanError::TooLate`] after ten minutes;
/// [`PlanError::Store`].
pub async fn resume(tx: &mut Tx, caller: &Caller, change: ChangeId) -> Result<ClinicId, PlanError> {
    let hospital = caller.hospital.id;
    let found = tx.opt::<Recorded>(sql::LOCK_CHANGE, args![hospital, change]).await?;
    let found = found.filter(|c| !c.undone && c.kind.ends_with("stopped")).ok_or(PlanError::NotFound)?;
    let now = tx.now();
    if now.since(found.at) > UNDO {
        return Err(PlanError::TooLate);
    }
    let facts = standing(tx, hospital, found.clinic).await?;
    tx.all::<Planned>(sql::SLOTS_OF_CLINIC, args![hospital, found.clinic]).await?;
    let ids: Vec<Option<String>> = found.slots.iter().map(|id| Some(id.db())).collect();
    tx.exec(sql::STOP_SOME, args![hospital, ids, false, now]).await?;
    if facts.state == "stopped" {
        tx.exec(sql::REOPEN, args![hospital, found.clinic]).await?;
    }
    tx.exec(sql::UNDONE, args![hospital, change, now]).await?;
    tx.audit(caller.audit("schedule.resume", found.clinic, json!({"change_id": change}))).await?;
    bump(tx, hospital).await?;
    stock::touch_of(tx, facts.doctor, facts.department);
    Ok(found.clinic)
}

/// Has another doctor sit in a clinic; segments and appointments stay, and whoever has booked is to be told (the event
/// [`REPLACED`]).
///
/// # Errors
/// [`PlanError::Elsewhere`] when that doctor has a clinic in that half day; [`PlanError::Invalid`] when they do not
/// belong to the department, are the same, or no reason is given; [`PlanError::NoClinic`], [`PlanError::Store`].
pub async fn replace_doctor(
    tx: &mut Tx,
    caller: &Caller,
    clinic: ClinicId,
    doctor: DoctorId,
    reason: &Text2,
) -> Result<ChangeId, PlanError> {
    let hospital = caller.hospital.id;
    let facts = standing(tx, hospital, clinic).await?;
    let mut faults = new::reason_faults(reason);
    if tx.opt::<Row>(sql::KNOWN_MEMBER, args![hospital, doctor, facts.department]).await?.is_none() {
        let (zh, en) = ("该科室没有这位医生", "the doctor does not belong to this department");
        faults.push(new::fault("doctor_id", "not_a_member", zh, en));
    }
    if facts.doctor == Some(doctor) {
        faults.push(new::fault(
            "doctor_id",
            "the_same",
            "本来就是这位医生",
            "it is this doctor's clinic already",
        ));
    }
    checked(faults)?;
    // Bookings of these segments wait until it is decided whose they are.
    tx.all::<Planned>(sql::SLOTS_OF_CLINIC, args![hospital, clinic]).await?;
    let busy = tx
        .all::<One<ClinicKind>>(sql::SITS_THEN, args![hospital, doctor, &facts.date, &facts.half_day])
        .await?;
    if !busy.is_empty() {
        return Err(PlanError::Elsewhere);
    }
    tx.exec(sql::SET_DOCTOR, args![hospital, clinic, doctor]).await?;
    let (change, now, actor) = (ChangeId::new(), tx.now(), caller.actor.to_string());
    let values = args![
        hospital,
        change,
        clinic,
        "replaced",
        &reason.zh,
        &reason.en,
        actor,
        now,
        NONE,
        facts.doctor,
        Some(doctor)
    ];
    tx.exec(sql::RECORD_CHANGE, values).await?;
    let detail = json!({"change_id": change, "from": facts.doctor, "to": doctor});
    tx.audit(caller.audit("schedule.replace", clinic, detail)).await?;
    tx.publish(NewEvent {
        hospital,
        kind: REPLACED,
        key: clinic.to_string(),
        payload: json!({
            "clinic_id": clinic, "change_id": change, "doctor_id": doctor, "old_doctor_id": facts.doctor,
            "department_id": facts.department, "date": facts.date, "half_day": facts.half_day,
        }),
    })
    .await?;
    bump(tx, hospital).await?;
    stock::touch_of(tx, facts.doctor, facts.department);
    stock::touch_of(tx, Some(doctor), facts.department);
    Ok(change)
}
