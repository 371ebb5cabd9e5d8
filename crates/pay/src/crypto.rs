//! Cryptography as the platforms use it. RSA, AES and hashes are aws-lc-rs; SM2, SM3 and SM4 are RustCrypto's.

pub mod aead;
pub mod cert;
mod pem;
pub mod rsa;
pub mod sm;

use aws_lc_rs::digest;
use md5::{Digest as _, Md5};

/// A failure of cryptography. On purpose it does not say more: what exactly was wrong helps only an attacker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// A key or certificate that can't be read.
    #[error("unusable key material: {0}")]
    Key(&'static str),
    /// A signature that is not of this key over these bytes.
    #[error("the signature does not fit")]
    Signature,
    /// A sealed text that this key does not open, or a text that can't be sealed.
    #[error("can't be opened or sealed")]
    Seal,
}

/// Lower-case hex SHA-256.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}

/// Lower-case hex MD5: certificate numbers at Alipay and identity digests at WeChat; proves nothing to anybody.
#[must_use]
pub fn md5_hex(bytes: &[u8]) -> String {
    hex::encode(Md5::digest(bytes))
}

/// A nonce of `len` letters and digits from the system's randomness.
#[must_use]
pub fn nonce(len: usize) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let mut bytes = vec![0_u8; len];
    // Without randomness a nonce of one letter is no secret lost: the signature still holds.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    bytes.iter().filter_map(|byte| LETTERS.get(usize::from(byte % 32))).copied().map(char::from).collect()
}
