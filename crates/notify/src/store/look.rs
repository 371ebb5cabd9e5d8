//! Looking whether messages and attempts are as they must be; read by [`crate::check`] alone.

use base::UnixMs;
use store::check::{Found, ago};
use store::value::Row;
use store::{Db, Result, args};

store::statements! {
    COUNTS = "SELECT CAST(COALESCE(SUM(CASE WHEN state IN ('waiting', 'sending') THEN 1 ELSE 0 END), 0) AS BIGINT) AS waiting,
                  CAST(COALESCE(SUM(CASE WHEN state = 'unknown' THEN 1 ELSE 0 END), 0) AS BIGINT) AS unknown FROM message";
    LATE = "SELECT hospital_id, id, kind, state, due_at AS since FROM message WHERE due_at < $1 ORDER BY due_at LIMIT 100";
    FORGOTTEN = "SELECT hospital_id, id, kind, state FROM message WHERE due_at IS NULL AND state IN ('waiting', 'sending') LIMIT 100";
    WITHOUT_ATTEMPT = "SELECT m.hospital_id, m.id, m.kind, m.state FROM message m
        LEFT JOIN delivery d ON d.hospital_id = m.hospital_id AND d.id = m.delivery_id
        WHERE m.state IN ('sending', 'sent', 'delivered', 'unknown') AND d.id IS NULL LIMIT 100";
    TOLD_TWICE = "SELECT hospital_id, message_id AS id, CAST(COUNT(*) AS BIGINT) AS n FROM delivery WHERE state IN ('sent', 'delivered')
        GROUP BY hospital_id, message_id HAVING COUNT(*) > 1 LIMIT 100";
}

fn named(row: &Row) -> Result<String> {
    let (hospital, id) = (row.get::<i64>("hospital_id")?, row.get::<String>("id")?);
    Ok(format!(
        "hospital {hospital}: message {id} ({}, {})",
        row.get::<String>("kind")?,
        row.get::<String>("state")?
    ))
}

pub(crate) async fn messages(db: &Db, now: UnixMs, late: UnixMs, found: &mut Found) -> Result<()> {
    let counts: Row = db.one(COUNTS, args![]).await?;
    let (waiting, unknown) = (counts.get::<i64>("waiting")?, counts.get::<i64>("unknown")?);
    found.seen.push(format!("{waiting} messages wait, of {unknown} nobody knows whether they arrived"));
    let rows: Vec<Row> = db.all(LATE, args![late]).await?;
    found.each(&rows, |row| {
        Ok(format!("{} has been due for {}; does the program run?", named(row)?, ago(now, row.get("since")?)))
    })?;
    let rows: Vec<Row> = db.all(FORGOTTEN, args![]).await?;
    found.each(&rows, |row| Ok(format!("{} is not over, but will never be looked at", named(row)?)))?;
    let rows: Vec<Row> = db.all(WITHOUT_ATTEMPT, args![]).await?;
    found.each(&rows, |row| Ok(format!("{} has no attempt", named(row)?)))?;
    let rows: Vec<Row> = db.all(TOLD_TWICE, args![]).await?;
    found.each(&rows, |row| {
        let (hospital, id) = (row.get::<i64>("hospital_id")?, row.get::<String>("id")?);
        Ok(format!("hospital {hospital}: message {id} was told {} times", row.get::<i64>("n")?))
    })
}
