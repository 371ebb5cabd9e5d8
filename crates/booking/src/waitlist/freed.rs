//! Keeping a place back, and giving it back to everybody.

use base::{HospitalId, UnixMs};
use edge::Hospital;
use schedule::quota::Channel;
use schedule::stock::{self, Stock};
use store::{NewJob, Result, Tx};

use super::model::{Freed, FreedId};
use super::rules::{Rules, some_time_after, targets};
use super::store as sql;
use crate::hold::HoldFor;
use crate::lane::Counter;
use crate::model::{Appointment, State};
use crate::quota;

/// The kind of the job that decides who has a place next.
pub(crate) const FREED: &str = "booking.freed";

/// Keeps the place of an appointment that was just ended (as it stood before) for the waitlist, where its clinic is full: then
/// it stays taken, and is on hold. False when it is to go back on sale. Its slot is locked.
pub(crate) async fn keep(
    tx: &mut Tx,
    hospital: &Hospital,
    stock: &Stock,
    channel: &str,
    was: &Appointment,
) -> Result<bool> {
    let rules: Rules = hospital.settings(Rules::SECTION);
    let now = tx.now();
    if !rules.enabled || stock.stopped || now >= stock.closes_at || now >= stock.start_at {
        return Ok(false);
    }
    // A place of the counter's, the doctor's or a partner's share goes back to them: nobody can book it from a phone.
    if stock.divided && Channel::of_request(channel) != Channel::Online {
        return Ok(false);
    }
    if !is_full(tx, hospital, stock).await? {
        return Ok(false);
    }
    let waits = !sql::waiting(tx, hospital.id, &targets(stock), now, 1).await?.is_empty();
    if rules.delay_minutes == 0 && !waits {
        return Ok(false);
    }
    let public_at = some_time_after(now, rules.delay(), random());
    // After an offer that came to nothing the next is asked at once: who that is nobody could choose.
    let offer_at =
        if was.hold_for == Some(HoldFor::Waitlist) && was.confirmed_at.is_none() { now } else { public_at };
    let freed = Freed {
        id: FreedId::new(),
        slot: stock.slot,
        clinic: stock.clinic,
        channel: channel.to_owned(),
        freed_at: now,
        offer_at,
        public_at,
    };
    sql::free(tx, hospital.id, &freed).await?;
    due(tx, hospital.id, freed.id, offer_at).await?;
    if was.state != State::Held {
        stock::hold(tx, hospital.id, stock.slot, 1).await?;
    }
    Ok(true)
}

/// Has it decided at `at` who has this place next: to the moment, where the sweep comes round every few seconds.
pub(crate) async fn due(tx: &mut Tx, hospital: HospitalId, freed: FreedId, at: UnixMs) -> Result<()> {
    let payload = serde_json::json!({"freed": freed});
    tx.at(at, NewJob { hospital, kind: FREED, dedupe: freed.db(), payload }).await
}

/// Whether nobody could have had a place of this slot a moment ago.
async fn is_full(tx: &mut Tx, hospital: &Hospital, stock: &Stock) -> Result<bool> {
    if stock.taken >= stock.capacity {
        return Ok(true);
    }
    let lines = quota::lines(tx, hospital.id, std::slice::from_ref(stock)).await?;
    Ok(lines.get(&stock.clinic).is_some_and(|lines| !quota::has_place(lines, Channel::Online)))
}

/// Gives a place that was kept back to everybody; false when somebody else has dealt with it. Its slot is locked.
pub(crate) async fn release(
    tx: &mut Tx,
    counter: &Counter,
    hospital: &Hospital,
    stock: &Stock,
    freed: &Freed,
) -> Result<bool> {
    if !sql::take_freed(tx, hospital.id, freed.id).await? {
        return Ok(false);
    }
    stock::hold(tx, hospital.id, stock.slot, -1).await?;
    stock::give_back(tx, hospital.id, stock.slot).await?;
    quota::give_back_by(tx, &counter.board, hospital.id, stock, &freed.channel).await?;
    counter.show(tx, hospital.id, stock, stock.taken - 1);
    counter.is_free_again(tx, stock.slot);
    Ok(true)
}

/// Random bits from the machine. Should it give none, those of a fresh id.
fn random() -> u64 {
    let text = edge::session::random_token().unwrap_or_else(|_| FreedId::new().db());
    text.get(..15).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or_default()
}
