//! Accounts: one for each WeChat user, or for each phone that signs in by SMS.
//!
//! An account may have proven to hold one phone, and a phone is one account's. Signing in by SMS finds the account of that
//! phone; so somebody who bound themselves in WeChat finds the same persons in a plain browser. Two accounts that exist
//! already are never merged.

use ::store::{NewEvent, Result, StoreError, Tx, Vault};
use base::{HospitalId, Lang};
use edge::{AccountId, Caller};

use crate::cover;
use crate::documents::Mobile;
use crate::model::LangSource;
use crate::refusal::Refusal;
use crate::store::account;

/// The account of a phone that was proven; made when there is none. Gives whether it is new.
///
/// # Errors
/// Any [`StoreError`].
pub async fn of_phone(
    tx: &mut Tx,
    vault: &Vault,
    h: HospitalId,
    phone: &Mobile,
    lang: Lang,
) -> Result<(AccountId, bool)> {
    let covered = cover::phone(vault, h, phone)?;
    if let Some(id) = account::by_phone(tx, h, &covered.blind).await? {
        return Ok((id, false));
    }
    let id = account::add(tx, h, lang, LangSource::Browser).await?;
    if account::add_phone(tx, h, id, &covered.blind, covered.sealed, &covered.masked).await? {
        return Ok((id, true));
    }
    // Another sign-in with the same phone was faster; its account holds.
    account::take_back(tx, h, id).await?;
    Ok((account::by_phone(tx, h, &covered.blind).await?.ok_or(StoreError::NoRow)?, false))
}

/// What an account wants changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Change {
    /// The language of all that it is told.
    pub lang: Option<Lang>,
    /// Large type and fewer steps.
    pub elder: Option<bool>,
}

/// Changes an account's choices.
///
/// # Errors
/// [`Refusal::SignedOut`] when there is no such account.
pub async fn change(tx: &mut Tx, caller: &Caller, id: AccountId, change: Change) -> Result<(), Refusal> {
    let h = caller.hospital.id;
    if !account::lock(tx, h, id).await? {
        return Err(Refusal::SignedOut);
    }
    let before = account::get_in(tx, h, id).await?.ok_or(Refusal::SignedOut)?;
    if let Some(lang) = change.lang {
        account::set_lang(tx, h, id, lang, LangSource::Chosen).await?;
        if lang != before.lang {
            let payload = serde_json::json!({"account": id.to_string(), "lang": lang});
            let event = NewEvent { hospital: h, kind: "people.language", key: id.db(), payload };
            tx.publish(event).await?;
        }
    }
    if let Some(elder) = change.elder
        && elder != before.elder
    {
        account::set_elder(tx, h, id, elder).await?;
    }
    tx.audit(caller.audit(
        "account.change",
        id,
        serde_json::json!({"lang": change.lang, "elder": change.elder}),
    ))
    .await?;
    Ok(())
}
