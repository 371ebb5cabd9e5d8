//! Our own numbers at the platforms, checked when made. Written down before first use and never used for anything else.

use std::fmt;

use serde::Serialize;

/// A number that a platform would refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadNumber(&'static str);

/// Our number of an order: 6–32 of `0-9 A-Z a-z _ - | *`, unique for ever at a merchant. Alipay takes fewer characters; see
/// [`OutTradeNo::is_plain`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct OutTradeNo(String);

/// Our number of a refund: 1–64 of the same and `@`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct OutRefundNo(String);

impl OutTradeNo {
    /// Checks length and alphabet.
    ///
    /// # Errors
    /// [`BadNumber`].
    pub fn new(text: impl Into<String>) -> Result<Self, BadNumber> {
        let text = text.into();
        let fits = (6..=32).contains(&text.len()) && text.bytes().all(|byte| usable(byte, b"_-|*"));
        if fits {
            Ok(Self(text))
        } else {
            Err(BadNumber("an order number is 6 to 32 of 0-9 A-Z a-z _ - | *"))
        }
    }

    /// Only letters, digits and `_`: what Alipay and WeChat both take.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.0.bytes().all(|byte| usable(byte, b"_"))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl OutRefundNo {
    /// Checks length and alphabet.
    ///
    /// # Errors
    /// [`BadNumber`].
    pub fn new(text: impl Into<String>) -> Result<Self, BadNumber> {
        let text = text.into();
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(|byte| usable(byte, b"_-|*@"));
        if fits {
            Ok(Self(text))
        } else {
            Err(BadNumber("a refund number is 1 to 64 of 0-9 A-Z a-z _ - | * @"))
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn usable(byte: u8, beside: &[u8]) -> bool {
    byte.is_ascii_alphanumeric() || beside.contains(&byte)
}

impl fmt::Display for OutTradeNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for OutRefundNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_alphabets() {
        assert!(OutTradeNo::new("A|B*C_1-2").is_ok_and(|no| !no.is_plain()));
        assert!(OutTradeNo::new("REG_2026").is_ok_and(|no| no.is_plain()));
        for bad in ["short", "", "has blank 1", "挂号2026", &"x".repeat(33)] {
            assert!(OutTradeNo::new(bad).is_err(), "{bad}");
        }
        assert!(OutRefundNo::new("r@1").is_ok());
        assert!(OutRefundNo::new("r#1").is_err() && OutRefundNo::new("x".repeat(65)).is_err());
    }
}
