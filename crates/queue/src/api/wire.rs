//! Lines, places, walls and doors as they stand on the wire.

use std::sync::Arc;
use std::time::Duration;

use base::{Problem, Text2, UnixMs};
use booking::AppointmentId;
use edge::Hospital;
use edge::schema::Text2Schema;
use people::PersonId;
use schedule::{DepartmentId, DoctorId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::QueueDeps;
use crate::model::{
    AreaId, Arrival, Class, OrderId, PickUp, PickUpId, PickUpKind, PickUpState, PolicyName, Queue, QueueId,
    QueueKind, QueueState, Room, RoomId, Ticket, TicketId, TicketState,
};
use crate::order;
use crate::picture::{LinePicture, Range, Setup};
use crate::settings::Settings;
use crate::store::pickup as pickup_sql;
use crate::topics::Shown;

/// So many of the next stand on a wall …
const ON_WALL: usize = 8;
/// … and on a door.
const ON_DOOR: usize = 3;

/// When somebody will be called: eight of ten are within it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = WaitEstimate)]
pub struct EstimateBody {
    /// From …
    #[schema(format = DateTime)]
    pub low: String,
    /// … until.
    #[schema(format = DateTime)]
    pub high: String,
    /// The same in minutes from when this was made.
    pub low_min: i64,
    /// See `low_min`.
    pub high_min: i64,
}

/// Somebody in the line.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = QueueLine)]
pub struct LineBody {
    /// The number.
    pub label: String,
    /// The name, covered.
    pub name_masked: String,
    /// The priority group.
    pub class: Option<Class>,
    /// What it is called.
    #[schema(value_type = Option<Text2Schema>)]
    pub class_name: Option<Text2>,
    /// How many are called before.
    pub ahead: usize,
    /// Back from an exam.
    pub returning: bool,
    /// When they will be called, at the earliest …
    #[schema(format = DateTime)]
    pub at_low: Option<String>,
    /// … and latest.
    #[schema(format = DateTime)]
    pub at_high: Option<String>,
}

/// Somebody who is called or in a room.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = QueueCalled)]
pub struct CalledBody {
    /// The ticket.
    #[schema(value_type = String)]
    pub ticket_id: TicketId,
    /// The number.
    pub label: String,
    /// The name, covered.
    pub name_masked: String,
    /// Into which room.
    #[schema(value_type = Option<String>)]
    pub room_id: Option<RoomId>,
    /// What it is called.
    #[schema(value_type = Option<Text2Schema>)]
    pub room_name: Option<Text2>,
    /// When.
    #[schema(format = DateTime)]
    pub called_at: Option<String>,
    /// How often.
    pub times: i64,
    /// `called` or `serving`.
    pub state: TicketState,
    /// What a voice says when this is new.
    #[schema(value_type = Text2Schema)]
    pub voice: Text2,
}

/// A line as everybody may see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = QueuePublic)]
pub struct QueueBody {
    /// Its id.
    #[schema(value_type = String)]
    pub id: QueueId,
    /// The hospital's code for it.
    pub code: String,
    /// What for.
    pub kind: QueueKind,
    /// What it is called.
    #[schema(value_type = Text2Schema)]
    pub name: Text2,
    /// The doctor.
    #[schema(value_type = Option<String>)]
    pub doctor_id: Option<DoctorId>,
    /// The doctor's name …
    #[schema(value_type = Option<Text2Schema>)]
    pub doctor_name: Option<Text2>,
    /// … and title.
    #[schema(value_type = Option<Text2Schema>)]
    pub title: Option<Text2>,
    /// The department.
    #[schema(value_type = Option<String>)]
    pub department_id: Option<DepartmentId>,
    /// Its name.
    #[schema(value_type = Option<Text2Schema>)]
    pub department_name: Option<Text2>,
    /// Where its people wait.
    #[schema(value_type = Option<String>)]
    pub area_id: Option<AreaId>,
    /// What its numbers begin with.
    pub prefix: String,
    /// Whether it moves.
    pub state: QueueState,
    /// Until when it does not.
    #[schema(format = DateTime)]
    pub paused_until: Option<String>,
    /// Why.
    #[schema(value_type = Option<Text2Schema>)]
    pub note: Option<Text2>,
    /// How many wait.
    pub waiting: usize,
    /// Who is called or in a room, the last called first.
    pub calling: Vec<CalledBody>,
    /// Who is next.
    pub next: Vec<LineBody>,
    /// Who missed a call and is called again.
    pub late: Vec<LineBody>,
    /// When somebody would be called who takes a number now.
    pub estimate: Option<EstimateBody>,
    /// Since when it looks like this.
    #[schema(format = DateTime)]
    pub rendered_at: String,
}

/// A waiting room, as everybody may see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = QueueAreaName)]
pub struct AreaBody {
    /// Its id.
    #[schema(value_type = String)]
    pub id: AreaId,
    /// The hospital's code for it.
    pub code: String,
    /// What it is called.
    #[schema(value_type = Text2Schema)]
    pub name: Text2,
    /// On which campus.
    #[schema(value_type = Option<Text2Schema>)]
    pub campus_name: Option<Text2>,
    /// How to get there.
    #[schema(value_type = Text2Schema)]
    pub way: Text2,
    /// How many lines wait there.
    pub queues: usize,
    /// Whether one can check in by position.
    pub by_position: bool,
}

/// A wall screen.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueueWall)]
pub struct WallBody {
    /// The waiting room.
    pub area: AreaBody,
    /// Its lines.
    pub queues: Vec<QueueBody>,
    /// Its doors.
    pub rooms: Vec<DoorBody>,
    /// Who missed a call and is called again.
    pub late: Vec<LateBody>,
    /// What waits to be picked up, the newest first.
    pub pickups: Vec<WaitingPickUp>,
    /// Since when it looks like this.
    #[schema(format = DateTime)]
    pub rendered_at: String,
}

/// Somebody who missed a call.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueueLate)]
pub struct LateBody {
    /// The number.
    pub label: String,
    /// The name, covered.
    pub name_masked: String,
    /// In which line.
    #[schema(value_type = String)]
    pub queue_id: QueueId,
    /// How many are called before.
    pub ahead: usize,
}

/// Something that waits to be picked up, on a wall.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueueWaitingPickUp)]
pub struct WaitingPickUp {
    /// What is called.
    pub label: String,
    /// The name, covered.
    pub name_masked: String,
    /// What.
    pub kind: PickUpKind,
    /// Since when.
    #[schema(format = DateTime)]
    pub at: Option<String>,
}

/// A door screen.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = QueueDoor)]
pub struct DoorBody {
    /// The room.
    #[schema(value_type = String)]
    pub id: RoomId,
    /// The hospital's code for it.
    pub code: String,
    /// What stands on it.
    #[schema(value_type = Text2Schema)]
    pub name: Text2,
    /// In which waiting room.
    #[schema(value_type = String)]
    pub area_id: AreaId,
    /// Which lines are served there.
    #[schema(value_type = Vec<Text2Schema>)]
    pub queue_names: Vec<Text2>,
    /// Which doctor sits there, when one line is a doctor's.
    #[schema(value_type = Option<Text2Schema>)]
    pub doctor_name: Option<Text2>,
    /// The doctor's title.
    #[schema(value_type = Option<Text2Schema>)]
    pub title: Option<Text2>,
    /// Who is called or in it.
    pub now: Option<CalledBody>,
    /// Who is next.
    pub next: Vec<LineBody>,
    /// Whether its lines move.
    pub state: QueueState,
    /// Until when they don't.
    #[schema(format = DateTime)]
    pub paused_until: Option<String>,
    /// Since when it looks like this.
    #[schema(format = DateTime)]
    pub rendered_at: String,
}

/// How many wait for each specialist.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueueWaitingList)]
pub struct WaitingBody {
    /// The lines.
    pub items: Vec<WaitingItem>,
    /// Since when it looks like this.
    #[schema(format = DateTime)]
    pub rendered_at: String,
}

/// How many wait in a line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueueWaitingItem)]
pub struct WaitingItem {
    /// The line.
    #[schema(value_type = String)]
    pub queue_id: QueueId,
    /// What it is called.
    #[schema(value_type = Text2Schema)]
    pub name: Text2,
    /// What for.
    pub kind: QueueKind,
    /// The doctor.
    #[schema(value_type = Option<String>)]
    pub doctor_id: Option<DoctorId>,
    /// The doctor's name …
    #[schema(value_type = Option<Text2Schema>)]
    pub doctor_name: Option<Text2>,
    /// … and title.
    #[schema(value_type = Option<Text2Schema>)]
    pub title: Option<Text2>,
    /// The department.
    #[schema(value_type = Option<String>)]
    pub department_id: Option<DepartmentId>,
    /// Its name.
    #[schema(value_type = Option<Text2Schema>)]
    pub department_name: Option<Text2>,
    /// The campus.
    #[schema(value_type = Option<Text2Schema>)]
    pub campus_name: Option<Text2>,
    /// The waiting room.
    #[schema(value_type = Option<Text2Schema>)]
    pub area_name: Option<Text2>,
    /// The rooms in which people are served.
    #[schema(value_type = Vec<Text2Schema>)]
    pub rooms: Vec<Text2>,
    /// Whether it moves.
    pub state: QueueState,
    /// Whether somebody who walks in may take a number.
    pub takes_numbers: bool,
    /// How many wait.
    pub waiting: usize,
    /// When somebody would be called who takes a number now.
    pub estimate: Option<EstimateBody>,
}

/// The line of one's own place.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PlaceQueue)]
pub struct PlaceQueueBody {
    /// Its id.
    #[schema(value_type = String)]
    pub id: QueueId,
    /// What for.
    pub kind: QueueKind,
    /// What it is called.
    #[schema(value_type = Text2Schema)]
    pub name: Text2,
    /// The doctor.
    #[schema(value_type = Option<Text2Schema>)]
    pub doctor_name: Option<Text2>,
    /// The department.
    #[schema(value_type = Option<Text2Schema>)]
    pub department_name: Option<Text2>,
}

/// A room by name.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = QueueRoomName)]
pub struct RoomName {
    /// Its id.
    #[schema(value_type = String)]
    pub id: RoomId,
    /// What stands on it.
    #[schema(value_type = Text2Schema)]
    pub name: Text2,
}

/// One's own place in a line.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = QueuePlace)]
pub struct PlaceBody {
    /// The ticket.
    #[schema(value_type = String)]
    pub id: TicketId,
    /// The number as it is called …
    pub label: String,
    /// … and alone.
    pub number: i64,
    /// For whom.
    #[schema(value_type = Option<String>)]
    pub person_id: Option<PersonId>,
    /// Their name, covered.
    pub person_name_masked: String,
    /// In which line.
    pub queue: PlaceQueueBody,
    /// Where to wait.
    pub area: Option<AreaBody>,
    /// Where it stands.
    pub state: TicketState,
    /// How many are called before; while waiting.
    pub ahead: Option<usize>,
    /// Into which room; when called.
    pub room: Option<RoomName>,
    /// When it was called.
    #[schema(format = DateTime)]
    pub called_at: Option<String>,
    /// How often it was called.
    pub times: i64,
    /// When it will be called; while waiting.
    pub estimate: Option<EstimateBody>,
    /// Until when one may walk around; absent when one better stays.
    #[schema(format = DateTime)]
    pub walk_until: Option<String>,
    /// Why one is where one is in the line, in a sentence.
    #[schema(value_type = Text2Schema)]
    pub why: Text2,
    /// In time or not.
    pub arrival: Arrival,
    /// The priority group.
    pub class: Option<Class>,
    /// How many calls were missed.
    pub misses: i64,
    /// Whether the line moves.
    pub queue_state: QueueState,
    /// Until when it does not.
    #[schema(format = DateTime)]
    pub paused_until: Option<String>,
    /// When it was taken.
    #[schema(format = DateTime)]
    pub checked_in_at: String,
    /// For which appointment.
    #[schema(value_type = Option<String>)]
    pub appointment_id: Option<AppointmentId>,
    /// For which order.
    #[schema(value_type = Option<String>)]
    pub order_id: Option<OrderId>,
    /// Whether the order is confirmed.
    pub settled: bool,
    /// Since when it looks like this.
    #[schema(format = DateTime)]
    pub rendered_at: String,
}

/// Something to be picked up, for its owner.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = QueuePickUp)]
pub struct PickUpBody {
    /// Its id.
    #[schema(value_type = String)]
    pub id: PickUpId,
    /// What.
    pub kind: PickUpKind,
    /// What it is called.
    #[schema(value_type = Text2Schema)]
    pub name: Text2,
    /// Where it stands.
    pub state: PickUpState,
    /// What the wall shows.
    pub label: String,
    /// What is shown at the window; while it is ready.
    pub code: Option<String>,
    /// Where.
    #[schema(value_type = Text2Schema)]
    pub place: Text2,
    /// How to get there.
    #[schema(value_type = Option<Text2Schema>)]
    pub way: Option<Text2>,
    /// Since when it is ready.
    #[schema(format = DateTime)]
    pub ready_at: Option<String>,
    /// When it was handed over.
    #[schema(format = DateTime)]
    pub collected_at: Option<String>,
    /// For whom.
    pub person_name_masked: String,
}

/// A ticket, for staff.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DeskTicket)]
pub struct DeskTicket {
    /// As everybody sees it.
    #[serde(flatten)]
    pub line: LineBody,
    /// Its id.
    #[schema(value_type = String)]
    pub id: TicketId,
    /// In which line.
    #[schema(value_type = String)]
    pub queue_id: QueueId,
    /// The number alone.
    pub number: i64,
    /// Where it stands.
    pub state: TicketState,
    /// For whom.
    #[schema(value_type = Option<String>)]
    pub person_id: Option<PersonId>,
    /// For which appointment.
    #[schema(value_type = Option<String>)]
    pub appointment_id: Option<AppointmentId>,
    /// For which order.
    #[schema(value_type = Option<String>)]
    pub order_id: Option<OrderId>,
    /// When the time segment begins.
    #[schema(format = DateTime)]
    pub segment_at: Option<String>,
    /// When it was taken.
    #[schema(format = DateTime)]
    pub checked_in_at: String,
    /// When it was called.
    #[schema(format = DateTime)]
    pub called_at: Option<String>,
    /// When the person was in the room.
    #[schema(format = DateTime)]
    pub began_at: Option<String>,
    /// When it was over.
    #[schema(format = DateTime)]
    pub ended_at: Option<String>,
    /// How many calls were missed.
    pub misses: i64,
    /// In time or not.
    pub arrival: Arrival,
    /// By which way it was taken.
    pub origin: crate::model::Origin,
    /// Why they go before others, as staff said.
    pub class_reason: Option<String>,
    /// Why they are where they are in the line.
    #[schema(value_type = Text2Schema)]
    pub why: Text2,
    /// Into which room.
    #[schema(value_type = Option<String>)]
    pub room_id: Option<RoomId>,
    /// How often it was called.
    pub times: i64,
    /// Whether the order behind it is confirmed.
    pub settled: bool,
    /// Goes up with each change.
    pub version: i64,
}

/// How fast a line moves.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = QueuePace)]
pub struct PaceBody {
    /// Half of the services take less than so many minutes.
    pub median_min: f64,
    /// How many services this rests on.
    pub n: f64,
}

/// A line, for staff.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DeskQueue)]
pub struct DeskQueue {
    /// As everybody sees it.
    #[serde(flatten)]
    pub public: QueueBody,
    /// All who wait, the next first.
    pub lines: Vec<DeskTicket>,
    /// Who is called or in a room.
    pub in_rooms: Vec<DeskTicket>,
    /// Who was sent for an exam.
    pub away: Vec<DeskTicket>,
    /// How many are done today.
    pub done_today: u32,
    /// How many calls were missed today.
    pub passed_today: u32,
    /// How the next is found.
    pub policy: PolicyName,
    /// How fast it moves.
    pub pace: PaceBody,
    /// The rooms in which it is served.
    pub room_ids: Vec<String>,
    /// Goes up with each change of its set-up.
    pub version: i64,
}

/// What a shared topic shows; one of these.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum ShownBody {
    Wall(Box<WallBody>),
    Door(Box<DoorBody>),
    Queue(Box<QueueBody>),
    Waiting(WaitingBody),
    Desk(Box<DeskQueue>),
}

/// The lines that a shared topic is made of.
///
/// # Errors
/// 404 when there is no such thing.
pub(crate) fn queues_shown<'a>(shown: Shown, setup: &'a Setup, id: &str) -> Result<Vec<&'a Queue>, Problem> {
    let missing = |_| Problem::not_found();
    match shown {
        Shown::Area => {
            let id: AreaId = id.parse().map_err(missing)?;
            setup.area(id).ok_or_else(Problem::not_found)?;
            let mut queues = setup.queues_at(id);
            // A room of this area may serve people who wait elsewhere: its door shows them.
            for room in setup.rooms.iter().filter(|r| r.area == id) {
                for queue in setup.queues_in(room.id) {
                    if !queues.iter().any(|q| q.id == queue.id) {
                        queues.push(queue);
                    }
                }
            }
            Ok(queues)
        }
        Shown::Room => {
            let id: RoomId = id.parse().map_err(missing)?;
            setup.room(id).ok_or_else(Problem::not_found)?;
            Ok(setup.queues_in(id))
        }
        Shown::Queue | Shown::Desk => {
            let id: QueueId = id.parse().map_err(missing)?;
            Ok(vec![setup.queue(id).ok_or_else(Problem::not_found)?])
        }
        Shown::Waiting if id == "all" => Ok(setup.active().collect()),
        Shown::Waiting => {
            let id: DepartmentId = id.parse().map_err(missing)?;
            Ok(setup.active().filter(|q| q.department == Some(id)).collect())
        }
    }
}

/// Renders a shared topic.
///
/// # Errors
/// 404; 503.
pub(crate) async fn shown(
    deps: &QueueDeps,
    hospital: &Hospital,
    shown: Shown,
    setup: &Setup,
    lines: &[Arc<LinePicture>],
    id: &str,
) -> Result<ShownBody, Problem> {
    let first = || lines.first().ok_or_else(Problem::not_found);
    Ok(match shown {
        Shown::Queue => ShownBody::Queue(Box::new(queue(hospital, first()?))),
        Shown::Desk => ShownBody::Desk(Box::new(desk_queue(deps, hospital, first()?))),
        Shown::Waiting => ShownBody::Waiting(waiting(hospital, lines)),
        Shown::Room => {
            let room = id.parse().ok().and_then(|id| setup.room(id)).ok_or_else(Problem::not_found)?;
            ShownBody::Door(Box::new(door(hospital, room, setup, lines)))
        }
        Shown::Area => {
            let area: AreaId = id.parse().map_err(|_| Problem::not_found())?;
            let ready = pickup_sql::ready_at(&deps.db, hospital.id, area).await?;
            ShownBody::Wall(Box::new(wall(deps, hospital, area, setup, lines, &ready)?))
        }
    })
}

fn wall(
    deps: &QueueDeps,
    hospital: &Hospital,
    id: AreaId,
    setup: &Setup,
    lines: &[Arc<LinePicture>],
    ready: &[PickUp],
) -> Result<WallBody, Problem> {
    let area = setup.area(id).ok_or_else(Problem::not_found)?;
    let here = lines.iter().filter(|l| l.queue.area == Some(id));
    let queues: Vec<QueueBody> = here.clone().map(|l| queue(hospital, l)).collect();
    let late = here.flat_map(|l| {
        missed(l).map(|(at, t)| LateBody {
            label: t.label.clone(),
            name_masked: t.name_masked.clone(),
            queue_id: l.queue.id,
            ahead: at,
        })
    });
    let rooms = setup.rooms.iter().filter(|r| r.area == id);
    let pickups = ready.iter().map(|p| WaitingPickUp {
        label: p.label.clone(),
        name_masked: p.name_masked.clone(),
        kind: p.kind,
        at: p.ready_at.map(|at| hospital.rfc3339(at)),
    });
    Ok(WallBody {
        area: area_body(deps, hospital, setup, area),
        late: late.collect(),
        rooms: rooms.map(|r| door(hospital, r, setup, lines)).collect(),
        pickups: pickups.collect(),
        rendered_at: hospital.rfc3339(painted(lines)),
        queues,
    })
}

fn painted(lines: &[Arc<LinePicture>]) -> UnixMs {
    lines.iter().map(|l| l.painted_at).max().unwrap_or_default()
}

/// A waiting room.
#[must_use]
pub(crate) fn area_body(
    deps: &QueueDeps,
    hospital: &Hospital,
    setup: &Setup,
    area: &crate::model::Area,
) -> AreaBody {
    let campus_name = area.campus.and_then(|id| deps.board.campus_name(hospital.id, id));
    area_of(area, campus_name, setup.queues_at(area.id).len())
}

fn area_of(area: &crate::model::Area, campus_name: Option<Text2>, queues: usize) -> AreaBody {
    AreaBody {
        id: area.id,
        code: area.code.clone(),
        name: area.name.clone(),
        campus_name,
        way: area.way.clone(),
        queues,
        by_position: area.circle.is_some(),
    }
}

fn estimate(hospital: &Hospital, range: &Range, now: UnixMs) -> EstimateBody {
    let minutes = |at: UnixMs| i64::try_from(at.since(now).as_secs().div_ceil(60)).unwrap_or(0);
    EstimateBody {
        low: hospital.rfc3339(range.low),
        high: hospital.rfc3339(range.high),
        low_min: minutes(range.low),
        high_min: minutes(range.high).max(1),
    }
}

fn line(hospital: &Hospital, l: &LinePicture, at: usize, t: &Ticket) -> LineBody {
    let range = l.ranges.get(at).filter(|_| t.state == TicketState::Waiting);
    LineBody {
        label: t.label.clone(),
        name_masked: t.name_masked.clone(),
        class: t.class,
        class_name: t.class.map(Class::name),
        ahead: at,
        returning: t.returned_at.is_some(),
        at_low: range.map(|r| hospital.rfc3339(r.low)),
        at_high: range.map(|r| hospital.rfc3339(r.high)),
    }
}

/// Those who wait, with their places.
fn waiting_tickets(l: &LinePicture) -> impl Iterator<Item = (usize, &Ticket)> {
    l.placed.iter().enumerate().filter_map(|(at, p)| Some((at, l.ticket(p.waiting.id)?)))
}

fn missed(l: &LinePicture) -> impl Iterator<Item = (usize, &Ticket)> {
    waiting_tickets(l).filter(|(_, t)| t.misses > 0)
}

fn called(hospital: &Hospital, rooms: &[Room], t: &Ticket) -> CalledBody {
    let room = t.room.and_then(|id| rooms.iter().find(|r| r.id == id));
    CalledBody {
        ticket_id: t.id,
        label: t.label.clone(),
        name_masked: t.name_masked.clone(),
        room_id: t.room,
        room_name: room.map(|r| r.name.clone()),
        called_at: t.called_at.map(|at| hospital.rfc3339(at)),
        times: t.times,
        state: t.state,
        voice: voice(&t.label, room.map(|r| &r.name)),
    }
}

/// What a voice says: the number sign by sign, so that no voice makes a thousand of it.
fn voice(label: &str, room: Option<&Text2>) -> Text2 {
    let spelled: Vec<String> = label.chars().map(String::from).collect();
    let spelled = spelled.join(" ");
    match room {
        Some(room) => Text2::new(
            format!("请 {spelled} 号到{}", room.zh),
            format!("Number {spelled}, please come to {}", room.en),
        ),
        None => Text2::new(format!("请 {spelled} 号"), format!("Number {spelled}, please")),
    }
}

/// A line as everybody may see it.
#[must_use]
pub(crate) fn queue(hospital: &Hospital, l: &LinePicture) -> QueueBody {
    let q = &l.queue;
    let mut calling: Vec<&Ticket> = l.in_rooms().collect();
    calling.sort_by_key(|t| std::cmp::Reverse(t.called_at));
    let next = waiting_tickets(l).take(ON_WALL).map(|(at, t)| line(hospital, l, at, t));
    QueueBody {
        id: q.id,
        code: q.code.clone(),
        kind: q.kind,
        name: q.name.clone(),
        doctor_id: q.doctor,
        doctor_name: l.doctor.as_ref().map(|d| d.0.clone()),
        title: l.doctor.as_ref().map(|d| d.1.clone()),
        department_id: q.department,
        department_name: l.department_name.clone(),
        area_id: q.area,
        prefix: q.prefix.clone(),
        state: q.state,
        paused_until: q.paused_until.map(|at| hospital.rfc3339(at)),
        note: q.note.clone(),
        waiting: l.waiting(),
        calling: calling.into_iter().map(|t| called(hospital, &l.rooms, t)).collect(),
        next: next.collect(),
        late: missed(l).map(|(at, t)| line(hospital, l, at, t)).collect(),
        estimate: (q.state != QueueState::Closed).then(|| estimate(hospital, &l.newcomer, l.painted_at)),
        rendered_at: hospital.rfc3339(l.painted_at),
    }
}

/// A door.
#[must_use]
pub(crate) fn door(hospital: &Hospital, room: &Room, setup: &Setup, lines: &[Arc<LinePicture>]) -> DoorBody {
    let served: Vec<&Arc<LinePicture>> = {
        let ids: Vec<QueueId> = setup.queues_in(room.id).iter().map(|q| q.id).collect();
        lines.iter().filter(|l| ids.contains(&l.queue.id)).collect()
    };
    let here =
        served.iter().flat_map(|l| l.in_rooms().map(move |t| (*l, t))).find(|(_, t)| t.room == Some(room.id));
    let doctor = served.iter().find_map(|l| l.doctor.clone());
    let mut next: Vec<(&Arc<LinePicture>, usize, &Ticket)> = served
        .iter()
        .flat_map(|l| waiting_tickets(l).take(ON_DOOR).map(move |(at, t)| (*l, at, t)))
        .collect();
    next.sort_by_key(|(_, at, t)| (*at, t.line_at, t.id));
    next.truncate(ON_DOOR);
    let state = match served.iter().map(|l| l.queue.state).min() {
        Some(state) => state,
        None => QueueState::Closed,
    };
    let paused = served.iter().filter_map(|l| l.queue.paused_until).min();
    DoorBody {
        id: room.id,
        code: room.code.clone(),
        name: room.name.clone(),
        area_id: room.area,
        queue_names: served.iter().map(|l| l.queue.name.clone()).collect(),
        doctor_name: doctor.as_ref().map(|d| d.0.clone()),
        title: doctor.map(|d| d.1),
        now: here.map(|(l, t)| called(hospital, &l.rooms, t)),
        next: next.into_iter().map(|(l, at, t)| line(hospital, l, at, t)).collect(),
        state,
        paused_until: paused.filter(|_| state == QueueState::Paused).map(|at| hospital.rfc3339(at)),
        rendered_at: hospital.rfc3339(served.iter().map(|l| l.painted_at).max().unwrap_or_default()),
    }
}

/// How many wait in each of these lines.
#[must_use]
pub(crate) fn waiting(hospital: &Hospital, lines: &[Arc<LinePicture>]) -> WaitingBody {
    let items = lines.iter().map(|l| {
        let q = &l.queue;
        WaitingItem {
            queue_id: q.id,
            name: q.name.clone(),
            kind: q.kind,
            doctor_id: q.doctor,
            doctor_name: l.doctor.as_ref().map(|d| d.0.clone()),
            title: l.doctor.as_ref().map(|d| d.1.clone()),
            department_id: q.department,
            department_name: l.department_name.clone(),
            campus_name: l.campus_name.clone(),
            area_name: l.area.as_ref().map(|a| a.name.clone()),
            rooms: l.rooms.iter().map(|r| r.name.clone()).collect(),
            state: q.state,
            takes_numbers: q.state != QueueState::Closed
                && !matches!(q.kind, QueueKind::Lab | QueueKind::Imaging | QueueKind::Clinic),
            waiting: l.waiting(),
            estimate: (q.state != QueueState::Closed).then(|| estimate(hospital, &l.newcomer, l.painted_at)),
        }
    });
    WaitingBody { items: items.collect(), rendered_at: hospital.rfc3339(painted(lines)) }
}

/// One's own place.
#[must_use]
pub(crate) fn place(hospital: &Hospital, l: &LinePicture, t: &Ticket, now: UnixMs) -> PlaceBody {
    let at = l.place_of(t.id).filter(|_| t.state == TicketState::Waiting);
    let range = at.and_then(|at| l.ranges.get(at));
    let room = t.room.and_then(|id| l.rooms.iter().find(|r| r.id == id));
    let settings: Settings = hospital.settings(Settings::SECTION);
    let way_back = Duration::from_secs(u64::from(settings.way_back_minutes) * 60);
    // Less than the way there and back is no walk.
    let walk = range.map(|r| r.earliest.minus(way_back)).filter(|until| *until > now.plus(way_back));
    PlaceBody {
        id: t.id,
        label: t.label.clone(),
        number: t.number,
        person_id: t.person,
        person_name_masked: t.name_masked.clone(),
        queue: PlaceQueueBody {
            id: l.queue.id,
            kind: l.queue.kind,
            name: l.queue.name.clone(),
            doctor_name: l.doctor.as_ref().map(|d| d.0.clone()),
            department_name: l.department_name.clone(),
        },
        area: l.area.as_ref().map(|a| area_of(a, l.campus_name.clone(), 1)),
        state: t.state,
        ahead: at,
        room: room.map(|r| RoomName { id: r.id, name: r.name.clone() }),
        called_at: t.called_at.map(|at| hospital.rfc3339(at)),
        times: t.times,
        estimate: range.map(|r| estimate(hospital, r, l.painted_at)),
        walk_until: walk.map(|at| hospital.rfc3339(at)),
        why: at.map(|at| order::why(&l.placed, at, &l.policy, l.turns)).unwrap_or_default(),
        arrival: t.arrival,
        class: t.class,
        misses: t.misses,
        queue_state: l.queue.state,
        paused_until: l.queue.paused_until.map(|at| hospital.rfc3339(at)),
        checked_in_at: hospital.rfc3339(t.checked_in_at),
        appointment_id: t.appointment,
        order_id: t.order,
        settled: t.settled,
        rendered_at: hospital.rfc3339(l.painted_at),
    }
}

/// Something to be picked up.
#[must_use]
pub(crate) fn pick_up(hospital: &Hospital, setup: &Setup, p: &PickUp) -> PickUpBody {
    let area = p.area.and_then(|id| setup.area(id));
    let collected = p.ended_at.filter(|_| p.state == PickUpState::Collected);
    PickUpBody {
        id: p.id,
        kind: p.kind,
        name: p.kind.name(),
        state: p.state,
        label: p.label.clone(),
        code: (p.state == PickUpState::Ready).then(|| p.code.clone()),
        place: area.map_or_else(|| hospital.profile.short_name.clone(), |a| a.name.clone()),
        way: area.map(|a| a.way.clone()),
        ready_at: p.ready_at.map(|at| hospital.rfc3339(at)),
        collected_at: collected.map(|at| hospital.rfc3339(at)),
        person_name_masked: p.name_masked.clone(),
    }
}

/// A ticket, for staff.
#[must_use]
pub(crate) fn desk_ticket(deps: &QueueDeps, hospital: &Hospital, l: &LinePicture, t: &Ticket) -> DeskTicket {
    let at = l.place_of(t.id);
    let moment = |at: Option<UnixMs>| at.map(|at| hospital.rfc3339(at));
    let open = |sealed| {
        let purpose = store::vault::Purpose::ShowStaff;
        deps.vault.open_sealed(hospital.id, crate::CLASS_REASON, sealed, purpose).ok()
    };
    DeskTicket {
        line: line(hospital, l, at.unwrap_or(0), t),
        id: t.id,
        queue_id: t.queue,
        number: t.number,
        state: t.state,
        person_id: t.person,
        appointment_id: t.appointment,
        order_id: t.order,
        segment_at: moment(t.segment_at),
        checked_in_at: hospital.rfc3339(t.checked_in_at),
        called_at: moment(t.called_at),
        began_at: moment(t.began_at),
        ended_at: moment(t.ended_at),
        misses: t.misses,
        arrival: t.arrival,
        origin: t.origin,
        class_reason: t.class_reason.as_ref().and_then(open),
        why: at.map(|at| order::why(&l.placed, at, &l.policy, l.turns)).unwrap_or_default(),
        room_id: t.room,
        times: t.times,
        settled: t.settled,
        version: t.version,
    }
}

/// A line, for staff.
#[must_use]
pub(crate) fn desk_queue(deps: &QueueDeps, hospital: &Hospital, l: &LinePicture) -> DeskQueue {
    let of = |state: &dyn Fn(TicketState) -> bool| {
        let some = l.open.iter().filter(|t| state(t.state));
        some.map(|t| desk_ticket(deps, hospital, l, t)).collect::<Vec<_>>()
    };
    let tenths = |value: f64| (value * 10.0).round() / 10.0;
    DeskQueue {
        public: queue(hospital, l),
        lines: waiting_tickets(l).map(|(_, t)| desk_ticket(deps, hospital, l, t)).collect(),
        in_rooms: of(&|s| matches!(s, TicketState::Called | TicketState::Serving)),
        away: of(&|s| s == TicketState::Away),
        done_today: l.done,
        passed_today: l.passed,
        policy: l.queue.policy,
        pace: PaceBody { median_min: tenths(l.belief.median() / 60.0), n: tenths(l.belief.weight) },
        room_ids: l.rooms.iter().map(|r| r.id.to_string()).collect(),
        version: l.queue.version,
    }
}
