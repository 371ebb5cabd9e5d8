//! What things are called, from memory.

use base::{HospitalId, Text2};

use super::Board;
use crate::model::{CampusId, DepartmentId, DoctorId};

impl Board {
    /// A doctor's name and title.
    #[must_use]
    pub fn doctor_name(&self, hospital: HospitalId, doctor: DoctorId) -> Option<(Text2, Text2)> {
        let picture = self.picture(hospital)?;
        picture.doctor(doctor).map(|d| (d.name.clone(), d.title.name()))
    }

    /// A department's name.
    #[must_use]
    pub fn department_name(&self, hospital: HospitalId, department: DepartmentId) -> Option<Text2> {
        let picture = self.picture(hospital)?;
        picture.department(department).map(|d| d.name.clone())
    }

    /// A campus's name.
    #[must_use]
    pub fn campus_name(&self, hospital: HospitalId, campus: CampusId) -> Option<Text2> {
        let picture = self.picture(hospital)?;
        picture.campus(campus).map(|c| c.name.clone())
    }
}
