//! What is pushed to whom, and when: five before you, two before you, you are next, come to room 5, you were called. Each once.

use base::{Problem, UnixMs};
use edge::Hospital;
use notify::{Arg, Kind, Tell};
use store::Tx;

use crate::model::{Room, Ticket, TicketState};
use crate::order::Placed;
use crate::picture::LinePicture;
use crate::settings::Settings;
use crate::store::ticket as sql;

/// How long a push about a place in the line is of use.
const OF_USE: std::time::Duration = std::time::Duration::from_secs(30 * 60);

/// What somebody can be told while they wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Push {
    /// Some are before you still.
    Far,
    /// A few are.
    Near,
    /// You are next.
    Next,
}

impl Push {
    /// Its bit, with those of all that come before it: whoever is told that they are next need not hear that two are before them.
    fn bits(self) -> i64 {
        match self {
            Self::Far => 0b001,
            Self::Near => 0b011,
            Self::Next => 0b111,
        }
    }
}

/// What a place with so many ahead is worth, whether told or not.
fn level(ahead: i64, settings: &Settings) -> Option<Push> {
    if ahead == 0 {
        settings.push_next.then_some(Push::Next)
    } else if ahead <= settings.push_near {
        Some(Push::Near)
    } else if ahead <= settings.push_far {
        Some(Push::Far)
    } else {
        None
    }
}

/// What to tell somebody who has so many ahead and was `told` this before.
#[must_use]
pub fn due(ahead: i64, told: i64, settings: &Settings) -> Option<Push> {
    level(ahead, settings).filter(|push| told & push.bits() != push.bits())
}

/// What somebody sees when they take their number, and need not be told again.
#[must_use]
pub fn seen_at(ahead: i64, settings: &Settings) -> i64 {
    level(ahead, settings).map_or(0, Push::bits)
}

/// Tells everybody in the line whose place has come near. `placed` is the order as it is now.
///
/// # Errors
/// Any [`store::StoreError`].
pub(crate) async fn line(
    tx: &mut Tx,
    hospital: &Hospital,
    picture: &LinePicture,
    open: &[Ticket],
    placed: &[Placed],
) -> Result<(), Problem> {
    let settings: Settings = hospital.settings(Settings::SECTION);
    let most = settings.push_far.max(settings.push_near).max(0) + 1;
    for (ahead, place) in (0..most).zip(placed) {
        let Some(ticket) = open.iter().find(|t| t.id == place.waiting.id) else { continue };
        let Some(push) = due(ahead, ticket.told, &settings) else { continue };
        sql::told(tx, hospital.id, ticket.id, ticket.told | push.bits()).await?;
        let (kind, step) = match push {
            Push::Far => (Kind::QueueSoon, "far"),
            Push::Near => (Kind::QueueSoon, "near"),
            Push::Next => (Kind::QueueNext, "next"),
        };
        let mut tell = about(hospital, picture, ticket, kind, tx.now());
        tell.subject = format!("{}:{step}", ticket.id);
        tell.link = format!("{}?for={step}", tell.link);
        tell.data.insert("ahead", ahead.into());
        send(tx, hospital, ticket, tell).await?;
    }
    Ok(())
}

/// Tells somebody to come to the room into which they are called.
///
/// # Errors
/// Any [`store::StoreError`].
pub(crate) async fn called(
    tx: &mut Tx,
    hospital: &Hospital,
    picture: &LinePicture,
    ticket: &Ticket,
    room: &Room,
) -> Result<(), Problem> {
    let mut tell = about(hospital, picture, ticket, Kind::QueueCalled, tx.now());
    // After a missed call they are called anew, and told anew.
    tell.subject = format!("{}:{}", ticket.id, ticket.misses);
    tell.link = format!("{}?for=called-{}", tell.link, ticket.misses);
    tell.data.insert("room", room.name.clone().into());
    send(tx, hospital, ticket, tell).await
}

/// Tells somebody that they were called and were not there, and what comes of it.
///
/// # Errors
/// Any [`store::StoreError`].
pub(crate) async fn missed(
    tx: &mut Tx,
    hospital: &Hospital,
    picture: &LinePicture,
    ticket: &Ticket,
    ahead: usize,
) -> Result<(), Problem> {
    quiet(tx, hospital, ticket).await?;
    let mut tell = about(hospital, picture, ticket, Kind::QueueMissed, tx.now());
    tell.subject = format!("{}:{}", ticket.id, ticket.misses);
    tell.link = format!("{}?for=missed-{}", tell.link, ticket.misses);
    if ticket.state == TicketState::Void {
        let note = base::Text2::new("多次叫号未到，本号已作废，请到分诊台", "Void: see the desk");
        tell.data.insert("note", note.into());
    }
    tell.data.insert("ahead", i64::try_from(ahead).unwrap_or(0).into());
    send(tx, hospital, ticket, tell).await
}

/// Whoever is in the room, or gone, is not told to come any more.
///
/// # Errors
/// Any [`store::StoreError`].
pub(crate) async fn quiet(tx: &mut Tx, hospital: &Hospital, ticket: &Ticket) -> Result<(), Problem> {
    for step in ["far", "near", "next"] {
        let subject = format!("{}:{step}", ticket.id);
        notify::cancel(tx, hospital.id, &subject, &[Kind::QueueSoon, Kind::QueueNext]).await?;
    }
    let subject = format!("{}:{}", ticket.id, ticket.misses);
    notify::cancel(tx, hospital.id, &subject, &[Kind::QueueCalled]).await?;
    Ok(())
}

fn about(hospital: &Hospital, picture: &LinePicture, ticket: &Ticket, kind: Kind, now: UnixMs) -> Tell {
    let mut data = notify::Data::new();
    let mut put = |name, arg: Option<Arg>| arg.map(|arg| data.insert(name, arg));
    let queue = &picture.queue;
    put("person", Some(ticket.name_masked.clone().into()));
    put("number", Some(ticket.label.clone().into()));
    put("department", Some(picture.department_name.clone().unwrap_or_else(|| queue.name.clone()).into()));
    put("department_id", queue.department.map(|id| id.to_string().into()));
    put("doctor", picture.doctor.as_ref().map(|d| d.0.clone().into()));
    let area = picture.area.as_ref().map(|a| a.name.clone());
    put(
        "campus",
        picture.campus_name.clone().or_else(|| Some(hospital.profile.short_name.clone())).map(Arg::from),
    );
    put("room", area.map(Arg::from));
    put("start", Some(now.into()));
    Tell {
        kind,
        account: ticket.account.unwrap_or_default(),
        person: ticket.person,
        subject: ticket.id.to_string(),
        data,
        link: format!("/line/{}", ticket.id),
        send_after: None,
        expires_at: now.plus(OF_USE),
    }
}

async fn send(tx: &mut Tx, hospital: &Hospital, ticket: &Ticket, tell: Tell) -> Result<(), Problem> {
    let (Some(account), Some(person)) = (ticket.account, ticket.person) else { return Ok(()) };
    // Whoever was unbound since has no claim to be told.
    if people::bound::find(tx, hospital.id, account, person).await?.is_none() {
        return Ok(());
    }
    notify::tell(tx, hospital.id, tell).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_once_and_only_what_is_news() {
        let settings = Settings::default();
        let mut told = seen_at(9, &settings);
        let mut pushes = Vec::new();
        for ahead in (0..9).rev() {
            if let Some(push) = due(ahead, told, &settings) {
                told |= push.bits();
                pushes.push((ahead, push));
            }
        }
        assert_eq!(pushes, [(5, Push::Far), (2, Push::Near), (0, Push::Next)]);
        // Moved back by an emergency and on again: nothing is said twice.
        assert_eq!((due(1, told, &settings), due(0, told, &settings)), (None, None));
        // Whoever comes with three ahead has just read so.
        assert_eq!(due(3, seen_at(3, &settings), &settings), None);
        assert_eq!(due(2, seen_at(3, &settings), &settings), Some(Push::Near));
        // Those before leave all at once: only the last word counts.
        assert_eq!(due(0, seen_at(8, &settings), &settings), Some(Push::Next));
    }

    #[test]
    fn a_hospital_can_switch_them_off() {
        let quiet = Settings { push_far: 0, push_near: 0, push_next: false, ..Settings::default() };
        assert!((0..10).all(|ahead| due(ahead, 0, &quiet).is_none()));
    }
}
