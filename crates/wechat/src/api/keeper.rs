//! Keeps one token of one account: a copy in memory, the store behind it, and one refresher at a time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::token::{Lease, TokenKey, TokenRecord, TokenStore};
use super::{Clock, Error};
use crate::Secret;

/// How often a node looks whether another one has finished.
const POLL: Duration = Duration::from_millis(100);
/// `force_refresh` kills the old token at once and is rationed: twenty a day.
const FORCE_EVERY_MS: i64 = 60_000;

/// A token in use.
pub(super) struct Held {
    pub(super) token: Secret,
    /// Tells whether this process has got another one since.
    generation: u64,
    /// It was got by force: nothing more can be tried.
    pub(super) forced: bool,
}

/// What WeChat gave.
pub(super) struct Fetched {
    pub(super) token: Secret,
    pub(super) expires_in_s: i64,
}

/// What sort of token is asked for.
enum Need<'a> {
    /// One that need not be renewed yet.
    Fresh,
    /// Any other than this one, which WeChat has refused.
    Instead { of: &'a Secret, force: bool },
}

impl Need<'_> {
    fn met_by(&self, record: &TokenRecord, now_ms: i64) -> bool {
        match self {
            Self::Fresh => record.is_fresh(now_ms),
            Self::Instead { of, .. } => record.token != **of && record.is_valid(now_ms),
        }
    }
}

#[derive(Default)]
struct Local {
    record: Option<TokenRecord>,
    generation: u64,
}

pub(super) struct Keeper {
    key: TokenKey,
    store: Arc<dyn TokenStore>,
    clock: Arc<dyn Clock>,
    /// How many times it looks.
    polls: u128,
    /// Longer than asking WeChat may take, at both of its hosts.
    lease_ms: i64,
    local: Mutex<Local>,
    /// Held by the one task of this process that asks the store or WeChat.
    flight: tokio::sync::Mutex<()>,
}

impl Keeper {
    /// `patience` is how long to wait for another node that is renewing: as long as its call may take.
    pub(super) fn new(
        key: TokenKey,
        store: Arc<dyn TokenStore>,
        clock: Arc<dyn Clock>,
        patience: Duration,
    ) -> Self {
        let polls = patience.as_millis().div_ceil(POLL.as_millis()).max(1);
        let lease_ms = i64::try_from(patience.as_millis()).unwrap_or(i64::MAX);
        let lease_ms = lease_ms.saturating_mul(2).saturating_add(5_000);
        let (local, flight) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { key, store, clock, polls, lease_ms, local, flight }
    }

    /// A token that is good. `fetch(force)` gets one from WeChat.
    pub(super) async fn get<F, Fut>(&self, fetch: F) -> Result<Held, Error>
    where
        F: Fn(bool) -> Fut,
        Fut: Future<Output = Result<Fetched, Error>>,
    {
        if let Some(held) = self.held_if(TokenRecord::is_fresh) {
            return Ok(held);
        }
        let _flight = match self.flight.try_lock() {
            Ok(flight) => flight,
            // Another task is renewing: the old one will do as long as it lives.
            Err(_) => match self.held_if(TokenRecord::is_valid) {
                Some(held) => return Ok(held),
                None => self.flight.lock().await,
            },
        };
        // It may have been renewed while we waited.
        if let Some(held) = self.held_if(TokenRecord::is_fresh) {
            return Ok(held);
        }
        self.obtain(Need::Fresh, fetch).await
    }

    /// Another token than `bad`, which WeChat has just refused. `None` when a forced one was got less than a minute ago, by any
    /// node: then nothing more can be done.
    pub(super) async fn renew<F, Fut>(&self, bad: &Held, force: bool, fetch: F) -> Result<Option<Held>, Error>
    where
        F: Fn(bool) -> Fut,
        Fut: Future<Output = Result<Fetched, Error>>,
    {
        let _flight = self.flight.lock().await;
        // Another task was faster: of a hundred calls that fail together only one renews.
        if let Some(held) = self.held_if(TokenRecord::is_valid)
            && held.generation != bad.generation
        {
            return Ok(Some(held));
        }
        if force {
            let stored = self.store.load(&self.key).await.map_err(Error::Store)?;
            let now = self.clock.now_ms();
            let recently = |at: i64| now.saturating_sub(at).abs() < FORCE_EVERY_MS;
            if let Some(record) = stored
                && record.token == bad.token
                && record.forced_at_ms.is_some_and(recently)
            {
                return Ok(None);
            }
        }
        self.obtain(Need::Instead { of: &bad.token, force }, fetch).await.map(Some)
    }

    /// From the store if it has one; else gets the lease and asks WeChat; else waits for the node that has the lease.
    async fn obtain<F, Fut>(&self, need: Need<'_>, fetch: F) -> Result<Held, Error>
    where
        F: Fn(bool) -> Fut,
        Fut: Future<Output = Result<Fetched, Error>>,
    {
        for _ in 0..self.polls {
            let stored = self.load(&need).await?;
            let now = self.clock.now_ms();
            if let Some(record) = stored.as_ref().filter(|record| need.met_by(record, now)) {
                return Ok(self.adopt(record.clone()));
            }
            let lease = self.store.try_lease(&self.key, now, self.lease_ms).await.map_err(Error::Store)?;
            if let Some(lease) = lease {
                return self.fetch_under(lease, need, fetch).await;
            }
            if let (Need::Fresh, Some(record)) = (&need, stored.filter(|record| record.is_valid(now))) {
                return Ok(self.adopt(record));
            }
            tokio::time::sleep(POLL).await;
        }
        Err(Error::TokenBusy)
    }

    /// What the store has. When it fails, the copy in memory does for a caller that would be content with it.
    async fn load(&self, need: &Need<'_>) -> Result<Option<TokenRecord>, Error> {
        match self.store.load(&self.key).await {
            Ok(record) => Ok(record),
            Err(error) => {
                let now = self.clock.now_ms();
                let local = self.local().record.clone().filter(|record| record.is_valid(now));
                match (need, local) {
                    (Need::Fresh, Some(record)) => Ok(Some(record)),
                    _ => Err(Error::Store(error)),
                }
            }
        }
    }

    async fn fetch_under<F, Fut>(&self, lease: Lease, need: Need<'_>, fetch: F) -> Result<Held, Error>
    where
        F: Fn(bool) -> Fut,
        Fut: Future<Output = Result<Fetched, Error>>,
    {
        let mut lease = Leased { store: &self.store, key: &self.key, lease, given_back: false };
        // Between our look and our lease another node may have finished.
        let stored = self.store.load(&self.key).await.map_err(Error::Store)?;
        let now = self.clock.now_ms();
        if let Some(record) = stored.as_ref().filter(|record| need.met_by(record, now)) {
            lease.give_back().await;
            return Ok(self.adopt(record.clone()));
        }
        let force = matches!(need, Need::Instead { force: true, .. });
        let fetched = match fetch(force).await {
            Ok(fetched) => fetched,
            Err(error) => {
                lease.give_back().await;
                let old = stored.filter(|record| record.is_valid(self.clock.now_ms()));
                if let (Need::Fresh, Some(record)) = (&need, old) {
                    tracing::warn!(appid = self.key.appid, %error, "token not renewed; the old one is still good");
                    return Ok(self.adopt(record));
                }
                return Err(error);
            }
        };
        let record = TokenRecord {
            token: fetched.token,
            // The time before the call: the life that WeChat told began after it.
            fetched_at_ms: now,
            expires_in_s: fetched.expires_in_s,
            forced_at_ms: if force { Some(now) } else { stored.and_then(|record| record.forced_at_ms) },
        };
        match self.store.save(&self.key, lease.lease, &record).await {
            Ok(true) => lease.given_back = true,
            Ok(false) => {
                // We took so long that another node was let in. What it stored is newer than ours.
                if let Ok(Some(newer)) = self.store.load(&self.key).await
                    && newer.is_valid(self.clock.now_ms())
                    && need.met_by(&newer, self.clock.now_ms())
                {
                    return Ok(self.adopt(newer));
                }
            }
            Err(error) => {
                tracing::warn!(appid = self.key.appid, %error, "token not stored; used by this node only")
            }
        }
        Ok(self.adopt(record))
    }

    fn local(&self) -> MutexGuard<'_, Local> {
        self.local.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held_if(&self, good: impl Fn(&TokenRecord, i64) -> bool) -> Option<Held> {
        let now = self.clock.now_ms();
        let local = self.local();
        let record = local.record.as_ref().filter(|record| good(record, now))?;
        Some(Held { token: record.token.clone(), generation: local.generation, forced: false })
    }

    fn adopt(&self, record: TokenRecord) -> Held {
        let mut local = self.local();
        local.generation = local.generation.wrapping_add(1);
        let token = record.token.clone();
        local.record = Some(record);
        Held { token, generation: local.generation, forced: false }
    }
}

/// A lease that is given back when the caller goes away in the middle, so that nobody has to wait until it runs out.
struct Leased<'a> {
    store: &'a Arc<dyn TokenStore>,
    key: &'a TokenKey,
    lease: Lease,
    given_back: bool,
}

impl Leased<'_> {
    async fn give_back(&mut self) {
        self.given_back = true;
        release(self.store.as_ref(), self.key, self.lease).await;
    }
}

impl Drop for Leased<'_> {
    fn drop(&mut self) {
        if !self.given_back
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let (store, key, lease) = (self.store.clone(), self.key.clone(), self.lease);
            runtime.spawn(async move { release(store.as_ref(), &key, lease).await });
        }
    }
}

/// Failing here only means that the lease runs out by itself.
async fn release(store: &dyn TokenStore, key: &TokenKey, lease: Lease) {
    if let Err(error) = store.release(key, lease).await {
        tracing::warn!(appid = key.appid, %error, "token lease not given back");
    }
}
