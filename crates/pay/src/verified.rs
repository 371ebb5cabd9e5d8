//! Proof by type.

use std::ops::Deref;

/// Something that a platform has really said: its signature (or, for a bill, the hash that a signed answer gave) was checked
/// over the bytes as they came. Only the verifiers of this crate can make one, so a function that takes `Verified<T>`
/// can't be handed a guess, a front end's word or an unsigned answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T> {
    value: T,
    by: String,
}

impl<T> Verified<T> {
    /// For verifiers: call it on the line after the check, nowhere else.
    pub(crate) fn seal(value: T, by: impl Into<String>) -> Self {
        Self { value, by: by.into() }
    }

    /// Which key, certificate or hash proved it.
    #[must_use]
    pub fn by(&self) -> &str {
        &self.by
    }

    /// Gives the value up; the proof is gone then.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The same proof for a part of what was proved.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Verified<U> {
        Verified { value: f(self.value), by: self.by }
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
