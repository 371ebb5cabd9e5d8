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
    /// The command goes on although something in it failed, or was left half way. None of it happened.
    #[error("the command went on after a failure")]
    Over,
    /// A text holds a NUL character, which can't be kept.
    #[error("a text holds a NUL character")]
    Nul,
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
            E::Database(db) => match nature(&**db) {
                Nature::Retry => Self::Retry(error),
                Nature::Unavailable => Self::Unavailable(error),
                Nature::Constraint => {
                    let constraint =
                        db.constraint().map_or_else(|| db.message().to_owned(), ToOwned::to_owned);
                    Self::Constraint { constraint, source: error }
                }
                Nature::Other => Self::Other(error),
            },
            _ => Self::Other(error),
        }
    }
}

enum Nature {
    Retry,
    Unavailable,
    Constraint,
    Other,
}

fn nature(error: &dyn sqlx::error::DatabaseError) -> Nature {
    let code = error.code().unwrap_or_default();
    if error.is_unique_violation() || error.is_check_violation() || error.is_foreign_key_violation() {
        return Nature::Constraint;
    }
    if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        // The low byte is the primary code: busy, locked, out of memory, I/O error, disk full, can't open.
        let primary = code.parse::<u32>().unwrap_or(0) & 0xff;
        return if matches!(primary, 5 | 6 | 7 | 10 | 13 | 14) { Nature::Unavailable } else { Nature::Other };
    }
    match &*code {
        // Serialisation failure, deadlock, lock not available.
        "40001" | "40P01" | "55P03" => Nature::Retry,
        // Shutdown and crash, a statement that was cancelled, a transaction that was idle too long, a primary that became a
        // standby; the classes of connection trouble and of missing resources (disk, memory, connections).
        "57P01" | "57P02" | "57P03" | "57P05" | "57014" | "25P03" | "25006" => Nature::Unavailable,
        code if code.starts_with("08") || code.starts_with("53") => Nature::Unavailable,
        _ => Nature::Other,
    }
}

impl From<StoreError> for Problem {
    /// What a person is told: "try again" when that helps, else that it is our fault. The cause goes to the log.
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::Nul) {
            return Self::new(
                base::Kind::Invalid,
                "text_invalid",
                "文字里有无法保存的字符，请修改后再试。",
                "The text contains a character that can't be stored. Please change it and try again.",
            );
        }
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
