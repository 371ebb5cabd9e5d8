//! Messages that did not arrive, or of which nobody knows: what staff look at, try again or give up.

use std::collections::BTreeMap;

use base::{HospitalId, UnixMs};
use store::{Db, FromRow, Result, Row, StoreError, Tx, args};

use crate::model::{Arg, Channel, Kind, MessageId, State};

store::statements! {
    LIST = "SELECT m.id, m.kind, m.subject, m.data, m.state, m.reason, m.channel, m.attempts, m.due_at, m.changed_at, m.expires_at, d.code, d.detail
            FROM message m LEFT JOIN delivery d ON d.hospital_id = m.hospital_id AND d.id = m.delivery_id
            WHERE m.hospital_id = $1 AND m.state IN ('failed', 'unknown', 'expired') AND m.given_up_at IS NULL
              AND m.changed_at >= $2 AND m.changed_at < $3 AND (m.changed_at < $4 OR (m.changed_at = $4 AND m.id < $5))
              AND ($6 = '' OR m.kind = $6) AND ($7 = '' OR m.state = $7) AND ($8 = '' OR m.channel = $8)
            ORDER BY m.changed_at DESC, m.id DESC LIMIT $9";
    AGAIN = "UPDATE message SET state = 'waiting', reason = NULL, due_at = $3, attempts = 0, fence = fence + 1, changed_at = $3
             WHERE hospital_id = $1 AND id = $2 AND state IN ('failed', 'unknown') AND given_up_at IS NULL AND expires_at > $3 AND kind <> 'sms_code'
             RETURNING subject";
    OPEN_WAYS = "UPDATE delivery SET over = 0 WHERE hospital_id = $1 AND message_id = $2 AND over = 1";
    GIVE_UP = "UPDATE message SET given_up_at = $3, due_at = NULL, sealed = NULL, fence = fence + 1
               WHERE hospital_id = $1 AND id = $2 AND state IN ('failed', 'unknown', 'expired') AND given_up_at IS NULL";
    KNOWN = "SELECT id, state FROM message WHERE hospital_id = $1 AND id = $2";
}

/// A message that was not told, or perhaps not.
#[derive(Debug, Clone)]
pub(crate) struct Untold {
    pub(crate) id: MessageId,
    pub(crate) kind: Kind,
    pub(crate) subject: String,
    /// The masked name of who it is about.
    pub(crate) person: Option<String>,
    pub(crate) state: State,
    pub(crate) reason: Option<String>,
    pub(crate) channel: Option<Channel>,
    pub(crate) attempts: i64,
    /// When it is tried again by itself, if it is.
    pub(crate) due: Option<UnixMs>,
    pub(crate) changed: UnixMs,
    pub(crate) expires: UnixMs,
    /// What the other side said to the last attempt.
    pub(crate) code: Option<String>,
    pub(crate) detail: Option<String>,
}

/// Which are looked for. Empty texts stand for all.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    pub(crate) from: UnixMs,
    pub(crate) until: UnixMs,
    pub(crate) kind: &'static str,
    pub(crate) state: &'static str,
    pub(crate) channel: &'static str,
    /// The last one of the page before.
    pub(crate) after: Option<(UnixMs, MessageId)>,
    pub(crate) most: i64,
}

impl FromRow for Untold {
    fn from_row(row: &Row) -> Result<Self> {
        let data: String = row.get("data")?;
        let data: BTreeMap<String, Arg> = serde_json::from_str(&data)
            .map_err(|e| StoreError::Decode { column: "data".into(), what: e.to_string() })?;
        let person = match data.get("person") {
            Some(Arg::Text(masked)) => Some(masked.clone()),
            _ => None,
        };
        Ok(Self {
            id: row.get("id")?,
            kind: row.get("kind")?,
            subject: row.get("subject")?,
            person,
            state: row.get("state")?,
            reason: row.get("reason")?,
            channel: row.get("channel")?,
            attempts: row.get("attempts")?,
            due: row.get("due_at")?,
            changed: row.get("changed_at")?,
            expires: row.get("expires_at")?,
            code: row.get("code")?,
            detail: row.get("detail")?,
        })
    }
}

/// Those of a hospital, the latest first.
pub(crate) async fn list(db: &Db, hospital: HospitalId, search: &Search) -> Result<Vec<Untold>> {
    let (before, id) = match search.after {
        Some((at, id)) => (at, id.db()),
        None => (UnixMs(i64::MAX), String::new()),
    };
    let values = args![
        hospital,
        search.from,
        search.until,
        before,
        id,
        search.kind,
        search.state,
        search.channel,
        search.most
    ];
    db.all(LIST, values).await
}

/// Has a message told again by any way that is open, those too that were closed to it; false when it can't be any more.
pub(crate) async fn again(tx: &mut Tx, hospital: HospitalId, id: MessageId) -> Result<Option<String>> {
    let now = tx.now();
    let Some(row) = tx.opt::<Row>(AGAIN, args![hospital, id, now]).await? else { return Ok(None) };
    tx.exec(OPEN_WAYS, args![hospital, id]).await?;
    row.get("subject").map(Some)
}

/// Lets a message rest; false when somebody has done so before, or it is on its way again.
pub(crate) async fn give_up(tx: &mut Tx, hospital: HospitalId, id: MessageId) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(GIVE_UP, args![hospital, id, now]).await? == 1)
}

/// Whether there is such a message at all.
pub(crate) async fn is_known(tx: &mut Tx, hospital: HospitalId, id: MessageId) -> Result<bool> {
    Ok(tx.opt::<Row>(KNOWN, args![hospital, id]).await?.is_some())
}
