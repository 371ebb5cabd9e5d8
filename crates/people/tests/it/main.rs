//! The capability through HTTP and through its functions, on both databases.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "a test stops where something is not as it should be"
)]

mod accounts;
mod bind;
mod browser;
mod channels;
mod clinic;
mod codes;
mod description;
mod devices;
mod list;
mod persons;
mod signin;
mod staff;
mod wechat;
