//! What staff do about devices: let one in, say what it shows, remove it.

use edge::{Actor, Caller, DeviceId};
use serde_json::json;

use super::model::{DeviceRecord, Show, device_name};
use super::pairing::code_hash;
use super::{DeviceDeps, DeviceRefusal, store};

/// Lets in the device that shows `code`. Doing it twice lets it in once, under the name of the first time.
///
/// # Errors
/// [`DeviceRefusal::CodeUnknown`], [`DeviceRefusal::Name`].
pub async fn let_in(
    deps: &DeviceDeps,
    caller: &Caller,
    code: &str,
    name: &str,
    show: &Show,
) -> Result<DeviceRecord, DeviceRefusal> {
    let h = caller.hospital.id;
    let name = device_name(name).ok_or(DeviceRefusal::Name)?;
    let hash = code_hash(deps, h, code);
    let mut tx = deps.people.db.begin().await?;
    let pairing = store::by_code(&mut tx, h, &hash).await?.ok_or(DeviceRefusal::CodeUnknown)?;
    if let Some(known) = pairing.device {
        return store::get_in(&mut tx, h, known).await?.ok_or(DeviceRefusal::CodeUnknown);
    }
    let id = DeviceId::new();
    store::add(&mut tx, h, id, &name, show).await?;
    if !store::let_in(&mut tx, h, &hash, id).await? {
        // Somebody else typed it at the same moment; theirs holds, and ours is dropped with the transaction.
        return Err(DeviceRefusal::CodeUnknown);
    }
    tx.audit(caller.audit("device.add", id, json!({"name": name, "view": show.view, "of": show.of}))).await?;
    let device = store::get_in(&mut tx, h, id).await?.ok_or(DeviceRefusal::NotFound)?;
    tx.commit().await?;
    Ok(device)
}

/// All devices, by name.
///
/// # Errors
/// Any of the database's.
pub async fn list(deps: &DeviceDeps, caller: &Caller) -> Result<Vec<DeviceRecord>, DeviceRefusal> {
    Ok(store::list(&deps.people.db, caller.hospital.id).await?)
}

/// Renames a device or shows something else on it; what is `None` stays. The device follows by itself.
///
/// # Errors
/// [`DeviceRefusal::NotFound`], [`DeviceRefusal::Name`], [`DeviceRefusal::KindFixed`].
pub async fn change(
    deps: &DeviceDeps,
    caller: &Caller,
    id: DeviceId,
    name: Option<&str>,
    show: Option<Show>,
) -> Result<DeviceRecord, DeviceRefusal> {
    let h = caller.hospital.id;
    let mut tx = deps.people.db.begin().await?;
    let mut device = store::get_in(&mut tx, h, id).await?.ok_or(DeviceRefusal::NotFound)?;
    if let Some(name) = name {
        device.name = device_name(name).ok_or(DeviceRefusal::Name)?;
    }
    if let Some(show) = show {
        if show.kind() != device.kind {
            return Err(DeviceRefusal::KindFixed);
        }
        device.show = show;
    }
    store::change(&mut tx, h, id, &device.name, &device.show).await?;
    let detail = json!({"name": device.name, "view": device.show.view, "of": device.show.of});
    tx.audit(caller.audit("device.change", id, detail)).await?;
    tx.commit().await?;
    Ok(device)
}

/// Removes a device; it is signed out and asks to be let in again.
///
/// # Errors
/// [`DeviceRefusal::NotFound`].
pub async fn remove(deps: &DeviceDeps, caller: &Caller, id: DeviceId) -> Result<(), DeviceRefusal> {
    let h = caller.hospital.id;
    let mut tx = deps.people.db.begin().await?;
    let device = store::get_in(&mut tx, h, id).await?.ok_or(DeviceRefusal::NotFound)?;
    deps.people.sessions.end_all_in(&mut tx, h, &Actor::Device(id, device.kind)).await?;
    store::remove(&mut tx, h, id).await?;
    tx.audit(caller.audit("device.remove", id, json!({"name": device.name}))).await?;
    tx.commit().await?;
    Ok(())
}
