//! The years before: past clinics, segments and appointments, loaded in bulk.
//!
//! Each phone of the prepared hospital gets five visits of its own, whatever the size: what grows is the hospital, not
//! the history of one person. Everybody else's are of people who have ten each. Indexes are taken away first and made again
//! afterwards, since ten million rows are sorted sooner than sought.

use std::path::Path;

use anyhow::{Context as _, Result};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, Executor as _, Row as _};

use crate::postgres::Postgres;

/// Appointments in each segment, and segments in each clinic.
const IN_SLOT: u64 = 10;
const IN_CLINIC: u64 = 8;
/// Visits of each phone's own person.
const OWN: u64 = 5;

/// Rows 0 to n-1 as `i`.
fn numbers(postgres: bool, count: u64) -> String {
    if postgres {
        return format!("(SELECT i FROM generate_series(0, {count} - 1) AS g(i)) AS n");
    }
    format!(
        "(WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i + 1 < {count}) SELECT i FROM c) AS n"
    )
}

/// What differs between the two: an id of 32 hexadecimal letters made of a number, and a date so many days ago.
struct Words {
    postgres: bool,
}

impl Words {
    fn id(&self, kind: &str, number: &str) -> String {
        // The kind keeps ids of different things apart; they are as long as ours.
        if self.postgres {
            format!("('{kind}' || lpad(to_hex(CAST({number} AS BIGINT)), 30, '0'))")
        } else {
            format!("('{kind}' || printf('%030x', {number}))")
        }
    }

    fn days_ago(&self, days: &str) -> String {
        if self.postgres {
            format!("to_char(CURRENT_DATE - 1 - CAST({days} AS INT), 'YYYY-MM-DD')")
        } else {
            format!("date('now', '-1 day', '-' || ({days}) || ' days')")
        }
    }

    fn midnight(&self, days: &str) -> String {
        if self.postgres {
            format!("CAST(extract(epoch FROM CURRENT_DATE - 1 - CAST({days} AS INT)) AS BIGINT) * 1000")
        } else {
            format!(
                "CAST(strftime('%s', date('now', '-1 day', '-' || ({days}) || ' days')) AS INTEGER) * 1000"
            )
        }
    }
}

/// The statements that fill the tables with so many appointments; `phones` of them have five each.
fn statements(postgres: bool, bookings: u64, phones: u64, doctors: u64) -> Vec<String> {
    let w = Words { postgres };
    let (slots, clinics) = (bookings / IN_SLOT, (bookings / IN_SLOT).div_ceil(IN_CLINIC));
    // Three half days of every doctor, then the day before.
    let day = |clinic: &str| format!("(({clinic}) / {})", doctors * 3);
    let doctor = |clinic: &str| format!("(({clinic}) % {doctors})");
    let half = |clinic: &str| {
        format!("CASE (({clinic}) / {doctors}) % 3 WHEN 0 THEN 'am' WHEN 1 THEN 'pm' ELSE 'night' END")
    };
    let staff = "(SELECT id, row_number() OVER (ORDER BY id) - 1 AS nth FROM doctor) AS d";
    let own = phones * OWN;
    // Whose: a phone's own person each time round, then strangers with ten each, never two in one half day.
    let strangers = bookings.saturating_sub(own).div_ceil(10).max(1);
    let (slot, clinic) = (format!("(n.i / {IN_SLOT})"), format!("(n.i / {})", IN_SLOT * IN_CLINIC));
    let first = "(SELECT department_id FROM doctor_department LIMIT 1)";
    let campus = "(SELECT id FROM campus LIMIT 1)";
    vec![
        format!(
            "INSERT INTO clinic (hospital_id, id, department_id, doctor_id, campus_id, date, half_day, kind, online, fee_fen, opens_at,
                closes_at, state, created_at)
             SELECT 1, {id}, {first}, d.id, {campus}, {date}, {half}, 'specialist', 0, 3800, {at} - 1209600000, {at} + 3600000, 'open', 0
             FROM {rows} JOIN {staff} ON d.nth = {doctor}",
            id = w.id("c1", "n.i"),
            date = w.days_ago(&day("n.i")),
            half = half("n.i"),
            at = w.midnight(&day("n.i")),
            rows = numbers(postgres, clinics),
            doctor = doctor("n.i"),
        ),
        format!(
            "INSERT INTO slot (hospital_id, id, clinic_id, position, start_at, end_at, start_wall, end_wall, capacity, taken, last_number,
                changed_at)
             SELECT 1, {id}, {clinic}, n.i % {IN_CLINIC}, {at} + (n.i % {IN_CLINIC}) * 1800000, {at} + (n.i % {IN_CLINIC}) * 1800000 + 1800000,
                '08:00', '08:30', {IN_SLOT}, {IN_SLOT}, {IN_SLOT}, 0
             FROM {rows}",
            id = w.id("a1", "n.i"),
            clinic = w.id("c1", &format!("n.i / {IN_CLINIC}")),
            at = w.midnight(&day(&format!("n.i / {IN_CLINIC}"))),
            rows = numbers(postgres, slots),
        ),
        "CREATE TABLE bench_own (nth BIGINT PRIMARY KEY, person TEXT NOT NULL, account TEXT NOT NULL)".into(),
        format!(
            "INSERT INTO bench_own SELECT row_number() OVER (ORDER BY person_id) - 1, person_id, account_id FROM binding LIMIT {phones}"
        ),
        format!(
            "INSERT INTO appointment (hospital_id, id, slot_id, clinic_id, doctor_id, provider_id, department_id, campus_id, kind, date, half_day,
                start_at, end_at, fee_fen, person_id, account_id, channel, number, day_ordinal, state, pay, key, request_hash, check_in_code,
                booked_at, late)
             SELECT 1, {id}, {slot}, {clinic}, d.id, d.id, f.department_id, f.campus_id, 'specialist', {date}, {half}, {at}, {at} + 1800000, 3800,
                COALESCE(o.person, {stranger}), COALESCE(o.account, {stranger}), 'wechat', n.i % {IN_SLOT} + 1, 1, 'seen', 'counter', {key}, 'h',
                {code}, {at} - 86400000, 0
             FROM {rows} JOIN {staff} ON d.nth = {doctor} CROSS JOIN (SELECT {first} AS department_id, {campus} AS campus_id) AS f
                LEFT JOIN bench_own o ON n.i < {own} AND o.nth = n.i % {phones}",
            id = w.id("b1", "n.i"),
            slot = w.id("a1", &slot),
            clinic = w.id("c1", &clinic),
            date = w.days_ago(&day(&clinic)),
            half = half(&clinic),
            at = w.midnight(&day(&clinic)),
            stranger = w.id("d1", &format!("n.i % {strangers}")),
            key = w.id("e1", "n.i"),
            code = w.id("f1", "n.i * 7919"),
            rows = numbers(postgres, bookings),
            doctor = doctor(&clinic),
        ),
        "DROP TABLE bench_own".into(),
    ]
}

/// Fills a database of a PostgreSQL server.
pub(super) fn postgres(server: &Postgres, database: &str, bookings: u64, phones: u64) -> Result<()> {
    let doctors = server.sql(database, &["SELECT count(*) FROM doctor"])?.parse()?;
    let made = server.sql(
        database,
        &["SELECT indexdef FROM pg_indexes WHERE tablename = 'appointment' AND indexname NOT LIKE '%_pkey'"],
    )?;
    let names = server.sql(database, &["SELECT string_agg(quote_ident(indexname), ', ') FROM pg_indexes WHERE tablename = 'appointment' AND indexname NOT LIKE '%_pkey'"])?;
    let drop_indexes = format!("DROP INDEX {names}");
    let fill = statements(true, bookings, phones, doctors);
    let mut all = vec![
        "SET synchronous_commit = off",
        "SET maintenance_work_mem = '1GB'",
        "SET work_mem = '256MB'",
        drop_indexes.as_str(),
    ];
    all.extend(fill.iter().map(String::as_str));
    all.extend(made.lines());
    all.extend(["VACUUM ANALYZE appointment", "VACUUM ANALYZE slot", "VACUUM ANALYZE clinic", "CHECKPOINT"]);
    server.sql(database, &all).map(drop)
}

/// Fills an SQLite file that nobody has open.
pub(super) async fn sqlite(file: &Path, bookings: u64, phones: u64) -> Result<()> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Off)
        .synchronous(SqliteSynchronous::Off)
        .foreign_keys(false)
        .pragma("cache_size", "-1000000")
        .pragma("temp_store", "MEMORY");
    let mut db = SqliteConnection::connect_with(&options).await?;
    let one = db.fetch_one("SELECT count(*) FROM doctor").await?;
    let doctors = u64::try_from(one.try_get::<i64, _>(0)?)?;
    let indexes = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'appointment' AND sql IS NOT NULL";
    let indexes: Vec<(String, String)> = db
        .fetch_all(indexes)
        .await?
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect::<Result<_, sqlx::Error>>()?;
    for (name, _) in &indexes {
        run(&mut db, &format!("DROP INDEX {name}")).await?;
    }
    for statement in statements(false, bookings, phones, doctors) {
        run(&mut db, &statement).await?;
    }
    for (_, sql) in &indexes {
        run(&mut db, sql).await?;
    }
    // As the program itself does it, from time to time.
    run(&mut db, "PRAGMA optimize").await?;
    db.close().await?;
    Ok(())
}

/// The statements are ours, made of numbers that we chose.
async fn run(db: &mut SqliteConnection, statement: &str) -> Result<()> {
    db.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())))
        .await
        .map(drop)
        .with_context(|| statement.to_owned())
}
