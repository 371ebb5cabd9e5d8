//! The fields of a push, whichever format they came in.

use std::str::FromStr;

use aws_lc_rs::digest;
use serde_json::Value;

use crate::xml;

/// Named fields in the order they came; a name may stand more than once.
///
/// XML and JSON become the same: a JSON array is the same field several times, so the lists of the subscription events,
/// which are an object for one entry and an array for several, read alike. Numbers keep their digits as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, Field)>);

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// Text, number, or nothing.
    Text(String),
    /// Fields inside a field.
    Group(Fields),
}

impl Fields {
    pub(super) fn from_xml(element: xml::Element<'_>) -> Self {
        Self(
            element
                .children
                .into_iter()
                .map(|mut child| {
                    let name = std::mem::take(&mut child.name);
                    let field = if child.children.is_empty() {
                        Field::Text(child.text.into_owned())
                    } else {
                        Field::Group(Self::from_xml(child))
                    };
                    (name, field)
                })
                .collect(),
        )
    }

    /// Anything but an object has no fields.
    pub(super) fn from_json(value: Value) -> Self {
        let mut out = Self::default();
        if let Value::Object(members) = value {
            for (name, member) in members {
                out.push_json(name, member);
            }
        }
        out
    }

    fn push_json(&mut self, name: String, value: Value) {
        let field = match value {
            Value::Array(values) => {
                for value in values {
                    self.push_json(name.clone(), value);
                }
                return;
            }
            Value::Object(_) => Field::Group(Self::from_json(value)),
            Value::String(text) => Field::Text(text.replace('\0', "\u{fffd}")),
            Value::Null => Field::Text(String::new()),
            other => Field::Text(other.to_string()),
        };
        self.0.push((name, field));
    }

    /// The first field of this name.
    pub fn get(&self, name: &str) -> Option<&Field> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, field)| field)
    }

    /// The text of the first field of this name; empty when it is absent or a group.
    pub fn text(&self, name: &str) -> &str {
        match self.get(name) {
            Some(Field::Text(text)) => text,
            _ => "",
        }
    }

    /// The text when it is not empty: WeChat sends absent values as empty elements as often as it leaves them out.
    pub fn some_text(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// A whole number of the type asked for; `None` when absent or not one.
    pub fn number<T: FromStr>(&self, name: &str) -> Option<T> {
        self.text(name).trim().parse().ok()
    }

    /// A finite number of degrees or metres.
    pub(super) fn degrees(&self, name: &str) -> Option<f64> {
        self.number(name).filter(|number: &f64| number.is_finite())
    }

    /// The first group of this name.
    pub fn group(&self, name: &str) -> Option<&Self> {
        self.0.iter().find_map(|(key, field)| match field {
            Field::Group(group) if key == name => Some(group),
            _ => None,
        })
    }

    /// All groups of this name.
    pub fn groups<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.0.iter().filter_map(move |(key, field)| match field {
            Field::Group(group) if key == name => Some(group),
            _ => None,
        })
    }

    /// All fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Field)> {
        self.0.iter().map(|(name, field)| (name.as_str(), field))
    }
}

/// A hash of fields that does not depend on their order, for [`super::Push::dedup_key`]. Every text goes in with its length
/// in front, so that no two different lists of texts give the same bytes.
pub(super) struct Canonical(digest::Context);

impl Default for Canonical {
    fn default() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }
}

impl Canonical {
    pub(super) fn text(&mut self, text: &str) {
        self.0.update(text.len().to_string().as_bytes());
        self.0.update(b":");
        self.0.update(text.as_bytes());
    }

    /// Fields sorted by name (those of one name keep their order), without the names given.
    pub(super) fn fields(&mut self, fields: &Fields, without: &[&str]) {
        let mut sorted: Vec<_> = fields.iter().filter(|(name, _)| !without.contains(name)).collect();
        sorted.sort_by_key(|(name, _)| *name);
        for (name, field) in sorted {
            self.text(name);
            match field {
                Field::Text(text) => self.text(text),
                Field::Group(group) => {
                    self.0.update(b"(");
                    self.fields(group, &[]);
                    self.0.update(b")");
                }
            }
        }
    }

    pub(super) fn finish(self) -> String {
        hex::encode(self.0.finish())
    }
}
