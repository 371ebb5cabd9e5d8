//! What can go wrong with the database.

use base::Problem;

/// A failure of the store. Its text is for the log; people get a [`Problem`].
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database can't be reached, is shutting down, is out of space or too busy. The same command may be sent again.
    #[error("the database is not available")]
    Unavailable(#[source] sqlx::Error),
    /// Another transaction was in the way (deadlock, serialisation). The same command may be sent again at once.
    #[error("another transaction was in the way")]
    Retry(#[source] sqlx::Error),
    /// A constraint of the schema was violated. Expected conflicts never come here: they use `ON CONFLICT DO NOTHING`.
    #[error("constraint {constraint} violated")]
    Constraint {
        /// Its name on PostgreSQL, the columns on SQLite.
        constraint: String,
        /// The database's own error.
        #[source]
        source: sqlx::Error,
    },
    /// A row that had to be there was not.
    #[error("no row")]
    NoRow,
    /// A value in the database has a shape that this program does not know.
    #[error("column {column}: {what}")]
    Decode {
        /// The column.
        column: String,
        /// What is wrong with it.
        what: String,
    },
    /// A sealed value could not be opened or a value could not be sealed.
    #[error("sealed value: {0}")]
    Sealed(&'static str),
    /// A migration in the database is not the one that this program carries, or could not be applied.
    #[error("migration {0}")]
    Migration(String),
    /// Anything else.
    #[error("database")]
    Other(#[source] sqlx::Error),
    /// Settings that can't work.
    #[error("{0}")]
    Config(String),
    /// The commit that this command shared with others did not go through; none of it happened.
    #[error("the shared commit failed: {0}")]
    SharedCommit(String),
}

impl StoreError {
    /// Whether the same command may succeed when it is simply sent again.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Retry(_) | Self::SharedCommit(_))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match &error {
            E::RowNotFound => Self::NoRow,
            E::Io(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed | E::Tls(_) => {
                Self::Unavailable(error)
            }
            E::Database(db) => {
                let code = db.code().unwrap_or_default().into_owned();
                let constraint = db.constraint().map_or_else(|| db.message().to_owned(), ToOwned::to_owned);
                match code.as_str() {
                    // PostgreSQL: serialisation failure, deadlock, lock not available.
                    "40001" | "40P01" | "55P03" => Self::Retry(error),
                    // PostgreSQL: shutdown, cannot connect now, too many connections, disk full, out of memory,
                    // a primary that became a standby (read-only transaction).
                    "57P01" | "57P02" | "57P03" | "53300" | "53100" | "53200" | "25006" => {
                        Self::Unavailable(error)
                    }
                    // SQLite (primary codes and the extended ones of busy and I/O): busy, locked, I/O error, full, cannot open.
                    "5" | "6" | "261" | "262" | "517" | "10" | "13" | "14" | "266" | "522" | "778"
                    | "1034" | "1290" => Self::Unavailable(error),
                    _ if db.is_unique_violation()
                        || db.is_check_violation()
                        || db.is_foreign_key_violation() =>
                    {
                        Self::Constraint { constraint, source: error }
                    }
                    _ => Self::Other(error),
                }
            }
            _ => Self::Other(error),
        }
    }
}

impl From<StoreError> for Problem {
    /// What a person is told: "try again" when that helps, else that it is our fault. The cause goes to the log.
    fn from(error: StoreError) -> Self {
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        if error.is_transient() {
            tracing::warn!(error = %error, cause, "the database could not serve a command");
            Self::unavailable(2)
        } else {
            tracing::error!(error = %error, cause, "a command failed in the database");
            Self::internal()
        }
    }
}
