//! Saying why one did not come, and deciding about it.

use std::time::Duration;

use base::{Kind, Problem};
use edge::{Account, Caller};
use people::PersonId;
use store::{NewEvent, Tx};

use super::rules::Attendance;
use super::store::{self as sql, Appeal, NoShow};
use crate::BookingDeps;
use crate::model::AppointmentId;

/// The field under which what people write is sealed.
pub(crate) const TEXT: &str = "no_show.appeal";
/// The same for what staff write to them.
pub(crate) const DECISION: &str = "no_show.decision";
/// The longest text, in characters.
pub(crate) const LONGEST: usize = 500;

/// What somebody wrote, without space around it.
pub(crate) fn text(field: &str, written: &str) -> Result<String, Problem> {
    let written = written.trim();
    let length = written.chars().count();
    if length == 0 || length > LONGEST {
        let problem = Problem::new(
            Kind::Invalid,
            "text_invalid",
            format!("请写 1 到 {LONGEST} 个字。"),
            format!("Please write 1 to {LONGEST} characters."),
        );
        return Err(problem.with("field", field));
    }
    Ok(written.to_owned())
}

/// Appeals against a no-show of one of the account's persons. Doing so again changes nothing.
pub(crate) async fn appeal(
    deps: &BookingDeps,
    account: &Account,
    persons: &[PersonId],
    id: AppointmentId,
    written: &str,
) -> Result<NoShow, Problem> {
    let hospital = &account.caller.hospital;
    let rules: Attendance = hospital.settings(Attendance::SECTION);
    let written = text("text", written)?;
    let mut tx = deps.db.begin().await?;
    let found = find(&mut tx, account, persons, id).await?;
    match found.appeal {
        Appeal::None => {}
        Appeal::Open => return Ok(found),
        Appeal::Lifted | Appeal::Kept => return Err(decided()),
    }
    let until = found.recorded_at.plus(Duration::from_secs(u64::from(rules.appeal_days) * 86_400));
    if tx.now() >= until {
        return Err(too_late(rules.appeal_days));
    }
    let sealed = deps.vault.seal(hospital.id, TEXT, &written)?;
    if !sql::appeal(&mut tx, hospital.id, id, sealed).await? {
        return Err(Problem::unavailable(1));
    }
    tx.audit(account.caller.audit("no_show.appeal", id, serde_json::json!({"person": found.person}))).await?;
    let again = find(&mut tx, account, persons, id).await?;
    tx.commit().await?;
    Ok(again)
}

async fn find(
    tx: &mut Tx,
    account: &Account,
    persons: &[PersonId],
    id: AppointmentId,
) -> Result<NoShow, Problem> {
    let found = sql::get(tx, account.caller.hospital.id, id).await?;
    found.filter(|one| persons.contains(&one.person)).ok_or_else(Problem::not_found)
}

/// Lifts a no-show, or says that it stands; tells the person which and why.
pub(crate) async fn decide(
    deps: &BookingDeps,
    caller: &Caller,
    id: AppointmentId,
    lift: bool,
    reason: &str,
) -> Result<NoShow, Problem> {
    let hospital = &caller.hospital;
    let reason = text("reason", reason)?;
    let mut tx = deps.db.begin().await?;
    let found = sql::get(&mut tx, hospital.id, id).await?.ok_or_else(Problem::not_found)?;
    let wanted = if lift { Appeal::Lifted } else { Appeal::Kept };
    if found.appeal == wanted {
        return Ok(found);
    }
    let sealed = deps.vault.seal(hospital.id, DECISION, &reason)?;
    if !sql::decide(&mut tx, hospital.id, id, wanted, &caller.actor.to_string(), sealed).await? {
        return Err(decided());
    }
    let payload = serde_json::json!({"appointment": id, "lifted": lift});
    let key = found.person.to_string();
    tx.publish(NewEvent { hospital: hospital.id, kind: "booking.no_show_decided", key, payload }).await?;
    tx.audit(caller.audit("no_show.decide", id, serde_json::json!({"person": found.person, "lifted": lift})))
        .await?;
    tell(deps, &mut tx, caller, &found, lift).await?;
    let again = sql::get(&mut tx, hospital.id, id).await?.ok_or_else(Problem::internal)?;
    tx.commit().await?;
    Ok(again)
}

async fn tell(
    deps: &BookingDeps,
    tx: &mut Tx,
    caller: &Caller,
    found: &NoShow,
    lift: bool,
) -> Result<(), Problem> {
    let hospital = &caller.hospital;
    let Some(person) = people::bound::find(tx, hospital.id, found.account, found.person).await? else {
        return Ok(());
    };
    let note = match lift {
        true => base::Text2::new("这次爽约记录已撤销", "This record has been lifted"),
        false => {
            base::Text2::new("这次爽约记录维持不变，理由见详情", "The record stands; see why in the details")
        }
    };
    let department = deps.board.department_name(hospital.id, found.department).unwrap_or_default();
    let visit = notify::Visit {
        person: person.name_masked,
        department_id: found.department.to_string(),
        department,
        doctor: found.doctor.and_then(|doctor| deps.board.doctor_name(hospital.id, doctor)).map(|d| d.0),
        start: found.start_at,
        end: None,
        campus: base::Text2::default(),
        room: None,
        number: None,
        old_start: None,
        note: Some(note),
    };
    let tell = notify::Tell {
        kind: notify::Kind::AppealDecided,
        account: found.account,
        person: Some(found.person),
        subject: found.appointment.to_string(),
        data: visit.data(),
        link: "/no-shows".into(),
        send_after: None,
        expires_at: tx.now().plus(Duration::from_secs(3 * 86_400)),
    };
    notify::tell(tx, hospital.id, tell).await?;
    Ok(())
}

fn decided() -> Problem {
    Problem::new(
        Kind::Conflict,
        "appeal_decided",
        "这次记录已经处理过了。",
        "This record has been decided on already.",
    )
}

fn too_late(days: u32) -> Problem {
    Problem::new(
        Kind::Conflict,
        "appeal_too_late",
        format!("申诉期已过（记录后 {days} 天内可以申诉），请联系医院。"),
        format!("One can appeal within {days} days of the record. Please contact the hospital."),
    )
    .with("days", days)
}
