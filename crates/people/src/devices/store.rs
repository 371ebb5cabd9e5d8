//! The SQL of devices and of those that are about to become some.

use std::time::Duration;

use ::store::value::{FromRow, Row};
use ::store::{Db, Result, Tx, args};
use base::{HospitalId, UnixMs};
use edge::DeviceId;

use super::model::{DeviceRecord, Show};

/// How long a code may be typed.
pub(crate) const LIFE: Duration = Duration::from_secs(15 * 60);
/// How often it is written down that a device was heard of.
pub(crate) const SEEN_EVERY: Duration = Duration::from_secs(60);

::store::statements! {
    ADD = "INSERT INTO device (hospital_id, id, kind, name, view, view_of, added_at, seen_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7)";
    GET = "SELECT id, kind, name, view, view_of, added_at, seen_at FROM device WHERE hospital_id = $1 AND id = $2";
    LIST = "SELECT id, kind, name, view, view_of, added_at, seen_at FROM device WHERE hospital_id = $1 ORDER BY name, id LIMIT 1000";
    CHANGE = "UPDATE device SET name = $3, view = $4, view_of = $5 WHERE hospital_id = $1 AND id = $2";
    SEEN = "UPDATE device SET seen_at = $3 WHERE hospital_id = $1 AND id = $2 AND seen_at <= $4";
    REMOVE = "DELETE FROM device WHERE hospital_id = $1 AND id = $2";
    ASK = "INSERT INTO device_pairing (hospital_id, id, code_hash, secret_hash, expires_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    PAIRING = "SELECT secret_hash, device_id FROM device_pairing WHERE hospital_id = $1 AND id = $2 AND expires_at > $3";
    BY_CODE = "SELECT secret_hash, device_id FROM device_pairing WHERE hospital_id = $1 AND code_hash = $2 AND expires_at > $3";
    LET_IN = "UPDATE device_pairing SET device_id = $3 WHERE hospital_id = $1 AND code_hash = $2 AND device_id IS NULL AND expires_at > $4";
    DROP_PAIRING = "DELETE FROM device_pairing WHERE hospital_id = $1 AND device_id = $2";
    FORGET = "DELETE FROM device_pairing WHERE expires_at < $1";
}

/// A device on its way in.
pub(crate) struct Pairing {
    pub(crate) secret_hash: String,
    /// What it has become, once somebody has typed its code.
    pub(crate) device: Option<DeviceId>,
}

impl FromRow for Pairing {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self { secret_hash: row.get("secret_hash")?, device: row.get("device_id")? })
    }
}

/// False when another pairing shows the same code.
pub(crate) async fn ask(
    tx: &mut Tx,
    h: HospitalId,
    id: &str,
    code_hash: &str,
    secret_hash: &str,
) -> Result<bool> {
    let ends = tx.now().plus(LIFE);
    Ok(tx.exec(ASK, args![h, id, code_hash, secret_hash, ends]).await? == 1)
}

pub(crate) async fn pairing(tx: &mut Tx, h: HospitalId, id: &str) -> Result<Option<Pairing>> {
    let now = tx.now();
    tx.opt(PAIRING, args![h, id, now]).await
}

pub(crate) async fn by_code(tx: &mut Tx, h: HospitalId, code_hash: &str) -> Result<Option<Pairing>> {
    let now = tx.now();
    tx.opt(BY_CODE, args![h, code_hash, now]).await
}

/// False when the code was typed before, or is over.
pub(crate) async fn let_in(tx: &mut Tx, h: HospitalId, code_hash: &str, device: DeviceId) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(LET_IN, args![h, code_hash, device, now]).await? == 1)
}

pub(crate) async fn add(tx: &mut Tx, h: HospitalId, id: DeviceId, name: &str, show: &Show) -> Result<()> {
    let now = tx.now();
    tx.exec(ADD, args![h, id, show.kind(), name, show.view, &show.of, now]).await.map(drop)
}

pub(crate) async fn get(db: &Db, h: HospitalId, id: DeviceId) -> Result<Option<DeviceRecord>> {
    db.opt(GET, args![h, id]).await
}

pub(crate) async fn get_in(tx: &mut Tx, h: HospitalId, id: DeviceId) -> Result<Option<DeviceRecord>> {
    tx.opt(GET, args![h, id]).await
}

pub(crate) async fn list(db: &Db, h: HospitalId) -> Result<Vec<DeviceRecord>> {
    db.all(LIST, args![h]).await
}

pub(crate) async fn change(tx: &mut Tx, h: HospitalId, id: DeviceId, name: &str, show: &Show) -> Result<()> {
    tx.exec(CHANGE, args![h, id, name, show.view, &show.of]).await.map(drop)
}

/// Notes that a device was heard of, if that is a minute ago.
pub(crate) async fn seen(db: &Db, h: HospitalId, id: DeviceId) -> Result<()> {
    let mut tx = db.begin().await?;
    let now = tx.now();
    tx.exec(SEEN, args![h, id, now, now.minus(SEEN_EVERY)]).await?;
    tx.commit().await
}

/// False when it was not there.
pub(crate) async fn remove(tx: &mut Tx, h: HospitalId, id: DeviceId) -> Result<bool> {
    tx.exec(DROP_PAIRING, args![h, id]).await?;
    Ok(tx.exec(REMOVE, args![h, id]).await? == 1)
}

pub(crate) async fn forget(db: &Db, before: UnixMs) -> Result<bool> {
    let mut tx = db.begin().await?;
    let n = tx.exec(FORGET, args![before]).await?;
    tx.commit().await?;
    Ok(n > 0)
}
