//! What is owed. A charge is written down when somebody first means to pay it, so that what nobody pays online costs nothing.

use base::{Date, Fen, HospitalId};
use edge::Hospital;
use store::{Db, Result, StoreError, Tx};

use crate::model::{Charge, ChargeId, ChargeState, Item};
use crate::payable::Bill;
use crate::store::charge::{self as sql, Price};

/// The charge of a thing, made when there is none.
///
/// # Errors
/// [`StoreError::Config`] when its lines make no amount; any other [`StoreError`].
pub async fn open(
    tx: &mut Tx,
    hospital: HospitalId,
    kind: &str,
    subject: &str,
    bill: &Bill,
) -> Result<Charge> {
    let known = sql::of_subject(tx, hospital, kind, subject).await?;
    if let Some(known) = known.filter(|known| known.state != ChargeState::Returned) {
        return sql::lock(tx, hospital, known.id).await?.ok_or(StoreError::NoRow);
    }
    let total = total(&bill.items)
        .filter(|total| *total > Fen::ZERO)
        .ok_or_else(|| StoreError::Config(format!("the lines of {subject} make no amount")))?;
    let charge = Charge {
        hospital,
        id: ChargeId::new(),
        kind: kind.to_owned(),
        subject: subject.to_owned(),
        person: bill.person,
        account: bill.account,
        department: bill.department.clone(),
        title: bill.title.clone(),
        total,
        state: ChargeState::Open,
        pay_until: bill.pay_until,
        due: bill.due,
        done_at: None,
        recognised_at: None,
        served_by: None,
        created_at: tx.now(),
    };
    if sql::insert(tx, &charge, &bill.items, bill.remind).await? {
        return Ok(charge);
    }
    // Another node was faster: theirs is the one.
    let known = sql::of_subject(tx, hospital, kind, subject).await?.ok_or(StoreError::NoRow)?;
    sql::lock(tx, hospital, known.id).await?.ok_or(StoreError::NoRow)
}

/// The sum of lines; `None` when that is no amount.
#[must_use]
pub fn total(items: &[Item]) -> Option<Fen> {
    items.iter().try_fold(Fen::ZERO, |sum, item| sum.checked_add(item.amount()?))
}

/// A thing was moved: what is owed or paid for it goes with it.
///
/// # Errors
/// Any [`StoreError`].
pub async fn follow(
    tx: &mut Tx,
    hospital: HospitalId,
    kind: &str,
    from: &str,
    to: &str,
    due: Date,
) -> Result<()> {
    sql::follow(tx, hospital, kind, (from, to), due).await.map(drop)
}

/// Whether a thing is paid, and how much for.
///
/// # Errors
/// Any [`StoreError`].
pub async fn of_subject(
    tx: &mut Tx,
    hospital: HospitalId,
    kind: &str,
    subject: &str,
) -> Result<Option<Charge>> {
    sql::of_subject(tx, hospital, kind, subject).await
}

/// Whether a thing is paid for and was given, as of the last commit.
///
/// # Errors
/// Any [`StoreError`].
pub async fn is_settled(db: &Db, hospital: HospitalId, kind: &str, subject: &str) -> Result<bool> {
    let charge = sql::read_of_subject(db, hospital, kind, subject).await?;
    Ok(charge.is_some_and(|charge| charge.state == ChargeState::Settled))
}

/// Sets a line of the price list.
///
/// # Errors
/// Any [`StoreError`].
pub async fn set_price(tx: &mut Tx, hospital: HospitalId, price: &Price) -> Result<()> {
    sql::set_price(tx, hospital, price).await
}

/// A line of the price list as a line of a charge.
///
/// # Errors
/// Any [`StoreError`].
pub async fn priced(tx: &mut Tx, hospital: &Hospital, code: &str, count: u32) -> Result<Option<Item>> {
    let found = sql::price(tx, hospital.id, code).await?;
    Ok(found.map(|price| Item { code: price.code, name: price.name, price: price.price, count }))
}
