//! Putting a patient on file at the counter, with the document in hand.

use edge::Caller;
use serde_json::json;

use crate::PeopleDeps;
use crate::cards::{self, CardNumber};
use crate::model::PersonId;
use crate::patients::{self, NewPatient};
use crate::refusal::Refusal;

/// Puts a patient on file, or finds the one who is there already, and registers the card that they have in hand. The same
/// request again changes nothing.
///
/// # Errors
/// [`Refusal::AdultNumber`], [`Refusal::CardOfAnother`], [`Refusal::CardTaken`]; then nobody is put on file.
pub async fn register(
    deps: &PeopleDeps,
    caller: &Caller,
    new: &NewPatient,
    card: Option<&CardNumber>,
) -> Result<PersonId, Refusal> {
    let mut tx = deps.db.begin().await?;
    let id = patients::add(&mut tx, &deps.vault, caller.hospital.id, new).await?;
    if let Some(card) = card {
        cards::add(&mut tx, &deps.vault, caller, id, card, true).await?;
    }
    tx.audit(caller.audit("person.register", id, json!({"card": card.map(CardNumber::kind)}))).await?;
    tx.commit().await?;
    Ok(id)
}
