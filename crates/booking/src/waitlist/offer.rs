//! Offering a place that was given up: to whoever waits longest and may have it.

use std::sync::Arc;

use base::UnixMs;
use edge::{Caller, Hospital};
use schedule::SlotId;
use schedule::quota::Channel;
use schedule::stock::{self, Stock};
use store::{Result, Tx};

use super::freed::{due, release};
use super::model::{Entry, Freed};
use super::rules::{Rules, targets};
use super::store as sql;
use crate::BookingDeps;
use crate::hold::{Hold, HoldFor};
use crate::lane::{self, Counter};
use crate::model::{Appointment, Limits, PersonFacts, Request};
use crate::rules::{Now, decide};
use crate::{quota, store as own};

/// So many of those who wait are looked at for one place: most of them may have it.
const CANDIDATES: i64 = 20;

/// Decides what becomes of a place: kept for somebody, kept back until later, or back on sale.
pub(crate) async fn settle(deps: &BookingDeps, hospital: &Arc<Hospital>, freed: &Freed) -> Result<()> {
    let counter = deps.desk.counter();
    let rules: Rules = hospital.settings(Rules::SECTION);
    let mut tx = deps.db.begin().await?;
    let now = tx.now();
    let Some(seen) = stock::look(&mut tx, hospital.id, &[freed.slot]).await?.pop() else {
        return sql::take_freed(&mut tx, hospital.id, freed.id).await.map(drop);
    };
    let over = seen.stopped || now >= seen.closes_at || now >= seen.start_at || !rules.enabled;
    let waiting = match over {
        true => Vec::new(),
        false => sql::waiting(&mut tx, hospital.id, &targets(&seen), now, CANDIDATES).await?,
    };
    if !waiting.is_empty() {
        if let Some(later) = rules.wakes_at(&hospital.zone, now).filter(|later| *later < seen.closes_at) {
            sql::later(&mut tx, hospital.id, freed.id, later).await?;
            due(&mut tx, hospital.id, freed.id, later).await?;
            return tx.commit().await;
        }
        match offer(&mut tx, counter, hospital, &rules, &seen, Some(freed), &waiting).await? {
            Offered::Kept(entry, kept) => {
                tell(deps, &mut tx, hospital, &entry, &kept).await?;
                return tx.commit().await;
            }
            // Somebody left, or another node was faster: it is looked at again in a moment.
            Offered::Again => return tx.rollback().await,
            Offered::Nobody => {}
        }
    }
    if now < freed.public_at && !over {
        sql::later(&mut tx, hospital.id, freed.id, freed.public_at).await?;
        due(&mut tx, hospital.id, freed.id, freed.public_at).await?;
        return tx.commit().await;
    }
    let Some(locked) = stock::lock(&mut tx, hospital.id, &[freed.slot]).await?.pop() else { return Ok(()) };
    if release(&mut tx, counter, hospital, &locked, freed).await? {
        tx.commit().await
    } else {
        tx.rollback().await
    }
}

enum Offered {
    Kept(Box<Entry>, Box<Appointment>),
    Again,
    Nobody,
}

/// Offers a place that came free without anybody giving it up: a clinic was given more places, or another channel handed its
/// own on.
pub(crate) async fn free_one(deps: &BookingDeps, hospital: &Arc<Hospital>, slot: SlotId) -> Result<()> {
    let counter = deps.desk.counter();
    let rules: Rules = hospital.settings(Rules::SECTION);
    let mut tx = deps.db.begin().await?;
    let now = tx.now();
    let Some(seen) = stock::look(&mut tx, hospital.id, &[slot]).await?.pop() else { return Ok(()) };
    if rules.wakes_at(&hospital.zone, now).is_some() {
        return tx.rollback().await;
    }
    let waiting = sql::waiting(&mut tx, hospital.id, &targets(&seen), now, CANDIDATES).await?;
    match offer(&mut tx, counter, hospital, &rules, &seen, None, &waiting).await? {
        Offered::Kept(entry, kept) => {
            tell(deps, &mut tx, hospital, &entry, &kept).await?;
            tx.commit().await
        }
        Offered::Again | Offered::Nobody => tx.rollback().await,
    }
}

/// Keeps the place for the first of those who wait that may have it, by the same rules as every booking.
async fn offer(
    tx: &mut Tx,
    counter: &Counter,
    hospital: &Arc<Hospital>,
    rules: &Rules,
    seen: &Stock,
    freed: Option<&Freed>,
    waiting: &[Entry],
) -> Result<Offered> {
    let until = rules.kept_until(&hospital.zone, seen.date, seen.closes_at, tx.now());
    let mut requests: Vec<Request> =
        waiting.iter().map(|entry| request(entry, seen.slot, freed, until)).collect();
    // Persons, then slots, as everywhere.
    let (mut facts, _) = counter.gather(tx, hospital, &mut requests, true).await?;
    let Some(stock) = facts.stock.get_mut(&seen.slot) else { return Ok(Offered::Again) };
    let locked = stock.clone();
    if let Some(freed) = freed {
        if !sql::take_freed(tx, hospital.id, freed.id).await? {
            return Ok(Offered::Again);
        }
        stock.taken -= 1;
        // One place is offered at a time, whatever else is free.
        stock.capacity = stock.taken + 1;
        if let Some(lines) = facts.lines.get_mut(&freed.clinic) {
            schedule::quota::release(lines, Channel::of_request(&freed.channel));
        }
    } else {
        stock.capacity = stock.capacity.min(stock.taken + 1);
    }
    let limits: Limits = hospital.settings("booking.limits");
    let now = Now { at: tx.now(), zone: &hospital.zone, limits: &limits };
    let (_, plan) = decide(&requests, &mut facts, &now, lane::new_ids);
    let Some(kept) = plan.rows.first() else {
        // Nobody may have it now. It stays kept back, as it was.
        if let Some(freed) = freed {
            sql::free(tx, hospital.id, freed).await?;
        }
        return Ok(Offered::Nobody);
    };
    let Some(entry) = waiting.iter().find(|e| e.account == kept.account && e.person == kept.person) else {
        return Ok(Offered::Again);
    };
    if !sql::offered(tx, hospital.id, entry.id, kept.id).await?
        || own::insert_all(tx, hospital.id, std::slice::from_ref(kept), &[channel_of(freed)]).await? != 1
    {
        return Ok(Offered::Again);
    }
    if freed.is_some() {
        // The kept place becomes a place on hold with a number of its own.
        stock::hold(tx, hospital.id, seen.slot, -1).await?;
        stock::give_back(tx, hospital.id, seen.slot).await?;
    }
    stock::take(tx, hospital.id, &[(seen.slot, 1)]).await?;
    stock::hold(tx, hospital.id, seen.slot, 1).await?;
    quota::write(tx, &counter.board, hospital.id, &plan, &facts.lines).await?;
    tx.publish(lane::booked(hospital.id, kept)).await?;
    let detail = serde_json::json!({"slot": kept.slot, "number": kept.number, "person": kept.person, "waitlist": entry.id});
    tx.audit(Caller::system(hospital.clone()).audit("booking.hold", kept.id, detail)).await?;
    let taken = if freed.is_some() { locked.taken } else { locked.taken + 1 };
    counter.show(tx, hospital.id, &locked, taken);
    metrics::counter!("waitlist_offered").increment(1);
    Ok(Offered::Kept(Box::new(entry.clone()), Box::new(kept.clone())))
}

/// The channel that an offered place is charged to.
fn channel_of(freed: Option<&Freed>) -> &str {
    freed.map_or(Channel::Online.code(), |freed| freed.channel.as_str())
}

fn request(entry: &Entry, slot: SlotId, freed: Option<&Freed>, until: UnixMs) -> Request {
    // A key of its own for each place: whoever missed one and waits again is offered the next.
    let place = freed.map_or_else(|| slot.db(), |freed| freed.id.db());
    Request {
        slot,
        person: PersonFacts::unknown(entry.person),
        account: entry.account,
        channel: channel_of(freed).to_owned(),
        hash: edge::idempotency::request_hash("waitlist", &(entry.id, &place)),
        key: format!("{}-{place}", entry.id.db()),
        hold: Some(Hold { until, why: HoldFor::Waitlist }),
        replaces: None,
        request_id: "waitlist".into(),
        source: "system".into(),
    }
}

/// Tells who it is kept for, in the transaction that keeps it.
async fn tell(
    deps: &BookingDeps,
    tx: &mut Tx,
    hospital: &Hospital,
    entry: &Entry,
    kept: &Appointment,
) -> Result<()> {
    let person = people::bound::find(tx, hospital.id, kept.account, kept.person).await?;
    // From the board in memory: nothing but the database is awaited in a transaction, and a slot that is offered is on it.
    let (Some(person), Some(card)) = (person, deps.board.card(hospital.id, kept.slot)) else { return Ok(()) };
    let mut tell = crate::api::notice(card, kept, notify::Kind::WaitlistOffer, person.name_masked, None);
    let until = kept.hold_until.unwrap_or(kept.start_at);
    tell.data.insert("until", until.into());
    tell.link = format!("/waitlist?entry={}", entry.id);
    tell.expires_at = until;
    notify::tell(tx, hospital.id, tell).await.map(drop)
}
