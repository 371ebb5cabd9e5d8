//! Pushes of WeChat that were given up: looked at by a person, who has them worked on again or lets them rest.

use base::{HospitalId, UnixMs};
use store::failed::{Failed, Search};
use store::{Db, Result, Tx, args};

use super::super::model::PushId;

store::statements! {
    LIST = "SELECT id, kind, received_at AS since, attempts, error FROM wechat_push
            WHERE hospital_id = $1 AND state = 'failed' AND received_at >= $2 AND received_at < $3 ORDER BY received_at DESC LIMIT $4";
    ONCE_MORE = "UPDATE wechat_push SET state = 'new', attempts = 0, due_at = $3, leased_until = 0 WHERE hospital_id = $1 AND id = $2 AND state = 'failed'";
    OVER = "UPDATE wechat_push SET state = 'done' WHERE hospital_id = $1 AND id = $2 AND state = 'failed'";
}

/// Those of a hospital, newest first.
pub(crate) async fn list(db: &Db, hospital: HospitalId, search: Search) -> Result<Vec<Failed>> {
    let mut found: Vec<Failed> =
        db.all(LIST, args![hospital, search.from, search.before, search.most]).await?;
    for one in &mut found {
        one.id = PushId::from_db(&one.id).map_or_else(|_| one.id.clone(), |id| id.to_string());
    }
    Ok(found)
}

/// Has one worked on again; false when there is no failed one of this id.
pub(crate) async fn again(tx: &mut Tx, hospital: HospitalId, id: &str) -> Result<bool> {
    let Ok(id) = id.parse::<PushId>() else { return Ok(false) };
    let now: UnixMs = tx.now();
    Ok(tx.exec(ONCE_MORE, args![hospital, id, now]).await? == 1)
}

/// Lets one rest; false when there is no failed one of this id.
pub(crate) async fn give_up(tx: &mut Tx, hospital: HospitalId, id: &str) -> Result<bool> {
    let Ok(id) = id.parse::<PushId>() else { return Ok(false) };
    Ok(tx.exec(OVER, args![hospital, id]).await? == 1)
}
