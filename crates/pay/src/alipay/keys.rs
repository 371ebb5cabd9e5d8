//! Our key at Alipay, and theirs.

use std::collections::BTreeMap;

use base::UnixMs;

use crate::crypto::CryptoError;
use crate::crypto::cert::{Certificate, alipay_root_sn, verify_chain};
use crate::crypto::rsa::{PrivateKey, PublicKey};

/// One application of one seller. Debug shows no key.
#[derive(Debug, Clone)]
pub struct Merchant {
    /// The application's id.
    pub app_id: String,
    /// The seller's id (pid); order numbers are unique below it.
    pub seller_id: String,
    /// The application's key.
    pub private_key: PrivateKey,
    /// How Alipay proves itself.
    pub keys: AlipayKeys,
}

/// How Alipay proves itself.
#[derive(Debug, Clone)]
pub enum AlipayKeys {
    /// Key mode: public keys from the console, the current one first; while it is being swapped, the one before it too.
    Keys(Vec<PublicKey>),
    /// Certificate mode.
    Certificates {
        /// Number of our application's certificate; a signed parameter.
        app_cert_sn: String,
        /// Number of Alipay's root file; a signed parameter.
        root_cert_sn: String,
        /// The root file, to check certificates that Alipay changes to.
        roots: String,
        /// Alipay's certificates by number. Several while they change.
        alipay: BTreeMap<String, Certificate>,
    },
}

impl AlipayKeys {
    /// Key mode with one key.
    ///
    /// # Errors
    /// [`CryptoError::Key`].
    pub fn key(public: &str) -> Result<Self, CryptoError> {
        Ok(Self::Keys(vec![PublicKey::parse(public)?]))
    }

    /// Certificate mode from the three files that the console gives.
    ///
    /// # Errors
    /// [`CryptoError::Key`].
    pub fn certificates(app: &str, alipay: &str, roots: &str) -> Result<Self, CryptoError> {
        let theirs = Certificate::parse(alipay)?;
        Ok(Self::Certificates {
            app_cert_sn: Certificate::parse(app)?.alipay_sn()?,
            root_cert_sn: alipay_root_sn(roots)?,
            roots: roots.to_owned(),
            alipay: BTreeMap::from([(theirs.alipay_sn()?, theirs)]),
        })
    }

    /// Takes a certificate that Alipay has changed to, if its chain ends in the root file. Gives its number.
    ///
    /// # Errors
    /// [`CryptoError`]; in key mode there is nothing to add to.
    pub fn add(&mut self, chain: &str, now: UnixMs) -> Result<String, CryptoError> {
        let Self::Certificates { roots, alipay, .. } = self else {
            return Err(CryptoError::Key("key mode has no certificates"));
        };
        let certificate = verify_chain(chain, roots, now)?;
        let sn = certificate.alipay_sn()?;
        alipay.insert(sn.clone(), certificate);
        Ok(sn)
    }

    /// Checks a signature. `sn` is the certificate that the message names. Gives what proved it.
    pub(crate) fn verify(
        &self,
        sn: Option<&str>,
        message: &[u8],
        signature: &str,
    ) -> Result<String, KeyError> {
        match self {
            Self::Keys(keys) => {
                let fits = keys.iter().position(|key| key.verify(message, signature).is_ok());
                fits.map(|at| format!("alipay key {at}")).ok_or(KeyError::Signature)
            }
            Self::Certificates { alipay, .. } => match sn {
                Some(sn) => {
                    let held = alipay.get(sn).ok_or_else(|| KeyError::Unknown(sn.to_owned()))?;
                    held.key.verify(message, signature).map_err(|_| KeyError::Signature)?;
                    Ok(sn.to_owned())
                }
                // Some messages do not say which.
                None => {
                    let mut held = alipay.iter();
                    let fits = held.find(|(_, one)| one.key.verify(message, signature).is_ok());
                    fits.map(|(sn, _)| sn.clone()).ok_or(KeyError::Signature)
                }
            },
        }
    }
}

/// Why a signature was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyError {
    /// A certificate that we do not hold yet.
    Unknown(String),
    /// It does not fit.
    Signature,
}
