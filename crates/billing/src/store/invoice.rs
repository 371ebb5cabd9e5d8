//! Invoices that are to be made or written off, and the contracts with those who do.

use base::{HospitalId, UnixMs};
use store::value::{FromRow, Row};
use store::{Db, Result, Sealed, Tx, args};

use crate::invoice::{Issued, NewInvoiceAccount};
use crate::model::ChargeId;

store::statements! {
    ACCOUNT = "SELECT base_url, app_id, place, secret FROM invoice_account WHERE hospital_id = $1 AND active = 1";
    PUT_ACCOUNT = "INSERT INTO invoice_account (hospital_id, base_url, app_id, place, secret, active, created_at) VALUES ($1, $2, $3, $4, $5, 1, $6)
           ON CONFLICT (hospital_id) DO UPDATE SET base_url = excluded.base_url, app_id = excluded.app_id, place = excluded.place, secret = excluded.secret, active = 1";
    DUE = "SELECT i.hospital_id, i.charge_id, i.state, i.batch, i.number, i.link, i.tries FROM invoice i
           WHERE (i.state = 'wanted' OR (i.state = 'reversed' AND i.red IS NULL)) AND (i.next_at IS NULL OR i.next_at <= $1)
           AND EXISTS (SELECT 1 FROM invoice_account a WHERE a.hospital_id = i.hospital_id AND a.active = 1)
           ORDER BY i.wanted_at LIMIT $2";
    TRYING = "UPDATE invoice SET tries = tries + 1, next_at = $5 WHERE hospital_id = $1 AND charge_id = $2 AND state = $3 AND tries = $4";
    FAILED = "UPDATE invoice SET error = $4 WHERE hospital_id = $1 AND charge_id = $2 AND state = $3";
    // What went back while the provider was at work is to be written off.
    ISSUED = "UPDATE invoice SET provider = $3, batch = $4, number = $5, link = $6, issued_at = $7, tries = 0, next_at = NULL, error = NULL,
               state = CASE WHEN EXISTS (SELECT 1 FROM charge c WHERE c.hospital_id = $1 AND c.id = $2 AND c.state = 'settled') THEN 'issued' ELSE 'reversed' END
           WHERE hospital_id = $1 AND charge_id = $2 AND state = 'wanted'";
    WRITTEN_OFF = "UPDATE invoice SET red = $3, next_at = NULL, error = NULL WHERE hospital_id = $1 AND charge_id = $2 AND state = 'reversed' AND red IS NULL";
    FORGET = "DELETE FROM invoice WHERE hospital_id = $1 AND charge_id = $2 AND state = 'wanted'";
}

/// A contract as it is kept.
pub(crate) struct AccountRow {
    pub(crate) base_url: String,
    pub(crate) app_id: String,
    pub(crate) place: String,
    pub(crate) secret: Sealed,
}

impl FromRow for AccountRow {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            base_url: row.get("base_url")?,
            app_id: row.get("app_id")?,
            place: row.get("place")?,
            secret: row.get("secret")?,
        })
    }
}

pub(crate) async fn account(db: &Db, hospital: HospitalId) -> Result<Option<AccountRow>> {
    db.opt(ACCOUNT, args![hospital]).await
}

pub(crate) async fn put_account(tx: &mut Tx, new: &NewInvoiceAccount, secret: Sealed) -> Result<()> {
    let now = tx.now();
    let values = args![new.hospital, &new.base_url, &new.app_id, &new.place, secret, now];
    tx.exec(PUT_ACCOUNT, values).await.map(drop)
}

/// Something to be made or, when it was made, to be written off.
#[derive(Debug, Clone)]
pub(crate) struct Due {
    pub(crate) hospital: HospitalId,
    pub(crate) charge: ChargeId,
    pub(crate) tries: i64,
    pub(crate) issued: Option<Issued>,
    state: String,
}

impl FromRow for Due {
    fn from_row(row: &Row) -> Result<Self> {
        let state: String = row.get("state")?;
        let issued = if state == "wanted" {
            None
        } else {
            let text = |name| -> Result<String> { Ok(row.get::<Option<String>>(name)?.unwrap_or_default()) };
            Some(Issued { batch: text("batch")?, number: text("number")?, link: text("link")?, red: None })
        };
        Ok(Self {
            hospital: row.get("hospital_id")?,
            charge: row.get("charge_id")?,
            tries: row.get("tries")?,
            issued,
            state,
        })
    }
}

pub(crate) async fn due(db: &Db, most: i64) -> Result<Vec<Due>> {
    db.all(DUE, args![db.now(), most]).await
}

/// Somebody tries now; false when somebody else has since.
pub(crate) async fn trying(tx: &mut Tx, due: &Due, again: UnixMs) -> Result<bool> {
    Ok(tx.exec(TRYING, args![due.hospital, due.charge, &due.state, due.tries, again]).await? == 1)
}

pub(crate) async fn failed(tx: &mut Tx, due: &Due, why: &str) -> Result<()> {
    tx.exec(FAILED, args![due.hospital, due.charge, &due.state, why]).await.map(drop)
}

/// It was made. The caller holds the charge's lock.
pub(crate) async fn issued(tx: &mut Tx, due: &Due, provider: &str, issued: &Issued) -> Result<()> {
    let now = tx.now();
    let values = args![due.hospital, due.charge, provider, &issued.batch, &issued.number, &issued.link, now];
    tx.exec(ISSUED, values).await.map(drop)
}

pub(crate) async fn written_off(tx: &mut Tx, due: &Due, red: &str) -> Result<()> {
    tx.exec(WRITTEN_OFF, args![due.hospital, due.charge, red]).await.map(drop)
}

/// Nothing was made for a charge that is not paid any more.
pub(crate) async fn forget(tx: &mut Tx, due: &Due) -> Result<()> {
    tx.exec(FORGET, args![due.hospital, due.charge]).await.map(drop)
}
