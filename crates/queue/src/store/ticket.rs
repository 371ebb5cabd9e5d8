//! Tickets and their steps.

use base::{Date, HospitalId, UnixMs};
use booking::AppointmentId;
use people::PersonId;
use store::{Db, Result, Tx, args};

use crate::model::{OrderId, QueueId, RoomId, Step, StepId, Ticket, TicketId};

store::statements! {
    ADD = "INSERT INTO ticket (hospital_id, id, queue_id, date, number, label, appointment_id, clinic_id, order_id, person_id, account_id,
            name_masked, class, class_reason, origin, arrival, state, segment_at, line_at, checked_in_at, told, settled)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22) ON CONFLICT DO NOTHING";
    GET = "SELECT * FROM ticket WHERE hospital_id = $1 AND id = $2";
    OF_APPOINTMENT = "SELECT * FROM ticket WHERE hospital_id = $1 AND appointment_id = $2";
    OF_ORDER = "SELECT * FROM ticket WHERE hospital_id = $1 AND order_id = $2";
    OF_PERSON_HERE = "SELECT * FROM ticket WHERE hospital_id = $1 AND queue_id = $2 AND date = $3 AND person_id = $4 AND appointment_id IS NULL
        AND order_id IS NULL AND state IN ('waiting', 'called', 'serving', 'away')";
    OF_PERSON_ON = "SELECT * FROM ticket WHERE hospital_id = $1 AND person_id = $2 AND date = $3 ORDER BY checked_in_at DESC, id DESC LIMIT 20";
    OPEN = "SELECT * FROM ticket WHERE hospital_id = $1 AND queue_id = $2 AND date = $3 AND state IN ('waiting', 'called', 'serving', 'away')
        ORDER BY number";
    IN_ROOM = "SELECT * FROM ticket WHERE hospital_id = $1 AND room_id = $2 AND state IN ('called', 'serving')";
    LAST_DONE = "SELECT * FROM ticket WHERE hospital_id = $1 AND queue_id = $2 AND date = $3 AND state = 'done' AND called_at IS NOT NULL
        ORDER BY ended_at DESC LIMIT 25";
    TALLY = "SELECT CAST(COALESCE(SUM(CASE WHEN state = 'done' THEN 1 ELSE 0 END), 0) AS BIGINT) AS done, CAST(COALESCE(SUM(misses), 0) AS BIGINT) AS passed
        FROM ticket WHERE hospital_id = $1 AND queue_id = $2 AND date = $3";
    WRITE = "UPDATE ticket SET queue_id = $4, number = $5, label = $6, class = $7, class_reason = $8, state = $9, misses = $10, due_turn = $11,
            returned_at = $12, room_id = $13, called_by = $14, called_at = $15, times = $16, began_at = $17, ended_at = $18, told = $19,
            version = version + 1
        WHERE hospital_id = $1 AND id = $2 AND version = $3";
    TOLD = "UPDATE ticket SET told = $3 WHERE hospital_id = $1 AND id = $2";
    FORETOLD = "UPDATE ticket SET low_at = $3, high_at = $4, earliest_at = $5 WHERE hospital_id = $1 AND id = $2";
    SETTLE = "UPDATE ticket SET settled = 1, person_id = $3, account_id = $4, name_masked = $5, version = version + 1 WHERE hospital_id = $1 AND id = $2";
    STEP = "INSERT INTO ticket_step (hospital_id, id, ticket_id, step, at, actor, room_id) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    FORGOTTEN = "SELECT * FROM ticket WHERE hospital_id = $1 AND state IN ('called', 'serving') AND called_at < $2 ORDER BY called_at LIMIT 100";
    YESTERDAYS = "SELECT * FROM ticket WHERE hospital_id = $1 AND date >= $2 AND date < $3 AND state IN ('waiting', 'away') ORDER BY id LIMIT 200";
}

/// Adds a ticket; false when one of its unique places is taken: the appointment, the order or the person has a number.
pub(crate) async fn add(tx: &mut Tx, h: HospitalId, t: &Ticket) -> Result<bool> {
    let args = args![
        h,
        t.id,
        t.queue,
        t.date,
        t.number,
        &t.label,
        t.appointment,
        t.clinic,
        t.order,
        t.person,
        t.account,
        &t.name_masked,
        t.class,
        t.class_reason.clone(),
        t.origin,
        t.arrival,
        t.state,
        t.segment_at,
        t.line_at,
        t.checked_in_at,
        t.told,
        t.settled
    ];
    Ok(tx.exec(ADD, args).await? == 1)
}

pub(crate) async fn get(tx: &mut Tx, h: HospitalId, id: TicketId) -> Result<Option<Ticket>> {
    tx.opt(GET, args![h, id]).await
}

pub(crate) async fn read(db: &Db, h: HospitalId, id: TicketId) -> Result<Option<Ticket>> {
    db.opt(GET, args![h, id]).await
}

pub(crate) async fn of_appointment(tx: &mut Tx, h: HospitalId, id: AppointmentId) -> Result<Option<Ticket>> {
    tx.opt(OF_APPOINTMENT, args![h, id]).await
}

pub(crate) async fn of_order(tx: &mut Tx, h: HospitalId, id: OrderId) -> Result<Option<Ticket>> {
    tx.opt(OF_ORDER, args![h, id]).await
}

/// The open number of somebody without appointment or order in a line.
pub(crate) async fn of_person_here(
    tx: &mut Tx,
    h: HospitalId,
    queue: QueueId,
    date: Date,
    person: PersonId,
) -> Result<Option<Ticket>> {
    tx.opt(OF_PERSON_HERE, args![h, queue, date, person]).await
}

/// A person's numbers of a day, the last first.
pub(crate) async fn of_person_on(
    db: &Db,
    h: HospitalId,
    person: PersonId,
    date: Date,
) -> Result<Vec<Ticket>> {
    db.all(OF_PERSON_ON, args![h, person, date]).await
}

/// All of a line that is not over.
pub(crate) async fn open(tx: &mut Tx, h: HospitalId, queue: QueueId, date: Date) -> Result<Vec<Ticket>> {
    tx.all(OPEN, args![h, queue, date]).await
}

/// As [`open`], without a transaction.
pub(crate) async fn read_open(db: &Db, h: HospitalId, queue: QueueId, date: Date) -> Result<Vec<Ticket>> {
    db.all(OPEN, args![h, queue, date]).await
}

/// Who is called or in a room.
pub(crate) async fn in_room(tx: &mut Tx, h: HospitalId, room: RoomId) -> Result<Option<Ticket>> {
    tx.opt(IN_ROOM, args![h, room]).await
}

/// The last services of a line today, the newest first.
pub(crate) async fn last_done(db: &Db, h: HospitalId, queue: QueueId, date: Date) -> Result<Vec<Ticket>> {
    db.all(LAST_DONE, args![h, queue, date]).await
}

/// How many of a line are done today, and how many calls were missed.
pub(crate) async fn tally(db: &Db, h: HospitalId, queue: QueueId, date: Date) -> Result<(u32, u32)> {
    let row: store::Row = db.one(TALLY, args![h, queue, date]).await?;
    Ok((row.get("done")?, row.get("passed")?))
}

/// Writes what calling changes, if nobody was faster: the ticket must still have the version that was read. Gives whether it did.
pub(crate) async fn write(tx: &mut Tx, h: HospitalId, t: &mut Ticket, called_by: &str) -> Result<bool> {
    let args = args![
        h,
        t.id,
        t.version,
        t.queue,
        t.number,
        &t.label,
        t.class,
        t.class_reason.clone(),
        t.state,
        t.misses,
        t.due_turn,
        t.returned_at,
        t.room,
        called_by,
        t.called_at,
        t.times,
        t.began_at,
        t.ended_at,
        t.told
    ];
    t.version += 1;
    Ok(tx.exec(WRITE, args).await? == 1)
}

/// Notes what somebody was told.
pub(crate) async fn told(tx: &mut Tx, h: HospitalId, id: TicketId, told: i64) -> Result<()> {
    tx.exec(TOLD, args![h, id, told]).await.map(drop)
}

/// Notes what was foretold when the number was taken: for the figures that show how good that was.
pub(crate) async fn foretold(
    tx: &mut Tx,
    h: HospitalId,
    id: TicketId,
    (low, high, earliest): (UnixMs, UnixMs, UnixMs),
) -> Result<()> {
    tx.exec(FORETOLD, args![h, id, low, high, earliest]).await.map(drop)
}

/// The order behind a ticket is confirmed: now it is known whose it is.
pub(crate) async fn settle(tx: &mut Tx, h: HospitalId, t: &Ticket) -> Result<()> {
    tx.exec(SETTLE, args![h, t.id, t.person, t.account, &t.name_masked]).await.map(drop)
}

/// Writes a step down.
pub(crate) async fn step(
    tx: &mut Tx,
    h: HospitalId,
    id: TicketId,
    step: Step,
    actor: &str,
    room: Option<RoomId>,
) -> Result<()> {
    let now = tx.now();
    tx.exec(STEP, args![h, StepId::new(), id, step, now, actor, room]).await.map(drop)
}

/// Those who were called before `before` and are still in a room, as far as anybody said.
pub(crate) async fn forgotten(db: &Db, h: HospitalId, before: UnixMs) -> Result<Vec<Ticket>> {
    db.all(FORGOTTEN, args![h, before]).await
}

/// Those who waited in `since..today` and were never called.
pub(crate) async fn of_days_before(db: &Db, h: HospitalId, since: Date, today: Date) -> Result<Vec<Ticket>> {
    db.all(YESTERDAYS, args![h, since, today]).await
}
