//! Who is treated and who holds the phone: persons, accounts, bindings, consents, and our own WeChat accounts.
pub mod bound;
pub mod channel;
pub mod contact;
mod cover;
pub mod documents;
pub mod model;
pub mod names;
pub mod refusal;
pub mod rules;
pub mod settings;
pub mod sms_code;
mod store;
pub mod wechat_user;

pub use channel::{Channel, ChannelKind, Channels};
pub use model::*;

/// Its tables.
#[must_use]
pub fn migrations() -> Vec<::store::Migration> {
    vec![::store::migration!("people", "0001_people")]
}

/// Its statements, for the test that prepares them all.
#[must_use]
pub fn statements() -> Vec<::store::Sql> {
    store::all()
}
