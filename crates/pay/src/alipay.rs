//! Alipay's gateway, as a merchant: RSA2 (SHA256withRSA) only, with Alipay's public key or with certificates.
//!
//! - [`calls`] builds calls; [`Client`] sends them, or signs them as a page for the payer's browser
//! - [`answer`]: whose answer is it; over the raw text of its member, never a re-written one
//! - [`notice`]: asynchronous notices, checked over the bytes of the form in the charset it names
//! - [`bill`]: the day's bill: a zip of GBK text
//! - [`rest`]: signatures of the newer REST gateway
//!
//! Amounts are yuan in text there and [`base::Fen`] here.

pub mod answer;
pub mod bill;
pub mod calls;
mod client;
mod keys;
mod model;
pub mod notice;
pub mod rest;
pub mod sign;
#[cfg(test)]
mod tests;

pub use client::{Client, Config};
pub use keys::{AlipayKeys, Merchant};
pub use model::{BillUrl, Cert, Closed, Created, PreCreated, RefundState, Refunded, Trade, TradeStatus};
