//! The hospital of the rush, with a doctor's five evenings beside it.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use base::{Clock, HalfDay, Secret, WallTime};
use edge::Hospitals;
use schedule::SlotId;
use schedule::plan::{self, NewClinic, segments};
use server::Config;
use store::value::{One, Row};
use store::{Db, Sql, args};

use crate::load::Phone;
use crate::postgres::Postgres;
use crate::rush::prepare::{HOSPITAL, Prepared as Rush, TEMPLATE};

/// The database of a round.
const ROUND: &str = "nodes";
/// The doctor's evenings, and the places of each of their segments.
const EVENINGS: i64 = 5;
const PLACES: u32 = 30;

const CLINIC_TEXT: &str = "SELECT c.department_id, c.doctor_id, c.campus_id, c.date FROM clinic c WHERE c.hospital_id = $1 ORDER BY c.id LIMIT 1";
const CLINIC: Sql = Sql { name: "CLINIC", sqlite: CLINIC_TEXT, postgres: CLINIC_TEXT };
const SLOTS_TEXT: &str = "SELECT id FROM slot WHERE hospital_id = $1 AND clinic_id = $2 ORDER BY position";
const SLOTS: Sql = Sql { name: "SLOTS", sqlite: SLOTS_TEXT, postgres: SLOTS_TEXT };

/// A prepared hospital, of which every round gets a copy.
pub(super) struct Prepared {
    pub(super) phones: Arc<[Phone]>,
    pub(super) hot: Arc<[String]>,
    pub(super) warm: Arc<[String]>,
    /// 40 slots of one doctor.
    pub(super) siblings: Arc<[String]>,
    config: Config,
}

impl Prepared {
    pub(super) async fn make(folder: &Path, postgres: &Postgres, phones: u32) -> Result<Self> {
        let rush = Rush::make(folder, Some(postgres), phones).await?;
        let siblings = evenings(&rush.config).await?;
        Ok(Self {
            phones: rush.phones,
            hot: rush.hot,
            warm: rush.warm,
            siblings: siblings.into(),
            config: rush.config,
        })
    }

    /// A copy for one round.
    pub(super) fn copy(&self, postgres: &Postgres) -> Result<Config> {
        let make = format!("CREATE DATABASE {ROUND} TEMPLATE {TEMPLATE}");
        let drop = format!("DROP DATABASE IF EXISTS {ROUND} WITH (FORCE)");
        postgres.sql("postgres", &[&drop, &make, "CHECKPOINT"])?;
        let mut config = self.config.clone();
        config.database.url = Secret::new(postgres.url(ROUND));
        Ok(config)
    }
}

/// Plans them, and lifts the limits of a person: this is about nodes.
async fn evenings(config: &Config) -> Result<Vec<String>> {
    let db = Db::open(&config.database.store(), Clock::machine()).await?;
    let hospitals = Hospitals::load(&db).await?;
    let limits = serde_json::json!({"per_day": 99, "per_department_day": 99, "per_week": 999, "per_quarter": 999, "per_account_day": 0});
    hospitals.set(HOSPITAL, "booking.limits", &limits, "bench").await?;
    // What is given up is on sale again at once: this is about many nodes, not about the waitlist.
    let waitlist = serde_json::json!({"enabled": false});
    hospitals.set(HOSPITAL, "booking.waitlist", &waitlist, "bench").await?;
    let hospital = hospitals.get(HOSPITAL).context("the hospital")?;
    let row: Row = db.one(CLINIC, args![HOSPITAL]).await?;
    let first: base::Date = row.get("date")?;
    let wall = |text: &str| text.parse::<WallTime>().map_err(|e| anyhow::anyhow!("{text}: {e}"));
    let times = segments(wall("17:00")?, wall("21:00")?, 30)?;
    let mut found = Vec::new();
    for day in 0..EVENINGS {
        let mut tx = db.begin().await?;
        let new = NewClinic {
            department: row.get("department_id")?,
            doctor: row.get("doctor_id")?,
            campus: row.get("campus_id")?,
            date: first.checked_add(jiff::Span::new().days(day))?,
            half_day: HalfDay::Night,
            kind: schedule::ClinicKind::Specialist,
            online: false,
            fee: base::Fen(3_800),
            room: None,
            slots: NewClinic::slots(&times, PLACES),
            opens_at: None,
            closes_at: None,
        };
        let clinic = plan::add_clinic(&mut tx, &hospital, &new).await?;
        tx.commit().await?;
        let slots: Vec<One<SlotId>> = db.all(SLOTS, args![HOSPITAL, clinic]).await?;
        found.extend(slots.into_iter().map(|one| one.0.to_string()));
    }
    db.close().await;
    Ok(found)
}
