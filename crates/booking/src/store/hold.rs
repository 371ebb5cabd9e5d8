//! The SQL of places on hold.

use base::{HospitalId, UnixMs};
use store::value::One;
use store::{Db, Result, Tx, args};

use crate::model::{Appointment, AppointmentId};

store::statements! {
    CONFIRM = "UPDATE appointment SET state = 'booked', confirmed_at = $3 WHERE hospital_id = $1 AND id = $2 AND state = 'held'";
    EXPIRE = "UPDATE appointment SET state = 'expired', ended_at = $3, ended_by = 'system', end_reason = 'hold_over'
              WHERE hospital_id = $1 AND id = $2 AND state = 'held' AND hold_until <= $3";
    TAKE_AGAIN = "UPDATE appointment SET state = 'booked', confirmed_at = $3, ended_at = NULL, ended_by = NULL, end_reason = NULL
              WHERE hospital_id = $1 AND id = $2 AND state = 'expired' AND NOT EXISTS (
                  SELECT 1 FROM appointment o WHERE o.hospital_id = $1 AND o.date = $4 AND o.person_id = $5
                  AND o.state IN ('held', 'booked', 'checked_in', 'seen')
                  AND (o.day_ordinal = $6 OR (o.provider_id = $7 AND o.half_day = $8)))";
    LET_GO = "UPDATE appointment SET state = 'expired', confirmed_at = NULL, ended_at = $3, ended_by = 'system', end_reason = 'hold_over'
              WHERE hospital_id = $1 AND id = $2 AND state = 'booked' AND confirmed_at = $3";
    DUE = "SELECT id FROM appointment WHERE hospital_id = $1 AND state = 'held' AND hold_until <= $2 ORDER BY hold_until LIMIT $3";
}

/// Held becomes booked; false when it is not on hold any more.
pub(crate) async fn confirm(tx: &mut Tx, hospital: HospitalId, id: AppointmentId) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(CONFIRM, args![hospital, id, now]).await? == 1)
}

/// Held becomes expired; false when it is not on hold any more, or not over.
pub(crate) async fn expire(tx: &mut Tx, hospital: HospitalId, id: AppointmentId) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(EXPIRE, args![hospital, id, now]).await? == 1)
}

/// Expired becomes booked after all; false when the person has another place in its stead meanwhile.
pub(crate) async fn take_again(tx: &mut Tx, hospital: HospitalId, was: &Appointment) -> Result<bool> {
    let now = tx.now();
    let values =
        args![hospital, was.id, now, was.date, was.person, was.day_ordinal, was.provider(), was.half_day];
    Ok(tx.exec(TAKE_AGAIN, values).await? == 1)
}

/// Takes [`take_again`] back, in the same transaction.
pub(crate) async fn let_go(tx: &mut Tx, hospital: HospitalId, id: AppointmentId) -> Result<()> {
    let now = tx.now();
    tx.exec(LET_GO, args![hospital, id, now]).await.map(drop)
}

/// Holds that are over, the oldest first.
pub(crate) async fn due(
    db: &Db,
    hospital: HospitalId,
    now: UnixMs,
    limit: i64,
) -> Result<Vec<AppointmentId>> {
    let rows: Vec<One<AppointmentId>> = db.all(DUE, args![hospital, now, limit]).await?;
    Ok(rows.into_iter().map(|one| one.0).collect())
}
