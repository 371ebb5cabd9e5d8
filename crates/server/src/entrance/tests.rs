//! The entrance over HTTP, on both databases: what WeChat sends, made with its own envelope, and what must come of it.

mod bundles;
pub(crate) mod lab;
mod pushes;
mod refusals;
mod setup;
mod work;
