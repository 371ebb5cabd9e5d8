//! Waiting and being called: from the door to the doctor, on the phone, the wall and the desk.
//!
//! A *line* ([`model::Queue`]) belongs to a doctor, a department, a laboratory, any window. A *ticket* is a place in it: for an
//! appointment at check-in, for an order (a blood test), or for whoever walks in. Rooms serve lines, several each way. Who is next
//! is a pure function ([`order`]) of the tickets of a day and of how many turns each group has had, so that wall, door, desk and
//! phone, which all look at one picture of the line ([`picture`]), name the same person and can say why.
//!
//! - [`model`], [`settings`]: the words, what a hospital may set
//! - [`order`], [`estimate`], [`fence`], [`place_code`]: who is next, how long it takes, who is here; pure, each a room of its own in place of `rules`
//! - `give`: giving a number, the one way by which a ticket comes to be
//! - `checkin`, `numbers`, `orders`: by which ways people come to one
//! - `desk`: calling; `tell`: pushes; `pickup`: glasses, medicine, reports
//! - [`picture`], `topics`, `places`: what readers look at
//! - `setup`, `stats`: areas, rooms and lines; what the steps tell about waiting
//! - [`hands`]: the same for programs that stand in for people
//! - [`api`]: routes; [`reacts`]: sweeps
//!
//! **Events**, ids only: `queue.checked_in`, `queue.called` and `queue.ended` {ticket, queue}; `queue.ready` {pick_up}.
//!
//! **Invariants.** An appointment, an order, a person without either has one number, and a room one person: unique indexes. A
//! ticket is called by whoever finds it as they read it (`version`), so two desks never call the same. The order knows no clock.

pub mod api;
mod checkin;
mod desk;
pub mod estimate;
pub mod fence;
mod give;
pub mod hands;
pub mod model;
mod numbers;
pub mod order;
mod orders;
mod pickup;
pub mod picture;
pub mod place_code;
mod places;
mod problems;
pub mod reacts;
mod sections;
pub mod settings;
pub mod setup;
mod stats;
mod store;
pub mod tell;
mod topics;

use std::sync::Arc;

use ::store::{Db, Vault};
use edge::{Capability, Hospitals};

pub use give::CHECKED_IN;
pub use model::{AreaId, QueueId, RoomId, TicketId};
pub use picture::Pictures;
pub use settings::Settings;
pub use store::merging;

/// The name of the field in which staff say why somebody goes before others.
pub(crate) const CLASS_REASON: &str = "ticket.class_reason";

/// What the capability needs of others.
#[derive(Clone)]
pub struct QueueDeps {
    /// The database.
    pub db: Db,
    /// The keys of signed codes and sealed fields.
    pub vault: Arc<Vault>,
    /// The hospitals and their settings.
    pub hospitals: Hospitals,
    /// Names of doctors and departments, and what can be had on the spot.
    pub board: schedule::Board,
    /// The booking desk, for registering on the spot.
    pub desk: booking::Desk,
    /// The lines in memory.
    pub pictures: Pictures,
}

impl QueueDeps {
    /// With pictures of its own.
    #[must_use]
    pub fn new(
        db: Db,
        vault: Arc<Vault>,
        hospitals: Hospitals,
        board: schedule::Board,
        desk: booking::Desk,
    ) -> Self {
        let pictures = Pictures::new(db.clone(), hospitals.clone(), board.clone());
        Self { db, vault, hospitals, board, desk, pictures }
    }
}

/// The capability's parts.
#[must_use]
pub fn capability(deps: QueueDeps) -> Capability {
    use topics::{Shared, Shown};
    let (router, rules) = api::routes().with_state(deps.clone());
    let shared = |shown| -> Arc<dyn edge::live::TopicSource> { Arc::new(Shared::new(deps.clone(), shown)) };
    Capability {
        name: "queue",
        settings: sections::sections(),
        migrations: migrations(),
        statements: statements(),
        router,
        rules,
        topics: vec![
            shared(Shown::Area),
            shared(Shown::Room),
            shared(Shown::Queue),
            shared(Shown::Waiting),
            shared(Shown::Desk),
            Arc::new(topics::Place { deps: deps.clone() }),
            Arc::new(topics::PickUp { deps: deps.clone() }),
        ],
        jobs: vec![Arc::new(reacts::MarkSeen::new(deps.clone()))],
        sweeps: vec![
            Arc::new(reacts::Forgotten::new(deps.clone())),
            Arc::new(reacts::Resume::new(deps.clone())),
            Arc::new(reacts::RemindPickUp::new(deps.clone())),
        ],
        ..Capability::default()
    }
}

/// Its tables.
#[must_use]
pub fn migrations() -> Vec<::store::Migration> {
    vec![::store::migration!("queue", "0001_queue")]
}

/// Its statements.
#[must_use]
pub fn statements() -> Vec<::store::Sql> {
    store::all()
}
