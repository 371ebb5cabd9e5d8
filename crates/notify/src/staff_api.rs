//! For staff: what patients were not told, and doing something about it.

mod templates;

use axum::Json;
use axum::extract::State as Deps;
use base::{Date, Kind as Problems, Problem, Text2, UnixMs};
use edge::permission::Role::{AuditAdmin, Director, Experience, Operations, SystemAdmin, Triage};
use edge::problem::ProblemBody;
use edge::schema::Text2Schema;
use edge::{ApiPath, ApiQuery, ApiResult, Caller, Page, Routes, Who};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use crate::NotifyDeps;
use crate::api::wake;
use crate::model::{Channel, Kind, MessageId, State};
use crate::store::message::notice;
use crate::store::untold::{self, Search, Untold};
use crate::text;

/// A page has so many at most.
const MOST: u32 = 500;

edge::permission! {
    /// May see what patients were not told, names masked.
    SeeDeliveries = "notify.see", Who::Roles(&[SystemAdmin, AuditAdmin, Operations, Triage, Experience, Director]);
    /// May have it told again, or give it up.
    SettleDeliveries = "notify.settle", Who::Roles(&[SystemAdmin, Operations, Triage]);
    /// May say which of WeChat's templates serves which message, and try one out.
    RunTemplates = "notify.templates", Who::Roles(&[SystemAdmin, Operations]);
}

/// The routes, with who may call them.
pub(crate) fn routes() -> Routes<NotifyDeps> {
    Routes::new()
        .route::<SeeDeliveries>(routes!(list))
        .route::<SettleDeliveries>(routes!(again))
        .route::<SettleDeliveries>(routes!(give_up))
        .route::<RunTemplates>(routes!(templates::list))
        .route::<RunTemplates>(routes!(templates::choose))
        .route::<RunTemplates>(routes!(templates::test))
}

store::text_enum! {
    /// How a message ended.
    #[derive(ToSchema)]
    #[schema(as = UntoldState)]
    pub enum Ended {
        /// The person was not told.
        Failed = "failed",
        /// Nobody can say whether it arrived.
        Unknown = "unknown",
        /// Its time was over before it could be sent.
        Expired = "expired",
    }
}

/// Something that a patient was not told, or perhaps not.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UntoldMessage)]
struct UntoldBody {
    #[schema(value_type = String)]
    id: MessageId,
    /// What was to be told …
    kind: Kind,
    /// … by its name.
    #[schema(value_type = Text2Schema)]
    kind_name: Text2,
    /// About what: `apt_…`.
    subject: String,
    /// Who it is about, masked.
    person_masked: Option<String>,
    state: Ended,
    /// Why it ended so: `no_way`, `undelivered`, `trouble`, `gave_up`, `expired`.
    reason: Option<String>,
    /// The way that was tried last.
    channel: Option<Channel>,
    attempts: i64,
    /// What the other side said to the last attempt: its code …
    code: Option<String>,
    /// … and its words.
    detail: Option<String>,
    /// Since when it stands so.
    #[schema(format = DateTime)]
    at: String,
    /// Until when it is of use.
    #[schema(format = DateTime)]
    expires_at: String,
    /// When it is tried again by itself.
    #[schema(format = DateTime)]
    next_try_at: Option<String>,
    /// Whether it can be told again by hand.
    retriable: bool,
}

/// Which.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct UntoldQuery {
    /// This kind alone.
    #[serde(default)]
    kind: Option<Kind>,
    /// That ended so.
    #[serde(default)]
    state: Option<Ended>,
    /// Whose last attempt went this way.
    #[serde(default)]
    channel: Option<Channel>,
    /// From this day on (`2026-11-23`); the last 30 days when left out.
    #[serde(default)]
    #[param(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// Up to and with this day; today when left out.
    #[serde(default)]
    #[param(value_type = Option<String>, format = Date)]
    to: Option<Date>,
    /// `next` of the page before.
    #[serde(default)]
    after: Option<String>,
    /// So many, 100 when left out, 500 at most.
    #[serde(default)]
    limit: Option<u32>,
}

/// What patients were not told and nobody has dealt with yet, the latest first.
#[utoipa::path(get, path = "/api/v1/staff/deliveries", tag = "notify", params(UntoldQuery),
    responses((status = 200, body = Page<UntoldBody>), (status = 422, body = ProblemBody)))]
async fn list(
    Deps(deps): Deps<NotifyDeps>,
    caller: Caller,
    ApiQuery(query): ApiQuery<UntoldQuery>,
) -> ApiResult<Json<Page<UntoldBody>>> {
    let hospital = &caller.hospital;
    let now = deps.db.now();
    let midnight = |date: Date| hospital.zone.at(date, base::WallTime::default());
    let month = std::time::Duration::from_secs(30 * 86_400);
    let most = query.limit.unwrap_or(100).clamp(1, MOST);
    let search = Search {
        from: query.from.map_or(now.minus(month), midnight),
        until: query.to.and_then(|to| to.tomorrow().ok()).map_or(UnixMs(i64::MAX), midnight),
        kind: query.kind.map_or("", Kind::code),
        state: query.state.map_or("", Ended::code),
        channel: query.channel.map_or("", Channel::code),
        after: query.after.as_deref().map(cursor).transpose()?,
        most: i64::from(most) + 1,
    };
    let mut found = untold::list(&deps.db, hospital.id, &search).await?;
    let more = found.len() > usize::try_from(most).unwrap_or(usize::MAX);
    if more {
        found.pop();
    }
    let next = found.last().filter(|_| more).map(|last| format!("{}.{}", last.changed.0, last.id));
    let shown = |one: Untold| UntoldBody {
        retriable: one.state != State::Expired && one.expires > now && one.kind != Kind::SmsCode,
        kind_name: text::title(one.kind),
        state: match one.state {
            State::Unknown => Ended::Unknown,
            State::Expired => Ended::Expired,
            _ => Ended::Failed,
        },
        at: hospital.rfc3339(one.changed),
        expires_at: hospital.rfc3339(one.expires),
        next_try_at: one.due.map(|due| hospital.rfc3339(due)),
        id: one.id,
        kind: one.kind,
        subject: one.subject,
        person_masked: one.person,
        reason: one.reason,
        channel: one.channel,
        attempts: one.attempts,
        code: one.code,
        detail: one.detail,
    };
    Ok(Json(Page { items: found.into_iter().map(shown).collect(), next }))
}

fn cursor(text: &str) -> Result<(UnixMs, MessageId), Problem> {
    let read = || {
        let (at, id) = text.split_once('.')?;
        Some((UnixMs(at.parse().ok()?), id.parse().ok()?))
    };
    read().ok_or_else(|| {
        let (zh, en) = ("不正确", "is not right");
        Problem::new(Problems::Invalid, "query_invalid", format!("after：{zh}。"), format!("after: {en}."))
            .field("after", "query_invalid", zh, en)
    })
}

/// Tells it again by any way that is open. One of which nobody knows whether it arrived may then arrive twice.
#[utoipa::path(post, path = "/api/v1/staff/deliveries/{id}/retry", tag = "notify", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, description = "not_untold", body = ProblemBody)))]
async fn again(
    Deps(deps): Deps<NotifyDeps>,
    caller: Caller,
    ApiPath(id): ApiPath<MessageId>,
) -> ApiResult<http::StatusCode> {
    let hospital = caller.hospital.id;
    let mut tx = deps.db.begin().await?;
    let Some(subject) = untold::again(&mut tx, hospital, id).await? else {
        return Err(not_untold(untold::is_known(&mut tx, hospital, id).await?).into());
    };
    tx.audit(caller.audit("notify.retry", id, json!({"subject": subject}))).await?;
    tx.touch(notice(&subject));
    tx.touch(wake());
    tx.commit().await?;
    Ok(http::StatusCode::NO_CONTENT)
}

/// Gives it up: it is not tried again and does not stand in the list any more.
#[utoipa::path(post, path = "/api/v1/staff/deliveries/{id}/give-up", tag = "notify", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, description = "not_untold", body = ProblemBody)))]
async fn give_up(
    Deps(deps): Deps<NotifyDeps>,
    caller: Caller,
    ApiPath(id): ApiPath<MessageId>,
) -> ApiResult<http::StatusCode> {
    let hospital = caller.hospital.id;
    let mut tx = deps.db.begin().await?;
    if !untold::give_up(&mut tx, hospital, id).await? {
        return Err(not_untold(untold::is_known(&mut tx, hospital, id).await?).into());
    }
    tx.audit(caller.audit("notify.give_up", id, json!({}))).await?;
    tx.commit().await?;
    Ok(http::StatusCode::NO_CONTENT)
}

fn not_untold(is_known: bool) -> Problem {
    if !is_known {
        return Problem::not_found();
    }
    Problem::new(
        Problems::Conflict,
        "not_untold",
        "这条通知已经处理过、正在发送，或已过有效时间，不能再操作。",
        "This message was dealt with already, is on its way, or is of no use any more.",
    )
}
