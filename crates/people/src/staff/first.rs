//! The first administrator of a hospital that has no staff yet; and who may do a thing from the machine itself.
//!
//! The first administrator is the system administrator. Until a security administrator has signed in for the first time they stand in for one,
//! and so can make one; from then on the three administrators are apart.

use ::store::StoreError;
use base::UnixMs;
use edge::{Caller, Role, StaffId};
use serde_json::json;

use super::model::StaffState;
use super::settings::StaffSignIn;
use super::store::member::{self, NewRow};
use super::totp::TotpSecret;
use super::{StaffDeps, StaffRefusal, codes, manage, rules};
use crate::names::RealName;
use crate::store::STAFF_TOTP;

/// The login of the first administrator.
pub const LOGIN: &str = "admin";

/// A code that was made from the machine itself, to be handed to a person.
#[derive(Clone)]
pub struct Handed {
    /// The login that it goes with.
    pub login: String,
    /// Good once.
    pub code: String,
    /// Good until then.
    pub ends_at: UnixMs,
}

impl std::fmt::Debug for Handed {
    /// Without the code.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Handed({})", self.login)
    }
}

/// Makes the first administrator of the caller's hospital, when it has no staff; or gives them a new code, when the last one ran out unused
/// (or with `again`, at once). `None` when somebody is there who can sign in, or another node was faster.
///
/// # Errors
/// Any [`StoreError`].
pub async fn administrator(
    deps: &StaffDeps,
    caller: &Caller,
    again: bool,
) -> Result<Option<Handed>, StaffRefusal> {
    let (people, h) = (&deps.people, caller.hospital.id);
    let settings: StaffSignIn = caller.hospital.settings(StaffSignIn::SECTION);
    let mut tx = people.db.begin().await?;
    member::queue(&mut tx, h).await?;
    if member::is_anybody_set_up(&mut tx, h).await? {
        return Ok(None);
    }
    let ends_at = tx.now().plus(settings.code_life());
    let code = codes::one_time()?;
    if !member::is_anybody(&mut tx, h).await? {
        let id = StaffId::new();
        let name = RealName::parse("首位管理员").ok_or(StaffRefusal::Name)?;
        let row = NewRow {
            id,
            login: LOGIN.into(),
            name: manage::cover(deps, caller, &name)?,
            doctor_id: None,
            wecom_userid: None,
            code_hash: codes::one_time_hash(&people.vault, h, id, &code),
            code_ends_at: ends_at,
        };
        if !member::add(&mut tx, h, row).await? {
            return Ok(None);
        }
        manage::give_roles(&mut tx, caller, id, &[Role::SystemAdmin]).await?;
        tx.audit(caller.audit("staff.first", id, json!({}))).await?;
        tx.commit().await?;
        return Ok(Some(Handed { login: LOGIN.into(), code, ends_at }));
    }
    tx.rollback().await?;
    let Some(first) = member::by_login(&people.db, h, LOGIN).await? else { return Ok(None) };
    if first.waits_with_code(people.db.now()) && !again {
        return Ok(None);
    }
    let code = manage::reset_as(deps, caller, first.id, true).await?;
    Ok(Some(Handed { login: first.login, code, ends_at }))
}

/// Gives somebody a code in place of the password, from the machine itself: for the day when no security administrator can sign in.
///
/// # Errors
/// [`StaffRefusal::NotFound`].
pub async fn reset(
    deps: &StaffDeps,
    caller: &Caller,
    login: &str,
    second_factor: bool,
) -> Result<Handed, StaffRefusal> {
    let h = caller.hospital.id;
    let settings: StaffSignIn = caller.hospital.settings(StaffSignIn::SECTION);
    let login = rules::login(login).ok_or(StaffRefusal::NotFound)?;
    let found = member::by_login(&deps.people.db, h, &login).await?.ok_or(StaffRefusal::NotFound)?;
    let ends_at = deps.people.db.now().plus(settings.code_life());
    let code = manage::reset_as(deps, caller, found.id, second_factor).await?;
    if found.state != StaffState::Active {
        // Whoever has the machine has it for this: a lock that nobody is left to lift.
        let mut tx = deps.people.db.begin().await?;
        member::set_state(&mut tx, h, found.id, StaffState::Active).await?;
        tx.audit(caller.audit("staff.change", found.id, json!({"state": {"to": StaffState::Active}})))
            .await?;
        tx.commit().await?;
    }
    Ok(Handed { login, code, ends_at })
}

/// Somebody whose password and second factor are known already: moved here from elsewhere, or set up by a script.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The name to sign in with.
    pub login: String,
    /// The name.
    pub name: String,
    /// The roles.
    pub roles: Vec<Role>,
    /// The doctor that this person is.
    pub doctor_id: Option<String>,
    /// Who they are in WeCom.
    pub wecom_userid: Option<String>,
    /// The hash of the password, by [`super::password::Hasher`].
    pub password_hash: String,
    /// The second factor.
    pub totp: TotpSecret,
}

/// Puts somebody on the list who can sign in at once. Who is there already is left as they are.
///
/// # Errors
/// [`StaffRefusal::Name`], [`StaffRefusal::Roles`]; any [`StoreError`].
pub async fn add_prepared(
    deps: &StaffDeps,
    caller: &Caller,
    new: &Prepared,
) -> Result<StaffId, StaffRefusal> {
    let (people, h) = (&deps.people, caller.hospital.id);
    if let Some(there) = member::by_login(&people.db, h, &new.login).await? {
        return Ok(there.id);
    }
    let (id, now) = (StaffId::new(), people.db.now());
    let name = RealName::parse(&new.name).ok_or(StaffRefusal::Name)?;
    let roles = rules::roles(&new.roles).map_err(StaffRefusal::Roles)?;
    let code = codes::one_time_hash(&people.vault, h, id, &codes::one_time()?);
    let row = NewRow {
        id,
        login: new.login.clone(),
        name: manage::cover(deps, caller, &name)?,
        doctor_id: new.doctor_id.clone(),
        wecom_userid: new.wecom_userid.clone(),
        code_hash: code.clone(),
        code_ends_at: now.plus(std::time::Duration::from_secs(60)),
    };
    let secret = people.vault.seal(h, STAFF_TOTP, &new.totp.text())?;
    let mut tx = people.db.begin().await?;
    if !member::add(&mut tx, h, row).await? {
        return Err(StoreError::NoRow.into());
    }
    manage::give_roles(&mut tx, caller, id, &roles).await?;
    member::exchange_code(&mut tx, h, id, &code, &new.password_hash).await?;
    member::set_totp(&mut tx, h, id, secret, 0, true).await?;
    member::is_set_up(&mut tx, h, id).await?;
    let detail = json!({"login": new.login, "roles": manage::role_codes(&roles), "prepared": true});
    tx.audit(caller.audit("staff.add", id, detail)).await?;
    tx.commit().await?;
    Ok(id)
}
