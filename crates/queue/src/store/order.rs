//! Orders for what has a line.

use base::{HospitalId, UnixMs};
use people::PersonId;
use store::{Db, Result, Tx, args};

use crate::model::{Order, OrderId};

store::statements! {
    ADD = "INSERT INTO service_order (hospital_id, id, ref, kind, queue_id, person_id, title_zh, title_en, state, settled, valid_until, created_at, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'valid', $9, $10, $11, $11) ON CONFLICT DO NOTHING";
    GET = "SELECT * FROM service_order WHERE hospital_id = $1 AND id = $2";
    BY_REF = sqlite "SELECT * FROM service_order WHERE hospital_id = $1 AND ref = $2"
        postgres "SELECT * FROM service_order WHERE hospital_id = $1 AND ref = $2 FOR NO KEY UPDATE";
    OF_PERSON = "SELECT * FROM service_order WHERE hospital_id = $1 AND person_id = $2 AND state IN ('valid', 'used') AND valid_until > $3 ORDER BY created_at";
    CONFIRM = "UPDATE service_order SET kind = $3, queue_id = $4, person_id = $5, title_zh = $6, title_en = $7, valid_until = $8, settled = 1, changed_at = $9
        WHERE hospital_id = $1 AND id = $2";
    USE = "UPDATE service_order SET state = 'used', changed_at = $3 WHERE hospital_id = $1 AND id = $2 AND state = 'valid'";
    CANCEL = "UPDATE service_order SET state = 'cancelled', settled = 1, changed_at = $3 WHERE hospital_id = $1 AND id = $2 AND state <> 'cancelled'";
    UNSETTLED = "SELECT * FROM service_order WHERE hospital_id = $1 AND settled = 0 ORDER BY created_at LIMIT 200";
}

/// Adds an order; false when its reference is known.
pub(crate) async fn add(tx: &mut Tx, h: HospitalId, o: &Order) -> Result<bool> {
    let now = tx.now();
    let args = args![
        h,
        o.id,
        &o.reference,
        o.kind,
        o.queue,
        o.person,
        &o.title.zh,
        &o.title.en,
        o.settled,
        o.valid_until,
        now
    ];
    Ok(tx.exec(ADD, args).await? == 1)
}

pub(crate) async fn get(tx: &mut Tx, h: HospitalId, id: OrderId) -> Result<Option<Order>> {
    tx.opt(GET, args![h, id]).await
}

/// The order with this reference, locked.
pub(crate) async fn by_reference(tx: &mut Tx, h: HospitalId, reference: &str) -> Result<Option<Order>> {
    tx.opt(BY_REF, args![h, reference]).await
}

/// A person's orders that are good now, used ones among them.
pub(crate) async fn of_person(db: &Db, h: HospitalId, person: PersonId, now: UnixMs) -> Result<Vec<Order>> {
    db.all(OF_PERSON, args![h, person, now]).await
}

/// Takes over what the system that wrote it says.
pub(crate) async fn confirm(tx: &mut Tx, h: HospitalId, o: &Order) -> Result<()> {
    let now = tx.now();
    let args = args![h, o.id, o.kind, o.queue, o.person, &o.title.zh, &o.title.en, o.valid_until, now];
    tx.exec(CONFIRM, args).await.map(drop)
}

/// Uses an order up; false when it was, or is called off.
pub(crate) async fn used(tx: &mut Tx, h: HospitalId, id: OrderId) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(USE, args![h, id, now]).await? == 1)
}

/// Calls an order off; false when it was.
pub(crate) async fn cancel(tx: &mut Tx, h: HospitalId, id: OrderId) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(CANCEL, args![h, id, now]).await? == 1)
}

/// Orders that only their paper vouches for, the oldest first.
pub(crate) async fn unsettled(db: &Db, h: HospitalId) -> Result<Vec<Order>> {
    db.all(UNSETTLED, args![h]).await
}
