//! Where somebody stands between the first and the last step of signing in.

use std::time::Duration;

use ::store::value::{FromRow, Row};
use ::store::{Db, Result, Sealed, Tx, args};
use base::{HospitalId, UnixMs};
use edge::StaffId;

use crate::staff::model::{StaffWay, Step};

/// How long all steps together may take.
pub(crate) const LIFE: Duration = Duration::from_secs(15 * 60);

::store::statements! {
    ADD = "INSERT INTO staff_ticket (hospital_id, id, staff_id, step, channel, code, password, totp, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    GET = "SELECT staff_id, step, channel, code, password, totp FROM staff_ticket WHERE hospital_id = $1 AND id = $2 AND expires_at > $3";
    MOVE = "UPDATE staff_ticket SET step = $4, password = $5, totp = $6 WHERE hospital_id = $1 AND id = $2 AND step = $3";
    TAKE = "DELETE FROM staff_ticket WHERE hospital_id = $1 AND id = $2";
    END_OF = "DELETE FROM staff_ticket WHERE hospital_id = $1 AND staff_id = $2";
    FORGET = "DELETE FROM staff_ticket WHERE expires_at < $1";
}

/// A ticket and what was chosen so far.
#[derive(Clone)]
pub(crate) struct Ticket {
    pub(crate) staff: StaffId,
    pub(crate) step: Step,
    pub(crate) way: StaffWay,
    /// The hash of the code that was typed in place of a password: it is used up at the end.
    pub(crate) code: Option<String>,
    /// The hash of the password that was chosen.
    pub(crate) password: Option<String>,
    /// The secret that is to be the second factor.
    pub(crate) totp: Option<Sealed>,
}

impl FromRow for Ticket {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            staff: row.get("staff_id")?,
            step: row.get("step")?,
            way: row.get("channel")?,
            code: row.get("code")?,
            password: row.get("password")?,
            totp: row.get("totp")?,
        })
    }
}

pub(crate) async fn add(tx: &mut Tx, h: HospitalId, id: &str, t: Ticket) -> Result<()> {
    let ends = tx.now().plus(LIFE);
    let values = args![h, id, t.staff, t.step, t.way, t.code, t.password, t.totp, ends];
    tx.exec(ADD, values).await.map(drop)
}

/// The ticket, unless it is over.
pub(crate) async fn get(db: &Db, h: HospitalId, id: &str) -> Result<Option<Ticket>> {
    db.opt(GET, args![h, id, db.now()]).await
}

/// Takes a step; false when it was taken already.
pub(crate) async fn move_on(tx: &mut Tx, h: HospitalId, id: &str, from: Step, to: &Ticket) -> Result<bool> {
    let values = args![h, id, from, to.step, to.password.clone(), to.totp.clone()];
    Ok(tx.exec(MOVE, values).await? == 1)
}

/// Uses a ticket; false when it was used already.
pub(crate) async fn take(tx: &mut Tx, h: HospitalId, id: &str) -> Result<bool> {
    Ok(tx.exec(TAKE, args![h, id]).await? == 1)
}

/// Ends whatever somebody has begun.
pub(crate) async fn end_of(tx: &mut Tx, h: HospitalId, staff: StaffId) -> Result<()> {
    tx.exec(END_OF, args![h, staff]).await.map(drop)
}

/// Removes what is over since `before`.
pub(crate) async fn forget(db: &Db, before: UnixMs) -> Result<()> {
    let mut tx = db.begin().await?;
    tx.exec(FORGET, args![before]).await?;
    tx.commit().await
}
