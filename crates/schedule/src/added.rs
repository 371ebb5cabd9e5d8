//! Places beyond the plan: a segment grows by one for one person, and shrinks when they give it up.
//!
//! Capacity, taken places and the doctor's channel change together, so that what is left for everybody else stays the same.
//! Locks come in the order of all who change stock: slots (the caller has locked them), lines, then the clinic.

use base::HospitalId;
use store::value::Row;
use store::{Db, Result, Tx, args};

use crate::model::ClinicId;
use crate::plan;
use crate::quota::{Channel, Line, keep};
use crate::stock::Stock;
use crate::store::added as sql;

/// How many numbers were added to a clinic, and how many may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// Added so far and not given up.
    pub used: i64,
    /// The most; the hospital's setting where the clinic has no limit of its own.
    pub limit: i64,
}

/// Counts one more number that is added to a clinic; false when its limit (`by_setting` where it has none of its own) is
/// reached. Compared and counted in one statement: two who add at the same moment can't both have the last one.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn allow(tx: &mut Tx, hospital: HospitalId, clinic: ClinicId, by_setting: u32) -> Result<bool> {
    Ok(tx.exec(sql::ALLOW, args![hospital, clinic, i64::from(by_setting)]).await? == 1)
}

/// Takes back what [`allow`] counted.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn disallow(tx: &mut Tx, hospital: HospitalId, clinic: ClinicId) -> Result<()> {
    tx.exec(sql::DISALLOW, args![hospital, clinic]).await.map(drop)
}

/// How a clinic stands against its limit; `None` when there is no such clinic.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn used(db: &Db, hospital: HospitalId, clinic: ClinicId, by_setting: u32) -> Result<Option<Used>> {
    let row: Option<Row> = db.opt(sql::USED, args![hospital, clinic]).await?;
    row.map(|row| {
        let limit: Option<i64> = row.get("add_on_limit")?;
        Ok(Used { used: row.get("add_ons")?, limit: limit.unwrap_or_else(|| i64::from(by_setting)) })
    })
    .transpose()
}

/// A slot that has a place more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grown {
    /// The lines of its clinic as they stand then, where it is divided.
    pub lines: Option<Vec<Line>>,
}

/// Adds a place to a locked slot and takes it at once, with the next number, on the doctor's channel. `None` when the slot was
/// stopped: then nothing changes.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn grow(tx: &mut Tx, hospital: HospitalId, stock: &Stock) -> Result<Option<Grown>> {
    let now = tx.now();
    if tx.exec(sql::GROW, args![hospital, stock.slot, now]).await? == 0 {
        return Ok(None);
    }
    let lines =
        if stock.divided { keep::widen(tx, hospital, stock.clinic, Channel::Doctor).await? } else { None };
    plan::bump(tx, hospital).await?;
    Ok(Some(Grown { lines }))
}

/// Takes an added place away again, with the person who had it. Gives the lines of the clinic where it is divided.
///
/// # Errors
/// [`store::StoreError::NoRow`] when the slot has no added place; any other [`store::StoreError`].
pub async fn shrink(tx: &mut Tx, hospital: HospitalId, stock: &Stock) -> Result<Option<Vec<Line>>> {
    let now = tx.now();
    if tx.exec(sql::SHRINK, args![hospital, stock.slot, now]).await? == 0 {
        return Err(store::StoreError::NoRow);
    }
    let lines =
        if stock.divided { keep::narrow(tx, hospital, stock.clinic, Channel::Doctor).await? } else { None };
    plan::bump(tx, hospital).await?;
    Ok(lines)
}
