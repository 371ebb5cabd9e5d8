//! Whose keys we sign and trust with. All of it can be swapped while notices flow.

use std::collections::BTreeMap;

use base::UnixMs;

use crate::crypto::CryptoError;
use crate::crypto::aead::Apiv3Key;
use crate::crypto::cert::Certificate;
use crate::crypto::rsa::{PrivateKey, PublicKey};

/// One merchant with everything that proves who is who. Debug shows no key.
#[derive(Debug, Clone)]
pub struct Merchant {
    /// The merchant number.
    pub mchid: String,
    /// Serial of the merchant certificate, 40 upper-case hex digits.
    pub serial_no: String,
    /// The key of that certificate.
    pub private_key: PrivateKey,
    /// The APIv3 key; first the current one, then, for some days after a change, the one before it: notices already queued
    /// at WeChat are still sealed under that.
    pub apiv3_keys: Vec<Apiv3Key>,
    /// WeChat's keys.
    pub ring: KeyRing,
}

/// WeChat's keys by their ids. Public keys and platform certificates live side by side: while a merchant moves from one to
/// the other, and while certificates rotate, notices come signed by either.
#[derive(Debug, Clone, Default)]
pub struct KeyRing {
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    key: PublicKey,
    /// Certificates only.
    valid: Option<(UnixMs, UnixMs)>,
}

/// Why a key can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoKey {
    /// Not held.
    Unknown,
    /// A certificate outside its validity.
    Expired,
}

const PUBLIC: &str = "PUB_KEY_ID_";

impl KeyRing {
    /// Adds WeChat's public key under its id (`PUB_KEY_ID_…`): the default mode.
    ///
    /// # Errors
    /// [`CryptoError::Key`].
    pub fn add_public_key(&mut self, id: &str, pem: &str) -> Result<(), CryptoError> {
        if !id.starts_with(PUBLIC) {
            return Err(CryptoError::Key("the id of WeChat's public key begins with PUB_KEY_ID_"));
        }
        let key = PublicKey::parse(pem)?;
        self.entries.insert(id.to_owned(), Entry { key, valid: None });
        Ok(())
    }

    /// Adds a platform certificate; its id is its serial. Gives that.
    ///
    /// # Errors
    /// [`CryptoError::Key`].
    pub fn add_certificate(&mut self, pem: &str) -> Result<String, CryptoError> {
        let certificate = Certificate::parse(pem)?;
        let valid = Some((certificate.from, certificate.until));
        self.entries.insert(certificate.serial.clone(), Entry { key: certificate.key, valid });
        Ok(certificate.serial)
    }

    /// Forgets a key, when the console says it is gone.
    pub fn remove(&mut self, id: &str) {
        self.entries.remove(id);
    }

    /// Drops certificates that have ended.
    pub fn drop_expired(&mut self, now: UnixMs) {
        self.entries.retain(|_, entry| entry.valid.is_none_or(|(_, until)| now <= until));
    }

    /// The key that a message names, if it may be used now. Public-key ids are compared as they are, serials without case.
    ///
    /// # Errors
    /// [`NoKey`]. The caller does not try other keys.
    pub fn find(&self, id: &str, now: UnixMs) -> Result<&PublicKey, NoKey> {
        let upper;
        let id = if id.starts_with(PUBLIC) {
            id
        } else {
            upper = id.to_ascii_uppercase();
            &upper
        };
        let entry = self.entries.get(id).ok_or(NoKey::Unknown)?;
        match entry.valid {
            Some((from, until)) if now < from || until < now => Err(NoKey::Expired),
            _ => Ok(&entry.key),
        }
    }

    /// The key for sensitive fields, with its id for the `Wechatpay-Serial` header: a public key before certificates; of
    /// several, the newest in validity.
    #[must_use]
    pub fn for_sealing(&self, now: UnixMs) -> Option<(&str, &PublicKey)> {
        let public = self.entries.iter().rfind(|(_, entry)| entry.valid.is_none());
        let newest = || {
            let valid = self.entries.iter().filter_map(|(id, entry)| {
                let (from, until) = entry.valid?;
                (from <= now && now <= until).then_some((from, id, entry))
            });
            valid.max_by_key(|(from, ..)| *from).map(|(_, id, entry)| (id, entry))
        };
        public.or_else(newest).map(|(id, entry)| (id.as_str(), &entry.key))
    }

    /// True when there is a platform certificate: only then is there something to refresh.
    #[must_use]
    pub fn has_certificates(&self) -> bool {
        self.entries.values().any(|entry| entry.valid.is_some())
    }

    /// True when nothing is trusted yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The ids, for the settings page.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }
}
