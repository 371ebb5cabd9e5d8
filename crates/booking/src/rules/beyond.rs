//! Places beyond the plan: numbers that the doctor adds, and the free return visit for results. Pure, like all rules.
//!
//! An added number is judged like any booking, but for what the doctor decides: that the segment is full, when it was released, and
//! that online booking has closed. A return visit (一次挂号管三天; the published rule of Shenzhen and Guangdong, `health.md` 1.3) belongs to
//! a registration that was paid: same campus and department, a doctor of the same or a lower grade, within so many calendar
//! days, once; it counts for no limit.

use base::{Date, UnixMs};
use jiff::ToSpan as _;
use schedule::stock::Stock;
use schedule::{ClinicKind, Title};

use super::{Now, eligible, over_limits};
use crate::model::{Appointment, DeskRules, Known, NoReturn, Refusal, Request, State, Visit};

/// All reasons against adding a number.
pub(crate) fn add_on(request: &Request, stock: &Stock, known: &[Known], now: &Now<'_>) -> Vec<Refusal> {
    let mut reasons = Vec::new();
    reasons.extend(takes_place(stock, now.at));
    reasons.extend(eligible(&request.person, stock, now.limits));
    let others: Vec<&Known> = known.iter().filter(|k| k.counts()).collect();
    reasons.extend(over_limits(stock, &others, now.limits));
    reasons
}

/// A segment that was called off or is over can't be gone to.
pub(crate) fn takes_place(stock: &Stock, now: UnixMs) -> Option<Refusal> {
    if stock.stopped {
        Some(Refusal::Stopped)
    } else if now >= stock.end_at {
        Some(Refusal::Closed)
    } else {
        None
    }
}

/// A sitting's grade: the sort of clinic and, where it has a named doctor, their title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grade {
    pub(crate) kind: ClinicKind,
    pub(crate) title: Option<Title>,
}

impl Grade {
    /// Whether somebody who paid for `self` may be seen at `other` without paying again.
    fn covers(self, other: Self) -> bool {
        let dear = |kind| match kind {
            ClinicKind::General => 0,
            ClinicKind::Specialist => 1,
            ClinicKind::Special => 2,
        };
        // A clinic without a named doctor is staffed by attending physicians and below.
        let title = |of: Option<Title>| of.unwrap_or(Title::Attending);
        dear(other.kind) <= dear(self.kind) && title(other.title) >= title(self.title)
    }
}

/// What decides about a return visit.
pub(crate) struct Return<'a> {
    /// The visit that it comes back to …
    pub(crate) origin: &'a Appointment,
    /// … and its grade.
    pub(crate) paid: Grade,
    /// The title of the doctor that is gone to.
    pub(crate) title: Option<Title>,
    /// How many return visits that segment has.
    pub(crate) in_segment: u32,
    /// Staff extend the days: a result takes longer, holidays lie between.
    pub(crate) extended: bool,
    /// The person makes it themselves.
    pub(crate) by_person: bool,
    /// The desk's rules.
    pub(crate) rules: &'a DeskRules,
}

/// The last date of a registration's return visit.
#[must_use]
pub(crate) fn last_date(origin: Date, days: u32) -> Date {
    origin.checked_add(i64::from(days.max(1) - 1).days()).unwrap_or(Date::MAX)
}

/// Why a visit can't have a return visit, wherever that would be.
pub(crate) fn no_return_of(origin: &Appointment) -> Option<NoReturn> {
    if origin.marks.visit == Visit::ReturnVisit {
        Some(NoReturn::OfReturn)
    } else {
        (origin.state != State::Seen).then_some(NoReturn::NotSeen)
    }
}

/// All reasons against a return visit in a segment.
pub(crate) fn return_visit(one: &Return<'_>, stock: &Stock, now: UnixMs) -> Vec<Refusal> {
    let mut no = Vec::new();
    no.extend(no_return_of(one.origin));
    let until = last(one);
    if one.by_person && one.origin.marks.return_until.is_none() {
        no.push(NoReturn::NotAllowed);
    } else if stock.date > until || stock.date < one.origin.date {
        no.push(NoReturn::Over { until });
    }
    if stock.campus != one.origin.campus || stock.department != one.origin.department {
        no.push(NoReturn::Elsewhere);
    }
    if !one.paid.covers(Grade { kind: stock.kind, title: one.title }) {
        no.push(NoReturn::Higher);
    }
    let mut reasons: Vec<Refusal> = no.into_iter().map(Refusal::NoReturn).collect();
    reasons.extend(takes_place(stock, now));
    if one.in_segment >= one.rules.return_per_segment {
        reasons.push(Refusal::Full);
    }
    reasons
}

/// The last date on which it can be.
pub(crate) fn last(one: &Return<'_>) -> Date {
    let usual = last_date(one.origin.date, one.rules.return_days);
    let allowed = one.origin.marks.return_until;
    if one.by_person {
        allowed.unwrap_or(usual)
    } else if one.extended {
        last_date(one.origin.date, one.rules.return_days_longest.max(one.rules.return_days))
    } else {
        allowed.map_or(usual, |until| until.max(usual))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grade(kind: ClinicKind, title: Option<Title>) -> Grade {
        Grade { kind, title }
    }

    #[test]
    fn one_goes_back_to_the_same_or_a_lower_grade() {
        use ClinicKind::{General, Special, Specialist};
        let chief = grade(Specialist, Some(Title::Chief));
        for (paid, other, may) in [
            (chief, chief, true),
            (chief, grade(Specialist, Some(Title::AssociateChief)), true),
            (chief, grade(General, None), true),
            (chief, grade(General, Some(Title::Resident)), true),
            (chief, grade(Special, Some(Title::Chief)), false),
            (grade(Specialist, Some(Title::AssociateChief)), chief, false),
            (grade(General, None), grade(General, None), true),
            (grade(General, None), grade(General, Some(Title::Attending)), true),
            (grade(General, None), grade(General, Some(Title::Chief)), false),
            (grade(General, None), grade(Specialist, Some(Title::Attending)), false),
            (grade(General, Some(Title::Resident)), grade(General, None), false),
        ] {
            assert_eq!(paid.covers(other), may, "{paid:?} → {other:?}");
        }
    }

    #[test]
    fn three_days_are_the_day_itself_and_two_more() {
        let date = |text: &str| text.parse::<Date>().unwrap();
        assert_eq!(last_date(date("2026-11-30"), 3), date("2026-12-02"));
        assert_eq!(last_date(date("2026-11-30"), 1), date("2026-11-30"));
        assert_eq!(
            last_date(date("2026-11-30"), 0),
            date("2026-11-30"),
            "a mistaken setting still has the day itself"
        );
    }
}
