//! What is to be planned, and what can be wrong with it.

use base::{Date, Fen, Field, HalfDay, Text2, UnixMs};

use crate::model::{CampusId, ClinicKind, DepartmentId, DoctorId, Title};
use crate::rules::{Segment, check_segments};

/// Nobody pays more than this for one visit; a larger number is a slip of the hand (yuan typed as fen).
const HIGHEST_FEE: Fen = Fen(1_000_000);
/// No segment of half an hour has more places.
pub(super) const MOST_PLACES: u32 = 500;
const LONGEST_CODE: usize = 40;
const LONGEST_NAME: usize = 100;
const LONGEST_TEXT: usize = 4_000;

/// A campus to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCampus {
    /// The hospital's own code: what makes it the same campus next time.
    pub code: String,
    /// Its name.
    pub name: Text2,
    /// Where it is; may be empty.
    pub address: Text2,
    /// Its place in lists.
    pub position: u32,
}

/// A department to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDepartment {
    /// The hospital's own code: what makes it the same department next time.
    pub code: String,
    /// The department above it; none on the first level.
    pub parent: Option<DepartmentId>,
    /// Its name.
    pub name: Text2,
    /// What it treats; may be empty.
    pub intro: Text2,
    /// Pinyin initials of the Chinese name, lower case: `xnk`. May be empty.
    pub initials: String,
    /// The whole pinyin without spaces: `xinneike`. May be empty.
    pub pinyin: String,
    /// Only for children: below the age that the hospital sets, 18 as a rule.
    pub child_only: bool,
    /// Only for those who are no children any more.
    pub adult_only: bool,
    /// Its place in lists.
    pub position: u32,
}

/// A doctor to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDoctor {
    /// The hospital's own code (staff number): what makes it the same doctor next time.
    pub code: String,
    /// Name.
    pub name: Text2,
    /// Pinyin initials of the Chinese name, lower case. May be empty.
    pub initials: String,
    /// The whole pinyin without spaces. May be empty.
    pub pinyin: String,
    /// Title.
    pub title: Title,
    /// What the doctor is known for, in a line; may be empty.
    pub specialities: Text2,
    /// The introduction; may be empty.
    pub introduction: Text2,
    /// The address of a photo: a path of ours or https.
    pub photo_url: Option<String>,
    /// The departments, at least one; the first stands beside the name.
    pub departments: Vec<DepartmentId>,
    /// The place in lists, within a title.
    pub position: u32,
}

/// A segment of a new clinic with its places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewSlot {
    /// When.
    pub segment: Segment,
    /// How many places.
    pub capacity: u32,
}

/// A clinic to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewClinic {
    /// The department …
    pub department: DepartmentId,
    /// … and the doctor, who must belong to it; none for a clinic without a named doctor.
    pub doctor: Option<DoctorId>,
    /// Where.
    pub campus: CampusId,
    /// On which date.
    pub date: Date,
    /// In which half of it.
    pub half_day: HalfDay,
    /// The kind of clinic.
    pub kind: ClinicKind,
    /// Whether it is held over the network rather than on site.
    pub online: bool,
    /// What a place costs.
    pub fee: Fen,
    /// The consulting room, when it is known.
    pub room: Option<Text2>,
    /// The segments, in order; [`crate::plan::segments`] cuts a sitting into them.
    pub slots: Vec<NewSlot>,
    /// From when places can be had, a whole minute; by the hospital's release rules when not given.
    pub opens_at: Option<UnixMs>,
    /// Until when, a whole minute; by the hospital's cut-off when not given.
    pub closes_at: Option<UnixMs>,
}

impl NewClinic {
    /// The segments with the same number of places in each.
    #[must_use]
    pub fn slots(segments: &[Segment], capacity: u32) -> Vec<NewSlot> {
        segments.iter().map(|segment| NewSlot { segment: *segment, capacity }).collect()
    }
}

pub(crate) fn fault(field: &str, code: &'static str, zh: &str, en: &str) -> Field {
    Field { field: field.to_owned(), code, detail: Text2::new(zh, en) }
}

fn code(faults: &mut Vec<Field>, text: &str) {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    if text.is_empty() || text.len() > LONGEST_CODE || !text.bytes().all(plain) {
        let (zh, en) =
            ("编码应为 1 到 40 位字母、数字或 - _ .", "a code is 1 to 40 letters, digits or - _ .");
        faults.push(fault("code", "wrong_value", zh, en));
    }
}

pub(super) fn name(faults: &mut Vec<Field>, field: &str, text: &Text2) {
    let fine = |t: &str| !t.trim().is_empty() && t.chars().count() <= LONGEST_NAME;
    if !fine(&text.zh) || !fine(&text.en) {
        let (zh, en) =
            ("中英文都要填写，各不超过 100 字", "is needed in both languages, at most 100 characters each");
        faults.push(fault(field, "wrong_value", zh, en));
    }
}

/// Texts that may be empty, but not in one language alone.
fn prose(faults: &mut Vec<Field>, field: &str, text: &Text2) {
    let short = |t: &str| t.chars().count() <= LONGEST_TEXT;
    if text.zh.trim().is_empty() != text.en.trim().is_empty() || !short(&text.zh) || !short(&text.en) {
        let (zh, en) = (
            "中英文要么都填，要么都不填，各不超过 4000 字",
            "is given in both languages or in none, at most 4,000 characters each",
        );
        faults.push(fault(field, "wrong_value", zh, en));
    }
}

fn letters(faults: &mut Vec<Field>, field: &str, text: &str) {
    if text.len() > LONGEST_NAME || !text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
        let (zh, en) = ("只能是小写字母和数字", "consists of lower-case letters and digits only");
        faults.push(fault(field, "wrong_value", zh, en));
    }
}

pub(super) fn reason_faults(reason: &Text2) -> Vec<Field> {
    let mut faults = Vec::new();
    name(&mut faults, "reason", reason);
    faults
}

impl NewCampus {
    pub(super) fn faults(&self) -> Vec<Field> {
        let mut faults = Vec::new();
        code(&mut faults, &self.code);
        name(&mut faults, "name", &self.name);
        prose(&mut faults, "address", &self.address);
        faults
    }
}

impl NewDepartment {
    pub(super) fn faults(&self) -> Vec<Field> {
        let mut faults = Vec::new();
        code(&mut faults, &self.code);
        name(&mut faults, "name", &self.name);
        prose(&mut faults, "intro", &self.intro);
        letters(&mut faults, "initials", &self.initials);
        letters(&mut faults, "pinyin", &self.pinyin);
        if self.child_only && self.adult_only {
            let (zh, en) =
                ("不能既限儿童又限成人", "a department is not for children only and for adults only at once");
            faults.push(fault("child_only", "contradiction", zh, en));
        }
        faults
    }
}

impl NewDoctor {
    pub(super) fn faults(&self) -> Vec<Field> {
        let mut faults = Vec::new();
        code(&mut faults, &self.code);
        name(&mut faults, "name", &self.name);
        prose(&mut faults, "specialities", &self.specialities);
        prose(&mut faults, "introduction", &self.introduction);
        letters(&mut faults, "initials", &self.initials);
        letters(&mut faults, "pinyin", &self.pinyin);
        let address = |url: &String| {
            let ours = url.starts_with('/') && !url.starts_with("//");
            (ours || url.starts_with("https://")) && url.len() <= 500 && !url.contains(char::is_whitespace)
        };
        if !self.photo_url.as_ref().is_none_or(address) {
            let (zh, en) = ("照片地址应为本站路径或 https", "a photo is a path of this site or https");
            faults.push(fault("photo_url", "wrong_value", zh, en));
        }
        let twice =
            (1..).zip(&self.departments).any(|(next, d)| self.departments.iter().skip(next).any(|o| o == d));
        if self.departments.is_empty() || twice {
            let (zh, en) = ("至少一个科室，且不重复", "at least one department, each once");
            faults.push(fault("departments", "wrong_value", zh, en));
        }
        faults
    }
}

impl NewClinic {
    pub(crate) fn faults(&self) -> Vec<Field> {
        let mut faults = Vec::new();
        if let Some(room) = &self.room {
            name(&mut faults, "room", room);
        }
        if self.fee < Fen::ZERO || self.fee > HIGHEST_FEE {
            let (zh, en) = ("费用应在 0 到 10000 元之间", "a fee is 0 to 10,000 yuan");
            faults.push(fault("fee", "wrong_value", zh, en));
        }
        let segments: Vec<Segment> = self.slots.iter().map(|s| s.segment).collect();
        if let Err(error) = check_segments(&segments) {
            let zh = "时段应按先后排列、互不重叠，每段不超过 30 分钟";
            faults.push(fault("slots", "wrong_value", zh, &error.to_string()));
        }
        if self.slots.iter().any(|s| s.capacity > MOST_PLACES) {
            let (zh, en) = ("每个时段最多 500 个号", "a segment has at most 500 places");
            faults.push(fault("slots", "too_many", zh, en));
        }
        for (field, at) in [("opens_at", self.opens_at), ("closes_at", self.closes_at)] {
            if at.is_some_and(|at| at.0 % 60_000 != 0) {
                faults.push(fault(field, "wrong_value", "应为整分钟", "must be a whole minute"));
            }
        }
        faults
    }
}
