//! RSA: SHA-256 with PKCS#1 v1.5 signatures, OAEP with SHA-1. Nothing else is accepted anywhere.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{
    KeyPair, KeySize, OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, OaepPublicEncryptingKey,
    PrivateDecryptingKey, PublicEncryptingKey,
};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{CryptoError, pem};

/// A private key of at least 2048 bit. Cheap to clone; wiped when the last clone goes.
#[derive(Clone)]
pub struct PrivateKey(Arc<KeyPair>);

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl PrivateKey {
    /// Reads PKCS#8 or PKCS#1, as PEM or as bare base64 (Alipay's tool gives that).
    ///
    /// # Errors
    /// [`CryptoError::Key`].
    pub fn parse(text: &str) -> Result<Self, CryptoError> {
        const NOT: CryptoError = CryptoError::Key("not an RSA private key");
        let der = match pem::first(text, &["PRIVATE KEY", "RSA PRIVATE KEY"]) {
            Some((_, der)) => der,
            None => pem::decode(text).ok_or(NOT)?,
        };
        let pair = KeyPair::from_pkcs8(&der).or_else(|_| KeyPair::from_der(&der)).map_err(|_| NOT)?;
        Ok(Self(Arc::new(pair)))
    }

    /// A new key of 2048 bit, for simulators and tests.
    ///
    /// # Errors
    /// [`CryptoError::Key`] when the system has no randomness.
    pub fn generate() -> Result<Self, CryptoError> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| CryptoError::Key("no randomness"))?;
        Ok(Self(Arc::new(pair)))
    }

    /// PKCS#8 in PEM. Whoever calls this answers for where it goes.
    ///
    /// # Errors
    /// [`CryptoError::Key`].
    pub fn to_pem(&self) -> Result<String, CryptoError> {
        let der: Pkcs8V1Der<'_> = self.0.as_der().map_err(|_| CryptoError::Key("can't be written"))?;
        Ok(pem::write("PRIVATE KEY", der.as_ref()))
    }

    /// The public half.
    ///
    /// # Errors
    /// [`CryptoError::Key`].
    pub fn public(&self) -> Result<PublicKey, CryptoError> {
        let der: PublicKeyX509Der<'_> =
            self.0.public_key().as_der().map_err(|_| CryptoError::Key("can't be written"))?;
        Ok(PublicKey(der.as_ref().into()))
    }

    /// SHA256withRSA in base64; the same bytes each time.
    ///
    /// # Errors
    /// [`CryptoError::Key`].
    pub fn sign(&self, message: &[u8]) -> Result<String, CryptoError> {
        let mut out = vec![0; self.0.public_modulus_len()];
        let random = aws_lc_rs::rand::SystemRandom::new();
        self.0
            .sign(&RSA_PKCS1_SHA256, &random, message, &mut out)
            .map_err(|_| CryptoError::Key("can't sign"))?;
        Ok(STANDARD.encode(out))
    }

    /// Opens a field that was sealed to this key by OAEP with SHA-1.
    ///
    /// # Errors
    /// [`CryptoError::Seal`].
    pub fn open_oaep(&self, sealed_base64: &str) -> Result<Vec<u8>, CryptoError> {
        let der: Pkcs8V1Der<'_> = self.0.as_der().map_err(|_| CryptoError::Key("can't be written"))?;
        let key = PrivateDecryptingKey::from_pkcs8(der.as_ref())
            .map_err(|_| CryptoError::Key("not an RSA private key"))?;
        let key = OaepPrivateDecryptingKey::new(key).map_err(|_| CryptoError::Seal)?;
        let sealed = STANDARD.decode(sealed_base64).map_err(|_| CryptoError::Seal)?;
        let mut out = vec![0; key.min_output_size()];
        let open =
            key.decrypt(&OAEP_SHA1_MGF1SHA1, &sealed, &mut out, None).map_err(|_| CryptoError::Seal)?;
        Ok(open.to_vec())
    }
}

/// A public key of at least 2048 bit: DER of its SubjectPublicKeyInfo.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(Arc<[u8]>);

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} bytes)", self.0.len())
    }
}

impl PublicKey {
    /// Reads PEM or bare base64.
    ///
    /// # Errors
    /// [`CryptoError::Key`].
    pub fn parse(text: &str) -> Result<Self, CryptoError> {
        let der = match pem::first(text, &["PUBLIC KEY"]) {
            Some((_, der)) => der,
            None => pem::decode(text).ok_or(CryptoError::Key("not a public key"))?,
        };
        Self::from_der(&der)
    }

    /// Takes the DER of a SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// [`CryptoError::Key`].
    pub fn from_der(der: &[u8]) -> Result<Self, CryptoError> {
        PublicEncryptingKey::from_der(der).map_err(|_| CryptoError::Key("not an RSA public key"))?;
        Ok(Self(der.into()))
    }

    /// SubjectPublicKeyInfo in PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::write("PUBLIC KEY", &self.0)
    }

    /// Checks SHA256withRSA. SHA-1, PSS and short signatures do not pass.
    ///
    /// # Errors
    /// [`CryptoError::Signature`].
    pub fn verify(&self, message: &[u8], signature_base64: &str) -> Result<(), CryptoError> {
        let signature = STANDARD.decode(signature_base64).map_err(|_| CryptoError::Signature)?;
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.0)
            .verify(message, &signature)
            .map_err(|_| CryptoError::Signature)
    }

    /// Seals a field by OAEP with SHA-1, in base64. At most 214 bytes for 2048 bit.
    ///
    /// # Errors
    /// [`CryptoError::Seal`].
    pub fn seal_oaep(&self, plain: &[u8]) -> Result<String, CryptoError> {
        let key = PublicEncryptingKey::from_der(&self.0).map_err(|_| CryptoError::Seal)?;
        let key = OaepPublicEncryptingKey::new(key).map_err(|_| CryptoError::Seal)?;
        let mut out = vec![0; key.ciphertext_size()];
        let sealed =
            key.encrypt(&OAEP_SHA1_MGF1SHA1, plain, &mut out, None).map_err(|_| CryptoError::Seal)?;
        Ok(STANDARD.encode(sealed))
    }
}
