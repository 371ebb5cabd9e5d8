//! Bytes that many people read: kept in memory with an ETag, answered with 304 when the reader has them, compressed once for
//! all readers.

use std::io::Write as _;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::digest;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderValue, StatusCode};

/// What fits into one packet gains nothing by being smaller, bytes.
const ONE_PACKET: usize = 1_200;

/// A JSON body with its ETag. Cheap to clone; clones share what has been compressed.
#[derive(Debug, Clone)]
pub struct Tagged {
    body: Bytes,
    etag: String,
    /// The body after gzip, once somebody has asked for it; `None` when it did not become smaller.
    packed: Arc<OnceLock<Option<Bytes>>>,
}

impl Tagged {
    /// Tags a JSON body.
    #[must_use]
    pub fn json(body: Vec<u8>) -> Self {
        let hash = digest::digest(&digest::SHA256, &body);
        let (short, _) = hash.as_ref().split_at_checked(12).unwrap_or((hash.as_ref(), &[]));
        Self { etag: format!("\"{}\"", hex::encode(short)), body: body.into(), packed: Arc::default() }
    }

    /// The bytes.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The body after gzip, for a reader who takes that and where it is worth it.
    fn packed_for(&self, headers: &HeaderMap) -> Option<Bytes> {
        if self.body.len() <= ONE_PACKET || !takes_gzip(headers) {
            return None;
        }
        self.packed.get_or_init(|| gzip(&self.body).filter(|p| p.len() < self.body.len())).clone()
    }

    /// The answer for a reader with these headers. The reader asks again each time (`no-cache`), cheaply. The tag is a weak one:
    /// it stands for the same content whether compressed or not.
    #[must_use]
    pub fn answer(&self, headers: &HeaderMap) -> Response {
        let known = headers.get(IF_NONE_MATCH).and_then(|v| v.to_str().ok()).is_some_and(|list| {
            list.split(',').map(|t| t.trim().trim_start_matches("W/")).any(|t| t == self.etag || t == "*")
        });
        let etag = format!("W/{}", self.etag);
        let common = [(ETAG, etag.as_str()), (CACHE_CONTROL, "no-cache"), (VARY, "accept-encoding")];
        if known {
            return (StatusCode::NOT_MODIFIED, common).into_response();
        }
        let packed = self.packed_for(headers);
        let coding = packed.is_some().then(|| HeaderValue::from_static("gzip"));
        let body = packed.unwrap_or_else(|| self.body.clone());
        let mut response = (common, [(CONTENT_TYPE, "application/json")], body).into_response();
        if let Some(coding) = coding {
            response.headers_mut().insert(CONTENT_ENCODING, coding);
        }
        response
    }
}

/// Whether a reader takes gzip: named, and not with a weight of 0 (RFC 9110, 12.5.3).
fn takes_gzip(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(ACCEPT_ENCODING).into_iter().filter_map(|v| v.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|one| {
        let (coding, weight) = one.split_once(';').unwrap_or((one, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|w| w.parse::<f32>().ok());
        coding.trim().eq_ignore_ascii_case("gzip") && weight.is_none_or(|w| w > 0.0)
    })
}

fn gzip(body: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::default());
    encoder.write_all(body).ok()?;
    encoder.finish().ok().map(Bytes::from)
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

    #[test]
    fn long_bodies_are_packed_once_for_those_who_take_it() {
        let body = format!("[{}0]", "12345,".repeat(1_000)).into_bytes();
        let tagged = Tagged::json(body.clone());
        let accepting = |list: &str| HeaderMap::from_iter([(ACCEPT_ENCODING, list.parse().unwrap())]);
        for (list, wanted) in [
            ("gzip, deflate, br", true),
            ("br, GZIP ; q=0.5", true),
            ("gzip;q=0, br", false),
            ("identity", false),
        ] {
            let answer = tagged.answer(&accepting(list));
            assert_eq!(answer.headers().get(CONTENT_ENCODING).is_some_and(|c| c == "gzip"), wanted, "{list}");
            assert_eq!(answer.headers()[VARY], "accept-encoding");
        }
        let (one, other) =
            (tagged.packed_for(&accepting("gzip")), tagged.clone().packed_for(&accepting("gzip")));
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_eq!(one.as_ptr(), other.as_ptr());
        let mut unpacked = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(one.as_ref()), &mut unpacked).unwrap();
        assert_eq!(unpacked, body);
        assert!(Tagged::json(b"{}".to_vec()).packed_for(&accepting("gzip")).is_none());
    }
}
