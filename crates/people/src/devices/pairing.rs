//! From the code on the screen to a session.

use std::time::Duration;

use ::store::events::Failure;
use ::store::{Db, StoreError, Sweep};
use async_trait::async_trait;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base::HospitalId;
use edge::session::{NewSession, random_token};
use edge::{Actor, Caller};

use super::model::DeviceRecord;
use super::{DeviceDeps, DeviceRefusal, store};
use crate::staff::codes;
use crate::store::{DEVICE_CODE, DEVICE_SECRET};

/// A device that was switched off over the summer is still ours; one that nobody has seen for so long is not.
const IDLE: Duration = Duration::from_secs(90 * 86_400);
const LONGEST: Duration = Duration::from_secs(3 * 365 * 86_400);
/// Of 31^8 codes a few hundred are in use: a second draw is as good as never needed.
const DRAWS: u32 = 4;

/// What a device is given when it asks to be let in.
#[derive(Debug, Clone)]
pub struct Asked {
    /// By this it asks whether it was let in …
    pub id: String,
    /// … and by this it proves that it is the one that asked.
    pub secret: String,
    /// What it shows, `ABCD-EFGH`.
    pub code: String,
}

/// A device that was let in.
#[derive(Debug)]
pub struct Paired {
    /// Which.
    pub device: DeviceRecord,
    /// For the cookie.
    pub token: String,
}

/// A device asks to be let in.
///
/// # Errors
/// [`DeviceRefusal::TooMany`].
pub async fn ask(deps: &DeviceDeps, caller: &Caller) -> Result<Asked, DeviceRefusal> {
    let (people, h) = (&deps.people, caller.hospital.id);
    deps.limiter.take(&format!("{h}|{}", caller.source), people.db.now()).map_err(DeviceRefusal::TooMany)?;
    for _ in 0..DRAWS {
        let asked = Asked {
            id: base::id::Uuid::now_v7().simple().to_string(),
            secret: random_token()?,
            code: codes::pairing()?,
        };
        let code_hash = code_hash(deps, h, &asked.code);
        let mut tx = people.db.begin().await?;
        if store::ask(&mut tx, h, &asked.id, &code_hash, &secret_hash(deps, h, &asked.secret)).await? {
            tx.commit().await?;
            return Ok(asked);
        }
    }
    Err(StoreError::Config("no free pairing code".into()).into())
}

/// The device asks whether somebody has typed its code; `None` while nobody has. Asking again after the answer was lost gives a
/// new session and ends the one before.
///
/// # Errors
/// [`DeviceRefusal::PairingOver`], also when the secret is wrong.
pub async fn claim(
    deps: &DeviceDeps,
    caller: &Caller,
    id: &str,
    secret: &str,
) -> Result<Option<Paired>, DeviceRefusal> {
    let (people, h) = (&deps.people, caller.hospital.id);
    let mut tx = people.db.begin().await?;
    let pairing = store::pairing(&mut tx, h, id).await?.ok_or(DeviceRefusal::PairingOver)?;
    let hash = secret_hash(deps, h, secret);
    if verify_slices_are_equal(hash.as_bytes(), pairing.secret_hash.as_bytes()).is_err() {
        return Err(DeviceRefusal::PairingOver);
    }
    let Some(device) = pairing.device else { return Ok(None) };
    let device = store::get_in(&mut tx, h, device).await?.ok_or(DeviceRefusal::PairingOver)?;
    let actor = Actor::Device(device.id, device.kind);
    people.sessions.end_all_in(&mut tx, h, &actor).await?;
    let new = NewSession {
        hospital: h,
        actor,
        channel: "pairing",
        idle: IDLE,
        longest: LONGEST,
        device: caller.user_agent.to_string(),
    };
    let token = people.sessions.open_in(&mut tx, &new).await?;
    tx.audit(caller.audit("device.sign_in", device.id, serde_json::json!({"kind": device.kind}))).await?;
    tx.commit().await?;
    Ok(Some(Paired { device, token }))
}

/// The keyed hash of a code, however it was typed.
pub(super) fn code_hash(deps: &DeviceDeps, h: HospitalId, typed: &str) -> String {
    deps.people.vault.blind(h, DEVICE_CODE, &codes::normalise(typed))
}

fn secret_hash(deps: &DeviceDeps, h: HospitalId, secret: &str) -> String {
    deps.people.vault.blind(h, DEVICE_SECRET, secret)
}

/// Removes codes that ran out.
pub struct Forget;

#[async_trait]
impl Sweep for Forget {
    fn name(&self) -> &'static str {
        "devices.forget"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(600)
    }

    async fn run(&self, db: &Db) -> Result<bool, Failure> {
        store::forget(db, db.now()).await?;
        Ok(false)
    }
}
