//! The SQL of this capability, one file for each group of tables, and the names under which fields are sealed.

pub(crate) mod account;
pub(crate) mod card;
pub(crate) mod channel;
pub(crate) mod code;
pub(crate) mod identity;
pub(crate) mod look_up;
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
/// Sealed and hashed: the number of a card.
pub(crate) const CARD: &str = "card.number";
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
/// Sealed and hashed: the full name of a member of staff.
pub(crate) const STAFF_NAME: &str = "staff.name";
/// Sealed: the secret of a second factor.
pub(crate) const STAFF_TOTP: &str = "staff.totp";
/// Hashed: a login as typed, whether it exists or not.
pub(crate) const STAFF_LOGIN: &str = "staff.login";
/// Hashed: a code in place of a password.
pub(crate) const STAFF_CODE: &str = "staff.code";
/// Hashed: a recovery code.
pub(crate) const STAFF_RECOVERY: &str = "staff.recovery";
/// Hashed: what a browser holds between two steps of signing in.
pub(crate) const STAFF_TICKET: &str = "staff.ticket";

/// Hashed: the code on the screen of a device that asks to be let in.
pub(crate) const DEVICE_CODE: &str = "device.code";
/// Hashed: what such a device keeps to itself.
pub(crate) const DEVICE_SECRET: &str = "device.secret";

/// Every statement, for the test that prepares them all.
pub(crate) fn all() -> Vec<::store::Sql> {
    let own = [account::ALL, card::ALL, channel::ALL, code::ALL, person::ALL, wechat_return::ALL].concat();
    let more = [look_up::ALL.to_vec(), crate::records::statements(), crate::devices::store::ALL.to_vec()];
    [own, more.concat(), crate::staff::store::all()].concat()
}
