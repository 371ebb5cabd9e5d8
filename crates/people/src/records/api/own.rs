//! A person's own data, for the person.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::Date;
use edge::problem::ProblemBody;
use edge::{Account, ApiJson, ApiPath, ApiResult, Hospital};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use ::store::vault::Purpose;

use crate::PeopleDeps;
use crate::model::{CardKind, DocumentKind, PersonId, Relation, Sex};
use crate::names::RealName;
use crate::records::own::{self, OnFile};
use crate::refusal::Refusal;

/// All that is on file about a person.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PersonalData {
    /// The full name.
    name: String,
    /// The birth date.
    #[schema(value_type = Option<String>, format = Date, required = false)]
    birth_date: Option<Date>,
    /// The sex.
    sex: Sex,
    /// The phone, in full.
    #[schema(required = false)]
    phone: Option<String>,
    /// The main document's kind.
    #[schema(required = false)]
    document_kind: Option<DocumentKind>,
    /// Its number, in full.
    #[schema(required = false)]
    document_number: Option<String>,
    /// Whether the hospital has seen the document: then a change needs it again.
    verified: bool,
    /// The cards.
    cards: Vec<DataCard>,
    /// What was agreed to.
    consents: Vec<DataConsent>,
    /// On whose phones the person is.
    holders: Vec<DataHolder>,
    /// Visits.
    #[schema(value_type = Object)]
    records: serde_json::Value,
    /// When this was put together.
    #[schema(format = DateTime)]
    as_of: String,
}

/// A card.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DataCard {
    /// What it is.
    kind: CardKind,
    /// The number, masked.
    number_masked: String,
}

/// An agreement.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DataConsent {
    /// `personal_data` or `guardian`.
    kind: String,
    /// The version of the wording.
    version: String,
    /// The language in which it was shown.
    lang: String,
    /// When.
    #[schema(format = DateTime)]
    given_at: String,
    /// When it was taken back.
    #[schema(format = DateTime, required = false)]
    withdrawn_at: Option<String>,
}

/// Somebody on whose phone the person is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DataHolder {
    /// Whether that is the one who asks.
    you: bool,
    /// What the person is to them.
    relation: Relation,
    /// Their phone, masked.
    #[schema(required = false)]
    phone_masked: Option<String>,
    /// Since when.
    #[schema(format = DateTime)]
    since: String,
}

impl PersonalData {
    fn new(hospital: &Hospital, as_of: base::UnixMs, data: OnFile) -> Self {
        let (document_kind, document_number) = data.document.unzip();
        let cards = data.cards.into_iter();
        let consents = data.consents.into_iter();
        let holders = data.holders.into_iter();
        Self {
            name: data.name,
            birth_date: data.birth,
            sex: data.sex,
            phone: data.phone,
            document_kind,
            document_number,
            verified: data.verified,
            cards: cards.map(|c| DataCard { kind: c.kind, number_masked: c.number_masked }).collect(),
            consents: consents
                .map(|c| DataConsent {
                    kind: c.kind,
                    version: c.version,
                    lang: c.lang,
                    given_at: hospital.rfc3339(c.given_at),
                    withdrawn_at: c.withdrawn_at.map(|at| hospital.rfc3339(at)),
                })
                .collect(),
            holders: holders
                .map(|h| DataHolder {
                    you: h.you,
                    relation: h.relation,
                    phone_masked: h.phone_masked,
                    since: hospital.rfc3339(h.since),
                })
                .collect(),
            records: data.others,
            as_of: hospital.rfc3339(as_of),
        }
    }
}

/// A name as it should be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Correction {
    /// The full name as it stands on the document.
    name: String,
}

/// Until when a closed record is kept.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RecordClosed {
    /// After this day what is personal in it is wiped.
    #[schema(value_type = String, format = Date)]
    kept_until: Date,
}

/// All that is on file about a person.
#[utoipa::path(get, path = "/api/v1/persons/{id}/data", tag = "persons",
    params(("id" = String, Path, description = "`per_…`")),
    responses((status = 200, body = PersonalData), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn on_file(
    State(deps): State<PeopleDeps>,
    who: Account,
    ApiPath(id): ApiPath<PersonId>,
) -> ApiResult<Response> {
    let data = own::on_file(&deps, &who, id, Purpose::ShowOwner).await?;
    let body = PersonalData::new(&who.caller.hospital, deps.db.now(), data);
    Ok(([(CACHE_CONTROL, "no-store")], Json(body)).into_response())
}

/// The same as a file to take along.
#[utoipa::path(get, path = "/api/v1/persons/{id}/data/export", tag = "persons",
    params(("id" = String, Path, description = "`per_…`")),
    responses((status = 200, body = PersonalData), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn export(
    State(deps): State<PeopleDeps>,
    who: Account,
    ApiPath(id): ApiPath<PersonId>,
) -> ApiResult<Response> {
    let data = own::on_file(&deps, &who, id, Purpose::Export).await?;
    let body = PersonalData::new(&who.caller.hospital, deps.db.now(), data);
    let headers =
        [(CACHE_CONTROL, "no-store"), (CONTENT_DISPOSITION, "attachment; filename=\"personal-data.json\"")];
    Ok((headers, Json(body)).into_response())
}

/// Corrects a name that the hospital has not compared with the document yet.
#[utoipa::path(patch, path = "/api/v1/persons/{id}/data", tag = "persons", request_body = Correction,
    params(("id" = String, Path, description = "`per_…`")),
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn correct(
    State(deps): State<PeopleDeps>,
    who: Account,
    ApiPath(id): ApiPath<PersonId>,
    ApiJson(body): ApiJson<Correction>,
) -> ApiResult<StatusCode> {
    let name = RealName::parse(&body.name).ok_or(Refusal::Name)?;
    own::correct(&deps, &who, id, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes the account's consent for a person back; the person leaves its list.
#[utoipa::path(post, path = "/api/v1/persons/{id}/withdraw", tag = "persons",
    params(("id" = String, Path, description = "`per_…`")),
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn withdraw(
    State(deps): State<PeopleDeps>,
    who: Account,
    ApiPath(id): ApiPath<PersonId>,
) -> ApiResult<StatusCode> {
    own::withdraw(&deps, &who, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Closes a person's record. It is kept, locked, as long as the law asks, and then wiped.
#[utoipa::path(post, path = "/api/v1/persons/{id}/close", tag = "persons",
    params(("id" = String, Path, description = "`per_…`")),
    responses((status = 200, body = RecordClosed), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn lock(
    State(deps): State<PeopleDeps>,
    who: Account,
    ApiPath(id): ApiPath<PersonId>,
) -> ApiResult<Json<RecordClosed>> {
    let kept_until = own::lock(&deps, &who, id).await?;
    Ok(Json(RecordClosed { kept_until }))
}
