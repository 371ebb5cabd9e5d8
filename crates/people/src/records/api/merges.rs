//! Making two records one, and parting them.

use axum::Json;
use axum::extract::State;
use edge::problem::ProblemBody;
use edge::{ApiJson, ApiPath, ApiResult, Page, Staff};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::PeopleDeps;
use crate::model::PersonId;
use crate::records::MergeId;
use crate::records::merge;

/// Two records that are one patient.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MergeWanted {
    /// The record that stays, `per_…`.
    #[schema(value_type = String)]
    kept_id: PersonId,
    /// The record that is one too many, `per_…`.
    #[schema(value_type = String)]
    gone_id: PersonId,
    /// How it is known that they are one: 2 to 200 characters.
    reason: String,
}

/// A merge.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MergeEntry {
    /// `mrg_…`
    #[schema(value_type = String)]
    id: MergeId,
    /// The record that stays.
    #[schema(value_type = String)]
    kept_id: PersonId,
    /// The record that was one too many.
    #[schema(value_type = String)]
    gone_id: PersonId,
    /// How it was known.
    reason: String,
    /// By whom.
    merged_by: String,
    /// When.
    #[schema(format = DateTime)]
    merged_at: String,
    /// When it was undone; null while it holds.
    #[schema(format = DateTime, required = false)]
    undone_at: Option<String>,
}

/// The latest merges.
#[utoipa::path(get, path = "/api/v1/patients/merges", tag = "patients",
    responses((status = 200, body = Page<MergeEntry>)))]
pub(super) async fn list(State(deps): State<PeopleDeps>, who: Staff) -> ApiResult<Json<Page<MergeEntry>>> {
    let hospital = &who.caller.hospital;
    let rows = merge::list(&deps.db, hospital.id).await?;
    let items = rows.into_iter().map(|row| MergeEntry {
        id: row.id,
        kept_id: row.kept,
        gone_id: row.gone,
        reason: row.reason,
        merged_by: row.by,
        merged_at: hospital.rfc3339(row.at),
        undone_at: row.undone_at.map(|at| hospital.rfc3339(at)),
    });
    Ok(Json(Page { items: items.collect(), next: None }))
}

/// Makes two records one.
#[utoipa::path(post, path = "/api/v1/patients/merges", tag = "patients", request_body = MergeWanted,
    responses((status = 201, body = MergeEntry), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
pub(super) async fn merge(
    State(deps): State<PeopleDeps>,
    who: Staff,
    ApiJson(body): ApiJson<MergeWanted>,
) -> ApiResult<(StatusCode, Json<MergeEntry>)> {
    let id = merge::merge(&deps, &who.caller, body.kept_id, body.gone_id, &body.reason).await?;
    let entry = MergeEntry {
        id,
        kept_id: body.kept_id,
        gone_id: body.gone_id,
        reason: body.reason.trim().to_owned(),
        merged_by: who.id.to_string(),
        merged_at: who.caller.hospital.rfc3339(deps.db.now()),
        undone_at: None,
    };
    Ok((StatusCode::CREATED, Json(entry)))
}

/// Parts two records again. Twice is once.
#[utoipa::path(delete, path = "/api/v1/patients/merges/{id}", tag = "patients",
    params(("id" = String, Path, description = "`mrg_…`")),
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn undo(
    State(deps): State<PeopleDeps>,
    who: Staff,
    ApiPath(id): ApiPath<MergeId>,
) -> ApiResult<StatusCode> {
    merge::undo(&deps, &who.caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
