//! The payment protocols as a library. It knows no hospital and no database; of ours it uses only `base` (fen, time).
//!
//! - [`wechatpay`]: WeChat Pay APIv3 as a merchant: orders, refunds, bills, notices, and its medical-insurance orders.
//! - [`alipay`]: Alipay's gateway: RSA2 with keys or certificates, trades, refunds, bills, notices.
//! - [`insurance`]: the insurance bureau's messages (6201, 6202, 6203, 6301, 6401, 3201) through one adapter whose
//!   settings differ by province.
//! - [`ebill`]: e-invoices of medical charges: made, asked about, written off.
//! - [`crypto`]: RSA, AES-GCM, SM2, SM3, SM4 and certificates, as all of the above need them.
//! - [`fuzz`]: the bodies of the fuzz targets, as plain functions that a test drives too.
//!
//! How a call is made: a function builds a call (method, path, body bytes) without any I/O, so that its caller can write
//! it down first; a client signs, sends and reads it; what comes back is an [`Outcome`]. A time-out, a 5xx, a bad
//! signature and an unknown word are all [`Outcome::Unknown`]: nobody may conclude "failed" from them.
//!
//! **Invariants.** [`Verified`] is made only by code that has checked a signature (or a file's hash) over the bytes as they
//! came. No float touches an amount. Nothing reads the machine's clock. Keys are wiped when dropped and print as `***`.
//! Nothing here panics on input from outside, and every reader has an upper bound on what it keeps in memory.

pub mod alipay;
pub mod crypto;
pub mod ebill;
pub mod fuzz;
pub mod insurance;
mod lines;
pub mod moment;
mod number;
mod outcome;
mod secret;
mod verified;
pub mod wechatpay;
mod wire;
mod words;
pub mod yuan;

pub use number::{BadNumber, OutRefundNo, OutTradeNo};
pub use outcome::{Doubt, Expected, Invalid, Mismatch, Outcome, Refusal, Retry, Why};
pub use secret::Secret;
pub use verified::Verified;
