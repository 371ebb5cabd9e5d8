//! Staff: who works here, with which roles, and how they sign in.
//!
//! A sign-in has two factors: a password, and a code from an app on the phone (TOTP) or, where one is lost, a recovery code. Whoever
//! comes for the first time, or after a reset, has a code that is good once instead of a password, and leaves with a password and a
//! second factor of their own; both become good together, in the last step. Those whom WeCom knows sign in through it.
//!
//! - [`model`], [`rules`], [`settings`]: the words, the decisions, what a hospital may set
//! - [`password`], [`totp`], [`codes`]: hashing within bounds, the second factor, codes that are typed
//! - [`signin`], [`wecom`]: signing in; [`own`]: what somebody does about their own sign-in
//! - [`manage`]: what the security administrator does; [`first`]: the first administrator of a new hospital
//!
//! **Invariants.** Nobody holds two of the three administrators' roles: the schema says so. Nobody changes their own roles or state. A wrong
//! login, a wrong password and an unknown person get the same answer after the same work. Roles stand in the session; whoever's roles, state
//! or password changes is signed out everywhere.

pub(crate) mod api;
pub mod codes;
pub mod first;
pub mod manage;
pub mod model;
pub mod own;
pub mod password;
pub mod refusal;
pub mod rules;
pub mod settings;
pub mod signin;
pub(crate) mod store;
pub mod totp;
pub mod wecom;
pub mod who;

use base::HospitalId;

pub use model::{Member, StaffState};
pub use refusal::StaffRefusal;

use crate::PeopleDeps;
use password::Hasher;

/// What staff are tied to and this crate knows nothing of: doctors and departments. The server says whether they exist.
pub trait Places: Send + Sync {
    /// Whether there is a doctor with this id (`doc_…`).
    fn has_doctor(&self, hospital: HospitalId, id: &str) -> bool;
    /// Whether there is a department with this id (`dep_…`).
    fn has_department(&self, hospital: HospitalId, id: &str) -> bool;
}

/// What signing in and managing staff works with.
#[derive(Clone)]
pub struct StaffDeps {
    /// What the whole capability works with.
    pub people: PeopleDeps,
    /// Hashes passwords.
    pub hasher: Hasher,
}

/// A member of staff as colleagues see them in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brief {
    /// The name to sign in with.
    pub login: String,
    /// The real name with all but its first character covered.
    pub name_masked: String,
    /// The doctor that this person is, `doc_…`.
    pub doctor_id: Option<String>,
}

/// Who a member of staff is; `None` when nobody of this id is on the list.
///
/// # Errors
/// Any [`::store::StoreError`].
pub async fn brief(
    db: &::store::Db,
    hospital: HospitalId,
    id: edge::StaffId,
) -> ::store::Result<Option<Brief>> {
    let found = store::member::get(db, hospital, id).await?;
    Ok(found.map(|m| Brief { login: m.login, name_masked: m.name_masked, doctor_id: m.doctor_id }))
}

impl StaffDeps {
    /// With a hasher of its own. One for a program: it bounds how many passwords are hashed at the same time.
    #[must_use]
    pub fn new(people: PeopleDeps) -> Self {
        Self { people, hasher: Hasher::default() }
    }
}
