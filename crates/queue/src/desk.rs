//! The desk: calling the next one, again, passing, sending for an exam, ending. Whoever calls locks the room, then the lines in
//! the order of their ids, and changes a ticket only as it was read: two desks that call at once call different people.

mod seat;
mod steps;
mod undo;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base::{Date, Problem, UnixMs};
use edge::{Caller, Staff};
use store::{NewEvent, NewJob, Topic, Tx};

use crate::QueueDeps;
use crate::model::{
    ActionId, Queue, QueueId, QueueState, Room, RoomId, Step, Ticket, TicketId, TicketState, Was,
};
use crate::order::{self, Cause, Policy};
use crate::picture::LinePicture;
use crate::settings::Settings;
use crate::store::desk::Before;
use crate::store::line::{self, Day};
use crate::store::{desk as desk_sql, setup as setup_sql, ticket as sql};
use crate::{problems, tell, topics};

pub(crate) use seat::{desk_of, sit};
pub(crate) use steps::{back, class, close, leave, own_call, pause, resume, set_open, step, transfer};
pub(crate) use undo::undo;

/// The event that somebody was called: {ticket, queue, room}.
pub const CALLED: &str = "queue.called";
/// The event that somebody's visit is over: {ticket, queue}.
pub const ENDED: &str = "queue.ended";
/// The job that does what follows from the end of a visit, once it can't be taken back any more.
pub(crate) const SEEN_JOB: &str = "queue.seen";
/// So often a step is tried again when another node won.
const TRIES: usize = 5;

/// What a step came to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Done {
    /// By this it can be taken back.
    pub(crate) action: Option<ActionId>,
    /// Until then.
    pub(crate) undo_until: UnixMs,
    /// Who was called or changed.
    pub(crate) ticket: Option<Ticket>,
    /// Whose visit was ended by it.
    pub(crate) ended: Option<Ticket>,
    /// The lines that were touched.
    pub(crate) queues: Vec<QueueId>,
}

/// A step under way: its transaction, and how things stood before.
pub(crate) struct Work<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) tx: Tx,
    pub(crate) settings: Settings,
    pub(crate) date: Date,
    pub(crate) before: Before,
    lines: BTreeMap<QueueId, Line>,
}

/// A line that is locked.
pub(crate) struct Line {
    pub(crate) queue: Queue,
    pub(crate) day: Day,
    pub(crate) picture: Arc<LinePicture>,
}

impl<'a> Work<'a> {
    /// Locks these lines. The pictures, for names and pace, are read before the transaction.
    pub(crate) async fn begin(
        deps: &QueueDeps,
        caller: &'a Caller,
        room: Option<RoomId>,
        queues: &[QueueId],
    ) -> Result<Self, Problem> {
        let hospital = &caller.hospital;
        let mut pictures = BTreeMap::new();
        for id in queues {
            pictures.insert(*id, deps.pictures.line(hospital.id, *id).await?);
        }
        let mut tx = deps.db.begin().await?;
        let date = hospital.zone.date(tx.now());
        if let Some(room) = room
            && !line::lock_room(&mut tx, hospital.id, room).await?
        {
            return Err(Problem::not_found());
        }
        let mut lines = BTreeMap::new();
        for (id, picture) in pictures {
            let day = line::lock(&mut tx, hospital.id, id, date).await?;
            // Paused or resumed since the picture was painted?
            let queue =
                setup_sql::queue_in(&mut tx, hospital.id, id).await?.ok_or_else(Problem::not_found)?;
            lines.insert(id, Line { queue, day, picture });
        }
        let settings = hospital.settings(Settings::SECTION);
        Ok(Self { caller, tx, settings, date, before: Before::default(), lines })
    }

    pub(crate) fn line(&self, id: QueueId) -> Result<&Line, Problem> {
        self.lines.get(&id).ok_or_else(Problem::internal)
    }

    /// A ticket as it is now, of one of the lines that are locked.
    pub(crate) async fn ticket(&mut self, id: TicketId) -> Result<Ticket, Problem> {
        let ticket = sql::get(&mut self.tx, self.caller.hospital.id, id).await?;
        let ticket = ticket.ok_or_else(Problem::not_found)?;
        if !self.lines.contains_key(&ticket.queue) {
            return Err(problems::changed_meanwhile());
        }
        Ok(ticket)
    }

    /// Writes a changed ticket, with the step that changed it.
    pub(crate) async fn write(&mut self, was: Was, ticket: &mut Ticket, step: Step) -> Result<(), Problem> {
        let h = self.caller.hospital.id;
        let room = ticket.room.or(was.room);
        if was.state != ticket.state && !was.state.may_become(ticket.state) {
            return Err(if was.state.is_over() { problems::over() } else { problems::wrong_state() });
        }
        let actor = self.caller.actor.to_string();
        if !sql::write(&mut self.tx, h, ticket, &actor).await? {
            return Err(problems::changed_meanwhile());
        }
        sql::step(&mut self.tx, h, ticket.id, step, &actor, room).await?;
        self.tx.touch(Topic::new("ticket", ticket.id));
        if let Some(room) = room {
            self.tx.touch(Topic::new("room", room));
        }
        self.before.tickets.push(was);
        Ok(())
    }

    /// Ends a visit. What follows for appointment and pace waits until it can't be taken back.
    pub(crate) async fn end(&mut self, mut ticket: Ticket) -> Result<Ticket, Problem> {
        let was = Was::of(&ticket);
        let now = self.tx.now();
        ticket.state = TicketState::Done;
        ticket.ended_at = Some(now);
        self.write(was, &mut ticket, Step::Ended).await?;
        tell::quiet(&mut self.tx, &self.caller.hospital, &ticket).await?;
        let h = self.caller.hospital.id;
        let job = NewJob {
            hospital: h,
            kind: SEEN_JOB,
            dedupe: ticket.id.to_string(),
            payload: serde_json::json!({"ticket": ticket.id}),
        };
        self.tx.at(now.plus(self.undo_for() + Duration::from_secs(1)), job).await?;
        self.publish(ENDED, &ticket).await?;
        Ok(ticket)
    }

    /// Calls somebody into a room that is free.
    pub(crate) async fn call(
        &mut self,
        mut ticket: Ticket,
        cause: Cause,
        room: &Room,
    ) -> Result<Ticket, Problem> {
        let hospital = self.caller.hospital.clone();
        let was = Was::of(&ticket);
        let now = self.tx.now();
        ticket.state = TicketState::Called;
        ticket.room = Some(room.id);
        ticket.called_at = Some(now);
        ticket.times = 1;
        ticket.began_at = None;
        ticket.due_turn = None;
        self.write(was, &mut ticket, Step::Called).await?;
        let line = self.lines.get_mut(&ticket.queue).ok_or_else(Problem::internal)?;
        self.before.turns.push((ticket.queue, line.day.turns));
        line.day.turns = line.day.turns.after(cause);
        if matches!(cause, Cause::Return | Cause::Priority(_) | Cause::Emergency) {
            line.day.inserted += 1;
        }
        let day = line.day;
        let picture = line.picture.clone();
        line::set(&mut self.tx, hospital.id, ticket.queue, self.date, day).await?;
        tell::called(&mut self.tx, &hospital, &picture, &ticket, room).await?;
        self.publish(CALLED, &ticket).await?;
        metrics::counter!("queue_called").increment(1);
        Ok(ticket)
    }

    pub(crate) async fn publish(&mut self, kind: &'static str, ticket: &Ticket) -> Result<(), Problem> {
        let event = NewEvent {
            hospital: self.caller.hospital.id,
            kind,
            key: ticket.queue.to_string(),
            payload: serde_json::json!({"ticket": ticket.id, "queue": ticket.queue, "room": ticket.room}),
        };
        Ok(self.tx.publish(event).await?)
    }

    fn undo_for(&self) -> Duration {
        Duration::from_secs(u64::from(self.settings.undo_seconds))
    }

    /// Tells those whose place has come near, wakes who watches, notes what was done, and commits.
    pub(crate) async fn finish(
        mut self,
        what: &'static str,
        ticket: Option<Ticket>,
        ended: Option<Ticket>,
    ) -> Result<Done, Problem> {
        let hospital = self.caller.hospital.clone();
        let ids: Vec<QueueId> = self.lines.keys().copied().collect();
        for line in self.lines.values() {
            let open = sql::open(&mut self.tx, hospital.id, line.queue.id, self.date).await?;
            let policy = Policy::named(line.queue.policy, &self.settings);
            let placed = order::of_tickets(&open, &policy, line.day.turns);
            tell::line(&mut self.tx, &hospital, &line.picture, &open, &placed).await?;
            topics::touch_line(&mut self.tx, &line.queue, &open);
            for room in &line.picture.rooms {
                self.tx.touch(Topic::new("room", room.id));
            }
        }
        let action = match &self.caller.actor {
            edge::Actor::Staff(staff, _) if !self.before.tickets.is_empty() => {
                Some(desk_sql::act(&mut self.tx, hospital.id, *staff, what, &self.before).await?)
            }
            _ => None,
        };
        if let Some(about) = ticket.as_ref().or(ended.as_ref()) {
            let detail = serde_json::json!({"what": what, "queue": about.queue, "room": about.room});
            self.tx.audit(self.caller.audit("queue.desk", about.id, detail)).await?;
        }
        let undo_until = self.tx.now().plus(self.undo_for());
        self.tx.commit().await?;
        Ok(Done { action, undo_until, ticket, ended, queues: ids })
    }
}

/// Calls the next of all lines that somebody serves, and ends the visit in the room.
///
/// # Errors
/// 409 `no_room`, `no_queues`, `queue_paused`, `nobody_waiting`; 503.
pub(crate) async fn next(deps: &QueueDeps, staff: &Staff, room: Option<RoomId>) -> Result<Done, Problem> {
    let h = staff.caller.hospital.id;
    let seat = desk_sql::seat(&deps.db, h, staff.id).await?;
    let setup = deps.pictures.setup(h).await?;
    let room = room.or(seat.room).ok_or_else(problems::no_room)?;
    let room = setup.room(room).cloned().ok_or_else(Problem::not_found)?;
    let queues = if seat.queues.is_empty() {
        setup.queues_in(room.id).iter().map(|q| q.id).collect()
    } else {
        seat.queues
    };
    if queues.is_empty() {
        return Err(problems::no_queues());
    }
    again!(try_next(deps, &staff.caller, &room, &queues))
}

/// Tries a step again when another node won.
macro_rules! again {
    ($step:expr) => {{
        let mut tries = 0;
        loop {
            tries += 1;
            match $step.await {
                Err(problem)
                    if tries < crate::desk::TRIES
                        && matches!(problem.code, "changed_meanwhile" | "try_again") => {}
                done => break done,
            }
        }
    }};
}
pub(crate) use again;

async fn try_next(
    deps: &QueueDeps,
    caller: &Caller,
    room: &Room,
    queues: &[QueueId],
) -> Result<Done, Problem> {
    let h = caller.hospital.id;
    let there = {
        let mut tx = deps.db.begin().await?;
        let there = sql::in_room(&mut tx, h, room.id).await?;
        tx.rollback().await?;
        there
    };
    // Whoever is in the room may be of a line that is served from elsewhere: that line is locked as well.
    let mut locked = queues.to_vec();
    locked.extend(there.iter().map(|t| t.queue));
    locked.sort();
    locked.dedup();
    let mut work = Work::begin(deps, caller, Some(room.id), &locked).await?;
    let now_there = sql::in_room(&mut work.tx, h, room.id).await?;
    if now_there.as_ref().map(|t| t.id) != there.as_ref().map(|t| t.id) {
        return Err(problems::changed_meanwhile());
    }
    let ended = match now_there {
        Some(ticket) => Some(work.end(ticket).await?),
        None => None,
    };
    let mut best: Option<(Ticket, Cause)> = None;
    let mut paused = 0;
    for id in queues {
        let line = work.line(*id)?;
        if line.queue.state == QueueState::Paused {
            paused += 1;
            continue;
        }
        let (policy, turns) = (Policy::named(line.queue.policy, &work.settings), line.day.turns);
        let open = sql::open(&mut work.tx, h, *id, work.date).await?;
        let Some(first) = order::of_tickets(&open, &policy, turns).into_iter().next() else { continue };
        let Some(ticket) = open.into_iter().find(|t| t.id == first.waiting.id) else { continue };
        let key =
            |t: &Ticket, cause: Cause| (cause != Cause::Emergency, t.returned_at.unwrap_or(t.line_at), t.id);
        if best.as_ref().is_none_or(|(t, cause)| key(&ticket, first.cause) < key(t, *cause)) {
            best = Some((ticket, first.cause));
        }
    }
    let Some((ticket, cause)) = best else {
        if ended.is_some() {
            return work.finish("next", None, ended).await;
        }
        return Err(if paused == queues.len() { problems::paused() } else { problems::nobody_waiting() });
    };
    let called = work.call(ticket, cause, room).await?;
    work.finish("next", Some(called), ended).await
}
