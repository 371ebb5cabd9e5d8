//! The persons of an account.

use axum::Json;
use axum::extract::State;
use base::Date;
use edge::problem::ProblemBody;
use edge::{Account, ApiJson, ApiPath, ApiQuery, ApiResult};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::cards::NewCard;
use super::wire::{CodeSent, Person, PhoneOnly, mobile};
use crate::PeopleDeps;
use crate::cards::CardNumber;
use crate::documents::{Document, Mobile};
use crate::model::{CodePurpose, DocumentKind, PersonId, Relation, Sex};
use crate::names::RealName;
use crate::persons::{self, Change, Consent};
use crate::refusal::Refusal;
use crate::settings::PersonRules;
use crate::sms_code::{self, Ask};

/// All persons of the account.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Persons {
    /// The default one first, then in the order in which they came.
    items: Vec<Person>,
    /// The most that there can be.
    limit: u32,
}

/// A document as it was typed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDocument {
    /// What it is.
    kind: DocumentKind,
    /// Its number, however it is written.
    number: String,
    /// Who issued a passport: three letters (ISO 3166-1), as they stand on it.
    #[serde(default)]
    country: Option<String>,
}

/// A person to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPerson {
    /// The real name.
    name: String,
    /// The document.
    document: NewDocument,
    /// Needed where the document does not tell it: permits, passports, birth certificates, the permanent resident's card of
    /// 2017. Elsewhere the document counts.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    birth_date: Option<Date>,
    /// Needed where the document does not tell it, except for permanent residents.
    #[serde(default)]
    sex: Option<Sex>,
    /// A mobile number of mainland China.
    phone: String,
    /// The code that was sent to it.
    code: String,
    /// What the person is to the holder of the account.
    relation: Relation,
    /// The version of the consent that was agreed to.
    consent_version: String,
    /// Whether the guardian of a child under 14 agreed separately.
    #[serde(default)]
    guardian_consent: bool,
    /// Whether this is a child, who is registered with a number of its own: an adult's is refused.
    #[serde(default)]
    as_child: bool,
    /// A card to register with them, as `POST /persons/{id}/cards` does. Children's departments ask for the child's own.
    #[serde(default)]
    card: Option<NewCard>,
}

/// A person on file to be bound.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BindPerson {
    /// The real name.
    name: String,
    /// The phone that the hospital has on file.
    phone: String,
    /// The code that was sent to it.
    code: String,
    /// The last four characters of the document, after `document_needed`.
    #[serde(default)]
    document_last4: Option<String>,
    /// What the person is to the holder of the account.
    relation: Relation,
    /// The version of the consent that was agreed to.
    consent_version: String,
    /// Whether the guardian of a child under 14 agreed separately.
    #[serde(default)]
    guardian_consent: bool,
}

/// What is to be changed; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonPatch {
    /// Whether this person is meant when none is named.
    #[serde(default)]
    is_default: Option<bool>,
    /// What the person is to the holder of the account.
    #[serde(default)]
    relation: Option<Relation>,
}

/// Whether the caller knows that appointments stay.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Confirm {
    /// Unbind although there are appointments to come; they stay valid.
    #[serde(default)]
    confirm: bool,
}

/// The persons of the account.
#[utoipa::path(get, path = "/api/v1/persons", tag = "persons", responses(
    (status = 200, body = Persons), (status = 401, body = ProblemBody)))]
pub(super) async fn list(State(deps): State<PeopleDeps>, who: Account) -> ApiResult<Json<Persons>> {
    let shown = persons::list(&deps, &who.caller, who.id).await?;
    let rules: PersonRules = who.caller.hospital.settings(PersonRules::SECTION);
    let now = deps.db.now();
    let items = shown.into_iter().map(|s| Person::new(&who.caller.hospital, now, s)).collect();
    Ok(Json(Persons { items, limit: rules.per_account }))
}

/// Sends a code by which a phone is proven for a person.
#[utoipa::path(post, path = "/api/v1/persons/code", tag = "persons", request_body = PhoneOnly, responses(
    (status = 202, body = CodeSent), (status = 422, body = ProblemBody), (status = 429, body = ProblemBody)))]
pub(super) async fn send_code(
    State(deps): State<PeopleDeps>,
    who: Account,
    ApiJson(body): ApiJson<PhoneOnly>,
) -> ApiResult<(StatusCode, Json<CodeSent>)> {
    let phone = mobile(&body.phone)?;
    let caller = &who.caller;
    let ask =
        Ask { phone: &phone, purpose: CodePurpose::Person, account: Some(who.id), source: &caller.source };
    let sent =
        sms_code::send(&deps.db, &deps.vault, &*deps.send_code, &caller.hospital, &ask, caller.lang).await?;
    let body = CodeSent { resend_after_s: sent.resend_after_s, expires_in_s: sent.expires_in_s };
    Ok((StatusCode::ACCEPTED, Json(body)))
}

/// Adds a person by real name, document and a phone that is proven by a code.
#[utoipa::path(post, path = "/api/v1/persons", tag = "persons", request_body = NewPerson, responses(
    (status = 201, body = Person), (status = 409, body = ProblemBody), (status = 410, body = ProblemBody),
    (status = 422, body = ProblemBody), (status = 429, body = ProblemBody)))]
pub(super) async fn add(
    State(deps): State<PeopleDeps>,
    who: Account,
    ApiJson(body): ApiJson<NewPerson>,
) -> ApiResult<(StatusCode, Json<Person>)> {
    let today = who.caller.hospital.zone.date(deps.db.now());
    let new = read(body, today)?;
    let shown = persons::add(&deps, &who, new).await?;
    Ok((StatusCode::CREATED, Json(Person::new(&who.caller.hospital, deps.db.now(), shown))))
}

/// Binds a person who is on file, by name and phone. Who is not on file, and who is on file otherwise, get the same answer.
#[utoipa::path(post, path = "/api/v1/persons/bind", tag = "persons", request_body = BindPerson, responses(
    (status = 200, body = Person), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
    (status = 410, body = ProblemBody), (status = 422, body = ProblemBody), (status = 429, body = ProblemBody)))]
pub(super) async fn bind(
    State(deps): State<PeopleDeps>,
    who: Account,
    ApiJson(body): ApiJson<BindPerson>,
) -> ApiResult<Json<Person>> {
    let mut wrong = Vec::new();
    let name = RealName::parse(&body.name).or_else(|| blame(&mut wrong, Refusal::Name));
    let phone = Mobile::parse(&body.phone).or_else(|| blame(&mut wrong, Refusal::Phone));
    let (Some(name), Some(phone)) = (name, phone) else { return Err(all(wrong).into()) };
    let new = persons::BindPerson {
        name,
        phone,
        code: body.code,
        document_last4: body.document_last4,
        relation: body.relation,
        consent: Consent { version: body.consent_version, guardian: body.guardian_consent },
    };
    let shown = persons::bind(&deps, &who, new).await?;
    Ok(Json(Person::new(&who.caller.hospital, deps.db.now(), shown)))
}

/// Changes who is the default, or what a person is to the holder of the account.
#[utoipa::path(patch, path = "/api/v1/persons/{id}", tag = "persons", request_body = PersonPatch,
    params(("id" = String, Path, description = "`per_…`")), responses(
    (status = 200, body = Person), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn change(
    State(deps): State<PeopleDeps>,
    who: Account,
    ApiPath(id): ApiPath<PersonId>,
    ApiJson(body): ApiJson<PersonPatch>,
) -> ApiResult<Json<Person>> {
    let change = Change { is_default: body.is_default, relation: body.relation };
    let shown = persons::change(&deps, &who, id, change).await?;
    Ok(Json(Person::new(&who.caller.hospital, deps.db.now(), shown)))
}

/// Unbinds a person. Appointments to come stay valid.
#[utoipa::path(delete, path = "/api/v1/persons/{id}", tag = "persons",
    params(("id" = String, Path, description = "`per_…`"), Confirm), responses(
    (status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn unbind(
    State(deps): State<PeopleDeps>,
    who: Account,
    ApiPath(id): ApiPath<PersonId>,
    ApiQuery(query): ApiQuery<Confirm>,
) -> ApiResult<StatusCode> {
    persons::unbind(&deps, &who, id, query.confirm).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Reads a new person; all that is wrong is told at once.
fn read(body: NewPerson, today: Date) -> Result<persons::NewPerson, base::Problem> {
    let mut wrong = Vec::new();
    let name = RealName::parse(&body.name).or_else(|| blame(&mut wrong, Refusal::Name));
    let typed = &body.document;
    let document = match Document::parse(typed.kind, &typed.number, typed.country.as_deref(), today) {
        Ok(document) => Some(document),
        Err(fault) => blame(&mut wrong, fault.into()),
    };
    let told = document.as_ref().map(|d| (d.birth, d.sex));
    let birth = match told {
        Some((Some(birth), _)) => Some(birth),
        Some((None, _)) => body
            .birth_date
            .filter(|d| d.year() >= 1900 && *d <= today)
            .or_else(|| blame(&mut wrong, Refusal::BirthDate)),
        None => None,
    };
    let sex = match told {
        Some((_, Some(sex))) => Some(sex),
        // The card of 2023 tells the birth date, but by no published rule the sex; the app does not ask for it there.
        Some((Some(_), None)) => Some(body.sex.unwrap_or(Sex::Unknown)),
        Some((None, None)) => body.sex.or_else(|| blame(&mut wrong, Refusal::Sex)),
        None => None,
    };
    let phone = Mobile::parse(&body.phone).or_else(|| blame(&mut wrong, Refusal::Phone));
    let card =
        body.card.as_ref().map(|typed| CardNumber::parse(typed.kind, &typed.number, today)).transpose();
    let card = card.map_or_else(|refusal| blame(&mut wrong, refusal), Some);
    match (name, document, birth, sex, phone, card) {
        (Some(name), Some(document), Some(birth), Some(sex), Some(phone), Some(card)) => {
            Ok(persons::NewPerson {
                name,
                document,
                birth,
                sex,
                phone,
                code: body.code,
                relation: body.relation,
                consent: Consent { version: body.consent_version, guardian: body.guardian_consent },
                as_child: body.as_child,
                card,
            })
        }
        _ => Err(all(wrong)),
    }
}

/// Reads a document as it was typed.
pub(crate) fn read_document(typed: &NewDocument, today: Date) -> Result<Document, Refusal> {
    Ok(Document::parse(typed.kind, &typed.number, typed.country.as_deref(), today)?)
}

fn blame<T>(wrong: &mut Vec<Refusal>, refusal: Refusal) -> Option<T> {
    wrong.push(refusal);
    None
}

fn all(wrong: Vec<Refusal>) -> base::Problem {
    Refusal::all(wrong).unwrap_or_else(base::Problem::internal)
}
