//! A scan: what is said about it in the chat, and what is kept of it.

use std::sync::Arc;

use ::store::{Db, Tx};
use base::{Lang, UnixMs};
use edge::{AccountId, Hospital};
use people::{Channel, wechat_user};
use schedule::DoctorId;

use crate::ChannelDeps;
use crate::enrol::{self, Scanned};
use crate::model::{Code, Purpose};
use crate::refusal::Refusal;
use crate::scene::{self, Whose};
use crate::store::code::{self, NewScan};
use crate::words::{self, Said};

/// The code that somebody scanned.
///
/// # Errors
/// [`Refusal::Unknown`], [`Refusal::AnotherHospitals`], [`Refusal::Closed`], [`Refusal::Over`].
pub async fn find(tx: &mut Tx, hospital: &Hospital, scene: &str) -> Result<Code, Refusal> {
    ours(hospital, scene)?;
    let found = code::by_scene_in(tx, hospital.id, scene).await?;
    open(found, tx.now())
}

/// As [`find`], outside a transaction.
///
/// # Errors
/// As [`find`].
pub async fn look(db: &Db, hospital: &Hospital, scene: &str) -> Result<Code, Refusal> {
    ours(hospital, scene)?;
    open(code::by_scene(db, hospital.id, scene).await?, db.now())
}

fn ours(hospital: &Hospital, scene: &str) -> Result<(), Refusal> {
    match scene::whose(hospital.id, scene) {
        Whose::Ours => Ok(()),
        Whose::AnotherHospitals => Err(Refusal::AnotherHospitals),
        Whose::Nobodys => Err(Refusal::Unknown),
    }
}

fn open(found: Option<Code>, now: UnixMs) -> Result<Code, Refusal> {
    let code = found.ok_or(Refusal::Unknown)?;
    if code.closed_at.is_some() {
        return Err(Refusal::Closed);
    }
    // Who has scanned an enrolment in time may come again: that is for the enrolment to say.
    let over = code.purpose != Purpose::Enrolment && code.expires_at.is_some_and(|end| now >= end);
    if over { Err(Refusal::Over) } else { Ok(code) }
}

/// What the chat says to a scan. An enrolment's code is claimed on the way, so that what is said is so.
///
/// `lang` is the account's, if anybody knows it; a new follower is first welcomed.
///
/// # Errors
/// The database.
pub async fn answer(
    deps: &ChannelDeps,
    channel: &Channel,
    openid: &str,
    scene: &str,
    lang: Option<Lang>,
    is_new: bool,
) -> Result<Answer, Refusal> {
    let hospital = deps.hospitals.get(channel.hospital).ok_or(Refusal::NotFound)?;
    let said = match look(&deps.db, &hospital, scene).await {
        Ok(code) if code.purpose == Purpose::Enrolment => {
            let mut tx = deps.db.begin().await?;
            let account =
                wechat_user::account_of_openid(&mut tx, hospital.id, channel.id, openid, true).await?;
            let account = account.ok_or(Refusal::NotFound)?;
            let scanned = enrol::scanned(&mut tx, &hospital, account, &code).await?;
            tx.commit().await?;
            joined(scanned)
        }
        Ok(code) => leads(deps, &hospital, &code),
        Err(Refusal::Store(error)) => return Err(error.into()),
        Err(refusal) => Said::Problem(refusal.into()),
    };
    let leads = !matches!(said, Said::Problem(_));
    Ok(Answer {
        text: words::write(&said, &hospital, &deps.base_url(&hospital), lang, is_new && leads),
        leads,
    })
}

/// What the chat says to a scan.
pub struct Answer {
    /// The words.
    pub text: String,
    /// Whether they lead on; when not, a new follower is to be told where to go besides.
    pub leads: bool,
}

fn joined(scanned: Scanned) -> Said {
    match scanned {
        Scanned::Bound { name_masked } => Said::Bound { name_masked },
        Scanned::Confirm { path } => Said::Confirm { path },
        Scanned::Not(problem) => Said::Problem(problem),
        Scanned::Used => Said::Problem(Refusal::Used.into()),
        Scanned::Over => Said::Problem(Refusal::Over.into()),
    }
}

fn leads(deps: &ChannelDeps, hospital: &Hospital, code: &Code) -> Said {
    let doctor = code.target.as_deref().filter(|_| code.purpose == Purpose::Doctor);
    let doctor = doctor.and_then(|id| DoctorId::from_db(id).ok());
    let next_free = doctor.and_then(|id| deps.board.next_free(hospital.id, id)).map(|free| free.date);
    Said::Leads { purpose: code.purpose, name: code.name.clone(), path: code.path.clone(), next_free }
}

/// A scan that WeChat told of, to be kept.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The id of the push, so that one that comes again counts once.
    pub push: &'a str,
    /// The scene.
    pub scene: &'a str,
    /// Who.
    pub account: AccountId,
    /// Whether they began to follow with it.
    pub is_new: bool,
    /// When.
    pub at: UnixMs,
}

/// Keeps a scan, and does what it asks for where the answer in the chat could not.
///
/// # Errors
/// The database.
pub async fn keep(tx: &mut Tx, hospital: &Arc<Hospital>, told: Told<'_>) -> Result<(), Refusal> {
    let code = match find(tx, hospital, told.scene).await {
        Ok(code) => code,
        Err(Refusal::Store(error)) => return Err(error.into()),
        // What was never ours, or is over, is not counted.
        Err(_) => return Ok(()),
    };
    if code.purpose == Purpose::Enrolment {
        enrol::scanned(tx, hospital, told.account, &code).await?;
    }
    let scan = NewScan {
        id: told.push.to_owned(),
        code: code.id,
        day: hospital.zone.date(told.at),
        way: "wechat",
        account: Some(told.account),
        is_new: told.is_new,
        at: told.at,
    };
    Ok(code::add_scan(tx, hospital.id, scan).await?)
}

/// Keeps a scan of a plain browser.
///
/// # Errors
/// The database.
pub async fn keep_plain(db: &Db, hospital: &Hospital, code: &Code) -> Result<(), Refusal> {
    let mut tx = db.begin().await?;
    let at = tx.now();
    let scan = NewScan {
        id: crate::CodeId::new().db(),
        code: code.id,
        day: hospital.zone.date(at),
        way: "browser",
        account: None,
        is_new: false,
        at,
    };
    code::add_scan(&mut tx, hospital.id, scan).await?;
    Ok(tx.commit().await?)
}
