//! For programs that stand in for people: whoever gives numbers at a window and calls without a page. The same steps as by the
//! routes, with the same rules.

use base::{Problem, mask};
use edge::{Caller, Staff};

use crate::QueueDeps;
use crate::desk;
use crate::model::{Origin, QueueId, RoomId, TicketId};
use crate::numbers::{self, Walker};

/// Gives somebody at a window a number; the name is covered at once.
///
/// # Errors
/// 404 when there is no such line; 409 when it is closed; 503.
pub async fn walk_in(
    deps: &QueueDeps,
    caller: &Caller,
    queue: QueueId,
    name: &str,
) -> Result<TicketId, Problem> {
    let setup = deps.pictures.setup(caller.hospital.id).await?;
    let queue = setup.queue(queue).cloned().ok_or_else(Problem::not_found)?;
    let who = Walker { name_masked: mask::name(name), ..Walker::default() };
    numbers::walk_in(deps, caller, &queue, who, Origin::Desk).await.map(|ticket| ticket.id)
}

/// Sits down in a room and serves these lines.
///
/// # Errors
/// 404 when one is not there; 503.
pub async fn sit(deps: &QueueDeps, staff: &Staff, room: RoomId, queues: Vec<QueueId>) -> Result<(), Problem> {
    desk::sit(deps, staff, Some(room), queues).await
}

/// Ends the visit in the room and calls the next; `None` when nobody waits.
///
/// # Errors
/// 409 when the lines are paused; 503.
pub async fn next(deps: &QueueDeps, staff: &Staff) -> Result<Option<TicketId>, Problem> {
    match desk::next(deps, staff, None).await {
        Ok(done) => Ok(done.ticket.map(|ticket| ticket.id)),
        Err(problem) if problem.code == "nobody_waiting" => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// How many wait in a line.
///
/// # Errors
/// 404 when there is no such line; 503.
pub async fn waiting(deps: &QueueDeps, caller: &Caller, queue: QueueId) -> Result<usize, Problem> {
    Ok(deps.pictures.line(caller.hospital.id, queue).await?.waiting())
}
