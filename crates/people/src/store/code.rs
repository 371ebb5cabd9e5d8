//! Codes that went out by SMS, and counts of what may be done only so often.

use std::time::Duration;

use ::store::value::{FromRow, One, Row};
use ::store::{Db, Result, Tx, args};
use base::{HospitalId, UnixMs};

use crate::model::CodePurpose;

::store::statements! {
    ADD = "INSERT INTO sms_code (hospital_id, id, phone_blind, purpose, account_id, code_hash, sent_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    TRY = "UPDATE sms_code SET tries = tries + 1 WHERE hospital_id = $1 AND id = (
               SELECT id FROM sms_code WHERE hospital_id = $1 AND phone_blind = $2 AND purpose = $3 AND account_id = $4 ORDER BY sent_at DESC LIMIT 1)
           AND expires_at > $5 AND tries < $6 RETURNING id, code_hash, tries, used_for";
    NEWEST = "SELECT sent_at, expires_at, tries FROM sms_code
           WHERE hospital_id = $1 AND phone_blind = $2 AND purpose = $3 AND account_id = $4 ORDER BY sent_at DESC LIMIT 1";
    USE = "UPDATE sms_code SET used_at = $3, used_for = $4 WHERE hospital_id = $1 AND id = $2 AND used_at IS NULL AND expires_at > $3";
    COUNT = "INSERT INTO usage_limit (hospital_id, scope, who, used, ends_at) VALUES ($1, $2, $3, 1, $4)
           ON CONFLICT (hospital_id, scope, who) DO UPDATE SET
               used = CASE WHEN usage_limit.ends_at <= $5 THEN 1 ELSE usage_limit.used + 1 END,
               ends_at = CASE WHEN usage_limit.ends_at <= $5 THEN excluded.ends_at ELSE usage_limit.ends_at END
           WHERE usage_limit.ends_at <= $5 OR usage_limit.used < $6";
    ENDS = "SELECT ends_at FROM usage_limit WHERE hospital_id = $1 AND scope = $2 AND who = $3 AND used >= $4 AND ends_at > $5";
    FORGET_CODES = "DELETE FROM sms_code WHERE (hospital_id, id) IN (SELECT hospital_id, id FROM sms_code WHERE expires_at < $1 LIMIT 5000)";
    FORGET_COUNTS = "DELETE FROM usage_limit WHERE (hospital_id, scope, who) IN (SELECT hospital_id, scope, who FROM usage_limit WHERE ends_at < $1 LIMIT 5000)";
}

/// Which codes are meant: those for a phone, a purpose and an account (`""` when nobody has signed in).
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) phone_blind: String,
    pub(crate) purpose: CodePurpose,
    pub(crate) account: String,
}

/// The code that was tried.
pub(crate) struct Tried {
    pub(crate) id: String,
    pub(crate) hash: String,
    pub(crate) tries: i64,
    pub(crate) used_for: Option<String>,
}

impl FromRow for Tried {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            hash: row.get("code_hash")?,
            tries: row.get("tries")?,
            used_for: row.get("used_for")?,
        })
    }
}

/// The newest code, whether it can still be tried or not.
pub(crate) struct Newest {
    pub(crate) sent_at: UnixMs,
    pub(crate) expires_at: UnixMs,
    pub(crate) tries: i64,
}

impl FromRow for Newest {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            sent_at: row.get("sent_at")?,
            expires_at: row.get("expires_at")?,
            tries: row.get("tries")?,
        })
    }
}

pub(crate) async fn add(
    tx: &mut Tx,
    h: HospitalId,
    id: &str,
    key: &Key,
    hash: &str,
    valid: Duration,
) -> Result<()> {
    let now = tx.now();
    let values = args![h, id, &key.phone_blind, key.purpose, &key.account, hash, now, now.plus(valid)];
    tx.exec(ADD, values).await.map(drop)
}

/// Counts a try of the newest code, if it has one left.
pub(crate) async fn count_try(tx: &mut Tx, h: HospitalId, key: &Key, most: u32) -> Result<Option<Tried>> {
    let now = tx.now();
    tx.opt(TRY, args![h, &key.phone_blind, key.purpose, &key.account, now, most]).await
}

pub(crate) async fn newest(tx: &mut Tx, h: HospitalId, key: &Key) -> Result<Option<Newest>> {
    tx.opt(NEWEST, args![h, &key.phone_blind, key.purpose, &key.account]).await
}

/// Uses a code up; false when it is used or over.
pub(crate) async fn use_up(tx: &mut Tx, h: HospitalId, id: &str, used_for: &str) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(USE, args![h, id, now, used_for]).await? == 1)
}

/// Counts one more in a window that begins with the first; false when the window is full.
pub(crate) async fn count(
    tx: &mut Tx,
    h: HospitalId,
    scope: &str,
    who: &str,
    window: Duration,
    most: u32,
) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(COUNT, args![h, scope, who, now.plus(window), now, most]).await? == 1)
}

/// When the window ends, if it is full.
pub(crate) async fn full_until(
    tx: &mut Tx,
    h: HospitalId,
    scope: &str,
    who: &str,
    most: u32,
) -> Result<Option<UnixMs>> {
    let now = tx.now();
    Ok(tx.opt::<One<UnixMs>>(ENDS, args![h, scope, who, most, now]).await?.map(|one| one.0))
}

/// Removes what is over since `before`; gives whether there may be more.
pub(crate) async fn forget(db: &Db, before: UnixMs) -> Result<bool> {
    let mut tx = db.begin().await?;
    let codes = tx.exec(FORGET_CODES, args![before]).await?;
    let counts = tx.exec(FORGET_COUNTS, args![before]).await?;
    tx.commit().await?;
    Ok(codes >= 5000 || counts >= 5000)
}
