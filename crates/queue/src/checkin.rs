//! Checking in: by the code at the place, by position, by the visit's own code at a desk or kiosk. Twice is once.

use std::time::Duration;

use base::calendar::age_on;
use base::{Date, Problem, Text2, UnixMs};
use booking::arrive;
use booking::model::{Appointment, AppointmentId};
use edge::{Account, AccountId, Caller};
use people::{BoundPerson, PersonId, bound, patients};
use serde::Deserialize;
use store::Tx;

use crate::QueueDeps;
use crate::fence::{self, Position, Verdict};
use crate::give::{self, New};
use crate::model::{
    Area, AreaId, Class, Origin, PolicyName, Queue, QueueId, QueueKind, QueueState, Ticket, TicketState,
};
use crate::settings::Settings;
use crate::store::{setup as setup_sql, ticket as sql};
use crate::{desk, place_code, problems, topics};

/// Where somebody says that they are.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Here {
    /// The code at the place.
    pub code: Option<String>,
    /// Or the phone's position.
    pub position: Option<PositionBody>,
}

/// A position as the phone reports it.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Position)]
pub struct PositionBody {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// The phone believes to be within so many metres of it.
    pub accuracy_m: f64,
}

/// The area that a code at a place names.
///
/// # Errors
/// 422 `place_code_invalid`, `place_code_forged`; 409 `place_code_elsewhere`; 410 `place_code_expired`; 503.
pub(crate) async fn area_of_code(deps: &QueueDeps, caller: &Caller, code: &str) -> Result<Area, Problem> {
    let h = caller.hospital.id;
    let read = place_code::read(&deps.vault, h, code)?;
    // From the database: a code that was replaced a moment ago is void.
    let area = setup_sql::area(&deps.db, h, read.area).await?;
    let area = area.ok_or_else(problems::code_unknown)?;
    place_code::check(&read, &area, deps.db.now())?;
    Ok(area)
}

/// Whether somebody is in an area, by their position.
///
/// # Errors
/// 409 `not_here`, `position_vague`, `no_geofence`; 422 `position_invalid`.
pub(crate) fn is_at(area: &Area, position: PositionBody, settings: &Settings) -> Result<(), Problem> {
    let PositionBody { latitude, longitude, accuracy_m } = position;
    let position = Position { latitude, longitude, accuracy_m };
    if !position.is_sound() {
        return Err(problems::position_invalid());
    }
    let circle = area.circle.ok_or_else(problems::no_geofence)?;
    match fence::look(position, circle, settings) {
        Verdict::Inside => Ok(()),
        Verdict::Outside(metres) => Err(problems::not_here(metres)),
        Verdict::Vague => Err(problems::position_vague(accuracy_m)),
    }
}

/// Checks a phone's persons in for what they come for at a place today, and puts those back in line who come back from an exam.
/// Gives their tickets there.
///
/// # Errors
/// 409 `nothing_to_check_in`, `too_early`, `too_late`, `visit_over` and those of the place; 404; 503.
pub(crate) async fn by_phone(
    deps: &QueueDeps,
    account: &Account,
    here: &Here,
    wanted: Option<AppointmentId>,
) -> Result<Vec<Ticket>, Problem> {
    let caller = &account.caller;
    let hospital = &caller.hospital;
    let settings: Settings = hospital.settings(Settings::SECTION);
    let today = hospital.zone.date(deps.db.now());
    let persons = bound::list(&deps.db, hospital.id, account.id).await?;
    let ids: Vec<PersonId> = persons.iter().map(|p| p.person).collect();
    let mut visits = arrive::on_day(&deps.db, hospital.id, &ids, today).await?;
    if let Some(wanted) = wanted {
        visits.retain(|a| a.id == wanted);
        if visits.is_empty() {
            return Err(Problem::not_found());
        }
    }
    let area = match &here.code {
        Some(code) => Some(area_of_code(deps, caller, code).await?),
        None => None,
    };
    let Some(position) = here.position.filter(|_| area.is_none()) else {
        let area = area.ok_or_else(problems::where_are_you)?;
        return at(deps, account, &persons, visits, Some(area.id), Origin::Code, &settings).await;
    };
    // By position: each visit has a place of its own to be at.
    let mut there = Vec::new();
    let mut away = None;
    for visit in visits {
        match is_there(deps, caller, &visit, position, &settings).await {
            Ok(()) => there.push(visit),
            Err(problem) => away = Some(problem),
        }
    }
    if there.is_empty() {
        return Err(away.unwrap_or_else(problems::nothing_here));
    }
    at(deps, account, &persons, there, None, Origin::Position, &settings).await
}

async fn is_there(
    deps: &QueueDeps,
    caller: &Caller,
    visit: &Appointment,
    position: PositionBody,
    settings: &Settings,
) -> Result<(), Problem> {
    let h = caller.hospital.id;
    let mut tx = deps.db.begin().await?;
    let queue = queue_of(&mut tx, caller, visit).await?;
    let area = match queue.area {
        Some(id) => setup_sql::area_in(&mut tx, h, id).await?,
        None => None,
    };
    tx.rollback().await?;
    is_at(&area.ok_or_else(problems::no_geofence)?, position, settings)
}

/// Checks in for these visits, as far as they are at the area.
async fn at(
    deps: &QueueDeps,
    account: &Account,
    persons: &[BoundPerson],
    visits: Vec<Appointment>,
    area: Option<AreaId>,
    origin: Origin,
    settings: &Settings,
) -> Result<Vec<Ticket>, Problem> {
    let caller = &account.caller;
    let mut tickets = Vec::new();
    let mut refusal = None;
    for visit in visits {
        let Some(person) = persons.iter().find(|p| p.person == visit.person) else { continue };
        let who = Who { name_masked: person.name_masked.clone(), birth: person.birth_date };
        match visit_at(deps, caller, &visit, who, account.id, area, origin, settings).await {
            Ok(Some(ticket)) => tickets.push(ticket),
            Ok(None) => {}
            // One of several that can't be checked in for yet does not keep the others from it.
            Err(problem) => refusal = Some(problem),
        }
    }
    // Numbers of a laboratory and of those who walked in: back from an exam, or shown again.
    if let Some(area) = area {
        for person in persons {
            tickets.extend(others_at(deps, caller, person.person, area).await?);
        }
    }
    if tickets.is_empty() {
        return Err(refusal.unwrap_or_else(problems::nothing_here));
    }
    Ok(tickets)
}

/// What must be known of somebody for a number.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    /// The covered name.
    pub(crate) name_masked: String,
    /// When they were born.
    pub(crate) birth: Option<Date>,
}

/// Their priority group, as far as it follows from what is known.
pub(crate) fn class_of(birth: Option<Date>, today: Date, settings: &Settings) -> Option<Class> {
    birth.is_some_and(|birth| age_on(birth, today) >= settings.elder_from_age).then_some(Class::Elder)
}

#[expect(clippy::too_many_arguments, reason = "who, what, where and how")]
async fn visit_at(
    deps: &QueueDeps,
    caller: &Caller,
    visit: &Appointment,
    who: Who,
    account: AccountId,
    area: Option<AreaId>,
    origin: Origin,
    settings: &Settings,
) -> Result<Option<Ticket>, Problem> {
    let h = caller.hospital.id;
    let mut tx = deps.db.begin().await?;
    let queue = queue_of(&mut tx, caller, visit).await?;
    // A line without an area takes check-ins at any place of the hospital.
    if let (Some(area), Some(own)) = (area, queue.area)
        && area != own
    {
        return Ok(None);
    }
    if let Some(there) = sql::of_appointment(&mut tx, h, visit.id).await? {
        if there.state == TicketState::Away {
            tx.rollback().await?;
            return desk::back(deps, caller, there.id).await.map(Some);
        }
        return Ok(Some(there));
    }
    in_time(caller, visit, tx.now(), settings)?;
    let ticket = for_visit(tx, deps, caller, visit, who, Some(account), origin, queue).await?;
    Ok(Some(ticket))
}

/// Whether somebody may check in by themselves now.
fn in_time(caller: &Caller, visit: &Appointment, now: UnixMs, settings: &Settings) -> Result<(), Problem> {
    let minutes = |n: u32| Duration::from_secs(u64::from(n) * 60);
    let opens = visit.start_at.minus(minutes(settings.early_minutes));
    if now < opens {
        return Err(problems::too_early(&caller.hospital, opens));
    }
    if now > visit.end_at.plus(minutes(settings.over_after_minutes)) {
        return Err(problems::too_late());
    }
    Ok(())
}

/// When check-in opens for a visit, and whether it is open.
pub(crate) fn opens(visit: &Appointment, now: UnixMs, settings: &Settings) -> (UnixMs, bool) {
    let minutes = |n: u32| Duration::from_secs(u64::from(n) * 60);
    let opens = visit.start_at.minus(minutes(settings.early_minutes));
    (opens, now >= opens && now <= visit.end_at.plus(minutes(settings.over_after_minutes)))
}

/// Marks the appointment and gives the number, in one transaction.
#[expect(clippy::too_many_arguments, reason = "who, what, where and how")]
async fn for_visit(
    mut tx: Tx,
    deps: &QueueDeps,
    caller: &Caller,
    visit: &Appointment,
    who: Who,
    account: Option<AccountId>,
    origin: Origin,
    queue: Queue,
) -> Result<Ticket, Problem> {
    let hospital = &caller.hospital;
    let settings: Settings = hospital.settings(Settings::SECTION);
    let today = hospital.zone.date(tx.now());
    if visit.date != today {
        return Err(match visit.date > today {
            true => problems::too_early(hospital, opens(visit, tx.now(), &settings).0),
            false => problems::too_late(),
        });
    }
    // The pace is read beforehand: nothing but this transaction's own statements may be awaited in it. A line that was just made has
    // none yet.
    let picture = deps.pictures.sketch(hospital.id, &queue);
    arrive::check_in(&mut tx, caller, visit).await?;
    let new = New {
        queue: &queue,
        appointment: Some(visit),
        order: None,
        person: Some(visit.person),
        account,
        name_masked: who.name_masked,
        class: class_of(who.birth, today, &settings),
        class_reason: None,
        origin,
    };
    let (ticket, _) = give::give(&mut tx, caller, new, &picture).await?;
    tx.commit().await?;
    Ok(ticket)
}

/// The line for a visit: the doctor's, or the one that the doctors of the department share. A doctor without either is given one,
/// so that nobody stands before a door that nobody set up.
pub(crate) async fn queue_of(tx: &mut Tx, caller: &Caller, visit: &Appointment) -> Result<Queue, Problem> {
    let h = caller.hospital.id;
    if let Some(doctor) = visit.doctor
        && let Some(queue) = setup_sql::queue_of_doctor(tx, h, doctor, visit.department).await?
    {
        return Ok(queue);
    }
    if let Some(queue) = setup_sql::queue_of_department(tx, h, visit.department).await? {
        return Ok(queue);
    }
    let id = QueueId::new();
    let digits = id.db();
    let tail: String = digits.chars().skip(24).collect();
    let queue = Queue {
        id,
        code: format!("AUTO-{tail}"),
        kind: QueueKind::Clinic,
        name: Text2::new("门诊", "Clinic"),
        prefix: String::new(),
        area: setup_sql::area_of_department(tx, h, visit.department).await?,
        department: Some(visit.department),
        doctor: visit.doctor,
        policy: PolicyName::Clinic,
        service_seconds: 420,
        state: QueueState::Open,
        paused_until: None,
        note: None,
        active: true,
        version: 1,
    };
    if !setup_sql::add_queue(tx, h, &queue).await? {
        // Somebody else made it in this moment.
        return Err(Problem::unavailable(1));
    }
    tx.audit(caller.audit("queue.setup", id, serde_json::json!({"made": "at check-in"}))).await?;
    topics::touch_setup(tx, h);
    Ok(queue)
}

/// Open numbers of somebody at an area that are for no appointment; who was sent for an exam is back.
async fn others_at(
    deps: &QueueDeps,
    caller: &Caller,
    person: PersonId,
    area: AreaId,
) -> Result<Vec<Ticket>, Problem> {
    let h = caller.hospital.id;
    let today = caller.hospital.zone.date(deps.db.now());
    let setup = deps.pictures.setup(h).await?;
    let here: Vec<QueueId> = setup.queues_at(area).iter().map(|q| q.id).collect();
    let mut found = Vec::new();
    for ticket in sql::of_person_on(&deps.db, h, person, today).await? {
        if ticket.appointment.is_some() || ticket.state.is_over() || !here.contains(&ticket.queue) {
            continue;
        }
        found.push(match ticket.state {
            TicketState::Away => desk::back(deps, caller, ticket.id).await?,
            _ => ticket,
        });
    }
    Ok(found)
}

/// Checks somebody in by the code on their phone or paper, at a desk or kiosk. Staff may do that early and late.
///
/// # Errors
/// 404 `code_unknown`; 409 `visit_over`, `code_used` and those of checking in; 503.
pub(crate) async fn by_visit_code(
    deps: &QueueDeps,
    caller: &Caller,
    code: &str,
    origin: Origin,
) -> Result<Ticket, Problem> {
    let h = caller.hospital.id;
    let settings: Settings = caller.hospital.settings(Settings::SECTION);
    let code = code.trim().to_ascii_uppercase();
    let mut tx = deps.db.begin().await?;
    let Some(visit) = arrive::by_code(&mut tx, h, &code).await? else {
        tx.rollback().await?;
        // What is no visit's code may be an order's paper.
        return crate::numbers::by_paper(deps, caller, &code, origin).await;
    };
    if let Some(there) = sql::of_appointment(&mut tx, h, visit.id).await? {
        tx.rollback().await?;
        return match there.state {
            TicketState::Away => desk::back(deps, caller, there.id).await,
            state if state.is_over() => Err(problems::code_used()),
            _ => Ok(there),
        };
    }
    if origin == Origin::Kiosk {
        in_time(caller, &visit, tx.now(), &settings)?;
    }
    let facts = patients::facts(&mut tx, h, visit.person).await?.ok_or_else(Problem::not_found)?;
    let queue = queue_of(&mut tx, caller, &visit).await?;
    let who = Who { name_masked: facts.name_masked, birth: facts.birth_date };
    for_visit(tx, deps, caller, &visit, who, Some(visit.account), origin, queue).await
}

/// Checks somebody in for a place that they have just been given on the spot.
///
/// # Errors
/// As for checking in.
pub(crate) async fn registered(
    deps: &QueueDeps,
    caller: &Caller,
    visit: &Appointment,
    who: Who,
    account: AccountId,
) -> Result<Ticket, Problem> {
    let h = caller.hospital.id;
    let mut tx = deps.db.begin().await?;
    if let Some(there) = sql::of_appointment(&mut tx, h, visit.id).await? {
        return Ok(there);
    }
    let queue = queue_of(&mut tx, caller, visit).await?;
    for_visit(tx, deps, caller, visit, who, Some(account), Origin::Code, queue).await
}
