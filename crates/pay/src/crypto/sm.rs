//! SM2 signatures with SM3, and SM4 in ECB and CBC with PKCS#7: the parts that the insurance interfaces need.

use std::fmt;
use std::sync::Arc;

use sm2::dsa::signature::{Signer as _, Verifier as _};
use sm2::dsa::{Signature, SigningKey, VerifyingKey};
use sm2::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _};
use sm3::{Digest as _, Sm3};
use sm4::Sm4;
use sm4::cipher::{Block, BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _};
use zeroize::Zeroizing;

use super::CryptoError;

/// The user id that everybody takes when none is agreed on.
pub const DEFAULT_USER_ID: &str = "1234567812345678";

/// SM3 in lower-case hex.
#[must_use]
pub fn sm3_hex(bytes: &[u8]) -> String {
    hex::encode(Sm3::digest(bytes))
}

/// How the 64 bytes of an SM2 signature are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureForm {
    /// r and s, 32 bytes each.
    #[default]
    Rs,
    /// ASN.1 DER.
    Der,
}

/// Signs with SM2 and SM3. A trait, so that a hardware module (GM/T 0018) can hold the key where the law wants one.
pub trait Sm2Signer: Send + Sync {
    /// The signature as r and s.
    ///
    /// # Errors
    /// [`CryptoError::Key`] when the module refuses.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], CryptoError>;
}

/// A private key in memory. Wiped when dropped.
#[derive(Clone)]
pub struct Sm2PrivateKey(Arc<SigningKey>);

impl fmt::Debug for Sm2PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Sm2PrivateKey {
    /// Reads PKCS#8 in PEM, or 64 hex digits.
    ///
    /// # Errors
    /// [`CryptoError::Key`].
    pub fn parse(text: &str, user_id: &str) -> Result<Self, CryptoError> {
        const NOT: CryptoError = CryptoError::Key("not an SM2 private key");
        let key = if text.contains("-----BEGIN") {
            let secret = sm2::SecretKey::from_pkcs8_pem(text).map_err(|_| NOT)?;
            SigningKey::new(user_id, &secret)
        } else {
            let bytes = Zeroizing::new(hex::decode(text.trim()).map_err(|_| NOT)?);
            SigningKey::from_slice(user_id, &bytes)
        };
        key.map(|key| Self(Arc::new(key))).map_err(|_| NOT)
    }

    /// A new key, for simulators and tests: 64 hex digits.
    ///
    /// # Errors
    /// [`CryptoError::Key`] when the system has no randomness.
    pub fn generate_hex() -> Result<Zeroizing<String>, CryptoError> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        // One draw in 2^32 lies above the order of the curve.
        for _ in 0..8 {
            aws_lc_rs::rand::fill(bytes.as_mut_slice()).map_err(|_| CryptoError::Key("no randomness"))?;
            let text = Zeroizing::new(hex::encode(bytes.as_slice()));
            if Self::parse(&text, DEFAULT_USER_ID).is_ok() {
                return Ok(text);
            }
        }
        Err(CryptoError::Key("no randomness"))
    }

    /// The public half: x and y, 64 bytes.
    #[must_use]
    pub fn public_hex(&self) -> String {
        let point = self.0.verifying_key().to_sec1_bytes();
        hex::encode(point.get(1..).unwrap_or_default())
    }
}

impl Sm2Signer for Sm2PrivateKey {
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], CryptoError> {
        let signature: Signature = self.0.try_sign(message).map_err(|_| CryptoError::Key("can't sign"))?;
        Ok(signature.to_bytes().into())
    }
}

/// A public key.
#[derive(Debug, Clone)]
pub struct Sm2PublicKey(VerifyingKey);

impl Sm2PublicKey {
    /// Reads PEM, or x and y in hex (with or without the leading `04`).
    ///
    /// # Errors
    /// [`CryptoError::Key`].
    pub fn parse(text: &str, user_id: &str) -> Result<Self, CryptoError> {
        const NOT: CryptoError = CryptoError::Key("not an SM2 public key");
        if text.contains("-----BEGIN") {
            let key = sm2::PublicKey::from_public_key_pem(text).map_err(|_| NOT)?;
            return VerifyingKey::new(user_id, key).map(Self).map_err(|_| NOT);
        }
        let mut point = hex::decode(text.trim()).map_err(|_| NOT)?;
        if point.len() == 64 {
            point.insert(0, 4);
        }
        VerifyingKey::from_sec1_bytes(user_id, &point).map(Self).map_err(|_| NOT)
    }

    /// Checks a signature.
    ///
    /// # Errors
    /// [`CryptoError::Signature`].
    pub fn verify(&self, message: &[u8], signature: &[u8], form: SignatureForm) -> Result<(), CryptoError> {
        let signature = match form {
            SignatureForm::Rs => Signature::from_slice(signature),
            SignatureForm::Der => Signature::from_der(signature),
        };
        let signature = signature.map_err(|_| CryptoError::Signature)?;
        self.0.verify(message, &signature).map_err(|_| CryptoError::Signature)
    }
}

/// Packs r and s as asked.
///
/// # Errors
/// [`CryptoError::Signature`] when they are no signature.
pub fn pack(rs: &[u8; 64], form: SignatureForm) -> Result<Vec<u8>, CryptoError> {
    match form {
        SignatureForm::Rs => Ok(rs.to_vec()),
        SignatureForm::Der => {
            let signature = Signature::from_slice(rs).map_err(|_| CryptoError::Signature)?;
            Ok(signature.to_der().to_vec())
        }
    }
}

/// The mode of SM4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sm4Mode {
    /// Each block for itself: what the insurance envelope uses.
    Ecb,
    /// Chained, with this first block.
    Cbc([u8; 16]),
}

/// Seals with SM4 and PKCS#7.
///
/// # Errors
/// [`CryptoError::Key`] when the key has not 16 bytes.
pub fn sm4_seal(key: &[u8], mode: Sm4Mode, plain: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let cipher = sm4(key)?;
    let pad = 16 - plain.len() % 16;
    let mut bytes = plain.to_vec();
    bytes.resize(plain.len() + pad, u8::try_from(pad).unwrap_or(16));
    let mut before = first(mode);
    for block in bytes.chunks_exact_mut(16) {
        xor(block, &before);
        let mut work = Block::<Sm4>::default();
        work.copy_from_slice(block);
        cipher.encrypt_block(&mut work);
        block.copy_from_slice(&work);
        if matches!(mode, Sm4Mode::Cbc(_)) {
            before.copy_from_slice(block);
        }
    }
    Ok(bytes)
}

/// Opens what [`sm4_seal`] sealed.
///
/// # Errors
/// [`CryptoError::Key`]; [`CryptoError::Seal`] for broken blocks or padding.
pub fn sm4_open(key: &[u8], mode: Sm4Mode, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let cipher = sm4(key)?;
    if sealed.is_empty() || !sealed.len().is_multiple_of(16) {
        return Err(CryptoError::Seal);
    }
    let mut bytes = Zeroizing::new(sealed.to_vec());
    let mut before = first(mode);
    for block in bytes.chunks_exact_mut(16) {
        let mut work = Block::<Sm4>::default();
        work.copy_from_slice(block);
        let sealed = work;
        cipher.decrypt_block(&mut work);
        block.copy_from_slice(&work);
        xor(block, &before);
        if matches!(mode, Sm4Mode::Cbc(_)) {
            before.copy_from_slice(&sealed);
        }
    }
    let pad = bytes.last().copied().unwrap_or(0);
    let right = (1..=16).contains(&pad) && bytes.iter().rev().take(usize::from(pad)).all(|byte| *byte == pad);
    if !right {
        return Err(CryptoError::Seal);
    }
    let length = bytes.len() - usize::from(pad);
    bytes.truncate(length);
    Ok(bytes)
}

fn sm4(key: &[u8]) -> Result<Sm4, CryptoError> {
    Sm4::new_from_slice(key).map_err(|_| CryptoError::Key("an SM4 key has 16 bytes"))
}

fn first(mode: Sm4Mode) -> [u8; 16] {
    match mode {
        Sm4Mode::Ecb => [0; 16],
        Sm4Mode::Cbc(iv) => iv,
    }
}

fn xor(block: &mut [u8], with: &[u8; 16]) {
    for (byte, mask) in block.iter_mut().zip(with) {
        *byte ^= mask;
    }
}
