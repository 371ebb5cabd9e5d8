//! What the program promises, told as stories, on both databases.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod booking;
mod chat;
mod family;
mod giving_up;
mod journey;
mod limits;
mod race;
mod telling;
