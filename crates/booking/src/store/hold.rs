//! The SQL of places on hold.

use base::{HospitalId, UnixMs};
use store::value::One;
use store::{Db, Result, Tx, args};

use crate::model::AppointmentId;

store::statements! {
    CONFIRM = "UPDATE appointment SET state = 'booked', confirmed_at = $3 WHERE hospital_id = $1 AND id = $2 AND state = 'held'";
    EXPIRE = "UPDATE appointment SET state = 'expired', ended_at = $3, ended_by = 'system', end_reason = 'hold_over'
              WHERE hospital_id = $1 AND id = $2 AND state = 'held' AND hold_until <= $3";
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
