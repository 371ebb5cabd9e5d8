//! Clinics that come again: every week, in odd or even weeks, or every so many weeks from a start.
//!
//! A [`Template`] says on which weekday who sits where, in which segments. [`generate`] makes its clinics days ahead, each
//! once per template and date, however often and on however many nodes it runs. What a person changed on a clinic stays;
//! when the template changes, [`differ`] shows which clinics differ, and applies it to those that nobody has booked (or
//! raises their places only).

pub mod differ;
pub mod generate;
mod keep;

use base::{Date, Fen, Field, HalfDay, Text2, WallTime};
use edge::schema::Text2Schema;
use serde::{Deserialize, Serialize};
use store::value::{FromRow, Row};
use store::{Result, StoreError};
use utoipa::ToSchema;

pub use self::keep::{add, change, delete_exception, exceptions, list, put_exception, read, retire};
use crate::calendar::{DayKind, weekday};
use crate::model::{CampusId, ClinicKind, DepartmentId, DoctorId};
use crate::plan::{NewClinic, NewSlot, fault};
use crate::rules::Segment;

store::typed_id! {
    /// A clinic that comes again.
    TemplateId = "tpl";
}

store::text_enum! {
    /// In which weeks a template's clinic takes place.
    #[derive(ToSchema)]
    #[schema(as = TemplateWeeks)]
    pub enum Weeks {
        /// Every week.
        Every = "every",
        /// In odd weeks of the ISO calendar (单周). Two odd weeks follow each other where a year has 53.
        Odd = "odd",
        /// In even weeks of the ISO calendar (双周).
        Even = "even",
        /// Every `every_weeks` weeks, counted from the week of `valid_from`.
        Counted = "counted",
    }
}

store::text_enum! {
    /// What a template does on public holidays.
    #[derive(ToSchema)]
    pub enum Holidays {
        /// There is no clinic.
        Closed = "closed",
        /// The clinic takes place as in any week.
        Open = "open",
    }
}

store::text_enum! {
    /// What a template does on a weekend day that is worked (调休上班).
    #[derive(ToSchema)]
    pub enum MakeUp {
        /// It goes by the weekday that the calendar names for that day; by the day's own where it names none.
        Follow = "follow",
        /// It goes by the day's own weekday: a Sunday clinic takes place.
        Own = "own",
        /// There is no clinic.
        Closed = "closed",
    }
}

/// A time segment with its places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SegmentPlaces {
    /// From when, by the hospital's clocks …
    #[schema(value_type = String)]
    pub start: WallTime,
    /// … until when; at most 30 minutes.
    #[schema(value_type = String)]
    pub end: WallTime,
    /// How many places.
    pub capacity: u32,
}

impl From<SegmentPlaces> for NewSlot {
    fn from(one: SegmentPlaces) -> Self {
        Self { segment: Segment { start: one.start, end: one.end }, capacity: one.capacity }
    }
}

fn every_week() -> u8 {
    1
}

/// A clinic that comes again, as staff write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTemplate {
    /// The department …
    #[schema(value_type = String)]
    pub department_id: DepartmentId,
    /// … and the doctor, who must belong to it; none for a clinic without a named doctor.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub doctor_id: Option<DoctorId>,
    /// Where.
    #[schema(value_type = String)]
    pub campus_id: CampusId,
    /// On which day of the week: 1 Monday to 7 Sunday.
    #[schema(minimum = 1, maximum = 7)]
    pub weekday: u8,
    /// In which weeks.
    pub weeks: Weeks,
    /// With `counted`: every so many weeks, 1 to 12.
    #[serde(default = "every_week")]
    #[schema(minimum = 1, maximum = 12)]
    pub every_weeks: u8,
    /// In which half of the day.
    #[schema(value_type = String)]
    pub half_day: HalfDay,
    /// The kind of clinic.
    pub kind: ClinicKind,
    /// Whether it is held over the network rather than on site.
    #[serde(default)]
    pub online: bool,
    /// What a place costs.
    #[schema(value_type = i64)]
    pub fee_fen: Fen,
    /// The consulting room, when it is known.
    #[serde(default)]
    #[schema(value_type = Option<Text2Schema>)]
    pub room: Option<Text2>,
    /// The segments, in order.
    pub segments: Vec<SegmentPlaces>,
    /// How many minutes before the end its places are no longer given out on the same day; the hospital's setting when
    /// not given.
    #[serde(default)]
    pub cutoff_minutes: Option<u16>,
    /// The first date …
    #[schema(value_type = String, format = Date)]
    pub valid_from: Date,
    /// … and the last one; none when it goes on.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    pub valid_until: Option<Date>,
    /// What it does on public holidays.
    pub holidays: Holidays,
    /// What it does on weekend days that are worked.
    pub make_up: MakeUp,
}

/// A clinic that comes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Its id.
    pub id: TemplateId,
    /// What it says.
    pub says: NewTemplate,
    /// Whether clinics are made of it.
    pub active: bool,
}

/// A date on which a template's clinic is otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// Of which template.
    pub template: TemplateId,
    /// On which date.
    pub date: Date,
    /// The segments of that date; `None` when there is no clinic.
    pub segments: Option<Vec<SegmentPlaces>>,
    /// Why, for colleagues.
    pub note: String,
}

impl NewTemplate {
    /// Whether the clinic takes place on a date, exceptions aside.
    #[must_use]
    pub fn sits(&self, date: Date, day: DayKind) -> bool {
        let valid = self.valid_from <= date && self.valid_until.is_none_or(|last| date <= last);
        let own = weekday(date);
        let on_its_day = match day {
            DayKind::Workday | DayKind::Weekend => own == self.weekday,
            DayKind::Holiday => self.holidays == Holidays::Open && own == self.weekday,
            DayKind::MakeUp { stands_for } => match self.make_up {
                MakeUp::Closed => false,
                MakeUp::Own => own == self.weekday,
                MakeUp::Follow => stands_for.unwrap_or(own) == self.weekday,
            },
        };
        valid && on_its_day && self.in_week(date)
    }

    fn in_week(&self, date: Date) -> bool {
        let odd = date.iso_week_date().week() % 2 == 1;
        match self.weeks {
            Weeks::Every => true,
            Weeks::Odd => odd,
            Weeks::Even => !odd,
            Weeks::Counted => {
                let monday =
                    |d: Date| d.checked_sub(jiff::Span::new().days(i64::from(weekday(d)) - 1)).unwrap_or(d);
                let days = monday(self.valid_from).until(monday(date)).map_or(0, |span| span.get_days());
                (days / 7) % i32::from(self.every_weeks.max(1)) == 0
            }
        }
    }

    /// The clinic of a date with these segments.
    #[must_use]
    pub fn clinic(&self, date: Date, segments: &[SegmentPlaces]) -> NewClinic {
        NewClinic {
            department: self.department_id,
            doctor: self.doctor_id,
            campus: self.campus_id,
            date,
            half_day: self.half_day,
            kind: self.kind,
            online: self.online,
            fee: self.fee_fen,
            room: self.room.clone(),
            slots: segments.iter().map(|one| NewSlot::from(*one)).collect(),
            opens_at: None,
            closes_at: None,
        }
    }

    /// All that is wrong with it by itself.
    #[must_use]
    pub fn faults(&self) -> Vec<Field> {
        let mut faults = self.clinic(self.valid_from, &self.segments).faults();
        if !(1..=7).contains(&self.weekday) {
            faults.push(fault(
                "weekday",
                "wrong_value",
                "应为 1（周一）到 7（周日）",
                "is 1 (Monday) to 7 (Sunday)",
            ));
        }
        if !(1..=12).contains(&self.every_weeks) {
            faults.push(fault("every_weeks", "wrong_value", "应为 1 到 12 周", "is 1 to 12 weeks"));
        }
        if self.valid_until.is_some_and(|last| last < self.valid_from) {
            let (zh, en) = ("结束日期早于开始日期", "the last date lies before the first");
            faults.push(fault("valid_until", "before_start", zh, en));
        }
        if self.cutoff_minutes.is_some_and(|minutes| minutes > 12 * 60) {
            faults.push(fault("cutoff_minutes", "wrong_value", "最多 720 分钟", "is at most 720 minutes"));
        }
        faults
    }
}

impl Template {
    /// The segments of its clinic on a date, `None` when there is none. What an exception says goes before all else.
    #[must_use]
    pub fn on<'a>(
        &'a self,
        date: Date,
        day: DayKind,
        exception: Option<&'a Exception>,
    ) -> Option<&'a [SegmentPlaces]> {
        match exception {
            Some(other) if self.active => other.segments.as_deref(),
            _ if self.active && self.says.sits(date, day) => Some(&self.says.segments),
            _ => None,
        }
    }
}

fn segments(row: &Row) -> Result<Option<Vec<SegmentPlaces>>> {
    let text: Option<String> = row.get("segments")?;
    let decode = |e: serde_json::Error| StoreError::Decode { column: "segments".into(), what: e.to_string() };
    text.map(|t| serde_json::from_str(&t).map_err(decode)).transpose()
}

impl FromRow for Template {
    fn from_row(row: &Row) -> Result<Self> {
        let room: Option<(String, String)> = row.get::<Option<String>>("room_zh")?.zip(row.get("room_en")?);
        Ok(Self {
            id: row.get("id")?,
            says: NewTemplate {
                department_id: row.get("department_id")?,
                doctor_id: row.get("doctor_id")?,
                campus_id: row.get("campus_id")?,
                weekday: row.get("weekday")?,
                weeks: row.get("weeks")?,
                every_weeks: row.get("every_weeks")?,
                half_day: row.get("half_day")?,
                kind: row.get("kind")?,
                online: row.get("online")?,
                fee_fen: row.get("fee_fen")?,
                room: room.map(|(zh, en)| Text2 { zh, en }),
                segments: segments(row)?.unwrap_or_default(),
                cutoff_minutes: row.get("cutoff_minutes")?,
                valid_from: row.get("valid_from")?,
                valid_until: row.get("valid_until")?,
                holidays: row.get("holidays")?,
                make_up: row.get("make_up")?,
            },
            active: row.get("active")?,
        })
    }
}

impl FromRow for Exception {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            template: row.get("template_id")?,
            date: row.get("date")?,
            segments: segments(row)?,
            note: row.get("note")?,
        })
    }
}

#[cfg(test)]
mod tests;
