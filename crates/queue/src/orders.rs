//! Orders as other systems bring them, and settling those that only their paper vouched for.

use base::{Problem, Text2, UnixMs};
use edge::Caller;
use people::{PersonId, patients};

use crate::QueueDeps;
use crate::model::{Order, OrderId, OrderState, QueueId, QueueKind, Step, TicketState};
use crate::problems;
use crate::store::{order as sql, setup as setup_sql, ticket as ticket_sql};
use crate::topics;

/// What another system says of an order.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// What stands on the paper.
    pub(crate) reference: String,
    /// For what.
    pub(crate) kind: QueueKind,
    /// For whom.
    pub(crate) person: PersonId,
    /// What it is called.
    pub(crate) title: Text2,
    /// In which line alone.
    pub(crate) queue: Option<QueueId>,
    /// Until when it is good.
    pub(crate) valid_until: UnixMs,
}

/// Takes an order over. Told again it is the same order with what is new about it; one that was taken on the word of its paper is
/// settled by it, and keeps its number.
///
/// # Errors
/// 404 when person or line are not there; 503.
pub(crate) async fn put(deps: &QueueDeps, caller: &Caller, told: Told) -> Result<Order, Problem> {
    let h = caller.hospital.id;
    let mut tx = deps.db.begin().await?;
    let facts = patients::facts(&mut tx, h, told.person).await?.ok_or_else(Problem::not_found)?;
    if let Some(queue) = told.queue
        && setup_sql::queue_in(&mut tx, h, queue).await?.is_none()
    {
        return Err(Problem::not_found());
    }
    let mut order = Order {
        id: OrderId::new(),
        reference: told.reference,
        kind: told.kind,
        queue: told.queue,
        person: Some(told.person),
        title: told.title,
        state: OrderState::Valid,
        settled: true,
        valid_until: told.valid_until,
    };
    if !sql::add(&mut tx, h, &order).await? {
        let there = sql::by_reference(&mut tx, h, &order.reference).await?;
        let there = there.ok_or_else(|| Problem::unavailable(1))?;
        order = Order { id: there.id, state: there.state, ..order };
        sql::confirm(&mut tx, h, &order).await?;
        if !there.settled
            && let Some(mut ticket) = ticket_sql::of_order(&mut tx, h, order.id).await?
        {
            ticket.person = order.person;
            ticket.name_masked = facts.name_masked;
            ticket_sql::settle(&mut tx, h, &ticket).await?;
            ticket_sql::step(&mut tx, h, ticket.id, Step::Settled, &caller.actor.to_string(), None).await?;
            let queue = setup_sql::queue_in(&mut tx, h, ticket.queue).await?.ok_or_else(Problem::internal)?;
            topics::touch_line(&mut tx, &queue, std::slice::from_ref(&ticket));
        }
    }
    tx.audit(caller.audit("queue.order", order.id, serde_json::json!({"kind": order.kind}))).await?;
    tx.commit().await?;
    Ok(order)
}

/// Calls an order off. A number that was given for it is void, unless the person is in the room already.
///
/// # Errors
/// 404; 503.
pub(crate) async fn cancel(deps: &QueueDeps, caller: &Caller, reference: &str) -> Result<Order, Problem> {
    let h = caller.hospital.id;
    let mut tx = deps.db.begin().await?;
    let order = sql::by_reference(&mut tx, h, reference).await?.ok_or_else(problems::code_unknown)?;
    if sql::cancel(&mut tx, h, order.id).await? {
        if let Some(mut ticket) = ticket_sql::of_order(&mut tx, h, order.id).await?
            && matches!(ticket.state, TicketState::Waiting | TicketState::Called)
        {
            ticket.state = TicketState::Void;
            ticket.ended_at = Some(tx.now());
            let actor = caller.actor.to_string();
            if !ticket_sql::write(&mut tx, h, &mut ticket, &actor).await? {
                return Err(problems::changed_meanwhile());
            }
            ticket_sql::step(&mut tx, h, ticket.id, Step::Void, &actor, None).await?;
            let queue = setup_sql::queue_in(&mut tx, h, ticket.queue).await?.ok_or_else(Problem::internal)?;
            let open = ticket_sql::open(&mut tx, h, queue.id, ticket.date).await?;
            topics::touch_line(&mut tx, &queue, &open);
            tx.touch(store::Topic::new("ticket", ticket.id));
        }
        tx.audit(caller.audit("queue.order.cancel", order.id, serde_json::json!({}))).await?;
    }
    tx.commit().await?;
    Ok(Order { state: OrderState::Cancelled, ..order })
}
