//! What this capability does at a time.

use ::store::events::Failure;
use ::store::{Db, Event, Job, JobHandler, NewJob, Subscriber, Tx};
use async_trait::async_trait;
use base::Lang;
use edge::AccountId;
use serde::Deserialize;

use crate::model::{Audience, CodeId};
use crate::store::figures;
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

/// Counts who follows, how far they come, and by which way they book.
pub struct Count {
    deps: ChannelDeps,
}

impl Count {
    /// The subscriber.
    #[must_use]
    pub fn new(deps: ChannelDeps) -> Self {
        Self { deps }
    }
}

#[async_trait]
impl Subscriber for Count {
    fn name(&self) -> &'static str {
        "channel.count"
    }

    fn wants(&self, kind: &str) -> bool {
        matches!(kind, "people.followed" | "people.bound" | "booking.booked")
    }

    async fn handle(&self, tx: &mut Tx, event: &Event) -> Result<(), Failure> {
        let h = event.hospital;
        let hospital = self.deps.hospitals.get(h);
        let hospital = hospital.ok_or_else(|| Failure::Again("the hospital is not known here yet".into()))?;
        let day = hospital.zone.date(event.at);
        let text = |name: &str| event.payload.get(name).and_then(serde_json::Value::as_str);
        let account = text("account").and_then(|text| text.parse::<AccountId>().ok());
        match (event.kind.as_str(), account) {
            ("people.followed", Some(account)) => {
                let following = event.payload.get("following").and_then(serde_json::Value::as_bool);
                let following = following.unwrap_or_default();
                Ok(figures::follow(tx, h, day, &account.db(), event.at, following).await?)
            }
            ("people.bound", Some(account)) => Ok(figures::bound(tx, h, &account.db(), event.at).await?),
            ("booking.booked", _) => {
                // A visit that was moved is not another visit.
                if text("moved_from").is_some() {
                    return Ok(());
                }
                let id = text("appointment").and_then(|text| text.parse().ok());
                let id = id.ok_or_else(|| Failure::Final("no appointment in the event".into()))?;
                let Some(visit) = booking::merging::by_way(tx, h, id).await? else { return Ok(()) };
                Ok(figures::booked(tx, h, id, &visit, (day, event.at)).await?)
            }
            _ => Ok(()),
        }
    }
}

/// Somebody chose a language: WeChat is told, so that they see the menu in it.
pub struct ToldLanguage;

#[async_trait]
impl Subscriber for ToldLanguage {
    fn name(&self) -> &'static str {
        "channel.language"
    }

    fn wants(&self, kind: &str) -> bool {
        kind == "people.language"
    }

    async fn handle(&self, tx: &mut Tx, event: &Event) -> Result<(), Failure> {
        let account = event.payload.get("account").and_then(serde_json::Value::as_str).unwrap_or_default();
        let now = tx.now();
        let payload = serde_json::json!({"account": account});
        let job = NewJob { hospital: event.hospital, kind: TAG, dedupe: account.to_owned(), payload };
        Ok(tx.at(now, job).await?)
    }
}

/// The kind of [`TagLanguage`]'s jobs.
const TAG: &str = "channel.tag";

/// Tags a follower as reading English, or no more.
pub struct TagLanguage {
    deps: ChannelDeps,
}

impl TagLanguage {
    /// The handler.
    #[must_use]
    pub fn new(deps: ChannelDeps) -> Self {
        Self { deps }
    }
}

#[derive(Deserialize)]
struct Whom {
    account: AccountId,
}

#[async_trait]
impl JobHandler for TagLanguage {
    fn kind(&self) -> &'static str {
        TAG
    }

    async fn run(&self, db: &Db, job: &Job) -> Result<(), Failure> {
        let whom: Whom =
            serde_json::from_value(job.payload.clone()).map_err(|e| Failure::Final(e.to_string()))?;
        let Some(hospital) = self.deps.hospitals.get(job.hospital) else { return Ok(()) };
        let Some(channel) = self.deps.channels.service(job.hospital) else { return Ok(()) };
        // Without a menu for them there is nothing to tag anybody for.
        let menus = crate::store::chat::menus(db, job.hospital).await?;
        if !menus.iter().any(|menu| menu.audience == Audience::En) {
            return Ok(());
        }
        let contact = people::contact::of_account(db, job.hospital, whom.account).await?;
        let here = |c: &&people::WechatContact| c.channel_account == channel.id && c.following;
        let Some(follower) = contact.wechat.iter().find(here) else { return Ok(()) };
        let tag = crate::chat::menu::tag(&self.deps, &hospital).await;
        let tag = tag.map_err(|error| Failure::Again(error.to_string()))?;
        let english = contact.lang == Lang::En;
        match channel.client.set_tag(&follower.openid, tag, english).await {
            Ok(()) => Ok(()),
            Err(wechat::api::Error::Api(error)) => {
                tracing::warn!(%error, "WeChat did not take a tag");
                Ok(())
            }
            Err(error) => Err(Failure::Again(error.to_string())),
        }
    }
}
