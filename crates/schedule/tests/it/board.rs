//! What is shown is what is there: at once after a node's own commits, within a second after another's.

use std::time::{Duration, Instant};

use schedule::plan::{self, NewClinic};
use schedule::rules::ReleaseRules;
use schedule::{Board, SlotId, worker};
use store::Db;
use store::testing::{TestDb, each_db, each_db_in_real_time};
use tokio_util::sync::CancellationToken;

use crate::support::{HOSPITAL, World, book, clinic, date, migrations, slots_of, text};

fn taken(board: &Board, slot: SlotId) -> Option<i64> {
    board.slot(HOSPITAL, slot).map(|facts| facts.taken)
}

/// Waits for a condition; gives how long that took.
async fn until(what: &str, condition: impl Fn() -> bool) -> Duration {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(20), "waited in vain: {what}");
        tokio::task::yield_now().await;
    }
    start.elapsed()
}

async fn second_board(w: &World) -> (Db, Board) {
    let db = w.t.node().await;
    let hospitals = edge::Hospitals::load(&db).await.unwrap();
    let board = Board::load(&db, &hospitals).await.unwrap();
    (db, board)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_nodes_booking_shows_within_a_second() {
    each_db_in_real_time(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        // Real time: the clinic must be ahead of the machine's own date.
        let ahead = schedule::rules::days_after(w.hospital().zone.date(w.t.db.now()), 3).to_string();
        let mut tx = w.t.db.begin().await.unwrap();
        let new = clinic(w.cardiology, Some(w.chen), w.main, &ahead, ("16:00", "17:00"), 9);
        let id = plan::add_clinic(&mut tx, &w.hospital(), &new).await.unwrap();
        tx.commit().await.unwrap();
        let slot = slots_of(&w.t.db, id).await[0];

        let here = w.board().await;
        let (_db, there) = second_board(&w).await;
        let stop = CancellationToken::new();
        let workers =
            [here.clone(), there.clone()].map(|board| tokio::spawn(worker::run(board, stop.clone())));
        let mut waited = Vec::new();
        for n in 1..=5 {
            assert_eq!(book(&w.t.db, Some(&here), slot).await, Some(n));
            assert_eq!(taken(&here, slot), Some(n), "at once where it was booked");
            waited.push(until("the other node", || taken(&there, slot) == Some(n)).await);
        }
        waited.sort();
        assert!(waited[2] <= Duration::from_secs(1), "{waited:?}");

        // What is more than a count: another clinic, planned on one node, shows on the other.
        let mut tx = w.t.db.begin().await.unwrap();
        let new = clinic(w.cardiology, Some(w.li), w.east, &ahead, ("16:00", "17:00"), 1);
        let id = plan::add_clinic(&mut tx, &w.hospital(), &new).await.unwrap();
        tx.commit().await.unwrap();
        let slot = slots_of(&w.t.db, id).await[0];
        let waited = until("a new clinic", || taken(&there, slot) == Some(0)).await;
        assert!(waited <= Duration::from_secs(5), "{waited:?}");
        stop.cancel();
        for worker in workers {
            worker.await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn catching_up_takes_one_look() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let here = w.board().await;
        let (_db, there) = second_board(&w).await;
        let slot = w.slots(w.today).await[3];
        book(&w.t.db, Some(&here), slot).await.unwrap();
        // On SQLite there is no other node: the second board stands for one only where there can be one.
        let board = if w.t.backend() == store::Backend::Sqlite { here } else { there };
        board.catch_up().await.unwrap();
        assert_eq!(taken(&board, slot), Some(1));
    })
    .await;
}

#[tokio::test]
async fn a_stop_shows_with_the_next_look() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let board = w.board().await;
        let slot = w.slots(w.tomorrow).await[0];
        assert!(!board.slot(HOSPITAL, slot).unwrap().stopped);
        let mut tx = w.t.db.begin().await.unwrap();
        let reason = text("停诊", "Stopped");
        plan::stop_clinic(&mut tx, &w.caller(), w.tomorrow, &reason).await.unwrap();
        tx.commit().await.unwrap();
        board.refresh().await.unwrap();
        assert!(board.slot(HOSPITAL, slot).unwrap().stopped);
        assert!(board.card(HOSPITAL, slot).unwrap().stopped);
    })
    .await;
}

#[tokio::test]
async fn days_go_by() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let mut tx = w.t.db.begin().await.unwrap();
        let new = clinic(w.cardiology, Some(w.chen), w.main, "2026-12-08", ("08:00", "09:00"), 1);
        let beyond = plan::add_clinic(&mut tx, &w.hospital(), &new).await.unwrap();
        tx.commit().await.unwrap();
        let board = w.board().await;
        let (old, far) = (w.slots(w.today).await[0], w.slots(beyond).await[0]);
        assert!(board.slot(HOSPITAL, old).is_some());
        assert!(board.slot(HOSPITAL, far).is_none(), "beyond the horizon");

        w.clock_at("2026-11-24", "00:00");
        // Before anybody has looked again, yesterday is gone from what is shown already.
        let summary = board.doctor_summary(HOSPITAL, w.chen).unwrap();
        assert_eq!(summary.days[0].date, date("2026-11-24"));
        board.refresh().await.unwrap();
        assert!(board.slot(HOSPITAL, old).is_none());
        assert!(board.slot(HOSPITAL, far).is_some());
        // Cards of the past come from the database.
        let cards = board.cards(HOSPITAL, &[old, far, SlotId::new()]).await.unwrap();
        assert_eq!(cards.len(), 2);
        let card = &cards[&old];
        assert_eq!((card.clinic, card.doctor, card.date), (w.today, Some(w.chen), date("2026-11-23")));
        assert_eq!(card.doctor_name.as_ref().unwrap().en, "Chen Wei");
        assert_eq!((card.department_name.zh.as_str(), card.campus_name.en.as_str()), ("心血管内科", "Main"));
        assert_eq!((card.start.to_string(), card.end.to_string()), ("08:00".into(), "08:30".into()));
    })
    .await;
}

#[tokio::test]
async fn both_kinds_of_cards_are_the_same() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let slots = [w.slots(w.today).await[0], w.slots(w.general).await[0]];
        let board = w.board().await;
        let from_memory = slots.map(|slot| board.card(HOSPITAL, slot).unwrap());
        w.clock_at("2026-11-26", "08:00");
        board.refresh().await.unwrap();
        assert!(board.card(HOSPITAL, slots[0]).is_none());
        let from_database = board.cards(HOSPITAL, &slots).await.unwrap();
        for card in from_memory {
            assert_eq!(from_database[&card.slot], card);
        }
    })
    .await;
}

#[tokio::test]
async fn settings_reach_the_board() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let board = w.board().await;
        assert_eq!(board.doctor_summary(HOSPITAL, w.chen).unwrap().days.len(), 15, "today and 14 more");
        let rules = ReleaseRules { horizon_days: 3, ..ReleaseRules::default() };
        w.hospitals.set(HOSPITAL, ReleaseRules::SECTION, &rules, "system").await.unwrap();
        board.refresh().await.unwrap();
        assert_eq!(board.doctor_summary(HOSPITAL, w.chen).unwrap().days.len(), 4);
        assert!(board.slot(HOSPITAL, w.slots(w.far).await[0]).is_none());
    })
    .await;
}

#[tokio::test]
async fn the_nearest_places() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let mut tx = w.t.db.begin().await.unwrap();
        let new = clinic(w.cardiology, Some(w.li), w.main, "2026-11-23", ("09:00", "11:00"), 1);
        plan::add_clinic(&mut tx, &w.hospital(), &new).await.unwrap();
        let new = clinic(w.cardiology, None, w.main, "2026-11-24", ("09:00", "11:00"), 1);
        plan::add_clinic(&mut tx, &w.hospital(), &NewClinic { kind: schedule::ClinicKind::General, ..new })
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let board = w.board().await;
        let slots = w.slots(w.today).await;
        for slot in &slots[3..5] {
            for _ in 0..4 {
                book(&w.t.db, Some(&board), *slot).await.unwrap();
            }
        }
        let at = w.instant("2026-11-23", "09:30");
        let near = board.nearest(HOSPITAL, w.cardiology, Some(w.chen), at);
        let shown: Vec<_> = near
            .iter()
            .map(|n| (n.doctor_id == Some(w.chen), n.free.date.to_string(), n.free.start.to_string()))
            .collect();
        let own = |start: &str| (true, "2026-11-23".to_owned(), start.to_owned());
        let other = |day: &str, start: &str| (false, day.to_owned(), start.to_owned());
        // 09:30 and 10:00 are full; the cut-off at 11:30 is not passed; Li's Wednesday clinic is not released.
        let want = [
            own("09:00"),
            own("08:30"),
            own("10:30"),
            other("2026-11-23", "09:30"),
            other("2026-11-24", "09:00"),
        ];
        assert_eq!(shown, want);
        assert_eq!(near[3].doctor_name.as_ref().unwrap().zh, "李静");
        assert_eq!(board.next_free(HOSPITAL, w.chen).unwrap().start.to_string(), "08:30");
        let children = board.nearest(HOSPITAL, w.paediatrics, None, at);
        assert_eq!(children.len(), 1, "one of each clinic");
        assert!(board.nearest(HOSPITAL, schedule::DepartmentId::new(), None, at).is_empty());
    })
    .await;
}
