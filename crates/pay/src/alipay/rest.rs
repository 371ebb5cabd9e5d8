//! Signatures of the REST gateway (`/v3/…`), which newer interfaces of Alipay's are found at.

use reqwest::header::HeaderMap;

use super::keys::{KeyError, Merchant};
use crate::Verified;
use crate::crypto::CryptoError;
use crate::wire::single;

/// The text under a request: the authorisation without its signature, method, path with query, body, and the agent's token
/// where there is one; each ends in a line feed.
#[must_use]
pub fn request_text(auth: &str, method: &str, target: &str, body: &[u8], token: Option<&str>) -> Vec<u8> {
    let mut text = format!("{auth}\n{method}\n{target}\n").into_bytes();
    text.extend_from_slice(body);
    text.push(b'\n');
    if let Some(token) = token {
        text.extend_from_slice(token.as_bytes());
        text.push(b'\n');
    }
    text
}

/// The value of the `Authorization` header; `auth` is `app_id=…,nonce=…,timestamp=…`, with `app_cert_sn` in certificate mode.
///
/// # Errors
/// [`CryptoError`] when our key can't sign.
pub fn authorization(
    merchant: &Merchant,
    auth: &str,
    method: &str,
    target: &str,
    body: &[u8],
    token: Option<&str>,
) -> Result<String, CryptoError> {
    let sign = merchant.private_key.sign(&request_text(auth, method, target, body, token))?;
    Ok(format!("ALIPAY-SHA256withRSA {auth},sign={sign}"))
}

/// Checks an answer of the REST gateway.
///
/// # Errors
/// [`CryptoError::Signature`]; also when a header is missing or the certificate is not held.
pub fn check<'a>(
    merchant: &Merchant,
    headers: &HeaderMap,
    body: &'a [u8],
) -> Result<Verified<&'a [u8]>, CryptoError> {
    let need = |name| single(headers, name).ok_or(CryptoError::Signature);
    let mut text = format!("{}\n{}\n", need("alipay-timestamp")?, need("alipay-nonce")?).into_bytes();
    text.extend_from_slice(body);
    text.push(b'\n');
    let sn = single(headers, "alipay-sn");
    let by = merchant.keys.verify(sn, &text, need("alipay-signature")?).map_err(|error| match error {
        KeyError::Unknown(_) | KeyError::Signature => CryptoError::Signature,
    })?;
    Ok(Verified::seal(body, by))
}
