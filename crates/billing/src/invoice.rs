//! E-invoices: wanted with the payment, made later by whoever makes them for the hospital, written off when all of it goes back.
//!
//! What is about to be asked for is written down first; after a try without an answer the provider is asked what it has before anything is
//! sent again. So a charge has one invoice, whatever dies or is lost on the way.

mod provider;

use std::time::Duration;

use async_trait::async_trait;
use store::{Result, lease};
use tokio_util::sync::CancellationToken;

use crate::BillingDeps;
use crate::model::{Charge, ChargeState, Item};
use crate::store::{charge as charges, invoice as sql};

pub use provider::{NewInvoiceAccount, Provided, add_invoice_account};

/// An invoice that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The provider's code that the number belongs to.
    pub batch: String,
    /// Its number.
    pub number: String,
    /// Where the payer sees it.
    pub link: String,
    /// The number of what wrote it off.
    pub red: Option<String>,
}

/// Makes e-invoices. The charge's id is the key: of one charge there is one invoice.
#[async_trait]
pub trait Invoicer: Send + Sync {
    /// Who it is, for the record.
    fn name(&self) -> &'static str;

    /// Makes the invoice of a charge that is paid.
    ///
    /// # Errors
    /// In words for a log; it may have been made all the same.
    async fn issue(&self, charge: &Charge, items: &[Item]) -> std::result::Result<Issued, String>;

    /// The invoice of a charge, if there is one.
    ///
    /// # Errors
    /// In words for a log.
    async fn find(&self, charge: &Charge) -> std::result::Result<Option<Issued>, String>;

    /// Writes an invoice off; gives the number of what does.
    ///
    /// # Errors
    /// As [`Self::issue`].
    async fn write_off(&self, charge: &Charge, issued: &Issued) -> std::result::Result<String, String>;
}

const TICK: Duration = Duration::from_millis(500);
const NAME: &str = "billing.invoices";
const LEASE: Duration = Duration::from_secs(120);
const BATCH: i64 = 20;

/// Has invoices made that are wanted and written off that are not, until `stop`.
pub(crate) async fn run(deps: BillingDeps, stop: CancellationToken) {
    let Some(invoicer) = deps.invoicer.clone() else { return };
    while !stop.is_cancelled() {
        match turn(&deps, &*invoicer, &stop).await {
            Ok(count) if count > 0 => continue,
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "invoices could not be looked after; they are in a moment"),
        }
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn turn(deps: &BillingDeps, invoicer: &dyn Invoicer, stop: &CancellationToken) -> Result<usize> {
    if sql::due(&deps.db, 1).await?.is_empty() || lease::take(&deps.db, NAME, LEASE).await?.is_none() {
        return Ok(0);
    }
    let begun = deps.db.now();
    let mut count = 0;
    for due in sql::due(&deps.db, BATCH).await? {
        if stop.is_cancelled() || deps.db.now().since(begun) > LEASE / 2 {
            break;
        }
        one(deps, invoicer, &due).await?;
        count += 1;
    }
    lease::give_back(&deps.db, NAME).await?;
    Ok(count)
}

async fn one(deps: &BillingDeps, invoicer: &dyn Invoicer, due: &sql::Due) -> Result<()> {
    let db = &deps.db;
    let Some(charge) = charges::read(db, due.hospital, due.charge).await? else { return Ok(()) };
    // Whatever happens now, it is looked at again, and by then it is known that something was tried.
    let mut tx = db.begin().await?;
    let again = tx.now().plus(crate::rules::after_doubt(due.tries).max(Duration::from_secs(5)));
    let taken = sql::trying(&mut tx, due, again).await?;
    tx.commit().await?;
    if !taken {
        return Ok(());
    }
    let known = if due.tries > 0 { invoicer.find(&charge).await } else { Ok(None) };
    let done = match (&due.issued, known) {
        (_, Err(why)) => Err(why),
        (None, Ok(Some(issued))) => Ok(Step::Issued(issued)),
        // Nothing was made, and nothing is to be made any more.
        (None, Ok(None)) if charge.state != ChargeState::Settled => Ok(Step::Forgotten),
        (None, Ok(None)) => {
            let items = charges::items(db, due.hospital, due.charge).await?;
            invoicer.issue(&charge, &items).await.map(Step::Issued)
        }
        (Some(_), Ok(Some(Issued { red: Some(red), .. }))) => Ok(Step::WrittenOff(red)),
        (Some(issued), Ok(_)) => invoicer.write_off(&charge, issued).await.map(Step::WrittenOff),
    };
    let mut tx = db.begin().await?;
    charges::lock(&mut tx, due.hospital, due.charge).await?;
    match done {
        Ok(Step::Issued(issued)) => sql::issued(&mut tx, due, invoicer.name(), &issued).await?,
        Ok(Step::WrittenOff(red)) => sql::written_off(&mut tx, due, &red).await?,
        Ok(Step::Forgotten) => sql::forget(&mut tx, due).await?,
        Err(why) => {
            tracing::warn!(charge = %due.charge, tries = due.tries, why, "an invoice was not made or written off; it is tried again");
            metrics::counter!("billing_invoice_waits").increment(1);
            sql::failed(&mut tx, due, &why).await?;
        }
    }
    tx.touch(store::Topic::new("charge", due.charge));
    tx.commit().await
}

/// What is to be written down.
enum Step {
    Issued(Issued),
    WrittenOff(String),
    Forgotten,
}
