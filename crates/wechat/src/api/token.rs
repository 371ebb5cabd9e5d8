//! Tokens: where they are kept, for how long, and who gets new ones.
//!
//! The rules, each of which an SDK in the field has paid for:
//! 1. One record per (host, appid, kind), shared by all nodes.
//! 2. One refresher at a time, by a lease with a fence; the others use the old token while it is good, else wait.
//! 3. A token is renewed `min(300 s, 10 %)` before its end. With a fixed margin of 300 s a stable token that has 300 s left
//!    would be renewed by every single call.
//! 4. When WeChat refuses the token (40001, 40014, 42001): with the stored one if it is another; else renew once and try
//!    once more; then once by force, not more than once a minute.
//!
//! `stable_token` is used, which gives the same token to all who ask and does not disturb users of the older interface.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::BoxError;
use crate::Secret;

/// What a record is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// The account's access token.
    Access,
    /// The ticket that signs pages for the JS-SDK.
    JsapiTicket,
}

impl TokenKind {
    /// A name for a table's column: `access_token`, `jsapi_ticket`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access_token",
            Self::JsapiTicket => "jsapi_ticket",
        }
    }
}

/// Which record.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenKey {
    /// The interfaces' address without a slash at its end: a simulator's token is no token at WeChat.
    pub base: String,
    /// The account.
    pub appid: String,
    /// What for.
    pub kind: TokenKind,
}

/// A token and its times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// The token; leave room for 512 characters and more.
    pub token: Secret,
    /// When it was got, in milliseconds by the clock of the node that did.
    pub fetched_at_ms: i64,
    /// How long it was good for at that moment, in seconds. Any value down to a few minutes, not always 7200.
    pub expires_in_s: i64,
    /// When a new one was last got by force.
    pub forced_at_ms: Option<i64>,
}

impl TokenRecord {
    /// From this moment on it should be renewed.
    pub fn refresh_at_ms(&self) -> i64 {
        let life = self.expires_in_s.max(0).saturating_mul(1000);
        let margin = (life / 10).min(300_000);
        self.fetched_at_ms.saturating_add(life.saturating_sub(margin))
    }

    /// From this moment on it is dead.
    pub fn expires_at_ms(&self) -> i64 {
        self.fetched_at_ms.saturating_add(self.expires_in_s.max(0).saturating_mul(1000))
    }

    /// Good, and need not be renewed yet.
    pub fn is_fresh(&self, now_ms: i64) -> bool {
        now_ms < self.refresh_at_ms()
    }

    /// Good, though perhaps not for long.
    pub fn is_valid(&self, now_ms: i64) -> bool {
        now_ms < self.expires_at_ms()
    }
}

/// The right to renew a record until it runs out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Grows with each lease of a record. [`TokenStore::save`] with an older one is refused.
    pub fence: i64,
}

/// Where all nodes keep their tokens. A lease is only granted when none is running, or the last one ran out; its fence must
/// be higher than any before, also after a restart.
#[async_trait]
pub trait TokenStore: Send + Sync {
    /// The record, if there is one, whether it is still good or not.
    async fn load(&self, key: &TokenKey) -> Result<Option<TokenRecord>, BoxError>;

    /// Asks for the lease until `now_ms + ttl_ms`; `None` when another has it.
    async fn try_lease(&self, key: &TokenKey, now_ms: i64, ttl_ms: i64) -> Result<Option<Lease>, BoxError>;

    /// Stores the record and gives the lease back. False, and nothing stored, when a newer lease was granted meanwhile.
    async fn save(&self, key: &TokenKey, lease: Lease, record: &TokenRecord) -> Result<bool, BoxError>;

    /// Gives the lease back without a record. Does nothing when it is not the newest any more.
    async fn release(&self, key: &TokenKey, lease: Lease) -> Result<(), BoxError>;
}

/// A store for one process: tests, and tools that run once.
#[derive(Debug, Default)]
pub struct MemoryTokenStore(Mutex<HashMap<TokenKey, Entry>>);

#[derive(Debug, Default)]
struct Entry {
    record: Option<TokenRecord>,
    fence: i64,
    leased_until_ms: Option<i64>,
}

impl MemoryTokenStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<TokenKey, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl TokenStore for MemoryTokenStore {
    async fn load(&self, key: &TokenKey) -> Result<Option<TokenRecord>, BoxError> {
        Ok(self.entries().get(key).and_then(|entry| entry.record.clone()))
    }

    async fn try_lease(&self, key: &TokenKey, now_ms: i64, ttl_ms: i64) -> Result<Option<Lease>, BoxError> {
        let mut entries = self.entries();
        let entry = entries.entry(key.clone()).or_default();
        if entry.leased_until_ms.is_some_and(|until| now_ms < until) {
            return Ok(None);
        }
        entry.fence = entry.fence.saturating_add(1);
        entry.leased_until_ms = Some(now_ms.saturating_add(ttl_ms));
        Ok(Some(Lease { fence: entry.fence }))
    }

    async fn save(&self, key: &TokenKey, lease: Lease, record: &TokenRecord) -> Result<bool, BoxError> {
        let mut entries = self.entries();
        let entry = entries.entry(key.clone()).or_default();
        if entry.fence != lease.fence {
            return Ok(false);
        }
        entry.record = Some(record.clone());
        entry.leased_until_ms = None;
        Ok(true)
    }

    async fn release(&self, key: &TokenKey, lease: Lease) -> Result<(), BoxError> {
        if let Some(entry) = self.entries().get_mut(key).filter(|entry| entry.fence == lease.fence) {
            entry.leased_until_ms = None;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(expires_in_s: i64) -> TokenRecord {
        TokenRecord { token: "t".into(), fetched_at_ms: 1_000_000, expires_in_s, forced_at_ms: None }
    }

    #[test]
    fn the_margin_is_a_tenth_and_at_most_five_minutes() {
        assert_eq!(record(7200).refresh_at_ms(), 1_000_000 + 6_900_000);
        assert_eq!(record(300).refresh_at_ms(), 1_000_000 + 270_000);
        assert!(record(300).is_fresh(1_000_000), "a stable token with 300 s left is not renewed at once");
        assert!(record(7200).is_valid(8_199_999) && !record(7200).is_valid(8_200_000));
        assert!(!record(0).is_valid(1_000_000) && !record(-5).is_fresh(1_000_000));
        assert!(record(i64::MAX).is_fresh(2_000_000), "no overflow");
    }

    #[tokio::test]
    async fn a_lease_excludes_others_until_it_runs_out_and_then_cannot_save() {
        let store = MemoryTokenStore::new();
        let key = TokenKey { base: "b".into(), appid: "wx".into(), kind: TokenKind::Access };
        let first = store.try_lease(&key, 0, 100).await.unwrap().unwrap();
        assert_eq!(store.try_lease(&key, 99, 100).await.unwrap(), None);
        let second = store.try_lease(&key, 100, 100).await.unwrap().unwrap();
        assert!(second.fence > first.fence);
        assert!(!store.save(&key, first, &record(1)).await.unwrap());
        assert_eq!(store.load(&key).await.unwrap(), None);
        store.release(&key, first).await.unwrap();
        assert_eq!(store.try_lease(&key, 150, 100).await.unwrap(), None, "the second still has it");
        assert!(store.save(&key, second, &record(1)).await.unwrap());
        assert!(store.try_lease(&key, 150, 100).await.unwrap().is_some(), "saving gives it back");
    }
}
