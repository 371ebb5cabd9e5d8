//! The SQL of booking.

pub(crate) mod arrive;
pub(crate) mod calls;
pub(crate) mod desk;
pub(crate) mod hold;
pub(crate) mod look;
pub mod merging;

use std::collections::HashMap;

use base::{Date, HospitalId, UnixMs};
use edge::AccountId;
use people::PersonId;
use store::value::Row;
use store::{Db, Result, Tx, Value, args};

use crate::model::{Appointment, AppointmentId, Known, State};

// SQLite takes tables in the order of a CROSS JOIN. Left to itself it reads all appointments of the hospital and looks for
// each in the list, since it takes every table for small; `+id` keeps it from walking through them in the order of their ids.
//
// PostgreSQL does the same while its figures of a table are older than the rush that fills it: 30 rows it believes, 12,000
// there are, and each is compared with each of a batch. A subquery for each value, which OFFSET 0 keeps from being taken apart,
// can only be answered by an index; and `hospital_id + 0` leaves only the one that leads with the account or the person, where
// any index that leads with the hospital would look as good.
store::statements! {
    LOCK_PERSONS = sqlite "SELECT 1 WHERE $1 IS NOT NULL"
        postgres "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT pg_advisory_xact_lock(k) FROM (
                      SELECT DISTINCT hashtextextended(value, 7240934) AS k
                      FROM unnest(CAST($1 AS TEXT[])) AS t(value) ORDER BY 1) AS keys) AS held";
    BY_KEYS = sqlite "SELECT a.* FROM json_each($2) r CROSS JOIN appointment a
                      ON a.hospital_id + 0 = $1 AND a.account_id = r.value->>0 AND a.key = r.value->>1"
        postgres "SELECT a.* FROM unnest(CAST($2 AS TEXT[]), CAST($3 AS TEXT[])) AS r(account_id, key) CROSS JOIN LATERAL (
                      SELECT * FROM appointment WHERE hospital_id + 0 = $1 AND account_id = r.account_id AND key = r.key OFFSET 0) AS a";
    KNOWN = sqlite "SELECT a.id, a.person_id, a.date, a.half_day, a.provider_id, a.department_id, a.day_ordinal, a.state, a.late, a.moved_to
                    FROM json_each($2) r CROSS JOIN appointment a ON a.hospital_id + 0 = $1 AND a.person_id = r.value AND a.date >= $3
                    WHERE (a.state IN ('held', 'booked', 'checked_in', 'seen') OR (a.state = 'no_show' AND a.excused_at IS NULL) OR (a.state = 'cancelled' AND a.late = 1 AND (a.hold_until IS NULL OR a.confirmed_at IS NOT NULL)))
                        AND a.visit <> 'return_visit'"
        postgres "SELECT a.id, a.person_id, a.date, a.half_day, a.provider_id, a.department_id, a.day_ordinal, a.state, a.late, a.moved_to
                    FROM unnest(CAST($2 AS TEXT[])) AS r(value) CROSS JOIN LATERAL (
                        SELECT * FROM appointment WHERE hospital_id + 0 = $1 AND person_id = r.value AND date >= $3 OFFSET 0) AS a
                    WHERE (a.state IN ('held', 'booked', 'checked_in', 'seen') OR (a.state = 'no_show' AND a.excused_at IS NULL) OR (a.state = 'cancelled' AND a.late = 1 AND (a.hold_until IS NULL OR a.confirmed_at IS NOT NULL)))
                        AND a.visit <> 'return_visit'";
    // Each row is read as JSON once, not once for each of its columns.
    INSERT_ALL = sqlite "WITH r(value) AS MATERIALIZED (SELECT jsonb(value) FROM json_each($2))
               INSERT INTO appointment (hospital_id, id, slot_id, clinic_id, doctor_id, provider_id, department_id, campus_id, kind,
                    date, half_day, start_at, end_at, fee_fen, person_id, account_id, channel, number, day_ordinal, state, pay, key,
                    request_hash, check_in_code, booked_at, late, moved_from, hold_until, hold_for)
               SELECT CAST($1 AS BIGINT), value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7,
                    value->>8, value->>9, CAST(value->>10 AS BIGINT), CAST(value->>11 AS BIGINT), CAST(value->>12 AS BIGINT),
                    value->>13, value->>14, value->>15, CAST(value->>16 AS BIGINT), CAST(value->>17 AS BIGINT), value->>18, value->>19,
                    value->>20, value->>21, value->>22, CAST(value->>23 AS BIGINT), CAST(value->>24 AS BIGINT), value->>25,
                    CAST(value->>26 AS BIGINT), value->>27
               FROM r WHERE true ON CONFLICT DO NOTHING"
        postgres "INSERT INTO appointment (hospital_id, id, slot_id, clinic_id, doctor_id, provider_id, department_id, campus_id, kind,
                    date, half_day, start_at, end_at, fee_fen, person_id, account_id, channel, number, day_ordinal, state, pay, key,
                    request_hash, check_in_code, booked_at, late, moved_from, hold_until, hold_for)
               SELECT CAST($1 AS BIGINT), r.* FROM unnest(CAST($2 AS TEXT[]), CAST($3 AS TEXT[]), CAST($4 AS TEXT[]), CAST($5 AS TEXT[]),
                    CAST($6 AS TEXT[]), CAST($7 AS TEXT[]), CAST($8 AS TEXT[]), CAST($9 AS TEXT[]), CAST($10 AS TEXT[]), CAST($11 AS TEXT[]),
                    CAST($12 AS BIGINT[]), CAST($13 AS BIGINT[]), CAST($14 AS BIGINT[]), CAST($15 AS TEXT[]), CAST($16 AS TEXT[]),
                    CAST($17 AS TEXT[]), CAST($18 AS BIGINT[]), CAST($19 AS BIGINT[]), CAST($20 AS TEXT[]), CAST($21 AS TEXT[]),
                    CAST($22 AS TEXT[]), CAST($23 AS TEXT[]), CAST($24 AS TEXT[]), CAST($25 AS BIGINT[]), CAST($26 AS BIGINT[]),
                    CAST($27 AS TEXT[]), CAST(CAST($28 AS TEXT[]) AS BIGINT[]), CAST($29 AS TEXT[])) AS r ON CONFLICT DO NOTHING";
    BOOKED_BY = sqlite "SELECT a.account_id, CAST(COUNT(*) AS BIGINT) AS n FROM json_each($2) r CROSS JOIN appointment a
                    ON a.hospital_id + 0 = $1 AND a.account_id = r.value WHERE a.booked_at >= $3 AND a.moved_from IS NULL GROUP BY a.account_id"
        postgres "SELECT a.account_id, CAST(COUNT(*) AS BIGINT) AS n FROM unnest(CAST($2 AS TEXT[])) AS r(value) CROSS JOIN LATERAL (
                        SELECT * FROM appointment WHERE hospital_id + 0 = $1 AND account_id = r.value OFFSET 0) AS a WHERE a.booked_at >= $3 AND a.moved_from IS NULL GROUP BY a.account_id";
    CHANNEL_OF = "SELECT channel FROM appointment WHERE hospital_id = $1 AND id = $2";
    GET = "SELECT * FROM appointment WHERE hospital_id = $1 AND id = $2";
    END = "UPDATE appointment SET state = $3, ended_at = $4, ended_by = $5, end_reason = $6, moved_to = $7
           WHERE hospital_id = $1 AND id = $2 AND state IN ('held', 'booked')";
    UPCOMING = sqlite "SELECT a.* FROM json_each($2) r CROSS JOIN appointment a ON a.hospital_id + 0 = $1 AND a.person_id = r.value
                    WHERE a.end_at >= $3 AND a.state IN ('held', 'booked', 'checked_in', 'stopped') ORDER BY a.start_at, a.id LIMIT 100"
        postgres "SELECT a.* FROM jsonb_array_elements_text(CAST($2 AS jsonb)) AS r(value) CROSS JOIN LATERAL (
                    SELECT * FROM appointment WHERE hospital_id + 0 = $1 AND person_id = r.value OFFSET 0) AS a
                    WHERE a.end_at >= $3 AND a.state IN ('held', 'booked', 'checked_in', 'stopped') ORDER BY a.start_at, a.id LIMIT 100";
    PAST = sqlite "SELECT a.* FROM json_each($2) r CROSS JOIN appointment a ON a.hospital_id + 0 = $1 AND a.person_id = r.value
                    WHERE (a.end_at < $3 OR a.state NOT IN ('held', 'booked', 'checked_in', 'stopped')) AND (a.start_at < $4 OR (a.start_at = $4 AND a.id < $5))
                    ORDER BY a.start_at DESC, a.id DESC LIMIT $6"
        postgres "SELECT a.* FROM jsonb_array_elements_text(CAST($2 AS jsonb)) AS r(value) CROSS JOIN LATERAL (
                    SELECT * FROM appointment WHERE hospital_id + 0 = $1 AND person_id = r.value OFFSET 0) AS a
                    WHERE (a.end_at < $3 OR a.state NOT IN ('held', 'booked', 'checked_in', 'stopped')) AND (a.start_at < $4 OR (a.start_at = $4 AND a.id < $5))
                    ORDER BY a.start_at DESC, a.id DESC LIMIT $6";
    DOCTORS_BEFORE = sqlite "SELECT a.doctor_id, a.person_id, MAX(a.date) AS last_date FROM json_each($2) r CROSS JOIN appointment a
                    ON a.hospital_id + 0 = $1 AND a.person_id = r.value
                    WHERE a.doctor_id IS NOT NULL AND a.state <> 'expired' GROUP BY a.doctor_id, a.person_id ORDER BY 3 DESC LIMIT 20"
        postgres "SELECT a.doctor_id, a.person_id, MAX(a.date) AS last_date FROM jsonb_array_elements_text(CAST($2 AS jsonb)) AS r(value) CROSS JOIN LATERAL (
                    SELECT * FROM appointment WHERE hospital_id + 0 = $1 AND person_id = r.value OFFSET 0) AS a
                    WHERE a.doctor_id IS NOT NULL AND a.state <> 'expired' GROUP BY a.doctor_id, a.person_id ORDER BY 3 DESC LIMIT 20";
    TO_REMIND = sqlite "SELECT * FROM appointment WHERE hospital_id = $1 AND date = $2 AND state = 'booked' AND reminded_at IS NULL ORDER BY +id LIMIT $3"
        postgres "SELECT * FROM appointment WHERE hospital_id = $1 AND date = $2 AND state = 'booked' AND reminded_at IS NULL ORDER BY id LIMIT $3";
    REMINDED = "UPDATE appointment SET reminded_at = $3 WHERE hospital_id = $1 AND id = $2 AND state = 'booked' AND reminded_at IS NULL";
    AHEAD = "SELECT CAST(COUNT(*) AS BIGINT) FROM appointment
             WHERE hospital_id = $1 AND person_id = $2 AND end_at >= $3 AND account_id = $4 AND state IN ('held', 'booked', 'checked_in')";
    OF_CLINIC = sqlite "SELECT * FROM appointment WHERE hospital_id = $1 AND clinic_id = $2 AND state IN ('held', 'booked') ORDER BY +slot_id, number"
        postgres "SELECT * FROM appointment WHERE hospital_id = $1 AND clinic_id = $2 AND state IN ('held', 'booked') ORDER BY slot_id, number";
}

fn texts(all: impl Iterator<Item = String>) -> Vec<Option<String>> {
    all.map(Some).collect()
}

fn json_ids<I: ToString>(ids: impl IntoIterator<Item = I>) -> serde_json::Value {
    ids.into_iter().map(|i| serde_json::Value::from(i.to_string())).collect()
}

/// Makes bookings of the same persons wait for each other across nodes, so that their limits hold. Taken before slots are
/// locked, in one order, so that nobody waits in a circle. On SQLite there is only one writer anyway.
pub(crate) async fn lock_persons(tx: &mut Tx, hospital: HospitalId, persons: &[PersonId]) -> Result<()> {
    let keys: Vec<Option<String>> = persons.iter().map(|p| Some(format!("{hospital}:{}", p.db()))).collect();
    tx.all::<Row>(LOCK_PERSONS, args![keys]).await.map(drop)
}

/// Appointments that came of these accounts and keys.
pub(crate) async fn by_keys(
    tx: &mut Tx,
    hospital: HospitalId,
    keys: &[(AccountId, String)],
) -> Result<Vec<Appointment>> {
    if tx.is_postgres() {
        let (accounts, keys): (Vec<_>, Vec<_>) =
            keys.iter().map(|(account, key)| (Some(account.db()), Some(key.clone()))).unzip();
        return tx.all(BY_KEYS, args![hospital, accounts, keys]).await;
    }
    let keys: Vec<_> = keys.iter().map(|(account, key)| (account.db(), key)).collect();
    tx.all(BY_KEYS, args![hospital, serde_json::json!(keys)]).await
}

/// What these persons have or had since `since`, as far as it counts.
pub(crate) async fn known(
    tx: &mut Tx,
    hospital: HospitalId,
    persons: &[PersonId],
    since: Date,
) -> Result<HashMap<PersonId, Vec<Known>>> {
    let mut by_person: HashMap<PersonId, Vec<Known>> = HashMap::new();
    for known in tx.all::<Known>(KNOWN, args![hospital, texts(persons.iter().map(|p| p.db())), since]).await?
    {
        by_person.entry(known.person).or_default().push(known);
    }
    Ok(by_person)
}

/// How many places these accounts have booked since, moves left out.
pub(crate) async fn booked_since_by(
    tx: &mut Tx,
    hospital: HospitalId,
    accounts: &[AccountId],
    since: UnixMs,
) -> Result<HashMap<AccountId, u32>> {
    let accounts = texts(accounts.iter().map(|a| a.db()));
    let rows: Vec<Row> = tx.all(BOOKED_BY, args![hospital, accounts, since]).await?;
    rows.iter().map(|row| Ok((row.get("account_id")?, row.get("n")?))).collect()
}

/// Inserts new appointments; gives how many. Fewer than asked for: another node won one of their unique places.
pub(crate) async fn insert_all(
    tx: &mut Tx,
    hospital: HospitalId,
    rows: &[Appointment],
    channels: &[&str],
) -> Result<u64> {
    if tx.is_postgres() {
        return tx.exec(INSERT_ALL, columns(hospital, rows, channels)).await;
    }
    let rows: Vec<serde_json::Value> = rows
        .iter()
        .zip(channels)
        .map(|(a, channel)| {
            serde_json::json!([
                a.id.db(),
                a.slot.db(),
                a.clinic.db(),
                a.doctor.map(|d| d.db()),
                a.provider(),
                a.department.db(),
                a.campus.db(),
                a.kind,
                a.date.to_string(),
                a.half_day.code(),
                a.start_at.0,
                a.end_at.0,
                a.fee.0,
                a.person.db(),
                a.account.db(),
                channel,
                a.number,
                a.day_ordinal,
                a.state.code(),
                a.pay.code(),
                a.key,
                a.request_hash,
                a.check_in_code,
                a.booked_at.0,
                i64::from(a.late),
                a.moved_from.map(|m| m.db()),
                a.hold_until.map(|at| at.0),
                a.hold_for.map(|why| why.code())
            ])
        })
        .collect();
    tx.exec(INSERT_ALL, args![hospital, serde_json::Value::from(rows)]).await
}

/// The rows as one array for each column.
fn columns(hospital: HospitalId, rows: &[Appointment], channels: &[&str]) -> Vec<Value> {
    let text = |of: &dyn Fn(&Appointment) -> String| texts(rows.iter().map(of));
    let maybe = |of: &dyn Fn(&Appointment) -> Option<String>| rows.iter().map(of).collect::<Vec<_>>();
    let ints = |of: &dyn Fn(&Appointment) -> i64| rows.iter().map(of).collect::<Vec<_>>();
    args![
        hospital,
        text(&|a| a.id.db()),
        text(&|a| a.slot.db()),
        text(&|a| a.clinic.db()),
        maybe(&|a| a.doctor.map(|d| d.db())),
        text(&|a| a.provider()),
        text(&|a| a.department.db()),
        text(&|a| a.campus.db()),
        text(&|a| a.kind.clone()),
        text(&|a| a.date.to_string()),
        text(&|a| a.half_day.code().to_owned()),
        ints(&|a| a.start_at.0),
        ints(&|a| a.end_at.0),
        ints(&|a| a.fee.0),
        text(&|a| a.person.db()),
        text(&|a| a.account.db()),
        texts(channels.iter().map(|channel| (*channel).to_owned())),
        ints(&|a| a.number),
        ints(&|a| a.day_ordinal),
        text(&|a| a.state.code().to_owned()),
        text(&|a| a.pay.code().to_owned()),
        text(&|a| a.key.clone()),
        text(&|a| a.request_hash.clone()),
        text(&|a| a.check_in_code.clone()),
        ints(&|a| a.booked_at.0),
        ints(&|a| i64::from(a.late)),
        maybe(&|a| a.moved_from.map(|m| m.db())),
        maybe(&|a| a.hold_until.map(|at| at.0.to_string())),
        maybe(&|a| a.hold_for.map(|why| why.code().to_owned()))
    ]
}

/// By which way an appointment came.
pub(crate) async fn channel_of(tx: &mut Tx, hospital: HospitalId, id: AppointmentId) -> Result<String> {
    tx.one::<store::value::One<String>>(CHANNEL_OF, args![hospital, id]).await.map(|one| one.0)
}

/// An appointment, whoever it belongs to: the caller checks that.
pub(crate) async fn get(tx: &mut Tx, hospital: HospitalId, id: AppointmentId) -> Result<Option<Appointment>> {
    tx.opt(GET, args![hospital, id]).await
}

/// As [`get`], as of the last commit.
pub(crate) async fn read(db: &Db, hospital: HospitalId, id: AppointmentId) -> Result<Option<Appointment>> {
    db.opt(GET, args![hospital, id]).await
}

/// How an appointment ends.
pub(crate) struct End<'a> {
    pub(crate) state: State,
    pub(crate) by: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) moved_to: Option<AppointmentId>,
}

/// Ends a held or booked appointment; false when it was not one any more.
pub(crate) async fn end(tx: &mut Tx, hospital: HospitalId, id: AppointmentId, end: End<'_>) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(END, args![hospital, id, end.state, now, end.by, end.reason, end.moved_to]).await? == 1)
}

/// What these persons have ahead of them, the next first.
pub(crate) async fn upcoming(
    db: &Db,
    hospital: HospitalId,
    persons: &[PersonId],
    now: UnixMs,
) -> Result<Vec<Appointment>> {
    db.all(UPCOMING, args![hospital, json_ids(persons.iter().map(|p| p.db())), now]).await
}

/// What these persons had, the last first, behind `after`.
pub(crate) async fn past(
    db: &Db,
    hospital: HospitalId,
    persons: &[PersonId],
    now: UnixMs,
    after: (UnixMs, String),
    limit: i64,
) -> Result<Vec<Appointment>> {
    db.all(PAST, args![hospital, json_ids(persons.iter().map(|p| p.db())), now, after.0, after.1, limit])
        .await
}

/// The doctors with whom these persons had a place, the last first.
pub(crate) async fn doctors_before(db: &Db, hospital: HospitalId, persons: &[PersonId]) -> Result<Vec<Row>> {
    db.all(DOCTORS_BEFORE, args![hospital, json_ids(persons.iter().map(|p| p.db()))]).await
}

/// Appointments of a day whose reminder has not gone out.
pub(crate) async fn to_remind(
    tx: &mut Tx,
    hospital: HospitalId,
    date: Date,
    limit: i64,
) -> Result<Vec<Appointment>> {
    tx.all(TO_REMIND, args![hospital, date, limit]).await
}

/// Marks a reminder as told; false when the appointment is not booked any more or was reminded.
pub(crate) async fn reminded(tx: &mut Tx, hospital: HospitalId, id: AppointmentId) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(REMINDED, args![hospital, id, now]).await? == 1)
}

/// How many appointments the account has made for the person lie ahead; for a warning before they are unbound.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn ahead(tx: &mut Tx, hospital: HospitalId, account: AccountId, person: PersonId) -> Result<u32> {
    let now = tx.now();
    Ok(tx.one::<store::value::One<u32>>(AHEAD, args![hospital, person, now, account]).await?.0)
}

/// The live appointments of a clinic.
pub(crate) async fn of_clinic(
    tx: &mut Tx,
    hospital: HospitalId,
    clinic: schedule::ClinicId,
) -> Result<Vec<Appointment>> {
    tx.all(OF_CLINIC, args![hospital, clinic]).await
}
