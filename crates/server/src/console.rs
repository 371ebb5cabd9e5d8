//! What the console needs of the whole program rather than of one capability: its settings, and work that failed.
//!
//! - [`settings`]: every section of the hospital's settings, as the capabilities hand them in, with history and undo
//! - [`program`]: what the file and the environment say, to look at
//! - [`trouble`]: reactions to events, jobs and pushes of WeChat that failed for good, tried again or given up

mod program;
mod settings;
mod trouble;

use std::sync::Arc;

use edge::permission::Role::{AuditAdmin, Director, Operations, SystemAdmin};
use edge::{Capability, Hospitals, Routes, Section, Who};
use store::Db;
use utoipa_axum::routes;

use self::program::ProgramKey;
use crate::config::Config;

edge::permission! {
    /// May see all settings with where they come from.
    SeeSettings = "settings.see", Who::Roles(&[SystemAdmin, AuditAdmin, Operations, Director]);
    /// May change the hospital's settings and take changes back.
    ChangeSettings = "settings.change", Who::Roles(&[SystemAdmin]);
    /// May see work that failed.
    SeeTrouble = "trouble.see", Who::Roles(&[SystemAdmin, AuditAdmin, Operations]);
    /// May have failed work tried again, or give it up.
    SettleTrouble = "trouble.settle", Who::Roles(&[SystemAdmin, Operations]);
}

/// What these routes work with.
#[derive(Clone)]
struct Deps {
    db: Db,
    hospitals: Hospitals,
    sections: Arc<[Section]>,
    program: Arc<[ProgramKey]>,
}

/// Its parts. `sections` are those of all capabilities.
pub(crate) fn capability(
    db: Db,
    hospitals: Hospitals,
    config: &Config,
    sections: Vec<Section>,
) -> Capability {
    let program = program::keys(config).into();
    let deps = Deps { db, hospitals, sections: sections.into(), program };
    let (router, rules) = Routes::new()
        .route::<SeeSettings>(routes!(settings::list))
        .route::<ChangeSettings>(routes!(settings::change))
        .route::<SeeSettings>(routes!(settings::changes))
        .route::<ChangeSettings>(routes!(settings::undo))
        .route::<SeeTrouble>(routes!(trouble::list))
        .route::<SettleTrouble>(routes!(trouble::again))
        .route::<SettleTrouble>(routes!(trouble::give_up))
        .with_state(deps);
    Capability { name: "console", router, rules, ..Capability::default() }
}
