//! Where answers come from: the picture in memory, and the bytes that were rendered from it before.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use base::{Date, Problem, UnixMs};
use edge::etag::Tagged;
use edge::hospital::Hospital;
use serde::Serialize;

use crate::board::picture::{Department, Doctor, Picture};
use crate::board::render::{Filter, View};
use crate::board::{Board, search};
use crate::model::{DepartmentId, DoctorId};
use crate::wire::{BookingFacts, Found, HospitalFacts, HospitalInfo};

/// All answers of the public routes. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Answers {
    board: Board,
    facts: Arc<dyn Fn(&Hospital) -> HospitalFacts + Send + Sync>,
}

fn bytes(answer: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(answer).unwrap_or_else(|error| {
        tracing::error!(%error, "an answer could not be written");
        b"{}".to_vec()
    })
}

fn doctor_of(picture: &Picture, id: DoctorId) -> Result<&Doctor, Problem> {
    picture.doctor(id).ok_or_else(Problem::not_found)
}

fn department_of(picture: &Picture, id: DepartmentId) -> Result<&Department, Problem> {
    picture.department(id).ok_or_else(Problem::not_found)
}

impl Answers {
    pub(crate) fn new(board: Board, facts: Arc<dyn Fn(&Hospital) -> HospitalFacts + Send + Sync>) -> Self {
        Self { board, facts }
    }

    pub(crate) fn board(&self) -> &Board {
        &self.board
    }

    fn at(&self, hospital: &Hospital) -> Result<(Arc<Picture>, UnixMs), Problem> {
        // A hospital that was set up this very moment is read within the second.
        let picture = self.board.picture(hospital.id).ok_or_else(|| Problem::unavailable(1))?;
        Ok((picture, self.board.now()))
    }

    pub(super) fn hospital(&self, hospital: &Hospital) -> Result<Tagged, Problem> {
        let (picture, now) = self.at(hospital)?;
        let view = View::new(&picture, now);
        let facts = (self.facts)(hospital);
        let profile = hospital.profile.clone();
        let info = HospitalInfo {
            id: hospital.id.to_string(),
            code: hospital.code.clone(),
            name: profile.name,
            short_name: profile.short_name,
            phone: profile.phone,
            address: profile.address,
            today: view.today(),
            now: hospital.rfc3339(now),
            notice: profile.notice,
            campuses: view.campuses(),
            booking: BookingFacts {
                horizon_days: picture.rules.horizon_days,
                release_time: picture.rules.release_time,
                limits: facts.limits,
            },
            sign_in: facts.sign_in,
            js_sdk_url: facts.js_sdk_url,
            languages: vec!["zh".into(), "en".into()],
            elder_hint: facts.elder_hint,
            privacy_version: facts.privacy_version,
            consent_version: facts.consent_version,
        };
        Ok(Tagged::json(bytes(&info)))
    }

    pub(super) fn departments(&self, hospital: &Hospital) -> Result<Tagged, Problem> {
        let (picture, now) = self.at(hospital)?;
        let revision = picture.revision.load(Ordering::Acquire);
        let render = || bytes(&View::new(&picture, now).departments());
        Ok(picture.departments_answer.get(revision, now, render))
    }

    pub(super) fn doctors(
        &self,
        hospital: &Hospital,
        department: Option<DepartmentId>,
        mut filter: Filter,
        text: Option<&str>,
    ) -> Result<Tagged, Problem> {
        let (picture, now) = self.at(hospital)?;
        let department = department.map(|id| department_of(&picture, id)).transpose()?;
        filter.family = department.map(|d| d.family.clone());
        let render = || bytes(&View::new(&picture, now).doctors(&filter, text));
        // What everybody asks is kept; what somebody narrows down is rendered for them.
        let narrowed = filter.campus.is_some() || filter.kind.is_some() || filter.date.is_some();
        if narrowed || text.is_some() {
            return Ok(Tagged::json(render()));
        }
        Ok(match department {
            Some(d) => d.doctors_answer.get(d.revision.load(Ordering::Acquire), now, render),
            None => picture.doctors_answer.get(picture.revision.load(Ordering::Acquire), now, render),
        })
    }

    pub(crate) fn department_doctors(
        &self,
        hospital: &Hospital,
        department: DepartmentId,
    ) -> Result<Tagged, Problem> {
        self.doctors(hospital, Some(department), Filter::default(), None)
    }

    pub(super) fn doctor(&self, hospital: &Hospital, id: DoctorId) -> Result<Tagged, Problem> {
        let (picture, now) = self.at(hospital)?;
        let doctor = doctor_of(&picture, id)?;
        if doctor.departments.is_empty() {
            return Err(Problem::not_found());
        }
        let render = || View::new(&picture, now).page(doctor).map(|page| bytes(&page)).unwrap_or_default();
        Ok(doctor.page_answer.get(doctor.revision.load(Ordering::Acquire), now, render))
    }

    pub(crate) fn doctor_clinics(&self, hospital: &Hospital, id: DoctorId) -> Result<Tagged, Problem> {
        let (picture, now) = self.at(hospital)?;
        let doctor = doctor_of(&picture, id)?;
        let view = View::new(&picture, now);
        let render = || bytes(&view.doctor_clinics(doctor, view.today(), u16::MAX));
        Ok(doctor.clinics_answer.get(doctor.revision.load(Ordering::Acquire), now, render))
    }

    pub(super) fn doctor_clinics_in(
        &self,
        hospital: &Hospital,
        id: DoctorId,
        from: Option<Date>,
        days: u16,
    ) -> Result<Tagged, Problem> {
        let (picture, now) = self.at(hospital)?;
        let view = View::new(&picture, now);
        let from = from.unwrap_or(view.today());
        Ok(Tagged::json(bytes(&view.doctor_clinics(doctor_of(&picture, id)?, from, days))))
    }

    pub(super) fn department_clinics(
        &self,
        hospital: &Hospital,
        id: DepartmentId,
    ) -> Result<Tagged, Problem> {
        let (picture, now) = self.at(hospital)?;
        let department = department_of(&picture, id)?;
        let view = View::new(&picture, now);
        let render = || bytes(&view.department_clinics(department, view.today(), u16::MAX));
        Ok(department.clinics_answer.get(department.revision.load(Ordering::Acquire), now, render))
    }

    pub(super) fn department_clinics_in(
        &self,
        hospital: &Hospital,
        id: DepartmentId,
        from: Option<Date>,
        days: u16,
    ) -> Result<Tagged, Problem> {
        let (picture, now) = self.at(hospital)?;
        let view = View::new(&picture, now);
        let from = from.unwrap_or(view.today());
        let clinics = view.department_clinics(department_of(&picture, id)?, from, days);
        Ok(Tagged::json(bytes(&clinics)))
    }

    pub(super) fn department_rules(&self, hospital: &Hospital, id: DepartmentId) -> Result<Tagged, Problem> {
        let (picture, _) = self.at(hospital)?;
        let department = department_of(&picture, id)?;
        let limits = (self.facts)(hospital).limits;
        Ok(Tagged::json(bytes(&crate::quota::page::department(&picture, department, &limits))))
    }

    pub(super) fn search(&self, hospital: &Hospital, text: Option<&str>) -> Result<Tagged, Problem> {
        let (picture, now) = self.at(hospital)?;
        let found = match text {
            Some(text) => search::search(&picture, now, text),
            None => Found { departments: Vec::new(), doctors: Vec::new() },
        };
        Ok(Tagged::json(bytes(&found)))
    }
}
