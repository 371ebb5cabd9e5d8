//! The sentences.

use std::sync::LazyLock;

use base::Lang;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use unic_langid::LanguageIdentifier;

pub(super) const ZH: &str = include_str!("../../locales/zh.ftl");
pub(super) const EN: &str = include_str!("../../locales/en.ftl");

type Bundle = FluentBundle<FluentResource>;

static CHINESE: LazyLock<Bundle> = LazyLock::new(|| read("zh-CN", ZH).0);
static ENGLISH: LazyLock<Bundle> = LazyLock::new(|| read("en-GB", EN).0);

/// The text behind `message` or `message.attribute`. A key that is not there gives an empty text and an error in the log;
/// a test keeps that from happening.
pub(crate) fn phrase(lang: Lang, key: &str, arguments: &[(&str, String)]) -> String {
    let bundle = match lang {
        Lang::Zh => &*CHINESE,
        Lang::En => &*ENGLISH,
    };
    let (id, attribute) = match key.split_once('.') {
        Some((id, attribute)) => (id, Some(attribute)),
        None => (key, None),
    };
    let message = bundle.get_message(id);
    let pattern = match attribute {
        Some(name) => message.and_then(|m| m.get_attribute(name)).map(|a| a.value()),
        None => message.and_then(|m| m.value()),
    };
    let Some(pattern) = pattern else {
        tracing::error!(key, lang = lang.code(), "a sentence is missing");
        return String::new();
    };
    let mut args = FluentArgs::new();
    for (name, value) in arguments {
        // Figures choose between variants (`[1] Jan`); everything else is text as it is.
        match value.parse::<u8>() {
            Ok(number) if *name == "month" => args.set(*name, number),
            _ => args.set(*name, value.as_str()),
        }
    }
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, Some(&args), &mut errors).into_owned();
    if !errors.is_empty() {
        tracing::error!(key, lang = lang.code(), ?errors, "a sentence could not be filled in");
    }
    text
}

/// Reads a file; the second part says what is wrong with it.
pub(super) fn read(lang: &str, text: &str) -> (Bundle, Vec<String>) {
    let mut wrong = Vec::new();
    let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(resource, errors)| {
        wrong.extend(errors.iter().map(ToString::to_string));
        resource
    });
    let mut bundle =
        FluentBundle::new_concurrent(vec![lang.parse::<LanguageIdentifier>().unwrap_or_default()]);
    // Marks for mixed directions have no place in an SMS.
    bundle.set_use_isolating(false);
    if let Err(errors) = bundle.add_resource(resource) {
        wrong.extend(errors.iter().map(ToString::to_string));
    }
    (bundle, wrong)
}
