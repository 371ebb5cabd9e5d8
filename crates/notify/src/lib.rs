//! What to tell whom by which channel.
//!
//! Others call [`tell()`] in their own transaction: the message is there exactly when what it tells of is. A worker
//! ([`worker`]) takes what is due, chooses the way by pure rules ([`rules::choose()`]), and sends: a category template message
//! to a follower of the service account, else a message in the chat while WeChat allows that, else SMS. What became of it
//! stands in the message ([`of_subject`]), for the patient's page and for staff.
//!
//! **Once, as far as the platforms let it.** Each attempt is a row with a reference before it is sent. After a crash or a lost
//! answer a template message is repeated under the same `client_msg_id` while WeChat remembers it (ten minutes); an SMS is
//! asked about by its `out_id` and repeated only when the vendor does not have it; a chat message is not repeated. What
//! nobody can find out is shown as unknown.
//!
//! **Only a person out of reach leads to another way.** A used-up quota waits for midnight, a wrong setting fails visibly
//! ([`rules::Outcome`]) and is tried again now and then while it is of use.
//!
//! **Invariants.** Nothing clinical and no full name is in a message; departments that the hospital calls sensitive are not
//! named. A code stands sealed in its row and is wiped when it was sent. All texts exist in both languages ([`text`]).
//!
//! What others call stands in `api.rs`, and pages of patients read what they show through [`of_subject`]; its only routes are
//! those of staff, who look after what could not be told (`staff_api.rs`).

mod api;
pub mod check;
pub mod model;
mod reacts;
mod receipts;
pub mod rules;
mod sections;
mod sender;
pub mod settings;
mod sms;
mod staff_api;
mod store;
pub mod templates;
pub mod text;
pub mod worker;

use std::sync::Arc;

pub use api::{cancel, of_subject, of_subject_to, tell};
pub use model::{Arg, Channel, Data, Kind, NoticeState, NoticeStatus, Tell, Visit};
pub use receipts::template_finished;
pub use sender::Sender;
pub use settings::Settings;
pub use sms::{NewVendor, hospitals_with_vendor, set_vendor};
pub use templates::{MapError, Mapping, map_templates, mappings, set_mapping};
pub use text::sms_templates;
pub use worker::NotifyDeps;

/// Its tables.
#[must_use]
pub fn migrations() -> Vec<::store::Migration> {
    vec![::store::migration!("notify", "0001_notify"), ::store::migration!("notify", "0002_given_up")]
}

/// Its statements, for the test that prepares them all.
#[must_use]
pub fn statements() -> Vec<::store::Sql> {
    store::statements()
}

/// Its parts for the server. The worker runs apart: see [`worker::run`].
#[must_use]
pub fn capability(deps: NotifyDeps) -> edge::Capability {
    let (router, rules) = staff_api::routes().with_state(deps.clone());
    let templates = reacts::Templates { channels: deps.channels, next: parking_lot::Mutex::default() };
    edge::Capability {
        name: "notify",
        migrations: migrations(),
        statements: statements(),
        router,
        rules,
        subscribers: vec![Arc::new(reacts::Followed), Arc::new(reacts::CameOfAge)],
        sweeps: vec![Arc::new(templates), Arc::new(reacts::Forget { hospitals: deps.hospitals })],
        settings: sections::sections(),
        ..edge::Capability::default()
    }
}
