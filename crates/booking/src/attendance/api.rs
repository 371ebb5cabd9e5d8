//! The routes about missed places: for patients under `/api/v1/no-shows`, for staff under `/api/v1/staff/no-shows`.

use axum::Json;
use axum::extract::State;
use base::{Date, HospitalId, Text2, WallTime};
use edge::schema::Text2Schema;
use edge::{Account, ApiJson, ApiPath, ApiQuery, ApiResult, Caller, IdempotencyKey};
use jiff::ToSpan as _;
use people::{BoundPerson, PersonId, bound};
use schedule::{DepartmentId, DoctorId};
use serde::{Deserialize, Serialize};
use store::vault::Purpose;
use utoipa::ToSchema;

use super::appeal::{self, DECISION, TEXT};
use super::rules::{Attendance, WINDOW_DAYS, standing};
use super::store::{self as sql, Appeal, NoShow};
use crate::BookingDeps;
use crate::model::{AppointmentId, Limits};

/// How a person stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NoShowStanding)]
pub(crate) struct StandingBody {
    #[schema(value_type = String)]
    person_id: PersonId,
    person_name_masked: String,
    /// Places that were missed within 90 days and count.
    missed: u32,
    /// With so many, booking in advance is blocked; 0 when it never is.
    limit: u32,
    /// Too old or too young to be blocked.
    spared: bool,
    /// Booking in advance opens again on this day.
    #[schema(value_type = Option<String>, format = Date)]
    blocked_until: Option<Date>,
}

/// A missed place.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NoShow)]
pub(crate) struct NoShowBody {
    #[schema(value_type = String)]
    appointment_id: AppointmentId,
    #[schema(value_type = String)]
    person_id: PersonId,
    /// The name, covered.
    person_name_masked: String,
    #[schema(value_type = String)]
    department_id: DepartmentId,
    #[schema(value_type = Text2Schema)]
    department_name: Text2,
    #[schema(value_type = Option<String>)]
    doctor_id: Option<DoctorId>,
    #[schema(value_type = Option<Text2Schema>)]
    doctor_name: Option<Text2>,
    #[schema(value_type = String, format = Date)]
    date: Date,
    #[schema(value_type = String)]
    start: WallTime,
    #[schema(format = DateTime)]
    recorded_at: String,
    /// Where the appeal stands.
    appeal: Appeal,
    /// What the person wrote; for staff only on its own page.
    appeal_text: Option<String>,
    #[schema(format = DateTime)]
    appealed_at: Option<String>,
    /// Why it was lifted or not.
    decision: Option<String>,
    #[schema(format = DateTime)]
    decided_at: Option<String>,
    /// Until when it can be appealed against; `None` when not any more.
    #[schema(format = DateTime)]
    appeal_until: Option<String>,
}

/// `GET /no-shows`
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NoShowList)]
pub(crate) struct NoShowListBody {
    /// Each of the account's persons.
    persons: Vec<StandingBody>,
    /// What they missed within a year, the last first.
    items: Vec<NoShowBody>,
}

/// `POST /no-shows/{appointment_id}/appeal`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAppeal)]
pub(crate) struct AppealBody {
    /// Why they could not come, 1 to 500 characters.
    text: String,
}

/// `POST /staff/no-shows/{appointment_id}/decide`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AppealDecision)]
pub(crate) struct DecideBody {
    /// Lift it, or let it stand.
    lift: bool,
    /// Why, in words to the person, 1 to 500 characters.
    reason: String,
}

/// What is shown of a missed place. Sealed texts are opened only when a purpose is given.
fn body(
    deps: &BookingDeps,
    caller: &Caller,
    one: &NoShow,
    name: String,
    purpose: Option<Purpose>,
) -> ApiResult<NoShowBody> {
    let hospital = &caller.hospital;
    let rules: Attendance = hospital.settings(Attendance::SECTION);
    let until = one.recorded_at.plus(std::time::Duration::from_secs(u64::from(rules.appeal_days) * 86_400));
    let open = |sealed: Option<&store::Sealed>, field| match (sealed, purpose) {
        (Some(sealed), Some(purpose)) => {
            deps.vault.open_sealed(hospital.id, field, sealed, purpose).map(Some)
        }
        _ => Ok(None),
    };
    let may_appeal = one.appeal == Appeal::None && deps.db.now() < until;
    Ok(NoShowBody {
        appointment_id: one.appointment,
        person_id: one.person,
        person_name_masked: name,
        department_id: one.department,
        department_name: deps.board.department_name(hospital.id, one.department).unwrap_or_default(),
        doctor_id: one.doctor,
        doctor_name: one.doctor.and_then(|doctor| deps.board.doctor_name(hospital.id, doctor)).map(|d| d.0),
        date: one.date,
        start: hospital.zone.wall(one.start_at),
        recorded_at: hospital.rfc3339(one.recorded_at),
        appeal: one.appeal,
        appeal_text: open(one.appeal_text.as_ref(), TEXT)?,
        appealed_at: one.appealed_at.map(|at| hospital.rfc3339(at)),
        decision: open(one.decision.as_ref(), DECISION)?,
        decided_at: one.decided_at.map(|at| hospital.rfc3339(at)),
        appeal_until: may_appeal.then(|| hospital.rfc3339(until)),
    })
}

/// Missed places of the account's persons, and what follows from them.
#[utoipa::path(get, path = "/api/v1/no-shows", tag = "attendance", responses((status = 200, body = NoShowListBody)))]
pub(crate) async fn list(
    State(deps): State<BookingDeps>,
    account: Account,
) -> ApiResult<Json<NoShowListBody>> {
    let hospital = &account.caller.hospital;
    let limits: Limits = hospital.settings("booking.limits");
    let today = hospital.zone.date(deps.db.now());
    let year_ago = today.checked_sub(365.days()).unwrap_or(today);
    let window = today.checked_sub(WINDOW_DAYS.days()).unwrap_or(today);
    let (mut persons, mut items) = (Vec::new(), Vec::new());
    for person in bound::list(&deps.db, hospital.id, account.id).await? {
        let missed = sql::of_person(&deps.db, hospital.id, person.person, year_ago).await?;
        let counting = missed.iter().filter(|one| one.appeal != Appeal::Lifted && one.date > window);
        let dates: Vec<Date> = counting.map(|one| one.date).collect();
        persons.push(stands(&limits, &person, &dates, today));
        for one in &missed {
            // Whose account booked it wrote the appeal; others who care for the person see that it was missed.
            let purpose = (one.account == account.id).then_some(Purpose::ShowOwner);
            items.push(body(&deps, &account.caller, one, person.name_masked.clone(), purpose)?);
        }
    }
    opened(&deps, &account.caller, &items).await?;
    Ok(Json(NoShowListBody { persons, items }))
}

/// Writes down which sealed texts were shown.
async fn opened(deps: &BookingDeps, caller: &Caller, items: &[NoShowBody]) -> ApiResult<()> {
    let shown = items.iter().filter(|one| one.appeal_text.is_some() || one.decision.is_some());
    let entries: Vec<_> = shown
        .map(|one| {
            caller.audit("no_show.open", one.appointment_id, serde_json::json!({"person": one.person_id}))
        })
        .collect();
    if entries.is_empty() {
        return Ok(());
    }
    let mut tx = deps.db.begin().await?;
    tx.audit_all(&entries).await?;
    tx.commit().await?;
    Ok(())
}

fn stands(limits: &Limits, person: &BoundPerson, dates: &[Date], today: Date) -> StandingBody {
    let standing = standing(limits, person.birth_date, dates, today);
    StandingBody {
        person_id: person.person,
        person_name_masked: person.name_masked.clone(),
        missed: standing.missed,
        limit: standing.limit,
        spared: standing.spared,
        blocked_until: standing.blocked_until,
    }
}

/// Says why somebody could not come. A second time changes nothing.
#[utoipa::path(post, path = "/api/v1/no-shows/{appointment_id}/appeal", tag = "attendance", request_body = AppealBody,
    params(("appointment_id" = String, Path)),
    responses((status = 200, body = NoShowBody), (status = 404, body = edge::problem::ProblemBody),
        (status = 409, description = "appeal_decided, appeal_too_late", body = edge::problem::ProblemBody), (status = 422, description = "text_invalid", body = edge::problem::ProblemBody)))]
pub(crate) async fn add_appeal(
    State(deps): State<BookingDeps>,
    account: Account,
    _key: IdempotencyKey,
    ApiPath(id): ApiPath<AppointmentId>,
    ApiJson(new): ApiJson<AppealBody>,
) -> ApiResult<Json<NoShowBody>> {
    let persons = bound::list(&deps.db, account.caller.hospital.id, account.id).await?;
    let ids: Vec<PersonId> = persons.iter().map(|p| p.person).collect();
    let found = appeal::appeal(&deps, &account, &ids, id, &new.text).await?;
    let name = persons.iter().find(|p| p.person == found.person).map(|p| p.name_masked.clone());
    let purpose = Some(Purpose::ShowOwner);
    Ok(Json(body(&deps, &account.caller, &found, name.unwrap_or_default(), purpose)?))
}

/// Which missed places.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StaffQuery {
    /// Only those whose appeal waits for a decision, of any day.
    #[serde(default)]
    open: bool,
    /// The first day; 30 days ago when it is not given.
    #[param(value_type = Option<String>)]
    from: Option<Date>,
    /// The last day; today when it is not given.
    #[param(value_type = Option<String>)]
    until: Option<Date>,
}

/// `GET /staff/no-shows`
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StaffNoShowList)]
pub(crate) struct StaffListBody {
    items: Vec<NoShowBody>,
}

/// Missed places, for staff: names covered, texts left out.
#[utoipa::path(get, path = "/api/v1/staff/no-shows", tag = "attendance", params(StaffQuery), responses((status = 200, body = StaffListBody)))]
pub(crate) async fn for_staff(
    State(deps): State<BookingDeps>,
    caller: Caller,
    ApiQuery(query): ApiQuery<StaffQuery>,
) -> ApiResult<Json<StaffListBody>> {
    let hospital = &caller.hospital;
    let today = hospital.zone.date(deps.db.now());
    let found = match query.open {
        true => sql::open(&deps.db, hospital.id).await?,
        false => {
            let from = query.from.unwrap_or_else(|| today.checked_sub(30.days()).unwrap_or(today));
            sql::of_dates(&deps.db, hospital.id, from, query.until.unwrap_or(today)).await?
        }
    };
    let names = names(&deps, hospital.id, &found).await?;
    let mut items = Vec::new();
    for one in &found {
        items.push(body(&deps, &caller, one, name_of(&names, one), None)?);
    }
    Ok(Json(StaffListBody { items }))
}

async fn names(
    deps: &BookingDeps,
    hospital: HospitalId,
    found: &[NoShow],
) -> ApiResult<Vec<(edge::AccountId, BoundPerson)>> {
    let pairs: Vec<_> = found.iter().map(|one| (one.account, one.person)).collect();
    let mut tx = deps.db.begin().await?;
    let names = bound::of_pairs(&mut tx, hospital, &pairs).await?;
    tx.rollback().await?;
    Ok(names)
}

fn name_of(names: &[(edge::AccountId, BoundPerson)], one: &NoShow) -> String {
    let found = names.iter().find(|(_, person)| person.person == one.person);
    found.map(|(_, person)| person.name_masked.clone()).unwrap_or_default()
}

/// One missed place with what the person wrote. That it was read goes to the audit log.
#[utoipa::path(get, path = "/api/v1/staff/no-shows/{appointment_id}", tag = "attendance", params(("appointment_id" = String, Path)),
    responses((status = 200, body = NoShowBody), (status = 404, body = edge::problem::ProblemBody)))]
pub(crate) async fn one_for_staff(
    State(deps): State<BookingDeps>,
    caller: Caller,
    ApiPath(id): ApiPath<AppointmentId>,
) -> ApiResult<Json<NoShowBody>> {
    let mut tx = deps.db.begin().await?;
    let found = sql::get(&mut tx, caller.hospital.id, id).await?.ok_or_else(base::Problem::not_found)?;
    let detail = serde_json::json!({"person": found.person, "purpose": "show_staff"});
    tx.audit(caller.audit("no_show.open", id, detail)).await?;
    tx.commit().await?;
    shown_to_staff(&deps, &caller, &found).await
}

async fn shown_to_staff(deps: &BookingDeps, caller: &Caller, found: &NoShow) -> ApiResult<Json<NoShowBody>> {
    let names = names(deps, caller.hospital.id, std::slice::from_ref(found)).await?;
    Ok(Json(body(deps, caller, found, name_of(&names, found), Some(Purpose::ShowStaff))?))
}

/// Lifts a no-show, with or without an appeal, or says that it stands. What is lifted counts for nothing any more.
#[utoipa::path(post, path = "/api/v1/staff/no-shows/{appointment_id}/decide", tag = "attendance", request_body = DecideBody,
    params(("appointment_id" = String, Path)),
    responses((status = 200, body = NoShowBody), (status = 404, body = edge::problem::ProblemBody),
        (status = 409, description = "appeal_decided", body = edge::problem::ProblemBody), (status = 422, description = "text_invalid", body = edge::problem::ProblemBody)))]
pub(crate) async fn decide(
    State(deps): State<BookingDeps>,
    caller: Caller,
    _key: IdempotencyKey,
    ApiPath(id): ApiPath<AppointmentId>,
    ApiJson(new): ApiJson<DecideBody>,
) -> ApiResult<Json<NoShowBody>> {
    let found = appeal::decide(&deps, &caller, id, new.lift, &new.reason).await?;
    shown_to_staff(&deps, &caller, &found).await
}
