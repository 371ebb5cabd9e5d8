//! What queues keep of a person: for merging two records.

use base::HospitalId;
use people::PersonId;
use people::records::merge::{Belonging, give};
use store::value::One;
use store::{Result, Tx, args};

use super::setup;
use crate::model::Ticket;
use crate::topics;

store::statements! {
    // A number without a visit or an order behind it: of these one has one in a line.
    CLASHES = "SELECT CAST(COUNT(*) AS BIGINT) FROM ticket a JOIN ticket b
         ON b.hospital_id = a.hospital_id AND b.queue_id = a.queue_id AND b.date = a.date AND b.person_id = $3
             AND b.appointment_id IS NULL AND b.order_id IS NULL AND b.state IN ('waiting', 'called', 'serving', 'away')
         WHERE a.hospital_id = $1 AND a.person_id = $2 AND a.appointment_id IS NULL AND a.order_id IS NULL
             AND a.state IN ('waiting', 'called', 'serving', 'away')";
    TICKETS_OF = "SELECT id FROM ticket WHERE hospital_id = $1 AND person_id = $2 ORDER BY id";
    TICKET_GIVE = "UPDATE ticket SET person_id = $4, version = version + 1 WHERE hospital_id = $1 AND id = $2 AND person_id = $3";
    OF_VISIT_GIVE = "UPDATE ticket SET person_id = $4, version = version + 1 WHERE hospital_id = $1 AND appointment_id = $2 AND person_id = $3";
    OF_ORDER_GIVE = "UPDATE ticket SET person_id = $4, version = version + 1 WHERE hospital_id = $1 AND order_id = $2 AND person_id = $3";
    OPEN_OF = "SELECT * FROM ticket WHERE hospital_id = $1 AND person_id = $2 AND state IN ('waiting', 'called', 'serving', 'away') ORDER BY id";
    ORDERS_OF = "SELECT id FROM service_order WHERE hospital_id = $1 AND person_id = $2 ORDER BY id";
    ORDER_GIVE = "UPDATE service_order SET person_id = $4 WHERE hospital_id = $1 AND id = $2 AND person_id = $3";
    PICK_UPS_OF = "SELECT id FROM pick_up WHERE hospital_id = $1 AND person_id = $2 ORDER BY id";
    PICK_UP_GIVE = "UPDATE pick_up SET person_id = $4 WHERE hospital_id = $1 AND id = $2 AND person_id = $3";
}

const KEPT: [Belonging; 3] = [
    Belonging {
        name: "ticket",
        of: TICKETS_OF,
        give: TICKET_GIVE,
        with: &[("", OF_VISIT_GIVE), ("order", OF_ORDER_GIVE)],
    },
    Belonging { name: "order", of: ORDERS_OF, give: ORDER_GIVE, with: &[] },
    Belonging { name: "pick_up", of: PICK_UPS_OF, give: PICK_UP_GIVE, with: &[] },
];

/// In how many lines two persons stand at the same time: they can't be one person's numbers.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn clashes(tx: &mut Tx, h: HospitalId, one: PersonId, other: PersonId) -> Result<u32> {
    let count: One<i64> = tx.one(CLASHES, args![h, one, other]).await?;
    Ok(u32::try_from(count.0).unwrap_or(u32::MAX))
}

/// Gives one person's numbers, orders and things to pick up to another: all, or what `only` names. Gives what moved.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn hand_over(
    tx: &mut Tx,
    h: HospitalId,
    from: PersonId,
    to: PersonId,
    only: Option<&[String]>,
) -> Result<Vec<String>> {
    let moved = give(tx, h, &KEPT, from, to, only).await?;
    // Whoever watches these lines has the old record before them.
    let open: Vec<Ticket> = tx.all(OPEN_OF, args![h, to]).await?;
    for ticket in &open {
        if let Some(queue) = setup::queue_in(tx, h, ticket.queue).await? {
            topics::touch_line(tx, &queue, std::slice::from_ref(ticket));
        }
    }
    Ok(moved)
}
