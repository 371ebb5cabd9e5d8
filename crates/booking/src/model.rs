//! The words of booking.

mod desk;
mod marks;

use base::{Date, Fen, HalfDay, UnixMs, WallTime};
use edge::AccountId;
use people::{BoundPerson, PersonId};
use schedule::{CampusId, ClinicId, DepartmentId, DoctorId, SlotId};
use serde::{Deserialize, Serialize};
use store::value::{FromRow, Row};

use crate::hold::{Hold, HoldFor};

pub use desk::{CallState, CancelReason, DeskRules, Ended, NoReturn};
pub use marks::{Marks, Visit};

store::typed_id! {
    /// An appointment.
    AppointmentId = "apt";
}

store::text_enum! {
    /// Where an appointment stands.
    #[derive(utoipa::ToSchema)]
    #[schema(as = AppointmentState)]
    pub enum State {
        /// The place is kept until it is paid (锁号).
        Held = "held",
        /// It is had; what is owed is paid at the counter.
        Booked = "booked",
        /// The person has come and said so.
        CheckedIn = "checked_in",
        /// The doctor has seen them.
        Seen = "seen",
        /// Given up by the person, or by moving it.
        Cancelled = "cancelled",
        /// A hold that was not paid in time.
        Expired = "expired",
        /// The person did not come.
        NoShow = "no_show",
        /// The hospital stopped the clinic.
        Stopped = "stopped",
    }
}

impl State {
    /// Whether the place is taken: these states stand in the partial unique indexes of the schema.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Self::Held | Self::Booked | Self::CheckedIn | Self::Seen)
    }

    /// The table of legal moves.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use State::{Booked, Cancelled, CheckedIn, Expired, Held, NoShow, Seen, Stopped};
        matches!(
            (self, next),
            (Held, Booked | Expired | Cancelled | Stopped)
                | (Booked, CheckedIn | Cancelled | NoShow | Stopped)
                | (CheckedIn, Seen | Stopped)
        )
    }
}

store::text_enum! {
    /// How it is paid.
    #[derive(utoipa::ToSchema)]
    #[schema(as = PayWay)]
    pub enum Pay {
        /// At the counter, on the day.
        Counter = "counter",
        /// Online, within the hold.
        Online = "online",
    }
}

/// The limits of a hospital (settings section `booking.limits`). The defaults are those that hospitals publish
/// (`health.md` 1.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Places that one person may have on one day. Default 2.
    pub per_day: u32,
    /// Places in one department on one day. Default 1.
    pub per_department_day: u32,
    /// Places within any 7 days. Default 3.
    pub per_week: u32,
    /// Places within any 90 days. Default 5.
    pub per_quarter: u32,
    /// Places that one account may book on one day, for all its persons together. Default 8; 0 switches it off.
    pub per_account_day: u32,
    /// A place can be given up until this time on the day before. Default 17:00.
    pub cancel_until: WallTime,
    /// How long an unpaid place is kept, in minutes. Default 15.
    pub hold_minutes: u32,
    /// So many no-shows within 90 days block advance booking … Default 3; 0 switches it off.
    pub no_show_limit: u32,
    /// … for so many days after the last. Default 90.
    pub no_show_days: u32,
    /// From this age on, no-shows only warn. Default 65.
    pub no_show_spares_from_age: u32,
    /// Below this age, no-shows only warn. Default 14.
    pub no_show_spares_below_age: u32,
    /// The oldest age in a children's department, in years. Default 17.
    pub child_until_age: u32,
    /// When the reminder of the day before goes out. Default 18:00.
    pub remind_at: WallTime,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_day: 2,
            per_department_day: 1,
            per_week: 3,
            per_quarter: 5,
            per_account_day: 8,
            cancel_until: WallTime::from_minutes(17 * 60),
            hold_minutes: 15,
            no_show_limit: 3,
            no_show_days: 90,
            no_show_spares_from_age: 65,
            no_show_spares_below_age: 14,
            child_until_age: 17,
            remind_at: WallTime::from_minutes(18 * 60),
        }
    }
}

/// What the desk must know of the person.
#[derive(Debug, Clone)]
pub struct PersonFacts {
    /// Who.
    pub id: PersonId,
    /// When they were born, if known.
    pub birth_date: Option<Date>,
    /// Whether real name and document are known.
    pub identified: bool,
    /// Whether a card of their own is on file, or a document that stands for one.
    pub own_card: bool,
    /// Whether the account that asks may act for them.
    pub bound: bool,
}

impl PersonFacts {
    /// Of a person that is bound to the account that asks.
    #[must_use]
    pub fn of(person: &BoundPerson) -> Self {
        Self {
            id: person.person,
            birth_date: person.birth_date,
            identified: person.document_kind.is_some(),
            own_card: person.has_own_card(),
            bound: true,
        }
    }

    /// Of a person of whom nothing is known yet: the desk looks, together with the booking itself.
    #[must_use]
    pub fn unknown(id: PersonId) -> Self {
        Self { id, birth_date: None, identified: false, own_card: false, bound: false }
    }
}

/// A wish for a place.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which slot.
    pub slot: SlotId,
    /// For whom.
    pub person: PersonFacts,
    /// Who asks.
    pub account: AccountId,
    /// By which way they came: `wechat`, `sms`.
    pub channel: String,
    /// Their idempotency key.
    pub key: String,
    /// What the request amounts to: the same key with another hash is refused.
    pub hash: String,
    /// Not booked at once, but kept for the person until a time.
    pub hold: Option<Hold>,
    /// The appointment that this one takes the place of.
    pub replaces: Option<AppointmentId>,
    /// For the audit entry.
    pub request_id: String,
    /// For the audit entry: from where.
    pub source: String,
}

/// What became of a wish.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It is had.
    Booked(Box<Appointment>),
    /// The same wish was fulfilled before; this is it.
    Replay(Box<Appointment>),
    /// The key belongs to another wish.
    KeyReused,
    /// It can't be had, for all these reasons; the first is the one to tell first.
    Refused(Vec<Refusal>),
}

/// Why a place can't be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The account that asks is not bound to the person; nothing else is said then.
    NotBound,
    /// There is no such slot.
    NoSlot,
    /// Not released yet.
    NotOpen {
        /// When it will be.
        opens_at: UnixMs,
    },
    /// The cut-off is past or the segment has begun.
    Closed,
    /// The hospital stopped the clinic.
    Stopped,
    /// No place is left in the segment.
    Full,
    /// The person has a place with this doctor in this half day.
    Already {
        /// That one.
        appointment: AppointmentId,
    },
    /// The person has a place in this department on that day.
    SameDepartment {
        /// That one.
        appointment: AppointmentId,
        /// How many are allowed.
        limit: u32,
    },
    /// As many places on that day as allowed.
    PerDay(u32),
    /// As many places within 7 days as allowed.
    PerWeek(u32),
    /// As many places within 90 days as allowed.
    PerQuarter(u32),
    /// As many places booked by the account today as allowed.
    PerAccountDay(u32),
    /// Too many no-shows.
    NoShows {
        /// Advance booking opens again on this day.
        until: Date,
    },
    /// Real name and document are not known.
    NotIdentified,
    /// Only children are seen there.
    ChildOnly,
    /// A children's department asks for the child's own card, and none is on file.
    ChildCard,
    /// Only adults are seen there.
    AdultOnly,
    /// The appointment that was to be moved is not there or can't be moved any more.
    CannotMove,
    /// What is to be booked again was not called off, or takes place after all.
    NotStopped,
    /// It was booked again already.
    Rebooked {
        /// As this one.
        appointment: AppointmentId,
    },
    /// As many numbers were added to the clinic as may be.
    NoAddOns {
        /// How many that is.
        limit: u32,
    },
    /// The code for an added number was used, or is too old.
    CodeOver,
    /// No return visit can be made of it.
    NoReturn(NoReturn),
}

/// An appointment.
#[derive(Debug, Clone, PartialEq)]
pub struct Appointment {
    /// Its id.
    pub id: AppointmentId,
    /// Where it stands.
    pub state: State,
    /// In which slot …
    pub slot: SlotId,
    /// … of which clinic …
    pub clinic: ClinicId,
    /// … of which doctor, where it has one.
    pub doctor: Option<DoctorId>,
    /// In which department.
    pub department: DepartmentId,
    /// On which campus.
    pub campus: CampusId,
    /// `general`, `specialist`, `special`.
    pub kind: String,
    /// The day.
    pub date: Date,
    /// The half of it.
    pub half_day: HalfDay,
    /// When the segment begins …
    pub start_at: UnixMs,
    /// … and ends.
    pub end_at: UnixMs,
    /// What it costs.
    pub fee: Fen,
    /// For whom.
    pub person: PersonId,
    /// Who booked it.
    pub account: AccountId,
    /// The number in the slot, from 1. Not used again after a cancellation.
    pub number: i64,
    /// Which of the person's places on that day it is, from 1.
    pub day_ordinal: i64,
    /// How it is paid.
    pub pay: Pay,
    /// The idempotency key it came with.
    pub key: String,
    /// What its request amounted to.
    pub request_hash: String,
    /// What desk, kiosk and laboratory read off the phone.
    pub check_in_code: String,
    /// When it was booked.
    pub booked_at: UnixMs,
    /// Booked after the time until which it could be given up the day before: can be given up until it begins, and counts.
    pub late: bool,
    /// Of a place that is or was on hold: until when …
    pub hold_until: Option<UnixMs>,
    /// … for what …
    pub hold_for: Option<HoldFor>,
    /// … and when it became a booking.
    pub confirmed_at: Option<UnixMs>,
    /// When it was given up, stopped or missed.
    pub ended_at: Option<UnixMs>,
    /// By whom.
    pub ended_by: Option<String>,
    /// The one that it took the place of.
    pub moved_from: Option<AppointmentId>,
    /// The one that took its place.
    pub moved_to: Option<AppointmentId>,
    /// Its sort, who made it, what the hospital changed about it.
    pub marks: Marks,
}

impl FromRow for Appointment {
    fn from_row(row: &Row) -> store::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            state: row.get("state")?,
            slot: row.get("slot_id")?,
            clinic: row.get("clinic_id")?,
            doctor: row.get("doctor_id")?,
            department: row.get("department_id")?,
            campus: row.get("campus_id")?,
            kind: row.get("kind")?,
            date: row.get("date")?,
            half_day: row.get("half_day")?,
            start_at: row.get("start_at")?,
            end_at: row.get("end_at")?,
            fee: row.get("fee_fen")?,
            person: row.get("person_id")?,
            account: row.get("account_id")?,
            number: row.get("number")?,
            day_ordinal: row.get("day_ordinal")?,
            pay: row.get("pay")?,
            key: row.get("key")?,
            request_hash: row.get("request_hash")?,
            check_in_code: row.get("check_in_code")?,
            booked_at: row.get("booked_at")?,
            late: row.get("late")?,
            hold_until: row.get("hold_until")?,
            hold_for: row.get("hold_for")?,
            confirmed_at: row.get("confirmed_at")?,
            ended_at: row.get("ended_at")?,
            ended_by: row.get("ended_by")?,
            moved_from: row.get("moved_from")?,
            moved_to: row.get("moved_to")?,
            marks: Marks::from_row(row)?,
        })
    }
}

/// What the desk must know of the places that a person has or had.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// Which.
    pub id: AppointmentId,
    /// Whose.
    pub person: PersonId,
    /// On which day.
    pub date: Date,
    /// In which half.
    pub half_day: HalfDay,
    /// With which doctor or department.
    pub provider: String,
    /// In which department.
    pub department: DepartmentId,
    /// Which of the day's places.
    pub day_ordinal: i64,
    /// Where it stands.
    pub state: State,
    /// See [`Appointment::late`].
    pub late: bool,
    /// Whether the person gave it up, rather than moved it.
    pub given_up: bool,
}

impl FromRow for Known {
    fn from_row(row: &Row) -> store::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            person: row.get("person_id")?,
            date: row.get("date")?,
            half_day: row.get("half_day")?,
            provider: row.get("provider_id")?,
            department: row.get("department_id")?,
            day_ordinal: row.get("day_ordinal")?,
            state: row.get("state")?,
            late: row.get("late")?,
            given_up: row.get::<Option<AppointmentId>>("moved_to")?.is_none(),
        })
    }
}

impl Known {
    /// Whether it counts for the limits: live ones do, and late ones that were given up.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.state.is_live() || (self.state == State::Cancelled && self.late && self.given_up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_appointment_stays_ended() {
        for from in State::ALL {
            for to in State::ALL {
                if from.may_become(*to) {
                    assert!(from.is_live(), "{from:?} is over but may become {to:?}");
                }
            }
        }
    }
}
