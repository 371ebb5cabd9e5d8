//! Finding a person who stands at the desk. What is typed comes in a body, so that no log of addresses has it.

use axum::Json;
use axum::extract::State;
use base::{Kind, Problem};
use edge::{ApiJson, ApiResult, Caller};
use people::documents::{Document, Mobile};
use people::look_up::{self, By};
use people::names::RealName;
use people::{DocumentKind, Refusal};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::wire::PersonBody;
use crate::BookingDeps;

/// By what somebody is looked for; at least one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FindPerson)]
pub(super) struct FindBody {
    /// The number of a document, whole.
    #[serde(default)]
    number: Option<String>,
    /// What it is; a resident's identity card when it is not given.
    #[serde(default)]
    document_kind: Option<DocumentKind>,
    /// The country of a passport, three letters.
    #[serde(default)]
    country: Option<String>,
    /// The phone on file.
    #[serde(default)]
    phone: Option<String>,
    /// The whole name.
    #[serde(default)]
    name: Option<String>,
}

/// Who was found; at most twenty.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FoundPersons)]
pub(super) struct FoundBody {
    items: Vec<PersonBody>,
}

fn given(text: Option<&String>) -> Option<&str> {
    text.map(|t| t.trim()).filter(|t| !t.is_empty())
}

fn nothing() -> Problem {
    Problem::new(
        Kind::Invalid,
        "nothing_to_find_by",
        "请填写证件号、手机号或姓名。",
        "Please give a document number, a phone or a name.",
    )
}

/// Finds people on file by document, phone or whole name. That somebody looked stands in the audit log.
#[utoipa::path(post, path = "/api/v1/staff/persons/find", tag = "booking_staff", request_body = FindBody,
    responses((status = 200, body = FoundBody), (status = 422, description = "nothing_to_find_by, or what is wrong with number, phone or name", body = edge::problem::ProblemBody)))]
pub(super) async fn find(
    State(deps): State<BookingDeps>,
    caller: Caller,
    ApiJson(body): ApiJson<FindBody>,
) -> ApiResult<Json<FoundBody>> {
    let today = caller.hospital.zone.date(deps.db.now());
    let mut wrong = Vec::new();
    let mut by = By::default();
    if let Some(number) = given(body.number.as_ref()) {
        let kind = body.document_kind.unwrap_or(DocumentKind::ResidentId);
        match Document::parse(kind, number, body.country.as_deref(), today) {
            Ok(document) => by.document = Some(document),
            Err(fault) => wrong.push(Refusal::from(fault)),
        }
    }
    if let Some(phone) = given(body.phone.as_ref()) {
        by.phone = Mobile::parse(phone);
        if by.phone.is_none() {
            wrong.push(Refusal::Phone);
        }
    }
    if let Some(name) = given(body.name.as_ref()) {
        by.name = RealName::parse(name);
        if by.name.is_none() {
            wrong.push(Refusal::Name);
        }
    }
    if let Some(problem) = Refusal::all(wrong) {
        return Err(problem.into());
    }
    if by.document.is_none() && by.phone.is_none() && by.name.is_none() {
        return Err(nothing().into());
    }
    let found = look_up::find(&deps.db, &deps.vault, &caller, &by).await?;
    Ok(Json(FoundBody { items: found.iter().map(|one| PersonBody::of(one, today)).collect() }))
}
