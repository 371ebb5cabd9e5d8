//! The envelope: SM4 for the content, SM2 with SM3 for the signature. Everything that provinces do differently is a setting.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::crypto::CryptoError;
use crate::crypto::sm::{SignatureForm, Sm2PublicKey, Sm2Signer, Sm4Mode, pack, sm4_open, sm4_seal};
use crate::{Secret, Verified};

/// How members are ordered in the text to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SortRule {
    /// By the bytes of their names.
    #[default]
    Bytes,
    /// Without regard to case.
    IgnoreCase,
}

/// How bytes become text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Base64.
    #[default]
    Base64,
    /// Hex in upper case.
    Hex,
}

/// Where the SM4 key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sm4Key {
    /// SM4-ECB of the secret under the first 16 bytes of the app id, as upper-case hex, first 16 characters.
    #[default]
    Derived,
    /// The first 16 bytes of the secret itself.
    Secret,
}

/// One province's dialect and this hospital's credentials in it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Province {
    /// Our app id there.
    pub app_id: String,
    /// Our secret there.
    pub app_secret: Secret,
    /// The envelope's version, `1.0.0`.
    pub version: String,
    /// Order of members in the text to sign.
    #[serde(default)]
    pub sort: SortRule,
    /// Encoding of the sealed content.
    #[serde(default)]
    pub sealed_as: Encoding,
    /// Encoding of the signature.
    #[serde(default)]
    pub signed_as: Encoding,
    /// Packing of the signature.
    #[serde(default)]
    pub signature: SignatureForm,
    /// Origin of the SM4 key.
    #[serde(default)]
    pub sm4_key: Sm4Key,
    /// Paths that differ from the ones seen most, by message number (`6201`).
    #[serde(default)]
    pub paths: std::collections::BTreeMap<String, String>,
}

/// Why an envelope was not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// No JSON object, or a member is missing.
    #[error("envelope: {0}")]
    Form(&'static str),
    /// Another app's.
    #[error("another app's envelope")]
    OtherApp,
    /// Signature or seal.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

impl Encoding {
    fn write(self, bytes: &[u8]) -> String {
        match self {
            Self::Base64 => STANDARD.encode(bytes),
            Self::Hex => hex::encode_upper(bytes),
        }
    }

    fn read(self, text: &str) -> Result<Vec<u8>, CryptoError> {
        match self {
            Self::Base64 => STANDARD.decode(text).map_err(|_| CryptoError::Seal),
            Self::Hex => hex::decode(text).map_err(|_| CryptoError::Seal),
        }
    }
}

impl Province {
    fn key(&self) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        const SHORT: CryptoError = CryptoError::Key("app id and secret need 16 bytes for an SM4 key");
        let sixteen = |bytes: &[u8]| bytes.get(..16).map(|key| Zeroizing::new(key.to_vec())).ok_or(SHORT);
        match self.sm4_key {
            Sm4Key::Secret => sixteen(self.app_secret.reveal().as_bytes()),
            Sm4Key::Derived => {
                let under = sixteen(self.app_id.as_bytes())?;
                let sealed = sm4_seal(&under, Sm4Mode::Ecb, self.app_secret.reveal().as_bytes())?;
                sixteen(hex::encode_upper(sealed).as_bytes())
            }
        }
    }

    /// The text under the signature: members sorted, `k=v` joined by `&`, without `signData`, `encData`, `extra` and empty
    /// ones, and the secret at the end.
    fn text(&self, members: &Map<String, Value>) -> Zeroizing<String> {
        let mut pairs: Vec<(&String, String)> = members
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "signData" | "encData" | "extra"))
            .filter_map(|(name, value)| {
                let text = match value {
                    Value::Null => return None,
                    Value::String(text) if text.is_empty() => return None,
                    Value::String(text) => text.clone(),
                    // Objects are written compactly with sorted names: serde_json's map is sorted.
                    other => other.to_string(),
                };
                Some((name, text))
            })
            .collect();
        pairs.sort_by(|(a, _), (b, _)| match self.sort {
            SortRule::Bytes => a.cmp(b),
            SortRule::IgnoreCase => a.to_lowercase().cmp(&b.to_lowercase()),
        });
        let mut text: String = pairs.iter().map(|(name, value)| format!("{name}={value}&")).collect();
        text.push_str("key=");
        text.push_str(self.app_secret.reveal());
        Zeroizing::new(text)
    }
}

/// Seals and signs `data`. `more` are members beside it (an answer's `code` and `message`).
///
/// # Errors
/// [`CryptoError`].
pub fn seal(
    province: &Province,
    signer: &dyn Sm2Signer,
    data: &Value,
    more: &[(&str, Value)],
    timestamp_ms: i64,
) -> Result<Value, CryptoError> {
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| {
        members.insert(name.to_owned(), value);
    };
    put("appId", province.app_id.as_str().into());
    put("version", province.version.as_str().into());
    put("timestamp", timestamp_ms.to_string().into());
    put("encType", "SM4".into());
    put("signType", "SM2".into());
    put("data", data.clone());
    for (name, value) in more {
        put(name, value.clone());
    }
    let signature = pack(&signer.sign(province.text(&members).as_bytes())?, province.signature)?;
    let plain = Zeroizing::new(data.to_string());
    let sealed = sm4_seal(&province.key()?, Sm4Mode::Ecb, plain.as_bytes())?;
    members.insert("signData".into(), province.signed_as.write(&signature).into());
    members.insert("encData".into(), province.sealed_as.write(&sealed).into());
    members.remove("data");
    Ok(Value::Object(members))
}

/// Opens an envelope: unseals the content, puts it back in its place, and checks the signature over all. Gives the members
/// with `data` in clear.
///
/// # Errors
/// [`EnvelopeError`].
pub fn open(
    province: &Province,
    key: &Sm2PublicKey,
    body: &[u8],
) -> Result<Verified<Map<String, Value>>, EnvelopeError> {
    let mut members: Map<String, Value> =
        serde_json::from_slice(body).map_err(|_| EnvelopeError::Form("not a JSON object"))?;
    let text = |name: &str| members.get(name).and_then(Value::as_str).map(str::to_owned);
    if text("appId").as_deref() != Some(province.app_id.as_str()) {
        return Err(EnvelopeError::OtherApp);
    }
    let signature = text("signData").ok_or(EnvelopeError::Form("not signed"))?;
    let sealed = text("encData").ok_or(EnvelopeError::Form("not sealed"))?;
    let plain = sm4_open(&province.key()?, Sm4Mode::Ecb, &province.sealed_as.read(&sealed)?)?;
    let data: Value =
        serde_json::from_slice(&plain).map_err(|_| EnvelopeError::Form("the content is not JSON"))?;
    members.insert("data".into(), data);
    let signature = province.signed_as.read(&signature).map_err(|_| CryptoError::Signature)?;
    key.verify(province.text(&members).as_bytes(), &signature, province.signature)?;
    Ok(Verified::seal(members, "insurance bureau"))
}

/// Opens a result that the bureau pushes to us. It has the content of 6301; ask 6301 all the same.
///
/// # Errors
/// [`EnvelopeError`].
pub fn judge_push(
    province: &Province,
    key: &Sm2PublicKey,
    body: &[u8],
) -> Result<Verified<super::OrderState>, EnvelopeError> {
    let opened = open(province, key, body)?;
    let data = opened.get("data").cloned().unwrap_or_default();
    let state = serde_json::from_value(data).map_err(|_| EnvelopeError::Form("not a settlement"))?;
    Ok(opened.map(|_| state))
}
