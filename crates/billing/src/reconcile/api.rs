//! For the finance office, under `/api/v1/staff/billing`: days, what is not equal in them, and what was found out.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use base::{Date, Fen, Problem};
use edge::idempotency::{Begun, Once};
use edge::{ApiJson, ApiPath, ApiQuery, ApiResult, IdempotencyKey, Page, Routes, Staff};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::store::{
    self as sql, Day, DayState, Difference, DifferenceId, DifferenceKind, DifferenceState, What,
};
use crate::BillingDeps;
use crate::api::{ApproveRefund, SeeMoney};
use crate::problems;
use crate::settings::Settings;

/// Adds the routes of reconciliation to those of money.
pub(crate) fn add(routes: Routes<BillingDeps>) -> Routes<BillingDeps> {
    routes
        .route::<SeeMoney>(routes!(days))
        .route::<SeeMoney>(routes!(look_again))
        .route::<SeeMoney>(routes!(differences))
        .route::<SeeMoney>(routes!(explain))
        .route::<ApproveRefund>(routes!(decide))
}

/// One contract's day against the other side's bill.
#[derive(Debug, Serialize, ToSchema)]
struct BillDay {
    /// Which contract, by the segment of its address.
    account: String,
    /// Its id.
    account_id: String,
    /// Which day.
    date: String,
    /// Where it stands.
    state: DayState,
    /// Payments in the bill.
    payments: i64,
    /// Their sum.
    #[schema(value_type = i64)]
    paid_fen: Fen,
    /// Refunds in the bill.
    refunds: i64,
    /// Their sum.
    #[schema(value_type = i64)]
    refunded_fen: Fen,
    /// Lines that are equal.
    equal: i64,
    /// What the next day's bill will show.
    carried: i64,
    /// What nobody has explained.
    #[schema(value_type = i64)]
    unexplained_fen: Fen,
    /// Why it could not be read.
    #[schema(required = false)]
    error: Option<String>,
    /// When it was read.
    #[schema(required = false)]
    read_at: Option<String>,
    /// When it was closed.
    #[schema(required = false)]
    closed_at: Option<String>,
}

/// Something that is not equal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BillDifference)]
struct DifferenceBody {
    /// Its id.
    #[schema(value_type = String)]
    id: DifferenceId,
    /// Of which contract.
    account: String,
    /// On which day.
    date: String,
    /// Payment, refund, or the day's sums.
    what: What,
    /// How it is not equal.
    kind: DifferenceKind,
    /// Our number of it.
    number: String,
    /// The other side's.
    #[schema(required = false)]
    provider_no: Option<String>,
    /// What we have.
    #[schema(value_type = Option<i64>, required = false)]
    ours_fen: Option<Fen>,
    /// What they have.
    #[schema(value_type = Option<i64>, required = false)]
    theirs_fen: Option<Fen>,
    /// Where it stands.
    state: DifferenceState,
    /// What was found out.
    #[schema(required = false)]
    note: Option<String>,
    /// By whom.
    #[schema(required = false)]
    explained_by: Option<String>,
    /// Since when.
    opened_at: String,
}

fn name(deps: &BillingDeps, account: crate::model::PayAccountId) -> String {
    deps.merchants.get(account).map_or_else(|| account.to_string(), |merchant| merchant.name.clone())
}

fn day_body(deps: &BillingDeps, hospital: &edge::Hospital, day: Day) -> BillDay {
    BillDay {
        account: name(deps, day.account),
        account_id: day.account.to_string(),
        date: day.date.to_string(),
        state: day.state,
        payments: day.payments,
        paid_fen: day.paid,
        refunds: day.refunds,
        refunded_fen: day.refunded,
        equal: day.equal,
        carried: day.carried,
        unexplained_fen: day.unexplained,
        error: day.error,
        read_at: day.read_at.map(|at| hospital.rfc3339(at)),
        closed_at: day.closed_at.map(|at| hospital.rfc3339(at)),
    }
}

fn difference_body(deps: &BillingDeps, hospital: &edge::Hospital, one: Difference) -> DifferenceBody {
    DifferenceBody {
        account: name(deps, one.account),
        id: one.id,
        date: one.date.to_string(),
        what: one.what,
        kind: one.kind,
        number: one.number,
        provider_no: one.provider_no,
        ours_fen: one.ours,
        theirs_fen: one.theirs,
        state: one.state,
        note: one.note,
        explained_by: one.explained_by,
        opened_at: hospital.rfc3339(one.opened_at),
    }
}

/// Which days.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DaysQuery {
    /// The first day.
    #[param(value_type = String)]
    from: Date,
    /// The last day.
    #[param(value_type = String)]
    to: Date,
}

/// The days of all contracts, the last first.
#[utoipa::path(get, path = "/api/v1/staff/billing/days", tag = "billing", params(DaysQuery), responses((status = 200, body = Page<BillDay>)))]
async fn days(
    State(deps): State<BillingDeps>,
    staff: Staff,
    ApiQuery(query): ApiQuery<DaysQuery>,
) -> ApiResult<Json<Page<BillDay>>> {
    let h = &staff.caller.hospital;
    let found = sql::days(&deps.db, h.id, query.from, query.to).await?;
    Ok(Json(Page { items: found.into_iter().map(|one| day_body(&deps, h, one)).collect(), next: None }))
}

/// A day to be looked at again.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LookAgain {
    /// Which contract.
    #[schema(value_type = String)]
    account_id: crate::model::PayAccountId,
    /// Which day.
    #[schema(value_type = String)]
    date: Date,
}

/// Has a day's bill fetched and matched again, within a minute. Looking again changes nothing that is equal.
#[utoipa::path(post, path = "/api/v1/staff/billing/days/again", tag = "billing", request_body = LookAgain, params(("Idempotency-Key" = String, Header)),
    responses((status = 204), (status = 404, body = edge::problem::ProblemBody)))]
async fn look_again(
    State(deps): State<BillingDeps>,
    staff: Staff,
    _key: IdempotencyKey,
    ApiJson(again): ApiJson<LookAgain>,
) -> ApiResult<StatusCode> {
    let mut tx = deps.db.begin().await?;
    if !sql::again(&mut tx, staff.caller.hospital.id, again.account_id, again.date).await? {
        return Err(Problem::not_found().into());
    }
    let detail = serde_json::json!({ "date": again.date.to_string() });
    tx.audit(staff.caller.audit("billing.day.again", again.account_id, detail)).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is not equal and not explained, the oldest first.
#[utoipa::path(get, path = "/api/v1/staff/billing/differences", tag = "billing", responses((status = 200, body = Page<DifferenceBody>)))]
async fn differences(State(deps): State<BillingDeps>, staff: Staff) -> ApiResult<Json<Page<DifferenceBody>>> {
    let h = &staff.caller.hospital;
    let found = sql::all_open(&deps.db, h.id).await?;
    Ok(Json(Page {
        items: found.into_iter().map(|one| difference_body(&deps, h, one)).collect(),
        next: None,
    }))
}

/// What was found out about a difference.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Explanation {
    /// In words, 1 to 200 characters.
    note: String,
}

/// What a second person says to an explanation.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ExplanationDecision {
    /// Yes or no.
    approve: bool,
    /// Why, when it is no.
    #[serde(default)]
    note: String,
}

fn text(note: &str) -> Result<String, Problem> {
    let note = note.trim();
    if note.is_empty() || note.chars().count() > 200 {
        return Err(problems::text_length("note", 200));
    }
    Ok(note.to_owned())
}

/// Explains a difference. From the hospital's limit on another person has to agree.
#[utoipa::path(post, path = "/api/v1/staff/billing/differences/{id}/explanation", tag = "billing", request_body = Explanation,
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 200, body = DifferenceBody), (status = 409, description = "already_decided", body = edge::problem::ProblemBody)))]
async fn explain(
    State(deps): State<BillingDeps>,
    staff: Staff,
    key: IdempotencyKey,
    ApiPath(id): ApiPath<DifferenceId>,
    ApiJson(new): ApiJson<Explanation>,
) -> ApiResult<Response> {
    let note = text(&new.note)?;
    match Once::begin(&deps.db, &staff.caller, &key, "differences.explanation", &(id, &new)).await? {
        Begun::Replay(response) => Ok(response),
        Begun::Fresh(mut once) => {
            let h = &staff.caller.hospital;
            let settings: Settings = h.settings(Settings::SECTION);
            let found = sql::one(once.tx(), h.id, id).await?.ok_or_else(Problem::not_found)?;
            let alone = found.amount() < settings.approve_from_fen;
            let by = staff.id.to_string();
            if !sql::explain(once.tx(), h.id, id, &by, &note, alone).await? {
                return Err(problems::already_decided().into());
            }
            done(once, &deps, &staff, id, "billing.difference.explain").await
        }
    }
}

/// Agrees with an explanation, or does not.
#[utoipa::path(post, path = "/api/v1/staff/billing/differences/{id}/decision", tag = "billing", request_body = ExplanationDecision,
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 200, body = DifferenceBody), (status = 403, description = "second_person_needed", body = edge::problem::ProblemBody),
        (status = 409, description = "already_decided", body = edge::problem::ProblemBody)))]
async fn decide(
    State(deps): State<BillingDeps>,
    staff: Staff,
    key: IdempotencyKey,
    ApiPath(id): ApiPath<DifferenceId>,
    ApiJson(decision): ApiJson<ExplanationDecision>,
) -> ApiResult<Response> {
    let note = if decision.approve { String::new() } else { text(&decision.note)? };
    match Once::begin(&deps.db, &staff.caller, &key, "differences.decision", &(id, &decision)).await? {
        Begun::Replay(response) => Ok(response),
        Begun::Fresh(mut once) => {
            let h = &staff.caller.hospital;
            let found = sql::one(once.tx(), h.id, id).await?.ok_or_else(Problem::not_found)?;
            let by = staff.id.to_string();
            if found.explained_by.as_deref() == Some(&by) {
                return Err(problems::second_person().into());
            }
            if !sql::decide(once.tx(), h.id, id, &by, decision.approve, &note).await? {
                return Err(problems::already_decided().into());
            }
            done(once, &deps, &staff, id, "billing.difference.decide").await
        }
    }
}

/// Audits what was said, has the day looked at again (it may be closed now), and answers.
async fn done(
    mut once: Box<Once>,
    deps: &BillingDeps,
    staff: &Staff,
    id: DifferenceId,
    action: &'static str,
) -> ApiResult<Response> {
    let h = &staff.caller.hospital;
    let found = sql::one(once.tx(), h.id, id).await?.ok_or_else(Problem::not_found)?;
    let detail = serde_json::json!({ "state": found.state.code(), "amount_fen": found.amount().0 });
    once.tx().audit(staff.caller.audit(action, id, detail)).await?;
    if found.state == DifferenceState::Explained {
        sql::again(once.tx(), h.id, found.account, found.date).await?;
    }
    once.finish(StatusCode::OK, &difference_body(deps, h, found)).await
}
