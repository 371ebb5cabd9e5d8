//! For patients: signing in, the account's choices, persons.

pub(crate) mod auth;
mod cards;
mod js_sdk;
pub(crate) mod persons;
mod session;
pub(crate) mod wire;

use edge::{Anyone, Routes};
use utoipa_axum::routes;

use crate::PeopleDeps;

edge::permission! {
    /// May see and change the account's own choices.
    OwnAccount = "people.account", edge::Who::Accounts;
    /// May see the persons of the account.
    SeePersons = "people.persons.see", edge::Who::Accounts;
    /// May add, bind, change and unbind persons of the account.
    ChangePersons = "people.persons.change", edge::Who::Accounts;
}

/// The routes, each with its permission.
#[must_use]
pub fn routes() -> Routes<PeopleDeps> {
    Routes::new()
        .route::<Anyone>(routes!(session::show))
        .route::<Anyone>(routes!(session::send_code))
        .route::<Anyone>(routes!(session::sign_in))
        .route::<Anyone>(routes!(session::sign_out))
        .route::<OwnAccount>(routes!(session::change_account))
        .route::<Anyone>(routes!(auth::to_wechat))
        .route::<Anyone>(routes!(auth::from_wechat))
        .route::<Anyone>(routes!(js_sdk::sign))
        .route::<SeePersons>(routes!(persons::list))
        .route::<ChangePersons>(routes!(persons::add))
        .route::<ChangePersons>(routes!(persons::send_code))
        .route::<ChangePersons>(routes!(persons::bind))
        .route::<ChangePersons>(routes!(persons::change))
        .route::<ChangePersons>(routes!(persons::unbind))
        .route::<SeePersons>(routes!(cards::list))
        .route::<ChangePersons>(routes!(cards::add))
        .route::<ChangePersons>(routes!(cards::remove))
}
