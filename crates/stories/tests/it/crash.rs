//! `kill -9` in the middle of bookings: what was confirmed is there, and nothing else was begun by half.

use std::collections::HashMap;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use store::{Db, args};
use testkit::browser::key;
use testkit::program::Program;
use testkit::{Answer, Hospital, Phone, Setup};

store::statements! {
    EVENTS = "UPDATE event SET leased_until = 0";
    MESSAGES = "UPDATE message SET due_at = $1 WHERE due_at > $1";
    PUSHES = "UPDATE wechat_push SET leased_until = 0";
    LEASES = "UPDATE lease SET until = 0";
}

/// What the dead program had taken up is free again, as it would be after a minute and a half.
async fn leases_run_out(hospital: &Hospital) {
    let db = Db::open(&hospital.node().config().database.store(), base::Clock::machine()).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    let now = tx.now();
    for sql in [EVENTS, PUSHES, LEASES] {
        tx.exec(sql, args![]).await.unwrap();
    }
    tx.exec(MESSAGES, args![now]).await.unwrap();
    tx.commit().await.unwrap();
    db.close().await;
}

/// Sends all bookings at once and stops listening after `enough` answers; gives those.
async fn rush(taps: &[(&Phone, String, String)], enough: usize) -> HashMap<usize, Answer> {
    let mut waiting: FuturesUnordered<_> =
        taps.iter()
            .enumerate()
            .map(|(nth, (phone, slot, key))| async move {
                (nth, phone.booking(slot, phone.who(), key).send().await)
            })
            .collect();
    let mut answers = HashMap::new();
    while answers.len() < enough {
        let (nth, answer) = waiting.next().await.unwrap();
        answers.insert(nth, answer);
    }
    answers
}

/// The program is killed while it confirms bookings. After the restart every confirmed one is there with its number; who
/// asks again with the same key gets that one, or one now; nobody has two, and all is in order.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_confirmed_survives_kill_9() {
    Setup::default()
        .in_real_time()
        .days(3)
        .play(async |hospital: &Hospital| {
            let phones = hospital.patients(24).await;
            let slots = [
                hospital.opens_evening(&hospital.site.dr_li, 1, 40).await,
                hospital.opens_evening(&hospital.site.dr_wang, 1, 40).await,
            ];
            let taps: Vec<(&Phone, String, String)> = phones
                .iter()
                .enumerate()
                .map(|(nth, phone)| (phone, slots[nth % 2].clone(), key()))
                .collect();
            hospital.settle().await;
            hospital.node().stop().await;
            let program = Program::like(hospital.node()).await;

            let running = program.starts().await;
            let confirmed = rush(&taps, 5).await;
            running.is_killed().await;
            leases_run_out(hospital).await;

            let running = program.starts().await;
            for (nth, answer) in &confirmed {
                let found = taps[*nth].0.appointment(answer.clone().expect(201).id()).await.good();
                assert_eq!(
                    (&found["state"], &found["number"]),
                    (&answer.json["state"], &answer.json["number"])
                );
            }
            let again = rush(&taps, taps.len()).await;
            for (nth, answer) in again {
                let answer = answer.expect(201);
                if let Some(before) = confirmed.get(&nth) {
                    assert_eq!(answer.id(), before.id());
                }
                let list = taps[nth].0.upcoming().await;
                assert_eq!(list.items().len(), 1, "{}", list.text);
                assert_eq!(list.items()[0]["id"], answer.id());
            }
            for phone in &phones {
                phone.receives_card("预约挂号成功通知").await;
            }
            assert!(!running.log().contains("\"ERROR\""), "{}", running.log());
            running.is_asked_to_stop().await;
            // What must always hold is looked at when the story is over, by the program that has come back.
            hospital.node().starts_again().await;
        })
        .await;
}
