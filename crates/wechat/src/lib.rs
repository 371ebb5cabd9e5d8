//! The WeChat protocols as a library. It knows no hospital and no database, and uses none of our other crates.
//!
//! - [`callback`]: is this push really from WeChat, and what does it say? Signatures, the AES envelope, XML and JSON.
//! - [`message`]: the messages and events inside a push, typed; and the replies that may be given at once.
//! - [`api`]: calls to WeChat: tokens with one refresher, messages, menus, codes, users, media, OAuth, JS-SDK.
//! - [`fuzz`]: the bodies of the fuzz targets, as plain functions that a test drives too.
//!
//! **Invariants.** Nothing here reads the wall clock: time comes in through [`api::Clock`] or as a parameter. Tokens and
//! secrets never appear in `Debug`, in errors or in logs. Nothing here panics on input from outside.
//!
//! The protocol rules come from WeChat's public documentation; where SDKs in the field have been bitten by something the
//! documentation leaves out, the comment at that place says so.

pub mod api;
pub mod callback;
pub mod fuzz;
pub mod message;
mod secret;
mod xml;

pub use secret::Secret;
