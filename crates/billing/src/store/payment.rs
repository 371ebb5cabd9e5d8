//! Payments and the bureau's side of them.

use base::{HospitalId, UnixMs};
use store::{Db, Result, Tx, args};

use crate::model::{ChargeId, Effect, Insured, Payment, PaymentId, Shares};

store::statements! {
    INSERT = "INSERT INTO payment (hospital_id, id, charge_id, way, pay_account_id, number, account_id, total_fen, gov_fen, own_fen, other_fen, cash_fen,
                state, request, shift_id, reference, expires_at, next_at, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'new', $13, $14, $15, $16, $17, $18)";
    GET = "SELECT * FROM payment WHERE hospital_id = $1 AND id = $2";
    LOCK = sqlite "SELECT * FROM payment WHERE hospital_id = $1 AND id = $2"
        postgres "SELECT * FROM payment WHERE hospital_id = $1 AND id = $2 FOR UPDATE";
    BY_NUMBER = "SELECT * FROM payment WHERE hospital_id = $1 AND number = $2";
    OF_CHARGE = "SELECT * FROM payment WHERE hospital_id = $1 AND charge_id = $2 ORDER BY created_at, id";
    DUE = "SELECT * FROM payment WHERE next_at IS NOT NULL AND next_at <= $1 ORDER BY next_at LIMIT $2";
    REQUEST = "UPDATE payment SET request = $3 WHERE hospital_id = $1 AND id = $2 AND request IS NULL";
    PLACED = "UPDATE payment SET state = 'waiting', handle = $3 WHERE hospital_id = $1 AND id = $2 AND state = 'new'";
    HANDLE = "UPDATE payment SET handle = $3 WHERE hospital_id = $1 AND id = $2 AND state IN ('new', 'waiting')";
    SHARES = "UPDATE payment SET gov_fen = $3, own_fen = $4, other_fen = $5, cash_fen = $6 WHERE hospital_id = $1 AND id = $2 AND state IN ('new', 'waiting')";
    CLOSE = "UPDATE payment SET state = 'closed', next_at = NULL, note = COALESCE($3, note) WHERE hospital_id = $1 AND id = $2 AND state IN ('new', 'waiting')";
    PAID = "UPDATE payment SET state = 'paid', effect = $3, provider_no = $4, paid_at = $5, total_fen = $6, gov_fen = $7, own_fen = $8, other_fen = $9,
                cash_fen = $10, next_at = NULL, note = COALESCE($11, note)
           WHERE hospital_id = $1 AND id = $2 AND state <> 'paid'";
    ASK_AT = "UPDATE payment SET next_at = $3, tries = tries + $4 WHERE hospital_id = $1 AND id = $2 AND state IN ('new', 'waiting')";
    ASKED_CLOSED = "UPDATE payment SET next_at = NULL WHERE hospital_id = $1 AND id = $2 AND state = 'closed'";
    CLOSE_OTHERS = "UPDATE payment SET closing = 1, next_at = $4 WHERE hospital_id = $1 AND charge_id = $2 AND id <> $3 AND state IN ('new', 'waiting')";
    RESERVE = "UPDATE payment SET returning_fen = returning_fen + $3 WHERE hospital_id = $1 AND id = $2 AND state = 'paid' AND returning_fen + $3 <= total_fen";
    RELEASE = "UPDATE payment SET returning_fen = returning_fen - $3 WHERE hospital_id = $1 AND id = $2";
    INSURE = "INSERT INTO insured (hospital_id, payment_id, order_no, pay_auth_no) VALUES ($1, $2, $3, $4)";
    INSURED = "SELECT * FROM insured WHERE hospital_id = $1 AND payment_id = $2";
    UPLOADED = "UPDATE insured SET pay_order_id = $3, pay_token = $4 WHERE hospital_id = $1 AND payment_id = $2 AND pay_order_id IS NULL";
    MIXED = "UPDATE insured SET mix_number = $3, settling = 1 WHERE hospital_id = $1 AND payment_id = $2";
    SETTLING = "UPDATE insured SET settling = $3 WHERE hospital_id = $1 AND payment_id = $2";
    ASK_INSURED = "UPDATE payment SET next_at = $3 WHERE hospital_id = $1 AND state IN ('new', 'waiting')
           AND id IN (SELECT payment_id FROM insured WHERE hospital_id = $1 AND pay_order_id = $2)";
}

/// What is beside a payment when it is written down.
#[derive(Default)]
pub(crate) struct New {
    /// The slip of a card terminal.
    pub(crate) reference: Option<String>,
}

pub(crate) async fn insert(tx: &mut Tx, payment: &Payment, new: New) -> Result<()> {
    let values = args![
        payment.hospital,
        payment.id,
        payment.charge,
        payment.way,
        payment.pay_account,
        &payment.number,
        payment.account,
        payment.total,
        payment.shares.gov,
        payment.shares.own,
        payment.shares.other,
        payment.shares.cash,
        payment.request.clone(),
        payment.shift,
        new.reference,
        payment.expires_at,
        payment.next_at,
        payment.created_at
    ];
    tx.exec(INSERT, values).await.map(drop)
}

pub(crate) async fn get(tx: &mut Tx, hospital: HospitalId, id: PaymentId) -> Result<Option<Payment>> {
    tx.opt(GET, args![hospital, id]).await
}

pub(crate) async fn read(db: &Db, hospital: HospitalId, id: PaymentId) -> Result<Option<Payment>> {
    db.opt(GET, args![hospital, id]).await
}

/// As [`get`], and keeps everybody else who means to change it waiting.
pub(crate) async fn lock(tx: &mut Tx, hospital: HospitalId, id: PaymentId) -> Result<Option<Payment>> {
    tx.opt(LOCK, args![hospital, id]).await
}

pub(crate) async fn by_number(tx: &mut Tx, hospital: HospitalId, number: &str) -> Result<Option<Payment>> {
    tx.opt(BY_NUMBER, args![hospital, number]).await
}

/// All attempts to pay a charge, the first first.
pub(crate) async fn of_charge(tx: &mut Tx, hospital: HospitalId, charge: ChargeId) -> Result<Vec<Payment>> {
    tx.all(OF_CHARGE, args![hospital, charge]).await
}

/// As [`of_charge`], as of the last commit.
pub(crate) async fn read_of_charge(db: &Db, hospital: HospitalId, charge: ChargeId) -> Result<Vec<Payment>> {
    db.all(OF_CHARGE, args![hospital, charge]).await
}

/// Payments about which the platform is to be asked, whoever they belong to.
pub(crate) async fn due(db: &Db, most: i64) -> Result<Vec<Payment>> {
    db.all(DUE, args![db.now(), most]).await
}

/// Keeps the bytes of the first call: from here on they are what is sent.
pub(crate) async fn keep_request(
    tx: &mut Tx,
    hospital: HospitalId,
    id: PaymentId,
    request: &str,
) -> Result<()> {
    tx.exec(REQUEST, args![hospital, id, request]).await.map(drop)
}

/// The platform has the order; false when it is not new any more.
pub(crate) async fn placed(
    tx: &mut Tx,
    hospital: HospitalId,
    id: PaymentId,
    handle: Option<&str>,
) -> Result<bool> {
    Ok(tx.exec(PLACED, args![hospital, id, handle.map(str::to_owned)]).await? == 1)
}

/// What the payer's page needs, of an order that the platform may not have yet.
pub(crate) async fn keep_handle(
    tx: &mut Tx,
    hospital: HospitalId,
    id: PaymentId,
    handle: &str,
) -> Result<()> {
    tx.exec(HANDLE, args![hospital, id, handle]).await.map(drop)
}

/// How an open payment is shared.
pub(crate) async fn share(tx: &mut Tx, hospital: HospitalId, id: PaymentId, shares: Shares) -> Result<bool> {
    let values = args![hospital, id, shares.gov, shares.own, shares.other, shares.cash];
    Ok(tx.exec(SHARES, values).await? == 1)
}

/// Closes an open payment; false when it is not one.
pub(crate) async fn close(
    tx: &mut Tx,
    hospital: HospitalId,
    id: PaymentId,
    note: Option<&str>,
) -> Result<bool> {
    Ok(tx.exec(CLOSE, args![hospital, id, note.map(str::to_owned)]).await? == 1)
}

/// How a payment came to be paid.
pub(crate) struct Paid<'a> {
    pub(crate) effect: Effect,
    pub(crate) provider_no: Option<&'a str>,
    pub(crate) at: UnixMs,
    pub(crate) shares: Shares,
    pub(crate) note: Option<&'a str>,
}

/// The money has come; false when that was known.
pub(crate) async fn paid(tx: &mut Tx, payment: &Payment, paid: Paid<'_>) -> Result<bool> {
    let total = paid.shares.total().unwrap_or_default();
    let values = args![
        payment.hospital,
        payment.id,
        paid.effect,
        paid.provider_no.map(str::to_owned),
        paid.at,
        total,
        paid.shares.gov,
        paid.shares.own,
        paid.shares.other,
        paid.shares.cash,
        paid.note.map(str::to_owned)
    ];
    Ok(tx.exec(PAID, values).await? == 1)
}

/// When the platform is asked next about an open payment. `counted`: this was one of the times.
pub(crate) async fn ask_at(
    tx: &mut Tx,
    hospital: HospitalId,
    id: PaymentId,
    at: Option<UnixMs>,
    counted: bool,
) -> Result<()> {
    tx.exec(ASK_AT, args![hospital, id, at, i64::from(counted)]).await.map(drop)
}

/// A closed payment was asked about, because a bill speaks of it; whoever looks at the bill again asks again.
pub(crate) async fn asked_closed(tx: &mut Tx, hospital: HospitalId, id: PaymentId) -> Result<()> {
    tx.exec(ASKED_CLOSED, args![hospital, id]).await.map(drop)
}

/// A charge has no more use for its other open payments: the platforms are to close them, now.
pub(crate) async fn close_others(
    tx: &mut Tx,
    hospital: HospitalId,
    charge: ChargeId,
    but: &str,
) -> Result<u64> {
    let now = tx.now();
    tx.exec(CLOSE_OTHERS, args![hospital, charge, but, now]).await
}

/// Puts a part of a paid payment out of reach of other refunds; false when there is not so much left.
pub(crate) async fn reserve(
    tx: &mut Tx,
    hospital: HospitalId,
    id: PaymentId,
    amount: base::Fen,
) -> Result<bool> {
    Ok(tx.exec(RESERVE, args![hospital, id, amount]).await? == 1)
}

/// Gives what [`reserve`] took.
pub(crate) async fn release(
    tx: &mut Tx,
    hospital: HospitalId,
    id: PaymentId,
    amount: base::Fen,
) -> Result<()> {
    tx.exec(RELEASE, args![hospital, id, amount]).await.map(drop)
}

pub(crate) async fn insure(
    tx: &mut Tx,
    hospital: HospitalId,
    id: PaymentId,
    order_no: &str,
    pay_auth_no: store::Sealed,
) -> Result<()> {
    tx.exec(INSURE, args![hospital, id, order_no, pay_auth_no]).await.map(drop)
}

pub(crate) async fn insured(db: &Db, hospital: HospitalId, id: PaymentId) -> Result<Option<Insured>> {
    db.opt(INSURED, args![hospital, id]).await
}

pub(crate) async fn uploaded(
    tx: &mut Tx,
    hospital: HospitalId,
    id: PaymentId,
    (order, token): (&str, &str),
) -> Result<()> {
    tx.exec(UPLOADED, args![hospital, id, order, token]).await.map(drop)
}

/// The platforms are asked at once about the payment with the bureau's order; false when there is no open one.
pub(crate) async fn ask_insured(tx: &mut Tx, hospital: HospitalId, order: &str) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(ASK_INSURED, args![hospital, order, now]).await? > 0)
}

/// WeChat's cashier has it: from here on only a result ends it.
pub(crate) async fn mixed(tx: &mut Tx, hospital: HospitalId, id: PaymentId, number: &str) -> Result<()> {
    tx.exec(MIXED, args![hospital, id, number]).await.map(drop)
}

/// Whether the bureau may be at it.
pub(crate) async fn settling(tx: &mut Tx, hospital: HospitalId, id: PaymentId, on: bool) -> Result<()> {
    tx.exec(SETTLING, args![hospital, id, on]).await.map(drop)
}
