//! How accounts and persons can be reached, for whoever sends messages.

use std::time::Duration;

use ::store::vault::Purpose;
use ::store::{AuditEntry, Db, Result, Sealed, StoreError, Tx, Vault};
use base::HospitalId;
use edge::AccountId;

use crate::cover;
use crate::documents::Mobile;
use crate::model::{Contact, PersonId};
use crate::store::{PHONE, account, person};

/// After a message of theirs we may answer in the chat for so long (`wechat.md` 4).
pub const CHAT_WINDOW: Duration = Duration::from_secs(48 * 3600);

/// How an account can be told something.
///
/// # Errors
/// [`StoreError::NoRow`] when there is no such account; any other [`StoreError`].
pub async fn of_account(db: &Db, hospital: HospitalId, id: AccountId) -> Result<Contact> {
    let found = account::get(db, hospital, id).await?.ok_or(StoreError::NoRow)?;
    let wechat = account::openids(db, hospital, id).await?;
    Ok(Contact { lang: found.lang, elder: found.elder, wechat, phone: found.phone })
}

/// The account that has proven a phone, or else of whoever is on file themselves with it; if there is one.
///
/// # Errors
/// Any [`StoreError`].
pub async fn account_of_phone(
    tx: &mut Tx,
    vault: &Vault,
    hospital: HospitalId,
    phone: &Mobile,
) -> Result<Option<AccountId>> {
    let blind = cover::phone_blind(vault, hospital, phone);
    match account::by_phone(tx, hospital, &blind).await? {
        Some(account) => Ok(Some(account)),
        None => person::account_of_own_phone(tx, hospital, &blind).await,
    }
}

/// The accounts that are bound to a person, in the order in which they were bound.
///
/// # Errors
/// Any [`StoreError`].
pub async fn of_person(db: &Db, hospital: HospitalId, person: PersonId) -> Result<Vec<AccountId>> {
    person::holders(db, hospital, person).await
}

/// Who can be told something, and how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reach {
    /// All accounts.
    pub accounts: i64,
    /// Follow one of our WeChat accounts.
    pub following: i64,
    /// Of these: wrote within 48 hours.
    pub chat_open: i64,
    /// Do not follow, but proved a phone.
    pub by_phone: i64,
}

/// How many accounts can be told something by which way.
///
/// # Errors
/// Any [`StoreError`].
pub async fn reach(db: &Db, hospital: HospitalId) -> Result<Reach> {
    account::reach(db, hospital).await
}

/// The phone that is on file for a person, for [`open_phone`].
///
/// # Errors
/// Any [`StoreError`].
pub async fn phone_of_person(db: &Db, hospital: HospitalId, person: PersonId) -> Result<Option<Sealed>> {
    person::phone(db, hospital, person).await
}

/// Opens a phone number that [`of_account`] or [`phone_of_person`] gave: eleven digits. Not audited here: whoever sends
/// a message writes down to whom.
///
/// # Errors
/// [`StoreError::Sealed`] when its key is not at hand.
pub fn open_phone(vault: &Vault, hospital: HospitalId, phone: &Sealed, purpose: Purpose) -> Result<String> {
    vault.open_sealed(hospital, PHONE, phone, purpose)
}

/// A person's full name. That it was opened, and what for, goes to the audit log.
///
/// # Errors
/// [`StoreError::NoRow`] when there is no such person; any other [`StoreError`].
pub async fn name_of(
    db: &Db,
    vault: &Vault,
    hospital: HospitalId,
    person: PersonId,
    purpose: Purpose,
) -> Result<String> {
    let sealed = person::name(db, hospital, person).await?.ok_or(StoreError::NoRow)?;
    let name = vault.open_sealed(hospital, crate::store::NAME, &sealed, purpose)?;
    let mut tx = db.begin().await?;
    tx.audit(AuditEntry {
        hospital,
        actor: "system".into(),
        action: "person.open",
        entity: person.to_string(),
        detail: serde_json::json!({"fields": ["name"], "purpose": purpose_code(purpose)}),
        request_id: "system".into(),
        source: "system".into(),
    })
    .await?;
    tx.commit().await?;
    Ok(name)
}

/// How the audit log names a purpose.
pub(crate) fn purpose_code(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::ShowOwner => "show_owner",
        Purpose::ShowStaff => "show_staff",
        Purpose::Notify => "notify",
        Purpose::Match => "match",
        Purpose::Export => "export",
        Purpose::Maintain => "maintain",
    }
}
