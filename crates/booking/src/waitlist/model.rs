//! The words of the waitlist.

use base::{Date, UnixMs};
use edge::AccountId;
use people::PersonId;
use schedule::{ClinicId, DepartmentId, DoctorId, SlotId};
use store::value::{FromRow, Row};

use crate::model::AppointmentId;

store::typed_id! {
    /// Somebody's place on the waitlist.
    EntryId = "wai";
    /// A place that somebody gave up.
    FreedId = "fre";
}

store::text_enum! {
    /// Where an entry stands.
    #[derive(utoipa::ToSchema)]
    #[schema(as = WaitlistState)]
    pub enum EntryState {
        /// Waits.
        Waiting = "waiting",
        /// A place is kept for them until they say yes.
        Offered = "offered",
        /// They said yes and have it.
        Accepted = "accepted",
        /// They wait no longer, or said no.
        Left = "left",
        /// They did not say anything in time.
        Missed = "missed",
        /// The list was closed before it was their turn.
        Closed = "closed",
    }
}

impl EntryState {
    /// Whether something may still come of it.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Self::Waiting | Self::Offered)
    }
}

/// An entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its id.
    pub id: EntryId,
    /// Who asked.
    pub account: AccountId,
    /// For whom.
    pub person: PersonId,
    /// What they wait for: see [`super::rules::Target`].
    pub target: String,
    /// A clinic …
    pub clinic: Option<ClinicId>,
    /// … or any of a doctor's …
    pub doctor: Option<DoctorId>,
    /// … or any in a department …
    pub department: DepartmentId,
    /// … on a day.
    pub date: Date,
    /// Where it stands.
    pub state: EntryState,
    /// Since when they wait.
    pub joined_at: UnixMs,
    /// Until when somebody can be offered a place.
    pub closes_at: UnixMs,
    /// The place that is kept for them, or was.
    pub appointment: Option<AppointmentId>,
    /// When it was over.
    pub ended_at: Option<UnixMs>,
}

impl FromRow for Entry {
    fn from_row(row: &Row) -> ::store::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            account: row.get("account_id")?,
            person: row.get("person_id")?,
            target: row.get("target")?,
            clinic: row.get("clinic_id")?,
            doctor: row.get("doctor_id")?,
            department: row.get("department_id")?,
            date: row.get("date")?,
            state: row.get("state")?,
            joined_at: row.get("joined_at")?,
            closes_at: row.get("closes_at")?,
            appointment: row.get("appointment_id")?,
            ended_at: row.get("ended_at")?,
        })
    }
}

/// A place that nobody has, but that is still taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Freed {
    pub(crate) id: FreedId,
    pub(crate) slot: SlotId,
    pub(crate) clinic: ClinicId,
    /// The channel that it is charged to.
    pub(crate) channel: String,
    pub(crate) freed_at: UnixMs,
    /// When whoever waits is looked for.
    pub(crate) offer_at: UnixMs,
    /// Before that it is not on sale again.
    pub(crate) public_at: UnixMs,
}

impl FromRow for Freed {
    fn from_row(row: &Row) -> ::store::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            slot: row.get("slot_id")?,
            clinic: row.get("clinic_id")?,
            channel: row.get("channel")?,
            freed_at: row.get("freed_at")?,
            offer_at: row.get("offer_at")?,
            public_at: row.get("public_at")?,
        })
    }
}
