//! Patients whom the demonstration hospital knows already, so that binding by name, phone and code can be tried. Their
//! numbers fit the rules, but carry region codes (`xx0000`) that no real card has.

use base::Date;
use edge::Hospital;
use people::documents::{Document, Mobile};
use people::model::{DocumentKind, Sex};
use people::names::RealName;
use people::patients::{self, NewPatient};
use server::App;

use super::name;

/// How many are put on file in one transaction.
const AT_ONCE: usize = 200;

/// An invented patient.
pub(crate) struct Patient {
    pub(crate) name: String,
    pub(crate) number: String,
    pub(crate) phone: String,
}

/// The `nth` patient.
pub(crate) fn patient(nth: usize) -> Patient {
    let born = birth(nth);
    let province = ["11", "31", "32", "33", "44", "51"].get(nth % 6).copied().unwrap_or("31");
    let body = format!("{province}0000{}{:03}", born.strftime("%Y%m%d"), (nth * 37) % 1000);
    Patient {
        name: name(1_000 + nth).zh,
        number: format!("{body}{}", check_character(&body)),
        phone: format!("139{nth:08}"),
    }
}

/// People of all ages, children among them.
fn birth(nth: usize) -> Date {
    let year = i16::try_from(1940 + (nth * 29) % 84).unwrap_or(1980);
    let month = i8::try_from(1 + (nth * 5) % 12).unwrap_or(1);
    let day = i8::try_from(1 + (nth * 11) % 28).unwrap_or(1);
    Date::new(year, month, day).unwrap_or(Date::constant(1980, 1, 1))
}

/// ISO 7064 MOD 11-2, as GB 11643 has it.
pub(crate) fn check_character(body: &str) -> char {
    let weights = [7_u32, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = body.chars().filter_map(|c| c.to_digit(10)).zip(weights).map(|(d, w)| d * w).sum();
    "10X98765432".chars().nth(usize::try_from(sum % 11).unwrap_or(0)).unwrap_or('0')
}

/// Puts the first `count` on file; those who are there stay as they are.
pub(super) async fn fill(app: &App, hospital: &Hospital, count: usize) -> anyhow::Result<()> {
    let today = hospital.zone.date(app.db.now());
    let mut at = 0;
    while at < count {
        let mut tx = app.db.begin().await?;
        for nth in at..count.min(at + AT_ONCE) {
            let patient = patient(nth);
            let wrong = |what: &str| anyhow::anyhow!("{what} of the invented patient {nth}");
            let new = NewPatient {
                name: RealName::parse(&patient.name).ok_or_else(|| wrong("name"))?,
                document: Some(
                    Document::parse(DocumentKind::ResidentId, &patient.number, None, today)
                        .map_err(|_| wrong("number"))?,
                ),
                birth: None,
                sex: Sex::Unknown,
                phone: Some(Mobile::parse(&patient.phone).ok_or_else(|| wrong("phone"))?),
                verified: true,
            };
            patients::add(&mut tx, &app.vault, hospital.id, &new).await?;
        }
        tx.commit().await?;
        at += AT_ONCE;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_invented_numbers_fit_the_rules() {
        let today = Date::constant(2026, 11, 21);
        for nth in 0..3_000 {
            let patient = patient(nth);
            assert!(
                Document::parse(DocumentKind::ResidentId, &patient.number, None, today).is_ok(),
                "{}",
                patient.number
            );
            assert!(RealName::parse(&patient.name).is_some() && Mobile::parse(&patient.phone).is_some());
        }
    }
}
