//! Work that failed for good, of whatever sort, in one list.

use axum::Json;
use axum::extract::State;
use base::{Date, Kind, Problem, UnixMs};
use edge::problem::ProblemBody;
use edge::{ApiPath, ApiQuery, ApiResult, Caller, Page};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::Tx;
use store::failed::{self, Failed, Search};
use utoipa::{IntoParams, ToSchema};

use super::Deps;
use crate::entrance::store::failed as pushes;

/// A page has so many at most.
const MOST: u32 = 500;

store::text_enum! {
    /// What sort of work it is.
    #[derive(ToSchema)]
    #[schema(as = TroubleSort)]
    pub enum Sort {
        /// A reaction to something that happened.
        Event = "event",
        /// Something that was due at a time.
        Job = "job",
        /// A push of WeChat: a message, a scan, a follow.
        Push = "push",
    }
}

/// A piece of work that failed for good.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Trouble)]
pub(super) struct TroubleBody {
    sort: Sort,
    /// What names it among its sort.
    id: String,
    /// Which event, job or push.
    kind: String,
    /// When the event happened, the job was due, the push came.
    #[schema(format = DateTime)]
    at: String,
    /// How often it was tried.
    attempts: i64,
    /// Why the last attempt failed; for those who know the program.
    error: String,
}

/// Which.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct TroubleQuery {
    /// This sort alone.
    #[serde(default)]
    sort: Option<Sort>,
    /// The beginning of a kind: `booking.`.
    #[serde(default)]
    kind: String,
    /// From this day on (`2026-11-23`).
    #[serde(default)]
    #[param(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// Up to and with this day.
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

/// What failed for good and waits for somebody to look at it, newest first.
#[utoipa::path(get, path = "/api/v1/staff/trouble", tag = "console", params(TroubleQuery),
    responses((status = 200, body = Page<TroubleBody>), (status = 422, body = ProblemBody)))]
pub(super) async fn list(
    State(deps): State<Deps>,
    caller: Caller,
    ApiQuery(query): ApiQuery<TroubleQuery>,
) -> ApiResult<Json<Page<TroubleBody>>> {
    let hospital = &caller.hospital;
    let most = query.limit.unwrap_or(100).clamp(1, MOST);
    let midnight = |date: Date| hospital.zone.at(date, base::WallTime::default());
    let until = query.to.and_then(|to| to.tomorrow().ok()).map_or(UnixMs(i64::MAX), midnight);
    let after = query.after.as_deref().map(cursor).transpose()?;
    let search = Search {
        from: query.from.map_or(UnixMs(0), midnight),
        before: after.map_or(until, |at| at.min(until)),
        // One more than the page, to know whether it is the last.
        most: i64::from(most) + 1,
    };
    let mut found: Vec<(Sort, Failed)> = Vec::new();
    for sort in Sort::ALL.iter().filter(|s| query.sort.is_none_or(|wanted| wanted == **s)) {
        let some = match sort {
            Sort::Event => failed::events(&deps.db, hospital.id, search).await?,
            Sort::Job => failed::jobs(&deps.db, hospital.id, search).await?,
            Sort::Push => pushes::list(&deps.db, hospital.id, search).await?,
        };
        found.extend(some.into_iter().map(|one| (*sort, one)));
    }
    let next = page(&mut found, most);
    found.retain(|(_, one)| one.kind.starts_with(&query.kind));
    let item = |(sort, one): (Sort, Failed)| TroubleBody {
        sort,
        id: one.id,
        kind: one.kind,
        at: hospital.rfc3339(one.at),
        attempts: one.attempts,
        error: one.error,
    };
    Ok(Json(Page { items: found.into_iter().map(item).collect(), next }))
}

/// Cuts a page off what was found and gives where the next one begins. Pages are cut between two instants: what failed at the
/// same one stays together, unless that alone fills the page.
fn page(found: &mut Vec<(Sort, Failed)>, most: u32) -> Option<String> {
    found.sort_by(|(_, a), (_, b)| b.at.cmp(&a.at).then_with(|| a.id.cmp(&b.id)));
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let over = found.get(most)?.1.at;
    found.truncate(most);
    if found.first().is_some_and(|(_, first)| first.at != over) {
        found.retain(|(_, one)| one.at != over);
    }
    found.last().map(|(_, last)| last.at.0.to_string())
}

fn cursor(text: &str) -> Result<UnixMs, Problem> {
    text.parse().map(UnixMs).map_err(|_| {
        Problem::new(Kind::Invalid, "query_invalid", "after：不正确。", "after: is not right.").field(
            "after",
            "query_invalid",
            "不正确",
            "is not right",
        )
    })
}

/// Tries failed work again, with as many attempts as at first.
#[utoipa::path(post, path = "/api/v1/staff/trouble/{sort}/{id}/retry", tag = "console", params(("sort" = Sort, Path), ("id" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, description = "not_failed", body = ProblemBody)))]
pub(super) async fn again(
    State(deps): State<Deps>,
    caller: Caller,
    ApiPath((sort, id)): ApiPath<(Sort, String)>,
) -> ApiResult<http::StatusCode> {
    settle(&deps, &caller, sort, &id, true).await
}

/// Gives failed work up: it does not stand in the list any more.
#[utoipa::path(post, path = "/api/v1/staff/trouble/{sort}/{id}/give-up", tag = "console", params(("sort" = Sort, Path), ("id" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, description = "not_failed", body = ProblemBody)))]
pub(super) async fn give_up(
    State(deps): State<Deps>,
    caller: Caller,
    ApiPath((sort, id)): ApiPath<(Sort, String)>,
) -> ApiResult<http::StatusCode> {
    settle(&deps, &caller, sort, &id, false).await
}

async fn settle(
    deps: &Deps,
    caller: &Caller,
    sort: Sort,
    id: &str,
    again: bool,
) -> ApiResult<http::StatusCode> {
    let hospital = caller.hospital.id;
    let mut tx: Tx = deps.db.begin().await?;
    let done = match (sort, again) {
        (Sort::Event, true) => failed::event_again(&mut tx, hospital, id).await?,
        (Sort::Event, false) => failed::event_over(&mut tx, hospital, id).await?,
        (Sort::Job, true) => failed::job_again(&mut tx, hospital, id).await?,
        (Sort::Job, false) => failed::job_over(&mut tx, hospital, id).await?,
        (Sort::Push, true) => pushes::again(&mut tx, hospital, id).await?,
        (Sort::Push, false) => pushes::give_up(&mut tx, hospital, id).await?,
    };
    if !done {
        let (zh, en) = (
            "这一项已经处理过，或者同样的任务正在等待执行。",
            "Somebody has dealt with this already, or the same work is waiting to be done.",
        );
        return Err(Problem::new(Kind::Conflict, "not_failed", zh, en).into());
    }
    let action = if again { "trouble.retry" } else { "trouble.give_up" };
    tx.audit(caller.audit(action, format!("{}:{id}", sort.code()), json!({}))).await?;
    tx.commit().await?;
    Ok(http::StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(times: &[i64]) -> Vec<(Sort, Failed)> {
        let one = |(n, at): (usize, &i64)| {
            let failed = Failed {
                id: n.to_string(),
                kind: "k".into(),
                at: UnixMs(*at),
                attempts: 1,
                error: String::new(),
            };
            (Sort::Job, failed)
        };
        times.iter().enumerate().map(one).collect()
    }

    fn cut(times: &[i64], most: u32) -> (Vec<i64>, Option<String>) {
        let mut found = at(times);
        let next = page(&mut found, most);
        (found.iter().map(|(_, f)| f.at.0).collect(), next)
    }

    #[test]
    fn pages_are_cut_between_instants() {
        assert_eq!(cut(&[1, 3, 2], 3), (vec![3, 2, 1], None));
        assert_eq!(cut(&[1, 3, 2], 2), (vec![3, 2], Some("2".into())));
        assert_eq!(
            cut(&[2, 3, 2], 2),
            (vec![3], Some("3".into())),
            "both of one instant come on the next page"
        );
        assert_eq!(cut(&[2, 2, 2], 2), (vec![2, 2], Some("2".into())));
        assert_eq!(cut(&[], 2), (vec![], None));
    }
}
