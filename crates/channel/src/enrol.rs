//! Joining: a person in front of the hospital, a phone, one scan.
//!
//! A machine with the card in it, or staff, begin it ([`at_kiosk`], [`at_desk`]); the code lives for two minutes at the machine
//! and ten at the desk. Who scans first has it ([`scanned`]). A grown-up's own phone is bound by the scan; on a relative's phone,
//! and for a child, the patient's name is confirmed first ([`confirm`]).

pub mod rules;

use std::time::Duration;

use ::store::Tx;
use edge::{Account, AccountId, Actor, Caller, Hospital};
use people::cards::CardNumber;
use people::names::RealName;
use people::persons::Consent;
use people::settings::ConsentVersions;
use people::{PersonId, Relation, cards, enrol};
use serde_json::json;

use crate::model::{Code, Door, Enrolment, EnrolmentId, Stage};
use crate::refusal::Refusal;
use crate::store::{code, enrolment};
use crate::{ChannelDeps, codes};
use rules::Met;

/// A code at a machine, where the next person waits …
const AT_KIOSK: Duration = Duration::from_secs(120);
/// … one at a desk …
const AT_DESK: Duration = Duration::from_secs(600);
/// … and one on a slip that somebody without a phone takes home for a relative.
pub const ON_PAPER: Duration = Duration::from_secs(7 * 86_400);
/// Who has scanned may take so long to confirm the name.
const TO_CONFIRM: Duration = Duration::from_secs(600);

/// An enrolment with what is shown of it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The enrolment.
    pub enrolment: Enrolment,
    /// What stands in the code's picture.
    pub picture: String,
    /// Who is to be bound, masked.
    pub name_masked: String,
    /// Whether that is a child, who needs a guardian.
    pub minor: bool,
}

/// Begins with a card that a machine has in it.
///
/// # Errors
/// [`Refusal::CardUnknown`].
pub async fn at_kiosk(deps: &ChannelDeps, caller: &Caller, number: &CardNumber) -> Result<Shown, Refusal> {
    let mut tx = deps.db.begin().await?;
    let person = cards::person_of(&mut tx, &deps.vault, caller.hospital.id, number).await?;
    let person = person.ok_or(Refusal::CardUnknown)?;
    // The machine shows the consent before it takes the card.
    begin(deps, caller, tx, Start { person, door: Door::Kiosk, proxy: false, lasts: AT_KIOSK }).await
}

/// Begins with somebody in front of staff. `agreed`: the consent was read out, and the patient or the relative agreed.
///
/// # Errors
/// [`Refusal::NotAgreed`]; [`Refusal::NotFound`].
pub async fn at_desk(
    deps: &ChannelDeps,
    caller: &Caller,
    person: PersonId,
    proxy: bool,
    agreed: bool,
    on_paper: bool,
) -> Result<Shown, Refusal> {
    if !agreed {
        return Err(Refusal::NotAgreed);
    }
    let tx = deps.db.begin().await?;
    let lasts = if on_paper { ON_PAPER } else { AT_DESK };
    // A slip is for a relative at home, whoever that may be.
    let proxy = proxy || on_paper;
    begin(deps, caller, tx, Start { person, door: Door::Desk, proxy, lasts }).await
}

struct Start {
    person: PersonId,
    door: Door,
    proxy: bool,
    lasts: Duration,
}

async fn begin(deps: &ChannelDeps, caller: &Caller, mut tx: Tx, start: Start) -> Result<Shown, Refusal> {
    let h = caller.hospital.id;
    enrol::facts(&mut tx, h, start.person).await?.ok_or(Refusal::NotFound)?;
    let (id, expires_at) = (EnrolmentId::new(), tx.now().plus(start.lasts));
    let path = format!("/join/{id}");
    let code = codes::add_temporary(&mut tx, caller, id.db(), &path, expires_at).await?;
    let versions: ConsentVersions = caller.hospital.settings(ConsentVersions::SECTION);
    let row = enrolment::NewRow {
        person: start.person,
        code,
        door: start.door,
        proxy: start.proxy,
        consent_version: &versions.consent_version,
        by: &caller.actor.to_string(),
        expires_at,
    };
    enrolment::add(&mut tx, h, id, row).await?;
    let detail = json!({"enrolment": id.to_string(), "door": start.door, "proxy": start.proxy});
    tx.audit(caller.audit("person.enrol", start.person, detail)).await?;
    tx.commit().await?;
    codes::ask_wechat(deps, h, code).await;
    show(deps, &caller.hospital, id).await
}

/// An enrolment as staff and machines see it.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn show(deps: &ChannelDeps, hospital: &Hospital, id: EnrolmentId) -> Result<Shown, Refusal> {
    let found = enrolment::get(&deps.db, hospital.id, id).await?.ok_or(Refusal::NotFound)?;
    let code = code::get(&deps.db, hospital.id, found.code).await?.ok_or(Refusal::NotFound)?;
    let mut tx = deps.db.begin().await?;
    let facts = enrol::facts(&mut tx, hospital.id, found.person).await?.ok_or(Refusal::NotFound)?;
    tx.rollback().await?;
    let today = hospital.zone.date(deps.db.now());
    Ok(Shown {
        picture: codes::picture_text(deps, hospital, &code),
        minor: facts.minor(today),
        name_masked: facts.name_masked,
        enrolment: found,
    })
}

/// Ends an enrolment that nobody needs any more. Twice is once; one that is bound stays so.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn end(deps: &ChannelDeps, caller: &Caller, id: EnrolmentId) -> Result<(), Refusal> {
    let h = caller.hospital.id;
    let found = enrolment::get(&deps.db, h, id).await?.ok_or(Refusal::NotFound)?;
    let mut tx = deps.db.begin().await?;
    if enrolment::end(&mut tx, h, id).await? {
        tx.audit(caller.audit("person.enrol_end", found.person, json!({"enrolment": id.to_string()})))
            .await?;
    }
    tx.commit().await?;
    Ok(())
}

/// What came of a scan.
#[derive(Debug, Clone, PartialEq)]
pub enum Scanned {
    /// Bound, with this scan or an earlier one of the same account.
    Bound {
        /// Whom, masked.
        name_masked: String,
    },
    /// The name has to be confirmed, on this page.
    Confirm {
        /// The page.
        path: String,
    },
    /// They can't be bound to this account, for this reason.
    Not(base::Problem),
    /// Somebody else has scanned it.
    Used,
    /// Its time is over.
    Over,
}

/// An account scans an enrolment's code. The same scan told twice changes nothing more.
///
/// # Errors
/// The database.
pub async fn scanned(
    tx: &mut Tx,
    hospital: &std::sync::Arc<Hospital>,
    account: AccountId,
    code: &Code,
) -> Result<Scanned, Refusal> {
    let h = hospital.id;
    let found = enrolment::by_code(tx, h, code.id).await?.ok_or(Refusal::NotFound)?;
    let met = match rules::meets(&found, account, tx.now()) {
        Met::Free if enrolment::claim(tx, h, found.id, account).await? => Met::Free,
        // Two at the same moment: look again at what the other has made of it.
        Met::Free => {
            let now_there = enrolment::get_in(tx, h, found.id).await?.ok_or(Refusal::NotFound)?;
            rules::meets(&now_there, account, tx.now())
        }
        other => other,
    };
    let Some(facts) = enrol::facts(tx, h, found.person).await? else { return Ok(Scanned::Over) };
    match met {
        Met::Over => return Ok(Scanned::Over),
        Met::Used => return Ok(Scanned::Used),
        Met::Done => return Ok(Scanned::Bound { name_masked: facts.name_masked }),
        Met::Free | Met::Theirs => {}
    }
    let standing = enrol::standing(tx, h, account, found.person).await?;
    if standing.bound {
        enrolment::bound(tx, h, found.id).await?;
        return Ok(Scanned::Bound { name_masked: facts.name_masked });
    }
    let minor = facts.minor(hospital.zone.date(tx.now()));
    if !rules::at_once(minor, standing.has_holder, found.proxy) {
        let until = tx.now().plus(TO_CONFIRM);
        enrolment::stretch(tx, h, found.id, until).await?;
        return Ok(Scanned::Confirm { path: code.path.clone() });
    }
    let who = holder(hospital, account);
    let consent = Consent { version: found.consent_version.clone(), guardian: false };
    match enrol::bind(tx, &who, found.person, Relation::Oneself, &consent, how(found.door)).await {
        Ok(()) => {
            enrolment::bound(tx, h, found.id).await?;
            Ok(Scanned::Bound { name_masked: facts.name_masked })
        }
        Err(people::Refusal::Store(error)) => Err(error.into()),
        Err(refusal) => Ok(Scanned::Not(refusal.into())),
    }
}

/// The account's holder as a caller: for what a scan does in their name.
fn holder(hospital: &std::sync::Arc<Hospital>, account: AccountId) -> Account {
    let caller = Caller {
        actor: Actor::Account(account),
        source: "wechat".into(),
        request_id: "scan".into(),
        ..Caller::system(hospital.clone())
    };
    Account { id: account, caller }
}

fn how(door: Door) -> &'static str {
    match door {
        Door::Kiosk => "kiosk",
        Door::Desk => "desk",
    }
}

/// An account claims an enrolment by its scene, from our own page: where WeChat told us of no scan.
///
/// # Errors
/// As [`crate::scans::find`]; [`Refusal::NotFound`] when it is the code of something else.
pub async fn claim(
    deps: &ChannelDeps,
    who: &Account,
    scene: &str,
) -> Result<(EnrolmentId, Scanned), Refusal> {
    let hospital = &who.caller.hospital;
    let mut tx = deps.db.begin().await?;
    let code = crate::scans::find(&mut tx, hospital, scene).await?;
    let target = code.target.as_deref().filter(|_| code.purpose == crate::model::Purpose::Enrolment);
    let id = target.and_then(|t| EnrolmentId::from_db(t).ok()).ok_or(Refusal::NotFound)?;
    let scanned = scanned(&mut tx, hospital, who.id, &code).await?;
    tx.commit().await?;
    Ok((id, scanned))
}

/// What the account that has scanned is shown.
///
/// # Errors
/// [`Refusal::NotFound`] for everybody else; [`Refusal::Over`].
pub async fn claimed(deps: &ChannelDeps, who: &Account, id: EnrolmentId) -> Result<Shown, Refusal> {
    let shown = show(deps, &who.caller.hospital, id).await?;
    let theirs = shown.enrolment.account == Some(who.id);
    match shown.enrolment.stage {
        Stage::Bound if theirs => Ok(shown),
        Stage::Claimed if theirs && deps.db.now() < shown.enrolment.expires_at => Ok(shown),
        Stage::Claimed if theirs => Err(Refusal::Over),
        _ => Err(Refusal::NotFound),
    }
}

/// Confirms whom an account has scanned, and binds them. The same request again changes nothing.
///
/// # Errors
/// [`Refusal::NotFound`], [`Refusal::Over`], [`Refusal::OtherName`]; what the account's list forbids.
pub async fn confirm(
    deps: &ChannelDeps,
    who: &Account,
    id: EnrolmentId,
    name: &RealName,
    relation: Relation,
    consent: Consent,
) -> Result<(), Refusal> {
    let shown = claimed(deps, who, id).await?;
    if shown.enrolment.stage == Stage::Bound {
        return Ok(());
    }
    let h = who.caller.hospital.id;
    let person = shown.enrolment.person;
    let mut tx = deps.db.begin().await?;
    if rules::tries_left(shown.enrolment.wrong) == 0 {
        return Err(Refusal::Over);
    }
    if !enrol::is_name_of(&mut tx, &deps.vault, h, person, name).await? {
        enrolment::wrong(&mut tx, h, id).await?;
        let left = rules::tries_left(shown.enrolment.wrong.saturating_add(1));
        if left == 0 {
            enrolment::end(&mut tx, h, id).await?;
        }
        tx.audit(who.caller.audit("person.enrol_wrong", person, json!({"enrolment": id.to_string()})))
            .await?;
        tx.commit().await?;
        return Err(Refusal::OtherName(left));
    }
    match enrol::bind(&mut tx, who, person, relation, &consent, how(shown.enrolment.door)).await {
        Ok(()) | Err(people::Refusal::AlreadyBound) => {}
        Err(refusal) => return Err(refusal.into()),
    }
    enrolment::bound(&mut tx, h, id).await?;
    tx.commit().await?;
    Ok(())
}
