//! Availability and visits as they change, on every node.

use serde_json::{Value, json};
use testkit::{Hospital, Setup};

fn evening(snapshot: &Value) -> Value {
    let items = snapshot["data"]["items"].as_array().unwrap();
    items.iter().find(|c| c["half_day"] == "night").unwrap()["remaining"].clone()
}

/// A page that is open sees what others take, also when they are served by another node.
#[tokio::test(flavor = "multi_thread")]
async fn an_open_page_sees_what_others_take() {
    Setup::default()
        .nodes(2)
        .days(3)
        .play(async |hospital: &Hospital| {
            let doctor = hospital.site.dr_li;
            let slot = hospital.opens_evening(&doctor, 1, 2).await;
            let phones = hospital.patients(2).await;
            let watcher = hospital.browser().await;
            watcher.is_served_by(hospital.nodes().len() - 1);
            let topic = format!("/api/v1/live?topic=doctor:{}", doctor.id);
            let mut page = watcher.call(reqwest::Method::GET, &topic).opens_stream().await;
            let first = page.next().await;
            assert_eq!(
                (&first["topic"], evening(&first)),
                (&json!(format!("doctor:{}", doctor.id)), json!(2))
            );
            let visit = phones[0].gets(&slot).await;
            let begun = std::time::Instant::now();
            let next = page.next().await;
            assert_eq!(evening(&next), 1);
            assert!(next["revision"].as_i64() > first["revision"].as_i64());
            // A second by design; on a busy machine not much more.
            assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
            // The visit's own page, too: given up on one phone of the family, it shows on the other.
            let topic = format!("/api/v1/live?topic=appointment:{}&topic=doctor:{}", visit.id(), doctor.id);
            let mut own = phones[0].call(reqwest::Method::GET, &topic).opens_stream().await;
            let shown = [own.next().await, own.next().await];
            let visit_shown =
                shown.iter().find(|s| s["topic"] == format!("appointment:{}", visit.id())).unwrap();
            assert_eq!(visit_shown["data"]["state"], "booked");
            let _gone = phones[0].cancels(visit.id()).await.good();
            loop {
                let changed = own.next().await;
                if changed["topic"] == visit_shown["topic"] && changed["data"]["state"] == "cancelled" {
                    break;
                }
            }
            assert_eq!(evening(&page.next().await), 2);
        })
        .await;
}
