//! Our own WeChat accounts and their tokens.

use ::store::value::{FromRow, One, Row};
use ::store::{Db, Result, Sealed, Tx, args};
use base::HospitalId;

use crate::channel::{CallbackFormat, CallbackMode, ChannelKind};
use crate::model::ChannelAccountId;

::store::statements! {
    LIST = "SELECT hospital_id, id, name, kind, app_id, original_id, mode, format, secret, token, aes_key, aes_key_previous, bases, js_sdk_url,
                verify_files, revision FROM channel_account ORDER BY hospital_id, created_at, id";
    PUT = "INSERT INTO channel_account (hospital_id, id, name, kind, app_id, original_id, mode, format, secret, token, aes_key, aes_key_previous,
                bases, js_sdk_url, verify_files, created_at, revision)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 1)
           ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, app_id = excluded.app_id, original_id = excluded.original_id,
                mode = excluded.mode, format = excluded.format, secret = excluded.secret, token = excluded.token, aes_key = excluded.aes_key,
                aes_key_previous = excluded.aes_key_previous, bases = excluded.bases, js_sdk_url = excluded.js_sdk_url,
                verify_files = excluded.verify_files, revision = channel_account.revision + 1
           WHERE channel_account.hospital_id = excluded.hospital_id
           RETURNING id";
    TOKEN = "SELECT token, fetched_at, expires_in_s, forced_at FROM wechat_token
           WHERE hospital_id = $1 AND base = $2 AND app_id = $3 AND kind = $4 AND token IS NOT NULL";
    LEASE = "INSERT INTO wechat_token (hospital_id, base, app_id, kind, fence, leased_until) VALUES ($1, $2, $3, $4, 1, $5)
           ON CONFLICT (hospital_id, base, app_id, kind) DO UPDATE SET fence = wechat_token.fence + 1, leased_until = excluded.leased_until
           WHERE wechat_token.leased_until <= $6
           RETURNING fence";
    SAVE = "UPDATE wechat_token SET token = $6, fetched_at = $7, expires_in_s = $8, forced_at = $9, leased_until = 0
           WHERE hospital_id = $1 AND base = $2 AND app_id = $3 AND kind = $4 AND fence = $5";
    RELEASE = "UPDATE wechat_token SET leased_until = 0 WHERE hospital_id = $1 AND base = $2 AND app_id = $3 AND kind = $4 AND fence = $5";
}

/// An account of ours as it is kept.
#[derive(Clone)]
pub(crate) struct ChannelRow {
    pub(crate) hospital: HospitalId,
    pub(crate) id: ChannelAccountId,
    pub(crate) name: String,
    pub(crate) kind: ChannelKind,
    pub(crate) app_id: String,
    pub(crate) original_id: String,
    pub(crate) mode: CallbackMode,
    pub(crate) format: CallbackFormat,
    pub(crate) secret: Sealed,
    pub(crate) token: Sealed,
    pub(crate) aes_key: Option<Sealed>,
    pub(crate) aes_key_previous: Option<Sealed>,
    /// JSON.
    pub(crate) bases: Option<String>,
    pub(crate) js_sdk_url: Option<String>,
    /// JSON.
    pub(crate) verify_files: String,
    /// Goes up with each change.
    pub(crate) revision: i64,
}

impl FromRow for ChannelRow {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            hospital: row.get("hospital_id")?,
            id: row.get("id")?,
            name: row.get("name")?,
            kind: row.get("kind")?,
            app_id: row.get("app_id")?,
            original_id: row.get("original_id")?,
            mode: row.get("mode")?,
            format: row.get("format")?,
            secret: row.get("secret")?,
            token: row.get("token")?,
            aes_key: row.get("aes_key")?,
            aes_key_previous: row.get("aes_key_previous")?,
            bases: row.get("bases")?,
            js_sdk_url: row.get("js_sdk_url")?,
            verify_files: row.get("verify_files")?,
            revision: row.get("revision")?,
        })
    }
}

/// A token as it is kept.
pub(crate) struct TokenRow {
    pub(crate) token: Sealed,
    pub(crate) fetched_at: i64,
    pub(crate) expires_in_s: i64,
    pub(crate) forced_at: Option<i64>,
}

impl FromRow for TokenRow {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            token: row.get("token")?,
            fetched_at: row.get("fetched_at")?,
            expires_in_s: row.get("expires_in_s")?,
            forced_at: row.get("forced_at")?,
        })
    }
}

/// Which token.
pub(crate) struct TokenOf<'a> {
    pub(crate) hospital: HospitalId,
    pub(crate) base: &'a str,
    pub(crate) app_id: &'a str,
    pub(crate) kind: &'a str,
}

pub(crate) async fn list(db: &Db) -> Result<Vec<ChannelRow>> {
    db.all(LIST, args![]).await
}

/// Adds an account, or changes the one of this name; `None` when the name is another hospital's.
pub(crate) async fn put(tx: &mut Tx, row: ChannelRow) -> Result<Option<ChannelAccountId>> {
    let now = tx.now();
    let values = args![
        row.hospital,
        row.id,
        row.name,
        row.kind,
        row.app_id,
        row.original_id,
        row.mode,
        row.format,
        row.secret,
        row.token,
        row.aes_key,
        row.aes_key_previous,
        row.bases,
        row.js_sdk_url,
        row.verify_files,
        now
    ];
    Ok(tx.opt::<One<ChannelAccountId>>(PUT, values).await?.map(|one| one.0))
}

pub(crate) async fn token(db: &Db, of: TokenOf<'_>) -> Result<Option<TokenRow>> {
    db.opt(TOKEN, args![of.hospital, of.base, of.app_id, of.kind]).await
}

pub(crate) async fn lease(tx: &mut Tx, of: TokenOf<'_>, now_ms: i64, until_ms: i64) -> Result<Option<i64>> {
    let values = args![of.hospital, of.base, of.app_id, of.kind, until_ms, now_ms];
    Ok(tx.opt::<One<i64>>(LEASE, values).await?.map(|one| one.0))
}

pub(crate) async fn save(tx: &mut Tx, of: TokenOf<'_>, fence: i64, row: TokenRow) -> Result<bool> {
    let values = args![
        of.hospital,
        of.base,
        of.app_id,
        of.kind,
        fence,
        row.token,
        row.fetched_at,
        row.expires_in_s,
        row.forced_at
    ];
    Ok(tx.exec(SAVE, values).await? == 1)
}

pub(crate) async fn release(tx: &mut Tx, of: TokenOf<'_>, fence: i64) -> Result<()> {
    tx.exec(RELEASE, args![of.hospital, of.base, of.app_id, of.kind, fence]).await.map(drop)
}
