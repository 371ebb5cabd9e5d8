//! The SQL of staff: [`member`] who works here, [`ticket`] who is on the way to a session, [`tries`] what was tried wrongly.

pub(crate) mod member;
pub(crate) mod ticket;
pub(crate) mod tries;

/// Every statement, for the test that prepares them all.
pub(crate) fn all() -> Vec<::store::Sql> {
    [member::ALL, ticket::ALL, tries::ALL].concat()
}
