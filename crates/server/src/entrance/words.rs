//! What somebody means by a word in the chat.
//!
//! A short message is taken by the words in it ("我要挂号", "how do I book?"); in a long one a word proves nothing ("上次在你们
//! 医院挂号以后…"), so it gets the general answer, which has all the links.

use base::Lang;

use super::rules::Topic;

/// A message is short up to so many characters without Latin letters in it …
const SHORT: usize = 12;
/// … or so many words.
const FEW_WORDS: usize = 7;

/// What is meant, when the whole message is one of these.
const WHOLE: &[(Topic, &[&str])] = &[
    (
        Topic::Language(Lang::Zh),
        &["中文", "汉语", "漢語", "普通话", "简体", "简体中文", "繁體中文", "chinese", "zh"],
    ),
    (Topic::Language(Lang::En), &["english", "en", "英文", "英语", "英語"]),
    (Topic::Help, &["帮助", "幫助", "说明", "使用说明", "help"]),
    (Topic::Book, &["book", "挂号", "掛號", "预约", "預約"]),
    (Topic::Mine, &["我的", "me", "my", "mine"]),
];

/// What is meant, when one of these stands in a short message; the first row that fits. "取消预约" is about one's own
/// appointment, not about a new one.
const INSIDE: &[(Topic, &[&str])] = &[
    (Topic::Mine, &["取消", "退号", "退號", "改约", "改約", "改期", "我的", "就诊人", "就診人"]),
    (
        Topic::Book,
        &[
            "挂号",
            "掛號",
            "预约",
            "預約",
            "约号",
            "約號",
            "号源",
            "號源",
            "看病",
            "看医生",
            "看醫生",
            "排班",
            "出诊",
        ],
    ),
    (Topic::Help, &["帮助", "幫助", "怎么用", "怎麼用", "说明"]),
];

/// The same for English words.
const ENGLISH: &[(Topic, &[&str])] = &[
    (Topic::Mine, &["cancel", "reschedule", "my", "mine"]),
    (Topic::Book, &["book", "booking", "appointment", "appointments", "register", "registration", "doctor"]),
    (Topic::Language(Lang::En), &["english"]),
    (Topic::Language(Lang::Zh), &["chinese"]),
    (Topic::Help, &["help"]),
];

/// What somebody means who writes `text`. Case, width, spaces and punctuation do not count.
#[must_use]
pub fn topic(text: &str) -> Topic {
    let plain = normal(text);
    let whole: String = plain.split_whitespace().collect();
    let of = |table: &[(Topic, &[&str])], fits: &dyn Fn(&str) -> bool| {
        table.iter().find(|(_, words)| words.iter().any(|word| fits(word))).map(|(topic, _)| *topic)
    };
    if whole.is_empty() {
        // A lone question mark is a call for help, even when punctuation does not count.
        return if text.contains(['?', '？']) { Topic::Help } else { Topic::General };
    }
    if let Some(topic) = of(WHOLE, &|word| word == whole) {
        return topic;
    }
    let words: Vec<&str> =
        plain.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let is_english = whole.is_ascii();
    if is_english && words.len() <= FEW_WORDS {
        return of(ENGLISH, &|word| words.contains(&word)).unwrap_or(Topic::General);
    }
    if !is_english && whole.chars().count() <= SHORT {
        return of(INSIDE, &|word| whole.contains(word))
            .or_else(|| of(ENGLISH, &|word| words.contains(&word)))
            .unwrap_or(Topic::General);
    }
    Topic::General
}

/// Lower case, narrow forms, and a space for everything that is no letter or digit.
fn normal(text: &str) -> String {
    // Nobody's word is longer; a text of 2,048 bytes is WeChat's own limit.
    text.chars()
        .take(300)
        .map(narrow)
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect()
}

/// The ASCII twin of a full-width form, which Chinese keyboards give.
fn narrow(c: char) -> char {
    match u32::from(c) {
        code @ 0xff01..=0xff5e => char::from_u32(code - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_understood_however_they_are_written() {
        for (topic_wanted, texts) in [
            (
                Topic::Book,
                &[
                    "挂号",
                    " 挂号。",
                    "【挂号】",
                    "預約",
                    "掛號！",
                    "预约挂号",
                    "我要挂号",
                    "怎么预约？",
                    "book",
                    "Book",
                    "ＢＯＯＫ！",
                    "book.",
                    "how do I book?",
                    "make an appointment",
                    "我想book一个医生",
                    "看病",
                ][..],
            ),
            (
                Topic::Mine,
                &[
                    "我的",
                    "我的预约",
                    "取消预约",
                    "退号",
                    "我要改约",
                    "mine",
                    "MINE",
                    "My appointments",
                    "cancel my appointment",
                    "me",
                    "就诊人",
                ],
            ),
            (
                Topic::Help,
                &["帮助", "幫助", "help", "Help!", "?", "？", "??", "使用说明", "help me", "这个怎么用"],
            ),
            (Topic::Language(Lang::Zh), &["中文", "中文。", "Chinese", "简体中文", "in Chinese please"]),
            (
                Topic::Language(Lang::En),
                &["English", "ｅｎｇｌｉｓｈ", "英文", "english please", "EN", "Do you speak English?"],
            ),
            (
                Topic::General,
                &[
                    "",
                    "   ",
                    "。。。",
                    "你好",
                    "hello",
                    "12345",
                    "😀",
                    "facebook",
                    "上次在你们医院挂号以后等了很久，想问一下是怎么回事",
                    "I have been waiting for a very long time to book anything here",
                    "mystery",
                    "helpless",
                ],
            ),
        ] {
            for text in texts {
                assert_eq!(topic(text), topic_wanted, "{text}");
            }
        }
    }
}
