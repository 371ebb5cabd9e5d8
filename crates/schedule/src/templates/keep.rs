//! Keeping templates and their exceptions.

use base::{Date, HospitalId};
use edge::Caller;
use serde_json::json;
use store::{Db, Result, Tx, args};

use super::{Exception, NewTemplate, SegmentPlaces, Template, TemplateId};
use crate::model::DepartmentId;
use crate::plan::{self, PlanError, fault};
use crate::store::templates as sql;

/// All templates of a hospital, or of a department and those below it.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn list(db: &Db, hospital: HospitalId, department: Option<DepartmentId>) -> Result<Vec<Template>> {
    match department {
        None => db.all(sql::ALL_TEMPLATES, args![hospital]).await,
        Some(one) => db.all(sql::TEMPLATES_OF, args![hospital, one]).await,
    }
}

/// A template.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn read(db: &Db, hospital: HospitalId, id: TemplateId) -> Result<Option<Template>> {
    db.opt(sql::TEMPLATE, args![hospital, id]).await
}

/// The exceptions of a hospital's templates from a date on.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn exceptions(db: &Db, hospital: HospitalId, from: Date) -> Result<Vec<Exception>> {
    db.all(sql::EXCEPTIONS, args![hospital, from]).await
}

fn values(caller: &Caller, id: TemplateId, new: &NewTemplate, at: base::UnixMs) -> Vec<store::Value> {
    let (room_zh, room_en) =
        (new.room.as_ref().map(|r| r.zh.as_str()), new.room.as_ref().map(|r| r.en.as_str()));
    args![
        caller.hospital.id,
        id,
        new.department_id,
        new.doctor_id,
        new.campus_id,
        new.weekday,
        new.weeks,
        new.every_weeks,
        new.half_day,
        new.kind,
        new.online,
        new.fee_fen,
        room_zh,
        room_en,
        serde_json::to_value(&new.segments).unwrap_or_default(),
        new.cutoff_minutes,
        new.valid_from,
        new.valid_until,
        new.holidays,
        new.make_up,
        at,
        caller.actor.to_string()
    ]
}

async fn checked(tx: &mut Tx, hospital: HospitalId, new: &NewTemplate) -> std::result::Result<(), PlanError> {
    let mut faults = new.faults();
    plan::refer(tx, hospital, &new.clinic(new.valid_from, &[]), &mut faults).await?;
    if faults.is_empty() { Ok(()) } else { Err(PlanError::Invalid(faults)) }
}

/// Adds a template.
///
/// # Errors
/// [`PlanError::Invalid`], [`PlanError::Store`].
pub async fn add(
    tx: &mut Tx,
    caller: &Caller,
    new: &NewTemplate,
) -> std::result::Result<TemplateId, PlanError> {
    checked(tx, caller.hospital.id, new).await?;
    let (id, now) = (TemplateId::new(), tx.now());
    tx.exec(sql::ADD_TEMPLATE, values(caller, id, new, now)).await?;
    tx.audit(caller.audit("schedule.template", id, json!({"new": new}))).await?;
    Ok(id)
}

/// Changes a template. Clinics that were made of it stay as they are until the change is applied to them ([`super::differ`]).
///
/// # Errors
/// [`PlanError::Invalid`], [`PlanError::NotFound`], [`PlanError::Store`].
pub async fn change(
    tx: &mut Tx,
    caller: &Caller,
    id: TemplateId,
    new: &NewTemplate,
) -> std::result::Result<(), PlanError> {
    checked(tx, caller.hospital.id, new).await?;
    let now = tx.now();
    if tx.exec(sql::CHANGE_TEMPLATE, values(caller, id, new, now)).await? == 0 {
        return Err(PlanError::NotFound);
    }
    tx.audit(caller.audit("schedule.template", id, json!({"changed": new}))).await?;
    Ok(())
}

/// Ends a template, or takes it up again: no clinics are made of it while it is not active.
///
/// # Errors
/// [`PlanError::NotFound`], [`PlanError::Store`].
pub async fn retire(
    tx: &mut Tx,
    caller: &Caller,
    id: TemplateId,
    active: bool,
) -> std::result::Result<(), PlanError> {
    let (now, by) = (tx.now(), caller.actor.to_string());
    if tx.exec(sql::SET_ACTIVE, args![caller.hospital.id, id, active, now, by]).await? == 0 {
        return Err(PlanError::NotFound);
    }
    tx.audit(caller.audit("schedule.template", id, json!({"active": active}))).await?;
    Ok(())
}

/// Says that a template's clinic does not take place on a date (no segments), or at other times.
///
/// # Errors
/// [`PlanError::Invalid`], [`PlanError::NotFound`], [`PlanError::Store`].
pub async fn put_exception(
    tx: &mut Tx,
    caller: &Caller,
    exception: &Exception,
) -> std::result::Result<(), PlanError> {
    let hospital = caller.hospital.id;
    let template: Template =
        tx.opt(sql::TEMPLATE, args![hospital, exception.template]).await?.ok_or(PlanError::NotFound)?;
    let mut faults = Vec::new();
    if let Some(segments) = &exception.segments {
        faults = template.says.clinic(exception.date, segments).faults();
    }
    if exception.note.chars().count() > 200 {
        faults.push(fault("note", "wrong_value", "最多 200 字", "is at most 200 characters"));
    }
    if !faults.is_empty() {
        return Err(PlanError::Invalid(faults));
    }
    let segments = exception
        .segments
        .as_ref()
        .map(|s: &Vec<SegmentPlaces>| serde_json::to_string(s).unwrap_or_default());
    let (now, by) = (tx.now(), caller.actor.to_string());
    let values = args![hospital, exception.template, exception.date, segments, &exception.note, now, by];
    tx.exec(sql::PUT_EXCEPTION, values).await?;
    let detail = json!({"date": exception.date, "segments": exception.segments, "note": exception.note});
    tx.audit(caller.audit("schedule.exception", exception.template, detail)).await?;
    Ok(())
}

/// Takes an exception back; false when there was none.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn delete_exception(
    tx: &mut Tx,
    caller: &Caller,
    template: TemplateId,
    date: Date,
) -> Result<bool> {
    if tx.exec(sql::DELETE_EXCEPTION, args![caller.hospital.id, template, date]).await? == 0 {
        return Ok(false);
    }
    tx.audit(caller.audit("schedule.exception", template, json!({"date": date, "taken_back": true}))).await?;
    Ok(true)
}
