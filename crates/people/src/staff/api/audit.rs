//! The audit log, for who is there to read it.

use ::store::audit::{self, Search};
use axum::extract::State;
use axum::response::Response;
use base::{Date, Kind, Problem, UnixMs};
use edge::problem::ProblemBody;
use edge::{ApiQuery, ApiResult, Hospital, Page, Staff};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::session::private;
use super::wire::now;
use crate::staff::store::member;
use crate::staff::who::logins;
use crate::staff::{StaffDeps, StaffRefusal, rules};

/// A page has so many entries at most.
const MOST: u32 = 500;

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditQuery {
    /// From this day on (`2026-11-23`); the last seven days when left out.
    #[serde(default)]
    #[param(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// Up to and with this day; today when left out.
    #[serde(default)]
    #[param(value_type = Option<String>, format = Date)]
    to: Option<Date>,
    /// By whom: an id (`stf_…`, `acc_…`), a login, `system` or `nobody`.
    #[serde(default)]
    actor: String,
    /// What: the beginning of an action, `staff.` or `staff.sign_in`.
    #[serde(default)]
    action: String,
    /// To which record.
    #[serde(default)]
    entity: String,
    /// `next` of the page before.
    #[serde(default)]
    after: Option<String>,
    /// So many, 100 when left out, 500 at most.
    #[serde(default)]
    limit: Option<u32>,
}

/// An entry of the audit log.
#[derive(Serialize, ToSchema)]
pub(super) struct AuditItem {
    /// Its number.
    seq: i64,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// Who: an id, `system` or `nobody`.
    actor: String,
    /// The login, when it was a member of staff.
    #[schema(required = false)]
    login: Option<String>,
    /// What.
    action: String,
    /// To which record.
    entity: String,
    /// How and why.
    detail: serde_json::Value,
    /// Under which request.
    request_id: String,
    /// From where: an address, a channel.
    source: String,
}

/// Entries of the audit log, the newest first. Whoever looks is in it, too.
#[utoipa::path(get, path = "/api/v1/audit", tag = "staff", params(AuditQuery),
    responses((status = 200, body = Page<AuditItem>), (status = 422, body = ProblemBody)))]
pub(super) async fn list(
    State(deps): State<StaffDeps>,
    who: Staff,
    ApiQuery(query): ApiQuery<AuditQuery>,
) -> ApiResult<Response> {
    let (people, hospital) = (&deps.people, &who.caller.hospital);
    let today = hospital.zone.date(now(&deps));
    let to = query.to.unwrap_or(today);
    let from = query.from.unwrap_or_else(|| week_before(to));
    let most = query.limit.unwrap_or(100).clamp(1, MOST);
    let search = Search {
        from: start_of(hospital, from)?,
        until: start_of(hospital, to.tomorrow().map_err(|_| no_date())?)?,
        actor: actor(&deps, &who, &query.actor).await?,
        action: query.action.clone(),
        entity: query.entity.clone(),
        after: query.after.as_deref().and_then(cursor),
        most: most + 1,
    };
    let mut found = audit::search(&people.db, hospital.id, &search).await?;
    if query.after.is_none() {
        let mut tx = people.db.begin().await?;
        let detail = serde_json::json!({"from": from, "to": to, "actor": search.actor, "action": query.action, "entity": query.entity});
        tx.audit(who.caller.audit("audit.search", "audit", detail)).await?;
        tx.commit().await?;
    }
    let more = found.len() > usize::try_from(most).unwrap_or(usize::MAX);
    if more {
        found.pop();
    }
    let next = found.last().filter(|_| more).map(|last| format!("{}.{}", last.at.0, last.seq));
    let logins = logins(&people.db, hospital.id, found.iter().map(|e| e.actor.as_str())).await?;
    let item = |entry: audit::Logged| AuditItem {
        seq: entry.seq,
        at: hospital.rfc3339(entry.at),
        login: logins.get(&entry.actor).cloned(),
        actor: entry.actor,
        action: entry.action,
        entity: entry.entity,
        detail: serde_json::from_str(&entry.detail).unwrap_or_default(),
        request_id: entry.request_id,
        source: entry.source,
    };
    Ok(private(Page::<AuditItem> { items: found.into_iter().map(item).collect(), next }))
}

fn week_before(day: Date) -> Date {
    (0..6).fold(day, |day, _| day.yesterday().unwrap_or(day))
}

fn start_of(hospital: &Hospital, day: Date) -> Result<UnixMs, Problem> {
    let midnight = "00:00".parse().map_err(|_| no_date())?;
    Ok(hospital.zone.at(day, midnight))
}

fn no_date() -> Problem {
    let (zh, en) = ("日期不对", "this is not a date");
    Problem::new(Kind::Invalid, "query_invalid", format!("to：{zh}。"), format!("to: {en}.")).field(
        "to",
        "query_invalid",
        zh,
        en,
    )
}

/// Reads `next` of the page before; what is none begins anew.
fn cursor(text: &str) -> Option<(UnixMs, i64)> {
    let (at, seq) = text.split_once('.')?;
    Some((UnixMs(at.parse().ok()?), seq.parse().ok()?))
}

/// The form in which the log names an actor: for a login the id behind it.
async fn actor(deps: &StaffDeps, who: &Staff, typed: &str) -> Result<String, StaffRefusal> {
    let typed = typed.trim();
    let Some(login) = rules::login(typed) else { return Ok(typed.to_owned()) };
    let found = member::by_login(&deps.people.db, who.caller.hospital.id, &login).await?;
    Ok(found.map_or_else(|| typed.to_owned(), |m| m.id.to_string()))
}
