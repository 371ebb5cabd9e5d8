//! What the chat says to a scan, in both languages: one line, one link.

use base::{Date, Lang, Problem, Text2};
use edge::Hospital;

use crate::links;
use crate::model::Purpose;

/// What there is to say.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// The code leads to a page.
    Leads {
        /// What it is for.
        purpose: Purpose,
        /// Whose or which.
        name: Text2,
        /// The page.
        path: String,
        /// A doctor's next free day.
        next_free: Option<Date>,
    },
    /// Somebody was bound.
    Bound {
        /// Whom, masked.
        name_masked: String,
    },
    /// The name has to be confirmed.
    Confirm {
        /// Where.
        path: String,
    },
    /// It can't be done, and why.
    Problem(Problem),
}

/// Writes it. Who is new is welcomed first; whose language nobody knows reads both.
#[must_use]
pub fn write(said: &Said, hospital: &Hospital, base: &str, lang: Option<Lang>, is_new: bool) -> String {
    let one = |lang: Lang| {
        let mut text = String::new();
        if is_new {
            let name = plain(hospital.profile.short_name.get(lang));
            text.push_str(&match lang {
                Lang::Zh => format!("您好，欢迎关注{name}。\n"),
                Lang::En => format!("Welcome to {name}.\n"),
            });
        }
        text.push_str(&line(said, base, lang));
        text
    };
    match lang {
        Some(lang) => one(lang),
        None => format!("{}\n\n{}", one(Lang::Zh), one(Lang::En)),
    }
}

fn line(said: &Said, base: &str, lang: Lang) -> String {
    let link = |path: &str, zh: &str, en: &str| {
        let words = match lang {
            Lang::Zh => zh,
            Lang::En => en,
        };
        format!("<a href=\"{}\">{words}</a>", links::page(base, path))
    };
    match (said, lang) {
        (Said::Leads { purpose: Purpose::Doctor, name, path, next_free }, _) => {
            let (zh, en) = (plain(&name.zh), plain(&name.en));
            let when = match (next_free, lang) {
                (Some(date), Lang::Zh) => format!("\n最近有号：{}月{}日", date.month(), date.day()),
                (Some(date), Lang::En) => format!("\nNext free: {}", date.strftime("%-d %B")),
                (None, Lang::Zh) => "\n目前没有余号，新号放出后可在该页预约。".to_owned(),
                (None, Lang::En) => {
                    "\nNo free places just now; new ones will appear on that page.".to_owned()
                }
            };
            format!("{}{when}", link(path, &format!("预约{zh}医生"), &format!("Book with Dr {en}")))
        }
        (Said::Leads { purpose: Purpose::Department, name, path, .. }, _) => {
            let (zh, en) = (plain(&name.zh), plain(&name.en));
            link(path, &format!("{zh}：看医生和余号"), &format!("{en}: doctors and free places"))
        }
        (Said::Leads { name, path, .. }, Lang::Zh) => {
            format!("{}\n{}", plain(&name.zh), link(path, "点这里打开", ""))
        }
        (Said::Leads { name, path, .. }, Lang::En) => {
            format!("{}\n{}", plain(&name.en), link(path, "", "Open the page"))
        }
        (Said::Bound { name_masked }, Lang::Zh) => {
            format!("已绑定 {name_masked}。\n{}", link("/persons", "查看就诊人", ""))
        }
        (Said::Bound { name_masked }, Lang::En) => {
            format!("{name_masked} is linked to your WeChat.\n{}", link("/persons", "", "See your patients"))
        }
        (Said::Confirm { path }, Lang::Zh) => {
            format!("还差一步：请确认就诊人的姓名。\n{}", link(path, "点这里确认", ""))
        }
        (Said::Confirm { path }, Lang::En) => {
            format!("One more step: please confirm the patient's name.\n{}", link(path, "", "Confirm here"))
        }
        (Said::Problem(problem), _) => problem.detail.get(lang).to_owned(),
    }
}

/// A name that somebody typed: short, and without what WeChat could take for markup.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '<' | '>')).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Refusal;

    fn say(said: &Said, lang: Lang) -> String {
        line(said, "https://h.example", lang)
    }

    #[test]
    fn each_language_says_its_own() {
        let doctor = Said::Leads {
            purpose: Purpose::Doctor,
            name: Text2::new("李明", "Li Ming"),
            path: "/doctors/doc_1".into(),
            next_free: Some("2026-12-01".parse().unwrap()),
        };
        assert_eq!(
            say(&doctor, Lang::Zh),
            "<a href=\"https://h.example/auth/wechat?to=/doctors/doc_1\">预约李明医生</a>\n最近有号：12月1日"
        );
        assert_eq!(
            say(&doctor, Lang::En),
            "<a href=\"https://h.example/auth/wechat?to=/doctors/doc_1\">Book with Dr Li Ming</a>\nNext free: 1 December"
        );
        let poster = |name: Text2| Said::Leads {
            purpose: Purpose::Poster,
            name,
            path: "/departments".into(),
            next_free: None,
        };
        for said in [
            poster(Text2::new("门诊大厅", "Main hall")),
            Said::Confirm { path: "/join/enr_1".into() },
            Said::Problem(Refusal::Used.into()),
            Said::Problem(Refusal::Over.into()),
            Said::Problem(Refusal::Unknown.into()),
            Said::Problem(Refusal::AnotherHospitals.into()),
        ] {
            let han = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
            assert!(han(&say(&said, Lang::Zh)), "{said:?}");
            assert!(!han(&say(&said, Lang::En)), "{said:?}");
        }
        assert!(!say(&poster(Text2::new("<b>厅", "<b>")), Lang::Zh).contains("<b>"));
    }
}
