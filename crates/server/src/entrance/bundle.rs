//! A bundle: pushes of one account that came together in a storm.
//!
//! One by one, a push costs the database four trees and a seal of its own, most of it for looking up copies; that is fine for
//! the chat of a day and too dear for a storm, in which WeChat waits for each answer. So what comes together in numbers is
//! sealed and kept as one row, and answered. Copies are found when the bundle is unpacked: a push of which there is a mark
//! already has no effect.

use ::store::{Result, Sealed, StoreError, Vault, vault::Purpose};
use base::{HospitalId, UnixMs};
use people::ChannelAccountId;
use serde::{Deserialize, Serialize};

use super::model::{NewPush, PushId};

::store::typed_id! {
    /// Pushes that were kept together.
    BundleId = "bun";
}

/// From so many pushes of one account on, one row holds them.
pub(super) const FROM: usize = 16;
const FIELD: &str = "wechat_bundle.body";

/// Pushes to be kept together.
pub(super) struct NewBundle {
    pub(super) hospital: HospitalId,
    pub(super) id: BundleId,
    pub(super) channel: ChannelAccountId,
    pub(super) pushes: usize,
    pub(super) body: Sealed,
}

/// A bundle that a worker has taken.
#[derive(Debug)]
pub(super) struct TakenBundle {
    pub(super) hospital: HospitalId,
    pub(super) id: BundleId,
    pub(super) channel: ChannelAccountId,
    pub(super) received_at: UnixMs,
    pub(super) attempts: i64,
    pub(super) body: Sealed,
}

/// A push inside a bundle.
#[derive(Serialize)]
struct Packed<'a> {
    key: &'a str,
    kind: &'a str,
    openid: &'a str,
    body: &'a str,
}

#[derive(Deserialize)]
struct Unpacked {
    key: String,
    kind: String,
    openid: String,
    body: String,
}

/// Packs pushes of one account.
///
/// # Errors
/// When the machine gives no random bytes.
pub(super) fn pack(
    vault: &Vault,
    hospital: HospitalId,
    channel: ChannelAccountId,
    pushes: &[&NewPush],
) -> Result<NewBundle> {
    let packed: Vec<Packed<'_>> = pushes
        .iter()
        .map(|push| Packed { key: &push.dedup_key, kind: &push.kind, openid: &push.openid, body: &push.body })
        .collect();
    let text = serde_json::to_string(&packed).map_err(|_| StoreError::Sealed("a bundle can't be written"))?;
    let body = vault.seal(hospital, FIELD, &text)?;
    Ok(NewBundle { hospital, id: BundleId::new(), channel, pushes: pushes.len(), body })
}

/// Unpacks what [`pack`] has packed, in its order.
///
/// # Errors
/// [`StoreError::Sealed`] when its key is not at hand or it was changed.
pub(super) fn unpack(vault: &Vault, bundle: &TakenBundle) -> Result<Vec<NewPush>> {
    let text = vault.open_sealed(bundle.hospital, FIELD, &bundle.body, Purpose::Maintain)?;
    let unpacked: Vec<Unpacked> =
        serde_json::from_str(&text).map_err(|_| StoreError::Sealed("a bundle can't be read"))?;
    let pushes = unpacked.into_iter().map(|one| NewPush {
        hospital: bundle.hospital,
        id: PushId::new(),
        channel: bundle.channel,
        dedup_key: one.key,
        kind: one.kind,
        openid: one.openid,
        body: one.body,
    });
    Ok(pushes.collect())
}
