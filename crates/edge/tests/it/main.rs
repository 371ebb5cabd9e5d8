//! What stands around every route, through HTTP, on both databases.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops where something is not as it should be"
)]

mod hospitals;
mod idempotency;
mod identify;
mod live;
mod permission;
mod problems;
mod rig;
