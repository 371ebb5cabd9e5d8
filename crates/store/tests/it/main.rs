//! The store on both databases, each test with a database of its own (see [`store::testing`]).

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops where something is not as it should be"
)]

mod audit;
mod cancel;
mod commit;
mod events;
mod jobs;
mod lease;
mod live;
mod schema;
mod support;
mod tx;
mod values;
mod vault;
