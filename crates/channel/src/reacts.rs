//! What this capability does at a time.

use ::store::events::Failure;
use ::store::{Db, Job, JobHandler};
use async_trait::async_trait;
use serde::Deserialize;

use crate::model::CodeId;
use crate::{ChannelDeps, codes};

/// The kind of [`MakeCode`]'s jobs.
pub(crate) const MAKE: &str = "channel.make_code";

/// Asks WeChat again to make a code that it had not made.
pub struct MakeCode {
    deps: ChannelDeps,
}

#[derive(Deserialize)]
struct Which {
    code: CodeId,
}

impl MakeCode {
    /// The handler.
    #[must_use]
    pub fn new(deps: ChannelDeps) -> Self {
        Self { deps }
    }
}

#[async_trait]
impl JobHandler for MakeCode {
    fn kind(&self) -> &'static str {
        MAKE
    }

    async fn run(&self, _db: &Db, job: &Job) -> Result<(), Failure> {
        let which: Which =
            serde_json::from_value(job.payload.clone()).map_err(|e| Failure::Final(e.to_string()))?;
        codes::try_wechat(&self.deps, job.hospital, which.code).await.map_err(Failure::Again)
    }
}
