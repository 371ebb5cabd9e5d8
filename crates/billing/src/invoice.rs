//! E-invoices: asked for with the payment, made later by whoever makes them for the hospital.

use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::BillingDeps;

use crate::model::{Charge, Item};
use crate::store::charge as charges;

/// An invoice that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// Its number.
    pub number: String,
    /// Where the payer sees it.
    pub link: String,
}

/// Makes e-invoices. The charge's id is the key: asked again it gives the same invoice.
#[async_trait]
pub trait Invoicer: Send + Sync {
    /// Who it is, for the record.
    fn name(&self) -> &'static str;

    /// Makes the invoice of a charge that is paid.
    ///
    /// # Errors
    /// In words for a log; it is asked again.
    async fn issue(&self, charge: &Charge, items: &[Item]) -> Result<Issued, String>;
}

/// Has invoices made that are wanted, until `stop`.
pub(crate) async fn run(deps: BillingDeps, stop: CancellationToken) {
    let Some(invoicer) = deps.invoicer.clone() else { return };
    while !stop.is_cancelled() {
        if let Err(error) = turn(&deps, &*invoicer).await {
            tracing::warn!(%error, "invoices could not be looked after; they are in a moment");
        }
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            () = stop.cancelled() => {}
        }
    }
}

const TICK: Duration = Duration::from_millis(500);

async fn turn(deps: &BillingDeps, invoicer: &dyn Invoicer) -> store::Result<()> {
    let db = &deps.db;
    for (hospital, id) in charges::wanted_invoices(db).await? {
        let Some(charge) = charges::read(db, hospital, id).await? else { continue };
        let items = charges::items(db, hospital, id).await?;
        if let Ok(issued) = invoicer.issue(&charge, &items).await {
            let mut tx = db.begin().await?;
            charges::issued(&mut tx, hospital, id, invoicer.name(), (&issued.number, &issued.link)).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}
