//! The text under a request, and how parameters travel.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*');

/// The text to sign: every parameter that is not empty, `sign_type` too and `sign` not, sorted by name, values as they are.
#[must_use]
pub fn content(params: &BTreeMap<String, String>) -> String {
    let pairs = params.iter().filter(|(name, value)| name.as_str() != "sign" && !value.is_empty());
    pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Parameters as a form or query.
#[must_use]
pub fn encode<'a>(params: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let one = |text: &str| utf8_percent_encode(text, FORM).to_string().replace("%20", "+");
    params.map(|(name, value)| format!("{}={}", one(name), one(value))).collect::<Vec<_>>().join("&")
}
