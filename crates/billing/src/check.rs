//! Looks on a living database whether the invariants of money hold. Read-only.

use std::time::Duration;

use store::check::Found;
use store::{Db, Result, Sql};

use crate::store::look as sql;

/// What a platform told is applied within this time, or it is a fault.
const LATE: Duration = Duration::from_secs(15 * 60);

/// Each look with what it means when it finds something.
const LOOKS: &[(Sql, &str)] = &[
    (sql::UNBALANCED, "I1: this row of the ledger moves nothing, or to itself"),
    (sql::PARTS, "I2: the parts of this payment do not make its whole"),
    (sql::ITEMS, "I2: the lines of this charge do not make its total"),
    (
        sql::OVER_REFUNDED,
        "I3: what goes back of this payment is not what its refunds say, or more than was paid",
    ),
    (sql::PART_OF_INSURED, "I3: a part of insurance money goes back"),
    (sql::OBLIGATIONS, "I4: more was given than was owed"),
    (sql::OWED_FOR_NOTHING, "I4: something is owed for what was earned or given back"),
    (sql::IN_SUSPENSE, "I5: suspense is not what its rows say"),
    (sql::TWICE, "I8: this charge has more than one effective payment"),
    (sql::NOT_SERVED, "I16: this payment's service was not given"),
    (sql::KEPT, "I16: this payment was for nothing, and does not go back"),
    (sql::UNASKED, "I20: nobody will ask about this open payment"),
    (sql::UNSENT, "I20: nobody will send this refund"),
    (sql::DAY_SUMS, "I22: this closed day's sums are not those of its bill's lines"),
    (sql::DAY_OPEN, "I22: this day was closed with something unexplained"),
    (sql::PAYMENT_UNBOOKED, "I22: this payment in the bill of a closed day is neither booked nor explained"),
    (
        sql::REFUND_UNBOOKED,
        "I22: this refund in the bill of a closed day is neither booked, under way nor explained",
    ),
    (sql::PAYMENT_UNBILLED, "I22: this payment of a closed day is in no bill and not explained"),
    (sql::IN_FLIGHT, "I24: refunds in flight are not what their rows say"),
];

/// The ledger and everything that it must agree with.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn ledger(db: &Db) -> Result<Found> {
    let mut found = Found::default();
    for (look, meaning) in LOOKS {
        for one in sql::find(db, *look).await? {
            found.faults.push(format!("{meaning}: hospital {}, {} ({})", one.hospital, one.what, one.amount));
        }
    }
    for one in sql::unapplied(db, db.now().minus(LATE)).await? {
        found
            .faults
            .push(format!("I17: hospital {}, observation {} was never applied", one.hospital, one.what));
    }
    // I22 and I24: who holds how much, what is on its way back, and how the last days stand against the other side's bills.
    for look in [sql::CLEARING, sql::IN_FLIGHT_BY_STATE, sql::DAYS] {
        for one in sql::find(db, look).await? {
            found.seen.push(format!("hospital {}, {}: {} fen", one.hospital, one.what, one.amount));
        }
    }
    for one in sql::find(db, sql::INCIDENTS).await? {
        found.seen.push(format!("hospital {}, observation {} waits for a person", one.hospital, one.what));
    }
    Ok(found)
}
