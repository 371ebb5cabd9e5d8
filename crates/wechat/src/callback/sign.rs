//! WeChat's signature: SHA-1 over sorted strings.

use aws_lc_rs::digest;

/// Sorts the parts as byte strings, joins them with nothing between, and gives the SHA-1 in lower-case hex.
///
/// Token, timestamp and nonce for a plain push or a URL check; the same and `Encrypt` for an encrypted one.
pub fn signature(parts: &[&str]) -> String {
    let mut sorted = parts.to_vec();
    sorted.sort_unstable();
    let mut hash = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    for part in sorted {
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finish())
}
