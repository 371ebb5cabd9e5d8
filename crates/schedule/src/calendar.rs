//! Which days people work: public holidays, the weekend days that are worked in their place (调休), and plain weekends.
//!
//! The State Council announces a year late in the year before; so years are data. Three are shipped ([`Calendar::shipped`],
//! `calendar/shipped.json`), others are loaded per hospital ([`load`]) in the same shape. A year that nobody has loaded has
//! weekends only, and [`Calendar::knows`] says so.

use std::collections::{BTreeMap, BTreeSet};

use base::{Date, Field, HospitalId, UnixMs};
use edge::Caller;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::value::Row;
use store::{Db, Tx, args};

use crate::plan::{PlanError, fault};
use crate::store::calendar as sql;

/// What sort of day it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayKind {
    /// Monday to Friday, not a holiday.
    Workday,
    /// Saturday or Sunday.
    Weekend,
    /// Off by the notice of the year, weekend days within it too.
    Holiday,
    /// A weekend day that is worked in place of a holiday.
    MakeUp {
        /// As which weekday (1 Monday to 7 Sunday) the hospital runs it, when that is known.
        stands_for: Option<u8>,
    },
}

impl DayKind {
    /// Whether people work.
    #[must_use]
    pub fn is_workday(self) -> bool {
        matches!(self, Self::Workday | Self::MakeUp { .. })
    }
}

/// A year as it is announced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CalendarYear)]
pub struct Year {
    /// Days off by the notice, with the weekend days that lie within them.
    #[schema(value_type = Vec<String>)]
    pub days_off_by_notice: BTreeSet<Date>,
    /// Weekend days that are worked.
    #[schema(value_type = Vec<String>)]
    pub make_up_workdays: BTreeSet<Date>,
    /// How many days of the year are worked; checks the rest.
    #[serde(default)]
    pub workdays_in_year: Option<u16>,
    /// Days on which work is paid threefold.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub statutory: BTreeSet<Date>,
    /// As which weekday (1 Monday to 7 Sunday) a day that is worked runs in this hospital.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, u8>)]
    pub stands_for: BTreeMap<Date, u8>,
}

/// A file of years.
#[derive(Debug, Clone, Default, Deserialize)]
struct File {
    years: BTreeMap<i16, Year>,
    #[serde(default)]
    statutory: BTreeMap<i16, BTreeSet<Date>>,
}

/// The weekday of a date: 1 Monday to 7 Sunday.
#[must_use]
pub fn weekday(date: Date) -> u8 {
    date.weekday().to_monday_one_offset().unsigned_abs()
}

fn every_day(year: i16) -> impl Iterator<Item = Date> {
    let first = jiff::civil::date(year, 1, 1);
    std::iter::successors(Some(first), |d| d.tomorrow().ok()).take_while(move |d| d.year() == year)
}

impl Year {
    /// All that is wrong with it.
    #[must_use]
    pub fn faults(&self, year: i16) -> Vec<Field> {
        let mut faults = Vec::new();
        let lists = [
            ("days_off_by_notice", &self.days_off_by_notice),
            ("make_up_workdays", &self.make_up_workdays),
            ("statutory", &self.statutory),
        ];
        for (field, days) in lists {
            if let Some(day) = days.iter().find(|d| d.year() != year) {
                let (zh, en) = (format!("{day} 不在 {year} 年"), format!("{day} is not in {year}"));
                faults.push(fault(field, "other_year", &zh, &en));
            }
        }
        if let Some(day) = self.make_up_workdays.iter().find(|d| weekday(**d) < 6) {
            let (zh, en) = (format!("{day} 本来就是工作日"), format!("{day} is a working day anyway"));
            faults.push(fault("make_up_workdays", "no_weekend", &zh, &en));
        }
        if let Some(day) = self.make_up_workdays.intersection(&self.days_off_by_notice).next() {
            let (zh, en) = (format!("{day} 既放假又上班"), format!("{day} is both off and worked"));
            faults.push(fault("make_up_workdays", "contradiction", &zh, &en));
        }
        if let Some(day) = self.statutory.difference(&self.days_off_by_notice).next() {
            let (zh, en) = (format!("{day} 是法定节假日但不放假"), format!("{day} is statutory but not off"));
            faults.push(fault("statutory", "not_off", &zh, &en));
        }
        let odd = |(day, as_day): &(&Date, &u8)| {
            !self.make_up_workdays.contains(*day) || !(1..=7).contains(*as_day)
        };
        if self.stands_for.iter().any(|one| odd(&one)) {
            let (zh, en) =
                ("只有调休上班日可以指定按周几出诊", "only days that are worked stand for a weekday, 1 to 7");
            faults.push(fault("stands_for", "wrong_value", zh, en));
        }
        let counted = every_day(year).filter(|d| self.kind(*d).is_workday()).count();
        if let Some(said) = self.workdays_in_year
            && usize::from(said) != counted
        {
            let zh = format!("按名单全年应有 {counted} 个工作日，不是 {said} 个");
            let en = format!("by its lists the year has {counted} working days, not {said}");
            faults.push(fault("workdays_in_year", "wrong_sum", &zh, &en));
        }
        faults
    }

    fn kind(&self, date: Date) -> DayKind {
        if self.days_off_by_notice.contains(&date) {
            DayKind::Holiday
        } else if self.make_up_workdays.contains(&date) {
            DayKind::MakeUp { stands_for: self.stands_for.get(&date).copied() }
        } else if weekday(date) >= 6 {
            DayKind::Weekend
        } else {
            DayKind::Workday
        }
    }
}

/// The years that are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendar(BTreeMap<i16, Year>);

impl Calendar {
    /// The years that the program brings along: 2024 to 2026.
    #[must_use]
    pub fn shipped() -> Self {
        // A file of our own that a test reads; were it ever wrong, plain weekends would hold.
        Self::read(include_str!("calendar/shipped.json")).unwrap_or_default()
    }

    /// Reads a file of years: `{"years": {"2026": {"days_off_by_notice": […], "make_up_workdays": […]}}}`.
    ///
    /// # Errors
    /// [`PlanError::Invalid`] with all that is wrong.
    pub fn read(text: &str) -> Result<Self, PlanError> {
        let file: File = serde_json::from_str(text).map_err(|error| {
            let said = error.to_string();
            PlanError::Invalid(vec![fault("file", "unreadable", &format!("文件格式不对：{said}"), &said)])
        })?;
        let mut years = file.years;
        for (year, days) in file.statutory {
            if let Some(known) = years.get_mut(&year) {
                known.statutory.extend(days);
            }
        }
        let faults: Vec<Field> = years.iter().flat_map(|(year, content)| content.faults(*year)).collect();
        if faults.is_empty() { Ok(Self(years)) } else { Err(PlanError::Invalid(faults)) }
    }

    /// Its years.
    pub fn years(&self) -> impl Iterator<Item = (i16, &Year)> {
        self.0.iter().map(|(year, content)| (*year, content))
    }

    /// Whether the year of this date is known, rather than guessed from weekends.
    #[must_use]
    pub fn knows(&self, date: Date) -> bool {
        self.0.contains_key(&date.year())
    }

    /// What sort of day a date is.
    #[must_use]
    pub fn kind(&self, date: Date) -> DayKind {
        match self.0.get(&date.year()) {
            Some(year) => year.kind(date),
            None => Year::default().kind(date),
        }
    }

    /// Whether work on this day is paid threefold, as far as the year says.
    #[must_use]
    pub fn is_statutory(&self, date: Date) -> bool {
        self.0.get(&date.year()).is_some_and(|year| year.statutory.contains(&date))
    }
}

/// A year that a hospital has loaded.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Which.
    pub year: i16,
    /// What it says.
    pub content: Year,
    /// By whom it was loaded …
    pub by: String,
    /// … and when.
    pub at: UnixMs,
}

/// The years that a hospital has loaded itself.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn loaded(db: &Db, hospital: HospitalId) -> store::Result<Vec<Loaded>> {
    let mut years = Vec::new();
    for row in db.all::<Row>(sql::YEARS, args![hospital]).await? {
        let content: String = row.get("content")?;
        let content = serde_json::from_str(&content)
            .map_err(|e| store::StoreError::Decode { column: "content".into(), what: e.to_string() })?;
        let (year, by, at) = (row.get::<i16>("year")?, row.get("loaded_by")?, row.get("loaded_at")?);
        years.push(Loaded { year, content, by, at });
    }
    Ok(years)
}

/// The calendar that holds for a hospital: the shipped years, and over them those that it has loaded.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn of_hospital(db: &Db, hospital: HospitalId) -> store::Result<Calendar> {
    let mut calendar = Calendar::shipped();
    calendar.0.extend(loaded(db, hospital).await?.into_iter().map(|one| (one.year, one.content)));
    Ok(calendar)
}

/// Loads a year for a hospital; what was loaded of it before is replaced. Clinics that were made already stay as they are:
/// the template's preview names those that differ.
///
/// # Errors
/// [`PlanError::Invalid`] with all that is wrong, [`PlanError::Store`].
pub async fn load(tx: &mut Tx, caller: &Caller, year: i16, content: &Year) -> Result<(), PlanError> {
    let mut faults = content.faults(year);
    if !(2000..=2100).contains(&year) {
        faults.push(fault("year", "wrong_value", "年份应在 2000 到 2100 之间", "a year is 2000 to 2100"));
    }
    if !faults.is_empty() {
        return Err(PlanError::Invalid(faults));
    }
    let text = serde_json::to_value(content).unwrap_or_default();
    let (now, by) = (tx.now(), caller.actor.to_string());
    tx.exec(sql::LOAD_YEAR, args![caller.hospital.id, year, text, by, now]).await?;
    let detail = json!({
        "days_off": content.days_off_by_notice.len(), "worked": content.make_up_workdays.len(),
    });
    tx.audit(caller.audit("schedule.calendar", format!("calendar_{year}"), detail)).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
