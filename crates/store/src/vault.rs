//! Sealed fields: names, numbers, phones and clinical text are encrypted at rest and opened with a purpose.
//!
//! A sealed value is `1:<key id>:<base64 of nonce ‖ ciphertext ‖ tag>` (AES-256-GCM; the hospital and the field's name are
//! bound in as associated data, so that a value can't be moved to another field). For look-up stands a keyed hash beside
//! it ([`Vault::blind`], HMAC-SHA-256 of the normalised value). The key file holds one key a line, the first seals, all open.

use std::collections::BTreeMap;
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac, rand};
use base::HospitalId;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as B64;
use zeroize::Zeroizing;

use crate::{FromValue, Result, StoreError, ToValue, Value};

/// A sealed value as the database keeps it. Prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(String);

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl FromValue for Sealed {
    fn from_value(value: &Value) -> Result<Self, String> {
        String::from_value(value).map(Self)
    }
}

impl ToValue for Sealed {
    const NULL: Value = Value::Text(None);
    fn to_value(self) -> Value {
        Value::Text(Some(self.0))
    }
}

/// What a sealed value is opened for. It goes to the audit log with the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be shown to the person it is about, or who acts for them.
    ShowOwner,
    /// To be shown to staff for care or service.
    ShowStaff,
    /// To send a message.
    Notify,
    /// To compare with what somebody typed.
    Match,
    /// To export or move on the person's wish.
    Export,
    /// To rotate keys.
    Maintain,
}

struct Key {
    aead: LessSafeKey,
}

/// The keys. One for an installation.
pub struct Vault {
    current: String,
    keys: BTreeMap<String, Key>,
    blind: hmac::Key,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vault({} keys)", self.keys.len())
    }
}

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

impl Vault {
    /// Reads keys: lines `id base64-of-32-bytes`; `#` starts a comment. The first line's key seals.
    ///
    /// The key for look-up hashes is derived from the line whose id is `blind`, or from the last line: it must stay the
    /// same when the sealing key is rotated.
    ///
    /// # Errors
    /// [`StoreError::Config`] says which line can't be read.
    pub fn parse(text: &str) -> Result<Self> {
        let bad =
            |line: usize, what: &str| StoreError::Config(format!("key file, line {}: {what}", line + 1));
        let mut current = None;
        let mut keys = BTreeMap::new();
        let mut blind_source: Option<Zeroizing<Vec<u8>>> = None;
        let mut blind_fixed = false;
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (id, encoded) =
                line.split_once(' ').ok_or_else(|| bad(number, "expected an id and a key"))?;
            if id.is_empty() || id.len() > 16 || !id.bytes().all(|b| b.is_ascii_alphanumeric()) {
                return Err(bad(number, "an id has 1 to 16 letters and digits"));
            }
            let bytes = Zeroizing::new(
                B64.decode(encoded.trim().trim_end_matches('='))
                    .map_err(|_| bad(number, "the key is not base64"))?,
            );
            if bytes.len() != 32 {
                return Err(bad(number, "a key has 32 bytes"));
            }
            if id == "blind" && blind_fixed {
                return Err(bad(number, "this id stands twice"));
            }
            if !blind_fixed {
                blind_source = Some(bytes.clone());
                blind_fixed = id == "blind";
            }
            if id == "blind" {
                continue;
            }
            let sealing = derive(&bytes, b"xinglin seal")?;
            let aead =
                UnboundKey::new(&AES_256_GCM, &*sealing).map_err(|_| bad(number, "the key can't be used"))?;
            if keys.insert(id.to_owned(), Key { aead: LessSafeKey::new(aead) }).is_some() {
                return Err(bad(number, "this id stands twice"));
            }
            current.get_or_insert_with(|| id.to_owned());
        }
        let (Some(current), Some(source)) = (current, blind_source) else {
            return Err(StoreError::Config("the key file holds no key".into()));
        };
        let blind = hmac::Key::new(hmac::HMAC_SHA256, &*derive(&source, b"xinglin blind index")?);
        Ok(Self { current, keys, blind })
    }

    /// Reads the key file, or makes one (mode 600) when there is none and `create` is set.
    ///
    /// # Errors
    /// [`StoreError::Config`] when it can't be read or made.
    pub fn open(path: &Path, create: bool) -> Result<Self> {
        let fail = |what: String| StoreError::Config(format!("{}: {what}", path.display()));
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && create => {
                let text = Self::generate()?;
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder).map_err(|e| fail(e.to_string()))?;
                }
                write_private(path, &text).map_err(|e| fail(e.to_string()))?;
                Self::parse(&text)
            }
            Err(e) => Err(fail(e.to_string())),
        }
    }

    /// A new key file's text.
    ///
    /// # Errors
    /// When the machine gives no random bytes.
    pub fn generate() -> Result<String> {
        let mut text = String::from(
            "# Keys of sealed fields. Keep a copy apart from the database: without it the data can't be read.\n",
        );
        for id in ["k1", "blind"] {
            let mut bytes = Zeroizing::new([0_u8; 32]);
            rand::fill(&mut *bytes).map_err(|_| StoreError::Sealed("no random bytes"))?;
            text.push_str(&format!("{id} {}\n", B64.encode(*bytes)));
        }
        Ok(text)
    }

    /// Seals a value of a field (`person.name`) of a hospital.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] when the machine gives no random bytes.
    pub fn seal(&self, hospital: HospitalId, field: &'static str, value: &str) -> Result<Sealed> {
        let key = self.keys.get(&self.current).ok_or(StoreError::Sealed("no current key"))?;
        let mut nonce = [0_u8; NONCE_LEN];
        rand::fill(&mut nonce).map_err(|_| StoreError::Sealed("no random bytes"))?;
        let mut buffer = value.as_bytes().to_vec();
        let aad = Aad::from(format!("{hospital}|{field}"));
        key.aead
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut buffer)
            .map_err(|_| StoreError::Sealed("sealing failed"))?;
        let mut all = nonce.to_vec();
        all.append(&mut buffer);
        Ok(Sealed(format!("1:{}:{}", self.current, B64.encode(all))))
    }

    /// Opens a value. Whoever does answers for the purpose: it is told to the audit log with the record it belongs to.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] when the key is not at hand, or the value was changed or belongs to another field.
    pub fn open_sealed(
        &self,
        hospital: HospitalId,
        field: &'static str,
        sealed: &Sealed,
        _purpose: Purpose,
    ) -> Result<String> {
        let mut parts = sealed.0.splitn(3, ':');
        let (Some("1"), Some(id), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(StoreError::Sealed("unknown form"));
        };
        let key = self.keys.get(id).ok_or(StoreError::Sealed("its key is not in the key file"))?;
        let all = B64.decode(encoded).map_err(|_| StoreError::Sealed("not base64"))?;
        let (nonce, cipher) = all.split_at_checked(NONCE_LEN).ok_or(StoreError::Sealed("too short"))?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| StoreError::Sealed("nonce"))?;
        let mut buffer = cipher.to_vec();
        let plain = key
            .aead
            .open_in_place(nonce, Aad::from(format!("{hospital}|{field}")), &mut buffer)
            .map_err(|_| StoreError::Sealed("it does not open: changed, or of another field"))?;
        String::from_utf8(plain.to_vec()).map_err(|_| StoreError::Sealed("not text"))
    }

    /// The keyed hash by which a value is looked up without being readable: same hospital, field and value, same hash.
    /// The caller normalises the value.
    #[must_use]
    pub fn blind(&self, hospital: HospitalId, field: &'static str, value: &str) -> String {
        let tag = hmac::sign(&self.blind, format!("{hospital}|{field}|{value}").as_bytes());
        let (half, _) = tag.as_ref().split_at_checked(16).unwrap_or((tag.as_ref(), &[]));
        hex::encode(half)
    }
}

fn derive(secret: &[u8], info: &[u8]) -> Result<Zeroizing<[u8; 32]>> {
    let mut out = Zeroizing::new([0_u8; 32]);
    hkdf::Salt::new(hkdf::HKDF_SHA256, b"xinglin")
        .extract(secret)
        .expand(&[info], Length(32))
        .and_then(|okm| okm.fill(&mut *out))
        .map_err(|_| StoreError::Sealed("key derivation failed"))?;
    Ok(out)
}

#[cfg(unix)]
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(not(unix))]
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    std::fs::write(path, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const H: HospitalId = HospitalId(1);

    #[test]
    fn sealed_and_opened() {
        let vault = Vault::parse(&Vault::generate().unwrap()).unwrap();
        let sealed = vault.seal(H, "person.name", "张三丰").unwrap();
        assert_eq!(format!("{sealed:?}"), "***");
        assert_eq!(vault.open_sealed(H, "person.name", &sealed, Purpose::ShowOwner).unwrap(), "张三丰");
        assert!(vault.open_sealed(H, "person.phone", &sealed, Purpose::ShowOwner).is_err());
        assert!(vault.open_sealed(HospitalId(2), "person.name", &sealed, Purpose::ShowOwner).is_err());
        assert_ne!(vault.seal(H, "person.name", "张三丰").unwrap(), sealed);
    }

    #[test]
    fn rotation_keeps_old_values_and_look_ups() {
        let first = Vault::generate().unwrap();
        let old = Vault::parse(&first).unwrap();
        let sealed = old.seal(H, "person.phone", "13800000000").unwrap();
        let fresh =
            Vault::generate().unwrap().lines().find(|l| l.starts_with("k1")).unwrap().replace("k1", "k2");
        let new = Vault::parse(&format!("{fresh}\n{first}")).unwrap();
        assert_eq!(new.open_sealed(H, "person.phone", &sealed, Purpose::Maintain).unwrap(), "13800000000");
        assert_eq!(new.current, "k2");
        // The line that is called `blind` decides the look-up hash, wherever it stands.
        assert_eq!(old.blind(H, "person.phone", "1"), new.blind(H, "person.phone", "1"));
    }

    #[test]
    fn bad_key_files_name_the_line() {
        for (text, want) in
            [("", "no key"), ("k1", "line 1"), ("# c\nk1 xx!", "line 2"), ("k1 AAAA", "32 bytes")]
        {
            let error = Vault::parse(text).unwrap_err().to_string();
            assert!(error.contains(want), "{error}");
        }
    }

    #[test]
    fn one_changed_character_does_not_open() {
        let vault = Vault::parse(&Vault::generate().unwrap()).unwrap();
        let Sealed(text) = vault.seal(H, "f", "secret").unwrap();
        let changed = text.replace(text.chars().last().unwrap(), "A");
        if changed != text {
            assert!(vault.open_sealed(H, "f", &Sealed(changed), Purpose::Match).is_err());
        }
    }
}
