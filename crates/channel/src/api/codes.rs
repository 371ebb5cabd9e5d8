//! Codes, for staff.

use axum::Json;
use axum::extract::State;
use base::{Date, Text2, UnixMs};
use edge::idempotency::IdempotencyKey;
use edge::problem::ProblemBody;
use edge::schema::Text2Schema;
use edge::{ApiJson, ApiPath, ApiQuery, ApiResult, Page, Staff};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::codes::{self, NewCode, picture_text};
use crate::model::{Code, CodeId, Purpose, Wifi};
use crate::refusal::Refusal;
use crate::store::code::{self as sql, Counts};
use crate::{ChannelDeps, links};

/// A page has so many entries at most.
const MOST: u32 = 200;
/// Scans are shown for so many days back.
const DAYS: i64 = 90;

/// How often a code was scanned in the last ninety days.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(super) struct ScanCounts {
    /// All scans.
    scans: i64,
    /// Of these, who began to follow with it.
    new_followers: i64,
    /// Of these, in plain browsers.
    in_browsers: i64,
}

impl From<Counts> for ScanCounts {
    fn from(counts: Counts) -> Self {
        let Counts { scans, followers, browsers } = counts;
        Self { scans, new_followers: followers, in_browsers: browsers }
    }
}

/// A code.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CodeEntry {
    /// `cod_…`
    #[schema(value_type = String)]
    id: CodeId,
    /// What it is for.
    purpose: Purpose,
    /// What it is called.
    #[schema(value_type = Text2Schema)]
    name: Text2,
    /// The page that it leads to.
    path: String,
    /// What stands in its picture.
    picture: String,
    /// The plain address, for cameras and apps that are not WeChat.
    plain_url: String,
    /// Whether WeChat has made it.
    in_wechat: bool,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was closed; null while it is open.
    #[schema(format = DateTime, required = false)]
    closed_at: Option<String>,
    /// Its scans.
    counts: ScanCounts,
}

/// A code with its scans day by day.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CodeDetail {
    /// As in lists.
    #[serde(flatten)]
    entry: CodeEntry,
    /// The days with scans, the latest first.
    days: Vec<ScanDay>,
}

/// The scans of a day.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ScanDay {
    /// The day.
    #[schema(value_type = String, format = Date)]
    date: Date,
    /// Its scans.
    #[serde(flatten)]
    counts: ScanCounts,
}

/// A network.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewWifi {
    /// Its name.
    ssid: String,
    /// Its password; empty for an open network.
    #[serde(default)]
    password: String,
}

/// A code to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeWanted {
    /// What it is for.
    purpose: Purpose,
    /// `doc_…` or `dep_…`, for a doctor's or a department's.
    #[serde(default)]
    target_id: Option<String>,
    /// The page that it leads to, for places, posters and Wi-Fi; the departments when left out.
    #[serde(default)]
    path: Option<String>,
    /// What it is called; a doctor's has the doctor's name.
    #[serde(default)]
    #[schema(value_type = Option<Text2Schema>)]
    name: Option<Text2>,
    /// The network of a Wi-Fi poster.
    #[serde(default)]
    wifi: Option<NewWifi>,
}

/// Which codes.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct CodesQuery {
    /// For this purpose.
    #[serde(default)]
    purpose: Option<Purpose>,
    /// `next` of the page before.
    #[serde(default)]
    after: String,
    /// So many, 50 when left out, 200 at most.
    #[serde(default)]
    limit: Option<u32>,
}

fn entry(deps: &ChannelDeps, who: &Staff, code: &Code, counts: Counts) -> CodeEntry {
    let hospital = &who.caller.hospital;
    CodeEntry {
        id: code.id,
        purpose: code.purpose,
        name: code.name.clone(),
        path: code.path.clone(),
        picture: picture_text(deps, hospital, code),
        plain_url: links::scan(&deps.base_url(hospital), &code.scene),
        in_wechat: code.url.is_some(),
        created_at: hospital.rfc3339(code.created_at),
        closed_at: code.closed_at.map(|at| hospital.rfc3339(at)),
        counts: counts.into(),
    }
}

fn first_day(deps: &ChannelDeps, who: &Staff) -> Date {
    let today = who.caller.hospital.zone.date(deps.db.now());
    today.checked_sub(jiff::Span::new().days(DAYS)).unwrap_or(today)
}

/// The codes with their scans, the newest first.
#[utoipa::path(get, path = "/api/v1/codes", tag = "codes", params(CodesQuery),
    responses((status = 200, body = Page<CodeEntry>), (status = 422, body = ProblemBody)))]
pub(super) async fn list(
    State(deps): State<ChannelDeps>,
    who: Staff,
    ApiQuery(query): ApiQuery<CodesQuery>,
) -> ApiResult<Json<Page<CodeEntry>>> {
    let h = who.caller.hospital.id;
    let limit = i64::from(query.limit.unwrap_or(50).clamp(1, MOST));
    // Codes are made one by one by people; two in one millisecond would only show the second twice.
    let before = query.after.parse().map_or(UnixMs(i64::MAX), UnixMs);
    let mut found = sql::list(&deps.db, h, query.purpose, before, limit.saturating_add(1)).await?;
    let size = usize::try_from(limit).unwrap_or(50);
    let next = found.get(size).map(|code| code.created_at.0.to_string());
    found.truncate(size);
    let totals: std::collections::HashMap<_, _> =
        sql::totals(&deps.db, h, first_day(&deps, &who)).await?.into_iter().collect();
    let items = found
        .iter()
        .map(|code| entry(&deps, &who, code, totals.get(&code.id).copied().unwrap_or_default()))
        .collect();
    Ok(Json(Page { items, next }))
}

/// A code with its scans day by day.
#[utoipa::path(get, path = "/api/v1/codes/{id}", tag = "codes",
    params(("id" = String, Path, description = "`cod_…`")),
    responses((status = 200, body = CodeDetail), (status = 404, body = ProblemBody)))]
pub(super) async fn open(
    State(deps): State<ChannelDeps>,
    who: Staff,
    ApiPath(id): ApiPath<CodeId>,
) -> ApiResult<Json<CodeDetail>> {
    let h = who.caller.hospital.id;
    let found = sql::get(&deps.db, h, id).await?.filter(|c| c.purpose != Purpose::Enrolment);
    let code = found.ok_or(Refusal::NotFound)?;
    let days = sql::days(&deps.db, h, id, first_day(&deps, &who)).await?;
    let sum = days.iter().fold(Counts::default(), |sum, (_, day)| Counts {
        scans: sum.scans.saturating_add(day.scans),
        followers: sum.followers.saturating_add(day.followers),
        browsers: sum.browsers.saturating_add(day.browsers),
    });
    let days = days.into_iter().map(|(date, counts)| ScanDay { date, counts: counts.into() }).collect();
    Ok(Json(CodeDetail { entry: entry(&deps, &who, &code, sum), days }))
}

/// Makes a permanent code. A doctor and a department have one; asked again, it is that.
#[utoipa::path(post, path = "/api/v1/codes", tag = "codes", request_body = CodeWanted,
    params(("Idempotency-Key" = String, Header, description = "1 to 64 letters, digits, `-` or `_`")),
    responses((status = 200, body = CodeEntry), (status = 422, body = ProblemBody), (status = 428, body = ProblemBody)))]
pub(super) async fn make(
    State(deps): State<ChannelDeps>,
    who: Staff,
    key: IdempotencyKey,
    ApiJson(body): ApiJson<CodeWanted>,
) -> ApiResult<Json<CodeEntry>> {
    let new = NewCode {
        purpose: body.purpose,
        target: body.target_id,
        path: body.path,
        name: body.name,
        wifi: body.wifi.map(|w| Wifi { ssid: w.ssid, password: w.password }),
    };
    let code = codes::make(&deps, &who.caller, &format!("{}-{}", who.id, key.0), new).await?;
    Ok(Json(entry(&deps, &who, &code, Counts::default())))
}

/// Closes a code: who scans it afterwards is told so.
#[utoipa::path(delete, path = "/api/v1/codes/{id}", tag = "codes",
    params(("id" = String, Path, description = "`cod_…`")),
    responses((status = 204), (status = 404, body = ProblemBody)))]
pub(super) async fn close(
    State(deps): State<ChannelDeps>,
    who: Staff,
    ApiPath(id): ApiPath<CodeId>,
) -> ApiResult<StatusCode> {
    codes::close(&deps, &who.caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
