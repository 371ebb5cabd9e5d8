//! The SMS vendor, and how many were sent today.

use base::{Date, HospitalId, Text2};
use store::value::One;
use store::{Db, FromRow, Result, Row, Sealed, Tx, args};

store::statements! {
    GET = "SELECT base_url, app_key, app_secret, sign_zh, sign_en FROM sms_vendor WHERE hospital_id = $1";
    PUT = "INSERT INTO sms_vendor (hospital_id, base_url, app_key, app_secret, sign_zh, sign_en, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
           ON CONFLICT (hospital_id) DO UPDATE SET base_url = excluded.base_url, app_key = excluded.app_key, app_secret = excluded.app_secret,
               sign_zh = excluded.sign_zh, sign_en = excluded.sign_en, changed_at = excluded.changed_at";
    WITH_VENDOR = "SELECT hospital_id FROM sms_vendor";
    SPEND = "INSERT INTO sms_budget (hospital_id, day, used) VALUES ($1, $2, 1)
             ON CONFLICT (hospital_id, day) DO UPDATE SET used = sms_budget.used + 1 WHERE sms_budget.used < $3
             RETURNING used";
    FORGET = "DELETE FROM sms_budget WHERE day < $1";
}

/// A vendor as the database keeps it.
#[derive(Debug, Clone)]
pub(crate) struct VendorRow {
    pub(crate) base_url: String,
    pub(crate) app_key: String,
    pub(crate) app_secret: Sealed,
    pub(crate) sign: Text2,
}

pub(crate) async fn get(db: &Db, hospital: HospitalId) -> Result<Option<VendorRow>> {
    db.opt(GET, args![hospital]).await
}

pub(crate) async fn with_vendor(db: &Db) -> Result<Vec<HospitalId>> {
    Ok(db.all::<One<HospitalId>>(WITH_VENDOR, args![]).await?.into_iter().map(|one| one.0).collect())
}

pub(crate) async fn put(tx: &mut Tx, hospital: HospitalId, row: VendorRow) -> Result<()> {
    let now = tx.now();
    let values = args![hospital, row.base_url, row.app_key, row.app_secret, row.sign.zh, row.sign.en, now];
    tx.exec(PUT, values).await.map(drop)
}

/// Counts one SMS of a day; false, and not counted, when the day's limit is reached.
pub(crate) async fn spend(tx: &mut Tx, hospital: HospitalId, day: Date, limit: i64) -> Result<bool> {
    Ok(limit > 0 && tx.opt::<One<i64>>(SPEND, args![hospital, day, limit]).await?.is_some())
}

/// Removes the counts of days before `day`.
pub(crate) async fn forget(tx: &mut Tx, day: Date) -> Result<u64> {
    tx.exec(FORGET, args![day]).await
}

impl FromRow for VendorRow {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            base_url: row.get("base_url")?,
            app_key: row.get("app_key")?,
            app_secret: row.get("app_secret")?,
            sign: Text2::new(row.get::<String>("sign_zh")?, row.get::<String>("sign_en")?),
        })
    }
}
