//! The SQL of the waitlist.

use base::{HospitalId, UnixMs};
use edge::AccountId;
use people::PersonId;
use store::value::{One, Row};
use store::{Db, Result, Tx, args};

use super::model::{Entry, EntryId, EntryState, Freed, FreedId};
use crate::model::AppointmentId;

store::statements! {
    FREE = "INSERT INTO freed_place (hospital_id, id, slot_id, clinic_id, channel, freed_at, offer_at, public_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    DUE = "SELECT id, slot_id, clinic_id, channel, freed_at, offer_at, public_at FROM freed_place
           WHERE hospital_id = $1 AND offer_at <= $2 ORDER BY offer_at LIMIT $3";
    FREED = "SELECT id, slot_id, clinic_id, channel, freed_at, offer_at, public_at FROM freed_place WHERE hospital_id = $1 AND id = $2";
    TAKE_FREED = "DELETE FROM freed_place WHERE hospital_id = $1 AND id = $2";
    LATER = "UPDATE freed_place SET offer_at = $3 WHERE hospital_id = $1 AND id = $2";
    FREED_OF_DATE = "SELECT f.id, f.slot_id, f.clinic_id, f.channel, f.freed_at, f.offer_at, f.public_at FROM freed_place f
           WHERE f.hospital_id = $1 ORDER BY f.offer_at LIMIT 200";
    ADD = "INSERT INTO waitlist (hospital_id, id, account_id, person_id, target, clinic_id, doctor_id, department_id, date, state, joined_at, closes_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'waiting', $10, $11) ON CONFLICT DO NOTHING";
    GET = "SELECT * FROM waitlist WHERE hospital_id = $1 AND id = $2";
    LIVE_OF_PERSON = "SELECT * FROM waitlist WHERE hospital_id = $1 AND person_id = $2 AND state IN ('waiting', 'offered')";
    OF_ACCOUNT = "SELECT * FROM waitlist WHERE hospital_id = $1 AND account_id = $2 AND (state IN ('waiting', 'offered') OR ended_at >= $3)
           ORDER BY joined_at DESC, id DESC LIMIT 50";
    WAITING = sqlite "SELECT * FROM waitlist WHERE hospital_id = $1 AND target IN (SELECT value FROM json_each($2)) AND state = 'waiting' AND closes_at > $3
           ORDER BY joined_at, id LIMIT $4"
        postgres "SELECT * FROM waitlist WHERE hospital_id = $1 AND target = ANY($2) AND state = 'waiting' AND closes_at > $3
           ORDER BY joined_at, id LIMIT $4";
    BEFORE = "SELECT CAST(COUNT(*) AS BIGINT) FROM waitlist WHERE hospital_id = $1 AND target = $2 AND state = 'waiting'
           AND (joined_at < $3 OR (joined_at = $3 AND id < $4))";
    TARGETS = "SELECT DISTINCT clinic_id, doctor_id, department_id, date FROM waitlist
           WHERE hospital_id = $1 AND state = 'waiting' AND closes_at > $2 LIMIT 500";
    OFFERED = "UPDATE waitlist SET state = 'offered', appointment_id = $3, offered_at = $4 WHERE hospital_id = $1 AND id = $2 AND state = 'waiting'";
    END = "UPDATE waitlist SET state = $3, ended_at = $4 WHERE hospital_id = $1 AND id = $2 AND state IN ('waiting', 'offered')";
    END_OF_OFFER = "UPDATE waitlist SET state = $3, ended_at = $4 WHERE hospital_id = $1 AND appointment_id = $2 AND state = 'offered'";
    TO_CLOSE = "SELECT * FROM waitlist WHERE hospital_id = $1 AND state = 'waiting' AND closes_at <= $2 ORDER BY closes_at LIMIT $3";
    OF_DATES = "SELECT * FROM waitlist WHERE hospital_id = $1 AND date >= $2 AND date <= $3 ORDER BY date, target, joined_at, id LIMIT 1000";
}

/// Keeps a place back that somebody gave up.
pub(crate) async fn free(tx: &mut Tx, hospital: HospitalId, freed: &Freed) -> Result<()> {
    let Freed { id, slot, clinic, channel, freed_at, offer_at, public_at } = freed;
    let values = args![hospital, *id, *slot, *clinic, channel, *freed_at, *offer_at, *public_at];
    tx.exec(FREE, values).await.map(drop)
}

/// Places of which it is time to say who has them next.
pub(crate) async fn due(db: &Db, hospital: HospitalId, now: UnixMs, limit: i64) -> Result<Vec<Freed>> {
    db.all(DUE, args![hospital, now, limit]).await
}

/// A place, while it is kept back.
pub(crate) async fn freed(db: &Db, hospital: HospitalId, id: FreedId) -> Result<Option<Freed>> {
    db.opt(FREED, args![hospital, id]).await
}

/// Places that are kept back now, the next first.
pub(crate) async fn kept_back(db: &Db, hospital: HospitalId) -> Result<Vec<Freed>> {
    db.all(FREED_OF_DATE, args![hospital]).await
}

/// Takes a place out of those that are kept back; false when somebody else was faster.
pub(crate) async fn take_freed(tx: &mut Tx, hospital: HospitalId, id: FreedId) -> Result<bool> {
    Ok(tx.exec(TAKE_FREED, args![hospital, id]).await? == 1)
}

/// Looks at a place again at another time.
pub(crate) async fn later(tx: &mut Tx, hospital: HospitalId, id: FreedId, at: UnixMs) -> Result<()> {
    tx.exec(LATER, args![hospital, id, at]).await.map(drop)
}

/// Adds an entry; false when the person waits for the same already.
pub(crate) async fn add(tx: &mut Tx, hospital: HospitalId, e: &Entry) -> Result<bool> {
    let values = args![
        hospital,
        e.id,
        e.account,
        e.person,
        &e.target,
        e.clinic,
        e.doctor,
        e.department,
        e.date,
        e.joined_at,
        e.closes_at
    ];
    Ok(tx.exec(ADD, values).await? == 1)
}

/// An entry, whoever it belongs to: the caller checks that.
pub(crate) async fn get(tx: &mut Tx, hospital: HospitalId, id: EntryId) -> Result<Option<Entry>> {
    tx.opt(GET, args![hospital, id]).await
}

/// What a person waits for.
pub(crate) async fn live_of_person(
    tx: &mut Tx,
    hospital: HospitalId,
    person: PersonId,
) -> Result<Vec<Entry>> {
    tx.all(LIVE_OF_PERSON, args![hospital, person]).await
}

/// What an account waits for, and what came of what ended since.
pub(crate) async fn of_account(
    db: &Db,
    hospital: HospitalId,
    account: AccountId,
    since: UnixMs,
) -> Result<Vec<Entry>> {
    db.all(OF_ACCOUNT, args![hospital, account, since]).await
}

/// Who waits for one of these, longest first.
pub(crate) async fn waiting(
    tx: &mut Tx,
    hospital: HospitalId,
    targets: &[String],
    now: UnixMs,
    limit: i64,
) -> Result<Vec<Entry>> {
    let targets: Vec<Option<String>> = targets.iter().cloned().map(Some).collect();
    tx.all(WAITING, args![hospital, targets, now, limit]).await
}

/// How many wait for the same and came before.
pub(crate) async fn before(db: &Db, hospital: HospitalId, entry: &Entry) -> Result<i64> {
    let values = args![hospital, &entry.target, entry.joined_at, entry.id];
    Ok(db.one::<One<i64>>(BEFORE, values).await?.0)
}

/// What is waited for: clinic, doctor, department, date.
pub(crate) async fn targets(db: &Db, hospital: HospitalId, now: UnixMs) -> Result<Vec<Row>> {
    db.all(TARGETS, args![hospital, now]).await
}

/// A place is kept for who waits; false when they wait no longer.
pub(crate) async fn offered(
    tx: &mut Tx,
    hospital: HospitalId,
    id: EntryId,
    appointment: AppointmentId,
) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(OFFERED, args![hospital, id, appointment, now]).await? == 1)
}

/// Ends an entry; false when it was over.
pub(crate) async fn end(tx: &mut Tx, hospital: HospitalId, id: EntryId, state: EntryState) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(END, args![hospital, id, state, now]).await? == 1)
}

/// Ends the entry that was offered this place; false when there is none.
pub(crate) async fn end_of_offer(
    tx: &mut Tx,
    hospital: HospitalId,
    appointment: AppointmentId,
    state: EntryState,
) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(END_OF_OFFER, args![hospital, appointment, state, now]).await? == 1)
}

/// Entries whose list is closed.
pub(crate) async fn to_close(tx: &mut Tx, hospital: HospitalId, limit: i64) -> Result<Vec<Entry>> {
    let now = tx.now();
    tx.all(TO_CLOSE, args![hospital, now, limit]).await
}

/// All entries for these days, in their order.
pub(crate) async fn of_dates(
    db: &Db,
    hospital: HospitalId,
    from: base::Date,
    until: base::Date,
) -> Result<Vec<Entry>> {
    db.all(OF_DATES, args![hospital, from, until]).await
}
