//! The client against a WeChat of our own, over real sockets.

#![expect(clippy::unwrap_used, reason = "the whole program is tests; helpers fail them")]

mod calls;
mod fake;
mod tokens;
mod trouble;
mod wecom;
