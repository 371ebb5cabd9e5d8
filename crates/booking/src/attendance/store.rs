//! The SQL of attendance.

use base::{Date, HospitalId, UnixMs};
use edge::AccountId;
use people::PersonId;
use schedule::{ClinicId, DepartmentId, DoctorId, SlotId};
use store::value::{FromRow, One, Row};
use store::{Db, Result, Sealed, Tx, args};

use crate::model::{Appointment, AppointmentId};

store::text_enum! {
    /// Where an appeal stands.
    #[derive(utoipa::ToSchema)]
    #[schema(as = AppealState)]
    pub enum Appeal {
        /// There is none.
        None = "none",
        /// It waits for a decision.
        Open = "open",
        /// The no-show counts no more.
        Lifted = "lifted",
        /// It still counts.
        Kept = "kept",
    }
}

/// A missed place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NoShow {
    pub(crate) appointment: AppointmentId,
    pub(crate) person: PersonId,
    pub(crate) account: AccountId,
    pub(crate) slot: SlotId,
    pub(crate) department: DepartmentId,
    pub(crate) doctor: Option<DoctorId>,
    pub(crate) date: Date,
    pub(crate) start_at: UnixMs,
    pub(crate) recorded_at: UnixMs,
    pub(crate) appeal: Appeal,
    pub(crate) appeal_text: Option<Sealed>,
    pub(crate) appealed_at: Option<UnixMs>,
    pub(crate) decided_at: Option<UnixMs>,
    pub(crate) decision: Option<Sealed>,
}

impl FromRow for NoShow {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            appointment: row.get("appointment_id")?,
            person: row.get("person_id")?,
            account: row.get("account_id")?,
            slot: row.get("slot_id")?,
            department: row.get("department_id")?,
            doctor: row.get("doctor_id")?,
            date: row.get("date")?,
            start_at: row.get("start_at")?,
            recorded_at: row.get("recorded_at")?,
            appeal: row.get("appeal")?,
            appeal_text: row.get("appeal_text")?,
            appealed_at: row.get("appealed_at")?,
            decided_at: row.get("decided_at")?,
            decision: row.get("decision")?,
        })
    }
}

store::statements! {
    DONE_SINCE = "SELECT clinic_id FROM attendance_done WHERE hospital_id = $1 AND done_at >= $2";
    DONE = "INSERT INTO attendance_done (hospital_id, clinic_id, done_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    MISSED = "UPDATE appointment SET state = 'no_show', ended_at = $3, ended_by = 'system', end_reason = 'no_show'
              WHERE hospital_id = $1 AND id = $2 AND state = 'booked'";
    ADD = "INSERT INTO no_show (hospital_id, appointment_id, person_id, account_id, slot_id, department_id, doctor_id, date, start_at, recorded_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING";
    COUNTING = "SELECT date FROM no_show WHERE hospital_id = $1 AND person_id = $2 AND date > $3 AND appeal <> 'lifted'";
    OF_PERSON = "SELECT * FROM no_show WHERE hospital_id = $1 AND person_id = $2 AND date > $3 ORDER BY date DESC, appointment_id";
    GET = "SELECT * FROM no_show WHERE hospital_id = $1 AND appointment_id = $2";
    APPEAL = "UPDATE no_show SET appeal = 'open', appeal_text = $3, appealed_at = $4 WHERE hospital_id = $1 AND appointment_id = $2 AND appeal = 'none'";
    DECIDE = "UPDATE no_show SET appeal = $3, decided_at = $4, decided_by = $5, decision = $6
              WHERE hospital_id = $1 AND appointment_id = $2 AND appeal IN ('none', 'open')";
    EXCUSE = "UPDATE appointment SET excused_at = $3 WHERE hospital_id = $1 AND id = $2 AND state = 'no_show' AND excused_at IS NULL";
    OPEN = "SELECT * FROM no_show WHERE hospital_id = $1 AND appeal = 'open' ORDER BY appealed_at LIMIT 500";
    OF_DATES = "SELECT * FROM no_show WHERE hospital_id = $1 AND date >= $2 AND date <= $3 ORDER BY date DESC, start_at, appointment_id LIMIT 1000";
}

/// Clinics that were looked through since.
pub(crate) async fn done_since(db: &Db, hospital: HospitalId, since: UnixMs) -> Result<Vec<ClinicId>> {
    let rows: Vec<One<ClinicId>> = db.all(DONE_SINCE, args![hospital, since]).await?;
    Ok(rows.into_iter().map(|one| one.0).collect())
}

/// Marks a clinic as looked through; false when it was before.
pub(crate) async fn done(tx: &mut Tx, hospital: HospitalId, clinic: ClinicId) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(DONE, args![hospital, clinic, now]).await? == 1)
}

/// Booked becomes missed, with its row in the ledger; false when it is not booked any more.
pub(crate) async fn missed(tx: &mut Tx, hospital: HospitalId, a: &Appointment) -> Result<bool> {
    let now = tx.now();
    if tx.exec(MISSED, args![hospital, a.id, now]).await? != 1 {
        return Ok(false);
    }
    let values =
        args![hospital, a.id, a.person, a.account, a.slot, a.department, a.doctor, a.date, a.start_at, now];
    Ok(tx.exec(ADD, values).await? == 1)
}

/// The days on which a person missed places, as far as they count.
pub(crate) async fn counting(
    tx: &mut Tx,
    hospital: HospitalId,
    person: PersonId,
    since: Date,
) -> Result<Vec<Date>> {
    let rows: Vec<One<Date>> = tx.all(COUNTING, args![hospital, person, since]).await?;
    Ok(rows.into_iter().map(|one| one.0).collect())
}

/// What a person missed, the last first.
pub(crate) async fn of_person(
    db: &Db,
    hospital: HospitalId,
    person: PersonId,
    since: Date,
) -> Result<Vec<NoShow>> {
    db.all(OF_PERSON, args![hospital, person, since]).await
}

/// One, whoever it is about: the caller checks that.
pub(crate) async fn get(tx: &mut Tx, hospital: HospitalId, id: AppointmentId) -> Result<Option<NoShow>> {
    tx.opt(GET, args![hospital, id]).await
}

/// Writes an appeal down; false when there is one or it is decided.
pub(crate) async fn appeal(
    tx: &mut Tx,
    hospital: HospitalId,
    id: AppointmentId,
    text: Sealed,
) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(APPEAL, args![hospital, id, text, now]).await? == 1)
}

/// Writes a decision down; false when there was one.
pub(crate) async fn decide(
    tx: &mut Tx,
    hospital: HospitalId,
    id: AppointmentId,
    appeal: Appeal,
    by: &str,
    decision: Sealed,
) -> Result<bool> {
    let now = tx.now();
    if tx.exec(DECIDE, args![hospital, id, appeal, now, by, decision]).await? != 1 {
        return Ok(false);
    }
    if appeal == Appeal::Lifted {
        tx.exec(EXCUSE, args![hospital, id, now]).await?;
    }
    Ok(true)
}

/// Those whose appeal waits, the longest first.
pub(crate) async fn open(db: &Db, hospital: HospitalId) -> Result<Vec<NoShow>> {
    db.all(OPEN, args![hospital]).await
}

/// Those of these days, the last first.
pub(crate) async fn of_dates(db: &Db, hospital: HospitalId, from: Date, until: Date) -> Result<Vec<NoShow>> {
    db.all(OF_DATES, args![hospital, from, until]).await
}
