//! Telling, on both databases, against a WeChat and an SMS vendor that answer as a test wants.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the whole program is tests; helpers fail them"
)]

mod basics;
mod crash;
mod fake;
mod many;
mod outcomes;
mod receipts;
mod sms;
mod support;
mod templates;
mod worker;
