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

use std::sync::Arc;
use std::time::Duration;

use ::store::events::Failure;
use ::store::{Db, Sweep, lease};
use async_trait::async_trait;
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

/// Looks every minute whether a bill can be had.
pub(crate) struct Morning {
    deps: BillingDeps,
}

impl Morning {
    pub(crate) fn sweep(deps: BillingDeps) -> Arc<dyn Sweep> {
        Arc::new(Self { deps })
    }

    /// Writes down the days that are to be reconciled.
    async fn open_days(&self, now: UnixMs) -> ::store::Result<()> {
        for merchant in self.deps.merchants.all() {
            let Some(hospital) = self.deps.hospitals.get(merchant.hospital) else { continue };
            let (today, wall) = (hospital.zone.date(now), hospital.zone.wall(now));
            let yesterday = today.yesterday().unwrap_or(today);
            let mut date =
                if wall.minutes() >= FROM { yesterday } else { yesterday.yesterday().unwrap_or(yesterday) };
            let mut tx = self.deps.db.begin().await?;
            for _ in 0..DAYS_BACK {
                store::open(&mut tx, &merchant, date).await?;
                date = date.yesterday().unwrap_or(date);
            }
            tx.commit().await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Sweep for Morning {
    fn name(&self) -> &'static str {
        "billing.reconcile"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn run(&self, db: &Db) -> Result<bool, Failure> {
        self.open_days(db.now()).await?;
        let due = store::due(db, 16).await?;
        if due.is_empty() || lease::take(db, "billing.reconcile", LEASE).await?.is_none() {
            return Ok(false);
        }
        for (account, date) in due {
            if let Some(merchant) = self.deps.merchants.get(account) {
                reconcile(&self.deps, &merchant, date).await?;
            }
        }
        lease::give_back(db, "billing.reconcile").await?;
        Ok(true)
    }
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
