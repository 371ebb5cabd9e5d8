//! Joining, as staff and machines begin and watch it.

use axum::Json;
use axum::extract::State;
use edge::problem::ProblemBody;
use edge::{ApiJson, ApiPath, ApiResult, Caller, Staff};
use http::StatusCode;
use people::cards::CardNumber;
use people::{CardKind, PersonId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ChannelDeps;
use crate::enrol::{self, Shown};
use crate::model::{Door, EnrolmentId, Stage};

/// A joining as those see it who began it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Enrolment {
    /// `enr_…`
    #[schema(value_type = String)]
    id: EnrolmentId,
    /// Who is to be bound, masked.
    person_name_masked: String,
    /// Whether that is a child, whom a parent or guardian scans for.
    minor: bool,
    /// Where it began.
    door: Door,
    /// Whether a relative holds the phone.
    proxy: bool,
    /// Where it stands; `open` and `claimed` are over at `expires_at`.
    state: Stage,
    /// What stands in the code's picture.
    picture: String,
    /// Until when.
    #[schema(format = DateTime)]
    expires_at: String,
    /// How many seconds are left.
    expires_in_s: u64,
}

impl Enrolment {
    fn new(deps: &ChannelDeps, caller: &Caller, shown: Shown) -> Self {
        let Shown { enrolment, picture, name_masked, minor } = shown;
        Self {
            id: enrolment.id,
            person_name_masked: name_masked,
            minor,
            door: enrolment.door,
            proxy: enrolment.proxy,
            state: enrolment.stage,
            picture,
            expires_at: caller.hospital.rfc3339(enrolment.expires_at),
            expires_in_s: enrolment.expires_at.since(deps.db.now()).as_secs(),
        }
    }
}

/// Whom staff help to join.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EnrolmentWanted {
    /// The patient, `per_…`.
    #[schema(value_type = String)]
    person_id: PersonId,
    /// Whether a relative holds the phone.
    #[serde(default)]
    proxy: bool,
    /// Whether the consent was read out and the patient, or the relative, agreed.
    agreed: bool,
    /// Whether the code is for a printed slip, for a relative at home: it then holds for a week.
    #[serde(default)]
    on_paper: bool,
}

/// A card that a machine has in it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CardRead {
    /// What it is.
    kind: CardKind,
    /// Its number.
    number: String,
}

/// Begins joining with a patient in front of staff.
#[utoipa::path(post, path = "/api/v1/enrolments", tag = "enrolments", request_body = EnrolmentWanted,
    responses((status = 201, body = Enrolment), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn begin(
    State(deps): State<ChannelDeps>,
    who: Staff,
    ApiJson(body): ApiJson<EnrolmentWanted>,
) -> ApiResult<(StatusCode, Json<Enrolment>)> {
    let EnrolmentWanted { person_id, proxy, agreed, on_paper } = body;
    let shown = enrol::at_desk(&deps, &who.caller, person_id, proxy, agreed, on_paper).await?;
    Ok((StatusCode::CREATED, Json(Enrolment::new(&deps, &who.caller, shown))))
}

/// Begins joining with a card that a machine, or somebody at a desk, has in hand. The code holds for two minutes.
#[utoipa::path(post, path = "/api/v1/enrolments/card", tag = "enrolments", request_body = CardRead,
    responses((status = 201, body = Enrolment), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn by_card(
    State(deps): State<ChannelDeps>,
    caller: Caller,
    ApiJson(body): ApiJson<CardRead>,
) -> ApiResult<(StatusCode, Json<Enrolment>)> {
    let today = caller.hospital.zone.date(deps.db.now());
    let number = CardNumber::parse(body.kind, &body.number, today)?;
    let shown = enrol::at_kiosk(&deps, &caller, &number).await?;
    Ok((StatusCode::CREATED, Json(Enrolment::new(&deps, &caller, shown))))
}

/// Where a joining stands.
#[utoipa::path(get, path = "/api/v1/enrolments/{id}", tag = "enrolments",
    params(("id" = String, Path, description = "`enr_…`")),
    responses((status = 200, body = Enrolment), (status = 404, body = ProblemBody)))]
pub(super) async fn show(
    State(deps): State<ChannelDeps>,
    caller: Caller,
    ApiPath(id): ApiPath<EnrolmentId>,
) -> ApiResult<Json<Enrolment>> {
    let shown = enrol::show(&deps, &caller.hospital, id).await?;
    Ok(Json(Enrolment::new(&deps, &caller, shown)))
}

/// Ends a joining that nobody needs any more. One that is bound stays so.
#[utoipa::path(delete, path = "/api/v1/enrolments/{id}", tag = "enrolments",
    params(("id" = String, Path, description = "`enr_…`")),
    responses((status = 204), (status = 404, body = ProblemBody)))]
pub(super) async fn end(
    State(deps): State<ChannelDeps>,
    caller: Caller,
    ApiPath(id): ApiPath<EnrolmentId>,
) -> ApiResult<StatusCode> {
    enrol::end(&deps, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
