//! Resident identity numbers (GB 11643) and residence permits, which have the same form: 6 region, 8 birth date, 3 sequence
//! (odd for men), 1 check character.

use base::Date;

use super::{Fault, check_character, date_of, normalise};
use crate::model::Sex;

/// The provinces by their first two digits; 71 is Taiwan, 81 to 83 are the residence permits.
const PROVINCES: [&str; 35] = [
    "11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41", "42",
    "43", "44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71", "81", "82",
    "83",
];

/// Judges a normalised number of 18 characters; gives what it tells.
pub(super) fn parse(number: &str, today: Date) -> Result<(Option<Date>, Option<Sex>), Fault> {
    if number.chars().count() != 18 {
        return Err(Fault::Length);
    }
    // Not ASCII would be sliced in the middle of a character below.
    let (body, check) = match (number.get(..17), number.get(17..)) {
        (Some(body), Some(check)) => (body, check),
        _ => return Err(Fault::Format),
    };
    let plain =
        body.bytes().all(|b| b.is_ascii_digit()) && check.bytes().all(|b| b.is_ascii_digit() || b == b'X');
    if !plain {
        return Err(Fault::Format);
    }
    if !body.get(..2).is_some_and(|p| PROVINCES.contains(&p)) {
        return Err(Fault::Region);
    }
    let birth = date_of(body.get(6..14).unwrap_or(""), today)?;
    if !check_character(body).is_some_and(|c| check.starts_with(c)) {
        return Err(Fault::Checksum);
    }
    let odd = body.chars().nth(16).and_then(|c| c.to_digit(10)).is_some_and(|d| d % 2 == 1);
    Ok((Some(birth), Some(if odd { Sex::Male } else { Sex::Female })))
}

/// Whether a number is that of a residence permit.
pub(super) fn is_hmt(number: &str) -> bool {
    ["81", "82", "83"].iter().any(|prefix| number.starts_with(prefix))
}

/// The 18 characters that a number of the first generation (15 digits) became. No such document is valid since 2013: this
/// is only for finding old records.
///
/// # Errors
/// The first [`Fault`].
pub fn from_15_digits(text: &str, today: Date) -> Result<String, Fault> {
    let old = normalise(text);
    if old.chars().count() != 15 {
        return Err(Fault::Length);
    }
    let (Some(region), Some(rest)) = (old.get(..6), old.get(6..)) else { return Err(Fault::Format) };
    if !old.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Fault::Format);
    }
    let body = format!("{region}19{rest}");
    let number = format!("{body}{}", check_character(&body).ok_or(Fault::Format)?);
    parse(&number, today)?;
    Ok(number)
}
