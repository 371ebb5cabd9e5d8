//! Being there: whoever keeps the lines marks appointments as checked in and as seen, in one transaction with the number that
//! is given for them.

use base::{Date, HospitalId, Kind, Problem, UnixMs};
use edge::Caller;
use people::PersonId;
use schedule::ClinicId;
use store::{Db, NewEvent, Result, Topic, Tx};

use crate::model::{Appointment, AppointmentId, State};
use crate::store::{self as rows, arrive as sql};

/// The event that tells of it: {appointment}.
pub const CHECKED_IN: &str = "booking.checked_in";
/// The event that tells that the doctor has seen somebody: {appointment}.
pub const SEEN: &str = "booking.seen";

/// An appointment, for whoever may see all of the hospital's.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn get(tx: &mut Tx, hospital: HospitalId, id: AppointmentId) -> Result<Option<Appointment>> {
    rows::get(tx, hospital, id).await
}

/// The appointment whose code somebody shows.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn by_code(tx: &mut Tx, hospital: HospitalId, code: &str) -> Result<Option<Appointment>> {
    sql::by_code(tx, hospital, code).await
}

/// What these persons come for on a day: booked, checked in or seen; the first first.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn on_day(
    db: &Db,
    hospital: HospitalId,
    persons: &[PersonId],
    date: Date,
) -> Result<Vec<Appointment>> {
    if persons.is_empty() { Ok(Vec::new()) } else { sql::on_day(db, hospital, persons, date).await }
}

/// How many of a clinic have not come yet, by the start of their segment.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn expected(db: &Db, hospital: HospitalId, clinic: ClinicId) -> Result<Vec<(UnixMs, u32)>> {
    sql::expected(db, hospital, clinic).await
}

/// Checks somebody in, in the caller's transaction. False when that was done before.
///
/// # Errors
/// 409 when the appointment is held, over or called off; any [`store::StoreError`].
pub async fn check_in(tx: &mut Tx, caller: &Caller, appointment: &Appointment) -> Result<bool, Problem> {
    let hospital = caller.hospital.id;
    if !sql::arrive(tx, hospital, appointment.id).await? {
        // Somebody else may have been faster since it was read.
        let now = rows::get(tx, hospital, appointment.id).await?.ok_or_else(Problem::not_found)?;
        return match now.state {
            State::CheckedIn | State::Seen => Ok(false),
            other => Err(not_to_be_checked_in(other)),
        };
    }
    tx.publish(NewEvent {
        hospital,
        kind: CHECKED_IN,
        key: appointment.person.to_string(),
        payload: serde_json::json!({"appointment": appointment.id}),
    })
    .await?;
    tx.audit(caller.audit("booking.check_in", appointment.id, serde_json::json!({}))).await?;
    tx.touch(Topic::new("appointment", appointment.id));
    Ok(true)
}

/// Marks that the doctor has seen somebody. False when they were not checked in.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn seen(tx: &mut Tx, caller: &Caller, id: AppointmentId) -> Result<bool> {
    let hospital = caller.hospital.id;
    if !sql::seen(tx, hospital, id).await? {
        return Ok(false);
    }
    tx.publish(NewEvent {
        hospital,
        kind: SEEN,
        key: id.to_string(),
        payload: serde_json::json!({"appointment": id}),
    })
    .await?;
    tx.audit(caller.audit("booking.seen", id, serde_json::json!({}))).await?;
    tx.touch(Topic::new("appointment", id));
    Ok(true)
}

fn not_to_be_checked_in(state: State) -> Problem {
    let conflict = |code, zh: &str, en: &str| Problem::new(Kind::Conflict, code, zh, en);
    match state {
        State::Held => conflict(
            "not_paid_yet",
            "这个号还没有付款，请先付款再报到。",
            "This place is not paid yet. Please pay first.",
        ),
        State::Stopped => conflict(
            "clinic_stopped",
            "医生这次停诊，请改约其他时间。",
            "This clinic has been cancelled by the hospital. Please choose another time.",
        ),
        _ => conflict(
            "visit_over",
            "这个预约已经结束，不能报到。",
            "This appointment is over; you can't check in for it.",
        ),
    }
}
