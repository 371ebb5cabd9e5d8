//! Reconciliation: each morning every contract's day is held against the other side's own bill.
//!
//! A bill is fetched from 10:30 on, read once to prove it (hash, rows, sums) and once into `bill_line`, and matched by our numbers
//! in the database itself, however many lines there are. A payment that only the other side knows is an observation like any
//! other: it is applied, served or given back, and found equal at the next look. What can't be told from the day's border is
//! carried to the next day's bill. Everything else is a difference with a reason of a person's, above a limit with a second person's
//! yes. A day is closed when nothing is unexplained; looking again changes nothing.
//!
//! - [`day`]: one contract's day, from the file to its end
//! - [`read`]: files into lines, in bounded memory
//! - [`store`](self::store): the matching

mod api;
mod day;
mod read;
mod store;

use std::time::Duration;

use ::store::lease;
use base::{Date, UnixMs};

use crate::BillingDeps;

pub(crate) use api::add as add_routes;
pub use store::{Day, DayState, Difference, DifferenceId, DifferenceKind, DifferenceState, What};

pub(crate) fn statements() -> Vec<::store::Sql> {
    store::ALL.to_vec()
}

/// From when on a day's bill is fetched, on the next day: minutes of the day.
const FROM: u16 = 10 * 60 + 30;
/// So many days back are looked for: a hospital that was switched off over a holiday catches up.
const DAYS_BACK: usize = 7;
const LEASE: Duration = Duration::from_secs(600);
const NAME: &str = "billing.reconcile";
const EVERY: Duration = Duration::from_secs(60);

/// Looks every minute, by the hospital's clock, whether a bill can be had. Works beside everything else: a day of a million payments takes
/// its time, and holds up nobody.
#[derive(Debug, Default)]
pub(crate) struct Morning {
    last: Option<UnixMs>,
}

impl Morning {
    /// Writes down which days are to be reconciled, and works on those that are due.
    ///
    /// # Errors
    /// Any [`::store::StoreError`]; it looks again in a minute.
    pub(crate) async fn turn(&mut self, deps: &BillingDeps) -> ::store::Result<()> {
        let now = deps.db.now();
        // A clock that was set back must not silence it.
        if self.last.is_some_and(|last| now >= last && now.since(last) < EVERY) {
            return Ok(());
        }
        self.last = Some(now);
        open_days(deps, now).await?;
        if store::due(&deps.db, 1).await?.is_empty() || lease::take(&deps.db, NAME, LEASE).await?.is_none() {
            return Ok(());
        }
        let done = work_off(deps).await;
        lease::give_back(&deps.db, NAME).await?;
        done
    }
}

/// Writes down the days that are over since the contract was made.
async fn open_days(deps: &BillingDeps, now: UnixMs) -> ::store::Result<()> {
    for merchant in deps.merchants.all() {
        let Some(hospital) = deps.hospitals.get(merchant.hospital) else { continue };
        let (today, wall) = (hospital.zone.date(now), hospital.zone.wall(now));
        let yesterday = today.yesterday().unwrap_or(today);
        let mut date =
            if wall.minutes() >= FROM { yesterday } else { yesterday.yesterday().unwrap_or(yesterday) };
        let mut tx = deps.db.begin().await?;
        for _ in 0..DAYS_BACK {
            store::open(&mut tx, &merchant, date, day::bounds(&hospital, date)).await?;
            date = date.yesterday().unwrap_or(date);
        }
        tx.commit().await?;
    }
    Ok(())
}

/// Works on every day that is due; one that can't be worked on holds up no other.
async fn work_off(deps: &BillingDeps) -> ::store::Result<()> {
    loop {
        let mut any = false;
        for (account, date) in store::due(&deps.db, 16).await? {
            let Some(merchant) = deps.merchants.get(account) else { continue };
            any = true;
            if let Err(error) = reconcile(deps, &merchant, date).await {
                tracing::warn!(%error, account = %merchant.name, %date, "a day could not be reconciled; it is looked at again");
                day::put_off(deps, &merchant, date, &error.to_string()).await?;
            }
        }
        if !any {
            return Ok(());
        }
    }
}

/// Gives the lease back that a look which was broken off had taken.
pub(crate) async fn broken_off(deps: &BillingDeps) {
    if let Err(error) = lease::give_back(&deps.db, NAME).await {
        tracing::debug!(%error, "the lease of reconciliation runs out by itself");
    }
}

/// Money that was paid on an earlier day has come to light: a day that was closed without it is looked at again.
pub(crate) async fn came_late(
    tx: &mut ::store::Tx,
    hospital: &edge::Hospital,
    account: Option<crate::model::PayAccountId>,
    paid_at: UnixMs,
) -> ::store::Result<()> {
    let date = hospital.zone.date(paid_at);
    if let Some(account) = account.filter(|_| date < hospital.zone.date(tx.now())) {
        store::late(tx, hospital.id, account, date).await?;
    }
    Ok(())
}

/// Holds one day of a contract against the other side's bill, and closes it when nothing is unexplained.
///
/// # Errors
/// Any [`::store::StoreError`]; trouble at the other side is written down, and the day is looked at again.
pub async fn reconcile(
    deps: &BillingDeps,
    merchant: &crate::merchants::Merchant,
    date: Date,
) -> ::store::Result<Day> {
    day::run(deps, merchant, date).await
}
