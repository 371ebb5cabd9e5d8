//! Refunds.

use base::{HospitalId, UnixMs};
use store::{Db, Result, Tx, args};

use crate::model::{ChargeId, InsuranceStage, PaymentId, Refund, RefundId, RefundState};

store::statements! {
    INSERT = "INSERT INTO refund (hospital_id, id, payment_id, charge_id, number, amount_fen, gov_fen, own_fen, other_fen, cash_fen, reason, note, source,
                state, insurance, asked_by, again_of, next_at, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) ON CONFLICT DO NOTHING";
    GET = "SELECT * FROM refund WHERE hospital_id = $1 AND id = $2";
    LOCK = sqlite "SELECT * FROM refund WHERE hospital_id = $1 AND id = $2"
        postgres "SELECT * FROM refund WHERE hospital_id = $1 AND id = $2 FOR UPDATE";
    BY_NUMBER = "SELECT * FROM refund WHERE hospital_id = $1 AND number = $2";
    OF_CHARGE = "SELECT * FROM refund WHERE hospital_id = $1 AND charge_id = $2 ORDER BY created_at, id";
    OF_PAYMENT = "SELECT * FROM refund WHERE hospital_id = $1 AND payment_id = $2 ORDER BY created_at, id";
    LAST_SENT = "SELECT MAX(sent_at) AS at FROM refund WHERE hospital_id = $1 AND payment_id = $2 AND id <> $3";
    DUE = "SELECT * FROM refund WHERE next_at IS NOT NULL AND next_at <= $1 ORDER BY next_at, id LIMIT $2";
    IN_STATES = "SELECT * FROM refund WHERE hospital_id = $1 AND state IN ('asked', 'wanted', 'sent', 'abnormal', 'stuck')
           AND ($2 = '' OR state = $2) ORDER BY created_at, id LIMIT 500";
    APPROVED = "UPDATE refund SET state = $5, approved_by = $3, next_at = $4, source = $6 WHERE hospital_id = $1 AND id = $2 AND state = 'asked'";
    DECLINED = "UPDATE refund SET state = 'declined', next_at = NULL, ended_at = $4, error = $3 WHERE hospital_id = $1 AND id = $2 AND state = 'asked'";
    MOVE = "UPDATE refund SET state = $4, provider_no = COALESCE($5, provider_no), next_at = $6, ended_at = $7, error = COALESCE($8, error)
           WHERE hospital_id = $1 AND id = $2 AND state = $3";
    SENDING = "UPDATE refund SET sent_at = $3, tries = tries + 1, next_at = $4 WHERE hospital_id = $1 AND id = $2 AND state IN ('wanted', 'sent')";
    // Its notice may have been faster than the answer: what is done stays done, unless WeChat is still to be told of the insurance's part.
    LATER = "UPDATE refund SET next_at = $3, error = COALESCE($4, error) WHERE hospital_id = $1 AND id = $2
           AND (state IN ('wanted', 'sent') OR (state = 'done' AND insurance = 'returned'))";
    STAGE = "UPDATE refund SET insurance = $3 WHERE hospital_id = $1 AND id = $2";
}

/// Writes a refund down; false when the one that it follows has its follower already.
pub(crate) async fn insert(tx: &mut Tx, refund: &Refund) -> Result<bool> {
    let values = args![
        refund.hospital,
        refund.id,
        refund.payment,
        refund.charge,
        &refund.number,
        refund.amount,
        refund.shares.gov,
        refund.shares.own,
        refund.shares.other,
        refund.shares.cash,
        refund.reason,
        refund.note.clone(),
        &refund.source,
        refund.state,
        refund.insurance,
        &refund.asked_by,
        refund.again_of,
        refund.next_at,
        refund.created_at
    ];
    Ok(tx.exec(INSERT, values).await? == 1)
}

pub(crate) async fn read(db: &Db, hospital: HospitalId, id: RefundId) -> Result<Option<Refund>> {
    db.opt(GET, args![hospital, id]).await
}

pub(crate) async fn get(tx: &mut Tx, hospital: HospitalId, id: RefundId) -> Result<Option<Refund>> {
    tx.opt(GET, args![hospital, id]).await
}

/// As [`get`], and keeps everybody else who means to change it waiting.
pub(crate) async fn lock(tx: &mut Tx, hospital: HospitalId, id: RefundId) -> Result<Option<Refund>> {
    tx.opt(LOCK, args![hospital, id]).await
}

pub(crate) async fn by_number(tx: &mut Tx, hospital: HospitalId, number: &str) -> Result<Option<Refund>> {
    tx.opt(BY_NUMBER, args![hospital, number]).await
}

pub(crate) async fn of_payment(tx: &mut Tx, hospital: HospitalId, payment: PaymentId) -> Result<Vec<Refund>> {
    tx.all(OF_PAYMENT, args![hospital, payment]).await
}

pub(crate) async fn read_of_charge(db: &Db, hospital: HospitalId, charge: ChargeId) -> Result<Vec<Refund>> {
    db.all(OF_CHARGE, args![hospital, charge]).await
}

/// When another refund of the same payment was last sent: platforms want a minute between two.
pub(crate) async fn last_sent(
    db: &Db,
    hospital: HospitalId,
    payment: PaymentId,
    but: RefundId,
) -> Result<Option<UnixMs>> {
    let row: Option<store::Row> = db.opt(LAST_SENT, args![hospital, payment, but]).await?;
    row.map_or(Ok(None), |row| row.get("at"))
}

/// Refunds about which something is to be done, whoever they belong to.
pub(crate) async fn due(db: &Db, most: i64) -> Result<Vec<Refund>> {
    db.all(DUE, args![db.now(), most]).await
}

/// Refunds that are not over; of one state, when that is named.
pub(crate) async fn open(db: &Db, hospital: HospitalId, state: Option<RefundState>) -> Result<Vec<Refund>> {
    db.all(IN_STATES, args![hospital, state.map_or("", RefundState::code)]).await
}

/// A second person has approved it. What was paid at the desk is handed out there.
pub(crate) async fn approved(tx: &mut Tx, refund: &Refund, by: &str, at_the_desk: bool) -> Result<bool> {
    let state = if at_the_desk { RefundState::Abnormal } else { RefundState::Wanted };
    let next = (!at_the_desk).then(|| tx.now());
    let values = args![refund.hospital, refund.id, by, next, state, &refund.source];
    Ok(tx.exec(APPROVED, values).await? == 1)
}

pub(crate) async fn declined(tx: &mut Tx, hospital: HospitalId, id: RefundId, why: &str) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(DECLINED, args![hospital, id, why, now]).await? == 1)
}

/// Where a refund goes from where it stands.
pub(crate) struct Step<'a> {
    pub(crate) to: RefundState,
    pub(crate) provider_no: Option<&'a str>,
    pub(crate) next_at: Option<UnixMs>,
    pub(crate) error: Option<&'a str>,
}

/// Moves a refund on; false when somebody else has moved it meanwhile, or it may not go there.
pub(crate) async fn step(tx: &mut Tx, refund: &Refund, step: Step<'_>) -> Result<bool> {
    if !refund.state.may_become(step.to) {
        return Ok(false);
    }
    let ended = matches!(step.to, RefundState::Done | RefundState::Closed).then(|| tx.now());
    let values = args![
        refund.hospital,
        refund.id,
        refund.state,
        step.to,
        step.provider_no.map(str::to_owned),
        step.next_at,
        ended,
        step.error.map(str::to_owned)
    ];
    Ok(tx.exec(MOVE, values).await? == 1)
}

/// It is about to be sent, or asked about; looked at again then, whatever becomes of this.
pub(crate) async fn sending(tx: &mut Tx, refund: &Refund, again: UnixMs) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(SENDING, args![refund.hospital, refund.id, now, again]).await? == 1)
}

/// Looked at again then.
pub(crate) async fn later(
    tx: &mut Tx,
    refund: &Refund,
    at: Option<UnixMs>,
    error: Option<&str>,
) -> Result<()> {
    tx.exec(LATER, args![refund.hospital, refund.id, at, error.map(str::to_owned)]).await.map(drop)
}

/// How far the insurance's part is.
pub(crate) async fn stage(tx: &mut Tx, refund: &Refund, to: InsuranceStage) -> Result<()> {
    tx.exec(STAGE, args![refund.hospital, refund.id, to]).await.map(drop)
}
