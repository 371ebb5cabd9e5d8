//! The ledger, and money that could not be placed.

use base::{Fen, HospitalId, UnixMs};
use store::value::{FromRow, One, Row};
use store::{Db, Result, Tx, args};

use crate::ledger::{Cause, Movement};
use crate::model::{
    ChargeId, EntryId, ObservationId, PaymentId, RefundId, ShiftId, SuspenseId, SuspenseReason, SuspenseState,
};

store::statements! {
    ADD = "INSERT INTO ledger (hospital_id, id, once, at, debit, credit, amount_fen, charge_id, payment_id, refund_id, shift_id, observation_id,
                by_whom, request_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (hospital_id, once) DO NOTHING";
    BALANCE = "SELECT CAST(COALESCE(SUM(CASE WHEN debit = $2 THEN amount_fen ELSE -amount_fen END), 0) AS BIGINT) FROM ledger
           WHERE hospital_id = $1 AND (debit = $2 OR credit = $2)";
    BALANCE_OF_CHARGE = "SELECT CAST(COALESCE(SUM(CASE WHEN credit = $3 THEN amount_fen ELSE -amount_fen END), 0) AS BIGINT) FROM ledger
           WHERE hospital_id = $1 AND charge_id = $2 AND (debit = $3 OR credit = $3)";
    OF_CHARGE = "SELECT * FROM ledger WHERE hospital_id = $1 AND charge_id = $2 ORDER BY at, id";
    SUSPEND = "INSERT INTO suspense (hospital_id, id, observation_id, payment_id, account, number, amount_fen, reason, state, opened_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (hospital_id, observation_id) DO NOTHING";
    CLEAR_OF_PAYMENT = "UPDATE suspense SET state = 'cleared', cleared_at = $3, cleared_by = 'refund'
           WHERE hospital_id = $1 AND payment_id = $2 AND state = 'returning'";
    SUSPENDED = "SELECT * FROM suspense WHERE hospital_id = $1 AND state <> 'cleared' ORDER BY opened_at, id LIMIT 500";
    OWN = "UPDATE suspense SET owner = $3, note = $4 WHERE hospital_id = $1 AND id = $2 AND state = 'open'";
}

pub(crate) async fn add(
    tx: &mut Tx,
    hospital: HospitalId,
    id: EntryId,
    movement: &Movement,
    cause: &Cause,
) -> Result<bool> {
    let now = tx.now();
    let values = args![
        hospital,
        id,
        &movement.once,
        now,
        &movement.debit,
        &movement.credit,
        movement.amount,
        cause.charge,
        cause.payment,
        cause.refund,
        cause.shift,
        cause.observation,
        &cause.by,
        &cause.request
    ];
    Ok(tx.exec(ADD, values).await? == 1)
}

/// What an account holds: debits less credits.
pub(crate) async fn balance(tx: &mut Tx, hospital: HospitalId, account: &str) -> Result<Fen> {
    Ok(tx.one::<One<Fen>>(BALANCE, args![hospital, account]).await?.0)
}

/// What an account owes for a charge: credits less debits.
pub(crate) async fn owed_of_charge(
    tx: &mut Tx,
    hospital: HospitalId,
    charge: ChargeId,
    account: &str,
) -> Result<Fen> {
    Ok(tx.one::<One<Fen>>(BALANCE_OF_CHARGE, args![hospital, charge, account]).await?.0)
}

/// A row of the ledger, for those who look.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its id.
    pub id: EntryId,
    /// What it is about.
    pub once: String,
    /// When it was booked.
    pub at: UnixMs,
    /// To which account.
    pub debit: String,
    /// From which.
    pub credit: String,
    /// How much.
    pub amount: Fen,
    /// Of which payment.
    pub payment: Option<PaymentId>,
    /// Of which refund.
    pub refund: Option<RefundId>,
    /// In which shift.
    pub shift: Option<ShiftId>,
    /// What was observed.
    pub observation: Option<ObservationId>,
    /// Who is behind it.
    pub by: String,
    /// In which request.
    pub request: String,
}

impl FromRow for Entry {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            once: row.get("once")?,
            at: row.get("at")?,
            debit: row.get("debit")?,
            credit: row.get("credit")?,
            amount: row.get("amount_fen")?,
            payment: row.get("payment_id")?,
            refund: row.get("refund_id")?,
            shift: row.get("shift_id")?,
            observation: row.get("observation_id")?,
            by: row.get("by_whom")?,
            request: row.get("request_id")?,
        })
    }
}

/// All that was ever booked for a charge, the first first.
pub(crate) async fn of_charge(db: &Db, hospital: HospitalId, charge: ChargeId) -> Result<Vec<Entry>> {
    db.all(OF_CHARGE, args![hospital, charge]).await
}

/// Money that could not be placed.
#[derive(Debug, Clone)]
pub struct Suspended {
    /// Its id.
    pub id: SuspenseId,
    /// What was observed.
    pub observation: ObservationId,
    /// Whose payment it is, where that is known.
    pub payment: Option<PaymentId>,
    /// Who holds it.
    pub account: String,
    /// The order number that came with it.
    pub number: String,
    /// How much.
    pub amount: Fen,
    /// Why.
    pub reason: SuspenseReason,
    /// Where it stands.
    pub state: SuspenseState,
    /// Who looks after it.
    pub owner: Option<String>,
    /// Since when.
    pub opened_at: UnixMs,
    /// What was found out.
    pub note: Option<String>,
}

impl FromRow for Suspended {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            observation: row.get("observation_id")?,
            payment: row.get("payment_id")?,
            account: row.get("account")?,
            number: row.get("number")?,
            amount: row.get("amount_fen")?,
            reason: row.get("reason")?,
            state: row.get("state")?,
            owner: row.get("owner")?,
            opened_at: row.get("opened_at")?,
            note: row.get("note")?,
        })
    }
}

/// Writes money down that could not be placed; false when that observation has its row already.
pub(crate) async fn suspend(tx: &mut Tx, hospital: HospitalId, one: &Suspended) -> Result<bool> {
    let values = args![
        hospital,
        one.id,
        one.observation,
        one.payment,
        &one.account,
        &one.number,
        one.amount,
        one.reason,
        one.state,
        one.opened_at
    ];
    Ok(tx.exec(SUSPEND, values).await? == 1)
}

/// What of a payment could not be placed has gone back.
pub(crate) async fn clear_of_payment(tx: &mut Tx, hospital: HospitalId, payment: PaymentId) -> Result<()> {
    let now = tx.now();
    tx.exec(CLEAR_OF_PAYMENT, args![hospital, payment, now]).await.map(drop)
}

/// All money that waits to be placed, the oldest first.
pub(crate) async fn suspended(db: &Db, hospital: HospitalId) -> Result<Vec<Suspended>> {
    db.all(SUSPENDED, args![hospital]).await
}

/// Somebody looks after it from now on; false when it is not open any more.
pub(crate) async fn own(
    tx: &mut Tx,
    hospital: HospitalId,
    id: SuspenseId,
    owner: &str,
    note: &str,
) -> Result<bool> {
    Ok(tx.exec(OWN, args![hospital, id, owner, note]).await? == 1)
}
