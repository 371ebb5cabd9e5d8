//! Tickets on the wire, under `/api/v1/rush/tickets`.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::Problem;
use edge::{Account, ApiPath, ApiQuery, ApiResult, Caller};
use http::StatusCode;
use people::PersonId;
use schedule::SlotId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::hall::Place;
use super::model::{Served, Ticket, TicketId};
use super::rules::estimate_s;
use super::store as sql;
use crate::BookingDeps;
use crate::api::{AppointmentBody, appointment_of};
use crate::model::Refusal;
use crate::problems;

/// The longest that an answer is waited for.
const LONGEST_WAIT_S: u64 = 20;
/// Tickets that were served are listed for so long.
const SHOWN: Duration = Duration::from_secs(900);

/// A place in the line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RushTicket)]
pub(crate) struct TicketBody {
    #[schema(value_type = String)]
    id: TicketId,
    /// `waiting`, `done`.
    state: TicketState,
    /// What is wished for.
    #[schema(value_type = String)]
    slot_id: SlotId,
    /// For whom.
    #[schema(value_type = String)]
    person_id: PersonId,
    /// The key of the wish: whoever sends it again finds this ticket.
    key: String,
    /// When it was drawn.
    #[schema(format = DateTime)]
    arrived_at: String,
    /// Whether it takes part in the draw of the first second.
    draw: bool,
    /// From when on tickets are served.
    #[schema(format = DateTime)]
    serves_from: String,
    /// How many are in front; `None` before the draw.
    ahead: Option<i64>,
    /// How many stand in line.
    people: i64,
    /// About so many seconds until its turn.
    estimate_s: i64,
    /// What was booked.
    appointment: Option<AppointmentBody>,
    /// Why it can't be had: as a booking would have been refused.
    #[schema(value_type = Option<edge::problem::ProblemBody>)]
    problem: Option<serde_json::Value>,
}

/// Where a ticket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RushTicketState)]
pub(crate) enum TicketState {
    /// It is not its turn yet.
    Waiting,
    /// It was its turn.
    Done,
}

/// `GET /tickets`
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RushTicketList)]
pub(crate) struct TicketListBody {
    items: Vec<TicketBody>,
}

/// What a booking answers that was given a ticket: 202 with the ticket, or what the desk has said when it was its turn before.
pub(crate) async fn entered(deps: &BookingDeps, account: &Account, ticket: Ticket) -> ApiResult<Response> {
    let caller = &account.caller;
    match &ticket.served {
        Some(Served::Booked(id)) => {
            let appointment = appointment_of(deps, account, *id).await?;
            Ok((StatusCode::CREATED, Json(appointment)).into_response())
        }
        Some(served) => Err(problem(deps, caller, &ticket, served).into()),
        None => {
            let place = deps.hall.place();
            let ticket = body(deps, account, &ticket, place).await?;
            Ok((StatusCode::ACCEPTED, Json(ticket)).into_response())
        }
    }
}

/// Why a ticket came to nothing, as the desk would have said it.
fn problem(deps: &BookingDeps, caller: &Caller, ticket: &Ticket, served: &Served) -> Problem {
    match served {
        Served::Refused(reasons) => {
            let problem = problems::refused(&caller.hospital, reasons);
            let nearest = (reasons.first() == Some(&Refusal::Full))
                .then(|| deps.desk.nearest(caller.hospital.id, ticket.slot))
                .flatten();
            match nearest {
                Some(nearest) => problem.with_written("nearest", nearest),
                None => problem,
            }
        }
        Served::KeyReused => edge::idempotency::reused(),
        Served::Booked(_) | Served::Failed => Problem::unavailable(1),
    }
}

async fn body(deps: &BookingDeps, account: &Account, ticket: &Ticket, place: Place) -> ApiResult<TicketBody> {
    let caller = &account.caller;
    let hospital = &caller.hospital;
    let now = deps.db.now();
    let (mut appointment, mut refused) = (None, None);
    match &ticket.served {
        None => {}
        Some(Served::Booked(id)) => appointment = Some(appointment_of(deps, account, *id).await?),
        Some(served) => {
            let problem = problem(deps, caller, ticket, served);
            refused = Some(problem.body(caller.lang, &caller.request_id));
        }
    }
    let waits = ticket.served.is_none();
    let in_front = place.ahead.unwrap_or(place.people);
    Ok(TicketBody {
        id: ticket.id,
        state: if waits { TicketState::Waiting } else { TicketState::Done },
        slot_id: ticket.slot,
        person_id: ticket.person,
        key: ticket.key.clone(),
        arrived_at: hospital.rfc3339(ticket.arrived_at),
        draw: ticket.wave == 0,
        serves_from: hospital.rfc3339(ticket.due_at),
        ahead: place.ahead.filter(|_| waits),
        people: place.people,
        estimate_s: if waits { estimate_s(ticket.due_at, in_front, place.per_second, now) } else { 0 },
        appointment,
        problem: refused,
    })
}

/// How long.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WaitQuery {
    /// The answer may take so many seconds, 0 to 20, while it is not the ticket's turn.
    #[serde(default)]
    wait: u64,
}

/// A ticket of the account's own: where it stands, or what came of it.
#[utoipa::path(get, path = "/api/v1/rush/tickets/{id}", tag = "rush", params(("id" = String, Path), WaitQuery),
    responses((status = 200, body = TicketBody), (status = 404, body = edge::problem::ProblemBody)))]
pub(crate) async fn detail(
    State(deps): State<BookingDeps>,
    account: Account,
    ApiPath(id): ApiPath<TicketId>,
    ApiQuery(query): ApiQuery<WaitQuery>,
) -> ApiResult<Json<TicketBody>> {
    let at_most = Duration::from_secs(query.wait.min(LONGEST_WAIT_S));
    let (ticket, place) = deps.hall.look(account.caller.hospital.id, account.id, id, at_most).await?;
    Ok(Json(body(&deps, &account, &ticket, place).await?))
}

/// The account's tickets: the one that waits, and those of the last quarter of an hour; the last first.
#[utoipa::path(get, path = "/api/v1/rush/tickets", tag = "rush", responses((status = 200, body = TicketListBody)))]
pub(crate) async fn list(
    State(deps): State<BookingDeps>,
    account: Account,
) -> ApiResult<Json<TicketListBody>> {
    let hospital = account.caller.hospital.id;
    let since = deps.db.now().minus(SHOWN);
    let mut items = Vec::new();
    for ticket in sql::of_account(&deps.db, hospital, account.id, since).await? {
        items.push(body(&deps, &account, &ticket, deps.hall.place()).await?);
    }
    Ok(Json(TicketListBody { items }))
}
