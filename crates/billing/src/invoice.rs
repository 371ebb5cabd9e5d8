//! E-invoices: asked for with the payment, made later by whoever makes them for the hospital.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use store::events::Failure;
use store::{Db, Sweep};

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

/// Has invoices made that are wanted.
pub struct Issue {
    pub(crate) invoicer: Arc<dyn Invoicer>,
}

#[async_trait]
impl Sweep for Issue {
    fn name(&self) -> &'static str {
        "billing.invoices"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(5)
    }

    async fn run(&self, db: &Db) -> Result<bool, Failure> {
        for (hospital, id) in charges::wanted_invoices(db).await? {
            let Some(charge) = charges::read(db, hospital, id).await? else { continue };
            let items = charges::items(db, hospital, id).await?;
            let issued = self.invoicer.issue(&charge, &items).await.map_err(Failure::Again)?;
            let mut tx = db.begin().await?;
            charges::issued(&mut tx, hospital, id, self.invoicer.name(), (&issued.number, &issued.link))
                .await?;
            tx.commit().await?;
        }
        Ok(false)
    }
}
