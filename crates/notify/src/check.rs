//! What must always hold of messages, derived again from the rows: part of `xinglin check events`. Read-only, on a database
//! in use.

use store::check::{Found, LATE};
use store::{Db, Result};

use crate::store::look;

/// Each message was told once, waits, or is known to be unknown; none is stuck.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn messages(db: &Db) -> Result<Found> {
    let now = db.now();
    let mut found = Found::default();
    look::messages(db, now, now.minus(LATE), &mut found).await?;
    Ok(found)
}
