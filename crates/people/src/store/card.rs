//! Cards.

use ::store::value::{FromRow, Row};
use ::store::{Result, Tx, args};
use base::{HospitalId, UnixMs};

use super::person::Covered;
use crate::model::{BindingId, CardKind, PersonId};

::store::statements! {
    CARD_FIND = "SELECT id, person_id, kind, number_masked, seen_at FROM card
         WHERE hospital_id = $1 AND kind = $2 AND number_blind = $3 AND voided_at IS NULL";
    CARDS_OF = "SELECT id, person_id, kind, number_masked, seen_at FROM card
         WHERE hospital_id = $1 AND person_id = $2 AND voided_at IS NULL ORDER BY kind DESC";
    CARD_ADD = "INSERT INTO card (hospital_id, id, person_id, kind, number, number_masked, number_blind, bound_by, bound_at, seen_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING";
    CARD_SEE = "UPDATE card SET seen_at = $3 WHERE hospital_id = $1 AND id = $2 AND seen_at IS NULL";
    CARD_VOID = "UPDATE card SET voided_at = $3, voided_by = $4 WHERE hospital_id = $1 AND id = $2 AND voided_at IS NULL";
    CARD_VOID_KIND = "UPDATE card SET voided_at = $4, voided_by = $5
         WHERE hospital_id = $1 AND person_id = $2 AND kind = $3 AND voided_at IS NULL";
}

/// A card on file.
pub(crate) struct CardRow {
    pub(crate) id: BindingId,
    pub(crate) person: PersonId,
    pub(crate) kind: CardKind,
    pub(crate) masked: String,
    pub(crate) seen_at: Option<UnixMs>,
}

impl FromRow for CardRow {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            person: row.get("person_id")?,
            kind: row.get("kind")?,
            masked: row.get("number_masked")?,
            seen_at: row.get("seen_at")?,
        })
    }
}

pub(crate) async fn find(tx: &mut Tx, h: HospitalId, kind: CardKind, blind: &str) -> Result<Option<CardRow>> {
    tx.opt(CARD_FIND, args![h, kind, blind]).await
}

pub(crate) async fn of_person(tx: &mut Tx, h: HospitalId, person: PersonId) -> Result<Vec<CardRow>> {
    tx.all(CARDS_OF, args![h, person]).await
}

/// False when the number, or a card of this kind, is there already.
pub(crate) async fn add(
    tx: &mut Tx,
    h: HospitalId,
    person: PersonId,
    kind: CardKind,
    number: &Covered,
    by: &str,
    seen: bool,
) -> Result<bool> {
    let now = tx.now();
    let seen_at = seen.then_some(now);
    let values = args![
        h,
        BindingId::new(),
        person,
        kind,
        number.sealed.clone(),
        &number.masked,
        &number.blind,
        by,
        now,
        seen_at
    ];
    Ok(tx.exec(CARD_ADD, values).await? == 1)
}

pub(crate) async fn see(tx: &mut Tx, h: HospitalId, id: BindingId) -> Result<()> {
    let now = tx.now();
    tx.exec(CARD_SEE, args![h, id, now]).await.map(drop)
}

pub(crate) async fn void(tx: &mut Tx, h: HospitalId, id: BindingId, by: &str) -> Result<()> {
    let now = tx.now();
    tx.exec(CARD_VOID, args![h, id, now, by]).await.map(drop)
}

/// Voids the person's card of a kind; gives how many there were.
pub(crate) async fn void_kind(
    tx: &mut Tx,
    h: HospitalId,
    person: PersonId,
    kind: CardKind,
    by: &str,
) -> Result<u64> {
    let now = tx.now();
    tx.exec(CARD_VOID_KIND, args![h, person, kind, now, by]).await
}
