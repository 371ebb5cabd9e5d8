//! Figures about waiting.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::{Date, Problem, Text2};
use edge::{ApiQuery, ApiResult, Staff};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use serde::Deserialize;

use super::All;
use crate::QueueDeps;
use crate::model::Queue;
use crate::problems;
use crate::stats::{self as figures, By, Figures};
use crate::store::stats as sql;

/// The most days at a time.
const MOST_DAYS: i32 = 92;

/// Which days, and how grouped.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StatsQuery {
    /// From this day on; today without.
    #[param(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// Until this day; `from` without.
    #[param(value_type = Option<String>, format = Date)]
    to: Option<Date>,
    /// By what.
    #[serde(default)]
    #[param(inline)]
    by: By,
}

async fn look(deps: &QueueDeps, staff: &Staff, query: &StatsQuery) -> Result<Vec<Figures>, Problem> {
    let hospital = &staff.caller.hospital;
    let h = hospital.id;
    let from = query.from.unwrap_or_else(|| hospital.zone.date(deps.db.now()));
    let to = query.to.unwrap_or(from);
    let days = from.until(to).map(|span| span.get_days()).unwrap_or(i32::MAX);
    if !(0..MOST_DAYS).contains(&days) {
        return Err(problems::invalid(
            "to",
            "最多 92 天，且不早于开始日期",
            "at most 92 days, not before the first",
        ));
    }
    let setup = deps.pictures.setup(h).await?;
    let seen = sql::of_days(&deps.db, h, from, to).await?;
    let name = |q: &Queue| match query.by {
        By::Doctor => {
            let doctor = q.doctor?;
            Some((doctor.to_string(), deps.board.doctor_name(h, doctor)?.0))
        }
        By::Department => match q.department {
            Some(id) => Some((id.to_string(), deps.board.department_name(h, id)?)),
            None => Some((q.id.to_string(), q.name.clone())),
        },
        _ => Some((q.id.to_string(), q.name.clone())),
    };
    Ok(figures::figures(&seen, &setup.queues, query.by, &hospital.zone, name))
}

/// Waiting in figures.
#[utoipa::path(get, path = "/api/v1/queue/stats", tag = "queue", params(StatsQuery), responses((status = 200, body = All<Figures>), (status = 422, body = edge::problem::ProblemBody)))]
pub async fn stats(
    State(deps): State<QueueDeps>,
    staff: Staff,
    ApiQuery(query): ApiQuery<StatsQuery>,
) -> ApiResult<Json<All<Figures>>> {
    Ok(Json(All { items: look(&deps, &staff, &query).await? }))
}

/// The same as a file.
#[utoipa::path(get, path = "/api/v1/queue/stats.csv", tag = "queue", params(StatsQuery), responses((status = 200, content_type = "text/csv", body = String)))]
pub async fn stats_csv(
    State(deps): State<QueueDeps>,
    staff: Staff,
    ApiQuery(query): ApiQuery<StatsQuery>,
) -> ApiResult<Response> {
    let all = look(&deps, &staff, &query).await?;
    let lang = staff.caller.lang;
    let heads = [
        Text2::new("名称", "Name"),
        Text2::new("取号人数", "Numbers"),
        Text2::new("叫号人数", "Called"),
        Text2::new("等候中位数（分钟）", "Wait, median (min)"),
        Text2::new("等候八成（分钟）", "Wait, 80 % (min)"),
        Text2::new("等候九成（分钟）", "Wait, 90 % (min)"),
        Text2::new("到院起中位数（分钟）", "Since arrival, median (min)"),
        Text2::new("就诊中位数（分钟）", "Service, median (min)"),
        Text2::new("过号", "Missed a call"),
        Text2::new("离开", "Left"),
    ];
    let mut file = format!("\u{feff}{}", schedule::staff_api::csv::line(heads.iter().map(|h| h.get(lang))));
    let minutes = |value: Option<f64>| value.map(|v| v.to_string()).unwrap_or_default();
    for f in &all {
        let fields = [
            f.name.get(lang).to_owned(),
            f.n.to_string(),
            f.called.to_string(),
            minutes(f.wait_p50_min),
            minutes(f.wait_p80_min),
            minutes(f.wait_p90_min),
            minutes(f.since_arrival_p50_min),
            minutes(f.serve_p50_min),
            f.no_answer.to_string(),
            f.left.to_string(),
        ];
        file.push_str(&schedule::staff_api::csv::line(fields.iter().map(String::as_str)));
    }
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"waiting.csv\""),
    ];
    Ok((headers, file).into_response())
}
