//! The routes of waiting, under `/api/v1/queue` for everybody and patients, under `/api/v1/desk` for staff and kiosks.

mod desk;
mod orders;
mod patient;
mod pickup;
mod public;
mod setup;
mod stats;
pub mod wire;

use edge::actor::DeviceKind;
use edge::permission::Role::{Director, Doctor, Experience, Nurse, Operations, Triage};
use edge::{Anyone, Routes, SignedIn, Who};
use utoipa_axum::routes;

use crate::QueueDeps;

edge::permission! {
    /// May check people in and give them numbers: at a desk, or as a kiosk.
    Receive = "queue.reception", Who::RolesOrDevices(&[Triage, Nurse, Operations, Doctor], &[DeviceKind::Kiosk]);
    /// May call, pass, send for an exam, end, pause.
    CallNext = "queue.call", Who::Roles(&[Doctor, Nurse, Triage, Operations]);
    /// May mark as ready and hand over what is picked up.
    HandOver = "queue.pickup", Who::Roles(&[Nurse, Triage, Operations]);
    /// May bring orders and call them off.
    BringOrders = "queue.orders", Who::Roles(&[Doctor, Nurse, Operations]);
    /// May set up areas, rooms and lines.
    SetUpQueues = "queue.setup", Who::Roles(&[Operations]);
    /// May see what waiting looks like in figures.
    SeeWaiting = "queue.stats", Who::Roles(&[Operations, Director, Experience]);
}

/// The routes, with who may call them.
#[must_use]
pub fn routes() -> Routes<QueueDeps> {
    Routes::new()
        .route::<Anyone>(routes!(public::areas))
        .route::<Anyone>(routes!(public::wall))
        .route::<Anyone>(routes!(public::door))
        .route::<Anyone>(routes!(public::queue))
        .route::<Anyone>(routes!(public::waiting))
        .route::<SignedIn>(routes!(patient::here))
        .route::<SignedIn>(routes!(patient::check_in))
        .route::<SignedIn>(routes!(patient::numbers))
        .route::<SignedIn>(routes!(patient::tickets))
        .route::<SignedIn>(routes!(patient::ticket))
        .route::<SignedIn>(routes!(patient::leave))
        .route::<SignedIn>(routes!(patient::orders))
        .route::<SignedIn>(routes!(patient::pickups))
        .route::<SignedIn>(routes!(patient::pickup))
        .route::<Receive>(routes!(desk::check_in))
        .route::<Receive>(routes!(desk::walk_in))
        .route::<CallNext>(routes!(desk::desk, desk::sit))
        .route::<CallNext>(routes!(desk::next))
        .route::<CallNext>(routes!(desk::step))
        .route::<CallNext>(routes!(desk::transfer))
        .route::<CallNext>(routes!(desk::class))
        .route::<CallNext>(routes!(desk::undo))
        .route::<CallNext>(routes!(desk::queue))
        .route::<CallNext>(routes!(desk::pause))
        .route::<CallNext>(routes!(desk::resume))
        .route::<CallNext>(routes!(desk::close))
        .route::<HandOver>(routes!(pickup::expect, pickup::list))
        .route::<HandOver>(routes!(pickup::ready))
        .route::<HandOver>(routes!(pickup::collect))
        .route::<HandOver>(routes!(pickup::put_back))
        .route::<BringOrders>(routes!(orders::put))
        .route::<BringOrders>(routes!(orders::cancel))
        .route::<BringOrders>(routes!(orders::list))
        .route::<SetUpQueues>(routes!(setup::all))
        .route::<SetUpQueues>(routes!(setup::add_area))
        .route::<SetUpQueues>(routes!(setup::set_area))
        .route::<SetUpQueues>(routes!(setup::new_code))
        .route::<SetUpQueues>(routes!(setup::add_room))
        .route::<SetUpQueues>(routes!(setup::set_room))
        .route::<SetUpQueues>(routes!(setup::add_queue))
        .route::<SetUpQueues>(routes!(setup::set_queue))
        .route::<SeeWaiting>(routes!(stats::stats))
        .route::<SeeWaiting>(routes!(stats::stats_csv))
}

/// A list that is whole.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub(crate) struct All<T> {
    /// The entries.
    pub(crate) items: Vec<T>,
}
