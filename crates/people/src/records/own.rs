//! A person's own data: seeing all of it, taking it along, correcting it, taking consent back, closing the record.
//!
//! Who may: an account that is bound to the person as themselves, or as guardian of a child. Others on whose list a person is may
//! see what they see anyway and leave, no more.
//!
//! Closing is not deleting: while the law asks for the record to be kept, it is locked. Nothing finds it, nothing is done with it,
//! and when the time is over the sweep wipes what is personal in it.

use std::time::Duration;

use ::store::events::Failure;
use ::store::value::Row;
use ::store::vault::Purpose;
use ::store::{Db, NewEvent, Sealed, StoreError, Sweep, Tx, Vault, args};
use async_trait::async_trait;
use base::{Date, HospitalId, Kind, Problem, UnixMs};
use edge::{Account, AccountId};
use serde_json::json;
use std::sync::Arc;

use super::store as sql;
use crate::cards::{self, Card};
use crate::model::{DocumentKind, PersonId, Relation, Sex};
use crate::names::RealName;
use crate::refusal::Refusal;
use crate::settings::PersonRules;
use crate::store::person::{self, Known};
use crate::store::{DOCUMENT, NAME, PHONE, account};
use crate::{PeopleDeps, cover, rules};

/// Why a person's own request can't be carried out.
#[derive(Debug, thiserror::Error)]
pub enum OwnRefusal {
    /// 409 `not_yours_to_decide`: the account is neither the person nor the guardian of a child.
    #[error("not theirs to decide")]
    NotTheirs,
    /// 409 `has_appointments` with `count`
    #[error("visits are to come")]
    Ahead(u32),
    /// 409 `correct_at_desk`: the hospital has seen the document; a change needs it again.
    #[error("seen by the hospital")]
    AtDesk,
    /// As elsewhere.
    #[error(transparent)]
    People(#[from] Refusal),
}

impl From<StoreError> for OwnRefusal {
    fn from(error: StoreError) -> Self {
        Self::People(error.into())
    }
}

impl From<OwnRefusal> for Problem {
    fn from(refusal: OwnRefusal) -> Self {
        match refusal {
            OwnRefusal::People(refusal) => refusal.into(),
            OwnRefusal::NotTheirs => Self::new(
                Kind::Conflict,
                "not_yours_to_decide",
                "只有本人，或未成年人的监护人，才能办理这一项。",
                "Only the person, or the guardian of a child, can ask for this.",
            ),
            OwnRefusal::Ahead(count) => Self::new(
                Kind::Conflict,
                "has_appointments",
                "还有未就诊的预约，请先取消再办理。",
                "There are appointments to come. Please cancel them first.",
            )
            .with("count", count),
            OwnRefusal::AtDesk => Self::new(
                Kind::Conflict,
                "correct_at_desk",
                "医院已核对过证件，更改请携带证件到窗口办理。",
                "The hospital has checked the document. To change this, please bring it to the service desk.",
            ),
        }
    }
}

/// All that is on file about a person. For their own eyes.
#[derive(Debug, Clone)]
pub struct OnFile {
    /// The full name.
    pub name: String,
    /// The birth date.
    pub birth: Option<Date>,
    /// The sex.
    pub sex: Sex,
    /// The phone, in full.
    pub phone: Option<String>,
    /// The main document's kind and number, in full.
    pub document: Option<(DocumentKind, String)>,
    /// Whether the hospital has seen the document.
    pub verified: bool,
    /// The cards.
    pub cards: Vec<Card>,
    /// What was agreed to: kind, version, language, when, and when it was taken back.
    pub consents: Vec<Agreement>,
    /// Who holds the record on their phone.
    pub holders: Vec<Holder>,
    /// What other capabilities keep: visits and the like, as they tell it.
    pub others: serde_json::Value,
}

/// An agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// `personal_data` or `guardian`.
    pub kind: String,
    /// The version of the wording.
    pub version: String,
    /// The language in which it was shown.
    pub lang: String,
    /// When.
    pub given_at: UnixMs,
    /// When it was taken back.
    pub withdrawn_at: Option<UnixMs>,
}

/// Somebody on whose list the person is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Whether that is the one who asks.
    pub you: bool,
    /// What the person is to them.
    pub relation: Relation,
    /// Their phone, masked, if they proved one.
    pub phone_masked: Option<String>,
    /// Since when.
    pub since: UnixMs,
}

/// Opens all that is on file; audited as what it is for.
///
/// # Errors
/// [`Refusal::NotFound`] when the person is not the account's; [`OwnRefusal::NotTheirs`].
pub async fn on_file(
    deps: &PeopleDeps,
    who: &Account,
    id: PersonId,
    purpose: Purpose,
) -> Result<OnFile, OwnRefusal> {
    let hospital = &who.caller.hospital;
    let h = hospital.id;
    let mut tx = deps.db.begin().await?;
    let known = theirs(&mut tx, who, id).await?;
    let row: Row = tx.one(sql::SEALED_OF, args![h, id]).await?;
    let open = |field: &'static str, column: &str| -> Result<Option<String>, StoreError> {
        let sealed: Option<Sealed> = row.get(column)?;
        sealed.map(|s| deps.vault.open_sealed(h, field, &s, purpose)).transpose()
    };
    let (name, phone, number) = (open(NAME, "name")?, open(PHONE, "phone")?, open(DOCUMENT, "number")?);
    let cards = cards::of_person(&mut tx, h, id).await?;
    let consents: Vec<Row> = tx.all(sql::CONSENTS_OF, args![h, id]).await?;
    let consents = consents.iter().map(agreement).collect::<Result<_, StoreError>>()?;
    let holders: Vec<Row> = tx.all(sql::HOLDERS_OF, args![h, id]).await?;
    let holders = holders.iter().map(|row| holder(row, who.id)).collect::<Result<_, StoreError>>()?;
    let others = deps.merging.on_file(&mut tx, h, id).await?;
    let detail =
        json!({"fields": ["name", "phone", "document"], "purpose": crate::contact::purpose_code(purpose)});
    tx.audit(who.caller.audit("person.open", id, detail)).await?;
    tx.commit().await?;
    Ok(OnFile {
        name: name.unwrap_or_default(),
        birth: known.bound.birth_date,
        sex: known.bound.sex,
        phone,
        document: known.bound.document_kind.zip(number),
        verified: known.bound.verified,
        cards,
        consents,
        holders,
        others,
    })
}

fn agreement(row: &Row) -> Result<Agreement, StoreError> {
    Ok(Agreement {
        kind: row.get("kind")?,
        version: row.get("version")?,
        lang: row.get("lang")?,
        given_at: row.get("given_at")?,
        withdrawn_at: row.get("withdrawn_at")?,
    })
}

fn holder(row: &Row, asks: AccountId) -> Result<Holder, StoreError> {
    Ok(Holder {
        you: row.get::<AccountId>("account_id")? == asks,
        relation: row.get("relation")?,
        phone_masked: row.get("masked")?,
        since: row.get("bound_at")?,
    })
}

/// The person, if the account may decide for them.
async fn theirs(tx: &mut Tx, who: &Account, id: PersonId) -> Result<Known, OwnRefusal> {
    let hospital = &who.caller.hospital;
    let known = person::known(tx, hospital.id, who.id, id).await?.ok_or(Refusal::NotFound)?;
    let today = hospital.zone.date(tx.now());
    let minor = rules::age(known.bound.birth_date, today).is_some_and(|age| age < rules::ADULT_FROM);
    if known.bound.relation == Relation::Oneself || minor { Ok(known) } else { Err(OwnRefusal::NotTheirs) }
}

/// Corrects a name that nobody at the hospital has compared with the document yet.
///
/// # Errors
/// [`OwnRefusal::AtDesk`], [`OwnRefusal::NotTheirs`].
pub async fn correct(
    deps: &PeopleDeps,
    who: &Account,
    id: PersonId,
    name: &RealName,
) -> Result<(), OwnRefusal> {
    let h = who.caller.hospital.id;
    let mut tx = deps.db.begin().await?;
    let known = theirs(&mut tx, who, id).await?;
    if known.bound.verified {
        return Err(OwnRefusal::AtDesk);
    }
    let covered = cover::name(&deps.vault, h, name)?;
    person::set_name(&mut tx, h, id, &covered).await?;
    tx.audit(who.caller.audit("person.correct", id, json!({"fields": ["name"]}))).await?;
    tx.commit().await?;
    Ok(())
}

/// Takes an account's consent for a person back: the person leaves its list, and nothing is done any more in its name. As easy as
/// agreeing was. Visits to come are cancelled by the person themself before.
///
/// # Errors
/// [`OwnRefusal::Ahead`]; [`Refusal::NotFound`].
pub async fn withdraw(deps: &PeopleDeps, who: &Account, id: PersonId) -> Result<(), OwnRefusal> {
    let h = who.caller.hospital.id;
    let mut tx = deps.db.begin().await?;
    if !account::lock(&mut tx, h, who.id).await? {
        return Err(Refusal::SignedOut.into());
    }
    person::known(&mut tx, h, who.id, id).await?.ok_or(Refusal::NotFound)?;
    let ahead = deps.upcoming.upcoming(&mut tx, h, who.id, id).await?;
    if ahead > 0 {
        return Err(OwnRefusal::Ahead(ahead));
    }
    let now = tx.now();
    tx.exec(sql::WITHDRAW, args![h, who.id, id, now]).await?;
    person::unbind(&mut tx, h, who.id, id, &who.id.to_string()).await?;
    let next = person::oldest(&mut tx, h, who.id).await?;
    person::set_default(&mut tx, h, who.id, next).await?;
    tx.audit(who.caller.audit("person.withdraw", id, json!({}))).await?;
    let payload = json!({"account": who.id.to_string(), "person": id.to_string()});
    tx.publish(NewEvent { hospital: h, kind: "people.unbound", key: id.db(), payload }).await?;
    tx.commit().await?;
    Ok(())
}

/// Locks a record for good. Gives the day after which its contents are wiped.
///
/// # Errors
/// [`OwnRefusal::Ahead`], [`OwnRefusal::NotTheirs`]; [`Refusal::NotFound`].
pub async fn lock(deps: &PeopleDeps, who: &Account, id: PersonId) -> Result<Date, OwnRefusal> {
    let hospital = &who.caller.hospital;
    let h = hospital.id;
    let mut tx = deps.db.begin().await?;
    theirs(&mut tx, who, id).await?;
    let ahead = deps.merging.ahead(&mut tx, h, id).await?;
    if ahead > 0 {
        return Err(OwnRefusal::Ahead(ahead));
    }
    let rules: PersonRules = hospital.settings(PersonRules::SECTION);
    let (now, by) = (tx.now(), who.id.to_string());
    let today = hospital.zone.date(now);
    let span = jiff::Span::new().years(i64::from(rules.keep_years));
    let until = today.checked_add(span).map_err(|_| StoreError::Config("keep_years is too long".into()))?;
    tx.exec(sql::LOCK_RECORD, args![h, id, now, until]).await?;
    tx.exec(sql::WITHDRAW, args![h, who.id, id, now]).await?;
    let accounts: Vec<Row> = tx.all(sql::HOLDERS_OF, args![h, id]).await?;
    for statement in [sql::VOID_BINDINGS, sql::VOID_DOCUMENTS, sql::VOID_CARDS] {
        tx.exec(statement, args![h, id, now, &by]).await?;
    }
    for row in &accounts {
        let account: AccountId = row.get("account_id")?;
        let next = person::oldest(&mut tx, h, account).await?;
        person::set_default(&mut tx, h, account, next).await?;
        let payload = json!({"account": account.to_string(), "person": id.to_string()});
        tx.publish(NewEvent { hospital: h, kind: "people.unbound", key: id.db(), payload }).await?;
    }
    tx.audit(who.caller.audit("person.lock", id, json!({"purge_after": until.to_string()}))).await?;
    tx.commit().await?;
    Ok(until)
}

/// Wipes what is personal in records whose time is over.
pub struct Purge {
    vault: Arc<Vault>,
}

impl Purge {
    /// The sweep.
    #[must_use]
    pub fn new(vault: Arc<Vault>) -> Self {
        Self { vault }
    }
}

#[async_trait]
impl Sweep for Purge {
    fn name(&self) -> &'static str {
        "people.purge"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(3600)
    }

    async fn run(&self, db: &Db) -> Result<bool, Failure> {
        let mut tx = db.begin().await?;
        let now = tx.now();
        // A day more or less does not matter after fifteen years; one calendar serves for all hospitals.
        let today = base::Zone::china().date(now);
        let rows: Vec<Row> = tx.all(sql::PURGE_DUE, args![today]).await?;
        for row in &rows {
            let (h, id): (HospitalId, PersonId) = (row.get("hospital_id")?, row.get("id")?);
            tx.exec(sql::PURGE_PERSON, args![h, id, self.vault.seal(h, NAME, "")?, now]).await?;
            tx.exec(sql::PURGE_DOCUMENTS, args![h, id, self.vault.seal(h, DOCUMENT, "")?]).await?;
            tx.exec(sql::PURGE_CARDS, args![h, id, self.vault.seal(h, crate::store::CARD, "")?]).await?;
        }
        tx.commit().await?;
        Ok(!rows.is_empty())
    }
}
