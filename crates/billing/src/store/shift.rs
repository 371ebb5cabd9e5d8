//! Cashiers' shifts.

use base::{Fen, HospitalId};
use edge::StaffId;
use store::{Db, Result, Tx, args};

use crate::model::{Shift, ShiftId};

store::statements! {
    OPEN = "INSERT INTO shift (hospital_id, id, staff_id, float_fen, opened_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    CURRENT = "SELECT * FROM shift WHERE hospital_id = $1 AND staff_id = $2 AND closed_at IS NULL";
    LOCK_CURRENT = sqlite "SELECT * FROM shift WHERE hospital_id = $1 AND staff_id = $2 AND closed_at IS NULL"
        postgres "SELECT * FROM shift WHERE hospital_id = $1 AND staff_id = $2 AND closed_at IS NULL FOR UPDATE";
    CLOSE = "UPDATE shift SET closed_at = $3, expected_fen = $4, counted_fen = $5, note = $6 WHERE hospital_id = $1 AND id = $2 AND closed_at IS NULL";
    LAST = "SELECT * FROM shift WHERE hospital_id = $1 ORDER BY opened_at DESC LIMIT $2";
}

/// Opens a shift; false when this cashier has one.
pub(crate) async fn open(tx: &mut Tx, hospital: HospitalId, shift: &Shift) -> Result<bool> {
    let values = args![hospital, shift.id, shift.staff, shift.float, shift.opened_at];
    Ok(tx.exec(OPEN, values).await? == 1)
}

pub(crate) async fn current(db: &Db, hospital: HospitalId, staff: StaffId) -> Result<Option<Shift>> {
    db.opt(CURRENT, args![hospital, staff]).await
}

/// The cashier's open shift; nobody closes it meanwhile.
pub(crate) async fn lock_current(tx: &mut Tx, hospital: HospitalId, staff: StaffId) -> Result<Option<Shift>> {
    tx.opt(LOCK_CURRENT, args![hospital, staff]).await
}

pub(crate) async fn close(
    tx: &mut Tx,
    hospital: HospitalId,
    id: ShiftId,
    (expected, counted): (Fen, Fen),
    note: &str,
) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(CLOSE, args![hospital, id, now, expected, counted, note]).await? == 1)
}

pub(crate) async fn last(db: &Db, hospital: HospitalId, most: i64) -> Result<Vec<Shift>> {
    db.all(LAST, args![hospital, most]).await
}
