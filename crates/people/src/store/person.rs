//! Persons, their documents, who is bound to them, and what was agreed to.

use ::store::value::{FromRow, One, Row};
use ::store::{Db, Result, Sealed, Tx, args};
use base::{Date, HospitalId, Lang, UnixMs};
use edge::AccountId;

use crate::model::{BindingId, BoundPerson, ConsentKind, DocumentKind, PersonId, Relation, Sex};

::store::statements! {
    KNOWN = "SELECT b.id AS binding_id, b.person_id, b.relation, b.is_default, b.bound_at, p.name, p.name_masked, p.name_blind,
                 p.birth_date, p.sex, p.verified_at, p.phone_masked, d.kind AS document_kind, d.number_masked,
                 (SELECT CAST(COUNT(*) AS BIGINT) FROM card c WHERE c.hospital_id = b.hospital_id AND c.person_id = b.person_id AND c.voided_at IS NULL) AS cards
             FROM binding b
             JOIN person p ON p.hospital_id = b.hospital_id AND p.id = b.person_id
             LEFT JOIN person_document d ON d.hospital_id = b.hospital_id AND d.person_id = b.person_id AND d.is_main = 1 AND d.voided_at IS NULL
             WHERE b.hospital_id = $1 AND b.account_id = $2 AND b.person_id = $3 AND b.voided_at IS NULL";
    LIST = "SELECT b.id AS binding_id, b.person_id, b.relation, b.is_default, b.bound_at, p.name, p.name_masked, p.name_blind,
                 p.birth_date, p.sex, p.verified_at, p.phone_masked, d.kind AS document_kind, d.number_masked,
                 (SELECT CAST(COUNT(*) AS BIGINT) FROM card c WHERE c.hospital_id = b.hospital_id AND c.person_id = b.person_id AND c.voided_at IS NULL) AS cards
             FROM binding b
             JOIN person p ON p.hospital_id = b.hospital_id AND p.id = b.person_id
             LEFT JOIN person_document d ON d.hospital_id = b.hospital_id AND d.person_id = b.person_id AND d.is_main = 1 AND d.voided_at IS NULL
             WHERE b.hospital_id = $1 AND b.account_id = $2 AND b.voided_at IS NULL
             ORDER BY b.is_default DESC, b.bound_at, b.id";
    OF_PAIRS = sqlite "SELECT b.account_id, b.person_id, b.relation, b.is_default, b.bound_at, p.name_masked, p.birth_date, p.sex, p.verified_at,
                 d.kind AS document_kind,
                 (SELECT CAST(COUNT(*) AS BIGINT) FROM card c WHERE c.hospital_id = b.hospital_id AND c.person_id = b.person_id AND c.voided_at IS NULL) AS cards
             FROM json_each($2) AS r
             CROSS JOIN binding b ON b.hospital_id = $1 AND b.account_id = r.value->>0 AND b.person_id = r.value->>1 AND b.voided_at IS NULL
             CROSS JOIN person p ON p.hospital_id = b.hospital_id AND p.id = b.person_id
             LEFT JOIN person_document d ON d.hospital_id = b.hospital_id AND d.person_id = b.person_id AND d.is_main = 1 AND d.voided_at IS NULL"
        postgres "SELECT b.account_id, b.person_id, b.relation, b.is_default, b.bound_at, p.name_masked, p.birth_date, p.sex, p.verified_at,
                 d.kind AS document_kind,
                 (SELECT CAST(COUNT(*) AS BIGINT) FROM card c WHERE c.hospital_id = b.hospital_id AND c.person_id = b.person_id AND c.voided_at IS NULL) AS cards
             FROM unnest(CAST($2 AS TEXT[]), CAST($3 AS TEXT[])) AS r(account_id, person_id)
             JOIN binding b ON b.hospital_id = $1 AND b.account_id = r.account_id AND b.person_id = r.person_id AND b.voided_at IS NULL
             JOIN person p ON p.hospital_id = b.hospital_id AND p.id = b.person_id
             LEFT JOIN person_document d ON d.hospital_id = b.hospital_id AND d.person_id = b.person_id AND d.is_main = 1 AND d.voided_at IS NULL";
    HOLDERS = "SELECT account_id FROM binding WHERE hospital_id = $1 AND person_id = $2 AND voided_at IS NULL ORDER BY bound_at, id";
    NAME = "SELECT name FROM person WHERE hospital_id = $1 AND id = $2";
    PHONE = "SELECT phone FROM person WHERE hospital_id = $1 AND id = $2 AND phone IS NOT NULL";
    ADD = "INSERT INTO person (hospital_id, id, name, name_masked, name_blind, birth_date, sex, phone, phone_masked, phone_blind,
                 source, verified_at, created_at, changed_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)";
    SET_PHONE = "UPDATE person SET phone = $3, phone_masked = $4, phone_blind = $5, changed_at = $6
             WHERE hospital_id = $1 AND id = $2 AND phone IS NULL";
    SET_BIRTH = "UPDATE person SET birth_date = $3, sex = $4, changed_at = $5 WHERE hospital_id = $1 AND id = $2";
    BY_DOCUMENT = "SELECT p.id, p.name_blind, p.phone_blind, p.birth_date, p.sex, d.tail_blind FROM person_document d
             JOIN person p ON p.hospital_id = d.hospital_id AND p.id = d.person_id
             WHERE d.hospital_id = $1 AND d.number_blind = $2 AND d.voided_at IS NULL AND p.merged_into IS NULL";
    OWN_PHONE = "SELECT b.account_id FROM person p JOIN binding b ON b.hospital_id = p.hospital_id AND b.person_id = p.id
             WHERE p.hospital_id = $1 AND p.phone_blind = $2 AND b.relation = 'self' AND b.voided_at IS NULL ORDER BY b.bound_at DESC, b.id LIMIT 1";
    BY_NAME_AND_PHONE = "SELECT p.id, p.name_blind, p.phone_blind, p.birth_date, p.sex, d.tail_blind FROM person p
             LEFT JOIN person_document d ON d.hospital_id = p.hospital_id AND d.person_id = p.id AND d.is_main = 1 AND d.voided_at IS NULL
             WHERE p.hospital_id = $1 AND p.phone_blind = $2 AND p.name_blind = $3
                 AND p.merged_into IS NULL AND p.locked_at IS NULL ORDER BY p.created_at, p.id LIMIT 20";
    ADD_DOCUMENT = "INSERT INTO person_document (hospital_id, id, person_id, kind, country, number, number_masked, number_blind, tail_blind,
                 is_main, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10) ON CONFLICT DO NOTHING";
    COUNT = "SELECT CAST(COUNT(*) AS BIGINT) FROM binding WHERE hospital_id = $1 AND account_id = $2 AND voided_at IS NULL";
    BIND = "INSERT INTO binding (hospital_id, id, account_id, person_id, relation, is_default, bound_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    UNBIND = "UPDATE binding SET voided_at = $4, voided_by = $5, is_default = 0
             WHERE hospital_id = $1 AND account_id = $2 AND person_id = $3 AND voided_at IS NULL";
    NO_DEFAULT = "UPDATE binding SET is_default = 0 WHERE hospital_id = $1 AND account_id = $2 AND is_default = 1 AND voided_at IS NULL";
    DEFAULT = "UPDATE binding SET is_default = 1 WHERE hospital_id = $1 AND account_id = $2 AND person_id = $3 AND voided_at IS NULL";
    OLDEST = "SELECT person_id FROM binding WHERE hospital_id = $1 AND account_id = $2 AND voided_at IS NULL ORDER BY bound_at, id LIMIT 1";
    RELATION = "UPDATE binding SET relation = $4 WHERE hospital_id = $1 AND account_id = $2 AND person_id = $3 AND voided_at IS NULL";
    FACTS = "SELECT p.name_masked, p.name_blind, p.birth_date, d.number_blind FROM person p
             LEFT JOIN person_document d ON d.hospital_id = p.hospital_id AND d.person_id = p.id AND d.is_main = 1 AND d.voided_at IS NULL
                 AND d.kind = 'resident_id'
             WHERE p.hospital_id = $1 AND p.id = $2 AND p.merged_into IS NULL AND p.locked_at IS NULL";
    COUNT_HOLDERS = "SELECT CAST(COUNT(*) AS BIGINT) FROM binding WHERE hospital_id = $1 AND person_id = $2 AND account_id <> $3 AND voided_at IS NULL";
    LOCK_PERSON = "UPDATE person SET changed_at = $3 WHERE hospital_id = $1 AND id = $2 AND merged_into IS NULL AND locked_at IS NULL";
    SET_NAME = "UPDATE person SET name = $3, name_masked = $4, name_blind = $5, changed_at = $6 WHERE hospital_id = $1 AND id = $2";
    CONSENT = "INSERT INTO consent (hospital_id, id, account_id, person_id, kind, version, lang, given_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
}

/// See [`crate::bound::of_pairs`].
pub(crate) async fn of_pairs(
    tx: &mut Tx,
    hospital: HospitalId,
    pairs: &[(AccountId, PersonId)],
) -> Result<Vec<(AccountId, BoundPerson)>> {
    let values = if tx.is_postgres() {
        let (accounts, persons): (Vec<_>, Vec<_>) =
            pairs.iter().map(|(account, person)| (Some(account.db()), Some(person.db()))).unzip();
        args![hospital, accounts, persons]
    } else {
        let pairs: Vec<_> = pairs.iter().map(|(account, person)| (account.db(), person.db())).collect();
        args![hospital, serde_json::json!(pairs)]
    };
    let rows: Vec<Row> = tx.all(OF_PAIRS, values).await?;
    rows.iter().map(|row| Ok((row.get("account_id")?, BoundPerson::from_row(row)?))).collect()
}

/// A bound person with what only its own account is shown.
pub(crate) struct Known {
    pub(crate) bound: BoundPerson,
    pub(crate) name: Sealed,
    pub(crate) name_blind: String,
    pub(crate) phone_masked: Option<String>,
    pub(crate) number_masked: Option<String>,
}

impl FromRow for BoundPerson {
    fn from_row(row: &Row) -> Result<Self> {
        let verified: Option<UnixMs> = row.get("verified_at")?;
        Ok(Self {
            person: row.get("person_id")?,
            name_masked: row.get("name_masked")?,
            birth_date: row.get("birth_date")?,
            sex: row.get("sex")?,
            document_kind: row.get("document_kind")?,
            cards: row.get("cards")?,
            verified: verified.is_some(),
            relation: row.get("relation")?,
            is_default: row.get("is_default")?,
            bound_at: row.get("bound_at")?,
        })
    }
}

impl FromRow for Known {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            bound: BoundPerson::from_row(row)?,
            name: row.get("name")?,
            name_blind: row.get("name_blind")?,
            phone_masked: row.get("phone_masked")?,
            number_masked: row.get("number_masked")?,
        })
    }
}

/// A person on file who may be the one that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) id: PersonId,
    pub(crate) name_blind: String,
    pub(crate) phone_blind: Option<String>,
    pub(crate) birth: Option<Date>,
    pub(crate) sex: Sex,
    /// Of the main document; `None` when none is on file.
    pub(crate) tail_blind: Option<String>,
}

impl FromRow for Candidate {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            name_blind: row.get("name_blind")?,
            phone_blind: row.get("phone_blind")?,
            birth: row.get("birth_date")?,
            sex: row.get("sex")?,
            tail_blind: row.get("tail_blind")?,
        })
    }
}

/// A sealed value with its masked form and its hash.
#[derive(Clone)]
pub(crate) struct Covered {
    pub(crate) sealed: Sealed,
    pub(crate) masked: String,
    pub(crate) blind: String,
}

/// A person to be put on file.
pub(crate) struct NewRow {
    pub(crate) name: Covered,
    pub(crate) birth: Option<Date>,
    pub(crate) sex: Sex,
    pub(crate) phone: Option<Covered>,
    /// `account` or `hospital`: who told us.
    pub(crate) source: &'static str,
    pub(crate) verified: bool,
}

pub(crate) async fn known(
    tx: &mut Tx,
    h: HospitalId,
    account: AccountId,
    person: PersonId,
) -> Result<Option<Known>> {
    tx.opt(KNOWN, args![h, account, person]).await
}

pub(crate) async fn list(db: &Db, h: HospitalId, account: AccountId) -> Result<Vec<Known>> {
    db.all(LIST, args![h, account]).await
}

pub(crate) async fn list_in(tx: &mut Tx, h: HospitalId, account: AccountId) -> Result<Vec<Known>> {
    tx.all(LIST, args![h, account]).await
}

/// What of a person decides whether a card or an account may be theirs.
pub(crate) struct FactsRow {
    pub(crate) name_masked: String,
    pub(crate) name_blind: String,
    pub(crate) birth: Option<Date>,
    /// Of the main document, when that is a resident identity number.
    pub(crate) resident_blind: Option<String>,
}

impl FromRow for FactsRow {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            name_masked: row.get("name_masked")?,
            name_blind: row.get("name_blind")?,
            birth: row.get("birth_date")?,
            resident_blind: row.get("number_blind")?,
        })
    }
}

/// `None` for somebody who is not there, was merged into another record, or is locked.
pub(crate) async fn facts(tx: &mut Tx, h: HospitalId, id: PersonId) -> Result<Option<FactsRow>> {
    tx.opt(FACTS, args![h, id]).await
}

/// How many other accounts a person is bound to. Locks the person first, so that two guardians who come at once are counted.
pub(crate) async fn other_holders(
    tx: &mut Tx,
    h: HospitalId,
    id: PersonId,
    account: AccountId,
) -> Result<i64> {
    lock(tx, h, id).await?;
    Ok(tx.one::<One<i64>>(COUNT_HOLDERS, args![h, id, account]).await?.0)
}

/// Lets changes to one person's record happen one after another; false when the record is not open.
pub(crate) async fn lock(tx: &mut Tx, h: HospitalId, id: PersonId) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(LOCK_PERSON, args![h, id, now]).await? == 1)
}

/// The account of whoever is on file themselves with this phone; of several the last.
pub(crate) async fn account_of_own_phone(
    tx: &mut Tx,
    h: HospitalId,
    blind: &str,
) -> Result<Option<AccountId>> {
    Ok(tx.opt::<One<AccountId>>(OWN_PHONE, args![h, blind]).await?.map(|one| one.0))
}

pub(crate) async fn holders(db: &Db, h: HospitalId, person: PersonId) -> Result<Vec<AccountId>> {
    Ok(db.all::<One<AccountId>>(HOLDERS, args![h, person]).await?.into_iter().map(|one| one.0).collect())
}

pub(crate) async fn name(db: &Db, h: HospitalId, person: PersonId) -> Result<Option<Sealed>> {
    Ok(db.opt::<One<Sealed>>(NAME, args![h, person]).await?.map(|one| one.0))
}

pub(crate) async fn phone(db: &Db, h: HospitalId, person: PersonId) -> Result<Option<Sealed>> {
    Ok(db.opt::<One<Sealed>>(PHONE, args![h, person]).await?.map(|one| one.0))
}

pub(crate) async fn add(tx: &mut Tx, h: HospitalId, new: NewRow) -> Result<PersonId> {
    let id = PersonId::new();
    let now = tx.now();
    let (phone, masked, blind) = match new.phone {
        Some(phone) => (Some(phone.sealed), Some(phone.masked), Some(phone.blind)),
        None => (None, None, None),
    };
    let verified_at = new.verified.then_some(now);
    let values = args![
        h,
        id,
        new.name.sealed,
        new.name.masked,
        new.name.blind,
        new.birth,
        new.sex,
        phone,
        masked,
        blind,
        new.source,
        verified_at,
        now
    ];
    tx.exec(ADD, values).await?;
    Ok(id)
}

pub(crate) async fn set_phone(tx: &mut Tx, h: HospitalId, id: PersonId, phone: &Covered) -> Result<()> {
    let now = tx.now();
    let values = args![h, id, phone.sealed.clone(), &phone.masked, &phone.blind, now];
    tx.exec(SET_PHONE, values).await.map(drop)
}

pub(crate) async fn set_name(tx: &mut Tx, h: HospitalId, id: PersonId, name: &Covered) -> Result<()> {
    let now = tx.now();
    tx.exec(SET_NAME, args![h, id, name.sealed.clone(), &name.masked, &name.blind, now]).await.map(drop)
}

pub(crate) async fn set_birth(
    tx: &mut Tx,
    h: HospitalId,
    id: PersonId,
    birth: Option<Date>,
    sex: Sex,
) -> Result<()> {
    let now = tx.now();
    tx.exec(SET_BIRTH, args![h, id, birth, sex, now]).await.map(drop)
}

pub(crate) async fn by_document(tx: &mut Tx, h: HospitalId, blind: &str) -> Result<Option<Candidate>> {
    tx.opt(BY_DOCUMENT, args![h, blind]).await
}

pub(crate) async fn by_name_and_phone(
    tx: &mut Tx,
    h: HospitalId,
    phone_blind: &str,
    name_blind: &str,
) -> Result<Vec<Candidate>> {
    tx.all(BY_NAME_AND_PHONE, args![h, phone_blind, name_blind]).await
}

/// Puts a document on a person's file as the main one; false when the number, or a main document, is there already.
pub(crate) async fn add_document(
    tx: &mut Tx,
    h: HospitalId,
    person: PersonId,
    kind: DocumentKind,
    country: Option<&str>,
    number: &Covered,
    tail_blind: &str,
) -> Result<bool> {
    // The id of a document is told to nobody: it only has to be unique.
    let id = BindingId::new();
    let now = tx.now();
    let values = args![
        h,
        id,
        person,
        kind,
        country,
        number.sealed.clone(),
        &number.masked,
        &number.blind,
        tail_blind,
        now
    ];
    Ok(tx.exec(ADD_DOCUMENT, values).await? == 1)
}

pub(crate) async fn count(tx: &mut Tx, h: HospitalId, account: AccountId) -> Result<i64> {
    Ok(tx.one::<One<i64>>(COUNT, args![h, account]).await?.0)
}

/// Binds; false when they are bound already.
pub(crate) async fn bind(
    tx: &mut Tx,
    h: HospitalId,
    account: AccountId,
    person: PersonId,
    relation: Relation,
    is_default: bool,
) -> Result<bool> {
    let now = tx.now();
    let values = args![h, BindingId::new(), account, person, relation, is_default, now];
    Ok(tx.exec(BIND, values).await? == 1)
}

/// Voids the binding; false when there is none.
pub(crate) async fn unbind(
    tx: &mut Tx,
    h: HospitalId,
    account: AccountId,
    person: PersonId,
    by: &str,
) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(UNBIND, args![h, account, person, now, by]).await? == 1)
}

/// Makes a person the default one, or none of them.
pub(crate) async fn set_default(
    tx: &mut Tx,
    h: HospitalId,
    account: AccountId,
    person: Option<PersonId>,
) -> Result<()> {
    tx.exec(NO_DEFAULT, args![h, account]).await?;
    if let Some(person) = person {
        tx.exec(DEFAULT, args![h, account, person]).await?;
    }
    Ok(())
}

/// The person who was bound first.
pub(crate) async fn oldest(tx: &mut Tx, h: HospitalId, account: AccountId) -> Result<Option<PersonId>> {
    Ok(tx.opt::<One<PersonId>>(OLDEST, args![h, account]).await?.map(|one| one.0))
}

pub(crate) async fn set_relation(
    tx: &mut Tx,
    h: HospitalId,
    account: AccountId,
    person: PersonId,
    relation: Relation,
) -> Result<()> {
    tx.exec(RELATION, args![h, account, person, relation]).await.map(drop)
}

pub(crate) async fn consent(
    tx: &mut Tx,
    h: HospitalId,
    account: AccountId,
    person: PersonId,
    kind: ConsentKind,
    version: &str,
    lang: Lang,
) -> Result<()> {
    let now = tx.now();
    let values = args![h, BindingId::new(), account, person, kind, version, lang, now];
    tx.exec(CONSENT, values).await.map(drop)
}
