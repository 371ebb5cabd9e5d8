//! Idempotency keys: a request that is sent again gets the first answer, and nothing is done twice.
//!
//! [`Once::begin`] opens the transaction of the change and looks whether the key was used. If so, the stored answer is given
//! again (or 422 when the same key comes with another request). If not, the handler does its work in that transaction and
//! [`Once::finish`] stores the answer in it. A booking needs none of this: its own row is the store.

use aws_lc_rs::digest;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use base::{Kind, Problem};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use store::value::Row;
use store::{Db, Tx, args};

use crate::actor::Caller;
use crate::problem::{ApiError, ApiResult};

store::statements! {
    WAIT = sqlite "SELECT $1" postgres "SELECT CAST(1 AS BIGINT) FROM (SELECT pg_advisory_xact_lock($1)) AS held";
    GET = "SELECT request_hash, status, body FROM idempotency WHERE hospital_id = $1 AND actor = $2 AND key = $3";
    PUT = "INSERT INTO idempotency (hospital_id, actor, key, request_hash, status, body, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    FORGET = "DELETE FROM idempotency WHERE created_at < $1";
}

/// The `Idempotency-Key` header: 1 to 64 letters, digits, `-` or `_`. A route that takes this needs the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(pub String);

impl IdempotencyKey {
    /// Reads the header.
    ///
    /// # Errors
    /// 428 when it is missing, 422 when it has another shape.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(value) = headers.get("idempotency-key") else {
            return Err(Problem::new(
                Kind::Required,
                "idempotency_key_required",
                "请求缺少 Idempotency-Key。",
                "The Idempotency-Key header is missing.",
            ));
        };
        let text = value.to_str().unwrap_or("");
        let plain = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if plain {
            return Ok(Self(text.to_owned()));
        }
        Err(Problem::new(
            Kind::Invalid,
            "idempotency_key_invalid",
            "Idempotency-Key 应为 1 到 64 个字母、数字、- 或 _。",
            "An Idempotency-Key has 1 to 64 letters, digits, - or _.",
        ))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> ApiResult<Self> {
        Self::from_headers(&parts.headers).map_err(ApiError::from)
    }
}

/// 422: the key was used for another request.
#[must_use]
pub fn reused() -> Problem {
    Problem::new(
        Kind::Invalid,
        "idempotency_key_reused",
        "同一个 Idempotency-Key 已用于另一个请求。",
        "This Idempotency-Key was already used for another request.",
    )
}

/// What a request amounts to, so that a key that comes with another one is noticed.
#[must_use]
pub fn request_hash(route: &str, request: &impl Serialize) -> String {
    let text = serde_json::to_string(&(route, request)).unwrap_or_default();
    hex::encode(digest::digest(&digest::SHA256, text.as_bytes()))
}

/// The change that goes with a key.
pub struct Once {
    tx: Tx,
    caller: Caller,
    key: String,
    hash: String,
}

/// Whether the key is new.
pub enum Begun {
    /// It was used: give this answer again.
    Replay(Response),
    /// It is new: do the work in [`Once::tx`], then [`Once::finish`].
    Fresh(Box<Once>),
}

impl Once {
    /// Opens a transaction and looks whether the key was used by this caller. While the same key is at work elsewhere this
    /// waits for it, and then finds its answer.
    ///
    /// # Errors
    /// 422 when the key was used for another request; what the database says.
    pub async fn begin(
        db: &Db,
        caller: &Caller,
        key: &IdempotencyKey,
        route: &str,
        request: &impl Serialize,
    ) -> ApiResult<Begun> {
        let hash = request_hash(route, request);
        let mut tx = db.begin().await?;
        // On SQLite holding the transaction is waiting enough.
        let _: Vec<Row> = tx.all(WAIT, args![lock_number(caller, key)]).await?;
        let stored: Option<Row> =
            tx.opt(GET, args![caller.hospital.id, caller.actor.to_string(), &key.0]).await?;
        let Some(row) = stored else {
            return Ok(Begun::Fresh(Box::new(Self { tx, caller: caller.clone(), key: key.0.clone(), hash })));
        };
        if row.get::<String>("request_hash")? != hash {
            return Err(reused().into());
        }
        let status = u16::try_from(row.get::<i64>("status")?).ok().and_then(|s| StatusCode::from_u16(s).ok());
        let body: String = row.get("body")?;
        Ok(Begun::Replay(json(status.unwrap_or(StatusCode::OK), body)))
    }

    /// The transaction of the change.
    pub fn tx(&mut self) -> &mut Tx {
        &mut self.tx
    }

    /// Stores the answer with the change and commits both.
    ///
    /// # Errors
    /// [`Problem::unavailable`] when the same key was at work at the same moment: the repeated request finds its answer.
    pub async fn finish(mut self, status: StatusCode, body: &impl Serialize) -> ApiResult<Response> {
        let text = serde_json::to_string(body).map_err(|_| Problem::internal())?;
        let now = self.tx.now();
        let values = args![
            self.caller.hospital.id,
            self.caller.actor.to_string(),
            self.key,
            self.hash,
            i64::from(status.as_u16()),
            &text,
            now
        ];
        if self.tx.exec(PUT, values).await? == 0 {
            self.tx.rollback().await?;
            return Err(Problem::unavailable(1).into());
        }
        self.tx.commit().await?;
        Ok(json(status, text))
    }
}

/// A number for PostgreSQL's locks. Two keys that share one by chance only wait for each other.
fn lock_number(caller: &Caller, key: &IdempotencyKey) -> i64 {
    let text = format!("{}|{}|{}", caller.hospital.id, caller.actor, key.0);
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    hash.as_ref().first_chunk().map_or(0, |bytes| i64::from_be_bytes(*bytes))
}

fn json(status: StatusCode, body: String) -> Response {
    if status == StatusCode::NO_CONTENT {
        return status.into_response();
    }
    (status, [(http::header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Removes answers that are older than `before`.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn forget(db: &Db, before: base::UnixMs) -> store::Result<u64> {
    let mut tx = db.begin().await?;
    let n = tx.exec(FORGET, args![before]).await?;
    tx.commit().await?;
    Ok(n)
}
