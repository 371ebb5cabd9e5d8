//! Many want few places at the same moment.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use testkit::browser::key;
use testkit::{Answer, Hospital, Phone, Setup};

const PHONES: usize = 32;

/// Sixty-four requests at the same moment: thirty-two people, each twice with a key of its own for each tap. Exactly as many
/// have a place as there are; everybody else is told why not; numbers 1 to n all exist.
async fn rush(hospital: &Hospital, places: u32) {
    let slot = hospital.opens_evening(&hospital.site.dr_li, 1, places).await;
    let phones = hospital.patients(PHONES).await;
    for (nth, phone) in phones.iter().enumerate() {
        phone.is_served_by(nth % hospital.nodes().len());
    }
    let taps: Vec<(&Phone, String)> = phones.iter().chain(&phones).map(|phone| (phone, key())).collect();
    let answers: Vec<Answer> =
        join_all(taps.iter().map(|(phone, key)| phone.booking(&slot, phone.who(), key).send())).await;
    let places = usize::try_from(places).unwrap();
    let booked: Vec<usize> = (0..answers.len()).filter(|n| answers[*n].status == 201).collect();
    assert_eq!(booked.len(), places);
    let numbers: BTreeSet<i64> = booked.iter().map(|n| answers[*n].number_at("number")).collect();
    assert_eq!(numbers, (1..=i64::try_from(places).unwrap()).collect(), "numbers 1 to n, each once");
    let has: BTreeSet<&str> = booked.iter().map(|n| taps[*n].0.id.as_str()).collect();
    assert_eq!(has.len(), places, "nobody has two");
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    for (nth, answer) in answers.iter().enumerate().filter(|(_, a)| a.status != 201) {
        // Whoever has a place has tapped twice, and is told so; who has none is told that it is full.
        let wanted = if has.contains(taps[nth].0.id.as_str()) { "already_booked" } else { "slot_full" };
        let _told = answer.clone().refused(409, wanted);
        *refused.entry(wanted.into()).or_default() += 1;
    }
    assert_eq!(refused.get("already_booked").copied().unwrap_or(0), places);
    assert_eq!(refused["slot_full"], 2 * (PHONES - places));
    // The same taps once more, all at once: nothing changes, and who has a place is told of the same one.
    let again: Vec<Answer> =
        join_all(taps.iter().map(|(phone, key)| phone.booking(&slot, phone.who(), key).send())).await;
    for nth in booked {
        assert_eq!(again[nth].clone().expect(201).id(), answers[nth].id());
    }
    assert_eq!(again.iter().filter(|a| a.status == 201).count(), places);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_want_one_place() {
    Setup::default().days(2).play(async |hospital: &Hospital| rush(hospital, 1).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_want_ten_places() {
    Setup::default().days(2).play(async |hospital: &Hospital| rush(hospital, 10).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_want_one_place_at_two_nodes() {
    Setup::default()
        .days(2)
        .nodes(2)
        .play_on_postgres(async |hospital: &Hospital| rush(hospital, 1).await)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_want_ten_places_at_two_nodes() {
    Setup::default()
        .days(2)
        .nodes(2)
        .play_on_postgres(async |hospital: &Hospital| rush(hospital, 10).await)
        .await;
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
