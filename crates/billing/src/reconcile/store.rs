//! The SQL of reconciliation: lines in, and what does not match out. The database matches, so that a million lines stay there.

use std::collections::BTreeSet;

use base::{Date, Fen, HospitalId, UnixMs};
use store::value::Row;
use store::{Db, FromRow, Result, Tx, args};

use super::read::Line;
use crate::merchants::Merchant;
use crate::model::PayAccountId;

store::typed_id! {
    /// Something that is not equal.
    DifferenceId = "dif";
}

store::text_enum! {
    /// What a line is about.
    #[derive(utoipa::ToSchema)]
    #[schema(as = BillLineKind)]
    pub enum What {
        /// Money that came.
        Payment = "payment",
        /// Money that went back.
        Refund = "refund",
        /// A day's sums, where the other side gives no lines.
        Totals = "totals",
    }
}

store::text_enum! {
    /// How something is not equal.
    #[derive(utoipa::ToSchema)]
    pub enum DifferenceKind {
        /// The other side knows it, we do not.
        TheirsOnly = "theirs_only",
        /// We know it, the other side does not.
        OursOnly = "ours_only",
        /// Another amount.
        Differs = "differs",
    }
}

store::text_enum! {
    /// Where a difference stands. open → asked → explained, open → explained; open, asked → settled, when it is gone.
    #[derive(utoipa::ToSchema)]
    pub enum DifferenceState {
        /// Nobody has explained it.
        Open = "open",
        /// Explained by one person; another has to agree.
        Asked = "asked",
        /// Explained.
        Explained = "explained",
        /// Found equal at a later look.
        Settled = "settled",
    }
}

store::text_enum! {
    /// Where a day stands.
    #[derive(utoipa::ToSchema)]
    #[schema(as = BillDayState)]
    pub enum DayState {
        /// Its bill has not been read.
        Open = "open",
        /// Read; something is carried or not explained.
        Counted = "counted",
        /// Everything is equal or explained.
        Closed = "closed",
    }
}

/// One contract's day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// Whose.
    pub account: PayAccountId,
    /// Which.
    pub date: Date,
    /// Where it stands.
    pub state: DayState,
    /// Payments in the bill.
    pub payments: i64,
    /// Their sum.
    pub paid: Fen,
    /// Refunds in the bill.
    pub refunds: i64,
    /// Their sum.
    pub refunded: Fen,
    /// Lines that are equal.
    pub equal: i64,
    /// What the next day's bill will show.
    pub carried: i64,
    /// What nobody has explained, in fen.
    pub unexplained: Fen,
    /// What the other side said against it.
    pub error: Option<String>,
    /// When the bill was read.
    pub read_at: Option<UnixMs>,
    /// When it was closed.
    pub closed_at: Option<UnixMs>,
}

impl FromRow for Day {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            account: row.get("pay_account_id")?,
            date: row.get("date")?,
            state: row.get("state")?,
            payments: row.get("payments")?,
            paid: row.get("paid_fen")?,
            refunds: row.get("refunds")?,
            refunded: row.get("refunded_fen")?,
            equal: row.get("equal")?,
            carried: row.get("carried")?,
            unexplained: row.get("unexplained")?,
            error: row.get("error")?,
            read_at: row.get("read_at")?,
            closed_at: row.get("closed_at")?,
        })
    }
}

/// Something that is not equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its id.
    pub id: DifferenceId,
    /// Of which contract …
    pub account: PayAccountId,
    /// … on which day.
    pub date: Date,
    /// Payment, refund, or the day's sums.
    pub what: What,
    /// Our number of it.
    pub number: String,
    /// How it is not equal.
    pub kind: DifferenceKind,
    /// The other side's number.
    pub provider_no: Option<String>,
    /// What we have.
    pub ours: Option<Fen>,
    /// What they have.
    pub theirs: Option<Fen>,
    /// Where it stands.
    pub state: DifferenceState,
    /// What was found out.
    pub note: Option<String>,
    /// By whom.
    pub explained_by: Option<String>,
    /// Who agreed.
    pub approved_by: Option<String>,
    /// Since when.
    pub opened_at: UnixMs,
}

impl FromRow for Difference {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            account: row.get("pay_account_id")?,
            date: row.get("date")?,
            what: row.get("what")?,
            number: row.get("number")?,
            kind: row.get("kind")?,
            provider_no: row.get("provider_no")?,
            ours: row.get("ours_fen")?,
            theirs: row.get("theirs_fen")?,
            state: row.get("state")?,
            note: row.get("note")?,
            explained_by: row.get("explained_by")?,
            approved_by: row.get("approved_by")?,
            opened_at: row.get("opened_at")?,
        })
    }
}

impl Difference {
    /// How much is at stake.
    #[must_use]
    pub fn amount(&self) -> Fen {
        let (ours, theirs) = (self.ours.unwrap_or_default(), self.theirs.unwrap_or_default());
        Fen(ours.0.abs_diff(theirs.0).try_into().unwrap_or(i64::MAX))
    }
}

/// A line that has no equal, or a row of ours that has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Odd {
    pub(super) number: String,
    pub(super) order: String,
    pub(super) provider_no: Option<String>,
    pub(super) ours: Option<Fen>,
    pub(super) theirs: Option<Fen>,
    pub(super) at: UnixMs,
}

impl FromRow for Odd {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            number: row.get("number")?,
            order: row.get("order_number")?,
            provider_no: row.get("provider_no")?,
            ours: row.get("ours_fen")?,
            theirs: row.get("theirs_fen")?,
            at: row.get("at")?,
        })
    }
}

store::statements! {
    OPEN = "INSERT INTO bill_day (hospital_id, pay_account_id, date, state, next_at, starts_at, ends_at)
            SELECT $1, $2, $3, 'open', $4, $6, $5 WHERE EXISTS (SELECT 1 FROM pay_account
                WHERE hospital_id = $1 AND id = $2 AND active = 1 AND created_at < $5) ON CONFLICT DO NOTHING";
    DUE = "SELECT d.pay_account_id, d.date FROM bill_day d WHERE d.next_at IS NOT NULL AND d.next_at <= $1
           AND EXISTS (SELECT 1 FROM pay_account a WHERE a.hospital_id = d.hospital_id AND a.id = d.pay_account_id AND a.active = 1)
           ORDER BY d.date DESC, d.next_at LIMIT $2";
    GET = "SELECT * FROM bill_day WHERE hospital_id = $1 AND pay_account_id = $2 AND date = $3";
    LOCK = sqlite "SELECT * FROM bill_day WHERE hospital_id = $1 AND pay_account_id = $2 AND date = $3"
        postgres "SELECT * FROM bill_day WHERE hospital_id = $1 AND pay_account_id = $2 AND date = $3 FOR UPDATE";
    DAYS = "SELECT * FROM bill_day WHERE hospital_id = $1 AND date >= $2 AND date <= $3 ORDER BY date DESC, pay_account_id";
    LATER = "UPDATE bill_day SET next_at = $4, error = $5, tries = tries + 1 WHERE hospital_id = $1 AND pay_account_id = $2 AND date = $3";
    LATE = "UPDATE bill_day SET next_at = $4 WHERE hospital_id = $1 AND pay_account_id = $2 AND date = $3 AND state = 'closed' AND next_at IS NULL";
    AGAIN = "UPDATE bill_day SET next_at = $4 WHERE hospital_id = $1 AND pay_account_id = $2 AND date = $3";
    COUNTED = "UPDATE bill_day SET state = $4, next_at = $5, error = NULL, payments = $6, paid_fen = $7, refunds = $8, refunded_fen = $9, equal = $10,
                 carried = $11, unexplained = $12, read_at = $13, closed_at = CASE WHEN $4 = 'closed' THEN COALESCE(closed_at, $14) ELSE NULL END
               WHERE hospital_id = $1 AND pay_account_id = $2 AND date = $3";
    // A day's lines have just come: PostgreSQL counts them before it chooses how to match them.
    COUNTED_ANEW = sqlite "SELECT 1" postgres "ANALYZE bill_line";
    CLEAR = "DELETE FROM bill_line WHERE hospital_id = $1 AND pay_account_id = $2 AND date = $3";
    PUT = sqlite "INSERT INTO bill_line (hospital_id, pay_account_id, date, what, number, order_number, provider_no, amount_fen, at)
               SELECT $1, $2, $3, value->>0, value->>1, value->>2, value->>3, CAST(value->>4 AS BIGINT), CAST(value->>5 AS BIGINT)
               FROM json_each($4) WHERE true ON CONFLICT DO NOTHING"
        postgres "INSERT INTO bill_line (hospital_id, pay_account_id, date, what, number, order_number, provider_no, amount_fen, at)
               SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS TEXT), value->>0, value->>1, value->>2, value->>3,
                 CAST(value->>4 AS BIGINT), CAST(value->>5 AS BIGINT)
               FROM jsonb_array_elements(CAST($4 AS jsonb)) AS r(value) ON CONFLICT DO NOTHING";
    SUMS = "SELECT what, CAST(COUNT(*) AS BIGINT) AS n, CAST(COALESCE(SUM(amount_fen), 0) AS BIGINT) AS fen FROM bill_line
            WHERE hospital_id = $1 AND pay_account_id = $2 AND date = $3 GROUP BY what";
    EQUAL = "SELECT CAST(COUNT(*) AS BIGINT) FROM bill_line l WHERE l.hospital_id = $1 AND l.pay_account_id = $2 AND l.date = $3
             AND (EXISTS (SELECT 1 FROM payment p WHERE l.what = 'payment' AND p.hospital_id = l.hospital_id AND p.number = l.number
                    AND p.pay_account_id = $2 AND p.state = 'paid' AND p.cash_fen = l.amount_fen)
               OR EXISTS (SELECT 1 FROM refund r WHERE l.what = 'refund' AND r.hospital_id = l.hospital_id AND r.number = l.number
                    AND r.cash_fen = l.amount_fen AND r.state IN ('sent', 'done', 'abnormal', 'closed')))";
    // Joined by the number alone, which one index knows: a planner without fresh figures must not think of another.
    PAYMENTS_THEIRS = "SELECT l.number, l.order_number, l.provider_no, l.amount_fen AS theirs_fen, l.at,
               CASE WHEN p.pay_account_id = l.pay_account_id AND p.state = 'paid' THEN p.cash_fen END AS ours_fen
             FROM bill_line l LEFT JOIN payment p ON p.hospital_id = l.hospital_id AND p.number = l.number
             WHERE l.hospital_id = $1 AND l.pay_account_id = $2 AND l.date = $3 AND l.what = 'payment'
               AND (p.id IS NULL OR p.pay_account_id IS NULL OR p.pay_account_id <> l.pay_account_id OR p.state <> 'paid' OR p.cash_fen <> l.amount_fen)
             ORDER BY l.number LIMIT 10000";
    REFUNDS_THEIRS = "SELECT l.number, l.order_number, l.provider_no, r.cash_fen AS ours_fen, l.amount_fen AS theirs_fen, l.at
             FROM bill_line l LEFT JOIN refund r ON r.hospital_id = l.hospital_id AND r.number = l.number AND r.state IN ('sent', 'done', 'abnormal', 'closed')
             WHERE l.hospital_id = $1 AND l.pay_account_id = $2 AND l.date = $3 AND l.what = 'refund' AND (r.id IS NULL OR r.cash_fen <> l.amount_fen)
             ORDER BY l.number LIMIT 10000";
    PAYMENTS_OURS = "SELECT p.number, p.number AS order_number, p.provider_no, p.cash_fen AS ours_fen, CAST(NULL AS BIGINT) AS theirs_fen, p.paid_at AS at
             FROM payment p WHERE p.hospital_id = $1 AND p.pay_account_id = $2 AND p.state = 'paid' AND p.cash_fen > 0 AND p.paid_at >= $3 AND p.paid_at < $4
             AND NOT EXISTS (SELECT 1 FROM bill_line l WHERE l.hospital_id = $1 AND l.pay_account_id = $2 AND l.what = 'payment' AND l.number = p.number)
             ORDER BY p.number LIMIT 10000";
    REFUNDS_OURS = "SELECT r.number, p.number AS order_number, r.provider_no, r.cash_fen AS ours_fen, CAST(NULL AS BIGINT) AS theirs_fen, r.sent_at AS at
             FROM refund r JOIN payment p ON p.hospital_id = r.hospital_id AND p.id = r.payment_id
             WHERE r.hospital_id = $1 AND p.pay_account_id = $2 AND r.state IN ('sent', 'done', 'abnormal') AND r.cash_fen > 0 AND r.sent_at >= $3 AND r.sent_at < $4
             AND NOT EXISTS (SELECT 1 FROM bill_line l WHERE l.hospital_id = $1 AND l.pay_account_id = $2 AND l.what = 'refund' AND l.number = r.number)
             ORDER BY r.number LIMIT 10000";
    DIFFER = "INSERT INTO difference (hospital_id, id, pay_account_id, date, what, number, kind, provider_no, ours_fen, theirs_fen, state, opened_at)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open', $11)
              ON CONFLICT (hospital_id, pay_account_id, date, what, number) DO UPDATE
              SET kind = excluded.kind, ours_fen = excluded.ours_fen, theirs_fen = excluded.theirs_fen, provider_no = excluded.provider_no,
                  state = 'open', opened_at = excluded.opened_at, ended_at = NULL, note = NULL, explained_by = NULL, approved_by = NULL
              WHERE difference.kind <> excluded.kind OR difference.state = 'settled'
                 OR COALESCE(difference.ours_fen, -1) <> COALESCE(excluded.ours_fen, -1)
                 OR COALESCE(difference.theirs_fen, -1) <> COALESCE(excluded.theirs_fen, -1)";
    OF_DAY = "SELECT * FROM difference WHERE hospital_id = $1 AND pay_account_id = $2 AND date = $3 AND state IN ('open', 'asked') ORDER BY number";
    ALL_OPEN = "SELECT * FROM difference WHERE hospital_id = $1 AND state IN ('open', 'asked') ORDER BY opened_at, id LIMIT 500";
    ONE = sqlite "SELECT * FROM difference WHERE hospital_id = $1 AND id = $2"
        postgres "SELECT * FROM difference WHERE hospital_id = $1 AND id = $2 FOR UPDATE";
    KNOWN = "SELECT number FROM difference WHERE hospital_id = $1 AND pay_account_id = $2 AND date = $3 AND what = 'payment' AND kind = 'theirs_only'";
    SETTLE = "UPDATE difference SET state = 'settled', ended_at = $3 WHERE hospital_id = $1 AND id = $2 AND state IN ('open', 'asked')";
    EXPLAIN = "UPDATE difference SET state = $3, note = $4, explained_by = $5, ended_at = $6 WHERE hospital_id = $1 AND id = $2 AND state = 'open'";
    APPROVE = "UPDATE difference SET state = 'explained', approved_by = $3, ended_at = $4 WHERE hospital_id = $1 AND id = $2 AND state = 'asked' AND explained_by <> $3";
    REFUSE = "UPDATE difference SET state = 'open', note = $4, explained_by = NULL WHERE hospital_id = $1 AND id = $2 AND state = 'asked' AND explained_by <> $3";
    ASK_NOW = "UPDATE payment SET next_at = $3 WHERE hospital_id = $1 AND number = $2 AND state IN ('new', 'waiting', 'closed')";
    INSURED = "SELECT CAST(COUNT(*) AS BIGINT) AS n, CAST(COALESCE(SUM(gov_fen), 0) AS BIGINT) AS gov, CAST(COALESCE(SUM(own_fen), 0) AS BIGINT) AS own,
                 CAST(COALESCE(SUM(other_fen), 0) AS BIGINT) AS other, CAST(COALESCE(SUM(total_fen), 0) AS BIGINT) AS total
               FROM payment p WHERE hospital_id = $1 AND way = 'insurance' AND state = 'paid' AND paid_at >= $2 AND paid_at < $3
               AND gov_fen + own_fen + other_fen > 0
               AND NOT EXISTS (SELECT 1 FROM refund r WHERE r.hospital_id = p.hospital_id AND r.payment_id = p.id AND r.insurance IN ('returned', 'told'))";
}

/// Writes a day down, from when to when it lies, unless the contract is younger.
pub(super) async fn open(
    tx: &mut Tx,
    merchant: &Merchant,
    date: Date,
    (start, end): (UnixMs, UnixMs),
) -> Result<()> {
    let now = tx.now();
    tx.exec(OPEN, args![merchant.hospital, merchant.id, date, now, end, start]).await.map(drop)
}

/// Money of a day that is closed already has come to light: the day is looked at again.
pub(super) async fn late(tx: &mut Tx, hospital: HospitalId, account: PayAccountId, date: Date) -> Result<()> {
    let now = tx.now();
    tx.exec(LATE, args![hospital, account, date, now]).await.map(drop)
}

struct DueDay(PayAccountId, Date);

impl FromRow for DueDay {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self(row.get("pay_account_id")?, row.get("date")?))
    }
}

pub(super) async fn due(db: &Db, most: i64) -> Result<Vec<(PayAccountId, Date)>> {
    let found: Vec<DueDay> = db.all(DUE, args![db.now(), most]).await?;
    Ok(found.into_iter().map(|day| (day.0, day.1)).collect())
}

pub(super) async fn lock(tx: &mut Tx, merchant: &Merchant, date: Date) -> Result<Option<Day>> {
    tx.opt(LOCK, args![merchant.hospital, merchant.id, date]).await
}

pub(super) async fn read(
    db: &Db,
    hospital: HospitalId,
    account: PayAccountId,
    date: Date,
) -> Result<Option<Day>> {
    db.opt(GET, args![hospital, account, date]).await
}

pub(super) async fn days(db: &Db, hospital: HospitalId, from: Date, to: Date) -> Result<Vec<Day>> {
    db.all(DAYS, args![hospital, from, to]).await
}

/// Not now: what is in the way, and when it is looked at again.
pub(super) async fn later(tx: &mut Tx, merchant: &Merchant, date: Date, at: UnixMs, why: &str) -> Result<()> {
    tx.exec(LATER, args![merchant.hospital, merchant.id, date, at, why]).await.map(drop)
}

/// To be looked at now.
pub(super) async fn again(
    tx: &mut Tx,
    hospital: HospitalId,
    account: PayAccountId,
    date: Date,
) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(AGAIN, args![hospital, account, date, now]).await? > 0)
}

pub(super) async fn counted(tx: &mut Tx, merchant: &Merchant, day: &Day, next: Option<UnixMs>) -> Result<()> {
    let values = args![
        merchant.hospital,
        merchant.id,
        day.date,
        day.state,
        next,
        day.payments,
        day.paid,
        day.refunds,
        day.refunded,
        day.equal,
        day.carried,
        day.unexplained,
        day.read_at,
        day.closed_at
    ];
    tx.exec(COUNTED, values).await.map(drop)
}

pub(super) async fn clear(tx: &mut Tx, merchant: &Merchant, date: Date) -> Result<()> {
    tx.exec(CLEAR, args![merchant.hospital, merchant.id, date]).await.map(drop)
}

pub(super) async fn put(tx: &mut Tx, merchant: &Merchant, date: Date, lines: &[Line]) -> Result<()> {
    let rows: Vec<_> = lines
        .iter()
        .map(|l| serde_json::json!([l.what.code(), l.number, l.order, l.provider_no, l.amount.0, l.at.0]))
        .collect();
    tx.exec(PUT, args![merchant.hospital, merchant.id, date, serde_json::Value::from(rows)]).await.map(drop)
}

/// Lets the database see how many lines there are now.
pub(super) async fn staged(tx: &mut Tx) -> Result<()> {
    tx.exec(COUNTED_ANEW, args![]).await.map(drop)
}

struct Sum(What, i64, Fen);

impl FromRow for Sum {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self(row.get("what")?, row.get("n")?, row.get("fen")?))
    }
}

/// Fills in what the bill's lines come to, and how many are equal. `odd`: how many are not, where all of them were looked up.
pub(super) async fn sum_up(tx: &mut Tx, merchant: &Merchant, day: &mut Day, odd: Option<i64>) -> Result<()> {
    let whose = || args![merchant.hospital, merchant.id, day.date];
    let sums: Vec<Sum> = tx.all(SUMS, whose()).await?;
    (day.payments, day.paid, day.refunds, day.refunded) = (0, Fen::ZERO, 0, Fen::ZERO);
    for Sum(what, count, sum) in sums {
        match what {
            What::Payment => (day.payments, day.paid) = (count, sum),
            What::Refund => (day.refunds, day.refunded) = (count, sum),
            What::Totals => {}
        }
    }
    day.equal = match odd {
        // Of a million lines that are equal none is looked up again.
        Some(odd) => day.payments + day.refunds - odd,
        None => tx.one::<store::value::One<i64>>(EQUAL, whose()).await?.0,
    };
    Ok(())
}

/// The most that [`theirs`] gives.
pub(super) const MOST: usize = 10_000;

/// The bill's lines that have no equal here.
pub(super) async fn theirs(tx: &mut Tx, merchant: &Merchant, date: Date, what: What) -> Result<Vec<Odd>> {
    let sql = if what == What::Refund { REFUNDS_THEIRS } else { PAYMENTS_THEIRS };
    tx.all(sql, args![merchant.hospital, merchant.id, date]).await
}

/// What we have of a time and no bill shows.
pub(super) async fn ours(
    tx: &mut Tx,
    merchant: &Merchant,
    from: UnixMs,
    to: UnixMs,
    what: What,
) -> Result<Vec<Odd>> {
    let sql = if what == What::Refund { REFUNDS_OURS } else { PAYMENTS_OURS };
    tx.all(sql, args![merchant.hospital, merchant.id, from, to]).await
}

/// Writes a difference down. One that is known stays as it is, with what was said to it; one that says something else than
/// it did is open again.
pub(super) async fn differ(
    tx: &mut Tx,
    merchant: &Merchant,
    date: Date,
    what: What,
    kind: DifferenceKind,
    odd: &Odd,
) -> Result<()> {
    let now = tx.now();
    let values = args![
        merchant.hospital,
        DifferenceId::new(),
        merchant.id,
        date,
        what,
        &odd.number,
        kind,
        odd.provider_no.clone(),
        odd.ours,
        odd.theirs,
        now
    ];
    tx.exec(DIFFER, values).await.map(drop)
}

/// Payments of the day's bill that an earlier look did not know either.
pub(super) async fn known(tx: &mut Tx, merchant: &Merchant, date: Date) -> Result<BTreeSet<String>> {
    let rows: Vec<Row> = tx.all(KNOWN, args![merchant.hospital, merchant.id, date]).await?;
    rows.iter().map(|row| row.get("number")).collect()
}

pub(super) async fn of_day(tx: &mut Tx, merchant: &Merchant, date: Date) -> Result<Vec<Difference>> {
    tx.all(OF_DAY, args![merchant.hospital, merchant.id, date]).await
}

pub(super) async fn all_open(db: &Db, hospital: HospitalId) -> Result<Vec<Difference>> {
    db.all(ALL_OPEN, args![hospital]).await
}

pub(super) async fn one(tx: &mut Tx, hospital: HospitalId, id: DifferenceId) -> Result<Option<Difference>> {
    tx.opt(ONE, args![hospital, id]).await
}

pub(super) async fn settle(tx: &mut Tx, hospital: HospitalId, id: DifferenceId) -> Result<()> {
    let now = tx.now();
    tx.exec(SETTLE, args![hospital, id, now]).await.map(drop)
}

/// Explains; `alone`: no second person is needed.
pub(super) async fn explain(
    tx: &mut Tx,
    hospital: HospitalId,
    id: DifferenceId,
    by: &str,
    note: &str,
    alone: bool,
) -> Result<bool> {
    let now = tx.now();
    let (state, ended) =
        if alone { (DifferenceState::Explained, Some(now)) } else { (DifferenceState::Asked, None) };
    Ok(tx.exec(EXPLAIN, args![hospital, id, state, note, by, ended]).await? > 0)
}

pub(super) async fn decide(
    tx: &mut Tx,
    hospital: HospitalId,
    id: DifferenceId,
    by: &str,
    yes: bool,
    note: &str,
) -> Result<bool> {
    let now = tx.now();
    let done = if yes {
        tx.exec(APPROVE, args![hospital, id, by, now]).await?
    } else {
        tx.exec(REFUSE, args![hospital, id, by, note]).await?
    };
    Ok(done > 0)
}

/// The platform is asked about an order of ours that its bill calls paid.
pub(super) async fn ask_now(tx: &mut Tx, hospital: HospitalId, number: &str) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(ASK_NOW, args![hospital, number, now]).await? > 0)
}

/// What the insurance paid on a day, as we have it.
pub(super) struct Insured {
    pub(super) count: i64,
    pub(super) fund: Fen,
    pub(super) own: Fen,
    pub(super) total: Fen,
}

impl FromRow for Insured {
    fn from_row(row: &Row) -> Result<Self> {
        let (gov, other): (Fen, Fen) = (row.get("gov")?, row.get("other")?);
        Ok(Self {
            count: row.get("n")?,
            fund: Fen(gov.0.saturating_add(other.0)),
            own: row.get("own")?,
            total: row.get("total")?,
        })
    }
}

pub(super) async fn insured(db: &Db, hospital: HospitalId, from: UnixMs, to: UnixMs) -> Result<Insured> {
    db.one(INSURED, args![hospital, from, to]).await
}
