//! Typed ids: UUID v7, so that new rows sort behind old ones.
//!
//! On the wire an id is its prefix, an underscore and 32 lower-case hex digits (`per_0198…`), so that a doctor's id in a
//! person's field is refused by its looks. In the database only the digits are kept.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which hospital a row belongs to. Small, and the first part of every key, so that a database can be split by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HospitalId(pub i64);

impl fmt::Display for HospitalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id that starts with `{prefix}_`")]
pub struct WrongId {
    /// The prefix that the text should have had.
    pub prefix: &'static str,
}

/// Reads the digits behind `prefix_`; `None` when the text has another shape.
pub fn parse_prefixed(prefix: &str, text: &str) -> Option<uuid::Uuid> {
    let digits = text.strip_prefix(prefix)?.strip_prefix('_')?;
    parse_digits(digits)
}

/// Reads 32 lower-case hex digits, the form that the database keeps.
pub fn parse_digits(digits: &str) -> Option<uuid::Uuid> {
    let plain =
        digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if plain { uuid::Uuid::try_parse(digits).ok() } else { None }
}

/// Declares typed ids: `typed_id! { /// A person. PersonId = "per"; }`.
#[macro_export]
macro_rules! typed_id {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub $crate::id::Uuid);

        impl $name {
            /// The prefix of the text form.
            pub const PREFIX: &'static str = $prefix;

            /// A new id, later in order than those made before it.
            #[must_use]
            pub fn new() -> Self {
                Self($crate::id::Uuid::now_v7())
            }

            /// The 32 hex digits that the database keeps.
            #[must_use]
            pub fn db(&self) -> String {
                self.0.simple().to_string()
            }

            /// Reads what [`Self::db`] wrote.
            ///
            /// # Errors
            /// When the text is not 32 lower-case hex digits.
            pub fn from_db(digits: &str) -> Result<Self, $crate::id::WrongId> {
                $crate::id::parse_digits(digits).map(Self).ok_or($crate::id::WrongId { prefix: $prefix })
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                write!(f, "{}_{}", $prefix, self.0.simple())
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(self, f)
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::id::WrongId;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::id::parse_prefixed($prefix, text).map(Self).ok_or($crate::id::WrongId { prefix: $prefix })
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <::std::borrow::Cow<'de, str> as ::serde::Deserialize>::deserialize(d)?;
                text.parse().map_err(::serde::de::Error::custom)
            }
        }
    )+};
}

pub use uuid::Uuid;

#[cfg(test)]
mod tests {
    typed_id! {
        /// A thing.
        ThingId = "thg";
    }

    #[test]
    fn text_and_back() {
        let id = ThingId::new();
        assert_eq!(id.to_string().parse::<ThingId>().unwrap(), id);
        assert_eq!(ThingId::from_db(&id.db()).unwrap(), id);
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{}_{}\"", ThingId::PREFIX, id.db()));
    }

    #[test]
    fn another_kind_or_shape_is_refused() {
        for bad in [
            "",
            "thg_",
            "per_0198c0de0000700080000000000000aa",
            "thg_0198C0DE0000700080000000000000AA",
            "thg_0198c0de-0000-7000-8000-0000000000aa",
        ] {
            assert!(bad.parse::<ThingId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn later_ids_sort_behind() {
        let ids: Vec<_> = (0..1000).map(|_| ThingId::new().db()).collect();
        assert!(ids.is_sorted());
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<ThingId>();
            let _ = ThingId::from_db(&text);
        }
    }
}
