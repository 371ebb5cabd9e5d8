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
//! - [`rush`]: the line before the desk when numbers are released
//! - [`waitlist`]: who takes a place that somebody gives up
//! - [`attendance`]: who did not come, and what follows
//! - [`api`]: for patients; `staff_api`: for the registration desk; [`arrive`]: being there, for whoever keeps the lines
//! - [`reacts`]: confirmations and the reminder of the day before
//!
//! **Invariant:** booking never sees a payment platform or WeChat. A held place is confirmed by whoever takes the money,
//! in one transaction with it.

mod add_on_codes;
pub mod api;
pub mod arrive;
pub mod attendance;
pub mod check;
pub mod desk;
mod free;
mod full;
pub mod hold;
mod lane;
pub mod limits;
pub mod model;
mod near;
pub mod pay;
mod problems;
mod quota;
pub mod reacts;
pub mod rules;
pub mod rush;
mod sections;
mod staff_api;
pub mod store;
pub mod waitlist;
mod window;
pub mod words;

use std::sync::Arc;

use ::store::{Db, Vault};
use edge::{Capability, Hospitals};

pub use desk::Desk;
pub use hold::{Hold, HoldFor};
pub use model::{AppointmentId, Limits, State};
pub use problems::refused;
pub use store::merging;

/// What the capability needs of others. Every request is handed a copy, so copies share it.
#[derive(Clone)]
pub struct BookingDeps(Arc<Needs>);

impl BookingDeps {
    /// Of what it needs.
    #[must_use]
    pub fn new(needs: Needs) -> Self {
        Self(Arc::new(needs))
    }
}

impl std::ops::Deref for BookingDeps {
    type Target = Needs;
    fn deref(&self) -> &Needs {
        &self.0
    }
}

/// See [`BookingDeps`].
pub struct Needs {
    /// The database.
    pub db: Db,
    /// The hospitals and their settings.
    pub hospitals: Hospitals,
    /// What can be had.
    pub board: schedule::Board,
    /// The desk.
    pub desk: Desk,
    /// The line before it.
    pub hall: rush::Hall,
    /// The keys of sealed fields: what people write, and phones that staff open to call somebody.
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
            Arc::new(waitlist::reacts::EndOfOffer),
        ],
        jobs: vec![Arc::new(waitlist::reacts::Due::new(deps.clone()))],
        sweeps: vec![
            Arc::new(reacts::RemindTomorrow::new(deps.clone())),
            Arc::new(hold::Expire::new(deps.clone())),
            Arc::new(waitlist::reacts::Tend::new(deps.clone())),
            Arc::new(attendance::record::Record::new(deps.clone())),
            Arc::new(rush::sweep::Tidy::new(deps.clone())),
        ],
        topics: vec![Arc::new(api::AppointmentTopic::new(deps))],
        settings: sections::sections(),
    }
}

/// Its tables.
#[must_use]
pub fn migrations() -> Vec<::store::Migration> {
    vec![
        ::store::migration!("booking", "0001_booking"),
        ::store::migration!("booking", "0002_desk"),
        ::store::migration!("booking", "0003_hold"),
        ::store::migration!("booking", "0004_waitlist"),
        ::store::migration!("booking", "0005_attendance"),
        ::store::migration!("booking", "0006_rush"),
        ::store::migration!("booking", "0007_rush_pay"),
        ::store::migration!("booking", "0008_by_whom"),
        ::store::migration!("booking", "0009_rush_by_whom"),
    ]
}

/// Its statements.
#[must_use]
pub fn statements() -> Vec<::store::Sql> {
    [
        store::ALL,
        store::arrive::ALL,
        store::calls::ALL,
        store::desk::ALL,
        store::hold::ALL,
        store::look::ALL,
        store::merging::ALL,
        waitlist::store::ALL,
        attendance::store::ALL,
        rush::store::ALL,
    ]
    .concat()
}
