//! The insurance bureau's mobile-payment messages (医保移动支付).
//!
//! The official text is given to contracted hospitals only and differs by province. What differs is a setting of
//! [`Province`]; the messages are typed here once. [`Client`] seals, signs, sends and reads.
//!
//! Order of work: upload the fees (6201), have them settled (6202, or by WeChat's cashier), ask (6301), give back (6203).
//! Before all of it the patient allows the use of the electronic credential ([`Portal`]).
//! A settlement is returned whole or not at all. After 6202 was sent nothing is closed by a timer.

mod client;
mod envelope;
mod messages;
mod portal;
#[cfg(test)]
mod tests;

pub use client::{Client, Config};
pub use envelope::{Encoding, EnvelopeError, Province, Sm4Key, SortRule, judge_push, open, seal};
pub use messages::{
    FeeItem, FeeUpload, FeesUploaded, InsuranceRefund, Message, OrdStas, OrderState, PlaceOrder, RefundKind,
    RefundStatus, Refunded, Revoked, SettlementTotals, TotalsVerdict, WhichOrder,
};
pub use portal::{Authorised, NotAuthorised, Portal};
