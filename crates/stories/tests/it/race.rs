//! Many want few places at the same moment.

use std::collections::{BTreeMap, BTreeSet};

use base::HalfDay;
use futures_util::future::join_all;
use schedule::plan::NewClinic;
use serde_json::json;
use testkit::browser::key;
use testkit::site::sitting;
use testkit::{Answer, Hospital, Member, Setup};

use crate::long::{no_limits, or_long};

/// How people ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crowd {
    /// Everybody once.
    Distinct,
    /// Half as many people, each twice: every second person with a key of its own for each tap, the others with one key.
    Repeated,
}

/// So many requests for so many places at the same moment, over all nodes. Exactly as many people have a place as there are
/// (or as there are people); everybody else is told why not; numbers 1 to n all exist; the same taps once more change nothing.
async fn rush(
    hospital: &Hospital,
    slot: &str,
    people: &[Member],
    places: usize,
    requests: usize,
    how: Crowd,
) {
    let count = if how == Crowd::Distinct { requests } else { requests / 2 };
    let people = &people[..count];
    let first: Vec<String> = people.iter().map(|_| key()).collect();
    let mut taps: Vec<(usize, String)> = first.iter().cloned().enumerate().collect();
    if how == Crowd::Repeated {
        let second =
            first.iter().enumerate().map(|(nth, first)| if nth % 2 == 0 { key() } else { first.clone() });
        taps.extend(second.enumerate());
    }
    let tap = async |(nth, key): &(usize, String)| -> Answer {
        people[*nth].browser.booking(slot, &people[*nth].person, key).send().await
    };
    let told = format!("{requests} requests for {places} places, {how:?}, on {:?}", hospital.backend());
    let answers: Vec<Answer> = join_all(taps.iter().map(tap)).await;
    let mut has: BTreeMap<usize, (&str, i64)> = BTreeMap::new();
    for ((nth, _), answer) in taps.iter().zip(&answers).filter(|(_, answer)| answer.status == 201) {
        let place = (answer.id(), answer.number_at("number"));
        let known = has.insert(*nth, place);
        assert!(
            known.is_none_or(|known| known == place && nth % 2 == 1),
            "{told}: two places for one person"
        );
    }
    let given = places.min(people.len());
    assert_eq!(has.len(), given, "{told}");
    let numbers: BTreeSet<i64> = has.values().map(|(_, number)| *number).collect();
    assert_eq!(numbers, (1..=i64::try_from(given).unwrap()).collect(), "{told}: numbers 1 to n, each once");
    for ((nth, _), answer) in taps.iter().zip(&answers).filter(|(_, answer)| answer.status != 201) {
        // Whoever has a place has tapped twice, and is told so; who has none is told that it is full.
        let wanted = if has.contains_key(nth) { "already_booked" } else { "slot_full" };
        let _told = answer.clone().refused(409, wanted);
    }
    let again: Vec<Answer> = join_all(taps.iter().map(tap)).await;
    for (before, after) in answers.iter().zip(&again) {
        if before.status == 201 {
            assert_eq!(after.clone().expect(201).id(), before.id(), "{told}");
        } else {
            assert_eq!(
                (after.status, after.code()),
                (409, before.code()),
                "{told}: a refusal became something else"
            );
        }
    }
}

/// Capacity 1, 10, 100 against 16, 256, 1,000 requests; all nine in the long form.
async fn all_rushes(hospital: &Hospital) {
    let some = [(1, 16, Crowd::Repeated), (10, 256, Crowd::Distinct), (100, 256, Crowd::Repeated)];
    let mut all = Vec::new();
    for places in [1, 10, 100] {
        for requests in [16, 256, 1_000] {
            all.extend([Crowd::Distinct, Crowd::Repeated].map(|how| (places, requests, how)));
        }
    }
    let rushes = or_long(some.to_vec(), all);
    let most = rushes.iter().map(|(_, requests, _)| *requests).max().unwrap();
    let people = hospital.crowd(most).await;
    let doctors = [&hospital.site.dr_li, &hospital.site.dr_wang];
    for (nth, (places, requests, how)) in rushes.into_iter().enumerate() {
        let (doctor, day) = (doctors[nth % 2], 1 + i64::try_from(nth / 2).unwrap());
        let slot = hospital.opens_evening(doctor, day, u32::try_from(places).unwrap()).await;
        rush(hospital, &slot, &people, places, requests, how).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_have_a_place_as_there_are() {
    let setup = Setup::default().days(2).with("booking.limits", no_limits());
    setup.play(async |hospital: &Hospital| all_rushes(hospital).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_have_a_place_as_there_are_at_two_nodes() {
    let setup = Setup::default().days(2).nodes(2).with("booking.limits", no_limits());
    setup.play_on_postgres(async |hospital: &Hospital| all_rushes(hospital).await).await;
}

/// Two a day, whoever serves: everybody asks for four places with two doctors in two half days at the same moment, at two
/// nodes, and gets two.
#[tokio::test(flavor = "multi_thread")]
async fn two_a_day_holds_across_doctors_and_nodes() {
    let limits = json!({"per_department_day": 9, "per_week": 99, "per_quarter": 99});
    let story = async |hospital: &Hospital| {
        let people = hospital.crowd(or_long(24, 120)).await;
        let places = 500;
        let mut slots = Vec::new();
        for doctor in [&hospital.site.dr_li, &hospital.site.dr_wang] {
            slots.push(hospital.opens_evening(doctor, 1, places).await);
            let clinic = hospital.site.clinic(doctor, hospital.day(1));
            let slots_of = sitting("14:00", "14:30", places);
            hospital.plans(&NewClinic { half_day: HalfDay::Pm, slots: slots_of, ..clinic }).await;
            slots.push(hospital.slot(doctor, 1, "14:00").await);
        }
        let asked = join_all(people.iter().map(async |one| {
            // The same person on four phones, half of them at the other node.
            let requests = slots.iter().enumerate().map(|(nth, slot)| {
                one.browser.is_served_by(nth % hospital.nodes().len());
                one.browser.booking(slot, &one.person, &key()).send()
            });
            join_all(requests).await
        }));
        for answers in asked.await {
            let booked = answers.iter().filter(|answer| answer.status == 201).count();
            assert_eq!(booked, 2, "{:?}", answers.iter().map(|answer| &answer.text).collect::<Vec<_>>());
            for refused in answers.into_iter().filter(|answer| answer.status != 201) {
                assert_eq!(refused.refused(409, "limit_day")["limit"], 2);
            }
        }
    };
    Setup::default().days(2).nodes(2).with("booking.limits", limits).play(story).await;
}

/// Everybody who has a place gives it up while as many others want it: it is never sold twice and none is lost.
#[tokio::test(flavor = "multi_thread")]
async fn places_change_hands() {
    Setup::default()
        .days(2)
        .nodes(2)
        .play(async |hospital: &Hospital| {
            let places = 8;
            let slot = hospital.opens_evening(&hospital.site.dr_li, 1, 8).await;
            let phones = hospital.patients(places * 2).await;
            let (first, second) = phones.split_at(places);
            for (nth, phone) in phones.iter().enumerate() {
                phone.is_served_by(nth % hospital.nodes().len());
            }
            let visits: Vec<Answer> = join_all(first.iter().map(|phone| phone.gets(&slot))).await;
            let give_up = join_all(first.iter().zip(&visits).map(|(phone, visit)| phone.cancels(visit.id())));
            let take = join_all(second.iter().map(|phone| phone.takes(&slot)));
            let (gone, taken) = tokio::join!(give_up, take);
            assert!(gone.into_iter().all(|answer| answer.expect(200)["state"] == "cancelled"));
            let mut has = Vec::new();
            for (phone, answer) in second.iter().zip(taken) {
                if answer.status == 201 {
                    has.push(answer.number_at("number"));
                } else {
                    let _full = answer.refused(409, "slot_full");
                    has.push(phone.gets(&slot).await.number_at("number"));
                }
            }
            has.sort_unstable();
            assert_eq!(has, (9..=16).collect::<Vec<_>>(), "every one of the second eight has a new number");
        })
        .await;
}
