//! What a picture looks like at an instant. Pure: a picture and a time in, an answer out.

use std::collections::{BTreeMap, HashSet};

use base::{Date, UnixMs};

use super::picture::{Clinic, Department, Doctor, Picture, Slot};
use crate::model::{CampusId, Card, ClinicKind, DepartmentId, DoctorId, SlotId};
use crate::rules::{ClinicState, DayState, SlotState, clinic_state, day_state, days_after, slot_state};
use crate::wire::{
    CampusItem, CampusName, ClinicItem, ClinicList, Day, DepartmentItem, DepartmentList, DepartmentName,
    DoctorList, DoctorPage, DoctorSummary, NearFree, NextFree, SlotItem,
};

/// How many other places [`View::nearest`] names, of the same doctor and of others.
const NEAREST: usize = 3;

/// What of a doctor's clinics is asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// In one of these departments.
    pub(crate) family: Option<Vec<DepartmentId>>,
    pub(crate) campus: Option<CampusId>,
    pub(crate) kind: Option<ClinicKind>,
    /// On this date; lists of days are not narrowed by it.
    pub(crate) date: Option<Date>,
}

impl Filter {
    fn admits(&self, clinic: &Clinic) -> bool {
        self.family.as_ref().is_none_or(|f| f.contains(&clinic.department))
            && self.campus.is_none_or(|c| c == clinic.campus)
            && self.kind.is_none_or(|k| k == clinic.kind)
    }

    fn on_date(&self, clinic: &Clinic) -> bool {
        self.date.is_none_or(|d| d == clinic.date)
    }

    /// Whether doctors without any clinic that fits are left out.
    fn needs_clinic(&self) -> bool {
        self.campus.is_some() || self.kind.is_some() || self.date.is_some()
    }
}

/// How a clinic stands.
struct Look<'a> {
    clinic: &'a Clinic,
    state: ClinicState,
    /// Places that can be had now.
    free: i64,
    /// The first segment with one.
    first: Option<&'a Slot>,
}

/// The clinics of days, summed up.
#[derive(Default)]
struct Days(BTreeMap<Date, (i64, Vec<ClinicState>)>);

impl Days {
    fn add(&mut self, look: &Look<'_>) {
        let (free, states) = self.0.entry(look.clinic.date).or_default();
        *free += look.free;
        states.push(look.state);
    }

    /// Every date from `first` to `last`, those without clinics too.
    fn list(&self, first: Date, last: Date) -> Vec<Day> {
        let mut days = Vec::new();
        let mut date = first;
        while date <= last {
            let (remaining, state) = match self.0.get(&date) {
                Some((free, states)) => (*free, day_state(states.iter().copied())),
                None => (0, DayState::None),
            };
            days.push(Day { date, remaining, state });
            let Ok(next) = date.tomorrow() else { break };
            date = next;
        }
        days
    }
}

/// A picture at an instant.
pub(crate) struct View<'a> {
    picture: &'a Picture,
    now: UnixMs,
    today: Date,
    last: Date,
}

impl<'a> View<'a> {
    pub(crate) fn new(picture: &'a Picture, now: UnixMs) -> Self {
        let today = picture.zone.date(now);
        Self { picture, now, today, last: days_after(today, picture.rules.longest_horizon()) }
    }

    pub(crate) fn today(&self) -> Date {
        self.today
    }

    fn shown(&self, clinic: &Clinic) -> bool {
        self.today <= clinic.date && clinic.date <= self.last
    }

    /// How a slot stands for patients, of whose channel so many places are left in the clinic.
    fn slot_state(&self, clinic: &Clinic, slot: &Slot, left: i64) -> SlotState {
        if slot.stopped {
            return SlotState::Closed;
        }
        let state = slot_state(&clinic.hours, slot.start_at, slot.capacity, slot.taken(), self.now);
        if state == SlotState::Open && left <= 0 { SlotState::Full } else { state }
    }

    fn look(&self, clinic: &'a Clinic) -> Look<'a> {
        let (mut free, mut first) = (0, None);
        let left = clinic.online_left(self.now);
        let states = clinic.slots.iter().map(|slot| {
            let state = self.slot_state(clinic, slot, left);
            if state == SlotState::Open {
                free += slot.capacity - slot.taken();
                first = first.or(Some(slot));
            }
            state
        });
        // All of them are looked at: an open one found early does not end the counting.
        let states: Vec<SlotState> = states.collect();
        Look { clinic, state: clinic_state(&clinic.hours, states, self.now), free: free.min(left), first }
    }

    fn looks(&self, places: &'a [usize]) -> impl Iterator<Item = Look<'a>> {
        self.picture.clinics_at(places).filter(|c| self.shown(c)).map(|c| self.look(c))
    }

    fn free(look: &Look<'_>, slot: &Slot) -> NextFree {
        let clinic = look.clinic;
        NextFree {
            clinic_id: clinic.id,
            slot_id: slot.id,
            campus_id: clinic.campus,
            date: clinic.date,
            half_day: clinic.half_day,
            start: slot.start,
            end: slot.end,
            fee_fen: clinic.fee,
            kind: clinic.kind,
        }
    }

    /// A doctor as in lists; `None` when the doctor is in no department that is shown.
    pub(crate) fn summary(&self, doctor: &'a Doctor, filter: &Filter) -> Option<DoctorSummary> {
        self.summed(doctor, filter, &mut Days::default()).map(|(summary, _)| summary)
    }

    /// The same, with whether any clinic fits; its clinics are added to `all` as well.
    fn summed(&self, doctor: &'a Doctor, filter: &Filter, all: &mut Days) -> Option<(DoctorSummary, bool)> {
        let wanted = |id: &&DepartmentId| filter.family.as_ref().is_none_or(|f| f.contains(*id));
        let department =
            doctor.departments.iter().find(wanted).and_then(|id| self.picture.department(*id))?;
        let mut days = Days::default();
        let (mut remaining, mut fits) = (0, false);
        let mut next: Option<(UnixMs, NextFree)> = None;
        for look in self.looks(&doctor.clinics).filter(|l| filter.admits(l.clinic)) {
            days.add(&look);
            all.add(&look);
            if !filter.on_date(look.clinic) {
                continue;
            }
            fits = true;
            remaining += look.free;
            if let Some(slot) = look.first
                && next.as_ref().is_none_or(|(at, _)| slot.start_at < *at)
            {
                next = Some((slot.start_at, Self::free(&look, slot)));
            }
        }
        let summary = DoctorSummary {
            id: doctor.id,
            name: doctor.name.clone(),
            initials: doctor.initials.clone(),
            title: doctor.title.name(),
            title_code: doctor.title.code(),
            department_id: department.id,
            department_name: department.name.clone(),
            specialities: doctor.specialities.clone(),
            photo_url: doctor.photo_url.clone(),
            next_free: next.map(|(_, free)| free),
            remaining,
            days: days.list(self.today, self.last),
        };
        Some((summary, fits))
    }

    /// Doctors that fit the filter and, if a text is given, answer to it.
    pub(crate) fn doctors(&self, filter: &Filter, text: Option<&str>) -> DoctorList {
        let mut all = Days::default();
        let mut items = Vec::new();
        for doctor in &self.picture.doctors {
            if text.is_some_and(|t| super::search::doctor(self.picture, doctor, t).is_none()) {
                continue;
            }
            if let Some((summary, fits)) = self.summed(doctor, filter, &mut all)
                && (fits || !filter.needs_clinic())
            {
                items.push(summary);
            }
        }
        // A department's own clinics, without a named doctor, stand beside its doctors.
        if let (Some(family), None) = (&filter.family, text) {
            for department in family.iter().filter_map(|id| self.picture.department(*id)) {
                let own = self.looks(&department.clinics);
                own.filter(|l| l.clinic.doctor.is_none() && filter.admits(l.clinic))
                    .for_each(|l| all.add(&l));
            }
        }
        // The sort is stable: within a title the hospital's own order stays.
        items.sort_by_key(|d| (d.remaining == 0, d.title_code));
        DoctorList { items, dates: all.list(self.today, self.last) }
    }

    pub(crate) fn page(&self, doctor: &'a Doctor) -> Option<DoctorPage> {
        let summary = self.summary(doctor, &Filter::default())?;
        let clinics = self.picture.clinics_at(&doctor.clinics).filter(|c| self.shown(c));
        let here: HashSet<CampusId> = clinics.map(|c| c.campus).collect();
        let campuses = self.picture.campuses.iter().filter(|c| here.contains(&c.id));
        let departments = doctor.departments.iter().filter_map(|id| self.picture.department(*id));
        Some(DoctorPage {
            summary,
            introduction: doctor.introduction.clone(),
            campuses: campuses.map(|c| CampusName { id: c.id, name: c.name.clone() }).collect(),
            departments: departments.map(|d| DepartmentName { id: d.id, name: d.name.clone() }).collect(),
        })
    }

    fn clinic(&self, look: &Look<'_>) -> Option<ClinicItem> {
        let clinic = look.clinic;
        let (department, campus) =
            (self.picture.department(clinic.department)?, self.picture.campus(clinic.campus)?);
        let online = clinic.online_left(self.now).max(0);
        let slots: Vec<SlotItem> = clinic
            .slots
            .iter()
            .map(|slot| {
                let left = (slot.capacity - slot.taken()).min(online);
                let ahead = !slot.stopped && clinic.hours.ahead(slot.start_at, self.now);
                SlotItem {
                    id: slot.id,
                    start: slot.start,
                    end: slot.end,
                    capacity: slot.capacity,
                    remaining: if ahead { left.max(0) } else { 0 },
                    state: self.slot_state(clinic, slot, online),
                }
            })
            .collect();
        Some(ClinicItem {
            id: clinic.id,
            doctor_id: clinic.doctor,
            department_id: department.id,
            department_name: department.name.clone(),
            campus_id: campus.id,
            campus_name: campus.name.clone(),
            date: clinic.date,
            half_day: clinic.half_day,
            kind: clinic.kind,
            online: clinic.online,
            fee_fen: clinic.fee,
            room: clinic.room.clone(),
            state: look.state,
            opens_at: self.picture.zone.rfc3339(clinic.hours.opens_at),
            closes_at: self.picture.zone.rfc3339(clinic.hours.closes_at),
            remaining: slots.iter().map(|s| s.remaining).sum::<i64>().min(online),
            slots,
        })
    }

    /// A doctor's clinics from `from` on, over so many days.
    pub(crate) fn doctor_clinics(&self, doctor: &'a Doctor, from: Date, days: u16) -> ClinicList {
        let last = days_after(from, days.saturating_sub(1));
        let looks = self.looks(&doctor.clinics).filter(|l| from <= l.clinic.date && l.clinic.date <= last);
        ClinicList { items: looks.filter_map(|l| self.clinic(&l)).collect() }
    }

    /// The clinics without a named doctor of a department and those below it.
    pub(crate) fn department_clinics(&self, department: &'a Department, from: Date, days: u16) -> ClinicList {
        let last = days_after(from, days.saturating_sub(1));
        let own = self.picture.family(department).flat_map(|d| self.looks(&d.clinics));
        let own = own.filter(|l| l.clinic.doctor.is_none());
        let own = own.filter(|l| from <= l.clinic.date && l.clinic.date <= last);
        let mut items: Vec<ClinicItem> = own.filter_map(|l| self.clinic(&l)).collect();
        items.sort_by_key(|c| (c.date, c.half_day, c.slots.first().map(|s| s.start)));
        ClinicList { items }
    }

    pub(crate) fn department(&self, department: &'a Department) -> DepartmentItem {
        let (mut remaining, mut next) = (0, None::<Date>);
        let mut doctors: HashSet<usize> = HashSet::new();
        for member in self.picture.family(department) {
            doctors.extend(&member.doctors);
            for look in self.looks(&member.clinics).filter(|l| l.free > 0) {
                remaining += look.free;
                next = Some(next.map_or(look.clinic.date, |d| d.min(look.clinic.date)));
            }
        }
        DepartmentItem {
            id: department.id,
            parent_id: department.parent,
            name: department.name.clone(),
            intro: department.intro.clone(),
            initials: department.initials.clone(),
            child_only: department.child_only,
            adult_only: department.adult_only,
            doctor_count: doctors.len(),
            remaining,
            next_date: next,
        }
    }

    pub(crate) fn departments(&self) -> DepartmentList {
        DepartmentList { items: self.picture.departments.iter().map(|d| self.department(d)).collect() }
    }

    pub(crate) fn campuses(&self) -> Vec<CampusItem> {
        let all = self.picture.campuses.iter();
        all.map(|c| CampusItem { id: c.id, name: c.name.clone(), address: c.address.clone() }).collect()
    }

    /// See [`crate::Board::nearest`].
    pub(crate) fn nearest(
        &self,
        department: DepartmentId,
        doctor: Option<DoctorId>,
        around: UnixMs,
    ) -> Vec<NearFree> {
        let distance = |slot: &Slot| slot.start_at.0.abs_diff(around.0);
        let nearest = |mut found: Vec<(&'a Clinic, &'a Slot)>| {
            found.sort_by_key(|(clinic, slot)| (distance(slot), slot.start_at, clinic.id));
            found.truncate(NEAREST);
            found
        };
        let open = |clinic: &'a Clinic| {
            let slots = clinic.slots.iter();
            let left = clinic.online_left(self.now);
            slots
                .filter(move |s| self.slot_state(clinic, s, left) == SlotState::Open)
                .map(move |s| (clinic, s))
        };
        let shown = |places: &'a [usize]| self.picture.clinics_at(places).filter(|c| self.shown(c));
        let same =
            doctor.and_then(|d| self.picture.doctor(d)).map(|d| d.clinics.as_slice()).unwrap_or_default();
        let mut found = nearest(shown(same).flat_map(open).collect());
        let beside = self.picture.department(department).map(|d| d.clinics.as_slice()).unwrap_or_default();
        let others = shown(beside).filter(|c| doctor.is_none() || c.doctor != doctor);
        found.extend(nearest(
            others.filter_map(|c| open(c).min_by_key(|(_, slot)| (distance(slot), slot.start_at))).collect(),
        ));
        found.into_iter().filter_map(|(clinic, slot)| self.near(clinic, slot)).collect()
    }

    fn near(&self, clinic: &'a Clinic, slot: &Slot) -> Option<NearFree> {
        Some(NearFree {
            free: Self::free(&self.look(clinic), slot),
            doctor_id: clinic.doctor,
            doctor_name: clinic.doctor.and_then(|d| self.picture.doctor(d)).map(|d| d.name.clone()),
            campus_name: self.picture.campus(clinic.campus)?.name.clone(),
        })
    }
}

/// See [`crate::Board::card`].
pub(crate) fn card(picture: &Picture, slot: SlotId) -> Option<Card> {
    let (clinic, slot) = picture.slot(slot)?;
    let (department, campus) = (picture.department(clinic.department)?, picture.campus(clinic.campus)?);
    let doctor = clinic.doctor.and_then(|d| picture.doctor(d));
    Some(Card {
        slot: slot.id,
        clinic: clinic.id,
        doctor: clinic.doctor,
        doctor_name: doctor.map(|d| d.name.clone()),
        title: doctor.map(|d| d.title),
        department: department.id,
        department_name: department.name.clone(),
        campus: campus.id,
        campus_name: campus.name.clone(),
        campus_address: campus.address.clone(),
        room: clinic.room.clone(),
        kind: clinic.kind,
        online: clinic.online,
        date: clinic.date,
        half_day: clinic.half_day,
        start: slot.start,
        end: slot.end,
        start_at: slot.start_at,
        end_at: slot.end_at,
        fee: clinic.fee,
        closes_at: clinic.hours.closes_at,
        stopped: clinic.hours.stopped,
    })
}
