//! Joining, on the phone that has scanned.

use axum::Json;
use axum::extract::State;
use edge::problem::ProblemBody;
use edge::{Account, ApiJson, ApiPath, ApiResult};
use people::Relation;
use people::names::RealName;
use people::persons::Consent;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ChannelDeps;
use crate::enrol::{self, Scanned, Shown, rules};
use crate::model::{EnrolmentId, Stage};
use crate::refusal::Refusal;

/// A scene from a code, where WeChat told us of no scan.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SceneRead {
    /// The end of the code's plain address.
    scene: String,
}

/// A joining as the phone sees it that has scanned.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Joining {
    /// `enr_…`
    #[schema(value_type = String)]
    id: EnrolmentId,
    /// Who is to be bound, masked.
    person_name_masked: String,
    /// Whether that is a child, whose guardian confirms.
    minor: bool,
    /// Whether it is done; else the name has to be confirmed.
    bound: bool,
    /// How many other names may still be given.
    tries_left: u32,
}

impl Joining {
    fn new(shown: Shown) -> Self {
        Self {
            id: shown.enrolment.id,
            person_name_masked: shown.name_masked,
            minor: shown.minor,
            bound: shown.enrolment.stage == Stage::Bound,
            tries_left: rules::tries_left(shown.enrolment.wrong),
        }
    }
}

/// Whom the phone's holder says they have scanned.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Confirmation {
    /// The patient's full name.
    name: String,
    /// What they are to the holder of the account.
    relation: Relation,
    /// The version of the consent that was agreed to.
    consent_version: String,
    /// Whether the guardian of a child under 14 agreed separately.
    #[serde(default)]
    guardian_consent: bool,
}

/// Claims a joining by the code's plain address.
#[utoipa::path(post, path = "/api/v1/join", tag = "enrolments", request_body = SceneRead, responses(
    (status = 200, body = Joining), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
    (status = 410, body = ProblemBody)))]
pub(super) async fn claim(
    State(deps): State<ChannelDeps>,
    who: Account,
    ApiJson(body): ApiJson<SceneRead>,
) -> ApiResult<Json<Joining>> {
    let (id, scanned) = enrol::claim(&deps, &who, &body.scene).await?;
    match scanned {
        Scanned::Bound { .. } | Scanned::Confirm { .. } => {}
        Scanned::Not(problem) => return Err(problem.into()),
        Scanned::Used => return Err(Refusal::Used.into()),
        Scanned::Over => return Err(Refusal::Over.into()),
    }
    Ok(Json(Joining::new(enrol::claimed(&deps, &who, id).await?)))
}

/// What the phone that has scanned is to confirm.
#[utoipa::path(get, path = "/api/v1/join/{id}", tag = "enrolments",
    params(("id" = String, Path, description = "`enr_…`")), responses(
    (status = 200, body = Joining), (status = 404, body = ProblemBody), (status = 410, body = ProblemBody)))]
pub(super) async fn show(
    State(deps): State<ChannelDeps>,
    who: Account,
    ApiPath(id): ApiPath<EnrolmentId>,
) -> ApiResult<Json<Joining>> {
    Ok(Json(Joining::new(enrol::claimed(&deps, &who, id).await?)))
}

/// Confirms the patient's name, and binds. Sent again it changes nothing.
#[utoipa::path(post, path = "/api/v1/join/{id}", tag = "enrolments", request_body = Confirmation,
    params(("id" = String, Path, description = "`enr_…`")), responses(
    (status = 200, body = Joining), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
    (status = 410, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn confirm(
    State(deps): State<ChannelDeps>,
    who: Account,
    ApiPath(id): ApiPath<EnrolmentId>,
    ApiJson(body): ApiJson<Confirmation>,
) -> ApiResult<Json<Joining>> {
    let name = RealName::parse(&body.name).ok_or(people::Refusal::Name)?;
    let consent = Consent { version: body.consent_version, guardian: body.guardian_consent };
    enrol::confirm(&deps, &who, id, &name, body.relation, consent).await?;
    Ok(Json(Joining::new(enrol::claimed(&deps, &who, id).await?)))
}
