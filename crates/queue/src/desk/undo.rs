//! Taking a step back, within seconds: the wrong key was pressed.

use std::time::Duration;

use base::Problem;
use edge::Staff;

use super::{Done, Work};
use crate::QueueDeps;
use crate::model::{ActionId, QueueId, Step, TicketState};
use crate::problems;
use crate::store::{desk as desk_sql, line, ticket as sql};
use crate::tell;

/// Takes back what one has done: every ticket that the step changed stands where it stood, if nobody has changed it since.
///
/// # Errors
/// 404; 409 `undo_over` when it is too late or was done, `changed_meanwhile`; 503.
pub(crate) async fn undo(deps: &QueueDeps, staff: &Staff, id: ActionId) -> Result<Done, Problem> {
    let caller = &staff.caller;
    let hospital = caller.hospital.clone();
    let h = hospital.id;
    let action = {
        let mut tx = deps.db.begin().await?;
        let action = desk_sql::action(&mut tx, h, id, staff.id).await?;
        tx.rollback().await?;
        action.ok_or_else(Problem::not_found)?
    };
    let mut queues: Vec<QueueId> = action.was.tickets.iter().map(|w| w.queue).collect();
    for was in &action.was.tickets {
        queues.extend(sql::read(&deps.db, h, was.id).await?.map(|t| t.queue));
    }
    queues.sort();
    queues.dedup();
    let mut work = Work::begin(deps, caller, None, &queues).await?;
    let seconds = work.settings.undo_seconds;
    let until = action.at.plus(Duration::from_secs(u64::from(seconds)));
    if work.tx.now() > until || action.undone_at.is_some() || !desk_sql::undone(&mut work.tx, h, id).await? {
        return Err(problems::undo_over(seconds));
    }
    let mut last = None;
    // The last first: whoever was called leaves the room before the one whose visit was ended is in it again.
    for was in action.was.tickets.iter().rev() {
        let mut ticket = work.ticket(was.id).await?;
        if ticket.version != was.version {
            return Err(problems::changed_meanwhile());
        }
        if was.state == TicketState::Waiting {
            tell::quiet(&mut work.tx, &hospital, &ticket).await?;
        }
        was.restore(&mut ticket);
        let actor = caller.actor.to_string();
        if !sql::write(&mut work.tx, h, &mut ticket, &actor).await? {
            return Err(problems::changed_meanwhile());
        }
        sql::step(&mut work.tx, h, ticket.id, Step::Undone, &actor, ticket.room).await?;
        work.tx.touch(store::Topic::new("ticket", ticket.id));
        last = Some(ticket);
    }
    let date = work.date;
    for (queue, turns) in &action.was.turns {
        let Some(line) = work.lines.get_mut(queue) else { continue };
        // When others have called since, only the count goes back.
        if line.day.turns.calls == turns.calls + 1 {
            line.day.turns = *turns;
        } else {
            line.day.turns.calls -= 1;
        }
        let day = line.day;
        line::set(&mut work.tx, h, *queue, date, day).await?;
    }
    work.finish("undo", last, None).await
}
