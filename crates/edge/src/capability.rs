//! What a capability hands to the server.

use std::sync::Arc;

use store::{JobHandler, Migration, Sql, Subscriber, Sweep};
use utoipa_axum::router::OpenApiRouter;

use crate::live::TopicSource;
use crate::routes::Rule;
use crate::settings::Section;

/// The parts of a capability. The server joins them; nobody else needs to know what is inside.
#[derive(Default)]
pub struct Capability {
    /// Its name, `booking`.
    pub name: &'static str,
    /// Its tables.
    pub migrations: Vec<Migration>,
    /// Its statements.
    pub statements: Vec<Sql>,
    /// Its routes, under `/api/v1` …
    pub router: OpenApiRouter,
    /// … and who may call them.
    pub rules: Vec<Rule>,
    /// What it does about events.
    pub subscribers: Vec<Arc<dyn Subscriber>>,
    /// What it does at a time.
    pub jobs: Vec<Arc<dyn JobHandler>>,
    /// What it looks for.
    pub sweeps: Vec<Arc<dyn Sweep>>,
    /// What a hospital may set about it.
    pub settings: Vec<Section>,
    /// What can be watched.
    pub topics: Vec<Arc<dyn TopicSource>>,
}
