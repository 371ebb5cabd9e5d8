//! The rush entrance: the line at the door when numbers are released.
//!
//! For a short time after a release a wish is not decided at once but gets a ticket, and with it an honest estimate. Those
//! who come in the first second are served in random order, so that a slow phone or a far network is no disadvantage and a
//! robot no advantage; those who come later in the order in which they came. The same line forms at any time when more
//! people wait at the desk than it can serve soon. One account stands in line once; a page that is loaded again, or comes back over
//! another network, finds its ticket by its key.
//!
//! The order is in the database: nodes write tickets down, and one at a time takes the next of the line and decides them at the
//! desk, by the same rules and in the same transaction as every booking. Whoever waits is answered by the node that they ask.
//! Outside these times nothing of this runs: whether there is a rush is known from the board in memory.
//!
//! - [`rules`]: settings, who stands in which line, estimates
//! - [`hall`]: tickets coming in, people waiting
//! - [`turn`]: the next of the line
//! - [`api`]: for patients

pub(crate) mod api;
pub(crate) mod hall;
pub(crate) mod limits;
pub(crate) mod model;
pub mod rules;
pub(crate) mod store;
pub(crate) mod sweep;
pub(crate) mod turn;

pub use hall::Hall;
pub use rules::Rush;
