//! Numbers that a doctor adds, and free return visits: each has a place of its own, added to the segment with it.

use base::Problem;
use edge::StaffId;
use people::PersonId;
use schedule::stock::Stock;
use schedule::{ClinicKind, SlotId, Title, added};
use store::{StoreError, Tx};

use super::Desk;
use super::asker::{self, Asker};
use super::single::TRIES;
use crate::model::{
    Appointment, AppointmentId, DeskRules, Limits, NoReturn, Outcome, Refusal, Request, Visit,
};
use crate::rules::beyond::{self, Grade, Return};
use crate::rules::{self, Facts, Now};
use crate::store as sql;
use crate::{free, lane};

/// A number that is to be added.
#[derive(Debug, Clone, Copy)]
pub struct AddOn<'a> {
    /// For whom.
    pub person: PersonId,
    /// To which slot.
    pub slot: SlotId,
    /// Names the intent.
    pub key: &'a str,
    /// Who added it, where the patient takes it by a code.
    pub added_by: Option<StaffId>,
    /// The hash of that code: used up in the same transaction.
    pub code: Option<&'a str>,
}

/// A return visit that is to be made.
#[derive(Debug, Clone, Copy)]
pub struct ReturnTo<'a> {
    /// The visit that it comes back to.
    pub of: AppointmentId,
    /// Whose it is, as whoever asks has found out.
    pub person: PersonId,
    /// In which slot.
    pub slot: SlotId,
    /// Names the intent.
    pub key: &'a str,
    /// Staff extend the days.
    pub extended: bool,
}

impl Desk {
    /// Adds a number.
    ///
    /// # Errors
    /// 404 when nobody of this id is on file; 503.
    pub async fn add_on(&self, asker: &Asker, new: AddOn<'_>) -> Result<Outcome, Problem> {
        for _ in 0..TRIES {
            match self.try_add_on(asker, new).await {
                Ok(Some(outcome)) => return Ok(outcome),
                Ok(None) | Err(StoreError::Retry(_)) => {}
                Err(StoreError::NoRow) => return Err(Problem::not_found()),
                Err(error) => return Err(error.into()),
            }
        }
        Err(Problem::unavailable(1))
    }

    async fn try_add_on(&self, asker: &Asker, new: AddOn<'_>) -> Result<Option<Outcome>, StoreError> {
        let hospital = &asker.caller.hospital;
        let rules: DeskRules = hospital.settings(DeskRules::SECTION);
        let limits: Limits = hospital.settings("booking.limits");
        let mut tx = self.counter.db.begin().await?;
        let found = people::look_up::get(&mut tx, hospital.id, new.person).await?.ok_or(StoreError::NoRow)?;
        let account = asker.account_for(&mut tx, new.person).await?;
        let request = asker.request(account, asker::facts(&found), new.slot, new.key, None);
        let facts = lane::gather(&mut tx, hospital, std::slice::from_ref(&request), true).await?;
        if let Some(known) = replay(&facts, &request) {
            return Ok(Some(known));
        }
        let Some(stock) = facts.stock.get(&new.slot) else { return Ok(refused(Refusal::NoSlot)) };
        let now = Now { at: tx.now(), zone: &hospital.zone, limits: &limits };
        let known = facts.known.get(&new.person).map(Vec::as_slice).unwrap_or_default();
        let reasons = beyond::add_on(&request, stock, known, &now);
        if !reasons.is_empty() {
            return Ok(Some(Outcome::Refused(reasons)));
        }
        let mut row = rules::place(&request, stock, known, &now, lane::new_ids());
        row.marks.visit = Visit::AddOn;
        row.marks.made_by = asker.staff.or(new.added_by);
        if let Some(code) = new.code
            && !sql::desk::use_code(&mut tx, hospital.id, code, row.id).await?
        {
            return Ok(refused(Refusal::CodeOver));
        }
        if !self.seat(&mut tx, asker, stock, &row, &request.channel).await? {
            return Ok(None);
        }
        // Last, in the order of locks; whoever comes too late takes all of it back.
        if !added::allow(&mut tx, hospital.id, stock.clinic, rules.add_on_limit).await? {
            tx.rollback().await?;
            let used = added::used(&self.counter.db, hospital.id, stock.clinic, rules.add_on_limit).await?;
            let limit = used.map_or(0, |u| u32::try_from(u.limit).unwrap_or(u32::MAX));
            return Ok(refused(Refusal::NoAddOns { limit }));
        }
        self.commit_new(tx, asker, &row, &request.channel).await?;
        Ok(Some(Outcome::Booked(Box::new(row))))
    }

    /// Makes a return visit.
    ///
    /// # Errors
    /// 404 when there is no such visit; 503.
    pub async fn return_visit(&self, asker: &Asker, new: ReturnTo<'_>) -> Result<Outcome, Problem> {
        let hospital = asker.caller.hospital.id;
        let board = &self.counter.board;
        for _ in 0..TRIES {
            // Who sits where is read before the transaction: nothing but its own rows is awaited while one is open.
            let origin =
                sql::read(&self.counter.db, hospital, new.of).await?.ok_or_else(Problem::not_found)?;
            let cards = board.cards(hospital, &[origin.slot, new.slot]).await?;
            let title = |slot: SlotId| cards.get(&slot).and_then(|card| card.title);
            let titles = (title(origin.slot), title(new.slot));
            match self.try_return(asker, new, titles).await {
                Ok(Some(outcome)) => return Ok(outcome),
                Ok(None) | Err(StoreError::Retry(_)) => {}
                Err(StoreError::NoRow) => return Err(Problem::not_found()),
                Err(error) => return Err(error.into()),
            }
        }
        Err(Problem::unavailable(1))
    }

    async fn try_return(
        &self,
        asker: &Asker,
        new: ReturnTo<'_>,
        (paid, title): (Option<Title>, Option<Title>),
    ) -> Result<Option<Outcome>, StoreError> {
        let hospital = &asker.caller.hospital;
        let rules: DeskRules = hospital.settings(DeskRules::SECTION);
        let limits: Limits = hospital.settings("booking.limits");
        let mut tx = self.counter.db.begin().await?;
        let found = people::look_up::get(&mut tx, hospital.id, new.person).await?.ok_or(StoreError::NoRow)?;
        let account = asker.account_for(&mut tx, new.person).await?;
        let mut request = asker.request(account, asker::facts(&found), new.slot, new.key, None);
        request.hash = edge::idempotency::request_hash("return_visit", &(new.of, new.slot));
        let facts = lane::gather(&mut tx, hospital, std::slice::from_ref(&request), true).await?;
        if let Some(known) = replay(&facts, &request) {
            return Ok(Some(known));
        }
        let origin = sql::get(&mut tx, hospital.id, new.of).await?.filter(|a| a.person == new.person);
        let origin = origin.ok_or(StoreError::NoRow)?;
        let Some(stock) = facts.stock.get(&new.slot) else { return Ok(refused(Refusal::NoSlot)) };
        if let Some(there) = sql::desk::return_of(&mut tx, hospital.id, new.of).await? {
            return Ok(refused(Refusal::NoReturn(NoReturn::Once { appointment: there.id })));
        }
        let one = Return {
            origin: &origin,
            paid: Grade {
                kind: ClinicKind::from_code(&origin.kind).unwrap_or(ClinicKind::General),
                title: paid,
            },
            title,
            in_segment: sql::desk::returns_in(&mut tx, hospital.id, new.slot).await?,
            extended: new.extended && asker.staff.is_some(),
            by_person: asker.staff.is_none(),
            rules: &rules,
        };
        let reasons = beyond::return_visit(&one, stock, tx.now());
        if !reasons.is_empty() {
            return Ok(Some(Outcome::Refused(reasons)));
        }
        let now = Now { at: tx.now(), zone: &hospital.zone, limits: &limits };
        let mut row = rules::place(&request, stock, &[], &now, lane::new_ids());
        row.fee = base::Fen(0);
        row.late = false;
        row.marks.visit = Visit::ReturnVisit;
        row.marks.made_by = asker.staff;
        row.marks.return_of = Some(new.of);
        row.marks.excused = true;
        if !self.seat(&mut tx, asker, stock, &row, &request.channel).await? {
            return Ok(None);
        }
        self.commit_new(tx, asker, &row, &request.channel).await?;
        Ok(Some(Outcome::Booked(Box::new(row))))
    }

    /// Puts an appointment into a place that is added for it; false when somebody was faster, or the segment was stopped.
    async fn seat(
        &self,
        tx: &mut Tx,
        asker: &Asker,
        stock: &Stock,
        row: &Appointment,
        channel: &str,
    ) -> Result<bool, StoreError> {
        let hospital = &asker.caller.hospital;
        if !sql::desk::insert_one(tx, hospital.id, row, channel).await? {
            return Ok(false);
        }
        let Some(grown) = added::grow(tx, hospital.id, stock).await? else { return Ok(false) };
        free::show_again(tx, &self.counter, hospital, stock, grown.lines);
        Ok(true)
    }
}

fn refused(reason: Refusal) -> Option<Outcome> {
    Some(Outcome::Refused(vec![reason]))
}

/// The answer to a key that was used before.
fn replay(facts: &Facts, request: &Request) -> Option<Outcome> {
    let known = facts.by_key.get(&(request.account, request.key.clone()))?;
    Some(if known.request_hash == request.hash {
        Outcome::Replay(Box::new(known.clone()))
    } else {
        Outcome::KeyReused
    })
}
