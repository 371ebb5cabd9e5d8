//! Single steps of a ticket.

use std::time::Duration;

use base::{Problem, Text2, WallTime};
use edge::{Caller, Staff};

use super::{Done, Work, again};
use crate::QueueDeps;
use crate::model::{
    Class, Queue, QueueId, QueueState, Room, RoomId, Step, Ticket, TicketId, TicketState, Was,
};
use crate::order::{self, Cause, Miss, Policy};
use crate::store::{desk as desk_sql, line, setup as setup_sql, ticket as sql};
use crate::{give, problems, tell, topics};
use store::Sealed;

/// The longest reason for a priority, in characters.
const LONGEST_REASON: usize = 200;

/// In which line a ticket stands at the moment.
async fn queue_of(deps: &QueueDeps, caller: &Caller, id: TicketId) -> Result<QueueId, Problem> {
    let ticket = sql::read(&deps.db, caller.hospital.id, id).await?;
    ticket.map(|t| t.queue).ok_or_else(Problem::not_found)
}

async fn begin<'a>(
    deps: &QueueDeps,
    caller: &'a Caller,
    id: TicketId,
) -> Result<(Work<'a>, Ticket), Problem> {
    let queue = queue_of(deps, caller, id).await?;
    let mut work = Work::begin(deps, caller, None, &[queue]).await?;
    let ticket = work.ticket(id).await?;
    Ok((work, ticket))
}

/// A step by its name: `recall`, `begin`, `pass`, `exam`, `back`, `end`, `left`.
///
/// # Errors
/// 404; 409 `ticket_state`, `ticket_over`, `changed_meanwhile`; 503.
pub(crate) async fn step(
    deps: &QueueDeps,
    caller: &Caller,
    id: TicketId,
    step: Step,
) -> Result<Done, Problem> {
    again!(try_step(deps, caller, id, step))
}

async fn try_step(deps: &QueueDeps, caller: &Caller, id: TicketId, step: Step) -> Result<Done, Problem> {
    let (mut work, mut ticket) = begin(deps, caller, id).await?;
    let hospital = caller.hospital.clone();
    let (was, now) = (Was::of(&ticket), work.tx.now());
    match step {
        Step::Recalled => {
            if !matches!(ticket.state, TicketState::Called) {
                return Err(problems::wrong_state());
            }
            ticket.times += 1;
            work.write(was, &mut ticket, step).await?;
        }
        Step::Began => {
            if ticket.state == TicketState::Serving {
                return work.finish("began", Some(ticket), None).await;
            }
            ticket.state = TicketState::Serving;
            ticket.began_at = Some(now);
            work.write(was, &mut ticket, step).await?;
            tell::quiet(&mut work.tx, &hospital, &ticket).await?;
        }
        Step::Passed => return pass(work, ticket).await,
        Step::Exam => {
            ticket.state = TicketState::Away;
            ticket.room = None;
            work.write(was, &mut ticket, step).await?;
            tell::quiet(&mut work.tx, &hospital, &ticket).await?;
        }
        Step::Back => {
            ticket.state = TicketState::Waiting;
            ticket.returned_at = Some(now);
            ticket.due_turn = None;
            ticket.called_at = None;
            if was.state != TicketState::Away {
                return Err(problems::wrong_state());
            }
            work.write(was, &mut ticket, step).await?;
        }
        Step::Left => {
            ticket.state = TicketState::Left;
            ticket.ended_at = Some(now);
            work.write(was, &mut ticket, step).await?;
            tell::quiet(&mut work.tx, &hospital, &ticket).await?;
        }
        _ => {
            let ended = work.end(ticket).await?;
            return work.finish("ended", Some(ended), None).await;
        }
    }
    work.finish(step.code(), Some(ticket), None).await
}

/// Did not come when called: some places back, or the number is void.
async fn pass(mut work: Work<'_>, mut ticket: Ticket) -> Result<Done, Problem> {
    let hospital = work.caller.hospital.clone();
    if ticket.state != TicketState::Called {
        return Err(if ticket.state.is_over() { problems::over() } else { problems::wrong_state() });
    }
    let was = Was::of(&ticket);
    let now = work.tx.now();
    let line = work.line(ticket.queue)?;
    let (policy, turns, picture) =
        (Policy::named(line.queue.policy, &work.settings), line.day.turns, line.picture.clone());
    let open = sql::open(&mut work.tx, hospital.id, ticket.queue, work.date).await?;
    let waiting = open.iter().filter(|t| t.state == TicketState::Waiting).count();
    ticket.misses += 1;
    let step = match order::missed(ticket.misses, &policy, turns, i64::try_from(waiting).unwrap_or(i64::MAX))
    {
        Miss::Again { due_turn } => {
            ticket.state = TicketState::Waiting;
            ticket.due_turn = Some(due_turn);
            ticket.room = None;
            ticket.called_at = None;
            ticket.times = 0;
            Step::Passed
        }
        Miss::Void => {
            ticket.state = TicketState::Void;
            ticket.ended_at = Some(now);
            Step::Void
        }
    };
    work.write(was, &mut ticket, step).await?;
    let open = sql::open(&mut work.tx, hospital.id, ticket.queue, work.date).await?;
    let placed = order::of_tickets(&open, &policy, turns);
    let ahead = placed.iter().position(|p| p.waiting.id == ticket.id).unwrap_or(0);
    tell::missed(&mut work.tx, &hospital, &picture, &ticket, ahead).await?;
    work.finish("passed", Some(ticket), None).await
}

/// Puts somebody who was sent for an exam back into the line.
///
/// # Errors
/// As [`step`].
pub(crate) async fn back(deps: &QueueDeps, caller: &Caller, id: TicketId) -> Result<Ticket, Problem> {
    step(deps, caller, id, Step::Back).await?.ticket.ok_or_else(Problem::internal)
}

/// A patient leaves the line.
///
/// # Errors
/// As [`step`].
pub(crate) async fn leave(deps: &QueueDeps, caller: &Caller, id: TicketId) -> Result<Ticket, Problem> {
    step(deps, caller, id, Step::Left).await?.ticket.ok_or_else(Problem::internal)
}

/// Closes what nobody has closed: a visit that went on too long, or somebody who still waited on another day. What the person or a desk
/// has done meanwhile counts.
///
/// # Errors
/// 503.
pub(crate) async fn close(
    deps: &QueueDeps,
    caller: &Caller,
    ticket: &Ticket,
    as_: Step,
) -> Result<(), Problem> {
    match step(deps, caller, ticket.id, as_).await {
        Ok(_) => Ok(()),
        Err(problem) if matches!(problem.code, "ticket_over" | "ticket_state") => Ok(()),
        Err(problem) => Err(problem),
    }
}

/// Calls somebody out of turn. A visit that is going on in the room is ended.
///
/// # Errors
/// 409 `no_room`, `ticket_state`; 503.
pub(crate) async fn own_call(
    deps: &QueueDeps,
    staff: &Staff,
    id: TicketId,
    room: Option<RoomId>,
) -> Result<Done, Problem> {
    let h = staff.caller.hospital.id;
    let seat = desk_sql::seat(&deps.db, h, staff.id).await?;
    let room = room.or(seat.room).ok_or_else(problems::no_room)?;
    let setup = deps.pictures.setup(h).await?;
    let room = setup.room(room).cloned().ok_or_else(Problem::not_found)?;
    again!(try_call(deps, &staff.caller, id, &room))
}

async fn try_call(deps: &QueueDeps, caller: &Caller, id: TicketId, room: &Room) -> Result<Done, Problem> {
    let h = caller.hospital.id;
    let queue = queue_of(deps, caller, id).await?;
    let mut tx = deps.db.begin().await?;
    let there = sql::in_room(&mut tx, h, room.id).await?;
    tx.rollback().await?;
    let mut queues = vec![queue];
    queues.extend(there.iter().map(|t| t.queue));
    queues.dedup();
    let mut work = Work::begin(deps, caller, Some(room.id), &queues).await?;
    let ticket = work.ticket(id).await?;
    if ticket.state != TicketState::Waiting {
        return Err(if ticket.state.is_over() { problems::over() } else { problems::wrong_state() });
    }
    let ended = match sql::in_room(&mut work.tx, h, room.id).await? {
        Some(there) if work.lines.contains_key(&there.queue) => Some(work.end(there).await?),
        Some(_) => return Err(problems::changed_meanwhile()),
        None => None,
    };
    let cause = match ticket.class {
        Some(Class::Emergency) => Cause::Emergency,
        Some(class) => Cause::Priority(class),
        None if ticket.returned_at.is_some() => Cause::Return,
        None => Cause::Line,
    };
    let called = work.call(ticket, cause, room).await?;
    work.finish("call", Some(called), ended).await
}

/// Moves somebody to another line, where they keep the time since when they have waited.
///
/// # Errors
/// 404; 409 `queue_closed`, `ticket_state`, `ticket_over`; 503.
pub(crate) async fn transfer(
    deps: &QueueDeps,
    caller: &Caller,
    id: TicketId,
    to: QueueId,
) -> Result<Done, Problem> {
    again!(try_transfer(deps, caller, id, to))
}

async fn try_transfer(deps: &QueueDeps, caller: &Caller, id: TicketId, to: QueueId) -> Result<Done, Problem> {
    let from = queue_of(deps, caller, id).await?;
    if from == to {
        return Err(problems::wrong_state());
    }
    let mut work = Work::begin(deps, caller, None, &[from, to]).await?;
    let mut ticket = work.ticket(id).await?;
    if !matches!(ticket.state, TicketState::Waiting | TicketState::Called | TicketState::Serving) {
        return Err(if ticket.state.is_over() { problems::over() } else { problems::wrong_state() });
    }
    let target = work.line(to)?.queue.clone();
    if target.state == QueueState::Closed || !target.active {
        return Err(problems::closed());
    }
    let was = Was::of(&ticket);
    let number = line::next_number(&mut work.tx, caller.hospital.id, to, work.date).await?;
    ticket.queue = to;
    ticket.number = number;
    ticket.label = give::label(&target.prefix, number);
    ticket.state = TicketState::Waiting;
    ticket.room = None;
    ticket.called_at = None;
    ticket.due_turn = None;
    ticket.times = 0;
    work.write(was, &mut ticket, Step::Transferred).await?;
    work.finish("transferred", Some(ticket), None).await
}

/// Sets or takes a priority.
///
/// # Errors
/// 422 when there is no reason, or it is too long; 409 `ticket_over`; 503.
pub(crate) async fn class(
    deps: &QueueDeps,
    caller: &Caller,
    id: TicketId,
    class: Option<Class>,
    reason: &str,
) -> Result<Done, Problem> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        return Err(problems::invalid(
            "reason",
            "请写明原因，200 字以内",
            "say why, in at most 200 characters",
        ));
    }
    let sealed = deps.vault.seal(caller.hospital.id, crate::CLASS_REASON, reason)?;
    again!(try_class(deps, caller, id, class, &sealed))
}

async fn try_class(
    deps: &QueueDeps,
    caller: &Caller,
    id: TicketId,
    class: Option<Class>,
    sealed: &Sealed,
) -> Result<Done, Problem> {
    let (mut work, mut ticket) = begin(deps, caller, id).await?;
    if ticket.state.is_over() {
        return Err(problems::over());
    }
    let was = Was::of(&ticket);
    ticket.class = class;
    ticket.class_reason = Some(sealed.clone());
    work.write(was, &mut ticket, Step::Class).await?;
    work.before.tickets.clear();
    work.finish("class", Some(ticket), None).await
}

/// Pauses a line for some minutes.
///
/// # Errors
/// 404; 422; 503.
pub(crate) async fn pause(
    deps: &QueueDeps,
    caller: &Caller,
    queue: QueueId,
    minutes: u32,
    note: Option<Text2>,
) -> Result<(), Problem> {
    if !(1..=600).contains(&minutes) {
        return Err(problems::invalid("minutes", "应为 1 到 600 分钟", "this must be 1 to 600 minutes"));
    }
    let until = deps.db.now().plus(Duration::from_secs(u64::from(minutes) * 60));
    set_state(deps, caller, queue, "pause", |q| Queue {
        state: QueueState::Paused,
        paused_until: Some(until),
        note,
        ..q
    })
    .await
}

/// Lets a line move again.
///
/// # Errors
/// 404; 503.
pub(crate) async fn resume(deps: &QueueDeps, caller: &Caller, queue: QueueId) -> Result<(), Problem> {
    set_open(deps, caller, queue, true).await
}

/// Opens a line, or closes it for the day: no new numbers.
///
/// # Errors
/// 404; 503.
pub(crate) async fn set_open(
    deps: &QueueDeps,
    caller: &Caller,
    queue: QueueId,
    open: bool,
) -> Result<(), Problem> {
    if open {
        let open = |q| Queue { state: QueueState::Open, paused_until: None, note: None, ..q };
        return set_state(deps, caller, queue, "open", open).await;
    }
    // For today: tomorrow it opens by itself.
    let zone = &caller.hospital.zone;
    let today = zone.date(deps.db.now());
    let until = zone.at(today.tomorrow().unwrap_or(today), WallTime::default());
    set_state(deps, caller, queue, "close", |q| Queue {
        state: QueueState::Closed,
        paused_until: Some(until),
        note: None,
        ..q
    })
    .await
}

async fn set_state(
    deps: &QueueDeps,
    caller: &Caller,
    id: QueueId,
    what: &'static str,
    change: impl FnOnce(Queue) -> Queue,
) -> Result<(), Problem> {
    let h = caller.hospital.id;
    let mut tx = deps.db.begin().await?;
    let queue = setup_sql::queue_in(&mut tx, h, id).await?.ok_or_else(Problem::not_found)?;
    let queue = change(queue);
    setup_sql::set_state(&mut tx, h, &queue).await?;
    tx.audit(caller.audit("queue.state", id, serde_json::json!({"what": what}))).await?;
    let date = caller.hospital.zone.date(tx.now());
    let open = sql::open(&mut tx, h, id, date).await?;
    topics::touch_setup(&mut tx, h);
    topics::touch_line(&mut tx, &queue, &open);
    Ok(tx.commit().await?)
}
