//! The cards of a person of the account.

use axum::Json;
use axum::extract::State;
use edge::problem::ProblemBody;
use edge::{Account, ApiJson, ApiPath, ApiResult};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::PeopleDeps;
use crate::cards::{self, Card, CardNumber};
use crate::model::{CardKind, PersonId};
use crate::refusal::Refusal;

/// A card as its holder is shown it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PersonCard {
    /// What it is.
    kind: CardKind,
    /// The number with its middle covered.
    number_masked: String,
    /// Whether the hospital has had it in hand: only then machines know the person by it.
    seen: bool,
}

/// A person's cards.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PersonCards {
    /// One of a kind at most.
    items: Vec<PersonCard>,
}

impl From<Vec<Card>> for PersonCards {
    fn from(cards: Vec<Card>) -> Self {
        let items = cards.into_iter().map(|Card { kind, number_masked, seen }| PersonCard {
            kind,
            number_masked,
            seen,
        });
        Self { items: items.collect() }
    }
}

/// A card as it was typed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCard {
    /// What it is.
    pub(super) kind: CardKind,
    /// Its number, however it is written.
    pub(super) number: String,
}

/// The cards of a person.
#[utoipa::path(get, path = "/api/v1/persons/{id}/cards", tag = "persons",
    params(("id" = String, Path, description = "`per_…`")), responses(
    (status = 200, body = PersonCards), (status = 404, body = ProblemBody)))]
pub(super) async fn list(
    State(deps): State<PeopleDeps>,
    who: Account,
    ApiPath(id): ApiPath<PersonId>,
) -> ApiResult<Json<PersonCards>> {
    let mut tx = deps.db.begin().await?;
    let h = who.caller.hospital.id;
    crate::bound::find(&mut tx, h, who.id, id).await?.ok_or(Refusal::NotFound)?;
    let found = cards::of_person(&mut tx, h, id).await?;
    tx.rollback().await?;
    Ok(Json(found.into()))
}

/// Registers a card for a person, in place of an older one of its kind. Sent again it changes nothing.
#[utoipa::path(post, path = "/api/v1/persons/{id}/cards", tag = "persons", request_body = NewCard,
    params(("id" = String, Path, description = "`per_…`")), responses(
    (status = 200, body = PersonCards), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
pub(super) async fn add(
    State(deps): State<PeopleDeps>,
    who: Account,
    ApiPath(id): ApiPath<PersonId>,
    ApiJson(body): ApiJson<NewCard>,
) -> ApiResult<Json<PersonCards>> {
    let today = who.caller.hospital.zone.date(deps.db.now());
    let number = CardNumber::parse(body.kind, &body.number, today)?;
    Ok(Json(cards::add_own(&deps, &who, id, &number).await?.into()))
}

/// Takes a card off a person's file, because it is lost or was entered by mistake.
#[utoipa::path(delete, path = "/api/v1/persons/{id}/cards/{kind}", tag = "persons",
    params(("id" = String, Path, description = "`per_…`"), ("kind" = CardKind, Path)), responses(
    (status = 204), (status = 404, body = ProblemBody)))]
pub(super) async fn remove(
    State(deps): State<PeopleDeps>,
    who: Account,
    ApiPath((id, kind)): ApiPath<(PersonId, CardKind)>,
) -> ApiResult<StatusCode> {
    cards::remove_own(&deps, &who, id, kind).await?;
    Ok(StatusCode::NO_CONTENT)
}
