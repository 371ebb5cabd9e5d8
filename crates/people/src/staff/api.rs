//! For staff: signing in, one's own sign-in, who works here, the audit log.

mod audit;
mod members;
mod own;
mod session;
mod wecom;
mod wire;

use edge::{Anyone, Role, Routes, Who};
use utoipa_axum::routes;

use super::StaffDeps;

edge::permission! {
    /// May see and change what belongs to their own sign-in.
    OwnSignIn = "staff.own", Who::Staff;
    /// May see who works here and with which roles.
    SeeStaff = "staff.see", Who::Roles(&[Role::SystemAdmin, Role::SecurityAdmin, Role::AuditAdmin]);
    /// May put people on the list, change roles and states, and hand out codes. The system administrator only until there is a security
    /// administrator: see [`super::manage::manages`].
    ManageStaff = "staff.manage", Who::Roles(&[Role::SystemAdmin, Role::SecurityAdmin]);
    /// May read the audit log.
    SeeAudit = "audit.see", Who::Roles(&[Role::AuditAdmin]);
}

/// The routes, each with its permission.
#[must_use]
pub(crate) fn routes() -> Routes<StaffDeps> {
    Routes::new()
        .route::<Anyone>(routes!(session::show))
        .route::<Anyone>(routes!(session::by_password))
        .route::<Anyone>(routes!(session::choose_password))
        .route::<Anyone>(routes!(session::by_second_factor))
        .route::<Anyone>(routes!(session::sign_out))
        .route::<Anyone>(routes!(wecom::to_wecom))
        .route::<Anyone>(routes!(wecom::from_wecom))
        .route::<OwnSignIn>(routes!(own::change_password))
        .route::<OwnSignIn>(routes!(own::begin_second_factor))
        .route::<OwnSignIn>(routes!(own::confirm_second_factor))
        .route::<OwnSignIn>(routes!(own::renew_recovery))
        .route::<OwnSignIn>(routes!(own::leave_wecom))
        .route::<OwnSignIn>(routes!(own::sessions))
        .route::<OwnSignIn>(routes!(own::end_session))
        .route::<OwnSignIn>(routes!(own::end_others))
        .route::<SeeStaff>(routes!(members::roles))
        .route::<SeeStaff>(routes!(members::list))
        .route::<SeeStaff>(routes!(members::open))
        .route::<SeeStaff>(routes!(members::sessions))
        .route::<ManageStaff>(routes!(members::add))
        .route::<ManageStaff>(routes!(members::change))
        .route::<ManageStaff>(routes!(members::reset))
        .route::<ManageStaff>(routes!(members::end_session))
        .route::<ManageStaff>(routes!(members::end_sessions))
        .route::<SeeAudit>(routes!(audit::list))
}
