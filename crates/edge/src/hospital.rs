//! Which hospital a request is for, what it is called, and its settings.
//!
//! The few rows of all hospitals are kept in memory and read again every few seconds, so that what an administrator changes
//! reaches every node without a restart.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base::{HospitalId, Problem, Text2, UnixMs, Zone};
use parking_lot::RwLock;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::value::{FromRow, Row};
use store::{Db, StoreError, args};

use crate::settings::keep;

store::statements! {
    LIST = "SELECT id, code, profile, zone FROM hospital ORDER BY id";
    HOSTS = "SELECT host, hospital_id FROM hospital_host";
    SETTINGS = "SELECT hospital_id, section, value FROM setting";
    ADD = "INSERT INTO hospital (id, code, profile, zone, created_at) VALUES ($1, $2, $3, $4, $5)";
    PUT = "INSERT INTO hospital (id, code, profile, zone, created_at) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (id) DO UPDATE SET code = excluded.code, profile = excluded.profile, zone = excluded.zone";
    ADD_HOST = "INSERT INTO hospital_host (host, hospital_id) VALUES ($1, $2) ON CONFLICT (host) DO UPDATE SET hospital_id = excluded.hospital_id";
}

/// What a hospital is called and where it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its full name.
    pub name: Text2,
    /// Its short name, for pushes and the signature of SMS.
    pub short_name: Text2,
    /// The number that people call.
    pub phone: String,
    /// Where it is.
    pub address: Text2,
    /// What everybody should know just now.
    #[serde(default)]
    pub notice: Option<Text2>,
}

/// A hospital.
#[derive(Debug, Clone)]
pub struct Hospital {
    /// The first part of all of its keys.
    pub id: HospitalId,
    /// How it is called in addresses: `/h/{code}`.
    pub code: String,
    /// Its names.
    pub profile: Profile,
    /// Where its clocks hang.
    pub zone: Zone,
    settings: HashMap<String, serde_json::Value>,
}

impl Hospital {
    /// A section of its settings; what was never set has its default.
    ///
    /// A stored section that this program can't read (written by a newer one) counts as not set and is logged.
    #[must_use]
    pub fn settings<T: DeserializeOwned + Default>(&self, section: &str) -> T {
        let Some(value) = self.settings.get(section) else { return T::default() };
        T::deserialize(value).unwrap_or_else(|error| {
            tracing::error!(%error, section, hospital = self.code, "stored settings can't be read; the defaults hold");
            T::default()
        })
    }

    /// An instant in RFC 3339, in the hospital's zone.
    #[must_use]
    pub fn rfc3339(&self, at: UnixMs) -> String {
        self.zone.rfc3339(at)
    }
}

/// All hospitals of the installation. Cheap to clone.
#[derive(Clone)]
pub struct Hospitals {
    db: Db,
    known: Arc<RwLock<Known>>,
}

#[derive(Default)]
struct Known {
    list: Vec<Arc<Hospital>>,
    hosts: HashMap<String, HospitalId>,
}

impl Hospitals {
    /// Reads them from the database.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn load(db: &Db) -> Result<Self, StoreError> {
        let all = Self { db: db.clone(), known: Arc::default() };
        all.reload().await?;
        Ok(all)
    }

    /// Reads them again.
    ///
    /// # Errors
    /// Any [`StoreError`]; what was known stays.
    pub async fn reload(&self) -> Result<(), StoreError> {
        let mut settings: HashMap<HospitalId, HashMap<String, serde_json::Value>> = HashMap::new();
        for row in self.db.all::<Row>(SETTINGS, args![]).await? {
            let value: String = row.get("value")?;
            let (hospital, section): (HospitalId, String) = (row.get("hospital_id")?, row.get("section")?);
            match serde_json::from_str(&value) {
                Ok(value) => drop(settings.entry(hospital).or_default().insert(section, value)),
                Err(error) => {
                    tracing::error!(%error, section, %hospital, "stored settings are not JSON; the defaults hold");
                }
            }
        }
        let mut list = self.db.all::<Hospital>(LIST, args![]).await?;
        for hospital in &mut list {
            hospital.settings = settings.remove(&hospital.id).unwrap_or_default();
        }
        let mut hosts = HashMap::new();
        for row in self.db.all::<Row>(HOSTS, args![]).await? {
            hosts.insert(row.get("host")?, row.get("hospital_id")?);
        }
        *self.known.write() = Known { list: list.into_iter().map(Arc::new).collect(), hosts };
        Ok(())
    }

    /// Reads them again every five seconds until `stop`.
    pub async fn keep_fresh(self, stop: tokio_util::sync::CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(Duration::from_secs(5)) => {}
            }
            if let Err(error) = self.reload().await {
                tracing::warn!(%error, "settings could not be read again");
            }
        }
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Hospital>> {
        self.known.read().list.clone()
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, id: HospitalId) -> Option<Arc<Hospital>> {
        self.known.read().list.iter().find(|h| h.id == id).cloned()
    }

    /// The one with this code.
    #[must_use]
    pub fn by_code(&self, code: &str) -> Option<Arc<Hospital>> {
        self.known.read().list.iter().find(|h| h.code == code).cloned()
    }

    /// The one that a host name stands for, or the only one.
    ///
    /// # Errors
    /// 404 when there are several and the name stands for none.
    pub fn by_host(&self, host: &str) -> Result<Arc<Hospital>, Problem> {
        let known = self.known.read();
        let named = known.hosts.get(host).and_then(|id| known.list.iter().find(|h| h.id == *id));
        match (named, known.list.as_slice()) {
            (Some(hospital), _) | (None, [hospital]) => Ok(hospital.clone()),
            _ => Err(Problem::not_found()),
        }
    }

    /// Adds a hospital; part of setting up.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when the id or code is taken, [`StoreError::Config`] when there is no such zone; any other
    /// [`StoreError`].
    pub async fn add(
        &self,
        id: HospitalId,
        code: &str,
        profile: &Profile,
        zone: &str,
    ) -> Result<(), StoreError> {
        // A row that can't be read would keep every node from starting.
        Zone::named(zone).map_err(|e| StoreError::Config(e.to_string()))?;
        let profile = serde_json::to_string(profile).map_err(|e| StoreError::Config(e.to_string()))?;
        let mut tx = self.db.begin().await?;
        let now = tx.now();
        tx.exec(ADD, args![id, code, profile, zone, now]).await?;
        tx.commit().await?;
        self.reload().await
    }

    /// Adds a hospital, or changes the one of this id; part of setting up.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when another has this code; any other [`StoreError`].
    pub async fn put(
        &self,
        id: HospitalId,
        code: &str,
        profile: &Profile,
        zone: &str,
    ) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        let now = tx.now();
        let profile = serde_json::to_string(profile).unwrap_or_default();
        tx.exec(PUT, args![id, code, profile, zone, now]).await?;
        tx.commit().await?;
        self.reload().await
    }

    /// Makes a host name stand for a hospital.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn add_host(&self, host: &str, id: HospitalId) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        tx.exec(ADD_HOST, args![host.to_ascii_lowercase(), id]).await?;
        tx.commit().await?;
        self.reload().await
    }

    /// Sets a section of a hospital's settings. Who did it stands beside it.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn set<T: Serialize>(
        &self,
        id: HospitalId,
        section: &str,
        value: &T,
        by: &str,
    ) -> Result<(), StoreError> {
        let value = serde_json::to_value(value).map_err(|e| StoreError::Config(e.to_string()))?;
        let mut tx = self.db.begin().await?;
        keep::put(&mut tx, id, section, &value, by).await?;
        tx.commit().await?;
        self.reload().await
    }
}

impl FromRow for Hospital {
    fn from_row(row: &Row) -> store::Result<Self> {
        let decode = |column: &str, what: String| StoreError::Decode { column: column.into(), what };
        let profile: String = row.get("profile")?;
        let zone: String = row.get("zone")?;
        Ok(Self {
            id: row.get("id")?,
            code: row.get("code")?,
            profile: serde_json::from_str(&profile).map_err(|e| decode("profile", e.to_string()))?,
            zone: Zone::named(&zone).map_err(|e| decode("zone", e.to_string()))?,
            settings: HashMap::new(),
        })
    }
}
