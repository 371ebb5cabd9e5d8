//! How people come to the hospital on their phones: codes, and joining at machines and desks.
//!
//! A *code* is one row: a scene, what it is for, and the page it leads to. WeChat makes the picture ([`codes`]); who scans it
//! is answered in the chat with the page ([`scans`]), a new follower like an old one, and the scan is counted for the code. The
//! same code has a plain address (`/q/…`) for cameras and for apps that are not WeChat.
//!
//! An *enrolment* binds one person to whoever scans first ([`enrol`]): at a machine with the card in it, at the desk, after
//! the consultation. Its code lives for minutes and works once; whether the binding can be made at once or a name has to be
//! confirmed before is decided by [`enrol::rules`], as pure functions.
//!
//! - [`model`]: the words; `scene.rs`: the text in a code; [`links`]: addresses
//! - [`codes`]: making, finding, closing; [`scans`]: what is said and kept about a scan; [`words`]: the texts of the chat
//! - [`enrol`]: binding by a scan; [`chat`]: replies, welcome and menus that staff write
//! - [`papers`]: posters, cards, slips as PDF
//! - [`api`]: for staff, machines, phones and plain browsers; [`reacts`]: jobs
//!
//! **Invariants.** A scene tells nothing of a person: it is random. The first account that scans an enrolment has it, by the
//! update that claims it; nobody else learns for whom it was. A code that is over, used, forged or another hospital's gets its
//! own answer and changes nothing.

pub mod api;
pub mod chat;
pub mod codes;
pub mod enrol;
pub mod links;
pub mod model;
pub mod papers;
pub mod reacts;
pub mod refusal;
pub mod scans;
mod scene;
mod store;
pub mod words;

use std::sync::Arc;

use ::store::{Db, Vault};
use edge::{Capability, Hospital, Hospitals};

pub use model::{CodeId, EnrolmentId};
pub use refusal::Refusal;

/// What the capability needs of others. Cheap to clone.
#[derive(Clone)]
pub struct ChannelDeps {
    /// The database.
    pub db: Db,
    /// The keys of sealed fields.
    pub vault: Arc<Vault>,
    /// The hospitals and their settings.
    pub hospitals: Hospitals,
    /// Our WeChat accounts.
    pub channels: people::Channels,
    /// Doctors and departments, and what can be had of them.
    pub board: schedule::Board,
    /// What staff let the chat say.
    pub chat: chat::Chat,
    /// How people reach us, without a slash at the end.
    pub public_url: Arc<str>,
}

impl ChannelDeps {
    /// What the addresses of a hospital's pages begin with.
    #[must_use]
    pub fn base_url(&self, hospital: &Hospital) -> String {
        links::base_url(&self.public_url, &hospital.code, self.hospitals.all().len() > 1)
    }
}

/// The capability's parts. Its router holds `/q/{scene}` beside the API's own paths.
#[must_use]
pub fn capability(deps: ChannelDeps, people: people::PeopleDeps) -> Capability {
    let (router, rules) = api::routes().with_state(deps.clone());
    let (papers, paper_rules) = api::own_papers(deps.clone(), people);
    Capability {
        name: "channel",
        migrations: migrations(),
        statements: statements(),
        router: router.merge(papers),
        rules: [rules, paper_rules].concat(),
        subscribers: vec![Arc::new(reacts::Count::new(deps.clone())), Arc::new(reacts::ToldLanguage)],
        jobs: vec![Arc::new(reacts::MakeCode::new(deps.clone())), Arc::new(reacts::TagLanguage::new(deps))],
        ..Capability::default()
    }
}

/// Its tables.
#[must_use]
pub fn migrations() -> Vec<::store::Migration> {
    vec![
        ::store::migration!("channel", "0001_codes"),
        ::store::migration!("channel", "0002_chat"),
        ::store::migration!("channel", "0003_visit"),
    ]
}

/// Its statements, for the test that prepares them all.
#[must_use]
pub fn statements() -> Vec<::store::Sql> {
    store::all()
}
