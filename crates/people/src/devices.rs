//! Devices: the screens on the walls and the kiosks in the halls, and how they come to be ours.
//!
//! A device that is switched on asks to be let in and shows a code of eight characters. Whoever stands before it types that code in the
//! console, gives the device a name and says what it is to show; seconds later the device has a session of its own, which lasts
//! as long as it is used. What hangs on a wall is for everybody anyway; only a kiosk may act, for whoever stands before it.
//!
//! - [`model`]: the words; [`store`]: the SQL; [`pairing`]: from the code to the session; [`manage`]: what staff do; [`api`]: the routes
//!
//! **Invariants.** A code is good for one device and a quarter of an hour. The code stands on the screen for all to see and is worth nothing
//! without the secret that the device keeps to itself. A screen never becomes a kiosk: the schema says so. A device that is removed is
//! signed out at once, here, and on other nodes within seconds.

pub(crate) mod api;
pub mod manage;
pub mod model;
pub mod pairing;
pub(crate) mod store;

use std::sync::Arc;

use ::store::StoreError;
use base::{Kind, Problem};
use edge::Capability;
use edge::limit::Limiter;

use crate::PeopleDeps;

pub use model::{DeviceRecord, Show, View};

/// What the routes work with.
#[derive(Clone)]
pub struct DeviceDeps {
    /// What the whole capability works with.
    pub people: PeopleDeps,
    /// How often an address may ask for a code: a whole hospital may stand behind one.
    limiter: Arc<Limiter>,
}

impl DeviceDeps {
    /// With counts of its own.
    #[must_use]
    pub fn new(people: PeopleDeps) -> Self {
        Self { people, limiter: Arc::new(Limiter::new(60, 5_000)) }
    }
}

/// The capability's parts. Its tables and statements are among those of `people`.
#[must_use]
pub fn capability(deps: PeopleDeps) -> Capability {
    let (router, rules) = api::routes().with_state(DeviceDeps::new(deps));
    Capability {
        name: "devices",
        router,
        rules,
        sweeps: vec![Arc::new(pairing::Forget)],
        ..Capability::default()
    }
}

/// Why a request about a device was refused.
#[derive(Debug, thiserror::Error)]
pub enum DeviceRefusal {
    /// 410 `pairing_over`: the device asks for a new code.
    #[error("no such pairing, or it is over")]
    PairingOver,
    /// 422 `pairing_code_unknown`
    #[error("no device shows this code")]
    CodeUnknown,
    /// 422 `device_name_invalid`
    #[error("no name for a device")]
    Name,
    /// 422 `device_view_invalid`: nothing said of which area or door.
    #[error("nothing to show")]
    View,
    /// 409 `device_kind_fixed`
    #[error("a screen does not become a kiosk")]
    KindFixed,
    /// 429 `too_many_pairings` with `retry_after_s`
    #[error("too many codes were asked for")]
    TooMany(u32),
    /// 404
    #[error("not found")]
    NotFound,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DeviceRefusal> for Problem {
    fn from(refusal: DeviceRefusal) -> Self {
        let invalid = |field: &'static str, code, zh: &str, en: &str| {
            crate::refusal::at(Some(field), Self::new(Kind::Invalid, code, zh, en))
        };
        match refusal {
            DeviceRefusal::Store(error) => error.into(),
            DeviceRefusal::NotFound => Self::not_found(),
            DeviceRefusal::PairingOver => Self::new(
                Kind::Gone,
                "pairing_over",
                "配对码已过期，请使用屏幕上的新配对码。",
                "This pairing is over. Please use the new code on the screen.",
            ),
            DeviceRefusal::CodeUnknown => invalid(
                "code",
                "pairing_code_unknown",
                "没有设备显示这个配对码。请核对屏幕上的 8 位配对码，过期后屏幕会换新码。",
                "No device shows this code. Please check the eight characters on the screen; it shows a new code when one runs out.",
            ),
            DeviceRefusal::Name => invalid(
                "name",
                "device_name_invalid",
                "请填写设备名称，最长 40 个字。",
                "Please give the device a name of at most 40 characters.",
            ),
            DeviceRefusal::View => invalid(
                "show",
                "device_view_invalid",
                "请选择这台设备显示哪个候诊区或哪个诊室。",
                "Please choose the waiting area or the room that this device shows.",
            ),
            DeviceRefusal::KindFixed => Self::new(
                Kind::Conflict,
                "device_kind_fixed",
                "显示屏不能改作自助机，反之亦然。请移除后重新配对。",
                "A screen can't become a kiosk, or the other way round. Please remove it and pair it again.",
            ),
            DeviceRefusal::TooMany(wait) => Self::new(
                Kind::TooMany,
                "too_many_pairings",
                "申请配对码过于频繁，请稍后再试。",
                "Too many pairing codes were asked for. Please try again later.",
            )
            .with("retry_after_s", wait),
        }
    }
}
