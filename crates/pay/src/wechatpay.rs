//! WeChat Pay APIv3, as a merchant that pays no fee to anybody but WeChat.
//!
//! - [`calls`] builds calls, [`Client`] sends them: orders (JSAPI, H5, Native), query, close, refunds, bills
//! - [`medins`]: orders that are paid by medical insurance and cash at once
//! - [`notice`]: what WeChat tells us, opened and proved
//! - [`verify`] and [`keys`]: which keys of WeChat's we trust: public keys and platform certificates, several at once
//! - [`bill`]: trade and fund-flow bills, read as a stream
//! - [`sign`]: our signatures, and what the page needs to open the payment sheet
//!
//! Rules are from WeChat Pay's merchant documents and its official SDKs.

pub mod bill;
pub mod calls;
mod client;
pub mod keys;
pub mod medins;
mod model;
pub mod notice;
mod refusal;
pub mod sensitive;
pub mod sign;
#[cfg(test)]
mod tests;
pub mod verify;

pub use client::{Client, Config, DownloadError, ReceiveError};
pub use keys::{KeyRing, Merchant};
pub use model::{
    Amount, BillTicket, CodeUrl, Done, H5Url, Payer, Prepay, Refund, RefundAmount, RefundStatus, TradeState,
    Transaction,
};

pub(crate) use refusal::classify;
