//! Who may call a route. A permission is a type; a route without one can't be registered.

use crate::actor::Actor;

store::text_enum! {
    /// What a member of staff does here. The three administrators are apart from each other, as level 3 protection asks.
    pub enum Role {
        /// Runs the installation: settings, channels.
        SystemAdmin = "system_admin",
        /// Gives and takes roles.
        SecurityAdmin = "security_admin",
        /// Reads the audit log.
        AuditAdmin = "audit_admin",
        /// Runs the account: schedules, quotas, replies.
        Operations = "operations",
        /// The triage desk: helps people at the counter.
        Desk = "desk",
        /// A nurse at a clinic.
        Nurse = "nurse",
        /// A doctor.
        Doctor = "doctor",
        /// The cashier's office.
        Finance = "finance",
        /// The patient experience office.
        Experience = "experience",
        /// The director.
        Director = "director",
    }
}

/// Which callers a permission lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Everybody, signed in or not. Only for what stands on a wall in the hospital anyway.
    Anyone,
    /// Patients' accounts. *Whose* records they reach is decided by the scope that the store functions take.
    Accounts,
    /// Staff with one of these roles.
    Roles(&'static [Role]),
}

impl Who {
    /// Whether `actor` gets through.
    #[must_use]
    pub fn admits(self, actor: &Actor) -> bool {
        match (self, actor) {
            (Self::Anyone, _) | (Self::Accounts, Actor::Account(_)) => true,
            (Self::Roles(wanted), Actor::Staff(_, roles)) => roles.iter().any(|r| wanted.contains(r)),
            _ => false,
        }
    }
}

/// A permission: a name for the table in the documents, and whom it lets through.
pub trait Permission: Send + Sync + 'static {
    /// `booking.book`
    const NAME: &'static str;
    /// Whom it lets through.
    const WHO: Who;
}

/// Declares permissions: `permission! { /// May book. Book = "booking.book", Who::Accounts; }`.
#[macro_export]
macro_rules! permission {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $who:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;
        impl $crate::Permission for $name {
            const NAME: &'static str = $text;
            const WHO: $crate::Who = $who;
        }
    )+};
}

permission! {
    /// Open to everybody.
    Anyone = "anyone", Who::Anyone;
    /// Any patient's account, for what is its own.
    SignedIn = "signed_in", Who::Accounts;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::{AccountId, StaffId};

    #[test]
    fn deny_is_the_default() {
        let account = Actor::Account(AccountId::new());
        let nurse = Actor::Staff(StaffId::new(), vec![Role::Nurse]);
        for who in [Who::Accounts, Who::Roles(&[Role::Nurse]), Who::Roles(&[])] {
            assert!(!who.admits(&Actor::Nobody));
        }
        assert!(Who::Accounts.admits(&account));
        assert!(!Who::Accounts.admits(&nurse));
        assert!(!Who::Accounts.admits(&Actor::System));
        assert!(Who::Roles(&[Role::Nurse, Role::Doctor]).admits(&nurse));
        assert!(!Who::Roles(&[Role::Doctor]).admits(&nurse));
        assert!(!Who::Roles(&[Role::Doctor]).admits(&account));
    }
}
