//! Numbers without an appointment: for an order (a blood test) in one action at the spot, and for whoever walks in. Scanning,
//! the located button and shaking are the same request.
//!
//! Nothing else is asked: not the kiosk, not the system that wrote the order. What is known of orders is known here; of one that
//! is not yet here, its paper is taken at its word, and settled when that system says the same.

use std::time::Duration;

use base::{Problem, Text2};
use booking::model::{Outcome, PersonFacts};
use edge::{Account, Caller};
use people::{BoundPerson, PersonId, bound, patients};
use store::Sealed;

use crate::QueueDeps;
use crate::checkin::{self, Here, class_of};
use crate::give::{self, New};
use crate::model::{
    Area, AreaId, Class, Order, OrderId, OrderState, Origin, Queue, QueueId, QueueKind, Ticket,
};
use crate::problems;
use crate::settings::Settings;
use crate::store::{order as order_sql, setup as setup_sql};

/// The longest number on a paper, in characters.
const LONGEST_PAPER: usize = 64;

/// What somebody asks for at a place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wish {
    /// Where they are.
    pub(crate) here: Here,
    /// At which area, when they say so by position.
    pub(crate) area: Option<AreaId>,
    /// For which order, when not for all that are good here.
    pub(crate) order: Option<OrderId>,
    /// For whom, in which line: to be registered on the spot.
    pub(crate) person: Option<PersonId>,
    /// See `person`.
    pub(crate) queue: Option<QueueId>,
}

/// Gives the numbers that a phone's persons can have at a place now: for their orders, or on the spot.
///
/// # Errors
/// 409 `no_valid_order`, `queue_closed` and those of the place; 404; 503.
pub(crate) async fn by_phone(
    deps: &QueueDeps,
    account: &Account,
    wish: Wish,
) -> Result<Vec<Ticket>, Problem> {
    let caller = &account.caller;
    let settings: Settings = caller.hospital.settings(Settings::SECTION);
    let area = match (&wish.here.code, wish.here.position, wish.area) {
        (Some(code), _, _) => checkin::area_of_code(deps, caller, code).await?,
        (None, Some(position), Some(area)) => {
            let area = setup_sql::area(&deps.db, caller.hospital.id, area).await?;
            let area = area.ok_or_else(Problem::not_found)?;
            checkin::is_at(&area, position, &settings)?;
            area
        }
        _ => return Err(problems::where_are_you()),
    };
    let persons = bound::list(&deps.db, caller.hospital.id, account.id).await?;
    if let Some(queue) = wish.queue {
        let person = match wish.person {
            Some(id) => persons.iter().find(|p| p.person == id),
            None => persons.first(),
        };
        let person = person.ok_or_else(Problem::not_found)?;
        return on_the_spot(deps, account, person, &area, queue).await.map(|t| vec![t]);
    }
    for_orders(deps, account, &persons, &area, &wish).await
}

/// One number for each order that is good at the area.
async fn for_orders(
    deps: &QueueDeps,
    account: &Account,
    persons: &[BoundPerson],
    area: &Area,
    wish: &Wish,
) -> Result<Vec<Ticket>, Problem> {
    let h = account.caller.hospital.id;
    let now = deps.db.now();
    let wanted = persons.iter().filter(|p| wish.person.is_none_or(|id| id == p.person));
    let mut tickets = Vec::new();
    for person in wanted {
        for order in order_sql::of_person(&deps.db, h, person.person, now).await? {
            if wish.order.is_some_and(|id| id != order.id) {
                continue;
            }
            let Some(queue) = line_for(deps, &account.caller, &order, Some(area.id)).await? else { continue };
            let who = checkin::Who { name_masked: person.name_masked.clone(), birth: person.birth_date };
            tickets.push(
                for_order(deps, &account.caller, &order, &queue, who, Some(account.id), Origin::Order)
                    .await?,
            );
        }
    }
    if tickets.is_empty() { Err(problems::no_valid_order()) } else { Ok(tickets) }
}

/// The line that an order is for: its own, or the one of its kind with the fewest waiting; at an area, if there is one.
async fn line_for(
    deps: &QueueDeps,
    caller: &Caller,
    order: &Order,
    area: Option<AreaId>,
) -> Result<Option<Queue>, Problem> {
    let h = caller.hospital.id;
    let setup = deps.pictures.setup(h).await?;
    let fits = |q: &&Queue| {
        order.queue.map_or(q.kind == order.kind, |id| id == q.id)
            && area.is_none_or(|area| q.area == Some(area))
    };
    let mut best: Option<(usize, &Queue)> = None;
    for queue in setup.active().filter(fits) {
        let waiting = deps.pictures.line(h, queue.id).await?.waiting();
        if best.is_none_or(|(fewest, _)| waiting < fewest) {
            best = Some((waiting, queue));
        }
    }
    Ok(best.map(|(_, queue)| queue.clone()))
}

/// The number of an order: used up and given in one transaction, or the one that is there.
pub(crate) async fn for_order(
    deps: &QueueDeps,
    caller: &Caller,
    order: &Order,
    queue: &Queue,
    who: checkin::Who,
    account: Option<edge::AccountId>,
    origin: Origin,
) -> Result<Ticket, Problem> {
    let hospital = &caller.hospital;
    let settings: Settings = hospital.settings(Settings::SECTION);
    let picture = deps.pictures.line(hospital.id, queue.id).await?;
    let mut tx = deps.db.begin().await?;
    let fresh = order_sql::used(&mut tx, hospital.id, order.id).await?;
    if !fresh {
        // Used before, by whomever, or called off in this moment.
        let order = order_sql::get(&mut tx, hospital.id, order.id).await?.ok_or_else(Problem::not_found)?;
        let there = crate::store::ticket::of_order(&mut tx, hospital.id, order.id).await?;
        return match (order.state, there) {
            (OrderState::Used, Some(ticket)) => Ok(ticket),
            _ => Err(problems::no_valid_order()),
        };
    }
    let today = hospital.zone.date(tx.now());
    let new = New {
        queue,
        appointment: None,
        order: Some(order),
        person: order.person,
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

/// A number on the spot: at a clinic's line this books the next free place of today, if the clinic has slots, and checks in for it; at
/// any other line it is a number like one from the window.
async fn on_the_spot(
    deps: &QueueDeps,
    account: &Account,
    person: &BoundPerson,
    area: &Area,
    queue: QueueId,
) -> Result<Ticket, Problem> {
    let caller = &account.caller;
    let h = caller.hospital.id;
    let setup = deps.pictures.setup(h).await?;
    let queue = setup.queue(queue).filter(|q| q.active && q.area == Some(area.id));
    let queue = queue.cloned().ok_or_else(Problem::not_found)?;
    if matches!(queue.kind, QueueKind::Lab | QueueKind::Imaging) {
        // What needs an order is not had without one.
        return Err(problems::no_valid_order());
    }
    if queue.kind == QueueKind::Clinic {
        return register(deps, account, person, &queue).await;
    }
    let who = Walker {
        person: Some(person.person),
        account: Some(account.id),
        name_masked: person.name_masked.clone(),
        birth: person.birth_date,
        class: None,
        class_reason: None,
    };
    walk_in(deps, caller, &queue, who, Origin::Code).await
}

/// Books the next place of today in the line's clinic and checks in for it.
async fn register(
    deps: &QueueDeps,
    account: &Account,
    person: &BoundPerson,
    queue: &Queue,
) -> Result<Ticket, Problem> {
    let caller = &account.caller;
    let h = caller.hospital.id;
    let now = deps.db.now();
    let today = caller.hospital.zone.date(now);
    let department = queue.department.ok_or_else(problems::closed)?;
    let near = deps.board.nearest(h, department, queue.doctor, now);
    let mine = near
        .iter()
        .find(|n| n.free.date == today && queue.doctor.is_none_or(|doctor| n.doctor_id == Some(doctor)));
    let slot = mine.ok_or_else(problems::none_left)?.free.slot_id;
    // One place for a person, a line and a day, however often they ask.
    let key = format!("spot-{}-{}-{today}", queue.id, person.person);
    let key = edge::idempotency::request_hash("queue.spot", &key);
    let key = key.get(..40).unwrap_or(&key);
    let request = booking::desk::request(caller, account.id, PersonFacts::of(person), slot, key, None);
    let visit = match deps.desk.book(&caller.hospital, request).await?.outcome {
        Outcome::Booked(visit) | Outcome::Replay(visit) => visit,
        Outcome::Refused(reasons) => return Err(booking::refused(&caller.hospital, &reasons)),
        _ => return Err(Problem::unavailable(1)),
    };
    let who = checkin::Who { name_masked: person.name_masked.clone(), birth: person.birth_date };
    checkin::registered(deps, caller, &visit, who, account.id).await
}

/// Whoever walks in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Walker {
    pub(crate) person: Option<PersonId>,
    pub(crate) account: Option<edge::AccountId>,
    pub(crate) name_masked: String,
    pub(crate) birth: Option<base::Date>,
    pub(crate) class: Option<Class>,
    pub(crate) class_reason: Option<Sealed>,
}

/// A number for whoever walks in.
///
/// # Errors
/// 409 `queue_closed`; 503.
pub(crate) async fn walk_in(
    deps: &QueueDeps,
    caller: &Caller,
    queue: &Queue,
    who: Walker,
    origin: Origin,
) -> Result<Ticket, Problem> {
    let hospital = &caller.hospital;
    let settings: Settings = hospital.settings(Settings::SECTION);
    let picture = deps.pictures.line(hospital.id, queue.id).await?;
    let mut tx = deps.db.begin().await?;
    let today = hospital.zone.date(tx.now());
    let new = New {
        queue,
        appointment: None,
        order: None,
        person: who.person,
        account: who.account,
        name_masked: who.name_masked,
        class: who.class.or_else(|| class_of(who.birth, today, &settings)),
        class_reason: who.class_reason,
        origin,
    };
    let (ticket, _) = give::give(&mut tx, caller, new, &picture).await?;
    tx.commit().await?;
    Ok(ticket)
}

/// A number for the paper of an order, read at a desk or kiosk. An order that is not known here yet is taken on the word of its paper:
/// the number is marked as unsettled until the system that wrote it confirms it.
///
/// # Errors
/// 404 `code_unknown`; 409 `no_valid_order`, `code_used`; 503.
pub(crate) async fn by_paper(
    deps: &QueueDeps,
    caller: &Caller,
    paper: &str,
    origin: Origin,
) -> Result<Ticket, Problem> {
    let hospital = &caller.hospital;
    let h = hospital.id;
    let settings: Settings = hospital.settings(Settings::SECTION);
    let mut tx = deps.db.begin().await?;
    let known = order_sql::by_reference(&mut tx, h, paper).await?;
    let order = match known {
        Some(order) => {
            tx.rollback().await?;
            order
        }
        None => {
            let kind = kind_of_paper(paper).ok_or_else(problems::code_unknown)?;
            let order = Order {
                id: OrderId::new(),
                reference: paper.to_owned(),
                kind,
                queue: None,
                person: None,
                title: Text2::new("检查单（待核对）", "Order (to be confirmed)"),
                state: OrderState::Valid,
                settled: false,
                valid_until: tx.now().plus(Duration::from_secs(u64::from(settings.provisional_hours) * 3600)),
            };
            if !order_sql::add(&mut tx, h, &order).await? {
                return Err(Problem::unavailable(1));
            }
            tx.audit(caller.audit("queue.order.provisional", order.id, serde_json::json!({"kind": kind})))
                .await?;
            tx.commit().await?;
            order
        }
    };
    if order.state == OrderState::Cancelled || order.valid_until <= deps.db.now() {
        return Err(problems::no_valid_order());
    }
    let queue = line_for(deps, caller, &order, None).await?.ok_or_else(problems::no_valid_order)?;
    let who = match order.person {
        Some(person) => {
            let mut tx = deps.db.begin().await?;
            let facts = patients::facts(&mut tx, h, person).await?;
            tx.rollback().await?;
            facts.map(|f| checkin::Who { name_masked: f.name_masked, birth: f.birth_date })
        }
        None => None,
    };
    let account = match order.person {
        Some(person) => people::contact::of_person(&deps.db, h, person).await?.first().copied(),
        None => None,
    };
    let who = who.unwrap_or(checkin::Who { name_masked: String::new(), birth: None });
    for_order(deps, caller, &order, &queue, who, account, origin).await
}

/// What a paper's number says that it is for, when nobody has told us of the order yet: `LAB-…`, `IMG-…`, `RX-…`.
fn kind_of_paper(paper: &str) -> Option<QueueKind> {
    let plain = paper.len() <= LONGEST_PAPER && paper.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let (head, rest) = paper.split_once('-')?;
    if !plain || rest.len() < 6 {
        return None;
    }
    match head {
        "LAB" => Some(QueueKind::Lab),
        "IMG" => Some(QueueKind::Imaging),
        "RX" => Some(QueueKind::Pharmacy),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn papers_say_what_they_are_for() {
        assert_eq!(kind_of_paper("LAB-20260105A1"), Some(QueueKind::Lab));
        assert_eq!(kind_of_paper("IMG-000017"), Some(QueueKind::Imaging));
        for none in ["", "LAB", "LAB-1", "XYZ-000017", "LAB-00 017", "LAB-数字数字"] {
            assert_eq!(kind_of_paper(none), None, "{none}");
        }
    }
}
