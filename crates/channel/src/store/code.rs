//! Codes and their scans.

use base::{Date, HospitalId, UnixMs};
use edge::AccountId;
use store::value::{One, Row};
use store::{Db, FromRow, Result, Sealed, Tx, args};

use crate::model::{Code, CodeId, Purpose};

store::statements! {
    CODE_ADD = "INSERT INTO code (hospital_id, id, scene, purpose, target, path, name_zh, name_en, wifi, request_key, created_by, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING";
    CODE_GET = "SELECT id, scene, purpose, target, path, name_zh, name_en, url, created_at, expires_at, closed_at FROM code
         WHERE hospital_id = $1 AND id = $2";
    CODE_BY_SCENE = "SELECT id, scene, purpose, target, path, name_zh, name_en, url, created_at, expires_at, closed_at FROM code
         WHERE hospital_id = $1 AND scene = $2";
    CODE_BY_KEY = "SELECT id, scene, purpose, target, path, name_zh, name_en, url, created_at, expires_at, closed_at FROM code
         WHERE hospital_id = $1 AND request_key = $2";
    CODE_BY_TARGET = "SELECT id, scene, purpose, target, path, name_zh, name_en, url, created_at, expires_at, closed_at FROM code
         WHERE hospital_id = $1 AND purpose = $2 AND target = $3 AND closed_at IS NULL AND purpose IN ('doctor', 'department')";
    CODE_LIST = "SELECT id, scene, purpose, target, path, name_zh, name_en, url, created_at, expires_at, closed_at FROM code
         WHERE hospital_id = $1 AND purpose <> 'enrolment' AND created_at <= $2 AND ($3 = '' OR purpose = $3)
         ORDER BY created_at DESC, id DESC LIMIT $4";
    CODE_MADE = "UPDATE code SET ticket = $3, url = $4 WHERE hospital_id = $1 AND id = $2 AND url IS NULL";
    CODE_CLOSE = "UPDATE code SET closed_at = $3 WHERE hospital_id = $1 AND id = $2 AND closed_at IS NULL";
    CODE_WIFI = "SELECT wifi FROM code WHERE hospital_id = $1 AND id = $2 AND wifi IS NOT NULL";
    SCAN_ADD = "INSERT INTO code_scan (hospital_id, id, code_id, day, way, account_id, is_new, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
    SCAN_DAYS = "SELECT code_id, day, CAST(COUNT(*) AS BIGINT) AS scans, CAST(SUM(is_new) AS BIGINT) AS followers,
             CAST(SUM(CASE WHEN way = 'browser' THEN 1 ELSE 0 END) AS BIGINT) AS browsers
         FROM code_scan WHERE hospital_id = $1 AND code_id = $2 AND day >= $3 GROUP BY code_id, day ORDER BY day DESC";
    SCAN_TOTALS = "SELECT s.code_id, CAST(COUNT(*) AS BIGINT) AS scans, CAST(SUM(s.is_new) AS BIGINT) AS followers,
             CAST(SUM(CASE WHEN s.way = 'browser' THEN 1 ELSE 0 END) AS BIGINT) AS browsers
         FROM code_scan s JOIN code c ON c.hospital_id = s.hospital_id AND c.id = s.code_id
         WHERE s.hospital_id = $1 AND s.day >= $2 AND c.purpose <> 'enrolment' GROUP BY s.code_id";
}

/// A code to be kept.
pub(crate) struct NewRow<'a> {
    pub(crate) scene: String,
    pub(crate) purpose: Purpose,
    pub(crate) target: Option<String>,
    pub(crate) path: &'a str,
    pub(crate) name: &'a base::Text2,
    pub(crate) wifi: Option<Sealed>,
    pub(crate) key: &'a str,
    pub(crate) by: &'a str,
    pub(crate) expires_at: Option<UnixMs>,
}

/// Keeps a code; `None` when the request, or the doctor's or department's code, is there already.
pub(crate) async fn add(tx: &mut Tx, h: HospitalId, new: NewRow<'_>) -> Result<Option<CodeId>> {
    let (id, now) = (CodeId::new(), tx.now());
    let values = args![
        h,
        id,
        new.scene,
        new.purpose,
        new.target,
        new.path,
        &new.name.zh,
        &new.name.en,
        new.wifi,
        new.key,
        new.by,
        now,
        new.expires_at
    ];
    Ok((tx.exec(CODE_ADD, values).await? == 1).then_some(id))
}

pub(crate) async fn get(db: &Db, h: HospitalId, id: CodeId) -> Result<Option<Code>> {
    db.opt(CODE_GET, args![h, id]).await
}

pub(crate) async fn by_scene(db: &Db, h: HospitalId, scene: &str) -> Result<Option<Code>> {
    db.opt(CODE_BY_SCENE, args![h, scene]).await
}

pub(crate) async fn by_scene_in(tx: &mut Tx, h: HospitalId, scene: &str) -> Result<Option<Code>> {
    tx.opt(CODE_BY_SCENE, args![h, scene]).await
}

pub(crate) async fn by_key(tx: &mut Tx, h: HospitalId, key: &str) -> Result<Option<Code>> {
    tx.opt(CODE_BY_KEY, args![h, key]).await
}

/// The open code of a doctor or department.
pub(crate) async fn by_target(
    tx: &mut Tx,
    h: HospitalId,
    purpose: Purpose,
    target: &str,
) -> Result<Option<Code>> {
    tx.opt(CODE_BY_TARGET, args![h, purpose, target]).await
}

/// Codes made at `before` or earlier, the newest first.
pub(crate) async fn list(
    db: &Db,
    h: HospitalId,
    purpose: Option<Purpose>,
    before: UnixMs,
    limit: i64,
) -> Result<Vec<Code>> {
    db.all(CODE_LIST, args![h, before, purpose.map_or("", Purpose::code), limit]).await
}

/// WeChat has made it.
pub(crate) async fn made(tx: &mut Tx, h: HospitalId, id: CodeId, ticket: &str, url: &str) -> Result<()> {
    tx.exec(CODE_MADE, args![h, id, ticket, url]).await.map(drop)
}

/// False when it was closed before, or is not there.
pub(crate) async fn close(tx: &mut Tx, h: HospitalId, id: CodeId) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(CODE_CLOSE, args![h, id, now]).await? == 1)
}

pub(crate) async fn wifi(db: &Db, h: HospitalId, id: CodeId) -> Result<Option<Sealed>> {
    Ok(db.opt::<One<Sealed>>(CODE_WIFI, args![h, id]).await?.map(|one| one.0))
}

/// A scan to be kept. `id` is the push's own where WeChat told of it, so that a push that comes again counts once.
pub(crate) struct NewScan {
    pub(crate) id: String,
    pub(crate) code: CodeId,
    pub(crate) day: Date,
    pub(crate) way: &'static str,
    pub(crate) account: Option<AccountId>,
    pub(crate) is_new: bool,
    pub(crate) at: UnixMs,
}

pub(crate) async fn add_scan(tx: &mut Tx, h: HospitalId, scan: NewScan) -> Result<()> {
    let NewScan { id, code, day, way, account, is_new, at } = scan;
    tx.exec(SCAN_ADD, args![h, id, code, day, way, account, is_new, at]).await.map(drop)
}

/// How often a code was scanned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) scans: i64,
    /// Of these, who began to follow.
    pub(crate) followers: i64,
    /// Of these, in plain browsers.
    pub(crate) browsers: i64,
}

impl FromRow for Counts {
    fn from_row(row: &Row) -> Result<Self> {
        let count = |name: &str| row.get::<Option<i64>>(name).map(Option::unwrap_or_default);
        Ok(Self { scans: count("scans")?, followers: count("followers")?, browsers: count("browsers")? })
    }
}

/// A code's scans day by day, the latest first.
pub(crate) async fn days(db: &Db, h: HospitalId, id: CodeId, from: Date) -> Result<Vec<(Date, Counts)>> {
    let rows: Vec<Row> = db.all(SCAN_DAYS, args![h, id, from]).await?;
    rows.iter().map(|row| Ok((row.get("day")?, Counts::from_row(row)?))).collect()
}

/// The scans of all codes since a day.
pub(crate) async fn totals(db: &Db, h: HospitalId, from: Date) -> Result<Vec<(CodeId, Counts)>> {
    let rows: Vec<Row> = db.all(SCAN_TOTALS, args![h, from]).await?;
    rows.iter().map(|row| Ok((row.get("code_id")?, Counts::from_row(row)?))).collect()
}
