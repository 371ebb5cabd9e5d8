//! AES-256-GCM as WeChat Pay seals its notices and certificates.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::CryptoError;
use crate::Secret;

/// The APIv3 key: 32 bytes, set by hand in the merchant console.
#[derive(Clone, Debug)]
pub struct Apiv3Key(Secret);

impl Apiv3Key {
    /// Checks the length.
    ///
    /// # Errors
    /// [`CryptoError::Key`].
    pub fn new(key: impl Into<Secret>) -> Result<Self, CryptoError> {
        let key = key.into();
        if key.reveal().len() == 32 {
            Ok(Self(key))
        } else {
            Err(CryptoError::Key("an APIv3 key has 32 bytes"))
        }
    }

    /// Opens base64 whose last 16 bytes are the tag. The nonce has 12 bytes: a longer one would open in some libraries,
    /// WeChat sends none.
    ///
    /// # Errors
    /// [`CryptoError::Seal`].
    pub fn open(
        &self,
        nonce: &str,
        associated: &str,
        sealed_base64: &str,
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let mut bytes = Zeroizing::new(STANDARD.decode(sealed_base64).map_err(|_| CryptoError::Seal)?);
        let length = {
            let nonce = Nonce::try_assume_unique_for_key(nonce.as_bytes()).map_err(|_| CryptoError::Seal)?;
            let aad = Aad::from(associated.as_bytes());
            self.key()?.open_in_place(nonce, aad, &mut bytes).map_err(|_| CryptoError::Seal)?.len()
        };
        bytes.truncate(length);
        Ok(bytes)
    }

    /// Seals, for simulators and tests.
    ///
    /// # Errors
    /// [`CryptoError::Seal`].
    pub fn seal(&self, nonce: &str, associated: &str, plain: &[u8]) -> Result<String, CryptoError> {
        let nonce = Nonce::try_assume_unique_for_key(nonce.as_bytes()).map_err(|_| CryptoError::Seal)?;
        let mut bytes = plain.to_vec();
        self.key()?
            .seal_in_place_append_tag(nonce, Aad::from(associated.as_bytes()), &mut bytes)
            .map_err(|_| CryptoError::Seal)?;
        Ok(STANDARD.encode(bytes))
    }

    fn key(&self) -> Result<LessSafeKey, CryptoError> {
        let key = UnboundKey::new(&AES_256_GCM, self.0.reveal().as_bytes());
        key.map(LessSafeKey::new).map_err(|_| CryptoError::Key("an APIv3 key has 32 bytes"))
    }
}
