//! The SQL of billing, on its own tables.

pub(crate) mod account;
pub(crate) mod charge;
pub(crate) mod invoice;
pub(crate) mod ledger;
pub(crate) mod look;
pub mod merging;
pub(crate) mod observation;
pub(crate) mod payment;
pub(crate) mod refund;
pub(crate) mod shift;
pub(crate) mod takings;

/// All of it, for the test that prepares every statement on both databases.
pub(crate) fn statements() -> Vec<store::Sql> {
    [
        account::ALL,
        charge::ALL,
        invoice::ALL,
        ledger::ALL,
        look::ALL,
        merging::ALL,
        observation::ALL,
        payment::ALL,
        refund::ALL,
        shift::ALL,
        takings::ALL,
    ]
    .concat()
}
