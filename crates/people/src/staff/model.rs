//! The words of staff and their sign-ins.

use ::store::Sealed;
use base::UnixMs;
use edge::{Role, StaffId};

::store::text_enum! {
    /// Whether somebody may sign in.
    #[derive(utoipa::ToSchema)]
    pub enum StaffState {
        /// Yes.
        #[schema(rename = "active")]
        Active = "active",
        /// Not for now: the security administrator is looking into something.
        #[schema(rename = "locked")]
        Locked = "locked",
        /// Not any more: they have left.
        #[schema(rename = "disabled")]
        Disabled = "disabled",
    }
}

::store::text_enum! {
    /// What stands in place of a password.
    pub enum PasswordKind {
        /// One that the person chose.
        Own = "own",
        /// A code that is good once.
        Code = "code",
    }
}

::store::text_enum! {
    /// What is to be done next on the way to a session.
    #[derive(utoipa::ToSchema)]
    pub enum Step {
        /// To choose a password.
        #[schema(rename = "new_password")]
        NewPassword = "new_password",
        /// To put the shown secret into an app on the phone, and to type the code that it shows.
        #[schema(rename = "enrol")]
        Enrol = "enrol",
        /// To type the code that the app shows, or a recovery code.
        #[schema(rename = "second_factor")]
        SecondFactor = "second_factor",
        /// To type the code of a new secret, when somebody who has signed in changes the phone.
        #[schema(rename = "renew")]
        Renew = "renew",
    }
}

::store::text_enum! {
    /// The way by which a member of staff has signed in.
    #[derive(utoipa::ToSchema)]
    pub enum StaffWay {
        /// Password and second factor.
        #[schema(rename = "password")]
        Password = "password",
        /// Through WeCom.
        #[schema(rename = "wecom")]
        Wecom = "wecom",
    }
}

/// A member of staff as kept.
#[derive(Debug, Clone)]
pub struct Member {
    /// Who.
    pub id: StaffId,
    /// The name to sign in with, in lower case.
    pub login: String,
    /// The real name.
    pub name: Sealed,
    /// The real name with all but its first character covered.
    pub name_masked: String,
    /// Whether they may sign in.
    pub state: StaffState,
    /// The doctor that this person is, `doc_…`.
    pub doctor_id: Option<String>,
    /// Who they are in WeCom.
    pub wecom_userid: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) password_kind: Option<PasswordKind>,
    /// A code is good until then.
    pub password_ends_at: Option<UnixMs>,
    pub(crate) totp: Option<Sealed>,
    pub(crate) totp_step: i64,
    /// When they first had a password and a second factor of their own.
    pub set_up_at: Option<UnixMs>,
    /// When they last signed in.
    pub signed_in_at: Option<UnixMs>,
    /// Since when they are on the list.
    pub created_at: UnixMs,
}

impl Member {
    /// Whether a code that is good once waits to be used.
    #[must_use]
    pub fn waits_with_code(&self, now: UnixMs) -> bool {
        self.password_kind == Some(PasswordKind::Code) && self.password_ends_at.is_some_and(|ends| now < ends)
    }

    /// Whether a second factor is set up.
    #[must_use]
    pub fn has_second_factor(&self) -> bool {
        self.totp.is_some()
    }
}

/// A member of staff with what hangs on them.
#[derive(Debug, Clone)]
pub struct Known {
    /// The person.
    pub member: Member,
    /// Their roles, in the order in which roles are declared.
    pub roles: Vec<Role>,
    /// The departments that their work is limited to, `dep_…`; none means all.
    pub departments: Vec<String>,
}
