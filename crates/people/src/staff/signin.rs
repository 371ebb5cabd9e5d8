//! Signing in, step by step: what stands for a password, then the second factor; on the first time a password and a second
//! factor are chosen in between. Between the steps the browser holds a ticket; only the last step gives a session.
//!
//! A try is counted before it is compared. Whether a login exists shows nowhere: not in the answer, not in the time that it takes,
//! and not in what is locked after too many tries.

use ::store::vault::Purpose;
use ::store::{StoreError, Tx};
use edge::session::{NewSession, random_token};
use edge::{Actor, Caller, Role, StaffId};
use serde_json::json;

use super::model::{Member, PasswordKind, StaffState, StaffWay, Step};
use super::settings::StaffSignIn;
use super::store::member;
use super::store::ticket::{self, Ticket};
use super::store::tries::{self, Bound, Who};
use super::totp::{self, TotpSecret};
use super::{StaffDeps, StaffRefusal, codes, rules};
use crate::cover;
use crate::sms_code::seconds;
use crate::store::{STAFF_LOGIN, STAFF_TICKET, STAFF_TOTP};

/// What to do next.
#[derive(Clone)]
pub struct Next {
    /// What the browser shows with the next step.
    pub ticket: String,
    /// What that step is.
    pub step: Step,
    /// The login, as it is kept: the password must not contain it.
    pub login: String,
    /// The secret to put into an app, when the step is to enrol. Shown this once.
    pub secret: Option<TotpSecret>,
}

impl std::fmt::Debug for Next {
    /// Without what opens doors.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Next({})", self.step.code())
    }
}

/// Somebody has signed in.
#[derive(Clone)]
pub struct SignedIn {
    /// For the cookie.
    pub token: String,
    /// Who.
    pub id: StaffId,
    /// Codes for who loses the second factor, when it was set up just now. Shown this once.
    pub recovery_codes: Option<Vec<String>>,
}

impl std::fmt::Debug for SignedIn {
    /// Without the token and the codes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SignedIn({})", self.id)
    }
}

/// A login and an address whose tries are counted.
pub(super) struct Counted {
    login: String,
    address: String,
    rules: StaffSignIn,
}

impl Counted {
    /// `login` as it is kept, or whatever was typed in its place.
    pub(super) fn new(deps: &StaffDeps, caller: &Caller, login: &str) -> Self {
        let (vault, h) = (&deps.people.vault, caller.hospital.id);
        Self {
            login: vault.blind(h, STAFF_LOGIN, login),
            address: cover::source(vault, h, &caller.source),
            rules: caller.hospital.settings(StaffSignIn::SECTION),
        }
    }

    fn bounds(&self) -> [(Who<'_>, Bound); 2] {
        let bound = |most| Bound { most, window: self.rules.window(), lock: self.rules.lock() };
        [
            (Who { scope: "login", key: &self.login }, bound(self.rules.wrong_tries)),
            (Who { scope: "address", key: &self.address }, bound(self.rules.wrong_tries_per_address)),
        ]
    }

    /// Counts a try as wrong, for the time being.
    pub(super) async fn one_more(&self, deps: &StaffDeps, caller: &Caller) -> Result<(), StaffRefusal> {
        let mut tx = deps.people.db.begin().await?;
        for (who, bound) in self.bounds() {
            if let Some(until) = tries::count(&mut tx, caller.hospital.id, who, bound).await? {
                // Dropping the transaction counts nothing.
                metrics::counter!("staff_sign_in_locked", "scope" => who.scope).increment(1);
                return Err(StaffRefusal::Locked(seconds(until.since(deps.people.db.now()))));
            }
        }
        Ok(tx.commit().await?)
    }

    /// The try was right, but not yet all of it.
    pub(super) async fn was_right(&self, tx: &mut Tx, caller: &Caller) -> Result<(), StoreError> {
        for (who, bound) in self.bounds() {
            tries::give_back(tx, caller.hospital.id, who, bound).await?;
        }
        Ok(())
    }

    /// All was right: the login begins anew, the address has one less.
    pub(super) async fn all_right(&self, tx: &mut Tx, caller: &Caller) -> Result<(), StoreError> {
        let [(login, _), (address, bound)] = self.bounds();
        tries::clear(tx, caller.hospital.id, login).await?;
        tries::give_back(tx, caller.hospital.id, address, bound).await
    }
}

/// The first step: a login, and a password or the code in its place.
///
/// # Errors
/// [`StaffRefusal::Wrong`], [`StaffRefusal::Locked`], [`StaffRefusal::NotActive`], [`StaffRefusal::Busy`].
pub async fn by_password(
    deps: &StaffDeps,
    caller: &Caller,
    typed_login: &str,
    typed: &str,
) -> Result<Next, StaffRefusal> {
    let h = caller.hospital.id;
    let login = rules::login(typed_login);
    let known_as = login.clone().unwrap_or_else(|| typed_login.chars().take(200).collect());
    let counted = Counted::new(deps, caller, &known_as);
    counted.one_more(deps, caller).await?;
    let found = match &login {
        Some(login) => member::by_login(&deps.people.db, h, login).await?,
        None => None,
    };
    let own = found.as_ref().filter(|m| m.password_kind == Some(PasswordKind::Own));
    let is_password = deps.hasher.verify(typed, own.and_then(|m| m.password.as_deref())).await?;
    let code = found.as_ref().and_then(|m| right_code(deps, caller, m, typed));
    let id = found.as_ref().map(|m| m.id);
    let Some(member) = found.filter(|_| is_password || code.is_some()) else {
        wrong(deps, caller, id, "password").await?;
        return Err(StaffRefusal::Wrong);
    };
    if member.state != StaffState::Active {
        wrong(deps, caller, Some(member.id), "not_active").await?;
        return Err(StaffRefusal::NotActive);
    }
    let step = if code.is_some() { Step::NewPassword } else { second_step(&member) };
    let mut tx = deps.people.db.begin().await?;
    counted.was_right(&mut tx, caller).await?;
    let next = give_ticket(deps, caller, &mut tx, &member, step, StaffWay::Password, code).await?;
    tx.commit().await?;
    Ok(next)
}

/// The hash of the code that was typed, when it is the one that stands in place of this person's password.
fn right_code(deps: &StaffDeps, caller: &Caller, member: &Member, typed: &str) -> Option<String> {
    if !member.waits_with_code(deps.people.db.now()) {
        return None;
    }
    let hash = codes::one_time_hash(&deps.people.vault, caller.hospital.id, member.id, typed);
    let kept = member.password.as_deref().unwrap_or("");
    let same = aws_lc_rs::constant_time::verify_slices_are_equal(hash.as_bytes(), kept.as_bytes());
    same.is_ok().then_some(hash)
}

fn second_step(member: &Member) -> Step {
    if member.has_second_factor() { Step::SecondFactor } else { Step::Enrol }
}

/// Makes a ticket for a step; for enrolling with a new secret on it.
pub(super) async fn give_ticket(
    deps: &StaffDeps,
    caller: &Caller,
    tx: &mut Tx,
    member: &Member,
    step: Step,
    way: StaffWay,
    code: Option<String>,
) -> Result<Next, StaffRefusal> {
    let h = caller.hospital.id;
    let token = random_token()?;
    let secret = fresh_secret(step)?;
    let totp = seal(deps, caller, secret.as_ref())?;
    let row = Ticket { staff: member.id, step, way, code, password: None, totp };
    ticket::add(tx, h, &ticket_id(deps, caller, &token), row).await?;
    Ok(Next { ticket: token, step, login: member.login.clone(), secret })
}

fn fresh_secret(step: Step) -> Result<Option<TotpSecret>, StoreError> {
    matches!(step, Step::Enrol | Step::Renew).then(TotpSecret::generate).transpose()
}

fn seal(
    deps: &StaffDeps,
    caller: &Caller,
    secret: Option<&TotpSecret>,
) -> Result<Option<::store::Sealed>, StoreError> {
    secret.map(|s| deps.people.vault.seal(caller.hospital.id, STAFF_TOTP, &s.text())).transpose()
}

pub(super) fn ticket_id(deps: &StaffDeps, caller: &Caller, token: &str) -> String {
    deps.people.vault.blind(caller.hospital.id, STAFF_TICKET, token)
}

/// The ticket that a browser shows, with the person, who must still be allowed in.
pub(super) async fn present(
    deps: &StaffDeps,
    caller: &Caller,
    token: &str,
) -> Result<(String, Ticket, Member), StaffRefusal> {
    let h = caller.hospital.id;
    if token.len() != 64 {
        return Err(StaffRefusal::Expired);
    }
    let id = ticket_id(deps, caller, token);
    let found = ticket::get(&deps.people.db, h, &id).await?.ok_or(StaffRefusal::Expired)?;
    let member = member::get(&deps.people.db, h, found.staff).await?.ok_or(StaffRefusal::Expired)?;
    if member.state == StaffState::Active { Ok((id, found, member)) } else { Err(StaffRefusal::NotActive) }
}

/// The step of whoever came with a code: a password of their own. It holds when the last step is done.
///
/// # Errors
/// [`StaffRefusal::Expired`], [`StaffRefusal::Password`], [`StaffRefusal::Busy`].
pub async fn choose_password(
    deps: &StaffDeps,
    caller: &Caller,
    token: &str,
    password: &str,
) -> Result<Next, StaffRefusal> {
    let (id, ticket, member) = present(deps, caller, token).await?;
    if ticket.step != Step::NewPassword {
        return Err(StaffRefusal::Expired);
    }
    rules::password(password, &member.login).map_err(StaffRefusal::Password)?;
    let hash = deps.hasher.hash(password).await?;
    let step = second_step(&member);
    let secret = fresh_secret(step)?;
    let totp = seal(deps, caller, secret.as_ref())?;
    let moved = Ticket { step, password: Some(hash), totp, ..ticket };
    let mut tx = deps.people.db.begin().await?;
    if !ticket::move_on(&mut tx, caller.hospital.id, &id, Step::NewPassword, &moved).await? {
        return Err(StaffRefusal::Expired);
    }
    tx.commit().await?;
    Ok(Next { ticket: token.to_owned(), step, login: member.login, secret })
}

/// The last step: the code of the second factor, new or known, or a recovery code. All that was chosen on the way becomes good.
///
/// # Errors
/// [`StaffRefusal::CodeWrong`], [`StaffRefusal::Locked`], [`StaffRefusal::Expired`], [`StaffRefusal::NotActive`].
pub async fn by_second_factor(
    deps: &StaffDeps,
    caller: &Caller,
    token: &str,
    typed: &str,
) -> Result<SignedIn, StaffRefusal> {
    let h = caller.hospital.id;
    let (id, ticket, member) = present(deps, caller, token).await?;
    if !matches!(ticket.step, Step::Enrol | Step::SecondFactor) {
        return Err(StaffRefusal::Expired);
    }
    let counted = Counted::new(deps, caller, &member.login);
    counted.one_more(deps, caller).await?;
    let mut tx = deps.people.db.begin().await?;
    let proof = if ticket.step == Step::Enrol {
        enrol(deps, caller, &mut tx, &member, &ticket, typed).await?
    } else {
        prove(deps, caller, &mut tx, &member, typed).await?
    };
    let Some(proof) = proof else {
        tx.rollback().await?;
        wrong(deps, caller, Some(member.id), "second_factor").await?;
        return Err(StaffRefusal::CodeWrong);
    };
    counted.all_right(&mut tx, caller).await?;
    if !ticket::take(&mut tx, h, &id).await? {
        return Err(StaffRefusal::Expired);
    }
    if let (Some(code), Some(password)) = (&ticket.code, &ticket.password) {
        if !member::exchange_code(&mut tx, h, member.id, code, password).await? {
            return Err(StaffRefusal::Expired);
        }
        deps.people.sessions.end_all_in(&mut tx, h, &Actor::Staff(member.id, Vec::new())).await?;
    }
    let token = finish(deps, caller, &mut tx, member.id, ticket.way, proof.how).await?;
    tx.commit().await?;
    Ok(SignedIn { token, id: member.id, recovery_codes: proof.recovery_codes })
}

/// How the second factor was shown.
pub(super) struct Proof {
    how: &'static str,
    pub(super) recovery_codes: Option<Vec<String>>,
}

/// Takes a secret whose first code was typed, and makes recovery codes. `None` when the code is not its.
pub(super) async fn enrol(
    deps: &StaffDeps,
    caller: &Caller,
    tx: &mut Tx,
    member: &Member,
    ticket: &Ticket,
    typed: &str,
) -> Result<Option<Proof>, StaffRefusal> {
    let (h, id) = (caller.hospital.id, member.id);
    let sealed = ticket.totp.as_ref().ok_or(StaffRefusal::Expired)?;
    let Some(step) = matching(deps, caller, sealed, 0, typed)? else { return Ok(None) };
    // Whoever knows no more than the password can't put their phone in the place of one that is there meanwhile.
    let only_first = ticket.step == Step::Enrol;
    if !member::set_totp(tx, h, id, sealed.clone(), step, only_first).await? {
        return Err(StaffRefusal::Expired);
    }
    let recovery_codes = new_recovery(deps, caller, tx, id).await?;
    tx.audit(caller.audit("staff.second_factor.set", id, json!({}))).await?;
    Ok(Some(Proof { how: "enrolled", recovery_codes: Some(recovery_codes) }))
}

/// Makes new recovery codes; those of before are worth nothing any more.
pub(super) async fn new_recovery(
    deps: &StaffDeps,
    caller: &Caller,
    tx: &mut Tx,
    id: StaffId,
) -> Result<Vec<String>, StaffRefusal> {
    let h = caller.hospital.id;
    let fresh = codes::recovery()?;
    let hashes: Vec<_> =
        fresh.iter().map(|code| codes::recovery_hash(&deps.people.vault, h, id, code)).collect();
    member::set_recovery(tx, h, id, &hashes).await?;
    Ok(fresh)
}

/// Compares with the second factor that is there. `None` when neither its code nor a recovery code was typed.
pub(super) async fn prove(
    deps: &StaffDeps,
    caller: &Caller,
    tx: &mut Tx,
    member: &Member,
    typed: &str,
) -> Result<Option<Proof>, StaffRefusal> {
    let h = caller.hospital.id;
    let sealed = member.totp.as_ref().ok_or(StaffRefusal::Expired)?;
    if let Some(step) = matching(deps, caller, sealed, member.totp_step, typed)? {
        // Two who show the same code at once: one of them is in.
        let first = member::use_totp(tx, h, member.id, step).await?;
        return Ok(first.then_some(Proof { how: "totp", recovery_codes: None }));
    }
    if !codes::is_recovery(&codes::normalise(typed)) {
        return Ok(None);
    }
    let hash = codes::recovery_hash(&deps.people.vault, h, member.id, typed);
    if !member::use_recovery(tx, h, member.id, &hash).await? {
        return Ok(None);
    }
    tx.audit(caller.audit("staff.recovery_code.use", member.id, json!({}))).await?;
    Ok(Some(Proof { how: "recovery_code", recovery_codes: None }))
}

fn matching(
    deps: &StaffDeps,
    caller: &Caller,
    sealed: &::store::Sealed,
    used: i64,
    typed: &str,
) -> Result<Option<i64>, StaffRefusal> {
    let (vault, h) = (&deps.people.vault, caller.hospital.id);
    let secret = TotpSecret::parse(&vault.open_sealed(h, STAFF_TOTP, sealed, Purpose::Match)?);
    let digits = totp::digits(typed);
    let (Some(secret), Some(digits)) = (secret, digits) else { return Ok(None) };
    Ok(secret.matches(&digits, deps.people.db.now(), used))
}

/// Opens the session, writes down that somebody signed in. They may have been locked in the meantime.
pub(super) async fn finish(
    deps: &StaffDeps,
    caller: &Caller,
    tx: &mut Tx,
    id: StaffId,
    way: StaffWay,
    how: &'static str,
) -> Result<String, StaffRefusal> {
    let h = caller.hospital.id;
    if !member::signed_in(tx, h, id).await? {
        return Err(StaffRefusal::NotActive);
    }
    let roles = member::roles(tx, h, id).await?;
    let detail = json!({"way": way.code(), "by": how});
    let entry = ::store::AuditEntry { actor: id.to_string(), ..caller.audit("staff.sign_in", id, detail) };
    tx.audit(entry).await?;
    metrics::counter!("staff_sign_ins", "way" => way.code()).increment(1);
    Ok(deps.people.sessions.open_in(tx, &session(caller, id, roles, way)).await?)
}

/// A session as the hospital's rules have it.
pub(super) fn session(caller: &Caller, id: StaffId, roles: Vec<Role>, way: StaffWay) -> NewSession {
    let rules: StaffSignIn = caller.hospital.settings(StaffSignIn::SECTION);
    NewSession {
        hospital: caller.hospital.id,
        actor: Actor::Staff(id, roles),
        channel: way.code(),
        idle: rules.idle(),
        longest: rules.longest(),
        device: caller.user_agent.to_string(),
    }
}

/// Writes a wrong try down. What was typed is not part of it: people type passwords into the wrong field.
pub(super) async fn wrong(
    deps: &StaffDeps,
    caller: &Caller,
    who: Option<StaffId>,
    what: &'static str,
) -> Result<(), StoreError> {
    metrics::counter!("staff_sign_in_wrong", "what" => what).increment(1);
    let entity = who.map_or_else(|| "nobody".to_owned(), |id| id.to_string());
    let mut tx = deps.people.db.begin().await?;
    tx.audit(caller.audit("staff.sign_in.wrong", entity, json!({"what": what}))).await?;
    tx.commit().await
}
