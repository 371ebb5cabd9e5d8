//! Binding a person whom the hospital has in front of it: at a machine with the card inserted, at the desk, after the
//! consultation. The hospital answers for who they are; the account's own list still decides who may come onto it.

use ::store::{Result, Tx, Vault};
use base::{Date, HospitalId};
use edge::Account;

use crate::cover;
use crate::model::{PersonId, Relation};
use crate::names::RealName;
use crate::persons::{self, Consent};
use crate::refusal::Refusal;
use crate::rules;
use crate::store::person;

/// What may be shown of a person before anybody is bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The name with all but its first character covered.
    pub name_masked: String,
    /// The birth date.
    pub birth: Option<Date>,
}

impl Facts {
    /// Whether they are younger than 18, and so need a guardian who holds the account.
    #[must_use]
    pub fn minor(&self, today: Date) -> bool {
        rules::age(self.birth, today).is_some_and(|age| age < rules::ADULT_FROM)
    }
}

/// What an account has to do with a person already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The person is on its list.
    pub bound: bool,
    /// Somebody is on its list as its holder.
    pub has_holder: bool,
}

/// A person as far as may be shown; `None` when there is none, or not any more.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn facts(tx: &mut Tx, h: HospitalId, id: PersonId) -> Result<Option<Facts>> {
    let found = person::facts(tx, h, id).await?;
    Ok(found.map(|f| Facts { name_masked: f.name_masked, birth: f.birth }))
}

/// Whether this is the person's full name.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn is_name_of(
    tx: &mut Tx,
    vault: &Vault,
    h: HospitalId,
    id: PersonId,
    name: &RealName,
) -> Result<bool> {
    let found = person::facts(tx, h, id).await?;
    Ok(found.is_some_and(|f| f.name_blind == cover::name_blind(vault, h, name)))
}

/// How an account stands to a person.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn standing(
    tx: &mut Tx,
    h: HospitalId,
    account: edge::AccountId,
    id: PersonId,
) -> Result<Standing> {
    let list = person::list_in(tx, h, account).await?;
    Ok(Standing {
        bound: list.iter().any(|k| k.bound.person == id),
        has_holder: list.iter().any(|k| k.bound.relation == Relation::Oneself),
    })
}

/// Binds a person to an account, as the list of persons does it, with consent, audit entry and event.
///
/// # Errors
/// [`Refusal::PersonLimit`], [`Refusal::SelfTaken`], [`Refusal::GuardianTooYoung`], [`Refusal::GuardianConsent`],
/// [`Refusal::GuardiansFull`], [`Refusal::Consent`]; [`Refusal::AlreadyBound`].
pub async fn bind(
    tx: &mut Tx,
    who: &Account,
    id: PersonId,
    relation: Relation,
    consent: &Consent,
    how: &'static str,
) -> Result<(), Refusal> {
    persons::bind_seen(tx, who, id, relation, consent, how).await
}
