//! What must be shown before a person is added or bound: consent, a phone, and not too many guesses before.

use std::time::Duration;

use edge::{Account, Caller};

use super::Consent;
use crate::PeopleDeps;
use crate::cover;
use crate::documents::Mobile;
use crate::model::CodePurpose;
use crate::refusal::Refusal;
use crate::settings::{CodeRules, ConsentVersions, PersonRules};
use crate::sms_code::{self, Ask, Right};
use crate::store::code;

const DAY: Duration = Duration::from_secs(86_400);

/// The text agreed to must be the one in force.
pub(super) fn agreed(caller: &Caller, consent: &Consent) -> Result<(), Refusal> {
    let versions: ConsentVersions = caller.hospital.settings(ConsentVersions::SECTION);
    if consent.version == versions.consent_version {
        Ok(())
    } else {
        Err(Refusal::Consent(versions.consent_version))
    }
}

/// The code must be right, after not too many wrong names.
pub(super) async fn prove(
    deps: &PeopleDeps,
    who: &Account,
    phone: &Mobile,
    typed: &str,
) -> Result<Right, Refusal> {
    let hospital = &who.caller.hospital;
    let mut tx = deps.db.begin().await?;
    for (scope, who, most) in guesses(deps, who, phone) {
        if let Some(until) = code::full_until(&mut tx, hospital.id, scope, &who, most).await? {
            return Err(Refusal::TooManyTries(sms_code::seconds(until.since(tx.now()))));
        }
    }
    tx.rollback().await?;
    let ask = Ask { phone, purpose: CodePurpose::Person, account: Some(who.id), source: &who.caller.source };
    sms_code::check(&deps.db, &deps.vault, hospital, &ask, typed).await
}

/// Counts details that matched nobody.
pub(super) async fn count_wrong(deps: &PeopleDeps, who: &Account, phone: &Mobile) -> Result<(), Refusal> {
    let mut tx = deps.db.begin().await?;
    for (scope, key, most) in guesses(deps, who, phone) {
        code::count(&mut tx, who.caller.hospital.id, scope, &key, DAY, most).await?;
    }
    tx.commit().await?;
    metrics::counter!("people_wrong_guesses").increment(1);
    Ok(())
}

/// Who may be wrong how often: the account, the phone, and the address (unless many people are behind it).
fn guesses(deps: &PeopleDeps, who: &Account, phone: &Mobile) -> Vec<(&'static str, String, u32)> {
    let hospital = &who.caller.hospital;
    let rules: PersonRules = hospital.settings(PersonRules::SECTION);
    let shared: CodeRules = hospital.settings(CodeRules::SECTION);
    let mut all = vec![
        ("guess.account", who.id.db(), rules.wrong_names_per_day),
        ("guess.phone", cover::phone_blind(&deps.vault, hospital.id, phone), rules.wrong_names_per_day),
    ];
    if !shared.shared_addresses.iter().any(|a| **a == *who.caller.source) {
        let address = cover::source(&deps.vault, hospital.id, &who.caller.source);
        all.push(("guess.address", address, rules.wrong_names_per_address_day));
    }
    all
}
