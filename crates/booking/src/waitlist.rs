//! The waitlist (候补): who takes a place that somebody gives up.
//!
//! A place of a full clinic that is given up, moved away from, or not confirmed in time does not go back on sale. It stays taken
//! ([`freed`]) for a random time that nobody can know beforehand; then it is kept for the person who has waited longest and may
//! have it ([`offer`]), and after them for the next; only when nobody waits can everybody have it again. So nobody can
//! hand a number to a chosen other by giving it up at an agreed moment.
//!
//! - [`rules`]: settings, times, which places somebody waits for
//! - [`join`]: joining, leaving, saying yes
//! - [`freed`], [`offer`]: what becomes of a place
//! - [`reacts`]: what follows from holds that end, and the sweep that does what is due
//! - [`api`]: for patients, and what staff see of it

pub(crate) mod api;
pub(crate) mod freed;
pub(crate) mod join;
pub(crate) mod model;
pub(crate) mod offer;
pub(crate) mod reacts;
pub mod rules;
pub(crate) mod store;

pub use model::{Entry, EntryId, EntryState};
pub use rules::Rules;
