//! Invoices by the platform that a hospital has a contract with ([`pay::ebill`]).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base::{HospitalId, Secret};
use pay::{Outcome, ebill};
use store::vault::Purpose;
use store::{Db, Result, StoreError, Tx, Vault};

use super::{Invoicer, Issued};
use crate::model::{Charge, Item};
use crate::store::invoice as sql;

const FIELD: &str = "invoice_account.secret";
const PATIENCE: Duration = Duration::from_secs(8);
/// What stands on a bill whose payer is not known by name.
const SOMEBODY: &str = "患者";

/// A contract to be set up.
#[derive(Debug, Clone)]
pub struct NewInvoiceAccount {
    /// Whose it is.
    pub hospital: HospitalId,
    /// Where the platform is, without a path.
    pub base_url: String,
    /// The hospital's name there.
    pub app_id: String,
    /// What both sides know.
    pub secret: Secret,
    /// Where bills are made from, as the platform calls it.
    pub place: String,
}

/// Sets the contract of a hospital up, or changes it.
///
/// # Errors
/// [`StoreError::Config`] says what is wrong with it; any other [`StoreError`].
pub async fn add_invoice_account(tx: &mut Tx, vault: &Vault, new: &NewInvoiceAccount) -> Result<()> {
    let good = reqwest::Url::parse(&new.base_url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if !good || new.app_id.is_empty() || new.secret.expose().is_empty() {
        return Err(StoreError::Config(
            "an invoice account needs an address, a name there and a secret".into(),
        ));
    }
    let secret = vault.seal(new.hospital, FIELD, new.secret.expose())?;
    sql::put_account(tx, new, secret).await
}

/// Makes invoices at the platform of each hospital.
pub struct Provided {
    db: Db,
    vault: Arc<Vault>,
    http: reqwest::Client,
}

impl Provided {
    /// By the contracts in the database.
    #[must_use]
    pub fn new(db: Db, vault: Arc<Vault>, http: reqwest::Client) -> Self {
        Self { db, vault, http }
    }

    async fn line(&self, hospital: HospitalId) -> std::result::Result<(ebill::Client, String), String> {
        let found = sql::account(&self.db, hospital).await.map_err(|e| e.to_string())?;
        let account = found.ok_or("the hospital has no contract")?;
        let secret = self.vault.open_sealed(hospital, FIELD, &account.secret, Purpose::Export);
        let config = ebill::Config {
            base: account.base_url,
            app_id: account.app_id,
            secret: pay::Secret::new(secret.map_err(|e| e.to_string())?),
            timeout: PATIENCE,
        };
        Ok((ebill::Client::new(self.http.clone(), config), account.place))
    }

    async fn payer(&self, charge: &Charge) -> std::result::Result<Secret, String> {
        let by = "system";
        let who = people::identity::of_person(
            &self.db,
            &self.vault,
            charge.hospital,
            charge.person,
            by,
            Purpose::Export,
        );
        let who = who.await.map_err(|e| e.to_string())?;
        Ok(who.map_or_else(|| Secret::new(SOMEBODY), |who| who.name))
    }
}

fn issued(bill: ebill::Bill) -> Issued {
    Issued {
        batch: bill.bill_batch_code,
        number: bill.bill_no,
        link: bill.picture_url,
        red: bill.scarlet_bill_no,
    }
}

fn known<T>(outcome: Outcome<T>) -> std::result::Result<T, String> {
    match outcome {
        Outcome::Done(done) => Ok(done.into_inner()),
        Outcome::Refused(no) => Err(no.to_string()),
        Outcome::Unknown(doubt) => Err(doubt.why.to_string()),
    }
}

#[async_trait]
impl Invoicer for Provided {
    fn name(&self) -> &'static str {
        "ebill"
    }

    async fn issue(&self, charge: &Charge, items: &[Item]) -> std::result::Result<Issued, String> {
        let (client, place) = self.line(charge.hospital).await?;
        let payer = self.payer(charge).await?;
        let mut lines = Vec::with_capacity(items.len());
        for item in items {
            let amount = item.amount().ok_or("an amount that is none")?;
            let (code, name) = (item.code.as_str(), item.name.zh.as_str());
            lines.push(ebill::Line { code, name, price: item.price, count: item.count.into(), amount });
        }
        let number = charge.id.db();
        let bill = ebill::NewBill {
            bus_no: &number,
            payer: payer.expose(),
            at: self.db.now(),
            place: &place,
            lines: &lines,
            total: charge.total,
        };
        known(client.issue(&bill).await).map(issued)
    }

    async fn find(&self, charge: &Charge) -> std::result::Result<Option<Issued>, String> {
        let (client, _) = self.line(charge.hospital).await?;
        Ok(known(client.find(&charge.id.db()).await)?.map(issued))
    }

    async fn write_off(&self, charge: &Charge, issued: &Issued) -> std::result::Result<String, String> {
        let (client, place) = self.line(charge.hospital).await?;
        let off = client.write_off(&issued.batch, &issued.number, "退费", self.db.now(), &place).await;
        known(off).map(|off| off.e_scarlet_bill_no)
    }
}
