//! The words of the line.

use base::UnixMs;
use edge::{AccountId, Hospital};
use people::PersonId;
use schedule::SlotId;
use serde::{Deserialize, Serialize};
use store::value::{FromRow, Row};

use crate::model::{AppointmentId, Outcome, Pay, PersonFacts, Refusal, Request};
use crate::pay;

store::typed_id! {
    /// A place in the line.
    TicketId = "tic";
}

/// What came of a ticket, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Served {
    /// This was booked.
    Booked(AppointmentId),
    /// It can't be had, for these reasons.
    Refused(Vec<Refusal>),
    /// The key belongs to another wish.
    KeyReused,
    /// It could not be decided, and was not booked.
    Failed,
}

impl From<&Outcome> for Served {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Booked(a) | Outcome::Replay(a) => Self::Booked(a.id),
            Outcome::Refused(reasons) => Self::Refused(reasons.clone()),
            Outcome::KeyReused => Self::KeyReused,
        }
    }
}

/// A ticket.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ticket {
    pub(crate) id: TicketId,
    pub(crate) account: AccountId,
    pub(crate) key: String,
    pub(crate) hash: String,
    pub(crate) person: PersonId,
    pub(crate) slot: SlotId,
    pub(crate) channel: String,
    pub(crate) request_id: String,
    pub(crate) source: String,
    /// From when on it is served.
    pub(crate) due_at: UnixMs,
    /// 0 in the draw, 1 later.
    pub(crate) wave: i64,
    pub(crate) arrived_at: UnixMs,
    /// How the place is to be paid.
    pub(crate) pay: Pay,
    /// What came of it; `None` while it waits.
    pub(crate) served: Option<Served>,
}

impl Ticket {
    /// The wish that it stands for, when it is its turn: the time to pay begins only now.
    pub(crate) fn request(&self, hospital: &Hospital, now: UnixMs) -> Request {
        Request {
            slot: self.slot,
            person: PersonFacts::unknown(self.person),
            account: self.account,
            channel: self.channel.clone(),
            key: self.key.clone(),
            hash: self.hash.clone(),
            hold: (self.pay == Pay::Online).then(|| pay::for_payment(hospital, now)),
            replaces: None,
            request_id: self.request_id.clone(),
            source: self.source.clone(),
        }
    }
}

impl FromRow for Ticket {
    fn from_row(row: &Row) -> ::store::Result<Self> {
        let outcome: Option<String> = row.get("outcome")?;
        Ok(Self {
            id: row.get("id")?,
            account: row.get("account_id")?,
            key: row.get("key")?,
            hash: row.get("request_hash")?,
            person: row.get("person_id")?,
            slot: row.get("slot_id")?,
            channel: row.get("channel")?,
            request_id: row.get("request_id")?,
            source: row.get("source")?,
            due_at: row.get("due_at")?,
            wave: row.get("wave")?,
            arrived_at: row.get("arrived_at")?,
            pay: row.get("pay")?,
            served: outcome.map(|text| serde_json::from_str(&text).unwrap_or(Served::Failed)),
        })
    }
}
