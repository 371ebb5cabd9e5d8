//! Joining, leaving, saying yes.

use base::{Date, Kind, Problem};
use edge::{Account, Hospital};
use people::PersonId;
use schedule::quota::{self, Channel};
use schedule::stock::{self, Free};
use schedule::{ClinicId, DepartmentId, DoctorId};
use store::Tx;

use super::model::{Entry, EntryId, EntryState};
use super::rules::{Rules, Target};
use super::store as sql;
use crate::BookingDeps;
use crate::hold::{self, Confirmed};
use crate::model::State;
use crate::{free, store as own};

/// What somebody wants to wait for, as it was found on the schedule.
pub(crate) struct Wanted {
    pub(crate) target: Target,
    pub(crate) clinic: Option<ClinicId>,
    pub(crate) doctor: Option<DoctorId>,
    pub(crate) department: DepartmentId,
    pub(crate) date: Date,
    /// The clinic's cut-off, where one clinic is meant.
    pub(crate) cut_off: Option<base::UnixMs>,
}

/// Puts a person on the list. One who is on it for the same already is given back as they are.
pub(crate) async fn join(
    deps: &BookingDeps,
    account: &Account,
    person: PersonId,
    wanted: &Wanted,
) -> Result<Entry, Problem> {
    let hospital = &account.caller.hospital;
    let rules: Rules = hospital.settings(Rules::SECTION);
    let closes_at = rules.closes(&hospital.zone, wanted.date, wanted.cut_off);
    let mut tx = deps.db.begin().await?;
    let now = tx.now();
    if !rules.enabled || now >= closes_at {
        return Err(closed());
    }
    // Joining is one after the other for one person, so that the limit holds.
    own::lock_persons(&mut tx, hospital.id, &[person]).await?;
    if people::bound::find(&mut tx, hospital.id, account.id, person).await?.is_none() {
        return Err(crate::problems::not_bound());
    }
    let live = sql::live_of_person(&mut tx, hospital.id, person).await?;
    let target = wanted.target.text();
    if let Some(there) = live.iter().find(|entry| entry.target == target) {
        return Ok(there.clone());
    }
    if u32::try_from(live.len()).unwrap_or(u32::MAX) >= rules.per_person {
        return Err(too_many(rules.per_person));
    }
    if can_be_had(&mut tx, hospital, wanted).await? {
        return Err(not_full());
    }
    let entry = Entry {
        id: EntryId::new(),
        account: account.id,
        person,
        target,
        clinic: wanted.clinic,
        doctor: wanted.doctor,
        department: wanted.department,
        date: wanted.date,
        state: EntryState::Waiting,
        joined_at: now,
        closes_at,
        appointment: None,
        ended_at: None,
    };
    if !sql::add(&mut tx, hospital.id, &entry).await? {
        return Err(Problem::unavailable(1));
    }
    let detail = serde_json::json!({"person": person, "target": entry.target});
    tx.audit(account.caller.audit("waitlist.join", entry.id, detail)).await?;
    tx.commit().await?;
    metrics::counter!("waitlist_joined").increment(1);
    Ok(entry)
}

/// Whether somebody could book there right now.
async fn can_be_had(tx: &mut Tx, hospital: &Hospital, wanted: &Wanted) -> store::Result<bool> {
    let free = free_slots(tx, hospital, wanted.clinic, wanted.doctor, wanted.department, wanted.date).await?;
    Ok(!free.is_empty())
}

/// Slots with a place that can be had online now.
pub(crate) async fn free_slots(
    tx: &mut Tx,
    hospital: &Hospital,
    clinic: Option<ClinicId>,
    doctor: Option<DoctorId>,
    department: DepartmentId,
    date: Date,
) -> store::Result<Vec<Free>> {
    let mut free = stock::free(tx, hospital.id, date, clinic, doctor, department).await?;
    let divided: Vec<ClinicId> = free.iter().filter(|f| f.divided).map(|f| f.clinic).collect();
    if !divided.is_empty() {
        let lines = quota::keep::lock(tx, hospital.id, &divided).await?;
        let now = tx.now();
        free.retain(|f| {
            lines.get(&f.clinic).is_none_or(|lines| quota::left(lines, Channel::Online, now) > 0)
        });
    }
    Ok(free)
}

/// Says yes to an offer: the place is theirs. Saying it twice is the same.
pub(crate) async fn accept(deps: &BookingDeps, account: &Account, id: EntryId) -> Result<Entry, Problem> {
    let caller = &account.caller;
    let hospital = caller.hospital.id;
    let mut tx = deps.db.begin().await?;
    let entry = own_entry(&mut tx, account, id).await?;
    let Some(appointment) = entry.appointment else { return Err(offer_over()) };
    match entry.state {
        EntryState::Accepted => return Ok(entry),
        EntryState::Offered => {}
        _ => return Err(offer_over()),
    }
    let kept = own::get(&mut tx, hospital, appointment).await?.ok_or_else(Problem::internal)?;
    let now = tx.now();
    if kept.state == State::Held && kept.hold_until.is_some_and(|until| now >= until) {
        return Err(offer_over());
    }
    match hold::confirm(&mut tx, caller, appointment).await? {
        Confirmed::Booked(_) | Confirmed::Already(_) => {}
        Confirmed::Gone(_) | Confirmed::NotThere => return Err(offer_over()),
    }
    if !sql::end(&mut tx, hospital, id, EntryState::Accepted).await? {
        return Err(Problem::unavailable(1));
    }
    tx.commit().await?;
    metrics::counter!("waitlist_accepted").increment(1);
    Ok(Entry { state: EntryState::Accepted, ended_at: Some(now), ..entry })
}

/// Waits no longer; a place that is kept for them goes to the next. Doing it twice is the same.
pub(crate) async fn leave(deps: &BookingDeps, account: &Account, id: EntryId) -> Result<Entry, Problem> {
    let caller = &account.caller;
    let hospital = &caller.hospital;
    let mut tx = deps.db.begin().await?;
    let entry = own_entry(&mut tx, account, id).await?;
    if !entry.state.is_live() {
        return Ok(entry);
    }
    if let (EntryState::Offered, Some(appointment)) = (entry.state, entry.appointment) {
        let kept = own::get(&mut tx, hospital.id, appointment).await?.ok_or_else(Problem::internal)?;
        let stock = stock::lock(&mut tx, hospital.id, &[kept.slot]).await?;
        let kept = own::get(&mut tx, hospital.id, appointment).await?.ok_or_else(Problem::internal)?;
        let by = caller.actor.to_string();
        let ending = own::End { state: State::Cancelled, by: &by, reason: "declined", moved_to: None };
        if kept.state == State::Held && own::end(&mut tx, hospital.id, appointment, ending).await? {
            for one in &stock {
                free::place(&mut tx, deps.desk.counter(), hospital, one, &kept).await?;
            }
            let detail = serde_json::json!({"slot": kept.slot});
            tx.audit(caller.audit("booking.cancel", appointment, detail)).await?;
            tx.publish(crate::desk::single::cancelled(hospital.id, &kept)).await?;
            tx.touch(store::Topic::new("appointment", appointment));
        }
    }
    if !sql::end(&mut tx, hospital.id, id, EntryState::Left).await? {
        return Err(Problem::unavailable(1));
    }
    let now = tx.now();
    tx.audit(caller.audit("waitlist.leave", id, serde_json::json!({}))).await?;
    tx.commit().await?;
    Ok(Entry { state: EntryState::Left, ended_at: Some(now), ..entry })
}

/// An entry of this account; for everybody else it does not exist.
async fn own_entry(tx: &mut Tx, account: &Account, id: EntryId) -> Result<Entry, Problem> {
    let entry = sql::get(tx, account.caller.hospital.id, id).await?;
    entry.filter(|entry| entry.account == account.id).ok_or_else(Problem::not_found)
}

fn closed() -> Problem {
    Problem::new(
        Kind::Conflict,
        "waitlist_closed",
        "候补已经截止，请选择其他时间。",
        "The waitlist for this is closed. Please choose another time.",
    )
}

fn too_many(limit: u32) -> Problem {
    Problem::new(
        Kind::Conflict,
        "waitlist_limit",
        format!("每位就诊人最多同时候补 {limit} 项。"),
        format!("Each person can wait for at most {limit} things at a time."),
    )
    .with("limit", limit)
}

fn not_full() -> Problem {
    Problem::new(
        Kind::Conflict,
        "waitlist_not_full",
        "现在还有号，可以直接预约。",
        "There are places left: you can book one right now.",
    )
}

fn offer_over() -> Problem {
    Problem::new(
        Kind::Conflict,
        "offer_over",
        "保留的号已经过了确认时间，已转给下一位。",
        "The time to confirm this place is over, and it has gone to the next person.",
    )
}
