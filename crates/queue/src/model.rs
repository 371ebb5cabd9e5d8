//! The words of waiting.

use base::{Date, Text2, UnixMs};
use booking::AppointmentId;
use edge::AccountId;
use people::PersonId;
use schedule::{CampusId, ClinicId, DepartmentId, DoctorId};
use serde::{Deserialize, Serialize};
use store::Sealed;
use store::value::{FromRow, Row};

store::typed_id! {
    /// Where people wait: a waiting room, a hall.
    AreaId = "are";
    /// A room, window or bench at which people are served.
    RoomId = "rom";
    /// A line of people.
    QueueId = "que";
    /// A place in a line.
    TicketId = "tkt";
    /// A step of a ticket.
    StepId = "stp";
    /// An order for something that has a line.
    OrderId = "ord";
    /// Something to be picked up.
    PickUpId = "pck";
    /// Something done at a desk that can be taken back.
    ActionId = "act";
}

store::text_enum! {
    /// What people wait for.
    #[derive(utoipa::ToSchema)]
    #[schema(as = QueueKind)]
    pub enum QueueKind {
        /// A doctor, or the doctors of a department.
        #[schema(rename = "clinic")]
        Clinic = "clinic",
        /// Blood tests and the like.
        #[schema(rename = "lab")]
        Lab = "lab",
        /// Ultrasound, X-ray, …
        #[schema(rename = "imaging")]
        Imaging = "imaging",
        /// Medicine.
        #[schema(rename = "pharmacy")]
        Pharmacy = "pharmacy",
        /// Glasses.
        #[schema(rename = "optician")]
        Optician = "optician",
        /// Any other window.
        #[schema(rename = "service")]
        Service = "service",
    }
}

store::text_enum! {
    /// Whether a line moves.
    #[derive(utoipa::ToSchema)]
    #[schema(as = QueueState)]
    pub enum QueueState {
        /// It does.
        #[schema(rename = "open")]
        Open = "open",
        /// Not for a while.
        #[schema(rename = "paused")]
        Paused = "paused",
        /// Not any more today: no new numbers.
        #[schema(rename = "closed")]
        Closed = "closed",
    }
}

store::text_enum! {
    /// How the next one is found; see [`crate::order::Policy`].
    #[derive(utoipa::ToSchema)]
    #[schema(as = QueuePolicy)]
    pub enum PolicyName {
        /// By time segment, then by check-in; those back from an exam and priority groups in between.
        #[schema(rename = "clinic")]
        Clinic = "clinic",
        /// By arrival; priority groups in between.
        #[schema(rename = "first_come")]
        FirstCome = "first_come",
        /// Emergencies first, then by arrival.
        #[schema(rename = "triage")]
        Triage = "triage",
    }
}

store::text_enum! {
    /// Why somebody goes before others. The law asks for most of them; the screen shows them, so that the others see why.
    #[derive(utoipa::ToSchema)]
    #[schema(as = PriorityClass)]
    pub enum Class {
        /// 危急: before everybody.
        #[schema(rename = "emergency")]
        Emergency = "emergency",
        /// 老年人: from the age that the hospital sets.
        #[schema(rename = "elder")]
        Elder = "elder",
        /// 军人, 退役军人 and their families.
        #[schema(rename = "military")]
        Military = "military",
        /// 孕妇.
        #[schema(rename = "pregnant")]
        Pregnant = "pregnant",
        /// 残疾人.
        #[schema(rename = "disabled")]
        Disabled = "disabled",
        /// Young children.
        #[schema(rename = "child")]
        Child = "child",
        /// Set by staff, with a reason.
        #[schema(rename = "staff")]
        Staff = "staff",
    }
}

impl Class {
    /// What stands beside the name on a screen.
    #[must_use]
    pub fn name(self) -> Text2 {
        let (zh, en) = match self {
            Self::Emergency => ("危急", "Emergency"),
            Self::Elder => ("老年优先", "Senior"),
            Self::Military => ("军人优先", "Military"),
            Self::Pregnant => ("孕妇优先", "Expecting"),
            Self::Disabled => ("残障优先", "Disability"),
            Self::Child => ("幼儿优先", "Young child"),
            Self::Staff => ("优先", "Priority"),
        };
        Text2::new(zh, en)
    }
}

store::text_enum! {
    /// By which way a number was taken.
    #[derive(utoipa::ToSchema)]
    #[schema(as = TicketOrigin)]
    pub enum Origin {
        /// The code at the place.
        #[schema(rename = "code")]
        Code = "code",
        /// The phone's position.
        #[schema(rename = "position")]
        Position = "position",
        /// Staff at a desk.
        #[schema(rename = "desk")]
        Desk = "desk",
        /// A kiosk.
        #[schema(rename = "kiosk")]
        Kiosk = "kiosk",
        /// An order, at the spot.
        #[schema(rename = "order")]
        Order = "order",
    }
}

store::text_enum! {
    /// How somebody came, measured by their time segment.
    #[derive(utoipa::ToSchema)]
    #[schema(as = Arrival)]
    pub enum Arrival {
        /// Before it.
        #[schema(rename = "early")]
        Early = "early",
        /// In time.
        #[schema(rename = "on_time")]
        OnTime = "on_time",
        /// So long after its start that others go first.
        #[schema(rename = "late")]
        Late = "late",
        /// Without a segment.
        #[schema(rename = "none")]
        None = "none",
    }
}

store::text_enum! {
    /// Where a ticket stands.
    #[derive(utoipa::ToSchema)]
    #[schema(as = TicketState)]
    pub enum TicketState {
        /// In the line.
        #[schema(rename = "waiting")]
        Waiting = "waiting",
        /// Called into a room.
        #[schema(rename = "called")]
        Called = "called",
        /// In the room.
        #[schema(rename = "serving")]
        Serving = "serving",
        /// Sent for an exam; comes back into the line.
        #[schema(rename = "away")]
        Away = "away",
        /// Over.
        #[schema(rename = "done")]
        Done = "done",
        /// Gone before being called.
        #[schema(rename = "left")]
        Left = "left",
        /// Missed too many calls.
        #[schema(rename = "void")]
        Void = "void",
    }
}

impl TicketState {
    /// The table of legal moves, apart from taking one back.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use TicketState::{Away, Called, Done, Left, Serving, Void, Waiting};
        matches!(
            (self, next),
            (Waiting, Called | Left | Void | Done)
                | (Called, Serving | Waiting | Void | Away | Done | Left)
                | (Serving, Away | Done | Waiting)
                | (Away, Waiting | Left | Done)
        )
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Left | Self::Void)
    }
}

store::text_enum! {
    /// What happened to a ticket.
    pub enum Step {
        /// It was taken.
        CheckedIn = "checked_in",
        /// Called.
        Called = "called",
        /// Called again.
        Recalled = "recalled",
        /// The person is in the room.
        Began = "began",
        /// Did not come when called.
        Passed = "passed",
        /// Sent for an exam.
        Exam = "exam",
        /// Back from it.
        Back = "back",
        /// Over.
        Ended = "ended",
        /// Gone.
        Left = "left",
        /// Missed too many calls.
        Void = "void",
        /// Moved to another line.
        Transferred = "transferred",
        /// Its priority was changed.
        Class = "class",
        /// The last step was taken back.
        Undone = "undone",
        /// The system that wrote the order has confirmed it.
        Settled = "settled",
    }
}

store::text_enum! {
    /// What is picked up.
    #[derive(utoipa::ToSchema)]
    #[schema(as = PickUpKind)]
    pub enum PickUpKind {
        /// 眼镜
        #[schema(rename = "glasses")]
        Glasses = "glasses",
        /// 药品
        #[schema(rename = "medicine")]
        Medicine = "medicine",
        /// 报告
        #[schema(rename = "report")]
        Report = "report",
    }
}

impl PickUpKind {
    /// What people call it.
    #[must_use]
    pub fn name(self) -> Text2 {
        match self {
            Self::Glasses => Text2::new("眼镜", "Glasses"),
            Self::Medicine => Text2::new("药品", "Medicine"),
            Self::Report => Text2::new("报告", "Report"),
        }
    }
}

store::text_enum! {
    /// Where something to be picked up stands.
    #[derive(utoipa::ToSchema)]
    #[schema(as = PickUpState)]
    pub enum PickUpState {
        /// Being made.
        #[schema(rename = "expected")]
        Expected = "expected",
        /// Waiting to be collected.
        #[schema(rename = "ready")]
        Ready = "ready",
        /// Handed over.
        #[schema(rename = "collected")]
        Collected = "collected",
        /// Put back: nobody came for it.
        #[schema(rename = "returned")]
        Returned = "returned",
    }
}

store::text_enum! {
    /// Where an order stands.
    #[derive(utoipa::ToSchema)]
    #[schema(as = ServiceOrderState)]
    pub enum OrderState {
        /// A number can be taken for it.
        #[schema(rename = "valid")]
        Valid = "valid",
        /// A number was taken.
        #[schema(rename = "used")]
        Used = "used",
        /// Called off by whoever wrote it.
        #[schema(rename = "cancelled")]
        Cancelled = "cancelled",
    }
}

/// A waiting room.
#[derive(Debug, Clone, PartialEq)]
pub struct Area {
    /// Its id.
    pub id: AreaId,
    /// The hospital's own code for it.
    pub code: String,
    /// On which campus.
    pub campus: Option<CampusId>,
    /// What it is called.
    pub name: Text2,
    /// How to get there.
    pub way: Text2,
    /// Where it is: latitude and longitude in millionths of a degree, and a radius in metres.
    pub circle: Option<(i64, i64, i64)>,
    /// Which of its door codes is good.
    pub epoch: i64,
    /// Goes up with each change.
    pub version: i64,
}

impl FromRow for Area {
    fn from_row(row: &Row) -> store::Result<Self> {
        let circle = match (row.get("latitude_e6")?, row.get("longitude_e6")?, row.get("radius_m")?) {
            (Some(latitude), Some(longitude), Some(radius)) => Some((latitude, longitude, radius)),
            _ => None,
        };
        Ok(Self {
            id: row.get("id")?,
            code: row.get("code")?,
            campus: row.get("campus_id")?,
            name: text2(row, "name")?,
            way: text2(row, "way")?,
            circle,
            epoch: row.get("epoch")?,
            version: row.get("version")?,
        })
    }
}

/// A room or window.
#[derive(Debug, Clone, PartialEq)]
pub struct Room {
    /// Its id.
    pub id: RoomId,
    /// In which area.
    pub area: AreaId,
    /// The hospital's own code for it.
    pub code: String,
    /// What stands on its door.
    pub name: Text2,
    /// Goes up with each change.
    pub version: i64,
}

impl FromRow for Room {
    fn from_row(row: &Row) -> store::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            area: row.get("area_id")?,
            code: row.get("code")?,
            name: text2(row, "name")?,
            version: row.get("version")?,
        })
    }
}

/// A line.
#[derive(Debug, Clone, PartialEq)]
pub struct Queue {
    /// Its id.
    pub id: QueueId,
    /// The hospital's own code for it.
    pub code: String,
    /// What for.
    pub kind: QueueKind,
    /// What it is called.
    pub name: Text2,
    /// What its numbers begin with.
    pub prefix: String,
    /// Where its people wait.
    pub area: Option<AreaId>,
    /// Of which department.
    pub department: Option<DepartmentId>,
    /// Of which doctor.
    pub doctor: Option<DoctorId>,
    /// How the next one is found.
    pub policy: PolicyName,
    /// How long service takes as long as nothing is known, in seconds: the median.
    pub service_seconds: i64,
    /// Whether it moves.
    pub state: QueueState,
    /// Until when it does not.
    pub paused_until: Option<UnixMs>,
    /// Why, in words.
    pub note: Option<Text2>,
    /// Whether it is in use at all.
    pub active: bool,
    /// Goes up with each change.
    pub version: i64,
}

impl FromRow for Queue {
    fn from_row(row: &Row) -> store::Result<Self> {
        let note = row.get::<Option<String>>("note_zh")?.zip(row.get::<Option<String>>("note_en")?);
        Ok(Self {
            id: row.get("id")?,
            code: row.get("code")?,
            kind: row.get("kind")?,
            name: text2(row, "name")?,
            prefix: row.get("prefix")?,
            area: row.get("area_id")?,
            department: row.get("department_id")?,
            doctor: row.get("doctor_id")?,
            policy: row.get("policy")?,
            service_seconds: row.get("service_seconds")?,
            state: row.get("state")?,
            paused_until: row.get("paused_until")?,
            note: note.map(|(zh, en)| Text2::new(zh, en)),
            active: row.get("active")?,
            version: row.get("version")?,
        })
    }
}

/// A place in a line.
#[derive(Debug, Clone, PartialEq)]
pub struct Ticket {
    /// Its id.
    pub id: TicketId,
    /// In which line.
    pub queue: QueueId,
    /// On which day.
    pub date: Date,
    /// The number.
    pub number: i64,
    /// The number as it is called: `A012`.
    pub label: String,
    /// For which appointment.
    pub appointment: Option<AppointmentId>,
    /// Of which clinic.
    pub clinic: Option<ClinicId>,
    /// For which order.
    pub order: Option<OrderId>,
    /// For whom.
    pub person: Option<PersonId>,
    /// Who is told.
    pub account: Option<AccountId>,
    /// The covered name; empty where nobody asked.
    pub name_masked: String,
    /// Why they go before others.
    pub class: Option<Class>,
    /// What staff said about that.
    pub class_reason: Option<Sealed>,
    /// By which way it was taken.
    pub origin: Origin,
    /// In time or not.
    pub arrival: Arrival,
    /// Where it stands.
    pub state: TicketState,
    /// When the time segment begins.
    pub segment_at: Option<UnixMs>,
    /// What the order goes by: the segment's start, or the arrival of those without one and of the late.
    pub line_at: UnixMs,
    /// When it was taken.
    pub checked_in_at: UnixMs,
    /// When they came back from an exam.
    pub returned_at: Option<UnixMs>,
    /// How many calls were missed.
    pub misses: i64,
    /// After which count of calls a missed one is called again.
    pub due_turn: Option<i64>,
    /// Into which room.
    pub room: Option<RoomId>,
    /// When they were first called, this time.
    pub called_at: Option<UnixMs>,
    /// How often they were called, this time.
    pub times: i64,
    /// When they were in the room.
    pub began_at: Option<UnixMs>,
    /// When it was over.
    pub ended_at: Option<UnixMs>,
    /// What they were told: bits of [`crate::tell::Push`].
    pub told: i64,
    /// Whether the order behind it is confirmed.
    pub settled: bool,
    /// Goes up with each change: what a change compares with.
    pub version: i64,
}

impl FromRow for Ticket {
    fn from_row(row: &Row) -> store::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            queue: row.get("queue_id")?,
            date: row.get("date")?,
            number: row.get("number")?,
            label: row.get("label")?,
            appointment: row.get("appointment_id")?,
            clinic: row.get("clinic_id")?,
            order: row.get("order_id")?,
            person: row.get("person_id")?,
            account: row.get("account_id")?,
            name_masked: row.get("name_masked")?,
            class: row.get("class")?,
            class_reason: row.get("class_reason")?,
            origin: row.get("origin")?,
            arrival: row.get("arrival")?,
            state: row.get("state")?,
            segment_at: row.get("segment_at")?,
            line_at: row.get("line_at")?,
            checked_in_at: row.get("checked_in_at")?,
            returned_at: row.get("returned_at")?,
            misses: row.get("misses")?,
            due_turn: row.get("due_turn")?,
            room: row.get("room_id")?,
            called_at: row.get("called_at")?,
            times: row.get("times")?,
            began_at: row.get("began_at")?,
            ended_at: row.get("ended_at")?,
            told: row.get("told")?,
            settled: row.get("settled")?,
            version: row.get("version")?,
        })
    }
}

/// The part of a ticket that calling changes, as it is kept for taking a step back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Was {
    /// Which ticket.
    pub id: TicketId,
    /// The version that the step left behind: when it has moved on, the step can't be taken back.
    pub version: i64,
    /// In which line it was …
    pub queue: QueueId,
    /// … with which number …
    pub number: i64,
    /// … called how.
    pub label: String,
    /// Where it stood.
    pub state: TicketState,
    /// See [`Ticket::misses`].
    pub misses: i64,
    /// See [`Ticket::due_turn`].
    pub due_turn: Option<i64>,
    /// See [`Ticket::returned_at`].
    pub returned_at: Option<UnixMs>,
    /// See [`Ticket::room`].
    pub room: Option<RoomId>,
    /// See [`Ticket::called_at`].
    pub called_at: Option<UnixMs>,
    /// See [`Ticket::times`].
    pub times: i64,
    /// See [`Ticket::began_at`].
    pub began_at: Option<UnixMs>,
    /// See [`Ticket::ended_at`].
    pub ended_at: Option<UnixMs>,
}

impl Was {
    /// Puts `ticket` back to where it stood.
    pub fn restore(&self, ticket: &mut Ticket) {
        ticket.queue = self.queue;
        ticket.number = self.number;
        ticket.label.clone_from(&self.label);
        ticket.state = self.state;
        ticket.misses = self.misses;
        ticket.due_turn = self.due_turn;
        ticket.returned_at = self.returned_at;
        ticket.room = self.room;
        ticket.called_at = self.called_at;
        ticket.times = self.times;
        ticket.began_at = self.began_at;
        ticket.ended_at = self.ended_at;
    }

    /// How `ticket` stands before a step.
    #[must_use]
    pub fn of(ticket: &Ticket) -> Self {
        Self {
            id: ticket.id,
            version: ticket.version + 1,
            queue: ticket.queue,
            number: ticket.number,
            label: ticket.label.clone(),
            state: ticket.state,
            misses: ticket.misses,
            due_turn: ticket.due_turn,
            returned_at: ticket.returned_at,
            room: ticket.room,
            called_at: ticket.called_at,
            times: ticket.times,
            began_at: ticket.began_at,
            ended_at: ticket.ended_at,
        }
    }
}

/// An order for something that has a line.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// What stands on the paper.
    pub reference: String,
    /// For what.
    pub kind: QueueKind,
    /// In which line, when it is for one alone.
    pub queue: Option<QueueId>,
    /// For whom; unknown for a provisional one.
    pub person: Option<PersonId>,
    /// What it is called on the phone: nothing clinical.
    pub title: Text2,
    /// Where it stands.
    pub state: OrderState,
    /// Whether the system that wrote it has confirmed it.
    pub settled: bool,
    /// Until when a number can be taken.
    pub valid_until: UnixMs,
}

impl FromRow for Order {
    fn from_row(row: &Row) -> store::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            reference: row.get("ref")?,
            kind: row.get("kind")?,
            queue: row.get("queue_id")?,
            person: row.get("person_id")?,
            title: text2(row, "title")?,
            state: row.get("state")?,
            settled: row.get("settled")?,
            valid_until: row.get("valid_until")?,
        })
    }
}

/// Something to be picked up.
#[derive(Debug, Clone, PartialEq)]
pub struct PickUp {
    /// Its id.
    pub id: PickUpId,
    /// What.
    pub kind: PickUpKind,
    /// The workshop's, pharmacy's or laboratory's own number.
    pub reference: String,
    /// Where.
    pub area: Option<AreaId>,
    /// For whom.
    pub person: PersonId,
    /// Who is told.
    pub account: Option<AccountId>,
    /// The covered name.
    pub name_masked: String,
    /// What the wall shows.
    pub label: String,
    /// What the person shows.
    pub code: String,
    /// Where it stands.
    pub state: PickUpState,
    /// Since when it is ready.
    pub ready_at: Option<UnixMs>,
    /// When it was handed over or put back.
    pub ended_at: Option<UnixMs>,
    /// How often the person was reminded.
    pub reminded: i64,
}

impl FromRow for PickUp {
    fn from_row(row: &Row) -> store::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            kind: row.get("kind")?,
            reference: row.get("ref")?,
            area: row.get("area_id")?,
            person: row.get("person_id")?,
            account: row.get("account_id")?,
            name_masked: row.get("name_masked")?,
            label: row.get("label")?,
            code: row.get("code")?,
            state: row.get("state")?,
            ready_at: row.get("ready_at")?,
            ended_at: row.get("ended_at")?,
            reminded: row.get("reminded")?,
        })
    }
}

fn text2(row: &Row, name: &str) -> store::Result<Text2> {
    Ok(Text2::new(row.get::<String>(&format!("{name}_zh"))?, row.get::<String>(&format!("{name}_en"))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_stays_over() {
        for from in TicketState::ALL {
            for to in TicketState::ALL {
                assert!(!(from.is_over() && from.may_become(*to)), "{from:?} to {to:?}");
            }
        }
    }
}
