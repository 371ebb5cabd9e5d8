//! Keeping rules, dividing clinics, and the lines under a lock.
//!
//! The order of locks is always slots, then lines: whoever changes lines has locked slots of that clinic before, or no
//! slots at all.

use std::collections::{BTreeMap, HashMap};

use base::{Date, HalfDay, HospitalId, UnixMs};
use edge::{Caller, Hospital};
use serde_json::json;
use store::value::Row;
use store::{Db, Result, Tx, args};

use super::{
    Channel, Kin, Line, QuotaRuleId, Rule, Scope, Shares, divide, pick, release, reshape, settle, stretch,
};
use crate::model::{ClinicId, DepartmentId};
use crate::plan::{self, PlanError, fault};
use crate::store as slots_sql;
use crate::store::quota as sql;

/// The rules of a hospital.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn rules(db: &Db, hospital: HospitalId) -> Result<Vec<Rule>> {
    db.all(sql::RULES, args![hospital]).await
}

/// Adds a rule. Clinics that are there stay as they are until the rules are applied ([`apply`]).
///
/// # Errors
/// [`PlanError::Invalid`], also when there is a rule for the same; [`PlanError::Store`].
pub async fn add(
    tx: &mut Tx,
    caller: &Caller,
    scope: &Scope,
    shares: &Shares,
) -> std::result::Result<QuotaRuleId, PlanError> {
    let mut faults = shares.faults();
    if scope.department_id.is_some() && scope.doctor_id.is_some() {
        let (zh, en) = ("科室和医生只能选一个", "a rule is for a department or a doctor, not both");
        faults.push(fault("department_id", "contradiction", zh, en));
    }
    let hospital = caller.hospital.id;
    if let Some(department) = scope.department_id
        && tx.opt::<Row>(slots_sql::PARENTHOOD, args![hospital, department]).await?.is_none()
    {
        faults.push(fault("department_id", "unknown", "没有这个科室", "there is no such department"));
    }
    if let Some(doctor) = scope.doctor_id
        && tx.opt::<Row>(slots_sql::KNOWN_DOCTOR, args![hospital, doctor]).await?.is_none()
    {
        faults.push(fault("doctor_id", "unknown", "没有这位医生", "there is no such doctor"));
    }
    if !faults.is_empty() {
        return Err(PlanError::Invalid(faults));
    }
    let (id, now, by) = (QuotaRuleId::new(), tx.now(), caller.actor.to_string());
    let text = serde_json::to_value(shares).unwrap_or_default();
    let values = args![hospital, id, scope.department_id, scope.doctor_id, scope.kind, text, now, by];
    if tx.exec(sql::ADD_RULE, values).await? == 0 {
        let (zh, en) =
            ("已有同一范围的规则，请修改那一条", "there is a rule for the same already: change that one");
        return Err(PlanError::Invalid(vec![fault("scope", "twice", zh, en)]));
    }
    tx.audit(caller.audit("schedule.quota", id, json!({"scope": scope, "shares": shares}))).await?;
    plan::bump(tx, hospital).await?;
    Ok(id)
}

/// Changes what a rule gives to whom.
///
/// # Errors
/// [`PlanError::Invalid`], [`PlanError::NotFound`], [`PlanError::Store`].
pub async fn change(
    tx: &mut Tx,
    caller: &Caller,
    id: QuotaRuleId,
    shares: &Shares,
) -> std::result::Result<(), PlanError> {
    let faults = shares.faults();
    if !faults.is_empty() {
        return Err(PlanError::Invalid(faults));
    }
    let (now, by) = (tx.now(), caller.actor.to_string());
    let text = serde_json::to_value(shares).unwrap_or_default();
    if tx.exec(sql::CHANGE_RULE, args![caller.hospital.id, id, text, now, by]).await? == 0 {
        return Err(PlanError::NotFound);
    }
    tx.audit(caller.audit("schedule.quota", id, json!({"shares": shares}))).await?;
    plan::bump(tx, caller.hospital.id).await?;
    Ok(())
}

/// Takes a rule away; false when there was none.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn delete(tx: &mut Tx, caller: &Caller, id: QuotaRuleId) -> Result<bool> {
    if tx.exec(sql::DELETE_RULE, args![caller.hospital.id, id]).await? == 0 {
        return Ok(false);
    }
    tx.audit(caller.audit("schedule.quota", id, json!({"deleted": true}))).await?;
    plan::bump(tx, caller.hospital.id).await?;
    Ok(true)
}

/// Divides a clinic that was just made, if a rule says so.
pub(crate) async fn divide_new(
    tx: &mut Tx,
    hospital: &Hospital,
    clinic: ClinicId,
    kin: &Kin,
    date: Date,
    capacity: i64,
) -> Result<()> {
    let rules: Vec<Rule> = tx.all(sql::RULES, args![hospital.id]).await?;
    let Some(rule) = pick(&rules, kin) else { return Ok(()) };
    replace(tx, hospital.id, clinic, &divide(&rule.shares, capacity, date, &hospital.zone)).await
}

/// Brings the lines of a clinic in line with its capacity, which has changed by so much. Slots are locked by the caller.
pub(crate) async fn follow(tx: &mut Tx, hospital: HospitalId, clinic: ClinicId, by: i64) -> Result<()> {
    let Some(mut lines) = lock(tx, hospital, &[clinic]).await?.remove(&clinic) else { return Ok(()) };
    let now = tx.now();
    settle(&mut lines, now);
    stretch(&mut lines, by);
    write(tx, hospital, clinic, &lines).await
}

async fn replace(tx: &mut Tx, hospital: HospitalId, clinic: ClinicId, lines: &[Line]) -> Result<()> {
    tx.exec(sql::DROP_LINES, args![hospital, clinic]).await?;
    for line in lines {
        add_line(tx, hospital, clinic, line).await?;
    }
    tx.exec(sql::SET_DIVIDED, args![hospital, clinic, !lines.is_empty()]).await.map(drop)
}

async fn add_line(tx: &mut Tx, hospital: HospitalId, clinic: ClinicId, line: &Line) -> Result<()> {
    let now = tx.now();
    let values = args![
        hospital,
        clinic,
        line.channel,
        line.capacity,
        line.taken,
        line.kept,
        line.rest,
        line.hand_back_to,
        line.hand_back_at,
        now
    ];
    tx.exec(sql::ADD_LINE, values).await.map(drop)
}

/// Locks the lines of clinics and reads them as they were last written: [`settle`] them before anything is decided. Clinics
/// that are not divided are not in the answer.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn lock(
    tx: &mut Tx,
    hospital: HospitalId,
    clinics: &[ClinicId],
) -> Result<HashMap<ClinicId, Vec<Line>>> {
    let mut found: HashMap<ClinicId, Vec<Line>> = HashMap::new();
    if clinics.is_empty() {
        return Ok(found);
    }
    let ids: Vec<Option<String>> = clinics.iter().map(|id| Some(id.db())).collect();
    for row in tx.all::<Row>(sql::LOCK_LINES, args![hospital, ids]).await? {
        found.entry(row.get("clinic_id")?).or_default().push(store::FromRow::from_row(&row)?);
    }
    Ok(found)
}

/// Writes the lines of a clinic that [`lock`] gave: what was handed on, what was taken.
///
/// # Errors
/// [`store::StoreError::Constraint`] when more would be taken than a channel has; any other [`store::StoreError`].
pub async fn write(tx: &mut Tx, hospital: HospitalId, clinic: ClinicId, lines: &[Line]) -> Result<()> {
    let channels: Vec<Option<String>> = lines.iter().map(|l| Some(l.channel.code().to_owned())).collect();
    let column = |value: fn(&Line) -> i64| lines.iter().map(value).collect::<Vec<i64>>();
    let (capacity, taken, kept) = (column(|l| l.capacity), column(|l| l.taken), column(|l| l.kept));
    let now = tx.now();
    tx.exec(sql::WRITE_LINES, args![hospital, clinic, channels, capacity, taken, kept, now]).await.map(drop)
}

/// Gives a place of a divided clinic back to the channel that it came by. Where that has no taken place (it was booked before
/// the clinic was divided) it counts as online. Gives the lines as they stand then, `None` where the clinic is not divided.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn give_back(
    tx: &mut Tx,
    hospital: HospitalId,
    clinic: ClinicId,
    channel: Channel,
) -> Result<Option<Vec<Line>>> {
    let Some(mut lines) = lock(tx, hospital, &[clinic]).await?.remove(&clinic) else { return Ok(None) };
    release(&mut lines, channel);
    let now = tx.now();
    settle(&mut lines, now);
    write(tx, hospital, clinic, &lines).await?;
    Ok(Some(lines))
}

/// Adds a place to a channel of a divided clinic that is taken at once: see [`crate::added`]. Gives the lines as they stand then.
pub(crate) async fn widen(
    tx: &mut Tx,
    hospital: HospitalId,
    clinic: ClinicId,
    channel: Channel,
) -> Result<Option<Vec<Line>>> {
    let Some(mut lines) = lock(tx, hospital, &[clinic]).await?.remove(&clinic) else { return Ok(None) };
    let now = tx.now();
    settle(&mut lines, now);
    if super::widen(&mut lines, channel)
        && let Some(line) = lines.last()
    {
        add_line(tx, hospital, clinic, line).await?;
    }
    write(tx, hospital, clinic, &lines).await?;
    Ok(Some(lines))
}

/// Takes away a place that [`widen`] added. Gives the lines as they stand then.
pub(crate) async fn narrow(
    tx: &mut Tx,
    hospital: HospitalId,
    clinic: ClinicId,
    channel: Channel,
) -> Result<Option<Vec<Line>>> {
    let Some(mut lines) = lock(tx, hospital, &[clinic]).await?.remove(&clinic) else { return Ok(None) };
    let now = tx.now();
    settle(&mut lines, now);
    super::narrow(&mut lines, channel);
    write(tx, hospital, clinic, &lines).await?;
    Ok(Some(lines))
}

/// A clinic whose division differs from what the rules say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The clinic …
    pub clinic: ClinicId,
    /// … of this date …
    pub date: Date,
    /// … and half day.
    pub half_day: HalfDay,
    /// How many places it has, and how many are taken.
    pub capacity: i64,
    /// See `capacity`.
    pub taken: i64,
    /// Its lines now; none when it is not divided.
    pub now: Vec<Line>,
    /// Its lines by the rules.
    pub wanted: Vec<Line>,
}

/// What the rules, as they stand, would change on clinics from today on.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn preview(db: &Db, hospital: &Hospital) -> Result<Vec<Change>> {
    let mut tx = db.begin().await?;
    let found = changes(&mut tx, hospital).await;
    tx.rollback().await?;
    found
}

async fn changes(tx: &mut Tx, hospital: &Hospital) -> Result<Vec<Change>> {
    let rules: Vec<Rule> = tx.all(sql::RULES, args![hospital.id]).await?;
    let (now, today) = (tx.now(), hospital.zone.date(tx.now()));
    let mut lines: BTreeMap<ClinicId, Vec<Line>> = BTreeMap::new();
    for row in tx.all::<Row>(sql::ALL_LINES, args![hospital.id, today, Date::MAX]).await? {
        lines.entry(row.get("clinic_id")?).or_default().push(store::FromRow::from_row(&row)?);
    }
    let mut found = Vec::new();
    for row in tx.all::<Row>(sql::FUTURE, args![hospital.id, today]).await? {
        let clinic: ClinicId = row.get("id")?;
        let (date, capacity, taken): (Date, i64, i64) =
            (row.get("date")?, row.get("capacity")?, row.get("taken")?);
        let kin = kin(&row)?;
        let mut standing = lines.remove(&clinic).unwrap_or_default();
        settle(&mut standing, now);
        let mut wanted = pick(&rules, &kin)
            .map(|rule| divide(&rule.shares, capacity, date, &hospital.zone))
            .unwrap_or_default();
        if !wanted.is_empty() {
            // What was booked before the clinic was divided counts as online.
            let online = Line { taken, ..Line::empty(Channel::Online) };
            let old = if standing.is_empty() { vec![online] } else { standing.clone() };
            wanted = reshape(&old, &wanted);
            settle(&mut wanted, now);
        }
        let order = |lines: &mut Vec<Line>| lines.sort_by_key(|l| l.channel);
        order(&mut standing);
        order(&mut wanted);
        if standing != wanted {
            let half_day = row.get("half_day")?;
            found.push(Change { clinic, date, half_day, capacity, taken, now: standing, wanted });
        }
    }
    Ok(found)
}

fn kin(row: &Row) -> Result<Kin> {
    Ok(Kin {
        department: row.get::<DepartmentId>("department_id")?,
        parent: row.get("parent_id")?,
        doctor: row.get("doctor_id")?,
        kind: row.get("kind")?,
    })
}

/// Divides clinics from today on as the rules say. Nobody loses a place. Gives what was changed.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn apply(db: &Db, caller: &Caller) -> Result<Vec<Change>> {
    let hospital = &caller.hospital;
    let mut tx = db.begin().await?;
    // First what is to be locked, then, under the locks, what is to be done.
    let mut clinics: Vec<ClinicId> = changes(&mut tx, hospital).await?.iter().map(|c| c.clinic).collect();
    clinics.sort_unstable();
    for clinic in &clinics {
        tx.all::<Row>(slots_sql::SLOTS_OF_CLINIC, args![hospital.id, *clinic]).await?;
    }
    let mut found = changes(&mut tx, hospital).await?;
    found.retain(|c| clinics.binary_search(&c.clinic).is_ok());
    for one in &found {
        replace(&mut tx, hospital.id, one.clinic, &one.wanted).await?;
    }
    tx.audit(caller.audit("schedule.quota", "rules", json!({"applied_to": found.len()}))).await?;
    plan::bump(&mut tx, hospital.id).await?;
    tx.commit().await?;
    Ok(found)
}

/// The lines of the clinics of a span of days, as last written.
///
/// # Errors
/// Any [`store::StoreError`].
pub(crate) async fn lines_between(
    db: &Db,
    hospital: HospitalId,
    first: Date,
    last: Date,
) -> Result<HashMap<ClinicId, Vec<Line>>> {
    let mut found: HashMap<ClinicId, Vec<Line>> = HashMap::new();
    for row in db.all::<Row>(sql::ALL_LINES, args![hospital, first, last]).await? {
        found.entry(row.get("clinic_id")?).or_default().push(store::FromRow::from_row(&row)?);
    }
    Ok(found)
}

/// The clinics whose lines were written since `since`, on any node, with those lines: all of a clinic's are written at once.
pub(crate) async fn changed_since(
    db: &Db,
    since: UnixMs,
) -> Result<BTreeMap<(HospitalId, ClinicId), Vec<Line>>> {
    let mut found: BTreeMap<(HospitalId, ClinicId), Vec<Line>> = BTreeMap::new();
    for row in db.all::<Row>(sql::CHANGED_LINES, args![since]).await? {
        let clinic = (row.get("hospital_id")?, row.get("clinic_id")?);
        found.entry(clinic).or_default().push(store::FromRow::from_row(&row)?);
    }
    Ok(found)
}

/// Whether the lines of every divided clinic add up to its places and to those that are taken. Read-only; one statement, so
/// that it sees one moment.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn check(db: &Db, found: &mut store::check::Found) -> Result<()> {
    let rows: Vec<Row> = db.all(sql::OFF, args![]).await?;
    found.each(&rows, |row| {
        let n = |column: &str| row.get::<i64>(column);
        Ok(format!(
            "hospital {}: clinic cln_{} has {} places of which {} are taken, but by channel {} and {} (divided: {})",
            n("hospital_id")?,
            row.get::<String>("id")?,
            n("places")?,
            n("gone")?,
            n("capacity")?,
            n("taken")?,
            n("divided")?
        ))
    })
}
