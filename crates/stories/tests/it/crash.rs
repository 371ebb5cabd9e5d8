//! `kill -9` in the middle of a rush: what was confirmed is there, and nothing was begun by half.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base::HalfDay;
use futures_util::future::join_all;
use schedule::plan::NewClinic;
use testkit::browser::key;
use testkit::crowd::all_agree;
use testkit::program::{Process, Program};
use testkit::site::sitting;
use testkit::{Answer, Dice, Doctor, Heard, Hospital, Member, Phone, Setup};

use crate::long::{no_limits, or_long};

/// Opens an evening of four segments with so many places each; gives the slots. Two days ahead and more, so that places can
/// be given up, whatever time it is.
pub async fn evening(hospital: &Hospital, doctor: &Doctor, day: i64, places: u32) -> Vec<String> {
    let clinic = hospital.site.clinic(doctor, hospital.day(day));
    let slots = sitting("18:00", "20:00", places);
    hospital.plans(&NewClinic { half_day: HalfDay::Night, slots, ..clinic }).await;
    let mut all = Vec::new();
    for start in ["18:00", "18:30", "19:00", "19:30"] {
        all.push(hospital.slot(doctor, day, start).await);
    }
    all
}

/// Everybody books and gives up until nobody answers them any more. After so many answers `then` happens. Gives how often
/// they heard what.
pub async fn busy_until(
    people: &[Member],
    slots: &[String],
    seed: u64,
    answers: usize,
    then: impl Future<Output = ()>,
) -> BTreeMap<String, usize> {
    let heard = AtomicUsize::new(0);
    let acting = join_all(people.iter().enumerate().map(async |(nth, one)| {
        let mut dice = Dice::new(seed * 1_000 + u64::try_from(nth).unwrap());
        let mut all = Vec::new();
        loop {
            let one = one.acts(slots, &mut dice).await;
            all.push(format!("{one:?}"));
            if one == Heard::Nothing {
                return all;
            }
            heard.fetch_add(1, Ordering::SeqCst);
        }
    }));
    let ending = async {
        let mut look = tokio::time::interval(Duration::from_millis(1));
        while heard.load(Ordering::SeqCst) < answers {
            look.tick().await;
        }
        then.await;
    };
    let (all, ()) = tokio::join!(acting, ending);
    let mut counts = BTreeMap::new();
    for one in all.into_iter().flatten() {
        *counts.entry(one).or_default() += 1;
    }
    counts
}

/// The program says that all is well, on a database that it serves.
pub async fn is_well(hospital: &Hospital, program: &Program, running: &Process) {
    hospital.program_settles().await;
    let (well, said) = program.checks().await;
    assert!(well && said.contains("all is well"), "{said}\n{}", running.log());
}

/// The program is killed in the middle of bookings and cancellations, again and again. Each time everybody who was confirmed
/// has their place with its number, who gave one up has none, who asks again with the same key gets their own answer, and
/// `xinglin check` finds nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_confirmed_survives_kill_9() {
    let story = async |hospital: &Hospital| {
        let people = hospital.crowd(40).await;
        let mut slots = evening(hospital, &hospital.site.dr_li, 2, 6).await;
        slots.extend(evening(hospital, &hospital.site.dr_wang, 3, 60).await);
        hospital.settle().await;
        hospital.node().stop().await;
        let program = Program::like(hospital.node()).await;
        let mut dice = Dice::new(9);
        let mut running = program.starts().await;
        for cycle in 0..or_long(4, 20) {
            let kill = async { running.is_killed().await };
            let heard = busy_until(&people, &slots, cycle, 30 + dice.below(200), kill).await;
            assert!(heard.contains_key("Booked"), "{heard:?}");
            hospital.leases_run_out().await;
            running = program.starts().await;
            all_agree(&people).await;
            is_well(hospital, &program, &running).await;
        }
        assert!(!running.log().contains("\"ERROR\""), "{}", running.log());
        running.is_asked_to_stop().await;
        // What must always hold is looked at when the story is over, by the program that has come back.
        hospital.node().starts_again().await;
    };
    Setup::default().in_real_time().days(1).with("booking.limits", no_limits()).play(story).await;
}

/// Whoever was confirmed is told, though the program died before it could: once.
#[tokio::test(flavor = "multi_thread")]
async fn who_was_confirmed_is_told_after_kill_9() {
    let story = async |hospital: &Hospital| {
        let phones = hospital.patients(8).await;
        let slot = hospital.opens_evening(&hospital.site.dr_li, 1, 40).await;
        let taps: Vec<(&Phone, String)> = phones.iter().map(|phone| (phone, key())).collect();
        hospital.node().stop().await;
        let program = Program::like(hospital.node()).await;
        let running = program.starts().await;
        let book =
            async |(phone, key): &(&Phone, String)| phone.booking(&slot, phone.who(), key).try_send().await;
        let first: Vec<Result<Answer, String>> = join_all(taps.iter().map(book)).await;
        running.is_killed().await;
        hospital.leases_run_out().await;
        let running = program.starts().await;
        for (answer, tap) in first.into_iter().zip(&taps) {
            let again = book(tap).await.unwrap().expect(201);
            assert_eq!(again.id(), answer.unwrap().expect(201).id());
        }
        for phone in &phones {
            phone.receives_card("预约挂号成功通知").await;
        }
        assert!(!running.log().contains("\"ERROR\""), "{}", running.log());
        running.is_asked_to_stop().await;
        hospital.node().starts_again().await;
        for phone in &phones {
            assert_eq!(phone.cards().await.len(), 1);
        }
    };
    Setup::default().in_real_time().days(1).play(story).await;
}
