//! The SQL of records: finding, merging, closing, handing over.

pub(crate) mod import;
pub(crate) mod texts;

use ::store::value::{FromRow, One, Row};
use ::store::{Db, Result, Sealed, Tx, args};
use base::{Date, HospitalId, UnixMs};
use edge::AccountId;

use super::MergeId;
use crate::model::{CardKind, DocumentKind, PersonId, Sex};

::store::statements! {
    REC_BY_ID = "SELECT p.id, p.name, p.name_masked, p.birth_date, p.sex, p.phone_masked, p.verified_at, p.created_at, d.kind AS document_kind, d.number_masked,
             (SELECT CAST(COUNT(*) AS BIGINT) FROM binding b WHERE b.hospital_id = p.hospital_id AND b.person_id = p.id AND b.voided_at IS NULL) AS phones
         FROM person p LEFT JOIN person_document d ON d.hospital_id = p.hospital_id AND d.person_id = p.id AND d.is_main = 1 AND d.voided_at IS NULL
         WHERE p.hospital_id = $1 AND p.id = $2 AND p.merged_into IS NULL AND p.locked_at IS NULL";
    REC_BY_NAME = "SELECT p.id, p.name, p.name_masked, p.birth_date, p.sex, p.phone_masked, p.verified_at, p.created_at, d.kind AS document_kind, d.number_masked,
             (SELECT CAST(COUNT(*) AS BIGINT) FROM binding b WHERE b.hospital_id = p.hospital_id AND b.person_id = p.id AND b.voided_at IS NULL) AS phones
         FROM person p LEFT JOIN person_document d ON d.hospital_id = p.hospital_id AND d.person_id = p.id AND d.is_main = 1 AND d.voided_at IS NULL
         WHERE p.hospital_id = $1 AND p.name_blind = $2 AND p.merged_into IS NULL AND p.locked_at IS NULL ORDER BY p.created_at, p.id LIMIT 50";
    REC_BY_PHONE = "SELECT p.id, p.name, p.name_masked, p.birth_date, p.sex, p.phone_masked, p.verified_at, p.created_at, d.kind AS document_kind, d.number_masked,
             (SELECT CAST(COUNT(*) AS BIGINT) FROM binding b WHERE b.hospital_id = p.hospital_id AND b.person_id = p.id AND b.voided_at IS NULL) AS phones
         FROM person p LEFT JOIN person_document d ON d.hospital_id = p.hospital_id AND d.person_id = p.id AND d.is_main = 1 AND d.voided_at IS NULL
         WHERE p.hospital_id = $1 AND p.phone_blind = $2 AND p.merged_into IS NULL AND p.locked_at IS NULL ORDER BY p.created_at, p.id LIMIT 50";
    REC_ID_OF_DOCUMENT = "SELECT person_id FROM person_document WHERE hospital_id = $1 AND number_blind = $2 AND voided_at IS NULL";
    REC_ID_OF_CARD = "SELECT person_id FROM card WHERE hospital_id = $1 AND kind = $2 AND number_blind = $3 AND voided_at IS NULL";
    MERGED_ON = "UPDATE person SET merged_into = $3, changed_at = $4 WHERE hospital_id = $1 AND id = $2 AND merged_into IS NULL";
    MERGED_OFF = "UPDATE person SET merged_into = NULL, changed_at = $3 WHERE hospital_id = $1 AND id = $2";
    MERGE_ADD = "INSERT INTO person_merge (hospital_id, id, kept_id, gone_id, reason, moved, merged_by, merged_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    MERGE_GET = "SELECT id, kept_id, gone_id, reason, moved, merged_by, merged_at, undone_at FROM person_merge WHERE hospital_id = $1 AND id = $2";
    MERGE_LIST = "SELECT id, kept_id, gone_id, reason, moved, merged_by, merged_at, undone_at FROM person_merge WHERE hospital_id = $1 ORDER BY merged_at DESC, id DESC LIMIT 200";
    MERGE_UNDONE = "UPDATE person_merge SET undone_at = $3, undone_by = $4 WHERE hospital_id = $1 AND id = $2 AND undone_at IS NULL";
    MERGE_LATER = "SELECT CAST(COUNT(*) AS BIGINT) FROM person_merge WHERE hospital_id = $1 AND undone_at IS NULL AND gone_id = $2";
    BINDINGS_OF = "SELECT id, account_id FROM binding WHERE hospital_id = $1 AND person_id = $2 AND voided_at IS NULL";
    BINDING_MOVE = "UPDATE binding SET person_id = $3 WHERE hospital_id = $1 AND id = $2";
    BINDING_VOID = "UPDATE binding SET voided_at = $3, voided_by = $4, is_default = 0 WHERE hospital_id = $1 AND id = $2 AND voided_at IS NULL";
    BINDING_REVIVE = "UPDATE binding SET voided_at = NULL, voided_by = NULL WHERE hospital_id = $1 AND id = $2 AND voided_by = $3
         AND NOT EXISTS (SELECT 1 FROM binding o WHERE o.hospital_id = binding.hospital_id AND o.account_id = binding.account_id
             AND o.person_id = binding.person_id AND o.voided_at IS NULL)";
    DOCUMENTS_OF = "SELECT id, is_main FROM person_document WHERE hospital_id = $1 AND person_id = $2 AND voided_at IS NULL";
    DOCUMENT_MOVE = "UPDATE person_document SET person_id = $3, is_main = $4 WHERE hospital_id = $1 AND id = $2";
    CARDS_LIVE = "SELECT id, kind FROM card WHERE hospital_id = $1 AND person_id = $2 AND voided_at IS NULL";
    CARD_MOVE = "UPDATE card SET person_id = $3 WHERE hospital_id = $1 AND id = $2";
    CONSENT_IDS = "SELECT id, kind FROM consent WHERE hospital_id = $1 AND person_id = $2 ORDER BY id";
    CONSENT_MOVE = "UPDATE consent SET person_id = $3 WHERE hospital_id = $1 AND id = $2";
    LOCK_RECORD = "UPDATE person SET locked_at = $3, purge_after = $4, changed_at = $3 WHERE hospital_id = $1 AND id = $2 AND locked_at IS NULL AND merged_into IS NULL";
    VOID_BINDINGS = "UPDATE binding SET voided_at = $3, voided_by = $4, is_default = 0 WHERE hospital_id = $1 AND person_id = $2 AND voided_at IS NULL";
    VOID_DOCUMENTS = "UPDATE person_document SET voided_at = $3, voided_by = $4 WHERE hospital_id = $1 AND person_id = $2 AND voided_at IS NULL";
    VOID_CARDS = "UPDATE card SET voided_at = $3, voided_by = $4 WHERE hospital_id = $1 AND person_id = $2 AND voided_at IS NULL";
    WITHDRAW = "UPDATE consent SET withdrawn_at = $4 WHERE hospital_id = $1 AND account_id = $2 AND person_id = $3 AND withdrawn_at IS NULL";
    CONSENTS_OF = "SELECT kind, version, lang, given_at, withdrawn_at FROM consent WHERE hospital_id = $1 AND person_id = $2 ORDER BY given_at, id";
    HOLDERS_OF = "SELECT b.account_id, b.relation, b.bound_at, p.masked FROM binding b
         LEFT JOIN account_phone p ON p.hospital_id = b.hospital_id AND p.account_id = b.account_id
         WHERE b.hospital_id = $1 AND b.person_id = $2 AND b.voided_at IS NULL ORDER BY b.bound_at, b.id";
    SEALED_OF = "SELECT p.name, p.phone, d.number FROM person p
         LEFT JOIN person_document d ON d.hospital_id = p.hospital_id AND d.person_id = p.id AND d.is_main = 1 AND d.voided_at IS NULL
         WHERE p.hospital_id = $1 AND p.id = $2";
    PURGE_DUE = "SELECT hospital_id, id FROM person WHERE purge_after IS NOT NULL AND purge_after <= $1 LIMIT 100";
    PURGE_PERSON = "UPDATE person SET name = $3, name_masked = '', name_blind = '', birth_date = NULL, sex = 'unknown', phone = NULL, phone_masked = NULL,
             phone_blind = NULL, purge_after = NULL, changed_at = $4 WHERE hospital_id = $1 AND id = $2";
    PURGE_DOCUMENTS = "UPDATE person_document SET number = $3, number_masked = '', number_blind = id, tail_blind = '' WHERE hospital_id = $1 AND person_id = $2";
    PURGE_CARDS = "UPDATE card SET number = $3, number_masked = '', number_blind = id WHERE hospital_id = $1 AND person_id = $2";
    OF_AGE = "SELECT DISTINCT p.id FROM person p
         JOIN binding b ON b.hospital_id = p.hospital_id AND b.person_id = p.id AND b.voided_at IS NULL AND b.relation <> 'self'
         WHERE p.hospital_id = $1 AND p.birth_date > $2 AND p.birth_date <= $3 AND p.merged_into IS NULL AND p.locked_at IS NULL
             AND b.bound_at < $4
             AND NOT EXISTS (SELECT 1 FROM hand_over o WHERE o.hospital_id = p.hospital_id AND o.person_id = p.id) LIMIT 100";
    HAND_OVER_ADD = "INSERT INTO hand_over (hospital_id, person_id, told_at, ends_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    HAND_OVER_DUE = "SELECT hospital_id, person_id, told_at FROM hand_over WHERE ended_at IS NULL AND ends_at <= $1 LIMIT 100";
    HAND_OVER_END = "UPDATE hand_over SET ended_at = $3 WHERE hospital_id = $1 AND person_id = $2 AND ended_at IS NULL";
    GUARDIANS_OF = "SELECT id, account_id FROM binding WHERE hospital_id = $1 AND person_id = $2 AND voided_at IS NULL AND relation <> 'self' AND bound_at < $3";
}

/// A patient as lists show them.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Who.
    pub id: PersonId,
    /// The name, sealed.
    pub name: Sealed,
    /// The name with all but its first character covered.
    pub name_masked: String,
    /// The birth date.
    pub birth: Option<Date>,
    /// The sex.
    pub sex: Sex,
    /// The phone on file, masked.
    pub phone_masked: Option<String>,
    /// Whether the hospital has seen the document.
    pub verified: bool,
    /// The main document's kind …
    pub document_kind: Option<DocumentKind>,
    /// … and number, masked.
    pub number_masked: Option<String>,
    /// How many accounts they are bound to.
    pub phones: i64,
    /// Since when they are on file.
    pub created_at: UnixMs,
}

impl FromRow for Found {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            name: row.get("name")?,
            name_masked: row.get("name_masked")?,
            birth: row.get("birth_date")?,
            sex: row.get("sex")?,
            phone_masked: row.get("phone_masked")?,
            verified: row.get::<Option<UnixMs>>("verified_at")?.is_some(),
            document_kind: row.get("document_kind")?,
            number_masked: row.get("number_masked")?,
            phones: row.get("phones")?,
            created_at: row.get("created_at")?,
        })
    }
}

pub(crate) async fn by_id(db: &Db, h: HospitalId, id: PersonId) -> Result<Option<Found>> {
    db.opt(REC_BY_ID, args![h, id]).await
}

pub(crate) async fn by_name(db: &Db, h: HospitalId, blind: &str) -> Result<Vec<Found>> {
    db.all(REC_BY_NAME, args![h, blind]).await
}

pub(crate) async fn by_phone(db: &Db, h: HospitalId, blind: &str) -> Result<Vec<Found>> {
    db.all(REC_BY_PHONE, args![h, blind]).await
}

pub(crate) async fn by_document(db: &Db, h: HospitalId, blind: &str) -> Result<Option<Found>> {
    match db.opt::<One<PersonId>>(REC_ID_OF_DOCUMENT, args![h, blind]).await? {
        Some(id) => by_id(db, h, id.0).await,
        None => Ok(None),
    }
}

pub(crate) async fn by_card(db: &Db, h: HospitalId, kind: CardKind, blind: &str) -> Result<Option<Found>> {
    match db.opt::<One<PersonId>>(REC_ID_OF_CARD, args![h, kind, blind]).await? {
        Some(id) => by_id(db, h, id.0).await,
        None => Ok(None),
    }
}

/// A merge on record.
#[derive(Debug, Clone)]
pub struct MergeRow {
    /// Its id.
    pub id: MergeId,
    /// The record that counts.
    pub kept: PersonId,
    /// The record that was one too many.
    pub gone: PersonId,
    /// Why, as staff wrote it.
    pub reason: String,
    pub(crate) moved: String,
    /// By whom.
    pub by: String,
    /// When.
    pub at: UnixMs,
    /// When it was undone.
    pub undone_at: Option<UnixMs>,
}

impl FromRow for MergeRow {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            kept: row.get("kept_id")?,
            gone: row.get("gone_id")?,
            reason: row.get("reason")?,
            moved: row.get("moved")?,
            by: row.get("merged_by")?,
            at: row.get("merged_at")?,
            undone_at: row.get("undone_at")?,
        })
    }
}

/// An id and what stands beside it.
pub(crate) async fn pairs<T: ::store::FromValue>(
    tx: &mut Tx,
    sql: ::store::Sql,
    h: HospitalId,
    person: PersonId,
    beside: &str,
) -> Result<Vec<(String, T)>> {
    let rows: Vec<Row> = tx.all(sql, args![h, person]).await?;
    rows.iter().map(|row| Ok((row.get("id")?, row.get(beside)?))).collect()
}

/// Somebody who has come of age, and the accounts that still hold them as a child.
pub(crate) async fn guardians(
    tx: &mut Tx,
    h: HospitalId,
    person: PersonId,
    before: UnixMs,
) -> Result<Vec<(String, AccountId)>> {
    let rows: Vec<Row> = tx.all(GUARDIANS_OF, args![h, person, before]).await?;
    rows.iter().map(|row| Ok((row.get("id")?, row.get("account_id")?))).collect()
}
