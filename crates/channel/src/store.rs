//! The SQL of this capability, one file for each group of tables.

pub(crate) mod chat;
pub(crate) mod code;
pub(crate) mod enrolment;
pub(crate) mod figures;

/// Sealed: the network of a Wi-Fi poster.
pub(crate) const WIFI: &str = "code.wifi";

/// Every statement, for the test that prepares them all.
pub(crate) fn all() -> Vec<store::Sql> {
    [chat::ALL, code::ALL, enrolment::ALL, figures::ALL].concat()
}
