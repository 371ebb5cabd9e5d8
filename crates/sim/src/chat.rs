//! What stands on a phone: bubbles and cards in a chat, notices.

use serde::{Deserialize, Serialize};

/// One entry of a chat. `id` is given when it is filed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ChatItem {
    pub(crate) id: u64,
    pub(crate) at_ms: i64,
    /// `me`, `account` or `system`.
    pub(crate) from: String,
    /// `text`, `news`, `image`, `voice`, `video`, `music`, `menu`, `miniprogram`, `template`, `error`, `transfer`.
    pub(crate) kind: String,
    /// `passive`, `custom` or `template`; empty for what the person did.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) via: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) text: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) title: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) url: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) image: String,
    /// The lines of a template card, or the choices of a menu.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) lines: Vec<Line>,
    /// Under the lines of a menu.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) tail: String,
}

/// A labelled line: of a template card, or a choice of a menu (label = its id).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) label: String,
    pub(crate) value: String,
}

impl ChatItem {
    pub(crate) fn new(from: &str, kind: &str, now: i64) -> Self {
        Self { at_ms: now, from: from.into(), kind: kind.into(), ..Self::default() }
    }

    pub(crate) fn text(from: &str, text: impl Into<String>, now: i64) -> Self {
        Self { text: text.into(), ..Self::new(from, "text", now) }
    }

    /// One line that says what the entry is, for notices and the list of chats.
    pub(crate) fn summary(&self) -> String {
        let lines: Vec<&str> = self.lines.iter().map(|line| line.value.as_str()).collect();
        let parts = [self.title.as_str(), self.text.as_str(), &lines.join(" · ")];
        parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" ")
    }
}

/// A notice on the lock screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notice {
    pub(crate) id: u64,
    pub(crate) at_ms: i64,
    /// `template`, `custom`, `passive` or `sms`.
    pub(crate) kind: String,
    /// The account's appid, or empty for SMS.
    pub(crate) account: String,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) url: String,
}
