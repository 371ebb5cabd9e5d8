//! The registration desk's routes, under `/api/v1/staff`: finding and booking, added numbers, return visits, what was called off
//! and whom to call.

mod calls;
mod doctor;
mod find;
mod list;
mod stops;
mod window;
mod wire;

use edge::permission::Role::{Doctor, Nurse, Operations, Triage};
use edge::{Routes, Who};
use utoipa_axum::routes;

use crate::BookingDeps;

edge::permission! {
    /// May see who has booked what, names and numbers covered.
    ReadBookings = "booking.read", Who::Roles(&[Operations, Triage, Nurse, Doctor]);
    /// May find a person on file, names and numbers covered.
    FindPersons = "booking.find_person", Who::Roles(&[Operations, Triage, Nurse, Doctor]);
    /// May book, move and give up for a person.
    BookForPerson = "booking.desk", Who::Roles(&[Operations, Triage, Nurse]);
    /// May add numbers and make return visits; a doctor to their own clinics.
    AddNumbers = "booking.add_on", Who::Roles(&[Doctor, Triage, Nurse]);
    /// May call those whose clinic was called off, and open their phone for it.
    CallPatients = "booking.calls", Who::Roles(&[Operations, Triage]);
}

/// The routes, with who may call them.
pub(crate) fn routes() -> Routes<BookingDeps> {
    Routes::new()
        .route::<ReadBookings>(routes!(list::list))
        .route::<ReadBookings>(routes!(list::file))
        .route::<ReadBookings>(routes!(list::one))
        .route::<FindPersons>(routes!(find::find))
        .route::<BookForPerson>(routes!(window::book))
        .route::<BookForPerson>(routes!(window::cancel))
        .route::<BookForPerson>(routes!(window::move_to))
        .route::<AddNumbers>(routes!(doctor::add))
        .route::<AddNumbers>(routes!(doctor::code))
        .route::<AddNumbers>(routes!(doctor::added))
        .route::<AddNumbers>(routes!(doctor::return_slots))
        .route::<AddNumbers>(routes!(doctor::return_visit))
        .route::<AddNumbers>(routes!(doctor::allow_return))
        .route::<ReadBookings>(routes!(stops::changes))
        .route::<schedule::staff_api::StopClinic>(routes!(stops::undo))
        .route::<CallPatients>(routes!(calls::list))
        .route::<CallPatients>(routes!(calls::phone))
        .route::<CallPatients>(routes!(calls::outcome))
        .route::<CallPatients>(routes!(calls::offers))
        .route::<CallPatients>(routes!(calls::book))
}
