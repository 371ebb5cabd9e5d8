//! Ids, money, time, languages and problems: what every other crate speaks with. No I/O, no async.
//!
//! - [`id`]: typed ids; in text they carry a prefix (`per_…`), in the database they are 32 hex digits
//! - [`money`]: [`Fen`], whole hundredths of a yuan, checked arithmetic, never a float
//! - [`clock`] and [`calendar`]: "now" is always handed in; dates and wall times are the hospital's
//! - [`lang`]: the two languages, and [`Text2`] for what exists in both
//! - [`problem`]: [`Problem`], what a person did wrong or what went wrong, with a stable code
//! - [`mask`]: how a name, a phone or a document number looks where it must not be read whole

pub mod calendar;
pub mod clock;
pub mod id;
pub mod lang;
pub mod mask;
pub mod money;
pub mod problem;
pub mod secret;

pub use calendar::{Date, HalfDay, WallTime, Zone};
pub use clock::{Clock, UnixMs};
pub use id::HospitalId;
pub use lang::{Lang, Text2};
pub use money::Fen;
pub use problem::{Field, Kind, Problem};
pub use secret::Secret;
