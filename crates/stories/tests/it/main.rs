//! What the program promises, told as stories, on both databases.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod account;
mod add_ons;
mod attendance;
mod bad_input;
mod booking;
mod chat;
mod check;
mod children;
mod codes;
mod counter;
mod crash;
mod family;
mod fault;
mod giving_up;
mod hold;
mod joining;
mod journey;
mod limits;
mod live;
mod long;
mod merging;
mod money;
mod nodes;
mod outage;
mod papers;
mod permissions;
mod plans;
mod privacy;
mod race;
mod records;
mod returns;
mod rush;
mod schema;
mod settings;
mod staff;
mod stopping;
mod telling;
mod third_party;
mod trouble;
mod waiting;
mod waitlist;
