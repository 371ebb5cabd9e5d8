//! A hospital's schedule in memory: departments, doctors, clinics and slots from today to the horizon.
//!
//! The structure never changes: a change of it is a new picture. What changes in place are the counts of taken places, and
//! with them the revisions that tell answers in memory that they are out of date.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use base::{Date, Fen, HalfDay, Text2, UnixMs, WallTime, Zone};

use parking_lot::RwLock;

use super::cell::Cell;
use crate::model::{CampusId, ClinicId, ClinicKind, DepartmentId, DoctorId, SlotId, Title};
use crate::quota::{self, Channel, Line, Rule};
use crate::rules::{Hours, ReleaseRules};

pub(crate) struct Campus {
    pub(crate) id: CampusId,
    pub(crate) code: String,
    pub(crate) name: Text2,
    pub(crate) address: Text2,
    pub(crate) position: i64,
}

pub(crate) struct Department {
    pub(crate) id: DepartmentId,
    pub(crate) code: String,
    pub(crate) parent: Option<DepartmentId>,
    pub(crate) name: Text2,
    pub(crate) intro: Text2,
    pub(crate) initials: String,
    pub(crate) pinyin: String,
    pub(crate) child_only: bool,
    pub(crate) adult_only: bool,
    pub(crate) position: i64,
    /// Itself and those below it.
    pub(crate) family: Vec<DepartmentId>,
    /// Clinics of its own (not of those below it), by index.
    pub(crate) clinics: Vec<usize>,
    /// Doctors of its own, by index.
    pub(crate) doctors: Vec<usize>,
    /// Goes up with each change of a count in its family.
    pub(crate) revision: AtomicU64,
    pub(crate) doctors_answer: Cell,
    pub(crate) clinics_answer: Cell,
}

pub(crate) struct Doctor {
    pub(crate) id: DoctorId,
    pub(crate) code: String,
    pub(crate) name: Text2,
    pub(crate) initials: String,
    pub(crate) pinyin: String,
    pub(crate) title: Title,
    pub(crate) specialities: Text2,
    pub(crate) introduction: Text2,
    pub(crate) photo_url: Option<String>,
    pub(crate) position: i64,
    /// In order; the first stands beside the name.
    pub(crate) departments: Vec<DepartmentId>,
    /// By index, in order of time.
    pub(crate) clinics: Vec<usize>,
    /// Goes up with each change of a count.
    pub(crate) revision: AtomicU64,
    pub(crate) page_answer: Cell,
    pub(crate) clinics_answer: Cell,
}

pub(crate) struct Clinic {
    pub(crate) id: ClinicId,
    pub(crate) doctor: Option<DoctorId>,
    pub(crate) department: DepartmentId,
    pub(crate) campus: CampusId,
    pub(crate) date: Date,
    pub(crate) half_day: HalfDay,
    pub(crate) kind: ClinicKind,
    pub(crate) online: bool,
    pub(crate) fee: Fen,
    pub(crate) room: Option<Text2>,
    pub(crate) hours: Hours,
    /// In order of time.
    pub(crate) slots: Vec<Slot>,
    /// Its places by channel; `None` when they are not divided.
    pub(crate) division: Option<Division>,
}

impl Clinic {
    /// How many places patients can have by themselves, as far as that is not decided by its slots.
    pub(crate) fn online_left(&self, now: UnixMs) -> i64 {
        self.division.as_ref().map_or(i64::MAX, |d| quota::left(&d.lines.read(), Channel::Online, now))
    }
}

/// A clinic's places by channel.
#[derive(Default)]
pub(crate) struct Division {
    lines: RwLock<Vec<Line>>,
    /// As for a slot's count.
    told: AtomicU64,
}

impl Division {
    pub(crate) fn new(lines: Vec<Line>) -> Self {
        Self { lines: RwLock::new(lines), told: AtomicU64::new(0) }
    }
}

pub(crate) struct Slot {
    pub(crate) id: SlotId,
    pub(crate) clinic: ClinicId,
    pub(crate) start: WallTime,
    pub(crate) end: WallTime,
    pub(crate) start_at: UnixMs,
    pub(crate) end_at: UnixMs,
    pub(crate) capacity: i64,
    /// This segment does not take place.
    pub(crate) stopped: bool,
    taken: AtomicI64,
    /// The last local commit that told its count, by the board's own counting; 0 when none did.
    told: AtomicU64,
}

impl Slot {
    #[expect(clippy::too_many_arguments, reason = "a row's columns, named where it is read")]
    pub(crate) fn new(
        id: SlotId,
        clinic: ClinicId,
        start: WallTime,
        end: WallTime,
        start_at: UnixMs,
        end_at: UnixMs,
        capacity: i64,
        taken: i64,
        stopped: bool,
    ) -> Self {
        let (taken, told) = (AtomicI64::new(taken), AtomicU64::new(0));
        Self { id, clinic, start, end, start_at, end_at, capacity, stopped, taken, told }
    }

    pub(crate) fn taken(&self) -> i64 {
        self.taken.load(Ordering::Acquire)
    }
}

/// What a picture is made of, as it was read.
pub(crate) struct Parts {
    pub(crate) version: i64,
    pub(crate) zone: Zone,
    pub(crate) today: Date,
    pub(crate) rules: ReleaseRules,
    pub(crate) campuses: Vec<Campus>,
    pub(crate) departments: Vec<Department>,
    pub(crate) doctors: Vec<Doctor>,
    /// Who is in which department, and at which place of the doctor's list.
    pub(crate) members: Vec<(DoctorId, DepartmentId, i64)>,
    pub(crate) clinics: Vec<Clinic>,
    pub(crate) slots: Vec<Slot>,
    pub(crate) lines: HashMap<ClinicId, Vec<Line>>,
    pub(crate) quota_rules: Vec<Rule>,
}

/// A hospital's schedule.
pub(crate) struct Picture {
    pub(crate) version: i64,
    pub(crate) zone: Zone,
    /// The first date that was read.
    pub(crate) today: Date,
    pub(crate) rules: ReleaseRules,
    pub(crate) campuses: Vec<Campus>,
    /// Each of the first level followed by those below it.
    pub(crate) departments: Vec<Department>,
    pub(crate) doctors: Vec<Doctor>,
    clinics: Vec<Clinic>,
    campus_at: HashMap<CampusId, usize>,
    department_at: HashMap<DepartmentId, usize>,
    doctor_at: HashMap<DoctorId, usize>,
    slot_at: HashMap<SlotId, (usize, usize)>,
    clinic_at: HashMap<ClinicId, usize>,
    /// How places are divided by channel.
    pub(crate) quota_rules: Vec<Rule>,
    /// Goes up with each change of a count.
    pub(crate) revision: AtomicU64,
    pub(crate) departments_answer: Cell,
    pub(crate) doctors_answer: Cell,
}

fn index<K: std::hash::Hash + Eq, T>(list: &[T], key: impl Fn(&T) -> K) -> HashMap<K, usize> {
    list.iter().enumerate().map(|(i, item)| (key(item), i)).collect()
}

impl Picture {
    /// Puts the parts together. What refers to something that is not there (a doctor who is no longer active) is left out.
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts {
            mut campuses, departments, mut doctors, mut members, mut clinics, slots, mut lines, ..
        } = parts;
        campuses.sort_by(|a, b| (a.position, &a.code).cmp(&(b.position, &b.code)));
        doctors.sort_by(|a, b| (a.position, &a.code).cmp(&(b.position, &b.code)));
        let mut departments = by_level(departments);
        let campus_at = index(&campuses, |c| c.id);
        let department_at = index(&departments, |d| d.id);
        let doctor_at = index(&doctors, |d| d.id);

        members.sort_by_key(|(_, _, position)| *position);
        for (doctor, department, _) in members {
            let (Some(&d), Some(&p)) = (doctor_at.get(&doctor), department_at.get(&department)) else {
                continue;
            };
            if let (Some(doctor), Some(member)) = (doctors.get_mut(d), departments.get_mut(p)) {
                doctor.departments.push(department);
                member.doctors.push(d);
            }
        }
        clinics.retain(|c| {
            campus_at.contains_key(&c.campus)
                && department_at.contains_key(&c.department)
                && c.doctor.is_none_or(|d| doctor_at.contains_key(&d))
        });
        let home = index(&clinics, |c| c.id);
        for slot in slots {
            if let Some(clinic) = home.get(&slot.clinic).and_then(|i| clinics.get_mut(*i)) {
                clinic.slots.push(slot);
            }
        }
        for clinic in &mut clinics {
            clinic.slots.sort_by_key(|s| s.start_at);
            clinic.division = lines.remove(&clinic.id).map(Division::new);
        }
        let first = |c: &Clinic| c.slots.first().map_or(UnixMs(i64::MAX), |s| s.start_at);
        clinics.sort_by_key(|c| (c.date, c.half_day, first(c), c.id));
        let clinic_at = index(&clinics, |c| c.id);
        let mut slot_at = HashMap::new();
        for (i, clinic) in clinics.iter().enumerate() {
            slot_at.extend(clinic.slots.iter().enumerate().map(|(n, slot)| (slot.id, (i, n))));
            if let Some(department) =
                department_at.get(&clinic.department).and_then(|p| departments.get_mut(*p))
            {
                department.clinics.push(i);
            }
            let doctor = clinic.doctor.and_then(|d| doctor_at.get(&d)).and_then(|d| doctors.get_mut(*d));
            if let Some(doctor) = doctor {
                doctor.clinics.push(i);
            }
        }
        Self {
            version: parts.version,
            zone: parts.zone,
            today: parts.today,
            rules: parts.rules,
            campuses,
            departments,
            doctors,
            clinics,
            campus_at,
            department_at,
            doctor_at,
            slot_at,
            clinic_at,
            quota_rules: parts.quota_rules,
            revision: AtomicU64::new(0),
            departments_answer: Cell::default(),
            doctors_answer: Cell::default(),
        }
    }

    pub(crate) fn campus(&self, id: CampusId) -> Option<&Campus> {
        self.campuses.get(*self.campus_at.get(&id)?)
    }

    pub(crate) fn department(&self, id: DepartmentId) -> Option<&Department> {
        self.departments.get(*self.department_at.get(&id)?)
    }

    pub(crate) fn doctor(&self, id: DoctorId) -> Option<&Doctor> {
        self.doctors.get(*self.doctor_at.get(&id)?)
    }

    pub(crate) fn slot(&self, id: SlotId) -> Option<(&Clinic, &Slot)> {
        let (clinic, slot) = self.slot_at.get(&id)?;
        let clinic = self.clinics.get(*clinic)?;
        Some((clinic, clinic.slots.get(*slot)?))
    }

    pub(crate) fn clinic(&self, id: ClinicId) -> Option<&Clinic> {
        self.clinics.get(*self.clinic_at.get(&id)?)
    }

    pub(crate) fn clinics_at<'a>(&'a self, places: &'a [usize]) -> impl Iterator<Item = &'a Clinic> {
        places.iter().filter_map(|i| self.clinics.get(*i))
    }

    /// The departments of a family: a department and those below it.
    pub(crate) fn family<'a>(&'a self, of: &'a Department) -> impl Iterator<Item = &'a Department> {
        of.family.iter().filter_map(|id| self.department(*id))
    }

    /// Sets a slot's count as a local commit told it, the board's `told`-th.
    pub(crate) fn tell(&self, slot: SlotId, taken: i64, told: u64) {
        if let Some((clinic, slot)) = self.slot(slot) {
            slot.told.store(told, Ordering::Release);
            self.set(clinic, slot, taken);
        }
    }

    /// Sets a slot's count as the database had it after the first `seen` local commits; a later one knows better.
    pub(crate) fn read(&self, slot: SlotId, taken: i64, seen: u64) {
        if let Some((clinic, slot)) = self.slot(slot)
            && slot.told.load(Ordering::Acquire) <= seen
        {
            self.set(clinic, slot, taken);
        }
    }

    fn set(&self, clinic: &Clinic, slot: &Slot, taken: i64) {
        if slot.taken.swap(taken, Ordering::AcqRel) != taken {
            self.touched(clinic);
        }
    }

    /// Whether any clinic's places are divided by channel.
    pub(crate) fn any_divided(&self) -> bool {
        self.clinics.iter().any(|c| c.division.is_some())
    }

    /// Sets a clinic's places by channel as a local commit told them (`told` is its number), or as the database had them after
    /// the first `seen` local commits. A clinic that was not divided when the picture was made is read again with it.
    pub(crate) fn set_lines(&self, clinic: ClinicId, lines: Vec<Line>, told: Option<u64>, seen: u64) {
        let Some(clinic) = self.clinic_at.get(&clinic).and_then(|i| self.clinics.get(*i)) else { return };
        let Some(division) = &clinic.division else { return };
        match told {
            Some(told) => division.told.store(told, Ordering::Release),
            None if division.told.load(Ordering::Acquire) > seen => return,
            None => {}
        }
        let before = std::mem::replace(&mut *division.lines.write(), lines.clone());
        if before != lines {
            self.touched(clinic);
        }
    }

    /// Tells answers in memory that show this clinic that they are out of date.
    fn touched(&self, clinic: &Clinic) {
        let up = |revision: &AtomicU64| {
            revision.fetch_add(1, Ordering::AcqRel);
        };
        if let Some(doctor) = clinic.doctor.and_then(|d| self.doctor(d)) {
            up(&doctor.revision);
        }
        if let Some(department) = self.department(clinic.department) {
            up(&department.revision);
            if let Some(parent) = department.parent.and_then(|p| self.department(p)) {
                up(&parent.revision);
            }
        }
        up(&self.revision);
    }

    /// Takes over what local commits told the picture before this one after the first `seen` of them.
    pub(crate) fn take_over(&self, before: &Self, seen: u64) {
        for slot in before.clinics.iter().flat_map(|c| &c.slots) {
            let told = slot.told.load(Ordering::Acquire);
            if told > seen {
                self.tell(slot.id, slot.taken(), told);
            }
        }
        for clinic in &before.clinics {
            if let Some(division) = &clinic.division {
                let told = division.told.load(Ordering::Acquire);
                if told > seen {
                    self.set_lines(clinic.id, division.lines.read().clone(), Some(told), seen);
                }
            }
        }
    }
}

/// Each department of the first level followed by those below it; one whose parent is not there stands on the first level.
fn by_level(mut all: Vec<Department>) -> Vec<Department> {
    all.sort_by(|a, b| (a.position, &a.code).cmp(&(b.position, &b.code)));
    let known: std::collections::HashSet<DepartmentId> = all.iter().map(|d| d.id).collect();
    for department in &mut all {
        department.parent = department.parent.filter(|p| known.contains(p));
    }
    let (tops, mut below): (Vec<_>, Vec<_>) = all.into_iter().partition(|d| d.parent.is_none());
    let mut ordered = Vec::new();
    for mut top in tops {
        let (children, others): (Vec<_>, Vec<_>) = below.into_iter().partition(|d| d.parent == Some(top.id));
        below = others;
        top.family = std::iter::once(top.id).chain(children.iter().map(|d| d.id)).collect();
        ordered.push(top);
        ordered.extend(children.into_iter().map(|mut child| {
            child.family = vec![child.id];
            child
        }));
    }
    ordered
}
