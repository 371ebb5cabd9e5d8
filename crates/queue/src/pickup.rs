//! Picking up: glasses, medicine, reports. Staff mark by scan what is ready, the person is told within seconds and wanders freely
//! until then; it is handed over against the code on their phone.

use std::time::Duration;

use base::{Problem, UnixMs};
use edge::{Account, Caller, Hospital};
use notify::{Kind, Tell};
use people::{PersonId, bound, patients};
use store::{NewEvent, Topic, Tx};

use crate::QueueDeps;
use crate::api::wire::{self, PickUpBody};
use crate::model::{AreaId, PickUp, PickUpId, PickUpKind, PickUpState};
use crate::problems;
use crate::settings::Settings;
use crate::store::{pickup as sql, setup as setup_sql};

/// The event that something is ready: {pick_up}.
pub const READY: &str = "queue.ready";
/// The longest number of a workshop, in characters.
const LONGEST_REFERENCE: usize = 64;
/// So often another code is tried when one is taken.
const TRIES: usize = 8;
/// How long what was collected is shown to its owner.
const SHOWN_AFTER: Duration = Duration::from_secs(7 * 86_400);
const DAY: Duration = Duration::from_secs(86_400);

/// What staff put on the list.
#[derive(Debug, Clone)]
pub(crate) struct New {
    pub(crate) kind: PickUpKind,
    pub(crate) reference: String,
    pub(crate) person: PersonId,
    pub(crate) area: Option<AreaId>,
}

/// Puts something on the list; what is there already is given back as it is.
///
/// # Errors
/// 404 when person or area are not there; 422; 503.
pub(crate) async fn expect(deps: &QueueDeps, caller: &Caller, new: New) -> Result<PickUp, Problem> {
    let h = caller.hospital.id;
    let reference = new.reference.trim();
    let plain = reference.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if reference.is_empty() || reference.len() > LONGEST_REFERENCE || !plain {
        return Err(problems::invalid(
            "ref",
            "应为 1 到 64 个字母、数字或 -",
            "1 to 64 letters, digits or -",
        ));
    }
    let holders = people::contact::of_person(&deps.db, h, new.person).await?;
    let mut tx = deps.db.begin().await?;
    let facts = patients::facts(&mut tx, h, new.person).await?.ok_or_else(Problem::not_found)?;
    if let Some(area) = new.area
        && setup_sql::area_in(&mut tx, h, area).await?.is_none()
    {
        return Err(Problem::not_found());
    }
    for _ in 0..TRIES {
        if let Some(there) = sql::by_reference(&mut tx, h, new.kind, reference).await? {
            return Ok(there);
        }
        let code = code()?;
        let pick_up = PickUp {
            id: PickUpId::new(),
            kind: new.kind,
            reference: reference.to_owned(),
            area: new.area,
            person: new.person,
            account: holders.first().copied(),
            name_masked: facts.name_masked.clone(),
            label: label(new.kind, &code),
            code,
            state: PickUpState::Expected,
            ready_at: None,
            ended_at: None,
            reminded: 0,
        };
        if sql::add(&mut tx, h, &pick_up).await? {
            tx.audit(caller.audit("queue.pickup.expect", pick_up.id, serde_json::json!({"kind": new.kind})))
                .await?;
            tx.commit().await?;
            return Ok(pick_up);
        }
    }
    Err(Problem::unavailable(1))
}

/// Six digits that nobody can guess.
fn code() -> Result<String, Problem> {
    let random = edge::session::random_token().map_err(|_| Problem::internal())?;
    let number = random.bytes().take(16).fold(0_u64, |n, b| n.wrapping_mul(31).wrapping_add(u64::from(b)));
    Ok(format!("{:06}", number % 1_000_000))
}

/// What the wall shows: the kind's letter and the last three digits.
fn label(kind: PickUpKind, code: &str) -> String {
    let letter = match kind {
        PickUpKind::Glasses => 'G',
        PickUpKind::Medicine => 'M',
        PickUpKind::Report => 'R',
    };
    let tail: String = code.chars().skip(3).collect();
    format!("{letter}{tail}")
}

/// Marks something as ready, by its own number. Doing so again changes nothing.
///
/// # Errors
/// 404 `code_unknown`; 409 `code_used` when it was collected; 503.
pub(crate) async fn ready(
    deps: &QueueDeps,
    caller: &Caller,
    kind: PickUpKind,
    reference: &str,
) -> Result<PickUp, Problem> {
    let hospital = &caller.hospital;
    let settings: Settings = hospital.settings(Settings::SECTION);
    let mut tx = deps.db.begin().await?;
    let there = sql::by_reference(&mut tx, hospital.id, kind, reference.trim()).await?;
    let there = there.ok_or_else(problems::code_unknown)?;
    match there.state {
        PickUpState::Ready => return Ok(there),
        PickUpState::Collected | PickUpState::Returned => return Err(problems::code_used()),
        PickUpState::Expected => {}
    }
    let now = tx.now();
    let remind = remind_at(now, 0, &settings);
    if !sql::ready(&mut tx, hospital.id, there.id, &caller.actor.to_string(), remind).await? {
        return Err(problems::changed_meanwhile());
    }
    let ready = PickUp { state: PickUpState::Ready, ready_at: Some(now), ..there };
    tell(&mut tx, hospital, &ready, Kind::PickUpReady, ready.id.to_string()).await?;
    tx.publish(NewEvent {
        hospital: hospital.id,
        kind: READY,
        key: ready.person.to_string(),
        payload: serde_json::json!({"pick_up": ready.id}),
    })
    .await?;
    done(&mut tx, caller, &ready, "queue.pickup.ready").await?;
    tx.commit().await?;
    Ok(ready)
}

/// Hands something over against its code.
///
/// # Errors
/// 404 `code_unknown`; 409 `code_used`, `not_ready`; 503.
pub(crate) async fn collect(deps: &QueueDeps, caller: &Caller, code: &str) -> Result<PickUp, Problem> {
    let h = caller.hospital.id;
    let mut tx = deps.db.begin().await?;
    let there = sql::by_code(&mut tx, h, code.trim()).await?.ok_or_else(problems::code_unknown)?;
    match there.state {
        PickUpState::Ready => {}
        PickUpState::Expected => return Err(problems::not_ready()),
        PickUpState::Collected | PickUpState::Returned => return Err(problems::code_used()),
    }
    if !sql::end(&mut tx, h, there.id, PickUpState::Collected, &caller.actor.to_string()).await? {
        return Err(problems::code_used());
    }
    notify::cancel(&mut tx, h, &there.id.to_string(), &[Kind::PickUpReady]).await?;
    let collected = PickUp { state: PickUpState::Collected, ended_at: Some(tx.now()), ..there };
    done(&mut tx, caller, &collected, "queue.pickup.collect").await?;
    tx.commit().await?;
    Ok(collected)
}

/// Takes something off the shelf that nobody came for.
///
/// # Errors
/// 404; 409 `not_ready`; 503.
pub(crate) async fn put_back(deps: &QueueDeps, caller: &Caller, id: PickUpId) -> Result<PickUp, Problem> {
    let h = caller.hospital.id;
    let there = sql::read(&deps.db, h, id).await?.ok_or_else(Problem::not_found)?;
    let mut tx = deps.db.begin().await?;
    if !sql::end(&mut tx, h, id, PickUpState::Returned, &caller.actor.to_string()).await? {
        return Err(problems::not_ready());
    }
    let returned = PickUp { state: PickUpState::Returned, ended_at: Some(tx.now()), ..there };
    done(&mut tx, caller, &returned, "queue.pickup.put_back").await?;
    tx.commit().await?;
    Ok(returned)
}

async fn done(tx: &mut Tx, caller: &Caller, pick_up: &PickUp, what: &'static str) -> Result<(), Problem> {
    tx.audit(caller.audit(what, pick_up.id, serde_json::json!({"kind": pick_up.kind}))).await?;
    tx.touch(Topic::new("pickup", pick_up.id));
    if let Some(area) = pick_up.area {
        tx.touch(Topic::new("area", area));
    }
    Ok(())
}

/// When the reminder after `sent` reminders is due.
pub(crate) fn remind_at(ready: UnixMs, sent: i64, settings: &Settings) -> Option<UnixMs> {
    let days = settings.remind_days.get(usize::try_from(sent).ok()?)?;
    Some(ready.plus(DAY * *days))
}

/// Tells whose it is.
pub(crate) async fn tell(
    tx: &mut Tx,
    hospital: &Hospital,
    pick_up: &PickUp,
    kind: Kind,
    subject: String,
) -> Result<(), Problem> {
    let Some(account) = pick_up.account else { return Ok(()) };
    if bound::find(tx, hospital.id, account, pick_up.person).await?.is_none() {
        return Ok(());
    }
    let area = match pick_up.area {
        Some(id) => setup_sql::area_in(tx, hospital.id, id).await?,
        None => None,
    };
    let mut data = notify::Data::new();
    data.insert("person", pick_up.name_masked.clone().into());
    data.insert("item", pick_up.kind.name().into());
    data.insert("number", pick_up.label.clone().into());
    data.insert("campus", hospital.profile.short_name.clone().into());
    if let Some(area) = area {
        data.insert("room", area.name.into());
    }
    let now = tx.now();
    data.insert("start", pick_up.ready_at.unwrap_or(now).into());
    let tell = Tell {
        kind,
        account,
        person: Some(pick_up.person),
        subject,
        data,
        // Each card has an address of its own, so that one can tell them apart.
        link: format!("/pickups/{}?for=ready-{}", pick_up.id, pick_up.reminded),
        send_after: None,
        expires_at: now.plus(DAY),
    };
    notify::tell(tx, hospital.id, tell).await?;
    Ok(())
}

/// Something of one of the account's persons.
///
/// # Errors
/// 404 for everybody else; 503.
pub(crate) async fn own(deps: &QueueDeps, account: &Account, id: PickUpId) -> Result<PickUpBody, Problem> {
    let h = account.caller.hospital.id;
    let found = sql::read(&deps.db, h, id).await?.ok_or_else(Problem::not_found)?;
    let persons = bound::list(&deps.db, h, account.id).await?;
    if !persons.iter().any(|p| p.person == found.person) {
        return Err(Problem::not_found());
    }
    let setup = deps.pictures.setup(h).await?;
    Ok(wire::pick_up(&account.caller.hospital, &setup, &found))
}

/// All of the account's persons.
///
/// # Errors
/// 503.
pub(crate) async fn mine(deps: &QueueDeps, account: &Account) -> Result<Vec<PickUpBody>, Problem> {
    let h = account.caller.hospital.id;
    let since = deps.db.now().minus(SHOWN_AFTER);
    let setup = deps.pictures.setup(h).await?;
    let mut all = Vec::new();
    for person in bound::list(&deps.db, h, account.id).await? {
        for found in sql::of_person(&deps.db, h, person.person, since).await? {
            all.push(wire::pick_up(&account.caller.hospital, &setup, &found));
        }
    }
    Ok(all)
}
