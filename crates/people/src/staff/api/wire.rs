//! Staff as they look on the wire.

use base::{Lang, UnixMs};
use edge::session::Listed;
use edge::{Hospital, Role, StaffId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::wire::LangSchema;
use crate::staff::StaffDeps;
use crate::staff::model::{Known, StaffState, StaffWay, Step};
use crate::staff::signin::Next;

/// Which member of staff is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StaffSession {
    /// Whether somebody is.
    pub(super) signed_in: bool,
    /// What changing requests carry in `X-CSRF`; empty while nobody is signed in, and then not needed.
    pub(super) csrf: String,
    /// The language of the request.
    #[schema(value_type = LangSchema)]
    pub(super) lang: Lang,
    /// Whether staff can sign in here through WeCom.
    pub(super) wecom_available: bool,
    /// A session ends when it was not used for so many minutes.
    pub(super) idle_minutes: u32,
    /// Who, when somebody is signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) me: Option<Me>,
}

/// The member of staff who has signed in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Me {
    /// `stf_…`
    #[schema(value_type = String)]
    pub(super) id: StaffId,
    /// The name to sign in with.
    pub(super) login: String,
    /// The real name: this answer goes to the person.
    pub(super) name: String,
    /// Their roles.
    pub(super) roles: Vec<Role>,
    /// The names of the permissions that these roles hold.
    pub(super) permissions: Vec<String>,
    /// Whether they manage staff: as security administrator, or standing in for one.
    pub(super) manages_staff: bool,
    /// The way of this sign-in.
    pub(super) way: StaffWay,
    /// The doctor that this person is.
    #[schema(required = false)]
    pub(super) doctor_id: Option<String>,
    /// The departments that the work is limited to; none means all.
    pub(super) department_ids: Vec<String>,
    /// Whether the account is tied to WeCom.
    pub(super) wecom: bool,
    /// Whether a second factor is set up.
    pub(super) second_factor: bool,
    /// Recovery codes that are left.
    pub(super) recovery_codes_left: u32,
}

/// What to do next on the way to a session.
#[derive(Serialize, ToSchema)]
pub(super) struct SignInStep {
    /// What it is.
    step: Step,
    /// What goes with the request for it; good for 15 minutes.
    ticket: String,
    /// The login, as it is kept.
    login: String,
    /// The secret to put into an app by hand, when the step is `enrol` or `renew`. Shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// The same for a code to scan, `otpauth://totp/…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
}

impl SignInStep {
    pub(super) fn new(hospital: &Hospital, next: Next) -> Self {
        let issuer = hospital.profile.short_name.zh.as_str();
        Self {
            step: next.step,
            ticket: next.ticket,
            secret: next.secret.as_ref().map(|s| s.text()),
            uri: next.secret.as_ref().map(|s| s.uri(issuer, &next.login)),
            login: next.login,
        }
    }
}

/// Somebody has signed in.
#[derive(Serialize, ToSchema)]
pub(super) struct StaffSignedIn {
    /// The session.
    pub(super) session: StaffSession,
    /// Codes for who loses the second factor, when it was set up just now: each good once, shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recovery_codes: Option<Vec<String>>,
}

/// Codes for who loses the second factor: each good once, shown this once. Those of before are worth nothing any more.
#[derive(Serialize, ToSchema)]
pub(super) struct RecoveryCodes {
    /// The codes.
    pub(super) recovery_codes: Vec<String>,
}

/// A login and what goes with it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LoginPassword {
    /// The name to sign in with.
    pub(super) login: String,
    /// The password, or the code that was handed out in its place.
    pub(super) password: String,
}

/// A password for whoever came with a code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TicketPassword {
    /// From the step before.
    pub(super) ticket: String,
    /// The password that is wanted.
    pub(super) password: String,
}

/// A code of the second factor.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TicketCode {
    /// From the step before.
    pub(super) ticket: String,
    /// Six digits, or a recovery code.
    pub(super) code: String,
}

/// A change of one's own password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordChange {
    /// The one that holds.
    pub(super) current: String,
    /// The one that is wanted.
    pub(super) password: String,
}

/// One's own password, to confirm something.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OwnPassword {
    /// The password.
    pub(super) password: String,
}

/// The second factor, to confirm something.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OwnCode {
    /// Six digits, or a recovery code.
    pub(super) code: String,
}

/// A session.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionEntry {
    /// By this it can be ended; nothing follows from it.
    name: String,
    /// Whether it is the one of this request.
    current: bool,
    /// The way of its sign-in.
    #[schema(required = false)]
    way: Option<StaffWay>,
    /// The `User-Agent` of that moment.
    device: String,
    /// Since when.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was used last, give or take two minutes.
    #[schema(format = DateTime)]
    seen_at: String,
    /// When it ends at the latest.
    #[schema(format = DateTime)]
    ends_at: String,
}

/// Sessions, the current one first.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionList {
    /// The sessions.
    items: Vec<SessionEntry>,
}

impl SessionList {
    pub(super) fn new(hospital: &Hospital, sessions: Vec<(Listed, bool)>) -> Self {
        let entry = |(listed, current): (Listed, bool)| SessionEntry {
            name: listed.name,
            current,
            way: StaffWay::from_code(&listed.channel),
            device: listed.device,
            created_at: hospital.rfc3339(listed.created_at),
            seen_at: hospital.rfc3339(listed.seen_at),
            ends_at: hospital.rfc3339(listed.ends_at),
        };
        Self { items: sessions.into_iter().map(entry).collect() }
    }
}

/// How many sessions were ended.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionsEnded {
    /// So many.
    pub(super) ended: u64,
}

/// A member of staff as in lists.
#[derive(Serialize, ToSchema)]
pub(super) struct StaffEntry {
    /// `stf_…`
    #[schema(value_type = String)]
    id: StaffId,
    /// The name to sign in with.
    login: String,
    /// The real name with all but its first character covered.
    name_masked: String,
    /// Their roles.
    roles: Vec<Role>,
    /// Whether they may sign in.
    state: StaffState,
    /// Whether they have a password and a second factor of their own, or a code that waits to be used.
    ready: Readiness,
    /// The doctor that this person is.
    #[schema(required = false)]
    doctor_id: Option<String>,
    /// The departments that the work is limited to; none means all.
    department_ids: Vec<String>,
    /// Who they are in WeCom.
    #[schema(required = false)]
    wecom_userid: Option<String>,
    /// When they last signed in.
    #[schema(format = DateTime, required = false)]
    signed_in_at: Option<String>,
    /// Since when they are on the list.
    #[schema(format = DateTime)]
    created_at: String,
}

/// How far somebody's sign-in is set up.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(rename_all = "snake_case")]
pub(super) enum Readiness {
    /// A password and a second factor.
    Ready,
    /// A code that was handed out waits to be used.
    Code,
    /// The code ran out unused.
    CodeOver,
    /// A password, but no second factor yet.
    NoSecondFactor,
}

impl StaffEntry {
    pub(super) fn new(hospital: &Hospital, now: UnixMs, known: Known) -> Self {
        let Known { member, roles, departments } = known;
        let ready = if member.waits_with_code(now) {
            Readiness::Code
        } else if member.password_ends_at.is_some() {
            Readiness::CodeOver
        } else if member.has_second_factor() {
            Readiness::Ready
        } else {
            Readiness::NoSecondFactor
        };
        let at = |at: Option<UnixMs>| at.map(|at| hospital.rfc3339(at));
        Self {
            id: member.id,
            login: member.login,
            name_masked: member.name_masked,
            roles,
            state: member.state,
            ready,
            doctor_id: member.doctor_id,
            department_ids: departments,
            wecom_userid: member.wecom_userid,
            signed_in_at: at(member.signed_in_at),
            created_at: hospital.rfc3339(member.created_at),
        }
    }
}

/// Now, by the clock of the database.
pub(super) fn now(deps: &StaffDeps) -> UnixMs {
    deps.people.db.now()
}
