//! Decisions about time and stock as pure functions: when places can be had, what state that is, how a sitting is cut
//! into segments.

use base::{Date, UnixMs, WallTime, Zone};
use serde::{Deserialize, Serialize};

use crate::model::{ClinicKind, DepartmentId};

/// No segment is longer than this (the appointment service rules of the health commission: 30 minutes).
pub const LONGEST_SEGMENT: u16 = 30;

/// The settings section `booking`: when places are released and until when they can be had.
///
/// A clinic keeps what held when it was planned; a change holds for clinics that are planned after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReleaseRules {
    /// How many days before the sitting its places are released, and how many days patients are shown. Default 14.
    pub horizon_days: u16,
    /// At which time of that day. Default `07:00`.
    pub release_time: WallTime,
    /// How many minutes before the end of the sitting its places are no longer given out on the same day. Default 30.
    pub cutoff_minutes: u16,
    /// Departments and kinds of clinic for which it is otherwise. Default none.
    pub exceptions: Vec<ReleaseException>,
}

/// Where places are released at another time than elsewhere in the hospital.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseException {
    /// Clinics of this department (not of those below it); of all departments when not given.
    #[serde(default)]
    pub department_id: Option<DepartmentId>,
    /// Clinics of this kind; of all kinds when not given.
    #[serde(default)]
    pub kind: Option<ClinicKind>,
    /// How many days before the sitting.
    pub horizon_days: u16,
    /// At which time of that day.
    pub release_time: WallTime,
}

impl ReleaseRules {
    /// The name of the settings section.
    pub const SECTION: &'static str = "booking";

    /// What holds for clinics of a kind in a department: the exception for both goes before that for the department, this
    /// before that for the kind.
    #[must_use]
    pub fn of(&self, department: DepartmentId, kind: ClinicKind) -> Self {
        let wanted = [(Some(department), Some(kind)), (Some(department), None), (None, Some(kind))];
        let mut found = wanted
            .iter()
            .filter_map(|(d, k)| self.exceptions.iter().find(|e| e.department_id == *d && e.kind == *k));
        match found.next() {
            Some(other) => {
                Self { horizon_days: other.horizon_days, release_time: other.release_time, ..self.clone() }
            }
            None => self.clone(),
        }
    }

    /// The most days that anything is released ahead.
    #[must_use]
    pub fn longest_horizon(&self) -> u16 {
        self.exceptions.iter().map(|e| e.horizon_days).fold(self.horizon_days, u16::max)
    }

    /// From when the places of a sitting can be had.
    #[must_use]
    pub fn opens_at(&self, zone: &Zone, date: Date) -> UnixMs {
        zone.at(days_before(date, self.horizon_days), self.release_time)
    }

    /// Until when they can be had, for a sitting whose last segment ends at `end`.
    #[must_use]
    pub fn closes_at(&self, zone: &Zone, date: Date, end: WallTime) -> UnixMs {
        let cutoff = u64::from(self.cutoff_minutes) * 60;
        zone.at(date, end).minus(std::time::Duration::from_secs(cutoff))
    }
}

impl Default for ReleaseRules {
    fn default() -> Self {
        Self {
            horizon_days: 14,
            release_time: WallTime::from_minutes(7 * 60),
            cutoff_minutes: 30,
            exceptions: Vec::new(),
        }
    }
}

fn days(n: u16) -> jiff::SignedDuration {
    jiff::SignedDuration::from_hours(i64::from(n) * 24)
}

/// The date that lies `n` days earlier; stays at the beginning of the calendar.
#[must_use]
pub fn days_before(date: Date, n: u16) -> Date {
    date.checked_sub(days(n)).unwrap_or(Date::MIN)
}

/// The date that lies `n` days later; stays at the end of the calendar.
#[must_use]
pub fn days_after(date: Date, n: u16) -> Date {
    date.checked_add(days(n)).unwrap_or(Date::MAX)
}

/// A time segment of a sitting, by the hospital's clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Segment {
    /// When it starts.
    pub start: WallTime,
    /// When the next one may start.
    pub end: WallTime,
}

/// Why times can't be the segments of a sitting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SegmentsError {
    /// There are none.
    #[error("a clinic needs at least one segment")]
    None,
    /// One ends when or before it starts.
    #[error("a segment must end after it starts")]
    Backwards,
    /// One is too long.
    #[error("a segment is at most {LONGEST_SEGMENT} minutes long")]
    TooLong,
    /// One starts before the one before it has ended.
    #[error("segments must follow each other without overlapping")]
    Overlap,
    /// A step that gives no segments.
    #[error("the step must be 1 to {LONGEST_SEGMENT} minutes")]
    Step,
}

/// Cuts a sitting into segments of `step_minutes`; the last one is shorter when it does not come out even.
///
/// # Errors
/// [`SegmentsError::Step`] when the step is 0 or above 30, [`SegmentsError::Backwards`] when `from` is not before `to`.
pub fn segments(from: WallTime, to: WallTime, step_minutes: u16) -> Result<Vec<Segment>, SegmentsError> {
    if step_minutes == 0 || step_minutes > LONGEST_SEGMENT {
        return Err(SegmentsError::Step);
    }
    if from >= to {
        return Err(SegmentsError::Backwards);
    }
    let starts = (from.minutes()..to.minutes()).step_by(usize::from(step_minutes));
    Ok(starts
        .map(|start| Segment {
            start: WallTime::from_minutes(start),
            end: WallTime::from_minutes((start + step_minutes).min(to.minutes())),
        })
        .collect())
}

/// Whether these can be the segments of a sitting: in order, none over another, none too long. Gaps (lunch) are fine.
///
/// # Errors
/// The first [`SegmentsError`] found.
pub fn check_segments(segments: &[Segment]) -> Result<(), SegmentsError> {
    if segments.is_empty() {
        return Err(SegmentsError::None);
    }
    for s in segments {
        if s.start >= s.end {
            return Err(SegmentsError::Backwards);
        }
        if s.end.minutes() - s.start.minutes() > LONGEST_SEGMENT {
            return Err(SegmentsError::TooLong);
        }
    }
    if segments.iter().zip(segments.iter().skip(1)).any(|(a, b)| b.start < a.end) {
        return Err(SegmentsError::Overlap);
    }
    Ok(())
}

/// When a clinic's places can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    /// From when.
    pub opens_at: UnixMs,
    /// Until when: the same-day cut-off.
    pub closes_at: UnixMs,
    /// The clinic does not take place.
    pub stopped: bool,
}

impl Hours {
    /// Whether a place in a segment that starts at `start_at` can be had at `now`, if there is one:
    /// `opens_at ≤ now < min(closes_at, start_at)` and not stopped.
    #[must_use]
    pub fn admit(&self, start_at: UnixMs, now: UnixMs) -> bool {
        !self.stopped && self.opens_at <= now && now < self.closes_at.min(start_at)
    }

    /// Whether a place in that segment can be had now or later, as far as time goes.
    #[must_use]
    pub fn ahead(&self, start_at: UnixMs, now: UnixMs) -> bool {
        !self.stopped && now < self.closes_at.min(start_at)
    }
}

/// How a slot stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SlotState {
    /// A place can be had now.
    Open,
    /// It would be the time, but all places are gone.
    Full,
    /// It is not the time: not released yet, over, or stopped.
    Closed,
}

/// How a clinic stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClinicState {
    /// A place can be had now.
    Open,
    /// All places that could be had now are gone.
    Full,
    /// Not released yet.
    NotOpen,
    /// Its time is over.
    Closed,
    /// The hospital has stopped it.
    Stopped,
}

/// How a day stands for a doctor or a department.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DayState {
    /// A place can be had now.
    Open,
    /// All places that could be had now are gone.
    Full,
    /// There are clinics, not released yet.
    NotOpen,
    /// No clinic, or none any more.
    None,
    /// The clinics of the day do not take place.
    Stopped,
}

/// How a slot stands at `now`.
#[must_use]
pub fn slot_state(hours: &Hours, start_at: UnixMs, capacity: i64, taken: i64, now: UnixMs) -> SlotState {
    if !hours.admit(start_at, now) {
        SlotState::Closed
    } else if taken < capacity {
        SlotState::Open
    } else {
        SlotState::Full
    }
}

/// How a clinic stands at `now`, from how its slots stand.
#[must_use]
pub fn clinic_state(hours: &Hours, slots: impl IntoIterator<Item = SlotState>, now: UnixMs) -> ClinicState {
    if hours.stopped {
        return ClinicState::Stopped;
    }
    if now < hours.opens_at {
        return ClinicState::NotOpen;
    }
    slots.into_iter().fold(ClinicState::Closed, |so_far, slot| match (so_far, slot) {
        (ClinicState::Open, _) | (_, SlotState::Open) => ClinicState::Open,
        (ClinicState::Full, _) | (_, SlotState::Full) => ClinicState::Full,
        (other, SlotState::Closed) => other,
    })
}

/// How a day stands, from its clinics: the best that it has to offer.
#[must_use]
pub fn day_state(clinics: impl IntoIterator<Item = ClinicState>) -> DayState {
    let rank = |state: &ClinicState| match state {
        ClinicState::Open => 0,
        ClinicState::Full => 1,
        ClinicState::NotOpen => 2,
        ClinicState::Stopped => 3,
        ClinicState::Closed => 4,
    };
    match clinics.into_iter().min_by_key(rank) {
        Some(ClinicState::Open) => DayState::Open,
        Some(ClinicState::Full) => DayState::Full,
        Some(ClinicState::NotOpen) => DayState::NotOpen,
        Some(ClinicState::Stopped) => DayState::Stopped,
        Some(ClinicState::Closed) | None => DayState::None,
    }
}

#[cfg(test)]
mod tests;
