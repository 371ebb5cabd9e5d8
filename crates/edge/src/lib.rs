//! What every capability's HTTP needs: who is calling, may they, is it well-formed, and how to answer.
//!
//! - [`actor`]: [`Caller`], what every handler is given; [`Account`] and [`Staff`] where one of them is needed
//! - [`permission`] and [`routes`]: a route can only be registered with a [`Permission`] type; deny is the default
//! - [`session`]: server-side sessions; [`csrf`] keeps other sites' forms out
//! - [`problem`]: handlers fail with [`ApiError`]; the answer is problem+json in the caller's language
//! - [`front`]: what every request passes before the routes
//! - [`extract`]: strict JSON, query and path readers that name the field at fault
//! - [`idempotency`]: the first answer to a key is stored with the change and given again
//! - [`hospital`]: which hospital a request is for, its profile and settings
//! - [`settings`]: which sections of settings there are, and changing them with history and undo
//! - [`live`]: one stream of server-sent events for all that a page watches
//! - [`limit`]: token buckets in memory
//!
//! **Invariant:** edge knows roles and sessions, but no patient, doctor or appointment.

pub mod actor;
pub mod capability;
pub mod csrf;
pub mod etag;
pub mod extract;
pub mod front;
pub mod hospital;
pub mod idempotency;
pub mod layers;
pub mod limit;
pub mod live;
pub mod page;
pub mod permission;
pub mod problem;
pub mod routes;
pub mod schema;
pub mod session;
pub mod settings;

pub use actor::{Account, AccountId, Actor, Caller, Device, DeviceId, DeviceKind, Staff, StaffId};
pub use capability::Capability;
pub use extract::{ApiJson, ApiPath, ApiQuery};
pub use front::Front;
pub use hospital::{Hospital, Hospitals, Profile};
pub use idempotency::{Begun, IdempotencyKey, Once};
pub use page::Page;
pub use permission::{Anyone, Granted, Permission, Role, SignedIn, Who};
pub use problem::{ApiError, ApiResult};
pub use routes::Routes;
pub use settings::Section;

/// The kernel tables of this crate.
#[must_use]
pub fn migrations() -> Vec<store::Migration> {
    vec![
        store::migration!("edge", "0001_edge"),
        store::migration!("edge", "0002_device"),
        store::migration!("edge", "0003_settings"),
    ]
}

/// Its statements, for the test that prepares them all.
#[must_use]
pub fn statements() -> Vec<store::Sql> {
    [hospital::ALL, idempotency::ALL, session::ALL, settings::keep::ALL].concat()
}
