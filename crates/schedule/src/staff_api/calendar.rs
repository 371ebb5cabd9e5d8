//! The working-day calendar.

use axum::Json;
use axum::extract::State;
use base::{Date, Kind, Problem};
use edge::{ApiJson, ApiPath, ApiQuery, ApiResult, Caller};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::StaffDeps;
use crate::calendar::{self, Calendar, DayKind, Year};
use crate::rules::days_after;

store::text_enum! {
    /// What sort of day it is.
    #[derive(ToSchema)]
    #[schema(as = CalendarDayKind)]
    pub enum Sort {
        /// Monday to Friday, not a holiday.
        Workday = "workday",
        /// Saturday or Sunday.
        Weekend = "weekend",
        /// Off by the notice of the year.
        Holiday = "holiday",
        /// A weekend day that is worked.
        MakeUp = "make_up",
    }
}

/// A day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalendarDay)]
pub(super) struct DayBody {
    #[schema(value_type = String, format = Date)]
    date: Date,
    kind: Sort,
    /// A worked weekend day: as which weekday (1 Monday to 7 Sunday) this hospital runs it, when that is set.
    stands_for: Option<u8>,
    /// Work on this day is paid threefold.
    statutory: bool,
    /// False while nobody has loaded the year: weekends are all that is known.
    known: bool,
}

/// `GET /staff/calendar`
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalendarDays)]
pub(super) struct DaysBody {
    items: Vec<DayBody>,
    /// The years that are known: those shipped with the program and those that were loaded.
    years: Vec<i16>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DaysQuery {
    /// The first date; today when it is not given.
    #[param(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// How many days, 1 to 366; 31 when it is not given.
    #[param(minimum = 1, maximum = 366)]
    days: Option<u16>,
}

fn day(calendar: &Calendar, date: Date) -> DayBody {
    let (kind, stands_for) = match calendar.kind(date) {
        DayKind::Workday => (Sort::Workday, None),
        DayKind::Weekend => (Sort::Weekend, None),
        DayKind::Holiday => (Sort::Holiday, None),
        DayKind::MakeUp { stands_for } => (Sort::MakeUp, stands_for),
    };
    DayBody { date, kind, stands_for, statutory: calendar.is_statutory(date), known: calendar.knows(date) }
}

/// Which days are worked.
#[utoipa::path(get, path = "/api/v1/staff/calendar", tag = "schedule_staff", params(DaysQuery), responses((status = 200, body = DaysBody)))]
pub(super) async fn days(
    State(deps): State<StaffDeps>,
    caller: Caller,
    ApiQuery(query): ApiQuery<DaysQuery>,
) -> ApiResult<Json<DaysBody>> {
    let count = query.days.unwrap_or(31);
    if !(1..=366).contains(&count) {
        let problem =
            Problem::new(Kind::Invalid, "query_invalid", "days：应为 1 到 366。", "days: must be 1 to 366.");
        return Err(problem.field("days", "wrong_value", "应为 1 到 366", "must be 1 to 366").into());
    }
    let hospital = &caller.hospital;
    let calendar = calendar::of_hospital(&deps.db, hospital.id).await?;
    let first = query.from.unwrap_or_else(|| hospital.zone.date(deps.db.now()));
    let items = (0..count).map(|n| day(&calendar, days_after(first, n))).collect();
    Ok(Json(DaysBody { items, years: calendar.years().map(|(year, _)| year).collect() }))
}

/// Loads a year: the State Council's notice, and as which weekday worked weekend days run here. What was loaded of it before
/// is replaced.
#[utoipa::path(put, path = "/api/v1/staff/calendar/{year}", tag = "schedule_staff", request_body = Year, params(("year" = i16, Path)),
    responses((status = 200, body = DaysBody), (status = 422, body = edge::problem::ProblemBody)))]
pub(super) async fn load(
    State(deps): State<StaffDeps>,
    caller: Caller,
    ApiPath(year): ApiPath<i16>,
    ApiJson(content): ApiJson<Year>,
) -> ApiResult<Json<DaysBody>> {
    let mut tx = deps.db.begin().await?;
    calendar::load(&mut tx, &caller, year, &content).await?;
    tx.commit().await?;
    let calendar = calendar::of_hospital(&deps.db, caller.hospital.id).await?;
    let marked = content.days_off_by_notice.iter().chain(&content.make_up_workdays);
    let mut items: Vec<DayBody> = marked.map(|date| day(&calendar, *date)).collect();
    items.sort_by_key(|d| d.date);
    Ok(Json(DaysBody { items, years: calendar.years().map(|(year, _)| year).collect() }))
}
