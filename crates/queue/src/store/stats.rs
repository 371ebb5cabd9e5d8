//! What the steps of tickets tell about waiting.

use base::{Date, HospitalId, UnixMs};
use store::value::{FromRow, Row};
use store::{Db, Result, args};

use crate::model::{Arrival, Origin, QueueId, TicketState};

store::statements! {
    OF_DAYS = "SELECT queue_id, date, state, arrival, origin, segment_at, checked_in_at, called_at, began_at, ended_at, misses, low_at, high_at, earliest_at
        FROM ticket WHERE hospital_id = $1 AND date >= $2 AND date <= $3 AND id > $4 ORDER BY id LIMIT $5";
    LAST_ID = "SELECT id FROM ticket WHERE hospital_id = $1 AND date >= $2 AND date <= $3 AND id > $4 ORDER BY id LIMIT 1 OFFSET $5";
}

/// How many rows are read at a time.
const AT_ONCE: i64 = 5_000;

/// A ticket as figures see it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) queue: QueueId,
    pub(crate) date: Date,
    pub(crate) state: TicketState,
    pub(crate) arrival: Arrival,
    pub(crate) origin: Origin,
    pub(crate) segment_at: Option<UnixMs>,
    pub(crate) checked_in_at: UnixMs,
    pub(crate) called_at: Option<UnixMs>,
    pub(crate) began_at: Option<UnixMs>,
    pub(crate) ended_at: Option<UnixMs>,
    pub(crate) misses: i64,
    /// What was foretold at check-in: the range and the earliest moment.
    pub(crate) foretold: Option<(UnixMs, UnixMs, UnixMs)>,
}

impl FromRow for Seen {
    fn from_row(row: &Row) -> Result<Self> {
        let foretold = match (row.get("low_at")?, row.get("high_at")?, row.get("earliest_at")?) {
            (Some(low), Some(high), Some(earliest)) => Some((low, high, earliest)),
            _ => None,
        };
        Ok(Self {
            queue: row.get("queue_id")?,
            date: row.get("date")?,
            state: row.get("state")?,
            arrival: row.get("arrival")?,
            origin: row.get("origin")?,
            segment_at: row.get("segment_at")?,
            checked_in_at: row.get("checked_in_at")?,
            called_at: row.get("called_at")?,
            began_at: row.get("began_at")?,
            ended_at: row.get("ended_at")?,
            misses: row.get("misses")?,
            foretold,
        })
    }
}

/// All tickets of some days, a few thousand at a time.
pub(crate) async fn of_days(db: &Db, h: HospitalId, from: Date, to: Date) -> Result<Vec<Seen>> {
    let mut all = Vec::new();
    let mut after = String::new();
    loop {
        let some: Vec<Seen> = db.all(OF_DAYS, args![h, from, to, &after, AT_ONCE]).await?;
        let last: Option<Row> = db.opt(LAST_ID, args![h, from, to, &after, AT_ONCE - 1]).await?;
        all.extend(some);
        match last {
            Some(row) => after = row.get("id")?,
            None => return Ok(all),
        }
    }
}
