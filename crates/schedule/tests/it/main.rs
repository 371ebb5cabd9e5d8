//! The schedule on both databases, each test with a database of its own (see [`store::testing`]).

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where something is not as it should be"
)]

mod api;
mod board;
mod planning;
mod plans;
mod site;
mod staff;
mod stock;
mod support;
mod templates;
