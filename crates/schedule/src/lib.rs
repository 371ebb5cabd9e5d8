//! Departments, doctors, clinics, slots, quotas and release: what can be had, and when.
//!
//! A [`Clinic`](model::ClinicId) (出诊) is one sitting: a doctor or a department, a campus, a date, a half day, a kind with its
//! fee. It is cut into [slots](model::SlotId) of at most 30 minutes, each with its places. Places are released at a time
//! (14 days ahead at 07:00 unless set otherwise, [`rules::ReleaseRules`]) and can be had until the clinic's cut-off or the
//! slot's start. Release is a time, not a job: nothing has to run at 07:00.
//!
//! - [`model`]: ids, kinds, titles; [`wire`]: the answers of the public routes
//! - [`rules`]: how slots, clinics and days stand, as pure functions of time and counts
//! - [`stock`]: places under a lock, for the booking desk alone; [`added`]: places beyond the plan
//! - [`Board`]: what can be had, in memory, at most a second old on any node; every public read is served from it
//! - [`plan`]: making departments, doctors and clinics, changing them by hand, stopping a clinic, replacing its doctor
//! - [`templates`]: clinics that come again, made days ahead; [`calendar`]: holidays and the days worked in their place
//! - [`quota`]: who gets how many of a clinic's places, by which way, and what flows back
//! - [`staff_api`]: the routes of staff: the week, templates, quotas, departments and doctors
//! - [`api`]: the public routes; [`reacts`]: live topics; [`worker`]: keeps the board fresh
//!
//! **Invariants:** slots are never oversold (`CHECK (taken <= capacity)`); a number that was given is not given again; the
//! board never decides about a booking; this crate knows no patient.

pub mod added;
pub mod api;
pub mod board;
pub mod calendar;
mod ended;
pub mod model;
pub mod plan;
pub mod quota;
pub mod reacts;
pub mod rules;
mod sections;
pub mod staff_api;
pub mod stock;
mod store;
pub mod templates;
pub mod wire;
pub mod worker;

pub use api::{ScheduleDeps, capability};
pub use board::{Board, Sitting};
pub use ended::ended;
pub use model::{
    CampusId, Card, ChangeId, ClinicId, ClinicKind, DepartmentId, DoctorId, SlotFacts, SlotId, Title,
};
pub use wire::{HospitalFacts, Limits, NearFree, NextFree, SignInFacts};

/// The tables.
#[must_use]
pub fn migrations() -> Vec<::store::Migration> {
    vec![
        ::store::migration!("schedule", "0001_schedule"),
        ::store::migration!("schedule", "0002_planning"),
        ::store::Migration {
            capability: "schedule",
            name: "0003_photo",
            sqlite: include_str!("../migrations/0003_photo.sqlite.sql"),
            postgres: include_str!("../migrations/0003_photo.postgres.sql"),
        },
        ::store::migration!("schedule", "0004_add_on"),
    ]
}

/// The statements, for the test that prepares them all.
#[must_use]
pub fn statements() -> Vec<::store::Sql> {
    [
        store::ALL,
        store::added::ALL,
        store::calendar::ALL,
        store::quota::ALL,
        store::staff::ALL,
        store::templates::ALL,
    ]
    .concat()
}
