//! The handlers.

use async_trait::async_trait;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::{Kind, Problem, UnixMs};
use edge::{Account, ApiJson, ApiPath, ApiQuery, ApiResult, Caller, IdempotencyKey, Page};
use http::StatusCode;
use people::BoundPerson;
use people::PersonId;
use people::bound;
use schedule::SlotId;
use serde::Deserialize;

use super::wire::{AgainBody, AgainList, AppointmentBody, MoveBody, NewAppointmentBody, NoticeBody, body};
use crate::BookingDeps;
use crate::desk;
use crate::desk::Reply;
use crate::model::{Appointment, AppointmentId, Outcome, Pay, PersonFacts, Refusal};
use crate::pay;
use crate::problems;
use crate::rush;
use crate::store as sql;

/// How many past appointments a page holds.
const PAGE: i64 = 20;

/// Books a slot for a person. The same `Idempotency-Key` gives the same appointment again, whatever happened in between.
#[utoipa::path(post, path = "/api/v1/appointments", tag = "appointments", request_body = NewAppointmentBody,
    params(("Idempotency-Key" = String, Header, description = "1 to 64 letters, digits, - or _")),
    responses((status = 201, body = AppointmentBody), (status = 202, description = "A place in the line of a release: ask for the ticket", body = rush::api::TicketBody),
        (status = 409, description = "already_in_line, limit_account_day, not_open_yet, booking_closed, clinic_stopped, slot_full, already_booked, same_department_day, limit_day, limit_week, limit_quarter, no_show_blocked, not_eligible", body = edge::problem::ProblemBody)))]
pub async fn book(
    State(deps): State<BookingDeps>,
    account: Account,
    key: IdempotencyKey,
    ApiJson(new): ApiJson<NewAppointmentBody>,
) -> ApiResult<Response> {
    let person = PersonFacts::unknown(new.person_id);
    let mut request = desk::request(&account.caller, account.id, person, new.slot_id, &key.0, None);
    let hospital = &account.caller.hospital;
    if new.pay == Some(Pay::Online) {
        request.hold = Some(pay::for_payment(hospital, deps.db.now()));
        request.hash = edge::idempotency::request_hash("appointment.online", &request.hash);
    }
    if let Some(wave) = deps.hall.wave(hospital, new.slot_id) {
        let ticket = deps.hall.enter(hospital, request, wave).await?;
        return rush::api::entered(&deps, &account, ticket).await;
    }
    let reply = deps.desk.book(hospital, request).await?;
    answer(&deps, &account.caller, reply, new.slot_id, StatusCode::CREATED).await
}

/// Moves an appointment to another slot. The old place is given up only when the new one is had.
#[utoipa::path(post, path = "/api/v1/appointments/{id}/move", tag = "appointments", request_body = MoveBody,
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 200, body = AppointmentBody), (status = 409, description = "cannot_move, or as for booking", body = edge::problem::ProblemBody)))]
pub async fn move_to(
    State(deps): State<BookingDeps>,
    account: Account,
    key: IdempotencyKey,
    ApiPath(id): ApiPath<AppointmentId>,
    ApiJson(to): ApiJson<MoveBody>,
) -> ApiResult<Response> {
    let (old, person) = own(&deps, &account, id).await?;
    if deps.hall.wave(&account.caller.hospital, to.slot_id).is_some() {
        return Err(problems::move_in_rush().into());
    }
    let facts = PersonFacts::of(&person);
    let request = desk::request(&account.caller, account.id, facts, to.slot_id, &key.0, Some(old.id));
    let outcome = deps.desk.move_to(&account.caller.hospital, request).await?;
    answer(&deps, &account.caller, Reply { outcome, person: Some(person) }, to.slot_id, StatusCode::OK).await
}

/// Gives an appointment up. Doing so again changes nothing and answers the same.
#[utoipa::path(post, path = "/api/v1/appointments/{id}/cancel", tag = "appointments", params(("id" = String, Path)),
    responses((status = 200, body = AppointmentBody), (status = 409, description = "too_late_to_cancel, not_cancellable", body = edge::problem::ProblemBody)))]
pub async fn cancel(
    State(deps): State<BookingDeps>,
    account: Account,
    _key: IdempotencyKey,
    ApiPath(id): ApiPath<AppointmentId>,
) -> ApiResult<Json<AppointmentBody>> {
    let persons = bound::list(&deps.db, account.caller.hospital.id, account.id).await?;
    let ids: Vec<PersonId> = persons.iter().map(|p| p.person).collect();
    let appointment = deps.desk.cancel(&account.caller, &ids, id).await?;
    let person = persons.iter().find(|p| p.person == appointment.person).ok_or_else(Problem::not_found)?;
    full(&deps, &account.caller, &appointment, person).await.map(Json)
}

/// Which appointments.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// `upcoming` (the default) or `past`.
    #[serde(default)]
    #[param(inline)]
    when: When,
    /// Where the page starts: `next` of the page before.
    after: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum When {
    #[default]
    Upcoming,
    Past,
}

/// The appointments of the account's persons: what lies ahead, or what was.
#[utoipa::path(get, path = "/api/v1/appointments", tag = "appointments", params(ListQuery), responses((status = 200, body = Page<AppointmentBody>)))]
pub async fn list(
    State(deps): State<BookingDeps>,
    account: Account,
    ApiQuery(query): ApiQuery<ListQuery>,
) -> ApiResult<Json<Page<AppointmentBody>>> {
    let caller = &account.caller;
    let hospital = &caller.hospital;
    let persons = bound::list(&deps.db, hospital.id, account.id).await?;
    let ids: Vec<PersonId> = persons.iter().map(|p| p.person).collect();
    let now = deps.db.now();
    let (found, next) = match query.when {
        When::Upcoming => (sql::upcoming(&deps.db, hospital.id, &ids, now).await?, None),
        When::Past => {
            let after = query.after.as_deref().map_or(Ok((UnixMs(i64::MAX), String::new())), cursor)?;
            let mut found = sql::past(&deps.db, hospital.id, &ids, now, after, PAGE + 1).await?;
            let more = i64::try_from(found.len()).unwrap_or(0) > PAGE;
            found.truncate(usize::try_from(PAGE).unwrap_or(20));
            let next = found.last().filter(|_| more).map(|a| format!("{}.{}", a.start_at.0, a.id.db()));
            (found, next)
        }
    };
    let slots: Vec<_> = found.iter().map(|a| a.slot).collect();
    let cards = deps.board.cards(hospital.id, &slots).await?;
    let items = found.iter().filter_map(|a| {
        let name = persons.iter().find(|p| p.person == a.person)?.name_masked.clone();
        Some(body(hospital, cards.get(&a.slot)?.clone(), a, name, now))
    });
    Ok(Json(Page { items: items.collect(), next }))
}

fn cursor(text: &str) -> Result<(UnixMs, String), Problem> {
    let wrong = || {
        Problem::new(
            Kind::Invalid,
            "cursor_invalid",
            "翻页位置不对，请从头再看。",
            "This page position is not valid. Please start again.",
        )
    };
    let (at, id) = text.split_once('.').ok_or_else(wrong)?;
    base::id::parse_digits(id).ok_or_else(wrong)?;
    Ok((UnixMs(at.parse().map_err(|_| wrong())?), id.to_owned()))
}

/// One appointment, with its code for the desk and what became of telling the person.
#[utoipa::path(get, path = "/api/v1/appointments/{id}", tag = "appointments", params(("id" = String, Path)), responses((status = 200, body = AppointmentBody), (status = 404, body = edge::problem::ProblemBody)))]
pub async fn detail(
    State(deps): State<BookingDeps>,
    account: Account,
    ApiPath(id): ApiPath<AppointmentId>,
) -> ApiResult<Json<AppointmentBody>> {
    let (appointment, person) = own(&deps, &account, id).await?;
    full(&deps, &account.caller, &appointment, &person).await.map(Json)
}

/// Doctors with whom the account's persons had a place before, with the next one to be had: booked again in one tap.
#[utoipa::path(get, path = "/api/v1/appointments/again", tag = "appointments", responses((status = 200, body = AgainList)))]
pub async fn again(State(deps): State<BookingDeps>, account: Account) -> ApiResult<Json<AgainList>> {
    let hospital = &account.caller.hospital;
    let persons: Vec<PersonId> =
        bound::list(&deps.db, hospital.id, account.id).await?.iter().map(|p| p.person).collect();
    let mut items = Vec::new();
    for row in sql::doctors_before(&deps.db, hospital.id, &persons).await? {
        // A doctor who has left is not on the board any more.
        if let Some(doctor) = deps.board.doctor_summary(hospital.id, row.get("doctor_id")?) {
            items.push(AgainBody {
                doctor,
                person_id: row.get("person_id")?,
                last_date: row.get("last_date")?,
            });
        }
    }
    Ok(Json(AgainList { items }))
}

/// An appointment of one of the account's persons; for everybody else it does not exist.
pub(super) async fn own(
    deps: &BookingDeps,
    account: &Account,
    id: AppointmentId,
) -> ApiResult<(Appointment, BoundPerson)> {
    let hospital = account.caller.hospital.id;
    let appointment = sql::read(&deps.db, hospital, id).await?.ok_or_else(Problem::not_found)?;
    let persons = bound::list(&deps.db, hospital, account.id).await?;
    let person =
        persons.into_iter().find(|p| p.person == appointment.person).ok_or_else(Problem::not_found)?;
    Ok((appointment, person))
}

/// One of the account's own appointments, as its page shows it.
pub(crate) async fn appointment_of(
    deps: &BookingDeps,
    account: &Account,
    id: AppointmentId,
) -> ApiResult<AppointmentBody> {
    let (appointment, person) = own(deps, account, id).await?;
    full(deps, &account.caller, &appointment, &person).await
}

pub(super) async fn full(
    deps: &BookingDeps,
    caller: &Caller,
    a: &Appointment,
    person: &BoundPerson,
) -> ApiResult<AppointmentBody> {
    let hospital = &caller.hospital;
    let mut out = fresh(deps, caller, a, person).await?;
    let notices = notify::of_subject_to(&deps.db, hospital.id, &a.id.to_string(), a.account).await?;
    out.paid = pay::is_paid(&deps.db, hospital.id, a).await?;
    out.notices = notices.into_iter().map(|n| NoticeBody::of(hospital, n)).collect();
    if a.marks.return_until.is_some() {
        let there = sql::desk::read_return_of(&deps.db, hospital.id, a.id).await?;
        out.return_visit_id = there.map(|one| one.id);
    }
    Ok(out)
}

/// As [`full`], of an appointment about which nobody can have been told yet.
async fn fresh(
    deps: &BookingDeps,
    caller: &Caller,
    a: &Appointment,
    person: &BoundPerson,
) -> ApiResult<AppointmentBody> {
    let hospital = &caller.hospital;
    let card = match deps.board.card(hospital.id, a.slot) {
        Some(card) => card,
        None => {
            deps.board.cards(hospital.id, &[a.slot]).await?.remove(&a.slot).ok_or_else(Problem::internal)?
        }
    };
    let mut out = body(hospital, card, a, person.name_masked.clone(), deps.db.now());
    // What is only kept can't be checked in to.
    let theirs = a.state.is_live() && a.state != crate::model::State::Held;
    out.check_in_code = theirs.then(|| a.check_in_code.clone());
    let former = a.marks.former_doctor.and_then(|d| deps.board.doctor_summary(hospital.id, d));
    out.former_doctor_name = former.map(|d| d.name);
    Ok(out)
}

pub(super) async fn answer(
    deps: &BookingDeps,
    caller: &Caller,
    Reply { outcome, person }: Reply,
    slot: SlotId,
    status: StatusCode,
) -> ApiResult<Response> {
    match outcome {
        Outcome::Booked(a) => {
            let person = person.ok_or_else(problems::not_bound)?;
            Ok((status, Json(fresh(deps, caller, &a, &person).await?)).into_response())
        }
        Outcome::Replay(a) => {
            // Whoever was unbound since does not read on by sending an old key again.
            let person = person.ok_or_else(problems::not_bound)?;
            Ok((status, Json(full(deps, caller, &a, &person).await?)).into_response())
        }
        Outcome::KeyReused => Err(edge::idempotency::reused().into()),
        Outcome::Refused(reasons) => {
            let mut problem = problems::refused(&caller.hospital, &reasons);
            if reasons.first() == Some(&Refusal::Full)
                && let Some(nearest) = deps.desk.nearest(caller.hospital.id, slot)
            {
                problem = problem.with_written("nearest", nearest);
            }
            Err(problem.into())
        }
    }
}

/// The live topic of an appointment: its own page.
pub struct AppointmentTopic {
    deps: BookingDeps,
}

impl AppointmentTopic {
    /// With what it needs.
    #[must_use]
    pub fn new(deps: BookingDeps) -> Self {
        Self { deps }
    }
}

#[async_trait]
impl edge::live::TopicSource for AppointmentTopic {
    fn kind(&self) -> &'static str {
        "appointment"
    }

    async fn snapshot(&self, caller: &Caller, id: &str) -> Result<serde_json::Value, Problem> {
        let edge::Actor::Account(account) = caller.actor else { return Err(Problem::sign_in()) };
        let id: AppointmentId = id.parse().map_err(|_| Problem::not_found())?;
        let account = Account { id: account, caller: caller.clone() };
        let (appointment, person) = own(&self.deps, &account, id).await.map_err(|e| *e.0)?;
        let body = full(&self.deps, caller, &appointment, &person).await.map_err(|e| *e.0)?;
        serde_json::to_value(body).map_err(|_| Problem::internal())
    }
}
