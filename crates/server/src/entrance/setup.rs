//! Entering an account: the file that an administrator fills in (`xinglin wechat set account.toml`).
//!
//! The same file may be read any number of times; what changed in it is changed. Its secrets are sealed in the database, so
//! it can be deleted afterwards. The commented example is [`EXAMPLE`]; it is also the documentation.

use std::collections::BTreeMap;

use ::store::{Db, StoreError, Vault};
use base::Secret;
use edge::Hospitals;
use people::ChannelAccountId;
use people::channel::{CallbackFormat, CallbackMode, ChannelKind, Hosts, NewChannel, add_channel};
use serde::Deserialize;

/// An example with the meaning of each key.
pub const EXAMPLE: &str = include_str!("account.example.toml");

/// One account, as it is written down.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountFile {
    hospital: Option<String>,
    name: String,
    kind: ChannelKind,
    app_id: String,
    app_secret: Secret,
    original_id: String,
    token: Secret,
    aes_key: Option<Secret>,
    aes_key_previous: Option<Secret>,
    #[serde(default = "safe")]
    mode: CallbackMode,
    #[serde(default = "xml")]
    format: CallbackFormat,
    #[serde(default)]
    verify_files: BTreeMap<String, String>,
    hosts: Option<Hosts>,
    js_sdk_url: Option<String>,
}

fn safe() -> CallbackMode {
    CallbackMode::Safe
}

fn xml() -> CallbackFormat {
    CallbackFormat::Xml
}

/// Why an account could not be entered. It reads as one line that an administrator can act on.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The file can't be read; line and key are named, values are not.
    #[error("{0}")]
    File(String),
    /// The database, or a value that it would not take.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Enters the account that `text` describes, or changes it. Running servers notice within seconds.
///
/// # Errors
/// [`SetupError`] says what is wrong with it.
pub async fn set_up(
    db: &Db,
    vault: &Vault,
    hospitals: &Hospitals,
    text: &str,
) -> Result<ChannelAccountId, SetupError> {
    let file: AccountFile = toml::from_str(text).map_err(|error| SetupError::File(in_line(text, &error)))?;
    let all = hospitals.all();
    let hospital = match (&file.hospital, all.as_slice()) {
        (Some(code), _) => all
            .iter()
            .find(|hospital| hospital.code == *code)
            .ok_or_else(|| SetupError::File(format!("hospital: there is none with the code `{code}`")))?,
        (None, [only]) => only,
        (None, []) => return Err(SetupError::File("there is no hospital yet".into())),
        (None, _) => return Err(SetupError::File("hospital: there are several, so say which".into())),
    };
    let new = NewChannel {
        hospital: hospital.id,
        name: file.name,
        kind: file.kind,
        app_id: file.app_id,
        original_id: file.original_id,
        secret: file.app_secret,
        token: file.token,
        aes_key: file.aes_key,
        aes_key_previous: file.aes_key_previous,
        mode: file.mode,
        format: file.format,
        hosts: file.hosts,
        js_sdk_url: file.js_sdk_url,
        verify_files: file.verify_files,
    };
    let mut tx = db.begin().await?;
    let id = add_channel(&mut tx, vault, &new).await?;
    tx.commit().await?;
    Ok(id)
}

/// Line and key of a mistake; the line itself may hold a secret.
fn in_line(text: &str, error: &toml::de::Error) -> String {
    let what = error.message().lines().next().unwrap_or_default();
    match error.span() {
        None => what.to_owned(),
        Some(span) => {
            let number = text.bytes().take(span.start).filter(|byte| *byte == b'\n').count();
            let key =
                text.lines().nth(number).and_then(|line| line.split_once('=')).map(|(key, _)| key.trim());
            match key {
                Some(key) => format!("line {}: {key}: {what}", number + 1),
                None => format!("line {}: {what}", number + 1),
            }
        }
    }
}
