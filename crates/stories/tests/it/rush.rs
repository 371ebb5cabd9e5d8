//! B8: the line at the door when numbers are released.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use base::HalfDay;
use futures_util::future::join_all;
use schedule::plan::NewClinic;
use serde_json::{Value, json};
use store::args;
use store::value::Row;
use testkit::browser::key;
use testkit::site::sitting;
use testkit::{Answer, Hospital, Member, Setup};

store::statements! {
    ORDER = "SELECT wave, arrived_at, served, outcome FROM rush_ticket ORDER BY served";
}

fn in_line() -> Setup {
    Setup::default().with("booking.rush", json!({}))
}

/// An evening of so many places that is released at ten past eight of the first day.
async fn released_soon(hospital: &Hospital, places: u32) -> String {
    let clinic = hospital.site.clinic(&hospital.site.dr_li, hospital.day(3));
    let slots = sitting("17:30", "18:00", places);
    let opens = hospital.instant(0, "08:10");
    hospital.plans(&NewClinic { opens_at: Some(opens), half_day: HalfDay::Night, slots, ..clinic }).await;
    hospital.slot(&hospital.site.dr_li, 3, "17:30").await
}

async fn wishes(member: &Member, slot: &str, key: &str) -> Answer {
    member.browser.booking(slot, &member.person, key).send().await
}

async fn ticket(member: &Member, id: &str, wait: u32) -> Answer {
    member.browser.get(&format!("/api/v1/rush/tickets/{id}?wait={wait}")).await.good()
}

/// Who comes in the first second gets a ticket with an estimate and no error; nobody is served before the second is over; all
/// numbers are given out, and who gets none is told why. The same key finds the same ticket on every node, and one account
/// stands in line once.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_second_is_a_draw() {
    in_line()
        .nodes(3)
        .play(async |hospital: &Hospital| {
            let slot = released_soon(hospital, 5).await;
            let people = hospital.crowd(24).await;
            let opens = hospital.instant(0, "08:10");
            hospital.becomes_exactly(opens.minus(Duration::from_millis(1))).await;
            let _early = wishes(&people[0], &slot, &key()).await.refused(409, "not_open_yet");
            hospital.becomes_exactly(opens.plus(Duration::from_millis(10))).await;
            let keys: Vec<String> = people.iter().map(|_| key()).collect();
            let drawn = join_all(people.iter().zip(&keys).map(|(one, key)| wishes(one, &slot, key))).await;
            let ids: Vec<String> =
                drawn.into_iter().map(|answer| answer.expect(202).id().to_owned()).collect();
            assert_eq!(ids.iter().collect::<HashSet<_>>().len(), people.len());
            // Loaded again, on whichever node: the same ticket.
            people[0].browser.is_served_by(hospital.nodes().len() - 1);
            assert_eq!(wishes(&people[0], &slot, &keys[0]).await.expect(202).id(), ids[0]);
            let listed = people[0].browser.get("/api/v1/rush/tickets").await.good();
            assert_eq!((listed.items().len(), &listed.items()[0]["id"]), (1, &json!(ids[0])));
            let second = wishes(&people[0], &slot, &key()).await.refused(409, "already_in_line");
            assert_eq!(second["ticket_id"], json!(ids[0]));
            let waits = ticket(&people[1], &ids[1], 0).await;
            assert_eq!(
                (&waits["state"], &waits["draw"], &waits["ahead"]),
                (&json!("waiting"), &json!(true), &json!(null))
            );
            assert_eq!(waits["estimate_s"], 1, "{}", waits.text);
            let _hidden = people[2]
                .browser
                .get(&format!("/api/v1/rush/tickets/{}", ids[1]))
                .await
                .refused(404, "not_found");
            // Somebody else comes later: behind the draw.
            hospital.becomes_exactly(opens.plus(Duration::from_millis(1_200))).await;
            let late = hospital.patient("张伟").await;
            let behind = late.takes(&slot).await.expect(202);
            assert_eq!(behind["draw"], false);
            hospital.becomes_exactly(opens.plus(Duration::from_millis(2_000))).await;
            let done = join_all(people.iter().zip(&ids).map(|(one, id)| ticket(one, id, 20))).await;
            let mut heard: BTreeMap<String, usize> = BTreeMap::new();
            for one in &done {
                assert_eq!(one["state"], "done", "{}", one.text);
                let word = match one["problem"]["code"].as_str() {
                    Some(code) => code.to_owned(),
                    None => one["appointment"]["state"].as_str().unwrap().to_owned(),
                };
                *heard.entry(word).or_default() += 1;
            }
            assert_eq!(heard, BTreeMap::from([("booked".into(), 5), ("slot_full".into(), 19)]));
            let last = late.get(&format!("/api/v1/rush/tickets/{}?wait=20", behind.id())).await.good();
            assert_eq!(last["problem"]["code"], "slot_full");
            // In words, in the language of who asks; every second one of the crowd reads English.
            let refused: Vec<&Answer> = done.iter().filter(|one| one["problem"].is_object()).collect();
            let said = |word: &str| {
                refused.iter().any(|one| one["problem"]["detail"].as_str().unwrap().contains(word))
            };
            assert!(said("约满") && said("filled up"));
            // The same key again: what came of it, as a booking answers.
            let winner = done.iter().position(|one| one["appointment"].is_object()).unwrap();
            let again = wishes(&people[winner], &slot, &keys[winner]).await.expect(201);
            assert_eq!(again.id(), done[winner]["appointment"]["id"].as_str().unwrap());
        })
        .await;
}

/// Behind the draw everybody is served in the order in which they came, whichever node they asked.
#[tokio::test(flavor = "multi_thread")]
async fn later_ones_are_served_in_the_order_in_which_they_came() {
    in_line()
        .nodes(3)
        .play(async |hospital: &Hospital| {
            let slot = released_soon(hospital, 3).await;
            let people = hospital.crowd(12).await;
            let opens = hospital.instant(0, "08:10");
            let mut ids = Vec::new();
            for (nth, one) in (0_u64..).zip(&people) {
                hospital.becomes_exactly(opens.plus(Duration::from_millis(1_500 + nth))).await;
                ids.push(wishes(one, &slot, &key()).await.expect(202).id().to_owned());
            }
            hospital.becomes_exactly(opens.plus(Duration::from_millis(3_000))).await;
            let done = join_all(people.iter().zip(&ids).map(|(one, id)| ticket(one, id, 20))).await;
            let booked: Vec<bool> = done.iter().map(|one| one["appointment"].is_object()).collect();
            assert_eq!(booked.iter().filter(|b| **b).count(), 3);
            assert!(booked[..3].iter().all(|b| *b), "the first three: {booked:?}");
            let rows = hospital.node().db().all::<Row>(ORDER, args![]).await.unwrap();
            let came: Vec<i64> = rows.iter().map(|row| row.get("arrived_at").unwrap()).collect();
            assert!(came.is_sorted(), "{came:?}");
            // Half a minute after the release all is as usual again.
            hospital.becomes_exactly(opens.plus(Duration::from_secs(30))).await;
            let _usual = wishes(&people[11], &slot, &key()).await.refused(409, "slot_full");
        })
        .await;
}

/// Who wants to pay online keeps the place for as long as anybody has to pay, counted from when they got it, not from when they asked.
#[tokio::test(flavor = "multi_thread")]
async fn who_pays_online_has_their_place_kept() {
    in_line()
        .play(async |hospital: &Hospital| {
            let slot = released_soon(hospital, 3).await;
            let people = hospital.crowd(2).await;
            let opens = hospital.instant(0, "08:10");
            hospital.becomes_exactly(opens.plus(Duration::from_millis(10))).await;
            let [online, counter] = &people[..] else { panic!("two people") };
            let body = json!({"slot_id": slot, "person_id": online.person, "pay": "online"});
            let first = online.browser.post_once("/api/v1/appointments", body).await.expect(202);
            let second = wishes(counter, &slot, &key()).await.expect(202);
            hospital.becomes_exactly(opens.plus(Duration::from_millis(2_000))).await;
            let kept = ticket(online, first.id(), 20).await;
            let booked = ticket(counter, second.id(), 20).await;
            assert_eq!(booked["appointment"]["state"], "booked");
            let kept = &kept["appointment"];
            assert_eq!((&kept["state"], &kept["hold_for"]), (&json!("held"), &json!("payment")), "{kept}");
            let until = opens.plus(Duration::from_millis(2_000) + Duration::from_secs(15 * 60));
            let said: jiff::Timestamp = kept["hold_until"].as_str().unwrap().parse().unwrap();
            assert_eq!(said.as_millisecond(), until.0, "{kept}");
        })
        .await;
}

/// The draw is a draw: those who came first have no better chance than those who came last.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_first_in_the_first_second_has_no_advantage() {
    in_line()
        .play(async |hospital: &Hospital| {
            let slot = released_soon(hospital, 20).await;
            let people = hospital.crowd(80).await;
            let opens = hospital.instant(0, "08:10");
            let mut ids = Vec::new();
            for (nth, one) in (0_u64..).zip(&people) {
                if nth % 20 == 0 {
                    hospital.becomes_exactly(opens.plus(Duration::from_millis(nth))).await;
                }
                ids.push(wishes(one, &slot, &key()).await.expect(202).id().to_owned());
            }
            hospital.becomes_exactly(opens.plus(Duration::from_millis(2_000))).await;
            let done = join_all(people.iter().zip(&ids).map(|(one, id)| ticket(one, id, 20))).await;
            let won: Vec<usize> = done
                .iter()
                .enumerate()
                .filter(|(_, one)| one["appointment"].is_object())
                .map(|(n, _)| n)
                .collect();
            assert_eq!(won.len(), 20);
            // By order of arrival the first twenty would have them. That a fair draw gives the first twenty people more than
            // fourteen of the numbers has a chance of less than one in a million.
            assert!(won.iter().filter(|n| **n < 20).count() < 15, "{won:?}");
        })
        .await;
}

/// One can't go round the line by moving an appointment, and an account that draws tickets without end is asked to wait.
#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_way_round_the_line() {
    Setup::default()
        .with("booking.rush", json!({"per_account": 3}))
        .play(async |hospital: &Hospital| {
            let slot = released_soon(hospital, 3).await;
            let phone = hospital.patient("李娜").await;
            let old = hospital.slot(&hospital.site.dr_wang, 5, "08:00").await;
            let visit = phone.gets(&old).await;
            let opens = hospital.instant(0, "08:10");
            hospital.becomes_exactly(opens).await;
            let _ready = phone.signs_in().await;
            let _no = phone.moves(visit.id(), &slot).await.refused(409, "move_in_rush");
            let mut heard = Vec::new();
            for _ in 0..5 {
                heard.push(phone.takes(&slot).await);
            }
            let codes: Vec<u16> = heard.iter().map(|one| one.status).collect();
            assert_eq!(codes, [202, 409, 409, 429, 429]);
            assert_eq!(heard[4].code(), "too_many_tickets");
            hospital.becomes_exactly(opens.plus(Duration::from_millis(2_000))).await;
            let id = heard[0].id();
            let done = phone.get(&format!("/api/v1/rush/tickets/{id}?wait=20")).await.good();
            assert_eq!(done["appointment"]["state"], Value::from("booked"), "{}", done.text);
        })
        .await;
}

/// The rules are published, in words that follow the settings.
#[tokio::test(flavor = "multi_thread")]
async fn the_rules_stand_on_the_departments_page() {
    Setup::default()
        .with("booking.rush", json!({"draw_ms": 2000}))
        .with("booking.waitlist", json!({"delay_minutes": 7}))
        .with("booking.attendance", json!({"check_in": true}))
        .play_on_sqlite(async |hospital: &Hospital| {
            let path = format!("/api/v1/departments/{}/rules", hospital.site.cardiology);
            let page = hospital.browser().await.get(&path).await.good();
            for words in ["放号后 2 秒内来的人随机排序", "最长 7 分钟", "90 天内 3 次", "一天最多预约 8 个号"]
            {
                assert!(page.text.contains(words), "{words}: {}", page.text);
            }
            assert!(page.text.contains("those who come within 2 s are put in random order"), "{}", page.text);
        })
        .await;
}
