//! Where WeChat calls us: the callback of each account, the chat, and the files that prove whose a domain is.
//!
//! A push is checked, kept under a key that makes its copies the same, and only then answered, within a second: with a text
//! when the chat has one to say, else with `success`. What has to be done about it is done by a [`worker`] afterwards, in
//! one transaction with the mark that it is done. So a push is never lost once WeChat has its answer, and never counts
//! twice, although WeChat sends it up to three times and nodes die.
//!
//! - [`api`]: the routes; [`intake`]: pushes that come together are kept together, in a storm as one row ([`bundle`])
//! - [`rules`]: what is said to which push and what is done about it; [`words`]: what is meant by a word in the chat
//! - [`chat`]: the texts
//! - [`menu`]: the menu under the chat; [`setup`]: entering an account
//! - [`worker`]: who does what is to be done about a push, and when; [`effects`]: what that is
//!
//! **While the database can't be reached, WeChat gets a 503 and not `success`.** It then takes the push for not received
//! and sends it again, twice, some seconds apart. Saying `success` would lose what a person wrote; an error line in the chat
//! after the third attempt is the honest answer to somebody whom we can't serve.

pub mod api;
mod bundle;
pub mod chat;
mod effects;
mod intake;
pub mod menu;
pub mod model;
pub mod rules;
pub mod setup;
pub(crate) mod store;
#[cfg(test)]
pub(crate) mod tests;
pub mod words;
pub mod worker;

use std::sync::Arc;
use std::time::Duration;

use ::store::events::Failure;
use ::store::{Db, Migration, Result, Sql, Sweep, Vault};
use async_trait::async_trait;
use base::UnixMs;
use edge::{Capability, Hospital, Hospitals};
use people::{Channel, Channels};
use tokio::sync::Notify;

pub use api::routes;
pub use menu::set_menu;
pub use worker::run as worker;

/// The longest body of a callback, in bytes. Real ones are below 10 KiB; encrypted in compatible mode they are three times
/// the size of the plain one.
pub const MAX_BODY: usize = 64 * 1024;
/// WeChat hangs up after five seconds: what has not been kept by then counts as not received.
const ANSWER_WITHIN: Duration = Duration::from_millis(4500);

/// What the entrance needs of others. Cheap to clone; clones wake the same worker.
#[derive(Clone)]
pub struct Deps {
    /// The database.
    pub db: Db,
    /// Seals what people wrote.
    pub vault: Arc<Vault>,
    /// The hospitals, for their names in the chat.
    pub hospitals: Hospitals,
    /// Our accounts at WeChat.
    pub channels: Channels,
    /// How people reach us, without a slash at the end.
    pub public_url: Arc<str>,
    /// Codes, and what is said about a scan.
    pub codes: channel::ChannelDeps,
    answer_within: Duration,
    wake: Arc<Notify>,
    intake: intake::Intake,
}

impl Deps {
    /// With a worker's bell of its own: make it once and clone it.
    #[must_use]
    pub fn new(codes: channel::ChannelDeps) -> Self {
        Self {
            db: codes.db.clone(),
            vault: codes.vault.clone(),
            hospitals: codes.hospitals.clone(),
            channels: codes.channels.clone(),
            public_url: codes.public_url.clone(),
            codes,
            answer_within: ANSWER_WITHIN,
            wake: Arc::default(),
            intake: intake::Intake::default(),
        }
    }

    /// Answers within so much time, or lets WeChat send the push again. Four and a half seconds unless told otherwise.
    #[must_use]
    pub fn answering_within(mut self, time: Duration) -> Self {
        self.answer_within = time;
        self
    }

    /// What the addresses of a hospital's pages begin with.
    #[must_use]
    pub fn base_url(&self, hospital: &Hospital) -> String {
        self.codes.base_url(hospital)
    }
}

/// The address that WeChat calls for an account.
#[must_use]
pub fn callback_url(public_url: &str, channel: &Channel) -> String {
    format!("{}/wechat/{}", public_url.trim_end_matches('/'), channel.name)
}

/// The parts that the server joins: tables, statements, sweep. The routes are outside `/api`: see [`routes`].
#[must_use]
pub fn capability() -> Capability {
    Capability {
        name: "server",
        migrations: migrations(),
        statements: statements(),
        sweeps: vec![Arc::new(Forget)],
        ..Capability::default()
    }
}

/// The tables of the entrance.
#[must_use]
pub fn migrations() -> Vec<Migration> {
    vec![::store::migration!("server", "0001_entrance"), ::store::migration!("server", "0002_push_bundle")]
}

/// Its statements, for the test that prepares them all.
#[must_use]
pub fn statements() -> Vec<Sql> {
    store::all()
}

/// How many pushes wait to be worked on.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn backlog(db: &Db) -> Result<i64> {
    store::backlog(db).await
}

/// How many pushes were given up and wait for a person to look at them.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn failed(db: &Db) -> Result<i64> {
    store::failed(db).await
}

/// When an account's last push came in, as far as the last week goes.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn last_push(db: &Db, channel: &Channel) -> Result<Option<UnixMs>> {
    store::last(db, channel.hospital, channel.id).await
}

/// Removes pushes that are done, after a week: until then a copy of one is known for a copy.
struct Forget;

#[async_trait]
impl Sweep for Forget {
    fn name(&self) -> &'static str {
        "wechat_pushes"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(3600)
    }

    async fn run(&self, db: &Db) -> Result<bool, Failure> {
        let now = db.now();
        let removed =
            store::forget(db, now.minus(rules::REMEMBERED), now.minus(rules::FAILED_REMEMBERED)).await?;
        Ok(removed > 0)
    }
}
