//! Bringing patients in from a file.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use base::{Kind, Problem};
use edge::idempotency::IdempotencyKey;
use edge::problem::ProblemBody;
use edge::{ApiPath, ApiQuery, ApiResult, Page, Staff};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::PeopleDeps;
use crate::records::ImportId;
use crate::records::import::{self, Progress};

/// How far a file is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ImportProgress {
    /// `imp_…`
    #[schema(value_type = String)]
    id: ImportId,
    /// What the file was called.
    file_name: String,
    /// Whether all rows are worked on.
    done: bool,
    /// How many rows it has.
    total: i64,
    /// Of these: new on file.
    added: i64,
    /// Of these: on file already.
    there: i64,
    /// Of these: not taken.
    wrong: i64,
    /// By whom.
    started_by: String,
    /// When it came.
    #[schema(format = DateTime)]
    started_at: String,
}

impl ImportProgress {
    fn new(who: &Staff, progress: Progress) -> Self {
        let Progress { id, file_name, done, total, added, there, wrong, by, started_at, .. } = progress;
        let started_at = who.caller.hospital.rfc3339(started_at);
        Self { id, file_name, done, total, added, there, wrong, started_by: by, started_at }
    }
}

/// A row that was not taken.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WrongRow {
    /// Its line in the file, from 1.
    line: i64,
    /// The codes of all that is wrong with it.
    problems: Vec<String>,
}

/// What the file is called.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct FileQuery {
    /// Its name.
    #[serde(default)]
    file_name: String,
}

/// Which rows.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct RowsQuery {
    /// After this line: `next` of the page before.
    #[serde(default)]
    after: i64,
}

/// The latest imports.
#[utoipa::path(get, path = "/api/v1/patients/imports", tag = "patients",
    responses((status = 200, body = Page<ImportProgress>)))]
pub(super) async fn list(
    State(deps): State<PeopleDeps>,
    who: Staff,
) -> ApiResult<Json<Page<ImportProgress>>> {
    let all = import::latest(&deps.db, who.caller.hospital.id).await?;
    let items = all.into_iter().map(|progress| ImportProgress::new(&who, progress)).collect();
    Ok(Json(Page { items, next: None }))
}

/// Takes a file (CSV in UTF-8, up to 10,000 rows) and works it off by itself. The same key again gives the same import.
#[utoipa::path(post, path = "/api/v1/patients/imports", tag = "patients",
    params(FileQuery, ("Idempotency-Key" = String, Header, description = "1 to 64 letters, digits, `-` or `_`")),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 202, body = ImportProgress), (status = 415, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn take(
    State(deps): State<PeopleDeps>,
    who: Staff,
    key: IdempotencyKey,
    ApiQuery(query): ApiQuery<FileQuery>,
    headers: http::HeaderMap,
    body: Bytes,
) -> ApiResult<(StatusCode, Json<ImportProgress>)> {
    let kind = headers.get(http::header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    if !kind.starts_with("text/csv") {
        let (zh, en) = ("请上传 CSV 文件。", "Please send a CSV file.");
        return Err(Problem::new(Kind::MediaType, "csv_expected", zh, en).into());
    }
    let id = import::take(&deps, &who.caller, &key.0, &query.file_name, &body).await?;
    let progress = import::progress(&deps.db, who.caller.hospital.id, id).await?;
    Ok((StatusCode::ACCEPTED, Json(ImportProgress::new(&who, progress))))
}

/// How far an import is.
#[utoipa::path(get, path = "/api/v1/patients/imports/{id}", tag = "patients",
    params(("id" = String, Path, description = "`imp_…`")),
    responses((status = 200, body = ImportProgress), (status = 404, body = ProblemBody)))]
pub(super) async fn show(
    State(deps): State<PeopleDeps>,
    who: Staff,
    ApiPath(id): ApiPath<ImportId>,
) -> ApiResult<Json<ImportProgress>> {
    let progress = import::progress(&deps.db, who.caller.hospital.id, id).await?;
    Ok(Json(ImportProgress::new(&who, progress)))
}

/// The rows that were not taken, with their lines.
#[utoipa::path(get, path = "/api/v1/patients/imports/{id}/wrong", tag = "patients",
    params(("id" = String, Path, description = "`imp_…`"), RowsQuery),
    responses((status = 200, body = Page<WrongRow>), (status = 404, body = ProblemBody)))]
pub(super) async fn wrong(
    State(deps): State<PeopleDeps>,
    who: Staff,
    ApiPath(id): ApiPath<ImportId>,
    ApiQuery(query): ApiQuery<RowsQuery>,
) -> ApiResult<Json<Page<WrongRow>>> {
    let h = who.caller.hospital.id;
    import::progress(&deps.db, h, id).await?;
    let rows = import::wrong(&deps.db, h, id, query.after).await?;
    let next = (rows.len() >= 500).then(|| rows.last().map(|(line, _)| line.to_string())).flatten();
    let items = rows
        .into_iter()
        .map(|(line, problem)| WrongRow { line, problems: problem.split(',').map(str::to_owned).collect() });
    Ok(Json(Page { items: items.collect(), next }))
}
