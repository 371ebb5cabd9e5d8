//! Words into the fields of a WeChat template.

use base::Lang;
use wechat::api::field::{FieldError, fit_field};

use super::{Words, phrase};
use crate::model::Kind;

/// The value of the template's field `key` that is tied to the argument `name`.
///
/// What is empty, or does not suit this kind of field, becomes 无 or –: a reminder with a gap is better than none. A field
/// of time or amount can't be filled in like that.
///
/// # Errors
/// [`FieldError`] when nothing suits the field: the template is tied to the wrong argument.
pub(crate) fn fit(words: &Words, kind: Kind, key: &str, name: &str) -> Result<String, FieldError> {
    let first = match fit_field(key, words.get(name)) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    // `phrase` takes Chinese only, whatever the language of the message.
    let chinese = match name {
        "status" | "note" | "title" => phrase(Lang::Zh, &format!("{}.{name}", kind.code()), &[]),
        _ => String::new(),
    };
    let none = phrase(words.lang(), "none", &[]);
    for instead in [chinese.as_str(), none.as_str(), "无", "-"] {
        if let Ok(value) = fit_field(key, instead) {
            return Ok(value);
        }
    }
    Err(first)
}
