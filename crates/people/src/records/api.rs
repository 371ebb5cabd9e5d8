//! Patients' records, for staff and for those whom they are about.

mod imports;
mod merges;
mod own;
mod patients;
mod reach;
mod texts;

use axum::extract::DefaultBodyLimit;
use edge::{Anyone, Role, Routes, Who};
use utoipa_axum::router::UtoipaMethodRouterExt;
use utoipa_axum::routes;

use crate::PeopleDeps;
use crate::api::{ChangePersons, SeePersons};

/// The largest file of patients: 10,000 rows of some hundred characters, with room to spare.
const FILE_BYTES: usize = 4 * 1024 * 1024;

edge::permission! {
    /// May look for a patient by name, phone, document or card.
    SeePatients = "patients.see", Who::Roles(&[Role::Triage, Role::Nurse, Role::Doctor, Role::Operations]);
    /// May put a patient on file with the document in hand.
    RegisterPatients = "patients.register", Who::Roles(&[Role::Triage, Role::Nurse, Role::Operations]);
    /// May make two records one, and part them again.
    MergePatients = "patients.merge", Who::Roles(&[Role::Operations]);
    /// May bring patients in from a file.
    ImportPatients = "patients.import", Who::Roles(&[Role::Operations, Role::SystemAdmin]);
    /// May write the texts that people agree to, and put them in force.
    EditTexts = "consent_texts.edit", Who::Roles(&[Role::Operations, Role::SystemAdmin]);
}

/// The routes, each with its permission.
#[must_use]
pub(crate) fn routes() -> Routes<PeopleDeps> {
    Routes::new()
        .route::<SeePatients>(routes!(patients::find))
        .route::<SeePatients>(routes!(patients::open))
        .route::<SeePatients>(routes!(reach::show))
        .route::<RegisterPatients>(routes!(patients::register))
        .route::<MergePatients>(routes!(merges::list, merges::merge))
        .route::<MergePatients>(routes!(merges::undo))
        .route::<ImportPatients>(
            routes!(imports::list, imports::take).layer(DefaultBodyLimit::max(FILE_BYTES)),
        )
        .route::<ImportPatients>(routes!(imports::show))
        .route::<ImportPatients>(routes!(imports::wrong))
        .route::<EditTexts>(routes!(texts::list, texts::write))
        .route::<EditTexts>(routes!(texts::publish))
        .route::<Anyone>(routes!(texts::current))
        .route::<SeePersons>(routes!(own::on_file))
        .route::<SeePersons>(routes!(own::export))
        .route::<ChangePersons>(routes!(own::correct))
        .route::<ChangePersons>(routes!(own::withdraw))
        .route::<ChangePersons>(routes!(own::lock))
}
