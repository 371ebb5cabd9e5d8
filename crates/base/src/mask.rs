//! How personal data looks where it must not be read whole: lists, logs, screens, pushes (`health.md` 1.4).

/// A name with all but its first character covered: 张三丰 → 张**, Ann Lee → A*****. At most six stars, so that the
/// length of a long foreign name is not told.
#[must_use]
pub fn name(name: &str) -> String {
    let mut chars = name.trim().chars();
    let Some(first) = chars.next() else { return String::new() };
    let stars = chars.count().clamp(1, 6);
    format!("{first}{}", "*".repeat(stars))
}

/// A phone number with its middle covered: 13812345678 → 138****5678. Short texts are covered whole.
#[must_use]
pub fn phone(phone: &str) -> String {
    keep_ends(phone, 3, 4)
}

/// A document number with its middle covered: the first three and the last four stay for long ones, the first and the
/// last two for short ones.
#[must_use]
pub fn document(number: &str) -> String {
    if number.chars().count() >= 15 { keep_ends(number, 3, 4) } else { keep_ends(number, 1, 2) }
}

fn keep_ends(text: &str, head: usize, tail: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() < head + tail + 2 {
        return "*".repeat(chars.len());
    }
    let covered = chars.len() - head - tail;
    let mut out: String = chars.iter().take(head).collect();
    out.extend(std::iter::repeat_n('*', covered));
    out.extend(chars.iter().skip(head + covered));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covered_as_expected() {
        assert_eq!(name("张三丰"), "张**");
        assert_eq!(name("李"), "李*");
        assert_eq!(name(""), "");
        assert_eq!(name("Bartholomew Smith"), "B******");
        assert_eq!(phone("13812345678"), "138****5678");
        assert_eq!(phone("12345678"), "********");
        assert_eq!(document("110000199703312884"), "110***********2884");
        assert_eq!(document("H12345678"), "H******78");
    }

    proptest::proptest! {
        #[test]
        fn never_shows_the_middle(text in "\\PC{9,30}") {
            let shown = phone(&text).chars().filter(|c| *c != '*').count();
            proptest::prop_assert!(shown <= 7);
        }
    }
}
