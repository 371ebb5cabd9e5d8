//! Bytes that many people read: kept in memory with an ETag, answered with 304 when the reader has them.

use aws_lc_rs::digest;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};

/// A JSON body with its ETag. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Tagged {
    body: Bytes,
    etag: String,
}

impl Tagged {
    /// Tags a JSON body.
    #[must_use]
    pub fn json(body: Vec<u8>) -> Self {
        let hash = digest::digest(&digest::SHA256, &body);
        let (short, _) = hash.as_ref().split_at_checked(12).unwrap_or((hash.as_ref(), &[]));
        Self { etag: format!("\"{}\"", hex::encode(short)), body: body.into() }
    }

    /// The bytes.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The answer for a reader with these headers. The reader asks again each time (`no-cache`), cheaply.
    #[must_use]
    pub fn answer(&self, headers: &HeaderMap) -> Response {
        let known = headers.get(IF_NONE_MATCH).and_then(|v| v.to_str().ok()).is_some_and(|list| {
            list.split(',').map(|t| t.trim().trim_start_matches("W/")).any(|t| t == self.etag || t == "*")
        });
        let common = [(ETAG, self.etag.as_str()), (CACHE_CONTROL, "no-cache")];
        if known {
            return (StatusCode::NOT_MODIFIED, common).into_response();
        }
        (common, [(CONTENT_TYPE, "application/json")], self.body.clone()).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_bytes_are_not_sent_again() {
        let tagged = Tagged::json(b"{}".to_vec());
        let mut headers = HeaderMap::new();
        assert_eq!(tagged.answer(&headers).status(), 200);
        headers.insert(IF_NONE_MATCH, format!("W/{}, \"x\"", tagged.etag).parse().unwrap());
        assert_eq!(tagged.answer(&headers).status(), 304);
    }
}
