//! Members of staff with their roles, departments and recovery codes.

use ::store::value::{FromRow, One, Row};
use ::store::{Db, Result, Sealed, Tx, args};
use base::{HospitalId, UnixMs};
use edge::{Role, StaffId};

use crate::staff::model::{Member, PasswordKind, StaffState};

::store::statements! {
    // Changes to who may manage staff happen one after another. On SQLite holding the transaction is enough.
    QUEUE = sqlite "SELECT $1" postgres "SELECT CAST(1 AS BIGINT) FROM (SELECT pg_advisory_xact_lock($1)) AS held";
    ADD = "INSERT INTO staff (hospital_id, id, login, name, name_masked, name_blind, state, doctor_id, wecom_userid, password, password_kind,
                password_ends_at, created_at, changed_at)
           VALUES ($1, $2, $3, $4, $5, $6, 'active', $7, $8, $9, 'code', $10, $11, $11) ON CONFLICT DO NOTHING";
    GET = "SELECT id, login, name, name_masked, state, doctor_id, wecom_userid, password, password_kind, password_ends_at, totp, totp_step,
                set_up_at, signed_in_at, created_at
           FROM staff WHERE hospital_id = $1 AND id = $2";
    BY_LOGIN = "SELECT id, login, name, name_masked, state, doctor_id, wecom_userid, password, password_kind, password_ends_at, totp, totp_step,
                set_up_at, signed_in_at, created_at
           FROM staff WHERE hospital_id = $1 AND login = $2";
    BY_WECOM = "SELECT id, login, name, name_masked, state, doctor_id, wecom_userid, password, password_kind, password_ends_at, totp, totp_step,
                set_up_at, signed_in_at, created_at
           FROM staff WHERE hospital_id = $1 AND wecom_userid = $2";
    LIST = "SELECT id, login, name, name_masked, state, doctor_id, wecom_userid, password, password_kind, password_ends_at, totp, totp_step,
                set_up_at, signed_in_at, created_at
           FROM staff WHERE hospital_id = $1 AND login > $2 AND ($3 = '' OR state = $3)
             AND ($4 = '' OR EXISTS (SELECT 1 FROM staff_role r WHERE r.hospital_id = $1 AND r.staff_id = staff.id AND r.role = $4))
             AND ($5 = '' OR substr(login, 1, length($5)) = $5 OR name_blind = $6)
           ORDER BY login LIMIT $7";
    ANYBODY = "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT id FROM staff WHERE hospital_id = $1 LIMIT 1) AS found";
    SET_UP = "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT id FROM staff WHERE hospital_id = $1 AND set_up_at IS NOT NULL LIMIT 1) AS found";
    HOLDERS = "SELECT CAST(COUNT(*) AS BIGINT) FROM staff_role r JOIN staff s ON s.hospital_id = r.hospital_id AND s.id = r.staff_id
           WHERE r.hospital_id = $1 AND r.role = $2 AND s.state = 'active' AND s.set_up_at IS NOT NULL AND s.id <> $3";
    SET_PLACE = "UPDATE staff SET name = $3, name_masked = $4, name_blind = $5, changed_at = $6 WHERE hospital_id = $1 AND id = $2";
    SET_STATE = "UPDATE staff SET state = $3, changed_at = $4 WHERE hospital_id = $1 AND id = $2";
    SET_DOCTOR = "UPDATE staff SET doctor_id = $3, changed_at = $4 WHERE hospital_id = $1 AND id = $2";
    SET_WECOM = "UPDATE staff SET wecom_userid = $3, changed_at = $4 WHERE hospital_id = $1 AND id = $2
           AND NOT EXISTS (SELECT 1 FROM staff o WHERE o.hospital_id = $1 AND o.wecom_userid = $3 AND o.id <> $2)";
    SET_CODE = "UPDATE staff SET password = $3, password_kind = 'code', password_ends_at = $4, changed_at = $5 WHERE hospital_id = $1 AND id = $2";
    // A code is used by exchanging it for a password, and only while it is the one that was typed.
    EXCHANGE_CODE = "UPDATE staff SET password = $4, password_kind = 'own', password_ends_at = NULL, changed_at = $5
           WHERE hospital_id = $1 AND id = $2 AND password_kind = 'code' AND password = $3 AND password_ends_at > $5";
    SET_PASSWORD = "UPDATE staff SET password = $4, changed_at = $5 WHERE hospital_id = $1 AND id = $2 AND password_kind = 'own' AND password = $3";
    SET_TOTP = "UPDATE staff SET totp = $3, totp_step = $4, changed_at = $5 WHERE hospital_id = $1 AND id = $2";
    FIRST_TOTP = "UPDATE staff SET totp = $3, totp_step = $4, changed_at = $5 WHERE hospital_id = $1 AND id = $2 AND totp IS NULL";
    DROP_TOTP = "UPDATE staff SET totp = NULL, totp_step = 0, changed_at = $3 WHERE hospital_id = $1 AND id = $2";
    USE_TOTP = "UPDATE staff SET totp_step = $3 WHERE hospital_id = $1 AND id = $2 AND totp_step < $3 AND totp IS NOT NULL";
    SIGNED_IN = "UPDATE staff SET signed_in_at = CAST($3 AS BIGINT),
                set_up_at = COALESCE(set_up_at, CASE WHEN password_kind = 'own' AND totp IS NOT NULL THEN CAST($3 AS BIGINT) ELSE NULL END)
           WHERE hospital_id = $1 AND id = $2 AND state = 'active'";
    IS_SET_UP = "UPDATE staff SET set_up_at = $3 WHERE hospital_id = $1 AND id = $2 AND set_up_at IS NULL";
    ROLES = "SELECT role FROM staff_role WHERE hospital_id = $1 AND staff_id = $2";
    GIVE_ROLE = "INSERT INTO staff_role (hospital_id, staff_id, role, given_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    TAKE_ROLE = "DELETE FROM staff_role WHERE hospital_id = $1 AND staff_id = $2 AND role = $3";
    DEPARTMENTS = "SELECT department_id FROM staff_department WHERE hospital_id = $1 AND staff_id = $2 ORDER BY department_id";
    LEAVE_DEPARTMENTS = "DELETE FROM staff_department WHERE hospital_id = $1 AND staff_id = $2";
    JOIN_DEPARTMENT = "INSERT INTO staff_department (hospital_id, staff_id, department_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    FORGET_RECOVERY = "DELETE FROM staff_recovery WHERE hospital_id = $1 AND staff_id = $2";
    ADD_RECOVERY = "INSERT INTO staff_recovery (hospital_id, staff_id, code_hash) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    USE_RECOVERY = "UPDATE staff_recovery SET used_at = $4 WHERE hospital_id = $1 AND staff_id = $2 AND code_hash = $3 AND used_at IS NULL";
    RECOVERY_LEFT = "SELECT CAST(COUNT(*) AS BIGINT) FROM staff_recovery WHERE hospital_id = $1 AND staff_id = $2 AND used_at IS NULL";
}

impl FromRow for Member {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            login: row.get("login")?,
            name: row.get("name")?,
            name_masked: row.get("name_masked")?,
            state: row.get("state")?,
            doctor_id: row.get("doctor_id")?,
            wecom_userid: row.get("wecom_userid")?,
            password: row.get("password")?,
            password_kind: row.get::<Option<PasswordKind>>("password_kind")?,
            password_ends_at: row.get("password_ends_at")?,
            totp: row.get("totp")?,
            totp_step: row.get("totp_step")?,
            set_up_at: row.get("set_up_at")?,
            signed_in_at: row.get("signed_in_at")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// Somebody to be put on the list, with the hash of a code to begin with.
pub(crate) struct NewRow {
    pub(crate) id: StaffId,
    pub(crate) login: String,
    pub(crate) name: crate::store::person::Covered,
    pub(crate) doctor_id: Option<String>,
    pub(crate) wecom_userid: Option<String>,
    pub(crate) code_hash: String,
    pub(crate) code_ends_at: UnixMs,
}

/// Whom a list shows.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// Logins behind this one.
    pub(crate) after: String,
    pub(crate) state: String,
    pub(crate) role: String,
    /// The beginning of a login …
    pub(crate) text: String,
    /// … or the keyed hash of a whole name.
    pub(crate) name_blind: String,
    pub(crate) most: u32,
}

/// Waits for its turn among changes to who manages staff, until the transaction ends.
pub(crate) async fn queue(tx: &mut Tx, h: HospitalId) -> Result<()> {
    // Any number that nothing else locks by.
    tx.all::<Row>(QUEUE, args![7_240_932_000_000_i64.saturating_add(h.0)]).await.map(drop)
}

/// False when the login or the id in WeCom is taken.
pub(crate) async fn add(tx: &mut Tx, h: HospitalId, new: NewRow) -> Result<bool> {
    let now = tx.now();
    let values = args![
        h,
        new.id,
        new.login,
        new.name.sealed,
        new.name.masked,
        new.name.blind,
        new.doctor_id,
        new.wecom_userid,
        new.code_hash,
        new.code_ends_at,
        now
    ];
    Ok(tx.exec(ADD, values).await? == 1)
}

pub(crate) async fn get(db: &Db, h: HospitalId, id: StaffId) -> Result<Option<Member>> {
    db.opt(GET, args![h, id]).await
}

pub(crate) async fn get_in(tx: &mut Tx, h: HospitalId, id: StaffId) -> Result<Option<Member>> {
    tx.opt(GET, args![h, id]).await
}

pub(crate) async fn by_login(db: &Db, h: HospitalId, login: &str) -> Result<Option<Member>> {
    db.opt(BY_LOGIN, args![h, login]).await
}

pub(crate) async fn by_wecom(db: &Db, h: HospitalId, userid: &str) -> Result<Option<Member>> {
    db.opt(BY_WECOM, args![h, userid]).await
}

pub(crate) async fn list(db: &Db, h: HospitalId, f: &Filter) -> Result<Vec<Member>> {
    db.all(LIST, args![h, &f.after, &f.state, &f.role, &f.text, &f.name_blind, f.most]).await
}

pub(crate) async fn is_anybody(tx: &mut Tx, h: HospitalId) -> Result<bool> {
    Ok(tx.one::<One<i64>>(ANYBODY, args![h]).await?.0 > 0)
}

/// Whether anybody of the hospital has ever finished setting up.
pub(crate) async fn is_anybody_set_up(tx: &mut Tx, h: HospitalId) -> Result<bool> {
    Ok(tx.one::<One<i64>>(SET_UP, args![h]).await?.0 > 0)
}

/// How many others hold a role and can sign in.
pub(crate) async fn others_with(tx: &mut Tx, h: HospitalId, role: Role, but: StaffId) -> Result<i64> {
    Ok(tx.one::<One<i64>>(HOLDERS, args![h, role, but]).await?.0)
}

/// As [`others_with`], everybody.
pub(crate) async fn is_established(db: &Db, h: HospitalId) -> Result<bool> {
    Ok(db.one::<One<i64>>(HOLDERS, args![h, Role::SecurityAdmin, ""]).await?.0 > 0)
}

pub(crate) async fn set_name(
    tx: &mut Tx,
    h: HospitalId,
    id: StaffId,
    name: crate::store::person::Covered,
) -> Result<()> {
    let now = tx.now();
    tx.exec(SET_PLACE, args![h, id, name.sealed, name.masked, name.blind, now]).await.map(drop)
}

pub(crate) async fn set_state(tx: &mut Tx, h: HospitalId, id: StaffId, state: StaffState) -> Result<()> {
    let now = tx.now();
    tx.exec(SET_STATE, args![h, id, state, now]).await.map(drop)
}

pub(crate) async fn set_doctor(tx: &mut Tx, h: HospitalId, id: StaffId, doctor: Option<&str>) -> Result<()> {
    let now = tx.now();
    tx.exec(SET_DOCTOR, args![h, id, doctor, now]).await.map(drop)
}

/// False when another has this id in WeCom.
pub(crate) async fn set_wecom(tx: &mut Tx, h: HospitalId, id: StaffId, userid: Option<&str>) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(SET_WECOM, args![h, id, userid, now]).await? == 1)
}

pub(crate) async fn set_code(
    tx: &mut Tx,
    h: HospitalId,
    id: StaffId,
    hash: &str,
    ends_at: UnixMs,
) -> Result<()> {
    let now = tx.now();
    tx.exec(SET_CODE, args![h, id, hash, ends_at, now]).await.map(drop)
}

/// Puts a password in the place of the code that was typed; false when that code is used, replaced or over.
pub(crate) async fn exchange_code(
    tx: &mut Tx,
    h: HospitalId,
    id: StaffId,
    code: &str,
    password: &str,
) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(EXCHANGE_CODE, args![h, id, code, password, now]).await? == 1)
}

/// Puts a password in the place of another; false when that one is not the current one any more.
pub(crate) async fn set_password(
    tx: &mut Tx,
    h: HospitalId,
    id: StaffId,
    before: &str,
    password: &str,
) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(SET_PASSWORD, args![h, id, before, password, now]).await? == 1)
}

/// Sets the second factor; false when there is one already and only the first was to be set.
pub(crate) async fn set_totp(
    tx: &mut Tx,
    h: HospitalId,
    id: StaffId,
    secret: Sealed,
    step: i64,
    only_first: bool,
) -> Result<bool> {
    let now = tx.now();
    let sql = if only_first { FIRST_TOTP } else { SET_TOTP };
    Ok(tx.exec(sql, args![h, id, secret, step, now]).await? == 1)
}

pub(crate) async fn drop_totp(tx: &mut Tx, h: HospitalId, id: StaffId) -> Result<()> {
    let now = tx.now();
    tx.exec(DROP_TOTP, args![h, id, now]).await?;
    tx.exec(FORGET_RECOVERY, args![h, id]).await.map(drop)
}

/// Uses the code of a step; false when that one or a later one was used.
pub(crate) async fn use_totp(tx: &mut Tx, h: HospitalId, id: StaffId, step: i64) -> Result<bool> {
    Ok(tx.exec(USE_TOTP, args![h, id, step]).await? == 1)
}

/// Writes down that somebody signs in; false when they may not any more.
pub(crate) async fn signed_in(tx: &mut Tx, h: HospitalId, id: StaffId) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(SIGNED_IN, args![h, id, now]).await? == 1)
}

/// Somebody has a password and a second factor of their own.
pub(crate) async fn is_set_up(tx: &mut Tx, h: HospitalId, id: StaffId) -> Result<()> {
    let now = tx.now();
    tx.exec(IS_SET_UP, args![h, id, now]).await.map(drop)
}

/// Roles in the order in which they are declared.
pub(crate) async fn roles(tx: &mut Tx, h: HospitalId, id: StaffId) -> Result<Vec<Role>> {
    Ok(in_order(tx.all::<One<Role>>(ROLES, args![h, id]).await?))
}

pub(crate) async fn roles_of(db: &Db, h: HospitalId, id: StaffId) -> Result<Vec<Role>> {
    Ok(in_order(db.all::<One<Role>>(ROLES, args![h, id]).await?))
}

fn in_order(held: Vec<One<Role>>) -> Vec<Role> {
    Role::ALL.iter().copied().filter(|role| held.contains(&One(*role))).collect()
}

/// Gives and takes roles until they are these. False when the schema forbids the set; then the transaction must not go on.
pub(crate) async fn set_roles(tx: &mut Tx, h: HospitalId, id: StaffId, wanted: &[Role]) -> Result<bool> {
    let now = tx.now();
    let held = roles(tx, h, id).await?;
    for role in held.iter().filter(|role| !wanted.contains(role)) {
        tx.exec(TAKE_ROLE, args![h, id, *role]).await?;
    }
    for role in wanted.iter().filter(|role| !held.contains(role)) {
        if tx.exec(GIVE_ROLE, args![h, id, *role, now]).await? != 1 {
            return Ok(false);
        }
    }
    Ok(true)
}

pub(crate) async fn departments(db: &Db, h: HospitalId, id: StaffId) -> Result<Vec<String>> {
    Ok(db.all::<One<String>>(DEPARTMENTS, args![h, id]).await?.into_iter().map(|one| one.0).collect())
}

pub(crate) async fn set_departments(tx: &mut Tx, h: HospitalId, id: StaffId, ids: &[String]) -> Result<()> {
    tx.exec(LEAVE_DEPARTMENTS, args![h, id]).await?;
    for department in ids {
        tx.exec(JOIN_DEPARTMENT, args![h, id, department]).await?;
    }
    Ok(())
}

/// Replaces all recovery codes.
pub(crate) async fn set_recovery(tx: &mut Tx, h: HospitalId, id: StaffId, hashes: &[String]) -> Result<()> {
    tx.exec(FORGET_RECOVERY, args![h, id]).await?;
    for hash in hashes {
        tx.exec(ADD_RECOVERY, args![h, id, hash]).await?;
    }
    Ok(())
}

/// Uses a recovery code; false when there is no such unused one.
pub(crate) async fn use_recovery(tx: &mut Tx, h: HospitalId, id: StaffId, hash: &str) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(USE_RECOVERY, args![h, id, hash, now]).await? == 1)
}

pub(crate) async fn recovery_left(db: &Db, h: HospitalId, id: StaffId) -> Result<i64> {
    Ok(db.one::<One<i64>>(RECOVERY_LEFT, args![h, id]).await?.0)
}
