//! What came in and went back in a time, summed in the database; and bills found by a number.

use base::{Fen, HospitalId, UnixMs};
use store::value::{FromRow, One, Row};
use store::{Db, Result, args};

use crate::model::ChargeId;

store::statements! {
    // Money comes into what holds it (a platform, a drawer) and goes back to the payer out of it. What is handed to the bank, or counted
    // otherwise at a shift's end, is neither.
    BY_ACCOUNT = "SELECT l.account,
             CAST(COUNT(DISTINCT CASE WHEN l.came = 1 THEN COALESCE(l.payment_id, l.id) END) AS BIGINT) AS payments,
             CAST(SUM(CASE WHEN l.came = 1 THEN l.amount_fen ELSE 0 END) AS BIGINT) AS received_fen,
             CAST(COUNT(DISTINCT CASE WHEN l.came = 0 THEN COALESCE(l.refund_id, l.id) END) AS BIGINT) AS refunds,
             CAST(SUM(CASE WHEN l.came = 0 THEN l.amount_fen ELSE 0 END) AS BIGINT) AS returned_fen
           FROM (SELECT id, debit AS account, 1 AS came, amount_fen, payment_id, refund_id FROM ledger
                 WHERE hospital_id = $1 AND at >= $2 AND at < $3 AND (debit LIKE 'clearing:%' OR debit LIKE 'cash-desk:%')
                   AND (credit LIKE 'obligation:%' OR credit = 'suspense')
               UNION ALL SELECT id, credit, 0, amount_fen, payment_id, refund_id FROM ledger
                 WHERE hospital_id = $1 AND at >= $2 AND at < $3 AND (credit LIKE 'clearing:%' OR credit LIKE 'cash-desk:%')
                   AND debit IN ('refunds-in-flight', 'suspense')) l
           GROUP BY l.account ORDER BY l.account";
    BY_PLACE = "SELECT c.department_id, s.staff_id,
             CAST(COUNT(DISTINCT CASE WHEN l.came = 1 THEN COALESCE(l.payment_id, l.id) END) AS BIGINT) AS payments,
             CAST(SUM(CASE WHEN l.came = 1 THEN l.amount_fen ELSE 0 END) AS BIGINT) AS received_fen,
             CAST(COUNT(DISTINCT CASE WHEN l.came = 0 THEN COALESCE(l.refund_id, l.id) END) AS BIGINT) AS refunds,
             CAST(SUM(CASE WHEN l.came = 0 THEN l.amount_fen ELSE 0 END) AS BIGINT) AS returned_fen
           FROM (SELECT id, 1 AS came, amount_fen, charge_id, payment_id, refund_id, shift_id FROM ledger
                 WHERE hospital_id = $1 AND at >= $2 AND at < $3 AND (debit LIKE 'clearing:%' OR debit LIKE 'cash-desk:%')
                   AND (credit LIKE 'obligation:%' OR credit = 'suspense')
               UNION ALL SELECT id, 0, amount_fen, charge_id, payment_id, refund_id, shift_id FROM ledger
                 WHERE hospital_id = $1 AND at >= $2 AND at < $3 AND (credit LIKE 'clearing:%' OR credit LIKE 'cash-desk:%')
                   AND debit IN ('refunds-in-flight', 'suspense')) l
           LEFT JOIN charge c ON c.hospital_id = $1 AND c.id = l.charge_id
           LEFT JOIN shift s ON s.hospital_id = $1 AND s.id = l.shift_id
           GROUP BY c.department_id, s.staff_id ORDER BY c.department_id, s.staff_id";
    FIND = "SELECT charge_id FROM payment WHERE hospital_id = $1 AND number = $2
           UNION SELECT charge_id FROM payment WHERE hospital_id = $1 AND provider_no = $2
           UNION SELECT charge_id FROM refund WHERE hospital_id = $1 AND number = $2
           UNION SELECT charge_id FROM refund WHERE hospital_id = $1 AND provider_no = $2
           LIMIT 20";
}

/// Amounts that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sums {
    /// How many payments.
    pub(crate) payments: i64,
    /// What they brought.
    pub(crate) received: Fen,
    /// How many refunds.
    pub(crate) refunds: i64,
    /// What they took back.
    pub(crate) returned: Fen,
}

impl Sums {
    fn of(row: &Row) -> Result<Self> {
        Ok(Self {
            payments: row.get("payments")?,
            received: row.get("received_fen")?,
            refunds: row.get("refunds")?,
            returned: row.get("returned_fen")?,
        })
    }
}

/// What one account of the ledger took in and gave back.
pub(crate) struct OfAccount(pub(crate) String, pub(crate) Sums);

impl FromRow for OfAccount {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self(row.get("account")?, Sums::of(row)?))
    }
}

/// What was taken for one department by one cashier; online when there is no cashier.
pub(crate) struct OfPlace {
    pub(crate) department: Option<String>,
    pub(crate) staff: Option<edge::StaffId>,
    pub(crate) sums: Sums,
}

impl FromRow for OfPlace {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self { department: row.get("department_id")?, staff: row.get("staff_id")?, sums: Sums::of(row)? })
    }
}

pub(crate) async fn by_account(
    db: &Db,
    hospital: HospitalId,
    (from, to): (UnixMs, UnixMs),
) -> Result<Vec<OfAccount>> {
    db.all(BY_ACCOUNT, args![hospital, from, to]).await
}

pub(crate) async fn by_place(
    db: &Db,
    hospital: HospitalId,
    (from, to): (UnixMs, UnixMs),
) -> Result<Vec<OfPlace>> {
    db.all(BY_PLACE, args![hospital, from, to]).await
}

/// The charges that a number of ours or of a platform belongs to.
pub(crate) async fn find(db: &Db, hospital: HospitalId, number: &str) -> Result<Vec<ChargeId>> {
    let found: Vec<One<ChargeId>> = db.all(FIND, args![hospital, number]).await?;
    Ok(found.into_iter().map(|one| one.0).collect())
}
