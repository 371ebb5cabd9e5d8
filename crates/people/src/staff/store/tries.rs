//! Wrong tries to sign in, by login and by address.

use std::time::Duration;

use ::store::value::One;
use ::store::{Db, Result, Tx, args};
use base::{HospitalId, UnixMs};

::store::statements! {
    // Each try is counted before it is compared, so that a thousand at once are no more than one after another.
    COUNT = "INSERT INTO staff_try (hospital_id, scope, who, tries, since, locked_until) VALUES ($1, $2, $3, 1, $4, CASE WHEN $6 <= 1 THEN $7 ELSE 0 END)
           ON CONFLICT (hospital_id, scope, who) DO UPDATE SET
               tries = CASE WHEN staff_try.since <= $5 THEN 1 ELSE staff_try.tries + 1 END,
               since = CASE WHEN staff_try.since <= $5 THEN excluded.since ELSE staff_try.since END,
               locked_until = CASE WHEN (CASE WHEN staff_try.since <= $5 THEN 1 ELSE staff_try.tries + 1 END) >= $6 THEN $7 ELSE 0 END
           WHERE staff_try.locked_until <= $4";
    LOCKED = "SELECT locked_until FROM staff_try WHERE hospital_id = $1 AND scope = $2 AND who = $3 AND locked_until > $4";
    GIVE_BACK = "UPDATE staff_try SET tries = tries - 1, locked_until = CASE WHEN tries > $4 THEN locked_until ELSE 0 END
           WHERE hospital_id = $1 AND scope = $2 AND who = $3 AND tries > 0";
    CLEAR = "DELETE FROM staff_try WHERE hospital_id = $1 AND scope = $2 AND who = $3";
    FORGET = "DELETE FROM staff_try WHERE since < $1 AND locked_until < $2";
}

/// Whose tries.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Who<'a> {
    /// `login` or `address`.
    pub(crate) scope: &'static str,
    /// A keyed hash.
    pub(crate) key: &'a str,
}

/// How many, and what follows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    pub(crate) most: u32,
    pub(crate) window: Duration,
    pub(crate) lock: Duration,
}

/// Counts a try as wrong until [`give_back`] or [`clear`] says otherwise. When it is locked: until when.
pub(crate) async fn count(tx: &mut Tx, h: HospitalId, who: Who<'_>, bound: Bound) -> Result<Option<UnixMs>> {
    let now = tx.now();
    let values = args![h, who.scope, who.key, now, now.minus(bound.window), bound.most, now.plus(bound.lock)];
    if tx.exec(COUNT, values).await? == 1 {
        return Ok(None);
    }
    let until = tx.opt::<One<UnixMs>>(LOCKED, args![h, who.scope, who.key, now]).await?;
    Ok(Some(until.map_or(now, |one| one.0)))
}

/// The try was right. What others tried wrongly at the same moment stays.
pub(crate) async fn give_back(tx: &mut Tx, h: HospitalId, who: Who<'_>, bound: Bound) -> Result<()> {
    tx.exec(GIVE_BACK, args![h, who.scope, who.key, bound.most]).await.map(drop)
}

/// All of it was right: wrong tries of before don't count any more.
pub(crate) async fn clear(tx: &mut Tx, h: HospitalId, who: Who<'_>) -> Result<()> {
    tx.exec(CLEAR, args![h, who.scope, who.key]).await.map(drop)
}

/// Removes counts that began before `before` and lock nobody any more.
pub(crate) async fn forget(db: &Db, before: UnixMs) -> Result<()> {
    let mut tx = db.begin().await?;
    let now = tx.now();
    tx.exec(FORGET, args![before, now]).await?;
    tx.commit().await
}
