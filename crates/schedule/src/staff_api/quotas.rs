//! How places are divided by channel.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use base::{Date, HalfDay, Problem, Text2};
use edge::idempotency::{Begun, Once};
use edge::schema::Text2Schema;
use edge::{ApiJson, ApiPath, ApiResult, Caller, IdempotencyKey};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::StaffDeps;
use super::clinics::{LineBody, lines};
use crate::model::ClinicId;
use crate::quota::keep::{self, Change};
use crate::quota::{QuotaRuleId, Rule, Scope, Shares, words};

/// A rule that divides places.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QuotaRule)]
pub(super) struct RuleBody {
    #[schema(value_type = String)]
    id: QuotaRuleId,
    scope: Scope,
    shares: Shares,
    /// The same in words, as patients read it.
    #[schema(value_type = Vec<Text2Schema>)]
    words: Vec<Text2>,
}

/// `GET /staff/quotas`
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QuotaRuleList)]
pub(super) struct RuleListBody {
    items: Vec<RuleBody>,
}

/// A rule to be added.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewQuotaRule)]
pub(super) struct NewRuleBody {
    /// For whom; the whole hospital when nothing is named. The most specific rule of a clinic counts.
    #[serde(default)]
    scope: Scope,
    /// Who gets how much.
    shares: Shares,
}

/// What a rule gives from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuotaRulePatch)]
pub(super) struct SharesBody {
    shares: Shares,
}

fn body(rule: Rule) -> RuleBody {
    RuleBody { id: rule.id, scope: rule.scope, words: words::division(&rule.shares), shares: rule.shares }
}

async fn all(deps: &StaffDeps, caller: &Caller) -> ApiResult<Json<RuleListBody>> {
    let items = keep::rules(&deps.db, caller.hospital.id).await?;
    Ok(Json(RuleListBody { items: items.into_iter().map(body).collect() }))
}

/// The rules.
#[utoipa::path(get, path = "/api/v1/staff/quotas", tag = "schedule_staff", responses((status = 200, body = RuleListBody)))]
pub(super) async fn list(State(deps): State<StaffDeps>, caller: Caller) -> ApiResult<Json<RuleListBody>> {
    all(&deps, &caller).await
}

/// Adds a rule. Clinics made from now on are divided by it; those that are there when it is applied.
#[utoipa::path(post, path = "/api/v1/staff/quotas", tag = "schedule_staff", request_body = NewRuleBody,
    params(("Idempotency-Key" = String, Header)),
    responses((status = 201, body = RuleBody), (status = 422, body = edge::problem::ProblemBody)))]
pub(super) async fn add(
    State(deps): State<StaffDeps>,
    caller: Caller,
    key: IdempotencyKey,
    ApiJson(new): ApiJson<NewRuleBody>,
) -> ApiResult<Response> {
    match Once::begin(&deps.db, &caller, &key, "staff/quotas", &new).await? {
        Begun::Replay(answer) => Ok(answer),
        Begun::Fresh(mut once) => {
            let id = keep::add(once.tx(), &caller, &new.scope, &new.shares).await?;
            let rule = Rule { id, scope: new.scope, shares: new.shares };
            once.finish(StatusCode::CREATED, &body(rule)).await
        }
    }
}

/// Changes a rule.
#[utoipa::path(put, path = "/api/v1/staff/quotas/{id}", tag = "schedule_staff", request_body = SharesBody, params(("id" = String, Path)),
    responses((status = 200, body = RuleListBody), (status = 404, body = edge::problem::ProblemBody), (status = 422, body = edge::problem::ProblemBody)))]
pub(super) async fn change(
    State(deps): State<StaffDeps>,
    caller: Caller,
    ApiPath(id): ApiPath<QuotaRuleId>,
    ApiJson(new): ApiJson<SharesBody>,
) -> ApiResult<Json<RuleListBody>> {
    let mut tx = deps.db.begin().await?;
    keep::change(&mut tx, &caller, id, &new.shares).await?;
    tx.commit().await?;
    deps.board.wake();
    all(&deps, &caller).await
}

/// Takes a rule away.
#[utoipa::path(delete, path = "/api/v1/staff/quotas/{id}", tag = "schedule_staff", params(("id" = String, Path)),
    responses((status = 200, body = RuleListBody), (status = 404, body = edge::problem::ProblemBody)))]
pub(super) async fn delete(
    State(deps): State<StaffDeps>,
    caller: Caller,
    ApiPath(id): ApiPath<QuotaRuleId>,
) -> ApiResult<Json<RuleListBody>> {
    let mut tx = deps.db.begin().await?;
    if !keep::delete(&mut tx, &caller, id).await? {
        return Err(Problem::not_found().into());
    }
    tx.commit().await?;
    deps.board.wake();
    all(&deps, &caller).await
}

/// A clinic whose division differs from the rules.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QuotaChange)]
pub(super) struct ChangeBody {
    #[schema(value_type = String)]
    clinic_id: ClinicId,
    #[schema(value_type = String, format = Date)]
    date: Date,
    #[schema(value_type = String)]
    half_day: HalfDay,
    capacity: i64,
    taken: i64,
    /// How it is divided now; empty when it is not.
    now: Vec<LineBody>,
    /// How it is divided by the rules, nobody's place taken away.
    wanted: Vec<LineBody>,
}

/// `GET /staff/quotas/preview`
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QuotaChangeList)]
pub(super) struct ChangeListBody {
    items: Vec<ChangeBody>,
}

fn changes(caller: &Caller, found: Vec<Change>) -> Json<ChangeListBody> {
    let hospital = &caller.hospital;
    let items = found.into_iter().map(|c| ChangeBody {
        clinic_id: c.clinic,
        date: c.date,
        half_day: c.half_day,
        capacity: c.capacity,
        taken: c.taken,
        now: lines(hospital, c.now, None),
        wanted: lines(hospital, c.wanted, None),
    });
    Json(ChangeListBody { items: items.collect() })
}

/// What the rules would change on clinics from today on.
#[utoipa::path(get, path = "/api/v1/staff/quotas/preview", tag = "schedule_staff", responses((status = 200, body = ChangeListBody)))]
pub(super) async fn preview(
    State(deps): State<StaffDeps>,
    caller: Caller,
) -> ApiResult<Json<ChangeListBody>> {
    Ok(changes(&caller, keep::preview(&deps.db, &caller.hospital).await?))
}

/// Divides clinics from today on as the rules say. Gives what was changed.
#[utoipa::path(post, path = "/api/v1/staff/quotas/apply", tag = "schedule_staff", responses((status = 200, body = ChangeListBody)))]
pub(super) async fn apply(State(deps): State<StaffDeps>, caller: Caller) -> ApiResult<Json<ChangeListBody>> {
    let found = keep::apply(&deps.db, &caller).await?;
    deps.board.wake();
    Ok(changes(&caller, found))
}
