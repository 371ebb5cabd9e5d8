//! What somebody who has signed in does about their own sign-in: password, second factor, recovery codes, sessions.

use edge::session::Listed;
use edge::{Actor, Caller, Staff, StaffId};
use serde_json::json;

use super::model::{Member, PasswordKind, StaffWay, Step};
use super::signin::{self, Counted, Next};
use super::store::{member, ticket};
use super::{StaffDeps, StaffRefusal, rules};

/// The person behind a session.
///
/// # Errors
/// [`StaffRefusal::SignedOut`] when they are not on the list.
pub(crate) async fn oneself(deps: &StaffDeps, who: &Staff) -> Result<Member, StaffRefusal> {
    let found = member::get(&deps.people.db, who.caller.hospital.id, who.id).await?;
    found.ok_or(StaffRefusal::SignedOut)
}

/// Changes the password. All sessions end; this browser gets a new one, whose token is given.
///
/// # Errors
/// [`StaffRefusal::PasswordWrong`], [`StaffRefusal::Password`], [`StaffRefusal::SamePassword`], [`StaffRefusal::Locked`].
pub async fn change_password(
    deps: &StaffDeps,
    who: &Staff,
    current: &str,
    wanted: &str,
) -> Result<String, StaffRefusal> {
    let (caller, h) = (&who.caller, who.caller.hospital.id);
    let member = oneself(deps, who).await?;
    let before = confirm(deps, caller, &member, current).await?;
    rules::password(wanted, &member.login).map_err(StaffRefusal::Password)?;
    if rules::normalise(current) == rules::normalise(wanted) {
        return Err(StaffRefusal::SamePassword);
    }
    let hash = deps.hasher.hash(wanted).await?;
    let mut tx = deps.people.db.begin().await?;
    if !member::set_password(&mut tx, h, who.id, &before, &hash).await? {
        return Err(StaffRefusal::PasswordWrong);
    }
    deps.people.sessions.end_all_in(&mut tx, h, &Actor::Staff(who.id, Vec::new())).await?;
    ticket::end_of(&mut tx, h, who.id).await?;
    tx.audit(caller.audit("staff.password.change", who.id, json!({}))).await?;
    let new = signin::session(caller, who.id, who.roles.clone(), way(caller));
    let token = deps.people.sessions.open_in(&mut tx, &new).await?;
    tx.commit().await?;
    Ok(token)
}

/// The way of the current session.
fn way(caller: &Caller) -> StaffWay {
    caller.session.as_ref().and_then(|s| StaffWay::from_code(&s.channel)).unwrap_or(StaffWay::Password)
}

/// Compares with the current password, each try counted; gives its hash.
async fn confirm(
    deps: &StaffDeps,
    caller: &Caller,
    member: &Member,
    current: &str,
) -> Result<String, StaffRefusal> {
    let counted = Counted::new(deps, caller, &member.login);
    counted.one_more(deps, caller).await?;
    let own = member.password.clone().filter(|_| member.password_kind == Some(PasswordKind::Own));
    if !deps.hasher.verify(current, own.as_deref()).await? {
        signin::wrong(deps, caller, Some(member.id), "own_password").await?;
        return Err(StaffRefusal::PasswordWrong);
    }
    let mut tx = deps.people.db.begin().await?;
    counted.was_right(&mut tx, caller).await?;
    tx.commit().await?;
    own.ok_or(StaffRefusal::PasswordWrong)
}

/// Begins to change the second factor: gives a new secret, which holds when its first code is typed.
///
/// # Errors
/// [`StaffRefusal::PasswordWrong`], [`StaffRefusal::Locked`].
pub async fn begin_second_factor(
    deps: &StaffDeps,
    who: &Staff,
    password: &str,
) -> Result<Next, StaffRefusal> {
    let member = oneself(deps, who).await?;
    confirm(deps, &who.caller, &member, password).await?;
    let mut tx = deps.people.db.begin().await?;
    let next =
        signin::give_ticket(deps, &who.caller, &mut tx, &member, Step::Renew, way(&who.caller), None).await?;
    tx.commit().await?;
    Ok(next)
}

/// Takes the new secret; gives new recovery codes. Other sessions end.
///
/// # Errors
/// [`StaffRefusal::CodeWrong`], [`StaffRefusal::Expired`], [`StaffRefusal::Locked`].
pub async fn confirm_second_factor(
    deps: &StaffDeps,
    who: &Staff,
    token: &str,
    typed: &str,
) -> Result<Vec<String>, StaffRefusal> {
    let (caller, h) = (&who.caller, who.caller.hospital.id);
    let (id, found, member) = signin::present(deps, caller, token).await?;
    if found.step != Step::Renew || found.staff != who.id {
        return Err(StaffRefusal::Expired);
    }
    let counted = Counted::new(deps, caller, &member.login);
    counted.one_more(deps, caller).await?;
    let mut tx = deps.people.db.begin().await?;
    let proof = signin::enrol(deps, caller, &mut tx, &member, &found, typed).await?;
    let Some(codes) = proof.and_then(|p| p.recovery_codes) else {
        tx.rollback().await?;
        signin::wrong(deps, caller, Some(who.id), "second_factor").await?;
        return Err(StaffRefusal::CodeWrong);
    };
    if !ticket::take(&mut tx, h, &id).await? {
        return Err(StaffRefusal::Expired);
    }
    counted.was_right(&mut tx, caller).await?;
    tx.commit().await?;
    end_others(deps, who).await?;
    Ok(codes)
}

/// New recovery codes, for who shows the second factor.
///
/// # Errors
/// [`StaffRefusal::CodeWrong`], [`StaffRefusal::Locked`].
pub async fn renew_recovery(deps: &StaffDeps, who: &Staff, typed: &str) -> Result<Vec<String>, StaffRefusal> {
    let caller = &who.caller;
    let member = oneself(deps, who).await?;
    let counted = Counted::new(deps, caller, &member.login);
    counted.one_more(deps, caller).await?;
    let mut tx = deps.people.db.begin().await?;
    if !member.has_second_factor() || signin::prove(deps, caller, &mut tx, &member, typed).await?.is_none() {
        tx.rollback().await?;
        signin::wrong(deps, caller, Some(who.id), "second_factor").await?;
        return Err(StaffRefusal::CodeWrong);
    }
    let codes = signin::new_recovery(deps, caller, &mut tx, who.id).await?;
    counted.was_right(&mut tx, caller).await?;
    tx.audit(caller.audit("staff.recovery_code.renew", who.id, json!({}))).await?;
    tx.commit().await?;
    Ok(codes)
}

/// Unties the account in WeCom.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn leave_wecom(deps: &StaffDeps, who: &Staff) -> Result<(), StaffRefusal> {
    let mut tx = deps.people.db.begin().await?;
    member::set_wecom(&mut tx, who.caller.hospital.id, who.id, None).await?;
    tx.audit(who.caller.audit("staff.wecom.unbind", who.id, json!({}))).await?;
    Ok(tx.commit().await?)
}

/// Somebody's sessions; the one of this call first, where it is among them.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn sessions(
    deps: &StaffDeps,
    caller: &Caller,
    id: StaffId,
) -> Result<Vec<(Listed, bool)>, StaffRefusal> {
    let current = caller.session.as_ref().map(|s| s.name());
    let theirs = deps.people.sessions.of(caller.hospital.id, &Actor::Staff(id, Vec::new())).await?;
    let mut marked: Vec<_> = theirs
        .into_iter()
        .map(|session| {
            let is_this = current.as_ref() == Some(&session.name);
            (session, is_this)
        })
        .collect();
    marked.sort_by_key(|(_, is_this)| !is_this);
    Ok(marked)
}

/// Ends one session of somebody.
///
/// # Errors
/// [`StaffRefusal::NotFound`].
pub async fn end_session(
    deps: &StaffDeps,
    caller: &Caller,
    id: StaffId,
    name: &str,
) -> Result<(), StaffRefusal> {
    let mut tx = deps.people.db.begin().await?;
    let actor = Actor::Staff(id, Vec::new());
    if !deps.people.sessions.end_named(&mut tx, caller.hospital.id, &actor, name).await? {
        return Err(StaffRefusal::NotFound);
    }
    tx.audit(caller.audit("staff.session.end", id, json!({"session": name}))).await?;
    Ok(tx.commit().await?)
}

/// Ends all sessions of the caller but this one; gives how many.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn end_others(deps: &StaffDeps, who: &Staff) -> Result<usize, StaffRefusal> {
    let (caller, actor) = (&who.caller, Actor::Staff(who.id, Vec::new()));
    let theirs = sessions(deps, caller, who.id).await?;
    let mut ended = 0;
    let mut tx = deps.people.db.begin().await?;
    for (session, is_this) in theirs {
        if !is_this
            && deps.people.sessions.end_named(&mut tx, caller.hospital.id, &actor, &session.name).await?
        {
            ended += 1;
        }
    }
    if ended > 0 {
        tx.audit(caller.audit("staff.session.end_others", who.id, json!({"sessions": ended}))).await?;
    }
    tx.commit().await?;
    Ok(ended)
}
