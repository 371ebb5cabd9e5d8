//! What a field of a category template may hold, by the prefix of its key. Written apart from the product's own rules, so
//! that the two check each other.

/// Says what is wrong with a value, in the words of 47003.
pub(super) fn check(key: &str, value: &str) -> Result<(), &'static str> {
    let chars = value.chars().count();
    let sound = |good: bool| if good { Ok(()) } else { Err("invalid") };
    if value.trim().is_empty() {
        return Err("is empty");
    }
    if value.contains(['\n', '\r']) || value.chars().any(is_emoji) {
        return Err("invalid");
    }
    match key.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "thing" | "const" => sound(chars <= 20),
        "character_string" => sound(chars <= 32 && value.chars().all(|c| c.is_ascii_graphic() || c == ' ')),
        "number" => sound(chars <= 32 && is_number(value)),
        "letter" => sound(chars <= 32 && value.chars().all(|c| c.is_ascii_alphabetic())),
        "symbol" => sound(chars <= 5 && value.chars().all(|c| !c.is_alphanumeric())),
        "time" => sound(is_range(value, is_time)),
        "date" => sound(is_range(value, |text| is_date(text) || is_time(text))),
        "amount" => sound(is_amount(value)),
        "phone_number" => {
            sound(chars <= 17 && value.chars().all(|c| c.is_ascii_digit() || "+-() ".contains(c)))
        }
        "car_number" => sound(chars <= 8),
        "name" => sound(
            if value.is_ascii() { chars <= 20 } else { chars <= 10 }
                && !value.chars().any(|c| c.is_numeric()),
        ),
        "phrase" => sound(chars <= 5 && value.chars().all(is_han)),
        // Old templates: any key, cut at 20 by WeChat; here refused, so that nobody relies on the cut.
        _ => sound(chars <= 20),
    }
}

fn is_number(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    !digits.is_empty()
        && digits.chars().all(|c| c.is_ascii_digit() || c == '.')
        && digits.matches('.').count() <= 1
}

/// One currency sign, at most 12 digits, perhaps decimals; 元 may follow.
fn is_amount(value: &str) -> bool {
    let number = value.strip_prefix(['¥', '￥', '$', '€', '£']).unwrap_or(value);
    let number = number.strip_suffix('元').unwrap_or(number);
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(decimals) && whole.len() <= 12 && decimals.len() <= 2
}

fn is_range(value: &str, one: impl Fn(&str) -> bool) -> bool {
    match value.split_once('~') {
        Some((from, to)) => one(from.trim()) && (one(to.trim()) || is_clock(to.trim())),
        None => one(value.trim()),
    }
}

/// `2026-01-05 09:30`, `2026年1月5日 09:30`, `09:30`.
fn is_time(text: &str) -> bool {
    match text.split_once(' ') {
        Some((date, clock)) => is_date(date) && is_clock(clock.trim()),
        None => is_clock(text),
    }
}

fn is_date(text: &str) -> bool {
    let parts = if let Some(text) = text.strip_suffix('日') {
        text.split_once('年')
            .and_then(|(year, rest)| rest.split_once('月').map(|(month, day)| (year, month, day)))
    } else {
        text.split_once('-')
            .and_then(|(year, rest)| rest.split_once('-').map(|(month, day)| (year, month, day)))
    };
    parts.is_some_and(|(year, month, day)| {
        within(year, 1970, 2999) && within(month, 1, 12) && within(day, 1, 31)
    })
}

fn is_clock(text: &str) -> bool {
    let mut parts = text.split(':');
    let hour = parts.next().is_some_and(|hour| within(hour, 0, 23));
    let minute = parts.next().is_some_and(|minute| minute.len() == 2 && within(minute, 0, 59));
    hour && minute && parts.next().is_none_or(|second| within(second, 0, 59)) && parts.next().is_none()
}

fn within(text: &str, least: u32, most: u32) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && text.parse::<u32>().is_ok_and(|number| (least..=most).contains(&number))
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{fe0f}' | '\u{200d}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_each_prefix() {
        let good = [
            ("thing1", "心血管内科（东院区）专家门诊三楼二区"),
            ("thing1", "Dr Li"),
            ("character_string3", "A-0012 #7"),
            ("number1", "12"),
            ("letter1", "abc"),
            ("time4", "2026-01-05 09:30"),
            ("time4", "2026年1月5日 09:30"),
            ("time4", "2026年1月5日 09:30~10:00"),
            ("time4", "09:30"),
            ("date2", "2026-01-05"),
            ("amount1", "¥14.00"),
            ("amount1", "14元"),
            ("phone_number1", "0571-8888 0000"),
            ("name1", "欧阳小明"),
            ("name1", "Li Xiaoming"),
            ("phrase1", "已取消"),
        ];
        for (key, value) in good {
            assert_eq!(check(key, value), Ok(()), "{key} {value}");
        }
        let bad = [
            ("thing1", "一二三四五六七八九十一二三四五六七八九十一"),
            ("thing1", "两\n行"),
            ("thing1", "好👍"),
            ("thing1", " "),
            ("character_string3", "号3"),
            ("number1", "1a"),
            ("letter1", "a1"),
            ("time4", "明天"),
            ("time4", "2026-01-05"),
            ("time4", "2026-13-05 09:30"),
            ("time4", "2026-01-05 24:30"),
            ("time4", "Mon 5 Jan 09:30"),
            ("amount1", "十四"),
            ("amount1", "1234567890123"),
            ("phone_number1", "123456789012345678"),
            ("name1", "一二三四五六七八九十一"),
            ("phrase1", "abc"),
        ];
        for (key, value) in bad {
            assert!(check(key, value).is_err(), "{key} {value}");
        }
    }
}
