//! Visit cards and medical-insurance cards: what their numbers may look like, whose they are, and finding a person by one.
//!
//! A number that somebody only typed into a phone is kept, and shown to them; at counters and machines a card finds its person
//! only when the hospital has had it in hand. Otherwise a stranger's number, once typed, would open that stranger's doors.

use ::store::{Result, Tx, Vault};
use base::{Date, HospitalId, mask};
use edge::{Account, Caller};
use serde_json::json;

use crate::documents::{self, Document};
use crate::model::{CardKind, DocumentKind, PersonId};
use crate::refusal::Refusal;
use crate::rules;
use crate::store::card::{self, CardRow};
use crate::store::person::{self, Covered};
use crate::store::{CARD, DOCUMENT};
use crate::{PeopleDeps, cover};

/// A card's number, in the form in which it is compared: capitals and digits without spaces and dashes.
#[derive(Clone, PartialEq, Eq)]
pub struct CardNumber {
    kind: CardKind,
    text: String,
    /// Read as the social-security number that it is, where the card carries a resident identity number.
    resident: Option<Document>,
}

impl std::fmt::Debug for CardNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CardNumber({})", mask::document(&self.text))
    }
}

impl CardNumber {
    /// Reads a number as it was typed or read by a machine.
    ///
    /// # Errors
    /// [`Refusal::CardNumber`]: 6 to 24 letters and digits; a number of 18 must be a true social-security number, which is
    /// the resident identity number.
    pub fn parse(kind: CardKind, typed: &str, today: Date) -> Result<Self, Refusal> {
        let text = documents::normalise(typed);
        let plain = text.bytes().all(|b| b.is_ascii_alphanumeric());
        if !plain || !(6..=24).contains(&text.len()) {
            return Err(Refusal::CardNumber);
        }
        let resident = Document::parse(DocumentKind::ResidentId, &text, None, today).ok();
        if kind == CardKind::Insurance && text.len() == 18 && resident.is_none() {
            return Err(Refusal::CardNumber);
        }
        Ok(Self { kind, text, resident })
    }

    /// Visit or insurance.
    #[must_use]
    pub fn kind(&self) -> CardKind {
        self.kind
    }

    /// The keyed hash by which it is looked up.
    pub(crate) fn blind(&self, vault: &Vault, h: HospitalId) -> String {
        vault.blind(h, CARD, &self.text)
    }

    fn covered(&self, vault: &Vault, h: HospitalId) -> Result<Covered> {
        Ok(Covered {
            sealed: vault.seal(h, CARD, &self.text)?,
            masked: mask::document(&self.text),
            blind: vault.blind(h, CARD, &self.text),
        })
    }
}

/// A card as its holder is shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// Visit or insurance.
    pub kind: CardKind,
    /// The number with its middle covered.
    pub number_masked: String,
    /// Whether the hospital has had it in hand.
    pub seen: bool,
}

impl From<CardRow> for Card {
    fn from(row: CardRow) -> Self {
        Self { kind: row.kind, number_masked: row.masked, seen: row.seen_at.is_some() }
    }
}

/// Whether a card may be a person's, as far as its number tells: a child has a card of their own, and a card that carries a
/// social-security number carries the one of the person's resident identity document.
///
/// # Errors
/// [`Refusal::AdultNumber`], [`Refusal::CardOfAnother`].
pub(crate) fn may_be_of(
    number: &CardNumber,
    birth: Option<Date>,
    resident_blind: Option<&str>,
    blind_of: impl Fn(&Document) -> String,
    today: Date,
) -> Result<(), Refusal> {
    let Some(on_card) = &number.resident else { return Ok(()) };
    let minor = rules::age(birth, today).is_some_and(|age| age < rules::ADULT_FROM);
    let adult_card = rules::age(on_card.birth, today).is_some_and(|age| age >= rules::ADULT_FROM);
    if minor && adult_card {
        return Err(Refusal::AdultNumber);
    }
    let another = resident_blind.is_some_and(|known| known != blind_of(on_card));
    let born_otherwise = birth.zip(on_card.birth).is_some_and(|(one, other)| one != other);
    if another || born_otherwise { Err(Refusal::CardOfAnother) } else { Ok(()) }
}

/// Puts a card on the file of a person of the account.
///
/// # Errors
/// [`Refusal::NotFound`] when the person is not the account's; [`Refusal::AdultNumber`], [`Refusal::CardOfAnother`],
/// [`Refusal::CardTaken`].
pub(crate) async fn add_own(
    deps: &PeopleDeps,
    who: &Account,
    id: PersonId,
    number: &CardNumber,
) -> Result<Vec<Card>, Refusal> {
    let h = who.caller.hospital.id;
    let mut tx = deps.db.begin().await?;
    person::known(&mut tx, h, who.id, id).await?.ok_or(Refusal::NotFound)?;
    add(&mut tx, &deps.vault, &who.caller, id, number, false).await?;
    let cards = card::of_person(&mut tx, h, id).await?;
    tx.commit().await?;
    Ok(cards.into_iter().map(Card::from).collect())
}

/// Puts a card on a person's file, in place of an older one of its kind. `seen`: the hospital has it in hand, which counts more
/// than what somebody else typed.
///
/// # Errors
/// [`Refusal::AdultNumber`], [`Refusal::CardOfAnother`]; [`Refusal::CardTaken`] when it is bound elsewhere.
pub async fn add(
    tx: &mut Tx,
    vault: &Vault,
    caller: &Caller,
    id: PersonId,
    number: &CardNumber,
    seen: bool,
) -> Result<(), Refusal> {
    let h = caller.hospital.id;
    let facts = person::facts(tx, h, id).await?.ok_or(Refusal::NotFound)?;
    let today = caller.hospital.zone.date(tx.now());
    let blind_of = |document: &Document| vault.blind(h, DOCUMENT, &document.identity());
    may_be_of(number, facts.birth, facts.resident_blind.as_deref(), blind_of, today)?;
    let covered = number.covered(vault, h)?;
    let by = caller.actor.to_string();
    if let Some(there) = card::find(tx, h, number.kind, &covered.blind).await? {
        if there.person == id {
            if seen {
                card::see(tx, h, there.id).await?;
            }
            return Ok(());
        }
        if !seen || there.seen_at.is_some() {
            return Err(Refusal::CardTaken);
        }
        card::void(tx, h, there.id, &by).await?;
    }
    card::void_kind(tx, h, id, number.kind, &by).await?;
    if !card::add(tx, h, id, number.kind, &covered, &by, seen).await? {
        return Err(Refusal::Busy);
    }
    let detail = json!({"kind": number.kind, "seen": seen});
    tx.audit(caller.audit("person.card", id, detail)).await?;
    Ok(())
}

/// Takes a card off a person's file.
///
/// # Errors
/// [`Refusal::NotFound`] when the person is not the account's, or has no such card.
pub(crate) async fn remove_own(
    deps: &PeopleDeps,
    who: &Account,
    id: PersonId,
    kind: CardKind,
) -> Result<(), Refusal> {
    let h = who.caller.hospital.id;
    let mut tx = deps.db.begin().await?;
    person::known(&mut tx, h, who.id, id).await?.ok_or(Refusal::NotFound)?;
    if card::void_kind(&mut tx, h, id, kind, &who.id.to_string()).await? == 0 {
        return Err(Refusal::NotFound);
    }
    tx.audit(who.caller.audit("person.card_removed", id, json!({"kind": kind}))).await?;
    tx.commit().await?;
    Ok(())
}

/// A person's cards.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn of_person(tx: &mut Tx, h: HospitalId, id: PersonId) -> Result<Vec<Card>> {
    Ok(card::of_person(tx, h, id).await?.into_iter().map(Card::from).collect())
}

/// The person of a card that a machine or a counter has in hand: by the card itself when the hospital knows it, else by the
/// social-security number on it, which is the number of the document on file.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn person_of(
    tx: &mut Tx,
    vault: &Vault,
    h: HospitalId,
    number: &CardNumber,
) -> Result<Option<PersonId>> {
    let blind = vault.blind(h, CARD, &number.text);
    let found = card::find(tx, h, number.kind, &blind).await?;
    if let Some(found) = found.filter(|card| card.seen_at.is_some()) {
        return Ok(Some(found.person));
    }
    let Some(document) = &number.resident else { return Ok(None) };
    let candidate = person::by_document(tx, h, &cover::document_blind(vault, h, document)).await?;
    Ok(candidate.map(|c| c.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: &str = "2026-11-29";

    fn number(kind: CardKind, text: &str) -> Result<CardNumber, Refusal> {
        CardNumber::parse(kind, text, TODAY.parse().unwrap())
    }

    #[test]
    fn numbers_are_read_as_people_and_machines_write_them() {
        let read = number(CardKind::Visit, " ab 12-3456 ").unwrap();
        assert_eq!(read.text, "AB123456");
        assert!(!format!("{read:?}").contains("AB123456"), "never in a log");
        for bad in ["", "12345", "1234567890123456789012345", "12345六", "12;34567"] {
            assert!(matches!(number(CardKind::Visit, bad), Err(Refusal::CardNumber)), "{bad}");
        }
        // A number of 18 on an insurance card is a social-security number, and those have a check character.
        assert!(number(CardKind::Insurance, "110105199003070015").is_err());
        assert!(number(CardKind::Visit, "110105199003070015").is_ok());
        assert!(
            number(CardKind::Insurance, "A12345678").is_ok(),
            "cards of a city have numbers of their own"
        );
    }

    #[test]
    fn a_child_has_a_card_of_its_own() {
        let today: Date = TODAY.parse().unwrap();
        let adult = number(CardKind::Insurance, "11010519491231002X").unwrap();
        let child: Date = "2019-01-01".parse().unwrap();
        let none = |_: &Document| String::new();
        assert!(matches!(may_be_of(&adult, Some(child), None, none, today), Err(Refusal::AdultNumber)));
        let birth: Date = "1949-12-31".parse().unwrap();
        assert!(may_be_of(&adult, Some(birth), None, none, today).is_ok());
        let mine = |_: &Document| "mine".to_owned();
        assert!(may_be_of(&adult, Some(birth), Some("mine"), mine, today).is_ok());
        assert!(matches!(
            may_be_of(&adult, Some(birth), Some("other"), mine, today),
            Err(Refusal::CardOfAnother)
        ));
        let elder: Date = "1950-01-01".parse().unwrap();
        assert!(matches!(may_be_of(&adult, Some(elder), None, none, today), Err(Refusal::CardOfAnother)));
    }
}
