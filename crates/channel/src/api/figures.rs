//! Figures of the channel, for staff.

use axum::Json;
use axum::extract::State;
use base::{Date, WallTime};
use edge::problem::ProblemBody;
use edge::{ApiQuery, ApiResult, Staff};
use people::contact::Reach;
use schedule::DepartmentId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::ChannelDeps;
use crate::store::figures as sql;

/// Of which days.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct FiguresQuery {
    /// The first day; thirty days back when left out.
    #[serde(default)]
    #[param(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// The last day; today when left out.
    #[serde(default)]
    #[param(value_type = Option<String>, format = Date)]
    to: Option<Date>,
}

/// A day's coming and going.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DayFigures {
    /// The day.
    #[schema(value_type = String, format = Date)]
    date: Date,
    /// Who began to follow.
    followed: i64,
    /// Who ceased to.
    unfollowed: i64,
}

/// How far those have come who began to follow in these days.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FunnelFigures {
    /// Began to follow.
    followed: i64,
    /// Of these: bound a patient.
    bound: i64,
    /// Of these: booked.
    booked: i64,
    /// Of these: booked again.
    returned: i64,
}

/// A department's bookings.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ShareFigures {
    /// `dep_…`
    #[schema(value_type = String)]
    department_id: DepartmentId,
    /// All bookings.
    booked: i64,
    /// Of these: through WeChat.
    by_wechat: i64,
}

/// Who can still be told something, and how.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReachFigures {
    /// All accounts.
    accounts: i64,
    /// Follow: template messages reach them.
    following: i64,
    /// Of these: wrote within 48 hours, so the chat is open to us too.
    chat_open: i64,
    /// Do not follow, but proved a phone: by SMS only.
    by_phone: i64,
    /// Neither.
    out_of_reach: i64,
}

/// The figures.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChannelFigures {
    /// The first day.
    #[schema(value_type = String, format = Date)]
    from: Date,
    /// The last day.
    #[schema(value_type = String, format = Date)]
    to: Date,
    /// Day by day; days without any are left out.
    days: Vec<DayFigures>,
    /// How far people came.
    funnel: FunnelFigures,
    /// By department.
    shares: Vec<ShareFigures>,
    /// Who can be reached today.
    reach: ReachFigures,
}

/// Followers day by day, how far they come, by which way visits are booked, and who can be reached.
#[utoipa::path(get, path = "/api/v1/channel/figures", tag = "chat", params(FiguresQuery),
    responses((status = 200, body = ChannelFigures), (status = 422, body = ProblemBody)))]
pub(super) async fn show(
    State(deps): State<ChannelDeps>,
    who: Staff,
    ApiQuery(query): ApiQuery<FiguresQuery>,
) -> ApiResult<Json<ChannelFigures>> {
    let hospital = &who.caller.hospital;
    let today = hospital.zone.date(deps.db.now());
    let to = query.to.unwrap_or(today);
    let from = query.from.unwrap_or_else(|| to.checked_sub(jiff::Span::new().days(29)).unwrap_or(to));
    let begins = |date: Date| hospital.zone.at(date, WallTime::from_minutes(0));
    let after = to.checked_add(jiff::Span::new().days(1)).unwrap_or(to);
    let days = sql::days(&deps.db, hospital.id, from, to).await?.into_iter();
    let steps = sql::steps(&deps.db, hospital.id, begins(from), begins(after)).await?;
    let shares = sql::shares(&deps.db, hospital.id, from, to).await?.into_iter();
    let Reach { accounts, following, chat_open, by_phone } =
        people::contact::reach(&deps.db, hospital.id).await?;
    Ok(Json(ChannelFigures {
        from,
        to,
        days: days
            .map(|d| DayFigures { date: d.day, followed: d.followed, unfollowed: d.unfollowed })
            .collect(),
        funnel: FunnelFigures {
            followed: steps.followed,
            bound: steps.bound,
            booked: steps.booked,
            returned: steps.returned,
        },
        shares: shares
            .map(|s| ShareFigures { department_id: s.department, booked: s.booked, by_wechat: s.by_wechat })
            .collect(),
        reach: ReachFigures {
            accounts,
            following,
            chat_open,
            by_phone,
            out_of_reach: accounts.saturating_sub(following).saturating_sub(by_phone),
        },
    }))
}
