//! Persons whom the hospital itself brings: from its records, from the desk, in the demo. No code is asked for here, so nothing
//! of this is reachable from a patient's phone.

use ::store::{Result, Tx, Vault};
use base::{Date, HospitalId};
use edge::AccountId;

use crate::cover;
use crate::documents::{Document, Mobile};
use crate::model::{PersonId, Relation, Sex};
use crate::names::RealName;
use crate::store::person::{self, NewRow};

/// A person as the hospital knows them.
#[derive(Debug, Clone)]
pub struct NewPatient {
    /// The name.
    pub name: RealName,
    /// The document, if one is on file.
    pub document: Option<Document>,
    /// The birth date; the document's own counts more.
    pub birth: Option<Date>,
    /// The sex; the document's own counts more.
    pub sex: Sex,
    /// The phone on file, by which they can bind themselves.
    pub phone: Option<Mobile>,
    /// Whether somebody of the hospital has seen the document.
    pub verified: bool,
}

/// Puts a person on file. Somebody with this document, or without one but with this name, phone and birth date, is on file
/// already and is given back as they are.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn add(tx: &mut Tx, vault: &Vault, h: HospitalId, new: &NewPatient) -> Result<PersonId> {
    match find(tx, vault, h, new).await? {
        Some(id) => Ok(id),
        None => put(tx, vault, h, new).await,
    }
}

/// Who of those on file this is: by the document, or without one by name, phone and birth date.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn find(tx: &mut Tx, vault: &Vault, h: HospitalId, new: &NewPatient) -> Result<Option<PersonId>> {
    if let Some(document) = &new.document {
        let blind = cover::document_blind(vault, h, document);
        return Ok(person::by_document(tx, h, &blind).await?.map(|c| c.id));
    }
    let Some(phone) = &new.phone else { return Ok(None) };
    let (phone, name) = (cover::phone_blind(vault, h, phone), cover::name_blind(vault, h, &new.name));
    let near = person::by_name_and_phone(tx, h, &phone, &name).await?;
    Ok(near.iter().find(|c| c.birth == new.birth).map(|c| c.id))
}

/// Puts somebody on file who is not there: see [`find`].
///
/// # Errors
/// Any [`::store::StoreError`].
pub(crate) async fn put(tx: &mut Tx, vault: &Vault, h: HospitalId, new: &NewPatient) -> Result<PersonId> {
    let birth = new.document.as_ref().and_then(|d| d.birth).or(new.birth);
    let sex = new.document.as_ref().and_then(|d| d.sex).unwrap_or(new.sex);
    let name = cover::name(vault, h, &new.name)?;
    let phone = new.phone.as_ref().map(|p| cover::phone(vault, h, p)).transpose()?;
    let number = new.document.as_ref().map(|d| cover::document(vault, h, d)).transpose()?;
    let row = NewRow { name, birth, sex, phone, source: "hospital", verified: new.verified };
    let id = person::add(tx, h, row).await?;
    if let (Some(document), Some(number)) = (&new.document, &number) {
        let tail = cover::tail(vault, h, id, &document.tail());
        person::add_document(tx, h, id, document.kind, document.country.as_deref(), number, &tail).await?;
    }
    Ok(id)
}

/// Binds a person to an account as the desk does, who sees both. The first one becomes the default. False when they are
/// bound already, or are to be the account's holder and there is one.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn bind(
    tx: &mut Tx,
    h: HospitalId,
    account: AccountId,
    person: PersonId,
    relation: Relation,
) -> Result<bool> {
    let first = person::count(tx, h, account).await? == 0;
    person::bind(tx, h, account, person, relation, first).await
}

/// What may be known of a person without opening anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The name with all but its first character covered.
    pub name_masked: String,
    /// The birth date, if it is on file.
    pub birth_date: Option<Date>,
}

/// What may be known of a person of this hospital without opening anything.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn facts(tx: &mut Tx, h: HospitalId, person: PersonId) -> Result<Option<Facts>> {
    let found = person::facts(tx, h, person).await?;
    Ok(found.map(|row| Facts { name_masked: row.name_masked, birth_date: row.birth }))
}
