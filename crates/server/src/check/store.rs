//! Looking at pushes: whether each was worked on or will be.

use base::UnixMs;
use store::check::{Found, ago};
use store::value::{One, Row};
use store::{Db, Result, args};

store::statements! {
    WAITING = "SELECT (SELECT CAST(COUNT(*) AS BIGINT) FROM wechat_push WHERE state = 'new')
                    + (SELECT CAST(COALESCE(SUM(pushes), 0) AS BIGINT) FROM wechat_bundle)";
    LATE_BUNDLES = "SELECT hospital_id, id, pushes, received_at AS since FROM wechat_bundle WHERE received_at < $1
                    ORDER BY received_at LIMIT 100";
    LATE = "SELECT hospital_id, id, kind, due_at AS since FROM wechat_push WHERE state = 'new' AND due_at < $1 ORDER BY received_at LIMIT 100";
    GIVEN_UP = "SELECT hospital_id, id, kind, error FROM wechat_push WHERE state = 'failed' ORDER BY received_at LIMIT 100";
}

fn named(row: &Row) -> Result<String> {
    let (hospital, id) = (row.get::<i64>("hospital_id")?, row.get::<String>("id")?);
    Ok(format!("hospital {hospital}: push {id} ({})", row.get::<String>("kind")?))
}

/// Pushes that have been due since before `late`, and those that were given up.
pub(super) async fn pushes(db: &Db, now: UnixMs, late: UnixMs) -> Result<Found> {
    let waiting = db.one::<One<i64>>(WAITING, args![]).await?.0;
    let mut found = Found { seen: vec![format!("{waiting} pushes of WeChat wait")], faults: Vec::new() };
    let rows: Vec<Row> = db.all(LATE, args![late]).await?;
    found.each(&rows, |row| {
        Ok(format!("{} has been due for {}; does the program run?", named(row)?, ago(now, row.get("since")?)))
    })?;
    let rows: Vec<Row> = db.all(LATE_BUNDLES, args![late]).await?;
    found.each(&rows, |row| {
        let (hospital, id) = (row.get::<i64>("hospital_id")?, row.get::<String>("id")?);
        let (pushes, since) = (row.get::<i64>("pushes")?, ago(now, row.get("since")?));
        Ok(format!("hospital {hospital}: {pushes} pushes in bundle {id} have waited for {since}; does the program run?"))
    })?;
    let rows: Vec<Row> = db.all(GIVEN_UP, args![]).await?;
    found.each(&rows, |row| {
        let error = row.get::<Option<String>>("error")?.unwrap_or_default();
        Ok(format!("{} was given up: {error}", named(row)?))
    })?;
    Ok(found)
}
