//! Its tables: messages, attempts, receipts, templates, closed ways, the SMS vendor.

pub(crate) mod delivery;
pub(crate) mod look;
pub(crate) mod message;
pub(crate) mod receipt;
pub(crate) mod sms;
pub(crate) mod template;
pub(crate) mod untold;
pub(crate) mod ways;

/// Every statement, for the test that prepares them on both databases.
pub(crate) fn statements() -> Vec<store::Sql> {
    [delivery::ALL, look::ALL, message::ALL, receipt::ALL, sms::ALL, template::ALL, untold::ALL, ways::ALL]
        .concat()
}
