//! The routes of staff, under `/api/v1/staff`: the week, templates, the calendar, quotas, departments and doctors.

mod calendar;
mod clinics;
pub mod csv;
mod places;
mod quotas;
mod templates;

use edge::permission::Role::{Operations, Triage};
use edge::{Anyone, Routes, Who};
use store::Db;
use utoipa_axum::routes;

use crate::board::Board;

edge::permission! {
    /// May see the schedule as it is planned: every clinic with what is taken, templates, quotas.
    ReadSchedule = "schedule.read", Who::Staff;
    /// May plan: templates, exceptions, capacities, quotas, departments and doctors, the calendar.
    PlanSchedule = "schedule.plan", Who::Roles(&[Operations]);
    /// May stop a clinic, take that back, and have another doctor sit.
    StopClinic = "schedule.stop", Who::Roles(&[Operations, Triage]);
}

/// What the routes of staff need.
#[derive(Clone)]
pub(crate) struct StaffDeps {
    pub(crate) db: Db,
    pub(crate) board: Board,
}

/// The routes, with who may call them.
pub(crate) fn routes() -> Routes<StaffDeps> {
    Routes::new()
        .route::<ReadSchedule>(routes!(clinics::week))
        .route::<ReadSchedule>(routes!(clinics::week_csv))
        .route::<ReadSchedule>(routes!(clinics::one))
        .route::<PlanSchedule>(routes!(clinics::add))
        .route::<PlanSchedule>(routes!(clinics::change))
        .route::<StopClinic>(routes!(clinics::stop))
        .route::<StopClinic>(routes!(clinics::replace))
        .route::<ReadSchedule>(routes!(templates::list))
        .route::<PlanSchedule>(routes!(templates::add))
        .route::<PlanSchedule>(routes!(templates::change))
        .route::<PlanSchedule>(routes!(templates::set_active))
        .route::<ReadSchedule>(routes!(templates::differences))
        .route::<PlanSchedule>(routes!(templates::apply))
        .route::<PlanSchedule>(routes!(templates::put_exception))
        .route::<PlanSchedule>(routes!(templates::delete_exception))
        .route::<PlanSchedule>(routes!(templates::generate))
        .route::<ReadSchedule>(routes!(calendar::days))
        .route::<PlanSchedule>(routes!(calendar::load))
        .route::<ReadSchedule>(routes!(quotas::list))
        .route::<PlanSchedule>(routes!(quotas::add))
        .route::<PlanSchedule>(routes!(quotas::change))
        .route::<PlanSchedule>(routes!(quotas::delete))
        .route::<ReadSchedule>(routes!(quotas::preview))
        .route::<PlanSchedule>(routes!(quotas::apply))
        .route::<ReadSchedule>(routes!(places::places))
        .route::<PlanSchedule>(routes!(places::put_campus))
        .route::<PlanSchedule>(routes!(places::put_department))
        .route::<PlanSchedule>(routes!(places::put_doctor))
        .route::<PlanSchedule>(routes!(places::put_photo))
        .route::<Anyone>(routes!(places::photo))
}
