//! The foreign permanent resident's identity card. Both forms are valid side by side.
//!
//! - 2023: 18 digits as those of residents: `9`, province 2, country 3 (ISO 3166-1 numeric), birth date 8, sequence 3, check.
//!   Which sequence numbers are whose sex is not published, so none is told.
//! - 2017: 3 letters of the country and 12 digits. The rule of its check digit is not published: its form alone is judged.

use base::Date;

use super::{Fault, check_character, date_of, digits};
use crate::model::Sex;

pub(super) fn parse(number: &str, today: Date) -> Result<(Option<Date>, Option<Sex>), Fault> {
    match (number.chars().next(), number.chars().count()) {
        (Some(first), 15) if first.is_ascii_uppercase() => old_form(number),
        (Some('9'), 18) => new_form(number, today),
        (_, 15 | 18) => Err(Fault::Format),
        _ => Err(Fault::Length),
    }
}

fn old_form(number: &str) -> Result<(Option<Date>, Option<Sex>), Fault> {
    let (Some(country), Some(rest)) = (number.get(..3), number.get(3..)) else { return Err(Fault::Format) };
    if !country.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err(Fault::Format);
    }
    digits(rest)?;
    Ok((None, None))
}

fn new_form(number: &str, today: Date) -> Result<(Option<Date>, Option<Sex>), Fault> {
    let (Some(body), Some(check)) = (number.get(..17), number.get(17..)) else { return Err(Fault::Format) };
    digits(body)?;
    if !check.bytes().all(|b| b.is_ascii_digit() || b == b'X') {
        return Err(Fault::Format);
    }
    let birth = date_of(body.get(6..14).unwrap_or(""), today)?;
    if check_character(body).is_some_and(|c| check.starts_with(c)) {
        Ok((Some(birth), None))
    } else {
        Err(Fault::Checksum)
    }
}
