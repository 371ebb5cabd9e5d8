//! Finding patients, and putting them on file.

use axum::Json;
use axum::extract::State;
use base::Date;
use edge::problem::ProblemBody;
use edge::{ApiJson, ApiPath, ApiQuery, ApiResult, Page, Staff};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use ::store::vault::Purpose;

use crate::PeopleDeps;
use crate::api::persons::{NewDocument, read_document};
use crate::cards::CardNumber;
use crate::documents::Mobile;
use crate::model::{CardKind, DocumentKind, PersonId, Sex};
use crate::names::RealName;
use crate::patients::NewPatient;
use crate::records::store::{self as sql, Found};
use crate::records::{desk, search};
use crate::refusal::Refusal;
use crate::store::NAME;

/// Whom to look for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Search {
    /// A whole name, phone, document or card number, or an id.
    q: String,
}

/// A patient as lists show them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PatientEntry {
    /// `per_…`
    #[schema(value_type = String)]
    id: PersonId,
    /// The name with all but its first character covered.
    name_masked: String,
    /// The birth date.
    #[schema(value_type = Option<String>, format = Date, required = false)]
    birth_date: Option<Date>,
    /// The sex.
    sex: Sex,
    /// The phone on file, masked.
    #[schema(required = false)]
    phone_masked: Option<String>,
    /// The main document's kind.
    #[schema(required = false)]
    document_kind: Option<DocumentKind>,
    /// Its number, masked.
    #[schema(required = false)]
    number_masked: Option<String>,
    /// Whether the hospital has seen the document.
    verified: bool,
    /// On how many phones they are.
    phones: i64,
    /// Since when they are on file.
    #[schema(format = DateTime)]
    created_at: String,
}

impl PatientEntry {
    fn new(who: &Staff, found: &Found) -> Self {
        Self {
            id: found.id,
            name_masked: found.name_masked.clone(),
            birth_date: found.birth,
            sex: found.sex,
            phone_masked: found.phone_masked.clone(),
            document_kind: found.document_kind,
            number_masked: found.number_masked.clone(),
            verified: found.verified,
            phones: found.phones,
            created_at: who.caller.hospital.rfc3339(found.created_at),
        }
    }
}

/// A patient with the full name.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Patient {
    /// As in lists.
    #[serde(flatten)]
    entry: PatientEntry,
    /// The full name. That it was shown stands in the audit log.
    name: String,
}

/// A patient to be put on file, with the document in hand.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PatientWanted {
    /// The full name.
    name: String,
    /// The document; none for somebody who has none with them, and then a card or a phone is needed.
    #[serde(default)]
    document: Option<NewDocument>,
    /// The birth date; the document's own counts more.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    birth_date: Option<Date>,
    /// The sex; the document's own counts more.
    #[serde(default)]
    sex: Option<Sex>,
    /// The phone.
    #[serde(default)]
    phone: Option<String>,
    /// The visit card that they are given or bring.
    #[serde(default)]
    visit_card: Option<String>,
}

/// Looks for patients by something that they bring: whole values only.
#[utoipa::path(get, path = "/api/v1/patients", tag = "patients", params(Search),
    responses((status = 200, body = Page<PatientEntry>), (status = 422, body = ProblemBody)))]
pub(super) async fn find(
    State(deps): State<PeopleDeps>,
    who: Staff,
    ApiQuery(query): ApiQuery<Search>,
) -> ApiResult<Json<Page<PatientEntry>>> {
    let found = search::find(&deps, &who.caller, &query.q).await?;
    let items: Vec<_> = found.iter().map(|f| PatientEntry::new(&who, f)).collect();
    let mut tx = deps.db.begin().await?;
    tx.audit(who.caller.audit("person.search", "patients", json!({"found": items.len()}))).await?;
    tx.commit().await?;
    Ok(Json(Page { items, next: None }))
}

/// A patient with the full name.
#[utoipa::path(get, path = "/api/v1/patients/{id}", tag = "patients",
    params(("id" = String, Path, description = "`per_…`")),
    responses((status = 200, body = Patient), (status = 404, body = ProblemBody)))]
pub(super) async fn open(
    State(deps): State<PeopleDeps>,
    who: Staff,
    ApiPath(id): ApiPath<PersonId>,
) -> ApiResult<Json<Patient>> {
    let h = who.caller.hospital.id;
    let found = sql::by_id(&deps.db, h, id).await?.ok_or(Refusal::NotFound)?;
    let name = deps.vault.open_sealed(h, NAME, &found.name, Purpose::ShowStaff)?;
    let detail = json!({"fields": ["name"], "purpose": crate::contact::purpose_code(Purpose::ShowStaff)});
    let mut tx = deps.db.begin().await?;
    tx.audit(who.caller.audit("person.open", id, detail)).await?;
    tx.commit().await?;
    Ok(Json(Patient { entry: PatientEntry::new(&who, &found), name }))
}

/// Puts a patient on file, or finds the one who is there already. Sent again it changes nothing.
#[utoipa::path(post, path = "/api/v1/patients", tag = "patients", request_body = PatientWanted,
    responses((status = 200, body = PatientEntry), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn register(
    State(deps): State<PeopleDeps>,
    who: Staff,
    ApiJson(body): ApiJson<PatientWanted>,
) -> ApiResult<Json<PatientEntry>> {
    let today = who.caller.hospital.zone.date(deps.db.now());
    let (new, card) = read(body, today)?;
    let id = desk::register(&deps, &who.caller, &new, card.as_ref()).await?;
    let found = sql::by_id(&deps.db, who.caller.hospital.id, id).await?.ok_or(Refusal::NotFound)?;
    Ok(Json(PatientEntry::new(&who, &found)))
}

fn read(body: PatientWanted, today: Date) -> Result<(NewPatient, Option<CardNumber>), base::Problem> {
    let mut wrong = Vec::new();
    let name = RealName::parse(&body.name);
    if name.is_none() {
        wrong.push(Refusal::Name);
    }
    let document = body.document.as_ref().and_then(|typed| match read_document(typed, today) {
        Ok(document) => Some(document),
        Err(refusal) => {
            wrong.push(refusal);
            None
        }
    });
    let phone = body.phone.as_deref().map(str::trim).filter(|p| !p.is_empty());
    let read_phone = phone.and_then(Mobile::parse);
    if phone.is_some() && read_phone.is_none() {
        wrong.push(Refusal::Phone);
    }
    let typed = body.visit_card.as_deref().map(str::trim).filter(|c| !c.is_empty());
    let card = typed.map(|text| CardNumber::parse(CardKind::Visit, text, today)).transpose();
    let card = match card {
        Ok(card) => card,
        Err(refusal) => {
            wrong.push(refusal);
            None
        }
    };
    if wrong.is_empty() && document.is_none() && read_phone.is_none() && card.is_none() {
        wrong.push(Refusal::Unidentified);
    }
    if body.birth_date.is_some_and(|d| d > today) {
        wrong.push(Refusal::BirthDate);
    }
    match name {
        Some(name) if wrong.is_empty() => Ok((
            NewPatient {
                name,
                verified: document.is_some(),
                document,
                birth: body.birth_date,
                sex: body.sex.unwrap_or(Sex::Unknown),
                phone: read_phone,
            },
            card,
        )),
        _ => Err(Refusal::all(wrong).unwrap_or_else(base::Problem::internal)),
    }
}
