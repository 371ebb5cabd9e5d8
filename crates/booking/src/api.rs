//! Booking for patients, under `/api/v1/appointments`.

mod add_on;
mod handlers;
mod offers;
mod returns;
mod wire;

use edge::permission::Role::{Director, Experience, Nurse, Operations, Triage};
use edge::{Routes, SignedIn, Who};
use utoipa_axum::routes;

use crate::BookingDeps;
use crate::attendance::api as attendance;
use crate::rush::api as tickets;
use crate::waitlist::api as waitlist;

pub use handlers::AppointmentTopic;
pub(crate) use handlers::appointment_of;
pub(crate) use returns::{ReturnSlots, free_for};
pub use wire::{AppointmentBody, NoticeBody, notice};

edge::permission! {
    /// May see who waits for what, and who did not come: names covered.
    ReadAttendance = "attendance.read", Who::Roles(&[Operations, Triage, Nurse, Experience, Director]);
    /// May read what people write about not having come, and decide about it.
    ReadAppeal = "attendance.decide", Who::Roles(&[Operations, Experience]);
}

/// The routes, with who may call them.
#[must_use]
pub fn routes() -> Routes<BookingDeps> {
    Routes::new()
        .route::<SignedIn>(routes!(handlers::book, handlers::list))
        .route::<SignedIn>(routes!(handlers::again))
        .route::<SignedIn>(routes!(handlers::detail))
        .route::<SignedIn>(routes!(handlers::cancel))
        .route::<SignedIn>(routes!(handlers::move_to))
        .route::<SignedIn>(routes!(offers::offers))
        .route::<SignedIn>(routes!(offers::rebook))
        .route::<SignedIn>(routes!(offers::needs_none))
        .route::<SignedIn>(routes!(returns::choices))
        .route::<SignedIn>(routes!(returns::make))
        .route::<SignedIn>(routes!(add_on::look, add_on::take))
        .route::<SignedIn>(routes!(tickets::list))
        .route::<SignedIn>(routes!(tickets::detail))
        .route::<SignedIn>(routes!(waitlist::add, waitlist::list))
        .route::<SignedIn>(routes!(waitlist::accept))
        .route::<SignedIn>(routes!(waitlist::leave))
        .route::<SignedIn>(routes!(attendance::list))
        .route::<SignedIn>(routes!(attendance::add_appeal))
        .route::<ReadAttendance>(routes!(waitlist::for_staff))
        .route::<ReadAttendance>(routes!(attendance::for_staff))
        .route::<ReadAppeal>(routes!(attendance::one_for_staff))
        .route::<ReadAppeal>(routes!(attendance::decide))
}
