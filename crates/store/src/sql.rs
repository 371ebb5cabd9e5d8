//! Statements as constants.

/// A statement, in the words of each database. Nearly always they are the same.
#[derive(Debug, Clone, Copy)]
pub struct Sql {
    /// How it is called in the code that uses it; the test that prepares all statements names it when it fails.
    pub name: &'static str,
    /// For SQLite.
    pub sqlite: &'static str,
    /// For PostgreSQL.
    pub postgres: &'static str,
}

/// Declares the statements of a module as [`Sql`] constants, and `ALL` of them together.
///
/// ```ignore
/// store::statements! {
///     GET = "SELECT name FROM person WHERE hospital_id = $1 AND id = $2";
///     CLAIM = sqlite "…" postgres "… FOR UPDATE SKIP LOCKED";
/// }
/// ```
#[macro_export]
macro_rules! statements {
    (@one $name:ident, $text:expr) => {
        $crate::Sql { name: stringify!($name), sqlite: $text, postgres: $text }
    };
    (@one $name:ident, $sqlite:expr, $postgres:expr) => {
        $crate::Sql { name: stringify!($name), sqlite: $sqlite, postgres: $postgres }
    };
    ($($name:ident = $(sqlite)? $first:literal $(postgres $second:literal)?;)+) => {
        $(pub(crate) const $name: $crate::Sql = $crate::statements!(@one $name, $first $(, $second)?);)+
        /// Every statement of this module, for the test that prepares them on both databases.
        pub(crate) const ALL: &[$crate::Sql] = &[$($name),+];
    };
}
