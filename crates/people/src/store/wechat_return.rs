//! Returns from WeChat's sign-in page, remembered while a browser may ask twice.

use ::store::value::{FromRow, Row};
use ::store::{Db, Result, Sealed, Tx, args};
use base::{HospitalId, UnixMs};

::store::statements! {
    CLAIM = "INSERT INTO wechat_return (hospital_id, state, code_hash, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    GET = "SELECT code_hash, token, problem FROM wechat_return WHERE hospital_id = $1 AND state = $2";
    DONE = "UPDATE wechat_return SET token = $3, problem = $4 WHERE hospital_id = $1 AND state = $2 AND token IS NULL AND problem IS NULL";
    FORGET = "DELETE FROM wechat_return WHERE created_at < $1";
}

/// What a return came to.
pub(crate) struct Return {
    pub(crate) code_hash: String,
    /// The session's token; `None` while it is not known, or when signing in failed.
    pub(crate) token: Option<Sealed>,
    pub(crate) problem: Option<String>,
}

impl FromRow for Return {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self { code_hash: row.get("code_hash")?, token: row.get("token")?, problem: row.get("problem")? })
    }
}

/// Takes a state and a code for oneself; false when either was seen before.
pub(crate) async fn claim(tx: &mut Tx, h: HospitalId, state: &str, code_hash: &str) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(CLAIM, args![h, state, code_hash, now]).await? == 1)
}

pub(crate) async fn get(db: &Db, h: HospitalId, state: &str) -> Result<Option<Return>> {
    db.opt(GET, args![h, state]).await
}

pub(crate) async fn done(
    tx: &mut Tx,
    h: HospitalId,
    state: &str,
    token: Option<Sealed>,
    problem: Option<&str>,
) -> Result<()> {
    tx.exec(DONE, args![h, state, token, problem]).await.map(drop)
}

/// Removes returns from before `before`.
pub(crate) async fn forget(db: &Db, before: UnixMs) -> Result<()> {
    let mut tx = db.begin().await?;
    tx.exec(FORGET, args![before]).await?;
    tx.commit().await
}
