//! Booking for patients, under `/api/v1/appointments`.

mod add_on;
mod handlers;
mod offers;
mod returns;
mod wire;

use edge::{Routes, SignedIn};
use utoipa_axum::routes;

use crate::BookingDeps;

pub use handlers::AppointmentTopic;
pub(crate) use returns::{ReturnSlots, free_for};
pub use wire::{AppointmentBody, NoticeBody, notice};

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
}
