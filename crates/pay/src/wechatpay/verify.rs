//! Is this answer or notice WeChat's, and is it fresh? Over the bytes as they came, before any parser sees them.

use base::UnixMs;
use reqwest::header::HeaderMap;

use super::keys::{KeyRing, NoKey};
use crate::Verified;
use crate::wire::single;

/// A message is refused when it is this many seconds or more away from our clock (official SDKs: 5 minutes).
pub const WINDOW_S: u64 = 300;

/// Why a message does not prove itself, in the order in which it is checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// A header is missing, empty, doubled or no text; a proxy may have stripped it.
    #[error("header {0} is missing or unreadable")]
    Header(&'static str),
    /// Another algorithm than SHA-256 with RSA.
    #[error("signature type {0:?} is not configured")]
    SignatureType(String),
    /// A key that we do not hold.
    #[error("no key {0:?}")]
    UnknownSerial(String),
    /// A certificate outside its validity.
    #[error("certificate {0:?} is not valid now")]
    Expired(String),
    /// Not a number, or too far from our clock: `skew_s` seconds (positive: theirs is behind).
    #[error("timestamp off by {skew_s:?} s")]
    Timestamp {
        /// By how much; `None` when it is no number of seconds.
        skew_s: Option<i64>,
    },
    /// The bytes are not what was signed. `probe` marks WeChat's own test whether anybody checks: count those apart and
    /// page nobody, but answer them like any other.
    #[error("signature does not fit {bytes} bytes of body")]
    Signature {
        /// The signature begins with `WECHATPAY/SIGNTEST/`.
        probe: bool,
        /// Length of the body that we saw: a proxy that rewrites bodies shows here.
        bytes: usize,
    },
}

/// The text under a signature of WeChat's.
#[must_use]
pub fn answer_text(timestamp: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    let mut text = format!("{timestamp}\n{nonce}\n").into_bytes();
    text.extend_from_slice(body);
    text.push(b'\n');
    text
}

/// Checks headers, type, key, age and signature, in that order. The proof names the key.
///
/// # Errors
/// The first check that failed.
pub fn check<'a>(
    ring: &KeyRing,
    headers: &HeaderMap,
    body: &'a [u8],
    now: UnixMs,
) -> Result<Verified<&'a [u8]>, VerifyError> {
    let need = |name: &'static str| {
        single(headers, name).filter(|value| !value.is_empty()).ok_or(VerifyError::Header(name))
    };
    let (timestamp, nonce) = (need("wechatpay-timestamp")?, need("wechatpay-nonce")?);
    let (signature, serial) = (need("wechatpay-signature")?, need("wechatpay-serial")?);
    // Older gateways leave the type out; what is there must be the one that we know.
    if let Some(kind) = headers.get("wechatpay-signature-type")
        && kind.as_bytes() != b"WECHATPAY2-SHA256-RSA2048"
    {
        return Err(VerifyError::SignatureType(String::from_utf8_lossy(kind.as_bytes()).into_owned()));
    }
    let key = ring.find(serial, now).map_err(|error| match error {
        NoKey::Unknown => VerifyError::UnknownSerial(serial.to_owned()),
        NoKey::Expired => VerifyError::Expired(serial.to_owned()),
    })?;
    let plain = timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let sent: i64 =
        timestamp.parse().ok().filter(|_| plain).ok_or(VerifyError::Timestamp { skew_s: None })?;
    let skew = now.seconds().saturating_sub(sent);
    if skew.unsigned_abs() >= WINDOW_S {
        return Err(VerifyError::Timestamp { skew_s: Some(skew) });
    }
    key.verify(&answer_text(timestamp, nonce, body), signature).map_err(|_| VerifyError::Signature {
        probe: signature.starts_with("WECHATPAY/SIGNTEST/"),
        bytes: body.len(),
    })?;
    Ok(Verified::seal(body, serial))
}
