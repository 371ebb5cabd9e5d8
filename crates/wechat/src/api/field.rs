//! The rules for the fields of category templates, by the prefix of their key. WeChat refuses a message whose field breaks
//! its rule (47003), and a refused reminder is a missed visit: so values are fitted before they are queued.

use std::fmt::Write as _;

/// Why a value cannot go into a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// Nothing is left to show. WeChat may refuse empty values: send 无, or –, as suits the field.
    #[error("empty")]
    Empty,
    /// Longer than allowed, and shortening would make it another value (an order number, an amount).
    #[error("longer than {max}")]
    TooLong {
        /// How many characters, or digits, may be.
        max: usize,
    },
    /// Characters that this kind of field does not take.
    #[error("characters that this field does not take")]
    Characters,
    /// Not the form of a time, date or amount.
    #[error("not in the form of this field")]
    Form,
}

/// Fits a value into the field `key` of a category template (`thing1`, `time2`, …) or an old one (`keyword1`).
///
/// Emoji and control characters are taken out, line breaks become spaces: no field takes them. Free text (`thing`, names, old
/// templates' fields) is shortened; what would become another value by that is refused. Lengths count UTF-16 units, which is the
/// strictest way WeChat may count: a rare character outside the basic plane counts two.
///
/// # Errors
/// [`FieldError`]; the value was not changed into something untrue.
pub fn fit_field(key: &str, value: &str) -> Result<String, FieldError> {
    let value = clean(value);
    if value.is_empty() {
        return Err(FieldError::Empty);
    }
    match key.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "character_string" => {
            let value = narrow(&value);
            at_most(32, &value)?;
            all(&value, |c| c.is_ascii_graphic() || c == ' ')
        }
        "number" => {
            let value = narrow(&value);
            let digits = value.chars().filter(char::is_ascii_digit).count();
            if digits > 32 {
                return Err(FieldError::TooLong { max: 32 });
            }
            decimal(&value).then_some(value).ok_or(FieldError::Characters)
        }
        "letter" => {
            at_most(32, &value)?;
            all(&narrow(&value), |c| c.is_ascii_alphabetic())
        }
        "symbol" => {
            at_most(5, &value)?;
            all(&value, |c| !c.is_alphanumeric())
        }
        "phone_number" => {
            let value = narrow(&value);
            at_most(17, &value)?;
            all(&value, |c| c.is_ascii_digit() || (c.is_ascii_punctuation() || c == ' '))
        }
        "car_number" => {
            let value = narrow(&value);
            at_most(8, &value)?;
            all(&value, |c| c.is_ascii_alphanumeric() || is_han(c))
        }
        "phrase" => {
            at_most(5, &value)?;
            all(&value, is_han)
        }
        // One of the values that were approved with the template; which ones, only the platform knows.
        "const" | "enum" => at_most(20, &value).map(|()| value),
        "name" => name(&value),
        "amount" => amount(&narrow(&value)),
        "time" => times(&value, clock_or_moment),
        "date" => times(&value, date_or_moment),
        // `thing`, and the fields of old templates (`first`, `keyword1`, `remark` and free names), which are cut at 20 as well.
        _ => Ok(shorten(&value, 20)),
    }
}

/// Cuts a text to `max` UTF-16 units with an ellipsis at its end, never inside a character.
pub fn shorten(value: &str, max: usize) -> String {
    if units(value) <= max {
        return value.to_owned();
    }
    let mut out = cut(value, max.saturating_sub(1)).trim_end().to_owned();
    out.push('…');
    out
}

fn cut(value: &str, max: usize) -> &str {
    let mut used = 0;
    for (at, c) in value.char_indices() {
        used += c.len_utf16();
        if used > max {
            return value.get(..at).unwrap_or_default();
        }
    }
    value
}

fn units(value: &str) -> usize {
    value.chars().map(char::len_utf16).sum()
}

fn at_most(max: usize, value: &str) -> Result<(), FieldError> {
    if units(value) > max { Err(FieldError::TooLong { max }) } else { Ok(()) }
}

fn all(value: &str, allowed: impl Fn(char) -> bool) -> Result<String, FieldError> {
    if value.chars().all(allowed) { Ok(value.to_owned()) } else { Err(FieldError::Characters) }
}

/// Without emoji and control characters; white space, line breaks too, is one space each.
fn clean(value: &str) -> String {
    let kept: String = value
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control() && !is_emoji(*c))
        .collect();
    kept.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Full-width letters, digits and signs, which a Chinese keyboard gives, as their ASCII twins.
fn narrow(value: &str) -> String {
    value
        .chars()
        .map(|c| match u32::from(c) {
            code @ 0xff01..=0xff5e => char::from_u32(code - 0xfee0).unwrap_or(c),
            _ => c,
        })
        .collect()
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3007}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

/// Pictographs, and what joins, colours and tags them.
fn is_emoji(c: char) -> bool {
    matches!(
        c,
        '\u{200b}'..='\u{200f}'
            | '\u{20e3}'
            | '\u{2600}'..='\u{27bf}'
            | '\u{2b00}'..='\u{2bff}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{fffd}'
            | '\u{1f000}'..='\u{1faff}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// At most 10 characters when any of them is Chinese, else at most 20. A longer name is cut, between words where it has any:
/// the person still knows who is meant.
fn name(value: &str) -> Result<String, FieldError> {
    if value.chars().any(|c| c.is_numeric()) {
        return Err(FieldError::Characters);
    }
    let max = if value.is_ascii() { 20 } else { 10 };
    if units(value) <= max {
        return Ok(value.to_owned());
    }
    let short = cut(value, max);
    let at_word = value.get(short.len()..).is_some_and(|rest| rest.starts_with(' '));
    match short.rsplit_once(' ') {
        Some((words, _)) if !at_word => Ok(words.to_owned()),
        _ => Ok(short.to_owned()),
    }
}

/// At most one sign of currency, at most 12 digits with an optional point, and 元 at the end if wanted.
fn amount(value: &str) -> Result<String, FieldError> {
    let number = value.strip_prefix(['¥', '￥', '$', '€', '£']).unwrap_or(value);
    let number = number.strip_suffix('元').unwrap_or(number);
    if !decimal(number) {
        return Err(FieldError::Form);
    }
    if number.chars().filter(char::is_ascii_digit).count() > 12 {
        return Err(FieldError::TooLong { max: 12 });
    }
    Ok(value.to_owned())
}

/// `12`, `12.50`.
fn decimal(value: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match value.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(value),
    }
}

/// One time, or two with `~` between.
fn times(value: &str, one: fn(&str) -> Option<()>) -> Result<String, FieldError> {
    let value = narrow(value);
    let mut parts = value.split('~').map(str::trim);
    let (first, second, third) = (parts.next(), parts.next(), parts.next());
    let good = first.and_then(one).is_some()
        && second.is_none_or(|second| one(second).or_else(|| clock(second)).is_some())
        && third.is_none();
    if !good {
        return Err(FieldError::Form);
    }
    let mut out = first.unwrap_or_default().to_owned();
    if let Some(second) = second {
        // Writing to a String cannot fail.
        let _ = write!(out, "~{second}");
    }
    Ok(out)
}

/// `09:30`, `2026-01-05 09:30`, `2026年1月5日 09:30`.
fn clock_or_moment(value: &str) -> Option<()> {
    match value.split_once(' ') {
        Some((day, time)) => date(day).and_then(|()| clock(time)),
        None => clock(value),
    }
}

/// `2026-01-05`, `2026年1月5日`, and either with a time.
fn date_or_moment(value: &str) -> Option<()> {
    match value.split_once(' ') {
        Some((day, time)) => date(day).and_then(|()| clock(time)),
        None => date(value),
    }
}

fn date(value: &str) -> Option<()> {
    let (year, rest) = value.split_once('年').or_else(|| value.split_once('-'))?;
    let (month, day) = match rest.split_once('月') {
        Some((month, day)) => (month, day.strip_suffix('日')?),
        None => rest.split_once('-')?,
    };
    let (year, month, day) = (number(year, 4)?, number(month, 2)?, number(day, 2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    ((1000..=9999).contains(&year) && (1..=days).contains(&day)).then_some(())
}

fn clock(value: &str) -> Option<()> {
    let mut parts = value.split(':');
    let hour = number(parts.next()?, 2)?;
    let minute = parts.next()?;
    let second = parts.next().unwrap_or("00");
    let good = hour < 24
        && minute.len() == 2
        && second.len() == 2
        && number(minute, 2)? < 60
        && number(second, 2)? < 60
        && parts.next().is_none();
    good.then_some(())
}

fn number(text: &str, longest: usize) -> Option<u32> {
    let digits = (1..=longest).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fits(key: &str, value: &str) -> String {
        fit_field(key, value).unwrap()
    }

    #[test]
    fn free_text_is_shortened_and_cleaned() {
        assert_eq!(
            fits("thing1", "儿童口腔颌面外科专家特需门诊（东院区三楼）甲"),
            "儿童口腔颌面外科专家特需门诊（东院区三…"
        );
        assert_eq!(
            fits("thing1", "儿童口腔颌面外科专家特需门诊（东院区三楼"),
            "儿童口腔颌面外科专家特需门诊（东院区三楼"
        );
        assert_eq!(fits("thing12", " 王医生👨‍⚕️\n 口腔科 "), "王医生 口腔科");
        assert_eq!(
            fits("keyword1", "一二三四五六七八九十一二三四五六七八九十一"),
            "一二三四五六七八九十一二三四五六七八九…"
        );
        assert_eq!(fits("thing1", &"𠮷".repeat(11)), format!("{}…", "𠮷".repeat(9)));
        assert_eq!(fit_field("thing1", " \u{200b}🩺 "), Err(FieldError::Empty));
    }

    #[test]
    fn numbers_of_things_are_never_cut() {
        assert_eq!(fits("character_string3", "A017-2026 (x)"), "A017-2026 (x)");
        assert_eq!(fits("character_string3", "Ａ０１７"), "A017");
        assert_eq!(fit_field("character_string3", "内科17"), Err(FieldError::Characters));
        assert_eq!(fit_field("character_string3", &"1".repeat(33)), Err(FieldError::TooLong { max: 32 }));
        assert_eq!(fits("number1", "12.5"), "12.5");
        assert_eq!(fit_field("number1", "12号"), Err(FieldError::Characters));
        assert_eq!(fit_field("number1", &"1".repeat(33)), Err(FieldError::TooLong { max: 32 }));
        assert_eq!(fits("letter1", "Ab"), "Ab");
        assert_eq!(fit_field("letter1", "A1"), Err(FieldError::Characters));
        assert_eq!(fits("symbol1", "+-"), "+-");
        assert_eq!(fit_field("symbol1", "a"), Err(FieldError::Characters));
        assert_eq!(fits("phone_number1", "+86-21-5555 0101"), "+86-21-5555 0101");
        assert_eq!(fit_field("phone_number1", "021-5555转1"), Err(FieldError::Characters));
        assert_eq!(fit_field("phone_number1", &"1".repeat(18)), Err(FieldError::TooLong { max: 17 }));
        assert_eq!(fits("car_number1", "沪A12345"), "沪A12345");
        assert_eq!(fit_field("car_number1", "沪A-1234"), Err(FieldError::Characters));
        assert_eq!(fits("phrase1", "已预约"), "已预约");
        assert_eq!(fit_field("phrase1", "预约已经成功"), Err(FieldError::TooLong { max: 5 }));
        assert_eq!(fit_field("phrase1", "OK"), Err(FieldError::Characters));
        assert_eq!(fits("const1", "待就诊"), "待就诊");
        assert_eq!(fit_field("const1", &"待".repeat(21)), Err(FieldError::TooLong { max: 20 }));
    }

    #[test]
    fn names_are_cut_between_words() {
        assert_eq!(fits("name1", "张三"), "张三");
        assert_eq!(fits("name1", "买买提明·阿卜杜热合曼江"), "买买提明·阿卜杜热合");
        assert_eq!(fits("name1", "Maria Magdalena von Trapp"), "Maria Magdalena von");
        assert_eq!(fits("name1", "Alexander Hamiltonia Jr"), "Alexander Hamiltonia");
        assert_eq!(fits("name1", &"A".repeat(25)), "A".repeat(20));
        assert_eq!(fit_field("name1", "张3"), Err(FieldError::Characters));
    }

    #[test]
    fn amounts() {
        for good in ["12", "¥12.50", "12.5元", "￥123456789012", "$0.10"] {
            assert_eq!(fits("amount1", good), good);
        }
        for bad in ["", "¥", "12,00", "¥¥1", "-1", "1.", ".5", "免费"] {
            assert!(fit_field("amount1", bad).is_err(), "{bad}");
        }
        assert_eq!(fit_field("amount1", "1234567890123"), Err(FieldError::TooLong { max: 12 }));
    }

    #[test]
    fn times_and_dates() {
        for good in [
            "2026-01-05 09:30",
            "2026年1月5日 09:30",
            "2026年01月05日 09:30:00",
            "09:30",
            "2026-01-05 09:30~2026-01-05 10:00",
            "2026-01-05 09:30~10:00",
            "2024-02-29 8:00",
        ] {
            assert_eq!(fits("time2", good), good);
        }
        assert_eq!(fits("time2", "2026-01-05　09：30 ～ 10：00"), "2026-01-05 09:30~10:00");
        for bad in
            ["2026-01-05", "24:00", "09:60", "9:3", "2026-13-01 09:30", "2026-02-29 09:30", "明天", "1~2~3"]
        {
            assert_eq!(fit_field("time2", bad), Err(FieldError::Form), "{bad}");
        }
        for good in ["2026-01-05", "2026年1月5日", "2026-01-05 09:30", "2026-01-05~2026-01-07"] {
            assert_eq!(fits("date1", good), good);
        }
        for bad in ["09:30", "2026年1月5", "2026-1", "2026-00-01", "20260105"] {
            assert_eq!(fit_field("date1", bad), Err(FieldError::Form), "{bad}");
        }
    }

    proptest! {
        /// What was fitted fits, and fitting it again changes nothing.
        #[test]
        fn fitting_is_done_once(
            key in "(thing|character_string|time|date|amount|phone_number|car_number|const|number|letter|symbol|name|phrase|first)[0-9]{0,2}",
            value in "\\PC{0,40}|[0-9:年月日.~ -]{0,24}|[\u{1f300}-\u{1f9ff}a-z]{0,30}",
        ) {
            if let Ok(fitted) = fit_field(&key, &value) {
                prop_assert!(!fitted.is_empty());
                prop_assert!(units(&fitted) <= 40);
                prop_assert!(!fitted.contains('\n'));
                prop_assert_eq!(fit_field(&key, &fitted), Ok(fitted));
            }
        }
    }
}
