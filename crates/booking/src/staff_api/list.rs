//! Bookings as staff look for them: a list with filters, the same as a file, and one with its history.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use base::{Date, Kind, Lang, Problem, UnixMs};
use edge::{ApiPath, ApiQuery, ApiResult, Caller, Page, StaffId};
use futures_util::stream;
use people::PersonId;
use schedule::staff_api::csv;
use schedule::{ClinicId, DepartmentId, DoctorId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::wire::{RowBody, rows};
use crate::BookingDeps;
use crate::api::NoticeBody;
use crate::model::{Appointment, AppointmentId, CallState, Visit};
use crate::store as sql;
use crate::store::desk::Filter;

/// So many a page, when nothing is said.
const PAGE: u32 = 50;
const MOST_A_PAGE: u32 = 200;
/// The most days between the first and the last date.
const MOST_DAYS: i32 = 92;
/// The most lines of a file.
const MOST_LINES: usize = 20_000;
/// Longer than any that we hand out.
const LONGEST_CODE: usize = 64;

#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// The first date; today when it is not given.
    #[param(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// The last date, at most 92 days later; `from` when it is not given, and with a person 30 days after it.
    #[param(value_type = Option<String>, format = Date)]
    to: Option<Date>,
    #[param(value_type = Option<String>)]
    department_id: Option<DepartmentId>,
    #[param(value_type = Option<String>)]
    doctor_id: Option<DoctorId>,
    #[param(value_type = Option<String>)]
    clinic_id: Option<ClinicId>,
    /// Of one person, found before.
    #[param(value_type = Option<String>)]
    person_id: Option<PersonId>,
    #[param(inline)]
    state: Option<crate::State>,
    #[param(inline)]
    visit: Option<Visit>,
    /// The number in the segment.
    #[param(minimum = 1)]
    number: Option<u32>,
    /// The check-in code of one appointment; nothing else counts then.
    code: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// So many, 1 to 200; 50 when it is not given.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

fn wrong(field: &'static str, zh: &'static str, en: &'static str) -> Problem {
    let problem =
        Problem::new(Kind::Invalid, "query_invalid", format!("{field}：{zh}。"), format!("{field}: {en}."));
    problem.field(field, "wrong_value", zh, en)
}

fn filter(deps: &BookingDeps, caller: &Caller, query: &ListQuery) -> Result<Filter, Problem> {
    let from = query.from.unwrap_or_else(|| caller.hospital.zone.date(deps.db.now()));
    let month = || from.checked_add(jiff::Span::new().days(30)).unwrap_or(from);
    let to = query.to.unwrap_or_else(|| if query.person_id.is_some() { month() } else { from });
    let days = from.until(to).map_or(-1, |span| span.get_days());
    if !(0..=MOST_DAYS).contains(&days) {
        return Err(wrong(
            "to",
            "不能早于开始日期，最多相隔 92 天",
            "not before the first date, and at most 92 days later",
        ));
    }
    Ok(Filter {
        from,
        to,
        person: query.person_id,
        department: query.department_id,
        doctor: query.doctor_id,
        clinic: query.clinic_id,
        state: query.state,
        visit: query.visit,
        number: query.number,
    })
}

pub(super) fn cursor(after: Option<&str>) -> Result<(UnixMs, String), Problem> {
    let Some(text) = after else { return Ok((UnixMs(i64::MIN), String::new())) };
    let no =
        || wrong("after", "翻页位置不对，请从头再看", "this page position is not valid, please start again");
    let (at, id) = text.split_once('.').ok_or_else(no)?;
    base::id::parse_digits(id).ok_or_else(no)?;
    Ok((UnixMs(at.parse().map_err(|_| no())?), id.to_owned()))
}

/// Who has booked what, the earliest first.
#[utoipa::path(get, path = "/api/v1/staff/appointments", tag = "booking_staff", params(ListQuery),
    responses((status = 200, body = Page<RowBody>), (status = 422, description = "query_invalid", body = edge::problem::ProblemBody)))]
pub(super) async fn list(
    State(deps): State<BookingDeps>,
    caller: Caller,
    ApiQuery(query): ApiQuery<ListQuery>,
) -> ApiResult<Json<Page<RowBody>>> {
    let hospital = &caller.hospital;
    if let Some(code) = query.code.as_deref().map(str::trim).filter(|c| !c.is_empty()) {
        if code.len() > LONGEST_CODE {
            return Err(wrong("code", "太长", "too long").into());
        }
        let found = sql::desk::by_code(&deps.db, hospital.id, &code.to_ascii_uppercase()).await?;
        let items = rows(&deps, hospital, found.as_slice()).await?;
        return Ok(Json(Page { items, next: None }));
    }
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=MOST_A_PAGE).contains(&limit) {
        return Err(wrong("limit", "应为 1 到 200", "must be 1 to 200").into());
    }
    let filter = filter(&deps, &caller, &query)?;
    let after = cursor(query.after.as_deref())?;
    let (found, next) = page(&deps, &caller, &filter, after, limit).await?;
    Ok(Json(Page { items: rows(&deps, hospital, &found).await?, next }))
}

async fn page(
    deps: &BookingDeps,
    caller: &Caller,
    filter: &Filter,
    after: (UnixMs, String),
    limit: u32,
) -> store::Result<(Vec<Appointment>, Option<String>)> {
    let most = usize::try_from(limit).unwrap_or(50);
    let mut found =
        sql::desk::list(&deps.db, caller.hospital.id, filter, after, i64::from(limit) + 1).await?;
    let more = found.len() > most;
    found.truncate(most);
    let next = found.last().filter(|_| more).map(|a| format!("{}.{}", a.start_at.0, a.id.db()));
    Ok((found, next))
}

/// The same as a file for spreadsheets, names and numbers covered. That it was made stands in the audit log.
#[utoipa::path(get, path = "/api/v1/staff/appointments.csv", tag = "booking_staff", params(ListQuery),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 422, description = "query_invalid", body = edge::problem::ProblemBody)))]
pub(super) async fn file(
    State(deps): State<BookingDeps>,
    caller: Caller,
    ApiQuery(query): ApiQuery<ListQuery>,
) -> ApiResult<Response> {
    let filter = filter(&deps, &caller, &query)?;
    let mut tx = deps.db.begin().await?;
    let detail = serde_json::json!({
        "from": filter.from, "to": filter.to, "department": filter.department, "doctor": filter.doctor, "clinic": filter.clinic,
        "person": filter.person, "state": filter.state, "visit": filter.visit,
    });
    tx.audit(caller.audit("booking.export", "appointments", detail)).await?;
    tx.commit().await?;
    let head = csv::line(heads(caller.lang));
    let pages = stream::unfold(Some((UnixMs(i64::MIN), String::new(), 0_usize)), move |at| {
        let (deps, caller, filter) = (deps.clone(), caller.clone(), filter.clone());
        async move {
            let (at, id, done) = at?;
            let read = lines(&deps, &caller, &filter, (at, id)).await;
            match read {
                Ok((text, count, next)) => {
                    let next = next.filter(|_| done + count < MOST_LINES);
                    let next =
                        next.and_then(|n| cursor(Some(&n)).ok()).map(|(at, id)| (at, id, done + count));
                    Some((Ok(text), next))
                }
                Err(error) => {
                    tracing::warn!(%error, "a file of bookings broke off");
                    Some((Err(std::io::Error::other("the database did not answer")), None))
                }
            }
        }
    });
    Ok(csv::file("appointments", head, pages))
}

fn heads(lang: Lang) -> [&'static str; 13] {
    match lang {
        Lang::Zh => [
            "日期",
            "开始",
            "结束",
            "序号",
            "就诊人",
            "电话",
            "科室",
            "医生",
            "类别",
            "状态",
            "渠道",
            "挂号费（元）",
            "预约编号",
        ],
        Lang::En => [
            "date",
            "start",
            "end",
            "number",
            "person",
            "phone",
            "department",
            "doctor",
            "visit",
            "state",
            "channel",
            "fee (yuan)",
            "appointment",
        ],
    }
}

async fn lines(
    deps: &BookingDeps,
    caller: &Caller,
    filter: &Filter,
    after: (UnixMs, String),
) -> store::Result<(String, usize, Option<String>)> {
    let (found, next) = page(deps, caller, filter, after, 500).await?;
    let mut text = String::new();
    for row in rows(deps, &caller.hospital, &found).await? {
        let person = row.person.as_ref();
        text.push_str(&csv::line([
            row.date.to_string().as_str(),
            &row.start.to_string(),
            &row.end.to_string(),
            &row.number.to_string(),
            person.map_or("", |p| p.name_masked.as_str()),
            person.and_then(|p| p.phone_masked.as_deref()).unwrap_or(""),
            row.department_name.get(caller.lang),
            row.doctor_name.as_ref().map_or("", |n| n.get(caller.lang)),
            row.visit.code(),
            row.state.code(),
            &row.channel,
            &format!("{}.{:02}", row.fee_fen.0 / 100, row.fee_fen.0 % 100),
            &row.id.to_string(),
        ]));
    }
    Ok((text, found.len(), next))
}

/// Something that was done about an appointment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AppointmentEvent)]
pub(super) struct EventBody {
    #[schema(format = DateTime)]
    at: String,
    /// `booking.book`, `booking.move`, `booking.cancel`, `booking.stop`, `booking.restore`, `booking.replace` …
    action: String,
    /// `patient`, `staff` or `system`.
    by: &'static str,
    /// Who of the staff: the name to sign in with.
    login: Option<String>,
    /// Why, where staff gave a reason.
    reason: Option<String>,
}

/// An appointment with what is behind it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeskAppointmentDetail)]
pub(super) struct DetailBody {
    appointment: RowBody,
    /// Whether it can be given up or moved for the person now.
    can_cancel: bool,
    /// Whether a free return visit can be made of it, as far as that depends on the visit itself.
    can_return: bool,
    /// The return visit that was made of it.
    #[schema(value_type = Option<String>)]
    return_visit_id: Option<AppointmentId>,
    /// For one that was called off: how it stands with the person.
    call: Option<CallState>,
    /// What became of telling the person.
    notices: Vec<NoticeBody>,
    /// What was done about it, the first first.
    history: Vec<EventBody>,
}

/// One appointment with its history.
#[utoipa::path(get, path = "/api/v1/staff/appointments/{id}", tag = "booking_staff", params(("id" = String, Path)),
    responses((status = 200, body = DetailBody), (status = 404, body = edge::problem::ProblemBody)))]
pub(super) async fn one(
    State(deps): State<BookingDeps>,
    caller: Caller,
    ApiPath(id): ApiPath<AppointmentId>,
) -> ApiResult<Json<DetailBody>> {
    let hospital = &caller.hospital;
    let a = sql::read(&deps.db, hospital.id, id).await?.ok_or_else(Problem::not_found)?;
    let appointment = rows(&deps, hospital, std::slice::from_ref(&a)).await?.pop();
    let notices = notify::of_subject(&deps.db, hospital.id, &id.to_string()).await?;
    let return_visit = sql::desk::read_return_of(&deps.db, hospital.id, id).await?;
    let mut history = Vec::new();
    for entry in store::audit::of_entity(&deps.db, hospital.id, &id.to_string()).await? {
        let detail: serde_json::Value = serde_json::from_str(&entry.detail).unwrap_or_default();
        let staff: Option<StaffId> = entry.actor.parse().ok();
        let known = match staff {
            Some(staff) => people::staff::brief(&deps.db, hospital.id, staff).await?,
            None => None,
        };
        history.push(EventBody {
            at: hospital.rfc3339(entry.at),
            action: entry.action,
            by: match staff {
                Some(_) => "staff",
                None if entry.actor.starts_with("acc_") => "patient",
                None => "system",
            },
            login: known.map(|k| k.login),
            reason: detail.get("reason").and_then(|r| r.as_str()).map(str::to_owned),
        });
    }
    Ok(Json(DetailBody {
        appointment: appointment.ok_or_else(Problem::not_found)?,
        can_cancel: a.state.may_become(crate::State::Cancelled),
        can_return: crate::rules::beyond::no_return_of(&a).is_none() && return_visit.is_none(),
        return_visit_id: return_visit.map(|one| one.id),
        call: sql::calls::read(&deps.db, hospital.id, id).await?.map(|c| c.state),
        notices: notices.into_iter().map(|n| NoticeBody::of(hospital, n)).collect(),
        history,
    }))
}
