//! How many places one account may book in a day, for whomever: who books all day long is no family.
//!
//! Only what accounts book by themselves counts, not what staff book for them, what the waitlist keeps for them, or what
//! they move. The count is one look for a whole batch, and none at all where the limit is switched off.

use std::collections::HashMap;

use base::Date;
use edge::{AccountId, Hospital};
use schedule::quota::Channel;
use store::{Result, Tx};

use crate::hold::HoldFor;
use crate::model::{Limits, Request};
use crate::store as sql;

/// Whether a wish counts for its account's day.
#[must_use]
pub fn counts(request: &Request, channel: Channel) -> bool {
    let kept = request.hold.is_some_and(|hold| hold.why == HoldFor::Waitlist);
    channel == Channel::Online && request.replaces.is_none() && !kept
}

/// Whether somebody who has booked so many today may book no more.
#[must_use]
pub fn too_many_today(booked: u32, limits: &Limits) -> bool {
    limits.per_account_day > 0 && booked >= limits.per_account_day
}

/// How many places these accounts have booked today.
pub(crate) async fn booked_today(
    tx: &mut Tx,
    hospital: &Hospital,
    requests: &[Request],
    today: Date,
) -> Result<HashMap<AccountId, u32>> {
    let limits: Limits = hospital.settings("booking.limits");
    let counted = requests.iter().filter(|r| counts(r, Channel::of_request(&r.channel)));
    let mut accounts: Vec<AccountId> = counted.map(|r| r.account).collect();
    if limits.per_account_day == 0 || accounts.is_empty() {
        return Ok(HashMap::new());
    }
    accounts.sort_unstable();
    accounts.dedup();
    let midnight = hospital.zone.at(today, base::WallTime::default());
    sql::booked_since_by(tx, hospital.id, &accounts, midnight).await
}
