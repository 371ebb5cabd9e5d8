//! The AES layer: `random(16) ‖ length(4, big-endian) ‖ message ‖ receive id`, padded to 32, AES-256-CBC, base64.

use std::sync::Arc;

use aws_lc_rs::cipher::{
    AES_256, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use zeroize::{Zeroize, Zeroizing};

use super::Error;

/// 43 characters carry 258 bits for the key's 256. The last two are arbitrary and often not zero, which a strict decoder
/// refuses; so the key, and only the key, is decoded with trailing bits allowed.
const KEY_BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// PKCS#7 with a block of 32, although AES has 16: half of all messages have padding of 17 to 32 bytes, and a usual PKCS#7
/// helper fails on them.
const BLOCK: usize = 32;
/// The random bytes and the length field in front of the message.
const HEADER: usize = 20;

/// An EncodingAESKey, decoded. Does not print itself. Cheap to clone.
#[derive(Clone)]
pub struct AesKey(Arc<Ready>);

/// The key, and what is computed from it once and not for each push.
struct Ready {
    bytes: Zeroizing<[u8; 32]>,
    decrypting: DecryptingKey,
    encrypting: EncryptingKey,
}

impl PartialEq for AesKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.bytes == other.0.bytes
    }
}

impl Eq for AesKey {}

impl std::fmt::Debug for AesKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl AesKey {
    /// Reads the 43 characters from the platform's page.
    ///
    /// # Errors
    /// [`Error::BadKey`] for any other length or alphabet.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() != 43 || text.contains('=') {
            return Err(Error::BadKey);
        }
        let mut bytes = KEY_BASE64.decode(Zeroizing::new(format!("{text}="))).map_err(|_| Error::BadKey)?;
        let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| Error::BadKey);
        bytes.zeroize();
        let bytes = Zeroizing::new(key?);
        let ready = || UnboundCipherKey::new(&AES_256, bytes.as_slice());
        let decrypting = ready().and_then(DecryptingKey::cbc).map_err(|_| Error::BadKey)?;
        let encrypting = ready().and_then(EncryptingKey::cbc).map_err(|_| Error::BadKey)?;
        Ok(Self(Arc::new(Ready { bytes, decrypting, encrypting })))
    }

    /// Decrypts an `Encrypt` value (or WeCom's `echostr`) whose signature has been checked already.
    ///
    /// # Errors
    /// In this order: [`Error::Base64`], [`Error::Ciphertext`], [`Error::Padding`], [`Error::Length`],
    /// [`Error::ReceiveId`], [`Error::Utf8`].
    pub fn decrypt(&self, encrypt: &str, receive_id: &str) -> Result<String, Error> {
        let mut buffer =
            base64::engine::general_purpose::STANDARD.decode(encrypt).map_err(|_| Error::Base64)?;
        if buffer.is_empty() || !buffer.len().is_multiple_of(BLOCK) {
            return Err(Error::Ciphertext);
        }
        let key = &self.0.decrypting;
        let plain =
            key.decrypt(&mut buffer, DecryptionContext::Iv128(self.iv()?)).map_err(|_| Error::Ciphertext)?;
        let content = unpad(plain)?;
        let (message, id) = split(content)?;
        if id != receive_id.as_bytes() {
            return Err(Error::ReceiveId);
        }
        String::from_utf8(message.to_vec()).map_err(|_| Error::Utf8)
    }

    /// Encrypts a message. `random` must be fresh: the initialisation vector is a part of the key and always the same, so
    /// these 16 bytes are what makes two equal messages differ.
    ///
    /// # Errors
    /// [`Error::Encrypt`] for a message of 4 GiB and more.
    pub fn encrypt(&self, random: [u8; 16], message: &[u8], receive_id: &str) -> Result<String, Error> {
        let length = u32::try_from(message.len()).map_err(|_| Error::Encrypt)?;
        let mut buffer = Vec::with_capacity(message.len().saturating_add(receive_id.len() + HEADER + BLOCK));
        buffer.extend_from_slice(&random);
        buffer.extend_from_slice(&length.to_be_bytes());
        buffer.extend_from_slice(message);
        buffer.extend_from_slice(receive_id.as_bytes());
        let pad = BLOCK - buffer.len() % BLOCK;
        buffer.resize(buffer.len() + pad, u8::try_from(pad).map_err(|_| Error::Encrypt)?);
        let key = &self.0.encrypting;
        key.less_safe_encrypt(&mut buffer, EncryptionContext::Iv128(self.iv()?))
            .map_err(|_| Error::Encrypt)?;
        Ok(base64::engine::general_purpose::STANDARD.encode(buffer))
    }

    /// WeChat takes the first half of the key.
    fn iv(&self) -> Result<FixedLength<16>, Error> {
        let half = self.0.bytes.first_chunk::<16>().ok_or(Error::BadKey)?;
        Ok(FixedLength::from(half))
    }
}

/// Takes the padding off: the last byte says 1 to 32, and that many bytes must all say the same.
fn unpad(plain: &[u8]) -> Result<&[u8], Error> {
    let pad = *plain.last().ok_or(Error::Padding)?;
    let count = usize::from(pad);
    if !(1..=BLOCK).contains(&count) {
        return Err(Error::Padding);
    }
    let keep = plain.len().checked_sub(count).ok_or(Error::Padding)?;
    let (content, padding) = plain.split_at_checked(keep).ok_or(Error::Padding)?;
    if padding.iter().all(|byte| *byte == pad) { Ok(content) } else { Err(Error::Padding) }
}

/// Splits what was decrypted into message and receive id. The length is unsigned and may claim anything.
fn split(content: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    let (_random, rest) = content.split_first_chunk::<16>().ok_or(Error::Length)?;
    let (length, rest) = rest.split_first_chunk::<4>().ok_or(Error::Length)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| Error::Length)?;
    rest.split_at_checked(length).ok_or(Error::Length)
}
