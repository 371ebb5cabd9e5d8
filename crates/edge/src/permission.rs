//! Who may call a route. A permission is a type; a route without one can't be registered.
//!
//! A permission names the roles that hold it, where the capability declares it. So a new capability brings its own, and no
//! list of roles and permissions is kept anywhere else: [`Granted`] and the table in the documents are read off the routes.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::actor::{Actor, DeviceKind};
use crate::routes::Rule;

store::text_enum! {
    /// What a member of staff does here. The three administrators are apart from each other, as level 3 protection asks.
    #[derive(utoipa::ToSchema)]
    pub enum Role {
        /// Runs the installation: settings, channels.
        #[schema(rename = "system_admin")]
        SystemAdmin = "system_admin",
        /// Gives and takes roles.
        #[schema(rename = "security_admin")]
        SecurityAdmin = "security_admin",
        /// Reads the audit log.
        #[schema(rename = "audit_admin")]
        AuditAdmin = "audit_admin",
        /// Runs the account: schedules, quotas, replies.
        #[schema(rename = "operations")]
        Operations = "operations",
        /// The triage desk: helps people at the counter.
        #[schema(rename = "triage")]
        Triage = "triage",
        /// A nurse at a clinic.
        #[schema(rename = "nurse")]
        Nurse = "nurse",
        /// A doctor.
        #[schema(rename = "doctor")]
        Doctor = "doctor",
        /// The cashier's office.
        #[schema(rename = "finance")]
        Finance = "finance",
        /// The patient experience office.
        #[schema(rename = "experience")]
        Experience = "experience",
        /// The director.
        #[schema(rename = "director")]
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
    /// All staff, for what is their own.
    Staff,
    /// Staff with one of these roles.
    Roles(&'static [Role]),
    /// Devices of the hospital of one of these kinds.
    Devices(&'static [DeviceKind]),
    /// Staff with one of these roles, and devices of one of these kinds: what a desk does and a kiosk does, too.
    RolesOrDevices(&'static [Role], &'static [DeviceKind]),
}

impl Who {
    /// Whether `actor` gets through.
    #[must_use]
    pub fn admits(self, actor: &Actor) -> bool {
        match (self, actor) {
            (Self::Anyone, _) | (Self::Accounts, Actor::Account(_)) | (Self::Staff, Actor::Staff(..)) => true,
            (Self::Roles(wanted) | Self::RolesOrDevices(wanted, _), Actor::Staff(_, roles)) => {
                roles.iter().any(|r| wanted.contains(r))
            }
            (Self::Devices(wanted) | Self::RolesOrDevices(_, wanted), Actor::Device(_, kind)) => {
                wanted.contains(kind)
            }
            _ => false,
        }
    }

    /// Whether any member of staff may hold it.
    #[must_use]
    pub fn is_for_staff(self) -> bool {
        matches!(self, Self::Staff | Self::Roles(_) | Self::RolesOrDevices(..))
    }
}

/// A permission: a name for the table in the documents, and whom it lets through.
pub trait Permission: Send + Sync + 'static {
    /// `booking.book`
    const NAME: &'static str;
    /// Whom it lets through.
    const WHO: Who;
}

/// The permissions of staff, by name, for the pages that show somebody what they may do. Empty until the program is put
/// together and says what its routes ask for; clones see the same.
#[derive(Debug, Clone, Default)]
pub struct Granted(Arc<OnceLock<BTreeMap<&'static str, Who>>>);

impl Granted {
    /// Takes them from the rules of all routes. Only the first call counts.
    pub fn learn(&self, rules: &[Rule]) {
        let staff = rules.iter().filter(|rule| rule.who.is_for_staff());
        // A second program in this process, as in tests, has a table of its own.
        let _known = self.0.set(staff.map(|rule| (rule.permission, rule.who)).collect());
    }

    /// All permissions that staff may hold, in the order of their names.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, Who)> {
        self.0.get().into_iter().flatten().map(|(name, who)| (*name, *who))
    }

    /// The names of those that let `actor` through.
    #[must_use]
    pub fn of(&self, actor: &Actor) -> Vec<&'static str> {
        self.all().filter(|(_, who)| who.admits(actor)).map(|(name, _)| name).collect()
    }
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
    use crate::actor::{AccountId, DeviceId, StaffId};

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
        assert!(
            Who::Staff.admits(&nurse) && !Who::Staff.admits(&account) && !Who::Staff.admits(&Actor::Nobody)
        );
    }

    #[test]
    fn a_device_is_let_in_by_its_kind_only() {
        let kiosk = Actor::Device(DeviceId::new(), DeviceKind::Kiosk);
        let screen = Actor::Device(DeviceId::new(), DeviceKind::Screen);
        let nurse = Actor::Staff(StaffId::new(), vec![Role::Nurse]);
        let desk = Who::RolesOrDevices(&[Role::Nurse], &[DeviceKind::Kiosk]);
        assert!(desk.admits(&kiosk) && desk.admits(&nurse) && !desk.admits(&screen));
        let alone = Who::Devices(&[DeviceKind::Screen]);
        assert!(alone.admits(&screen) && !alone.admits(&kiosk) && !alone.admits(&nurse));
        for who in [Who::Staff, Who::Accounts, Who::Roles(Role::ALL)] {
            assert!(!who.admits(&kiosk) && !who.admits(&screen));
        }
        assert!(desk.is_for_staff() && !alone.is_for_staff() && !desk.admits(&Actor::Nobody));
    }

    #[test]
    fn what_somebody_may_do_follows_from_the_routes() {
        let rule = |permission, who| Rule { method: "GET".into(), path: "/".into(), permission, who };
        let granted = Granted::default();
        granted.learn(&[
            rule("ward.see", Who::Roles(&[Role::Nurse, Role::Doctor])),
            rule("ward.see", Who::Roles(&[Role::Nurse, Role::Doctor])),
            rule("drug.give", Who::Roles(&[Role::Doctor])),
            rule("own", Who::Staff),
            rule("anyone", Who::Anyone),
        ]);
        let may = |role| granted.of(&Actor::Staff(StaffId::new(), vec![role]));
        assert_eq!(may(Role::Doctor), ["drug.give", "own", "ward.see"]);
        assert_eq!(may(Role::Nurse), ["own", "ward.see"]);
        assert_eq!(may(Role::Finance), ["own"]);
        assert!(granted.of(&Actor::Account(AccountId::new())).is_empty());
    }
}
