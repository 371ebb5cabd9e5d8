//! The words of the schedule: ids, kinds, states, and the facts that other crates are given.

use base::{Date, Fen, HalfDay, Text2, UnixMs, WallTime};

pub use crate::wire::NextFree;

store::typed_id! {
    /// A campus: a site of the hospital.
    CampusId = "cmp";
    /// A department, of the first or the second level.
    DepartmentId = "dep";
    /// A doctor.
    DoctorId = "doc";
    /// One sitting of a doctor or a department: campus, date, half day, kind.
    ClinicId = "cln";
    /// A time segment of a clinic, at most 30 minutes.
    SlotId = "slt";
    /// A change of a clinic that patients must hear of.
    ChangeId = "chg";
}

store::text_enum! {
    /// The kind of a clinic; its fee follows from it.
    #[derive(utoipa::ToSchema)]
    pub enum ClinicKind {
        /// 普通门诊: any doctor of the department, or a named one without an expert's fee.
        General = "general",
        /// 专家门诊: a named specialist.
        Specialist = "specialist",
        /// 特需门诊: a named expert, longer time, higher fee.
        Special = "special",
    }
}

impl ClinicKind {
    /// What people call it.
    #[must_use]
    pub fn name(self) -> Text2 {
        match self {
            Self::General => Text2::new("普通门诊", "General clinic"),
            Self::Specialist => Text2::new("专家门诊", "Specialist clinic"),
            Self::Special => Text2::new("特需门诊", "Premium clinic"),
        }
    }
}

/// A physician's title (code of the national data set, `1` to `5`, the highest first).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Title {
    /// 主任医师
    Chief,
    /// 副主任医师
    AssociateChief,
    /// 主治医师
    Attending,
    /// 医师 (住院医师)
    Resident,
    /// 医士
    Assistant,
}

impl Title {
    /// Every title, the highest first.
    pub const ALL: [Self; 5] =
        [Self::Chief, Self::AssociateChief, Self::Attending, Self::Resident, Self::Assistant];

    /// The code of the data set, 1 to 5.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Chief => 1,
            Self::AssociateChief => 2,
            Self::Attending => 3,
            Self::Resident => 4,
            Self::Assistant => 5,
        }
    }

    /// Reads [`Self::code`].
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.code() == code)
    }

    /// What stands beside the doctor's name.
    #[must_use]
    pub fn name(self) -> Text2 {
        match self {
            Self::Chief => Text2::new("主任医师", "Chief Physician"),
            Self::AssociateChief => Text2::new("副主任医师", "Associate Chief Physician"),
            Self::Attending => Text2::new("主治医师", "Attending Physician"),
            Self::Resident => Text2::new("住院医师", "Resident Physician"),
            Self::Assistant => Text2::new("医士", "Assistant Physician"),
        }
    }
}

impl store::ToValue for Title {
    const NULL: store::Value = store::Value::Int(None);
    fn to_value(self) -> store::Value {
        store::Value::Int(Some(self.code().into()))
    }
}

impl store::FromValue for Title {
    fn from_value(value: &store::Value) -> Result<Self, String> {
        let code = u8::from_value(value)?;
        Self::from_code(code).ok_or_else(|| format!("{code} is no title"))
    }
}

/// A slot as the board in memory knows it: at most a second old. The booking desk decides by [`crate::stock::Stock`],
/// which is the truth under a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotFacts {
    /// The slot …
    pub slot: SlotId,
    /// … of this clinic …
    pub clinic: ClinicId,
    /// … of this doctor, if it has a named one …
    pub doctor: Option<DoctorId>,
    /// … in this department …
    pub department: DepartmentId,
    /// … at this campus.
    pub campus: CampusId,
    /// The hospital's date of the sitting.
    pub date: Date,
    /// Its half day.
    pub half_day: HalfDay,
    /// Its kind.
    pub kind: ClinicKind,
    /// Whether it is held over the network rather than on site.
    pub online: bool,
    /// What a place costs.
    pub fee: Fen,
    /// When the segment starts, by the hospital's clocks …
    pub start: WallTime,
    /// … and ends.
    pub end: WallTime,
    /// The same start as an instant …
    pub start_at: UnixMs,
    /// … and end.
    pub end_at: UnixMs,
    /// From when places can be had.
    pub opens_at: UnixMs,
    /// Until when: the clinic's cut-off on its day.
    pub closes_at: UnixMs,
    /// The clinic does not take place.
    pub stopped: bool,
    /// How many places there are …
    pub capacity: i64,
    /// … and how many are gone.
    pub taken: i64,
    /// Only for children: below the age that the hospital sets, 18 as a rule.
    pub child_only: bool,
    /// Only for those who are no children any more.
    pub adult_only: bool,
}

/// What stands on an appointment's card, in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// The slot …
    pub slot: SlotId,
    /// … and its clinic.
    pub clinic: ClinicId,
    /// The doctor, if the clinic has a named one …
    pub doctor: Option<DoctorId>,
    /// … with name …
    pub doctor_name: Option<Text2>,
    /// … and title.
    pub title: Option<Title>,
    /// The department …
    pub department: DepartmentId,
    /// … with its name.
    pub department_name: Text2,
    /// The campus …
    pub campus: CampusId,
    /// … with its name …
    pub campus_name: Text2,
    /// … and address.
    pub campus_address: Text2,
    /// The consulting room, when it is known.
    pub room: Option<Text2>,
    /// The kind of clinic.
    pub kind: ClinicKind,
    /// Whether it is held over the network.
    pub online: bool,
    /// The date.
    pub date: Date,
    /// The half day.
    pub half_day: HalfDay,
    /// The segment's start …
    pub start: WallTime,
    /// … and end by the hospital's clocks …
    pub end: WallTime,
    /// … and as instants.
    pub start_at: UnixMs,
    /// See `start_at`.
    pub end_at: UnixMs,
    /// What a place costs.
    pub fee: Fen,
    /// Until when places can be had.
    pub closes_at: UnixMs,
    /// The clinic does not take place.
    pub stopped: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_have_the_codes_of_the_data_set() {
        for title in Title::ALL {
            assert_eq!(Title::from_code(title.code()), Some(title));
        }
        assert_eq!((Title::from_code(0), Title::from_code(6)), (None, None));
        assert!(Title::Chief < Title::Assistant);
    }
}
