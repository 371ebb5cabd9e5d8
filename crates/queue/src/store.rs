//! The SQL of waiting, on its own tables only.

pub(crate) mod desk;
pub(crate) mod line;
pub mod merging;
pub(crate) mod order;
pub(crate) mod pace;
pub(crate) mod pickup;
pub(crate) mod setup;
pub(crate) mod stats;
pub(crate) mod ticket;

/// Every statement, for the test that prepares them all.
pub(crate) fn all() -> Vec<store::Sql> {
    [
        desk::ALL,
        line::ALL,
        merging::ALL,
        order::ALL,
        pace::ALL,
        pickup::ALL,
        setup::ALL,
        stats::ALL,
        ticket::ALL,
    ]
    .concat()
}
