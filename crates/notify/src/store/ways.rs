//! Ways that are closed: for all, because a quota is used up; for one person, who could not be reached by it.

use base::{HospitalId, UnixMs};
use people::ChannelAccountId;
use store::value::One;
use store::{Db, FromRow, Result, Row, Tx, args};

use crate::model::Channel;

store::statements! {
    PAUSE = "INSERT INTO way_pause (hospital_id, channel, channel_account_id, until, reason) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (hospital_id, channel, channel_account_id) DO UPDATE SET until = excluded.until, reason = excluded.reason WHERE way_pause.until < excluded.until";
    PAUSED = "SELECT channel, channel_account_id, until FROM way_pause WHERE hospital_id = $1 AND until > $2";
    MARK = "INSERT INTO unreachable (hospital_id, channel_account_id, openid, reason, at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (hospital_id, channel_account_id, openid) DO UPDATE SET reason = excluded.reason, at = excluded.at";
    MARKED = "SELECT at FROM unreachable WHERE hospital_id = $1 AND channel_account_id = $2 AND openid = $3";
    FORGET = "DELETE FROM unreachable WHERE at < $1";
}

/// A way that is closed for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pause {
    pub(crate) channel: Channel,
    /// `None` for SMS.
    pub(crate) account: Option<ChannelAccountId>,
    pub(crate) until: UnixMs,
}

/// Closes a way for all until an instant; an earlier end never replaces a later one.
pub(crate) async fn pause(tx: &mut Tx, hospital: HospitalId, pause: &Pause, reason: &str) -> Result<()> {
    let account = pause.account.map(|a| a.db()).unwrap_or_default();
    tx.exec(PAUSE, args![hospital, pause.channel, account, pause.until, reason]).await.map(drop)
}

pub(crate) async fn paused(db: &Db, hospital: HospitalId) -> Result<Vec<Pause>> {
    db.all(PAUSED, args![hospital, db.now()]).await
}

/// Remembers that a person could not be reached through an account's messages just now.
pub(crate) async fn mark(
    tx: &mut Tx,
    hospital: HospitalId,
    account: ChannelAccountId,
    openid: &str,
    reason: &str,
) -> Result<()> {
    let now = tx.now();
    tx.exec(MARK, args![hospital, account, openid, reason, now]).await.map(drop)
}

/// When a person was last found to be out of reach of an account's messages.
pub(crate) async fn marked(
    db: &Db,
    hospital: HospitalId,
    account: ChannelAccountId,
    openid: &str,
) -> Result<Option<UnixMs>> {
    Ok(db.opt::<One<UnixMs>>(MARKED, args![hospital, account, openid]).await?.map(|at| at.0))
}

/// Removes marks that were made before `before`.
pub(crate) async fn forget(tx: &mut Tx, before: UnixMs) -> Result<u64> {
    tx.exec(FORGET, args![before]).await
}

impl FromRow for Pause {
    fn from_row(row: &Row) -> Result<Self> {
        let account: String = row.get("channel_account_id")?;
        Ok(Self {
            channel: row.get("channel")?,
            account: ChannelAccountId::from_db(&account).ok(),
            until: row.get("until")?,
        })
    }
}
