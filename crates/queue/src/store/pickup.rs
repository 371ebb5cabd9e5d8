//! Things to be picked up.

use base::{HospitalId, UnixMs};
use people::PersonId;
use store::{Db, Result, Tx, args};

use crate::model::{PickUp, PickUpId, PickUpKind, PickUpState};

store::statements! {
    ADD = "INSERT INTO pick_up (hospital_id, id, kind, ref, area_id, person_id, account_id, name_masked, label, code, state, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'expected', $11) ON CONFLICT DO NOTHING";
    GET = "SELECT * FROM pick_up WHERE hospital_id = $1 AND id = $2";
    BY_REF = sqlite "SELECT * FROM pick_up WHERE hospital_id = $1 AND kind = $2 AND ref = $3"
        postgres "SELECT * FROM pick_up WHERE hospital_id = $1 AND kind = $2 AND ref = $3 FOR NO KEY UPDATE";
    BY_CODE = "SELECT * FROM pick_up WHERE hospital_id = $1 AND code = $2 ORDER BY created_at DESC LIMIT 1";
    READY = "UPDATE pick_up SET state = 'ready', ready_at = $3, ready_by = $4, remind_at = $5 WHERE hospital_id = $1 AND id = $2 AND state = 'expected'";
    END = "UPDATE pick_up SET state = $3, ended_at = $4, ended_by = $5, remind_at = NULL WHERE hospital_id = $1 AND id = $2 AND state = 'ready'";
    REMINDED = "UPDATE pick_up SET reminded = reminded + 1, remind_at = $4 WHERE hospital_id = $1 AND id = $2 AND reminded = $3 AND state = 'ready'";
    TO_REMIND = "SELECT * FROM pick_up WHERE hospital_id = $1 AND state = 'ready' AND remind_at IS NOT NULL AND remind_at <= $2 ORDER BY remind_at LIMIT 100";
    IN_STATE = "SELECT * FROM pick_up WHERE hospital_id = $1 AND state = $2 AND (CAST($3 AS TEXT) = '' OR kind = $3) ORDER BY ready_at, created_at LIMIT 500";
    READY_AT = "SELECT * FROM pick_up WHERE hospital_id = $1 AND state = 'ready' AND area_id = $2 ORDER BY ready_at DESC LIMIT 20";
    OF_PERSON = "SELECT * FROM pick_up WHERE hospital_id = $1 AND person_id = $2 AND (state IN ('expected', 'ready') OR ended_at > $3) ORDER BY created_at DESC LIMIT 50";
}

/// Adds one; false when its number is known, or its code is taken by another.
pub(crate) async fn add(tx: &mut Tx, h: HospitalId, p: &PickUp) -> Result<bool> {
    let now = tx.now();
    let args = args![
        h,
        p.id,
        p.kind,
        &p.reference,
        p.area,
        p.person,
        p.account,
        &p.name_masked,
        &p.label,
        &p.code,
        now
    ];
    Ok(tx.exec(ADD, args).await? == 1)
}

pub(crate) async fn read(db: &Db, h: HospitalId, id: PickUpId) -> Result<Option<PickUp>> {
    db.opt(GET, args![h, id]).await
}

/// The one with this number, locked.
pub(crate) async fn by_reference(
    tx: &mut Tx,
    h: HospitalId,
    kind: PickUpKind,
    reference: &str,
) -> Result<Option<PickUp>> {
    tx.opt(BY_REF, args![h, kind, reference]).await
}

/// The last one with this code.
pub(crate) async fn by_code(tx: &mut Tx, h: HospitalId, code: &str) -> Result<Option<PickUp>> {
    tx.opt(BY_CODE, args![h, code]).await
}

/// Marks one as ready; false when it was.
pub(crate) async fn ready(
    tx: &mut Tx,
    h: HospitalId,
    id: PickUpId,
    by: &str,
    remind_at: Option<UnixMs>,
) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(READY, args![h, id, now, by, remind_at]).await? == 1)
}

/// Marks one as collected or put back; false when it is not ready.
pub(crate) async fn end(
    tx: &mut Tx,
    h: HospitalId,
    id: PickUpId,
    state: PickUpState,
    by: &str,
) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(END, args![h, id, state, now, by]).await? == 1)
}

/// Notes a reminder and when the next is due; false when another node was faster.
pub(crate) async fn reminded(tx: &mut Tx, h: HospitalId, p: &PickUp, next: Option<UnixMs>) -> Result<bool> {
    Ok(tx.exec(REMINDED, args![h, p.id, p.reminded, next]).await? == 1)
}

pub(crate) async fn to_remind(db: &Db, h: HospitalId, now: UnixMs) -> Result<Vec<PickUp>> {
    db.all(TO_REMIND, args![h, now]).await
}

/// All in a state, the longest ready first.
pub(crate) async fn in_state(
    db: &Db,
    h: HospitalId,
    state: PickUpState,
    kind: Option<PickUpKind>,
) -> Result<Vec<PickUp>> {
    db.all(IN_STATE, args![h, state, kind.map_or("", PickUpKind::code)]).await
}

/// What is ready in an area, the newest first.
pub(crate) async fn ready_at(db: &Db, h: HospitalId, area: crate::model::AreaId) -> Result<Vec<PickUp>> {
    db.all(READY_AT, args![h, area]).await
}

/// A person's, open ones and those ended since `since`.
pub(crate) async fn of_person(
    db: &Db,
    h: HospitalId,
    person: PersonId,
    since: UnixMs,
) -> Result<Vec<PickUp>> {
    db.all(OF_PERSON, args![h, person, since]).await
}
