//! What it does about others' events, and what it looks after by itself.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use base::{Date, HospitalId, UnixMs, Zone};
use edge::AccountId;
use edge::Hospitals;
use parking_lot::Mutex;
use people::{ChannelAccountId, ChannelKind, Channels};
use store::events::{Event, Failure, Subscriber};
use store::{Db, Sweep, Tx};

use crate::api::wake;
use crate::settings::Settings;
use crate::store::{delivery, message, receipt, sms, ways};
use crate::templates::map_templates;

/// Somebody follows: what could not be told for want of any way is tried again.
pub(crate) struct Followed;

#[async_trait]
impl Subscriber for Followed {
    fn name(&self) -> &'static str {
        "notify.followed"
    }

    fn wants(&self, kind: &str) -> bool {
        kind == "people.followed"
    }

    async fn handle(&self, tx: &mut Tx, event: &Event) -> Result<(), Failure> {
        if event.payload.get("following").and_then(serde_json::Value::as_bool) != Some(true) {
            return Ok(());
        }
        let account = event.payload.get("account").and_then(serde_json::Value::as_str);
        let Some(account) = account.and_then(|text| text.parse::<AccountId>().ok()) else {
            return Err(Failure::Final("the event names no account".into()));
        };
        if message::find_again(tx, event.hospital, account).await? > 0 {
            tx.touch(wake());
        }
        Ok(())
    }
}

/// A child has come of age: whoever holds the record as a guardian is told until when.
pub(crate) struct CameOfAge;

/// Such a message is of use for so long.
const A_MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

#[async_trait]
impl Subscriber for CameOfAge {
    fn name(&self) -> &'static str {
        "notify.came_of_age"
    }

    fn wants(&self, kind: &str) -> bool {
        kind == "people.came_of_age"
    }

    async fn handle(&self, tx: &mut Tx, event: &Event) -> Result<(), Failure> {
        let text = |name: &str| event.payload.get(name).and_then(serde_json::Value::as_str);
        let person = text("person").and_then(|text| text.parse::<people::PersonId>().ok());
        let person = person.ok_or_else(|| Failure::Final("the event names no person".into()))?;
        let ends = event.payload.get("ends_at").and_then(serde_json::Value::as_i64).map(UnixMs);
        let ends = ends.ok_or_else(|| Failure::Final("the event names no end".into()))?;
        // Merged or closed meanwhile: there is nothing to hand over.
        let Some(facts) = people::enrol::facts(tx, event.hospital, person).await? else { return Ok(()) };
        let accounts = event.payload.get("accounts").and_then(serde_json::Value::as_array);
        for account in accounts.into_iter().flatten() {
            let Some(account) = account.as_str().and_then(|text| text.parse::<AccountId>().ok()) else {
                continue;
            };
            let mut data = crate::Data::new();
            data.insert("person", facts.name_masked.clone().into());
            data.insert("start", ends.into());
            let tell = crate::Tell {
                kind: crate::Kind::RecordHandOver,
                account,
                person: Some(person),
                subject: person.to_string(),
                data,
                link: "/persons".into(),
                send_after: None,
                expires_at: tx.now().plus(A_MONTH),
            };
            crate::tell(tx, event.hospital, tell).await?;
        }
        Ok(())
    }
}

/// Reads the templates of every service account at the start and daily, so that a new account needs no hand.
pub(crate) struct Templates {
    pub(crate) channels: Channels,
    /// When to look again.
    pub(crate) next: Mutex<HashMap<ChannelAccountId, UnixMs>>,
}

const DAILY: Duration = Duration::from_secs(24 * 3600);
/// After a failure.
const SOON: Duration = Duration::from_secs(300);

#[async_trait]
impl Sweep for Templates {
    fn name(&self) -> &'static str {
        "notify.templates"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(30)
    }

    async fn run(&self, db: &Db) -> Result<bool, Failure> {
        for channel in self.channels.all() {
            let now = db.now();
            let due = self.next.lock().get(&channel.id).is_none_or(|at| now >= *at);
            if channel.kind != ChannelKind::Service || !due {
                continue;
            }
            let pause = match map_templates(db, &channel).await {
                Ok(kinds) => {
                    tracing::info!(account = channel.name, kinds = kinds.len(), "templates are mapped");
                    DAILY
                }
                Err(error) => {
                    tracing::warn!(account = channel.name, %error, "templates could not be read");
                    SOON
                }
            };
            self.next.lock().insert(channel.id, now.plus(pause));
        }
        Ok(false)
    }
}

/// Removes what nobody needs any more.
pub(crate) struct Forget {
    pub(crate) hospitals: Hospitals,
}

/// Receipts are joined within minutes; marks hold for a week.
const RECEIPTS: Duration = Duration::from_secs(30 * 24 * 3600);

#[async_trait]
impl Sweep for Forget {
    fn name(&self) -> &'static str {
        "notify.forget"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(6 * 3600)
    }

    async fn run(&self, db: &Db) -> Result<bool, Failure> {
        // One time for all hospitals, by the one that keeps them longest.
        let days = |h: &edge::Hospital| h.settings::<Settings>("notify").keep_days.max(180);
        let days = self.hospitals.all().iter().map(|h| days(h)).max().unwrap_or(400);
        let mut tx = db.begin().await?;
        let now = tx.now();
        let before = now.minus(Duration::from_secs(u64::from(days) * 24 * 3600));
        let old: Vec<(HospitalId, _)> = message::old(&mut tx, before).await?;
        for (hospital, id) in &old {
            delivery::forget(&mut tx, *hospital, *id).await?;
            message::forget(&mut tx, *hospital, *id).await?;
        }
        receipt::forget(&mut tx, now.minus(RECEIPTS)).await?;
        ways::forget(&mut tx, now.minus(RECEIPTS)).await?;
        let day: Date = Zone::china().date(now.minus(RECEIPTS));
        sms::forget(&mut tx, day).await?;
        tx.commit().await?;
        Ok(!old.is_empty())
    }
}
