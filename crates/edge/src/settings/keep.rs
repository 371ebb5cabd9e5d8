//! Changing a section, its history, and taking a change back.
//!
//! What is stored of a section are the keys that somebody has set; the others have their defaults. A change names the version
//! that its author has seen, so that nobody overwrites what they do not know of.

use std::collections::BTreeMap;

use base::{HospitalId, UnixMs};
use serde_json::{Map, Value, json};
use store::value::{FromRow, Row};
use store::{Db, Result, StoreError, Tx, args};

use super::{Section, SettingsError};
use crate::actor::Caller;

store::typed_id! {
    /// A change of a section.
    SettingChangeId = "set";
}

store::statements! {
    READ = "SELECT value, version, changed_by, changed_at FROM setting WHERE hospital_id = $1 AND section = $2";
    ADD = "INSERT INTO setting (hospital_id, section, value, version, changed_by, changed_at) VALUES ($1, $2, $3, 1, $4, $5) ON CONFLICT DO NOTHING";
    WRITE = "UPDATE setting SET value = $3, version = version + 1, changed_by = $4, changed_at = $5
             WHERE hospital_id = $1 AND section = $2 AND version = $6";
    LOG = "INSERT INTO setting_change (hospital_id, id, section, before, after, undoes, changed_by, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
           ON CONFLICT DO NOTHING";
    CHANGES = "SELECT id, section, before, after, undoes, changed_by, changed_at FROM setting_change
               WHERE hospital_id = $1 AND section = $2 ORDER BY changed_at DESC, id DESC LIMIT $3";
    CHANGE = "SELECT id, section, before, after, undoes, changed_by, changed_at FROM setting_change WHERE hospital_id = $1 AND id = $2";
}

/// A section as it is stored.
#[derive(Debug, Clone, Default)]
pub struct Stored {
    /// The keys that were set.
    pub values: Map<String, Value>,
    /// Goes up with every change; 0 when nothing was ever set.
    pub version: i64,
    /// Who set it last, and when.
    pub by: Option<(String, UnixMs)>,
}

/// A change of a section.
#[derive(Debug, Clone)]
pub struct Change {
    /// Its id.
    pub id: SettingChangeId,
    /// In which section.
    pub section: String,
    /// What was stored before …
    pub before: Map<String, Value>,
    /// … and after.
    pub after: Map<String, Value>,
    /// It took this one back.
    pub undoes: Option<SettingChangeId>,
    /// Who: `stf_…`, `system`.
    pub by: String,
    /// When.
    pub at: UnixMs,
}

impl Change {
    /// The keys that it changed, each with what stood there before and after; `None` is the default.
    #[must_use]
    pub fn keys(&self) -> BTreeMap<&str, (Option<&Value>, Option<&Value>)> {
        let names = self.before.keys().chain(self.after.keys()).map(String::as_str);
        names
            .map(|name| (name, (self.before.get(name), self.after.get(name))))
            .filter(|(_, (before, after))| before != after)
            .collect()
    }
}

fn object(text: &str) -> Map<String, Value> {
    // What was never an object (a hand in the database) counts as nothing set, as for those who read it.
    serde_json::from_str(text).unwrap_or_default()
}

impl FromRow for Stored {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            values: object(&row.get::<String>("value")?),
            version: row.get("version")?,
            by: Some((row.get("changed_by")?, row.get("changed_at")?)),
        })
    }
}

impl FromRow for Change {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            section: row.get("section")?,
            before: object(&row.get::<Option<String>>("before")?.unwrap_or_default()),
            after: object(&row.get::<String>("after")?),
            undoes: row.get("undoes")?,
            by: row.get("changed_by")?,
            at: row.get("changed_at")?,
        })
    }
}

/// What is stored of a section.
///
/// # Errors
/// Any [`StoreError`].
pub async fn stored(db: &Db, hospital: HospitalId, section: &str) -> Result<Stored> {
    Ok(db.opt(READ, args![hospital, section]).await?.unwrap_or_default())
}

/// The latest changes of a section, newest first.
///
/// # Errors
/// Any [`StoreError`].
pub async fn changes(db: &Db, hospital: HospitalId, section: &str, most: i64) -> Result<Vec<Change>> {
    db.all(CHANGES, args![hospital, section, most]).await
}

/// Who writes, and what is to be known of it.
struct Author<'a> {
    hospital: HospitalId,
    by: &'a str,
    undoes: Option<SettingChangeId>,
}

/// Writes a section over the version that was read; `None` when another was faster.
async fn write(
    tx: &mut Tx,
    who: &Author<'_>,
    section: &str,
    before: &Stored,
    after: &Map<String, Value>,
) -> Result<Option<SettingChangeId>> {
    let (now, id) = (tx.now(), SettingChangeId::new());
    let text = serde_json::to_string(after).map_err(|e| StoreError::Config(e.to_string()))?;
    let written = if before.version == 0 {
        tx.exec(ADD, args![who.hospital, section, &text, who.by, now]).await?
    } else {
        tx.exec(WRITE, args![who.hospital, section, &text, who.by, now, before.version]).await?
    };
    if written == 0 {
        return Ok(None);
    }
    let old = (before.version > 0).then(|| Value::Object(before.values.clone()).to_string());
    let values = args![who.hospital, id, section, old, text, who.undoes, who.by, now];
    Ok((tx.exec(LOG, values).await? == 1).then_some(id))
}

/// Sets a whole section from within the program, over whatever stands there.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) async fn put(
    tx: &mut Tx,
    hospital: HospitalId,
    section: &str,
    value: &Value,
    by: &str,
) -> Result<()> {
    let before: Stored = tx.opt(READ, args![hospital, section]).await?.unwrap_or_default();
    let after = value.as_object().cloned().unwrap_or_default();
    match write(tx, &Author { hospital, by, undoes: None }, section, &before, &after).await? {
        Some(_) => Ok(()),
        None => Err(StoreError::Config(format!("{section} is being changed by somebody else"))),
    }
}

/// Changes some keys of a section; `null` gives a key its default back. Gives the change, or `None` when everything was so
/// already.
///
/// # Errors
/// [`SettingsError::Invalid`]; [`SettingsError::Changed`] when the section is not at version `seen` any more.
pub async fn change(
    tx: &mut Tx,
    caller: &Caller,
    section: &Section,
    values: &Map<String, Value>,
    seen: i64,
) -> std::result::Result<Option<SettingChangeId>, SettingsError> {
    let known = |name: &str| section.keys.iter().any(|key| key.name == name);
    let set: Map<String, Value> = values
        .iter()
        .filter(|(name, value)| !value.is_null() || !known(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let faults = section.faults(&set);
    if !faults.is_empty() {
        return Err(SettingsError::Invalid(faults));
    }
    let hospital = caller.hospital.id;
    let before: Stored = tx.opt(READ, args![hospital, section.name]).await?.unwrap_or_default();
    if before.version != seen {
        return Err(SettingsError::Changed);
    }
    let mut after = before.values.clone();
    for (name, value) in values {
        match value {
            Value::Null => drop(after.remove(name)),
            value => drop(after.insert(name.clone(), value.clone())),
        }
    }
    if after == before.values {
        return Ok(None);
    }
    commit(tx, caller, section, &before, &after, None).await.map(Some)
}

async fn commit(
    tx: &mut Tx,
    caller: &Caller,
    section: &Section,
    before: &Stored,
    after: &Map<String, Value>,
    undoes: Option<SettingChangeId>,
) -> std::result::Result<SettingChangeId, SettingsError> {
    let by = caller.actor.to_string();
    let who = Author { hospital: caller.hospital.id, by: &by, undoes };
    let id = write(tx, &who, section.name, before, after).await?.ok_or(SettingsError::Changed)?;
    let detail = json!({"change": id, "before": before.values, "after": after, "undoes": undoes});
    tx.audit(caller.audit("settings.change", format!("settings:{}", section.name), detail)).await?;
    Ok(id)
}

/// Takes a change back: its keys stand as they did before it, the others stay.
///
/// # Errors
/// [`SettingsError::NotFound`]; [`SettingsError::ChangedSince`] when one of its keys was changed again;
/// [`SettingsError::Changed`] when somebody else was faster.
pub async fn undo(
    tx: &mut Tx,
    caller: &Caller,
    section: &Section,
    id: SettingChangeId,
) -> std::result::Result<SettingChangeId, SettingsError> {
    let hospital = caller.hospital.id;
    let done: Option<Change> = tx.opt(CHANGE, args![hospital, id]).await?;
    let done = done.filter(|change| change.section == section.name).ok_or(SettingsError::NotFound)?;
    let before: Stored = tx.opt(READ, args![hospital, section.name]).await?.unwrap_or_default();
    let keys = done.keys();
    let since: Vec<String> = keys
        .iter()
        .filter(|(name, (_, after))| before.values.get(**name) != *after)
        .map(|(name, _)| (*name).to_owned())
        .collect();
    if !since.is_empty() || keys.is_empty() {
        return Err(SettingsError::ChangedSince(since));
    }
    let mut after = before.values.clone();
    for (name, (was, _)) in keys {
        match was {
            Some(value) => drop(after.insert(name.to_owned(), value.clone())),
            None => drop(after.remove(name)),
        }
    }
    commit(tx, caller, section, &before, &after, Some(id)).await
}
