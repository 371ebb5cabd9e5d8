//! Identity numbers: is this text a number of that kind, and what does it tell of its holder?
//!
//! Rules are those that hold in practice (GB 11643, the immigration administration's notices), not those of a library: region
//! codes below the province were abolished and people keep them, so only the first two digits are judged; people from Hong
//! Kong, Macau and Taiwan have numbers with 81 to 83 whatever their year of birth. "Today" is a parameter.
//!
//! A number passes when its form is right. Whether it is really the person's is for the hospital to see.

mod foreign;
pub mod mobile;
mod resident;
#[cfg(test)]
mod tests;

use base::{Date, mask};
use unicode_normalization::UnicodeNormalization as _;

use crate::model::{DocumentKind, Sex};

pub use mobile::Mobile;
pub use resident::from_15_digits;

/// Why a number is none of its kind. Where several hold, the first in this order is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Too long or too short.
    Length,
    /// A character where none of its sort can be.
    Format,
    /// The first two digits are no province.
    Region,
    /// The birth date is no date of the calendar.
    NotADate,
    /// The birth date lies before 1900.
    TooOld,
    /// The birth date lies after today.
    InFuture,
    /// The check character does not fit: most likely one digit is wrong.
    Checksum,
    /// The number may be right, but a passport's country is not three letters.
    Country,
}

impl Fault {
    /// The reason as the API tells it; what is wrong with a birth date is one reason.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Format | Self::Country => "format",
            Self::Region => "region_unknown_province",
            Self::NotADate | Self::TooOld | Self::InFuture => "birth_date",
            Self::Checksum => "checksum",
        }
    }
}

/// A document whose number has the right form.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    /// What it is. A resident number of 81 to 83 is a residence permit, whatever the person called it.
    pub kind: DocumentKind,
    /// Who issued it: ISO 3166-1, three letters. Only for passports.
    pub country: Option<String>,
    /// Normalised.
    pub number: String,
    /// The birth date that the number tells.
    pub birth: Option<Date>,
    /// The sex that the number tells.
    pub sex: Option<Sex>,
}

impl std::fmt::Debug for Document {
    /// Without the number.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Document({}, {})", self.kind.code(), self.masked())
    }
}

impl Document {
    /// Judges a number as a person typed it. Of a passport `country` must be three letters; of others it does not count.
    ///
    /// # Errors
    /// The first [`Fault`].
    pub fn parse(
        kind: DocumentKind,
        number: &str,
        country: Option<&str>,
        today: Date,
    ) -> Result<Self, Fault> {
        let number = normalise(number);
        let told = |kind, (birth, sex)| Self { kind, country: None, number: number.clone(), birth, sex };
        match kind {
            DocumentKind::ResidentId => {
                let told_of = resident::parse(&number, today)?;
                let kind = if resident::is_hmt(&number) { DocumentKind::HmtResidencePermit } else { kind };
                Ok(told(kind, told_of))
            }
            DocumentKind::HmtResidencePermit => {
                let told_of = resident::parse(&number, today)?;
                if resident::is_hmt(&number) { Ok(told(kind, told_of)) } else { Err(Fault::Region) }
            }
            DocumentKind::ForeignPermanentResident => Ok(told(kind, foreign::parse(&number, today)?)),
            DocumentKind::HkMacauPermit => {
                let rest = number.strip_prefix(['H', 'M']);
                length(&number, &[9, 11])?;
                digits(rest.ok_or(Fault::Format)?)?;
                Ok(told(kind, (None, None)))
            }
            DocumentKind::TaiwanPermit => {
                length(&number, &[8])?;
                digits(&number)?;
                Ok(told(kind, (None, None)))
            }
            DocumentKind::BirthCertificate => {
                length(&number, &[10])?;
                let rest = number.strip_prefix(|c: char| c.is_ascii_uppercase()).ok_or(Fault::Format)?;
                digits(rest)?;
                Ok(told(kind, (None, None)))
            }
            DocumentKind::Passport => {
                if !number.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()) {
                    return Err(Fault::Format);
                }
                length(&number, &(5..=20).collect::<Vec<_>>())?;
                let country = normalise(country.unwrap_or(""));
                if country.len() != 3 || !country.bytes().all(|b| b.is_ascii_uppercase()) {
                    return Err(Fault::Country);
                }
                Ok(Self { country: Some(country), ..told(kind, (None, None)) })
            }
        }
    }

    /// The text by which the same document is found again: what the number is unique within, and the number. Resident
    /// numbers and residence permits share one space of numbers.
    #[must_use]
    pub fn identity(&self) -> String {
        let space = match self.kind {
            DocumentKind::ResidentId | DocumentKind::HmtResidencePermit => "cn",
            other => other.code(),
        };
        format!("{space}|{}|{}", self.country.as_deref().unwrap_or(""), self.number)
    }

    /// The number with its middle covered.
    #[must_use]
    pub fn masked(&self) -> String {
        mask::document(&self.number)
    }

    /// The last four characters, by which people tell documents apart.
    #[must_use]
    pub fn tail(&self) -> String {
        tail(&self.number)
    }
}

/// The last four characters of a number.
#[must_use]
pub fn tail(number: &str) -> String {
    let count = number.chars().count();
    number.chars().skip(count.saturating_sub(4)).collect()
}

/// The form in which numbers are compared: full-width characters made plain, spaces, hyphens and invisible characters
/// dropped, letters upper-case.
#[must_use]
pub fn normalise(text: &str) -> String {
    text.nfkc()
        .flat_map(char::to_uppercase)
        .filter(|c| !c.is_whitespace() && !is_dash(*c) && !is_invisible(*c))
        .collect()
}

fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// Characters that come along when a number is copied from a chat or a document.
pub(crate) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

fn length(number: &str, allowed: &[usize]) -> Result<(), Fault> {
    if allowed.contains(&number.chars().count()) { Ok(()) } else { Err(Fault::Length) }
}

fn digits(text: &str) -> Result<(), Fault> {
    if text.bytes().all(|b| b.is_ascii_digit()) { Ok(()) } else { Err(Fault::Format) }
}

/// The date `YYYYMMDD` inside a number, from 1900 to today.
fn date_of(digits: &str, today: Date) -> Result<Date, Fault> {
    let part = |from: usize, to: usize| digits.get(from..to).and_then(|p| p.parse::<i16>().ok());
    let (year, month, day) = (part(0, 4), part(4, 6), part(6, 8));
    let date = match (year, month.map(i8::try_from), day.map(i8::try_from)) {
        (Some(year), Some(Ok(month)), Some(Ok(day))) => Date::new(year, month, day).ok(),
        _ => None,
    };
    let date = date.ok_or(Fault::NotADate)?;
    if date.year() < 1900 {
        return Err(Fault::TooOld);
    }
    if date > today { Err(Fault::InFuture) } else { Ok(date) }
}

/// ISO 7064 MOD 11-2 over 17 digits: the check character.
fn check_character(digits: &str) -> Option<char> {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let mut sum = 0_u32;
    let mut read = 0;
    for (c, weight) in digits.chars().zip(WEIGHTS) {
        sum += c.to_digit(10)? * weight;
        read += 1;
    }
    if read != WEIGHTS.len() {
        return None;
    }
    "10X98765432".chars().nth(usize::try_from(sum % 11).ok()?)
}
