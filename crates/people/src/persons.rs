//! Persons of an account: adding, binding, listing, unbinding.
//!
//! Two ways lead to a person. *Adding* needs name, document and a phone that is proven by a code; whoever is on file with that
//! document is bound when all of it agrees. *Binding* needs the name and the phone that the hospital has on file, proven
//! by a code. In both, whoever asks learns of others no more than "it does not match", and may be wrong only so often.

mod others;
mod proof;

use ::store::vault::Purpose;
use ::store::{NewEvent, Tx};
use base::Date;
use edge::{Account, AccountId, Caller};
use serde_json::json;

use crate::PeopleDeps;
use crate::cards::{self, CardNumber};
use crate::cover;
use crate::documents::{self, Document, Mobile};
use crate::model::{ConsentKind, PersonId, Relation, Sex};
use crate::names::RealName;
use crate::refusal::Refusal;
use crate::rules::{self, Placing};
use crate::settings::PersonRules;
use crate::sms_code::{self, Right};
use crate::store::person::{self, Known, NewRow};
use crate::store::{NAME, account};
use others::Others;
use proof::{agreed, count_wrong, prove};

/// What a person agreed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// The version of the text.
    pub version: String,
    /// Whether the guardian of a child under 14 agreed separately.
    pub guardian: bool,
}

/// A person to be added.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// The real name.
    pub name: RealName,
    /// The document.
    pub document: Document,
    /// The birth date: the document's, or what was typed where the document does not tell it.
    pub birth: Date,
    /// The sex, in the same way.
    pub sex: Sex,
    /// The phone.
    pub phone: Mobile,
    /// The code that was sent to it.
    pub code: String,
    /// What the person is to the holder of the account.
    pub relation: Relation,
    /// What was agreed to.
    pub consent: Consent,
    /// Whether this is a child, who is registered with a number of its own.
    pub as_child: bool,
    /// The card that is registered with them; a child's own is asked for in children's departments.
    pub card: Option<CardNumber>,
}

/// A person on file to be bound.
#[derive(Debug, Clone)]
pub struct BindPerson {
    /// The real name.
    pub name: RealName,
    /// The phone on file.
    pub phone: Mobile,
    /// The code that was sent to it.
    pub code: String,
    /// The last four characters of the document, to tell apart several of the same name and phone.
    pub document_last4: Option<String>,
    /// What the person is to the holder of the account.
    pub relation: Relation,
    /// What was agreed to.
    pub consent: Consent,
}

/// A person with their name, for the one account that may read it.
pub(crate) struct Shown {
    pub(crate) known: Known,
    pub(crate) name: String,
}

/// Adds a person.
pub(crate) async fn add(deps: &PeopleDeps, who: &Account, new: NewPerson) -> Result<Shown, Refusal> {
    let h = who.caller.hospital.id;
    agreed(&who.caller, &new.consent)?;
    rules::number_fits(new.as_child, new.birth, who.caller.hospital.zone.date(deps.db.now()))?;
    let right = prove(deps, who, &new.phone, &new.code).await?;
    let name = cover::name(&deps.vault, h, &new.name)?;
    let phone = cover::phone(&deps.vault, h, &new.phone)?;
    let number = cover::document(&deps.vault, h, &new.document)?;
    let mut tx = locked(deps, who).await?;
    if let Some(done) = done_before(&mut tx, who, &right, &name.blind).await? {
        return finish(deps, tx, who, done).await;
    }
    let with_document = person::by_document(&mut tx, h, &number.blind).await?;
    let near = person::by_name_and_phone(&mut tx, h, &phone.blind, &name.blind).await?;
    // What the list itself forbids is told first, so that the answer tells nothing of who is on file.
    let others = Others::of(&mut tx, who).await?;
    let listed = others.one_of(with_document.as_slice()).or_else(|| others.one_of(&near));
    if listed.is_none() {
        others.room()?;
    }
    others.may_tie(Some(new.birth), new.relation, new.consent.guardian, listed)?;
    let placing = rules::place(&name.blind, &phone.blind, new.birth, with_document.as_ref(), &near);
    let birth = with_document.as_ref().and_then(|c| c.birth).unwrap_or(new.birth);
    let (id, how) = match placing {
        Placing::Taken => {
            drop(tx);
            count_wrong(deps, who, &new.phone).await?;
            return Err(Refusal::DocumentTaken);
        }
        Placing::Bind { person, phone: take_phone } => {
            others.may_tie(Some(birth), new.relation, new.consent.guardian, listed)?;
            if take_phone {
                person::set_phone(&mut tx, h, person, &phone).await?;
            }
            (person, "document")
        }
        Placing::Complete { person } => {
            person::set_birth(&mut tx, h, person, Some(new.birth), new.sex).await?;
            (person, "completed")
        }
        Placing::New => {
            let row = NewRow {
                name,
                birth: Some(new.birth),
                sex: new.sex,
                phone: Some(phone.clone()),
                source: "account",
                verified: false,
            };
            (person::add(&mut tx, h, row).await?, "new")
        }
    };
    if how != "document" {
        let tail = cover::tail(&deps.vault, h, id, &new.document.tail());
        let country = new.document.country.as_deref();
        if !person::add_document(&mut tx, h, id, new.document.kind, country, &number, &tail).await? {
            // Somebody else put the same document on file in this very moment; the next try finds it there.
            return Err(Refusal::Busy);
        }
    }
    guardians(&mut tx, who, id, Some(birth)).await?;
    let tied = tie(&mut tx, who, id, new.relation, how).await?;
    // Who was bound without a document and brings it now is not bound anew; everybody else would be twice on the list.
    if !tied && how != "completed" {
        return Err(Refusal::AlreadyBound);
    }
    keep_consent(&mut tx, who, id, Some(birth), &new.consent).await?;
    if let Some(card) = &new.card {
        cards::add(&mut tx, &deps.vault, &who.caller, id, card, false).await?;
    }
    own_phone(deps, &mut tx, who, new.relation, &new.phone).await?;
    sms_code::use_up(&mut tx, &who.caller.hospital, &right, &id.db()).await?;
    finish(deps, tx, who, id).await
}

/// Binds a person who is on file.
pub(crate) async fn bind(deps: &PeopleDeps, who: &Account, new: BindPerson) -> Result<Shown, Refusal> {
    let h = who.caller.hospital.id;
    agreed(&who.caller, &new.consent)?;
    let right = prove(deps, who, &new.phone, &new.code).await?;
    let name_blind = cover::name_blind(&deps.vault, h, &new.name);
    let phone_blind = cover::phone_blind(&deps.vault, h, &new.phone);
    let mut tx = locked(deps, who).await?;
    if let Some(done) = done_before(&mut tx, who, &right, &name_blind).await? {
        return finish(deps, tx, who, done).await;
    }
    let others = Others::of(&mut tx, who).await?;
    others.room()?;
    let candidates = person::by_name_and_phone(&mut tx, h, &phone_blind, &name_blind).await?;
    let last4 = new.document_last4.as_deref().map(documents::normalise);
    let tail_of = |id: PersonId| cover::tail(&deps.vault, h, id, last4.as_deref().unwrap_or(""));
    let tail: Option<&dyn Fn(PersonId) -> String> = if last4.is_some() { Some(&tail_of) } else { None };
    let (id, birth) = match rules::pick(&candidates, tail) {
        Ok(found) => (found.id, found.birth),
        Err(Refusal::NoMatch) => {
            drop(tx);
            count_wrong(deps, who, &new.phone).await?;
            return Err(Refusal::NoMatch);
        }
        Err(other) => return Err(other),
    };
    others.may_tie(birth, new.relation, new.consent.guardian, Some(id))?;
    guardians(&mut tx, who, id, birth).await?;
    if !tie(&mut tx, who, id, new.relation, "name_and_phone").await? {
        return Err(Refusal::AlreadyBound);
    }
    keep_consent(&mut tx, who, id, birth, &new.consent).await?;
    own_phone(deps, &mut tx, who, new.relation, &new.phone).await?;
    sms_code::use_up(&mut tx, &who.caller.hospital, &right, &id.db()).await?;
    finish(deps, tx, who, id).await
}

/// Binds somebody whom the hospital has in front of it: see [`crate::enrol`].
pub(crate) async fn bind_seen(
    tx: &mut Tx,
    who: &Account,
    id: PersonId,
    relation: Relation,
    consent: &Consent,
    how: &'static str,
) -> Result<(), Refusal> {
    let h = who.caller.hospital.id;
    agreed(&who.caller, consent)?;
    if !account::lock(tx, h, who.id).await? {
        return Err(Refusal::SignedOut);
    }
    let facts = person::facts(tx, h, id).await?.ok_or(Refusal::NotFound)?;
    let others = Others::of(tx, who).await?;
    others.room()?;
    others.may_tie(facts.birth, relation, consent.guardian, Some(id))?;
    guardians(tx, who, id, facts.birth).await?;
    if !tie(tx, who, id, relation, how).await? {
        return Err(Refusal::AlreadyBound);
    }
    keep_consent(tx, who, id, facts.birth, consent).await
}

/// A child has one guardian or two.
async fn guardians(tx: &mut Tx, who: &Account, id: PersonId, birth: Option<Date>) -> Result<(), Refusal> {
    let hospital = &who.caller.hospital;
    let minor = rules::age(birth, hospital.zone.date(tx.now())).is_some_and(|age| age < rules::ADULT_FROM);
    if !minor {
        return Ok(());
    }
    let limit = hospital.settings::<PersonRules>(PersonRules::SECTION).guardians;
    let others = person::other_holders(tx, hospital.id, id, who.id).await?;
    if others >= i64::from(limit) { Err(Refusal::GuardiansFull(limit)) } else { Ok(()) }
}

/// All persons of an account, with their names. That they were opened is audited.
pub(crate) async fn list(
    deps: &PeopleDeps,
    caller: &Caller,
    account: AccountId,
) -> Result<Vec<Shown>, Refusal> {
    let known = person::list(&deps.db, caller.hospital.id, account).await?;
    if known.is_empty() {
        return Ok(Vec::new());
    }
    let shown = open(deps, caller, known)?;
    let mut tx = deps.db.begin().await?;
    audit_opened(&mut tx, caller, account, &shown).await?;
    tx.commit().await?;
    Ok(shown)
}

/// What is to be changed of a binding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Change {
    /// Whether this person is meant when none is named.
    pub is_default: Option<bool>,
    /// What the person is to the holder of the account.
    pub relation: Option<Relation>,
}

/// Changes a binding.
pub(crate) async fn change(
    deps: &PeopleDeps,
    who: &Account,
    id: PersonId,
    change: Change,
) -> Result<Shown, Refusal> {
    let h = who.caller.hospital.id;
    let mut tx = locked(deps, who).await?;
    let known = person::known(&mut tx, h, who.id, id).await?.ok_or(Refusal::NotFound)?;
    if let Some(relation) = change.relation {
        // The guardian's consent was given when the person was bound.
        let others = Others::of(&mut tx, who).await?;
        others.may_tie(known.bound.birth_date, relation, true, Some(id))?;
        person::set_relation(&mut tx, h, who.id, id, relation).await?;
    }
    match change.is_default {
        Some(true) => person::set_default(&mut tx, h, who.id, Some(id)).await?,
        Some(false) if known.bound.is_default => person::set_default(&mut tx, h, who.id, None).await?,
        _ => {}
    }
    let detail = json!({"is_default": change.is_default, "relation": change.relation});
    tx.audit(who.caller.audit("person.change", id, detail)).await?;
    finish(deps, tx, who, id).await
}

/// Unbinds a person. With appointments to come only when that is `confirmed`; they stay valid.
pub(crate) async fn unbind(
    deps: &PeopleDeps,
    who: &Account,
    id: PersonId,
    confirmed: bool,
) -> Result<(), Refusal> {
    let h = who.caller.hospital.id;
    let mut tx = locked(deps, who).await?;
    let known = person::known(&mut tx, h, who.id, id).await?.ok_or(Refusal::NotFound)?;
    let upcoming = deps.upcoming.upcoming(&mut tx, h, who.id, id).await?;
    if upcoming > 0 && !confirmed {
        return Err(Refusal::HasAppointments(upcoming));
    }
    person::unbind(&mut tx, h, who.id, id, &who.id.to_string()).await?;
    if known.bound.is_default {
        let next = person::oldest(&mut tx, h, who.id).await?;
        person::set_default(&mut tx, h, who.id, next).await?;
    }
    tx.audit(who.caller.audit("person.unbind", id, json!({"upcoming": upcoming}))).await?;
    tx.publish(event(who, "people.unbound", id)).await?;
    tx.commit().await?;
    Ok(())
}

/// A transaction in which nobody else changes this account's persons.
async fn locked(deps: &PeopleDeps, who: &Account) -> Result<Tx, Refusal> {
    let mut tx = deps.db.begin().await?;
    if account::lock(&mut tx, who.caller.hospital.id, who.id).await? {
        Ok(tx)
    } else {
        Err(Refusal::SignedOut)
    }
}

/// Whether this is a request that was carried out and has come again, because its answer was lost: the code was used by
/// this account for a person of this name.
async fn done_before(
    tx: &mut Tx,
    who: &Account,
    right: &Right,
    name_blind: &str,
) -> Result<Option<PersonId>, Refusal> {
    let Some(used_for) = &right.used_for else { return Ok(None) };
    let id = PersonId::from_db(used_for).map_err(|_| Refusal::CodeExpired)?;
    let known = person::known(tx, who.caller.hospital.id, who.id, id).await?;
    match known {
        Some(known) if known.name_blind == name_blind => Ok(Some(id)),
        _ => Err(Refusal::CodeExpired),
    }
}

/// Binds, with audit and event; false when they are bound already.
async fn tie(
    tx: &mut Tx,
    who: &Account,
    id: PersonId,
    relation: Relation,
    how: &'static str,
) -> Result<bool, Refusal> {
    let h = who.caller.hospital.id;
    let first = person::count(tx, h, who.id).await? == 0;
    let tied = person::bind(tx, h, who.id, id, relation, first).await?;
    let detail = json!({"relation": relation, "how": how});
    if tied {
        let action = if how == "new" { "person.add" } else { "person.bind" };
        tx.audit(who.caller.audit(action, id, detail)).await?;
        tx.publish(event(who, "people.bound", id)).await?;
    } else {
        tx.audit(who.caller.audit("person.complete", id, detail)).await?;
    }
    Ok(tied)
}

fn event(who: &Account, kind: &'static str, id: PersonId) -> NewEvent {
    let payload = json!({"account": who.id.to_string(), "person": id.to_string()});
    NewEvent { hospital: who.caller.hospital.id, kind, key: id.db(), payload }
}

/// Keeps what was agreed to: for a child under 14 the guardian's consent beside the other.
async fn keep_consent(
    tx: &mut Tx,
    who: &Account,
    id: PersonId,
    birth: Option<Date>,
    consent: &Consent,
) -> Result<(), Refusal> {
    let mut kinds = vec![ConsentKind::PersonalData];
    if rules::needs_guardian(rules::age(birth, who.caller.hospital.zone.date(tx.now()))) {
        kinds.push(ConsentKind::Guardian);
    }
    for kind in kinds {
        let h = who.caller.hospital.id;
        person::consent(tx, h, who.id, id, kind, &consent.version, who.caller.lang).await?;
    }
    Ok(())
}

/// The phone that the holder of the account proved for themselves becomes the account's, unless it has one or the phone
/// is another account's.
async fn own_phone(
    deps: &PeopleDeps,
    tx: &mut Tx,
    who: &Account,
    relation: Relation,
    phone: &Mobile,
) -> Result<(), Refusal> {
    if relation == Relation::Oneself {
        let h = who.caller.hospital.id;
        let covered = cover::phone(&deps.vault, h, phone)?;
        account::add_phone(tx, h, who.id, &covered.blind, covered.sealed, &covered.masked).await?;
    }
    Ok(())
}

/// Commits, and gives the person as they are now.
async fn finish(deps: &PeopleDeps, mut tx: Tx, who: &Account, id: PersonId) -> Result<Shown, Refusal> {
    let known = person::known(&mut tx, who.caller.hospital.id, who.id, id).await?.ok_or(Refusal::NotFound)?;
    let shown = open(deps, &who.caller, vec![known])?;
    audit_opened(&mut tx, &who.caller, who.id, &shown).await?;
    tx.commit().await?;
    shown.into_iter().next().ok_or(Refusal::NotFound)
}

fn open(deps: &PeopleDeps, caller: &Caller, known: Vec<Known>) -> Result<Vec<Shown>, Refusal> {
    let opened = known.into_iter().map(|known| {
        let name = deps.vault.open_sealed(caller.hospital.id, NAME, &known.name, Purpose::ShowOwner)?;
        Ok(Shown { known, name })
    });
    opened.collect()
}

/// One entry for a request: which names were opened, and what for.
async fn audit_opened(
    tx: &mut Tx,
    caller: &Caller,
    account: AccountId,
    shown: &[Shown],
) -> Result<(), Refusal> {
    let persons: Vec<String> = shown.iter().map(|s| s.known.bound.person.to_string()).collect();
    let purpose = crate::contact::purpose_code(Purpose::ShowOwner);
    let detail = json!({"fields": ["name"], "persons": persons, "purpose": purpose});
    Ok(tx.audit(caller.audit("person.open", account, detail)).await?)
}
