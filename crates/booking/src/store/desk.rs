//! The SQL of the registration desk: rows that staff make, what a stop and its taking back do to them, and their lists.

use std::collections::BTreeSet;

use base::{Date, HospitalId, UnixMs};
use people::PersonId;
use schedule::{ChangeId, ClinicId, DoctorId, SlotId};
use store::value::{One, Row};
use store::{Db, Result, Tx, args};

use crate::model::{Appointment, AppointmentId, State};

store::statements! {
    INSERT_ONE = "INSERT INTO appointment (hospital_id, id, slot_id, clinic_id, doctor_id, provider_id, department_id, campus_id, kind,
            date, half_day, start_at, end_at, fee_fen, person_id, account_id, channel, number, day_ordinal, state, pay, key,
            request_hash, check_in_code, booked_at, late, moved_from, visit, made_by, return_of, excused)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26,
            $27, $28, $29, $30, $31) ON CONFLICT DO NOTHING";
    TIE = "UPDATE appointment SET moved_to = $3 WHERE hospital_id = $1 AND id = $2 AND state = 'stopped' AND moved_to IS NULL";
    STOPPED_BY = "UPDATE appointment SET stop_id = $3 WHERE hospital_id = $1 AND id = $2";
    TOUCHED_BY = "SELECT DISTINCT person_id, slot_id FROM appointment WHERE hospital_id = $1 AND stop_id = $2 AND state = 'stopped'";
    OF_STOP = sqlite "SELECT * FROM appointment WHERE hospital_id = $1 AND stop_id = $2 AND state = 'stopped' ORDER BY +id"
        postgres "SELECT * FROM appointment WHERE hospital_id = $1 AND stop_id = $2 AND state = 'stopped' ORDER BY id FOR NO KEY UPDATE";
    RESTORE = "UPDATE appointment SET state = 'booked', ended_at = NULL, ended_by = NULL, end_reason = NULL, stop_id = NULL, day_ordinal = $3,
            excused = 1, late = 0
        WHERE hospital_id = $1 AND id = $2 AND state = 'stopped' AND moved_to IS NULL";
    LET_GO = "UPDATE appointment SET state = 'cancelled', late = 0 WHERE hospital_id = $1 AND id = $2 AND state = 'stopped'";
    FORGIVE = "UPDATE appointment SET late = 0 WHERE hospital_id = $1 AND id = $2";
    REPLACE = "UPDATE appointment SET doctor_id = $3, provider_id = $3, former_doctor_id = COALESCE(former_doctor_id, doctor_id), excused = 1, late = 0
        WHERE hospital_id = $1 AND id = $2 AND state IN ('held', 'booked') AND NOT EXISTS (
            SELECT 1 FROM appointment o WHERE o.hospital_id = $1 AND o.id <> $2 AND o.person_id = appointment.person_id
            AND o.date = appointment.date AND o.half_day = appointment.half_day AND o.provider_id = $3
            AND o.state IN ('held', 'booked', 'checked_in', 'seen') AND o.visit <> 'return_visit')";
    RETURNS_IN_SLOT = "SELECT CAST(COUNT(*) AS BIGINT) FROM appointment
        WHERE hospital_id = $1 AND slot_id = $2 AND visit = 'return_visit' AND state IN ('held', 'booked', 'checked_in', 'seen')";
    RETURN_OF = "SELECT * FROM appointment WHERE hospital_id = $1 AND return_of = $2 AND state IN ('held', 'booked', 'checked_in', 'seen')";
    ALLOW_RETURN = "UPDATE appointment SET return_until = $3 WHERE hospital_id = $1 AND id = $2 AND state = 'seen'";
    // A list of staff, the earliest first, behind ($5, $6). What is not asked for is empty.
    BY_DATE = "SELECT * FROM appointment
        WHERE hospital_id = $1 AND date >= $2 AND date <= $3 AND (start_at > $5 OR (start_at = $5 AND id > $6))
          AND ($7 = '' OR department_id = $7) AND ($8 = '' OR doctor_id = $8) AND ($9 = '' OR state = $9) AND ($10 = '' OR visit = $10)
          AND ($11 = 0 OR number = $11) AND ($12 = '' OR clinic_id = $12)
        ORDER BY date, start_at, id LIMIT $4";
    OF_PERSON = "SELECT * FROM appointment
        WHERE hospital_id = $1 AND person_id = $2 AND date >= $3 AND date <= $4 AND (start_at > $6 OR (start_at = $6 AND id > $7))
          AND ($8 = '' OR department_id = $8) AND ($9 = '' OR doctor_id = $9) AND ($10 = '' OR state = $10) AND ($11 = '' OR visit = $11)
          AND ($12 = 0 OR number = $12) AND ($13 = '' OR clinic_id = $13)
        ORDER BY start_at, id LIMIT $5";
    BY_CODE = "SELECT * FROM appointment WHERE hospital_id = $1 AND check_in_code = $2";
    ADD_CODE = "INSERT INTO add_on_code (hospital_id, hash, slot_id, clinic_id, made_by, made_at, ends_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    CODE = sqlite "SELECT slot_id, clinic_id, made_by, ends_at, used_at, appointment_id FROM add_on_code WHERE hospital_id = $1 AND hash = $2"
        postgres "SELECT slot_id, clinic_id, made_by, ends_at, used_at, appointment_id FROM add_on_code WHERE hospital_id = $1 AND hash = $2 FOR UPDATE";
    USE_CODE = "UPDATE add_on_code SET used_at = $3, appointment_id = $4 WHERE hospital_id = $1 AND hash = $2 AND used_at IS NULL";
    CODES_OUT = "SELECT CAST(COUNT(*) AS BIGINT) FROM add_on_code WHERE hospital_id = $1 AND clinic_id = $2 AND ends_at > $3 AND used_at IS NULL";
}

/// Inserts an appointment with its marks; false when it would take a place that is had.
pub(crate) async fn insert_one(
    tx: &mut Tx,
    hospital: HospitalId,
    a: &Appointment,
    channel: &str,
) -> Result<bool> {
    let values = args![
        hospital,
        a.id,
        a.slot,
        a.clinic,
        a.doctor,
        a.provider(),
        a.department,
        a.campus,
        &a.kind,
        a.date,
        a.half_day,
        a.start_at,
        a.end_at,
        a.fee,
        a.person,
        a.account,
        channel,
        a.number,
        a.day_ordinal,
        a.state,
        a.pay,
        &a.key,
        &a.request_hash,
        &a.check_in_code,
        a.booked_at,
        a.late,
        a.moved_from,
        a.marks.visit,
        a.marks.made_by,
        a.marks.return_of,
        a.marks.excused
    ];
    Ok(tx.exec(INSERT_ONE, values).await? == 1)
}

/// Ties the new appointment to the one that was called off; false when that is not called off any more, or tied already.
pub(crate) async fn tie(
    tx: &mut Tx,
    hospital: HospitalId,
    stopped: AppointmentId,
    new: AppointmentId,
) -> Result<bool> {
    Ok(tx.exec(TIE, args![hospital, stopped, new]).await? == 1)
}

/// Says by which change an appointment was called off.
pub(crate) async fn stopped_by(
    tx: &mut Tx,
    hospital: HospitalId,
    id: AppointmentId,
    change: ChangeId,
) -> Result<()> {
    tx.exec(STOPPED_BY, args![hospital, id, change]).await.map(drop)
}

/// Whom and which segments a change has touched, each once and in order, without a lock: for taking the locks in order before [`of_stop`].
pub(crate) async fn touched_by(
    tx: &mut Tx,
    hospital: HospitalId,
    change: ChangeId,
) -> Result<(Vec<PersonId>, Vec<SlotId>)> {
    let rows: Vec<Row> = tx.all(TOUCHED_BY, args![hospital, change]).await?;
    let (mut persons, mut slots) = (BTreeSet::new(), BTreeSet::new());
    for row in &rows {
        persons.insert(row.get("person_id")?);
        slots.insert(row.get("slot_id")?);
    }
    Ok((persons.into_iter().collect(), slots.into_iter().collect()))
}

/// What a change has called off, locked: behind its persons, as whoever books again locks the person and then what was called off.
pub(crate) async fn of_stop(tx: &mut Tx, hospital: HospitalId, change: ChangeId) -> Result<Vec<Appointment>> {
    tx.all(OF_STOP, args![hospital, change]).await
}

/// Gives an appointment back that was called off; false when it was booked again in the meantime.
pub(crate) async fn restore(
    tx: &mut Tx,
    hospital: HospitalId,
    id: AppointmentId,
    day_ordinal: i64,
) -> Result<bool> {
    Ok(tx.exec(RESTORE, args![hospital, id, day_ordinal]).await? == 1)
}

/// Lets the place of an appointment go that was called off and is not wanted back.
pub(crate) async fn let_go(tx: &mut Tx, hospital: HospitalId, id: AppointmentId) -> Result<bool> {
    Ok(tx.exec(LET_GO, args![hospital, id]).await? == 1)
}

/// Whatever becomes of it does not count for the person's limits.
pub(crate) async fn forgive(tx: &mut Tx, hospital: HospitalId, id: AppointmentId) -> Result<()> {
    tx.exec(FORGIVE, args![hospital, id]).await.map(drop)
}

/// Puts an appointment to the doctor who sits instead; false when it is over, or the person has a place with that doctor then.
pub(crate) async fn replace(
    tx: &mut Tx,
    hospital: HospitalId,
    id: AppointmentId,
    doctor: DoctorId,
) -> Result<bool> {
    Ok(tx.exec(REPLACE, args![hospital, id, doctor]).await? == 1)
}

/// How many return visits a segment has.
pub(crate) async fn returns_in(tx: &mut Tx, hospital: HospitalId, slot: SlotId) -> Result<u32> {
    let One(count) = tx.one::<One<i64>>(RETURNS_IN_SLOT, args![hospital, slot]).await?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The return visit that was made of a visit.
pub(crate) async fn return_of(
    tx: &mut Tx,
    hospital: HospitalId,
    id: AppointmentId,
) -> Result<Option<Appointment>> {
    tx.opt(RETURN_OF, args![hospital, id]).await
}

/// As [`return_of`], as of the last commit.
pub(crate) async fn read_return_of(
    db: &Db,
    hospital: HospitalId,
    id: AppointmentId,
) -> Result<Option<Appointment>> {
    db.opt(RETURN_OF, args![hospital, id]).await
}

/// Lets the person make a return visit until a date; false when they have not been seen.
pub(crate) async fn allow_return(
    tx: &mut Tx,
    hospital: HospitalId,
    id: AppointmentId,
    until: Date,
) -> Result<bool> {
    Ok(tx.exec(ALLOW_RETURN, args![hospital, id, until]).await? == 1)
}

/// What staff look for; what is `None` or empty is not asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) from: Date,
    pub(crate) to: Date,
    pub(crate) person: Option<PersonId>,
    pub(crate) department: Option<schedule::DepartmentId>,
    pub(crate) doctor: Option<DoctorId>,
    pub(crate) clinic: Option<ClinicId>,
    pub(crate) state: Option<State>,
    pub(crate) visit: Option<crate::model::Visit>,
    pub(crate) number: Option<u32>,
}

/// Appointments that staff look for, the earliest first, behind `after`.
pub(crate) async fn list(
    db: &Db,
    hospital: HospitalId,
    filter: &Filter,
    after: (UnixMs, String),
    most: i64,
) -> Result<Vec<Appointment>> {
    let department = filter.department.map(|d| d.db()).unwrap_or_default();
    let doctor = filter.doctor.map(|d| d.db()).unwrap_or_default();
    let clinic = filter.clinic.map(|c| c.db()).unwrap_or_default();
    let state = filter.state.map_or("", State::code);
    let visit = filter.visit.map_or("", crate::model::Visit::code);
    let number = i64::from(filter.number.unwrap_or(0));
    let (at, id) = after;
    let Filter { from, to, .. } = *filter;
    if let Some(person) = filter.person {
        let values =
            args![hospital, person, from, to, most, at, id, department, doctor, state, visit, number, clinic];
        return db.all(OF_PERSON, values).await;
    }
    let values = args![hospital, from, to, most, at, id, department, doctor, state, visit, number, clinic];
    db.all(BY_DATE, values).await
}

/// The appointment of a check-in code.
pub(crate) async fn by_code(db: &Db, hospital: HospitalId, code: &str) -> Result<Option<Appointment>> {
    db.opt(BY_CODE, args![hospital, code]).await
}

/// A code for an added number.
pub(crate) struct Code {
    pub(crate) slot: SlotId,
    pub(crate) made_by: edge::StaffId,
    pub(crate) ends_at: UnixMs,
    /// What it was used for.
    pub(crate) appointment: Option<AppointmentId>,
}

impl store::value::FromRow for Code {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            slot: row.get("slot_id")?,
            made_by: row.get("made_by")?,
            ends_at: row.get("ends_at")?,
            appointment: row.get("appointment_id")?,
        })
    }
}

/// Keeps the hash of a new code.
pub(crate) async fn add_code(
    tx: &mut Tx,
    hospital: HospitalId,
    hash: &str,
    (slot, clinic): (SlotId, ClinicId),
    made_by: edge::StaffId,
    ends_at: UnixMs,
) -> Result<()> {
    let now = tx.now();
    tx.exec(ADD_CODE, args![hospital, hash, slot, clinic, made_by, now, ends_at]).await.map(drop)
}

/// A code by its hash, locked.
pub(crate) async fn code(tx: &mut Tx, hospital: HospitalId, hash: &str) -> Result<Option<Code>> {
    tx.opt(CODE, args![hospital, hash]).await
}

/// Uses a code up; false when it was.
pub(crate) async fn use_code(
    tx: &mut Tx,
    hospital: HospitalId,
    hash: &str,
    appointment: AppointmentId,
) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(USE_CODE, args![hospital, hash, now, appointment]).await? == 1)
}

/// How many codes of a clinic are out and good.
pub(crate) async fn codes_out(tx: &mut Tx, hospital: HospitalId, clinic: ClinicId) -> Result<i64> {
    let now = tx.now();
    Ok(tx.one::<One<i64>>(CODES_OUT, args![hospital, clinic, now]).await?.0)
}
