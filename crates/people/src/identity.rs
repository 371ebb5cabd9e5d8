//! Who a person is to an authority that asks for name and document, such as the insurance bureau.

use ::store::vault::Purpose;
use ::store::{AuditEntry, Db, Result, Vault};
use base::{HospitalId, Secret};

use crate::contact::purpose_code;
use crate::model::{DocumentKind, PersonId};
use crate::store::{DOCUMENT, NAME};

/// A person's full name and main document.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The real name.
    pub name: Secret,
    /// What document it is.
    pub kind: DocumentKind,
    /// Its number.
    pub number: Secret,
}

/// Opens name and document of a person; `None` when no document is on file. That they were opened, by whom and what for, goes
/// to the audit log.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn of_person(
    db: &Db,
    vault: &Vault,
    hospital: HospitalId,
    person: PersonId,
    by: &str,
    purpose: Purpose,
) -> Result<Option<Identity>> {
    let Some(row) = crate::store::identity::who(db, hospital, person).await? else { return Ok(None) };
    let open = |column: &str, field| -> Result<Secret> {
        let sealed = row.get(column)?;
        vault.open_sealed(hospital, field, &sealed, purpose).map(Secret::new)
    };
    let identity =
        Identity { name: open("name", NAME)?, kind: row.get("kind")?, number: open("number", DOCUMENT)? };
    let mut tx = db.begin().await?;
    tx.audit(AuditEntry {
        hospital,
        actor: by.to_owned(),
        action: "person.open",
        entity: person.to_string(),
        detail: serde_json::json!({"fields": ["name", "document"], "purpose": purpose_code(purpose)}),
        request_id: "system".into(),
        source: "system".into(),
    })
    .await?;
    tx.commit().await?;
    Ok(Some(identity))
}
