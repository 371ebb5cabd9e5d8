//! What booking keeps of a person: for merging two records, and for showing people what is on file about them.

use base::HospitalId;
use people::PersonId;
use store::value::{One, Row};
use store::{Result, Tx, args};

store::statements! {
    CLASHES = "SELECT CAST(COUNT(*) AS BIGINT) FROM appointment a JOIN appointment b
         ON b.hospital_id = a.hospital_id AND b.person_id = $3 AND b.date = a.date AND b.provider_id = a.provider_id AND b.half_day = a.half_day
             AND b.state IN ('held', 'booked', 'checked_in', 'seen')
         WHERE a.hospital_id = $1 AND a.person_id = $2 AND a.state IN ('held', 'booked', 'checked_in', 'seen')";
    ALL_OF = "SELECT id, date FROM appointment WHERE hospital_id = $1 AND person_id = $2 ORDER BY date, id";
    // Behind those that the other record has on the same day, so that the places of the day stay apart.
    GIVE = "UPDATE appointment SET person_id = $4, day_ordinal = day_ordinal + (SELECT COALESCE(MAX(o.day_ordinal), 0) FROM appointment o
             WHERE o.hospital_id = $1 AND o.person_id = $4 AND o.date = appointment.date)
         WHERE hospital_id = $1 AND id = $2 AND person_id = $3";
    ON_FILE = "SELECT date, half_day, department_id, doctor_id, state, number, fee_fen FROM appointment
         WHERE hospital_id = $1 AND person_id = $2 ORDER BY date DESC, id LIMIT 1000";
    BY_WAY = "SELECT account_id, department_id, channel FROM appointment WHERE hospital_id = $1 AND id = $2";
    PERSON_AHEAD = "SELECT CAST(COUNT(*) AS BIGINT) FROM appointment
         WHERE hospital_id = $1 AND person_id = $2 AND state IN ('held', 'booked', 'checked_in') AND end_at > $3";
}

/// How many visits two persons have with the same doctor in the same half day: they can't be one person's.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn clashes(tx: &mut Tx, h: HospitalId, one: PersonId, other: PersonId) -> Result<u32> {
    let count: One<i64> = tx.one(CLASHES, args![h, one, other]).await?;
    Ok(u32::try_from(count.0).unwrap_or(u32::MAX))
}

/// Gives one person's visits to another: all, or those that `only` names. Gives the ids of what moved.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn hand_over(
    tx: &mut Tx,
    h: HospitalId,
    from: PersonId,
    to: PersonId,
    only: Option<&[String]>,
) -> Result<Vec<String>> {
    let ids = match only {
        Some(ids) => ids.to_vec(),
        None => {
            let rows: Vec<Row> = tx.all(ALL_OF, args![h, from]).await?;
            rows.iter().map(|row| row.get("id")).collect::<Result<_>>()?
        }
    };
    let mut moved = Vec::with_capacity(ids.len());
    for id in ids {
        if tx.exec(GIVE, args![h, &id, from, to]).await? == 1 {
            moved.push(id);
        }
    }
    Ok(moved)
}

/// A person's visits as they may be shown to the person.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn on_file(tx: &mut Tx, h: HospitalId, person: PersonId) -> Result<serde_json::Value> {
    let rows: Vec<Row> = tx.all(ON_FILE, args![h, person]).await?;
    let visits = rows.iter().map(|row| {
        let text = |name: &str| row.get::<Option<String>>(name);
        Ok(serde_json::json!({
            "date": text("date")?, "half_day": text("half_day")?, "state": text("state")?,
            "number": row.get::<i64>("number")?, "fee_fen": row.get::<i64>("fee_fen")?,
            "department_id": row.get::<schedule::DepartmentId>("department_id")?.to_string(),
            "doctor_id": row.get::<Option<schedule::DoctorId>>("doctor_id")?.map(|id| id.to_string()),
        }))
    });
    Ok(serde_json::json!({"visits": visits.collect::<Result<Vec<_>>>()?}))
}

/// How many visits a person has ahead, whoever booked them.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn ahead(tx: &mut Tx, h: HospitalId, person: PersonId) -> Result<u32> {
    let now = tx.now();
    let count: One<i64> = tx.one(PERSON_AHEAD, args![h, person, now]).await?;
    Ok(u32::try_from(count.0).unwrap_or(u32::MAX))
}

/// A booking as figures count it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByWay {
    /// Who booked.
    pub account: edge::AccountId,
    /// Where.
    pub department: schedule::DepartmentId,
    /// By which way: `wechat`, `sms` (a browser), …
    pub way: String,
}

/// By whom, where and by which way a place was booked.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn by_way(tx: &mut Tx, h: HospitalId, id: crate::AppointmentId) -> Result<Option<ByWay>> {
    let row: Option<Row> = tx.opt(BY_WAY, args![h, id]).await?;
    let read = |row: Row| {
        Ok(ByWay {
            account: row.get("account_id")?,
            department: row.get("department_id")?,
            way: row.get("channel")?,
        })
    };
    row.map(read).transpose()
}
