//! Clinics that are over.

use base::{Date, HospitalId, UnixMs};
use store::value::One;
use store::{Db, Result, args};

use crate::model::ClinicId;
use crate::store as sql;

/// Clinics on these days whose last segment ended at `before` or earlier.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn ended(
    db: &Db,
    hospital: HospitalId,
    from: Date,
    until: Date,
    before: UnixMs,
) -> Result<Vec<ClinicId>> {
    let rows: Vec<One<ClinicId>> = db.all(sql::ENDED, args![hospital, from, until, before]).await?;
    Ok(rows.into_iter().map(|one| one.0).collect())
}
