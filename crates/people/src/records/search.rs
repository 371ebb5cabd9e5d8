//! Finding a patient by what they bring: a name, a phone, a document, a card. Whole values only: what is sealed can't be searched
//! by parts, and nobody leafs through names.

use base::{Date, HospitalId};
use edge::Caller;

use super::store::{self as sql, Found};
use crate::cards::CardNumber;
use crate::documents::{Document, Mobile};
use crate::model::{CardKind, DocumentKind, PersonId};
use crate::names::RealName;
use crate::refusal::Refusal;
use crate::{PeopleDeps, cover};

/// The most that a search shows; who is not among them is asked for more than a name.
pub const MOST: usize = 50;

/// Patients whom this text may mean, in the order in which they came on file.
///
/// # Errors
/// The database.
pub async fn find(deps: &PeopleDeps, caller: &Caller, text: &str) -> Result<Vec<Found>, Refusal> {
    let h = caller.hospital.id;
    let today = caller.hospital.zone.date(deps.db.now());
    let mut found: Vec<Found> = Vec::new();
    if let Ok(id) = text.trim().parse::<PersonId>() {
        found.extend(sql::by_id(&deps.db, h, id).await?);
    }
    if let Some(phone) = Mobile::parse(text) {
        found.extend(sql::by_phone(&deps.db, h, &cover::phone_blind(&deps.vault, h, &phone)).await?);
    }
    for document in readings(text, today) {
        let blind = cover::document_blind(&deps.vault, h, &document);
        found.extend(sql::by_document(&deps.db, h, &blind).await?);
    }
    found.extend(by_card(deps, h, text, today).await?);
    if let Some(name) = RealName::parse(text) {
        found.extend(sql::by_name(&deps.db, h, &cover::name_blind(&deps.vault, h, &name)).await?);
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|one| seen.insert(one.id));
    found.truncate(MOST);
    Ok(found)
}

async fn by_card(deps: &PeopleDeps, h: HospitalId, text: &str, today: Date) -> Result<Vec<Found>, Refusal> {
    let mut found = Vec::new();
    for kind in CardKind::ALL {
        if let Ok(number) = CardNumber::parse(*kind, text, today) {
            found.extend(sql::by_card(&deps.db, h, *kind, &number.blind(&deps.vault, h)).await?);
        }
    }
    Ok(found)
}

/// The documents that a number may be of.
fn readings(text: &str, today: Date) -> Vec<Document> {
    let kinds = DocumentKind::ALL.iter().filter(|kind| **kind != DocumentKind::Passport);
    kinds.filter_map(|kind| Document::parse(*kind, text, None, today).ok()).collect()
}
