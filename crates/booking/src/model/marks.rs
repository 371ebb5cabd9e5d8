//! What an appointment is beyond a place in a segment: its sort, who made it, and what the hospital changed about it.

use base::Date;
use edge::StaffId;
use schedule::{ChangeId, DoctorId};
use store::value::{FromRow, Row};

use super::AppointmentId;

store::text_enum! {
    /// What sort of visit it is.
    #[derive(Default, utoipa::ToSchema)]
    #[schema(as = VisitSort)]
    pub enum Visit {
        /// A place of the clinic's own.
        #[default]
        #[schema(rename = "regular")]
        Regular = "regular",
        /// A number that the doctor added (加号).
        #[schema(rename = "add_on")]
        AddOn = "add_on",
        /// The free visit for results within three days (一次挂号管三天).
        #[schema(rename = "return_visit")]
        ReturnVisit = "return_visit",
    }
}

impl Visit {
    /// Whether its place was added to the segment for it, and goes with it.
    #[must_use]
    pub fn is_beyond_plan(self) -> bool {
        self != Self::Regular
    }
}

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// Its sort.
    pub visit: Visit,
    /// By which way it came, as its row says; empty before it has one.
    pub channel: String,
    /// Who of the staff made it; `None` when the patient did.
    pub made_by: Option<StaffId>,
    /// For a return visit: the visit that it comes back to.
    pub return_of: Option<AppointmentId>,
    /// Until this date the person may make a return visit to this one themselves.
    pub return_until: Option<Date>,
    /// The hospital changed something: giving it up or moving it is free until it begins, and never counts.
    pub excused: bool,
    /// Who was to sit before another doctor did.
    pub former_doctor: Option<DoctorId>,
    /// The change of the clinic that called it off.
    pub stop: Option<ChangeId>,
}

impl FromRow for Marks {
    fn from_row(row: &Row) -> store::Result<Self> {
        Ok(Self {
            visit: row.get("visit")?,
            channel: row.get("channel")?,
            made_by: row.get("made_by")?,
            return_of: row.get("return_of")?,
            return_until: row.get("return_until")?,
            excused: row.get("excused")?,
            former_doctor: row.get("former_doctor_id")?,
            stop: row.get("stop_id")?,
        })
    }
}
