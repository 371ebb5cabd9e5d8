//! Making, finding and closing codes.
//!
//! The row comes first, then WeChat is asked to make the code; where it does not answer, a job asks again, and until then the
//! plain address stands in the picture. Asked twice, WeChat makes the same permanent code once more, and a second temporary one
//! with the same scene, which costs nothing.

use std::time::Duration;

use ::store::vault::Purpose as Opening;
use ::store::{NewJob, Tx};
use base::{HospitalId, Text2, UnixMs};
use edge::{Caller, Hospital};
use schedule::{DepartmentId, DoctorId};
use serde_json::json;
use wechat::api::qrcode::Life;

use crate::model::{Code, CodeId, Purpose, Wifi};
use crate::reacts::MAKE;
use crate::refusal::Refusal;
use crate::store::{WIFI, code};
use crate::{ChannelDeps, links, scene};

/// A page without a purpose of its own leads where most people want to go.
pub(crate) const BOOKING_PAGE: &str = "/departments";

/// A code to be made.
#[derive(Debug, Clone)]
pub struct NewCode {
    /// What it is for; not [`Purpose::Enrolment`].
    pub purpose: Purpose,
    /// `doc_…` or `dep_…` for a doctor's or department's code.
    pub target: Option<String>,
    /// The page that it leads to; for doctors and departments theirs.
    pub path: Option<String>,
    /// What it is called; for doctors theirs.
    pub name: Option<Text2>,
    /// The network of a Wi-Fi poster.
    pub wifi: Option<Wifi>,
}

/// What is known of a code once its parts have been judged.
struct Judged {
    target: Option<String>,
    path: String,
    name: Text2,
}

/// Makes a permanent code. The same key, doctor or department gives the code that is there.
///
/// # Errors
/// [`Refusal::Target`], [`Refusal::Name`], [`Refusal::Path`], [`Refusal::Wifi`].
pub async fn make(deps: &ChannelDeps, caller: &Caller, key: &str, new: NewCode) -> Result<Code, Refusal> {
    let h = caller.hospital.id;
    let judged = judge(deps, &caller.hospital, &new)?;
    let wifi = match (&new.wifi, new.purpose) {
        (Some(wifi), Purpose::Wifi) => {
            check_wifi(wifi)?;
            Some(deps.vault.seal(h, WIFI, &json!(wifi).to_string())?)
        }
        (None, Purpose::Wifi) | (Some(_), _) => return Err(Refusal::Wifi),
        (None, _) => None,
    };
    let mut tx = deps.db.begin().await?;
    let row = code::NewRow {
        scene: scene::new(h)?,
        purpose: new.purpose,
        target: judged.target.clone(),
        path: &judged.path,
        name: &judged.name,
        wifi,
        key,
        by: &caller.actor.to_string(),
        expires_at: None,
    };
    let Some(id) = code::add(&mut tx, h, row).await? else {
        let there = match &judged.target {
            Some(target) => code::by_target(&mut tx, h, new.purpose, target).await?,
            None => None,
        };
        let there = match there {
            Some(there) => there,
            None => code::by_key(&mut tx, h, key).await?.ok_or(Refusal::NotFound)?,
        };
        tx.rollback().await?;
        return Ok(there);
    };
    ask_again_later(&mut tx, h, id).await?;
    tx.audit(caller.audit("code.make", id, json!({"purpose": new.purpose}))).await?;
    tx.commit().await?;
    ask_wechat(deps, h, id).await;
    code::get(&deps.db, h, id).await?.ok_or(Refusal::NotFound)
}

fn judge(deps: &ChannelDeps, hospital: &Hospital, new: &NewCode) -> Result<Judged, Refusal> {
    let target = new.target.as_deref();
    let named = |name: &Option<Text2>| {
        let fits = |text: &str, most| (1..=most).contains(&text.trim().chars().count());
        name.clone().filter(|n| fits(&n.zh, 30) && fits(&n.en, 60)).ok_or(Refusal::Name)
    };
    Ok(match new.purpose {
        Purpose::Doctor => {
            let id: DoctorId = target.and_then(|t| t.parse().ok()).ok_or(Refusal::Target)?;
            let doctor = deps.board.doctor_summary(hospital.id, id).ok_or(Refusal::Target)?;
            Judged { target: Some(id.db()), path: format!("/doctors/{id}"), name: doctor.name }
        }
        Purpose::Department => {
            let id: DepartmentId = target.and_then(|t| t.parse().ok()).ok_or(Refusal::Target)?;
            if !deps.board.has_department(hospital.id, id) {
                return Err(Refusal::Target);
            }
            let path = format!("/departments/{id}");
            Judged { target: Some(id.db()), path, name: named(&new.name)? }
        }
        Purpose::Place | Purpose::Poster | Purpose::Wifi => {
            if target.is_some() {
                return Err(Refusal::Target);
            }
            let path = new.path.as_deref().unwrap_or(BOOKING_PAGE);
            if people::rules::local_path(Some(path)) != path {
                return Err(Refusal::Path);
            }
            Judged { target: None, path: path.to_owned(), name: named(&new.name)? }
        }
        Purpose::Enrolment => return Err(Refusal::Target),
    })
}

/// As IEEE 802.11 has it: a name of up to 32 bytes, a WPA passphrase of 8 to 63 printable characters.
fn check_wifi(wifi: &Wifi) -> Result<(), Refusal> {
    let name = (1..=32).contains(&wifi.ssid.len()) && !wifi.ssid.chars().any(char::is_control);
    let password = wifi.password.is_empty()
        || (8..=63).contains(&wifi.password.len()) && wifi.password.bytes().all(|b| (32..127).contains(&b));
    if name && password { Ok(()) } else { Err(Refusal::Wifi) }
}

/// A temporary code for one enrolment, in its transaction; then [`ask_wechat`].
pub(crate) async fn add_temporary(
    tx: &mut Tx,
    caller: &Caller,
    target: String,
    path: &str,
    expires_at: UnixMs,
) -> Result<CodeId, Refusal> {
    let h = caller.hospital.id;
    let row = code::NewRow {
        scene: scene::new(h)?,
        purpose: Purpose::Enrolment,
        target: Some(target.clone()),
        path,
        name: &Text2::new("绑定就诊人", "Link a patient"),
        wifi: None,
        // One enrolment has one code.
        key: &format!("enrolment-{target}"),
        by: &caller.actor.to_string(),
        expires_at: Some(expires_at),
    };
    let id = code::add(tx, h, row).await?.ok_or(people::Refusal::Busy)?;
    Ok(id)
}

/// If WeChat has not made the code by then, it is asked again.
async fn ask_again_later(tx: &mut Tx, h: HospitalId, id: CodeId) -> Result<(), Refusal> {
    let due = tx.now().plus(Duration::from_secs(20));
    let payload = json!({"code": id.to_string()});
    tx.at(due, NewJob { hospital: h, kind: MAKE, payload, dedupe: id.db() }).await?;
    Ok(())
}

/// Asks WeChat to make a code. What goes wrong is logged: the plain address works all the same.
pub(crate) async fn ask_wechat(deps: &ChannelDeps, h: HospitalId, id: CodeId) {
    if let Err(error) = try_wechat(deps, h, id).await {
        tracing::warn!(error, code = %id, "WeChat has not made a code; its plain address stands in the picture");
    }
}

/// As [`ask_wechat`], saying what went wrong. Nothing is asked where there is no service account, or the code is made or over.
pub(crate) async fn try_wechat(deps: &ChannelDeps, h: HospitalId, id: CodeId) -> Result<(), String> {
    let Some(channel) = deps.channels.service(h) else { return Ok(()) };
    let found = code::get(&deps.db, h, id).await.map_err(|e| e.to_string())?;
    let Some(found) = found.filter(|c| c.url.is_none() && c.closed_at.is_none()) else { return Ok(()) };
    let life = match found.expires_at {
        None => Life::Permanent,
        Some(end) => {
            let left = u32::try_from(end.since(deps.db.now()).as_secs()).unwrap_or(u32::MAX);
            if left == 0 {
                return Ok(());
            }
            Life::Seconds(left.min(wechat::api::qrcode::MAX_SECONDS))
        }
    };
    let made = channel.client.create_code(&found.scene, life).await.map_err(|e| e.to_string())?;
    let mut tx = deps.db.begin().await.map_err(|e| e.to_string())?;
    code::made(&mut tx, h, id, &made.ticket, &made.url).await.map_err(|e| e.to_string())?;
    tx.commit().await.map_err(|e| e.to_string())
}

/// What stands in a code's picture: WeChat's address where it has one, else our own.
#[must_use]
pub fn picture_text(deps: &ChannelDeps, hospital: &Hospital, code: &Code) -> String {
    code.url.clone().unwrap_or_else(|| links::scan(&deps.base_url(hospital), &code.scene))
}

/// Closes a code: who scans it afterwards is told so. Twice is once.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn close(deps: &ChannelDeps, caller: &Caller, id: CodeId) -> Result<(), Refusal> {
    let h = caller.hospital.id;
    let found = code::get(&deps.db, h, id).await?;
    found.filter(|c| c.purpose != Purpose::Enrolment).ok_or(Refusal::NotFound)?;
    let mut tx = deps.db.begin().await?;
    if code::close(&mut tx, h, id).await? {
        tx.audit(caller.audit("code.close", id, json!({}))).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// The network of a Wi-Fi poster. That it was opened is audited by whoever prints it.
///
/// # Errors
/// [`Refusal::NotFound`] when the code has none.
pub async fn wifi(deps: &ChannelDeps, h: HospitalId, id: CodeId) -> Result<Wifi, Refusal> {
    let sealed = code::wifi(&deps.db, h, id).await?.ok_or(Refusal::NotFound)?;
    let text = deps.vault.open_sealed(h, WIFI, &sealed, Opening::ShowStaff)?;
    serde_json::from_str(&text).map_err(|_| Refusal::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_checked_before_they_are_printed() {
        let wifi =
            |ssid: &str, password: &str| check_wifi(&Wifi { ssid: ssid.into(), password: password.into() });
        assert!(wifi("Xinglin-Guest", "").is_ok() && wifi("杏林医院", "12345678").is_ok());
        for (ssid, password) in [
            ("", "12345678"),
            ("a\n", ""),
            ("G", "1234567"),
            ("G", "密码密码密码"),
            (&"x".repeat(33), ""),
            ("G", &"x".repeat(64)),
        ] {
            assert!(wifi(ssid, password).is_err(), "{ssid:?} {password:?}");
        }
    }
}
