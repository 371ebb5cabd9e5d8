//! The database goes away, or has no room left.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use store::args;
use store::value::One;
use testkit::crowd::all_agree;
use testkit::postgres::{Postgres, SmallDisk};
use testkit::{Dice, Heard, Hospital, Member, Setup};

use crate::crash::evening;
use crate::long::{no_limits, or_long};

store::statements! {
    WHOLE = sqlite "PRAGMA integrity_check" postgres "SELECT 'ok'";
}

/// Everybody acts so often; gives how often they were asked to try again. While the database is away they hear that, in
/// their own language, and nothing else that is bad.
async fn act(people: &[Member], slots: &[String], seed: u64, times: usize, answered: &AtomicUsize) -> usize {
    let acting = people.iter().enumerate().map(async |(nth, one)| {
        let mut dice = Dice::new(seed * 1_000 + u64::try_from(nth).unwrap());
        let mut put_off = 0;
        for _ in 0..times {
            match one.acts(slots, &mut dice).await {
                Heard::TryAgain => put_off += 1,
                Heard::Nothing => panic!("the program always answers"),
                _ => {}
            }
            answered.fetch_add(1, Ordering::SeqCst);
        }
        put_off
    });
    join_all(acting).await.into_iter().sum()
}

fn setup() -> Setup {
    Setup::default().in_real_time().days(1).with("booking.limits", no_limits())
}

/// PostgreSQL is stopped at once and started again (five times in the long form) while people book and give up. They are asked to try again;
/// the same key gives them their own answer; nothing that was confirmed is missing.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_is_stopped_at_once_and_comes_back() {
    let server = tokio::sync::Mutex::new(Postgres::start());
    let url = server.lock().await.url();
    let story = async |hospital: &Hospital| {
        let people = hospital.crowd(or_long(24, 100)).await;
        let mut slots = evening(hospital, &hospital.site.dr_li, 2, 5).await;
        slots.extend(evening(hospital, &hospital.site.dr_wang, 3, 40).await);
        for stop in 1..=or_long(2, 5) {
            let answered = AtomicUsize::new(0);
            let breaking = async {
                let mut look = tokio::time::interval(Duration::from_millis(1));
                while answered.load(Ordering::SeqCst) < people.len() * 2 {
                    look.tick().await;
                }
                let mut server = server.lock().await;
                tokio::task::block_in_place(|| server.stops_at_once());
                let mark = answered.load(Ordering::SeqCst);
                while answered.load(Ordering::SeqCst) < mark + people.len() {
                    look.tick().await;
                }
                tokio::task::block_in_place(|| server.starts_again());
            };
            let (put_off, ()) = tokio::join!(act(&people, &slots, stop, 6, &answered), breaking);
            assert!(put_off > 0, "stop {stop}: nobody noticed");
            all_agree(&people).await;
            hospital.leases_run_out_on(&hospital.node().db()).await;
            hospital.settle().await;
            let db = hospital.looks_in().await;
            assert_eq!(server::check::rows::faults(&db).await.unwrap(), [""; 0], "stop {stop}");
            db.close().await;
        }
    };
    setup().play_on_postgres_at(&url, story).await;
}

/// The disk is full: people are asked to try again and can still read; when there is room it goes on by itself.
async fn disk_fills_up(hospital: &Hospital, disk: &SmallDisk) {
    let people = hospital.crowd(16).await;
    let slots = evening(hospital, &hospital.site.dr_li, 2, 400).await;
    let answered = AtomicUsize::new(0);
    assert_eq!(act(&people, &slots, 1, 4, &answered).await, 0, "there is room");
    for round in 2..4 {
        let filler = disk.fills_up();
        // What there still is in open pages is used up sooner or later. Whoever was put off once asks for no other change.
        let (mut put_off, many) = (0, people.len() / 2);
        for tries in 0..200 {
            put_off += act(&people, &slots, round * 1_000 + tries, 2, &answered).await;
            if put_off >= many {
                break;
            }
        }
        assert!(put_off >= many, "round {round}: {put_off} were asked to try again");
        let list = people[0].browser.upcoming().await;
        assert_eq!(list.status, 200, "what is there can be read");
        std::fs::remove_file(filler).unwrap();
        all_agree(&people).await;
        hospital.leases_run_out_on(&hospital.node().db()).await;
        hospital.settle().await;
        let db = hospital.looks_in().await;
        assert_eq!(server::check::rows::faults(&db).await.unwrap(), [""; 0], "round {round}");
        assert_eq!(db.one::<One<String>>(WHOLE, args![]).await.unwrap().0, "ok");
        db.close().await;
    }
    assert_eq!(act(&people, &slots, 9, 4, &answered).await, 0, "there is room again");
    all_agree(&people).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_disk_is_full_on_sqlite() {
    let Some(disk) = SmallDisk::mount(12) else {
        println!("skipped: only root can mount a small disk");
        return;
    };
    let story = async |hospital: &Hospital| disk_fills_up(hospital, &disk).await;
    setup().play_on_sqlite_in(&disk.folder, story).await;
}

/// The disk of the tables is full. (On a full disk of its log PostgreSQL stops by itself, which is the story above.)
#[tokio::test(flavor = "multi_thread")]
async fn the_disk_is_full_on_postgres() {
    let Some(disk) = SmallDisk::mount(64) else {
        println!("skipped: only root can mount a small disk");
        return;
    };
    let server = Postgres::start();
    let tables = disk.folder.join("tables");
    std::fs::create_dir(&tables).unwrap();
    server.keeps_new_databases_in(&tables);
    let story = async |hospital: &Hospital| disk_fills_up(hospital, &disk).await;
    setup().play_on_postgres_at(&server.url(), story).await;
}
