//! Puts the capabilities together: one router, one set of workers, the WeChat entrance and the web files.
//!
//! - [`config`]: settings of the program
//! - [`app`]: what is joined, and how
//! - [`entrance`]: where WeChat's callbacks come in
//! - `console`: what the console needs of the whole program: settings, failed work
//! - [`http`]: listening, limits, stopping
//! - [`web`]: the pages
//! - [`health`]: `/healthz`, `/readyz`, `/metrics`
//! - [`docs`]: the API description and its page
//! - [`check`]: what `xinglin check` looks at

pub mod app;
pub mod check;
pub mod config;
mod console;
pub mod docs;
pub mod entrance;
pub mod health;
pub mod http;
mod keeps;
pub mod layers;
mod paying;
pub mod web;

pub use app::{App, Running};
pub use config::Config;
