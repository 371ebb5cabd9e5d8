//! Persons and codes as they look on the wire.

use base::{Date, UnixMs};
use edge::Hospital;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::documents::Mobile;
use crate::model::{DocumentKind, PersonId, Relation, Sex};
use crate::persons::Shown;
use crate::refusal::Refusal;
use crate::rules;

/// A language, for the API description: `base` itself knows no HTTP.
#[derive(ToSchema)]
#[schema(as = Lang)]
#[expect(dead_code, reason = "describes base::Lang, which goes over the wire in its place")]
pub(crate) enum LangSchema {
    /// Chinese.
    #[schema(rename = "zh")]
    Zh,
    /// English.
    #[schema(rename = "en")]
    En,
}

/// A document as its holder is shown it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PersonDocument {
    /// What it is.
    kind: DocumentKind,
    /// The number with its middle covered.
    number_masked: String,
}

/// A person of the account.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Person {
    /// Its id, `per_…`.
    #[schema(value_type = String)]
    pub(super) id: PersonId,
    /// The full name: this answer goes to the person's own account only.
    name: String,
    /// The name as others may see it.
    name_masked: String,
    /// What the person is to the holder of the account.
    relation: Relation,
    /// Whether this person is meant when none is named.
    pub(super) is_default: bool,
    /// The main document; null when none is on file.
    #[schema(required = false)]
    document: Option<PersonDocument>,
    /// The phone on file with its middle covered; empty when none is.
    phone_masked: String,
    /// The birth date.
    #[schema(value_type = Option<String>, format = Date, required = false)]
    birth_date: Option<Date>,
    /// The sex.
    sex: Sex,
    /// Whole years.
    #[schema(required = false)]
    age: Option<i16>,
    /// Whether the person is younger than 18.
    minor: bool,
    /// Whether the hospital has seen the document itself.
    verified: bool,
    /// Whether an appointment can be made online.
    bookable: bool,
    /// Why not: `document_missing`.
    #[schema(required = false)]
    why_not_bookable: Option<&'static str>,
    /// Since when the person is on the list.
    #[schema(format = DateTime)]
    bound_at: String,
}

impl Person {
    pub(super) fn new(hospital: &Hospital, now: UnixMs, shown: Shown) -> Self {
        let Shown { known, name } = shown;
        let age = rules::age(known.bound.birth_date, hospital.zone.date(now));
        let document = known.bound.document_kind.zip(known.number_masked);
        let why_not_bookable = rules::why_not_bookable(document.is_some());
        Self {
            id: known.bound.person,
            name,
            name_masked: known.bound.name_masked,
            relation: known.bound.relation,
            is_default: known.bound.is_default,
            document: document.map(|(kind, number_masked)| PersonDocument { kind, number_masked }),
            phone_masked: known.phone_masked.unwrap_or_default(),
            birth_date: known.bound.birth_date,
            sex: known.bound.sex,
            age,
            minor: age.is_some_and(|a| a < rules::ADULT_FROM),
            verified: known.bound.verified,
            bookable: why_not_bookable.is_none(),
            why_not_bookable,
            bound_at: hospital.rfc3339(known.bound.bound_at),
        }
    }
}

/// A phone that is to get a code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PhoneOnly {
    /// A mobile number of mainland China, however it is written.
    pub(super) phone: String,
}

/// A code was sent.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CodeSent {
    /// The next one may be asked for after so many seconds.
    pub(super) resend_after_s: u32,
    /// It holds for so many seconds.
    pub(super) expires_in_s: u32,
}

/// Reads a mobile number.
pub(super) fn mobile(text: &str) -> Result<Mobile, Refusal> {
    Mobile::parse(text).ok_or(Refusal::Phone)
}
