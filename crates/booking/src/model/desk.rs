//! The words of the registration desk: what a hospital may set about it, why staff give a place up, how a call ended, why no
//! return visit can be made.

use base::Date;
use serde::{Deserialize, Serialize};

use super::AppointmentId;

/// The desk's rules (settings section `booking.desk`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeskRules {
    /// How many numbers may be added to a clinic that has no limit of its own. Default 5.
    pub add_on_limit: u32,
    /// For how many minutes a code for an added number is good. Default 30.
    pub add_on_code_minutes: u32,
    /// Whoever has not answered to a clinic's being called off is called from so many hours before its start on … Default 24.
    pub call_hours: u32,
    /// … but is left so many minutes after the notice to answer by themselves. Default 30.
    pub call_grace_minutes: u32,
    /// A return visit is free on so many calendar days, that of the visit included (一次挂号管三天). Default 3.
    pub return_days: u32,
    /// Where a result takes longer or holidays lie between, staff may extend it to so many. Default 7.
    pub return_days_longest: u32,
    /// So many return visits are put into one segment beside its places. Default 4.
    pub return_per_segment: u32,
}

impl DeskRules {
    /// The section of a hospital's settings.
    pub const SECTION: &'static str = "booking.desk";
}

impl Default for DeskRules {
    fn default() -> Self {
        Self {
            add_on_limit: 5,
            add_on_code_minutes: 30,
            call_hours: 24,
            call_grace_minutes: 30,
            return_days: 3,
            return_days_longest: 7,
            return_per_segment: 4,
        }
    }
}

store::text_enum! {
    /// Why staff give up or move a place.
    #[derive(utoipa::ToSchema)]
    pub enum CancelReason {
        /// The person asked for it, at the counter or by phone.
        #[schema(rename = "asked")]
        Asked = "asked",
        /// It was made for the wrong person or time.
        #[schema(rename = "mistake")]
        Mistake = "mistake",
        /// Name and document do not agree with the person who came.
        #[schema(rename = "not_the_person")]
        NotThePerson = "not_the_person",
        /// Another department suits better.
        #[schema(rename = "other_department")]
        OtherDepartment = "other_department",
        /// The hospital can't keep it.
        #[schema(rename = "hospital")]
        Hospital = "hospital",
    }
}

impl CancelReason {
    /// Whether a place that is given up late for this reason counts for the person's limits: what others decided does not.
    #[must_use]
    pub fn counts(self) -> bool {
        matches!(self, Self::Asked | Self::NotThePerson)
    }
}

store::text_enum! {
    /// How it stands with somebody whose clinic was called off.
    #[derive(utoipa::ToSchema)]
    pub enum CallState {
        /// Nobody has called yet, and they have done nothing.
        #[schema(rename = "open")]
        Open = "open",
        /// They were called and did not answer.
        #[schema(rename = "called")]
        Called = "called",
        /// They know, and see to it themselves.
        #[schema(rename = "reached")]
        Reached = "reached",
        /// They have another place, booked by themselves or for them.
        #[schema(rename = "booked")]
        Booked = "booked",
        /// They need none.
        #[schema(rename = "gave_up")]
        GaveUp = "gave_up",
        /// The clinic takes place after all.
        #[schema(rename = "undone")]
        Undone = "undone",
    }
}

store::text_enum! {
    /// How a call ended.
    #[derive(utoipa::ToSchema)]
    #[schema(as = CallOutcome)]
    pub enum Ended {
        /// Nobody answered.
        #[schema(rename = "no_answer")]
        NoAnswer = "no_answer",
        /// They know now, and see to it themselves.
        #[schema(rename = "reached")]
        Reached = "reached",
        /// They need no other place.
        #[schema(rename = "gave_up")]
        GaveUp = "gave_up",
    }
}

/// Why no return visit can be made of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoReturn {
    /// Only who was seen comes back.
    NotSeen,
    /// It is a return visit itself.
    OfReturn,
    /// There is one already.
    Once {
        /// That one.
        appointment: AppointmentId,
    },
    /// Another campus or department: that is a new registration.
    Elsewhere,
    /// A doctor of a higher grade, or a dearer sort of clinic.
    Higher,
    /// The days of the registration are over.
    Over {
        /// The last of them.
        until: Date,
    },
    /// The doctor has not allowed the person to make it themselves.
    NotAllowed,
}
