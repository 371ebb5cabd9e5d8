//! The SQL of this capability, one file for each group of tables, and the names under which fields are sealed.

pub(crate) mod account;
pub(crate) mod channel;
pub(crate) mod code;
pub(crate) mod person;
pub(crate) mod wechat_return;

/// Sealed: a person's full name.
pub(crate) const NAME: &str = "person.name";
/// Sealed and hashed: a phone number, of a person or of an account, so that the two can be compared.
pub(crate) const PHONE: &str = "phone";
/// Sealed and hashed: the number of a document.
pub(crate) const DOCUMENT: &str = "document.number";
/// Hashed: the last four characters of a person's document.
pub(crate) const DOCUMENT_TAIL: &str = "document.tail";
/// Hashed: a code that went out by SMS.
pub(crate) const CODE: &str = "sms.code";
/// Hashed: the address that a request came from.
pub(crate) const SOURCE: &str = "source";
/// Hashed: what binds a sign-in through WeChat to a browser.
pub(crate) const STATE: &str = "wechat.state";
/// Sealed: the session that a return from WeChat's sign-in page gave, for the few minutes in which it may be asked twice.
pub(crate) const RETURN: &str = "wechat.return";
/// Sealed: secrets of our own WeChat accounts.
pub(crate) const CHANNEL: &str = "channel";
/// Sealed: WeChat's tokens.
pub(crate) const TOKEN: &str = "wechat.token";

/// Every statement, for the test that prepares them all.
pub(crate) fn all() -> Vec<::store::Sql> {
    [account::ALL, channel::ALL, code::ALL, person::ALL, wechat_return::ALL].concat()
}
