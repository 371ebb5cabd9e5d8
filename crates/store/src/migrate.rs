//! Migrations: each capability brings its own, in order; what was applied is never edited.

use std::collections::HashMap;

use crate::value::{One, Row};
use crate::{Backend, Db, Result, StoreError, args};

/// One step of a capability's schema.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Whose tables it makes.
    pub capability: &'static str,
    /// `NNNN_what`; applied in this order within the capability.
    pub name: &'static str,
    /// The statements for SQLite …
    pub sqlite: &'static str,
    /// … and for PostgreSQL; nearly always the same text.
    pub postgres: &'static str,
}

/// A migration of one text for both databases: `migration!("people", "0001_people")` reads `migrations/0001_people.sql`.
#[macro_export]
macro_rules! migration {
    ($capability:literal, $name:literal) => {
        $crate::Migration {
            capability: $capability,
            name: $name,
            sqlite: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/", $name, ".sql")),
            postgres: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/", $name, ".sql")),
        }
    };
}

crate::statements! {
    APPLIED = "SELECT capability, name, checksum FROM schema_migration";
    STARTED = sqlite "SELECT CAST(COUNT(*) AS BIGINT) FROM sqlite_master WHERE type = 'table' AND name = 'schema_migration'"
              postgres "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT to_regclass('schema_migration') AS found) AS looked WHERE found IS NOT NULL";
    RECORD = "INSERT INTO schema_migration (capability, name, checksum, applied_at) VALUES ($1, $2, $3, $4)";
    LOCK = sqlite "SELECT 1" postgres "SELECT CAST(1 AS BIGINT) FROM (SELECT pg_advisory_xact_lock(7240931)) AS held";
}

const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migration (
    capability TEXT NOT NULL, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL,
    PRIMARY KEY (capability, name))";

/// Applies what is missing, all in one transaction; several nodes may start at once. Gives the names of what was applied.
///
/// # Errors
/// [`StoreError::Migration`] when the database holds a migration that this program does not know or knows otherwise.
pub async fn apply(db: &Db, migrations: &[Migration]) -> Result<Vec<String>> {
    let mut tx = db.begin().await?;
    let _: Vec<Row> = tx.all(LOCK, args![]).await?;
    tx.script(TABLE, TABLE).await?;
    let there = tx.all::<Row>(APPLIED, args![]).await?;
    let missing = missing(&there, migrations, tx.is_postgres())?;
    let mut applied = Vec::new();
    for m in missing {
        tx.script(m.sqlite, m.postgres).await.map_err(|e| {
            StoreError::Migration(format!(
                "{}/{}: {e}: {:?}",
                m.capability,
                m.name,
                std::error::Error::source(&e)
            ))
        })?;
        let now = tx.now();
        tx.exec(RECORD, args![m.capability, m.name, checksum(&m, tx.is_postgres()), now]).await?;
        applied.push(format!("{}/{}", m.capability, m.name));
    }
    tx.commit().await?;
    Ok(applied)
}

/// Whether the database has exactly what this program brings. Only looks, also while another program serves it.
///
/// # Errors
/// [`StoreError::Migration`] names what is missing or unknown.
pub async fn verify(db: &Db, migrations: &[Migration]) -> Result<()> {
    let mut there = Vec::new();
    if db.one::<One<i64>>(STARTED, args![]).await?.0 > 0 {
        there = db.all::<Row>(APPLIED, args![]).await?;
    }
    let missing = missing(&there, migrations, db.backend() == Backend::Postgres)?;
    match missing.first() {
        None => Ok(()),
        Some(m) => Err(StoreError::Migration(format!(
            "{}/{} is not applied: run `xinglin migrate`",
            m.capability, m.name
        ))),
    }
}

fn missing(applied: &[Row], migrations: &[Migration], postgres: bool) -> Result<Vec<Migration>> {
    let mut known: HashMap<(String, String), String> = HashMap::new();
    for row in applied {
        known.insert((row.get("capability")?, row.get("name")?), row.get("checksum")?);
    }
    let mut missing = Vec::new();
    for m in migrations {
        match known.remove(&(m.capability.to_owned(), m.name.to_owned())) {
            None => missing.push(*m),
            Some(sum) if sum == checksum(m, postgres) => {}
            Some(_) => {
                return Err(StoreError::Migration(format!(
                    "{}/{} was changed after it was applied",
                    m.capability, m.name
                )));
            }
        }
    }
    match known.into_keys().next() {
        None => Ok(missing),
        Some((capability, name)) => Err(StoreError::Migration(format!(
            "{capability}/{name} is in the database but not in this program: a newer one was here"
        ))),
    }
}

fn checksum(m: &Migration, postgres: bool) -> String {
    let text = if postgres { m.postgres } else { m.sqlite };
    hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes()))
}
