//! What must always hold, derived again from the rows: `xinglin check stock`.

use store::{Db, Result};

use crate::store as sql;

/// What a look found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Slots that were looked at.
    pub slots: i64,
    /// Appointments that were looked at.
    pub appointments: i64,
    /// What is wrong, in words.
    pub faults: Vec<String>,
}

/// Compares places taken with live appointments, and looks at numbers: 1 to the last of each slot all exist. Read-only; on
/// a database in use a slot may be caught between two statements, so what is off is looked at again.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn stock(db: &Db) -> Result<Found> {
    let (slots, appointments) = sql::totals(db).await?;
    let mut faults = sql::off(db).await?;
    if !faults.is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        let again = sql::off(db).await?;
        faults.retain(|fault| again.contains(fault));
    }
    Ok(Found { slots, appointments, faults })
}
