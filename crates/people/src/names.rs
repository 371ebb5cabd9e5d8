//! Real names.

use base::mask;
use unicode_normalization::UnicodeNormalization as _;

use crate::documents::is_invisible;

/// A name as it stands on an identity document: 2 to 50 characters, letters of any script, with `·`, space, `'`, `-` and
/// `.` between them. Does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct RealName(String);

impl std::fmt::Debug for RealName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.masked())
    }
}

/// The dots that keyboards offer between the parts of a name, all for `·` (U+00B7).
const DOTS: [char; 9] =
    ['\u{b7}', '\u{2022}', '\u{2027}', '\u{30fb}', '\u{ff65}', '\u{2219}', '\u{22c5}', '\u{16eb}', '\u{387}'];

impl RealName {
    /// Reads a name as a person typed it: full-width letters become plain, runs of spaces one, every sort of middle dot
    /// `·`. `None` when it is no name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // Nothing longer can become a name; normalising would only cost time.
        if text.len() > 600 {
            return None;
        }
        // Invisible characters go first: one between a letter and its accent would keep the two apart.
        let visible = text.chars().filter(|c| c.is_whitespace() || !is_invisible(*c));
        let plain: String = visible
            .nfkc()
            .map(|c| if DOTS.contains(&c) { '\u{b7}' } else { c })
            .map(|c| if matches!(c, '\u{2018}' | '\u{2019}' | '\u{2bc}') { '\'' } else { c })
            .collect();
        let name = plain.split_whitespace().collect::<Vec<_>>().join(" ");
        let letters = name.chars().filter(|c| c.is_alphabetic()).count();
        let fits = (2..=50).contains(&name.chars().count()) && letters >= 2;
        let allowed = name.chars().all(|c| is_letter(c) || matches!(c, '\u{b7}' | ' ' | '\'' | '-' | '.'));
        let starts = name.chars().next().is_some_and(char::is_alphabetic);
        (fits && allowed && starts).then_some(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// 张*
    #[must_use]
    pub fn masked(&self) -> String {
        mask::name(&self.0)
    }

    /// The form in which names are compared: case, spaces and everything that is no letter do not count, so that
    /// `ANNE-MARIE O'Neil` is found as `Anne Marie ONeil`.
    #[must_use]
    pub fn look_up(&self) -> String {
        let folded: String = self.0.chars().flat_map(char::to_lowercase).filter(|c| is_letter(*c)).collect();
        // Lower-casing can take a text out of the normal form.
        folded.nfkc().collect()
    }
}

/// Letters of any script, and the marks that belong to them in scripts that write vowels apart.
fn is_letter(c: char) -> bool {
    c.is_alphabetic() || unicode_normalization::char::is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_as_they_stand_on_documents() {
        for (typed, name) in [
            ("张三丰", "张三丰"),
            (" 张 三 丰 ", "张 三 丰"),
            ("阿依古丽•买买提", "阿依古丽·买买提"),
            ("阿依古丽・买买提", "阿依古丽·买买提"),
            ("Ａｎｎ　Ｌｅｅ", "Ann Lee"),
            ("Anne-Marie  O’Neil Jr.", "Anne-Marie O'Neil Jr."),
            ("José Müller", "José Müller"),
            ("\u{200b}李四", "李四"),
            ("𠮷田", "𠮷田"),
            ("अनिता", "अनिता"),
        ] {
            assert_eq!(RealName::parse(typed).map(|n| n.0).as_deref(), Some(name), "{typed}");
        }
        for wrong in [
            "",
            " ",
            "张",
            "12",
            "张3",
            "张三!",
            "-张三",
            "a@b",
            "张三<b>",
            "··",
            "测试\u{1f600}",
            "王\u{ff11}",
            &"长".repeat(51),
        ] {
            assert_eq!(RealName::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_people_write_differently_is_found() {
        let look_up = |text: &str| RealName::parse(text).unwrap().look_up();
        assert_eq!(look_up("张 三"), look_up("张三"));
        assert_eq!(look_up("ANNE-MARIE O'Neil"), look_up("anne marie oneil"));
        assert_eq!(look_up("阿依古丽·买买提"), look_up("阿依古丽买买提"));
        assert_eq!(look_up("Jose\u{301}"), look_up("JOSÉ"));
        assert_ne!(look_up("张三"), look_up("张山"));
    }

    #[test]
    fn a_name_does_not_print_itself() {
        assert_eq!(format!("{:?}", RealName::parse("张三丰").unwrap()), "张**");
    }

    proptest! {
        #[test]
        fn no_text_panics_and_reading_twice_is_reading_once(text in "\\PC{0,60}") {
            if let Some(name) = RealName::parse(&text) {
                let again = RealName::parse(name.as_str());
                prop_assert_eq!(again.as_ref(), Some(&name));
                prop_assert!(!name.look_up().is_empty());
                prop_assert!((2..=50).contains(&name.as_str().chars().count()));
            }
        }
    }
}
