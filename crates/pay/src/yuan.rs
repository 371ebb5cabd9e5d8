//! Yuan as text on the wire, fen inside. Exact or an error; never through a float.

use base::Fen;

/// A text that is no amount in yuan with at most two decimals, or does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an amount in yuan")]
pub struct NotYuan;

/// Reads `12`, `12.5`, `12.50`. No sign, blanks, grouping, exponent, bare point, or digits other than ASCII's.
///
/// # Errors
/// [`NotYuan`].
pub fn parse(text: &str) -> Result<Fen, NotYuan> {
    scaled(text, 2).map(Fen)
}

/// As [`parse`], with a minus in front allowed: bills write refunds so.
///
/// # Errors
/// [`NotYuan`].
pub fn parse_signed(text: &str) -> Result<Fen, NotYuan> {
    signed(text, 2).map(Fen)
}

/// Reads a fee of a bill: up to five decimals, in thousandths of a fen.
///
/// # Errors
/// [`NotYuan`].
pub fn parse_fee(text: &str) -> Result<i64, NotYuan> {
    signed(text, 5)
}

/// Writes an amount for the wire: `12.50`.
#[must_use]
pub fn write(amount: Fen) -> String {
    amount.yuan()
}

fn signed(text: &str, decimals: u32) -> Result<i64, NotYuan> {
    match text.strip_prefix('-') {
        Some(rest) => scaled(rest, decimals)?.checked_neg().ok_or(NotYuan),
        None => scaled(text, decimals),
    }
}

fn scaled(text: &str, decimals: u32) -> Result<i64, NotYuan> {
    let (whole, part) = match text.split_once('.') {
        Some((whole, part)) if !part.is_empty() => (whole, part),
        Some(_) => return Err(NotYuan),
        None => (text, ""),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let given = u32::try_from(part.len()).map_err(|_| NotYuan)?;
    if whole.is_empty() || !digits(whole) || !digits(part) || given > decimals {
        return Err(NotYuan);
    }
    let number = |text: &str| if text.is_empty() { Ok(0) } else { text.parse::<i64>().map_err(|_| NotYuan) };
    let scale = |by: u32| 10_i64.checked_pow(by).ok_or(NotYuan);
    let whole = number(whole)?.checked_mul(scale(decimals)?).ok_or(NotYuan)?;
    let part = number(part)?.checked_mul(scale(decimals - given)?).ok_or(NotYuan)?;
    whole.checked_add(part).ok_or(NotYuan)
}

/// An amount that some deployments write as a text and others as a JSON number; read by its characters either way.
pub(crate) mod tolerant {
    use base::Fen;
    use serde::{Deserialize, Deserializer, de};
    use serde_json::value::RawValue;

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Fen, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        super::parse(raw.get().trim_matches('"')).map_err(de::Error::custom)
    }

    pub(crate) fn default() -> Fen {
        Fen::ZERO
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fees_have_more_places_than_amounts() {
        assert_eq!(parse_fee("-0.08000"), Ok(-8_000));
        assert_eq!(parse_fee("2.34"), Ok(234_000));
        assert_eq!(parse_signed("-12.50"), Ok(Fen(-1250)));
        assert_eq!(parse_signed("--1"), Err(NotYuan));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(fen in 0..i64::MAX) {
            prop_assert_eq!(parse(&write(Fen(fen))), Ok(Fen(fen)));
            prop_assert_eq!(parse_signed(&write(Fen(-fen))), Ok(Fen(-fen)));
        }

        #[test]
        fn nothing_panics(text in ".{0,24}") {
            if let Ok(fen) = parse(&text) {
                prop_assert!(fen >= Fen::ZERO && !text.contains(['+', '-', ' ', 'e']));
            }
        }
    }
}
