//! Lines that nobody attends to, and tickets that nobody needs any more.

use std::time::Duration;

use async_trait::async_trait;
use store::events::Failure;
use store::{Db, Sweep};

use super::store as sql;
use crate::BookingDeps;

/// Tickets are kept for so long after they were served.
const KEPT: Duration = Duration::from_secs(2 * 86_400);

/// Looks for lines whose node died, and removes old tickets.
pub(crate) struct Tidy {
    deps: BookingDeps,
}

impl Tidy {
    pub(crate) fn new(deps: BookingDeps) -> Self {
        Self { deps }
    }
}

#[async_trait]
impl Sweep for Tidy {
    fn name(&self) -> &'static str {
        "booking.rush"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(30)
    }

    async fn run(&self, db: &Db) -> Result<bool, Failure> {
        for hospital in self.deps.hospitals.all() {
            if sql::how_many_wait(db, hospital.id).await? > 0 {
                self.deps.hall.attend(hospital.id);
            }
            let mut tx = db.begin().await?;
            let before = tx.now().minus(KEPT);
            sql::forget(&mut tx, hospital.id, before).await?;
            tx.commit().await?;
        }
        Ok(false)
    }
}
