//! Who comes on the day, to whom, when, and how long it takes: the same people with and without appointments.
//!
//! Figures are those of studies as far as there are any: consultations log-normal with each department's median and spread, one in
//! three sent for an exam and back after one to two and a half hours, 15 % of those who have booked not coming, arrivals in two peaks
//! (Hu et al. 2018; He et al. 2019; Su et al. 2020). That people without an appointment come long before the doctors begin is what
//! hospitals tell of themselves.

use super::chance::{Chance, whole};

/// Seconds.
pub(super) const MINUTE: u32 = 60;
pub(super) const HOUR: u32 = 3_600;
/// When doctors sit: seconds of the day.
pub(super) const SITTINGS: [(u32, u32); 2] =
    [(8 * HOUR, 11 * HOUR + 30 * MINUTE), (13 * HOUR + 30 * MINUTE, 17 * HOUR)];
/// Segments of appointments.
pub(super) const SEGMENT: u32 = 30 * MINUTE;
pub(super) const SEGMENTS: u32 = 7;
/// Doctors have so much to do of what they can.
const BUSY: f64 = 0.9;
/// Of those who have booked so many do not come.
const NO_SHOW: f64 = 0.15;
/// Of those who come so many have not booked.
const WALK_IN: f64 = 0.12;
/// So many are sent for an exam and come back …
const EXAM: f64 = 0.35;
/// … for so much of a first visit's time.
const RETURN_TAKES: f64 = 0.6;
/// So many are not there when they are called first.
const MISSES: f64 = 0.05;
/// So many of those who have booked come long after their segment's start.
const LATE: f64 = 0.05;
/// So many are of an age that has priority.
const ELDER: f64 = 0.15;
/// From the call to the chair: seconds.
pub(super) const WALK: u32 = 10;
/// Somebody who does not come when called is waited for so long: seconds.
pub(super) const PATIENCE: u32 = 45;
/// One in so many doctors is an expert, whose consultations take longer.
const EXPERTS: u32 = 5;
const EXPERT_TAKES: f64 = 1.3;
/// Doctors differ in their pace: the spread of its logarithm.
const DOCTORS_DIFFER: f64 = 0.15;

/// A department.
pub(super) struct Department {
    pub(super) code: &'static str,
    pub(super) zh: &'static str,
    pub(super) en: &'static str,
    /// The median of a first visit, minutes.
    pub(super) median: f64,
    /// The standard deviation of the logarithm.
    pub(super) sigma: f64,
}

const fn department(
    code: &'static str,
    zh: &'static str,
    en: &'static str,
    median: f64,
    sigma: f64,
) -> Department {
    Department { code, zh, en, median, sigma }
}

/// The departments (`health.md` 5.3).
pub(super) const DEPARTMENTS: [Department; 9] = [
    department("03", "普通内科", "General internal medicine", 7.0, 0.55),
    department("0304", "心血管内科", "Cardiology", 8.0, 0.5),
    department("0307", "内分泌科", "Endocrinology", 8.0, 0.5),
    department("04", "外科", "Surgery", 6.0, 0.6),
    department("05", "妇产科", "Obstetrics and gynaecology", 7.0, 0.5),
    department("07", "儿科", "Paediatrics", 5.0, 0.5),
    department("10", "眼科", "Ophthalmology", 5.0, 0.6),
    department("13", "皮肤科", "Dermatology", 4.0, 0.6),
    department("50", "中医科", "Traditional Chinese medicine", 10.0, 0.5),
];

/// A doctor.
pub(super) struct Doctor {
    /// Of which department.
    pub(super) department: usize,
    /// The median of a first visit, seconds.
    pub(super) median: f64,
    /// When they really begin in each sitting: seconds of the day.
    pub(super) begins: [u32; 2],
    /// When they make a break in each sitting, if they do; and for how many minutes.
    pub(super) breaks: [Option<(u32, u32)>; 2],
    /// How many appointments each segment of each sitting has.
    pub(super) places: [[u32; 7]; 2],
}

/// An exam that somebody is sent for.
#[derive(Clone, Copy)]
pub(super) struct Exam {
    /// For how long they are away, seconds.
    pub(super) away: u32,
    /// How long they are with the doctor afterwards, seconds.
    pub(super) visit: u32,
}

/// A patient.
pub(super) struct Patient {
    /// Whose.
    pub(super) doctor: usize,
    /// In which sitting.
    pub(super) sitting: usize,
    /// The segment that they have booked; none: they walk in.
    pub(super) segment: Option<usize>,
    /// Whether they come.
    pub(super) comes: bool,
    /// When they are there with an appointment, or would walk in on such a day; and when without: seconds of the day.
    pub(super) with: u32,
    pub(super) without: u32,
    /// How long they are with the doctor, seconds.
    pub(super) visit: u32,
    /// The exam that they are sent for.
    pub(super) exam: Option<Exam>,
    /// They are not there when they are called first.
    pub(super) misses: bool,
    /// They have priority by their age.
    pub(super) elder: bool,
}

/// A day.
pub(super) struct Day {
    pub(super) doctors: Vec<Doctor>,
    pub(super) patients: Vec<Patient>,
}

impl Day {
    /// The day of a seed on which so many come.
    pub(super) fn of(seed: u64, outpatients: u32) -> Self {
        let mut chance = Chance::new(seed);
        let mut day = Self { doctors: Vec::new(), patients: Vec::new() };
        let (mut come, mut nth) = (0, 0_u32);
        while come < outpatients {
            let at = usize::try_from(nth).unwrap_or(0);
            let doctor = doctor(&mut chance, nth, at % DEPARTMENTS.len());
            come += day.add(&mut chance, doctor, at);
            nth += 1;
        }
        day
    }

    /// A doctor with their patients; gives how many come.
    fn add(&mut self, chance: &mut Chance, mut doctor: Doctor, nth: usize) -> u32 {
        let sigma = DEPARTMENTS.get(doctor.department).map_or(0.55, |d| d.sigma);
        let mean = doctor.median * (sigma * sigma / 2.0).exp();
        let each = mean * (1.0 + EXAM * RETURN_TAKES)
            + f64::from(WALK) * (1.0 + EXAM)
            + MISSES * f64::from(PATIENCE);
        let mut come = 0;
        for (sitting, (start, end)) in SITTINGS.into_iter().enumerate() {
            let all = f64::from(end - start) * BUSY / each;
            let booked = chance.round(all * (1.0 - WALK_IN) / (1.0 - NO_SHOW));
            for place in 0..booked {
                let segment = usize::try_from(place * SEGMENTS / booked.max(1)).unwrap_or(0);
                if let Some(places) = doctor.places.get_mut(sitting).and_then(|s| s.get_mut(segment)) {
                    *places += 1;
                }
                let patient = patient(chance, &doctor, nth, sitting, Some(segment));
                come += u32::from(patient.comes);
                self.patients.push(patient);
            }
            for _ in 0..chance.round(all * WALK_IN) {
                self.patients.push(patient(chance, &doctor, nth, sitting, None));
                come += 1;
            }
        }
        self.doctors.push(doctor);
        come
    }
}

fn doctor(chance: &mut Chance, nth: u32, department: usize) -> Doctor {
    let usual = DEPARTMENTS.get(department).map_or(7.0, |d| d.median) * 60.0;
    let expert = if nth % EXPERTS == EXPERTS - 1 { EXPERT_TAKES } else { 1.0 };
    let begins = SITTINGS.map(|(start, _)| start + whole(chance.between(0.0, 300.0)));
    let breaks = SITTINGS.map(|(start, _)| {
        let at = start + whole(chance.between(60.0, 150.0) * 60.0);
        chance.happens(0.5).then(|| (at, whole(chance.between(5.0, 13.0))))
    });
    let pace = chance.log_normal(1.0, DOCTORS_DIFFER);
    Doctor { department, median: usual * expert * pace, begins, breaks, places: [[0; 7]; 2] }
}

fn patient(
    chance: &mut Chance,
    doctor: &Doctor,
    nth: usize,
    sitting: usize,
    segment: Option<usize>,
) -> Patient {
    let sigma = DEPARTMENTS.get(doctor.department).map_or(0.55, |d| d.sigma);
    let (start, end) = SITTINGS.get(sitting).copied().unwrap_or_default();
    let minutes = |n: f64| n * 60.0;
    // Without appointments: a morning's people come early, an afternoon's after lunch.
    let (peak, spread) = if sitting == 0 { (7.0 * 60.0 + 40.0, 35.0) } else { (13.0 * 60.0 + 15.0, 30.0) };
    let without = chance.normal(minutes(peak), minutes(spread));
    let without = without.clamp(f64::from(start) - minutes(90.0), f64::from(end) - minutes(30.0));
    let with = match segment {
        Some(segment) => {
            let at = f64::from(start + SEGMENT * u32::try_from(segment).unwrap_or(0));
            let offset =
                if chance.happens(LATE) { chance.between(35.0, 70.0) } else { chance.normal(-20.0, 20.0) };
            // Check-in opens an hour before.
            at + minutes(offset.clamp(-59.0, 90.0))
        }
        None => {
            let (peak, spread) =
                if sitting == 0 { (8.0 * 60.0 + 50.0, 50.0) } else { (14.0 * 60.0 + 20.0, 45.0) };
            let at = chance.normal(minutes(peak), minutes(spread));
            at.clamp(f64::from(start) - minutes(30.0), f64::from(end) - minutes(15.0))
        }
    };
    let visit = |chance: &mut Chance, times: f64| {
        whole(chance.log_normal(doctor.median * times, sigma).clamp(30.0, 3_600.0))
    };
    let first = visit(chance, 1.0);
    let exam = chance.happens(EXAM).then(|| Exam {
        away: whole(minutes(chance.between(60.0, 150.0))),
        visit: visit(chance, RETURN_TAKES),
    });
    Patient {
        doctor: nth,
        sitting,
        segment,
        comes: segment.is_none() || !chance.happens(NO_SHOW),
        with: whole(with),
        without: whole(without),
        visit: first,
        exam,
        misses: chance.happens(MISSES),
        elder: chance.happens(ELDER),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_as_it_was_ordered() {
        let day = Day::of(1, 5_000);
        let come = day.patients.iter().filter(|p| p.comes).count();
        assert!((5_000..5_100).contains(&come), "{come}");
        let booked = day.patients.iter().filter(|p| p.segment.is_some()).count();
        let away = day.patients.iter().filter(|p| !p.comes).count();
        let share = |n: usize, of: usize| {
            f64::from(u32::try_from(n).unwrap()) / f64::from(u32::try_from(of).unwrap())
        };
        assert!((share(away, booked) - NO_SHOW).abs() < 0.02);
        assert!((share(come + away - booked, come) - WALK_IN).abs() < 0.02);
        let places: u32 = day.doctors.iter().flat_map(|d| d.places.iter().flatten()).sum();
        assert_eq!(places, u32::try_from(booked).unwrap());
        // What is to be done is nine tenths of what can be done.
        let seconds: u32 = day
            .patients
            .iter()
            .filter(|p| p.comes)
            .map(|p| p.visit + WALK + p.exam.map_or(0, |e| e.visit + WALK))
            .sum();
        let can = u32::try_from(day.doctors.len()).unwrap() * 7 * HOUR;
        let busy = f64::from(seconds) / f64::from(can);
        assert!((0.86..0.93).contains(&busy), "{busy}");
    }

    #[test]
    fn two_days_of_one_seed_are_the_same() {
        let (one, other) = (Day::of(3, 300), Day::of(3, 300));
        let times = |day: &Day| day.patients.iter().map(|p| (p.with, p.without, p.visit)).collect::<Vec<_>>();
        assert_eq!(times(&one), times(&other));
    }
}
