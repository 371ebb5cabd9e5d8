//! How many tickets one account, and one address, may draw: people need few, robots want many.
//!
//! Counted in the memory of each node: whoever asks several nodes gets a few more, which changes nothing in who is served, since
//! one account stands in line once.

use std::collections::HashMap;
use std::sync::Arc;

use base::{HospitalId, Kind, Problem, UnixMs};
use edge::Hospital;
use edge::limit::Limiter;
use parking_lot::Mutex;

use super::rules::Rush;
use crate::model::Request;

/// How many tickets may be drawn in a minute, by account and by address: by the hospital's settings.
#[derive(Default)]
pub(crate) struct Limits(Mutex<HashMap<Rates, Arc<(Limiter, Limiter)>>>);

/// A hospital with what it allows accounts and addresses.
type Rates = (HospitalId, u32, u32);

impl Limits {
    /// 429 when an account or an address draws more tickets than people can.
    pub(crate) fn take(&self, hospital: &Hospital, request: &Request, now: UnixMs) -> Result<(), Problem> {
        let rules: Rush = hospital.settings(Rush::SECTION);
        let key = (hospital.id, rules.per_account, rules.per_address);
        let limiters = self.0.lock().entry(key).or_insert_with(|| Arc::new(limiters(&rules))).clone();
        let account = request.account.to_string();
        let asks = [
            (&limiters.0, account.as_str(), rules.per_account),
            (&limiters.1, request.source.as_str(), rules.per_address),
        ];
        // 0 switches a limit off.
        for (limiter, who, _) in asks.into_iter().filter(|(_, _, limit)| *limit > 0) {
            if let Err(wait) = limiter.take(who, now) {
                metrics::counter!("rush_limited").increment(1);
                return Err(too_many(wait));
            }
        }
        Ok(())
    }
}

fn limiters(rules: &Rush) -> (Limiter, Limiter) {
    let of = |per_minute: u32| Limiter::new(per_minute.max(1), 60_000 / per_minute.max(1));
    (of(rules.per_account), of(rules.per_address))
}

fn too_many(wait_s: u32) -> Problem {
    Problem::new(
        Kind::TooMany,
        "too_many_tickets",
        "取票太频繁，请稍等再试。已经取到的票不受影响。",
        "Too many tickets were drawn. Please wait a moment; a ticket that you have stays good.",
    )
    .with("retry_after_s", wait_s)
}
