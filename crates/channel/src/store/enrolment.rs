//! Enrolments.

use base::{HospitalId, UnixMs};
use edge::AccountId;
use people::PersonId;
use store::{Db, Result, Tx, args};

use crate::model::{CodeId, Door, Enrolment, EnrolmentId};

store::statements! {
    ENROL_ADD = "INSERT INTO enrolment (hospital_id, id, person_id, code_id, door, proxy, consent_version, started_by, started_at, expires_at, state)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open')";
    ENROL_GET = "SELECT id, person_id, code_id, door, proxy, consent_version, started_by, expires_at, state, account_id, bound_at, wrong
         FROM enrolment WHERE hospital_id = $1 AND id = $2";
    ENROL_BY_CODE = "SELECT id, person_id, code_id, door, proxy, consent_version, started_by, expires_at, state, account_id, bound_at, wrong
         FROM enrolment WHERE hospital_id = $1 AND code_id = $2";
    // The first who scans has it; whoever comes at the same moment finds no row that is still open.
    ENROL_CLAIM = "UPDATE enrolment SET state = 'claimed', account_id = $3, claimed_at = $4
         WHERE hospital_id = $1 AND id = $2 AND state = 'open' AND expires_at > $4";
    ENROL_STRETCH = "UPDATE enrolment SET expires_at = $3 WHERE hospital_id = $1 AND id = $2 AND state = 'claimed' AND expires_at < $3";
    ENROL_BOUND = "UPDATE enrolment SET state = 'bound', bound_at = $3 WHERE hospital_id = $1 AND id = $2 AND state = 'claimed'";
    ENROL_WRONG = "UPDATE enrolment SET wrong = wrong + 1 WHERE hospital_id = $1 AND id = $2 AND state = 'claimed'";
    ENROL_END = "UPDATE enrolment SET state = 'ended', account_id = NULL WHERE hospital_id = $1 AND id = $2 AND state IN ('open', 'claimed')";
}

/// An enrolment to be kept.
pub(crate) struct NewRow<'a> {
    pub(crate) person: PersonId,
    pub(crate) code: CodeId,
    pub(crate) door: Door,
    pub(crate) proxy: bool,
    pub(crate) consent_version: &'a str,
    pub(crate) by: &'a str,
    pub(crate) expires_at: UnixMs,
}

pub(crate) async fn add(tx: &mut Tx, h: HospitalId, id: EnrolmentId, new: NewRow<'_>) -> Result<()> {
    let now = tx.now();
    let NewRow { person, code, door, proxy, consent_version, by, expires_at } = new;
    let values = args![h, id, person, code, door, proxy, consent_version, by, now, expires_at];
    tx.exec(ENROL_ADD, values).await.map(drop)
}

pub(crate) async fn get(db: &Db, h: HospitalId, id: EnrolmentId) -> Result<Option<Enrolment>> {
    db.opt(ENROL_GET, args![h, id]).await
}

pub(crate) async fn get_in(tx: &mut Tx, h: HospitalId, id: EnrolmentId) -> Result<Option<Enrolment>> {
    tx.opt(ENROL_GET, args![h, id]).await
}

pub(crate) async fn by_code(tx: &mut Tx, h: HospitalId, code: CodeId) -> Result<Option<Enrolment>> {
    tx.opt(ENROL_BY_CODE, args![h, code]).await
}

/// True for the first who scans in time.
pub(crate) async fn claim(tx: &mut Tx, h: HospitalId, id: EnrolmentId, account: AccountId) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(ENROL_CLAIM, args![h, id, account, now]).await? == 1)
}

/// Leaves whoever has scanned the time to confirm.
pub(crate) async fn stretch(tx: &mut Tx, h: HospitalId, id: EnrolmentId, until: UnixMs) -> Result<()> {
    tx.exec(ENROL_STRETCH, args![h, id, until]).await.map(drop)
}

pub(crate) async fn bound(tx: &mut Tx, h: HospitalId, id: EnrolmentId) -> Result<()> {
    let now = tx.now();
    tx.exec(ENROL_BOUND, args![h, id, now]).await.map(drop)
}

pub(crate) async fn wrong(tx: &mut Tx, h: HospitalId, id: EnrolmentId) -> Result<()> {
    tx.exec(ENROL_WRONG, args![h, id]).await.map(drop)
}

/// False when it is bound or ended already.
pub(crate) async fn end(tx: &mut Tx, h: HospitalId, id: EnrolmentId) -> Result<bool> {
    Ok(tx.exec(ENROL_END, args![h, id]).await? == 1)
}
