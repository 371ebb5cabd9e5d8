//! Invented people with papers that pass every check.

use std::sync::atomic::{AtomicU32, Ordering};

use base::Date;
use serde_json::{Value, json};

/// A person as they would fill in the form.
#[derive(Debug, Clone)]
pub struct Someone {
    /// The real name.
    pub name: String,
    /// `resident_id` and the like.
    pub document_kind: String,
    /// The number.
    pub number: String,
    /// The birth date.
    pub birth: Date,
    /// What they are to the holder of the phone.
    pub relation: String,
    /// Whether the hospital has no phone of theirs on file.
    pub without_phone: bool,
}

impl Someone {
    /// A woman born in 1990, with a resident identity number of her own.
    #[must_use]
    pub fn adult(name: &str) -> Self {
        Self::born(name, "1990-03-07")
    }

    /// A child of six.
    #[must_use]
    pub fn child(name: &str) -> Self {
        Self::born(name, "2020-05-01").who_is("child")
    }

    /// Somebody born on a day, with a number that no other has in this test.
    ///
    /// # Panics
    /// When that is no date.
    #[must_use]
    pub fn born(name: &str, birth: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let birth: Date = birth.parse().expect("a birth date");
        let nth = NEXT.fetch_add(1, Ordering::SeqCst);
        // Region and sequence together keep the numbers of a birth date apart; an even sequence is a woman's.
        let (region, sequence) = (310_101 + nth / 499, (nth % 499) * 2);
        let body = format!("{region}{}{sequence:03}", birth.strftime("%Y%m%d"));
        let number = format!("{body}{}", check_character(&body));
        Self {
            name: name.into(),
            document_kind: "resident_id".into(),
            number,
            birth,
            relation: "self".into(),
            without_phone: false,
        }
    }

    /// The same person as somebody else's relative.
    #[must_use]
    pub fn who_is(mut self, relation: &str) -> Self {
        self.relation = relation.into();
        self
    }

    /// The same person, of whom no phone is on file.
    #[must_use]
    pub fn without_phone(mut self) -> Self {
        self.without_phone = true;
        self
    }

    /// The same person with another document.
    #[must_use]
    pub fn with_document(mut self, kind: &str, number: &str) -> Self {
        (self.document_kind, self.number) = (kind.into(), number.into());
        self
    }

    /// The form, filled in; `code` is what was sent to `phone`.
    #[must_use]
    pub fn form(&self, phone: &str, code: &str) -> Value {
        let mut form = json!({
            "name": self.name, "document": {"kind": self.document_kind, "number": self.number},
            "phone": phone, "code": code, "relation": self.relation, "consent_version": "2026-11",
        });
        if self.relation == "child" {
            form["guardian_consent"] = json!(true);
            if self.document_kind == "resident_id" {
                // A social-security card carries the number of its holder's document.
                form["card"] = json!({"kind": "insurance", "number": self.number});
            }
        }
        if self.document_kind != "resident_id" {
            form["birth_date"] = json!(self.birth.to_string());
            form["sex"] = json!("female");
        }
        if self.document_kind == "passport" {
            form["document"]["country"] = json!("FRA");
        }
        form
    }
}

/// The last character of a resident identity number (GB 11643).
fn check_character(body: &str) -> char {
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let digits = body.chars().filter_map(|c| c.to_digit(10));
    let sum: u32 = digits.zip(weights).map(|(digit, weight)| digit * weight).sum();
    let at = usize::try_from(sum % 11).expect("a small number");
    "10X98765432".chars().nth(at).expect("one of eleven")
}

#[cfg(test)]
mod tests {
    use people::DocumentKind;
    use people::documents::Document;

    use super::*;

    #[test]
    fn their_numbers_are_true_ones_and_differ() {
        let numbers: std::collections::HashSet<String> = (0..1_000)
            .map(|_| Someone::adult("李娜").number)
            .inspect(|number| {
                let today = "2026-11-23".parse().unwrap();
                let read = Document::parse(DocumentKind::ResidentId, number, None, today).unwrap();
                assert_eq!(read.birth, Some("1990-03-07".parse().unwrap()));
            })
            .collect();
        assert_eq!(numbers.len(), 1_000);
    }
}
