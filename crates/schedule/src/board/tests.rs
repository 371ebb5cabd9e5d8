use std::sync::atomic::AtomicU64;

use base::{Fen, HalfDay, Text2, WallTime, Zone};
use proptest::prelude::*;

use super::cell::Cell;
use super::picture::{Campus, Clinic, Department, Doctor, Parts, Picture, Slot};
use super::render::{Filter, View};
use super::search::{fold, search};
use super::*;
use crate::model::{CampusId, ClinicId, ClinicKind, Title};
use crate::rules::{ClinicState, DayState, Hours, SlotState};

fn department(position: i64, zh: &str, en: &str, parent: Option<DepartmentId>) -> Department {
    Department {
        id: DepartmentId::new(),
        code: format!("P{position}"),
        parent,
        name: Text2::new(zh, en),
        intro: Text2::default(),
        initials: "nk".into(),
        pinyin: "neike".into(),
        child_only: false,
        adult_only: false,
        position,
        family: Vec::new(),
        clinics: Vec::new(),
        doctors: Vec::new(),
        revision: AtomicU64::new(0),
        doctors_answer: Cell::default(),
        clinics_answer: Cell::default(),
    }
}

fn doctor(zh: &str, en: &str) -> Doctor {
    Doctor {
        id: DoctorId::new(),
        code: en.into(),
        name: Text2::new(zh, en),
        initials: "cw".into(),
        pinyin: "chenwei".into(),
        title: Title::Chief,
        specialities: Text2::new("高血压", "Hypertension"),
        introduction: Text2::default(),
        photo_url: None,
        position: 0,
        departments: Vec::new(),
        clinics: Vec::new(),
        revision: AtomicU64::new(0),
        page_answer: Cell::default(),
        clinics_answer: Cell::default(),
    }
}

struct Sample {
    parts: Parts,
    doctor: DoctorId,
    department: DepartmentId,
    slots: Vec<SlotId>,
}

/// One doctor, one clinic on 24 November 2026 from 08:00 with so many places taken in each of its segments of two.
fn sample(taken: &[i64]) -> Sample {
    let zone = Zone::china();
    let date = "2026-11-24".parse().unwrap();
    let campus = Campus {
        id: CampusId::new(),
        code: "M".into(),
        name: Text2::new("本部", "Main"),
        address: Text2::default(),
        position: 0,
    };
    let department = department(0, "内科", "Internal Medicine", None);
    let doctor = doctor("陈维", "Chen Wei");
    let clinic = ClinicId::new();
    let at = |n: usize| WallTime::from_minutes(480 + 30 * u16::try_from(n).unwrap());
    let slots: Vec<Slot> = taken
        .iter()
        .enumerate()
        .map(|(n, taken)| {
            let (start, end) = (at(n), at(n + 1));
            Slot::new(
                SlotId::new(),
                clinic,
                start,
                end,
                zone.at(date, start),
                zone.at(date, end),
                2,
                *taken,
                false,
            )
        })
        .collect();
    let hours = Hours {
        opens_at: zone.at("2026-11-10".parse().unwrap(), WallTime::from_minutes(420)),
        closes_at: zone.at(date, WallTime::from_minutes(660)),
        stopped: false,
    };
    let clinic = Clinic {
        id: clinic,
        doctor: Some(doctor.id),
        department: department.id,
        campus: campus.id,
        date,
        half_day: HalfDay::Am,
        kind: ClinicKind::Special,
        online: false,
        fee: Fen(30_000),
        room: None,
        hours,
        slots: Vec::new(),
        division: None,
    };
    Sample {
        doctor: doctor.id,
        department: department.id,
        slots: slots.iter().map(|s| s.id).collect(),
        parts: Parts {
            version: 1,
            today: "2026-11-23".parse().unwrap(),
            rules: ReleaseRules::default(),
            members: vec![(doctor.id, department.id, 0)],
            campuses: vec![campus],
            departments: vec![department],
            doctors: vec![doctor],
            clinics: vec![clinic],
            slots,
            zone,
            lines: HashMap::new(),
            quota_rules: Vec::new(),
        },
    }
}

fn at(text: &str) -> UnixMs {
    let (date, wall) = text.split_once(' ').unwrap();
    Zone::china().at(date.parse().unwrap(), wall.parse().unwrap())
}

#[test]
fn what_this_node_committed_is_not_overwritten_by_an_older_read() {
    let s = sample(&[0, 0]);
    let picture = Picture::new(s.parts);
    let taken = |slot| picture.slot(slot).unwrap().1.taken();
    picture.tell(s.slots[0], 2, 5);
    picture.read(s.slots[0], 1, 4);
    assert_eq!(taken(s.slots[0]), 2, "read before the commit");
    picture.read(s.slots[0], 1, 5);
    assert_eq!(taken(s.slots[0]), 1, "read after it");
    picture.read(SlotId::new(), 1, 9);
}

#[test]
fn a_new_picture_keeps_what_was_told_while_it_was_read() {
    let s = sample(&[0, 0]);
    let before = Picture::new(s.parts);
    before.tell(s.slots[0], 1, 3);
    before.tell(s.slots[1], 1, 4);
    // The same slots, read when three commits had been told.
    let mut again = sample(&[0, 0]);
    for (slot, id) in again.parts.slots.iter_mut().zip(&s.slots) {
        slot.id = *id;
    }
    let picture = Picture::new(again.parts);
    picture.take_over(&before, 3);
    let taken: Vec<i64> = s.slots.iter().map(|id| picture.slot(*id).unwrap().1.taken()).collect();
    assert_eq!(taken, [0, 1]);
}

#[test]
fn only_a_change_makes_answers_old() {
    let s = sample(&[0, 0]);
    let picture = Picture::new(s.parts);
    let revisions = || {
        let load = |revision: &AtomicU64| revision.load(Ordering::SeqCst);
        let doctor = load(&picture.doctor(s.doctor).unwrap().revision);
        (doctor, load(&picture.department(s.department).unwrap().revision), load(&picture.revision))
    };
    picture.read(s.slots[0], 0, 0);
    assert_eq!(revisions(), (0, 0, 0));
    picture.read(s.slots[0], 1, 0);
    assert_eq!(revisions(), (1, 1, 1));
}

#[test]
fn what_refers_to_nothing_is_left_out() {
    let mut s = sample(&[0]);
    s.parts.doctors.clear();
    let picture = Picture::new(s.parts);
    assert!(picture.slot(s.slots[0]).is_none());
    let view = View::new(&picture, at("2026-11-23 08:00"));
    assert_eq!(view.departments().items[0].remaining, 0);
}

#[test]
fn departments_stand_below_their_parent() {
    let mut s = sample(&[]);
    let top = department(1, "外科", "Surgery", None);
    let below = department(0, "骨科", "Orthopaedics", Some(top.id));
    let lost = department(2, "旧科", "Closed", Some(DepartmentId::new()));
    let want = vec![s.department, top.id, below.id, lost.id];
    s.parts.departments.extend([lost, below, top]);
    let picture = Picture::new(s.parts);
    let order: Vec<DepartmentId> = picture.departments.iter().map(|d| d.id).collect();
    assert_eq!(order, want);
    assert_eq!(picture.departments[1].family, [want[1], want[2]]);
}

#[test]
fn a_picture_at_different_times() {
    for (now, taken, clinic, slots, day, remaining) in [
        ("2026-11-10 06:59", [0, 2], ClinicState::NotOpen, [SlotState::Closed; 2], DayState::NotOpen, 2),
        (
            "2026-11-10 07:00",
            [0, 2],
            ClinicState::Open,
            [SlotState::Open, SlotState::Full],
            DayState::Open,
            2,
        ),
        (
            "2026-11-24 07:59",
            [1, 2],
            ClinicState::Open,
            [SlotState::Open, SlotState::Full],
            DayState::Open,
            1,
        ),
        (
            "2026-11-24 08:00",
            [1, 2],
            ClinicState::Full,
            [SlotState::Closed, SlotState::Full],
            DayState::Full,
            0,
        ),
        ("2026-11-24 08:30", [1, 0], ClinicState::Closed, [SlotState::Closed; 2], DayState::None, 0),
    ] {
        let s = sample(&taken);
        let picture = Picture::new(s.parts);
        let view = View::new(&picture, at(now));
        let doctor = picture.doctor(s.doctor).unwrap();
        let item = view.doctor_clinics(doctor, view.today(), 90).items.remove(0);
        let states: Vec<SlotState> = item.slots.iter().map(|slot| slot.state).collect();
        assert_eq!((item.state, item.remaining, states.as_slice()), (clinic, remaining, &slots[..]), "{now}");
        let summary = view.summary(doctor, &Filter::default()).unwrap();
        let state = summary.days.iter().find(|d| d.date == item.date).unwrap();
        assert_eq!(state.state, day, "{now}");
        assert_eq!(summary.next_free.is_some(), day == DayState::Open, "{now}");
        assert_eq!(state.remaining, if day == DayState::Open { remaining } else { 0 }, "{now}");
    }
}

#[test]
fn typed_text_is_folded() {
    for (typed, folded) in [
        ("  Chen Wei ", "chenwei"),
        ("ＣＷ", "cw"),
        ("O’Brien-Li", "obrienli"),
        ("内 科", "内科"),
        ("　", ""),
    ] {
        assert_eq!(fold(typed), folded, "{typed}");
    }
}

proptest! {
    #[test]
    fn no_text_breaks_the_search(text in "\\PC{0,60}") {
        let s = sample(&[0]);
        let picture = Picture::new(s.parts);
        let found = search(&picture, at("2026-11-23 08:00"), &text);
        prop_assert!(found.doctors.len() <= 1 && found.departments.len() <= 1);
    }

    /// Whatever was typed of a name from its start finds it.
    #[test]
    fn every_beginning_of_a_name_finds_it(n in 1_usize..=8, upper: bool) {
        let s = sample(&[0]);
        let picture = Picture::new(s.parts);
        for name in ["陈维", "chenwei", "cw", "Chen Wei", "内科", "neike", "Internal Medicine"] {
            let typed: String = name.chars().take(n).collect();
            let typed = if upper { typed.to_uppercase() } else { typed };
            let found = search(&picture, at("2026-11-23 08:00"), &typed);
            prop_assert_eq!(found.doctors.len(), 1, "{}", typed);
        }
    }

    /// What can be had is never more than what is left, and sums up the same from below and from above.
    #[test]
    fn sums_agree(taken in proptest::collection::vec(0_i64..=2, 1..6), minutes in 0_i64..40_000) {
        let s = sample(&taken);
        let picture = Picture::new(s.parts);
        let view = View::new(&picture, UnixMs(at("2026-11-09 00:00").0 + minutes * 60_000));
        let doctor = picture.doctor(s.doctor).unwrap();
        let summary = view.summary(doctor, &Filter::default()).unwrap();
        let days: i64 = summary.days.iter().map(|d| d.remaining).sum();
        let clinics = view.doctor_clinics(doctor, view.today(), 90);
        let open = clinics.items.iter().flat_map(|c| &c.slots).filter(|slot| slot.state == SlotState::Open);
        let open: i64 = open.map(|slot| slot.remaining).sum();
        let department = view.department(picture.department(s.department).unwrap());
        prop_assert_eq!((summary.remaining, open, department.remaining), (days, days, days));
        prop_assert!(days <= taken.iter().map(|t| 2 - t).sum::<i64>());
        prop_assert_eq!(summary.next_free.is_some(), days > 0);
        prop_assert_eq!(department.next_date.is_some(), days > 0);
        let list = view.doctors(&Filter::default(), None);
        prop_assert_eq!(&list.dates, &summary.days);
    }
}
