//! Whether the rows agree with each other: what every capability derives again from its own, put together.

use ::store::check::{Found, LATE};
use ::store::{Db, Result};

use super::store;

/// What can be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The chain of the audit log.
    Audit,
    /// Places, appointments and numbers against each other.
    Stock,
    /// The ledger, and all that it must agree with.
    Ledger,
    /// Events, jobs, pushes and messages: each done, or waiting and not stuck; and everything that happened was told.
    Events,
}

impl Part {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 4] = [Self::Audit, Self::Stock, Self::Ledger, Self::Events];

    /// Its word on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Stock => "stock",
            Self::Ledger => "ledger",
            Self::Events => "events",
        }
    }
}

/// Looks at one part. Read-only, also while other programs use the database.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn look(db: &Db, part: Part) -> Result<Found> {
    match part {
        Part::Audit => ::store::check::chain(db).await,
        Part::Stock => booking::check::stock(db).await,
        Part::Ledger => billing::check::ledger(db).await,
        Part::Events => {
            let mut found = booking::check::told(db).await?;
            found.add(::store::check::work(db).await?);
            let now = db.now();
            found.add(store::pushes(db, now, now.minus(LATE)).await?);
            found.add(notify::check::messages(db).await?);
            Ok(found)
        }
    }
}

/// Looks at everything; gives what is wrong, each with the part that it belongs to.
///
/// # Errors
/// As [`look`].
pub async fn faults(db: &Db) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for part in Part::ALL {
        let found = look(db, part).await?;
        all.extend(found.faults.into_iter().map(|fault| format!("{}: {fault}", part.name())));
    }
    Ok(all)
}

/// The statements of these looks, for the test that prepares them on both databases.
#[must_use]
pub fn statements() -> Vec<::store::Sql> {
    store::ALL.to_vec()
}
