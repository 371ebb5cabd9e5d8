//! Places under a lock: exact under any crowd, on both databases.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{Fen, HospitalId};
use schedule::{SlotId, plan, stock};
use store::testing::{TestDb, each_db};
use store::{Backend, Sql, StoreError, args};
use tokio::task::JoinSet;

use crate::support::{HOSPITAL, World, book, migrations, text};

#[tokio::test]
async fn a_lock_tells_all_that_a_booking_is_decided_by() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let mut slots = w.slots(w.tomorrow).await;
        let children = w.slots(w.general).await[0];
        slots.push(children);
        slots.reverse();
        let mut tx = w.t.db.begin().await.unwrap();
        let asked = [slots.as_slice(), &[SlotId::new()], &slots[..1]].concat();
        let locked = stock::lock(&mut tx, HOSPITAL, &asked).await.unwrap();
        assert!(locked.iter().map(|s| s.slot.db()).is_sorted(), "in the order of ids");
        assert_eq!(locked.len(), slots.len(), "each once, unknown ones not at all");
        let first = locked.iter().find(|s| s.slot == slots[slots.len() - 1]).unwrap();
        assert_eq!((first.clinic, first.doctor, first.department), (w.tomorrow, Some(w.chen), w.cardiology));
        assert_eq!((first.parent_department, first.campus), (Some(w.internal), w.east));
        assert_eq!((first.start.to_string(), first.end.to_string()), ("13:30".into(), "14:00".into()));
        assert_eq!(first.start_at, w.instant("2026-11-24", "13:30"));
        assert_eq!(first.opens_at, w.instant("2026-11-10", "07:00"));
        assert_eq!(first.closes_at, w.instant("2026-11-24", "15:00"));
        assert_eq!((first.fee, first.capacity, first.taken, first.last_number), (Fen(1400), 2, 0, 0));
        assert!(!first.stopped && !first.child_only && !first.online);
        let general = locked.iter().find(|s| s.slot == children).unwrap();
        assert!(general.child_only && general.doctor.is_none() && general.parent_department.is_none());
        assert!(stock::lock(&mut tx, HOSPITAL, &[]).await.unwrap().is_empty());
        assert!(stock::lock(&mut tx, HospitalId(2), &slots).await.unwrap().is_empty(), "another hospital");
        tx.rollback().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn places_are_taken_and_given_back_and_numbers_only_grow() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let slots = w.slots(w.tomorrow).await;
        let (a, b) = (slots[0], slots[1]);
        let mut tx = w.t.db.begin().await.unwrap();
        // One slot twice in a batch counts twice.
        assert_eq!(stock::take(&mut tx, HOSPITAL, &[(a, 1), (b, 1), (a, 1)]).await.unwrap(), 2);
        assert_eq!(stock::take(&mut tx, HOSPITAL, &[]).await.unwrap(), 0);
        assert_eq!(stock::take(&mut tx, HOSPITAL, &[(SlotId::new(), 1)]).await.unwrap(), 0);
        assert_eq!(stock::give_back(&mut tx, HOSPITAL, a).await.unwrap(), 1);
        tx.commit().await.unwrap();
        let mut tx = w.t.db.begin().await.unwrap();
        assert_eq!(stock::take(&mut tx, HOSPITAL, &[(a, 1)]).await.unwrap(), 1);
        let locked = stock::lock(&mut tx, HOSPITAL, &[a, b]).await.unwrap();
        let of = |id| locked.iter().find(|s| s.slot == id).unwrap();
        assert_eq!((of(a).taken, of(a).last_number, of(a).remaining()), (2, 3, 0));
        assert_eq!((of(b).taken, of(b).last_number), (1, 1));
        let over = stock::take(&mut tx, HOSPITAL, &[(a, 1)]).await;
        assert!(matches!(over, Err(StoreError::Constraint { .. })), "{over:?}");
        drop(tx);
        let mut tx = w.t.db.begin().await.unwrap();
        assert_eq!(stock::give_back(&mut tx, HOSPITAL, b).await.unwrap(), 0);
        let nothing = stock::give_back(&mut tx, HOSPITAL, b).await;
        assert!(matches!(nothing, Err(StoreError::NoRow)), "{nothing:?}");
    })
    .await;
}

#[tokio::test]
async fn a_crowd_gets_exactly_what_is_there() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let nodes = w.t.nodes(3).await;
        let slots = w.slots(w.today).await;
        let mut crowd = JoinSet::new();
        // Four places in each of two slots that are still ahead.
        for n in 0..64 {
            let (db, slot) = (nodes[n % nodes.len()].clone(), slots[2 + n % 2]);
            crowd.spawn(async move { (slot, book(&db, None, slot).await) });
        }
        let mut numbers: BTreeSet<(SlotId, i64)> = BTreeSet::new();
        while let Some(outcome) = crowd.join_next().await {
            if let (slot, Some(number)) = outcome.unwrap() {
                assert!(numbers.insert((slot, number)), "number {number} was given twice");
            }
        }
        let want = slots[2..4].iter().flat_map(|s| (1..=4).map(|n| (*s, n))).collect();
        assert_eq!(numbers, want);
    })
    .await;
}

#[tokio::test]
async fn the_schema_is_the_last_guard() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let nodes = w.t.nodes(2).await;
        let slot = w.slots(w.today).await[3];
        let mut crowd = JoinSet::new();
        for n in 0..24 {
            let db = nodes[n % nodes.len()].clone();
            // Blindly, without looking first.
            crowd.spawn(async move {
                let mut tx = db.begin().await.unwrap();
                match stock::take(&mut tx, HOSPITAL, &[(slot, 1)]).await {
                    Ok(1) => tx.commit().await.is_ok(),
                    Err(StoreError::Constraint { .. }) => false,
                    other => panic!("{other:?}"),
                }
            });
        }
        let taken = crowd.join_all().await.into_iter().filter(|had| *had).count();
        assert_eq!(taken, 4);
    })
    .await;
}

#[tokio::test]
async fn opposite_orders_do_not_stop_each_other() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let nodes = w.t.nodes(2).await;
        let slots: Arc<[SlotId]> = w.slots(w.today).await.into();
        let mut crowd = JoinSet::new();
        for n in 0..20 {
            let (db, slots) = (nodes[n % nodes.len()].clone(), slots.clone());
            crowd.spawn(async move {
                let mut wanted = slots[2..].to_vec();
                if n % 2 == 1 {
                    wanted.reverse();
                }
                let mut tx = db.begin().await.unwrap();
                stock::lock(&mut tx, HOSPITAL, &wanted).await.unwrap();
                let all: Vec<(SlotId, i64)> = wanted.iter().map(|s| (*s, 1)).collect();
                let taken = stock::take(&mut tx, HOSPITAL, &all).await.is_ok();
                if taken {
                    tx.commit().await.unwrap();
                }
                taken
            });
        }
        assert_eq!(crowd.join_all().await.into_iter().filter(|had| *had).count(), 4);
    })
    .await;
}

#[tokio::test]
async fn a_booking_that_waited_for_a_stop_sees_it() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let slot = w.slots(w.tomorrow).await[0];
        let mut stopping = w.t.db.begin().await.unwrap();
        let reason = text("医生出诊安排调整", "The doctor's schedule has changed");
        plan::stop_clinic(&mut stopping, &w.caller(), w.tomorrow, &reason).await.unwrap().unwrap();
        let other = w.t.node().await;
        let booking = tokio::spawn(async move {
            let mut tx = other.begin().await.unwrap();
            let stock = stock::lock(&mut tx, HOSPITAL, &[slot]).await.unwrap().remove(0);
            let taken = stock::take(&mut tx, HOSPITAL, &[(slot, 1)]).await.unwrap();
            (stock.stopped, taken)
        });
        if w.t.backend() == Backend::Postgres {
            let waits = "SELECT CAST(COUNT(*) AS BIGINT) FROM pg_stat_activity \
                         WHERE datname = current_database() AND wait_event_type = 'Lock'";
            let waits = Sql { name: "WAITS", sqlite: "SELECT 1", postgres: waits };
            while w.t.db.one::<store::value::One<i64>>(waits, args![]).await.unwrap().0 == 0 {
                tokio::task::yield_now().await;
            }
        }
        stopping.commit().await.unwrap();
        assert_eq!(booking.await.unwrap(), (true, 0));
    })
    .await;
}
