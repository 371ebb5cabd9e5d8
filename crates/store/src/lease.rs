//! Leases: one node at a time does a thing. A node that dies loses its lease when the time is over.

use std::time::Duration;

use crate::{Db, Result, Value, args};

crate::statements! {
    TAKE = "INSERT INTO lease (name, owner, until, fence) VALUES ($1, $2, $3, 1)
            ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until, fence = lease.fence + 1
            WHERE lease.until <= $4 OR lease.owner = excluded.owner
            RETURNING fence";
    GIVE_BACK = "UPDATE lease SET until = 0 WHERE name = $1 AND owner = $2";
    GIVE_BACK_ALL = "UPDATE lease SET until = 0 WHERE owner = $1";
}

/// A lease that this node holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// What it is for.
    pub name: String,
    /// Goes up each time it is taken: whoever acts on an older number has lost it.
    pub fence: i64,
}

/// Takes or prolongs the lease `name` for `how_long`; `None` while another node has it.
///
/// # Errors
/// Any [`crate::StoreError`].
pub async fn take(db: &Db, name: &str, how_long: Duration) -> Result<Option<Lease>> {
    let mut tx = db.begin().await?;
    let now = tx.now();
    let fence =
        tx.opt::<crate::value::One<i64>>(TAKE, args![name, db.node(), now.plus(how_long), now]).await?;
    tx.commit().await?;
    Ok(fence.map(|f| Lease { name: name.to_owned(), fence: f.0 }))
}

/// Gives a lease back before its time.
///
/// # Errors
/// Any [`crate::StoreError`]; the lease then runs out by itself.
pub async fn give_back(db: &Db, name: &str) -> Result<()> {
    run(db, GIVE_BACK, args![name, db.node()]).await
}

/// Gives all leases of this node back; part of stopping.
///
/// # Errors
/// As [`give_back`].
pub async fn give_back_all(db: &Db) -> Result<()> {
    run(db, GIVE_BACK_ALL, args![db.node()]).await
}

async fn run(db: &Db, sql: crate::Sql, args: Vec<Value>) -> Result<()> {
    let mut tx = db.begin().await?;
    tx.exec(sql, args).await?;
    tx.commit().await
}
