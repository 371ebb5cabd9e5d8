//! The hospital of the rush, with a release in the next minute.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use base::{Clock, UnixMs};
use server::Config;
use store::{Db, Sql, args};

use super::Options;
use crate::load::Phone;
use crate::postgres::Postgres;
use crate::rush::prepare::Prepared;

/// Numbers of one slot.
const PLACES: u32 = 5;
/// Servers are started and people take their places in this time.
const LEAD: Duration = Duration::from_secs(20);

const EMPTY_TEXT: &str = "UPDATE slot SET capacity = 0";
const EMPTY: Sql = Sql { name: "EMPTY", sqlite: EMPTY_TEXT, postgres: EMPTY_TEXT };
const FILL_TEXT: &str = "UPDATE slot SET capacity = $2 WHERE id = $1";
const FILL: Sql = Sql { name: "FILL", sqlite: FILL_TEXT, postgres: FILL_TEXT };
const OPENS_TEXT: &str = "UPDATE clinic SET opens_at = $1";
const OPENS: Sql = Sql { name: "OPENS", sqlite: OPENS_TEXT, postgres: OPENS_TEXT };

/// A prepared hospital, of which every round gets a copy.
pub(super) struct Hospital {
    prepared: Prepared,
    /// The people.
    pub(super) phones: Arc<[Phone]>,
    /// The slots that have numbers.
    pub(super) slots: Arc<[String]>,
}

impl Hospital {
    pub(super) async fn make(folder: &Path, postgres: Option<&Postgres>, options: &Options) -> Result<Self> {
        let prepared = Prepared::make(folder, postgres, options.people).await?;
        let slots: Vec<String> =
            prepared.warm.iter().take(usize::try_from(options.numbers.div_ceil(PLACES))?).cloned().collect();
        Ok(Self { phones: prepared.phones.clone(), slots: slots.into(), prepared })
    }

    /// A copy for one round, and when its numbers are released: at the next whole minute that leaves time to get ready.
    pub(super) async fn round(
        &self,
        folder: &Path,
        postgres: Option<&Postgres>,
        options: &Options,
    ) -> Result<(Config, UnixMs)> {
        let config = self.prepared.copy(folder, postgres).await?;
        let db = Db::open(&config.database.store(), Clock::machine()).await?;
        let earliest = db.now().plus(LEAD).0;
        let opens_at = UnixMs(earliest + 60_000 - earliest.rem_euclid(60_000));
        let mut tx = db.begin().await?;
        tx.exec(EMPTY, args![]).await?;
        let mut left = options.numbers;
        for slot in self.slots.iter() {
            let places = left.min(PLACES);
            left -= places;
            tx.exec(FILL, args![slot.trim_start_matches("slt_"), places]).await?;
        }
        tx.exec(OPENS, args![opens_at]).await?;
        tx.commit().await?;
        db.close().await;
        Ok((config, opens_at))
    }
}

/// The settings of a node.
pub(super) fn settings(config: &Config, address: SocketAddr) -> Vec<(&'static str, String)> {
    vec![
        ("XINGLIN__SERVER__LISTEN", address.to_string()),
        ("XINGLIN__SERVER__PUBLIC_URL", format!("http://{address}")),
        ("XINGLIN__SERVER__TRUST_PROXY", "true".to_owned()),
        ("XINGLIN__DATABASE__URL", config.database.url.expose().to_owned()),
        ("XINGLIN__DATABASE__PATH", config.database.path.display().to_string()),
        ("XINGLIN__KEYS__FILE", config.keys.file.display().to_string()),
        ("XINGLIN__LOG__LEVEL", "warn".to_owned()),
    ]
}
