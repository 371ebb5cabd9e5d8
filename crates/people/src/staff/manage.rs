//! What the security administrator does: who works here, with which roles, in which state; codes for who can't sign in.

use ::store::vault::Purpose;
use ::store::{StoreError, Tx};
use edge::{Actor, Caller, Role, Staff, StaffId};
use serde_json::json;

use super::model::{Known, StaffState};
use super::refusal::name as real_name;
use super::settings::StaffSignIn;
use super::store::member::{self, Filter, NewRow};
use super::store::ticket;
use super::{StaffDeps, StaffRefusal, codes, own, rules};
use crate::names::RealName;
use crate::store::STAFF_NAME;
use crate::store::person::Covered;

/// Somebody to be put on the list.
#[derive(Debug, Clone)]
pub struct NewMember {
    /// The name to sign in with.
    pub login: String,
    /// The real name.
    pub name: String,
    /// The roles; at least one.
    pub roles: Vec<Role>,
    /// The doctor that this person is, `doc_…`.
    pub doctor_id: Option<String>,
    /// The departments that the work is limited to, `dep_…`; none means all.
    pub department_ids: Vec<String>,
    /// Who they are in WeCom.
    pub wecom_userid: Option<String>,
}

/// What is to change; `None` stays, `Some(None)` goes away.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// The real name.
    pub name: Option<String>,
    /// The roles.
    pub roles: Option<Vec<Role>>,
    /// Whether they may sign in.
    pub state: Option<StaffState>,
    /// The doctor.
    pub doctor_id: Option<Option<String>>,
    /// The departments.
    pub department_ids: Option<Vec<String>>,
    /// Who they are in WeCom.
    pub wecom_userid: Option<Option<String>>,
}

/// Whether somebody manages staff here and now: the security administrator, or whoever stands in.
///
/// # Errors
/// Any [`StoreError`].
pub async fn manages(deps: &StaffDeps, who: &Staff) -> Result<bool, StoreError> {
    let established = member::is_established(&deps.people.db, who.caller.hospital.id).await?;
    Ok(rules::manages_staff(&who.roles, established))
}

async fn must_manage(deps: &StaffDeps, who: &Staff) -> Result<(), StaffRefusal> {
    if manages(deps, who).await? { Ok(()) } else { Err(StaffRefusal::Forbidden) }
}

/// Puts somebody on the list; gives their id and the code to begin with, which nobody is shown again.
///
/// # Errors
/// [`StaffRefusal::Login`], [`StaffRefusal::LoginTaken`], [`StaffRefusal::Name`], [`StaffRefusal::Roles`],
/// [`StaffRefusal::Doctor`], [`StaffRefusal::Department`], [`StaffRefusal::Wecom`], [`StaffRefusal::WecomTaken`],
/// [`StaffRefusal::Forbidden`].
pub async fn add(deps: &StaffDeps, who: &Staff, new: NewMember) -> Result<(StaffId, String), StaffRefusal> {
    must_manage(deps, who).await?;
    let (caller, h) = (&who.caller, who.caller.hospital.id);
    let login = rules::login(&new.login).ok_or(StaffRefusal::Login)?;
    let name = real_name(&new.name)?;
    let roles = rules::roles(&new.roles).map_err(StaffRefusal::Roles)?;
    check_places(deps, caller, new.doctor_id.as_deref(), &new.department_ids)?;
    let wecom_userid = new.wecom_userid.as_deref().map(userid).transpose()?;
    let (id, code) = (StaffId::new(), codes::one_time()?);
    let settings: StaffSignIn = caller.hospital.settings(StaffSignIn::SECTION);
    let row = NewRow {
        id,
        login: login.clone(),
        name: cover(deps, caller, &name)?,
        doctor_id: new.doctor_id,
        wecom_userid,
        code_hash: codes::one_time_hash(&deps.people.vault, h, id, &code),
        code_ends_at: deps.people.db.now().plus(settings.code_life()),
    };
    let login_taken = member::by_login(&deps.people.db, h, &login).await?.is_some();
    let mut tx = deps.people.db.begin().await?;
    if !member::add(&mut tx, h, row).await? {
        return Err(if login_taken { StaffRefusal::LoginTaken } else { StaffRefusal::WecomTaken });
    }
    give_roles(&mut tx, caller, id, &roles).await?;
    member::set_departments(&mut tx, h, id, &new.department_ids).await?;
    let detail = json!({"login": login, "roles": role_codes(&roles), "departments": new.department_ids});
    tx.audit(caller.audit("staff.add", id, detail)).await?;
    tx.commit().await?;
    Ok((id, code))
}

pub(super) async fn give_roles(
    tx: &mut Tx,
    caller: &Caller,
    id: StaffId,
    roles: &[Role],
) -> Result<(), StaffRefusal> {
    if member::set_roles(tx, caller.hospital.id, id, roles).await? {
        return Ok(());
    }
    Err(StaffRefusal::Roles(rules::RolesFault::NotApart))
}

/// Changes somebody. Whoever's roles, departments or state change is signed out.
///
/// # Errors
/// As [`add`], and [`StaffRefusal::Oneself`], [`StaffRefusal::LastAdministrator`], [`StaffRefusal::NotFound`].
pub async fn change(deps: &StaffDeps, who: &Staff, id: StaffId, change: Change) -> Result<(), StaffRefusal> {
    must_manage(deps, who).await?;
    let (caller, h) = (&who.caller, who.caller.hospital.id);
    let name = change.name.as_deref().map(real_name).transpose()?;
    let roles = change.roles.as_deref().map(rules::roles).transpose().map_err(StaffRefusal::Roles)?;
    let departments = change.department_ids.clone();
    let doctor = change.doctor_id.clone().flatten();
    check_places(deps, caller, doctor.as_deref(), departments.as_deref().unwrap_or_default())?;
    let wecom = match &change.wecom_userid {
        Some(Some(typed)) => Some(Some(userid(typed)?)),
        other => other.clone(),
    };
    if id == who.id && (roles.is_some() || change.state.is_some()) {
        return Err(StaffRefusal::Oneself);
    }
    let mut tx = deps.people.db.begin().await?;
    member::queue(&mut tx, h).await?;
    let before = member::get_in(&mut tx, h, id).await?.ok_or(StaffRefusal::NotFound)?;
    let held = member::roles(&mut tx, h, id).await?;
    let after = roles.clone().unwrap_or_else(|| held.clone());
    let state = change.state.unwrap_or(before.state);
    if before.state == StaffState::Active && before.set_up_at.is_some() {
        let lost = |role: &Role| state != StaffState::Active || !after.contains(role);
        for role in [Role::SystemAdmin, Role::SecurityAdmin] {
            if held.contains(&role) && lost(&role) && member::others_with(&mut tx, h, role, id).await? == 0 {
                return Err(StaffRefusal::LastAdministrator);
            }
        }
    }
    let mut detail = serde_json::Map::new();
    if let Some(name) = &name {
        member::set_name(&mut tx, h, id, cover(deps, caller, name)?).await?;
        detail.insert("name".into(), true.into());
    }
    if roles.is_some() {
        give_roles(&mut tx, caller, id, &after).await?;
        detail.insert("roles".into(), json!({"from": role_codes(&held), "to": role_codes(&after)}));
    }
    if change.state.is_some() {
        member::set_state(&mut tx, h, id, state).await?;
        detail.insert("state".into(), json!({"from": before.state, "to": state}));
    }
    if change.doctor_id.is_some() {
        member::set_doctor(&mut tx, h, id, doctor.as_deref()).await?;
        detail.insert("doctor".into(), json!(doctor));
    }
    if let Some(departments) = &departments {
        member::set_departments(&mut tx, h, id, departments).await?;
        detail.insert("departments".into(), json!(departments));
    }
    if let Some(wecom) = wecom {
        if !member::set_wecom(&mut tx, h, id, wecom.as_deref()).await? {
            return Err(StaffRefusal::WecomTaken);
        }
        detail.insert("wecom".into(), wecom.is_some().into());
    }
    if detail.is_empty() {
        return Ok(());
    }
    if (roles.is_some() && held != after) || state != before.state || departments.is_some() {
        sign_out(deps, caller, &mut tx, id).await?;
    }
    tx.audit(caller.audit("staff.change", id, detail.into())).await?;
    Ok(tx.commit().await?)
}

/// Ends somebody's sessions, and whatever they have begun.
async fn sign_out(deps: &StaffDeps, caller: &Caller, tx: &mut Tx, id: StaffId) -> Result<u64, StoreError> {
    let h = caller.hospital.id;
    ticket::end_of(tx, h, id).await?;
    deps.people.sessions.end_all_in(tx, h, &Actor::Staff(id, Vec::new())).await
}

/// Gives somebody a code in place of the password, which is worth nothing from now on; with `second_factor` they set that up anew,
/// too. All of their sessions end.
///
/// # Errors
/// [`StaffRefusal::NotFound`], [`StaffRefusal::Oneself`], [`StaffRefusal::Forbidden`].
pub async fn reset(
    deps: &StaffDeps,
    who: &Staff,
    id: StaffId,
    second_factor: bool,
) -> Result<String, StaffRefusal> {
    must_manage(deps, who).await?;
    if id == who.id {
        return Err(StaffRefusal::Oneself);
    }
    reset_as(deps, &who.caller, id, second_factor).await
}

/// As [`reset`], for whoever has the machine itself.
///
/// # Errors
/// [`StaffRefusal::NotFound`].
pub(super) async fn reset_as(
    deps: &StaffDeps,
    caller: &Caller,
    id: StaffId,
    second_factor: bool,
) -> Result<String, StaffRefusal> {
    let h = caller.hospital.id;
    let settings: StaffSignIn = caller.hospital.settings(StaffSignIn::SECTION);
    let code = codes::one_time()?;
    let mut tx = deps.people.db.begin().await?;
    member::get_in(&mut tx, h, id).await?.ok_or(StaffRefusal::NotFound)?;
    let ends = tx.now().plus(settings.code_life());
    let hash = codes::one_time_hash(&deps.people.vault, h, id, &code);
    member::set_code(&mut tx, h, id, &hash, ends).await?;
    if second_factor {
        member::drop_totp(&mut tx, h, id).await?;
    }
    sign_out(deps, caller, &mut tx, id).await?;
    tx.audit(caller.audit("staff.reset", id, json!({"second_factor": second_factor}))).await?;
    tx.commit().await?;
    Ok(code)
}

/// Ends all sessions of somebody; gives how many.
///
/// # Errors
/// [`StaffRefusal::Forbidden`].
pub async fn end_sessions(deps: &StaffDeps, who: &Staff, id: StaffId) -> Result<u64, StaffRefusal> {
    must_manage(deps, who).await?;
    let mut tx = deps.people.db.begin().await?;
    let ended = sign_out(deps, &who.caller, &mut tx, id).await?;
    tx.audit(who.caller.audit("staff.session.end_all", id, json!({"sessions": ended}))).await?;
    tx.commit().await?;
    Ok(ended)
}

/// Ends one session of somebody.
///
/// # Errors
/// [`StaffRefusal::Forbidden`], [`StaffRefusal::NotFound`].
pub async fn end_session(deps: &StaffDeps, who: &Staff, id: StaffId, name: &str) -> Result<(), StaffRefusal> {
    must_manage(deps, who).await?;
    own::end_session(deps, &who.caller, id, name).await
}

/// Whom to list.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The beginning of a login, or a whole name.
    pub text: String,
    /// In this state.
    pub state: Option<StaffState>,
    /// With this role.
    pub role: Option<Role>,
    /// Behind this login.
    pub after: String,
    /// So many.
    pub most: u32,
}

/// Members of staff in the order of their logins.
///
/// # Errors
/// Any [`StoreError`].
pub async fn list(deps: &StaffDeps, caller: &Caller, wanted: &Wanted) -> Result<Vec<Known>, StaffRefusal> {
    let (people, h) = (&deps.people, caller.hospital.id);
    let text: String = wanted.text.trim().chars().take(100).collect();
    let name_blind = RealName::parse(&text).map(|n| people.vault.blind(h, STAFF_NAME, &n.look_up()));
    let filter = Filter {
        after: wanted.after.clone(),
        state: wanted.state.map_or("", StaffState::code).into(),
        role: wanted.role.map_or("", Role::code).into(),
        text: text.to_lowercase(),
        name_blind: name_blind.unwrap_or_default(),
        most: wanted.most,
    };
    let mut found = Vec::new();
    for member in member::list(&people.db, h, &filter).await? {
        let roles = member::roles_of(&people.db, h, member.id).await?;
        let departments = member::departments(&people.db, h, member.id).await?;
        found.push(Known { member, roles, departments });
    }
    Ok(found)
}

/// Somebody with their full name. That it was opened is written down.
///
/// # Errors
/// [`StaffRefusal::NotFound`].
pub async fn open(deps: &StaffDeps, caller: &Caller, id: StaffId) -> Result<(Known, String), StaffRefusal> {
    let (people, h) = (&deps.people, caller.hospital.id);
    let member = member::get(&people.db, h, id).await?.ok_or(StaffRefusal::NotFound)?;
    let name = people.vault.open_sealed(h, STAFF_NAME, &member.name, Purpose::ShowStaff)?;
    let roles = member::roles_of(&people.db, h, id).await?;
    let departments = member::departments(&people.db, h, id).await?;
    let mut tx = people.db.begin().await?;
    tx.audit(caller.audit("staff.open", id, json!({"purpose": "show_staff"}))).await?;
    tx.commit().await?;
    Ok((Known { member, roles, departments }, name))
}

pub(super) fn cover(deps: &StaffDeps, caller: &Caller, name: &RealName) -> Result<Covered, StoreError> {
    let (vault, h) = (&deps.people.vault, caller.hospital.id);
    Ok(Covered {
        sealed: vault.seal(h, STAFF_NAME, name.as_str())?,
        masked: name.masked(),
        blind: vault.blind(h, STAFF_NAME, &name.look_up()),
    })
}

fn check_places(
    deps: &StaffDeps,
    caller: &Caller,
    doctor: Option<&str>,
    departments: &[String],
) -> Result<(), StaffRefusal> {
    let (places, h) = (&deps.people.places, caller.hospital.id);
    if doctor.is_some_and(|id| !places.has_doctor(h, id)) {
        return Err(StaffRefusal::Doctor);
    }
    if departments.iter().any(|id| !places.has_department(h, id)) {
        return Err(StaffRefusal::Department);
    }
    Ok(())
}

/// An id in WeCom as it is kept: WeCom does not mind capitals.
pub(super) fn userid(typed: &str) -> Result<String, StaffRefusal> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'@');
    let id = typed.trim().to_ascii_lowercase();
    let fits = (1..=64).contains(&id.len()) && id.bytes().all(plain);
    if fits { Ok(id) } else { Err(StaffRefusal::Wecom) }
}

pub(super) fn role_codes(roles: &[Role]) -> Vec<&'static str> {
    roles.iter().map(|role| role.code()).collect()
}
