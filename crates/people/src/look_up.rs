//! Finding a person on file for staff who have them before them or on the phone: by document, phone or whole name, each through
//! its keyed hash. What comes back is masked; a phone is opened one by one, with a reason that goes to the audit log.

use std::collections::HashMap;

use ::store::value::{FromRow, One, Row};
use ::store::vault::Purpose;
use ::store::{Db, Result, Sealed, Tx, Vault, args};
use base::{Date, HospitalId};
use edge::{AccountId, Caller};

use crate::cover;
use crate::documents::{Document, Mobile};
use crate::model::{DocumentKind, PersonId, Sex};
use crate::names::RealName;
use crate::store::{PHONE, account, look_up as sql};

/// At most so many are shown: whoever finds more than these asks for one thing more.
const MOST: i64 = 20;

/// A person as staff see them in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Who.
    pub person: PersonId,
    /// 张*
    pub name_masked: String,
    /// When they were born, if known.
    pub birth_date: Option<Date>,
    /// The sex.
    pub sex: Sex,
    /// The kind of the main document, when one is on file …
    pub document_kind: Option<DocumentKind>,
    /// … with its middle covered.
    pub number_masked: Option<String>,
    /// The phone on file, covered.
    pub phone_masked: Option<String>,
}

impl FromRow for Found {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            person: row.get("id")?,
            name_masked: row.get("name_masked")?,
            birth_date: row.get("birth_date")?,
            sex: row.get("sex")?,
            document_kind: row.get("document_kind")?,
            number_masked: row.get("number_masked")?,
            phone_masked: row.get("phone_masked")?,
        })
    }
}

/// By what somebody is looked for; what the document says counts most.
#[derive(Debug, Clone, Default)]
pub struct By {
    /// The number of a document.
    pub document: Option<Document>,
    /// The phone on file.
    pub phone: Option<Mobile>,
    /// The whole name, as it stands on the document.
    pub name: Option<RealName>,
}

/// Looks for people. That it was done, for how many, stands in the audit log with `caller`; what was typed does not.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn find(db: &Db, vault: &Vault, caller: &Caller, by: &By) -> Result<Vec<Found>> {
    let h = caller.hospital.id;
    let name = by.name.as_ref().map(|n| cover::name_blind(vault, h, n)).unwrap_or_default();
    let (found, how): (Vec<Found>, &str) = match (&by.document, &by.phone) {
        (Some(document), _) => {
            let blind = cover::document_blind(vault, h, document);
            (db.all(sql::BY_DOCUMENT, args![h, blind]).await?, "document")
        }
        (None, Some(phone)) => {
            let blind = cover::phone_blind(vault, h, phone);
            (db.all(sql::BY_PHONE, args![h, blind, &name, MOST]).await?, "phone")
        }
        (None, None) if !name.is_empty() => (db.all(sql::BY_NAME, args![h, &name, MOST]).await?, "name"),
        (None, None) => (Vec::new(), "nothing"),
    };
    let persons: Vec<String> = found.iter().map(|f| f.person.to_string()).collect();
    let mut tx = db.begin().await?;
    let detail = serde_json::json!({"by": how, "persons": persons});
    tx.audit(caller.audit("person.find", "person", detail)).await?;
    tx.commit().await?;
    Ok(found)
}

/// The masked faces of these persons.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn of_ids(db: &Db, h: HospitalId, persons: &[PersonId]) -> Result<HashMap<PersonId, Found>> {
    let ids: Vec<Option<String>> = persons.iter().map(|p| Some(p.db())).collect();
    let found: Vec<Found> = db.all(sql::BY_IDS, args![h, ids]).await?;
    Ok(found.into_iter().map(|one| (one.person, one)).collect())
}

/// One of them, in a transaction; `None` when nobody of this id is on file.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn get(tx: &mut Tx, h: HospitalId, person: PersonId) -> Result<Option<Found>> {
    let ids = vec![Some(person.db())];
    tx.opt(sql::BY_IDS, args![h, ids]).await
}

/// The accounts that are bound to a person, in the order in which they were bound.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn holders(tx: &mut Tx, h: HospitalId, person: PersonId) -> Result<Vec<AccountId>> {
    Ok(tx.all::<One<AccountId>>(sql::HOLDERS, args![h, person]).await?.into_iter().map(|one| one.0).collect())
}

/// Opens a person's phone for staff: the one on file, else the one that the first account that is bound to them has proven.
/// Who opened it and `why` go to the audit log in the caller's transaction. `None` when there is none.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn open_phone(
    tx: &mut Tx,
    vault: &Vault,
    caller: &Caller,
    person: PersonId,
    why: &str,
) -> Result<Option<String>> {
    let h = caller.hospital.id;
    let mut sealed: Option<Sealed> =
        tx.opt::<One<Sealed>>(sql::PHONE_OF, args![h, person]).await?.map(|one| one.0);
    if sealed.is_none()
        && let Some(first) = holders(tx, h, person).await?.first()
    {
        sealed = account::get_in(tx, h, *first).await?.and_then(|a| a.phone);
    }
    let Some(sealed) = sealed else { return Ok(None) };
    let phone = vault.open_sealed(h, PHONE, &sealed, Purpose::ShowStaff)?;
    let purpose = crate::contact::purpose_code(Purpose::ShowStaff);
    let detail = serde_json::json!({"fields": ["phone"], "purpose": purpose, "why": why});
    tx.audit(caller.audit("person.open", person, detail)).await?;
    Ok(Some(phone))
}
