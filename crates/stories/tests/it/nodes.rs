//! Several processes of the program on one PostgreSQL.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use base::HalfDay;
use futures_util::future::join_all;
use schedule::plan::NewClinic;
use store::args;
use store::value::{One, Row};
use testkit::crowd::all_agree;
use testkit::program::Program;
use testkit::site::sitting;
use testkit::{Dice, Heard, Hospital, Member, Setup};

use crate::crash::is_well;
use crate::long::{no_limits, or_long};

store::statements! {
    TAKEN = "SELECT id, taken, capacity FROM slot WHERE taken > 0";
    DEADLOCKS = sqlite "SELECT CAST(0 AS BIGINT)"
        postgres "SELECT CAST(deadlocks AS BIGINT) FROM pg_stat_database WHERE datname = current_database()";
}

/// How a crowd is let loose.
struct Load {
    people: usize,
    days: i64,
    /// Segments of half an hour in each evening.
    segments: u32,
    places: u32,
    acts: usize,
}

impl Load {
    /// All slots: `days` evenings of one doctor.
    async fn slots(&self, hospital: &Hospital) -> Vec<Vec<String>> {
        let mut all = Vec::new();
        for day in 2..2 + self.days {
            let clinic = hospital.site.clinic(&hospital.site.dr_li, hospital.day(day));
            let walls: Vec<String> =
                (0..=self.segments).map(|n| format!("{}:{:02}", 18 + n / 2, n % 2 * 30)).collect();
            let (from, to) = (walls.first().unwrap(), walls.last().unwrap());
            hospital
                .plans(&NewClinic {
                    half_day: HalfDay::Night,
                    slots: sitting(from, to, self.places),
                    ..clinic
                })
                .await;
            let mut evening = Vec::new();
            for start in &walls[..walls.len() - 1] {
                evening.push(hospital.slot(&hospital.site.dr_li, day, start).await);
            }
            all.push(evening);
        }
        all
    }
}

/// Three processes; one is killed in the middle and its people go on at another. Everybody books and gives up (three times
/// in ten), then all want what is left. The stock is exact, nobody has two places in one evening, nothing that was confirmed
/// is gone, and the database saw no deadlock.
async fn crowd(load: Load) {
    let story = async |hospital: &Hospital| {
        let people = hospital.crowd(load.people).await;
        let evenings = load.slots(hospital).await;
        let slots: Vec<String> = evenings.concat();
        let mut programs = Vec::new();
        for node in hospital.nodes() {
            node.stop().await;
            programs.push(Program::like(node).await);
        }
        let mut running = Vec::new();
        for program in &programs {
            running.push(program.starts().await);
        }
        let doomed = running.pop().unwrap();
        let (answered, dead) = (AtomicUsize::new(0), AtomicBool::new(false));
        let acting = join_all(people.iter().enumerate().map(async |(nth, one)| {
            let mut dice = Dice::new(u64::try_from(nth).unwrap());
            let mut lost = 0;
            for _ in 0..load.acts {
                if one.acts(&slots, &mut dice).await == Heard::Nothing {
                    // Nobody answers there any more: on to another node. What was under way is made sure of later.
                    assert!(dead.load(Ordering::SeqCst), "a living node did not answer");
                    one.browser.is_served_by(nth % 2);
                    lost += 1;
                }
                answered.fetch_add(1, Ordering::SeqCst);
            }
            lost
        }));
        let killing = async {
            let mut look = tokio::time::interval(Duration::from_millis(1));
            while answered.load(Ordering::SeqCst) < load.people * load.acts / 3 {
                look.tick().await;
            }
            dead.store(true, Ordering::SeqCst);
            doomed.is_killed().await;
        };
        let (lost, ()) = tokio::join!(acting, killing);
        assert!(lost.into_iter().sum::<usize>() > 0, "nobody was served by the node that died");
        all_agree(&people).await;
        fill_up(&people, &evenings).await;
        all_agree(&people).await;
        hospital.leases_run_out().await;
        is_well(hospital, &programs[0], &running[0]).await;
        let db = hospital.looks_in().await;
        let mut held: BTreeMap<String, i64> = BTreeMap::new();
        for one in &people {
            for slot in one.slots().await {
                *held.entry(slot).or_default() += 1;
            }
        }
        let mut taken = BTreeMap::new();
        for row in db.all::<Row>(TAKEN, args![]).await.unwrap() {
            let id = format!("slt_{}", row.get::<String>("id").unwrap());
            taken.insert(id, row.get::<i64>("taken").unwrap());
        }
        assert_eq!(taken, held, "places taken, and places that people know of");
        let all = i64::from(load.places * load.segments) * load.days;
        assert_eq!(taken.values().sum::<i64>(), all, "more wanted a place than there are: all are taken");
        assert_eq!(db.one::<One<i64>>(DEADLOCKS, args![]).await.unwrap().0, 0);
        db.close().await;
        for process in running {
            assert!(!process.log().contains("\"ERROR\""), "{}", process.log());
            process.is_asked_to_stop().await;
        }
        for node in hospital.nodes() {
            node.starts_again().await;
        }
    };
    Setup::default()
        .in_real_time()
        .days(1)
        .nodes(3)
        .with("booking.limits", no_limits())
        .play_on_postgres(story)
        .await;
}

/// Everybody asks for every slot of each evening, until they have one there or it is full.
async fn fill_up(people: &[Member], evenings: &[Vec<String>]) {
    join_all(people.iter().enumerate().map(async |(nth, one)| {
        for evening in evenings {
            for at in 0..evening.len() {
                match one.asks_for(&evening[(at + nth) % evening.len()]).await {
                    Heard::Booked => break,
                    Heard::Refused(code) if code == "already_booked" => break,
                    Heard::Refused(code) => assert_eq!(code, "slot_full"),
                    other => panic!("{other:?} while nothing is wrong"),
                }
            }
        }
    }))
    .await;
}

/// Sibling slots of one doctor: everybody may have one an evening, whichever.
#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_and_sibling_slots() {
    let load = Load { people: 60, days: 3, segments: 4, places: 4, acts: 6 };
    let long = Load { people: 500, days: 5, segments: 8, places: 30, acts: 12 };
    crowd(or_long(load, long)).await;
}

/// One slot that all want.
#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_and_one_hot_slot() {
    let load = Load { people: 45, days: 1, segments: 1, places: 30, acts: 6 };
    let long = Load { people: 500, days: 1, segments: 1, places: 300, acts: 12 };
    crowd(or_long(load, long)).await;
}
