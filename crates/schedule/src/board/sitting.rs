//! A clinic by itself, and names, for who keeps something that is about one of them.

use base::{Date, HalfDay, HospitalId, UnixMs};

use super::Board;
use crate::model::{ClinicId, DepartmentId, DoctorId};

/// A clinic between today and the horizon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sitting {
    /// Which.
    pub clinic: ClinicId,
    /// Of which doctor, where it has a named one.
    pub doctor: Option<DoctorId>,
    /// In which department.
    pub department: DepartmentId,
    /// On which day.
    pub date: Date,
    /// In which half of it.
    pub half_day: HalfDay,
    /// Until when its places can be had.
    pub closes_at: UnixMs,
}

impl Board {
    /// A clinic between today and the horizon.
    #[must_use]
    pub fn sitting(&self, hospital: HospitalId, clinic: ClinicId) -> Option<Sitting> {
        let picture = self.picture(hospital)?;
        let clinic = picture.clinic(clinic)?;
        Some(Sitting {
            clinic: clinic.id,
            doctor: clinic.doctor,
            department: clinic.department,
            date: clinic.date,
            half_day: clinic.half_day,
            closes_at: clinic.hours.closes_at,
        })
    }

    /// Whether there is a clinic of this doctor (of anybody, when none is named) in a department or below it on that day.
    #[must_use]
    pub fn sits_on(
        &self,
        hospital: HospitalId,
        doctor: Option<DoctorId>,
        department: DepartmentId,
        date: Date,
    ) -> bool {
        let Some(picture) = self.picture(hospital) else { return false };
        let sits = |places: &[usize]| picture.clinics_at(places).any(|c| c.date == date);
        match doctor {
            Some(doctor) => picture.doctor(doctor).is_some_and(|d| sits(&d.clinics)),
            None => picture
                .department(department)
                .is_some_and(|d| picture.family(d).any(|member| sits(&member.clinics))),
        }
    }

    /// In which parts of that day a doctor sits in a department or below it, with the start of the first and the end of the last
    /// segment; in their order.
    #[must_use]
    pub fn sessions(
        &self,
        hospital: HospitalId,
        doctor: DoctorId,
        department: Option<DepartmentId>,
        date: Date,
    ) -> Vec<(HalfDay, UnixMs, UnixMs)> {
        let Some(picture) = self.picture(hospital) else { return Vec::new() };
        let Some(doctor) = picture.doctor(doctor) else { return Vec::new() };
        let family: Option<Vec<DepartmentId>> = department
            .and_then(|id| picture.department(id))
            .map(|d| picture.family(d).map(|member| member.id).collect());
        let here = |of: DepartmentId| family.as_ref().is_none_or(|family| family.contains(&of));
        let sittings = picture.clinics_at(&doctor.clinics);
        let mut sessions: Vec<(HalfDay, UnixMs, UnixMs)> = sittings
            .filter(|c| c.date == date && !c.hours.stopped && here(c.department))
            .filter_map(|c| Some((c.half_day, c.slots.first()?.start_at, c.slots.last()?.end_at)))
            .collect();
        sessions.sort_unstable();
        sessions.dedup_by_key(|session| session.0);
        sessions
    }
}
