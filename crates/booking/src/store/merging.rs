//! What booking keeps of a person: for merging two records, and for showing people what is on file about them.

use base::HospitalId;
use people::PersonId;
use people::records::merge::{Belonging, give};
use store::value::{One, Row};
use store::{Result, Tx, args};

store::statements! {
    CLASHES = "SELECT CAST(COUNT(*) AS BIGINT) FROM appointment a JOIN appointment b
         ON b.hospital_id = a.hospital_id AND b.person_id = $3 AND b.date = a.date AND b.provider_id = a.provider_id AND b.half_day = a.half_day
             AND b.state IN ('held', 'booked', 'checked_in', 'seen')
         WHERE a.hospital_id = $1 AND a.person_id = $2 AND a.state IN ('held', 'booked', 'checked_in', 'seen')";
    VISITS_OF = "SELECT id, date FROM appointment WHERE hospital_id = $1 AND person_id = $2 ORDER BY date, id";
    // Behind those that the other record has on the same day, so that the places of the day stay apart.
    VISIT_GIVE = "UPDATE appointment SET person_id = $4, day_ordinal = day_ordinal + (SELECT COALESCE(MAX(o.day_ordinal), 0) FROM appointment o
             WHERE o.hospital_id = $1 AND o.person_id = $4 AND o.date = appointment.date)
         WHERE hospital_id = $1 AND id = $2 AND person_id = $3";
    WAITS_OF = "SELECT id FROM waitlist WHERE hospital_id + 0 = $1 AND person_id = $2 ORDER BY id";
    // One waits once for the same: the other wish stays with the record that goes, and comes back with it.
    WAIT_GIVE = "UPDATE waitlist SET person_id = $4 WHERE hospital_id = $1 AND id = $2 AND person_id = $3
         AND NOT (state IN ('waiting', 'offered') AND EXISTS (SELECT 1 FROM waitlist o WHERE o.hospital_id = waitlist.hospital_id
             AND o.person_id = $4 AND o.target = waitlist.target AND o.state IN ('waiting', 'offered')))";
    MISSED_OF = "SELECT appointment_id AS id FROM no_show WHERE hospital_id = $1 AND person_id = $2 ORDER BY appointment_id";
    MISSED_GIVE = "UPDATE no_show SET person_id = $4 WHERE hospital_id = $1 AND appointment_id = $2 AND person_id = $3";
    RUSH_OF = "SELECT id FROM rush_ticket WHERE hospital_id + 0 = $1 AND person_id = $2 AND state = 'waiting' ORDER BY id";
    RUSH_GIVE = "UPDATE rush_ticket SET person_id = $4 WHERE hospital_id = $1 AND id = $2 AND person_id = $3";
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

/// What moves. Waiting in a rush moves too: whoever stands there is served as the person that the record says.
const KEPT: [Belonging; 4] = [
    Belonging { name: "", of: VISITS_OF, give: VISIT_GIVE, with: &[] },
    Belonging { name: "waitlist", of: WAITS_OF, give: WAIT_GIVE, with: &[] },
    Belonging { name: "no_show", of: MISSED_OF, give: MISSED_GIVE, with: &[("", MISSED_GIVE)] },
    Belonging { name: "rush", of: RUSH_OF, give: RUSH_GIVE, with: &[] },
];

/// Gives one person's visits, and what waits for visits, to another: all, or what `only` names. Gives what moved.
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
    give(tx, h, &KEPT, from, to, only).await
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
