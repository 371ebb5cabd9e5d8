//! What the chat says, in both languages.
//!
//! Each text says where to go on, because the chat itself can't book: a link opens the page inside WeChat. WeChat shows up
//! to 2,048 bytes and knows no markup but `<a href>`.

use base::{Lang, Text2};
pub use channel::links::{base_url, page};

use super::rules::Topic;

/// What the texts need to know of the hospital.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its short name.
    pub name: Text2,
    /// The number that people call; may be empty.
    pub phone: String,
    /// What its addresses begin with, without a slash at the end: see [`base_url`].
    pub base: String,
}

/// A line with a link.
struct Link {
    path: &'static str,
    zh: &'static str,
    en: &'static str,
}

const BOOK: Link = Link { path: "/departments", zh: "预约挂号", en: "Book a doctor" };
const APPOINTMENTS: Link = Link { path: "/appointments", zh: "我的预约", en: "My appointments" };
const ME: Link = Link { path: "/me", zh: "个人中心", en: "My account" };
const HELP: Link = Link { path: "/help", zh: "使用帮助", en: "Help" };

/// One answer: a first line, links, a last line. Both languages are there or it does not compile.
struct Answer {
    first: Text2Ref,
    links: &'static [&'static Link],
    last: Text2Ref,
}

struct Text2Ref {
    zh: &'static str,
    en: &'static str,
}

impl Text2Ref {
    fn get(&self, lang: Lang) -> &'static str {
        match lang {
            Lang::Zh => self.zh,
            Lang::En => self.en,
        }
    }
}

const WELCOME: Answer = Answer {
    first: Text2Ref {
        zh: "您好，欢迎关注{name}。在这里可以预约挂号：",
        en: "Welcome to {name}. You can book a doctor here:",
    },
    links: &[&BOOK, &APPOINTMENTS, &HELP],
    last: Text2Ref {
        zh: "也可以直接发送“挂号”“我的”或“帮助”。",
        en: "Reply “English” and we will write to you in English.",
    },
};

const BOOKING: Answer = Answer {
    first: Text2Ref { zh: "请点这里选科室和医生：", en: "Choose a department and a doctor here:" },
    links: &[&BOOK],
    last: Text2Ref {
        zh: "已经约好的，可以发送“我的”查看。",
        en: "To see what you have booked, reply “mine”.",
    },
};

const MINE: Answer = Answer {
    first: Text2Ref {
        zh: "在这里查看、取消或改约：", en: "See, cancel or move your appointments here:"
    },
    links: &[&APPOINTMENTS, &ME],
    last: Text2Ref {
        zh: "就诊人、语言和大字版在“个人中心”里。",
        en: "Patients, language and large text are under “My account”.",
    },
};

const HELPING: Answer = Answer {
    first: Text2Ref { zh: "常见问题都在这里：", en: "You will find answers here:" },
    links: &[&HELP, &BOOK, &APPOINTMENTS],
    last: Text2Ref { zh: "发送“English”可切换为英文。", en: "Reply “中文” for Chinese." },
};

const SWITCHED: Answer = Answer {
    first: Text2Ref {
        zh: "好的，以后会用中文回复您。", en: "Done. We will write to you in English."
    },
    links: &[&BOOK, &APPOINTMENTS],
    last: Text2Ref { zh: "发送“English”可切换为英文。", en: "Reply “中文” for Chinese." },
};

const TEXT_ONLY: Answer = Answer {
    first: Text2Ref {
        zh: "抱歉，这里只能看文字消息，麻烦您用文字说一下，或直接打开：",
        en: "Sorry, only text messages can be read here. Please write to us, or open:",
    },
    links: &[&BOOK, &APPOINTMENTS, &HELP],
    last: URGENT,
};

const GENERAL: Answer = Answer {
    first: Text2Ref {
        zh: "您好，这里是自动回复。您可能需要：",
        en: "Hello, this is an automatic reply. You may be looking for:",
    },
    links: &[&BOOK, &APPOINTMENTS, &HELP],
    last: URGENT,
};

/// Nobody reads along, and somebody may be writing that their chest hurts.
const URGENT: Text2Ref = Text2Ref {
    zh: "情况紧急请拨打 120，或就近去急诊。",
    en: "In an emergency call 120 or go to the nearest emergency department.",
};

const CALL: Text2Ref = Text2Ref { zh: "人工咨询：{phone}", en: "To speak to someone, call {phone}." };

/// The text for a topic, in the account's language.
#[must_use]
pub fn text(topic: Topic, lang: Lang, place: &Place) -> String {
    match topic {
        Topic::Welcome => {
            format!("{}\n\n{}", WELCOME.write(Lang::Zh, place, false), WELCOME.write(Lang::En, place, false))
        }
        Topic::Book => BOOKING.write(lang, place, false),
        Topic::Mine => MINE.write(lang, place, false),
        Topic::Help => HELPING.write(lang, place, true),
        Topic::Language(chosen) => SWITCHED.write(chosen, place, false),
        Topic::TextOnly => TEXT_ONLY.write(lang, place, true),
        Topic::General => GENERAL.write(lang, place, true),
    }
}

impl Answer {
    fn write(&self, lang: Lang, place: &Place, with_phone: bool) -> String {
        let mut out = self.first.get(lang).replace("{name}", plain(place.name.get(lang)).as_str());
        for link in self.links {
            let name = match lang {
                Lang::Zh => link.zh,
                Lang::En => link.en,
            };
            out.push_str(&format!("\n<a href=\"{}\">{name}</a>", page(&place.base, link.path)));
        }
        out.push('\n');
        out.push_str(self.last.get(lang));
        if with_phone && !place.phone.is_empty() {
            out.push('\n');
            out.push_str(&CALL.get(lang).replace("{phone}", &plain(&place.phone)));
        }
        out
    }
}

/// A name that an administrator typed: short, and without what WeChat could take for markup.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '<' | '>')).take(60).collect()
}

#[cfg(test)]
mod tests {
    use wechat::message::MAX_TEXT_BYTES;

    use super::*;

    fn place() -> Place {
        Place {
            name: Text2::new("杏林医院", "Xinglin Hospital"),
            phone: "021-5555 0100".into(),
            base: "https://wx.hospital.example".into(),
        }
    }

    const TOPICS: [Topic; 8] = [
        Topic::Welcome,
        Topic::Book,
        Topic::Mine,
        Topic::Help,
        Topic::Language(Lang::Zh),
        Topic::Language(Lang::En),
        Topic::TextOnly,
        Topic::General,
    ];

    #[test]
    fn a_new_follower_is_welcomed_in_both_languages() {
        let welcome = text(Topic::Welcome, Lang::En, &place());
        assert_eq!(welcome, text(Topic::Welcome, Lang::Zh, &place()));
        assert_eq!(
            welcome,
            "您好，欢迎关注杏林医院。在这里可以预约挂号：\n\
             <a href=\"https://wx.hospital.example/auth/wechat?to=/departments\">预约挂号</a>\n\
             <a href=\"https://wx.hospital.example/auth/wechat?to=/appointments\">我的预约</a>\n\
             <a href=\"https://wx.hospital.example/auth/wechat?to=/help\">使用帮助</a>\n\
             也可以直接发送“挂号”“我的”或“帮助”。\n\n\
             Welcome to Xinglin Hospital. You can book a doctor here:\n\
             <a href=\"https://wx.hospital.example/auth/wechat?to=/departments\">Book a doctor</a>\n\
             <a href=\"https://wx.hospital.example/auth/wechat?to=/appointments\">My appointments</a>\n\
             <a href=\"https://wx.hospital.example/auth/wechat?to=/help\">Help</a>\n\
             Reply “English” and we will write to you in English."
        );
    }

    #[test]
    fn words_lead_to_their_pages() {
        let has = |topic, lang, path: &str| {
            text(topic, lang, &place())
                .contains(&format!("\"https://wx.hospital.example/auth/wechat?to={path}\""))
        };
        for lang in [Lang::Zh, Lang::En] {
            assert!(has(Topic::Book, lang, "/departments"));
            assert!(has(Topic::Mine, lang, "/appointments") && has(Topic::Mine, lang, "/me"));
            assert!(has(Topic::Help, lang, "/help"));
            assert!(has(Topic::General, lang, "/departments"));
        }
        assert!(text(Topic::General, Lang::Zh, &place()).contains("120"));
        assert!(text(Topic::General, Lang::En, &place()).ends_with("call 021-5555 0100."));
    }

    #[test]
    fn a_switch_is_answered_in_the_new_language() {
        assert!(text(Topic::Language(Lang::En), Lang::Zh, &place()).starts_with("Done."));
        assert!(text(Topic::Language(Lang::Zh), Lang::En, &place()).starts_with("好的"));
    }

    #[test]
    fn one_language_at_a_time_and_nothing_left_open() {
        for topic in TOPICS {
            for lang in [Lang::Zh, Lang::En] {
                let text = text(topic, lang, &place());
                assert!(!text.contains('{') && !text.contains('}'), "{text}");
                if lang == Lang::En && !matches!(topic, Topic::Welcome | Topic::Language(Lang::Zh)) {
                    let without = text.replace("中文", "");
                    assert!(!without.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{text}");
                }
            }
        }
    }

    #[test]
    fn even_with_long_names_and_addresses_wechat_shows_it() {
        let long = Place {
            name: Text2::new("医".repeat(200), "<a>".repeat(200)),
            phone: "1".repeat(200),
            base: format!("https://{}.example/h/a-code-of-24-characters", "w".repeat(100)),
        };
        for topic in TOPICS {
            for lang in [Lang::Zh, Lang::En] {
                let text = text(topic, lang, &long);
                assert!(text.len() <= MAX_TEXT_BYTES, "{topic:?}: {} bytes", text.len());
            }
        }
        assert!(!text(Topic::Welcome, Lang::Zh, &long).contains("<a>"));
    }

    #[test]
    fn a_hospital_without_a_phone_promises_none() {
        let place = Place { phone: String::new(), ..place() };
        assert!(!text(Topic::General, Lang::Zh, &place).contains("人工咨询"));
    }
}
