//! Who sits in which room and serves which lines.

use base::Problem;
use edge::Staff;

use crate::QueueDeps;
use crate::model::{QueueId, RoomId};
use crate::problems;
use crate::store::desk::{self as sql, Seat};

/// The most lines that one desk serves.
const MOST: usize = 16;

/// Where somebody sits. Lines and rooms that are not there any more are left out.
///
/// # Errors
/// Any [`store::StoreError`].
pub(crate) async fn desk_of(deps: &QueueDeps, staff: &Staff) -> Result<Seat, Problem> {
    let h = staff.caller.hospital.id;
    let mut seat = sql::seat(&deps.db, h, staff.id).await?;
    let setup = deps.pictures.setup(h).await?;
    seat.queues.retain(|id| setup.queue(*id).is_some_and(|q| q.active));
    seat.room = seat.room.filter(|id| setup.room(*id).is_some());
    Ok(seat)
}

/// Sits down in a room and serves these lines.
///
/// # Errors
/// 404 when one is not there; 422 when there are too many; 503.
pub(crate) async fn sit(
    deps: &QueueDeps,
    staff: &Staff,
    room: Option<RoomId>,
    mut queues: Vec<QueueId>,
) -> Result<(), Problem> {
    let h = staff.caller.hospital.id;
    queues.sort();
    queues.dedup();
    if queues.len() > MOST {
        return Err(problems::invalid("queue_ids", "最多 16 个队列", "at most 16 queues"));
    }
    let setup = deps.pictures.setup(h).await?;
    let there = queues.iter().all(|id| setup.queue(*id).is_some_and(|q| q.active));
    if !there || room.is_some_and(|id| setup.room(id).is_none()) {
        return Err(Problem::not_found());
    }
    let mut tx = deps.db.begin().await?;
    sql::sit(&mut tx, h, staff.id, &Seat { room, queues }).await?;
    let detail = serde_json::json!({"room": room});
    tx.audit(staff.caller.audit("queue.sit", staff.id, detail)).await?;
    Ok(tx.commit().await?)
}
