//! Finding departments and doctors by what people type: Chinese, pinyin (whole or initials), English.
//!
//! Typed text is folded (case, full-width forms, spaces and apostrophes) and compared with each name; the better the match
//! and the more of the name it covers, the higher the rank. Nothing is indexed: a hospital has some hundreds of names.

use base::UnixMs;

use super::picture::{Department, Doctor, Picture};
use super::render::{Filter, View};
use crate::wire::Found;

/// At most so many departments …
const MOST_DEPARTMENTS: usize = 20;
/// … and so many doctors.
const MOST_DOCTORS: usize = 30;

/// How well something matches; less is better.
pub(crate) type Rank = u8;

const WHOLE: Rank = 0;
const START: Rank = 1;
const INSIDE: Rank = 2;
/// Added where the match is not in the name itself.
const ASIDE: Rank = 10;

/// Case, full-width forms, spaces and apostrophes make no difference.
pub(crate) fn fold(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            // Full-width ASCII stands at a fixed distance from ASCII.
            '\u{ff01}'..='\u{ff5e}' => u32::from(c).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(c),
            other => other,
        })
        .filter(|c| !c.is_whitespace() && !matches!(c, '\'' | '’' | '-' | '·' | '.' | '\u{3000}'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// How `typed` (folded) stands in `name`.
fn within(name: &str, typed: &str) -> Option<Rank> {
    let name = fold(name);
    if name == typed {
        Some(WHOLE)
    } else if name.starts_with(typed) {
        Some(START)
    } else {
        name.contains(typed).then_some(INSIDE)
    }
}

/// The same for letters, where a match in the middle of nothing means nothing: initials and pinyin count from the start.
fn from_start(name: &str, typed: &str) -> Option<Rank> {
    within(name, typed).filter(|rank| *rank <= START)
}

/// The same for English, where each word may be the start (`Chen Wei` by `wei`, `Internal Medicine` by `med`).
fn by_word(name: &str, typed: &str) -> Option<Rank> {
    let starts = name.char_indices().filter(|(i, _)| {
        name.get(..*i).and_then(|before| before.chars().next_back()).is_none_or(|c| !c.is_alphanumeric())
    });
    let whole = from_start(name, typed);
    let later = starts.filter_map(|(i, _)| name.get(i..)).any(|rest| fold(rest).starts_with(typed));
    whole.or_else(|| later.then_some(INSIDE))
}

fn best(ranks: impl IntoIterator<Item = Option<Rank>>) -> Option<Rank> {
    ranks.into_iter().flatten().min()
}

/// How well a department answers to `text`; `None` when it does not.
pub(crate) fn department(department: &Department, text: &str) -> Option<Rank> {
    let typed = fold(text);
    if typed.is_empty() {
        return None;
    }
    best([
        within(&department.name.zh, &typed),
        from_start(&department.initials, &typed),
        from_start(&department.pinyin, &typed),
        by_word(&department.name.en, &typed),
    ])
}

/// How well a doctor answers to `text`: by name first, then by what the doctor treats and where.
pub(crate) fn doctor(picture: &Picture, doctor: &Doctor, text: &str) -> Option<Rank> {
    let typed = fold(text);
    if typed.is_empty() {
        return None;
    }
    let named = best([
        within(&doctor.name.zh, &typed),
        from_start(&doctor.initials, &typed),
        from_start(&doctor.pinyin, &typed),
        by_word(&doctor.name.en, &typed),
    ]);
    let aside = || {
        let treats =
            best([within(&doctor.specialities.zh, &typed), by_word(&doctor.specialities.en, &typed)]);
        let works = doctor.departments.iter().filter_map(|id| picture.department(*id));
        best([treats, best(works.map(|d| department(d, text)))]).map(|rank| rank + ASIDE)
    };
    named.or_else(aside)
}

/// Departments and doctors that answer to `text`, the best first; at most 50 in all.
pub(crate) fn search(picture: &Picture, now: UnixMs, text: &str) -> Found {
    let view = View::new(picture, now);
    let mut departments: Vec<_> =
        picture.departments.iter().filter_map(|d| Some((department(d, text)?, d))).collect();
    departments.sort_by_key(|(rank, d)| (*rank, d.name.zh.chars().count()));
    let mut doctors: Vec<_> =
        picture.doctors.iter().filter_map(|d| Some((doctor(picture, d, text)?, d))).collect();
    doctors.sort_by_key(|(rank, d)| (*rank, d.title));
    let departments = departments.into_iter().take(MOST_DEPARTMENTS).map(|(_, d)| view.department(d));
    let doctors = doctors.into_iter().filter_map(|(_, d)| view.summary(d, &Filter::default()));
    Found { departments: departments.collect(), doctors: doctors.take(MOST_DOCTORS).collect() }
}
