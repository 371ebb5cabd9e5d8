//! Areas, rooms and lines as they are set up.

use base::{HospitalId, Text2};
use schedule::{DepartmentId, DoctorId};
use store::value::Row;
use store::{Db, Result, Tx, args};

use crate::model::{Area, AreaId, Queue, QueueId, Room, RoomId};

store::statements! {
    AREAS = "SELECT * FROM queue_area WHERE hospital_id = $1 ORDER BY code";
    AREA = "SELECT * FROM queue_area WHERE hospital_id = $1 AND id = $2";
    ROOMS = "SELECT * FROM queue_room WHERE hospital_id = $1 ORDER BY code";
    ROOM = "SELECT * FROM queue_room WHERE hospital_id = $1 AND id = $2";
    QUEUES = "SELECT * FROM queue WHERE hospital_id = $1 ORDER BY code";
    QUEUE = "SELECT * FROM queue WHERE hospital_id = $1 AND id = $2";
    QUEUE_OF_DOCTOR = "SELECT * FROM queue WHERE hospital_id = $1 AND doctor_id = $2 AND active = 1
        ORDER BY CASE WHEN department_id = $3 THEN 0 ELSE 1 END, code LIMIT 1";
    QUEUE_OF_DEPARTMENT = "SELECT * FROM queue WHERE hospital_id = $1 AND department_id = $2 AND doctor_id IS NULL AND kind = 'clinic' AND active = 1
        ORDER BY code LIMIT 1";
    AREA_OF_DEPARTMENT = "SELECT area_id FROM queue WHERE hospital_id = $1 AND department_id = $2 AND area_id IS NOT NULL AND active = 1
        ORDER BY code LIMIT 1";
    PAIRS = "SELECT queue_id, room_id FROM queue_at_room WHERE hospital_id = $1";
    ADD_AREA = "INSERT INTO queue_area (hospital_id, id, code, campus_id, name_zh, name_en, way_zh, way_en, latitude_e6, longitude_e6, radius_m)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING";
    SET_AREA = "UPDATE queue_area SET code = $4, campus_id = $5, name_zh = $6, name_en = $7, way_zh = $8, way_en = $9, latitude_e6 = $10,
        longitude_e6 = $11, radius_m = $12, version = version + 1 WHERE hospital_id = $1 AND id = $2 AND version = $3";
    NEW_EPOCH = "UPDATE queue_area SET epoch = epoch + 1, version = version + 1 WHERE hospital_id = $1 AND id = $2";
    ADD_ROOM = "INSERT INTO queue_room (hospital_id, id, area_id, code, name_zh, name_en) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    SET_ROOM = "UPDATE queue_room SET area_id = $4, code = $5, name_zh = $6, name_en = $7, version = version + 1
        WHERE hospital_id = $1 AND id = $2 AND version = $3";
    ADD_QUEUE = "INSERT INTO queue (hospital_id, id, code, kind, name_zh, name_en, prefix, area_id, department_id, doctor_id, policy, service_seconds, state, active)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING";
    SET_QUEUE = "UPDATE queue SET code = $4, kind = $5, name_zh = $6, name_en = $7, prefix = $8, area_id = $9, department_id = $10, doctor_id = $11,
        policy = $12, service_seconds = $13, active = $14, version = version + 1 WHERE hospital_id = $1 AND id = $2 AND version = $3";
    SET_STATE = "UPDATE queue SET state = $3, paused_until = $4, note_zh = $5, note_en = $6, version = version + 1 WHERE hospital_id = $1 AND id = $2";
    UNPAIR = "DELETE FROM queue_at_room WHERE hospital_id = $1 AND queue_id = $2";
    PAIR = "INSERT INTO queue_at_room (hospital_id, queue_id, room_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
}

pub(crate) async fn areas(db: &Db, h: HospitalId) -> Result<Vec<Area>> {
    db.all(AREAS, args![h]).await
}

pub(crate) async fn area(db: &Db, h: HospitalId, id: AreaId) -> Result<Option<Area>> {
    db.opt(AREA, args![h, id]).await
}

pub(crate) async fn area_in(tx: &mut Tx, h: HospitalId, id: AreaId) -> Result<Option<Area>> {
    tx.opt(AREA, args![h, id]).await
}

pub(crate) async fn rooms(db: &Db, h: HospitalId) -> Result<Vec<Room>> {
    db.all(ROOMS, args![h]).await
}

pub(crate) async fn room_in(tx: &mut Tx, h: HospitalId, id: RoomId) -> Result<Option<Room>> {
    tx.opt(ROOM, args![h, id]).await
}

pub(crate) async fn queues(db: &Db, h: HospitalId) -> Result<Vec<Queue>> {
    db.all(QUEUES, args![h]).await
}

pub(crate) async fn queue_in(tx: &mut Tx, h: HospitalId, id: QueueId) -> Result<Option<Queue>> {
    tx.opt(QUEUE, args![h, id]).await
}

/// The line of a doctor, that in this department first.
pub(crate) async fn queue_of_doctor(
    tx: &mut Tx,
    h: HospitalId,
    doctor: DoctorId,
    department: DepartmentId,
) -> Result<Option<Queue>> {
    tx.opt(QUEUE_OF_DOCTOR, args![h, doctor, department]).await
}

/// The line that a department's doctors share.
pub(crate) async fn queue_of_department(
    tx: &mut Tx,
    h: HospitalId,
    department: DepartmentId,
) -> Result<Option<Queue>> {
    tx.opt(QUEUE_OF_DEPARTMENT, args![h, department]).await
}

/// Where a department's people wait, as far as one of its lines says so.
pub(crate) async fn area_of_department(
    tx: &mut Tx,
    h: HospitalId,
    department: DepartmentId,
) -> Result<Option<AreaId>> {
    let row: Option<Row> = tx.opt(AREA_OF_DEPARTMENT, args![h, department]).await?;
    row.map(|row| row.get("area_id")).transpose().map(Option::flatten)
}

/// Which line is served in which rooms.
pub(crate) async fn pairs(db: &Db, h: HospitalId) -> Result<Vec<(QueueId, RoomId)>> {
    let rows: Vec<Row> = db.all(PAIRS, args![h]).await?;
    rows.iter().map(|row| Ok((row.get("queue_id")?, row.get("room_id")?))).collect()
}

/// Adds an area; false when the code is taken.
pub(crate) async fn add_area(tx: &mut Tx, h: HospitalId, area: &Area) -> Result<bool> {
    let (latitude, longitude, radius) = parts(area);
    let (name, way) = (&area.name, &area.way);
    let args = args![
        h,
        area.id,
        &area.code,
        area.campus,
        &name.zh,
        &name.en,
        &way.zh,
        &way.en,
        latitude,
        longitude,
        radius
    ];
    Ok(tx.exec(ADD_AREA, args).await? == 1)
}

/// Changes an area that still has this version.
pub(crate) async fn set_area(tx: &mut Tx, h: HospitalId, area: &Area, version: i64) -> Result<bool> {
    let (latitude, longitude, radius) = parts(area);
    let (name, way) = (&area.name, &area.way);
    let args = args![
        h,
        area.id,
        version,
        &area.code,
        area.campus,
        &name.zh,
        &name.en,
        &way.zh,
        &way.en,
        latitude,
        longitude,
        radius
    ];
    Ok(tx.exec(SET_AREA, args).await? == 1)
}

fn parts(area: &Area) -> (Option<i64>, Option<i64>, Option<i64>) {
    (area.circle.map(|c| c.0), area.circle.map(|c| c.1), area.circle.map(|c| c.2))
}

/// Makes all codes of an area void that were handed out so far.
pub(crate) async fn new_epoch(tx: &mut Tx, h: HospitalId, area: AreaId) -> Result<bool> {
    Ok(tx.exec(NEW_EPOCH, args![h, area]).await? == 1)
}

/// Adds a room; false when the code is taken.
pub(crate) async fn add_room(tx: &mut Tx, h: HospitalId, room: &Room) -> Result<bool> {
    let args = args![h, room.id, room.area, &room.code, &room.name.zh, &room.name.en];
    Ok(tx.exec(ADD_ROOM, args).await? == 1)
}

/// Changes a room that still has this version.
pub(crate) async fn set_room(tx: &mut Tx, h: HospitalId, room: &Room, version: i64) -> Result<bool> {
    let args = args![h, room.id, version, room.area, &room.code, &room.name.zh, &room.name.en];
    Ok(tx.exec(SET_ROOM, args).await? == 1)
}

/// Adds a line; false when its code is taken or the doctor has one.
pub(crate) async fn add_queue(tx: &mut Tx, h: HospitalId, q: &Queue) -> Result<bool> {
    let args = args![
        h,
        q.id,
        &q.code,
        q.kind,
        &q.name.zh,
        &q.name.en,
        &q.prefix,
        q.area,
        q.department,
        q.doctor,
        q.policy,
        q.service_seconds,
        q.state,
        q.active
    ];
    Ok(tx.exec(ADD_QUEUE, args).await? == 1)
}

/// Changes a line that still has this version.
pub(crate) async fn set_queue(tx: &mut Tx, h: HospitalId, q: &Queue, version: i64) -> Result<bool> {
    let args = args![
        h,
        q.id,
        version,
        &q.code,
        q.kind,
        &q.name.zh,
        &q.name.en,
        &q.prefix,
        q.area,
        q.department,
        q.doctor,
        q.policy,
        q.service_seconds,
        q.active
    ];
    Ok(tx.exec(SET_QUEUE, args).await? == 1)
}

/// Opens, pauses or closes a line.
pub(crate) async fn set_state(tx: &mut Tx, h: HospitalId, q: &Queue) -> Result<()> {
    let note = |of: fn(&Text2) -> &String| q.note.as_ref().map(|n| of(n).clone());
    let args = args![h, q.id, q.state, q.paused_until, note(|n| &n.zh), note(|n| &n.en)];
    tx.exec(SET_STATE, args).await.map(drop)
}

/// Says in which rooms a line is served.
pub(crate) async fn set_rooms(tx: &mut Tx, h: HospitalId, queue: QueueId, rooms: &[RoomId]) -> Result<()> {
    tx.exec(UNPAIR, args![h, queue]).await?;
    for room in rooms {
        tx.exec(PAIR, args![h, queue, *room]).await?;
    }
    Ok(())
}
