//! WeChat's tokens in the database, for all nodes together.

use std::sync::Arc;

use ::store::vault::Purpose;
use ::store::{Db, Vault};
use async_trait::async_trait;
use base::HospitalId;
use wechat::Secret;
use wechat::api::{BoxError, Lease, TokenKey, TokenRecord, TokenStore};

use crate::store::TOKEN;
use crate::store::channel::{self, TokenOf, TokenRow};

/// Keeps a hospital's tokens: sealed, one refresher at a time by a lease whose fence only grows.
pub struct DbTokenStore {
    db: Db,
    vault: Arc<Vault>,
    hospital: HospitalId,
}

impl DbTokenStore {
    /// The tokens of a hospital's accounts.
    #[must_use]
    pub fn new(db: Db, vault: Arc<Vault>, hospital: HospitalId) -> Self {
        Self { db, vault, hospital }
    }

    fn of<'a>(&self, key: &'a TokenKey) -> TokenOf<'a> {
        TokenOf { hospital: self.hospital, base: &key.base, app_id: &key.appid, kind: key.kind.as_str() }
    }
}

#[async_trait]
impl TokenStore for DbTokenStore {
    async fn load(&self, key: &TokenKey) -> Result<Option<TokenRecord>, BoxError> {
        let Some(row) = channel::token(&self.db, self.of(key)).await? else { return Ok(None) };
        let token = self.vault.open_sealed(self.hospital, TOKEN, &row.token, Purpose::Maintain)?;
        Ok(Some(TokenRecord {
            token: Secret::new(token),
            fetched_at_ms: row.fetched_at,
            expires_in_s: row.expires_in_s,
            forced_at_ms: row.forced_at,
        }))
    }

    async fn try_lease(&self, key: &TokenKey, now_ms: i64, ttl_ms: i64) -> Result<Option<Lease>, BoxError> {
        let mut tx = self.db.begin().await?;
        let fence = channel::lease(&mut tx, self.of(key), now_ms, now_ms.saturating_add(ttl_ms)).await?;
        tx.commit().await?;
        Ok(fence.map(|fence| Lease { fence }))
    }

    async fn save(&self, key: &TokenKey, lease: Lease, record: &TokenRecord) -> Result<bool, BoxError> {
        let row = TokenRow {
            token: self.vault.seal(self.hospital, TOKEN, record.token.reveal())?,
            fetched_at: record.fetched_at_ms,
            expires_in_s: record.expires_in_s,
            forced_at: record.forced_at_ms,
        };
        let mut tx = self.db.begin().await?;
        let saved = channel::save(&mut tx, self.of(key), lease.fence, row).await?;
        tx.commit().await?;
        Ok(saved)
    }

    async fn release(&self, key: &TokenKey, lease: Lease) -> Result<(), BoxError> {
        let mut tx = self.db.begin().await?;
        channel::release(&mut tx, self.of(key), lease.fence).await?;
        tx.commit().await?;
        Ok(())
    }
}
