//! What [`crate::check`] looks for: each statement finds what must never be.

use store::value::{FromRow, Row};
use store::{Db, Result, Sql, args};

store::statements! {
    // I1 is the shape of the table; this looks whether anything in it has another shape.
    UNBALANCED = "SELECT hospital_id, id AS what, amount_fen FROM ledger WHERE amount_fen <= 0 OR debit = credit LIMIT 20";
    PARTS = "SELECT hospital_id, id AS what, total_fen AS amount_fen FROM payment
             WHERE gov_fen + own_fen + other_fen + cash_fen <> total_fen OR gov_fen < 0 OR own_fen < 0 OR other_fen < 0 OR cash_fen < 0 LIMIT 20";
    ITEMS = "SELECT c.hospital_id, c.id AS what, c.total_fen AS amount_fen FROM charge c
             WHERE c.total_fen <> (SELECT COALESCE(SUM(i.amount_fen), 0) FROM charge_item i WHERE i.hospital_id = c.hospital_id AND i.charge_id = c.id) LIMIT 20";
    OVER_REFUNDED = "SELECT p.hospital_id, p.id AS what, p.returning_fen AS amount_fen FROM payment p
             WHERE p.returning_fen > p.total_fen OR p.returning_fen <> (SELECT COALESCE(SUM(r.amount_fen), 0) FROM refund r
                 WHERE r.hospital_id = p.hospital_id AND r.payment_id = p.id AND r.state NOT IN ('closed', 'declined')) LIMIT 20";
    PART_OF_INSURED = "SELECT r.hospital_id, r.id AS what, r.amount_fen FROM refund r JOIN payment p ON p.hospital_id = r.hospital_id AND p.id = r.payment_id
             WHERE r.state NOT IN ('closed', 'declined') AND r.gov_fen + r.own_fen + r.other_fen > 0
                 AND (r.gov_fen <> p.gov_fen OR r.own_fen <> p.own_fen OR r.other_fen <> p.other_fen) LIMIT 20";
    OBLIGATIONS = "SELECT l.hospital_id, l.account AS what, CAST(SUM(l.amount) AS BIGINT) AS amount_fen FROM (
                 SELECT hospital_id, credit AS account, amount_fen AS amount FROM ledger WHERE credit LIKE 'obligation:%'
                 UNION ALL SELECT hospital_id, debit, -amount_fen FROM ledger WHERE debit LIKE 'obligation:%') l
             GROUP BY l.hospital_id, l.account HAVING SUM(l.amount) < 0 LIMIT 20";
    OWED_FOR_NOTHING = "SELECT l.hospital_id, l.charge_id AS what, CAST(SUM(l.amount) AS BIGINT) AS amount_fen FROM (
                 SELECT hospital_id, charge_id, amount_fen AS amount FROM ledger WHERE credit LIKE 'obligation:%'
                 UNION ALL SELECT hospital_id, charge_id, -amount_fen FROM ledger WHERE debit LIKE 'obligation:%') l
             JOIN charge c ON c.hospital_id = l.hospital_id AND c.id = l.charge_id
             WHERE c.state = 'returned' OR c.recognised_at IS NOT NULL
             GROUP BY l.hospital_id, l.charge_id HAVING SUM(l.amount) <> 0 LIMIT 20";
    TWICE = "SELECT hospital_id, charge_id AS what, CAST(COUNT(*) AS BIGINT) AS amount_fen FROM payment WHERE effect = 'served'
             GROUP BY hospital_id, charge_id HAVING COUNT(*) > 1 LIMIT 20";
    NOT_SERVED = "SELECT p.hospital_id, p.id AS what, p.total_fen AS amount_fen FROM payment p
             LEFT JOIN charge c ON c.hospital_id = p.hospital_id AND c.id = p.charge_id AND c.served_by = p.id
             WHERE p.effect = 'served' AND c.id IS NULL LIMIT 20";
    KEPT = "SELECT hospital_id, id AS what, total_fen AS amount_fen FROM payment WHERE effect = 'surplus' AND returning_fen <> total_fen LIMIT 20";
    IN_FLIGHT = "SELECT b.hospital_id, 'refunds-in-flight' AS what, b.amount_fen - COALESCE(r.amount_fen, 0) AS amount_fen FROM (
                 SELECT hospital_id, CAST(SUM(CASE WHEN credit = 'refunds-in-flight' THEN amount_fen ELSE -amount_fen END) AS BIGINT) AS amount_fen FROM ledger
                 WHERE credit = 'refunds-in-flight' OR debit = 'refunds-in-flight' GROUP BY hospital_id) b
             LEFT JOIN (SELECT hospital_id, CAST(SUM(CASE WHEN insurance IN ('returned', 'told') THEN cash_fen ELSE amount_fen END) AS BIGINT) AS amount_fen
                 FROM refund WHERE state IN ('wanted', 'sent', 'abnormal', 'stuck') GROUP BY hospital_id) r ON r.hospital_id = b.hospital_id
             WHERE b.amount_fen <> COALESCE(r.amount_fen, 0) LIMIT 20";
    IN_SUSPENSE = "SELECT b.hospital_id, 'suspense' AS what, b.amount_fen - COALESCE(s.amount_fen, 0) AS amount_fen FROM (
                 SELECT hospital_id, CAST(SUM(CASE WHEN credit = 'suspense' THEN amount_fen ELSE -amount_fen END) AS BIGINT) AS amount_fen FROM ledger
                 WHERE credit = 'suspense' OR debit = 'suspense' GROUP BY hospital_id) b
             LEFT JOIN (SELECT hospital_id, CAST(SUM(CASE WHEN reason = 'foreign_refund' THEN -amount_fen ELSE amount_fen END) AS BIGINT) AS amount_fen
                 FROM suspense WHERE state = 'open' GROUP BY hospital_id) s ON s.hospital_id = b.hospital_id
             WHERE b.amount_fen <> COALESCE(s.amount_fen, 0) LIMIT 20";
    CLEARING = "SELECT l.hospital_id, l.account AS what, CAST(SUM(l.amount) AS BIGINT) AS amount_fen FROM (
                 SELECT hospital_id, debit AS account, amount_fen AS amount FROM ledger WHERE debit LIKE 'clearing:%' OR debit LIKE 'cash-desk:%'
                 UNION ALL SELECT hospital_id, credit, -amount_fen FROM ledger WHERE credit LIKE 'clearing:%' OR credit LIKE 'cash-desk:%') l
             GROUP BY l.hospital_id, l.account ORDER BY 1, 2";
    UNAPPLIED = "SELECT hospital_id, id AS what, attempts AS amount_fen FROM observation WHERE state = 'new' AND received_at < $1 LIMIT 20";
    INCIDENTS = "SELECT hospital_id, id AS what, CAST(0 AS BIGINT) AS amount_fen FROM observation WHERE state = 'incident' ORDER BY received_at LIMIT 50";
    // I22. A closed day that is to be looked at again is left out: what has come to light since is being looked at. The number of an online
    // payment and of a refund is its id.
    DAY_SUMS = "SELECT d.hospital_id, a.name || ' ' || d.date AS what, d.paid_fen - d.refunded_fen - COALESCE(l.fen, 0) AS amount_fen
             FROM bill_day d JOIN pay_account a ON a.hospital_id = d.hospital_id AND a.id = d.pay_account_id
             LEFT JOIN (SELECT hospital_id, pay_account_id, date, CAST(SUM(CASE WHEN what = 'payment' THEN amount_fen ELSE -amount_fen END) AS BIGINT) AS fen
                 FROM bill_line GROUP BY hospital_id, pay_account_id, date) l
                 ON l.hospital_id = d.hospital_id AND l.pay_account_id = d.pay_account_id AND l.date = d.date
             WHERE d.state = 'closed' AND d.next_at IS NULL AND a.provider <> 'insurance' AND d.paid_fen - d.refunded_fen <> COALESCE(l.fen, 0) LIMIT 20";
    DAY_OPEN = "SELECT d.hospital_id, f.number AS what, COALESCE(f.theirs_fen, 0) - COALESCE(f.ours_fen, 0) AS amount_fen
             FROM bill_day d JOIN difference f ON f.hospital_id = d.hospital_id AND f.pay_account_id = d.pay_account_id AND f.date = d.date
             WHERE d.state = 'closed' AND d.next_at IS NULL AND f.state IN ('open', 'asked') LIMIT 20";
    PAYMENT_UNBOOKED = "SELECT l.hospital_id, l.date || ' ' || l.number AS what, l.amount_fen
             FROM bill_day d JOIN bill_line l ON l.hospital_id = d.hospital_id AND l.pay_account_id = d.pay_account_id AND l.date = d.date
             JOIN pay_account a ON a.hospital_id = l.hospital_id AND a.id = l.pay_account_id
             WHERE d.state = 'closed' AND d.next_at IS NULL AND l.what = 'payment'
                 AND l.amount_fen <> COALESCE((SELECT SUM(g.amount_fen) FROM ledger g WHERE g.hospital_id = l.hospital_id
                     AND g.once IN ('paid:pmt_' || l.number || ':3', 'unplaced:' || a.merchant || ':' || l.number) AND g.debit LIKE 'clearing:%'), 0)
                 AND NOT EXISTS (SELECT 1 FROM difference f WHERE f.hospital_id = l.hospital_id AND f.pay_account_id = l.pay_account_id
                     AND f.date = l.date AND f.what = 'payment' AND f.number = l.number AND f.state = 'explained') LIMIT 20";
    REFUND_UNBOOKED = "SELECT l.hospital_id, l.date || ' ' || l.number AS what, l.amount_fen
             FROM bill_day d JOIN bill_line l ON l.hospital_id = d.hospital_id AND l.pay_account_id = d.pay_account_id AND l.date = d.date
             JOIN pay_account a ON a.hospital_id = l.hospital_id AND a.id = l.pay_account_id
             LEFT JOIN refund r ON r.hospital_id = l.hospital_id AND r.number = l.number
             WHERE d.state = 'closed' AND d.next_at IS NULL AND l.what = 'refund'
                 AND l.amount_fen <> COALESCE((SELECT SUM(g.amount_fen) FROM ledger g WHERE g.hospital_id = l.hospital_id
                     AND g.once IN ('done:rfd_' || l.number || ':3', 'foreign:' || a.merchant || ':' || l.number)), 0)
                 AND (r.id IS NULL OR r.cash_fen <> l.amount_fen OR r.state NOT IN ('sent', 'abnormal', 'closed'))
                 AND NOT EXISTS (SELECT 1 FROM difference f WHERE f.hospital_id = l.hospital_id AND f.pay_account_id = l.pay_account_id
                     AND f.date = l.date AND f.what = 'refund' AND f.number = l.number AND f.state = 'explained') LIMIT 20";
    PAYMENT_UNBILLED = "SELECT p.hospital_id, d.date || ' ' || p.number AS what, p.cash_fen AS amount_fen
             FROM bill_day d JOIN payment p ON p.hospital_id = d.hospital_id AND p.pay_account_id = d.pay_account_id AND p.state = 'paid'
                 AND p.paid_at >= d.starts_at AND p.paid_at < d.ends_at AND p.cash_fen > 0
             WHERE d.state = 'closed' AND d.next_at IS NULL
                 AND NOT EXISTS (SELECT 1 FROM bill_line l WHERE l.hospital_id = p.hospital_id AND l.pay_account_id = p.pay_account_id
                     AND l.what = 'payment' AND l.number = p.number)
                 AND NOT EXISTS (SELECT 1 FROM difference f WHERE f.hospital_id = p.hospital_id AND f.pay_account_id = p.pay_account_id
                     AND f.date = d.date AND f.what = 'payment' AND f.number = p.number AND f.state = 'explained') LIMIT 20";
    DAYS = "SELECT d.hospital_id, a.name || ' ' || d.date || ' is ' || d.state || ', bill' AS what, d.paid_fen - d.refunded_fen AS amount_fen
             FROM bill_day d JOIN pay_account a ON a.hospital_id = d.hospital_id AND a.id = d.pay_account_id ORDER BY d.date DESC, a.name LIMIT 60";
    IN_FLIGHT_BY_STATE = "SELECT hospital_id, 'refunds ' || state AS what, CAST(SUM(amount_fen) AS BIGINT) AS amount_fen FROM refund
             WHERE state IN ('wanted', 'sent', 'abnormal', 'stuck') GROUP BY hospital_id, state ORDER BY 1, 2";
    UNASKED = "SELECT hospital_id, id AS what, total_fen AS amount_fen FROM payment WHERE state IN ('new', 'waiting') AND next_at IS NULL LIMIT 20";
    UNSENT = "SELECT hospital_id, id AS what, amount_fen FROM refund WHERE state IN ('wanted', 'sent') AND next_at IS NULL LIMIT 20";
}

/// Something that was found.
pub(crate) struct Finding {
    pub(crate) hospital: i64,
    pub(crate) what: String,
    pub(crate) amount: i64,
}

impl FromRow for Finding {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self { hospital: row.get("hospital_id")?, what: row.get("what")?, amount: row.get("amount_fen")? })
    }
}

pub(crate) async fn find(db: &Db, sql: Sql) -> Result<Vec<Finding>> {
    db.all(sql, args![]).await
}

/// Observations that have waited since before `since`.
pub(crate) async fn unapplied(db: &Db, since: base::UnixMs) -> Result<Vec<Finding>> {
    db.all(UNAPPLIED, args![since]).await
}
