//! Who can still be told something about a patient.

use axum::Json;
use axum::extract::State;
use base::Lang;
use edge::problem::ProblemBody;
use edge::{ApiPath, ApiResult, Staff};
use serde::Serialize;
use utoipa::ToSchema;

use crate::PeopleDeps;
use crate::api::wire::LangSchema;
use crate::model::{PersonId, Relation};
use crate::records::reach::{self, Reached, Way};

/// Somebody on whose phone a patient is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PatientHolder {
    /// What the patient is to them.
    relation: Relation,
    /// Since when.
    #[schema(format = DateTime)]
    since: String,
    /// Their proven phone, masked.
    #[schema(required = false)]
    phone_masked: Option<String>,
    /// In which language they are told.
    #[schema(value_type = LangSchema)]
    lang: Lang,
    /// Every way that is open now; none means that nothing reaches them.
    ways: Vec<Way>,
    /// Until when the chat is open, if it is.
    #[schema(format = DateTime, required = false)]
    chat_until: Option<String>,
}

/// Who can be told something about a patient, and how.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PatientReach {
    /// In the order in which they were bound; nobody for a patient who is on no phone.
    items: Vec<PatientHolder>,
}

/// Who can be told something about a patient, and by which way.
#[utoipa::path(get, path = "/api/v1/patients/{id}/reach", tag = "patients",
    params(("id" = String, Path, description = "`per_…`")),
    responses((status = 200, body = PatientReach), (status = 404, body = ProblemBody)))]
pub(super) async fn show(
    State(deps): State<PeopleDeps>,
    who: Staff,
    ApiPath(id): ApiPath<PersonId>,
) -> ApiResult<Json<PatientReach>> {
    let hospital = &who.caller.hospital;
    let found = reach::of_patient(&deps.db, hospital.id, id).await?;
    let items = found.into_iter().map(|Reached { relation, since, phone_masked, lang, ways, chat_until }| {
        let (since, chat_until) = (hospital.rfc3339(since), chat_until.map(|at| hospital.rfc3339(at)));
        PatientHolder { relation, since, phone_masked, lang, ways, chat_until }
    });
    Ok(Json(PatientReach { items: items.collect() }))
}
