//! The sections of a hospital's settings: which there are, what each key means, and what may stand there.
//!
//! A capability hands in one [`Section`] for each struct that it reads with [`crate::Hospital::settings`]. Names, defaults and
//! what can be read come from the struct itself; only the meaning of each key is said beside it. [`keep`] changes them.

pub mod keep;

use base::{Field, Kind, Problem, Text2};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// A key of a section.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its name in the section.
    pub name: &'static str,
    /// What it means, for whoever sets it.
    pub meaning: Text2,
    /// A number is at least the first and at most the second.
    pub bounds: Option<(i64, i64)>,
}

/// A section of a hospital's settings.
#[derive(Debug, Clone)]
pub struct Section {
    /// Its name, as [`crate::Hospital::settings`] is asked for it.
    pub name: &'static str,
    /// What it is about.
    pub title: Text2,
    /// Its keys, in the order in which they are shown.
    pub keys: Vec<Key>,
    /// Every key with its default.
    pub defaults: Map<String, Value>,
    read: fn(&Value) -> Result<Value, String>,
}

impl Section {
    /// The section that is read as a `T`.
    #[must_use]
    pub fn of<T: Serialize + DeserializeOwned + Default>(name: &'static str, zh: &str, en: &str) -> Self {
        let defaults = match serde_json::to_value(T::default()) {
            Ok(Value::Object(map)) => map,
            _ => Map::new(),
        };
        let read = |value: &Value| {
            let read = T::deserialize(value).and_then(|section| serde_json::to_value(section));
            read.map_err(|error| error.to_string())
        };
        Self { name, title: Text2::new(zh, en), keys: Vec::new(), defaults, read }
    }

    /// Says what a key means.
    #[must_use]
    pub fn key(mut self, name: &'static str, zh: &str, en: &str) -> Self {
        self.keys.push(Key { name, meaning: Text2::new(zh, en), bounds: None });
        self
    }

    /// Says what a number means, and between which it must be.
    #[must_use]
    pub fn number(mut self, name: &'static str, bounds: (i64, i64), zh: &str, en: &str) -> Self {
        self.keys.push(Key { name, meaning: Text2::new(zh, en), bounds: Some(bounds) });
        self
    }

    /// Keys that the struct has and nobody has described, and described ones that it does not have. None, by test.
    #[must_use]
    pub fn undescribed(&self) -> Vec<String> {
        let described = |name: &str| self.keys.iter().any(|key| key.name == name);
        let missing = self.defaults.keys().filter(|name| !described(name)).cloned();
        let extra = self.keys.iter().filter(|key| !self.defaults.contains_key(key.name));
        missing.chain(extra.map(|key| key.name.to_owned())).collect()
    }

    /// What holds while this is stored: the program's own reading of it, the defaults when it can't read it.
    #[must_use]
    pub fn effective(&self, stored: &Map<String, Value>) -> Map<String, Value> {
        match (self.read)(&Value::Object(stored.clone())) {
            Ok(Value::Object(map)) => map,
            _ => self.defaults.clone(),
        }
    }

    /// All that is wrong with values of some of the keys.
    #[must_use]
    pub fn faults(&self, values: &Map<String, Value>) -> Vec<Field> {
        values.iter().filter_map(|(name, value)| self.fault(name, value)).collect()
    }

    fn fault(&self, name: &str, value: &Value) -> Option<Field> {
        let field = |code, zh: String, en: String| {
            Some(Field { field: name.to_owned(), code, detail: Text2::new(zh, en) })
        };
        let Some(key) = self.keys.iter().find(|key| key.name == name) else {
            return field("unknown", "没有这一项".into(), "there is no such key".into());
        };
        let mut alone = Map::new();
        alone.insert(name.to_owned(), value.clone());
        if let Err(why) = (self.read)(&Value::Object(alone)) {
            let like = self.defaults.get(name).cloned().unwrap_or_default();
            return field(
                "unreadable",
                format!("格式不对，应与默认值 {like} 的写法一致"),
                format!("can't be read; write it as the default is written, {like} ({why})"),
            );
        }
        let (least, most) = key.bounds?;
        let number = value.as_i64().unwrap_or(i64::MAX);
        if (least..=most).contains(&number) {
            return None;
        }
        field("out_of_range", format!("应在 {least} 到 {most} 之间"), format!("must be {least} to {most}"))
    }
}

/// Why a section was not changed.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// There is no such section, or no such change of it.
    #[error("there is no such section or change")]
    NotFound,
    /// Values that can't be.
    #[error("{} values can't be", .0.len())]
    Invalid(Vec<Field>),
    /// Somebody else has changed the section meanwhile.
    #[error("the section was changed meanwhile")]
    Changed,
    /// What the change set was set again since.
    #[error("{} was changed since", .0.join(", "))]
    ChangedSince(Vec<String>),
    /// The database.
    #[error(transparent)]
    Store(#[from] store::StoreError),
}

impl From<SettingsError> for Problem {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::NotFound => Self::not_found(),
            SettingsError::Invalid(fields) => {
                let say = |of: fn(&Field) -> &str, by: &str| {
                    fields.iter().map(|f| format!("{}: {}", f.field, of(f))).collect::<Vec<_>>().join(by)
                };
                let (zh, en) = (say(|f| &f.detail.zh, "；"), say(|f| &f.detail.en, "; "));
                let mut problem =
                    Self::new(Kind::Invalid, "settings_invalid", format!("{zh}。"), format!("{en}."));
                problem.fields = fields;
                problem
            }
            SettingsError::Changed => Self::new(
                Kind::Conflict,
                "settings_changed",
                "这组设置刚刚被别人改过，请看过最新内容后再改。",
                "Somebody has changed these settings meanwhile. Please look at them again first.",
            ),
            SettingsError::ChangedSince(keys) => Self::new(
                Kind::Conflict,
                "settings_changed_since",
                format!("{} 后来又改过，不能直接撤销，请手工修改。", keys.join("、")),
                format!(
                    "{} was changed again since, so this can't be taken back. Please set it by hand.",
                    keys.join(", ")
                ),
            ),
            SettingsError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use base::WallTime;
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Desk {
        places: u32,
        until: WallTime,
        names: Vec<String>,
    }

    impl Default for Desk {
        fn default() -> Self {
            Self { places: 3, until: WallTime::from_minutes(1020), names: Vec::new() }
        }
    }

    fn desk() -> Section {
        Section::of::<Desk>("desk", "柜台", "The desk")
            .number("places", (1, 9), "号数", "Places")
            .key("until", "截止", "Until when")
            .key("names", "名单", "Names")
    }

    fn codes(values: Value) -> Vec<(String, &'static str)> {
        let map = values.as_object().unwrap().clone();
        desk().faults(&map).into_iter().map(|f| (f.field, f.code)).collect()
    }

    #[test]
    fn keys_come_from_the_struct() {
        assert_eq!(Value::Object(desk().defaults), json!({"places": 3, "until": "17:00", "names": []}));
        assert_eq!(desk().undescribed(), Vec::<String>::new());
        let short = Section::of::<Desk>("desk", "柜台", "The desk").key("placez", "?", "?");
        assert_eq!(short.undescribed(), ["names", "places", "until", "placez"]);
        let stored = json!({"places": 4}).as_object().unwrap().clone();
        assert_eq!(desk().effective(&stored)["places"], 4);
        let unreadable = json!({"places": 4, "moon": 1}).as_object().unwrap().clone();
        assert_eq!(desk().effective(&unreadable)["places"], 3);
    }

    #[test]
    fn what_is_wrong_is_named_by_key() {
        assert_eq!(codes(json!({"places": 9, "until": "08:00", "names": ["a"]})), []);
        assert_eq!(codes(json!({"places": 10})), [("places".to_owned(), "out_of_range")]);
        assert_eq!(
            codes(json!({"names": "a", "places": "3", "until": "25:00", "x": 1})),
            [("names", "unreadable"), ("places", "unreadable"), ("until", "unreadable"), ("x", "unknown")]
                .map(|(name, code)| (name.to_owned(), code))
        );
    }
}
