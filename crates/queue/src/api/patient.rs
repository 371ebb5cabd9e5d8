//! For patients: being there, one's place, one's orders, what waits to be picked up.

use axum::Json;
use axum::extract::State;
use base::{Problem, Text2};
use booking::AppointmentId;
use edge::schema::Text2Schema;
use edge::{Account, ApiJson, ApiPath, ApiResult};
use people::{PersonId, bound};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::All;
use super::wire::{self, AreaBody, PickUpBody, PlaceBody};
use crate::QueueDeps;
use crate::checkin::{self, Here, PositionBody};
use crate::model::{AreaId, OrderId, OrderState, PickUpId, QueueId, QueueKind, QueueState, Ticket, TicketId};
use crate::numbers::{self, Wish};
use crate::settings::Settings;
use crate::store::{order as order_sql, setup as setup_sql, ticket as ticket_sql};
use crate::{desk, pickup as pickups_of, places};

/// `POST /queue/check-ins`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCheckIn)]
pub struct NewCheckIn {
    /// The code at the place …
    pub code: Option<String>,
    /// … or where the phone is.
    pub position: Option<PositionBody>,
    /// For one appointment; without for all that are for this place.
    #[schema(value_type = Option<String>)]
    pub appointment_id: Option<AppointmentId>,
}

/// `POST /queue/numbers`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewNumber)]
pub struct NewNumber {
    /// The code at the place …
    pub code: Option<String>,
    /// … or where the phone is …
    pub position: Option<PositionBody>,
    /// … and at which place that is meant to be.
    #[schema(value_type = Option<String>)]
    pub area_id: Option<AreaId>,
    /// For one order; without for all that are good at this place.
    #[schema(value_type = Option<String>)]
    pub order_id: Option<OrderId>,
    /// For one person.
    #[schema(value_type = Option<String>)]
    pub person_id: Option<PersonId>,
    /// To be registered on the spot, in this line.
    #[schema(value_type = Option<String>)]
    pub queue_id: Option<QueueId>,
}

/// Tickets of one's own.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueueTickets)]
pub struct Tickets {
    /// The places.
    pub tickets: Vec<PlaceBody>,
}

/// What can be done at a place.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueueHere)]
pub struct HereBody {
    /// Where one is.
    pub area: AreaBody,
    /// The lines there.
    pub queues: Vec<HereQueue>,
    /// What one has here oneself.
    pub mine: HereMine,
}

/// A line at a place.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueueHereLine)]
pub struct HereQueue {
    /// The line.
    #[schema(value_type = String)]
    pub id: QueueId,
    /// What for.
    pub kind: QueueKind,
    /// What it is called.
    #[schema(value_type = Text2Schema)]
    pub name: Text2,
    /// The doctor …
    #[schema(value_type = Option<Text2Schema>)]
    pub doctor_name: Option<Text2>,
    /// … and their title.
    #[schema(value_type = Option<Text2Schema>)]
    pub title: Option<Text2>,
    /// Whether one can register or take a number on the spot.
    pub numbers: bool,
    /// How many wait.
    pub waiting: usize,
}

/// What one has at a place.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueueHereMine)]
pub struct HereMine {
    /// Visits to check in for.
    pub appointments: Vec<HereVisit>,
    /// Orders to take a number for.
    pub orders: Vec<OrderBody>,
    /// Places in lines.
    pub tickets: Vec<PlaceBody>,
}

/// A visit to check in for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueueHereVisit)]
pub struct HereVisit {
    /// Which.
    #[schema(value_type = String)]
    pub appointment_id: AppointmentId,
    /// For whom.
    pub person_name_masked: String,
    /// When its segment begins.
    #[schema(format = DateTime)]
    pub start: String,
    /// The doctor.
    #[schema(value_type = Option<Text2Schema>)]
    pub doctor_name: Option<Text2>,
    /// The department.
    #[schema(value_type = Option<Text2Schema>)]
    pub department_name: Option<Text2>,
    /// When check-in opens.
    #[schema(format = DateTime)]
    pub opens_at: String,
    /// Whether it is open now.
    pub can: bool,
}

/// A line by name.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueueOrderLine)]
pub struct OrderQueue {
    /// Its id.
    #[schema(value_type = String)]
    pub id: QueueId,
    /// What it is called.
    #[schema(value_type = Text2Schema)]
    pub name: Text2,
}

/// An order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueueOrder)]
pub struct OrderBody {
    /// Which.
    #[schema(value_type = String)]
    pub order_id: OrderId,
    /// For what.
    pub kind: QueueKind,
    /// What it is called.
    #[schema(value_type = Text2Schema)]
    pub title: Text2,
    /// Where it stands.
    pub state: OrderState,
    /// The line that it is for: its own, or the first of its kind.
    pub queue: Option<OrderQueue>,
    /// What that line is called.
    #[schema(value_type = Option<Text2Schema>)]
    pub queue_name: Option<Text2>,
    /// The first of the places at which a number can be had …
    pub area: Option<AreaBody>,
    /// … and all of them.
    pub areas: Vec<AreaBody>,
    /// The number that was taken for it.
    #[schema(value_type = Option<String>)]
    pub ticket_id: Option<TicketId>,
    /// Until when it is good.
    #[schema(format = DateTime)]
    pub until: String,
}

async fn shown(deps: &QueueDeps, account: &Account, tickets: Vec<Ticket>) -> ApiResult<Json<Tickets>> {
    let mut all = Vec::new();
    for ticket in tickets {
        all.push(places::show(deps, account, ticket).await?);
    }
    Ok(Json(Tickets { tickets: all }))
}

/// What can be done at the place whose code was scanned.
#[utoipa::path(get, path = "/api/v1/queue/places/{code}", tag = "queue", params(("code" = String, Path)),
    responses((status = 200, body = HereBody), (status = 422, description = "place_code_invalid, place_code_forged", body = edge::problem::ProblemBody),
        (status = 409, description = "place_code_elsewhere", body = edge::problem::ProblemBody), (status = 410, description = "place_code_expired", body = edge::problem::ProblemBody)))]
pub async fn here(
    State(deps): State<QueueDeps>,
    account: Account,
    ApiPath(code): ApiPath<String>,
) -> ApiResult<Json<HereBody>> {
    let hospital = &account.caller.hospital;
    let area = checkin::area_of_code(&deps, &account.caller, &code).await?;
    let setup = deps.pictures.setup(hospital.id).await?;
    let at = setup.queues_at(area.id);
    let mut queues = Vec::new();
    for queue in &at {
        let ordered = matches!(queue.kind, QueueKind::Lab | QueueKind::Imaging);
        let line = deps.pictures.line(hospital.id, queue.id).await?;
        queues.push(HereQueue {
            id: queue.id,
            kind: queue.kind,
            name: queue.name.clone(),
            doctor_name: line.doctor.as_ref().map(|d| d.0.clone()),
            title: line.doctor.as_ref().map(|d| d.1.clone()),
            numbers: !ordered && queue.state != QueueState::Closed,
            waiting: line.waiting(),
        });
    }
    let here: Vec<QueueId> = at.iter().map(|q| q.id).collect();
    let tickets = places::mine(&deps, &account).await?;
    let tickets: Vec<PlaceBody> =
        tickets.into_iter().filter(|p| here.contains(&p.queue.id) && !p.state.is_over()).collect();
    let mut orders = orders_of(&deps, &account).await?;
    orders.retain(|o| o.state == OrderState::Valid && o.areas.iter().any(|a| a.id == area.id));
    let appointments = visits_at(&deps, &account, area.id, &tickets).await?;
    let area = wire::area_body(&deps, hospital, &setup, &area);
    Ok(Json(HereBody { area, queues, mine: HereMine { appointments, orders, tickets } }))
}

/// Today's visits of the account's persons that are for this area and have no number yet.
async fn visits_at(
    deps: &QueueDeps,
    account: &Account,
    area: AreaId,
    tickets: &[PlaceBody],
) -> Result<Vec<HereVisit>, Problem> {
    let hospital = &account.caller.hospital;
    let settings: Settings = hospital.settings(Settings::SECTION);
    let now = deps.db.now();
    let persons = bound::list(&deps.db, hospital.id, account.id).await?;
    let ids: Vec<PersonId> = persons.iter().map(|p| p.person).collect();
    let visits = booking::arrive::on_day(&deps.db, hospital.id, &ids, hospital.zone.date(now)).await?;
    let mut all = Vec::new();
    for visit in visits.iter().filter(|v| v.state == booking::State::Booked) {
        let mut tx = deps.db.begin().await?;
        let own = match visit.doctor {
            Some(doctor) => {
                setup_sql::queue_of_doctor(&mut tx, hospital.id, doctor, visit.department).await?
            }
            None => None,
        };
        let own = match own {
            Some(queue) => Some(queue),
            None => setup_sql::queue_of_department(&mut tx, hospital.id, visit.department).await?,
        };
        tx.rollback().await?;
        let elsewhere = own.and_then(|q| q.area).is_some_and(|at| at != area);
        if elsewhere || tickets.iter().any(|t| t.appointment_id == Some(visit.id)) {
            continue;
        }
        let (opens, can) = checkin::opens(visit, now, &settings);
        let person = persons.iter().find(|p| p.person == visit.person);
        all.push(HereVisit {
            appointment_id: visit.id,
            person_name_masked: person.map(|p| p.name_masked.clone()).unwrap_or_default(),
            start: hospital.rfc3339(visit.start_at),
            doctor_name: visit.doctor.and_then(|id| deps.board.doctor_name(hospital.id, id)).map(|d| d.0),
            department_name: deps.board.department_name(hospital.id, visit.department),
            opens_at: hospital.rfc3339(opens),
            can,
        });
    }
    Ok(all)
}

/// Checks in at a place: for all that the account's persons come for there, or for one appointment. Who was sent for an exam is put
/// back into the line. Doing so again gives the same tickets.
#[utoipa::path(post, path = "/api/v1/queue/check-ins", tag = "queue", request_body = NewCheckIn,
    responses((status = 200, body = Tickets), (status = 409, description = "nothing_to_check_in, too_early, too_late, visit_over, not_here, position_vague, no_geofence, queue_closed, clinic_stopped, not_paid_yet, place_code_elsewhere", body = edge::problem::ProblemBody),
        (status = 422, description = "place_code_invalid, place_code_forged, place_missing, position_invalid", body = edge::problem::ProblemBody), (status = 410, description = "place_code_expired", body = edge::problem::ProblemBody)))]
pub async fn check_in(
    State(deps): State<QueueDeps>,
    account: Account,
    ApiJson(new): ApiJson<NewCheckIn>,
) -> ApiResult<Json<Tickets>> {
    let here = Here { code: new.code, position: new.position };
    let tickets = checkin::by_phone(&deps, &account, &here, new.appointment_id).await?;
    shown(&deps, &account, tickets).await
}

/// A number at the spot, in one action: for orders (a blood test) that are good here, or to be registered in a line. Scanning, the
/// located button and shaking are this. Doing so again, or from two phones at once, gives the same number.
#[utoipa::path(post, path = "/api/v1/queue/numbers", tag = "queue", request_body = NewNumber,
    responses((status = 200, body = Tickets), (status = 409, description = "no_valid_order, queue_closed, no_numbers_today, not_here, position_vague, no_geofence, place_code_elsewhere, or as for booking", body = edge::problem::ProblemBody)))]
pub async fn numbers(
    State(deps): State<QueueDeps>,
    account: Account,
    ApiJson(new): ApiJson<NewNumber>,
) -> ApiResult<Json<Tickets>> {
    let wish = Wish {
        here: Here { code: new.code, position: new.position },
        area: new.area_id,
        order: new.order_id,
        person: new.person_id,
        queue: new.queue_id,
    };
    let tickets = numbers::by_phone(&deps, &account, wish).await?;
    shown(&deps, &account, tickets).await
}

/// Today's places of the account's persons.
#[utoipa::path(get, path = "/api/v1/queue/tickets", tag = "queue", responses((status = 200, body = All<PlaceBody>)))]
pub async fn tickets(State(deps): State<QueueDeps>, account: Account) -> ApiResult<Json<All<PlaceBody>>> {
    Ok(Json(All { items: places::mine(&deps, &account).await? }))
}

/// One place.
#[utoipa::path(get, path = "/api/v1/queue/tickets/{id}", tag = "queue", params(("id" = String, Path)), responses((status = 200, body = PlaceBody), (status = 404, body = edge::problem::ProblemBody)))]
pub async fn ticket(
    State(deps): State<QueueDeps>,
    account: Account,
    ApiPath(id): ApiPath<TicketId>,
) -> ApiResult<Json<PlaceBody>> {
    Ok(Json(places::own(&deps, &account, id).await?))
}

/// Leaves the line.
#[utoipa::path(post, path = "/api/v1/queue/tickets/{id}/leave", tag = "queue", params(("id" = String, Path)), responses((status = 200, body = PlaceBody), (status = 409, description = "ticket_over, ticket_state", body = edge::problem::ProblemBody)))]
pub async fn leave(
    State(deps): State<QueueDeps>,
    account: Account,
    ApiPath(id): ApiPath<TicketId>,
) -> ApiResult<Json<PlaceBody>> {
    let place = places::own(&deps, &account, id).await?;
    if place.state == crate::model::TicketState::Left {
        return Ok(Json(place));
    }
    let ticket = desk::leave(&deps, &account.caller, id).await?;
    Ok(Json(places::show(&deps, &account, ticket).await?))
}

/// The orders of the account's persons for which there is, or was, a number to be had.
#[utoipa::path(get, path = "/api/v1/queue/orders", tag = "queue", responses((status = 200, body = All<OrderBody>)))]
pub async fn orders(State(deps): State<QueueDeps>, account: Account) -> ApiResult<Json<All<OrderBody>>> {
    Ok(Json(All { items: orders_of(&deps, &account).await? }))
}

async fn orders_of(deps: &QueueDeps, account: &Account) -> Result<Vec<OrderBody>, Problem> {
    let hospital = &account.caller.hospital;
    let (h, now) = (hospital.id, deps.db.now());
    let setup = deps.pictures.setup(h).await?;
    let mut all = Vec::new();
    for person in bound::list(&deps.db, h, account.id).await? {
        for order in order_sql::of_person(&deps.db, h, person.person, now).await? {
            let ticket = if order.state == OrderState::Used {
                let mut tx = deps.db.begin().await?;
                let ticket = ticket_sql::of_order(&mut tx, h, order.id).await?;
                tx.rollback().await?;
                ticket
            } else {
                None
            };
            let first = setup.active().find(|q| order.queue.map_or(q.kind == order.kind, |id| id == q.id));
            let fits = setup.active().filter(|q| order.queue.map_or(q.kind == order.kind, |id| id == q.id));
            let mut areas: Vec<AreaBody> = Vec::new();
            for area in fits.filter_map(|q| setup.area(q.area?)) {
                if !areas.iter().any(|a| a.id == area.id) {
                    areas.push(wire::area_body(deps, hospital, &setup, area));
                }
            }
            all.push(OrderBody {
                order_id: order.id,
                kind: order.kind,
                title: order.title,
                state: order.state,
                queue: first.map(|q| OrderQueue { id: q.id, name: q.name.clone() }),
                queue_name: first.map(|q| q.name.clone()),
                area: first
                    .and_then(|q| setup.area(q.area?))
                    .map(|a| wire::area_body(deps, hospital, &setup, a)),
                areas,
                ticket_id: ticket.map(|t| t.id),
                until: hospital.rfc3339(order.valid_until),
            });
        }
    }
    Ok(all)
}

/// What waits to be picked up, and what was picked up in the last week.
#[utoipa::path(get, path = "/api/v1/queue/pickups", tag = "queue", responses((status = 200, body = All<PickUpBody>)))]
pub async fn pickups(State(deps): State<QueueDeps>, account: Account) -> ApiResult<Json<All<PickUpBody>>> {
    Ok(Json(All { items: pickups_of::mine(&deps, &account).await? }))
}

/// One thing to be picked up, with the code for the window.
#[utoipa::path(get, path = "/api/v1/queue/pickups/{id}", tag = "queue", params(("id" = String, Path)), responses((status = 200, body = PickUpBody), (status = 404, body = edge::problem::ProblemBody)))]
pub async fn pickup(
    State(deps): State<QueueDeps>,
    account: Account,
    ApiPath(id): ApiPath<PickUpId>,
) -> ApiResult<Json<PickUpBody>> {
    Ok(Json(pickups_of::own(&deps, &account, id).await?))
}
