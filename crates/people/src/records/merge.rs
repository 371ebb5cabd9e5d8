//! Two records that were one patient are made one, and can be parted again.
//!
//! What hangs on the record that goes (bindings, documents, cards, consents, and through [`Merging`] visits, numbers, charges) moves to the one that
//! stays; the ids of all that moved are kept, so that undoing moves exactly that back, and what came later stays where it is. The
//! record that goes is not deleted: it points at the other.

use ::store::{Db, StoreError, Tx, args};
use base::{HospitalId, Kind, Problem};
use edge::Caller;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use super::belongings::{Belonging, give};

use super::MergeId;
use super::store::{self as sql, MergeRow};
use crate::PeopleDeps;
use crate::model::PersonId;
use crate::store::person;

/// What other capabilities keep of a person. Implemented above this crate.
#[async_trait::async_trait]
pub trait Merging: Send + Sync {
    /// What stands in the way of giving all that `gone` has to `kept`: how many visits, and numbers in a line, both have at the
    /// same time.
    ///
    /// # Errors
    /// Any [`StoreError`].
    async fn clashes(
        &self,
        tx: &mut Tx,
        hospital: HospitalId,
        kept: PersonId,
        gone: PersonId,
    ) -> Result<u32, StoreError>;

    /// Gives what `from` has to `to`: all of it, or what `only` names. Gives the ids of what moved.
    ///
    /// # Errors
    /// Any [`StoreError`].
    async fn hand_over(
        &self,
        tx: &mut Tx,
        hospital: HospitalId,
        from: PersonId,
        to: PersonId,
        only: Option<&[String]>,
    ) -> Result<Vec<String>, StoreError>;

    /// What they keep of a person, as it may be shown to the person.
    ///
    /// # Errors
    /// Any [`StoreError`].
    async fn on_file(
        &self,
        tx: &mut Tx,
        hospital: HospitalId,
        person: PersonId,
    ) -> Result<serde_json::Value, StoreError>;

    /// How many visits a person has ahead, whoever booked them.
    ///
    /// # Errors
    /// Any [`StoreError`].
    async fn ahead(&self, tx: &mut Tx, hospital: HospitalId, person: PersonId) -> Result<u32, StoreError>;
}

/// Why two records can't be merged, or parted.
#[derive(Debug, thiserror::Error)]
pub enum MergeRefusal {
    /// 404: one of them is not there, was merged before, or is locked.
    #[error("not found")]
    NotFound,
    /// 422 `merge_with_itself`
    #[error("one record")]
    Same,
    /// 422 `reason_required`
    #[error("no reason")]
    Reason,
    /// 409 `merge_clash` with `count`: both have visits at the same time.
    #[error("visits at the same time")]
    Clash(u32),
    /// 409 `merge_later`: the record that stayed was merged into another since then; that is undone first.
    #[error("merged again since")]
    Later,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<MergeRefusal> for Problem {
    fn from(refusal: MergeRefusal) -> Self {
        match refusal {
            MergeRefusal::NotFound => Self::not_found(),
            MergeRefusal::Store(error) => error.into(),
            MergeRefusal::Same => Self::new(
                Kind::Invalid,
                "merge_with_itself",
                "这是同一份档案，请选择两份不同的档案。",
                "This is one and the same record. Please choose two.",
            ),
            MergeRefusal::Reason => {
                let (zh, en) =
                    ("请写明合并的依据（2 到 200 个字）。", "Please say why, in 2 to 200 characters.");
                Self::new(Kind::Invalid, "reason_required", zh, en).field("reason", "reason_required", zh, en)
            }
            MergeRefusal::Clash(count) => Self::new(
                Kind::Conflict,
                "merge_clash",
                "两份档案在同一时段都有就诊，请先取消其中一个。",
                "Both records have a visit at the same time. Please cancel one of them first.",
            )
            .with("count", count),
            MergeRefusal::Later => Self::new(
                Kind::Conflict,
                "merge_later",
                "保留的档案后来又被合并，请先撤销那一次合并。",
                "The record that stayed was merged again since. Please undo that first.",
            ),
        }
    }
}

/// The ids of what moved.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Moved {
    /// Bindings that changed hands …
    bindings: Vec<String>,
    /// … and those that were voided because the account holds the other record already.
    voided: Vec<String>,
    /// Documents, and whether each was the main one.
    documents: Vec<(String, i64)>,
    cards: Vec<String>,
    /// What was agreed to for the record.
    #[serde(default)]
    consents: Vec<String>,
    /// What other capabilities gave.
    others: Vec<String>,
}

/// Makes two records one.
///
/// # Errors
/// [`MergeRefusal`].
pub async fn merge(
    deps: &PeopleDeps,
    caller: &Caller,
    kept: PersonId,
    gone: PersonId,
    reason: &str,
) -> Result<MergeId, MergeRefusal> {
    let h = caller.hospital.id;
    if kept == gone {
        return Err(MergeRefusal::Same);
    }
    let reason = reason.trim();
    if !(2..=200).contains(&reason.chars().count()) {
        return Err(MergeRefusal::Reason);
    }
    let mut tx = deps.db.begin().await?;
    // Always in the same order, so that two merges of the same pair wait for each other.
    let (first, second) = if kept < gone { (kept, gone) } else { (gone, kept) };
    for id in [first, second] {
        if !person::lock(&mut tx, h, id).await? {
            return Err(MergeRefusal::NotFound);
        }
    }
    let clashes = deps.merging.clashes(&mut tx, h, kept, gone).await?;
    if clashes > 0 {
        return Err(MergeRefusal::Clash(clashes));
    }
    let id = MergeId::new();
    let moved = gather(deps, &mut tx, h, id, kept, gone).await?;
    let (now, by) = (tx.now(), caller.actor.to_string());
    tx.exec(sql::MERGED_ON, args![h, gone, kept, now]).await?;
    let moved = serde_json::to_string(&moved).map_err(|e| StoreError::Config(e.to_string()))?;
    tx.exec(sql::MERGE_ADD, args![h, id, kept, gone, reason, moved, by, now]).await?;
    tx.audit(caller.audit("person.merge", kept, json!({"gone": gone.to_string(), "merge": id.to_string()})))
        .await?;
    tx.commit().await?;
    Ok(id)
}

async fn gather(
    deps: &PeopleDeps,
    tx: &mut Tx,
    h: HospitalId,
    merge: MergeId,
    kept: PersonId,
    gone: PersonId,
) -> Result<Moved, StoreError> {
    let mut moved = Moved::default();
    let now = tx.now();
    let has: Vec<(String, String)> = sql::pairs(tx, sql::BINDINGS_OF, h, kept, "account_id").await?;
    for (id, account) in sql::pairs::<String>(tx, sql::BINDINGS_OF, h, gone, "account_id").await? {
        if has.iter().any(|(_, held)| *held == account) {
            tx.exec(sql::BINDING_VOID, args![h, &id, now, merge.db()]).await?;
            moved.voided.push(id);
        } else {
            tx.exec(sql::BINDING_MOVE, args![h, &id, kept]).await?;
            moved.bindings.push(id);
        }
    }
    let main: Vec<(String, i64)> = sql::pairs(tx, sql::DOCUMENTS_OF, h, kept, "is_main").await?;
    let has_main = main.iter().any(|(_, main)| *main == 1);
    for (id, was_main) in sql::pairs::<i64>(tx, sql::DOCUMENTS_OF, h, gone, "is_main").await? {
        let stays_main = i64::from(was_main == 1 && !has_main);
        tx.exec(sql::DOCUMENT_MOVE, args![h, &id, kept, stays_main]).await?;
        moved.documents.push((id, was_main));
    }
    let cards: Vec<(String, String)> = sql::pairs(tx, sql::CARDS_LIVE, h, kept, "kind").await?;
    for (id, kind) in sql::pairs::<String>(tx, sql::CARDS_LIVE, h, gone, "kind").await? {
        // A patient has one card of a kind; the other one stays with the record that goes, and comes back with it.
        if !cards.iter().any(|(_, held)| *held == kind) {
            tx.exec(sql::CARD_MOVE, args![h, &id, kept]).await?;
            moved.cards.push(id);
        }
    }
    for (id, _) in sql::pairs::<String>(tx, sql::CONSENT_IDS, h, gone, "kind").await? {
        tx.exec(sql::CONSENT_MOVE, args![h, &id, kept]).await?;
        moved.consents.push(id);
    }
    moved.others = deps.merging.hand_over(tx, h, gone, kept, None).await?;
    Ok(moved)
}

/// Parts two records again: what moved goes back. Twice is once.
///
/// # Errors
/// [`MergeRefusal::NotFound`], [`MergeRefusal::Later`].
pub async fn undo(deps: &PeopleDeps, caller: &Caller, id: MergeId) -> Result<(), MergeRefusal> {
    let h = caller.hospital.id;
    let mut tx = deps.db.begin().await?;
    let row: MergeRow = tx.opt(sql::MERGE_GET, args![h, id]).await?.ok_or(MergeRefusal::NotFound)?;
    if row.undone_at.is_some() {
        return Ok(());
    }
    let later: ::store::value::One<i64> = tx.one(sql::MERGE_LATER, args![h, row.kept]).await?;
    if later.0 > 0 {
        return Err(MergeRefusal::Later);
    }
    let (now, by) = (tx.now(), caller.actor.to_string());
    if tx.exec(sql::MERGE_UNDONE, args![h, id, now, by]).await? == 0 {
        return Ok(());
    }
    let moved: Moved = serde_json::from_str(&row.moved)
        .map_err(|e| StoreError::Decode { column: "moved".into(), what: e.to_string() })?;
    tx.exec(sql::MERGED_OFF, args![h, row.gone, now]).await?;
    for binding in &moved.bindings {
        tx.exec(sql::BINDING_MOVE, args![h, binding, row.gone]).await?;
    }
    for binding in &moved.voided {
        tx.exec(sql::BINDING_REVIVE, args![h, binding, id.db()]).await?;
    }
    for (document, main) in &moved.documents {
        tx.exec(sql::DOCUMENT_MOVE, args![h, document, row.gone, *main]).await?;
    }
    for card in &moved.cards {
        tx.exec(sql::CARD_MOVE, args![h, card, row.gone]).await?;
    }
    for consent in &moved.consents {
        tx.exec(sql::CONSENT_MOVE, args![h, consent, row.gone]).await?;
    }
    deps.merging.hand_over(&mut tx, h, row.kept, row.gone, Some(&moved.others)).await?;
    tx.audit(caller.audit(
        "person.merge_undo",
        row.kept,
        json!({"gone": row.gone.to_string(), "merge": id.to_string()}),
    ))
    .await?;
    tx.commit().await?;
    Ok(())
}

/// The latest merges.
///
/// # Errors
/// Any [`StoreError`].
pub async fn list(db: &Db, h: HospitalId) -> Result<Vec<MergeRow>, StoreError> {
    db.all(sql::MERGE_LIST, args![h]).await
}
