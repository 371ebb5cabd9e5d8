//! Who did not come (爽约): the ledger, what follows from it, and how one is heard.
//!
//! After a clinic's end whoever has a place and did not check in has missed it, where the hospital uses check-in. Too many
//! missed places within 90 days block booking in advance for a while, never for the same day; the old and the young are only
//! warned. The person is told each time, can say why, and staff decide with a reason; what is lifted counts for nothing.
//! Places that the hospital stopped never count: they are not booked any more when the clinic is over.
//!
//! - [`rules`]: settings, and what a person's missed places amount to
//! - [`record`]: the sweep after a clinic's end
//! - [`appeal`]: saying why, and deciding
//! - [`api`]: for patients and staff

pub(crate) mod api;
pub(crate) mod appeal;
pub(crate) mod record;
pub mod rules;
pub(crate) mod store;

pub use rules::{Attendance, Standing};
