//! Setting up areas, rooms and lines. Whoever changes what others may change too says which version they saw.

use base::{HospitalId, Problem};
use edge::Caller;
use store::{Result, Tx};

use crate::QueueDeps;
use crate::model::{Area, AreaId, Queue, Room, RoomId};
use crate::store::setup as sql;
use crate::{place_code, problems, topics};

/// Adds an area; part of setting up. False when its code is taken.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn add_area(tx: &mut Tx, h: HospitalId, area: &Area) -> Result<bool> {
    topics::touch_setup(tx, h);
    sql::add_area(tx, h, area).await
}

/// Adds a room; part of setting up. False when its code is taken.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn add_room(tx: &mut Tx, h: HospitalId, room: &Room) -> Result<bool> {
    topics::touch_setup(tx, h);
    sql::add_room(tx, h, room).await
}

/// Adds a line that is served in these rooms; part of setting up. False when its code is taken or the doctor has one.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn add_queue(tx: &mut Tx, h: HospitalId, queue: &Queue, rooms: &[RoomId]) -> Result<bool> {
    topics::touch_setup(tx, h);
    if !sql::add_queue(tx, h, queue).await? {
        return Ok(false);
    }
    sql::set_rooms(tx, h, queue.id, rooms).await?;
    Ok(true)
}

/// The code that hangs at an area, for posters.
///
/// # Errors
/// 404 when there is no such area; 503.
pub async fn code_of(deps: &QueueDeps, h: HospitalId, area: AreaId) -> Result<String, Problem> {
    let area = sql::area(&deps.db, h, area).await?.ok_or_else(Problem::not_found)?;
    Ok(place_code::make(&deps.vault, h, &area, None))
}

/// What is put into place.
pub(crate) enum Thing {
    Area(Area),
    Room(Room),
    Queue(Queue, Vec<RoomId>),
}

/// Adds or, with the `version` that was seen, changes something.
///
/// # Errors
/// 404 when what it names is not there; 409 `code_taken`, `changed_meanwhile`; 503.
pub(crate) async fn put(
    deps: &QueueDeps,
    caller: &Caller,
    thing: &Thing,
    version: Option<i64>,
) -> Result<(), Problem> {
    let h = caller.hospital.id;
    let mut tx = deps.db.begin().await?;
    check(&mut tx, deps, h, thing).await?;
    let (done, entity) = match (thing, version) {
        (Thing::Area(area), None) => (sql::add_area(&mut tx, h, area).await?, area.id.to_string()),
        (Thing::Area(area), Some(v)) => (set(sql::set_area(&mut tx, h, area, v).await)?, area.id.to_string()),
        (Thing::Room(room), None) => (sql::add_room(&mut tx, h, room).await?, room.id.to_string()),
        (Thing::Room(room), Some(v)) => (set(sql::set_room(&mut tx, h, room, v).await)?, room.id.to_string()),
        (Thing::Queue(queue, rooms), None) => {
            let added = sql::add_queue(&mut tx, h, queue).await?;
            if added {
                sql::set_rooms(&mut tx, h, queue.id, rooms).await?;
            }
            (added, queue.id.to_string())
        }
        (Thing::Queue(queue, rooms), Some(v)) => {
            let changed = set(sql::set_queue(&mut tx, h, queue, v).await)?;
            if changed {
                sql::set_rooms(&mut tx, h, queue.id, rooms).await?;
                tx.touch(store::Topic::new("queue", queue.id));
            }
            (changed, queue.id.to_string())
        }
    };
    if !done {
        return Err(if version.is_some() { problems::changed_meanwhile() } else { problems::code_taken() });
    }
    let detail = serde_json::json!({"version": version});
    tx.audit(caller.audit("queue.setup", entity, detail)).await?;
    topics::touch_setup(&mut tx, h);
    Ok(tx.commit().await?)
}

/// A code that another thing has is found by the schema.
fn set(changed: Result<bool>) -> Result<bool, Problem> {
    changed.map_err(|error| match error {
        store::StoreError::Constraint { .. } => problems::code_taken(),
        other => other.into(),
    })
}

/// Whether what a thing names is there.
async fn check(tx: &mut Tx, deps: &QueueDeps, h: HospitalId, thing: &Thing) -> Result<(), Problem> {
    let area = match thing {
        Thing::Area(_) => None,
        Thing::Room(room) => Some(room.area),
        Thing::Queue(queue, _) => queue.area,
    };
    if let Some(area) = area
        && sql::area_in(tx, h, area).await?.is_none()
    {
        return Err(Problem::not_found());
    }
    let Thing::Queue(queue, rooms) = thing else { return Ok(()) };
    for room in rooms {
        if sql::room_in(tx, h, *room).await?.is_none() {
            return Err(Problem::not_found());
        }
    }
    let known = queue.department.is_none_or(|id| deps.board.has_department(h, id))
        && queue.doctor.is_none_or(|id| deps.board.has_doctor(h, id));
    if known { Ok(()) } else { Err(Problem::not_found()) }
}

/// A new edition of an area's code: all posters printed before are void.
///
/// # Errors
/// 404; 503.
pub(crate) async fn renew_code(deps: &QueueDeps, caller: &Caller, area: AreaId) -> Result<String, Problem> {
    let h = caller.hospital.id;
    let mut tx = deps.db.begin().await?;
    if !sql::new_epoch(&mut tx, h, area).await? {
        return Err(Problem::not_found());
    }
    tx.audit(caller.audit("queue.place_code", area, serde_json::json!({}))).await?;
    topics::touch_setup(&mut tx, h);
    tx.commit().await?;
    code_of(deps, h, area).await
}
