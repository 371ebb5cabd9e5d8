//! Booking for patients, under `/api/v1/appointments`.

mod handlers;
mod wire;

use edge::{Routes, SignedIn};
use utoipa_axum::routes;

use crate::BookingDeps;

pub use handlers::AppointmentTopic;
pub use wire::{AppointmentBody, notice};

/// The routes, with who may call them.
#[must_use]
pub fn routes() -> Routes<BookingDeps> {
    Routes::new()
        .route::<SignedIn>(routes!(handlers::book, handlers::list))
        .route::<SignedIn>(routes!(handlers::again))
        .route::<SignedIn>(routes!(handlers::detail))
        .route::<SignedIn>(routes!(handlers::cancel))
        .route::<SignedIn>(routes!(handlers::move_to))
}
