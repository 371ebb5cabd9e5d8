//! What the program promises, told as stories, on both databases.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod add_ons;
mod bad_input;
mod booking;
mod chat;
mod check;
mod counter;
mod crash;
mod family;
mod fault;
mod giving_up;
mod hold;
mod journey;
mod limits;
mod live;
mod long;
mod money;
mod nodes;
mod outage;
mod permissions;
mod plans;
mod privacy;
mod race;
mod returns;
mod schema;
mod settings;
mod staff;
mod stopping;
mod telling;
mod third_party;
mod trouble;
