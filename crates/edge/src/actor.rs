//! Who is calling.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use base::{Lang, Problem};
use http::request::Parts;

use crate::hospital::Hospital;
use crate::permission::Role;
use crate::problem::ApiError;
use crate::session::Session;

store::typed_id! {
    /// An account: whoever holds the phone. Persons who are treated are bound to it.
    AccountId = "acc";
    /// A member of staff.
    StaffId = "stf";
    /// A screen or a kiosk of the hospital.
    DeviceId = "dev";
}

store::text_enum! {
    /// What a device of the hospital may do.
    #[derive(utoipa::ToSchema)]
    pub enum DeviceKind {
        /// Hangs on a wall and shows.
        #[schema(rename = "screen")]
        Screen = "screen",
        /// Stands in a hall and acts for whoever stands before it.
        #[schema(rename = "kiosk")]
        Kiosk = "kiosk",
    }
}

/// Somebody or something that calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Nobody has signed in.
    Nobody,
    /// A patient's account.
    Account(AccountId),
    /// A member of staff with roles.
    Staff(StaffId, Vec<Role>),
    /// A screen or a kiosk that staff have let in.
    Device(DeviceId, DeviceKind),
    /// The program itself: jobs, reactions to events.
    System,
}

impl std::fmt::Display for Actor {
    /// The form of the audit log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nobody => f.write_str("nobody"),
            Self::Account(id) => id.fmt(f),
            Self::Staff(id, _) => id.fmt(f),
            Self::Device(id, _) => id.fmt(f),
            Self::System => f.write_str("system"),
        }
    }
}

/// What every handler may know of the call.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The hospital that the call is for. Every store function takes its id: nothing is read or written without it.
    pub hospital: Arc<Hospital>,
    /// Who calls.
    pub actor: Actor,
    /// The language of the answer.
    pub lang: Lang,
    /// The id that stands in the log, the audit entry and every problem answer.
    pub request_id: Arc<str>,
    /// Where it comes from: the address, as far as trusted proxies tell it.
    pub source: Arc<str>,
    /// The `User-Agent`, at most 200 characters.
    pub user_agent: Arc<str>,
    /// The session, when somebody has signed in.
    pub session: Option<Arc<Session>>,
}

impl Caller {
    /// The program itself, at work for a hospital.
    #[must_use]
    pub fn system(hospital: Arc<Hospital>) -> Self {
        Self {
            hospital,
            actor: Actor::System,
            lang: Lang::Zh,
            request_id: "system".into(),
            source: "system".into(),
            user_agent: "".into(),
            session: None,
        }
    }

    /// An audit entry with who, whence and under which request filled in.
    #[must_use]
    pub fn audit(
        &self,
        action: &'static str,
        entity: impl std::fmt::Display,
        detail: serde_json::Value,
    ) -> store::AuditEntry {
        store::AuditEntry {
            hospital: self.hospital.id,
            actor: self.actor.to_string(),
            action,
            entity: entity.to_string(),
            detail,
            request_id: self.request_id.to_string(),
            source: self.source.to_string(),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        // The layer that identifies callers stands before every route; without it nobody gets through.
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Problem::internal().into())
    }
}

/// A caller who is a patient's account.
#[derive(Debug, Clone)]
pub struct Account {
    /// The account.
    pub id: AccountId,
    /// The call.
    pub caller: Caller,
}

impl<S: Send + Sync> FromRequestParts<S> for Account {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, state).await?;
        match caller.actor {
            Actor::Account(id) => Ok(Self { id, caller }),
            Actor::Nobody => Err(Problem::sign_in().into()),
            _ => Err(Problem::forbidden().into()),
        }
    }
}

/// A caller who is a member of staff.
#[derive(Debug, Clone)]
pub struct Staff {
    /// Who.
    pub id: StaffId,
    /// With which roles.
    pub roles: Vec<Role>,
    /// The call.
    pub caller: Caller,
}

impl<S: Send + Sync> FromRequestParts<S> for Staff {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, state).await?;
        match caller.actor.clone() {
            Actor::Staff(id, roles) => Ok(Self { id, roles, caller }),
            Actor::Nobody => Err(Problem::sign_in().into()),
            _ => Err(Problem::forbidden().into()),
        }
    }
}

/// A caller that is a screen or a kiosk.
#[derive(Debug, Clone)]
pub struct Device {
    /// Which.
    pub id: DeviceId,
    /// What it may do.
    pub kind: DeviceKind,
    /// The call.
    pub caller: Caller,
}

impl<S: Send + Sync> FromRequestParts<S> for Device {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, state).await?;
        match caller.actor {
            Actor::Device(id, kind) => Ok(Self { id, kind, caller }),
            Actor::Nobody => Err(Problem::sign_in().into()),
            _ => Err(Problem::forbidden().into()),
        }
    }
}
