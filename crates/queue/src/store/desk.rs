//! Who sits where, and what was done at a desk.

use base::{HospitalId, UnixMs};
use edge::StaffId;
use store::value::{FromRow, Row};
use store::{Db, Result, Tx, args};

use crate::model::{ActionId, QueueId, RoomId, Was};
use crate::order::Turns;

store::statements! {
    GET = "SELECT room_id, queue_ids FROM queue_desk WHERE hospital_id = $1 AND staff_id = $2";
    SIT = "INSERT INTO queue_desk (hospital_id, staff_id, room_id, queue_ids, changed_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (hospital_id, staff_id) DO UPDATE SET room_id = excluded.room_id, queue_ids = excluded.queue_ids, changed_at = excluded.changed_at";
    SEATS = "SELECT staff_id, room_id FROM queue_desk WHERE hospital_id = $1 AND room_id IS NOT NULL AND changed_at >= $2";
    ACT = "INSERT INTO queue_action (hospital_id, id, staff_id, what, was, at) VALUES ($1, $2, $3, $4, $5, $6)";
    ACTION = "SELECT id, what, was, at, undone_at FROM queue_action WHERE hospital_id = $1 AND id = $2 AND staff_id = $3";
    LAST = "SELECT id, what, was, at, undone_at FROM queue_action WHERE hospital_id = $1 AND staff_id = $2 AND at >= $3 ORDER BY at DESC, id DESC LIMIT 1";
    UNDONE = "UPDATE queue_action SET undone_at = $3 WHERE hospital_id = $1 AND id = $2 AND undone_at IS NULL";
    FORGET = "DELETE FROM queue_action WHERE at < $1";
}

/// Where somebody sits.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Seat {
    /// In which room.
    pub(crate) room: Option<RoomId>,
    /// Which lines they serve.
    pub(crate) queues: Vec<QueueId>,
}

impl FromRow for Seat {
    fn from_row(row: &Row) -> Result<Self> {
        let list: String = row.get("queue_ids")?;
        let queues = list.split_whitespace().filter_map(|id| id.parse().ok()).collect();
        Ok(Self { room: row.get("room_id")?, queues })
    }
}

/// How things stood before something was done at a desk.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Before {
    /// The tickets, in the order in which they were changed.
    pub(crate) tickets: Vec<Was>,
    /// Whose turn it was in the lines from which somebody was called.
    pub(crate) turns: Vec<(QueueId, Turns)>,
}

/// Something done at a desk.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Action {
    /// Its id.
    pub(crate) id: ActionId,
    /// What.
    pub(crate) what: String,
    /// How things stood before.
    pub(crate) was: Before,
    /// When.
    pub(crate) at: UnixMs,
    /// When it was taken back.
    pub(crate) undone_at: Option<UnixMs>,
}

impl FromRow for Action {
    fn from_row(row: &Row) -> Result<Self> {
        let was: String = row.get("was")?;
        let was = serde_json::from_str(&was)
            .map_err(|e| store::StoreError::Decode { column: "was".into(), what: e.to_string() })?;
        Ok(Self {
            id: row.get("id")?,
            what: row.get("what")?,
            was,
            at: row.get("at")?,
            undone_at: row.get("undone_at")?,
        })
    }
}

pub(crate) async fn seat(db: &Db, h: HospitalId, staff: StaffId) -> Result<Seat> {
    Ok(db.opt(GET, args![h, staff]).await?.unwrap_or_default())
}

pub(crate) async fn sit(tx: &mut Tx, h: HospitalId, staff: StaffId, seat: &Seat) -> Result<()> {
    let list: Vec<String> = seat.queues.iter().map(ToString::to_string).collect();
    let now = tx.now();
    tx.exec(SIT, args![h, staff, seat.room, list.join(" "), now]).await.map(drop)
}

/// Who has sat down in which room since `since`.
pub(crate) async fn seats(db: &Db, h: HospitalId, since: UnixMs) -> Result<Vec<(StaffId, RoomId)>> {
    let rows: Vec<Row> = db.all(SEATS, args![h, since]).await?;
    rows.iter().map(|row| Ok((row.get("staff_id")?, row.get("room_id")?))).collect()
}

/// Writes down what was done and how things stood before.
pub(crate) async fn act(
    tx: &mut Tx,
    h: HospitalId,
    staff: StaffId,
    what: &str,
    was: &Before,
) -> Result<ActionId> {
    let (id, now) = (ActionId::new(), tx.now());
    let was = serde_json::to_value(was).unwrap_or_default();
    tx.exec(ACT, args![h, id, staff, what, was, now]).await?;
    Ok(id)
}

pub(crate) async fn action(
    tx: &mut Tx,
    h: HospitalId,
    id: ActionId,
    staff: StaffId,
) -> Result<Option<Action>> {
    tx.opt(ACTION, args![h, id, staff]).await
}

/// What somebody did last, since `since`.
pub(crate) async fn last(db: &Db, h: HospitalId, staff: StaffId, since: UnixMs) -> Result<Option<Action>> {
    db.opt(LAST, args![h, staff, since]).await
}

/// Marks an action as taken back; false when it was.
pub(crate) async fn undone(tx: &mut Tx, h: HospitalId, id: ActionId) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(UNDONE, args![h, id, now]).await? == 1)
}

pub(crate) async fn forget(tx: &mut Tx, before: UnixMs) -> Result<u64> {
    tx.exec(FORGET, args![before]).await
}
