//! A line on one day: its lock, its numbers, its turns.

use base::{Date, HospitalId};
use store::value::{FromRow, Row};
use store::{Db, Result, Tx, args};

use crate::model::{QueueId, RoomId};
use crate::order::Turns;

store::statements! {
    MAKE = "INSERT INTO queue_day (hospital_id, queue_id, date) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    LOCK = sqlite "SELECT * FROM queue_day WHERE hospital_id = $1 AND queue_id = $2 AND date = $3"
        postgres "SELECT * FROM queue_day WHERE hospital_id = $1 AND queue_id = $2 AND date = $3 FOR NO KEY UPDATE";
    LOCK_ROOM = sqlite "SELECT id FROM queue_room WHERE hospital_id = $1 AND id = $2"
        postgres "SELECT id FROM queue_room WHERE hospital_id = $1 AND id = $2 FOR NO KEY UPDATE";
    DAY = "SELECT * FROM queue_day WHERE hospital_id = $1 AND queue_id = $2 AND date = $3";
    NEXT_NUMBER = "UPDATE queue_day SET last_number = last_number + 1 WHERE hospital_id = $1 AND queue_id = $2 AND date = $3 RETURNING last_number";
    SET_TURNS = "UPDATE queue_day SET calls = $4, since_return = $5, since_priority = $6, inserted = $7 WHERE hospital_id = $1 AND queue_id = $2 AND date = $3";
}

/// A line's figures of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Day {
    /// Whose turn it is.
    pub(crate) turns: Turns,
    /// How many calls went to somebody who was sent in between.
    pub(crate) inserted: i64,
}

impl FromRow for Day {
    fn from_row(row: &Row) -> Result<Self> {
        let turns = Turns {
            calls: row.get("calls")?,
            since_return: row.get("since_return")?,
            since_priority: row.get("since_priority")?,
        };
        Ok(Self { turns, inserted: row.get("inserted")? })
    }
}

/// Makes everybody else wait who gives a number in this line or calls from it. Several lines are locked in the order of their
/// ids.
pub(crate) async fn lock(tx: &mut Tx, h: HospitalId, queue: QueueId, date: Date) -> Result<Day> {
    tx.exec(MAKE, args![h, queue, date]).await?;
    tx.one(LOCK, args![h, queue, date]).await
}

/// Makes everybody else wait who calls into this room; false when there is none. Rooms are locked before lines.
pub(crate) async fn lock_room(tx: &mut Tx, h: HospitalId, room: RoomId) -> Result<bool> {
    Ok(tx.opt::<Row>(LOCK_ROOM, args![h, room]).await?.is_some())
}

/// The figures of a day, without a lock.
pub(crate) async fn day(db: &Db, h: HospitalId, queue: QueueId, date: Date) -> Result<Day> {
    Ok(db.opt(DAY, args![h, queue, date]).await?.unwrap_or_default())
}

/// The next number of a line that is locked.
pub(crate) async fn next_number(tx: &mut Tx, h: HospitalId, queue: QueueId, date: Date) -> Result<i64> {
    tx.one::<store::value::One<i64>>(NEXT_NUMBER, args![h, queue, date]).await.map(|one| one.0)
}

/// Writes the figures of a line that is locked.
pub(crate) async fn set(tx: &mut Tx, h: HospitalId, queue: QueueId, date: Date, day: Day) -> Result<()> {
    let t = day.turns;
    let args = args![h, queue, date, t.calls, t.since_return, t.since_priority, day.inserted];
    tx.exec(SET_TURNS, args).await.map(drop)
}
