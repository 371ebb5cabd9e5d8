//! The wordings that people agree to.

use axum::Json;
use axum::extract::State;
use base::Text2;
use edge::problem::ProblemBody;
use edge::schema::Text2Schema;
use edge::{ApiJson, ApiPath, ApiResult, Caller, Staff};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::PeopleDeps;
use crate::records::texts::{self, TextKind, Wording};
use crate::settings::ConsentVersions;

/// A wording.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConsentText {
    /// Which.
    kind: TextKind,
    /// Its version.
    version: String,
    /// Its heading.
    #[schema(value_type = Text2Schema)]
    title: Text2,
    /// The text; paragraphs are parted by an empty line.
    #[schema(value_type = Text2Schema)]
    body: Text2,
    /// Whether it is the one that people are asked for now.
    in_force: bool,
    /// Whether it may not be changed any more.
    published: bool,
    /// For how many persons it was agreed to; only of consents.
    agreed: i64,
}

/// All wordings.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConsentTexts {
    /// The newest of each kind first.
    items: Vec<ConsentText>,
}

/// A wording to be kept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TextWanted {
    /// Which.
    kind: TextKind,
    /// Its version, such as `2026-12`.
    version: String,
    /// Its heading.
    #[schema(value_type = Text2Schema)]
    title: Text2,
    /// The text.
    #[schema(value_type = Text2Schema)]
    body: Text2,
}

fn in_force(caller: &Caller, kind: TextKind) -> String {
    let versions: ConsentVersions = caller.hospital.settings(ConsentVersions::SECTION);
    match kind {
        TextKind::Privacy => versions.privacy_version,
        TextKind::Consent => versions.consent_version,
    }
}

fn shown(caller: &Caller, wording: Wording, agreed: i64) -> ConsentText {
    ConsentText {
        in_force: in_force(caller, wording.kind) == wording.version,
        kind: wording.kind,
        version: wording.version,
        title: wording.title,
        body: wording.body,
        published: wording.published_at.is_some(),
        agreed,
    }
}

/// All wordings, with how many persons each was agreed to for.
#[utoipa::path(get, path = "/api/v1/consent-texts", tag = "consents", responses((status = 200, body = ConsentTexts)))]
pub(super) async fn list(State(deps): State<PeopleDeps>, who: Staff) -> ApiResult<Json<ConsentTexts>> {
    let h = who.caller.hospital.id;
    let agreed = texts::agreed(&deps.db, h).await?;
    let of = |wording: &Wording| {
        let count = agreed.iter().find(|(version, _)| *version == wording.version);
        count.filter(|_| wording.kind == TextKind::Consent).map_or(0, |(_, count)| *count)
    };
    let all = texts::list(&deps.db, h).await?;
    let items = all.into_iter().map(|wording| {
        let count = of(&wording);
        shown(&who.caller, wording, count)
    });
    Ok(Json(ConsentTexts { items: items.collect() }))
}

/// Keeps a wording, or changes one that was never in force. Sent again it changes nothing.
#[utoipa::path(post, path = "/api/v1/consent-texts", tag = "consents", request_body = TextWanted,
    responses((status = 200, body = ConsentText), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn write(
    State(deps): State<PeopleDeps>,
    who: Staff,
    ApiJson(body): ApiJson<TextWanted>,
) -> ApiResult<Json<ConsentText>> {
    let TextWanted { kind, version, title, body } = body;
    texts::write(&deps, &who.caller, kind, &version, &title, &body).await?;
    let wording = texts::get(&deps.db, who.caller.hospital.id, kind, &version).await?;
    Ok(Json(shown(&who.caller, wording, 0)))
}

/// Puts a wording in force. Earlier agreements stand as they are. Sent again it changes nothing.
#[utoipa::path(post, path = "/api/v1/consent-texts/{kind}/{version}/publish", tag = "consents",
    params(("kind" = TextKind, Path), ("version" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemBody)))]
pub(super) async fn publish(
    State(deps): State<PeopleDeps>,
    who: Staff,
    ApiPath((kind, version)): ApiPath<(TextKind, String)>,
) -> ApiResult<StatusCode> {
    texts::publish(&deps, &who.caller, &deps.hospitals, kind, &version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The wording that is in force; 404 where the hospital has written none, and the app's own holds.
#[utoipa::path(get, path = "/api/v1/consent-texts/{kind}", tag = "consents", params(("kind" = TextKind, Path)),
    responses((status = 200, body = ConsentText), (status = 404, body = ProblemBody)))]
pub(super) async fn current(
    State(deps): State<PeopleDeps>,
    caller: Caller,
    ApiPath(kind): ApiPath<TextKind>,
) -> ApiResult<Json<ConsentText>> {
    let version = in_force(&caller, kind);
    let wording = texts::get(&deps.db, caller.hospital.id, kind, &version).await?;
    Ok(Json(shown(&caller, wording, 0)))
}
