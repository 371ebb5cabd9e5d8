//! What this capability does by itself: jobs and sweeps.

use std::time::Duration;

use ::store::events::Failure;
use ::store::{Db, Job, JobHandler, Sweep};
use async_trait::async_trait;
use base::UnixMs;
use edge::AccountId;
use serde::Deserialize;
use wechat::api::Error;

use crate::channel::Channels;
use crate::model::ChannelAccountId;
use crate::sms_code;
use crate::staff::store::{ticket, tries};
use crate::store::{account, code, wechat_return};

/// The kind of [`LookUpFollower`]'s jobs.
pub(crate) const FOLLOWER: &str = "people.follower";

/// Asks WeChat whether somebody who signed in for the first time follows us: their following may be older than this program,
/// and only followers can be told anything.
pub struct LookUpFollower {
    channels: Channels,
}

#[derive(Deserialize)]
struct Who {
    channel: ChannelAccountId,
    account: AccountId,
}

impl LookUpFollower {
    /// The handler.
    #[must_use]
    pub fn new(channels: Channels) -> Self {
        Self { channels }
    }
}

#[async_trait]
impl JobHandler for LookUpFollower {
    fn kind(&self) -> &'static str {
        FOLLOWER
    }

    async fn run(&self, db: &Db, job: &Job) -> Result<(), Failure> {
        let who: Who =
            serde_json::from_value(job.payload.clone()).map_err(|e| Failure::Final(e.to_string()))?;
        let Some(channel) = self.channels.get(who.channel) else { return Ok(()) };
        let openid = account::openid_on(db, job.hospital, who.channel, who.account).await?;
        let Some(openid) = openid else { return Ok(()) };
        let user = match channel.client.user(&openid).await {
            Ok(user) => user,
            // WeChat's own "no" (the account has no right to ask) stays one; nothing else hangs on it.
            Err(Error::Api(error)) => {
                tracing::warn!(%error, channel = channel.name, "WeChat does not tell who follows");
                return Ok(());
            }
            Err(error) => return Err(Failure::Again(error.to_string())),
        };
        if user.follows {
            let since = UnixMs(user.subscribe_time.saturating_mul(1000));
            let mut tx = db.begin().await?;
            account::follow(&mut tx, job.hospital, channel.id, &openid, true, since, None).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

/// Removes codes, counts, returns and half-way sign-ins that are over.
pub struct Forget;

#[async_trait]
impl Sweep for Forget {
    fn name(&self) -> &'static str {
        "people.forget"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(600)
    }

    async fn run(&self, db: &Db) -> Result<bool, Failure> {
        let now = db.now();
        wechat_return::forget(db, now.minus(Duration::from_secs(3600))).await?;
        ticket::forget(db, now).await?;
        tries::forget(db, now.minus(sms_code::KEPT)).await?;
        Ok(code::forget(db, now.minus(sms_code::KEPT)).await?)
    }
}
