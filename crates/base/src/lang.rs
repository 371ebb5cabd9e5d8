//! The two languages.

use serde::{Deserialize, Serialize};

/// A language that every patient text exists in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Simplified Chinese.
    #[default]
    Zh,
    /// English.
    En,
}

impl Lang {
    /// `zh` or `en`, as the database and the API write it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }

    /// Reads [`Self::code`].
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "zh" => Some(Self::Zh),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    /// The better of the two for an `Accept-Language` header; Chinese when it names neither.
    ///
    /// Quality values are honoured; a malformed part counts as not there.
    #[must_use]
    pub fn from_accept_language(header: &str) -> Self {
        let mut best = (0, Self::Zh);
        for part in header.split(',').take(20) {
            let mut pieces = part.split(';');
            let tag = pieces.next().unwrap_or("").trim().to_ascii_lowercase();
            let quality =
                pieces.find_map(|p| p.trim().strip_prefix("q=")).map_or(Some(1000), quality_per_mille);
            let lang = match tag.split('-').next() {
                Some("zh") => Self::Zh,
                Some("en") => Self::En,
                _ => continue,
            };
            if let Some(q) = quality
                && q > best.0
            {
                best = (q, lang);
            }
        }
        best.1
    }
}

/// `0.8` → 800; `None` when it is no quality value.
fn quality_per_mille(text: &str) -> Option<u32> {
    let (whole, rest) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    if rest.len() > 3 || !rest.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mille: u32 = format!("{rest:0<3}").parse().ok()?;
    match whole {
        "0" => Some(mille),
        "1" if mille == 0 => Some(1000),
        _ => None,
    }
}

/// A text that exists in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text2 {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Text2 {
    /// Both texts.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    /// The text in `lang`. There is no falling back: both exist.
    #[must_use]
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_decides() {
        for (header, want) in [
            ("", Lang::Zh),
            ("en-GB,en;q=0.9", Lang::En),
            ("fr,en;q=0.2,zh;q=0.1", Lang::En),
            ("en;q=0.5,zh-CN;q=0.9", Lang::Zh),
            ("en;q=x,zh;q=0.1", Lang::Zh),
            ("de", Lang::Zh),
            ("en;q=0", Lang::Zh),
        ] {
            assert_eq!(Lang::from_accept_language(header), want, "{header}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_header_panics(header in ".*") {
            let _ = Lang::from_accept_language(&header);
        }
    }
}
