//! Looking whether the rows agree with each other; read by [`crate::check`] alone.

use base::UnixMs;
use store::check::Found;
use store::value::Row;
use store::{Db, Result, args};

store::statements! {
    TOTALS = "SELECT (SELECT CAST(COUNT(*) AS BIGINT) FROM slot) AS slots, (SELECT CAST(COUNT(*) AS BIGINT) FROM appointment) AS appointments";
    OFF = "SELECT s.hospital_id, s.id, s.taken, s.held, s.capacity, s.last_number, COALESCE(a.live, 0) + COALESCE(f.kept, 0) AS live, COALESCE(a.on_hold, 0) + COALESCE(f.kept, 0) AS on_hold,
               COALESCE(a.n, 0) AS n, COALESCE(a.numbers, 0) AS numbers, COALESCE(a.least, 1) AS least, COALESCE(a.top, 0) AS top
           FROM slot s LEFT JOIN (
               SELECT hospital_id, slot_id,
                   CAST(SUM(CASE WHEN state IN ('held', 'booked', 'checked_in', 'seen', 'no_show', 'stopped') THEN 1 ELSE 0 END) AS BIGINT) AS live,
                   CAST(SUM(CASE WHEN state = 'held' THEN 1 ELSE 0 END) AS BIGINT) AS on_hold,
                   CAST(COUNT(*) AS BIGINT) AS n, CAST(COUNT(DISTINCT number) AS BIGINT) AS numbers,
                   CAST(MIN(number) AS BIGINT) AS least, CAST(MAX(number) AS BIGINT) AS top
               FROM appointment GROUP BY hospital_id, slot_id) a ON a.hospital_id = s.hospital_id AND a.slot_id = s.id
           LEFT JOIN (SELECT hospital_id, slot_id, CAST(COUNT(*) AS BIGINT) AS kept FROM freed_place GROUP BY hospital_id, slot_id) f
               ON f.hospital_id = s.hospital_id AND f.slot_id = s.id
           WHERE s.taken <> COALESCE(a.live, 0) + COALESCE(f.kept, 0) OR s.taken > s.capacity
              OR s.held <> COALESCE(a.on_hold, 0) + COALESCE(f.kept, 0)
              OR s.last_number <> COALESCE(a.top, 0) OR COALESCE(a.least, 1) <> 1
              OR COALESCE(a.n, 0) <> COALESCE(a.top, 0) OR COALESCE(a.numbers, 0) <> COALESCE(a.top, 0)
           LIMIT 100";
    STRAY = "SELECT a.hospital_id, a.id, a.slot_id FROM appointment a
             LEFT JOIN slot s ON s.hospital_id = a.hospital_id AND s.id = a.slot_id AND s.clinic_id = a.clinic_id WHERE s.id IS NULL LIMIT 100";
    TWICE = "SELECT hospital_id, person_id, date, half_day, provider_id, CAST(COUNT(*) AS BIGINT) AS n FROM appointment
             WHERE state IN ('held', 'booked', 'checked_in', 'seen') AND visit <> 'return_visit'
             GROUP BY hospital_id, date, person_id, provider_id, half_day HAVING COUNT(*) > 1 LIMIT 100";
    SAME_PLACE_OF_DAY = "SELECT hospital_id, person_id, date, day_ordinal, CAST(COUNT(*) AS BIGINT) AS n FROM appointment
             WHERE state IN ('held', 'booked', 'checked_in', 'seen') AND visit <> 'return_visit'
             GROUP BY hospital_id, date, person_id, day_ordinal HAVING COUNT(*) > 1 LIMIT 100";
    SAME_KEY = "SELECT hospital_id, account_id, CAST(COUNT(*) AS BIGINT) AS n FROM appointment
             GROUP BY hospital_id, account_id, key HAVING COUNT(*) > 1 LIMIT 100";
    SAME_CODE = "SELECT hospital_id, CAST(COUNT(*) AS BIGINT) AS n FROM appointment GROUP BY hospital_id, check_in_code HAVING COUNT(*) > 1 LIMIT 100";
    BOOKED_SINCE = "SELECT hospital_id, id, moved_from FROM appointment WHERE booked_at >= $1 AND (hold_until IS NULL OR confirmed_at IS NOT NULL)";
    CANCELLED_SINCE = "SELECT hospital_id, id FROM appointment WHERE ended_at >= $1 AND state = 'cancelled' AND moved_to IS NULL";
}

/// How many slots and appointments there are.
pub(crate) async fn totals(db: &Db) -> Result<(i64, i64)> {
    let row: Row = db.one(TOTALS, args![]).await?;
    Ok((row.get("slots")?, row.get("appointments")?))
}

/// Slots whose counts do not agree with their appointments. One statement, so that it sees one moment.
pub(crate) async fn stock(db: &Db, found: &mut Found) -> Result<()> {
    let rows: Vec<Row> = db.all(OFF, args![]).await?;
    found.each(&rows, |row| {
        let n = |column: &str| row.get::<i64>(column);
        Ok(format!(
            "hospital {}: slot slt_{}: {} of {} places taken ({} on hold), but {} appointments have one ({} on hold); \
             the last number is {}, but there are {} appointments with {} numbers from {} to {}",
            n("hospital_id")?,
            row.get::<String>("id")?,
            n("taken")?,
            n("capacity")?,
            n("held")?,
            n("live")?,
            n("on_hold")?,
            n("last_number")?,
            n("n")?,
            n("numbers")?,
            n("least")?,
            n("top")?
        ))
    })?;
    let rows: Vec<Row> = db.all(STRAY, args![]).await?;
    found.each(&rows, |row| {
        let (hospital, id, slot) =
            (row.get::<i64>("hospital_id")?, row.get::<String>("id")?, row.get::<String>("slot_id")?);
        Ok(format!(
            "hospital {hospital}: appointment apt_{id} is in slot slt_{slot}, which its clinic does not have"
        ))
    })
}

/// What the schema's unique indexes forbid, counted without them.
pub(crate) async fn once(db: &Db, found: &mut Found) -> Result<()> {
    let n = |row: &Row, column: &str| row.get::<i64>(column);
    let text = |row: &Row, column: &str| row.get::<String>(column);
    let rows: Vec<Row> = db.all(TWICE, args![]).await?;
    found.each(&rows, |row| {
        Ok(format!(
            "hospital {}: person per_{} has {} live appointments with {} on {} {}",
            n(row, "hospital_id")?,
            text(row, "person_id")?,
            n(row, "n")?,
            text(row, "provider_id")?,
            text(row, "date")?,
            text(row, "half_day")?
        ))
    })?;
    let rows: Vec<Row> = db.all(SAME_PLACE_OF_DAY, args![]).await?;
    found.each(&rows, |row| {
        Ok(format!(
            "hospital {}: person per_{} has {} live appointments that each count as number {} of {}",
            n(row, "hospital_id")?,
            text(row, "person_id")?,
            n(row, "n")?,
            n(row, "day_ordinal")?,
            text(row, "date")?
        ))
    })?;
    let rows: Vec<Row> = db.all(SAME_KEY, args![]).await?;
    found.each(&rows, |row| {
        let (hospital, account) = (n(row, "hospital_id")?, text(row, "account_id")?);
        Ok(format!(
            "hospital {hospital}: one request of account acc_{account} has {} appointments",
            n(row, "n")?
        ))
    })?;
    let rows: Vec<Row> = db.all(SAME_CODE, args![]).await?;
    found.each(&rows, |row| {
        let (hospital, count) = (n(row, "hospital_id")?, n(row, "n")?);
        Ok(format!("hospital {hospital}: {count} appointments have the same check-in code"))
    })
}

/// An appointment that came or went.
pub(crate) struct Changed {
    /// As its id is written.
    pub(crate) id: String,
    /// By a move, from another place.
    pub(crate) moved: bool,
}

/// Appointments made since `since`.
pub(crate) async fn booked_since(db: &Db, since: UnixMs) -> Result<Vec<Changed>> {
    let rows: Vec<Row> = db.all(BOOKED_SINCE, args![since]).await?;
    let changed = |row: &Row| {
        let moved = row.get::<Option<String>>("moved_from")?.is_some();
        Ok(Changed { id: format!("apt_{}", row.get::<String>("id")?), moved })
    };
    rows.iter().map(changed).collect()
}

/// Appointments that were given up (not moved) since `since`.
pub(crate) async fn cancelled_since(db: &Db, since: UnixMs) -> Result<Vec<Changed>> {
    let rows: Vec<Row> = db.all(CANCELLED_SINCE, args![since]).await?;
    let changed = |row: &Row| Ok(Changed { id: format!("apt_{}", row.get::<String>("id")?), moved: false });
    rows.iter().map(changed).collect()
}
