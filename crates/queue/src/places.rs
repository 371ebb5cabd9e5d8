//! One's own places in lines.

use base::Problem;
use edge::Account;
use people::{PersonId, bound};

use crate::QueueDeps;
use crate::api::wire::{self, PlaceBody};
use crate::model::{Ticket, TicketId, TicketState};
use crate::store::ticket as sql;

/// A place in a line, for the account that took it or one that is bound to the person.
///
/// # Errors
/// 404 for everybody else; 503.
pub(crate) async fn own(deps: &QueueDeps, account: &Account, id: TicketId) -> Result<PlaceBody, Problem> {
    let ticket = sql::read(&deps.db, account.caller.hospital.id, id).await?.ok_or_else(Problem::not_found)?;
    // Who took it needs no look at bindings: a phone that watches would ask for them after each call.
    if ticket.account != Some(account.id) {
        let person = ticket.person.ok_or_else(Problem::not_found)?;
        let persons = bound::list(&deps.db, account.caller.hospital.id, account.id).await?;
        if !persons.iter().any(|p| p.person == person) {
            return Err(Problem::not_found());
        }
    }
    show(deps, account, ticket).await
}

/// A place as its owner sees it.
pub(crate) async fn show(deps: &QueueDeps, account: &Account, ticket: Ticket) -> Result<PlaceBody, Problem> {
    let hospital = &account.caller.hospital;
    let picture = deps.pictures.line(hospital.id, ticket.queue).await?;
    // The picture may be newer than what was read.
    let ticket = picture.ticket(ticket.id).cloned().unwrap_or(ticket);
    Ok(wire::place(hospital, &picture, &ticket, deps.db.now()))
}

/// Today's places of all persons of an account: open ones first, then by when they were taken.
///
/// # Errors
/// 503.
pub(crate) async fn mine(deps: &QueueDeps, account: &Account) -> Result<Vec<PlaceBody>, Problem> {
    let hospital = &account.caller.hospital;
    let today = hospital.zone.date(deps.db.now());
    let persons: Vec<PersonId> =
        bound::list(&deps.db, hospital.id, account.id).await?.iter().map(|p| p.person).collect();
    let mut tickets = Vec::new();
    for person in persons {
        tickets.extend(sql::of_person_on(&deps.db, hospital.id, person, today).await?);
    }
    tickets.sort_by_key(|t| (t.state.is_over(), t.state == TicketState::Waiting, t.checked_in_at));
    let mut places = Vec::new();
    for ticket in tickets {
        places.push(show(deps, account, ticket).await?);
    }
    Ok(places)
}
