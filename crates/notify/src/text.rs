//! What a message says, in both languages.
//!
//! The sentences stand in `locales/*.ftl`; a test keeps the two files in step. Nothing falls back to the other language.

mod bundle;
mod field;

use std::collections::BTreeMap;

use base::{Date, Lang, Text2, UnixMs, WallTime, Zone};
use edge::Hospital;

use crate::model::{Arg, Kind};

pub(crate) use bundle::phrase;
pub(crate) use field::fit;

/// The names of what a message can say: the arguments of the sentences, of the vendor's SMS templates, and what a field of
/// a WeChat template can be tied to.
pub const NAMES: &[&str] = &[
    "person",
    "department",
    "doctor",
    "who",
    "time",
    "start",
    "end",
    "old_start",
    "old_time",
    "until",
    "place",
    "campus",
    "room",
    "number",
    "ahead",
    "item",
    "note",
    "status",
    "title",
    "hospital",
    "phone",
    "code",
    "minutes",
    "amount",
    "what",
];

/// Which of [`NAMES`] the SMS of a kind has, in both languages: the vendor's template must have the same.
#[must_use]
pub fn sms_arguments(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::AppointmentConfirmed | Kind::AppointmentReminder => &["person", "who", "time", "place"],
        Kind::AppointmentCancelled => &["person", "who", "time"],
        Kind::AppointmentMoved => &["person", "who", "time", "old_time", "place"],
        Kind::AppointmentStopped => &["person", "who", "time", "phone"],
        Kind::AppointmentRestored | Kind::AppointmentReplaced => &["person", "who", "time", "place"],
        Kind::WaitlistOffer => &["person", "who", "time", "until"],
        Kind::WaitlistClosed => &["person", "who"],
        Kind::NoShow => &["person", "who", "time", "note"],
        Kind::AppealDecided => &["person", "who", "note"],
        Kind::RecordHandOver => &["person", "time"],
        Kind::QueueSoon => &["person", "who", "ahead", "place"],
        Kind::QueueNext => &["person", "who", "place"],
        Kind::QueueCalled | Kind::QueueMissed => &["person", "number", "place"],
        Kind::PickUpReady | Kind::PickUpReminder => &["person", "item", "place"],
        Kind::PaymentReturned => &["what", "amount", "note"],
        Kind::ServiceToday => &["person", "what", "phone"],
        Kind::SmsCode => &["code", "minutes"],
    }
}

/// What messages say of the hospital itself.
#[derive(Debug, Clone, Copy)]
pub struct House<'a> {
    /// Its short name.
    pub name: &'a Text2,
    /// The number that people call.
    pub phone: &'a str,
    /// Where its clocks hang.
    pub zone: &'a Zone,
}

impl<'a> From<&'a Hospital> for House<'a> {
    fn from(hospital: &'a Hospital) -> Self {
        let profile = &hospital.profile;
        Self { name: &profile.short_name, phone: &profile.phone, zone: &hospital.zone }
    }
}

/// What a message can say, in one language. What is not there is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    lang: Lang,
    values: BTreeMap<&'static str, String>,
}

impl Words {
    /// Puts a message's parts into words. `sensitive` departments are not named, nor their rooms.
    #[must_use]
    pub fn new(
        house: House<'_>,
        kind: Kind,
        data: &BTreeMap<String, Arg>,
        lang: Lang,
        sensitive: &[String],
    ) -> Self {
        let args = Args { data, lang };
        let zone = house.zone;
        let hidden = args.text("department_id").is_some_and(|id| sensitive.contains(&id));
        let outpatient = phrase(lang, "outpatient", &[]);
        let department = if hidden { outpatient } else { args.text("department").unwrap_or(outpatient) };
        let doctor = args.text("doctor").unwrap_or_default();
        let campus = args.text("campus").unwrap_or_default();
        let room = if hidden { String::new() } else { args.text("room").unwrap_or_default() };
        let instant = |name| args.at(name).map(|at| exact(lang, zone, at)).unwrap_or_default();
        let mut values = BTreeMap::new();
        let mut set = |name: &'static str, value: String| values.insert(name, value);
        set("person", args.text("person").unwrap_or_default());
        set("who", if doctor.is_empty() { department.clone() } else { doctor.clone() });
        set("department", department);
        set("doctor", doctor);
        set("start", instant("start"));
        set("end", instant("end"));
        set("old_start", instant("old_start"));
        set("time", args.at("start").map(|at| spoken(lang, zone, at, args.at("end"))).unwrap_or_default());
        set("old_time", args.at("old_start").map(|at| spoken(lang, zone, at, None)).unwrap_or_default());
        set("until", args.at("until").map(|at| spoken(lang, zone, at, None)).unwrap_or_default());
        set("place", place(lang, &campus, &room, house.name.get(lang)));
        set("campus", campus);
        set("room", room);
        for name in ["number", "ahead", "item", "code", "minutes", "amount", "what"] {
            set(name, args.text(name).unwrap_or_default());
        }
        let usual = |what: &str| phrase(lang, &format!("{}.{what}", kind.code()), &[]);
        set("note", args.text("note").unwrap_or_else(|| usual("note")));
        set("status", usual("status"));
        set("title", usual("title"));
        set("hospital", house.name.get(lang).to_owned());
        set("phone", house.phone.to_owned());
        Self { lang, values }
    }

    /// The language.
    #[must_use]
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// One of [`NAMES`]; empty when this message has none.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// The message in the chat, with a link to `url`.
    #[must_use]
    pub fn chat(&self, kind: Kind, url: &str) -> String {
        let text = phrase(self.lang, &format!("{}.chat", kind.code()), &self.arguments());
        if url.is_empty() {
            return text;
        }
        let link = phrase(self.lang, "open-link", &[]);
        // The address is ours; a quotation mark in it would end the attribute.
        format!("{text}\n<a href=\"{}\">{link}</a>", url.replace('"', "%22"))
    }

    /// The parameters of the vendor's SMS template for a kind. Vendors take about 35 characters each.
    #[must_use]
    pub fn sms(&self, kind: Kind) -> BTreeMap<String, String> {
        let value = |name: &str| match self.get(name) {
            "" => phrase(self.lang, "none", &[]),
            text => wechat::api::field::shorten(text, 35),
        };
        sms_arguments(kind).iter().map(|name| ((*name).to_owned(), value(name))).collect()
    }

    fn arguments(&self) -> Vec<(&str, String)> {
        let none = phrase(self.lang, "none", &[]);
        let or_none = |text: &String| if text.is_empty() { none.clone() } else { text.clone() };
        self.values.iter().map(|(name, text)| (*name, or_none(text))).collect()
    }
}

/// The texts that a hospital hands in to its SMS vendor for approval, by template code, with `${name}` where an argument
/// goes. The simulator is set up with the same.
#[must_use]
pub fn sms_templates() -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for kind in Kind::ALL {
        for lang in [Lang::Zh, Lang::En] {
            let places: Vec<(&str, String)> =
                sms_arguments(*kind).iter().map(|name| (*name, format!("${{{name}}}"))).collect();
            let text = phrase(lang, &format!("{}.sms", kind.code()), &places);
            texts.insert(crate::settings::default_sms_template(*kind, lang), text);
        }
    }
    texts
}

struct Args<'a> {
    data: &'a BTreeMap<String, Arg>,
    lang: Lang,
}

impl Args<'_> {
    fn text(&self, name: &str) -> Option<String> {
        let text = match self.data.get(name)? {
            Arg::Text(text) => text.clone(),
            Arg::Both(both) => both.get(self.lang).to_owned(),
            Arg::Number(number) => number.to_string(),
            Arg::At(_) => return None,
        };
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn at(&self, name: &str) -> Option<UnixMs> {
        match self.data.get(name)? {
            Arg::At(at) => Some(*at),
            _ => None,
        }
    }
}

/// As the time fields of WeChat's templates want it: `2026年1月5日 09:30`, `2026-01-05 09:30`.
fn exact(lang: Lang, zone: &Zone, at: UnixMs) -> String {
    let (date, wall) = (zone.date(at), zone.wall(at));
    match lang {
        Lang::Zh => format!("{}年{}月{}日 {wall}", date.year(), date.month(), date.day()),
        Lang::En => format!("{date} {wall}"),
    }
}

/// As people say it: `1月5日（周一）09:30–10:00`, `Mon 5 Jan 09:30–10:00`.
fn spoken(lang: Lang, zone: &Zone, at: UnixMs, end: Option<UnixMs>) -> String {
    let (date, wall) = (zone.date(at), zone.wall(at));
    let until = end
        .filter(|end| *end > at && zone.date(*end) == date)
        .map(|end: UnixMs| -> WallTime { zone.wall(end) })
        .map(|end| format!("–{end}"))
        .unwrap_or_default();
    let gap = match lang {
        Lang::Zh => "",
        Lang::En => " ",
    };
    format!("{}{gap}{wall}{until}", day(lang, date))
}

fn day(lang: Lang, date: Date) -> String {
    let weekday = phrase(lang, &format!("weekday-{}", date.weekday().to_monday_one_offset()), &[]);
    let (month, date) = (date.month().to_string(), date.day().to_string());
    phrase(lang, "day", &[("weekday", weekday), ("month", month), ("date", date)])
}

fn place(lang: Lang, campus: &str, room: &str, hospital: &str) -> String {
    let parts: Vec<&str> = [campus, room].into_iter().filter(|part| !part.is_empty()).collect();
    let gap = match lang {
        Lang::Zh => " ",
        Lang::En => ", ",
    };
    if parts.is_empty() { hospital.to_owned() } else { parts.join(gap) }
}

/// A text in both languages, for pages that name a kind.
#[must_use]
pub fn title(kind: Kind) -> Text2 {
    let key = format!("{}.title", kind.code());
    Text2::new(phrase(Lang::Zh, &key, &[]), phrase(Lang::En, &key, &[]))
}

#[cfg(test)]
mod tests;
