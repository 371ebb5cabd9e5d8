//! The simulator over real HTTP: each rule of the platform, and the control interface. A small receiver stands in for the
//! product.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod codes;
mod control;
mod lab;
mod media;
mod menus;
mod merchants;
mod oauth;
mod paying;
mod pushes;
mod sends;
mod sms;
mod tokens;
mod users;
mod wecom;
