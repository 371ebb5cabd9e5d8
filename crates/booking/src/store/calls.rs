//! The SQL of the call list: whoever had a place in what was called off.

use base::{HospitalId, UnixMs};
use schedule::{ChangeId, DepartmentId};
use store::value::{FromRow, Row};
use store::{Db, Result, Tx, args};

use crate::model::{Appointment, AppointmentId, CallState};

store::statements! {
    PUT = "INSERT INTO stop_call (hospital_id, appointment_id, change_id, clinic_id, department_id, start_at, due_at, state, tries, changed_by, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', 0, 'system', $8)
        ON CONFLICT (hospital_id, appointment_id) DO UPDATE SET change_id = excluded.change_id, due_at = excluded.due_at, state = 'open',
            changed_by = 'system', changed_at = excluded.changed_at";
    KNOWN_BEFORE = "SELECT 1 FROM stop_call WHERE hospital_id = $1 AND appointment_id = $2";
    GET = sqlite "SELECT * FROM stop_call WHERE hospital_id = $1 AND appointment_id = $2"
        postgres "SELECT * FROM stop_call WHERE hospital_id = $1 AND appointment_id = $2 FOR NO KEY UPDATE";
    READ = "SELECT * FROM stop_call WHERE hospital_id = $1 AND appointment_id = $2";
    SET = "UPDATE stop_call SET state = $3, tries = tries + $4, changed_by = $5, changed_at = $6 WHERE hospital_id = $1 AND appointment_id = $2";
    LIST = "SELECT * FROM stop_call
        WHERE hospital_id = $1 AND start_at >= $2 AND (start_at > $3 OR (start_at = $3 AND appointment_id > $4))
          AND ($5 = '' OR state = $5) AND ($6 = 0 OR (due_at <= $6 AND state IN ('open', 'called')))
          AND ($7 = '' OR department_id = $7) AND ($8 = '' OR change_id = $8)
        ORDER BY start_at, appointment_id LIMIT $9";
    PROGRESS = "SELECT change_id, state, CAST(COUNT(*) AS BIGINT) AS n FROM stop_call WHERE hospital_id = $1 AND change_id = $2 GROUP BY change_id, state";
}

/// Somebody on the call list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) appointment: AppointmentId,
    pub(crate) change: ChangeId,
    pub(crate) due_at: UnixMs,
    pub(crate) state: CallState,
    /// How often they were called in vain.
    pub(crate) tries: i64,
    pub(crate) changed_by: String,
    pub(crate) changed_at: UnixMs,
    pub(crate) start_at: UnixMs,
}

impl FromRow for Call {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            appointment: row.get("appointment_id")?,
            change: row.get("change_id")?,
            due_at: row.get("due_at")?,
            state: row.get("state")?,
            tries: row.get("tries")?,
            changed_by: row.get("changed_by")?,
            changed_at: row.get("changed_at")?,
            start_at: row.get("start_at")?,
        })
    }
}

/// Puts somebody on the list; false when they stood there before, for a stop that was taken back.
pub(crate) async fn put(
    tx: &mut Tx,
    hospital: HospitalId,
    a: &Appointment,
    change: ChangeId,
    due_at: UnixMs,
) -> Result<bool> {
    let now = tx.now();
    let before = tx.opt::<Row>(KNOWN_BEFORE, args![hospital, a.id]).await?.is_some();
    let values = args![hospital, a.id, change, a.clinic, a.department, a.start_at, due_at, now];
    tx.exec(PUT, values).await?;
    Ok(!before)
}

/// Somebody on the list, locked.
pub(crate) async fn get(tx: &mut Tx, hospital: HospitalId, id: AppointmentId) -> Result<Option<Call>> {
    tx.opt(GET, args![hospital, id]).await
}

/// As [`get`], as of the last commit.
pub(crate) async fn read(db: &Db, hospital: HospitalId, id: AppointmentId) -> Result<Option<Call>> {
    db.opt(READ, args![hospital, id]).await
}

/// Writes down how it stands; `tried` counts a call in vain.
pub(crate) async fn set(
    tx: &mut Tx,
    hospital: HospitalId,
    id: AppointmentId,
    state: CallState,
    tried: bool,
    by: &str,
) -> Result<()> {
    let now = tx.now();
    tx.exec(SET, args![hospital, id, state, i64::from(tried), by, now]).await.map(drop)
}

/// Which of the list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// Starts from then on.
    pub(crate) since: UnixMs,
    pub(crate) state: Option<CallState>,
    /// Only who is to be called now.
    pub(crate) due: Option<UnixMs>,
    pub(crate) department: Option<DepartmentId>,
    pub(crate) change: Option<ChangeId>,
}

/// The list, the next start first, behind `after`.
pub(crate) async fn list(
    db: &Db,
    hospital: HospitalId,
    filter: &Filter,
    after: (UnixMs, String),
    most: i64,
) -> Result<Vec<Call>> {
    let values = args![
        hospital,
        filter.since,
        after.0,
        after.1,
        filter.state.map_or("", CallState::code),
        filter.due.map_or(0, |at| at.0),
        filter.department.map(|d| d.db()).unwrap_or_default(),
        filter.change.map(|c| c.db()).unwrap_or_default(),
        most
    ];
    db.all(LIST, values).await
}

/// How many of a stop stand where.
pub(crate) async fn progress(
    db: &Db,
    hospital: HospitalId,
    change: ChangeId,
) -> Result<Vec<(CallState, i64)>> {
    let rows: Vec<Row> = db.all(PROGRESS, args![hospital, change]).await?;
    rows.iter().map(|row| Ok((row.get("state")?, row.get("n")?))).collect()
}
