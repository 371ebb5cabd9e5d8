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
    let birth = new.document.as_ref().and_then(|d| d.birth).or(new.birth);
    let sex = new.document.as_ref().and_then(|d| d.sex).unwrap_or(new.sex);
    let name = cover::name(vault, h, &new.name)?;
    let phone = new.phone.as_ref().map(|p| cover::phone(vault, h, p)).transpose()?;
    let number = new.document.as_ref().map(|d| cover::document(vault, h, d)).transpose()?;
    let there = match (&number, &phone) {
        (Some(number), _) => person::by_document(tx, h, &number.blind).await?.map(|c| c.id),
        (None, Some(phone)) => {
            let near = person::by_name_and_phone(tx, h, &phone.blind, &name.blind).await?;
            near.iter().find(|c| c.birth == birth).map(|c| c.id)
        }
        (None, None) => None,
    };
    if let Some(id) = there {
        return Ok(id);
    }
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
    person::facts(tx, h, person).await
}
