//! Which persons an account may act for. Whoever books, pays or reads for a person asks here first.

use ::store::{Db, Result, Tx};
use base::HospitalId;
use edge::AccountId;

use crate::model::{BoundPerson, PersonId};
use crate::store::person;

/// The person, if this account is bound to them; `None` is all that others may learn.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn find(
    tx: &mut Tx,
    hospital: HospitalId,
    account: AccountId,
    person: PersonId,
) -> Result<Option<BoundPerson>> {
    Ok(person::known(tx, hospital, account, person).await?.map(|k| k.bound))
}

/// All persons of an account: the default one first, then in the order in which they were bound.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn list(db: &Db, hospital: HospitalId, account: AccountId) -> Result<Vec<BoundPerson>> {
    Ok(person::list(db, hospital, account).await?.into_iter().map(|k| k.bound).collect())
}

/// The persons among these pairs of account and person that the account is bound to, each with its account: for the booking
/// desk, which asks for many people at once, in the transaction that books for them.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn of_pairs(
    tx: &mut Tx,
    hospital: HospitalId,
    pairs: &[(AccountId, PersonId)],
) -> Result<Vec<(AccountId, BoundPerson)>> {
    person::of_pairs(tx, hospital, pairs).await
}
