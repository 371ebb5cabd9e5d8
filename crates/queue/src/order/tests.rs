use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

const MINUTE: i64 = 60_000;

fn at(minute: i64) -> UnixMs {
    UnixMs(1_795_392_000_000 + minute * MINUTE)
}

fn one(number: i64, line: i64) -> Waiting {
    Waiting {
        id: TicketId::new(),
        number,
        class: None,
        line_at: at(line),
        checked_in_at: at(line),
        returned_at: None,
        due_turn: None,
        arrival: Arrival::OnTime,
    }
}

fn clinic() -> Policy {
    Policy::named(PolicyName::Clinic, &Settings::default())
}

fn numbers(placed: &[Placed]) -> Vec<i64> {
    placed.iter().map(|p| p.waiting.number).collect()
}

#[test]
fn segments_before_arrival() {
    let early_bird = Waiting { checked_in_at: at(-50), ..one(1, 60) };
    let placed = order([early_bird, one(2, 30), one(3, 0)], &clinic(), Turns::default());
    assert_eq!(numbers(&placed), [3, 2, 1]);
    let first_come = Policy::named(PolicyName::FirstCome, &Settings::default());
    let early_bird = Waiting { checked_in_at: at(-50), ..one(1, 60) };
    assert_eq!(numbers(&order([one(2, 30), early_bird], &first_come, Turns::default())), [1, 2]);
}

#[test]
fn the_late_stand_behind_the_segment_of_the_moment() {
    let settings = Settings::default();
    let segment = Some((at(0), at(30)));
    assert_eq!(arrival(segment, at(-5), &settings), (Arrival::Early, at(0)));
    assert_eq!(arrival(segment, at(30), &settings), (Arrival::OnTime, at(0)));
    assert_eq!(arrival(segment, at(31), &settings), (Arrival::Late, at(31)));
    assert_eq!(arrival(None, at(31), &settings), (Arrival::None, at(31)));
}

#[test]
fn groups_take_turns() {
    let line = (1..=6).map(|n| one(n, n));
    let back = (11..=13).map(|n| Waiting { returned_at: Some(at(n)), ..one(n, 0) });
    let elders = (21..=23).map(|n| Waiting { class: Some(Class::Elder), ..one(n, n) });
    let placed = order(line.chain(back).chain(elders), &clinic(), Turns::default());
    // Return, priority, line, return, priority, line, …
    assert_eq!(numbers(&placed), [11, 21, 1, 12, 22, 2, 13, 23, 3, 4, 5, 6]);
    assert_eq!(placed[1].cause, Cause::Priority(Class::Elder));
}

#[test]
fn an_emergency_goes_before_everybody() {
    let placed = order(
        [
            Waiting { due_turn: Some(0), ..one(1, 0) },
            Waiting { class: Some(Class::Emergency), ..one(2, 500) },
            Waiting { returned_at: Some(at(0)), ..one(3, 0) },
        ],
        &clinic(),
        Turns::default(),
    );
    assert_eq!((numbers(&placed), placed[0].cause), (vec![2, 1, 3], Cause::Emergency));
}

#[test]
fn missed_calls_come_again_after_five_and_end_void() {
    let policy = clinic();
    let turns = Turns { calls: 10, ..Turns::default() };
    assert_eq!(missed(1, &policy, turns, 30), Miss::Again { due_turn: 15 });
    assert_eq!(missed(2, &policy, turns, 30), Miss::Again { due_turn: 15 });
    assert_eq!(missed(3, &policy, turns, 30), Miss::Again { due_turn: 40 });
    assert_eq!(missed(4, &policy, turns, 30), Miss::Void);
    let gone = Waiting { due_turn: Some(15), ..one(99, 0) };
    let placed = order((1..=8).map(|n| one(n, n)).chain([gone.clone()]), &policy, turns);
    assert_eq!(numbers(&placed), [1, 2, 3, 4, 5, 99, 6, 7, 8]);
    // Nobody is made to wait for others who are not there.
    assert_eq!(numbers(&order([gone, one(1, 1)], &policy, turns)), [1, 99]);
}

#[test]
fn the_reason_is_one_sentence() {
    let policy = clinic();
    let turns = Turns::default();
    let elder = Waiting { class: Some(Class::Elder), ..one(9, 90) };
    let late = Waiting { arrival: Arrival::Late, ..one(3, 40) };
    let placed = order([one(1, 0), one(2, 30), elder, late], &policy, turns);
    assert_eq!(numbers(&placed), [9, 1, 2, 3]);
    let said = why(&placed, 2, &policy, turns);
    assert_eq!(said.zh, "您前面有 2 位：1 位优先就诊、1 位比您早。");
    assert_eq!(said.en, "Before you are 2: 1 priority patient and 1 person with an earlier place.");
    assert!(why(&placed, 3, &policy, turns).en.ends_with("those of the present time go first."));
    assert_eq!(why(&placed, 0, &policy, turns).zh, "下一位就是您；您属于优先就诊人群。");
    assert_eq!(why(&placed, 4, &policy, turns), base::Text2::default());
}

/// Somebody as a random morning brings them.
fn anybody() -> impl Strategy<Value = Waiting> {
    let class = prop_oneof![
        6 => Just(None),
        1 => Just(Some(Class::Elder)),
        1 => Just(Some(Class::Pregnant)),
    ];
    (1..500_i64, class, 0..240_i64, 0..60_i64, any::<bool>(), proptest::option::weighted(0.1, 0..40_i64))
        .prop_map(|(number, class, line, before, back, due_turn)| Waiting {
            class,
            checked_in_at: at(line - before),
            returned_at: back.then(|| at(line)),
            due_turn,
            ..one(number, line)
        })
}

proptest! {
    /// Everybody has one place, whatever the order in which the database gives them: all readers see the same.
    #[test]
    fn all_readers_agree(people in proptest::collection::vec(anybody(), 0..40), calls in 0..60_i64, seed in any::<u64>()) {
        let turns = Turns { calls, ..Turns::default() };
        let mut shuffled = people.clone();
        shuffled.sort_by_key(|w| seed.wrapping_mul(u64::try_from(w.number).unwrap()));
        let (one, other) = (order(people.clone(), &clinic(), turns), order(shuffled, &clinic(), turns));
        prop_assert_eq!(one.len(), people.len());
        prop_assert_eq!(one, other);
    }

    /// What is foretold is what happens: calling the first leaves the rest in their order.
    #[test]
    fn calling_the_first_moves_nobody(people in proptest::collection::vec(anybody(), 1..40)) {
        let turns = Turns::default();
        let all = order(people, &clinic(), turns);
        let rest = order(all[1..].iter().map(|p| p.waiting.clone()), &clinic(), turns.after(all[0].cause));
        prop_assert_eq!(numbers(&all[1..]), numbers(&rest));
    }

    /// Nobody starves: while others keep coming, two for each call and as many of the favoured groups as there can be, everybody is
    /// called within a number of calls that only the line at their own arrival decides.
    #[test]
    fn nobody_starves(start in proptest::collection::vec(anybody(), 1..25), arrivals in proptest::collection::vec((0..3_u8, 0..3_u8), 200)) {
        let policy = clinic();
        let mut turns = Turns::default();
        // Who is late stands behind the present: nobody new has a place before now.
        let mut waiting: HashMap<TicketId, Waiting> = start.into_iter().map(|w| (w.id, Waiting { due_turn: w.due_turn.map(|d| d.min(20)), ..w })).collect();
        let old: Vec<TicketId> = waiting.keys().copied().collect();
        let mut calls = 0;
        for (call, (one_kind, other_kind)) in (0_i64..).zip(arrivals) {
            for kind in [one_kind, other_kind] {
                let new = one(1_000 + call, 240 + call);
                let new = match kind {
                    0 => new,
                    1 => Waiting { class: Some(Class::Elder), ..new },
                    _ => Waiting { returned_at: Some(at(240 + call)), ..new },
                };
                waiting.insert(new.id, new);
            }
            let placed = order(waiting.values().cloned(), &policy, turns);
            let next = placed.first().unwrap();
            turns = turns.after(next.cause);
            waiting.remove(&next.waiting.id);
            calls += 1;
            if old.iter().all(|id| !waiting.contains_key(id)) {
                break;
            }
        }
        // At worst half of the turns go to those back from exams and a third to priority groups.
        prop_assert!(old.iter().all(|id| !waiting.contains_key(id)), "somebody still waits after {} calls", calls);
        prop_assert!(calls <= 30 + 7 * old.len(), "{} calls for {}", calls, old.len());
    }
}
