//! Who is treated, who holds the phone and who works here: persons, accounts, bindings, consents, staff, and our own WeChat accounts.
//!
//! An *account* is whoever holds a phone: a WeChat user of the hospital's service account, or a phone that signs in by SMS. A
//! *person* is who is treated. A *binding* ties the two, with a relation; it is voided, never deleted.
//!
//! - [`model`]: the words
//! - [`documents`], [`names`]: is this an identity number, a mobile number, a real name?
//! - [`rules`]: who may be bound by whom; pure
//! - [`sms_code`], [`signin`], [`accounts`], [`persons`]: proving a phone, signing in, choices, the persons of an account
//! - [`cards`]: visit and insurance cards; [`enrol`]: binding whom the hospital has in front of it
//! - [`channel`]: our WeChat accounts with their secrets and clients; [`wechat_user`]: what a chat tells of its people
//! - [`bound`], [`contact`]: what others ask: may this account act for that person, and how are people reached?
//! - [`patients`]: persons whom the hospital itself brings; [`look_up`]: finding them at the desk
//! - [`records`]: finding, merging, importing, closing patients' records; the texts that people agree to
//! - [`staff`]: who works here, roles, and how they sign in
//! - [`devices`]: screens and kiosks, and how they are let in
//! - [`api`]: for patients; [`reacts`]: jobs and sweeps; [`settings`]: what a hospital may set
//!
//! **Events**, ids only: `people.bound` and `people.unbound` {account, person}; `people.followed` {account, channel, following,
//! scene?}; `people.language` {account, lang};
//! `people.came_of_age` {person, accounts, ends_at}.
//!
//! **Invariants.** Names, numbers, phones and addresses are nowhere in the clear: sealed, masked, or as keyed hashes. Whoever
//! asks for a person who is not theirs learns nothing, not even that they are on file. This crate knows no appointment: what
//! it needs of them comes through [`Upcoming`], and codes go out through [`SendCode`].

pub mod accounts;
pub mod api;
pub mod bound;
pub mod cards;
pub mod channel;
pub mod contact;
mod cover;
pub mod devices;
pub mod documents;
pub mod enrol;
pub mod identity;
pub mod look_up;
pub mod model;
pub mod names;
pub mod patients;
pub mod persons;
pub mod reacts;
pub mod records;
pub mod refusal;
pub mod rules;
mod sections;
pub mod settings;
pub mod signin;
pub mod sms_code;
pub mod staff;
mod store;
pub mod wechat_user;

use std::sync::Arc;

use ::store::{Db, Vault};
use edge::Capability;
use edge::session::Sessions;

pub use channel::{Channel, ChannelKind, Channels};
pub use model::{
    Activity, BindingId, BoundPerson, CardKind, ChannelAccountId, CodePurpose, ConsentKind, Contact,
    DocumentKind, LangSource, PersonId, Relation, SendCode, Sex, Upcoming, WechatContact,
};
pub use refusal::Refusal;

/// What the capability needs of others.
#[derive(Clone)]
pub struct PeopleDeps {
    /// The database.
    pub db: Db,
    /// The keys of sealed fields.
    pub vault: Arc<Vault>,
    /// Who has signed in.
    pub sessions: Sessions,
    /// Our WeChat accounts.
    pub channels: Channels,
    /// Sends codes by SMS.
    pub send_code: Arc<dyn SendCode>,
    /// The hospitals and their settings.
    pub hospitals: edge::Hospitals,
    /// What other capabilities keep of a person.
    pub merging: Arc<dyn records::merge::Merging>,
    /// Tells of appointments to come.
    pub upcoming: Arc<dyn Upcoming>,
    /// Knows doctors and departments, to which staff are tied.
    pub places: Arc<dyn staff::Places>,
    /// What the permissions of staff are, once all routes are known.
    pub granted: edge::Granted,
}

/// The capability's parts. Its router holds `/auth/wechat`, `/auth/wecom` and their callbacks beside the API's own paths.
#[must_use]
pub fn capability(deps: PeopleDeps) -> Capability {
    let (channels, vault, hospitals) = (deps.channels.clone(), deps.vault.clone(), deps.hospitals.clone());
    let (of_records, record_rules) = records::api::routes().with_state(deps.clone());
    let (of_staff, staff_rules) = staff::api::routes().with_state(staff::StaffDeps::new(deps.clone()));
    let (router, rules) = api::routes().with_state(deps);
    Capability {
        name: "people",
        migrations: migrations(),
        statements: statements(),
        router: router.merge(of_staff).merge(of_records),
        rules: [rules, staff_rules, record_rules].concat(),
        jobs: vec![
            Arc::new(reacts::LookUpFollower::new(channels)),
            Arc::new(records::import::WorkOff::new(vault.clone(), hospitals.clone())),
        ],
        sweeps: vec![
            Arc::new(reacts::Forget),
            Arc::new(records::own::Purge::new(vault)),
            Arc::new(records::children::HandOver::new(hospitals)),
        ],
        settings: sections::sections(),
        ..Capability::default()
    }
}

/// Its tables.
#[must_use]
pub fn migrations() -> Vec<::store::Migration> {
    vec![
        ::store::migration!("people", "0001_people"),
        ::store::migration!("people", "0002_staff"),
        ::store::migration!("people", "0003_cards"),
        ::store::migration!("people", "0004_records"),
        ::store::migration!("people", "0005_device"),
        ::store::migration!("people", "0006_look_up"),
    ]
}

/// Its statements, for the test that prepares them all.
#[must_use]
pub fn statements() -> Vec<::store::Sql> {
    [store::all(), store::identity::ALL.to_vec()].concat()
}
