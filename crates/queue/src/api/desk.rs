//! For desks and kiosks: giving numbers and calling.

use axum::Json;
use axum::extract::State;
use base::{HalfDay, Problem, Text2, UnixMs, mask};
use edge::schema::Text2Schema;
use edge::{Actor, ApiJson, ApiPath, ApiResult, Caller, Staff};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::wire::{self, DeskQueue, DeskTicket, EstimateBody, RoomName};
use crate::QueueDeps;
use crate::desk::{self, Done};
use crate::model::{ActionId, Class, Origin, Queue, QueueId, QueueKind, RoomId, Step, Ticket, TicketId};
use crate::numbers::{self, Walker};
use crate::settings::Settings;
use crate::store::desk as desk_sql;
use crate::{checkin, problems};

/// The longest name that is typed for a number, in characters.
const LONGEST_NAME: usize = 50;

/// `POST /desk/check-ins`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeskCheckIn)]
pub struct CheckInBody {
    /// The visit's code off the phone, or the number on an order's paper.
    pub code: String,
}

/// `POST /desk/tickets`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWalkIn)]
pub struct WalkInBody {
    /// In which line.
    #[schema(value_type = String)]
    pub queue_id: QueueId,
    /// Their priority group; by staff only.
    pub class: Option<Class>,
    /// Why; needed with `class`.
    pub reason: Option<String>,
    /// The name; covered at once.
    pub name: Option<String>,
}

/// What is printed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueueSlip)]
pub struct Slip {
    /// The hospital.
    #[schema(value_type = Text2Schema)]
    pub hospital_name: Text2,
    /// The number.
    pub label: String,
    /// The name, covered.
    pub name_masked: String,
    /// In which line.
    #[schema(value_type = Text2Schema)]
    pub queue_name: Text2,
    /// The doctor.
    #[schema(value_type = Option<Text2Schema>)]
    pub doctor_name: Option<Text2>,
    /// Where to wait.
    #[schema(value_type = Option<Text2Schema>)]
    pub area_name: Option<Text2>,
    /// How to get there.
    #[schema(value_type = Option<Text2Schema>)]
    pub way: Option<Text2>,
    /// Where people are served.
    #[schema(value_type = Vec<Text2Schema>)]
    pub room_names: Vec<Text2>,
    /// How many are called before.
    pub ahead: Option<usize>,
    /// When they will be called.
    pub estimate: Option<EstimateBody>,
    /// When it was taken.
    #[schema(format = DateTime)]
    pub at: String,
}

/// A number that was given.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueueGiven)]
pub struct Given {
    /// The ticket.
    pub ticket: DeskTicket,
    /// What is printed.
    pub slip: Slip,
}

/// A room to sit in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeskRoom)]
pub struct DeskRoom {
    /// Its id.
    #[schema(value_type = String)]
    pub id: RoomId,
    /// The hospital's code for it.
    pub code: String,
    /// What stands on it.
    #[schema(value_type = Text2Schema)]
    pub name: Text2,
    /// Which lines are served there.
    pub queue_ids: Vec<String>,
    /// Whether somebody else sat down there today.
    pub taken_by_other: bool,
}

/// A line to serve.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeskChoice)]
pub struct DeskChoice {
    /// Its id.
    #[schema(value_type = String)]
    pub id: QueueId,
    /// What it is called.
    #[schema(value_type = Text2Schema)]
    pub name: Text2,
    /// The doctor …
    #[schema(value_type = Option<Text2Schema>)]
    pub doctor_name: Option<Text2>,
    /// … and their title.
    #[schema(value_type = Option<Text2Schema>)]
    pub title: Option<Text2>,
    /// The rooms in which it is served.
    #[schema(value_type = Vec<Text2Schema>)]
    pub rooms: Vec<Text2>,
    /// In which parts of the day the doctor sits today: `am`, `pm`, `night`.
    #[schema(value_type = Vec<String>)]
    pub sessions: Vec<HalfDay>,
    /// What for.
    pub kind: QueueKind,
    /// How many wait.
    pub waiting: usize,
}

/// What can be taken back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeskUndo)]
pub struct UndoBody {
    /// By this.
    #[schema(value_type = String)]
    pub action_id: ActionId,
    /// What it was.
    pub what: String,
    /// Until when.
    #[schema(format = DateTime)]
    pub until: String,
}

/// `GET /desk`
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Desk)]
pub struct DeskBody {
    /// Where one sits.
    pub room: Option<RoomName>,
    /// What one serves.
    pub queues: Vec<DeskQueue>,
    /// The rooms.
    pub rooms: Vec<DeskRoom>,
    /// The lines.
    pub available: Vec<DeskChoice>,
    /// What can be taken back.
    pub undo: Option<UndoBody>,
}

/// `PUT /desk`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeskSeat)]
pub struct SeatBody {
    /// In which room one sits.
    #[schema(value_type = Option<String>)]
    pub room_id: Option<RoomId>,
    /// Which lines one serves.
    #[schema(value_type = Vec<String>)]
    pub queue_ids: Vec<QueueId>,
}

/// `POST /desk/next`
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeskNext)]
pub struct NextBody {
    /// Into which room; without into the one where one sits.
    #[schema(value_type = Option<String>)]
    pub room_id: Option<RoomId>,
}

/// What a step came to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeskDone)]
pub struct DoneBody {
    /// By this it can be taken back …
    #[schema(value_type = Option<String>)]
    pub action_id: Option<ActionId>,
    /// … until then.
    #[schema(format = DateTime)]
    pub undo_until: String,
    /// Who was called or changed.
    pub ticket: Option<DeskTicket>,
    /// Whose visit was ended by it.
    pub ended: Option<DeskTicket>,
    /// The lines that were touched.
    pub queues: Vec<DeskQueue>,
}

/// `POST /desk/tickets/{id}/transfer`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeskTransfer)]
pub struct TransferBody {
    /// To which line.
    #[schema(value_type = String)]
    pub queue_id: QueueId,
}

/// `POST /desk/tickets/{id}/class`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeskClass)]
pub struct ClassBody {
    /// The priority group; none takes it.
    pub class: Option<Class>,
    /// Why. Only staff read it.
    pub reason: String,
}

/// `POST /desk/undo`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeskUndoRequest)]
pub struct UndoRequest {
    /// What is taken back.
    #[schema(value_type = String)]
    pub action_id: ActionId,
}

/// `POST /desk/queues/{id}/pause`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QueuePause)]
pub struct PauseBody {
    /// For so many minutes.
    pub minutes: u32,
    /// Why, for those who wait.
    #[schema(value_type = Option<Text2Schema>)]
    pub note: Option<Text2>,
}

fn origin(caller: &Caller) -> Origin {
    if matches!(caller.actor, Actor::Device(..)) { Origin::Kiosk } else { Origin::Desk }
}

async fn given(deps: &QueueDeps, caller: &Caller, ticket: Ticket) -> Result<Given, Problem> {
    let hospital = &caller.hospital;
    let l = deps.pictures.line(hospital.id, ticket.queue).await?;
    let place = wire::place(hospital, &l, &ticket, deps.db.now());
    let slip = Slip {
        hospital_name: hospital.profile.name.clone(),
        label: ticket.label.clone(),
        name_masked: ticket.name_masked.clone(),
        queue_name: l.queue.name.clone(),
        doctor_name: place.queue.doctor_name.clone(),
        area_name: l.area.as_ref().map(|a| a.name.clone()),
        way: l.area.as_ref().map(|a| a.way.clone()),
        room_names: l.rooms.iter().map(|r| r.name.clone()).collect(),
        ahead: place.ahead,
        estimate: place.estimate,
        at: hospital.rfc3339(ticket.checked_in_at),
    };
    Ok(Given { ticket: wire::desk_ticket(deps, hospital, &l, &ticket), slip })
}

/// Checks somebody in by the code on their phone or paper. Again gives the same number.
#[utoipa::path(post, path = "/api/v1/desk/check-ins", tag = "desk", request_body = CheckInBody,
    responses((status = 200, body = Given), (status = 404, description = "code_unknown", body = edge::problem::ProblemBody),
        (status = 409, description = "code_used, visit_over, no_valid_order, queue_closed, too_early, too_late, clinic_stopped, not_paid_yet", body = edge::problem::ProblemBody)))]
pub async fn check_in(
    State(deps): State<QueueDeps>,
    caller: Caller,
    ApiJson(body): ApiJson<CheckInBody>,
) -> ApiResult<Json<Given>> {
    let ticket = checkin::by_visit_code(&deps, &caller, &body.code, origin(&caller)).await?;
    Ok(Json(given(&deps, &caller, ticket).await?))
}

/// A number for whoever walks in.
#[utoipa::path(post, path = "/api/v1/desk/tickets", tag = "desk", request_body = WalkInBody,
    responses((status = 200, body = Given), (status = 409, description = "queue_closed, no_valid_order", body = edge::problem::ProblemBody)))]
pub async fn walk_in(
    State(deps): State<QueueDeps>,
    caller: Caller,
    ApiJson(body): ApiJson<WalkInBody>,
) -> ApiResult<Json<Given>> {
    let h = caller.hospital.id;
    let setup = deps.pictures.setup(h).await?;
    let queue = setup.queue(body.queue_id).filter(|q| q.active).cloned().ok_or_else(Problem::not_found)?;
    let origin = origin(&caller);
    // A kiosk knows nobody: it gives numbers only where nothing has to be proven, and no priority.
    let needs_more = matches!(queue.kind, QueueKind::Lab | QueueKind::Imaging | QueueKind::Clinic);
    if origin == Origin::Kiosk && (needs_more || body.class.is_some()) {
        return Err(if needs_more { problems::no_valid_order() } else { Problem::forbidden() }.into());
    }
    let reason = body.reason.as_deref().map(str::trim).filter(|r| !r.is_empty());
    if body.class.is_some() && reason.is_none_or(|r| r.chars().count() > 200) {
        return Err(problems::invalid(
            "reason",
            "请写明原因，200 字以内",
            "say why, in at most 200 characters",
        )
        .into());
    }
    let name = body.name.as_deref().map(str::trim).unwrap_or_default();
    if name.chars().count() > LONGEST_NAME {
        return Err(problems::invalid("name", "最多 50 个字", "at most 50 characters").into());
    }
    let sealed = reason.map(|r| deps.vault.seal(h, crate::CLASS_REASON, r)).transpose()?;
    let who = Walker {
        name_masked: mask::name(name),
        class: body.class,
        class_reason: sealed.filter(|_| body.class.is_some()),
        ..Walker::default()
    };
    let ticket = numbers::walk_in(&deps, &caller, &queue, who, origin).await?;
    Ok(Json(given(&deps, &caller, ticket).await?))
}

async fn desk_body(deps: &QueueDeps, staff: &Staff) -> Result<DeskBody, Problem> {
    let hospital = &staff.caller.hospital;
    let h = hospital.id;
    let seat = desk::desk_of(deps, staff).await?;
    let setup = deps.pictures.setup(h).await?;
    let now = deps.db.now();
    let midnight = hospital.zone.at(hospital.zone.date(now), base::WallTime::default());
    let seats = desk_sql::seats(&deps.db, h, midnight).await?;
    let lines = deps.pictures.lines(h, &setup, setup.active()).await?;
    let today = hospital.zone.date(now);
    let sessions = |queue: &Queue| -> Vec<HalfDay> {
        let all = queue.doctor.map(|doctor| deps.board.sessions(h, doctor, queue.department, today));
        all.unwrap_or_default().into_iter().map(|session| session.0).collect()
    };
    let settings: Settings = hospital.settings(Settings::SECTION);
    let within = std::time::Duration::from_secs(u64::from(settings.undo_seconds));
    let last = desk_sql::last(&deps.db, h, staff.id, now.minus(within)).await?;
    let undo = last.filter(|a| a.undone_at.is_none()).map(|a| UndoBody {
        action_id: a.id,
        until: hospital.rfc3339(a.at.plus(within)),
        what: a.what,
    });
    let serves = lines.iter().filter(|l| seat.queues.contains(&l.queue.id));
    Ok(DeskBody {
        room: seat.room.and_then(|id| setup.room(id)).map(|r| RoomName { id: r.id, name: r.name.clone() }),
        queues: serves.map(|l| wire::desk_queue(deps, hospital, l)).collect(),
        rooms: setup
            .rooms
            .iter()
            .map(|r| DeskRoom {
                id: r.id,
                code: r.code.clone(),
                name: r.name.clone(),
                queue_ids: setup.queues_in(r.id).iter().map(|q| q.id.to_string()).collect(),
                taken_by_other: seats.iter().any(|(who, room)| *room == r.id && *who != staff.id),
            })
            .collect(),
        available: lines
            .iter()
            .map(|l| DeskChoice {
                id: l.queue.id,
                name: l.queue.name.clone(),
                doctor_name: l.doctor.as_ref().map(|d| d.0.clone()),
                title: l.doctor.as_ref().map(|d| d.1.clone()),
                rooms: l.rooms.iter().map(|r| r.name.clone()).collect(),
                sessions: sessions(&l.queue),
                kind: l.queue.kind,
                waiting: l.waiting(),
            })
            .collect(),
        undo,
    })
}

/// One's desk: where one sits, what one serves, what there is.
#[utoipa::path(get, path = "/api/v1/desk", tag = "desk", responses((status = 200, body = DeskBody)))]
pub async fn desk(State(deps): State<QueueDeps>, staff: Staff) -> ApiResult<Json<DeskBody>> {
    Ok(Json(desk_body(&deps, &staff).await?))
}

/// Sits down.
#[utoipa::path(put, path = "/api/v1/desk", tag = "desk", request_body = SeatBody, responses((status = 200, body = DeskBody), (status = 404, body = edge::problem::ProblemBody)))]
pub async fn sit(
    State(deps): State<QueueDeps>,
    staff: Staff,
    ApiJson(body): ApiJson<SeatBody>,
) -> ApiResult<Json<DeskBody>> {
    desk::sit(&deps, &staff, body.room_id, body.queue_ids).await?;
    Ok(Json(desk_body(&deps, &staff).await?))
}

async fn done(deps: &QueueDeps, caller: &Caller, done: Done) -> ApiResult<Json<DoneBody>> {
    let hospital = &caller.hospital;
    let mut lines = Vec::new();
    for id in &done.queues {
        lines.push(deps.pictures.line(hospital.id, *id).await?);
    }
    let show = |t: Option<Ticket>| {
        let t = t?;
        let l = lines.iter().find(|l| l.queue.id == t.queue)?;
        Some(wire::desk_ticket(deps, hospital, l, &t))
    };
    let until = if done.undo_until == UnixMs::default() { deps.db.now() } else { done.undo_until };
    Ok(Json(DoneBody {
        action_id: done.action,
        undo_until: hospital.rfc3339(until),
        ticket: show(done.ticket),
        ended: show(done.ended),
        queues: lines.iter().map(|l| wire::desk_queue(deps, hospital, l)).collect(),
    }))
}

/// Ends the visit in the room and calls the next of all lines that one serves.
#[utoipa::path(post, path = "/api/v1/desk/next", tag = "desk", request_body = NextBody,
    responses((status = 200, body = DoneBody), (status = 409, description = "no_room, no_queues, queue_paused, nobody_waiting, changed_meanwhile", body = edge::problem::ProblemBody)))]
pub async fn next(
    State(deps): State<QueueDeps>,
    staff: Staff,
    ApiJson(body): ApiJson<NextBody>,
) -> ApiResult<Json<DoneBody>> {
    let came = desk::next(&deps, &staff, body.room_id).await?;
    done(&deps, &staff.caller, came).await
}

/// A step of a ticket: `call` (out of turn), `recall`, `begin`, `pass`, `exam` (sent for one), `back`, `end`, `left`.
#[utoipa::path(post, path = "/api/v1/desk/tickets/{id}/{step}", tag = "desk", params(("id" = String, Path), ("step" = String, Path)), request_body = NextBody,
    responses((status = 200, body = DoneBody), (status = 409, description = "ticket_state, ticket_over, no_room, changed_meanwhile", body = edge::problem::ProblemBody)))]
pub async fn step(
    State(deps): State<QueueDeps>,
    staff: Staff,
    ApiPath((id, step)): ApiPath<(TicketId, String)>,
    ApiJson(body): ApiJson<NextBody>,
) -> ApiResult<Json<DoneBody>> {
    let step = match step.as_str() {
        "call" => {
            let came = desk::own_call(&deps, &staff, id, body.room_id).await?;
            return done(&deps, &staff.caller, came).await;
        }
        "recall" => Step::Recalled,
        "begin" => Step::Began,
        "pass" => Step::Passed,
        "exam" => Step::Exam,
        "back" => Step::Back,
        "end" => Step::Ended,
        "left" => Step::Left,
        _ => return Err(Problem::not_found().into()),
    };
    let came = desk::step(&deps, &staff.caller, id, step).await?;
    done(&deps, &staff.caller, came).await
}

/// Moves somebody to another line.
#[utoipa::path(post, path = "/api/v1/desk/tickets/{id}/transfer", tag = "desk", params(("id" = String, Path)), request_body = TransferBody,
    responses((status = 200, body = DoneBody), (status = 409, description = "queue_closed, ticket_state, ticket_over, changed_meanwhile", body = edge::problem::ProblemBody)))]
pub async fn transfer(
    State(deps): State<QueueDeps>,
    staff: Staff,
    ApiPath(id): ApiPath<TicketId>,
    ApiJson(body): ApiJson<TransferBody>,
) -> ApiResult<Json<DoneBody>> {
    let came = desk::transfer(&deps, &staff.caller, id, body.queue_id).await?;
    done(&deps, &staff.caller, came).await
}

/// Sets or takes a priority, with a reason.
#[utoipa::path(post, path = "/api/v1/desk/tickets/{id}/class", tag = "desk", params(("id" = String, Path)), request_body = ClassBody,
    responses((status = 200, body = DoneBody), (status = 409, description = "ticket_over, changed_meanwhile", body = edge::problem::ProblemBody)))]
pub async fn class(
    State(deps): State<QueueDeps>,
    staff: Staff,
    ApiPath(id): ApiPath<TicketId>,
    ApiJson(body): ApiJson<ClassBody>,
) -> ApiResult<Json<DoneBody>> {
    let came = desk::class(&deps, &staff.caller, id, body.class, &body.reason).await?;
    done(&deps, &staff.caller, came).await
}

/// Takes back what one has just done.
#[utoipa::path(post, path = "/api/v1/desk/undo", tag = "desk", request_body = UndoRequest,
    responses((status = 200, body = DoneBody), (status = 409, description = "undo_over, changed_meanwhile", body = edge::problem::ProblemBody)))]
pub async fn undo(
    State(deps): State<QueueDeps>,
    staff: Staff,
    ApiJson(body): ApiJson<UndoRequest>,
) -> ApiResult<Json<DoneBody>> {
    let came = desk::undo(&deps, &staff, body.action_id).await?;
    done(&deps, &staff.caller, came).await
}

async fn one(deps: &QueueDeps, caller: &Caller, id: QueueId) -> ApiResult<Json<DeskQueue>> {
    let line = deps.pictures.line(caller.hospital.id, id).await?;
    Ok(Json(wire::desk_queue(deps, &caller.hospital, &line)))
}

/// A line, with all who wait.
#[utoipa::path(get, path = "/api/v1/desk/queues/{id}", tag = "desk", params(("id" = String, Path)), responses((status = 200, body = DeskQueue), (status = 404, body = edge::problem::ProblemBody)))]
pub async fn queue(
    State(deps): State<QueueDeps>,
    staff: Staff,
    ApiPath(id): ApiPath<QueueId>,
) -> ApiResult<Json<DeskQueue>> {
    one(&deps, &staff.caller, id).await
}

/// Pauses a line for some minutes.
#[utoipa::path(post, path = "/api/v1/desk/queues/{id}/pause", tag = "desk", params(("id" = String, Path)), request_body = PauseBody, responses((status = 200, body = DeskQueue), (status = 404, body = edge::problem::ProblemBody)))]
pub async fn pause(
    State(deps): State<QueueDeps>,
    staff: Staff,
    ApiPath(id): ApiPath<QueueId>,
    ApiJson(body): ApiJson<PauseBody>,
) -> ApiResult<Json<DeskQueue>> {
    desk::pause(&deps, &staff.caller, id, body.minutes, body.note).await?;
    one(&deps, &staff.caller, id).await
}

/// Lets a line move again; opens one that was closed.
#[utoipa::path(post, path = "/api/v1/desk/queues/{id}/resume", tag = "desk", params(("id" = String, Path)), responses((status = 200, body = DeskQueue), (status = 404, body = edge::problem::ProblemBody)))]
pub async fn resume(
    State(deps): State<QueueDeps>,
    staff: Staff,
    ApiPath(id): ApiPath<QueueId>,
) -> ApiResult<Json<DeskQueue>> {
    desk::resume(&deps, &staff.caller, id).await?;
    one(&deps, &staff.caller, id).await
}

/// Closes a line: no new numbers. Those who wait are still called.
#[utoipa::path(post, path = "/api/v1/desk/queues/{id}/close", tag = "desk", params(("id" = String, Path)), responses((status = 200, body = DeskQueue), (status = 404, body = edge::problem::ProblemBody)))]
pub async fn close(
    State(deps): State<QueueDeps>,
    staff: Staff,
    ApiPath(id): ApiPath<QueueId>,
) -> ApiResult<Json<DeskQueue>> {
    desk::set_open(&deps, &staff.caller, id, false).await?;
    one(&deps, &staff.caller, id).await
}
