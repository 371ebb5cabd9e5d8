//! Messages: what to tell whom, and where that stands.

use std::collections::BTreeMap;
use std::time::Duration;

use base::{HospitalId, Lang, UnixMs};
use edge::AccountId;
use people::PersonId;
use store::value::One;
use store::{Db, FromRow, Result, Row, Sealed, StoreError, Topic, Tx, args};

use crate::model::{Arg, Channel, DeliveryId, Kind, MessageId, State};

store::statements! {
    ADD = "INSERT INTO message (hospital_id, id, kind, subject, account_id, person_id, lang, data, sealed, link, priority, state, due_at, expires_at, created_at, changed_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'waiting', $12, $13, $14, $14) ON CONFLICT DO NOTHING";
    CANCEL = "UPDATE message SET state = 'cancelled', due_at = NULL, sealed = NULL, reason = NULL, changed_at = $4
              WHERE hospital_id = $1 AND subject = $2 AND kind = $3 AND state IN ('waiting', 'failed')";
    NOT_AGAIN = "UPDATE message SET expires_at = $4
              WHERE hospital_id = $1 AND subject = $2 AND kind = $3 AND state = 'sending' AND expires_at > $4";
    OF_SUBJECT = "SELECT kind, account_id, state, channel, changed_at FROM message
                  WHERE hospital_id = $1 AND subject = $2 ORDER BY created_at, id";
    CLAIM = sqlite
        "UPDATE message SET fence = fence + 1, due_at = $2 WHERE (hospital_id, id) IN (
             SELECT hospital_id, id FROM message WHERE due_at IS NOT NULL AND due_at <= $1 ORDER BY priority, due_at LIMIT $3)
         RETURNING hospital_id, id, kind, subject, account_id, person_id, lang, data, sealed, link, state, delivery_id, fence, attempts, expires_at"
        postgres
        "UPDATE message SET fence = fence + 1, due_at = $2 WHERE due_at <= $1 AND (hospital_id, id) IN (
             SELECT hospital_id, id FROM message WHERE due_at IS NOT NULL AND due_at <= $1 ORDER BY priority, due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
         RETURNING hospital_id, id, kind, subject, account_id, person_id, lang, data, sealed, link, state, delivery_id, fence, attempts, expires_at";
    START = "UPDATE message SET state = 'sending', reason = NULL, delivery_id = $4, channel = $5, attempts = attempts + 1, due_at = $6, changed_at = $7
             WHERE hospital_id = $1 AND id = $2 AND fence = $3 AND state IN ('waiting', 'failed')";
    PUT_OFF = "UPDATE message SET due_at = $4 WHERE hospital_id = $1 AND id = $2 AND fence = $3 AND state IN ('waiting', 'failed')";
    CLOSE = "UPDATE message SET state = $4, reason = $5, due_at = NULL, sealed = NULL, changed_at = $6
             WHERE hospital_id = $1 AND id = $2 AND fence = $3 AND state IN ('waiting', 'failed')";
    MOVE = "UPDATE message SET state = $4, reason = $5, due_at = $6, changed_at = CASE WHEN state = $4 THEN changed_at ELSE $7 END
            WHERE hospital_id = $1 AND id = $2 AND delivery_id = $3 AND state IN ('sending', 'sent', 'unknown') AND (CAST($8 AS BIGINT) = 0 OR fence = $8)
            RETURNING subject";
    WIPE = "UPDATE message SET sealed = NULL WHERE hospital_id = $1 AND id = $2 AND sealed IS NOT NULL AND state IN ('sent', 'delivered', 'failed', 'unknown', 'expired') AND due_at IS NULL";
    FIND_AGAIN = "UPDATE message SET state = 'waiting', reason = NULL, due_at = $3, changed_at = $3
                  WHERE hospital_id = $1 AND account_id = $2 AND reason = 'no_way' AND state = 'failed' AND given_up_at IS NULL AND expires_at > $3";
    BACKLOG = "SELECT CAST(COUNT(*) AS BIGINT) AS waiting, MIN(due_at) AS oldest FROM message WHERE due_at IS NOT NULL AND due_at <= $1";
    OLD = "SELECT hospital_id, id FROM message WHERE expires_at < $1 AND due_at IS NULL ORDER BY expires_at LIMIT 500";
    FORGET = "DELETE FROM message WHERE hospital_id = $1 AND id = $2";
}

/// A row to be added.
pub(crate) struct NewMessage {
    pub(crate) id: MessageId,
    pub(crate) kind: Kind,
    pub(crate) subject: String,
    pub(crate) account: Option<AccountId>,
    pub(crate) person: Option<PersonId>,
    pub(crate) lang: Option<Lang>,
    pub(crate) data: String,
    pub(crate) sealed: Option<Sealed>,
    pub(crate) link: String,
    pub(crate) due: UnixMs,
    pub(crate) expires: UnixMs,
}

/// A message that a worker has taken.
#[derive(Debug, Clone)]
pub struct Message {
    pub(crate) hospital: HospitalId,
    pub(crate) id: MessageId,
    pub(crate) kind: Kind,
    pub(crate) subject: String,
    pub(crate) account: Option<AccountId>,
    pub(crate) person: Option<PersonId>,
    pub(crate) lang: Option<Lang>,
    pub(crate) data: BTreeMap<String, Arg>,
    pub(crate) sealed: Option<Sealed>,
    pub(crate) link: String,
    pub(crate) state: State,
    pub(crate) delivery: Option<DeliveryId>,
    pub(crate) fence: i64,
    pub(crate) attempts: i64,
    pub(crate) expires: UnixMs,
}

impl Message {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> MessageId {
        self.id
    }
}

/// What is known of a message about some subject.
pub(crate) struct Told {
    pub(crate) kind: Kind,
    pub(crate) account: Option<AccountId>,
    pub(crate) state: State,
    pub(crate) channel: Option<Channel>,
    pub(crate) at: UnixMs,
}

/// Adds a message; false when there is one of its kind, subject and account.
pub(crate) async fn add(tx: &mut Tx, hospital: HospitalId, new: NewMessage) -> Result<bool> {
    let now = tx.now();
    let values = args![
        hospital,
        new.id,
        new.kind,
        new.subject,
        new.account,
        new.person,
        new.lang,
        new.data,
        new.sealed,
        new.link,
        new.kind.priority(),
        new.due,
        new.expires,
        now
    ];
    Ok(tx.exec(ADD, values).await? > 0)
}

pub(crate) async fn cancel(tx: &mut Tx, hospital: HospitalId, subject: &str, kind: Kind) -> Result<u64> {
    let now = tx.now();
    // What may have gone out already can't be called back, but is not sent once more to make sure.
    tx.exec(NOT_AGAIN, args![hospital, subject, kind, now]).await?;
    tx.exec(CANCEL, args![hospital, subject, kind, now]).await
}

pub(crate) async fn of_subject(db: &Db, hospital: HospitalId, subject: &str) -> Result<Vec<Told>> {
    db.all(OF_SUBJECT, args![hospital, subject]).await
}

/// Takes what is due, most urgent first. Another worker may take it again after `lease`.
pub(crate) async fn claim(db: &Db, lease: Duration, limit: i64) -> Result<Vec<Message>> {
    let mut tx = db.begin().await?;
    let now = tx.now();
    let rows: Vec<Row> = tx.all(CLAIM, args![now, now.plus(lease), limit]).await?;
    tx.commit().await?;
    let mut taken: Vec<Message> = rows.iter().filter_map(readable).collect();
    taken.sort_by_key(|message| message.kind.priority());
    Ok(taken)
}

/// A row that a newer program wrote must not hold up all others: it is left for that program.
fn readable(row: &Row) -> Option<Message> {
    Message::from_row(row)
        .inspect_err(|error| {
            let id = row.get::<String>("id").unwrap_or_default();
            tracing::error!(%error, message = id, "a message can't be read by this program");
        })
        .ok()
}

/// Marks a taken message as being sent by this attempt; false when another worker has it by now, or it was cancelled.
pub(crate) async fn begin(
    tx: &mut Tx,
    message: &Message,
    delivery: DeliveryId,
    channel: Channel,
    until: UnixMs,
) -> Result<bool> {
    let now = tx.now();
    let values = args![message.hospital, message.id, message.fence, delivery, channel, until, now];
    Ok(tx.exec(START, values).await? == 1)
}

/// Leaves a taken message for later.
pub(crate) async fn put_off(tx: &mut Tx, message: &Message, until: UnixMs) -> Result<()> {
    tx.exec(PUT_OFF, args![message.hospital, message.id, message.fence, until]).await.map(drop)
}

/// Ends a taken message without an attempt.
pub(crate) async fn close(tx: &mut Tx, message: &Message, state: State, reason: &str) -> Result<bool> {
    let now = tx.now();
    let values = args![message.hospital, message.id, message.fence, state, reason, now];
    tx.touch(notice(&message.subject));
    Ok(tx.exec(CLOSE, values).await? == 1)
}

/// Where a message goes after its latest attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Move<'a> {
    pub(crate) state: State,
    pub(crate) reason: Option<&'a str>,
    pub(crate) due: Option<UnixMs>,
    /// Only while the message is still in the hands of the worker that took it under this fence.
    pub(crate) fence: Option<i64>,
}

/// Moves a message on because of what became of its latest attempt; false when that attempt is not its latest, or the fence
/// is an old one. What was sealed in it is wiped when there is nothing left to do.
pub(crate) async fn move_on(
    tx: &mut Tx,
    hospital: HospitalId,
    id: MessageId,
    delivery: DeliveryId,
    to: Move<'_>,
) -> Result<bool> {
    let now = tx.now();
    let fence = to.fence.unwrap_or(0);
    let values = args![hospital, id, delivery, to.state, to.reason, to.due, now, fence];
    let Some(One::<String>(subject)) = tx.opt(MOVE, values).await? else { return Ok(false) };
    if to.due.is_none() {
        tx.exec(WIPE, args![hospital, id]).await?;
    }
    tx.touch(notice(&subject));
    Ok(true)
}

/// Pages that show what became of a subject's messages watch this.
pub(crate) fn notice(subject: &str) -> Topic {
    Topic::new("notice", subject)
}

/// Tries again what an account could not be told for want of any way; gives how many.
pub(crate) async fn find_again(tx: &mut Tx, hospital: HospitalId, account: AccountId) -> Result<u64> {
    let now = tx.now();
    tx.exec(FIND_AGAIN, args![hospital, account, now]).await
}

/// How many messages are due and not taken, and since when the oldest of them is.
pub(crate) async fn backlog(db: &Db) -> Result<(i64, Option<UnixMs>)> {
    let row: Row = db.one(BACKLOG, args![db.now()]).await?;
    Ok((row.get("waiting")?, row.get("oldest")?))
}

/// Finished messages that ran out before `before`, some at a time.
pub(crate) async fn old(tx: &mut Tx, before: UnixMs) -> Result<Vec<(HospitalId, MessageId)>> {
    let rows: Vec<Row> = tx.all(OLD, args![before]).await?;
    rows.iter().map(|row| Ok((row.get("hospital_id")?, row.get("id")?))).collect()
}

/// Removes a message; its attempts first.
pub(crate) async fn forget(tx: &mut Tx, hospital: HospitalId, id: MessageId) -> Result<()> {
    tx.exec(FORGET, args![hospital, id]).await.map(drop)
}

impl FromRow for Message {
    fn from_row(row: &Row) -> Result<Self> {
        let data: String = row.get("data")?;
        Ok(Self {
            hospital: row.get("hospital_id")?,
            id: row.get("id")?,
            kind: row.get("kind")?,
            subject: row.get("subject")?,
            account: row.get("account_id")?,
            person: row.get("person_id")?,
            lang: row.get("lang")?,
            data: serde_json::from_str(&data)
                .map_err(|e| StoreError::Decode { column: "data".into(), what: e.to_string() })?,
            sealed: row.get("sealed")?,
            link: row.get("link")?,
            state: row.get("state")?,
            delivery: row.get("delivery_id")?,
            fence: row.get("fence")?,
            attempts: row.get("attempts")?,
            expires: row.get("expires_at")?,
        })
    }
}

impl FromRow for Told {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            kind: row.get("kind")?,
            account: row.get("account_id")?,
            state: row.get("state")?,
            channel: row.get("channel")?,
            at: row.get("changed_at")?,
        })
    }
}
