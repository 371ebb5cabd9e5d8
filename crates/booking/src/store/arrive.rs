//! The SQL of being there: checking in, being seen.

use base::{Date, HospitalId, UnixMs};
use people::PersonId;
use schedule::ClinicId;
use store::value::Row;
use store::{Db, Result, Tx, args};

use crate::model::{Appointment, AppointmentId};

store::statements! {
    ARRIVE = "UPDATE appointment SET state = 'checked_in' WHERE hospital_id = $1 AND id = $2 AND state = 'booked'";
    SEEN = "UPDATE appointment SET state = 'seen' WHERE hospital_id = $1 AND id = $2 AND state = 'checked_in'";
    BY_CODE = "SELECT * FROM appointment WHERE hospital_id = $1 AND check_in_code = $2";
    ON_DAY = sqlite "SELECT a.* FROM json_each($2) r CROSS JOIN appointment a
                    ON a.hospital_id + 0 = $1 AND a.person_id = r.value AND a.date = $3
                    WHERE a.state IN ('booked', 'checked_in', 'seen') ORDER BY a.start_at, a.id"
        postgres "SELECT a.* FROM jsonb_array_elements_text(CAST($2 AS jsonb)) AS r(value) CROSS JOIN LATERAL (
                        SELECT * FROM appointment WHERE hospital_id + 0 = $1 AND person_id = r.value AND date = $3 OFFSET 0) AS a
                    WHERE a.state IN ('booked', 'checked_in', 'seen') ORDER BY a.start_at, a.id";
    EXPECTED = "SELECT start_at, CAST(COUNT(*) AS BIGINT) AS people FROM appointment
                    WHERE hospital_id = $1 AND clinic_id = $2 AND state = 'booked' GROUP BY start_at ORDER BY start_at";
}

/// Marks an appointment as checked in; false when it was not booked.
pub(crate) async fn arrive(tx: &mut Tx, hospital: HospitalId, id: AppointmentId) -> Result<bool> {
    Ok(tx.exec(ARRIVE, args![hospital, id]).await? == 1)
}

/// Marks an appointment as seen; false when it was not checked in.
pub(crate) async fn seen(tx: &mut Tx, hospital: HospitalId, id: AppointmentId) -> Result<bool> {
    Ok(tx.exec(SEEN, args![hospital, id]).await? == 1)
}

/// The appointment with this code.
pub(crate) async fn by_code(tx: &mut Tx, hospital: HospitalId, code: &str) -> Result<Option<Appointment>> {
    tx.opt(BY_CODE, args![hospital, code]).await
}

/// What these persons come for on a day, the first first.
pub(crate) async fn on_day(
    db: &Db,
    hospital: HospitalId,
    persons: &[PersonId],
    date: Date,
) -> Result<Vec<Appointment>> {
    let ids: serde_json::Value = persons.iter().map(|p| serde_json::Value::from(p.db())).collect();
    db.all(ON_DAY, args![hospital, ids, date]).await
}

/// How many of a clinic have not come yet, by the start of their segment.
pub(crate) async fn expected(db: &Db, hospital: HospitalId, clinic: ClinicId) -> Result<Vec<(UnixMs, u32)>> {
    let rows: Vec<Row> = db.all(EXPECTED, args![hospital, clinic]).await?;
    rows.iter().map(|row| Ok((row.get("start_at")?, row.get("people")?))).collect()
}
