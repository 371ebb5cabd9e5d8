//! Database, transactions, migrations, events, jobs, leases, sealed fields and the audit chain: the kernel that every
//! capability keeps its state in.
//!
//! **One text, two databases.** [`Db`] is SQLite (embedded) or PostgreSQL. A statement is a [`Sql`] constant declared with
//! [`statements!`]; it uses `$1`, BIGINT and TEXT, and the same text serves both wherever it can. A test of each capability
//! prepares all of its statements on both.
//!
//! **Every change is a [`Tx`].** On SQLite all transactions that wait at the same time share one commit, and so one fsync
//! ([`sqlite`] tells how); on PostgreSQL each is its own. Nothing but the database may be awaited while a `Tx` is open.
//!
//! **What follows from a change leaves with it.** [`Tx::publish`] writes an event, [`Tx::at`] a job, [`Tx::audit`] an entry
//! of the audit log, [`Tx::touch`] wakes live readers: all of that is there exactly when the change is.
//!
//! **Invariant:** nothing in this crate knows HTTP, WeChat or a hospital's rules.

pub mod audit;
mod caught;
pub mod check;
pub mod db;
pub mod error;
pub mod events;
pub mod failed;
pub mod fault;
pub mod jobs;
pub mod lease;
pub mod live;
pub mod migrate;
mod people;
pub mod sql;
mod sqlite;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tx;
pub mod value;
pub mod vault;

pub use audit::AuditEntry;
pub use base;
pub use db::{Backend, Db, DbConfig};
pub use error::StoreError;
pub use events::{Event, NewEvent, Subscriber};
pub use jobs::{Job, JobHandler, NewJob, Sweep};
pub use lease::Lease;
pub use live::{Live, Topic};
pub use migrate::Migration;
pub use sql::Sql;
pub use tx::Tx;
pub use value::{FromRow, FromValue, Row, ToValue, Value};
pub use vault::{Sealed, Vault};

/// What a store function gives.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The kernel's own tables.
#[must_use]
pub fn migrations() -> Vec<Migration> {
    let both = |name, text| Migration { capability: "store", name, sqlite: text, postgres: text };
    vec![
        Migration {
            capability: "store",
            name: "0001_kernel",
            sqlite: include_str!("../migrations/0001_kernel.sqlite.sql"),
            postgres: include_str!("../migrations/0001_kernel.postgres.sql"),
        },
        both("0002_job_again", include_str!("../migrations/0002_job_again.sql")),
        both("0003_audit_head", include_str!("../migrations/0003_audit_head.sql")),
        both("0004_failed_work", include_str!("../migrations/0004_failed_work.sql")),
    ]
}

/// The kernel's own statements, for the test that prepares them all.
#[must_use]
pub fn statements() -> Vec<Sql> {
    [audit::ALL, check::ALL, events::ALL, failed::ALL, jobs::ALL, lease::ALL, live::ALL, migrate::ALL]
        .concat()
}
