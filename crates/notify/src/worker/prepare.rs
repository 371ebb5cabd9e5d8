//! Step one: choose the way, and write the attempt down before anything is sent.

use std::sync::Arc;
use std::time::Duration;

use base::UnixMs;
use edge::Hospital;
use store::Result;
use store::fault::{self, Point};

use super::contact::{Whom, shut, whom};
use super::parcel::{Contents, Parcel};
use super::{LEASE, Message, NotifyDeps};
use crate::model::{Channel, DeliveryId, State};
use crate::rules::{ChannelPlan, Facts, Outcome, Resume, Route, choose, midnight, resume};
use crate::settings::Settings;
use crate::store::delivery::{self, Delivery};
use crate::store::message;
use crate::store::sms as budget;
use crate::store::ways::{self, Pause};

/// An attempt that is written down, and what it sends.
pub struct Attempt {
    pub(super) message: Message,
    pub(super) delivery: Delivery,
    /// How many attempts the message has had, this one counted.
    pub(super) attempts: i64,
    pub(super) parcel: Parcel,
    pub(super) mode: Mode,
    /// Whether it would still be of use now.
    pub(super) in_time: bool,
}

/// What to do with a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Send it, for the first time or again under the same reference.
    Send,
    /// Ask what became of it; send it only when it never got there.
    AskThenSend,
    /// Ask what became of it.
    Ask,
}

impl Attempt {
    /// By which way it goes.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.delivery.channel
    }

    /// Its reference at the other side.
    #[must_use]
    pub fn reference(&self) -> DeliveryId {
        self.delivery.id
    }
}

impl std::fmt::Debug for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attempt")
            .field("message", &self.message.id)
            .field("delivery", &self.delivery.id)
            .field("parcel", &self.parcel.channel())
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

/// Chooses the way for a message that [`super::claim`] gave and commits the attempt with its reference; or takes up an
/// attempt of which the outcome is not known. `None` when there is nothing to send now: too early, too late, no way, or
/// another worker has it.
///
/// # Errors
/// Any [`store::StoreError`]; the message is due again when its lease is over.
pub async fn prepare(deps: &NotifyDeps, message: Message) -> Result<Option<Attempt>> {
    let Some(hospital) = deps.hospitals.get(message.hospital) else {
        // Added a moment ago on another node.
        return Ok(None);
    };
    match message.state {
        State::Sending | State::Sent => take_up(deps, &hospital, message).await,
        _ => start(deps, &hospital, message).await,
    }
}

async fn start(deps: &NotifyDeps, hospital: &Arc<Hospital>, message: Message) -> Result<Option<Attempt>> {
    let now = deps.db.now();
    if now >= message.expires {
        let (state, reason) = match message.state {
            State::Failed => (State::Failed, "trouble"),
            _ => (State::Expired, "expired"),
        };
        close(deps, &message, state, reason).await?;
        return Ok(None);
    }
    let settings: Settings = hospital.settings("notify");
    let whom = whom(deps, &message).await?;
    let before = delivery::of_message(&deps.db, message.hospital, message.id).await?;
    let Some(plan) = plan(deps, hospital, now, &settings, &message, &whom, &before).await? else {
        let reason = if before.is_empty() { "no_way" } else { "undelivered" };
        close(deps, &message, State::Failed, reason).await?;
        return Ok(None);
    };
    if plan.not_before > now {
        put_off(deps, &message, plan.not_before).await?;
        return Ok(None);
    }
    let delivery = new_delivery(&message, &plan.route, &whom, now);
    let contents = Contents { deps, hospital, settings: &settings, message: &message, whom: &whom };
    let parcel = contents.pack(&plan.route, delivery.id, delivery.lang).await?;
    if !write_down(deps, hospital, &settings, &message, &delivery, before.len()).await? {
        return Ok(None);
    }
    let attempts = message.attempts.saturating_add(1);
    Ok(Some(Attempt { message, delivery, attempts, parcel, mode: Mode::Send, in_time: true }))
}

/// `now` is the caller's: a clock that went on in between would put the message off by a millisecond, again and again.
async fn plan(
    deps: &NotifyDeps,
    hospital: &Arc<Hospital>,
    now: UnixMs,
    settings: &Settings,
    message: &Message,
    whom: &Whom,
    before: &[Delivery],
) -> Result<Option<ChannelPlan>> {
    let over: Vec<Route> = before.iter().filter(|d| d.over).filter_map(route_of).collect();
    let shut = shut(deps, message).await?;
    let has_vendor = budget::get(&deps.db, message.hospital).await?.is_some();
    let facts = Facts {
        kind: message.kind,
        now,
        expires: message.expires,
        zone: &hospital.zone,
        quiet: settings.quiet,
        wechat: &whom.wechat,
        sms: has_vendor && (whom.has_phone() || message.sealed.is_some()),
        shut: &shut,
        over: &over,
    };
    Ok(choose(&facts).into_iter().next())
}

/// Commits the attempt; false when another worker has the message by now, it was cancelled, or today's SMS are used up.
async fn write_down(
    deps: &NotifyDeps,
    hospital: &Arc<Hospital>,
    settings: &Settings,
    message: &Message,
    delivery: &Delivery,
    before: usize,
) -> Result<bool> {
    let mut tx = deps.db.begin().await?;
    let now = tx.now();
    let until = now.plus(LEASE);
    if !message::begin(&mut tx, message, delivery.id, delivery.channel, until).await? {
        tx.rollback().await?;
        return Ok(false);
    }
    let today = hospital.zone.date(now);
    if delivery.channel == Channel::Sms
        && !budget::spend(&mut tx, message.hospital, today, settings.sms_per_day).await?
    {
        tx.rollback().await?;
        let tomorrow = hospital.zone.at(today.tomorrow().unwrap_or(today), base::WallTime::default());
        shut_sms(deps, message, tomorrow.max(now.plus(Duration::from_secs(60)))).await?;
        return Ok(false);
    }
    let ordinal = i64::try_from(before).unwrap_or(i64::MAX).saturating_add(1);
    delivery::add(&mut tx, message.hospital, delivery, ordinal).await?;
    tx.commit().await?;
    fault::pass(Point::MessageWritten);
    Ok(true)
}

/// The day's limit of SMS is reached: no more today. Whoever set the limit must look why.
async fn shut_sms(deps: &NotifyDeps, message: &Message, until: UnixMs) -> Result<()> {
    tracing::error!(hospital = %message.hospital, "the daily limit of SMS is reached; none is sent before midnight");
    metrics::counter!("notify_trouble", "channel" => "sms", "code" => "daily_limit").increment(1);
    let mut tx = deps.db.begin().await?;
    let pause = Pause { channel: Channel::Sms, account: None, until };
    ways::pause(&mut tx, message.hospital, &pause, "daily_limit").await?;
    let now = tx.now();
    message::put_off(&mut tx, message, now).await?;
    tx.commit().await
}

/// An attempt without an outcome, or one whose receipt is due.
async fn take_up(deps: &NotifyDeps, hospital: &Arc<Hospital>, message: Message) -> Result<Option<Attempt>> {
    let all = delivery::of_message(&deps.db, message.hospital, message.id).await?;
    let found = all.into_iter().find(|d| Some(d.id) == message.delivery);
    let Some((delivery, route)) = found.and_then(|d| route_of(&d).map(|route| (d, route))) else {
        tracing::error!(message = %message.id, "a message under way has no attempt");
        return Ok(None);
    };
    let now = deps.db.now();
    let in_time = now < message.expires;
    let attempts = message.attempts;
    let mode = match (message.state, resume(delivery.channel, delivery.started, now, message.expires)) {
        (State::Sent, _) => Mode::Ask,
        (_, Resume::Repeat) => Mode::Send,
        (_, Resume::Ask) => Mode::AskThenSend,
        (_, Resume::GiveUp) => {
            let parcel = Parcel::No(Outcome::Lost);
            return Ok(Some(Attempt { message, delivery, attempts, parcel, mode: Mode::Send, in_time }));
        }
    };
    let settings: Settings = hospital.settings("notify");
    let whom = whom(deps, &message).await?;
    let contents = Contents { deps, hospital, settings: &settings, message: &message, whom: &whom };
    let parcel = match contents.pack(&route, delivery.id, delivery.lang).await? {
        // What can't be packed any more may have arrived all the same.
        Parcel::No(_) if mode == Mode::Ask => Parcel::No(Outcome::NoNews),
        Parcel::No(_) => Parcel::No(Outcome::Lost),
        parcel => parcel,
    };
    Ok(Some(Attempt { message, delivery, attempts, parcel, mode, in_time }))
}

fn new_delivery(message: &Message, route: &Route, whom: &Whom, now: UnixMs) -> Delivery {
    let wechat = route.wechat();
    Delivery {
        id: DeliveryId::new(),
        message: message.id,
        channel: route.channel(),
        account: wechat.map(|(account, _)| account),
        openid: wechat.map(|(_, openid)| openid.to_owned()),
        lang: whom.lang,
        over: false,
        tries: 0,
        started: now,
    }
}

fn route_of(delivery: &Delivery) -> Option<Route> {
    let wechat = || Some((delivery.account?, delivery.openid.clone()?));
    match delivery.channel {
        Channel::Template => wechat().map(|(account, openid)| Route::Template { account, openid }),
        Channel::Custom => wechat().map(|(account, openid)| Route::Custom { account, openid }),
        Channel::Sms => Some(Route::Sms),
    }
}

async fn put_off(deps: &NotifyDeps, message: &Message, until: UnixMs) -> Result<()> {
    let mut tx = deps.db.begin().await?;
    message::put_off(&mut tx, message, until).await?;
    tx.commit().await
}

async fn close(deps: &NotifyDeps, message: &Message, state: State, reason: &str) -> Result<()> {
    let mut tx = deps.db.begin().await?;
    let closed = message::close(&mut tx, message, state, reason).await?;
    tx.commit().await?;
    if closed {
        tracing::info!(message = %message.id, kind = message.kind.code(), reason, "a message could not be told");
        let reason = reason.to_owned();
        metrics::counter!("notify_not_told", "kind" => message.kind.code(), "reason" => reason).increment(1);
    }
    Ok(())
}

/// When a way whose quota is used up opens again.
pub(super) fn quota_ends(now: UnixMs) -> UnixMs {
    midnight(now)
}
