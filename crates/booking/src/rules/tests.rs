use std::collections::{HashMap, HashSet};

use base::{Date, Fen, HalfDay, UnixMs, WallTime, Zone};
use edge::AccountId;
use jiff::ToSpan as _;
use people::PersonId;
use proptest::prelude::*;
use schedule::stock::Stock;
use schedule::{CampusId, ClinicId, ClinicKind, DepartmentId, DoctorId, SlotId};

use super::*;
use crate::model::{AppointmentId, State};

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn wall(text: &str) -> WallTime {
    text.parse().unwrap()
}

/// A morning slot of a clinic on `day`, open since long.
fn stock(day: &str, capacity: i64) -> Stock {
    let zone = Zone::china();
    let day = date(day);
    Stock {
        divided: false,
        slot: SlotId::new(),
        clinic: ClinicId::new(),
        doctor: Some(DoctorId::new()),
        department: DepartmentId::new(),
        parent_department: None,
        campus: CampusId::new(),
        date: day,
        half_day: HalfDay::Am,
        kind: ClinicKind::General,
        online: false,
        fee: Fen(1400),
        start: wall("08:00"),
        end: wall("08:30"),
        start_at: zone.at(day, wall("08:00")),
        end_at: zone.at(day, wall("08:30")),
        opens_at: UnixMs(0),
        closes_at: zone.at(day, wall("11:00")),
        stopped: false,
        capacity,
        taken: 0,
        held: 0,
        last_number: 0,
        child_only: false,
        adult_only: false,
    }
}

fn adult() -> PersonFacts {
    let birth_date = Some(date("1980-05-01"));
    PersonFacts { id: PersonId::new(), birth_date, identified: true, own_card: true, bound: true }
}

fn request(person: &PersonFacts, slot: SlotId, key: &str) -> Request {
    Request {
        hold: None,
        slot,
        person: person.clone(),
        account: AccountId::from_db("0198c0de000070008000000000000001").unwrap(),
        channel: "wechat".into(),
        key: key.into(),
        hash: format!("{slot}{}", person.id),
        replaces: None,
        request_id: "r".into(),
        source: "s".into(),
    }
}

fn had(person: &PersonFacts, day: &str, state: State, late: bool) -> Known {
    Known {
        id: AppointmentId::new(),
        person: person.id,
        date: date(day),
        half_day: HalfDay::Am,
        provider: DoctorId::new().db(),
        department: DepartmentId::new(),
        day_ordinal: 1,
        state,
        late,
        given_up: true,
    }
}

fn ids() -> (AppointmentId, String) {
    let id = AppointmentId::new();
    (id, id.db())
}

/// Friday noon, five days before the Wednesday that most tests book.
const FRIDAY: &str = "2026-11-20";
const WEDNESDAY: &str = "2026-11-25";

fn reasons_at(
    day: &str,
    time: &str,
    person: &PersonFacts,
    stock: &Stock,
    known: &[Known],
    limits: &Limits,
) -> Vec<&'static str> {
    let zone = Zone::china();
    let now = Now { at: zone.at(date(day), wall(time)), zone: &zone, limits };
    refusals(&request(person, stock.slot, "k"), stock, known, &now).iter().map(Refusal::code).collect()
}

fn reasons(person: &PersonFacts, stock: &Stock, known: &[Known]) -> Vec<&'static str> {
    reasons_at(FRIDAY, "12:00", person, stock, known, &Limits::default())
}

#[test]
fn a_free_place_is_had() {
    assert!(reasons(&adult(), &stock(WEDNESDAY, 1), &[]).is_empty());
}

#[test]
fn time_decides() {
    let person = adult();
    let mut s = stock(WEDNESDAY, 1);
    s.opens_at = Zone::china().at(date(FRIDAY), wall("07:00"));
    let limits = Limits::default();
    assert_eq!(reasons_at(FRIDAY, "06:59", &person, &s, &[], &limits), ["not_open_yet"]);
    assert!(reasons_at(FRIDAY, "07:00", &person, &s, &[], &limits).is_empty());
    assert!(reasons_at(WEDNESDAY, "07:59", &person, &s, &[], &limits).is_empty());
    assert_eq!(reasons_at(WEDNESDAY, "08:00", &person, &s, &[], &limits), ["booking_closed"]);
    s.start_at = Zone::china().at(date(WEDNESDAY), wall("11:30"));
    assert_eq!(reasons_at(WEDNESDAY, "11:00", &person, &s, &[], &limits), ["booking_closed"]);
    s.stopped = true;
    assert_eq!(reasons_at(FRIDAY, "12:00", &person, &s, &[], &limits), ["clinic_stopped"]);
}

#[test]
fn departments_for_children_and_adults() {
    let mut s = stock(WEDNESDAY, 1);
    let born = |day: &str| PersonFacts { birth_date: Some(date(day)), ..adult() };
    s.child_only = true;
    // Eighteen on the day of the visit counts, not on the day of the booking.
    assert_eq!(reasons(&born("2008-11-25"), &s, &[]), ["not_eligible"]);
    assert!(reasons(&born("2008-11-26"), &s, &[]).is_empty());
    // A child without a card of its own.
    let cardless = PersonFacts { own_card: false, ..born("2020-05-01") };
    assert_eq!(eligible(&cardless, &s, &Limits::default()), [Refusal::ChildCard]);
    s.child_only = false;
    assert!(reasons(&cardless, &s, &[]).is_empty());
    s.adult_only = true;
    assert_eq!(reasons(&born("2008-11-26"), &s, &[]), ["not_eligible"]);
    let nameless = PersonFacts { identified: false, ..adult() };
    assert_eq!(reasons(&nameless, &stock(WEDNESDAY, 1), &[]), ["not_eligible"]);
}

#[test]
fn one_place_with_a_doctor_in_a_half_day_and_in_a_department_a_day() {
    let (person, s) = (adult(), stock(WEDNESDAY, 5));
    let mut same = had(&person, WEDNESDAY, State::Booked, false);
    same.provider = provider(&s);
    same.department = s.department;
    assert_eq!(reasons(&person, &s, std::slice::from_ref(&same)), ["already_booked"]);
    same.half_day = HalfDay::Pm;
    assert_eq!(reasons(&person, &s, std::slice::from_ref(&same)), ["same_department_day"]);
    same.state = State::Cancelled;
    assert!(reasons(&person, &s, &[same]).is_empty());
}

#[test]
fn two_a_day_three_a_week_five_a_quarter() {
    let (person, s) = (adult(), stock(WEDNESDAY, 5));
    let on = |days: &[&str]| days.iter().map(|d| had(&person, d, State::Booked, false)).collect::<Vec<_>>();
    assert!(reasons(&person, &s, &on(&[WEDNESDAY])).is_empty());
    assert_eq!(reasons(&person, &s, &on(&[WEDNESDAY, WEDNESDAY])), ["limit_day"]);
    // Seven days are seven dates: the 19th to the 25th hold four with the wanted one, the 18th is outside.
    assert_eq!(reasons(&person, &s, &on(&["2026-11-19", "2026-11-21", "2026-11-24"])), ["limit_week"]);
    assert!(reasons(&person, &s, &on(&["2026-11-18", "2026-11-21", "2026-11-24"])).is_empty());
    // Windows reach forward as well.
    assert_eq!(reasons(&person, &s, &on(&["2026-11-27", "2026-11-28", "2026-11-30"])), ["limit_week"]);
    assert_eq!(
        reasons(&person, &s, &on(&["2026-09-01", "2026-09-10", "2026-09-20", "2026-10-01", "2026-10-10"])),
        ["limit_quarter"]
    );
}

#[test]
fn what_was_given_up_late_counts() {
    let (person, s) = (adult(), stock(WEDNESDAY, 5));
    let late = |late| {
        vec![had(&person, WEDNESDAY, State::Cancelled, late), had(&person, WEDNESDAY, State::Booked, false)]
    };
    assert!(reasons(&person, &s, &late(false)).is_empty());
    assert_eq!(reasons(&person, &s, &late(true)), ["limit_day"]);
}

#[test]
fn no_shows_block_advance_booking_only_and_spare_the_old_and_the_young() {
    let missed = |person: &PersonFacts| {
        ["2026-09-01", "2026-10-01", "2026-11-01"].map(|d| had(person, d, State::NoShow, false)).to_vec()
    };
    let person = adult();
    assert_eq!(reasons(&person, &stock(WEDNESDAY, 1), &missed(&person)), ["no_show_blocked"]);
    assert!(reasons(&person, &stock(WEDNESDAY, 1), &missed(&person)[1..]).is_empty());
    // Today's numbers stay open.
    let mut today = stock(FRIDAY, 1);
    today.start_at = UnixMs(i64::MAX);
    today.closes_at = UnixMs(i64::MAX);
    assert!(reasons(&person, &today, &missed(&person)).is_empty());
    for spared in ["1950-01-01", "2015-01-01"] {
        let spared = PersonFacts { birth_date: Some(date(spared)), ..adult() };
        assert!(reasons(&spared, &stock(WEDNESDAY, 1), &missed(&spared)).is_empty());
    }
    let off = Limits { no_show_limit: 0, ..Limits::default() };
    assert!(reasons_at(FRIDAY, "12:00", &person, &stock(WEDNESDAY, 1), &missed(&person), &off).is_empty());
}

#[test]
fn all_reasons_are_told_and_the_weightiest_first() {
    let (person, mut s) = (adult(), stock(WEDNESDAY, 0));
    s.child_only = true;
    let known =
        [had(&person, WEDNESDAY, State::Booked, false), had(&person, WEDNESDAY, State::Booked, false)];
    assert_eq!(reasons(&person, &s, &known), ["not_eligible", "limit_day", "slot_full"]);
}

#[test]
fn giving_up_ends_at_the_set_time_or_when_a_late_one_begins() {
    let (zone, limits, s, person) = (Zone::china(), Limits::default(), stock(WEDNESDAY, 1), adult());
    let book_at = |day: &str, time: &str| {
        let now = Now { at: zone.at(date(day), wall(time)), zone: &zone, limits: &limits };
        let mut facts = Facts { stock: HashMap::from([(s.slot, s.clone())]), ..Facts::default() };
        decide(&[request(&person, s.slot, "k")], &mut facts, &now, ids).1.rows.remove(0)
    };
    let early = book_at("2026-11-24", "16:59");
    assert!(!early.late);
    assert!(can_cancel(&early, &zone, &limits, zone.at(date("2026-11-24"), wall("16:59"))));
    assert!(!can_cancel(&early, &zone, &limits, zone.at(date("2026-11-24"), wall("17:00"))));
    let late = book_at("2026-11-24", "17:00");
    assert!(late.late);
    assert!(can_cancel(&late, &zone, &limits, zone.at(date(WEDNESDAY), wall("07:59"))));
    assert!(!can_cancel(&late, &zone, &limits, zone.at(date(WEDNESDAY), wall("08:00"))));
}

#[test]
fn the_same_key_gives_the_same_place() {
    let (zone, limits, s, person) = (Zone::china(), Limits::default(), stock(WEDNESDAY, 9), adult());
    let now = Now { at: zone.at(date(FRIDAY), wall("12:00")), zone: &zone, limits: &limits };
    let mut facts = Facts { stock: HashMap::from([(s.slot, s.clone())]), ..Facts::default() };
    let mut other = request(&person, s.slot, "k");
    other.hash = "another".into();
    let batch = [request(&person, s.slot, "k"), request(&person, s.slot, "k"), other];
    let (outcomes, plan) = decide(&batch, &mut facts, &now, ids);
    let Outcome::Booked(first) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!(outcomes[1], Outcome::Replay(first.clone()));
    assert_eq!(outcomes[2], Outcome::KeyReused);
    assert_eq!(plan.rows.len(), 1);
}

proptest! {
    /// Whatever arrives: never more than the capacity, numbers without a gap, nobody twice, places of a day told apart.
    #[test]
    fn a_batch_never_oversells(capacities in prop::collection::vec(0_i64..6, 1..5), wishes in prop::collection::vec((0_usize..5, 0_usize..8, 0_usize..40), 0..120)) {
        let (zone, limits) = (Zone::china(), Limits { per_day: 3, per_week: 99, per_quarter: 99, ..Limits::default() });
        let slots: Vec<Stock> = capacities.iter().map(|c| stock(WEDNESDAY, *c)).collect();
        let persons: Vec<PersonFacts> = (0..8).map(|_| adult()).collect();
        let now = Now { at: zone.at(date(FRIDAY), wall("12:00")), zone: &zone, limits: &limits };
        let mut facts = Facts { stock: slots.iter().map(|s| (s.slot, s.clone())).collect(), ..Facts::default() };
        let batch: Vec<Request> = wishes.iter().map(|(slot, person, key)| request(&persons[*person], slots[slot % slots.len()].slot, &format!("k{key}"))).collect();
        let (outcomes, plan) = decide(&batch, &mut facts, &now, ids);
        prop_assert_eq!(outcomes.len(), batch.len());
        for s in &slots {
            let numbers: Vec<i64> = plan.rows.iter().filter(|r| r.slot == s.slot).map(|r| r.number).collect();
            let count = i64::try_from(numbers.len()).unwrap();
            prop_assert!(count <= s.capacity);
            prop_assert_eq!(numbers, (1..=count).collect::<Vec<_>>());
            let planned = plan.taken.iter().find(|(slot, _)| *slot == s.slot).map_or(0, |(_, n)| *n);
            prop_assert_eq!(planned, count);
        }
        let mut places = HashSet::new();
        let mut ordinals = HashSet::new();
        for row in &plan.rows {
            prop_assert!(places.insert((row.person, row.provider(), row.half_day)));
            prop_assert!(ordinals.insert((row.person, row.date, row.day_ordinal)));
            prop_assert!(row.day_ordinal <= 3);
        }
        // Nobody is refused as full while a place is left.
        for (wish, outcome) in batch.iter().zip(&outcomes) {
            if let Outcome::Refused(reasons) = outcome && reasons.contains(&Refusal::Full) {
                let s = slots.iter().find(|s| s.slot == wish.slot).unwrap();
                let sold = i64::try_from(plan.rows.iter().filter(|r| r.slot == s.slot).count()).unwrap();
                prop_assert_eq!(sold, s.capacity);
            }
        }
    }

    /// The count within a window agrees with trying every window.
    #[test]
    fn windows_agree_with_brute_force(offsets in prop::collection::vec(-120_i32..120, 0..12), days in 1_i32..100) {
        let day = date(WEDNESDAY);
        let person = adult();
        let known: Vec<Known> = offsets.iter().map(|o| {
            let mut k = had(&person, WEDNESDAY, State::Booked, false);
            k.date = day.checked_add(i64::from(*o).days()).unwrap();
            k
        }).collect();
        let refs: Vec<&Known> = known.iter().collect();
        let brute = (-(days - 1)..=0).map(|start| offsets.iter().filter(|o| **o >= start && **o < start + days).count()).max().unwrap_or(0);
        prop_assert_eq!(usize::try_from(most_within(day, &refs, days)).unwrap(), brute);
    }
}
