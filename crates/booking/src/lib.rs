//! The booking desk: every booking of every channel passes here.
//!
//! A booking is a [`Request`](model::Request) for a slot. Requests that arrive while the last commit ran are decided together
//! ([`rules::decide`], a pure function in order of arrival) and committed in one transaction ([`desk`]): one fsync for
//! hundreds of places. The guard against selling a place twice is not that code but the schema: a slot can't be fuller
//! than its capacity, a number exists once, a person has one place with a doctor in a half day, and a day holds two.
//!
//! - [`model`]: states and the moves between them, limits with their defaults, outcomes
//! - [`rules`]: who may have what; why not, in words
//! - [`desk`]: lanes, batches, cancelling, moving; the counter, added numbers, return visits, stops
//! - [`hold`]: places that are kept for somebody until a time
//! - [`pay`]: a registration as something to be paid for
//! - [`api`]: for patients; `staff_api`: for the registration desk
//! - [`reacts`]: confirmations and the reminder of the day before
//!
//! **Invariant:** booking never sees a payment platform or WeChat. A held place is confirmed by whoever takes the money,
//! in one transaction with it.

mod add_on_codes;
pub mod api;
pub mod check;
pub mod desk;
mod free;
mod full;
pub mod hold;
mod lane;
pub mod model;
mod near;
pub mod pay;
mod problems;
mod quota;
pub mod reacts;
pub mod rules;
mod sections;
mod staff_api;
pub mod store;
mod window;

use std::sync::Arc;

use ::store::{Db, Vault};
use edge::{Capability, Hospitals};

pub use desk::Desk;
pub use hold::{Hold, HoldFor};
pub use model::{AppointmentId, Limits, State};

/// What the capability needs of others.
#[derive(Clone)]
pub struct BookingDeps {
    /// The database.
    pub db: Db,
    /// The hospitals and their settings.
    pub hospitals: Hospitals,
    /// What can be had.
    pub board: schedule::Board,
    /// The desk.
    pub desk: Desk,
    /// The keys of sealed fields: staff open a phone to call somebody.
    pub vault: Arc<Vault>,
}

/// The capability's parts.
#[must_use]
pub fn capability(deps: BookingDeps) -> Capability {
    let (router, rules) = api::routes().with_state(deps.clone());
    let (of_staff, staff_rules) = staff_api::routes().with_state(deps.clone());
    Capability {
        name: "booking",
        migrations: migrations(),
        statements: statements(),
        router: router.merge(of_staff),
        rules: [rules, staff_rules].concat(),
        subscribers: vec![
            Arc::new(reacts::Tell::new(deps.clone())),
            Arc::new(reacts::EndStopped::new(deps.clone())),
            Arc::new(reacts::stops::TellReplaced::new(deps.clone())),
        ],
        sweeps: vec![
            Arc::new(reacts::RemindTomorrow::new(deps.clone())),
            Arc::new(hold::Expire::new(deps.clone())),
        ],
        topics: vec![Arc::new(api::AppointmentTopic::new(deps))],
        settings: sections::sections(),
        ..Capability::default()
    }
}

/// Its tables.
#[must_use]
pub fn migrations() -> Vec<::store::Migration> {
    vec![
        ::store::migration!("booking", "0001_booking"),
        ::store::migration!("booking", "0002_desk"),
        ::store::migration!("booking", "0003_hold"),
    ]
}

/// Its statements.
#[must_use]
pub fn statements() -> Vec<::store::Sql> {
    [store::ALL, store::calls::ALL, store::desk::ALL, store::hold::ALL, store::look::ALL].concat()
}
